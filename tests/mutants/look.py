"""The simulation looks for a violation until the time is up: honest worlds and lying ones in turn, of one
venue and of two.

``python -m tests.mutants.look --seconds 300`` ends with 1 at the first violation, named in its last line.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time

from tests.simulation.run import Script, run

ACTIVE_S = 90


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants.look")
    parser.add_argument("--seconds", type=float, required=True)
    ends = time.monotonic() + parser.parse_args().seconds
    for seed in itertools.count(1):
        broken = run(Script(seed, ACTIVE_S, honest=seed % 4 in (1, 2))).broken
        if broken is not None:
            print(f"seed {seed}: point {broken.point}: {broken.what}")
            return 1
        if time.monotonic() >= ends:
            print(f"{seed} seeds, nothing")
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
