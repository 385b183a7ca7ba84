"""Power cuts: what was synced is there, what was not may be torn anywhere, and no row is half there.

The disk of the model keeps every byte that was synced and of everything younger whatever it likes: a
prefix, old pages, zeros, or noise.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from core.domain.clock import SystemClock
from core.journal.events import Event, Kind
from core.journal.files import read_rows, verify
from core.journal.opening import Identity, open_for_writing
from core.journal.store import Durability, Journal, open_journal

COMMITS = 12
PAGE = 4096
FRAME = PAGE + 24
"""A page in the write-ahead log with its header."""


class Moment(NamedTuple):
    """The files at the moment at which ``durable`` answered for a row."""

    seq: int
    main: bytes
    log: bytes


def files_of(path: Path) -> tuple[bytes, bytes]:
    return path.read_bytes(), Path(f"{path}-wal").read_bytes()


def opened(path: Path, run: str) -> Journal:
    who = Identity("w", "live", "0", "b", run)
    return open_journal(path, who, SystemClock(), durability=Durability.FULL, on_fault=lambda fault: None)


@pytest.fixture(scope="module")
def moments(tmp_path_factory: pytest.TempPathFactory) -> list[Moment]:
    """A run that writes an intent, waits for it, and would send then; the next rows follow at once."""
    path = tmp_path_factory.mktemp("disk") / "j.db"

    async def write() -> list[Moment]:
        found: list[Moment] = []
        journal = opened(path, "a")
        for n in range(COMMITS):
            seq = journal.append(Event(Kind.ORDER_INTENT, {"text": f"intent {n}", "pad": "x" * 900}))
            assert await journal.durable(seq)
            found.append(Moment(seq, *files_of(path)))
        await journal.close()
        return found

    return asyncio.run(write())


def cuts(synced: int, written: int) -> Iterator[int]:
    """Every end of the log that is worth a look: around each frame and its header, and in between."""
    for frame in range(0, written - synced + FRAME, FRAME):
        for at in (0, 1, 23, 24, 25, 24 + PAGE // 2, FRAME - 1):
            if synced + frame + at <= written:
                yield synced + frame + at


def survives(folder: Path, main: bytes, log: bytes, promised: int) -> int:
    """The rows left after the cut: sound, without gaps, at least those that were promised, and writable."""
    path = folder / "j.db"
    for left in folder.glob("j.*"):
        left.unlink()
    path.write_bytes(main)
    path.chmod(0o600)
    Path(f"{path}-wal").write_bytes(log)
    report = verify(path)
    assert report.sound, report.problems
    assert report.rows >= promised
    after = open_for_writing(path, Identity("w", "live", "0", "b", "b"), SystemClock(), "FULL")
    after.connection.close()
    after.spill.close()
    os.close(after.lock)
    assert not after.clean and after.seq == report.rows
    assert [row.data()["text"] for row in read_rows(path)] == [f"intent {n}" for n in range(report.rows)]
    return report.rows


def test_a_log_cut_anywhere_after_what_was_synced_keeps_every_promised_row(
    tmp_path: Path, moments: list[Moment]
) -> None:
    seen = set[int]()
    for before, after in itertools.pairwise(moments[4:8]):
        for end in cuts(len(before.log), len(after.log)):
            seen.add(survives(tmp_path, after.main, after.log[:end], before.seq))
    assert seen == {5, 6, 7, 8}, "some cuts kept the row that was under way and some did not"


@pytest.mark.parametrize("seed", range(6))
def test_a_log_with_zeros_or_noise_where_it_was_not_synced_keeps_every_promised_row(
    tmp_path: Path, moments: list[Moment], seed: int
) -> None:
    chance = random.Random(seed)
    before, after = moments[8], moments[9]
    young = bytearray(after.log[len(before.log) :])
    for at in range(0, len(young), 512):
        fate = chance.randrange(3)
        if fate:
            young[at : at + 512] = bytes(512) if fate == 1 else chance.randbytes(512)
    survives(tmp_path, after.main, before.log + bytes(young[: len(after.log) - len(before.log)]), before.seq)


@pytest.mark.parametrize("seed", range(6))
def test_a_checkpoint_cut_short_is_done_again_from_the_log(
    tmp_path: Path, moments: list[Moment], seed: int
) -> None:
    """The log is synced before a checkpoint; of the pages of the main file any may be old, new or torn."""
    chance = random.Random(seed)
    last = moments[-1]
    full = tmp_path / "full"
    full.mkdir()
    (full / "j.db").write_bytes(last.main)
    (full / "j.db").chmod(0o600)
    Path(f"{full / 'j.db'}-wal").write_bytes(last.log)
    opened_once = open_for_writing(full / "j.db", Identity("w", "live", "0", "b", "c"), SystemClock(), "FULL")
    opened_once.connection.execute("PRAGMA wal_checkpoint(FULL)")
    done = (full / "j.db").read_bytes()
    opened_once.connection.close()
    opened_once.spill.close()
    os.close(opened_once.lock)
    mixed = bytearray(last.main.ljust(len(done), b"\0"))
    for at in range(0, len(done), 512):
        if chance.randrange(2):
            mixed[at : at + 512] = done[at : at + 512]
    assert survives(tmp_path, bytes(mixed), last.log, last.seq) == last.seq
