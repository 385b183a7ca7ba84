"""Two Ethereum nodes' JSON-RPC with Chainlink's aggregators on them, priced by this world.

A round comes every twenty minutes of world time while the price's market is open; over a weekend the last
one stands there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from core.sim.feeds.around import Around
from core.sim.new_york import ALWAYS, FOREX, Hours

PREFIX = "/chainlink"
NODES = ("one", "two")
ADDRESSES = {"chainlink": {"rpc": f"{PREFIX}/one", "rpc-2": f"{PREFIX}/two"}}
CHAIN_ID = 1
DECIMALS = 8
ROUND_MS = 20 * 60_000
BLOCK_S = 12
_PHASE = 1 << 64
_LATEST_ROUND, _DECIMALS, _DESCRIPTION = "0xfeaf968c", "0x313ce567", "0x7284e416"


class Feed(msgspec.Struct, frozen=True):
    """One aggregator: the price it shows, what it calls itself, and when it is updated."""

    name: str
    description: str
    hours: Hours = ALWAYS


FEEDS = {
    "0xf4030086522a5beea4988f8ca5b36dbc97bee88c": Feed("BTC/USD", "BTC / USD"),
    "0x5f4ec3df9cbd43714fe2740f5e3616155c5b8419": Feed("ETH/USD", "ETH / USD"),
    "0x25efba0d9b115d233cfa849f16ba743e8ffba2a1": Feed("SPY", "SPY / USD", FOREX),
}
"""By proxy, in lower case."""


class Call(msgspec.Struct, frozen=True):
    method: str
    params: Sequence[Any] = ()
    id: int | str | None = None


class RpcError(Exception):
    """What a node refuses."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Chainlink:
    """Both nodes. ``limited``, ``reverting``, ``paged`` (an error page under 200), ``foreign`` (no
    contracts there) and ``behind_s`` are by node; ``negative``, ``misscaled`` (answers have more
    decimals than their contract says), ``held_ms`` (no round after it) and ``renamed`` (what every aggregator
    calls itself) are the network's."""

    def __init__(self, around: Around) -> None:
        self.around = around
        self.limited: set[str] = set()
        self.reverting: set[str] = set()
        self.paged: set[str] = set()
        self.foreign: set[str] = set()
        self.behind_s: dict[str, int] = {}
        self.negative = self.misscaled = False
        self.held_ms: int | None = None
        self.renamed = ""

    def routes(self) -> list[BaseRoute]:
        async def ask(request: Request) -> Response:
            node = request.path_params["node"]
            if node in self.paged:
                return HTMLResponse("<html><body>Bad gateway</body></html>")
            try:
                call = msgspec.json.decode(await request.body(), type=Call)
            except msgspec.DecodeError:
                return _json({"id": None, "error": {"code": -32700, "message": "parse error"}})
            try:
                return _json({"id": call.id, "result": self._result(node, call)})
            except RpcError as refused:
                return _json({"id": call.id, "error": {"code": refused.code, "message": str(refused)}})

        return [Route(f"{PREFIX}/{{node}}", ask, methods=["POST"])]

    def _result(self, node: str, call: Call) -> Any:
        if node in self.limited:
            raise RpcError(-32005, "limit exceeded")
        now_s = self.around.now_ms() // 1000 - self.behind_s.get(node, 0)
        match call.method:
            case "eth_chainId":
                return hex(CHAIN_ID)
            case "eth_getBlockByNumber":
                made_s = now_s - now_s % BLOCK_S
                return {"number": hex(made_s // BLOCK_S), "timestamp": hex(made_s), "transactions": []}
            case "eth_call":
                return self._contract(node, call.params)
            case _:
                raise RpcError(-32601, f"the method {call.method[:40]} does not exist")

    def _contract(self, node: str, params: Sequence[Any]) -> str:
        asked = params[0] if params and isinstance(params[0], dict) else {}
        feed = FEEDS.get(str(asked.get("to", "")).lower())
        if feed is None or node in self.foreign:
            return "0x"
        if node in self.reverting:
            raise RpcError(3, "execution reverted")
        selector = asked.get("data")
        if selector == _DECIMALS:
            return _words(DECIMALS)
        if selector == _DESCRIPTION:
            text = (self.renamed or feed.description).encode()
            return _words(32, len(text)) + text.hex().ljust(64, "0")
        if selector == _LATEST_ROUND:
            return self._round(feed)
        raise RpcError(3, "execution reverted")

    def _round(self, feed: Feed) -> str:
        now_ms = self.around.now_ms()
        if self.held_ms is not None:
            now_ms = min(now_ms, self.held_ms)
        at_ms = feed.hours.last_ms(now_ms)
        at_ms -= at_ms % ROUND_MS
        value = self.around.prices.value(feed.name, at_ms, "chainlink")
        scale = DECIMALS + 10 if self.misscaled else DECIMALS
        answer = round(value * 10**scale) * (-1 if self.negative else 1)
        number = _PHASE + at_ms // ROUND_MS
        return _words(number, answer, at_ms // 1000 - 12, at_ms // 1000, number)


def routes(around: Around) -> list[BaseRoute]:
    return Chainlink(around).routes()


def _words(*values: int) -> str:
    return "0x" + "".join(f"{value % (1 << 256):064x}" for value in values)


def _json(body: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode({"jsonrpc": "2.0", **body}), media_type="application/json")
