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
from core.sim import groups, lifecycle
from core.sim.accounts import Account, amount, book_fill, requirement
from core.sim.admission import malformed
from core.sim.contracts import EventSpec, Market, MarketSpec, MarketStatus, SeriesSpec
from core.sim.events import BookChanged, ExchangeEvent, Filled, MarketChanged, OrderChanged, Traded
from core.sim.fees import Schedule, charge, schedule
from core.sim.matching import Book, BookView
from core.sim.orders import (
    BookSide,
    Cancelled,
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

__all__ = [
    "BookSide", "BookView", "Cancelled", "EventSpec", "Exchange", "ExchangeEvent", "MarketSpec",
    "OrderRequest", "Placed", "Refused", "SelfTrade", "SeriesSpec", "TimeInForce",
]  # fmt: skip

TRADES_MAX = 20_000
"""Prints of the public tape remembered; the oldest go first."""

DIRECT_GRID = Money(100)
"""Balances of direct members move in steps of $0.0001 (Kalshi API: fee rounding)."""

NOTHING = Progress()
UNKNOWN_MARKET = Refused("market_not_found", "market not found", http=404)
UNKNOWN_ORDER = Refused("not_found", "order not found", http=404)
MARKET_INACTIVE = Refused("MARKET_INACTIVE", "market is not active")
TRADING_PAUSED = Refused("TRADING_PAUSED", "trading is paused")
DUPLICATE = Refused("order_already_exists", "order already exists", http=409)
INSUFFICIENT = Refused("insufficient_balance", "insufficient balance")
FOK_KILLED = Refused(
    "fill_or_kill_insufficient_resting_volume", "fill or kill: insufficient resting volume", http=409
)


class Exchange:
    """One honest exchange. ``ids`` yields unique texts for orders, trades and fills."""

    def __init__(self, clock: Clock, world: WorldClock, ids: Callable[[], str]) -> None:
        self.clock, self.world, self._ids = clock, world, ids
        self.listeners: list[Callable[[ExchangeEvent], None]] = []
        self.series: dict[str, SeriesSpec] = {}
        self.events: dict[str, EventSpec] = {}
        self.markets: dict[str, Market] = {}
        self.accounts: dict[str, Account] = {}
        self.trades: deque[Traded] = deque(maxlen=TRADES_MAX)
        self.trading_active = True
        self.post_only_accepts_then_cancels = False
        """The documented alternative to refusing a crossing post-only order."""
        self.fees_collected = Money(0)
        self._books: dict[str, Book] = {}
        self._fees: dict[str, Schedule] = {}
        self._expiries: list[tuple[int, str, str, str]] = []
        self._agenda = lifecycle.Agenda()
        self._orders = 0

    # Listing and accounts

    def open_account(self, account: str, cash: Money, *, grid: Money = DIRECT_GRID) -> Account:
        """A new member with its cash; balances move in steps of ``grid``."""
        if account in self.accounts:
            raise ValueError(f"account {account!r} is already open")
        opened = self.accounts[account] = Account(account, self._ids(), cash, grid, cash)
        return opened

    def list_series(self, series: SeriesSpec) -> None:
        schedule(series.fee_type, series.fee_multiplier)
        self.series[series.ticker] = series

    def list_event(self, event: EventSpec) -> None:
        """List an event and its markets; its series must be listed before."""
        if event.event_ticker in self.events:
            raise ValueError(f"event {event.event_ticker!r} is already listed")
        series = self.series[event.series_ticker]
        override = event.fee_multiplier_override
        fees = schedule(
            event.fee_type_override or series.fee_type,
            series.fee_multiplier if override is None else override,
        )
        self.events[event.event_ticker] = event
        now_ms = self.clock.wall_ms()
        for spec in event.markets:
            self.markets[spec.ticker] = Market(
                spec, self._ids(), MarketStatus.INITIALIZED, now_ms, now_ms, spec.open_ms, spec.close_ms
            )
            self._books[spec.ticker], self._fees[spec.ticker] = Book(), fees
            self.emit(MarketChanged(spec.ticker, "created"))
            self._agenda.add(spec.open_ms, spec.ticker)
            self._agenda.add(spec.close_ms, spec.ticker)
        self._agenda.run(self)

    # Reading

    def account(self, account: str) -> Account:
        return self.accounts[account]

    def book(self, ticker: str) -> BookView:
        return BookView(self._books[ticker], lambda name: list(self.accounts[name].resting(ticker)))

    def position(self, account: str, ticker: str) -> Quantity:
        """Signed: YES above zero, NO below."""
        return self.accounts[account].position(ticker)

    def cash(self, account: str) -> Money:
        """Cash including what resting orders have reserved (``account().available`` is without)."""
        return self.accounts[account].cash

    def fees_of(self, ticker: str) -> Schedule:
        return self._fees[ticker]

    def order(self, account: str, order_id: str) -> Order | None:
        owner = self.accounts[account]
        return owner.working.get(order_id) or owner.finished.get(order_id)

    # Orders

    def place(self, r: OrderRequest) -> Placed | Refused:
        """Check, match and rest one order."""
        owner, market = self.accounts[r.account], self.markets.get(r.ticker)
        if market is None:
            return UNKNOWN_MARKET
        if not self.trading_active:
            return TRADING_PAUSED
        now_ms, book = self.clock.wall_ms(), self._books[r.ticker]
        if market.status is not MarketStatus.ACTIVE or not lifecycle.is_open(market, self.world.at(now_ms)):
            return MARKET_INACTIVE
        refused = malformed(r, market.spec.price_ranges, now_ms) or groups.refusal(
            self, r, market.spec.exchange_index
        )
        if refused is not None:
            return refused
        if r.client_order_id in owner.client_ids:
            return DUPLICATE
        self._orders += 1
        order = Order(
            self._orders, self._ids(), r.account, r.ticker, r.side, r.price, r.count, r.count, r.tif,
            r.client_order_id, r.stp, now_ms, now_ms, r.expiration_ms, r.cancel_on_pause,
            r.group_id,
        )  # fmt: skip
        crosses = r.post_only and book.crossed_by(r.side, r.price)
        if crosses and not self.post_only_accepts_then_cancels:
            return Refused("invalid_order", "invalid order", "post only cross")
        if not r.reduce_only and not self.affordable(order):
            return INSUFFICIENT
        if r.client_order_id:
            owner.client_ids.add(r.client_order_id)
        if r.tif is TimeInForce.FOK and self._reachable(order) < order.remaining:
            return FOK_KILLED
        market.clock += 1
        if crosses:
            self._close(order, Reason.POST_ONLY)
            return self.placed(order)
        if r.reduce_only:
            order.remaining = Quantity(min(r.count, max(0, -r.side.sign * owner.position(r.ticker))))
        left_over = Reason.REDUCE_ONLY if order.remaining < r.count else None
        stopped = self.match(order)
        self.settle_incoming(order, stopped or left_over)
        return self.placed(order)

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
        """Cancel every resting order of an account, in one market or all; returns how many."""
        owner = self.accounts[account]
        orders = list(owner.working.values() if ticker is None else owner.resting(ticker))
        for order in orders:
            self.markets[order.ticker].clock += 1
            self.withdraw(order, None)
        return len(orders)

    def resting_order(self, account: str, order_id: str) -> Order | Refused:
        """A working order that may be changed now, or why not."""
        order = self.order(account, order_id)
        if order is None:
            return UNKNOWN_ORDER
        if not lifecycle.is_open(self.markets[order.ticker], self.world.at(self.clock.wall_ms())):
            return MARKET_INACTIVE
        return order if order.status is OrderStatus.RESTING else UNKNOWN_ORDER

    # Time and life-cycle

    def advance(self) -> None:
        """Bring order expiries (real time, whole seconds) and market life-cycles (world time) up to now."""
        second = self.clock.wall_ms() // 1000
        while self._expiries and self._expiries[0][0] // 1000 <= second:
            expiration_ms, ticker, account, order_id = heapq.heappop(self._expiries)
            order = self.accounts[account].working.get(order_id)
            if order is not None and order.expiration_ms == expiration_ms:
                self.markets[ticker].clock += 1
                self.withdraw(order, Reason.EXPIRY)
        self._agenda.run(self)

    def determine(self, ticker: str, result: str, expiration_value: str = "") -> None:
        """Set the outcome (``yes`` or ``no``) and start the settlement timer; a second call amends it."""
        lifecycle.determine(self, self.markets[ticker], result, expiration_value)
        self._agenda.add(lifecycle.payout_at(self.markets[ticker]), ticker)
        self._agenda.run(self)

    def pause_market(self, ticker: str) -> None:
        lifecycle.pause(self, self.markets[ticker])

    def resume_market(self, ticker: str) -> None:
        """Trading again; reactivation cancels every resting order of the market."""
        lifecycle.resume(self, self.markets[ticker])

    def move_close(self, ticker: str, close_ms: int) -> None:
        """A new world close time, earlier or later."""
        lifecycle.move_close(self, self.markets[ticker], close_ms)
        self._agenda.add(close_ms, ticker)
        self._agenda.run(self)

    def set_trading(self, active: bool) -> None:
        """The exchange-wide switch: while off, orders are refused and pause-cancelled ones leave."""
        self.trading_active = active
        if not active:
            for book in self._books.values():
                lifecycle.halt_orders(self, book.orders())

    # What siblings (life-cycle, amendments) build on

    def new_id(self) -> str:
        return self._ids()

    def emit(self, event: ExchangeEvent) -> None:
        for listener in self.listeners:
            listener(event)

    def resting_in(self, ticker: str) -> list[Order]:
        return self._books[ticker].orders()

    def affordable(self, order: Order, *without: Order) -> bool:
        """Whether the account can pay for its resting orders, less ``without``, and this one."""
        owner = self.accounts[order.account]
        needed = requirement(owner, order.ticker, self._fees[order.ticker], order, without)
        return needed <= owner.available + owner.reserved_by.get(order.ticker, 0)

    def rest(self, order: Order) -> None:
        """Queue an order at its price."""
        owner = self.accounts[order.account]
        self._books[order.ticker].add(order)
        owner.rest(order)
        self.watch_expiry(order)
        self._reserve(owner, order.ticker)
        self._book_changed(order, order.remaining, order)

    def watch_expiry(self, order: Order) -> None:
        if order.expiration_ms is not None:
            heapq.heappush(self._expiries, (order.expiration_ms, order.ticker, order.account, order.order_id))

    def reduce(self, order: Order, count: Quantity) -> None:
        """Take ``count`` off a resting order that keeps its place."""
        self._books[order.ticker].reduce(order, count)
        self._reserve(self.accounts[order.account], order.ticker)
        self._book_changed(order, Quantity(-count), order)

    def lift(self, order: Order) -> None:
        """Take a resting order off the book for a moment, to queue it again elsewhere."""
        remaining = order.remaining
        self.accounts[order.account].unrest(order)
        self.reduce(order, remaining)
        order.remaining = remaining

    def withdraw(self, order: Order, reason: Reason | None, cause: Order | None = None) -> None:
        """Cancel a resting order."""
        count = order.remaining
        self._books[order.ticker].reduce(order, count)
        self._book_changed(order, Quantity(-count), cause or order)
        self._close(order, reason)
        self._reserve(self.accounts[order.account], order.ticker)

    def settle_incoming(self, order: Order, stopped: Reason | None, rested: Reason | None = None) -> None:
        """Rest, execute or cancel what matching left of an incoming order, and say so."""
        if order.filled == order.initial:
            self._close(order, Reason.TRADE, OrderStatus.EXECUTED)
        elif stopped is not None or order.tif is not TimeInForce.GTC:
            self._close(order, stopped or (Reason.TRADE if order.filled else None))
        else:
            order.reason = rested or (Reason.TRADE if order.filled else None)
            self.rest(order)
            self.emit(OrderChanged(order.account, order, order.reason))
            return
        if order.filled:
            self._reserve(self.accounts[order.account], order.ticker)
            self._margin_call(self.accounts[order.account], order.ticker)

    def match(self, order: Order) -> Reason | None:
        """Trade an incoming order against the book; returns why it must stop, if it must."""
        book = self._books[order.ticker]
        while order.remaining:
            resting = book.next_opposing(order.side, order.price)
            if resting is None:
                break
            if resting.account == order.account:
                if order.stp is SelfTrade.TAKER_AT_CROSS:
                    return Reason.SELF_TRADE
                self.withdraw(resting, Reason.SELF_TRADE, order)
                continue
            self._trade(order, resting, Quantity(min(order.remaining, resting.remaining)))
            # A fill-or-kill order that was found to fill whole is not torn apart half way.
            if order.tif is not TimeInForce.FOK and groups.is_triggered(self, order):
                return Reason.GROUP
        return None

    def placed(self, order: Order, since: Progress = NOTHING) -> Placed:
        """The answer to a request; averages cover its fills, ``since`` an earlier progress, in YES terms."""
        now, count = order.progress, order.filled - since.filled
        if not count:
            return Placed(order, Quantity(0), order.remaining, None, None, order.updated_ms)
        cost, fees = now.cost - since.cost, now.fees - since.fees
        paid = cost if order.side is BookSide.BID else count - cost
        average, fee = Money(paid * 1_000_000 // count), Money(fees * 1_000_000 // count)
        return Placed(order, Quantity(count), order.remaining, average, fee, order.updated_ms)

    # Private

    def _reachable(self, order: Order) -> int:
        """How much an incoming order could trade now, stopping as self-trade prevention would."""
        reachable = 0
        for resting in self._books[order.ticker].opposing(order.side, order.price):
            if resting.account == order.account:
                if order.stp is SelfTrade.TAKER_AT_CROSS:
                    break
                continue
            reachable += resting.remaining
            if reachable >= order.remaining:
                break
        return reachable

    def _trade(self, taker: Order, maker: Order, count: Quantity) -> None:
        market, price, now_ms = self.markets[taker.ticker], maker.price, self.clock.wall_ms()
        trade_id = self._ids()
        self._books[maker.ticker].reduce(maker, count)
        taker.remaining = Quantity(taker.remaining - count)
        self._book_changed(maker, Quantity(-count), taker)
        opened = self._fill(taker, trade_id, price, count, now_ms, taker=True)
        opened_by_maker = self._fill(maker, trade_id, price, count, now_ms, taker=False)
        if maker.remaining:
            maker.reason = Reason.TRADE
            self.emit(OrderChanged(maker.account, maker, Reason.TRADE))
        else:
            self._close(maker, Reason.TRADE, OrderStatus.EXECUTED)
        self._reserve(self.accounts[maker.account], maker.ticker)
        market.open_interest = Quantity(market.open_interest + opened + opened_by_maker - count)
        market.last_price, market.last_trade_size = price, count
        market.volume = Quantity(market.volume + count)
        market.dollar_volume = Money(market.dollar_volume + count)
        traded = Traded(trade_id, market.spec.ticker, price, count, taker.side, now_ms)
        self.trades.append(traded)
        self.emit(traded)
        for order in (taker, maker):
            groups.note_match(self, order, count)

    def _fill(
        self, order: Order, trade_id: str, price: Price, count: Quantity, now_ms: int, *, taker: bool
    ) -> Quantity:
        """Move one party's cash and position; returns how many contracts it opened."""
        owner, ticker, side = self.accounts[order.account], order.ticker, order.side
        position = owner.position(ticker)
        closed = Quantity(min(count, max(0, -side.sign * position)))
        opened = Quantity(count - closed)
        own_price = price if side is BookSide.BID else 10_000 - price
        revenue = Money(amount(10_000 - own_price, closed) - amount(own_price, opened))
        moved = charge(
            revenue, self._fees[ticker].trade_fee(price, count, taker=taker), owner.grid, order.accumulator
        )
        owner.cash = Money(owner.cash + moved.balance_change)
        order.accumulator, order.filled = moved.accumulator, Quantity(order.filled + count)
        self.fees_collected = Money(self.fees_collected + moved.fee)
        order.account_for(amount(own_price, count), moved.fee, taker=taker)
        order.updated_ms = now_ms
        after = Quantity(position + side.sign * count)
        fill = Fill(
            trade_id, order.order_id, order.client_order_id, ticker, side, price, count, taker,
            moved.fee, now_ms, after, moved.balance_change,
        )  # fmt: skip
        book_fill(owner, fill, closed)
        self.emit(Filled(order.account, fill, after))
        return opened

    def _close(self, order: Order, reason: Reason | None, status: OrderStatus = OrderStatus.CANCELED) -> None:
        order.status, order.reason, order.remaining = status, reason, Quantity(0)
        order.updated_ms = self.clock.wall_ms()
        self.accounts[order.account].finish(order)
        self.emit(OrderChanged(order.account, order, reason))

    def _reserve(self, owner: Account, ticker: str) -> None:
        owner.set_reserved(ticker, requirement(owner, ticker, self._fees[ticker]))

    def _margin_call(self, owner: Account, ticker: str) -> None:
        """Cancel the newest resting orders that lost their cover to a close and cannot be paid for."""
        while owner.available < 0 and (resting := list(owner.resting(ticker))):
            self.withdraw(resting[-1], Reason.MARGIN)

    def _book_changed(self, order: Order, delta: Quantity, cause: Order) -> None:
        clock, now_ms = self.markets[order.ticker].clock, self.clock.wall_ms()
        changed = BookChanged(
            order.ticker, order.side, order.price, delta, cause.account, cause.client_order_id, clock, now_ms
        )  # fmt: skip
        self.emit(changed)
