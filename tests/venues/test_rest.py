"""What counts as sent, as proof, as a whole list: REST on a scripted transport and virtual time."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from email.utils import formatdate
from typing import Any

import httpx
import pytest

from core.domain.clock import Clocks
from core.venues.kalshi.endpoints import CREATE, ORDERS, POSITIONS, Costs
from core.venues.kalshi.rest import LAST_STEP, READ_TRIES, Rest, network_transport
from core.venues.kalshi.wire import CancelEntry, CostsWire, CostWire
from core.venues.limiter import Limiter, Priority
from core.venues.venue import (
    Accepted,
    Cancelled,
    CancelUnresolved,
    Incomplete,
    NeverSent,
    Rejected,
    Unresolved,
)

Run = Callable[[Any], Any]
CREATED = b'{"order_id":"o-1","fill_count":"0.00","remaining_count":"1.00","ts_ms":17}'
Reply = httpx.Response | Exception


class Script(httpx.AsyncBaseTransport):
    """Answers from a list; announces the last step before the bytes as the network's transport does."""

    def __init__(self, *replies: Reply, before_bytes: Exception | None = None, delay_s: float = 0.0) -> None:
        self.replies, self.before_bytes, self.delay_s = list(replies), before_bytes, delay_s
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.before_bytes is not None:
            raise self.before_bytes
        trace = request.extensions.get("trace")
        if trace is not None:
            await trace(LAST_STEP, {})
        self.requests.append(request)
        await asyncio.sleep(self.delay_s)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        return reply


class FixedSigner:
    def __init__(self) -> None:
        self.signed: list[tuple[str, str, int]] = []

    def headers(self, method: str, path: str, wall_ms: int) -> dict[str, str]:
        self.signed.append((method, path, wall_ms))
        return {"KALSHI-ACCESS-KEY": "k"}


class Desk:
    def __init__(self, clocks: Clocks, script: Script) -> None:
        self.anomalies: list[tuple[str, str]] = []
        self.signer, self.limiter = FixedSigner(), Limiter(clocks)
        self.rest = Rest(
            "http://127.0.0.1:1/trade-api/v2",
            self.signer,
            clocks=clocks,
            limiter=self.limiter,
            rng=random.Random(1),
            transports=lambda limits: script,
            on_anomaly=lambda what, detail: self.anomalies.append((what, detail)),
        )

    async def place(self, check: Callable[[], str | None] = lambda: None) -> Any:
        return await self.rest.place(b"{}", check, Priority.ENTRY, 0.0)


def answer(status: int = 200, body: bytes | dict[str, Any] = b"{}", **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.Response(status, content=content, headers=headers)


def placed(virtual: Run, clocks: Clocks, script: Script, check: Any = lambda: None) -> Any:
    async def main() -> Any:
        return await Desk(clocks, script).place(check)

    return virtual(main())


def test_an_accepted_order(virtual: Run, virtual_clocks: Clocks) -> None:
    assert isinstance(placed(virtual, virtual_clocks, Script(answer(201, CREATED))), Accepted)


@pytest.mark.parametrize(
    "fault", [httpx.ConnectError("refused"), httpx.ConnectTimeout(""), httpx.PoolTimeout("")]
)
def test_a_fault_before_the_bytes_is_never_sent(
    virtual: Run, virtual_clocks: Clocks, fault: Exception
) -> None:
    assert isinstance(placed(virtual, virtual_clocks, Script(answer(), before_bytes=fault)), NeverSent)


@pytest.mark.parametrize(
    "fault", [httpx.ReadTimeout(""), httpx.WriteError(""), httpx.RemoteProtocolError("cut")]
)
def test_a_fault_after_the_bytes_is_unresolved(
    virtual: Run, virtual_clocks: Clocks, fault: Exception
) -> None:
    assert isinstance(placed(virtual, virtual_clocks, Script(fault)), Unresolved)


def test_the_whole_order_has_eight_seconds(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> float:
        outcome = await Desk(virtual_clocks, Script(answer(201, CREATED), delay_s=60)).place()
        assert isinstance(outcome, Unresolved)
        return asyncio.get_running_loop().time()

    assert virtual(main()) == pytest.approx(8.0, abs=0.01)


def test_the_last_check_stops_it_without_a_byte(virtual: Run, virtual_clocks: Clocks) -> None:
    script = Script(answer(201, CREATED))
    assert placed(virtual, virtual_clocks, script, lambda: "book moved") == NeverSent("book moved")
    assert script.requests == []


def test_an_order_is_never_repeated(virtual: Run, virtual_clocks: Clocks) -> None:
    for reply in (answer(503), answer(408), answer(429), httpx.ReadError("")):
        script = Script(reply)
        placed(virtual, virtual_clocks, script)
        assert len(script.requests) == 1


def test_a_429_slows_the_limiter(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        desk = Desk(virtual_clocks, Script(answer(429, b'{"error":"too many requests"}')))
        assert desk.limiter.entry_free(10, 0)
        assert isinstance(await desk.place(), Rejected)
        assert not desk.limiter.entry_free(10, 0)

    virtual(main())


def test_the_path_is_signed_with_its_root_and_freshly(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        script = Script(answer(503), answer(200, {"orders": [], "cursor": ""}))
        desk = Desk(virtual_clocks, script)
        await desk.rest.pages(ORDERS, "orders", Priority.RECONCILE, {"limit": 5})
        assert [(m, p) for m, p, _ in desk.signer.signed] == [("GET", "/trade-api/v2/portfolio/orders")] * 2
        assert desk.signer.signed[0][2] < desk.signer.signed[1][2]
        assert script.requests[0].url.query == b"limit=5"

    virtual(main())


def pages(virtual: Run, clocks: Clocks, script: Script) -> tuple[Any, float]:
    async def main() -> tuple[Any, float]:
        found = await Desk(clocks, script).rest.pages(POSITIONS, "rows", Priority.RECONCILE, {})
        return found, asyncio.get_running_loop().time()

    return virtual(main())


def test_a_list_is_read_to_its_end(virtual: Run, virtual_clocks: Clocks) -> None:
    script = Script(answer(body={"rows": [1, 2], "cursor": "a"}), answer(body={"rows": [3], "cursor": ""}))
    found, _ = pages(virtual, virtual_clocks, script)
    assert [bytes(row) for row in found] == [b"1", b"2", b"3"]
    assert script.requests[1].url.params["cursor"] == "a"


@pytest.mark.parametrize(
    "reply",
    [
        answer(body={"cursor": ""}),
        answer(body={"rows": {}, "cursor": ""}),
        answer(body={"rows": [], "cursor": 7}),
        answer(body=b"<html>"),
        answer(400, {"error": {"code": "bad"}}),
    ],
)
def test_anything_less_than_the_whole_list_is_incomplete(
    virtual: Run, virtual_clocks: Clocks, reply: httpx.Response
) -> None:
    found, _ = pages(virtual, virtual_clocks, Script(reply))
    assert isinstance(found, Incomplete)


def test_a_repeated_cursor_is_noticed_at_once(virtual: Run, virtual_clocks: Clocks) -> None:
    script = Script(answer(body={"rows": [1], "cursor": "same"}))
    found, _ = pages(virtual, virtual_clocks, script)
    assert isinstance(found, Incomplete) and "repeated" in found.reason
    assert len(script.requests) == 2


def test_a_list_that_never_ends_is_incomplete(virtual: Run, virtual_clocks: Clocks) -> None:
    class Endless(Script):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            return answer(body={"rows": [], "cursor": f"c{len(self.requests)}"})

    script = Endless(answer())
    found, _ = pages(virtual, virtual_clocks, script)
    assert isinstance(found, Incomplete) and len(script.requests) == 200


def test_reads_are_tried_five_times_with_growing_pauses(virtual: Run, virtual_clocks: Clocks) -> None:
    script = Script(answer(502))
    found, took_s = pages(virtual, virtual_clocks, script)
    assert isinstance(found, Incomplete) and len(script.requests) == READ_TRIES
    assert 0.5 * 3.0 <= took_s <= 1.5 * 3.0


def test_a_refused_credential_is_not_tried_again(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        script = Script(answer(401, {"error": {"code": "authentication_error"}}))
        desk = Desk(virtual_clocks, script)
        assert isinstance(await desk.rest.read(POSITIONS, "positions", Priority.RECONCILE), Incomplete)
        assert len(script.requests) == 1
        assert desk.anomalies[0][0] == "credential"

    virtual(main())


def test_an_expired_timestamp_is_tried_again_with_a_fresh_one(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        script = Script(
            answer(401, {"error": {"code": "header_timestamp_expired"}}), answer(body={"rows": []})
        )
        desk = Desk(virtual_clocks, script)
        assert not isinstance(await desk.rest.read(POSITIONS, "p", Priority.RECONCILE), Incomplete)
        assert desk.anomalies[0][0] == "clock"

    virtual(main())


def test_cancels_fill_calls_the_bucket_can_carry(virtual: Run, virtual_clocks: Clocks) -> None:
    class Cancels(Script):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            rows = json.loads(request.content)["orders"]
            return answer(body={"orders": [{"order_id": r["order_id"], "reduced_by": "1.00"} for r in rows]})

    async def main() -> None:
        script = Cancels(answer())
        desk = Desk(virtual_clocks, script)
        outcomes = await desk.rest.cancel([CancelEntry(f"o-{n}", "T") for n in range(120)])
        assert [len(json.loads(r.content)["orders"]) for r in script.requests] == [50, 50, 20]
        assert all(isinstance(o, Cancelled) for o in outcomes)
        assert [o.order_id for o in outcomes] == [f"o-{n}" for n in range(120)]
        # 100 tokens are there, the other 140 come at 100 a second.
        assert asyncio.get_running_loop().time() == pytest.approx(1.4, abs=0.05)

    virtual(main())


def test_a_lost_cancel_is_unresolved(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        desk = Desk(virtual_clocks, Script(httpx.ReadError("cut")))
        for orders in ([CancelEntry("a", "T")], [CancelEntry("a", "T"), CancelEntry("b", "T")]):
            outcomes = await desk.rest.cancel(orders)
            assert [type(o) for o in outcomes] == [CancelUnresolved] * len(orders)

    virtual(main())


def test_a_single_cancel_names_its_market_and_shard(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        script = Script(answer(body={"order_id": "a/../b", "reduced_by": "1.00"}))
        desk = Desk(virtual_clocks, script)
        outcomes = await desk.rest.cancel([CancelEntry("a/../b", "T", 2)])
        assert outcomes == (Cancelled("a/../b", 1_000_000),)
        url = script.requests[0].url
        assert url.raw_path.startswith(b"/trade-api/v2/portfolio/events/orders/a%2F..%2Fb?")
        assert dict(url.params) == {"market_ticker": "T", "exchange_index": "2"}

    virtual(main())


def test_the_clock_offset_is_what_every_answer_allows(virtual: Run, virtual_clocks: Clocks) -> None:
    class Dated(Script):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            delay = [2.0, 0.1, 1.0][len(self.requests)]
            self.requests.append(request)
            await asyncio.sleep(delay / 2)
            moment = (virtual_clocks.wall_ms() + 3_000) // 1_000
            await asyncio.sleep(delay / 2)
            return answer(date=formatdate(moment, usegmt=True))

    async def main() -> None:
        desk = Desk(virtual_clocks, Dated(answer()))
        assert desk.rest.clock_offset_ms() is None
        for _ in range(3):
            await desk.rest.read(POSITIONS, "p", Priority.RECONCILE)
        offset = desk.rest.clock_offset_ms()
        assert offset is not None and abs(offset - 3_000) <= 500

    virtual(main())


def test_a_body_without_end_is_cut_off(virtual: Run, virtual_clocks: Clocks) -> None:
    class Flood(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                yield b"x" * 1_048_576

    async def main() -> None:
        desk = Desk(virtual_clocks, Script(httpx.Response(200, stream=Flood())))
        found = await desk.rest.read(POSITIONS, "p", Priority.RECONCILE)
        assert isinstance(found, Incomplete) and "larger" in found.reason

    virtual(main())


def test_a_transport_that_hides_the_last_step_is_reported(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        desk = Desk(virtual_clocks, Script(answer(201, CREATED)))
        silent = httpx.MockTransport(lambda request: answer(201, CREATED))
        desk.rest._general = httpx.AsyncClient(transport=silent)
        assert isinstance(await desk.place(), Accepted)
        assert desk.anomalies[0][0] == "last check"

    virtual(main())


def test_costs_come_from_the_venues_table() -> None:
    costs = Costs()
    assert costs.of(CREATE) == 10
    rows = [CostWire("POST", "/trade-api/v2/portfolio/events/orders", 4)]
    costs.load(CostsWire(default_cost=7, endpoint_costs=rows))
    assert (costs.of(CREATE), costs.of(ORDERS)) == (4, 7)


async def test_the_real_transport_announces_the_step_before_the_bytes() -> None:
    """The event this all rests on is httpcore's; nothing reaches the peer before it."""
    received, left = asyncio.Event(), asyncio.Event()

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.read(1):
            received.set()
        writer.close()
        await writer.wait_closed()
        left.set()

    server = await asyncio.start_server(peer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport = network_transport(httpx.Limits())
    seen: list[str] = []

    async def trace(event: str, info: dict[str, Any]) -> None:
        seen.append(event)
        if event == LAST_STEP:
            assert not received.is_set()
            raise RuntimeError("stop")

    request = httpx.Request("POST", f"http://127.0.0.1:{port}/", content=b"{}", extensions={"trace": trace})
    with pytest.raises(RuntimeError, match="stop"):
        await transport.handle_async_request(request)
    await transport.aclose()
    await left.wait()
    server.close()
    await server.wait_closed()
    assert LAST_STEP in seen and not received.is_set()


def test_one_answer_allows_a_second_and_its_middle_is_taken(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        await asyncio.sleep(0.3)  # ``Date`` is cut to the second that began 0.3 s ago
        date = formatdate(virtual_clocks.wall_ms() // 1_000, usegmt=True)
        desk = Desk(virtual_clocks, Script(answer(date=date), delay_s=0.2))
        await desk.rest.read(POSITIONS, "p", Priority.RECONCILE)
        assert desk.rest.clock_offset_ms() == (-500 + 700) // 2

    virtual(main())
