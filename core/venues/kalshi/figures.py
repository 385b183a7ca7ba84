"""What a market on an economic release says it settles on: which figure, and of which day's release.

The table (``figures.toml``) knows each series; the market's own rules must name the figure and none other.
Anything else is refused with the sentence that differs. Trading ends minutes before a release, on its day.
"""

from __future__ import annotations

import functools
import importlib.resources
import tomllib
from collections.abc import Mapping
from datetime import datetime

import msgspec

from core.domain.market import Figure
from core.domain.text import quoted
from core.venues.kalshi.fixings import named_source
from core.venues.kalshi.index_means import EASTERN, RULES_CHARS_MAX


class FigureSeries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of ``figures.toml``."""

    ticker: str
    figure: str
    names: tuple[str, ...]
    unconfirmed: str
    never: tuple[str, ...] = ()
    scale: float = 1.0


class Settles(msgspec.Struct, frozen=True):
    """On what; without a figure ``doubt`` says why there is none."""

    figure: Figure | None = None
    unconfirmed: str = ""
    doubt: str = ""


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    series: list[FigureSeries]


@functools.cache
def _series() -> Mapping[str, FigureSeries]:
    text = (importlib.resources.files("core.venues.kalshi") / "figures.toml").read_text("utf-8")
    return {row.ticker: row for row in msgspec.convert(tomllib.loads(text), _Table).series}


def settles(series: str, close_ms: int, primary: str, secondary: str) -> Settles:
    """Read a market's two rules texts as they were sent."""
    row = _series().get(series)
    if row is None:
        return Settles()
    lower = primary[:RULES_CHARS_MAX].lower()
    other = next((name for name in row.never if name in lower), None)
    if other is not None:
        where = quoted(primary, lower.index(other))
        return Settles(doubt=f"rules name {other!r}, expected {row.figure}{where}")
    if not any(name in lower for name in row.names):
        return Settles(doubt=f"rules do not name {row.figure}{quoted(primary, 0)}")
    released = datetime.fromtimestamp(close_ms / 1000, EASTERN).date()
    rules = f"{primary[:RULES_CHARS_MAX]}\n{secondary[:RULES_CHARS_MAX]}"
    open_point = f"{row.unconfirmed}; {named_source(rules)}"
    return Settles(Figure(row.figure, released.isoformat(), row.scale), open_point)
