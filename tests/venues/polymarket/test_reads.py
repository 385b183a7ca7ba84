"""What is asked of Gamma and the CLOB, and what becomes of the answers, on a scripted transport."""

from __future__ import annotations

import json
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from core.domain.clock import Clocks
from core.domain.market import FeeSchedule, FeeType
from core.domain.units import Price, contracts
from core.venues.limiter import Limiter, Priority
from core.venues.polymarket import clob, discovery, prices, topics
from core.venues.polymarket.discovery import EventFilter, FilterError, MarketFilter, Match, Range, Sort, Uma
from core.venues.polymarket.geoblock import read_geoblock
from core.venues.polymarket.limits import CAPACITIES
from core.venues.polymarket.prices import Point, Quote
from core.venues.polymarket.public import PublicHttp
from core.venues.polymarket.tokens import Version
from core.venues.reader import Reader, Window
from core.venues.venue import Incomplete
from tests.venues.polymarket.bodies import CONDITION, NO, YES
from tests.venues.scripted import Reply, Script, answer

Run = Callable[[Any], Any]
Ask = Callable[..., tuple[Any, Script]]


@pytest.fixture
def ask(virtual: Run, virtual_clocks: Clocks) -> Ask:
    """The answer of a read to scripted replies, with the requests it made."""

    def run(call: Callable[[Reader], Awaitable[Any]], *replies: Reply) -> tuple[Any, Script]:
        script = Script(*replies)

        async def main() -> Any:
            http = PublicHttp(
                "http://127.0.0.1:1/clob",
                clocks=virtual_clocks,
                limiter=Limiter(virtual_clocks, CAPACITIES),
                rng=random.Random(1),
                transports=lambda limits: script,
                on_anomaly=lambda what, detail: None,
                on_credential=lambda cause: None,
            )
            return await call(Reader(http, http.on_anomaly))

        return virtual(main()), script

    return run


def test_a_market_filter_says_what_it_means() -> None:
    assert MarketFilter().query() == {"limit": 100}
    chosen = MarketFilter(
        closed=False,
        slugs=("a", "b"),
        tags=("84",),
        match=Match.ALL,
        related_tags=True,
        ends=Window(1_795_400_000_500, None),
        volume=Range(1_000, 5_000),
        uma=Uma.DISPUTED,
        version=Version.V2,
        order=(Sort.VOLUME, Sort.END),
        ascending=False,
        game="77",
    )
    assert chosen.query() == {
        "limit": 100,
        "closed": "false",
        "slug": ("a", "b"),
        "tag_id": ("84",),
        "tag_match": "all",
        "related_tags": "true",
        "end_date_min": "2026-11-23T02:13:20.500Z",
        "volume_num_min": 1_000,
        "volume_num_max": 5_000,
        "uma_resolution_status": "disputed",
        "version": "v2",
        "order": "volumeNum,endDate",
        "ascending": "false",
        "game_id": "77",
    }


def test_an_event_filter_says_what_it_means() -> None:
    assert EventFilter(
        closed=False, tag_slug="weather", without_tags=("1",), liquidity=Range(low=5)
    ).query() == {
        "limit": 100,
        "closed": "false",
        "tag_slug": "weather",
        "exclude_tag_id": ("1",),
        "liquidity_min": 5,
    }


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        (MarketFilter(slugs=("a",) * 101), "slug has 101 values"),
        (MarketFilter(volume=Range(5, 4)), "volume_num from 5 to 4 holds nothing"),
        (EventFilter(title="x" * 201), "title_search is longer"),
    ],
)
def test_a_filter_the_venue_cannot_answer(query: Any, reason: str) -> None:
    with pytest.raises(FilterError, match=reason):
        query.query()


def test_lists_are_read_to_their_last_cursor_or_not_at_all(ask: Ask) -> None:
    first = answer(body={"markets": [{"slug": "a"}], "next_cursor": "c1"})
    last = answer(body={"markets": [{"slug": "b"}]})
    chosen = MarketFilter(slugs=("a", "b"))
    rows, script = ask(lambda reader: discovery.read_markets(reader, chosen), first, last)
    assert [bytes(row) for row in rows] == [b'{"slug": "a"}', b'{"slug": "b"}']
    urls = [str(request.url) for request in script.requests]
    assert urls[0] == "http://127.0.0.1:1/clob/markets/keyset?limit=100&slug=a&slug=b"
    assert urls[1].endswith("&after_cursor=c1")
    first = answer(body={"markets": [{"slug": "a"}], "next_cursor": "c1"})
    cut, _ = ask(lambda reader: discovery.read_markets(reader, chosen), first, answer(404))
    assert isinstance(cut, Incomplete)


def test_tags_series_and_the_search(ask: Ask) -> None:
    tags, script = ask(
        topics.read_tags, answer(body=b'[{"id":"84","slug":"weather","label":"Wea\\u202ether"}]')
    )
    assert tags == (topics.Tag("84", "weather", "Weather"),)
    assert str(script.requests[0].url).endswith("/tags?limit=100&offset=0")
    series, _ = ask(topics.read_series, answer(body=b'[{"id":"10","slug":"nyc","recurrence":"daily"}]'))
    assert series == (topics.Series("10", "nyc", "", "daily"),)
    body = {"events": [{"slug": "good", "title": "T"}, {"slug": "../bad"}], "tags": [], "pagination": {}}
    found, script = ask(lambda reader: topics.search(reader, "high temperature"), answer(body=body))
    assert found == (topics.Found("good", "T"),)
    assert "q=high" in str(script.requests[0].url)
    with pytest.raises(FilterError):
        ask(lambda reader: topics.search(reader, " "), answer())


BOOK = {
    "market": CONDITION,
    "asset_id": YES,
    "timestamp": "1795400000000",
    "hash": "h",
    "bids": [{"price": "0.51", "size": "5"}],
    "asks": [],
}


def test_books(ask: Ask) -> None:
    book, script = ask(lambda reader: clob.read_book(reader, YES), answer(body=BOOK))
    assert (book.asset_id, book.bids[0].price) == (YES, "0.51")
    assert str(script.requests[0].url).endswith(f"/book?token_id={YES}")
    other, _ = ask(lambda reader: clob.read_book(reader, NO), answer(body=BOOK))
    assert isinstance(other, Incomplete) and "another token" in other.reason
    missing = answer(404, {"error": "No orderbook exists for the requested token id"})
    gone, _ = ask(lambda reader: clob.read_book(reader, YES), missing)
    assert gone == Incomplete(
        f"book of token {YES[:12]}", "HTTP 404: No orderbook exists for the requested token id"
    )


def test_many_books_go_out_in_chunks_and_strangers_are_left_out(ask: Ask) -> None:
    asked = [str(n) for n in range(1, 500)] + [YES, NO]
    replies = (answer(body=json.dumps([BOOK, {**BOOK, "asset_id": "strange"}]).encode()), answer(body=b"[]"))
    books, script = ask(lambda reader: clob.read_books(reader, asked), *replies)
    assert [book.asset_id for book in books] == [YES]
    bodies = [json.loads(request.content) for request in script.requests]
    assert [len(body) for body in bodies] == [500, 1] and bodies[1] == [{"token_id": NO}]
    assert script.requests[0].method == "POST"
    assert script.requests[0].headers["content-type"] == "application/json"


def test_prices_name_what_rests_not_what_one_would_pay(ask: Ask) -> None:
    quote, script = ask(
        lambda reader: prices.read_price(reader, YES),
        answer(body={"price": "0.52"}),
        answer(body={"price": 0.53}),
    )
    assert quote == Quote(Price(5_200), Price(5_300))
    assert [request.url.params["side"] for request in script.requests] == ["BUY", "SELL"]
    body = {YES: {"BUY": "0.01", "SELL": "1"}, NO: {"BUY": 0}}
    many, _ = ask(lambda reader: prices.read_prices(reader, [YES, NO]), answer(body=body))
    assert many == {YES: Quote(Price(100), None), NO: Quote(None, None)}
    odd, _ = ask(lambda reader: prices.read_prices(reader, [YES]), answer(body={YES: {"BUY": "2"}}))
    assert isinstance(odd, Incomplete)


def test_middles_spreads_and_the_last_trade(ask: Ask) -> None:
    assert ask(lambda r: prices.read_midpoint(r, YES), answer(body={"mid": "0.525"}))[0] == "0.525"
    assert ask(lambda r: prices.read_spread(r, YES), answer(body={"spread": 0.01}))[0] == "0.01"
    assert ask(lambda r: prices.read_midpoints(r, [YES]), answer(body={YES: "0.5"}))[0] == {YES: "0.5"}
    assert ask(lambda r: prices.read_spreads(r, [YES]), answer(body={YES: "0.5", "x": "1"}))[0] == {
        YES: "0.5"
    }
    traded = answer(body={"price": "0.52", "side": "BUY"})
    assert ask(lambda r: prices.read_last_price(r, YES), traded)[0] == 5_200
    assert ask(lambda r: prices.read_last_price(r, YES), answer(body={"price": "0.5", "side": ""}))[0] is None


def test_history(ask: Ask) -> None:
    body = {"history": [{"t": 1_795_000_000, "p": 0.52}, {"t": 1_795_000_060, "p": 0.52345}]}
    found, script = ask(
        lambda r: prices.read_history(r, YES, from_ms=1_500, until_ms=2_001, fidelity_min=5),
        answer(body=body),
    )
    assert found == (Point(1_795_000_000_000, Price(5_200)), Point(1_795_000_060_000, Price(5_234)))
    params = dict(script.requests[0].url.params)
    assert params == {"market": YES, "fidelity": "5", "startTs": "1", "endTs": "3"}
    odd, script = ask(lambda r: prices.read_history(r, YES, interval="2h"), answer())
    assert isinstance(odd, Incomplete) and not script.requests
    high, _ = ask(lambda r: prices.read_history(r, YES), answer(body={"history": [{"t": 1, "p": 1.5}]}))
    assert isinstance(high, Incomplete)


def test_small_facts(ask: Ask) -> None:
    assert ask(lambda r: clob.read_tick_size(r, YES), answer(body={"minimum_tick_size": 0.0025}))[0] == 25
    assert ask(lambda r: clob.read_neg_risk(r, YES), answer(body={"neg_risk": True}))[0] is True
    assert ask(clob.read_time_ms, answer(body=b"1795000000"))[0] == 1_795_000_000_000
    assert ask(clob.read_version, answer(body={"version": 2}))[0] == 2
    strange, _ = ask(lambda r: clob.read_tick_size(r, YES), answer(body={"minimum_tick_size": 0.03}))
    assert isinstance(strange, Incomplete)


TRADING = {
    "c": CONDITION,
    "t": [{"t": YES, "o": "Yes"}, {"t": NO, "o": "No"}],
    "mts": 0.001,
    "mos": 5,
    "ao": True,
    "v": "v1",
    "fd": {"r": 0.05, "e": 1, "to": True},
}


def test_terms_of_trading(ask: Ask) -> None:
    found, _ = ask(lambda r: clob.read_trading(r, CONDITION), answer(body=TRADING))
    assert (found.tick, found.minimum, found.neg_risk) == (10, contracts(5), False)
    assert found.fees == FeeSchedule(FeeType.TAKER_CURVE, 50_000)
    free, _ = ask(lambda r: clob.read_trading(r, CONDITION), answer(body={**TRADING, "fd": None, "nr": True}))
    assert free.fees == FeeSchedule(FeeType.TAKER_CURVE, 0) and free.neg_risk
    other, _ = ask(lambda r: clob.read_trading(r, "0x" + "ab" * 32), answer(body=TRADING))
    assert isinstance(other, Incomplete) and "another market" in other.reason
    for broken in ({"v": "v7"}, {"t": [{"t": YES}]}, {"mts": 0.3}, {"mos": "-1"}, {"nr": "yes"}):
        odd, _ = ask(lambda r: clob.read_trading(r, CONDITION), answer(body={**TRADING, **broken}))
        assert isinstance(odd, Incomplete), broken


def test_recorded_terms_of_the_second_generation(ask: Ask, shared: Path) -> None:
    body = (shared / "data/polymarket/rest_clob_markets_v2_2026-10-05.json").read_bytes()
    condition = json.loads(body)["c"]
    found, _ = ask(lambda r: clob.read_trading(r, condition), answer(body=body))
    assert (found.version, found.tick, found.minimum, found.neg_risk) == (
        Version.V2,
        100,
        contracts(5),
        False,
    )
    assert found.fees == FeeSchedule(FeeType.TAKER_CURVE, 70_000)


def test_geoblock_keeps_the_address_to_itself(ask: Ask) -> None:
    body = {"blocked": True, "ip": "203.0.113.9", "country": "US", "region": "NY"}
    found, _ = ask(read_geoblock, answer(body=body))
    assert str(found) == "the venue does not let you trade from US NY"
    assert "203" not in repr(found)
    assert isinstance(ask(read_geoblock, answer(body={"blocked": "no"}))[0], Incomplete)


def test_the_edge_answers_with_a_page(ask: Ask) -> None:
    page = answer(403, b"<html><head><title>Attention required</title>")
    found, script = ask(lambda r: discovery.read_market(r, "a", Priority.FLATTEN), page)
    assert isinstance(found, Incomplete) and found.reason.startswith("HTTP 403: <html>")
    assert len(script.requests) == 1


def test_a_restarting_engine_is_asked_again(ask: Ask) -> None:
    found, script = ask(clob.read_version, answer(425), answer(body={"version": 2}))
    assert found == 2 and len(script.requests) == 2
