"""ORDERS: what works at the venue now, unknown ones pinned, and on its own screen what ended today."""

from __future__ import annotations

from collections.abc import Sequence

from core.control.tables.orders import OrderRow
from tui.format import (
    ELLIPSIS,
    age,
    cents,
    count,
    countdown,
    dollars,
    signed_dollars,
    tenths,
    utc,
    venue_letter,
    venue_short,
)
from tui.lines import Line, Span, line
from tui.scene import Scene, note
from tui.widgets.live_table import Column, Key, LiveTable, market_column, several
from tui.words import order_role

PROVISIONAL, REVERSED = "PROVISIONAL", "REVERSED"
_ID = 14
"""Cells of a venue's order id."""


def _row(scene: Scene, key: Key) -> OrderRow:
    return scene.view.orders[key]  # type: ignore[index]  # order tables are keyed by client order id


def _mark(scene: Scene, key: Key) -> Span:
    """The current market's orders, and on each that is real money that it is."""
    current = _row(scene, key).key == scene.current
    if scene.view.real:
        return Span(">" if current else "L", "profile-live")
    return Span(">" if current else " ", "strong")


def _venue(scene: Scene, key: Key) -> Span:
    return Span(venue_letter(_row(scene, key).venue), "text-muted")


def _name(scene: Scene, row: OrderRow) -> str:
    return row.ticker or scene.view.label(row.key)


def _market(scene: Scene, key: Key) -> Span:
    return Span(f" {_name(scene, _row(scene, key))}")


def _verb(scene: Scene, key: Key) -> Span:
    return Span("  SELL" if _row(scene, key).closes else "  BUY")


def _outcome(scene: Scene, key: Key) -> Span:
    row = _row(scene, key)
    return Span(row.outcome, "yes" if row.outcome == "YES" else "no")


def _quantity(scene: Scene, key: Key) -> Span:
    return Span(count(_row(scene, key).quantity))


def _price(scene: Scene, key: Key) -> Span:
    row = _row(scene, key)
    return Span(cents(row.price, scene.view.step(row.key)), "strong")


def _filled(scene: Scene, key: Key) -> Span:
    row = _row(scene, key)
    return Span(count(row.filled), "strong" if row.filled else "text-muted")


def _size_at_price(scene: Scene, key: Key) -> Span:
    return Span(f"{_quantity(scene, key).text} @ {_price(scene, key).text}", "strong")


def _filled_word(scene: Scene, key: Key) -> Span:
    return Span(f"filled {_filled(scene, key).text}", _filled(scene, key).role)


def _leaves(scene: Scene, key: Key) -> Span:
    return Span(count(_row(scene, key).leaves))


def _ahead(scene: Scene, key: Key) -> Span:
    row = _row(scene, key)
    return Span(count(row.ahead) if row.ahead is not None else "?", "text-muted")


def _age(scene: Scene, key: Key) -> Span:
    return Span(age(scene.ago_s(_row(scene, key).created_ns)), "text-muted")


def _ttl(scene: Scene, key: Key) -> Span:
    row = _row(scene, key)
    if row.state == "UNKNOWN" and row.next_check_ns is not None:
        return Span(f"ask {countdown(scene.in_s(row.next_check_ns))}", "unknown")
    if row.expires_wall_ms is None:
        return Span("-", "text-muted")
    return Span(countdown((row.expires_wall_ms - scene.now.wall_ms) / 1000), "text-muted")


def _ttl_word(scene: Scene, key: Key) -> Span:
    span = _ttl(scene, key)
    return span if span.role == "unknown" else Span(f"ttl {span.text}", span.role)


def _fair_word(scene: Scene, key: Key) -> Span:
    span = _fair(scene, key)
    return Span(f"fair {span.text}", span.role)


def _fair(scene: Scene, key: Key) -> Span:
    row = _row(scene, key)
    market = scene.view.markets.get(row.key)
    fair = None if market is None or market.fair is None else market.fair
    if fair is not None and row.outcome == "NO":
        fair = 10_000 - fair
    return Span(tenths(fair), "fair" if fair is not None else "text-muted")


def _state(scene: Scene, key: Key) -> Span:
    row = _row(scene, key)
    word = order_word(row)
    return Span(f"  {word}", "alarm" if word == REVERSED else order_role(row))


def order_word(row: OrderRow) -> str:
    """The order's state; instead of it the venue's own word, or that what filled it can be undone, or was."""
    if row.state == "WORKING" and row.said:
        return row.said.upper()
    if row.failed and not row.filled:
        return REVERSED
    return PROVISIONAL if row.state == "FILLED" and row.unsettled else row.state


def _detail(scene: Scene, key: Key) -> Span:
    row = _row(scene, key)
    if row.state == "UNKNOWN":
        return Span(f" {row.bound}", "text-muted")
    return Span(" " + ", ".join(filter(None, (row.reason, *told_words(row)))), "text-muted")


def told_words(row: OrderRow) -> list[str]:
    """What it was before its size was changed, what of its fills can still be undone, and what was."""
    words = [f"{count(row.ordered)} ordered"] if row.ordered else []
    words += [f"{count(row.unsettled)} provisional"] if row.unsettled else []
    return words + ([f"{count(row.failed)} failed to settle, reversed"] if row.failed else [])


def short_id(order_id: str) -> str:
    """The venue's id: enough of its beginning and end to find it there."""
    return order_id if len(order_id) <= _ID else f"{order_id[:8]}{ELLIPSIS}{order_id[-4:]}"


def _by_market(scene: Scene, key: Key) -> str:
    return _name(scene, _row(scene, key))


def _by_side(scene: Scene, key: Key) -> tuple[bool, str]:
    row = _row(scene, key)
    return row.closes, row.outcome


def _by_ended(scene: Scene, key: Key) -> int | None:
    ended_ns = _row(scene, key).ended_ns
    return None if ended_ns is None else -ended_ns


def _venue_name(scene: Scene, key: Key) -> str:
    return _row(scene, key).venue


def _unknown_first(scene: Scene, key: Key) -> bool:
    return _row(scene, key).state != "UNKNOWN"


def _order_id(scene: Scene, key: Key) -> Span:
    return Span("  " + short_id(_row(scene, key).order_id), "text-muted")


def _average(scene: Scene, key: Key) -> Span:
    row = _row(scene, key)
    return Span(tenths(row.average), "text" if row.average is not None else "text-muted")


def _fee(scene: Scene, key: Key) -> Span:
    row = _row(scene, key)
    return Span(dollars(row.fee) if row.filled else "-", "text-muted")


def _ended(scene: Scene, key: Key) -> Span:
    row = _row(scene, key)
    if row.ended_ns is None:
        return Span("")
    return Span(age(scene.ago_s(row.ended_ns)) + " ago", "text-muted")


COLUMNS = (
    Column("mark", "", 1, 1, _mark, left=True),
    Column("venue", "V", 1, 1, _venue, left=True, when=several, said=_venue_name),
    market_column(" market", _market, _by_market),
    Column("verb", "  side", 7, 1, _verb, left=True, rank=_by_side),
    Column("outcome", "", 3, 1, _outcome, left=True),
    Column("qty", "qty", 7, 1, _quantity, rank=lambda scene, key: -_row(scene, key).quantity),
    Column("px", "px", 6, 1, _price, rank=lambda scene, key: -_row(scene, key).price),
    Column("fill", "fill", 7, 2, _filled, rank=lambda scene, key: -_row(scene, key).filled),
    Column("leaves", "leaves", 7, 1, _leaves),
    Column("ahead", "ahead", 6, 4, _ahead),
    Column("age", "age", 5, 3, _age, rank=lambda scene, key: _row(scene, key).created_ns),
    Column("ttl", "ttl", 9, 3, _ttl),
    Column("fair", "fair", 6, 4, _fair),
    Column(
        "state", "  state", 13, 1, _state, left=True, rank=lambda scene, key: order_word(_row(scene, key))
    ),
    Column("detail", "", 12, 7, _detail, left=True, grow=True, width_max=60),
    Column("id", "  order id", _ID + 2, 6, _order_id, left=True, when=several),
)
COMPACT_COLUMNS = (
    *COLUMNS[:2],
    Column("market", " market", 19, 1, _market, left=True, ends=True),
    Column("verb", "  side", 7, 1, _verb, left=True),
    Column("outcome", "", 3, 1, _outcome, left=True),
    Column("order", "order", 10, 1, _size_at_price),
    Column("fill", "filled", 10, 2, _filled_word),
    Column("age", "age", 5, 3, _age),
    Column("ttl", "ttl", 9, 3, _ttl_word),
    Column("state", "  state", 12, 1, _state, left=True, grow=True, width_max=24),
    Column("fair", "fair", 11, 4, _fair_word),
)
"""One row a sentence, for terminals that have one row to spare."""
_OVER = tuple(column for column in COLUMNS if column.name not in ("leaves", "ahead", "age", "ttl", "fair"))
DONE_COLUMNS = (
    *_OVER[:-3],
    Column("average", "avg", 6, 3, _average),
    Column("fee", "fee", 6, 4, _fee, rank=lambda scene, key: -_row(scene, key).fee),
    Column("ended", "ended", 9, 2, _ended, rank=_by_ended),
    *_OVER[-3:],
)


def counts_line(scene: Scene) -> Line:
    """The worst an unknown order can still do; without one, orders of the P&L day by outcome."""
    unknown = next((row for row in scene.view.working() if row.state == "UNKNOWN"), None)
    if unknown is not None:
        due = unknown.next_check_ns
        check = "" if due is None else f", asked again in {countdown(scene.in_s(due))}"
        return line((f" UNKNOWN {scene.view.named(unknown.key)}: {unknown.bound}{check}", "near"))
    status = scene.view.status
    if status is None:
        return ()
    day = status.counts
    unknown_role = "unknown" if day.unknown else "text-muted"
    return line(
        (
            f" today: {day.placed} placed  {day.filled} filled  {day.cancelled} cancelled"
            f"  {day.rejected} rejected  ",
            "text-muted",
        ),
        (f"{day.unknown} unknown", unknown_role),
    )


def empty_line(scene: Scene) -> Line:
    """Nothing may be called empty before the venue was read completely."""
    status = scene.view.status
    if status is None or status.read_ns is None:
        return note("Reading orders from the venue.")
    return note(f"No working orders, read {age(scene.ago_s(status.read_ns))} ago.")


def orders_title(scene: Scene, *, compact: bool) -> tuple[Line, Line]:
    view = scene.view
    working = len(view.working())
    if compact:
        title = line(
            ("ORDERS", "title"),
            (f" {working}   ", "text-muted"),
            ("POSITIONS", "title"),
            (f" {len(view.held())}", "text-muted"),
        )
        return title, pnl_line(scene)
    one, market = scene.keymap.name("order.cancel"), scene.keymap.name("order.cancel_market")
    every = line((f"{market} ", "key"), ("cancel market", "text-muted"))
    right = line((f"{one} ", "key"), ("cancel   ", "text-muted"), *every)
    return line(("ORDERS", "title"), (f" {working} working", "text-muted")), right if scene.controls else ()


def pnl_line(scene: Scene) -> Line:
    status = scene.view.status
    if status is None:
        return ()
    return line(
        ("open ", "text-muted"), _pnl(status.open_pnl), ("  today ", "text-muted"), _pnl(status.today_pnl)
    )


def _pnl(money: int | None) -> Span:
    return Span(signed_dollars(money), "text" if not money else "gain" if money > 0 else "loss")


class OrderTable(LiveTable):
    """The ORDERS pane."""

    def __init__(self, *, id: str = "orders", done: bool = False) -> None:  # noqa: A002  Textual's own name
        super().__init__(DONE_COLUMNS if done else COLUMNS, id=id, lead=_unknown_first)

    def show(
        self,
        scene: Scene,
        rows: Sequence[OrderRow],
        *,
        compact: bool = False,
        foot: bool = True,
        otherwise: Line = (),
    ) -> None:
        """``otherwise`` is said where no order works, instead of just that."""
        self.header = not compact
        self.columns = COMPACT_COLUMNS if compact else COLUMNS
        title, right = orders_title(scene, compact=compact)
        keys = self.shown(scene, [row.client_order_id for row in rows])
        if not self.has_focus:
            # Without a cursor to see, a cancel means the current market's order or the only one.
            own = [key for key in keys if _row(scene, key).key == scene.current]
            self.point_at(own[0] if own else keys[0] if len(keys) == 1 else None)
        feet = [counts_line(scene)] if foot and not compact else []
        self.paint_rows(scene, keys, title, right, empty=[otherwise or empty_line(scene)], foot=feet)


def order_detail(scene: Scene, row: OrderRow) -> str:
    """One order as a sentence for the message line."""
    ends = "" if row.expires_wall_ms is None else f", expires {utc(row.expires_wall_ms)}Z"
    told = "".join(f", {words}" for words in told_words(row))
    came = "" if row.average is None else f", filled at {tenths(row.average)}c, fee {dollars(row.fee)}"
    known = f", {venue_short(row.venue)} order {short_id(row.order_id)}" if row.order_id else ""
    return (
        f"{row.client_order_id} {_name(scene, row)} {order_word(row)} {row.outcome}"
        f" {count(row.filled)}/{count(row.quantity)} @ {cents(row.price, scene.view.step(row.key))}c"
        f" worth {dollars(row.price * row.quantity // 10_000)}{came}{told}{ends}{known}"
    )
