"""A trade's assets: who gives what to whom, when it is matched, mined, thrown back or failed."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING

from core.domain.units import ONE_DOLLAR, Money, Price, Quantity
from core.sim.polymarket.contracts import FINE_ABOVE, FINE_BELOW, FINE_TICK, Market, Print
from core.sim.polymarket.crossing import Leg
from core.sim.polymarket.events import OrderChanged, OrderEvent, TradeChanged
from core.sim.polymarket.orders import MakerFill, Move, Order, OrderStatus, Trade
from core.sim.polymarket.settlement import Settlement
from core.sim.polymarket.wallets import PUSD, needed

if TYPE_CHECKING:
    from core.sim.polymarket.exchange import Exchange


def of(exchange: Exchange, rng: Random) -> Settlement:
    """Settlement of this exchange's trades."""
    return Settlement(
        exchange.clock,
        rng,
        settle=lambda trade: _settle(exchange, trade),
        undo=lambda trade: _undo(exchange, trade),
        release=lambda trade: _release(exchange, trade),
        enter=lambda trade: exchange.emit(TradeChanged(trade)),
    )


def trade(exchange: Exchange, taker: Order, legs: tuple[Leg, ...], bucket: int) -> Trade:
    """Match one price level; nobody is told of the trade itself before ``announce``."""
    market, now_ms = exchange.markets[taker.condition_id], exchange.clock.wall_ms()
    shares, money = Quantity(sum(leg.shares for leg in legs)), Money(sum(leg.money for leg in legs))
    fee = market.spec.fee.of(shares, legs[0].price)
    makers = tuple(MakerFill(leg.maker, leg.shares, leg.maker_price, leg.maker_money) for leg in legs)
    moves, vault = _moves(taker, makers, money, fee)
    made = Trade(
        exchange.new_id(), taker.condition_id, taker, shares, legs[0].price, money, fee, makers, bucket,
        now_ms, now_ms, moves, vault,
    )  # fmt: skip
    for move in moves:
        if move.amount < 0:
            exchange.wallets[move.wallet].lock(move.asset, -move.amount)
    _fill(taker, shares, money, made)
    taker.remaining = Quantity(max(0, taker.remaining - shares))
    for fill in makers:
        _meet(exchange, fill, made)
    _print(market, made, now_ms)
    exchange.keep_trade(made)
    return made


def refine(exchange: Exchange, market: Market) -> None:
    """Move to the fine grid once the last trade was near an end; there is no way back."""
    if not market.spec.refines or market.tick <= FINE_TICK or not market.history:
        return
    if not FINE_BELOW <= market.history[-1][1] <= FINE_ABOVE:
        exchange.flip_tick(market.condition_id, FINE_TICK)


def announce(exchange: Exchange, made: Trade) -> None:
    """The trade is MATCHED: everybody hears, and its settlement begins."""
    exchange.emit(TradeChanged(made))
    exchange.settlement.begin(made)


def _meet(exchange: Exchange, fill: MakerFill, made: Trade) -> None:
    maker = fill.order
    exchange.books[maker.condition_id].reduce(maker, fill.shares)
    _fill(maker, fill.shares, fill.money, made)
    if maker.remaining:
        exchange.wallets[maker.wallet].reserve(maker, needed(maker))
    else:
        exchange.finish(maker, OrderStatus.MATCHED)
    exchange.book_changed(maker)
    exchange.emit(OrderChanged(maker, OrderEvent.UPDATE))


def _fill(order: Order, shares: Quantity, money: Money, made: Trade) -> None:
    order.matched, order.money = Quantity(order.matched + shares), Money(order.money + money)
    order.trades.append(made.trade_id)


def _moves(
    taker: Order, makers: tuple[MakerFill, ...], money: Money, fee: Money
) -> tuple[tuple[Move, ...], Money]:
    """Every wallet's changes, and what minting and merging do to the vault."""
    changes: Counter[tuple[str, str]] = Counter()
    vault = 0
    parts = [(fill.order, fill.shares, fill.money) for fill in makers]
    parts.append((taker, Quantity(sum(fill.shares for fill in makers)), money))
    for order, shares, paid in parts:
        sign = 1 if order.buys else -1
        changes[order.wallet, order.token_id] += sign * shares
        changes[order.wallet, PUSD] -= sign * paid
    for fill in makers:
        if fill.order.outcome != taker.outcome:
            vault += fill.shares if taker.buys else -fill.shares
    changes[taker.wallet, PUSD] -= fee
    return tuple(Move(wallet, asset, n) for (wallet, asset), n in changes.items() if n), Money(vault)


def _print(market: Market, made: Trade, now_ms: int) -> None:
    market.last = Print(made.taker.token_id, made.price, made.taker.buys)
    market.volume = Money(market.volume + made.shares * made.price // ONE_DOLLAR)
    yes_price = made.price if made.taker.outcome == 0 else Price(10_000 - made.price)
    market.history.append((now_ms, yes_price))


def _settle(exchange: Exchange, made: Trade) -> None:
    _apply(exchange, made, 1)
    _unlock(exchange, made)
    made.mined = True


def _undo(exchange: Exchange, made: Trade) -> bool:
    """Take a mined trade back; False where somebody has given away what it brought."""
    for move in made.moves:
        wallet = exchange.wallets[move.wallet]
        if move.amount > 0 and wallet.balance(move.asset) - wallet.outgoing.get(move.asset, 0) < move.amount:
            return False
    _apply(exchange, made, -1)
    for move in made.moves:
        if move.amount < 0:
            exchange.wallets[move.wallet].lock(move.asset, -move.amount)
    made.mined = False
    for move in made.moves:
        exchange.uncover(exchange.wallets[move.wallet], move.asset)
    return True


def _release(exchange: Exchange, made: Trade) -> None:
    """A failed trade: what was on its way stays where it is."""
    _unlock(exchange, made)


def _apply(exchange: Exchange, made: Trade, sign: int) -> None:
    now_ms = exchange.clock.wall_ms()
    for move in made.moves:
        exchange.wallets[move.wallet].move(move.asset, sign * move.amount, now_ms, exchange.balance_lag_ms)
    market = exchange.markets[made.condition_id]
    market.vault = Money(market.vault + sign * made.vault)
    exchange.fees_collected = Money(exchange.fees_collected + sign * made.fee)


def _unlock(exchange: Exchange, made: Trade) -> None:
    for move in made.moves:
        if move.amount < 0:
            exchange.wallets[move.wallet].lock(move.asset, move.amount)
