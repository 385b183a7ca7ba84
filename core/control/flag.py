"""The ``FLATTEN`` file: a stop for whoever has a shell but no console.

Touching it flattens within a quarter of a second. It is renamed with its time once the halt is
durable, so that a restart does not flatten twice; a file found at start halts the desk and asks.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from core.engine.operator import Actor, ActorKind, Outcome

POLL_S = 0.1
_log = logging.getLogger(__name__)


class Stoppable(Protocol):
    """The part of the engine the file can reach."""

    def flatten(self, actor: Actor, *, now: bool = False, sent_ns: int = 0) -> Outcome: ...

    async def halt_written(self) -> bool:
        """Wait until the newest halt is on disk; false when it will not get there."""
        ...


async def watch(path: Path, engine: Stoppable, wall_ms: Callable[[], int], *, found: bool) -> None:
    """Look for the file until cancelled. ``found``: it was there at start and the desk came up halted."""
    seen = False
    while True:
        owner = _owner(path)
        if owner is None:
            seen = False
        elif not seen:
            if not found:
                engine.flatten(Actor(ActorKind.FILE, uid=owner))
            # Without a durable halt the file stays, so that a restart finds it and comes up halted.
            seen = not (await engine.halt_written() and _put_away(path, wall_ms()))
        found = False
        await asyncio.sleep(POLL_S)


def lies_at(path: Path) -> bool:
    """Whether the file is there."""
    return _owner(path) is not None


def _owner(path: Path) -> int | None:
    """Who made the file; ``None`` when there is none. A name that cannot be looked at counts as made."""
    try:
        return path.lstat().st_uid
    except FileNotFoundError:
        return None


def _put_away(path: Path, wall_ms: int) -> bool:
    stamp = datetime.fromtimestamp(wall_ms / 1000, UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    try:
        path.rename(path.with_name(f"{path.name}.{stamp}"))
    except OSError as error:
        _log.warning("cannot rename %s: %s; a restart will come up halted", path, error.strerror)
        return False
    return True
