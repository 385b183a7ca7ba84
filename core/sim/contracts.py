"""What the simulated exchange lists: series, events, markets and their states.

All times of contracts (``open_ms``, ``close_ms``, ``strike_date_ms``) are world time in Unix
milliseconds.
"""

from __future__ import annotations

from enum import Enum

import msgspec

from core.domain.units import Money, Price, Quantity

PriceRanges = tuple[tuple[Price, Price, Price], ...]
"""Bands of valid prices: start, end, step."""

CENT_GRID: PriceRanges = ((Price(0), Price(10_000), Price(100)),)
"""The ``linear_cent`` price structure: whole cents between 0 and 1 dollar."""


class MarketStatus(Enum):
    """Kalshi's life-cycle words of a market object."""

    INITIALIZED = "initialized"
    ACTIVE = "active"
    INACTIVE = "inactive"
    CLOSED = "closed"
    DETERMINED = "determined"
    AMENDED = "amended"
    FINALIZED = "finalized"


class Source(msgspec.Struct, frozen=True):
    """Where a contract's outcome is read."""

    name: str
    url: str


class MarketSpec(msgspec.Struct, frozen=True):
    """One yes/no contract. ``price_ranges`` are bands of (start, end, step)."""

    ticker: str
    event_ticker: str
    series_ticker: str
    title: str
    yes_sub_title: str
    strike_type: str
    open_ms: int
    close_ms: int
    floor_strike: float | None = None
    cap_strike: float | None = None
    settlement_timer_s: int = 3600
    rules_primary: str = ""
    rules_secondary: str = ""
    price_ranges: PriceRanges = CENT_GRID
    price_level_structure: str = "linear_cent"
    exchange_index: int = 0
    no_sub_title: str = ""
    can_close_early: bool = True
    expected_expiration_ms: int | None = None
    latest_expiration_ms: int | None = None
    fee_waiver_until_ms: int | None = None
    """World time until which trading is free."""


class EventSpec(msgspec.Struct, frozen=True):
    """Markets that hang on one observation. The fee overrides win over the series, one by one."""

    event_ticker: str
    series_ticker: str
    title: str
    sub_title: str
    markets: tuple[MarketSpec, ...]
    mutually_exclusive: bool = False
    strike_date_ms: int | None = None
    settlement_sources: tuple[Source, ...] = ()
    fee_type_override: str | None = None
    fee_multiplier_override: float | None = None
    exchange_index: int = 0


class SeriesSpec(msgspec.Struct, frozen=True):
    """A recurring family of events with one fee schedule."""

    ticker: str
    title: str
    category: str
    tags: tuple[str, ...] = ()
    frequency: str = "daily"
    fee_type: str = "quadratic"
    fee_multiplier: float = 1.0
    settlement_sources: tuple[Source, ...] = ()
    contract_url: str = ""
    contract_terms_url: str = ""
    exchange_index: int = 0
    """The shard of its new events."""
    categories: tuple[str, ...] = ()
    """What a filter by category finds it under; empty for ``category`` alone."""
    updated_ms: int = 0
    """Real time of its last change."""


class Market(msgspec.Struct):
    """The moving part of one market: life-cycle and statistics, changed by the exchange only."""

    spec: MarketSpec
    market_id: str
    status: MarketStatus
    created_ms: int
    updated_ms: int
    open_ms: int
    close_ms: int
    result: str = ""
    """``yes``, ``no`` or ``scalar``; empty until it is known."""
    settlement_value: Price | None = None
    """What a YES contract pays, once the result is known."""
    expiration_value: str = ""
    determined_world_ms: int | None = None
    settled_world_ms: int | None = None
    last_price: Price = Price(0)
    last_trade_size: Quantity = Quantity(0)
    volume: Quantity = Quantity(0)
    open_interest: Quantity = Quantity(0)
    dollar_volume: Money = Money(0)
    clock: int = 0
    """Counts the commands that changed this market's book; several changes may share one value."""


def on_grid(price: Price, ranges: PriceRanges) -> bool:
    """Whether ``price`` is a valid order price: inside (0, 1) and on the grid of any band holding it."""
    return 0 < price < 10_000 and any(
        start <= price <= end and (price - start) % step == 0 for start, end, step in ranges
    )
