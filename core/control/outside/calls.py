"""What has to be said outside, and when: judged from the table of alarms, without a clock or a socket.

Every condition somebody must act on is said once, again while nobody has seen it, and once more when
it is over. One that comes and goes within a minute is one. Nothing waits in a queue: what has not been
said stays due, so a receiver that is gone for an hour gets what stands then, with what it has missed.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from core.engine.state import Alarm

OVER_NS = 60_000_000_000
"""What is over for so long is said to be; coming again before, it never was."""
FLOOD = 3
"""So many of one sort are one message."""
BURST_NS = 60_000_000_000
"""In this time no more than ``FLOOD`` messages tell of one sort; then the others do together."""
NAMED = 3
"""Of several so many are told in words."""
CONDITIONS_MAX = 500
"""Beyond it the oldest that are in no table any more go, counted. The table of alarms itself holds fewer."""


class News(enum.Enum):
    RANG = "rang"
    AGAIN = "again"
    OVER = "over"


@dataclass(slots=True)
class Condition:
    """One condition through all its alarms. Times are monotonic nanoseconds."""

    alarm: Alarm
    """The newest one."""
    since_ns: int
    times: int = 1
    over_ns: int | None = None
    """Since when it has been over; ``None`` while it stands."""
    told_ns: int | None = None
    """When it was said last; ``None``: not yet."""
    ended: bool = False
    """Whether it was said to be over."""

    @property
    def text(self) -> str:
        again = f" ({self.times} times)" if self.times > 1 else ""
        return self.alarm.what + again


class Call(NamedTuple):
    """One message: of one condition, or of several."""

    news: News
    about: Sequence[Condition]
    """The first is the oldest."""


class Calls:
    """``look`` at the table often, send what is ``due``, and say what was ``told``."""

    def __init__(self, again_ns: int) -> None:
        self._again_ns = again_ns
        self._of: dict[str, Condition] = {}
        self._said: dict[str, list[int]] = {}
        """When messages told of a sort that is new, by the sort."""
        self.lost = 0
        """Conditions that were over and forgotten before anybody outside was told."""

    def look(self, alarms: Iterable[Alarm], now_ns: int) -> None:
        """Take over what stands, is seen, or is over. ``alarms``: those somebody must act on."""
        newest: dict[str, Alarm] = {}
        for alarm in alarms:
            if alarm.key not in newest or newest[alarm.key].id < alarm.id:
                newest[alarm.key] = alarm
        for key, alarm in newest.items():
            known = self._of.get(key)
            if known is None or (known.ended and known.alarm.id != alarm.id):
                self._of[key] = known = Condition(alarm, alarm.since_ns)
            elif known.alarm.id != alarm.id:
                if known.alarm.acknowledged:  # whoever saw it is called anew
                    known.told_ns, known.since_ns = None, alarm.since_ns
                known.alarm, known.times = alarm, known.times + 1
            if alarm.active:
                known.over_ns = None
        for key, known in list(self._of.items()):
            if known.over_ns is None and (key not in newest or not known.alarm.active):
                known.over_ns = now_ns
            if known.ended and key not in newest:
                del self._of[key]
        gone = [key for key in self._of if key not in newest]
        for key in gone[: max(0, len(self._of) - CONDITIONS_MAX)]:
            self.lost += self._of.pop(key).told_ns is None

    def due(self, now_ns: int) -> Call | None:
        """What to say next: what is new before what is unseen, and that before what is over."""
        known = sorted(self._of.values(), key=lambda one: one.since_ns)
        new = self._new([one for one in known if one.told_ns is None], now_ns)
        if new:
            return Call(News.RANG, new)
        said = [one for one in known if one.told_ns is not None and not one.ended]
        unseen = [one for one in said if one.over_ns is None and not one.alarm.acknowledged]
        again = [one for one in unseen if now_ns - (one.told_ns or 0) >= self._again_ns]
        if again:
            return Call(News.AGAIN, again)
        over = [one for one in said if one.over_ns is not None and now_ns - one.over_ns >= OVER_NS]
        return Call(News.OVER, over) if over else None

    def _new(self, new: Sequence[Condition], now_ns: int) -> Sequence[Condition]:
        """Of what nobody was told yet the oldest, with all of its sort where there are many."""
        for first in new:
            said = [at for at in self._said.get(first.alarm.kind, ()) if now_ns - at < BURST_NS]
            alike = [one for one in new if one.alarm.kind == first.alarm.kind]
            if len(said) < FLOOD:
                return alike if len(alike) >= FLOOD else alike[:1]
        return ()

    def told(self, call: Call, now_ns: int) -> None:
        """The receiver has taken it."""
        for one in call.about:
            one.told_ns = now_ns
            one.ended = one.over_ns is not None and now_ns - one.over_ns >= OVER_NS
        if call.news is News.RANG:
            kind = call.about[0].alarm.kind
            said = [at for at in self._said.get(kind, ()) if now_ns - at < BURST_NS]
            self._said = {sort: at for sort, at in self._said.items() if now_ns - at[-1] < BURST_NS}
            self._said[kind] = [*said, now_ns]
            self.lost = 0


def sentence(call: Call) -> str:
    """What a person reads after who says it and that it rings, or is over."""
    first = call.about[0]
    if len(call.about) == 1:
        return _of_one(call.news, first)
    named = "; ".join(one.text for one in call.about[:NAMED])
    more = f"; and {len(call.about) - NAMED} more" if len(call.about) > NAMED else ""
    what = {
        News.RANG: "alarms of one sort",
        News.AGAIN: "alarms that nobody has seen",
        News.OVER: "alarms",
    }[call.news]
    return f"{len(call.about)} {what}: {named}{more}"


def _of_one(news: News, one: Condition) -> str:
    if news is News.OVER:
        return one.text
    head = "not seen yet: " if news is News.AGAIN else ""
    effect = f"; {one.alarm.effect}" if one.alarm.effect else ""
    clears = f"; clears: {one.alarm.clears}" if one.alarm.clears else ""
    return f"{head}{one.text}{effect}{clears}" + ("; over by now" if one.over_ns is not None else "")
