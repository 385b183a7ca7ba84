"""A venue over HTTP: signed requests, reads repeated a few times, whole lists, the venue's clock.

One request is sent once; only reads are tried again, and they come back whole or as ``Incomplete``. How a
venue signs, what it charges and what its refusals mean its own package says (``Http``'s abstract part).
"""

from __future__ import annotations

import abc
import asyncio
import contextlib
import functools
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast
from urllib.parse import urlsplit

import httpx
import msgspec

from core.domain.clock import Clocks
from core.venues import tcp
from core.venues.depth import DEPTH_MAX, too_deep
from core.venues.endpoint import Endpoint
from core.venues.faults import (
    UNSENT,
    WIRE_FAULTS,
    CircuitOpenError,
    TooLargeError,
    fault_text,
    trouble_of_fault,
)
from core.venues.limiter import Limiter, Priority
from core.venues.offset import ClockOffset, date_ms
from core.venues.retry import BREAKER_FAILURES, TABLE, Act, Breakers, RetryBudget, Trouble
from core.venues.venue import Incomplete
from core.venues.wire import WireError, decode

if TYPE_CHECKING:
    import random
    import ssl

TransportFactory = Callable[[httpx.Limits], httpx.AsyncBaseTransport]
"""Makes one connection pool. A transport that replaces the network must report httpcore's ``trace``
events like it: ``http11.send_request_headers.started`` is the step before an order's first byte."""

LAST_STEP: Final = "http11.send_request_headers.started"

WRITE_TIMEOUT: Final = httpx.Timeout(connect=2.0, write=2.0, read=5.0, pool=2.0)
READ_TIMEOUT: Final = httpx.Timeout(connect=2.0, write=2.0, read=10.0, pool=5.0)
WRITE_TOTAL_S: Final = 8.0
READ_TOTAL_S: Final = 15.0
IDLE_S_MAX: Final = 20.0
"""An idle connection older than this is replaced, not reused: its peer may be gone."""

READ_TRIES: Final = 5
BACKOFF_FIRST_S, BACKOFF_MAX_S = 0.2, 10.0
BODY_BYTES_MAX: Final = 32 * 1024 * 1024
PAGES_MAX: Final = 200
RETRY_AFTER_S_MAX: Final = 60.0

Query = Mapping[str, str | int | Sequence[str]]
Trace = Callable[[str, dict[str, Any]], Awaitable[None]]


class Call(msgspec.Struct, frozen=True):
    """One request. ``path`` is the endpoint's with its parameters filled in; empty: it has none."""

    endpoint: Endpoint
    path: str = ""
    query: Query = {}
    body: bytes = b""
    shard: int | None = 0
    """Whose write bucket it draws on; ``None``: every one's, the venue has to find the market."""


class Answer(msgspec.Struct, frozen=True):
    status: int
    body: bytes
    headers: Mapping[str, str] = {}
    """Names in lower case."""
    offset_ms: int | None = None
    """What the venue's clock was taken to differ by when this was asked."""


class Verdict(msgspec.Struct, frozen=True):
    """What an answer that is no success means: a column of the retry table, the venue's code and text."""

    trouble: Trouble
    code: str
    text: str


class Paging(msgspec.Struct, frozen=True):
    """The names a venue's long lists go by."""

    asked: str
    """The query's cursor."""
    told: str
    """The answer's."""
    end: str = ""
    """The cursor that ends a list, besides none at all."""


def key_refused(status: int, code: str) -> str:
    """The one sentence for a key that is not accepted, wherever that was noticed."""
    return f"the venue does not accept the key: HTTP {status} {code}".rstrip()


def _seconds(text: str) -> float:
    """A ``Retry-After`` in seconds; 0 for none, and for the date form nobody sends here."""
    return min(RETRY_AFTER_S_MAX, float(text)) if text.isascii() and text.isdigit() else 0.0


_page = msgspec.json.Decoder(dict[str, msgspec.Raw])
_raws = msgspec.json.Decoder(list[msgspec.Raw])
_cursor = msgspec.json.Decoder(str | None)


def network_transport(limits: httpx.Limits) -> httpx.AsyncBaseTransport:
    """The real network: HTTP/1.1, no retries, nothing from the environment, half-open links end soon."""
    return httpx.AsyncHTTPTransport(
        verify=_trusted(), http2=False, retries=0, trust_env=False, limits=limits, socket_options=tcp.OPTIONS
    )


@functools.cache
def _trusted() -> ssl.SSLContext:
    """The authorities that are believed, read once: for each pool anew it was a tenth of an
    engine's start."""
    return httpx.create_ssl_context(trust_env=False)


class Http(abc.ABC):
    """One account's wire to one API root, such as ``http://127.0.0.1:8080/trade-api/v2``."""

    PAGING: ClassVar[Paging]

    def __init__(
        self,
        url: str,
        *,
        clocks: Clocks,
        limiter: Limiter,
        rng: random.Random,
        transports: TransportFactory,
        on_anomaly: Callable[[str, str], None],
        on_credential: Callable[[str], None],
    ) -> None:
        self._root = url.rstrip("/")
        self._root_path = urlsplit(self._root).path
        self.clocks, self._rng, self._transports = clocks, rng, transports
        self.limiter, self.on_anomaly, self._on_credential = limiter, on_anomaly, on_credential
        self._breakers, self._retries = Breakers(clocks), RetryBudget()
        self._pools: list[httpx.AsyncClient] = []
        self._offset = ClockOffset()
        self.general = self.pool(connections=10)
        """The connections of reads and orders."""

    @abc.abstractmethod
    def headers(self, call: Call, path: str) -> dict[str, str]:
        """What proves who asks, for this moment. ``path`` is the whole path without a query."""

    @abc.abstractmethod
    def judge(self, answer: Answer) -> Verdict:
        """What an answer that is no success means."""

    def heed(self, call: Call, answer: Answer) -> None:
        """Take over what an answer says of the limits we are under."""
        if answer.status == 429:
            after_s = _seconds(answer.headers.get("retry-after", ""))
            self.limiter.throttled(call.endpoint.kind, after_s, call.shard)

    def query(self, call: Call) -> Query:
        return call.query

    def cost(self, endpoint: Endpoint) -> float:
        """Tokens one such call takes."""
        return endpoint.cost

    def pool(self, connections: int) -> httpx.AsyncClient:
        """Connections of their own, closed with the others by ``close``."""
        limits = httpx.Limits(
            max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=IDLE_S_MAX
        )
        made = httpx.AsyncClient(
            transport=self._transports(limits),
            trust_env=False,
            timeout=READ_TIMEOUT,
            headers={"user-agent": "pmconsole", "accept": "application/json"},
        )
        self._pools.append(made)
        return made

    async def close(self) -> None:
        for pool in self._pools:
            await pool.aclose()

    async def send(
        self,
        pool: httpx.AsyncClient,
        call: Call,
        timeout: httpx.Timeout,
        total_s: float,
        trace: Trace | None = None,
    ) -> Answer:
        """Send once and read the answer whole. Raises one of ``WIRE_FAULTS``, and what ``trace`` raises.

        What found no connection goes once more where the retry table says so: nothing had left.
        """
        try:
            return await self._guarded(pool, call, timeout, total_s, trace)
        except UNSENT:
            if TABLE[call.endpoint.calls][Trouble.UNSENT] is not Act.AT_ONCE:
                raise
        return await self._guarded(pool, call, timeout, total_s, trace)

    async def ask(
        self,
        pool: httpx.AsyncClient,
        call: Call,
        priority: Priority,
        cost: float,
        timeout: httpx.Timeout = WRITE_TIMEOUT,
        total_s: float = WRITE_TOTAL_S,
    ) -> Answer | str:
        """Wait for the limiter and send once: the answer, or why there is none."""
        refused = await self.limiter.admit(call.endpoint.kind, priority, cost, shard=call.shard)
        if refused is not None:
            return refused.reason
        try:
            return await self.send(pool, call, timeout, total_s)
        except WIRE_FAULTS as error:
            return fault_text(error)

    async def _guarded(
        self,
        pool: httpx.AsyncClient,
        call: Call,
        timeout: httpx.Timeout,
        total_s: float,
        trace: Trace | None,
    ) -> Answer:
        """One request, unless its class fails too often just now."""
        kind = call.endpoint.calls
        if self._breakers.refuses(kind):
            raise CircuitOpenError(f"{kind.value} calls failed {BREAKER_FAILURES} times: paused for 5 s")
        try:
            async with asyncio.timeout(total_s):
                answer = await self._exchange(pool, self._request(pool, call, timeout, trace))
        except (httpx.HTTPError, TimeoutError, TooLargeError):
            self._breakers.failed(kind)
            raise
        except BaseException:
            self._breakers.given_up(kind)
            raise
        self.heed(call, answer)
        if answer.status in (401, 403):
            verdict = self.judge(answer)
            refused = verdict.trouble is Trouble.CREDENTIAL
            if refused and (answer.status == 401 or TABLE[kind][Trouble.CREDENTIAL] is Act.LOCK):
                self._on_credential(key_refused(answer.status, verdict.code))
        if answer.status == 408 or answer.status >= 500:
            self._breakers.failed(kind)
        else:
            self._breakers.answered(kind)
        return answer

    def _request(
        self, pool: httpx.AsyncClient, call: Call, timeout: httpx.Timeout, trace: Trace | None
    ) -> httpx.Request:
        """The request, signed for this moment."""
        path = call.path or call.endpoint.path
        headers = self.headers(call, self._root_path + path)
        if call.body:
            headers["content-type"] = "application/json"
        return pool.build_request(
            call.endpoint.method,
            self._root + path,
            params=self.query(call) or None,
            content=call.body or None,
            headers=headers,
            timeout=timeout,
            extensions={"trace": trace} if trace is not None else None,
        )

    async def _exchange(self, pool: httpx.AsyncClient, request: httpx.Request) -> Answer:
        sent_ms, sent_ns = self.clocks.wall_ms(), self.clocks.mono_ns()
        offset_ms = self._offset.ms()
        response = await pool.send(request, stream=True)
        try:
            self._observe(response.headers.get("date", ""), sent_ms, sent_ns)
            data = bytearray()
            # Left half read, the generator would be closed some time later, perhaps after its loop.
            reading = cast(AsyncGenerator[bytes, None], response.aiter_bytes())
            async with contextlib.aclosing(reading) as chunks:
                async for chunk in chunks:
                    data += chunk
                    if len(data) > BODY_BYTES_MAX:
                        raise TooLargeError(f"answer larger than {BODY_BYTES_MAX} bytes")
        finally:
            await response.aclose()
        if too_deep(data):
            raise TooLargeError(f"answer nests deeper than {DEPTH_MAX}")
        return Answer(response.status_code, bytes(data), response.headers, offset_ms)

    async def read(
        self,
        endpoint: Endpoint,
        what: str,
        priority: Priority,
        *,
        query: Query | None = None,
        path: str | None = None,
        body: bytes = b"",
        accept: frozenset[int] = frozenset(),
    ) -> Answer | Incomplete:
        """A 2xx answer (or one of ``accept``), after at most five tries; anything else is ``Incomplete``.

        A ``body`` is for lists of what to read, never for what changes anything.
        """
        call, reason = Call(endpoint, path or "", query or {}, body), ""
        self._retries.called()
        for attempt in range(READ_TRIES):
            if attempt:
                if not self._retries.take():
                    return Incomplete(what, f"{reason} (no tries left: too many calls fail)")
                backoff = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2.0 ** (attempt - 1))
                await asyncio.sleep(backoff * (0.5 + self._rng.random()))
            refused = await self.limiter.admit(endpoint.kind, priority, self.cost(endpoint))
            if refused is not None:
                return Incomplete(what, refused.reason)
            try:
                answer = await self.send(self.general, call, READ_TIMEOUT, READ_TOTAL_S)
            except CircuitOpenError as error:
                return Incomplete(what, str(error))
            except WIRE_FAULTS as error:
                trouble, reason = trouble_of_fault(error), fault_text(error)
            else:
                if 200 <= answer.status < 300 or answer.status in accept:
                    return answer
                verdict = self.judge(answer)
                trouble, reason = verdict.trouble, f"HTTP {answer.status}: {verdict.code or verdict.text}"
                if trouble is Trouble.CLOCK:
                    self.on_anomaly("clock", "the venue refused our timestamp: clocks differ")
            if TABLE[endpoint.calls][trouble] is not Act.SOME_TRIES:
                return Incomplete(what, reason)
        return Incomplete(what, f"{reason} ({READ_TRIES} tries)")

    async def pages(
        self, endpoint: Endpoint, items: str, priority: Priority, query: Query
    ) -> list[msgspec.Raw] | Incomplete:
        """Every element of a paged list under the key ``items``, or ``Incomplete``: never a part of it."""
        found: list[msgspec.Raw] = []
        seen: set[str] = set()
        cursor, paging = "", self.PAGING
        for _ in range(PAGES_MAX):
            asked = {**query, paging.asked: cursor} if cursor else query
            answer = await self.read(endpoint, items, priority, query=asked)
            if isinstance(answer, Incomplete):
                return answer
            try:
                page = decode(answer.body, _page, items)
                if items not in page:
                    return Incomplete(items, f"the answer has no {items}")
                rows = decode(page[items], _raws, items)
                found.extend(rows)
                told = page.get(paging.told)
                cursor = (decode(told, _cursor, paging.told) if told is not None else None) or ""
            except WireError as error:
                return Incomplete(items, str(error))
            if cursor in ("", paging.end):
                return found
            if cursor in seen:
                return Incomplete(items, "the venue repeated a page cursor")
            seen.add(cursor)
        return Incomplete(items, f"more than {PAGES_MAX} pages")

    def clock_offset_ms(self) -> int | None:
        """Venue clock minus ours; ``None`` = unknown."""
        return self._offset.ms()

    def _observe(self, date: str, sent_ms: int, sent_ns: int) -> None:
        venue_ms = date_ms(date)
        if venue_ms is not None:
            self._offset.observe(venue_ms, sent_ms, (self.clocks.mono_ns() - sent_ns) // 1_000_000)
