"""Sources of data: how each is, what may still be asked of it, and what it told."""

from __future__ import annotations

import msgspec


class BudgetRow(msgspec.Struct, frozen=True, array_like=True):
    """One quota of a provider."""

    left: int
    most: int
    unit: str
    """``calls`` or ``credits``."""
    per: str
    """``second``, ``minute``, ``hour``, ``day`` or ``month``."""
    whole_world_ms: int
    """When all of it is there again."""


class FeedRow(msgspec.Struct, frozen=True, array_like=True):
    """A source. ``state``: ``ok``, ``closed``, ``WAITING``, ``STALE``, ``DOWN``, ``AUTH``, ``SPENT`` or
    ``OFF``."""

    name: str
    state: str
    newest_world_ms: int | None
    received_ns: int | None
    stale_after_s: int
    retry_at_ns: int | None
    detail: str
    """Its last error, or what is awaited or old; of one that is off why, and what turns it on."""
    source: str = ""
    """Its name in the configuration and on the command line."""
    family: str = ""
    latency_ms: int | None = None
    """Of its last answer; of one that tells by itself from the value's own time to its receipt."""
    budget: tuple[BudgetRow, ...] = ()
    unchanged: int = 0
    """Answers in a row that said nothing new."""
    apart_bp: float | None = None
    """How far its quotes are from the nearest other source's of the same name, at worst; ``None``: nobody
    else has one."""
    too_far: bool = False
    """More than two honest sources of a currency pair differ."""


class FixtureRow(msgspec.Struct, frozen=True, array_like=True):
    """A market of this desk and the game it is about, or may be."""

    ticker: str
    source: str
    game: str
    """The source's id of it."""
    home: str
    away: str
    starts_world_ms: int
    team: str
    """Whose win the market pays; empty where its words leave that open."""
    confirmed: bool
    confidence: float
    """Of a suggestion, 0 to 1."""
    why: str


class ToldRow(msgspec.Struct, frozen=True, array_like=True):
    """One value as a source told it last."""

    source: str
    about: str
    """``EUR/USD``, ``DVOL BTC``, a game or a release."""
    said: str
    event_world_ms: int
    stale_after_s: int
    """0 where it does not grow old."""


class SourceRow(msgspec.Struct, frozen=True, array_like=True):
    """One source in full, asked for: too much for a frame."""

    source: str
    gives: str
    credit: str
    """Who made the data, where its licence asks for it."""
    costs: str
    """What a test of it asks and costs."""
    tests: int
    """How many tests have ended."""
    passed: bool
    """Of the last of them."""
    found: str
    values: tuple[ToldRow, ...]


class ReleaseRow(msgspec.Struct, frozen=True, array_like=True):
    """A kind of economic release. ``state``: ``clear``, ``BLACKOUT``, ``PENDING``, ``UNKNOWN``."""

    kind: str
    state: str
    last_world_ms: int | None
    """When the newest one was due."""
    next_world_ms: int | None
    certainty: str
    """How the next one's time is known: ``stated``, ``usual time`` or ``tentative``."""
    source: str
    """Whose calendar says so."""
    made_world_ms: int | None
    """When the newest calendar that knows the next one was made."""
    detail: str
    """Why no calendar can be relied on; empty where one can."""
    before_s: int
    after_s: int
    """World seconds around its time in which nothing is opened where it moves prices."""
    markets: int
    """Of this desk, that it moves."""
