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
from core.feeds.budget import Budget
from core.feeds.declaration import Key, KeyNeed, Rides
from core.feeds.feed import Stamp
from core.feeds.pools import ASKS
from core.feeds.recording import Recorded, Recorder, unrecorded
from core.venues.faults import fault_text

BODY_BYTES_MAX = 10_000_000
TOTAL_TIMEOUT_S = 30.0
READ_S = 10.0
"""Without a byte for so long an answer is given up."""
SLOW_READ_S = 20.0
"""Weather services make some answers while one waits."""
RETRY_AFTER_S_MAX = 3600.0
REMEMBERED_URLS_MAX = 200

T = TypeVar("T")
HttpFactory = Callable[[], httpx.AsyncClient]


class Body(msgspec.Struct, frozen=True):
    data: bytes
    """As it came, but for a key it may repeat."""
    received_wall_ms: int
    received_ns: int
    latency_ms: int = 0
    """From the question's first byte to the answer's last."""
    headers: Mapping[str, str] = {}
    """In lower case."""

    def stamp(self, event_ms: int, published_ms: int | None = None) -> Stamp:
        return Stamp(event_ms, self.received_wall_ms, self.received_ns, published_ms)


class NotModified(msgspec.Struct, frozen=True):
    """The source says that nothing changed: refreshes receipt, not the data's age."""

    received_ns: int


class Failed(msgspec.Struct, frozen=True):
    """One clear sentence; ``status`` 0 when there was no answer. ``retry_after_s`` is the source's wish,
    in real seconds."""

    reason: str
    status: int = 0
    retry_after_s: float | None = None
    key_refused: bool = False
    """Asking again with the same key cannot help."""
    spent: bool = False
    """The quota does not allow the call; it was not made."""
    body: bytes = b""
    """What the provider said with it, for a parser that knows its errors; never shown as it is."""
    headers: Mapping[str, str] = {}
    """Of that answer, in lower case."""

    @property
    def of_provider(self) -> bool:
        """Whether another question would meet the same now: it is not about this answer."""
        return self.spent or self.key_refused or self.status in (0, 429) or self.status >= 500


class Secrecy(msgspec.Struct, frozen=True):
    """A provider's key with where it rides."""

    need: KeyNeed
    key: Key


class Fetcher:
    """Asks one provider below one base URL.

    ``accept`` is sent because some edge caches serve older copies without it; an answer of another kind
    than ``kinds`` (parts of a content type) is a failure: a captive portal answers 200 with a page.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        base_url: str,
        clocks: Clocks,
        user_agent: str,
        accept: str,
        *,
        feed: str = "",
        kinds: tuple[str, ...] = ("json",),
        secrecy: Secrecy | None = None,
        budget: Budget | None = None,
        record: Recorder = unrecorded,
        read_s: float = READ_S,
    ) -> None:
        self._client = client
        self._timeouts = httpx.Timeout(connect=5.0, read=read_s, write=5.0, pool=10.0)
        self._base = base_url.rstrip("/")
        self._clocks = clocks
        self._headers = {"User-Agent": user_agent, "Accept": accept}
        self._params: dict[str, str] = {}
        self._key: Key | None = None
        self._feed, self._kinds, self._budget, self._record = feed, kinds, budget, record
        self._asks = {ASKS: feed}
        self._validators: dict[str, dict[str, str]] = {}
        if secrecy is not None:
            self._key, need = secrecy.key, secrecy.need
            if need.rides is Rides.HEADER:
                self._headers[need.name] = need.prefix + secrecy.key.text
            elif need.rides is Rides.QUERY:
                self._params[need.name] = secrecy.key.text

    async def get(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        conditional: bool = False,
        cost: int = 1,
    ) -> Body | NotModified | Failed:
        """One GET. With ``conditional`` the validators of the last complete answer go along."""
        url = httpx.URL(self._base + path, params=dict(params or {}) | self._params)
        key = str(url)
        headers = self._headers | (self._validators.get(key, {}) if conditional else {})
        answer = await self._exchange("GET", url, headers, None, cost)
        if conditional and isinstance(answer, Body):
            self._remember(key, answer.headers)
        return answer

    async def post(self, path: str, body: bytes, *, cost: int = 1) -> Body | NotModified | Failed:
        """One POST of a JSON question that changes nothing at the provider."""
        # Given no parameters the library would drop those the address has.
        url = httpx.URL(self._base + path, **({"params": self._params} if self._params else {}))
        headers = self._headers | {"Content-Type": "application/json"}
        return await self._exchange("POST", url, headers, body, cost)

    async def _exchange(
        self, method: str, url: httpx.URL, headers: Mapping[str, str], body: bytes | None, cost: int
    ) -> Body | NotModified | Failed:
        if self._budget is not None:
            wait_s = self._budget.wait_s(cost)
            if wait_s > 0:
                real_s = self._clocks.world.real_seconds(wait_s)
                return Failed("the quota is spent", retry_after_s=real_s, spent=True)
            self._budget.spend(cost)
        try:
            async with asyncio.timeout(TOTAL_TIMEOUT_S):
                return await self._read(method, url, headers, body)
        except TimeoutError:
            return Failed(f"no answer within {TOTAL_TIMEOUT_S:g} s")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Failed(fault_text(error, self.hidden))

    async def _read(
        self, method: str, url: httpx.URL, headers: Mapping[str, str], body: bytes | None
    ) -> Body | NotModified | Failed:
        began_ns = self._clocks.mono_ns()
        asked = self._client.stream(
            method, url, headers=headers, content=body, timeout=self._timeouts, extensions=self._asks
        )
        async with asked as response:
            if response.status_code == httpx.codes.NOT_MODIFIED:
                return NotModified(self._clocks.mono_ns())
            data = bytearray()
            # Left half read, the generator would be closed some time later, perhaps after its loop.
            reading = cast(AsyncGenerator[bytes, None], response.aiter_bytes())
            async with contextlib.aclosing(reading) as chunks:
                async for chunk in chunks:
                    data += chunk
                    if len(data) > BODY_BYTES_MAX:
                        return Failed(f"answer is larger than {BODY_BYTES_MAX // 1_000_000} MB", 200)
        ended_ns, said = self._clocks.mono_ns(), dict(response.headers.items())
        latency_ms = (ended_ns - began_ns) // 1_000_000
        body = self._key.hidden_in(bytes(data)) if self._key is not None else bytes(data)
        found = Body(body, self._clocks.wall_ms(), ended_ns, latency_ms, said)
        self._keep(url, response.status_code, found)
        if response.status_code not in (httpx.codes.OK, httpx.codes.NO_CONTENT):
            return self._refused(response, found)
        kind = response.headers.get("Content-Type", "")
        if data and not any(part in kind for part in self._kinds):
            wanted = (
                " or ".join(self._kinds).upper() if self._kinds == ("json",) else " or ".join(self._kinds)
            )
            return Failed(f"answer is {clean_text(kind, 40) or 'untyped'}, not {wanted}", 200)
        return found

    def _refused(self, response: httpx.Response, found: Body) -> Failed:
        status = response.status_code
        refused = self._key is not None and status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
        wish_s = self._retry_after_s(response)
        return Failed(
            f"HTTP {status}", status, wish_s, key_refused=refused, body=found.data, headers=found.headers
        )

    def _keep(self, url: httpx.URL, status: int, found: Body) -> None:
        headers = {name: self.hidden(value) for name, value in found.headers.items()}
        times = found.received_wall_ms, found.received_ns, self._clocks.world_ms()
        self._record(Recorded(self._feed, self.hidden(str(url)), status, headers, *times, found.data))

    def hidden(self, text: str) -> str:
        """A text of the provider's without the key."""
        return self._key.hidden(text) if self._key is not None else text

    def forget(self) -> None:
        """Drop all validators: an answer that was rejected must be sent again in full."""
        self._validators.clear()

    def _remember(self, key: str, headers: Mapping[str, str]) -> None:
        sent_back = {"If-None-Match": headers.get("etag"), "If-Modified-Since": headers.get("last-modified")}
        if len(self._validators) >= REMEMBERED_URLS_MAX:
            self._validators.clear()
        self._validators[key] = {name: value for name, value in sent_back.items() if value}

    def _retry_after_s(self, response: httpx.Response) -> float | None:
        text = response.headers.get("Retry-After", "").strip()
        if not text:
            return None
        if text.isascii() and text.isdigit():
            return min(float(text[:9]), RETRY_AFTER_S_MAX)
        at_s = _http_time_s(text)
        if at_s is None:
            return None
        # An instant is meant on the clock of who names it, which need not be ours.
        now_s = _http_time_s(response.headers.get("Date", ""))
        if now_s is None:
            now_s = self._clocks.wall_ms() / 1000
        return min(max(0.0, at_s - now_s), RETRY_AFTER_S_MAX)


def _http_time_s(text: str) -> float | None:
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # figures of any length are figures to it
        return None
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp()


def decode(body: Body, kind: type[T]) -> T | Failed:
    """The body as ``kind``, or what is wrong with it."""
    try:
        return msgspec.json.decode(body.data, type=kind, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Failed(clean_text(f"answer does not parse: {error}", 160), 200)
