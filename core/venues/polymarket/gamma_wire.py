"""Gamma's events and markets as typed structs. Only fields that are used are declared.

Lists inside a market come as JSON *texts* of arrays and are decoded a second time; numbers come as JSON
numbers or texts and are taken as what was written, never through arithmetic.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from core.domain.units import ONE_DOLLAR, Price, Quantity, UnitError, parse_price, parse_quantity
from core.venues.wire import Name, WireError, decode

ELEMENTS_MAX: Final = 64
Slug = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"\A[a-z0-9-]+\Z")]
"""Gamma's readable unique name; ours for tickers, so nothing else is let in."""


class FeeWire(msgspec.Struct, frozen=True, rename="camel"):
    rate: object = None
    exponent: object = None
    taker_only: object = None


class TagWire(msgspec.Struct, frozen=True):
    id: object = None
    slug: object = None
    label: object = None


class SeriesRow(msgspec.Struct, frozen=True):
    """A recurring family of events, such as one city's daily temperature."""

    id: object = None
    slug: object = None
    title: object = None
    recurrence: object = None


class EventHead(msgspec.Struct, frozen=True, rename="camel"):
    """An event without its markets, as it stands in lists and inside a market."""

    id: Name
    slug: Slug
    title: object = None
    neg_risk: object = None
    closed: object = None
    end_date: object = None
    series: list[SeriesRow] | None = None
    tags: list[TagWire] | None = None


class EventWire(EventHead, frozen=True, rename="camel"):
    markets: list[msgspec.Raw] | None = None
    """Raw: one market that cannot be read must not hide the others."""


class MarketHead(msgspec.Struct, frozen=True):
    """As much of a market as its refusal needs."""

    id: object = None
    slug: object = None
    question: object = None


class MarketWire(msgspec.Struct, frozen=True, rename="camel"):
    id: Name
    slug: Slug
    question: str
    condition_id: str
    version: object = None
    outcomes: object = None
    outcome_prices: object = None
    clob_token_ids: object = None
    position_ids: object = None
    order_price_min_tick_size: object = None
    order_min_size: object = None
    neg_risk: object = None
    active: object = None
    closed: object = None
    archived: object = None
    accepting_orders: object = None
    enable_order_book: object = None
    accepting_orders_timestamp: object = None
    start_date: object = None
    end_date: object = None
    closed_time: object = None
    fees_enabled: object = None
    fee_schedule: FeeWire | None = None
    description: object = None
    resolution_source: object = None
    group_item_title: object = None
    uma_resolution_status: object = None
    resolution_status: object = None
    volume_num: object = None
    """Dollars; ``volume`` is the same as a text."""


_texts = msgspec.json.Decoder(list[str])


def texts(value: object, field: str) -> list[str]:
    """A JSON text of an array of texts, or (as for ``positionIds``) the array itself. Raises ``WireError``.

    Missing and empty are an empty list: a market is listed before its tokens are known.
    """
    if value is None or value == "":
        return []
    found: object = value
    if isinstance(value, str):
        found = decode(value.encode("utf-8", "replace"), _texts, field)
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise WireError(f"{field}: not an array of texts")
    if len(found) > ELEMENTS_MAX:
        raise WireError(f"{field}: {len(found)} elements")
    return found


def written(value: object, field: str) -> str:
    """A number as it was written. Floats print as the shortest text that reads back the same."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise WireError(f"{field}: not a number")


def price(value: object, field: str) -> Price:
    """A price from 0 to 1 dollar, both ends included. Raises ``WireError``."""
    try:
        found = parse_price(written(value, field))
    except UnitError as error:
        raise WireError(f"{field}: {error}") from None
    if not 0 <= found <= ONE_DOLLAR:
        raise WireError(f"{field}: outside 0 to 1 dollar")
    return found


def shares(value: object, field: str) -> Quantity:
    """A count of shares, never negative. Raises ``WireError``."""
    try:
        found = parse_quantity(written(value, field))
    except UnitError as error:
        raise WireError(f"{field}: {error}") from None
    if found < 0:
        raise WireError(f"{field}: negative")
    return found


def flag(value: object, field: str, *, missing: bool = False) -> bool:
    """Raises ``WireError`` for anything but a JSON boolean: ``"false"`` must not count as true."""
    if value is None:
        return missing
    if isinstance(value, bool):
        return value
    raise WireError(f"{field}: neither true nor false")
