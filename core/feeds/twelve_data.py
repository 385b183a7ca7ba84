"""Twelve Data: currency pairs on a stream, and by ``/quote`` those it does not tell of.

The free plan streams few symbols and refuses some without another word, so a pair on which nothing comes
for a minute in trading hours is asked for, no more often than lets the day's credits last the day.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import msgspec

from core.domain.clock import Clocks
from core.feeds.budget import Budget
from core.feeds.declaration import Declaration, Family, Key, KeyNeed, Per, Probe, Quota, Rides
from core.feeds.feed import Feed, FeedHealth, FeedState, Stamp, Tried, within_hours
from core.feeds.fetch import Body, Failed, Fetcher, NotModified
from core.feeds.hours import FX_WEEK
from core.feeds.pairs import PAIRS
from core.feeds.polling import REAL_INTERVAL_S_MIN, Polled, PolledFeed
from core.feeds.quotes import Quote
from core.feeds.sanity import price_fault, time_fault
from core.feeds.stations import DAY_MS
from core.feeds.streaming import Arrival, Heard
from core.feeds.twelve_data_wire import (
    HEARTBEAT,
    Nothing,
    Price,
    Refused,
    Subscribed,
    Unreadable,
    hear,
    read_error,
    read_quote,
    subscribe,
)
from core.feeds.values import Sink
from core.feeds.wiring import Wiring

HEARTBEAT_S = 10.0
SILENT_S = 60
"""World seconds of trading hours without a price after which a pair is asked for."""
LOOK_EVERY_S, ASK_EVERY_S = 10.0, 60.0
"""World seconds: how often silence is looked for, and at most a silent pair asked for."""
REFUSED_EVERY_S = 3_600.0
"""What the plan or the service does not have is asked for again this much later (real time)."""

DECLARATION = Declaration(
    name="twelve-data",
    label="TWELVE",
    family=Family.FOREX,
    gives="currency pairs as they are quoted",
    urls={"stream": "wss://ws.twelvedata.com/v1/quotes/price", "api": "https://api.twelvedata.com"},
    every_s=0,
    stale_after_s=30,
    closes=True,
    quotas=(Quota(8, Per.MINUTE, "credits"), Quota(800, Per.DAY, "credits")),
    key=KeyNeed(
        Rides.HEADER, "Authorization", "A free one is given out at twelvedata.com (plan Basic).", "apikey "
    ),
    off="Twelve Data wants a key of your own.",
    offers=tuple(PAIRS),
    probe=Probe("EUR/USD's quote", "/quote", params={"symbol": "EUR/USD"}, holds=b'"close"'),
)
_STREAM_KEY_HEADER = "X-TD-APIKEY"


class Board:
    """What is held of each pair, whichever way it came, and since when its stream has been silent."""

    def __init__(self, pairs: tuple[str, ...], limit_s: int, clocks: Clocks) -> None:
        self.pairs, self.limit_s = pairs, limit_s
        self.held: dict[str, Quote] = {}
        self.refused: set[str] = set()
        """Those the stream does not have, in its own words."""
        self._clocks = clocks
        self._heard_ms = dict.fromkeys(pairs, clocks.world_ms())
        self._silent_ms = max(SILENT_S, limit_s) * 1000

    def take(self, price: Price, stamp: Stamp) -> Quote | str | None:
        """Hold a price: a quote where it is news, a sentence where it is refused, None where neither."""
        held, now_ms = self.held.get(price.pair), self._clocks.world_ms()
        held_ms = held.stamp.event_ms if held is not None else None
        before = held.value if held is not None and price.at_ms - held.stamp.event_ms < DAY_MS else None
        fault = time_fault(price.at_ms, held_ms, now_ms)
        fault = fault or price_fault(price.value, PAIRS[price.pair], before)
        for side in (price.bid, price.ask):  # the mid of half a book is no price
            fault = fault or (price_fault(side, PAIRS[price.pair], price.value) if side is not None else "")
        if fault:
            return f"{price.pair} refused: {fault}"
        quote = Quote(price.pair, DECLARATION.name, price.value, price.bid, price.ask, stamp, self.limit_s)
        if held is not None and _said(held) == _said(quote):
            return None
        self.held[price.pair] = quote
        return quote

    def heard(self, pair: str) -> None:
        """The stream has told something new of it."""
        self._heard_ms[pair] = self._clocks.world_ms()
        self.refused.discard(pair)

    def silent(self) -> list[str]:
        """The pairs the stream does not tell of, while they trade."""
        now_ms = self._clocks.world_ms()
        if not FX_WEEK.is_open(now_ms):
            return []
        heard = {pair: at + FX_WEEK.rest_ms(at, now_ms) for pair, at in self._heard_ms.items()}
        return [p for p in self.pairs if p in self.refused or now_ms - heard[p] > self._silent_ms]

    def age_limit_s(self, pair: str) -> int:
        """The limit of its age: the hours in which nothing trades do not count."""
        held, now_ms = self.held.get(pair), self._clocks.world_ms()
        closed_ms = FX_WEEK.rest_ms(held.stamp.event_ms, now_ms) if held is not None else 0
        return self.limit_s + closed_ms // 1000


def _said(quote: Quote) -> tuple[int, float, float | None, float | None]:
    return quote.stamp.event_ms, quote.value, quote.bid, quote.ask


class PriceDialogue:
    """The stream. Its key goes in a header; the address would be written to logs along the way."""

    silent_s = 3 * HEARTBEAT_S
    beat_s = HEARTBEAT_S

    def __init__(self, url: str, key: Key | None, board: Board) -> None:
        self.names = board.pairs
        self._url, self._key, self._board = url, key, board

    def address(self) -> tuple[str, Mapping[str, str]]:
        return self._url, {_STREAM_KEY_HEADER: self._key.text} if self._key is not None else {}

    def greet(self) -> tuple[bytes, ...]:
        self._board.refused.clear()
        return (subscribe(self.names),)

    def over(self, name: str, world_ms: int) -> bool:
        return False

    def beat(self) -> bytes:
        return HEARTBEAT

    def hear(self, data: bytes, at: Arrival) -> Heard:
        match hear(data):
            case Price() as price:
                return self._price(price, at)
            case Subscribed(refused=refused, why=why):
                self._board.refused.update(pair for pair in refused if pair in self.names)
                return Heard(
                    fault=f"the stream refuses {', '.join(refused)}: {why}" if refused and why else ""
                )
            case Refused(code=code, why=why):
                return Heard(fault=f"error {code}: {why}", ends=True, key_refused=code == 401)
            case Unreadable(why=why):
                return Heard(fault=why)
            case Nothing():
                return Heard()

    def _price(self, price: Price, at: Arrival) -> Heard:
        if price.pair not in self.names:
            return Heard(fault="a price of something that nobody asked for")
        taken = self._board.take(price, at.stamp(price.at_ms))
        if isinstance(taken, str):
            return Heard(fault=taken)
        if taken is None:
            return Heard()
        self._board.heard(price.pair)
        return Heard((taken,))


class QuoteSource:
    """One pair by ``/quote``, while the stream does not tell of it."""

    def __init__(self, pair: str, board: Board, fetcher: Fetcher, wiring: Wiring) -> None:
        self.key = pair
        self._board, self._fetcher = board, fetcher
        self._budget: Budget = wiring.budget
        self._clocks: Clocks = wiring.shared.clocks
        self._sink: Sink = wiring.shared.sink

    @property
    def newest_ms(self) -> int | None:
        held = self._board.held.get(self.key)
        return held.stamp.event_ms if held is not None else None

    @property
    def stale_after_s(self) -> int:
        return self._board.age_limit_s(self.key)

    async def poll(self) -> Polled | Failed:
        """Wait until it must be, then ask."""
        while self.key not in (silent := self._board.silent()):  # noqa: ASYNC110 - it comes with the time
            await asyncio.sleep(max(REAL_INTERVAL_S_MIN, self._clocks.world.real_seconds(LOOK_EVERY_S)))
        answer = await self._fetcher.get("/quote", {"symbol": self.key})
        if isinstance(answer, NotModified):
            return Failed("not modified, though nothing was held", 304)
        if isinstance(answer, Failed):
            refused = read_error(Body(answer.body, 0, 0))
            return self._explained(refused) if refused is not None else answer
        price = read_quote(answer, self.key)
        if isinstance(price, Refused):
            return self._explained(price)
        if isinstance(price, Failed):
            return price
        taken = self._board.take(price, answer.stamp(price.at_ms))
        if isinstance(taken, str):
            return Failed(taken, 200)
        if taken is not None:
            self._sink(taken)
        again_in_s = self._pace_s(len(silent))
        return Polled(answer.received_ns, taken is not None, again_in_s, answer.latency_ms)

    def _pace_s(self, asking: int) -> float:
        """So that what is left of the day's credits lasts the day, whoever else is asking."""
        now_ms = self._clocks.world_ms()
        spread = [
            asking * (left.whole_ms - now_ms) / 1000 / max(1, left.left)
            for left in self._budget.left()
            if left.quota.per is Per.DAY
        ]
        return max(ASK_EVERY_S, *spread)

    def _explained(self, refused: Refused) -> Failed:
        if refused.code == 401:
            return Failed(refused.why, 401, key_refused=True)
        if refused.code == 429:
            self._budget.told(Per.DAY if refused.of_the_day else Per.MINUTE, 0)
            wait_s = self._clocks.world.real_seconds(self._budget.wait_s())
            return Failed(f"the credits are spent: {refused.why}", 429, wait_s, spent=True)
        later_s = REFUSED_EVERY_S if refused.code in (400, 403, 404) else None
        return Failed(f"error {refused.code}: {refused.why}", refused.code, later_s)


class TwelveData:
    """Fulfils ``Feed`` by both ways at once."""

    def __init__(self, wiring: Wiring) -> None:
        pairs = wiring.follows or tuple(PAIRS)
        self.name = wiring.of.label
        self._of, self._clocks, self._budget = wiring.of, wiring.shared.clocks, wiring.budget
        board = self._board = Board(pairs, wiring.of.stale_after_s, self._clocks)
        self._stream = wiring.streamed(PriceDialogue(wiring.urls["stream"], wiring.key, board))
        fetcher = wiring.fetcher("api", "application/json")
        asking = msgspec.structs.replace(wiring, every_s=ASK_EVERY_S)
        # A feed each: one pair's wait for its turn must not hold up the other's question.
        self._asked: dict[str, PolledFeed] = {
            pair: asking.polled([QuoteSource(pair, board, fetcher, wiring)]) for pair in pairs
        }

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._stream.run(), name=f"feed {self.name} stream")
            for pair, asked in self._asked.items():
                group.create_task(asked.run(), name=f"feed {self.name} {pair}")

    async def trial(self) -> Tried:
        """The declaration's probe; how the stream is, where it is down."""
        found, stream = await next(iter(self._asked.values())).trial(), self._stream.health()
        down = stream.state in (FeedState.DOWN, FeedState.AUTH)
        return Tried(found.passed, f"{found.text} Its stream is down: {stream.detail}") if down else found

    def health(self) -> FeedHealth:
        """As good as what is held; in words first what is wrong with the stream, then with the rest."""
        stream, board, silent = self._stream.health(), self._board, self._board.silent()
        asked = [feed.health() for pair, feed in self._asked.items() if pair in silent]
        now_ms = self._clocks.world_ms()
        ages = {pair: (now_ms - quote.stamp.event_ms) // 1000 for pair, quote in board.held.items()}
        stale = [f"{pair} {age_s} s old" for pair, age_s in ages.items() if age_s > board.age_limit_s(pair)]
        states = {stream.state, *(health.state for health in asked)}
        if FeedState.AUTH in states:
            state = FeedState.AUTH
        elif len(ages) == len(board.pairs) and not stale:
            state = FeedState.OK
        elif FeedState.SPENT in states:
            state = FeedState.SPENT
        elif stream.state is FeedState.DOWN:
            state = FeedState.DOWN
        elif not stale and not FX_WEEK.is_open(now_ms):
            state = FeedState.CLOSED
        else:
            state = FeedState.STALE if ages else FeedState.WAITING
        newest_ms = min((quote.stamp.event_ms for quote in board.held.values()), default=None)
        limit_s = self._of.stale_after_s
        if state is FeedState.OK:
            times = [quote.stamp.event_ms for quote in board.held.values()]
            state, newest_ms = within_hours(times, now_ms, limit_s)
        details = [
            f"stream: {stream.detail}" if stream.state in (FeedState.DOWN, FeedState.AUTH) else "",
            *(health.detail for health in asked if health.retry_at_ns is not None),
            f"the stream is silent on {', '.join(silent)}: asked for instead" if silent else "",
            *stale,
            stream.detail,
        ]
        received = [h.received_ns for h in (stream, *asked) if h.received_ns is not None]
        latencies = [h.latency_ms for h in (stream, *asked) if h.latency_ms is not None]
        return FeedHealth(
            name=self.name,
            state=state,
            newest_event_ms=newest_ms,
            received_ns=max(received, default=None),
            stale_after_s=limit_s,
            retry_at_ns=stream.retry_at_ns,
            failures=stream.failures,
            detail=next((detail for detail in details if detail), ""),
            source=self._of.name,
            family=self._of.family.value,
            latency_ms=latencies[0] if latencies else None,
            budget=self._budget.left(),
        )


def feed(wiring: Wiring) -> Feed:
    """The pairs followed, or all that contracts exist on."""
    return TwelveData(wiring)
