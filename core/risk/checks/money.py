"""Checks of money: cash, worst cases, what was filled and lost lately."""

from __future__ import annotations

from core.risk.checks.finding import Finding, cost_of, dollars, first, over, reached
from core.risk.facts import GateInputs
from core.risk.limits import Limits
from core.risk.trips import TripKind
from core.strategy.proposal import Candidate


def cash(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.cash is not None and inputs.reserved is not None
    needed, free = inputs.reserved + cost_of(candidate), inputs.cash - limits.cash_reserve
    if needed > free:
        return Finding(f"needs {dollars(needed)} with what is on order", f"{dollars(free)} free")
    return None


def market_loss(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.worst is not None
    return over("market_loss_max", inputs.worst.market, limits)


def event_loss(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.worst is not None
    return over("event_loss_max", inputs.worst.event, limits)


def desk_loss(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.worst is not None
    return first(
        over("venue_loss_max", inputs.worst.venue, limits),
        over("total_loss_max", inputs.worst.total, limits),
    )


def correlated(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.worst is not None
    return over("correlated_loss_max", inputs.worst.correlated, limits)


def velocity(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.filled_15s is not None and inputs.filled_5min is not None
    cost = cost_of(candidate)
    return first(
        over("velocity_15s_max", inputs.filled_15s + cost, limits),
        over("velocity_5min_max", inputs.filled_5min + cost, limits),
    )


def day_loss(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.day_pnl is not None
    if -inputs.day_pnl >= limits.day_loss_max:
        return Finding(f"lost {dollars(-inputs.day_pnl)} today", dollars(limits.day_loss_max))
    return None


def streak(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.losses_in_row is not None and inputs.losses_1h is not None and inputs.trips is not None
    if not inputs.automatic:
        return None
    off = next((t for t in inputs.trips if t.kind is TripKind.STREAK), None)
    if off is not None:
        return Finding(f"automatic mode is off: {off.cause}", off.clears)
    return first(
        reached("loss_row_max", inputs.losses_in_row, limits),
        reached("loss_hour_max", inputs.losses_1h, limits),
    )


def drawdown(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.equity is not None and inputs.equity_peak is not None
    lost, peak = inputs.equity_peak - inputs.equity, inputs.equity_peak
    if lost * 100 >= limits.drawdown_max * peak and lost > 0:
        share = f"{lost * 100 / peak:.1f} %" if peak > 0 else dollars(lost)
        return Finding(f"{share} below the 7-day peak of {dollars(peak)}", f"{limits.drawdown_max} %")
    return None
