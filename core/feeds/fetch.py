"""One source's HTTP: conditional GET, bounded bodies, and every fault as a value.

Never raises for what the other side does; ``asyncio`` cancellation passes through.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TypeVar, cast

import httpx
import msgspec

from core.domain.clock import Clocks
from core.domain.text import clean_text
from core.feeds.feed import Stamp

BODY_BYTES_MAX = 10_000_000
TOTAL_TIMEOUT_S = 30.0
TIMEOUTS = httpx.Timeout(connect=5.0, read=20.0, write=5.0, pool=10.0)
RETRY_AFTER_S_MAX = 3600.0
REMEMBERED_URLS_MAX = 200

T = TypeVar("T")
HttpFactory = Callable[[], httpx.AsyncClient]


class Body(msgspec.Struct, frozen=True):
    data: bytes
    received_wall_ms: int
    received_ns: int

    def stamp(self, event_ms: int, published_ms: int | None = None) -> Stamp:
        return Stamp(event_ms, self.received_wall_ms, self.received_ns, published_ms)


class NotModified(msgspec.Struct, frozen=True):
    """The source says that nothing changed: refreshes receipt, not the data's age."""

    received_ns: int


class Failed(msgspec.Struct, frozen=True):
    """One clear sentence; ``status`` 0 when there was no answer. ``retry_after_s`` is the source's wish."""

    reason: str
    status: int = 0
    retry_after_s: float | None = None


class Fetcher:
    """GETs below one base URL. ``accept`` is sent because some edge caches serve older copies without it."""

    def __init__(
        self, client: httpx.AsyncClient, base_url: str, clocks: Clocks, user_agent: str, accept: str
    ) -> None:
        self._client = client
        self._base = base_url.rstrip("/")
        self._clocks = clocks
        self._headers = {"User-Agent": user_agent, "Accept": accept}
        self._validators: dict[str, dict[str, str]] = {}

    async def get(
        self, path: str, params: Mapping[str, str] | None = None, *, conditional: bool = False
    ) -> Body | NotModified | Failed:
        """One GET. With ``conditional`` the validators of the last complete answer go along."""
        url = httpx.URL(self._base + path, params=dict(params or {}))
        key = str(url)
        headers = self._headers | (self._validators.get(key, {}) if conditional else {})
        try:
            async with (
                asyncio.timeout(TOTAL_TIMEOUT_S),
                self._client.stream("GET", url, headers=headers, timeout=TIMEOUTS) as response,
            ):
                if response.status_code == httpx.codes.NOT_MODIFIED:
                    return NotModified(self._clocks.mono_ns())
                if response.status_code != httpx.codes.OK:
                    return Failed(
                        f"HTTP {response.status_code}", response.status_code, self._retry_after_s(response)
                    )
                kind = response.headers.get("Content-Type", "")
                if "json" not in kind:
                    # A captive portal or an edge block page answers 200 with a page for people.
                    return Failed(f"answer is {clean_text(kind, 40) or 'untyped'}, not JSON", 200)
                data = bytearray()
                # Left half read, the generator would be closed some time later, perhaps after its loop.
                reading = cast(AsyncGenerator[bytes, None], response.aiter_bytes())
                async with contextlib.aclosing(reading) as chunks:
                    async for chunk in chunks:
                        data += chunk
                        if len(data) > BODY_BYTES_MAX:
                            return Failed(f"answer is larger than {BODY_BYTES_MAX // 1_000_000} MB", 200)
        except TimeoutError:
            return Failed(f"no answer within {TOTAL_TIMEOUT_S:g} s")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Failed(clean_text(f"{type(error).__name__}: {error}", 120))
        if conditional:
            self._remember(key, response.headers)
        return Body(bytes(data), self._clocks.wall_ms(), self._clocks.mono_ns())

    def forget(self) -> None:
        """Drop all validators: an answer that was rejected must be sent again in full."""
        self._validators.clear()

    def _remember(self, key: str, headers: httpx.Headers) -> None:
        sent_back = {"If-None-Match": headers.get("ETag"), "If-Modified-Since": headers.get("Last-Modified")}
        if len(self._validators) >= REMEMBERED_URLS_MAX:
            self._validators.clear()
        self._validators[key] = {name: value for name, value in sent_back.items() if value}

    def _retry_after_s(self, response: httpx.Response) -> float | None:
        text = response.headers.get("Retry-After", "").strip()
        if not text:
            return None
        if text.isascii() and text.isdigit():
            return min(float(text[:9]), RETRY_AFTER_S_MAX)
        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            return None
        at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
        return min(max(0.0, at.timestamp() - self._clocks.wall_ms() / 1000), RETRY_AFTER_S_MAX)


def decode(body: Body, kind: type[T]) -> T | Failed:
    """The body as ``kind``, or what is wrong with it."""
    try:
        return msgspec.json.decode(body.data, type=kind, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Failed(clean_text(f"answer does not parse: {error}", 160), 200)
