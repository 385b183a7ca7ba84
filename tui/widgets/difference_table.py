"""RECONCILE: our record beside the venue's, line by line, what differs first; and how the reading went."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from core.control.tables.account import AccountRow, DifferenceRow, ReadingRow
from tui.format import ELLIPSIS, age, utc, venue_letter, venue_short
from tui.lines import Line, Span, line
from tui.scene import Scene, note
from tui.tables import clean
from tui.widgets.line_pane import LinePane
from tui.widgets.live_table import Column, Key, LiveTable, market_column, several
from tui.words import account_word

MEANINGS = {
    "R2": "a fill we hold is in no list of the venue; lists lag",
    "R3": "the venue counts fills it has not told; they are fetched, never invented",
    "R4": "the venue neither lists this order nor knows its id",
    "R5": "an order that was over here rests there; it counts again and is cancelled",
    "R8": "a fill of an order nobody knows; it will count as a foreign one",
    "R9": "no fill explains it; :reconcile accept {ticker}",
    "R10": "the venue holds the other side; find out before anything else",
    "R11": "the market is over and waits for its payout",
    "R13": "no trade explains it; :reconcile accept cash",
}

_ID = 8
"""Cells of an id."""
_WHOLE = 90
"""Columns from which what a difference will lead to is said with its scope."""
_ABOUT = {"position": "pos"}
"""What is compared, where its own word is wider than the column."""
_SAME = ("agrees", "explained")
AGREEMENTS = {
    "agrees": ("agrees", "good"),
    "explained": ("held back", "good"),
    "moved": ("moved since", "text-muted"),
    "unknown": ("UNKNOWN", "unknown"),
    "external": ("elsewhere", "near"),
}
"""What is said of a line that stands in no row of the differences: the venue holds the rest back, it moved
since the list was read, is being looked for, or was not placed here."""


class AccountLine(msgspec.Struct, frozen=True):
    """See ``LINES`` in ``core/control/queries/account.py``."""

    venue: str
    about: str
    ticker: str
    subject: str
    ours: str
    theirs: str
    agreement: str


def read_lines(answer: bytes) -> tuple[AccountLine, ...]:
    """The answer with every text in it safe to draw."""
    return tuple(clean(row) for row in msgspec.json.decode(answer, type=tuple[AccountLine, ...]))


def _words(scene: Scene, reading: ReadingRow) -> Line:
    """How the last reading went, in the title; of each account where there are several."""
    if len(reading.accounts) > 1:
        parts = [part for account in reading.accounts for part in _of_account(scene, account)]
        return line(*parts)
    ago = f", read {age(scene.ago_s(reading.at_ns))} ago"
    if not reading.complete:
        return line((" INCOMPLETE", "near"), (f" {reading.reason}", "text-muted"))
    count = len(reading.differences)
    if count:
        return line((f" {count} differ{'s' * (count == 1)}", "near"), (ago, "text-muted"))
    return line((" agrees", "good"), (ago, "text-muted"))


def _unread(reading: ReadingRow) -> str:
    """Which accounts could not be compared, and why where there are several."""
    if len(reading.accounts) <= 1:
        return "Nothing was compared"
    missing = [f"{venue_short(a.venue)} ({a.reason})" for a in reading.accounts if not a.complete]
    return f"Nothing was compared on {', '.join(missing)}"


def _of_account(scene: Scene, account: AccountRow) -> tuple[Span, ...]:
    word, role = account_word(account)
    ago = f" {age(scene.ago_s(account.at_ns))} ago" if account.number else ""
    return (
        Span(f"  {venue_short(account.venue)} ", "text-muted"),
        Span(word, role),
        Span(ago, "text-muted"),
    )


class LastEvents(LinePane):
    """What happened last in the market of the chosen difference, newest last."""

    def show(self, scene: Scene, row: DifferenceRow) -> None:
        lines = [
            line((f" {utc(event.wall_ms)}  ", "text-muted"), (f"{event.kind:<17}", "strong"), event.text)
            for event in row.events
        ]
        market = scene.view.label(row.key) if row.key else row.ticker
        title = line((f"LAST {len(lines)} EVENTS", "title"), (f" {market}", "text-muted"))
        self.paint(lines[-self.body_size[1] :], title)


class DifferenceTable(LiveTable):
    """The RECONCILE pane: what differs first, then the rest of the account line by line."""

    def __init__(self) -> None:
        super().__init__(
            (
                Column("row", " row", 5, 1, self._code, left=True),
                Column("venue", " V", 2, 1, self._venue, when=several),
                Column("about", " what", 6, 1, self._about, left=True),
                market_column("", self._market),
                Column("id", "  id", 2 + _ID, 3, self._subject, left=True),
                Column("ours", "we say", 14, 1, self._ours, grow=True, snug=True, width_max=30),
                Column("theirs", "venue says", 13, 1, self._theirs, grow=True, snug=True, width_max=40),
                Column("age", "since", 6, 2, self._age),
                Column("state", "  state", 15, 1, self._state, left=True, grow=True, width_max=44),
            ),
            id="differences",
        )
        self._differ: dict[Key, DifferenceRow] = {}
        self._lines: dict[Key, AccountLine] = {}
        self._labels: dict[str, str] = {}

    def _row(self, key: Key) -> DifferenceRow | AccountLine:
        return self._differ.get(key) or self._lines[key]

    def _code(self, scene: Scene, key: Key) -> Span:
        row = self._differ.get(key)
        if row is None:
            return Span("  =" if self._lines[key].agreement in _SAME else "  .", "text-muted")
        return Span(f" {row.row}!", "alarm") if row.acted else Span(f" {row.row}", "near")

    def _venue(self, scene: Scene, key: Key) -> Span:
        return Span(venue_letter(self._row(key).venue), "text-muted")

    def _about(self, scene: Scene, key: Key) -> Span:
        about = self._row(key).about
        return Span(f" {_ABOUT.get(about, about)}")

    def _market(self, scene: Scene, key: Key) -> Span:
        row = self._row(key)
        return Span(f" {self._labels.get(row.ticker, row.ticker)}")

    def _subject(self, scene: Scene, key: Key) -> Span:
        return Span(f"  {_short(self._row(key).subject)}", "text-muted")

    def _ours(self, scene: Scene, key: Key) -> Span:
        return Span(self._row(key).ours, "strong" if key in self._differ else "text")

    def _theirs(self, scene: Scene, key: Key) -> Span:
        return Span(self._row(key).theirs, "strong" if key in self._differ else "text")

    def _age(self, scene: Scene, key: Key) -> Span:
        row = self._differ.get(key)
        return Span("" if row is None else age(scene.ago_s(row.since_ns)), "near")

    def _state(self, scene: Scene, key: Key) -> Span:
        row = self._differ.get(key)
        if row is None:
            text, role = AGREEMENTS.get(self._lines[key].agreement, ("?", "near"))
            return Span(f"  {text}", role)
        if not row.halts:
            return Span("  shown", "text-muted")
        scope, _, level = row.halts.replace("REDUCE_ONLY", "REDUCE").partition(" ")
        if row.acted:
            return Span(f"  {scope} {level}", "alarm")
        return Span(f"  then {level}" if self.size.width < _WHOLE else f"  then {scope} {level}", "near")

    def chosen(self, scene: Scene) -> DifferenceRow | None:
        """The difference under the cursor, the first one without a cursor on one."""
        rows = _rows(scene)
        return rows.get(self.cursor_key) or next(iter(rows.values()), None)

    def under_cursor(self) -> DifferenceRow | None:
        return self._differ.get(self.cursor_key)

    def show(self, scene: Scene, lines: Sequence[AccountLine] = ()) -> None:
        """``lines``: the account as it was told last; those that differ are told by their row."""
        reading = scene.view.reading
        title = line(("RECONCILE", "title"))
        if reading is None or not (reading.number or len(reading.accounts) > 1):
            self.paint_rows(scene, [], title, empty=[note("Reading the account.")])
            return
        rows = self._differ = _rows(scene)
        told = sorted(lines, key=lambda one: one.agreement in _SAME)
        self._lines = {
            ("line", one.venue, one.about, one.ticker, one.subject): one
            for one in told
            if one.agreement != "differs"
        }
        self._labels = {static.ticker: static.label for static in scene.view.statics.values()}
        if self.cursor_key not in rows and not (self.has_focus and self.cursor_key in self._lines):
            self.point_at(next(iter(rows), None))
        self.paint_rows(
            scene,
            [*rows, *self._lines],
            line(("RECONCILE", "title"), *_words(scene, reading)),
            line((":reconcile ", "key"), ("reads now", "text-muted")),
            empty=[note("Our record and the venue's agree.")] if _agrees(reading) else [],
            foot=[self._foot(reading)] if rows or not _agrees(reading) else [],
        )

    def _foot(self, reading: ReadingRow) -> Line:
        """What the chosen difference means; what keeps the lines from being the last word."""
        chosen = self._differ.get(self.cursor_key)
        if chosen is not None:
            meaning = MEANINGS.get(chosen.row, "").format(ticker=chosen.ticker)
            return line((f" {chosen.row}: {meaning}", "text-muted"))
        if not reading.complete:
            return note(f"{_unread(reading)}; it is read again.")
        return note(f"No entries before a reading that agrees: {reading.doubt}." if reading.doubt else "")


def _short(subject: str) -> str:
    """The end of an order's or a fill's id, which tells it from others; all of a short one."""
    return subject if len(subject) <= _ID else f"{ELLIPSIS}{subject[2 - _ID :]}"


def _agrees(reading: ReadingRow) -> bool:
    return reading.complete and not reading.doubt


def _rows(scene: Scene) -> dict[Key, DifferenceRow]:
    reading = scene.view.reading
    return {(d.about, d.ticker, d.subject): d for d in reading.differences} if reading is not None else {}
