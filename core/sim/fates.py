"""What may become of one message on its way between a client and the exchange.

Frozen answers to one question each; who moves the message (an in-memory transport, the byte-level
proxy) carries them out. Times are real milliseconds.
"""

from __future__ import annotations

import msgspec

from core.sim.garble import Garble


class Delivered(msgspec.Struct, frozen=True):
    """It arrives. Without further words: whole, once, in its turn and at once."""

    delay_ms: int = 0
    """A request is served at its time even if its sender has given up by then."""
    trickles: bool = False
    """Over a wire the delay is spread over the bytes instead of standing before them."""
    copies: int = 1
    overtakes: bool = False
    """Later messages need not wait for this one: a delay puts it behind them."""
    trades: bool = False
    """The market trades with the order this is about in the moment before it is served."""


class Lost(msgspec.Struct, frozen=True):
    """It never arrives, and nobody is told: the sender waits until its own patience ends."""

    trades: bool = False
    """The market trades with the order this is about all the same."""


class Cut(msgspec.Struct, frozen=True):
    """The connection is reset after this share of the message, 0 to 1: what has part of it has nothing."""

    share: float


class Held(msgspec.Struct, frozen=True):
    """Half-open: neither this nor anything after it moves on the connection, which stays open."""


class Answered(msgspec.Struct, frozen=True):
    """Something in front of the exchange answers in its place. Of a request: the exchange never sees it."""

    status: int
    body: bytes


class Garbled(msgspec.Struct, frozen=True):
    """It arrives changed; see ``core.sim.garble.garbled``."""

    how: Garble
    pick: float
    """Which part is changed, 0 to 1."""
    beside: bool = False
    """The true message comes first, the changed one after it."""


class Repeated(msgspec.Struct, frozen=True):
    """An answer is replaced by an earlier one, where there is one: lists that lag, pages that repeat."""

    age_ms_max: int
    """How old the earlier answer may be."""
    any_page: bool = False
    """An answer to the same path will do, whatever the query."""


class ConnectRefused(msgspec.Struct, frozen=True):
    """No connection: nobody listens, the name has no address, the handshake fails."""


ConnectFate = Delivered | Lost | ConnectRefused
RequestFate = Delivered | Lost | Cut | Held | Answered
AnswerFate = Delivered | Lost | Cut | Held | Answered | Garbled | Repeated
FrameFate = Delivered | Lost | Cut | Held | Garbled
Fate = ConnectFate | RequestFate | AnswerFate

PLAIN = Delivered()
