"""Makes the record of the models that comes with the demo, from its simulated past: ``python -m
tests.training.build_evidence`` after a change of what its crowd believes, of a model that is not fitted or of
the demo's prices, games and releases. ``build_coefficients`` calls it with the histories it has just fitted.

A weather model's forecast of a day is that of the walk that scores a fit: made by parameters of days before
it alone. The market is what the simulator's crowd thought at the same moment, in half cents. The other
families are in ``family_looks.py``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from core.control.simulated_past import FORMAT, PACKAGED, WORLD, PastLook, PastLooks, PastPlace, SimulatedPast
from core.domain.market import Extreme
from core.models import pooling_fit
from core.models.foreseen import EVENING_MS
from core.models.laws import Law, Mixture
from core.models.pooling import Lead, Weights, usual
from core.models.weather import default, rolling
from core.sim.beliefs import Beliefs
from core.sim.brackets import Bracket
from core.sim.families import lows
from core.sim.scenarios.loader import load_scenario
from core.sim.weather import Weather
from core.sim.world import listing, start_calendar, start_clock
from core.training.archive import Archive, Figures
from core.training.fitting import Sample, sample, walked
from tests.training.family_looks import Past, rounded
from tests.training.updated_desk import updated_desk

FILE = Path(__file__).parents[2] / "core" / "models" / "weather" / "data" / PACKAGED
NEWEST_DAYS = {default.NAME: 150, rolling.NAME: 90}
"""By model; the second shows what a model is worth that knows no more than the crowd."""
LEAD_DAYS = 1
SEED = 1
"""The demo's own."""
ELSEWHERE = {"KXHIGHNY": "KNYC high polymarket", "KXHIGHMIA": "KMIA high polymarket"}
"""What the same crowd's twin markets on the simulated Polymarket are filed under (``foreseen.kind_of``)."""


class Quoted(NamedTuple):
    """One past day's ladder, what the crowd thought of it, and how it ended."""

    brackets: Sequence[Bracket]
    crowd: Sequence[float]
    winner: int


class Crowd:
    """What the simulator's crowd thought the evening before a day of the past."""

    def __init__(self, seed: int, wall_ms: int) -> None:
        self.scenario = load_scenario("demo")
        clock = start_clock(self.scenario, 1.0, wall_ms)
        calendar = start_calendar(self.scenario, clock.world_origin_ms)
        self.weather = Weather(self.scenario, calendar, clock.world_origin_ms, seed)

    def high(self, icao: str, day: date) -> Quoted | None:
        record, at_ms = self.weather.record(icao, day), _evening_ms(day)
        if record is None:
            return None
        listed = listing(self.scenario.stations[icao], day, record)
        fair = Beliefs(self.weather, 1.0, at_ms).fair(listed)
        paid = [bracket.pays(record.observed_high_f) for bracket in listed.brackets]
        return Quoted(listed.brackets, [fair[ticker] for ticker in listed.tickers], paid.index(True))

    def low(self, icao: str, day: date) -> Quoted | None:
        if self.weather.record(icao, day) is None:
            return None
        station = self.weather.stations[icao]
        ladder = lows.ladder(self.weather, station, day)
        low = lows.Low(station, day, self.weather, ladder)
        return Quoted(ladder, low.chances(_evening_ms(day)), list(low.outcome().yes).index(True))


def make(histories: Mapping[str, Figures], crowd: Crowd, past: Past) -> SimulatedPast:
    groups = [*_groups(histories, Extreme.HIGH, crowd), *_groups(histories, Extreme.LOW, crowd)]
    return SimulatedPast(FORMAT, WORLD, (*groups, *(past.looks(kind) for kind in past.kinds())))


def _groups(histories: Mapping[str, Figures], extreme: Extreme, crowd: Crowd) -> Iterator[PastLooks]:
    days = [date.fromisoformat(key.day) for held in histories.values() for key in held]
    found = [sample(icao, held, LEAD_DAYS, extreme, min(days), max(days)) for icao, held in histories.items()]
    samples = [one for one in found if isinstance(one, Sample)]
    laws = walked(samples)
    weights = usual(len(samples[0].sources), Lead.EVENING)
    for at, one in enumerate(samples):
        if extreme is Extreme.LOW and one.station != lows.STATION:
            continue
        series = crowd.scenario.stations[one.station].series if extreme is Extreme.HIGH else lows.SERIES
        quoted = crowd.high if extreme is Extreme.HIGH else crowd.low
        for model, newest in NEWEST_DAYS.items():
            law = laws[model]
            looks = []
            for index in range(one.series.outcomes.size):
                day, value = one.first + timedelta(days=index), one.series.outcomes[index]
                here = law.rows((np.array([at]), np.array([index])))
                known = np.isfinite(here.mean[0]) and np.isfinite(value)
                if known and (market := quoted(one.station, day)) is not None:
                    looks.append(_look(day, here, market, float(value), weights))
            names = tuple(name for name in (series, ELSEWHERE.get(series)) if name)
            kept = tuple(looks[-newest:])
            shape = law.parts[0].shape if isinstance(law, Mixture) else law.shape
            yield PastLooks(names, model, weights.model, weights.sharpen, kept, shape)


def _look(day: date, law: Law | Mixture, quoted: Quoted, value: float, weights: Weights) -> PastLook:
    edges = [b.high_f + 0.5 for b in quoted.brackets[:-1] if b.high_f is not None]
    alone = np.diff(law.below([-np.inf, *edges, np.inf]))
    mids = np.clip(np.round(np.array(quoted.crowd) * 200) / 200, 0.005, 0.995)
    market = mids / mids.sum()
    pooled = pooling_fit.pool(alone[None], market[None], weights)[0]
    one = _alone(law)
    place = (
        PastPlace(round(float(one.location[0]), 2), round(float(one.scale[0]), 3), value)
        if one is not None
        else None
    )
    return PastLook(
        day.isoformat(), rounded(alone), rounded(market), (quoted.winner,), rounded(pooled), place
    )


def _alone(law: Law | Mixture) -> Law | None:
    """The law of a day by itself; ``None`` where it is joined by others."""
    if isinstance(law, Law):
        return law
    return law.parts[0] if np.asarray(law.weights[0])[0] == 1.0 else None


def _evening_ms(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000 + EVENING_MS


def build(training: Path, wall_ms: int) -> None:
    """Write the file from a directory of histories."""
    archives = {path.stem: Archive(path, path.stem).figures for path in sorted(training.glob("K*.csv"))}
    crowd = Crowd(SEED, wall_ms)
    made = make(archives, crowd, Past(crowd.weather, SEED, wall_ms))
    FILE.write_bytes(msgspec.json.encode(made) + b"\n")


def main() -> None:
    with updated_desk() as desk:
        build(desk.histories(), round(time.time() * 1000))


if __name__ == "__main__":
    main()
