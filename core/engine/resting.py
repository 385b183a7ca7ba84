"""Whether an entry that rests in the book is still wanted there."""

from __future__ import annotations

from core.domain.order import Order
from core.domain.units import Price, Quantity
from core.engine.desk import Desk
from core.engine.judging import judge, needs_person
from core.engine.state import Mode
from core.models.fair_value import FairValue
from core.strategy.entries import displaced, lapsed
from core.strategy.plan import ARBITRAGE
from core.strategy.proposal import MANUAL, Candidate, FeeRole, Sizing
from core.strategy.rules import MarketView
from core.strategy.sizing import crumb


def modelled(order: Order) -> bool:
    """Whether an entry rests on what a model says: a plan's rests on prices, a person's on that person."""
    return order.intent.strategy not in (ARBITRAGE, MANUAL)


def unwanted(desk: Desk, order: Order, fair: FairValue, view: MarketView) -> str:
    """Why a working entry should be cancelled; empty while it is wanted.

    Only automatic mode moves an order to a better place: a person who chose a price is not asked again for
    a tick. It gives no place up that it could not take again: where it may open nothing, where the gate would
    refuse the next order, or where what is left is too little to be added anew.
    """
    entry, rules = _of_order(order, fair), desk.rules
    why = lapsed(fair, view, entry, rules, desk.clocks.world_ms())
    age_ms = desk.clocks.wall_ms() - order.intent.created_ms
    moves = desk.state.mode is Mode.AUTO and entry.post_only and age_ms >= rules.requote_after_s * 1000
    if why or not moves or needs_person(desk, entry):
        return why
    move = displaced(fair, view, entry, _before(desk, order, view), rules)
    if move is None or crumb(move.order.quantity, Quantity(abs(view.position.net))):
        return ""
    return move.why if judge(desk, move.order, without=order.intent.client_order_id).passed else ""


def _before(desk: Desk, order: Order, view: MarketView) -> Quantity:
    """Contracts that are filled before an order: all at better prices, and those before it at its own.

    The venue's own word on the queue may or may not count the better prices; where there is none, everybody
    else at the price is taken to have come first.
    """
    side, price = order.intent.side, order.intent.price
    level = view.book.size(side, price)
    better = view.book.depth_within(side, price) - level
    queue = desk.seat(order.intent.ticker).queue_ahead.get(order.order_id)
    others = max(0, level - order.leaves)
    return Quantity(better + (others if queue is None else min(queue, others)))


def _of_order(order: Order, fair: FairValue) -> Candidate:
    """As the candidate it came from."""
    intent = order.intent
    return Candidate(
        ticker=intent.ticker,
        event_ticker=fair.event_ticker,
        strategy=intent.strategy,
        side=intent.side,
        purpose=intent.purpose,
        price=intent.price,
        quantity=order.leaves,
        tif=intent.tif,
        post_only=intent.post_only,
        reduce_only=intent.reduce_only,
        fee_role=FeeRole.MAKER if intent.post_only else FeeRole.TAKER,
        fee=intent.reserved,
        edge=Price(0),
        edge_half=Price(0),
        fair=fair.probability,
        sigma=fair.sigma,
        model=fair.model,
        model_version=fair.version,
        sizing=Sizing(0.0, 0.0, ""),
        why="",
        against="",
    )
