"""Whole lists, repeated reads, the venue's clock: on a scripted transport and virtual time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from email.utils import formatdate
from typing import Any

import httpx
import pytest

from core.domain.clock import Clocks
from core.venues.http import LAST_STEP, READ_TRIES, network_transport
from core.venues.kalshi.account import Account
from core.venues.kalshi.cancels import CancelEntry
from core.venues.kalshi.endpoints import ORDERS, POSITIONS, Costs
from core.venues.kalshi.limits import CostsWire, CostWire
from core.venues.kalshi.orders import CREATE, create_order
from core.venues.limiter import Priority
from core.venues.reader import Reader
from core.venues.venue import Incomplete
from tests.venues.scripted import INTENT, Desk, Script, answer

Run = Callable[[Any], Any]


def test_the_path_is_signed_with_its_root_and_freshly(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        script = Script(answer(503), answer(200, {"orders": [], "cursor": ""}))
        desk = Desk(virtual_clocks, script)
        await desk.http.pages(ORDERS, "orders", Priority.RECONCILE, {"limit": 5})
        assert [(m, p) for m, p, _ in desk.signer.signed] == [("GET", "/trade-api/v2/portfolio/orders")] * 2
        assert desk.signer.signed[0][2] < desk.signer.signed[1][2]
        assert script.requests[0].url.query == b"limit=5&subaccount=0"

    virtual(main())


def pages(virtual: Run, clocks: Clocks, script: Script) -> tuple[Any, float]:
    async def main() -> tuple[Any, float]:
        found = await Desk(clocks, script).http.pages(POSITIONS, "rows", Priority.RECONCILE, {})
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
        assert isinstance(await desk.http.read(POSITIONS, "positions", Priority.RECONCILE), Incomplete)
        assert len(script.requests) == 1
        assert desk.lockouts == ["the venue does not accept the key: HTTP 401 authentication_error"]

    virtual(main())


def test_an_expired_timestamp_is_tried_again_with_a_fresh_one(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        script = Script(
            answer(401, {"error": {"code": "header_timestamp_expired"}}), answer(body={"rows": []})
        )
        desk = Desk(virtual_clocks, script)
        assert not isinstance(await desk.http.read(POSITIONS, "p", Priority.RECONCILE), Incomplete)
        assert desk.anomalies[0][0] == "clock"

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
        assert desk.http.clock_offset_ms() is None
        for _ in range(3):
            await desk.http.read(POSITIONS, "p", Priority.RECONCILE)
        offset = desk.http.clock_offset_ms()
        assert offset is not None and abs(offset - 3_000) <= 500

    virtual(main())


def test_a_body_without_end_is_cut_off(virtual: Run, virtual_clocks: Clocks) -> None:
    class Flood(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                yield b"x" * 1_048_576

    async def main() -> None:
        desk = Desk(virtual_clocks, Script(httpx.Response(200, stream=Flood())))
        found = await desk.http.read(POSITIONS, "p", Priority.RECONCILE)
        assert isinstance(found, Incomplete) and "larger" in found.reason

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


def test_one_answer_proves_no_difference_within_its_second(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        await asyncio.sleep(0.3)  # ``Date`` is cut to the second that began 0.3 s ago
        date = formatdate(virtual_clocks.wall_ms() // 1_000, usegmt=True)
        desk = Desk(virtual_clocks, Script(answer(date=date), delay_s=0.2))
        await desk.http.read(POSITIONS, "p", Priority.RECONCILE)
        assert desk.http.clock_offset_ms() == 0

    virtual(main())


def test_many_answers_of_a_clock_in_step_never_call_it_off(virtual: Run, virtual_clocks: Clocks) -> None:
    """Rounding makes narrow answers contradict each other by milliseconds; that is no step of a clock."""

    class Dated(Script):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(0.0004)
            return answer(date=formatdate((virtual_clocks.wall_ms() + 2) // 1_000, usegmt=True))

    async def main() -> None:
        desk = Desk(virtual_clocks, Dated(answer()))
        for pause in (0.0, *[0.4995, 0.5003, 0.9991] * 20):
            await asyncio.sleep(pause)
            await desk.http.read(POSITIONS, "p", Priority.RECONCILE)
            offset = desk.http.clock_offset_ms()
            assert offset is not None and abs(offset) <= 5

    virtual(main())


def test_an_answer_nested_too_deep_is_of_no_use(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        body = b'{"rows":[' + b"[" * 40 + b"]" * 40 + b"]}"
        desk = Desk(virtual_clocks, Script(answer(body=body)))
        found = await desk.http.read(POSITIONS, "p", Priority.RECONCILE)
        assert isinstance(found, Incomplete) and "deeper" in found.reason

    virtual(main())


def test_every_call_is_about_the_subaccount_it_was_made_for(virtual: Run, virtual_clocks: Clocks) -> None:
    class Anything(Script):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if (trace := request.extensions.get("trace")) is not None:
                await trace(LAST_STEP, {})
            self.requests.append(request)
            return answer(404)

    async def main() -> None:
        script = Anything(answer())
        desk = Desk(virtual_clocks, script, subaccount=7)
        account = Account(Reader(desk.http, desk.http.on_anomaly))
        entries = [CancelEntry("o-1", "KX-A", 0), CancelEntry("o-2", "KX-A", 0)]
        order = create_order(INTENT, 0)
        await desk.place()
        await desk.orders.place_batch([order, order], lambda: None, Priority.EXIT, 0.0)
        await desk.cancels.cancel(entries)
        for request in script.requests:
            body = json.loads(request.content)
            assert all(row["subaccount"] == 7 for row in body.get("orders", [body]))
        before = len(script.requests)
        await Desk(virtual_clocks, script, subaccount=7).cancels.cancel(entries[:1])
        await desk.cancels.everything()
        await account.orders(None, None, None)
        await account.fills(None)
        await account.positions()
        await account.settlements(None)
        await account.cash()
        await account.queue_ahead(["KX-A"])
        assert len(script.requests) - before == 8
        for request in script.requests[before:]:
            assert request.url.params["subaccount"] == "7", request.url

    virtual(main())
