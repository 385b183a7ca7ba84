"""Keys: scopes, the lock to one subaccount, the location they trade from."""

from __future__ import annotations

import pytest

from core.domain.units import parse_money
from core.sim.contracts import EventSpec, MarketSpec, SeriesSpec
from core.sim.kalshi.limits import Tier
from core.sim.orders import BookSide

T = "KXHIGHNY-26NOV23-B48.5"
ORDERS = "/portfolio/events/orders"
READ_ONLY, WHOLE, LOCKED = 2, 3, 4
BID, ASK = BookSide.BID, BookSide.ASK


@pytest.fixture
def two(desk):
    """Ann with ten dollars on subaccount 1, to which the last of her keys is locked."""
    sub, ann = desk.exchange.open_subaccount("ann"), desk.exchange.account("ann")
    desk.exchange.transfers.move(ann, 0, sub, 0, parse_money("10"))
    return desk


def said(answer):
    return answer.status_code, answer.json()["error"]["message"]


async def test_a_locked_key_reads_and_trades_its_subaccount_alone(two, body_of):
    mine = (await two.create()).json()["order_id"]
    placed = await two.call("POST", ORDERS, key=LOCKED, json=body_of(price="0.10"))
    assert placed.status_code == 201
    order = placed.json()["order_id"]
    sub = two.exchange.subaccount("ann", 1)
    assert list(sub.working) == [order]
    no = (403, "this API key is restricted to subaccount 1")
    assert said(await two.call("POST", ORDERS, key=LOCKED, json=body_of(subaccount=0))) == no
    assert said(await two.call("GET", "/portfolio/orders?subaccount=0", key=LOCKED)) == no
    assert said(await two.call("DELETE", f"{ORDERS}/{mine}?subaccount=0", key=LOCKED)) == no
    assert (await two.call("DELETE", f"{ORDERS}/{mine}", key=LOCKED)).status_code == 404
    rows = (await two.call("GET", "/portfolio/orders", key=LOCKED)).json()["orders"]
    assert [(row["order_id"], row["subaccount_number"]) for row in rows] == [(order, 1)]
    balance = (await two.call("GET", "/portfolio/balance", key=LOCKED)).json()
    assert (balance["balance_dollars"], "balance_breakdown" in balance) == ("9.0000", False)
    assert (await two.call("DELETE", ORDERS, key=LOCKED)).status_code == 204
    assert (len(sub.working), len(two.exchange.account("ann").working)) == (0, 1)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api_keys", None),
        ("GET", "/portfolio/target_balance_allocation", None),
        ("POST", "/portfolio/subaccounts", {}),
        ("POST", "/portfolio/subaccounts/transfer", {}),
        (
            "POST",
            "/portfolio/intra_exchange_instance_transfer",
            {"source": "event_contract", "destination": "event_contract", "amount": 1},
        ),
    ],
)
async def test_a_locked_key_cannot_act_for_the_member(two, method, path, body):
    answer = await two.call(method, path, key=LOCKED, **({} if body is None else {"json": body}))
    assert said(answer) == (403, "this API key is restricted to subaccount 1")


async def test_a_locked_key_moves_its_own_money_between_shards(two):
    body = {
        "source": "event_contract", "destination": "event_contract", "amount": 20_000,
        "destination_exchange_shard": 2, "source_subaccount": 1, "destination_subaccount": 1,
    }  # fmt: skip
    moved = await two.call("POST", "/portfolio/intra_exchange_instance_transfer", key=LOCKED, json=body)
    assert moved.status_code == 200
    two.floor.later(1)
    rows = (await two.call("GET", "/portfolio/subaccounts/balances", key=LOCKED)).json()[
        "subaccount_balances"
    ]
    assert [(r["subaccount_number"], r["exchange_index"], r["balance"]) for r in rows] == [
        (1, 0, "8.0000"),
        (1, 2, "2.0000"),
    ]


async def test_an_unlocked_key_sees_every_subaccount_or_the_one_it_names(two, body_of):
    await two.create()
    assert (await two.call("POST", ORDERS, json=body_of(subaccount=1, price="0.10"))).status_code == 201

    async def numbers(query: str) -> list[int]:
        return [row["subaccount_number"] for row in (await two.get(f"/portfolio/orders{query}"))["orders"]]

    assert await numbers("") == [1, 0]
    assert await numbers("?subaccount=0") == [0]
    assert (await two.call("GET", "/portfolio/orders?subaccount=7")).status_code == 404
    everything = await two.call("DELETE", f"{ORDERS}?subaccount=1")
    assert (everything.status_code, await numbers("?status=resting")) == (204, [0])


async def test_frames_name_the_subaccount_and_a_locked_connection_sees_its_own(two):
    whole, locked = two.join(), two.join(subaccount=1)
    for reader in (whole, locked):
        reader.send("subscribe", channels=["user_orders", "fill", "market_positions"])
        reader.send("subscribe", channels=["orderbook_delta"], market_ticker=T)
        reader.take()
    two.floor.placed("ann", BID, "0.40", 1, client_order_id="a")
    two.floor.placed("ann#1", BID, "0.30", 1, client_order_id="b")
    two.floor.placed("bob", ASK, "0.30", 2)
    everything, own = whole.take(), locked.take()
    orders = [m["msg"]["subaccount_number"] for m in everything if m["type"] == "user_order"]
    assert orders == [0, 1, 0, 1]
    assert [m["msg"]["subaccount"] for m in own if m["type"] in ("fill", "market_position")] == [1, 1]
    deltas = [m["msg"] for m in own if m["type"] == "orderbook_delta"]
    assert [d.get("client_order_id") for d in deltas[:2]] == [None, "b"]
    assert deltas[1]["subaccount"] == 1


async def test_keys_are_listed_with_scopes_locks_and_the_attestation(two):
    until_s = two.floor.clock.ms // 1000 + 60
    two.venue.keys.regions["ann"] = until_s
    shape = await two.get("/api_keys")
    assert shape["api_key_region_expiration_ts"] == until_s
    assert [(row["scopes"], row.get("subaccount")) for row in shape["api_keys"]] == [
        (["read", "write::trade"], None),
        (["read", "write::trade"], None),
        (["read"], None),
        (["read", "write"], None),
        (["read", "write"], 1),
    ]
    two.venue.keys.regions.clear()
    assert "api_key_region_expiration_ts" not in await two.get("/api_keys")


async def test_scopes_are_held_to(two, body_of):
    assert said(await two.call("POST", ORDERS, key=READ_ONLY, json=body_of())) == (
        403,
        "this API key lacks the scope write::trade",
    )
    moved = await two.call("POST", "/portfolio/subaccounts", json={})
    assert said(moved) == (403, "this API key lacks the scope write::transfer")
    assert (await two.call("POST", "/portfolio/subaccounts", key=WHOLE, json={})).json() == {
        "subaccount_number": 2
    }


async def test_a_lapsed_location_bars_regional_categories_alone(two, body_of):
    start = two.floor.clock.ms
    two.exchange.list_series(SeriesSpec("KXGAME", "Game", "Sports"))
    spec = MarketSpec("G-1", "G", "KXGAME", "t", "y", "less", start, start + 10**9)
    two.exchange.list_event(EventSpec("G", "KXGAME", "t", "s", (spec,)))
    two.venue.keys.regions["ann"] = start // 1000 + 1
    assert (await two.create(ticker="G-1")).status_code == 201
    two.floor.clock.ms += 1_000
    refused = await two.create(ticker="G-1")
    assert refused.status_code == 403
    assert "location" in refused.json()["error"]["message"]
    assert (await two.create()).status_code == 201


async def test_the_advanced_tier_is_for_those_who_trade_by_api(two):
    two.limiter.tiers["ann"] = Tier.BASIC
    path = "/account/api_usage_level/upgrade"
    assert (await two.call("POST", path)).status_code == 403
    assert (await two.get("/account/limits"))["usage_tier"] == "basic"
    await two.create(client_order_id="mine")
    done = await two.call("POST", path)
    assert (done.status_code, done.content) == (201, b"")
    limits = await two.get("/account/limits")
    assert (limits["usage_tier"], limits["write"]["refill_rate"]) == ("advanced", 300)
