"""What the engine sees of its sources, and the one alarm a family that calls somebody to those that are bad.

A source that is back within the grace has called nobody: streams are opened anew, a busy machine is late.
What rests on a source does not wait for that: a value is used no longer than its own limit allows.
"""

from __future__ import annotations

from collections.abc import Iterable

from core.engine.desk import Desk
from core.engine.state import AlarmLevel
from core.feeds.feed import Feed, FeedHealth, FeedState
from core.journal.events import Kind

GRACE_NS = 30_000_000_000
"""Real time a source may be bad before somebody is called."""
_NEXT = "its next good answer"
_CLEARED_BY = {
    FeedState.DOWN: _NEXT,
    FeedState.STALE: _NEXT,
    FeedState.AUTH: "another key and a restart",
    FeedState.SPENT: "the end of the period its quota counts in",
}
"""Sources somebody should look at, and what ends that."""
_GOOD = (FeedState.OK, FeedState.CLOSED)


class SourceWatch:
    """Looked through once a second."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._bad_since_ns: dict[str, int] = {}
        self._rung: dict[str, frozenset[str]] = {}
        """Whom the standing alarm of a family called somebody to."""

    def look(self, feeds: Iterable[Feed]) -> None:
        """Show and journal what has changed, and ring for what stays bad."""
        desk, now_ns = self._desk, self._desk.clocks.mono_ns()
        for feed in feeds:
            health = feed.health()
            if health.state in _CLEARED_BY:
                self._bad_since_ns.setdefault(health.name, now_ns)
            elif health.state is not FeedState.WAITING or not health.failures:  # opened anew is not back
                self._bad_since_ns.pop(health.name, None)
            before = desk.state.feeds.get(health.name)
            if before == health:
                continue
            desk.state.feeds[health.name] = health
            desk.state.touch_status()
            if before is not None and before.state is not health.state:
                desk.scribe.desk(Kind.FEED, f"{health.name} {health.state.value} {health.detail}".rstrip())
        families: dict[str, list[FeedHealth]] = {}
        for health in desk.state.feeds.values():
            families.setdefault(health.family, []).append(health)
        for family, members in families.items():
            self._ring(family, members, now_ns)

    def _ring(self, family: str, members: list[FeedHealth], now_ns: int) -> None:
        alarms, key = self._desk.alarms, f"feeds {family}"
        since_ns = self._bad_since_ns
        bad = [one for one in members if now_ns - since_ns.get(one.name, now_ns + 1) >= GRACE_NS]
        names = frozenset(one.name for one in bad)
        if alarms.seen(key) and not names <= self._rung.get(family, frozenset()):
            alarms.clear(key)  # it calls anew to what nobody has seen
        if not bad:
            self._rung.pop(family, None)
            alarms.clear(key)
            return
        self._rung[family] = names
        first, *others = bad
        what = f"{first.name} {first.state.value}: {first.detail}"
        if others:
            said = ", ".join(f"{one.name} {one.state.value}" for one in others)
            what = f"{len(bad)} sources of {family}: {what}; {said}"
        effect = "entries that rest on it stop when its data is too old"
        if all(one.state not in _GOOD for one in members):
            effect = f"no source of {family} is good: entries that rest on them stop"
        clears = " and ".join(dict.fromkeys(_CLEARED_BY.get(one.state, _NEXT) for one in bad))
        alarms.raise_(key, AlarmLevel.CHECK, what, effect, clears)
