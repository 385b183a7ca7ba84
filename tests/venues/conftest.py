"""Virtual time, a recording listener, and a simulated Kalshi on a loopback port."""

from __future__ import annotations

import asyncio
import contextlib
import random
import selectors
import socket
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from core.config.paths import Environment
from core.domain.clock import Clocks, SystemClock, WorldClock
from core.domain.market import Market
from core.domain.order import Fill
from core.domain.units import parse_money
from core.sim.contracts import EventSpec, MarketSpec, SeriesSpec, Source
from core.sim.exchange import Exchange
from core.sim.faults import Faults
from core.sim.kalshi.app import build_app
from core.sim.kalshi.auth import KeyEntry, KeyRegistry
from core.sim.kalshi.limits import Limiter, Tier
from core.sim.kalshi.server import config as serving
from core.sim.prices import Prices
from core.venues.decisions import LimiterReport
from core.venues.kalshi.hosts import Addresses
from core.venues.kalshi.sign import load_signer
from core.venues.kalshi.venue import KalshiConfig, KalshiVenue, connect
from core.venues.published import Published
from core.venues.venue import (
    GroupChange,
    Link,
    OrderReport,
    PositionReport,
    Print,
    SettlementReport,
    TradeReport,
)

START_MS = 1_795_400_000_000


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose clock jumps to the next timer instead of waiting."""

    def __init__(self) -> None:
        self.elapsed_s = 0.0
        super().__init__(_Jump(self))

    def time(self) -> float:
        return self.elapsed_s


class _Jump(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[Any]:
        assert timeout is not None, "nothing is scheduled: the test waits for ever"
        self._loop.elapsed_s += timeout
        return []


class VirtualClock:
    """Both real clocks on the time of the running loop."""

    def wall_ms(self) -> int:
        return START_MS + self.mono_ns() // 1_000_000

    def mono_ns(self) -> int:
        return int(asyncio.get_running_loop().time() * 1_000_000_000)


@pytest.fixture
def virtual() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Runs a coroutine on virtual time."""

    def run(main: Coroutine[Any, Any, Any]) -> Any:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            return runner.run(main)

    return run


@pytest.fixture
def virtual_clocks() -> Clocks:
    return Clocks(VirtualClock(), WorldClock(START_MS, START_MS))


class Recorder:
    """A ``VenueListener`` that keeps what it hears; ``until`` waits for a condition on it."""

    def __init__(self) -> None:
        self.groups: list[tuple[str, GroupChange]] = []
        self.books: list[str] = []
        self.fills: list[tuple[Fill, str]] = []
        self.prints: list[Print] = []
        self.trades: list[TradeReport] = []
        self.orders: list[OrderReport] = []
        self.markets: list[Market] = []
        self.positions: list[tuple[PositionReport, str]] = []
        self.settlements: list[SettlementReport] = []
        self.publications: list[tuple[str, str, bytes]] = []
        self.publication_lists: list[tuple[str, tuple[str, ...]]] = []
        self.published: list[Published] = []
        self.unpublished: list[tuple[str, str]] = []
        self.links: list[Link] = []
        self.reconnects = 0
        self.regridded: list[str] = []
        self.well = True
        self.limited: list[LimiterReport] = []
        self.storms: list[str] = []
        self.lockouts: list[str] = []
        self.anomalies: list[tuple[str, str]] = []
        self._heard = asyncio.Event()

    async def until(self, condition: Callable[[], bool], seconds: float = 10.0) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                self._heard.clear()
                await self._heard.wait()

    def on_book(self, ticker: str) -> None:
        self.books.append(ticker)
        self._heard.set()

    def on_print(self, seen: Print) -> None:
        self.prints.append(seen)
        self._heard.set()

    def on_fill(self, fill: Fill, client_order_id: str) -> None:
        self.fills.append((fill, client_order_id))
        self._heard.set()

    def on_trade(self, report: TradeReport) -> None:
        self.trades.append(report)
        self._heard.set()

    def on_order(self, report: OrderReport) -> None:
        self.orders.append(report)
        self._heard.set()

    def on_publication(self, source: str, channel: str, frame: bytes) -> None:
        self.publications.append((source, channel, frame))
        self._heard.set()

    def on_published(self, value: Published) -> None:
        self.published.append(value)
        self._heard.set()

    def on_publication_list(self, source: str, names: tuple[str, ...]) -> None:
        self.publication_lists.append((source, names))
        self._heard.set()

    def on_unpublished(self, source: str, why: str) -> None:
        self.unpublished.append((source, why))
        self._heard.set()

    def on_market(self, market: Market) -> None:
        self.markets.append(market)
        self._heard.set()

    def on_position(self, report: PositionReport, trade_id: str) -> None:
        self.positions.append((report, trade_id))
        self._heard.set()

    def on_group(self, group_id: str, change: GroupChange) -> None:
        self.groups.append((group_id, change))
        self._heard.set()

    def on_settlement(self, report: SettlementReport) -> None:
        self.settlements.append(report)
        self._heard.set()

    def on_link(self, link: Link) -> None:
        self.links.append(link)
        self._heard.set()

    def on_reconnect(self) -> None:
        self.reconnects += 1
        self._heard.set()

    def on_grid(self, ticker: str) -> None:
        self.regridded.append(ticker)
        self._heard.set()

    def on_limiter(self, report: LimiterReport) -> None:
        self.limited.append(report)
        self._heard.set()

    def on_storm(self, cause: str) -> None:
        self.storms.append(cause)
        self._heard.set()

    def on_credential(self, cause: str) -> None:
        self.lockouts.append(cause)
        self._heard.set()

    def fit(self) -> bool:
        return self.well

    def on_anomaly(self, what: str, detail: str) -> None:
        self.anomalies.append((what, detail))
        self._heard.set()


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


SERIES = "KXHIGHNY"
EVENT = "KXHIGHNY-26NOV23"
BRACKET, ABOVE, BELOW = f"{EVENT}-B48.5", f"{EVENT}-T53", f"{EVENT}-T46"
RULES = "If the high of Central Park (CLINYC) on Nov 23 is between, by The Weather Company, YES."


def ids(seed: int) -> Callable[[], str]:
    rng = random.Random(seed)
    return lambda: str(uuid.UUID(int=rng.getrandbits(128), version=4))


@pytest.fixture(scope="session")
def issued(tmp_path_factory: pytest.TempPathFactory) -> tuple[KeyRegistry, list[KeyEntry]]:
    """Keys of the account ``desk``: Ed25519, RSA, read-only."""
    registry = KeyRegistry()
    return registry, registry.generate(tmp_path_factory.mktemp("keys"), "desk", ids(12))


class SimKalshi:
    """A simulated exchange with one event on a loopback port, and our client's account on it."""

    def __init__(self, registry: KeyRegistry, keys: list[KeyEntry]) -> None:
        self.keys = keys
        self.clock = SystemClock()
        now = self.clock.wall_ms()
        self.clocks = Clocks(self.clock, WorldClock(now, now))
        self.exchange = Exchange(self.clock, self.clocks.world, ids(11))
        self.exchange.list_series(
            SeriesSpec(
                SERIES,
                "Highest temperature in New York",
                "Climate and Weather",
                ("Temperature",),
                fee_type="quadratic",
                fee_multiplier=1.0,
                settlement_sources=(Source("The Weather Company", "https://weather.example"),),
            )
        )
        self.list_event(EVENT, now)
        for account in ("desk", "crowd"):
            self.exchange.open_account(account, parse_money("1000"))
        self.faults = Faults(self.clock)
        self.app = build_app(
            self.exchange,
            registry,
            self.clock,
            self.faults,
            Prices(1),
            Limiter(self.clock, Tier.PRESTIGE),
        )
        self.port = 0

    def list_event(self, event: str, now: int) -> None:
        rows = (("B48.5", "between", 48, 49), ("T53", "greater", 53, None), ("T46", "less", None, 46))
        markets = tuple(
            MarketSpec(
                f"{event}-{suffix}",
                event,
                SERIES,
                f"Highest temperature in New York? {suffix}",
                suffix,
                kind,
                now - 1_000,
                now + 3_600_000,
                floor_strike=floor,
                cap_strike=cap,
                settlement_timer_s=0,
                rules_primary=RULES,
            )
            for suffix, kind, floor, cap in rows
        )
        self.exchange.list_event(
            EventSpec(event, SERIES, "New York high", "Nov 23", markets, True, now + 3_600_000, ())
        )
        self.exchange.advance()

    def client(
        self,
        listener: Recorder,
        key: int = 0,
        host: str = "127.0.0.1",
        publishes: Mapping[str, Sequence[str]] | None = None,
    ) -> KalshiVenue:
        entry = self.keys[key]
        at = Addresses(f"http://{host}:{self.port}/trade-api/v2", f"ws://{host}:{self.port}/trade-api/ws/v2")
        config = KalshiConfig(
            at,
            Environment.SIM,
            load_signer(entry.key_id, Path(entry.private_key_path)),
            publishes=publishes or {},
        )
        return connect(config, clocks=self.clocks, rng=random.Random(5), listener=listener)


@pytest.fixture
async def sim(issued: tuple[KeyRegistry, list[KeyEntry]]) -> AsyncIterator[SimKalshi]:
    world = SimKalshi(*issued)
    server = uvicorn.Server(serving(world.app))
    listening = socket.create_server(("127.0.0.1", 0))
    world.port = listening.getsockname()[1]
    with contextlib.closing(listening):
        running = asyncio.create_task(server.serve(sockets=[listening]))
        yield world
        server.should_exit = True
        await running


@contextlib.asynccontextmanager
async def running(venue: KalshiVenue) -> AsyncIterator[None]:
    """The client's streams, up while the block runs."""
    task = asyncio.create_task(venue.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await venue.close()


@pytest.fixture
def run_venue() -> Callable[[KalshiVenue], contextlib.AbstractAsyncContextManager[None]]:
    return running
