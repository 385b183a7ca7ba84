"""Where and when the engine's process dies: points of one table, counted as they are passed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import msgspec

from core.execution.points import Point

NUMBERS = (0, 0, 1, 2, 4)
TURN_MAX = 25
"""A point is passed so often at most before its kill."""
RARE = ("flatten", "start")
"""Points few runs pass more than once or twice."""


class Kill(msgspec.Struct, frozen=True):
    """The process dies as it passes ``point`` for the ``turn``-th time."""

    point: Point
    turn: int


def drawn(rng: random.Random) -> tuple[Kill, ...]:
    """The kills of a run, in the order in which they wait."""
    return tuple(_kill(rng) for _ in range(rng.choice(NUMBERS)))


def _kill(rng: random.Random) -> Kill:
    point = rng.choice(list(Point))
    return Kill(point, 1 if point.value.startswith(RARE) else rng.randrange(1, TURN_MAX))


class Reaper:
    """Waits at the points of all kills that are left; ``die`` ends the process."""

    def __init__(self, kills: tuple[Kill, ...], die: Callable[[Point], None]) -> None:
        self._left = list(kills)
        self._die = die
        self._passed: Counter[Point] = Counter()
        self.done: Counter[Point] = Counter()

    def reach(self, point: Point) -> None:
        """The ``reach`` port of the engine, its journal and its transports."""
        if point.value.startswith("start") and not self.done:
            return  # a first start has nothing to repair
        self._passed[point] += 1
        for kill in self._left:
            if kill.point is point and self._passed[point] >= kill.turn:
                self._left.remove(kill)
                self._passed.clear()
                self.done[point] += 1
                self._die(point)
                return

    def wants(self, word: str) -> bool:
        """Whether a kill is left at a point whose name begins so: somebody must get the desk there."""
        return any(kill.point.value.startswith(word) for kill in self._left)
