"""Cards of what a person asks for: made, kept true, and released as any other, through the same gate.

Nothing here sends by itself. A sale at the touch follows it; any other price is the person's own, and where
the book no longer allows it the card says so and waits. An order that is to be smaller at its price is made
so where the venue keeps its place in the queue then: that takes risk away and needs no card. Any other change
cancels it first: the card of what is left comes once its end is proved, so that never both can fill.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from core.domain.fees import SMALLEST_FILL
from core.domain.order import Command, Life, Order, Purpose, TimeInForce, in_terms_of
from core.domain.units import Price, Quantity, quantity_text
from core.engine.cards import Cards
from core.engine.desk import Desk
from core.engine.facts import mapped, market_view
from core.engine.judging import judge, moved, refreshed
from core.engine.operator import Actor, Outcome, accepted, refused
from core.engine.state import AlarmLevel
from core.execution.approvals import TTL_MS
from core.execution.proposals import Proposal, ProposalState, describe
from core.journal.events import Event, Kind
from core.risk.gate import CLEARS, Denial, Verdict
from core.strategy.manual import Style, Ticket, asked, off_grid
from core.strategy.proposal import Candidate

LOOK_S = 0.25
PENDING = (Command.RENEW_SENDING, Command.REDUCE_SENDING)
"""Whose answer comes within seconds: until then no size is changed."""
GONE = (Life.CANCELLED, Life.EXPIRED)
"""Ends after which an order that was to be changed goes on as another."""


class Change(msgspec.Struct, frozen=True):
    """An order that is being cancelled so that another takes its place."""

    ticket: Ticket
    """What is asked for, if nothing fills meanwhile."""
    filled: Quantity
    """When it was asked for."""
    by: Actor


class Manual:
    """``look`` several times a second; the rest when a person asks."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._cards = Cards(desk)
        self._tickets: dict[str, Ticket] = {}
        """Behind each standing card, by its id."""
        self._changes: dict[str, Change] = {}
        """By the client id of the order that goes."""

    # --- asking --------------------------------------------------------------------------------

    def propose(self, ticket: Ticket, actor: Actor) -> Outcome:
        """Make a card of a ticket; it is sent by its approval alone."""
        ticket = msgspec.structs.replace(ticket, by=actor.name)
        wanted = self._wanted(ticket)
        if isinstance(wanted, str):
            return refused(f"No card: {wanted}.")
        card = self._desk.approvals.offer(wanted, self._verdict(wanted), self._desk.clocks.wall_ms() + TTL_MS)
        if card is None:
            return refused("No card: too many that were asked for wait already; approve or veto one.")
        self._tickets[card.id] = ticket
        text = f"asks for {describe(wanted)}"
        self._desk.scribe.log.append(Event(Kind.COMMAND, {"text": text, "card": card.id}, actor=actor.name))
        told = f"{card.id}-{card.fingerprint} is {describe(wanted)}, {ticket.style.value}; approve it"
        told += f", against it: {wanted.against}" if wanted.against else ""
        if not card.verdict.passed:
            first = card.verdict.denials[0]
            told += f", blocked now: {first}. It clears with {first.clears}"
        return accepted(f"{told}.")

    def draft(self, ticket: Ticket) -> Proposal | str:
        """The card a ticket would become, with the gate's word on it, or why there can be none. Changes
        nothing."""
        wanted = self._wanted(ticket)
        if isinstance(wanted, str):
            return wanted
        return Proposal(
            id="",
            fingerprint="",
            candidate=wanted,
            state=ProposalState.OPEN,
            verdict=self._verdict(wanted),
            created_ns=0,
            changed_ns=0,
            expires_ms=0,
            expires_ns=0,
            large=False,
        )

    def change(self, order: Order, price: Price | None, quantity: Quantity | None, actor: Actor) -> Outcome:
        """Make a resting order smaller; or cancel it and ask for what is left of it at another price (of its
        outcome) or size."""
        intent, client = order.intent, order.intent.client_order_id
        if order.life is not Life.WORKING or intent.tif is not TimeInForce.GTC:
            return refused(f"{client[-4:]} is {order.life.value}: only what rests can be changed.")
        at, size = price or intent.outcome_price, quantity or order.leaves
        if (at, size) == (intent.outcome_price, order.leaves):
            return refused(f"{client[-4:]} is that already.")
        known = self._desk.state.markets.get(intent.ticker)
        if known is None:
            return refused(f"The market of {client[-4:]} is not on the desk.")
        against = off_grid(known.market, intent.outcome, in_terms_of(intent.outcome, at))
        if not against and (size < known.market.minimum or size % SMALLEST_FILL):
            least = max(known.market.minimum, SMALLEST_FILL)
            against = f"an order there is at least {quantity_text(least)}, in hundredths of contracts"
        if against:
            return refused(f"{client[-4:]} stays: {against}.")
        seat = self._desk.seat(intent.ticker)
        smaller = at == intent.outcome_price and size < order.leaves and seat.traits.reduces
        if smaller and order.command in PENDING:
            return refused(f"{client[-4:]} waits for the venue's word on a change; try again in a moment.")
        if smaller and order.reducible and not seat.gateway.cancelling(client):
            seat.gateway.reduce(client, size, actor.name)
            return accepted(
                f"{client[-4:]} is being made smaller: {quantity_text(size)} @ {at / 100:g}c left of it, its "
                "place in the queue is kept."
            )
        ticket = Ticket(
            ticker=intent.ticker,
            outcome=intent.outcome if intent.purpose is Purpose.OPEN else None,
            price=at,
            quantity=size,
            style=Style.POST_ONLY if intent.post_only else Style.LIMIT,
        )
        self._changes[client] = Change(ticket, order.filled, actor)
        self._desk.seats.cancel((client,), f"changed by {actor.name}")
        return accepted(
            f"Cancel of {client[-4:]} sent, its place in the queue is lost. Once it is proved gone a card "
            f"comes: {quantity_text(size)} @ {at / 100:g}c."
        )

    def drop(self, clients: Iterable[str]) -> None:
        """These orders are cancelled for good: nothing takes their place."""
        for client in clients:
            self._changes.pop(client, None)

    # --- keeping true --------------------------------------------------------------------------

    def look(self) -> None:
        """Give every card the figures of now, and make those that wait for an order's end."""
        approvals = self._desk.approvals
        for card_id, ticket in list(self._tickets.items()):
            card = approvals.proposals.get(card_id)
            if card is None or not card.standing:
                del self._tickets[card_id]
            else:
                self._renew(card, ticket)
        for client, change in list(self._changes.items()):
            if client not in self._desk.ledger.live:
                del self._changes[client]
                self._replace(self._desk.ledger.orders[client], change)

    def _renew(self, card: Proposal, ticket: Ticket) -> None:
        approvals, wanted = self._desk.approvals, self._wanted(ticket)
        if card.edited and not isinstance(wanted, str):
            wanted = refreshed(self._desk, card.candidate)
        if not isinstance(wanted, str):
            approvals.update(card, wanted, lambda candidate: self._verdict(candidate, card.id))
        elif card.candidate.reduces_risk and not self._desk.ledger.closable(card.candidate.ticker):
            approvals.withdraw(card, wanted)
        else:
            self.judge(card)

    def _replace(self, order: Order, change: Change) -> None:
        """The order is proved gone: ask for what is left of it."""
        left = Quantity(change.ticket.quantity - (order.filled - change.filled))
        why = f"it ended {order.life.value}"
        if order.life in GONE and left > 0:
            told = self.propose(msgspec.structs.replace(change.ticket, quantity=left), change.by)
            if told.accepted:
                return
            why = told.text
        client = order.intent.client_order_id
        what = f"order {client[-4:]} was to be changed and has no successor: {why}"
        self._desk.alarms.raise_(f"change {client}", AlarmLevel.NOTE, what, ticker=order.intent.ticker)

    # --- deciding ------------------------------------------------------------------------------

    def judge(self, card: Proposal) -> Proposal:
        """The newest word on a card."""
        return self._desk.approvals.judge(card, self._verdict(card.candidate, card.id))

    def release(self, card: Proposal, actor: Actor) -> Outcome:
        """Send a card's order. One that the book does not allow now stays, and says so."""
        card = self.judge(card)
        if card.state is ProposalState.BLOCKED:
            return refused(f"{card.id} was not sent: {card.verdict.denials[0]}.")
        return self._cards.send(card, actor)

    def _wanted(self, ticket: Ticket) -> Candidate | str:
        known = self._desk.state.markets.get(ticket.ticker)
        view = market_view(self._desk, ticket.ticker) if known is not None else None
        if known is None or view is None:
            return f"{ticket.ticker[:60]} has no book" if known is not None else "there is no such market"
        return asked(ticket, view, known.fair, self._desk.rules)

    def _verdict(self, candidate: Candidate, card_id: str = "") -> Verdict:
        """The gate's, with what the desk does not know of its market, and whether the book allows such an
        order at its price."""
        verdict, gone = judge(self._desk, candidate, card_id), moved(self._desk, candidate)
        known = self._desk.state.markets[candidate.ticker].market
        if not (candidate.reduces_risk or mapped(known)):
            unknown = "nothing the desk knows says how it settles"
            warning = Denial("G03", "allow list", unknown, "a mapping that is understood", CLEARS["G03"])
            verdict = msgspec.structs.replace(verdict, warnings=(*verdict.warnings, warning))
        if gone is None:
            return verdict
        denial = Denial("BOOK", "price", gone, "what its style asks", "another price, or the book's return")
        return msgspec.structs.replace(verdict, denials=(*verdict.denials, denial))
