"""Which rows of the tables a run has used: the transition tables record every move that is looked up."""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Iterator
from typing import Any, TypeVar

from core.domain import lifecycle as tables
from core.execution.differences import Row
from core.execution.points import Point
from core.sim.fault_kinds import FaultKind
from core.sim.plan import RULED, RULED_POLYMARKET
from tests.simulation.polymarket.ways import Way

K = TypeVar("K")
V = TypeVar("V")

TABLES = ("LIFE", "LATE", "COMMAND")


class _Recording(dict[K, V]):
    """The same table; remembers which of its rows were read."""

    def __init__(self, table: dict[K, V]) -> None:
        super().__init__(table)
        self.used: dict[K, None] = {}

    def __getitem__(self, key: K) -> V:
        value = super().__getitem__(key)
        self.used[key] = None
        return value

    def get(self, key: K, default: Any = None) -> Any:
        value = super().get(key, default)
        if key in self:
            self.used[key] = None
        return value


def _name(table: str, key: tuple[enum.Enum, enum.Enum]) -> str:
    return f"{table} {key[0].value} + {key[1].value}"


def every_row() -> tuple[str, ...]:
    """Every row of the transition tables by name."""
    return tuple(_name(name, key) for name in TABLES for key in getattr(tables, name))


def every_difference() -> tuple[str, ...]:
    """Every row of the table of differences."""
    return tuple(sorted((row.value for row in Row), key=lambda name: int(name[1:])))


def every_fault() -> tuple[str, ...]:
    """Every kind of fault that a plan brings about, and cross matches, which need no plan."""
    return tuple(kind.name for kind in FaultKind if kind in (*RULED, *RULED_POLYMARKET, FaultKind.X13))


def every_way() -> tuple[str, ...]:
    """Everything the second venue does by itself."""
    return tuple(way.value for way in Way)


def every_point() -> tuple[str, ...]:
    return tuple(point.value for point in Point)


@contextlib.contextmanager
def recorded() -> Iterator[list[str]]:
    """The rows used within the block; the list is filled at its end."""
    plain = {name: getattr(tables, name) for name in TABLES}
    watched = {name: _Recording(table) for name, table in plain.items()}
    found: list[str] = []
    for name, table in watched.items():
        setattr(tables, name, table)
    try:
        yield found
    finally:
        for name, table in plain.items():
            setattr(tables, name, table)
        found.extend(sorted(_name(name, key) for name, table in watched.items() for key in table.used))
