"""Economic releases: when they are due, how sure that is, and that they have come."""

from __future__ import annotations

import enum

import msgspec

from core.feeds.feed import Stamp


class Certainty(enum.Enum):
    """How the time of a release is known."""

    STATED = "stated"
    """Date and time of day are the publisher's."""
    USUAL = "usual time"
    """The date is published, the time of day is the usual one."""
    TENTATIVE = "tentative"


class Due(msgspec.Struct, frozen=True):
    """One release of one kind (``CPI``, ``JOBS``, ``GDP``, ``FOMC``)."""

    kind: str
    at_ms: int
    """World time."""
    certainty: Certainty
    source: str
    out: bool = False
    """Whether its source says that its figures are out."""


class Centre(enum.Enum):
    """Whose expectation of a figure it is."""

    CONSENSUS = "consensus"
    NOWCAST = "nowcast"
    OWN = "own"


class View(msgspec.Struct, frozen=True):
    """What a figure is expected to be, as the operator entered it: no free source tells of it."""

    kind: str
    """Of the figure, ``CPI`` or ``JOBS``; see ``core/feeds/calendar/views.py``."""
    released: str
    """New York's date on which it comes, ``YYYY-MM-DD``."""
    centre: Centre
    value: float
    sd: float | None
    """Standard deviation of the figure around it, where the operator says one."""
    source: str
    """Where the operator has it from."""
    entered: str
    """New York's date on which it was entered."""


class Views(msgspec.Struct, frozen=True):
    """All views of a file, in its order. ``stamp.event_ms`` is when it was read."""

    source: str
    views: tuple[View, ...]
    stamp: Stamp


class Calendar(msgspec.Struct, frozen=True):
    """All coming and lately past releases a source knows. ``stamp.event_ms`` is when it was made."""

    source: str
    kinds: tuple[str, ...]
    """What it claims to be complete for."""
    due: tuple[Due, ...]
    stamp: Stamp
    stale_after_s: int
    outranks: bool = False
    """The operator's own: where it differs from a publisher's it is right."""
