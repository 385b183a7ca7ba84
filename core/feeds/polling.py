"""Polls a source's stations on a cadence of world time, backs off when it fails, and says how it is.

Cadence and age are world time (never polled faster than once a real second, and every two of them however
fast a simulated world is); backoff is real time: 1 to 60 s with full jitter, and never longer than the normal
cadence. Three failures in a row with no source left that works open a breaker: then one request at a time
asks whether the service is back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from core.domain.clock import Clocks
from core.feeds.budget import Budget
from core.feeds.declaration import Declaration, Key
from core.feeds.feed import FeedHealth, FeedState, Tried, within_hours
from core.feeds.fetch import Body, Failed, NotModified
from core.feeds.trial import answered, failed

if TYPE_CHECKING:
    import random

REAL_INTERVAL_S_MIN = 1.0
FAST_CADENCE_S_MIN = 2.0
"""Between two questions of a cadence in a world that is faster than real time."""
BACKOFF_S_MAX = 60.0
BACKOFF_DOUBLINGS = 6
BREAKER_FAILURES = 3
PROBE_S = 60.0
KEY_REFUSED_S = 3_600.0
"""A refused key is asked with again this much later (real time): somebody may have paid."""
SPENT_LOOK_S = 3_600.0
"""Whether a quota is whole again is looked for at least so often (real time). That asks nobody, and no loop
sleeps through a suspended machine's time, or through a month that has become longer."""
SLOWED_S = 600.0
"""After a 429 without a wish of its own the cadence is halved for this long."""

NOTHING_FOLLOWED = "it follows nothing"


class Polled(msgspec.Struct, frozen=True):
    """A poll that worked. ``changed`` means new data went to the sink; ``again_in_s`` (world) overrides the
    cadence once."""

    received_ns: int
    changed: bool
    again_in_s: float | None = None
    latency_ms: int | None = None
    """Of its last answer, where it is known."""
    remark: str = ""
    """What of the rest is wrong, in words, until a poll says otherwise: it is no failure of the source."""


class Source(Protocol):
    """One thing that is polled: a station at a source, or a model with all its stations."""

    key: str
    """What the console calls it: an ICAO code, a model."""

    @property
    def newest_ms(self) -> int | None:
        """World time of the newest data held; for several stations of the one that lags most."""
        ...

    @property
    def stale_after_s(self) -> int: ...

    async def poll(self) -> Polled | Failed: ...


Asker = Callable[[], Awaitable[Body | NotModified | Failed]]
"""Asks the declaration's probe once."""


class PolledFeed:
    """Fulfils ``Feed`` for a set of sources that fail together."""

    def __init__(
        self,
        declaration: Declaration,
        sources: Sequence[Source],
        interval_s: float,
        clocks: Clocks,
        rng: random.Random,
        *,
        budget: Budget | None = None,
        key: Key | None = None,
        probe: Asker | None = None,
    ) -> None:
        self.name = declaration.label
        self._of, self._budget, self._key, self._probe = declaration, budget, key, probe
        self._sources = tuple(sources)
        self._turns = {source.key: asyncio.Lock() for source in self._sources}
        self._clocks = clocks
        self._interval_s = interval_s
        self._rng = rng
        # Failures in a row of the whole feed, and of each source with the last reason.
        self._failures = 0
        self._faults: dict[str, tuple[int, str]] = {}
        self._remarks: dict[str, str] = {}
        self._retry_at_ns: int | None = None
        self._slow_until_ns = self._quiet_until_ns = 0
        self._received_ns: int | None = None
        self._latency_ms: int | None = None
        self._refused, self._spent = "", False
        self._unchanged = 0
        self._alone = asyncio.Lock()

    async def run(self) -> None:
        """Poll until cancelled. One task a source; an unexpected error ends all of them and is raised."""
        if not self._sources:
            await asyncio.Event().wait()
        async with asyncio.TaskGroup() as group:
            for source in self._sources:
                group.create_task(self._keep(source), name=f"feed {self.name} {source.key}")

    def health(self) -> FeedHealth:
        world_ms = self._clocks.world_ms()
        held = [(s.newest_ms, s) for s in self._sources if s.newest_ms is not None]
        stale = [
            f"{s.key} {_span(world_ms - at)} old" for at, s in held if world_ms - at > s.stale_after_s * 1000
        ]
        missing = [s.key for s in self._sources if s.newest_ms is None]
        if self._refused:
            state = FeedState.AUTH
        elif self._spent:
            state = FeedState.SPENT
        elif self._open:
            state = FeedState.DOWN
        elif not held:
            state = FeedState.WAITING
        else:
            state = FeedState.STALE if stale else FeedState.OK
        newest_ms, limit_s = None, min((s.stale_after_s for s in self._sources), default=0)
        if held:
            newest_ms, worn = max(held, key=lambda one: (world_ms - one[0]) / max(1, one[1].stale_after_s))
            limit_s = worn.stale_after_s
        if self._of.closes:
            limit_s = self._of.stale_after_s
            if state is FeedState.OK:
                state, newest_ms = within_hours([at for at, _ in held], world_ms, limit_s)
        faults = [f"{key}: {reason}" for key, (_, reason) in self._faults.items()]
        remarks = [f"{key}: {remark}" for key, remark in self._remarks.items() if remark]
        waiting = [f"waiting for {', '.join(missing)}"] if missing else []
        return FeedHealth(
            name=self.name,
            state=state,
            newest_event_ms=newest_ms,
            received_ns=self._received_ns,
            stale_after_s=limit_s,
            retry_at_ns=self._retry_at_ns,
            failures=self._failures,
            detail=next(
                iter([*faults, *stale, *remarks, *waiting]), "" if self._sources else NOTHING_FOLLOWED
            ),
            unchanged_polls=self._unchanged,
            source=self._of.name,
            family=self._of.family.value,
            latency_ms=self._latency_ms,
            budget=self._budget.left() if self._budget is not None else (),
            missing=tuple(missing),
        )

    async def trial(self) -> Tried:
        """The declaration's probe, or an ordinary turn of the first source."""
        quiet_s = (self._quiet_until_ns - self._clocks.mono_ns()) / 1e9
        if quiet_s > 0:
            return Tried(False, f"Nothing was asked: its provider wants no questions for {quiet_s:.0f} s.")
        if self._probe is not None and self._of.probe is not None:
            found = answered(await self._probe(), self._of.probe)
            return Tried(found.passed, self._hidden(found.text))
        if not self._sources:
            return Tried(False, f"Nothing was asked: {NOTHING_FOLLOWED}.")
        source = self._sources[0]
        outcome = await self._polled(source)
        self._book(source, outcome)
        if isinstance(outcome, Failed):
            found = failed(outcome)
            return Tried(False, self._hidden(f"{source.key}: {found.text}"))
        took = "" if outcome.latency_ms is None else f" in {outcome.latency_ms} ms"
        news = "something new" if outcome.changed else "nothing new"
        return Tried(True, f"It answered for {source.key}{took} with {news}.")

    async def _polled(self, source: Source) -> Polled | Failed:
        """One turn of a source; a test waits for one that is under way."""
        async with self._turns[source.key]:
            return await source.poll()

    async def _keep(self, source: Source) -> None:
        while True:
            if not self._open:
                delay_s = await self._once(source)
            else:
                async with self._alone:
                    if self._open and self._retry_at_ns is not None:
                        await asyncio.sleep(max(0, self._retry_at_ns - self._clocks.mono_ns()) / 1e9)
                    delay_s = await self._once(source)
            await asyncio.sleep(delay_s)

    async def _once(self, source: Source) -> float:
        # The wish of a provider that is asked too often is about all that asks it.
        while (quiet_ns := self._quiet_until_ns - self._clocks.mono_ns()) > 0:  # noqa: ASYNC110 - it may be moved
            await asyncio.sleep(quiet_ns / 1e9)
        return self._book(source, await self._polled(source))

    def _book(self, source: Source, outcome: Polled | Failed) -> float:
        """Note an outcome; returns the real seconds to wait before this source's next turn."""
        if isinstance(outcome, Polled):
            self._failures, self._retry_at_ns = 0, None
            self._refused, self._spent = "", False
            if outcome.latency_ms is not None:
                self._latency_ms = outcome.latency_ms
            self._faults.pop(source.key, None)
            self._remarks[source.key] = self._hidden(outcome.remark)
            self._received_ns = outcome.received_ns
            self._unchanged = 0 if outcome.changed else self._unchanged + 1
            return self._real_s(outcome.again_in_s if outcome.again_in_s is not None else self._interval_s)
        now_ns, reason = self._clocks.mono_ns(), self._hidden(outcome.reason)
        self._spent = outcome.spent
        if outcome.spent:
            wait_s = max(REAL_INTERVAL_S_MIN, outcome.retry_after_s or 0.0)
            self._faults[source.key] = (0, reason)
            self._retry_at_ns = now_ns + int(wait_s * 1e9)
            return min(wait_s, SPENT_LOOK_S)
        if outcome.key_refused:
            self._refused = reason
            self._faults[source.key] = (1, f"the key is refused: {reason}")
            self._retry_at_ns = now_ns + int(KEY_REFUSED_S * 1e9)
            return KEY_REFUSED_S
        self._failures += 1
        in_a_row = self._faults.get(source.key, (0, ""))[0] + 1
        self._faults[source.key] = (in_a_row, reason)
        if outcome.status == 429:
            if outcome.retry_after_s is None:
                self._slow_until_ns = now_ns + int(SLOWED_S * 1e9)
            else:
                quiet_ns = now_ns + int(outcome.retry_after_s * 1e9)
                self._quiet_until_ns = max(self._quiet_until_ns, quiet_ns)  # of several wishes the longest
        cadence_s = self._real_s(self._interval_s)
        if outcome.retry_after_s is not None:
            delay_s = max(REAL_INTERVAL_S_MIN, outcome.retry_after_s)
        elif self._open:
            delay_s = min(PROBE_S, cadence_s)
        else:
            doublings = min(in_a_row - 1, BACKOFF_DOUBLINGS)
            jittered_s = self._rng.uniform(0.0, min(BACKOFF_S_MAX, cadence_s, 2.0**doublings))
            delay_s = max(REAL_INTERVAL_S_MIN, jittered_s)
        self._retry_at_ns = now_ns + int(delay_s * 1e9)
        # With the breaker open the wait happens at the probe, one source at a time.
        return 0.0 if self._open else delay_s

    @property
    def _open(self) -> bool:
        """One station's trouble must not slow the others: the breaker is for the service as a whole."""
        return self._failures >= BREAKER_FAILURES and len(self._faults) == len(self._sources)

    def _hidden(self, text: str) -> str:
        return self._key.hidden(text) if self._key is not None else text

    def _real_s(self, world_s: float) -> float:
        slowed = 2.0 if self._clocks.mono_ns() < self._slow_until_ns else 1.0
        world = self._clocks.world
        least_s = FAST_CADENCE_S_MIN if world.speed > 1.0 else REAL_INTERVAL_S_MIN
        return max(least_s, world.real_seconds(world_s)) * slowed


def _span(age_ms: int) -> str:
    """An age as a person says it: minutes, hours beyond two of them, days beyond four."""
    minutes = age_ms // 60_000
    if minutes < 120:
        return f"{minutes}m"
    return f"{minutes // 60}h" if minutes < 96 * 60 else f"{minutes // (24 * 60)}d"
