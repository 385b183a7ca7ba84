"""Cash, collateral and positions: every contract is paid for in full when it is opened.

Cash lies in a purse per shard, and an order is paid from the purse of its market's shard alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable

import msgspec

from core.domain.units import Money, Price, Quantity
from core.sim.fees import Schedule
from core.sim.groups import Group
from core.sim.orders import BookSide, Fill, Order

HISTORY_MAX = 10_000
"""Finished orders, fills and settlements remembered per account; the oldest go first."""


class Holding(msgspec.Struct):
    """One account's position in one market. ``cost`` is what the open contracts cost, without fees."""

    position: Quantity = Quantity(0)
    cost: Money = Money(0)
    realized: Money = Money(0)
    fees: Money = Money(0)
    traded: Money = Money(0)
    volume: Quantity = Quantity(0)
    yes_bought: Quantity = Quantity(0)
    yes_cost: Money = Money(0)
    no_bought: Quantity = Quantity(0)
    no_cost: Money = Money(0)
    updated_ms: int = 0
    settled: bool = False


class Settlement(msgspec.Struct, frozen=True):
    """What a finished market paid an account."""

    ticker: str
    event_ticker: str
    result: str
    value: Price
    """What a YES contract paid."""
    yes_count: Quantity
    yes_cost: Money
    no_count: Quantity
    no_cost: Money
    revenue: Money
    fees: Money
    settled_world_ms: int


class Purse(msgspec.Struct):
    """Cash on one shard; ``reserved`` is what resting orders there may still cost."""

    cash: Money = Money(0)
    reserved: Money = Money(0)

    @property
    def available(self) -> Money:
        return Money(self.cash - self.reserved)


class Account(msgspec.Struct):
    """A member's primary account, or one of its numbered subaccounts. Balances move on ``grid``."""

    name: str
    user_id: str
    grid: Money
    member: str
    """Name of the primary account: self-trade prevention and client ids know no other."""
    number: int = 0
    """0 for the primary account."""
    purses: dict[int, Purse] = {}
    """By shard; a shard that never held cash has none."""
    reserved_by: dict[str, Money] = {}
    holdings: dict[str, Holding] = {}
    open_orders: dict[str, dict[str, Order]] = {}
    """Resting orders by ticker, then by id."""
    working: dict[str, Order] = {}
    """The same orders by id alone."""
    finished: dict[str, Order] = {}
    fills: deque[Fill] = msgspec.field(default_factory=lambda: deque(maxlen=HISTORY_MAX))
    settlements: deque[Settlement] = msgspec.field(default_factory=lambda: deque(maxlen=HISTORY_MAX))
    client_ids: set[str] = set()
    swept_until_ms: int = 0
    """Until then a cancel-all takes what comes to rest, too."""
    groups: dict[str, Group] = {}
    """Order groups by id, oldest first."""

    @property
    def cash(self) -> Money:
        """All shards together, reserved cash included."""
        return Money(sum(purse.cash for purse in self.purses.values()))

    @property
    def reserved(self) -> Money:
        """What resting orders on all shards may still cost."""
        return Money(sum(purse.reserved for purse in self.purses.values()))

    @property
    def available(self) -> Money:
        """All shards together, reserved cash left out."""
        return Money(sum(purse.available for purse in self.purses.values()))

    def purse(self, exchange_index: int) -> Purse:
        found = self.purses.get(exchange_index)
        if found is None:
            found = self.purses[exchange_index] = Purse()
        return found

    def holding(self, ticker: str) -> Holding:
        found = self.holdings.get(ticker)
        if found is None:
            found = self.holdings[ticker] = Holding()
        return found

    def position(self, ticker: str) -> Quantity:
        found = self.holdings.get(ticker)
        return found.position if found else Quantity(0)

    def resting(self, ticker: str) -> Iterable[Order]:
        return self.open_orders.get(ticker, {}).values()

    def set_reserved(self, exchange_index: int, ticker: str, amount: Money) -> None:
        """What one market's resting orders keep aside on its shard."""
        before = self.reserved_by.get(ticker, 0)
        if amount == before:
            return
        purse = self.purse(exchange_index)
        purse.reserved = Money(purse.reserved - before + amount)
        if amount:
            self.reserved_by[ticker] = amount
        else:
            self.reserved_by.pop(ticker, None)

    def rest(self, order: Order) -> None:
        self.open_orders.setdefault(order.ticker, {})[order.order_id] = order
        self.working[order.order_id] = order

    def unrest(self, order: Order) -> None:
        here = self.open_orders.get(order.ticker, {})
        here.pop(order.order_id, None)
        if not here:
            self.open_orders.pop(order.ticker, None)
        self.working.pop(order.order_id, None)

    def finish(self, order: Order) -> None:
        """Move an order that is no longer working to the bounded history."""
        self.unrest(order)
        self.finished[order.order_id] = order
        if len(self.finished) > HISTORY_MAX:
            del self.finished[next(iter(self.finished))]


def unit_cost(side: BookSide, price: Price) -> int:
    """What opening one contract costs: the YES price for a bid, its complement for an ask."""
    return price if side is BookSide.BID else 10_000 - price


def amount(price: int, count: int) -> Money:
    """Exact dollars of a count in steps of 0.01 at a price in ten-thousandths."""
    return Money(price * count // 10_000)


def requirement(
    account: Account,
    ticker: str,
    fees: Schedule,
    incoming: Order | None = None,
    without: Collection[Order] = (),
) -> Money:
    """The cash that must stay aside so that all resting orders, and ``incoming``, can fill in any sequence.

    ``without`` names resting orders to leave out, such as one about to be replaced. Contracts held on the
    other side cover orders first where cover saves least, which is the worst case. Closing needs
    no cash: its proceeds always exceed its fee. Every order is rounded to the grid by itself, less what its
    fills have overpaid so far; where a fee meets many small fills, its own rounding may still cost more.
    """
    orders = [o for o in (*account.resting(ticker), incoming) if o is not None and o not in without]
    position, total = account.position(ticker), 0
    for side in BookSide:
        chosen = [o for o in orders if o.side is side]
        cover = max(0, -side.sign * position)
        if cover:
            chosen.sort(key=lambda o: unit_cost(side, o.price))
        for order in chosen:
            opened = max(0, order.remaining - cover)
            cover = max(0, cover - order.remaining)
            if opened:
                fee = fees.trade_fee(order.price, Quantity(opened), taker=order is incoming)
                overpaid = order.accumulator if opened == order.remaining else 0
                cost = amount(unit_cost(side, order.price), opened) + fee - overpaid
                total += -(-cost // account.grid) * account.grid
    return Money(total)


def book_fill(account: Account, fill: Fill, closed: Quantity, *, closes_are_traded: bool) -> None:
    """Average-cost accounting of one fill whose cash has already moved."""
    holding = account.holding(fill.ticker)
    held, opened = abs(holding.position), Quantity(fill.count - closed)
    if closed:
        basis = holding.cost * closed // held
        proceeds = amount(unit_cost(fill.side.opposite, fill.price), closed)
        holding.cost = Money(holding.cost - basis)
        holding.realized = Money(holding.realized + proceeds - basis)
        if closes_are_traded:
            holding.traded = Money(holding.traded + proceeds)
    if opened:
        cost = amount(unit_cost(fill.side, fill.price), opened)
        holding.cost = Money(holding.cost + cost)
        holding.traded = Money(holding.traded + cost)
        if fill.side is BookSide.BID:
            holding.yes_bought = Quantity(holding.yes_bought + opened)
            holding.yes_cost = Money(holding.yes_cost + cost)
        else:
            holding.no_bought = Quantity(holding.no_bought + opened)
            holding.no_cost = Money(holding.no_cost + cost)
    holding.position = fill.post_position
    holding.fees = Money(holding.fees + fill.fee)
    holding.volume = Quantity(holding.volume + fill.count)
    holding.updated_ms = fill.ts_ms
    account.fills.append(fill)
