"""Order groups over the wire: calls, the orders that name them, and the channel that tells of them."""

from __future__ import annotations

import pytest

from core.sim.orders import BookSide

GROUPS = "/portfolio/order_groups"
ONE = GROUPS + "/{order_group_id}"
BID, ASK = BookSide.BID, BookSide.ASK


async def test_a_group_lives_through_its_calls_as_specified(desk, rest_spec):
    created = await desk.call("POST", f"{GROUPS}/create", json={"contracts_limit": 10, "subaccount": 0})
    rest_spec.response("POST", f"{GROUPS}/create", created)
    group = created.json()["order_group_id"]
    assert created.json() == {"order_group_id": group, "subaccount": 0, "exchange_index": 0}
    first = (await desk.create(order_group_id=group)).json()["order_id"]

    listed = await desk.call("GET", GROUPS)
    rest_spec.response("GET", GROUPS, listed)
    row = {"contracts_limit_fp": "10.00", "is_auto_cancel_enabled": True, "exchange_index": 0}
    assert listed.json() == {"order_groups": [{"id": group} | row]}
    shown = await desk.call("GET", f"{GROUPS}/{group}")
    rest_spec.response("GET", ONE, shown)
    assert shown.json() == row | {"orders": [first]}
    assert (await desk.get(f"/portfolio/orders/{first}"))["order"]["order_group_id"] == group

    for verb, body in (("trigger", None), ("reset", None), ("limit", {"contracts_limit_fp": "2.50"})):
        done = await desk.call("PUT", f"{GROUPS}/{group}/{verb}?subaccount=0&exchange_index=0", json=body)
        rest_spec.response("PUT", f"{ONE}/{verb}", done)
        if verb == "trigger":
            assert desk.floor.bids() == []
            refused = await desk.create(order_group_id=group)
            code = "EXCEEDED_ORDER_GROUP_RISK_LIMIT"
            assert (refused.status_code, refused.json()["error"]["code"]) == (400, code)
    shown = await desk.get(f"{GROUPS}/{group}")
    assert (shown["contracts_limit_fp"], shown["orders"]) == ("2.50", [])

    gone = await desk.call("DELETE", f"{GROUPS}/{group}")
    rest_spec.response("DELETE", ONE, gone)
    again = await desk.call("DELETE", f"{GROUPS}/{group}")
    assert (again.status_code, again.json()["error"]["code"]) == (404, "not_found")
    assert (await desk.call("GET", f"{GROUPS}/{group}")).status_code == 404


async def test_a_group_of_another_shard_is_found_with_its_shard_only(desk):
    body = {"contracts_limit": 10, "exchange_index": 2}
    group = (await desk.call("POST", f"{GROUPS}/create", json=body)).json()["order_group_id"]
    assert (await desk.call("PUT", f"{GROUPS}/{group}/trigger")).status_code == 404
    assert (await desk.call("PUT", f"{GROUPS}/{group}/trigger?exchange_index=2")).status_code == 200
    assert (await desk.get(f"{GROUPS}/{group}"))["exchange_index"] == 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"contracts_limit": 0},
        {"contracts_limit": "10"},
        {"contracts_limit_fp": 10},
        {"contracts_limit_fp": "0.001"},
        {"contracts_limit_fp": "-1.00"},
        {"contracts_limit": 3, "contracts_limit_fp": "4.00"},
    ],
    ids=str,
)
async def test_a_limit_nobody_can_read_is_refused(desk, body):
    assert (await desk.call("POST", f"{GROUPS}/create", json=body)).status_code == 400
    made = {"contracts_limit": 3, "contracts_limit_fp": "3.00"}
    group = (await desk.call("POST", f"{GROUPS}/create", json=made)).json()["order_group_id"]
    assert (await desk.call("PUT", f"{GROUPS}/{group}/limit", json=body)).status_code == 400
    assert (await desk.get(f"{GROUPS}/{group}"))["contracts_limit_fp"] == "3.00"


async def test_a_read_only_key_touches_no_group(desk):
    body = {"contracts_limit": 10}
    assert (await desk.call("POST", f"{GROUPS}/create", key=2, json=body)).status_code == 403
    assert (await desk.call("GET", GROUPS, key=2)).status_code == 200


async def test_the_channel_tells_its_owner_in_sequence(desk, stream_spec):
    mine, others = desk.join("ann"), desk.join("bob")
    for reader in (mine, others):
        reader.send("subscribe", channels=["order_group_updates"], market_tickers=["KXHIGHNY-26NOV23-T50"])
        reader.send("subscribe", channels=["user_orders"])
        reader.take()
    made = await desk.call("POST", f"{GROUPS}/create", json={"contracts_limit": 4})
    group = made.json()["order_group_id"]
    await desk.create(order_group_id=group)
    desk.floor.placed("bob", ASK, "0.32", 4)
    await desk.call("PUT", f"{GROUPS}/{group}/reset")
    await desk.call("PUT", f"{GROUPS}/{group}/limit", json={"contracts_limit": 5})
    await desk.call("DELETE", f"{GROUPS}/{group}")
    messages = mine.take()
    told = [m for m in messages if m["type"] == "order_group_updates"]
    for message in told:
        stream_spec.message(message)
    assert [(m["msg"]["event_type"], m["msg"].get("contracts_limit_fp")) for m in told] == [
        ("created", "4.00"),
        ("triggered", None),
        ("reset", None),
        ("limit_updated", "5.00"),
        ("deleted", None),
    ]
    assert [m["seq"] for m in told] == [1, 2, 3, 4, 5]
    orders = [m["msg"] for m in messages if m["type"] == "user_order"]
    assert [(o["status"], o["order_group_id"], o.get("last_update_reason")) for o in orders] == [
        ("resting", group, None),
        ("resting", group, "Trade"),
        ("canceled", group, None),
    ]
    assert [m["type"] for m in others.take()] == ["user_order"]
