"""``make bench``: ratios measured in one run, then the desk as real processes.

python -m tests.bench                       everything (about a quarter of an hour)
python -m tests.bench pairs                 ratios only
python -m tests.bench stop-key --presses 200
python -m tests.bench forecast --changes 200    six and a half minutes
python -m tests.bench console-load | tables | cold-start | engine-wake    the console's own
python -m tests.bench load | polymarket-load | quiet | bytes | verbs | signing | tick
"""

from __future__ import annotations

import argparse
import sys

from tests.bench import (
    cold_start,
    console_load,
    engine_wake,
    forecast,
    index_tick,
    load,
    market_load,
    pairs,
    signing,
    stop_key,
    tables,
    verbs,
)
from tests.bench.harness import compare


def _pairs() -> None:
    print(f"{'ratio':>7}  {'ours us':>9}  {'other us':>9}  compared")
    for pair in pairs.pairs():
        result = compare(pair)
        figures = f"{result.ratio:7.2f}  {result.ours_us:9.2f}  {result.reference_us:9.2f}"
        print(f"{figures}  {pair.name}: {pair.says}", flush=True)
    print(pairs.frame_bytes())


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("what", nargs="?", default="all")
    parser.add_argument("--presses", type=int, default=20)
    parser.add_argument("--changes", type=int, default=40)
    given = parser.parse_args()
    parts = {
        "pairs": _pairs,
        "signing": lambda: print(signing.report(), flush=True),
        "verbs": lambda: print(verbs.report(), flush=True),
        "quiet": lambda: print(load.report_quiet(), flush=True),
        "bytes": lambda: print(load.report_bytes(), flush=True),
        "load": lambda: print(load.report_load(), flush=True),
        "polymarket-load": lambda: print(market_load.report(), flush=True),
        "console-load": lambda: print(console_load.report(), flush=True),
        "tables": lambda: print(tables.report(), flush=True),
        "cold-start": lambda: print(cold_start.report(), flush=True),
        "engine-wake": lambda: print(engine_wake.report(), flush=True),
        "tick": lambda: print(index_tick.report(), flush=True),
        "forecast": lambda: print(forecast.report(given.changes), flush=True),
        "stop-key": lambda: print(stop_key.report(given.presses), flush=True),
    }
    if given.what != "all" and given.what not in parts:
        print(f"unknown benchmark {given.what!r}: one of {', '.join(parts)}", file=sys.stderr)
        return 2
    for name, run in parts.items():
        if given.what in ("all", name):
            run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
