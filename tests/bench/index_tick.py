"""A pushed value's way through the engine: from its bytes at the socket to the fair value it changed on the
state stream of an attached console. Real processes, one monotonic clock."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from core.config.paths import socket_path
from core.control.client import connect
from core.control.protocol import VERSION, Frame, Hello
from core.domain.clock import machine_ns
from tests.bench.harness import percentile
from tests.bench.stamped_engine import STAMP
from tests.desk.rig import Desk, desk

SERIES = '[markets]\nseries = ["KXBTC15M"]\n'
SLACK_S = 60.0
"""Beyond one tick a second: the start, and quarter hours without a market on the desk."""


def report(ticks: int = 220) -> str:
    """p50, p99 and the longest of at least so many changed fair values."""
    with desk("quarters", speed=1.0, config=SERIES, engine_module="tests.bench.stamped_engine") as running:
        seen = asyncio.run(_watch(running, ticks))
        arrived = _arrived(running.home / "stamps")
    took = [(at_ns - arrived[event_ms]) / 1e6 for event_ms, at_ns in seen.items() if event_ms in arrived]
    if len(took) < ticks:
        raise RuntimeError(f"only {len(took)} of {ticks} ticks changed a fair value in time")
    first, last = min(seen), max(seen)
    between = sum(first <= event_ms <= last for event_ms in arrived)
    return (
        f"index tick at the engine's socket to the changed fair value on the state stream: "
        f"p50 {percentile(took, 0.5):.1f} ms, p99 {percentile(took, 0.99):.1f} ms, max {max(took):.1f} ms "
        f"over {len(took)} of {between} ticks"
    )


async def _watch(running: Desk, ticks: int) -> dict[int, int]:
    """When each changed fair value was read, by the time of the index value it rests on."""
    hello = Hello(VERSION, "state", "console", os.getpid(), "bench", view_only=True)
    line = await connect(socket_path(running.place), hello)
    seen: dict[int, int] = {}
    mean: float | None = None
    try:
        async with asyncio.timeout(ticks + SLACK_S):
            while len(seen) < ticks:
                message = await line.receive()
                at_ns = machine_ns()
                for row in message.events if isinstance(message, Frame) else ():
                    if row.inputs and not row.refusal and row.mean != mean:
                        if mean is not None:  # the first is as old as the desk, not as its tick
                            seen.setdefault(row.inputs[0].event_world_ms, at_ns)
                        mean = row.mean
    finally:
        await line.close()
    return seen


def _arrived(file: Path) -> dict[int, int]:
    """When each value's bytes were there, by its own time."""
    return {event_ms: at_ns for at_ns, event_ms in STAMP.iter_unpack(file.read_bytes())}
