"""What else is said of the day: the weather service's own forecast, which must agree, and what is shown and
not counted."""

from __future__ import annotations

from collections.abc import Collection

from core.domain.market import Extreme
from core.feeds.sanity import plausible
from core.feeds.values import Ensemble, GridForecast, ModelForecast
from core.models.refusal import RefusedError
from core.models.weather.inputs import StationInputs
from core.models.weather.target import Target

HOURS_A_DAY = 24
DISAGREEMENT_MAX_F = 8.0
"""Two sources this far apart on one day's extreme: one of them is broken."""
_HALF_DAYS = {Extreme.HIGH: "daytime", Extreme.LOW: "night"}


def second_opinion(grid: GridForecast | None, target: Target) -> tuple[str, float] | None:
    """The weather service's extreme of the climate day: from all its hours, else its daytime maximum or its
    night's minimum."""
    if grid is None:
        return None
    hours = target.hours(grid.hourly)
    if len(hours) == HOURS_A_DAY:
        return "NWS", float(target.outermost(list(hours.values())))
    half_day = target.of(grid.daily_max_f, grid.daily_min_f)
    return (f"NWS {_HALF_DAYS[target.extreme]}", float(half_day)) if half_day is not None else None


def members(ensemble: Ensemble | None, target: Target, now_ms: int) -> tuple[float, ...]:
    """What the members say of the day while that is fresh: to see, no part of the price."""
    if ensemble is None or now_ms - ensemble.stamp.event_ms > ensemble.stale_after_s * 1000:
        return ()
    return target.of(ensemble.daily_max_f, ensemble.daily_min_f) or ()


def opinions(inputs: StationInputs, target: Target, now_ms: int, counted: Collection[str]) -> str:
    """What other models say of the day: for the operator to see, no part of the price."""
    told = []
    for other in inputs.others.values():
        f = target.of(other.daily_max_f, other.daily_min_f)
        stale = now_ms - other.stamp.event_ms > other.stale_after_s * 1000
        if f is not None and plausible(f) and not stale and other.model not in counted:
            told.append(f"{other.model} {f:.1f}F")
    return f"not counted: {', '.join(told)}" if told else ""


def check_agreement(grid: GridForecast, forecast: ModelForecast, bias_f: float, target: Target) -> None:
    """Compare the two extremes over the hours of the day that both cover; raises ``RefusedError``.

    The daytime maximum would not do: on a cold-front day the high is the reading after midnight.
    """
    ours, theirs = target.hours(forecast.hourly), target.hours(grid.hourly)
    common = ours.keys() & theirs.keys()
    if not common:
        return
    said = target.outermost([float(theirs[at]) for at in common])
    apart = abs(said - target.outermost([ours[at] - bias_f for at in common]))
    if apart > DISAGREEMENT_MAX_F:
        raise RefusedError(
            f"NWS and Open-Meteo are {apart:.0f}F apart for {target.day}, more than {DISAGREEMENT_MAX_F:g}F"
        )
