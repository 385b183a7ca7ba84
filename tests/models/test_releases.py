"""Figures of economic releases: the mixture by hand, deviations from the past, and when there is no price."""

from __future__ import annotations

import itertools
import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.market import Figure, Market, Strike, StrikeKind
from core.feeds.feed import Stamp
from core.feeds.quotes import SeriesPast
from core.feeds.releases import Centre, View, Views
from core.models.fair_value import NoPrice
from core.models.families import families
from core.models.prediction import Chances, Laws, Prediction
from core.models.releases import (
    FigureInputs,
    absorb,
    decisions,
    figures_of,
    mixture,
    period_of,
    predict,
    shrunk,
    winsorised,
)
from tests.execution.bench import ladder
from tests.models.alone import alone

DAY_MS = 86_400_000
NOW = 20_796 * DAY_MS
"""2026-12-09."""
CPI = Figure("CPI", "2026-12-10")


def view(value: float = 0.3, sd: float | None = 0.1, centre: Centre = Centre.CONSENSUS, **more: str) -> View:
    said = {"kind": "CPI", "released": "2026-12-10", "source": "a survey", "entered": "2026-12-07"} | more
    return View(centre=centre, value=value, sd=sd, **said)


def threshold(bound: float, figure: Figure = CPI) -> Market:
    return msgspec.structs.replace(
        ladder()[0], ticker=f"KXCPI-26NOV-T{bound}", event_ticker="KXCPI-26NOV", figure=figure, station=None,
        exclusive=False, strike=Strike(StrikeKind.GREATER, bound),
    )  # fmt: skip


def inputs(*views: View, name: str = "CPI", figures: dict[str, float] | None = None) -> FigureInputs:
    return FigureInputs(families()[name], views, figures or {})


def chances(found: Prediction | NoPrice) -> list[float]:
    assert isinstance(found, Prediction), found
    (event,) = alone(found)
    return [fair.model_probability for fair in event.values]


def test_golden_one_centre_above_its_own_value_and_a_step_over_it() -> None:
    found = predict([threshold(0.2), threshold(0.3), threshold(0.1)], CPI, inputs(view()), NOW)
    # Above .3 means .4 at least: over .35. In scales of .1 / sqrt(5/3) that is .645497, and .15 is 1.936492:
    # T5 = 1/2 + (a + sin a (cos a + 2/3 cos^3 a)) / pi with tan a = z / sqrt(5): .726482 and .944712.
    assert chances(found) == pytest.approx([0.944712, 0.726482, 0.273518], abs=1e-5)
    assert isinstance(found, Prediction) and found.inputs[0].name == "consensus (a survey)"


def test_two_centres_are_an_even_mixture_and_negative_strikes_are_figures_too() -> None:
    both = inputs(view(0.3), view(0.1, centre=Centre.OWN))
    (above,) = chances(predict([threshold(0.2)], CPI, both, NOW))
    assert above == pytest.approx((0.726482 + 1 - 0.944712) / 2, abs=1e-5)
    (fell,) = chances(predict([threshold(-0.1)], CPI, both, NOW))
    assert 0.9 < fell < 1.0


@given(
    st.floats(-0.5, 1.0),
    st.floats(0.01, 0.5),
    st.floats(-0.5, 1.0),
    st.lists(st.integers(-6, 12), unique=True),
)
def test_an_exclusive_ladder_sums_to_one(one: float, sd: float, other: float, cuts: list[int]) -> None:
    ends = [None, *sorted(cuts), None]
    rungs = []
    for low, high in itertools.pairwise(ends):
        if low is None and high is None:
            return
        if low is None:
            strike = Strike(StrikeKind.LESS_OR_EQUAL, None, (high or 0) / 10)
        elif high is None:
            strike = Strike(StrikeKind.GREATER, low / 10)
        else:
            strike = Strike(StrikeKind.BETWEEN, (low + 1) / 10, high / 10)
        rungs.append(msgspec.structs.replace(threshold(0.0), ticker=f"T{low}", strike=strike, exclusive=True))
    found = predict(rungs, CPI, inputs(view(one, sd), view(other, centre=Centre.NOWCAST)), NOW)
    assert math.fsum(chances(found)) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(
    ("views", "why"),
    [
        ((), "nobody has entered what CPI of 2026-12-10 is expected to be: pmconsole view CPI 2026-12-10"),
        ((view(released="2026-11-10"),), "nobody has entered"),
        ((view(entered="2026-11-10"),), "the consensus of 2026-11-10 is old"),
        ((view(sd=None),), "has no deviation, and 0 past views and 0 past figures are too few for one"),
    ],
)
def test_without_a_usable_view_there_is_no_price_and_the_remedy_is_named(
    views: tuple[View, ...], why: str
) -> None:
    found = predict([threshold(0.2)], CPI, inputs(*views), NOW)
    assert isinstance(found, NoPrice) and why in found.reason


def past(count: int, off: float = 0.2) -> tuple[dict[str, float], list[View]]:
    """Figures that were ``off`` above and below views of .3, month by month until October 2026."""
    figures, views = {}, []
    for back in range(count):
        month = 2026 * 12 + 9 - back
        figures[f"{month // 12}-{month % 12 + 1:02d}-01"] = 0.3 + (off if back % 2 else -off)
        released = f"{(month + 1) // 12}-{(month + 1) % 12 + 1:02d}-10"
        views.append(view(0.3, 0.05, released=released, entered=released))
    return figures, views


def test_a_measured_deviation_takes_the_place_of_an_entered_one_from_24_pairs_on() -> None:
    for count, sd in ((23, 0.1), (24, 0.2)):
        figures, views = past(count)
        (centre, *_) = mixture(inputs(*views, view(), figures=figures), [view()])
        assert isinstance(centre, msgspec.Struct) and centre.sd == pytest.approx(sd)


def test_a_figure_that_is_out_is_no_measure_of_the_view_it_is_held_against() -> None:
    figures, views = past(24)
    known = inputs(*views, view(9.0), figures=figures | {"2026-11-01": 0.3})
    (centre, *_) = mixture(known, [view(9.0)])
    assert isinstance(centre, msgspec.Struct) and (centre.sd, centre.pairs) == (pytest.approx(0.2), 24)


def test_without_a_deviation_that_of_the_last_figures_is_lent_and_they_join_the_mixture() -> None:
    figures, _ = past(60)
    made = mixture(inputs(view(sd=None), figures=figures), [view(sd=None)])
    assert isinstance(made, tuple)
    lent, last = made
    assert (last.name, last.weight, lent.weight) == ("last figures", 0.5, 0.5)
    assert lent.sd == last.sd
    # The mean of three is .2 or .4 beside its own side of .3: what follows is 4/15 off.
    assert last.sd == pytest.approx(4 / 15, abs=1e-9)


def test_one_month_of_a_pandemic_does_not_make_the_deviation() -> None:
    calm = [0.1, -0.1] * 15
    assert winsorised(calm) == pytest.approx(0.1)
    assert winsorised([*calm[:-2], 20.0, -20.0]) == pytest.approx(0.1)


def test_weights_lean_half_way_to_what_gave_more_and_are_equal_without_a_record() -> None:
    assert shrunk([None, -1.0, -2.0]) == pytest.approx((1 / 3,) * 3)
    assert shrunk([math.log(0.6), math.log(0.2)]) == pytest.approx((0.25 + 0.5 * 0.75, 0.25 + 0.5 * 0.25))


def test_figures_are_made_of_series_as_they_are_released() -> None:
    index = (("2026-08-01", 300.0), ("2026-09-01", 300.9), ("2026-10-01", 301.5), ("2026-12-01", 302.0))
    assert figures_of(families()["CPI"], index) == pytest.approx({"2026-09-01": 0.3, "2026-10-01": 0.2})
    jobs = (("2026-09-01", 159_000.0), ("2026-10-01", 159_121.0))
    assert figures_of(families()["JOBS"], jobs) == {"2026-10-01": 121.0}
    year = (("2025-10-01", 300.0), ("2026-10-01", 309.2))
    assert figures_of(families()["CPI-YOY"], year) == pytest.approx({"2026-10-01": 3.1})
    held = absorb(FigureInputs(families()["CPI"]), SeriesPast("CPIAUCSL", "fred", index, Stamp(0, 0, 0)))
    assert len(held.figures) == 2
    assert absorb(held, SeriesPast("PAYEMS", "fred", jobs, Stamp(0, 0, 0))) is held
    told = Views("own-views", (view(), view(kind="JOBS")), Stamp(0, 0, 0))
    assert absorb(held, told).views == (view(),)


@pytest.mark.parametrize(
    ("released", "months", "period"),
    [
        ("2026-12-10", 1, "2026-11-01"),
        ("2027-01-13", 1, "2026-12-01"),
        ("2026-10-29", 3, "2026-07-01"),
        ("2026-12-22", 3, "2026-07-01"),
        ("2027-01-28", 3, "2026-10-01"),
    ],
)
def test_a_release_is_about_the_period_before_it(released: str, months: int, period: str) -> None:
    assert period_of(released, months) == period


def test_golden_an_expected_rate_is_two_steps_and_a_little_beyond_them() -> None:
    # 3.80 is a fifth of the way from 3.75 to 4.00.
    assert decisions(3.80, 0.25) == pytest.approx({14: 0.01, 15: 0.784, 16: 0.196, 17: 0.01})
    assert decisions(3.75, 0.25) == pytest.approx({14: 0.01, 15: 0.98, 16: 0.01})
    fomc = Figure("FOMC", "2026-12-09")
    seen = view(3.80, None, kind="FOMC", released="2026-12-09")
    found = predict([threshold(3.75, fomc), threshold(3.5, fomc)], fomc, inputs(seen, name="FOMC"), NOW)
    assert isinstance(found, Prediction) and isinstance(found.says, Chances)
    assert dict(zip(found.tickers, found.says.probabilities, strict=True)) == pytest.approx(
        {"KXCPI-26NOV-T3.75": 0.206, "KXCPI-26NOV-T3.5": 0.99}
    )


def test_strikes_in_single_jobs_are_read_in_thousands() -> None:
    jobs = Figure("JOBS", "2026-12-04", 1_000.0)
    seen = view(100.0, 50.0, kind="JOBS", released="2026-12-04", entered="2026-12-01")
    found = predict([threshold(99_500.0, jobs)], jobs, inputs(seen, name="JOBS"), 20_790 * DAY_MS)
    assert isinstance(found, Prediction) and isinstance(found.says, Laws)
    assert chances(found) == pytest.approx([0.5049], abs=1e-4), "over 99.5 thousand: T5(.0129)"
