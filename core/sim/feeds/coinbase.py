"""Coinbase's public WebSocket: tickers and heartbeats of its USD books, numbered a connection.

Asked by GET it tells a product's ticker.
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
from core.sim.feeds.pushing import TICK_S, HangUpError, converse

ADDRESSES = {"coinbase": {"ws": "/coinbase", "api": "/coinbase"}}
PRODUCTS = {"BTC-USD": "BTC/USD", "ETH-USD": "ETH/USD"}
"""The books served, and whose price of this world each shows."""
_PATIENCE_S = 5.0
"""Who has subscribed to nothing by then is dropped."""


class Command(msgspec.Struct, frozen=True):
    type: str
    channel: str = ""
    product_ids: Sequence[str] = ()


class Coinbase:
    """The provider. ``silent`` are products of which nothing is said; ``skip`` numbers are left out next."""

    def __init__(self, around: Around) -> None:
        self.around = around
        self.silent: set[str] = set()
        self.skip = 0

    def routes(self) -> list[BaseRoute]:
        async def serve(socket: WebSocket) -> None:
            await converse(socket, _Talk(self))

        async def ticker(request: Request) -> JSONResponse:
            product = request.path_params["product"]
            if product not in PRODUCTS:
                return JSONResponse({"message": "NotFound"}, 404)
            return JSONResponse(self.ticker(product))

        return [WebSocketRoute("/coinbase", serve), Route("/coinbase/products/{product}/ticker", ticker)]

    def ticker(self, product: str) -> dict[str, object]:
        """What it answers when asked."""
        now_ms = self.around.now_ms()
        bid, ask = self.around.prices.bid_ask(PRODUCTS[product], now_ms, "coinbase")
        time = f"{datetime.fromtimestamp(now_ms / 1000, UTC):%Y-%m-%dT%H:%M:%S.%f}000Z"
        touch = {"bid": f"{bid:.2f}", "ask": f"{ask:.2f}", "price": f"{bid:.2f}", "size": "0.01500000"}
        return {**touch, "volume": "5120.33", "trade_id": now_ms // 1000, "time": time}


def routes(around: Around) -> list[BaseRoute]:
    return Coinbase(around).routes()


class _Talk:
    def __init__(self, at: Coinbase) -> None:
        self._at = at
        self._sequence = 0
        self._ticks = 0
        self._products: list[str] = []
        self._channels: list[str] = []

    def hear(self, text: str) -> Iterator[bytes]:
        try:
            command = msgspec.json.decode(text, type=Command)
        except msgspec.DecodeError:
            yield _error("failure to parse the message")
            return
        unknown = [product for product in command.product_ids if product not in PRODUCTS]
        if command.type != "subscribe" or command.channel not in ("ticker", "heartbeats"):
            yield _error(f"type {command.type[:20]} of channel {command.channel[:20]} is not supported")
        elif unknown:
            yield _error(f"{unknown[0][:20]} is not a valid product")
        else:
            self._channels.append(command.channel)
            self._products.extend(command.product_ids)
            subscribed = dict.fromkeys(self._channels, self._products)
            yield self._message("subscriptions", [{"subscriptions": subscribed}])
            if command.channel == "ticker":
                yield self._tickers("snapshot")

    def tick(self) -> Iterator[bytes]:
        self._ticks += 1
        if not self._channels and self._ticks * TICK_S >= _PATIENCE_S:
            raise HangUpError("no subscription in time", 1008)
        if "ticker" in self._channels:
            yield self._tickers("update")
        if "heartbeats" in self._channels:
            seconds = self._at.around.now_ms() / 1000
            beat = {
                "current_time": f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S.%f}000+00:00",
                "heartbeat_counter": self._ticks,
            }
            yield self._message("heartbeats", [beat])

    def _tickers(self, kind: str) -> bytes:
        said = [product for product in self._products if product not in self._at.silent]
        return self._message("ticker", [{"type": kind, "tickers": [self._ticker(one) for one in said]}])

    def _ticker(self, product: str) -> dict[str, str]:
        around = self._at.around
        bid, ask = around.prices.bid_ask(PRODUCTS[product], around.now_ms(), "coinbase")
        return {
            "type": "ticker",
            "product_id": product,
            "price": f"{bid:.2f}",
            "best_bid": f"{bid:.2f}",
            "best_bid_quantity": "1.50000000",
            "best_ask": f"{ask:.2f}",
            "best_ask_quantity": "0.50000000",
        }

    def _message(self, channel: str, events: list[dict[str, Any]]) -> bytes:
        self._sequence, self._at.skip = self._sequence + self._at.skip, 0
        seconds = self._at.around.now_ms() / 1000
        body = {
            "channel": channel,
            "client_id": "",
            "timestamp": f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S.%f}000Z",
            "sequence_num": self._sequence,
            "events": events,
        }
        self._sequence += 1
        return msgspec.json.encode(body)


def _error(message: str) -> bytes:
    return msgspec.json.encode({"type": "error", "message": message})
