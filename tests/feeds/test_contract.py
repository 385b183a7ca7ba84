"""What every source can rely on: quotas by the calendar, streams that come back, keys that never show."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
from collections.abc import Mapping
from typing import Any

import httpx
import msgspec

from core.feeds.budget import Budget, Left, kept_of
from core.feeds.declaration import Declaration, Family, Key, KeyNeed, Per, Probe, Quota, Rides
from core.feeds.feed import FeedState
from core.feeds.fetch import Body, Failed, Fetcher, Secrecy
from core.feeds.polling import Polled, PolledFeed
from core.feeds.quotes import Quote
from core.feeds.recording import Recorded
from core.feeds.streaming import Arrival, Heard, StreamedFeed
from core.feeds.trial import price_of
from core.venues.socket import Socket, SocketError
from tests.feeds.conftest import REAL_START_MS
from tests.feeds.sockets import OVER, Scripted

SECRET = "s3cret/key+1"
NEED = KeyNeed(Rides.QUERY, "apikey", "Get one at x.example.")
TICKS = Declaration("ticks", "TICKS", Family.MARKETS, "ticks", {"ws": "ws://ticks"}, 0, 30)
ASKED = Declaration("asked", "ASKED", Family.MARKETS, "prices", {"api": "http://feed"}, 60, 600)


def ms(text: str) -> int:
    return int(dt.datetime.fromisoformat(text + "+00:00").timestamp() * 1000)


# --- quotas -----------------------------------------------------------------------------------------


def test_a_day_and_a_month_begin_at_midnight_utc_and_an_hour_rolls(virtual: Any) -> None:
    def left(budget: Budget) -> dict[Per, Left]:
        return {one.quota.per: one for one in budget.left()}

    async def script() -> None:
        start = ms("2026-12-31T23:59:50")
        clocks = virtual.clocks(world_ms=start)
        budget = Budget((Quota(10, Per.HOUR), Quota(20, Per.DAY), Quota(30, Per.MONTH)), clocks)
        budget.spend(9)
        assert budget.wait_s() == 0.0 and budget.wait_s(2) == 3_600.0
        now = left(budget)
        assert (now[Per.HOUR].left, now[Per.DAY].left, now[Per.MONTH].left) == (1, 11, 21)
        assert now[Per.DAY].whole_ms == now[Per.MONTH].whole_ms == ms("2027-01-01T00:00:00")
        await asyncio.sleep(10)
        now = left(budget)
        assert (now[Per.HOUR].left, now[Per.DAY].left, now[Per.MONTH].left) == (1, 20, 30)
        assert now[Per.MONTH].whole_ms == ms("2027-02-01T00:00:00")
        await asyncio.sleep(3_590)
        assert left(budget)[Per.HOUR].left == 10

    virtual.run(script())


def test_the_providers_own_word_counts_and_survives_a_restart_of_the_same_day_only(virtual: Any) -> None:
    async def script() -> None:
        clocks = virtual.clocks(world_ms=ms("2026-11-29T12:00:00"))
        quotas = (Quota(500, Per.MONTH, "credits"), Quota(8, Per.MINUTE))
        budget = Budget(quotas, clocks)
        budget.spend(3)
        budget.told(Per.MONTH, 12)  # others spend with the same key
        assert budget.left()[0].left == 12
        budget.told(Per.MINUTE, 2)
        assert budget.left()[1].left == 2
        assert budget.wait_s(13) > 86_400, "the month does not hold it"
        budget.told(Per.MONTH, 20_000)
        assert budget.left()[0].left == 20_000, "a paid plan grants more"
        budget.told(Per.MONTH, 12)
        kept = kept_of(budget.left())
        assert [(one.per, one.period, one.spent) for one in kept] == [(Per.MONTH, "2026-11", 488)]
        assert Budget(quotas, clocks, kept).left()[0].left == 12
        midnight = Left(quotas[0], 12, ms("2026-12-01T00:00:00"))
        assert kept_of([midnight])[0].period == "2026-11", "counted before it, written after it"
        december = virtual.clocks(world_ms=ms("2026-12-01T00:00:00"))
        assert Budget(quotas, december, kept).left()[0].left == 500

    virtual.run(script())


# --- keys -------------------------------------------------------------------------------------------


def test_a_key_is_in_no_reason_no_recording_and_no_repr_and_a_spent_quota_asks_nothing(virtual: Any) -> None:
    asked: list[httpx.Request] = []
    recorded: list[Recorded] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if request.url.path == "/down":
            raise httpx.ConnectError(f"no route to {request.url}")
        headers = {"Content-Type": "application/json", "X-Echo": str(request.url)}
        return httpx.Response(401, headers=headers, content=f'"{request.url} {SECRET}"'.encode())

    async def script(need: KeyNeed, most: int) -> list[Any]:
        async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as client:
            clocks = virtual.clocks()
            fetcher = Fetcher(
                client, "http://feed", clocks, "pmconsole/test", "application/json", feed="x",
                secrecy=Secrecy(need, Key(SECRET)), budget=Budget((Quota(most, Per.DAY),), clocks),
                record=recorded.append,
            )  # fmt: skip
            return [await fetcher.get("/x", {"a": "1"}), await fetcher.get("/down"), await fetcher.get("/x")]

    header = KeyNeed(Rides.HEADER, "Authorization", "", "apikey ")
    for need in (NEED, header):
        asked.clear()
        refused, down, spent = virtual.run(script(need, 2))
        assert isinstance(refused, Failed) and refused.key_refused
        assert isinstance(down, Failed) and down.reason.startswith("no connection (")
        assert isinstance(spent, Failed) and spent.spent and len(asked) == 2, "nothing was asked"
        if need is NEED:
            assert asked[0].url.params["apikey"] == SECRET
        else:
            assert asked[0].headers["Authorization"] == f"apikey {SECRET}"
        assert "s3cret" not in repr((refused.reason, down.reason, spent.reason, Secrecy(need, Key(SECRET))))
    written = repr(recorded)
    assert recorded and SECRET not in written and "s3cret" not in written and "(key)" in written


def test_no_parser_sees_a_key_that_it_could_cut_in_half(virtual: Any) -> None:
    path = SECRET.replace("/", "\\/")
    said = f'{{"message": "{"x" * 90} {SECRET} {path}", "price": 11}}'.encode()

    async def script(key: Key) -> Any:
        answer = httpx.Response(200, headers={"Content-Type": "application/json"}, content=said)
        async with httpx.AsyncClient(transport=httpx.MockTransport(lambda _: answer)) as client:
            fetcher = Fetcher(
                client, "http://feed", virtual.clocks(), "pmconsole/test", "application/json",
                secrecy=Secrecy(NEED, key),
            )  # fmt: skip
            return await fetcher.get("/x")

    assert virtual.run(script(Key(SECRET))).data.endswith(b' (key) (key)", "price": 11}')
    assert virtual.run(script(Key("1", ("11",)))).data == said, "the path of a node's address: no figure goes"
    line = Line(virtual, Scripted(f"{SECRET} is no price".encode()))
    heard: list[bytes] = []

    class Parrot(Ticking):
        def hear(self, data: bytes, at: Arrival) -> Heard:
            heard.append(data)
            return Heard()

    feed = StreamedFeed(
        TICKS, Parrot(), line, virtual.clocks(), random.Random(1), lambda _: None, key=Key(SECRET)
    )
    virtual.run_for(1, feed.run)
    assert heard == [b"(key) is no price"]


# --- asking -----------------------------------------------------------------------------------------


class Asked:
    """A source that answers what the test says and notes when it was asked."""

    key, stale_after_s = "SPX", 600

    def __init__(self, virtual: Any, answer: Polled | Failed) -> None:
        self.answer, self.newest_ms, self._virtual = answer, None, virtual
        self.asked_s: list[float] = []

    async def poll(self) -> Polled | Failed:
        self.asked_s.append(self._virtual.loop.time())
        return self.answer


def test_a_refused_key_is_not_hammered_and_never_told(virtual: Any) -> None:
    source = Asked(virtual, Failed(f"HTTP 401 for {SECRET}", 401, key_refused=True))
    feed = PolledFeed(ASKED, [source], 60, virtual.clocks(), random.Random(1), key=Key(SECRET))
    virtual.run_for(3_500, feed.run)
    health = feed.health()
    assert source.asked_s == [0.0]
    assert health.state is FeedState.AUTH and SECRET not in health.detail and "(key)" in health.detail
    tried = virtual.run(feed.trial())
    assert not tried.passed and "configure another one" in tried.text and SECRET not in tried.text
    source.answer = Polled(0, changed=True, latency_ms=40)
    tried = virtual.run(feed.trial())
    assert (tried.passed, tried.text) == (True, "It answered for SPX in 40 ms with something new.")
    assert feed.health().state is not FeedState.AUTH


def test_a_spent_quota_is_told_and_waited_for(virtual: Any) -> None:
    source = Asked(virtual, Failed("the quota is spent", retry_after_s=900.0, spent=True))
    feed = PolledFeed(ASKED, [source], 60, virtual.clocks(), random.Random(1))
    virtual.run_for(1_000, feed.run)
    assert source.asked_s == [0.0, 900.0]
    health = feed.health()
    assert health.state is FeedState.SPENT and health.retry_at_ns == 1_800 * 10**9
    tried = virtual.run(feed.trial())
    assert not tried.passed and "Nothing was asked. It can be asked in 900 s." in tried.text


def test_a_month_that_is_spent_is_looked_at_every_hour(virtual: Any) -> None:
    # A sleep of weeks ends late on a machine that is suspended, and what was granted meanwhile goes unused.
    source = Asked(virtual, Failed("the quota is spent", retry_after_s=20 * 86_400.0, spent=True))
    feed = PolledFeed(ASKED, [source], 60, virtual.clocks(), random.Random(1))
    virtual.run_for(7_300, feed.run)
    assert source.asked_s == [0.0, 3_600.0, 7_200.0]
    assert feed.health().retry_at_ns == (20 * 86_400 + 7_200) * 10**9


def test_a_test_asks_the_declared_question_and_tells_its_price_first(virtual: Any) -> None:
    async def probe() -> Body:
        return Body(b"[]", 0, 0, 12, {"content-type": "application/json; charset=utf-8"})

    source = Asked(virtual, Failed("never asked"))
    asked = msgspec.structs.replace(ASKED, probe=Probe("one thing", "/thing"))
    feed = PolledFeed(asked, [source], 60, virtual.clocks(), random.Random(1), probe=probe)
    tried = virtual.run(feed.trial())
    assert (tried.passed, source.asked_s) == (True, [])
    assert tried.text == "It answered in 12 ms: 2 bytes of application/json."
    probed = Declaration(
        "odds", "ODDS", Family.SPORTS, "odds", {"api": ""}, 60, 60,
        quotas=(Quota(500, Per.MONTH, "credits"),),
        probe=Probe("the list of sports", "/v4/sports", cost=0),
    )  # fmt: skip
    assert price_of(probed) == "One request, the list of sports: it costs nothing."
    assert price_of(ASKED).startswith("One ordinary question")
    assert price_of(TICKS).startswith("Nothing is asked")


# --- being told -------------------------------------------------------------------------------------


class Ticking:
    """Dialogue of a test: ``<seconds from start> <price>``, or a word of trouble."""

    names = ("BTC/USD",)
    silent_s = 20.0
    beat_s = 0.0

    def address(self) -> tuple[str, Mapping[str, str]]:
        return f"ws://ticks?token={SECRET}", {}

    def greet(self) -> tuple[bytes, ...]:
        return (b"subscribe",)

    def over(self, name: str, world_ms: int) -> bool:
        return False

    def beat(self) -> bytes:
        return b""

    def hear(self, data: bytes, at: Arrival) -> Heard:
        if data == b"refused":
            return Heard(fault=f"{SECRET} is no key", key_refused=True)
        if data == b"odd":
            return Heard(fault="it says what nobody understands")
        second, price = data.decode().split()
        stamp = at.stamp(REAL_START_MS + int(float(second) * 1000))
        return Heard((Quote("BTC/USD", "ticks", float(price), None, None, stamp, 30),))


class Line:
    """Sockets one after the other; what was said on each, and when each was opened."""

    def __init__(self, virtual: Any, *sockets: Scripted | SocketError) -> None:
        self._virtual, self._sockets = virtual, list(sockets)
        self.opened_s: list[float] = []

    async def __call__(self, url: str, headers: Mapping[str, str]) -> Socket:
        self.opened_s.append(self._virtual.loop.time())
        found = self._sockets.pop(0) if self._sockets else SocketError("cannot connect: nobody there")
        if isinstance(found, SocketError):
            raise found
        return found


def told(
    virtual: Any, line: Line, recorded: list[Recorded] | None = None
) -> tuple[StreamedFeed, list[Quote]]:
    values: list[Any] = []
    kept = recorded if recorded is not None else []
    feed = StreamedFeed(
        TICKS, Ticking(), line, virtual.clocks(), random.Random(1), values.append,
        key=Key(SECRET), record=kept.append,
    )  # fmt: skip
    return feed, values


def test_a_stream_that_ends_is_opened_and_greeted_again_and_its_last_value_grows_old(virtual: Any) -> None:
    first, second = Scripted(b"0 100", OVER), Scripted(b"1 101")
    line = Line(virtual, first, second)
    feed, values = told(virtual, line)
    virtual.run_for(10, feed.run)
    assert [quote.value for quote in values] == [100.0, 101.0]
    assert first.sent == second.sent == [b"subscribe"] and len(line.opened_s) == 2
    assert feed.health().state is FeedState.OK and feed.health().failures == 0
    virtual.run_for(25, lambda: asyncio.sleep(100))
    health = feed.health()
    assert health.state is FeedState.STALE and "BTC/USD 34s old" in health.detail


def test_a_connection_on_which_nothing_comes_is_dead(virtual: Any) -> None:
    line = Line(virtual, Scripted(b"0 100"), Scripted())
    feed, _ = told(virtual, line)
    virtual.run_for(19.9, feed.run)
    assert feed.health().state is FeedState.OK
    line = Line(virtual, Scripted(b"19 100"), Scripted())
    feed, _ = told(virtual, line)
    virtual.run_for(22, feed.run)
    assert feed.health().failures == 1 and len(line.opened_s) == 2, "and it is opened anew"
    assert 39.9 <= line.opened_s[1] <= 40.9, "20 s after its last message and a short wait"


def test_an_engine_that_stood_still_listens_before_it_calls_a_connection_dead(virtual: Any) -> None:
    class Waiting(Scripted):
        """Its second message comes while nobody runs."""

        async def recv(self) -> bytes:
            if len(self._messages) == 1:
                await arrived.wait()
            return await super().recv()

    arrived = asyncio.Event()
    line = Line(virtual, Waiting(b"0 100", b"39 101"))
    feed, values = told(virtual, line)

    async def stood_still() -> None:
        running = asyncio.ensure_future(feed.run())
        await asyncio.sleep(15)
        virtual.loop._jumping.now_s += 25  # the process slept
        await asyncio.sleep(0)
        arrived.set()
        await asyncio.sleep(1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    virtual.run(stood_still())
    assert [quote.value for quote in values] == [100.0, 101.0]
    assert len(line.opened_s) == 1


class Deaf(Scripted):
    """Talks on and takes nothing."""

    async def send(self, data: bytes) -> None:
        if data != b"subscribe":
            await asyncio.Event().wait()


def test_a_peer_that_talks_and_takes_nothing_is_left(virtual: Any) -> None:
    class Answering(Ticking):
        def hear(self, data: bytes, at: Arrival) -> Heard:
            return Heard(replies=(b"pong",))

    line = Line(virtual, Deaf(*[b"ping"] * 1_000), Scripted())
    feed = StreamedFeed(TICKS, Answering(), line, virtual.clocks(), random.Random(1), lambda _: None)
    virtual.run_for(19.9, feed.run)
    assert len(line.opened_s) == 1
    line = Line(virtual, Deaf(*[b"ping"] * 1_000), Scripted())
    feed = StreamedFeed(TICKS, Answering(), line, virtual.clocks(), random.Random(1), lambda _: None)
    virtual.run_for(22, feed.run)
    assert len(line.opened_s) == 2 and feed.health().failures == 1


def test_old_and_future_values_are_refused_by_name_and_a_key_is_hidden_in_every_frame(virtual: Any) -> None:
    recorded: list[Recorded] = []
    line = Line(virtual, Scripted(b"0 100", b"-1 99", b"60 105", b"odd"))
    feed, values = told(virtual, line, recorded)
    virtual.run_for(1, feed.run)
    assert [quote.value for quote in values] == [100.0]
    assert "nobody understands" in feed.health().detail
    assert [one.body for one in recorded] == [b"0 100", b"-1 99", b"60 105", b"odd"]
    assert all(SECRET not in one.what and "(key)" in one.what for one in recorded)
    one_bad = Line(virtual, Scripted(b"0 100", b"-1 99"))
    feed, _ = told(virtual, one_bad)
    virtual.run_for(1, feed.run)
    assert feed.health().detail == "BTC/USD refused: it is 1 s older than what is held"


def test_a_key_refused_in_words_or_at_the_door_is_auth_for_an_hour(virtual: Any) -> None:
    for refusal in (Scripted(b"refused"), SocketError("handshake refused: HTTP 401", 401)):
        line = Line(virtual, refusal)
        feed, _ = told(virtual, line)
        virtual.run_for(3_000, feed.run)
        health = feed.health()
        assert health.state is FeedState.AUTH and len(line.opened_s) == 1
        assert SECRET not in health.detail and health.detail
        assert not virtual.run(feed.trial()).passed


def test_a_test_of_a_stream_waits_for_the_next_value(virtual: Any) -> None:
    async def script(line: Line) -> Any:
        feed, _ = told(virtual, line)
        running = asyncio.ensure_future(feed.run())
        try:
            return await feed.trial()
        finally:
            running.cancel()

    start = virtual.loop.time()
    good = virtual.run(script(Line(virtual, Scripted(b"0 100"))))
    assert good.passed and "A value came" in good.text
    down = virtual.run(script(Line(virtual)))
    assert not down.passed and "nobody there" in down.text
    silent = virtual.run(script(Line(virtual, Scripted())))
    assert not silent.passed and "nothing came for 20 s" in silent.text
    assert virtual.loop.time() - start < 60
