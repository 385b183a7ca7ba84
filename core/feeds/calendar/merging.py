"""One schedule a kind out of all calendars that know of it, and whether it may be relied on."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from core.feeds.releases import Calendar, Certainty, Due

DAY_MS = 86_400_000
SAME_MS = 7 * DAY_MS
"""Releases of one kind are weeks apart: two dates nearer than this in two calendars are the same one."""
_Rank = tuple[bool, bool, int]
"""Old, not the operator's, and by certainty: the lower the better."""
_RANK = {Certainty.STATED: 0, Certainty.USUAL: 1, Certainty.TENTATIVE: 2}


class Schedule(msgspec.Struct, frozen=True):
    """When one kind of release was and is due, oldest first. ``made_ms`` is that of the newest calendar."""

    kind: str
    due: tuple[Due, ...] = ()
    made_ms: int | None = None
    fault: str = ""
    """Why nothing may rest on it; empty where something may."""

    def last(self, world_ms: int) -> Due | None:
        """The newest one that was due by then."""
        return next((due for due in reversed(self.due) if due.at_ms <= world_ms), None)

    def next(self, world_ms: int) -> Due | None:
        return next((due for due in self.due if due.at_ms > world_ms), None)


def schedule(kind: str, calendars: Iterable[Calendar], world_ms: int) -> Schedule:
    """What is known of one kind. Dates of old calendars go on counting where no better one knows of them:
    one date too many costs a few minutes."""
    knowing = [calendar for calendar in calendars if kind in calendar.kinds]
    dated = [
        ((_old(calendar, world_ms), not calendar.outranks, _RANK[due.certainty]), due)
        for calendar in knowing
        for due in calendar.due
        if due.kind == kind
    ]
    kept: list[tuple[_Rank, Due]] = []
    for rank, due in sorted(dated, key=lambda one: one[0]):
        if not any(_same(due, other, better=better < rank) for better, other in kept):
            kept.append((rank, due))
    merged = tuple(sorted((one for _, one in kept), key=lambda one: one.at_ms))
    ahead = [c for c in knowing if any(one.kind == kind and one.at_ms > world_ms for one in c.due)]
    newest = max(ahead, key=lambda calendar: calendar.stamp.event_ms, default=None)
    if newest is None:
        return Schedule(kind, merged, None, f"no calendar knows the next {kind}")
    fault = ""
    if all(_old(calendar, world_ms) for calendar in ahead):
        days, limit = _age_s(newest, world_ms) // 86_400, newest.stale_after_s // 86_400
        fault = f"the newest calendar of {kind} ({newest.source}) is {days} days old, limit {limit}"
    return Schedule(kind, merged, newest.stamp.event_ms, fault)


def _old(calendar: Calendar, world_ms: int) -> bool:
    return _age_s(calendar, world_ms) > calendar.stale_after_s


def _age_s(calendar: Calendar, world_ms: int) -> int:
    return (world_ms - calendar.stamp.event_ms) // 1000


def _same(due: Due, other: Due, *, better: bool) -> bool:
    """Whether another date stands for this one: at the same instant, or a better one of another calendar.
    Two that are equally good and differ both count."""
    near = better and due.source != other.source and abs(due.at_ms - other.at_ms) < SAME_MS
    return near or due.at_ms == other.at_ms
