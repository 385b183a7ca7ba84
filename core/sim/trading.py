"""What happens when an order meets the book: matching, fills, and what becomes of the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.domain.units import Money, Quantity
from core.sim import groups
from core.sim.accounts import Account, amount, book_fill, unit_cost
from core.sim.admission import INSUFFICIENT, refusal
from core.sim.dialect import ReduceOnlyFlat
from core.sim.events import Filled, OrderChanged, Traded
from core.sim.fees import charge
from core.sim.orders import (
    BookSide,
    Fill,
    Order,
    OrderRequest,
    OrderStatus,
    Placed,
    Progress,
    Reason,
    Refused,
    SelfTrade,
    TimeInForce,
)

if TYPE_CHECKING:
    from core.sim.exchange import Exchange

NOTHING = Progress()

UNKNOWN_MARKET = Refused("market_not_found", "market not found", http=404)
FOK_KILLED = Refused(
    "fill_or_kill_insufficient_resting_volume", "fill or kill: insufficient resting volume", http=409
)
IOC_KILLED = Refused(
    "immediate_or_cancel_insufficient_resting_volume",
    "immediate or cancel: insufficient resting volume",
    http=409,
)
POST_ONLY_CROSS = Refused("invalid_order", "invalid order", "post only cross")
NOTHING_TO_REDUCE = Refused("invalid_order", "invalid order", "no position to reduce")


def place(exchange: Exchange, r: OrderRequest) -> Placed | Refused:
    """Check, match and rest one order. A refusal by the book alone, a killed order, burns its client id."""
    owner, market, dialect = exchange.accounts[r.account], exchange.markets.get(r.ticker), exchange.dialect
    if market is None:
        return UNKNOWN_MARKET
    refused = refusal(exchange, owner, market, r)
    if refused is not None:
        return refused
    order = _new_order(exchange, owner, r)
    crosses = r.post_only and exchange.books[r.ticker].crossed_by(r.side, r.price)
    if crosses and not dialect.post_only_cross_is_accepted:
        return POST_ONLY_CROSS
    if r.reduce_only:
        order.remaining = Quantity(min(r.count, max(0, -r.side.sign * owner.position(r.ticker))))
        if not order.remaining and dialect.reduce_only_flat is ReduceOnlyFlat.REFUSED:
            return NOTHING_TO_REDUCE
    elif not exchange.affordable(order):
        return INSUFFICIENT
    if r.client_order_id:
        owner.client_ids.add(r.client_order_id)
    killed = _killed(exchange, order)
    if killed is not None:
        return killed
    market.clock += 1
    if crosses:
        exchange.close_order(order, Reason.POST_ONLY)
    else:
        left_over = Reason.REDUCE_ONLY if order.remaining < r.count else None
        settle_incoming(exchange, order, match(exchange, order) or left_over)
    return placed(order)


def match(exchange: Exchange, order: Order) -> Reason | None:
    """Trade an incoming order against the book; returns why it must stop, if it must."""
    book = exchange.books[order.ticker]
    while order.remaining:
        resting = book.next_opposing(order.side, order.price)
        if resting is None:
            break
        if resting.member == order.member:
            if order.stp is SelfTrade.TAKER_AT_CROSS:
                return Reason.SELF_TRADE
            exchange.withdraw(resting, Reason.SELF_TRADE, order)
            continue
        _trade(exchange, order, resting, Quantity(min(order.remaining, resting.remaining)))
        # A fill-or-kill order that was found to fill whole is not torn apart half way.
        if order.tif is not TimeInForce.FOK and groups.is_triggered(exchange, order):
            return Reason.GROUP
    return None


def settle_incoming(
    exchange: Exchange, order: Order, stopped: Reason | None, rested: Reason | None = None
) -> None:
    """Rest, execute or cancel what matching left of an incoming order, and say so."""
    if order.filled == order.initial:
        exchange.close_order(order, Reason.TRADE, OrderStatus.EXECUTED)
    elif stopped is not None or order.tif is not TimeInForce.GTC:
        exchange.close_order(order, stopped or (Reason.TRADE if order.filled else None))
    else:
        order.reason = rested or (Reason.TRADE if order.filled else None)
        exchange.rest(order)
        exchange.emit(OrderChanged(order.account, order, order.reason))
        return
    if order.filled:
        owner = exchange.accounts[order.account]
        exchange.reserve(owner, order.ticker)
        margin_call(exchange, owner, order.ticker)


def placed(order: Order, since: Progress = NOTHING) -> Placed:
    """The answer to a request; averages cover its fills, ``since`` an earlier progress, in YES terms."""
    now, count = order.progress, order.filled - since.filled
    if not count:
        return Placed(order, Quantity(0), order.remaining, None, None, order.updated_ms)
    cost, fees = now.cost - since.cost, now.fees - since.fees
    paid = cost if order.side is BookSide.BID else count - cost
    average, fee = Money(paid * 1_000_000 // count), Money(fees * 1_000_000 // count)
    return Placed(order, Quantity(count), order.remaining, average, fee, order.updated_ms)


def _new_order(exchange: Exchange, owner: Account, r: OrderRequest) -> Order:
    now_ms = exchange.clock.wall_ms()
    exchange.orders_placed += 1
    return Order(
        exchange.orders_placed, exchange.new_id(), r.account, owner.member, r.ticker, r.side, r.price,
        r.count, r.count, r.tif, r.client_order_id, r.stp, now_ms, now_ms, r.expiration_ms,
        r.cancel_on_pause, r.group_id,
    )  # fmt: skip


def _killed(exchange: Exchange, order: Order) -> Refused | None:
    """Whether an order that must trade at once finds too little to trade with."""
    if order.tif is TimeInForce.FOK and _reachable(exchange, order) < order.remaining:
        return FOK_KILLED
    contested = order.tif is TimeInForce.IOC and exchange.dialect.ioc_unfilled_is_refused
    if contested and order.remaining and not _reachable(exchange, order):
        return IOC_KILLED
    return None


def _reachable(exchange: Exchange, order: Order) -> int:
    """How much an incoming order could trade now, stopping as self-trade prevention would."""
    found = 0
    for resting in exchange.books[order.ticker].opposing(order.side, order.price):
        if resting.member == order.member:
            if order.stp is SelfTrade.TAKER_AT_CROSS:
                break
            continue
        found += resting.remaining
        if found >= order.remaining:
            break
    return found


def _trade(exchange: Exchange, taker: Order, maker: Order, count: Quantity) -> None:
    market, price, now_ms = exchange.markets[taker.ticker], maker.price, exchange.clock.wall_ms()
    traded = Traded(exchange.new_id(), taker.ticker, price, count, taker.side, now_ms)
    exchange.books[maker.ticker].reduce(maker, count)
    taker.remaining = Quantity(taker.remaining - count)
    exchange.book_changed(maker, Quantity(-count), taker)
    opened = _fill(exchange, taker, traded, taker=True) + _fill(exchange, maker, traded, taker=False)
    if maker.remaining:
        maker.reason = Reason.TRADE
        exchange.emit(OrderChanged(maker.account, maker, Reason.TRADE))
    else:
        exchange.close_order(maker, Reason.TRADE, OrderStatus.EXECUTED)
    exchange.reserve(exchange.accounts[maker.account], maker.ticker)
    market.open_interest = Quantity(market.open_interest + opened - count)
    market.last_price, market.last_trade_size = price, count
    market.volume = Quantity(market.volume + count)
    market.dollar_volume = Money(market.dollar_volume + count)
    exchange.trades.append(traded)
    exchange.emit(traded)
    for order in (taker, maker):
        groups.note_match(exchange, order, count)


def _fill(exchange: Exchange, order: Order, traded: Traded, *, taker: bool) -> int:
    """One party's half of a trade; returns how many contracts it opened."""
    position = exchange.accounts[order.account].position(order.ticker)
    closed = min(traded.count, max(0, -order.side.sign * position))
    opened = traded.count - closed
    if closed and opened and exchange.dialect.zero_crossing_is_two_fills:
        _book(exchange, order, traded, traded.trade_id, closed, 0, taker=taker)
        _book(exchange, order, traded, exchange.new_id(), 0, opened, taker=taker)
    else:
        _book(exchange, order, traded, traded.trade_id, closed, opened, taker=taker)
    return opened


def _book(
    exchange: Exchange, order: Order, traded: Traded, fill_id: str, closed: int, opened: int, *, taker: bool
) -> None:
    """Move cash and position of one fill."""
    owner, ticker, side = exchange.accounts[order.account], order.ticker, order.side
    count, own_price = Quantity(closed + opened), unit_cost(side, traded.price)
    revenue = Money(amount(10_000 - own_price, closed) - amount(own_price, opened))
    fee = exchange.fees_of(ticker).trade_fee(traded.price, count, taker=taker)
    exact = exchange.dialect.rebate_at_exact_grid
    moved = charge(revenue, fee, owner.grid, order.accumulator, rebate_at_exact_grid=exact)
    purse = owner.purse(exchange.markets[ticker].spec.exchange_index)
    purse.cash = Money(purse.cash + moved.balance_change)
    order.accumulator, order.filled = moved.accumulator, Quantity(order.filled + count)
    exchange.fees_collected = Money(exchange.fees_collected + moved.fee)
    order.account_for(amount(own_price, count), moved.fee, taker=taker)
    order.updated_ms = traded.ts_ms
    after = Quantity(owner.position(ticker) + side.sign * count)
    fill = Fill(
        fill_id, order.order_id, order.client_order_id, ticker, side, traded.price, count, taker,
        moved.fee, traded.ts_ms, after, moved.balance_change,
    )  # fmt: skip
    traded_too = exchange.dialect.traded_counts_closes
    book_fill(owner, fill, Quantity(closed), closes_are_traded=traded_too)
    exchange.emit(Filled(order.account, fill, after))


def margin_call(exchange: Exchange, owner: Account, ticker: str) -> None:
    """Cancel the newest resting orders of a market that cannot be paid for: cover went, or fees rose."""
    purse = owner.purse(exchange.markets[ticker].spec.exchange_index)
    while purse.available < 0 and (resting := list(owner.resting(ticker))):
        exchange.withdraw(resting[-1], Reason.MARGIN)
