"""From the start of ``pmconsole attach`` until its Desk shows prices, against an empty app's first paint."""

from __future__ import annotations

import re
import statistics
import time
from typing import NamedTuple

from tests.bench.fake_desk import fake_desk
from tests.desk.rig import PYTHON, cpu_seconds
from tests.desk.terminal import Terminal

RUNS = 20
PRICE = re.compile(rb"38\.2")
PAINTED = re.compile(rb"\x1b\[1;1H")
"""Where a first frame begins."""
EMPTY = "from textual.app import App; App().run()"


class Start(NamedTuple):
    seconds: float
    cpu_s: float


def report(runs: int = RUNS) -> str:
    """Both in turns; medians of the times and of the CPU, which a busy machine disturbs less."""
    with fake_desk() as home:
        ours: list[Start] = []
        empty: list[Start] = []
        for _ in range(runs + 1):  # the first of each finds its files cold
            ours.append(_start([PYTHON, "-m", "tui.cli", "attach"], home.env, PRICE))
            empty.append(_start([PYTHON, "-c", EMPTY], home.env, PAINTED))
    times, cpus = ([tuple(one)[at] for one in ours[1:]] for at in (0, 1))
    their_times, their_cpus = ([tuple(one)[at] for one in empty[1:]] for at in (0, 1))
    middle = statistics.median
    return (
        f"cold start to prices {middle(times):.2f} s, an empty app's first paint "
        f"{middle(their_times):.2f} s: {middle(times) / middle(their_times):.2f} times as long; "
        f"of CPU {middle(cpus):.2f} s and {middle(their_cpus):.2f} s: "
        f"{middle(cpus) / middle(their_cpus):.2f} times"
    )


def _start(argv: list[str], env: dict[str, str], shown: re.Pattern[bytes]) -> Start:
    begun_ns = time.monotonic_ns()
    terminal = Terminal(argv, env, 80, 24)
    try:
        while not (found := [chunk for chunk in terminal.chunks if shown.search(chunk.data)]):
            assert terminal.process.poll() is None, terminal.said()
            time.sleep(0.002)
        return Start((found[0].at_ns - begun_ns) / 1e9, cpu_seconds(terminal.process.pid))
    finally:
        terminal.process.kill()
        terminal.close()
