"""The stream: envelopes, sequence numbers, commands, and every message against the specification."""

from __future__ import annotations

import random

import pytest

from core.domain.units import contracts
from core.sim.kalshi import channels, connection
from core.sim.orders import BookSide, TimeInForce

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
