"""From the stop key's byte until the first stop request reaches SIM: a group's trigger or a cancel.

Real processes and real ptys. The console draws a busy desk, console and SIM run at nice +5, every commit
of the journal takes 900 ms, two reads are answered 429 at each press, five orders rest. The same with
the terminal unread for ten seconds or longer: from that very terminal, from a second console, and from
``pmconsole flatten``, there counted from its first byte on the engine's socket.
"""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator

from core.control.protocol import (
    AbortFlatten,
    AcknowledgeAll,
    Approve,
    Resume,
    Unpause,
)
from tests.bench.harness import percentile
from tests.bench.stamped_sim import STAMP
from tests.desk.rig import PYTHON, Desk, desk
from tests.desk.terminal import DeskError, Terminal, wait_for

RESTING = 5
CONFIG = """
[markets]
series = ["KXHIGHNY", "KXHIGHCHI", "KXHIGHMIA", "KXHIGHAUS", "KXHIGHDEN", "KXLOAD"]
[limits]    # two hundred presses need a thousand orders within the hour, and the disk is slow on purpose
rate_second_max = 20
rate_minute_max = 200
rate_hour_max = 5000
sync_ms_max = 5000
"""
STOP_KEY = b"\x18"
WORLD_SPEED = 1.01
"""Slow, but not 1: at 1 the world has today's hour instead of the scenario's."""
UNREAD_S = 10.0


class _Bench:
    """One desk under load; each ``press`` waits for the first stop request at SIM."""

    def __init__(self, running: Desk) -> None:
        self.running = running
        self._stamps = running.home / "stamps"

    def press(self, act: Callable[[], int]) -> float:
        """Milliseconds from the moment ``act`` returns (monotonic ns) to the first stop request after it.

        Cancels before it are not the stop's: a quote of its own that the desk took back meanwhile.
        """
        _rest_orders(self.running)
        seen = self._stamps.stat().st_size
        (self.running.home / "throttle").touch()
        begun_ns = act()
        arrived_ns = int(wait_for("stop at SIM", 10, lambda: self._first(seen, begun_ns), poll_s=0.002))
        (self.running.home / "throttle").unlink(missing_ok=True)
        self.running.call(AbortFlatten)
        wait_for("end of all orders", 20, lambda: self.running.ask("status")["open_orders"] == 0, poll_s=0.2)
        _rearm(self.running)
        return (arrived_ns - begun_ns) / 1e6

    def _first(self, seen: int, begun_ns: int) -> int:
        """When the first request behind the first ``seen`` bytes came that is not older; 0 before it."""
        stamps = self._stamps.read_bytes()[seen:]
        whole = stamps[: len(stamps) // STAMP.size * STAMP.size]
        return next((at for (at,) in STAMP.iter_unpack(whole) if at >= begun_ns), 0)


@contextlib.contextmanager
def _bench() -> Iterator[_Bench]:
    with desk(
        "busy",
        speed=WORLD_SPEED,
        config=CONFIG,
        sim_module="tests.bench.stamped_sim",
        sim_nice=5,
        engine_module="tests.bench.slow_engine",
    ) as running:
        yield _Bench(running)


@contextlib.contextmanager
def _console(running: Desk, *options: str) -> Iterator[Terminal]:
    console = running.console(160, 45, *options, nice=5)
    try:
        console.wait("MARKETS")
        yield console
    finally:
        console.close()


def _key(console: Terminal) -> Callable[[], int]:
    def act() -> int:
        begun_ns = time.monotonic_ns()
        console.press(STOP_KEY)
        return begun_ns

    return act


def measure(presses: int) -> list[float]:
    """Presses on a console that is drawn and read."""
    with _bench() as bench, _console(bench.running) as console:
        return [bench.press(_key(console)) for _ in range(presses)]


def measure_unread(presses: int) -> tuple[list[float], list[float], list[float], list[float]]:
    """With the first console's terminal unread since ten seconds before the first of three presses: from
    that terminal, from a second console, from ``pmconsole flatten``; and how long that command took to its
    first byte."""
    own, second, verb, starts = list[float](), list[float](), list[float](), list[float]()
    with (
        _bench() as bench,
        _console(bench.running) as console,
        _console(bench.running, "--view-only") as viewer,
    ):
        ways = ((own, _key(console)), (second, _key(viewer)), (verb, _flatten(bench.running, starts)))
        for _ in range(presses):
            with console.unread():
                time.sleep(UNREAD_S)
                for times, act in ways:
                    times.append(bench.press(act))
    return own, second, verb, starts


def _flatten(running: Desk, starts: list[float]) -> Callable[[], int]:
    def act() -> int:
        asked = running.home / "asked"
        asked.unlink(missing_ok=True)
        begun_ns = time.monotonic_ns()
        with subprocess.Popen(
            [PYTHON, "-m", "tests.bench.stamped_flatten", "flatten"],
            env=running.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            wait_for("first byte", 10, lambda: asked.exists() and asked.stat().st_size, poll_s=0.001)
            (byte_ns,) = STAMP.unpack(asked.read_bytes())
            process.terminate()
        starts.append((byte_ns - begun_ns) / 1e6)
        return int(byte_ns)

    return act


def _rearm(running: Desk) -> None:
    def resumed() -> bool:
        # Whatever rang meanwhile, such as the storm of 429s, has to be seen before a resume.
        running.call(AcknowledgeAll)
        return running.call(Resume, confirm="resume", reason="next press").accepted

    wait_for("resume", 60, resumed, poll_s=0.25)
    reply = running.call(Unpause, confirm="unpause")
    if not reply.accepted:
        raise DeskError(reply.text)


def _rest_orders(running: Desk) -> None:
    """Approve cards until five orders rest."""

    def resting() -> bool:
        orders = [o for o in running.ask("orders") if o["state"] == "WORKING"]
        if len(orders) >= RESTING:
            return True
        for card in running.ask("proposals"):
            if card["state"] == "OPEN" and not card["checks"]:
                proposal, _, mark = card["id"].partition("-")
                running.call(Approve, proposal_id=proposal, fingerprint=mark)
        return False

    wait_for(f"{RESTING} resting orders", 120, resting, poll_s=0.25)


def report(presses: int) -> str:
    """The pressed console, then a quarter of the presses for each unread way."""
    lines = [_line("stop key to first stop request at SIM", measure(presses))]
    own, second, verb, starts = measure_unread(max(1, presses // 4))
    lines += [
        _line("terminal unread 10 s, from that terminal", own),
        _line("terminal unread 10 s, from a second console", second),
        _line("terminal unread 10 s, pmconsole flatten from its first byte", verb),
        _line("  (its start until that byte)", starts),
    ]
    return "\n".join(lines)


def _line(what: str, times: list[float]) -> str:
    return (
        f"{what}, {len(times)} presses: p50 {percentile(times, 0.5):.1f} ms, "
        f"p99 {percentile(times, 0.99):.1f} ms, max {max(times):.1f} ms"
    )
