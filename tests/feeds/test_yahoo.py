"""Yahoo's chart: what is read of it, what is refused, and how politely it is asked."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.feeds.feed import FeedState
from core.feeds.fetch import Body, Failed
from core.feeds.yahoo import DECLARATION, LISTINGS, Reading, feed, read
from tests.feeds.service import Service

SAMPLES = Path(__file__).parents[3] / "shared/data/feeds/yahoo"
OPEN_MS = int(datetime(2026, 11, 24, 15, tzinfo=UTC).timestamp()) * 1000
SATURDAY_MS = int(datetime(2026, 11, 28, 15, tzinfo=UTC).timestamp()) * 1000
EURO = LISTINGS["EUR/USD"]
JSON = {"Content-Type": "application/json"}


def chart(symbol: str = "EURUSD=X", **meta: Any) -> dict[str, Any]:
    fields = {
        "currency": "USD", "symbol": symbol, "chartPreviousClose": 1.1560,
        "regularMarketPrice": 1.1574, "regularMarketTime": OPEN_MS // 1000,
    } | meta  # fmt: skip
    bars = {"open": [1.1571, None], "close": [None, 1.1574], "volume": [0, None]}
    result = {"meta": fields, "timestamp": [1, 2], "indicators": {"quote": [bars]}}
    return {"chart": {"result": [result], "error": None}}


def body(document: Any) -> Body:
    return Body(msgspec.json.encode(document), 0, 0)


def test_the_price_comes_with_its_own_time_and_gaps_between_the_bars_do_not_matter() -> None:
    assert read(body(chart()), EURO) == Reading(1.1574, OPEN_MS, 1.1560)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (chart("JPY=X"), "asked for EURUSD=X, it tells of 'JPY=X'"),
        (chart(currency="GBp"), "told in 'GBp', not in USD"),
        (chart(regularMarketPrice=None), "without a price"),
        (chart(regularMarketTime=None), "without its time"),
        (
            {"chart": {"result": None, "error": {"description": "No data\nfound"}}},
            "No data found",
        ),
        ({"chart": {"result": [], "error": None}}, "empty"),
        ({"finance": {}}, "does not parse"),
    ],
)
def test_what_is_no_price_of_the_thing_asked_for_is_refused(document: Any, reason: str) -> None:
    found = read(body(document), EURO)
    assert isinstance(found, Failed)
    assert reason in found.reason


@settings(max_examples=50, deadline=None)
@given(st.binary() | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(
        st.sampled_from(["chart", "result", "error", "meta", "symbol", "regularMarketPrice"]), inner
    ),
).map(msgspec.json.encode))  # fmt: skip
def test_reading_never_raises(data: bytes) -> None:
    assert isinstance(read(Body(data, 0, 0), EURO), Reading | Failed)


@pytest.mark.skipif(not SAMPLES.exists(), reason="needs the sample answers")
def test_a_recorded_answer_reads() -> None:
    found = read(Body((SAMPLES / "chart_EURUSD_1d.json").read_bytes(), 0, 0), EURO)
    assert found == Reading(1.1257, 1_790_976_545_000, 1.1221)
    missing = read(Body((SAMPLES / "chart_error_404_example.json").read_bytes(), 0, 0), EURO)
    assert isinstance(missing, Failed)
    assert missing.reason == "No data found, symbol may be delisted"


class Yahoo(Service):
    """Yahoo as a test wants it; at first it answers with a fresh price of the euro."""

    def __init__(self, virtual: Any, world_ms: int = OPEN_MS, **wish: Any) -> None:
        super().__init__(virtual, DECLARATION, feed, world_ms, **{"follows": ("EUR/USD",)} | wish)
        self.answers(lambda n: self.fresh())

    def answers(self, of: Callable[[int], httpx.Response]) -> None:
        """By the number of the question, from 1."""
        self.answer = lambda _: of(len(self.requests))

    def fresh(self, **meta: Any) -> httpx.Response:
        fields = {"regularMarketTime": self.clocks.world_ms() // 1000} | meta
        return httpx.Response(200, headers=JSON, json=chart(**fields))


def test_a_changed_price_is_handed_on_once_with_its_time(virtual: Any) -> None:
    service = Yahoo(virtual)
    service.answers(lambda n: service.fresh(regularMarketTime=OPEN_MS // 1000 - (0 if n > 2 else 30)))
    made = service.run(200)
    assert [(q.name, q.source, q.value, q.stamp.event_ms) for q in service.told] == [
        ("EUR/USD", "yahoo", 1.1574, OPEN_MS - 30_000),
        ("EUR/USD", "yahoo", 1.1574, OPEN_MS),
    ]
    assert service.paths()[0] == ("/api/v8/finance/chart/EURUSD%3DX?interval=1m&range=1d&includePrePost=true")
    assert made.health().unchanged_polls == 1


def test_a_frozen_time_makes_it_stale_though_every_answer_is_200(virtual: Any) -> None:
    service = Yahoo(virtual)
    service.answers(lambda n: service.fresh(regularMarketTime=OPEN_MS // 1000))
    made = service.run(190)
    assert made.health().state is FeedState.STALE
    assert made.health().detail == "EUR/USD 3m old"
    assert len(service.told) == 1


def test_on_a_weekend_the_last_price_does_not_age_and_is_rarely_asked_for(virtual: Any) -> None:
    service = Yahoo(virtual, SATURDAY_MS)
    friday_ms = int(datetime(2026, 11, 27, 21, 59, tzinfo=UTC).timestamp()) * 1000
    service.answers(lambda n: service.fresh(regularMarketTime=friday_ms // 1000))
    made = service.run(4000)
    assert made.health().state is FeedState.CLOSED
    assert len(service.requests) == 5
    (quote,) = service.told
    assert quote.stale_after_s == 120  # whoever would use it must not take it for a price of now


def test_it_is_asked_as_it_opens(virtual: Any) -> None:
    opens_ms = int(datetime(2026, 11, 29, 22, tzinfo=UTC).timestamp()) * 1000
    service = Yahoo(virtual, opens_ms - 1_000_000)
    service.run(1100)
    assert service.times()[2] == pytest.approx(1000, abs=3)


def test_after_a_429_nothing_is_asked_for_ten_minutes(virtual: Any) -> None:
    service = Yahoo(virtual, follows=("EUR/USD", "USD/JPY", "SPY"))
    throttled = httpx.Response(429, headers={"Content-Type": "text/plain"}, text="Edge: Too Many Requests")
    service.answers(lambda n: throttled)
    made = service.run(590)
    assert len(service.requests) == 1
    assert made.health().state is FeedState.SPENT
    assert "429" in made.health().detail
    service.run(30)
    assert service.gaps() == pytest.approx([600.5], abs=2)


def test_a_longer_wish_of_the_service_is_heeded(virtual: Any) -> None:
    service = Yahoo(virtual)
    throttled = httpx.Response(429, headers={"Retry-After": "1800"})
    service.answers(lambda n: throttled if n == 1 else service.fresh())
    service.run(1900)
    assert service.gaps()[0] == pytest.approx(1800, abs=3)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(503),
        httpx.Response(403, text="Forbidden"),
        httpx.Response(200, headers={"Content-Type": "text/html"}, text="<html>Before you continue"),
        httpx.Response(200, headers=JSON, json=chart(currency="GBp")),
    ],
)
def test_failures_are_not_answered_with_haste_or_with_another_name(
    virtual: Any, answer: httpx.Response
) -> None:
    service = Yahoo(virtual, every_s=1.0)
    service.answers(lambda n: answer)
    service.run(300)
    assert min(service.gaps()) >= 14.999
    assert {request.headers["User-Agent"] for _, request in service.requests} == {"pmconsole/test"}
    assert service.told == []


def test_one_question_is_in_flight_and_no_symbol_is_asked_for_twice_in_15_s(virtual: Any) -> None:
    service = Yahoo(virtual, follows=tuple(LISTINGS), every_s=1.0)
    service.answers(lambda n: httpx.Response(500) if n % 3 else service.fresh())
    service.run(300)
    assert service.most_in_flight == 1
    for symbol in set(service.paths()):
        times = [at for at, path in zip(service.times(), service.paths(), strict=True) if path == symbol]
        assert all(b - a >= 14.999 for a, b in itertools.pairwise(times))


def test_a_page_instead_of_data_is_called_one(virtual: Any) -> None:
    service = Yahoo(virtual)
    service.answers(lambda n: httpx.Response(302, headers={"Location": "https://consent.example/"}))
    assert service.run(5).health().detail.endswith("HTTP 302: a page for people, of consent or of a block")


def test_an_unknown_symbol_is_named_and_looked_for_again_an_hour_later(virtual: Any) -> None:
    service = Yahoo(virtual)
    missing = {"chart": {"result": None, "error": {"code": "Not Found", "description": "No data found"}}}
    service.answers(lambda n: httpx.Response(404, headers=JSON, json=missing))
    assert service.run(3500).health().detail == "EUR/USD: it knows no EURUSD=X: No data found"
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    ("meta", "reason"),
    [
        ({"regularMarketPrice": 115.74}, "115.74 is not from 0.5 to 2.5"),
        ({"regularMarketPrice": 1.30}, "1.3 is more than 10% from 1.156"),
        ({"regularMarketTime": OPEN_MS // 1000 + 60}, "59 s in the future"),
        ({"regularMarketTime": 10**17}, "not a date"),
    ],
)
def test_the_gate_before_the_desk(virtual: Any, meta: dict[str, Any], reason: str) -> None:
    service = Yahoo(virtual)
    service.answers(lambda n: service.fresh(**meta))
    assert reason in service.run(1).health().detail
    assert service.told == []


def test_an_answer_from_an_older_cache_does_not_replace_what_is_held(virtual: Any) -> None:
    service = Yahoo(virtual)
    service.answers(lambda n: service.fresh(regularMarketTime=OPEN_MS // 1000 - n))
    assert "1 s older than what is held" in service.run(70).health().detail
    assert len(service.told) == 1


def test_in_a_fast_world_the_pace_is_the_worlds(virtual: Any) -> None:
    service = Yahoo(virtual, speed=60.0)
    service.answers(lambda n: service.fresh() if n != 2 else httpx.Response(429))
    service.run(20)
    assert service.gaps()[1] == pytest.approx(10.5, abs=0.1)
