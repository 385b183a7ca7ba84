"""500 markets and 2,000 book messages a second from SIM into the engine, and a desk at rest."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from tests.bench.harness import percentile
from tests.desk.rig import Desk, cpu_seconds, desk
from tests.desk.terminal import wait_for

RUN_S = 60.0
LOAD_SERIES = '[markets]\nseries = ["KXLOAD"]\n'


def report_load() -> str:
    """The pump's minute: engine CPU, the last sequence sent against the last applied."""
    with desk("load", speed=1.0, config=LOAD_SERIES) as running:
        report_file = running.place.sim_ready.with_name("pump.json")
        wait_for("pump", 20, lambda: report_file.exists() and _pump(report_file)["sent"] > 0)
        begin, cpu, sim = time.monotonic(), cpu_seconds(running.engine.pid), cpu_seconds(running.sim.pid)
        lags: list[float] = []

        def done() -> bool:
            lag = _venue(running)["lag_ms"]
            if lag is not None:
                lags.append(float(lag))
            return bool(_pump(report_file)["done"])

        wait_for("end of the pump", RUN_S + 30, done, poll_s=1.0)
        elapsed = time.monotonic() - begin
        share = (cpu_seconds(running.engine.pid) - cpu) / elapsed
        sim_share = (cpu_seconds(running.sim.pid) - sim) / elapsed
        pump = _pump(report_file)
        last = max(pump["last_seq"].values())
        wait_for("last book message", 5, lambda: _venue(running)["sequence"] >= last, poll_s=0.5)
        return (
            f"load: {pump['sent']} book messages in {pump['elapsed_s']} s; last sequence sent {last}, "
            f"applied {_venue(running)['sequence']}; send to book, p99 of each second: "
            f"median {percentile(lags, 0.5):.0f} ms, worst {max(lags):.0f} ms; "
            f"engine {share:.0%} of a core, SIM {sim_share:.0%}"
        )


def _venue(running: Desk) -> dict[str, Any]:
    return dict(running.ask("status")["venues"][0])


def _pump(report_file: Path) -> dict[str, Any]:
    return dict(json.loads(report_file.read_text()))


def report_quiet(seconds: float = 20.0) -> str:
    """CPU of a console on a desk whose books stand still while clocks tick."""
    with desk("quiet", speed=1.0) as running:
        console = running.console(160, 45)
        try:
            console.wait("MARKETS")
            time.sleep(3)
            cpu, sent, begin = cpu_seconds(console.process.pid), console.bytes, time.monotonic()
            engine = cpu_seconds(running.engine.pid)
            time.sleep(seconds)
            elapsed = time.monotonic() - begin
            return (
                f"quiet desk at 160x45: "
                f"console {(cpu_seconds(console.process.pid) - cpu) / elapsed:.1%} of a core, "
                f"{(console.bytes - sent) / elapsed / 1000:.1f} kB/s; "
                f"engine {(cpu_seconds(running.engine.pid) - engine) / elapsed:.1%}"
            )
        finally:
            console.close()


def report_bytes(seconds: float = 60.0) -> str:
    """Bytes to the terminal in the demo at 80x24."""
    with desk("demo") as running:
        console = running.console(80, 24)
        try:
            console.wait("MARKETS")
            sent, begin = console.bytes, time.monotonic()
            cpu = cpu_seconds(console.process.pid)
            time.sleep(seconds)
            elapsed = time.monotonic() - begin
            return (
                f"demo at 80x24: {(console.bytes - sent) / elapsed / 1000:.1f} kB/s to the terminal, "
                f"console {(cpu_seconds(console.process.pid) - cpu) / elapsed:.1%} of a core"
            )
        finally:
            console.close()
