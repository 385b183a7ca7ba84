"""One seed from its first event to its verdict."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable

import msgspec

from core.sim.fault_kinds import FaultKind
from core.sim.plan import Plan, Swarm, swarm
from tests.simulation.chance import Chance
from tests.simulation.coverage import recorded
from tests.simulation.hands import TRADER, Habits, Hands
from tests.simulation.kills import Kill, drawn
from tests.simulation.oracle import ViolationError
from tests.simulation.world import World
from tests.virtual import START_LOOP_S, VirtualLoop, run_virtual

Tape = Callable[[str], object]

ACTIVE_S = 150
HEAL_S = 120
CALM_S = 240
"""After the last fault the desk has so long to be in order again."""
CALM_MIN_S = 15
HELP_S = 2.0
CRASHED = 0
"""Point of a run that ended in an exception."""


class Script(msgspec.Struct, frozen=True):
    """What is run: a seed, and what a shrinker may take away."""

    seed: int
    active_s: int = ACTIVE_S
    calm_s: int = CALM_S
    without: tuple[str, ...] = ()
    """Names of fault kinds left out."""
    kills: bool = True
    die: tuple[Kill, ...] = ()
    """Deaths wanted instead of drawn ones."""

    def swarm(self) -> Swarm:
        drawn = swarm(self.seed, heal_ms=min(HEAL_S, self.active_s) * 1000)
        for name in self.without:
            drawn = drawn.without(FaultKind[name])
        return drawn


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
    slowest_unknown_ms: int
    broken: Broken | None = None


async def _live(loop: VirtualLoop, script: Script, tape: Tape | None) -> Result:
    chance = Chance(script.seed)
    plan = Plan(script.swarm())
    kills = script.die or (drawn(chance.stream("kills")) if script.kills else ())
    world = World(loop, chance, plan, kills)
    world.truth.tape = tape
    stop = asyncio.Event()
    world.oracle.on_violation = lambda _: stop.set()
    hands = Hands(chance.stream("hands"), Habits.drawn(chance.stream("habits")))
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
        lifecycles=len(world.truth.intents),
        virtual_s=virtual_s,
        cpu_s=time.process_time() - began,
        faults={kind.name: count for kind, count in plan.met.items()},
        rows=(),
        kills={point.value: count for point, count in world.reaper.done.items()},
        slowest_unknown_ms=world.oracle.slowest_unknown_ms,
        broken=_broken(world),
    )


async def _play(world: World, hands: Hands, chance: Chance, script: Script) -> None:
    """Trade under faults, then let everything heal, be calm, and see whether the desk is in order."""
    rng = chance.stream("pace")
    ends, helped = world.loop.time() + script.active_s, 0.0
    while world.loop.time() < ends:
        await asyncio.sleep(rng.expovariate(hands.habits.orders_per_s))
        if world.desk is None:
            continue
        engine = world.desk.engine
        if world.loop.time() - helped > HELP_S:
            helped = world.loop.time()
            hands.help(engine)
            if world.reaper.wants("flatten") and engine.desk.ledger.held:
                engine.flatten(TRADER, now=rng.random() < 0.5)
            elif world.reaper.wants("halt"):
                engine.halt("", TRADER)
        hands.act(engine)
    await _calm_down(world, hands, script)


async def _calm_down(world: World, hands: Hands, script: Script) -> None:
    """No entries any more; the operator comes back, resumes what is halted, and waits for order."""
    healed_ns, ends = world.clock.mono_ns(), world.loop.time() + script.calm_s
    if not script.calm_s:
        return
    while world.loop.time() < ends:
        await asyncio.sleep(HELP_S)
        if world.desk is not None:
            hands.calm(world.desk.engine)
        if world.loop.time() > ends - script.calm_s + CALM_MIN_S and world.oracle.in_order(healed_ns) is None:
            break
    world.oracle.judge_end(healed_ns)


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
        return Result(script, 0, 0.0, 0.0, {}, (), {}, 0, broken)
    return msgspec.structs.replace(result, rows=tuple(rows))
