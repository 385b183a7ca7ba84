"""The gate at work: its verdict on an order or a plan now, and what is asked beside it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from core.domain.fees import UnknownFeeError, estimate
from core.domain.market import Venue
from core.domain.order import BookSide, TimeInForce
from core.domain.units import Money, notional_up, parse_money
from core.engine.desk import Desk
from core.engine.facts import market_view, no_price
from core.engine.gate_inputs import inputs, shard_of, worst_with
from core.engine.state import AlarmLevel
from core.execution.gateway import Denied, Wish
from core.risk.exposure import order_loss, reservation
from core.risk.facts import GateInputs, evidence
from core.risk.gate import Verdict, gate, gate_plan
from core.risk.halts import Level
from core.strategy.assess import edge_at
from core.strategy.convergence import sacrifice
from core.strategy.manual import valued
from core.strategy.plan import ARBITRAGE, Plan
from core.strategy.proposal import Candidate

WIDE_TICKS = 8
"""From this spread on an open is confirmed twice."""


def judge(desk: Desk, candidate: Candidate, proposal_id: str = "", without: str = "") -> Verdict:
    """The gate's verdict now."""
    return _judged(desk, candidate, inputs(desk, candidate, proposal_id, without))


def _judged(desk: Desk, candidate: Candidate, given: GateInputs) -> Verdict:
    """A check that failed to run denies, and calls somebody."""
    return _alarmed(desk, gate(candidate, given, desk.state.limits.current))


def _alarmed(desk: Desk, verdict: Verdict) -> Verdict:
    for fault in verdict.faults:
        code = fault.partition(" ")[0]
        what = f"a gate check failed: {fault}"
        desk.alarms.raise_(f"gate {code}", AlarmLevel.ACT, what, "it denies what it should judge", "a repair")
    return verdict


def judge_plan(desk: Desk, plan: Plan, proposal_id: str = "") -> Verdict:
    """The gate's one verdict on a plan now, on the worst that can come of it with any of its legs failing."""
    losses = {leg.ticker: order_loss(leg.side, leg.price, leg.quantity, leg.fee) for leg in plan.legs}
    costs = {leg.ticker: _cost(leg) for leg in plan.legs}
    judged = []
    for leg in plan.legs:
        given = inputs(desk, leg, proposal_id, "")
        others = {ticker: cost for ticker, cost in costs.items() if ticker != leg.ticker}
        mine = _account(desk, leg.ticker)
        beside = sum(cost for ticker, cost in others.items() if _account(desk, ticker) == mine)
        judged.append(
            (
                leg,
                msgspec.structs.replace(
                    given,
                    worst=desk.exposure.with_orders(leg.ticker, losses),
                    reserved=None if given.reserved is None else Money(given.reserved + beside),
                    filled_15s=_more(given.filled_15s, others),
                    filled_5min=_more(given.filled_5min, others),
                    more=len(others),
                ),
            )
        )
    return _alarmed(desk, gate_plan(judged, desk.state.limits.current))


def _cost(leg: Candidate) -> Money:
    return reservation(leg.side, leg.purpose, leg.price, leg.quantity, leg.fee)


def _account(desk: Desk, ticker: str) -> tuple[Venue, int]:
    """Whose cash an order in a market takes."""
    return desk.seat(ticker).name, shard_of(desk, ticker)


def _more(filled: Money | None, others: Mapping[str, Money]) -> Money | None:
    return None if filled is None else Money(filled + sum(others.values()))


def large_plan(desk: Desk, plan: Plan) -> bool:
    """Whether a plan asks for a second key: any of its legs would, or all of them are much money."""
    dear = plan.cost > parse_money(str(desk.settings.engine.confirm_above))
    return dear or any(large(desk, leg) for leg in plan.legs)


def large(desk: Desk, candidate: Candidate) -> bool:
    """Whether an open asks for a second key: much money, a wide spread, the last tenth of a limit, or the
    first real money of its strategy that this engine knows of."""
    view, limits = desk.seats.book(candidate.ticker), desk.state.limits.current
    if candidate.reduces_risk or view is None:
        return False
    bid, ask = view.book.best_bid, view.book.best_ask
    grid = desk.state.markets[candidate.ticker].market.grid
    wide = bid is None or ask is None or grid.ticks_between(bid, ask) >= WIDE_TICKS
    after = worst_with(desk, candidate, "")
    used = (
        (after.market, limits.market_loss_max),
        (after.event, limits.event_loss_max),
        (after.correlated, limits.correlated_loss_max),
        (after.venue, limits.venue_loss_max),
        (after.total, limits.total_loss_max),
    )
    cost = notional_up(candidate.outcome_price, candidate.quantity)
    dear = cost > parse_money(str(desk.settings.engine.confirm_above))
    return (
        dear
        or wide
        or _untried(desk, candidate.strategy)
        or any(worst * 10 > limit * 9 for worst, limit in used)
    )


def _untried(desk: Desk, strategy: str) -> bool:
    """Whether no real money has been traded by a strategy yet."""
    orders = desk.ledger.orders.values()
    return bool(desk.state.arm_phrase) and all(order.intent.strategy != strategy for order in orders)


def moved(desk: Desk, candidate: Candidate) -> str | None:
    """Why the book no longer allows the price that was decided on, ``None`` while it does."""
    view = desk.seats.book(candidate.ticker)
    if view is None:
        return "no book"
    opposite = view.book.best_ask if candidate.side is BookSide.BID else view.book.best_bid
    reaches = opposite is not None and (candidate.price - opposite) * candidate.side.sign >= 0
    if candidate.post_only and reaches:
        return "the book moved: the order would take instead of rest"
    if candidate.tif is not TimeInForce.GTC and not reaches:
        return "the book moved: nobody is left at that price"
    return None


def refreshed(desk: Desk, candidate: Candidate) -> Candidate | str:
    """An opening candidate with edge, fee and fair value of this moment, or why it has none. A leg of a plan
    has no fair value: its price is what counts, and its fee."""
    if candidate.reduces_risk:
        return candidate
    if candidate.plan:
        fee = leg_fee(desk, candidate)
        return fee if isinstance(fee, str) else msgspec.structs.replace(candidate, fee=fee)
    view, known = market_view(desk, candidate.ticker), desk.state.markets[candidate.ticker]
    if candidate.by_hand:
        return "no book" if view is None else valued(candidate, view, known.fair, desk.rules)
    if view is None or known.fair is None:
        return "no book" if view is None else no_price(desk, candidate.ticker)
    if known.fair.unpooled:
        return known.fair.unpooled
    try:
        at = edge_at(
            known.fair,
            view,
            candidate.side,
            candidate.price,
            candidate.quantity,
            candidate.fee_role,
            desk.rules,
        )
    except UnknownFeeError as error:
        return str(error)
    if at is None:
        return "the book moved: nothing is left to take"
    cost, edge = at
    return msgspec.structs.replace(
        candidate, fee=cost.fee, edge=edge, fair=known.fair.probability, sigma=known.fair.sigma
    )


def leg_fee(desk: Desk, leg: Candidate) -> Money | str:
    """What a leg of a plan is charged at most now, or why nobody knows."""
    known = desk.state.markets.get(leg.ticker)
    if known is None:
        return f"{leg.ticker} is not on the desk"
    fees = known.market.fees_at(desk.clocks.world_ms())
    try:
        return estimate(fees, leg.price, leg.quantity, is_taker=True)
    except UnknownFeeError as unknown:
        return str(unknown)


def _alone(desk: Desk, candidate: Candidate) -> str:
    """Why an open would rest on a model alone, which nobody trades on; a leg of a plan rests on none, and
    what a person asks for on that person."""
    known = desk.state.markets.get(candidate.ticker)
    rests = known is not None and not (candidate.plan or candidate.by_hand)
    fair = known.fair if known is not None and rests else None
    return fair.unpooled if fair is not None else ""


def needs_person(desk: Desk, candidate: Candidate) -> str:
    """Why the engine may not send this by itself; empty where it may."""
    if candidate.by_hand:
        return "a person asked for it, and sends it"
    if candidate.reduces_risk:
        # What a plan left has no fair value that could bound what its sale gives up.
        plans = candidate.strategy == ARBITRAGE
        return "a person sells what a plan left" if plans else sacrifice(candidate, desk.rules)
    known = desk.state.markets.get(candidate.ticker)
    return known.fair.doubt if known is not None and known.fair is not None else ""


def gate_line(desk: Desk, wish: Wish, without: str) -> Denied | str:
    """The gateway's gate: a denial, or the verdict with every value it rests on, as JSON text."""
    candidate = wish.candidate
    if not candidate.reduces_risk:
        desk.pricing.expire()
        desk.pricing.follow((candidate.event_ticker,))
        if alone := _alone(desk, candidate):
            return Denied(alone)
    if wish.automatic and (why := needs_person(desk, candidate)):
        return Denied(why)
    if not wish.flatten:
        if desk.health.stepped(desk.seat(candidate.ticker).name):
            return Denied("the engine stood still or its clock was set: the account is read first")
        gone = moved(desk, candidate)
        fresh = refreshed(desk, candidate)
        if gone is not None or isinstance(fresh, str):
            return Denied(gone or str(fresh))
        candidate = fresh
    given = inputs(desk, candidate, wish.proposal_id, without)
    if wish.flatten and desk.state.halts.desk is Level.FLATTENING:
        # The stop outranks a venue locked for its key: whether the key works the venue's answer says.
        given = msgspec.structs.replace(given, level=Level.FLATTENING)
    verdict = _judged(desk, candidate, given)
    if not verdict.passed:
        codes = [denial.code for denial in verdict.denials]
        gate = msgspec.json.encode({"verdict": "denied", "codes": codes, **evidence(given)}).decode()
        return Denied("; ".join(str(denial) for denial in verdict.denials), gate)
    if without:
        return "passed"
    warned = {"warnings": [str(warning) for warning in verdict.warnings]} if verdict.warnings else {}
    return msgspec.json.encode({"verdict": "passed", **warned, **evidence(given)}).decode()
