"""The law of a day by fitted coefficients, from the sources they were fitted on and no other.

A source that is silent, old or stands still is left out, which the evidence says; with fewer than half of
them, or with a history that ends too long ago, there is no law but the sentence why. On the day itself its
spread is wider the more hours before the extreme the oldest forecast that counts was made (``hours_left``):
where the day ahead's coefficients, which tell by how much, say what is absurd, there is no law either.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Collection, Sequence

import msgspec

from core.feeds.nbm import GUIDANCE
from core.feeds.sanity import plausible
from core.feeds.stations import shift_day
from core.models.fair_value import InputAge
from core.models.laws import Shape
from core.models.weather import default, emos, rolling
from core.models.weather.coefficients import Fit, Hump, Learned, Predict, Predicted, Today
from core.models.weather.hours_left import Growth
from core.models.weather.inputs import FITTED, StationInputs
from core.models.weather.predictors import source_term
from core.models.weather.target import Target, lead_days, minutes
from core.models.weather.temperature import Temperature

SHARE_MIN = 0.5
"""Of the sources a fit has."""
SIGMA_BOUNDS_F = (0.5, 7.0)
CORRECTION_MAX_F = 6.0
"""Beyond these it is a data fault at the leads that are traded, not weather."""
ERRORS_OF_MEAN, ERRORS_OF_SIGMA = 34, 130
"""Days that the weights of a recent error and of a recent spread amount to (half-lives of 12 and 45 days)."""


class Said(msgspec.Struct, frozen=True):
    """What one source says of the day."""

    source: str
    f: float
    issued_ms: int
    stale_after_s: int


class DayLaw(msgspec.Struct, frozen=True):
    """A day's law with what it rests on."""

    law: Temperature
    ages: tuple[InputAge, ...]
    """Of its sources but the main one, which every price looks at."""
    evidence: tuple[str, ...]
    version: str
    sources: int = 1
    """How many of them speak for themselves."""
    model: str = ""
    """Who made it where another model stands in: it is judged by its own record."""
    growth: Growth | None = None
    """Of its spread, where that hangs on the hour at which the extreme comes."""
    humps: tuple[tuple[float, Temperature], ...] = ()
    """With their weights, what takes part of the law's place where its sources are apart."""


def by_emos(
    learned: Learned | None, shape: Shape, inputs: StationInputs, target: Target, now_ms: int
) -> DayLaw | str:
    """EMOS with the normal or the t, or why there is no law."""
    return _law(
        learned, inputs, target, now_ms, f"{emos.NAME[shape]} {emos.VERSION}",
        lambda fit, known: emos.predict(fit.parameters(shape), known),
    )  # fmt: skip


def by_default(learned: Learned | None, inputs: StationInputs, target: Target, now_ms: int) -> DayLaw | str:
    """The default model where it has coefficients, or why it has no law."""
    return _law(
        learned, inputs, target, now_ms, f"{default.NAME} {default.VERSION}",
        lambda fit, known: default.predict(fit.t6, fit.kernel, known),
    )  # fmt: skip


def _law(
    learned: Learned | None,
    inputs: StationInputs,
    target: Target,
    now_ms: int,
    version: str,
    predict: Predict,
) -> DayLaw | str:
    if learned is None:
        return "no coefficients are loaded: pmconsole models update, then pmconsole models fit"
    icao, extreme = target.station.icao, target.extreme
    fitted_on = learned.sources(icao, extreme)
    if not fitted_on:
        return f"no coefficients for the {extreme.value} of {icao}"
    told, silent = _said(inputs, target, now_ms)
    said = [one for one in told if one.source in fitted_on]
    if not said:
        return f"no fresh forecast of {icao} for {target.day}"
    lead = max(lead_days(target, one.issued_ms) for one in said)
    fit = learned.fit(icao, lead, extreme)
    if fit is None:
        return f"no coefficients for the {extreme.value} of {icao} at lead {lead}"
    used = {one.source: one for one in said if one.source in fit.sources}
    missing = [f"{source} {silent.get(source, 'silent')}" for source in fit.sources if source not in used]
    if fault := _too_few(fit, used, missing, target):
        return fault
    if lasts(learned, fit) < target.day:
        return (
            f"the history of {icao} ends {learned.last(fit)}, more than {rolling.HISTORY_GAP_DAYS_MAX} days "
            "before: pmconsole models update, then pmconsole models fit"
        )

    def predicted(by: Fit) -> Predicted:
        return learned.predicted(by, _today(by, used, inputs, target, lead), version, predict)

    day_ahead = learned.fit(icao, 1, extreme) if lead == 0 else None
    fits = (fit,) if day_ahead is None else (fit, day_ahead)
    found, *ahead = [predicted(by) for by in fits]
    missing += [f"{source} {why}" for source, why in found.uncounted]
    still = {source for source, _ in found.uncounted}
    counted = {source: one for source, one in used.items() if source not in still}
    for by, one in zip(fits, (found, *ahead), strict=True):
        if fault := _fault(one, [each.f for each in (counted or used).values()]):
            return f"{by.days} days of {icao} give {fault}"
    if fault := _too_few(fit, counted, missing, target):
        return fault
    growth = _growth(found, ahead[0], said) if ahead else None
    sigma = found.sigma if growth is None else growth.sigma_f(_comes_ms(inputs, target))
    law = Temperature(
        found.mean,
        sigma,
        sigma / math.sqrt(min(found.errors, ERRORS_OF_MEAN)),
        sigma / math.sqrt(2 * min(found.errors, ERRORS_OF_SIGMA)),
        found.shape,
    )
    return DayLaw(
        law,
        tuple(
            InputAge(one.source, one.issued_ms, one.stale_after_s)
            for one in counted.values()
            if one.source != FITTED
        ),
        (
            *_evidence(fit, counted, missing, law, learned),
            *_grown(growth),
            *_apart(found),
            *_uncorrected(found),
        ),
        f"{version} {learned.mark}",
        len(counted),
        growth=growth,
        humps=tuple((hump.weight, _hump(hump, law, sigma / found.sigma)) for hump in found.humps),
    )


def _too_few(fit: Fit, counted: Collection[str], missing: Sequence[str], target: Target) -> str:
    """Why the sources that count are no ground for a law, empty where they are."""
    if len(counted) >= SHARE_MIN * len(fit.sources):
        return ""
    whom = f"{target.station.icao} {target.day}"
    return f"{len(counted)} of {len(fit.sources)} sources tell of {whom}: {', '.join(missing)}"


def _growth(last_word: Predicted, day_ahead: Predicted, said: Sequence[Said]) -> Growth:
    """From the same forecasts by the coefficients of either lead."""
    oldest_ms = min(one.issued_ms for one in said)
    return Growth(oldest_ms, last_word.sigma, max(last_word.sigma, day_ahead.sigma))


def _hump(hump: Hump, law: Temperature, wider: float) -> Temperature:
    """Known as well as the law, and as much wider as that is on the day itself."""
    scale = hump.sigma * wider / law.sigma
    return Temperature(hump.mean, law.sigma * scale, law.mean_se * scale, law.sigma_se * scale)


def lasts(learned: Learned, fit: Fit) -> str:
    """The last day of which a fit has a law: later ones are of another season than its recent errors."""
    return shift_day(learned.last(fit), rolling.HISTORY_GAP_DAYS_MAX + fit.lead_days)


def _said(inputs: StationInputs, target: Target, now_ms: int) -> tuple[list[Said], dict[str, str]]:
    """What each source says of the day, and what is wrong with those that say nothing that counts."""
    said, silent = [], dict[str, str]()
    models = [*([inputs.model] if inputs.model is not None else []), *inputs.others.values()]
    told = [
        (one.model, target.of(one.daily_max_f, one.daily_min_f), one.stamp.event_ms, one.stale_after_s)
        for one in models
    ]
    for name, guidance in inputs.guidance.items():
        guessed = target.of(guidance.daily_max_f, guidance.daily_min_f)
        f = float(guessed.f) if guessed is not None else None
        told.append((name, f, guidance.stamp.event_ms, GUIDANCE.stale_after_s))
    for source, f, issued_ms, stale_after_s in told:
        age_ms = now_ms - issued_ms
        if age_ms > stale_after_s * 1000:
            silent[source] = f"{minutes(age_ms)} min old, limit {stale_after_s // 60} min"
        elif f is None:
            silent[source] = "has not all hours of the day"
        elif not plausible(f):
            silent[source] = f"says {f:g}F, which no station sees"
        else:
            said.append(Said(source, f, issued_ms, stale_after_s))
    return said, silent


def _today(fit: Fit, used: dict[str, Said], inputs: StationInputs, target: Target, lead: int) -> Today:
    said = tuple(used[source].f if source in used else None for source in fit.sources)
    main = fit.sources[0]
    if main != FITTED or main not in used or inputs.model is None:
        return Today(target.day, said)
    before = inputs.issues
    issued = [shift_day(target.day, -lead - back) for back in (1, 2)]
    earlier = [before.get(day) for day in issued]
    day_before = shift_day(target.day, -1)
    newest = msgspec.structs.replace(target, day=day_before).of(
        inputs.model.daily_max_f, inputs.model.daily_min_f
    )
    return Today(
        target.day,
        said,
        tuple(target.of(one.daily_max_f, one.daily_min_f) if one is not None else None for one in earlier),
        newest if lead > 0 else None,
    )


def _comes_ms(inputs: StationInputs, target: Target) -> int:
    """When the main model has the day's extreme; the day's end where its hours are not told."""
    hours = target.hours(inputs.model.hourly) if inputs.model is not None else {}
    if not hours:
        return target.end_ms
    outermost = target.outermost(list(hours.values()))
    return min(at_ms for at_ms, f in hours.items() if f == outermost)


def _fault(found: Predicted, said: Sequence[float]) -> str:
    """What is absurd about a law, empty where nothing is."""
    mean, sigma = found.mean, found.sigma
    if not (math.isfinite(mean) and math.isfinite(sigma) and found.errors):
        return "no law: too few recent errors are known"
    if not SIGMA_BOUNDS_F[0] <= sigma <= SIGMA_BOUNDS_F[1]:
        return f"a spread of {sigma:.1f}F, outside {SIGMA_BOUNDS_F[0]:g}..{SIGMA_BOUNDS_F[1]:g}F"
    middle = statistics.median(said)
    if abs(mean - middle) > CORRECTION_MAX_F:
        return f"{mean:.1f}F where the sources say {middle:.1f}F, more than {CORRECTION_MAX_F:g}F apart"
    return ""


def _evidence(
    fit: Fit, used: dict[str, Said], missing: Sequence[str], law: Temperature, learned: Learned
) -> tuple[str, ...]:
    told = ", ".join(f"{source} {used[source].f:.1f}" for source in fit.sources if source in used)
    world = " in SIM" if learned.held.world == "sim" else ""
    return (
        f"{told}F",
        f"{law.mean:.1f}F with spread {law.sigma:.1f}F from {fit.days} days to {learned.last(fit)}{world}, "
        f"lead {fit.lead_days}, coefficients {learned.mark}",
        *([f"without {', '.join(missing)}"] if missing else []),
    )


def _grown(growth: Growth | None) -> tuple[str, ...]:
    if growth is None:
        return ()
    return (
        f"spread between {growth.last_word_f:.1f}F of last words and {growth.day_ahead_f:.1f}F a day ahead",
    )


def _apart(found: Predicted) -> tuple[str, ...]:
    if not found.humps:
        return ()
    each = ", ".join(f"{hump.mean:.1f}F" for hump in found.humps)
    return (f"sources too far apart for one law: half of it is by each alone, {each}",)


def _uncorrected(found: Predicted) -> tuple[str, ...]:
    """What is missing of the forecasts that were made before; a source that is missing itself is told of."""
    names = [name.replace("_", " ") for name in found.uncorrected if not name.startswith(source_term(""))]
    return (f"not corrected by {', '.join(names)}: no forecasts to tell it from",) if names else ()
