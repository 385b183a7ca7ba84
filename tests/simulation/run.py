"""One seed from its first event to its verdict."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections import Counter
from collections.abc import Callable

import msgspec

from core.domain.market import Venue
from core.sim.fault_kinds import POLYMARKET, FaultKind
from core.sim.plan import RULED, RULED_POLYMARKET, Habit, Plan, Swarm, swarm
from tests.simulation import keys, outage
from tests.simulation.chance import Chance
from tests.simulation.coverage import recorded
from tests.simulation.hands import Habits, Hands
from tests.simulation.keys import CLI, TRADER
from tests.simulation.kills import Kill, drawn
from tests.simulation.outage import Silence
from tests.simulation.polymarket.pit import faults_of
from tests.simulation.violation import ViolationError
from tests.simulation.world import Desk, World
from tests.virtual import START_LOOP_S, VirtualLoop, run_virtual

Tape = Callable[[str], object]

LENGTHS_S = (60, 120, 240)
"""How long orders are placed; a seed draws one of them."""
HEALED = 0.85
"""Share of that time after which faults end."""
CALM_S = 240
"""After the last fault the desk has so long to be in order again."""
CALM_MIN_S = 15
HELP_S = 2.0
WHIMS = "whims"
BOTH_EVERY = 2
"""Every second seed's desk trades on both venues."""
STOPS_NOT_EVERY = 4
"""Every fourth seed's engine is not told to stop at the end: in the others an orderly stop is judged too."""
LIAR_EVERY = 3
HAUNTED_S = 25.0
"""Orders come back once markets have been at rest for so long."""
GAPPED_EVERY, GAPPED = 10, (7, 8)
"""Two of ten seeds' desks hear in gaps, one of either kind of world: see ``GAPS``."""
SMALLER_EVERY, SMALLER, SMALLER_SHARE = 5, 2, 0.15
"""In every fifth seed a hand also makes resting orders smaller: so often for each other act."""
GHOSTLY_EVERY, GHOSTLY = 4, 2
"""Every other world of two venues has trades that fail and flap: see ``GHOSTS``."""
GHOSTS = (
    Habit(FaultKind.X10, 1.0, 8_000.0, 8_000.0),
    Habit(FaultKind.X11, 1.0, 5_000.0, 20_000.0),
    Habit(FaultKind.X12, 1.0, 8_000.0, 8_000.0),
    Habit(FaultKind.X14, 1.0, 2_000.0, 8_000.0),
)
GAPS = (
    Habit(FaultKind.N20, 0.5, 20_000.0, 5_000.0),
    Habit(FaultKind.N02, 0.08, 20_000.0, 10_000.0),
    Habit(FaultKind.N15, 0.35, 20_000.0, 5_000.0),
    Habit(FaultKind.X04, 0.2, 20_000.0, 10_000.0),
)
"""Answers to orders are late or lost while single messages of the private stream are missing, and lists
leave out a row: an order's end or part of it is then the first that is heard of it."""
LIES = (FaultKind.X02, FaultKind.X09)
LIARS = ("X02", "X08", "X09", "X26", "X29")
LIE_MS = (3_000.0, 6_000.0)
"""Every third seed's exchange takes its word back often: burst and pause on average."""
FORCED_S, STOPS_MAX = 25.0, 3
"""A stop that a kill waits for is pressed this often, once something is held."""
STOP_S = 60.0
"""An engine that is told to stop has ended by then."""
CRASHED = 0
"""Point of a run that ended in an exception."""


class Script(msgspec.Struct, frozen=True):
    """What is run: a seed, and what a shrinker may take away."""

    seed: int
    active_s: int = 0
    """How long orders are placed; 0: as the seed draws it."""
    calm_s: int = CALM_S
    without: tuple[str, ...] = ()
    """Names of fault kinds left out, and ``whims``."""
    kills: bool = True
    die: tuple[Kill, ...] = ()
    """Deaths wanted instead of drawn ones."""
    honest: bool = False
    """Nobody lies and nobody else trades on the account, and the oracle is strict."""

    @property
    def length_s(self) -> int:
        return self.active_s or Chance(self.seed).stream("length").choice(LENGTHS_S)

    @property
    def left_out(self) -> tuple[str, ...]:
        alone = (WHIMS,) if self.silence is not None else ()
        return (*self.without, *LIARS, WHIMS) if self.honest else (*self.without, *alone)

    @property
    def both(self) -> bool:
        """Whether there is a second venue."""
        return self.seed % BOTH_EVERY == 0

    @property
    def silence(self) -> Silence | None:
        """In which one venue is silent while nothing else goes wrong: a wanted death would."""
        return None if self.die else outage.drawn(self.seed, self.length_s)

    def plans(self) -> tuple[Plan, Plan | None]:
        """The faults of the one venue and of the other, where there is another."""
        if self.silence is not None:
            return self.silence.plan_of(Venue.KALSHI), self.silence.plan_of(Venue.POLYMARKET)
        faults = self.swarm()
        habits = tuple(habit for habit in faults.habits if habit.kind not in POLYMARKET)
        plan = Plan(msgspec.structs.replace(faults, habits=habits))
        return plan, Plan(faults_of(faults)) if self.both else None

    def swarm(self) -> Swarm:
        among = (*RULED, *RULED_POLYMARKET) if self.both else RULED
        of = swarm(self.seed, among=among, heal_ms=int(self.length_s * HEALED) * 1000)
        if self.seed % LIAR_EVERY == 0:
            known = {habit.kind for habit in of.habits}
            lies = tuple(Habit(kind, 1.0, *LIE_MS) for kind in LIES if kind not in known)
            of = msgspec.structs.replace(of, habits=(*of.habits, *lies))
        if self.seed % GAPPED_EVERY in GAPPED:
            of = _with(of, GAPS)
        if self.seed % GHOSTLY_EVERY == GHOSTLY:
            of = _with(of, GHOSTS)
        for name in self.left_out:
            if name != WHIMS:
                of = of.without(FaultKind[name])
        return of


def _with(of: Swarm, habits: tuple[Habit, ...]) -> Swarm:
    """These habits in place of what was drawn of their kinds."""
    kinds = {habit.kind for habit in habits}
    others = tuple(habit for habit in of.habits if habit.kind not in kinds)
    return msgspec.structs.replace(of, habits=(*others, *habits))


class Broken(msgspec.Struct, frozen=True):
    """A violation as it is printed and stored."""

    point: int
    what: str
    step: int
    belief: str
    truth: str
    last: tuple[str, ...]


class Result(msgspec.Struct, frozen=True):
    """What one run came to."""

    script: Script
    lifecycles: int
    virtual_s: float
    cpu_s: float
    faults: dict[str, int]
    rows: tuple[str, ...]
    kills: dict[str, int]
    differences: dict[str, int]
    slowest_unknown_ms: int
    broken: Broken | None = None
    ways: dict[str, int] = {}
    """What the second venue does by itself, as far as it was met."""


async def _live(loop: VirtualLoop, script: Script, tape: Tape | None) -> Result:
    chance = Chance(script.seed)
    plan, beside = script.plans()
    dies = script.kills and script.silence is None
    kills = script.die or (drawn(chance.stream("kills")) if dies else ())
    world = World(loop, chance, plan, kills, beside)
    world.truth.tape = tape
    if WHIMS in script.left_out:
        world.quieten()
    stop = asyncio.Event()
    world.oracle.on_violation = lambda _: stop.set()
    world.oracle.strict = script.honest
    drawn_habits = Habits.drawn(chance.stream("habits"), 2 if script.both else 1)
    habits = outage.HABITS if script.silence is not None else drawn_habits
    hands = Hands(chance.stream("hands"), habits, world.order_id)
    began = time.process_time()
    world.start()
    helpers = [
        loop.create_task(_play(world, hands, chance, script), name="hands"),
        loop.create_task(world.drive(), name="venue"),
        loop.create_task(stop.wait(), name="verdict"),
    ]
    done, _ = await asyncio.wait(helpers, return_when=asyncio.FIRST_COMPLETED)
    for task in helpers:
        if task in done:
            task.result()
    virtual_s = loop.time() - START_LOOP_S
    world.over = True
    await world.end()
    for task in helpers:
        task.cancel()
    await asyncio.wait(helpers)
    return Result(
        script=script,
        lifecycles=world.lifecycles,
        virtual_s=virtual_s,
        cpu_s=time.process_time() - began,
        faults=_met(world),
        rows=(),
        kills={point.value: count for point, count in world.reaper.done.items()},
        differences=dict(world.oracle.differences),
        slowest_unknown_ms=world.oracle.slowest_unknown_ms,
        broken=_broken(world),
        ways=world.pit.ways() if world.pit is not None else {},
    )


def _met(world: World) -> dict[str, int]:
    """How often each kind has struck, on either venue."""
    met = Counter(world.plan.met)
    if world.pit is not None:
        met.update(world.pit.plan.met)
        if world.pit.truth.cross_matched:
            met[FaultKind.X13] = world.pit.truth.cross_matched
    return {kind.name: count for kind, count in met.items()}


async def _play(world: World, hands: Hands, chance: Chance, script: Script) -> None:
    """Trade under faults, then let everything heal, be calm, and see whether the desk is in order."""
    rng, less = chance.stream("pace"), chance.stream("smaller")
    ends, helped, forced, stops = world.loop.time() + script.length_s, 0.0, 0.0, 0
    while world.loop.time() < ends:
        await asyncio.sleep(rng.expovariate(hands.habits.orders_per_s))
        if world.desk is None:
            continue
        engine = world.desk.engine
        if world.loop.time() - helped > HELP_S:
            helped = world.loop.time()
            hands.help(engine)
            if stops < STOPS_MAX and world.loop.time() - forced > FORCED_S and engine.desk.ledger.held:
                forced, stops = world.loop.time(), stops + 1
                if world.reaper.wants("flatten"):
                    engine.flatten(TRADER, now=rng.random() < 0.5)
                elif world.reaper.wants("halt"):
                    engine.halt("", TRADER)
        if script.seed % SMALLER_EVERY == SMALLER and engine.state.ready and less.random() < SMALLER_SHARE:
            keys.smaller(less, engine)
        hands.act(engine)
    if script.silence is not None:
        world.judge_silence(script.silence)
    await _calm_down(world, hands, script)


async def _calm_down(world: World, hands: Hands, script: Script) -> None:
    """No entries any more; the operator comes back, resumes what is halted, and waits for order."""
    world.quieten()
    healed_ns, ends = world.clock.mono_ns(), world.loop.time() + script.calm_s
    if not script.calm_s:
        return
    haunted = (
        world.loop.time() + HAUNTED_S
        if script.seed % LIAR_EVERY == 0 and WHIMS not in script.left_out
        else None
    )
    while world.loop.time() < ends:
        await asyncio.sleep(HELP_S)
        if world.desk is not None:
            hands.calm(world.desk.engine)
        if haunted is not None and world.loop.time() > haunted:
            world.acts.haunt()
            haunted = None
        waited = haunted is None and world.loop.time() > ends - script.calm_s + CALM_MIN_S
        if waited and world.in_order(healed_ns) is None:
            break
    world.judge_end(healed_ns)
    if script.seed % STOPS_NOT_EVERY and world.desk is not None:
        await _stop(world, world.desk)


async def _stop(world: World, desk: Desk) -> None:
    """An orderly end: every order of ours is gone, or the engine had said that one is not."""
    world.closes = True
    desk.engine.stop("for the day", CLI)
    await asyncio.wait([desk.main], timeout=STOP_S)
    world.judge_stop(ended=desk.main.done())


def _broken(world: World) -> Broken | None:
    found: ViolationError | None = world.oracle.violation
    if found is None:
        return None
    return Broken(
        found.point,
        found.what,
        world.truth.events,
        repr(found.belief),
        repr(found.truth),
        tuple(world.truth.last),
    )


def run(script: Script, tape: Tape | None = None) -> Result:
    """Run one script on a loop of its own. ``tape`` gets a line for everything that happens."""
    try:
        with recorded() as rows:
            result = run_virtual(lambda loop: _live(loop, script, tape))
    except Exception as fault:  # noqa: BLE001 - whatever broke the run is a finding like any other
        told = tuple(traceback.format_exception(fault))
        broken = Broken(CRASHED, f"{type(fault).__name__}: {fault}"[:300], 0, "", "", told)
        return Result(script, 0, 0.0, 0.0, {}, (), {}, {}, 0, broken)
    return msgspec.structs.replace(result, rows=tuple(rows))
