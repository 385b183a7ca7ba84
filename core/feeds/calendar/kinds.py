"""The kinds of releases, by the names their publishers use, and when each usually comes.

Usual times: BLS and BEA release schedules, 08:30; the Federal Reserve's statement, 14:00 (New York).
"""

from __future__ import annotations

from datetime import time

import msgspec


class ReleaseKind(msgspec.Struct, frozen=True):
    """``titles`` are what it is called, in lower case; what follows `` for `` in a title is its period."""

    name: str
    titles: tuple[str, ...]
    usual: time
    series: tuple[str, ...] = ()
    """FRED's monthly series in which its print appears: the month before the release's."""


KINDS = (
    ReleaseKind("CPI", ("consumer price index",), time(8, 30), ("CPIAUCSL", "CPIAUCNS")),
    ReleaseKind("JOBS", ("employment situation",), time(8, 30), ("PAYEMS", "UNRATE")),
    ReleaseKind("GDP", ("gross domestic product",), time(8, 30)),
    ReleaseKind("FOMC", ("fomc press release",), time(14, 0)),
)
NAMES = tuple(kind.name for kind in KINDS)


def kind_of(title: str) -> ReleaseKind | None:
    """The kind a publisher's title names. ``Employment Situation of Veterans`` is another release."""
    words = " ".join(title.lower().split())
    return next((kind for kind in KINDS if words.partition(" for ")[0] in kind.titles), None)


def kind_named(name: str) -> ReleaseKind | None:
    """The kind of that short name, however it is typed."""
    return next((kind for kind in KINDS if kind.name == name.strip().upper()), None)
