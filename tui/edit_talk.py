"""Editing a card by hand: a smaller size or a better price, typed or by keys, with what it would come to.

The engine says what an edit would make of the card, by the same steps as it would carry it out.
"""

from __future__ import annotations

import re

from core.control.tables.cards import ProposalRow
from core.domain.units import UnitError, parse_quantity
from tui.format import cents, count
from tui.operator import Operator
from tui.preview import Previewed
from tui.talks import Clock, Question, Talk

_EDIT = re.compile(r"\s*(?P<size>\d+(?:\.\d+)?)?\s*(?:@\s*(?P<price>\d+(?:\.\d+)?))?\s*", re.ASCII)
_CONTRACT, _LOT = 1_000_000, 10_000
_DOLLAR = 10_000


def edit(operator: Operator, clock: Clock, card: ProposalRow) -> Talk:
    """Ask for a smaller size or a better price until it is one, then send it."""
    field = _Edit(operator, clock, card)
    shown = field.text(card.price, card.quantity)
    wanted = parse_edit(card, (yield field.question(f"Edit {shown}: SIZE @ CENTS; h halves, Up Down a tick")))
    while isinstance(wanted, str):
        wanted = parse_edit(card, (yield field.question(f"{wanted}. Edit, as SIZE @ CENTS")))
    operator.edit(card, *wanted, clock())
    return ""


class _Edit:
    """What is typed, as the keys change it, and the engine's last word on what it would do."""

    def __init__(self, operator: Operator, clock: Clock, card: ProposalRow) -> None:
        self._operator, self._card = operator, card
        self._step = operator.view.step(card.key)
        self._preview = Previewed(operator, clock)

    def question(self, prompt: str) -> Question:
        keys = {
            "h": self._halve,
            "up": lambda text: self._tick(text, up=True),
            "down": lambda text: self._tick(text, up=False),
        }
        return Question(prompt, keys, self._tell)

    def text(self, price: int, quantity: int) -> str:
        return f"{count(quantity)} @ {cents(price, self._step)}"

    def _typed(self, text: str) -> tuple[int, int]:
        """Price and size of the text; the card's own for what it does not say."""
        typed = _figures(self._card, text)
        return typed if not isinstance(typed, str) else (self._card.price, self._card.quantity)

    def _halve(self, text: str) -> str:
        """Half the size: whole contracts while there are some."""
        price, quantity = self._typed(text)
        least = _CONTRACT if quantity >= 2 * _CONTRACT else _LOT
        return self.text(price, max(least, quantity // 2 // least * least))

    def _tick(self, text: str, *, up: bool) -> str:
        """The price by one tick, never worse than the card's."""
        card = self._card
        price, quantity = self._typed(text)
        step = self._operator.view.tick(card.key, card.outcome, price, up=up)
        moved = price + step if up else price - step
        moved = max(moved, card.price) if card.closes else min(moved, card.price)
        return self.text(moved if 0 < moved < _DOLLAR else price, quantity)

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
    match = _EDIT.fullmatch(text)
    if match is None or not (match["size"] or match["price"]):
        return "write 20, @ 31 or 20 @ 31"
    try:
        quantity = parse_quantity(match["size"]) if match["size"] else card.quantity
        # Cents with up to two decimals are ten-thousandths of a dollar exactly.
        price = parse_quantity(match["price"]) * 100 // 1_000_000 if match["price"] else card.price
    except UnitError as error:
        return str(error)
    return price, quantity


def parse_edit(card: ProposalRow, text: str) -> tuple[int, int] | str:
    """Price and quantity of an edit, or why it is not allowed."""
    figures = _figures(card, text)
    if isinstance(figures, str):
        return figures
    price, quantity = figures
    if quantity <= 0 or quantity > card.quantity:
        return f"the size must be at most {count(card.quantity)}"
    worse = price < card.price if card.closes else price > card.price
    if worse or not 0 < price < _DOLLAR:
        return f"the price must be {'at least' if card.closes else 'at most'} {cents(card.price)}c"
    if (price, quantity) == (card.price, card.quantity):
        return "nothing is different"
    return price, quantity
