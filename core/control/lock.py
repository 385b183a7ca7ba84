"""One engine a profile, whatever its journal: the lock of the profile's directory."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from core.journal.lock import HeldError, hold


class LockHeldError(Exception):
    """Another engine holds the profile; the text names its process."""


class LockFileError(Exception):
    """The lock's file cannot be opened; the text names it."""


@contextlib.contextmanager
def sole_holder(path: Path) -> Iterator[None]:
    """Hold the lock for the duration; raises ``LockHeldError`` at once when another process has it."""
    try:
        descriptor = hold(path)
    except HeldError as error:
        raise LockHeldError(
            f"an engine runs already (pid {error.holder}, lock {path}): "
            "attach to it with pmconsole, or stop it with pmconsole engine stop"
        ) from None
    except OSError as error:
        raise LockFileError(f"cannot use {path}: {error.strerror}; move it away") from error
    try:
        yield
    finally:
        os.close(descriptor)
