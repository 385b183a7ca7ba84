"""The end of an engine is a decision: keep what rests, cancel it, or flatten first.

Kept orders die by their own expiry, which nobody renews any more. Cancelling waits until each order is
proved dead, at most ``BUDGET_S``; asking again does not shorten that. A flatten that does not end flat
keeps the engine: somebody has to look after what is left.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
from collections.abc import Collection
from typing import TYPE_CHECKING

from core.domain.order import Life, Order
from core.engine import belief
from core.engine.state import AlarmLevel
from core.execution.ladder import Phase
from core.journal.events import Kind
from core.journal.wording import clock_text

if TYPE_CHECKING:
    from core.engine.desk import Desk

BUDGET_S = 20.0
"""An orderly stop waits this long for cancels to be proved."""
LOOK_S, SHOWN_S = 0.1, 1.0
"""Whoever follows the flatten sees its end before the engine goes."""
ANSWERS_S = 5.0
"""Kept orders that are on their way get this long for their answer."""

ROW_S = 5.0
"""The last row gets this long to reach the disk."""


class How(enum.Enum):
    CANCEL = "cancel"
    KEEP = "keep"
    FLATTEN = "flatten"


class Ending:
    """Decided once by whoever asks first; a wish to flatten can still be turned into an end at once."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        self.how = How.CANCEL
        self.reason = ""

    @property
    def decided(self) -> bool:
        return self._asked.is_set()

    def decide(self, how: How, reason: str) -> None:
        self.how, self.reason = how, reason
        self._asked.set()

    async def wait(self) -> None:
        await self._asked.wait()

    async def after_flatten(self, desk: Desk, reason: str) -> None:
        """End once the running ladder has ended flat; otherwise say that the engine goes on."""
        while (ladder := desk.stop.ladder) is not None and not ladder.over:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._asked.wait()
                return
        assert ladder is not None, "it was begun before this waits for it"
        if ladder.phase is Phase.FLAT:
            await asyncio.sleep(SHOWN_S)
            self.decide(How.FLATTEN, reason)
            return
        what = f"the engine goes on: its stop was to be flat, the flatten ended {ladder.phase.value}"
        desk.scribe.desk(Kind.COMMAND, what)
        desk.alarms.raise_("stop", AlarmLevel.CHECK, what, "none", "engine stop")

    async def carry_out(self, desk: Desk) -> None:
        """The last thing an engine does: no send any more, then what was decided, then its last row."""
        desk.seats.halted = True
        desk.seats.close()
        desk.approvals.withdraw_all("the engine stops")
        ledger = desk.ledger
        if self.how is How.KEEP:
            desk.watched.kept = True
            await ledger.movement.until(lambda: not any(map(_on_its_way, ledger.live.values())), ANSWERS_S)
            left = f"; {_kept(ledger.live.values())}"
        else:
            desk.seats.cancel(tuple(ledger.live), "the engine stops")
            dead = await ledger.movement.until(lambda: not ledger.live, BUDGET_S)
            left = "" if dead else f"; not proved dead: {_kept(ledger.live.values())}"
        belief.note(desk.scribe.log, ledger, desk.state.halts)
        row = desk.scribe.desk(Kind.STOP, f"engine stops: {self.reason}{left}")
        with contextlib.suppress(TimeoutError):  # a disk that hangs does not keep the engine from its end
            async with asyncio.timeout(ROW_S):
                await desk.scribe.log.durable(row)


def kept(desk: Desk) -> str:
    """What an end with ``KEEP`` would leave at the venue, as a clause."""
    return _kept(desk.ledger.live.values())


def _kept(orders: Collection[Order]) -> str:
    if not orders:
        return "no orders rest"
    ends = [order.dead_by_ms for order in orders if order.dead_by_ms is not None]
    last = f", the last one ends by its own expiry at {clock_text(max(ends))}" if ends else ""
    return f"{len(orders)} order{'s' * (len(orders) != 1)} may rest{last}"


def _on_its_way(order: Order) -> bool:
    return order.life in (Life.INTENT, Life.SENDING)
