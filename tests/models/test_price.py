"""From inputs to a ladder of fair values, or the sentence why not."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from core.config.settings import StrategySettings
from core.domain.market import Extreme, Market
from core.feeds.feed import Stamp
from core.feeds.stations import HOUR_MS, climate_day_bounds, stations
from core.feeds.values import Ensemble, Groups, ModelForecast
from core.models.fair_value import EventFair, NoPrice
from core.models.pooling import Lead
from core.models.prediction import Prediction
from core.models.weather.inputs import StationInputs, absorb
from core.models.weather.price import Knowledge, ModelId, predict
from tests.models.alone import alone

DAY = "2026-11-23"
START_MS, END_MS = climate_day_bounds(stations()["KNYC"], DAY)
OFFSET = 670  # 2025-01-22 shown as 2026-11-23
NOW_MS = START_MS - 9 * HOUR_MS
MINUTE_MS = 60_000

Brackets = Callable[..., list[Market]]
Known = Callable[..., StationInputs]
Observed = Callable[..., Any]


def price(
    markets: list[Market],
    inputs: StationInputs | None,
    now_ms: int = NOW_MS,
    model: ModelId = ModelId.ROLLING,
    previous: EventFair | None = None,
    offset: int | None = OFFSET,
) -> EventFair | NoPrice:
    found = predict(markets, inputs, model, now_ms, previous, Knowledge(replay_offset_days=offset))
    return found if isinstance(found, NoPrice) else alone(found)[0]


def priced(*args: Any, **more: Any) -> EventFair:
    found = price(*args, **more)
    assert isinstance(found, EventFair), found
    return found


def test_the_day_before(brackets: Brackets, known: Known) -> None:
    event = priced(brackets(44), known(48.0))
    assert sum(v.probability for v in event.values) == pytest.approx(1.0, abs=1e-9)
    assert event.mean == pytest.approx(47.7, abs=0.1)
    assert 1.0 < event.spread < 2.0
    middle = event.values[2]
    assert middle.ticker.endswith("-2")
    assert 0.01 < middle.sigma < 0.05
    assert [age.name for age in middle.inputs] == ["Open-Meteo", "NWS"]
    assert middle.issued_ms == START_MS - 18 * HOUR_MS
    assert any("75 days" in sentence for sentence in middle.evidence)
    assert any("2025-01-22" in sentence for sentence in middle.evidence)


def test_the_article_model_is_raw_and_wide(brackets: Brackets, known: Known) -> None:
    event = priced(brackets(44), known(48.0), model=ModelId.ARTICLE_NORMAL, offset=None)
    assert (event.mean, event.spread, event.model) == (48.0, 3.0, "article-normal")
    assert any("80 % interval held 62 %" in sentence for sentence in event.values[0].evidence), "its record"
    # Shipped disabled: a desk that names no model runs another one.
    assert ModelId(StrategySettings().model) is ModelId.DEFAULT


def test_real_forecasts_need_history_of_their_own_lead_and_season(brackets: Brackets, known: Known) -> None:
    ahead = price(brackets(44), known(48.0), offset=None)
    assert isinstance(ahead, NoPrice)
    assert "lead 1" in ahead.reason
    same_day = price(brackets(44), known(48.0, START_MS + HOUR_MS), START_MS + 2 * HOUR_MS, offset=None)
    assert isinstance(same_day, NoPrice)
    assert "history for KNYC ends" in same_day.reason


def test_why_tells_what_moved_and_keeps_telling(brackets: Brackets, known: Known) -> None:
    first = priced(brackets(44), known(46.5, nws=47))
    assert first.why == "first forecast: Open-Meteo 46.5F, NWS 47.0F"
    moved = priced(brackets(44), known(48.0, nws=48), NOW_MS + 60_000, previous=first)
    assert moved.why == "Open-Meteo +1.5F at 20:01Z, NWS +1.0F at 20:01Z"
    later = priced(brackets(44), known(48.0, nws=48), NOW_MS + HOUR_MS, previous=moved)
    assert later.why == moved.why
    assert moved.mean - first.mean == pytest.approx(1.5)


def test_a_running_maximum_shapes_the_day(brackets: Brackets, known: Known, observed: Observed) -> None:
    now_ms = START_MS + 13 * HOUR_MS
    held = absorb(known(48.0, START_MS + 3 * HOUR_MS, nws_ms=now_ms), observed(now_ms - 60_000, 48.0))
    event = priced(brackets(44), held, now_ms)
    assert event.values[0].running_extreme == 48
    assert [v.probability for v in event.values[:2]] == [0.0, 0.0]
    assert event.values[-1].probability < 0.05
    assert "KNYC obs" in [age.name for age in event.values[0].inputs]
    assert event.spread < priced(brackets(44), known(48.0)).spread


def test_the_first_minutes_of_a_day_need_no_observation(brackets: Brackets, known: Known) -> None:
    held = known(48.0, START_MS - HOUR_MS, nws_ms=START_MS)
    assert priced(brackets(44), held, START_MS + 30 * 60_000).values[0].running_extreme is None
    late = price(brackets(44), held, START_MS + 2 * HOUR_MS)
    assert isinstance(late, NoPrice)
    assert "no observation of KNYC" in late.reason


def test_the_maximum_of_yesterday_says_nothing_about_today(
    brackets: Brackets, known: Known, observed: Observed
) -> None:
    held = known(48.0, START_MS - HOUR_MS, nws_ms=START_MS)
    warm = absorb(held, observed(START_MS - 10 * 60_000, 60.0))
    now_ms = START_MS + 30 * 60_000
    assert priced(brackets(44), warm, now_ms) == priced(brackets(44), held, now_ms)
    late = price(brackets(44), warm, START_MS + 2 * HOUR_MS)
    assert isinstance(late, NoPrice)
    assert "no observation of KNYC" in late.reason


def test_ensemble_is_shown_not_used(brackets: Brackets, known: Known) -> None:
    without = priced(brackets(44), known(48.0))
    members = Ensemble("KNYC", "ncep_gefs025", {DAY: (45.0, 51.0)}, Stamp(NOW_MS, 0, 0), 3600)
    shown = priced(brackets(44), absorb(known(48.0), members))
    assert shown.mean == without.mean
    assert "2 ensemble members 45 to 51F" in shown.values[0].evidence
    old = msgspec.structs.replace(members, stamp=Stamp(NOW_MS - 3_601_000, 0, 0))
    assert priced(brackets(44), absorb(known(48.0), old)) == without, "nor shown once it is too old"


def test_other_models_are_shown_and_change_nothing(brackets: Brackets, known: Known) -> None:
    held = known(48.0, nws=48)
    for model, f, at_ms in (("ecmwf_ifs025", 44.5, NOW_MS), ("dwd_icon", 60.0, NOW_MS - 20 * HOUR_MS)):
        held = absorb(held, ModelForecast("KNYC", model, (), {DAY: f}, Stamp(at_ms, 0, 0), 18 * 3600))
    alone, among = priced(brackets(44), known(48.0, nws=48)), priced(brackets(44), held)
    assert "not counted: ecmwf_ifs025 44.5F" in among.values[0].evidence, "the other one is too old"
    assert [v.probability for v in among.values] == [v.probability for v in alone.values]


def test_what_is_not_certain_of_the_running_day_is_said_beside_what_is(
    brackets: Brackets, known: Known, observed: Observed
) -> None:
    now_ms = START_MS + 20 * MINUTE_MS
    straddling = msgspec.structs.replace(observed(START_MS + 10 * MINUTE_MS, 41.0), groups=Groups(60, 41))
    fresh = known(48.0, nws=48, issued_ms=START_MS - 6 * HOUR_MS, nws_ms=START_MS - HOUR_MS)
    shown = priced(brackets(44), absorb(fresh, straddling), now_ms)
    assert shown.values[0].running_extreme == 41
    assert any("begins before midnight: not counted" in e for e in shown.values[0].evidence)


def all_with(markets: list[Market], **fields: Any) -> list[Market]:
    return [msgspec.structs.replace(market, **fields) for market in markets]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda m, i: (m[1:], i), "both tails"),
        (lambda m, i: (all_with(m, station=None), None), "station not mapped"),
        (lambda m, i: (all_with(m, station="KLGA"), None), "settles at KLGA, a station without a feed"),
        (lambda m, i: (all_with(m, doubt="its text names no source"), i), "its text names no source"),
        (
            lambda m, i: ([*m[:5], *all_with(m[5:], source="Weather Underground")], i),
            "NYC 5 settles on another source",
        ),
        (
            lambda m, i: (all_with(m, station="KLGA"), i),
            "does not settle on the high of KNYC 2026-11-23",
        ),
        (lambda m, i: (all_with(m, climate_day=None), i), "no climate day"),
        (
            lambda m, i: ([*m[:5], *all_with(m[5:], extreme=Extreme.LOW)], i),
            "does not settle on the high",
        ),
        (
            lambda m, i: (all_with(m, extreme=None), i),
            "neither a daily high nor a low",
        ),
        (lambda m, i: (m, StationInputs(i.station)), "no Open-Meteo forecast"),
    ],
)
def test_refusals_that_are_about_what(
    brackets: Brackets, known: Known, change: Callable[..., Any], reason: str
) -> None:
    found = price(*change(brackets(44), known(48.0)))
    assert isinstance(found, NoPrice)
    assert reason in found.reason


@pytest.mark.parametrize(
    ("inputs", "now_ms", "reason"),
    [
        ({"issued_ms": NOW_MS - 13 * HOUR_MS}, NOW_MS, "Open-Meteo is 780 min old, limit 720 min"),
        ({"nws_ms": NOW_MS - 7 * HOUR_MS}, NOW_MS, "NWS is 420 min old"),
        ({"nws": 60}, NOW_MS, "12F apart"),
        ({"nws": 56}, NOW_MS, "8F apart"),  # 8.0 from the raw forecast, 8.3 from the corrected one
        ({}, END_MS, "climate day is over"),
    ],
)
def test_refusals_that_are_about_when(
    brackets: Brackets, known: Known, inputs: dict[str, Any], now_ms: int, reason: str
) -> None:
    found = price(brackets(44), known(48.0, **inputs), now_ms)
    assert isinstance(found, NoPrice)
    assert reason in found.reason


def test_a_stale_observation_stops_the_same_day(brackets: Brackets, known: Known, observed: Observed) -> None:
    now_ms = START_MS + 10 * HOUR_MS
    held = absorb(known(48.0, START_MS, nws_ms=now_ms), observed(now_ms - 81 * 60_000, 44.0))
    found = price(brackets(44), held, now_ms)
    assert isinstance(found, NoPrice)
    assert "KNYC obs is 81 min old" in found.reason


def test_disagreement_is_judged_on_common_hours(brackets: Brackets, known: Known) -> None:
    # The high just after midnight: the service's daytime maximum is lower by nine and still agrees.
    held = known(48.0, nws=None)
    cold_front = tuple((START_MS + h * HOUR_MS, 55.0 - h) for h in range(24))
    model = msgspec.structs.replace(held.model, hourly=cold_front, daily_max_f={DAY: 55.0})
    grid = known(48.0).grid
    assert grid is not None
    office = msgspec.structs.replace(
        grid, daily_max_f={DAY: 46}, hourly=tuple((at, int(f)) for at, f in cold_front)
    )
    held = msgspec.structs.replace(held, model=model, grid=office)
    assert priced(brackets(50), held).drivers[1].value == 55.0


def test_a_record_that_is_not_the_climate_report_has_its_price_and_a_wider_error(
    brackets: Brackets, known: Known, observed: Observed
) -> None:
    report = priced(brackets(44), known(48.0))
    other = priced(all_with(brackets(44), source="Weather Underground"), known(48.0))
    for ours, theirs in zip(report.values, other.values, strict=True):
        assert theirs.probability == ours.probability
        assert theirs.sigma > ours.sigma
        assert any("settles on Weather Underground, not the climate report" in e for e in theirs.evidence)
        assert not any("Weather Underground" in e for e in ours.evidence)
    # What the report has reached for certain the other record may still be a degree under.
    now_ms = START_MS + 16 * HOUR_MS
    late = absorb(known(48.0, START_MS + 6 * HOUR_MS, nws_ms=now_ms), observed(now_ms - HOUR_MS // 6, 46.0))
    sure = priced(brackets(44), late, now_ms)
    unsure = priced(all_with(brackets(44), source="Weather Underground"), late, now_ms)
    assert (sure.values[1].probability, sure.values[1].sigma) == (0.0, 0.0)
    assert unsure.values[1].sigma > 0.05


@pytest.mark.parametrize(
    ("hours", "lead"), [(-9, Lead.EVENING), (-6, Lead.EVENING), (-5, Lead.NIGHT), (1, Lead.RUNNING)]
)
def test_how_far_off_the_day_is_and_how_many_sources_speak_of_it(
    brackets: Brackets, known: Known, hours: int, lead: Lead
) -> None:
    now_ms = START_MS + hours * HOUR_MS
    held = known(48.0, issued_ms=START_MS - 10 * HOUR_MS, nws=None)
    found = predict(brackets(44), held, ModelId.ROLLING, now_ms, None, Knowledge(replay_offset_days=OFFSET))
    assert isinstance(found, Prediction)
    assert (found.lead, found.sources) == (lead, 1)
