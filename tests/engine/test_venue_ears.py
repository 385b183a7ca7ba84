"""What the venue's own troubles do to the desk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from core.domain.clock import Clocks
from core.feeds.feed import Feed, Stamp
from core.feeds.merge import Apart
from core.feeds.published import INDICES, PublishedFeed
from core.feeds.quotes import Quote
from core.feeds.values import Sink
from core.risk.halts import Level
from core.venues.decisions import LimiterReport, Use
from core.venues.published import Published
from core.venues.venue import VenueListener
from tests.execution.bench import HOT, TRADER, WARM, Bench, running
from tests.virtual import VirtualLoop, run_virtual


def standing(bench: Bench) -> Level:
    halt = bench.engine.desk.halting.level("", HOT)
    return Level.NORMAL if halt is None else halt.level


@pytest.mark.parametrize(
    ("tell", "level"),
    [
        (lambda ears: ears.on_storm("the venue refused three requests in 10 s (429)"), Level.REDUCE_ONLY),
        (lambda ears: ears.on_credential("the venue does not accept the key: HTTP 401"), Level.LOCKED),
    ],
)
def test_a_venue_in_trouble_is_stopped_until_a_person_has_looked(
    tell: Callable[[VenueListener], None], level: Level
) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            assert standing(bench) is Level.NORMAL
            tell(bench.venue.listener)
            tell(bench.venue.listener)
            assert standing(bench) is level
            assert bench.kinds().count("HALT") == 1
            assert [a for a in bench.engine.state.alarms.values() if a.what.startswith("KAL: ")]

    run_virtual(main)


def test_another_price_grid_is_in_doubt_only_where_an_order_of_ours_rests() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.sent(HOT)
            bench.venue.listener.on_grid(WARM)
            assert standing(bench) is Level.NORMAL, "nothing of ours is there"
            bench.venue.listener.on_grid(HOT)
            assert standing(bench) is Level.REDUCE_ONLY
            assert bench.seat.reconciler.doubt == f"the tick size of {HOT} changed"
            await bench.until(lambda: standing(bench) is Level.NORMAL, "a reading", 5)

    run_virtual(main)


def test_the_limiters_decisions_are_journalled() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.venue.listener.on_limiter(LimiterReport((Use("cancel", 3, waited_ms=12),), throttled=2))
            [row] = [row for row in bench.journal.rows if row.kind == "LIMITER"]
            assert row.data()["text"] == "cancel 3, waited up to 12 ms; 2 x 429"

    run_virtual(main)


def test_a_dead_man_switch_is_held_only_while_the_engine_is_well() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, ready=False) as bench:
            assert not bench.venue.listener.fit(), "its account was not read yet"
            await bench.until(lambda: bench.engine.state.ready, "ready")
            await asyncio.sleep(2.0)
            assert bench.venue.listener.fit()
            health, lag = bench.engine.desk.health, 0
            health.lag_p99_ms = lambda: lag  # type: ignore[method-assign]
            for lag, fit in ((400, True), (1_500, False), (0, True)):  # noqa: B007
                assert bench.venue.listener.fit() is fit, "busy is not dead"
            bench.venue.faults.broken_reads = True
            await asyncio.sleep(120.0)
            assert not bench.venue.listener.fit()

    run_virtual(main)


def test_what_the_venue_publishes_is_told_like_a_sources_values() -> None:
    async def main(loop: VirtualLoop) -> None:
        def published(sink: Sink, clocks: Clocks) -> list[Feed]:
            return [PublishedFeed(INDICES, ("BRTI",), clocks, sink)]

        async with running(loop, more_feeds=published) as bench:
            value = Published(INDICES.name, "BRTI", 81_730.21, bench.clock.wall_ms())
            bench.venue.listener.on_published(value)
            assert bench.engine.told.quotes["BRTI", INDICES.name].value == 81_730.21

    run_virtual(main)


def test_a_test_of_what_a_venue_publishes_asks_it_on_the_engines_own_connection() -> None:
    async def main(loop: VirtualLoop) -> None:
        def published(sink: Sink, clocks: Clocks) -> list[Feed]:
            return [PublishedFeed(INDICES, ("BRTI", "ETHUSD_RTI"), clocks, sink)]

        async with running(loop, more_feeds=published) as bench:
            bench.venue.publishes = ("BRTI", "SOLUSD_RTI")
            assert bench.engine.try_feed(INDICES.name, TRADER).accepted
            await asyncio.sleep(1)
            value = Published(INDICES.name, "BRTI", 81_730.21, bench.clock.wall_ms())
            bench.venue.listener.on_published(value)
            await asyncio.sleep(0.01)
            found = bench.engine.trials.last[INDICES.name].found
            assert (found.passed, found.text) == (
                True,
                "BRTI 81730.21 came on the venue's connection, 0 ms old. "
                "The venue lists 2 names, ETHUSD_RTI not among them.",
            )

    run_virtual(main)


def test_sources_that_tell_of_the_same_are_compared_every_second_while_both_are_fresh() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            engine, at_ms = bench.engine, bench.engine.desk.clocks.world_ms()
            for source, value in (("kraken", 98_000.0), ("coinbase", 98_098.0)):
                stamp = Stamp(at_ms, at_ms, 0)
                engine.told.absorb(Quote("BTC/USD", source, value, None, None, stamp, stale_after_s=30))
            await asyncio.sleep(2.0)
            apart = Apart(10.0, too_far=False)
            assert engine.state.apart == {"kraken": apart, "coinbase": apart}
            await asyncio.sleep(31.0)
            assert engine.state.apart == {}

    run_virtual(main)
