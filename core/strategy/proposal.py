"""A trade the strategy wants, with every figure the operator decides on."""

from __future__ import annotations

import enum
import hashlib
from typing import Final

import msgspec

from core.domain.order import BookSide, Outcome, Purpose, TimeInForce, in_terms_of, outcome_of
from core.domain.units import Money, Price, Quantity

MANUAL: Final = "manual"
"""The strategy of what a person asks for."""


class FeeRole(enum.Enum):
    MAKER = "maker"
    TAKER = "taker"


class Sizing(msgspec.Struct, frozen=True):
    """How the size came about."""

    kelly_full: float
    """Full-Kelly fraction of the bankroll with nothing held, other orders of the event as large as can be."""
    kelly_used: float
    """The part of the bankroll it is played with: the multiplier chosen, 0.25 for a quarter, less for what is
    at risk on other events."""
    bound_by: str
    """Which cap set the final size: ``kelly``, ``kelly beside what is held``, ``depth share (25% of 160)``,
    ``market limit`` ..."""
    shrink: float = 1.0
    """The second multiplier, for what the fair values may err."""


class Candidate(msgspec.Struct, frozen=True):
    """One order the strategy, or a person, would send now. Prices and side in YES terms."""

    ticker: str
    event_ticker: str
    strategy: str
    side: BookSide
    purpose: Purpose
    price: Price
    quantity: Quantity
    tif: TimeInForce
    post_only: bool
    reduce_only: bool
    fee_role: FeeRole
    fee: Money
    """Entry (or exit) fee at this size."""
    edge: Price
    """Net edge per contract after all fees and slippage, ten-thousandths of a dollar, signed."""
    edge_half: Price
    """The same at half the size. Of a leg of a plan, whose edge is a set's at its limits, one's as the books
    show it."""
    fair: float
    """Says nothing, like ``sigma`` and the edges, where there is no ``model``."""
    sigma: float
    model: str
    """Empty where no model says what it is worth."""
    model_version: str
    sizing: Sizing
    why: str
    against: str
    lifetime_s: int = 120
    """Venue-enforced expiry of a resting order, real seconds."""
    fill: float = 1.0
    """Share of an entry expected to fill within an hour, by the size ahead of it."""
    plan: str = ""
    """Name of the plan it is a leg of, empty for none: a leg rests on prices alone, not on a fair value."""

    @property
    def outcome(self) -> Outcome:
        return outcome_of(self.side, self.purpose)

    @property
    def outcome_price(self) -> Price:
        return in_terms_of(self.outcome, self.price)

    @property
    def said(self) -> float | None:
        """What the fair value gives the outcome it opens; ``None`` for an exit and a leg of a plan."""
        if self.reduces_risk or self.plan:
            return None
        return self.fair if self.side is BookSide.BID else 1.0 - self.fair

    @property
    def reduces_risk(self) -> bool:
        return self.purpose is Purpose.CLOSE

    @property
    def by_hand(self) -> bool:
        """A person asked for it: what a model says of it is told, and decides nothing."""
        return self.strategy == MANUAL


def fingerprint(proposal_id: str, candidate: Candidate, expires_ms: int) -> str:
    """What an approval approves: id, market, side, price, size, expiry, model version (12 hex digits).

    Book sequence and surrounding figures are not in it; the book is checked again at release.
    """
    text = "|".join(
        (
            proposal_id,
            candidate.ticker,
            candidate.side.value,
            candidate.purpose.value,
            str(candidate.price),
            str(candidate.quantity),
            str(expires_ms),
            candidate.model_version,
        )
    )
    return hashlib.sha256(text.encode()).hexdigest()[:12]
