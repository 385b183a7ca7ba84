"""Damage, edits, foreign files and dead writers: each is noticed and said in one sentence."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from core.domain.clock import SystemClock
from core.journal.events import COLUMNS, Event, Kind, row_hash
from core.journal.files import (
    JournalDamagedError,
    JournalError,
    JournalVersionError,
    read_rows,
    verify,
)
from core.journal.opening import Identity, Opened, open_for_writing
from core.journal.store import Durability, open_journal


def identity(run: str = "run-1", world: str = "w1", profile: str = "demo") -> Identity:
    return Identity(world_id=world, profile=profile, code_version="0.1", boot_id="boot-1", run_id=run)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A journal of ten rows from a run that ended in order."""
    path = tmp_path / "journal-w1.db"

    async def write() -> None:
        log = open_journal(
            path, identity(), SystemClock(), durability=Durability.NORMAL, on_fault=lambda fault: None
        )
        for n in range(10):
            log.append(Event(Kind.COMMAND, {"text": f"row {n}"}))
        await log.close()

    asyncio.run(write())
    return path


def tamper(path: Path, *statements: str) -> None:
    """Edit behind the journal's back, triggers and all."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("DROP TRIGGER IF EXISTS event_is_never_changed")
    connection.execute("DROP TRIGGER IF EXISTS event_is_never_deleted")
    for statement in statements:
        connection.execute(statement)
    connection.close()


def close(opened: Opened) -> None:
    opened.connection.close()
    opened.spill.close()
    os.close(opened.lock)


def reopen(path: Path, **changes: str) -> None:
    close(open_for_writing(path, identity("run-2", **changes), SystemClock(), "NORMAL"))


def test_a_sound_journal_is_called_sound(journal: Path) -> None:
    report = verify(journal)
    assert report.sound and (report.rows, report.runs, report.unclean_runs) == (10, 1, 0)
    assert report.lines()[0].endswith("sound, 10 rows, 1 runs (0 not signed off)")


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        ('UPDATE event SET payload = \'{"text":"row 9"}\' WHERE seq = 5', "row 5 was changed"),
        ("UPDATE event SET ts_wall_ms = ts_wall_ms + 1 WHERE seq = 1", "row 1 was changed"),
        ("UPDATE event SET actor = 'somebody' WHERE seq = 10", "row 10 was changed"),
        ("DELETE FROM event WHERE seq = 4", "row 4 is missing"),
        ("DELETE FROM event WHERE seq > 8", "rows up to 10 were written by an earlier run and are gone"),
        ("UPDATE event SET prev_hash = 'x' WHERE seq = 3", "row 3 does not follow row 2"),
    ],
)
def test_every_edit_is_detected(journal: Path, edit: str, problem: str) -> None:
    tamper(journal, edit)
    report = verify(journal)
    assert not report.sound and problem in report.problems[0]


@pytest.mark.parametrize("column", [c for c in COLUMNS if c not in ("seq", "hash")])
def test_no_column_can_be_changed_unnoticed(journal: Path, column: str) -> None:
    tamper(journal, f"UPDATE event SET {column} = 7 WHERE seq = 6")
    assert not verify(journal).sound


def test_a_change_can_only_be_hidden_by_writing_every_later_row_anew(journal: Path) -> None:
    forged = list(msgspec.structs.astuple(next(row for row in read_rows(journal) if row.seq == 4)))
    forged[10] = '{"text":"never happened"}'
    own = row_hash(str(forged[11]), tuple(forged[:11]))
    tamper(
        journal,
        f"UPDATE event SET payload = '{forged[10]}', hash = '{own}' WHERE seq = 4",
        f"UPDATE event SET prev_hash = '{own}' WHERE seq = 5",
    )
    assert verify(journal).problems[0] == "row 5 was changed after it was written"


def test_a_rewritten_chain_is_caught_by_the_end_of_the_run_that_wrote_it(journal: Path) -> None:
    rows = list(read_rows(journal))
    tamper(journal, "DELETE FROM event WHERE seq = 10")
    forged = list(msgspec.structs.astuple(rows[-1]))
    forged[10] = '{"text":"never happened"}'
    forged[12] = row_hash(rows[-1].prev_hash, tuple(forged[:11]))
    connection = sqlite3.connect(journal, isolation_level=None)
    connection.execute(f"INSERT INTO event VALUES ({', '.join('?' * len(COLUMNS))})", forged)
    connection.close()
    assert verify(journal).problems == ("row 10 is not the row an earlier run ended with",)


def test_a_damaged_tail_is_refused_for_writing_and_reading(journal: Path) -> None:
    tamper(journal, "UPDATE event SET payload = '{}' WHERE seq = 9")
    with pytest.raises(JournalDamagedError, match=r"row 9 was changed.*journal verify"):
        reopen(journal)
    with pytest.raises(JournalDamagedError, match="row 9 was changed"):
        list(read_rows(journal))


@pytest.mark.parametrize("keep", [0.3, 0.8])
def test_a_truncated_file_is_damaged_not_a_traceback(journal: Path, keep: float) -> None:
    os.truncate(journal, int(journal.stat().st_size * keep))
    try:
        report = verify(journal)
    except JournalError as error:
        assert str(journal) in str(error)
    else:
        assert not report.sound


def copy_with_torn_log(path: Path, copy: Path) -> None:
    """What the disk holds when the last page of the write-ahead log did not make it."""
    copy.write_bytes(path.read_bytes())
    log = Path(f"{path}-wal").read_bytes()
    Path(f"{copy}-wal").write_bytes(log[: len(log) - 700])


def test_a_torn_write_ahead_log_loses_only_what_was_torn(tmp_path: Path) -> None:
    """A power cut in the middle of the last commit: what was committed before it is whole."""
    path = tmp_path / "j.db"

    async def write() -> None:
        log = open_journal(
            path, identity(), SystemClock(), durability=Durability.FULL, on_fault=lambda fault: None
        )
        for n in range(5):
            assert await log.durable(log.append(Event(Kind.COMMAND, {"text": str(n)})))
        copy_with_torn_log(path, tmp_path / "cut.db")
        await log.close()

    asyncio.run(write())
    report = verify(tmp_path / "cut.db")
    assert report.sound and report.rows == 4 and report.unclean_runs == 1


KILLED = """
import asyncio, sys
from pathlib import Path
from core.domain.clock import SystemClock
from core.journal.events import Event, Kind
from core.journal.opening import Identity
from core.journal.store import Durability, open_journal

async def main():
    log = open_journal(Path(sys.argv[1]), Identity("w1", "demo", "0.1", "boot", "doomed"), SystemClock(),
                       durability=Durability.NORMAL, on_fault=lambda fault: None)
    n = 0
    while True:
        n += 1
        seq = log.append(Event(Kind.COMMAND, {"text": str(n)}))
        for _ in range(3):
            log.append(Event(Kind.FEED, {"text": "beside it"}))
        assert await log.durable(seq)
        print(seq, flush=True)

asyncio.run(main())
"""


def test_a_killed_writer_keeps_every_row_it_was_told_is_durable(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told = [int(process.stdout.readline()) for _ in range(50)]
    process.send_signal(signal.SIGKILL)
    told += [int(line) for line in process.stdout.read().split("\n")[:-1] if line.isdigit()]
    process.stdout.close()
    process.wait()
    report = verify(path)
    assert report.sound and report.unclean_runs == 1
    assert report.rows >= told[-1]
    opened = open_for_writing(path, identity("run-2"), SystemClock(), "NORMAL")
    close(opened)
    assert not opened.clean and opened.seq == report.rows


def newer(path: Path) -> None:
    tamper(path, "INSERT INTO schema_version VALUES (99, 0)")


def no_database(path: Path) -> None:
    path.write_bytes(b"{}" * 5_000)


def open_to_others(path: Path) -> None:
    path.chmod(0o644)


def a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "error", "says"),
    [
        (newer, JournalVersionError, "newer pmconsole (format 99"),
        (no_database, JournalDamagedError, "not a journal"),
        (open_to_others, JournalError, "chmod 600"),
        (a_directory, JournalError, "not a plain file"),
    ],
)
def test_a_journal_that_cannot_be_used_is_refused_in_a_sentence(
    journal: Path, spoil: Callable[[Path], None], error: type[JournalError], says: str
) -> None:
    spoil(journal)
    with pytest.raises(error) as caught:
        reopen(journal)
    text = str(caught.value)
    assert says in text and str(journal) in text and "\n" not in text


def test_another_worlds_or_profiles_journal_is_refused(journal: Path) -> None:
    with pytest.raises(JournalError, match="belongs to world 'w1', not 'w2'"):
        reopen(journal, world="w2")
    with pytest.raises(JournalError, match="belongs to profile 'demo', not 'live'"):
        reopen(journal, profile="live")
    assert verify(journal).runs == 1, "a refused run leaves no trace"


def test_a_missing_directory_or_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be created: No such file or directory"):
        reopen(tmp_path / "nowhere" / "j.db")
    with pytest.raises(JournalError, match="There is no journal"):
        verify(tmp_path / "j.db")


def test_another_users_journal_is_refused(journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = journal.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(JournalError, match=rf"belongs to another user \(uid {owner}\)"):
        reopen(journal)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_places_are_named(journal: Path) -> None:
    journal.chmod(0o400)
    with pytest.raises(JournalError, match="read-only"):
        reopen(journal)
    journal.chmod(0o600)
    journal.parent.chmod(0o500)
    try:
        with pytest.raises(JournalError, match="cannot be created"):
            reopen(journal.parent / "new.db")
    finally:
        journal.parent.chmod(0o700)
