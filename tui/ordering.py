"""The order of a table's rows and which of them are shown: what the hands may rely on to stay.

One mechanism for every table. A ``Listing`` says how its rows can be compared and what a filter finds in
them. A filter is words that must all be true of a row: ``field:text``, a word of the listing such as
``held``, or any part of the row's text.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from tui.scene import Scene
from tui.tables import Now

SORT_EVERY_NS = 1_000_000_000
CURSOR_HOLD_NS = 2_000_000_000

Rank = Callable[[Scene, Any], Any]


class Sort(NamedTuple):
    """``rank`` compares rows, the smallest first; a row without one (``None``) is last, either way round.
    Without ``rank`` rows come as the table tells them."""

    name: str
    rank: Rank | None = None
    lead: Rank | None = None
    """What stands first whichever way round."""


class Listing(NamedTuple):
    sorts: tuple[Sort, ...]
    text: Callable[[Scene, Any], str]
    """What a word of a filter is looked for in."""
    fields: Mapping[str, Callable[[Scene, Any], str]] = {}
    """Texts of their own, asked for as ``field:text``."""
    words: Mapping[str, Callable[[Scene, Any], bool]] = {}
    """Words that a row is or is not."""


class Ordering:
    """Sorted at most once a second, never under the operator's hands. Rows go by key, never by place."""

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self.sort = listing.sorts[0]
        self.reversed = False
        self.filter = ""
        self._keys: list[Any] = []
        self._known: frozenset[Any] = frozenset()
        """Rows that were looked at, shown or not."""
        self._sorted_ns = 0
        self._due = True
        self._touched_ns = -CURSOR_HOLD_NS

    def keys(self, scene: Scene, there: Collection[Any], *, still: bool) -> list[Any]:
        """The rows to show of those ``there``; ``still`` keeps their order, as new ones join at its end."""
        if self.plain:
            return [*there]
        now_ns = scene.now.mono_ns
        held = still or now_ns - self._sorted_ns < SORT_EVERY_NS or now_ns - self._touched_ns < CURSOR_HOLD_NS
        if self._due or not held or not self._keys:
            self._keys = self._sorted(scene, self._matching(scene, there))
            self._known, self._sorted_ns, self._due = frozenset(there), now_ns, False
        elif len(there) != len(self._known) or not self._known.issuperset(there):
            left = frozenset(there)
            new = self._matching(scene, [key for key in there if key not in self._known])
            self._keys = [key for key in self._keys if key in left] + new
            self._known = left
        return self._keys

    def _sorted(self, scene: Scene, keys: list[Any]) -> list[Any]:
        rank, lead = self.sort.rank, self.sort.lead
        if rank is None:
            keys = keys[::-1] if self.reversed else keys
        else:
            ranks = {key: rank(scene, key) for key in keys}
            told = [key for key in keys if ranks[key] is not None]
            told.sort(key=ranks.__getitem__, reverse=self.reversed)
            keys = told + [key for key in keys if ranks[key] is None]
        if lead is None:
            return keys
        leads = {key: lead(scene, key) for key in keys}
        return sorted(keys, key=leads.__getitem__)

    def _matching(self, scene: Scene, keys: Collection[Any]) -> list[Any]:
        words = self.filter.casefold().split()
        return (
            [key for key in keys if all(self._has(scene, key, word) for word in words)] if words else [*keys]
        )

    def _has(self, scene: Scene, key: Any, word: str) -> bool:
        told = self._listing.words.get(word)
        if told is not None:
            return told(scene, key)
        name, colon, part = word.partition(":")
        field = self._listing.fields.get(name) if colon else None
        if field is not None:
            return part in field(scene, key).casefold()
        return word in self._listing.text(scene, key).casefold()

    @property
    def plain(self) -> bool:
        """Whether all rows are shown as the table tells them."""
        return self.sort.rank is None and not self.reversed and not self.filter

    def next_sort(self) -> None:
        sorts = self._listing.sorts
        self.sort = sorts[(sorts.index(self.sort) + 1) % len(sorts)]
        self.reversed = False
        self._due = True

    def reverse(self) -> None:
        """The other way round."""
        self.reversed = not self.reversed
        self._due = True

    def narrow(self, text: str) -> None:
        """Show the rows that ``text`` is true of; all of them with none."""
        self.filter = text.strip()
        self._due = True

    def touched(self, now: Now) -> None:
        """The cursor was moved: nothing moves under it for a while."""
        self._touched_ns = now.mono_ns

    @property
    def word(self) -> str:
        """The order by its name."""
        return f"{self.sort.name} reversed" if self.reversed else self.sort.name


class MarketOrdering(Ordering):
    """The order of the markets, the same on every screen, and the cursor on them."""

    cursor: int | None = None
    """Market the cursor was moved to; ``None`` while it rests on the current market."""

    def keys(self, scene: Scene, there: Collection[Any], *, still: bool) -> list[Any]:
        keys = super().keys(scene, there, still=still)
        if self.cursor not in keys:
            self.cursor = None
        return keys

    def moved_cursor(self, key: int | None, now: Now) -> None:
        self.cursor = key
        self.touched(now)
