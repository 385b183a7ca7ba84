"""Room kept back on the disk, so that a full one still takes the halt and the cancels that follow it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

RESERVE_BYTES = 64 << 20
SPARE_BYTES = 512 << 20
"""A disk with less than this left is not asked for the reserve: entries are denied there anyway."""


class Reserve:
    """One file of 64 MiB beside the journal, given up when the disk is full."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def prepare(self) -> bool:
        """Whether the reserve is there; takes it from a disk that can spare it. Never raises."""
        try:
            if self.path.exists() and self.path.stat().st_size == RESERVE_BYTES:
                return True
            if shutil.disk_usage(self.path.parent).free < SPARE_BYTES + RESERVE_BYTES:
                return False
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, RESERVE_BYTES)
            finally:
                os.close(descriptor)
        except OSError:
            return False
        return True

    def release(self) -> bool:
        """Give the room back to the disk; false when there was none to give."""
        try:
            self.path.unlink()
        except OSError:
            return False
        return True


def reserve_path(journal: Path) -> Path:
    """The reserve of a journal's directory: one for all journals there, of which one is written."""
    return journal.with_name("journal.reserve")
