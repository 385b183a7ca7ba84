"""A proposal as the card the operator decides on: itself, its surroundings, and its effect on the limits.

Prices are in terms of the card's outcome, as on the card.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from core.control.rows.models import EVIDENCE_MAX, input_row
from core.control.rows.values import in_outcome, probability, probability_if
from core.control.tables.cards import BeforeRow, CheckRow, LegRow, PlanRow, PreviewRow, ProposalRow, UsedRow
from core.control.tables.models import InputRow
from core.domain.market import Market
from core.domain.order import Outcome, Purpose, TimeInForce
from core.domain.position import Position
from core.domain.units import Price, Quantity
from core.engine.state import MarketState
from core.execution.proposals import Before, Proposal
from core.feeds.stations import stations
from core.models.fair_value import EventFair, FairValue
from core.risk.exposure import Worst, held
from core.risk.facts import visible_depth
from core.risk.gate import Denial
from core.risk.limits import LiveLimits
from core.strategy.plan import Plan
from core.strategy.proposal import Candidate
from core.venues.venue import BookView


class CardSurroundings(msgspec.Struct, frozen=True):
    """What a card shows besides itself."""

    state: MarketState
    event: EventFair | None
    """Of its event."""
    view: BookView | None
    position: Position
    pending: Quantity
    """What this card may still add or take away: its size, or what its order has left once sent."""
    worst: tuple[tuple[Worst, Worst], ...]
    """By each of its markets, without it and with it."""
    limits: LiveLimits
    collar: Price
    keys: Mapping[str, int]
    """Of its markets, by ticker."""
    alone: str
    """Why the engine may not send it by itself; empty where it may."""


def proposal_row(card: Proposal, around: CardSurroundings) -> ProposalRow:
    c, market = card.candidate, around.state.market
    outcome, plan = c.outcome, card.plan
    fair = around.state.fair if plan is None else None
    pool = around.event if fair is not None else None
    book = around.view.book if around.view is not None else None
    bid = in_outcome(book.best_bid if book else None, Outcome.YES)
    ask = in_outcome(book.best_ask if book else None, Outcome.YES)
    spread = market.grid.ticks_between(Price(bid), Price(ask)) if bid is not None and ask is not None else 0
    ours, theirs = (bid, ask) if outcome is Outcome.YES else (ask, bid)
    rests = c.tif is TimeInForce.GTC
    left = 0 if card.standing else around.pending  # of its own order: a book shows that too once it rests
    ahead = Quantity(max(0, book.depth_within(c.side, c.price) - left) if book and rests else 0)
    depth = ahead if c.post_only else visible_depth(book, c.side, around.collar) if book else Quantity(0)
    holding = held(around.position, outcome)
    after = holding + (-around.pending if c.purpose is Purpose.CLOSE else around.pending)
    return ProposalRow(
        id=card.id,
        fingerprint=card.fingerprint,
        key=around.state.key,
        strategy=c.strategy,
        state=card.state.value,
        closes=c.purpose is Purpose.CLOSE,
        outcome=outcome.name,
        price=c.outcome_price,
        quantity=c.quantity,
        style=_style(c),
        cost=card.cost,
        fee=c.fee if plan is None else plan.fee,
        fee_role=c.fee_role.value,
        max_loss=card.max_loss,
        max_gain=card.max_gain,
        fair=in_outcome(probability(c.fair), outcome) if c.model else None,
        sigma=probability(c.sigma),
        bid=in_outcome(ours, outcome),
        ask=in_outcome(theirs, outcome),
        edge=c.edge,
        edge_half=c.edge_half,
        kelly_used=c.sizing.kelly_used,
        kelly_full=c.sizing.kelly_full,
        shrink=c.sizing.shrink,
        bound_by=c.sizing.bound_by,
        ahead=ahead,
        fill=c.fill,
        spread_ticks=spread,
        share=c.quantity / depth if depth else 1.0,
        position=holding,
        position_after=after,
        used=_used(around),
        oldest=_oldest(fair),
        settles=settles(market),
        why=c.why,
        against=c.against,
        created_ns=card.created_ns,
        changed_ns=card.changed_ns,
        expires_ns=card.expires_ns,
        checks=_checks(card, around.alone),
        was=_before(card.was) if card.was is not None else None,
        large=card.large,
        evidence=fair.evidence[:EVIDENCE_MAX] if fair is not None else (),
        model=in_outcome(probability_if(fair.model_probability if fair is not None else None), outcome),
        market=in_outcome(probability_if(fair.market_probability if fair is not None else None), outcome),
        weight=fair.weight if fair is not None else 1.0,
        plan=_plan(plan, around.keys) if plan is not None else None,
        by_hand=c.by_hand,
        sharpened=in_outcome(probability_if(pool.sharpened(c.ticker) if pool is not None else None), outcome),
    )


def _style(order: Candidate) -> str:
    if order.post_only:
        return "post-only"
    return "limit" if order.tif is TimeInForce.GTC else "IOC"


def preview_row(card: Proposal) -> PreviewRow:
    c = card.candidate
    return PreviewRow(
        price=c.outcome_price,
        quantity=c.quantity,
        cost=card.cost,
        fee=c.fee,
        max_loss=card.max_loss,
        edge=c.edge if c.model else None,
        fill=c.fill,
        blocked=next((str(denial) for denial in card.verdict.denials), ""),
    )


def _before(was: Before) -> BeforeRow:
    return BeforeRow(was.price, was.quantity, probability_if(was.fair), was.edge, was.cost)


def _plan(plan: Plan, keys: Mapping[str, int]) -> PlanRow:
    legs = tuple(
        LegRow(keys[leg.ticker], leg.outcome.name, leg.outcome_price, leg.quantity) for leg in plan.legs
    )
    return PlanRow(plan.kind.value, legs, plan.pays, plan.profit, plan.worst, plan.cautions)


def _checks(card: Proposal, alone: str) -> tuple[CheckRow, ...]:
    """What blocks it, and what a person may overrule and automatic mode may not."""
    rows = [CheckRow(d.code, _named(d), d.clears, blocks=True) for d in card.verdict.denials]
    rows += [CheckRow(d.code, _named(d), d.clears, blocks=False) for d in card.verdict.warnings]
    if alone and not card.candidate.by_hand:
        clears = "a better price" if card.candidate.reduces_risk else "a record"
        rows.append(CheckRow("AUTO", f"not sent by automatic mode: {alone}", clears, blocks=False))
    return tuple(rows)


_CARD_LIMITS = (
    ("mkt", "market", "market_loss_max"),
    ("event", "event", "event_loss_max"),
    ("venue", "venue", "venue_loss_max"),
    ("total", "total", "total_loss_max"),
)


def _named(denial: Denial) -> str:
    """The check and what it found, the name once."""
    return denial.found if denial.found.startswith(denial.name) else f"{denial.name}: {denial.found}"


def _used(around: CardSurroundings) -> tuple[UsedRow, ...]:
    """Of a plan's markets, by each limit the one that is the fullest with it."""
    rows = []
    for label, scope, limit in _CARD_LIMITS:
        cases = ((int(getattr(now, scope)), int(getattr(after, scope))) for now, after in around.worst)
        now, after = max(cases, key=lambda case: case[1])
        rows.append(UsedRow(label, now, after - now, around.limits.current.value(limit)))
    return tuple(rows)


def _oldest(fair: FairValue | None) -> InputRow | None:
    """The input nearest to the end of its usefulness."""
    if fair is None or not fair.inputs:
        return None
    return input_row(min(fair.inputs, key=lambda age: age.event_ms + age.stale_after_s * 1000))


def settles(market: Market) -> str:
    """Settlement source in words."""
    station = stations().get(market.station) if market.station else None
    if station is None:
        return market.rules[:80]
    if market.source:
        return f"{market.source}, {station.name} {market.climate_day or '?'}"
    if market.authority:
        return f"{market.authority} {market.climate_day or '?'}, proxy {station.cli}"
    return f"{station.name}, NWS climate day {market.climate_day or '?'}"
