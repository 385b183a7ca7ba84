"""The desk's engine: feeds to fair values to proposals to orders, under one gate and one halt.

``Engine`` wires the rooms below together and is what the control server talks to. Every method an
operator can reach (``operations.py``) is synchronous and answers at once with an ``Outcome``; what
must wait (durable rows, wire calls) runs in tasks the engine owns. The engine knows no terminal,
socket or file: everything that differs between a real desk and a simulated one is in ``Ports``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import msgspec

from core.config.settings import Settings
from core.domain.clock import Clocks
from core.domain.market import Venue
from core.engine import belief, incidents
from core.engine.alarms import RESUME
from core.engine.arbitrage import Arbitrage
from core.engine.arming import Arming
from core.engine.ears import Ears
from core.engine.ending import Ending, How, kept
from core.engine.manual import LOOK_S, Manual
from core.engine.operations import Operations
from core.engine.operator import ENGINE, VIEWER_REFUSED, Actor, Outcome, accepted, refused
from core.engine.restore import Restored, restore
from core.engine.seat import Seat
from core.engine.seat_work import SeatWork
from core.engine.state import ALL_STRATEGIES, AlarmLevel, Mode, WatchdogSeen
from core.engine.told import Told
from core.engine.trials import Trials
from core.engine.viewing import Append, Viewing, nowhere
from core.engine.wiring import wire
from core.engine.workers import Workers
from core.execution.differences import Row
from core.execution.events import ExternalFilled, FillParked, OrderIntended, PositionAdjusted
from core.execution.points import Point, Reach, pass_by
from core.feeds.feed import Feed, FeedState
from core.feeds.merge import distances
from core.feeds.published import PublishedFeed
from core.feeds.quotes import SeriesPoint
from core.feeds.releases import Calendar
from core.feeds.values import ClimateReport, FeedValue, Sink, WeatherValue
from core.journal.events import Event, Kind
from core.journal.events import Row as JournalRow
from core.journal.projections import ModeChanged, PauseChanged, Paused
from core.journal.store import EventLog, JournalFault
from core.models.calibration import Judge
from core.models.foreseen import Came, Foreseen
from core.models.weather.coefficients import Learned
from core.risk.halts import GLOBAL, Level
from core.risk.limits import Limits
from core.risk.releases import Affected, shipped
from core.risk.trips import Trip
from core.venues.venue import VenueGateway, VenueListener

PLANS_S = 0.5
PATIENCE_S = 20.0
"""The start-up list is put away after this even if no model has spoken."""

VENUE, FEEDS, MODELS, RECONCILE = "venue", "feeds", "models", "reconcile"


class Rng(Protocol):
    """The part of ``random.Random`` the engine uses, injected."""

    def getrandbits(self, k: int, /) -> int: ...


class Release(NamedTuple):
    """What this run is made of, written into its first row."""

    version: str = ""
    code: str = ""
    """Hash of the code."""
    config: str = ""
    """Hash of the whole configuration."""


AFTER_START = "after a start"
"""Why entries are paused then."""
UNNAMED = Release()


class UnseatedError(Exception):
    """The journal knows a venue that this desk does not connect; the text says so to the operator."""


@dataclass(frozen=True, slots=True)
class Ports:
    """What differs between a real desk and a simulated one."""

    clocks: Clocks
    rng: Rng
    log: EventLog
    history: Iterable[JournalRow]
    """Every row of the journal before this run, read once."""
    run: str
    """Short name of this run in client order ids, never used before on this account."""
    venues: Mapping[Venue, Callable[[VenueListener], VenueGateway]]
    """A seat for each, in the order in which they are shown."""
    series: Mapping[Venue, Sequence[str]]
    """What of each venue is on the desk."""
    feeds: Callable[[Sink], Sequence[Feed]]
    settings: Settings
    ceilings: Limits
    profile: str
    world_id: str
    accounts: Mapping[Venue, str] = field(default_factory=dict)
    """What each venue knows the desk's account by: a key's id, a wallet's address."""
    judge: Judge | None = None
    """What the models' records are worth; ``None``: what the journal's say."""
    past: Iterable[tuple[Foreseen, Came]] = ()
    """Forecasts and outcomes that a simulated world brings along of the time before it."""
    simulated: bool = False
    """Whether no venue of this desk is real."""
    affected: Affected = field(default_factory=shipped)
    """What economic releases move which markets."""
    view: Append = nowhere
    """Adds what the operator expects of a figure to the profile's file."""
    release: Release = UNNAMED
    replay: str = ""
    """Original dates of a replayed scenario, for the screen."""
    replay_offset_days: int | None = None
    learned: Learned | None = None
    """Coefficients of the weather models, where there are any."""
    disk_free_mb: Callable[[], int | None] = lambda: None
    memory_mb: Callable[[], int | None] = lambda: None
    """Resident memory of this process."""
    arms_itself: bool = False
    """Whether the very first run on a fresh journal may propose without being unpaused: the demo."""
    arming: Arming | None = None
    """What must be done before the first entry; ``None`` where money is not real."""
    start_halted: str = ""
    """Why the desk comes up halted whatever the journal says, such as a ``FLATTEN`` file found."""
    watched: bool = False
    """Whether a watchdog is expected to answer."""
    struck: WatchdogSeen | None = None
    """The newest strike of the watchdog before this run, from its record."""
    reach: Reach = pass_by
    """What happens at each point of ``core.execution.points``: a crash test ends the process there."""


class Engine(Operations):
    """One desk. ``await run()`` until it is stopped; operator methods may be called from then on."""

    def __init__(self, ports: Ports) -> None:
        """Wire everything and restore the journal's desk; raises what a damaged journal raises."""
        self.ports = ports
        self._restored = restore(ports.history)
        _check_seats(ports.venues, self._restored)
        self._ears = Ears()
        self.told = Told()
        wired = wire(ports, self._restored, self._ears, self.told)
        self.desk, self.trading, self.catalogue, self.guard, self._listeners = wired
        self.guard.flatten = lambda: self.flatten(ENGINE)
        self.arbitrage = Arbitrage(self.desk, self.trading)
        self.manual = Manual(self.desk)
        self.state = self.desk.state
        self.arming = ports.arming
        self.fixtures = self.desk.fixtures
        self.viewing = Viewing(ports.clocks, ports.log, self.desk.releases, ports.view)
        self.trials = Trials(self.desk.tasks, lambda: self.guard.feeds)
        self.workers = Workers(self.desk.tasks, self._ears.on_worker_end, self._ears.on_worker_restart)
        self._ending = Ending()
        self._starting: list[asyncio.Task[None]] = []

    # --- life ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Start up, trade, and return after an orderly end."""
        desk = self.desk
        try:
            self._begin()
            self._start()
            await self._ending.wait()
            for start in self._starting:
                start.cancel()
            await self._ending.carry_out(desk)
        finally:
            await desk.tasks.close()
            await asyncio.gather(*(seat.venue.close() for seat in desk.seats.values()))

    def _begin(self) -> None:
        """Restore halts, orders and the day before anything can be sent or read."""
        desk, ports, restored = self.desk, self.ports, self._restored
        desk.scribe.desk(
            Kind.START,
            f"engine starts on world {ports.world_id or 'real'}",
            world_id=ports.world_id,
            limits=desk.state.limits.current.digest(),
            ceilings=ports.ceilings.digest(),
            in_force=msgspec.to_builtins(desk.state.limits.current),
            run=ports.run,
            **ports.release._asdict(),
        )
        desk.halting.restore(restored.halts)
        wrong = belief.replay(desk.ledger, restored.orders, restored.belief, desk.clocks.mono_ns())
        restored.orders.clear()
        for ticker in (*desk.ledger.held, *desk.ledger.settling.open):
            desk.expose(ticker)  # also what is not on the desk any more
        desk.account.recount()
        desk.trips.restore(
            msgspec.convert(list(restored.desk.trips.values()), list[Trip]),
            msgspec.convert(list(restored.desk.enabled.values()), list[Trip]),
        )
        ports.reach(Point.START_REPLAYED)
        desk.ledger.doubt("the engine ended before the answer came")
        ports.reach(Point.START_DOUBTED)
        for order in desk.ledger.unknown():
            desk.seats[order.intent.venue].unknowns.watch(order)
        struck = ports.struck
        if struck is not None and (struck.struck_ms or 0) > restored.last_ms > 0:
            for seat in desk.seats.values():
                seat.groups.doubt("struck by the watchdog")
            cause = f"the watchdog cancelled everything while no engine ran: {struck.receipt}"
            desk.halting.rise(GLOBAL, Level.HALTED, cause)
        for hears in self._listeners.values():
            hears.safety.check_restored()
        self._judge_restart(wrong)
        if ports.start_halted:
            incidents.stop(desk, GLOBAL, Level.HALTED, ports.start_halted)
        desk.halting.go_on_cancelling()
        held_back = desk.state.limits.held_back()
        if held_back:
            names = ", ".join(spec.name for spec in held_back)
            what = f"limits in force are tighter than the file: {names}"
            desk.alarms.raise_("limits", AlarmLevel.NOTE, what, "they stay so", "'limit NAME VALUE'")
        if restored.desk.flattening:
            desk.alarms.raise_(
                "interrupted",
                AlarmLevel.ACT,
                "a flatten was cut short by the end of the engine",
                "the desk is locked, positions may be open: Ctrl-X goes on with it",
                RESUME,
                scope=GLOBAL,
            )
        if not (restored.fresh and ports.arms_itself) and ALL_STRATEGIES not in desk.state.paused:
            desk.state.paused.add(ALL_STRATEGIES)
            desk.state.last_pause = Paused(ENGINE.name, desk.clocks.wall_ms(), AFTER_START)
            desk.scribe.log.append(Event(Kind.PAUSE, PauseChanged(ALL_STRATEGIES, True, AFTER_START)))
        if restored.desk.mode != Mode.SEMI.value:
            desk.scribe.log.append(Event(Kind.MODE, ModeChanged(Mode.SEMI.value, "engine restart")))
        venues = [self._step(seat, VENUE) for seat in desk.seats.values()]
        accounts = [self._step(seat, RECONCILE) for seat in desk.seats.values()]
        desk.state.starting = dict.fromkeys((*venues, FEEDS, MODELS, *accounts), False)
        desk.state.replay = ports.replay
        desk.state.touch_status()

    def _judge_restart(self, wrong: str) -> None:
        """What a journal or a limits file that does not fit the last run means; who is called again."""
        desk, armed, limits = self.desk, self._restored.armed_limits, self.ports.ceilings.digest()
        for halt in desk.state.halts.standing:
            if not halt.acknowledged and halt.by == ENGINE.name:
                incidents.ring(desk, halt.scope)
        if wrong:
            incidents.stop(desk, GLOBAL, Level.LOCKED, wrong)
        if armed and armed != limits:
            what = f"the limits are not those that were armed: {limits[:12]}, then {armed[:12]}"
            incidents.note(desk, Row.LIMITS, "", what)
            incidents.stop(desk, GLOBAL, Level.LOCKED, what)

    async def _ask_published(self, source: str) -> None:
        for seat in self.desk.seats.values():
            await seat.venue.ask_published(source)

    def _start(self) -> None:
        """Start everything that runs; each seat on its own."""
        desk, workers = self.desk, self.workers
        self.guard.feeds = tuple(self.ports.feeds(self._absorb))
        published = {feed.source: feed for feed in self.guard.feeds if isinstance(feed, PublishedFeed)}
        for hears in self._listeners.values():
            hears.venue.publications = published
        for told in published.values():
            told.ask = self._ask_published
        workers.keep("health", desk.health.run)
        for feed in self.guard.feeds:
            workers.keep(f"feed {feed.name}", feed.run)
        workers.every("guard", 1.0, self._every_second)
        workers.every("belief", belief.MARK_S, self._note_belief)
        workers.keep("prices", self._every_price)
        workers.keep("strategy", self.trading.run)
        workers.every("plans", PLANS_S, self.arbitrage.look)
        workers.every("tickets", LOOK_S, self.manual.look)
        for venue, seat in desk.seats.items():
            work = SeatWork(desk, seat, self._listeners[venue], self.catalogue, workers)
            self._starting.append(desk.tasks.spawn(f"start {venue.short}", self._take(seat, work)))
            work.connect()

    def _absorb(self, value: FeedValue) -> None:
        """The feeds' sink."""
        if isinstance(value, ClimateReport):
            self.desk.audit.report(value)
        if not isinstance(value, WeatherValue):
            self.told.absorb(value)  # before it is priced by: models read there
        self.desk.pricing.absorb(value)
        if isinstance(value, Calendar | SeriesPoint):
            self.desk.releases.absorb(value)

    async def _take(self, seat: Seat, work: SeatWork) -> None:
        await work.markets()
        self._tick_off(self._step(seat, VENUE))
        await work.account()
        self._tick_off(self._step(seat, RECONCILE))
        self.ports.reach(Point.START_RECONCILED)
        self.desk.health.begin_anew()
        first, self.state.ready = not self.state.ready, True
        self.state.touch_status()
        self.trading.mark_all()
        work.go_on()
        if first:
            await asyncio.sleep(PATIENCE_S)
            self.state.starting = {}
            self.state.touch_status()

    def _step(self, seat: Seat, step: str) -> str:
        """A step of the start-up list, by its venue where there are several."""
        return self.desk.seats.named(seat, step)

    def _tick_off(self, step: str) -> None:
        starting = self.state.starting
        if starting.get(step) is False:
            starting[step] = True
            if all(starting.values()):
                self.state.starting = {}
            self.state.touch_status()

    def stop(self, reason: str, actor: Actor, how: str = How.CANCEL.value) -> Outcome:
        """End in order; what rests is cancelled unless it is to be kept, or everything sold first.

        Asking again changes nothing, except that an end at once overtakes one that waits to be flat.
        """
        if not actor.may_operate:
            return VIEWER_REFUSED
        if how not in [h.value for h in How]:
            return refused(f"An engine stops with 'cancel', 'keep' or 'flatten', not {how[:40]!r}.")
        if self._ending.decided:
            return accepted("The engine is stopping already.")
        why = f"{actor.name} {reason}".rstrip()
        self._command(f"stop engine ({how}) {reason}".rstrip(), actor)
        if how == How.FLATTEN.value:
            told = self.flatten(actor)
            self.desk.tasks.spawn("stop once flat", self._ending.after_flatten(self.desk, why))
            return accepted(f"{told.text} The engine stops once it is flat.")
        self._ending.decide(How(how), why)
        if how == How.KEEP.value:
            return accepted(f"The engine stops: positions stay, {kept(self.desk)}.")
        return accepted("The engine stops: orders are cancelled, positions stay.")

    def try_feed(self, source: str, actor: Actor) -> Outcome:
        """Ask a source once, now: what it costs its quota is spent."""
        if not actor.may_operate:
            return VIEWER_REFUSED
        outcome = self.trials.begin(source)
        if outcome.accepted:
            self._command(f"feeds test {source}", actor)
        return outcome

    # --- workers -------------------------------------------------------------------------------

    def _compare_sources(self) -> None:
        found = distances(self.told.quotes.values(), self.desk.clocks.world_ms())
        if found != self.state.apart:
            self.state.apart = found
            self.state.touch_status()

    def _every_second(self) -> None:
        self.guard.tick()
        self.desk.history.tick()
        self._compare_sources()
        self.desk.watched.tick()
        if self.state.starting:
            if any(health.state is FeedState.OK for health in self.state.feeds.values()):
                self._tick_off(FEEDS)
            if any(event.fair is not None for event in self.state.events.values()):
                self._tick_off(MODELS)

    async def _every_price(self) -> None:
        """What changes with time alone, once a second."""
        while True:
            await asyncio.sleep(1.0)
            await self.desk.pricing.reprice()
            self.desk.forecasts.look()
            self.trading.mark_all()
            self.trading.tell_best()

    def _note_belief(self) -> None:
        belief.note(self.desk.scribe.log, self.desk.ledger, self.state.halts)

    # --- the process edge ----------------------------------------------------------------------

    async def halt_written(self) -> bool:
        """Wait until the newest global halt is where a restart finds it; false when it will not get there."""
        log, row = self.desk.scribe.log, self.desk.halting.last_row
        return await log.durable(row) or await log.spilled(row)

    def config_changed(self, *, changed: bool) -> None:
        """The configuration file is not what this engine started with, or is so again."""
        if not changed:
            self.desk.alarms.clear("config")
            return
        what = "the configuration file was changed while the engine runs"
        self.desk.alarms.raise_("config", AlarmLevel.CHECK, what, "none before the next start", "a restart")

    def journal_failed(self, fault: JournalFault) -> None:
        """What waited for the journal was not sent, and nothing more is. Cancels go on."""
        if fault.goes_on:
            incidents.stop(self.desk, GLOBAL, Level.HALTED, fault.reason)
            return
        self.desk.halting.rise(GLOBAL, Level.HALTED, f"NO JOURNAL: {fault.reason}")
        self.guard.problem()  # rings, and counts what is not on disk


def _check_seats(venues: Collection[Venue], restored: Restored) -> None:
    """What was done on a venue without a seat could be neither read, cancelled nor sold."""
    known: set[Venue] = set()
    for _, _, event in restored.orders:
        match event:
            case OrderIntended(intent=intent):
                known.add(intent.venue)
            case ExternalFilled(fill=fill) | FillParked(fill=fill):
                known.add(fill.venue)
            case PositionAdjusted(venue=venue):
                known.add(venue)
            case _:
                pass
    missing = ", ".join(sorted(venue.value for venue in known.difference(venues)))
    if missing:
        raise UnseatedError(
            f"The journal holds orders of {missing}, which this profile does not connect: configure it again,"
            " or begin a new journal once nothing is held there."
        )
