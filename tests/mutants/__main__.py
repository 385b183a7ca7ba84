"""``make mutants``: spoil a copy of the tree with one bug at a time and see that it is caught.

python -m tests.mutants                 all of them
python -m tests.mutants send_before     those whose names begin so
python -m tests.mutants --budget 600    seconds the simulation may look for one bug
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.mutants.hunt import Caught, Found, Hunt, Survived, copy_tree
from tests.mutants.mutant import Mutant, read_all

WORKERS = 2


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description="Measure the tests.")
    parser.add_argument("names", nargs="*", help="beginnings of names; all without")
    parser.add_argument("--budget", type=int, default=300, help="seconds for one bug (default 300)")
    given = parser.parse_args()
    wanted = [m for m in read_all() if not given.names or m.name.startswith(tuple(given.names))]
    if not wanted:
        sys.exit(f"no mutant's name begins with {' or '.join(given.names)}")
    found = _hunt_all(wanted, given.budget)
    survivors = [m.name for m, result in found if isinstance(result, Survived)]
    print(f"{len(found) - len(survivors)} of {len(found)} mutants caught", flush=True)
    if survivors:
        print(f"survived: {', '.join(survivors)}")
    return 1 if survivors else 0


def _hunt_all(wanted: list[Mutant], budget_s: int) -> list[tuple[Mutant, Found]]:
    """Hunts side by side, each in a copy of its own, told in the order they are asked for."""
    folder = Path(tempfile.mkdtemp(prefix="mutants-"))
    try:
        hunts: SimpleQueue[Hunt] = SimpleQueue()
        for number in range(WORKERS):
            hunts.put(Hunt(copy_tree(folder / str(number)), budget_s))
        healthy = hunts.get()
        healthy.check_health(wanted)
        hunts.put(healthy)

        def one(mutant: Mutant) -> Found:
            hunt = hunts.get()
            try:
                return hunt.hunt(mutant)
            finally:
                hunts.put(hunt)

        width = max(len(mutant.name) for mutant in wanted)
        found = []
        with ThreadPoolExecutor(WORKERS) as pool:
            for mutant, result in zip(wanted, pool.map(one, wanted), strict=True):
                word = f"caught by {result.by}" if isinstance(result, Caught) else "SURVIVED"
                print(f"{mutant.name:{width}}  {result.seconds:6.1f} s  {word}", flush=True)
                found.append((mutant, result))
        return found
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
