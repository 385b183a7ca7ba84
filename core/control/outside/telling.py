"""Tells outside this machine what somebody must act on, from a task beside the engine.

It looks at the table of alarms once a second and posts at most one message at a time. Nothing in the
engine waits for it; what goes wrong is an alarm to be looked at, and is tried again ever more rarely.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

import httpx
import msgspec

from core.config.settings import AlarmSettings
from core.control.outside.calls import Call, Calls, News, sentence
from core.control.outside.message import ACT, ALIVE, OVER, TEST, Message, Who, message
from core.control.outside.record import Record
from core.control.outside.webhook import Webhook, post
from core.control.tables.system import OutsideRow
from core.engine.desk import Desk
from core.engine.operator import VIEWER_REFUSED, Actor, Outcome, accepted, refused
from core.engine.state import Alarm, AlarmLevel
from core.journal.events import Kind

LOOK_S = 1.0
FAILS_MAX = 3
"""So many messages in a row that did not arrive are an alarm."""
BACKOFF_S_MAX = 300.0
DAY_MS = 86_400_000
_MINUTE_MS = 60_000
KEY = "outside"
DEAF = "what rings is heard on this machine alone; trading goes on"

_log = logging.getLogger(__name__)


class Rng(Protocol):
    def random(self) -> float: ...


class Channel(NamedTuple):
    """The way out."""

    webhook: Webhook
    network: httpx.AsyncBaseTransport
    rng: Rng
    record: Record
    """What became of it before this run."""
    keep: Callable[[Record], Awaitable[None]]
    """Writes down what becomes of it; raises nothing."""


class Outside:
    """``run`` is the task; the rest answers at once."""

    def __init__(
        self,
        desk: Desk,
        settings: AlarmSettings = AlarmSettings(),
        run: str = "",
        channel: Channel | None = None,
        unusable: str = "",
    ) -> None:
        """``channel`` is ``None`` where nobody is told, ``unusable`` says why where somebody should be."""
        self._desk, self._channel, self._unusable, self._run = desk, channel, unusable, run
        self._calls = Calls(settings.again_min * 60 * 1_000_000_000)
        hour, minute = map(int, settings.alive_at.split(":"))
        self._alive_at_ms = (hour * 60 + minute) * _MINUTE_MS
        self._record = channel.record if channel is not None else Record()
        self._alive_ms = self._record.alive_ms or desk.clocks.wall_ms()
        """The daily message's newest; a desk that never sent one begins at its next time."""
        self._fails = 0
        self._wait_until_ns = 0
        self._test_asked = False
        self._tests, self._tested = 0, ""

    def row(self) -> OutsideRow:
        """How it is, for a screen."""
        if self._channel is None:
            state = "unusable" if self._unusable else "off"
        elif self._record.fault:
            state = "fails"
        else:
            state = "works" if self._record.worked_ms is not None else "untried"
        fault = self._unusable or self._record.fault
        return OutsideRow(state, fault, self._record.worked_ms, self._tests, self._tested)

    def test(self, actor: Actor) -> Outcome:
        """Send one message now, whatever waits; ``row`` tells what came of it."""
        if not actor.may_operate:
            return VIEWER_REFUSED
        if self._channel is None:
            return refused(f"Nobody outside is told: {self._unusable or 'alarms.webhook is off'}.")
        if self._test_asked:
            return refused("A test is under way.")
        self._desk.scribe.desk(Kind.COMMAND, "alarms test: a message outside", actor=actor.name)
        self._test_asked = True
        return accepted("A test goes outside now; System says what came of it.")

    async def run(self) -> None:
        """Look and tell, until cancelled."""
        if self._unusable:
            what = f"nobody outside is told: {self._unusable}"
            self._desk.alarms.raise_(KEY, AlarmLevel.CHECK, what, DEAF, "a restart once that is mended")
        if self._channel is None:
            return
        try:
            while True:
                await asyncio.sleep(LOOK_S)
                try:
                    await self._look(self._channel, self._desk.clocks.mono_ns())
                except Exception as error:  # noqa: BLE001 - an alarm, and tried again: no desk ends for it
                    _log.error("telling outside broke: %s", type(error).__name__)
                    self._test_asked = False
                    self._wait_until_ns = self._desk.clocks.mono_ns() + int(BACKOFF_S_MAX * 1e9)
                    self._failed("the part that tells broke, see engine.log")
        finally:
            await self._channel.network.aclose()

    async def _look(self, channel: Channel, now_ns: int) -> None:
        self._calls.look(self._acute(), now_ns)
        if self._test_asked:
            await self._try_out(channel)
        elif now_ns >= self._wait_until_ns:
            await self._tell(channel, now_ns)

    def _acute(self) -> list[Alarm]:
        return [alarm for alarm in self._desk.state.alarms.values() if alarm.level is AlarmLevel.ACT]

    async def _tell(self, channel: Channel, now_ns: int) -> None:
        """The most urgent message that is due, if one is."""
        call = self._calls.due(now_ns)
        if call is not None:
            if not await self._post(channel, self._message(call)):
                self._calls.told(call, now_ns)
            return
        due_ms = self._due_ms()
        if due_ms > self._alive_ms and not await self._post(channel, self._alive(due_ms)):
            self._alive_ms = due_ms
            await self._keep(channel, msgspec.structs.replace(self._record, alive_ms=due_ms))

    async def _try_out(self, channel: Channel) -> None:
        text = "a test, nothing has to be done"
        said = message(self._who(), TEST, text, about="test", since_ms=self._desk.clocks.wall_ms())
        fault = await self._post(channel, said)
        self._tested = f"did not arrive: {fault}" if fault else "has arrived"
        self._tests += 1
        self._test_asked = False

    async def _post(self, channel: Channel, said: Message) -> str:
        """Send once and keep what came of it; empty when the receiver took it."""
        fault = await post(channel.network, channel.webhook, said)
        if fault:
            self._fails += 1
            backoff_s = min(BACKOFF_S_MAX, 2.0 ** min(self._fails, 10)) * (0.5 + channel.rng.random() / 2)
            self._wait_until_ns = self._desk.clocks.mono_ns() + int(backoff_s * 1e9)
            if self._fails >= FAILS_MAX:
                self._failed(fault)
            kept = msgspec.structs.replace(self._record, fault=fault)
        else:
            self._fails, self._wait_until_ns = 0, 0
            self._desk.alarms.clear(KEY)
            kept = msgspec.structs.replace(self._record, fault="", worked_ms=self._desk.clocks.wall_ms())
        await self._keep(channel, kept)
        return fault

    def _failed(self, why: str) -> None:
        what = f"nobody outside is told: {why}"
        self._desk.alarms.raise_(KEY, AlarmLevel.CHECK, what, DEAF, "the next message that arrives")

    async def _keep(self, channel: Channel, record: Record) -> None:
        if record != self._record:
            self._record = record
            await channel.keep(record)

    def _due_ms(self) -> int:
        """When the daily message was due last, real time."""
        now_ms = self._desk.clocks.wall_ms()
        return now_ms - (now_ms - self._alive_at_ms) % DAY_MS

    def _who(self) -> Who:
        state = self._desk.state
        return Who(state.profile, state.mode.value, self._run)

    def _message(self, call: Call) -> Message:
        clocks, first = self._desk.clocks, call.about[0]
        missed = f"; and {self._calls.lost} before that nobody could be told of" if self._calls.lost else ""
        return message(
            self._who(),
            OVER if call.news is News.OVER else ACT,
            sentence(call) + missed,
            about=str(first.alarm.id),
            since_ms=clocks.wall_ms() - (clocks.mono_ns() - first.since_ns) // 1_000_000,
            what=first.text,
            effect=first.alarm.effect,
            clears=first.alarm.clears,
        )

    def _alive(self, due_ms: int) -> Message:
        unseen = sum(not alarm.acknowledged for alarm in self._acute())
        level = self._desk.state.halts.desk.name
        said = f"the desk is there; level {level}, alarms nobody has seen: {unseen}"
        return message(self._who(), ALIVE, said, about="alive", since_ms=due_ms)
