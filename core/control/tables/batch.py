"""The cards of one event together, asked for."""

from __future__ import annotations

import msgspec


class OutcomeRow(msgspec.Struct, frozen=True, array_like=True):
    """One way the event may end: ``label`` of the market that pays YES, or ``none``."""

    label: str
    made: int
    """By all cards, filled whole, fees paid; of a sale, against holding on."""


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
    """Empty where more than one market may pay YES."""
