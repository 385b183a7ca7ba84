"""Tests of sources an operator asked for: one at a time each, and what the last one found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from core.engine.operator import Outcome, accepted, refused
from core.execution.tasks import Tasks
from core.feeds.feed import Feed, Tried


class Trial(NamedTuple):
    """The last test of a source. ``number`` counts them, so that whoever asked knows its own."""

    number: int
    found: Tried


class Trials:
    """Begins tests and keeps what they found, by the source's name."""

    def __init__(self, tasks: Tasks, feeds: Callable[[], Sequence[Feed]]) -> None:
        self._tasks, self._feeds = tasks, feeds
        self._running: set[str] = set()
        self.last: dict[str, Trial] = {}

    def begin(self, source: str) -> Outcome:
        """Ask a source once; the answer is in ``last`` when it came."""
        feed = next((feed for feed in self._feeds() if feed.health().source == source), None)
        if feed is None:
            return refused(f"There is no source {source[:40]!r}; pmconsole feeds lists them.")
        if source in self._running:
            return refused(f"A test of {source} is under way.")
        self._running.add(source)
        self._tasks.spawn(f"test of {source}", self._try(source, feed))
        return accepted(f"{source} is being tested.")

    async def _try(self, source: str, feed: Feed) -> None:
        try:
            found = await feed.trial()
        finally:
            self._running.discard(source)
        before = self.last.get(source)
        self.last[source] = Trial(before.number + 1 if before is not None else 1, found)
