"""An hour's temperature on the desk: priced beside the market by its city's index, and not opened alone."""

from __future__ import annotations

import asyncio

import msgspec

from core.domain.market import CityReading, Market, Strike, StrikeKind
from core.engine.state import MarketState, Mode
from core.feeds.feed import Stamp
from core.feeds.values import IndexStatus, ModelForecast, WeatherIndex
from tests.execution.bench import Bench, ladder, running
from tests.execution.fake_venue import FakeVenue
from tests.virtual import START_WALL_MS, VirtualClock, VirtualLoop, run_virtual

HOUR_MS = 3_600_000
AT_MS = START_WALL_MS // HOUR_MS * HOUR_MS + 3 * HOUR_MS
TICKER, EVENT = "KXTEMPMIAH-1-T81.99", "KXTEMPMIAH-1"


def hourly() -> Market:
    return msgspec.structs.replace(
        ladder()[0],
        ticker=TICKER,
        event_ticker=EVENT,
        series_ticker="KXTEMPMIAH",
        label="MIA 15h Nov23 >81.99",
        strike=Strike(StrikeKind.GREATER, floor=81.99),
        close_ms=AT_MS,
        exclusive=False,
        station=None,
        climate_day=None,
        extreme=None,
        reading=CityReading("miami", AT_MS, 0.01),
    )


def tell(bench: Bench, f: float | None, later_min: int = 0) -> None:
    now = bench.clock.wall_ms()
    stamp = Stamp((now // 60_000 + later_min) * 60_000, now, 0)
    value, status = (None, IndexStatus.INCOMPLETE) if f is None else (round(f * 100), IndexStatus.NORMAL)
    bench.feed.sink(WeatherIndex("miami", value, status, False, 5, "w48", stamp))


def market(bench: Bench) -> MarketState:
    return bench.engine.state.markets[TICKER]


def test_the_index_prices_it_and_without_a_record_automatic_mode_says_so_and_opens_nothing() -> None:
    async def main(loop: VirtualLoop) -> None:
        venue = FakeVenue(None, loop, VirtualClock(loop), listed=(*ladder(), hourly()))  # type: ignore[arg-type]
        async with running(loop, venue=venue, series=("KXHIGHNY", "KXTEMPMIAH"), judge=None) as bench:
            event = bench.engine.state.events[EVENT]
            assert event.refusal == "no minute of the miami index yet"
            now = bench.clock.wall_ms()
            hours = tuple((now - HOUR_MS + n * HOUR_MS, 80.0) for n in range(8))
            bench.feed.sink(ModelForecast("KMIA", "gfs_seamless", hours, {}, Stamp(now, now, 0), 6 * 3600))
            tell(bench, 85.0)
            bench.engine.state.mode = Mode.AUTO
            bench.venue.quote(TICKER, 40, 44)  # the model would pay ninety
            await asyncio.sleep(2.0)
            fair = market(bench).fair
            assert fair is not None and fair.model == "hourly-temperature", event.refusal
            assert fair.model_probability > 0.85 and fair.version.startswith("hourly-temperature-1.")
            assert {age.name for age in fair.inputs} == {"miami index", "Open-Meteo"}
            assert fair.doubt == "evidence insufficient: no settled days scored"
            assert fair.weight == 0.0 and fair.market_probability == fair.probability
            assert bench.engine.desk.approvals.of(TICKER) is None
            assert not bench.engine.desk.ledger.live_in(TICKER)
            tell(bench, None, later_min=4)
            assert market(bench).fair is None
            assert event.refusal.startswith("the miami index is incomplete for 4 min")

    run_virtual(main)
