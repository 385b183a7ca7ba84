"""On the story's days the simulated crowd thinks what the demo's own model does of the same feeds."""

from __future__ import annotations

import asyncio
import importlib.resources
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from core.domain.market import CENT_GRID, Extreme, FeeSchedule, FeeType, Market, Strike, StrikeKind, Venue
from core.feeds.stations import stations
from core.feeds.values import WeatherValue
from core.models.fair_value import NoPrice
from core.models.grid import probabilities
from core.models.prediction import Laws
from core.models.weather.coefficients import Learned, decode
from core.models.weather.inputs import StationInputs, absorb
from core.models.weather.price import Knowledge, ModelId, predict
from core.sim.beliefs import Beliefs
from core.sim.brackets import Bracket
from core.sim.families import lows
from core.sim.world import listing
from tests.feeds.conftest import Virtual
from tests.feeds.simulated import SPEED, World
from tests.sim import build_weighed

SOURCES = ("nws-observations", "metar", "dsm", "nws-reports", "nbm", "open-meteo")
CENT = 0.01


def market(bracket: Bracket, icao: str, day: date, extreme: Extreme) -> Market:
    if bracket.low_f is None:
        strike = Strike(StrikeKind.LESS, cap=(bracket.high_f or 0) + 1)
    elif bracket.high_f is None:
        strike = Strike(StrikeKind.GREATER, floor=bracket.low_f - 1)
    else:
        strike = Strike(StrikeKind.BETWEEN, bracket.low_f, bracket.high_f)
    name = f"{icao} {day} {extreme.value}"
    return Market(
        venue=Venue.KALSHI, ticker=f"{name} {bracket.low_f}", event_ticker=name, series_ticker=icao,
        label=name, title="", strike=strike, grid=CENT_GRID, fees=FeeSchedule(FeeType.QUADRATIC),
        open_ms=0, close_ms=0, exclusive=True, station=icao, climate_day=day.isoformat(), extreme=extreme,
    )  # fmt: skip


class Both:
    """A demo world, its crowd, and the default model on what the feeds read of it."""

    def __init__(self, virtual: Any, seed: int) -> None:
        self.world = World(virtual, only=SOURCES, seed=seed)
        weather = self.world.weather
        self.beliefs = Beliefs(weather, SPEED, self.now_ms)
        packaged = importlib.resources.files("core.models.weather") / "data" / "coefficients-sim.json"
        learned = Learned(decode(packaged.read_bytes(), "sim"), weather.calendar.offset_days)
        self.knowledge = Knowledge(learned=learned, replay_offset_days=weather.calendar.offset_days)
        self.days = [self.world.today + timedelta(days=n) for n in (0, 1)]

    @property
    def now_ms(self) -> int:
        return self.world.clocks.world_ms()

    def events(self) -> Iterator[tuple[str, date, Extreme, tuple[Bracket, ...], tuple[float, ...]]]:
        """Those that have not ended, with the crowd's values of their brackets."""
        weather, now_ms = self.world.weather, self.now_ms
        for icao, station in weather.stations.items():
            self.beliefs.look(icao, now_ms, read=True)
            for day in self.days:
                record = weather.record(icao, day)
                assert record is not None
                listed = listing(station, day, record)
                if now_ms >= listed.close_ms:
                    continue
                self.beliefs.hear((listed,), now_ms)
                yield icao, day, Extreme.HIGH, listed.brackets, self.beliefs._chances(listed)
                if icao == lows.STATION:
                    ladder = lows.ladder(weather, station, day)
                    yield (
                        icao,
                        day,
                        Extreme.LOW,
                        ladder,
                        lows.Low(station, day, weather, ladder).chances(now_ms),
                    )

    def apart(self) -> Iterator[tuple[str, float]]:
        """How far model and crowd are apart in each event's bracket where they are farthest."""
        held = {icao: StationInputs(station) for icao, station in stations().items()}
        for value in self.world.got:
            if isinstance(value, WeatherValue):
                held[value.station] = absorb(held[value.station], value)
        for icao, day, extreme, brackets, crowd in self.events():
            markets = [market(bracket, icao, day, extreme) for bracket in brackets]
            found = predict(markets, held[icao], ModelId.DEFAULT, self.now_ms, None, self.knowledge)
            name = f"{icao} {day} {extreme.value}"
            if isinstance(found, NoPrice):
                yield f"{name}: {found.reason}", 1.0
                continue
            assert isinstance(found.says, Laws)
            (part,) = found.says.parts
            edges = np.stack([np.array(part.lower), np.array(part.upper)])
            model = probabilities(part.shape, edges, np.array(part.location), np.array(part.scale))
            far = max(abs(p - q) for p, q in zip(model, crowd, strict=True))
            yield name, far


@pytest.fixture
def virtual() -> Iterator[Virtual]:
    made = Virtual()
    yield made
    made.loop.close()


@pytest.mark.parametrize("seed", [1, 2])
def test_crowd_and_model_agree_before_the_story_moves_a_forecast_and_after(
    virtual: Virtual, seed: int
) -> None:
    both = Both(virtual, seed)
    looks: list[dict[str, float]] = []

    async def script() -> None:
        await asyncio.sleep(6)
        looks.append(dict(both.apart()))
        both.world.weather.publish("KNYC", both.days[1], 0.0, both.now_ms)
        await asyncio.sleep(8)
        for _ in range(4):
            looks.append(dict(both.apart()))
            await asyncio.sleep(43)  # into the afternoon, at another minute of the hour each time

    both.world.run(script)
    for look in looks:
        assert len(look) == 12
        assert {name: far for name, far in look.items() if far > 3 * CENT} == {}
        assert sum(far > 1.2 * CENT for far in look.values()) <= 1, look


def test_what_the_crowd_makes_of_the_storys_days_is_what_the_packaged_coefficients_give() -> None:
    assert build_weighed.FILE.read_text(encoding="utf-8") == build_weighed.text()
