"""Conditions worth a person's eyes, one alarm for each, however often it is reported.

``ACT`` wants somebody now and stays until seen; ``CHECK`` is looked at in passing; ``NOTE`` is told
once and passes by itself. A ``CHECK`` can be shelved for a time: it is listed and rings for nobody,
however often it comes and goes, until the time is over or it gets worse. A restart shelves nothing.
"""

from __future__ import annotations

from collections.abc import Container

from core.domain.clock import Clocks
from core.engine.record import Scribe
from core.engine.state import Alarm, AlarmLevel, DeskState, Shelf
from core.journal.events import Kind
from core.risk.halts import HaltScope

ALARMS_MAX = 200
"""The oldest that nobody needs any more go first, what somebody must act on and has not seen last."""
NOTE_SHOWN_NS = 120_000_000_000
CLEARED_SHOWN_NS = 60_000_000_000
RESUME = "resume"
"""In ``Alarm.clears``: it stands until the operator resumes its scope."""
DROPPED = "alarms dropped"
SHELF_MIN_MAX = 480
"""Minutes an alarm may be shelved at most: a day's shift, so that nobody inherits another's silence."""
_MINUTE_NS = 60_000_000_000
_RANK = {AlarmLevel.NOTE: 0, AlarmLevel.CHECK: 1, AlarmLevel.ACT: 2}


class Alarms:
    """Raises, clears and acknowledges alarms by a key of the condition."""

    def __init__(self, state: DeskState, scribe: Scribe, clocks: Clocks) -> None:
        self._state = state
        self._scribe = scribe
        self._clocks = clocks
        self._by_key: dict[str, int] = {}
        self._over: dict[str, int] = {}
        """What nobody has to act on and is over, while it is shown: coming again it is the same."""
        self._next = 1
        self._dropped = 0
        """Unseen ``ACT`` alarms that had to make room since somebody last saw that there are such."""

    def raise_(
        self,
        key: str,
        level: AlarmLevel,
        what: str,
        effect: str = "",
        clears: str = "",
        ticker: str = "",
        *,
        scope: HaltScope | None = None,
    ) -> None:
        """Report a condition. The same condition again only updates the words, unless it got worse; one that
        comes and goes is told once until it is seen or not shown any more, unless somebody must act on it.

        The first word of ``key`` is the sort of condition it is.
        """
        standing = self._state.alarms.get(self._by_key.get(key, 0))
        if standing is not None and standing.active and _RANK[level] > _RANK[standing.level]:
            self.clear(key)
        elif standing is not None and standing.active:
            if (standing.what, standing.effect, standing.clears) != (what, effect, clears):
                standing.what, standing.effect, standing.clears = what, effect, clears
                self._state.changed_alarms.touch(standing.id)
            return
        if self._again(key, level, what, effect, clears):
            return
        alarm = Alarm(
            id=self._next,
            level=level,
            since_world_ms=self._clocks.world_ms(),
            since_ns=self._clocks.mono_ns(),
            what=what,
            effect=effect,
            clears=clears,
            active=level is not AlarmLevel.NOTE,
            scope=scope,
            key=key,
        )
        self._next += 1
        self._by_key[key] = alarm.id
        self._state.alarms[alarm.id] = alarm
        self._state.changed_alarms.touch(alarm.id)
        self._scribe.desk(Kind.ALARM, f"{level.value} {what}", ticker=ticker, effect=effect)
        self._make_room()

    def _again(self, key: str, level: AlarmLevel, what: str, effect: str, clears: str) -> bool:
        """Whether it was over, shelved or unseen, and nobody has to act on it: it stands again."""
        before = self._state.alarms.get(self._over.pop(key, 0))
        if before is None:
            return False
        if level is not AlarmLevel.CHECK:
            before.shelf = None
            return False
        if before.acknowledged and before.shelf is None:
            return False
        before.what, before.effect, before.clears = what, effect, clears
        before.active, before.since_ns = True, self._clocks.mono_ns()
        before.times += 1
        self._by_key[key] = before.id
        self._state.changed_alarms.touch(before.id)
        return True

    def clear(self, key: str) -> None:
        """The condition is over. An ACT alarm nobody saw stays on screen, marked as over."""
        alarm = self._state.alarms.get(self._by_key.pop(key, 0))
        if alarm is not None and alarm.active:
            alarm.active = False
            alarm.since_ns = self._clocks.mono_ns()
            self._state.changed_alarms.touch(alarm.id)
            if alarm.level is AlarmLevel.CHECK:
                self._over[key] = alarm.id

    def seen(self, key: str) -> bool:
        """Whether a condition stands and somebody has acknowledged it."""
        standing = self._state.alarms.get(self._by_key.get(key, 0))
        return standing is not None and standing.active and standing.acknowledged

    def resumed(self, scopes: Container[HaltScope]) -> None:
        """A person has resumed: what stood until then is over, and rings anew when it comes again."""
        standing = self._state.alarms
        for key in [key for key, known in self._by_key.items() if standing[known].scope in scopes]:
            self.clear(key)

    def unseen(self, scopes: Container[HaltScope]) -> Alarm | None:
        """An alarm that called somebody to one of these halts and that nobody has acknowledged."""
        return next(
            (
                alarm
                for alarm in self._state.alarms.values()
                if alarm.level is AlarmLevel.ACT and not alarm.acknowledged and alarm.scope in scopes
            ),
            None,
        )

    def standing_unseen(self, prefix: str) -> Alarm | None:
        """An alarm of a kind of condition that stands and that nobody has acknowledged."""
        for key, known in self._by_key.items():
            alarm = self._state.alarms[known]
            if key.startswith(prefix) and alarm.active and not alarm.acknowledged:
                return alarm
        return None

    def acknowledge(self, alarm_id: int, actor: str) -> Alarm | None:
        """The alarm, or ``None`` when it is gone or was acknowledged before. It is on no shelf any more."""
        alarm = self._state.alarms.get(alarm_id)
        if alarm is None or (alarm.acknowledged and alarm.shelf is None):
            return None
        alarm.acknowledged = True
        alarm.shelf = None
        if alarm_id == self._by_key.get(DROPPED):
            self._dropped = 0
            self.clear(DROPPED)
        self._scribe.desk(Kind.ACK, f"alarm seen: {alarm.what}", actor=actor)
        self._state.changed_alarms.touch(alarm_id)
        return alarm

    def shelve(self, alarm: Alarm, minutes: int, reason: str, actor: str) -> None:
        """Put one that need not be acted on aside; anew where it lies there already."""
        alarm.shelf = Shelf(
            actor,
            reason,
            self._clocks.mono_ns() + minutes * _MINUTE_NS,
            self._clocks.wall_ms() + minutes * 60_000,
        )
        text = f"alarm shelved {minutes} min: {alarm.what}"
        self._scribe.desk(Kind.ACK, text, actor=actor, reason=reason)
        self._state.changed_alarms.touch(alarm.id)

    def unshelve(self, alarm: Alarm, actor: str) -> None:
        """Before its time is over: it stands as it stood before."""
        alarm.shelf = None
        self._scribe.desk(Kind.ACK, f"alarm unshelved: {alarm.what}", actor=actor)
        self._state.changed_alarms.touch(alarm.id)

    def _shelf_over(self, alarm: Alarm) -> None:
        """Its time is over: what still stands rings anew, whoever had seen it before."""
        alarm.shelf = None
        if alarm.active:
            alarm.acknowledged = False
            self._scribe.desk(Kind.ALARM, f"{alarm.level.value} {alarm.what}", effect=alarm.effect)
        self._state.changed_alarms.touch(alarm.id)

    def tick(self) -> None:
        """Drop what is over, seen (if it had to be) and was shown long enough; end what was shelved."""
        now = self._clocks.mono_ns()
        for alarm in list(self._state.alarms.values()):
            if alarm.shelf is not None:
                if now < alarm.shelf.until_ns:
                    continue  # listed until then, also while it is over
                self._shelf_over(alarm)
            shown = NOTE_SHOWN_NS if alarm.level is AlarmLevel.NOTE else CLEARED_SHOWN_NS
            needed = alarm.level is AlarmLevel.ACT and not alarm.acknowledged
            if not alarm.active and not needed and now - alarm.since_ns > shown:
                self._drop(alarm.id)

    def _make_room(self) -> None:
        while len(self._state.alarms) > ALARMS_MAX:
            least = min(self._state.alarms.values(), key=self._worth)
            self._drop(least.id)
            if least.level is AlarmLevel.ACT and not least.acknowledged:
                self._dropped += 1
                self._scribe.desk(Kind.ALARM, f"dropped, seen by nobody: {least.what}")
                what = f"alarms nobody had seen made room for newer ones: {self._dropped}"
                self.raise_(DROPPED, AlarmLevel.ACT, what, "they are in the journal only", "acknowledge it")

    def _worth(self, alarm: Alarm) -> tuple[bool, bool, bool, int]:
        """How much an alarm is needed still; of equals the oldest goes first."""
        unseen = alarm.level is AlarmLevel.ACT and not alarm.acknowledged
        return alarm.id == self._by_key.get(DROPPED), unseen, alarm.active, _RANK[alarm.level]

    def _drop(self, alarm_id: int) -> None:
        del self._state.alarms[alarm_id]
        self._by_key = {key: known for key, known in self._by_key.items() if known != alarm_id}
        self._over = {key: known for key, known in self._over.items() if known != alarm_id}
        self._state.changed_alarms.touch(alarm_id)
