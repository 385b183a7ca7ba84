"""What the journal stands on: the disk's kind and honesty, and the version of SQLite."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from core.domain.clock import Clock

COMMITS = 100
MEASURED_FOR_NS = 5_000_000_000
"""A disk so slow that 100 commits take longer is judged by the commits it managed."""
COMMIT_US_MAX = 250_000
"""p99 above which orders would be stale before their intent is durable."""
COMMIT_US_MIN = 20
"""No disk syncs this fast; one that says so does not sync."""

NETWORK = frozenset(
    {"9p", "afs", "afpfs", "beegfs", "ceph", "cifs", "coda", "davfs", "fuse.glusterfs", "fuse.s3fs"}
    | {"fuse.sshfs", "gfs2", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "smb2", "smb3", "smbfs"}
    | {"virtiofs"}
)
"""File systems on which SQLite's write-ahead log does not work: its readers must share memory."""
VOLATILE = frozenset({"tmpfs", "ramfs"})


class Commits(msgspec.Struct, frozen=True):
    """Durations of synced commits, microseconds."""

    count: int
    p50_us: int
    p99_us: int

    @property
    def slow(self) -> bool:
        return self.p99_us > COMMIT_US_MAX

    @property
    def unsynced(self) -> bool:
        """Whether commits came back faster than a disk can sync."""
        return self.count >= COMMITS and self.p50_us < COMMIT_US_MIN

    def text(self) -> str:
        return f"{self.count} commits: p50 {self.p50_us / 1000:.2f} ms, p99 {self.p99_us / 1000:.2f} ms"


def measure_commits(directory: Path, clock: Clock) -> Commits:
    """Commit small rows with ``synchronous=FULL`` in a scratch journal there.

    Raises ``OSError``, ``sqlite3.Error``.
    """
    with _scratch(directory) as path, contextlib.closing(sqlite3.connect(path, isolation_level=None)) as disk:
        disk.execute("PRAGMA journal_mode = WAL")
        disk.execute("PRAGMA synchronous = FULL")
        disk.execute("CREATE TABLE row (payload TEXT NOT NULL) STRICT")
        took = list[int]()
        began = clock.mono_ns()
        while len(took) < COMMITS and clock.mono_ns() - began < MEASURED_FOR_NS:
            started = clock.mono_ns()
            disk.execute("INSERT INTO row VALUES (?)", ("x" * 500,))
            took.append(clock.mono_ns() - started)
    ordered = sorted(took)
    at = len(ordered) * 99 // 100
    return Commits(len(ordered), ordered[len(ordered) // 2] // 1000, ordered[at] // 1000)


@contextlib.contextmanager
def _scratch(directory: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=".measure-", dir=directory) as folder:
        yield Path(folder) / "scratch.db"


def file_system(directory: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str:
    """The type of the file system a directory lies on; empty where the machine does not say."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
        real = directory.resolve()
    except OSError:
        return ""
    found, kind = "", ""
    for line in lines:
        left, _, right = line.partition(" - ")
        fields = left.split()
        if len(fields) < 5 or not right:
            continue
        point = _unescaped(fields[4])
        # A later mount on the same point hides the earlier one.
        if real.is_relative_to(point) and len(point) >= len(found):
            found, kind = point, right.split()[0]
    return kind


def _unescaped(point: str) -> str:
    for code, plain in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(code, plain)
    return point


# --- SQLite -------------------------------------------------------------------------------------

RESET_RACE_FIXED = (3, 51, 3)
RESET_RACE_BACKPORTS = ((3, 44, 6), (3, 50, 7))
"""https://sqlite.org/wal.html#walresetbug"""


def has_reset_race(version: tuple[int, ...]) -> bool:
    """Whether two connections that write and checkpoint at once may lose commits with this SQLite."""
    backported = any(version[:2] == fixed[:2] and version >= fixed for fixed in RESET_RACE_BACKPORTS)
    return version < RESET_RACE_FIXED and not backported


def sqlite_remark() -> str:
    """The version in use, and what it means for the journal."""
    name = f"SQLite {sqlite3.sqlite_version}"
    if not has_reset_race(sqlite3.sqlite_version_info):
        return name
    return f"{name}, which has the WAL-reset race (fixed in 3.51.3): let no other program write here"


def free_mb(directory: Path) -> int | None:
    """Megabytes free where the journal lies; ``None`` when that cannot be known."""
    try:
        return shutil.disk_usage(directory).free >> 20
    except OSError:
        return None
