"""From inputs to a prediction: the law of one event's daily high or low, or the reason there is none."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import msgspec

from core.domain.market import Extreme, Market
from core.feeds.observed import Bound, Evidence
from core.feeds.sanity import plausible
from core.feeds.stations import HOUR_MS, shift_day
from core.feeds.values import GRID_STALE_AFTER_S, OBSERVATION_STALE_AFTER_S, ModelForecast, Observation
from core.models.fair_value import Driver, EventFair, NoPrice
from core.models.laws import Shape
from core.models.pooling import Lead
from core.models.prediction import Laws, Part, Prediction
from core.models.refusal import RefusedError, attempted
from core.models.rungs import Rung
from core.models.weather import article_normal, default, emos, other_source, rolling
from core.models.weather.brackets import Reached, ladder, part
from core.models.weather.coefficients import Learned
from core.models.weather.history import History, PastDay, shipped
from core.models.weather.hours_left import Growth
from core.models.weather.inputs import StationInputs
from core.models.weather.learned import DayLaw, by_default, by_emos
from core.models.weather.opinions import check_agreement, members, opinions, second_opinion
from core.models.weather.predictors import FROZEN_DAYS
from core.models.weather.running_extreme import remaining
from core.models.weather.target import Target, fresh, lead_days, minutes, target_of
from core.models.weather.temperature import Lower, Temperature

NIGHT_MS = 6 * HOUR_MS
"""Before a day begins; what was measured the evening before was some nine hours ahead of it."""


Weighted = tuple[tuple[float, Temperature | Lower], ...]
"""Laws with their weights, of sum one."""


class ModelId(enum.Enum):
    DEFAULT = default.NAME
    EMOS_T = emos.NAME[Shape.T6]
    EMOS = emos.NAME[Shape.NORMAL]
    ROLLING = rolling.NAME
    ARTICLE_NORMAL = article_normal.NAME


class Knowledge(msgspec.Struct, frozen=True):
    """What models know of the past."""

    learned: Learned | None = None
    """From the coefficient file, where one could be loaded."""
    history: History = msgspec.field(default_factory=shipped)
    """Of highs, from the program."""
    replay_offset_days: int | None = None
    """Set where recorded days are shown under another calendar (world day = original day + offset): forecasts
    are then matched with that history's shortest lead, which is what such a world replays."""


def predict(
    markets: Sequence[Market],
    inputs: StationInputs | None,
    model: ModelId,
    now_ms: int,
    previous: EventFair | None = None,
    knowledge: Knowledge | None = None,
) -> Prediction | NoPrice:
    """What one daily high's or low's event settles at, as seen at ``now_ms`` (world time).

    ``markets`` are all markets of the event. ``previous`` is the last ladder priced for it, for the
    sentence on what moved.
    """
    return attempted(
        markets, lambda: _predict(markets, inputs, model, now_ms, previous, knowledge or Knowledge())
    )


def _predict(
    markets: Sequence[Market],
    inputs: StationInputs | None,
    model: ModelId,
    now_ms: int,
    previous: EventFair | None,
    knowledge: Knowledge,
) -> Prediction:
    rungs = ladder(markets)
    if isinstance(rungs, str):
        raise RefusedError(rungs)
    if doubt := next((market.doubt for market in markets if market.doubt), ""):
        raise RefusedError(doubt)
    if inputs is None:
        icao = markets[0].station
        raise RefusedError(f"settles at {icao}, a station without a feed" if icao else "station not mapped")
    target = target_of(markets, inputs.station, now_ms)
    forecast = inputs.model
    main = target.of(forecast.daily_max_f, forecast.daily_min_f) if forecast is not None else None
    if forecast is None or main is None:
        raise RefusedError(f"no Open-Meteo forecast of {target.station.icao} for {target.day} yet")
    if not plausible(main):
        raise RefusedError(f"Open-Meteo says {main:g}F for {target.day}, which no station sees")

    day_law = _day_law(model, inputs, target, main, now_ms, knowledge)
    law, evidence = day_law.law, list(day_law.evidence)
    says = _weighted(day_law)
    ages = [fresh("Open-Meteo", forecast.stamp.event_ms, forecast.stale_after_s, now_ms), *day_law.ages]
    drivers = [_driver("Open-Meteo", main, now_ms, previous)]
    second = second_opinion(inputs.grid, target)
    if inputs.grid is not None and second is not None:
        ages.append(fresh("NWS", inputs.grid.stamp.event_ms, GRID_STALE_AFTER_S, now_ms))
        drivers.append(_driver(*second, now_ms, previous))
        check_agreement(inputs.grid, forecast, main - law.mean, target)
    if told := members(inputs.ensemble, target, now_ms):
        evidence.append(f"{len(told)} ensemble members {min(told):.0f} to {max(told):.0f}F")
    if others := opinions(inputs, target, now_ms, {age.name for age in day_law.ages}):
        evidence.append(others)
    observed = _observed_today(inputs, target, now_ms)
    if observed is not None:
        reading, bound = observed
        measured_ms = reading.stamp.event_ms
        ages.append(fresh(f"{reading.station} obs", measured_ms, OBSERVATION_STALE_AFTER_S, now_ms))
        rest = _rest_of_day(day_law, forecast, reading, target)
        says = ((1.0, rest),)
        by = "" if bound.by is Evidence.READING else f" ({bound.by.value})"
        evidence.append(f"reached {bound.f}F{by} so far; rest of the day {_rest_words(rest)}")
        evidence += _uncertain(inputs, target)

    reached = Reached(observed[1].f, target.extreme) if observed is not None else None
    mean = _mean(says)
    source = markets[0].source
    if source:
        evidence.append(other_source.sentence(source))
    return Prediction(
        event_ticker=markets[0].event_ticker,
        tickers=tuple(rung.ticker for rung in rungs),
        exclusive=True,
        says=Laws(
            tuple(part(rungs, one, reached, weight) for weight, one in says),
            tuple(_elsewhere(rungs, says, reached)) if source else (),
        ),
        model=day_law.model or model.value,
        version=day_law.version,
        mean=mean,
        spread=_spread(says, mean),
        inputs=tuple(ages),
        computed_ms=now_ms,
        evidence=tuple(evidence),
        running_extreme=reached.f if reached is not None else None,
        awaited_by_ms=_observed_by_ms(target) if observed is None else None,
        why=_why(drivers),
        drivers=tuple(drivers),
        lead=_lead(target, now_ms),
        sources=day_law.sources,
    )


def _lead(target: Target, now_ms: int) -> Lead:
    if now_ms >= target.start_ms:
        return Lead.RUNNING
    return Lead.NIGHT if target.start_ms - now_ms < NIGHT_MS else Lead.EVENING


# --- the whole day --------------------------------------------------------------------------------


def _day_law(
    model: ModelId, inputs: StationInputs, target: Target, main: float, now_ms: int, knowledge: Knowledge
) -> DayLaw:
    """The whole day's law with what supports it; raises ``RefusedError``."""
    said = f"Open-Meteo {target.extreme.value} {main:.1f}F"
    if model is ModelId.ARTICLE_NORMAL:
        fixed = f"sigma fixed at {article_normal.SIGMA_F:g}F, no bias correction"
        told = (said, fixed, article_normal.RECORD)
        return DayLaw(article_normal.predict(main), (), told, article_normal.VERSION)
    if model is ModelId.ROLLING:
        return _rolled(inputs, target, main, knowledge, said)
    found = (
        by_default(knowledge.learned, inputs, target, now_ms)
        if model is ModelId.DEFAULT
        else by_emos(knowledge.learned, _SHAPES[model], inputs, target, now_ms)
    )
    if isinstance(found, DayLaw):
        return found
    if model is not ModelId.DEFAULT:
        raise RefusedError(found)
    rolled = _rolled(inputs, target, main, knowledge, said, why=found)
    evidence = (*rolled.evidence, f"rolling stands in: {found}")
    return msgspec.structs.replace(rolled, evidence=evidence, model=ModelId.ROLLING.value)


_SHAPES = {ModelId.EMOS: Shape.NORMAL, ModelId.EMOS_T: Shape.T6}


def _rolled(
    inputs: StationInputs, target: Target, main: float, knowledge: Knowledge, said: str, why: str = ""
) -> DayLaw:
    """The rolling model; ``why`` it stands in for another."""
    assert inputs.model is not None
    issued_ms = inputs.model.stamp.event_ms
    past, lead, offset = _past(target, lead_days(target, issued_ms), knowledge)
    fit = rolling.fit(past, target.station, lead, issued_ms, offset)
    if isinstance(fit, str):
        raise RefusedError(f"{why}; rolling: {fit}" if why else fit)
    if fit.stands_still(main):
        still = f"{said} for the {FROZEN_DAYS}th day or more: it stands still"
        raise RefusedError(f"{why}; rolling: {still}" if why else still)
    replays = [f"replays {shift_day(target.day, -offset)}"] if offset else []
    bias = f"bias {fit.bias_f:+.1f}F, sigma {fit.sigma_f:.1f}F from {fit.days} days {fit.first} to {fit.last}"
    return DayLaw(fit.predict(main), (), (said, *replays, bias), rolling.VERSION)


def _past(target: Target, lead: int, knowledge: Knowledge) -> tuple[Sequence[PastDay], int, int]:
    """What the rolling model rests on, its lead, and by how many days its calendar is another: the program's
    own history of highs where that is what the world replays, else the coefficient file's."""
    icao, learned = target.station.icao, knowledge.learned
    if target.extreme is Extreme.HIGH and knowledge.replay_offset_days is not None:
        return knowledge.history.get((icao, 0), ()), 0, knowledge.replay_offset_days
    fit = learned.fit(icao, lead, target.extreme) if learned is not None else None
    if learned is not None and fit is not None:
        return learned.past(fit), lead, 0
    return knowledge.history.get((icao, lead), ()) if target.extreme is Extreme.HIGH else (), lead, 0


def _weighted(day: DayLaw) -> Weighted:
    return ((1.0 - sum(weight for weight, _ in day.humps), day.law), *day.humps)


def _mean(says: Weighted) -> float:
    return sum(weight * one.mean for weight, one in says)


def _spread(says: Weighted, mean: float) -> float:
    return math.sqrt(sum(weight * (one.sigma**2 + (one.mean - mean) ** 2) for weight, one in says))


def _elsewhere(rungs: Sequence[Rung], says: Weighted, reached: Reached | None) -> Iterator[Part]:
    """What holds where the record that settles is another one."""
    for weight, one in says:
        yield from other_source.otherwise(rungs, one, reached, weight)


# --- the running day ------------------------------------------------------------------------------


def _observed_today(inputs: StationInputs, target: Target, now_ms: int) -> tuple[Observation, Bound] | None:
    """The target day's newest reading and its extreme so far; ``None`` before the day and in its first
    minutes."""
    if now_ms < target.start_ms:
        return None
    held = inputs.observed
    if held is not None and held.day == target.day and held.latest is not None:
        bound = held.high if target.extreme is Extreme.HIGH else held.low
        if bound is not None:
            return held.latest, bound
    if now_ms > _observed_by_ms(target):
        began = f"{target.day} began {minutes(now_ms - target.start_ms)} min ago"
        limit = f"limit {OBSERVATION_STALE_AFTER_S // 60} min"
        raise RefusedError(f"no observation of {target.station.icao} since {began}, {limit}")
    return None


def _observed_by_ms(target: Target) -> int:
    """When a day without a reading has no price any more."""
    return target.start_ms + OBSERVATION_STALE_AFTER_S * 1000


def _uncertain(inputs: StationInputs, target: Target) -> list[str]:
    """What is known of the running day and proves nothing."""
    held = inputs.observed
    if held is None:
        return []
    whole = held.likely_high_f if target.extreme is Extreme.HIGH else held.likely_low_f
    told = f"the whole day's {target.extreme.value} was told as {whole}F: likely, not yet settled"
    return [*([told] if whole is not None else []), *held.unsure[-1:]]


def _rest_of_day(
    day: DayLaw,
    forecast: ModelForecast,
    reading: Observation,
    target: Target,
) -> Temperature | Lower:
    newest = (reading.stamp.event_ms, reading.temperature_f)
    law, growth = _as_one(day)
    rest = remaining(law, forecast.hourly, target.end_ms, newest, target.extreme, growth)
    if rest is None:
        raise RefusedError(f"the hourly forecast does not cover the rest of {target.day}")
    return rest


def _as_one(day: DayLaw) -> tuple[Temperature, Growth | None]:
    """A day whose sources are apart is one law to its hours, as wide as they are."""
    if not day.humps:
        return day.law, day.growth
    says, law, growth = _weighted(day), day.law, day.growth
    mean = _mean(says)
    wider = _spread(says, mean) / law.sigma
    if growth is not None:
        growth = Growth(growth.issued_ms, growth.last_word_f * wider, growth.day_ahead_f * wider)
    return Temperature(mean, law.sigma * wider, law.mean_se * wider, law.sigma_se * wider, law.shape), growth


def _rest_words(law: Temperature | Lower) -> str:
    if isinstance(law, Temperature):
        return f"{law.mean:.1f}F"
    return f"{law.mean:.1f}F, the lower of {law.early.mean:.1f}F early and {law.late.mean:.1f}F late"


# --- what moved -----------------------------------------------------------------------------------


def _driver(name: str, value: float, now_ms: int, previous: EventFair | None) -> Driver:
    """The forecast ``name`` now, remembering when it last changed and from what."""
    held = next((d for d in previous.drivers if d.name == name), None) if previous else None
    if held is None:
        return Driver(name, value, now_ms)
    return held if held.value == value else Driver(name, value, now_ms, held.value)


def _why(drivers: Sequence[Driver]) -> str:
    moved = [d for d in drivers if d.before is not None]
    if not moved:
        return "first forecast: " + ", ".join(f"{d.name} {d.value:.1f}F" for d in drivers)
    moved.sort(key=lambda d: -d.since_ms)
    return ", ".join(f"{d.name} {d.value - (d.before or 0.0):+.1f}F at {_hhmm(d.since_ms)}" for d in moved)


def _hhmm(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%H:%MZ")
