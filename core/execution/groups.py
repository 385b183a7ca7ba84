"""The venue's safety groups as the desk uses them: armed at start, named in every order, triggered first.

Triggering a group is the fastest way to cancel everything of ours, and its limit holds when this
engine does not. What was triggered, by us or by the venue, stays so until an operator resumes. A
group never holds back an exit: one that does not stand armed is simply not named.
"""

from __future__ import annotations

import asyncio
import enum
import math
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, Protocol

import msgspec

from core.domain.clock import Clocks
from core.domain.market import FIRST_VENUE, Venue
from core.domain.order import Purpose
from core.execution.points import Point, Reach
from core.execution.tasks import Tasks
from core.venues.venue import Done, GroupChange, GroupOutcome, Incomplete, Rejected, SafetyGroup, SafetyNet

REPEAT_S = (0.25, 0.5, 1.0)
"""Pauses between attempts to trigger or reset; the last one repeats."""
LATE_NEWS_NS = 5_000_000_000
"""How long after the answer to a reset the stream may still tell of a trigger from before it, unless it has
told of the reset."""


class GroupState(enum.Enum):
    ARMED = "armed"
    TRIGGERING = "triggering"
    """Asked for by us, not proved yet."""
    TRIGGERED = "triggered"
    RESETTING = "resetting"


class GroupNoted(msgspec.Struct, frozen=True):
    """A journal row: a group and how it stands from now on; ``state`` ``None``: it is gone."""

    group: SafetyGroup
    state: GroupState | None
    text: str
    venue: Venue = FIRST_VENUE


class Standing(msgspec.Struct):
    group: SafetyGroup
    state: GroupState
    late_until_ns: float = 0
    """Until this monotonic time a trigger in the stream is from before the reset we asked for."""


class GroupsListener(Protocol):
    def on_group_noted(self, noted: GroupNoted) -> None:
        """A group changed; the row to journal."""
        ...

    def on_group_tripped(self, group: SafetyGroup, what: str) -> None:
        """The venue triggered or removed a group without our word: its orders are being cancelled."""
        ...


class Groups:
    """Every group of this desk on one venue, by id.

    ``missing`` says why a market is not covered, empty when all are.
    """

    def __init__(
        self,
        *,
        net: SafetyNet,
        venue: Venue,
        clocks: Clocks,
        tasks: Tasks,
        contracts: Callable[[], Mapping[Purpose, int]],
        listener: GroupsListener,
        reach: Reach,
        restored: Iterable[GroupNoted] = (),
    ) -> None:
        self._net = net
        self._venue = venue
        self._clocks = clocks
        self._tasks = tasks
        self._contracts = contracts
        self._listener = listener
        self._reach = reach
        self.standing: dict[str, Standing] = {}
        self.missing = "not armed yet"
        for noted in restored:
            if noted.venue is venue:
                self._take(noted)

    def _take(self, noted: GroupNoted) -> None:
        """What was on its way when a run ended counts as triggered: the safe side."""
        if noted.state is None:
            self.standing.pop(noted.group.group_id, None)
        else:
            state = GroupState.ARMED if noted.state is GroupState.ARMED else GroupState.TRIGGERED
            self.standing[noted.group.group_id] = Standing(noted.group, state)

    @property
    def triggered(self) -> bool:
        """Whether any group refuses orders."""
        return any(at.state is not GroupState.ARMED for at in self.standing.values())

    # --- arming --------------------------------------------------------------------------------

    async def arm(self) -> bool:
        """Arm what is missing; false when it could not be, with the reason in ``missing``."""
        known = [at.group for at in self.standing.values()]
        found = await self._net.arm_groups(self._contracts(), known)
        if isinstance(found, Incomplete):
            self.missing = f"{found.what}: {found.reason}"
            return False
        ids, before = {group.group_id for group in found}, {group.group_id for group in known}
        for group in known:
            if group.group_id not in ids and group.group_id in self.standing:
                self._gone(group, "the venue does not know it any more")
        for group in found:
            if group.group_id not in before:
                self._note(group, GroupState.ARMED, f"limit {group.contracts} contracts")
        if not ids <= self.standing.keys():
            return False  # removed while the answer was on its way
        self.missing = ""
        self.follow_limits()  # one taken over may have been opened under other limits
        return True

    def follow_limits(self) -> None:
        """A limit of the desk changed: the groups follow."""
        for at in self.standing.values():
            contracts = self._contracts()[at.group.purpose]
            if contracts != at.group.contracts:
                self._tasks.spawn(f"limit group {at.group.group_id}", self._limit(at, contracts))

    async def _limit(self, at: Standing, contracts: int) -> None:
        limited = await self._net.limit_group(at.group, contracts)
        if isinstance(limited, Done) and self._stands(at):
            at.group = msgspec.structs.replace(at.group, contracts=contracts)
            self._note(at.group, at.state, f"limit {contracts} contracts")

    # --- sending -------------------------------------------------------------------------------

    def of(self, ticker: str, purpose: Purpose) -> str:
        """The group a new order names; empty without one. An exit names none that would refuse it."""
        at = self._covering(ticker, purpose)
        if at is None or (purpose is Purpose.CLOSE and at.state is not GroupState.ARMED):
            return ""
        return at.group.group_id

    def refusal(self, ticker: str, purpose: Purpose) -> str:
        """Why no entry may be sent there; empty when one may."""
        at = self._covering(ticker, purpose)
        if purpose is Purpose.CLOSE or at is None or at.state is GroupState.ARMED:
            return ""
        return f"the venue's safety group is {at.state.value}; it is reset by resume"

    def _covering(self, ticker: str, purpose: Purpose) -> Standing | None:
        part = self._net.part_of(ticker)
        here = (at for at in self.standing.values() if at.group.part == part)
        return next((at for at in here if at.group.purpose is purpose), None)

    # --- triggering ----------------------------------------------------------------------------

    def trigger(self, purpose: Purpose, cause: str) -> int:
        """Cancel every order of that purpose at once; returns how many groups are being triggered."""
        asked = [
            at
            for at in self.standing.values()
            if at.group.purpose is purpose and at.state in (GroupState.ARMED, GroupState.RESETTING)
        ]
        for at in asked:
            at.state = GroupState.TRIGGERING
            self._tasks.spawn(f"trigger {at.group.group_id}", self._trigger(at, cause))
        for at in asked:
            self._note(at.group, at.state, cause)
        return len(asked)

    def doubt(self, cause: str) -> None:
        """Somebody else triggered them all: until the reset of a resume none of them takes an order."""
        for at in self.standing.values():
            if at.state is not GroupState.TRIGGERED:
                at.state = GroupState.TRIGGERED
                self._note(at.group, at.state, cause)

    async def _trigger(self, at: Standing, cause: str) -> None:
        await self._until(at, GroupState.TRIGGERING, self._net.trigger_group, GroupState.TRIGGERED, cause)

    def reset(self, cause: str) -> None:
        """An operator resumed: groups accept orders again once the venue has said so."""
        for at in list(self.standing.values()):
            if at.state is not GroupState.ARMED:
                at.state, at.late_until_ns = GroupState.RESETTING, math.inf
                self._note(at.group, at.state, cause)
                self._tasks.spawn(f"reset {at.group.group_id}", self._reset(at, cause))

    async def _reset(self, at: Standing, cause: str) -> None:
        await self._until(at, GroupState.RESETTING, self._net.reset_group, GroupState.ARMED, cause)
        at.late_until_ns = min(at.late_until_ns, self._clocks.mono_ns() + LATE_NEWS_NS)
        if at.state in (GroupState.TRIGGERING, GroupState.TRIGGERED):
            # Which of the two came last at the venue is not known: the stop has the last word.
            at.state = GroupState.TRIGGERING
            await self._trigger(at, "again after a reset under way")

    async def _until(
        self,
        at: Standing,
        wanted: GroupState,
        call: Callable[[SafetyGroup], Coroutine[Any, Any, GroupOutcome]],
        reached: GroupState,
        cause: str,
    ) -> None:
        attempt = 0
        while at.state is wanted and self._stands(at):
            self._reach(Point.GROUP_BEFORE_BYTES)
            outcome = await call(at.group)
            self._reach(Point.GROUP_AFTER_ANSWER)
            if at.state is not wanted or not self._stands(at):
                return
            if isinstance(outcome, Done):
                at.state = reached
                self._note(at.group, reached, cause)
            elif isinstance(outcome, Rejected):
                self._gone(at.group, f"{outcome.code} {outcome.text}".rstrip())
            else:
                await asyncio.sleep(REPEAT_S[min(attempt, len(REPEAT_S) - 1)])
                attempt += 1

    # --- the venue's word ----------------------------------------------------------------------

    def heard(self, group_id: str, change: GroupChange) -> None:
        """News of a group. What we asked for is proof; anything else that stops orders is a trip."""
        at = self.standing.get(group_id)
        if at is None:
            return
        if change is GroupChange.RESET:
            at.late_until_ns = 0
        elif change is GroupChange.REFUSING or (change is GroupChange.TRIGGERED and not self._late(at)):
            before, at.state = at.state, GroupState.TRIGGERED
            if before is GroupState.TRIGGERING:
                self._note(at.group, at.state, "confirmed by the venue")
            elif before is not GroupState.TRIGGERED:
                self._note(at.group, at.state, "triggered by the venue")
                self._listener.on_group_tripped(at.group, "triggered")
        elif change is GroupChange.REMOVED:
            self._gone(at.group, "removed at the venue")
            self._listener.on_group_tripped(at.group, "removed")

    def _late(self, at: Standing) -> bool:
        """Whether a trigger told now came before the reset we asked for, which has undone it."""
        undone = at.state in (GroupState.RESETTING, GroupState.ARMED)
        return undone and self._clocks.mono_ns() < at.late_until_ns

    # --- common --------------------------------------------------------------------------------

    def _stands(self, at: Standing) -> bool:
        """Whether the venue has not removed it meanwhile."""
        return self.standing.get(at.group.group_id) is at

    def _gone(self, group: SafetyGroup, text: str) -> None:
        self.standing.pop(group.group_id, None)
        self.missing = f"{_name(group)} is gone: {text}"
        self._tell(group, None, f"is gone: {text}")

    def _note(self, group: SafetyGroup, state: GroupState, text: str) -> None:
        if group.group_id not in self.standing:
            self.standing[group.group_id] = Standing(group, state)
        self._tell(group, state, f"{state.value}: {text}")

    def _tell(self, group: SafetyGroup, state: GroupState | None, text: str) -> None:
        self._listener.on_group_noted(GroupNoted(group, state, f"{_name(group)} {text}", self._venue))


def _name(group: SafetyGroup) -> str:
    return f"safety group of {'entries' if group.purpose is Purpose.OPEN else 'exits'} on {group.part}"
