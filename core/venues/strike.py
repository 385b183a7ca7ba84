"""Cancelling a whole account at once and proving that nothing rests any more.

For whoever stands in for an engine: the watchdog, and a flatten without one. Group triggers and the
account-wide cancel go out together, at once; then the venue's own list says what is left, and that is
cancelled by id, until two complete readings hold nothing. It never gives up and never places an order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Protocol

import msgspec

from core.venues.traits import Traits
from core.venues.venue import CancelOutcome, Done, GroupOutcome, Incomplete, OrderReport, Unresolved

REPEAT_S = (0.25, 0.5, 1.0)
READ_AGAIN_S = 1.0
QUIET_READS = 2
SETTLED_NS = 60_000_000_000
"""So long a group's trigger or the cancel of everything may go without an answer. Once nothing rests it is
given up after that: who strikes must be free to strike for the next engine."""


class CancelOnly(Protocol):
    """What can be done at a venue without the means to place an order."""

    traits: Traits

    async def close(self) -> None: ...

    async def warm(self, calls: int) -> None:
        """Keep connections for so many cancels at once open."""
        ...

    async def groups(self) -> dict[str, str] | Incomplete:
        """Every safety group of the account with its part of the venue."""
        ...

    async def resting(self) -> tuple[OrderReport, ...] | Incomplete: ...

    async def trigger(self, group_id: str, part: str) -> GroupOutcome: ...

    async def cancel_everything(self) -> GroupOutcome: ...

    async def cancel(self, orders: Sequence[OrderReport]) -> tuple[CancelOutcome, ...]: ...


class Receipt(msgspec.Struct, frozen=True):
    """What a strike did and how long it took."""

    groups: int
    found: int
    """Orders that still rested after the first wave."""
    took_ms: int
    unanswered: int = 0
    """Triggers, and the cancel of everything, that the venue never confirmed."""

    def __str__(self) -> str:
        wave = "everything cancelled" if not self.unanswered else f"{self.unanswered} calls not confirmed"
        return (
            f"{self.groups} groups triggered, {wave}, {self.found} cancelled by id, "
            f"nothing rests; {self.took_ms / 1000:.1f} s"
        )


def _silent(_: int | None) -> None:
    """Nobody watches the progress."""


async def strike(
    venue: CancelOnly,
    known: dict[str, str],
    mono_ns: Callable[[], int],
    progress: Callable[[int | None], None] = _silent,
) -> Receipt:
    """Cancel everything; returns once the venue holds nothing. ``known``: groups the engine named.

    ``progress`` hears after each reading how many orders rest, ``None`` when that could not be read.
    """
    began, triggered = mono_ns(), set[str]()
    async with asyncio.TaskGroup() as tasks:
        wave: list[asyncio.Task[Any]] = [
            tasks.create_task(_trigger(venue, group_id, part, triggered)) for group_id, part in known.items()
        ]
        wave.append(tasks.create_task(_until_done(venue.cancel_everything)))
        wave.append(tasks.create_task(_other_groups(venue, known, triggered)))

        def settled() -> bool:
            return all(task.done() for task in wave) or mono_ns() - began > SETTLED_NS

        # A task as well: the reading leaves after the wave, not before it.
        found = await tasks.create_task(_until_nothing_rests(venue, progress, settled))
        unanswered = [task for task in wave if not task.done()]
        for task in unanswered:
            task.cancel()
    return Receipt(len(triggered), found, (mono_ns() - began) // 1_000_000, len(unanswered))


async def _until_done(call: Callable[[], Coroutine[Any, Any, GroupOutcome]]) -> bool:
    """A group that is not there needs no trigger; anything unresolved is repeated. Whether it was there."""
    attempt = 0
    while isinstance(outcome := await call(), Unresolved):
        await asyncio.sleep(REPEAT_S[min(attempt, len(REPEAT_S) - 1)])
        attempt += 1
    return isinstance(outcome, Done)


async def _trigger(venue: CancelOnly, group_id: str, part: str, triggered: set[str]) -> None:
    if await _until_done(partial(venue.trigger, group_id, part)):
        triggered.add(group_id)


async def _other_groups(venue: CancelOnly, known: dict[str, str], triggered: set[str]) -> None:
    """Groups the engine did not name in its last pulse."""
    found = await venue.groups()
    if isinstance(found, Incomplete):
        return  # the account-wide cancel does not need them
    others = {group_id: part for group_id, part in found.items() if group_id not in known}
    await asyncio.gather(*(_trigger(venue, group_id, part, triggered) for group_id, part in others.items()))


async def _until_nothing_rests(
    venue: CancelOnly, progress: Callable[[int | None], None], settled: Callable[[], bool]
) -> int:
    """How many orders had to be cancelled by id, once nothing rests and the first wave is ``settled``."""
    quiet, seen = 0, set[str]()
    while True:
        resting = await venue.resting()
        progress(None if isinstance(resting, Incomplete) else len(resting))
        if not isinstance(resting, Incomplete):
            quiet = 0 if resting else quiet + 1
            if quiet >= QUIET_READS and settled():
                return len(seen)
            if resting:
                seen.update(report.order_id for report in resting)
                await venue.cancel(resting)
        await asyncio.sleep(READ_AGAIN_S)
