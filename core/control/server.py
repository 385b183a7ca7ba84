"""The engine's side of the control socket: who is attached, who controls, what was answered already.

One Unix socket, private from birth, the peer's uid checked by the kernel's word. State goes out at
most ten times a second, changed rows only, and at once where news has moved a fair value.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Protocol

from core.control.connection import Connection, FrameReader
from core.control.pace import FramePace
from core.control.protocol import (
    VERSION,
    AnyCommand,
    Bye,
    Flatten,
    Halt,
    Query,
    Reply,
    TakeControl,
    Welcome,
)
from core.engine.operator import Actor

ANSWERS_MAX = 2048
"""Answers remembered for repeated command ids."""

_log = logging.getLogger(__name__)


class Desk(Protocol):
    """What the server needs of the engine. Every call returns at once."""

    def command(self, command: AnyCommand, actor: Actor) -> Reply: ...

    def reader(self) -> FrameReader: ...

    def controller_attached(self, actor: Actor) -> None: ...

    def controller_gone(self) -> None: ...

    def viewers(self, pids: Sequence[int]) -> None: ...


class Server:
    """Everyone who is attached. ``run`` listens until cancelled, then says goodbye."""

    def __init__(
        self, desk: Desk, mono_ns: Callable[[], int], *, profile: str, engine_id: str, pid: int
    ) -> None:
        self.desk = desk
        self.mono_ns = mono_ns
        self.clients: set[Connection] = set()
        self.controller: tuple[str, int] | None = None
        self._profile = profile
        self._engine_id = engine_id
        self._pid = pid
        self._answers: OrderedDict[tuple[int, str, str], Reply] = OrderedDict()
        self._viewers: tuple[int, ...] = ()
        self.pace = FramePace()

    async def run(self, listening: socket.socket, goodbye: Callable[[], str]) -> None:
        """Serve an already bound socket; on cancellation every client is told ``goodbye()``."""
        loop = asyncio.get_running_loop()
        server = await loop.create_unix_server(lambda: Connection(self), sock=listening)
        try:
            while True:
                await self.pace.turn()
                now = self.mono_ns()
                for client in tuple(self.clients):
                    self._tick(client, now)
        finally:
            server.close()
            for client in tuple(self.clients):
                client.say(Bye(goodbye()))
                client.close()

    def _tick(self, client: Connection, now_ns: int) -> None:
        """A row that cannot be built costs a console its connection, never the desk its engine."""
        try:
            client.tick(now_ns)
        except Exception:  # noqa: BLE001 - logged, and the connection it concerns ends
            _log.exception("no frame for pid %s", client.pid)
            client.abort()

    # --- who controls --------------------------------------------------------------------------

    def welcome(self, client: Connection) -> Welcome:
        return Welcome(VERSION, self._engine_id, self._profile, client.controls, self._pid)

    def attached(self, client: Connection) -> None:
        """A console's state connection is open: it controls when nobody does, or when it takes."""
        hello = client.hello
        if not hello.view_only and (self.controller is None or hello.take):
            self._hand_over(client)
        self._count_viewers()

    def detached(self, client: Connection) -> None:
        if not client.shows_state:
            return
        if self.controller == client.identity and not any(
            other.identity == self.controller for other in self.clients if other.shows_state
        ):
            self.controller = None
            self.desk.controller_gone()
        self._count_viewers()

    def _hand_over(self, client: Connection) -> None:
        self.controller = client.identity
        self.desk.controller_attached(client.actor())

    def _take(self, client: Connection, command: TakeControl) -> Reply:
        shown = [c for c in self.clients if c.shows_state and c.identity == client.identity]
        if not shown:
            return Reply(command.id, accepted=False, text="Only an attached console can take control.")
        if any(c.hello.view_only for c in shown):
            return Reply(command.id, accepted=False, text="This console was started with --view-only.")
        self._hand_over(shown[0])
        self._count_viewers()
        return Reply(command.id, accepted=True, text="You have control.")

    def _count_viewers(self) -> None:
        sessions = {c.identity for c in self.clients if c.shows_state} - {self.controller}
        pids = tuple(sorted(pid for _, pid in sessions))
        if pids != self._viewers:
            self._viewers = pids
            self.desk.viewers(pids)

    # --- commands ------------------------------------------------------------------------------

    def answer(self, client: Connection, command: AnyCommand) -> Reply:
        """Carry the command out once; a repeated id gets the first answer."""
        key = (client.uid, client.hello.session, command.id)
        known = self._answers.get(key)
        if known is not None:
            return known
        # Stopping is never limited: a held stop key joins the running stop.
        if not isinstance(command, Flatten | Halt) and not client.within_rate(self.mono_ns()):
            return Reply(command.id, accepted=False, text="Too many commands at once; wait a second.")
        reply = self._carry_out(client, command)
        if isinstance(command, Query):
            return reply  # asking again changes nothing, and its answer may be long
        self._answers[key] = reply
        if len(self._answers) > ANSWERS_MAX:
            self._answers.popitem(last=False)
        return reply

    def _carry_out(self, client: Connection, command: AnyCommand) -> Reply:
        """A command the engine breaks on is answered too: silence would leave its sender guessing."""
        if isinstance(command, TakeControl):
            return self._take(client, command)
        try:
            return self.desk.command(command, client.actor())
        except Exception as fault:  # noqa: BLE001 - logged, and told to whoever sent it
            _log.exception("a command of pid %s broke", client.pid)
            name = type(fault).__name__
            text = f"The engine failed on this command ({name}); look at pmconsole status and engine.log."
            return Reply(command.id, accepted=False, text=text)
