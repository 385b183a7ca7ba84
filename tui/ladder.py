"""Key rules while a stop is running: the ladder takes every key, and hardly any does something.

Esc asks, a second Esc within two seconds keeps the positions; ``f`` skips the countdown only after
800 ms without any key, so an operator who goes on typing sells nothing. Once exits are under way a
further Ctrl-X only asks whether they should reach further down, ``u`` says yes, and ``:`` opens the
command line, for an exit that rests at a typed price.
"""

from __future__ import annotations

from enum import Enum

ABORT_WINDOW_NS = 2_000_000_000
QUIET_NS = 800_000_000
HURRY_NS = 10_000_000_000
"""How long after a further Ctrl-X the exits under way can be hurried."""
ANSWER_NS = 3_000_000_000
"""A stop that the engine has not shown after this long gives the keys back."""


class Step(Enum):
    SWALLOW = "swallow"
    JOIN = "join"
    ASK = "ask"
    ABORT = "abort"
    SKIP = "skip"
    HURRY = "hurry"
    TYPE = "type"


class Ladder:
    """State of the keys during one stop."""

    def __init__(self) -> None:
        self._sent_ns = 0
        self._last_key_ns = 0
        self._escape_ns = 0
        self._again_ns = 0
        """When Ctrl-X was pressed again while exits were under way."""

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

    def offers_hurry(self, now_ns: int) -> bool:
        """Whether a further Ctrl-X has asked for it; the confirmation is another key."""
        return self._again_ns > 0 and now_ns - self._again_ns <= HURRY_NS

    def key(self, key: str, arrived_ns: int, *, exiting: bool = False) -> Step:
        """What a key does during a stop; ``exiting``: exits are under way."""
        quiet = arrived_ns - self._last_key_ns >= QUIET_NS
        self._last_key_ns = arrived_ns
        if key == "ctrl+x":
            self._again_ns = arrived_ns if exiting else 0
            return Step.JOIN
        if key == "escape":
            if self.asks(arrived_ns):
                self._escape_ns = 0
                return Step.ABORT
            self._escape_ns = arrived_ns
            return Step.ASK
        self._escape_ns = 0
        if not quiet:
            return Step.SWALLOW
        if exiting:
            if key == "u" and self.offers_hurry(arrived_ns):
                self._again_ns = 0
                return Step.HURRY
            return Step.TYPE if key == "colon" else Step.SWALLOW
        return Step.SKIP if key == "f" else Step.SWALLOW
