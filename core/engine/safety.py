"""The layers that hold when this engine does not: safety groups and renewals, as the desk uses them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from core.domain.market import Venue
from core.domain.order import Order, Purpose
from core.domain.units import DOLLAR, ONE_CONTRACT
from core.engine import incidents
from core.engine.state import AlarmLevel
from core.execution.groups import GroupNoted
from core.execution.ladder import Pause
from core.journal.events import Event, Kind
from core.risk.facts import Presence
from core.risk.halts import GLOBAL, Level
from core.risk.limits import Limits
from core.venues.traits import DeadMan
from core.venues.venue import SafetyGroup

if TYPE_CHECKING:
    from core.engine.desk import Desk
    from core.engine.seat import Seat

ARM_AGAIN_S, ARM_LOOK_S = 2.0, 15.0
"""Pauses after a failed attempt and between looks for parts of the venue that came into use."""
EXIT_CONTRACTS = 1_000_000
"""Exits are bounded by what is held: their group is a switch, its limit must never stop a flatten."""


BEATS_MISSED_MAX = 2
"""So many heartbeats missed in a row, and nothing is opened."""
WEDGED_LAG_MS = 1_000
"""Heartbeats are withheld beyond it. Entries stop long before (G32), but a venue that ends everything ten
seconds after a beat must not be told that a busy engine is dead."""


def group_contracts(limits: Limits) -> Mapping[Purpose, int]:
    """Contracts that may trade within the venue's window before a group trips.

    A contract costs at most a dollar, so as many as the velocity limit has dollars never cost more
    than it; but one order of the largest allowed size must not trip the group by itself.
    """
    dollars = limits.velocity_15s_max // DOLLAR
    return {
        Purpose.OPEN: max(dollars, limits.order_contracts_max // ONE_CONTRACT) + 1,
        Purpose.CLOSE: EXIT_CONTRACTS,
    }


def unwell(desk: Desk, venue: Venue, lag_ms_max: int) -> str:
    """Why this engine must not keep any order alive at a venue; empty when it may."""
    limits, log = desk.state.limits.current, desk.scribe.log
    lag, now = desk.health.lag_p99_ms(), desk.clocks.mono_ns()
    if log.fault is not None:
        return "the journal has failed"
    if log.sync_p99_ms() > limits.sync_ms_max:
        return "the journal is slow"
    if lag is None or lag > lag_ms_max:
        return "the engine lags"
    if desk.health.stepped(venue):
        return "the engine stood still or its clock was set"
    read_ns = desk.seats[venue].reconciler.read_ns
    if read_ns is None or now - read_ns > limits.reconcile_age_max_s * 1_000_000_000:
        return "the account was not read in time"
    return ""


def dead_man(seat: Seat) -> str:
    """Why a venue with heartbeats would not end our orders in time; empty where it would, or has none."""
    if seat.traits.dead_man is not DeadMan.HEARTBEAT:
        return ""
    beat = seat.venue.beat
    if beat is None:
        return "the venue's dead-man switch is not armed"
    return f"{beat.missed} heartbeats were missed" if beat.missed >= BEATS_MISSED_MAX else ""


def watch_beats(desk: Desk) -> None:
    """Once a second: call somebody where a venue is about to cancel everything, and say when it does."""
    for seat in desk.seats.values():
        key, beat, why = f"beat {seat.name.value}", seat.venue.beat, dead_man(seat)
        if beat is None or not why:
            desk.alarms.clear(key)
            continue
        left_s = max(0, beat.cancels_ns - desk.clocks.mono_ns()) // 1_000_000_000
        when = f"in {left_s} s or a little later" if left_s else "now, or has done so"
        what = f"{seat.name.short}: {why}; the venue cancels every order of ours {when}"
        desk.alarms.raise_(key, AlarmLevel.ACT, what, "no entries there", "the next beat it accepts")


def unfit(desk: Desk, order: Order) -> str:
    """Why this engine must not keep an order alive at the venue; empty when it may."""
    if order.quantity > order.intent.quantity:
        return f"order {order.intent.client_order_id[-4:]} was made larger at the venue"
    why = unwell(desk, order.intent.venue, desk.state.limits.current.loop_lag_ms_max)
    if why or order.intent.purpose is Purpose.CLOSE:
        return why  # what reduces risk outlives halts and absence
    market = desk.state.markets.get(order.intent.ticker)
    event = market.market.event_ticker if market is not None else ""
    halt = desk.halting.level(event, order.intent.ticker)
    if halt is not None:
        return f"halted: {halt.cause}"
    if desk.supervision.now() is Presence.ABSENT:
        return "nobody supervises"
    return ""


def pause_of(desk: Desk, ticker: str) -> Pause | None:
    """Why the venue takes no orders for a market now; ``None`` while it does, or nobody knows."""
    known = desk.state.markets.get(ticker)
    if known is None:
        return None
    seat = desk.seats[known.market.venue]
    exchange = seat.exchange
    if exchange is None:
        return None
    at = exchange.at(known.market.shard or 0)
    if at is None or (at.exchange_active and at.trading_active):
        return None
    window = seat.maintained(desk.clocks.world_ms())
    until = exchange.resumes_ms or (desk.clocks.world.real_at(window.end_ms) if window is not None else None)
    if at.exchange_active:
        return Pause(exchange.mode or "trading paused", until)
    return Pause(exchange.mode or "exchange paused", until, cancels=False)


class Safety:
    """Listens to a seat's groups and keeps them armed. ``wire`` completes it before use."""

    desk: Desk
    seat: Seat

    def wire(self, desk: Desk, seat: Seat) -> None:
        self.desk, self.seat = desk, seat

    def check_restored(self) -> None:
        """A group found triggered holds entries back: something must stand for a resume to lift it."""
        halts, scope = self.desk.state.halts, self.seat.scope
        if self.seat.groups.triggered and halts.at(GLOBAL) is None and halts.at(scope) is None:
            incidents.stop(self.desk, scope, Level.REDUCE_ONLY, "a safety group was found triggered")

    async def keep_armed(self) -> None:
        """Arm what is missing, for ever. Entries in automatic mode wait for it."""
        while True:
            await self.arm()
            await asyncio.sleep(ARM_LOOK_S if self.seat.groups.missing == "" else ARM_AGAIN_S)

    async def arm(self) -> None:
        desk, groups = self.desk, self.seat.groups
        key, before = f"groups {self.seat.name.value}", groups.missing
        await groups.arm()
        if groups.missing != before:
            desk.state.touch_status()
        if groups.missing:
            whose = desk.seats.named(self.seat, "venue's")
            desk.alarms.raise_(
                key,
                AlarmLevel.CHECK,
                f"the {whose} safety groups are not armed: {groups.missing}",
                "automatic mode is refused; orders end by their own expiry",
                "the next attempt",
            )
        else:
            desk.alarms.clear(key)

    def on_group_noted(self, noted: GroupNoted) -> None:
        self.desk.scribe.log.append(Event(Kind.GROUP, noted))
        self.desk.state.touch_status()

    def on_group_tripped(self, group: SafetyGroup, what: str) -> None:
        desk = self.desk
        cause = f"the venue's safety group for {group.purpose.value} orders was {what}"
        mine = [c for c, o in desk.ledger.live.items() if o.intent.group_id == group.group_id]
        self.seat.gateway.cancel(mine, cause)
        incidents.stop(desk, self.seat.scope, Level.REDUCE_ONLY, cause)
        self.seat.reconciler.request("safety group")
