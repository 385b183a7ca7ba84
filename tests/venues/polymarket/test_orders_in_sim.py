"""Orders, cancels, beats and logins against the simulated venue, which recovers every signer by itself."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from core.domain.clock import Clocks, WorldClock
from core.domain.order import BookSide, OrderIntent, Purpose, TimeInForce
from core.domain.units import Price, contracts, parse_money
from core.sim.polymarket import typed_data
from core.sim.polymarket.contracts import Market
from core.sim.polymarket.rest import Request
from core.venues.http import LAST_STEP
from core.venues.limiter import Limiter, Priority
from core.venues.polymarket.cancels import ACKNOWLEDGED, Cancels
from core.venues.polymarket.errors import Meaning
from core.venues.polymarket.heartbeat import Heartbeat
from core.venues.polymarket.http import ClobHttp
from core.venues.polymarket.l2 import Credentials, RequestSigner
from core.venues.polymarket.login import LoginHttp, obtain
from core.venues.polymarket.orders import Orders
from core.venues.polymarket.seal import Sealer
from core.venues.polymarket.sign import SALT_BITS, OwnSigner
from core.venues.polymarket.terms import Terms
from core.venues.polymarket.tokens import Tokens, Version
from core.venues.polymarket.wallets import SignatureType, account, funders_of
from core.venues.venue import Accepted, Done, NotThere, Rejected, Sealed, Unresolved
from tests.sim.polymarket.conftest import START_MS, Pit
from tests.venues.polymarket.golden import ADDRESS, KEY
from tests.venues.polymarket.orders_of import INTENT
from tests.venues.polymarket.scripted import BUCKETS


class SimTransport(httpx.AsyncBaseTransport):
    """Calls carried out in memory, announced as the network's transport announces them."""

    def __init__(self, pit: Pit) -> None:
        self._pit = pit

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        trace = request.extensions.get("trace")
        if trace is not None:
            await trace(LAST_STEP, {})
        headers = {name.lower(): value for name, value in request.headers.items()}
        path, _, query = request.url.raw_path.decode().partition("?")
        done = self._pit.rest.handle(Request(request.method, path, query, headers, request.content))
        return httpx.Response(done.status, headers=dict(done.headers), content=done.body)


class Desk:
    """One wallet's client in a pit; ``kind`` says which of its contracts holds a thousand dollars."""

    def __init__(self, pit: Pit, credentials: Credentials, kind: SignatureType = SignatureType.EOA) -> None:
        self.pit, self.rng = pit, random.Random(kind.value)
        of = account(ADDRESS, kind, funders_of(ADDRESS)[kind][0])
        opened = typed_data.SignatureType(kind.value)
        self.wallet = pit.exchange.open_wallet(of.funder, ADDRESS, opened, parse_money("1000"))
        self.clocks = Clocks(pit.clock, WorldClock(START_MS, START_MS))
        self.anomalies: list[tuple[str, str]] = []
        self.refusals: list[Meaning] = []
        self.http = ClobHttp(
            "http://sim",
            RequestSigner(credentials),
            clocks=self.clocks,
            limiter=Limiter(self.clocks, BUCKETS),
            rng=self.rng,
            transports=lambda limits: SimTransport(pit),
            on_anomaly=lambda what, detail: self.anomalies.append((what, detail)),
            on_credential=lambda cause: self.anomalies.append(("credential", cause)),
        )
        self.cancels = Cancels(self.http)
        self.orders = Orders(self.http, self.cancels, lambda _, said: self.refusals.append(said.meaning))
        self.sealer = Sealer(OwnSigner(KEY, of), credentials.api_key, lambda: self.rng.getrandbits(SALT_BITS))

    def sealed(self, of: OrderIntent, terms: Terms) -> Sealed:
        made = self.sealer.seal(of, terms)
        assert isinstance(made, Sealed), made
        return made

    async def place(self, terms: Terms, **changes: Any) -> tuple[Any, Sealed]:
        of = msgspec.structs.replace(INTENT, created_ms=self.pit.clock.ms, **changes)
        sealed = self.sealed(of, terms)
        return await self.orders.place(of, sealed, lambda: None, Priority.ENTRY), sealed

    def open(self) -> list[str]:
        return list(self.wallet.open)


def terms_of(market: Market) -> Terms:
    spec = market.spec
    return Terms(
        spec.slug,
        spec.condition_id,
        Version.V2 if spec.domain.version == "3" else Version.V1,
        Tokens(*spec.tokens),
        spec.neg_risk,
        Price(100),
        contracts(5),
    )


@pytest.fixture
def pit() -> Pit:
    return Pit()


def login(pit: Pit) -> LoginHttp:
    clocks = Clocks(pit.clock, WorldClock(START_MS, START_MS))
    return LoginHttp(
        "http://sim",
        KEY,
        clocks=clocks,
        limiter=Limiter(clocks, BUCKETS),
        rng=random.Random(1),
        transports=lambda limits: SimTransport(pit),
        on_anomaly=lambda what, detail: None,
    )


@pytest.fixture
async def credentials(pit: Pit) -> Credentials:
    made = await obtain(login(pit))
    assert isinstance(made, Credentials), made
    return made


async def test_a_wallet_logs_in_and_finds_the_same_key_again(pit: Pit, credentials: Credentials) -> None:
    assert credentials.address == ADDRESS and await obtain(login(pit)) == credentials


@pytest.mark.parametrize("kind", SignatureType)
async def test_every_wallet_trades_on_every_exchange(
    pit: Pit, credentials: Credentials, kind: SignatureType
) -> None:
    desk = Desk(pit, credentials, kind)
    for market in (pit.plain, pit.ladder, pit.second):
        for side, price in ((BookSide.BID, Price(300)), (BookSide.ASK, Price(9_700))):
            outcome, sealed = await desk.place(terms_of(market), side=side, price=price)
            assert isinstance(outcome, Accepted) and outcome.order_id == sealed.order_id
            assert sealed.order_id in desk.open(), "the venue knows it by the hash we signed"
    assert desk.anomalies == [] and desk.refusals == []


async def test_an_order_signed_for_another_exchange_is_refused(pit: Pit, credentials: Credentials) -> None:
    desk = Desk(pit, credentials)
    outcome, _ = await desk.place(msgspec.structs.replace(terms_of(pit.plain), neg_risk=True))
    assert isinstance(outcome, Rejected) and desk.refusals == [Meaning.CONFIG]


async def test_the_same_bytes_are_one_order(pit: Pit, credentials: Credentials) -> None:
    desk = Desk(pit, credentials)
    outcome, sealed = await desk.place(terms_of(pit.plain))
    again = await desk.orders.place(INTENT, sealed, lambda: None, Priority.ENTRY)
    assert isinstance(outcome, Accepted) and isinstance(again, Unresolved)
    assert desk.refusals == [Meaning.DUPLICATE] and desk.open() == [sealed.order_id]


def test_an_immediate_purchase_takes_what_is_there_and_leaves_nothing(
    pit: Pit, virtual: Callable[[Any], Any]
) -> None:
    """Thirty at 0.40 under a limit of 0.52: thirty shares, and no more for the money saved."""
    pit.split("maker", "30")
    pit.placed("maker", "SELL", "0.40", "30")

    async def main() -> Desk:
        credentials = await obtain(login(pit))
        assert isinstance(credentials, Credentials)
        desk = Desk(pit, credentials)
        running = asyncio.create_task(desk.orders.run())
        outcome, _ = await desk.place(terms_of(pit.plain), tif=TimeInForce.IOC, post_only=False)
        assert isinstance(outcome, Accepted) and outcome.filled == contracts(30)
        assert len(desk.open()) == 1, "the rest is there for a moment"
        await asyncio.sleep(0.1)
        running.cancel()
        return desk

    desk = virtual(main())
    assert desk.open() == []
    pit.settled()
    assert desk.wallet.balance(pit.plain.spec.tokens[0]) == contracts(30)


async def test_an_immediate_sale_takes_what_is_there(pit: Pit, credentials: Credentials) -> None:
    desk = Desk(pit, credentials)
    pit.exchange.split(desk.wallet, pit.plain, contracts(100))
    pit.placed("taker", "BUY", "0.52", "40")
    sale = {"side": BookSide.ASK, "purpose": Purpose.CLOSE, "tif": TimeInForce.IOC, "post_only": False}
    outcome, sealed = await desk.place(terms_of(pit.plain), **sale)
    assert outcome == Accepted(sealed.order_id, contracts(40), contracts(0), START_MS)
    nothing, _ = await desk.place(terms_of(pit.plain), **sale, quantity=contracts(60))
    assert isinstance(nothing, Accepted) and (nothing.filled, nothing.remaining) == (0, 0)
    assert desk.refusals == [Meaning.KILLED] and desk.open() == []


async def test_a_batch_and_every_way_to_cancel(pit: Pit, credentials: Credentials) -> None:
    desk, terms = Desk(pit, credentials), terms_of(pit.plain)
    intents = [
        msgspec.structs.replace(INTENT, created_ms=START_MS, price=Price(p)) for p in range(100, 1_100, 100)
    ]
    batch = [(of, desk.sealed(of, terms)) for of in intents]
    outcomes = await desk.orders.place_batch(batch, lambda: None, Priority.ENTRY)
    assert all(isinstance(outcome, Accepted) for outcome in outcomes) and len(desk.open()) == 10
    first, second, third, *_ = desk.open()
    assert await desk.cancels.cancel([first]) == (NotThere(first, ACKNOWLEDGED),)
    done = await desk.cancels.cancel([second, first, third])
    assert isinstance(done[1], NotThere) and done[1].code != ACKNOWLEDGED
    assert [o.order_id for o in done if isinstance(o, NotThere) and o.code == ACKNOWLEDGED] == [second, third]
    await desk.place(terms_of(pit.ladder))
    assert await desk.cancels.market(terms.condition_id) == Done() and len(desk.open()) == 1
    assert await desk.cancels.everything() == Done() and desk.open() == []


async def test_beats_hold_the_orders_and_silence_ends_them(pit: Pit, credentials: Credentials) -> None:
    desk, lapses = Desk(pit, credentials), list[int]()
    heart = Heartbeat(desk.http, lambda: True, lambda: lapses.append(pit.clock.ms))
    await desk.place(terms_of(pit.plain))
    for _ in range(5):
        assert await heart.once()
        pit.later(5)
    assert len(desk.open()) == 1
    successor = Heartbeat(desk.http, lambda: True, lambda: None)
    assert await successor.once(), "a run that comes after follows the chain it finds"
    pit.later(16)
    assert desk.open() == []
    assert await heart.once() and lapses == [pit.clock.ms]


async def test_a_wrong_passphrase_is_proof_and_locks(pit: Pit, credentials: Credentials) -> None:
    desk = Desk(pit, Credentials(ADDRESS, credentials.api_key, credentials.secret, "wrong"))
    outcome, sealed = await desk.place(terms_of(pit.plain))
    assert isinstance(outcome, Rejected) and desk.anomalies[0][0] == "credential"
    assert json.loads(sealed.body)["owner"] == credentials.api_key
