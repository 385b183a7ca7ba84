"""Kalshi over HTTP: signed requests that either prove something or say that they do not.

Orders are sent once. Reads are repeated a few times and come back whole or as ``Incomplete``.
Cancels have a client, and so a warm connection, of their own.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

import httpx
import msgspec

from core.domain.clock import Clocks
from core.venues.kalshi.answers import (
    batch_cancel_outcomes,
    cancel_outcome,
    place_outcome,
    refusal,
)
from core.venues.kalshi.endpoints import (
    BATCH_CANCEL,
    CANCEL,
    CREATE,
    STATUS,
    Costs,
    Endpoint,
)
from core.venues.kalshi.sign import Signer
from core.venues.kalshi.wire import CancelBatch, CancelEntry, WireError, decode
from core.venues.limiter import Limiter, Priority, Refused
from core.venues.venue import (
    CancelOutcome,
    CancelUnresolved,
    Incomplete,
    LastCheck,
    NeverSent,
    PlaceOutcome,
    Unresolved,
)

if TYPE_CHECKING:
    import random

TransportFactory = Callable[[httpx.Limits], httpx.AsyncBaseTransport]
"""Makes one connection pool. A transport that replaces the network must report httpcore's ``trace``
events like it: ``http11.send_request_headers.started`` is the step before an order's first byte."""

LAST_STEP: Final = "http11.send_request_headers.started"

ORDER_TIMEOUT: Final = httpx.Timeout(connect=2.0, write=2.0, read=5.0, pool=2.0)
READ_TIMEOUT: Final = httpx.Timeout(connect=2.0, write=2.0, read=10.0, pool=5.0)
ORDER_TOTAL_S: Final = 8.0
READ_TOTAL_S: Final = 15.0
IDLE_S_MAX: Final = 20.0
"""An idle connection older than this is replaced, not reused: its peer may be gone."""

READ_TRIES: Final = 5
BACKOFF_FIRST_S, BACKOFF_MAX_S = 0.2, 10.0
BODY_BYTES_MAX: Final = 32 * 1024 * 1024
PAGES_MAX: Final = 200
OFFSET_SAMPLES: Final = 16

Query = Mapping[str, str | int]
Trace = Callable[[str, dict[str, Any]], Awaitable[None]]


class Answer(msgspec.Struct, frozen=True):
    status: int
    body: bytes


class _StoppedError(Exception):
    """The last check said no; no byte has left."""


class _TooLargeError(Exception):
    """The body exceeds the bound; the answer is of no use."""


_page = msgspec.json.Decoder(dict[str, msgspec.Raw])
_raws = msgspec.json.Decoder(list[msgspec.Raw])
_cursor = msgspec.json.Decoder(str | None)


def network_transport(limits: httpx.Limits) -> httpx.AsyncBaseTransport:
    """The real network: HTTP/1.1, no retries, nothing from the environment."""
    return httpx.AsyncHTTPTransport(http2=False, retries=0, trust_env=False, limits=limits)


class Rest:
    """All HTTP calls of one account. ``url`` is the API root, ``http://127.0.0.1:8080/trade-api/v2``."""

    def __init__(
        self,
        url: str,
        signer: Signer,
        *,
        clocks: Clocks,
        limiter: Limiter,
        rng: random.Random,
        transports: TransportFactory,
        on_anomaly: Callable[[str, str], None],
    ) -> None:
        self._root = url.rstrip("/")
        self._root_path = urlsplit(self._root).path
        self._signer, self._clocks, self._limiter = signer, clocks, limiter
        self._rng, self._on_anomaly = rng, on_anomaly
        self.costs = Costs()
        self._general = self._client(transports, connections=10)
        self._cancels = self._client(transports, connections=2)
        self._offsets: deque[tuple[int, int]] = deque(maxlen=OFFSET_SAMPLES)

    @staticmethod
    def _client(transports: TransportFactory, connections: int) -> httpx.AsyncClient:
        limits = httpx.Limits(
            max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=IDLE_S_MAX
        )
        return httpx.AsyncClient(
            transport=transports(limits),
            trust_env=False,
            timeout=READ_TIMEOUT,
            headers={"user-agent": "pmconsole", "accept": "application/json"},
        )

    async def close(self) -> None:
        await self._general.aclose()
        await self._cancels.aclose()

    def clock_offset_ms(self) -> int | None:
        """Venue clock minus ours: the middle of what every one of the last answers allows.

        A ``Date`` is cut to whole seconds, so one answer allows a second; several narrow it down.
        """
        if not self._offsets:
            return None
        low, high = max(low for low, _ in self._offsets), min(high for _, high in self._offsets)
        if low > high:  # a clock was set meanwhile: only the newest answer knows
            low, high = self._offsets[-1]
        return (low + high) // 2

    # --- writes -----------------------------------------------------------------------------------

    async def place(
        self, body: bytes, last_check: LastCheck, priority: Priority, cancels_cost: float
    ) -> PlaceOutcome:
        """Send one order. ``NeverSent`` only with proof that no byte left, ``Unresolved`` on any doubt."""
        refused = await self._limiter.admit(
            CREATE.kind, priority, self.costs.of(CREATE), cancels_cost=cancels_cost
        )
        if refused is not None:
            return NeverSent(refused.reason)
        sent = False

        async def trace(event: str, info: dict[str, Any]) -> None:
            nonlocal sent
            if event == LAST_STEP:
                stop = last_check()
                if stop is not None:
                    raise _StoppedError(stop)
                sent = True

        try:
            answer = await self._request(
                self._general, CREATE, CREATE.path, {}, body, ORDER_TIMEOUT, ORDER_TOTAL_S, trace
            )
        except _StoppedError as stopped:
            return NeverSent(str(stopped))
        except (httpx.HTTPError, TimeoutError, _TooLargeError) as error:
            return Unresolved(_fault(error)) if sent else NeverSent(_fault(error))
        if not sent:
            self._on_anomaly("last check", "the transport sent an order without announcing it")
        if answer.status == 429:
            self._limiter.throttled(CREATE.kind)
        return place_outcome(answer.status, answer.body)

    async def cancel(self, orders: Sequence[CancelEntry]) -> tuple[CancelOutcome, ...]:
        """Cancel orders in as few calls as the bucket allows; one outcome an order, in order."""
        if len(orders) == 1:
            return (await self._cancel_one(orders[0]),)
        size = max(1, int(self._limiter.burst(BATCH_CANCEL.kind) // max(self.costs.of(BATCH_CANCEL), 1e-9)))
        outcomes: list[CancelOutcome] = []
        for start in range(0, len(orders), size):
            outcomes.extend(await self._cancel_batch(orders[start : start + size]))
        return tuple(outcomes)

    async def _cancel_one(self, order: CancelEntry) -> CancelOutcome:
        query: dict[str, str | int] = {"market_ticker": order.market_ticker}
        if order.exchange_index is not None:
            query["exchange_index"] = order.exchange_index
        path = CANCEL.path.format(order_id=quote(order.order_id, safe=""))
        answer = await self._cancel_request(CANCEL, path, query, b"", self.costs.of(CANCEL))
        if isinstance(answer, str):
            return CancelUnresolved(order.order_id, answer)
        return cancel_outcome(order.order_id, answer.status, answer.body)

    async def _cancel_batch(self, orders: Sequence[CancelEntry]) -> tuple[CancelOutcome, ...]:
        ids = [order.order_id for order in orders]
        body = msgspec.json.encode(CancelBatch(list(orders)))
        cost = self.costs.of(BATCH_CANCEL) * len(orders)
        answer = await self._cancel_request(BATCH_CANCEL, BATCH_CANCEL.path, {}, body, cost)
        if isinstance(answer, str):
            return tuple(CancelUnresolved(order_id, answer) for order_id in ids)
        return batch_cancel_outcomes(ids, answer.status, answer.body)

    async def _cancel_request(
        self, endpoint: Endpoint, path: str, query: Query, body: bytes, cost: float
    ) -> Answer | str:
        refused = await self._limiter.admit(endpoint.kind, Priority.CANCEL, cost)
        if refused is not None:
            return refused.reason
        try:
            answer = await self._request(
                self._cancels, endpoint, path, query, body, ORDER_TIMEOUT, ORDER_TOTAL_S, None
            )
        except (httpx.HTTPError, TimeoutError, _TooLargeError) as error:
            return _fault(error)
        if answer.status == 429:
            self._limiter.throttled(endpoint.kind)
        return answer

    async def warm(self) -> None:
        """Keep the cancels' connection open by a small read on it; a failure shows in the next cancel."""
        if await self._limiter.admit(STATUS.kind, Priority.BACKGROUND, self.costs.of(STATUS)) is not None:
            return
        try:
            await self._request(
                self._cancels, STATUS, STATUS.path, {}, b"", READ_TIMEOUT, ORDER_TOTAL_S, None
            )
        except (httpx.HTTPError, TimeoutError, _TooLargeError) as error:
            self._on_anomaly("cancel connection", _fault(error))

    # --- reads ------------------------------------------------------------------------------------

    async def read(
        self,
        endpoint: Endpoint,
        what: str,
        priority: Priority,
        *,
        query: Query | None = None,
        path: str | None = None,
        accept: frozenset[int] = frozenset(),
    ) -> Answer | Incomplete:
        """A 2xx answer (or one of ``accept``), after at most five tries; anything else is ``Incomplete``."""
        reason = ""
        for attempt in range(READ_TRIES):
            if attempt:
                backoff = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2.0 ** (attempt - 1))
                await asyncio.sleep(backoff * (0.5 + self._rng.random()))
            refused = await self._limiter.admit(endpoint.kind, priority, self.costs.of(endpoint))
            if isinstance(refused, Refused):
                return Incomplete(what, refused.reason)
            try:
                answer = await self._request(
                    self._general,
                    endpoint,
                    path or endpoint.path,
                    query or {},
                    b"",
                    READ_TIMEOUT,
                    READ_TOTAL_S,
                    None,
                )
            except (httpx.HTTPError, TimeoutError) as error:
                reason = _fault(error)
                continue
            except _TooLargeError as error:
                return Incomplete(what, _fault(error))
            if 200 <= answer.status < 300 or answer.status in accept:
                return answer
            said = refusal(answer.body)
            reason = f"HTTP {answer.status}: {said.code or said.text}"
            if answer.status == 429:
                self._limiter.throttled(endpoint.kind)
            elif answer.status == 401 and said.code == "header_timestamp_expired":
                self._on_anomaly("clock", "the venue refused our timestamp: clocks differ")
            elif answer.status in (401, 403):
                self._on_anomaly("credential", f"{what}: {reason}")
                return Incomplete(what, reason)
            elif answer.status < 500 and answer.status != 408:
                return Incomplete(what, reason)
        return Incomplete(what, f"{reason} ({READ_TRIES} tries)")

    async def pages(
        self, endpoint: Endpoint, items: str, priority: Priority, query: Query
    ) -> list[msgspec.Raw] | Incomplete:
        """Every element of a paged list under the key ``items``, or ``Incomplete``: never a part of it."""
        found: list[msgspec.Raw] = []
        seen: set[str] = set()
        cursor = ""
        for _ in range(PAGES_MAX):
            asked = {**query, "cursor": cursor} if cursor else query
            answer = await self.read(endpoint, items, priority, query=asked)
            if isinstance(answer, Incomplete):
                return answer
            try:
                page = decode(answer.body, _page, items)
                if items not in page:
                    return Incomplete(items, f"the answer has no {items}")
                rows = decode(page[items], _raws, items)
                found.extend(rows)
                cursor = (decode(page["cursor"], _cursor, "cursor") if "cursor" in page else None) or ""
            except WireError as error:
                return Incomplete(items, str(error))
            if not cursor:
                return found
            if cursor in seen:
                return Incomplete(items, "the venue repeated a page cursor")
            seen.add(cursor)
        return Incomplete(items, f"more than {PAGES_MAX} pages")

    # --- one request ------------------------------------------------------------------------------

    async def _request(
        self,
        client: httpx.AsyncClient,
        endpoint: Endpoint,
        path: str,
        query: Query,
        body: bytes,
        timeout: httpx.Timeout,
        total_s: float,
        trace: Trace | None,
    ) -> Answer:
        headers = self._signer.headers(endpoint.method, self._root_path + path, self._clocks.wall_ms())
        if body:
            headers["content-type"] = "application/json"
        request = client.build_request(
            endpoint.method,
            self._root + path,
            params=dict(query) or None,
            content=body or None,
            headers=headers,
            timeout=timeout,
            extensions={"trace": trace} if trace is not None else None,
        )
        sent_ms, sent_ns = self._clocks.wall_ms(), self._clocks.mono_ns()
        async with asyncio.timeout(total_s):
            response = await client.send(request, stream=True)
            try:
                self._observe_date(response.headers.get("date", ""), sent_ms, sent_ns)
                data = bytearray()
                async for chunk in response.aiter_bytes():
                    data += chunk
                    if len(data) > BODY_BYTES_MAX:
                        raise _TooLargeError(f"answer larger than {BODY_BYTES_MAX} bytes")
            finally:
                await response.aclose()
        return Answer(response.status_code, bytes(data))

    def _observe_date(self, header: str, sent_ms: int, sent_ns: int) -> None:
        try:
            venue_ms = int(parsedate_to_datetime(header).timestamp() * 1_000)
        except (ValueError, OverflowError):
            return
        round_trip_ms = (self._clocks.mono_ns() - sent_ns) // 1_000_000
        self._offsets.append((venue_ms - sent_ms - round_trip_ms, venue_ms + 1_000 - sent_ms))


def _fault(error: Exception) -> str:
    """A transport fault in a few words; the library's text may be empty."""
    text = str(error)[:120]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
