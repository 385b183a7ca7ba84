"""The strategy's loop: what changed is looked at and becomes cards, or orders: a changed fair value at
once, books and the rest four times a second. Each event is a step of its own: between two of them the loop
turns, so that fills, stops and quotes wait for one event at most.

Semi-automatic mode makes a card of every order the strategy wants; automatic mode releases each card
itself, through the same gate. What is no longer wanted is withdrawn, and cancelled if it rests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Set

import msgspec

from core.domain.order import Life, Order, Purpose
from core.domain.units import Quantity
from core.engine.cards import Cards
from core.engine.desk import Desk
from core.engine.exiting import exit_wanted, note
from core.engine.facts import flickers, headroom, market_view, no_price, waits
from core.engine.judging import moved
from core.engine.operator import Actor, Outcome, refused
from core.engine.plans import kept_in, part_of
from core.engine.resting import modelled, unwanted
from core.engine.state import EventState, MarketState
from core.execution.proposals import Proposal, describe
from core.strategy.assess import QUARANTINED, STALE, UNCONFIRMED, Assessment, Assessor
from core.strategy.entries import entries, outcomes_of
from core.strategy.plan import rest_exit
from core.strategy.proposal import Candidate
from core.strategy.rules import MarketView
from core.strategy.sizing import Sizer, crumb

Views = dict[str, MarketView]

EVALUATE_S = 0.25
UNPRICED_NS_MAX = 30_000_000_000
"""So long after the desk is ready what an earlier run left may rest without a price from this one."""


class Trading:
    """Evaluates events. ``mark`` is the hot path: it only remembers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._cards = Cards(desk)
        self._dirty: set[str] = set()
        """Events whose market, price or account changed since they were followed last."""
        self._moved: set[str] = set()
        """Markets whose book changed since ``take_moved``."""
        self._due: set[str] = set()
        """Events that are followed and not looked at yet."""
        self._event_of: dict[str, str] = {}
        self._found: dict[str, Assessment] = {}
        self._assessors: dict[str, Assessor] = {}
        """By market."""
        self._sizers: dict[str, Sizer] = {}
        """By event."""
        self._ready_ns: int | None = None

    # --- what to look at -----------------------------------------------------------------------

    def learn(self, ticker: str, event: str) -> None:
        self._event_of[ticker] = event

    def mark(self, ticker: str) -> None:
        """The book of a market changed; one that is not on the desk is nothing to look at."""
        event = self._event_of.get(ticker)
        if event is not None:
            self._moved.add(ticker)
            self._dirty.add(event)

    def take_moved(self) -> set[str]:
        """The markets marked since it was last asked for."""
        moved, self._moved = self._moved, set()
        return moved

    def mark_all(self) -> None:
        """Something above the markets changed: a limit, a pause, the mode, or simply the time."""
        self._dirty.update(self._desk.state.events)

    async def run(self) -> None:
        """Evaluate until cancelled."""
        while True:
            await asyncio.sleep(EVALUATE_S)
            await self.evaluate()

    async def evaluate(self) -> None:
        """Look at everything marked since the last time, and at every event with a card."""
        desk = self._desk
        desk.pricing.expire()
        desk.approvals.tick()
        self._dirty.update(card.candidate.event_ticker for card in desk.approvals.queue())
        await self.look(frozenset(self._dirty))

    async def look(self, events: Set[str]) -> None:
        """Look at these events now, one in each step of the loop. What another look has come to first is left
        to it; what moves while it waits for its turn is followed again."""
        self._follow(events)
        for name in sorted(events):
            if name in self._due:
                self._look_at(name)
                await asyncio.sleep(0)

    def _follow(self, events: Set[str]) -> None:
        moved = events & self._dirty  # the others' prices were made a moment ago, of the same books
        self._dirty -= events
        self._due |= events
        self._desk.pricing.follow(moved)

    def _look_at(self, name: str) -> None:
        if name in self._dirty:
            self._follow({name})
        self._due.discard(name)
        event = self._desk.state.events.get(name)
        if event is not None:
            self._event(event)

    def unpriced(self, event: EventState) -> None:
        """An event has no price: its entries go, cards and resting orders. What becomes of exits the next
        look at it says."""
        desk = self._desk
        for ticker in event.markets:
            card = desk.approvals.of(ticker)
            if card is not None and not card.candidate.reduces_risk:
                desk.approvals.withdraw(card, event.refusal)
        why = event.refusal
        if event.fair is None:  # nothing was priced from it in this run: an earlier one left what rests
            waited_s = self._waited_s()
            if waited_s is None:
                return
            why = f"{why}; no price in the {waited_s} s since the start"
        entries = [
            order.intent.client_order_id
            for ticker in event.markets
            for order in desk.ledger.live_in(ticker)
            if order.intent.purpose is Purpose.OPEN
            and modelled(order)
            and not desk.seats.cancelling(order.intent.client_order_id)
        ]
        desk.seats.cancel(entries, why)

    def _waited_s(self) -> int | None:
        """Seconds since the desk was first seen ready, once a price should have come in them."""
        now_ns = self._desk.clocks.mono_ns()
        if self._ready_ns is None and self._desk.state.ready:
            self._ready_ns = now_ns
        if self._ready_ns is None or now_ns - self._ready_ns < UNPRICED_NS_MAX:
            return None
        return (now_ns - self._ready_ns) // 1_000_000_000

    def tell_best(self) -> None:
        """Say why there is nothing to decide: the best edge and what it lacks."""
        desk, found = self._desk, self._found.values()
        priced = [a for a in found if not a.word and a.needed]
        # What waits for the operator's word comes first only where there is nothing else.
        best = max(priced, key=lambda a: (not self._waits(a.ticker), a.edge - a.needed), default=None)
        passing = sum(a.tradable for a in priced)
        counts = f"{len(desk.state.markets)} markets, {len(priced)} priced, {passing} pass."
        if best is None:
            text = counts
        else:
            label = desk.state.markets[best.ticker].market.label
            lacks = f"needs {_cents(best.needed)}" if best.edge < best.needed else best.reason
            if not lacks:
                lacks = desk.state.markets[best.ticker].why_not or "passes"
            text = f"Best: {label} {_cents(best.edge)}, {lacks}. {counts}"
        if desk.state.plan_word:
            text += f" Arbitrage: {desk.state.plan_word}."
        if text != desk.state.best:
            desk.state.best = text
            desk.state.touch_status()
        self._tell_waiting()

    def _tell_waiting(self) -> None:
        """Say how many cards find no room, and which of them would bring most."""
        state, overflow = self._desk.state, self._desk.approvals.overflow
        first = max(overflow.values(), key=lambda c: c.edge * c.quantity, default=None)
        best = "" if first is None else f"{state.markets[first.ticker].market.label} {_cents(first.edge)}"
        if (state.waiting, state.waiting_best) != (len(overflow), best):
            state.waiting, state.waiting_best = len(overflow), best
            state.touch_status()

    # --- one event -----------------------------------------------------------------------------

    def _event(self, event: EventState) -> None:
        desk = self._desk
        views = {t: view for t in event.markets if (view := market_view(desk, t)) is not None}
        self._assess(event, views)
        if not desk.state.ready:
            return
        wanted = self._wanted(event, views)
        for ticker in event.markets:
            desk.approvals.overflow.pop(ticker, None)
            view = views.get(ticker)
            if view is not None:
                leave = self._exit(desk.state.markets[ticker], view)
                if self._cards.follow(desk.state.markets[ticker], view, leave or wanted.get(ticker)):
                    self._dirty.add(event.ticker)
                self._drop_unwanted(desk.state.markets[ticker], view)

    def _wanted(self, event: EventState, views: Views) -> dict[str, Candidate]:
        """The entries the strategy would open now, by market."""
        desk, found = self._desk, self._found
        if event.fair is None or event.refusal or not any(t in found and found[t].tradable for t in views):
            return {}
        room = headroom(desk, event.markets)
        if room is None:
            return {}
        size = self._sizers.setdefault(event.ticker, Sizer())
        sized = entries(event.fair, views, found, room, desk.rules, desk.clocks.world_ms(), size)
        return {c.ticker: c for c in sized if not crumb(c.quantity, _there(views[c.ticker]))}

    def _assess(self, event: EventState, views: Views) -> None:
        """Edge column of each priced market."""
        if event.fair is None:
            return
        desk, world = self._desk, self._desk.clocks.world_ms()
        shape = outcomes_of(event.fair, views)
        for fair in event.fair.values:
            market, view = desk.state.markets.get(fair.ticker), views.get(fair.ticker)
            if market is None or view is None:
                continue
            if not fair.unpooled:
                market.unpooled_ns = None
            elif market.unpooled_ns is None:
                market.unpooled_ns = desk.clocks.mono_ns()
            found = (
                Assessment(fair.ticker, STALE, event.refusal)
                if event.refusal
                else self._assessors.setdefault(fair.ticker, Assessor())(fair, view, desk.rules, world)
            )
            word = found.word if found.word in (STALE, QUARANTINED) else ""
            unconfirmed = waits(desk, market.market)
            why = fair.unpooled or unconfirmed or (shape if isinstance(shape, str) else "")
            why = why or part_of(desk, fair.ticker)
            if why and not found.word:
                found = msgspec.structs.replace(found, blocked=True, reason=why)
                word = UNCONFIRMED if unconfirmed else ""
            self._found[fair.ticker] = market.assessed = found
            edge = None if found.word or not found.needed else found.edge
            why_not = found.reason or market.why_not
            if (market.edge, market.edge_word) != (edge, word):
                market.edge, market.edge_word = edge, word
                desk.state.changed_markets.touch(fair.ticker)
            market.why_not = "" if found.tradable else why_not

    def _waits(self, ticker: str) -> bool:
        return bool(waits(self._desk, self._desk.state.markets[ticker].market))

    def forget(self, ticker: str) -> None:
        """A market left the desk."""
        self._sizers.pop(self._event_of.pop(ticker, ""), None)
        self._moved.discard(ticker)
        self._found.pop(ticker, None)
        self._assessors.pop(ticker, None)
        self._desk.approvals.overflow.pop(ticker, None)

    def _exit(self, market: MarketState, view: MarketView) -> Candidate | None:
        desk, ticker = self._desk, market.market.ticker
        note(desk, market, view)
        planned = kept_in(desk, ticker)
        if planned is not None:  # a complete set pays whatever a model says of its parts
            rule, leave = planned.rule, rest_exit(view, planned) if planned.rest else None
        else:
            found = exit_wanted(desk, market, view)
            rule, leave = (found.rule, found.candidate) if found is not None else ("", None)
        if desk.state.exit_rules.get(ticker, "") != rule:
            desk.state.exit_rules[ticker] = rule
            desk.ledger.changed_positions.touch(ticker)
        return leave

    def _drop_unwanted(self, market: MarketState, view: MarketView) -> None:
        """Cancel resting entries whose reason is gone. A stale book drops nothing: the orders expire. Nor
        does a book of the event that flickers, or a price that rests on the first sources to answer after a
        start: what an earlier run left would lose its place to it."""
        desk, fair = self._desk, market.fair
        if fair is None or view.stale or flickers(desk, market) or self._cards.unanswered(market):
            return
        for order in desk.ledger.live_in(view.market.ticker):
            client = order.intent.client_order_id
            rests = order.life is Life.WORKING and modelled(order)
            entry = rests and order.intent.purpose is Purpose.OPEN and order.order_id
            if entry and not desk.seats.cancelling(client) and (why := unwanted(desk, order, fair, view)):
                desk.seats.cancel((client,), why)

    def unvouched(self, order: Order) -> str:
        """Why nobody can say that an entry is still wanted; empty when somebody can, and for exits. What a
        person asked for is wanted as long as its book is seen."""
        if order.intent.purpose is Purpose.CLOSE:
            return ""
        known = self._desk.state.markets.get(order.intent.ticker)
        view = market_view(self._desk, order.intent.ticker) if known is not None else None
        if known is None or view is None:
            return "its market is not on the desk"
        priced = known.fair is not None or not modelled(order)
        return view.stale or ("" if priced else no_price(self._desk, order.intent.ticker))

    # --- release -------------------------------------------------------------------------------

    def release(self, card: Proposal, actor: Actor) -> Outcome:
        """Send a card's order: what it rests on is looked at anew. A moved card comes back."""
        desk, candidate = self._desk, card.candidate
        gone = moved(desk, candidate)
        if gone is not None:
            return self._returned(card, gone)
        return self._cards.send(card, actor)

    def _returned(self, card: Proposal, gone: str) -> Outcome:
        """The book moved: the card shows what the strategy would do now, or goes."""
        desk = self._desk
        event = desk.state.events.get(card.candidate.event_ticker)
        before = card.fingerprint
        if event is not None:
            desk.pricing.follow((event.ticker,))
            self._event(event)
        now = desk.approvals.proposals.get(card.id)
        if now is not None and now.standing and now.fingerprint == before:
            desk.approvals.withdraw(now, gone)
            return refused(f"{card.id} was not sent: {gone}.")
        if now is not None and now.standing:
            return refused(f"{card.id} was not sent: {gone}. It is {describe(now.candidate)} now.")
        return refused(f"{card.id} was not sent: {gone}.")


def _there(view: MarketView) -> Quantity:
    """Contracts held and on order."""
    return Quantity(abs(view.position.net) + view.opening_bid + view.opening_ask)


def _cents(price: int) -> str:
    return f"{price / 100:+.1f}c"
