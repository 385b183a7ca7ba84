"""What stands between our record and the venue's: the table of differences and their life.

Each kind of difference is a row with a policy: who wins is the business of whoever finds it, what it
halts and when is written here. A difference is shown at once and acted on when a second complete
reading, three seconds later or more, still has it; at start-up at once.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec

from core.risk.halts import Level, ScopeKind

AGAIN_NS = 3_000_000_000
UNSETTLED_NS = 60_000_000_000
"""A difference this old is acted on even where the market never comes to rest."""


class Row(enum.Enum):
    MISSED_FILL = "R1"
    """The venue has a fill of our order that was never told: applied."""
    UNLISTED_FILL = "R2"
    """We hold a fill the venue's list or count lacks: lists lag, so ours stands for now."""
    COUNTED_FILL = "R3"
    """The venue counts more than the fills it told: they are fetched, never invented."""
    UNLISTED_ORDER = "R4"
    """An order of ours the venue neither lists nor knows by id."""
    RESURRECTED = "R5"
    """An order that was over here rests there, or one of ours without an intent."""
    UNKNOWN_FOUND = "R6"
    EXTERNAL_ORDER = "R7"
    EXTERNAL_FILL = "R8"
    POSITION = "R9"
    """Every fill agrees and the position does not."""
    OTHER_SIDE = "R10"
    """We count one side, the venue the other."""
    UNSETTLED = "R11"
    """The market is over: either the position is gone there and no settlement has come, or the payout is
    booked here and the list still shows the position."""
    FAILED_TRADE = "R12"
    """A trade of ours failed to settle: its fills never were, on a venue that settles later."""
    CASH = "R13"
    FEE = "R14"
    MARKET_STATE = "R15"
    TWO_CONTENTS = "R16"
    OVERFILL = "R17"
    LIMITS = "R18"
    RESIZED = "R19"
    """Somebody has changed the size of an order of ours at the venue: its word counts at once."""


class Policy(NamedTuple):
    """What a row does while it stands (``restrains``) and once it is acted on (``halts``)."""

    halts: Level | None = None
    scope: ScopeKind = ScopeKind.MARKET
    restrains: bool = True
    """The market takes no entries while it stands."""
    after_ns: int = 0
    """Acted on only at this age, even at start-up."""


POLICY: dict[Row, Policy] = {
    Row.UNLISTED_FILL: Policy(Level.HALTED, restrains=False, after_ns=60_000_000_000),
    Row.COUNTED_FILL: Policy(Level.HALTED, restrains=False, after_ns=30_000_000_000),
    Row.UNLISTED_ORDER: Policy(Level.HALTED),
    Row.RESURRECTED: Policy(Level.HALTED),
    Row.EXTERNAL_FILL: Policy(Level.REDUCE_ONLY, ScopeKind.VENUE),
    Row.POSITION: Policy(Level.HALTED, ScopeKind.VENUE),
    Row.OTHER_SIDE: Policy(Level.HALTED, ScopeKind.GLOBAL),
    Row.UNSETTLED: Policy(),
    Row.CASH: Policy(Level.REDUCE_ONLY, ScopeKind.VENUE),
}
"""The rows a reading can find standing. The others are facts: told once and over."""


class About(enum.Enum):
    """What is compared. A position keeps its age when its row changes."""

    ORDER = "order"
    FILL = "fill"
    POSITION = "position"
    CASH = "cash"


class Key(NamedTuple):
    about: About
    ticker: str = ""
    """Empty for cash."""
    subject: str = ""
    """Order or trade id; empty for a position."""


class Difference(msgspec.Struct, frozen=True):
    """One disagreement, both sides in words."""

    key: Key
    row: Row
    ours: str
    theirs: str
    first_ns: int
    reads: int = 1
    acted: bool = False

    def __str__(self) -> str:
        about, ticker, subject = self.key
        where = " ".join(filter(None, (about.value, ticker, subject[-12:])))
        return f"{where}: we say {self.ours}, the venue says {self.theirs}"

    @property
    def blocks(self) -> bool:
        """Whether the account does not agree while it stands. A payout may be long in coming."""
        return self.row is not Row.UNSETTLED


class Differences:
    """The standing ones. A reading calls ``begin``, ``saw`` and ``skip``, then ``conclude``."""

    def __init__(self) -> None:
        self.standing: dict[Key, Difference] = {}
        self._covered: frozenset[About] = frozenset()
        self._seen: dict[Key, tuple[Row, str, str]] = {}
        self._proved: set[Key] = set()
        self._skipped: set[tuple[About, str]] = set()

    def begin(self, covered: Iterable[About]) -> None:
        """A reading starts that will compare these; what stands elsewhere is left alone."""
        self._covered = frozenset(covered)
        self._seen, self._proved, self._skipped = {}, set(), set()

    def saw(self, row: Row, key: Key, ours: str, theirs: str, *, proved: bool = False) -> None:
        """This reading shows it; ``proved``: by more than a list, so that no second reading is needed."""
        self._seen[key] = (row, ours, theirs)
        if proved:
            self._proved.add(key)

    def skip(self, about: About, ticker: str = "") -> None:
        """This could not be compared: an earlier difference there stands, and counts neither way."""
        self._skipped.add((about, ticker))

    @property
    def racing(self) -> bool:
        """Whether the reading had to leave out a market that moved meanwhile."""
        return any(ticker for _, ticker in self._skipped)

    def conclude(self, now_ns: int, *, startup: bool, settled: Callable[[str], bool]) -> list[Difference]:
        """End a complete reading; what must be acted on now, each once.

        ``settled`` says whether a market has rested long enough for the venue's lists to have caught up.
        """
        kept = {
            key: known
            for key, known in self.standing.items()
            if key.about not in self._covered or (key.about, key.ticker) in self._skipped
        }
        acted = []
        for key, (row, ours, theirs) in self._seen.items():
            known = self.standing.get(key)
            first_ns, reads = (known.first_ns, known.reads + 1) if known is not None else (now_ns, 1)
            age_ns = now_ns - first_ns
            policy = POLICY[row]
            rested = settled(key.ticker) or age_ns >= UNSETTLED_NS
            repeated = reads > 1 and age_ns >= AGAIN_NS and rested
            act = (startup or repeated or key in self._proved) and age_ns >= policy.after_ns
            # A position that turns from a wrong count into the wrong side is acted on again.
            done = known is not None and known.acted and known.row is row
            kept[key] = difference = Difference(key, row, ours, theirs, first_ns, reads, done or act)
            if act and not done:
                acted.append(difference)
        self.standing = kept
        return acted

    def in_market(self, ticker: str) -> Difference | None:
        """What keeps entries out of a market, ``None`` when nothing does."""
        return next(
            (d for d in self.standing.values() if d.key.ticker == ticker and POLICY[d.row].restrains), None
        )

    def drop(self, key: Key) -> None:
        """An operator has accepted the venue's word."""
        self.standing.pop(key, None)
