"""The console as a user opens it, in a pty, on a fake engine."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pyte
import pytest

from core.config import paths
from core.config.paths import Profile
from tests.tui.fake_engine import FakeEngine
from tui.outflow import ANSWER, QUESTION

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 15.0


class Terminal:
    """A console as a user opens it, in a pty with a screen emulator on the other side."""

    def __init__(
        self,
        home: Path,
        cols: int = 80,
        rows: int = 24,
        module: str = "tui.cli",
        *options: str,
        exported: tuple[int, int] | None = None,
        owned: bool = False,
    ) -> None:
        """``exported``: the size in its environment, which may be another; ``owned``: it is the console's
        controlling terminal, so that the kernel tells of its end by signals."""
        self.screen = pyte.Screen(cols, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.written = bytearray()
        self.answers = False
        """Whether it says, as most terminals do, that it has shown what was written."""
        self.fd, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
        self.modes = termios.tcgetattr(slave)
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, "attach", *options],
            cwd=ROOT,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            # Some terminals export their first size, which does not follow a resize.
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith("TEXTUAL")},
                "PMCONSOLE_HOME": str(home),
                "TERM": "xterm-256color",
                "COLORTERM": "truecolor",
                "COLUMNS": str((exported or (cols, rows))[0]),
                "LINES": str((exported or (cols, rows))[1]),
            },
            start_new_session=True,
            preexec_fn=(lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)) if owned else None,
        )
        os.close(slave)

    def read(self) -> None:
        while select.select([self.fd], [], [], 0)[0]:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                return
            if not data:
                return
            self.written += data
            # One that two reads have parted is a question too.
            if self.answers and QUESTION.encode() in self.written[-len(data) - len(QUESTION) + 1 :]:
                self.type(ANSWER.encode())
            self.stream.feed(data)

    async def shows(self, text: str) -> None:
        deadline = time.monotonic() + TIMEOUT_S
        while text not in self.text:
            if time.monotonic() > deadline:
                pytest.fail(f"never showed {text!r}:\n{self.text}")
            await asyncio.sleep(0.02)
            self.read()

    @property
    def text(self) -> str:
        return "\n".join(self.screen.display)

    def resize(self, cols: int, rows: int) -> None:
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
        self.screen.resize(rows, cols)
        self.process.send_signal(signal.SIGWINCH)

    def type(self, data: bytes) -> None:
        os.write(self.fd, data)

    async def ended(self) -> int:
        deadline = time.monotonic() + TIMEOUT_S
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                pytest.fail("the console did not end")
            await asyncio.sleep(0.02)
            if self.fd >= 0:
                self.read()
        return self.process.returncode

    def vanish(self) -> None:
        """The other end goes away."""
        os.close(self.fd)
        self.fd = -1

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.fd >= 0:
            os.close(self.fd)


@asynccontextmanager
async def console(
    directory: Path,
    cols: int = 80,
    rows: int = 24,
    module: str = "tui.cli",
    *options: str,
    exported: tuple[int, int] | None = None,
    owned: bool = False,
) -> AsyncIterator[tuple[Terminal, FakeEngine]]:
    place = Profile("demo", directory / "demo")
    paths.prepare(place)
    engine = FakeEngine(paths.socket_path(place))
    await engine.start()
    terminal = Terminal(directory, cols, rows, module, *options, exported=exported, owned=owned)
    try:
        await terminal.shows("ARMED")
        yield terminal, engine
    finally:
        terminal.close()
        await engine.stop()
