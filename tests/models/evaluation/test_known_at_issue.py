"""What a day is predicted with is known when its prediction is issued, whatever comes later: other values,
holes, a source or a place that nobody had heard of.

Everything later is replaced at random, and every model must say the same to the last bit.
"""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.models.evaluation import market
from core.models.evaluation.market_files import Events, events
from core.models.evaluation.rows import Counted
from core.models.evaluation.short_lead import short_laws
from core.models.evaluation.weather_files import LeadSet, ShortSet, lead_set
from core.models.evaluation.weather_laws import dressed, laws, steps_of
from core.models.laws import Array, Law, Mixture
from tests.models.evaluation.market_set import write_markets
from tests.models.evaluation.range_set import ISSUED, ROWS_A_DAY, START, history, series_of
from tests.models.evaluation.weather_set import FIRST, write_leads

ORDINAL = FIRST.toordinal()
DAYS = 380
FEW = settings(max_examples=6, deadline=None)
FITS = st.sampled_from([None, 200, 344])
"""Column of the last outcome a fit may see."""
LATER = 0.3
"""Share of what is later that becomes a hole."""


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("sets")
    write_leads(made, days=DAYS)
    write_markets(made, 200, DAYS)
    return made


@pytest.fixture(scope="module")
def known(directory: Path) -> LeadSet:
    """City BBB has no second source, and of a third nobody has heard."""
    data = lead_set(directory / "weather_lead_forecasts")
    unheard = np.full(data.highs.shape, np.nan)
    return msgspec.structs.replace(data, guidance={**data.guidance, "hrrr": unheard})


def replaced(values: Array, later: npt.NDArray[np.bool_], rng: np.random.Generator) -> Array:
    other = np.where(rng.random(values.shape) < LATER, np.nan, rng.uniform(-60.0, 130.0, values.shape))
    return np.where(later, other, values)


def as_of(data: LeadSet, issue: int, rng: np.random.Generator) -> LeadSet:
    """All that was not known at the end of day ``issue`` is something else: forecasts issued later, and
    outcomes from that day on."""
    leads, days = np.arange(data.highs.shape[1])[:, None], np.arange(data.days.size)
    issued_later = np.broadcast_to(days - leads > issue, data.highs.shape)
    return msgspec.structs.replace(
        data,
        highs=replaced(data.highs, issued_later, rng),
        extras={name: replaced(values, issued_later, rng) for name, values in data.extras.items()},
        outcomes=replaced(data.outcomes, np.broadcast_to(days >= issue, data.outcomes.shape), rng),
        guidance={name: replaced(values, issued_later, rng) for name, values in data.guidance.items()},
    )


def figures(law: Law | Mixture, at: int) -> Array:
    one = law.rows(np.s_[:, at])
    return np.stack([one.mean, one.sd, one.below(60.5), one.below(70.5)])


@FEW
@given(lead=st.integers(0, 2), at=st.integers(345, 377), until=FITS, seed=st.integers(0, 2**32 - 1))
def test_no_weather_model_knows_what_comes_after_the_issue(
    known: LeadSet, lead: int, at: int, until: int | None, seed: int
) -> None:
    other = as_of(known, at - lead, np.random.default_rng(seed))
    counted = Counted(ORDINAL + at, ORDINAL + at, None if until is None else ORDINAL + until)
    said, again = (
        {**laws(data, lead, counted), "dressing": dressed(data, lead, steps_of(data.days, counted, lead))}
        for data in (known, other)
    )
    for model, law in said.items():
        assert np.array_equal(figures(law, at), figures(again[model], at), equal_nan=True), model
    assert np.isfinite(figures(said["default"], at)).all()


@FEW
@given(at=st.integers(345, 377), until=FITS, seed=st.integers(0, 2**32 - 1))
def test_no_model_at_short_lead_knows_the_day_or_what_comes_after(
    known: LeadSet, at: int, until: int | None, seed: int
) -> None:
    sources = {"a": known.highs[:, 0], "b": known.highs[:, 1], "c": known.guidance["hrrr"][:, 0]}
    rng = np.random.default_rng(seed)
    days = np.arange(DAYS)
    short = ShortSet(known.cities, known.days, sources, known.outcomes)
    other = ShortSet(
        known.cities,
        known.days,
        {
            name: replaced(highs, np.broadcast_to(days > at, highs.shape), rng)
            for name, highs in sources.items()
        },
        replaced(known.outcomes, np.broadcast_to(days >= at, known.outcomes.shape), rng),
    )
    counted = Counted(ORDINAL + at, ORDINAL + at, None if until is None else ORDINAL + until)
    said, again = (short_laws(data, [0, 1], steps_of(data.days, counted, 0)) for data in (short, other))
    for model, law in said.items():
        assert np.array_equal(figures(law, at), figures(again[model], at), equal_nan=True), model
    assert np.isfinite(figures(said["default"], at)).all()


@FEW
@given(hour=st.sampled_from([-3, 3]), at=st.integers(300, 378), until=FITS, seed=st.integers(0, 2**32 - 1))
def test_no_pool_knows_what_is_not_settled_or_printed_yet(
    directory: Path, known: LeadSet, hour: int, at: int, until: int | None, seed: int
) -> None:
    """Of the day before, the outcome is not known at any of the hours."""
    found, _ = events(directory / "kalshi_high_markets")
    rng = np.random.default_rng(seed)
    column = found.days - ORDINAL
    prices = rng.dirichlet(np.ones(6), found.days.size)
    other = msgspec.structs.replace(
        found,
        winner=np.where(column >= at - 1, rng.integers(0, 6, column.size), found.winner),
        prices={hour: np.where((column > at)[:, None], prices, found.prices[hour])},
    )
    fit_until = None if until is None else ORDINAL + until
    here = column == at
    said, again = (
        pooled_and_weather(events_of, data, hour, fit_until)
        for events_of, data in ((found, known), (other, as_of(known, at - 1, rng)))
    )
    for model, chances in said.items():
        assert np.array_equal(chances[here], again[model][here], equal_nan=True), model
    assert np.isfinite(said["default"][here]).all()


def pooled_and_weather(found: Events, data: LeadSet, hour: int, fit_until: int | None) -> dict[str, Array]:
    said = market.weather_said(data, found, market.cities_of(found, data), fit_until)
    usable = np.isfinite(said[market.WEATHER][:, 0])
    return {**said, **market.pooled(found, said[market.WEATHER], hour, usable, fit_until)}


@pytest.mark.parametrize("name", list(ISSUED))
@FEW
@given(day=st.integers(61, 118), until=st.sampled_from([None, 40, 75]), seed=st.integers(0, 2**32 - 1))
def test_no_range_model_knows_a_price_after_the_issue(
    name: str, day: int, until: int | None, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    usual = history(name)
    issue, next_day = day * ROWS_A_DAY[name] + ISSUED[name], (day + 1) * ROWS_A_DAY[name]
    columns = {}
    for column, values in usual.columns.items():
        columns[column] = np.array(values)
        columns[column][issue:] *= rng.uniform(0.5, 2.0, values.size - issue)
        columns[column][next_day:][rng.random(values.size - next_day) < LATER] = np.nan
    other = msgspec.structs.replace(usual, columns=columns)
    fit_until = None if until is None else START + until
    said, again = (series_of(name, data, fit_until) for data in (usual, other))
    at = int(np.searchsorted(said.days, START + day))
    assert said.days[at] == again.days[at] == START + day
    assert said.outcomes[at] != again.outcomes[at]
    for model, law in said.models.items():
        assert law.deviation[at] == again.models[model].deviation[at], model
        assert law.shapes[at] == again.models[model].shapes[at], model


def test_a_price_holds_no_print_after_its_hour(directory: Path, tmp_path: Path) -> None:
    folder = directory / "kalshi_high_markets"
    usual, _ = events(folder)
    (tmp_path / "markets.csv").write_bytes((folder / "markets.csv").read_bytes())
    header, *rows = gzip.decompress((folder / "hourly_snapshots.csv.gz").read_bytes()).decode().splitlines()
    later = [re.sub(r",3,\d+,.*", ",3,77,1,,,,,9,9", row) for row in rows]
    assert later != rows
    (tmp_path / "hourly_snapshots.csv.gz").write_bytes(gzip.compress("\n".join([header, *later]).encode()))
    other, _ = events(tmp_path)
    assert np.array_equal(usual.prices[-3], other.prices[-3])
    assert not np.array_equal(usual.prices[3], other.prices[3])
