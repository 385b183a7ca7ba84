"""Markets and inputs of one daily-high event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.domain.market import CENT_GRID, Extreme, FeeSchedule, FeeType, Market, Strike, StrikeKind, Venue
from core.feeds.feed import Stamp
from core.feeds.stations import HOUR_MS, climate_day_bounds, stations
from core.feeds.values import GridForecast, ModelForecast, Observation
from core.models.weather.inputs import StationInputs, absorb

NYC = stations()["KNYC"]
DAY = "2026-11-23"
START_MS, END_MS = climate_day_bounds(NYC, DAY)
EVENT = "KXHIGHNY-26NOV23"


def ladder_of(lowest_cap: int, day: str = DAY) -> list[Market]:
    """Six brackets as listed: below ``lowest_cap``, four of two degrees, above."""
    strikes = [Strike(StrikeKind.LESS, cap=lowest_cap)]
    strikes += [Strike(StrikeKind.BETWEEN, lowest_cap + 2 * i, lowest_cap + 2 * i + 1) for i in range(4)]
    strikes += [Strike(StrikeKind.GREATER, floor=lowest_cap + 7)]
    return [
        Market(
            venue=Venue.KALSHI,
            ticker=f"{EVENT}-{i}",
            event_ticker=EVENT,
            series_ticker="KXHIGHNY",
            label=f"NYC {i}",
            title="",
            strike=strike,
            grid=CENT_GRID,
            fees=FeeSchedule(FeeType.QUADRATIC),
            open_ms=START_MS - 15 * HOUR_MS,
            close_ms=END_MS,
            exclusive=True,
            station="KNYC",
            climate_day=day,
            extreme=Extreme.HIGH,
        )
        for i, strike in enumerate(strikes)
    ]


def day_shape(high: float, start_ms: int = START_MS) -> tuple[tuple[int, float], ...]:
    """Twenty-four hours rising to ``high`` at 14 LST and falling again."""
    return tuple((start_ms + h * HOUR_MS, high - abs(h - 14)) for h in range(24))


def inputs_of(
    high: float = 48.0,
    issued_ms: int = START_MS - 18 * HOUR_MS,
    nws: int | None = 48,
    nws_ms: int = START_MS - 10 * HOUR_MS,
) -> StationInputs:
    held = absorb(
        StationInputs(NYC),
        ModelForecast(
            "KNYC", "gfs_seamless", day_shape(high), {DAY: high}, Stamp(issued_ms, 0, 0), 12 * 3600
        ),
    )
    if nws is None:
        return held
    hourly = tuple((at, round(f)) for at, f in day_shape(float(nws)))
    return absorb(held, GridForecast("KNYC", {DAY: nws}, hourly, Stamp(nws_ms, 0, 0)))


def reading(at_ms: int, f: float) -> Observation:
    return Observation("KNYC", f, int(f), int(f), Stamp(at_ms, 0, 0))


@pytest.fixture
def brackets() -> Callable[..., list[Market]]:
    return ladder_of


@pytest.fixture
def known() -> Callable[..., StationInputs]:
    return inputs_of


@pytest.fixture
def observed() -> Callable[..., Any]:
    return reading
