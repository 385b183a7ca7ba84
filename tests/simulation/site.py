"""The venue's side of the virtual world: SIM's exchange, its REST and stream, without a server."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator, Mapping
from datetime import date, timedelta

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from core.domain.clock import REAL_WORLD, Clock
from core.domain.units import Money, Quantity
from core.feeds.stations import HOUR_MS, climate_day_bounds, stations
from core.sim.contracts import EventSpec, MarketSpec, SeriesSpec, Source
from core.sim.dialect import drawn
from core.sim.events import ExchangeEvent, MarketChanged
from core.sim.exchange import Exchange
from core.sim.faults import Faults
from core.sim.kalshi.auth import READ, TRADE, ApiKey, KeyRegistry
from core.sim.kalshi.call import Venue
from core.sim.kalshi.connection import Connection
from core.sim.kalshi.limits import Limiter, Tier
from core.sim.kalshi.rest import Rest
from core.sim.kalshi.stream import Stream
from core.sim.orders import Order, OrderRequest, TimeInForce
from tests.simulation.chance import Chance
from tests.simulation.wire import Said

ACCOUNT, CROWD, TAKERS = "desk", "crowd", "takers"
CASH = Money(1_000_000_000_000)
SERIES = "KXHIGHNY"
FIRST_DAY = date(2026, 11, 23)
DAYS = 2
SETTLEMENT_TIMER_S = 15
RULES = "If the high of Central Park (CLINYC) is in the range according to The Weather Company, YES."


class AnySignature(KeyRegistry):
    """Takes every request as the desk's own: signatures are proved elsewhere."""

    _KEY = ApiKey("key", ACCOUNT, Ed25519PublicKey.from_public_bytes(bytes(32)), (READ, TRADE))

    def verify(self, headers: Mapping[str, str], method: str, path: str, now_ms: int) -> ApiKey:
        return self._KEY


class FixedSignature:
    """The desk's signer of a virtual world."""

    def headers(self, method: str, path: str, wall_ms: int) -> dict[str, str]:
        return {"kalshi-access-key": "key"}


class Site:
    """One simulated Kalshi with an event a day."""

    def __init__(self, chance: Chance, clock: Clock, tier: Tier = Tier.PRESTIGE) -> None:
        self.clock = clock
        dialect = drawn(chance.stream("dialect"))
        self.exchange = Exchange(clock, REAL_WORLD, chance.ids("venue"), dialect)
        self.faults = Faults(clock)
        venue = Venue(self.exchange, AnySignature(), clock, self.faults, Limiter(clock, tier))
        self.rest, self.stream = Rest(venue), Stream(venue)
        self._told = self.exchange.listeners[-1]
        weather = (Source("The Weather Company", "https://weather.example"),)
        self.exchange.list_series(
            SeriesSpec(SERIES, "Highest temperature in New York", "Climate", settlement_sources=weather)
        )
        for number in range(DAYS):
            self.exchange.list_event(_event(FIRST_DAY + timedelta(days=number), weather))
        self.exchange.open_account(ACCOUNT, CASH)
        for everybody_else in (CROWD, TAKERS):
            self.exchange.open_account(everybody_else, Money(CASH * 1000))

    def handle(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> Generator[int, None, Said]:
        """One request, at an exchange that is up to date with the time; none of them waits."""
        yield from ()
        self.exchange.advance()
        done = self.rest.handle(method, path, query, headers, body)
        return Said(done.status, done.body)

    def dial(self, url: str, wake: Callable[[], None], dropped: Callable[[], None]) -> Connection:
        """A new connection to the stream."""
        connection = Connection(ACCOUNT, self.clock, wake)
        connection.dropped = dropped
        self.stream.join(connection)
        return connection

    def hear(self, connection: Connection, data: bytes) -> None:
        self.stream.handle(connection, data)

    def hang_up(self, connection: Connection) -> None:
        self.stream.leave(connection)

    @staticmethod
    def list_of(_: str) -> str:
        """Pages of one path may be mistaken for each other, whatever they were asked for."""
        return ""

    def pulse(self) -> None:
        """What the venue does as time passes."""
        self.exchange.advance()
        self.stream.pulse()

    @contextlib.contextmanager
    def silently(self) -> Iterator[None]:
        """What happens within the block is not told on the stream."""
        told = self.exchange.listeners
        at = told.index(self._told)
        del told[at]
        yield
        told.insert(at, self._told)

    def keep_quiet_about(self, kind: str) -> None:
        """From now on no message tells of this step in a market's life."""
        told, loud = self.exchange.listeners, self._told

        def quieter(event: ExchangeEvent) -> None:
            if not (isinstance(event, MarketChanged) and event.kind == kind):
                loud(event)

        self._told = told[told.index(loud)] = quieter

    def hit(self, order: Order, count: int) -> None:
        """The market takes ``count`` of a resting order of the desk, and whatever stands before it."""
        ahead = self.exchange.book(order.ticker).ahead_of(order)
        self.exchange.place(
            OrderRequest(
                TAKERS, order.ticker, order.side.opposite, order.price,
                Quantity(ahead + count), TimeInForce.IOC,
            )
        )  # fmt: skip

    def trade_about(self, path: str, body: bytes) -> None:
        """The market takes the order that a request on its way here is about."""
        working = self.exchange.account(ACCOUNT).working
        order = working.get(path.rsplit("/", 1)[-1])
        if order is None and body:
            named = msgspec.json.decode(body)
            rows = (*named.get("orders", ()), named) if isinstance(named, dict) else ()
            order = next((o for row in rows if (o := working.get(row.get("order_id", "")))), None)
        if order is not None:
            self.hit(order, order.remaining)


def _event(day: date, sources: tuple[Source, ...]) -> EventSpec:
    name = f"{SERIES}-{day:%y%b%d}".upper()
    start_ms, end_ms = climate_day_bounds(stations()["KNYC"], day.isoformat())
    strikes: list[tuple[str, str, int | None, int | None]] = [("T44", "less", None, 44)]
    strikes += [(f"B{low}.5", "between", low, low + 1) for low in (44, 46, 48, 50)]
    strikes += [("T51", "greater", 51, None)]
    markets = tuple(
        MarketSpec(
            f"{name}-{suffix}",
            name,
            SERIES,
            f"High in New York {suffix}?",
            suffix,
            kind,
            start_ms - 50 * HOUR_MS,
            end_ms,
            floor_strike=floor,
            cap_strike=cap,
            settlement_timer_s=SETTLEMENT_TIMER_S,
            rules_primary=RULES,
        )
        for suffix, kind, floor, cap in strikes
    )
    return EventSpec(name, SERIES, f"New York {day}", f"On {day}", markets, True, end_ms, sources)
