"""Two injected clocks: real time for machines and hands, world time for what contracts are about.

Real time is never scaled. World time = origin + speed x elapsed real time; at speed 1 from a
common origin the two are equal, which is the case on real venues.
"""

from __future__ import annotations

import time
from typing import Protocol

import msgspec


class Clock(Protocol):
    """Real time. Implementations live at the process edge (``control/process.py``, tests)."""

    def wall_ms(self) -> int:
        """Unix time in milliseconds, for signatures, ``Date`` and the journal."""
        ...

    def mono_ns(self) -> int:
        """Nanoseconds that only go forward and go on while the machine sleeps, for ages and rates.

        After a suspend everything is as old as it looks. What a loop sleeps for does not go on.
        """
        ...


class WorldClock(msgspec.Struct, frozen=True):
    """World time in Unix milliseconds, derived from the real wall clock."""

    real_origin_ms: int
    world_origin_ms: int
    speed: float = 1.0

    def at(self, wall_ms: int) -> int:
        """World time at a real wall time, both Unix milliseconds."""
        return self.world_origin_ms + int((wall_ms - self.real_origin_ms) * self.speed)

    def real_at(self, world_ms: int) -> int:
        """Real wall time of a world time, both Unix milliseconds."""
        return self.real_origin_ms + int((world_ms - self.world_origin_ms) / self.speed)

    def real_seconds(self, world_seconds: float) -> float:
        """How long a stretch of world time lasts for a machine."""
        return world_seconds / self.speed

    def real_ms(self, world_ms: int) -> int:
        """As ``real_seconds``, in milliseconds."""
        return int(world_ms / self.speed)


REAL_WORLD = WorldClock(real_origin_ms=0, world_origin_ms=0)
"""World time where it equals real time: every venue that is not simulated."""


class Clocks(msgspec.Struct, frozen=True):
    """Both clocks, handed to every room that needs time."""

    real: Clock
    world: WorldClock

    def wall_ms(self) -> int:
        return self.real.wall_ms()

    def mono_ns(self) -> int:
        return self.real.mono_ns()

    def world_ms(self) -> int:
        return self.world.at(self.real.wall_ms())


_MACHINE = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Linux stops its monotonic clock while the machine sleeps and has this one beside it; others do not."""


def machine_ns() -> int:
    """The clock that every process of this machine shares: all ``_ns`` times on the control socket."""
    return time.clock_gettime_ns(_MACHINE)


class SystemClock:
    """The machine's clocks. Built at the process edge only."""

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def mono_ns(self) -> int:
        return machine_ns()
