"""Market channel connections on virtual time: kept awake, replaced unseen, doubled, compared with REST."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

import httpx
import pytest

from core.domain.clock import Clocks
from core.domain.order import BookSide
from core.domain.units import Price
from core.venues.limiter import Limiter
from core.venues.polymarket.books import Books, Watched
from core.venues.polymarket.facts import Oddity
from core.venues.polymarket.limits import CAPACITIES
from core.venues.polymarket.public import PublicHttp
from core.venues.polymarket.streams import MarketStreams
from core.venues.polymarket.tokens import Tokens
from core.venues.polymarket.trust import Trust
from core.venues.polymarket.witness import Witness
from core.venues.reader import Reader
from core.venues.socket import SocketError
from tests.venues.conftest import START_MS
from tests.venues.polymarket.test_books import ASKS, BIDS, SUMS, book, change

Run = Callable[[Coroutine[Any, Any, Any]], Any]


def now_s() -> float:
    return asyncio.get_running_loop().time()


class Peer:
    """The venue's end of one connection: brings a book for each token, answers until told not to."""

    def __init__(self, brings_books: bool = True) -> None:
        self.inbox: asyncio.Queue[bytes | SocketError] = asyncio.Queue()
        self.tokens: list[str] = []
        self.pings: list[float] = []
        self.answers, self.pongs, self.brings_books = True, True, brings_books
        self.closed_s: float | None = None

    def say(self, *frames: dict[str, Any]) -> None:
        self.inbox.put_nowait(json.dumps(list(frames)).encode() + b"\n")

    def cut(self) -> None:
        self.inbox.put_nowait(SocketError("cut"))

    async def recv(self) -> bytes:
        message = await self.inbox.get()
        if isinstance(message, SocketError):
            raise message
        return message

    async def send(self, data: bytes) -> None:
        if data == b"PING":
            self.pings.append(now_s())
            if self.pongs:
                self.inbox.put_nowait(b"PONG")
            return
        command = json.loads(data)
        if command.get("operation") == "unsubscribe":
            self.tokens = [t for t in self.tokens if t not in command["assets_ids"]]
            return
        self.tokens += command["assets_ids"]
        if self.brings_books:
            self.say(*(book(START_MS, BIDS, ASKS, asset_id=token) for token in command["assets_ids"]))

    async def ping(self) -> Awaitable[object]:
        return asyncio.sleep(0 if self.answers else 10_000)

    async def close(self) -> None:
        self.closed_s = now_s()


class Desk:
    """Streams on scripted connections, and a REST that shows what a test puts there."""

    def __init__(self, clocks: Clocks, markets: int = 1, assets_max: int = 200) -> None:
        self.clocks, self.peers, self.opened = clocks, list[Peer](), list[float]()
        self.script: list[Peer | SocketError] = []
        self.facts: list[Any] = []
        self.books = Books()
        for n in range(markets):
            self.books.add(Watched(f"m{n}", Tokens(str(n + 1), str(n + 10_001)), SUMS), clocks.mono_ns())
        self.streams = MarketStreams(
            "ws://127.0.0.1:1/ws/market",
            self.books,
            clocks=clocks,
            rng=random.Random(4),
            sockets=self.connect,
            deliver=self.facts.append,
            assets_max=assets_max,
        )
        self.rest: dict[str, dict[str, Any]] = {}
        self.quotes: dict[str, dict[str, str]] | None = None
        self.calls: list[tuple[float, str, list[str]]] = []
        http = PublicHttp(
            "http://127.0.0.1:1",
            clocks=clocks,
            limiter=Limiter(clocks, CAPACITIES),
            rng=random.Random(1),
            transports=lambda limits: httpx.MockTransport(self.answer),
            on_anomaly=lambda what, detail: None,
            on_credential=lambda cause: None,
        )
        self.dead: list[str] = []
        self.witness = Witness(
            Reader(http, http.on_anomaly), self.books, clocks, self.facts.append, self.on_dead
        )

    def on_dead(self, token: str) -> None:
        self.dead.append(token)
        self.streams.give_up(token, "silent though REST has news")

    async def connect(self, url: str, headers: Mapping[str, str]) -> Peer:
        self.opened.append(now_s())
        step = self.script.pop(0) if self.script else Peer()
        if isinstance(step, SocketError):
            raise step
        self.peers.append(step)
        return step

    def answer(self, request: httpx.Request) -> httpx.Response:
        asked = [row["token_id"] for row in json.loads(request.content)]
        self.calls.append((now_s(), request.url.path, asked))
        if request.url.path == "/books":
            body: Any = [self.rest[token] for token in asked if token in self.rest]
        else:
            body = self.quotes if self.quotes is not None else {t: best(self.rest[t]) for t in set(asked)}
        return httpx.Response(200, content=json.dumps(body).encode())

    def trust(self, n: int = 0) -> Trust:
        return self.books.slots[f"m{n}"].doubts.state

    async def during(self, story: Callable[[], Coroutine[Any, Any, None]], *, witness: bool = False) -> None:
        tasks = [asyncio.create_task(self.streams.run())]
        if witness:
            tasks.append(asyncio.create_task(self.witness.run()))
        try:
            await story()
        finally:
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ends), ends


def best(body: dict[str, Any]) -> dict[str, str]:
    bids, asks = [r["price"] for r in body["bids"]], [r["price"] for r in body["asks"]]
    return {"BUY": max(bids, default="0"), "SELL": min(asks, default="1")}


Story = Callable[[Desk], Coroutine[Any, Any, None]]
On = Callable[..., None]


@pytest.fixture
def on(virtual: Run, virtual_clocks: Clocks) -> On:
    """Runs a story with a desk on virtual time."""

    def run(
        story: Callable[[Desk], Coroutine[Any, Any, None]], *, witness: bool = False, **more: Any
    ) -> None:
        async def main() -> None:
            desk = Desk(virtual_clocks, **more)

            async def told() -> None:
                await story(desk)

            await desk.during(told, witness=witness)

        virtual(main())

    return run


def test_tokens_are_parted_and_only_the_first_tokens_open_connections(on: On) -> None:
    async def story(desk: Desk) -> None:
        await asyncio.sleep(1)
        assert not desk.opened
        await desk.streams.watch([str(n) for n in range(1, 6)])
        await asyncio.sleep(1)
        assert [len(peer.tokens) for peer in desk.peers] == [2, 2, 1]
        await desk.streams.watch(["1", "6"])
        await asyncio.sleep(1)
        assert [len(peer.tokens) for peer in desk.peers] == [2, 2, 2]
        await desk.streams.unwatch("1")
        await desk.streams.watch(["7"])
        await asyncio.sleep(1)
        assert sorted(desk.peers[0].tokens) == ["2", "7"]
        assert all(desk.trust(n) is Trust.LIVE for n in range(1, 7))

    on(story, markets=7, assets_max=2)


def test_the_venue_is_pinged_every_ten_seconds_and_given_up_without_an_answer(
    on: Callable[..., None],
) -> None:
    async def story(desk: Desk) -> None:
        await desk.streams.watch(["1"])
        await asyncio.sleep(35)
        first = desk.peers[0]
        assert first.pings == pytest.approx([10, 20, 30], abs=0.1)
        assert desk.streams.heartbeat_ns == pytest.approx(34e9, abs=1.1e9)
        first.pongs = False
        await asyncio.sleep(9)
        assert first.closed_s is None and desk.trust() is Trust.LIVE
        await asyncio.sleep(4)
        assert first.closed_s == pytest.approx(46, abs=1) and desk.trust() is Trust.LIVE
        assert Oddity("book in doubt", "m0: no PONG for 5 s") in desk.facts

    on(story)


def test_a_peer_that_answers_no_ping_is_given_up(on: On) -> None:
    async def story(desk: Desk) -> None:
        await desk.streams.watch(["1"])
        await asyncio.sleep(2)
        desk.peers[0].answers = False
        await asyncio.sleep(9)
        assert desk.peers[0].closed_s is not None and len(desk.opened) == 2

    on(story)


def test_reconnects_wait_ever_longer_within_bounds(on: On) -> None:
    async def story(desk: Desk) -> None:
        desk.script = [SocketError("refused")] * 12
        await desk.streams.watch(["1"])
        assert desk.streams.heartbeat_ns is None
        await asyncio.sleep(0.3)
        assert desk.streams.detail == "refused"
        await asyncio.sleep(400)
        gaps = [later - earlier for earlier, later in zip(desk.opened, desk.opened[1:], strict=False)]
        assert all(gap <= min(30, 0.25 * 2**n) for n, gap in enumerate(gaps[:12]))
        assert max(gaps[:12]) > 5 and len(desk.opened) == 13
        assert desk.trust() is Trust.LIVE

    on(story)


def test_a_planned_replacement_is_not_seen(on: On) -> None:
    async def story(desk: Desk) -> None:
        await desk.streams.watch(["1"])
        await asyncio.sleep(910)
        first, second = desk.peers
        assert 600 <= desk.opened[1] <= 900
        assert first.closed_s is not None and desk.opened[1] <= first.closed_s <= desk.opened[1] + 1
        assert second.closed_s is None
        assert desk.trust() is Trust.LIVE and not any(isinstance(f, Oddity) for f in desk.facts)
        second.say(change(START_MS + 5, "BUY", "0.52", "1", best=("0.52", "0.55"), asset_id="1"))
        await asyncio.sleep(1)
        assert desk.books.views["m0"].book.best_bid == 5_200

    on(story)


def test_a_replacement_that_brings_no_books_is_dropped(on: On) -> None:
    async def story(desk: Desk) -> None:
        desk.script = [Peer(), Peer(brings_books=False)]
        await desk.streams.watch(["1"])
        await asyncio.sleep(940)
        first, second = desk.peers[:2]
        assert first.closed_s is None and second.closed_s == pytest.approx(desk.opened[1] + 30, abs=1)
        assert desk.trust() is Trust.LIVE

    on(story)


def test_a_traded_token_survives_the_loss_of_a_connection(on: On) -> None:
    async def story(desk: Desk) -> None:
        await desk.streams.watch(["1", "2"])
        await desk.streams.double(["1"])
        await asyncio.sleep(1)
        assert [peer.tokens for peer in desk.peers] == [["1", "2"], ["1"]]
        desk.script = [SocketError("down")] * 100
        desk.peers[0].cut()
        await asyncio.sleep(1)
        assert (desk.trust(0), desk.trust(1)) == (Trust.LIVE, Trust.SUSPECT)
        desk.peers[1].say(change(START_MS + 5, "BUY", "0.52", "1", best=("0.52", "0.55"), asset_id="1"))
        await asyncio.sleep(0.1)
        assert desk.books.views["m0"].book.best_bid == 5_200
        assert desk.streams.heartbeat_ns is not None  # of the connection that works
        desk.peers[1].cut()
        await asyncio.sleep(0.1)
        assert desk.streams.heartbeat_ns is None

    on(story, markets=2)


def test_a_connection_that_freezes_is_found_out_by_its_double(on: On) -> None:
    async def story(desk: Desk) -> None:
        await desk.streams.watch(["1"])
        await desk.streams.double(["1"])
        await asyncio.sleep(60)
        for second in range(12):
            news = change(START_MS + 1_000 * second, "BUY", "0.52", str(second), asset_id="1")
            desk.peers[1].say(news)
            await asyncio.sleep(1)
        assert desk.peers[0].closed_s == pytest.approx(63, abs=1) and desk.peers[1].closed_s is None
        assert len(desk.peers) > 2 and desk.trust() is Trust.LIVE

    on(story)


def test_books_are_compared_every_minute_and_traded_ones_every_half(on: On) -> None:
    async def story(desk: Desk) -> None:
        desk.rest = {t: book(START_MS, BIDS, ASKS, asset_id=t) for t in ("1", "2")}
        await desk.streams.watch(["1", "2"])
        desk.books.slots["m0"].traded = True
        await asyncio.sleep(70)
        asked = [(round(at), tokens) for at, _, tokens in desk.calls]
        assert asked == [(5, ["1", "2"]), (22, ["1"]), (52, ["1"]), (65, ["2"])]
        # At 22 s the channel had been quiet for long, so its busiest book was looked at.
        assert {path for _, path, _ in desk.calls} == {"/books"}

    on(story, witness=True, markets=2)


def test_a_channel_that_is_silent_while_rest_has_news_is_dead(on: On) -> None:
    async def story(desk: Desk) -> None:
        desk.rest = {"1": book(START_MS, BIDS, ASKS, asset_id="1")}
        await desk.streams.watch(["1"])
        await asyncio.sleep(10)
        first = desk.peers[0]
        desk.rest = {"1": book(START_MS + 9_000, {"0.53": "1"}, ASKS, asset_id="1")}
        await asyncio.sleep(30)
        assert desk.dead == ["1"] and first.closed_s is not None
        assert desk.trust() is Trust.LIVE and desk.books.views["m0"].book.best_bid == 5_300

    on(story, witness=True)


def test_a_rest_that_shows_nonsense_or_the_past_restores_and_disturbs_nothing(
    on: Callable[..., None],
) -> None:
    async def story(desk: Desk) -> None:
        await desk.streams.watch(["1"])
        desk.rest = {"1": book(START_MS - 9_000, {"0.10": "1"}, {"0.90": "1"}, asset_id="1")}
        await asyncio.sleep(10)
        assert desk.trust() is Trust.LIVE and not desk.dead
        # A suspect book stays so while the price call contradicts the book call.
        desk.rest = {"1": book(START_MS + 9_000, {"0.01": "1"}, {"0.99": "1"}, asset_id="1")}
        desk.quotes = {"1": {"BUY": "0.50", "SELL": "0.55"}}
        desk.books.suspect("m0", "for the test", desk.clocks.mono_ns())
        await asyncio.sleep(20)
        assert desk.trust() is Trust.SUSPECT and desk.books.views["m0"].book.best_bid == 5_000
        assert len(desk.calls) < 20
        desk.rest = {"1": book(START_MS + 9_000, BIDS, ASKS, asset_id="1")}
        await asyncio.sleep(31)
        assert desk.trust() is Trust.LIVE

    on(story, witness=True)


def test_an_empty_book_is_restored_though_it_has_no_prices(on: On) -> None:
    async def story(desk: Desk) -> None:
        await desk.streams.watch(["1"])
        desk.rest, desk.quotes = {"1": book(START_MS + 9_000, {}, {}, asset_id="1")}, {}
        await asyncio.sleep(1)
        desk.books.suspect("m0", "for the test", desk.clocks.mono_ns())
        await asyncio.sleep(2)
        assert desk.trust() is Trust.LIVE and desk.books.views["m0"].book.best_bid is None

    on(story, witness=True)


def test_news_that_rest_has_first_is_waited_for(on: On) -> None:
    async def story(desk: Desk) -> None:
        await desk.streams.watch(["1"])
        desk.rest = {"1": book(START_MS + 4_000, {**BIDS, "0.53": "1"}, ASKS, asset_id="1")}
        await asyncio.sleep(5.6)
        assert len(desk.calls) == 1 and desk.trust() is Trust.LIVE
        news = change(START_MS + 4_000, "BUY", "0.53", "1", best=("0.53", "0.55"), asset_id="1")
        desk.peers[0].say(news)
        await asyncio.sleep(5)
        assert len(desk.calls) == 2 and desk.trust() is Trust.LIVE and not desk.dead

    on(story, witness=True)


def test_a_book_lost_below_the_best_prices_is_found_by_rest(on: On) -> None:
    async def story(desk: Desk) -> None:
        await desk.streams.watch(["1"])
        await asyncio.sleep(4)
        desk.peers[0].say(change(START_MS + 1_000, "BUY", "0.30", "1", best=("0.50", "0.55"), asset_id="1"))
        desk.rest = {"1": book(START_MS + 1_000, {**BIDS, "0.30": "1", "0.29": "4"}, ASKS, asset_id="1")}
        await asyncio.sleep(5)
        assert Oddity("book in doubt", "m0: REST shows another book") in desk.facts
        assert desk.trust() is Trust.LIVE and not desk.dead
        assert desk.books.views["m0"].book.size(BookSide.BID, Price(2_900)) == 4_000_000

    on(story, witness=True)


def test_a_token_the_venue_does_not_know_is_told_once(on: On) -> None:
    async def story(desk: Desk) -> None:
        desk.script = [Peer(brings_books=False)]
        await desk.streams.watch(["1"])
        await asyncio.sleep(120)
        assert [f for f in desk.facts if isinstance(f, Oddity)] == [
            Oddity("book", "m0: the venue has none yet")
        ]
        assert 5 <= len(desk.calls) <= 12 and desk.trust() is Trust.EMPTY

    on(story, witness=True)
