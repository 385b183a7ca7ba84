"""POSITIONS: what we hold, what it can lose, and what it would sell for now."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.control.tables.orders import PositionRow
from tui.format import (
    age,
    cents,
    count,
    dollars,
    fit_name,
    signed_dollars,
    tenths,
    until,
    venue_letter,
    venue_short,
)
from tui.lines import Line, Span, line
from tui.ordering import Rank
from tui.scene import Scene, note
from tui.view_model import ViewModel
from tui.widgets.live_table import Column, Key, LiveTable, market_column, several
from tui.widgets.order_table import pnl_line
from tui.widgets.text_pane import wrapped

_NAME_CELLS = 18
"""Most cells of a market's name in a row of several."""


def _row(scene: Scene, key: Key) -> PositionRow:
    return scene.view.positions[key]  # type: ignore[index]  # position tables are keyed by the row's int


def _mark(scene: Scene, key: Key) -> Span:
    return Span(">" if key == scene.current else " ", "strong")


def _venue(scene: Scene, key: Key) -> Span:
    return Span(venue_letter(_row(scene, key).venue), "text-muted")


def _market(scene: Scene, key: Key) -> Span:
    return Span(f" {_name(scene, _row(scene, key))}")


def _name(scene: Scene, row: PositionRow) -> str:
    return row.ticker or scene.view.label(row.key)


def _side(scene: Scene, key: Key) -> Span:
    held = _row(scene, key).net
    word = "YES" if held > 0 else "NO" if held < 0 else "-"
    return Span(f"  {word}", "yes" if held > 0 else "no")


def _quantity(scene: Scene, key: Key) -> Span:
    return Span(count(abs(_row(scene, key).net)), "strong")


def _average(scene: Scene, key: Key) -> Span:
    return Span(tenths(_row(scene, key).average), "text-muted")


def _stale(scene: Scene, row: PositionRow) -> bool:
    market = scene.view.markets.get(row.key)
    return market is None or scene.book_stale(market)


def _unwanted(scene: Scene, row: PositionRow) -> bool:
    """Whether nobody bids for what is held, by the whole book of a market that trades: the desk counts it as
    lost until somebody does."""
    market, static = scene.view.markets.get(row.key), scene.view.statics.get(row.key)
    if not row.net or row.exit_price is not None or market is None or static is None:
        return False
    return market.intact and scene.view.close_in_s(static.close_world_ms, scene.now) > 0


def _open_pnl(scene: Scene, row: PositionRow) -> Span:
    return _pnl(-row.cost if _unwanted(scene, row) else row.open_pnl)


def _exit(scene: Scene, key: Key) -> Span:
    row = _row(scene, key)
    if _unwanted(scene, row):
        return Span("none ", "near")
    stale = _stale(scene, row)
    return Span(
        cents(row.exit_price, scene.view.step(row.key)) + ("~" if stale and row.net else " "),
        "stale" if stale else "text",
    )


def _fair(scene: Scene, key: Key) -> Span:
    row = _row(scene, key)
    return Span(tenths(row.fair), "fair" if row.fair is not None else "text-muted")


def _pnl(money: int | None) -> Span:
    return Span(signed_dollars(money), "text-muted" if not money else "gain" if money > 0 else "loss")


def _open(scene: Scene, key: Key) -> Span:
    return _open_pnl(scene, _row(scene, key))


def _today(scene: Scene, key: Key) -> Span:
    return _pnl(_row(scene, key).today)


def _max_loss(scene: Scene, key: Key) -> Span:
    return Span(dollars(_row(scene, key).max_loss))


def _close(scene: Scene, key: Key) -> Span:
    static = scene.view.statics.get(_row(scene, key).key)
    return Span(
        "" if static is None else until(scene.view.close_in_s(static.close_world_ms, scene.now)), "text-muted"
    )


def _rule(scene: Scene, key: Key) -> Span:
    row = _row(scene, key)
    if row.venue_net is not None:
        return Span(f"  MISMATCH ours {count(row.net)} venue {count(row.venue_net)}", "alarm")
    if row.dust:
        return Span("  not sellable until resolution", "near")
    return Span("  " + row.exit_rule, "text-muted")


def _part(quantity: int, role: str) -> Span:
    return Span(count(quantity) if quantity else "-", role if quantity else "text-muted")


def _confirmed(scene: Scene, key: Key) -> Span:
    row = _row(scene, key)
    return _part(abs(row.net) - row.unsettled, "text")


def _provisional(scene: Scene, key: Key) -> Span:
    return _part(_row(scene, key).unsettled, "arming")


def _failed(scene: Scene, key: Key) -> Span:
    return _part(_row(scene, key).failed, "alarm")


def _sellable(scene: Scene, key: Key) -> Span:
    row = _row(scene, key)
    return Span("dust", "near") if row.dust else _part(row.sellable, "text")


def _settles_later(view: ViewModel) -> bool:
    return view.settles_later


def _least(money: Callable[[PositionRow], int | None]) -> Rank:
    """The worst first."""
    return lambda scene, key: money(_row(scene, key))


def _by_close(scene: Scene, key: Key) -> int | None:
    static = scene.view.statics.get(_row(scene, key).key)
    return None if static is None else static.close_world_ms


COLUMNS = (
    Column("mark", "", 1, 1, _mark, left=True),
    Column(
        "venue", "V", 1, 1, _venue, left=True, when=several, said=lambda scene, key: _row(scene, key).venue
    ),
    market_column(" market", _market, lambda scene, key: _name(scene, _row(scene, key))),
    Column("side", "  side", 6, 1, _side, left=True),
    Column("qty", "qty", 7, 1, _quantity, rank=lambda scene, key: -abs(_row(scene, key).net)),
    Column("confirmed", "conf", 7, 3, _confirmed, when=_settles_later),
    Column("provisional", "prov", 6, 1, _provisional, when=_settles_later),
    Column("failed", "fail", 6, 4, _failed, when=_settles_later),
    Column("sellable", "sell", 6, 1, _sellable, when=_settles_later),
    Column("avg", "avg", 6, 2, _average),
    Column("exit", "exit", 6, 2, _exit, tail=1),
    Column("fair", "fair", 5, 2, _fair),
    Column("open", "open", 7, 1, _open, rank=_least(lambda row: row.open_pnl)),
    Column("today", "today", 7, 3, _today, rank=_least(lambda row: row.today)),
    Column("loss", "max loss", 9, 1, _max_loss, rank=lambda scene, key: -_row(scene, key).max_loss),
    Column("close", "close", 7, 4, _close, rank=_by_close),
    Column("rule", "  exit rule", 15, 5, _rule, left=True, grow=True, width_max=60),
)


def empty_line(scene: Scene) -> Line:
    """Flat is said only after a complete read."""
    status = scene.view.status
    if status is None or status.read_ns is None:
        return note("Reading positions from the venue.")
    return note(f"Flat, read {age(scene.ago_s(status.read_ns))} ago.")


def held_line(scene: Scene) -> Line:
    """What is held in one row, each with its open P&L, for a desk without a pane of positions; empty when
    nothing is."""
    rows = [row for row in scene.view.held() if row.net or row.venue_net is not None]
    parts: list[Span] = [Span(" held", "text-muted")] if rows else []
    for row in rows:
        name = fit_name(_name(scene, row), _NAME_CELLS).rstrip()
        parts += [_side(scene, row.key), Span(f" {count(abs(row.net))}", "strong"), Span(f" {name} ")]
        parts.append(_open_pnl(scene, row))
    return line(*parts)


def waiting_lines(scene: Scene, row: PositionRow, width: int) -> list[Line]:
    """What of a position cannot be sold, never was, or is done by hand on the venue's page; none for one that
    is plainly held. The page stands alone, so that it can be copied."""
    parts = (
        (row.unsettled, f"{count(row.unsettled)} provisional, not to be sold before they are confirmed"),
        (row.failed, f"{count(row.failed)} FAILED to settle and reversed"),
        (row.dust, f"{count(abs(row.net))} under its smallest order, not sellable until resolution"),
        (row.pairs, f"{count(row.pairs)} pairs to merge by hand"),
        (row.redeemable, f"{count(row.redeemable)} to redeem by hand"),
    )
    told = "; ".join(text for counts, text in parts if counts)
    if not told:
        return []
    whose = f"{venue_short(row.venue)} " if scene.view.several else ""
    page = [row.page[at : at + width - 1] for at in range(0, len(row.page), max(1, width - 1))]
    return [
        *wrapped(f"{whose}{_name(scene, row)}: {told}", width, "near"),
        *(line(" ", part) for part in page),
    ]


def waiting(scene: Scene, width: int) -> list[list[Line]]:
    """Those lines of every position that has some."""
    return [lines for row in scene.view.held() if (lines := waiting_lines(scene, row, width))]


class PositionTable(LiveTable):
    """The POSITIONS pane."""

    def __init__(self) -> None:
        super().__init__(COLUMNS, id="positions")

    def show(self, scene: Scene, payoff: Sequence[Line] = (), trace: str = "") -> None:
        """``payoff``: what the event under the cursor comes to, told where the rows leave room. ``trace``:
        how the day went, where nothing else draws it."""
        width, height = self.body_size
        rows = scene.view.held()
        mismatch = any(row.venue_net is not None for row in rows)
        title = line(
            ("POSITIONS", "title"),
            (f" {len(rows)}", "text-muted"),
            (" MISMATCH" if mismatch else "", "alarm"),
        )
        foot = [text for lines in waiting(scene, width) for text in lines]
        if len(foot) > height - 1 - len(rows):  # no room for all: the one under the cursor, or the first
            chosen = sorted(rows, key=lambda row: row.key != self.cursor_key)
            foot = next(filter(None, (waiting_lines(scene, row, width) for row in chosen)), [])
        if rows and len(payoff) <= height - 1 - len(rows) - len(foot):
            foot = [*foot, *payoff]
        self.paint_rows(
            scene,
            self.shown(scene, [row.key for row in rows]),
            title,
            line(*pnl_line(scene), (f"  {trace}" if trace else "", "text-muted")),
            empty=[empty_line(scene)],
            foot=foot,
        )
