"""Key rules while a stop is running: the ladder takes every key, and hardly any does something.

Esc asks, a second Esc within two seconds keeps the positions; ``f`` skips the countdown only after
800 ms without any key, so an operator who goes on typing sells nothing.
"""

from __future__ import annotations

from enum import Enum

ABORT_WINDOW_NS = 2_000_000_000
QUIET_NS = 800_000_000
ANSWER_NS = 3_000_000_000
"""A stop that the engine has not shown after this long gives the keys back."""


class Step(Enum):
    SWALLOW = "swallow"
    JOIN = "join"
    ASK = "ask"
    ABORT = "abort"
    SKIP = "skip"


class Ladder:
    """State of the keys during one stop."""

    def __init__(self) -> None:
        self._sent_ns = 0
        self._last_key_ns = 0
        self._escape_ns = 0

    def start(self, now_ns: int) -> None:
        """Ctrl-X was pressed here; until the engine shows the stop, keys already belong to the ladder."""
        self._sent_ns = now_ns
        self._last_key_ns = max(self._last_key_ns, now_ns)

    def waiting(self, now_ns: int) -> bool:
        """Sent, and not yet shown by the engine."""
        return self._sent_ns > 0 and now_ns - self._sent_ns < ANSWER_NS

    def shown(self) -> None:
        """The engine shows the stop; from here its own row says whether it runs."""
        self._sent_ns = 0

    def refused(self) -> None:
        self._sent_ns = 0

    def asks(self, now_ns: int) -> bool:
        """Whether the first Esc still waits for the second."""
        return self._escape_ns > 0 and now_ns - self._escape_ns <= ABORT_WINDOW_NS

    def quiet_ns(self, now_ns: int) -> int:
        return now_ns - self._last_key_ns

    def key(self, key: str, arrived_ns: int) -> Step:
        """What a key does during a stop."""
        quiet = arrived_ns - self._last_key_ns
        self._last_key_ns = arrived_ns
        if key == "ctrl+x":
            return Step.JOIN
        if key == "escape":
            if self.asks(arrived_ns):
                self._escape_ns = 0
                return Step.ABORT
            self._escape_ns = arrived_ns
            return Step.ASK
        self._escape_ns = 0
        return Step.SKIP if key == "f" and quiet >= QUIET_NS else Step.SWALLOW
