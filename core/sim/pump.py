"""Drives a venue at a steady rate of messages, and says how many there were."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from core.domain.clock import Clock
from core.sim.scenarios.loader import LoadRules

_BURST_MAX = 2_000
"""Acts of one step: after a stall the pump falls behind instead of flooding."""


class Pump:
    """Driven by ``step``. Starts ``starts_after_s`` after ``begin`` and runs for ``for_s``.

    ``act`` causes one message; ``told`` is what the report says beside the pump's own count.
    """

    def __init__(
        self, rules: LoadRules, real: Clock, act: Callable[[], None], told: Callable[[], Mapping[str, Any]]
    ) -> None:
        self._rules, self._real, self._act, self._told = rules, real, act, told
        self._start_ns: int | None = None
        self._done_ns: int | None = None
        self.sent = 0

    def begin(self) -> None:
        """Someone follows the books: start soon."""
        if self._start_ns is None:
            self._start_ns = self._real.mono_ns() + int(self._rules.starts_after_s * 1e9)

    def step(self) -> bool:
        """Act as often as the rate asks for by now; whether the run has just ended."""
        if self._start_ns is None or self._done_ns is not None:
            return False
        elapsed_s = (self._real.mono_ns() - self._start_ns) / 1e9
        total = int(min(elapsed_s, self._rules.for_s) * self._rules.messages_per_s)
        for _ in range(min(total - self.sent, _BURST_MAX)):
            self._act()
            self.sent += 1
        if elapsed_s >= self._rules.for_s and self.sent >= total:
            self._done_ns = self._real.mono_ns()
        return self._done_ns is not None

    def report(self) -> dict[str, Any]:
        """Messages so far and how long that took, with what the venue tells beside."""
        start_ns, end_ns = self._start_ns, self._done_ns or self._real.mono_ns()
        return {
            "done": self._done_ns is not None,
            "sent": self.sent,
            "elapsed_s": round(max(0, end_ns - start_ns) / 1e9, 3) if start_ns is not None else 0.0,
            **self._told(),
        }
