"""A small honest exchange behind ``VenueGateway``, with faults a test switches on.

Its ledger is its own: orders, fills and net positions are kept as plain numbers, so that tests can
compare what the desk believes with what is true. Orders of ours trade against the displayed book;
resting ones trade when a test says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from core.domain.book import Book, new_book
from core.domain.fees import fill_fee
from core.domain.market import CENT_GRID, FeeSchedule, FeeType, Market
from core.domain.order import BookSide, Fill, OrderIntent, Purpose, TimeInForce
from core.domain.trade import TradeStage
from core.domain.units import Money, Price, Quantity, complement
from core.venues.exchange import Cash, ExchangeState, Maintenance, ShardState
from core.venues.kalshi.traits import TRAITS
from core.venues.limiter import Capacity, Kind, Level
from core.venues.traits import Beat, Traits
from core.venues.venue import (
    UNSEALED,
    Accepted,
    BookView,
    Cancelled,
    CancelOutcome,
    CancelUnresolved,
    Done,
    GroupChange,
    GroupOutcome,
    Incomplete,
    LastCheck,
    Link,
    LinkState,
    NeverSent,
    NotReduced,
    NotRenewed,
    NotThere,
    OrderReport,
    PlaceOutcome,
    PositionReport,
    Redeemable,
    Reduced,
    ReduceOutcome,
    ReduceUnresolved,
    Rejected,
    Renewed,
    RenewOutcome,
    RenewUnresolved,
    ReportStatus,
    SafetyGroup,
    Sealed,
    SettlementReport,
    TradeReport,
    Unresolved,
    VenueListener,
)
from tests.virtual import VirtualClock

START_CASH = Money(500_000_000)
QUADRATIC = FeeSchedule(FeeType.QUADRATIC)


@dataclass
class Resting:
    """One order as the exchange keeps it."""

    order_id: str
    intent: OrderIntent
    arrived_ms: int
    filled: int = 0
    open: int = 0
    ended: str = ""
    renewed_ms: int | None = None
    size: int = 0
    """What somebody has made of it; 0: it is as ordered."""
    visible_at: float = 0.0
    """When lists begin to show it."""

    @property
    def status(self) -> ReportStatus:
        if self.open:
            return ReportStatus.RESTING
        whole = self.size or self.intent.quantity
        return ReportStatus.EXECUTED if self.filled == whole else ReportStatus.CANCELED


@dataclass
class Faults:
    """What goes wrong, until it is used up or switched off."""

    lose_requests: int = 0
    lose_answers: int = 0
    lose_cancel_answers: int = 0
    refuse_cancels: int = 0
    """Cancels answered "not there" although the order rests."""
    fill_on_cancel: int = 0
    """Contracts that trade in the moment a cancel arrives."""
    list_lag_s: float = 0.0
    at_once_rests: bool = False
    """Immediate orders meet nobody and stay on the book."""
    nobody: str = ""
    """A market in which whatever is shown is gone when an order arrives."""
    silent_fills: bool = False
    """Fills are not told on the stream."""
    lists_lag_ms: int = 0
    """How old everything in lists is said to be."""
    broken_reads: bool = False
    hanging_reads: bool = False
    """Reads get no answer at all."""
    refuse_groups: bool = False
    """Groups cannot be opened, triggered or reset."""
    lose_renewals: int = 0
    """Renewals that are done and not answered."""
    refuse_renewals: int = 0
    lose_reductions: int = 0
    """Reductions that are done and not answered, nor told on the stream."""
    refuse_reductions: int = 0
    request_s: float = 0.02
    answer_s: float = 0.02
    fill_delay_s: float = 0.01


@dataclass
class FakeVenue:
    """See the module. ``net`` and ``cash_now`` are the truth."""

    listener: VenueListener
    loop: asyncio.AbstractEventLoop
    clock: VirtualClock
    listed: tuple[Market, ...] = ()
    books: dict[str, BookView] = field(default_factory=dict)
    volumes: dict[str, Quantity] = field(default_factory=dict)
    link: Link = field(default_factory=lambda: Link(LinkState.CONNECTING, 0))
    traits: Traits = TRAITS
    prefix: str = ""
    """Before the ids it gives: those of two venues differ."""
    beat: Beat | None = None
    faults: Faults = field(default_factory=Faults)
    placed: dict[str, Resting] = field(default_factory=dict)
    ahead: dict[str, Quantity] = field(default_factory=dict)
    """Contracts before an order in its queue, by its id; none where it is not in it."""
    executed: list[Fill] = field(default_factory=list)
    stages: dict[str, TradeStage] = field(default_factory=dict)
    """Ends of trades that settled later."""
    undone: int = 0
    publishes: tuple[str, ...] = ()
    """What it lists where it is asked what it publishes."""
    payouts: list[Redeemable] = field(default_factory=list)
    paired: dict[str, int] = field(default_factory=dict)
    """YES and NO held together, by ticker."""
    page: str = "https://venue.example/merge"
    mode: str = ""
    """What it says of itself while it takes no orders."""
    settled_only: bool = False
    """Whether lists of positions and cash leave out what can still be undone."""
    net: dict[str, int] = field(default_factory=dict)
    cash_now: int = START_CASH
    settled: list[SettlementReport] = field(default_factory=list)
    cancel_calls: list[tuple[float, tuple[str, ...]]] = field(default_factory=list)
    exits_seen: list[OrderIntent] = field(default_factory=list)
    crossed_zero: bool = False
    trading: bool = True
    shards: tuple[ShardState, ...] = ()
    cash_parts: dict[int, Money] = field(default_factory=dict)
    groups: dict[str, SafetyGroup] = field(default_factory=dict)
    triggered: set[str] = field(default_factory=set)
    calls: list[tuple[float, str]] = field(default_factory=list)
    """Calls about groups, renewals and cancel-all in the order they came."""

    # --- test controls -------------------------------------------------------------------------

    def quote(self, ticker: str, bid: int, ask: int, size: int = 160, depth: int = 3) -> None:
        """A fresh two-sided book in cents, ``depth`` levels of ``size`` contracts on each side."""
        view = self.books[ticker]
        view.book.clear()
        for level in range(depth):
            for side, cents in ((BookSide.BID, bid - level), (BookSide.ASK, ask + level)):
                if 0 < cents < 100:
                    view.book.set(side, Price(cents * 100), Quantity(size * 1_000_000))
        self.touch(ticker)

    def touch(self, ticker: str) -> None:
        view = self.books[ticker]
        view.intact, view.message_ns, view.sequence = True, self.clock.mono_ns(), view.sequence + 1
        self.listener.on_book(ticker)

    def trade(self, order_id: str, contracts: int) -> None:
        """Somebody trades against a resting order of ours."""
        order = self.placed[order_id]
        self._fill(order, order.intent.price, min(order.open, contracts * 1_000_000), taker=False)

    def confirm(self, *, silent: bool = False) -> None:
        """Every trade that can still be undone is settled."""
        for fill in list(self.executed):
            self._stage(fill, TradeStage.CONFIRMED, silent)
        self.executed = [msgspec.structs.replace(fill, final=True) for fill in self.executed]

    def fail(self, fill: Fill, *, silent: bool = False) -> None:
        """A trade could not be settled: contracts and money are where they were."""
        self.executed.remove(fill)
        self.undone += 1
        self.net[fill.ticker] = self.net.get(fill.ticker, 0) - fill.side.sign * fill.quantity
        bought = fill.price if fill.side is BookSide.BID else complement(fill.price)
        opened = self.placed[fill.order_id].intent.purpose is Purpose.OPEN
        moved = bought * fill.quantity // 10_000 if opened else -complement(bought) * fill.quantity // 10_000
        self.cash_now += moved + fill.fee
        self._stage(fill, TradeStage.FAILED, silent)

    def _stage(self, fill: Fill, stage: TradeStage, silent: bool) -> None:
        if not fill.final:
            self.stages[fill.trade_id] = stage
            if not silent:
                report = TradeReport(fill.trade_id, stage, self.clock.wall_ms())
                self.loop.call_later(self.faults.fill_delay_s, self.listener.on_trade, report)

    def resize(self, order_id: str, contracts: int, *, silent: bool = False) -> None:
        """A person makes a resting order as large as this, what has filled of it included."""
        order = self.placed[order_id]
        order.size = contracts * 1_000_000
        order.open = order.size - order.filled
        if not silent:
            self.loop.call_later(self.faults.fill_delay_s, self._tell, order)

    def end(self, order_id: str, reason: str) -> None:
        """The venue ends an order by itself."""
        order = self.placed[order_id]
        order.open, order.ended = 0, reason
        self._tell(order)

    def settle(self, ticker: str, payout: int) -> None:
        net = self.net.pop(ticker, 0)
        per = payout if net > 0 else 10_000 - payout
        self.cash_now += per * abs(net) // 10_000
        report = SettlementReport(ticker, Price(payout), "yes" if payout else "no", self.clock.wall_ms())
        self.settled.append(report)
        self.loop.call_later(0.05, self.listener.on_settlement, report)

    def disconnect(self) -> None:
        self._set_link(LinkState.DOWN)

    def reconnect(self) -> None:
        self._set_link(LinkState.OK)
        self.listener.on_reconnect()

    def only(self) -> Resting:
        """The single order placed so far."""
        (order,) = self.placed.values()
        return order

    # --- matching ------------------------------------------------------------------------------

    def _fill(self, order: Resting, price: int, quantity: int, *, taker: bool) -> None:
        if quantity <= 0:
            return
        order.filled += quantity
        order.open = max(0, order.open - quantity)
        intent = order.intent
        fill = Fill(
            trade_id=f"{self.prefix}T{len(self.executed) + self.undone + 1}",
            venue=self.traits.venue,
            ticker=intent.ticker,
            order_id=order.order_id,
            side=intent.side,
            price=Price(price),
            quantity=Quantity(quantity),
            fee=fill_fee(QUADRATIC, Price(price), Quantity(quantity), is_taker=taker),
            is_taker=taker,
            at_ms=self.clock.wall_ms(),
            final=not self.traits.settles_later,
        )
        self.executed.append(fill)
        before = self.net.get(intent.ticker, 0)
        after = before + intent.side.sign * quantity
        self.crossed_zero |= before * after < 0
        closing = min(quantity, abs(before)) if before * intent.side.sign < 0 else 0
        held_price = price if before > 0 else complement(Price(price))
        bought_price = price if intent.side is BookSide.BID else complement(Price(price))
        self.cash_now += held_price * closing // 10_000 - bought_price * (quantity - closing) // 10_000
        self.cash_now -= fill.fee
        self.net[intent.ticker] = after
        if not self.faults.silent_fills:
            self.loop.call_later(self.faults.fill_delay_s, self.listener.on_fill, fill, self._named(intent))
            self.loop.call_later(self.faults.fill_delay_s, self._tell, order)

    def _named(self, intent: OrderIntent) -> str:
        """Our id, where the venue carries it."""
        return intent.client_order_id if self.traits.client_ids else ""

    def _tell(self, order: Resting) -> None:
        if not self.faults.silent_fills:
            self.listener.on_order(self._report(order))

    def _accept(self, intent: OrderIntent) -> Resting | Rejected:
        if any(o.intent.client_order_id == intent.client_order_id for o in self.placed.values()):
            return Rejected("order_already_exists", "")
        if not self.trading:
            return Rejected("trading_paused", "")
        if intent.group_id in self.triggered:
            return Rejected("exceeded_order_group_risk_limit", "")
        book = self.books[intent.ticker].book
        touch = book.best_ask if intent.side is BookSide.BID else book.best_bid
        crosses = touch is not None and (intent.price - touch) * intent.side.sign >= 0
        if intent.post_only and crosses:
            return Rejected("invalid_order", "post only cross")
        wanted = int(intent.quantity)
        if intent.reduce_only:
            self.exits_seen.append(intent)
            held = -intent.side.sign * self.net.get(intent.ticker, 0)
            wanted = min(wanted, max(0, held))
        visible = self.loop.time() + self.faults.list_lag_s
        order = Resting(
            f"{self.prefix}O{len(self.placed) + 1}",
            intent,
            self.clock.wall_ms(),
            open=wanted,
            visible_at=visible,
        )
        self.placed[order.order_id] = order
        at_once = intent.tif is not TimeInForce.GTC
        if at_once and self.faults.at_once_rests:
            return order
        if not intent.post_only and intent.ticker != self.faults.nobody:
            self._take(order, wanted)
        if at_once:
            order.open = 0
        return order

    def _take(self, order: Resting, wanted: int) -> None:
        book, intent = self.books[order.intent.ticker].book, order.intent
        for price, size in list(book.walk(intent.side.opposite)):
            if wanted <= 0 or (price - intent.price) * intent.side.sign > 0:
                break
            taken = min(wanted, size)
            book.change(intent.side.opposite, price, -taken)
            self._fill(order, price, taken, taker=True)
            wanted -= taken
        self.touch(intent.ticker)

    def _expire(self) -> None:
        now = self.clock.wall_ms()
        for order in self.placed.values():
            ends = order.renewed_ms or order.intent.expires_ms
            if order.open and ends is not None and now >= ends:
                order.open, order.ended = 0, "ExpiryCancel"
                self._tell(order)

    def _report(self, order: Resting) -> OrderReport:
        intent = order.intent
        return OrderReport(
            order_id=order.order_id,
            client_order_id=self._named(intent),
            ticker=intent.ticker,
            side=intent.side,
            price=intent.price,
            quantity=intent.quantity,
            filled=Quantity(order.filled),
            remaining=Quantity(order.open),
            status=order.status,
            reason=order.ended,
            expires_ms=order.renewed_ms or intent.expires_ms,
            updated_ms=self.clock.wall_ms(),
        )

    # --- VenueGateway --------------------------------------------------------------------------

    async def run(self) -> None:
        await asyncio.sleep(0.05)
        self._set_link(LinkState.OK)
        while True:
            await asyncio.sleep(1.0)
            self._expire()
            if self.link.state is LinkState.OK:
                self._set_link(LinkState.OK)

    def _set_link(self, state: LinkState) -> None:
        heartbeat = self.clock.mono_ns() if state is LinkState.OK else self.link.heartbeat_ns
        self.link = Link(state, heartbeat)
        self.listener.on_link(self.link)

    async def close(self) -> None:
        return None

    async def markets(self, series: Sequence[str]) -> tuple[Market, ...] | Incomplete:
        return await self._read(lambda: tuple(m for m in self.listed if m.series_ticker in series))

    async def market(self, ticker: str) -> Market | Incomplete:
        found = next((m for m in self.listed if m.ticker == ticker), None)
        return await self._read(lambda: found if found is not None else Incomplete(ticker, "not found"))

    async def subscribe(self, tickers: Sequence[str]) -> None:
        for ticker in tickers:
            self.books.setdefault(ticker, BookView(new_book(CENT_GRID)))

    def seal(self, intent: OrderIntent) -> Sealed | Rejected:
        """Without our ids an order is known by the one it will get."""
        if self.traits.client_ids:
            return UNSEALED
        return Sealed(f"{self.prefix}O{len(self.placed) + 1}", intent.client_order_id.encode())

    async def place(self, intent: OrderIntent, sealed: Sealed, last_check: LastCheck) -> PlaceOutcome:
        stopped = last_check()
        if stopped is not None:
            return NeverSent(stopped)
        await asyncio.sleep(self.faults.request_s)
        if self.faults.lose_requests:
            self.faults.lose_requests -= 1
            await asyncio.sleep(5.0)
            return Unresolved("timeout")
        result = self._accept(intent)
        if isinstance(result, Rejected):
            return result
        if self.faults.lose_answers:
            self.faults.lose_answers -= 1
            await asyncio.sleep(5.0)
            return Unresolved("timeout")
        filled, left = result.filled, result.open
        await asyncio.sleep(self.faults.answer_s)
        return Accepted(result.order_id, Quantity(filled), Quantity(left), self.clock.wall_ms())

    async def cancel(self, orders: Sequence[tuple[str, str]]) -> tuple[CancelOutcome, ...]:
        self.cancel_calls.append((self.loop.time(), tuple(order_id for order_id, _ in orders)))
        await asyncio.sleep(self.faults.request_s)
        outcomes = tuple(self._cancel(order_id) for order_id, _ in orders)
        await asyncio.sleep(self.faults.answer_s)
        if self.faults.lose_cancel_answers:
            self.faults.lose_cancel_answers -= 1
            return tuple(CancelUnresolved(order_id, "timeout") for order_id, _ in orders)
        return outcomes

    def _cancel(self, order_id: str) -> CancelOutcome:
        order = self.placed[order_id]
        if self.faults.fill_on_cancel:
            self._fill(order, order.intent.price, self.faults.fill_on_cancel * 1_000_000, taker=False)
            self.faults.fill_on_cancel = 0
        if self.faults.refuse_cancels:
            self.faults.refuse_cancels -= 1
            return NotThere(order_id, "not_found")
        if not order.open:
            return NotThere(order_id, "not_found")
        reduced, order.open, order.ended = order.open, 0, "Decrease"
        self.loop.call_later(self.faults.fill_delay_s, self._tell, order)
        return Cancelled(order_id, Quantity(reduced))

    async def renew(
        self,
        order_id: str,
        intent: OrderIntent,
        quantity: Quantity,
        expires_ms: int,
        last_check: LastCheck,
    ) -> RenewOutcome:
        stopped = last_check()
        if stopped is not None:
            return NotRenewed(order_id, stopped)
        self.calls.append((self.loop.time(), f"renew {order_id}"))
        await asyncio.sleep(self.faults.request_s)
        order = self.placed[order_id]
        if self.faults.refuse_renewals or not order.open:
            self.faults.refuse_renewals = max(0, self.faults.refuse_renewals - 1)
            return NotRenewed(order_id, "invalid_order")
        order.renewed_ms, order.size, order.open = expires_ms, quantity, quantity - order.filled
        if self.faults.lose_renewals:
            self.faults.lose_renewals -= 1
            await asyncio.sleep(5.0)
            return RenewUnresolved(order_id, "timeout")
        await asyncio.sleep(self.faults.answer_s)
        return Renewed(order_id, expires_ms)

    async def reduce(self, order_id: str, ticker: str, by: Quantity, last_check: LastCheck) -> ReduceOutcome:
        stopped = last_check()
        if stopped is not None:
            return NotReduced(order_id, stopped)
        self.calls.append((self.loop.time(), f"reduce {order_id} {by}"))
        await asyncio.sleep(self.faults.request_s)
        order = self.placed[order_id]
        if self.faults.refuse_reductions or order.open <= by:
            self.faults.refuse_reductions = max(0, self.faults.refuse_reductions - 1)
            return NotReduced(order_id, "invalid_order")
        lost = self.faults.lose_reductions > 0
        self.resize(order_id, (order.filled + order.open - by) // 1_000_000, silent=lost)
        if lost:
            self.faults.lose_reductions -= 1
            await asyncio.sleep(5.0)
            return ReduceUnresolved(order_id, "timeout")
        await asyncio.sleep(self.faults.answer_s)
        return Reduced(order_id, Quantity(order.open), self.clock.wall_ms())

    # --- SafetyNet -----------------------------------------------------------------------------

    async def arm_groups(
        self, contracts: Mapping[Purpose, int], known: Sequence[SafetyGroup]
    ) -> tuple[SafetyGroup, ...] | Incomplete:
        await asyncio.sleep(self.faults.request_s)
        if self.faults.refuse_groups:
            return Incomplete("order groups", "refused")
        for purpose in Purpose:
            if not any(group.purpose is purpose for group in self.groups.values()):
                group_id = f"{self.prefix}G{len(self.groups) + 1}"
                self.groups[group_id] = SafetyGroup(group_id, purpose, "0", contracts[purpose])
        return tuple(self.groups.values())

    def part_of(self, ticker: str) -> str:
        return "0"

    async def trigger_group(self, group: SafetyGroup) -> GroupOutcome:
        self.calls.append((self.loop.time(), f"trigger {group.group_id}"))
        await asyncio.sleep(self.faults.request_s)
        if self.faults.refuse_groups:
            return Unresolved("HTTP 503")
        self.trip(group.group_id)
        await asyncio.sleep(self.faults.answer_s)
        return Done()

    def trip(self, group_id: str) -> None:
        """Trigger a group, as the venue also does by itself."""
        self.triggered.add(group_id)
        for order in self.placed.values():
            if order.open and order.intent.group_id == group_id:
                order.open, order.ended = 0, ""
                self.loop.call_later(self.faults.fill_delay_s, self._tell, order)
        self.loop.call_later(
            self.faults.fill_delay_s, self.listener.on_group, group_id, GroupChange.TRIGGERED
        )

    async def reset_group(self, group: SafetyGroup) -> GroupOutcome:
        self.calls.append((self.loop.time(), f"reset {group.group_id}"))
        await asyncio.sleep(self.faults.request_s)
        if self.faults.refuse_groups:
            return Unresolved("HTTP 503")
        self.triggered.discard(group.group_id)
        return Done()

    async def limit_group(self, group: SafetyGroup, contracts: int) -> GroupOutcome:
        self.calls.append((self.loop.time(), f"limit {group.group_id} {contracts}"))
        return Done()

    async def cancel_everything(self) -> GroupOutcome:
        self.calls.append((self.loop.time(), "cancel everything"))
        await asyncio.sleep(self.faults.request_s)
        for order in self.placed.values():
            if order.open:
                order.open, order.ended = 0, "Decrease"
                self._tell(order)
        return Done()

    # --- reads ---------------------------------------------------------------------------------

    async def order(self, order_id: str) -> OrderReport | Incomplete | None:
        known = self.placed.get(order_id)
        return await self._read(lambda: self._report(known) if known is not None else None)

    async def orders(
        self, *, ticker: str | None = None, status: ReportStatus | None = None, since_ms: int | None = None
    ) -> tuple[OrderReport, ...] | Incomplete:
        def found() -> tuple[OrderReport, ...]:
            return tuple(
                self._report(o)
                for o in self.placed.values()
                if (ticker is None or o.intent.ticker == ticker)
                and (status is None or o.status is status)
                and self.loop.time() >= o.visible_at
            )

        return await self._read(found)

    async def queue_ahead(self, tickers: Sequence[str]) -> dict[str, Quantity] | Incomplete:
        resting = [o for o in self.placed.values() if o.open and o.intent.ticker in tickers]
        return await self._read(
            lambda: {o.order_id: self.ahead.get(o.order_id, Quantity(0)) for o in resting}
        )

    async def fills(self, *, since_ms: int | None = None) -> tuple[Fill, ...] | Incomplete:
        return await self._read(
            lambda: tuple(f for f in self.executed if since_ms is None or f.at_ms >= since_ms)
        )

    async def trades(self, *, since_ms: int | None = None) -> tuple[TradeReport, ...] | Incomplete:
        return await self._read(lambda: tuple(TradeReport(t, s, 0) for t, s in self.stages.items()))

    async def redeemable(self) -> tuple[Redeemable, ...] | Incomplete:
        return await self._read(lambda: tuple(self.payouts))

    async def lists_as_of_ms(self) -> int | Incomplete | None:
        return await self._read(lambda: self.clock.wall_ms() - self.faults.lists_lag_ms)

    async def positions(self) -> tuple[PositionReport, ...] | Incomplete:
        def listed() -> tuple[PositionReport, ...]:
            counts = {ticker: net - self._open(ticker) for ticker, net in self.net.items()}
            counts |= {ticker: counts.get(ticker, 0) for ticker in self.paired}
            return tuple(
                PositionReport(t, Quantity(n), Quantity(self.paired.get(t, 0)), self.page)
                for t, n in counts.items()
                if n or t in self.paired
            )

        return await self._read(listed)

    async def settlements(self, *, since_ms: int | None = None) -> tuple[SettlementReport, ...] | Incomplete:
        return await self._read(lambda: tuple(self.settled))

    async def maintenance(self) -> tuple[Maintenance, ...] | Incomplete:
        return await self._read(lambda: ())

    async def ask_published(self, source: str) -> None:
        self.listener.on_publication_list(source, self.publishes)

    async def cash(self) -> Cash | Incomplete:
        return await self._read(lambda: Cash(Money(self.cash_now + self._moved()), self.cash_parts))

    def _open(self, ticker: str) -> int:
        """Contracts that lists leave out because their trade can still be undone."""
        return sum(f.side.sign * f.quantity for f in self._unlisted() if f.ticker == ticker)

    def _moved(self) -> int:
        """Money those trades took, all of them taken for opens of YES."""
        return sum(f.price * f.quantity // 10_000 + f.fee for f in self._unlisted())

    def _unlisted(self) -> list[Fill]:
        return [f for f in self.executed if self.settled_only and not f.final]

    async def book_now(self, ticker: str) -> Book | Incomplete:
        self.calls.append((self.loop.time(), f"book {ticker}"))
        return await self._read(lambda: self.books[ticker].book)

    async def last_price(self, ticker: str) -> Price | Incomplete | None:
        paid = [fill.price for fill in self.executed if fill.ticker == ticker]
        return await self._read(lambda: paid[-1] if paid else None)

    async def exchange_state(self) -> ExchangeState | Incomplete:
        return await self._read(lambda: ExchangeState(True, self.trading, shards=self.shards, mode=self.mode))

    async def _read(self, answer):  # type: ignore[no-untyped-def]
        await asyncio.sleep(0.01)
        if self.faults.hanging_reads:
            await asyncio.Event().wait()
        if self.faults.broken_reads:
            return Incomplete("read", "broken")
        return answer()

    def clock_offset_ms(self) -> int | None:
        return 0

    def entry_budget(self, cancels: int, shard: int) -> bool:
        return True

    def levels(self) -> tuple[Level, ...]:
        return (Level(Kind.WRITE, 0, 80.0, Capacity(100, 100), 0.7, 0),)


def strange(order: Resting) -> Resting:
    """An order that our journal knows nothing of."""
    intent = msgspec.structs.replace(order.intent, client_order_id=f"hand-{order.order_id}", group_id="")
    return Resting(order.order_id, intent, order.arrived_ms, order.filled, order.open)
