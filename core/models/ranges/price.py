"""From an index's inputs to a prediction: the law of its mean under one event of any strikes, or why there is
no price."""

from __future__ import annotations

from collections.abc import Sequence

from core.domain.market import IndexMean, Market
from core.feeds import crypto
from core.feeds.quotes import Quote
from core.models.fair_value import NoPrice
from core.models.families import RANGE_AVERAGE
from core.models.laws import Shape
from core.models.prediction import Ends, Part, Prediction, edges
from core.models.ranges.averaging import SECOND_MS, Known, Law, Running, law, running
from core.models.ranges.believed import Believed, Own
from core.models.ranges.event import age_of, check_age, check_moves, placed, predicted, settles_on
from core.models.ranges.inputs import IndexInputs
from core.models.ranges.smile import Smile, smile_of
from core.models.refusal import RefusedError, attempted

VERSION = f"{RANGE_AVERAGE}-1"
GAP_S = 2
"""Values missing from a closing window up to which its mean is still what the venue will say."""
APART_MAX = 0.01
"""How far the index may be from the exchanges' books."""
VOLATILITY_PERCENT = (2.0, 400.0)
IMPLIED_ERROR = 0.25
"""Of an implied volatility of 30 days for the minutes to come: a prior, not measured."""
SMILE_ERROR = 0.15
"""Of the volatility of options of about the horizon: a prior, not measured."""


def predict(markets: Sequence[Market], inputs: IndexInputs | None, now_ms: int) -> Prediction | NoPrice:
    """What one event settles at, as seen at ``now_ms`` (world time); ``markets`` are all of it."""
    return attempted(markets, lambda: _predict(markets, inputs, now_ms))


def _predict(markets: Sequence[Market], inputs: IndexInputs | None, now_ms: int) -> Prediction:
    mean = settles_on(markets, lambda market: market.mean, "no mean of an index in the rules", "mean")
    found = placed(markets, mean.precision)
    if inputs is None:
        raise RefusedError(f"settles on {mean.index}, an index without a model")
    if now_ms >= mean.ends_ms:
        raise RefusedError(f"the mean of {mean.index} is complete; it settles on that")
    index = inputs.index
    if index is None:
        raise RefusedError(f"no value of {mean.index} from {inputs.family.source} yet")
    age = age_of(mean.index, index)
    check_age(age, now_ms)
    if inputs.doubted is not None:
        before = inputs.realised.last
        raise RefusedError(f"{mean.index} jumped from {before:.2f} to {index.value:.2f}: not believed yet")
    check_moves(mean.index, inputs.realised)
    evidence = [f"{mean.index} {index.value:.2f}", *_confirmed(inputs, index, now_ms)]

    state = _running(mean, index, inputs)
    smile = _smile(inputs, state, mean, now_ms)
    moves = _moves(inputs, smile, now_ms)
    unsmiling = f", no smile: {smile}" if isinstance(smile, str) and smile else ""
    evidence.append(moves.words + unsmiling)
    settled = law(state, moves.variance_per_s, inputs.family.degrees)
    if state.counted:
        evidence.append(f"{state.counted} of {mean.seconds} values in, mean {state.mean:.2f}")
    shape = "by the smile" if isinstance(smile, Smile) else f"t, {settled.degrees} degrees"
    evidence.append(f"settles at {state.expected:.2f} +- {settled.spread:.2f} ({shape})")

    ends = tuple((rung.lower, rung.upper) for rung in found)
    return predicted(
        markets,
        found,
        _part(settled, ends, moves.error, smile),
        model=RANGE_AVERAGE,
        version=VERSION,
        mean=state.expected,
        spread=settled.spread,
        ages=(age, *moves.ages),
        evidence=evidence,
        now_ms=now_ms,
    )


def _confirmed(inputs: IndexInputs, index: Quote, now_ms: int) -> list[str]:
    """What the exchanges' books say of the index; it is no input, but far from it nothing is believed."""
    found = crypto.reference(inputs.family.check, inputs.books, now_ms)
    if isinstance(found, str):
        return [f"not confirmed: {found}"]
    apart = index.value / found.value - 1
    if abs(apart) > APART_MAX:
        raise RefusedError(
            f"{index.name} {index.value:.2f} and the exchanges' {found.value:.2f} are {abs(apart):.1%} apart"
        )
    return [f"exchanges {apart * -10_000:+.1f} bp from it"]


def _running(mean: IndexMean, index: Quote, inputs: IndexInputs) -> Running:
    """The mean as far as the venue says it has come, where its window has begun."""
    at_ms, begins_ms = index.stamp.event_ms, mean.ends_ms - mean.seconds * SECOND_MS
    gone = (at_ms - begins_ms) // SECOND_MS
    if gone <= 0:
        return running(index.value, at_ms, mean.ends_ms, mean.seconds, None)
    told = inputs.settling
    # A second more or less: venues count one end of the window in and the other out.
    ours = told is not None and abs(told.ends_ms - mean.ends_ms) <= SECOND_MS and told.of == mean.seconds
    if not ours and gone == 1:  # a value between the seconds overtook the first one that counts
        return running(index.value, at_ms, mean.ends_ms, mean.seconds, Known(0, 0.0, begins_ms))
    # The mean comes with the value of a second; values between the seconds come without.
    if told is None or not ours or not 0 <= at_ms - told.stamp.event_ms <= GAP_S * SECOND_MS:
        raise RefusedError(f"{gone} s of the closing {mean.seconds} s are over and their mean is not told")
    if gone - told.seconds > GAP_S or told.seconds > gone + 1:
        raise RefusedError(f"the closing mean holds {told.seconds} of {gone} values")
    known = Known(told.seconds, told.value, told.stamp.event_ms)
    return running(index.value, at_ms, mean.ends_ms, mean.seconds, known)


def _smile(inputs: IndexInputs, state: Running, mean: IndexMean, now_ms: int) -> Smile | str:
    """The skew of its options, why they give none, or nothing where none are read or the window has begun."""
    if not inputs.options or state.counted:
        return ""
    return smile_of(inputs.options.values(), now_ms, mean.ends_ms)


def _part(settled: Law, ends: Ends, relative: float, smile: Smile | str) -> Part:
    if isinstance(smile, str):
        return settled.part(ends, relative)
    lower, upper = (
        smile.edges(side, settled.deviation)
        for side in edges([(settled.at(low), settled.at(high)) for low, high in ends])
    )
    return Part(Shape.NORMAL, 0.0, 1.0, lower, upper, scale_error=relative)


def _moves(inputs: IndexInputs, smile: Smile | str, now_ms: int) -> Believed:
    """Options of about the horizon know more than an index of thirty days, and that more than returns."""
    own, implied = Own(inputs.family, inputs.realised, VOLATILITY_PERCENT), inputs.implied
    if isinstance(smile, Smile):
        words = f"volatility {smile.percent:.1f}% and skew {smile.slope:+.2f} of {smile.strikes} strikes"
        return own.implied(smile.percent, "the smile of its options", SMILE_ERROR, words, smile.age)
    if implied is not None and (age := age_of(implied.name, implied)).fresh(now_ms):
        words = f"volatility {implied.percent:.1f}% ({implied.name})"
        return own.implied(implied.percent, implied.name, IMPLIED_ERROR, words, age)
    if (believed := own.returns()) is None:
        raise own.unknown(implied, now_ms)
    return believed
