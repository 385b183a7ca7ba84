"""What a start reads, brings up to date and refuses; copies of a journal."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core.domain.clock import SystemClock
from core.journal import files
from core.journal.copying import backup
from core.journal.device import COMMITS, Commits, file_system, has_reset_race, measure_commits
from core.journal.events import Event, Kind
from core.journal.files import (
    SCHEMA_VERSION,
    JournalDamagedError,
    JournalError,
    read_history,
    read_rows,
    verify,
)
from core.journal.opening import Identity
from core.journal.store import Durability, Journal, open_journal


def opened(path: Path, run: str) -> Journal:
    who = Identity("w1", "demo", "0.1", "boot-1", run)
    return open_journal(path, who, SystemClock(), durability=Durability.NORMAL, on_fault=lambda fault: None)


def write(path: Path, run: str, *kinds: Kind) -> None:
    async def main() -> None:
        journal = opened(path, run)
        for kind in kinds:
            journal.append(Event(kind, {"text": f"by {run}"}))
        await journal.close()

    asyncio.run(main())


def edit(path: Path, *statements: str) -> None:
    """Behind the journal's back, triggers and all."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER IF EXISTS event_is_never_changed")
        connection.execute("DROP TRIGGER IF EXISTS event_is_never_deleted")
        for statement in statements:
            connection.execute(statement)


def anchors(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as connection:
        return [seq for (seq,) in connection.execute("SELECT seq FROM anchor ORDER BY seq")]


# --- anchors ------------------------------------------------------------------------------------


def test_a_start_checks_from_the_newest_anchor_on_and_reads_little_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.journal.opening.TAIL_ROWS", 5)
    path = tmp_path / "j.db"
    write(path, "a", *[Kind.COMMAND] * 50)
    write(path, "b", *[Kind.COMMAND] * 20)
    assert anchors(path) == [50, 70]
    checked: list[int] = []
    broken = files.broken
    monkeypatch.setattr(files, "broken", lambda row, *rest: checked.append(row.seq) or broken(row, *rest))
    write(path, "c", Kind.COMMAND)
    assert checked == [66, 67, 68, 69, 70]


def test_a_run_that_was_killed_left_anchors_on_its_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.journal.writer.ANCHOR_ROWS", 10)
    path = tmp_path / "j.db"

    async def main() -> None:
        journal = opened(path, "a")
        for _ in range(35):
            await journal.durable(journal.append(Event(Kind.COMMAND, {"text": "x"})))
        assert anchors(path) == [10, 20, 30]
        await journal.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("statements", "says"),
    [
        (("DELETE FROM event WHERE seq > 15",), "rows up to 20 were written and are gone after 15"),
        (("UPDATE event SET payload = '{}' WHERE seq = 20",), "row 20 was changed"),
        (("UPDATE anchor SET hash = 'x'",), "row 20 is not the row that was written"),
    ],
)
def test_what_an_anchor_stands_for_must_be_there(
    tmp_path: Path, statements: tuple[str, ...], says: str
) -> None:
    path = tmp_path / "j.db"
    write(path, "a", *[Kind.COMMAND] * 20)
    edit(path, *statements)
    with pytest.raises(JournalDamagedError, match=says):
        write(path, "b")
    assert not verify(path).sound


def test_an_old_row_that_was_changed_is_found_where_it_is_read_and_by_verify(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.journal.opening.TAIL_ROWS", 5)
    path = tmp_path / "j.db"
    write(path, "a", *[Kind.HALT] * 20)
    edit(path, "UPDATE event SET payload = '{}' WHERE seq = 3")
    write(path, "b", Kind.COMMAND)
    with pytest.raises(JournalDamagedError, match="row 3 was changed"):
        list(read_history(path))
    assert "row 3 was changed" in verify(path).problems[0]


def test_a_restart_reads_everything_but_the_chatter(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    write(path, "a", Kind.START, Kind.FAIR, Kind.HALT, Kind.FEED, Kind.LINK, Kind.COMMAND, Kind.DENIED)

    async def read() -> None:
        journal = opened(path, "b")
        for cash in (4, 5):
            journal.append(Event(Kind.RECONCILE, {"text": "read", "cash_base": cash}))
        journal.append(Event(Kind.RECONCILE, {"text": "read"}))
        journal.append(Event(Kind.FORECAST, {"event": "E"}))
        await journal.close()

    asyncio.run(read())
    assert [(row.seq, row.kind) for row in read_history(path)] == [
        (1, "START"),
        (3, "HALT"),
        (6, "COMMAND"),
        (9, "RECONCILE"),
        (11, "FORECAST"),
    ]


# --- formats ------------------------------------------------------------------------------------


def as_format_1(path: Path) -> None:
    """What the first format looked like: no anchors."""
    edit(path, "DROP TABLE anchor", "UPDATE schema_version SET version = 1")


def test_an_older_journal_is_brought_up_to_date_on_a_copy_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "journal-w1.db"
    write(path, "a", *[Kind.HALT] * 8)
    as_format_1(path)
    assert verify(path).sound, "it can be read as it is"
    before = list(read_rows(path))
    write(path, "b", Kind.COMMAND)
    assert list(read_rows(path))[:8] == before
    report = verify(path)
    assert report.sound and report.rows == 9
    assert anchors(path) == [8, 9]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT max(version) FROM schema_version").fetchone() == (SCHEMA_VERSION,)
    (kept,) = tmp_path.glob("journal-w1.v1-*")
    assert list(read_rows(kept)) == before
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
    assert [file.name for file in tmp_path.glob("journal-*.db")] == ["journal-w1.db"], (
        "one journal to choose from"
    )


def test_a_damaged_older_journal_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    write(path, "a", *[Kind.HALT] * 8)
    as_format_1(path)
    edit(path, "UPDATE event SET actor = 'me' WHERE seq = 2")
    before = path.read_bytes()
    with pytest.raises(JournalDamagedError, match=r"row 2 was changed.*left as it is"):
        write(path, "b")
    assert path.read_bytes() == before and not list(tmp_path.glob("*.v1-*"))


@pytest.mark.parametrize("point", ["step", "replace"])
def test_a_migration_cut_short_leaves_the_journal_and_is_done_by_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    path = tmp_path / "j.db"
    write(path, "a", *[Kind.HALT] * 8)
    as_format_1(path)
    with monkeypatch.context() as patch:
        if point == "replace":
            patch.setattr(Path, "replace", cut_short)
        else:
            patch.setattr("core.journal.migrate.resources.files", cut_short)
        with pytest.raises(KeyboardInterrupt):
            write(path, "b")
    assert verify(path).sound
    write(path, "c", Kind.COMMAND)
    assert verify(path).rows == 9 and anchors(path) == [8, 9]


def cut_short(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_journal_somebody_reads_is_not_replaced_under_them(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    write(path, "a", Kind.HALT)
    as_format_1(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM event").fetchall()
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("INSERT INTO meta VALUES ('x', 'y')")
        with pytest.raises(JournalError, match="being read by another process"):
            write(path, "b")


# --- copies -------------------------------------------------------------------------------------


async def test_a_backup_of_a_running_journal_is_whole_private_and_checked(tmp_path: Path) -> None:
    path, target = tmp_path / "j.db", tmp_path / "saved.db"
    journal = opened(path, "a")
    for _ in range(100):
        seq = journal.append(Event(Kind.COMMAND, {"text": "x"}))
    assert await journal.durable(seq)
    report = backup(path, target)
    assert await journal.durable(journal.append(Event(Kind.COMMAND, {"text": "later"})))
    await journal.close()
    assert report.sound and report.path == target and report.rows == 100
    assert list(read_rows(target)) == list(read_rows(path))[:100]
    assert target.stat().st_mode & 0o777 == 0o600
    assert sorted(file.name for file in tmp_path.glob("saved*")) == ["saved.db"]  # noqa: ASYNC240
    with pytest.raises(JournalError, match="is there already"):
        backup(path, target)


def test_a_damaged_journal_is_not_saved_as_if_it_were_sound(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    write(path, "a", *[Kind.HALT] * 8)
    edit(path, "DELETE FROM event WHERE seq = 4")
    with pytest.raises(JournalDamagedError, match=r"row 4 is missing.*nothing was saved"):
        backup(path, tmp_path / "saved.db")
    assert not list(tmp_path.glob("saved*"))


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    write(path, "a", Kind.HALT)
    with pytest.raises(JournalError, match=r"nowhere/saved\.db\.part cannot be written: No such file"):
        backup(path, tmp_path / "nowhere" / "saved.db")


# --- the disk -----------------------------------------------------------------------------------


class Slow:
    """A clock on which a commit takes as long as it is told."""

    def __init__(self, took_ns: int) -> None:
        self.now = 0
        self.took_ns = took_ns

    def mono_ns(self) -> int:
        self.now += self.took_ns
        return self.now

    def wall_ms(self) -> int:
        return 0


@pytest.mark.parametrize(
    ("took_ns", "slow", "unsynced"),
    [(10_000, False, True), (1_000_000, False, False), (400_000_000, True, False)],
)
def test_a_disk_is_judged_by_its_commits(tmp_path: Path, took_ns: int, slow: bool, unsynced: bool) -> None:
    commits = measure_commits(tmp_path, Slow(took_ns))
    assert (commits.slow, commits.unsynced) == (slow, unsynced)
    assert (commits.count == COMMITS) is not slow, "a slow disk is not waited for"
    assert list(tmp_path.iterdir()) == []


def test_few_commits_prove_nothing_about_syncing() -> None:
    assert not Commits(3, 5, 5).unsynced


MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:21 / /tmp rw shared:2 - tmpfs tmpfs rw
40 22 0:40 / /home rw shared:3 - nfs4 server:/home rw
41 40 8:2 / /home/me/fast\\040disk rw - xfs /dev/sdb1 rw
broken line
"""


@pytest.mark.parametrize(
    ("directory", "kind"),
    [
        ("/var/lib", "ext4"),
        ("/tmp/x", "tmpfs"),
        ("/tmpfoo", "ext4"),
        ("/home/me", "nfs4"),
        ("/home/me/fast disk/pm", "xfs"),
    ],
)
def test_the_file_system_of_a_directory_is_the_innermost_mount(
    tmp_path: Path, directory: str, kind: str
) -> None:
    (tmp_path / "mounts").write_text(MOUNTS)
    assert file_system(Path(directory), tmp_path / "mounts") == kind


def test_a_machine_that_does_not_say_is_not_guessed_about(tmp_path: Path) -> None:
    assert file_system(tmp_path, tmp_path / "none") == ""


@pytest.mark.parametrize(
    ("version", "has"),
    [
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 53, 0), False),
    ],
)
def test_the_versions_with_the_reset_race_are_known(version: tuple[int, ...], has: bool) -> None:
    assert has_reset_race(version) is has
