"""``make kill9``: die at every point of ``core.execution.points`` in so many seeds, then in pairs.

python -m tests.simulation.deaths                         20 seeds a point, 100 pairs
python -m tests.simulation.deaths --seeds 5 --pairs 0
python -m tests.simulation.deaths --point send.after_bytes --seed 7     one run again
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from concurrent.futures import Executor
from random import Random

from core.execution.points import IN_THE_JOURNAL, Point
from tests.simulation.kills import RARE, Kill
from tests.simulation.pool import workers
from tests.simulation.run import Result, Script, run

ACTIVE_S = 60
TRIES = 4
"""So many times the wanted number of seeds a point may take to be reached in enough of them."""
ROWS, TURNS = 200, 3
"""How often a death's point may be passed before it: any row of the journal, any other point."""


def single(point: Point, seed: int) -> Script:
    """One death at a point; at a start the second one, of a desk that is being repaired."""
    rng = Random(f"{seed} {point.value}")
    death = _death(rng, point)
    before = (_death(rng, Point.ROW_WRITTEN),) if point.value.startswith("start") else ()
    return Script(seed, ACTIVE_S, die=(*before, death))


def pair(seed: int) -> Script:
    """Two deaths at random points: the second may come while the first is being repaired."""
    rng = Random(f"{seed} pair")
    return Script(seed, ACTIVE_S, die=tuple(_death(rng, point) for point in rng.sample(list(Point), 2)))


def _death(rng: Random, point: Point) -> Kill:
    turn = rng.randint(1, ROWS if point in IN_THE_JOURNAL else TURNS)
    return Kill(point, 1 if point.value.startswith(RARE) else turn)


def died(result: Result) -> bool:
    """Whether every wanted death came."""
    return sum(result.kills.values()) == len(result.script.die)


def deaths_at(pool: Executor, point: Point, wanted: int) -> list[Result]:
    """Runs of one point until ``wanted`` of them died there, or in too few of too many."""
    results: list[Result] = []
    for begin in range(1, wanted * TRIES + 1, wanted):
        results += pool.map(run, [single(point, seed) for seed in range(begin, begin + wanted)])
        if sum(map(died, results)) >= wanted:
            break
    return results


def _tell(name: str, results: Iterable[Result], again: str) -> tuple[int, int]:
    """Print one line, and one a violation; deaths and violations."""
    done = list(results)
    broken = [(r.script.seed, r.broken) for r in done if r.broken is not None]
    lifecycles = sum(r.lifecycles for r in done)
    print(f"{name:24} {sum(map(died, done)):4} of {len(done):4} died, {lifecycles:6} life-cycles", flush=True)
    for seed, found in broken:
        print(f"  VIOLATION of point {found.point}: {found.what}")
        print(f"  again: python -m tests.simulation.deaths {again}--seed {seed}", flush=True)
    return sum(sum(r.kills.values()) for r in done), len(broken)


def _one(script: Script) -> int:
    result = run(script)
    print(f"{sum(result.kills.values())} of {len(script.die)} died, {result.lifecycles} life-cycles")
    if result.broken is None:
        return 0
    print(f"point {result.broken.point}: {result.broken.what}", *result.broken.last, sep="\n  ")
    return 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.deaths")
    parser.add_argument("--seeds", type=int, default=20, help="deaths wanted of each point (default 20)")
    parser.add_argument("--pairs", type=int, default=100, help="runs with two deaths (default 100)")
    parser.add_argument("--point", choices=[p.value for p in Point], help="this point alone")
    parser.add_argument("--seed", type=int, help="one run alone, of --point or a pair")
    given = parser.parse_args()
    if given.seed is not None:
        return _one(single(Point(given.point), given.seed) if given.point else pair(given.seed))
    told, short = [], []
    with workers(os.cpu_count() or 1) as pool:
        for point in [Point(given.point)] if given.point else Point:
            results = deaths_at(pool, point, given.seeds)
            told.append(_tell(point.value, results, f"--point {point.value} "))
            if sum(map(died, results)) < given.seeds:
                short.append(point.value)
        if not given.point and given.pairs:
            told.append(_tell("pairs", pool.map(run, map(pair, range(1, given.pairs + 1))), ""))
    if short:
        print(f"not reached often enough: {', '.join(short)}")
    deaths, violations = map(sum, zip(*told, strict=True))
    print(f"{deaths} deaths, {violations} violations")
    return 1 if violations or short else 0


if __name__ == "__main__":
    sys.exit(main())
