"""A signed client in front of the simulated Kalshi, and the venue's own specifications as judges."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from core.sim.dialect import Dialect
from core.sim.faults import Faults
from core.sim.kalshi.app import build_app
from core.sim.kalshi.auth import READ, WRITE, KeyEntry, KeyRegistry
from core.sim.kalshi.connection import Connection
from core.sim.kalshi.limits import Limiter, Tier
from core.sim.prices import Prices
from tests.kalshi_specs import (
    NO_SPECS,
    RestJudge,
    StreamJudge,
    judge_rest,
    judge_stream,
    rest_judge,
    stream_judge,
)

ROOT = "/trade-api/v2"


def sign(entry: KeyEntry, ts_ms: int, method: str, path: str, **change: str) -> dict[str, str]:
    """The three headers Kalshi asks for; ``change`` overrides what is signed."""
    private = load_pem_private_key(Path(entry.private_key_path).read_bytes(), None)
    text = change.get("text", f"{ts_ms}{method}{path}").encode()
    if isinstance(private, RSAPrivateKey):
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), int(change.get("salt", "32")))
        signature = private.sign(text, pss, hashes.SHA256())
    else:
        signature = private.sign(text)
    return {
        "KALSHI-ACCESS-KEY": entry.key_id,
        "KALSHI-ACCESS-TIMESTAMP": str(ts_ms),
        "KALSHI-ACCESS-SIGNATURE": base64.b64encode(signature).decode(),
    }


class Desk:
    """One account's client on an in-process exchange. ``floor.clock`` is everybody's clock."""

    def __init__(self, floor: Any, registry: KeyRegistry, keys: list[KeyEntry]) -> None:
        self.floor, self.keys = floor, keys
        self.exchange = floor.exchange
        self.faults = Faults(floor.clock)
        self.limiter = Limiter(floor.clock, Tier.PRESTIGE)
        self.app = build_app(floor.exchange, registry, floor.clock, self.faults, Prices(1), self.limiter)
        self.venue, self.stream = self.app.state.venue, self.app.state.stream
        # A dialect that strews unknown fields or drops required ones is judged in its own tests.
        self.judged = floor.exchange.dialect == Dialect()
        if (judge := rest_judge()) is not None:
            judge_rest(self.app.state.rest, judge, lambda: self.judged)
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=True), base_url="http://sim"
        )

    async def call(self, method: str, path: str, *, key: int = 0, **kwargs: Any) -> httpx.Response:
        """A signed call; ``path`` from the API root on, query included."""
        signed = sign(self.keys[key], self.floor.clock.wall_ms(), method, ROOT + path.partition("?")[0])
        return await self.http.request(method, ROOT + path, headers=signed, **kwargs)

    async def get(self, path: str) -> Any:
        """The body of a signed read that must succeed."""
        answer = await self.call("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def create(self, **change: Any) -> httpx.Response:
        return await self.call("POST", "/portfolio/events/orders", json=order_body(**change))

    def join(self, account: str = "ann", subaccount: int | None = None) -> Subscriber:
        return Subscriber(self, account, subaccount)


class Subscriber:
    """A stream connection without a socket."""

    def __init__(self, desk: Desk, account: str, subaccount: int | None) -> None:
        self.desk, self.account, self.cuts = desk, account, 0
        self.connection = Connection(account, desk.floor.clock, lambda: None, subaccount)
        self.connection.dropped = self._cut
        if (judge := stream_judge()) is not None:
            judge_stream(self.connection, judge, lambda: desk.judged)
        desk.stream.join(self.connection)
        self._command = 0

    def _cut(self) -> None:
        self.cuts += 1

    def send(self, cmd: str, **params: Any) -> int:
        self._command += 1
        self.raw(json.dumps({"id": self._command, "cmd": cmd, "params": params}))
        return self._command

    def raw(self, text: str | bytes) -> None:
        self.desk.stream.handle(self.connection, text)

    def take(self) -> list[dict[str, Any]]:
        """Every message since the last look."""
        found = [json.loads(message) for message in self.connection.queue]
        self.connection.queue.clear()
        return found


def order_body(**change: Any) -> dict[str, Any]:
    """A valid create body; a field set to None is left out."""
    body = {
        "ticker": "KXHIGHNY-26NOV23-B48.5",
        "side": "bid",
        "count": "10.00",
        "price": "0.3200",
        "time_in_force": "good_till_canceled",
        "self_trade_prevention_type": "taker_at_cross",
    } | change
    return {name: value for name, value in body.items() if value is not None}


@pytest.fixture(scope="session")
def issued(tmp_path_factory: pytest.TempPathFactory) -> tuple[KeyRegistry, list[KeyEntry]]:
    """Keys of the account ``ann``: Ed25519, RSA, read-only, one for everything, one for subaccount 1."""
    registry, numbers, folder = KeyRegistry(), iter(range(9)), tmp_path_factory.mktemp("keys")
    keys = registry.generate(folder, "ann", lambda: f"key-{next(numbers)}")
    for name, lock in (("whole", None), ("locked", 1)):
        private = Ed25519PrivateKey.generate()
        keys.append(
            registry.issue(folder / name, "ann", name, "ed25519", private, (READ, WRITE), subaccount=lock)
        )
    return registry, keys


@pytest.fixture
def desk(floor: Any, issued: tuple[KeyRegistry, list[KeyEntry]]) -> Desk:
    return Desk(floor, *issued)


@pytest.fixture
def desk_that(make_floor: Any, issued: tuple[KeyRegistry, list[KeyEntry]]) -> Callable[..., Desk]:
    """A desk whose exchange answers open questions otherwise."""
    return lambda **answers: Desk(make_floor(dialect=Dialect(**answers)), *issued)


@pytest.fixture(scope="session")
def signer() -> Callable[..., dict[str, str]]:
    return sign


@pytest.fixture(scope="session")
def body_of() -> Callable[..., dict[str, Any]]:
    return order_body


@pytest.fixture(scope="session")
def rest_spec() -> RestJudge:
    judge = rest_judge()
    if judge is None:
        pytest.skip(NO_SPECS)
    return judge


@pytest.fixture(scope="session")
def stream_spec() -> StreamJudge:
    judge = stream_judge()
    if judge is None:
        pytest.skip(NO_SPECS)
    return judge
