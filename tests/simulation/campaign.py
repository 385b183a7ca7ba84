"""Many seeds over all cores, interrupted and resumed at will; counts are kept by version of the code."""

from __future__ import annotations

import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path

import msgspec

from tests.simulation import coverage
from tests.simulation.pool import workers
from tests.simulation.run import Broken, Result, Script, run

HOME = Path(__file__).parents[2]
STATE_DIR = HOME / ".simulation"
COUNTED = ("core", "tests/simulation")
"""A change below these makes another version, whose counts begin at nothing."""
SAVE_S = 10.0


class Found(msgspec.Struct, frozen=True):
    """One violation with the run that shows it."""

    script: Script
    broken: Broken


class Totals(msgspec.Struct):
    """What all runs of one version came to. Merging is the same in any order."""

    version: str
    seeds: list[int] = []
    lifecycles: int = 0
    virtual_s: float = 0.0
    cpu_s: float = 0.0
    real_s: float = 0.0
    faults: dict[str, int] = {}
    rows: dict[str, int] = {}
    kills: dict[str, int] = {}
    differences: dict[str, int] = {}
    slowest_unknown_ms: int = 0
    slowest_unknown_seed: int = 0
    found: list[Found] = []
    ways: dict[str, int] = {}

    def add(self, result: Result) -> None:
        self.seeds.append(result.script.seed)
        self.lifecycles += result.lifecycles
        self.virtual_s += result.virtual_s
        self.cpu_s += result.cpu_s
        for into, counts in (
            (self.faults, result.faults),
            (self.kills, result.kills),
            (self.differences, result.differences),
            (self.ways, result.ways),
            (self.rows, Counter(result.rows)),
        ):
            for name, count in counts.items():
                into[name] = into.get(name, 0) + count
        if result.slowest_unknown_ms > self.slowest_unknown_ms:
            self.slowest_unknown_ms = result.slowest_unknown_ms
            self.slowest_unknown_seed = result.script.seed
        if result.broken is not None:
            self.found.append(Found(result.script, result.broken))


def version() -> str:
    """Short hash of the code that decides what a seed does."""
    digest = hashlib.sha256()
    for folder in COUNTED:
        for path in sorted((HOME / folder).rglob("*.py")):
            digest.update(str(path.relative_to(HOME)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def load(folder: Path, of: str) -> Totals:
    """Totals of this version as an earlier campaign left them; new ones where there was none."""
    path = folder / f"{of}.json"
    return msgspec.json.decode(path.read_bytes(), type=Totals) if path.exists() else Totals(of)


def save(folder: Path, totals: Totals) -> None:
    """Replace the file at once, so that an interruption leaves the old one or the new one."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{totals.version}.{os.getpid()}.part"
    part.write_bytes(msgspec.json.encode(totals))
    part.replace(folder / f"{totals.version}.json")


def campaign(
    lifecycles: int, folder: Path, jobs: int, tell: Callable[[str], None], first_seed: int = 1
) -> Totals:
    """Run seeds until this many life-cycles are counted. An interruption keeps what is done."""
    totals = load(folder, version())
    if totals.seeds:
        tell(f"goes on after {len(totals.seeds)} seeds, {totals.lifecycles} life-cycles of this version")
    began, saved, before_s = time.monotonic(), time.monotonic(), totals.real_s
    with workers(jobs) as pool:
        running: dict[Future[Result], int] = {}
        fresh = _fresh(totals, first_seed)
        try:
            while totals.lifecycles < lifecycles:
                while len(running) < 2 * jobs:
                    seed = next(fresh)
                    running[pool.submit(run, Script(seed))] = seed
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    del running[future]
                    result = future.result()
                    totals.add(result)
                    if result.broken is not None:
                        tell(f"seed {result.script.seed} breaks {result.broken.point}: {result.broken.what}")
                totals.real_s = before_s + time.monotonic() - began
                if time.monotonic() - saved > SAVE_S:
                    saved = time.monotonic()
                    save(folder, totals)
                    tell(f"{totals.lifecycles} life-cycles, {len(totals.found)} violations")
        finally:
            for future in running:
                future.cancel()
            save(folder, totals)
    return totals


def _fresh(totals: Totals, first: int) -> Iterator[int]:
    done, seed = set(totals.seeds), first
    while True:
        if seed not in done:
            yield seed
        seed += 1


def report(totals: Totals) -> Iterator[str]:
    """The lines a campaign ends with; the last one is the verdict."""
    per = totals.cpu_s * 1000 / max(1, totals.lifecycles)
    yield f"version {totals.version}: {len(totals.seeds)} seeds, {totals.virtual_s / 86_400:.2f} virtual days"
    yield f"{totals.real_s:.0f} s real time, {totals.cpu_s:.0f} s CPU, {per:.2f} ms CPU a life-cycle"
    yield "faults: " + (", ".join(f"{k} {n}" for k, n in sorted(totals.faults.items())) or "none")
    yield from _cover("fault kinds", coverage.every_fault(), totals.faults)
    yield from _cover("transition rows", coverage.every_row(), totals.rows)
    yield from _cover("difference rows", coverage.every_difference(), totals.differences)
    yield from _cover("kill points", coverage.every_point(), totals.kills)
    yield from _cover("ways of the second venue", coverage.every_way(), totals.ways)
    slowest_s, slowest_seed = totals.slowest_unknown_ms / 1000, totals.slowest_unknown_seed
    yield f"slowest resolution of an unknown: {slowest_s:.0f} s (seed {slowest_seed})"
    for found in totals.found:
        yield f"seed {found.script.seed} point {found.broken.point}: {found.broken.what}"
        yield f"  replay: python -m tests.simulation --seed {found.script.seed}"
    yield f"{totals.lifecycles} lifecycles, {len(totals.found)} violations"


def _cover(what: str, every: tuple[str, ...], used: dict[str, int]) -> Iterator[str]:
    missing = [name for name in every if name not in used]
    yield f"{what}: {len(every) - len(missing)} of {len(every)} covered"
    for name in missing:
        yield f"  not covered: {name}"
