"""A disk that fails under the journal: nothing is tried twice, and what a restart must know is kept."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.domain.clock import SystemClock
from core.journal import opening
from core.journal.events import Event, Kind
from core.journal.files import JournalHeldError, read_rows, verify
from core.journal.opening import Identity, Opened, open_for_writing
from core.journal.reserve import RESERVE_BYTES, reserve_path
from core.journal.spill import SPILL_BYTES, read_spill, spill_path
from core.journal.store import Journal, JournalFault


def identity(run: str) -> Identity:
    return Identity(world_id="w1", profile="demo", code_version="0.1", boot_id="boot-1", run_id=run)


class Disk:
    """A connection whose statements fail where they are told to."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.fails: Callable[[str], Exception | None] = lambda statement: None
        self.reaches_disk = False
        """Whether a statement has done its work before it is reported as failed."""
        self.statements: list[str] = []

    def execute(self, statement: str, *rest: Any) -> sqlite3.Cursor:
        self.statements.append(statement)
        error = self.fails(statement)
        if error is not None and not self.reaches_disk:
            raise error
        cursor = self._connection.execute(statement, *rest)
        if error is not None:
            raise error
        return cursor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def once(word: str, text: str, code: int) -> Callable[[str], sqlite3.Error | None]:
    """The first statement with this word fails."""
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    left = iter([error])
    return lambda statement: next(left, None) if word in statement else None


def io_error(word: str = "COMMIT") -> Callable[[str], sqlite3.Error | None]:
    return once(word, "disk I/O error", sqlite3.SQLITE_IOERR)


def full(word: str) -> Callable[[str], sqlite3.Error | None]:
    return once(word, "database or disk is full", sqlite3.SQLITE_FULL)


@contextlib.asynccontextmanager
async def on_disk(path: Path, run: str = "a") -> AsyncIterator[tuple[Journal, Disk, list[JournalFault]]]:
    opened = open_for_writing(path, identity(run), SystemClock(), "FULL")
    disk, faults = Disk(opened.connection), list[JournalFault]()
    broken: Opened = msgspec.structs.replace(opened, connection=disk)  # type: ignore[arg-type]
    journal = Journal(broken, SystemClock(), identity(run), faults.append)
    try:
        yield journal, disk, faults
    finally:
        await journal.close()


@contextlib.asynccontextmanager
async def restarted(path: Path) -> AsyncIterator[Journal]:
    async with on_disk(path, "b") as (journal, _, _):
        yield journal


def note(text: str, kind: Kind = Kind.COMMAND, **columns: Any) -> Event:
    return Event(kind, {"text": text}, **columns)


def texts(path: Path) -> list[tuple[str, object]]:
    return [(row.kind, row.data()["text"]) for row in read_rows(path)]


async def test_a_failed_sync_is_not_tried_again_and_halts_cancels_and_exits_survive_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "j.db"
    async with on_disk(path) as (journal, disk, faults):
        assert await journal.durable(journal.append(note("before")))
        disk.fails = io_error()
        intent = journal.append(note("an entry", Kind.ORDER_INTENT, order_id="pm-1"))
        assert not await journal.durable(intent)
        assert [fault.reason for fault in faults] == ["the journal cannot be written: disk I/O error"]
        assert disk.statements.count("COMMIT") == 2, "the failed one is the last"
        halt = journal.append(note("halted", Kind.HALT))
        journal.append(note("the weather", Kind.FEED))
        exit_ = journal.append(note("an exit", Kind.ORDER_INTENT, order_id="pm-2", cause_seq=halt))
        assert not await journal.durable(exit_), "the journal itself stays dead"
        assert await journal.spilled(exit_) and await journal.spilled(halt)
        assert not await journal.spilled(journal.append(note("more weather", Kind.FEED)))
        assert journal.lost == 2
        assert journal.fault is not None
        assert journal.fault.reason.endswith("rows up to 1 are whole on disk"), journal.fault.reason
    assert texts(path) == [("COMMAND", "before")]

    async with restarted(path) as journal:
        assert texts(path) == [
            ("COMMAND", "before"),
            ("SPILL", "3 rows of run a came back from the spill log, 1 were never written"),
            ("ORDER_INTENT", "an entry"),
            ("HALT", "halted"),
            ("ORDER_INTENT", "an exit"),
        ]
        assert await journal.durable(journal.append(note("after")))
    rows = list(read_rows(path))
    assert rows[4].cause_seq == 4, "causes point at the new numbers"
    assert [row.run_id for row in rows] == ["a", "b", "a", "a", "a", "b"]
    assert rows[3].ts_wall_ms <= rows[1].ts_wall_ms, "with the time at which it happened"
    assert verify(path).sound
    assert read_spill(spill_path(path)).rows == ()


async def test_a_spill_log_is_taken_up_once_even_if_emptying_it_is_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    async with on_disk(path) as (journal, disk, _):
        disk.fails = io_error()
        assert await journal.durable(journal.append(note("x", Kind.HALT))) is False
    content = spill_path(path).read_bytes()
    async with restarted(path):
        pass
    before = texts(path)
    spill_path(path).write_bytes(content)  # the machine went down between the commit and the emptying
    async with on_disk(path, "c"):
        pass
    assert texts(path) == before and before[-1] == ("HALT", "x")


async def test_a_commit_that_failed_but_reached_the_disk_is_not_doubled(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    async with on_disk(path) as (journal, disk, _):
        disk.fails, disk.reaches_disk = io_error(), True
        assert not await journal.durable(journal.append(note("reached", Kind.HALT)))
        assert await journal.spilled(journal.append(note("only spilled", Kind.HALT)))
        assert journal.fault is not None and "1 more than were confirmed" in journal.fault.reason
    async with restarted(path):
        pass
    assert texts(path) == [
        ("HALT", "reached"),
        ("SPILL", "1 rows of run a came back from the spill log, 0 were never written"),
        ("HALT", "only spilled"),
    ]
    assert verify(path).sound


@pytest.mark.parametrize("cut", [1, 30, 66, 200])
async def test_a_torn_last_record_is_left_out_and_the_others_come_back(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "j.db"
    async with on_disk(path) as (journal, disk, _):
        disk.fails = io_error()
        for text in ("one", "two", "three"):
            assert not await journal.durable(seq := journal.append(note(text, Kind.HALT)))
            assert await journal.spilled(seq)
    content = spill_path(path).read_bytes()
    end = content.rindex(b"\n") + 1
    spill_path(path).write_bytes(content[: end - cut].ljust(SPILL_BYTES, b"\0"))
    assert read_spill(spill_path(path)).torn
    async with restarted(path):
        pass
    assert [text for kind, text in texts(path) if kind == "HALT"] == ["one", "two"]


async def test_when_the_spill_log_fails_too_nobody_is_told_that_anything_was_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with on_disk(tmp_path / "j.db") as (journal, disk, faults):
        monkeypatch.setattr("core.journal.spill.SPILL_BYTES", 100)
        disk.fails = io_error()
        assert not await journal.durable(journal.append(note("x", Kind.HALT)))
        halt = journal.append(note("halted", Kind.HALT))
        assert not await journal.spilled(halt)
        assert not await journal.spilled(journal.append(note("again", Kind.HALT)))
        assert journal.lost == 3
        assert journal.fault is not None and "spill log cannot be written either" in journal.fault.reason
        assert len(faults) == 1


async def test_a_writer_that_breaks_for_any_reason_is_a_fault_not_a_silence(tmp_path: Path) -> None:
    async with on_disk(tmp_path / "j.db") as (journal, disk, faults):
        disk.fails = lambda statement: OverflowError("int too large") if statement == "COMMIT" else None
        halt = journal.append(note("x", Kind.HALT))
        assert not await journal.durable(halt)
        assert [fault.reason for fault in faults] == ["the journal cannot be written: int too large"]
        assert await journal.spilled(halt)


@pytest.mark.parametrize("word", ["INSERT", "COMMIT", "wal_checkpoint(PASSIVE)"])
async def test_a_full_disk_stops_what_waits_and_the_journal_goes_on_in_its_reserve(
    tmp_path: Path, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.journal.writer.CHECKPOINT_BYTES", 1)
    path = tmp_path / "j.db"
    async with on_disk(path) as (journal, disk, faults):
        assert journal.reserve_ready and reserve_path(path).stat().st_size == RESERVE_BYTES
        told = asyncio.Event()
        journal._on_fault = lambda fault: (faults.append(fault), told.set())
        disk.executemany = lambda statement, rows: [disk.execute(statement, row) for row in rows]
        disk.fails = full(word)
        waits = journal.append(note("an entry", Kind.ORDER_INTENT))
        durable = await journal.durable(waits)
        await asyncio.wait_for(told.wait(), 5)
        halt = journal.append(note("halted", Kind.HALT))
        assert await journal.durable(halt), "recorded in the room of the reserve"
        assert [fault.goes_on for fault in faults] == [True] and journal.fault is None
        assert durable is (word == "wal_checkpoint(PASSIVE)"), "its commit was through before the checkpoint"
        assert not reserve_path(path).exists()
    assert texts(path) == [("ORDER_INTENT", "an entry"), ("HALT", "halted")]
    assert verify(path).sound


async def test_a_disk_that_is_full_without_a_reserve_poisons(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    async with on_disk(path) as (journal, disk, faults):
        reserve_path(path).unlink()
        disk.fails = full("COMMIT")
        assert not await journal.durable(journal.append(note("x", Kind.HALT)))
        assert faults[0].reason == "the journal cannot be written: database or disk is full"
        assert not faults[0].goes_on
        assert await journal.spilled(journal.append(note("cancelled", Kind.CANCEL_SENT)))
    async with restarted(path):
        assert reserve_path(path).exists(), "the next start takes it again"
    assert [text for _, text in texts(path)[1:]] == ["x", "cancelled"]


async def test_one_writer_a_journal_whatever_directory_it_is_started_from(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    async with on_disk(path):
        with pytest.raises(JournalHeldError, match=r"is being written by process \d+; two engines"):
            open_for_writing(path, identity("b"), SystemClock(), "FULL")
    async with restarted(path):
        pass


async def test_a_writer_that_got_past_the_lock_is_noticed_before_the_next_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "j.db"
    async with on_disk(path) as (journal, _, faults):
        assert await journal.durable(journal.append(note("ours")))
        monkeypatch.setattr(opening, "_locked", lambda path: 0)
        monkeypatch.setattr(opening, "Spill", lambda path: None)
        other = open_for_writing(path, identity("b"), SystemClock(), "FULL")
        other.connection.close()
        assert not await journal.durable(journal.append(note("lost", Kind.FEED)))
        assert faults[0].reason == "the journal cannot be written: run b has entered it beside ours"
    await asyncio.sleep(0)
    assert texts(path) == [("COMMAND", "ours")]
