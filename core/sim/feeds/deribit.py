"""Deribit's JSON-RPC WebSocket: DVOL, option tickers with a smile, and heartbeats that want an answer."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from core.sim.feeds.around import Around
from core.sim.feeds.pushing import TICK_S, HangUpError, converse

ADDRESSES = {"deribit": {"ws": "/deribit", "api": "/deribit"}}
HEARTBEAT_S_MIN = 10
_DVOL = re.compile(r"deribit_volatility_index\.(btc|eth)_usd", re.ASCII)
_TICKER = re.compile(r"ticker\.((BTC|ETH)-\d{1,2}[A-Z]{3}\d{2}-(\d{1,9})-[CP])\.(?:100ms|agg2)", re.ASCII)
_EXPIRES_MS = 8 * 3_600_000
"""Into the day of an option's name."""
_INVALID = {"code": -32602, "message": "Invalid params"}
_SMILE = 40.0
"""Points of volatility for a squared log distance of the strike of 1."""


class Command(msgspec.Struct, frozen=True):
    method: str
    id: int | None = None
    params: Mapping[str, Any] = {}


class Deribit:
    """The provider. ``silent`` are channels of which nothing is said."""

    def __init__(self, around: Around) -> None:
        self.around = around
        self.silent: set[str] = set()

    def routes(self) -> list[BaseRoute]:
        async def serve(socket: WebSocket) -> None:
            await converse(socket, _Talk(self))

        async def asked(request: Request) -> JSONResponse:
            method = request.path_params["method"]
            result = self.asked(method, request.query_params)
            if result is None:
                return JSONResponse({"jsonrpc": "2.0", "error": _INVALID}, 400)
            return JSONResponse({"jsonrpc": "2.0", "result": result, "testnet": False})

        return [WebSocketRoute("/deribit", serve), Route("/deribit/api/v2/public/{method}", asked)]

    def asked(self, method: str, params: Mapping[str, str]) -> object:
        """The answer to a GET; None for what it does not know."""
        now_ms = self.around.now_ms()
        channel = f"ticker.{params.get('instrument_name', '')}.agg2"
        index = f"deribit_volatility_index.{params.get('currency', '').lower()}_usd"
        match method:
            case "get_index_price" if params.get("index_name") in ("btc_usd", "eth_usd"):
                coin = params["index_name"].removesuffix("_usd").upper()
                return {"index_price": self.around.prices.value(f"{coin}/USD", now_ms, "deribit")}
            case "ticker" if _TICKER.fullmatch(channel) and not expired(channel, now_ms):
                return self.data(channel)
            case "get_volatility_index_data" if _DVOL.fullmatch(index) and params.get("resolution") == "1":
                at_ms = now_ms // 1000 * 1000
                return {"data": [[at_ms, *[self.data(index)["volatility"]] * 4]], "continuation": None}
            case _:
                return None

    def data(self, channel: str) -> dict[str, Any]:
        """What a known channel tells now."""
        prices, now_ms = self.around.prices, self.around.now_ms()
        if found := _DVOL.fullmatch(channel):
            currency = found[1].upper()
            volatility = prices.value(f"DVOL {currency}", now_ms)
            return {"timestamp": now_ms, "volatility": volatility, "index_name": f"{found[1]}_usd"}
        found = _TICKER.fullmatch(channel)
        assert found is not None  # only known channels are followed
        name, currency, strike = found.groups()
        spot = prices.value(f"{currency}/USD", now_ms, "deribit")
        smile = prices.value(f"DVOL {currency}", now_ms) + _SMILE * math.log(max(1, int(strike)) / spot) ** 2
        return {
            "timestamp": now_ms,
            "state": "open",
            "instrument_name": name,
            "index_price": spot,
            "underlying_price": spot,
            "mark_iv": round(min(smile, 400.0), 2),
        }


def routes(around: Around) -> list[BaseRoute]:
    return Deribit(around).routes()


class _Talk:
    def __init__(self, at: Deribit) -> None:
        self._at = at
        self._channels: list[str] = []
        self._ticks = 0
        self._heartbeat_s = 0
        self._unanswered = False

    def hear(self, text: str) -> Iterator[bytes]:
        try:
            command = msgspec.json.decode(text, type=Command)
        except msgspec.DecodeError:
            yield _error(None, -32700, "Parse error")
            return
        match command.method:
            case "public/set_heartbeat":
                interval = command.params.get("interval")
                if not isinstance(interval, int) or interval < HEARTBEAT_S_MIN:
                    yield _error(command.id, -32602, "Invalid params")
                    return
                self._heartbeat_s = interval
                yield _answer(command.id, "ok")
            case "public/subscribe":
                asked = command.params.get("channels")
                known = [one for one in asked if _known(one)] if isinstance(asked, list) else []
                self._channels.extend(known)
                yield _answer(command.id, known)
            case "public/test":
                self._unanswered = False
                yield _answer(command.id, {"version": "1.2.26"})
            case _:
                yield _error(command.id, -32601, "Method not found")

    def tick(self) -> Iterator[bytes]:
        self._ticks += 1
        for channel in self._channels:
            if channel not in self._at.silent and not expired(channel, self._at.around.now_ms()):
                yield _note("subscription", {"channel": channel, "data": self._at.data(channel)})
        if self._heartbeat_s and self._ticks % round(self._heartbeat_s / TICK_S) == 0:
            if self._unanswered:
                raise HangUpError("a test request was not answered", 1001)
            self._unanswered = True
            yield _note("heartbeat", {"type": "test_request"})


def expired(channel: str, now_ms: int) -> bool:
    """Whether it is an option's that is over."""
    found = _TICKER.fullmatch(channel)
    if found is None:
        return False
    day = datetime.strptime(found[1].split("-")[1], "%d%b%y").replace(tzinfo=UTC)
    return now_ms >= int(day.timestamp()) * 1000 + _EXPIRES_MS


def _known(channel: object) -> bool:
    return isinstance(channel, str) and any(form.fullmatch(channel) for form in (_DVOL, _TICKER))


def _answer(number: int | None, result: Any) -> bytes:
    return msgspec.json.encode({"jsonrpc": "2.0", "id": number, "result": result, "testnet": False})


def _error(number: int | None, code: int, message: str) -> bytes:
    return msgspec.json.encode({"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": message}})


def _note(method: str, params: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode({"jsonrpc": "2.0", "method": method, "params": params})
