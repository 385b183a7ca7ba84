"""From the stop key's byte written to a busy console until the first cancel request reaches SIM.

Real processes and a real pty; console and SIM run at nice +5; five orders rest at each press; the
desk is re-armed through the control socket in between.
"""

from __future__ import annotations

import time

from core.control.protocol import AbortFlatten, Approve, Resume, Unpause
from tests.bench.harness import percentile
from tests.bench.stamped_sim import STAMP
from tests.desk.rig import Desk, desk
from tests.desk.terminal import DeskError, Terminal, wait_for

RESTING = 5
CONFIG = """
[markets]
series = ["KXHIGHNY", "KXHIGHCHI", "KXHIGHMIA", "KXHIGHAUS", "KXHIGHDEN", "KXLOAD"]
[limits]    # two hundred presses need a thousand orders within the hour
rate_second_max = 20
rate_minute_max = 200
rate_hour_max = 5000
"""
STOP_KEY = b"\x18"
WORLD_SPEED = 1.01
"""Slow, but not 1: at 1 the world has today's hour instead of the scenario's."""


def measure(presses: int) -> list[float]:
    """Milliseconds from key byte to first cancel at SIM, one a press."""
    with desk(
        "busy", speed=WORLD_SPEED, config=CONFIG, sim_module="tests.bench.stamped_sim", sim_nice=5
    ) as running:
        console = running.console(160, 45, nice=5)
        try:
            console.wait("MARKETS")
            return [_press(running, console) for _ in range(presses)]
        finally:
            console.close()


def _press(running: Desk, console: Terminal) -> float:
    _rest_orders(running)
    stamps = running.home / "stamps"
    seen = stamps.stat().st_size
    begun_ns = time.monotonic_ns()
    console.press(STOP_KEY)
    wait_for("cancel at SIM", 5, lambda: stamps.stat().st_size >= seen + STAMP.size, poll_s=0.002)
    with stamps.open("rb") as file:
        file.seek(seen)
        (arrived_ns,) = STAMP.unpack(file.read(STAMP.size))
    running.call(AbortFlatten)
    wait_for("end of all orders", 10, lambda: running.ask("status")["open_orders"] == 0, poll_s=0.2)
    _rearm(running)
    return (arrived_ns - begun_ns) / 1e6


def _rearm(running: Desk) -> None:
    def resumed() -> bool:
        return running.call(Resume, confirm="resume", reason="next press").accepted

    wait_for("resume", 30, resumed, poll_s=0.25)
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

    wait_for(f"{RESTING} resting orders", 60, resting, poll_s=0.25)


def report(presses: int) -> str:
    times = measure(presses)
    return (
        f"stop key to first cancel at SIM, {len(times)} presses: "
        f"p50 {percentile(times, 0.5):.1f} ms, p99 {percentile(times, 0.99):.1f} ms, max {max(times):.1f} ms"
    )
