"""The desk at a glance: its venues and their links, its totals, and what start-up still waits for."""

from __future__ import annotations

import msgspec

from core.control.tables.sources import FeedRow, ReleaseRow


class BeatRow(msgspec.Struct, frozen=True, array_like=True):
    """The dead-man switch of a venue that ends our orders when it hears no beat of ours."""

    ends_ns: int | None
    """When it cancels everything at the earliest without a further beat; ``None``: it is not armed."""
    missed: int
    """Beats in a row it has not accepted."""
    why: str
    """Why nothing is opened there; empty while the switch is armed and beats arrive."""


class LinkRow(msgspec.Struct, frozen=True, array_like=True):
    """A venue and its connection. ``state``: ``ok``, ``DOWN``, ``connecting``, ``PAUSED``."""

    venue: str
    state: str
    heartbeat_ns: int
    detail: str
    retry_at_ns: int | None
    sequence: int = 0
    """Number of the last book message applied."""
    lag_ms: int | None = None
    """From the venue's edge into the book, 99th percentile of the last second."""
    opens_wall_ms: int | None = None
    """``PAUSED``: when the venue says that it takes orders again."""
    beat: BeatRow | None = None
    """``None`` where resting orders end by their own expiry."""
    settles_later: bool = False
    """Whether what is bought there can be sold only once its trade is confirmed."""
    halt: str = ""
    """What holds this venue alone back, level and cause; empty for nothing."""
    word: str = ""
    """``PAUSED``: which pause, ``RESTART``, ``POST-ONLY``, ``CXL-ONLY``, ``MAINT`` or ``PAUSED``."""
    traded_ns: int | None = None
    """``PAUSED``: when it last said that it trades, as far as is known."""
    account: str = ""
    """End of the name by which it knows the desk's account."""


class CountsRow(msgspec.Struct, frozen=True, array_like=True):
    """Orders of the P&L day."""

    placed: int
    filled: int
    cancelled: int
    rejected: int
    unknown: int


class StatusRow(msgspec.Struct, frozen=True, array_like=True):
    """Everything the status bar says, once."""

    profile: str
    mode: str
    """``semi`` or ``auto``."""
    level: str
    """``NORMAL``, ``REDUCE_ONLY``, ``HALTED``, ``FLATTENING`` or ``LOCKED``."""
    level_reason: str
    paused: tuple[str, ...]
    """Paused strategies; ``*`` means all entries."""
    starting: tuple[tuple[str, bool], ...]
    """Start-up checklist with a tick each; empty once ready."""
    links: tuple[LinkRow, ...]
    feeds: tuple[FeedRow, ...]
    unknown: int
    exposure: int
    exposure_limit: int
    open_pnl: int | None
    today_pnl: int | None
    orders: int
    order_limit: int
    controller: str
    """Who has control: ``pid 4711 (uid 1000)``; empty when nobody."""
    controller_session: str
    viewers: int
    cash: int | None
    world_origin_ms: int
    real_origin_ms: int
    speed: float
    world_id: str
    replay: str
    """Original dates of a replayed scenario, empty on real data."""
    counts: CountsRow
    best: str
    """Why there is nothing to decide: the best edge and what it lacks."""
    read_ns: int | None
    """When orders and positions were last read completely from the venue; ``None`` = not yet."""
    problem: str
    """A standing fault of the desk itself, such as ``NO JOURNAL`` or ``CLOCK +2.1s``."""
    unattended_until_ns: int | None
    """Automatic mode without a console goes on until then."""
    armed: bool = True
    """Whether entries may leave; false on a desk with real money until it is armed."""
    arm_phrase: str = ""
    """What arming asks to be typed; empty where nothing has to be armed."""
    groups: str = ""
    """Safety groups at the venue: ``armed``, ``triggered`` or ``not armed``."""
    watchdog: str = ""
    """``ok``, ``GONE`` or ``UNFIT``; empty where none is expected."""
    renewals: str = ""
    """Why resting orders are left to die; empty while they are renewed."""
    releases: tuple[ReleaseRow, ...] = ()
    waiting: int = 0
    """Markets whose card finds no room while as many are up as may be."""
    waiting_best: str = ""
    """The best of them with its edge."""
    level_scope: str = ""
    """Where ``level`` holds, as ``resume`` names it: ``desk`` or a venue; empty at ``NORMAL``."""
    level_by: str = ""
    """Who raised ``level``: ``engine`` or a person; empty at ``NORMAL``."""
    level_wall_ms: int | None = None
    """Since when it stands, real time."""
    paused_by: str = ""
    """Who paused last; empty while nothing is paused."""
    paused_wall_ms: int | None = None
    paused_why: str = ""
    """What for, where it was not a person's key."""
    unsettled: int = 0
    """Fills whose trades are matched and may still fail."""
