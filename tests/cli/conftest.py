"""A desk that answers from a table, and the verbs run against it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

from core.config import paths
from core.control import protocol as p
from core.control.connection import FrameReader
from core.control.server import Server
from core.control.sockets import bind
from core.domain.clock import machine_ns
from core.engine.operator import Actor
from tui.cli import _with_front_door, cli

HERE = Path(__file__).resolve().parents[2]
STATUS = {
    "profile": "demo", "mode": "semi", "level": "NORMAL", "level_reason": "", "ready": True, "starting": {},
    "level_by": "", "level_since": None, "paused_by": "", "paused_since": None, "paused_why": "",
    "paused": [], "feeds": [],
    "venues": [{"venue": "kalshi", "state": "ok", "detail": "", "beat": None, "halt": ""}],
    "unknown_orders": 0, "exposure": "0.00", "exposure_limit": "800.00", "today_pnl": None, "cash": "5.00",
    "open_orders": 0,
    "controller": None, "viewers": 0, "world_time": "2026-11-22T16:00:00.000Z", "speed": 144.0,
    "groups": "armed", "watchdog": "ok", "renewals": "",
    "world_id": "w", "best": "", "problem": "", "flatten": None, "alarms": [],
}  # fmt: skip


class Answers:
    """A desk that answers from a table and remembers what it was asked."""

    def __init__(self) -> None:
        self.commands: list[p.AnyCommand] = []
        self.asked: list[tuple[str, str]] = []
        self.reply: Callable[[p.AnyCommand], tuple[bool, str]] = lambda _: (True, "Done.")
        self.data: dict[str, Any] = {"status": STATUS}
        self.ladders: list[dict[str, Any]] = []

    def command(self, command: p.AnyCommand, actor: Actor) -> p.Reply:
        assert actor.uid == os.getuid()
        if isinstance(command, p.Query):
            self.asked.append((command.what, command.about))
            found = self.data[command.what]
            if command.what == "status" and self.ladders:
                found = {**found, "flatten": self.ladders[0]}
                if len(self.ladders) > 1:
                    self.ladders.pop(0)
            return p.Reply(command.id, accepted=True, text="", data=json.dumps(found).encode())
        self.commands.append(command)
        return p.Reply(command.id, *self.reply(command))

    def reader(self) -> FrameReader:
        raise AssertionError("no state connection here")

    def controller_attached(self, actor: Actor) -> None: ...

    def controller_gone(self) -> None: ...

    def viewers(self, pids: Sequence[int]) -> None: ...


class Ended(NamedTuple):
    code: int
    out: str
    err: str


class Desk:
    def __init__(self, home: Path) -> None:
        self.home = home
        self.answers = Answers()

    async def run(self, *arguments: str, typed: str = "") -> Ended:
        """The verb in a thread of this process: a few milliseconds instead of a process start."""
        given = _with_front_door(list(arguments))
        ended = await asyncio.to_thread(CliRunner().invoke, cli, given, typed, prog_name="pmconsole")
        if ended.exception is not None and not isinstance(ended.exception, SystemExit):
            raise ended.exception
        return Ended(ended.exit_code, ended.stdout, ended.stderr)

    async def start(self, *arguments: str) -> Ended:
        """The verb as its own process, as a shell starts it."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tui.cli", *arguments,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            cwd=HERE,
        )  # fmt: skip
        out, err = await asyncio.wait_for(process.communicate(), 20)
        assert process.returncode is not None
        assert "Traceback" not in err.decode()
        return Ended(process.returncode, out.decode(), err.decode())


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setenv("PMCONSOLE_HOME", str(tmp_path))
    place = paths.profile("demo")
    paths.prepare(place)
    built = Desk(tmp_path)
    server = Server(built.answers, machine_ns, profile="demo", engine_id="e1", pid=os.getpid())
    task = asyncio.create_task(server.run(bind(paths.socket_path(place)), lambda: "stopped"))
    yield built
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("PMCONSOLE_HOME", str(tmp_path))
    return Desk(tmp_path)
