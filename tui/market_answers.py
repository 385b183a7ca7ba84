"""One market from near and the day's result, as the engine answers them, in the console's own units."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

import msgspec

from tui.format import sanitise

_RULES_MAX = 600
_PRICE, _MILLION = 10_000, 1_000_000


class _Level(msgspec.Struct, frozen=True, gc=False):
    """See ``core/control/queries/detail.py``, also for the answers below."""

    price: Decimal
    quantity: Decimal


class _Trade(msgspec.Struct, frozen=True):
    time: datetime
    price: Decimal
    quantity: Decimal
    buys: bool


class _Quarantine(msgspec.Struct, frozen=True):
    reason: str
    outcome: str
    price: Decimal
    style: str
    edge: Decimal
    evidence: list[str]


class _Market(msgspec.Struct, frozen=True):
    ticker: str
    bids: list[_Level]
    asks: list[_Level]
    trades: list[_Trade]
    settles: str
    rules: str
    quarantine: _Quarantine | None
    closes: str = ""


class _Point(msgspec.Struct, frozen=True):
    time: datetime
    bid: Decimal | None
    ask: Decimal | None
    fair: Decimal | None


class _History(msgspec.Struct, frozen=True):
    ticker: str
    points: list[_Point]
    fills: list[_Trade]


class _Result(msgspec.Struct, frozen=True):
    time: datetime
    made: Decimal


class _Equity(msgspec.Struct, frozen=True):
    day: str
    points: list[_Result]


class Level(NamedTuple):
    price: int
    """Of YES, in ten-thousandths of a dollar."""
    quantity: int
    """In millionths of a contract."""


class Trade(NamedTuple):
    at_world_ms: int
    price: int
    quantity: int
    buys: bool
    """Whether YES was bought, or NO sold: of a public trade by whoever came last, of a fill of ours by us."""


class Quarantine(NamedTuple):
    """An order that is too good to be proposed before a person has looked."""

    reason: str
    outcome: str
    price: int
    """In terms of the outcome."""
    style: str
    edge: int
    evidence: tuple[str, ...]


class Near(NamedTuple):
    """A market's book, tape and settlement."""

    ticker: str
    bids: tuple[Level, ...]
    """Best first, as are the asks."""
    asks: tuple[Level, ...]
    trades: tuple[Trade, ...]
    """Newest first."""
    settles: str
    rules: str
    quarantine: Quarantine | None = None
    closes: str = ""
    """When, by the clock that the venue's rules go by."""


class Past(NamedTuple):
    """What a market's prices and fair value were, a column each, oldest first; ``None``: there was none."""

    ticker: str
    times: tuple[int, ...]
    bids: tuple[int | None, ...]
    asks: tuple[int | None, ...]
    fairs: tuple[int | None, ...]
    fills: tuple[Trade, ...]


class Equity(NamedTuple):
    """The desk's result of a world day, oldest first, in millionths of a dollar."""

    day: str
    times: tuple[int, ...]
    made: tuple[int, ...]


def read_market(answer: bytes) -> Near:
    """With every text in it safe to draw."""
    found = msgspec.json.decode(answer, type=_Market)
    return Near(
        found.ticker,
        tuple(_level(level) for level in found.bids),
        tuple(_level(level) for level in found.asks),
        tuple(_trade(trade) for trade in found.trades),
        sanitise(found.settles),
        sanitise(found.rules, _RULES_MAX),
        None if found.quarantine is None else _quarantine(found.quarantine),
        sanitise(found.closes),
    )


def read_history(answer: bytes) -> Past:
    found = msgspec.json.decode(answer, type=_History)
    return Past(
        found.ticker,
        tuple(_ms(point.time) for point in found.points),
        tuple(_price(point.bid) for point in found.points),
        tuple(_price(point.ask) for point in found.points),
        tuple(_price(point.fair) for point in found.points),
        tuple(_trade(fill) for fill in found.fills),
    )


def read_equity(answer: bytes) -> Equity:
    found = msgspec.json.decode(answer, type=_Equity)
    return Equity(
        sanitise(found.day),
        tuple(_ms(point.time) for point in found.points),
        tuple(int(point.made * _MILLION) for point in found.points),
    )


def _ms(time: datetime) -> int:
    return round(time.timestamp() * 1_000)


def _price(value: Decimal | None) -> int | None:
    return None if value is None else int(value * _PRICE)


def _quarantine(found: _Quarantine) -> Quarantine:
    return Quarantine(
        sanitise(found.reason),
        sanitise(found.outcome),
        int(found.price * _PRICE),
        sanitise(found.style),
        int(found.edge * _PRICE),
        tuple(map(sanitise, found.evidence)),
    )


def _level(level: _Level) -> Level:
    return Level(int(level.price * _PRICE), int(level.quantity * _MILLION))


def _trade(trade: _Trade) -> Trade:
    price, quantity = int(trade.price * _PRICE), int(trade.quantity * _MILLION)
    return Trade(_ms(trade.time), price, quantity, trade.buys)
