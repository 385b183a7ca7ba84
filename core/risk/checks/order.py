"""Checks of the order itself: its shape, its size, its price, and what it would trade against."""

from __future__ import annotations

from core.domain.order import BookSide, Purpose, TimeInForce
from core.domain.units import ONE_DOLLAR, Price, Quantity, complement
from core.risk.checks.finding import SECOND_NS, Finding, cents, contracts_text, cost_of, over, sent_within
from core.risk.exposure import opposing, sellable
from core.risk.facts import GateInputs, ordinary
from core.risk.limits import Limits
from core.strategy.proposal import Candidate

DUPLICATE_NS = 5_000_000_000
HIGHEST_BUY = Price(9_700)
LIFETIME_MAX_S = 120
"""Every resting order ends by itself at the venue."""


def schema(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    market = inputs.market
    assert market is not None
    if market.ticker != candidate.ticker or market.event_ticker != candidate.event_ticker:
        return Finding(f"market {candidate.ticker}", market.ticker)
    if not market.grid.valid(candidate.price):
        return Finding(f"price {candidate.price} is off the market's grid", "a valid price")
    if candidate.quantity <= 0 or candidate.quantity % inputs.lot:
        return Finding(f"quantity {candidate.quantity}", f"a positive multiple of {inputs.lot} millionths")
    if candidate.quantity < market.minimum:
        least = f"at least {contracts_text(market.minimum)}"
        return Finding(f"quantity {contracts_text(candidate.quantity)}", least)
    if candidate.fee < 0:
        return Finding(f"fee {candidate.fee}", "not negative")
    immediate = candidate.tif is not TimeInForce.GTC
    if candidate.purpose is Purpose.CLOSE:
        # What rests cannot be reduce-only at the venue: it must not trade at once, and G14 bounds it.
        resting = not immediate and candidate.post_only and not candidate.reduce_only
        at_once = immediate and candidate.reduce_only and not candidate.post_only
        if not (at_once or resting):
            return Finding("a close that is neither", "immediate and reduce-only, or resting post-only")
    elif candidate.reduce_only or (candidate.post_only and immediate):
        return Finding("contradictory order flags", "post-only rests, reduce-only closes")
    if not immediate and not 0 < candidate.lifetime_s <= LIFETIME_MAX_S:
        return Finding(f"lifetime {candidate.lifetime_s} s", f"up to {LIFETIME_MAX_S} s")
    return None


def allowed(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.market is not None
    if not inputs.allowed:
        return Finding(f"{inputs.market.ticker} is not on the list of markets to trade", "listed")
    if inputs.market.rules_hash != inputs.pinned_rules_hash:
        return Finding("the rules text changed", "the rules as first read")
    return None


def duplicate(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    if inputs.proposal_used:
        return Finding("this proposal was sent before", "once")
    if candidate.reduces_risk:
        return None
    same = (candidate.ticker, candidate.side, candidate.price, candidate.quantity)
    for sent in sent_within(inputs, DUPLICATE_NS):
        if (sent.ticker, sent.side, sent.price, sent.quantity) == same:
            return Finding("the same order was sent moments ago", f"{DUPLICATE_NS // SECOND_NS} s apart")
    return None


def contracts(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    return over("order_contracts_max", candidate.quantity, limits)


def order_cost(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    return over("order_cost_max", cost_of(candidate), limits)


def relative_size(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.book is not None
    share = -(-candidate.quantity * 100 // inputs.book.depth) if inputs.book.depth > 0 else 101
    if share > limits.depth_share_max:
        return Finding(f"{min(share, 999)} % of the visible depth", f"{limits.depth_share_max} %")
    most = ordinary(inputs.recent or (), limits.order_median_max)
    if most is not None and candidate.quantity > most:
        times = limits.order_median_max * candidate.quantity / most
        return Finding(f"{times:.1f} times the median order", f"{limits.order_median_max} times")
    return None


def collar_book(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.book is not None
    touch = inputs.book.best_ask if candidate.side is BookSide.BID else inputs.book.best_bid
    if touch is None:
        return Finding("nobody offers the other side", "a touch to compare with")
    reference = touch if candidate.side is BookSide.BID else complement(touch)
    price, most = candidate.outcome_price, limits.collar(candidate.outcome_price)
    if price - reference > most:
        return Finding(f"{cents(price - reference)} beyond the touch", cents(most))
    return None


def collar_model(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.fair is not None
    # A probability outside [0, 1] is G13's to name; here it only must not overflow.
    fair = round(min(max(inputs.fair.probability, 0.0), 1.0) * ONE_DOLLAR)
    away = abs(candidate.price - fair)
    if away > limits.collar_model:
        return Finding(f"{cents(away)} away from fair", cents(limits.collar_model))
    if candidate.edge < limits.edge_min:
        return Finding(f"net edge {cents(candidate.edge)}", f"at least {cents(limits.edge_min)}")
    if candidate.edge > limits.edge_max:
        return Finding(f"net edge {cents(candidate.edge)} is too good", f"{cents(limits.edge_max)}")
    return None


def plan_profit(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    """Of a leg the edge is the plan's profit a set: the least it brings, and what it brings as shown."""
    if not candidate.plan:
        return None
    if candidate.edge < limits.edge_min:
        return Finding(f"profit a set {cents(candidate.edge)}", f"at least {cents(limits.edge_min)}")
    if candidate.edge_half > limits.edge_max:
        return Finding(f"profit a set {cents(candidate.edge_half)} is too good", f"{cents(limits.edge_max)}")
    return None


def cross(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    # On one book in YES terms the asks of both outcomes sum to 1 plus the spread, so a sum below
    # 0.97 is a crossed book too.
    assert inputs.book is not None
    bid, ask = inputs.book.best_bid, inputs.book.best_ask
    if bid is not None and ask is not None and bid >= ask:
        return Finding(f"book crossed or locked, {cents(bid)} bid at {cents(ask)}", "bid below ask")
    if candidate.outcome_price > HIGHEST_BUY:
        return Finding(f"buying at {cents(candidate.outcome_price)}", cents(HIGHEST_BUY))
    return None


def short(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.position is not None and inputs.orders is not None and inputs.outside is not None
    outcome = candidate.outcome
    if candidate.reduces_risk:
        theirs = sum(report.remaining for report in inputs.outside if report.side is candidate.side)
        held = sellable(inputs.position, inputs.orders, outcome) - inputs.unsettled
        free = Quantity(max(0, held - theirs))
        if candidate.quantity > free:
            waits = f", {contracts_text(inputs.unsettled)} not settled yet" if inputs.unsettled else ""
            return Finding(
                f"selling {contracts_text(candidate.quantity)}", f"{contracts_text(free)} free{waits}"
            )
        return None
    against = opposing(inputs.position, inputs.orders, outcome)
    if against > 0:
        return Finding(f"{contracts_text(against)} of the other outcome held or on order", "none")
    return None


def self_cross(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    for order in inputs.orders or ():
        own = order.intent
        if order.live and own.side is candidate.side.opposite:
            reaches = (candidate.price - own.price) * candidate.side.sign >= 0
            if reaches and order.leaves > 0:
                return Finding(f"would trade with our own order at {cents(own.price)}", "no own order there")
    for theirs in inputs.outside or ():
        reaches = (candidate.price - theirs.price) * candidate.side.sign >= 0
        if theirs.side is candidate.side.opposite and reaches:
            return Finding(
                f"would trade with this account's order at {cents(theirs.price)}", "no own order there"
            )
    return None
