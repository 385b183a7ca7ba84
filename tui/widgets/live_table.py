"""The table everything that ticks is drawn with: rows by key, columns by priority, cursor by key.

A table is a tuple of ``Column`` values; each column draws its cell from the scene and the row's key.
The widest set of columns that fits the measured width is used, lowest priority dropped first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import ClassVar, NamedTuple

from tui.format import fit, fit_name
from tui.lines import REVERSED, Line, Span, line, width_of
from tui.ordering import Listing, Ordering, Rank, Sort
from tui.scene import Scene, note
from tui.view_model import ViewModel
from tui.widgets.line_pane import LinePane, on_cursor

Key = Hashable
CURSOR_MARK, CURRENT_MARK = ">", ":"
"""First cell of the row under the cursor, and then of the current market's other rows."""


class Column(NamedTuple):
    """``width`` counts the gap in front of the cell. ``grow`` takes what is left of the line, ``snug`` only
    what the rows in sight need."""

    name: str
    header: str
    width: int
    priority: int
    cell: Callable[[Scene, Key], Span]
    left: bool = False
    grow: bool = False
    tail: int = 0
    """Cells after the number that belong to the column, such as the direction mark."""
    snug: bool = False
    width_max: int = 0
    ends: bool = False
    """Whether what is cut keeps its end, as a market's name does."""
    when: Callable[[ViewModel], bool] | None = None
    """Desks that have the column; ``None``: every desk."""
    rank: Rank | None = None
    """What rows are sorted by when it is chosen, smallest first; without one it cannot be."""
    said: Callable[[Scene, Key], str] | None = None
    """What a filter finds in it, where that is more than the cell."""


def several(view: ViewModel) -> bool:
    """``Column.when`` of what names a venue."""
    return view.several


def market_column(header: str, cell: Callable[[Scene, Key], Span], rank: Rank | None = None) -> Column:
    """A market's name, as wide as the names in sight need; where it is cut its strike stays."""
    return Column(
        "market", header, 19, 1, cell, left=True, grow=True, snug=True, width_max=31, ends=True, rank=rank
    )


def plan(columns: Sequence[Column], width: int, needs: Mapping[str, int] | None = None) -> list[Column]:
    """The columns that fit ``width``; those that grow take the rest, each up to its own maximum and to what
    it ``needs``, by its name."""
    kept = list(columns)
    while sum(column.width for column in kept) > width and len(kept) > 1:
        kept.remove(max(reversed(kept), key=lambda column: column.priority))
    spare = width - sum(column.width for column in kept)
    for at, column in enumerate(kept):
        most = min(column.width_max, (needs or {}).get(column.name, column.width_max))
        if column.grow and most > column.width:
            more = min(spare, most - column.width)
            kept[at] = column._replace(width=column.width + more)
            spare -= more
    return kept


def header_line(columns: Sequence[Column]) -> Line:
    return line(*((_aligned(column.header, column, header=True), "text-muted") for column in columns))


def _aligned(text: str, column: Column, *, header: bool = False) -> str:
    room = column.width - (column.tail if header else 0)
    if column.left:
        return (_fit_name if column.ends and not header else fit)(text, column.width)
    if len(text) > column.width:
        # Digits are never cut: a number without room shows as such.
        return " " + "#" * (column.width - 1)
    return text.rjust(room) + " " * (column.width - room)


def _fit_name(text: str, width: int) -> str:
    """``fit_name`` behind the gap."""
    gap = len(text) - len(text.lstrip(" "))
    return " " * gap + fit_name(text[gap:], width - gap)


def row_line(columns: Sequence[Column], scene: Scene, key: Key) -> Line:
    """One row. The gap in front of a cell takes the cell's role, which halves the style runs to write."""
    parts: list[str | tuple[str, str]] = []
    for column in columns:
        text, role = column.cell(scene, key)
        text = _aligned(text, column)
        if role in REVERSED:
            body = text.strip(" ")
            before, _, after = text.partition(body)
            parts += (before, (body, role), after)
        else:
            parts.append((text, role))
    return line(*parts)


_GAP = "   "
_EDGES = 6
"""Cells of a title's line beside its words."""
USUAL = "usual"
"""Name of the order in which a table tells its rows."""


def listing(columns: Sequence[Column], lead: Rank | None = None) -> Listing:
    """How the rows of these columns are sorted and found: by each that has a rank, in the text of all."""
    headings = Counter(map(_heading, columns))
    names = [_heading(column) if headings[_heading(column)] == 1 else column.name for column in columns]
    texts = {name: column.said or _shown_by(column) for name, column in zip(names, columns, strict=True)}
    ranked = [
        Sort(name, column.rank, lead)
        for name, column in zip(names, columns, strict=True)
        if column.rank is not None
    ]
    return Listing(
        (Sort(USUAL, None, lead), *ranked),
        lambda scene, key: " ".join(said(scene, key) for said in texts.values()),
        {name.casefold(): said for name, said in texts.items()},
    )


def _heading(column: Column) -> str:
    """What the operator calls a column: its header, where that is one word."""
    words = column.header.split()
    return words[0] if len(words) == 1 and len(words[0]) > 1 else column.name


def _shown_by(column: Column) -> Callable[[Scene, Key], str]:
    return lambda scene, key: column.cell(scene, key).text.strip()


class LiveTable(LinePane):
    """Rows of a scene under a fixed header, scrolled so that the cursor is always visible."""

    keeps_cursor: ClassVar[bool] = False
    """Whether the cursor is drawn though something else has the keys."""

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        id: str,  # noqa: A002  Textual's own name
        header: bool = True,
        lead: Rank | None = None,
    ) -> None:
        super().__init__(id=id, can_focus=True)
        self.columns = columns
        self.header = header
        ranked = any(column.rank is not None for column in columns)
        self.ordering = Ordering(listing(columns, lead)) if ranked else None
        """Order of the rows that ``shown`` gives; ``None`` where it is not the operator's."""
        self._keys: list[Key] = []
        self._cursor_key: Key | None = None
        self._top = 0

    @property
    def keys(self) -> list[Key]:
        return self._keys

    @property
    def cursor_key(self) -> Key | None:
        return self._cursor_key

    @property
    def page(self) -> int:
        """Rows that fit."""
        return max(1, self.body_size[1] - (1 if self.header else 0))

    def point_at(self, key: Key | None) -> None:
        self._cursor_key = key

    def move(self, step: int) -> Key | None:
        """Move the cursor by rows, ends included; returns the row's key."""
        if not self._keys:
            return None
        here = self._keys.index(self._cursor_key) if self._cursor_key in self._keys else -1
        there = min(len(self._keys) - 1, max(0, here + step)) if here >= 0 else 0
        self._cursor_key = self._keys[there]
        return self._cursor_key

    def shown(self, scene: Scene, keys: Sequence[Key]) -> list[Key]:
        """The rows to paint, as the operator sorted and narrowed them."""
        if self.ordering is None:
            return [*keys]
        return self.ordering.keys(scene, keys, still=scene.card_word == "ARMING")

    def paint_rows(
        self,
        scene: Scene,
        keys: Sequence[Key],
        title: Line,
        right: Line = (),
        *,
        empty: Sequence[Line] = (),
        foot: Sequence[Line] = (),
    ) -> None:
        """Draw the rows of ``keys`` in this order, then ``foot`` lines; ``empty`` instead when none."""
        self._keep_place(keys)
        width, height = self.body_size
        header = int(self.header and bool(keys))
        room = max(0, height - header - len(foot))
        self._scroll(room)
        seen = self._keys[self._top : self._top + room]
        own = [c for c in self.columns if c.when is None or c.when(scene.view)]
        needs = {
            c.name: max((len(c.cell(scene, key).text) for key in seen), default=0) for c in own if c.snug
        }
        columns = plan(own, width, needs)
        body: list[Line] = [header_line(columns)] if header else []
        for key in seen:
            row = row_line(columns, scene, key)
            focused = self.has_focus or self.keeps_cursor
            selected = key == self._cursor_key and (focused or self.id == "markets")
            if focused and self.id != "markets":
                row = _marked(row, selected)
            body.append(on_cursor(_full(row, width)) if selected else row)
        body += list(foot) if keys else [*self._none_left(scene, empty), *foot]
        whole = _spaced(self._order_words(), self._place(room), right)
        if width_of(title) + width_of(whole) + _EDGES > width:  # no word of a title gives way to a place
            whole = _spaced(self._order_words(), right)
        self.paint(body, title, whole, dim=scene.dim, mark=scene.watermark)

    def _none_left(self, scene: Scene, empty: Sequence[Line]) -> Sequence[Line]:
        """Why there is no row: a filter that none fits comes before all else."""
        if self.ordering is None or not self.ordering.filter:
            return empty
        every = f"{scene.keymap.name('back')} shows all."
        return [note(f'No row matches "/{self.ordering.filter}". {every}')]

    def _order_words(self) -> Line:
        """How the rows are sorted and narrowed, unless they are as the table tells them."""
        if self.ordering is None or self.ordering.plain:
            return ()
        sort, narrowed = self.ordering.word, self.ordering.filter
        by = () if sort == USUAL else (("sort: ", "text-muted"), sort)
        of = (("filter: ", "text-muted"), (narrowed, "near")) if narrowed else ()
        return line(*by, _GAP if by and of else "", *of)

    def _place(self, room: int) -> Line:
        """Which rows are in sight, where not all are."""
        count = len(self._keys)
        if not 0 < room < count:
            return ()
        return line((f"{self._top + 1}-{min(self._top + room, count)} of {count:,}", "text-muted"))

    def _keep_place(self, keys: Sequence[Key]) -> None:
        """The cursor follows its row; when the row is gone it stays at the same place in the list."""
        if self._cursor_key not in keys and (self._cursor_key is not None or self.has_focus):
            old = self._keys.index(self._cursor_key) if self._cursor_key in self._keys else 0
            self._cursor_key = keys[min(old, len(keys) - 1)] if keys else None
        self._keys = list(keys)

    def _scroll(self, room: int) -> None:
        if room <= 0:
            return
        at = self._keys.index(self._cursor_key) if self._cursor_key in self._keys else 0
        self._top = min(max(self._top, at - room + 1), at, max(0, len(self._keys) - room))
        self._top = max(0, self._top)


def _marked(row: Line, selected: bool) -> Line:
    """The cursor's row says so without colour too; rows of the current market then give it the ``>``.

    A row that has something to say in its first cell is marked in the gap behind it.
    """
    text = "".join(span.text for span in row[:2])
    at = 0 if text[:1] in (" ", CURSOR_MARK) else 1
    if selected and text[at : at + 1] in (" ", CURSOR_MARK):
        return _put(row, at, CURSOR_MARK)
    return _put(row, 0, CURRENT_MARK) if not selected and text.startswith(CURSOR_MARK) else row


def _put(row: Line, at: int, mark: str) -> Line:
    (text, role), *rest = row
    if at >= len(text):
        return (row[0], *_put(tuple(rest), at - len(text), mark))
    return (Span(text[:at] + mark + text[at + 1 :], role), *rest)


def _spaced(*parts: Line) -> Line:
    spans = [span for part in parts if part for span in (Span(_GAP), *part)]
    return tuple(spans[1:])


def _full(row: Line, width: int) -> Line:
    return line(*row, " " * max(0, width - sum(len(span.text) for span in row)))
