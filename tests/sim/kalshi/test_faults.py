"""Faults: what each switch does to what is said, and that the exchange behind stays honest."""

from __future__ import annotations

import pytest

from core.domain.units import contracts
from core.sim.orders import BookSide, TimeInForce

T = "KXHIGHNY-26NOV23-B48.5"
U = "KXHIGHNY-26NOV23-T50"
ROOT = "/trade-api/v2"
BID, ASK = BookSide.BID, BookSide.ASK


def follow(desk, *tickers):
    reader = desk.join()
    reader.send("subscribe", channels=["orderbook_delta"], market_tickers=list(tickers), use_yes_price=True)
    reader.take()
    return reader


def test_a_frozen_book_desyncs_alone_stays_silent_and_comes_back_whole(desk):
    desk.floor.placed("bob", BID, "0.30", 4)
    reader = follow(desk, T, U)
    desk.faults.freeze_books([T])
    desk.faults.freeze_books([T])
    (corrupt,) = reader.take()
    assert (corrupt["msg"]["market_ticker"], corrupt["msg"]["price_dollars"]) == (T, "0.3000")
    assert float(corrupt["msg"]["delta_fp"]) < -4

    desk.floor.placed("bob", BID, "0.31", 1)
    desk.floor.placed("bob", BID, "0.32", 1, ticker=U)
    asked = reader.send("update_subscription", sid=1, action="get_snapshot", market_tickers=[T])
    other = reader.send("update_subscription", sid=1, action="get_snapshot", market_tickers=[U])
    delta, snapshot = reader.take()
    assert (delta["msg"]["market_ticker"], delta["seq"]) == (U, corrupt["seq"] + 1)
    assert (snapshot["msg"]["market_ticker"], snapshot["id"], snapshot["seq"]) == (U, other, delta["seq"] + 1)
    assert asked != other

    desk.faults.thaw_books([T, U])
    (fresh,) = reader.take()
    assert (fresh["type"], fresh["seq"]) == ("orderbook_snapshot", snapshot["seq"] + 1)
    assert fresh["msg"]["yes_dollars_fp"] == [["0.3000", "4.00"], ["0.3100", "1.00"]]
    desk.floor.placed("bob", BID, "0.33", 1)
    assert reader.take()[0]["msg"]["clock"] > fresh["msg"]["clock"]


def test_a_frozen_empty_book_is_garbled_too(desk):
    desk.judged = False
    reader = follow(desk, T)
    desk.faults.freeze_books([T])
    assert reader.take()[0]["msg"]["delta_fp"].startswith("-")


async def test_a_lost_answer_hides_a_working_order_until_its_time(desk):
    reader = desk.join()
    reader.send("subscribe", channels=["user_orders", "fill", "market_positions"])
    reader.send("subscribe", channels=["orderbook_delta"], market_ticker=T)
    reader.take()
    desk.faults.lose_next_create_answer("ann", 6_000)
    with pytest.raises(ConnectionAbortedError):
        await desk.create(client_order_id="lost")
    desk.floor.placed("bob", ASK, "0.32", 4, TimeInForce.IOC)
    assert desk.floor.position("ann") == contracts(4)

    placed, traded = reader.take()
    assert "client_order_id" not in placed["msg"]
    assert traded["msg"]["delta_fp"] == "-4.00"
    order_id = next(iter(desk.exchange.account("ann").working))
    assert (await desk.get("/portfolio/orders"))["orders"] == []
    assert (await desk.get("/portfolio/fills"))["fills"] == []
    assert (await desk.get(f"/portfolio/orders/queue_positions?market_tickers={T}"))["queue_positions"] == []
    assert (await desk.call("GET", f"/portfolio/orders/{order_id}")).status_code == 404
    rows = (await desk.get("/portfolio/positions"))["market_positions"]
    assert [row["position_fp"] for row in rows] in ([], ["0.00"])
    duplicate = await desk.create(client_order_id="lost")
    assert duplicate.status_code == 409
    visible = await desk.create(client_order_id="next", price="0.10")
    assert visible.status_code == 201
    assert [m["msg"]["client_order_id"] for m in reader.take() if m["type"] == "user_order"] == ["next"]

    desk.floor.clock.ms += 5_999
    desk.stream.pulse()
    assert reader.take() == []
    desk.floor.clock.ms += 1
    desk.stream.pulse()
    kinds = [m["type"] for m in reader.take()]
    assert kinds == ["user_order", "fill", "market_position", "user_order"]
    orders = (await desk.get("/portfolio/orders"))["orders"]
    assert [(o["client_order_id"], o["fill_count_fp"]) for o in orders] == [
        ("next", "0.00"),
        ("lost", "4.00"),
    ]
    assert (await desk.get("/portfolio/positions"))["market_positions"][0]["position_fp"] == "4.00"


async def test_hidden_fills_and_reserves_are_left_out_of_the_balance(desk):
    desk.floor.placed("bob", ASK, "0.32", 10)
    desk.faults.lose_next_create_answer("ann", 6_000)
    with pytest.raises(ConnectionAbortedError):
        await desk.create(client_order_id="lost", time_in_force="immediate_or_cancel")
    assert (await desk.get("/portfolio/balance"))["balance_dollars"] == "1000.0000"
    desk.floor.clock.ms += 6_000
    assert (await desk.get("/portfolio/balance"))["balance_dollars"] == "996.6476"
    desk.floor.placed("ann", BID, "0.10", 10)
    desk.floor.clock.ms += 1_000
    assert (await desk.get("/portfolio/balance"))["balance_dollars"] == "995.6476"
    desk.faults.lose_next_create_answer("ann", 6_000)
    with pytest.raises(ConnectionAbortedError):
        await desk.create(client_order_id="resting", price="0.2000")
    desk.floor.clock.ms += 1_000
    assert (await desk.get("/portfolio/balance"))["balance_dollars"] == "995.6476"
    desk.floor.clock.ms += 6_000
    assert (await desk.get("/portfolio/balance"))["balance_dollars"] == "993.6476"


async def test_a_refused_create_is_answered_and_the_next_accepted_one_is_lost(desk):
    desk.faults.lose_next_create_answer("ann", 1_000)
    assert (await desk.create(client_order_id="b", price="0.325")).status_code == 400
    with pytest.raises(ConnectionAbortedError):
        await desk.create(client_order_id="a")
    assert (await desk.create(client_order_id="b")).status_code == 201
    shown = (await desk.get("/portfolio/orders"))["orders"]
    assert [order["client_order_id"] for order in shown] == ["b"]


async def test_refusals_end_by_count_or_by_time(desk):
    desk.judged = False
    desk.faults.refuse("/markets", 503, b'{"exchange_active":false}', count=2)
    desk.faults.refuse("/events", 500, b"<html>", until_ms=desk.floor.clock.ms + 1_000)

    async def status(path):
        return (await desk.http.get(ROOT + path)).status_code

    assert [await status("/markets") for _ in range(3)] == [503, 503, 200]
    assert [await status("/events"), await status("/series")] == [500, 200]
    desk.floor.clock.ms += 1_000
    assert await status("/events") == 200
    desk.faults.refuse("/series", 503, b"{}")
    assert await status("/series") == 503
    desk.faults.clear()
    assert await status("/series") == 200


async def test_a_delay_holds_the_answer_back(desk, monkeypatch):
    waited = []

    async def sleep(seconds):
        waited.append(seconds)

    monkeypatch.setattr("core.sim.kalshi.app.asyncio.sleep", sleep)
    desk.faults.delay("/series", 250)
    await desk.http.get(f"{ROOT}/series")
    await desk.http.get(f"{ROOT}/markets")
    desk.faults.delay("/series", 0)
    await desk.http.get(f"{ROOT}/series")
    assert waited == [0.25]


def test_a_gap_skips_one_number_of_every_sequenced_subscription(desk):
    reader, others = follow(desk, T), desk.join("bob")
    others.send("subscribe", channels=["orderbook_delta"], market_ticker=T)
    others.take()
    desk.faults.gap_seq("ann")
    desk.floor.placed("bob", BID, "0.30", 4)
    assert (reader.take()[0]["seq"], others.take()[0]["seq"]) == (3, 2)


def test_dropping_sockets_cuts_that_accounts_connections(desk):
    mine, others = desk.join("ann"), desk.join("bob")
    desk.faults.drop_ws("ann")
    assert (mine.cuts, others.cuts) == (1, 0)
