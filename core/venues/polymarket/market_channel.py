"""The market channel's logic without a socket: bytes in, facts and commands out, books kept on the way.

One ``MarketTalk`` is one connection. It asks for a market's YES token only: the book of the NO token is its
mirror, and what a message says of it beside is compared (Polymarket reference, section 5.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from core.domain.clock import Clocks
from core.domain.text import clean_text
from core.venues.polymarket.books import Books
from core.venues.polymarket.facts import NOTHING, Fact, Oddity, Resolved, TickChanged
from core.venues.polymarket.gamma import tick_size
from core.venues.polymarket.line import SECOND_NS, GiveUp
from core.venues.polymarket.market_frames import (
    BestFrame,
    BookFrame,
    ChangeFrame,
    Frame,
    NewMarketFrame,
    Opening,
    ResolvedFrame,
    Subscription,
    TickFrame,
    TradeFrame,
    envelope_decoder,
    frame_decoder,
)
from core.venues.wire import WireError

BEHIND_NS: Final = 5 * SECOND_NS
BEHIND_LOOKS: Final = 3
"""So many looks in a row another socket must be ahead while this one says nothing."""
QUIET_NS: Final = 20 * SECOND_NS
"""After so long without news the busiest book is compared with REST: the channel may be dead."""
BOOK_EVENTS: Final = frozenset({"book", "price_change", "tick_size_change"})


class MarketTalk:
    """One connection's part of the books. ``number`` tells it from every other one, past ones too."""

    def __init__(self, number: int, books: Books, tokens: Iterable[str], clocks: Clocks) -> None:
        self.number = number
        self._books, self._clocks = books, clocks
        self._wanted = set(tokens)
        self._listed: set[str] = set()
        self._opened = False
        self._heard_ns = clocks.mono_ns()
        self._behind = 0
        self._probed = False
        """Whether this silence has been looked into."""
        self._condemned = ""

    def give_up(self, reason: str) -> None:
        """Somebody else knows that this connection is dead; it ends with the next tick."""
        self._condemned = reason

    def want(self, tokens: Iterable[str]) -> None:
        self._wanted.update(tokens)

    def unwant(self, token: str) -> None:
        self._wanted.discard(token)

    @property
    def complete(self) -> bool:
        """Whether every book asked for has come. One the venue does not have never comes."""
        slots = map(self._books.of_token, self._wanted)
        return self._opened and all(self.number in slot.lanes for slot in slots if slot is not None)

    def commands(self) -> list[bytes]:
        added, gone = sorted(self._wanted - self._listed), sorted(self._listed - self._wanted)
        self._listed = set(self._wanted)
        if not self._opened:
            if not added:
                return []
            self._opened = True
            return [msgspec.json.encode(Opening(added))]
        commands = [("subscribe", added), ("unsubscribe", gone)]
        return [msgspec.json.encode(Subscription(what, tokens)) for what, tokens in commands if tokens]

    def tick(self, now_ns: int) -> Sequence[Fact]:
        """Give up a connection that is silent while another one brings what it should bring."""
        if self._condemned:
            return (GiveUp(self._condemned),)
        silent = now_ns - self._heard_ns > BEHIND_NS
        if now_ns - self._heard_ns > QUIET_NS and not self._probed:
            self._probed = True
            self._books.probe_busiest(self.number, now_ns)
        self._behind = self._behind + 1 if silent and self._books.behind(self.number) else 0
        if self._behind >= BEHIND_LOOKS:
            return (GiveUp("silent while another connection has news"),)
        return NOTHING

    def feed(self, data: bytes, now_ns: int) -> Sequence[Fact]:
        """One message: an object or an array of them."""
        try:
            frames = frame_decoder.decode(data)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            return self._unknown(data, error, now_ns)
        if not isinstance(frames, list):
            return self._one(frames, now_ns)
        return [fact for frame in frames for fact in self._one(frame, now_ns)]

    def _one(self, frame: Frame, now_ns: int) -> Sequence[Fact]:
        if isinstance(frame, NewMarketFrame):
            return NOTHING  # of no market we watch, so it does not say that ours are alive
        self._heard_ns, self._probed = now_ns, False
        match frame:
            case ChangeFrame():
                return self._books.change(frame, self.number, now_ns, self._clocks.wall_ms())
            case BookFrame():
                return self._books.load(frame, self.number, now_ns, self._clocks.wall_ms())
            case BestFrame():
                return self._books.best(frame, self.number, now_ns)
            case TradeFrame():
                return self._books.printed(frame, self.number, self._clocks.wall_ms())
            case TickFrame():
                return self._tick_changed(frame, now_ns)
            case ResolvedFrame():
                return self._resolved(frame)

    def _tick_changed(self, frame: TickFrame, now_ns: int) -> Sequence[Fact]:
        slot = self._books.of_token(frame.asset_id)
        if slot is None:
            return NOTHING
        ticker = slot.watched.ticker
        doubt = self._books.suspect(ticker, "its tick size changed", now_ns)
        try:
            tick = tick_size(frame.new_tick_size, "new_tick_size")
        except WireError as error:
            return (*doubt, Oddity("tick size", f"{ticker}: {error}"))
        return (*doubt, TickChanged(ticker, tick))

    def _resolved(self, frame: ResolvedFrame) -> Sequence[Fact]:
        slots = {id(slot): slot for slot in map(self._books.of_token, frame.assets_ids) if slot is not None}
        return [Resolved(slot.watched.ticker) for slot in slots.values()]

    def _unknown(self, data: bytes, error: Exception, now_ns: int) -> Sequence[Fact]:
        """A message of another type, or of a known one with an impossible content."""
        try:
            found = envelope_decoder.decode(data)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            detail = clean_text(str(error), 120)
            return (Oddity("unreadable message", detail), *self._doubt_all(now_ns))
        envelopes = found if isinstance(found, list) else [found]
        kinds = {envelope.event_type for envelope in envelopes}
        oddity = Oddity("unreadable message", clean_text(", ".join(sorted(kinds)), 80))
        # Whatever it said of our books is missing now.
        return (oddity, *self._doubt_all(now_ns)) if kinds & BOOK_EVENTS else (oddity,)

    def _doubt_all(self, now_ns: int) -> Sequence[Fact]:
        return self._books.doubt_lane(self.number, "a message could not be read", now_ns)
