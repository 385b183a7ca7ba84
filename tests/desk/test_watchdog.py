"""The engine hangs, then dies: its watchdog cancels in its place, and the desk says so."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator

from core.control.protocol import AcknowledgeAll, DrillWatchdog, Resume, Unpause
from tests.desk.conftest import SERIES
from tests.desk.rig import SLOW, Desk, desk, end
from tests.desk.terminal import wait_for

SILENT_S = 3
CONFIG = f"[engine]\nwatchdog_silent_s = {SILENT_S}\n{SERIES}"
BOUND_S = SILENT_S + 2.0
"""From the last pulse, up to one second before the hang, until nothing rests."""


def quiet_after(running: Desk, began: float) -> float:
    wait_for("empty book", 15, lambda: not running.venue.orders(status="resting"), poll_s=0.05)
    return time.monotonic() - began


@contextlib.contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def go_on(running: Desk) -> None:
    def resumed() -> bool:
        running.call(AcknowledgeAll)  # refused once everything has been seen
        return running.call(Resume, confirm="resume", reason="seen to").accepted

    wait_for("resume", 30, resumed, poll_s=0.25)
    assert running.call(Unpause, confirm="unpause").accepted


def test_a_hanging_and_a_killed_engine_lose_their_orders_to_the_watchdog(
    resting: Callable[[Desk], str],
) -> None:
    with desk("busy", speed=SLOW, config=CONFIG, sim_module="tests.desk.brief_sim") as running:
        wait_for("watchdog", 10, lambda: running.ask("status")["watchdog"] == "ok", poll_s=0.1)
        resting(running)

        with stopped(running.engine.pid):
            assert quiet_after(running, time.monotonic()) < BOUND_S
            wait_for("receipt", 10, lambda: "nothing rests" in running.run("watchdog", "status").out)
        wait_for("halt", 10, lambda: running.ask("status")["level"] == "HALTED", poll_s=0.1)
        assert "watchdog" in running.ask("status")["level_reason"]

        go_on(running)
        resting(running)
        end(running.engine.pid, signal.SIGKILL)
        assert quiet_after(running, time.monotonic()) < BOUND_S
        running.start_engine()
        status = running.ask("status")
        assert status["level"] == "HALTED" and "while no engine ran" in status["level_reason"]

        assert running.call(DrillWatchdog).accepted
        wait_for("drill", 15, lambda: running.happened("DRILL", "passed"), poll_s=0.2)

        end(running.watchdog.pid, signal.SIGKILL)
        wait_for("alarm", 10, lambda: running.ask("status")["watchdog"] == "GONE", poll_s=0.2)
        assert running.run("watchdog", "status").code == 3
