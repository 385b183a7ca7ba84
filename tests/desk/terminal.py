"""A console in a pty: keys in, an emulated screen out, and a reader that can stop reading."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pyte


class DeskError(Exception):
    """What was waited for did not happen; the text says what and what was seen instead."""


def wait_for(what: str, seconds: float, happened: Callable[[], Any], poll_s: float = 0.02) -> Any:
    """The first true answer of ``happened``; raises ``DeskError`` when the time is up."""
    deadline = time.monotonic() + seconds
    while True:
        value = happened()
        if value:
            return value
        if time.monotonic() > deadline:
            raise DeskError(f"no {what} within {seconds:g} s")
        time.sleep(poll_s)


class Chunk(NamedTuple):
    """What one read of a terminal brought, and when (monotonic)."""

    at_ns: int
    data: bytes


class Emulator:
    """The screen that bytes draw."""

    def __init__(self, columns: int, rows: int) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)

    def draw(self, data: bytes) -> None:
        # pyte stumbles over private CSI sequences with intermediate bytes; none of them draws.
        self._stream.feed(re.sub(rb"\x1b\[[<>=][0-9;]*[a-zA-Z]", b"", data))

    def text(self) -> str:
        return "\n".join(self.screen.display)


class Terminal:
    """A process in a pty, drained by a thread that stamps what it reads; an emulator draws it on demand."""

    def __init__(self, argv: list[str], env: dict[str, str], columns: int, rows: int, nice: int = 0) -> None:
        self.bytes = 0
        self.chunks: list[Chunk] = []
        self._emulator = Emulator(columns, rows)
        self._drawn = 0
        self._shown = ""
        self._reading = threading.Event()
        self._reading.set()
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._modes = termios.tcgetattr(slave)
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            argv,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={"COLORTERM": "truecolor", **env, "TERM": "xterm-256color"},
            start_new_session=True,
            preexec_fn=lambda: _own_terminal(nice),
        )
        # Kept open, so that what the terminal was left as can be read after the process has ended.
        self._slave = slave
        self._reader = threading.Thread(target=self._drain, daemon=True)
        self._reader.start()

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def text(self) -> str:
        fresh = self.chunks[self._drawn :]
        if fresh:
            self._drawn += len(fresh)
            self._emulator.draw(b"".join(chunk.data for chunk in fresh))
            self._shown = self._emulator.text()
        return self._shown

    def wait(self, pattern: str, seconds: float = 30.0) -> str:
        """The screen once it matches; raises ``DeskError`` with the screen it saw."""

        def seen() -> str:
            running = self.process.poll() is None
            text = self.text()
            if re.search(pattern, text):
                return text
            if not running and not self._unread():
                raise DeskError(f"no {pattern}: the console ended with {self.process.returncode}")
            return ""

        try:
            return str(wait_for(pattern, seconds, seen))
        except DeskError as error:
            raise DeskError(f"{error}; the screen shows:\n{self.text()}") from None

    def said(self) -> str:
        """Everything written so far, what was drawn over or left with the full screen included."""
        return b"".join(chunk.data for chunk in self.chunks).decode(errors="replace")

    def hang_up(self) -> None:
        """The line drops: the process gets SIGHUP and its terminal is gone."""
        os.close(self._slave)
        os.close(self.master)
        self._slave = self.master = -1

    @contextlib.contextmanager
    def unread(self) -> Iterator[None]:
        """Nobody reads the terminal: what the process writes piles up until its writes block."""
        self._reading.clear()
        try:
            yield
        finally:
            self._reading.set()

    def ended(self, seconds: float = 40.0) -> int:
        """The exit code, once the process has ended."""
        wait_for("end of the console", seconds, lambda: self.process.poll() is not None)
        assert self.process.returncode is not None
        return self.process.returncode

    def restored(self) -> bool:
        """Whether the terminal's modes are what they were before the process."""
        return termios.tcgetattr(self._slave) == self._modes

    def close(self) -> None:
        self._reading.set()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.master >= 0:
            os.close(self._slave)
            self._reader.join(10)
            os.close(self.master)

    def _unread(self) -> bool:
        return bool(select.select([self.master], [], [], 0)[0]) or len(self.chunks) > self._drawn

    def _drain(self) -> None:
        while True:
            self._reading.wait()
            try:
                select.select([self.master], [], [])
                if not self._reading.is_set():
                    continue
                data = os.read(self.master, 65536)
            except (OSError, ValueError):
                return
            if not data:
                return
            self.chunks.append(Chunk(time.monotonic_ns(), data))
            self.bytes += len(data)


def _own_terminal(nice: int) -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.nice(nice)
