"""Says outside that the engine proves no life: it cannot say so itself.

One that was stopped in order, or falls silent for a drill, is not missed. Nothing here cancels, and
nothing that fails here keeps a guard from it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import NamedTuple

import httpx

from core.control.outside.message import ACT, OVER, Message, Who, message
from core.control.outside.webhook import Webhook, post
from core.control.strikes import Record
from core.domain.clock import Clocks
from core.watchdog.watch import Watch

LOOK_S = 1.0
STRUCK_S = 5
"""So long beyond the patience of the guards it waits, to tell what they have done."""
AGAIN_S = 60.0
"""Between two tries of what did not arrive."""

_log = logging.getLogger(__name__)


class Way(NamedTuple):
    """The way out, and how often the same is said again."""

    webhook: Webhook
    network: httpx.AsyncBaseTransport
    again_min: int


class Caller:
    """Follows one guard's watch: they all hear the same pulses."""

    def __init__(
        self,
        way: Way,
        clocks: Clocks,
        watch: Watch,
        silent_s: int,
        profile: str,
        record: Callable[[], Record],
    ) -> None:
        self._way, self._clocks, self._watch, self._record = way, clocks, watch, record
        self._silent_ns = (silent_s + STRUCK_S) * 1_000_000_000
        self._again_ns = way.again_min * 60 * 1_000_000_000
        self._who = Who(profile, "", "watchdog")
        self._told_ns: int | None = None
        """When the silence was told; ``None``: nobody outside believes that there is one."""
        self._wait_until_ns = 0

    async def run(self) -> None:
        """Look once a second, until cancelled."""
        try:
            while True:
                await asyncio.sleep(LOOK_S)
                try:
                    await self._look(self._clocks.mono_ns())
                except Exception as error:  # noqa: BLE001 - logged by its sort alone, and tried again
                    _log.error("telling outside broke: %s", type(error).__name__)
        finally:
            await self._way.network.aclose()

    async def _look(self, now_ns: int) -> None:
        if now_ns < self._wait_until_ns:
            return
        silent, told_ns = self._silent(now_ns), self._told_ns
        if silent and (told_ns is None or now_ns - told_ns >= self._again_ns):
            if await self._post(self._gone(now_ns)):
                self._told_ns = now_ns
        elif not silent and told_ns is not None and await self._post(self._back()):
            self._told_ns = None

    def _silent(self, now_ns: int) -> bool:
        pulse = self._watch.pulse
        missed = pulse is not None and not pulse.leaving and not pulse.drill
        return missed and self._watch.silent_ns(now_ns) >= self._silent_ns

    async def _post(self, said: Message) -> bool:
        fault = await post(self._way.network, self._way.webhook, said)
        if fault:
            _log.warning("nobody outside was told: %s", fault)
            self._wait_until_ns = self._clocks.mono_ns() + int(AGAIN_S * 1e9)
        return not fault

    def _gone(self, now_ns: int) -> Message:
        silent_ms = self._watch.silent_ns(now_ns) // 1_000_000
        since_ms = self._clocks.wall_ms() - silent_ms
        record, pulse = self._record(), self._watch.pulse
        live = pulse.live if pulse is not None else 0
        done = f"{live} orders of it may be live" if live else "it had no live orders"
        if record.struck_ms is not None and record.struck_ms >= since_ms:
            done = record.receipt
        return message(
            self._who,
            ACT,
            f"the engine has proved no life for {silent_ms // 1000} s; {done}",
            about="engine",
            since_ms=since_ms,
            effect=done,
            clears="a start of the engine",
        )

    def _back(self) -> Message:
        said = "the engine proves life again, or was stopped in order"
        return message(self._who, OVER, said, about="engine", since_ms=self._clocks.wall_ms())
