"""The writer: rows reach the disk, waiters are answered, a failed commit poisons the journal once."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core.domain.clock import SystemClock
from core.journal.events import Event, Kind
from core.journal.files import read_rows, verify
from core.journal.opening import Identity
from core.journal.store import Durability, Journal, JournalFault, MemoryJournal, open_journal


def identity(run: str = "run-1", world: str = "w1", profile: str = "demo") -> Identity:
    return Identity(world_id=world, profile=profile, code_version="0.1", boot_id="boot-1", run_id=run)


@asynccontextmanager
async def opened(
    path: Path,
    run: str = "run-1",
    on_fault: Callable[[JournalFault], None] = lambda fault: None,
    durability: Durability = Durability.NORMAL,
) -> AsyncIterator[Journal]:
    journal = open_journal(path, identity(run), SystemClock(), durability=durability, on_fault=on_fault)
    try:
        yield journal
    finally:
        await journal.close()


def note(text: str, **rest: object) -> Event:
    return Event(Kind.COMMAND, {"text": text, **rest})


@pytest.mark.parametrize("durability", list(Durability))
async def test_a_durable_row_can_be_read_by_another_connection_at_once(
    tmp_path: Path, durability: Durability
) -> None:
    path = tmp_path / "journal-w1.db"
    async with opened(path, durability=durability) as journal:
        journal.append(note("one"))
        seq = journal.append(note("two"))
        assert await journal.durable(seq)
        assert [row.data()["text"] for row in read_rows(path)] == ["one", "two"]
        assert await journal.durable(seq), "an old row is durable without another commit"


async def test_rows_nobody_waits_for_are_written_too_and_share_commits(tmp_path: Path) -> None:
    path = tmp_path / "journal-w1.db"
    async with opened(path) as journal:
        for n in range(2_500):
            journal.append(note(str(n)))
    report = verify(path)
    assert report.sound and report.rows == 2_500 and report.unclean_runs == 0


async def test_many_waiters_are_answered_in_any_order(tmp_path: Path) -> None:
    async with opened(tmp_path / "j.db") as journal:
        seqs = [journal.append(note(str(n))) for n in range(50)]
        answers = await asyncio.gather(*(journal.durable(seq) for seq in reversed(seqs)))
        assert all(answers)


async def test_the_next_run_continues_numbering_and_chain(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    async with opened(path, "a") as journal:
        journal.append(note("first run"))
    async with opened(path, "b") as journal:
        assert journal.clean and journal.head_seq == 1
        assert [row.seq for row in journal.tail] == [1]
        journal.append(note("second run"))
    rows = list(read_rows(path))
    assert [(row.seq, row.run_id) for row in rows] == [(1, "a"), (2, "b")]
    assert rows[1].prev_hash == rows[0].hash
    assert verify(path).sound


async def test_every_file_is_private_from_birth(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    async with opened(path) as journal:
        assert await journal.durable(journal.append(note("x")))
        files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}  # noqa: ASYNC240
    assert set(files) == {"j.db", "j.db-wal", "j.db-shm", "j.lock", "j.spill", "journal.reserve"}
    assert set(files.values()) == {0o600}


async def test_a_foreign_writer_poisons_the_journal_instead_of_forking_it(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    faults: list[JournalFault] = []
    async with opened(path, on_fault=faults.append) as journal:
        assert await journal.durable(journal.append(note("ours")))
        with sqlite3.connect(path) as other:
            other.execute(
                "INSERT INTO event SELECT seq + 1, ts_wall_ms, ts_mono_ns, boot_id, run_id, 'thief', kind,"
                " order_id, ticker, cause_seq, payload, hash, 'x' FROM event"
            )
        other.close()
        assert not await journal.durable(journal.append(note("lost")))
        assert len(faults) == 1 and "cannot be written" in faults[0].reason
        assert "somebody else" in faults[0].reason and faults[0].durable_seq == 1
        assert not await journal.durable(journal.append(note("after the fault")))
        assert len(faults) == 1, "told once"
    assert journal.lost == 0, "both are commands: they went into the spill log"


async def test_what_nobody_keeps_up_with_is_a_fault_not_a_silent_drop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.journal.writer.PENDING_MAX", 10)
    faults: list[JournalFault] = []
    async with opened(tmp_path / "j.db", on_fault=faults.append) as journal:
        lock = sqlite3.connect(tmp_path / "j.db", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        for n in range(5_000):
            journal.append(note(str(n)))
        lock.execute("ROLLBACK")
        lock.close()
        assert [fault.reason for fault in faults] == ["the journal's writer does not keep up: 10 rows wait"]


async def test_who_waits_for_a_writer_that_hangs_is_refused_and_the_fault_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.journal.writer.PENDING_MAX", 10)
    path, faults = tmp_path / "j.db", list[JournalFault]()
    async with opened(path, on_fault=faults.append) as journal:
        assert await journal.durable(journal.append(note("ours")))
        lock = sqlite3.connect(path, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        answer = journal.durable(journal.append(note("waits")))
        for n in range(50):
            journal.append(note(str(n)))
        assert answer.done() and not answer.result(), "not left hanging on a writer that hangs"
        # Then the writer fails for a reason of its own, and goes on with the spill log.
        lock.execute(
            "INSERT INTO event SELECT seq + 1, ts_wall_ms, ts_mono_ns, boot_id, run_id, 'thief', kind,"
            " order_id, ticker, cause_seq, payload, hash, 'x' FROM event"
        )
        lock.execute("COMMIT")
        lock.close()
        assert await journal.spilled(journal.append(note("after it")))
        assert len(faults) == 1 and journal.fault is not None


async def test_a_disk_that_hangs_does_not_keep_the_journal_from_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.journal.store.CLOSE_S", 0.05)
    async with opened(tmp_path / "j.db") as journal:
        assert await journal.durable(journal.append(note("ours")))
        lock = sqlite3.connect(tmp_path / "j.db", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        journal.append(note("waits"))
        assert not await journal.close()
        lock.execute("ROLLBACK")
        lock.close()


async def test_rows_cannot_be_changed_or_deleted_in_place(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    async with opened(path) as journal:
        journal.append(note("x"))
    connection = sqlite3.connect(path)
    for statement in ("UPDATE event SET actor = 'me'", "DELETE FROM event"):
        with pytest.raises(sqlite3.IntegrityError, match="never"):
            connection.execute(statement)
    connection.close()


async def test_a_commit_under_way_counts_into_the_latency(tmp_path: Path) -> None:
    async with opened(tmp_path / "j.db") as journal:
        assert await journal.durable(journal.append(note("x")))
        assert journal.sync_p99_ms() < 2_000
        journal._writer.committing_since_ns = SystemClock().mono_ns() - 3_000_000_000
        assert journal.sync_p99_ms() >= 3_000


async def test_nothing_is_durable_after_closing(tmp_path: Path) -> None:
    async with opened(tmp_path / "j.db") as journal:
        pass
    assert not await journal.durable(journal.append(note("late")))
    assert journal.lost == 1


class Ticks:
    """A clock that moves a millisecond a look."""

    def __init__(self) -> None:
        self.now = 1_700_000_000_000

    def wall_ms(self) -> int:
        self.now += 1
        return self.now

    def mono_ns(self) -> int:
        return self.now * 1_000_000


async def test_the_journal_in_memory_makes_the_same_rows(tmp_path: Path) -> None:
    events = [note("a"), Event(Kind.FILL, {"b": 1, "a": [2]}, order_id="pm-1", ticker="T", cause_seq=1)]
    path = tmp_path / "j.db"
    clock = Ticks()
    disk = open_journal(path, identity(), clock, durability=Durability.NORMAL, on_fault=lambda fault: None)
    clock.now = 5
    for event in events:
        disk.append(event)
    tail = list(disk.tail)
    await disk.close()
    clock = Ticks()
    clock.now = 5
    memory = MemoryJournal(clock, boot_id="boot-1", run_id="run-1")
    for event in events:
        assert await memory.durable(memory.append(event))
    assert memory.rows[0].hash == tail[0].hash
    assert [(r.seq, r.kind, r.payload, r.cause_seq) for r in memory.rows] == [
        (r.seq, r.kind, r.payload, r.cause_seq) for r in read_rows(path)
    ]
