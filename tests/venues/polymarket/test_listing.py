"""What is followed, what is told of it, and what becomes of markets that change, end or are too new."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import pytest

from core.domain.clock import Clocks
from core.domain.market import FeeSchedule, FeeType, MarketStatus
from core.domain.order import Outcome
from core.domain.units import Price
from core.venues.limiter import Limiter
from core.venues.polymarket.limits import CAPACITIES
from core.venues.polymarket.listing import HINDERED_AGAIN_S, Listing
from core.venues.polymarket.public import PublicHttp
from core.venues.reader import Reader
from core.venues.venue import Incomplete
from tests.venues.conftest import Recorder
from tests.venues.polymarket.bodies import CONDITION, EVENT, MARKET, NO, YES

Run = Callable[[Coroutine[Any, Any, Any]], Any]
TICKER = MARKET["slug"]
FAR = "2026-12-28T12:00:00Z"
TRADING = {
    "c": CONDITION,
    "t": [{"t": YES}, {"t": NO}],
    "mts": 0.001,
    "mos": 5,
    "nr": True,
    "v": "v1",
    "fd": {"r": 0.07, "e": 1, "to": True},
}


class Venue(httpx.AsyncBaseTransport):
    """Gamma and the CLOB with a few markets, told what to say of each."""

    def __init__(self) -> None:
        self.markets: dict[str, dict[str, Any]] = {TICKER: {**MARKET, "endDate": FAR}}
        self.trading: dict[str, Any] = dict(TRADING)
        self.asked: list[httpx.URL] = []
        self.status, self.takes_s = 200, 0.0

    def event(self) -> dict[str, Any]:
        shown = [m for m in self.markets.values() if not m["closed"]]
        return {**EVENT, "negRisk": True, "markets": shown}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url)
        await asyncio.sleep(self.takes_s)
        path, query = request.url.path, request.url.params
        if self.status != 200:
            return httpx.Response(self.status, content=b"{}")
        if path.startswith("/clob-markets/"):
            body: Any = self.trading
        elif path == "/events/keyset":
            body = {"events": [self.event(), {"id": "x", "slug": "Not A Slug"}]}
        elif path.startswith("/events/slug/"):
            body = self.event()
        elif path == "/markets/keyset":
            closed = query["closed"] == "true"
            tokens = query.get_list("clob_token_ids")
            owners = [s for s, m in self.markets.items() if any(t in m["clobTokenIds"] for t in tokens)]
            slugs = query.get_list("slug") + owners
            body = {"markets": [self.one(s) for s in slugs if self._is(s, closed)]}
        else:
            body = self.one(path.rpartition("/")[2])
        return httpx.Response(200, content=json.dumps(body).encode())

    def _is(self, slug: str, closed: bool) -> bool:
        return slug in self.markets and self.markets[slug]["closed"] is closed

    def one(self, slug: str) -> dict[str, Any]:
        return {**self.markets[slug], "events": [{**EVENT, "negRisk": True}]}


class Desk:
    def __init__(self, clocks: Clocks) -> None:
        self.venue, self.heard, self.gone = Venue(), Recorder(), list[str]()
        http = PublicHttp(
            "http://127.0.0.1:1",
            clocks=clocks,
            limiter=Limiter(clocks, CAPACITIES),
            rng=random.Random(1),
            transports=lambda limits: self.venue,
            on_anomaly=self.heard.on_anomaly,
            on_credential=lambda cause: None,
        )
        reader = Reader(http, self.heard.on_anomaly)
        self.listing = Listing(reader, reader, self.heard, clocks, self.heard.on_anomaly, self.gone.append)

    async def run_for(self, seconds: float) -> None:
        running = asyncio.create_task(self.listing.run())
        await asyncio.sleep(seconds)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


Story = Callable[[Desk], Coroutine[Any, Any, None]]
Told = Callable[[Story], None]


@pytest.fixture
def desk(
    virtual: Run, virtual_clocks: Clocks
) -> Callable[[Callable[[Desk], Coroutine[Any, Any, None]]], None]:
    def run(story: Callable[[Desk], Coroutine[Any, Any, None]]) -> None:
        async def main() -> None:
            await story(Desk(virtual_clocks))

        virtual(main())

    return run


@pytest.mark.parametrize(
    ("word", "query"),
    [
        ("tag:weather", "tag_slug=weather"),
        ("series:10192", "series_id=10192"),
        (EVENT["slug"], f"/events/slug/{EVENT['slug']}"),
    ],
)
def test_a_word_says_what_to_follow(desk: Told, word: str, query: str) -> None:
    async def story(at: Desk) -> None:
        found = await at.listing.markets([word])
        assert not isinstance(found, Incomplete)
        assert [(m.ticker, m.series_ticker) for m in found] == [(TICKER, word)]
        assert query in str(at.venue.asked[0])
        if word.startswith(("tag", "series")):
            assert "closed=false" in str(at.venue.asked[0])
            assert [what for what, _ in at.heard.anomalies] == ["event"]  # the one that cannot be read

    desk(story)


@pytest.mark.parametrize("word", ["", "tag:", "series:abc", "city:nyc"])
def test_a_word_nobody_understands(desk: Told, word: str) -> None:
    async def story(at: Desk) -> None:
        found = await at.listing.markets([word])
        assert isinstance(found, Incomplete) and "no tag:slug, series:id or event slug" in found.reason
        assert not at.venue.asked

    desk(story)


def test_a_list_that_fails_is_no_list(desk: Told) -> None:
    async def story(at: Desk) -> None:
        at.venue.status = 404
        assert isinstance(await at.listing.markets(["tag:weather"]), Incomplete)

    desk(story)


def test_one_market_of_any_event(desk: Told) -> None:
    async def story(at: Desk) -> None:
        found = await at.listing.market(TICKER)
        assert not isinstance(found, Incomplete)
        assert (found.event_ticker, found.series_ticker, found.exclusive) == (
            EVENT["slug"],
            EVENT["slug"],
            True,
        )
        at.venue.markets[TICKER]["version"] = "v9"
        refused = await at.listing.market(TICKER)
        assert isinstance(refused, Incomplete) and "neither v1 nor v2" in refused.reason

    desk(story)


def test_a_market_that_resolves_unheard_is_paid_and_dropped(desk: Told) -> None:
    async def story(at: Desk) -> None:
        at.venue.markets[TICKER]["endDate"] = "2026-11-20T12:00:00Z"  # over, so it is asked about
        await at.listing.markets(["tag:weather"])
        at.venue.markets[TICKER].update(closed=True, umaResolutionStatus="proposed")
        await at.run_for(31)
        assert [m.status for m in at.heard.markets] == [MarketStatus.DETERMINED]
        assert not at.heard.settlements
        at.venue.markets[TICKER].update(umaResolutionStatus="resolved", outcomePrices='["0", "1"]')
        await at.run_for(31)
        assert [(r.ticker, r.payout, r.result) for r in at.heard.settlements] == [(TICKER, 0, "no")]
        assert at.gone == [TICKER] and TICKER not in at.listing.catalog.markets

    desk(story)


def test_a_market_the_list_lost_is_read_on_its_own(desk: Told) -> None:
    async def story(at: Desk) -> None:
        await at.listing.markets(["tag:weather"])
        at.venue.markets[TICKER].update(
            closed=True, umaResolutionStatus="settled", outcomePrices='["1", "0"]'
        )
        assert await at.listing.markets(["tag:weather"]) == ()
        await at.run_for(1)
        assert [r.payout for r in at.heard.settlements] == [Price(10_000)]

    desk(story)


def test_a_market_without_tokens_is_asked_for_again_ever_more_seldom(desk: Told) -> None:
    async def story(at: Desk) -> None:
        at.venue.markets[TICKER]["clobTokenIds"] = ""
        assert await at.listing.markets(["tag:weather"]) == ()
        before = len(at.venue.asked)
        await at.run_for(100)
        assert len(at.venue.asked) - before == 2 * 3  # after 10, 30 and 70 s, open and closed lists
        at.venue.markets[TICKER]["clobTokenIds"] = MARKET["clobTokenIds"]
        await at.run_for(100)
        assert [m.ticker for m in at.heard.markets] == [TICKER]
        before = len(at.venue.asked)
        await at.run_for(100)
        assert len(at.venue.asked) == before

    desk(story)


def test_a_token_whose_market_cannot_be_looked_up_is_not_taken_for_one_nobody_understands(desk: Told) -> None:
    async def story(at: Desk) -> None:
        at.venue.status = 400
        assert isinstance(await at.listing.learn([YES]), Incomplete)
        asked = len(at.venue.asked)
        assert isinstance(await at.listing.learn([YES]), Incomplete) and len(at.venue.asked) == asked
        at.venue.status, at.venue.takes_s = 200, 0.1
        await asyncio.sleep(HINDERED_AGAIN_S)
        first, second = await asyncio.gather(at.listing.learn([YES]), at.listing.learn([YES]))
        assert first is None and isinstance(second, Incomplete), "nobody has answered yet"
        assert at.listing.catalog.of_token(YES) == (TICKER, Outcome.YES)
        assert await at.listing.learn([NO, "7", "not a token"]) is None, "there is no market of it"

    desk(story)


def test_terms_that_are_not_understood_any_more_end_trading(desk: Told) -> None:
    async def story(at: Desk) -> None:
        await at.listing.markets(["tag:weather"])
        at.venue.markets[TICKER]["orderPriceMinTickSize"] = 0.3
        at.listing.read_again([TICKER])
        await at.run_for(1)
        assert [m.status for m in at.heard.markets] == [MarketStatus.UNKNOWN]

    desk(story)


def test_the_order_book_has_the_last_word_on_tick_and_fees(desk: Told) -> None:
    async def story(at: Desk) -> None:
        await at.listing.markets(["tag:weather"])
        assert await at.listing.confirm(TICKER) is None
        assert [m.fees for m in at.heard.markets] == [FeeSchedule(FeeType.TAKER_CURVE, 70_000)]
        assert at.listing.catalog.terms[TICKER].tick == 10
        # Gamma's cached tick does not undo it, and a change on the stream does.
        await at.listing.markets(["tag:weather"])
        assert at.listing.catalog.markets[TICKER].grid.valid(Price(9_990))
        at.listing.retick(TICKER, Price(100))
        await at.listing.markets(["tag:weather"])
        assert at.listing.catalog.terms[TICKER].tick == 100
        assert len(at.heard.markets) == 2

    desk(story)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"t": [{"t": YES}, {"t": "12345678901234567890123456789012345678901234567890"}]},
            "different tokens",
        ),
        ({"nr": False}, "different exchanges"),
        ({"c": "0x" + "ab" * 32}, "another market"),
    ],
)
def test_an_order_book_that_disagrees_is_not_traded(desk: Told, change: dict[str, Any], reason: str) -> None:
    async def story(at: Desk) -> None:
        await at.listing.markets(["tag:weather"])
        at.venue.trading.update(change)
        failed = await at.listing.confirm(TICKER)
        if failed is not None:
            assert reason in failed.reason and at.listing.catalog.terms[TICKER].tick == 100
            return
        assert [m.status for m in at.heard.markets] == [MarketStatus.UNKNOWN]
        assert reason in at.listing.catalog.quarantined[TICKER].reason
        # No list brings it back while they contradict each other.
        assert await at.listing.markets(["tag:weather"]) == ()
        assert TICKER not in at.listing.catalog.terms

    desk(story)
