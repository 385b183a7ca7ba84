"""py-clob-client-v2, the venue's own package, as it is published: it trades here as it does there."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.filterwarnings("default")

KINDS = {0: "EOA", 1: "POLY_PROXY", 2: "POLY_GNOSIS_SAFE", 3: "POLY_1271"}


@pytest.fixture(scope="module")
def sdk() -> Any:
    return pytest.importorskip("py_clob_client_v2", reason="py-clob-client-v2 is not installed")


@pytest.fixture(scope="module")
def credentials(sdk: Any, peer: Any) -> Any:
    found = json.loads(Path(peer.polymarket["credentials_path"]).read_text())
    return sdk.ApiCreds(found["apiKey"], found["secret"], found["passphrase"])


class Market:
    """A market near even odds; ``args`` names its YES token as the package wants it for its version."""

    def __init__(self, found: dict[str, Any]) -> None:
        self.condition = found["conditionId"]
        self.second = found["version"] == "v2"
        self.yes, self.no = found["positionIds"] if self.second else json.loads(found["clobTokenIds"])
        self.bid, self.ask = found["bestBid"], found["bestAsk"]

    def args(self, token: str) -> dict[str, Any]:
        return {"token_id": None, "position_id": token} if self.second else {"token_id": token}


@pytest.fixture(scope="module")
def markets(peer: Any) -> dict[str, Market]:
    """One of each exchange contract."""
    rows = httpx.get(f"{peer.polymarket['gamma']}/markets/keyset?limit=100").json()["markets"]
    near = sorted(rows, key=lambda row: abs(row["bestBid"] - 0.45))
    chosen = {
        "standard": next(r for r in near if r["version"] == "v1" and not r["negRisk"]),
        "neg-risk": next(r for r in near if r["version"] == "v1" and r["negRisk"]),
        "second": next(r for r in near if r["version"] == "v2"),
    }
    return {name: Market(row) for name, row in chosen.items()}


@pytest.fixture(scope="module")
def make_client(sdk: Any, peer: Any, credentials: Any) -> Any:
    key = Path(peer.polymarket["private_key_path"]).read_text().strip()
    host, wallets = peer.polymarket["clob"], peer.polymarket["wallets"]

    def make(kind: int = 0, creds: Any = credentials) -> Any:
        return sdk.ClobClient(host, 137, key=key, creds=creds, signature_type=kind, funder=wallets[str(kind)])

    return make


def limit(sdk: Any, market: Market, price: float, size: float, side: str = "BUY", **more: Any) -> Any:
    return sdk.OrderArgs(
        price=price, size=size, side=side, **market.args(more.pop("token", market.yes)), **more
    )


def test_keys_are_derived_made_listed_and_deleted(make_client: Any, credentials: Any) -> None:
    client = make_client(creds=None)
    assert client.derive_api_key() == credentials
    assert client.create_or_derive_api_key() == credentials
    second = client.create_api_key(nonce=7)
    assert second != credentials and client.derive_api_key(nonce=7) == second
    client.set_api_creds(second)
    assert set(client.get_api_keys()["apiKeys"]) >= {credentials.api_key, second.api_key}
    assert client.delete_api_key() == "OK"
    assert make_client().get_closed_only_mode() == {"closed_only": False}


@pytest.mark.parametrize("kind", KINDS, ids=KINDS.values())
@pytest.mark.parametrize("exchange", ["standard", "neg-risk", "second"])
def test_every_wallet_rests_and_cancels_on_every_exchange(
    sdk: Any, make_client: Any, markets: Any, peer: Any, kind: int, exchange: str
) -> None:
    client, market = make_client(kind), markets[exchange]
    order = client.create_and_post_order(limit(sdk, market, 0.02, 10), post_only=True)
    assert (order["success"], order["status"]) == (True, "live")
    found = client.get_order(order["orderID"])
    assert (found["status"], found["price"], found["original_size"]) == ("LIVE", "0.02", "10")
    assert found["maker_address"] == peer.polymarket["wallets"][str(kind)]
    assert client.cancel_order(sdk.clob_types.OrderPayload(order["orderID"]))["canceled"] == [
        order["orderID"]
    ]


def test_every_wallet_takes_and_is_paid(sdk: Any, make_client: Any, markets: Any) -> None:
    """Market BUYs by dollars, their trades through to the chain, then the shares out by FOK SELLs."""
    market, clients = markets["neg-risk"], {kind: make_client(kind) for kind in KINDS}
    held = sdk.BalanceAllowanceParams(sdk.AssetType.CONDITIONAL, market.yes)

    def micro_shares(client: Any) -> int:
        return int(client.get_balance_allowance(held)["balance"])

    before = {kind: micro_shares(client) for kind, client in clients.items()}
    fak = sdk.MarketOrderArgs(amount=5, side="BUY", order_type=sdk.OrderType.FAK, **market.args(market.yes))
    bought = {
        kind: client.create_and_post_market_order(fak, order_type=sdk.OrderType.FAK, defer_exec=True)
        for kind, client in clients.items()
    }
    for kind, client in clients.items():
        answer = bought[kind]
        assert answer["status"] == "matched" and 4.9 < float(answer["makingAmount"]) <= 5
        assert answer["transactionsHashes"] == []
        for settled in client._wait_for_resolved_trades(answer["tradeIDs"]):
            assert settled["trader_side"] == "TAKER" and settled["transaction_hash"].startswith("0x")
        shares = (micro_shares(client) - before[kind]) / 1_000_000
        assert shares == pytest.approx(float(answer["takingAmount"]))
        fok = sdk.MarketOrderArgs(amount=int(shares), side="SELL", price=0.01, **market.args(market.yes))
        sold = client.create_and_post_market_order(fok, order_type=sdk.OrderType.FOK, defer_exec=True)
        assert (sold["status"], float(sold["makingAmount"])) == ("matched", int(shares))


def test_its_own_wait_for_hashes_finds_them(sdk: Any, make_client: Any, markets: Any) -> None:
    client, market = make_client(), markets["second"]
    done = client.create_and_post_order(limit(sdk, market, round(market.ask + 0.02, 2), 10))
    assert done["status"] == "matched" and all(h.startswith("0x") for h in done["transactionsHashes"])
    trades = client.get_trades(sdk.TradeParams(id=done["tradeIDs"][0]))
    assert trades[0]["status"] in ("TRADE_STATUS_MINED", "TRADE_STATUS_CONFIRMED")


def test_it_reads_what_is_public(sdk: Any, make_client: Any, markets: Any) -> None:
    client, market = make_client(creds=None), markets["standard"]
    assert client.get_ok() == "OK" and client.get_version() == 2
    assert abs(client.get_server_time() - time.time()) < 5
    raw = client.get_order_book(market.yes)
    book = sdk.utilities.parse_raw_orderbook_summary(raw)
    assert client.get_order_book_hash(book) == raw["hash"]
    assert raw["bids"][-1]["price"] == client.get_price(market.yes, "BUY")["price"]
    many = [sdk.BookParams(market.yes, "BUY"), sdk.BookParams(market.no, "SELL")]
    assert [b["asset_id"] for b in client.get_order_books(many)] == [market.yes, market.no]
    assert set(client.get_prices(many)) == set(client.get_midpoints(many)) == {market.yes, market.no}
    assert client.get_tick_size(market.yes) == "0.01" and client.get_neg_risk(market.yes) is False
    assert client.get_clob_market_info(market.condition)["c"] == market.condition
    assert client.get_market(market.condition)["condition_id"] == market.condition
    assert len(client.get_markets()["data"]) == 26
    assert "history" in client.get_prices_history(sdk.PricesHistoryParams(market=market.yes, interval="1d"))


def test_gtd_batches_and_all_the_cancels(sdk: Any, make_client: Any, markets: Any) -> None:
    client, market, other = make_client(), markets["standard"], markets["neg-risk"]
    client.cancel_all()
    end = int(time.time()) + 300
    gtd = client.create_and_post_order(
        limit(sdk, market, 0.02, 10, expiration=end), order_type=sdk.OrderType.GTD
    )
    assert client.get_order(gtd["orderID"])["expiration"] == str(end)
    batch = [
        sdk.PostOrdersV2Args(client.create_order(limit(sdk, chosen, price, 10)))
        for chosen, price in ((market, 0.03), (market, 0.04), (other, 0.03))
    ]
    posted = client.post_orders(batch)
    ids = [row["orderID"] for row in posted]
    assert [row["status"] for row in posted] == ["live"] * 3
    mine = client.get_open_orders(sdk.OpenOrderParams(market=market.condition))
    assert {o["id"] for o in mine} == {gtd["orderID"], *ids[:2]}
    assert client.cancel_orders(ids[:1])["canceled"] == ids[:1]
    by_market = sdk.OrderMarketCancelParams(market=market.condition)
    assert set(client.cancel_market_orders(by_market)["canceled"]) == {gtd["orderID"], ids[1]}
    assert client.cancel_all()["canceled"] == [ids[2]]
    assert client.get_open_orders() == []


def test_balances_and_the_cache(sdk: Any, make_client: Any) -> None:
    client = make_client(3)
    cash = sdk.BalanceAllowanceParams(sdk.AssetType.COLLATERAL)
    found = client.get_balance_allowance(cash)
    assert int(found["balance"]) > 400_000_000 and len(found["allowances"]) == 3
    assert client.update_balance_allowance(cash) == ""


def test_heartbeats_in_a_chain(sdk: Any, make_client: Any) -> None:
    wallet = make_client(creds=None)
    wallet.set_api_creds(wallet.create_api_key(nonce=9))
    first = wallet.post_heartbeat()["heartbeat_id"]
    with pytest.raises(sdk.exceptions.PolyApiException) as wrong:
        wallet.post_heartbeat("wrong")
    assert wrong.value.error_msg == {"error_msg": "Invalid Heartbeat ID", "heartbeat_id": first}
    assert wallet.post_heartbeat(first)["heartbeat_id"] != first
    wallet.delete_api_key()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"size": 4}, "Size (4) lower than the minimum: 5"),
        ({"size": 99_999}, "not enough balance / allowance"),
        ({"side": "SELL"}, "not enough balance / allowance"),
        ({"expiration": 5}, "invalid expiration"),
    ],
    ids=["size", "cash", "short", "expiration"],
)
def test_it_understands_refusals(
    sdk: Any, make_client: Any, markets: Any, change: dict[str, Any], text: str
) -> None:
    with pytest.raises(sdk.exceptions.PolyApiException) as refused:
        make_client().create_and_post_order(
            limit(sdk, markets["standard"], **{"price": 0.5, "size": 10} | change)
        )
    assert refused.value.status_code == 400 and text in refused.value.error_msg["error"]


def test_a_wrong_exchange_and_a_second_post_are_told_apart(sdk: Any, make_client: Any, markets: Any) -> None:
    client, market = make_client(), markets["neg-risk"]
    other = sdk.PartialCreateOrderOptions(tick_size="0.01", neg_risk=False)
    with pytest.raises(sdk.exceptions.PolyApiException) as refused:
        client.post_order(client.create_order(limit(sdk, market, 0.02, 10), other))
    assert refused.value.error_msg == {"error": "invalid signature"}
    signed = client.create_order(limit(sdk, market, 0.02, 10))
    posted = client.post_order(signed)
    with pytest.raises(sdk.exceptions.PolyApiException) as again:
        client.post_order(signed)
    assert again.value.error_msg == {"error": f"order {posted['orderID']} is invalid. Duplicated."}
    client.cancel_all()
