"""The second venue of a world with everybody around it: put together here, driven by the world."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable

import msgspec

from core.config.paths import Environment
from core.domain.clock import Clocks
from core.engine.engine import Engine
from core.execution.points import Reach
from core.sim.fault_kinds import RULES, FaultKind, Point
from core.sim.plan import Plan, Swarm
from core.venues.polymarket.venue import PolymarketConfig, connect
from core.venues.venue import VenueGateway, VenueListener
from tests.simulation.chance import Chance
from tests.simulation.polymarket import aftermath
from tests.simulation.polymarket.acts import Acts
from tests.simulation.polymarket.crowd import Crowd
from tests.simulation.polymarket.lies import Lies
from tests.simulation.polymarket.oracle import Oracle
from tests.simulation.polymarket.site import ADDRESSES, PolymarketSite
from tests.simulation.polymarket.truth import Truth
from tests.simulation.polymarket.ways import of_orders
from tests.simulation.polymarket.whims import Whims
from tests.simulation.truth import Truth as FirstTruth
from tests.simulation.violation import ViolationError
from tests.simulation.wire import Lines
from tests.virtual import VirtualClock

OTHER_DICE = 1_000_000_007
"""The same faults strike both venues, each in bursts of its own: often one is well and the other is not."""
GREEDS = (0.4, 0.4, 0.02)
"""Chance a second that an order of the desk is traded with; where it is small, some end by themselves."""
_ACTS = frozenset(rule.kind for rule in RULES if rule.point is Point.WORLD)


class Pit:
    """One simulated Polymarket, its crowd, its faults and its judge."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        clock: VirtualClock,
        chance: Chance,
        plan: Plan,
        shared: FirstTruth,
        judge: Callable[[Callable[[], None]], None],
    ) -> None:
        self.plan, self._loop = plan, loop
        self.site = PolymarketSite(chance, clock)
        self.truth = Truth(self.site, shared)
        self.oracle = Oracle(self.truth, loop, judge)
        greed = chance.stream("polymarket greed").choice(GREEDS)
        self.crowd = Crowd(self.site, chance.stream("polymarket traders"), loop, greed, unrest=0.05)
        lies = Lies(self.site, self.truth, chance.stream("polymarket lies"))
        self._acts = Acts(self.site, self.crowd, self.truth, lies, chance.stream("polymarket acts"), loop)
        self.whims = Whims(self.site, self.truth, chance, loop)
        self._latency = chance.stream("polymarket latency")

    def lines(self, began_ms: int, reach: Reach) -> Lines:
        """One process's connections."""
        return Lines(self.site, self.plan, self.oracle, self._latency, self._loop, began_ms, reach)

    def venue(
        self, lines: Lines, clocks: Clocks, rng: random.Random
    ) -> Callable[[VenueListener], VenueGateway]:
        """The factory of the desk's client."""
        site = self.site
        config = PolymarketConfig(ADDRESSES, Environment.SIM, site.signer, site.credentials)
        return lambda listener: connect(
            config,
            clocks=clocks,
            rng=rng,
            listener=listener,
            http_factory=lines.transport,
            ws_factory=lines.socket,
        )

    def tick(self, now_ms: int) -> None:
        self._acts.carry_out(self.plan.acts(now_ms))
        self.site.pulse()

    def second(self) -> None:
        self.crowd.second()
        self.whims.second()
        self.oracle.second()

    def in_order(self, engine: Engine, healed_ns: int) -> ViolationError | None:
        honest = not self.plan.met[FaultKind.X08]
        return aftermath.out_of_order(engine, self.truth, healed_ns, honest=honest)

    def cash_differs(self, engine: Engine) -> ViolationError | None:
        return aftermath.cash_differs(engine, self.truth) if not self.oracle.adjusted else None

    def ways(self) -> dict[str, int]:
        """What the venue does by itself, as far as this run has met it, by its words."""
        met = self.site.ways + Counter(of_orders(self.truth))
        return {way.value: count for way, count in met.items()}

    def left_by_stop(self) -> ViolationError | None:
        return aftermath.left_by_stop(self.truth)


def faults_of(swarm: Swarm) -> Swarm:
    """What of a run's faults strikes this venue, in bursts of its own."""
    kinds = frozenset(FaultKind) - (_ACTS - Acts.KINDS)
    habits = tuple(habit for habit in swarm.habits if habit.kind in kinds)
    return msgspec.structs.replace(swarm, seed=swarm.seed + OTHER_DICE, habits=habits)
