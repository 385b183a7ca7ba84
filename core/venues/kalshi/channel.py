"""One subscription of the stream: its number, its sequence, and what is awaited of it."""

from __future__ import annotations

from typing import Final

from core.venues.kalshi.books import SECOND_NS

REPLY_NS_MAX: Final = 5 * SECOND_NS


class Channel:
    """One subscription. ``sid`` is ``None`` until the venue confirmed it."""

    __slots__ = ("answered", "deadline_ns", "leaving", "resyncing", "seq", "sid")

    def __init__(self, deadline_ns: int | None = None) -> None:
        self.sid: int | None = None
        self.seq: int | None = None
        self.deadline_ns = deadline_ns
        """When an expected answer counts as missing."""
        self.resyncing = False
        """All its books were asked for anew; ``answered`` once the first of them came."""
        self.answered = False
        self.leaving = False

    def resync(self, now_ns: int) -> None:
        self.resyncing, self.answered, self.deadline_ns = True, False, now_ns + REPLY_NS_MAX

    def settled(self) -> None:
        self.resyncing, self.deadline_ns = False, None
