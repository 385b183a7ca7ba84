"""What a venue publishes on the connection its orders are watched on: no connection of its own.

The venue's client hands values over as they come; here they are judged and told like any other source's.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from core.domain.clock import Clocks
from core.domain.text import clean_text
from core.feeds.declaration import Declaration, Family
from core.feeds.feed import Feed, FeedHealth, FeedState, Stamp, Tried, within_hours
from core.feeds.hours import FX_WEEK, US_SESSION
from core.feeds.pairs import PAIRS
from core.feeds.quotes import Average, Quote
from core.feeds.recording import Recorded, Recorder, unrecorded
from core.feeds.sanity import price_fault, time_fault
from core.feeds.values import Sink
from core.feeds.wiring import Wiring
from core.venues.published import Mean, Published

TRIAL_S = 10.0
VALUE_MAX = 1e12
INDICES = Declaration(
    name="kalshi-indices",
    label="CFB",
    family=Family.MARKETS,
    gives="CF Benchmarks indices with their 60-second averages, from Kalshi",
    urls={},
    every_s=0,
    stale_after_s=3,
)
PYTH = Declaration(
    name="kalshi-pyth",
    label="PYTH",
    family=Family.FOREX,
    gives="Pyth's prices of pairs, gold and the ten-year yield, from Kalshi",
    urls={},
    every_s=0,
    stale_after_s=5,
    off="Kalshi charges for it: it wants an entitlement of your account.",
    offers=("EUR/USD", "GBP/USD", "USD/JPY", "XAU/USD", "US10Y"),
)
FOLLOWED = {INDICES.name: ("BRTI", "ETHUSD_RTI"), PYTH.name: ("EUR/USD", "USD/JPY")}
"""What is asked of each where nothing else is configured."""
_HOURS = {"US10Y": US_SESSION} | dict.fromkeys(("EUR/USD", "GBP/USD", "USD/JPY", "XAU/USD"), FX_WEEK)
"""When what does not always trade does: off its hours no new value is due."""


Ask = Callable[[str], Awaitable[None]]


async def _ask_nobody(source: str) -> None:
    """Where no connection is open yet, its own subscription is the question."""


class PublishedFeed:
    """Fulfils ``Feed`` for one publication."""

    def __init__(
        self,
        declaration: Declaration,
        names: tuple[str, ...],
        clocks: Clocks,
        sink: Sink,
        record: Recorder = unrecorded,
    ) -> None:
        self.name, self.source = declaration.label, declaration.name
        self._of, self._names = declaration, names
        self._clocks, self._sink, self._record = clocks, sink, record
        self._newest: dict[str, int] = {}
        self._averaged: dict[str, int] = {}
        """Event times of the newest values, and of those that came with averages."""
        self._fault, self._refusal, self._last = "", "", ""
        self._received_ns: int | None = None
        self._latency_ms: int | None = None
        self._told = asyncio.Event()
        self._listed: tuple[str, ...] = ()
        self.ask: Ask = _ask_nobody
        """Asks the venue on its connection what it publishes; ``offer`` and ``refuse`` are told."""

    async def run(self) -> None:
        """The venue's client does the work."""
        await asyncio.Event().wait()

    async def trial(self) -> Tried:
        """Ask what the venue publishes, and wait for its next value or for it to refuse."""
        self._told.clear()
        self._listed = ()
        came = False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TRIAL_S):
                await self.ask(self.source)
                came = await self._told.wait()
        if self._refusal:
            return Tried(False, f"Nothing came: {self._refusal}. {self._of.off}".rstrip())
        if not came:
            return self._silent()
        said = f"{self._last} came on the venue's connection, {self._latency_ms} ms old."
        return Tried(True, f"{said} {self._offered()}".rstrip())

    def _silent(self) -> Tried:
        """Of a test in which the venue told no value."""
        rests, why = self._rests(self._clocks.world_ms()), self._fault
        if rests:
            why = why or "what it tells of does not trade now"
        elif not self._listed:
            why = why or "the account's connection is down, or there is none"
        said = f"Nothing came within {TRIAL_S:g} s{why and f': {why}'}. {self._offered()}".rstrip()
        return Tried(rests and bool(self._listed), said)

    def _offered(self) -> str:
        """What the venue lists of what is followed; empty where it has listed nothing."""
        if not self._listed:
            return ""
        missing = [name for name in self._names if name not in self._listed]
        lacks = f"{', '.join(missing)} not among them" if missing else "all that is followed among them"
        return f"The venue lists {len(self._listed)} names, {lacks}."

    def offer(self, names: tuple[str, ...]) -> None:
        """What the venue publishes, as it was asked."""
        self._listed = names

    def keep(self, channel: str, frame: bytes) -> None:
        """One of its messages as it came, before it is judged."""
        at = self._clocks
        self._record(Recorded(self.source, channel, 0, {}, at.wall_ms(), at.mono_ns(), at.world_ms(), frame))

    def hear(self, value: Published) -> None:
        """Judge one value and tell it with its averages.

        Where values between the seconds come on a channel of their own, that of a second may be overtaken by
        one of those: its averages are news all the same.
        """
        self._received_ns, self._refusal = self._clocks.mono_ns(), ""
        name, event_ms, world_ms = value.name, value.at_ms, self._clocks.world_ms()
        if name not in self._names:
            self._fault = "a value of something that nobody asked for"
            return
        averaged = value.last_minute is not None or value.settling is not None
        held_ms = (self._averaged if averaged else self._newest).get(name)
        fault = time_fault(event_ms, held_ms, world_ms) or _price_fault(value)
        self._fault = f"{name} refused: {fault}" if fault else ""
        if fault:
            return
        stamp = Stamp(event_ms, self._clocks.wall_ms(), self._received_ns)
        limit_s, source = self._of.stale_after_s, self.source
        if event_ms >= self._newest.get(name, event_ms):
            self._newest[name] = event_ms
            self._latency_ms = max(0, self._clocks.world.real_ms(world_ms - event_ms))
            self._last = f"{name} {value.value:.10g}"
            self._sink(Quote(name, source, value.value, None, None, stamp, limit_s))
        if averaged:
            self._averaged[name] = event_ms
        for of, mean in ((last_minute(name), value.last_minute), (name, value.settling)):
            if mean is not None and 0 < mean.value < VALUE_MAX:
                self._sink(self._average(of, mean, stamp))
        self._told.set()

    def refuse(self, why: str) -> None:
        """The venue does not publish it to this account."""
        self.cut(f"the venue refuses it: {why}")

    def cut(self, why: str) -> None:
        """Nothing comes of it, until something does."""
        self._refusal = clean_text(why, 160)
        self._told.set()

    def health(self) -> FeedHealth:
        world_ms, limit_ms = self._clocks.world_ms(), self._of.stale_after_s * 1000
        missing = [name for name in self._names if name not in self._newest]
        stale = [
            f"{name} {(world_ms - at) // 1000}s old"
            for name, at in self._newest.items()
            if world_ms - at - (_HOURS[name].rest_ms(at, world_ms) if name in _HOURS else 0) > limit_ms
        ]
        if self._refusal:
            state = FeedState.DOWN
        elif not self._newest:
            state = FeedState.CLOSED if self._rests(world_ms) else FeedState.WAITING
        else:
            state = FeedState.STALE if stale else FeedState.OK
        newest_ms = min(self._newest.values(), default=None)
        if state is FeedState.OK:
            state, newest_ms = within_hours(tuple(self._newest.values()), world_ms, self._of.stale_after_s)
        waiting = [f"waiting for {', '.join(missing)}"] if missing else []
        details = [self._refusal, self._fault, *stale, *waiting]
        return FeedHealth(
            name=self.name,
            state=state,
            newest_event_ms=newest_ms,
            received_ns=self._received_ns,
            stale_after_s=self._of.stale_after_s,
            detail=next((detail for detail in details if detail), ""),
            source=self.source,
            family=self._of.family.value,
            latency_ms=self._latency_ms,
        )

    def _rests(self, world_ms: int) -> bool:
        """Whether nothing it is to tell of trades."""
        hours = [_HOURS.get(name) for name in self._names]
        return bool(hours) and all(each is not None and not each.is_open(world_ms) for each in hours)

    def _average(self, name: str, mean: Mean, stamp: Stamp) -> Average:
        return Average(
            name, self.source, mean.value, mean.seconds, mean.of, mean.ends_ms, stamp,
            self._of.stale_after_s,
        )  # fmt: skip


def _price_fault(value: Published) -> str:
    if not 0 < value.value < VALUE_MAX:
        return "it is no price"
    pair = PAIRS.get(value.name)
    return price_fault(value.value, pair, None) if pair is not None else ""


def last_minute(name: str) -> str:
    """What the mean of an index's last 60 seconds is called; the one that settles bears the index's name."""
    return f"{name} 60s"


def feed(wiring: Wiring) -> Feed:
    names = wiring.follows or FOLLOWED[wiring.of.name]
    at = wiring.shared
    return PublishedFeed(wiring.of, names, at.clocks, at.sink, at.record)
