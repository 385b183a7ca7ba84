"""Short names of markets of any series: of the series, the time its event is named by, and the strike."""

from __future__ import annotations

import re
from typing import Final

from core.domain.market import Strike
from core.venues.kalshi import hourly, index_means
from core.venues.kalshi import series as temperature
from core.venues.kalshi.series import MONTHS

_CODES: Final = {
    "KXINX": "SPX",
    "KXEURUSD": "EURUSD",
    "KXNBAGAME": "NBA",
    "KXNHLGAME": "NHL",
    "KXNFLGAME": "NFL",
}
"""What a series is called here where that is not its ticker without ``KX``."""
_NAMED = re.compile(r"(\d{2})([A-Z]{3})(\d{2})?(?:H?(\d{2})(\d{2})?)?([A-Z]{4,8})?", re.ASCII)
"""``26NOV30H1600``, ``26NOV3010``, ``26NOV30NYKBOS``, ``26NOV``."""
_ALMOST = 0.9998
"""The bracket below a whole number ends at .9999."""


def label(series: str, event_ticker: str, ticker: str, strike: Strike) -> str:
    """``NYC hi Nov23 48-49``, ``MIA 15h Nov23 >81.99``, ``SPX Nov30 16:00 7425-7450``; the ticker itself
    where a part is not known."""
    if (row := index_means.index_series(series)) is not None:
        return index_means.label(row, event_ticker, strike) or ticker
    if temperature.temperature_city(series) is not None:
        return temperature.label(series, event_ticker, ticker, strike)
    named = _NAMED.fullmatch(event_ticker.removeprefix(f"{series}-"))
    outcome = ticker.removeprefix(f"{event_ticker}-")
    if named is None or named[2] not in MONTHS or outcome == ticker:
        return ticker
    _, month, day, hour, minute, teams = named.groups()
    city = hourly.index_city(series)
    if city is not None and day and hour:
        return f"{city.code} {hour}h{minute or ''} {month.capitalize()}{day} {_span(strike) or outcome}"
    when = f"{month.capitalize()}{day or ''}" + (f" {hour}:{minute or '00'}" if hour else "")
    parts = [
        _CODES.get(series, series.removeprefix("KX")),
        when,
        _teams(teams, outcome),
        _span(strike) or outcome,
    ]
    return " ".join(part for part in parts if part)


def _teams(both: str | None, one: str) -> str:
    """``NYK@BOS``, the guest first; as the ticker has it where the outcome is neither."""
    if both and both.endswith(one):
        return f"{both.removesuffix(one)}@{one}"
    return f"{one}@{both.removeprefix(one)}" if both and both.startswith(one) else both or ""


def _span(strike: Strike) -> str:
    """Of levels; empty where there are none."""
    floor, cap = strike.floor, strike.cap
    if floor is not None and cap is not None:
        return f"{_level(floor)}-{_level(cap)}"
    if floor is not None:
        reached = "equal" in strike.kind.value or _almost_whole(floor)
        return f">={_level(floor)}" if reached else f">{_level(floor)}"
    if cap is not None:
        return f"<={_level(cap)}" if "equal" in strike.kind.value else f"<{_level(cap)}"
    return ""


def _level(value: float) -> str:
    return f"{value // 1 + 1:.0f}" if _almost_whole(value) else f"{value:.10g}"


def _almost_whole(value: float) -> bool:
    return value % 1 > _ALMOST
