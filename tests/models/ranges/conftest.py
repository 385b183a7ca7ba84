"""Markets and inputs of events on the mean of an index."""

from __future__ import annotations

from typing import Any

import msgspec

from core.domain.market import CENT_GRID, FeeSchedule, FeeType, IndexMean, Market, Strike, StrikeKind, Venue
from core.feeds.feed import Stamp
from core.feeds.quotes import Average, Quote, Volatility
from core.models.families import families
from core.models.ranges.inputs import IndexInputs, absorb

ENDS_MS = 1_796_000_400_000 // 900_000 * 900_000
MEAN = IndexMean("BRTI", 60, ENDS_MS, 0.01)
SPOT = 91_250.0
BRTI = families()["BRTI"]


def market(number: int, strike: Strike, *, exclusive: bool = True, **more: Any) -> Market:
    made = Market(
        venue=Venue.KALSHI,
        ticker=f"KXBTC-1-{number}",
        event_ticker="KXBTC-1",
        series_ticker="KXBTC",
        label=f"BTC {number}",
        title="",
        strike=strike,
        grid=CENT_GRID,
        fees=FeeSchedule(FeeType.QUADRATIC),
        open_ms=ENDS_MS - 3_600_000,
        close_ms=ENDS_MS,
        exclusive=exclusive,
        mean=MEAN,
    )
    return msgspec.structs.replace(made, **more)


def ladder(lowest: float = 91_000.0, width: float = 100.0, middle: int = 5) -> list[Market]:
    """Brackets as listed, ``91000 to 91099.99`` and so on, with both tails."""
    strikes = [Strike(StrikeKind.LESS, cap=lowest)]
    for n in range(middle):
        low = lowest + n * width
        strikes.append(Strike(StrikeKind.BETWEEN, low, low + width - 0.01))
    strikes.append(Strike(StrikeKind.GREATER, floor=lowest + middle * width - 0.01))
    return [market(n, strike) for n, strike in enumerate(strikes)]


def stamp(at_ms: int) -> Stamp:
    return Stamp(at_ms, 0, 0)


def quote(value: float, at_ms: int, name: str = "BRTI", source: str = "kalshi-indices") -> Quote:
    sides = (None, None) if source == "kalshi-indices" else (value - 0.5, value + 0.5)
    return Quote(name, source, value, *sides, stamp(at_ms), 3)


def settling(value: float, seconds: int, at_ms: int, ends_ms: int = ENDS_MS + 1) -> Average:
    return Average("BRTI", "kalshi-indices", value, seconds, 60, ends_ms, stamp(at_ms), 3)


def dvol(percent: float, at_ms: int) -> Volatility:
    return Volatility("DVOL BTC", "deribit", percent, 30, stamp(at_ms), 10)


def inputs(at_ms: int, spot: float = SPOT, percent: float = 45.0) -> IndexInputs:
    held = absorb(IndexInputs(BRTI), quote(spot, at_ms))
    return absorb(held, dvol(percent, at_ms))
