"""What the Data API knows: positions and trades read from the chain, some time after they are there.

Polymarket docs: Data API. A witness that lags: it shows what was mined, never what was only matched.
"""

from __future__ import annotations

import heapq
from collections import deque

import msgspec

from core.domain.units import Money, Price, Quantity
from core.sim.polymarket.events import Event, Redeemed, TradeChanged
from core.sim.polymarket.exchange import TRADES_MAX, Exchange
from core.sim.polymarket.orders import Order, Stage, Trade

LAG_MS = 5_000


class Position(msgspec.Struct):
    """One wallet's holding of one token by average cost."""

    token_id: str
    size: Quantity = Quantity(0)
    cost: Money = Money(0)
    fees: Money = Money(0)
    realized: Money = Money(0)

    def add(self, shares: int, cost: int, fee: int) -> None:
        self.size, self.cost = Quantity(self.size + shares), Money(self.cost + cost)
        self.fees = Money(self.fees + fee)

    @property
    def average(self) -> Price:
        return Price(self.cost * 10_000 // self.size if self.size else 0)


class Activity(msgspec.Struct, eq=False):
    """One wallet's part in a mined trade. ``basis`` is what shares it sold had cost."""

    trade: Trade
    order: Order
    shares: Quantity
    price: Price
    money: Money
    fee: Money
    at_ms: int
    basis: Money = Money(0)


class Indexer:
    """Positions by wallet and token as of ``lag_ms`` ago, and what happened, newest last."""

    def __init__(self, exchange: Exchange, lag_ms: int = LAG_MS) -> None:
        self._exchange, self.lag_ms = exchange, lag_ms
        self._due: list[tuple[int, int, TradeChanged | Redeemed]] = []
        self._count = 0
        self._mined: dict[str, list[Activity]] = {}
        """Parts of trades that may still be thrown back."""
        self._positions: dict[str, dict[str, Position]] = {}
        self._activity: deque[Activity] = deque(maxlen=TRADES_MAX)
        exchange.listeners.append(self._hear)

    def positions(self, wallet: str) -> list[Position]:
        self._catch_up()
        return list(self._positions.get(wallet.lower(), {}).values())

    def activity(self) -> list[Activity]:
        self._catch_up()
        return list(self._activity)

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
        match trade.stage:
            case Stage.MINED if trade.trade_id not in self._mined:
                parts = self._mined[trade.trade_id] = _parts(trade)
                for part in parts:
                    self._enter(part)
                    self._activity.append(part)
            case Stage.RETRYING | Stage.FAILED:
                for part in self._mined.pop(trade.trade_id, ()):
                    self._take_back(part)
                    if part in self._activity:
                        self._activity.remove(part)
            case Stage.CONFIRMED:
                self._mined.pop(trade.trade_id, None)

    def _enter(self, part: Activity) -> None:
        position = self._position(part)
        if part.order.buys:
            position.add(part.shares, part.money, part.fee)
        else:
            part.basis = Money(position.cost * part.shares // position.size if position.size > 0 else 0)
            position.add(-part.shares, -part.basis, part.fee)
            position.realized = Money(position.realized + part.money - part.basis)

    def _take_back(self, part: Activity) -> None:
        position = self._position(part)
        if part.order.buys:
            position.add(-part.shares, -part.money, -part.fee)
        else:
            position.add(part.shares, part.basis, -part.fee)
            position.realized = Money(position.realized - part.money + part.basis)

    def _position(self, part: Activity) -> Position:
        held = self._positions.setdefault(part.order.wallet.lower(), {})
        return held.setdefault(part.order.token_id, Position(part.order.token_id))


def _parts(trade: Trade) -> list[Activity]:
    taker = Activity(trade, trade.taker, trade.shares, trade.price, trade.money, trade.fee, trade.updated_ms)
    makers = [
        Activity(trade, fill.order, fill.shares, fill.price, fill.money, Money(0), trade.updated_ms)
        for fill in trade.makers
    ]
    return [taker, *makers]
