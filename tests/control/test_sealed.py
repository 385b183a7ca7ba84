"""A process that holds keys leaves no dump and lets nobody of its user look into it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from core.control.sealed import PR_SET_DUMPABLE

LOOK = f"""
import ctypes, os, resource
from core.control.sealed import seal
ctypes.CDLL(None).prctl({PR_SET_DUMPABLE}, 1, 0, 0, 0)
seal()
print(resource.getrlimit(resource.RLIMIT_CORE), oct(os.umask(0)), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""
"""3 is ``PR_GET_DUMPABLE``."""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can say whether it is dumpable")
def test_a_sealed_process_is_not_dumpable() -> None:
    told = subprocess.run(
        [sys.executable, "-c", LOOK], capture_output=True, text=True, check=True, timeout=20
    )
    assert told.stdout.strip() == "(0, 0) 0o77 0"
