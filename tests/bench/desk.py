"""A whole desk for measurements: simulator, engine and console as real processes in a home of their own."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyte

from core.config.paths import Profile, socket_path
from core.control.client import Line
from core.control.protocol import VERSION, AnyCommand, Hello, Query, Reply

PYTHON = sys.executable
CHECKOUT = Path(__file__).resolve().parents[2]


class BenchError(Exception):
    """A measurement that could not be made; the text says why."""


def wait_for(what: str, seconds: float, happened: Callable[[], Any], poll_s: float = 0.02) -> Any:
    """The first true answer of ``happened``; raises ``BenchError`` when the time is up."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = happened()
        if value:
            return value
        time.sleep(poll_s)
    raise BenchError(f"no {what} within {seconds:g} s")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Terminal:
    """A console in a pty, drained by a thread that counts bytes and feeds a screen emulator on demand."""

    def __init__(self, argv: list[str], env: dict[str, str], columns: int, rows: int, nice: int = 0) -> None:
        self.bytes = 0
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._pending = bytearray()
        self._lock = threading.Lock()
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(
            argv,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**env, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
            start_new_session=True,
            preexec_fn=lambda: _own_terminal(nice),
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._drain, daemon=True)
        self._reader.start()

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def text(self) -> str:
        with self._lock:
            pending, self._pending = bytes(self._pending), bytearray()
        # pyte stumbles over private CSI sequences with intermediate bytes; none of them draws.
        self._stream.feed(re.sub(rb"\x1b\[[<>=][0-9;]*[a-zA-Z]", b"", pending))
        return "\n".join(self.screen.display)

    def wait(self, pattern: str, seconds: float = 30.0) -> str:
        """The screen once it matches; raises ``BenchError`` with the screen it saw."""
        try:
            return str(wait_for(pattern, seconds, lambda: re.search(pattern, text := self.text()) and text))
        except BenchError as error:
            raise BenchError(f"{error}; the screen shows:\n{self.text()}") from None

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        os.close(self.master)

    def _drain(self) -> None:
        while True:
            try:
                select.select([self.master], [], [])
                data = os.read(self.master, 65536)
            except (OSError, ValueError):
                return
            if not data:
                return
            with self._lock:
                self.bytes += len(data)
                self._pending += data


def _own_terminal(nice: int) -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.nice(nice)


class Desk:
    """Simulator and engine running; consoles are opened on demand."""

    def __init__(self, home: Path, sim: subprocess.Popen[bytes], engine: subprocess.Popen[bytes]) -> None:
        self.home = home
        self.place = Profile("demo", home / "demo")
        self.sim, self.engine = sim, engine
        self.env = environment(home)
        self._counter = 0
        self._line: Line | None = None

    def line(self) -> Line:
        if self._line is None:
            hello = Hello(VERSION, "command", "cli", os.getpid(), "bench")
            self._line = Line(socket_path(self.place), hello)
        return self._line

    def call(self, kind: type[Any], **fields: Any) -> Reply:
        self._counter += 1
        command: AnyCommand = kind(id=f"bench-{self._counter}", **fields)
        return self.line().call(command)

    def ask(self, what: str) -> Any:
        reply = self.call(Query, what=what)
        if not reply.accepted:
            raise BenchError(f"{what}: {reply.text}")
        return json.loads(reply.data)

    def console(self, columns: int, rows: int, *options: str, nice: int = 0) -> Terminal:
        return Terminal([PYTHON, "-m", "tui.cli", "attach", *options], self.env, columns, rows, nice)


def environment(home: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL") if name in os.environ}
    return {**kept, "PMCONSOLE_HOME": str(home), "PYTHONPATH": str(CHECKOUT)}


@contextlib.contextmanager
def desk(
    scenario: str,
    *,
    speed: float = 144.0,
    seed: int = 1,
    config: str = "",
    sim_module: str = "tui.cli",
    sim_nice: int = 0,
) -> Iterator[Desk]:
    """Start both processes, wait until the engine has read the venue, and stop them at the end."""
    home = Path(tempfile.mkdtemp(prefix="pmc-"))
    place = Profile("demo", home / "demo")
    place.directory.mkdir(mode=0o700)
    place.config.write_text(config)
    env = environment(home)
    started: list[subprocess.Popen[bytes]] = []
    try:
        sim_options = ["--ready-file", str(place.sim_ready), "--keys-dir", str(place.keys)]
        sim_options += ["--scenario", scenario, "--speed", f"{speed:g}", "--seed", str(seed)]
        sim = _spawn([PYTHON, "-m", sim_module, "sim", *sim_options], env, home / "sim.log", sim_nice)
        started.append(sim)
        wait_for("ready file", 20, place.sim_ready.exists)
        engine = _spawn([PYTHON, "-m", "tui.cli", "engine", "run"], env, home / "engine.log", 0)
        started.append(engine)
        running = Desk(home, sim, engine)
        wait_for("engine", 20, lambda: _ready(running), poll_s=0.1)
        yield running
    finally:
        for process in reversed(started):
            if process.poll() is None:
                process.terminate()
                process.wait(30)
        shutil.rmtree(home, ignore_errors=True)


def _ready(running: Desk) -> bool:
    from core.control.client import ConnectError

    if running.engine.poll() is not None:
        raise BenchError(f"the engine ended: {(running.home / 'engine.log').read_text()[-2000:]}")
    try:
        return all(running.ask("status")["starting"].get(step, True) for step in ("venue", "reconcile"))
    except ConnectError:
        return False


def _spawn(argv: list[str], env: dict[str, str], log: Path, nice: int) -> subprocess.Popen[bytes]:
    with log.open("ab") as errors:
        return subprocess.Popen(
            argv,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
            preexec_fn=lambda: os.nice(nice) and None,
        )
