"""REST: every answer against the venue's own specification, and the rules a client trips over."""

from __future__ import annotations

import pytest

from core.domain.units import contracts, parse_money
from core.sim.contracts import EventSpec, MarketSpec
from core.sim.orders import BookSide, TimeInForce

ROOT = "/trade-api/v2"
T = "KXHIGHNY-26NOV23-B48.5"
U = "KXHIGHNY-26NOV23-T50"
BID, ASK = BookSide.BID, BookSide.ASK


@pytest.fixture
def traded(desk):
    """Two markets with books, prints, our fills as maker and taker, a settled and an open position."""
    floor = desk.floor
    floor.placed("bob", BID, "0.30", 120)
    floor.placed("bob", ASK, "0.35", "85.50")
    floor.placed("ann", BID, "0.32", 10, client_order_id="mine", expiration_ms=floor.clock.ms + 60_000)
    floor.placed("bob", ASK, "0.32", 4)
    floor.placed("ann", BID, "0.35", 2, TimeInForce.IOC, client_order_id="taker")
    floor.placed("ann", BID, "0.20", 7, ticker=U)
    floor.placed("bob", ASK, "0.20", 7, ticker=U)
    floor.exchange.determine(U, "yes", "51")
    floor.later(1)
    return desk


async def test_orders_are_created_changed_and_cancelled_as_specified(desk, rest_spec, body_of):
    orders, one = "/portfolio/events/orders", "/portfolio/events/orders/{order_id}"
    created = await desk.create(client_order_id="a", expiration_time=desk.floor.clock.ms // 1000 + 60)
    rest_spec.response("POST", orders, created)
    assert created.json() == {
        "order_id": created.json()["order_id"],
        "client_order_id": "a",
        "fill_count": "0.00",
        "remaining_count": "10.00",
        "ts_ms": desk.floor.clock.ms,
    }
    order_id = created.json()["order_id"]
    shown = await desk.call("GET", f"/portfolio/orders/{order_id}")
    rest_spec.response("GET", "/portfolio/orders/{order_id}", shown)
    ahead = await desk.call("GET", f"/portfolio/orders/{order_id}/queue_position")
    rest_spec.response("GET", "/portfolio/orders/{order_id}/queue_position", ahead)

    change = {"ticker": T, "side": "bid", "price": "0.33", "count": "12"}
    amended = await desk.call("POST", f"{orders}/{order_id}/amend", json=change)
    rest_spec.response("POST", f"{one}/amend", amended)
    same = await desk.call("POST", f"{orders}/{order_id}/amend", json=change)
    rest_spec.response("POST", f"{one}/amend", same)
    assert (amended.json()["remaining_count"], same.json()["remaining_count"]) == ("12.00", None)

    less = await desk.call("POST", f"{orders}/{order_id}/decrease", json={"reduce_by": "2"})
    rest_spec.response("POST", f"{one}/decrease", less)
    to = await desk.call("POST", f"{orders}/{order_id}/decrease", json={"reduce_to": "4"})
    assert (less.json()["remaining_count"], to.json()["remaining_count"]) == ("10.00", "4.00")

    gone = await desk.call("DELETE", f"{orders}/{order_id}?market_ticker={T}")
    rest_spec.response("DELETE", one, gone)
    assert gone.json()["reduced_by"] == "4.00"
    again = await desk.call("DELETE", f"{orders}/{order_id}?market_ticker={T}")
    assert (again.status_code, again.json()["error"]["code"]) == (404, "not_found")

    entries = [body_of(), body_of(price="0.325"), {"ticker": 1}, body_of(client_order_id="a")]
    batch = await desk.call("POST", f"{orders}/batched", json={"orders": entries})
    rest_spec.response("POST", f"{orders}/batched", batch)
    codes = [row.get("error", {}).get("code") for row in batch.json()["orders"]]
    assert codes == [None, "invalid_price", "invalid_order", "order_already_exists"]
    working = batch.json()["orders"][0]["order_id"]
    both = [{"order_id": working, "market_ticker": T}, {"order_id": "unknown"}]
    cancelled = await desk.call("DELETE", f"{orders}/batched", json={"orders": both})
    rest_spec.response("DELETE", f"{orders}/batched", cancelled)
    assert [row["reduced_by"] for row in cancelled.json()["orders"]] == ["10.00", "0.00"]

    await desk.create()
    everything = await desk.call("DELETE", orders)
    rest_spec.response("DELETE", orders, everything)
    assert (everything.status_code, desk.floor.bids()) == (204, [])


async def test_a_taker_is_told_its_averages_in_yes_terms(desk):
    desk.floor.placed("bob", BID, "0.40", 5)
    desk.floor.placed("bob", BID, "0.36", 5)
    answer = (await desk.create(side="ask", price="0.30", time_in_force="immediate_or_cancel")).json()
    assert (answer["fill_count"], answer["remaining_count"]) == ("10.00", "0.00")
    assert answer["average_fill_price"] == "0.380000"
    order = (await desk.get(f"/portfolio/orders/{answer['order_id']}"))["order"]
    assert (order["status"], order["outcome_side"]) == ("executed", "no")
    assert order["taker_fill_cost_dollars"] == "6.200000"
    fills = (await desk.get("/portfolio/fills"))["fills"]
    assert [fill["yes_price_dollars"] for fill in fills] == ["0.3600", "0.4000"]
    assert "client_order_id" not in fills[0]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"price": 0.32}, 400, "invalid_order"),
        ({"count": 10}, 400, "invalid_order"),
        ({"time_in_force": None}, 400, "invalid_order"),
        ({"self_trade_prevention_type": None}, 400, "invalid_order"),
        ({"time_in_force": "GTT"}, 400, "invalid_order"),
        ({"side": "yes"}, 400, "invalid_order"),
        ({"expiration_time": 1_795_500_000.5}, 400, "invalid_order"),
        ({"expiration_time": 1_000}, 400, "invalid_order"),
        ({"expiration_time": 10**14}, 400, "invalid_order"),
        ({"client_order_id": "x" * 65}, 400, "invalid_order"),
        ({"count": "0.001"}, 400, "invalid_order"),
        ({"count": "5.000"}, 400, "invalid_order"),
        ({"count": "ten"}, 400, "invalid_order"),
        ({"price": "0.3250"}, 400, "invalid_price"),
        ({"price": "0.00001"}, 400, "invalid_price"),
        ({"price": "1.0000"}, 400, "invalid_price"),
        ({"reduce_only": True}, 400, "invalid_order"),
        ({"count": "9999"}, 400, "insufficient_balance"),
        ({"ticker": "KXNO"}, 404, "market_not_found"),
        ({"exchange_index": 2}, 404, "market_not_found"),
        ({"subaccount": 3}, 404, "user_not_found"),
        ({"order_group_id": "g"}, 404, "not_found"),
    ],
    ids=str,
)
async def test_bad_creates_are_refused_in_the_nested_form(desk, change, status, code):
    answer = await desk.create(**change)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert set(answer.json()) == {"error"}
    assert desk.floor.bids() == []


async def test_definite_refusals_of_the_matcher(desk):
    desk.floor.placed("bob", ASK, "0.40", 5)
    crossing = await desk.create(price="0.40", post_only=True)
    assert (crossing.status_code, crossing.json()["error"]["details"]) == (400, "post only cross")
    killed = await desk.create(price="0.40", time_in_force="fill_or_kill", client_order_id="k")
    code = "fill_or_kill_insufficient_resting_volume"
    assert (killed.status_code, killed.json()["error"]["code"]) == (409, code)
    burnt = await desk.create(client_order_id="k")
    assert (burnt.status_code, burnt.json()["error"]["code"]) == (409, "order_already_exists")
    desk.floor.clock.ms += 86_400_000
    assert (await desk.create()).json()["error"]["code"] == "MARKET_INACTIVE"


async def test_a_cancel_without_its_market_goes_to_shard_zero(desk):
    start = desk.floor.clock.ms
    spec = MarketSpec(
        "KXBTC-1", "KXBTC", "KXHIGHNY", "t", "y", "less", start, start + 9_000, exchange_index=2
    )
    desk.exchange.list_event(EventSpec("KXBTC", "KXHIGHNY", "t", "s", (spec,)))
    desk.exchange.deposit("ann", parse_money("100"), 2)
    path = f"/portfolio/events/orders/{(await desk.create(ticker='KXBTC-1')).json()['order_id']}"
    assert (await desk.call("DELETE", path)).status_code == 404
    assert (await desk.call("DELETE", f"{path}?exchange_index=0&market_ticker=KXBTC-1")).status_code == 404
    assert (await desk.call("DELETE", f"{path}?exchange_index=-1&market_ticker=KXBTC-1")).status_code == 200
    path = f"/portfolio/events/orders/{(await desk.create(ticker='KXBTC-1')).json()['order_id']}"
    assert (
        await desk.call("POST", f"{path}/decrease", json={"reduce_by": "1", "exchange_index": 0})
    ).status_code == 404
    assert (
        await desk.call("POST", f"{path}/decrease", json={"reduce_by": "1", "market_ticker": "KXNO"})
    ).status_code == 404
    body = {"ticker": "KXBTC-1", "side": "bid", "price": "0.3200", "count": "9"}
    assert (await desk.call("POST", f"{path}/amend", json=body | {"exchange_index": 0})).status_code == 404
    assert (await desk.call("DELETE", f"{path}?exchange_index=2")).status_code == 200


DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"orders":{}}',
        b'{"reduce_by":"1","reduce_to":"1"}',
        b'{"unknown":' + DEEP + b"}",
        b'{"ticker":"\xff\xfe","reduce_by":"\xff","orders":[{"order_id":"\xff"}',
    ],
    ids=["empty", "cut", "list", "orders", "both", "deep", "latin"],
)
async def test_bodies_nobody_can_read_are_refused(desk, body):
    order_id = (await desk.create()).json()["order_id"]
    for method, path in (
        ("POST", ""),
        ("POST", "/batched"),
        ("DELETE", "/batched"),
        ("POST", f"/{order_id}/amend"),
        ("POST", f"/{order_id}/decrease"),
    ):
        answer = await desk.call(method, f"/portfolio/events/orders{path}", content=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_order")


async def test_a_body_over_a_megabyte_is_not_read(desk):
    answer = await desk.call("POST", "/portfolio/events/orders", content=b" " * ((1 << 20) + 1))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")
    taken = 0

    async def endless():
        nonlocal taken
        while True:
            taken += 1
            yield b" " * (1 << 18)

    answer = await desk.call("POST", "/portfolio/events/orders", content=endless())
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")
    assert taken < 10


async def test_the_signed_path_is_the_one_sent(desk):
    assert (await desk.call("GET", "/portfolio/orders/a%20b%3Fc")).status_code == 404


async def test_legacy_writes_are_gone_and_unknown_paths_are_json_errors(desk):
    for method, path in (
        ("POST", ""),
        ("DELETE", "/6a1d"),
        ("POST", "/6a1d/amend"),
        ("POST", "/6a1d/decrease"),
        ("POST", "/batched"),
        ("DELETE", "/batched"),
    ):
        old = await desk.call(method, f"/portfolio/orders{path}", json={"action": "buy"})
        assert (old.status_code, old.json()["error"]["code"]) == (410, "deprecated_v1_order_endpoint")
    assert (await desk.http.get(f"{ROOT}/nowhere")).json() == {
        "error": {"code": "not_found", "message": "not found"}
    }
    for path in ("/markets/KXNO", "/markets/KXNO/orderbook", "/events/KXNO", "/series/KXNO"):
        assert (await desk.http.get(ROOT + path)).status_code == 404


async def test_pages_follow_opaque_cursors_to_an_empty_one(desk):
    ids = [(await desk.create(price=f"0.{cents:02d}")).json()["order_id"] for cents in range(10, 15)]
    seen, cursor = [], ""
    for _ in range(3):
        page = await desk.get(f"/portfolio/orders?limit=2&cursor={cursor}")
        seen += [order["order_id"] for order in page["orders"]]
        cursor = page["cursor"]
        await desk.create(price="0.09")
    assert (seen, cursor) == (ids[::-1], "")
    whole = await desk.get(f"/portfolio/orders?limit={len(ids) + 3}")
    assert (len(whole["orders"]), whole["cursor"]) == (len(ids) + 3, "")
    first = await desk.get("/portfolio/orders?limit=2")
    assert await desk.get("/portfolio/orders?limit=2&cursor=%21garbage") == first
    assert (await desk.call("GET", "/portfolio/orders?limit=1001")).status_code == 400
    assert (await desk.call("GET", "/portfolio/orders?limit=few")).status_code == 400


async def test_market_filters(desk):
    desk.exchange.pause_market(U)

    async def tickers(query: str) -> list[str]:
        return [m["ticker"] for m in (await desk.get(f"/markets?{query}"))["markets"]]

    assert await tickers("status=open") == [T]
    assert await tickers("status=paused&series_ticker=KXHIGHNY") == [U]
    assert await tickers(f"event_ticker=KXHIGHNY-26NOV23&tickers={U},KXNO") == [U]
    assert await tickers("event_ticker=KXNO") == []
    close_s = desk.exchange.markets[T].close_ms // 1000
    assert await tickers(f"min_close_ts={close_s}&max_close_ts={close_s}") == [T, U]
    assert await tickers(f"min_close_ts={close_s + 1}") == []
    assert await tickers("mve_filter=only") == []
    assert await tickers("min_updated_ts=0&mve_filter=exclude&series_ticker=KXHIGHNY") == [T, U]
    assert await tickers("min_created_ts=0&status=open") == [T]
    for refused in (
        "status=active",
        "mve_filter=all",
        "min_close_ts=0&min_created_ts=0",
        "min_close_ts=0&status=open",
        "max_settled_ts=0&status=closed",
        "min_updated_ts=0",
        "min_updated_ts=0&mve_filter=exclude&status=open",
    ):
        answer = await desk.call("GET", f"/markets?{refused}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_parameter"), refused


async def test_order_lists_filter_by_status_market_and_real_time(desk):
    old = (await desk.create()).json()["order_id"]
    desk.floor.clock.ms += 10_000
    new = (await desk.create(ticker=U)).json()["order_id"]
    await desk.call("DELETE", f"/portfolio/events/orders/{old}")

    async def ids(query: str) -> list[str]:
        return [o["order_id"] for o in (await desk.get(f"/portfolio/orders?{query}"))["orders"]]

    assert await ids("") == [new, old]
    assert await ids("status=canceled") == [old]
    assert await ids(f"ticker={U}") == [new]
    assert await ids(f"min_ts={desk.floor.clock.ms // 1000}") == [new]
    assert await ids(f"max_ts={desk.floor.clock.ms // 1000 - 1}") == [old]
    assert await ids("event_ticker=KXHIGHNY-26NOV23,KXNO") == [new, old]


async def test_the_book_shows_asks_as_no_bids_at_the_complement(traded):
    book = (await traded.get(f"/markets/{T}/orderbook"))["orderbook_fp"]
    assert book == {
        "yes_dollars": [["0.3000", "120.00"], ["0.3200", "6.00"]],
        "no_dollars": [["0.6500", "83.50"]],
    }
    assert (await traded.call("GET", f"/markets/{T}/orderbook?depth=101")).status_code == 400
    top = (await traded.get(f"/markets/{T}/orderbook?depth=1"))["orderbook_fp"]
    assert top["yes_dollars"] == [["0.3200", "6.00"]]
    market = (await traded.get(f"/markets/{T}"))["market"]
    quote = {k: market[k] for k in ("yes_bid_dollars", "yes_ask_dollars", "no_bid_dollars", "no_ask_dollars")}
    assert list(quote.values()) == ["0.3200", "0.3500", "0.6500", "0.6800"]
    assert (market["volume_fp"], market["open_interest_fp"]) == ("6.00", "6.00")
    assert market["last_price_dollars"] == "0.3500"


async def test_an_empty_book_shows_zero_and_one(desk):
    market = (await desk.get(f"/markets/{T}"))["market"]
    assert (market["yes_bid_dollars"], market["yes_ask_dollars"]) == ("0.0000", "1.0000")
    book = (await desk.get(f"/markets/{T}/orderbook"))["orderbook_fp"]
    assert book == {"yes_dollars": [], "no_dollars": []}


async def test_balance_positions_and_settlements_agree_with_the_exchange(traded):
    balance = await traded.get("/portfolio/balance")
    # 1000 - 4x0.32 - 2x0.35 - taker fee 0.0319 - 7x0.20, and 6x0.32 kept aside for what rests
    assert balance["balance_dollars"] == "994.6681"
    assert balance["balance"] == 99_466
    # 6 YES at the last price of 0.35 and 7 at the result
    assert balance["portfolio_value"] == 910
    rows = (await traded.get("/portfolio/positions"))["market_positions"]
    assert {row["ticker"]: row["position_fp"] for row in rows} == {T: "6.00", U: "7.00"}
    assert rows[0]["market_exposure_dollars"] == "1.980000"
    traded.floor.later(3_600)
    paid = (await traded.get("/portfolio/settlements"))["settlements"][0]
    assert (paid["market_result"], paid["revenue"], paid["yes_count_fp"]) == ("yes", 700, "7.00")
    assert [r["ticker"] for r in (await traded.get("/portfolio/positions"))["market_positions"]] == [T]
    settled = (await traded.get("/portfolio/positions?settlement_status=settled"))["market_positions"]
    assert (settled[0]["ticker"], settled[0]["realized_pnl_dollars"]) == (U, "5.600000")
    assert traded.floor.position("ann", T) == contracts(6)


def test_world_times_and_real_times_do_not_mix(make_floor):
    floor = make_floor(speed=60)
    floor.clock.ms += 60_000
    market = floor.exchange.markets[T]
    assert floor.world.at(floor.clock.ms) == market.open_ms + 3_600_000
    floor.exchange.determine(T, "yes", "48")
    assert market.determined_world_ms == market.open_ms + 3_600_000
    assert market.updated_ms == floor.clock.ms
