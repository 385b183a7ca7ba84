"""What a field of an answer is made of: its units, ages and waits, and the market behind a key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from core.control.tables.markets import MarketStatic
from core.control.tables.safety import FlattenRow, FlattenVenueRow
from core.domain.units import Money, Price, Quantity, money_text, price_text, quantity_text


class Now(NamedTuple):
    """When the answer is made, and the markets behind the keys."""

    mono_ns: int
    wall_ms: int
    world_ms: int
    statics: Mapping[int, MarketStatic]


class Field(NamedTuple):
    """One name of the answer."""

    name: str
    meaning: str
    value: Callable[[Any, Now], Any]


def price(value: int | None) -> str | None:
    return None if value is None else price_text(Price(value))


def money(value: int | None) -> str | None:
    return None if value is None else money_text(Money(value))


def quantity(value: int | None) -> str | None:
    return None if value is None else quantity_text(Quantity(value))


def at(ms: int | None) -> str | None:
    """Unix milliseconds as RFC 3339, ``null`` when unknown."""
    if ms is None:
        return None
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def age(ns: int | None, now: Now) -> float | None:
    """Seconds since a monotonic time."""
    return None if ns is None else round((now.mono_ns - ns) / 1e9, 3)


def wait(ns: int | None, now: Now) -> float | None:
    """Seconds until a monotonic time, never negative."""
    return None if ns is None else round(max(0, ns - now.mono_ns) / 1e9, 3)


def world_age(ms: int | None, now: Now) -> float | None:
    return None if ms is None else round((now.world_ms - ms) / 1000, 1)


def world_wait(ms: int | None, now: Now) -> float | None:
    return None if ms is None else round((ms - now.world_ms) / 1000, 1)


def ticker_of(row: Any, now: Now) -> str | None:
    static = now.statics.get(row.key)
    return None if static is None else static.ticker


def label_of(row: Any, now: Now) -> str | None:
    static = now.statics.get(row.key)
    return None if static is None else static.label


def pause_left(row: FlattenRow | FlattenVenueRow, now: Now) -> float | None:
    until_ms = row.pause_until_wall_ms
    return None if until_ms is None else max(0.0, round((until_ms - now.wall_ms) / 1000, 1))


def message_age(message_ms: int, now: Now) -> float | None:
    return None if not message_ms else round(now.mono_ns / 1e9 - message_ms / 1000, 3)


def venue_of(key: int, now: Now) -> str | None:
    static = now.statics.get(key)
    return None if static is None else static.venue


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def as_object(table: tuple[Field, ...], row: Any, now: Now) -> dict[str, Any]:
    """One row by the fields of its table."""
    return {field.name: field.value(row, now) for field in table}


def optional(table: tuple[Field, ...], row: Any, now: Now) -> dict[str, Any] | None:
    """``null`` where there is no row."""
    return None if row is None else as_object(table, row, now)


def nested(table: tuple[Field, ...], rows: Iterable[Any], now: Now) -> list[dict[str, Any]]:
    return [as_object(table, row, now) for row in rows]


TICKER = Field("ticker", "the venue's name of the market", ticker_of)
LABEL = Field("label", "short name", label_of)
SIDE = Field(
    "side", "buy or sell, and the outcome", lambda r, n: f"{'sell' if r.closes else 'buy'} {r.outcome}"
)
PRICE = Field("price", "limit in terms of the outcome", lambda r, n: price(r.price))
