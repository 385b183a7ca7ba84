"""The watchdog's side of one venue: it looks, strikes and proves its own key there, and waits for no other.

A venue that does not answer keeps its own guard busy; the others are free to strike again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

from core.control.pulse import Pulse
from core.domain.clock import Clocks
from core.domain.order import OURS
from core.venues.strike import CancelOnly, strike
from core.venues.venue import Incomplete
from core.watchdog.watch import Suspicion, Watch

TICK_S = 0.25
WARM_S = 10.0
PROBE_S = 30.0
"""How often its own key and connection are proved by reading the account."""
BROKEN_S = 0.5
"""Before a step that broke is tried again."""

_log = logging.getLogger(__name__)


class Strikes(Protocol):
    """Keeps what guards have done."""

    def keep(self, guard: Guard, pulse: Pulse | None, text: str) -> None:
        """What a guard does or has done about the silence after that pulse."""
        ...


class Guard:
    """Everything the watchdog does at one venue; its tasks are run by the process."""

    def __init__(self, account: CancelOnly, clocks: Clocks, silent_s: int, strikes: Strikes) -> None:
        self._account, self._clocks, self._strikes = account, clocks, strikes
        self._silent_s = silent_s
        self.name = account.traits.venue.short
        self.watch_of = Watch(clocks.mono_ns(), silent_s * 1_000_000_000)
        self.unread = "its key has not been tried yet"
        """Why the account cannot be read; empty when it can."""
        self._broken = set[str]()
        """Steps that broke when they were last taken."""

    @property
    def unfit(self) -> str:
        """Why it could not cancel now; empty when it can."""
        broken = (f"its {name} broke and is tried again, see watchdog.log" for name in sorted(self._broken))
        return "; ".join(filter(None, (self.unread, *broken)))

    async def watch(self) -> None:
        """Look at the silence four times a second; strike when it has lasted too long."""
        while True:
            await self._unfailing("watch", self._judge)
            await asyncio.sleep(TICK_S)

    async def _unfailing(self, name: str, step: Callable[[], Awaitable[None]]) -> None:
        """Nothing that breaks in a step ends the watch: it is tried again, and it is unfit until then."""
        try:
            await step()
        except Exception:  # noqa: BLE001 - logged, and the engine hears of it with every pulse
            _log.exception("%s: %s broke", self.name, name)
            self._broken.add(name)
            await asyncio.sleep(BROKEN_S)
        else:
            self._broken.discard(name)

    async def _judge(self) -> None:
        match self.watch_of.suspicion(self._clocks.mono_ns()):
            case Suspicion.STRIKE:
                silent = f"the engine has not proved life for {self._silent_s} s"
                await self._strike(f"{silent} and orders may be live")
            case Suspicion.LOOK:
                await self._look()
            case Suspicion.NONE:
                pass

    async def _look(self) -> None:
        """No engine speaks of live orders: strike only if the venue shows some of ours."""
        resting = await self._account.resting()
        if isinstance(resting, Incomplete):
            _log.warning("%s: cannot look at the account: %s", self.name, resting.reason)
            await asyncio.sleep(1.0)  # an unread account is no quiet one: look again
        elif any(not self._account.traits.client_ids or r.client_order_id.startswith(OURS) for r in resting):
            # Where the venue carries no ids of ours, whatever rests under the key counts as ours.
            await self._strike("no engine proves life and orders of ours rest")
        else:
            self.watch_of.settled()

    async def _strike(self, why: str) -> None:
        pulse = self.watch_of.pulse
        _log.error("%s: striking: %s", self.name, why)
        self._strikes.keep(self, pulse, f"{why}; under way")
        # A group of another venue is not there, and needs no trigger.
        groups = dict(pulse.groups) if pulse is not None else {}
        receipt = await strike(self._account, groups, self._clocks.mono_ns)
        _log.error("%s: struck: %s", self.name, receipt)
        self._strikes.keep(self, pulse, f"{why}: {receipt}")
        if self.watch_of.pulse is pulse:
            self.watch_of.settled()

    async def probe(self) -> None:
        """Prove that the key and the connection work, before they are needed."""
        while True:
            await self._unfailing("probe", self._probe)
            await asyncio.sleep(PROBE_S if not self.unfit else 1.0)

    async def _probe(self) -> None:
        found = await self._account.resting()
        unfit = f"the account cannot be read: {found.reason}" if isinstance(found, Incomplete) else ""
        if unfit != self.unread:
            _log.info("%s: %s", self.name, unfit or "its account is read")
        self.unread = unfit

    async def warm(self) -> None:
        """A strike begins with the trigger of each group and the cancel of everything, side by side."""
        while True:
            pulse = self.watch_of.pulse
            calls = 1 + (len(pulse.groups) if pulse is not None else 0)
            await self._unfailing("connection", partial(self._account.warm, calls))
            await asyncio.sleep(WARM_S)

    async def close(self) -> None:
        await self._account.close()
