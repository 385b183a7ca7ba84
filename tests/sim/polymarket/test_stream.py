"""Both sockets: frames as captured and documented, who hears what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.domain.units import Price
from core.sim.polymarket.orders import OrderType
from core.sim.polymarket.stream import QUEUE_MAX, Channel

CAPTURE = Path(__file__).parents[4] / "shared/data/polymarket/ws_market_session_2026-10-05.jsonl"


@pytest.fixture
def market(pit: Any) -> Any:
    return pit.join(Channel.MARKET)


@pytest.fixture
def user(pit: Any, ann: Any) -> Any:
    joined = pit.join(Channel.USER)
    key = ann.key
    joined.say(
        {"auth": {"apiKey": key.key, "secret": key.secret, "passphrase": key.passphrase}, "type": "user"}
    )
    return joined


def follow(pit: Any, market: Any, *, custom: bool = False) -> None:
    market.say(
        {"assets_ids": list(pit.plain.spec.tokens), "type": "market", "custom_feature_enabled": custom}
    )
    market.take()


def kinds(found: list[dict[str, Any]]) -> list[str]:
    return [body["event_type"] for body in found]


def test_the_first_frame_is_an_array_of_books_as_captured(pit: Any, market: Any) -> None:
    if not CAPTURE.exists():
        pytest.skip("../shared/data/polymarket/ws_market_session_2026-10-05.jsonl is not here")
    rows = [json.loads(line) for line in CAPTURE.read_text().splitlines()]
    real = json.loads(rows[2]["data"])
    market.say({"assets_ids": [pit.second.spec.tokens[0]], "type": "market"})
    [frame] = market.raw()
    assert frame.endswith("]\n") and rows[2]["data"].endswith("]\n")
    [ours] = json.loads(frame)
    assert list(ours) == list(real[0])


def test_ping_is_answered_and_unknown_tokens_are_silence(pit: Any, market: Any) -> None:
    market.say({"assets_ids": ["123"], "type": "market"})
    assert market.raw() == []
    market.say("PING")
    assert market.raw() == ["PONG"]


def test_a_change_carries_the_new_size_on_both_outcomes(pit: Any, market: Any) -> None:
    follow(pit, market)
    yes, no = pit.plain.spec.tokens
    pit.placed("bob", "BUY", "0.51", "150")
    [change] = market.take()
    rows = change["price_changes"]
    assert [(r["asset_id"], r["price"], r["size"], r["side"]) for r in rows] == [
        (yes, "0.51", "150", "BUY"),
        (no, "0.49", "150", "SELL"),
    ]
    assert (rows[0]["best_bid"], rows[0]["best_ask"]) == ("0.51", "1")
    assert (rows[1]["best_bid"], rows[1]["best_ask"]) == ("0", "0.49")
    pit.placed("cyd", "BUY", "0.51", "50")
    assert market.take()[0]["price_changes"][0]["size"] == "200"
    pit.exchange.cancel_all("bob")
    pit.exchange.cancel_all("cyd")
    assert [c["price_changes"][0]["size"] for c in market.take()] == ["50", "0"]


def test_a_trade_is_changes_a_print_and_whole_books(pit: Any, market: Any) -> None:
    pit.split("bob", "50")
    pit.placed("bob", "SELL", "0.50", "10")
    follow(pit, market)
    pit.placed("ann", "BUY", "0.50", "4")
    found = market.take()
    assert kinds(found) == ["price_change", "last_trade_price", "book", "book"]
    assert (found[1]["price"], found[1]["size"], found[1]["side"]) == ("0.5", "4", "BUY")
    assert found[2]["asks"] == [{"price": "0.5", "size": "6"}] and found[2]["last_trade_price"] == "0.5"
    assert pit.get(f"/gamma/markets/slug/{pit.plain.spec.slug}")["volumeNum"] == 2.0


def test_deltas_add_up_to_the_book(pit: Any, market: Any) -> None:
    """A client that only applies price changes has what a snapshot says, on both tokens."""
    follow(pit, market)
    pit.split("bob", "100")
    for who, side, price, shares, outcome in (
        ("bob", "SELL", "0.60", "30", 0), ("cyd", "BUY", "0.55", "20", 0), ("ann", "BUY", "0.62", "12", 0),
        ("ann", "BUY", "0.45", "50", 1), ("cyd", "BUY", "0.58", "5", 0), ("bob", "SELL", "0.41", "9", 1),
    ):  # fmt: skip
        pit.order(who, side, price, shares, outcome=outcome)
    books: dict[str, dict[tuple[str, str], str]] = {token: {} for token in pit.plain.spec.tokens}
    for change in market.take():
        for row in change.get("price_changes", ()):
            books[row["asset_id"]][row["side"], row["price"]] = row["size"]
    for token, levels in books.items():
        shown = pit.get(f"/book?token_id={token}")
        expected = {("BUY", x["price"]): x["size"] for x in shown["bids"]}
        expected |= {("SELL", x["price"]): x["size"] for x in shown["asks"]}
        assert {level: size for level, size in levels.items() if size != "0"} == expected


def test_custom_features_are_off_until_they_are_asked_for(pit: Any, market: Any) -> None:
    follow(pit, market)
    pit.placed("bob", "BUY", "0.51", "150")
    assert kinds(market.take()) == ["price_change"]
    market.say({"operation": "subscribe", "assets_ids": [], "custom_feature_enabled": True})
    pit.placed("bob", "BUY", "0.52", "150")
    found = market.take()
    assert kinds(found) == ["price_change", "best_bid_ask", "best_bid_ask"]
    assert (found[1]["best_bid"], found[1]["best_ask"], found[1]["spread"]) == ("0.52", "1", "0.48")
    pit.exchange.resolve(pit.plain.condition_id, 0)
    resolved = market.take()[-1]
    assert resolved["event_type"] == "market_resolved"
    assert (resolved["winning_outcome"], resolved["winning_asset_id"]) == ("Yes", pit.plain.spec.tokens[0])


def test_new_markets_go_to_everybody_who_wants_news(pit: Any, market: Any) -> None:
    market.say({"assets_ids": [], "type": "market", "custom_feature_enabled": True})
    pit._list("snow", pit_market("snow-in-nyc", 9))
    [news] = market.take()
    assert (news["event_type"], news["slug"]) == ("new_market", "snow-in-nyc")


def pit_market(name: str, number: int) -> Any:
    from tests.sim.polymarket.conftest import market as spec

    return spec(name, number)


def test_a_tick_change_is_told_for_each_token(pit: Any, market: Any) -> None:
    follow(pit, market)
    pit.exchange.flip_tick(pit.plain.condition_id, Price(10))
    found = market.take()
    assert [(f["old_tick_size"], f["new_tick_size"]) for f in found] == [("0.01", "0.001")] * 2


def test_unsubscribing_ends_it(pit: Any, market: Any) -> None:
    follow(pit, market)
    market.say({"operation": "unsubscribe", "assets_ids": list(pit.plain.spec.tokens)})
    pit.placed("bob", "BUY", "0.51", "150")
    assert market.take() == []


def test_a_private_order_from_placement_to_its_end(pit: Any, ann: Any, user: Any) -> None:
    placed = ann.placed("BUY", 5_000_000, 10_000_000)["orderID"]
    [event] = user.take()
    assert event == {
        "event_type": "order", "type": "PLACEMENT", "id": placed, "owner": ann.key.key,
        "order_owner": ann.key.key, "maker_address": ann.address, "market": pit.plain.condition_id,
        "asset_id": pit.plain.spec.tokens[0], "side": "BUY", "original_size": "10", "size_matched": "0",
        "price": "0.5", "outcome": "Yes", "order_type": "GTC", "status": "LIVE",
        "created_at": str(pit.clock.ms // 1000), "expiration": "0", "timestamp": str(pit.clock.ms),
        "associate_trades": None,
    }  # fmt: skip
    pit.split("bob", "50")
    pit.placed("bob", "SELL", "0.50", "4", kind=OrderType.FAK)
    update, trade = user.take()
    assert (update["type"], update["size_matched"], update["status"]) == ("UPDATE", "4", "LIVE")
    assert (trade["event_type"], trade["status"], trade["trader_side"]) == ("trade", "MATCHED", "MAKER")
    assert trade["maker_orders"][0]["order_id"] == placed and trade["fee_rate_bps"] == ""
    ann.call("DELETE", "/order", {"orderID": placed})
    [gone] = user.take()
    assert (gone["type"], gone["status"]) == ("CANCELLATION", "CANCELED")
    pit.settled()
    assert [e["status"] for e in user.take()] == ["MINED", "CONFIRMED"]


def test_who_meets_itself_is_told_of_both_halves(pit: Any, ann: Any, user: Any) -> None:
    ann.placed("BUY", 4_800_000, 10_000_000, outcome=1)
    ann.placed("BUY", 5_200_000, 10_000_000)
    told = [event for event in user.take() if event["event_type"] == "trade"]
    assert [event["trader_side"] for event in told] == ["TAKER", "MAKER"]
    assert len({event["id"] for event in told}) == 1
    rows = ann.get("/data/trades")["data"]
    assert [row["trader_side"] for row in rows] == ["TAKER", "MAKER"]


def test_a_killed_order_says_why(pit: Any, ann: Any, user: Any) -> None:
    ann.refused("BUY", 10_000_000, 19_230_700, kind="FOK")
    [event] = user.take()
    assert event["status"] == (
        "CANCELED_order couldn't be fully filled. FOK orders are fully filled or killed."
    )
    assert (event["type"], event["original_size"]) == ("CANCELLATION", "10")


def test_only_the_owner_hears_and_only_of_markets_it_named(pit: Any, ann: Any, user: Any) -> None:
    pit.placed("bob", "BUY", "0.51", "150")
    assert user.take() == []
    narrow = pit.join(Channel.USER)
    auth = {"apiKey": ann.key.key, "secret": ann.key.secret, "passphrase": ann.key.passphrase}
    narrow.say({"auth": auth, "type": "user", "markets": [pit.ladder.condition_id]})
    ann.placed("BUY", 5_000_000, 10_000_000)
    assert len(user.take()) == 1 and narrow.take() == []
    narrow.say({"operation": "subscribe", "markets": [pit.plain.condition_id]})
    ann.placed("BUY", 5_000_000, 10_000_000)
    assert len(narrow.take()) == 1


@pytest.mark.parametrize("auth", [None, {}, {"apiKey": "x", "secret": "y", "passphrase": "z"}])
def test_bad_credentials_close_the_socket_without_a_word(pit: Any, ann: Any, auth: Any) -> None:
    joined = pit.join(Channel.USER)
    joined.say({"type": "user"} | ({} if auth is None else {"auth": auth}))
    assert joined.closed and joined.raw() == []


def test_who_does_not_read_is_closed(pit: Any, market: Any) -> None:
    for _ in range(QUEUE_MAX + 1):
        market.say("PING")
    assert market.closed


def test_what_is_no_json_is_said_to_be_none(market: Any) -> None:
    market.say("{")
    assert market.raw() == ["INVALID OPERATION"] and not market.closed


def test_a_frozen_book_is_told_again_and_again_with_the_time_it_was_true(pit: Any, market: Any) -> None:
    pit.split("bob", "50")
    pit.placed("bob", "SELL", "0.60", "10")
    follow(pit, market)
    pit.stream.freeze(pit.plain.condition_id)
    told = []
    for price in ("0.58", "0.56"):
        pit.later(2)
        pit.placed("bob", "SELL", price, "10")
        told += market.take()
    assert kinds(told) == ["book"] * 4
    of_yes = [book for book in told if book["asset_id"] == pit.plain.spec.tokens[0]]
    assert of_yes[0] == of_yes[1] and [level["price"] for level in of_yes[0]["asks"]] == ["0.6"]
    pit.stream.thaw(pit.plain.condition_id)
    assert [level["price"] for level in market.take()[0]["asks"]] == ["0.6", "0.58", "0.56"]
    pit.placed("bob", "SELL", "0.54", "10")
    assert kinds(market.take()) == ["price_change"]
