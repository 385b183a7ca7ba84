"""``python -m tests.bench.fake_desk``: the engine of a home, with many markets whose books move.

Arguments: how many markets, the share of them that changes with each frame, and frames a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from core.config import paths
from core.config.paths import socket_path
from core.control.tables.markets import MarketRow
from tests.desk import rig
from tests.desk.rig import PYTHON
from tests.desk.terminal import wait_for
from tests.tui import rows
from tests.tui.fake_engine import FakeEngine, read_clocks

FIRST_KEY = 1000


@contextlib.contextmanager
def fake_desk(
    markets: int = 0, share: float = 0.0, hz: float = 1.0, *, config: str = ""
) -> Iterator[rig.Desk]:
    """A home whose engine is a process of this module."""
    with rig.home() as home:
        paths.prepare(home.place)
        home.place.config.write_text(config)
        command = [PYTHON, "-m", "tests.bench.fake_desk", str(markets), str(share), str(hz)]
        engine = subprocess.Popen(command, env=home.env)
        try:
            wait_for("engine", 20, socket_path(home.place).exists)
            yield home
        finally:
            engine.terminate()
            engine.wait()


async def _run(path: Path, markets: int, share: float, hz: float) -> None:
    engine = FakeEngine(path)
    await engine.start()
    rng = random.Random(1)
    static, row = rows.statics()[0], rows.markets(read_clocks())[0]
    keys = range(FIRST_KEY, FIRST_KEY + markets)
    statics = tuple(
        msgspec.structs.replace(static, key=key, ticker=f"KXHIGHNY-{key}", label=f"NYC hi Nov23 {key}")
        for key in keys
    )
    every = {key: msgspec.structs.replace(row, key=key) for key in keys}
    told = 0
    due = time.monotonic()
    while True:
        due += 1 / hz
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        if len(engine.hellos) != told:  # whoever came gets all of it, as a first picture would have it
            told = len(engine.hellos)
            engine.send(statics=statics, markets=tuple(every.values()))
        changed = [_moved(every[key], rng) for key in rng.sample(keys, round(markets * share))]
        every |= {one.key: one for one in changed}
        engine.send(markets=tuple(changed))


def _moved(row: MarketRow, rng: random.Random) -> MarketRow:
    step = rng.choice((-100, 100))
    return msgspec.structs.replace(
        row,
        bid=min(9000, max(100, (row.bid or 0) + step)),
        ask=min(9300, max(400, (row.ask or 0) + step)),
        bid_size=rng.randrange(10, 300) * rows.C,
        ask_size=rng.randrange(10, 300) * rows.C,
        fair=rng.randrange(100, 9900),
        edge=rng.randrange(-300, 300),
        message_ms=read_clocks().mono_ns // 1_000_000,
    )


if __name__ == "__main__":
    where = socket_path(paths.profile("demo"))
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run(where, int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])))
