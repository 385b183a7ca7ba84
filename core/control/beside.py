"""What stands beside the engine in its process, and what becomes of the engine when one of them fails."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.control.ready import ReadyError, read_ready
from core.engine.engine import Engine
from core.engine.operator import ENGINE

WORLD_CHECK_S = 1.0
"""How often the ready line is compared with the world this desk belongs to."""
CONFIG_CHECK_S = 5.0
HEAD_CHECK_S = 60.0
SETTLED_S = 20.0

_log = logging.getLogger(__name__)


class Beside:
    """Runs what stands beside the engine. A fault there ends the engine in order, its orders cancelled."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.fault = ""

    async def run(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:  # noqa: BLE001 - logged, and the whole process ends in order
            _log.exception("%s failed", name)
            self.fault = name
            self._engine.stop(f"{name} failed", ENGINE)


async def settle_memory() -> None:
    """What start-up made stays: without it, full collections of it would stall the loop. Until then nothing
    need be collected."""
    await asyncio.sleep(SETTLED_S)
    gc.collect()
    gc.freeze()
    gc.enable()


async def watch_config(path: Path, engine: Engine) -> None:
    """Warn while the file differs from what the engine started with: no limit in it holds yet."""
    started = _content(path)
    while True:
        await asyncio.sleep(CONFIG_CHECK_S)
        engine.config_changed(changed=_content(path) != started)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


async def tell_head(head: Callable[[], tuple[int, str]], wall_ms: Callable[[], int]) -> None:
    """Log the journal's head at the start and with each new day, for whoever keeps it elsewhere.

    Half of the hash is enough to compare, and is not taken for a secret by the log.
    """
    told = ""
    while True:
        day = datetime.fromtimestamp(wall_ms() / 1000, UTC).date().isoformat()
        if day != told:
            told = day
            seq, found = head()
            _log.info("journal head on %s: row %d %s", day, seq, found[:32])
        await asyncio.sleep(HEAD_CHECK_S)


async def watch_world(path: Path, world: str, engine: Engine) -> None:
    """Halt when another world's simulator takes the place of the one this desk belongs to."""
    seen = ""
    while True:
        await asyncio.sleep(WORLD_CHECK_S)
        try:
            now = read_ready(path).world.id
        except ReadyError:
            continue  # a simulator that is gone shows as a dead link
        if now not in (world, seen):
            seen = now
            engine.halt(
                f"the simulator now plays world {now}, this desk belongs to {world}: "
                "start a fresh desk with pmconsole demo --fresh",
                ENGINE,
            )
