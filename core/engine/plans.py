"""Plans under way and what they left: legs sent one after another, and which of what is held is whose.

What a plan's legs filled is read from their orders whenever it is asked for, so that a late fill, a trade
that is undone or a restart change the answer and nothing else. Contracts in complete sets are held to
settlement; what belongs to none is a rest with an exit of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from core.domain.fees import SMALLEST_FILL
from core.domain.order import Order, Outcome, Purpose
from core.domain.units import Money, Quantity, quantity_text
from core.engine.desk import Desk
from core.engine.judging import judge_plan, leg_fee, moved, refreshed
from core.engine.operator import ENGINE, Actor, accepted, refused
from core.engine.operator import Outcome as Answer
from core.engine.state import AlarmLevel
from core.execution.gateway import Denied, Wish
from core.execution.proposals import Proposal
from core.journal.events import Event, Kind
from core.journal.projections import PlanLeg, PlanNoted, PlanState, keep_plan
from core.strategy.plan import Kept, Plan, kept, recharged
from core.strategy.proposal import Candidate

LEG_S = 5.0
"""A leg whose end is not proved by then ends the plan: nothing more leaves beside what may still fill."""
DECIDED_MS = 30_000
"""So long after its release the legs of a plan may leave."""


class Plans:
    """Carries plans out. ``watch`` looks after those whose legs have left."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._under_way: set[str] = set()

    def release(self, card: Proposal, actor: Actor) -> Answer:
        """Send a plan's first leg, judged with all the others; they follow as each before them has filled."""
        desk, plan = self._desk, card.plan
        assert plan is not None, f"{card.id} is no plan"
        why = {leg.ticker: moved(desk, leg) or occupied(desk, leg.ticker) for leg in plan.legs}
        gone = next((f"{ticker}: {reason}" for ticker, reason in why.items() if reason), "")
        if gone:
            desk.approvals.withdraw(card, gone)
            return refused(f"{card.id} was not sent: {gone}.")
        now = charged(desk, plan)
        if isinstance(now, str):
            return self._denied(card, now, actor)
        verdict = judge_plan(desk, now, card.id)
        if not verdict.passed:
            desk.approvals.judge(card, verdict)
            return self._denied(card, "; ".join(map(str, verdict.denials)), actor)
        noted = PlanNoted(
            plan=card.id,
            name=plan.legs[0].plan,
            legs=tuple(PlanLeg(leg.ticker, leg.outcome is Outcome.YES, leg.quantity) for leg in plan.legs),
            profit=now.profit,
            worst=now.worst,
            at_ms=desk.clocks.wall_ms(),
        )
        _record(desk, noted, actor.name)  # before its first order's: what fills must be known to be of it
        sent = self._send(card, plan.legs[0], plan.sets, card.expires_ms)
        if isinstance(sent, Denied):
            _record(desk, msgspec.structs.replace(noted, state=PlanState.MISSED, why=sent.reason))
            return self._denied(card, sent.reason, actor)
        self._under_way.add(card.id)
        desk.approvals.sent(card, f"plan of {len(plan.legs)} legs under way")
        minimums = [desk.state.markets[leg.ticker].market.minimum for leg in plan.legs]
        desk.tasks.spawn(f"plan {card.id}", self._carry_out(card, noted, sent, max(SMALLEST_FILL, *minimums)))
        return accepted(f"{card.id} sent: {card.sentence}; its legs leave one after another.")

    def _denied(self, card: Proposal, reason: str, actor: Actor) -> Answer:
        self._desk.scribe.card(
            Kind.DENIED,
            reason,
            card.id,
            actor=actor.name,
            ticker=card.candidate.ticker,
            fingerprint=card.fingerprint,
            plan=card.candidate.plan,
        )
        return refused(f"{card.id} was not sent: {reason}.")

    def _send(self, card: Proposal, leg: Candidate, quantity: Quantity, until_ms: int) -> Order | Denied:
        wanted = refreshed(self._desk, msgspec.structs.replace(leg, quantity=quantity))
        if isinstance(wanted, str):
            return Denied(wanted)
        wish = Wish(wanted, card.id, card.fingerprint, valid_until_ms=until_ms)
        return self._desk.seat(leg.ticker).gateway.send(wish)

    async def _carry_out(self, card: Proposal, noted: PlanNoted, first: Order, least: Quantity) -> None:
        """Leg by leg, each for no more than the ones before it got, until one gets less than ``least``."""
        desk, plan, why = self._desk, card.plan, ""
        assert plan is not None
        got, sent = plan.sets, first
        try:
            for number, leg in enumerate(plan.legs, 1):
                what = f"leg {number} {leg.ticker}"
                if number > 1:
                    answer = self._send(card, leg, got, noted.at_ms + DECIDED_MS)
                    if isinstance(answer, Denied):
                        why = f"{what} was not sent: {answer.reason}"
                        break
                    sent = answer
                order = await self._ended(sent.intent.client_order_id)
                if order.live:
                    why = f"{what} has no proved end"
                    break
                if order.filled < got:
                    why = f"{what} filled {quantity_text(order.filled)} of {quantity_text(got)}"
                    why += f" ({order.reason})" if order.reason else ""
                got = Quantity(min(got, order.filled - order.filled % SMALLEST_FILL))
                if got < least:
                    break
        finally:
            self._under_way.discard(card.id)
        _end(desk, noted, why)

    async def _ended(self, client: str) -> Order:
        ledger = self._desk.ledger
        await ledger.movement.until(lambda: not ledger.orders[client].live, LEG_S)
        return ledger.orders[client]

    def watch(self) -> None:
        """End what an earlier run left under way, call somebody for what belongs to no set, also where that
        comes of a trade undone, and forget plans of which nothing is held."""
        desk = self._desk
        for noted in list(desk.state.plans.values()):
            if noted.plan in self._under_way or any(order.live for order in _orders(desk, noted)):
                continue
            if noted.state is PlanState.STARTED:
                _end(desk, noted, "the engine ended before all its legs had left")
            elif not any(_held(desk, leg) for leg in noted.legs):
                _record(
                    desk, msgspec.structs.replace(noted, state=PlanState.OVER, why="nothing of it is held")
                )
                desk.alarms.clear(_alarm(noted))
            elif left := _left(desk, noted):
                _ring(desk, noted, noted.why if noted.state is PlanState.BROKEN else left)
            else:
                desk.alarms.clear(_alarm(noted))


def charged(desk: Desk, plan: Plan) -> Plan | str:
    """A plan at the fees of this moment, or why nobody knows them: they may change between two books."""
    fees: list[Money] = []
    for leg in plan.legs:
        fee = leg_fee(desk, leg)
        if isinstance(fee, str):
            return fee
        fees.append(fee)
    return recharged(plan, fees)


def occupied(desk: Desk, ticker: str) -> str:
    """Why no plan may have a leg in a market, empty where one may: what is held there has an exit of its own,
    which a plan's part has not."""
    opening = any(order.intent.purpose is Purpose.OPEN for order in desk.ledger.live_in(ticker))
    return "something is held or on order there" if desk.ledger.net(ticker) or opening else ""


def part_of(desk: Desk, ticker: str) -> str:
    """Why the strategy opens nothing of its own in a market; empty where no plan has a leg in it.

    What it held there would have no exit: what a plan keeps is kept whatever a model says.
    """
    of = next((n for n in desk.state.plans.values() if any(leg.ticker == ticker for leg in n.legs)), None)
    return f"it is part of plan {of.plan}" if of is not None else ""


def kept_in(desk: Desk, ticker: str) -> Kept | None:
    """What a plan has in a market; ``None`` where none has anything. No two plans share a market."""
    for noted in desk.state.plans.values():
        for leg, sets, rest in _parts(desk, noted) if any(leg.ticker == ticker for leg in noted.legs) else ():
            if leg.ticker == ticker and (sets or rest):
                outcome = Outcome.YES if leg.yes else Outcome.NO
                return Kept(outcome, sets, rest, f"plan {noted.plan}, {noted.name}")
    return None


def _parts(desk: Desk, noted: PlanNoted) -> Iterator[tuple[PlanLeg, Quantity, Quantity]]:
    """Of each leg what belongs to complete sets and what to none; until all have their end all of it may."""
    filled = {leg.ticker: Quantity(0) for leg in noted.legs}
    open_yet = noted.state is PlanState.STARTED
    for order in _orders(desk, noted):
        filled[order.intent.ticker] = Quantity(filled[order.intent.ticker] + order.filled)
        open_yet = open_yet or order.live
    sold = _sold(desk, noted)
    for leg in noted.legs:
        sets, rest = kept(filled, sold, leg.ticker)
        if open_yet:
            sets, rest = Quantity(sets + rest), Quantity(0)
        there = _held(desk, leg)
        yield leg, Quantity(min(sets, there)), Quantity(min(rest, max(0, there - sets)))


def _orders(desk: Desk, noted: PlanNoted) -> Iterator[Order]:
    return (desk.ledger.orders[client] for client in desk.ledger.of_proposal.get(noted.plan, ()))


def _sold(desk: Desk, noted: PlanNoted) -> dict[str, Quantity]:
    """What was sold in the plan's markets since it began."""
    sold = {leg.ticker: Quantity(0) for leg in noted.legs}
    for order in reversed(desk.ledger.orders.values()):
        if order.intent.created_ms < noted.at_ms:
            break
        if order.intent.purpose is Purpose.CLOSE and order.intent.ticker in sold:
            sold[order.intent.ticker] = Quantity(sold[order.intent.ticker] + order.filled)
    return sold


def _held(desk: Desk, leg: PlanLeg) -> Quantity:
    """Contracts of the leg's outcome that are held."""
    net = desk.ledger.net(leg.ticker)
    return Quantity(max(0, net if leg.yes else -net))


def _end(desk: Desk, noted: PlanNoted, why: str) -> None:
    """Say what became of a plan whose legs have left, and call somebody for what is left of a broken one."""
    ended = msgspec.structs.replace(noted, state=PlanState.COMPLETE)
    left, live = _left(desk, ended), any(order.live for order in _orders(desk, noted))
    if left or live:
        left = left or "what is left over is not known yet"
        why, state = f"{why}; {left}" if why else left, PlanState.BROKEN
    elif any(sets for _, sets, _ in _parts(desk, ended)):
        state = PlanState.COMPLETE
    else:
        state = PlanState.MISSED
    ended = msgspec.structs.replace(ended, state=state, why=why)
    _record(desk, ended)
    if state is PlanState.BROKEN:
        _ring(desk, ended, why)


def _ring(desk: Desk, noted: PlanNoted, why: str) -> None:
    desk.alarms.raise_(
        _alarm(noted),
        AlarmLevel.CHECK,
        f"plan {noted.plan}, {noted.name}, broke: {why}",
        "the rest is a position of its own with a card that sells it",
        "the sale of the rest",
        noted.legs[0].ticker,
    )


def _left(desk: Desk, noted: PlanNoted) -> str:
    """What a plan has that belongs to no set, in words; empty where it has nothing."""
    rests = [
        f"{quantity_text(rest)} {_word(leg)} {leg.ticker}" for leg, _, rest in _parts(desk, noted) if rest
    ]
    return f"left over: {', '.join(rests)}" if rests else ""


def _record(desk: Desk, noted: PlanNoted, by: str = ENGINE.name) -> None:
    desk.scribe.log.append(Event(Kind.PLAN, noted, ticker=noted.legs[0].ticker, actor=by))
    keep_plan(desk.state.plans, noted)
    for leg in noted.legs:
        desk.state.changed_markets.touch(leg.ticker)


def _word(leg: PlanLeg) -> str:
    return "YES" if leg.yes else "NO"


def _alarm(noted: PlanNoted) -> str:
    return f"plan {noted.plan}"
