"""What an economic release will say: a mixture of laws around what is expected of it.

    F(x) = sum of w T((x - m) / s),    P(figure = g) = F(g + h/2) - F(g - h/2),    h the step of the figure,

with a Student's t around each centre ``m``: the consensus, a nowcast and the operator's own view as entered
(``core/feeds/calendar/views.py``), and the mean of the last figures where enough are known. A centre's
deviation ``s`` is how far figures were from past views of that centre, once ``PAIRS_MIN`` of both are known;
else the one that was entered; else that of the last figures, than which no view is taken to be better before
it has shown it. Without a view there is no price: what figures have been is no forecast. FRED tells them as
they read now, revised, which first ones differ from. Not backtested: past views are in no free source.

The Federal Reserve's decision is two adjacent steps around the expected rate, less a share for the next ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date

import msgspec
import numpy as np

from core.domain.market import Figure, Market
from core.feeds.quotes import SeriesPast
from core.feeds.releases import Centre, View, Views
from core.models import rungs as ladder
from core.models.fair_value import InputAge, NoPrice
from core.models.families import RELEASE_STEPS, Family
from core.models.laws import T_SHAPES, below
from core.models.prediction import Chances, Laws, Part, Prediction, edges

PAIRS_MIN = 24
"""Figures that a deviation is taken from at least."""
LAST = 3
"""Figures whose mean is the model of the last ones."""
WINSOR = 0.1
"""Share of the errors at each end that count as the next one inward: a pandemic is no measure of a month."""
VIEW_STALE_S = 21 * 86_400
"""World seconds after which a view is too old: a survey of one release closes days before it."""
NEXT_STEPS = 0.02
"""Of a rate decision what goes to the steps beyond the two around the expected rate."""
RATE_SD = 0.02
"""Of an entered rate without a deviation, percent."""
LAST_NAME = "last figures"
DAY_MS = 86_400_000


class FigureInputs(msgspec.Struct, frozen=True):
    """What is known of one figure. ``figures`` are past ones by the first day of their period."""

    family: Family
    views: tuple[View, ...] = ()
    figures: Mapping[str, float] = {}


class Around(msgspec.Struct, frozen=True):
    """One centre of the mixture."""

    name: str
    value: float
    sd: float
    weight: float
    pairs: int
    """Past figures that ``sd`` is taken from; 0 where it was entered or lent."""


# --- inputs ---------------------------------------------------------------------------------------


def absorb(held: FigureInputs, value: Views | SeriesPast) -> FigureInputs:
    """``held`` with the views of its figure, or its past where the series is its own."""
    replace = msgspec.structs.replace
    if isinstance(value, Views):
        return replace(held, views=tuple(v for v in value.views if v.kind == held.family.index))
    if value.series != held.family.prints:
        return held
    return replace(held, figures=figures_of(held.family, value.points))


def figures_of(family: Family, points: Sequence[tuple[str, float]]) -> dict[str, float]:
    """Figures as they are released, from the values of their series; a gap leaves the ones beside it out."""
    known = dict(points)
    found: dict[str, float] = {}
    for day, value in points:
        before = known.get(_months_before(day, 12 if family.change == "year-percent" else family.months))
        if family.change == "level":
            figure = value
        elif before is None or (family.change != "difference" and before <= 0):
            continue
        elif family.change == "difference":
            figure = value - before
        else:
            figure = 100.0 * (value / before - 1.0)
        found[day] = round(figure / family.step) * family.step
    return found


def period_of(released: str, months: int) -> str:
    """First day of the period a release is about: the month before, or the quarter before."""
    back = _months_before(f"{released[:7]}-01", months)
    if months == 1:
        return back
    year, month = int(back[:4]), int(back[5:7])
    return f"{year:04d}-{(month - 1) // 3 * 3 + 1:02d}-01"


def _months_before(day: str, months: int) -> str:
    at = int(day[:4]) * 12 + int(day[5:7]) - 1 - months
    return f"{at // 12:04d}-{at % 12 + 1:02d}-{day[8:]}"


# --- prediction -----------------------------------------------------------------------------------


def predict(
    markets: Sequence[Market], figure: Figure, inputs: FigureInputs, now_ms: int
) -> Prediction | NoPrice:
    """Markets of one event on one figure."""
    event, family = markets[0].event_ticker, inputs.family
    if any(market.figure != figure for market in markets):
        return NoPrice(event, "its markets settle on different figures")
    views = _current(inputs.views, figure.released)
    if not views:
        return NoPrice(event, _none_entered(figure))
    old = next((v for v in views if now_ms > _entered_ms(v) + VIEW_STALE_S * 1000), None)
    views = [v for v in views if now_ms <= _entered_ms(v) + VIEW_STALE_S * 1000]
    if not views:
        assert old is not None
        return NoPrice(event, f"the {old.centre.value} of {old.entered} is old; {_none_entered(figure)}")
    found = ladder.rungs(markets, family.step * figure.scale, signed=True)
    if isinstance(found, str):
        return NoPrice(event, found)
    says: Laws | Chances
    if family.model == RELEASE_STEPS:
        says, mean, spread, told = _steps(views, found, family.step)
    else:
        centres = mixture(inputs, views)
        if isinstance(centres, str):
            return NoPrice(event, f"{figure.name} of {figure.released}: {centres}")
        says, mean, spread, told = _laws(centres, found, family, figure.scale)
    return Prediction(
        event_ticker=event,
        tickers=tuple(rung.ticker for rung in found),
        exclusive=ladder.exclusive(markets),
        says=says,
        model=family.model,
        version=f"{family.model}-1",
        mean=mean,
        spread=spread,
        inputs=tuple(InputAge(f"{v.centre.value} ({v.source})", _entered_ms(v), VIEW_STALE_S) for v in views),
        computed_ms=now_ms,
        evidence=(f"{figure.name} of {figure.released}: {mean:.3g}", *told),
        why=f"{figure.name} of {figure.released}: {mean:.3g}",
        sources=len(views),
    )


def _none_entered(figure: Figure) -> str:
    return (
        f"nobody has entered what {figure.name} of {figure.released} is expected to be: pmconsole view "
        f"{figure.name} {figure.released} consensus VALUE SOURCE"
    )


def _current(views: Sequence[View], released: str) -> list[View]:
    """The last entry of each centre for one release, in the order of the centres."""
    last = {view.centre: view for view in views if view.released == released}
    return [last[centre] for centre in Centre if centre in last]


def _entered_ms(view: View) -> int:
    """The first instant of that day in UTC: a view never looks newer than it is."""
    return (date.fromisoformat(view.entered) - date(1970, 1, 1)).days * DAY_MS


def mixture(inputs: FigureInputs, views: Sequence[View]) -> tuple[Around, ...] | str:
    """The centres with deviation and weight, of sum one; or why a view has no deviation."""
    last = last_figures(inputs)
    made: list[tuple[Around, float | None]] = []
    for view in views:
        errors = _past_errors(inputs, view)
        sd, pairs = view.sd, 0
        if len(errors) >= PAIRS_MIN:
            sd, pairs = winsorised(errors), len(errors)
        elif sd is None and last is not None:
            sd = last.sd
        if sd is None:
            return (
                f"the {view.centre.value} has no deviation, and {len(errors)} past views and "
                f"{len(inputs.figures)} past figures are too few for one: enter it with --sd"
            )
        sd = max(sd, inputs.family.step / math.sqrt(12.0))
        score = _score(errors, sd, inputs.family) if pairs else None
        made.append((Around(view.centre.value, view.value, sd, 0.0, pairs), score))
    if last is not None:
        made.append((last, _score(_last_errors(inputs), last.sd, inputs.family)))
    weights = shrunk([score for _, score in made])
    return tuple(
        msgspec.structs.replace(one, weight=weight) for (one, _), weight in zip(made, weights, strict=True)
    )


def last_figures(inputs: FigureInputs) -> Around | None:
    """What the last figures say of the next one; ``None`` where too few are known."""
    errors = _last_errors(inputs)
    if len(errors) < PAIRS_MIN:
        return None
    known = [inputs.figures[day] for day in sorted(inputs.figures)][-LAST:]
    sd = max(winsorised(errors), inputs.family.step / math.sqrt(12.0))
    return Around(LAST_NAME, math.fsum(known) / LAST, sd, 0.0, len(errors))


def winsorised(errors: Sequence[float]) -> float:
    """Root mean square, the outermost ``WINSOR`` at each end taken as the next one inward."""
    ranked, cut = sorted(errors), int(WINSOR * len(errors))
    low, high = ranked[cut], ranked[-1 - cut]
    return math.sqrt(math.fsum(min(max(e, low), high) ** 2 for e in ranked) / len(ranked))


def shrunk(scores: Sequence[float | None]) -> tuple[float, ...]:
    """Weights of sum one from mean logarithms of what was given to what came: half of each is an equal share.
    Where one has no record all are equal."""
    count = len(scores)
    known = [score for score in scores if score is not None]
    if len(known) < count:
        return (1.0 / count,) * count
    gave = [math.exp(score - max(known)) for score in known]
    whole = math.fsum(gave)
    return tuple(0.5 / count + 0.5 * one / whole for one in gave)


def _past_errors(inputs: FigureInputs, view: View) -> list[float]:
    """Figure less view of the same centre, for every earlier release of which both are known."""
    last = {v.released: v.value for v in inputs.views if v.centre is view.centre}
    found = []
    for released, value in last.items():
        figure = inputs.figures.get(period_of(released, inputs.family.months))
        if released < view.released and figure is not None:
            found.append(figure - value)
    return found


def _last_errors(inputs: FigureInputs) -> list[float]:
    known = [inputs.figures[day] for day in sorted(inputs.figures)]
    return [known[at] - math.fsum(known[at - LAST : at]) / LAST for at in range(LAST, len(known))]


def _score(errors: Sequence[float], sd: float, family: Family) -> float:
    """Mean logarithm of the probability that was given to the figure that came."""
    shape = T_SHAPES[family.degrees]
    off, scale, half = np.array(errors), sd / shape.deviation, family.step / 2
    gave = below(shape, (off + half) / scale) - below(shape, (off - half) / scale)
    return math.fsum(np.log(np.maximum(gave, 1e-6))) / len(errors)


def _laws(
    centres: Sequence[Around], rungs: Sequence[ladder.Rung], family: Family, scale: float
) -> tuple[Laws, float, float, tuple[str, ...]]:
    shape = T_SHAPES[family.degrees]
    lower, upper = edges([(rung.lower, rung.upper) for rung in rungs])
    parts = tuple(
        Part(
            shape=shape,
            location=one.value * scale,
            scale=one.sd * scale / shape.deviation,
            lower=lower,
            upper=upper,
            weight=one.weight,
            location_error=one.sd * scale / math.sqrt(one.pairs or PAIRS_MIN),
            scale_error=1.0 / math.sqrt(2.0 * (one.pairs or PAIRS_MIN / 4)),
        )
        for one in centres
    )
    mean = math.fsum(one.weight * one.value for one in centres)
    spread = math.sqrt(math.fsum(o.weight * (o.sd**2 + (o.value - mean) ** 2) for o in centres))
    return Laws(parts), mean, spread, tuple(map(_told, centres))


def _told(one: Around) -> str:
    seen = f"{one.pairs} past" if one.pairs else "not measured"
    return f"{one.name} {one.value:.4g} +- {one.sd:.2g} ({seen}), weight {one.weight:.2f}"


# --- rate decisions -------------------------------------------------------------------------------


def _steps(
    views: Sequence[View], rungs: Sequence[ladder.Rung], step: float
) -> tuple[Chances, float, float, tuple[str, ...]]:
    """Views count alike; half of how far they are apart is error, beside that of a rate."""
    each = [decisions(view.value, step) for view in views]
    paid = [[_paid(masses, rung) for masses in each] for rung in rungs]
    sds = [view.sd if view.sd is not None else RATE_SD for view in views]
    off = max(sds) / step
    probabilities = tuple(math.fsum(of) / len(of) for of in paid)
    errors = tuple(
        math.hypot((max(of) - min(of)) / 2, NEXT_STEPS / 2, off if NEXT_STEPS < p < 1 - NEXT_STEPS else 0.0)
        for of, p in zip(paid, probabilities, strict=True)
    )
    mean = math.fsum(view.value for view in views) / len(views)
    told = tuple(f"{view.centre.value} {view.value:.4g} ({view.source})" for view in views)
    return Chances(probabilities, errors), mean, max(sds), told


def decisions(rate: float, step: float) -> Mapping[int, float]:
    """Probabilities of the rates a decision may lead to, in steps, from the expected one."""
    at = rate / step
    low = math.floor(at + 1e-9)
    up = max(0.0, at - low)
    high = low + 1 if up > 0 else low
    masses = {low - 1: NEXT_STEPS / 2, high + 1: NEXT_STEPS / 2}
    masses[low] = (1.0 - NEXT_STEPS) * (1.0 - up)
    if up > 0:
        masses[high] = (1.0 - NEXT_STEPS) * up
    return masses


def _paid(masses: Mapping[int, float], rung: ladder.Rung) -> float:
    return math.fsum(
        mass
        for at, mass in masses.items()
        if (rung.low is None or at >= rung.low) and (rung.high is None or at <= rung.high)
    )
