"""A drawn line as data: texts with a role each. Panes build lines, widgets paint them.

A role is a word of the theme (``fair``, ``near``, ``blocked``); which colour it has is the theme's
business. Lines compare by value, which is how a pane knows what changed since the last paint.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tui.format import ELLIPSIS


class Span(NamedTuple):
    text: str
    role: str = "text"


Line = tuple[Span, ...]

ROLES = (
    "text",
    "text-muted",
    "title",
    "rule",
    "rule-live",
    "strong",
    "profile-live",
    "profile-safe",
    "fair",
    "edge-trade",
    "edge-none",
    "price-up",
    "price-down",
    "yes",
    "no",
    "gain",
    "loss",
    "stale",
    "near",
    "breach",
    "arming",
    "armed",
    "blocked",
    "unknown",
    "alarm",
    "check",
    "band",
    "stop",
    "key",
    "coach",
    "watermark",
    "good",
)

CURSOR = "cursor"
REVERSED = frozenset({"profile-live", "unknown", "band", "stop"})
"""Roles whose background shows, so they must not spread into the gaps around them."""


def line(*parts: Span | str | tuple[str, str]) -> Line:
    """Spans from texts and (text, role) pairs; empty ones vanish, neighbours of one role join.

    Blank text joins whatever stands before it, because a blank shows no colour.
    """
    spans: list[Span] = []
    joined = last = ""
    for part in parts:
        text, role = (part, "text") if isinstance(part, str) else part
        if not text:
            continue
        if joined and (role == last or (role == "text" and last not in REVERSED and text.isspace())):
            joined += text
            continue
        if joined:
            spans.append(Span(joined, last))
        joined, last = text, role
    if joined:
        spans.append(Span(joined, last))
    return tuple(spans)


def width_of(spans: Iterable[Span]) -> int:
    return sum([len(text) for text, _ in spans])


def plain(spans: Iterable[Span]) -> str:
    return "".join(span.text for span in spans)


def cut(spans: Line, width: int) -> Line:
    """At most ``width`` cells; what is cut ends in ``..``."""
    if width_of(spans) <= width:
        return spans
    kept: list[Span] = []
    room = max(0, width - len(ELLIPSIS))
    for span in spans:
        kept.append(Span(span.text[:room], span.role))
        room -= len(span.text)
        if room <= 0:
            break
    return line(*kept, (ELLIPSIS[:width], kept[-1].role if kept else "text"))


def pad(spans: Line, width: int, role: str = "text") -> Line:
    """Exactly ``width`` cells."""
    missing = width - width_of(spans)
    if missing <= 0:
        return cut(spans, width) if missing else spans
    return (*spans[:-1], *line(*spans[-1:], (" " * missing, role)))


def ends(left: Line, right: Line, width: int) -> Line:
    """``left`` and ``right`` at the two ends of ``width`` cells; the left one gives way."""
    right = cut(right, width)
    room = width - width_of(right) - 1
    if room <= 0:
        return pad(right, width)
    return line(*pad(left, room), " ", *right)


def one_role(spans: Line, role: str) -> Line:
    """The same text with a single role: how stale panes go dim."""
    return line((plain(spans), role))


def flow(groups: Iterable[Line], width: int, gap: int = 3, indent: int = 2) -> list[Line]:
    """Groups side by side with ``gap`` cells between them, wrapped to ``width`` between groups."""
    rows: list[Line] = []
    current: Line = ()
    for group in groups:
        if not group:
            continue
        if not current:
            current = group if not rows else line(" " * indent, *group)
        elif width_of(current) + gap + width_of(group) <= width:
            current = line(*current, " " * gap, *group)
        else:
            rows.append(current)
            current = line(" " * indent, *group)
    if current:
        rows.append(current)
    return [cut(row, width) for row in rows]


def changed_cells(old: Line, new: Line) -> tuple[int, int]:
    """First and one-past-last cell that differ between two lines of equal width; (0, 0) when none."""
    if old == new:
        return 0, 0
    width = width_of(new)
    if width_of(old) != width:
        return 0, max(width_of(old), width)
    return _alike(old, new), width - _alike(_backwards(old), _backwards(new))


def _alike(one: Iterable[Span], other: Iterable[Span]) -> int:
    """How many cells at the beginning are the same."""
    cells = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            return cells + (_alike_text(mine.text, theirs.text) if mine.role == theirs.role else 0)
        cells += len(mine.text)
    return cells


def _alike_text(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (mine, theirs) in pairs if mine != theirs), min(len(one), len(other)))


def _backwards(spans: Line) -> Iterable[Span]:
    return (Span(text[::-1], role) for text, role in reversed(spans))
