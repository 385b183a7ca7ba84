"""The console's two connections to the engine, opened again whenever they end. No Textual here.

The state connection brings frames, the command connection takes commands and brings replies, and a
third, opened in advance, belongs to the stop key alone (``StopLine``).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import msgspec

from core.control.client import ConnectError, Connection, LinkError, StopLine, connect
from core.control.protocol import (
    VERSION,
    AnyCommand,
    Bye,
    Frame,
    Hello,
    Refused,
    Reply,
    Welcome,
)

RETRY_FIRST_S = 0.25
RETRY_MAX_S = 2.0
STOP_LINE_CHECK_S = 2.0
PRESSES_MAX = 64
"""Presses that wait for the event loop; of a held key the newest count."""


class Identity(msgspec.Struct, frozen=True):
    """How this console introduces itself."""

    pid: int
    session: str
    view_only: bool = False
    take: bool = False

    def hello(self, role: str) -> Hello:
        return Hello(VERSION, role, "console", self.pid, self.session, self.view_only, self.take)


class Listener(msgspec.Struct, frozen=True):
    """What the link tells its owner, always in the event loop."""

    up: Callable[[Welcome], None]
    down: Callable[[str], None]
    frame: Callable[[Frame], None]
    reply: Callable[[Reply], None]


class Link:
    """Keeps the connections; ``run`` lives as long as the console."""

    def __init__(self, path: Path, identity: Identity, listener: Listener) -> None:
        self._path = path
        self._identity = identity
        self._listener = listener
        self._commands: Connection | None = None
        self._stop_line: StopLine | None = None
        self._closed = False
        self._stops = 0
        self._presses: deque[str] = deque(maxlen=PRESSES_MAX)
        """Ids of presses sent from the input thread that the event loop has not handled yet."""

    def send(self, command: AnyCommand) -> bool:
        """Hand a command to the engine; false when there is no connection."""
        if self._commands is None:
            return False
        self._commands.send(command)
        return True

    def press_stop(self) -> bool:
        """Write the stop command on its own line; safe in any thread, never waits for the loop."""
        self._stops += 1
        press = f"{self._identity.session}-stop-{self._stops}"
        self._presses.append(press)
        line = self._stop_line
        return line is not None and line.send_flatten(press)

    def seen_press(self) -> str | None:
        """Id of the oldest press the loop has not handled: under it the same stop may be sent again.

        A second copy with an id of its own, late behind a busy loop, could begin a new stop after the
        first one was ended and the desk resumed.
        """
        try:
            return self._presses.popleft()
        except IndexError:
            return None

    async def run(self) -> None:
        """Connect, listen, and connect again after every end."""
        wait_s = RETRY_FIRST_S
        while True:
            try:
                await self._attend()
                wait_s = RETRY_FIRST_S
            except (ConnectError, LinkError) as error:
                self._listener.down(str(error))
            finally:
                self._commands = None
            await asyncio.sleep(wait_s)
            wait_s = min(RETRY_MAX_S, wait_s * 2)

    async def close(self) -> None:
        self._closed = True
        if self._stop_line is not None:
            self._stop_line.close()

    async def _attend(self) -> None:
        state = await connect(self._path, self._identity.hello("state"))
        try:
            commands = await connect(self._path, self._identity.hello("command"))
        except (ConnectError, asyncio.CancelledError):
            await state.close()
            raise
        self._commands = commands
        listening = [
            asyncio.create_task(self._hear(state)),
            asyncio.create_task(self._hear(commands)),
        ]
        stop_lines = asyncio.create_task(self._keep_stop_line())
        try:
            self._listener.up(state.welcome)
            # One connection without the other shows a desk that takes no key: both are opened anew.
            ended, _ = await asyncio.wait([*listening, stop_lines], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._commands = None
            for task in (*listening, stop_lines):
                task.cancel()
            await asyncio.gather(*listening, stop_lines, return_exceptions=True)
            await state.close()
            await commands.close()
        reasons = [task.result() for task in ended]
        self._listener.down(next(filter(None, reasons), "the engine closed the connection"))

    async def _hear(self, connection: Connection) -> str:
        """Deliver what the engine sends until the connection ends; returns the reason it gave, if any."""
        async for message in connection:
            match message:
                case Frame():
                    self._listener.frame(message)
                    if message.parts > 1:  # the next may be there already: a key comes between them
                        await asyncio.sleep(0)
                case Reply():
                    self._listener.reply(message)
                case Bye(reason=reason) | Refused(reason=reason):
                    return reason
        return ""

    async def _keep_stop_line(self) -> NoReturn:
        """Open the stop key's line, then look after it: replies are dropped, a dead line is replaced."""
        while True:
            await asyncio.to_thread(self._check_stop_line)
            await asyncio.sleep(STOP_LINE_CHECK_S)

    def _check_stop_line(self) -> None:
        line = self._stop_line
        try:
            if line is None:
                line = self._stop_line = StopLine(self._path, self._identity.hello("command"))
            elif not line.alive():
                line.reopen()
        except ConnectError:
            return  # the next check tries again; until then the key goes over the command connection
        if self._closed:  # meanwhile, in the loop's thread
            line.close()
