"""What an operator does with orders by hand: ask for one, change one, cancel one or all of a market."""

from __future__ import annotations

from core.domain.order import Order
from core.domain.order import Outcome as Bought
from core.domain.units import Price, Quantity
from core.engine.hands import Hands
from core.engine.manual import Manual
from core.engine.operator import NOT_READY, VIEWER_REFUSED, Actor, Outcome, accepted, refused
from core.execution.proposals import Proposal
from core.strategy.manual import Style, Ticket

_SIDES: dict[str, Bought | None] = {"yes": Bought.YES, "no": Bought.NO, "sell": None}


class ByHand(Hands):
    """See the module."""

    manual: Manual

    def propose(
        self, ticker: str, side: str, price: Price, quantity: Quantity, style: str, actor: Actor
    ) -> Outcome:
        """Make a card of an order somebody asks for. ``side``: ``yes`` or ``no`` is bought; ``sell`` sells
        what is held, where a price of 0 means the touch and a size of 0 all."""
        if not actor.may_operate:
            return VIEWER_REFUSED
        if not self.desk.state.ready:
            return NOT_READY
        ticket = self._ticket(ticker, side, price, quantity, style)
        if isinstance(ticket, str):
            return refused(ticket)
        self._present(actor)
        return self.manual.propose(ticket, actor)

    def draft(self, ticker: str, side: str, price: Price, quantity: Quantity, style: str) -> Proposal | str:
        """The card it would become, or why there can be none. Changes nothing."""
        ticket = self._ticket(ticker, side, price, quantity, style)
        return ticket if isinstance(ticket, str) else self.manual.draft(ticket)

    def _ticket(self, ticker: str, side: str, price: Price, quantity: Quantity, style: str) -> Ticket | str:
        if ticker not in self.desk.state.markets:
            return f"There is no market {ticker[:60]!r} on this desk."
        if side not in _SIDES:
            return f"A side is yes, no or sell, not {side[:20]!r}."
        if style not in [known.value for known in Style]:
            return f"A style is post-only, limit or ioc, not {style[:20]!r}."
        return Ticket(ticker, _SIDES[side], price or None, quantity, Style(style))

    def amend(self, order: str, price: Price, quantity: Quantity, actor: Actor) -> Outcome:
        """Change a resting order, named like one to cancel; 0 keeps its price (of its outcome), or what is
        left of it."""
        if not actor.may_operate:
            return VIEWER_REFUSED
        found = self._working(order)
        if isinstance(found, str):
            return refused(found)
        if price < 0 or quantity < 0:
            return refused("A price and a size are more than nothing.")
        self._command(f"amend order {found.intent.client_order_id}", actor)
        return self.manual.change(found, price or None, quantity or None, actor)

    def cancel_order(self, client_order_id: str, actor: Actor) -> Outcome:
        """Also takes an unambiguous end of the id, as shown on screen."""
        if not actor.may_operate:
            return VIEWER_REFUSED
        found = self._working(client_order_id)
        if isinstance(found, str):
            return refused(found)
        client = found.intent.client_order_id
        self._command(f"cancel order {client}", actor)
        self.manual.drop((client,))
        self.desk.seats.cancel((client,), f"cancelled by {actor.name}")
        if not found.order_id:
            text = f"{client[-4:]} is cancelled as soon as it is found at the venue; it counts until then."
            return accepted(text)
        return accepted(f"Cancel of {client[-4:]} sent; it counts until the venue confirms.")

    def cancel_market(self, ticker: str, actor: Actor) -> Outcome:
        if not actor.may_operate:
            return VIEWER_REFUSED
        if ticker not in self.desk.state.markets:
            return refused(f"There is no market {ticker[:60]!r} on this desk.")
        self._command(f"cancel every order of {ticker}", actor)
        clients = [order.intent.client_order_id for order in self.desk.ledger.live_in(ticker)]
        self.manual.drop(clients)
        count = self.desk.seats.cancel(clients, f"cancelled by {actor.name}")
        return accepted(f"Cancel of {count} orders sent." if count else "No working order there.")

    def _working(self, name: str) -> Order | str:
        live, wanted = self.desk.ledger.live, name.strip()
        found = [c for c in live if wanted and (c == wanted or c.endswith(wanted))]
        if len(found) != 1:
            what = "more than one working order ends so" if found else "no working order of that id"
            return f"{wanted[:60] or 'order'}: {what}."
        return live[found[0]]
