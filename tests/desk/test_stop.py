"""Ways to stop that must not depend on a healthy console."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

from tests.desk.rig import STOP_KEY, Desk, cpu_seconds, end
from tests.desk.terminal import Terminal, wait_for

Keep = Callable[[Terminal], Terminal]
Place = Callable[[Desk], str]


def test_the_stop_key_works_while_nobody_reads_the_terminal(
    moving: Desk, opened: Keep, resting: Place
) -> None:
    console = opened(moving.console(200, 50))
    console.wait(r"MARKETS \d", 10)
    resting(moving)
    with console.unread():
        _jam(console)
        drawn = console.bytes
        asked = time.monotonic()
        assert moving.ask("status")["level"] == "NORMAL"
        assert time.monotonic() - asked < 1.0
        console.press(STOP_KEY)
        wait_for("flatten", 5, lambda: moving.happened("FLATTEN_START", "console"))
        wait_for("cancelled order", 10, lambda: not moving.venue.orders(status="resting"), poll_s=0.1)
        assert console.bytes == drawn  # it was still not read
    console.wait("STOPPING|HALTED|LOCKED", 20)


def test_a_stopped_console_does_not_hold_up_the_engine_or_the_command_line(
    busy: Desk, opened: Keep, resting: Place
) -> None:
    console = opened(busy.console(80, 24))
    console.wait(r"MARKETS \d", 10)
    os.kill(console.process.pid, signal.SIGSTOP)
    resting(busy)
    done = busy.run("flatten", "--now")
    assert done.code == 0, done.err
    assert "FLAT, confirmed" in done.out
    assert not busy.venue.orders(status="resting")
    os.kill(console.process.pid, signal.SIGCONT)
    console.wait("HALTED|LOCKED", 10)


def test_touching_the_file_stops_and_a_file_found_at_start_starts_halted(busy: Desk, resting: Place) -> None:
    resting(busy)
    busy.place.flatten_flag.touch()
    wait_for("flatten", 5, lambda: busy.happened("FLATTEN_START", "file"))
    wait_for("cancelled order", 10, lambda: not busy.venue.orders(status="resting"), poll_s=0.1)
    wait_for("renamed file", 5, lambda: not busy.place.flatten_flag.exists())
    end(busy.engine.pid)
    starts = sum(row.kind == "FLATTEN_START" for row in busy.journal())

    busy.place.flatten_flag.touch()
    busy.start_engine()
    wait_for("ready engine", 20, lambda: busy.ask("status")["ready"], poll_s=0.1)
    status = busy.told("status")
    assert status["level"] in ("HALTED", "LOCKED")
    assert "FLATTEN" in status["level_reason"]
    assert sum(row.kind == "FLATTEN_START" for row in busy.journal()) == starts


def _jam(console: Terminal) -> None:
    """Make an unread console draw until its event loop stands still in a write: it uses no time any more."""

    def stands() -> bool:
        before = cpu_seconds(console.process.pid)
        for key in b"2", b"3", b"4", b"5", b"1":
            console.press(key)
            time.sleep(0.1)  # drawn one by one: a burst would be drawn once, at its end
        return cpu_seconds(console.process.pid) - before < 0.02

    wait_for("console that stands still", 20, stands)
