"""Open questions about the real wire: both answers to each, as a client meets them."""

from __future__ import annotations

import json

import pytest

from core.domain.units import parse_money
from core.sim.dialect import BatchOrder, GroupReason, Resubscribed, UpgradeRefusal
from core.sim.kalshi import sprinkle
from core.sim.kalshi.app import STREAM_PATH
from core.sim.orders import BookSide, TimeInForce
from tests.kalshi_specs import FOLDER, RestJudge, StreamJudge

T, U = "KXHIGHNY-26NOV23-B48.5", "KXHIGHNY-26NOV23-T50"
ORDERS = "/portfolio/events/orders"
BID, ASK = BookSide.BID, BookSide.ASK


@pytest.mark.parametrize("lower", [False, True])
async def test_codes_of_the_matcher(desk_that, lower):
    desk = desk_that(matcher_codes_are_lower_case=lower)
    desk.floor.clock.ms += 86_400_000
    code = (await desk.create()).json()["error"]["code"]
    assert code == ("market_inactive" if lower else "MARKET_INACTIVE")


@pytest.mark.parametrize("nested", [False, True])
async def test_the_form_of_a_429(desk_that, nested):
    desk = desk_that(too_many_requests_is_nested=nested)
    answers = [await desk.call("GET", "/portfolio/balance") for _ in range(6)]
    assert answers[-1].status_code == 429
    error = {"code": "too_many_requests", "message": "too many requests"}
    assert answers[-1].json() == {"error": error if nested else "too many requests"}
    assert not any("retry" in name for name in answers[-1].headers)


@pytest.mark.parametrize("order", list(BatchOrder))
async def test_the_order_of_a_batchs_answers(desk_that, body_of, order):
    desk = desk_that(batch_order=order)
    entries = [body_of(client_order_id="a"), body_of(client_order_id="b", price="0.325")]
    entries += [body_of(client_order_id="c")]
    rows = (await desk.call("POST", f"{ORDERS}/batched", json={"orders": entries})).json()["orders"]
    wanted = {BatchOrder.AS_ASKED: "abc", BatchOrder.REVERSED: "cba", BatchOrder.ERRORS_LAST: "acb"}
    assert "".join(row["client_order_id"] for row in rows) == wanted[order]
    assert [row["client_order_id"] for row in rows if "error" in row] == ["b"]


@pytest.mark.parametrize(("deducted", "shown"), [(True, "996.8000"), (False, "1000.0000")])
async def test_whether_a_balance_is_without_what_rests(desk_that, deducted, shown):
    desk = desk_that(balance_has_resting_deducted=deducted)
    await desk.create()
    balance = await desk.get("/portfolio/balance")
    assert balance["balance_dollars"] == balance["balance_breakdown"][0]["balance"] == shown


@pytest.mark.parametrize("best_first", [False, True])
async def test_the_order_of_levels(desk_that, best_first):
    desk = desk_that(best_level_is_first=best_first)
    for price in ("0.30", "0.31"):
        desk.floor.placed("bob", BID, price, 1)
        desk.floor.placed("bob", ASK, f"0.6{price[-1]}", 1)
    reader = desk.join()
    reader.send("subscribe", channels=["orderbook_delta"], market_ticker=T, use_yes_price=False)
    snapshot = reader.take()[1]["msg"]
    book = (await desk.get(f"/markets/{T}/orderbook"))["orderbook_fp"]
    yes, no = ["0.3000", "0.3100"], ["0.3900", "0.4000"]
    for wanted, shown in ((yes, "yes_dollars"), (no, "no_dollars")):
        in_order = wanted[::-1] if best_first else wanted
        assert [level[0] for level in book[shown]] == in_order
        assert [level[0] for level in snapshot[f"{shown}_fp"]] == in_order


@pytest.mark.parametrize("flipped", [False, True])
def test_the_default_of_use_yes_price(desk_that, flipped):
    desk = desk_that(yes_price_is_default=flipped)
    desk.floor.placed("bob", ASK, "0.33", 5)
    for asked, price in ((None, "0.3300" if flipped else "0.6700"), (True, "0.3300"), (False, "0.6700")):
        reader = desk.join()
        wish = {} if asked is None else {"use_yes_price": asked}
        reader.send("subscribe", channels=["orderbook_delta"], market_ticker=T, **wish)
        assert reader.take()[1]["msg"]["no_dollars_fp"] == [[price, "5.00"]]


@pytest.mark.parametrize("answer", list(Resubscribed))
def test_subscribing_to_a_channel_twice(desk_that, answer):
    desk = desk_that(resubscribed=answer)
    reader = desk.join()
    for ticker in (T, U):
        reader.send("subscribe", channels=["orderbook_delta"], market_ticker=ticker)
    messages = reader.take()
    sids = [m["msg"]["sid"] for m in messages if m["type"] == "subscribed"]
    books = [m for m in messages if m["type"] == "orderbook_snapshot"]
    one = answer is Resubscribed.SAME_SID
    assert sids == ([1, 1] if one else [1, 2])
    assert [(m["sid"], m["seq"], m["msg"]["market_ticker"]) for m in books] == (
        [(1, 1, T), (1, 2, U)] if one else [(1, 1, T), (2, 1, U)]
    )
    desk.floor.placed("bob", BID, "0.30", 1)
    assert [m["sid"] for m in reader.take()] == [1]


@pytest.mark.parametrize("reason", list(GroupReason))
async def test_the_reason_of_an_order_its_group_cancelled(desk_that, reason):
    desk = desk_that(group_reason=reason)
    desk.judged = reason is not GroupReason.UNLISTED
    reader = desk.join()
    reader.send("subscribe", channels=["user_orders"])
    made = await desk.call("POST", "/portfolio/order_groups/create", json={"contracts_limit": 4})
    group = made.json()["order_group_id"]
    await desk.create(order_group_id=group)
    await desk.call("PUT", f"/portfolio/order_groups/{group}/trigger")
    told = reader.take()[-1]["msg"]
    assert (told["status"], told.get("last_update_reason", "")) == ("canceled", reason.value)


async def shake_hands(desk) -> tuple[int, bytes]:
    """Status and body of an unsigned handshake."""
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "websocket.connect"}

    scope = {
        "type": "websocket", "path": STREAM_PATH, "raw_path": STREAM_PATH.encode(), "query_string": b"",
        "headers": [], "scheme": "ws", "server": ("sim", 80), "state": {},
        "extensions": {"websocket.http.response": {}},
    }  # fmt: skip
    await desk.app(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


@pytest.mark.parametrize("refusal", list(UpgradeRefusal))
async def test_the_body_of_a_refused_handshake(desk_that, refusal):
    status, body = await shake_hands(desk_that(upgrade_refusal=refusal))
    assert status == 401
    said = "authentication error"
    error = {"code": "authentication_error", "message": said, "details": "API_KEY_NOT_FOUND"}
    match refusal:
        case UpgradeRefusal.NESTED:
            assert json.loads(body) == {"error": error}
        case UpgradeRefusal.FLAT:
            assert json.loads(body) == error
        case UpgradeRefusal.PLAIN:
            assert body == said.encode()
        case UpgradeRefusal.EMPTY:
            assert body == b""


@pytest.mark.parametrize("lost", [False, True])
async def test_looking_up_a_transfer_that_is_done(desk_that, lost):
    desk = desk_that(finished_transfer_is_not_found=lost)
    ann = desk.exchange.account("ann")
    moved = desk.exchange.transfers.move(ann, 0, ann, 2, parse_money("5"))
    path = f"/portfolio/intra_exchange_instance_transfers/{moved.transfer_id}"
    assert (await desk.get(path))["transfer"]["status"] == "pending"
    desk.floor.later(1)
    found = await desk.call("GET", path)
    assert found.status_code == (404 if lost else 200)
    rows = (await desk.get("/portfolio/balance"))["balance_breakdown"]
    assert rows == [{"exchange_index": 0, "balance": "995.0000"}, {"exchange_index": 2, "balance": "5.0000"}]


@pytest.mark.parametrize("gone", [False, True])
async def test_the_deprecated_words_for_the_direction(desk_that, gone):
    desk = desk_that(deprecated_direction_is_gone=gone)
    desk.judged = not gone
    reader = desk.join()
    reader.send("subscribe", channels=["user_orders", "fill", "trade"])
    desk.floor.placed("bob", ASK, "0.32", 4)
    await desk.create()
    words = {"side", "action", "is_yes", "purchased_side", "taker_side"}
    found = set()
    for path in ("/portfolio/orders", "/portfolio/fills", "/markets/trades"):
        found |= words & {name for rows in (await desk.get(path)).values() for row in rows for name in row}
    for message in reader.take():
        found |= words & set(message["msg"]) if message["type"] != "subscribed" else set()
    assert found == (set() if gone else words)


async def test_what_nobody_has_heard_of_changes_nothing_known(desk_that):
    desk = desk_that(unknown_is_sprinkled=True)
    reader = desk.join()
    reader.send("subscribe", channels=["orderbook_delta", "ticker", "user_orders"], market_ticker=T)
    reader.send("subscribe", channels=["market_lifecycle_v2"])
    desk.floor.placed("ann", BID, "0.30", 1, TimeInForce.GTC, client_order_id="a")
    desk.exchange.cancel_all("ann")
    desk.floor.exchange.determine(U, "yes")
    desk.stream.pulse()
    messages = reader.take()
    assert json.loads(sprinkle.FRAME) in messages
    told = [m["msg"] for m in messages if m["type"] not in ("subscribed", "tomorrows_news")]
    assert all(sprinkle.FIELD in body for body in told)
    assert {"renamed", "determined"} <= {body.get("event_type") for body in told}
    assert told[-1].get("last_update_reason") != sprinkle.REASON
    assert any(body.get("last_update_reason") == sprinkle.REASON for body in told)
    series = (await desk.get("/series"))["series"]
    assert [row["fee_type"] for row in series] == ["quadratic", "cubic"]
    assert sprinkle.FIELD in (await desk.get("/portfolio/balance"))
    markets = await desk.get("/markets")
    assert all(
        sprinkle.FIELD in row and sprinkle.FIELD in row["price_ranges"][0] for row in markets["markets"]
    )
    if FOLDER.is_dir():
        answer = await desk.call("GET", "/markets")
        RestJudge(open_=True).response("GET", "/markets", answer)
        StreamJudge(open_=True).message(next(m for m in messages if m["type"] == "orderbook_snapshot"))


@pytest.mark.parametrize("empty", [False, True])
async def test_the_result_of_a_market_that_settles_in_between(desk_that, empty):
    desk = desk_that(scalar_result_is_empty=empty)
    reader = desk.join()
    reader.send("subscribe", channels=["market_lifecycle_v2"])
    reader.take()
    desk.floor.placed("bob", ASK, "0.40", 10)
    desk.floor.placed("ann", BID, "0.40", 10)
    desk.exchange.determine(T, "scalar", "48.2", 2_500)
    desk.floor.later(3_600)
    told, word = reader.take()[0]["msg"], "" if empty else "scalar"
    assert (told["result"], told["settlement_value"]) == (word, "0.2500")
    market = (await desk.get(f"/markets/{T}"))["market"]
    assert (market["result"], market["settlement_value_dollars"]) == (word, "0.2500")
    (paid,) = (await desk.get("/portfolio/settlements"))["settlements"]
    assert (paid["market_result"], paid["revenue"], paid["value"]) == ("scalar", 250, 25)


@pytest.mark.parametrize("seconds", [0, 20, 60])
async def test_a_cancel_all_takes_what_is_placed_soon_after_it(desk_that, seconds):
    desk = desk_that(cancel_all_lasts_s=seconds)

    async def rests() -> bool:
        assert (await desk.create()).json()["remaining_count"] == "10.00"
        return desk.floor.bids() != []

    assert await rests()
    await desk.call("DELETE", "/portfolio/events/orders")
    assert desk.floor.bids() == []
    if seconds:
        assert not await rests()
        desk.floor.clock.ms += seconds * 1_000 - 1
        assert not await rests()
        desk.floor.clock.ms += 1
    assert await rests()
