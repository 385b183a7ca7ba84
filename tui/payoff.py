"""What an event comes to each way it may end, as the engine answers it, in words."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from tui.lines import Line, flow, line
from tui.tables import clean


class Outcome(msgspec.Struct, frozen=True):
    """See ``OUTCOMES`` in ``core/control/queries/payoff.py``."""

    label: str
    made: Decimal


class Payoff(msgspec.Struct, frozen=True):
    """See ``PAYOFF`` there."""

    ticker: str
    label: str
    held: tuple[Outcome, ...]
    ordered: tuple[Outcome, ...]
    realised: Decimal
    fees: Decimal


def read_payoff(answer: bytes) -> Payoff:
    """With every text in it safe to draw."""
    return clean(msgspec.json.decode(answer, type=Payoff))


def outcome_groups(outcomes: Iterable[Outcome]) -> list[Line]:
    """Each way an event may end with what it makes."""
    return [
        line((f"{one.label} ", "text-muted"), (f"{one.made:+.2f}", "gain" if one.made > 0 else "loss"))
        for one in outcomes
    ]


def payoff_lines(payoff: Payoff, width: int) -> list[Line]:
    """What is held comes to, what of it is closed and charged, and what the working orders make of it."""
    groups = [line((f"{payoff.label} ends with", "text-muted")), *outcome_groups(payoff.held)]
    if payoff.realised or payoff.fees:
        groups.append(line(("realised ", "text-muted"), f"{payoff.realised:+.2f}"))
        groups.append(line(("fees ", "text-muted"), f"{payoff.fees:.2f}"))
    rows = flow(groups, width - 2, 2)
    if payoff.ordered:
        told = line(("orders filled, with", "text-muted"))
        rows += flow([told, *outcome_groups(payoff.ordered)], width - 2, 2)
    return [line(" ", *row) for row in rows]
