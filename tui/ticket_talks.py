"""Trading by hand from the keyboard: an order's ticket, a sale of what is held, a change of what rests.

What is typed becomes a card, and only the key ``a`` sends it. A ticket says of itself what it would come to,
by the engine's own figures, while it is typed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from core.control.protocol import Amend, Propose
from core.control.tables.orders import OrderRow
from core.domain.units import UnitError, parse_cents, parse_quantity
from tui.format import cents, count
from tui.operator import Operator
from tui.preview import Previewed
from tui.tables import Now
from tui.talks import Clock, Make, Question, Talk, instant

SIDES = ("yes", "no", "sell")
STYLES = ("post-only", "limit", "ioc")
_FIGURE = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_DOLLAR = 10_000
_HOW = "Tab side, arrows price, S-Tab style"


class Typed(NamedTuple):
    """What a text says of an order; ``None`` of what it does not."""

    side: str | None = None
    price: int | None = None
    """In terms of the outcome, ten-thousandths of a dollar."""
    quantity: int | None = None
    style: str | None = None


def parse_ticket(text: str) -> Typed | str:
    """``yes 40 @ 31 post-only`` in any order, words as short as one likes, or what is wrong with it."""
    words = text.casefold().replace("@", " @ ").split()
    found, priced = Typed(), False
    for word in words:
        if word == "@" and not priced:
            priced = True
        elif (side := _meant(word, SIDES)) and found.side is None:
            found = found._replace(side=side)
        elif (style := _meant(word, STYLES)) and found.style is None:
            found = found._replace(style=style)
        elif _FIGURE.fullmatch(word) and priced and found.price is None:
            price = _figure(parse_cents, word)
            if isinstance(price, str):
                return price
            found = found._replace(price=price)
        elif _FIGURE.fullmatch(word) and found.quantity is None:
            quantity = _figure(parse_quantity, word)
            if isinstance(quantity, str):
                return quantity
            found = found._replace(quantity=quantity)
        else:
            return "write yes|no|sell SIZE @ CENTS post-only|limit|ioc"
    if priced and found.price is None:
        return "a price in cents follows the @"
    # A command has 0 for what is left open, which of a sale is all of it, at the touch.
    if found.price is not None and not 0 < found.price < _DOLLAR:
        return "a price is more than 0 and less than 100 cents"
    return "a size is more than 0" if found.quantity == 0 else found


def _meant(word: str, words: Sequence[str]) -> str | None:
    return next((known for known in words if known.startswith(word)), None)


def _figure(parse: Callable[[str], int], text: str) -> int | str:
    try:
        return parse(text)
    except UnitError as error:
        return str(error)


class _Ticket:
    """The text of a ticket as the keys change it, with what it leaves open filled in."""

    def __init__(self, operator: Operator, clock: Clock, key: int, at: int | None = None) -> None:
        self._operator, self._key, self._at = operator, key, at
        self._preview = Previewed(operator, clock)
        self._step = operator.view.step(key)

    @property
    def question(self) -> Question:
        name = self._operator.view.named(self._key)
        keys = {
            "tab": lambda text: self._turned(text, "side"),
            "shift+tab": lambda text: self._turned(text, "style"),
            "up": lambda text: self._tick(text, up=True),
            "down": lambda text: self._tick(text, up=False),
        }
        at = "" if self._at is None else f" at {cents(self._at, self._step)}c"
        return Question(f"Order {name}{at}: SIZE, {_HOW}", keys, self._tell)

    def whole(self, typed: Typed) -> Typed:
        """With the defaults: the price that was pointed at; else a purchase joins the best bid for its
        outcome, and a sale takes it."""
        side = typed.side or "yes"
        style = typed.style or ("ioc" if side == "sell" else "post-only")
        quantity = 0 if side == "sell" and typed.quantity is None else typed.quantity
        return Typed(side, self._touch(side, style) if typed.price is None else typed.price, quantity, style)

    def command(self, typed: Typed) -> Propose | str:
        """What is sent, or what is missing."""
        static = self._operator.view.statics.get(self._key)
        side, price, quantity, style = self.whole(typed)
        if static is None or side is None or style is None:
            return "this market is gone"
        if side == "sell" and typed.price is None and self._at is None and style == "ioc":
            price = 0  # the engine's own touch, which the card follows
        if quantity is None:
            return "type a size"
        if price is None:
            return "nobody is in the book: type a price, as @ 31"
        return Propose(self._operator.next_id(), static.ticker, side, price, quantity, style)

    def _outcome(self, side: str) -> str:
        """What the price is in terms of."""
        row = self._operator.view.markets.get(self._key)
        return "NO" if side == "no" or (side == "sell" and row is not None and row.net < 0) else "YES"

    def _touch(self, side: str, style: str) -> int | None:
        """Where an order of this style goes by itself: to the best bid for the outcome, or to its offer."""
        if self._at is not None:
            return self._at if self._outcome(side) == "YES" else _DOLLAR - self._at
        row = self._operator.view.markets.get(self._key)
        if row is None:
            return None
        yes = self._outcome(side) == "YES"
        bid = row.bid if yes else None if row.ask is None else _DOLLAR - row.ask
        ask = row.ask if yes else None if row.bid is None else _DOLLAR - row.bid
        rests = style == "post-only"
        return bid if rests is (side != "sell") else ask

    def _text(self, typed: Typed) -> str:
        side, price, quantity, style = typed
        size = "" if not quantity else f" {count(quantity)}"
        at = "" if price is None else f" @ {cents(price, self._step)}"
        return f"{side or ''}{size}{at} {style or ''}".strip()

    def _field(self, typed: Typed) -> str:
        """The text with room behind it for a size that is still to be typed."""
        text = self._text(typed)
        return text if typed.quantity or typed.side == "sell" else f"{text} "

    def _turned(self, text: str, what: str) -> str:
        """The next side or style; a side goes to its own price."""
        typed = parse_ticket(text)
        if isinstance(typed, str):
            return text
        whole = self.whole(typed)
        if what == "style":
            return self._field(typed._replace(side=whole.side, style=_next(whole.style, _styles(whole.side))))
        side = _next(whole.side, SIDES)
        style = None if "sell" in (side, whole.side) else typed.style
        return self._field(Typed(side, None, typed.quantity, style))

    def _tick(self, text: str, *, up: bool) -> str:
        typed = parse_ticket(text)
        whole = self.whole(typed) if isinstance(typed, Typed) else Typed()
        if whole.price is None or whole.side is None:
            return text
        price = self._operator.view.ticked(self._key, self._outcome(whole.side), whole.price, up=up)
        return self._field(whole._replace(price=price))

    def _tell(self, text: str) -> str:
        """What would come of it, or what is wrong or missing."""
        typed = parse_ticket(text)
        if isinstance(typed, str):
            return typed
        command = self.command(typed)
        if isinstance(command, str):
            return f"{self._text(self.whole(typed))}: {command}; {_HOW}"
        about = f"{command.ticker} {command.side} {command.price} {command.quantity} {command.style}"
        told = self._preview.told(about, closes=command.side == "sell")
        return f"{self._text(self.whole(typed))}: {told}"


def _styles(side: str | None) -> tuple[str, ...]:
    """A sale either rests or is immediate."""
    return ("ioc", "post-only") if side == "sell" else STYLES


def _next(word: str | None, words: Sequence[str]) -> str:
    return words[(words.index(word) + 1) % len(words)] if word in words else words[0]


def ticket(operator: Operator, clock: Clock, key: int, at: int | None = None, text: str = "") -> Talk:
    """Ask for an order in a market until it is one, then ask the engine for its card. ``at``: the price of
    YES that was pointed at on a ladder. ``text``: how it begins."""
    field = _Ticket(operator, clock, key, at)
    question = field.question._replace(value=text)
    while True:
        text = yield question
        typed = parse_ticket(text)
        command = typed if isinstance(typed, str) else field.command(typed)
        if not isinstance(command, str):
            return propose(operator, command, key, clock())
        question = question._replace(prompt=f"{command}. {_HOW}", value=text)


def propose(operator: Operator, command: Propose, key: int, now: Now) -> str:
    """Ask for the card, which is selected as soon as it is there."""
    if operator.send(command, f"ticket {operator.view.label(key)}", now):
        operator.expect_card(key)
    return ""


def _market(operator: Operator, words: list[str]) -> tuple[int, str, list[str]] | None:
    """Key, ticker and what follows of the market that is named first; a name may have several words."""
    for n in range(len(words), 0, -1):
        ticker = operator.view.ticker_of(" ".join(words[:n]))
        key = next((k for k, static in operator.view.statics.items() if static.ticker == ticker), None)
        if ticker is not None and key is not None:
            return key, ticker, words[n:]
    return None


def _order(operator: Operator, clock: Clock, rest: str) -> Talk:
    named = _market(operator, rest.split())
    if named is None:
        return f"order: not one market is called so in {rest[:30]!r}"
    key, _, words = named
    if not words:
        return (yield from ticket(operator, clock, key))
    typed = parse_ticket(" ".join(words))
    command = typed if isinstance(typed, str) else _Ticket(operator, clock, key).command(typed)
    return f"order: {command}" if isinstance(command, str) else propose(operator, command, key, clock())


def _close(operator: Operator, now: Now, rest: str) -> str | None:
    named = _market(operator, rest.split())
    if named is None:
        return f"close: not one market is called so in {rest[:30]!r}"
    key, ticker, words = named
    typed = parse_ticket(" ".join(words))
    if isinstance(typed, str) or typed.side is not None:
        return "usage: close MARKET [SIZE] [@CENTS] [post-only|ioc]"
    return close(operator, key, ticker, now, typed)


def close(operator: Operator, key: int, ticker: str, now: Now, typed: Typed | None = None) -> str:
    """Ask for a card that sells what is held in a market: all of it at the touch, unless said otherwise."""
    typed = typed or Typed()
    command = Propose(
        operator.next_id(), ticker, "sell", typed.price or 0, typed.quantity or 0, typed.style or "ioc"
    )
    return propose(operator, command, key, now)


class _Change:
    """The text of a change as the keys turn it."""

    def __init__(self, operator: Operator, row: OrderRow) -> None:
        self._operator, self._known = operator, row
        self._step = operator.view.step(row.key)

    @property
    def _row(self) -> OrderRow:
        """The order as it is now: it fills meanwhile."""
        return self._operator.view.orders.get(self._known.client_order_id, self._known)

    @property
    def question(self) -> Question:
        now = f"{self._operator.view.named(self._known.key)} @ {cents(self._known.price, self._step)}"
        keys = {
            "up": lambda text: self._tick(text, up=True),
            "down": lambda text: self._tick(text, up=False),
        }
        return Question(f"Change {now}c: SIZE @ CENTS, Up Down a tick", keys, self._tell)

    def _text(self, quantity: int, price: int) -> str:
        return f"{count(quantity)} @ {cents(price, self._step)}"

    def _tick(self, text: str, *, up: bool) -> str:
        typed = parse_ticket(text)
        if isinstance(typed, str) or typed.side or typed.style:
            return text
        row = self._row
        price, quantity = typed.price or row.price, typed.quantity or row.leaves
        return self._text(quantity, self._operator.view.ticked(row.key, row.outcome, price, up=up))

    def _tell(self, text: str) -> str:
        typed = changed(text)
        if isinstance(typed, str):
            return typed
        wanted = self._text(typed.quantity or self._row.leaves, typed.price or self._row.price)
        if _shrinks(self._row, typed):
            return f"{wanted}c left of it at once, no card; its place in the queue is kept"
        return f"{wanted}c as a card once this one is gone; its place in the queue is lost"


def changed(text: str) -> Typed | str:
    """Size or price of a change, or what is wrong with it."""
    typed = parse_ticket(text)
    if isinstance(typed, str) or typed.side or typed.style or not (typed.price or typed.quantity):
        return "write SIZE, @ CENTS or both"
    return typed


def _shrinks(row: OrderRow, typed: Typed) -> bool:
    """Whether the change only makes the order smaller, and the venue can do that."""
    same_price = typed.price in (None, row.price)
    return row.reduces and same_price and typed.quantity is not None and typed.quantity < row.leaves


def change(operator: Operator, clock: Clock, row: OrderRow) -> Talk:
    """Ask for another size or price of a resting order until it is one, then send it."""
    question = _Change(operator, row).question
    while True:
        text = yield question
        typed = changed(text)
        if not isinstance(typed, str):
            _send_change(operator, row.client_order_id, typed, clock())
            return ""
        question = question._replace(prompt=typed, value=text)


def _send_change(operator: Operator, order: str, typed: Typed, now: Now) -> None:
    command = Amend(operator.next_id(), order, typed.price or 0, typed.quantity or 0)
    found = [row for row in operator.view.working() if row.client_order_id.endswith(order)]
    comes = len(found) == 1 and not _shrinks(found[0], typed)
    if operator.send(command, f"amend {order[-8:]}", now) and comes:
        operator.expect_card(found[0].key)


def _amend(operator: Operator, now: Now, rest: str) -> str | None:
    order, _, words = rest.partition(" ")
    typed = changed(words)
    if isinstance(typed, str):
        return f"amend: {typed}"
    _send_change(operator, order, typed, now)
    return None


def _cancel_market(operator: Operator, now: Now, rest: str) -> str | None:
    named = _market(operator, rest.split())
    if named is None or named[2]:
        return f"cancel-market: not one market is called {rest[:30]!r}"
    operator.cancel_market(named[0], now)
    return None


TALKS: dict[str, Make] = {
    "order": _order,
    "close": instant(_close),
    "amend": instant(_amend),
    "cancel-market": instant(_cancel_market),
}
