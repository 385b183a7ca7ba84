"""The machinery as it is told: processes by pid, dead-man layers, drills."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from core.config.drill import Drill
from core.control import processes
from core.control.processes import birth, note_process, noted_process, usage
from core.control.protocol import Query
from core.control.rows.system import Consoles, Machine, system_row
from core.control.served import Served
from core.control.snapshot import Snapshot
from core.control.tables.system import SystemRow
from core.engine.state import WatchdogSeen
from core.journal.store import JournalFault
from tests.execution.bench import CLI, TRADER, Bench, running
from tests.virtual import VirtualLoop, run_virtual


def test_a_process_tells_what_it_took_and_a_gone_one_nothing() -> None:
    own = usage(os.getpid())
    assert own is not None and own.memory_mb > 5 and own.cpu_s > 0 and own.age_s >= 0
    ended = subprocess.Popen([sys.executable, "-c", ""])
    pid = ended.pid
    ended.wait()
    assert usage(pid) is None and birth(pid) == ""


def test_a_pid_that_is_another_process_by_now_is_not_the_noted_one(tmp_path: Path) -> None:
    path = tmp_path / "sim.pid"
    assert noted_process(path) is None
    note_process(path, os.getpid())
    assert noted_process(path) == os.getpid()
    path.write_text(f"{os.getpid()} 1\n")
    assert noted_process(path) is None


def test_a_system_without_proc_is_unknown_not_empty(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(processes, "PROC", tmp_path)
    assert usage(os.getpid()) is None and birth(os.getpid()) == ""


def row(bench: Bench, machine: Machine, consoles: Consoles = Consoles(None)) -> SystemRow:
    return system_row(bench.engine.desk, Snapshot(bench.engine.desk).status().links, machine, consoles)


def layers(found: SystemRow) -> dict[str, str]:
    return {layer.name: layer.state for layer in found.layers}


def test_processes_layers_and_drill_of_a_live_desk() -> None:
    drilled = Drill(1_700_000_000_000, "1", passed=False, said="not flat")
    machine = Machine(41, lambda: 43, lambda: drilled, lambda pid: None)

    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            desk = bench.engine.desk
            desk.state.watchdog = WatchdogSeen(42, "its key is refused", None, "")
            found = row(bench, machine, Consoles(44, (45, 46)))
            assert [(one.name, one.pid, one.what) for one in found.processes] == [
                ("engine", 41, ""), ("watchdog", 42, "its key is refused"), ("simulator", 43, ""),
                ("console", 44, "in control"), ("console", 45, "views"), ("console", 46, "views"),
            ]  # fmt: skip
            assert found.drill is not None and not found.drill.passed
            assert [(b.kind, b.left, b.burst) for b in found.buckets] == [("write", 8_000, 10_000)]
            assert len(found.offsets) == len(found.links) == 1
            assert {one.name for one in found.health} == {
                "engine lag", "journal sync", "disk free", "engine memory",
            }  # fmt: skip
            assert layers(found) == {
                "expiry": "armed", "groups": "armed", "absence": "armed", "stop file": "armed",
                "journal": "armed",
            }  # fmt: skip

            desk.watched.expected = True
            (seat,) = desk.seats.values()
            seat.groups.missing = "groups: HTTP 503"
            desk.scribe.log.fault = JournalFault("the disk is full", 0)
            found = row(bench, machine)
            broken = {"groups": "not armed", "watchdog": "not armed", "journal": "not armed"}
            assert broken.items() <= layers(found).items()
            assert any("HTTP 503" in layer.detail for layer in found.layers)
            seat.groups.doubt("struck")
            assert layers(row(bench, machine))["groups"] == "triggered", "worse than one that is missing"

    run_virtual(main)


def test_the_query_knows_who_is_attached() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            served = Served(bench.engine, Machine(41, lambda: None, lambda: None, lambda pid: None))
            served.controller_attached(TRADER)
            served.viewers((7, 8))
            assert bench.engine.state.viewers == 2
            said = served.command(Query("1", "system"), CLI).data.decode()
            assert said.count('"views"') == 2 and said.count('"in control"') == 1
            served.controller_gone()
            assert '"in control"' not in served.command(Query("2", "system"), CLI).data.decode()

    run_virtual(main)
