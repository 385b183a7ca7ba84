"""Kalshi as a ``VenueGateway``: the calls the engine makes, put together from REST and stream."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from core.config.paths import Environment
from core.domain.book import Book
from core.domain.clock import Clocks
from core.domain.market import Market, TickGrid
from core.domain.order import Fill, OrderIntent, Purpose
from core.domain.text import clean_text
from core.domain.units import Price, Quantity, quantity_text
from core.venues.exchange import Cash, ExchangeState, Maintenance
from core.venues.http import TransportFactory, network_transport
from core.venues.kalshi import endpoints as ep
from core.venues.kalshi import exchange, limits
from core.venues.kalshi.account import Account
from core.venues.kalshi.cancels import CancelEntry, Cancels
from core.venues.kalshi.channel import DESK, LIFECYCLE, TRADES, published
from core.venues.kalshi.depths import read_on_grid
from core.venues.kalshi.facts import (
    BookChanged,
    Denied,
    Fact,
    FeesChanged,
    FillSeen,
    GiveUp,
    GroupSeen,
    KeyRefused,
    Listed,
    MarketEvent,
    Missed,
    Oddity,
    OrderSeen,
    PositionSeen,
    PrivateReady,
    PublicationSeen,
    TickerSeen,
    TradeSeen,
    ValueSeen,
)
from core.venues.kalshi.groups import REFUSED_BY_GROUP, OrderGroups
from core.venues.kalshi.hosts import Addresses, check_addresses
from core.venues.kalshi.http import KalshiHttp
from core.venues.kalshi.listing import Listing
from core.venues.kalshi.orders import Decrease, Orders, create_order, renewal
from core.venues.kalshi.publications import FAST, PUBLISHED
from core.venues.kalshi.session import Session
from core.venues.kalshi.sign import Signer
from core.venues.kalshi.stream import StreamState
from core.venues.kalshi.tape import Trade, read_last_price
from core.venues.kalshi.traits import TRAITS
from core.venues.limiter import Capacity, Kind, Level, Limiter, Priority
from core.venues.reader import Reader
from core.venues.socket import SocketFactory, open_socket
from core.venues.traits import Beat
from core.venues.venue import (
    UNSEALED,
    Accepted,
    BookView,
    Cancelled,
    CancelOutcome,
    GroupChange,
    GroupOutcome,
    Incomplete,
    LastCheck,
    Link,
    LinkState,
    NotThere,
    OrderReport,
    PlaceOutcome,
    PositionReport,
    Print,
    Redeemable,
    ReduceOutcome,
    Rejected,
    RenewOutcome,
    ReportStatus,
    SafetyGroup,
    Sealed,
    SettlementReport,
    TradeReport,
    VenueListener,
)

if TYPE_CHECKING:
    import random

WARM_S: Final = 10.0
"""Below the 20 s after which an idle connection is replaced."""

_limits = msgspec.json.Decoder(limits.LimitsWire)
_costs = msgspec.json.Decoder(limits.CostsWire)


class KalshiConfig(msgspec.Struct, frozen=True):
    """Where the account is reached. The signer holds the key and shows nothing of it."""

    addresses: Addresses
    environment: Environment
    signer: Signer
    subaccount: int = 0
    """The one the key is locked to, or else the primary."""
    publishes: Mapping[str, Sequence[str]] = {}
    """Names wanted of what the venue publishes beside its markets, by publication."""


def connect(
    config: KalshiConfig,
    *,
    clocks: Clocks,
    rng: random.Random,
    listener: VenueListener,
    http_factory: TransportFactory = network_transport,
    ws_factory: SocketFactory = open_socket,
) -> KalshiVenue:
    """Build the client; nothing is sent before ``run`` or a call. Raises ``VenueAddressError``."""
    check_addresses(config.addresses, config.environment)
    return KalshiVenue(config, clocks, rng, listener, http_factory, ws_factory)


class KalshiVenue:
    """See ``VenueGateway``. Built by ``connect``."""

    def __init__(
        self,
        config: KalshiConfig,
        clocks: Clocks,
        rng: random.Random,
        listener: VenueListener,
        http_factory: TransportFactory,
        ws_factory: SocketFactory,
    ) -> None:
        self._clocks, self._listener = clocks, listener
        self._limiter = Limiter(clocks, on_report=listener.on_limiter, on_storm=listener.on_storm)
        self._http = KalshiHttp(
            config.addresses.rest,
            config.signer,
            clocks=clocks,
            limiter=self._limiter,
            rng=rng,
            transports=http_factory,
            on_anomaly=self._anomaly,
            on_credential=listener.on_credential,
            subaccount=config.subaccount,
        )
        self._orders, self._cancels = Orders(self._http), Cancels(self._http)
        self._groups = OrderGroups(self._http)
        self._reader = Reader(self._http, self._anomaly)
        self._account = Account(self._reader)
        self._state = StreamState((*DESK, *published(config.publishes)), config.subaccount)
        self._listing = Listing(self._reader, listener, self._anomaly, self._regrid, self._state.unwatch)
        self._session = Session(
            config.addresses.ws,
            config.signer,
            self._state,
            clocks=clocks,
            rng=rng,
            sockets=ws_factory,
            deliver=self._deliver,
            on_link=self._relink,
        )
        self._resting: set[str] = set()
        """Orders that may be open, for the tokens their cancel would need."""
        self.books: Mapping[str, BookView] = self._state.books
        self.volumes: Mapping[str, Quantity] = self._listing.catalog.volumes
        self.link = Link(LinkState.CONNECTING, 0)
        self.traits = TRAITS
        self.beat: Beat | None = None

    # --- life -------------------------------------------------------------------------------------

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._session.run(), name="kalshi stream")
            tasks.create_task(self._listing.run(), name="kalshi markets")
            tasks.create_task(self._keep_ready(), name="kalshi limits and cancel connection")

    async def close(self) -> None:
        await self._http.close()

    async def _keep_ready(self) -> None:
        """Open the cancels' connections first, learn the account's limits, then keep them open."""
        learnt = False
        while True:
            # A stop triggers the group of entries on each shard and cancels by id beside them.
            await self._cancels.warm(len(self._shards()) + 1)
            learnt = learnt or await self._learn_limits()
            await asyncio.sleep(WARM_S)

    async def _learn_limits(self) -> bool:
        found = await self._reader.value(ep.LIMITS, "account limits", Priority.RECONCILE, _limits)
        costs = await self._reader.value(ep.COSTS, "endpoint costs", Priority.RECONCILE, _costs)
        for missing in (found, costs):
            if isinstance(missing, Incomplete):
                self._anomaly("limits", f"{missing.what}: {missing.reason}")
        if isinstance(found, Incomplete) or isinstance(costs, Incomplete):
            return False
        self._http.costs.load(costs)
        for kind, bucket in ((Kind.READ, found.read), (Kind.WRITE, found.write)):
            self._limiter.resize(kind, Capacity(bucket.refill_rate, bucket.bucket_capacity))
        return True

    def _anomaly(self, what: str, detail: str) -> None:
        self._listener.on_anomaly(what, clean_text(detail))

    # --- stream -----------------------------------------------------------------------------------

    def _relink(self, link: Link) -> None:
        before, self.link = self.link, link
        if (before.state, before.detail, before.retry_at_ns) != (link.state, link.detail, link.retry_at_ns):
            self._listener.on_link(link)

    def _regrid(self, ticker: str, grid: TickGrid) -> None:
        self._state.regrid(ticker, grid, self._clocks.mono_ns())
        self._listener.on_book(ticker)

    def _deliver(self, fact: Fact) -> None:
        match fact:
            case BookChanged():
                self._listener.on_book(fact.ticker)
            case FillSeen():
                self._listener.on_fill(fact.fill, fact.client_order_id)
                if fact.net is not None:
                    report = PositionReport(fact.fill.ticker, fact.net)
                    self._listener.on_position(report, fact.fill.trade_id)
            case PositionSeen():
                self._listener.on_position(fact.report, "")
            case OrderSeen():
                if fact.report.status is ReportStatus.RESTING:
                    self._resting.add(fact.report.order_id)
                else:
                    self._resting.discard(fact.report.order_id)
                self._listener.on_order(fact.report)
            case MarketEvent():
                self._listing.on_event(fact.body)
            case FeesChanged():
                self._listing.on_fees(fact.body, self._clocks.world_ms())
            case GroupSeen():
                self._listener.on_group(fact.group_id, fact.change)
            case PrivateReady():
                self._listener.on_reconnect()
            case Missed() if fact.channel == LIFECYCLE:
                self._listing.on_missed()
            case Missed() if fact.channel in PUBLISHED or fact.channel == TRADES:
                pass  # what is missing grows stale by itself
            case Missed():
                self._listener.on_reconnect()
            case Oddity():
                self._anomaly(fact.what, fact.detail)
            case KeyRefused():
                self._listener.on_credential(fact.reason)
            case PublicationSeen():
                self._listener.on_publication(PUBLISHED[fact.channel], fact.channel, fact.frame)
            case ValueSeen():
                self._listener.on_published(fact.value)
            case Listed():
                self._listener.on_publication_list(PUBLISHED[fact.channel], fact.names)
            case Denied() if fact.channel == FAST:  # the channel of seconds tells of the same
                self._anomaly("no values between seconds", f"{fact.channel}: {fact.reason}")
            case Denied():
                self._listener.on_unpublished(PUBLISHED[fact.channel], fact.reason)
            case TradeSeen():
                self._print(fact.trade)
            case TickerSeen():
                pass  # the desk asks for none of these
            case GiveUp():
                self._anomaly("stream", fact.reason)

    def _print(self, trade: Trade) -> None:
        """Blocks are agreed outside the book and say nothing about it."""
        if not trade.block:
            self._listener.on_print(
                Print(trade.ticker, trade.price, trade.quantity, trade.taker, trade.at_ms)
            )

    async def ask_published(self, source: str) -> None:
        self._state.ask(source, self._clocks.mono_ns())
        await self._session.flush()

    async def subscribe(self, tickers: Sequence[str]) -> None:
        known: list[tuple[str, TickGrid]] = []
        for ticker in tickers:
            market = self._listing.catalog.markets.get(ticker)
            if market is None:
                self._anomaly("subscribe", f"{ticker} is not a listed market")
            else:
                known.append((ticker, market.grid))
        self._state.watch(known, self._clocks.mono_ns())
        await self._session.flush()

    # --- orders -----------------------------------------------------------------------------------

    def seal(self, intent: OrderIntent) -> Sealed | Rejected:
        """Nothing is signed beforehand and the venue gives the id: the body is made from the intent."""
        return UNSEALED

    async def place(self, intent: OrderIntent, sealed: Sealed, last_check: LastCheck) -> PlaceOutcome:
        if intent.reduce_only:
            priority = Priority.FLATTEN
        else:
            priority = Priority.EXIT if intent.purpose is Purpose.CLOSE else Priority.ENTRY
        shard = self._listing.catalog.shard(intent.ticker)
        cancels_cost = self._cancels_cost(len(self._resting) + 1)
        outcome = await self._orders.place(create_order(intent, shard), last_check, priority, cancels_cost)
        if isinstance(outcome, Accepted) and outcome.remaining:
            self._resting.add(outcome.order_id)
        if isinstance(outcome, Rejected) and outcome.code.lower() in REFUSED_BY_GROUP:
            self._listener.on_group(intent.group_id, GroupChange.REFUSING)
        return outcome

    async def renew(
        self,
        order_id: str,
        intent: OrderIntent,
        quantity: Quantity,
        expires_ms: int,
        last_check: LastCheck,
    ) -> RenewOutcome:
        change = renewal(intent, quantity, expires_ms, self._listing.catalog.shard(intent.ticker))
        return await self._orders.renew(
            order_id, change, last_check, self._cancels_cost(len(self._resting) + 1)
        )

    async def reduce(self, order_id: str, ticker: str, by: Quantity, last_check: LastCheck) -> ReduceOutcome:
        change = Decrease(quantity_text(by), ticker, self._listing.catalog.shard(ticker))
        return await self._orders.reduce(order_id, change, last_check)

    async def cancel(self, orders: Sequence[tuple[str, str]]) -> tuple[CancelOutcome, ...]:
        shard = self._listing.catalog.shard
        outcomes = await self._cancels.cancel([CancelEntry(i, t, shard(t)) for i, t in orders])
        self._resting.difference_update(o.order_id for o in outcomes if isinstance(o, Cancelled | NotThere))
        return outcomes

    def entry_budget(self, cancels: int, shard: int) -> bool:
        return self._limiter.entry_free(self._orders.cost, self._cancels_cost(cancels + 1), shard)

    def levels(self) -> tuple[Level, ...]:
        return self._limiter.levels()

    def _cancels_cost(self, count: int) -> float:
        return self._http.costs.of(ep.BATCH_CANCEL) * count

    # --- the safety net ---------------------------------------------------------------------------

    async def arm_groups(
        self, contracts: Mapping[Purpose, int], known: Sequence[SafetyGroup]
    ) -> tuple[SafetyGroup, ...] | Incomplete:
        return await self._groups.arm(self._shards(), contracts, known)

    def _shards(self) -> set[int]:
        return {market.shard or 0 for market in self._listing.catalog.markets.values()}

    def part_of(self, ticker: str) -> str:
        return str(self._listing.catalog.shard(ticker) or 0)

    async def trigger_group(self, group: SafetyGroup) -> GroupOutcome:
        return await self._cancels.trigger(group.group_id, int(group.part))

    async def reset_group(self, group: SafetyGroup) -> GroupOutcome:
        return await self._groups.reset(group)

    async def limit_group(self, group: SafetyGroup, contracts: int) -> GroupOutcome:
        return await self._groups.limit(group, contracts)

    async def cancel_everything(self) -> GroupOutcome:
        return await self._cancels.everything()

    # --- reads ------------------------------------------------------------------------------------

    async def markets(self, series: Sequence[str]) -> tuple[Market, ...] | Incomplete:
        return await self._listing.markets(series)

    async def market(self, ticker: str) -> Market | Incomplete:
        return await self._listing.market(ticker)

    async def order(self, order_id: str) -> OrderReport | Incomplete | None:
        return await self._account.order(order_id)

    async def orders(
        self, *, ticker: str | None = None, status: ReportStatus | None = None, since_ms: int | None = None
    ) -> tuple[OrderReport, ...] | Incomplete:
        known = set(self._resting)
        reports = await self._account.orders(ticker, status, since_ms)
        if not isinstance(reports, Incomplete):
            resting = {report.order_id for report in reports if report.status is ReportStatus.RESTING}
            if ticker is None and since_ms is None and status in (None, ReportStatus.RESTING):
                # All there are: what ended unheard, as during a reconnect, must not hold tokens for ever.
                self._resting -= known - resting
            self._resting |= resting
        return reports

    async def queue_ahead(self, tickers: Sequence[str]) -> Mapping[str, Quantity] | Incomplete:
        return await self._account.queue_ahead(tickers)

    async def fills(self, *, since_ms: int | None = None) -> tuple[Fill, ...] | Incomplete:
        return await self._account.fills(since_ms)

    async def trades(self, *, since_ms: int | None = None) -> tuple[TradeReport, ...] | Incomplete:
        return ()

    async def lists_as_of_ms(self) -> int | Incomplete | None:
        return await exchange.read_data_as_of_ms(self._reader)

    async def positions(self) -> tuple[PositionReport, ...] | Incomplete:
        return await self._account.positions()

    async def redeemable(self) -> tuple[Redeemable, ...] | Incomplete:
        return ()

    async def settlements(self, *, since_ms: int | None = None) -> tuple[SettlementReport, ...] | Incomplete:
        return await self._account.settlements(since_ms)

    async def cash(self) -> Cash | Incomplete:
        return await self._account.cash()

    async def book_now(self, ticker: str) -> Book | Incomplete:
        known = self._listing.catalog.markets.get(ticker)
        if known is None:
            return Incomplete(f"book of {ticker}", "the market is not known")
        return await read_on_grid(self._reader, ticker, known.grid)

    async def last_price(self, ticker: str) -> Price | Incomplete | None:
        return await read_last_price(self._reader, ticker)

    async def exchange_state(self) -> ExchangeState | Incomplete:
        return await exchange.read_state(self._reader)

    async def maintenance(self) -> tuple[Maintenance, ...] | Incomplete:
        schedule = await exchange.read_schedule(self._reader)
        if isinstance(schedule, Incomplete):
            return schedule
        now_ms = self._clocks.world_ms()
        return tuple(window for window in schedule.maintenance if window.end_ms > now_ms)

    def clock_offset_ms(self) -> int | None:
        return self._http.clock_offset_ms()
