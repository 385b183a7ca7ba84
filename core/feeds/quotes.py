"""Prices and volatilities of things that are no weather: one struct a kind, whatever source tells of them.

Names are the desk's own (``EUR/USD``, ``BTC/USD``, ``SPX``, ``SPY``, ``VIX``, ``DVOL BTC``); a source's
module knows what its provider calls them. ``source`` is everywhere the name of its declaration.
"""

from __future__ import annotations

import msgspec

from core.feeds.feed import Stamp


class Quote(msgspec.Struct, frozen=True):
    """What one source says a thing is worth. ``bid`` and ``ask`` only where it says both."""

    name: str
    source: str
    value: float
    """The mid where there are bid and ask, else the last price or the published value."""
    bid: float | None
    ask: float | None
    stamp: Stamp
    stale_after_s: int


class Average(msgspec.Struct, frozen=True):
    """The mean of an index over a settlement window as far as it has run (reference: CF Benchmarks)."""

    name: str
    source: str
    value: float
    seconds: int
    """Values of a second each that are in it, of ``of``."""
    of: int
    ends_ms: int
    """World time at which the window ends."""
    stamp: Stamp
    stale_after_s: int


class Volatility(msgspec.Struct, frozen=True):
    """An implied volatility, annualised, in percent."""

    name: str
    source: str
    percent: float
    days: int
    """Horizon of the index it is."""
    stamp: Stamp
    stale_after_s: int


class OptionMark(msgspec.Struct, frozen=True):
    """One option as its exchange marks it: a point of the smile."""

    instrument: str
    source: str
    underlying: float
    strike: float
    expires_ms: int
    call: bool
    mark_percent: float
    """Implied volatility of the mark, annualised."""
    stamp: Stamp
    stale_after_s: int


class SeriesPast(msgspec.Struct, frozen=True):
    """What a publisher says now of the newest values of an economic series: days rise, gaps are left out."""

    series: str
    source: str
    points: tuple[tuple[str, float], ...]
    stamp: Stamp


class SeriesPoint(msgspec.Struct, frozen=True):
    """One published value of an economic series; ``None`` where the source says that there is none."""

    series: str
    source: str
    day: str
    """What it is about, ``YYYY-MM-DD``."""
    value: float | None
    stamp: Stamp
