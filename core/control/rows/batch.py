"""The cards of one event together: what all of them cost, and what they come to in each outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.control.rows.payoff import endings, gained
from core.control.tables.batch import BatchRow
from core.control.tables.payoff import OutcomeRow
from core.domain.market import Market
from core.engine.desk import Desk
from core.execution.proposals import Proposal
from core.risk.exposure import PerOutcome, order_loss
from core.strategy.proposal import Candidate


def orders_of(card: Proposal) -> tuple[Candidate, ...]:
    return (card.candidate,) if card.plan is None else card.plan.legs


def losses_of(cards: Sequence[Proposal]) -> dict[str, PerOutcome]:
    """What the orders of cards could add to the loss, by market."""
    losses: dict[str, PerOutcome] = {}
    for order in (order for card in cards for order in orders_of(card)):
        loss = order_loss(order.side, order.price, order.quantity, order.fee)
        losses[order.ticker] = losses[order.ticker].plus(loss) if order.ticker in losses else loss
    return losses


def batch_row(desk: Desk, event: str) -> BatchRow | None:
    """The standing cards of an event; ``None`` where there is none."""
    cards = [card for card in desk.approvals.queue() if card.candidate.event_ticker == event]
    known = desk.state.events.get(event)
    if not cards or known is None:
        return None
    orders = [order for card in cards for order in orders_of(card)]
    first, limits = cards[0].candidate.ticker, desk.state.limits.current
    now, after = desk.exposure.now(first), desk.exposure.with_orders(first, losses_of(cards))
    return BatchRow(
        event=event,
        cards=len(cards),
        cost=sum(card.cost for card in cards if not card.candidate.reduces_risk),
        fee=sum(order.fee for order in orders),
        event_now=now.event,
        event_after=after.event,
        event_limit=limits.event_loss_max,
        total_now=now.total,
        total_after=after.total,
        total_limit=limits.total_loss_max,
        outcomes=_outcomes(orders, {t: desk.state.markets[t].market for t in known.markets}),
    )


def _outcomes(orders: Sequence[Candidate], markets: Mapping[str, Market]) -> tuple[OutcomeRow, ...]:
    """What all orders make, filled whole, each way the event may end."""
    if not all(order.ticker in markets for order in orders):
        return ()
    return tuple(OutcomeRow(label, _made(orders, winner)) for label, winner in endings(markets))


def _made(orders: Sequence[Candidate], winner: str) -> int:
    return sum(gained(order, order.quantity, winner) - order.fee for order in orders)
