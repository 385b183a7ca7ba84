"""Yahoo's chart endpoint: last prices of pairs, indices and volatility, each with its own time; no key.

It is unofficial: no quota is published and nobody has permitted programs. So it is off until somebody
turns it on, asks one thing at a time, and says nothing for ten minutes after a 429. It goes by one name,
whatever the answer is: a block is a failure, never a reason to look like somebody else.
"""

from __future__ import annotations

import asyncio
from urllib.parse import quote as percent

import msgspec

from core.domain.clock import Clocks
from core.domain.text import clean_text
from core.feeds.declaration import Declaration, Family
from core.feeds.feed import Feed
from core.feeds.fetch import Body, Failed, Fetcher, NotModified, decode
from core.feeds.hours import FX_WEEK, US_SESSION, Hours
from core.feeds.pairs import PAIRS
from core.feeds.polling import Polled
from core.feeds.quotes import Quote
from core.feeds.sanity import Bounds, price_fault, time_fault
from core.feeds.stations import DAY_MS
from core.feeds.values import Sink
from core.feeds.wiring import Wiring

EVERY_S_MIN = 15.0
"""No symbol is asked for more often, after failures too; the service's edge holds answers for 10 s."""
SILENCE_S = 600.0
"""After a 429, for all symbols."""
CLOSED_EVERY_S = 900.0
UNKNOWN_EVERY_S = 3_600.0
"""A symbol the service does not know is looked for again this much later (real time)."""
_QUERY = {"interval": "1m", "range": "1d", "includePrePost": "true"}


class Listing(msgspec.Struct, frozen=True):
    """One thing by the service's name, with what its price may be and when it moves."""

    symbol: str
    currency: str
    bounds: Bounds
    hours: Hours = US_SESSION


LISTINGS = {
    "EUR/USD": Listing("EURUSD=X", "USD", PAIRS["EUR/USD"], FX_WEEK),
    "USD/JPY": Listing("JPY=X", "JPY", PAIRS["USD/JPY"], FX_WEEK),
    "SPX": Listing("^GSPC", "USD", Bounds(500.0, 50_000.0, 0.25)),
    "NDX": Listing("^NDX", "USD", Bounds(1_000.0, 250_000.0, 0.25)),
    "VIX": Listing("^VIX", "USD", Bounds(5.0, 250.0, 3.0)),
    "SPY": Listing("SPY", "USD", Bounds(50.0, 5_000.0, 0.25)),
}

DECLARATION = Declaration(
    name="yahoo",
    label="YAHOO",
    family=Family.FOREX,
    gives="last prices of two currency pairs, S&P 500, Nasdaq-100, VIX and SPY",
    urls={"api": "https://query1.finance.yahoo.com"},
    every_s=60,
    stale_after_s=120,
    closes=True,
    off="Yahoo publishes no terms for programs that read its charts.",
    offers=tuple(LISTINGS),
)


# --- the answer -----------------------------------------------------------------------------------


class Meta(msgspec.Struct, frozen=True, rename="camel"):
    """Times in Unix seconds. The bars beside it are not read: they have gaps, and times of their own."""

    symbol: str
    currency: str | None = None
    regular_market_price: float | None = None
    regular_market_time: int | None = None
    chart_previous_close: float | None = None


class Result(msgspec.Struct, frozen=True):
    meta: Meta


class Error(msgspec.Struct, frozen=True):
    description: str | None = None


class Chart(msgspec.Struct, frozen=True):
    result: tuple[Result, ...] | None = None
    error: Error | None = None


class Answer(msgspec.Struct, frozen=True):
    chart: Chart


class Reading(msgspec.Struct, frozen=True):
    """One answer."""

    value: float
    at_ms: int
    """Unix ms, of the price."""
    before: float | None
    """The close of the session before."""


def read(answer: Body, of: Listing) -> Reading | Failed:
    """What an answer says of ``of``. Another symbol or currency is refused."""
    found = decode(answer, Answer)
    if isinstance(found, Failed):
        return found
    if not found.chart.result:
        return Failed(_said(found.chart.error) or "the answer is empty", 200)
    meta = found.chart.result[0].meta
    if meta.symbol != of.symbol:
        return Failed(f"asked for {of.symbol}, it tells of {clean_text(meta.symbol, 20)!r}", 200)
    if meta.currency is not None and meta.currency != of.currency:
        return Failed(f"{of.symbol} is told in {clean_text(meta.currency, 10)!r}, not in {of.currency}", 200)
    if meta.regular_market_price is None or meta.regular_market_time is None:
        return Failed(f"{of.symbol} comes without a price or without its time", 200)
    before = meta.chart_previous_close
    return Reading(
        meta.regular_market_price,
        meta.regular_market_time * 1000,
        before if before is not None and not price_fault(before, of.bounds, None) else None,
    )


def _said(error: Error | None) -> str:
    return clean_text(error.description or "", 80) if error is not None else ""


# --- asking ---------------------------------------------------------------------------------------


class Manners:
    """One question at a time for all symbols, and none in the ten minutes after a 429."""

    def __init__(self, clocks: Clocks) -> None:
        self.turn = asyncio.Lock()
        self._clocks = clocks
        self._silent_until_ns = 0

    def silent_s(self) -> float:
        """Real seconds until something may be asked again."""
        return max(0, self._silent_until_ns - self._clocks.mono_ns()) / 1e9

    def throttled(self, wish_s: float | None) -> None:
        """The service answered 429, and may have said for how long (real seconds)."""
        silence_s = max(wish_s or 0.0, self._clocks.world.real_seconds(SILENCE_S))
        self._silent_until_ns = self._clocks.mono_ns() + int(silence_s * 1e9)


class ChartSource:
    """One symbol. ``key`` is the desk's name of it."""

    def __init__(
        self, name: str, every_s: float, limit_s: int, fetcher: Fetcher, clocks: Clocks, sink: Sink,
        manners: Manners,
    ) -> None:  # fmt: skip
        self.key = name
        self.newest_ms: int | None = None
        self._of, self._every_s, self._limit_s = LISTINGS[name], every_s, limit_s
        self._fetcher, self._clocks, self._sink, self._manners = fetcher, clocks, sink, manners
        self._held: Reading | None = None
        self._asked_ns: int | None = None

    @property
    def stale_after_s(self) -> int:
        """The limit counts the hours in which it trades."""
        now_ms = self._clocks.world_ms()
        return self._limit_s + self._of.hours.rest_ms(self.newest_ms or now_ms, now_ms) // 1000

    async def poll(self) -> Polled | Failed:
        """Ask, unless the service is not to be asked now."""
        await self._apart()
        async with self._manners.turn:
            silent_s = self._manners.silent_s()
            if silent_s > 0:
                why = f"it said 429 and is not asked for {silent_s:.0f} s"
                return Failed(why, 429, silent_s, spent=True)
            self._asked_ns = self._clocks.mono_ns()
            answer = await self._fetcher.get(f"/v8/finance/chart/{percent(self._of.symbol, safe='')}", _QUERY)
            if isinstance(answer, Failed) and answer.status == 429:
                self._manners.throttled(answer.retry_after_s)
                return Failed("HTTP 429: it is not asked for ten minutes", 429, self._manners.silent_s())
        return self._take(answer) if isinstance(answer, Body) else _explained(answer, self._of)

    def _take(self, answer: Body) -> Polled | Failed:
        reading = read(answer, self._of)
        if isinstance(reading, Failed):
            return reading
        now_ms, held, of = self._clocks.world_ms(), self._held, self._of
        before = held.value if held is not None and reading.at_ms - held.at_ms < DAY_MS else reading.before
        fault = time_fault(reading.at_ms, self.newest_ms, now_ms)
        fault = fault or price_fault(reading.value, of.bounds, before)
        if fault:
            return Failed(f"refused: {fault}", 200)
        changed = held is None or (reading.at_ms, reading.value) != (held.at_ms, held.value)
        self._held, self.newest_ms = reading, reading.at_ms
        if changed:
            stamp = answer.stamp(reading.at_ms)
            self._sink(Quote(self.key, DECLARATION.name, reading.value, None, None, stamp, self._limit_s))
        return Polled(answer.received_ns, changed, self._again_in_s(now_ms), answer.latency_ms)

    def _again_in_s(self, now_ms: int) -> float | None:
        """While nothing trades it is asked less often, and on time when it opens."""
        if self._of.hours.is_open(now_ms):
            return None
        opens_s = (self._of.hours.next_turn_ms(now_ms) - now_ms) / 1000
        return max(self._every_s, min(CLOSED_EVERY_S, opens_s))

    async def _apart(self) -> None:
        """No sooner than the service bears, whatever became of the last question."""
        if self._asked_ns is None:
            return
        waited_s = (self._clocks.mono_ns() - self._asked_ns) / 1e9
        await asyncio.sleep(max(0.0, self._clocks.world.real_seconds(EVERY_S_MIN) - waited_s))


def _explained(answer: NotModified | Failed, of: Listing) -> Failed:
    if isinstance(answer, NotModified):
        return Failed("not modified, though nothing was held", 304)
    if answer.status == 404:
        told = decode(Body(answer.body, 0, 0), Answer)
        why = _said(told.chart.error) if isinstance(told, Answer) else ""
        return Failed(f"it knows no {of.symbol}{': ' + why if why else ''}", 404, UNKNOWN_EVERY_S)
    if answer.status in (301, 302, 303, 307, 308) or "text/html" in answer.reason:
        return Failed(f"{answer.reason}: a page for people, of consent or of a block", answer.status)
    return answer


def feed(wiring: Wiring) -> Feed:
    """A source for everything followed: all it has unless somebody chose."""
    at, of = wiring.shared, wiring.of
    manners = Manners(at.clocks)
    fetcher = wiring.fetcher("api", "application/json")
    sources = [
        ChartSource(name, wiring.every_s, of.stale_after_s, fetcher, at.clocks, at.sink, manners)
        for name in wiring.follows or tuple(LISTINGS)
    ]
    return wiring.polled(sources)
