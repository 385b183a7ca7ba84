"""``python -m tests.simulation --seed 7``: one seed of the virtual world, told line by line on request."""

from __future__ import annotations

import argparse
import sys

from tests.simulation.run import ACTIVE_S, Script, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--tape", action="store_true", help="tell everything that happens on stdout")
    parser.add_argument("--seconds", type=int, default=ACTIVE_S, help="how long orders are placed")
    given = parser.parse_args()
    result = run(Script(given.seed, given.seconds), print if given.tape else None)
    if result.broken is not None:
        print(f"seed {given.seed} breaks point {result.broken.point}: {result.broken.what}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
