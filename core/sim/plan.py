"""Which fault meets which message: drawn from one seed, for in-memory transports and the proxy alike.

``Swarm`` is what a run's seed decides: a random part of all kinds, each with its own rate and bursts,
and the moment everything heals. ``Plan`` carries it out: asked once about each message in the order
they happen, it returns a fate. Every kind and every rule has a chance of its own, named after it, and
draws whether or not another rule decides, so that leaving a kind out moves nothing in the others.
Times are milliseconds since the plan's start.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from math import inf
from random import Random

import msgspec

from core.sim.fates import PLAIN, AnswerFate, ConnectFate, Fate, FrameFate, RequestFate
from core.sim.fault_kinds import (
    POLYMARKET,
    RULES,
    TRAITS,
    FaultKind,
    Matter,
    Point,
    Rule,
    Trait,
    matter_of_call,
    matter_of_frame,
)

_WITH_RULE = tuple(kind for kind in FaultKind if any(r.kind is kind for r in RULES))
RULED = tuple(kind for kind in _WITH_RULE if kind not in POLYMARKET)
"""What a plan can bring about on any venue."""
RULED_POLYMARKET = tuple(kind for kind in _WITH_RULE if kind in POLYMARKET)
"""What it can bring about on Polymarket besides."""
DENSITIES = (0.05, 0.15, 0.3, 0.6)
"""Share of the kinds that are on in a run."""


class Habit(msgspec.Struct, frozen=True):
    """How one kind behaves in one run. Bursts and pauses are exponential with these means."""

    kind: FaultKind
    rate: float
    burst_ms: float
    quiet_ms: float


class Swarm(msgspec.Struct, frozen=True):
    """The faults of one run. Whole runs are compared, stored and shrunk by this value."""

    seed: int
    habits: tuple[Habit, ...]
    heal_ms: int | None = None
    """From then on everything works; ``None`` never."""

    def without(self, kind: FaultKind) -> Swarm:
        return msgspec.structs.replace(self, habits=tuple(h for h in self.habits if h.kind is not kind))


def swarm(seed: int, *, among: Iterable[FaultKind] = RULED, heal_ms: int | None = None) -> Swarm:
    """Draw a run's faults. Whether and how a kind is on does not depend on which others are offered."""
    density = _stream(seed, "density").choice(DENSITIES)
    habits = []
    for kind in among:
        rng = _stream(seed, f"habit {kind.name}")
        if rng.random() < density:
            trait = TRAITS.get(kind, Trait())
            habits.append(
                Habit(
                    kind, rng.uniform(*trait.rate), rng.uniform(*trait.burst_ms), rng.uniform(*trait.quiet_ms)
                )
            )
    return Swarm(seed, tuple(habits), heal_ms)


def steady(kind: FaultKind, *, rate: float = 1.0, seed: int = 0, heal_ms: int | None = None) -> Swarm:
    """One kind alone, on from the start without a pause: what a test of one row asks for."""
    return Swarm(seed, (Habit(kind, rate, inf, 0.0),), heal_ms)


class Act(msgspec.Struct, frozen=True):
    """Something the exchange's world does from ``at_ms`` on; ``pick`` (0 to 1) chooses with what."""

    kind: FaultKind
    at_ms: int
    lasts_ms: int
    pick: float


class Plan:
    """One run's faults under way. ``met`` counts what struck, by kind."""

    def __init__(self, of: Swarm) -> None:
        self.swarm = of
        self.met: Counter[FaultKind] = Counter()
        self._strikers: dict[tuple[Point, Matter], list[_Striker]] = defaultdict(list)
        self._acts: list[_Bursts] = []
        habits = {habit.kind: habit for habit in of.habits}
        bursts = {kind: _Bursts(habit, of.seed) for kind, habit in habits.items()}
        for index, rule in enumerate(RULES):
            if rule.kind not in habits:
                continue
            if rule.point is Point.WORLD:
                self._acts.append(bursts[rule.kind])
                continue
            chance = _stream(of.seed, f"rule {rule.kind.name} {rule.point.value} {index}")
            striker = _Striker(rule, habits[rule.kind].rate, bursts[rule.kind], chance)
            for matter in sorted(rule.matters, key=lambda m: m.name):
                self._strikers[rule.point, matter].append(striker)

    def connect(self, now_ms: int) -> ConnectFate:
        return self._fate(Point.CONNECT, Matter.READ, now_ms)  # type: ignore[return-value]  # by the rules' points

    def request(self, method: str, path: str, now_ms: int) -> RequestFate:
        """What becomes of a request on its way to the exchange."""
        return self._fate(Point.REQUEST, matter_of_call(method, path), now_ms)  # type: ignore[return-value]

    def answer(self, method: str, path: str, now_ms: int) -> AnswerFate:
        """What becomes of the exchange's answer to it."""
        return self._fate(Point.ANSWER, matter_of_call(method, path), now_ms)  # type: ignore[return-value]

    def frame(self, message: bytes, now_ms: int) -> FrameFate:
        """What becomes of one message of the stream."""
        return self._fate(Point.FRAME, matter_of_frame(message), now_ms)  # type: ignore[return-value]

    def acts(self, now_ms: int) -> list[Act]:
        """What the world has begun to do since this was last asked, earliest first."""
        return sorted(
            (act for bursts in self._acts for act in self._begun(bursts, now_ms)),
            key=lambda act: (act.at_ms, act.kind.name),
        )

    def healed(self, now_ms: int) -> bool:
        return self.swarm.heal_ms is not None and now_ms >= self.swarm.heal_ms

    def _begun(self, bursts: _Bursts, now_ms: int) -> Iterable[Act]:
        heal_ms = self.swarm.heal_ms if self.swarm.heal_ms is not None else inf
        for begin, end, pick in bursts.begun(now_ms):
            if begin < heal_ms:
                self.met[bursts.kind] += 1
                yield Act(bursts.kind, int(begin), int(min(end, heal_ms, begin + _ACT_MS_MAX) - begin), pick)

    def _fate(self, point: Point, matter: Matter, now_ms: int) -> Fate:
        decided: Fate = PLAIN
        if self.healed(now_ms):
            return decided
        for striker in self._strikers[point, matter]:
            fate = striker.strikes(now_ms)
            if decided is PLAIN and fate is not PLAIN:
                decided = fate
                self.met[striker.rule.kind] += 1
        return decided


_ACT_MS_MAX = 3_600_000


class _Bursts:
    """When one kind is on: pauses and bursts in turn, drawn as time gets there."""

    def __init__(self, habit: Habit, seed: int) -> None:
        self.kind = habit.kind
        self.on, self.pick = False, 0.0
        self._habit = habit
        self._rng = _stream(seed, f"bursts {habit.kind.name}")
        self._turns_ms = self._length(habit.quiet_ms)

    def reach(self, now_ms: int) -> bool:
        """Let time pass up to now; whether a burst is on."""
        while now_ms >= self._turns_ms:
            self._turn()
        return self.on

    def begun(self, now_ms: int) -> Iterator[tuple[float, float, float]]:
        """Begin, end and pick of the bursts that began since this was last asked."""
        while now_ms >= self._turns_ms:
            begins = self._turns_ms
            self._turn()
            if self.on:
                yield begins, self._turns_ms, self.pick

    def _turn(self) -> None:
        self.on = not self.on
        self._turns_ms += self._length(self._habit.burst_ms if self.on else self._habit.quiet_ms)
        if self.on:
            self.pick = self._rng.random()

    def _length(self, mean_ms: float) -> float:
        return self._rng.expovariate(1 / mean_ms) if 0 < mean_ms < inf else mean_ms


class _Striker:
    """One rule of a run with its chance."""

    def __init__(self, rule: Rule, rate: float, bursts: _Bursts, rng: Random) -> None:
        self.rule, self._rate, self._bursts, self._rng = rule, rate, bursts, rng
        self._free_ms = 0

    def strikes(self, now_ms: int) -> Fate:
        """The rule's fate for this message, ``PLAIN`` when it does not strike."""
        if not self._bursts.reach(now_ms) or self._rng.random() >= self._rate or now_ms < self._free_ms:
            return PLAIN
        self._free_ms = now_ms + self.rule.every_ms
        return self.rule.fate(self._rng, self._bursts.pick)


def _stream(seed: int, name: str) -> Random:
    """Chance of its own, the same in every process whatever its hash seed."""
    return Random(f"{seed} {name}")
