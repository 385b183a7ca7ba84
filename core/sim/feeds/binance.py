"""Binance's combined market streams: the 24-hour ticker with its time, the book ticker without one.

Asked by GET it tells the 24-hour ticker.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from core.sim.feeds.around import Around
from core.sim.feeds.pushing import TICK_S, HangUpError, converse

ADDRESSES = {"binance": {"ws": "/binance", "api": "/binance"}}
SYMBOLS = {"btcusdt": "BTC/USD", "ethusdt": "ETH/USD"}
_BLOCKED = {
    "code": 0,
    "msg": "Service unavailable from a restricted location according to 'b. Eligibility' in the terms.",
}


class Binance:
    """The provider. ``blocked``: the client comes from where it does not serve; ``silent`` are symbols of
    which nothing is said; a connection is closed after ``close_after_s``."""

    def __init__(self, around: Around) -> None:
        self.around = around
        self.blocked = False
        self.silent: set[str] = set()
        self.close_after_s = 86_400.0

    def routes(self) -> list[BaseRoute]:
        async def serve(socket: WebSocket) -> None:
            if self.blocked:
                await socket.send_denial_response(JSONResponse(_BLOCKED, 451))
                return
            await converse(socket, _Talk(self, socket.query_params.get("streams", "").split("/")))

        async def ticker(request: Request) -> JSONResponse:
            symbol = request.query_params.get("symbol", "")
            if self.blocked:
                return JSONResponse(_BLOCKED, 451)
            if symbol.lower() not in SYMBOLS:
                return JSONResponse({"code": -1121, "msg": "Invalid symbol."}, 400)
            return JSONResponse(self.ticker(symbol))

        return [
            WebSocketRoute("/binance/stream", serve),
            Route("/binance/api/v3/ticker/24hr", ticker),
        ]

    def ticker(self, symbol: str) -> dict[str, Any]:
        """What it answers when asked."""
        now_ms = self.around.now_ms()
        bid, ask = self.around.prices.bid_ask(SYMBOLS[symbol.lower()], now_ms, "binance")
        touch = {"bidPrice": f"{bid:.8f}", "askPrice": f"{ask:.8f}", "lastPrice": f"{bid:.8f}"}
        return {"symbol": symbol, **touch, "openTime": now_ms - 86_400_000, "closeTime": now_ms}


def routes(around: Around) -> list[BaseRoute]:
    return Binance(around).routes()


class _Talk:
    def __init__(self, at: Binance, streams: list[str]) -> None:
        self._at, self._streams = at, streams
        self._ticks = 0

    def hear(self, text: str) -> Iterator[bytes]:
        error = {"code": 2, "msg": "Invalid request: the streams of this world stand in the path"}
        yield msgspec.json.encode({"error": error})

    def tick(self) -> Iterator[bytes]:
        self._ticks += 1
        if self._ticks * TICK_S >= self._at.close_after_s:
            raise HangUpError("a connection lasts 24 hours", 1001)
        for stream in self._streams:
            symbol, _, kind = stream.partition("@")
            if symbol in SYMBOLS and symbol not in self._at.silent and kind in ("ticker", "bookTicker"):
                yield msgspec.json.encode({"stream": stream, "data": self._data(symbol, kind)})

    def _data(self, symbol: str, kind: str) -> dict[str, Any]:
        around = self._at.around
        now_ms = around.now_ms()
        bid, ask = around.prices.bid_ask(SYMBOLS[symbol], now_ms, "binance")
        touch = {"b": f"{bid:.8f}", "B": "2.35950000", "a": f"{ask:.8f}", "A": "2.84570000"}
        if kind == "bookTicker":
            return {"u": now_ms, "s": symbol.upper(), **touch}
        return {"e": "24hrTicker", "E": now_ms, "s": symbol.upper(), "c": f"{bid:.8f}", **touch}
