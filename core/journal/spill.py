"""The spill log: where rows go that must not be lost when the journal cannot be written any more.

A file of fixed size beside the journal, allocated while the disk was well, so that it can be written
on a full one. Each record is one line: its own sha-256 chained to the record before, a space, and the
row as a JSON object; zero bytes mark the end. A record counts as kept once it is synced. The next
start takes the rows up into the journal and empties the file.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from core.journal.events import Kind, Row
from core.journal.projections import PASSED_OVER

SPILL_BYTES = 4 << 20
SPILLED_KINDS = frozenset(kind.value for kind in Kind) - PASSED_OVER
"""What a restart must know. The rest of a desk without a journal is lost, and counted."""

_START = "0" * 64
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Row)


class SpillFullError(OSError):
    """The spill log holds no more."""


class Spill:
    """The writing side. Belongs to the journal's writer thread."""

    def __init__(self, path: Path) -> None:
        """Allocate the file, or empty the one that is there; raises ``OSError``."""
        self.path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        self._end, self._head = 0, _START
        try:
            if os.fstat(self._fd).st_size != SPILL_BYTES or os.pread(self._fd, 1, 0) not in (b"", b"\0"):
                os.ftruncate(self._fd, 0)
                # Zeros are written, not reserved: a sync later has only these blocks to care for.
                if os.pwrite(self._fd, bytes(SPILL_BYTES), 0) != SPILL_BYTES:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
                os.fsync(self._fd)
        except OSError:
            os.close(self._fd)
            raise

    def keep(self, rows: Iterable[Row]) -> None:
        """Append rows and sync; raises ``OSError``, of which nothing may then count as kept."""
        lines, head = bytearray(), self._head
        for row in rows:
            text = _encoder.encode(row)
            head = _digest(head, text)
            lines += head.encode() + b" " + text + b"\n"
        if self._end + len(lines) >= SPILL_BYTES:
            raise SpillFullError("the spill log is full")
        written = os.pwrite(self._fd, lines, self._end)
        if written != len(lines):
            raise OSError(f"only {written} of {len(lines)} bytes went into the spill log")
        os.fdatasync(self._fd)
        self._end, self._head = self._end + len(lines), head

    def close(self) -> None:
        os.close(self._fd)


class Spilled(msgspec.Struct, frozen=True):
    """What a spill log holds."""

    rows: tuple[Row, ...]
    head: str
    """Hash of the last record: names this content once and for all."""
    torn: bool
    """Whether the last record is incomplete: it was never counted as kept."""


def spill_path(journal: Path) -> Path:
    """The spill log of a journal."""
    return journal.with_suffix(".spill")


def read_spill(path: Path) -> Spilled:
    """Every complete record, in order; a missing file is an empty one. Raises ``OSError``."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        content = b""
    rows, head, torn = list[Row](), _START, False
    for line in _lines(content):
        digest, _, text = line.partition(b" ")
        if digest.decode("ascii", "replace") != _digest(head, text):
            torn = True
            break
        rows.append(_decoder.decode(text))
        head = _digest(head, text)
    return Spilled(tuple(rows), head, torn)


def _lines(content: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(content) and content[at]:
        end = content.find(b"\n", at)
        yield content[at : end if end >= 0 else len(content)]
        at = end + 1 if end >= 0 else len(content)


def _digest(head: str, text: bytes) -> str:
    return hashlib.sha256(head.encode() + text).hexdigest()
