"""What a process that reads keys does before it reads the first: nobody else gets to see its memory."""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from typing import Final

PR_SET_DUMPABLE: Final = 4
"""From ``linux/prctl.h``."""


def seal() -> None:
    """Private files, no core dump, and where the system can do it, no other process of this user may read
    or trace this one."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        # Best effort: a kernel that refuses leaves the limit above.
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
