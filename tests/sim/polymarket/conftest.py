"""A small Polymarket on a clock that moves only when told, and members who sign for themselves."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from coincurve import PrivateKey

from core.domain.clock import WorldClock
from core.domain.units import Money, Price, Quantity, parse_money, parse_price, parse_quantity
from core.sim.polymarket import chain, keys, typed_data
from core.sim.polymarket.call import Venue
from core.sim.polymarket.contracts import EventSpec, Market, MarketSpec, Version
from core.sim.polymarket.events import Event
from core.sim.polymarket.exchange import Exchange
from core.sim.polymarket.keys import ApiKey, KeyRegistry, Login
from core.sim.polymarket.orders import OrderRequest, OrderType, Refused, Side
from core.sim.polymarket.rest import Request, Rest, RestAnswer
from core.sim.polymarket.stream import Channel, Connection, Stream
from core.sim.polymarket.trading import Placed
from core.sim.polymarket.typed_data import SignatureType, SignedFields
from core.sim.polymarket.wallets import PUSD, Wallet

START_MS = 1_795_400_000_000
DAY_MS = 86_400_000


class FakeClock:
    """Real time that moves only when told."""

    def __init__(self) -> None:
        self.ms = START_MS

    def wall_ms(self) -> int:
        return self.ms

    def mono_ns(self) -> int:
        return self.ms * 1_000_000


def market(name: str, number: int, version: Version = Version.V1, **change: Any) -> MarketSpec:
    """A market that is open; ``neg_risk`` and the rest can be changed."""
    neg_risk = change.pop("neg_risk", False)
    if version is Version.V2:
        condition = chain.condition_v2(name, number % 10, neg_risk=neg_risk)
        tokens = chain.tokens_v2(condition)
    else:
        condition = chain.condition_v1(name)
        tokens = chain.tokens_v1(condition)
    return MarketSpec(
        number, name, f"{name}?", f"Resolves by {name}.", condition, tokens, version, neg_risk, START_MS,
        START_MS + DAY_MS, **change,
    )  # fmt: skip


class Pit:
    """One exchange with three markets, members with 1,000 dollars each, and everything it said."""

    def __init__(self, **plain: Any) -> None:
        self.clock = FakeClock()
        rng = random.Random(5)
        self.exchange = Exchange(
            self.clock,
            WorldClock(START_MS, START_MS),
            lambda: str(uuid.UUID(int=rng.getrandbits(128), version=4)),
            random.Random(3),
        )
        self.events: list[Event] = []
        self.exchange.listeners.append(self.events.append)
        self.venue = Venue(self.exchange, KeyRegistry("seed"), self.clock)
        self.rest, self.stream = Rest(self.venue), Stream(self.venue)
        self.plain = self._list("rain", market("rain-in-nyc", 1, **plain))
        self.ladder = self._list("high", market("high-50-51", 2, neg_risk=True), neg_risk=True)
        self.second = self._list("miami", market("miami-80", 3, Version.V2))
        self._numbers = iter(range(1, 10**6))

    def _list(self, slug: str, spec: MarketSpec, *, neg_risk: bool = False) -> Market:
        self.exchange.list_event(
            EventSpec(100 + spec.number, slug, f"{slug}?", "Rules.", (spec,), neg_risk=neg_risk)
        )
        return self.exchange.markets[spec.condition_id]

    def wallet(self, name: str, cash: str = "1000") -> Wallet:
        """An unregistered member, for orders that come without a signature."""
        address = chain.checksum(chain.keccak(name.encode())[12:])
        known = self.exchange.wallets.get(address)
        return known or self.exchange.open_wallet(address, address, SignatureType.EOA, parse_money(cash))

    def order(
        self,
        who: str,
        side: str,
        price: str,
        shares: str,
        *,
        outcome: int = 0,
        kind: OrderType = OrderType.GTC,
        spend: str | None = None,
        on: Market | None = None,
        post_only: bool = False,
        expiration_s: int = 0,
    ) -> Placed | Refused:
        chosen, wallet = on or self.plain, self.wallet(who)
        return self.exchange.place(
            OrderRequest(
                "0x" + chain.keccak(f"order {next(self._numbers)}".encode()).hex(),
                who,
                wallet.address,
                chosen.spec.tokens[outcome],
                Side(side),
                kind,
                parse_price(price),
                parse_quantity(shares),
                None if spend is None else parse_money(spend),
                post_only,
                expiration_s,
            )
        )

    def placed(self, *args: Any, **kwargs: Any) -> Placed:
        """Like ``order``, where a refusal fails the test."""
        done = self.order(*args, **kwargs)
        assert isinstance(done, Placed), done
        return done

    def split(self, who: str, shares: str, on: Market | None = None) -> None:
        self.exchange.split(self.wallet(who), on or self.plain, parse_quantity(shares))

    def held(self, who: str, outcome: int = 0, on: Market | None = None) -> Quantity:
        return Quantity(self.wallet(who).balance((on or self.plain).spec.tokens[outcome]))

    def cash(self, who: str) -> Money:
        return Money(self.wallet(who).balance(PUSD))

    def bids(self, outcome: int = 0) -> list[tuple[Price, int]]:
        return self.exchange.levels(self.plain, outcome)[0]

    def asks(self, outcome: int = 0) -> list[tuple[Price, int]]:
        return self.exchange.levels(self.plain, outcome)[1]

    def later(self, seconds: float) -> None:
        self.clock.ms += int(seconds * 1000)
        self.exchange.advance()

    def settled(self) -> None:
        """Let every trade reach its end."""
        for _ in range(40):
            self.later(1)

    def total(self) -> int:
        """All the money there is; and of every market as many YES as NO as it has dollars."""
        wallets = self.exchange.wallets.values()
        for each in self.exchange.markets.values():
            if each.payouts is None:
                for token in each.spec.tokens:
                    assert sum(w.balance(token) for w in wallets) == each.vault
        cash = sum(w.balance(PUSD) for w in wallets)
        return cash + sum(m.vault for m in self.exchange.markets.values()) + self.exchange.fees_collected

    def join(self, channel: Channel) -> Subscriber:
        return Subscriber(self, channel)

    def get(self, path: str) -> Any:
        """The body of a public read that must succeed."""
        where, _, query = path.partition("?")
        answer = self.rest.handle(Request("GET", where, query))
        assert answer.status == 200, answer.body
        return json.loads(answer.body)


class Subscriber:
    """A socket without a socket."""

    def __init__(self, pit: Pit, channel: Channel) -> None:
        self._pit, self.closed = pit, False
        self.connection = Connection(channel, lambda: None, self._close)
        pit.stream.join(self.connection)

    def _close(self) -> None:
        self.closed = True

    def say(self, spoken: dict[str, Any] | str) -> None:
        text = spoken if isinstance(spoken, str) else json.dumps(spoken)
        self._pit.stream.handle(self.connection, text)

    def raw(self) -> list[str]:
        found = list(self.connection.queue)
        self.connection.queue.clear()
        return found

    def take(self) -> list[dict[str, Any]]:
        """Every object since the last look, whether it came alone or in an array."""
        objects: list[dict[str, Any]] = []
        for frame in self.raw():
            body = json.loads(frame)
            objects += body if isinstance(body, list) else [body]
        return objects


class Member:
    """A wallet key with an API key, who signs by the documentation."""

    def __init__(self, pit: Pit, number: int = 1, cash: str = "1000") -> None:
        self._pit, self.private = pit, PrivateKey(number.to_bytes(32, "big"))
        self.address = typed_data.address_of(self.private.public_key)
        self.wallet = pit.exchange.open_wallet(
            self.address, self.address, SignatureType.EOA, parse_money(cash)
        )
        self.key: ApiKey = pit.venue.keys.create(Login(self.address, 0))
        self._salt = 0

    def call(self, method: str, path: str, body: Any = None, **change: Any) -> RestAnswer:
        """A signed call, carried out; ``change`` overrides single headers."""
        return self._pit.rest.handle(self.request(method, path, body, **change))

    def request(self, method: str, path: str, body: Any = None, **change: Any) -> Request:
        raw = b"" if body is None else body if isinstance(body, bytes) else msgspec.json.encode(body)
        where, _, query = path.partition("?")
        stamp = str(self._pit.clock.ms // 1000)
        headers = {
            "poly_address": self.address,
            "poly_timestamp": stamp,
            "poly_api_key": self.key.key,
            "poly_passphrase": self.key.passphrase,
            "poly_signature": keys.signature(self.key.secret, stamp, method, where, raw),
        } | change
        return Request(method, where, query, headers, raw)

    def get(self, path: str) -> Any:
        answer = self.call("GET", path)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def order(
        self,
        side: str,
        maker: int,
        taker: int,
        /,
        *,
        on: Market | None = None,
        outcome: int = 0,
        kind: str = "GTC",
        sign_for: typed_data.OrderDomain | None = None,
        wallet: Wallet | None = None,
        **change: Any,
    ) -> dict[str, Any]:
        """A signed order as it is posted; ``change`` overrides fields after it was signed."""
        market, wallet = on or self._pit.plain, wallet or self.wallet
        self._salt += 1
        zero, kind_of = chain.ZERO_32, wallet.signature_type
        signer = wallet.address if kind_of is SignatureType.POLY_1271 else self.address
        fields = SignedFields(
            self._salt, wallet.address, signer, int(market.spec.tokens[outcome]), maker, taker,
            side == "BUY", kind_of, self._pit.clock.ms, zero, zero,
        )  # fmt: skip
        signature = self._signature(fields, sign_for or market.spec.domain)
        outer = {name: change.pop(name) for name in ("owner", "postOnly", "deferExec") if name in change}
        return {
            "order": {
                "salt": fields.salt,
                "maker": fields.maker,
                "signer": fields.signer,
                "tokenId": str(fields.token_id),
                "makerAmount": str(maker),
                "takerAmount": str(taker),
                "side": side,
                "expiration": "0",
                "signatureType": int(kind_of),
                "timestamp": str(fields.timestamp_ms),
                "metadata": zero,
                "builder": zero,
                "signature": signature,
            }
            | change,
            "owner": self.key.key,
            "orderType": kind,
        } | outer

    def _signature(self, fields: SignedFields, domain: typed_data.OrderDomain) -> str:
        """Plain, or wrapped for a deposit wallet as the documentation lays it out."""
        if fields.signature_type is not SignatureType.POLY_1271:
            return "0x" + self._signed(chain.raw(typed_data.order_id(fields, domain))).hex()
        order_type, contents = typed_data.ORDER_TYPE.encode(), typed_data._contents(fields)
        kind = (
            b"TypedDataSign(Order contents,string name,string version,uint256 chainId,"
            b"address verifyingContract,bytes32 salt)" + order_type
        )
        words = [
            chain.keccak(kind), contents, chain.keccak(b"DepositWallet"), chain.keccak(b"1"),
            (137).to_bytes(32, "big"), bytes(12) + chain.raw(fields.signer), bytes(32),
        ]  # fmt: skip
        digest = chain.keccak(b"\x19\x01" + domain.separator + chain.keccak(b"".join(words)))
        tail = domain.separator + contents + order_type + len(order_type).to_bytes(2, "big")
        return "0x" + (self._signed(digest) + tail).hex()

    def _signed(self, digest: bytes) -> bytes:
        raw = self.private.sign_recoverable(digest, hasher=None)
        return raw[:64] + bytes([raw[64] + 27])

    def post(self, *args: Any, **kwargs: Any) -> RestAnswer:
        return self.call("POST", "/order", self.order(*args, **kwargs))

    def placed(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        answer = self.post(*args, **kwargs)
        assert answer.status == 200, answer.body
        found: dict[str, Any] = json.loads(answer.body)
        return found

    def refused(self, *args: Any, **kwargs: Any) -> str:
        answer = self.post(*args, **kwargs)
        assert answer.status == 400, answer.body
        text: str = json.loads(answer.body)["error"]
        return text


@pytest.fixture
def pit() -> Pit:
    return Pit()


@pytest.fixture(scope="session")
def make_pit() -> type[Pit]:
    return Pit


@pytest.fixture
def ann(pit: Pit) -> Member:
    return Member(pit)


@pytest.fixture
def make_member() -> Callable[..., Member]:
    return Member
