"""One loopback server with a real client: both key types, heartbeat, cut connections, Date."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime

import httpx
import pytest
import uvicorn
import websockets
from websockets.asyncio.client import ClientConnection
from websockets.frames import Frame, Opcode

from core.domain.clock import SystemClock, WorldClock
from core.domain.units import parse_money
from core.sim.contracts import EventSpec, MarketSpec, SeriesSpec
from core.sim.exchange import Exchange
from core.sim.faults import Faults
from core.sim.kalshi import server
from core.sim.kalshi.app import build_app
from core.sim.prices import Prices

STREAM = "/trade-api/ws/v2"
T = "KXA-1-T5"


class Live:
    """A running server on a free port."""

    def __init__(self, port: int, keys, signer, faults: Faults, exchange: Exchange) -> None:
        self.port, self.keys, self.faults, self.exchange = port, keys, faults, exchange
        self._sign, self._clock = signer, SystemClock()

    def headers(self, method: str, path: str, key: int = 0) -> dict[str, str]:
        return self._sign(self.keys[key], self._clock.wall_ms(), method, path)

    def stream(self, key: int = 0):
        headers = self.headers("GET", STREAM, key)
        return websockets.connect(f"ws://127.0.0.1:{self.port}{STREAM}", additional_headers=headers)

    def http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}")


class Started(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


@asynccontextmanager
async def serving(issued, signer) -> AsyncIterator[Live]:
    registry, keys = issued
    clock, world = SystemClock(), WorldClock(0, 0)
    exchange, faults = Exchange(clock, world, lambda: str(uuid.uuid4())), Faults(clock)
    now_ms = clock.wall_ms()
    exchange.list_series(SeriesSpec("KXA", "a", "Climate"))
    market = MarketSpec(T, "KXA-1", "KXA", "t", "y", "greater", now_ms, now_ms + 10**9)
    exchange.list_event(EventSpec("KXA-1", "KXA", "t", "s", (market,)))
    exchange.open_account("ann", parse_money("100"))
    running = Started(server.config(build_app(exchange, registry, clock, faults, Prices(1))))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        task = asyncio.create_task(running.serve([listening]))
        await running.ready.wait()
        try:
            yield Live(listening.getsockname()[1], keys, signer, faults, exchange)
        finally:
            running.should_exit = True
            await task


async def test_a_real_client_trades_over_loopback(issued, signer, body_of):
    async with serving(issued, signer) as live, live.http() as http, live.stream(key=1) as stream:
        channels = {"channels": ["orderbook_delta", "user_orders"], "market_tickers": [T]}
        await stream.send(json.dumps({"id": 1, "cmd": "subscribe", "params": channels}))
        path = "/trade-api/v2/portfolio/events/orders"
        body = body_of(ticker=T, client_order_id="c")
        answer = await http.post(path, json=body, headers=live.headers("POST", path))
        assert answer.status_code == 201, answer.text
        assert (
            abs(parsedate_to_datetime(answer.headers["date"]).timestamp() - answer.json()["ts_ms"] / 1000) < 3
        )
        kinds: list[str] = []
        while len(kinds) < 5:
            message = await asyncio.wait_for(stream.recv(), 5)
            assert isinstance(message, str)
            kinds.append(json.loads(message)["type"])
        assert sorted(kinds) == [
            "orderbook_delta",
            "orderbook_snapshot",
            "subscribed",
            "subscribed",
            "user_order",
        ]


async def test_an_unsigned_or_refused_upgrade_gets_http_401_with_a_json_body(issued, signer, caplog):
    async with serving(issued, signer) as live:
        # uvicorn's loggers do not propagate.
        logging.getLogger("uvicorn").addHandler(caplog.handler)
        with pytest.raises(websockets.InvalidStatus) as refused:
            await websockets.connect(f"ws://127.0.0.1:{live.port}{STREAM}")
        assert refused.value.response.status_code == 401
        assert json.loads(refused.value.response.body)["error"]["code"] == "authentication_error"
        live.faults.refuse(STREAM, 503, b"{}", count=1)
        with pytest.raises(websockets.InvalidStatus) as refused:
            await live.stream()
        assert refused.value.response.status_code == 503
        logging.getLogger("uvicorn").removeHandler(caplog.handler)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_lost_answers_and_dropped_streams_cut_the_connection(issued, signer, body_of):
    async with serving(issued, signer) as live, live.http() as http, live.stream() as stream:
        live.faults.lose_next_create_answer("ann", 60_000)
        path = "/trade-api/v2/portfolio/events/orders"
        with pytest.raises(httpx.TransportError):
            await http.post(
                path, json=body_of(ticker=T, client_order_id="l"), headers=live.headers("POST", path)
            )
        assert len(live.exchange.account("ann").working) == 1
        live.faults.drop_ws("ann")
        with pytest.raises(websockets.ConnectionClosedError):
            await asyncio.wait_for(stream.recv(), 5)


async def test_answers_do_not_wait_for_delayed_acknowledgements(issued, signer):
    async with serving(issued, signer) as live, live.http() as http:
        took = []
        for _ in range(15):
            sent = time.perf_counter()
            await http.get("/trade-api/v2/exchange/status")
            took.append(time.perf_counter() - sent)
        assert sorted(took)[7] < 0.03


async def test_the_server_pings_with_heartbeat_and_answers_pings_at_once(issued, signer, monkeypatch):
    monkeypatch.setattr(server, "HEARTBEAT_S", 0.05)
    pinged: asyncio.Queue[bytes] = asyncio.Queue()

    class Watching(ClientConnection):
        def process_event(self, event: object) -> None:
            if isinstance(event, Frame) and event.opcode is Opcode.PING:
                pinged.put_nowait(bytes(event.data))
            super().process_event(event)  # type: ignore[arg-type]

    async with serving(issued, signer) as live:
        headers = live.headers("GET", STREAM)
        url = f"ws://127.0.0.1:{live.port}{STREAM}"
        async with websockets.connect(url, additional_headers=headers, create_connection=Watching) as stream:
            bodies = [await asyncio.wait_for(pinged.get(), 5) for _ in range(2)]
            assert bodies == [b"heartbeat", b"heartbeat"]
            latency = await asyncio.wait_for(await stream.ping(), 5)
            assert latency < 0.5
