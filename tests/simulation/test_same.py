"""The same seed gives the same run, byte for byte, whatever the process hashes strings to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HOME = Path(__file__).parents[2]


def test_two_processes_with_other_hash_seeds_tell_the_same_story() -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.simulation", "--seed", "46", "--seconds", "30", "--tape"],
            cwd=HOME,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for hash_seed in ("1", "2")
    ]
    first, second = (process.communicate(timeout=120)[0] for process in running)
    assert len(first.splitlines()) > 1_000
    assert first == second
