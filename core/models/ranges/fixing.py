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
from core.models.fair_value import NoPrice
from core.models.families import NYSE, RANGE_PRICE, Family
from core.models.laws import T_SHAPES
from core.models.prediction import Part, Prediction, edges
from core.models.ranges import sessions
from core.models.ranges.believed import Believed, Own
from core.models.ranges.event import age_of, check_age, check_moves, placed, predicted, settles_on
from core.models.ranges.hours import variance_days
from core.models.ranges.price_inputs import PriceInputs
from core.models.ranges.volatility import DAY_S
from core.models.refusal import RefusedError, attempted
from core.models.rungs import Rung

VERSION = f"{RANGE_PRICE}-1"
SOURCES_APART_MAX = 0.005
"""How far two sources of an index may be apart."""
VOLATILITY_PERCENT = (1.0, 200.0)
IMPLIED_ERROR = 0.15
"""Of a scaled implied volatility for the rest of a day: a prior, not measured."""
USUAL_RETURNS = 4.0
"""What the usual volatility counts for: its logarithm had a deviation of a third from year to year."""
CALM_PIPS, RELEASE_PIPS = 0.5, 3.0
"""Deviation of another provider's price of the same second, usually and at a release."""
_RELEASE_MS = 60_000
_TEN_MS = 10 * HOUR_MS
"""Releases come at ten in New York too, of which no calendar here tells."""


def predict(markets: Sequence[Market], inputs: PriceInputs | None, now_ms: int) -> Prediction | NoPrice:
    """What one event settles at, as seen at ``now_ms`` (world time); ``markets`` are all of it."""
    return attempted(markets, lambda: _predict(markets, inputs, now_ms))


def _predict(markets: Sequence[Market], inputs: PriceInputs | None, now_ms: int) -> Prediction:
    fixing = settles_on(markets, lambda market: market.fixing, "no published price in the rules", "value")
    found = placed(markets, fixing.precision)
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
    age = age_of(fixing.name, spot)
    check_age(age, now_ms)
    check_moves(fixing.name, inputs.realised)
    moves = _moves(inputs, now_ms)
    left = _left(inputs, spot.stamp.event_ms, fixing.at_ms)
    noise = family.pip * _noise_pips(fixing, inputs.due) / spot.value
    deviation = math.sqrt(moves.variance_per_s * left * DAY_S + noise**2)
    if not deviation > 0:
        raise RefusedError(f"nothing of {fixing.name} moves before its value by its clock")
    spread = spot.value * deviation
    evidence = (
        f"{fixing.name} {spot.value:.6g}",
        words,
        moves.words,
        f"{left:.3f} days of variance left",
        f"settles at {spot.value:.6g} +- {spread:.3g} (t, {family.degrees} degrees)",
    )
    return predicted(
        markets,
        found,
        _part(found, spot.value, deviation, moves.error, family.degrees),
        model=RANGE_PRICE,
        version=VERSION,
        mean=spot.value,
        spread=spread,
        ages=(age, *moves.ages),
        evidence=evidence,
        now_ms=now_ms,
    )


def _part(found: Sequence[Rung], spot: float, deviation: float, relative: float, degrees: int) -> Part:
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
        if age_of(name, other).fresh(now_ms) and abs(math.log(other.value / best.value)) > SOURCES_APART_MAX:
            raise RefusedError(
                f"{name}: {best.source} says {best.value:.6g}, but {other.source} {other.value:.6g}: no price"
            )
    return best, f"{best.source} alone" if len(quotes) == 1 else f"{len(quotes)} sources agree"


def _moves(inputs: PriceInputs, now_ms: int) -> Believed:
    family, implied = inputs.family, inputs.implied
    own = Own(family, inputs.realised, VOLATILITY_PERCENT)
    if implied is not None and (age := age_of(implied.name, implied)).fresh(now_ms):
        percent = family.factor * implied.value
        words = f"volatility {percent:.1f}% ({family.factor:g} of {implied.name})"
        return own.implied(percent, implied.name, IMPLIED_ERROR, words, age)
    if family.usual:
        return _beside_the_usual(own)
    if (believed := own.returns()) is None:
        raise own.unknown(implied, now_ms)
    return believed


def _beside_the_usual(own: Own) -> Believed:
    """The usual volatility gives way to the returns, the more of them there are."""
    seen, returns = own.realised, own.realised.returns
    moved = seen.squares / seen.seconds if seen.seconds else 0.0
    count = USUAL_RETURNS + returns
    variance = (own.per_second(own.family.usual) * USUAL_RETURNS + moved * returns) / count
    return own.moved(variance, count, f": {returns:.0f} returns beside the usual")


def _noise_pips(fixing: Fixing, due: Sequence[Due]) -> float:
    into_day_ms = (fixing.at_ms + new_york_offset_ms(fixing.at_ms)) % DAY_MS
    release = any(abs(one.at_ms - fixing.at_ms) <= _RELEASE_MS for one in due)
    return RELEASE_PIPS if release or into_day_ms == _TEN_MS else CALM_PIPS
