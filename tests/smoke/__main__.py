"""``python -m tests.smoke [--seed N]``: play the demo's staged story and say which beats happened."""

from __future__ import annotations

import argparse
import sys

from tests.smoke.story import play


def main() -> int:
    parser = argparse.ArgumentParser(prog="smoke", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    outcomes = []
    for outcome in play(parser.parse_args().seed):
        outcomes.append(outcome)
        print(outcome, flush=True)
    return 0 if all(outcome.missing == "" for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
