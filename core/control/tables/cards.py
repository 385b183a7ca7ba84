"""Proposals as they are shown to whoever decides."""

from __future__ import annotations

import msgspec

from core.control.tables.models import InputRow


class UsedRow(msgspec.Struct, frozen=True, array_like=True):
    """One limit on a card: used now, what this order adds, and the limit (money)."""

    name: str
    used: int
    adds: int
    limit: int


class CheckRow(msgspec.Struct, frozen=True, array_like=True):
    """A gate check that did not pass, or passed with a warning."""

    code: str
    text: str
    clears: str
    blocks: bool


class LegRow(msgspec.Struct, frozen=True, array_like=True):
    """One order of a plan."""

    key: int
    outcome: str
    """Bought."""
    price: int
    """In terms of the outcome."""
    quantity: int


class PlanRow(msgspec.Struct, frozen=True, array_like=True):
    """Orders that are decided on together."""

    kind: str
    legs: tuple[LegRow, ...]
    """In the order in which they leave."""
    pays: int
    """All of it, in the worst outcome with every leg filled."""
    profit: int
    worst: int
    """Most that can be lost, whichever legs fail."""
    cautions: tuple[str, ...]
    """What can still go wrong; the first says what failing legs cost."""


class BeforeRow(msgspec.Struct, frozen=True, array_like=True):
    """What a card said last before it moved, like the fields of its own of these names."""

    price: int
    quantity: int
    fair: int | None
    edge: int
    cost: int


class PreviewRow(msgspec.Struct, frozen=True, array_like=True):
    """A card as an edit would leave it or a ticket would make it; fields as its own of these names."""

    price: int
    quantity: int
    cost: int
    fee: int
    max_loss: int
    edge: int | None
    fill: float
    blocked: str
    """The first rule that would block it; empty where none does."""


class ProposalRow(msgspec.Struct, frozen=True, array_like=True):
    """One card, in the order of its lines."""

    id: str
    fingerprint: str
    key: int
    strategy: str
    state: str
    """``OPEN``, ``MOVED``, ``BLOCKED``, ``SENT``, ``EXPIRED``, ``VETOED``, ``WITHDRAWN``, ``DEFERRED``."""
    closes: bool
    outcome: str
    """``YES`` or ``NO``; bought, or sold when ``closes``."""
    price: int
    """In terms of the outcome."""
    quantity: int
    style: str
    """``post-only``, ``limit``, ``IOC``."""
    cost: int
    fee: int
    fee_role: str
    max_loss: int
    max_gain: int
    fair: int | None
    """In terms of the outcome, like ``price``; ``None``: no model says what it is worth, and nothing is said
    by ``sigma`` and the edges."""
    sigma: int
    bid: int | None
    ask: int | None
    edge: int
    edge_half: int
    kelly_used: float
    """The part of the bankroll that Kelly is played with."""
    kelly_full: float
    """Of the bankroll."""
    shrink: float
    """What is made of it for estimation error, besides ``kelly_used``."""
    bound_by: str
    ahead: int
    """Contracts resting at our price or better."""
    fill: float
    """Share of an entry expected to fill within an hour, by what is ahead of it."""
    spread_ticks: int
    share: float
    """Share of the visible depth this order would take or join."""
    position: int
    position_after: int
    used: tuple[UsedRow, ...]
    """Market, event, venue, total."""
    oldest: InputRow | None
    settles: str
    why: str
    against: str
    created_ns: int
    changed_ns: int
    """When the fingerprint last changed; arming counts from here or from selection."""
    expires_ns: int
    checks: tuple[CheckRow, ...]
    was: BeforeRow | None
    large: bool
    """Asks for the outcome's letter before it is sent."""
    evidence: tuple[str, ...]
    model: int | None = None
    """What the model says alone, in terms of the outcome."""
    market: int | None = None
    """What the market says, likewise."""
    weight: float = 1.0
    """Of the model in ``fair``."""
    plan: PlanRow | None = None
    """Where the card is a plan. Market, outcome, price and position above are then of its first leg; cost,
    fee, losses and gains of all of them, and ``edge`` is the profit of a set."""
    by_hand: bool = False
    """A person asked for it."""
    sharpened: int | None = None
    """``market`` as it counts in ``fair``: more certain, by what past prices have shown."""
