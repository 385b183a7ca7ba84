"""Polymarket as a ``VenueGateway``: the calls the engine makes, put together from REST and streams.

The venue knows no client order ids, groups, renewals or reduce-only orders: an order is known by the hash it
was sealed with, and the heartbeat is what ends resting orders when the engine is silent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from core.config.paths import Environment
from core.domain.book import Book
from core.domain.clock import Clocks
from core.domain.market import Market
from core.domain.order import Fill, OrderIntent, Purpose
from core.domain.text import clean_text
from core.domain.units import Price, Quantity
from core.venues.exchange import Cash, ExchangeState, Maintenance
from core.venues.http import TransportFactory, network_transport
from core.venues.limiter import Level, Limiter, Priority
from core.venues.polymarket.account import DOLLARS
from core.venues.polymarket.cancels import Cancels
from core.venues.polymarket.errors import Meaning, Refusal
from core.venues.polymarket.heartbeat import PATH, Heartbeat
from core.venues.polymarket.hosts import Addresses, check_addresses
from core.venues.polymarket.http import ClobHttp
from core.venues.polymarket.l2 import Credentials, RequestSigner
from core.venues.polymarket.limits import CAPACITIES
from core.venues.polymarket.market_side import MarketSide
from core.venues.polymarket.modes import Modes
from core.venues.polymarket.orders import Orders
from core.venues.polymarket.private_side import PrivateSide
from core.venues.polymarket.reports import Owner
from core.venues.polymarket.seal import Sealer
from core.venues.polymarket.sign import SALT_BITS, OrderSigner
from core.venues.polymarket.streams import ASSETS_MAX
from core.venues.polymarket.traits import TRAITS
from core.venues.socket import SocketFactory, open_socket
from core.venues.traits import Beat
from core.venues.venue import (
    Accepted,
    BookView,
    CancelOutcome,
    CancelUnresolved,
    GroupOutcome,
    Incomplete,
    LastCheck,
    Link,
    LinkState,
    NotReduced,
    NotRenewed,
    OrderReport,
    PlaceOutcome,
    PositionReport,
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

    from core.venues.venue import VenueGateway

ENGINE_VERSION: Final = 2
"""Of the matching engine this client speaks with."""
TEND_S: Final = 1.0
WARM_S: Final = 10.0
"""Below the 20 s after which an idle connection is replaced."""
CANCEL_CONNECTIONS: Final = 2
VERSION_MISMATCH: Final = "version_mismatch"
"""A refusal that is about one market's generation, not about our key."""
_NO_GROUPS: Final = Rejected("no_groups", "this venue has no order groups")


class PolymarketConfig(msgspec.Struct, frozen=True):
    """Where and for whom. Signer and credentials hold the secrets and show nothing of them."""

    addresses: Addresses
    environment: Environment
    signer: OrderSigner
    credentials: Credentials
    heartbeat: bool = True
    """Whether to arm the dead-man switch. Once armed there is no way back while orders rest."""
    heartbeat_path: str = PATH
    assets_max: int = ASSETS_MAX


def connect(
    config: PolymarketConfig,
    *,
    clocks: Clocks,
    rng: random.Random,
    listener: VenueListener,
    http_factory: TransportFactory = network_transport,
    ws_factory: SocketFactory = open_socket,
) -> VenueGateway:
    """Build the client; nothing is sent before ``run`` or a call. Raises ``VenueAddressError``."""
    check_addresses(config.addresses, config.environment)
    return PolymarketVenue(config, clocks, rng, listener, http_factory, ws_factory)


class PolymarketVenue:
    """See ``VenueGateway``. Built by ``connect``."""

    def __init__(
        self,
        config: PolymarketConfig,
        clocks: Clocks,
        rng: random.Random,
        listener: VenueListener,
        http_factory: TransportFactory,
        ws_factory: SocketFactory,
    ) -> None:
        self._clocks, self._listener = clocks, listener
        self._limiter = Limiter(clocks, CAPACITIES, on_report=listener.on_limiter, on_storm=listener.on_storm)
        self._http = ClobHttp(
            config.addresses.clob,
            RequestSigner(config.credentials),
            clocks=clocks,
            limiter=self._limiter,
            rng=rng,
            transports=http_factory,
            on_anomaly=self._anomaly,
            on_credential=listener.on_credential,
        )
        self._public = MarketSide(
            config.addresses,
            listener,
            clocks=clocks,
            limiter=self._limiter,
            rng=rng,
            transports=http_factory,
            sockets=ws_factory,
            on_anomaly=self._anomaly,
            assets_max=config.assets_max,
        )
        owner = Owner(config.credentials.api_key, config.signer.account.funder)
        self._sealer = Sealer(config.signer, owner.api_key, lambda: rng.getrandbits(SALT_BITS))
        self._modes = Modes(clocks)
        self._cancels = Cancels(self._http)
        self._orders = Orders(self._http, self._cancels, self._refused)
        self._heart = Heartbeat(self._http, listener.fit, listener.on_reconnect, config.heartbeat_path)
        self._beats = config.heartbeat
        self._private = PrivateSide(
            config.addresses.ws_user,
            self._http,
            self._public,
            config.credentials,
            owner,
            config.signer.account.signature_type,
            listener,
            clocks=clocks,
            rng=rng,
            sockets=ws_factory,
            on_anomaly=self._anomaly,
            on_change=self._relink,
        )
        self._account = self._private.account
        self.traits = TRAITS
        self.books: Mapping[str, BookView] = self._public.views
        self.volumes: Mapping[str, Quantity] = self._public.catalog.volumes
        self.link = Link(LinkState.CONNECTING, 0)

    @property
    def beat(self) -> Beat | None:
        return self._heart.beat

    # --- life -------------------------------------------------------------------------------------

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._private.user.run(), name="polymarket user channel")
            for name, task in self._public.tasks().items():
                tasks.create_task(task, name=name)
            tasks.create_task(self._tend(), name="polymarket housekeeping")
            tasks.create_task(self._keep_ready(), name="polymarket cancel connections")
            tasks.create_task(self._orders.run(), name="polymarket immediate orders")
            tasks.create_task(self._watch_link(), name="polymarket link")
            if self._beats:
                tasks.create_task(self._heart.run(), name="polymarket heartbeat")

    async def close(self) -> None:
        await self._http.close()
        await self._public.close()

    async def _tend(self) -> None:
        while True:
            await self._public.tend()
            await self._private.tend()
            await asyncio.sleep(TEND_S)

    async def _keep_ready(self) -> None:
        """Keep the cancels' connections open, and learn once whether the account may open anything."""
        learnt = False
        while True:
            await self._cancels.warm(CANCEL_CONNECTIONS)
            learnt = learnt or await self._learn_standing()
            await asyncio.sleep(WARM_S)

    async def _learn_standing(self) -> bool:
        standing = await self._account.closed_only()
        if isinstance(standing, Incomplete):
            self._anomaly("account", f"{standing.what}: {standing.reason}")
            return False
        if standing:
            self._listener.on_storm("the venue lets this account only reduce (closed-only)")
        return True

    async def _watch_link(self) -> None:
        while True:
            self.link = msgspec.structs.replace(self.link, lag_ms=self._public.lags.worst())
            self._relink()
            await asyncio.sleep(TEND_S)

    def _relink(self) -> None:
        """The link is as good as the user channel and at least one connection of the market channel."""
        streams, user = self._public.streams, self._private.user
        beats = [user.heartbeat_ns, *([] if streams.idle else [streams.heartbeat_ns])]
        working = [beat for beat in beats if beat is not None]
        before = self.link
        if len(working) == len(beats):
            after = Link(LinkState.OK, min(working), lag_ms=before.lag_ms)
        else:
            missing = user.detail if user.heartbeat_ns is None else streams.detail
            connecting = missing == "connecting"
            state = LinkState.CONNECTING if connecting else LinkState.DOWN
            after = Link(state, before.heartbeat_ns, missing, user.retry_at_ns)
        self.link = after
        if (before.state, before.detail, before.retry_at_ns) != (
            after.state,
            after.detail,
            after.retry_at_ns,
        ):
            self._listener.on_link(after)

    def _anomaly(self, what: str, detail: str) -> None:
        self._listener.on_anomaly(what, clean_text(detail))

    async def subscribe(self, tickers: Sequence[str]) -> None:
        await self._public.watch(tickers)

    # --- orders -----------------------------------------------------------------------------------

    def seal(self, intent: OrderIntent) -> Sealed | Rejected:
        terms = self._public.catalog.terms.get(intent.ticker)
        if terms is None:
            return Rejected("unknown_market", f"{intent.ticker} is no market this client trades")
        return self._sealer.seal(intent, terms)

    async def place(self, intent: OrderIntent, sealed: Sealed, last_check: LastCheck) -> PlaceOutcome:
        if intent.reduce_only:
            priority = Priority.FLATTEN
        else:
            priority = Priority.EXIT if intent.purpose is Purpose.CLOSE else Priority.ENTRY
        self._public.traded([intent.ticker])
        outcome = await self._orders.place(intent, sealed, last_check, priority)
        if isinstance(outcome, Accepted):
            self._modes.accepted(post_only=intent.post_only)
            if outcome.remaining:
                self._private.resting.add(outcome.order_id)
        return outcome

    def _refused(self, ticker: str, said: Refusal) -> None:
        """What a refusal says beyond the order it refused."""
        if self._modes.refused(said):
            self._anomaly("exchange", str(said))
            return
        match said.meaning:
            case Meaning.STALE_TICK:
                self._public.confirm_soon(ticker)
            case Meaning.FUNDS:
                terms = self._public.catalog.terms.get(ticker)
                if terms is not None:
                    self._account.fresh |= {terms.tokens.yes, terms.tokens.no, DOLLARS}
            case Meaning.CONFIG if said.code == VERSION_MISMATCH:
                self._public.listing.refuse(ticker, str(said))
            case Meaning.CONFIG:
                self._listener.on_credential(f"the venue takes no order of ours: {said}")
            case Meaning.ACCOUNT:
                self._listener.on_storm(f"the venue restricts this account: {said}")
            case Meaning.EDGE:
                self._public.ask_where_soon()
                self._listener.on_storm(f"the venue's edge lets no order through: {said}")
            case _:
                pass

    async def renew(
        self,
        order_id: str,
        intent: OrderIntent,
        quantity: Quantity,
        expires_ms: int,
        last_check: LastCheck,
    ) -> RenewOutcome:
        return NotRenewed(order_id, "the venue moves no order's end")

    async def reduce(self, order_id: str, ticker: str, by: Quantity, last_check: LastCheck) -> ReduceOutcome:
        return NotReduced(order_id, "the venue changes no order's size")

    async def cancel(self, orders: Sequence[tuple[str, str]]) -> tuple[CancelOutcome, ...]:
        outcomes = await self._cancels.cancel([order_id for order_id, _ in orders])
        sure = {o.order_id for o in outcomes if not isinstance(o, CancelUnresolved)}
        self._private.resting -= sure
        return outcomes

    def entry_budget(self, cancels: int, shard: int) -> bool:
        return self._limiter.entry_free(1.0, float(max(cancels, len(self._private.resting)) + 1))

    def levels(self) -> tuple[Level, ...]:
        return self._limiter.levels()

    # --- the safety net: the heartbeat, and the cancel of everything ------------------------------

    async def arm_groups(
        self, contracts: Mapping[Purpose, int], known: Sequence[SafetyGroup]
    ) -> tuple[SafetyGroup, ...] | Incomplete:
        return ()

    def part_of(self, ticker: str) -> str:
        return ""

    async def trigger_group(self, group: SafetyGroup) -> GroupOutcome:
        return _NO_GROUPS

    async def reset_group(self, group: SafetyGroup) -> GroupOutcome:
        return _NO_GROUPS

    async def limit_group(self, group: SafetyGroup, contracts: int) -> GroupOutcome:
        return _NO_GROUPS

    async def cancel_everything(self) -> GroupOutcome:
        return await self._cancels.everything()

    # --- reads ------------------------------------------------------------------------------------

    async def markets(self, series: Sequence[str]) -> tuple[Market, ...] | Incomplete:
        return await self._public.listing.markets(series)

    async def market(self, ticker: str) -> Market | Incomplete:
        return await self._public.listing.market(ticker)

    async def order(self, order_id: str) -> OrderReport | Incomplete | None:
        return await self._account.order(order_id)

    async def orders(
        self, *, ticker: str | None = None, status: ReportStatus | None = None, since_ms: int | None = None
    ) -> tuple[OrderReport, ...] | Incomplete:
        """Open orders: the venue lists no others, so absence here does not prove an end."""
        return await self._private.orders(ticker, status)

    async def queue_ahead(self, tickers: Sequence[str]) -> Mapping[str, Quantity] | Incomplete:
        return {}

    async def fills(self, *, since_ms: int | None = None) -> tuple[Fill, ...] | Incomplete:
        return await self._account.fills(since_ms)

    async def trades(self, *, since_ms: int | None = None) -> tuple[TradeReport, ...] | Incomplete:
        return await self._account.trades(since_ms)

    async def positions(self) -> tuple[PositionReport, ...] | Incomplete:
        found = await self._account.positions()
        if not isinstance(found, Incomplete):
            self._public.traded(report.ticker for report in found)
        return found

    async def lists_as_of_ms(self) -> int | Incomplete | None:
        return None

    async def redeemable(self) -> tuple[Redeemable, ...] | Incomplete:
        return await self._account.redeemable()

    async def settlements(self, *, since_ms: int | None = None) -> tuple[SettlementReport, ...] | Incomplete:
        tokens = await self._account.tokens()
        if isinstance(tokens, Incomplete):
            return tokens
        paid = await self._public.listing.settled(tokens)
        if isinstance(paid, Incomplete):
            return paid
        return tuple(report for report in paid if since_ms is None or report.at_ms >= since_ms)

    async def cash(self) -> Cash | Incomplete:
        return await self._account.cash()

    async def book_now(self, ticker: str) -> Book | Incomplete:
        return await self._public.book_now(ticker)

    async def last_price(self, ticker: str) -> Price | Incomplete | None:
        return await self._public.last_price(ticker)

    async def exchange_state(self) -> ExchangeState | Incomplete:
        version = await self._public.engine_version()
        if isinstance(version, Incomplete):
            return version
        if version != ENGINE_VERSION:
            words = f"its engine speaks version {version}, this client {ENGINE_VERSION}"
            return ExchangeState(exchange_active=True, trading_active=False, mode=words)
        return self._modes.state()

    async def maintenance(self) -> tuple[Maintenance, ...] | Incomplete:
        return ()

    async def ask_published(self, source: str) -> None:
        """It publishes nothing beside its markets."""

    def clock_offset_ms(self) -> int | None:
        return self._http.clock_offset_ms()
