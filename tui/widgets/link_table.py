"""LINKED PAIRS: the same question on two venues, both books and the difference net of both venues' fees.

Figures of a pair are never drawn as a gain: what they leave out stands below the table.
"""

from __future__ import annotations

from collections.abc import Callable

from core.control.tables.markets import MarketRow, PairRow, WayRow
from tui.format import UNKNOWN, age, cents, count, dollars, fit_name, utc, venue_letter, venue_short
from tui.lines import Line, Span, line
from tui.ordering import Rank
from tui.scene import COMPACT_WIDTH, Scene, note
from tui.view_model import ViewModel
from tui.widgets.live_table import Column, Key, LiveTable
from tui.widgets.text_pane import wrapped

_NAME, _NAME_WIDE = 11, 24
_NAME_LEAD = 3
"""A blank, the venue's letter and a blank."""


def difference(way: WayRow) -> str:
    """Cents a contract to the hundredth, which the engine has rounded against whoever reads it."""
    return UNKNOWN if way.difference is None else f"{way.difference / 100:+.2f}"


def _row(scene: Scene, key: Key) -> PairRow:
    return scene.view.pairs[key]  # type: ignore[index]  # this table is keyed by the pair's tickers


def _place(row: PairRow, *, second: bool) -> tuple[int, str]:
    """Key and ticker of one of its markets."""
    return (row.second_key, row.second) if second else (row.first_key, row.first)


def _venue(scene: Scene, row: PairRow, *, second: bool) -> str:
    static = scene.view.statics.get(_place(row, second=second)[0])
    return static.venue if static is not None else ""


def name_of(scene: Scene, row: PairRow, *, second: bool) -> str:
    """A market of the pair by its label, or by its ticker while it is not on the desk."""
    key, ticker = _place(row, second=second)
    return scene.view.label(key) if key else ticker


def _market(scene: Scene, row: PairRow, *, second: bool) -> MarketRow | None:
    return scene.view.markets.get(_place(row, second=second)[0])


def _any_stale(scene: Scene, row: PairRow) -> bool:
    both = (_market(scene, row, second=second) for second in (False, True))
    return any(market is None or scene.book_stale(market) for market in both)


def _name(*, second: bool) -> Callable[[Scene, Key], Span]:
    def cell(scene: Scene, key: Key) -> Span:
        row = _row(scene, key)
        letter = venue_letter(_venue(scene, row, second=second))
        width = _NAME if scene.width < COMPACT_WIDTH else _NAME_WIDE
        return Span(f" {letter} {fit_name(name_of(scene, row, second=second), width).rstrip()}")

    return cell


def _price(*, second: bool, ask: bool) -> Callable[[Scene, Key], Span]:
    def cell(scene: Scene, key: Key) -> Span:
        row = _row(scene, key)
        market = _market(scene, row, second=second)
        if market is None:
            return Span(UNKNOWN + " ", "text-muted")
        text = cents(market.ask if ask else market.bid, scene.view.step(market.key))
        return Span(text + "~", "stale") if scene.book_stale(market) else Span(text + " ")

    return cell


def _age(*, second: bool) -> Callable[[Scene, Key], Span]:
    def cell(scene: Scene, key: Key) -> Span:
        market = _market(scene, _row(scene, key), second=second)
        if market is None:
            return Span(UNKNOWN, "text-muted")
        # Below a second the figure would only flicker.
        seconds = max(1.0, scene.book_age_s(market))
        return Span(age(seconds), "near" if scene.book_stale(market) else "text-muted")

    return cell


def _way(place: int) -> Callable[[Scene, Key], Span]:
    def cell(scene: Scene, key: Key) -> Span:
        row = _row(scene, key)
        if not row.ways or row.ways[place].difference is None:
            return Span(UNKNOWN + " ", "text-muted")
        stale = _any_stale(scene, row)
        return Span(difference(row.ways[place]) + ("~" if stale else " "), "stale" if stale else "strong")

    return cell


def _pinned(scene: Scene, key: Key) -> Span:
    row = _row(scene, key)
    return Span("NO", "near") if row.state == "unpinned" else Span("yes", "text-muted")


def _by_way(place: int) -> Rank:
    """The largest difference first."""

    def rank(scene: Scene, key: Key) -> int | None:
        row = _row(scene, key)
        difference = row.ways[place].difference if row.ways else None
        return None if difference is None else -difference

    return rank


def _said(*, second: bool) -> Callable[[Scene, Key], str]:
    def said(scene: Scene, key: Key) -> str:
        row = _row(scene, key)
        return " ".join(
            (
                name_of(scene, row, second=second),
                _place(row, second=second)[1],
                _venue(scene, row, second=second),
            )
        )

    return said


_WIDTH, _WIDTH_MAX = _NAME_LEAD + _NAME, _NAME_LEAD + _NAME_WIDE
COLUMNS = (
    Column(
        "first", " first", _WIDTH, 1, _name(second=False), left=True, grow=True, width_max=_WIDTH_MAX,
        rank=_said(second=False), said=_said(second=False),
    ),
    Column("bid1", "bid", 6, 1, _price(second=False, ask=False), tail=1),
    Column("ask1", "ask", 6, 1, _price(second=False, ask=True), tail=1),
    Column("age1", "age", 4, 2, _age(second=False)),
    Column(
        "second", " second", _WIDTH, 1, _name(second=True), left=True, grow=True, width_max=_WIDTH_MAX,
        rank=_said(second=True), said=_said(second=True),
    ),
    Column("bid2", "bid", 6, 1, _price(second=True, ask=False), tail=1),
    Column("ask2", "ask", 6, 1, _price(second=True, ask=True), tail=1),
    Column("age2", "age", 4, 2, _age(second=True)),
    Column("yes", "YES 1st", 8, 1, _way(0), rank=_by_way(0)),
    Column("no", "NO 1st", 8, 1, _way(1), rank=_by_way(1)),
    Column("pin", "pin", 4, 1, _pinned, rank=lambda scene, key: _row(scene, key).state != "unpinned"),
)  # fmt: skip


def way_words(scene: Scene, row: PairRow, way: WayRow) -> Line:
    """``YES KAL + NO POLY``, the difference and what makes it; or why they cannot be bought."""
    venues = [venue_short(_venue(scene, row, second=second)) or UNKNOWN for second in (False, True)]
    sides: list[Span | str] = []
    for outcome, venue, joint in zip((way.first, way.second), venues, ("", " + "), strict=True):
        sides += [joint, Span(outcome, outcome.lower()), f" {venue}"]
    if way.why:
        return line(*sides, (f"  {way.why}", "text-muted"))
    return line(
        *sides,
        (f"  {difference(way)}c", "stale" if _any_stale(scene, row) else "strong"),
        f"  {count(way.quantity)} for {dollars(way.cost)}",
        (f" + fees {dollars(way.fee, 4)}, pay {dollars(way.quantity)} if alike", "text-muted"),
    )


def linked_words(scene: Scene, row: PairRow, key: int) -> Line:
    """A pair in one line, seen from one of its markets."""
    other = name_of(scene, row, second=key == row.first_key)
    if row.state == "unpinned":
        return line(other, ("   UNPINNED: texts changed", "near"))
    shown = ", ".join(f"{way.first} 1st {difference(way)}" for way in row.ways)
    return line(other, (f"   {shown} net of fees; {scene.keymap.name('links')} opens it", "text-muted"))


def detail_lines(scene: Scene, row: PairRow, width: int) -> list[Line]:
    """One pair whole: both markets, both ways, what is known to differ, and what no figure says."""
    rows: list[Line] = [
        line((f" {place} ", "text-muted"), name_of(scene, row, second=second), (f"   {ticker}", "text-muted"))
        for place, second, ticker in (("1st", False, row.first), ("2nd", True, row.second))
    ]
    if row.opposite:
        rows.append(note("Opposites: YES of one is NO of the other."))
    if row.why:
        rows += wrapped(
            f"UNPINNED, {row.why}: read both texts, then :link add again, or remove.", width, "near"
        )
    rows += [line(" ", *way_words(scene, row, way)) for way in row.ways]
    differs = "; ".join(row.apart) or "trading closes together; strikes, day and station read alike"
    rows += wrapped(differs, width, "near" if row.apart else "text-muted")
    rows += wrapped(row.caution, width, "near")
    rows.append(note(f"Linked {utc(row.wall_ms, '%Y-%m-%d %H:%M')}Z by {row.by}."))
    return rows


class LinkTable(LiveTable):
    """The LINKED PAIRS pane."""

    def __init__(self) -> None:
        super().__init__(COLUMNS, id="links")

    def row_of(self, view: ViewModel) -> PairRow | None:
        """The pair under the cursor."""
        key = self.cursor_key
        return view.pairs.get(key) if isinstance(key, tuple) else None

    def show(self, scene: Scene) -> None:
        pairs = scene.view.pairs
        unpinned = sum(row.state == "unpinned" for row in pairs.values())
        title = line(
            ("LINKED PAIRS", "title"),
            (f" {len(pairs)}", "text-muted"),
            (f"  {unpinned} unpinned" if unpinned else "", "near"),
        )
        keys = self.shown(scene, list(pairs))
        if self.cursor_key not in pairs:
            self.point_at(next(iter(keys), None))
        self.paint_rows(
            scene,
            keys,
            title,
            line(("cents, net of both fees   ", "text-muted"), (":link", "key")),
            empty=[note("No pairs. :link add FIRST SECOND, once both texts were read (pmconsole rules).")],
        )
