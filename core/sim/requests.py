"""What requests to any simulated venue are made of: a query, a JSON body."""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec

T = TypeVar("T")


class UnreadableError(ValueError):
    """Bytes from a client that are not the JSON they should be; the text says where."""


class Query:
    """The parameters behind a path's question mark. Of a repeated name the last value counts."""

    def __init__(self, text: str) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in parse_qsl(text, keep_blank_values=True):
            self._values.setdefault(name, []).append(value)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def get(self, name: str) -> str | None:
        return self._values[name][-1] if name in self._values else None

    def getlist(self, name: str) -> list[str]:
        return self._values.get(name, [])


def decoded(body: bytes | str | msgspec.Raw, kind: type[T]) -> T:
    """JSON as a typed value; ``UnreadableError`` whatever is wrong with it."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as wrong:
        raise UnreadableError(str(wrong)) from wrong
    except RecursionError as wrong:
        raise UnreadableError("JSON is nested too deeply") from wrong
