"""The whole client against SIM's Polymarket in memory, on virtual time: no socket, no port, no waiting."""

from __future__ import annotations

import asyncio
import contextlib
import random
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from core.config.paths import Environment
from core.domain.clock import Clocks
from core.domain.market import Market
from core.domain.order import BookSide, OrderIntent, Purpose, TimeInForce
from core.domain.units import Money, Price, Quantity, contracts, parse_money
from core.sim.polymarket import chain
from core.sim.polymarket.call import Venue
from core.sim.polymarket.contracts import EventSpec, MarketSpec, Version
from core.sim.polymarket.desk import ConnectionCutError, Desk
from core.sim.polymarket.exchange import Exchange
from core.sim.polymarket.keys import KeyRegistry, Login
from core.sim.polymarket.orders import OrderRequest, OrderType, Side
from core.sim.polymarket.rest import Request, Rest
from core.sim.polymarket.stream import Channel, Connection, Stream
from core.sim.polymarket.typed_data import SignatureType as SimKind
from core.sim.polymarket.wallets import Wallet
from core.venues.http import LAST_STEP
from core.venues.polymarket.hosts import Addresses
from core.venues.polymarket.l2 import Credentials
from core.venues.polymarket.sign import OwnSigner, WalletKey
from core.venues.polymarket.venue import PolymarketConfig, PolymarketVenue, connect
from core.venues.polymarket.wallets import Account, SignatureType
from core.venues.socket import SocketError
from core.venues.venue import LinkState, PlaceOutcome, Rejected
from tests.venues.conftest import START_MS, Recorder

DAY_MS = 86_400_000
EVENT, TICKER, RAIN = "highest-temperature-in-nyc-on-november-23", "nyc-high-48-49", "rain-in-nyc"
V2 = "miami-over-80"
HOST = "http://127.0.0.1:9"


def spec(number: int, name: str, question: str, version: Version = Version.V1, **change: Any) -> MarketSpec:
    neg_risk = change.pop("neg_risk", False)
    if version is Version.V2:
        condition = chain.condition_v2(name, number, neg_risk=neg_risk)
        tokens = chain.tokens_v2(condition)
    else:
        condition = chain.condition_v1(name)
        tokens = chain.tokens_v1(condition)
    return MarketSpec(
        number, name, question, f"Resolves by {name}.", condition, tokens, version, neg_risk, START_MS,
        START_MS + DAY_MS, **change,
    )  # fmt: skip


class Transport(httpx.AsyncBaseTransport):
    """SIM's REST without a network; says the step before the first byte as the real one does."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.venue = desk.rest.venue
        self.down = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("down")
        trace = request.extensions.get("trace")
        if trace is not None:
            await trace(LAST_STEP, {})
        headers = {name.decode().lower(): value.decode() for name, value in request.headers.raw}
        path, _, query = request.url.raw_path.decode().partition("?")
        asked = Request(request.method, path, query, headers, request.content)
        try:
            answer = await self._desk.serve(asked)
        except ConnectionCutError:
            raise httpx.RemoteProtocolError("cut") from None
        return httpx.Response(answer.status, content=answer.body, headers=dict(answer.headers))


class Pipe:
    """One socket to SIM's streams."""

    def __init__(self, stream: Stream, channel: Channel) -> None:
        self._stream, self._ready, self._ended = stream, asyncio.Event(), asyncio.Event()
        self._connection = Connection(channel, self._ready.set, self._cut)
        self.frozen = False
        stream.join(self._connection)

    def _cut(self) -> None:
        self._ended.set()
        self._ready.set()

    cut = _cut

    async def recv(self) -> bytes:
        while True:
            if self._ended.is_set():
                raise SocketError("closed")
            if self._connection.queue:
                frame = self._connection.queue.popleft()
                if not self.frozen or frame == "PONG":
                    return frame.encode()
                continue
            self._ready.clear()
            await self._ready.wait()

    async def send(self, data: bytes) -> None:
        self._stream.handle(self._connection, data.decode())

    async def ping(self) -> Awaitable[object]:
        return asyncio.sleep(0)

    async def close(self) -> None:
        self._ended.set()
        self._stream.leave(self._connection)


def empty_venue(clocks: Clocks) -> Transport:
    """SIM without a market or a wallet, for what is only about keys and the account."""
    rng = random.Random(5)
    exchange = Exchange(
        clocks.real, clocks.world,
        lambda: str(uuid.UUID(int=rng.getrandbits(128), version=4)), random.Random(3),
    )  # fmt: skip
    return Transport(Desk(Rest(Venue(exchange, KeyRegistry("seed"), exchange.clock))))


class Pit:
    """SIM with three markets and one client of ours that holds a thousand dollars."""

    def __init__(
        self, clocks: Clocks, kind: SignatureType = SignatureType.EOA, heartbeat: bool = False
    ) -> None:
        rng = random.Random(5)
        self.clocks = clocks
        self.exchange = Exchange(
            clocks.real, clocks.world,
            lambda: str(uuid.UUID(int=rng.getrandbits(128), version=4)), random.Random(3),
        )  # fmt: skip
        self.venue = Venue(self.exchange, KeyRegistry("seed"), self.exchange.clock)
        question = "Will the highest temperature in New York City be between 48-49°F on November 23?"
        self._list(EVENT, spec(1, TICKER, question, neg_risk=True), neg_risk=True)
        self._list("rain", spec(2, RAIN, "Will it rain in New York City?"))
        self._list("miami", spec(3, V2, "Will Miami be over 80?", Version.V2))
        self.desk, self.stream = Desk(Rest(self.venue)), Stream(self.venue)
        self.transport, self.pipes = Transport(self.desk), list[Pipe]()
        self.heard = Recorder()
        key = WalletKey(b"\x11" * 32)
        address = key.address
        self.wallet = self.exchange.open_wallet(address, address, SimKind.EOA, parse_money("1000"))
        made = self.venue.keys.create(Login(address, 0))
        self.key = made.key
        account = Account(address, SignatureType.EOA, address)
        self.config = PolymarketConfig(
            Addresses(
                clob=HOST, gamma=f"{HOST}/gamma", data=f"{HOST}/data-api", site=HOST,
                ws_market="ws://127.0.0.1:9/ws/market", ws_user="ws://127.0.0.1:9/ws/user",
            ),
            Environment.SIM,
            OwnSigner(key, account),
            Credentials(address, made.key, made.secret, made.passphrase),
            heartbeat=heartbeat,
        )  # fmt: skip
        self.client: PolymarketVenue = connect(  # type: ignore[assignment]
            self.config,
            clocks=clocks,
            rng=random.Random(7),
            listener=self.heard,
            http_factory=lambda limits: self.transport,
            ws_factory=self.open,
        )
        self._names = iter(range(10**6))

    def _list(self, slug: str, made: MarketSpec, *, neg_risk: bool = False) -> None:
        self.exchange.list_event(
            EventSpec(100 + made.number, slug, slug, "Rules.", (made,), neg_risk=neg_risk)
        )

    async def open(self, url: str, headers: Mapping[str, str]) -> Pipe:
        if self.transport.down:
            raise SocketError("down")
        pipe = Pipe(self.stream, Channel(urlsplit(url).path))
        self.pipes.append(pipe)
        return pipe

    def member(self, name: str) -> Wallet:
        address = chain.checksum(chain.keccak(name.encode())[12:])
        known = self.exchange.wallets.get(address)
        return known or self.exchange.open_wallet(address, address, SimKind.EOA, parse_money("10000"))

    def others(self, side: str, price: int, shares: int, *, ticker: str = TICKER, outcome: int = 0) -> None:
        """Somebody else's order; sells come out of split pairs."""
        market, wallet = self.market(ticker), self.member("them")
        if side == "SELL":
            self.exchange.split(wallet, market, contracts(shares))
        order_id = "0x" + chain.keccak(f"order {next(self._names)}".encode()).hex()
        token, kind = market.spec.tokens[outcome], OrderType.GTC
        size = contracts(shares)
        request = OrderRequest(
            order_id, "them", wallet.address, token, Side(side), kind, Price(price), size, None, False, 0
        )
        self.exchange.place(request)

    def market(self, ticker: str) -> Any:
        return next(m for m in self.exchange.markets.values() if m.spec.slug == ticker)

    @contextlib.asynccontextmanager
    async def running(self, *tickers: str) -> AsyncIterator[None]:
        """The client at work, with these markets' books live; SIM goes on with time."""
        tasks = [asyncio.create_task(self.client.run()), asyncio.create_task(self._time())]
        try:
            for ticker in tickers:
                found = await self.client.market(ticker)
                assert isinstance(found, Market), found
            await self.client.subscribe(tickers)
            await self.until(
                lambda: (
                    self.client.link.state is LinkState.OK
                    and all(self.client.books[ticker].intact for ticker in tickers)
                )
            )
            yield
        finally:
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
            await self.client.close()
        assert all(isinstance(end, asyncio.CancelledError) for end in ends), ends

    async def _time(self) -> None:
        while True:
            self.exchange.advance()
            await asyncio.sleep(0.05)

    async def until(self, condition: Callable[[], bool], seconds: float = 30.0) -> None:
        """Wait on virtual time, looking twenty times a second."""
        for _ in range(int(seconds * 20)):
            if condition():
                return
            await asyncio.sleep(0.05)
        assert condition()

    def intent(self, side: BookSide, purpose: Purpose, price: int, count: int, **more: Any) -> OrderIntent:
        wall_ms = self.clocks.wall_ms()
        return OrderIntent(
            **{
                "client_order_id": f"pm-{next(self._names)}", "venue": self.client.traits.venue,
                "ticker": TICKER, "side": side, "purpose": purpose, "price": Price(price),
                "quantity": contracts(count), "tif": TimeInForce.GTC, "post_only": False,
                "reduce_only": False, "expires_ms": wall_ms + 600_000, "created_ms": wall_ms,
                "reserved": Money(0), **more,
            }
        )  # fmt: skip

    async def place(
        self, side: BookSide, purpose: Purpose, price: int, count: int, **more: Any
    ) -> PlaceOutcome:
        wanted = self.intent(side, purpose, price, count, **more)
        sealed = self.client.seal(wanted)
        assert not isinstance(sealed, Rejected), sealed
        return await self.client.place(wanted, sealed, lambda: None)

    def held(self, outcome: int = 0, ticker: str = TICKER) -> Quantity:
        return Quantity(self.wallet.balance(self.market(ticker).spec.tokens[outcome]))
