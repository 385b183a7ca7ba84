"""The campaign: ``python -m tests.simulation`` runs seeds until enough life-cycles are counted.

``--seed S`` replays one run instead; ``--shrink`` makes a failing one small.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from tests.simulation.campaign import STATE_DIR, campaign, report
from tests.simulation.run import Broken, Script, run
from tests.simulation.seeds import SEEDS, as_line
from tests.simulation.shrink import shrink


def main() -> int:
    given = _arguments()
    if given.seed is None:
        try:
            totals = campaign(given.lifecycles, given.state, given.jobs, _aside, given.first_seed)
        except KeyboardInterrupt:
            _aside(
                f"interrupted; what is done is kept in {given.state} and the next campaign goes on from it"
            )
            return 130
        for line in report(totals):
            print(line)
        return 1 if totals.found else 0
    without = tuple(name for name in given.without.split(",") if name)
    script = Script(given.seed, given.seconds, without=without, kills=not given.no_kills)
    if given.shrink:
        script = shrink(script, _aside)
    result = run(script, print if given.tape else None)
    if result.broken is None:
        _aside(f"seed {given.seed} breaks nothing: {result.lifecycles} life-cycles, {result.virtual_s:.0f} s")
        return 0
    _aside(_story(script, result.broken))
    return 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--lifecycles", type=int, default=20_000, help="stop after so many (default 20000)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: cores)")
    parser.add_argument(
        "--state", type=Path, default=STATE_DIR, help="where counts are kept between campaigns"
    )
    parser.add_argument("--first-seed", type=int, default=1, help="seeds run from here on")
    parser.add_argument("--seed", type=int, help="replay this one")
    parser.add_argument("--seconds", type=int, default=0, help="how long a replay places orders")
    parser.add_argument("--without", default="", help="fault kinds to leave out of a replay: N01,X04")
    parser.add_argument("--no-kills", action="store_true", help="let the engine live through a replay")
    parser.add_argument("--tape", action="store_true", help="tell everything that happens on stdout")
    parser.add_argument("--shrink", action="store_true", help="make a failing seed small first")
    return parser.parse_args()


def _aside(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _story(script: Script, broken: Broken) -> str:
    return "\n".join(
        (
            f"seed {script.seed} breaks point {broken.point} at step {broken.step}: {broken.what}",
            f"belief: {broken.belief}",
            f"truth:  {broken.truth}",
            "the last events:",
            *(f"  {line}" for line in broken.last),
            f"keep it as a regression: add to {SEEDS.name} the line",
            as_line(script, broken.what),
        )
    )


if __name__ == "__main__":
    sys.exit(main())
