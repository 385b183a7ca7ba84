"""What everything that has a price is worth in this world at any instant: one path for whoever shows it.

A price is its start level times the exponential of a few shared factors, each wandering around zero:
independent knots some months apart and a Brownian bridge between them. It moves in the thing's own
trading hours only. Levels are those of late 2026; no market is meant to be foretold.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec

from core.sim.chance import bridge, normal
from core.sim.new_york import ALWAYS, FOREX, US_STOCKS, Hours

_SPAN_WEEKS = 12
_YEAR_WEEKS = 365.25 / 7
_KNOT_SHARE = 0.35
"""Of a span's standard deviation that its knots lie from zero: the level is never left far behind."""
_APART_MS = 10_000


class Thing(msgspec.Struct, frozen=True):
    """One price as data."""

    name: str
    start: float
    decimals: int
    half_spread: float
    apart: float
    """Standard deviation of one source's reading from the others', as a part of the price."""
    loads: Mapping[str, float]
    """How much of each factor it carries: annual volatility."""
    hours: Hours = ALWAYS


THINGS = (
    Thing("EUR/USD", 1.1574, 5, 0.00004, 2e-5, {"dollar": -0.07, "eur": 0.055}, FOREX),
    Thing("GBP/USD", 1.3180, 5, 0.00006, 2e-5, {"dollar": -0.07, "gbp": 0.06}, FOREX),
    Thing("USD/JPY", 155.40, 3, 0.006, 2e-5, {"dollar": 0.06, "jpy": 0.08}, FOREX),
    Thing("XAU/USD", 4123.5, 2, 0.15, 5e-5, {"dollar": -0.05, "gold": 0.17}, FOREX),
    Thing("SPX", 7512.0, 2, 0.25, 1e-5, {"stocks": 0.136}, US_STOCKS),
    Thing("NDX", 27_640.0, 2, 1.0, 1e-5, {"stocks": 0.172, "tech": 0.08}, US_STOCKS),
    Thing("SPY", 749.10, 2, 0.01, 1e-5, {"stocks": 0.136}, US_STOCKS),
    Thing("VIX", 17.4, 2, 0.05, 1e-4, {"stocks": -0.45, "fear": 0.3}, US_STOCKS),
    Thing("US10Y", 4.12, 3, 0.002, 1e-4, {"rates": 0.20}, US_STOCKS),
    Thing("BTC/USD", 91_250.0, 2, 0.5, 1e-4, {"crypto": 0.42, "btc": 0.15}),
    Thing("BRTI", 91_250.0, 2, 0.5, 0.0, {"crypto": 0.42, "btc": 0.15}),
    Thing("ETH/USD", 3_020.0, 2, 0.05, 1e-4, {"crypto": 0.55, "eth": 0.30}),
    Thing("ETHUSD_RTI", 3_020.0, 2, 0.05, 0.0, {"crypto": 0.55, "eth": 0.30}),
    Thing("SOLUSD_RTI", 141.0, 4, 0.01, 0.0, {"crypto": 0.60, "sol": 0.45}),
    Thing("XRPUSD_RTI", 2.2, 5, 0.0002, 0.0, {"crypto": 0.60, "xrp": 0.45}),
    Thing("DOGEUSD_RTI", 0.16, 6, 0.00002, 0.0, {"crypto": 0.65, "doge": 0.50}),
    Thing("DVOL BTC", 44.0, 2, 0.2, 0.0, {"crypto": -0.25, "dvol": 0.55}),
    Thing("DVOL ETH", 66.0, 2, 0.3, 0.0, {"crypto": -0.25, "dvol": 0.50, "eth dvol": 0.2}),
)
"""``BRTI`` and ``BTC/USD`` carry the same factors: the index is the price, and so is ether's."""


class Prices:
    """All prices of one world, from its seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._spans: dict[tuple[str, int], tuple[str, float, float]] = {}
        """A factor's bridge and knots by the span's number."""
        self.things = {thing.name: thing for thing in THINGS}

    def value(self, name: str, at_ms: int, source: str = "") -> float:
        """The price at a world instant, rounded as it is quoted; ``source`` reads it a little its own way."""
        thing = self.things[name]
        return round(self._mid(thing, at_ms, source), thing.decimals)

    def bid_ask(self, name: str, at_ms: int, source: str = "") -> tuple[float, float]:
        """Around ``value``."""
        thing = self.things[name]
        mid = self._mid(thing, at_ms, source)
        return round(mid - thing.half_spread, thing.decimals), round(mid + thing.half_spread, thing.decimals)

    def deviation(self, name: str, from_ms: int, to_ms: int) -> float:
        """Standard deviation of its logarithm's change from one instant to another."""
        thing = self.things[name]
        traded_ms = thing.hours.traded_ms(to_ms) - thing.hours.traded_ms(from_ms)
        years = max(0, traded_ms) / (thing.hours.week_ms * _YEAR_WEEKS)
        return math.sqrt(years * math.fsum(load**2 for load in thing.loads.values()))

    def is_open(self, name: str, at_ms: int) -> bool:
        return self.things[name].hours.is_open(at_ms)

    def last_ms(self, name: str, at_ms: int) -> int:
        """When it last traded: the price's own time."""
        return self.things[name].hours.last_ms(at_ms)

    def _mid(self, thing: Thing, at_ms: int, source: str) -> float:
        spans = thing.hours.traded_ms(at_ms) / (_SPAN_WEEKS * thing.hours.week_ms)
        moved = sum(load * self._factor(name, spans) for name, load in thing.loads.items())
        if source and thing.apart:
            moved += thing.apart * self._reading(f"{source}|{thing.name}", at_ms)
        return thing.start * math.exp(moved)

    def _factor(self, name: str, spans: float) -> float:
        """A factor of annual variance 1 at a count of trading spans: equal hours move together."""
        number = math.floor(spans)
        span = self._spans.get((name, number))
        if span is None:
            label = f"{self._seed}|factor|{name}"
            begins, ends = (_KNOT_SHARE * normal(f"{label}|knot {n}") for n in (number, number + 1))
            span = self._spans[name, number] = f"{label}|{number}", begins, ends
        label, begins, ends = span
        part = spans - number
        path = begins + (ends - begins) * part + bridge(label, part)
        return path * math.sqrt(_SPAN_WEEKS / _YEAR_WEEKS)

    def _reading(self, label: str, at_ms: int) -> float:
        number, rest = divmod(at_ms, _APART_MS)
        one, next_one = (normal(f"{self._seed}|reading|{label}|{n}") for n in (number, number + 1))
        return one + (next_one - one) * rest / _APART_MS
