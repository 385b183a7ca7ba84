"""One whole desk on virtual time: the unmodified engine, a fake venue, a fake feed, a journal in memory."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from core.config.settings import EngineSettings, Settings
from core.domain.clock import REAL_WORLD, Clocks, WorldClock
from core.domain.market import CENT_GRID, Extreme, FeeSchedule, FeeType, Market, Strike, StrikeKind, Venue
from core.domain.order import Order
from core.engine.arming import Arming
from core.engine.desk import Desk
from core.engine.engine import Engine, Ports
from core.engine.operator import Actor, ActorKind, Outcome
from core.engine.seat import Seat
from core.engine.state import WatchdogSeen
from core.execution.proposals import Proposal
from core.feeds.feed import Feed, FeedHealth, FeedState, Stamp, Tried
from core.feeds.stations import HOUR_MS, climate_day_bounds, stations
from core.feeds.values import GridForecast, ModelForecast, Sink
from core.journal.events import Row
from core.journal.store import MemoryJournal
from core.models.calibration import Judge
from core.risk.limits import DEFAULTS, Limits
from core.risk.releases import Affected
from core.venues.venue import VenueGateway, VenueListener
from tests.execution.fake_venue import FakeVenue
from tests.virtual import VirtualClock, VirtualLoop, trusted

DAY = "2026-11-23"
START_MS, END_MS = climate_day_bounds(stations()["KNYC"], DAY)
EVENT = "KXHIGHNY-26NOV23"
HOT = f"{EVENT}-3"
"""48-49F, worth about 46 cents with a forecast of 48F."""
WARM = f"{EVENT}-2"
TRADER = Actor(ActorKind.CONSOLE, 4711, 1000, "s1", controls=True)
VIEWER = Actor(ActorKind.CONSOLE, 4712, 1000, "s2")
CLI = Actor(ActorKind.CLI, 4713, 1000)
WAIT_S = 30.0


def ladder(lowest_cap: int = 44) -> tuple[Market, ...]:
    """Six brackets of one New York day."""
    strikes = [Strike(StrikeKind.LESS, cap=lowest_cap)]
    strikes += [Strike(StrikeKind.BETWEEN, lowest_cap + 2 * i, lowest_cap + 2 * i + 1) for i in range(4)]
    strikes += [Strike(StrikeKind.GREATER, floor=lowest_cap + 7)]
    return tuple(
        Market(
            venue=Venue.KALSHI,
            ticker=f"{EVENT}-{i}",
            event_ticker=EVENT,
            series_ticker="KXHIGHNY",
            label=f"NYC hi Nov23 {i}",
            title="",
            strike=strike,
            grid=CENT_GRID,
            fees=FeeSchedule(FeeType.QUADRATIC),
            open_ms=START_MS - 15 * HOUR_MS,
            close_ms=END_MS,
            exclusive=True,
            station="KNYC",
            climate_day=DAY,
            extreme=Extreme.HIGH,
            rules_hash="r1",
        )
        for i, strike in enumerate(strikes)
    )


@dataclass
class FakeFeed:
    """Hands on one forecast at the start, then whatever a test tells it."""

    sink: Sink
    clock: VirtualClock
    name: str = "METEO"
    state: FeedState = FeedState.WAITING

    async def run(self) -> None:
        self.forecast(48.0)
        self.state = FeedState.OK
        await asyncio.Event().wait()

    def forecast(self, high: float, issued_ms: int | None = None, limit_s: int = 12 * 3600) -> None:
        """Both sources agree on tomorrow's high."""
        hourly = tuple((START_MS + h * HOUR_MS, high - abs(h - 14)) for h in range(24))
        issued = issued_ms if issued_ms is not None else self.clock.wall_ms()
        stamp = Stamp(issued, self.clock.wall_ms(), self.clock.mono_ns())
        self.sink(ModelForecast("KNYC", "gfs_seamless", hourly, {DAY: high}, stamp, limit_s))
        whole = tuple((at, round(f)) for at, f in hourly)
        self.sink(GridForecast("KNYC", {DAY: round(high)}, whole, stamp))

    async def trial(self) -> Tried:
        await asyncio.sleep(0.5)
        return Tried(True, "It answered.")

    def health(self) -> FeedHealth:
        at_ms, now_ns = self.clock.wall_ms(), self.clock.mono_ns()
        return FeedHealth(self.name, self.state, at_ms, now_ns, 12 * 3600, source="bench")


def only(desk: Desk) -> Seat:
    """The seat of a desk with one venue."""
    (seat,) = desk.seats.values()
    return seat


@dataclass
class Bench:
    """A running desk and its hands."""

    engine: Engine
    venue: FakeVenue
    clock: VirtualClock
    journal: MemoryJournal
    feed: FakeFeed = field(init=False)

    async def until(self, reached: Callable[[], bool], what: str, seconds: float = WAIT_S) -> None:
        """Let virtual time pass until something holds."""
        for _ in range(int(seconds / 0.01)):
            if reached():
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"not within {seconds} s: {what}")

    async def card(self, ticker: str = HOT, *, closes: bool = False, seconds: float = WAIT_S) -> Proposal:
        """The open card of a market once it can be approved."""

        def found() -> bool:
            card = self.engine.desk.approvals.of(ticker)
            return card is not None and card.verdict.passed and card.candidate.reduces_risk is closes

        await self.until(found, f"card for {ticker}", seconds)
        card = self.engine.desk.approvals.of(ticker)
        assert card is not None
        return card

    def approve(self, card: Proposal, actor: Actor = TRADER) -> Outcome:
        return self.engine.approve(card.id, card.fingerprint, self.clock.mono_ns(), actor)

    async def sent(self, ticker: str = HOT) -> Order:
        """Approve the market's card and return its order once the venue has answered or not."""
        card = await self.card(ticker)
        assert self.approve(card).accepted
        (client,) = self.engine.desk.ledger.of_proposal[card.id]
        await self.until(
            lambda: self.order(client).life.value not in ("INTENT", "SENDING"), "answer", seconds=10
        )
        return self.order(client)

    async def held(self, contracts: int, ticker: str = HOT) -> None:
        """Buy some YES through a card and have it filled."""
        order = await self.sent(ticker)
        self.venue.trade(order.order_id, contracts)
        await self.until(lambda: self.engine.desk.ledger.net(ticker) == contracts * 1_000_000, "fill")

    @property
    def seat(self) -> Seat:
        """Of the first venue."""
        return self.engine.desk.seats[Venue.KALSHI]

    def order(self, client: str) -> Order:
        return self.engine.desk.ledger.orders[client]

    def kinds(self) -> list[str]:
        return [row.kind for row in self.journal.rows]

    def quiet(self) -> None:
        """No edge anywhere: quotes around what the model says."""
        for ticker, state in self.engine.state.markets.items():
            if ticker not in self.venue.books:
                continue
            fair = state.fair.model_probability if state.fair is not None else 0.5
            cents = min(97, max(2, round(fair * 100)))
            self.venue.quote(ticker, cents - 1, cents + 1)


@contextlib.asynccontextmanager
async def running(
    loop: VirtualLoop,
    *,
    venue: FakeVenue | None = None,
    history: Sequence[Row] = (),
    settings: Settings | None = None,
    ceilings: Limits = DEFAULTS,
    attached: bool = True,
    ready: bool = True,
    journal: type[MemoryJournal] = MemoryJournal,
    seed: int = 1,
    start_halted: str = "",
    arming: Arming | None = None,
    run: str = "r1",
    watched: bool = False,
    struck: WatchdogSeen | None = None,
    beside: Callable[[VenueListener, VirtualClock], VenueGateway] | None = None,
    affected: Affected | None = None,
    judge: Judge | None = trusted,
    series: Sequence[str] = ("KXHIGHNY",),
    world: WorldClock = REAL_WORLD,
    more_feeds: Callable[[Sink, Clocks], Sequence[Feed]] = lambda _sink, _clocks: (),
) -> AsyncIterator[Bench]:
    """A desk that has started, with a console in control.

    ``venue`` continues an earlier exchange, ``beside`` makes a second one.
    """
    clock = VirtualClock(loop)
    made: list[FakeVenue] = []
    feeds: list[FakeFeed] = []

    def venue_of(listener: VenueListener) -> VenueGateway:
        found = venue if venue is not None else FakeVenue(listener, loop, clock, listed=ladder())
        found.listener = listener
        made.append(found)
        return found

    def feeds_of(sink: Sink) -> Sequence[Feed]:
        feeds.append(FakeFeed(sink, clock))
        return [*feeds, *more_feeds(sink, Clocks(clock, world))]

    venues: dict[Venue, Callable[[VenueListener], VenueGateway]] = {Venue.KALSHI: venue_of}
    if beside is not None:
        venues[Venue.POLYMARKET] = lambda listener: beside(listener, clock)
    log = journal(clock)
    engine = Engine(
        Ports(
            clocks=Clocks(clock, world),
            rng=random.Random(seed),
            log=log,
            history=history,
            run=run,
            venues=venues,
            feeds=feeds_of,
            series=dict.fromkeys(Venue, series),
            settings=settings or Settings(engine=EngineSettings(confirm_above=100)),
            ceilings=ceilings,
            judge=judge,
            affected=affected if affected is not None else {},
            profile="demo",
            world_id="w1",
            disk_free_mb=lambda: 10_000,
            memory_mb=lambda: 200,
            arms_itself=True,
            replay_offset_days=670,  # 2025-01-22, a day the shipped history knows
            start_halted=start_halted,
            watched=watched,
            struck=struck,
            arming=arming,
        )
    )
    bench = Bench(engine, made[0], clock, log)
    main = loop.create_task(engine.run(), name="engine")
    try:
        await asyncio.sleep(0.1)
        if attached:
            engine.controller_attached(TRADER)
        bench.feed = feeds[0]
        if ready:
            await bench.until(lambda: engine.state.ready, "ready")
            for ticker in [t for t in made[0].books if t in engine.state.markets]:
                made[0].quote(ticker, 40, 60)
            bench.quiet()
            made[0].quote(HOT, 38, 42)
            await asyncio.sleep(1.2)
        yield bench
    finally:
        main.cancel()
        await asyncio.wait([main])
        if not main.cancelled() and main.exception() is not None:
            raise main.exception()  # type: ignore[misc]
