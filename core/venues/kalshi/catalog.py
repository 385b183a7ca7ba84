"""The markets this client knows, with the series and events their terms come from."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from core.domain.market import Market
from core.domain.units import Quantity
from core.venues.kalshi.fees import Changes, concerning, fee_changes, fee_schedule
from core.venues.kalshi.markets import (
    EventFeeWire,
    EventWire,
    LifecycleWire,
    MarketWire,
    SeriesWire,
    apply_lifecycle,
    market,
)
from core.venues.wire import Odd, WireError


class Catalog:
    """Series, events and markets by ticker. Oddities of a market are reported once, not at each read."""

    def __init__(self, on_anomaly: Callable[[str, str], None]) -> None:
        self.series: dict[str, SeriesWire] = {}
        self.events: dict[str, EventWire] = {}
        self.markets: dict[str, Market] = {}
        self.volumes: dict[str, Quantity] = {}
        """Contracts traded so far, by the last read."""
        self.changes = Changes()
        """Announced fees of any series and event."""
        self._noted: dict[str, tuple[str, ...]] = {}
        self._on_anomaly = on_anomaly

    def follows(self, ticker: str) -> bool:
        """Whether a market is of a series we asked for. Tickers are not split: some series hold hyphens."""
        return any(ticker.startswith(f"{series}-") for series in self.series)

    def shard(self, ticker: str) -> int | None:
        known = self.markets.get(ticker)
        return known.shard if known is not None else None

    def learn(self, wire: MarketWire) -> Market | None:
        """Take over a market as read; ``None`` (and an anomaly) when it cannot be understood."""
        odd = Odd()
        event = self.events.get(wire.event_ticker)
        terms = self.series.get(event.series_ticker) if event is not None else None
        if event is None or terms is None:
            self._report(wire.ticker, ["its event or series is not known"])
            return None
        try:
            known = market(wire, event, terms, odd, self.changes)
        except WireError as error:
            self._report(wire.ticker, [str(error)])
            return None
        volume = odd.count(wire.volume_fp, "volume_fp")
        if volume is not None:
            self.volumes[wire.ticker] = volume
        self._report(wire.ticker, odd.notes)
        self.markets[wire.ticker] = known
        return known

    def forget(self, ticker: str) -> None:
        """Drop a market that is over, and its event with its last market."""
        gone = self.markets.pop(ticker, None)
        self.volumes.pop(ticker, None)
        self._noted.pop(ticker, None)
        if gone is not None and all(m.event_ticker != gone.event_ticker for m in self.markets.values()):
            self.events.pop(gone.event_ticker, None)

    def apply(self, wire: LifecycleWire) -> Market | None:
        """The market a life-cycle message changed; ``None`` when it changed nothing we hold."""
        before = self.markets.get(wire.market_ticker)
        if before is None:
            return None
        odd = Odd()
        after = apply_lifecycle(before, wire, odd)
        self._report(wire.market_ticker, odd.notes)
        if after == before:
            return None
        self.markets[wire.market_ticker] = after
        return after

    def apply_fees(self, wire: EventFeeWire, world_ms: int) -> list[Market]:
        """The markets of an event whose fees changed just now: what was announced for before is over."""
        event = self.events.get(wire.event_ticker)
        terms = self.series.get(event.series_ticker) if event is not None else None
        if event is None or terms is None:
            return []
        event = self.events[wire.event_ticker] = msgspec.structs.replace(
            event,
            fee_type_override=wire.fee_type_override,
            fee_multiplier_override=wire.fee_multiplier_override,
        )
        self.changes = msgspec.structs.replace(
            self.changes,
            events=tuple(
                c for c in self.changes.events if c.event_ticker != wire.event_ticker or c.at_ms > world_ms
            ),
        )
        announced = concerning(self.changes, event.series_ticker, event.event_ticker)
        changed: list[Market] = []
        for ticker, known in self.markets.items():
            if known.event_ticker == wire.event_ticker:
                odd, waived_until_ms = Odd(), known.fees.waived_until_ms
                fees = fee_schedule(terms.terms, event.override, waived_until_ms, odd)
                ahead = fee_changes(terms.terms, event.override, announced, waived_until_ms, odd)
                self._report(ticker, odd.notes)
                changed.append(msgspec.structs.replace(known, fees=fees, fee_changes=ahead))
        self.markets.update((after.ticker, after) for after in changed)
        return changed

    def _report(self, ticker: str, notes: list[str]) -> None:
        if self._noted.get(ticker, ()) != tuple(notes):
            self._noted[ticker] = tuple(notes)
            for note in notes:
                self._on_anomaly("market", f"{ticker}: {note}")
