"""Public reads: books and their hash, CLOB metadata, Gamma, the Data API."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from core.domain.units import Price
from core.sim.polymarket import shapes
from core.sim.polymarket.contracts import FREE
from core.sim.polymarket.rest import Request

DATA = Path(__file__).parents[4] / "shared/data/polymarket"


def captured(name: str) -> Any:
    if not (DATA / name).exists():
        pytest.skip(f"../shared/data/polymarket/{name} is not here")
    return json.loads((DATA / name).read_text())


def quoted(pit: Any) -> None:
    pit.split("bob", "100")
    pit.placed("bob", "SELL", "0.52", "75.5")
    pit.placed("bob", "SELL", "0.99", "20")
    pit.placed("cyd", "BUY", "0.50", "40")
    pit.placed("cyd", "BUY", "0.01", "10")


def hash_of(body: dict[str, Any]) -> str:
    """The documented recipe: compact JSON in wire order with an empty hash."""
    text = json.dumps(body | {"hash": ""}, separators=(",", ":"))
    return hashlib.sha1(text.encode()).hexdigest()


@pytest.mark.parametrize("name", ["rest_book_v1_2026-10-05.json", "rest_book_v2_2026-10-05.json"])
def test_our_books_are_written_and_hashed_like_the_captured_ones(pit: Any, name: str) -> None:
    real = captured(name)
    assert hash_of(real) == real["hash"]
    market = pit.second if "version" in real else pit.plain
    token = market.spec.tokens[0]
    ours = pit.get(f"/book?token_id={token}")
    assert list(ours) == list(real)
    assert [type(value) for value in ours.values()] == [type(value) for value in real.values()]
    assert hash_of(ours) == ours["hash"]


def test_the_best_price_is_the_last_of_each_side(pit: Any) -> None:
    quoted(pit)
    yes, no = pit.plain.spec.tokens
    book = pit.get(f"/book?token_id={yes}")
    assert book["bids"] == [{"price": "0.01", "size": "10"}, {"price": "0.5", "size": "40"}]
    assert book["asks"] == [{"price": "0.99", "size": "20"}, {"price": "0.52", "size": "75.5"}]
    assert pit.get(f"/book?token_id={no}")["asks"][-1] == {"price": "0.5", "size": "40"}
    assert (book["timestamp"], book["last_trade_price"]) == (str(pit.clock.ms), "")
    answer = pit.rest.handle(
        Request("POST", "/books", body=json.dumps([{"token_id": no}, {"token_id": "1"}]).encode())
    )
    assert [b["asset_id"] for b in json.loads(answer.body)] == [no]


def test_prices_are_the_sides_best_not_what_one_would_pay(pit: Any) -> None:
    quoted(pit)
    yes, no = pit.plain.spec.tokens
    assert pit.get(f"/price?token_id={yes}&side=BUY") == {"price": "0.5"}
    assert pit.get(f"/price?token_id={yes}&side=sell") == {"price": "0.52"}
    assert pit.get(f"/midpoint?token_id={yes}") == {"mid": "0.51"}
    assert pit.get(f"/spread?token_id={no}") == {"spread": "0.02"}
    assert pit.get(f"/last-trade-price?token_id={no}") == {"price": "0.5", "side": ""}
    pit.placed("ann", "BUY", "0.52", "10")
    assert pit.get(f"/last-trade-price?token_id={yes}") == {"price": "0.52", "side": "BUY"}
    assert pit.get(f"/last-trade-price?token_id={no}") == {"price": "0.48", "side": "SELL"}
    many = json.dumps([{"token_id": yes, "side": "BUY"}, {"token_id": no, "side": "SELL"}]).encode()

    def post(path: str) -> Any:
        return json.loads(pit.rest.handle(Request("POST", path, body=many)).body)

    assert post("/prices") == {yes: {"BUY": "0.5"}, no: {"SELL": "0.5"}}
    assert post("/midpoints") == {yes: "0.51", no: "0.49"}
    assert post("/spreads") == {yes: "0.02", no: "0.02"}
    assert [row["price"] for row in post("/last-trades-prices")] == ["0.52", "0.48"]


def test_small_questions_about_a_token(pit: Any) -> None:
    yes = pit.ladder.spec.tokens[0]
    assert pit.get(f"/tick-size?token_id={yes}") == {"minimum_tick_size": 0.01}
    assert pit.get(f"/neg-risk?token_id={yes}") == {"neg_risk": True}
    assert pit.get(f"/fee-rate?token_id={yes}") == {"base_fee": 1000}
    assert pit.get("/version") == {"version": 2} and pit.get("/time") == pit.clock.ms // 1000


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/book?token_id=123", 404, "No orderbook exists for the requested token id"),
        ("/book?token_id=abc", 400, "Invalid token id"),
        ("/book", 400, "Invalid token id"),
        ("/clob-markets/0x12", 404, "market not found"),
        ("/markets-by-token/123", 404, "market not found"),
        ("/nowhere", 404, "not found"),
        ("/markets?next_cursor=rubbish", 400, "invalid next_cursor"),
        ("/gamma/markets/slug/none", 404, "not found"),
        ("/gamma/events/keyset?after_cursor=none", 400, "invalid cursor"),
        ("/gamma/markets/keyset?limit=-1", 400, "invalid limit"),
        ("/data-api/v2/positions?user=me", 400, "invalid user"),
    ],
)
def test_questions_without_an_answer(pit: Any, path: str, status: int, text: str) -> None:
    where, _, query = path.partition("?")
    answer = pit.rest.handle(Request("GET", where, query))
    assert (answer.status, json.loads(answer.body)["error"]) == (status, text)


def test_the_compact_description_has_the_captured_letters(pit: Any, make_pit: Any) -> None:
    real = captured("rest_clob_markets_v2_2026-10-05.json")
    ours = pit.get(f"/clob-markets/{pit.second.condition_id}")
    assert set(real) <= set(ours) and ours["v"] == "v2" and "nr" not in ours
    assert pit.get(f"/clob-markets/{pit.ladder.condition_id}")["nr"] is True
    free = make_pit(fee=FREE)
    assert "fd" not in free.get(f"/clob-markets/{free.plain.condition_id}")


def test_clob_markets_and_their_pages(pit: Any) -> None:
    page = pit.get("/markets")
    assert [row["market_slug"] for row in page["data"]] == ["rain-in-nyc", "high-50-51", "miami-80"]
    assert (page["next_cursor"], page["count"]) == ("LTE=", 3)
    one = pit.get(f"/markets/{pit.plain.condition_id}")
    assert [t["outcome"] for t in one["tokens"]] == ["Yes", "No"]
    assert one["minimum_tick_size"] == 0.01 and one["minimum_order_size"] == 5
    token = pit.plain.spec.tokens[1]
    assert pit.get(f"/markets-by-token/{token}") == {
        "condition_id": pit.plain.condition_id,
        "primary_token_id": pit.plain.spec.tokens[0],
        "secondary_token_id": token,
    }
    for path in ("/simplified-markets", "/sampling-markets", "/sampling-simplified-markets"):
        assert len(pit.get(path)["data"]) == 3
    pit.exchange.resolve(pit.plain.condition_id, 1)
    assert [t["winner"] for t in pit.get(f"/markets/{pit.plain.condition_id}")["tokens"]] == [False, True]
    assert len(pit.get("/sampling-markets")["data"]) == 2


def test_history_and_activity_follow_the_trades(pit: Any) -> None:
    quoted(pit)
    pit.placed("ann", "BUY", "0.52", "10")
    pit.later(120)
    pit.placed("ann", "SELL", "0.50", "5", kind=pit_fak())
    yes, no = pit.plain.spec.tokens
    points = pit.get(f"/prices-history?market={yes}&interval=1h&fidelity=1")["history"]
    assert [point["p"] for point in points] == [0.52, 0.5]
    assert [p["p"] for p in pit.get(f"/prices-history?market={no}&interval=max")["history"]] == [0.48, 0.5]
    rows = pit.get(f"/markets/live-activity/{pit.plain.condition_id}")
    assert [(row["side"], row["price"]) for row in rows] == [("SELL", "0.5"), ("BUY", "0.52")]


def pit_fak() -> Any:
    from core.sim.polymarket.orders import OrderType

    return OrderType.FAK


class TestGamma:
    def test_a_market_has_the_captured_fields_and_types(self, pit: Any) -> None:
        real = captured("gamma_market_v1_2026-10-05.json")
        quoted(pit)
        pit.placed("ann", "BUY", "0.52", "10")
        ours = pit.get("/gamma/markets/slug/rain-in-nyc")
        wanted = {
            "id", "question", "conditionId", "slug", "resolutionSource", "endDate", "startDate", "outcomes",
            "outcomePrices", "active", "closed", "archived", "questionID", "enableOrderBook",
            "orderPriceMinTickSize", "orderMinSize", "liquidity", "liquidityNum", "clobTokenIds",
            "makerBaseFee", "takerBaseFee", "acceptingOrders", "negRisk", "rewardsMinSize",
            "rewardsMaxSpread", "spread", "lastTradePrice", "bestBid", "bestAsk", "clearBookOnStart",
            "umaResolutionStatuses", "feesEnabled", "feeType", "feeSchedule", "version",
        }  # fmt: skip
        assert wanted <= set(real) and wanted <= set(ours)
        loose = {"orderMinSize", "rewardsMinSize"}
        for name in wanted - loose:
            assert isinstance(ours[name], type(real[name])), name
        assert json.loads(ours["clobTokenIds"]) == list(pit.plain.spec.tokens)
        assert json.loads(ours["outcomes"]) == ["Yes", "No"] and ours["outcomePrices"] == '["0.51", "0.49"]'
        assert ours["feeSchedule"] == {"exponent": 1, "rate": 0.05, "takerOnly": True, "rebateRate": 0.25}

    def test_position_ids_are_a_real_array(self, pit: Any) -> None:
        ours = pit.get("/gamma/markets/slug/miami-80")
        assert ours["positionIds"] == list(pit.second.spec.tokens) and "clobTokenIds" not in ours
        assert ours["version"] == "v2"

    def test_keyset_pages_end_without_a_cursor(self, pit: Any) -> None:
        first = pit.get("/gamma/markets/keyset?limit=2")
        assert [m["slug"] for m in first["markets"]] == ["rain-in-nyc", "high-50-51"]
        rest = pit.get(f"/gamma/markets/keyset?limit=2&after_cursor={first['next_cursor']}")
        assert [m["slug"] for m in rest["markets"]] == ["miami-80"] and "next_cursor" not in rest
        assert len(pit.get("/gamma/markets?limit=2&offset=1")) == 2

    @pytest.mark.parametrize(
        ("query", "slugs"),
        [
            ("version=v2", ["miami-80"]),
            ("slug=rain-in-nyc&slug=miami-80", ["rain-in-nyc", "miami-80"]),
            ("closed=true", []),
            ("tag_id=84", ["rain-in-nyc", "high-50-51", "miami-80"]),
            ("tag_id=1", []),
            ("tag_id=1&tag_id=84", ["rain-in-nyc", "high-50-51", "miami-80"]),
            ("tag_id=1&tag_id=84&tag_match=all", []),
            ("order=slug&ascending=false", ["rain-in-nyc", "miami-80", "high-50-51"]),
            ("liquidity_num_min=1", ["rain-in-nyc"]),
            ("end_date_max=2020-01-01T00:00:00Z", []),
            ("resolution_status=active&uma_resolution_status=proposed", []),
        ],
    )
    def test_filters(self, pit: Any, query: str, slugs: list[str]) -> None:
        quoted(pit)
        assert [m["slug"] for m in pit.get(f"/gamma/markets/keyset?{query}")["markets"]] == slugs

    def test_filters_by_id(self, pit: Any) -> None:
        yes, position = pit.plain.spec.tokens[0], pit.second.spec.tokens[1]
        found = pit.get(f"/gamma/markets/keyset?clob_token_ids={yes}")["markets"]
        assert [m["slug"] for m in found] == ["rain-in-nyc"]
        found = pit.get(f"/gamma/markets/keyset?position_ids={position}")["markets"]
        assert [m["slug"] for m in found] == ["miami-80"]
        found = pit.get(f"/gamma/markets/keyset?condition_ids={pit.ladder.condition_id}")["markets"]
        assert [m["slug"] for m in found] == ["high-50-51"]

    def test_events_hold_their_markets(self, pit: Any) -> None:
        quoted(pit)
        event = pit.get("/gamma/events/slug/high")
        assert event["negRisk"] and event["negRiskMarketID"] == event["markets"][0]["negRiskMarketID"]
        assert pit.get(f"/gamma/events/{event['id']}") == event
        assert len(pit.get("/gamma/events/keyset?tag_slug=weather")["events"]) == 3
        assert pit.get("/gamma/events?exclude_tag_id=84") == []
        assert [e["slug"] for e in pit.get("/gamma/public-search?q=MIAMI")["events"]] == ["miami"]
        assert [e["slug"] for e in pit.get("/gamma/public-search?q=&sort=liquidity")["events"]] == [
            "rain",
            "high",
            "miami",
        ]
        tagged = pit.get("/gamma/markets/keyset?include_tag=true")["markets"][0]
        assert tagged["tags"] == [{"id": "84", "label": "Weather", "slug": "weather"}]
        assert pit.get("/gamma/tags") == [{"id": "84", "label": "Weather", "slug": "weather"}]

    def test_resolution_is_told_in_its_words(self, pit: Any) -> None:
        condition = pit.plain.condition_id
        pit.exchange.propose(condition, 0)
        assert pit.get("/gamma/markets/slug/rain-in-nyc")["umaResolutionStatus"] == "proposed"
        pit.exchange.resolve(condition, 0)
        market = pit.get("/gamma/markets/slug/rain-in-nyc")
        assert (market["umaResolutionStatus"], market["closed"]) == ("resolved", True)
        assert market["outcomePrices"] == '["1", "0"]'
        [row] = pit.get(f"/data-api/v2/resolutions?condition={condition}")["data"]
        assert (row["status"], row["payouts"]) == ("resolved", [1_000_000, 0])


class TestDataApi:
    def test_it_witnesses_what_was_mined_some_time_ago(self, pit: Any, ann: Any) -> None:
        quoted(pit)
        ann.placed("BUY", 5_200_000, 10_000_000)
        path = f"/data-api/v2/positions?user={ann.address}"
        pit.later(3)
        assert pit.get(path)["data"] == []
        pit.later(5)
        [row] = pit.get(path)["data"]
        assert (row["current_size"], row["avg_price"], row["entry_cost_usdc"]) == (10, 0.52, 5.2)
        assert (row["entry_fees_usdc"], row["status"], row["outcome"]) == (0.1248, "OPEN", "Yes")
        assert [t["side"] for t in pit.get(f"/data-api/v2/trades?user={ann.address}")["data"]] == ["BUY"]
        assert pit.get(f"/data-api/v2/value?user={ann.address}")["data"][0]["value"] == 5.2

    def test_ghosts_do_not_stay_there(self, pit: Any, ann: Any) -> None:
        pace = pit.exchange.settlement.pace
        pace.fail_share = pace.reorg_share = 1.0
        quoted(pit)
        ann.placed("BUY", 5_200_000, 10_000_000)
        path = f"/data-api/v2/positions?user={ann.address}"
        for _ in range(75):
            pit.later(0.1)
        assert [row["current_size"] for row in pit.get(path)["data"]] == [10]
        pit.settled()
        [closed] = pit.get(f"{path}&status=CLOSED")["data"]
        assert (closed["entry_cost_usdc"], closed["entry_fees_usdc"], closed["total_pnl"]) == (0, 0, 0)
        assert pit.get(path)["data"] == []
        assert pit.get(f"/data-api/v2/trades?user={ann.address}")["data"] == []

    def test_pairs_can_be_merged_and_winners_redeemed(self, pit: Any, ann: Any) -> None:
        quoted(pit)
        ann.placed("BUY", 5_200_000, 10_000_000)
        ann.placed("BUY", 3_000_000, 6_000_000, outcome=1)
        pit.settled()
        path = f"/data-api/v2/positions?user={ann.address}"
        assert {row["outcome"] for row in pit.get(f"{path}&status=MERGEABLE")["data"]} == {"Yes", "No"}
        pit.exchange.resolve(pit.plain.condition_id, 0)
        assert [r["outcome"] for r in pit.get(f"{path}&status=REDEEMABLE")["data"]] == ["Yes"]
        assert [r["outcome"] for r in pit.get(f"{path}&status=REDEEMABLE_LOST")["data"]] == ["No"]
        pit.exchange.resolving.redeem(ann.wallet, pit.plain)
        pit.settled()
        assert pit.get(path)["data"] == []

    def test_dust_is_hidden_unless_it_is_asked_for(self, pit: Any, ann: Any) -> None:
        quoted(pit)
        ann.placed("BUY", 5_200_000, 10_000_000)
        pit.settled()
        ann.placed("SELL", 9_950_000, 4_975_000, kind="FAK")
        pit.settled()
        path = f"/data-api/v2/positions?user={ann.address}"
        assert pit.get(path)["data"] == []
        [row] = pit.get(f"{path}&filter_type=TOKENS&filter_amount=0")["data"]
        assert row["current_size"] == 0.05

    def test_the_rest_of_it(self, pit: Any, ann: Any) -> None:
        for path in ("activity", "user-stats", "user-pnl", "approvals"):
            pit.get(f"/data-api/v2/{path}?user={ann.address}")
        condition = pit.plain.condition_id
        pit.split("bob", "10")
        assert len(pit.get(f"/data-api/v2/holders?condition={condition}")["data"]) == 2
        assert pit.get(f"/data-api/v2/oi?condition={condition}")["data"][0]["value"] == 10
        assert pit.get("/data-api/v2/status")["data"]["status"] == "ok"
        assert pit.get("/gamma/series") == [] and pit.get("/gamma/sports") == []


def test_a_books_hash_covers_its_tick(pit: Any) -> None:
    token = pit.plain.spec.tokens[0]
    before = pit.get(f"/book?token_id={token}")
    pit.exchange.flip_tick(pit.plain.condition_id, Price(10))
    after = pit.get(f"/book?token_id={token}")
    assert after["tick_size"] == "0.001" and before["hash"] != after["hash"]
    stream = shapes.stream_book(pit.exchange, pit.plain, token, pit.clock.ms)
    assert stream["hash"] == after["hash"] and "min_order_size" not in stream and "neg_risk" not in stream
