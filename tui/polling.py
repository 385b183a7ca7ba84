"""A query that a screen repeats while it is open: no frame carries its answer."""

from __future__ import annotations

from collections.abc import Callable

from core.control.protocol import Query
from tui.operator import Operator

ANSWER_NS = 3_000_000_000
"""After so long an answer is given up."""


class Polling:
    """``ask`` is called with every picture, and asks when it is time."""

    def __init__(self, what: str, every_ns: int, show: Callable[[bytes], None]) -> None:
        self._what, self._every_ns, self._show = what, every_ns, show
        self._about: str | None = None
        self._asked_ns = 0
        self._waits = False

    def ask(self, operator: Operator, now_ns: int, about: str = "") -> None:
        """Not while an answer may still come, nor too soon after the last question; about something else at
        once."""
        since_ns = now_ns - self._asked_ns
        if about == self._about and since_ns < max(self._every_ns, ANSWER_NS if self._waits else 0):
            return
        self._about, self._asked_ns = about, now_ns
        self._waits = operator.look(Query(operator.next_id(), self._what, about), self._answered)

    def _answered(self, answer: bytes) -> None:
        self._waits = False
        self._show(answer)
