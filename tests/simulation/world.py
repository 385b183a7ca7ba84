"""One virtual world: an unmodified engine, its journal, the network, the venue and everybody in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from core.config.paths import Environment
from core.config.settings import EngineSettings, Settings, StrategySettings
from core.domain.clock import REAL_WORLD, Clocks
from core.domain.market import Venue
from core.domain.units import Money, Price
from core.engine.arming import Arming, Examination
from core.engine.engine import Engine, Ports
from core.engine.facts import stale
from core.engine.others import own, without
from core.engine.seat import Seat
from core.execution.points import Point
from core.journal.events import Row
from core.models.pooling import unreadable
from core.risk.limits import DEFAULTS, Limits
from core.sim.plan import Plan
from core.venues.kalshi.hosts import Addresses
from core.venues.kalshi.venue import KalshiConfig, connect
from core.venues.venue import VenueGateway, VenueListener
from tests.simulation.acts import Acts
from tests.simulation.chance import Chance
from tests.simulation.crowd import Crowd
from tests.simulation.forecasts import Forecasts
from tests.simulation.kills import Kill, Reaper
from tests.simulation.log import PowerCutLog
from tests.simulation.oracle import Oracle
from tests.simulation.outage import Silence
from tests.simulation.polymarket.pit import Pit
from tests.simulation.polymarket.site import EVENTS
from tests.simulation.site import SERIES, FixedSignature, Site
from tests.simulation.truth import Truth
from tests.simulation.violation import ViolationError
from tests.simulation.whims import Whims
from tests.simulation.wire import Lines
from tests.virtual import VirtualClock, VirtualLoop, trusted

REPLAY_OFFSET_DAYS = 670
"""To a winter the shipped climate history knows."""

ARMED_EVERY, ARM_PHRASE = 5, "arm virtual 0000"
GRACE_MS = 5_000
"""Faults begin so long after the start: a desk that never comes up proves little."""

PAUSES_S = (0.1, 1.0, 5.0, 20.0)
"""How long no engine runs between two lives."""

ADDRESSES = Addresses("http://127.0.0.1:1/trade-api/v2", "ws://127.0.0.1:1/trade-api/ws/v2")

WIDE = Money(10**15)
LIMITS: Limits = msgspec.structs.replace(
    DEFAULTS,
    order_contracts_max=10**12, order_cost_max=WIDE, order_median_max=10**6, depth_share_max=10**6,
    collar_book=Price(10_000), collar_model=Price(10_000), edge_min=Price(-10_000), edge_max=Price(10_000),
    market_loss_max=WIDE, event_loss_max=WIDE, venue_loss_max=WIDE, total_loss_max=WIDE,
    correlated_loss_max=WIDE, open_orders_market_max=1000, open_orders_total_max=1000,
    rate_second_max=1000, rate_minute_max=10**5, rate_hour_max=10**6, repeat_hour_max=10**6,
    velocity_15s_max=WIDE, velocity_5min_max=WIDE, day_loss_max=WIDE, loss_row_max=10**6, loss_hour_max=10**6,
    drawdown_max=10**6, rejects_max=10**6, unknowns_max=10**6,
)  # fmt: skip
"""So wide that nothing but the state of things denies an order: bounds have tests of their own."""
TRIPS_EVERY = 20
TRIPPING = msgspec.structs.replace(
    LIMITS,
    repeat_hour_max=4 * DEFAULTS.repeat_hour_max,
    loss_row_max=DEFAULTS.loss_row_max,
    loss_hour_max=DEFAULTS.loss_hour_max,
)
"""Every twentieth seed's desk switches off what happens too often, and a hand switches it on again."""

SURPRISED = "where the model expects"
"""What the halt for results that the model all but excludes says."""

SETTINGS = Settings(engine=EngineSettings(confirm_above=Decimal(100), unattended_max_s=60))
PLANS_EVERY = 9
WITH_PLANS = msgspec.structs.replace(SETTINGS, strategy=StrategySettings(arbitrage=True))
"""Every ninth seed's desk also takes sets of orders: the crowd's quotes of exclusive markets know nothing of
one another, so that there always are some."""


@dataclass
class Desk:
    """One life of the engine, from its start to its death or orderly end."""

    engine: Engine
    log: PowerCutLog
    lines: tuple[Lines, ...]
    """Of each venue."""
    main: asyncio.Task[None]


class World:
    """Everything of one seed. ``desk`` is None while no engine runs."""

    def __init__(
        self,
        loop: VirtualLoop,
        chance: Chance,
        plan: Plan,
        kills: tuple[Kill, ...] = (),
        beside: Plan | None = None,
    ) -> None:
        """``beside``: the faults of a second venue, where there is one."""
        self.loop, self.chance, self.plan = loop, chance, plan
        self.clock = VirtualClock(loop)
        self.began_ms = self.clock.wall_ms() + GRACE_MS
        self.site = Site(chance, self.clock)
        self.truth = Truth(self.site.exchange)
        self.oracle = Oracle(self.truth, loop)
        self.crowd = Crowd(self.site, chance.stream("traders"), greed=0.2, unrest=0.05)
        self.acts = Acts(self.site, self.crowd, self.truth, chance.stream("acts"), loop)
        self.whims = Whims(self.site, self.truth, chance.stream("whims"), loop)
        self.pit = (
            Pit(loop, self.clock, chance, beside, self.truth, self.oracle.judge)
            if beside is not None
            else None
        )
        self.reaper = Reaper(kills, self._die)
        self.settings = SETTINGS if chance.seed % PLANS_EVERY else WITH_PLANS
        self.desk: Desk | None = None
        self.over = False
        self.closes = False
        """The next orderly end is the run's own: nobody starts the engine again."""
        self.lives = 0
        self.excused_ms: dict[Venue, list[int]] = {venue: [] for venue in Venue}
        """When the desk held entries back from a venue for a reason that is not the other one's silence."""
        self._rows: list[Row] = []
        self._wide = self._limits = LIMITS if chance.seed % TRIPS_EVERY else TRIPPING
        self._disk = chance.stream("disk")
        self._latency = chance.stream("latency")
        self._deaths = chance.stream("deaths")

    # --- the desk's lives ---------------------------------------------------------------------

    def start(self) -> Desk:
        """Start an engine on the journal as the last one left it."""
        self.lives += 1
        run, self._limits = f"r{self.lives}", self._ceilings()
        history = list(self._rows)
        log = PowerCutLog(
            self.clock,
            run,
            history,
            self._disk,
            lambda: 0.0005 + 0.002 * self._disk.random(),
            self._durable,
            self._on_row,
            self.reaper.reach,
        )
        lines = Lines(
            self.site, self.plan, self.oracle, self._latency, self.loop, self.began_ms, self.reaper.reach
        )
        clocks = Clocks(self.clock, REAL_WORLD)
        config = KalshiConfig(ADDRESSES, Environment.SIM, FixedSignature())
        venues: dict[Venue, Callable[[VenueListener], VenueGateway]] = {
            Venue.KALSHI: lambda listener: connect(
                config,
                clocks=clocks,
                rng=self.chance.stream(f"jitter {run}"),
                listener=listener,
                http_factory=lines.transport,
                ws_factory=lines.socket,
            )
        }
        every = [lines]
        if self.pit is not None:
            every.append(self.pit.lines(self.began_ms, self.reaper.reach))
            rng = self.chance.stream(f"polymarket jitter {run}")
            venues[Venue.POLYMARKET] = self.pit.venue(every[1], clocks, rng)
        engine = Engine(
            Ports(
                clocks=clocks,
                rng=self.chance.stream(f"ids {run}"),
                log=log,
                history=history,
                run=run,
                venues=venues,
                feeds=lambda sink: [Forecasts(sink, self.clock, self.chance.stream(f"forecasts {run}"))],
                series={Venue.KALSHI: (SERIES,), Venue.POLYMARKET: EVENTS},
                settings=self.settings,
                judge=trusted,
                ceilings=self._limits,
                arming=self._arming(),
                profile="demo",
                world_id="virtual",
                disk_free_mb=lambda: 10_000,
                memory_mb=lambda: 100,
                arms_itself=True,
                replay_offset_days=REPLAY_OFFSET_DAYS,
                reach=self.reaper.reach,
            )
        )
        main = self.loop.create_task(engine.run(), name=f"engine {run}")
        self.desk = Desk(engine, log, tuple(every), main)
        main.add_done_callback(self._ended)
        self.oracle.attach(engine)
        if self.pit is not None:
            self.pit.oracle.attach(engine)
        return self.desk

    def _arming(self) -> Arming | None:
        """Every fifth seed's desk has to be armed, as with real money."""
        if self.chance.seed % ARMED_EVERY:
            return None
        digest = self._limits.digest()
        return Arming(
            ARM_PHRASE,
            "code",
            "key",
            lambda: Examination(self.clock.wall_ms(), "code", digest, "key", ()),
            "pmconsole doctor",
        )

    def _ceilings(self) -> Limits:
        """Now and then the file has changed while the engine was down."""
        changed = self.lives > 1 and self._deaths.random() < 0.2
        return msgspec.structs.replace(self._wide, edge_max=Price(9_000)) if changed else self._wide

    async def end(self) -> None:
        """The run is over: the process goes."""
        desk = self.desk
        if desk is not None:
            self.oracle.compare_replay(desk.log.rows)
            self._drop(desk)
            await asyncio.wait([desk.main])

    def _die(self, point: Point) -> None:
        """The process dies at a point; whoever supervises it starts another one in a while."""
        desk = self.desk
        if desk is None:
            return
        self.truth.note(f"killed at {point.value}")
        self._drop(desk)
        self.loop.call_later(self._deaths.choice(PAUSES_S), self._start_again, desk)

    def _ended(self, main: asyncio.Task[None]) -> None:
        """The engine has ended by itself, because it was told to: it is started again in a while."""
        desk = self.desk
        if desk is None or desk.main is not main or self.closes:
            return
        main.result()
        self.truth.note("the engine has ended")
        self.oracle.compare_replay(desk.log.rows)
        desk.log.close()
        if self.desk is not desk:
            return  # it died over its last rows
        self._drop(desk)
        self.loop.call_later(self._deaths.choice(PAUSES_S), self._start_again, desk)

    def _start_again(self, dead: Desk) -> None:
        if not self.over:
            assert dead.main.done(), "a dead engine does not end"
            self.start()

    def _drop(self, desk: Desk) -> None:
        """Between two instructions: nothing of the process acts, writes or sends any more."""
        self.oracle.detach()
        if self.pit is not None:
            self.pit.oracle.detach()
        desk.log.cut()
        for lines in desk.lines:
            lines.cut()
        desk.main.cancel()
        self._rows = desk.log.rows
        self.desk = None

    # --- what the judges hear and say -----------------------------------------------------------

    def _durable(self, row: Row) -> None:
        self.truth.durable(row)
        if self.pit is not None:
            self.pit.oracle.durable(row)

    def _on_row(self, row: Row) -> None:
        self.oracle.on_row(row)
        if self.pit is not None:
            self.pit.oracle.on_row(row)

    def order_id(self, client: str) -> str:
        """A venue's id of one of our orders as a person finds it on its page; empty where it has none."""
        if self.pit is not None and client in self.pit.truth.orders:
            return self.pit.truth.orders[client].order_id
        return self.truth.order_id(client)

    @property
    def lifecycles(self) -> int:
        """Orders whose intent is on disk."""
        return len(self.truth.intents) + (len(self.pit.truth.intents) if self.pit is not None else 0)

    def in_order(self, healed_ns: int) -> ViolationError | None:
        """What of belief still differs from truth, ``None`` when nothing does."""
        found = self.oracle.in_order(healed_ns)
        if found is not None or self.pit is None or self.desk is None:
            return found
        return self.pit.in_order(self.desk.engine, healed_ns)

    def judge_end(self, healed_ns: int) -> None:
        """The desk has had its time: what is not in order now is a violation."""
        self.oracle.find(self.in_order(healed_ns))
        self.oracle.judge_cash()
        if self.pit is not None and self.desk is not None:
            self.oracle.find(self.pit.cash_differs(self.desk.engine))

    def judge_silence(self, silence: Silence) -> None:
        """One venue has been silent: entries must have left for the other all the time."""
        assert self.pit is not None
        works, truth = (
            (Venue.KALSHI, self.truth)
            if silence.venue is Venue.POLYMARKET
            else (Venue.POLYMARKET, self.pit.truth)
        )
        entries, excused = truth.entries_ms, self.excused_ms[works]
        self.oracle.find(
            silence.broken([at - self.began_ms for at in entries], [at - self.began_ms for at in excused])
        )

    def _note_excuses(self) -> None:
        if self.desk is None or self.pit is None:
            return
        desk, now_ms = self.desk.engine.desk, self.clock.wall_ms()
        surprised = any(SURPRISED in halt.cause for halt in desk.state.halts.standing)
        for venue, seat in desk.seats.items():
            if surprised or self._races(seat) or self._mute(venue):
                self.excused_ms[venue].append(now_ms)

    def _mute(self, venue: Venue) -> bool:
        """Whether of every event with a fair value a book says too little: then nobody opens there. What the
        engine makes of it excuses nothing, nor does a book that is late: that may be the other venue's
        doing."""
        assert self.desk is not None
        desk = self.desk.engine.desk
        mute: dict[str, bool] = {}
        for ticker, known in desk.state.markets.items():
            if known.fair is not None and known.market.venue is venue:
                event, view = known.market.event_ticker, desk.seats.book(ticker)
                if view is not None and not stale(desk, ticker):
                    says_too_little = bool(unreadable(without(view.book, own(desk, ticker))))
                    mute[event] = mute.get(event, False) or says_too_little
                else:
                    mute.setdefault(event, False)
        return bool(mute) and all(mute.values())

    def _races(self, seat: Seat) -> bool:
        """Whether the account is read, and trades so much that no reading agrees for as long as G01 bears."""
        now, limit_ns = self.clock.mono_ns(), LIMITS.reconcile_age_max_s * 10**9
        read_ns, clean_ns = seat.reconciler.read_ns, seat.reconciler.clean_ns
        if read_ns is None or clean_ns is None:
            return False
        return now - read_ns < limit_ns < now - clean_ns

    def judge_stop(self, *, ended: bool) -> None:
        """The engine was told to stop and has had its time."""
        self.oracle.judge_stop(ended=ended)
        if self.pit is not None:
            self.oracle.find(self.pit.left_by_stop())

    def quieten(self) -> None:
        """Nothing strange happens from now on."""
        self.whims.over = True
        if self.pit is not None:
            self.pit.whims.over = True

    # --- time ---------------------------------------------------------------------------------

    async def drive(self) -> None:
        """The venue's own pulse, the crowd and the oracle's clock, for ever."""
        ticks = 0
        while True:
            await asyncio.sleep(0.1)
            self.acts.carry_out(self.plan.acts(self.clock.wall_ms() - self.began_ms))
            self.site.pulse()
            if self.pit is not None:
                self.pit.tick(self.clock.wall_ms() - self.began_ms)
            ticks += 1
            if ticks % 10 == 0:
                self._note_excuses()
                self.crowd.second()
                self.whims.second()
                self.oracle.second()
                if self.pit is not None:
                    self.pit.second()
