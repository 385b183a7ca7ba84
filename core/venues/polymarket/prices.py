"""Prices the CLOB computes from its books, the last one traded, and those of the past.

For lists and charts: what is traded on comes from the books themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from core.domain.units import ONE_DOLLAR, Price
from core.venues.endpoint import Endpoint
from core.venues.limiter import Priority
from core.venues.polymarket import endpoints as ep
from core.venues.polymarket.clob import TOKENS_MAX, Asked, many
from core.venues.polymarket.gamma_wire import price, written
from core.venues.reader import Reader
from core.venues.venue import Incomplete
from core.venues.wire import Odd, WireError

HISTORY_MAX: Final = 100_000
INTERVALS: Final = frozenset({"max", "all", "1m", "1w", "1d", "6h", "1h"})
"""``1m`` is a month."""


class Quote(msgspec.Struct, frozen=True):
    """The best price of each side of a token's book; ``None`` where nobody rests."""

    bid: Price | None
    ask: Price | None


class Point(msgspec.Struct, frozen=True):
    at_ms: int
    price: Price


class _PointWire(msgspec.Struct, frozen=True, gc=False):
    t: int
    p: object


class _HistoryWire(msgspec.Struct, frozen=True):
    history: list[_PointWire]


_fields = msgspec.json.Decoder(dict[str, object])
_sides = msgspec.json.Decoder(dict[str, dict[str, object]])
_history = msgspec.json.Decoder(_HistoryWire)


async def read_price(reader: Reader, token: str) -> Quote | Incomplete:
    """``BUY`` names the best bid and ``SELL`` the best ask, not what a buyer or seller would pay or get."""
    best: list[Price | None] = []
    for side in ("BUY", "SELL"):
        found = await reader.one(
            ep.PRICE, "price", Priority.BACKGROUND, _fields, _price, query={"token_id": token, "side": side}
        )
        if isinstance(found, Incomplete):
            return found
        best.append(_resting(found))
    return Quote(*best)


async def read_prices(reader: Reader, asked: Sequence[str]) -> Mapping[str, Quote] | Incomplete:
    found: dict[str, Quote] = {}
    for start in range(0, len(asked), TOKENS_MAX // 2):
        part = asked[start : start + TOKENS_MAX // 2]
        rows = [Asked(token, side) for token in part for side in ("BUY", "SELL")]
        quotes = await many(reader, ep.PRICES, "prices", _sides, rows)
        if isinstance(quotes, Incomplete):
            return quotes
        try:
            found.update(
                {
                    token: Quote(*(_resting(_side(sides, side)) for side in ("BUY", "SELL")))
                    for token, sides in quotes.items()
                    if token in part
                }
            )
        except WireError as error:
            return Incomplete("prices", str(error))
    return found


async def read_midpoint(reader: Reader, token: str) -> str | Incomplete:
    """In dollars as written: a middle may lie between two prices of the grid."""
    return await reader.one(
        ep.MIDPOINT, "midpoint", Priority.BACKGROUND, _fields, _field("mid"), query={"token_id": token}
    )


async def read_midpoints(reader: Reader, asked: Sequence[str]) -> Mapping[str, str] | Incomplete:
    return await _texts(reader, ep.MIDPOINTS, "midpoints", asked)


async def read_spread(reader: Reader, token: str) -> str | Incomplete:
    return await reader.one(
        ep.SPREAD, "spread", Priority.BACKGROUND, _fields, _field("spread"), query={"token_id": token}
    )


async def read_spreads(reader: Reader, asked: Sequence[str]) -> Mapping[str, str] | Incomplete:
    return await _texts(reader, ep.SPREADS, "spreads", asked)


async def read_last_price(reader: Reader, token: str) -> Price | Incomplete | None:
    """``None``: it never traded."""
    return await reader.one(
        ep.LAST_PRICE,
        "last price",
        Priority.FLATTEN,
        _fields,
        lambda row, odd: price(row.get("price"), "price") if row.get("side") else None,
        query={"token_id": token},
    )


async def read_history(
    reader: Reader,
    token: str,
    *,
    interval: str = "",
    from_ms: int | None = None,
    until_ms: int | None = None,
    fidelity_min: int = 1,
) -> tuple[Point, ...] | Incomplete:
    """A token's prices over an ``interval`` up to now or between two moments, one each ``fidelity_min``."""
    query: dict[str, str | int] = {"market": token, "fidelity": fidelity_min}
    if interval:
        if interval not in INTERVALS:
            return Incomplete(
                "price history", f"{interval[:20]!r} is not one of {', '.join(sorted(INTERVALS))}"
            )
        query["interval"] = interval
    if from_ms is not None:
        query["startTs"] = from_ms // 1_000
    if until_ms is not None:
        query["endTs"] = -(-until_ms // 1_000)
    return await reader.one(
        ep.HISTORY, "price history", Priority.BACKGROUND, _history, _of_history, query=query
    )


async def _texts(
    reader: Reader, endpoint: Endpoint, what: str, asked: Sequence[str]
) -> Mapping[str, str] | Incomplete:
    found: dict[str, str] = {}
    for start in range(0, len(asked), TOKENS_MAX):
        part = asked[start : start + TOKENS_MAX]
        rows = await many(reader, endpoint, what, _fields, [Asked(token) for token in part])
        if isinstance(rows, Incomplete):
            return rows
        try:
            found.update({token: written(value, what) for token, value in rows.items() if token in part})
        except WireError as error:
            return Incomplete(what, str(error))
    return found


def _price(row: dict[str, object], odd: Odd) -> Price:
    return price(row.get("price"), "price")


def _side(sides: dict[str, object], side: str) -> Price:
    value = sides.get(side)
    return price(value, side) if value is not None else Price(0)


def _resting(found: Price) -> Price | None:
    """0 and 1 dollar stand for an empty side: nobody can rest there."""
    return found if 0 < found < ONE_DOLLAR else None


def _field(name: str) -> Callable[[dict[str, object], Odd], str]:
    return lambda row, odd: written(row.get(name), name)


def _of_history(wire: _HistoryWire, odd: Odd) -> tuple[Point, ...]:
    if len(wire.history) > HISTORY_MAX:
        raise WireError(f"history: {len(wire.history)} points")
    return tuple(Point(row.t * 1_000, _rounded(row.p)) for row in wire.history)


def _rounded(value: object) -> Price:
    """A middle of the past, to the nearest unit: history may be finer than any grid."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise WireError("p: not between 0 and 1 dollar")
    return Price(round(value * ONE_DOLLAR))
