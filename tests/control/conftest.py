"""A server on a real socket in front of a desk that only remembers what reached it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from core.control.client import Connection, connect
from core.control.protocol import (
    VERSION,
    AnyCommand,
    Frame,
    Hello,
    Reply,
)
from core.control.server import Server
from core.control.sockets import bind
from core.control.tables.markets import MarketRow
from core.engine.operator import Actor


def row(key: int, bid: int = 4200) -> MarketRow:
    return MarketRow(
        key,
        bid,
        bid + 100,
        50_000_000,
        60_000_000,
        4,
        81_234_567,
        True,
        bid + 50,
        290,
        80,
        "",
        -120,
        0,
        "",
        "",
    )


class FakeReader:
    def __init__(self, desk: FakeDesk) -> None:
        self.desk = desk
        self.seq = 0
        self.seen = len(desk.changed)

    def full(self) -> Sequence[Frame]:
        self.seen = len(self.desk.changed)
        self.seq += 2
        rows = self.desk.rows
        half = len(rows) // 2
        return [
            Frame(seq=self.seq - 1, made_ns=1, full=True, part=0, parts=2, markets=tuple(rows[:half])),
            Frame(seq=self.seq, made_ns=1, full=True, part=1, parts=2, markets=tuple(rows[half:])),
        ]

    def changes(self) -> Sequence[Frame]:
        fresh = self.desk.changed[self.seen :]
        self.seen = len(self.desk.changed)
        if not fresh:
            return ()
        self.seq += 1
        return (Frame(seq=self.seq, made_ns=1, markets=tuple(fresh)),)

    def empty(self) -> Frame:
        self.seq += 1
        return Frame(seq=self.seq, made_ns=1)


class FakeDesk:
    def __init__(self) -> None:
        self.commands: list[tuple[AnyCommand, Actor]] = []
        self.presence: list[str] = []
        self.viewer_count = 0
        self.rows: list[MarketRow] = [row(1), row(2)]
        self.changed: list[MarketRow] = []

    def command(self, command: AnyCommand, actor: Actor) -> Reply:
        self.commands.append((command, actor))
        return Reply(command.id, accepted=True, text=f"done {len(self.commands)}")

    def reader(self) -> FakeReader:
        return FakeReader(self)

    def controller_attached(self, actor: Actor) -> None:
        self.presence.append(actor.session)

    def controller_gone(self) -> None:
        self.presence.append("gone")

    def viewers(self, pids: Sequence[int]) -> None:
        self.viewer_count = len(pids)


class Time:
    """Monotonic time that moves by hand."""

    def __init__(self) -> None:
        self.ns = 1_000_000_000

    def __call__(self) -> int:
        return self.ns


class House:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.desk = FakeDesk()
        self.time = Time()
        self.server = Server(self.desk, self.time, profile="demo", engine_id="e1", pid=42)
        self.opened: list[Connection] = []

    async def open(
        self,
        role: str,
        session: str = "s1",
        client: str = "console",
        *,
        view_only: bool = False,
        take: bool = False,
    ) -> Connection:
        hello = Hello(VERSION, role, client, 7, session, view_only, take)
        connection = await connect(self.path, hello)
        self.opened.append(connection)
        return connection


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    built = House(tmp_path / "run" / "control.sock")
    task = asyncio.create_task(built.server.run(bind(built.path), lambda: "The engine stops."))
    yield built
    for connection in built.opened:
        await connection.close()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
