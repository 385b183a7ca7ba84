"""What switches itself off, once a second, and how a person switches it on again.

Counts come from ``tallies.py`` and ``equity.py``; what is off is in the state and in the journal, so
that a restart finds it off. Refusals of the venue halt it outright: ``resume`` lifts that.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from core.domain.order import Purpose
from core.domain.units import Money, money_text
from core.engine import incidents
from core.engine.autonomy import end_automatic
from core.engine.equity import Equity
from core.engine.state import AlarmLevel
from core.engine.tallies import Tallies
from core.journal.events import Event, Kind
from core.models.foreseen import kind_of
from core.models.record import SURE
from core.risk.halts import GLOBAL, Level
from core.risk.trips import SURE_LOST_MAX, Trip, TripKind

if TYPE_CHECKING:
    from core.engine.desk import Desk


class Trips:
    """Judges the counts against the limits in force. ``wire`` completes it before use."""

    _desk: Desk

    def __init__(self, tallies: Tallies, equity: Equity) -> None:
        self.tallies = tallies
        self.equity = equity
        self._sure_since: dict[str, int] = {}
        """Wall time from which a series' bets count: its last re-enabling."""

    def wire(self, desk: Desk) -> None:
        self._desk = desk

    # --- what is off ---------------------------------------------------------------------------

    def covering(self, strategy: str, ticker: str) -> tuple[Trip, ...]:
        """What is off for an order of this strategy in this market."""
        known = self._desk.state.markets.get(ticker)
        places = {
            TripKind.REPEAT: (strategy, ticker),
            TripKind.SURE: ("", kind_of(known.market) if known is not None else ""),
        }
        return tuple(
            trip
            for trip in self._desk.state.trips.values()
            if (here := (trip.strategy, trip.ticker)) == places.get(trip.kind, here)
        )

    def restore(self, off: Iterable[Trip], enabled: Iterable[Trip]) -> None:
        """After a replay: what was off stays off and is shown again; what was re-enabled counts anew."""
        for trip in enabled:
            self._count_from(trip, trip.since_wall_ms)
        self.tallies.recount()
        for trip in off:
            self._desk.state.trips[trip.key] = trip
            self._alarm(trip)

    def enable(self, trips: tuple[Trip, ...], reason: str, by: str) -> None:
        """Switch these on again; what led to them counts no more."""
        now_ms = self._desk.clocks.wall_ms()
        for trip in trips:
            del self._desk.state.trips[trip.key]
            row = msgspec.structs.replace(trip, since_wall_ms=now_ms, by=by, reason=reason)
            self._desk.scribe.log.append(Event(Kind.ENABLE, row, ticker=trip.ticker, actor=by))
            self._desk.alarms.clear(_alarm_key(trip))
            self._count_from(trip, now_ms)
            if trip.kind is TripKind.DRAWDOWN:
                self._begin_anew()
        self._desk.state.touch_status()

    def _count_from(self, trip: Trip, wall_ms: int) -> None:
        if trip.kind is TripKind.REPEAT:
            self.tallies.entries_since[trip.ticker] = wall_ms
        elif trip.kind is TripKind.STREAK:
            self.tallies.closes_since = wall_ms
        elif trip.kind is TripKind.SURE:
            self._sure_since[trip.ticker] = wall_ms

    def _begin_anew(self) -> None:
        base, result = self._desk.seats.cash_base, self._desk.account.result()
        if base is not None and result is not None:
            self.equity.begin_anew(self._desk.account.day, base, result)

    # --- once a second -------------------------------------------------------------------------

    def tick(self) -> None:
        seats = self._desk.seats
        whole = not self._desk.state.ready or all(seat.ready for seat in seats.values())
        self.equity.mark(self._desk.account.day, seats.cash_base, self._desk.account.result(), whole=whole)
        if not self._desk.state.ready:
            return
        self._repeats()
        self._streak()
        self._sure_bets()
        self._drawdown()
        self._refusals()

    def _repeats(self) -> None:
        limit = self._desk.state.limits.current.repeat_hour_max
        for (strategy, ticker), count in self.tallies.entered().items():
            if count >= limit:
                cause = f"{count} automatic entries of {strategy} within an hour, limit {limit}"
                self._trip(Trip(TripKind.REPEAT, cause, self._desk.clocks.wall_ms(), ticker, strategy))

    def _streak(self) -> None:
        limits, row, hour = (
            self._desk.state.limits.current,
            self.tallies.losses_in_row(),
            self.tallies.losses_1h(),
        )
        if row >= limits.loss_row_max:
            cause = f"{row} losing closes in a row, limit {limits.loss_row_max}"
        elif hour >= limits.loss_hour_max:
            cause = f"{hour} losing closes within an hour, limit {limits.loss_hour_max}"
        else:
            return
        if self._trip(Trip(TripKind.STREAK, cause, self._desk.clocks.wall_ms())):
            end_automatic(self._desk.state, self._desk.scribe, cause)

    def _sure_bets(self) -> None:
        desk, world = self._desk, self._desk.clocks.world
        lost = desk.forecasts.record.sure_lost(lambda name: world.at(self._sure_since.get(name, 0)))
        for series, row in lost.items():
            if row < SURE_LOST_MAX:
                continue
            cause = f"{row} bets of more than {SURE:.0%} lost in a row, limit {SURE_LOST_MAX}"
            if self._trip(Trip(TripKind.SURE, cause, desk.clocks.wall_ms(), series)):
                entries = [
                    client
                    for client, order in desk.ledger.live.items()
                    if order.intent.purpose is Purpose.OPEN
                    and (known := desk.state.markets.get(order.intent.ticker)) is not None
                    and kind_of(known.market) == series
                ]
                desk.seats.cancel(entries, f"{series} is off: {cause}")

    def _drawdown(self) -> None:
        now, peak = self.equity.now, self.equity.peak
        limit = self._desk.state.limits.current.drawdown_max
        if now is None or peak is None or now >= peak or (peak - now) * 100 < limit * peak:
            return
        lost = money_text(Money(peak - now))
        cause = f"{lost} below the 7-day peak of {money_text(peak)}, limit {limit} %"
        if self._trip(Trip(TripKind.DRAWDOWN, cause, self._desk.clocks.wall_ms())):
            incidents.stop(self._desk, GLOBAL, Level.HALTED, cause)

    def _refusals(self) -> None:
        limits = self._desk.state.limits.current
        for venue, seat in self._desk.seats.items():
            rejects, unknowns = self.tallies.rejects_1min(venue), self.tallies.unknowns_1min(venue)
            if rejects >= limits.rejects_max:
                cause = f"{rejects} orders rejected within a minute, limit {limits.rejects_max}"
            elif unknowns >= limits.unknowns_max:
                cause = f"{unknowns} orders unanswered within a minute, limit {limits.unknowns_max}"
            else:
                continue
            self.tallies.forget_refusals(venue)
            incidents.stop(self._desk, seat.scope, Level.HALTED, cause)

    def _trip(self, trip: Trip) -> bool:
        if trip.key in self._desk.state.trips:
            return False
        self._desk.state.trips[trip.key] = trip
        self._desk.scribe.log.append(Event(Kind.TRIP, trip, ticker=trip.ticker))
        self._alarm(trip)
        self._desk.state.touch_status()
        return True

    def _alarm(self, trip: Trip) -> None:
        where = f"{trip.ticker}: " if trip.ticker else ""
        self._desk.alarms.raise_(
            _alarm_key(trip), AlarmLevel.ACT, where + trip.cause, _EFFECT[trip.kind], trip.clears, trip.ticker
        )


_EFFECT = {
    TripKind.REPEAT: "no entries of that strategy there",
    TripKind.STREAK: "automatic mode is off",
    TripKind.SURE: "no entries in its markets",
    TripKind.DRAWDOWN: "the desk is halted",
}


def _alarm_key(trip: Trip) -> str:
    return f"trip {trip.key}"
