"""A stream client written from the documentation alone: ``websockets``, and the commands of its examples."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
import yaml

SERVED = {
    "orderbook_delta",
    "ticker",
    "trade",
    "fill",
    "user_orders",
    "market_positions",
    "market_lifecycle_v2",
    "multivariate_market_lifecycle",
    "cfbenchmarks_value",
}
STREAM_PATH = "/trade-api/ws/v2"
ANSWERS = {"subscribed", "unsubscribed", "ok", "error", "cfbenchmarks_value_indexlist", "orderbook_snapshot"}
"""What only a command brings; anything else may come at any moment, for the world goes on."""


@pytest.fixture
def commands(shared: Path) -> dict[str, Any]:
    """Kalshi's example commands by name."""
    text = (shared / "data/kalshi/asyncapi.yaml").read_text(encoding="utf-8")
    messages = yaml.load(text, Loader=yaml.CSafeLoader)["components"]["messages"].values()
    return {e["name"]: e["payload"] for m in messages for e in m.get("examples", []) if "cmd" in e["payload"]}


class Socket:
    """One connection; the examples' markets stand for ours."""

    def __init__(self, socket: websockets.ClientConnection, ours: list[str]) -> None:
        self._socket, self._ours = socket, ours
        self._seq: dict[int, int] = {}

    async def say(self, example: dict[str, Any], **change: Any) -> None:
        params = dict(example.get("params", {}))
        if "market_ticker" in params:
            params["market_ticker"] = self._ours[0]
        if "market_tickers" in params:
            params["market_tickers"] = self._ours[: len(params["market_tickers"])]
        spoken = example | ({"params": params | change} if params else {})
        await self._socket.send(json.dumps(spoken))

    async def hear(self, count: int) -> list[dict[str, Any]]:
        """The next answers, whatever is told between them."""
        async with asyncio.timeout(5):
            return [await self._next(ANSWERS) for _ in range(count)]

    async def told(self, kind: str, sid: int) -> dict[str, Any]:
        """The next message of this kind on that subscription."""
        async with asyncio.timeout(5):
            while (message := await self._next({kind}))["sid"] != sid:
                pass
            return message

    async def nothing_more(self) -> None:
        """No answer is left unheard: a ping passes everything said before it."""
        await (await self._socket.ping())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await self._next(ANSWERS)

    async def _next(self, kinds: set[str]) -> dict[str, Any]:
        """The next message of these kinds; the numbers of every subscription have no gap."""
        while True:
            message: dict[str, Any] = json.loads(await self._socket.recv())
            if "seq" in message:
                self._seq[message["sid"]] = self._seq.get(message["sid"], 0) + 1
                assert message["seq"] == self._seq[message["sid"]]
            if message["type"] in kinds:
                return message


@asynccontextmanager
async def stream(peer: Any) -> AsyncIterator[Socket]:
    async with httpx.AsyncClient() as http:
        found = (await http.get(f"{peer.rest}/markets?status=open&limit=1000")).json()["markets"]
    ours = [m["ticker"] for m in found if m["yes_bid_dollars"] > "0.1000"]
    headers = peer.headers("GET", STREAM_PATH)
    async with websockets.connect(peer.ws, additional_headers=headers) as socket:
        yield Socket(socket, ours)


async def test_every_documented_subscription_is_confirmed(peer: Any, commands: dict[str, Any]) -> None:
    async with stream(peer) as socket:
        sids, proven = [], 0
        for example in commands.values():
            channels = example.get("params", {}).get("channels", [])
            if example["cmd"] != "subscribe" or not set(channels) <= SERVED:
                continue
            await socket.say(example)
            params = example["params"]
            markets = len(params.get("market_tickers", [1]))
            heard = await socket.hear(len(channels) + markets * ("orderbook_delta" in channels))
            confirmed = [m for m in heard if m["type"] == "subscribed"]
            assert [m["msg"]["channel"] for m in confirmed] == channels
            assert {m["id"] for m in confirmed} == {example["id"]}
            sids += [m["msg"]["sid"] for m in confirmed]
            for _ in range(markets if params.get("send_initial_snapshot") else 0):
                assert (await socket.told("ticker", sids[-1]))["msg"]["market_ticker"]
            proven += 1
        assert proven >= 7
        assert sids == list(range(1, len(sids) + 1))
        await socket.say(commands["listSubscriptions"])
        (listed,) = await socket.hear(1)
        assert (listed["type"], [row["sid"] for row in listed["msg"]]) == ("ok", sids)
        await socket.nothing_more()


async def test_a_documented_subscription_changes_and_ends(peer: Any, commands: dict[str, Any]) -> None:
    async with stream(peer) as socket:
        await socket.say(commands["subscribeToOrderbook"])
        _, first = await socket.hear(2)
        assert {"yes_dollars_fp", "no_dollars_fp"} <= set(first["msg"])
        await socket.say(commands["addMarkets"], sids=[1])
        added, snapshot = await socket.hear(2)
        assert (added["type"], added["id"], len(added["msg"]["market_tickers"])) == ("ok", 124, 2)
        assert (snapshot["type"], snapshot["msg"]["market_ticker"]) == (
            "orderbook_snapshot", added["msg"]["market_tickers"][1],
        )  # fmt: skip
        await socket.say(commands["getSnapshot"], sids=[1])
        again = await socket.hear(2)
        assert [m["id"] for m in again] == [127, 127]
        await socket.say(commands["deleteMarkets"], sids=[1])
        (left,) = await socket.hear(1)
        assert left["msg"]["market_tickers"] == []
        await socket.say(commands["addMarketsWithSingleSid"], sid=1)
        back = await socket.hear(3)
        await socket.say(commands["unsubscribeMultiple"], sids=[1])
        (ended,) = await socket.hear(1)
        assert (ended["type"], ended["id"], ended["sid"]) == ("unsubscribed", 124, 1)
        assert all("seq" in m for m in (first, added, snapshot, *again, left, *back, ended))
        await socket.say(commands["getSnapshot"], sids=[1])
        (refused,) = await socket.hear(1)
        assert (refused["type"], refused["id"], refused["msg"]["code"]) == ("error", 127, 7)
        await socket.nothing_more()


async def test_index_values_are_chosen_as_documented(peer: Any, commands: dict[str, Any]) -> None:
    async with stream(peer) as socket:
        await socket.say(commands["subscribeCFBenchmarksValue"], index_ids=["BRTI"])
        (confirmed,) = await socket.hear(1)
        assert confirmed["msg"] == {"channel": "cfbenchmarks_value", "sid": 1}
        assert (await socket.told("cfbenchmarks_value", 1))["msg"]["index_id"] == "BRTI"
        await socket.say(commands["unsubscribeIndices"])
        (ok,) = await socket.hear(1)
        assert (ok["id"], ok["msg"]) == (4, {"index_ids": []})
        await socket.say(commands["indexList"])
        (listed,) = await socket.hear(1)
        assert (listed["type"], listed["id"]) == ("cfbenchmarks_value_indexlist", 2)
        assert "BRTI" in listed["msg"]["index_ids"]


async def test_channels_of_other_desks_are_unknown_and_harmless(peer: Any, commands: dict[str, Any]) -> None:
    async with stream(peer) as socket:
        await socket.say(commands["subscribeCommunications"])
        (refused,) = await socket.hear(1)
        assert (refused["id"], refused["msg"]["code"]) == (6, 8)
        await socket.say(commands["subscribeFillAll"])
        (confirmed,) = await socket.hear(1)
        assert confirmed["msg"] == {"channel": "fill", "sid": 1}
