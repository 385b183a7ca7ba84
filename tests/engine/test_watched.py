"""The desk and its watchdog: gone, unfit, struck, drilled."""

from __future__ import annotations

import asyncio

from core.engine.state import AlarmLevel, Mode, WatchdogSeen
from core.execution.groups import GroupState
from core.risk.halts import Level
from tests.execution.bench import TRADER, VIEWER, Bench, running
from tests.virtual import VirtualLoop, run_virtual

WELL = WatchdogSeen(7, "", None, "")


def acts(bench: Bench) -> str:
    alarms = bench.engine.state.alarms.values()
    return "; ".join(a.what for a in alarms if a.active and a.level is AlarmLevel.ACT)


async def beats(bench: Bench, seconds: float, seen: WatchdogSeen = WELL) -> None:
    for _ in range(int(seconds)):
        bench.engine.desk.watched.answered(seen)
        await asyncio.sleep(1)


def test_a_pulse_says_what_may_be_live_and_which_groups_to_trigger() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, watched=True) as bench:
            await bench.sent()
            beat = bench.engine.desk.watched.beat()
            assert beat is not None and beat.live == 1 and not beat.drill
            assert beat.groups == (("G1", "0"), ("G2", "0"))
            assert beat.journal_seq == bench.journal.head_seq

    run_virtual(main)


def test_a_watchdog_that_is_gone_is_called_out_and_ends_automatic_mode() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, watched=True) as bench:
            await beats(bench, 2)
            assert bench.engine.set_mode("auto", "automatic", "", TRADER).accepted
            await beats(bench, 10)
            assert bench.engine.state.mode is Mode.AUTO and "watchdog" not in acts(bench)
            await asyncio.sleep(7)
            assert bench.engine.state.mode is Mode.SEMI and "watchdog" in acts(bench)
            refused = bench.engine.set_mode("auto", "automatic", "", TRADER)
            assert not refused.accepted and "watchdog" in refused.text
            await beats(bench, 2)
            assert "watchdog" not in acts(bench)
            assert bench.engine.state.mode is Mode.SEMI, "a person's word, never its own"

    run_virtual(main)


def test_a_watchdog_that_could_not_cancel_is_none() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, watched=True) as bench:
            await beats(bench, 2)
            await beats(bench, 3, WatchdogSeen(8, "its key has not been tried yet", None, ""))
            assert "watchdog" not in acts(bench), "one that has just started"
            assert not bench.engine.set_mode("auto", "automatic", "", TRADER).accepted
            await beats(bench, 5, WatchdogSeen(8, "HTTP 401", None, ""))
            assert "HTTP 401" in acts(bench)

    run_virtual(main)


def test_a_strike_beside_a_living_engine_halts_it() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, watched=True) as bench:
            await beats(bench, 2)
            struck = WatchdogSeen(7, "", bench.clock.wall_ms(), "2 groups triggered")
            await beats(bench, 2, struck)
            assert bench.engine.state.halts.desk is Level.HALTED
            assert "2 groups triggered" in acts(bench)
            states = {at.state for at in bench.seat.groups.standing.values()}
            assert states == {GroupState.TRIGGERED}, "it triggered those of the exits as well"
            await asyncio.sleep(5)
            assert "Acknowledge" in bench.engine.resume("resume", "seen", TRADER).text
            assert bench.engine.acknowledge_all(TRADER).accepted
            await bench.until(lambda: bench.engine.resume("resume", "seen", TRADER).accepted, "resume", 60)
            await beats(bench, 3, struck)
            assert bench.engine.state.halts.desk is Level.NORMAL, "one strike halts once"
            armed = {at.state for at in bench.seat.groups.standing.values()}
            assert armed == {GroupState.ARMED}

    run_virtual(main)


def test_a_strike_while_no_engine_ran_brings_the_next_one_up_halted() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.sent()
            rows, venue = list(bench.journal.rows), bench.venue
        later = WatchdogSeen(0, "", rows[-1].ts_wall_ms + 12_000, "everything cancelled")
        async with running(loop, venue=venue, history=rows, ready=False, run="r2", struck=later) as again:
            halt = again.engine.state.halts.standing[0]
            assert halt.level is Level.HALTED and "everything cancelled" in halt.cause
        earlier = WatchdogSeen(0, "", rows[0].ts_wall_ms - 1, "long ago")
        async with running(loop, venue=venue, history=rows, ready=False, run="r3", struck=earlier) as third:
            assert not third.engine.state.halts.standing

    run_virtual(main)


def test_a_drill_is_silence_until_the_strike() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, watched=True) as bench:
            watched = bench.engine.desk.watched
            assert not bench.engine.drill_watchdog(TRADER).accepted, "nobody has answered yet"
            await beats(bench, 2)
            assert not bench.engine.drill_watchdog(VIEWER).accepted
            assert bench.engine.drill_watchdog(TRADER).accepted
            assert not bench.engine.drill_watchdog(TRADER).accepted, "one at a time"
            first = watched.beat()
            assert first is not None and first.drill
            for _ in range(12):
                assert watched.beat() is None
                await asyncio.sleep(1)
            assert "watchdog" not in acts(bench), "its silence is expected now"
            await asyncio.sleep(1.5)
            assert watched.beat() is not None
            watched.answered(WatchdogSeen(7, "", bench.clock.wall_ms(), "done"))
            assert bench.engine.state.halts.desk is Level.HALTED
            drills = [row.payload for row in bench.journal.rows if row.kind == "DRILL"]
            assert len(drills) == 1 and "passed" in drills[0]

    run_virtual(main)


def test_a_drill_nobody_answers_has_failed() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, watched=True) as bench:
            await beats(bench, 2)
            assert bench.engine.drill_watchdog(TRADER).accepted
            bench.engine.desk.watched.beat()
            await asyncio.sleep(22)
            assert "drill FAILED" in acts(bench)

    run_virtual(main)
