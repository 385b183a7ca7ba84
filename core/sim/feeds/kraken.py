"""Kraken's public WebSocket v2: tickers of its USD books, a heartbeat where nothing else is said.

Asked by GET it tells its book.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from core.sim.feeds.around import Around
from core.sim.feeds.pushing import converse

ADDRESSES = {"kraken": {"ws": "/kraken", "api": "/kraken"}}
SYMBOLS = ("BTC/USD", "ETH/USD")
PAIRS = {"XBTUSD": ("XXBTZUSD", "BTC/USD"), "ETHUSD": ("XETHZUSD", "ETH/USD")}
"""What may be asked for, and what it is called in the answer."""


class Params(msgspec.Struct, frozen=True):
    channel: str = ""
    symbol: Sequence[str] = ()


class Command(msgspec.Struct, frozen=True):
    method: str
    params: Params = Params()
    req_id: int | None = None


class Kraken:
    """The provider. ``silent`` are symbols of which nothing is said; ``timeless`` tickers carry no time, as
    those of older servers did; ``system`` is what its status says."""

    def __init__(self, around: Around) -> None:
        self.around = around
        self.silent: set[str] = set()
        self.timeless = False
        self.system = "online"

    def routes(self) -> list[BaseRoute]:
        async def serve(socket: WebSocket) -> None:
            await converse(socket, _Talk(self), (self.status(),))

        async def depth(request: Request) -> JSONResponse:
            return JSONResponse(self.depth(request.query_params.get("pair", "")))

        return [WebSocketRoute("/kraken", serve), Route("/kraken/0/public/Depth", depth)]

    def depth(self, pair: str) -> dict[str, object]:
        """What it answers when asked for one level of a book: an error comes under 200, too."""
        if pair not in PAIRS:
            return {"error": ["EQuery:Unknown asset pair"]}
        called, symbol = PAIRS[pair]
        now_ms = self.around.now_ms()
        bid, ask = self.around.prices.bid_ask(symbol, now_ms, "kraken")
        levels = {"bids": [[f"{bid:.5f}", "2.500", now_ms // 1000]]}
        levels["asks"] = [[f"{ask:.5f}", "3.200", now_ms // 1000]]
        return {"error": [], "result": {called: levels}}

    def status(self) -> bytes:
        state = {"version": "2.0.10", "system": self.system, "api_version": "v2", "connection_id": 1}
        return msgspec.json.encode({"channel": "status", "type": "update", "data": [state]})


def routes(around: Around) -> list[BaseRoute]:
    return Kraken(around).routes()


class _Talk:
    def __init__(self, at: Kraken) -> None:
        self._at = at
        self._symbols: list[str] = []

    def hear(self, text: str) -> Iterator[bytes]:
        try:
            command = msgspec.json.decode(text, type=Command)
        except msgspec.DecodeError:
            yield _answer("", success=False, error="Malformed request")
            return
        if command.method == "ping":
            yield msgspec.json.encode({"method": "pong", "req_id": command.req_id})
            return
        if command.method != "subscribe" or command.params.channel != "ticker":
            yield _answer(command.method[:20], success=False, error="Unsupported method or channel")
            return
        for symbol in command.params.symbol:
            if symbol not in SYMBOLS:
                error = f"Currency pair not supported {symbol[:20]}"
                yield _answer("subscribe", success=False, error=error, symbol=symbol[:20])
                continue
            result = {"channel": "ticker", "symbol": symbol, "snapshot": True}
            yield _answer("subscribe", success=True, result=result)
            self._symbols.append(symbol)
            yield self._ticker("snapshot", symbol)

    def tick(self) -> Iterator[bytes]:
        said = [symbol for symbol in self._symbols if symbol not in self._at.silent]
        if not said:
            yield b'{"channel":"heartbeat"}'
        for symbol in said:
            yield self._ticker("update", symbol)

    def _ticker(self, kind: str, symbol: str) -> bytes:
        around = self._at.around
        now_ms = around.now_ms()
        bid, ask = around.prices.bid_ask(symbol, now_ms, "kraken")
        row: dict[str, Any] = {
            "symbol": symbol, "bid": bid, "bid_qty": 2.5, "ask": ask, "ask_qty": 3.2, "last": bid,
        }  # fmt: skip
        if not self._at.timeless:
            row["timestamp"] = f"{datetime.fromtimestamp(now_ms / 1000, UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
        return msgspec.json.encode({"channel": "ticker", "type": kind, "data": [row]})


def _answer(method: str, **rest: object) -> bytes:
    return msgspec.json.encode({"method": method, **rest})
