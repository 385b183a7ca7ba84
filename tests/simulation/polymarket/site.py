"""The second venue's side of the virtual world: SIM's Polymarket, its REST and streams, without a server."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from datetime import date, timedelta
from itertools import count
from urllib.parse import urlsplit

from core.domain.clock import REAL_WORLD, Clock
from core.domain.units import Money, Price, Quantity
from core.feeds.stations import HOUR_MS, climate_day_bounds, stations
from core.sim.orders import BookSide
from core.sim.polymarket import chain, delays
from core.sim.polymarket.call import Venue
from core.sim.polymarket.contracts import EventSpec, MarketSpec, Version
from core.sim.polymarket.desk import steps
from core.sim.polymarket.exchange import Exchange
from core.sim.polymarket.keys import KeyRegistry, Login
from core.sim.polymarket.orders import Order, OrderRequest, OrderStatus, OrderType, Side
from core.sim.polymarket.rest import Request, Rest, RestAnswer
from core.sim.polymarket.stream import Channel, Connection, Stream
from core.sim.polymarket.typed_data import SignatureType
from core.sim.polymarket.wallets import Wallet
from core.venues.polymarket.hosts import Addresses
from core.venues.polymarket.l2 import Credentials
from core.venues.polymarket.sign import OwnSigner, WalletKey
from core.venues.polymarket.wallets import Account
from core.venues.polymarket.wallets import SignatureType as OurKind
from tests.simulation.chance import Chance
from tests.simulation.polymarket.manner import Manner
from tests.simulation.polymarket.ways import Way, of_answer, of_wait
from tests.simulation.wire import Said

HOST = "http://127.0.0.1:2"
ADDRESSES = Addresses(
    clob=HOST,
    gamma=f"{HOST}/gamma",
    data=f"{HOST}/data-api",
    site=HOST,
    ws_market="ws://127.0.0.1:2/ws/market",
    ws_user="ws://127.0.0.1:2/ws/user",
)
CASH = Money(1_000_000_000_000)
STOCK = Quantity(10**15)
"""Pairs of each market the others hold, so that they can sell either outcome."""
FIRST_DAY = date(2026, 11, 23)
DAYS = {FIRST_DAY: Version.V1, FIRST_DAY + timedelta(days=1): Version.V2}
"""Each generation of contracts has a day."""
BRACKETS = (("45forbelow", "45°F or below"), ("46-47f", "46-47°F"), ("48forhigher", "48°F or higher"))
REDEEMED_MS = 15_000
"""Everybody is paid so long after a market has resolved, in half of the worlds; in the others nobody is."""
QUOTERS, TAKERS = "quoters", "takers"


def slug_of(day: date) -> str:
    return f"highest-temperature-in-nyc-on-{day:%B}-{day.day}-{day.year}".lower()


EVENTS = tuple(slug_of(day) for day in DAYS)
SOURCE = "https://www.wunderground.com/history/daily/us/KNYC"
RULES = f"By the highest temperature recorded at station KNYC (Central Park). Source: Wunderground, {SOURCE}."


class PolymarketSite:
    """One simulated Polymarket with an event a day, and the wallet and API key of the desk."""

    def __init__(self, chance: Chance, clock: Clock) -> None:
        self.clock = clock
        ids = chance.stream("polymarket ids")
        self.exchange = Exchange(
            clock,
            REAL_WORLD,
            lambda: str(uuid.UUID(int=ids.getrandbits(128), version=4)),
            chance.stream("settlement"),
        )
        redeems = chance.stream("redeems").random() < 0.5
        self.exchange.auto_redeem_ms = REDEEMED_MS if redeems else None
        self.venue = Venue(self.exchange, KeyRegistry("seed"), clock)
        self.rest, self.stream = Rest(self.venue), Stream(self.venue)
        self.ways: Counter[Way] = Counter()
        """What requests have met at the door."""
        self._rng = chance.stream("polymarket takers")
        self._numbers = count(1)
        numbers = count(1)
        manner = Manner.drawn(chance.stream("polymarket manner"))
        self.exchange.delays = manner.delays
        for day, version in DAYS.items():
            self.exchange.list_event(_event(day, version, numbers, manner))
        key = WalletKey(b"\x11" * 32)
        address = key.address
        self.wallet = self.exchange.open_wallet(address, address, SignatureType.EOA, CASH)
        made = self.venue.keys.create(Login(address, 0))
        self.key = made.key
        self.signer = OwnSigner(key, Account(address, OurKind.EOA, address))
        self.credentials = Credentials(address, made.key, made.secret, made.passphrase)
        self._others = {name: self._other(name) for name in (QUOTERS, TAKERS)}

    def _other(self, name: str) -> Wallet:
        address = chain.checksum(chain.keccak(name.encode())[12:])
        wallet = self.exchange.open_wallet(address, address, SignatureType.EOA, Money(10**18))
        for market in self.exchange.markets.values():
            self.exchange.split(wallet, market, STOCK)
        return wallet

    # --- what the network asks of it -----------------------------------------------------------

    def handle(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> Generator[int, None, Said]:
        """One request, as long as it is held up."""
        going = steps(self.rest, Request(method, path, query, headers, body))
        while True:
            try:
                wait_ms = next(going)
            except StopIteration as end:
                done: RestAnswer = end.value
                break
            self.ways[of_wait(wait_ms)] += 1
            yield wait_ms
        way = of_answer(method, done)
        if way is not None:
            self.ways[way] += 1
        return Said(done.status, done.body, done.headers)

    def dial(self, url: str, wake: Callable[[], None], dropped: Callable[[], None]) -> Connection:
        """A new connection to a stream."""
        connection = Connection(Channel(urlsplit(url).path), wake, dropped)
        self.stream.join(connection)
        return connection

    def hear(self, connection: Connection, data: bytes) -> None:
        self.stream.handle(connection, data.decode())

    def hang_up(self, connection: Connection) -> None:
        self.stream.leave(connection)

    @staticmethod
    def list_of(query: str) -> str:
        """What a page belongs to: its question without the place in the list."""
        words = [word for word in query.split("&") if not word.startswith(("cursor=", "next_cursor="))]
        return "&".join(words)

    def trade_about(self, path: str, body: bytes) -> None:
        """The market takes the orders of the desk that a message on its way is about."""
        said = path.encode() + body
        for order in self.resting():
            if order.status is OrderStatus.LIVE and order.order_id.encode() in said:
                self.hit(order, order.remaining)

    # --- everybody else ------------------------------------------------------------------------

    def pulse(self) -> None:
        """What the venue does as time passes."""
        self.exchange.advance()

    def resting(self) -> list[Order]:
        """The desk's open orders, those placed by hand too."""
        return self.exchange.open_orders(self.key)

    def hit(self, order: Order, shares: int) -> None:
        """The market takes ``shares`` of a resting order, and whatever stands before it."""
        ahead = self.exchange.books[order.condition_id].ahead_of(order)
        self.take(order.condition_id, order.side.opposite, order.price, Quantity(ahead + shares))

    def take(self, condition_id: str, side: BookSide, price: Price, shares: Quantity) -> None:
        """A marketable order in YES terms, of either outcome."""
        self.post(TAKERS, condition_id, side, price, shares, OrderType.FAK)

    def post(
        self,
        name: str,
        condition_id: str,
        side: BookSide,
        price: Price,
        shares: Quantity,
        kind: OrderType = OrderType.GTC,
    ) -> Order | None:
        """Somebody's order in YES terms: now of the outcome it buys, now of the one it sells."""
        wallet = self._others[name]
        order_id = "0x" + chain.keccak(f"{name} {next(self._numbers)}".encode()).hex()
        sells = self._rng.random() < 0.5 or shares * min(price, 10_000 - price) < 10**10
        outcome = (1 if side is BookSide.BID else 0) if sells else (0 if side is BookSide.BID else 1)
        self.exchange.place(
            OrderRequest(
                order_id,
                wallet.address,
                wallet.address,
                self.exchange.markets[condition_id].spec.tokens[outcome],
                Side.SELL if sells else Side.BUY,
                kind,
                price if outcome == 0 else Price(10_000 - price),
                shares,
            )
        )
        made = self.exchange.orders.get(order_id)
        if made is not None and made.status is OrderStatus.DELAYED:
            # Whoever trades here by the crowd's word has waited already.
            delays.release(self.exchange, made)
        return made


def _event(day: date, version: Version, numbers: Iterator[int], manner: Manner) -> EventSpec:
    slug, text = slug_of(day), f"the highest temperature in New York City on {day:%B} {day.day}"
    start_ms, end_ms = climate_day_bounds(stations()["KNYC"], day.isoformat())
    markets = []
    for index, (part, words) in enumerate(BRACKETS):
        name = f"{slug}-{part}"
        if version is Version.V2:
            condition = chain.condition_v2(slug, index, neg_risk=True)
            tokens = chain.tokens_v2(condition)
        else:
            condition = chain.condition_v1(name)
            tokens = chain.tokens_v1(condition)
        question = f"Will {text} be {words}?"
        plain = MarketSpec(
            next(numbers), name, question, RULES, condition, tokens, version, True,
            start_ms - 50 * HOUR_MS, end_ms, group_title=words, resolution_source=SOURCE,
        )  # fmt: skip
        markets.append(manner.of(plain))
    return EventSpec(
        next(numbers), slug, f"Highest temperature on {day}?", "By Central Park.", tuple(markets), True
    )
