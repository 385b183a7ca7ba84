"""Key rules of the one alarm that takes the whole screen: the venue holds the side opposite to ours.

It stays until it is acknowledged by its key, which counts only after 800 ms without any key, so that an
operator who goes on typing acknowledges nothing; then any key leaves it. Ctrl-X stops all the time.
"""

from __future__ import annotations

from enum import Enum

from core.control.tables.safety import AlarmRow
from tui.ladder import QUIET_NS
from tui.view_model import DESK, ViewModel


class Press(Enum):
    SWALLOW = "swallow"
    ACKNOWLEDGE = "acknowledge"
    LEAVE = "leave"


class Takeover:
    """Which alarm has the screen, and what a key does to it."""

    def __init__(self) -> None:
        self._alarm_id = 0
        self._newest_id = 0
        """Newest alarm that has had the screen: the engine numbers them upwards, and only a newer one takes
        it again."""
        self._last_key_ns = 0

    def alarm(self, view: ViewModel, now_ns: int) -> AlarmRow | None:
        """The alarm that has the screen. Once there it stays, also when the venue agrees again."""
        newest = max((row.id for row in view.urgent() if row.scope == DESK), default=0)
        if newest > self._newest_id and view.other_sides():
            self._alarm_id = self._newest_id = newest
            self._last_key_ns = now_ns
        return view.alarms.get(self._alarm_id)

    def key(self, arrived_ns: int, alarm: AlarmRow, *, acknowledges: bool, controls: bool) -> Press:
        """What a key does. ``acknowledges``: whether it is one that does; ``controls``: whether that would
        reach the engine from here."""
        quiet = arrived_ns - self._last_key_ns >= QUIET_NS
        self._last_key_ns = arrived_ns
        if alarm.acknowledged or (acknowledges and quiet and not controls):
            self._alarm_id = 0
            return Press.LEAVE
        return Press.ACKNOWLEDGE if acknowledges and quiet else Press.SWALLOW
