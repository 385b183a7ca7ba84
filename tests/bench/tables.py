"""The console's own table against Textual's ``DataTable`` on one stream, in turns."""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.bench.harness import percentile
from tests.bench.table_app import HZ, ROWS, SHARE
from tests.desk.rig import CHECKOUT, PYTHON
from tests.desk.terminal import Terminal

ROUNDS = 3


class Figures(NamedTuple):
    hz: float
    cpu_ms: float
    """Of each delivered frame."""
    keys_ms: list[float]


def report(seconds: float = 12.0) -> str:
    """CPU of a frame that was delivered, and how long keys wait."""
    live: list[Figures] = []
    data: list[Figures] = []
    for _ in range(ROUNDS):
        live.append(_run("live", seconds))
        data.append(_run("data", seconds))
    ours, theirs = (statistics.median(one.cpu_ms for one in runs) for runs in (live, data))
    keys, their_keys = (_p99(runs) for runs in (live, data))
    return (
        f"{ROWS} rows, {SHARE:.0%} of the cells {HZ:g} times a second: "
        f"LiveTable {ours:.1f} ms of CPU a frame at {_hz(live):.1f} Hz, "
        f"DataTable {theirs:.1f} ms at {_hz(data):.1f} Hz: {theirs / ours:.1f} times cheaper; "
        f"key p99 {keys:.1f} ms against {their_keys:.0f} ms: {their_keys / keys:.1f} times better"
    )


def _hz(runs: list[Figures]) -> float:
    return statistics.median(one.hz for one in runs)


def _p99(runs: list[Figures]) -> float:
    return percentile([key for one in runs for key in one.keys_ms], 0.99)


def _run(kind: str, seconds: float) -> Figures:
    with tempfile.TemporaryDirectory() as directory:
        figures = Path(directory) / "figures"
        env = {**os.environ, "TABLE_FIGURES": str(figures), "PYTHONPATH": str(CHECKOUT)}
        terminal = Terminal([PYTHON, "-m", "tests.bench.table_app", kind, str(seconds)], env, 200, 60)
        try:
            begun = time.monotonic()
            while terminal.process.poll() is None and time.monotonic() - begun < 4 * seconds + 30:
                terminal.press(b"j")
                time.sleep(0.1)
            terminal.ended(10)
        finally:
            terminal.close()
        return Figures(**json.loads(figures.read_text()))
