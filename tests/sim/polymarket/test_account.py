"""What a key reads of itself: trades in both roles, balances, notices."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.domain.units import parse_quantity
from core.sim.polymarket import notices
from core.sim.polymarket.wallets import UNLIMITED

BUY_52 = ("BUY", 5_200_000, 10_000_000)


def test_a_maker_finds_its_fill_under_its_own_token(pit: Any, ann: Any, make_member: Any) -> None:
    """ann rests a BUY of NO; bob's BUY of YES meets it: the trade is bob's, the entry ann's."""
    bob = make_member(pit, 2)
    resting = ann.placed("BUY", 4_800_000, 10_000_000, outcome=1)["orderID"]
    taken = bob.placed(*BUY_52)
    [mine] = ann.get("/data/trades")["data"]
    assert (mine["trader_side"], mine["asset_id"]) == ("MAKER", pit.plain.spec.tokens[0])
    assert mine["maker_orders"] == [
        {
            "order_id": resting, "owner": ann.key.key, "maker_address": ann.address, "matched_amount": "10",
            "price": "0.48", "fee_rate_bps": "0", "asset_id": pit.plain.spec.tokens[1], "outcome": "No",
            "side": "BUY",
        }
    ]  # fmt: skip
    [his] = bob.get("/data/trades")["data"]
    assert (his["trader_side"], his["taker_order_id"]) == ("TAKER", taken["orderID"])
    assert (his["size"], his["price"], his["status"]) == ("10", "0.52", "TRADE_STATUS_MATCHED")
    assert his["transaction_hash"] == ""
    pit.settled()
    [his] = bob.get(f"/data/trades?id={his['id']}")["data"]
    assert his["status"] == "TRADE_STATUS_CONFIRMED" and his["transaction_hash"].startswith("0x")
    token_of_the_maker = pit.plain.spec.tokens[1]
    assert ann.get(f"/data/trades?asset_id={token_of_the_maker}")["data"] == []


def test_trades_by_time(pit: Any, ann: Any) -> None:
    pit.split("bob", "50")
    pit.placed("bob", "SELL", "0.52", "20")
    ann.placed(*BUY_52)
    at = pit.clock.ms // 1000
    pit.later(60)
    ann.placed(*BUY_52)
    assert len(ann.get(f"/data/trades?after={at + 1}")["data"]) == 1
    assert len(ann.get(f"/data/trades?before={at}&maker_address={ann.address.lower()}")["data"]) == 1
    assert len(ann.get(f"/data/trades?after={at}")["data"]) == 2


def test_open_orders_come_in_pages(pit: Any, ann: Any) -> None:
    pit.venue.signers.enforced = False
    for _ in range(120):
        ann.placed("BUY", 50_000, 5_000_000)
    first = ann.get("/data/orders")
    assert len(first["data"]) == 100
    rest = ann.get(f"/data/orders?next_cursor={first['next_cursor']}")
    assert (len(rest["data"]), rest["next_cursor"]) == (20, "LTE=")
    assert ann.get(f"/data/orders?market={pit.ladder.condition_id}")["data"] == []


def test_balances_and_allowances(pit: Any, ann: Any) -> None:
    found = ann.get("/balance-allowance?asset_type=COLLATERAL&signature_type=0")
    assert found["balance"] == "1000000000"
    assert found["allowances"][pit.plain.spec.domain.contract] == str(UNLIMITED)
    pit.exchange.split(ann.wallet, pit.second, parse_quantity("7"))
    token = pit.second.spec.tokens[0]
    path = f"/balance-allowance?asset_type=CONDITIONAL-V2&token_id={token}"
    assert ann.get(path)["balance"] == "7000000"
    wrong = ann.call("GET", path.replace("-V2", ""))
    assert (wrong.status, json.loads(wrong.body)) == (400, {"error": "Invalid asset type"})
    assert ann.get("/balance-allowance?asset_type=COLLATERAL&signature_type=2")["balance"] == "0"
    refreshed = ann.call("GET", "/balance-allowance/update?asset_type=COLLATERAL")
    assert (refreshed.status, refreshed.body) == (200, b"")


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("asset_type=GOLD", "Invalid asset type"),
        ("asset_type=COLLATERAL&signature_type=4", "Invalid signature_type"),
        ("asset_type=COLLATERAL&signature_type=x", "Invalid signature_type"),
        ("asset_type=CONDITIONAL&token_id=abc", "Invalid token id"),
    ],
)
def test_balances_nobody_has(ann: Any, query: str, text: str) -> None:
    answer = ann.call("GET", f"/balance-allowance?{query}")
    assert (answer.status, json.loads(answer.body)) == (400, {"error": text})


def test_a_lagging_cache_is_what_is_told(pit: Any, ann: Any) -> None:
    pit.venue.faults.flip("balance_lag", 60)
    pit.split("bob", "50")
    pit.placed("bob", "SELL", "0.52", "20")
    ann.placed(*BUY_52)
    pit.later(3)
    path = f"asset_type=CONDITIONAL&token_id={pit.plain.spec.tokens[0]}"
    assert ann.get(f"/balance-allowance?{path}")["balance"] == "0"
    assert ann.refused("SELL", 10_000_000, 6_000_000).startswith("not enough balance / allowance")
    ann.call("GET", f"/balance-allowance/update?{path}")
    assert ann.get(f"/balance-allowance?{path}")["balance"] == "10000000"
    assert ann.placed("SELL", 10_000_000, 6_000_000)["status"] == "live"


def test_notices_of_cancels_fills_and_failed_fills(pit: Any, ann: Any) -> None:
    pit.exchange.settlement.pace.fail_share = 1.0
    pit.split("bob", "50")
    pit.placed("bob", "SELL", "0.52", "10")
    ann.placed(*BUY_52)
    ann.placed("BUY", 50_000, 5_000_000)
    ann.call("DELETE", "/cancel-all")
    pit.settled()
    found = ann.get("/notifications?signature_type=0")
    assert [notice["type"] for notice in found] == [2, 1, 8]
    ann.call("DELETE", f"/notifications?ids={found[0]['id']}")
    assert [notice["type"] for notice in ann.get("/notifications")] == [1, 8]


def test_old_notices_go(pit: Any, ann: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "NOTICES_MAX", 2)
    orders = [ann.placed("BUY", 50_000, 5_000_000)["orderID"] for _ in range(3)]
    ann.call("DELETE", "/cancel-all")
    assert [n["payload"]["order_id"] for n in ann.get("/notifications")] == orders[1:]


def test_nobody_has_earned_anything(pit: Any, ann: Any) -> None:
    assert pit.get("/rewards/markets/current")["data"] == []
    assert pit.get(f"/rewards/markets/{pit.plain.condition_id}")["next_cursor"] == "LTE="
    for path in ("/rewards/user", "/rewards/user/markets", "/data/pre-migration-orders"):
        assert ann.get(path)["data"] == []
    assert ann.get("/rewards/user/total") == ann.get("/rebates/current") == []
    assert ann.get("/rewards/user/percentages") == {}


def test_scoring_is_of_resting_orders(ann: Any) -> None:
    order = ann.placed("BUY", 50_000, 5_000_000)["orderID"]
    assert ann.get(f"/order-scoring?order_id={order}") == {"scoring": True}
    many = json.loads(ann.call("POST", "/orders-scoring", [order, "0x12"]).body)
    assert many == {order: True, "0x12": False}
