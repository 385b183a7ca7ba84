"""What an event comes to once it has settled, asked for."""

from __future__ import annotations

import msgspec


class OutcomeRow(msgspec.Struct, frozen=True, array_like=True):
    """One way the event may end: ``label`` of the market that pays YES, or ``none``."""

    label: str
    made: int


class PayoffRow(msgspec.Struct, frozen=True, array_like=True):
    """All that was and is held of an event, its fees paid: what it made in the end, each way it may end."""

    ticker: str
    """The market that was asked about."""
    label: str
    """The event's; the market's where several of its event may pay YES, as each then stands alone."""
    held: tuple[OutcomeRow, ...]
    ordered: tuple[OutcomeRow, ...]
    """The same with every working order of ours filled, its fee apart; empty where none works."""
    realised: int
    """Of it closed already, before fees."""
    fees: int
