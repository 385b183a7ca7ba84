"""Two markets an operator holds for the same question: what buying both outcomes costs, one on each venue.

A comparison, never a plan: one of the two contracts pays a dollar only as long as both venues settle alike.
The settlement source, the day's end, the text, a venue that fails and a fill that is reversed can make both
pay nothing. Nothing here is proposed or sent.
"""

from __future__ import annotations

from typing import Final

import msgspec

from core.domain.book import Book
from core.domain.fees import SMALLEST_FILL, UnknownFeeError
from core.domain.market import FeeSchedule, Market, Strike
from core.domain.order import BookSide, Outcome
from core.domain.units import ONE_DOLLAR, Money, Price, Quantity, quantity_text
from core.strategy.edge import Walked, walked

CAUTION: Final = (
    "Not riskless: another source, another end of the day, a word in the text, a venue that fails or a fill "
    "that is reversed can make both sides pay nothing."
)
_SIDES: Final = {Outcome.YES: (BookSide.BID, ONE_DOLLAR), Outcome.NO: (BookSide.ASK, Price(0))}
"""The side that buys an outcome, and the worst YES price of that side."""


class Offered(msgspec.Struct, frozen=True):
    """One market of a pair as its venue shows it."""

    venue: str
    fees: FeeSchedule
    minimum: Quantity
    """The smallest order the venue takes."""
    book: Book


class Way(msgspec.Struct, frozen=True):
    """One outcome bought on the first market and the counterpart on the second, both from what is shown."""

    outcomes: tuple[Outcome, Outcome]
    quantity: Quantity
    """Pairs both books have; may be less than asked."""
    cost: Money
    """Of both, before fees."""
    fee: Money
    """The most that both venues' takers' fees come to."""
    difference: Price
    """What a pair pays less what it costs with fees, a contract; negative when it costs more."""


class NoWay(msgspec.Struct, frozen=True):
    """The same outcomes where they cannot be bought together now."""

    outcomes: tuple[Outcome, Outcome]
    why: str


def ways(
    first: Offered | str, second: Offered | str, quantity: Quantity, *, opposite: bool
) -> tuple[Way | NoWay, Way | NoWay]:
    """YES of the first market with what pays otherwise on the second, then NO.

    ``opposite``: YES of one is NO of the other. A text instead of a market says why nothing can be had there.
    """
    yes, no = Outcome.YES, Outcome.NO
    both = ((yes, yes), (no, no)) if opposite else ((yes, no), (no, yes))
    if isinstance(first, str):
        return NoWay(both[0], first), NoWay(both[1], first)
    if isinstance(second, str):
        return NoWay(both[0], second), NoWay(both[1], second)
    return _way(first, second, both[0], quantity), _way(first, second, both[1], quantity)


def _way(
    first: Offered, second: Offered, outcomes: tuple[Outcome, Outcome], quantity: Quantity
) -> Way | NoWay:
    """``quantity`` pairs, or as many as both books have."""
    legs = tuple(zip((first, second), outcomes, strict=True))
    pairs = quantity
    for market, outcome in legs:
        found = _bought(market, outcome, pairs)
        if isinstance(found, str):
            return NoWay(outcomes, found)
        # Neither venue takes an order finer than this.
        pairs = Quantity(found.filled // SMALLEST_FILL * SMALLEST_FILL)
        if pairs == 0:
            return NoWay(outcomes, f"{market.venue} has no {outcome.name} to buy")
    paid = fee = 0
    for market, outcome in legs:
        if pairs < market.minimum:
            return NoWay(outcomes, f"{market.venue} takes no order under {quantity_text(market.minimum)}")
        found = _bought(market, outcome, pairs)
        assert not isinstance(found, str)
        paid, fee = paid + found.paid_e10, fee + found.fee
    cost = -(-paid // 10_000)
    # A pair pays one dollar: millionths of contracts are millionths of dollars.
    difference = (pairs - cost - fee) * ONE_DOLLAR // pairs
    return Way(outcomes, pairs, Money(cost), Money(fee), Price(difference))


def _bought(market: Offered, outcome: Outcome, quantity: Quantity) -> Walked | str:
    """Taking an outcome from the book shown, or why it cannot be."""
    side, limit = _SIDES[outcome]
    try:
        return walked(market.fees, market.book, side, quantity, limit)
    except UnknownFeeError as unknown:
        return f"{market.venue}: {unknown}"


def apart(first: Market, second: Market) -> tuple[str, ...]:
    """What is known to differ between the two questions, each in a few words."""
    found = []
    if first.close_ms != second.close_ms:
        found.append(f"trading closes {_span(abs(first.close_ms - second.close_ms))} apart")
    if first.climate_day != second.climate_day:
        found.append(f"day {first.climate_day or 'unknown'}, {second.climate_day or 'unknown'}")
    if first.station != second.station:
        found.append(f"station {first.station or 'unknown'}, {second.station or 'unknown'}")
    if first.strike != second.strike:
        found.append(f"strike {_strike(first.strike)}, {_strike(second.strike)}")
    return tuple(found)


def _span(ms: int) -> str:
    minutes = -(-ms // 60_000)
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    parts = ((days, "d"), (hours, "h"), (minutes, "min"))
    return " ".join(f"{value} {unit}" for value, unit in parts if value)


def _strike(strike: Strike) -> str:
    bounds = " to ".join(f"{bound:g}" for bound in (strike.floor, strike.cap) if bound is not None)
    return f"{strike.kind.value.replace('_', ' ')} {bounds}".rstrip()
