"""One order's way in: would it cross, can it be paid, what does it meet, what rests of it.

Prices, sizes and signatures are somebody else's business (``intake``); texts are the venue's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from core.domain.units import DOLLAR, Money, Price, Quantity
from core.sim.matching import Book
from core.sim.orders import BookSide
from core.sim.polymarket import settling
from core.sim.polymarket.contracts import Market
from core.sim.polymarket.crossing import Reach, reach
from core.sim.polymarket.events import OrderChanged, OrderEvent
from core.sim.polymarket.numbers import units_text
from core.sim.polymarket.orders import (
    Cause,
    Order,
    OrderRequest,
    OrderStatus,
    OrderType,
    Refused,
    book_side,
)
from core.sim.polymarket.wallets import given

if TYPE_CHECKING:
    from core.sim.polymarket.exchange import Exchange

FOK_KILLED = Refused("order couldn't be fully filled. FOK orders are fully filled or killed.")
FAK_KILLED = Refused(
    "no orders found to match with FAK order. FAK orders are partially filled or killed if no match is found."
)
Levels = list[tuple[Price, Quantity]]
MATCH_DELAYED = Refused("order match delayed due to market conditions")
"""A refusal that refuses nothing: the order waits all the same."""
CROSSES = Refused("invalid post-only order: order crosses book")


class Placed(msgspec.Struct, frozen=True):
    """The order was accepted. ``status`` is the answer's word; the amounts are what matched at once."""

    order: Order
    status: str
    shares: Quantity = Quantity(0)
    money: Money = Money(0)
    trades: tuple[str, ...] = ()


def levels(book: Book[Order], outcome: int) -> tuple[Levels, Levels]:
    """Bids and asks of one outcome, best first."""
    bids, asks = book.levels(BookSide.BID), book.levels(BookSide.ASK)
    if outcome == 0:
        return bids, asks
    return [(Price(10_000 - p), n) for p, n in asks], [(Price(10_000 - p), n) for p, n in bids]


def crosses(exchange: Exchange, request: OrderRequest) -> bool:
    """Whether an order would meet another one now."""
    order = _order(exchange, exchange.tokens[request.token_id], request)
    return bool(reach(exchange.books[order.condition_id], order).legs)


def place(exchange: Exchange, request: OrderRequest, *, was_held: bool) -> Placed | Refused:
    market = exchange.tokens[request.token_id]
    order = _order(exchange, market, request)
    met = reach(exchange.books[order.condition_id], order)
    refused = _refusal(exchange, market, order, request, met)
    if refused is not None:
        if order.order_id not in exchange.orders and refused in (FOK_KILLED, FAK_KILLED):
            kill(exchange, order)
        return refused
    exchange.remember(order)
    if met.legs and market.spec.delay_s:
        exchange.delay(order, _cost(market, order, met))
        return MATCH_DELAYED if exchange.delays.unseen else Placed(order, "delayed")
    return enter(exchange, order, met, was_held=was_held)


def _order(exchange: Exchange, market: Market, request: OrderRequest) -> Order:
    outcome = market.outcome_of(request.token_id)
    price = request.price if outcome == 0 else Price(10_000 - request.price)
    return Order(
        request.order_id, request.owner, request.wallet, market.condition_id, request.token_id, outcome,
        request.action, request.type, book_side(request.action, outcome), price, request.shares,
        request.shares, request.spend, exchange.clock.wall_ms(), request.expiration_s,
    )  # fmt: skip


def _refusal(
    exchange: Exchange, market: Market, order: Order, request: OrderRequest, met: Reach
) -> Refused | None:
    if met.legs and request.post_only:
        return CROSSES
    total = order.spend if order.spend is not None else order.remaining * order.own_price // 10_000
    if order.buys and (met.legs or not order.type.rests) and total < DOLLAR:
        return Refused(f"invalid amount for a marketable BUY order (${units_text(total)}), min size: $1")
    if refused := unpaid(exchange, market, order, met):
        return refused
    if market.spec.delay_s and met.legs:
        return None
    if order.type is OrderType.FOK and not met.whole:
        return FOK_KILLED
    return FAK_KILLED if order.type is OrderType.FAK and not met.legs else None


def unpaid(exchange: Exchange, market: Market, order: Order, met: Reach) -> Refused | None:
    """Whether the wallet cannot pay, or has not allowed the exchange contract to take it."""
    wallet, asset = exchange.wallets[order.wallet], given(order)
    cost = _cost(market, order, met)
    available = wallet.available(asset, exchange.clock.wall_ms())
    allowed = wallet.allowances.get(market.spec.domain.contract, 0)
    for name, has in (("balance", available), ("allowance", allowed)):
        if has < cost:
            return Refused(
                f"not enough balance / allowance: the {name} is not enough -> {name}: {max(0, has)}, "
                f"order amount: {cost}"
            )
    return None


def _cost(market: Market, order: Order, met: Reach) -> int:
    """What the order may take in all, the fee of what it meets on top."""
    if not order.buys:
        return order.remaining
    if order.spend is None:
        resting = -(-(order.remaining - met.shares) * order.own_price // 10_000)
        return met.money + resting + met.fee(market.spec.fee)
    return max(order.spend, met.money) + met.fee(market.spec.fee)


def enter(exchange: Exchange, order: Order, met: Reach, *, was_held: bool) -> Placed:
    """Trade what is there, then rest or end."""
    trades = []
    for bucket, legs in enumerate(met.by_price()):
        trades.append(settling.trade(exchange, order, legs, bucket))
    kind = OrderEvent.UPDATE if order.trades else OrderEvent.PLACEMENT
    if met.whole:
        exchange.finish(order, OrderStatus.MATCHED)
    elif order.type.rests:
        exchange.rest(order)
        kind = OrderEvent.PLACEMENT
    else:
        exchange.finish(order, OrderStatus.MATCHED)
    exchange.emit(OrderChanged(order, kind))
    if met.legs:
        for trade in trades:
            settling.announce(exchange, trade)
        settling.refine(exchange, exchange.markets[order.condition_id])
        word = "matched"
    else:
        word = "unmatched" if was_held else "live"
    return Placed(order, word, order.matched, order.money, tuple(trade.trade_id for trade in trades))


def kill(exchange: Exchange, order: Order) -> None:
    """Remember the hash of a FOK or FAK that found too little, and say so."""
    exchange.remember(order)
    cause = Cause.FOK if order.type is OrderType.FOK else Cause.FAK
    exchange.finish(order, OrderStatus.CANCELED, cause)
    exchange.emit(OrderChanged(order, OrderEvent.CANCELLATION))
