"""Gaps, sleep and clocks that are set: nothing stale leaves, nothing that ended opens again."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from core.domain.clock import REAL_WORLD, Clocks
from core.domain.market import Venue
from core.domain.order import Life
from core.engine.health import Health
from core.engine.judging import gate_line
from core.engine.state import Mode
from core.execution.gateway import Denied, Wish
from core.journal.events import Kind
from core.risk.halts import Level
from core.venues.venue import Incomplete, PositionReport, VenueListener
from tests.execution.bench import HOT, TRADER, Bench, ladder, running
from tests.execution.fake_venue import FakeVenue
from tests.virtual import VirtualClock, VirtualLoop, run_virtual

HOUR_MS = 3_600_000


class SettableClock(VirtualClock):
    """A machine that can sleep, and whose wall clock can be set."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__(loop)
        self.slept_ns = self.set_ms = 0

    def mono_ns(self) -> int:
        return super().mono_ns() + self.slept_ns

    def wall_ms(self) -> int:
        return super().wall_ms() + self.slept_ns // 1_000_000 + self.set_ms


def set_wall(bench: Bench, by_ms: int) -> None:
    """Set the desk's wall clock; the machine's own goes on."""
    before = bench.clock.wall_ms
    bench.clock.wall_ms = lambda: before() + by_ms  # type: ignore[method-assign]


def stand_still(loop: VirtualLoop, seconds: float) -> None:
    """The process is stopped: time passes, nothing runs."""
    loop.now += seconds


def shown(bench: Bench, words: str) -> list[str]:
    """What stands among the alarms."""
    return [a.what for a in bench.engine.state.alarms.values() if a.active and words in a.what]


def watched(loop: VirtualLoop) -> tuple[Health, SettableClock, list[str]]:
    clock, said = SettableClock(loop), list[str]()
    health = Health(Clocks(clock, REAL_WORLD), lambda: 1_000, lambda: 100, said.append)
    return health, clock, said


@pytest.mark.parametrize("set_ms", [-HOUR_MS, HOUR_MS, 3_000, -600])
def test_a_clock_that_is_set_is_noticed_and_named(set_ms: int) -> None:
    async def main(loop: VirtualLoop) -> None:
        health, clock, said = watched(loop)
        running = loop.create_task(health.run())
        await asyncio.sleep(1)
        clock.set_ms = set_ms
        await asyncio.sleep(1)
        assert health.stepped(Venue.KALSHI) and said == [f"the clock was set by {set_ms / 1000:+.1f} s"]
        running.cancel()

    run_virtual(main)


def test_a_clock_that_is_slewed_is_not_a_step() -> None:
    async def main(loop: VirtualLoop) -> None:
        health, clock, said = watched(loop)
        running = loop.create_task(health.run())
        for _ in range(100):
            clock.set_ms += 10
            await asyncio.sleep(0.5)
        assert not health.stepped(Venue.KALSHI) and not said
        running.cancel()

    run_virtual(main)


def test_sleep_of_the_machine_is_told_from_a_stopped_process() -> None:
    async def main(loop: VirtualLoop) -> None:
        health, clock, said = watched(loop)
        running = loop.create_task(health.run())
        await asyncio.sleep(1)
        clock.slept_ns += 3_600_000_000_000  # the wall clock goes on with it: no step
        await asyncio.sleep(1)
        assert said == ["the machine slept for 3600.0 s"]
        stand_still(loop, 5)
        await asyncio.sleep(1)
        assert said[1:] == ["the engine stood still for 5.0 s"]
        running.cancel()

    run_virtual(main)


class SlowStart(FakeVenue):
    """All that is read for a start holds the loop once for 0.4 s."""

    slow = True

    async def positions(self) -> tuple[PositionReport, ...] | Incomplete:
        if self.slow:
            self.slow = False
            await asyncio.sleep(2.0)
            stand_still(cast(VirtualLoop, self.loop), 0.4)
            await asyncio.sleep(0.1)
        return await super().positions()


def test_how_late_the_loop_was_in_a_start_holds_back_nothing_once_that_is_over() -> None:
    async def main(loop: VirtualLoop) -> None:
        venue = SlowStart(cast(VenueListener, None), loop, VirtualClock(loop), listed=ladder())
        async with running(loop, venue=venue, ready=False) as bench:
            health = bench.engine.desk.health
            await bench.until(lambda: not venue.slow, "reading of the account")
            await asyncio.sleep(2.15)
            assert health.lag_p99_ms() >= 350 and not bench.engine.state.ready
            await bench.until(lambda: bench.engine.state.ready, "ready")
            assert health.lag_p99_ms() >= 350, "the last figure stands for a second"
            await asyncio.sleep(1.2)
            assert health.lag_p99_ms() < 5
            stand_still(loop, 0.4)
            await asyncio.sleep(0.1)
            assert health.lag_p99_ms() >= 350

    run_virtual(main)


def test_what_runs_before_the_next_probe_knows_of_the_gap_already() -> None:
    async def main(loop: VirtualLoop) -> None:
        health, _, said = watched(loop)
        running = loop.create_task(health.run())
        await asyncio.sleep(1)
        stand_still(loop, 2.5)
        assert health.stepped(Venue.KALSHI) and not said
        running.cancel()

    run_virtual(main)


def test_only_a_reading_begun_after_the_gap_ends_it() -> None:
    async def main(loop: VirtualLoop) -> None:
        health, clock, _ = watched(loop)
        began_ns = clock.mono_ns()
        await asyncio.sleep(1)
        health.step("the engine stood still")
        health.account_read(Venue.KALSHI, began_ns)
        assert health.stepped(Venue.KALSHI)
        health.account_read(Venue.KALSHI, clock.mono_ns())
        assert not health.stepped(Venue.KALSHI)

    run_virtual(main)


@pytest.mark.parametrize("set_ms", [0, -HOUR_MS])
def test_a_send_that_waited_over_a_gap_never_leaves_whatever_the_clock_says(set_ms: int) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            assert bench.approve(card).accepted
            (client,) = bench.engine.desk.ledger.of_proposal[card.id]
            # Its row is durable and its task is ready to go: then the process is stopped.
            stand_still(loop, 30)
            set_wall(bench, set_ms)
            await bench.until(lambda: not bench.order(client).live, "end")
            assert bench.order(client).life is Life.NEVER_SENT
            assert bench.order(client).reason == "could not be sent in time"
            assert not bench.venue.placed

    run_virtual(main)


def test_after_a_gap_the_account_is_read_before_anything_is_sent() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            bench.venue.faults.broken_reads = True
            stand_still(loop, 30.05)  # wherever between two probes that is, 30 s are missed
            assert not bench.approve(card).accepted, "the very first command after it"
            await bench.until(lambda: bool(shown(bench, "stood still for 30")), "alarm")
            assert not bench.engine.desk.approvals.queue(), "cards rested on what was known before"
            refused = gate_line(bench.engine.desk, Wish(card.candidate), "")
            assert isinstance(refused, Denied) and "the account is read first" in refused.reason
            await asyncio.sleep(20)
            assert not bench.venue.placed and bench.engine.desk.health.stepped(Venue.KALSHI)
            bench.venue.faults.broken_reads = False
            await bench.until(lambda: not bench.engine.desk.health.stepped(Venue.KALSHI), "a clean read", 60)
            assert not shown(bench, "stood still")
            assert (await bench.sent()).life is Life.WORKING

    run_virtual(main)


def test_the_orders_read_between_two_readings_of_the_account_bring_no_gap_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            desk, lists = bench.engine.desk, list[float]()
            listed, reconciler = bench.venue.orders, desk.seats[Venue.KALSHI].reconciler

            async def orders(**which: Any) -> Any:
                lists.append(loop.time())
                return await listed(**which)

            monkeypatch.setattr(bench.venue, "orders", orders)
            await bench.sent()
            stand_still(loop, 2.5)
            assert desk.health.stepped(Venue.KALSHI)
            await bench.until(lambda: not desk.health.stepped(Venue.KALSHI), "a clean read", 60)
            whole, before = reconciler.readings, len(lists)
            for _ in range(25):
                await asyncio.sleep(1)
                assert not desk.health.stepped(Venue.KALSHI)
            assert reconciler.readings == whole and len(lists) > before

    run_virtual(main)


def test_a_stop_needs_no_reading_first() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.sent()
            bench.venue.faults.broken_reads = True
            stand_still(loop, 30)
            bench.engine.halt("enough", TRADER)
            await bench.until(lambda: not bench.engine.desk.ledger.live, "cancel", 5)

    run_virtual(main)


def test_a_clock_set_back_over_midnight_does_not_open_the_day_again() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            days = bench.kinds().count(Kind.DAY.value)
            day = bench.engine.desk.account.day
            set_wall(bench, -24 * HOUR_MS)
            await asyncio.sleep(120)
            assert bench.kinds().count(Kind.DAY.value) == days
            assert bench.engine.desk.account.day == day
            rows, venue = list(bench.journal.rows), bench.venue
        async with running(loop, venue=venue, history=rows, ready=False, run="r2") as again:
            set_wall(again, -24 * HOUR_MS)
            await again.until(lambda: again.engine.state.ready, "ready")
            await asyncio.sleep(5)
            assert Kind.DAY.value not in again.kinds(), "nor does a restart"

    run_virtual(main)


@pytest.mark.parametrize(
    ("offset_ms", "alarm", "entries"),
    [
        (200, "", True),
        (-300, "this machine's clock is +0.30 s off the venue's", True),
        (600, "this machine's clock is -0.60 s off the venue's", False),
    ],
)
def test_an_offset_warns_before_it_denies(offset_ms: int, alarm: str, entries: bool) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.card()
            bench.venue.clock_offset_ms = lambda: offset_ms  # type: ignore[method-assign]
            await asyncio.sleep(2)
            assert shown(bench, "clock") == ([alarm] if alarm else [])
            card = bench.engine.desk.approvals.of(HOT)
            assert card is not None and card.verdict.passed is entries

    run_virtual(main)


@pytest.mark.parametrize(
    ("left_mb", "alarm", "entries"),
    [
        (5_000, [], True),
        (1_999, ["1999 MB of disk are left"], True),
        (511, ["511 MB of disk are left"], False),
    ],
)
def test_a_disk_that_fills_up_warns_before_it_denies(left_mb: int, alarm: list[str], entries: bool) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.card()
            bench.engine.desk.health.disk_mb = left_mb
            await asyncio.sleep(2)
            assert shown(bench, "disk") == alarm
            card = bench.engine.desk.approvals.of(HOT)
            assert card is not None and card.verdict.passed is entries

    run_virtual(main)


def test_an_engine_that_gets_too_little_time_denies_entries_until_it_is_well_again() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.card()
            for _ in range(30):
                stand_still(loop, 0.3)  # something else has the processor most of the time
                await asyncio.sleep(0.1)
            card = bench.engine.desk.approvals.of(HOT)
            assert card is not None and not card.verdict.passed
            assert "G32" in {denial.code for denial in card.verdict.denials}
            refused = gate_line(bench.engine.desk, Wish(card.candidate), "")
            assert isinstance(refused, Denied) and "lag" in refused.reason
            bench.engine.flatten(TRADER, now=True)
            await bench.until(lambda: not bench.engine.desk.ledger.live, "a stop needs no health", 5)

    run_virtual(main)


def test_a_clock_two_seconds_off_ends_automatic_entries_until_a_person_resumes() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.engine.set_mode("auto", "automatic", "", TRADER)
            assert bench.engine.state.mode is Mode.AUTO
            bench.venue.clock_offset_ms = lambda: 2_100  # type: ignore[method-assign]
            await bench.until(lambda: bench.engine.state.halts.desk is Level.REDUCE_ONLY, "reduce only", 3)
            bench.venue.clock_offset_ms = lambda: 0  # type: ignore[method-assign]
            await asyncio.sleep(10)
            assert bench.engine.state.halts.desk is Level.REDUCE_ONLY

    run_virtual(main)
