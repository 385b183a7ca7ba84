"""RECONCILE: what our record and the venue disagree on, by row, and how the last reading went."""

from __future__ import annotations

from core.control.tables.account import AccountRow, DifferenceRow, ReadingRow
from tui.format import age, utc, venue_letter, venue_short
from tui.lines import Line, Span, line
from tui.scene import Scene, note
from tui.widgets.line_pane import LinePane
from tui.widgets.live_table import Column, Key, LiveTable, several
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


def _rows(scene: Scene) -> dict[Key, DifferenceRow]:
    reading = scene.view.reading
    return {(d.about, d.ticker, d.subject): d for d in reading.differences} if reading is not None else {}


def _row(scene: Scene, key: Key) -> DifferenceRow:
    return _rows(scene)[key]


def _name(scene: Scene, key: Key) -> Span:
    row = _row(scene, key)
    return Span(f" {row.row}!", "alarm") if row.acted else Span(f" {row.row}", "near")


def _venue(scene: Scene, key: Key) -> Span:
    return Span(venue_letter(_row(scene, key).venue), "text-muted")


def _where(scene: Scene, key: Key) -> Span:
    row = _row(scene, key)
    market = scene.view.label(row.key) if row.key else row.ticker
    return Span(" " + " ".join(filter(None, (row.about, market, row.subject[-6:]))))


def _ours(scene: Scene, key: Key) -> Span:
    return Span(_row(scene, key).ours, "strong")


def _theirs(scene: Scene, key: Key) -> Span:
    return Span(_row(scene, key).theirs, "strong")


def _age(scene: Scene, key: Key) -> Span:
    return Span(age(scene.ago_s(_row(scene, key).since_ns)), "near")


def _state(scene: Scene, key: Key) -> Span:
    row = _row(scene, key)
    if not row.halts:
        return Span("  shown", "text-muted")
    return Span(f"  {row.halts}", "alarm") if row.acted else Span(f"  then {row.halts}", "near")


COLUMNS = (
    Column("row", " row", 5, 1, _name, left=True),
    Column("venue", " V", 2, 1, _venue, when=several),
    Column("where", " what", 26, 1, _where, left=True, grow=True, width_max=60),
    Column("ours", "we say", 14, 1, _ours),
    Column("theirs", "venue says", 14, 1, _theirs),
    Column("age", "since", 6, 2, _age),
    Column("state", "  stops", 26, 3, _state, left=True),
)


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
    """The RECONCILE pane."""

    def __init__(self) -> None:
        super().__init__(COLUMNS, id="differences")

    def chosen(self, scene: Scene) -> DifferenceRow | None:
        """The difference under the cursor, the first one without a cursor."""
        rows = _rows(scene)
        return rows.get(self.cursor_key) or next(iter(rows.values()), None)

    def show(self, scene: Scene) -> None:
        reading = scene.view.reading
        title = line(("RECONCILE", "title"))
        if reading is None or not (reading.number or len(reading.accounts) > 1):
            self.paint_rows(scene, [], title, empty=[note("Reading the account.")])
            return
        rows = _rows(scene)
        if self.cursor_key not in rows:
            self.point_at(next(iter(rows), None))
        chosen = rows.get(self.cursor_key)
        foot: Line = ()
        if chosen is not None:
            meaning = MEANINGS.get(chosen.row, "").format(ticker=chosen.ticker)
            foot = line((f" {chosen.row}: {meaning}", "text-muted"))
        quiet = note("Our record and the venue's agree.")
        if not reading.complete:
            quiet = note(f"{_unread(reading)}; it is read again.")
        elif reading.doubt:
            quiet = note(f"No entries before a reading that agrees: {reading.doubt}.")
        self.paint_rows(
            scene,
            list(rows),
            line(("RECONCILE", "title"), *_words(scene, reading)),
            line((":reconcile ", "key"), ("reads now", "text-muted")),
            empty=[quiet],
            foot=[foot] if foot else [],
        )
