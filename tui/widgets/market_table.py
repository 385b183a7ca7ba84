"""MARKETS: best prices, fair value and net edge of every market, one row each."""

from __future__ import annotations

from collections.abc import Sequence

from core.control.tables.markets import MarketRow
from core.domain.market import MarketStatus
from tui.format import (
    UNKNOWN,
    age,
    cents,
    signed_count,
    signed_tenths,
    size,
    spark,
    tenths,
    until,
    venue_letter,
    venue_short,
)
from tui.lines import Line, Span, line
from tui.ordering import Listing, Sort
from tui.scene import Scene, note
from tui.tables import TRACE_MARKS
from tui.widgets.live_table import Column, Key, LiveTable, several

_MARKS = {-1: "v", 0: " ", 1: "^"}
_BLANK = Span("")


def _row(scene: Scene, key: Key) -> MarketRow:
    return scene.view.markets[key]  # type: ignore[index]  # market tables are keyed by the row's int


def _stale(scene: Scene, row: MarketRow) -> bool:
    return row.edge_word == "stale" or scene.book_stale(row)


def mark(scene: Scene, key: Key) -> Span:
    return Span(">" if key == scene.current else " ", "strong")


def venue(scene: Scene, key: Key) -> Span:
    static = scene.view.statics.get(key)  # type: ignore[call-overload]
    return Span(venue_letter(static.venue) if static is not None else "?", "text-muted")


def _watched(scene: Scene, key: int) -> bool:
    static = scene.view.statics.get(key)
    return static is not None and (static.venue, static.ticker) in scene.watched


def _name(scene: Scene, key: Key) -> Span:
    row = _row(scene, key)
    return Span(
        ("*" if _watched(scene, row.key) else " ") + scene.view.label(row.key),
        "text-muted" if row.status or _stale(scene, row) else "text",
    )


def _price(scene: Scene, row: MarketRow, price: int | None, moved: int, flashing: bool) -> Span:
    text = cents(price, scene.view.step(row.key))
    if _stale(scene, row):
        return Span(text + "~", "stale")
    role = "text" if not flashing or not moved else "price-up" if moved > 0 else "price-down"
    return Span(text + _MARKS[moved], role)


def _bid(scene: Scene, key: Key) -> Span:
    row = _row(scene, key)
    return _price(scene, row, row.bid, row.moved % 3 - 1, row.key in scene.view.bid_flash_ns)


def _ask(scene: Scene, key: Key) -> Span:
    row = _row(scene, key)
    return _price(scene, row, row.ask, row.moved // 3 - 1, row.key in scene.view.ask_flash_ns)


def _bid_size(scene: Scene, key: Key) -> Span:
    row = _row(scene, key)
    return Span(size(row.bid_size) if row.bid is not None else "-", "text-muted")


def _ask_size(scene: Scene, key: Key) -> Span:
    row = _row(scene, key)
    return Span(size(row.ask_size) if row.ask is not None else "-", "text-muted")


def _fair(scene: Scene, key: Key) -> Span:
    row = _row(scene, key)
    if row.fair is None:
        return Span(tenths(None), "text-muted")
    return Span(tenths(row.fair), "stale" if row.edge_word == "stale" else "fair")


def _sigma(scene: Scene, key: Key) -> Span:
    return Span(tenths(_row(scene, key).sigma), "text-muted")


def _edge(scene: Scene, key: Key) -> Span:
    row = _row(scene, key)
    if row.status == MarketStatus.DELISTED.value:
        return Span("gone", "alarm")
    if row.edge_word:
        return Span(row.edge_word, "stale" if row.edge_word == "stale" else "near")
    if row.edge is None:
        return Span(tenths(None), "text-muted")
    return Span(signed_tenths(row.edge), "edge-trade" if row.mark == "card" else "edge-none")


def _age(scene: Scene, key: Key) -> Span:
    row = _row(scene, key)
    # The venue answers a ping a second: below that the figure would only flicker, row by row.
    seconds = max(1.0, scene.book_age_s(row))
    return Span(age(seconds), "near" if _stale(scene, row) else "text-muted")


def _position(scene: Scene, key: Key) -> Span:
    return Span(signed_count(_row(scene, key).net))


def _order(scene: Scene, key: Key) -> Span:
    row = _row(scene, key)
    return Span(row.mark or "-", "armed" if row.mark == "card" else "text")


def _close(scene: Scene, key: Key) -> Span:
    static = scene.view.statics.get(key)  # type: ignore[call-overload]
    if static is None:
        return _BLANK
    return Span(until(scene.view.close_in_s(static.close_world_ms, scene.now)), "text-muted")


def _change(scene: Scene, key: Key) -> Span:
    return Span(signed_tenths(_row(scene, key).change), "text-muted")


def _volume(scene: Scene, key: Key) -> Span:
    volume = _row(scene, key).volume
    return Span(UNKNOWN if volume is None else size(volume), "text-muted")


def _spark(scene: Scene, key: Key) -> Span:
    return Span("  " + spark(scene.view.mids.get(key, ())), "text-muted")  # type: ignore[call-overload]


def _ticker(scene: Scene, key: Key) -> Span:
    static = scene.view.statics.get(key)  # type: ignore[call-overload]
    return Span("  " + static.ticker if static is not None else "", "text-muted")


COLUMNS = (
    Column("mark", "", 1, 1, mark, left=True),
    Column("venue", "V", 1, 1, venue, left=True, when=several),
    Column("market", " market", 20, 1, _name, left=True, grow=True, width_max=29, ends=True),
    Column("bsz", "bsz", 5, 5, _bid_size),
    Column("bid", "bid", 7, 1, _bid, tail=1),
    Column("ask", "ask", 6, 1, _ask, tail=1),
    Column("asz", "asz", 4, 5, _ask_size),
    Column("fair", "fair", 7, 1, _fair),
    Column("sigma", "+/-", 5, 4, _sigma),
    Column("edge", "edge", 7, 1, _edge),
    Column("age", "age", 5, 3, _age),
    Column("pos", "pos", 6, 2, _position),
    Column("ord", "ord", 6, 2, _order),
    Column("close", "close", 7, 6, _close),
    Column("chg", "chg", 6, 7, _change),
    Column("vol", "vol", 6, 8, _volume),
    Column("spark", "  last min", 2 + TRACE_MARKS, 8, _spark, left=True, when=lambda view: not view.sparing),
    Column("id", "  id", 26, 9, _ticker, left=True, grow=True, width_max=62, ends=True),
)


def _lead(scene: Scene, key: int) -> int:
    """Cards first, then what our money is in, then what is watched; last what waits for a word before it can
    be traded."""
    row = scene.view.markets[key]
    if row.mark or row.net:
        return 0 if row.mark == "card" else 1
    return 2 if _watched(scene, key) else 4 if row.edge_word == "conf" else 3


def _by_edge(scene: Scene, key: int) -> tuple[float, str] | None:
    edge = scene.view.markets[key].edge
    return None if edge is None else (-edge, scene.view.label(key))


def _by_close(scene: Scene, key: int) -> tuple[int, str] | None:
    static = scene.view.statics.get(key)
    return None if static is None else (static.close_world_ms, static.label)


def _by_age(scene: Scene, key: int) -> tuple[float, str]:
    return -scene.book_age_s(scene.view.markets[key]), scene.view.label(key)


def _by_change(scene: Scene, key: int) -> tuple[int, str] | None:
    change = scene.view.markets[key].change
    return None if change is None else (-abs(change), scene.view.label(key))


def _text(scene: Scene, key: int) -> str:
    static = scene.view.statics.get(key)
    return f"{static.label} {static.ticker} {static.title} {static.station}" if static is not None else ""


def _venue_name(scene: Scene, key: int) -> str:
    static = scene.view.statics.get(key)
    return static.venue if static is not None else ""


MARKETS = Listing(
    sorts=(
        Sort("edge", _by_edge, _lead),
        Sort("name", lambda scene, key: scene.view.label(key)),
        Sort("close", _by_close),
        Sort("age", _by_age),
        Sort("change", _by_change),
    ),
    text=_text,
    fields={"venue": _venue_name},
    words={
        "card": lambda scene, key: scene.view.markets[key].mark == "card",
        "held": lambda scene, key: scene.view.markets[key].net != 0,
        "watch": _watched,
        "order": lambda scene, key: scene.view.markets[key].mark not in ("", "card"),
    },
)


class MarketTable(LiveTable):
    """The MARKETS pane."""

    def __init__(self) -> None:
        super().__init__(COLUMNS, id="markets")

    def show(self, scene: Scene, keys: Sequence[int]) -> None:
        view = scene.view
        stale = ""
        frame_age = view.frame_age_ns(scene.now)
        if scene.dim and frame_age is not None:
            stale = f" STALE {age(frame_age / 1e9)}"
        shown = f"{len(keys)} of {len(view.markets)}" if scene.filter else str(len(view.markets))
        marked = f"  *{scene.watchlist}" if scene.watchlist else ""
        title = line(
            ("MARKETS", "title"), (f" {shown}", "text-muted"), (stale, "near"), (marked, "text-muted")
        )
        right = line(
            (scene.keymap.name("table.sort") + " ", "key"),
            (f"sort: {scene.sort}   ", "text-muted"),
            (scene.keymap.name("table.filter") + " ", "key"),
            (f"filter: {scene.filter or 'none'}", "text-muted"),
        )
        place = scene.cursor
        if place is None:  # the cursor rests, and the list at its top if the current market is in sight there
            place, self._top = scene.current, 0
        self.point_at(place if place in keys else next(iter(keys), None))
        self.paint_rows(scene, keys, title, right, empty=[self._empty(scene)])

    def _empty(self, scene: Scene) -> Line:
        view = scene.view
        if scene.filter and view.markets:
            return note(f'No market matches "/{scene.filter}". {scene.keymap.name("back")} shows all.')
        venues = view.status.links if view.status is not None else ()
        if venues and not view.starting and not view.statics:
            return note("No market on the desk: [markets] in config.toml names none that is listed.")
        names = ", ".join(venue_short(link.venue) for link in venues) or "the venue"
        return note(f"Loading markets from {names}: {len(view.markets)} of {len(view.statics) or '?'}.")
