"""A card as a value: what is wanted, the gate's word on it, its fingerprint and its time."""

from __future__ import annotations

import enum

import msgspec

from core.domain.order import Outcome, Purpose
from core.domain.units import Money, Price, Quantity, complement, notional, notional_up
from core.risk.gate import Verdict
from core.strategy.plan import Plan, plan_fingerprint
from core.strategy.proposal import Candidate, fingerprint


class ProposalState(enum.Enum):
    OPEN = "OPEN"
    MOVED = "MOVED"
    BLOCKED = "BLOCKED"
    DEFERRED = "DEFERRED"
    SENT = "SENT"
    EXPIRED = "EXPIRED"
    VETOED = "VETOED"
    WITHDRAWN = "WITHDRAWN"


STANDING = frozenset({ProposalState.OPEN, ProposalState.MOVED, ProposalState.BLOCKED, ProposalState.DEFERRED})


class Before(msgspec.Struct, frozen=True):
    """What a card said last before it moved. ``price`` and ``fair`` in terms of the outcome."""

    price: Price
    quantity: Quantity
    fair: float | None
    """``None`` where no model said anything."""
    edge: Price
    cost: Money


class Proposal(msgspec.Struct, frozen=True):
    """One card. ``verdict`` is the gate's latest word on it."""

    id: str
    fingerprint: str
    candidate: Candidate
    """Of a plan its first leg."""
    state: ProposalState
    verdict: Verdict
    created_ns: int
    changed_ns: int
    """When the fingerprint last changed."""
    expires_ms: int
    """Real wall time."""
    expires_ns: int
    large: bool
    """Asks for the outcome's letter before it is sent."""
    edited: bool = False
    """The operator set price or size: the strategy no longer moves them."""
    was: Before | None = None
    """Before the last move."""
    ended_ns: int | None = None
    word: str = ""
    """Why it ended, or what sending it led to."""
    plan: Plan | None = None
    """Where several orders are decided on together."""

    @property
    def standing(self) -> bool:
        return self.state in STANDING

    @property
    def tickers(self) -> frozenset[str]:
        """Where it would trade."""
        return frozenset((self.candidate.ticker,)) if self.plan is None else self.plan.tickers

    @property
    def sentence(self) -> str:
        """What would be done, in one line."""
        return describe(self.candidate) if self.plan is None else describe_plan(self.plan)

    @property
    def figures(self) -> Before:
        """What changes when it moves."""
        c = self.candidate
        fair = c.fair if c.outcome is Outcome.YES else 1.0 - c.fair
        return Before(c.outcome_price, c.quantity, fair if c.model else None, c.edge, self.cost)

    @property
    def cost(self) -> Money:
        """What the order takes or brings, fees apart."""
        if self.plan is not None:
            return self.plan.cost
        c = self.candidate
        size = notional_up if c.purpose is Purpose.OPEN else notional
        return size(c.outcome_price, c.quantity)

    @property
    def max_loss(self) -> Money:
        """The most an open can lose, or a plan with any leg failing; a close can lose its fee."""
        if self.plan is not None:
            return self.plan.worst
        c = self.candidate
        return Money((self.cost if c.purpose is Purpose.OPEN else 0) + c.fee)

    @property
    def max_gain(self) -> Money:
        """Of a plan what it is sure to bring."""
        if self.plan is not None:
            return self.plan.profit
        c = self.candidate
        if c.purpose is Purpose.CLOSE:
            return Money(self.cost - c.fee)
        return Money(notional(complement(c.outcome_price), c.quantity) - c.fee)


def mark(proposal_id: str, candidate: Candidate, plan: Plan | None, expires_ms: int) -> str:
    if plan is not None:
        return plan_fingerprint(proposal_id, plan, expires_ms)
    return fingerprint(proposal_id, candidate, expires_ms)


def describe(candidate: Candidate) -> str:
    """One line for journal and replies: ``BUY YES 40 @ 32c KXHIGHNY-26NOV23-B48.5``."""
    verb = "BUY" if candidate.purpose is Purpose.OPEN else "SELL"
    count = f"{candidate.quantity / 1_000_000:.2f}".rstrip("0").rstrip(".")
    cents = f"{candidate.outcome_price / 100:.2f}".rstrip("0").rstrip(".")
    return f"{verb} {candidate.outcome.value.upper()} {count} @ {cents}c {candidate.ticker}"


def describe_plan(plan: Plan) -> str:
    """One line for journal and replies: ``every YES bought, 3 legs: BUY YES 10 @ 20c A, ...``."""
    legs = ", ".join(describe(leg) for leg in plan.legs)
    return f"{plan.legs[0].plan}: {legs}"
