"""Change logs, workers, lag: the engine's small machinery."""

from __future__ import annotations

import asyncio

from core.control.rows.markets import Touch, market_row
from core.domain.clock import REAL_WORLD, Clocks
from core.domain.market import Venue
from core.domain.units import contracts
from core.engine.health import Health
from core.engine.workers import Workers
from core.execution.changes import KEYS_MAX, Changes
from core.execution.tasks import Tasks
from tests.execution.bench import ladder, running
from tests.virtual import VirtualClock, VirtualLoop, run_virtual


def test_each_reader_finds_what_changed_since_it_last_looked() -> None:
    changes: Changes[str] = Changes()
    for key in ("a", "b", "a"):
        changes.touch(key)
    early = changes.version
    changes.touch("c")
    assert changes.since(0) == ["c", "a", "b"]
    assert changes.since(early) == ["c"]
    assert changes.since(changes.version) == []


def test_a_reader_too_far_behind_is_told_to_read_everything() -> None:
    changes: Changes[int] = Changes()
    for key in range(KEYS_MAX + 2):
        changes.touch(key)
    assert changes.since(0) is None
    assert len(changes.since(2) or ()) == KEYS_MAX


def test_a_worker_that_breaks_is_reported_and_started_again() -> None:
    async def main(loop: VirtualLoop) -> None:
        runs: list[float] = []
        ends: list[str] = []
        faults: list[str] = []

        async def work() -> None:
            runs.append(loop.time())
            await asyncio.sleep(0.5)
            if len(runs) < 3:
                raise ValueError("broken")
            await asyncio.Event().wait()

        tasks = Tasks(lambda name, fault: faults.append(name))
        workers = Workers(tasks, lambda name, fault, pause: ends.append(f"{fault}"), lambda name: None)
        workers.keep("w", work)
        await asyncio.sleep(20)
        assert len(runs) == 3 and ends == ["broken", "broken"]
        assert runs[1] - runs[0] == 1.5 and runs[2] - runs[1] == 2.5, "the pause grows"
        await tasks.close()
        assert not faults

    run_virtual(main)


def test_a_task_that_fails_is_never_lost() -> None:
    async def main(loop: VirtualLoop) -> None:
        faults: list[str] = []
        tasks = Tasks(lambda name, fault: faults.append(f"{name}: {fault}"))

        async def broken() -> None:
            raise ValueError("no")

        tasks.spawn("t", broken())
        await asyncio.sleep(0.1)
        assert faults == ["t: no"]

    run_virtual(main)


def test_a_stall_of_the_loop_shows_as_lag_and_as_a_gap() -> None:
    async def main(loop: VirtualLoop) -> None:
        gaps: list[str] = []
        health = Health(Clocks(VirtualClock(loop), REAL_WORLD), lambda: 1_000, lambda: 90, gaps.append)
        running = loop.create_task(health.run())
        await asyncio.sleep(2)
        assert health.lag_p99_ms() is not None and health.lag_p99_ms() < 5
        loop.now += 3.0  # a blocked loop: time passes while nothing runs
        await asyncio.sleep(1)
        assert health.stepped(Venue.KALSHI) and "stood still" in gaps[0]
        assert health.lag_p99_ms() > 2_000
        running.cancel()

    run_virtual(main)


def test_what_trades_in_a_market_is_told_anew_and_prices_nothing() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            state, ticker = bench.engine.desk.state, ladder()[0].ticker
            for traded in (contracts(7), contracts(9)):
                bench.venue.volumes[ticker] = traded
                before, priced = state.changed_markets.version, state.markets[ticker].assessed
                await bench.engine.catalogue.refresh(bench.seat)
                assert ticker in (state.changed_markets.since(before) or ())
                assert state.markets[ticker].assessed is priced
                assert market_row(state.markets[ticker], None, 0, "", Touch()).volume == traded
            before = state.changed_markets.version
            await bench.engine.catalogue.refresh(bench.seat)
            assert ticker not in (state.changed_markets.since(before) or ()), "nothing traded since"

    run_virtual(main)
