"""What is said outside this machine: one plain sentence, and its parts for whoever sorts them.

Common receivers show ``text``. Nothing here can be approved, followed or typed as a command; whatever
a venue has named goes out as clean text without a receiver's own marks.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from core.domain.text import clean_text

PART_MAX, TEXT_MAX = 400, 1_200
ACT, OVER, ALIVE, TEST = "ACT", "OVER", "ALIVE", "TEST"
_MARKS = str.maketrans({"<": "‹", ">": "›", "@": "(at)", "`": "'"})
"""Chat programs make links, mentions and code of them."""


class Message(msgspec.Struct, frozen=True):
    text: str
    level: str
    """``ACT``, ``OVER`` what was, ``ALIVE`` once a day, or ``TEST``."""
    what: str
    effect: str
    clears: str
    since: str
    """Real time, RFC 3339."""
    profile: str
    mode: str
    """``semi`` or ``auto``; empty where nobody knows."""
    id: str
    """The same for everything that is said of one condition."""


def plain(text: str, chars_max: int = PART_MAX) -> str:
    """A text that no receiver takes for more than it is."""
    return clean_text(text, chars_max).translate(_MARKS)


class Who(NamedTuple):
    """Who says it."""

    profile: str
    mode: str
    """``semi`` or ``auto``; empty where nobody knows."""
    run: str
    """Of the engine: its alarms are numbered from one."""


def message(
    who: Who,
    level: str,
    said: str,
    *,
    about: str,
    since_ms: int,
    what: str = "",
    effect: str = "",
    clears: str = "",
) -> Message:
    """``said``: the sentence without who says it; ``about``: what its id is made of; ``what``: the condition
    alone, where it is not all that is said."""
    return Message(
        plain(f"pmconsole {who.profile} {level}: {said}", TEXT_MAX),
        level,
        plain(what or said),
        plain(effect),
        plain(clears),
        datetime.fromtimestamp(since_ms // 1000, UTC).isoformat().replace("+00:00", "Z"),
        who.profile,
        who.mode,
        f"{who.run}-{about}",
    )
