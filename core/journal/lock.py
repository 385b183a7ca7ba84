"""A lock file naming its holder's process; the kernel drops the lock when the holder dies in whatever way."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class HeldError(Exception):
    """Another process holds the lock; ``holder`` is its process id, or ``unknown``."""

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder


def hold(path: Path) -> int:
    """The lock's descriptor, which holds it until it is closed; raises ``HeldError``, ``OSError``.

    A lock file left by a dead process is no lock. The file stays: removing it would let two processes
    hold two files of the same name.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    except BlockingIOError:
        holder = os.read(descriptor, 32).decode("ascii", "replace").strip()
        os.close(descriptor)
        raise HeldError(holder or "unknown") from None
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
