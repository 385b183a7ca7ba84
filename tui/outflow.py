"""What goes to the terminal, and how far the terminal is behind with it.

A line can be slow in two ways: writes block, or everything is taken at once into the buffers of a network
and shown much later. A terminal that answers a question for its status has shown all that came before it, so
it is asked once a second behind what is written anyway. One that never answers is judged by its writes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import IO

QUESTION = "\x1b[5n"
ANSWER = "\x1b[0n"
_ASK_EVERY_NS = 1_000_000_000
_LOST_NS = 5_000_000_000
"""An answer that has not come after so long is given up."""


class Outflow:
    """Stands for the terminal's file in the writer thread; its figures are read from others."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self.asks = True
        self._begun_ns = 0
        """When the write that is under way began."""
        self._asked_ns = 0
        self._waits = False
        self._answers = False

    def fileno(self) -> int:
        return self._file.fileno()

    def write(self, text: str) -> None:
        now_ns = time.monotonic_ns()
        if self._waits and now_ns - self._asked_ns > _LOST_NS:
            self._waits = False
        if self.asks and not self._waits and now_ns - self._asked_ns >= _ASK_EVERY_NS:
            text += QUESTION
            self._asked_ns, self._waits = now_ns, True
        self._passed(lambda: self._file.write(text))

    def flush(self) -> None:
        self._passed(self._file.flush)

    def answered(self) -> None:
        """The terminal has shown what was written before the last question."""
        self._waits, self._answers = False, True

    def behind_ns(self) -> int:
        """For how long the terminal has not taken, or not shown, something that was written."""
        now_ns, begun_ns = time.monotonic_ns(), self._begun_ns
        blocked_ns = now_ns - begun_ns if begun_ns else 0
        unseen_ns = now_ns - self._asked_ns if self._waits and self._answers else 0
        return max(blocked_ns, unseen_ns)

    def _passed(self, put: Callable[[], object]) -> None:
        self._begun_ns = time.monotonic_ns()
        try:
            put()
        except OSError:
            return  # the terminal is gone, which its input says to the one who ends the console
        finally:
            self._begun_ns = 0
