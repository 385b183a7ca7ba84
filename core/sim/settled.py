"""Daily temperature markets of the time before this world began: over and paid, in the exchange's archive.

They are made when somebody asks for them; nobody can trade in them and no book of theirs is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from core.domain.units import Price
from core.sim.contracts import Market, MarketSpec, MarketStatus
from core.sim.families import lows
from core.sim.past import PAST_DAYS
from core.sim.world import SETTLEMENT_TIMER_S, World, event_spec, listing


class SettledPast:
    """Markets that were paid before the world's first instant, by series and ticker."""

    def __init__(self, world: World) -> None:
        self._weather, self._began_ms, self._first_day = world.weather, world.now_ms(), world.first_day
        self._highs = {station.series: station for station in world.scenario.stations.values()}
        self._series: dict[str, dict[str, Market]] = {}

    @property
    def began_ms(self) -> int:
        """World time before which all of it was paid."""
        return self._began_ms

    def of_series(self, series: str) -> dict[str, Market]:
        """By ticker, oldest first; empty for a series that has no past."""
        if series not in self._series:
            if series != lows.SERIES and series not in self._highs:
                return {}
            self._series[series] = {market.spec.ticker: market for market in self._made(series)}
        return self._series[series]

    def find(self, ticker: str) -> Market | None:
        return self.of_series(ticker.partition("-")[0]).get(ticker)

    def _made(self, series: str) -> Iterator[Market]:
        for back in range(PAST_DAYS, 0, -1):
            day = self._first_day - timedelta(days=back)
            yield from self._low(day) if series == lows.SERIES else self._high(series, day)

    def _high(self, series: str, day: date) -> Iterator[Market]:
        station = self._highs[series]
        record = self._weather.record(station.icao, day)
        if record is None:
            return
        listed = listing(station, day, record)
        pays = [bracket.pays(record.observed_high_f) for bracket in listed.brackets]
        specs = event_spec(station, listed).markets
        yield from self._paid(specs, pays, f"{record.observed_high_f:.2f}", listed.determine_ms)

    def _low(self, day: date) -> Iterator[Market]:
        station = self._weather.stations[lows.STATION]
        if self._weather.record(lows.STATION, day) is None:
            return
        low = lows.Low(station, day, self._weather, lows.ladder(self._weather, station, day))
        ended = low.outcome()
        yield from self._paid(low.spec.markets, ended.yes, ended.value, low.determined_ms)

    def _paid(
        self, specs: Sequence[MarketSpec], pays: Sequence[bool], value: str, determined_ms: int
    ) -> Iterator[Market]:
        paid_ms = determined_ms + SETTLEMENT_TIMER_S * 1000
        for number, (spec, yes) in enumerate(zip(specs, pays, strict=True)):
            if paid_ms < self._began_ms:
                yield Market(
                    spec=spec,
                    market_id=f"past-{spec.ticker}-{number}",
                    status=MarketStatus.FINALIZED,
                    created_ms=spec.open_ms,
                    updated_ms=paid_ms,
                    open_ms=spec.open_ms,
                    close_ms=spec.close_ms,
                    result="yes" if yes else "no",
                    settlement_value=Price(10_000 if yes else 0),
                    expiration_value=value,
                    determined_world_ms=determined_ms,
                    settled_world_ms=paid_ms,
                )
