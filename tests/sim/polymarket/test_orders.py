"""``POST /order`` and the cancels: checks in their order, exact texts, answers, batches."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from core.sim.polymarket import chain, typed_data
from core.sim.polymarket.modes import Mode
from core.sim.polymarket.typed_data import SignatureType

BUY_52 = ("BUY", 5_200_000, 10_000_000)
SELL_52 = ("SELL", 10_000_000, 5_200_000)


def error(answer: Any) -> tuple[int, str]:
    return answer.status, json.loads(answer.body)["error"]


def test_an_order_rests_under_the_hash_it_was_signed_with(pit: Any, ann: Any) -> None:
    posted = ann.order(*BUY_52)
    answer = json.loads(ann.call("POST", "/order", posted).body)
    assert answer == {
        "success": True, "errorMsg": "", "orderID": answer["orderID"], "status": "live", "makingAmount": "",
        "takingAmount": "", "transactionsHashes": [], "tradeIDs": [],
    }  # fmt: skip
    found = ann.get(f"/data/order/{answer['orderID']}")
    assert found == {
        "id": answer["orderID"], "status": "LIVE", "owner": ann.key.key, "maker_address": ann.address,
        "market": pit.plain.condition_id, "asset_id": pit.plain.spec.tokens[0], "side": "BUY",
        "original_size": "10", "size_matched": "0", "price": "0.52", "outcome": "Yes", "order_type": "GTC",
        "expiration": "0", "created_at": pit.clock.ms // 1000, "associate_trades": [],
    }  # fmt: skip
    assert error(ann.call("POST", "/order", posted)) == (
        400,
        f"order {answer['orderID']} is invalid. Duplicated.",
    )


@pytest.mark.parametrize("name", ["plain", "ladder", "second"])
def test_every_exchange_takes_its_own_signatures_only(pit: Any, ann: Any, name: str) -> None:
    market = getattr(pit, name)
    assert ann.placed(*BUY_52, on=market)["status"] == "live"
    for domain in (typed_data.STANDARD, typed_data.NEG_RISK, typed_data.V3):
        if domain != market.spec.domain:
            other = domain.version != market.spec.domain.version
            text = "order_version_mismatch" if other else "invalid signature"
            assert ann.refused(*BUY_52, on=market, sign_for=domain) == text


WALLETS = {
    SignatureType.POLY_PROXY: chain.proxy_of,
    SignatureType.POLY_GNOSIS_SAFE: chain.safe_of,
    SignatureType.POLY_1271: chain.deposit_wallet_of,
}


@pytest.mark.parametrize("kind", WALLETS)
@pytest.mark.parametrize("name", ["plain", "ladder", "second"])
def test_every_kind_of_wallet_signs_its_own_way(
    pit: Any, ann: Any, make_member: Any, kind: SignatureType, name: str
) -> None:
    address, market = WALLETS[kind](ann.address), getattr(pit, name)
    wallet = pit.exchange.open_wallet(address, ann.address, kind, 6_000_000)
    order = ann.placed(*BUY_52, on=market, wallet=wallet)["orderID"]
    assert ann.get(f"/data/order/{order}")["maker_address"] == address
    assert ann.refused(*BUY_52, on=market, wallet=wallet).startswith("not enough balance / allowance")
    other = typed_data.NEG_RISK if name == "plain" else typed_data.STANDARD
    assert ann.post(*BUY_52, on=market, wallet=wallet, sign_for=other).status == 400
    bob = make_member(pit, 2)
    assert bob.post(*BUY_52, on=market, wallet=wallet).status == 400
    assert bob.get("/data/orders")["data"] == []


def test_a_deposit_wallet_is_its_own_signer(pit: Any, ann: Any, make_member: Any) -> None:
    address = chain.deposit_wallet_of(ann.address)
    wallet = pit.exchange.open_wallet(address, ann.address, SignatureType.POLY_1271, 100_000_000)
    needs_signer = "the order signer address has to be the address of the API KEY"
    assert ann.refused(*BUY_52, wallet=wallet, signer=ann.address) == needs_signer
    assert make_member(pit, 2).refused(*BUY_52, wallet=wallet) == needs_signer


def test_a_matched_order_answers_with_what_it_gave_and_got(pit: Any, ann: Any) -> None:
    pit.split("bob", "50")
    pit.placed("bob", "SELL", "0.50", "10")
    answer = ann.placed("BUY", 10_000_000, 19_230_700, kind="FAK")
    assert (answer["status"], answer["makingAmount"], answer["takingAmount"]) == ("matched", "5", "10")
    assert answer["transactionsHashes"] == [] and len(answer["tradeIDs"]) == 1
    assert ann.get(f"/data/order/{answer['orderID']}")["original_size"] == "10"
    pit.settled()
    sold = pit.placed("bob", "BUY", "0.40", "10") and ann.placed("SELL", 10_000_000, 4_000_000, kind="FOK")
    assert (sold["makingAmount"], sold["takingAmount"]) == ("10", "4")


def test_rounding_shares_up_misses_the_level(pit: Any, ann: Any) -> None:
    pit.split("bob", "50")
    pit.placed("bob", "SELL", "0.52", "20")
    text = ann.refused("BUY", 10_000_000, 19_230_800, kind="FAK")
    assert text.startswith("no orders found to match with FAK order.")
    assert ann.placed("BUY", 10_000_000, 19_230_700, kind="FAK")["status"] == "matched"


@pytest.mark.parametrize(
    ("args", "change", "text"),
    [
        (("BUY", 5_250_000, 10_000_000), {}, "Price (0.525) breaks minimum tick size rule: 0.01"),
        (("BUY", 10_000_000, 10_000_000), {}, "Price (1) breaks minimum tick size rule: 0.01"),
        (("BUY", 2_080_000, 4_000_000), {}, "Size (4) lower than the minimum: 5"),
        (("SELL", 4_000_000, 2_080_000), {"kind": "FAK"}, "Size (4) lower than the minimum: 5"),
    ],
)
def test_prices_and_sizes_the_market_does_not_have(
    ann: Any, args: tuple[Any, ...], change: dict[str, Any], text: str
) -> None:
    assert ann.refused(*args, **change).endswith(f" is invalid. {text}")


@pytest.mark.parametrize(
    ("args", "change", "text"),
    [
        (("BUY", 5_200_520, 10_001_000), {}, "invalid amounts, the buy orders maker amount supports a max "
         "accuracy of 4 decimals, taker amount a max of 2 decimals"),
        (("SELL", 10_001_000, 5_200_520), {}, "invalid amounts, the sell orders maker amount supports a max "
         "accuracy of 2 decimals, taker amount a max of 4 decimals"),
        (("BUY", 10_001_000, 19_232_600), {"kind": "FAK"}, "invalid amounts, the market buy orders maker "
         "amount supports a max accuracy of 2 decimals, taker amount a max of 4 decimals"),
        (("BUY", 10_000_000, 19_230_760), {"kind": "FAK"}, "invalid amounts, the market buy orders maker "
         "amount supports a max accuracy of 2 decimals, taker amount a max of 4 decimals"),
        (("BUY", 900_000, 1_730_700), {"kind": "FOK"},
         "invalid amount for a marketable BUY order ($0.9), min size: $1"),
        (BUY_52, {"kind": "GTD"}, "invalid expiration"),
        (BUY_52, {"kind": "GTD", "expiration": "1795400179"}, "invalid expiration"),
        (BUY_52, {"expiration": "1795400500"}, "invalid expiration"),
        (BUY_52, {"owner": "somebody"}, "the order owner has to be the owner of the API KEY"),
        (BUY_52, {"signer": "0x" + "12" * 20},
         "the order signer address has to be the address of the API KEY"),
        (BUY_52, {"maker": "0x" + "12" * 20},
         "maker address not allowed, please use the deposit wallet flow"),
        (BUY_52, {"signatureType": 2}, "maker address not allowed, please use the deposit wallet flow"),
        (BUY_52, {"makerAmount": "5300000"}, "invalid signature"),
        (BUY_52, {"signature": "0x1234"}, "invalid signature"),
        (BUY_52, {"salt": "1"}, "Invalid order payload"),
        (BUY_52, {"makerAmount": 5_200_000}, "Invalid order payload"),
        (BUY_52, {"makerAmount": "5.2"}, "Invalid order payload"),
        (BUY_52, {"unheard": "of"}, "Invalid order payload"),
        (("buy", *BUY_52[1:]), {}, "Invalid order payload"),
        (BUY_52, {"kind": "IOC"}, "Invalid order payload"),
        (BUY_52, {"kind": "FAK", "postOnly": True}, "Invalid order payload"),
        (BUY_52, {"feeRateBps": "0", "nonce": "0"}, "order_version_mismatch"),
    ],
)  # fmt: skip
def test_refusals_in_the_venues_words(
    ann: Any, args: tuple[Any, ...], change: dict[str, Any], text: str
) -> None:
    assert ann.refused(*args, **change) == text


@pytest.mark.parametrize(
    ("tick", "price", "maker", "taker"),
    [
        (100, "0.53", 11_151_200, 21_040_000),
        (10, "0.057", 5_700_000, 100_000_000),
        (1, "0.1234", 958_818, 7_770_000),
        (50, "0.995", 12_437_500, 12_500_000),
        (25, "0.0725", 2_416_425, 33_330_000),
    ],
)
def test_every_grid_takes_its_own_amounts(
    pit: Any, ann: Any, tick: int, price: str, maker: int, taker: int
) -> None:
    pit.exchange.flip_tick(pit.plain.condition_id, tick)
    placed = ann.placed("BUY", maker, taker)
    assert ann.get(f"/data/order/{placed['orderID']}")["price"] == price


def test_market_orders_have_four_decimals_on_every_grid(pit: Any, ann: Any) -> None:
    pit.exchange.flip_tick(pit.plain.condition_id, 10)
    assert ann.refused("BUY", 10_000_000, 17_543_850, kind="FAK").startswith(
        "invalid amounts, the market buy"
    )
    assert ann.refused("BUY", 10_000_000, 17_543_800, kind="FAK").startswith("no orders found")


def test_gtd_and_post_only_are_taken(pit: Any, ann: Any) -> None:
    pit.split("bob", "50")
    pit.placed("bob", "SELL", "0.52", "10")
    assert ann.refused(*BUY_52, postOnly=True) == "invalid post-only order: order crosses book"
    end = str(pit.clock.ms // 1000 + 180)
    placed = ann.placed("BUY", 5_100_000, 10_000_000, kind="GTD", expiration=end, postOnly=True)
    found = ann.get(f"/data/order/{placed['orderID']}")
    assert (found["order_type"], found["expiration"]) == ("GTD", end)


def test_a_held_taker_that_finds_nothing_left_rests_unmatched(make_pit: Any, make_member: Any) -> None:
    pit = make_pit(holds_takers=True)
    ann = make_member(pit)
    pit.split("bob", "50")
    offer = pit.placed("bob", "SELL", "0.52", "10").order
    posted = msgspec.json.encode(ann.order(*BUY_52))
    stamped = ann.request("POST", "/order", posted)
    assert pit.rest.hold_ms(stamped) == 250
    resting = msgspec.json.encode(ann.order("BUY", 5_100_000, 10_000_000))
    assert pit.rest.hold_ms(ann.request("POST", "/order", resting)) == 0
    assert pit.rest.hold_ms(ann.request("GET", "/data/orders")) == 0
    pit.exchange.cancel("bob", offer.order_id)
    answer = json.loads(pit.rest.handle(stamped, held=True).body)
    assert answer["status"] == "unmatched"
    assert ann.get(f"/data/order/{answer['orderID']}")["status"] == "LIVE"


def test_a_batch_says_yes_to_the_call_and_no_to_its_elements(ann: Any) -> None:
    rows = [ann.order(*BUY_52), ann.order("BUY", 5_250_000, 10_000_000), {"not": "an order"}]
    answers = json.loads(ann.call("POST", "/orders", rows).body)
    assert [a["success"] for a in answers] == [True, True, True]
    assert [bool(a["errorMsg"]) for a in answers] == [False, True, True]
    assert answers[1]["orderID"] == "" and "breaks minimum tick size" in answers[1]["errorMsg"]
    too_many = [ann.order(*BUY_52) for _ in range(16)]
    text = "Too many orders in payload: 16, max allowed: 15"
    assert error(ann.call("POST", "/orders", too_many)) == (400, text)


def test_cancels_of_one_some_a_market_and_all(pit: Any, ann: Any) -> None:
    one, two, three, four, five = (
        ann.placed(*BUY_52, on=market)["orderID"]
        for market in (pit.plain, pit.plain, pit.plain, pit.ladder, pit.second)
    )
    gone = {"0x" + "aa" * 32: "order can't be found - already canceled or matched"}
    assert json.loads(ann.call("DELETE", "/order", {"orderID": one}).body)["canceled"] == [one]
    body = json.loads(ann.call("DELETE", "/orders", [two, two, *gone]).body)
    assert body == {"canceled": [two], "not_canceled": gone}
    body = json.loads(ann.call("DELETE", "/cancel-market-orders", {"market": pit.plain.condition_id}).body)
    assert body["canceled"] == [three]
    token = {"asset_id": pit.second.spec.tokens[0]}
    assert json.loads(ann.call("DELETE", "/cancel-market-orders", token).body)["canceled"] == [five]
    assert json.loads(ann.call("DELETE", "/cancel-all").body)["canceled"] == [four]
    assert ann.get("/data/orders")["data"] == []
    assert ann.get(f"/data/order/{one}")["status"] == "CANCELED"
    assert error(ann.call("DELETE", "/order", {"orderID": "12"})) == (400, "Invalid orderID")
    assert error(ann.call("DELETE", "/orders", ["0x" + "0" * 64] * 1001))[1].endswith("max allowed: 1000")


def test_nobody_cancels_or_reads_anothers_order(pit: Any, ann: Any, make_member: Any) -> None:
    bob = make_member(pit, 2)
    theirs = bob.placed(*BUY_52)["orderID"]
    assert theirs in json.loads(ann.call("DELETE", "/order", {"orderID": theirs}).body)["not_canceled"]
    assert ann.call("GET", f"/data/order/{theirs}").status == 404
    assert [row["id"] for row in bob.get("/data/orders")["data"]] == [theirs]


def test_a_matched_order_is_too_late_to_cancel(pit: Any, ann: Any) -> None:
    pit.split("bob", "50")
    pit.placed("bob", "SELL", "0.50", "10")
    done = ann.placed(*BUY_52)["orderID"]
    body = json.loads(ann.call("DELETE", "/order", {"orderID": done}).body)
    assert body["not_canceled"] == {done: "Order already matched"}


def test_standing_of_an_address(ann: Any) -> None:
    ann.wallet.closed_only = True
    assert ann.refused(*BUY_52) == f"'{ann.address}' address in closed only mode"
    assert ann.refused(*SELL_52).startswith("not enough balance / allowance")
    assert ann.get("/auth/ban-status/closed-only") == {"closed_only": True}
    ann.wallet.banned = True
    assert ann.refused(*SELL_52) == f"'{ann.address}' address banned"


def test_markets_that_take_no_orders(pit: Any, ann: Any) -> None:
    unknown = ann.order(*BUY_52, tokenId="1234")
    assert error(ann.call("POST", "/order", unknown)) == (404, "market not found")
    pit.clock.ms -= 1_000
    assert ann.refused(*BUY_52) == "the market is not yet ready to process new orders"
    pit.clock.ms += 1_000
    pit.exchange.resolve(pit.plain.condition_id, 1)
    assert error(ann.post(*BUY_52))[0] == 404


def test_a_restart_passes_through_post_only(pit: Any, ann: Any) -> None:
    resting = ann.placed(*BUY_52)["orderID"]
    pit.exchange.engine.restart(pit.clock.ms, 90_000)
    answer = ann.post(*BUY_52)
    assert (answer.status, answer.headers["Retry-After"]) == (425, "90")
    assert ann.call("DELETE", "/order", {"orderID": resting}).status == 425
    assert ann.get("/data/orders")["data"] != []
    pit.later(100)
    answer = ann.post(*BUY_52)
    assert answer.status == 503 and json.loads(answer.body) == {
        "error": "post-only mode: only post-only orders and cancels are allowed",
        "code": "post_only_mode",
        "retry_after_seconds": 110,
    }
    assert ann.post(*BUY_52, postOnly=True).status == 200
    assert ann.call("DELETE", "/order", {"orderID": resting}).status == 200
    pit.later(111)
    assert ann.post(*BUY_52).status == 200


def test_cancel_only_and_disabled(pit: Any, ann: Any) -> None:
    first, resting = ann.placed(*BUY_52)["orderID"], ann.placed(*BUY_52)["orderID"]
    pit.exchange.engine.enter(Mode.CANCEL_ONLY)
    assert error(ann.post(*BUY_52)) == (
        503,
        "Trading is currently cancel-only. New orders are not accepted, but cancels are allowed.",
    )
    assert json.loads(ann.call("DELETE", "/order", {"orderID": first}).body)["canceled"] == [first]
    pit.exchange.engine.enter(Mode.DISABLED)
    disabled = (503, "Trading is currently disabled. Check polymarket.com for updates")
    assert error(ann.call("DELETE", "/order", {"orderID": resting})) == disabled
    pit.exchange.engine.enter(Mode.NORMAL)
    assert ann.call("DELETE", "/order", {"orderID": resting}).status == 200


def test_a_blocked_place_may_read_and_not_order(pit: Any, ann: Any) -> None:
    pit.venue.geography.blocked = True
    assert pit.get("/api/geoblock") == {"blocked": True, "ip": "127.0.0.1", "country": "IE", "region": "L"}
    assert ann.post(*BUY_52).status == 403
    assert ann.get("/data/orders")["data"] == []


def test_heartbeats_over_the_wire(pit: Any, ann: Any) -> None:
    def beat(heartbeat_id: str) -> tuple[int, dict[str, str]]:
        answer = ann.call("POST", "/v1/heartbeats", {"heartbeat_id": heartbeat_id})
        return answer.status, json.loads(answer.body)

    status, first = beat("")
    assert status == 200
    assert beat("wrong") == (400, {"error_msg": "Invalid Heartbeat ID", **first})
    assert beat(first["heartbeat_id"])[0] == 200
    resting = ann.placed(*BUY_52)["orderID"]
    pit.later(16)
    assert ann.get(f"/data/order/{resting}")["status"] == "CANCELED"
    assert json.loads(ann.call("POST", "/heartbeats").body) == {"status": "ok"}


def test_checks_come_in_their_order(pit: Any, ann: Any) -> None:
    """Mode before signature of the request, shape before owner, signature before tick."""
    pit.exchange.engine.enter(Mode.CANCEL_ONLY)
    assert ann.call("POST", "/order", b"{}", poly_signature="wrong").status == 503
    pit.exchange.engine.enter(Mode.NORMAL)
    assert ann.call("POST", "/order", b"{}", poly_signature="wrong").status == 401
    assert error(ann.call("POST", "/order", b"{}")) == (400, "Invalid order payload")
    off_tick = ("BUY", 5_250_000, 10_000_000)
    assert ann.refused(*off_tick, owner="other", signature="0x12").startswith("the order owner")
    assert ann.refused(*off_tick, signature="0x12") == "invalid signature"


def test_lower_limits_refuse_sooner_and_say_how_long_to_wait(pit: Any, ann: Any) -> None:
    pit.venue.signers.squeeze = 20
    answers = [ann.post("BUY", 5_200_000, 10_000_000) for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].headers["Retry-After"] == "1"
    pit.later(1)
    assert ann.post("BUY", 5_200_000, 10_000_000).status == 200


def test_signers_have_buckets_and_cancels_may_go_into_debt(pit: Any, ann: Any) -> None:
    answers = [ann.post(*BUY_52) for _ in range(61)]
    assert [a.status for a in answers] == [200] * 60 + [429]
    assert answers[0].headers["Poly-RateLimit-Remaining"] == "59"
    assert answers[0].headers["Poly-RateLimit-Tier"] == "standard"
    assert answers[-1].headers["Retry-After"] == "1"
    pit.later(1)
    assert ann.post(*BUY_52).status == 200
    batch = [ann.order(*BUY_52) for _ in range(15)]
    pit.clock.ms += 200
    assert ann.call("POST", "/orders", batch).status == 200
    for _ in range(2):
        assert ann.call("DELETE", "/cancel-all").status == 200
    ids = [f"0x{n:064x}" for n in range(100)]
    assert ann.call("DELETE", "/orders", ids).status == 200
    assert ann.call("DELETE", "/order", {"orderID": ids[0]}).status == 429
    pit.later(1)
    assert ann.call("DELETE", "/order", {"orderID": ids[0]}).status == 200


def test_in_warning_mode_nothing_is_refused(pit: Any, ann: Any) -> None:
    pit.venue.signers.enforced = False
    answers = [ann.post(*BUY_52) for _ in range(62)]
    assert {a.status for a in answers} == {200}
    assert "Poly-RateLimit-Warning" in answers[-1].headers
