"""Editing a card by hand: a smaller size or a better price, typed or by keys, with what it would come to.

The engine says what an edit would make of the card, by the same steps as it would carry it out.
"""

from __future__ import annotations

from core.control.tables.cards import ProposalRow
from tui.format import cents, count
from tui.operator import Operator
from tui.preview import Previewed
from tui.talks import Clock, Question, Talk
from tui.ticket_talks import changed

_CONTRACT, _LOT = 1_000_000, 10_000


def edit(operator: Operator, clock: Clock, card: ProposalRow) -> Talk:
    """Ask for a smaller size or a better price until it is one, then send it."""
    if card.plan is not None:
        return "a plan is taken or left as it is"
    if card.state == "SENT" or operator.is_sent(card):
        return f"{card.id} was sent: what came of it is changed where orders are listed"
    question = _Edit(operator, clock, card).question
    while True:
        text = yield question
        wanted = parse_edit(card, text)
        if not isinstance(wanted, str):
            operator.edit(card, *wanted, clock())
            return ""
        question = question._replace(prompt=f"{wanted}. Edit, as SIZE @ CENTS", value=text)


class _Edit:
    """What is typed, as the keys change it, and the engine's last word on what it would do."""

    def __init__(self, operator: Operator, clock: Clock, card: ProposalRow) -> None:
        self._operator, self._card = operator, card
        self._step = operator.view.step(card.key)
        self._preview = Previewed(operator, clock)

    @property
    def question(self) -> Question:
        shown = self.text(self._card.price, self._card.quantity)
        keys = {
            "h": self._halve,
            "up": lambda text: self._tick(text, up=True),
            "down": lambda text: self._tick(text, up=False),
        }
        return Question(f"Edit {shown}: SIZE @ CENTS; h halves, Up Down a tick", keys, self._tell)

    def text(self, price: int, quantity: int) -> str:
        return f"{count(quantity)} @ {cents(price, self._step)}"

    def _typed(self, text: str) -> tuple[int, int]:
        """Price and size of the text; the card's own for what it does not say."""
        figures = _figures(self._card, text)
        return figures if not isinstance(figures, str) else (self._card.price, self._card.quantity)

    def _halve(self, text: str) -> str:
        """Half the size: whole contracts while there are some."""
        price, quantity = self._typed(text)
        least = _CONTRACT if quantity >= 2 * _CONTRACT else _LOT
        return self.text(price, max(least, quantity // 2 // least * least))

    def _tick(self, text: str, *, up: bool) -> str:
        """The price by one tick, never worse than the card's."""
        card = self._card
        price, quantity = self._typed(text)
        moved = self._operator.view.ticked(card.key, card.outcome, price, up=up)
        return self.text(max(moved, card.price) if card.closes else min(moved, card.price), quantity)

    def _tell(self, text: str) -> str:
        """What the edit would make of the card, or what is wrong with it."""
        wanted = parse_edit(self._card, text)
        if isinstance(wanted, str):
            return wanted
        price, quantity = wanted
        about = f"{self._card.id} {self._card.fingerprint} {price} {quantity}"
        return f"{self.text(price, quantity)}c: {self._preview.told(about, closes=self._card.closes)}"


def _figures(card: ProposalRow, text: str) -> tuple[int, int] | str:
    """Price and quantity of a text, or why it has none."""
    typed = changed(text)
    if isinstance(typed, str):
        return typed
    return typed.price or card.price, typed.quantity or card.quantity


def parse_edit(card: ProposalRow, text: str) -> tuple[int, int] | str:
    """Price and quantity of an edit, or why it is not allowed."""
    figures = _figures(card, text)
    if isinstance(figures, str):
        return figures
    price, quantity = figures
    if quantity > card.quantity:
        return f"the size must be at most {count(card.quantity)}"
    if price < card.price if card.closes else price > card.price:
        return f"the price must be {'at least' if card.closes else 'at most'} {cents(card.price)}c"
    if figures == (card.price, card.quantity):
        return "nothing is different"
    return figures
