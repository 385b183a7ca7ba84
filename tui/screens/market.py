"""One market in detail: its full title, strikes, prices, fair value and what we have there."""

from __future__ import annotations

from core.control.tables.models import EventRow
from tui.format import age, cents, count, signed_count, signed_tenths, tenths, until, utc, venue_short
from tui.lines import Line, flow, line
from tui.scene import Scene, head, note
from tui.screens.text_screen import TextScreen
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
from tui.widgets.text_pane import wrapped
from tui.words import order_role, side_word

_NAME_WIDTH = 14


def pair(name: str, *value: str | tuple[str, str]) -> Line:
    """``name`` in its column, then the value."""
    return line((f" {name:{_NAME_WIDTH}}", "text-muted"), *value)


def market_lines(scene: Scene, key: int, width: int) -> list[Line]:
    """Everything the console knows about one market."""
    view = scene.view
    static, row = view.statics.get(key), view.markets.get(key)
    if static is None or row is None:
        return [note("This market is gone.")]
    step = view.step(key)
    close = view.close_in_s(static.close_world_ms, scene.now)
    bands = ", ".join(f"{cents(a, c)}-{cents(b, c)}c by {cents(c, c)}c" for a, b, c in static.bands[:4])
    rows: list[Line] = [*wrapped(static.title or static.label, width - 2, "strong"), ()]
    rows += [
        pair("market", static.label, (f"   {static.ticker}", "text-muted")),
        pair("venue", venue_short(static.venue), (f"   {row.status}", "near") if row.status else ""),
        pair("station", static.station or "--"),
        pair(
            "closes", utc(static.close_world_ms, "%Y-%m-%d %H:%MZ"), (f"   in {until(close)}", "text-muted")
        ),
        pair("ticks", bands or "--"),
        (),
        pair("bid", f"{cents(row.bid, step)}c", (f"   {count(row.bid_size)} contracts", "text-muted")),
        pair("ask", f"{cents(row.ask, step)}c", (f"   {count(row.ask_size)} contracts", "text-muted")),
        pair(
            "book age",
            age(view.book_age_s(row, scene.now)),
            "" if row.intact else ("   not vouched for", "near"),
        ),
        pair("fair value", (f"{tenths(row.fair)}c", "fair"), f" +/-{tenths(row.sigma)}"),
        *_parts(view.event_of(key), key),
        pair("net edge", row.edge_word or f"{signed_tenths(row.edge)}c"),
        pair("change, 1 h", signed_tenths(row.change)),
        (),
        pair("position", signed_count(row.net)),
    ]
    for linked in view.pairs_of(key):
        rows.append(pair("linked with", *linked_words(scene, linked, key)))
    for order in view.working():
        if order.key == key:
            rows.append(
                pair(
                    "order",
                    *side_word(order.outcome, closes=order.closes),
                    f" {count(order.leaves)} of {count(order.quantity)} @ {cents(order.price, step)}c  ",
                    (order.state, order_role(order)),
                )
            )
    event = view.event_of(key)
    rows.append(())
    if event is None or event.refusal:
        rows.append(note(event.refusal if event is not None else "No model for this market. Prices only."))
        return rows
    rows += [line(" ", *row) for row in flow(summary(scene, event), width - 2, indent=0)]
    rows += [line(" ", *row) for row in flow(inputs(scene, event), width - 2, indent=0)]
    for sentence, role in pool(event):
        rows += wrapped(sentence, width - 2, role)
    top, bar_width = bar_top(event), bar_room(width)
    rows.append(bracket_header(top, bar_width))
    rows += [bracket_line(scene, bracket, top, bar_width, current=key) for bracket in event.brackets]
    return rows


def _parts(event: EventRow | None, key: int) -> list[Line]:
    """What the fair value is pooled from."""
    bracket = next((one for one in event.brackets if one.key == key), None) if event is not None else None
    if event is None or bracket is None or event.refusal:
        return []
    weight = 1.0 if bracket.market is None else event.weight
    model = pair("  model", f"{tenths(bracket.model)}c", (f"   counts {weight:.0%}", "text-muted"))
    if bracket.market is None:
        return [model, pair("  market", ("not pooled", "near"))]
    share = (f"   counts {1 - weight:.0%}", "text-muted")
    return [model, pair("  market", f"{tenths(bracket.market)}c", share)]


class MarketScreen(TextScreen):
    name_in_registry = "market"

    def __init__(self, key: int) -> None:
        super().__init__()
        self.key = key

    def draw(self, scene: Scene) -> None:
        rows = market_lines(scene, self.key, self.detail.body_size[0])
        self.detail.show_text(rows, head("MARKET", scene.view.named(self.key)), dim=scene.dim)
