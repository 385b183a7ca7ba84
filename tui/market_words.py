"""One market in words: what it is, its prices, what we have there, what settles it, what traded."""

from __future__ import annotations

from core.control.tables.markets import MarketRow
from core.control.tables.models import EventRow
from core.control.tables.orders import OrderRow
from tui.format import (
    UNKNOWN,
    age,
    cents,
    count,
    signed_count,
    signed_tenths,
    size,
    tenths,
    until,
    utc,
    venue_short,
)
from tui.lines import Line, flow, line
from tui.market_answers import Near, Quarantine, Trade
from tui.scene import Scene, note
from tui.widgets.fair_values import (
    bar_room,
    bar_top,
    bracket_header,
    bracket_line,
    inputs,
    pool,
    summary,
)
from tui.widgets.link_table import linked_words
from tui.widgets.text_pane import pair, told, wrapped
from tui.words import order_role, side_word


def market_lines(scene: Scene, key: int, width: int, near: Near | None) -> list[Line]:
    """Everything known about one market but its ladder and its past: what is asked first comes first."""
    view = scene.view
    if key not in view.statics or key not in view.markets:
        return [note("This market is gone.")]
    rows = [*_identity(scene, key, width, near), *_prices(scene, key, width)]
    if near is not None and near.quarantine is not None:
        rows += _quarantine(scene, near.quarantine, view.step(key), width)
    rows += [pair("linked with", *linked_words(scene, linked, key)) for linked in view.pairs_of(key)]
    step = view.step(key)
    rows += [_order(order, step) for order in view.working() if order.key == key]
    if near is not None:
        rows += told("settles", near.settles or UNKNOWN, width - 1)
    rows += [(), *distribution(scene, key, width)]
    if near is not None:
        rows += [(), *told("rules", near.rules or UNKNOWN, width - 1), note(":rules shows the whole text.")]
    return rows


def _quarantine(scene: Scene, found: Quarantine, step: int, width: int) -> list[Line]:
    """What is too good to be true there, what it rests on, and how it becomes a card nevertheless."""
    order = f"BUY {found.outcome} @ {cents(found.price, step)}c {found.style}"
    said = f"{found.reason}: {order} would bring {signed_tenths(found.edge)}c a contract"
    rows = told("quar", f"{said}. Presumed a data fault; nothing proposes it.", width - 1)
    rows += [row for sentence in found.evidence for row in wrapped(sentence, width - 2, indent=9)]
    return [*rows, note(f"If the evidence holds, {scene.keymap.name('ticket')} asks for it by hand.")]


def _order(order: OrderRow, step: int) -> Line:
    return pair(
        "order",
        *side_word(order.outcome, closes=order.closes),
        f" {count(order.leaves)} of {count(order.quantity)} @ {cents(order.price, step)}c  ",
        (order.state, order_role(order)),
        ("" if order.ahead is None else f"  {count(order.ahead)} ahead", "text-muted"),
    )


def _identity(scene: Scene, key: int, width: int, near: Near | None) -> list[Line]:
    view = scene.view
    static, row = view.statics[key], view.markets[key]
    close = view.close_in_s(static.close_world_ms, scene.now)
    bands = ", ".join(f"{cents(a, c)}-{cents(b, c)}c by {cents(c, c)}c" for a, b, c in static.bands[:4])
    groups = [
        line((static.label, "strong"), (f" {static.ticker}", "text-muted")),
        line(
            ("venue ", "text-muted"),
            venue_short(static.venue),
            (f" {row.status}", "near") if row.status else "",
        ),
        line(
            ("closes ", "text-muted"),
            utc(static.close_world_ms, "%Y-%m-%d %H:%MZ"),
            (f" in {until(close)}", "text-muted"),
            f", {near.closes}" if near is not None and near.closes else "",
        ),
        line(("station ", "text-muted"), static.station) if static.station else (),
        line(("ticks ", "text-muted"), bands or UNKNOWN),
    ]
    title = wrapped(static.title or static.label, width - 2, "strong")
    return [*title, *(line(" ", *row) for row in flow(groups, width - 2, indent=0))]


def _prices(scene: Scene, key: int, width: int) -> list[Line]:
    view = scene.view
    row, step = view.markets[key], view.step(key)
    groups = [
        line(
            ("book ", "text-muted"),
            f"{count(row.bid_size)} x {cents(row.bid, step)} / ",
            f"{cents(row.ask, step)} x {count(row.ask_size)}",
            (f"  {age(scene.book_age_s(row))}", "text-muted"),
            "" if row.intact else ("  not vouched for", "near"),
        ),
        line(("fair ", "text-muted"), *_fair(row)),
        *_parts(view.event_of(key), key),
        line(("net edge ", "text-muted"), row.edge_word or _in_cents(signed_tenths(row.edge))),
        line(("change, 1 h ", "text-muted"), signed_tenths(row.change)),
        line(("position ", "text-muted"), signed_count(row.net)),
        line(("traded ", "text-muted"), size(row.volume)) if row.volume is not None else (),
    ]
    return [line(" ", *row) for row in flow(groups, width - 2, indent=0)]


def _fair(row: MarketRow) -> Line:
    if row.fair is None:
        return line((UNKNOWN, "text-muted"))
    return line((f"{tenths(row.fair)}c", "fair"), f" +/-{tenths(row.sigma)}")


def _in_cents(figure: str) -> str:
    return figure if figure == UNKNOWN else f"{figure}c"


def _parts(event: EventRow | None, key: int) -> list[Line]:
    """What the fair value is pooled from."""
    bracket = next((one for one in event.brackets if one.key == key), None) if event is not None else None
    if event is None or bracket is None or event.refusal:
        return []
    weight = 1.0 if bracket.market is None else event.weight
    model = line(
        ("model ", "text-muted"), f"{tenths(bracket.model)}c", (f" counts {weight:.0%}", "text-muted")
    )
    if bracket.market is None:
        return [model, line(("market ", "text-muted"), ("not pooled", "near"))]
    share = (f" counts {1 - weight:.0%}", "text-muted")
    return [model, line(("market ", "text-muted"), f"{tenths(bracket.market)}c", share)]


def distribution(scene: Scene, key: int, width: int) -> list[Line]:
    """The model's law of the market's event against the book, bracket by bracket, and what it rests on."""
    event = scene.view.event_of(key)
    if event is None or event.refusal:
        return [note(event.refusal if event is not None else "No model for this market. Prices only.")]
    top, bar_width = bar_top(event), bar_room(width)
    rows = [bracket_header(top, bar_width)]
    rows += [bracket_line(scene, bracket, top, bar_width, current=key) for bracket in event.brackets]
    rows += [line(" ", *row) for row in flow(summary(scene, event), width - 2, indent=0)]
    rows += [line(" ", *row) for row in flow(inputs(scene, event), width - 2, indent=0)]
    for sentence, role in pool(event):
        rows += wrapped(sentence, width - 2, role)
    return rows


def tape_lines(trades: tuple[Trade, ...], step: int) -> list[Line]:
    """Public trades, the newest first: world time, side of whoever came last, contracts, price of YES."""
    if not trades:
        return [note("No trade seen yet.")]
    return [
        line(
            (f" {utc(trade.at_world_ms)}", "text-muted"),
            ("  BUY " if trade.buys else "  SELL", "price-up" if trade.buys else "price-down"),
            f"{size(trade.quantity):>7} @ {cents(trade.price, step)}c",
        )
        for trade in trades
    ]
