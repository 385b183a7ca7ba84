"""What the limiter let through, made wait and refused, told once in a while instead of call by call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from core.domain.clock import Clock

QUIET_S: Final = 60.0
"""How often a limiter that only lets through says so."""
SOON_S: Final = 1.0
"""How soon a refusal, a long wait or a 429 is told."""
LONG_WAIT_MS: Final = 100


class Use(msgspec.Struct, frozen=True):
    """What one priority class asked for."""

    name: str
    passed: int = 0
    refused: int = 0
    waited_ms: int = 0
    """The longest wait."""
    reason: str = ""
    """Of the last refusal."""

    def __str__(self) -> str:
        said = [f"{self.name} {self.passed}"]
        if self.waited_ms:
            said.append(f"waited up to {self.waited_ms} ms")
        if self.refused:
            said.append(f"{self.refused} refused ({self.reason})")
        return ", ".join(said)


class LimiterReport(msgspec.Struct, frozen=True):
    """Everything since the report before it. ``throttled`` counts 429s."""

    uses: tuple[Use, ...]
    throttled: int

    def __str__(self) -> str:
        said = "; ".join(map(str, self.uses))
        return said + (f"; {self.throttled} x 429" if self.throttled else "")


class Decisions:
    """Collects, and tells from a timer of the loop."""

    def __init__(self, clock: Clock, tell: Callable[[LimiterReport], None]) -> None:
        self._clock, self._tell = clock, tell
        self._uses: dict[str, Use] = {}
        self._throttled = 0
        self._timer: asyncio.TimerHandle | None = None

    def passed(self, name: str, waited_ns: int) -> None:
        use, waited_ms = self._uses.get(name) or Use(name), waited_ns // 1_000_000
        self._uses[name] = msgspec.structs.replace(
            use, passed=use.passed + 1, waited_ms=max(use.waited_ms, waited_ms)
        )
        self._due(SOON_S if waited_ms >= LONG_WAIT_MS else QUIET_S)

    def refused(self, name: str, reason: str) -> None:
        use = self._uses.get(name) or Use(name)
        self._uses[name] = msgspec.structs.replace(use, refused=use.refused + 1, reason=reason)
        self._due(SOON_S)

    def throttled(self) -> None:
        self._throttled += 1
        self._due(SOON_S)

    def _due(self, delay_s: float) -> None:
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            if self._timer.when() <= loop.time() + delay_s:
                return
            self._timer.cancel()
        self._timer = loop.call_later(delay_s, self._report)

    def _report(self) -> None:
        report = LimiterReport(tuple(self._uses.values()), self._throttled)
        self._uses, self._throttled, self._timer = {}, 0, None
        self._tell(report)
