"""The stream: envelopes, sequence numbers, commands, and every message against the specification."""

from __future__ import annotations

import json
import random

import pytest

from core.domain.clock import WorldClock
from core.domain.units import contracts
from core.sim import lifecycle
from core.sim.kalshi import channels, commands, connection
from core.sim.kalshi.indices import EIGHT_DECIMALS, Beat
from core.sim.kalshi.pyth import Pyth
from core.sim.orders import BookSide, TimeInForce
from core.sim.prices import Prices

T = "KXHIGHNY-26NOV23-B48.5"
U = "KXHIGHNY-26NOV23-T50"
BID, ASK = BookSide.BID, BookSide.ASK


def of(messages, kind):
    return [m for m in messages if m["type"] == kind]


def prices(messages, kind="orderbook_delta"):
    return [(m["msg"]["side"], m["msg"]["price_dollars"], m["msg"]["delta_fp"]) for m in of(messages, kind)]


def test_a_book_starts_with_its_snapshot_and_goes_on_in_one_sequence(desk):
    desk.floor.placed("bob", BID, "0.30", 120)
    desk.floor.placed("bob", ASK, "0.33", "85.50")
    reader = desk.join()
    reader.send("subscribe", channels=["orderbook_delta"], market_tickers=[T, U])
    desk.floor.placed("bob", ASK, "0.34", 10)
    desk.floor.placed("ann", BID, "0.33", 5, TimeInForce.IOC)
    subscribed, first, second, added, taken = reader.take()
    assert subscribed == {
        "type": "subscribed",
        "id": 1,
        "msg": {"channel": "orderbook_delta", "sid": 1},
        "sending_ts_ms": desk.floor.clock.ms,
    }
    assert first["msg"]["yes_dollars_fp"] == [["0.3000", "120.00"]]
    assert first["msg"]["no_dollars_fp"] == [["0.6700", "85.50"]]
    assert not {"yes_dollars_fp", "no_dollars_fp"} & set(second["msg"])
    assert [m["seq"] for m in (first, second, added, taken)] == [1, 2, 3, 4]
    assert prices([added, taken]) == [("no", "0.6600", "10.00"), ("no", "0.6700", "-5.00")]
    assert first["msg"]["clock"] < added["msg"]["clock"] < taken["msg"]["clock"]


def test_use_yes_price_reports_asks_at_their_yes_price(desk):
    desk.floor.placed("bob", ASK, "0.33", 5)
    plain, yes = desk.join(), desk.join()
    plain.send("subscribe", channels=["orderbook_delta"], market_ticker=T)
    yes.send("subscribe", channels=["orderbook_delta"], market_ticker=T, use_yes_price=True)
    desk.floor.placed("bob", ASK, "0.34", 1)
    (_, old, old_delta), (_, new, new_delta) = plain.take(), yes.take()
    assert old["msg"]["no_dollars_fp"] == [["0.6700", "5.00"]]
    assert new["msg"]["no_dollars_fp"] == [["0.3300", "5.00"]]
    assert prices([old_delta, new_delta]) == [("no", "0.6600", "1.00"), ("no", "0.3400", "1.00")]


def test_only_the_owner_sees_which_order_moved_the_book(desk):
    mine, others = desk.join("ann"), desk.join("bob")
    for reader in (mine, others):
        reader.send("subscribe", channels=["orderbook_delta"], market_ticker=T)
        reader.take()
    desk.floor.placed("ann", BID, "0.30", 1, client_order_id="secret")
    (own,), (seen,) = mine.take(), others.take()
    assert own["msg"].pop("client_order_id") == "secret"
    assert own["msg"].pop("subaccount") == 0
    assert own == seen


def test_deltas_rebuild_the_book_whatever_happens(desk):
    reader, rng, book = desk.join(), random.Random(3), {}
    reader.send("subscribe", channels=["orderbook_delta"], market_ticker=T, use_yes_price=True)
    for _ in range(300):
        account, side = rng.choice(("ann", "bob", "cyd")), rng.choice((BID, ASK))
        working = list(desk.exchange.account(account).working)
        if working and rng.random() < 0.3:
            desk.exchange.cancel(account, rng.choice(working))
        else:
            desk.floor.order(account, side, f"0.{rng.randrange(40, 60)}", rng.randrange(1, 20))
    for message in of(reader.take(), "orderbook_delta"):
        level = message["msg"]["side"], message["msg"]["price_dollars"]
        size = book.get(level, 0) + round(float(message["msg"]["delta_fp"]) * 100)
        assert size >= 0
        book[level] = size
    told = {level: size for level, size in book.items() if size}
    real = {("yes", f"{p / 10_000:.4f}"): q // 10_000 for p, q in desk.floor.bids()}
    real |= {("no", f"{p / 10_000:.4f}"): q // 10_000 for p, q in desk.floor.asks()}
    assert told == real


def test_control_replies_share_the_sequence(desk):
    reader = desk.join()
    reader.send("subscribe", channels=["orderbook_delta"], market_ticker=T)
    asked = reader.send("update_subscription", sids=[1], action="add_markets", market_tickers=[U])
    snap = reader.send("update_subscription", sid=1, action="get_snapshot", market_tickers=[T])
    desk.floor.placed("bob", BID, "0.30", 1, ticker=U)
    gone = reader.send("unsubscribe", sids=[1])
    desk.floor.placed("bob", BID, "0.31", 1)
    messages = reader.take()[1:]
    assert [(m["type"], m["seq"], m.get("id")) for m in messages] == [
        ("orderbook_snapshot", 1, None),
        ("ok", 2, asked),
        ("orderbook_snapshot", 3, None),
        ("orderbook_snapshot", 4, snap),
        ("orderbook_delta", 5, None),
        ("unsubscribed", 6, gone),
    ]
    assert messages[1]["msg"] == {"market_tickers": [T, U]}


def test_deleted_markets_fall_silent_and_an_emptied_subscription_can_end(desk):
    reader = desk.join()
    reader.send("subscribe", channels=["orderbook_delta"], market_ticker=T)
    reader.send("update_subscription", sid=1, action="delete_markets", market_tickers=[T, T])
    reader.take()
    desk.floor.placed("bob", BID, "0.30", 1)
    assert reader.take() == []
    reader.send("unsubscribe", sids=[1])
    assert reader.take()[0]["type"] == "unsubscribed"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("not json", 1),
        ("[]", 1),
        ('{"id":1,"cmd":"subscribe","params":{"channels":"ticker"}}', 1),
        ('{"id":1,"cmd":"subscribe"}', 2),
        ('{"id":1,"cmd":"subscribe","params":{}}', 3),
        ('{"id":1,"cmd":"unsubscribe","params":{}}', 4),
        ('{"id":1,"cmd":"login","params":{}}', 5),
        ('{"id":1,"cmd":"unsubscribe","params":{"sids":[9]}}', 7),
        ('{"id":1,"cmd":"subscribe","params":{"channels":["prices"]}}', 8),
        ('{"id":1,"cmd":"subscribe","params":{"channels":["ticker"],"market_ticker":"KXNO"}}', 11),
        (
            '{"id":1,"cmd":"subscribe","params":{"channels":["trade"],"market_ticker":"A","market_tickers":["B"]}}',
            11,
        ),
        ('{"id":1,"cmd":"update_subscription","params":{"action":"add_markets"}}', 12),
        ('{"id":1,"cmd":"update_subscription","params":{"sid":9,"action":"add_markets"}}', 7),
        ('{"id":1,"cmd":"update_subscription","params":{"sid":1,"action":"jump","market_ticker":"A"}}', 13),
        ('{"id":1,"cmd":"subscribe","params":{"channels":["orderbook_delta"]}}', 14),
        ('{"id":1,"cmd":"update_subscription","params":{"sid":1,"action":"add_markets"}}', 14),
        ('{"id":1,"cmd":"update_subscription","params":{"sid":1}}', 15),
        ('{"id":1,"cmd":"subscribe","params":{"unknown":' + "[" * 100_000 + "]" * 100_000 + "}}", 1),
        (b'{"id":1,"cmd":"\xff\xfe"}', 1),
    ],
)
def test_bad_commands_get_their_error_code_and_change_nothing(desk, stream_spec, text, code):
    reader = desk.join()
    reader.send("subscribe", channels=["ticker"], market_ticker=T)
    reader.take()
    reader.raw(text)
    (error,) = reader.take()
    stream_spec.message(error)
    assert (error["type"], error["msg"]["code"]) == ("error", code)
    assert error.get("id") == (None if code == 1 else 1)
    assert list(reader.connection.subscriptions) == [1]


def test_tickers_are_gathered_into_one_message_a_pulse(desk):
    reader = desk.join()
    reader.send("subscribe", channels=["ticker"])
    reader.take()
    desk.floor.placed("bob", BID, "0.30", 4)
    desk.floor.placed("bob", BID, "0.31", 4)
    desk.stream.pulse()
    desk.stream.pulse()
    (ticker,) = reader.take()
    assert (ticker["msg"]["yes_bid_dollars"], ticker["msg"]["yes_ask_dollars"]) == ("0.3100", "1.0000")
    assert "seq" not in ticker


def test_private_channels_reach_their_account_only(desk):
    mine, others = desk.join("ann"), desk.join("cyd")
    for reader in (mine, others):
        reader.send("subscribe", channels=["fill", "user_orders", "market_positions"])
        reader.take()
    desk.floor.placed("ann", BID, "0.30", 9, client_order_id="a")
    desk.floor.placed("bob", ASK, "0.30", 4)
    messages = mine.take()
    assert others.take() == []
    assert [m["type"] for m in messages] == ["user_order", "fill", "market_position", "user_order"]
    new, fill, position, traded = (m["msg"] for m in messages)
    assert (new["status"], new["remaining_count_fp"], "last_update_reason" in new) == (
        "resting",
        "9.00",
        False,
    )
    assert (fill["post_position_fp"], fill["is_taker"], fill["fee_cost"]) == ("4.00", False, "0.000000")
    assert (position["position_fp"], position["position_cost_dollars"]) == ("4.00", "1.200000")
    assert (traded["last_update_reason"], traded["fill_count_fp"]) == ("Trade", "4.00")


def test_filtered_private_channels_skip_other_markets(desk):
    reader = desk.join()
    reader.send("subscribe", channels=["user_orders"], market_tickers=[U])
    reader.take()
    desk.floor.placed("ann", BID, "0.30", 9)
    assert reader.take() == []


def test_a_reader_too_slow_loses_the_subscription_not_the_connection(desk, monkeypatch):
    monkeypatch.setattr(connection, "QUEUE_MAX", 5)
    reader = desk.join()
    reader.send("subscribe", channels=["orderbook_delta"], market_ticker=T)
    for cents in range(10, 20):
        desk.floor.placed("bob", BID, f"0.{cents}", 1)
    messages = reader.take()
    assert [m["type"] for m in messages] == ["subscribed", "orderbook_snapshot"] + ["orderbook_delta"] * 3 + [
        "error"
    ]
    assert (messages[-1]["msg"]["code"], messages[-1]["sid"], messages[-1]["seq"]) == (25, 1, 5)
    assert reader.connection.subscriptions == {}
    reader.send("subscribe", channels=["orderbook_delta"], market_ticker=T)
    subscribed, snapshot = reader.take()
    assert (subscribed["msg"]["sid"], snapshot["seq"], len(snapshot["msg"]["yes_dollars_fp"])) == (2, 1, 10)


def test_an_unknown_ticker_is_echoed_in_part(desk):
    reader = desk.join()
    reader.send("subscribe", channels=["ticker"], market_ticker="X" * 900_000)
    (error,) = reader.take()
    assert error["msg"] == {"code": 11, "msg": "Invalid parameter", "market_ticker": "X" * 64}


def test_a_client_that_only_talks_is_cut_off(desk, monkeypatch):
    monkeypatch.setattr(connection, "REPLIES_MAX", 5)
    reader = desk.join()
    for _ in range(9):
        reader.send("list_subscriptions")
    assert (len(reader.take()), reader.cuts > 0) == (5, True)


def test_leaving_takes_every_subscription_along(desk):
    reader = desk.join()
    reader.send("subscribe", channels=list(channels.CHANNELS), market_ticker=T)
    desk.stream.leave(reader.connection)
    reader.take()
    desk.floor.placed("ann", BID, "0.30", 1)
    desk.stream.pulse()
    assert reader.take() == []
    assert desk.floor.bids() == [(3000, contracts(1))]


def test_tickers_may_be_followed_by_market_id(desk):
    ids = {ticker: desk.exchange.markets[ticker].market_id for ticker in (T, U)}
    reader = desk.join()
    reader.send("subscribe", channels=["ticker"], market_id=ids[T], send_initial_snapshot=True)
    first = reader.take()[1]
    assert (first["msg"]["market_ticker"], first["msg"]["market_id"]) == (T, ids[T])
    reader.send("update_subscription", sid=1, action="add_markets", market_ids=[ids[U]])
    (changed,) = reader.take()
    assert changed["msg"] == {"market_tickers": [T, U], "market_ids": [ids[T], ids[U]]}
    for params in (
        {"channels": ["trade"], "market_id": ids[T]},
        {"channels": ["ticker"], "market_id": ids[T], "market_ticker": T},
        {"channels": ["ticker"], "market_ids": ["unknown"]},
    ):
        reader.send("subscribe", **params)
        assert reader.take()[0]["msg"]["code"] == 11


def test_acknowledgements_may_leave_their_lists_out(desk):
    reader = desk.join()
    reader.send("subscribe", channels=["ticker"], market_ticker=T, skip_ticker_ack=True)
    reader.send("update_subscription", sid=1, action="add_markets", market_ticker=U)
    assert reader.take()[1]["msg"] == {}


def test_commands_are_counted_by_the_second(desk, monkeypatch):
    monkeypatch.setattr(connection, "COMMANDS_MAX", 3)
    reader = desk.join()
    for _ in range(4):
        reader.send("list_subscriptions")
    assert [m["msg"] for m in reader.take()][3] == {"code": 27, "msg": "Too many requests"}
    desk.floor.clock.ms += 1_000
    reader.send("list_subscriptions")
    assert reader.take()[0]["msg"] == []


def test_a_subscription_names_a_bounded_number_of_markets(desk, monkeypatch):
    monkeypatch.setattr(commands, "MARKETS_MAX", 1)
    reader = desk.join()
    reader.send("subscribe", channels=["orderbook_delta"], market_tickers=[T, U])
    reader.send("subscribe", channels=["orderbook_delta"], market_ticker=T)
    reader.send("update_subscription", sid=1, action="add_markets", market_ticker=U)
    codes = [m["msg"]["code"] for m in of(reader.take(), "error")]
    assert codes == [26, 26]


def test_a_broken_channel_is_dead_until_it_is_followed_again(desk):
    reader = desk.join()
    reader.send("subscribe", channels=["orderbook_delta", "trade"], market_ticker=T)
    desk.stream.break_channel("ann", "orderbook_delta")
    desk.floor.placed("bob", BID, "0.30", 1)
    *_, error = reader.take()
    assert (error["msg"]["code"], error["sid"], error["seq"]) == (10, 1, 2)
    assert list(reader.connection.subscriptions) == [2]


def test_indices_are_chosen_listed_and_averaged(desk):
    indices, reader = desk.venue.indices, desk.join()
    reader.send("subscribe", channels=["cfbenchmarks_value"])
    reader.send("update_subscription", sid=1, action="subscribe_indices")
    reader.send("update_subscription", sid=1, action="subscribe_indices", index_ids=["NOPE"])
    reader.send("update_subscription", sid=1, action="add_markets", market_ticker=T)
    assert [m["msg"]["code"] for m in of(reader.take(), "error")] == [24, 11, 13]
    start = desk.floor.clock.ms
    for second in range(3):
        indices.publish("BRTI", (100 + second) * EIGHT_DECIMALS, start + second * 1_000)
    assert reader.take() == []
    reader.send("update_subscription", sid=1, action="subscribe_indices", index_ids=["BRTI"])
    assert reader.take()[0]["msg"] == {"index_ids": ["BRTI"]}
    indices.publish("BRTI", 110 * EIGHT_DECIMALS, start + 3_000)
    indices.publish("BRTI", 999 * EIGHT_DECIMALS, start + 3_000)
    indices.publish("ETHUSD_RTI", 999 * EIGHT_DECIMALS, start + 3_000)
    (value,) = reader.take()
    body = value["msg"]
    assert json.loads(body["data"])["value"] == "110.00000000"
    assert body["avg_60s_data"] == {
        "value": "101.00000000",
        "window_size": 3,
        "window_start_ts_ms": start + 3_000 - 60_000,
        "window_end_ts_exclusive": start + 3_000,
    }
    assert (value["seq"], "last_60s_windowed_average_15min" in body) == (2, False)
    reader.send("update_subscription", sid=1, action="subscribe_indices", index_ids=["all"])
    reader.send("update_subscription", sid=1, action="unsubscribe_indices", index_ids=["all"])
    assert [m["msg"]["index_ids"] for m in reader.take()] == [["all"], []]
    close = -(-start // 900_000) * 900_000
    reader.send("update_subscription", sid=1, action="subscribe_indices", index_ids=["BRTI"])
    reader.take()
    for at, value in ((close - 60_000, 1), (close - 59_000, 2), (close, 4)):
        indices.publish("BRTI", value * EIGHT_DECIMALS, at)
    windows = [m["msg"].get("last_60s_windowed_average_15min") for m in reader.take()]
    assert windows[0] is None
    assert [(w["value"], w["window_size"]) for w in windows[1:]] == [("2.00000000", 1), ("3.00000000", 2)]


def test_a_moved_grid_and_new_strikes_are_told_and_in_force(desk):
    reader = desk.join()
    reader.send("subscribe", channels=["market_lifecycle_v2"])
    reader.take()
    resting = desk.floor.placed("ann", BID, "0.30", 1).order
    assert desk.floor.order("ann", BID, "0.305", 1).code == "invalid_price"
    market = desk.exchange.markets[T]
    lifecycle.change_grid(desk.exchange, market, "center_half_edge_half_cent", ((0, 10_000, 50),))
    lifecycle.change_strikes(desk.exchange, market, 47, 48, "47° to 48°")
    assert desk.floor.placed("ann", BID, "0.305", 1).order.status is resting.status
    grid, strikes = (m["msg"] for m in reader.take())
    assert grid["price_ranges"] == [{"start": "0.0000", "end": "1.0000", "step": "0.0050"}]
    assert (strikes["floor_strike"], strikes["cap_strike"]) == (47, 48)


def test_a_market_reopens_with_a_later_close(desk):
    reader = desk.join()
    reader.send("subscribe", channels=["market_lifecycle_v2"])
    reader.take()
    desk.exchange.move_close(T, desk.floor.clock.ms)
    desk.exchange.move_close(T, desk.floor.clock.ms + 60_000)
    assert [m["msg"]["event_type"] for m in reader.take()] == [
        "close_date_updated",
        "close_date_updated",
        "activated",
    ]
    assert desk.floor.placed("ann", BID, "0.30", 1).remaining == contracts(1)


def test_an_index_tells_the_worlds_price_with_averages_over_every_second_of_the_world(desk):
    reader, told = desk.join(), desk.venue.indices
    world, prices = WorldClock(desk.floor.clock.ms, desk.floor.clock.ms, 144.0), Prices(1)
    beat = Beat(told, prices, world, desk.stream)
    beat.step(desk.floor.clock.ms)
    assert reader.take() == [] and told.newest_ms("BRTI") == 0, "nobody follows it"
    reader.send("subscribe", channels=["cfbenchmarks_value"], index_ids=["BRTI"])
    reader.take()
    for _ in range(3):
        desk.floor.clock.ms += 1_000
        beat.step(desk.floor.clock.ms)
        beat.step(desk.floor.clock.ms + 199)
    bodies = [message["msg"] for message in reader.take()]
    assert [json.loads(body["data"])["time"] for body in bodies] == [
        world.at(desk.floor.clock.ms - back) // 1_000 * 1_000 for back in (2_000, 1_000, 0)
    ]
    at = world.at(desk.floor.clock.ms) // 1_000 * 1_000
    assert float(json.loads(bodies[-1]["data"])["value"]) == prices.value("BRTI", at)
    average = bodies[-1]["avg_60s_data"]
    minute = [prices.value("BRTI", at - back * 1_000) for back in range(1, 61)]
    assert average["window_size"] == 60
    assert float(average["value"]) == pytest.approx(sum(minute) / 60, abs=0.01)


def test_an_index_is_told_five_times_a_second_and_its_averages_once(desk):
    reader, prices = desk.join(), Prices(1)
    start_ms = -(-desk.floor.clock.ms // 1_000) * 1_000
    beat = Beat(desk.venue.indices, prices, WorldClock(start_ms, start_ms, 1.0), desk.stream)
    for channel in ("cfbenchmarks_value", "cfbenchmarks_value_5hz"):
        reader.send("subscribe", channels=[channel], index_ids=["BRTI"])
    reader.take()
    for late_ms in range(0, 2_000, 97):  # a pulse that comes when it comes
        beat.step(start_ms + late_ms)
    told = reader.take()
    slow = [json.loads(m["msg"]["data"]) for m in told if m["type"] == "cfbenchmarks_value"]
    fast = [m["msg"] for m in told if m["type"] == "cfbenchmarks_value_5hz"]
    assert [one["time"] - start_ms for one in slow] == [0, 1_000]
    assert [one["source_ts_ms"] - start_ms for one in fast] == list(range(0, 2_000, 200))
    assert all(float(one["value_usd"]) == prices.value("BRTI", one["source_ts_ms"]) for one in fast)
    assert fast[5]["value_usd"] == slow[1]["value"], "both channels tell one index"


def test_an_underlying_is_told_to_who_follows_it_while_it_trades(desk):
    reader, prices = desk.join(), Prices(1)
    open_ms = 1_795_560_000_000  # Tuesday 2026-11-24 22:40 UTC
    world = WorldClock(desk.floor.clock.ms, open_ms, 1.0)
    pyth = Pyth(prices, world, desk.stream, lambda: desk.floor.clock.ms)

    def told() -> list[tuple[str, int]]:
        pyth.step(desk.floor.clock.ms)
        desk.floor.clock.ms += 1_000
        bodies = [message["msg"] for message in reader.take() if message["type"] == "pyth_value"]
        return [(body["underlying_ticker"], body["source_ts_ms"]) for body in bodies]

    assert told() == []
    reader.send("subscribe", channels=["pyth_value"], underlying_tickers=["FX.EUR/USD", "InterestRate.US10Y"])
    closed_ms = prices.last_ms("US10Y", open_ms)
    assert told() == [("FX.EUR/USD", open_ms + 1_000), ("InterestRate.US10Y", closed_ms)]
    assert told() == [("FX.EUR/USD", open_ms + 2_000)], "a yield's day is over: it is not told again"
    less = {"action": "unsubscribe_underlyings", "underlying_tickers": ["FX.EUR/USD"]}
    reader.send("update_subscription", sid=1, **less)
    reader.send("update_subscription", sid=1, action="subscribe_underlyings")
    assert reader.take()[-1]["msg"]["code"] == 28
    assert told() == []
