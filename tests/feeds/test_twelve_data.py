"""Twelve Data: its stream, the pairs that it is silent on, and its credits."""

import asyncio
import json
from collections.abc import Awaitable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.feeds.feed import FeedState
from core.feeds.fetch import Body, Failed
from core.feeds.pairs import PAIRS
from core.feeds.streaming import Arrival
from core.feeds.twelve_data import DECLARATION, Board, PriceDialogue, feed
from core.feeds.twelve_data_wire import (
    Nothing,
    Price,
    Refused,
    Subscribed,
    Unreadable,
    hear,
    read_error,
    read_quote,
)
from core.venues.socket import Socket, SocketError
from tests.feeds.service import Service

SAMPLES = Path(__file__).parents[3] / "shared/data/feeds/twelve_data"
OPEN_MS = int(datetime(2026, 11, 24, 15, tzinfo=UTC).timestamp()) * 1000
SATURDAY_MS = int(datetime(2026, 11, 28, 15, tzinfo=UTC).timestamp()) * 1000
JSON = {"Content-Type": "application/json"}
KEY = "secret-of-a-test"


def frame(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def tick(pair: str = "EUR/USD", at_s: int = OPEN_MS // 1000, price: float = 1.1574, **fields: Any) -> bytes:
    return frame(event="price", symbol=pair, timestamp=at_s, price=price, **fields)


# --- the wire -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (tick(bid=1.1572, ask=1.1576), Price("EUR/USD", 1.1574, OPEN_MS, 1.1572, 1.1576)),
        (tick(price=1.2, bid=1.1572), Price("EUR/USD", 1.2, OPEN_MS)),
        (frame(event="heartbeat", status="ok"), Nothing()),
        (frame(event="reset-status", status="ok"), Nothing()),
        (
            frame(event="subscribe-status", status="ok", success=[{"symbol": "EUR/USD"}], fails=None),
            Subscribed((), ""),
        ),
        (
            frame(event="subscribe-status", status="error", success=None, fails=[{"symbol": "USD/JPY"}]),
            Subscribed(("USD/JPY",), ""),
        ),
        (frame(status="error", code=401, message="bad\nkey"), Refused(401, "bad key")),
        (tick(bid=1.1576, ask=1.1572), Unreadable("EUR/USD bid 1.1576 above ask 1.1572")),
        (frame(event="price", symbol="EUR/USD", price=1.1), Unreadable(
            "a price of 'EUR/USD' without its value or its time"
        )),
        (frame(event="split"), Unreadable("a message of the unknown kind 'split'")),
    ],
)  # fmt: skip
def test_what_the_stream_says(data: bytes, said: object) -> None:
    assert hear(data) == said


NAMES = st.sampled_from(["event", "symbol", "price", "bid", "ask", "timestamp", "status", "success", "fails"])
ANYTHING = st.binary() | st.dictionaries(
    NAMES, st.none() | st.integers() | st.floats() | st.text() | st.sampled_from(["price", "EUR/USD"])
).map(lambda d: json.dumps(d).encode())


@settings(max_examples=50, deadline=None)
@given(ANYTHING)
def test_reading_never_raises(data: bytes) -> None:
    assert isinstance(hear(data), Price | Subscribed | Refused | Nothing | Unreadable)
    body = Body(data, 0, 0)
    assert isinstance(read_quote(body, "EUR/USD"), Price | Refused | Failed)
    assert isinstance(read_error(body), Refused | None)


def test_a_quote_is_dated_by_its_last_price_not_by_its_bar() -> None:
    answer = quote_of("EUR/USD", OPEN_MS // 1000, timestamp=1)
    assert read_quote(Body(answer.content, 0, 0), "EUR/USD") == Price("EUR/USD", 1.1573, OPEN_MS)
    other = read_quote(Body(answer.content, 0, 0), "USD/JPY")
    assert isinstance(other, Failed)
    assert other.reason == "asked for USD/JPY, it tells of 'EUR/USD'"


@pytest.mark.skipif(not SAMPLES.exists(), reason="needs the documented shapes")
def test_the_documented_shapes_read() -> None:
    rows = (SAMPLES / "ws_documented_messages.jsonl").read_text().splitlines()
    said = [hear(frame(**row["frame"])) for row in map(json.loads, rows) if row["dir"] == "server"]
    assert [type(one) for one in said] == [Subscribed, Price, Price, Price, Nothing, Nothing]
    assert said[0] == Subscribed(("ZZZ/QQQ",), "")
    shapes = json.loads((SAMPLES / "rest_documented_shapes.json").read_text())
    body = Body(frame(**shapes["quote"]), 0, 0)
    assert read_quote(body, "EUR/USD") == Price("EUR/USD", 1.15742, 1_795_206_600_000)
    refused = read_error(Body(frame(**shapes["error_429"]), 0, 0))
    assert refused is not None
    assert (refused.code, refused.of_the_day) == (429, False)


# --- the feed -------------------------------------------------------------------------------------


class Stream:
    """The provider's side of one connection: answers as it is told to, and says prices every second."""

    def __init__(self, provider: "TwelveData") -> None:
        self._provider = provider
        self._out: asyncio.Queue[bytes] = asyncio.Queue()
        self.sent: list[tuple[float, dict[str, Any]]] = []
        self._speaking = asyncio.ensure_future(self._speak())

    async def _speak(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            for said in self._provider.says():
                self._out.put_nowait(said)

    async def recv(self) -> bytes:
        return await self._out.get()

    async def send(self, data: bytes) -> None:
        said = json.loads(data)
        self.sent.append((self._provider.now_s(), said))
        if said["action"] == "heartbeat" and self._provider.beats:
            self._out.put_nowait(frame(event="heartbeat", status="ok"))
        if said["action"] == "subscribe":
            self._out.put_nowait(self._provider.status())

    async def ping(self) -> Awaitable[object]:
        raise NotImplementedError

    async def close(self) -> None:
        self._speaking.cancel()


class TwelveData(Service):
    """The provider; ``quiet`` pairs are accepted and never told of, ``refused`` ones are refused."""

    def __init__(self, virtual: Any, world_ms: int = OPEN_MS, **wish: Any) -> None:
        self.streams: list[Stream] = []
        self.handshakes: list[tuple[str, Mapping[str, str]]] = []
        self.beats, self.handshake_status = True, 0
        self.quiet: set[str] = set()
        self.refused: set[str] = set()
        super().__init__(virtual, DECLARATION, feed, world_ms, sockets=self._connect, **wish)
        self.answer = lambda request: quote_of(request.url.params["symbol"], self.world_s())

    def world_s(self) -> int:
        return self.clocks.world_ms() // 1000

    def now_s(self) -> float:
        return self._virtual.loop.time()

    def says(self) -> list[bytes]:
        told = [pair for pair in PAIRS if pair not in self.quiet | self.refused]
        return [tick(pair, self.world_s(), 1.1574 if pair == "EUR/USD" else 154.3) for pair in told]

    def status(self) -> bytes:
        fails = [{"symbol": pair} for pair in sorted(self.refused)]
        return frame(event="subscribe-status", status="error" if fails else "ok", success=[], fails=fails)

    async def _connect(self, url: str, headers: Mapping[str, str]) -> Socket:
        self.handshakes.append((url, headers))
        if self.handshake_status:
            raise SocketError("handshake refused", self.handshake_status)
        self.streams.append(Stream(self))
        return self.streams[-1]


def quote_of(pair: str, at_s: int, **fields: Any) -> httpx.Response:
    close = "1.15730" if pair == "EUR/USD" else "154.310"
    whole = {"symbol": pair, "close": close, "last_quote_at": at_s, "is_market_open": True} | fields
    return httpx.Response(200, headers=JSON, json=whole)


def error_of(code: int, message: str, status: int = 200) -> httpx.Response:
    return httpx.Response(status, headers=JSON, json={"code": code, "message": message, "status": "error"})


def asked_for(service: Service) -> list[str]:
    return [request.url.params["symbol"] for _, request in service.requests]


def test_it_subscribes_with_the_key_in_a_header_and_beats_every_ten_seconds(virtual: Any) -> None:
    service = TwelveData(virtual)
    service.run(35)
    assert service.handshakes == [("http://sim/stream", {"X-TD-APIKEY": KEY})]
    (first_s, subscribed), *beats = service.streams[0].sent
    assert subscribed == {"action": "subscribe", "params": {"symbols": "EUR/USD,USD/JPY"}}
    assert [at - first_s for at, _ in beats] == pytest.approx([10, 20, 30])
    assert {str(said) for _, said in beats} == {"{'action': 'heartbeat'}"}
    assert service.feed.health().state is FeedState.OK
    assert service.requests == []


def test_prices_of_one_second_are_all_handed_on_but_a_repeated_one_is_no_news(virtual: Any) -> None:
    service = TwelveData(virtual)
    script = [
        [tick(price=1.1574, bid=1.1572, ask=1.1576), tick(price=1.1575, bid=1.1573, ask=1.1577)],
        [tick(price=1.1575, bid=1.1573, ask=1.1577)],
    ]
    service.says = lambda: script.pop(0) if script else []  # type: ignore[method-assign]
    service.run(5)
    assert [(q.name, q.source, q.value, q.bid, q.ask, q.stamp.event_ms) for q in service.told] == [
        ("EUR/USD", "twelve-data", 1.1574, 1.1572, 1.1576, OPEN_MS),
        ("EUR/USD", "twelve-data", pytest.approx(1.1575), 1.1573, 1.1577, OPEN_MS),
    ]


def test_the_mid_of_half_a_book_is_no_price(virtual: Any) -> None:
    service = TwelveData(virtual)
    script = [[tick(bid=0.0, ask=1.1576)], [tick(bid=0.9, ask=1.4)], [tick(bid=1.1572, ask=1.1576)]]
    service.says = lambda: script.pop(0) if script else []  # type: ignore[method-assign]
    service.run(5)
    assert [quote.value for quote in service.told] == [pytest.approx(1.1574)]


def test_a_refused_pair_is_asked_for_at_once_and_the_other_is_not(virtual: Any) -> None:
    service = TwelveData(virtual)
    service.refused = {"USD/JPY"}
    health = service.run(20).health()
    assert asked_for(service) == ["USD/JPY"]
    assert service.requests[0][1].headers["Authorization"] == f"apikey {KEY}"
    assert KEY not in str(service.requests[0][1].url)
    assert health.state is FeedState.OK
    assert health.detail == "the stream is silent on USD/JPY: asked for instead"
    assert {q.name for q in service.told} == {"EUR/USD", "USD/JPY"}
    assert service.budget.left()[0].left == 7


def test_a_pair_that_is_accepted_and_never_told_of_is_asked_for_after_a_minute(virtual: Any) -> None:
    service = TwelveData(virtual)
    service.quiet = {"USD/JPY"}
    service.run(59)
    assert service.requests == []
    service.run(141)
    assert set(asked_for(service)) == {"USD/JPY"}
    assert service.times()[0] == pytest.approx(70, abs=10)
    assert service.gaps() == pytest.approx([60.5, 60.5], abs=0.1)


def test_a_stream_that_repeats_itself_is_silent(virtual: Any) -> None:
    service = TwelveData(virtual)
    service.says = lambda: [tick(), tick("USD/JPY", price=154.3)]  # type: ignore[method-assign]
    service.run(80)
    assert sorted(asked_for(service)) == ["EUR/USD", "USD/JPY"]


def test_once_the_stream_tells_of_it_again_it_is_not_asked_for(virtual: Any) -> None:
    service = TwelveData(virtual)
    tell = service.says

    def says() -> list[bytes]:
        service.quiet = {"EUR/USD"} if service.now_s() < 100 else set()
        return tell()

    service.says = says  # type: ignore[method-assign]
    health = service.run(300).health()
    assert asked_for(service) == ["EUR/USD"]
    assert health.detail == ""


def test_on_a_weekend_nothing_is_asked_for_and_nothing_ages(virtual: Any) -> None:
    friday_ms = int(datetime(2026, 11, 27, 21, 59, 50, tzinfo=UTC).timestamp()) * 1000
    service = TwelveData(virtual, friday_ms)
    tell = service.says
    service.says = lambda: tell() if service.world_s() < friday_ms // 1000 + 10 else []  # type: ignore[method-assign]
    service.run(3_000)
    assert service.requests == []
    assert service.feed.health().state is FeedState.CLOSED
    assert len(service.streams) == 1  # heartbeats keep it


def test_a_refused_pair_is_not_asked_for_while_nothing_trades(virtual: Any) -> None:
    service = TwelveData(virtual, SATURDAY_MS)
    service.refused, service.quiet = {"USD/JPY"}, {"EUR/USD"}
    service.run(300)
    assert service.requests == []


def test_a_refusal_holds_until_the_stream_tells_of_the_pair_or_begins_anew(virtual: Any) -> None:
    board = Board(tuple(PAIRS), 30, virtual.clocks(1.0, OPEN_MS))
    dialogue = PriceDialogue("ws://sim", None, board)
    refusal = frame(event="subscribe-status", status="error", success=[], fails=[{"symbol": "USD/JPY"}])
    at = Arrival(OPEN_MS, 0, OPEN_MS)
    for ends in (lambda: dialogue.hear(tick("USD/JPY", price=154.3), at), dialogue.greet):
        dialogue.hear(refusal, at)
        assert board.silent() == ["USD/JPY"]
        ends()
        assert board.silent() == []


def test_a_stale_price_is_named_with_its_age(virtual: Any) -> None:
    service = TwelveData(virtual)
    service.run(10)
    service.quiet = {"EUR/USD"}
    health = service.run(45).health()
    assert health.state is FeedState.STALE
    assert health.detail.startswith("EUR/USD 4")


def test_without_an_answer_to_its_heartbeats_the_connection_is_opened_anew(virtual: Any) -> None:
    service = TwelveData(virtual)
    service.beats, service.says = False, lambda: []  # type: ignore[method-assign]
    service.run(36)
    assert len(service.streams) == 2


def test_what_is_left_of_the_days_credits_lasts_the_day(virtual: Any) -> None:
    evening_ms = int(datetime(2026, 11, 24, 18, tzinfo=UTC).timestamp()) * 1000
    service = TwelveData(virtual, evening_ms, speed=60.0)
    service.refused = set(PAIRS)
    service.budget.spend(600)
    service.run(359)  # six hours at sixty times the speed
    minutes = [int(at) for at in service.times()]
    assert 150 < len(minutes) <= 200
    assert minutes[-1] > 350
    assert max(minutes.count(minute) for minute in minutes) <= 8


@pytest.mark.parametrize("status", [200, 429])
def test_spent_credits_are_waited_for_also_when_they_come_under_200(virtual: Any, status: int) -> None:
    service = TwelveData(virtual)
    service.refused = {"EUR/USD"}
    service.answer = lambda _: error_of(
        429, "You have run out of API credits for the current minute.", status
    )
    health = service.run(59).health()
    assert len(service.requests) == 1
    assert health.state is FeedState.SPENT
    assert "run out of API credits" in health.detail
    service.run(10)
    assert service.gaps() == pytest.approx([60], abs=2)


def test_spent_credits_of_the_day_are_waited_for_until_midnight(virtual: Any) -> None:
    service = TwelveData(virtual, speed=60.0)
    service.refused = {"EUR/USD"}
    service.answer = lambda _: error_of(429, "You have run out of API credits for the day.")
    service.run(9 * 60 + 5)  # at sixty times the speed
    assert service.gaps() == pytest.approx([9 * 60], abs=3)


def test_a_refused_key_is_no_reason_to_try_again_soon_and_is_shown_to_nobody(virtual: Any) -> None:
    service = TwelveData(virtual)
    service.handshake_status = 401
    service.answer = lambda _: error_of(401, f"the apikey {KEY} is incorrect")
    health = service.run(3000).health()
    assert health.state is FeedState.AUTH
    assert len(service.handshakes) == 1
    assert len(service.requests) == 2
    assert KEY not in str(health)
    assert "(key)" in str([asked.health() for asked in service.feed._asked.values()])  # type: ignore[attr-defined]


def test_what_the_plan_does_not_have_is_asked_for_again_after_an_hour(virtual: Any) -> None:
    service = TwelveData(virtual, follows=("USD/JPY",))
    service.refused = {"USD/JPY"}
    service.answer = lambda _: error_of(403, "USD/JPY is available with the Grow plan", 403)
    health = service.run(3500).health()
    assert len(service.requests) == 1
    assert health.detail == "USD/JPY: error 403: USD/JPY is available with the Grow plan"
    assert health.state is not FeedState.AUTH


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (tick(price=115.7), "EUR/USD refused: 115.7 is not from 0.5 to 2.5"),
        (tick(at_s=OPEN_MS // 1000 + 60), "s in the future"),
        (tick("GBP/USD"), "a price of something that nobody asked for"),
        (b"<html>", "a message does not parse"),
    ],
)
def test_the_gate_before_the_desk(virtual: Any, said: bytes, reason: str) -> None:
    service = TwelveData(virtual)
    service.says = lambda: [said]  # type: ignore[method-assign]
    assert reason in service.run(3).health().detail
    assert service.told == []


def test_an_answer_older_than_what_the_stream_told_is_refused(virtual: Any) -> None:
    service = TwelveData(virtual)
    service.run(10)
    told = len(service.told)
    service.quiet = {"EUR/USD"}
    service.answer = lambda request: quote_of("EUR/USD", OPEN_MS // 1000)
    health = service.run(90).health()
    assert [q.name for q in service.told[told:] if q.name == "EUR/USD"] == []
    assert "older than what is held" in health.detail


def test_in_a_fast_world_a_pair_is_not_silent_between_two_of_its_prices(virtual: Any) -> None:
    service = TwelveData(virtual, speed=144.0)
    service.run(30)
    assert service.requests == []
