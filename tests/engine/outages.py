"""Sources that fall silent, freeze and answer late beside a running desk, and the judge of what follows.

The judge keeps its own record of what was told and when, and asks nothing of the engine's ages.
"""

from __future__ import annotations

import asyncio
import enum
import math
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from core.domain.clock import Clocks, WorldClock
from core.domain.order import OrderIntent, Purpose
from core.domain.units import Price
from core.engine.trading import EVALUATE_S
from core.execution.proposals import STANDING
from core.feeds.deribit import DECLARATION as DERIBIT
from core.feeds.deribit import DeribitDialogue
from core.feeds.feed import Feed, Stamp
from core.feeds.published import INDICES, PublishedFeed
from core.feeds.quotes import Volatility
from core.feeds.stations import HOUR_MS
from core.feeds.streaming import Arrival, StreamedFeed
from core.feeds.values import (
    GRID_STALE_AFTER_S,
    OBSERVATION_STALE_AFTER_S,
    GridForecast,
    ModelForecast,
    Observation,
    Sink,
)
from core.journal.events import Event, Row
from core.journal.store import MemoryJournal
from core.venues.published import Published
from core.venues.socket import Socket, SocketError
from core.venues.venue import LastCheck, PlaceOutcome, Sealed
from tests.execution.bench import DAY, EVENT, HOT, START_MS, TRADER, Bench
from tests.virtual import START_WALL_MS, VirtualLoop

WORLD = WorldClock(START_WALL_MS, START_MS - 2 * HOUR_MS, 600.0)
"""Two hours before the day the markets are about, ten minutes of it a second."""
UNPRICED_S = EVALUATE_S + 0.01
"""So long after its limit an input may still stand in a fair value or a card that nobody uses."""
CANCELLED_S = EVALUATE_S + 0.25
"""So long an entry may rest then: an order on its way is answered first, and the cancel is."""
PRICED_S = 1.5
"""So long after everything is fresh again there is a price again."""
HIGH_F = 48.0
SPOT = 91_250.0
NAMED = re.compile(
    r"(?P<name>Open-Meteo|NWS|KNYC obs|BRTI|DVOL BTC)(?: \([a-z-]+\))? (?:is )?"
    r"(?P<age>\d+) (?P<unit>min|s) old, "
    r"limit (?P<limit>\d+) (?P=unit)"
)
NEVER = re.compile(rf"no observation of KNYC since {DAY} began (?P<age>\d+) min ago, limit 80 min")


class Way(enum.Enum):
    """How a source answers for a while."""

    WELL = "well"
    SILENT = "silent"
    FROZEN = "frozen"
    """The same again and again."""
    LATE = "late"
    """Something older than what it has told already."""


class Spell(NamedTuple):
    way: Way
    seconds: int
    """Of the world."""


Tell = Callable[[Stamp], None]


class Source(NamedTuple):
    """``tell`` hands the engine what it says of a time, with the stamp given."""

    name: str
    limit_s: int
    every_s: float
    tell: Tell
    late_ms: int = 300_000
    """So much behind its time it tells at the most."""


class Told(NamedTuple):
    """The event whose prices rest on the sources, and the market of it that is held."""

    event: str = EVENT
    hot: str = HOT
    world: WorldClock = WORLD
    pressed: float = 0.15
    """How often a look at the cards releases them."""


def sources(bench: Bench, model_limit_s: int) -> tuple[Source, ...]:
    """Everything a fair value of the day rests on, told at the engine's sink."""
    sink = bench.feed.sink
    hourly = tuple((START_MS + hour * HOUR_MS, HIGH_F - abs(hour - 14)) for hour in range(24))
    whole = tuple((at, round(degrees)) for at, degrees in hourly)

    def reading(stamp: Stamp) -> Observation:
        at = HIGH_F - abs((stamp.event_ms - START_MS) / HOUR_MS - 14)
        return Observation("KNYC", at, int(at), int(at), stamp)

    return (
        Source(
            "Open-Meteo",
            model_limit_s,
            900,
            lambda stamp: sink(
                ModelForecast("KNYC", "gfs_seamless", hourly, {DAY: HIGH_F}, stamp, model_limit_s)
            ),
        ),
        Source(
            "NWS",
            GRID_STALE_AFTER_S,
            1200,
            lambda stamp: sink(GridForecast("KNYC", {DAY: round(HIGH_F)}, whole, stamp)),
        ),
        Source("KNYC obs", OBSERVATION_STALE_AFTER_S, 600, lambda stamp: sink(reading(stamp))),
    )


class PushedFeeds:
    """The index as its venue publishes it, its volatility as a stream tells it: each judged by its source."""

    def made(self, sink: Sink, clocks: Clocks) -> list[Feed]:
        async def refuse(url: str, headers: Mapping[str, str]) -> Socket:
            raise SocketError("no network here")

        self._clocks = clocks
        self.index = PublishedFeed(INDICES, ("BRTI",), clocks, sink)
        dialogue = DeribitDialogue("ws://deribit", ("DVOL BTC",), DERIBIT.stale_after_s)
        self.volatility = StreamedFeed(DERIBIT, dialogue, refuse, clocks, random.Random(1), sink)
        return [self.index, self.volatility]

    def sources(self, bench: Bench) -> tuple[Source, ...]:
        def index(stamp: Stamp) -> None:
            value = SPOT + 40 * math.sin(stamp.event_ms / 9_000)
            bench.venue.listener.on_published(Published(INDICES.name, "BRTI", value, stamp.event_ms))

        def volatility(stamp: Stamp) -> None:
            at = Arrival(stamp.received_wall_ms, stamp.received_ns, self._clocks.world_ms())
            value = Volatility("DVOL BTC", DERIBIT.name, 45.0, 30, stamp, DERIBIT.stale_after_s)
            self.volatility.tell(value, at)

        return (
            Source("BRTI", INDICES.stale_after_s, 0.5, index, 200),
            Source("DVOL BTC", DERIBIT.stale_after_s, 2.0, volatility, 1_000),
        )


class HeardJournal(MemoryJournal):
    """Tells of every row."""

    heard: Callable[[Row], None] = staticmethod(lambda _row: None)

    def append(self, event: Event) -> int:
        seq = super().append(event)
        self.heard(self.rows[-1])
        return seq


DAILY = Told()


@dataclass
class Outages:
    """The sources, a hand that trades, and the judge. ``broken`` holds what was found."""

    loop: VirtualLoop
    bench: Bench
    sources: tuple[Source, ...]
    spells: tuple[tuple[Spell, ...], ...]
    """Of each source; afterwards it is well."""
    rng: random.Random
    met: Counter[str]
    told: Told = DAILY
    broken: list[str] = field(default_factory=list)
    _newest: dict[str, int] = field(default_factory=dict)
    """Event time of the newest that each source has told."""
    _ill_s: float | None = None
    """When something became too old, and when nothing was any more, in the loop's time."""
    _well_s: float | None = None
    _dead: bool = False
    _left: bool = False

    def __post_init__(self) -> None:
        self._clocks = Clocks(self.bench.clock, self.told.world)
        self._honest = self.bench.venue.place
        self.engine = self.bench.engine

    # --- what happens ----------------------------------------------------------------------------

    def tell_all(self) -> None:
        """Each source once, as of now."""
        for source in self.sources:
            self._tell(source, self._clocks.world_ms())

    def begin(self) -> list[asyncio.Task[None]]:
        """From here on the sources do as they will, somebody trades, and everything is judged."""
        self.bench.venue.place = self._place  # type: ignore[method-assign]
        assert isinstance(self.bench.journal, HeardJournal)
        self.bench.journal.heard = self._row
        self.loop.on_step = self._step
        ways = zip(self.sources, self.spells, strict=True)
        return [
            *(asyncio.ensure_future(self._source(*way)) for way in ways),
            asyncio.ensure_future(self._hand()),
        ]

    def leave_cards(self) -> None:
        """From here on cards stand that nobody decides on."""
        self.engine.set_mode("semi", "", "", TRADER)
        for client, order in list(self.engine.desk.ledger.live.items()):
            if order.intent.purpose is Purpose.OPEN:
                self.engine.cancel_order(client, TRADER)
        self._left = True

    def fall_silent(self) -> None:
        """A last word of every source, then none any more."""
        self.tell_all()
        self.leave_cards()
        self._dead = True

    def too_old(self) -> dict[str, int]:
        """The age in ms of each input that is beyond its limit."""
        now = self._clocks.world_ms()
        ages = {name: now - at for name, at in self._newest.items()}
        if now < START_MS:
            ages.pop("KNYC obs", None)
        elif self._newest.get("KNYC obs", START_MS) < START_MS:
            ages["KNYC obs"] = now - START_MS  # a reading of the day before counts no more
        limits = {source.name: source.limit_s * 1000 for source in self.sources}
        return {name: age for name, age in ages.items() if age > limits[name]}

    def _tell(self, source: Source, event_ms: int) -> None:
        stamp = Stamp(event_ms, self._clocks.wall_ms(), self._clocks.mono_ns())
        self._newest[source.name] = max(event_ms, self._newest.get(source.name, 0))
        source.tell(stamp)

    async def _source(self, source: Source, spells: tuple[Spell, ...]) -> None:
        ways = _ways(source, spells)
        while True:
            await asyncio.sleep(source.every_s / self.told.world.speed)
            now, way = self._clocks.world_ms(), Way.SILENT if self._dead else next(ways)
            newest = self._newest[source.name]
            match way:
                case Way.WELL:
                    self._tell(source, max(newest, now - self.rng.randrange(source.late_ms)))
                case Way.FROZEN:
                    self._tell(source, newest)
                case Way.LATE:
                    self._tell(source, newest - self.rng.randrange(1, 60 * source.late_ms))
                case Way.SILENT:
                    pass

    async def _hand(self) -> None:
        """Approves what it finds, and rests an exit while there is no price."""
        while True:
            await asyncio.sleep(self.rng.uniform(0.2, 1.5))
            self._quote()
            if self.rng.random() < self.told.pressed and not self._left:
                self._press()
            live = self.engine.desk.ledger.live_in(self.told.hot)
            if self.too_old() and not any(order.intent.purpose is Purpose.CLOSE for order in live):
                told = self.engine.rest_exit(self.told.hot, Price(9900), TRADER)
                self._expect(told.accepted, f"an exit was refused: {told.text}")
                self.met["exit"] += told.accepted

    def _quote(self) -> None:
        """Bids and asks a little under what the markets are worth."""
        for ticker, market in self.engine.state.markets.items():
            cents = round(market.fair.probability * 100) if market.fair is not None else 0
            if cents > 12:
                self.bench.venue.quote(ticker, cents - 8, cents - 4)

    def _press(self) -> None:
        for card in self.engine.desk.approvals.queue():
            told = self.bench.approve(card)
            if self.too_old():
                self._expect(not told.accepted, f"{card.id} was sent on {self.too_old()}")
                self._names(told.text)
                self.met["refusal"] += 1

    # --- the judge -------------------------------------------------------------------------------

    def _expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.broken.append(f"{self.loop.time():.3f}: {otherwise}")

    def _names(self, text: str) -> None:
        """What is said names something that is too old, how old that is, and its limit."""
        old = self.too_old()
        for found in NAMED.finditer(text):
            unit_ms = 60_000 if found["unit"] == "min" else 1000
            limit_s = next(source.limit_s for source in self.sources if source.name == found["name"])
            age_ms, limit = old.get(found["name"], 0), limit_s * 1000 // unit_ms
            if (int(found["age"]), int(found["limit"])) == (-(-age_ms // unit_ms), limit):
                return
        never = NEVER.search(text)
        if never is None or int(never["age"]) != -(-old.get("KNYC obs", 0) // 60_000):
            self.broken.append(f"{self.loop.time():.3f}: {text!r} while too old is {old}")

    def _row(self, row: Row) -> None:
        """What is written while something is too old says what."""
        if not self.too_old():
            return
        entry = self.engine.desk.ledger.live.get(row.order_id)
        cancels = entry is not None and entry.intent.purpose is Purpose.OPEN and row.kind == "CANCEL_SENT"
        cards = row.kind == "PROPOSAL_STATE" and ("WITHDRAWN" in row.payload or "EXPIRED" in row.payload)
        if cancels or cards:
            self.met[row.kind] += 1
            self._names(row.payload)
        elif row.kind == "CANCEL_SENT":
            self.broken.append(f"an exit is cancelled: {row.payload}")

    async def _place(self, intent: OrderIntent, sealed: Sealed, last_check: LastCheck) -> PlaceOutcome:
        def check() -> str | None:
            stopped, old = last_check(), self.too_old()
            if old and intent.purpose is Purpose.OPEN:
                self._expect(stopped is not None, f"an entry leaves on {old}")
            return stopped

        return await self._honest(intent, sealed, check)

    def _step(self) -> None:
        """Time may have passed: what still stands now?"""
        old, now = self.too_old(), self.loop.time()
        if not old:
            self._ill_s, self._well_s = None, self._well_s or now
            if now - self._well_s > PRICED_S:
                self._expect(
                    not self._state.refusal, f"no price while nothing is too old: {self._state.refusal}"
                )
            return
        if self._ill_s is None:
            self._ill_s = now
            self.loop.call_soon(self._press)  # the fastest hand there is
        self._well_s = None
        if now - self._ill_s > UNPRICED_S:
            self._judge_prices(old)
        if now - self._ill_s > CANCELLED_S:
            resting = [
                order.order_id
                for order in self.bench.venue.placed.values()
                if order.open and order.intent.purpose is Purpose.OPEN
            ]
            self._expect(not resting, f"{resting} rest on {old}")

    def _judge_prices(self, old: dict[str, int]) -> None:
        markets = self.engine.state.markets
        priced = [ticker for ticker in self._state.markets if markets[ticker].fair is not None]
        self._expect(not priced, f"{priced} have a price on {old}")
        self._expect(bool(self._state.refusal), f"no word of {old}")
        cards = [p.id for p in self.engine.desk.approvals.proposals.values() if p.state in STANDING]
        self._expect(not cards, f"{cards} stand on {old}")

    @property
    def _state(self):  # type: ignore[no-untyped-def]
        return self.engine.state.events[self.told.event]


def _ways(source: Source, spells: tuple[Spell, ...]) -> Iterator[Way]:
    """What it does at each of its turns."""
    for spell in spells:
        yield from [spell.way] * max(1, int(spell.seconds / source.every_s))
    while True:
        yield Way.WELL
