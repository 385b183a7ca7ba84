"""The machinery as rows: what the system tells of each process, and which dead-man layers are armed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from core.config.drill import Drill
from core.control.flag import POLL_S
from core.control.processes import Usage, usage
from core.control.tables.status import LinkRow
from core.control.tables.system import (
    BucketRow,
    DrillRow,
    HealthRow,
    LayerRow,
    OutsideRow,
    ProcessRow,
    SystemRow,
)
from core.engine.desk import Desk
from core.engine.presence import GRACE_NS
from core.engine.safety import dead_man
from core.engine.seat import Seat
from core.engine.state import AlarmLevel, Mode
from core.execution.renewals import LIFE_MS
from core.risk.limits import SPEC
from core.venues.traits import DeadMan

ARMED, TRIGGERED, NOT_ARMED = "armed", "triggered", "not armed"


class Machine(NamedTuple):
    """What the engine's machine tells of what runs around the engine."""

    pid: int
    """The engine's own."""
    simulator: Callable[[], int | None]
    drill: Callable[[], Drill | None]
    usage: Callable[[int], Usage | None]


UNKNOWN = Machine(os.getpid(), lambda: None, lambda: None, usage)
"""Nothing runs around the engine."""


class Consoles(NamedTuple):
    """Who is attached, by pid."""

    controller: int | None
    viewers: Sequence[int] = ()


def system_row(
    desk: Desk,
    links: tuple[LinkRow, ...],
    machine: Machine,
    consoles: Consoles,
    outside: OutsideRow = OutsideRow(),
) -> SystemRow:
    """``links``: of every seat, in their order."""
    drill, alarms = machine.drill(), desk.state.alarms.values()
    ringing = [one for one in alarms if one.shelf is None and one.level is not AlarmLevel.NOTE]
    return SystemRow(
        processes=tuple(
            _process(machine, name, pid, what) for name, pid, what in _running(desk, machine, consoles)
        ),
        health=tuple(_health(desk)),
        links=links,
        offsets=tuple(seat.venue.clock_offset_ms() for seat in desk.seats.values()),
        buckets=tuple(bucket for seat in desk.seats.values() for bucket in _buckets(seat)),
        layers=(*(layer for seat in desk.seats.values() for layer in _seat_layers(seat)), *_layers(desk)),
        drill=DrillRow(drill.at_ms, drill.passed, drill.said) if drill is not None else None,
        alarms=sum(alarm.active for alarm in ringing),
        unseen=sum(not alarm.acknowledged for alarm in ringing),
        shelved=sum(alarm.shelf is not None for alarm in alarms),
        journal=desk.scribe.log.head_seq,
        outside=outside,
    )


def _running(desk: Desk, machine: Machine, consoles: Consoles) -> Iterator[tuple[str, int, str]]:
    yield "engine", machine.pid, ""
    seen, simulator = desk.state.watchdog, machine.simulator()
    if seen is not None:
        yield "watchdog", seen.pid, seen.unfit
    if simulator is not None:
        yield "simulator", simulator, ""
    if consoles.controller is not None:
        yield "console", consoles.controller, "in control"
    for pid in consoles.viewers:
        yield "console", pid, "views"


def _process(machine: Machine, name: str, pid: int, what: str) -> ProcessRow:
    used = machine.usage(pid)
    if used is None:
        return ProcessRow(name, pid, what, None, None, None)
    return ProcessRow(name, pid, what, used.age_s, used.cpu_s, used.memory_mb)


def _health(desk: Desk) -> Iterator[HealthRow]:
    """What the gate asks of the engine itself, rule G32."""
    health = desk.health
    read = {
        "loop_lag_ms_max": health.lag_p99_ms(),
        "sync_ms_max": desk.scribe.log.sync_p99_ms(),
        "disk_free_mb_min": health.disk_mb,
        "memory_mb_max": health.memory_mb,
    }
    for name, value in read.items():
        spec = SPEC[name]
        limit = desk.state.limits.current.value(name)
        yield HealthRow(spec.label, value, limit, spec.unit.value, spec.floor)


def _buckets(seat: Seat) -> Iterator[BucketRow]:
    for level in seat.venue.levels():
        yield BucketRow(
            seat.name.value,
            level.kind.value,
            level.shard,
            round(level.left * 100),
            round(level.capacity.burst * 100),
            round(level.capacity.rate * 100),
            round(level.pace * 100),
            level.waiting,
        )


def _seat_layers(seat: Seat) -> Iterator[LayerRow]:
    """Those that a venue itself keeps."""
    venue = seat.name.value
    if seat.traits.dead_man is DeadMan.HEARTBEAT:
        why = dead_man(seat)
        state = NOT_ARMED if why else ARMED
        yield LayerRow("heartbeat", venue, state, why or "without it the venue cancels every order of ours")
        return
    left = seat.renewals.stopped
    detail = f"orders end {LIFE_MS // 1000} s after their last renewal"
    yield LayerRow("expiry", venue, ARMED, f"{detail}; left to end now: {left}" if left else detail)
    groups = seat.groups
    if groups.triggered:
        yield LayerRow("groups", venue, TRIGGERED, "the venue takes no order of ours until a resume")
    elif groups.missing:
        yield LayerRow("groups", venue, NOT_ARMED, groups.missing)
    else:
        yield LayerRow("groups", venue, ARMED, "one call, or too many fills, ends every order of ours")


def _layers(desk: Desk) -> Iterator[LayerRow]:
    """Those of the desk."""
    if desk.watched.expected:
        why = desk.watched.problem()
        detail = why or "cancels everything for an engine that hangs"
        yield LayerRow("watchdog", "", NOT_ARMED if why else ARMED, detail)
    absence = f"{GRACE_NS // 1_000_000_000} s after the last sign of a person entries are cancelled"
    if desk.state.mode is Mode.AUTO:
        absence = "automatic mode goes on alone for its time only, then it only reduces"
    yield LayerRow("absence", "", ARMED, absence)
    yield LayerRow(
        "stop file", "", ARMED, f"a file FLATTEN in the profile's folder, seen within {POLL_S:g} s"
    )
    fault = desk.scribe.log.fault
    detail = "an order is written down before it is sent" if fault is None else "it has failed: no entries"
    yield LayerRow("journal", "", ARMED if fault is None else NOT_ARMED, detail)
