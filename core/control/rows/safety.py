"""Limits and their use, alarms, and how far a stop is."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from core.control.tables.safety import AlarmRow, FlattenRow, FlattenVenueRow, LimitRow
from core.domain.order import Purpose, TimeInForce
from core.engine.incidents import name_of
from core.engine.seat import Seat
from core.engine.state import Alarm
from core.execution.groups import GroupState
from core.execution.ladder import BEFORE_EXITS, Ladder
from core.risk.gate import CLEARS
from core.risk.limits import LIMITS, SPEC, LiveLimits, Scope


class Use(msgspec.Struct, frozen=True):
    """How much of the limits is used: desk-wide by name, and by market and event."""

    desk: dict[str, int]
    markets: dict[str, int]
    events: dict[str, int]


def limit_rows(limits: LiveLimits, use: Use) -> list[LimitRow]:
    """Every limit once for the desk, and the loss limits once more for each market and event in use."""
    rows = [
        _limit(limits, spec.name, use.desk.get(spec.name), "")
        for spec in LIMITS
        if spec.name not in ("market_loss_max", "event_loss_max")
        or not (use.markets if spec.scope is Scope.MARKET else use.events)
    ]
    rows += [_limit(limits, "market_loss_max", used, ticker) for ticker, used in use.markets.items()]
    rows += [_limit(limits, "event_loss_max", used, event) for event, used in use.events.items()]
    return rows


def _limit(limits: LiveLimits, name: str, used: int | None, scope: str) -> LimitRow:
    spec = SPEC[name]
    return LimitRow(
        name=name,
        label=spec.label,
        rule=spec.rule,
        unit=spec.unit.value,
        used=used,
        limit=limits.current.value(name),
        ceiling=limits.ceilings.value(name),
        scope=scope,
        fills_up=spec.fills_up,
        floor=spec.floor,
        clears=CLEARS.get(spec.rule, ""),
    )


def alarm_row(alarm: Alarm) -> AlarmRow:
    shelf = alarm.shelf
    return AlarmRow(
        alarm.id,
        alarm.level.value,
        alarm.since_world_ms,
        alarm.since_ns,
        alarm.what,
        alarm.effect,
        alarm.clears,
        alarm.acknowledged,
        alarm.active,
        name_of(alarm.scope) if alarm.scope is not None else "",
        alarm.kind,
        alarm.times,
        *((shelf.by, shelf.until_wall_ms, shelf.reason) if shelf is not None else ()),
    )


def flatten_venue_row(seat: Seat, ladder: Ladder) -> FlattenVenueRow:
    """How far the stop is on one venue."""
    entries = [at for at in seat.groups.standing.values() if at.group.purpose is Purpose.OPEN]
    return FlattenVenueRow(
        seat.name.value,
        *seat.flattener.cancels(ladder),
        ladder.exits_sent,
        ladder.exits_filled,
        ladder.left,
        len(entries),
        sum(at.state is GroupState.TRIGGERED for at in entries),
        sum(
            order.intent.purpose is Purpose.CLOSE and order.intent.tif is TimeInForce.GTC
            for order in seat.share.live.values()
        ),
        ladder.phase.value,
        ladder.pause.what if ladder.pause is not None else "",
        ladder.pause.until_ms if ladder.pause is not None else None,
        ladder.receipt,
    )


def flatten_row(ladder: Ladder, venues: Iterable[FlattenVenueRow], *, can_abort: bool) -> FlattenRow:
    """The joint ladder, with a row for each venue."""
    counting = ladder.phase in BEFORE_EXITS
    return FlattenRow(
        phase=ladder.phase.value,
        started_ns=ladder.started_ns,
        exits_at_ns=ladder.exits_at_ns if counting else None,
        scope=ladder.scope,
        by=ladder.by,
        venues=tuple(venues),
        residue=tuple(f"{ticker}: {why}" for ticker, why in sorted(ladder.residue.items())),
        receipt=ladder.receipt,
        pressed=ladder.pressed,
        pause=ladder.pause.what if ladder.pause is not None else "",
        pause_until_wall_ms=ladder.pause.until_ms if ladder.pause is not None else None,
        urgent=ladder.urgent,
        sweep="done" if ladder.swept_ns is not None else "asked" if ladder.sweeps else "",
        can_abort=can_abort,
        watches=ladder.watches,
    )
