"""Which fees are in force for which market, and how they change while it trades.

Kalshi API: fees, series and event fee changes. An event's overrides win over its series one by one;
a market's waiver over both until it ends. Changes happen in world time.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import msgspec

from core.sim import trading
from core.sim.contracts import EventSpec
from core.sim.events import FeesChanged
from core.sim.fees import Schedule, schedule

if TYPE_CHECKING:
    from core.sim.exchange import Exchange


class FeeChange(msgspec.Struct, frozen=True):
    """A change that is due, or was. Of an event, ``None`` falls back to the series."""

    change_id: str
    ticker: str
    """Of the series, or of the event."""
    fee_type: str | None
    fee_multiplier: float | None
    world_ms: int


class Tariffs:
    """The fees of every listed market. ``of_series`` and ``of_events`` are all changes, oldest first."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.of_series: list[FeeChange] = []
        self.of_events: list[FeeChange] = []
        self._in_force: dict[str, Schedule] = {}
        self._due: list[tuple[int, int, FeeChange | str]] = []
        """Changes, and events in which a waiver ends."""
        self._scheduled = 0

    def of(self, ticker: str) -> Schedule:
        return self._in_force[ticker]

    def check(self, fee_type: str) -> None:
        """``ValueError`` for a fee type nobody can compute."""
        schedule(fee_type, 1.0)

    def change_series(self, series_ticker: str, fee_type: str, multiplier: float, world_ms: int) -> None:
        """Schedule new fees for a series; its events' overrides stay."""
        self.check(fee_type)
        change = FeeChange(self._exchange.new_id(), series_ticker, fee_type, multiplier, world_ms)
        self.of_series.append(change)
        self._at(world_ms, change)

    def change_event(
        self, event_ticker: str, fee_type: str | None, multiplier: float | None, world_ms: int
    ) -> None:
        """Schedule an event's overrides; ``None`` clears one."""
        if fee_type is not None:
            self.check(fee_type)
        change = FeeChange(self._exchange.new_id(), event_ticker, fee_type, multiplier, world_ms)
        self.of_events.append(change)
        self._at(world_ms, change)

    def run(self, now_ms: int) -> None:
        """Carry out what is due by this world time."""
        while self._due and self._due[0][0] <= now_ms:
            change = heapq.heappop(self._due)[2]
            if isinstance(change, str):
                self.apply(change)
            elif change.ticker in self._exchange.events:
                self._change_event(change)
            else:
                self._change_series(change)

    def apply(self, event_ticker: str) -> None:
        """Put the fees of an event's markets in force as its listing says now."""
        exchange, event = self._exchange, self._exchange.events[event_ticker]
        now_ms = exchange.world.at(exchange.clock.wall_ms())
        usual = self._listed(event)
        for listed in event.markets:
            waived_ms = exchange.markets[listed.ticker].spec.fee_waiver_until_ms
            waived = waived_ms is not None and now_ms < waived_ms
            self._in_force[listed.ticker] = Schedule(usual.fee_type, 0, 0) if waived else usual
            if waived_ms is not None and waived:
                self._at(waived_ms, event_ticker)
            for account in exchange.accounts.values():
                if listed.ticker in account.reserved_by:
                    exchange.reserve(account, listed.ticker)
                    trading.margin_call(exchange, account, listed.ticker)

    def _listed(self, event: EventSpec) -> Schedule:
        series, override = self._exchange.series[event.series_ticker], event.fee_multiplier_override
        return schedule(
            event.fee_type_override or series.fee_type,
            series.fee_multiplier if override is None else override,
            maker_scaled=self._exchange.dialect.maker_fee_is_scaled,
        )

    def _change_event(self, change: FeeChange) -> None:
        events = self._exchange.events
        events[change.ticker] = msgspec.structs.replace(
            events[change.ticker],
            fee_type_override=change.fee_type,
            fee_multiplier_override=change.fee_multiplier,
        )
        self.apply(change.ticker)
        self._exchange.emit(FeesChanged(change.ticker, change.fee_type, change.fee_multiplier))

    def _change_series(self, change: FeeChange) -> None:
        series = self._exchange.series
        assert change.fee_type is not None and change.fee_multiplier is not None
        series[change.ticker] = msgspec.structs.replace(
            series[change.ticker], fee_type=change.fee_type, fee_multiplier=change.fee_multiplier
        )
        for event in self._exchange.events.values():
            if event.series_ticker == change.ticker:
                self.apply(event.event_ticker)

    def _at(self, world_ms: int, change: FeeChange | str) -> None:
        self._scheduled += 1
        heapq.heappush(self._due, (world_ms, self._scheduled, change))
