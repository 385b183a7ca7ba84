"""Kalshi's own specifications as judges of everything our client sends."""

from __future__ import annotations

import json
from copy import copy
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from tests.kalshi_specs import FOLDER, ROOT, RestJudge, Spec

COMMANDS = {
    "subscribe": "subscribeCommandPayload",
    "unsubscribe": "unsubscribeCommandPayload",
    "add_markets": "updateSubscriptionCommandPayload",
    "delete_markets": "updateSubscriptionCommandPayload",
    "get_snapshot": "updateSubscriptionCommandPayload",
}


class RequestJudge(RestJudge):
    """Judges requests. ``asked`` has every operation that was used."""

    def __init__(self, folder: Path = FOLDER) -> None:
        super().__init__(folder)
        self.asked: set[tuple[str, str]] = set()

    def request(self, method: str, raw_path: str, query: str, body: bytes) -> None:
        """Raise where a request is none that the operation describes."""
        template = self.template(raw_path.removeprefix(ROOT))
        operation = self.document["paths"].get(template, {}).get(method.lower())
        assert operation is not None, f"{method} {raw_path} is no operation of the venue"
        self.asked.add((method, template))
        shared = self.document["paths"][template].get("parameters", [])
        known = [self.resolve(p) for p in (*shared, *operation.get("parameters", []))]
        self._parameters(f"{method} {template}", [p for p in known if p["in"] == "query"], query)
        described = operation.get("requestBody")
        if described is None:
            assert body == b"", f"{method} {template} takes no body"
            return
        schema = self.resolve(described)["content"]["application/json"]["schema"]
        assert body or not described.get("required"), f"{method} {template} needs a body"
        if body:
            self.check((method, template, "body"), lambda: self.schema(schema), json.loads(body))

    def _parameters(self, name: str, known: list[Any], query: str) -> None:
        given: dict[str, list[str]] = {}
        for key, value in parse_qsl(query, keep_blank_values=True):
            given.setdefault(key, []).append(value)
        unknown = given.keys() - {p["name"] for p in known}
        assert not unknown, f"{name} knows no {sorted(unknown)}"
        for parameter in known:
            values = given.get(parameter["name"])
            assert values or not parameter.get("required"), f"{name} needs {parameter['name']}"
            if values:
                node = self.schema(parameter["schema"])
                instance = _typed(values, self.resolve(parameter["schema"]))
                self.check((name, parameter["name"]), lambda node=node: node, instance)  # type: ignore[misc]


def _typed(values: list[str], schema: Any) -> Any:
    """A query's texts as the values they stand for."""
    kind = schema.get("type")
    if kind == "array":
        return [_typed([value], schema["items"]) for value in values]
    assert len(values) == 1, "given twice"
    if kind == "integer":
        return int(values[0])
    if kind == "boolean":
        return {"true": True, "false": False}[values[0]]
    return values[0]


class CommandJudge(Spec):
    """Judges commands on the stream. ``asked`` is every command and action used."""

    def __init__(self, folder: Path = FOLDER) -> None:
        super().__init__(folder / "asyncapi.yaml")
        self.asked: set[str] = set()

    def command(self, data: bytes) -> None:
        message = json.loads(data)
        kind = message["params"].get("action", message["cmd"])
        self.asked.add(kind)
        node = self.document["components"]["schemas"][COMMANDS[kind]]
        self.check(kind, lambda: self.schema(node), message)


@cache
def request_judge() -> RequestJudge | None:
    return RequestJudge() if FOLDER.is_dir() else None


@cache
def command_judge() -> CommandJudge | None:
    return CommandJudge() if FOLDER.is_dir() else None


def fresh(judge: Any) -> Any:
    """The same judge with nothing seen yet; the file is not read again."""
    again = copy(judge)
    again.asked = set()
    return again
