"""How late the engine's loop wakes, with a console on it and without, in turns."""

from __future__ import annotations

import time

from tests.bench.harness import percentile
from tests.bench.waking_engine import LATE
from tests.desk.rig import Desk, desk

ROUNDS = 4
SETTLE_S = 3.0


def report(seconds: float = 10.0) -> str:
    """The demo's desk; a console of 200x60 comes and goes."""
    alone: list[float] = []
    watched: list[float] = []
    with desk("demo", engine_module="tests.bench.waking_engine") as running:
        time.sleep(3 * SETTLE_S)
        for _ in range(ROUNDS):
            alone += _wakes(running, seconds)
            console = running.console(200, 60)
            try:
                console.wait("MARKETS")
                time.sleep(SETTLE_S)
                watched += _wakes(running, seconds)
            finally:
                console.close()
            time.sleep(SETTLE_S)
    ratio = percentile(watched, 0.5) / percentile(alone, 0.5)
    return (
        f"engine loop wakes late by p50 {percentile(alone, 0.5):.0f} us, "
        f"p99 {percentile(alone, 0.99):.0f} us alone, and p50 {percentile(watched, 0.5):.0f} us, "
        f"p99 {percentile(watched, 0.99):.0f} us with a console: p50 {ratio:.2f} times"
    )


def _wakes(running: Desk, seconds: float) -> list[float]:
    path = running.home / "wakes"
    before = path.stat().st_size
    time.sleep(seconds)
    return [float(late) for (late,) in LATE.iter_unpack(path.read_bytes()[before:])]
