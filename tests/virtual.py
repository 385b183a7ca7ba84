"""Virtual time: an event loop whose selector never waits, and the clock that goes with it."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from core.models.calibration import Standing, Verdict
from core.models.pooling import Weights

T = TypeVar("T")

START_WALL_MS = 1_795_377_600_000
"""2026-11-22T20:00:00Z, nine hours before New York's 23 November begins."""

START_LOOP_S = 1_000.0


def trusted(series: str, model: str, usual: Weights) -> Standing:
    """Of a desk that goes by its models alone."""
    return Standing(Verdict.PROVEN, 1.0, "taken for proven by a test")


class DeadlockError(AssertionError):
    """Nothing is scheduled: everything waits for something that cannot come."""


class _Selector(selectors.SelectSelector):
    """Reports nothing ready and lets the loop's time pass instead of waiting."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            waiting = sorted(task.get_name() for task in asyncio.all_tasks(self.loop))
            raise DeadlockError(f"nothing is scheduled; waiting: {', '.join(waiting)}")
        self.loop.now += max(0.0, timeout)
        self.loop.on_step()
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Jumps from one timer to the next."""

    def __init__(self) -> None:
        selector = _Selector()
        selector.loop = self
        self.now = START_LOOP_S
        self.on_step: Callable[[], None] = lambda: None
        """Called whenever time may have passed and nothing has been done about it yet."""
        super().__init__(selector)

    def time(self) -> float:
        return self.now


class VirtualClock:
    """Both real-time clocks of a virtual loop."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def mono_ns(self) -> int:
        return int(self._loop.now * 1e9)

    def wall_ms(self) -> int:
        return START_WALL_MS + int((self._loop.now - START_LOOP_S) * 1000)


def run_virtual(main: Callable[[VirtualLoop], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end on virtual time; leftover tasks are cancelled and awaited."""
    loop = VirtualLoop()
    faults: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: faults.append(context))
    try:
        result = loop.run_until_complete(main(loop))
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left))
    finally:
        loop.close()
    assert not faults, faults
    return result
