"""Checks of the desk: its level, its rates, its health and who watches it."""

from __future__ import annotations

from core.domain.order import Life
from core.risk.checks.finding import HOUR_NS, MINUTE_NS, SECOND_NS, Finding, first, over, reached, sent_within
from core.risk.facts import GateInputs, Presence
from core.risk.halts import Level
from core.risk.limits import Limits
from core.risk.trips import TripKind
from core.strategy.proposal import Candidate


def state(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    allowed = (
        (Level.NORMAL, Level.REDUCE_ONLY, Level.FLATTENING) if candidate.reduces_risk else (Level.NORMAL,)
    )
    if inputs.level not in allowed:
        assert inputs.level is not None
        reason = f": {inputs.level_reason}" if inputs.level_reason else ""
        return Finding(f"{inputs.level.name}{reason}", "NORMAL")
    if candidate.reduces_risk:
        return None
    if not inputs.armed:
        return Finding("this profile is not armed", "armed")
    if inputs.paused:
        return Finding(f"entries are paused ({inputs.paused})", "not paused")
    if any(o.life is Life.UNKNOWN for o in inputs.orders or ()):
        return Finding("an order of this market is UNKNOWN", "none")
    if inputs.reconcile_age_ms is None:
        return Finding("not reconciled yet", "reconciled")
    return over("reconcile_age_max_s", -(-inputs.reconcile_age_ms // 1000), limits)


def open_orders(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.orders is not None and inputs.outside is not None and inputs.open_orders is not None
    here = sum(o.live for o in inputs.orders) + len(inputs.outside)
    return first(
        over("open_orders_market_max", here + 1, limits),
        over("open_orders_total_max", inputs.open_orders + 1 + inputs.more, limits),
    )


def repeat(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.trips is not None and inputs.repeats is not None
    off = next((t for t in inputs.trips if t.kind is TripKind.REPEAT), None)
    if off is not None:
        return Finding(f"{off.strategy} is off in this market: {off.cause}", off.clears)
    return reached("repeat_hour_max", inputs.repeats, limits) if inputs.automatic else None


def refusals(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.rejects_1min is not None and inputs.unknowns_1min is not None
    return first(
        reached("rejects_max", inputs.rejects_1min, limits),
        reached("unknowns_max", inputs.unknowns_1min, limits),
    )


def rate(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    return first(
        # The legs of a plan are one decision, and waiting between them is what may break it.
        None if candidate.plan else over("rate_second_max", len(sent_within(inputs, SECOND_NS)) + 1, limits),
        over("rate_minute_max", len(sent_within(inputs, MINUTE_NS)) + 1 + inputs.more, limits),
        over("rate_hour_max", len(sent_within(inputs, HOUR_NS)) + 1 + inputs.more, limits),
    )


def clock(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.clock_offset_ms is not None
    if inputs.clock_stepped:
        return Finding("the clock stepped since the last reconcile", "no step")
    return over("clock_offset_ms_max", abs(inputs.clock_offset_ms), limits)


def health(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.loop_lag_ms is not None and inputs.sync_p99_ms is not None
    assert inputs.disk_free_mb is not None and inputs.memory_mb is not None
    if not inputs.journal_ok:
        return Finding("the journal does not accept rows", "a working journal")
    if inputs.dead_man:
        return Finding(inputs.dead_man, "a dead-man switch that holds")
    if inputs.disk_free_mb < limits.disk_free_mb_min:
        return Finding(f"{inputs.disk_free_mb} MB of disk free", f"{limits.disk_free_mb_min} MB")
    return first(
        over("loop_lag_ms_max", inputs.loop_lag_ms, limits),
        over("sync_ms_max", inputs.sync_p99_ms, limits),
        over("memory_mb_max", inputs.memory_mb, limits),
    )


def supervision(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    if inputs.presence is Presence.ABSENT:
        return Finding("nobody supervises", "an attached console, or automatic mode within its time")
    return None


def budget(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    if not inputs.budget_ok:
        return Finding("the venue's rate budget is short", "one order and every cancel")
    return None
