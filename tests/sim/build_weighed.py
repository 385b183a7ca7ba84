"""Derives what the demo's crowd makes of its story's days from the coefficients that come with the demo:
``python -m tests.sim.build_weighed`` after any change of them, of the default model, of the recorded days or
of what other models make of them. The simulator itself knows no model: it reads the numbers.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from core.domain.market import Extreme as ModelsExtreme
from core.feeds import stations
from core.feeds.nbm_text import GuidanceRow, by_day
from core.models.weather import default
from core.models.weather.coefficients import Learned, Today, decode
from core.models.weather.inputs import FITTED
from core.sim import opinions
from core.sim.families.lows import STATION as LOWS_AT
from core.sim.feeds.iem import extremes
from core.sim.laws import outermost
from core.sim.scenarios.loader import Extreme, load_scenario
from core.sim.weather import Calendar, Weather, day_start_ms

FILE = Path(__file__).parents[2] / "core" / "sim" / "scenarios" / "weighed.csv"
HEADER = "station,day,extreme,lead_days,begun,forecast_f,mean_f,sigma_f,ahead_f"
ISSUES = ((0, True), (1, True), (1, False), (2, False))
"""Days ahead, and whether the day has begun: a run of the evening before is the newest for hours."""
GUIDANCE = "NBS"
OFF_F = tuple(n / 2 for n in range(-7, 8))
"""Forecasts that are told of, by how far they lie off the recorded one: no run is farther off."""


class Days:
    """The demo's recorded days and what its default model makes of them."""

    def __init__(self) -> None:
        packaged = importlib.resources.files("core.models.weather") / "data" / "coefficients-sim.json"
        held = decode(packaged.read_bytes(), "sim")
        self.scenario = load_scenario("demo")
        self.calendar = Calendar(held.calendar_offset_days)
        self.learned = Learned(held, held.calendar_offset_days)
        # Past every run of the days that count: what is served is what was forecast last.
        first = self.calendar.world(self.scenario.script.first_day)
        self.now_ms = (
            int(datetime.combine(first, datetime.min.time(), UTC).timestamp()) * 1000 + 3 * 86_400_000
        )
        self.weather = Weather(self.scenario, self.calendar, self.now_ms, seed=0)

    def rows(self) -> Iterator[str]:
        script = self.scenario.script
        days = [script.first_day + timedelta(days=n) for n in range(script.models_agree_days)]
        for icao in self.scenario.stations:
            for extreme in (Extreme.HIGH, Extreme.LOW) if icao == LOWS_AT else (Extreme.HIGH,):
                for day in days:
                    for issue in ISSUES:
                        yield from self._rows(icao, day, extreme, *issue)

    def _rows(self, icao: str, day: date, extreme: Extreme, lead: int, begun: bool) -> Iterator[str]:
        recorded_f = self._recorded_f(icao, day, extreme)
        for off_f in OFF_F:
            forecast_f = recorded_f + off_f
            mean_f, sigma_f = self._law(icao, day, extreme, lead, begun, forecast_f)
            ahead_f = sigma_f
            if lead == 0:
                ahead_f = max(sigma_f, self._law(icao, day, extreme, 1, begun, forecast_f)[1])
            told = f"{forecast_f:.1f},{mean_f:.3f},{sigma_f:.3f},{ahead_f:.3f}"
            yield f"{icao},{day},{extreme.value},{lead},{str(begun).lower()},{told}"

    def _law(
        self, icao: str, day: date, extreme: Extreme, lead: int, begun: bool, forecast_f: float
    ) -> tuple[float, float]:
        """Mean and spread if every model says so much, each with what it usually lies off."""
        fit = self.learned.fit(icao, lead, ModelsExtreme(extreme.value))
        assert fit is not None and fit.sources[0] == FITTED
        said = tuple(
            self._guidance_f(icao, day, extreme)
            if source == GUIDANCE
            else forecast_f + opinions.off_f(source)
            for source in fit.sources
        )
        before_f = self._recorded_f(icao, day - timedelta(days=1), extreme) if not begun else None
        today = Today(self.calendar.world(day).isoformat(), said, (), before_f)
        found = self.learned.predicted(
            fit, today, default.NAME, lambda of, known: default.predict(of.t6, of.kernel, known)
        )
        return found.mean, found.sigma

    def _recorded_f(self, icao: str, day: date, extreme: Extreme) -> float:
        """As forecast last, without what the story holds back of it."""
        start = day_start_ms(self.scenario.stations[icao], day)
        hourly = self.scenario.hourly_f[icao]
        hours = tuple((at, hourly[at]) for at in range(start, start + 86_400_000, 3_600_000))
        return outermost(hours, extreme)

    def _guidance_f(self, icao: str, day: date, extreme: Extreme) -> float:
        """As the desk reads it."""
        run_ms = self.now_ms - 3 * 86_400_000 - 11 * 3_600_000
        found = extremes(self.weather, self.scenario.stations[icao], GUIDANCE, run_ms)
        rows = [GuidanceRow(at_ms, f, None) for at_ms, f in found]
        told = by_day(rows, stations.stations()[icao])[0 if extreme is Extreme.HIGH else 1]
        return float(told[self.calendar.world(day).isoformat()].f)


def text() -> str:
    return "\n".join([HEADER, *Days().rows()]) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
