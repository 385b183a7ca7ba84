"""Twelve Data's messages and answers as values: what is said on its stream, and what ``/quote`` answers.

Times on the wire are whole Unix seconds: several prices share one. An error comes as a body of its own,
also under HTTP 200.
"""

from __future__ import annotations

import msgspec

from core.domain.text import clean_text
from core.feeds.fetch import Body, Failed, decode

HEARTBEAT = msgspec.json.encode({"action": "heartbeat"})


def subscribe(pairs: tuple[str, ...]) -> bytes:
    return msgspec.json.encode({"action": "subscribe", "params": {"symbols": ",".join(pairs)}})


class Price(msgspec.Struct, frozen=True):
    """One price, from the stream or an answer. Bid and ask are both there or both missing."""

    pair: str
    value: float
    """The mid where there are bid and ask."""
    at_ms: int
    bid: float | None = None
    ask: float | None = None


class Subscribed(msgspec.Struct, frozen=True):
    """What became of a subscription."""

    refused: tuple[str, ...]
    why: str
    """What the provider says to a refusal, if anything."""


class Refused(msgspec.Struct, frozen=True):
    """An error of the provider: its code (as HTTP's) and its words."""

    code: int
    why: str

    @property
    def of_the_day(self) -> bool:
        """Whether a spent quota is the day's, not the minute's."""
        return "day" in self.why.lower()


class Nothing(msgspec.Struct, frozen=True):
    """A sign of life."""


class Unreadable(msgspec.Struct, frozen=True):
    """What is wrong with a message."""

    why: str


Said = Price | Subscribed | Refused | Nothing | Unreadable


def hear(data: bytes) -> Said:
    """One message of the stream."""
    try:
        said = msgspec.json.decode(data, type=_Message, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Unreadable(clean_text(f"a message does not parse: {error}", 120))
    match said.event:
        case "price":
            return _price(said)
        case "subscribe-status":
            refused = tuple(clean_text(one.symbol, 20) for one in said.fails or ())
            return Subscribed(refused, clean_text(said.message, 100))
        case "heartbeat" | "reset-status":
            return Nothing()
    if said.status == "error":
        return Refused(said.code, clean_text(said.message, 100))
    return Unreadable(f"a message of the unknown kind {clean_text(said.event, 30)!r}")


def read_quote(answer: Body, pair: str) -> Price | Refused | Failed:
    """What ``/quote`` says of ``pair``: its close is the last price, and ``last_quote_at`` that one's time;
    ``timestamp`` beside it is only the bar's beginning."""
    refused = read_error(answer)
    if refused is not None:
        return refused
    found = decode(answer, _Quote)
    if isinstance(found, Failed):
        return found
    if found.symbol != pair:
        return Failed(f"asked for {pair}, it tells of {clean_text(found.symbol, 20)!r}", 200)
    return Price(pair, found.close, found.last_quote_at * 1000)


def read_error(answer: Body) -> Refused | None:
    """The error an answer is, whatever its HTTP status; None where it is none."""
    found = decode(answer, _Error)
    if isinstance(found, Failed) or found.status != "error":
        return None
    return Refused(found.code, clean_text(found.message, 100))


class _Symbol(msgspec.Struct, frozen=True):
    symbol: str


class _Message(msgspec.Struct, frozen=True):
    event: str = ""
    status: str = ""
    symbol: str = ""
    timestamp: int | None = None
    price: float | None = None
    bid: float | None = None
    ask: float | None = None
    fails: tuple[_Symbol, ...] | None = None
    code: int = 0
    message: str = ""


class _Quote(msgspec.Struct, frozen=True):
    symbol: str
    close: float
    last_quote_at: int


class _Error(msgspec.Struct, frozen=True):
    status: str = ""
    code: int = 0
    message: str = ""


def _price(said: _Message) -> Price | Unreadable:
    if said.price is None or said.timestamp is None:
        return Unreadable(f"a price of {clean_text(said.symbol, 20)!r} without its value or its time")
    at_ms = said.timestamp * 1000
    if said.bid is None or said.ask is None:
        return Price(said.symbol, said.price, at_ms)
    if not said.bid <= said.ask:
        return Unreadable(f"{clean_text(said.symbol, 20)} bid {said.bid:g} above ask {said.ask:g}")
    return Price(said.symbol, (said.bid + said.ask) / 2, at_ms, said.bid, said.ask)
