"""The simulated exchange: what is listed, who holds what, and every order and trade of it.

Everything is synchronous; whoever listens is told in the order things happened. Machines live in real
time (expiry, settlement, heartbeats); only what contracts are about has world time.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable
from random import Random

import msgspec

from core.domain.clock import Clock, WorldClock
from core.domain.units import Money, Price
from core.sim.matching import Book
from core.sim.polymarket import delays, resolution, settling, trading
from core.sim.polymarket.contracts import EventSpec, Fee, Market
from core.sim.polymarket.events import (
    BookChanged,
    Event,
    MarketChanged,
    MarketEvent,
    OrderChanged,
    OrderEvent,
)
from core.sim.polymarket.heartbeats import Heartbeats
from core.sim.polymarket.modes import Engine
from core.sim.polymarket.orders import Cause, Order, OrderRequest, OrderStatus, Refused, Trade
from core.sim.polymarket.trading import Levels, Placed
from core.sim.polymarket.typed_data import SignatureType
from core.sim.polymarket.wallets import PUSD, Wallet, given, needed

TRADES_MAX = 20_000
"""Trades remembered; the oldest go first."""
ORDERS_MAX = 50_000
"""Finished orders that still answer to their hash; the oldest go first."""
GTD_EARLY_MS = 60_000
"""A GTD order is stopped so long before its stated end (Polymarket docs: order types)."""


class Exchange:
    """One honest exchange. ``ids`` yields unique texts for trades and heartbeats."""

    def __init__(self, clock: Clock, world: WorldClock, ids: Callable[[], str], rng: Random) -> None:
        self.clock, self.world, self.new_id = clock, world, ids
        self.listeners: list[Callable[[Event], None]] = []
        self.events: dict[str, EventSpec] = {}
        self.markets: dict[str, Market] = {}
        self.tokens: dict[str, Market] = {}
        """The market of every token id."""
        self.books: dict[str, Book[Order]] = {}
        self.wallets: dict[str, Wallet] = {}
        self.orders: dict[str, Order] = {}
        """Open and finished ones, by hash."""
        self.trades: dict[str, Trade] = {}
        self.fees_collected = Money(0)
        self.balance_lag_ms = 0
        """How long the venue's cache stays behind the chain after a balance has changed."""
        self.auto_redeem_ms: int | None = None
        """How long after a resolution everybody is paid; None where tokens wait for their owner."""
        self.delays = delays.Delays()
        self.engine = Engine()
        self.heartbeats = Heartbeats(clock, ids, self._lapsed)
        self.settlement = settling.of(self, rng)
        self.resolving = resolution.Resolving(self)
        self._expiries: list[tuple[int, str]] = []
        self._delayed: deque[tuple[int, Order]] = deque()
        self._finished: deque[str] = deque()

    # Listing and wallets

    def list_event(self, event: EventSpec) -> None:
        if event.slug in self.events:
            raise ValueError(f"event {event.slug!r} is already listed")
        self.events[event.slug] = event
        for spec in event.markets:
            market = Market(spec, event, spec.tick, self.clock.wall_ms())
            self.markets[spec.condition_id], self.books[spec.condition_id] = market, Book()
            self.tokens |= dict.fromkeys(spec.tokens, market)
            self.emit(MarketChanged(spec.condition_id, MarketEvent.LISTED))

    def open_wallet(
        self, address: str, owner: str, signature_type: SignatureType, cash: Money = Money(0)
    ) -> Wallet:
        """A funded wallet with every allowance; addresses are unique."""
        if address in self.wallets:
            raise ValueError(f"wallet {address} is already open")
        opened = self.wallets[address] = Wallet(address, owner, signature_type)
        opened.held[PUSD] = cash
        return opened

    def split(self, wallet: Wallet, market: Market, amount: int) -> None:
        """Turn collateral into as many YES and NO tokens, at once."""
        if wallet.available(PUSD, self.clock.wall_ms()) < amount:
            raise ValueError(f"wallet {wallet.address} cannot split {amount}")
        self._mint(wallet, market, amount)

    def merge(self, wallet: Wallet, market: Market, amount: int) -> None:
        """Turn pairs of tokens back into collateral, at once."""
        now_ms = self.clock.wall_ms()
        if min(wallet.available(token, now_ms) for token in market.spec.tokens) < amount:
            raise ValueError(f"wallet {wallet.address} cannot merge {amount}")
        self._mint(wallet, market, -amount)

    def withdraw(self, wallet: Wallet, asset: str, amount: int) -> None:
        """Assets leave a wallet on the chain; open orders they no longer cover are cancelled."""
        wallet.move(asset, -amount, self.clock.wall_ms(), self.balance_lag_ms)
        self.uncover(wallet, asset)

    def _mint(self, wallet: Wallet, market: Market, amount: int) -> None:
        now_ms = self.clock.wall_ms()
        wallet.move(PUSD, -amount, now_ms, 0)
        market.vault = Money(market.vault + amount)
        for token in market.spec.tokens:
            wallet.move(token, amount, now_ms, 0)

    # Orders

    def place(self, request: OrderRequest, *, was_held: bool = False) -> Placed | Refused:
        """Match and rest one order whose signature and amounts were checked.

        ``was_held``: it was marketable a moment ago and has been held since.
        """
        return trading.place(self, request, was_held=was_held)

    def crosses(self, request: OrderRequest) -> bool:
        """Whether an order would meet another one now."""
        return trading.crosses(self, request)

    def cancel(self, owner: str, order_id: str) -> str | None:
        """Take one of a key's orders off the book; None, or why it cannot be found there."""
        order = self.orders.get(order_id)
        if order is None or order.owner != owner:
            return "order can't be found - already canceled or matched"
        if order.status is OrderStatus.MATCHED:
            return "Order already matched"
        if order.status is not OrderStatus.LIVE:
            return "order can't be found - already canceled or matched"
        self.take_off(order, Cause.ASKED)
        return None

    def open_orders(self, owner: str) -> list[Order]:
        """A key's resting and delayed orders, oldest first."""
        found = [o for wallet in self.wallets.values() for o in wallet.open.values() if o.owner == owner]
        return sorted(found, key=lambda order: order.created_ms)

    def cancel_all(self, owner: str, chosen: Callable[[Order], bool] = lambda _: True) -> list[str]:
        """Cancel a key's resting orders, or those ``chosen``; their ids."""
        orders = [o for o in self.open_orders(owner) if o.status is OrderStatus.LIVE and chosen(o)]
        for order in orders:
            self.take_off(order, Cause.ASKED)
        return [order.order_id for order in orders]

    def levels(self, market: Market, outcome: int) -> tuple[Levels, Levels]:
        """Bids and asks of an outcome, best first: of NO the mirror of YES."""
        return trading.levels(self.books[market.condition_id], outcome)

    # Time

    def advance(self) -> None:
        """Bring expiries, delays, heartbeats, settlement and redemption up to now."""
        now_ms = self.clock.wall_ms()
        for entry in [entry for entry in self._delayed if entry[0] <= now_ms]:
            self._delayed.remove(entry)
            delays.release(self, entry[1])
        while self._expiries and self._expiries[0][0] <= now_ms:
            order = self.orders.get(heapq.heappop(self._expiries)[1])
            if order is not None and order.status is OrderStatus.LIVE:
                self.take_off(order, Cause.EXPIRED)
        self.heartbeats.advance()
        self.settlement.advance()
        self.resolving.advance()

    # Market life

    def resolve(self, condition_id: str, outcome: int | None) -> None:
        """The outcome that pays, None for half each; open orders go."""
        self.resolving.resolve(self.markets[condition_id], outcome)

    def propose(self, condition_id: str, outcome: int) -> None:
        """Somebody asserts an outcome; trading goes on while it may be disputed."""
        self.resolving.propose(self.markets[condition_id], outcome)

    def flip_tick(self, condition_id: str, tick: Price) -> None:
        """Another grid from now on; resting orders stay where they are."""
        market = self.markets[condition_id]
        before, market.tick = market.tick, tick
        self.emit(MarketChanged(condition_id, MarketEvent.TICK, before))

    def charge(self, condition_id: str, fee: Fee) -> None:
        """Another fee for takers from now on, which no message tells."""
        market = self.markets[condition_id]
        market.spec = msgspec.structs.replace(market.spec, fee=fee)

    def clear_book(self, condition_id: str) -> None:
        """The book is wiped, as at the start of a game."""
        self._empty(self.books[condition_id].orders(), Cause.ASKED)
        self.emit(MarketChanged(condition_id, MarketEvent.CLEARED))

    def close(self, condition_id: str) -> None:
        """No more orders; those there go as the market's end takes them."""
        self.markets[condition_id].accepting = False
        self._empty(self.books[condition_id].orders(), Cause.RESOLVED)
        self.emit(MarketChanged(condition_id, MarketEvent.CLOSED))

    # What siblings (trading, delays, settling, resolution) build on

    def emit(self, event: Event) -> None:
        for listener in self.listeners:
            listener(event)

    def remember(self, order: Order) -> None:
        self.orders[order.order_id] = order

    def keep_trade(self, trade: Trade) -> None:
        self.trades[trade.trade_id] = trade
        if len(self.trades) > TRADES_MAX:
            del self.trades[next(iter(self.trades))]

    def rest(self, order: Order) -> None:
        """Queue an order at its price."""
        wallet = self.wallets[order.wallet]
        order.status = OrderStatus.LIVE
        wallet.open[order.order_id] = order
        wallet.reserve(order, needed(order))
        self.books[order.condition_id].add(order)
        if order.expiration_s:
            heapq.heappush(self._expiries, (order.expiration_s * 1000 - GTD_EARLY_MS, order.order_id))
        self.book_changed(order)

    def delay(self, order: Order, cost: int) -> None:
        """Let an order wait for its market's time, what it may take kept aside."""
        wallet, delay_s = self.wallets[order.wallet], self.markets[order.condition_id].spec.delay_s
        order.status = OrderStatus.DELAYED
        wallet.open[order.order_id] = order
        wallet.reserve(order, cost)
        self._delayed.append((self.clock.wall_ms() + delay_s * 1000, order))

    def finish(self, order: Order, status: OrderStatus, cause: Cause | None = None) -> None:
        """An order that no longer works; it still answers to its hash."""
        wallet = self.wallets[order.wallet]
        wallet.open.pop(order.order_id, None)
        wallet.reserve(order, 0)
        order.status, order.cause = status, cause
        self._finished.append(order.order_id)
        if len(self._finished) > ORDERS_MAX:
            self.orders.pop(self._finished.popleft(), None)

    def take_off(self, order: Order, cause: Cause) -> None:
        """Cancel a resting order."""
        self.books[order.condition_id].reduce(order, order.remaining)
        self.finish(order, cause.status, cause)
        self.book_changed(order)
        self.emit(OrderChanged(order, OrderEvent.CANCELLATION))

    def uncover(self, wallet: Wallet, asset: str) -> None:
        """Cancel the newest resting orders that a wallet's balance no longer covers."""
        while not wallet.covered(asset):
            resting = [o for o in wallet.open.values() if given(o) == asset and o.status is OrderStatus.LIVE]
            if not resting:
                return
            self.take_off(resting[-1], Cause.BALANCE)

    def book_changed(self, order: Order) -> None:
        self.emit(BookChanged(order.condition_id, order.side, order.price, order.order_id))

    def _empty(self, orders: Iterable[Order], cause: Cause) -> None:
        for order in orders:
            self.take_off(order, cause)

    def _lapsed(self, owner: str) -> None:
        self.cancel_all(owner)
