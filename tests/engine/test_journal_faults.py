"""A journal that dies under a running desk: nothing is sent, everything is cancelled, and it shows."""

from __future__ import annotations

import asyncio
from pathlib import Path

from core.control.flag import watch
from core.domain.order import Life, TimeInForce
from core.engine.gate_inputs import inputs
from core.engine.state import AlarmLevel
from core.journal.events import Event, Kind
from core.journal.store import JournalFault, MemoryJournal
from core.risk.halts import GLOBAL, Level
from tests.execution.bench import HOT, TRADER, Bench, running
from tests.virtual import VirtualLoop, run_virtual

DURABLE_S = 0.3


class MortalJournal(MemoryJournal):
    """Reaches the disk a while after each row was written, until it breaks."""

    on_disk = 0

    def append(self, event: Event) -> int:
        if self.fault is not None:
            self.lost += 1
        return super().append(event)

    def durable(self, seq: int) -> asyncio.Future[bool]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bool] = loop.create_future()
        loop.call_later(DURABLE_S, self._answer, seq, answer)
        return answer

    def _answer(self, seq: int, answer: asyncio.Future[bool]) -> None:
        if self.fault is None:
            self.on_disk = max(self.on_disk, seq)
        answer.set_result(seq <= self.on_disk)

    def kill(self) -> JournalFault:
        self.fault = JournalFault("the journal cannot be written: disk I/O error", self.on_disk)
        self.lost = self.head_seq - self.on_disk
        return self.fault


def mortal(bench: Bench) -> MortalJournal:
    assert isinstance(bench.journal, MortalJournal)
    return bench.journal


def test_a_dead_journal_halts_the_whole_desk_at_once_and_cancels_everything() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, journal=MortalJournal) as bench:
            order = await bench.sent()
            client = order.intent.client_order_id
            died = loop.time()
            bench.engine.journal_failed(mortal(bench).kill())
            assert bench.engine.state.halts.desk is Level.HALTED
            assert bench.engine.state.problem == "NO JOURNAL"
            await bench.until(lambda: bool(bench.venue.cancel_calls), "cancel")
            assert bench.venue.cancel_calls[0][0] - died < 0.005, "cancels wait for nothing"
            await bench.until(lambda: bench.order(client).life is Life.CANCELLED, "cancelled")
            assert not any(o.open for o in bench.venue.placed.values())

    run_virtual(main)


def test_an_order_on_its_way_to_a_dying_journal_never_leaves() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, journal=MortalJournal) as bench:
            card = await bench.card()
            assert bench.approve(card).accepted
            (client,) = bench.engine.desk.ledger.of_proposal[card.id]
            await asyncio.sleep(DURABLE_S / 2)
            # The writer's thread has failed and the loop has not heard of it yet.
            fault = mortal(bench).kill()
            await bench.until(lambda: not bench.order(client).live, "end")
            assert bench.order(client).life is Life.NEVER_SENT
            assert "journal" in bench.order(client).reason
            bench.engine.journal_failed(fault)
            await asyncio.sleep(30)
            assert not bench.venue.placed

    run_virtual(main)


def test_nothing_gets_past_a_dead_journal() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, journal=MortalJournal) as bench:
            sold = (await bench.card()).candidate
            await bench.held(8)
            bench.engine.journal_failed(mortal(bench).kill())
            await bench.until(lambda: not bench.engine.desk.ledger.live, "cancels", 5)
            placed = len(bench.venue.placed)
            await asyncio.sleep(20)
            assert not bench.engine.desk.approvals.queue()
            refused = bench.engine.resume("resume", "let me", TRADER)
            assert not refused.accepted and "Not without a journal" in refused.text
            assert inputs(bench.engine.desk, sold, "", "").journal_ok is False
            # Only a flatten's exits may leave unrecorded: the venue itself bounds them by what is held.
            bench.engine.flatten(TRADER, now=True)
            ladder = bench.engine.desk.stop.ladder
            assert ladder is not None
            await bench.until(lambda: ladder.over, "end of the ladder", 60)
            left = list(bench.venue.placed.values())[placed:]
            assert left and all(o.intent.reduce_only and o.intent.tif is TimeInForce.IOC for o in left)
            standing = bench.engine.state.halts.at(GLOBAL)
            assert standing is not None and standing.level is Level.LOCKED
            assert "NO JOURNAL" in standing.cause and "flatten" in standing.cause
            assert bench.venue.net[HOT] == 0 and not bench.venue.crossed_zero

    run_virtual(main)


def test_a_full_disk_calls_somebody_although_the_journal_goes_on() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.engine.journal_failed(JournalFault("the disk is full", 5, goes_on=True))
            (alarm,) = (a for a in bench.engine.state.alarms.values() if "the disk is full" in a.what)
            assert alarm.level is AlarmLevel.ACT and alarm.active
            assert bench.engine.state.halts.desk is Level.HALTED

    run_virtual(main)


def test_the_desk_says_how_much_is_not_on_disk() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, journal=MortalJournal) as bench:
            await bench.sent()
            bench.engine.journal_failed(mortal(bench).kill())

            def told() -> str:
                (alarm,) = (a for a in bench.engine.state.alarms.values() if "NO JOURNAL" in a.what)
                assert alarm.level is AlarmLevel.ACT and alarm.active
                return alarm.what

            first, lost = told(), mortal(bench).lost
            assert "disk I/O error" in first
            await asyncio.sleep(5)
            assert mortal(bench).lost > lost
            assert told() != first and f"; {mortal(bench).lost} rows are not on disk" in told()

    run_virtual(main)


def test_the_stop_file_is_put_away_only_after_its_halt_is_on_disk(tmp_path: Path) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, journal=MortalJournal) as bench:
            path = tmp_path / "FLATTEN"
            watching = loop.create_task(watch(path, bench.engine, bench.clock.wall_ms, found=False))
            path.touch()
            await bench.until(lambda: bench.engine.desk.stop.running, "flatten")
            (halt,) = (row.seq for row in bench.journal.rows if row.kind == Kind.HALT.value)
            while mortal(bench).on_disk < halt:
                assert path.exists(), "an engine killed here must find the file at its next start"
                await asyncio.sleep(0.01)
            await bench.until(lambda: not path.exists(), "put away", 0.5)
            rows, venue = [r for r in bench.journal.rows if r.seq <= mortal(bench).on_disk], bench.venue
            watching.cancel()
        async with running(loop, venue=venue, history=rows, ready=False, run="r2") as again:
            assert again.engine.state.halts.desk is Level.LOCKED, "what was on disk is enough to stay stopped"

    run_virtual(main)


def test_the_stop_file_stays_when_its_halt_cannot_be_written(tmp_path: Path) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, journal=MortalJournal) as bench:
            path = tmp_path / "FLATTEN"
            watching = loop.create_task(watch(path, bench.engine, bench.clock.wall_ms, found=False))
            bench.engine.journal_failed(mortal(bench).kill())
            path.touch()
            await bench.until(lambda: bench.engine.desk.stop.running, "flatten")
            await asyncio.sleep(10)
            assert path.exists()
            watching.cancel()

    run_virtual(main)
