"""How the engine proves to its watchdog that it lives, and what the watchdog answers.

One Unix socket beside the control socket, the same framing: four bytes of length, then msgpack. The
engine sends a pulse every second; the watchdog answers each. Whoever hears nothing draws its own
conclusion: the watchdog cancels, the engine tells the operator and leaves automatic mode.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import Callable
from pathlib import Path

import msgspec

from core.control.client import encode
from core.domain.faults import fault_words

EVERY_S = 1.0
ANSWER_S = 0.9
BYTES_MAX = 64 * 1024
_LENGTH = struct.Struct(">I")


class Pulse(msgspec.Struct, frozen=True, tag="pulse"):
    """The engine lives; ``counter`` and ``journal_seq`` only ever grow within one run."""

    run: str
    pid: int
    counter: int
    journal_seq: int
    live: int
    """Orders that may be working at the venue."""
    groups: tuple[tuple[str, str], ...] = ()
    """Safety groups to trigger, each with the part of the venue it lives on."""
    leaving: bool = False
    """The last pulse of an orderly end."""
    kept: bool = False
    """What still rests at an orderly end was left there on purpose; it dies by its own expiry."""
    drill: bool = False
    """The engine will now fall silent on purpose: strike as if orders were live."""
    venues: tuple[str, ...] = ()
    """Where orders may be, by the venues' short names."""


class Ask(msgspec.Struct, frozen=True, tag="ask"):
    """How is it? From the command line; proves nothing about the engine."""


class Watching(msgspec.Struct, frozen=True, tag="watching"):
    """The watchdog lives. ``unfit`` says why it could not cancel now; empty when it can."""

    pid: int
    counter: int
    """Of the newest pulse."""
    silent_ms: int | None
    """Since that pulse; ``None``: none has come."""
    unfit: str = ""
    struck_ms: int | None = None
    """When it last cancelled everything, real wall time."""
    receipt: str = ""


_from_watchdog = msgspec.msgpack.Decoder(Watching)
_to_watchdog: msgspec.msgpack.Decoder[Pulse | Ask] = msgspec.msgpack.Decoder(Pulse | Ask)


class PulseError(Exception):
    """The other end is gone or broke the protocol."""


async def receive(reader: asyncio.StreamReader) -> bytes:
    """The body of one message; raises ``PulseError``."""
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        if length > BYTES_MAX:
            raise PulseError(f"a message of {length} bytes, the limit is {BYTES_MAX}")
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, OSError) as error:
        raise PulseError(str(error)) from error


def read_pulse(body: bytes) -> Pulse | Ask:
    """Raises ``PulseError``."""
    try:
        return _to_watchdog.decode(body)
    except msgspec.MsgspecError as error:
        raise PulseError(str(error)) from error


class Line:
    """One connection to the watchdog: ``exchange`` sends and waits for the answer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, path: Path) -> Line:
        """Raises ``PulseError`` when nobody listens."""
        try:
            async with asyncio.timeout(ANSWER_S):
                return cls(*await asyncio.open_unix_connection(str(path)))
        except (TimeoutError, OSError) as error:
            raise PulseError(f"no watchdog answers at {path}") from error

    async def exchange(self, message: Pulse | Ask) -> Watching:
        """Raises ``PulseError`` when no answer comes in time."""
        try:
            async with asyncio.timeout(ANSWER_S):
                self._writer.write(encode(message))
                await self._writer.drain()
                return _from_watchdog.decode(await receive(self._reader))
        except (TimeoutError, OSError, msgspec.MsgspecError) as error:
            raise PulseError(f"the watchdog did not answer: {fault_words(error)}") from error

    def close(self) -> None:
        self._writer.close()


async def prove_life(
    path: Path, pulse: Callable[[], Pulse | None], heard: Callable[[Watching | None], None]
) -> None:
    """Send a pulse every second until cancelled, then the one of an orderly end.

    ``heard`` gets each answer, or ``None`` when there was none. A pulse of ``None`` is not sent: the
    engine is silent on purpose.
    """
    line: Line | None = None
    loop = asyncio.get_running_loop()
    due = loop.time()
    try:
        while True:
            now = pulse()
            if now is not None:
                try:
                    line = line or await Line.open(path)
                    heard(await line.exchange(now))
                except PulseError:
                    _close(line)
                    line = None
                    heard(None)
            due = max(due + EVERY_S, loop.time())
            await asyncio.sleep(due - loop.time())
    finally:
        last = pulse()
        if line is not None and last is not None:
            with contextlib.suppress(PulseError):
                await line.exchange(msgspec.structs.replace(last, leaving=True))
        _close(line)


def _close(line: Line | None) -> None:
    if line is not None:
        line.close()
