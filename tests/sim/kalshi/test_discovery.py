"""Discovery: status by shard, series, fee changes, candles, and where live data ends."""

from __future__ import annotations

import pytest

from core.domain.units import parse_money
from core.sim.contracts import EventSpec, MarketSpec, SeriesSpec
from core.sim.orders import BookSide, TimeInForce

T, U = "KXHIGHNY-26NOV23-B48.5", "KXHIGHNY-26NOV23-T50"
EVENT = "KXHIGHNY-26NOV23"
BID, ASK = BookSide.BID, BookSide.ASK


async def test_the_status_speaks_for_shard_0_and_lists_the_others(desk):
    desk.exchange.set_trading(False, 2)
    status = await desk.get("/exchange/status")
    assert (status["exchange_active"], status["trading_active"]) == (True, True)
    trading = {row["exchange_index"]: row["trading_active"] for row in status["exchange_index_statuses"]}
    assert trading == {0: True, 1: True, 2: False, 3: True}


async def test_maintenance_is_announced_and_its_status_comes_with_503(desk):
    start = desk.floor.clock.ms + 60_000
    desk.exchange.maintenance.windows.append((start, start + 60_000))
    announced = (await desk.get("/exchange/schedule"))["schedule"]["maintenance_windows"]
    assert len(announced) == 1
    made = await desk.call("POST", "/portfolio/order_groups/create", json={"contracts_limit": 1})
    group = made.json()["order_group_id"]
    order = (await desk.create(order_group_id=group)).json()["order_id"]
    desk.floor.later(60)
    answer = await desk.call("GET", "/exchange/status")
    assert (answer.status_code, answer.json()["exchange_active"]) == (503, False)
    orders, groups = "/portfolio/events/orders", "/portfolio/order_groups"
    for method, path in (
        ("DELETE", f"{orders}/{order}?market_ticker={T}"),
        ("DELETE", orders),
        ("PUT", f"{groups}/{group}/trigger"),
        ("POST", f"{groups}/create"),
    ):
        body = {"json": {"contracts_limit": 1}} if method == "POST" else {}
        refused = await desk.call(method, path, **body)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "EXCHANGE_UNAVAILABLE")
    assert order in desk.exchange.account("ann").working
    desk.floor.later(60)
    assert (await desk.call("GET", "/exchange/status")).status_code == 200


async def test_series_are_found_by_every_category_and_never_paged(desk):
    for number in range(150):
        spec = SeriesSpec(f"KX{number}", "t", "Economics", categories=("Economics", "Odd"), updated_ms=number)
        desk.exchange.list_series(spec)

    async def found(query: str) -> int:
        return len((await desk.get(f"/series?{query}"))["series"])

    assert await found("limit=10") == 151
    assert await found("category=Odd") == 150
    assert await found("category=odd") == 0
    assert await found("tags=Temperature,Other") == 1
    assert await found("min_updated_ts=1") == 0


async def test_a_fee_change_is_announced_then_in_force_and_told(desk):
    exchange, start = desk.exchange, desk.floor.clock.ms
    reader = desk.join()
    reader.send("subscribe", channels=["market_lifecycle_v2"])
    reader.take()
    exchange.tariffs.change_series("KXHIGHNY", "quadratic_with_maker_fees", 0.5, start + 10_000)
    exchange.tariffs.change_event(EVENT, None, 2.0, start + 20_000)
    exchange.tariffs.change_event(EVENT, None, None, start + 30_000)
    resting = desk.floor.placed("bob", ASK, "0.50", 400)

    def taker_fee() -> int:
        taken = desk.floor.placed("cyd", BID, "0.50", 100, TimeInForce.IOC).order
        return taken.taker_fees

    assert taker_fee() == parse_money("1.75")
    assert len((await desk.get("/series/fee_changes"))["series_fee_change_arr"]) == 1
    desk.floor.later(10)
    assert (taker_fee(), resting.order.maker_fees) == (parse_money("0.875"), parse_money("0.2188"))
    assert (await desk.get("/series/fee_changes"))["series_fee_change_arr"] == []
    assert len((await desk.get("/series/fee_changes?show_historical=true"))["series_fee_change_arr"]) == 1
    assert (await desk.get("/series/KXHIGHNY"))["series"]["fee_multiplier"] == 0.5
    desk.floor.later(10)
    assert taker_fee() == parse_money("3.50")
    assert (await desk.get(f"/events/{EVENT}"))["event"]["fee_multiplier_override"] == 2.0
    desk.floor.later(10)
    assert taker_fee() == parse_money("0.875")
    told = [m["msg"] for m in reader.take() if m["type"] == "event_fee_update"]
    assert [of["fee_multiplier_override"] for of in told] == [2.0, None]
    rows = (await desk.get(f"/events/fee_changes?event_ticker={EVENT}&limit=1"))["event_fee_changes"]
    assert [row["fee_multiplier_override"] for row in rows] == [2.0]


async def test_a_waived_market_is_free_until_its_waiver_ends(desk):
    start = desk.floor.clock.ms
    spec = MarketSpec(
        "W-1", "W", "KXHIGHNY", "t", "y", "less", start, start + 10**9, fee_waiver_until_ms=start + 10_000
    )
    desk.exchange.list_event(EventSpec("W", "KXHIGHNY", "t", "s", (spec,)))
    desk.floor.placed("bob", ASK, "0.50", 200, ticker="W-1")
    assert desk.floor.placed("ann", BID, "0.50", 100, ticker="W-1").order.taker_fees == 0
    assert "fee_waiver_expiration_time" in (await desk.get("/markets/W-1"))["market"]
    desk.floor.later(10)
    assert desk.floor.placed("ann", BID, "0.50", 100, ticker="W-1").order.taker_fees == parse_money("1.75")


async def test_candles_fold_quotes_and_prints_and_leave_idle_minutes_out(desk):
    floor, clock = desk.floor, desk.floor.clock
    clock.ms = clock.ms // 3_600_000 * 3_600_000
    start_s = clock.ms // 1000
    floor.placed("bob", BID, "0.30", 10)
    floor.placed("bob", ASK, "0.40", 10)
    floor.placed("ann", BID, "0.40", 2, TimeInForce.IOC)
    clock.ms += 30_000
    floor.placed("ann", ASK, "0.30", 2, TimeInForce.IOC)
    clock.ms += 120_000
    floor.placed("bob", BID, "0.32", 5)

    async def candles(minutes: int, query: str = "", start: int = 0) -> list:
        span = f"start_ts={start_s + start}&end_ts={start_s + 3_600}&period_interval={minutes}{query}"
        return (await desk.get(f"/series/KXHIGHNY/markets/{T}/candlesticks?{span}"))["candlesticks"]

    first, second = await candles(1)
    assert [first["end_period_ts"] - start_s, second["end_period_ts"] - start_s] == [60, 180]
    assert [first["price"][f"{name}_dollars"] for name in ("open", "high", "low", "close", "mean")] == [
        "0.4000", "0.4000", "0.3000", "0.3000", "0.3500",
    ]  # fmt: skip
    assert (first["yes_bid"]["open_dollars"], first["yes_ask"]["open_dollars"]) == ("0.3000", "1.0000")
    assert (first["volume_fp"], first["open_interest_fp"], first["price"]["previous_dollars"]) == (
        "4.00", "0.00", None,
    )  # fmt: skip
    assert second["price"] == {
        "open_dollars": None, "high_dollars": None, "low_dollars": None, "close_dollars": None,
        "mean_dollars": None, "previous_dollars": "0.3000",
    }  # fmt: skip
    assert (second["yes_bid"]["close_dollars"], second["volume_fp"]) == ("0.3200", "0.00")
    (hour,) = await candles(60)
    assert (hour["end_period_ts"], hour["volume_fp"]) == (start_s + 3_600, "4.00")
    assert (hour["yes_bid"]["low_dollars"], hour["yes_bid"]["close_dollars"]) == ("0.3000", "0.3200")
    (before, again) = await candles(1, "&include_latest_before_start=true", start=120)
    assert (before["end_period_ts"] - start_s, before["price"]["previous_dollars"]) == (180, "0.3000")
    assert again == second


@pytest.mark.parametrize(
    "query",
    [
        "",
        "start_ts=1&end_ts=2",
        "start_ts=1&end_ts=2&period_interval=5",
        "start_ts=2&end_ts=1&period_interval=1",
    ],
)
async def test_spans_that_cannot_be_are_refused(desk, query):
    for path in (
        f"/series/KXHIGHNY/markets/{T}/candlesticks",
        f"/series/KXHIGHNY/events/{EVENT}/candlesticks",
    ):
        assert (await desk.call("GET", f"{path}?{query}")).status_code == 400
    assert (await desk.call("GET", f"/markets/candlesticks?market_tickers={T}&{query}")).status_code == 400
    wrong = "start_ts=1&end_ts=2&period_interval=1"
    assert (await desk.call("GET", f"/series/KXNO/markets/{T}/candlesticks?{wrong}")).status_code == 404


async def test_everything_is_live_or_in_the_archive_and_nothing_in_both(desk):
    floor, clock, archive = desk.floor, desk.floor.clock, desk.venue.archive
    for ticker in (T, U):
        floor.placed("bob", ASK, "0.40", 20, ticker=ticker)
        floor.placed("ann", BID, "0.40", 5, ticker=ticker)
    floor.exchange.determine(U, "yes")
    floor.later(3_600)
    lists = {
        "trades": ("/markets/trades", "/historical/trades"),
        "fills": ("/portfolio/fills", "/historical/fills"),
        "orders": ("/portfolio/orders", "/historical/orders"),
        "markets": ("/markets", "/historical/markets"),
        "market_positions": ("/portfolio/positions?settlement_status=all", "/historical/positions"),
    }

    async def counts() -> dict[str, tuple[int, int]]:
        clock.ms += 1_000
        return {
            name: (len((await desk.get(live))[name]), len((await desk.get(old))[name]))
            for name, (live, old) in lists.items()
        }

    assert await counts() == {
        "trades": (2, 0), "fills": (2, 0), "orders": (2, 0), "markets": (2, 0), "market_positions": (2, 0)
    }  # fmt: skip
    # The cutoffs of the archive move one by one.
    archive.trades_created_ms = clock.ms
    archive.orders_updated_ms = clock.ms
    assert await counts() == {
        "trades": (0, 2), "fills": (0, 2), "orders": (0, 2), "markets": (2, 0), "market_positions": (2, 0)
    }  # fmt: skip
    archive.market_settled_ms = archive.positions_updated_ms = clock.ms
    left = await counts()
    # Open positions and markets that have not settled stay, whatever their age.
    assert (left["markets"], left["market_positions"]) == ((1, 1), (1, 1))
    assert (await desk.call("GET", f"/markets/{U}")).status_code == 404
    assert (await desk.get(f"/historical/markets/{U}"))["market"]["status"] == "finalized"
    assert (await desk.call("GET", f"/historical/markets/{T}")).status_code == 404
    assert [m["ticker"] for m in (await desk.get(f"/events/{EVENT}"))["markets"]] == [T]
    cutoff = await desk.get("/historical/cutoff")
    assert set(cutoff) == {
        "market_settled_ts", "trades_created_ts", "orders_updated_ts", "market_positions_last_updated_ts"
    }  # fmt: skip
    span = f"start_ts=0&end_ts={clock.ms // 1000}&period_interval=1"
    (candle,) = (await desk.get(f"/historical/markets/{U}/candlesticks?{span}"))["candlesticks"]
    assert (candle["volume"], candle["price"]["close"]) == ("5.00", "0.4000")
    both = await desk.call("GET", "/historical/markets?series_ticker=KXHIGHNY&tickers=A")
    assert both.status_code == 400


async def test_reads_may_lag_behind_writes_and_say_so(desk_that):
    desk = desk_that(reads_lag_ms=2_000)
    floor, clock = desk.floor, desk.floor.clock
    clock.ms += 1_000
    floor.placed("bob", ASK, "0.40", 20)
    order = (await desk.create(price="0.4000", count="30.00")).json()
    assert order["fill_count"] == "20.00"

    async def shown() -> tuple:
        orders = (await desk.get("/portfolio/orders"))["orders"]
        positions = (await desk.get("/portfolio/positions"))["market_positions"]
        balance = (await desk.get("/portfolio/balance"))["balance_dollars"]
        fills = (await desk.get("/portfolio/fills"))["fills"]
        return (
            [o["remaining_count_fp"] for o in orders],
            [p["position_fp"] for p in positions],
            len(fills),
            balance,
        )

    assert await shown() == ([], [], 0, "1000.0000")
    assert (await desk.call("GET", f"/portfolio/orders/{order['order_id']}")).status_code == 404
    as_of = (await desk.get("/exchange/user_data_timestamp"))["as_of_time"]
    clock.ms += 1_000
    await desk.call("DELETE", f"/portfolio/events/orders/{order['order_id']}")
    clock.ms += 1_000
    assert await shown() == (["10.00"], ["20.00"], 1, "987.6640")
    assert (await desk.get("/exchange/user_data_timestamp"))["as_of_time"] > as_of
    clock.ms += 1_000
    assert await shown() == (["0.00"], ["20.00"], 1, "991.6640")


async def test_event_filters(desk):
    start = desk.floor.clock.ms
    spec = MarketSpec("Z-1", "Z", "KXHIGHNY", "t", "y", "less", start + 10**6, start + 10**7)
    desk.exchange.list_event(EventSpec("Z", "KXHIGHNY", "t", "s", (spec,)))

    async def names(query: str) -> list[str]:
        return [event["event_ticker"] for event in (await desk.get(f"/events?{query}"))["events"]]

    assert await names("") == [EVENT, "Z"]
    assert await names("status=unopened") == ["Z"]
    assert await names(f"tickers=Z,{EVENT}&series_ticker=KXHIGHNY") == [EVENT, "Z"]
    assert await names(f"min_close_ts={(start + 10**7) // 1000 + 1}") == [EVENT]
    assert await names(f"min_updated_ts={start // 1000 + 1}") == []
    shape = await desk.get("/events?with_milestones=true")
    assert shape["milestones"] == []
    both = await desk.call("GET", f"/events/{EVENT}?with_nested_markets=true&exclude_markets=true")
    assert both.status_code == 400
