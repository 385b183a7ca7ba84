"""Prices by fitted coefficients: from their own sources alone, highs and lows, and never silently without."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from core.domain.market import CENT_GRID, Extreme, FeeSchedule, FeeType, Market, Strike, StrikeKind, Venue
from core.feeds.feed import Stamp
from core.feeds.stations import DAY_MS, HOUR_MS, climate_day_bounds, stations
from core.feeds.values import Guessed, ModelForecast, Observation, StationGuidance
from core.models.fair_value import EventFair, NoPrice
from core.models.laws import Law, Mixture, Shape
from core.models.prediction import Laws
from core.models.weather import default
from core.models.weather.coefficients import (
    FORMAT,
    Coefficients,
    CoefficientsError,
    Fit,
    Learned,
    Recent,
    Today,
    decode,
    encode,
    sealed,
)
from core.models.weather.dressing import Kernel
from core.models.weather.emos import Parameters
from core.models.weather.hours_left import Growth
from core.models.weather.inputs import StationInputs, absorb
from core.models.weather.predictors import Predictors
from core.models.weather.price import Knowledge, ModelId, predict
from tests.models.alone import alone

NYC = stations()["KNYC"]
DAY = "2026-11-23"
START_MS, END_MS = climate_day_bounds(NYC, DAY)
NOW_MS = START_MS - 9 * HOUR_MS
SOURCES = ("gfs_seamless", "ecmwf_ifs025", "NBS")
BIAS_F = {"gfs_seamless": 2.0, "ecmwf_ifs025": -1.0, "NBS": 0.0}
DAYS = 120


def recent(extreme: Extreme, last: str = "2026-11-20") -> Recent:
    """Sources that are wrong by their bias and by two degrees to either side in turn."""
    level = 50.0 if extreme is Extreme.HIGH else 38.0
    outcomes = tuple(level + i % 7 for i in range(DAYS))
    forecasts = {
        source: tuple(f + BIAS_F[source] + (2.0 if i % 2 else -2.0) for i, f in enumerate(outcomes))
        for source in SOURCES
    }
    first = date.fromisoformat(last) - timedelta(days=DAYS - 1)
    return Recent(first.isoformat(), outcomes, forecasts)


def fit_of(lead: int = 1, extreme: Extreme = Extreme.HIGH, **changes: Any) -> Fit:
    """The anchor as it is, with a spread of two degrees."""
    normal, t6 = (
        Parameters(shape, {"constant": 0.0, "source_NBS": 0.0}, {"constant": float(np.log(2.0))}, DAYS)
        for shape in (Shape.NORMAL, Shape.T6)
    )
    found = Fit("KNYC", lead, extreme, DAYS, "2026-07-24", "2026-11-20", normal, t6, recent(extreme))
    return msgspec.structs.replace(found, **changes)


def file_of(*fits: Fit, world: str = "real") -> Coefficients:
    made = fits or tuple(fit_of(lead, extreme) for lead in (0, 1) for extreme in Extreme)
    return sealed(Coefficients(FORMAT, world, 0, "2026-11-21T00:00:00+00:00", "d" * 64, made))


def brackets(extreme: Extreme = Extreme.HIGH) -> list[Market]:
    lowest = 48 if extreme is Extreme.HIGH else 36
    strikes = [Strike(StrikeKind.LESS, cap=lowest)]
    strikes += [Strike(StrikeKind.BETWEEN, lowest + 2 * i, lowest + 2 * i + 1) for i in range(4)]
    strikes += [Strike(StrikeKind.GREATER, floor=lowest + 7)]
    return [
        Market(
            venue=Venue.KALSHI, ticker=f"E-{i}", event_ticker="E", series_ticker="S", label=f"NYC {i}",
            title="", strike=strike, grid=CENT_GRID, fees=FeeSchedule(FeeType.QUADRATIC),
            open_ms=START_MS - 15 * HOUR_MS, close_ms=END_MS, exclusive=True, station="KNYC",
            climate_day=DAY, extreme=extreme,
        )
        for i, strike in enumerate(strikes)
    ]  # fmt: skip


def hours(high: float, low: float) -> tuple[tuple[int, float], ...]:
    """Lowest at 5 LST, highest at 14."""
    shape = np.interp(np.arange(24), [0, 5, 14, 23], [0.4, 0.0, 1.0, 0.3])
    return tuple((START_MS + h * HOUR_MS, low + (high - low) * float(part)) for h, part in enumerate(shape))


def inputs(issued_ms: int = NOW_MS - 5 * HOUR_MS, **said: float | None) -> StationInputs:
    """Highs of 54 F and lows of 40 F by every source once its bias is off; ``said`` changes or silences."""
    held = StationInputs(NYC)
    for source in SOURCES:
        off = said.get(source, BIAS_F[source])
        if off is None:
            continue
        high, low, stamp = 54.0 + off, 40.0 + off, Stamp(issued_ms, 0, 0)
        if source == "NBS":
            guessed = {DAY: Guessed(round(high), 2)}, {DAY: Guessed(round(low), 2)}
            held = absorb(held, StationGuidance("KNYC", source, *guessed, stamp))
        else:
            told = ModelForecast("KNYC", source, hours(high, low), {DAY: high}, stamp, 18 * 3600, {DAY: low})
            held = absorb(held, told)
    return held


def price(
    held: StationInputs,
    model: ModelId = ModelId.DEFAULT,
    extreme: Extreme = Extreme.HIGH,
    now_ms: int = NOW_MS,
    content: Coefficients | None = None,
) -> EventFair | NoPrice:
    knowledge = Knowledge(Learned(content or file_of()), history={})
    found = predict(brackets(extreme), held, model, now_ms, None, knowledge)
    return found if isinstance(found, NoPrice) else alone(found)[0]


def priced(*args: Any, **more: Any) -> EventFair:
    found = price(*args, **more)
    assert isinstance(found, EventFair), found
    return found


@pytest.mark.parametrize("model", [ModelId.DEFAULT, ModelId.EMOS, ModelId.EMOS_T])
@pytest.mark.parametrize(("extreme", "expected"), [(Extreme.HIGH, 54.0), (Extreme.LOW, 40.0)])
def test_highs_and_lows_are_priced_from_all_sources_less_their_errors(
    model: ModelId, extreme: Extreme, expected: float
) -> None:
    event = priced(inputs(), model, extreme)
    assert event.mean == pytest.approx(expected, abs=0.4)
    assert sum(v.probability for v in event.values) == pytest.approx(1.0, abs=1e-12)
    fair = event.values[3]
    assert fair.model == model.value and file_of().seal[:12] in fair.version
    assert [age.name for age in fair.inputs] == ["Open-Meteo", *SOURCES[1:]]
    assert any(f"coefficients {file_of().seal[:12]}" in said for said in fair.evidence)
    assert not any("without" in said for said in fair.evidence)


def test_the_oldest_forecast_that_counts_decides_the_lead() -> None:
    late = ModelForecast(
        "KNYC", "ecmwf_ifs025", (), {DAY: 53.0}, Stamp(NOW_MS - 17 * HOUR_MS, 0, 0), 18 * 3600
    )
    content = file_of(fit_of(1), fit_of(2))
    known = Knowledge(Learned(content), history={})
    for held, lead in ((inputs(), 1), (absorb(inputs(), late), 2)):
        found = predict(brackets(), held, ModelId.EMOS_T, NOW_MS, None, known)
        assert not isinstance(found, NoPrice)
        assert any(f"lead {lead}, coefficients" in said for said in found.evidence)


def test_a_forecast_that_changes_changes_the_price_of_the_same_coefficients() -> None:
    known = Knowledge(Learned(file_of()), history={})
    means = []
    for held in (inputs(), inputs(ecmwf_ifs025=3.0), inputs()):
        found = predict(brackets(), held, ModelId.EMOS_T, NOW_MS, None, known)
        assert not isinstance(found, NoPrice)
        means.append(found.mean)
    assert means[1] == pytest.approx(means[0] + 4.0 / 3, abs=0.1)
    assert means[2] == means[0]


def test_what_the_main_model_said_the_day_before_is_remembered_as_its_revision() -> None:
    revised = Parameters(Shape.T6, {"constant": 0.0, "revision": 5.0}, {"constant": 0.7}, DAYS)
    content = file_of(fit_of(t6=revised))
    yesterday = ModelForecast(
        "KNYC", "gfs_seamless", (), {DAY: 53.0}, Stamp(NOW_MS - 29 * HOUR_MS, 0, 0), 18 * 3600
    )
    newest = inputs().model
    assert newest is not None
    held = absorb(absorb(inputs(gfs_seamless=None), yesterday), newest)
    alone_, remembered = (priced(known, ModelId.EMOS_T, content=content).mean for known in (inputs(), held))
    assert remembered == pytest.approx(alone_ + 56.0 - 53.0)


@pytest.mark.parametrize(("issued_ms", "lead"), [(NOW_MS - 5 * HOUR_MS, 1), (START_MS + 60_000, 0)])
def test_what_the_main_model_says_of_the_day_before_counts_ahead_of_the_day_alone(
    issued_ms: int, lead: int
) -> None:
    """On the day itself the one before is over, and was no part of the fit."""
    before = (date.fromisoformat(DAY) - timedelta(days=1)).isoformat()
    changed = Parameters(Shape.T6, {"constant": 0.0, "change": 5.0}, {"constant": 0.7}, DAYS)
    means = []
    for told in ({DAY: 56.0}, {DAY: 56.0, before: 54.0}):
        newest = ModelForecast(
            "KNYC", "gfs_seamless", hours(56.0, 42.0), told, Stamp(issued_ms, 0, 0), 18 * 3600, {DAY: 42.0}
        )
        held = absorb(inputs(issued_ms), newest)
        content = file_of(fit_of(lead, t6=changed))
        means.append(priced(held, ModelId.EMOS_T, now_ms=issued_ms + 60_000, content=content).mean)
    assert means[1] - means[0] == pytest.approx(1.0 if lead else 0.0)


def test_the_pool_hears_how_many_sources_speak_and_of_one_where_rolling_stands_in() -> None:
    knowledge = Knowledge(Learned(file_of()), history={})

    def sources(held: StationInputs) -> int:
        found = predict(brackets(), held, ModelId.DEFAULT, NOW_MS, None, knowledge)
        assert not isinstance(found, NoPrice)
        return found.sources

    assert sources(inputs()) == 3
    assert sources(inputs(NBS=None)) == 2
    assert sources(inputs(NBS=None, ecmwf_ifs025=None)) == 1


def test_the_t_has_longer_tails_than_the_normal_of_the_same_scale() -> None:
    normal, t = priced(inputs(), ModelId.EMOS), priced(inputs(), ModelId.EMOS_T)
    assert t.spread == pytest.approx(normal.spread * np.sqrt(1.5))
    assert t.values[0].probability > 1.3 * normal.values[0].probability


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (inputs(NBS=None), "without NBS silent"),
        (inputs(ecmwf_ifs025=float("nan")), "without ecmwf_ifs025 says nanF, which no station sees"),
        (inputs(ecmwf_ifs025=1e6), "without ecmwf_ifs025 says 1.00005e+06F, which no station sees"),
        (
            absorb(inputs(), ModelForecast("KNYC", "ecmwf_ifs025", (), {DAY: 53.0},
                                           Stamp(NOW_MS - 19 * HOUR_MS, 0, 0), 18 * 3600)),
            "without ecmwf_ifs025 1140 min old, limit 1080 min",
        ),
    ],
)  # fmt: skip
def test_a_source_that_is_silent_old_or_no_number_is_left_out_and_named(
    held: StationInputs, said: str
) -> None:
    event = priced(held)
    assert event.mean == pytest.approx(54.0, abs=0.6)
    assert any(said in sentence for sentence in event.values[0].evidence)
    assert not any("not counted" in told for told in event.values[0].evidence)


@pytest.mark.parametrize("model", list(ModelId))
@pytest.mark.parametrize("f", [float("nan"), float("inf"), 1e6])
def test_a_main_forecast_that_is_no_temperature_is_no_price_by_any_model(model: ModelId, f: float) -> None:
    refused = price(inputs(gfs_seamless=f), model)
    assert isinstance(refused, NoPrice)
    assert refused.reason == f"Open-Meteo says {54.0 + f:g}F for {DAY}, which no station sees"


def standing(*sources: str, days: int = 7) -> Coefficients:
    """Sources that said of the last days what ``inputs`` has them say of the next one, two days later."""
    kept = recent(Extreme.HIGH)
    forecasts = {
        source: (*values[:-days], *[54.0 + BIAS_F[source]] * days) if source in sources else values
        for source, values in kept.forecasts.items()
    }
    return file_of(
        *(fit_of(lead, recent=msgspec.structs.replace(kept, forecasts=forecasts)) for lead in (0, 1))
    )


@pytest.mark.parametrize("model", [ModelId.DEFAULT, ModelId.EMOS])
def test_a_source_that_stands_still_is_left_out_and_named_across_the_days_not_told_yet(
    model: ModelId,
) -> None:
    still, moves = standing("ecmwf_ifs025"), standing("ecmwf_ifs025", days=6)
    said = "without ecmwf_ifs025 says 53.0F for the 8th day or more: it stands still"
    event = priced(inputs(), model, content=still)
    assert said in event.values[0].evidence
    assert "not counted: ecmwf_ifs025 53.0F" in event.values[0].evidence
    assert [age.name for age in event.values[0].inputs] == ["Open-Meteo", "NBS"]
    assert not any(
        "stands still" in told for told in priced(inputs(), model, content=moves).values[0].evidence
    )
    # It makes no second opinion for the pool either.
    found = predict(brackets(), inputs(), model, NOW_MS, None, Knowledge(Learned(still), history={}))
    assert not isinstance(found, NoPrice) and found.sources == 2


def test_where_most_sources_or_the_only_one_stand_still_there_is_no_law_but_the_reason() -> None:
    refused = price(inputs(), content=standing("ecmwf_ifs025", "gfs_seamless"))
    assert isinstance(refused, NoPrice)
    assert refused.reason.startswith("1 of 3 sources tell of KNYC 2026-11-23: gfs_seamless says 56.0F")
    assert refused.reason.endswith("rolling: Open-Meteo high 56.0F for the 8th day or more: it stands still")


def test_a_source_they_were_not_fitted_on_moves_nothing_and_is_shown_as_not_counted() -> None:
    other = ModelForecast(
        "KNYC", "gem_seamless", hours(80, 60), {DAY: 80.0}, Stamp(NOW_MS - 17 * HOUR_MS, 0, 0), 18 * 3600
    )
    with_it, without = priced(absorb(inputs(), other)), priced(inputs())
    assert [v.probability for v in with_it.values] == [v.probability for v in without.values]
    assert any("not counted: gem_seamless 80.0F" in said for said in with_it.values[0].evidence)


@pytest.mark.parametrize(
    ("held", "content", "reason"),
    [
        (inputs(ecmwf_ifs025=None, NBS=None), None, "1 of 3 sources tell"),
        (inputs(), file_of(fit_of(0)), "no coefficients for the high of KNYC at lead 1"),
        (inputs(), file_of(fit_of(1, Extreme.LOW)), "no coefficients for the high of KNYC"),
        (inputs(), file_of(fit_of(station="KMDW")), "no coefficients for the high of KNYC"),
        (
            inputs(),
            file_of(fit_of(last="2026-11-02", recent=recent(Extreme.HIGH, "2026-11-02"))),
            "the history of KNYC ends 2026-11-02, more than 14 days before: pmconsole models update",
        ),
        (
            inputs(),
            file_of(fit_of(t6=Parameters(Shape.T6, {"constant": 30.0}, {"constant": 0.7}, DAYS))),
            "more than 6F apart",
        ),
        (
            inputs(),
            file_of(fit_of(t6=Parameters(Shape.T6, {"constant": 0.0}, {"constant": 2.8}, DAYS))),
            "outside 0.5..7F",
        ),
    ],
)
def test_what_is_missing_or_absurd_abstains_with_a_sentence_and_the_default_says_why_rolling_stands_in(
    held: StationInputs, content: Coefficients | None, reason: str
) -> None:
    refused = price(held, ModelId.EMOS_T, content=content)
    assert isinstance(refused, NoPrice) and reason in refused.reason
    default = price(held, content=content)
    if isinstance(default, NoPrice):
        assert default.reason.startswith(f"{refused.reason}; rolling: ")
    else:
        told = [said for said in default.values[0].evidence if said.startswith("rolling stands in: ")]
        assert told and reason.partition(" ")[0] in told[0]


def silenced(known: int, days_ago: int = 0) -> Recent:
    """A history of which only so many outcomes are known, the newest so long before its end."""
    kept = recent(Extreme.HIGH)
    since, until = DAYS - days_ago - known, DAYS - days_ago
    outcomes = tuple(f if since <= i < until else None for i, f in enumerate(kept.outcomes))
    return msgspec.structs.replace(kept, outcomes=outcomes)


def test_a_history_ends_with_its_own_last_outcome_however_long_other_stations_go_on() -> None:
    """What is kept of each runs to the newest day of any of them."""
    ended = fit_of(last="2026-10-31", recent=silenced(80, days_ago=20))
    refused = price(inputs(), ModelId.EMOS_T, content=file_of(ended))
    assert isinstance(refused, NoPrice)
    assert "the history of KNYC ends 2026-10-31, more than 14 days before" in refused.reason
    lasting = fit_of(last="2026-11-09", recent=silenced(80, days_ago=11))
    assert priced(inputs(), ModelId.EMOS_T, content=file_of(lasting)).mean == pytest.approx(54.0, abs=0.5)


@pytest.mark.parametrize("known", [0, 14, 15, 16])
def test_a_law_of_which_no_error_is_known_yet_is_none(known: int) -> None:
    refused = price(inputs(), ModelId.DEFAULT, content=file_of(fit_of(recent=silenced(known))))
    assert isinstance(refused, NoPrice)
    assert "no law: too few recent errors are known" in refused.reason


def test_a_history_that_begins_after_the_day_says_nothing_of_it() -> None:
    later = fit_of(first="2026-12-01", last="2027-03-30", recent=recent(Extreme.HIGH, "2027-03-30"))
    refused = price(inputs(), ModelId.EMOS_T, content=file_of(later))
    assert isinstance(refused, NoPrice)
    assert "no law: too few recent errors are known" in refused.reason


def test_where_coefficients_say_nothing_the_default_rolls_on_their_history_and_says_so() -> None:
    held = inputs(ecmwf_ifs025=None, NBS=None)
    event = priced(held)
    assert event.model == "rolling", "it is judged by its own record"
    assert any("rolling stands in: 1 of 3 sources tell" in said for said in event.values[0].evidence)
    assert event.mean == pytest.approx(54.0, abs=0.5), "the bias of the main source alone"


def test_a_correction_whose_input_is_missing_is_told() -> None:
    """A desk begun today has no issue of yesterday to see by how much the newest one was revised."""
    corrects = {"constant": 0.0, "revision": 0.1, "source_NBS": 0.0}
    t6 = Parameters(Shape.T6, corrects, {"constant": float(np.log(2.0))}, DAYS)
    content, told = file_of(fit_of(t6=t6)), "not corrected by revision: no forecasts to tell it from"
    assert told in priced(inputs(NBS=None), content=content).values[0].evidence
    newest, older = inputs(), inputs(issued_ms=NOW_MS - DAY_MS)
    assert older.model is not None and newest.model is not None
    held = absorb(StationInputs(NYC), older.model)
    for value in (newest.model, *newest.others.values(), *newest.guidance.values()):
        held = absorb(held, value)
    assert told not in priced(held, content=content).values[0].evidence


def spreading(f: float) -> Parameters:
    return Parameters(Shape.T6, {"constant": 0.0}, {"constant": math.log(f / Shape.T6.deviation)}, DAYS)


def test_on_the_day_itself_a_forecast_is_the_surer_the_nearer_its_extreme_was() -> None:
    """Last words are wrong by two degrees, those of a day before by four; the high comes at 14 LST."""
    content = file_of(fit_of(0, t6=spreading(2.0)), fit_of(1, t6=spreading(4.0)))

    def spread(issued_h: int, content: Coefficients = content) -> float:
        issued_ms = START_MS + issued_h * HOUR_MS
        now_ms = START_MS - 60_000 if issued_h < 0 else issued_ms + 60_000
        return priced(inputs(issued_ms), ModelId.EMOS_T, now_ms=now_ms, content=content).spread

    assert spread(-1) == pytest.approx(4.0), "a day ahead: as it was learned"
    assert spread(0) == pytest.approx(math.sqrt(2**2 + (4**2 - 2**2) * 11 / 24))
    assert spread(0, file_of(fit_of(0, t6=spreading(2.0)))) == pytest.approx(2.0), "of a day ahead nothing"
    unbounded = Learned(file_of(fit_of(0, t6=spreading(2.0)), fit_of(1, t6=spreading(9.0))))
    now_ms = START_MS + 60_000
    refused = predict(brackets(), inputs(START_MS), ModelId.EMOS_T, now_ms, None, Knowledge(unbounded, {}))
    assert isinstance(refused, NoPrice) and "a spread of 9.0F, outside" in refused.reason
    growth = Growth(START_MS, 2.0, 4.0)
    assert [growth.sigma_f(START_MS + h * HOUR_MS) for h in (0, 3, 15, 27, 40)] == pytest.approx(
        [2.0, 2.0, math.sqrt(10), 4.0, 4.0]
    )


def fronts(kernel: Kernel | None) -> Coefficients:
    return file_of(*(fit_of(lead, t6=spreading(3.0), kernel=kernel) for lead in (0, 1)))


def test_where_sources_are_apart_half_of_the_default_is_by_each_alone() -> None:
    """One source says that a front comes in time: twelve degrees colder."""
    kernel, front = Kernel((0.5, 0.3, 0.2), 1.5), inputs(ecmwf_ifs025=-1.0 - 12.0)
    one, several = (priced(front, content=fronts(of)) for of in (None, kernel))
    emos = [priced(front, ModelId.EMOS_T, content=fronts(of)) for of in (None, kernel)]
    told = [said for said in several.values[0].evidence if said.startswith("sources too far apart")]
    assert told == ["sources too far apart for one law: half of it is by each alone, 53.9F, 41.9F, 53.9F"]
    assert emos[0].mean == emos[1].mean and emos[0].spread == emos[1].spread, "no part of this model"
    cold, warm = several.values[0].probability, sum(v.probability for v in several.values[3:])
    assert cold == pytest.approx((one.values[0].probability + 0.3) / 2, abs=0.02)
    assert warm == pytest.approx((sum(v.probability for v in one.values[3:]) + 0.7 * 0.95) / 2, abs=0.02)
    assert sum(v.probability for v in several.values) == pytest.approx(1.0, abs=1e-12)
    assert several.spread > 1.3 * one.spread
    assert several.mean == pytest.approx((one.mean + 0.5 * 54 + 0.3 * 42 + 0.2 * 54) / 2, abs=0.2)
    agreed = [[v.probability for v in priced(inputs(), content=fronts(of)).values] for of in (None, kernel)]
    assert agreed[0] == pytest.approx(agreed[1]), "together they need no more than one law"


def test_once_the_day_runs_sources_that_are_apart_make_one_law_as_wide_as_they_are() -> None:
    kernel, now_ms = Kernel((0.5, 0.3, 0.2), 1.5), START_MS + 10 * HOUR_MS
    front = inputs(START_MS, ecmwf_ifs025=-13.0)
    seen = absorb(front, Observation("KNYC", 50.0, 50, 50, Stamp(now_ms, 0, 0)))
    found = []
    for of in (None, kernel):
        knowledge = Knowledge(Learned(fronts(of)), history={})
        said = predict(brackets(), seen, ModelId.DEFAULT, now_ms + 60_000, None, knowledge)
        assert not isinstance(said, NoPrice) and isinstance(said.says, Laws)
        assert len(said.says.parts) == 1
        found.append(said)
    wide = [priced(front, now_ms=START_MS + 60_000, content=fronts(of)).spread for of in (None, kernel)]
    assert found[1].spread / found[0].spread == pytest.approx(wide[1] / wide[0], rel=0.05)
    assert found[1].spread > 1.3 * found[0].spread


@pytest.mark.parametrize(
    "kernel",
    [
        Kernel((1.0,), 2.0),
        Kernel((0.5, 0.3, 0.1), 2.0),
        Kernel((1.5, -0.5, 0.0), 2.0),
        Kernel((0.5, 0.3, 0.2), 0.0),
    ],
)
def test_a_kernel_that_does_not_fit_its_sources_spoils_the_file(kernel: Kernel) -> None:
    with pytest.raises(CoefficientsError, match="its kernel does not fit its sources"):
        decode(encode(fronts(kernel)), "real")


def test_what_is_left_of_a_day_is_as_unsure_as_its_hours_are_far() -> None:
    """At 07:00 the low of the evening is sixteen hours off, which last words are not."""
    lows = [fit_of(lead, Extreme.LOW, t6=spreading(f)) for lead, f in ((0, 1.5), (1, 4.0))]
    now_ms = START_MS + 7 * HOUR_MS
    held = inputs(issued_ms=START_MS + HOUR_MS)
    assert held.model is not None
    model = msgspec.structs.replace(
        held.model,
        hourly=tuple((START_MS + h * HOUR_MS, 42.0 + min(abs(h - 5), 14, 23 - h)) for h in range(24)),
    )
    seen = absorb(absorb(held, model), Observation("KNYC", 42.0, 42, 42, Stamp(now_ms, 0, 0)))
    sure, unsure = (
        priced(seen, ModelId.EMOS_T, Extreme.LOW, now_ms + 60_000, file_of(*fits))
        for fits in (lows[:1], lows)
    )
    assert unsure.values[0].probability > 3 * sure.values[0].probability > 0
    assert any("the lower of " in said for said in unsure.values[0].evidence)


def test_a_running_low_can_only_fall_and_rungs_above_it_are_dead() -> None:
    now_ms = START_MS + 8 * HOUR_MS
    held = inputs(issued_ms=START_MS)
    for hour, f in ((5, 39.0), (7, 41.0)):
        at = Stamp(START_MS + hour * HOUR_MS, 0, 0)
        held = absorb(held, Observation("KNYC", f, int(f), int(f), at))
    event = priced(held, ModelId.EMOS_T, Extreme.LOW, now_ms)
    assert event.values[0].running_extreme == 39
    chances = [v.probability for v in event.values]
    assert chances[3:] == [0.0, 0.0, 0.0], "40 and more is over"
    assert chances[2] > 0.8, "38 to 39 holds unless the evening undercuts it"
    assert sum(chances) == pytest.approx(1.0)
    evening = tuple((at, f if at < START_MS + 18 * HOUR_MS else 30.0) for at, f in hours(56.0, 42.0))
    falling = ModelForecast(
        "KNYC", "gfs_seamless", evening, {DAY: 56.0}, Stamp(START_MS + HOUR_MS, 0, 0), 18 * 3600, {DAY: 30.0}
    )
    event = priced(absorb(held, falling), ModelId.EMOS_T, Extreme.LOW, now_ms)
    assert event.values[0].probability > 0.3, "the evening may undercut the morning"


def test_the_same_days_under_another_calendar_give_the_same_price() -> None:
    moved = 30
    content = msgspec.structs.replace(file_of(), calendar_offset_days=-moved)

    def back(day: str) -> str:
        return (date.fromisoformat(day) - timedelta(days=moved)).isoformat()

    shifted = [
        msgspec.structs.replace(
            fit,
            last=back(fit.last),
            recent=msgspec.structs.replace(fit.recent, first=back(fit.recent.first)),
        )
        for fit in content.fits
    ]
    learned = Learned(sealed(msgspec.structs.replace(content, fits=tuple(shifted))), 0)
    knowledge = Knowledge(learned, history={})
    found = predict(brackets(), inputs(), ModelId.EMOS, NOW_MS, None, knowledge)
    assert not isinstance(found, NoPrice)
    assert found.mean == pytest.approx(priced(inputs(), ModelId.EMOS).mean, abs=1e-6)


# --- the file -------------------------------------------------------------------------------------


def test_a_file_is_what_was_written_and_its_mark_changes_with_it() -> None:
    content = file_of()
    assert decode(encode(content), "real") == content
    other = file_of(fit_of(days=DAYS + 1))
    assert Learned(other).mark != Learned(content).mark


def test_a_torn_or_edited_file_or_one_of_another_world_is_no_file() -> None:
    raw = encode(file_of())
    for cut in range(0, len(raw) - 1, 97):
        with pytest.raises(CoefficientsError):
            decode(raw[:cut], "real")
    edited = raw.replace(b'"days":120', b'"days":121', 1)
    with pytest.raises(CoefficientsError, match="its seal does not fit"):
        decode(edited, "real")
    with pytest.raises(CoefficientsError, match="fitted in a sim world and this desk's is real"):
        decode(encode(file_of(world="sim")), "real")
    with pytest.raises(CoefficientsError, match="fitted in a real world and this desk's is sim"):
        decode(raw, "sim")


@pytest.mark.parametrize(
    ("fits", "fault"),
    [
        ((fit_of(), fit_of()), "is in it twice"),
        ((fit_of(recent=Recent("2026-07-24", (), {})),), "no history"),
        ((fit_of(recent=Recent("2026-13-24", (50.0,), {"NBS": (50.0,)})),), "begins or ends on no day"),
        ((fit_of(last="soon"),), "begins or ends on no day"),
        ((fit_of(recent=Recent("9999-12-31", (50.0, 50.0), {"NBS": (50.0,)})),), "begins or ends on no day"),
        ((fit_of(last="2026-11-21"),), "ends 2026-11-21, and what is kept of it 2026-11-20"),
        ((fit_of(recent=Recent("2026-11-20", (50.0,), {"NBS": (50.0, 1.0)})),), "not equally long"),
        ((fit_of(recent=Recent("2026-11-20", (50.0,), {"NBS": (5e9,)})),), "no thermometer"),
        ((fit_of(t6=fit_of().normal),), "another law"),
        ((fit_of(t6=Parameters(Shape.T6, {"moon": 1.0}, {"constant": 0.0}, 1)),), "term 'moon'"),
    ],
)
def test_content_that_makes_no_sense_is_refused_with_its_place(fits: tuple[Fit, ...], fault: str) -> None:
    with pytest.raises(CoefficientsError, match=fault):
        decode(encode(file_of(*fits)), "real")


def test_a_law_is_made_anew_where_a_forecast_has_changed_and_for_no_other_day_meanwhile() -> None:
    learned, made = Learned(file_of()), list[str]()
    fit = learned.fit("KNYC", 1, Extreme.HIGH)
    assert fit is not None

    def mean(day: str, f: float) -> float:
        def counted(fit: Fit, known: Predictors) -> Law | Mixture:
            made.append(day)
            return default.predict(fit.t6, fit.kernel, known)

        return learned.predicted(fit, Today(day, (f, f, f)), "default", counted).mean

    today, tomorrow = "2026-11-21", "2026-11-22"
    first = [mean(today, 50.0), mean(tomorrow, 52.0)]
    assert [mean(today, 50.0), mean(tomorrow, 52.0)] == first
    assert made == [today, tomorrow]
    assert mean(today, 51.0) > first[0] and made == [today, tomorrow, today]
    assert mean("2026-11-23", 52.0) and mean(tomorrow, 52.0) == first[1]
    assert made[3:] == ["2026-11-23"], "yesterday is forgotten, not tomorrow"
