"""Every endpoint and every channel once, judged by the venue's own specifications.

An endpoint without a call here, or a channel without its messages, fails the test.
"""

from __future__ import annotations

from typing import Any

import pytest

from core.domain.units import parse_money
from core.sim import groups, lifecycle
from core.sim.contracts import EventSpec, MarketSpec
from core.sim.kalshi import channels
from core.sim.kalshi.indices import EIGHT_DECIMALS
from core.sim.kalshi.limits import Tier
from core.sim.kalshi.pyth import Pyth
from core.sim.kalshi.rest import ENDPOINTS
from core.sim.orders import BookSide, TimeInForce
from core.sim.prices import Prices
from core.sim.transfers import Allocation, Reservation, Transfer
from tests.kalshi_specs import REST_DEVIATIONS

T, U, OLD = "KXHIGHNY-26NOV23-B48.5", "KXHIGHNY-26NOV23-T50", "OLD-1"
ROOT = "/trade-api/v2"
WHOLE = 3
"""The key that may do everything."""
ORDERS, GROUPS = "/portfolio/events/orders", "/portfolio/order_groups"
BID, ASK = BookSide.BID, BookSide.ASK

Wanted = tuple[str, str, dict[str, Any] | None, int]
"""Query or the rest of the path, named steps filled in; JSON body; status."""


@pytest.fixture
def busy(desk):
    """A desk on which everything a call can be about exists, in live data and in the archive."""
    floor, exchange = desk.floor, desk.exchange
    desk.limiter.tiers["ann"] = Tier.PRESTIGE
    start = floor.clock.ms
    spec = MarketSpec(OLD, "OLD", "KXHIGHNY", "t", "y", "less", start, start + 9_000, cap_strike=3)
    exchange.list_event(EventSpec("OLD", "KXHIGHNY", "t", "s", (spec,), strike_date_ms=start))
    floor.placed("bob", ASK, "0.35", 50, ticker=OLD)
    floor.placed("ann", BID, "0.35", 5, TimeInForce.IOC, ticker=OLD, client_order_id="old")
    exchange.determine(OLD, "yes", "2")
    floor.later(3_600)
    archive = desk.venue.archive
    archive.market_settled_ms = archive.trades_created_ms = floor.clock.ms + 1
    archive.orders_updated_ms = archive.positions_updated_ms = floor.clock.ms + 1
    floor.later(60)
    floor.placed("bob", BID, "0.30", 120)
    floor.placed("bob", ASK, "0.35", "85.50")
    floor.placed("ann", BID, "0.35", 2, TimeInForce.IOC, client_order_id="taker")
    floor.placed("ann", BID, "0.20", 7, ticker=U)
    floor.placed("bob", ASK, "0.20", 7, ticker=U)
    exchange.determine(U, "yes", "51")
    exchange.tariffs.change_series("KXHIGHNY", "quadratic_with_maker_fees", 0.5, start + 10**9)
    exchange.tariffs.change_event("KXHIGHNY-26NOV23", None, None, start + 10**9)
    exchange.deposit("ann", parse_money("10"), 2)
    sub = exchange.open_subaccount("ann")
    exchange.transfers.move(exchange.account("ann"), 0, sub, 0, parse_money("5"))
    exchange.transfers.allocations["ann"] = Allocation({0: 90, 2: 10}, Reservation.SUM)
    desk.venue.keys.regions["ann"] = start // 1000 + 10**6
    floor.later(3_600)
    return desk


def asked(desk, order: str, group: str, transfer: str) -> dict[tuple[str, str], list[Wanted]]:
    """What is asked of each endpoint, in the order of the table."""
    now_s = desk.floor.clock.ms // 1000
    span = f"start_ts={now_s - 7_200}&end_ts={now_s}&period_interval=1"
    body = {
        "ticker": T, "side": "bid", "count": "10.00", "price": "0.3200",
        "time_in_force": "good_till_canceled", "self_trade_prevention_type": "taker_at_cross",
    }  # fmt: skip
    change = {"ticker": T, "side": "bid", "price": "0.31", "count": "12"}
    gone = [("POST", ""), ("POST", "/batched"), ("DELETE", "/batched")]
    gone += [("POST", "/{order_id}/amend"), ("POST", "/{order_id}/decrease"), ("DELETE", "/{order_id}")]
    between = {"client_transfer_id": "b", "from_subaccount": 0, "to_subaccount": 1, "amount_cents": 5}
    move = {
        "source": "event_contract", "destination": "event_contract", "amount": 10_000,
        "source_exchange_shard": 0, "destination_exchange_shard": 2, "client_transfer_id": "m",
    }  # fmt: skip
    shares = [{"exchange_index": 0, "percent": 60}, {"exchange_index": 2, "percent": 40}]

    def get(*wanted: str, status: int = 200) -> list[Wanted]:
        return [("", query, None, status) for query in wanted]

    return {
        ("GET", "/exchange/status"): get(""),
        ("GET", "/exchange/schedule"): get(""),
        ("GET", "/exchange/user_data_timestamp"): get(""),
        ("GET", "/series/fee_changes"): get("series_ticker=KXHIGHNY", "show_historical=true"),
        ("GET", "/series/{series_ticker}/markets/{ticker}/candlesticks"): get(
            span, f"{span}&include_latest_before_start=true", span.replace("interval=1", "interval=60")
        ),
        ("GET", "/series/{series_ticker}/events/{ticker}/candlesticks"): [
            ("event", span, None, 200),
            ("event", "", None, 400),
        ],
        ("GET", "/series/{series_ticker}"): get("include_volume=true"),
        ("GET", "/series"): get("category=Climate and Weather&tags=Temperature", "include_volume=true"),
        ("GET", "/events/fee_changes"): get("event_ticker=KXHIGHNY-26NOV23&limit=1"),
        ("GET", "/events/{event_ticker}/metadata"): get(""),
        ("GET", "/events/{event_ticker}"): get("", "with_nested_markets=true", "exclude_markets=true"),
        ("GET", "/events"): get("with_nested_markets=true&status=open&limit=1", "with_milestones=true"),
        ("GET", "/markets/trades"): get(f"ticker={T}&limit=1", "is_block_trade=true"),
        ("GET", "/markets/orderbooks"): get(f"tickers={T}&tickers={U}"),
        ("GET", "/markets/candlesticks"): get(f"market_tickers={T},{U}&{span}"),
        ("GET", "/markets/{ticker}/orderbook"): get("depth=1"),
        ("GET", "/markets/{ticker}"): get(""),
        ("GET", "/markets"): get(f"tickers={T},{U}&mve_filter=exclude", "status=settled&min_settled_ts=0"),
        ("GET", "/historical/cutoff"): get(""),
        ("GET", "/historical/markets/{ticker}/candlesticks"): [
            ("old", f"start_ts={now_s - 7_200}&end_ts={now_s + 86_400}&period_interval=1440", None, 200)
        ],
        ("GET", "/historical/markets/{ticker}"): [("old", "", None, 200)],
        ("GET", "/historical/markets"): get("series_ticker=KXHIGHNY&mve_filter=exclude"),
        ("GET", "/historical/trades"): get(f"ticker={OLD}"),
        ("GET", "/historical/fills"): get(f"ticker={OLD}"),
        ("GET", "/historical/orders"): get(f"ticker={OLD}"),
        ("GET", "/historical/positions"): get(f"ticker={OLD}"),
        ("GET", "/account/endpoint_costs"): get(""),
        ("GET", "/account/limits"): get(""),
        ("POST", "/account/api_usage_level/upgrade"): [("", "", None, 201)],
        ("GET", "/api_keys"): get(""),
        ("GET", "/portfolio/balance"): get("", "exchange_index=2", "subaccount=1"),
        ("GET", "/portfolio/positions"): get("", "settlement_status=all&count_filter=position,total_traded"),
        ("GET", "/portfolio/fills"): get("limit=1", f"ticker={T},{U}&exchange_index=0"),
        ("GET", "/portfolio/settlements"): get("", "limit=1"),
        ("GET", "/portfolio/orders/queue_positions"): get(f"market_tickers={T}"),
        ("GET", "/portfolio/orders/{order_id}/queue_position"): get(""),
        ("GET", "/portfolio/orders/{order_id}"): get(""),
        ("GET", "/portfolio/orders"): get("status=resting", "limit=1&exchange_index=0"),
        **{(method, f"/portfolio/orders{path}"): [("", "", {"action": "buy"}, 410)] for method, path in gone},
        ("POST", f"{ORDERS}/batched"): [("", "", {"orders": [body, {"ticker": 1}]}, 201)],
        ("DELETE", f"{ORDERS}/batched"): [
            ("", "", {"orders": [{"order_id": "unknown", "market_ticker": T}]}, 200)
        ],
        ("POST", f"{ORDERS}/{{order_id}}/amend"): [("", "", change, 200), ("", "", change, 200)],
        ("POST", f"{ORDERS}/{{order_id}}/decrease"): [
            ("", "", {"reduce_to": "4", "market_ticker": T}, 200),
            ("", "", {"reduce_by": "1"}, 200),
        ],
        ("DELETE", f"{ORDERS}/{{order_id}}"): [
            ("", f"market_ticker={T}", None, 200),
            ("", f"market_ticker={T}", None, 404),
        ],
        ("POST", ORDERS): [
            ("", "", body | {"client_order_id": "a", "expiration_time": now_s + 600}, 201),
            ("", "", body | {"price": "0.35", "time_in_force": "immediate_or_cancel"}, 201),
            ("", "", body | {"client_order_id": "a"}, 409),
            ("", "", body | {"price": "0.325"}, 400),
            ("", "", body | {"ticker": "KXNO"}, 404),
        ],
        ("DELETE", ORDERS): [("", "", None, 204)],
        ("GET", GROUPS): get("", "subaccount=0"),
        ("GET", f"{GROUPS}/{{order_group_id}}"): get(""),
        ("POST", f"{GROUPS}/create"): [("", "", {"contracts_limit": 5}, 201), ("", "", {}, 400)],
        ("PUT", f"{GROUPS}/{{order_group_id}}/trigger"): [("", "", None, 200)],
        ("PUT", f"{GROUPS}/{{order_group_id}}/reset"): [("", "exchange_index=0", None, 200)],
        ("PUT", f"{GROUPS}/{{order_group_id}}/limit"): [("", "", {"contracts_limit_fp": "2.50"}, 200)],
        ("DELETE", f"{GROUPS}/{{order_group_id}}"): [("", "", None, 200), ("", "", None, 404)],
        ("POST", "/portfolio/intra_exchange_instance_transfer"): [("", "", move, 200), ("", "", move, 409)],
        ("GET", "/portfolio/intra_exchange_instance_transfers"): get("", "limit=1"),
        ("GET", "/portfolio/intra_exchange_instance_transfers/{transfer_id}"): get(""),
        ("GET", "/portfolio/target_balance_allocation"): get(""),
        ("POST", "/portfolio/target_balance_allocation"): [
            ("", "", {"allocations": shares, "resting_margin_reservation": "max"}, 200),
            ("", "", {"allocations": []}, 200),
        ],
        ("POST", "/portfolio/subaccounts/transfer"): [("", "", between, 200)],
        ("GET", "/portfolio/subaccounts/transfers"): get(""),
        ("GET", "/portfolio/subaccounts/balances"): get(""),
        ("GET", "/portfolio/subaccounts/netting"): get(""),
        ("POST", "/portfolio/subaccounts"): [("", "", {}, 201)],
    }


async def test_every_endpoint_answers_as_specified(busy, rest_spec):
    order = (await busy.create(client_order_id="steps")).json()["order_id"]
    made = await busy.call("POST", f"{GROUPS}/create", json={"contracts_limit": 10})
    group, ann = made.json()["order_group_id"], busy.exchange.account("ann")
    moved = busy.exchange.transfers.move(ann, 0, ann, 2, parse_money("1"))
    assert isinstance(moved, Transfer)
    wanted = asked(busy, order, group, moved.transfer_id)
    assert list(wanted) == [(e.method, e.path) for e in ENDPOINTS], "an endpoint is not exercised"
    steps = {
        "{series_ticker}": "KXHIGHNY", "{event_ticker}": "KXHIGHNY-26NOV23", "{order_id}": order,
        "{order_group_id}": group, "{transfer_id}": moved.transfer_id,
    }  # fmt: skip
    tickers = {"": T, "event": "KXHIGHNY-26NOV23", "old": OLD}
    judge = rest_spec.fresh()
    for endpoint, ((method, path), calls) in zip(ENDPOINTS, wanted.items(), strict=True):
        for of, query, body, status in calls:
            busy.floor.clock.ms += 1_000
            filled = path
            for name, value in {**steps, "{ticker}": tickers[of]}.items():
                filled = filled.replace(name, value)
            sent = {"json": body} if body is not None else {}
            target = f"{filled}?{query}" if query else filled
            if endpoint.scope is None:
                answer = await busy.http.request(method, f"{ROOT}{target}", **sent)
            else:
                answer = await busy.call(method, target, key=WHOLE, **sent)
            assert answer.status_code == status, (method, filled, query, answer.text)
            judge.response(method, filled, answer)
            told = answer.json() if answer.content else {}
            lists = [rows for rows in told.values() if isinstance(rows, list)]
            empty = path in EMPTY or "is_block" in query or body == {"allocations": []}
            assert empty or all(lists), (method, filled, query, "answers with an empty list")


EMPTY = {
    "/exchange/schedule", "/events", "/events/{event_ticker}", "/portfolio/orders/queue_positions",
    f"{GROUPS}/{{order_group_id}}",
}  # fmt: skip
"""Lists that may be empty: windows, milestones, markets beside an event, orders cancelled before."""


async def test_every_listed_deviation_happens_and_no_other(busy, rest_spec, body_of):
    """A deviation nobody meets any more is a rule for nothing."""
    judge = rest_spec.fresh()

    async def meet(method: str, path: str, **kwargs: Any) -> None:
        judge.response(method, path.partition("?")[0], await busy.call(method, path, **kwargs))

    order = (await busy.create(client_order_id="x")).json()["order_id"]
    mine = f"{ORDERS}/{order}"
    change = {"ticker": T, "side": "bid", "price": "0.31", "count": "12", "updated_client_order_id": "taker"}
    await meet("GET", "/portfolio/balance?exchange_index=few")
    await meet("DELETE", mine, key=2)
    await meet("POST", ORDERS, json=body_of(ticker="KXNO"))
    await meet("POST", f"{mine}/amend", json=change)
    await meet("POST", "/portfolio/orders", json={})
    await meet("GET", "/nowhere")
    await meet("POST", ORDERS, content=b" " * ((1 << 20) + 1))
    for _ in range(5):
        await meet("GET", "/portfolio/balance")
    between = {"client_transfer_id": "b", "from_subaccount": 0, "to_subaccount": 1, "amount_cents": 5}
    for _ in range(2):
        await meet("POST", "/portfolio/subaccounts/transfer", key=WHOLE, json=between)
    busy.exchange.shards[0].exchange_active = False
    await meet("GET", "/exchange/status")
    await meet("POST", f"{mine}/decrease", json={"reduce_by": "1"})
    busy.exchange.shards[0].exchange_active = True
    busy.floor.clock.ms += 86_400_000
    await meet("DELETE", f"{mine}?market_ticker={T}")
    assert judge.deviations == {deviation.name for deviation in REST_DEVIATIONS}
    assert ("GET", "/exchange/status", 503) in judge.seen


MESSAGES = {
    "orderbook_delta": {"orderbook_snapshot", "orderbook_delta"},
    "ticker": {"ticker"},
    "trade": {"trade"},
    "fill": {"fill"},
    "user_orders": {"user_order"},
    "market_positions": {"market_position"},
    "order_group_updates": {"order_group_updates"},
    "market_lifecycle_v2": {
        "event_lifecycle", "event_fee_update", "created", "activated", "deactivated", "close_date_updated",
        "determined", "settled", "price_level_structure_updated", "metadata_updated",
    },
    "multivariate_market_lifecycle": set(),
    "cfbenchmarks_value": {"cfbenchmarks_value", "cfbenchmarks_value_indexlist"},
    "cfbenchmarks_value_5hz": {"cfbenchmarks_value_5hz", "cfbenchmarks_value_5hz_indexlist"},
    "pyth_value": {"pyth_value", "pyth_value_underlying_list"},
}  # fmt: skip
"""What each channel sends; of combos there are none."""


def test_every_channel_sends_its_messages_as_specified(desk, stream_spec):
    floor, exchange, reader = desk.floor, desk.exchange, desk.join()
    assert MESSAGES.keys() == channels.CHANNELS.keys(), "a channel is not exercised"
    floor.placed("bob", ASK, "0.35", 5)
    channels_of_values = ("cfbenchmarks_value", "pyth_value", "cfbenchmarks_value_5hz")
    markets = [channel for channel in MESSAGES if channel not in channels_of_values]
    reader.send("subscribe", channels=markets, market_tickers=[T, U], send_initial_snapshot=True)
    reader.send("subscribe", channels=["cfbenchmarks_value"], index_ids=["BRTI"])
    reader.send("subscribe", channels=["pyth_value"], underlying_tickers=["Metal.XAU/USD"])
    reader.send("subscribe", channels=["cfbenchmarks_value_5hz"], index_ids=["BRTI"])
    indices, pyth, fast = len(markets) + 1, len(markets) + 2, len(markets) + 3
    reader.send("update_subscription", sid=fast, action="indexlist")
    reader.send("update_subscription", sid=indices, action="indexlist")
    reader.send("update_subscription", sid=indices, action="subscribe_indices", index_ids=["all"])
    reader.send("update_subscription", sid=pyth, action="underlying_list")
    more = {"underlying_tickers": ["FX.EUR/USD", "InterestRate.US10Y"]}
    reader.send("update_subscription", sid=pyth, action="subscribe_underlyings", **more)
    Pyth(Prices(1), exchange.world, desk.stream, lambda: floor.clock.ms).step(floor.clock.ms)
    reader.send("update_subscription", sid=1, action="delete_markets", market_tickers=[U])
    reader.send("list_subscriptions")
    reader.send("subscribe", channels=["nonsense"])
    close_s = -(-floor.clock.ms // 900_000) * 900
    for second in (-61, -60, -1, 0, 1):
        desk.venue.indices.publish("BRTI", 91_250 * EIGHT_DECIMALS, (close_s + second) * 1000)
        desk.venue.indices.publish_fast("BRTI", 91_250 * EIGHT_DECIMALS, (close_s + second) * 1000)
    group = groups.create(exchange, "ann", 100_000_000, 0)
    assert isinstance(group, groups.Group)
    expiry = floor.clock.ms + 60_000
    floor.placed("ann", BID, "0.40", 9, client_order_id="x", expiration_ms=expiry, group_id=group.group_id)
    groups.trigger(exchange, group)
    start = floor.clock.ms
    spec = MarketSpec(
        "NEW-1", "NEW", "KXHIGHNY", "t", "y", "less", start + 5_000, start + 9_000, cap_strike=3
    )
    exchange.list_event(EventSpec("NEW", "KXHIGHNY", "t", "s", (spec,), strike_date_ms=start))
    market = exchange.markets[T]
    lifecycle.change_grid(exchange, market, "deci_cent", ((0, 10_000, 10),))
    lifecycle.change_strikes(exchange, market, 48, 50, "48° to 50°")
    exchange.tariffs.change_event("KXHIGHNY-26NOV23", "quadratic_with_maker_fees", 0.5, start)
    exchange.tariffs.change_event("KXHIGHNY-26NOV23", None, None, start)
    exchange.advance()
    exchange.pause_market(T)
    exchange.resume_market(T)
    exchange.move_close(T, start + 10_000)
    exchange.determine(T, "yes", "48")
    floor.later(3_600)
    desk.stream.pulse()
    for sid in (1, 2):
        reader.send("unsubscribe", sids=[sid])
    desk.stream.break_channel("ann", "trade")
    judge = stream_spec.fresh()
    for message in reader.take():
        judge.message(message)
    controls = {"subscribed", "unsubscribed", "ok", "error", "market_lifecycle_v2"}
    assert judge.seen - controls == set().union(*MESSAGES.values())
