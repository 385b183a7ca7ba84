"""Everything the desk knows now, as plain values a snapshot can read in the same loop step.

Written by the engine's own modules only. Each table has a ``Changes`` log, so that several readers
find the rows that changed since they last looked. Books and how each venue stands are read from its
seat (``seat.py``); a book change touches ``markets``. Orders, positions and external orders live in the
ledger (``core/execution/ledger.py``), proposals in the approvals (``core/execution/approvals.py``), the
running stop in ``core/execution/stop.py``; this module ties them together.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from core.domain.market import Market, Venue
from core.domain.units import Money, Price, Quantity
from core.engine.history import Track
from core.execution.changes import Changes
from core.feeds.feed import FeedHealth
from core.feeds.merge import Apart
from core.journal.events import Row
from core.journal.projections import Pair, PairKey, Paused, PlanNoted
from core.models.fair_value import EventFair, FairValue
from core.risk.halts import Halts, HaltScope
from core.risk.limits import LiveLimits
from core.risk.trips import Trip
from core.strategy.assess import Assessment
from core.venues.venue import Print


class Mode(enum.Enum):
    SEMI = "semi"
    AUTO = "auto"


class WatchdogSeen(msgspec.Struct, frozen=True):
    """What the watchdog said of itself last."""

    pid: int
    unfit: str
    """Why it could not cancel now; empty when it can."""
    struck_ms: int | None
    """When it last cancelled everything, real wall time."""
    receipt: str


ALL_STRATEGIES = "*"
"""In the set of paused strategies: all entries."""
TAPE_MAX = 30
"""Public trades kept of each market."""


class AlarmLevel(enum.Enum):
    ACT = "ACT"
    CHECK = "CHECK"
    NOTE = "NOTE"


class Shelf(msgspec.Struct, frozen=True):
    """An alarm that is listed and nothing more for a time."""

    by: str
    reason: str
    until_ns: int
    """Monotonic; the time it ends by."""
    until_wall_ms: int
    """The same for a person."""


@dataclass(slots=True)
class Alarm:
    """One condition worth a person's eyes. It stays until its cause clears and, if ACT, someone saw it."""

    id: int
    level: AlarmLevel
    since_world_ms: int
    since_ns: int
    what: str
    effect: str
    clears: str
    acknowledged: bool = False
    active: bool = True
    scope: HaltScope | None = None
    """The halt it calls somebody to: a resume asks whether it was seen, and ends it."""
    key: str = ""
    """The condition, the same for all its alarms; its first word is the sort of it."""
    times: int = 1
    """How often it came, where it goes and comes again."""
    shelf: Shelf | None = None
    """Who has put it aside and until when; it counts nowhere while it lies there."""

    @property
    def kind(self) -> str:
        """What conditions of its sort have in common: floods of them are one line."""
        return self.key.partition(" ")[0]


@dataclass(slots=True)
class MarketState:
    """One market of the desk. ``key`` stands for the ticker in frames, stable for the process."""

    key: int
    market: Market
    fair: FairValue | None = None
    """``None`` where there is no price, also where there was one."""
    edge: Price | None = None
    """Best net edge at the price and size the strategy would really use."""
    edge_word: str = ""
    """``stale`` or ``quar`` instead of an edge, else empty."""
    volume: Quantity | None = None
    """What has traded there so far, as its venue counts it; see ``VenueGateway.volumes``."""
    why_not: str = ""
    """What the best edge lacks to become a proposal, one clause; empty when it is one."""
    unpooled_ns: int | None = None
    """Since when its event's books have said too little for its fair value to be traded on; ``None`` while
    they say enough."""
    assessed: Assessment | None = None
    """What the strategy found there when it looked last."""
    fair_hour: list[tuple[int, float]] = field(default_factory=list)
    """World time and probability of past versions within the hour, oldest first."""
    track: Track = field(default_factory=lambda: Track(4))
    """Bid, ask, fair value and its standard error over time, see ``core/engine/history.py``."""
    tape: deque[Print] = field(default_factory=lambda: deque(maxlen=TAPE_MAX))
    """What traded there last, whoever traded, oldest first."""

    def change(self) -> Price | None:
        """Fair value change over the last hour of world time."""
        if self.fair is None or not self.fair_hour:
            return None
        return Price(round((self.fair.probability - self.fair_hour[0][1]) * 10_000))


@dataclass(slots=True)
class EventState:
    """One event: its ladder of markets and the model's word on it."""

    ticker: str
    label: str
    markets: list[str] = field(default_factory=list)
    """Tickers, lowest bracket first."""
    fair: EventFair | None = None
    """The newest ladder there was, for the screen and the record: while ``refusal`` says why it is no price
    any more, nothing may be decided by it."""
    refusal: str = ""
    """Why there is no fair value; empty when there is one."""
    refused_ms: int | None = None
    """World time since which there has been none, ``None`` while there is one."""
    score: str = ""
    """Model against book on settled days; empty without a record."""

    def last(self, ticker: str) -> FairValue | None:
        """The newest value of one of its markets that there was."""
        values = self.fair.values if self.fair is not None else ()
        return next((value for value in values if value.ticker == ticker), None)


@dataclass(slots=True)
class DayCounts:
    """Orders of the P&L day."""

    placed: int = 0
    filled: int = 0
    cancelled: int = 0
    rejected: int = 0


@dataclass(slots=True)
class DeskState:
    """The desk. Tables by natural key; ``status`` counts changes of everything the status bar says."""

    profile: str
    world_id: str
    limits: LiveLimits
    halts: Halts = field(default_factory=Halts)
    mode: Mode = Mode.SEMI
    paused: set[str] = field(default_factory=set)
    last_pause: Paused | None = None
    """Who paused last; of what is not paused any more it says nothing."""
    trips: dict[str, Trip] = field(default_factory=dict)
    """What switched itself off, by key."""
    armed: bool = True
    """Whether entries may leave at all; a desk with real money starts without."""
    arm_phrase: str = ""
    """What arming asks to be typed; empty where nothing has to be armed."""
    accounts: Mapping[Venue, str] = field(default_factory=dict)
    """What each venue knows the desk's account by."""
    starting: dict[str, bool] = field(default_factory=dict)
    """Start-up checklist in order, a tick each; emptied once ready."""
    ready: bool = False
    """Whether an account has been read; each seat knows whether its own was."""
    markets: dict[str, MarketState] = field(default_factory=dict)
    events: dict[str, EventState] = field(default_factory=dict)
    feeds: dict[str, FeedHealth] = field(default_factory=dict)
    apart: Mapping[str, Apart] = field(default_factory=dict)
    """How far a source's quotes are from the others', by its name."""
    alarms: dict[int, Alarm] = field(default_factory=dict)
    counts: DayCounts = field(default_factory=DayCounts)
    pairs: dict[PairKey, Pair] = field(default_factory=dict)
    """Linked as the same question on two venues."""
    plans: dict[str, PlanNoted] = field(default_factory=dict)
    """Plans of which something may be held, by the id of their card."""
    plan_word: str = ""
    """What arbitrage scans find now; empty while they are off."""
    last_events: dict[str, tuple[Row, ...]] = field(default_factory=dict)
    """What happened last in a market whose position differs, oldest first, by ticker."""
    open_pnl: Money | None = None
    today_pnl: Money | None = None
    today: dict[str, Money] = field(default_factory=dict)
    """P&L of the world day by ticker."""
    relied: dict[str, int | None] = field(default_factory=dict)
    """Positions held while their model counted beside the market, by ticker; world time since which it does
    not, ``None`` while it does."""
    exit_rules: dict[str, str] = field(default_factory=dict)
    """What would close a position, in words, by ticker."""
    controller: str = ""
    controller_session: str = ""
    viewers: int = 0
    unattended_until_ns: int | None = None
    watchdog: WatchdogSeen | None = None
    """``None``: none answers, or none is expected."""
    best: str = ""
    """Why there is nothing to decide."""
    waiting: int = 0
    """Markets whose card waits for room in the queue."""
    waiting_best: str = ""
    """The best of them with its edge."""
    problem: str = ""
    replay: str = ""

    status: int = 0
    changed_markets: Changes[str] = field(default_factory=Changes)
    changed_events: Changes[str] = field(default_factory=Changes)
    changed_alarms: Changes[int] = field(default_factory=Changes)
    changed_proposals: Changes[str] = field(default_factory=Changes)
    changed_pairs: Changes[PairKey] = field(default_factory=Changes)
    limit_changes: int = 0
    """Counts changes of limits and of what is used of them."""
    flatten_changes: int = 0
    """Counts changes of the stop ladder."""

    def touch_status(self) -> None:
        self.status += 1
