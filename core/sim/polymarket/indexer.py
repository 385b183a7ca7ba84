"""What the Data API knows: positions and trades read from the chain, some time after they are there.

Polymarket docs: Data API. A witness that lags: it shows what was mined, never what was only matched.
"""

from __future__ import annotations

import heapq

import msgspec

from core.domain.units import Money, Price, Quantity
from core.sim.polymarket.events import Event, Redeemed, TradeChanged
from core.sim.polymarket.exchange import Exchange
from core.sim.polymarket.orders import Order, Stage, Trade

LAG_MS = 5_000


class Position(msgspec.Struct):
    """One wallet's holding of one token by average cost."""

    token_id: str
    size: Quantity = Quantity(0)
    cost: Money = Money(0)
    fees: Money = Money(0)
    realized: Money = Money(0)

    @property
    def average(self) -> Price:
        return Price(self.cost * 10_000 // self.size if self.size else 0)


class Activity(msgspec.Struct, frozen=True):
    """One wallet's part in a mined trade."""

    trade: Trade
    order: Order
    shares: Quantity
    price: Price
    money: Money
    fee: Money
    at_ms: int


class Indexer:
    """Positions by wallet and token as of ``lag_ms`` ago, and what happened, newest last."""

    def __init__(self, exchange: Exchange, lag_ms: int = LAG_MS) -> None:
        self._exchange, self.lag_ms = exchange, lag_ms
        self._due: list[tuple[int, int, TradeChanged | Redeemed]] = []
        self._count = 0
        self._mined: set[str] = set()
        self._positions: dict[str, dict[str, Position]] = {}
        self._activity: list[Activity] = []
        exchange.listeners.append(self._hear)

    def positions(self, wallet: str) -> list[Position]:
        self._catch_up()
        return list(self._positions.get(wallet.lower(), {}).values())

    def activity(self) -> list[Activity]:
        self._catch_up()
        return self._activity

    def _hear(self, event: Event) -> None:
        if isinstance(event, TradeChanged | Redeemed):
            # What a trade's stage is now is what the chain said now, whatever it becomes later.
            told = msgspec.structs.replace(event.trade) if isinstance(event, TradeChanged) else None
            self._count += 1
            due = self._exchange.clock.wall_ms() + self.lag_ms
            heapq.heappush(self._due, (due, self._count, TradeChanged(told) if told else event))

    def _catch_up(self) -> None:
        now_ms = self._exchange.clock.wall_ms()
        while self._due and self._due[0][0] <= now_ms:
            match heapq.heappop(self._due)[2]:
                case TradeChanged(trade=trade):
                    self._read(trade)
                case Redeemed(wallet=wallet, condition_id=condition):
                    for token in self._exchange.markets[condition].spec.tokens:
                        self._positions.get(wallet.lower(), {}).pop(token, None)

    def _read(self, trade: Trade) -> None:
        known = trade.trade_id in self._mined
        if trade.stage is Stage.MINED and not known:
            self._mined.add(trade.trade_id)
            self._activity += [self._enter(part) for part in _parts(trade)]
        elif trade.stage in (Stage.RETRYING, Stage.FAILED) and known:
            self._mined.discard(trade.trade_id)
            self._activity = [a for a in self._activity if a.trade.trade_id != trade.trade_id]
            self._rebuild()

    def _rebuild(self) -> None:
        """Positions again from what is left; redeemed ones stay paid as their markets say."""
        self._positions = {}
        for part in self._activity:
            if self._exchange.markets[part.order.condition_id].payouts is None:
                self._enter(part)

    def _enter(self, part: Activity) -> Activity:
        held = self._positions.setdefault(part.order.wallet.lower(), {})
        position = held.setdefault(part.order.token_id, Position(part.order.token_id))
        position.fees = Money(position.fees + part.fee)
        if part.order.buys:
            position.size = Quantity(position.size + part.shares)
            position.cost = Money(position.cost + part.money)
            return part
        basis = position.cost * part.shares // position.size if position.size > 0 else 0
        position.size = Quantity(position.size - part.shares)
        position.cost = Money(position.cost - basis)
        position.realized = Money(position.realized + part.money - basis)
        return part


def _parts(trade: Trade) -> list[Activity]:
    taker = Activity(trade, trade.taker, trade.shares, trade.price, trade.money, trade.fee, trade.updated_ms)
    makers = [
        Activity(trade, fill.order, fill.shares, fill.price, fill.money, Money(0), trade.updated_ms)
        for fill in trade.makers
    ]
    return [taker, *makers]
