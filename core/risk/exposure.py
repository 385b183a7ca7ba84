"""Worst-case loss per market, event, bucket of correlated markets, venue and in total.

What is counted: open positions at their cost, plus every order of the account that may still fill,
whoever placed it, plus one candidate. The adversary picks the outcome and, for it, exactly the
orders that hurt. Money already gone (realised losses, fees paid) is not exposure; the day's loss
limit counts it.

For an event of exclusive markets the worst case over "market i pays" for each i and "none of these
pays" is exact; no venue declares its markets exhaustive, so none of them may pay. Otherwise any joint
outcome is possible: no position gains in both of its outcomes, so the single-market worst cases add up
to exactly what going through all 2^n of them would find.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from core.domain.market import Market, Venue
from core.domain.order import BookSide, Order, Outcome, Purpose
from core.domain.position import Position
from core.domain.units import ONE_DOLLAR, Money, Price, Quantity, complement, notional_up
from core.risk.buckets import bucket
from core.venues.venue import OrderReport


class Worst(msgspec.Struct, frozen=True):
    """Worst-case losses, never negative: a locked-in profit is no credit elsewhere."""

    market: Money
    event: Money
    correlated: Money
    venue: Money
    total: Money


class PerOutcome(msgspec.Struct, frozen=True):
    """Loss of one market by its own outcome, signed (negative = gain)."""

    if_yes: int = 0
    if_no: int = 0

    @property
    def worst(self) -> int:
        return max(self.if_yes, self.if_no, 0)

    def worse(self, other: PerOutcome) -> PerOutcome:
        """The worse of two cases by each outcome."""
        return PerOutcome(max(self.if_yes, other.if_yes), max(self.if_no, other.if_no))

    def plus(self, other: PerOutcome) -> PerOutcome:
        return PerOutcome(self.if_yes + other.if_yes, self.if_no + other.if_no)


FLAT = PerOutcome()
_NONE: Mapping[str, PerOutcome] = {}


def reservation(side: BookSide, purpose: Purpose, price: Price, quantity: Quantity, fee: Money) -> Money:
    """Worst-case cost of an order, for ``OrderIntent.reserved``: price of the outcome bought, and fee."""
    if purpose is Purpose.CLOSE:
        return fee
    paid = price if side is BookSide.BID else complement(price)
    return Money(notional_up(paid, quantity) + fee)


def still_reserved(order: Order) -> Money:
    """Cash an order may still take: its reservation in the share that can still fill, rounded up."""
    leaves, quantity = order.leaves, order.intent.quantity
    return Money(-(-order.intent.reserved * leaves // quantity)) if leaves else Money(0)


def reserved_cash(orders: Iterable[Order]) -> Money:
    """Cash all these orders may still take, unknown ones included."""
    return Money(sum(still_reserved(order) for order in orders))


def reserved_outside(reports: Iterable[OrderReport]) -> Money:
    """Cash that orders placed elsewhere on the account may take, each taken for an open."""
    return Money(
        sum(
            notional_up(r.price if r.side is BookSide.BID else complement(r.price), r.remaining)
            for r in reports
        )
    )


def held(position: Position, outcome: Outcome) -> Quantity:
    """Contracts of an outcome in a position."""
    return Quantity(max(0, position.net if outcome is Outcome.YES else -position.net))


def sellable(position: Position, orders: Iterable[Order], outcome: Outcome) -> Quantity:
    """Contracts of an outcome that a new close may sell: held minus every close that may still fill.

    Opens waiting to fill never cover a sale, and a cancel request frees nothing before its proof.
    """
    selling = sum(
        o.leaves for o in orders if o.intent.purpose is Purpose.CLOSE and o.intent.outcome is outcome
    )
    return Quantity(max(0, held(position, outcome) - selling))


def opposing(position: Position, orders: Iterable[Order], outcome: Outcome) -> Quantity:
    """Contracts of the other outcome that are held or may still be bought: an open would cross zero."""
    other = Outcome.NO if outcome is Outcome.YES else Outcome.YES
    buying = sum(o.leaves for o in orders if o.intent.purpose is Purpose.OPEN and o.intent.outcome is other)
    return Quantity(held(position, other) + buying)


def position_loss(position: Position) -> PerOutcome:
    """What an open position loses by outcome: its cost less what it pays."""
    pays = int(ONE_DOLLAR) * abs(position.net) // 10_000
    if position.net >= 0:
        return PerOutcome(if_yes=position.cost - pays, if_no=position.cost)
    return PerOutcome(if_yes=position.cost, if_no=position.cost - pays)


def order_loss(side: BookSide, price: Price, quantity: Quantity, fee: Money) -> PerOutcome:
    """What an order that may fill can add to the loss, by outcome: a fill that helps is left out.

    The same for opens and closes: selling what is held forgoes its payout.
    """
    paid = price if side is BookSide.BID else complement(price)
    lost = -(-int(paid) * quantity // 10_000) + fee
    gained = -(-(paid - ONE_DOLLAR) * quantity // 10_000) + fee
    against, with_us = max(0, lost), max(0, gained)
    return PerOutcome(with_us, against) if side is BookSide.BID else PerOutcome(against, with_us)


def _order_loss(order: Order) -> PerOutcome:
    intent, leaves = order.intent, order.leaves
    if not leaves:
        return FLAT
    whole_fee = intent.reserved - reservation(
        intent.side, intent.purpose, intent.price, intent.quantity, Money(0)
    )
    fee = -(-max(0, whole_fee) * leaves // intent.quantity)
    return order_loss(intent.side, intent.price, leaves, Money(fee))


class _Place(msgspec.Struct, frozen=True):
    venue: Venue
    event: str
    bucket: str
    listed: bool = True
    """Whether the market is on the desk; of any other nothing is known but its ticker."""


class Exposure:
    """The account's ledger of worst cases, kept market by market as positions and orders change."""

    __slots__ = ("_bucket_totals", "_event_totals", "_events", "_exclusive", "_losses", "_places", "_venues")

    def __init__(self) -> None:
        self._places: dict[str, _Place] = {}
        self._losses: dict[str, PerOutcome] = {}
        self._events: dict[str, list[str]] = {}
        self._exclusive: dict[str, bool] = {}
        self._event_totals: dict[str, int] = {}
        self._bucket_totals: dict[str, int] = {}
        self._venues: dict[Venue, int] = {}

    def add(self, market: Market) -> None:
        """Make a market known. An event counts as exclusive only if all of its markets say so."""
        event, known = market.event_ticker, self._places.get(market.ticker)
        loss = self._losses.get(market.ticker, FLAT)
        if known is None or not known.listed:
            self.forget(market.ticker)
            self._put(market.ticker, _Place(market.venue, event, bucket(market)))
        self._exclusive[event] = self._exclusive.get(event, True) and market.exclusive
        self._retotal(self._places[market.ticker], market.ticker, loss)

    def admit(self, ticker: str, venue: Venue) -> None:
        """Count a market that is not on the desk, as an event and a bucket of its own."""
        if ticker not in self._places:
            self._put(ticker, _Place(venue, ticker, ticker, listed=False))
            self._exclusive[ticker] = False
            self._retotal(self._places[ticker], ticker, FLAT)

    def _put(self, ticker: str, place: _Place) -> None:
        self._places[ticker], self._losses[ticker] = place, FLAT
        self._events.setdefault(place.event, []).append(ticker)
        self._venues.setdefault(place.venue, 0)

    def forget(self, ticker: str) -> None:
        """A market counts no more, with nothing held or on order in it; unknown ones are ignored."""
        place = self._places.get(ticker)
        if place is None:
            return
        self._retotal(place, ticker, FLAT)
        del self._places[ticker], self._losses[ticker]
        self._events[place.event].remove(ticker)
        if not self._events[place.event]:
            del self._events[place.event], self._event_totals[place.event], self._exclusive[place.event]
        if not any(other.bucket == place.bucket for other in self._places.values()):
            del self._bucket_totals[place.bucket]

    def update(
        self,
        ticker: str,
        position: Position,
        orders: Iterable[Order],
        outside: Iterable[OrderReport] = (),
        or_else: Position | None = None,
    ) -> None:
        """Set a market's position, our orders of it that may still fill, and those placed elsewhere.

        ``or_else`` is what is held if closes that are not settled fail: the worse of both counts.
        Raises ``KeyError``.
        """
        place, loss = self._places[ticker], position_loss(position)
        if or_else is not None and or_else != position:
            loss = loss.worse(position_loss(or_else))
        for order in orders:
            loss = loss.plus(_order_loss(order))
        for report in outside:  # the venue does not say what their fills will be charged
            loss = loss.plus(order_loss(report.side, report.price, report.remaining, Money(0)))
        self._retotal(place, ticker, loss)

    def _retotal(self, place: _Place, ticker: str, loss: PerOutcome) -> None:
        before = self._losses[ticker].worst
        self._losses[ticker] = loss
        self._bucket_totals[place.bucket] = self._bucket_totals.get(place.bucket, 0) + loss.worst - before
        event = self._event_loss(place.event)
        self._venues[place.venue] += event - self._event_totals.get(place.event, 0)
        self._event_totals[place.event] = event

    def _event_loss(self, event: str, instead: Mapping[str, PerOutcome] = _NONE) -> int:
        """Worst case of an event, with some markets' losses replaced."""
        losses = [instead.get(t, self._losses[t]) for t in self._events[event]]
        if not self._exclusive[event]:
            return sum(loss.worst for loss in losses)
        none_pays = sum(loss.if_no for loss in losses)
        return max(0, none_pays + max(0, max((loss.if_yes - loss.if_no for loss in losses), default=0)))

    def now(self, ticker: str) -> Worst:
        """The worst cases around one market as things stand; raises ``KeyError``."""
        place, loss = self._places[ticker], self._losses[ticker]
        return Worst(
            market=Money(loss.worst),
            event=Money(self._event_totals[place.event]),
            correlated=Money(self._bucket_totals[place.bucket]),
            venue=Money(self._venues[place.venue]),
            total=self.total,
        )

    def with_order(self, ticker: str, side: BookSide, price: Price, quantity: Quantity, fee: Money) -> Worst:
        """The worst cases if this order were sent too, nothing changed; raises ``KeyError``."""
        return self.with_orders(ticker, {ticker: order_loss(side, price, quantity, fee)})

    def with_orders(self, ticker: str, losses: Mapping[str, PerOutcome]) -> Worst:
        """The worst cases around a market if orders in several were sent too, of which any may fail.

        ``losses`` is the ``order_loss`` of each by its market. Nothing changed; raises ``KeyError``.
        """
        place = self._places[ticker]
        after = {t: self._losses[t].plus(loss) for t, loss in losses.items()}
        events: dict[str, int] = {}
        grown: dict[Venue, int] = {}
        correlated = self._bucket_totals[place.bucket]
        for t, loss in after.items():
            there = self._places[t]
            if there.bucket == place.bucket:
                correlated += loss.worst - self._losses[t].worst
            if there.event not in events:
                events[there.event] = self._event_loss(there.event, after)
                more = events[there.event] - self._event_totals[there.event]
                grown[there.venue] = grown.get(there.venue, 0) + more
        return Worst(
            market=Money(after.get(ticker, self._losses[ticker]).worst),
            event=Money(events.get(place.event, self._event_totals[place.event])),
            correlated=Money(correlated),
            venue=Money(self._venues[place.venue] + grown.get(place.venue, 0)),
            total=Money(self.total + sum(grown.values())),
        )

    @property
    def total(self) -> Money:
        return Money(sum(self._venues.values()))

    def venue(self, venue: Venue) -> Money:
        return Money(self._venues.get(venue, 0))

    def event(self, event_ticker: str) -> Money:
        return Money(self._event_totals.get(event_ticker, 0))
