"""A tiny engine for tests: speaks the control protocol on a Unix socket and is driven by hand.

``python -m tests.tui.fake_engine SOCKET [--busy] [--both]`` runs one for looking at the console; ``--both``
with a second venue.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from core.control.protocol import (
    VERSION,
    AnyCommand,
    Flatten,
    Frame,
    FromClient,
    Hello,
    Query,
    Refused,
    Reply,
    Welcome,
)
from core.control.tables.markets import MarketRow
from core.domain.clock import machine_ns
from tests.tui import rows
from tui.tables import Now

_LENGTH = struct.Struct(">I")
ACCEPT_STEPS = 5
"""Steps of the loop from accepting a connection until it is served: its transport, stream and task."""
POLLED = ("market", "history", "payoff")
"""Asked by an open screen beside what a test asks about a market: answered only where both are named."""


def read_clocks() -> Now:
    return Now(machine_ns(), time.time_ns() // 1_000_000)


class FakeEngine:
    """Accepts consoles, keeps every command it got, and sends the frames a test gives it."""

    def __init__(
        self,
        path: Path,
        *,
        cards: bool = True,
        profile: str = "demo",
        both: bool = False,
        clock: Callable[[], Now] = read_clocks,
    ) -> None:
        self.path = path
        self._clock = clock
        self.commands: list[AnyCommand] = []
        self.hellos: list[Hello] = []
        self.arrived = asyncio.Event()
        self._cards = cards
        self._profile = profile
        self._both = both
        self.answers: dict[str, bytes] = {}
        """What queries are answered with: by name and what is asked about, by that alone, else by name.
        Anything else is refused."""
        self._states: list[asyncio.StreamWriter] = []
        self._roles: dict[str, list[asyncio.StreamWriter]] = {}
        self._all: list[asyncio.StreamWriter] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._server: asyncio.Server | None = None
        self._beat: asyncio.Task[None] | None = None
        self._seq = 1
        self.session = ""

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, str(self.path))
        self._beat = asyncio.create_task(self._heartbeat())

    async def stop(self) -> None:
        if self._beat is not None:
            self._beat.cancel()
        if self._server is not None:
            for listening in self._server.sockets:
                asyncio.get_running_loop().remove_reader(listening.fileno())
            for _ in range(ACCEPT_STEPS):  # whoever was accepted in this moment is closed with the others
                await asyncio.sleep(0)
            self._server.close()
        self.path.unlink(missing_ok=True)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks)
        for writer in self._all:
            writer.close()
        self._states.clear()

    def send(self, **parts: object) -> None:
        """One frame of changed rows to every console."""
        self._seq += 1
        frame = Frame(self._seq, self._clock().mono_ns, **parts)  # type: ignore[arg-type]  # rows by table name
        for writer in self._states:
            _write(writer, frame)

    def hang_up(self, role: str, reason: str) -> None:
        """End every connection of that role, saying why."""
        for writer in self._roles.pop(role, []):
            _write(writer, Refused(reason))
            writer.close()

    def silence(self) -> None:
        """Stop the heartbeat frames, as a hung engine would."""
        if self._beat is not None:
            self._beat.cancel()

    async def expect(self, kind: type[msgspec.Struct], timeout_s: float = 5.0) -> msgspec.Struct:
        """The first command of a kind; fails when none comes in time."""
        async with asyncio.timeout(timeout_s):
            while True:
                for command in self.commands:
                    if isinstance(command, kind):
                        return command
                self.arrived.clear()
                await self.arrived.wait()

    async def _heartbeat(self) -> None:
        while True:
            await asyncio.sleep(0.25)
            self.send()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._all.append(writer)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.append(task)
        decoder = msgspec.msgpack.Decoder(FromClient)
        # Cancelled by ``stop``: a stream's own callback cannot take a cancelled task.
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                (length,) = _LENGTH.unpack(await reader.readexactly(4))
                message = decoder.decode(await reader.readexactly(length))
                if isinstance(message, Hello):
                    self._greet(message, writer)
                else:
                    self.commands.append(message)
                    self.arrived.set()
                    _write(writer, self._answer(message))
        if writer in self._states:
            self._states.remove(writer)

    def _answer(self, command: AnyCommand) -> Reply:
        if not isinstance(command, Query):
            return Reply(command.id, True, "")
        found = self.answers.get(f"{command.what} {command.about}")
        if found is None and command.what not in POLLED:
            found = self.answers.get(command.about or command.what)
        return Reply(command.id, found is not None, "not on the desk", found or b"")

    def _greet(self, hello: Hello, writer: asyncio.StreamWriter) -> None:
        self.hellos.append(hello)
        self.session = hello.session
        self._roles.setdefault(hello.role, []).append(writer)
        _write(writer, Welcome(VERSION, "e1", self._profile, True, 4711))
        if hello.role == "state":
            self._states.append(writer)
            now = self._clock()
            _write(
                writer,
                rows.snapshot(now, hello.session, seq=self._seq, cards=self._cards, profile=self._profile),
            )
            if self._both:
                self.send(**rows.two_venues(now, hello.session))


def _write(writer: asyncio.StreamWriter, message: msgspec.Struct) -> None:
    body = msgspec.msgpack.encode(message)
    writer.write(_LENGTH.pack(len(body)) + body)


async def _run(path: Path, *, busy: bool, cards: bool, both: bool) -> None:
    engine = FakeEngine(path, cards=cards, both=both)
    await engine.start()
    rng = random.Random(1)
    while True:
        await asyncio.sleep(0.1)
        now = read_clocks()
        if any(isinstance(command, Flatten) for command in engine.commands):
            engine.commands.clear()
            engine.send(flatten=rows.two_ladders(now) if both else rows.flatten(now))
        if busy:
            engine.send(markets=tuple(_moved(row, rng) for row in rows.markets(now) if rng.random() < 0.4))


def _moved(row: MarketRow, rng: random.Random) -> MarketRow:
    step = rng.choice((-100, 0, 100))
    return msgspec.structs.replace(
        row, bid=(row.bid or 0) + step, ask=(row.ask or 0) + step, bid_size=rng.randrange(10, 300) * 10**6
    )


if __name__ == "__main__":
    Path(sys.argv[1]).unlink(missing_ok=True)
    asyncio.run(
        _run(
            Path(sys.argv[1]),
            busy="--busy" in sys.argv,
            cards="--no-cards" not in sys.argv,
            both="--both" in sys.argv,
        )
    )
