"""The scans at work: what books show becomes plans, plans become cards, and a card goes when its books do.

One card a question at a time, and none in a market where another plan, or the strategy, has something. Every
plan waits for a person, in automatic mode too: what fails between its legs nobody can take back.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

import msgspec

from core.domain.market import Market, MarketStatus
from core.domain.units import Money, Price, Quantity
from core.engine.account import WINDOW_15S_NS
from core.engine.desk import Desk
from core.engine.facts import headroom, market_view, tradable
from core.engine.judging import judge_plan
from core.engine.operator import Actor, Outcome
from core.engine.plans import Plans, charged, occupied
from core.engine.state import AlarmLevel
from core.engine.trading import Trading
from core.execution.approvals import TTL_MS
from core.execution.proposals import Proposal
from core.journal.projections import Pair, PairState
from core.risk.exposure import Worst, order_loss
from core.risk.facts import ordinary
from core.strategy.arbitrage import Locked, Taking, across, hopeless, scan, takings
from core.strategy.edge import paid, per_contract
from core.strategy.plan import Plan, plan_of, unlike
from core.strategy.questions import Question, questions
from core.strategy.sizing import Cap, affordable, smallest, whole

CROSSED_NS = 5_000_000_000
"""A book that stays crossed for longer shows something old: on one venue both outcomes cannot be had for less
than a dollar."""
_SCOPES = ("event", "correlated", "venue", "total")


class Arbitrage:
    """Looks at all questions several times a second."""

    def __init__(self, desk: Desk, trading: Trading) -> None:
        self._desk, self._trading = desk, trading
        self.plans = Plans(desk)
        self._markets: dict[str, Market] = {}
        """Those that might be traded, as they were when questions were last made of them."""
        self._questions: dict[str, Question] = {}
        self._asked_by: dict[str, str] = {}
        """Name of the question a market asks, by ticker."""
        self._locked: dict[str, Locked] = {}
        """What was found when a book of the question last moved, by its name."""
        self._crossed_ns: dict[str, int] = {}

    def look(self) -> None:
        """Scan, renew and withdraw; look after what plans left. Off, only the last."""
        desk = self._desk
        if not desk.state.ready:
            return
        self.plans.watch()
        if not desk.settings.strategy.arbitrage:
            return
        self._call_crossed()
        found = [plan for plan in (*self._inside(), *self._linked()) if plan.edge >= desk.rules.min_edge]
        found.sort(key=lambda plan: -plan.profit)
        self._renew(found)
        taken = self._taken()
        refusal = ""
        for plan in found:
            if not plan.tickers & taken:
                refusal = refusal or self._propose(plan)
                taken |= plan.tickers
        word = f"{len(found)} sets" + (f", best {found[0].edge / 100:+.1f}c" if found else "")
        desk.state.plan_word = f"{word}, {refusal}" if refusal else word

    def judge(self, card: Proposal) -> Proposal:
        """The gate's newest word on a plan's card."""
        assert card.plan is not None
        return self._desk.approvals.judge(card, judge_plan(self._desk, card.plan, card.id))

    def release(self, card: Proposal, actor: Actor) -> Outcome:
        return self.plans.release(card, actor)

    # --- cards ---------------------------------------------------------------------------------

    def _renew(self, found: Sequence[Plan]) -> None:
        desk = self._desk
        for card in [card for card in desk.approvals.queue() if card.plan is not None]:
            assert card.plan is not None
            held = charged(desk, card.plan)
            if isinstance(held, str):
                desk.approvals.withdraw(card, held)
                continue
            now = next((p for p in found if p.kind is held.kind and p.tickers == held.tickers), None)
            if now is None:
                desk.approvals.withdraw(card, "its prices are gone")
            else:
                judge = functools.partial(judge_plan, desk, proposal_id=card.id)
                desk.approvals.replan(card, held, now, judge)

    def _propose(self, plan: Plan) -> str:
        """Make a card of a plan; why none was made, or empty."""
        desk = self._desk
        if desk.approvals.quiet(plan.legs[0]):
            return ""
        verdict = judge_plan(desk, plan)
        if not verdict.passed:
            return str(verdict.denials[0])
        desk.approvals.offer(plan.legs[0], verdict, desk.clocks.wall_ms() + TTL_MS, plan)
        return ""

    def _taken(self) -> set[str]:
        """Markets in which a plan has a card or something held."""
        desk = self._desk
        cards = {t for card in desk.approvals.queue() if card.plan is not None for t in card.tickers}
        return cards | {leg.ticker for noted in desk.state.plans.values() for leg in noted.legs}

    # --- what books show -----------------------------------------------------------------------

    def _inside(self) -> Iterator[Plan]:
        """Plans within one venue."""
        moved = self._trading.take_moved()
        if self._group():
            moved = set(self._asked_by)
        for name in sorted({self._asked_by[ticker] for ticker in moved if ticker in self._asked_by}):
            self._scan(self._questions[name])
        world = self._desk.clocks.world_ms()
        for name, locked in self._locked.items():
            # Fees may change between two books.
            legs = tuple(msgspec.structs.replace(leg, market=leg.market.as_of(world)) for leg in locked.legs)
            plan = self._sized(msgspec.structs.replace(locked, legs=legs), self._questions[name])
            if plan is not None:
                yield plan

    def _group(self) -> bool:
        """Ask anew which markets ask one question, where any that may be traded is another than before."""
        desk = self._desk
        known = ((ticker, state.market) for ticker, state in desk.state.markets.items())
        markets = {ticker: market for ticker, market in known if tradable(desk, market)}
        before = self._markets
        if len(markets) == len(before) and all(before.get(t) == market for t, market in markets.items()):
            return False
        self._markets = markets
        asked = questions(markets.values())
        self._questions = {question.name: question for question in asked}
        self._asked_by = {ticker: question.name for question in asked for ticker in question.spans}
        self._locked.clear()
        return True

    def _scan(self, question: Question) -> None:
        self._locked.pop(question.name, None)
        books = [self._desk.seats.book(ticker) for ticker in question.spans]
        touches = [(v.book.best_bid, v.book.best_ask) if v is not None else (None, None) for v in books]
        if hopeless(question, touches):
            return
        offered = [taking for ticker in question.spans for taking in self._takings(ticker)]
        locked = scan(question, offered, self._desk.rules.min_edge)
        if locked is not None:
            self._locked[question.name] = locked

    def _linked(self) -> Iterator[Plan]:
        """Plans across two venues, by the operator's links alone."""
        desk = self._desk
        for pair in desk.state.pairs.values():
            first, second = (desk.state.markets.get(ticker) for ticker in pair.key)
            if pair.state is not PairState.LINKED or first is None or second is None:
                continue
            if unlike(first.market, second.market):
                continue
            if not (tradable(desk, first.market) and tradable(desk, second.market)):
                continue
            plan = self._across(pair)
            if plan is not None:
                yield plan

    def _across(self, pair: Pair) -> Plan | None:
        offered = self._takings(pair.first), self._takings(pair.second)
        locked = across(*offered, self._desk.rules.min_edge, opposite=pair.opposite)
        return self._sized(locked, None, Cap("size of the link", whole(pair.quantity))) if locked else None

    def _takings(self, ticker: str) -> tuple[Taking, ...]:
        desk = self._desk
        view = market_view(desk, ticker)
        if view is None or view.market.status is not MarketStatus.ACTIVE or occupied(desk, ticker):
            return ()
        return takings(view, desk.rules, desk.state.limits.current.collar)

    def _call_crossed(self) -> None:
        """Name books in which YES and NO together cost less than a dollar: they show something old."""
        desk, now = self._desk, self._desk.clocks.mono_ns()
        crossed = {t for t in desk.state.markets if (v := desk.seats.book(t)) is not None and v.book.crossed}
        for ticker in self._crossed_ns.keys() - crossed:
            del self._crossed_ns[ticker]
            desk.alarms.clear(f"crossed {ticker}")
        for ticker in crossed:
            if now - self._crossed_ns.setdefault(ticker, now) >= CROSSED_NS:
                what = f"one book sells YES and NO of {ticker} for under a dollar: it shows old prices"
                desk.alarms.raise_(
                    f"crossed {ticker}",
                    AlarmLevel.CHECK,
                    what,
                    "nothing is taken there",
                    "a sound book",
                    ticker,
                )

    # --- size ----------------------------------------------------------------------------------

    def _sized(self, locked: Locked, question: Question | None, *more: Cap) -> Plan | None:
        """A plan of as many sets as depth, cash and limits allow; ``None`` where that is not worth it."""
        kind, legs, most = locked.kind, locked.legs, locked.quantity
        whole_of_it = plan_of(kind, legs, most, question, locked.bound_by)
        if isinstance(whole_of_it, str):
            return None
        bound = smallest((Cap(locked.bound_by, most), *more, *self._caps(whole_of_it)))
        if bound.quantity == most:
            return whole_of_it
        least = max(self._desk.rules.min_quantity, *(leg.market.minimum for leg in legs))
        if bound.quantity < least:
            return None
        plan = plan_of(kind, legs, bound.quantity, question, bound.name)
        return None if isinstance(plan, str) else plan

    def _caps(self, plan: Plan) -> Iterator[Cap]:
        """What bounds the sets besides what books show."""
        desk, limits = self._desk, self._desk.state.limits.current
        losses = {leg.ticker: order_loss(leg.side, leg.price, leg.quantity, leg.fee) for leg in plan.legs}
        units: dict[str, int] = {}
        for leg in plan.legs:
            room = headroom(desk, [leg.ticker])
            if room is None:
                yield Cap(f"cash of {leg.ticker} not known", Quantity(0))
                return
            unit = Price(paid(leg.side, leg.price) + per_contract(leg.fee, leg.quantity))
            venue = desk.seat(leg.ticker).name.short
            units[venue] = units.get(venue, 0) + unit
            yield Cap("order size", whole(room.order_quantity))
            yield Cap("order cost", affordable(limits.order_cost_max, unit))
            yield Cap("market limit", affordable(room.market[leg.ticker], unit))
            yield Cap(f"cash {venue}", affordable(room.cash, Price(units[venue])))
            now, then = desk.exposure.now(leg.ticker), desk.exposure.with_orders(leg.ticker, losses)
            for scope in _SCOPES:
                yield Cap(f"{scope} limit", _share(plan.sets, now, then, scope, getattr(room, scope)))
        usual = ordinary(desk.account.recent(""), limits.order_median_max)
        if usual is not None:
            yield Cap("size of the last orders", whole(usual))
        left = limits.velocity_15s_max - desk.account.filled_within(WINDOW_15S_NS)
        yield Cap("filled in 15 s", affordable(Money(left), Price(sum(units.values()))))


def _share(sets: Quantity, now: Worst, then: Worst, scope: str, room: Money) -> Quantity:
    """Sets whose growth of a worst case fits: half of the sets never adds more than half of it."""
    grows = getattr(then, scope) - getattr(now, scope)
    if grows <= room:
        return sets
    return whole(Quantity(sets * max(0, room) // grows))
