"""What a market on rain or snow settles on (``totals.toml``): said plainly, since no model here prices it."""

from __future__ import annotations

import functools
import importlib.resources
import re
import tomllib

import msgspec

from core.venues.kalshi.fixings import named_source
from core.venues.kalshi.index_means import RULES_CHARS_MAX
from core.venues.kalshi.series import event_day

_MONTH = re.compile(r"\d{2}[A-Z]{3}", re.ASCII)


class Total(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of ``totals.toml``."""

    prefix: str
    about: str
    precision: float


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source: str
    words: tuple[str, ...]
    total: list[Total]


class Settles(msgspec.Struct, frozen=True):
    """On what, a clause; empty for any other series."""

    unpriced: str = ""
    unconfirmed: str = ""


@functools.cache
def _table() -> _Table:
    text = (importlib.resources.files("core.venues.kalshi") / "totals.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), _Table)


def settles(series: str, event_ticker: str, primary: str, secondary: str) -> Settles:
    """Read a market's two rules texts as they were sent."""
    table = _table()
    row = next((row for row in table.total if series.startswith(row.prefix)), None)
    if row is None:
        return Settles()
    primary = primary[:RULES_CHARS_MAX]
    known = any(words in primary.lower() for words in table.words)
    said = named_source(f"{primary}\n{secondary[:RULES_CHARS_MAX]}")
    source = table.source if known else "a source that is not confirmed"
    return Settles(
        f"settles on {_period(series, event_ticker)} {row.about} to {row.precision:g} inch, a trace as T, by "
        f"{source}: no model here prices that",
        "" if known else f"whose measure of the {row.about} settles it; {said}",
    )


def _period(series: str, event_ticker: str) -> str:
    if event_day(event_ticker, series) is not None:
        return "a day's"
    return "a month's" if _MONTH.fullmatch(event_ticker.removeprefix(f"{series}-")) else "a stated time's"
