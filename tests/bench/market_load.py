"""500 Polymarket markets and 3,000 messages a second from SIM into their books, over real sockets."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any, Final

from tests.bench.market_client import Seen, seen_decoder
from tests.desk.rig import CHECKOUT, PYTHON, Desk, cpu_seconds, home
from tests.desk.terminal import DeskError, wait_for

RUN_S = 60.0
DRAIN_S = 1.0
RATE_MIN: Final = 3_000
CPU_MAX: Final = 0.5
"""Of one core, for the process that keeps the books."""


def report() -> str:
    """The pump's minute: CPU of the client, frames sent against applied, and how long each took."""
    with home() as made:
        made.place.directory.mkdir(mode=0o700)
        made.start_sim("load", speed=1.0)
        with _client(made) as client:
            return _measure(made, client)


def _client(made: Desk) -> subprocess.Popen[str]:
    """Ends when its standard input does."""
    return subprocess.Popen(
        [PYTHON, "-m", "tests.bench.market_client", str(made.place.sim_ready)],
        env={**made.env, "PYTHONPATH": str(CHECKOUT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _measure(made: Desk, client: subprocess.Popen[str]) -> str:
    file = made.place.sim_ready.with_name("polymarket-pump.json")

    def begun() -> bool:
        if client.poll() is not None:
            raise DeskError("the client ended before the pump began")
        return file.exists() and int(_pump(file)["sent"]) > 0

    wait_for("pump", 40, begun)
    begin, cpu, sim = time.monotonic(), cpu_seconds(client.pid), cpu_seconds(made.sim.pid)
    wait_for("end of the pump", RUN_S + 60, lambda: bool(_pump(file)["done"]), poll_s=0.5)
    elapsed = time.monotonic() - begin
    share = (cpu_seconds(client.pid) - cpu) / elapsed
    sim_share = (cpu_seconds(made.sim.pid) - sim) / elapsed
    time.sleep(DRAIN_S)
    seen = seen_decoder.decode(client.communicate(timeout=20)[0])
    return _told(_pump(file), seen, share, sim_share)


def _told(pump: dict[str, Any], seen: Seen, share: float, sim_share: float) -> str:
    rate, left = pump["sent"] / pump["elapsed_s"], pump["frames"] - seen.frames
    short = {
        f"SIM sent {rate:.0f}/s": rate < RATE_MIN * 0.99,
        f"{left} frames left": left != 0,
        f"client {share:.0%}": share >= CPU_MAX,
        f"{seen.books - seen.intact} books in doubt": seen.intact != seen.books,
    }
    missed = ", ".join(what for what, holds in short.items() if holds)
    verdict = f"BELOW for {missed}" if missed else "reached"
    return (
        f"polymarket-load: {seen.books} markets on {seen.sockets} sockets, {pump['sent']} price changes in "
        f"{pump['elapsed_s']} s ({rate:.0f}/s); with best prices, whole books and second sockets "
        f"{pump['frames']} frames sent, {seen.frames} applied {DRAIN_S:g} s after the last ({left} left); "
        f"send to book p50 {seen.lag_p50_ms:.1f} ms, p99 {seen.lag_p99_ms:.1f} ms, "
        f"worst {seen.lag_max_ms:.0f} ms; {seen.intact} books believed, "
        f"anomalies: {seen.anomalies or 'none'}; client {share:.0%} of a core, SIM {sim_share:.0%}: "
        f"{verdict} ({RATE_MIN} messages/s, no backlog, under {CPU_MAX:.0%} of a core)"
    )


def _pump(file: Path) -> dict[str, Any]:
    return dict(json.loads(file.read_text()))
