"""The order of the markets on the screen, and the cursor on them: what the hands may rely on to stay."""

from __future__ import annotations

from tui.scene import Scene
from tui.tables import Now
from tui.widgets.market_table import SORTS, ordered

SORT_EVERY_NS = 1_000_000_000
CURSOR_HOLD_NS = 2_000_000_000


class Ordering:
    """Sorted at most once a second, never under the operator's hands. Selection is by key, never by row."""

    def __init__(self) -> None:
        self.sort = SORTS[0]
        self.filter = ""
        self.cursor: int | None = None
        """Market the cursor was moved to; ``None`` while it rests on the current market."""
        self._keys: list[int] = []
        self._sorted_ns = 0
        self._sort_now = False
        self._cursor_moved_ns = -CURSOR_HOLD_NS

    def keys(self, scene: Scene, *, still: bool) -> list[int]:
        """Markets in display order; ``still`` keeps the order as it is, as new ones join at its end."""
        now_ns = scene.now.mono_ns
        fresh = ordered(scene)
        held = (
            still
            or now_ns - self._sorted_ns < SORT_EVERY_NS
            or now_ns - self._cursor_moved_ns < CURSOR_HOLD_NS
        )
        if held and self._keys and not self._sort_now:
            there = set(fresh)
            known = set(self._keys)
            self._keys = [key for key in self._keys if key in there] + [k for k in fresh if k not in known]
        else:
            self._keys = fresh
            self._sorted_ns = now_ns
            self._sort_now = False
        if self.cursor not in self._keys:
            self.cursor = None
        return self._keys

    def next_sort(self) -> None:
        self.sort = SORTS[(SORTS.index(self.sort) + 1) % len(SORTS)]
        self._sort_now = True

    def narrow(self, text: str) -> None:
        """Show the markets with ``text`` in them; all of them with none."""
        self.filter = text
        self._sort_now = True

    def moved_cursor(self, key: int | None, now: Now) -> None:
        self.cursor = key
        self._cursor_moved_ns = now.mono_ns
