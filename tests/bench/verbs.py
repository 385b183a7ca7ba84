"""Round trips of CLI verbs including the start of their process."""

from __future__ import annotations

import subprocess
import time

from tests.bench.harness import percentile
from tests.desk.rig import PYTHON, Desk, desk

RUNS = 25


def report() -> str:
    with desk("quiet", speed=1.0) as running:
        status = [_seconds_to_answer(running, "status") for _ in range(RUNS)]
        flatten = [_seconds_to_answer(running, "flatten") for _ in range(RUNS)]
    return "\n".join(
        f"{verb} to its answer: p50 {percentile(times, 0.5) * 1000:.0f} ms, "
        f"p90 {percentile(times, 0.9) * 1000:.0f} ms"
        for verb, times in (("status", status), ("flatten", flatten))
    )


def _seconds_to_answer(running: Desk, verb: str) -> float:
    """Until the first line is printed: the engine's answer, whatever the verb then follows."""
    begin = time.monotonic()
    with subprocess.Popen(
        [PYTHON, "-u", "-m", "tui.cli", verb], env=running.env, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        elapsed = time.monotonic() - begin
        process.terminate()
        process.stdout.read()
    return elapsed
