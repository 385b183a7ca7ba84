"""Typed reads on top of HTTP: a value, a whole list, or ``Incomplete``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from core.venues.endpoint import Endpoint
from core.venues.http import Http, Query
from core.venues.limiter import Priority
from core.venues.venue import Incomplete
from core.venues.wire import Odd, WireError, decode

Parameters = dict[str, str | int | Sequence[str]]
T = TypeVar("T")
W = TypeVar("W")


class Window(msgspec.Struct, frozen=True):
    """A time span of a list, Unix milliseconds; open where ``None``."""

    from_ms: int | None = None
    until_ms: int | None = None


def windowed(query: Parameters, window: Window, first: str = "min_ts", last: str = "max_ts") -> Parameters:
    """``query`` with the window in the venue's whole seconds, rounded so that nothing is left out."""
    if window.from_ms is not None:
        query[first] = window.from_ms // 1_000
    if window.until_ms is not None:
        query[last] = -(-window.until_ms // 1_000)
    return query


def _plain(value: T, odd: Odd) -> T:
    return value


class Reader:
    """Decodes and converts answers. Odd optional fields are reported, wrong required ones ``Incomplete``."""

    def __init__(self, http: Http, on_anomaly: Callable[[str, str], None]) -> None:
        self._http, self._on_anomaly = http, on_anomaly

    async def value(
        self,
        endpoint: Endpoint,
        what: str,
        priority: Priority,
        decoder: msgspec.json.Decoder[W],
        *,
        path: str | None = None,
        query: Query | None = None,
        accept: frozenset[int] = frozenset(),
    ) -> W | Incomplete:
        """One answer as the decoder's type."""
        return await self.one(
            endpoint, what, priority, decoder, _plain, path=path, query=query, accept=accept
        )

    async def one(
        self,
        endpoint: Endpoint,
        what: str,
        priority: Priority,
        decoder: msgspec.json.Decoder[W],
        convert: Callable[[W, Odd], T],
        *,
        path: str | None = None,
        query: Query | None = None,
        body: bytes = b"",
        accept: frozenset[int] = frozenset(),
    ) -> T | Incomplete:
        """One answer, converted."""
        answer = await self._http.read(
            endpoint, what, priority, path=path, query=query, body=body, accept=accept
        )
        if isinstance(answer, Incomplete):
            return answer
        odd = Odd()
        try:
            value = convert(decode(answer.body, decoder, what), odd)
        except WireError as error:
            return Incomplete(what, str(error))
        self.report(what, odd)
        return value

    async def every(
        self,
        endpoint: Endpoint,
        items: str,
        priority: Priority,
        query: Query,
        decoder: msgspec.json.Decoder[W],
        convert: Callable[[W, Odd], T],
    ) -> tuple[T, ...] | Incomplete:
        """A whole paged list, converted; one element that cannot be read makes all of it ``Incomplete``."""
        rows = await self._http.pages(endpoint, items, priority, query)
        if isinstance(rows, Incomplete):
            return rows
        odd = Odd()
        try:
            values = tuple(convert(decode(row, decoder, items), odd) for row in rows)
        except WireError as error:
            return Incomplete(items, str(error))
        self.report(items, odd)
        return values

    async def nothing(
        self, endpoint: Endpoint, what: str, priority: Priority, *, query: Query | None = None
    ) -> Incomplete | None:
        """A call whose answer says nothing; ``None``: it was answered."""
        answer = await self._http.read(endpoint, what, priority, query=query)
        return answer if isinstance(answer, Incomplete) else None

    def report(self, what: str, odd: Odd) -> None:
        """Tell what was odd in an answer that could be read."""
        for note in odd.notes:
            self._on_anomaly("odd field", f"{what}: {note}")
