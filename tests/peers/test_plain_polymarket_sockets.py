"""Both sockets by ``websockets`` alone, spoken to as the documentation says."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

PATIENCE_S = 8.0


async def hear(socket: Any, wanted: str, **having: str) -> dict[str, Any]:
    """The next message of a kind with these fields; a frame may be one object or an array of them."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            frame = await socket.recv()
            if frame == "PONG":
                continue
            body = json.loads(frame)
            for message in body if isinstance(body, list) else [body]:
                if message["event_type"] == wanted and all(message[k] == v for k, v in having.items()):
                    return dict(message)


@pytest.fixture
def market(peer: Any) -> dict[str, Any]:
    rows = httpx.get(f"{peer.polymarket['gamma']}/markets/keyset?limit=100&version=v1").json()["markets"]
    found = min(rows, key=lambda row: abs(row["bestBid"] - 0.45))
    return found | {"tokens": json.loads(found["clobTokenIds"])}


@pytest.fixture
def credentials(peer: Any) -> dict[str, str]:
    found: dict[str, str] = json.loads(Path(peer.polymarket["credentials_path"]).read_text())
    return found


def place(peer: Any, market: dict[str, Any], price: float) -> dict[str, Any]:
    """An order by the venue's own package."""
    sdk = pytest.importorskip("py_clob_client_v2", reason="py-clob-client-v2 is not installed")
    found = json.loads(Path(peer.polymarket["credentials_path"]).read_text())
    client = sdk.ClobClient(
        peer.polymarket["clob"], 137, Path(peer.polymarket["private_key_path"]).read_text().strip(),
        sdk.ApiCreds(found["apiKey"], found["secret"], found["passphrase"]),
    )  # fmt: skip
    args = sdk.OrderArgs(token_id=market["tokens"][0], price=price, size=10, side="BUY")
    answer: dict[str, Any] = client.create_and_post_order(args, defer_exec=True)
    return answer


@pytest.mark.filterwarnings("default")
async def test_the_market_socket_tells_books_changes_and_prints(peer: Any, market: dict[str, Any]) -> None:
    yes, no = market["tokens"]
    async with websockets.connect(peer.polymarket["ws_market"]) as socket:
        asked = {"assets_ids": [yes, no], "type": "market", "custom_feature_enabled": True}
        await socket.send(json.dumps(asked))
        first = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_S))
        assert isinstance(first, list) and {book["asset_id"] for book in first} == {yes, no}
        book = next(book for book in first if book["asset_id"] == yes)
        assert float(book["bids"][-1]["price"]) == market["bestBid"]
        assert "min_order_size" not in book and "neg_risk" not in book
        await socket.send("PING")
        assert await asyncio.wait_for(socket.recv(), PATIENCE_S) == "PONG"
        await asyncio.to_thread(place, peer, market, 0.03)
        change = await hear(socket, "price_change")
        row = next(r for r in change["price_changes"] if r["asset_id"] == yes)
        assert (row["price"], row["side"]) == ("0.03", "BUY") and float(row["size"]) >= 10
        await asyncio.to_thread(place, peer, market, round(market["bestAsk"] + 0.01, 2))
        printed = await hear(socket, "last_trade_price", asset_id=yes)
        assert printed["side"] == "BUY" and float(printed["price"]) >= market["bestAsk"]
        after = await hear(socket, "book", asset_id=yes)
        assert after["last_trade_price"] == printed["price"]
        await socket.send(json.dumps({"operation": "unsubscribe", "assets_ids": [yes, no]}))


@pytest.mark.filterwarnings("default")
async def test_the_user_socket_tells_our_orders_and_trades(
    peer: Any, market: dict[str, Any], credentials: dict[str, str]
) -> None:
    async with websockets.connect(peer.polymarket["ws_user"]) as socket:
        await socket.send(
            json.dumps({"auth": credentials, "type": "user", "markets": [market["conditionId"]]})
        )
        await socket.send("PING")
        assert await asyncio.wait_for(socket.recv(), PATIENCE_S) == "PONG"
        taken = await asyncio.to_thread(place, peer, market, round(market["bestAsk"] + 0.02, 2))
        matched = await hear(socket, "trade", taker_order_id=taken["orderID"], status="MATCHED")
        assert (matched["trader_side"], matched["owner"]) == ("TAKER", credentials["apiKey"])
        resting = await asyncio.to_thread(place, peer, market, 0.04)
        placed = await hear(socket, "order", id=resting["orderID"])
        assert (placed["type"], placed["status"], placed["original_size"]) == ("PLACEMENT", "LIVE", "10")
        mined = await hear(socket, "trade", id=matched["id"], status="MINED")
        assert mined["transaction_hash"].startswith("0x")


async def test_wrong_credentials_close_the_user_socket(peer: Any) -> None:
    async with websockets.connect(peer.polymarket["ws_user"]) as socket:
        wrong = {"apiKey": "x", "secret": "y", "passphrase": "z"}
        await socket.send(json.dumps({"auth": wrong, "type": "user"}))
        with pytest.raises(websockets.ConnectionClosed):
            await asyncio.wait_for(socket.recv(), PATIENCE_S)
