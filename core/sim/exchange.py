"""The simulated exchange: price-time matching, collateral, fees and settlement of yes/no contracts.

Everything is synchronous; whoever listens is told in the order things happened. Machines live in
real time (order expiry, timestamps), contracts in world time (open, close, settlement).
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable

from core.domain.clock import Clock, WorldClock
from core.domain.units import Money, Price, Quantity
from core.sim import lifecycle, shards, trading
from core.sim.accounts import Account, requirement
from core.sim.admission import MARKET_INACTIVE
from core.sim.contracts import EventSpec, Market, MarketSpec, MarketStatus, SeriesSpec
from core.sim.dialect import Dialect
from core.sim.events import BookChanged, ExchangeEvent, MarketChanged, OrderChanged, Traded
from core.sim.fees import Schedule
from core.sim.matching import Book, BookView
from core.sim.orders import (
    BookSide,
    Cancelled,
    Order,
    OrderRequest,
    OrderStatus,
    Placed,
    Reason,
    Refused,
    SelfTrade,
    TimeInForce,
)
from core.sim.tariffs import Tariffs
from core.sim.transfers import Transfers

__all__ = [
    "BookSide", "BookView", "Cancelled", "EventSpec", "Exchange", "ExchangeEvent", "MarketSpec",
    "OrderRequest", "Placed", "Refused", "SelfTrade", "SeriesSpec", "TimeInForce",
]  # fmt: skip

TRADES_MAX = 20_000
"""Prints of the public tape remembered; the oldest go first."""
SUBACCOUNTS_MAX = 63
"""Numbered subaccounts of a member."""

DIRECT_GRID = Money(100)
"""Balances of direct members move in steps of $0.0001 (Kalshi API: fee rounding)."""

UNKNOWN_ORDER = Refused("not_found", "order not found", http=404)


class Exchange:
    """One honest exchange. ``ids`` yields unique texts for orders, trades and fills."""

    def __init__(
        self, clock: Clock, world: WorldClock, ids: Callable[[], str], dialect: Dialect | None = None
    ) -> None:
        self.clock, self.world, self.new_id = clock, world, ids
        self.dialect = dialect or Dialect()
        self.listeners: list[Callable[[ExchangeEvent], None]] = []
        self.series: dict[str, SeriesSpec] = {}
        self.events: dict[str, EventSpec] = {}
        self.markets: dict[str, Market] = {}
        self.books: dict[str, Book[Order]] = {}
        self.accounts: dict[str, Account] = {}
        self.trades: deque[Traded] = deque(maxlen=TRADES_MAX)
        self.shards = shards.all_shards()
        self.maintenance = shards.Maintenance()
        self.fees_collected = Money(0)
        self.tariffs = Tariffs(self)
        self.transfers = Transfers(self)
        self._expiries: list[tuple[int, str, str, str]] = []
        self._agenda = lifecycle.Agenda()
        self.orders_placed = 0

    # Listing and accounts

    def open_account(
        self, account: str, cash: Money, *, exchange_index: int = 0, grid: Money = DIRECT_GRID
    ) -> Account:
        """A new member with its cash on one shard; balances move in steps of ``grid``."""
        if account in self.accounts:
            raise ValueError(f"account {account!r} is already open")
        opened = self.accounts[account] = Account(account, self.new_id(), grid, account)
        self.deposit(account, cash, exchange_index)
        return opened

    def open_subaccount(self, member: str) -> Account:
        """The member's next numbered subaccount, without cash; ``ValueError`` where all are open."""
        primary = self.accounts[member]
        number = sum(a.member == member for a in self.accounts.values())
        if number > SUBACCOUNTS_MAX:
            raise ValueError(f"{member} has all its {SUBACCOUNTS_MAX} subaccounts")
        opened = Account(
            f"{member}#{number}", primary.user_id, primary.grid, member, number, client_ids=primary.client_ids
        )
        self.accounts[opened.name] = opened
        return opened

    def subaccount(self, member: str, number: int) -> Account | None:
        return self.accounts.get(f"{member}#{number}" if number else member)

    def deposit(self, account: str, cash: Money, exchange_index: int = 0) -> None:
        """Money from outside."""
        purse = self.accounts[account].purse(exchange_index)
        purse.cash = Money(purse.cash + cash)

    def list_series(self, series: SeriesSpec) -> None:
        self.tariffs.check(series.fee_type)
        self.series[series.ticker] = series

    def list_event(self, event: EventSpec) -> None:
        """List an event and its markets; its series must be listed before."""
        if event.event_ticker in self.events:
            raise ValueError(f"event {event.event_ticker!r} is already listed")
        self.tariffs.check(event.fee_type_override or self.series[event.series_ticker].fee_type)
        self.events[event.event_ticker] = event
        now_ms = self.clock.wall_ms()
        for spec in event.markets:
            self.markets[spec.ticker] = Market(
                spec, self.new_id(), MarketStatus.INITIALIZED, now_ms, now_ms, spec.open_ms, spec.close_ms
            )
            self.books[spec.ticker] = Book()
            self.emit(MarketChanged(spec.ticker, "created"))
            self._agenda.add(spec.open_ms, spec.ticker)
            self._agenda.add(spec.close_ms, spec.ticker)
        self.tariffs.apply(event.event_ticker)
        self._agenda.run(self)

    # Reading

    @property
    def trading_active(self) -> bool:
        """Whether every shard trades."""
        return all(shard.trading_active for shard in self.shards.values())

    def account(self, account: str) -> Account:
        return self.accounts[account]

    def book(self, ticker: str) -> BookView:
        return BookView(self.books[ticker], lambda name: list(self.accounts[name].resting(ticker)))

    def position(self, account: str, ticker: str) -> Quantity:
        """Signed: YES above zero, NO below."""
        return self.accounts[account].position(ticker)

    def cash(self, account: str) -> Money:
        """Cash including what resting orders have reserved (``account().available`` is without)."""
        return self.accounts[account].cash

    def fees_of(self, ticker: str) -> Schedule:
        return self.tariffs.of(ticker)

    def order(self, account: str, order_id: str) -> Order | None:
        owner = self.accounts[account]
        return owner.working.get(order_id) or owner.finished.get(order_id)

    # Orders

    def place(self, r: OrderRequest) -> Placed | Refused:
        """Check, match and rest one order."""
        return trading.place(self, r)

    def cancel(self, account: str, order_id: str) -> Cancelled | Refused:
        """Take one resting order off the book. A finished or unknown one is refused with 404."""
        order = self.resting_order(account, order_id)
        if isinstance(order, Refused):
            return order
        reduced = order.remaining
        self.markets[order.ticker].clock += 1
        self.withdraw(order, None)
        return Cancelled(order.order_id, order.client_order_id, reduced, order.updated_ms)

    def cancel_all(self, account: str, ticker: str | None = None) -> int:
        """Cancel every resting order of an account that may be touched, in one market or all; how many."""
        owner = self.accounts[account]
        orders = list(owner.working.values() if ticker is None else owner.resting(ticker))
        return sum(isinstance(self.cancel(account, order.order_id), Cancelled) for order in orders)

    def resting_order(self, account: str, order_id: str) -> Order | Refused:
        """A working order that may be changed now, or why not."""
        order = self.order(account, order_id)
        if order is None:
            return UNKNOWN_ORDER
        market = self.markets[order.ticker]
        closed = shards.refusal(self, market.spec.exchange_index, trading=False)
        if closed is not None:
            return closed
        if not lifecycle.is_open(market, self.world.at(self.clock.wall_ms())):
            return MARKET_INACTIVE
        return order if order.status is OrderStatus.RESTING else UNKNOWN_ORDER

    # Time and life-cycle

    def advance(self) -> None:
        """Bring order expiries (real time, whole seconds), transfers and market life-cycles up to now."""
        now_ms = self.clock.wall_ms()
        self.maintenance.run(self, now_ms)
        while self._expiries and self._expiries[0][0] // 1000 <= now_ms // 1000:
            expiration_ms, ticker, account, order_id = heapq.heappop(self._expiries)
            order = self.accounts[account].working.get(order_id)
            if order is not None and order.expiration_ms == expiration_ms:
                self.markets[ticker].clock += 1
                self.withdraw(order, Reason.EXPIRY)
        self.transfers.run(now_ms)
        self.tariffs.run(self.world.at(now_ms))
        self._agenda.run(self)

    def determine(
        self, ticker: str, result: str, expiration_value: str = "", value: Price | None = None
    ) -> None:
        """Set the outcome and start the settlement timer; a second call amends it.

        ``yes`` and ``no`` pay all or nothing, ``scalar`` pays ``value`` to YES and the rest to NO.
        """
        lifecycle.determine(self, self.markets[ticker], result, expiration_value, value)
        self._agenda.add(lifecycle.payout_at(self.markets[ticker]), ticker)
        self._agenda.run(self)

    def pause_market(self, ticker: str) -> None:
        lifecycle.pause(self, self.markets[ticker])

    def resume_market(self, ticker: str) -> None:
        """Trading again; reactivation cancels every resting order of the market."""
        lifecycle.resume(self, self.markets[ticker])

    def move_close(self, ticker: str, close_ms: int) -> None:
        """A new world close time, earlier or later; a later one reopens a market that has only closed."""
        lifecycle.move_close(self, self.markets[ticker], close_ms)
        self._agenda.add(close_ms, ticker)
        self._agenda.run(self)

    def set_trading(self, active: bool, exchange_index: int | None = None) -> None:
        """The switch of one shard or all: while off, orders are refused and pause-cancelled ones leave."""
        shards.set_trading(self, active, exchange_index)

    # What siblings (trading, life-cycle, amendments, groups) build on

    def emit(self, event: ExchangeEvent) -> None:
        for listener in self.listeners:
            listener(event)

    def resting_in(self, ticker: str) -> list[Order]:
        return self.books[ticker].orders()

    def affordable(self, order: Order, *without: Order) -> bool:
        """Whether the account's purse on the market's shard pays for its resting orders, less ``without``,
        and this one."""
        owner = self.accounts[order.account]
        needed = requirement(owner, order.ticker, self.fees_of(order.ticker), order, without)
        purse = owner.purses.get(self.markets[order.ticker].spec.exchange_index)
        available = purse.available if purse is not None else 0
        return needed <= available + owner.reserved_by.get(order.ticker, 0)

    def rest(self, order: Order) -> None:
        """Queue an order at its price."""
        owner = self.accounts[order.account]
        self.books[order.ticker].add(order)
        owner.rest(order)
        self.watch_expiry(order)
        self.reserve(owner, order.ticker)
        self.book_changed(order, order.remaining, order)

    def watch_expiry(self, order: Order) -> None:
        if order.expiration_ms is not None:
            heapq.heappush(self._expiries, (order.expiration_ms, order.ticker, order.account, order.order_id))

    def reduce(self, order: Order, count: Quantity) -> None:
        """Take ``count`` off a resting order that keeps its place."""
        self.books[order.ticker].reduce(order, count)
        self.reserve(self.accounts[order.account], order.ticker)
        self.book_changed(order, Quantity(-count), order)

    def lift(self, order: Order) -> None:
        """Take a resting order off the book for a moment, to queue it again elsewhere."""
        remaining = order.remaining
        self.accounts[order.account].unrest(order)
        self.reduce(order, remaining)
        order.remaining = remaining

    def withdraw(self, order: Order, reason: Reason | None, cause: Order | None = None) -> None:
        """Cancel a resting order."""
        count = order.remaining
        self.books[order.ticker].reduce(order, count)
        self.book_changed(order, Quantity(-count), cause or order)
        self.close_order(order, reason)
        self.reserve(self.accounts[order.account], order.ticker)

    def close_order(
        self, order: Order, reason: Reason | None, status: OrderStatus = OrderStatus.CANCELED
    ) -> None:
        order.status, order.reason, order.remaining = status, reason, Quantity(0)
        order.updated_ms = self.clock.wall_ms()
        self.accounts[order.account].finish(order)
        if status is OrderStatus.EXECUTED and self.dialect.executed_id_is_free:
            self.accounts[order.account].client_ids.discard(order.client_order_id)
        self.emit(OrderChanged(order.account, order, reason))

    def reserve(self, owner: Account, ticker: str) -> None:
        """Set aside what the account's resting orders of a market may still cost."""
        shard = self.markets[ticker].spec.exchange_index
        owner.set_reserved(shard, ticker, requirement(owner, ticker, self.fees_of(ticker)))

    def book_changed(self, order: Order, delta: Quantity, cause: Order) -> None:
        clock, now_ms = self.markets[order.ticker].clock, self.clock.wall_ms()
        changed = BookChanged(
            order.ticker, order.side, order.price, delta, cause.account, cause.client_order_id, clock, now_ms
        )  # fmt: skip
        self.emit(changed)
