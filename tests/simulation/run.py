"""One seed from its first event to its verdict."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import msgspec

from core.sim.fault_kinds import FaultKind
from core.sim.plan import Plan, Swarm, swarm
from tests.simulation.chance import Chance
from tests.simulation.hands import Habits, Hands
from tests.simulation.oracle import ViolationError
from tests.simulation.world import World
from tests.virtual import VirtualLoop, run_virtual

Tape = Callable[[str], object]

ACTIVE_S = 150
HEAL_S = 120
CALM_S = 240
"""After the last fault the desk has so long to be in order again."""


class Script(msgspec.Struct, frozen=True):
    """What is run: a seed, and what a shrinker may take away."""

    seed: int
    active_s: int = ACTIVE_S
    calm_s: int = CALM_S
    without: tuple[str, ...] = ()
    """Names of fault kinds left out."""

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
    world = World(loop, chance, plan)
    world.truth.tape = tape
    stop = asyncio.Event()
    world.oracle.on_violation = lambda _: stop.set()
    hands = Hands(chance.stream("hands"), Habits.drawn(chance.stream("habits")))
    world.start()
    began = time.process_time()
    helpers = [
        loop.create_task(world.drive(), name="venue"),
        loop.create_task(_play(world, hands, chance, script), name="hands"),
    ]
    waiter = loop.create_task(stop.wait(), name="verdict")
    await asyncio.wait([waiter, helpers[1]], return_when=asyncio.FIRST_COMPLETED)
    if helpers[1].done() and not helpers[1].cancelled():
        helpers[1].result()
    virtual_s = loop.time()
    await world.kill()
    for task in (*helpers, waiter):
        task.cancel()
    await asyncio.wait([*helpers, waiter])
    return Result(
        script=script,
        lifecycles=len(world.truth.intents),
        virtual_s=virtual_s,
        cpu_s=time.process_time() - began,
        faults={kind.name: count for kind, count in plan.met.items()},
        rows=(),
        kills={},
        slowest_unknown_ms=world.oracle.slowest_unknown_ms,
        broken=_broken(world),
    )


async def _play(world: World, hands: Hands, chance: Chance, script: Script) -> None:
    """Trade under faults, then let everything heal and be calm."""
    rng = chance.stream("pace")
    ends = world.loop.time() + script.active_s
    helped = 0.0
    while world.loop.time() < ends:
        await asyncio.sleep(rng.expovariate(hands.habits.orders_per_s))
        desk = world.desk
        if desk is None:
            continue
        if world.loop.time() - helped > 3.0:
            helped = world.loop.time()
            hands.help(desk.engine)
        hands.act(desk.engine)
    await asyncio.sleep(script.calm_s)


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
    return run_virtual(lambda loop: _live(loop, script, tape))
