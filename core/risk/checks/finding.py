"""What a check returns, and the comparisons and words all checks share."""

from __future__ import annotations

from bisect import bisect_right

import msgspec

from core.domain.units import Money
from core.risk.exposure import reservation
from core.risk.facts import GateInputs, Sent
from core.risk.limits import SPEC, Limits, LimitSpec, Unit, limit_text
from core.strategy.proposal import Candidate

SECOND_NS, MINUTE_NS, HOUR_NS = 1_000_000_000, 60_000_000_000, 3_600_000_000_000

_UNIT_WORD = {Unit.MILLISECONDS: " ms", Unit.SECONDS: " s", Unit.PERCENT: " %", Unit.MEGABYTES: " MB"}


class Finding(msgspec.Struct, frozen=True):
    """What a check saw and what it allows, as a person reads it."""

    observed: str
    limit: str


def over(name: str, observed: int, limits: Limits) -> Finding | None:
    """The common comparison: an integer above the limit of that name."""
    return _told(SPEC[name], observed, limits) if observed > limits.value(name) else None


def reached(name: str, observed: int, limits: Limits) -> Finding | None:
    """For limits that stop something once they are reached."""
    return _told(SPEC[name], observed, limits) if observed >= limits.value(name) else None


def _told(spec: LimitSpec, observed: int, limits: Limits) -> Finding:
    unit = _UNIT_WORD.get(spec.unit, "")
    return Finding(
        f"{spec.label} {limit_text(spec, observed)}{unit}",
        f"{limit_text(spec, limits.value(spec.name))}{unit}",
    )


def first(*findings: Finding | None) -> Finding | None:
    return next((finding for finding in findings if finding is not None), None)


def cost_of(candidate: Candidate) -> Money:
    """What the order can cost at worst, fee included."""
    return reservation(candidate.side, candidate.purpose, candidate.price, candidate.quantity, candidate.fee)


def sent_within(inputs: GateInputs, window_ns: int) -> tuple[Sent, ...]:
    """The newest of what was sent; ``recent`` is in order of time."""
    recent = inputs.recent or ()
    return recent[bisect_right(recent, inputs.now_ns - window_ns, key=lambda sent: sent.at_ns) :]


def cents(price: int) -> str:
    whole = f"{price / 100:.2f}".rstrip("0").rstrip(".")
    return f"{whole}c"


def dollars(money: int) -> str:
    return f"{money / 1_000_000:.2f}"


def contracts_text(quantity: int) -> str:
    return f"{quantity / 1_000_000:.2f}"
