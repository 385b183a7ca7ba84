"""From what is known of a price to a prediction: its law at a stated time under one event of any strikes, or
why there is no price.

The logarithm of the price follows a Student's t whose variance is a day's, implied or seen, times the days of
variance that are left by the family's clock (``hours.py``), with what scheduled releases add.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from core.domain.market import Fixing, Market
from core.feeds.hours import FX_WEEK, US_SESSION, new_york_offset_ms
from core.feeds.merge import merged
from core.feeds.pairs import PAIRS
from core.feeds.quotes import Quote
from core.feeds.releases import Due
from core.feeds.stations import DAY_MS, HOUR_MS
from core.models.fair_value import InputAge, NoPrice
from core.models.families import NYSE, RANGE_PRICE, Family
from core.models.laws import T_SHAPES
from core.models.prediction import Laws, Part, Prediction, edges
from core.models.ranges import rungs as ladder
from core.models.ranges import sessions
from core.models.ranges.hours import days_a_year, variance_days
from core.models.ranges.price_inputs import PriceInputs
from core.models.ranges.refusal import RefusedError, check_age, seconds

VERSION = f"{RANGE_PRICE}-1"
SOURCES_APART_MAX = 0.005
"""How far two sources of an index may be apart."""
VOLATILITY_PERCENT = (1.0, 200.0)
VOLATILITIES_APART = 4.0
"""More often than this the one is of another market than the other, or wrong."""
IMPLIED_ERROR = 0.15
"""Of a scaled implied volatility for the rest of a day: a prior, not measured."""
REALISED_ERROR = 0.15
"""Of past returns for what comes, beside the error of their number."""
USUAL_RETURNS = 4.0
"""What the usual volatility counts for: its logarithm had a deviation of a third from year to year."""
CALM_PIPS, RELEASE_PIPS = 0.5, 3.0
"""Deviation of another provider's price of the same second, usually and at a release."""
_RELEASE_MS = 60_000
_TEN_MS = 10 * HOUR_MS
"""Releases come at ten in New York too, of which no calendar here tells."""


def predict(markets: Sequence[Market], inputs: PriceInputs | None, now_ms: int) -> Prediction | NoPrice:
    """What one event settles at, as seen at ``now_ms`` (world time); ``markets`` are all of it."""
    event = markets[0].event_ticker if markets else ""
    try:
        return _predict(markets, inputs, now_ms)
    except RefusedError as refusal:
        return NoPrice(event, str(refusal))


def _predict(markets: Sequence[Market], inputs: PriceInputs | None, now_ms: int) -> Prediction:
    fixing = _settles_on(markets)
    found = ladder.rungs(markets, fixing.precision)
    if isinstance(found, str):
        raise RefusedError(found)
    if inputs is None:
        raise RefusedError(f"settles on {fixing.name}, a price without a model")
    if now_ms >= fixing.at_ms:
        raise RefusedError(f"the time of its value of {fixing.name} is past; it settles on that")
    family = inputs.family
    _check_open(family, fixing)
    spot, words = _spot(inputs, now_ms)
    if inputs.doubted is not None:
        before, after = inputs.realised.last, inputs.doubted.value
        raise RefusedError(f"{fixing.name} jumped from {before:.6g} to {after:.6g}: not believed yet")
    ages = [InputAge(f"{fixing.name} ({spot.source})", spot.stamp.event_ms, spot.stale_after_s)]
    check_age(ages[0], now_ms)
    daily, relative, volatility, implied = _day_variance(inputs, now_ms)
    ages += implied
    left = _left(inputs, spot.stamp.event_ms, fixing.at_ms)
    noise = family.pip * _noise_pips(fixing, inputs.due) / spot.value
    deviation = math.sqrt(daily * left + noise**2)
    if not deviation > 0:
        raise RefusedError(f"nothing of {fixing.name} moves before its value by its clock")
    spread = spot.value * deviation
    evidence = (
        f"{fixing.name} {spot.value:.6g}",
        words,
        volatility,
        f"{left:.3f} days of variance left",
        f"settles at {spot.value:.6g} +- {spread:.3g} (t, {family.degrees} degrees)",
    )
    return Prediction(
        event_ticker=markets[0].event_ticker,
        tickers=tuple(rung.ticker for rung in found),
        exclusive=ladder.exclusive(markets),
        says=Laws((_part(found, spot.value, deviation, relative, family.degrees),)),
        model=RANGE_PRICE,
        version=VERSION,
        mean=spot.value,
        spread=spread,
        inputs=tuple(ages),
        computed_ms=now_ms,
        evidence=evidence,
        why=evidence[0],
    )


def _part(found: Sequence[ladder.Rung], spot: float, deviation: float, relative: float, degrees: int) -> Part:
    """Where outcomes lie on the law of the price's logarithm against the spot's."""

    def at(edge: float | None) -> float | None:
        if edge is None:
            return None
        return math.log(edge / spot) if edge > 0 else -math.inf

    lower, upper = edges([(at(rung.lower), at(rung.upper)) for rung in found])
    shape = T_SHAPES[degrees]
    drift = -(deviation**2)
    scale = deviation / shape.deviation
    return Part(shape, drift / 2, scale, lower, upper, scale_error=relative, drift=drift)


def _settles_on(markets: Sequence[Market]) -> Fixing:
    if doubt := next((market.doubt for market in markets if market.doubt), ""):
        raise RefusedError(doubt)
    fixing = markets[0].fixing if markets else None
    if fixing is None:
        raise RefusedError("no published price in the rules")
    for market in markets:
        if market.fixing != fixing:
            raise RefusedError(f"{market.label} settles on another value than its event's other markets")
    return fixing


def _check_open(family: Family, fixing: Fixing) -> None:
    """A value is published while its market trades; at the very close too."""
    local = datetime.fromtimestamp((fixing.at_ms + new_york_offset_ms(fixing.at_ms)) / 1000, UTC)
    when = f"{local:%b} {local.day} {local:%H:%M} New York time"
    if family.clock != NYSE:
        if not FX_WEEK.is_open(fixing.at_ms - 1):
            raise RefusedError(f"foreign exchange is closed on {when}")
        return
    try:
        session = sessions.nyse().of(local.date())
    except ValueError as unknown:
        raise RefusedError(str(unknown)) from None
    if session is None or not session.opens_ms < fixing.at_ms <= session.closes_ms:
        raise RefusedError(f"New York's exchanges do not trade on {when}")


def _left(inputs: PriceInputs, from_ms: int, to_ms: int) -> float:
    """Days of variance between the spot and the value."""
    try:
        return variance_days(inputs.family, from_ms, to_ms, inputs.due)
    except ValueError as unknown:
        raise RefusedError(str(unknown)) from None


def _spot(inputs: PriceInputs, now_ms: int) -> tuple[Quote, str]:
    """What it is worth now, and how that is confirmed."""
    name, quotes = inputs.family.index, inputs.quotes.values()
    if not quotes:
        raise RefusedError(f"no value of {name} yet")
    if name in PAIRS:
        found = merged(name, quotes, now_ms)
        if found.quote is None:
            raise RefusedError(f"{name}: {found.why}")
        return found.quote, found.why
    if not US_SESSION.is_open(now_ms):
        words = US_SESSION.opens_words(now_ms)
        raise RefusedError(f"New York's exchanges are closed, {name} has no price now; {words}")
    best = max(quotes, key=lambda quote: (quote.stamp.event_ms, quote.source))
    for other in quotes:
        fresh = now_ms - other.stamp.event_ms <= other.stale_after_s * 1000
        if fresh and abs(math.log(other.value / best.value)) > SOURCES_APART_MAX:
            raise RefusedError(
                f"{name}: {best.source} says {best.value:.6g}, but {other.source} {other.value:.6g}: no price"
            )
    return best, f"{best.source} alone" if len(quotes) == 1 else f"{len(quotes)} sources agree"


def _day_variance(inputs: PriceInputs, now_ms: int) -> tuple[float, float, str, list[InputAge]]:
    """Relative variance of a day, the relative error of its root, where it is from, and that one's age."""
    family, own, implied = inputs.family, _own(inputs), inputs.implied
    if implied is not None and now_ms - implied.stamp.event_ms <= implied.stale_after_s * 1000:
        percent = family.factor * implied.value
        _check_volatility(percent, implied.name)
        words = f"volatility {percent:.1f}% ({family.factor:g} of {implied.name})"
        if own is not None:
            ours = _percent_a_year(family, own)
            if not 1 / VOLATILITIES_APART <= percent / ours <= VOLATILITIES_APART:
                raise RefusedError(
                    f"{implied.name} says {percent:.0f}%, {family.index}'s returns {ours:.0f}%"
                )
            words += f", its returns {ours:.1f}%"
        age = InputAge(f"{implied.name} ({implied.source})", implied.stamp.event_ms, implied.stale_after_s)
        return _a_day(family, percent), IMPLIED_ERROR, words, [age]
    returns = inputs.realised.returns
    if family.usual:
        usual = _a_day(family, family.usual)
        seen = (
            inputs.realised.squares / inputs.realised.seconds * DAY_MS / 1000
            if inputs.realised.seconds
            else 0.0
        )
        variance = (usual * USUAL_RETURNS + seen * returns) / (USUAL_RETURNS + returns)
        error = math.hypot(REALISED_ERROR, 1 / math.sqrt(2 * (USUAL_RETURNS + returns)))
        percent = _percent_a_year(family, variance)
        _check_volatility(percent, "its returns")
        return variance, error, f"volatility {percent:.1f}%: {returns:.0f} returns beside the usual", []
    if own is None:
        raise RefusedError(_no_volatility(inputs, now_ms))
    percent = _percent_a_year(family, own)
    _check_volatility(percent, "its returns")
    error = math.hypot(REALISED_ERROR, 1 / math.sqrt(2 * returns))
    return own, error, f"volatility {percent:.1f}% from its returns", []


def _own(inputs: PriceInputs) -> float | None:
    """Relative variance of a day by its own returns; ``None`` before there are enough."""
    a_second = inputs.realised.variance_per_s
    return a_second * DAY_MS / 1000 if a_second is not None else None


def _no_volatility(inputs: PriceInputs, now_ms: int) -> str:
    few = f"{inputs.realised.returns:.0f} returns of {inputs.family.index} seen"
    implied = inputs.implied
    if implied is None:
        wanted = f"no {inputs.family.implied} yet, " if inputs.family.implied else ""
        return f"no volatility: {wanted}{few}"
    age_s = seconds(now_ms - implied.stamp.event_ms)
    return f"no volatility: {implied.name} is {age_s} s old, limit {implied.stale_after_s} s; {few}"


def _check_volatility(percent: float, whose: str) -> None:
    low, high = VOLATILITY_PERCENT
    if not low <= percent <= high:
        raise RefusedError(f"a volatility of {percent:.3g}% from {whose} is outside {low:g} to {high:g}%")


def _a_day(family: Family, percent: float) -> float:
    return (percent / 100) ** 2 / days_a_year(family)


def _percent_a_year(family: Family, daily: float) -> float:
    return math.sqrt(daily * days_a_year(family)) * 100


def _noise_pips(fixing: Fixing, due: Sequence[Due]) -> float:
    into_day_ms = (fixing.at_ms + new_york_offset_ms(fixing.at_ms)) % DAY_MS
    release = any(abs(one.at_ms - fixing.at_ms) <= _RELEASE_MS for one in due)
    return RELEASE_PIPS if release or into_day_ms == _TEN_MS else CALM_PIPS
