"""Whether a book can be believed, on a channel without sequence numbers (Polymarket reference, section 5.5).

``EMPTY -> SNAPSHOT -> LIVE -> SUSPECT -> LIVE``: a snapshot is complete but alone; a change whose best prices
agree with ours, a checksum or a second reading makes the book live; anything that cannot be makes it suspect,
and a suspect book stays so until a whole book that is not older than it has come.
"""

from __future__ import annotations

import enum
from typing import Final

SECOND_NS: Final = 1_000_000_000
CROSSED_NS_MAX: Final = SECOND_NS // 2
"""Between the messages one order causes a book may stand crossed."""
UNKNOWN_DELETES_MAX: Final = 3
MISMATCHES_MAX: Final = 2
"""Of the checksum, in a row: on this channel a single one proves nothing."""
FIRST_BOOK_NS: Final = 5 * SECOND_NS
"""The venue answers a token it does not know with silence."""
RETRY_FIRST_NS, RETRY_NS_MAX = SECOND_NS // 2, 30 * SECOND_NS
PROBE_TRADED_NS, PROBE_NS = 30 * SECOND_NS, 60 * SECOND_NS


class Trust(enum.Enum):
    EMPTY = "empty"
    SNAPSHOT = "snapshot"
    LIVE = "live"
    SUSPECT = "suspect"


class Doubts:
    """What speaks against one book, and when to ask about it."""

    __slots__ = (
        "asked_ns",
        "crossed_ns",
        "delay_ns",
        "due_ns",
        "mismatches",
        "mismatches_max",
        "reason",
        "state",
        "unknown_deletes",
    )

    def __init__(self, now_ns: int) -> None:
        self.state = Trust.EMPTY
        self.reason = "no book yet"
        self.due_ns = now_ns + FIRST_BOOK_NS
        """When to read the book by REST."""
        self.delay_ns = RETRY_FIRST_NS
        self.asked_ns = now_ns
        self.crossed_ns: int | None = None
        self.unknown_deletes = 0
        self.mismatches, self.mismatches_max = 0, MISMATCHES_MAX

    @property
    def intact(self) -> bool:
        return self.state in (Trust.SNAPSHOT, Trust.LIVE)

    def suspect(self, reason: str, now_ns: int) -> bool:
        """Doubt the book; whether that is news. A book that never was stays empty."""
        if not self.intact:
            return False
        self.state, self.reason, self.due_ns = Trust.SUSPECT, reason, now_ns
        return True

    def loaded(self) -> None:
        """A whole book came."""
        self.state, self.reason = Trust.SNAPSHOT, ""
        self.crossed_ns, self.unknown_deletes = None, 0

    def agreed(self, now_ns: int, again_ns: int) -> None:
        """A second source agrees: nothing to ask for a while."""
        if self.state is Trust.SNAPSHOT:
            self.state = Trust.LIVE
        self.due_ns, self.delay_ns = now_ns + again_ns, RETRY_FIRST_NS

    def asked(self, now_ns: int) -> None:
        """A reading is on its way: the next one is due only if it brings nothing."""
        self.asked_ns, self.due_ns = now_ns, now_ns + self.delay_ns
        self.delay_ns = min(RETRY_NS_MAX, self.delay_ns * 2)

    def hashed(self, match: bool) -> bool:
        """Take note of a checksum; true when too many in a row did not match."""
        if match:
            self.mismatches, self.mismatches_max = 0, MISMATCHES_MAX
            if self.state is Trust.SNAPSHOT:
                self.state = Trust.LIVE
            return False
        self.mismatches += 1
        if self.mismatches < self.mismatches_max:
            return False
        # If the book turns out right, the checksum does not hold for this market: ask more seldom.
        self.mismatches, self.mismatches_max = 0, self.mismatches_max * 2
        return True

    def deleted_nothing(self) -> bool:
        """A price that does not rest was deleted; true when that has happened too often."""
        self.unknown_deletes += 1
        return self.unknown_deletes >= UNKNOWN_DELETES_MAX

    def crossing(self, crossed: bool, now_ns: int) -> None:
        if not crossed:
            self.crossed_ns = None
        elif self.crossed_ns is None:
            self.crossed_ns = now_ns

    def stands_crossed(self, now_ns: int) -> bool:
        return self.crossed_ns is not None and now_ns - self.crossed_ns > CROSSED_NS_MAX
