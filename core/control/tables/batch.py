"""The cards of one event together, asked for."""

from __future__ import annotations

import msgspec

from core.control.tables.payoff import OutcomeRow


class BatchRow(msgspec.Struct, frozen=True, array_like=True):
    """What all standing cards of an event come to. Losses are worst cases with what is held and on order."""

    event: str
    cards: int
    cost: int
    """Of those that open."""
    fee: int
    event_now: int
    event_after: int
    event_limit: int
    total_now: int
    total_after: int
    total_limit: int
    outcomes: tuple[OutcomeRow, ...]
    """By all cards, filled whole, fees paid; of a sale, against holding on. Empty where more than one market
    may pay YES."""
