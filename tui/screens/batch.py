"""Batch: every card of one event in a table, what all of them together could cost, the selected one whole.

The cursor is the selection: each card is read and decided on by itself, one key one card.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from core.control.tables.cards import ProposalRow
from tui.format import UNKNOWN, cents, count, countdown, dollars, signed_tenths, tenths
from tui.lines import Line, Span, flow, line
from tui.payoff import Outcome, outcome_groups
from tui.polling import Polling
from tui.scene import Scene, head, note
from tui.screens.decide_screen import CARD_ROWS, DecideScreen
from tui.screens.desk_plan import Plan, Rect
from tui.tables import Now, clean
from tui.widgets.line_pane import LinePane
from tui.widgets.live_table import Column, Key, LiveTable
from tui.widgets.text_pane import TextPane
from tui.words import card_role

ASK_EVERY_NS = 500_000_000
_TOGETHER_ROWS = 6
_TABLE_LEAST = 4


class Batch(msgspec.Struct, frozen=True):
    """See ``BATCH`` in ``core/control/queries/cards.py``."""

    event: str
    cards: int
    cost: Decimal
    fee: Decimal
    event_now: Decimal
    event_after: Decimal
    event_limit: Decimal
    total_now: Decimal
    total_after: Decimal
    total_limit: Decimal
    outcomes: tuple[Outcome, ...]


def together(batch: Batch, width: int) -> list[Line]:
    """What all cards cost and risk, and what they make in each outcome."""
    all_of = "the card" if batch.cards == 1 else f"all {batch.cards} cards"
    risk = [
        line((f"{all_of} ", "text-muted"), f"cost {batch.cost:.2f} fee {batch.fee:.2f}"),
        _worst("event", batch.event_now, batch.event_after, batch.event_limit),
        _worst("total", batch.total_now, batch.total_after, batch.total_limit),
    ]
    made = outcome_groups(batch.outcomes)
    if made:
        made.insert(0, line(("these alone, filled whole, if it is", "text-muted")))
    return [line(" ", *row) for row in (*flow(risk, width - 2), *flow(made, width - 2, 2))]


def _worst(name: str, now: Decimal, after: Decimal, limit: Decimal) -> Line:
    role = "breach" if after > limit else "near" if after * 10 >= limit * 8 else "strong"
    return line(
        (f"{name} at worst ", "text-muted"), f"{now:.2f} -> ", (f"{after:.2f}", role), f" of {limit:.0f}"
    )


class BatchTable(LiveTable):
    """A row a card, in the order of the queue."""

    def __init__(self) -> None:
        super().__init__(
            (
                Column(
                    "market", " market", 12, 1, self._market, left=True, grow=True, width_max=34, ends=True
                ),
                Column("trade", "  trade", 12, 1, self._trade, left=True),
                Column("size", "size", 7, 1, self._quantity),
                Column("price", "price", 7, 1, self._price),
                Column("cost", "cost", 8, 3, self._cost),
                Column("loss", "max loss", 10, 1, self._loss),
                Column("gain", "max gain", 10, 4, self._gain),
                Column("fair", "fair", 7, 3, self._fair),
                Column("edge", "edge", 7, 1, self._edge),
                Column("expires", "exp", 6, 2, self._expires),
                Column("state", "  state", 10, 1, self._state, left=True, grow=True, width_max=20),
            ),
            id="batch",
        )
        self._rows: dict[Key, ProposalRow] = {}

    def show(self, scene: Scene, cards: list[ProposalRow]) -> None:
        self._rows = {card.id: card for card in cards}
        chosen = scene.card
        self.point_at(chosen.id if chosen is not None and chosen.id in self._rows else None)
        event = scene.view.event_of(cards[0].key) if cards else None
        label = f"{event.label}  " if event is not None else ""
        title = head("BATCH", f"{label}{len(cards)} of {len(scene.cards)} cards")
        self.paint_rows(scene, list(self._rows), title, empty=[note("No card is up.")])

    def _market(self, scene: Scene, key: Key) -> Span:
        card = self._rows[key]
        bracket = scene.view.bracket_of(card.key)
        name = bracket.label if bracket is not None else scene.view.named(card.key)
        here = scene.card is not None and scene.card.id == card.id
        return Span((">" if here else " ") + name, "strong" if here else "text")

    def _trade(self, scene: Scene, key: Key) -> Span:
        card = self._rows[key]
        if card.plan is not None:
            return Span(f"  {len(card.plan.legs)} legs")
        word = f"  {'SELL' if card.closes else 'BUY'} {card.outcome}"
        return Span(word, "yes" if card.outcome == "YES" else "no")

    def _quantity(self, scene: Scene, key: Key) -> Span:
        return Span(count(self._rows[key].quantity))

    def _price(self, scene: Scene, key: Key) -> Span:
        card = self._rows[key]
        if card.plan is not None:
            return Span(UNKNOWN, "text-muted")
        return Span(cents(card.price, scene.view.step(card.key)), "strong")

    def _cost(self, scene: Scene, key: Key) -> Span:
        return Span(dollars(self._rows[key].cost))

    def _loss(self, scene: Scene, key: Key) -> Span:
        return Span(dollars(self._rows[key].max_loss), "strong")

    def _gain(self, scene: Scene, key: Key) -> Span:
        return Span(dollars(self._rows[key].max_gain))

    def _fair(self, scene: Scene, key: Key) -> Span:
        return Span(tenths(self._rows[key].fair), "fair")

    def _edge(self, scene: Scene, key: Key) -> Span:
        row = self._rows[key]
        edge = None if row.fair is None and row.plan is None else row.edge
        return Span(signed_tenths(edge), "edge-trade" if edge is not None and edge > 0 else "edge-none")

    def _expires(self, scene: Scene, key: Key) -> Span:
        return Span(countdown(scene.in_s(self._rows[key].expires_ns)))

    def _state(self, scene: Scene, key: Key) -> Span:
        card = self._rows[key]
        word = scene.card_word if scene.card is not None and scene.card.id == card.id else card.state
        return Span(f"  {'' if word == 'OPEN' else word}", card_role(word))


class BatchScreen(DecideScreen):
    """The cards of the event whose card is selected as it opens; once they are gone, of the next one's."""

    name_in_registry = "batch"

    def __init__(self) -> None:
        super().__init__()
        self.queue = BatchTable()
        self.detail = TextPane(id="detail")
        self._event = ""
        self._known: Batch | None = None
        self._polling = Polling("batch", ASK_EVERY_NS, self._read)

    def panes(self) -> list[LinePane]:
        return [self.card, self.detail, self.queue]

    def plan(self, width: int, height: int) -> Plan:
        body = max(0, height - 3)
        card = min(CARD_ROWS, body)
        text = _TOGETHER_ROWS if body - card >= _TOGETHER_ROWS + _TABLE_LEAST else 0
        heights = {"card": card, "detail": text, "batch": body - card - text}
        tops = {"card": 1, "detail": 1 + card, "batch": 1 + card + text}
        return {name: Rect(0, tops[name], width, rows) for name, rows in heights.items() if rows}

    def draw(self, scene: Scene) -> None:
        cards = self._cards(scene)
        if cards and all(card is not scene.card for card in cards):
            self.console.operator.select_card(cards[0].id, scene.now)
            self.console.call_later(self.console.repaint)
        self.queue.show(scene, cards)
        self.show_card(scene, compact=True)
        if cards:
            self._polling.ask(self.console.operator, scene.now.mono_ns, self._event)
        known = self._known if self._known is not None and self._known.event == self._event else None
        rows = together(known, self.detail.body_size[0]) if cards and known is not None else []
        self.detail.show_text(
            rows, head("TOGETHER", "worst cases with what is held and on order"), dim=scene.dim
        )

    def cursor_moved(self, key: Key, now: Now) -> None:
        self.console.operator.select_card(str(key), now)

    def _cards(self, scene: Scene) -> list[ProposalRow]:
        """Of the event the screen is about, or, once it has none, of the selected card's."""
        found = [card for card in scene.cards if _event_of(scene, card) == self._event]
        if not found and scene.card is not None:
            self._event = _event_of(scene, scene.card)
            found = [card for card in scene.cards if _event_of(scene, card) == self._event]
        return found

    def _read(self, answer: bytes) -> None:
        self._known = clean(msgspec.json.decode(answer, type=Batch))


def _event_of(scene: Scene, card: ProposalRow) -> str:
    static = scene.view.statics.get(card.key)
    return static.event if static is not None else ""
