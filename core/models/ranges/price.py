"""From an index's inputs to a prediction: the law of its mean under one event of any strikes, or why there is
no price."""

from __future__ import annotations

import math
from collections.abc import Sequence

from core.domain.market import IndexMean, Market
from core.feeds import crypto
from core.feeds.quotes import Quote
from core.models.fair_value import InputAge, NoPrice
from core.models.families import RANGE_AVERAGE
from core.models.laws import Shape
from core.models.prediction import Ends, Laws, Part, Prediction, edges
from core.models.ranges import rungs as ladder
from core.models.ranges.averaging import SECOND_MS, Known, Law, Running, law, running
from core.models.ranges.inputs import IndexInputs
from core.models.ranges.refusal import RefusedError, check_age, seconds
from core.models.ranges.smile import Smile, smile_of
from core.models.ranges.volatility import implied_per_s, percent_a_year

VERSION = f"{RANGE_AVERAGE}-1"
GAP_S = 2
"""Values missing from a closing window up to which its mean is still what the venue will say."""
APART_MAX = 0.01
"""How far the index may be from the exchanges' books."""
VOLATILITY_PERCENT = (2.0, 400.0)
VOLATILITIES_APART = 4.0
"""More often than this the one is of another market than the other, or wrong."""
IMPLIED_ERROR = 0.25
"""Of an implied volatility of 30 days for the minutes to come: a prior, not measured."""
SMILE_ERROR = 0.15
"""Of the volatility of options of about the horizon: a prior, not measured."""
REALISED_ERROR = 0.15
"""Of past returns for what comes, beside the error of their number."""


def predict(markets: Sequence[Market], inputs: IndexInputs | None, now_ms: int) -> Prediction | NoPrice:
    """What one event settles at, as seen at ``now_ms`` (world time); ``markets`` are all of it."""
    event = markets[0].event_ticker if markets else ""
    try:
        return _predict(markets, inputs, now_ms)
    except RefusedError as refusal:
        return NoPrice(event, str(refusal))


def _predict(markets: Sequence[Market], inputs: IndexInputs | None, now_ms: int) -> Prediction:
    if doubt := next((market.doubt for market in markets if market.doubt), ""):
        raise RefusedError(doubt)
    mean = _settles_on(markets)
    found = ladder.rungs(markets, mean.precision)
    if isinstance(found, str):
        raise RefusedError(found)
    if inputs is None:
        raise RefusedError(f"settles on {mean.index}, an index without a model")
    if now_ms >= mean.ends_ms:
        raise RefusedError(f"the mean of {mean.index} is complete; it settles on that")
    index = inputs.index
    if index is None:
        raise RefusedError(f"no value of {mean.index} from {inputs.family.source} yet")
    ages = [_age(f"{mean.index} ({index.source})", index)]
    check_age(ages[0], now_ms)
    if inputs.doubted is not None:
        before = inputs.realised.last
        raise RefusedError(f"{mean.index} jumped from {before:.2f} to {index.value:.2f}: not believed yet")
    evidence = [f"{mean.index} {index.value:.2f}", *_confirmed(inputs, index, now_ms)]

    state = _running(mean, index, inputs)
    smile = _smile(inputs, state, mean, now_ms)
    if isinstance(smile, Smile):
        variance, relative, words, age = _of_smile(inputs, smile)
    else:
        variance, relative, words, age = _variance(inputs, now_ms)
        words += f", no smile: {smile}" if smile else ""
    ages += [age] if age is not None else []
    evidence.append(words)
    settled = law(state, variance, inputs.family.degrees)
    if state.counted:
        evidence.append(f"{state.counted} of {mean.seconds} values in, mean {state.mean:.2f}")
    shape = "by the smile" if isinstance(smile, Smile) else f"t, {settled.degrees} degrees"
    evidence.append(f"settles at {state.expected:.2f} +- {settled.spread:.2f} ({shape})")

    ends = tuple((rung.lower, rung.upper) for rung in found)
    return Prediction(
        event_ticker=markets[0].event_ticker,
        tickers=tuple(rung.ticker for rung in found),
        exclusive=ladder.exclusive(markets),
        says=Laws((_part(settled, ends, relative, smile),)),
        model=RANGE_AVERAGE,
        version=VERSION,
        mean=state.expected,
        spread=settled.spread,
        inputs=tuple(ages),
        computed_ms=now_ms,
        evidence=tuple(evidence),
        why=evidence[0],
    )


def _settles_on(markets: Sequence[Market]) -> IndexMean:
    mean = markets[0].mean if markets else None
    if mean is None:
        raise RefusedError("no mean of an index in the rules")
    for market in markets:
        if market.mean != mean:
            raise RefusedError(f"{market.label} settles on another mean than its event's other markets")
    return mean


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


def _of_smile(inputs: IndexInputs, smile: Smile) -> tuple[float, float, str, InputAge | None]:
    """As ``_variance``: options of about the horizon know more of it than an index of thirty days."""
    _check_volatility(smile.percent, "its options")
    _check_apart(inputs, smile.percent, "the volatility of its options")
    words = f"volatility {smile.percent:.1f}% and skew {smile.slope:+.2f} of {smile.strikes} strikes"
    return implied_per_s(smile.percent), SMILE_ERROR, words, smile.age


def _part(settled: Law, ends: Ends, relative: float, smile: Smile | str) -> Part:
    if isinstance(smile, str):
        return settled.part(ends, relative)
    lower, upper = (
        smile.edges(side, settled.deviation)
        for side in edges([(settled.at(low), settled.at(high)) for low, high in ends])
    )
    return Part(Shape.NORMAL, 0.0, 1.0, lower, upper, scale_error=relative)


def _check_apart(inputs: IndexInputs, percent: float, whose: str) -> str:
    """What its own returns say beside an implied volatility, in words."""
    own = inputs.realised.variance_per_s
    if own is None:
        return ""
    ours = percent_a_year(own)
    if not 1 / VOLATILITIES_APART <= percent / ours <= VOLATILITIES_APART:
        raise RefusedError(f"{whose} is {percent:.0f}%, {inputs.family.index}'s returns {ours:.0f}%")
    return f", its returns {ours:.1f}%"


def _variance(inputs: IndexInputs, now_ms: int) -> tuple[float, float, str, InputAge | None]:
    """Relative variance of a second, the relative error of its root, where it is from, and that one's age."""
    own, implied = inputs.realised.variance_per_s, inputs.implied
    fresh = implied is not None and (now_ms - implied.stamp.event_ms) <= implied.stale_after_s * 1000
    if implied is None or not fresh:
        if own is None:
            raise RefusedError(_no_volatility(inputs, now_ms))
        _check_volatility(percent_a_year(own), "its returns")
        error = math.hypot(REALISED_ERROR, 1 / math.sqrt(2 * inputs.realised.returns))
        return own, error, f"volatility {percent_a_year(own):.1f}% from its returns", None
    _check_volatility(implied.percent, implied.name)
    words = f"volatility {implied.percent:.1f}% ({implied.name})"
    words += _check_apart(inputs, implied.percent, implied.name)
    age = InputAge(f"{implied.name} ({implied.source})", implied.stamp.event_ms, implied.stale_after_s)
    return implied_per_s(implied.percent), IMPLIED_ERROR, words, age


def _no_volatility(inputs: IndexInputs, now_ms: int) -> str:
    few = f"{inputs.realised.returns:.0f} returns of {inputs.family.index} seen"
    implied = inputs.implied
    if implied is None:
        return f"no volatility: no {inputs.family.implied or 'implied one'} yet, {few}"
    age_s = seconds(now_ms - implied.stamp.event_ms)
    return f"no volatility: {implied.name} is {age_s} s old, limit {implied.stale_after_s} s; {few}"


def _check_volatility(percent: float, whose: str) -> None:
    low, high = VOLATILITY_PERCENT
    if not low <= percent <= high:
        raise RefusedError(f"a volatility of {percent:.0f}% from {whose} is outside {low:g} to {high:g}%")


def _age(name: str, quote: Quote) -> InputAge:
    return InputAge(name, quote.stamp.event_ms, quote.stale_after_s)
