"""A signed client in front of the simulated Kalshi, and the venue's own specifications as judges."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import yaml
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from core.sim.faults import Faults
from core.sim.kalshi.app import build_app
from core.sim.kalshi.auth import KeyEntry, KeyRegistry
from core.sim.kalshi.connection import Connection
from core.sim.kalshi.limits import Limiter, Tier

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
        self.app = build_app(floor.exchange, registry, floor.clock, self.faults, self.limiter)
        self.stream = self.app.state.stream
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

    def join(self, account: str = "ann") -> Subscriber:
        return Subscriber(self, account)


class Subscriber:
    """A stream connection without a socket."""

    def __init__(self, desk: Desk, account: str) -> None:
        self.desk, self.account, self.cuts = desk, account, 0
        self.connection = Connection(account, desk.floor.clock, lambda: None)
        self.connection.dropped = self._cut
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
    """Keys of the account ``ann``: Ed25519, RSA, read-only."""
    registry, numbers = KeyRegistry(), iter(range(9))
    return registry, registry.generate(tmp_path_factory.mktemp("keys"), "ann", lambda: f"key-{next(numbers)}")


@pytest.fixture
def desk(floor: Any, issued: tuple[KeyRegistry, list[KeyEntry]]) -> Desk:
    return Desk(floor, *issued)


@pytest.fixture(scope="session")
def signer() -> Callable[..., dict[str, str]]:
    return sign


@pytest.fixture(scope="session")
def body_of() -> Callable[..., dict[str, Any]]:
    return order_body


class Spec:
    """A specification file whose schemas judge JSON. Fields a schema does not name are errors too."""

    def __init__(self, path: Path) -> None:
        self.document = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)

    def resolve(self, node: Any) -> Any:
        while "$ref" in node:
            target = self.document
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            node = target
        return node

    def schema(self, node: Any, *, closed: bool = True) -> Any:
        """OpenAPI or AsyncAPI schema as plain JSON Schema, references replaced, ``nullable`` honoured."""
        nullable = node.get("nullable", False)
        node = dict(self.resolve(node))
        nullable |= node.pop("nullable", False)
        if "allOf" in node:
            node["allOf"] = [self.schema(part, closed=len(node["allOf"]) == 1) for part in node["allOf"]]
        for name in ("oneOf", "anyOf"):
            if name in node:
                node[name] = [self.schema(part) for part in node[name]]
        if "properties" in node:
            node["properties"] = {k: self.schema(v) for k, v in node["properties"].items()}
            if closed:
                node.setdefault("additionalProperties", False)
        if isinstance(node.get("items"), dict):
            node["items"] = self.schema(node["items"])
        return {"anyOf": [node, {"type": "null"}]} if nullable else node

    def check(self, schema: Any, instance: Any) -> None:
        checker = jsonschema.FormatChecker()
        jsonschema.Draft202012Validator(schema, format_checker=checker).validate(instance)


class RestSpec(Spec):
    def answer(self, method: str, path: str, response: httpx.Response) -> None:
        """Validate a success against the operation's schema for its status."""
        answers = self.document["paths"][path][method.lower()]["responses"]
        described = self.resolve(answers[str(response.status_code)])
        if "content" not in described:
            assert response.content == b""
            return
        self.check(self.schema(described["content"]["application/json"]["schema"]), response.json())


class StreamSpec(Spec):
    def message(self, name: str, message: dict[str, Any]) -> None:
        """Validate a message against the named payload."""
        self.check(self.schema(self.document["components"]["schemas"][f"{name}Payload"]), message)


@pytest.fixture(scope="session")
def shared_specs() -> Path:
    folder = Path(__file__).resolve().parents[4] / "shared" / "data" / "kalshi"
    if not folder.is_dir():
        pytest.skip("specifications beside the checkout (../shared/data/kalshi) are missing")
    return folder


@pytest.fixture(scope="session")
def rest_spec(shared_specs: Path) -> RestSpec:
    return RestSpec(shared_specs / "openapi.yaml")


@pytest.fixture(scope="session")
def stream_spec(shared_specs: Path) -> StreamSpec:
    return StreamSpec(shared_specs / "asyncapi.yaml")
