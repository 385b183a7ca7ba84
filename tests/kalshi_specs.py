"""Kalshi's own specifications as judges of everything SIM sends, for any suite.

``RestJudge`` takes answers as they left ``core.sim.kalshi.rest``, ``StreamJudge`` frames as they went
onto the wire. A field a schema does not name is an error like a missing one. Where the real wire is
known to differ, ``REST_DEVIATIONS`` says so by name; nothing else is let pass.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import copy
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import yaml

from core.sim.kalshi.connection import Connection
from core.sim.kalshi.rest import Rest, RestAnswer

ROOT = "/trade-api/v2"
FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "kalshi"
"""Beside the checkout; suites skip by name where it is missing."""

NO_SPECS = "specifications beside the checkout (../shared/data/kalshi) are missing"


class Deviation(NamedTuple):
    """One known difference: an error status an operation does not list, or a form it does not draw."""

    name: str
    reason: str
    admits: Callable[[str, str, int], bool]
    """Method, the specification's path (empty for one it does not know), status."""


REST_DEVIATIONS = (
    Deviation(
        "400 on reads",
        "an unreadable parameter is refused, whether or not the operation lists it",
        lambda method, path, status: status == 400 and (method == "GET" or "/order_groups" in path),
    ),
    Deviation(
        "403 on scope, lock and region",
        "any signed call may meet a key that may not",
        lambda method, path, status: status == 403,
    ),
    Deviation(
        "404 on order writes and reads by name",
        "unknown markets, groups, events; an account without cash on the shard: seen on the wire",
        lambda method, path, status: status == 404,
    ),
    Deviation(
        "409 on amendments",
        "a client id used before is refused wherever it is sent",
        lambda method, path, status: status == 409 and path.endswith("/amend"),
    ),
    Deviation(
        "409 on replayed transfers",
        "an id of a transfer is good once, between subaccounts too",
        lambda method, path, status: status == 409 and path == "/portfolio/subaccounts/transfer",
    ),
    Deviation(
        "MARKET_INACTIVE and its like on cancels",
        "after the close every order call is refused, cancels included",
        lambda method, path, status: status == 400 and method in ("DELETE", "PUT"),
    ),
    Deviation(
        "410 and 404 on calls the specification no longer has",
        "the first generation of order writes is gone from it, not from the wire",
        lambda method, path, status: status in (404, 405, 410) and not path,
    ),
    Deviation(
        "413 on a huge body",
        "the answer of the edge",
        lambda method, path, status: status == 413,
    ),
    Deviation(
        "429 everywhere",
        "any call may meet an empty bucket",
        lambda method, path, status: status == 429,
    ),
    Deviation(
        "503 in maintenance",
        "nothing changes state, whatever the operation lists",
        lambda method, path, status: status == 503,
    ),
)
"""Every error status beyond those an operation lists. Their bodies are always nested, although the
specification draws them flat; a 429 may be the documented plain string instead."""

_NESTED = {
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "additionalProperties": False,
            "properties": {name: {"type": "string"} for name in ("code", "message", "details")},
        }
    },
}


class Spec:
    """A specification file whose schemas judge JSON. ``open`` lets fields pass that no schema names."""

    def __init__(self, path: Path, *, open_: bool = False) -> None:
        self.document = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        self._open = open_
        self._judges: dict[Any, jsonschema.Draft202012Validator] = {}

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
            if closed and not self._open:
                node.setdefault("additionalProperties", False)
        if isinstance(node.get("items"), dict):
            node["items"] = self.schema(node["items"])
        return {"anyOf": [node, {"type": "null"}]} if nullable else node

    def check(self, name: Any, build: Callable[[], Any], instance: Any) -> None:
        """Validate against the schema ``build`` makes, once for each ``name``."""
        judge = self._judges.get(name)
        if judge is None:
            judge = jsonschema.Draft202012Validator(build(), format_checker=jsonschema.FormatChecker())
            self._judges[name] = judge
        judge.validate(instance)


class RestJudge(Spec):
    """Judges answers. ``seen`` has every operation and status, ``deviations`` the names of what differed."""

    def __init__(self, folder: Path = FOLDER, *, open_: bool = False) -> None:
        super().__init__(folder / "openapi.yaml", open_=open_)
        self.seen: set[tuple[str, str, int]] = set()
        self.deviations: set[str] = set()
        self._paths = {path: tuple(path.split("/")) for path in self.document["paths"]}

    def fresh(self) -> RestJudge:
        """The same judge with nothing seen yet; the file is not read again."""
        again = copy(self)
        again.seen, again.deviations = set(), set()
        return again

    def template(self, path: str) -> str:
        """The specification's name of a path below the root; literal steps win over named ones."""
        steps = tuple(path.split("/"))
        fits = [
            (sum(w.startswith("{") for w in wanted), name)
            for name, wanted in self._paths.items()
            if len(wanted) == len(steps)
            and all(w.startswith("{") or w == s for w, s in zip(wanted, steps, strict=True))
        ]
        return min(fits)[1] if fits else ""

    def answer(self, method: str, path: str, status: int, body: bytes) -> None:
        """Raise where an answer is none that this operation may give. ``path`` is below the root."""
        template = self.template(path)
        operation = self.document["paths"].get(template, {}).get(method.lower())
        answers = operation["responses"] if operation is not None else {}
        self.seen.add((method, template, status))
        if str(status) not in answers:
            known = [d.name for d in REST_DEVIATIONS if d.admits(method, template if answers else "", status)]
            assert known, f"{method} {path}: {status} is neither described nor a known deviation"
            self.deviations.add(known[0])
        if status >= 400 and not (template == "/exchange/status" and status == 503):
            if status != 429 or json.loads(body) != {"error": "too many requests"}:
                self.check("error", lambda: _NESTED, json.loads(body))
            return
        described = self.resolve(answers[str(status)])
        if "content" not in described:
            assert body == b"", f"{method} {template}: {status} has a body"
            return
        content = described["content"]["application/json"]["schema"]
        self.check((method, template, status), lambda: self.schema(content), json.loads(body))

    def response(self, method: str, path: str, response: Any) -> None:
        """The same for a response of httpx."""
        self.answer(method, path, response.status_code, response.content)


class StreamJudge(Spec):
    """Judges frames by their type. ``seen`` is every type, and life-cycle event, that was judged."""

    PAYLOADS: Mapping[str, str] = {
        "subscribed": "subscribedResponse",
        "unsubscribed": "unsubscribedResponse",
        "error": "errorResponse",
        "orderbook_snapshot": "orderbookSnapshot",
        "orderbook_delta": "orderbookDelta",
        "ticker": "ticker",
        "trade": "trade",
        "fill": "fill",
        "user_order": "userOrder",
        "market_position": "marketPosition",
        "market_lifecycle_v2": "marketLifecycleV2",
        "event_lifecycle": "eventLifecycle",
        "event_fee_update": "eventFeeUpdate",
        "order_group_updates": "orderGroupUpdates",
        "cfbenchmarks_value": "cfbenchmarksValue",
        "cfbenchmarks_value_indexlist": "cfbenchmarksIndexList",
        "cfbenchmarks_value_5hz": "cfbenchmarksValue5Hz",
        "cfbenchmarks_value_5hz_indexlist": "cfbenchmarks5HzIndexList",
        "pyth_value": "pythValue",
        "pyth_value_underlying_list": "pythUnderlyingList",
    }

    def __init__(self, folder: Path = FOLDER, *, open_: bool = False) -> None:
        super().__init__(folder / "asyncapi.yaml", open_=open_)
        self.seen: set[str] = set()

    def fresh(self) -> StreamJudge:
        """The same judge with nothing seen yet; the file is not read again."""
        again = copy(self)
        again.seen = set()
        return again

    def frame(self, text: bytes | str) -> None:
        """Raise where a frame is not as its type is described."""
        self.message(json.loads(text))

    def message(self, message: dict[str, Any]) -> None:
        """The same for a decoded frame."""
        name = self._payload(message)
        node = self.document["components"]["schemas"][f"{name}Payload"]
        self.check(name, lambda: self.schema(node), message)
        self.seen.add(message["type"])
        if message["type"] == "market_lifecycle_v2":
            self.seen.add(message["msg"]["event_type"])

    def _payload(self, message: dict[str, Any]) -> str:
        kind, body = message["type"], message.get("msg")
        if kind == "ok":
            if isinstance(body, list):
                return "listSubscriptionsResponse"
            if "underlying_tickers" in (body or {}):
                return "subscribedUnderlyingsResponse"
            return "subscribedIndicesResponse" if "index_ids" in (body or {}) else "okResponse"
        if kind == "market_lifecycle_v2" and body["event_type"] == "metadata_updated":
            return "marketMetadataUpdated"
        assert kind in self.PAYLOADS, f"unknown message type {kind}"
        return self.PAYLOADS[kind]


@cache
def rest_judge() -> RestJudge | None:
    """One judge for a whole test run, as reading the file takes longer than most tests; None without it."""
    return RestJudge() if FOLDER.is_dir() else None


@cache
def stream_judge() -> StreamJudge | None:
    return StreamJudge() if FOLDER.is_dir() else None


def judge_stream(
    connection: Connection, judge: StreamJudge, judged: Callable[[], bool] = lambda: True
) -> None:
    """Have every frame of a connection judged as it is queued, as long as ``judged`` says so."""
    plain = connection.enqueue

    def enqueue(message: bytes) -> None:
        if judged():
            judge.frame(message)
        plain(message)

    connection.enqueue = enqueue  # type: ignore[method-assign]  # the one place every frame passes


def judge_rest(rest: Rest, judge: RestJudge, judged: Callable[[], bool] = lambda: True) -> None:
    """Have every answer of ``rest`` judged from now on, errors included, as long as ``judged`` says so."""
    plain = rest.handle

    def handle(method: str, raw_path: str, query: str, headers: Mapping[str, str], body: bytes) -> RestAnswer:
        answer = plain(method, raw_path, query, headers, body)
        if not answer.lost and judged():
            judge.answer(method, raw_path.removeprefix(ROOT), answer.status, answer.body)
        return answer

    rest.handle = handle  # type: ignore[method-assign]  # the one place every answer passes
