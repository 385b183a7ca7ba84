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
