"""Daily-high events with their contracts, hourly prints and outcomes, as arrays of events by contract.

Contracts of an event stand from cold to warm. Events that are no exhaustive ladder of whole degrees with one
winner are left out, and told.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from core.models.evaluation.files import Cells, rows_of
from core.models.evaluation.rows import Days, day_text, hour_text
from core.models.evaluation.weather_files import name_of
from core.models.laws import Array

MARKETS = "kalshi_high_markets"
HOURS_UTC = (-3, 3, 12, 15)
"""From midnight UTC of the target day: 21:00 the day before, then 03:00, 12:00 and 15:00."""
FRESH_MIN = 240.0
CENTS = (0.5, 99.5)
NOTHING_TRADED_CENTS = 1.0
CONTRACTS_MAX = 64


class Events(msgspec.Struct, frozen=True):
    series: tuple[str, ...]
    """Of each event."""
    days: Days
    upper: Array
    """Highest degree that pays, by event and contract; infinite for the last one, NaN beyond it."""
    winner: npt.NDArray[np.intp]
    prices: dict[int, Array]
    """By hour that has prints: what the market said, as probabilities; NaN beyond an event's last one."""


class _Contract(msgspec.Struct, frozen=True):
    ticker: str
    low: float
    high: float
    won: bool


def events(folder: Path) -> tuple[Events, list[str]]:
    """The events, and a sentence for each kind that is left out. Raises ``DataError``."""
    contracts = _contracts(folder / "markets.csv")
    doubts: dict[str, list[str]] = {}
    kept: dict[tuple[str, int], list[_Contract]] = {}
    for (series, day), ladder in contracts.items():
        ladder.sort(key=lambda c: c.low)
        if doubt := _doubt(ladder):
            doubts.setdefault(doubt, []).append(f"{series} {day_text(day)}")
        else:
            kept[series, day] = ladder
    size = max((len(ladder) for ladder in kept.values()), default=0)
    upper = np.full((len(kept), size), np.nan)
    places: dict[str, tuple[int, int]] = {}
    for at, ladder in enumerate(kept.values()):
        for k, contract in enumerate(ladder):
            upper[at, k] = contract.high
            places[contract.ticker] = at, k
    wins = [next(k for k, c in enumerate(ladder) if c.won) for ladder in kept.values()]
    prices, silent = _prices(folder / "hourly_snapshots.csv.gz", places, np.isnan(upper))
    found = Events(
        series=tuple(series for series, _ in kept),
        days=np.array([day for _, day in kept], dtype=np.int64),
        upper=upper,
        winner=np.array(wins, dtype=np.intp),
        prices=prices,
    )
    notes = [_left_out(doubt, named) for doubt, named in doubts.items()]
    unsaid = (
        f"{MARKETS}, {hour_text(hour)}: of {count} of {len(kept)} events nothing was printed, all their "
        "contracts count as equally dear."
        for hour, count in silent.items()
        if count
    )
    return found, [*notes, *unsaid]


def _left_out(doubt: str, named: Sequence[str]) -> str:
    more = f" and {len(named) - 1} more" if len(named) > 1 else ""
    return f"{MARKETS}: {named[0]}{more} left out: {doubt}."


def _contracts(path: Path) -> dict[tuple[str, int], list[_Contract]]:
    found: dict[tuple[str, int], list[_Contract]] = {}
    tickers: set[str] = set()
    for cells in rows_of(path, ("series", "day", "ticker", "lo", "hi", "result")):
        ticker = cells.values[2]
        if ticker in tickers:
            raise cells.fault(f"contract {ticker[:60]!r} is there twice; remove one of the rows.")
        tickers.add(ticker)
        if cells.values[5] not in ("0", "1"):
            raise cells.fault(
                f"result is {cells.values[5][:20]!r}, neither 0 nor 1; correct or remove the row."
            )
        contract = _Contract(ticker, _degree(cells, 3, "lo"), _degree(cells, 4, "hi"), cells.values[5] == "1")
        found.setdefault((name_of(cells, 0), cells.day(1)), []).append(contract)
    return found


def _degree(cells: Cells, at: int, name: str) -> float:
    try:
        value = float(cells.values[at])
    except ValueError:
        value = math.nan
    if math.isnan(value) or (math.isfinite(value) and value != round(value)):
        raise cells.fault(f"{name} is {cells.values[at][:20]!r}, no whole degree; correct or remove the row.")
    return value


def _doubt(ladder: Sequence[_Contract]) -> str:
    """Why an event's contracts, from cold to warm, cannot be scored together."""
    if not 2 <= len(ladder) <= CONTRACTS_MAX:
        return f"it has {len(ladder)} contracts, not 2 to {CONTRACTS_MAX}"
    if ladder[0].low != -math.inf or ladder[-1].high != math.inf:
        return "its contracts do not reach both tails"
    for cold, warm in itertools.pairwise(ladder):
        if warm.low <= cold.high:
            return "its contracts overlap"
        if warm.low != cold.high + 1:
            return "its contracts leave a hole"
    if any(contract.low > contract.high for contract in ladder):
        return "one of its contracts ends before it begins"
    if sum(contract.won for contract in ladder) != 1:
        return "not exactly one of its contracts won"
    return ""


def _prices(
    path: Path, places: dict[str, tuple[int, int]], beyond: npt.NDArray[np.bool_]
) -> tuple[dict[int, Array], dict[int, int]]:
    """Probabilities by hour, and of how many events nothing had been printed by then."""
    cents = {hour: np.where(beyond, np.nan, NOTHING_TRADED_CENTS) for hour in HOURS_UTC}
    seen: set[tuple[str, int]] = set()
    printed: dict[int, set[int]] = {hour: set() for hour in HOURS_UTC}
    columns = ("ticker", "hour_utc", "last", "ask", "ask_age_min", "bid", "bid_age_min")
    for cells in rows_of(path, columns):
        hour = cells.whole(1, "hour_utc")
        if hour not in cents or cells.values[0] not in places:
            continue
        at = cells.values[0], hour
        if at in seen:
            raise cells.fault(f"contract {at[0][:60]!r} is there twice at this hour; remove one of the rows.")
        seen.add(at)
        event, contract = places[at[0]]
        said = _said(cells)
        if not math.isnan(said):
            printed[hour].add(event)
            cents[hour][event, contract] = said
    clipped = {hour: np.clip(cents[hour], *CENTS) for hour in sorted({hour for _, hour in seen})}
    prices = {hour: found / np.nansum(found, axis=1, keepdims=True) for hour, found in clipped.items()}
    return prices, {hour: len(beyond) - len(printed[hour]) for hour in prices}


def _said(cells: Cells) -> float:
    """Cents: the middle of the last prints of both kinds of taker where both are fresh and not crossed, else
    the last print; NaN where there is none."""
    last = cells.number(2, "last", 0.0, 100.0)
    ask, bid = cells.number(3, "ask", 0.0, 100.0), cells.number(5, "bid", 0.0, 100.0)
    ages = cells.number(4, "ask_age_min", 0.0), cells.number(6, "bid_age_min", 0.0)
    # A comparison with what is missing is false.
    if all(age < FRESH_MIN for age in ages) and ask >= bid:
        return (ask + bid) / 2.0
    return last
