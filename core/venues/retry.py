"""What to do about a call that went wrong: one table, a budget for second tries, and circuit breakers.

The table is the whole policy. A call that may add risk is never repeated once a byte may have left; one
that takes risk away is repeated for ever; a read is tried a few times and then says that it failed.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Mapping
from typing import Final

from core.domain.clock import Clock

SECOND_NS: Final = 1_000_000_000


class CallClass(enum.Enum):
    PLACE = "place"
    """An order that can add risk."""
    REDUCE = "reduce"
    """A reduce-only immediate order: the position bounds what it can do."""
    AMEND = "amend"
    CANCEL = "cancel"
    """One, many, all, or a group."""
    READ = "read"
    """Orders, fills, positions, cash, books."""
    METADATA = "metadata"
    """Markets, limits, the venue's own state."""
    STREAM = "stream"
    """Opening the stream."""


class Trouble(enum.Enum):
    UNSENT = "unsent"
    """Proof that no byte left: no connection, no place in the pool."""
    UNANSWERED = "unanswered"
    """Timeout or reset after the first byte, 408, 5xx."""
    THROTTLED = "throttled"
    """429."""
    REFUSED = "refused"
    """Any other 4xx."""
    DUPLICATE = "duplicate"
    """A conflict that says, or may say, that the order exists already."""
    CLOCK = "clock"
    """The key is accepted, our timestamp is not."""
    CREDENTIAL = "credential"
    """The key is not accepted."""
    UNREADABLE = "unreadable"
    """2xx without what was asked for."""


class Act(enum.Enum):
    NEVER_SENT = "never sent"
    """Proved: may be proposed again."""
    UNKNOWN = "unknown"
    """Worst case counts until the venue has spoken. Never repeated."""
    REJECTED = "rejected"
    """Proved: the order does not exist, the old one stands."""
    AT_ONCE = "at once"
    """Nothing left: once more, on a fresh connection."""
    FOR_EVER = "for ever"
    """Again after 0.25, 0.5, 1, 1 ... s while the order may live; the execution room does it."""
    LOOK_UP = "look up"
    """Not success: ask for the order itself."""
    SOME_TRIES = "some tries"
    """Five in all, with growing pauses."""
    SLOWLY = "slowly"
    """Again, half a minute later at the earliest."""
    INCOMPLETE = "incomplete"
    """Nothing is proved."""
    LOCK = "lock"
    """Nothing works until a person has looked at the key."""


_TABLE = """
call      UNSENT      UNANSWERED  THROTTLED   REFUSED     DUPLICATE   CLOCK       CREDENTIAL  UNREADABLE
PLACE     NEVER_SENT  UNKNOWN     REJECTED    REJECTED    UNKNOWN     REJECTED    REJECTED    UNKNOWN
REDUCE    AT_ONCE     UNKNOWN     REJECTED    REJECTED    UNKNOWN     REJECTED    REJECTED    UNKNOWN
AMEND     NEVER_SENT  UNKNOWN     REJECTED    REJECTED    UNKNOWN     REJECTED    REJECTED    UNKNOWN
CANCEL    AT_ONCE     FOR_EVER    FOR_EVER    LOOK_UP     LOOK_UP     FOR_EVER    FOR_EVER    LOOK_UP
READ      SOME_TRIES  SOME_TRIES  SOME_TRIES  INCOMPLETE  INCOMPLETE  SOME_TRIES  LOCK        INCOMPLETE
METADATA  SOME_TRIES  SOME_TRIES  SOME_TRIES  INCOMPLETE  INCOMPLETE  SOME_TRIES  LOCK        INCOMPLETE
STREAM    FOR_EVER    FOR_EVER    SLOWLY      FOR_EVER    FOR_EVER    FOR_EVER    LOCK        FOR_EVER
"""


def _parsed(table: str) -> Mapping[CallClass, Mapping[Trouble, Act]]:
    head, *rows = (line.split() for line in table.strip().splitlines())
    return {
        CallClass[name]: {Trouble[t]: Act[act] for t, act in zip(head[1:], acts, strict=True)}
        for name, *acts in rows
    }


TABLE: Final = _parsed(_TABLE)

BREAKER_FAILURES: Final = 5
BREAKER_WINDOW_NS: Final = 10 * SECOND_NS
BREAKER_OPEN_NS: Final = 5 * SECOND_NS
NO_BREAKER: Final = frozenset({CallClass.CANCEL, CallClass.STREAM})
"""A cancel is always tried; the stream waits between its tries anyway."""

RETRY_SHARE: Final = 0.1
RETRIES_SAVED_MAX: Final = 10.0


class RetryBudget:
    """Second tries may be a tenth of all calls: a venue in trouble is not asked five times as often."""

    def __init__(self) -> None:
        self._saved = RETRIES_SAVED_MAX

    def called(self) -> None:
        """A call was made for the first time."""
        self._saved = min(RETRIES_SAVED_MAX, self._saved + RETRY_SHARE)

    def take(self) -> bool:
        """Whether one more try may be made now."""
        if self._saved < 1.0:
            return False
        self._saved -= 1.0
        return True


class _Breaker:
    __slots__ = ("failures", "open_until_ns", "probing")

    def __init__(self) -> None:
        self.failures: deque[int] = deque(maxlen=BREAKER_FAILURES)
        self.open_until_ns: int | None = None
        self.probing = False
        """One call is under way to find out whether the venue is back."""


class Breakers:
    """One for each class of calls of a venue: five failures in ten seconds stop the class for five.

    After that a single call finds out whether it works again.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._of = {kind: _Breaker() for kind in CallClass if kind not in NO_BREAKER}

    def refuses(self, kind: CallClass) -> bool:
        """Whether a call must not be made now; when not, ``answered`` or ``failed`` must follow."""
        breaker = self._of.get(kind)
        if breaker is None or breaker.open_until_ns is None:
            return False
        if breaker.probing or self._clock.mono_ns() < breaker.open_until_ns:
            return True
        breaker.probing = True
        return False

    def answered(self, kind: CallClass) -> None:
        """The venue spoke; what it said does not matter here."""
        breaker = self._of.get(kind)
        if breaker is not None:
            breaker.failures.clear()
            breaker.open_until_ns, breaker.probing = None, False

    def failed(self, kind: CallClass) -> None:
        breaker = self._of.get(kind)
        if breaker is None:
            return
        now = self._clock.mono_ns()
        breaker.failures.append(now)
        full = len(breaker.failures) == BREAKER_FAILURES
        if breaker.probing or (full and now - breaker.failures[0] <= BREAKER_WINDOW_NS):
            breaker.open_until_ns, breaker.probing = now + BREAKER_OPEN_NS, False

    def given_up(self, kind: CallClass) -> None:
        """The call was abandoned before anything was learnt."""
        breaker = self._of.get(kind)
        if breaker is not None:
            breaker.probing = False
