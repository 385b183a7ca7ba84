"""One engine a profile: an advisory lock the kernel drops when its holder dies, however it dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


class LockHeldError(Exception):
    """Another engine holds the profile; the text names its process."""


class LockFileError(Exception):
    """The lock's file cannot be opened; the text names it."""


@contextlib.contextmanager
def sole_holder(path: Path) -> Iterator[None]:
    """Hold the lock for the duration; raises ``LockHeldError`` at once when another process has it.

    A lock file left by a dead engine is no lock. The file stays: removing it would let two engines
    hold two files of the same name.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise LockFileError(f"cannot use {path}: {error.strerror}; move it away") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip()
            raise LockHeldError(
                f"an engine runs already (pid {holder or 'unknown'}, lock {path}): "
                "attach to it with pmconsole, or stop it with pmconsole engine stop"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
