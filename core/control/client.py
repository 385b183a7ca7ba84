"""The attaching side of the control socket: one asyncio connection, one blocking line.

The console keeps a command and a state ``Connection``; the CLI asks one question over a blocking
``Line``; the stop key writes to a ``StopLine`` that was opened before it was needed. Framing is a
four-byte big-endian length followed by msgpack (``protocol.py``). asyncio is imported only by the
functions that need it, so a CLI verb starts fast.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec

from core.control.protocol import (
    COMMAND_BYTES_MAX,
    FRAME_BYTES_MAX,
    AnyCommand,
    Bye,
    Flatten,
    Frame,
    FromEngine,
    Hello,
    Refused,
    Reply,
    Welcome,
)
from core.domain.clock import machine_ns

if TYPE_CHECKING:
    import asyncio

CONNECT_TIMEOUT_S = 3.0
REPLY_TIMEOUT_S = 10.0

_LENGTH = struct.Struct(">I")
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[FromEngine] = msgspec.msgpack.Decoder(FromEngine)


class ConnectError(Exception):
    """No usable connection. The text is a sentence for a person.

    ``absent`` is true when nothing listens at the path, false when somebody answered with a refusal.
    """

    def __init__(self, text: str, *, absent: bool) -> None:
        super().__init__(text)
        self.absent = absent


class LinkError(Exception):
    """The engine closed the connection or broke the protocol; the text says which."""


def encode(message: msgspec.Struct) -> bytes:
    """One message with its length in front."""
    body = _encoder.encode(message)
    return _LENGTH.pack(len(body)) + body


def encode_command(command: AnyCommand | Hello) -> bytes:
    """The same for what a client sends; raises ``ValueError`` above 64 KiB or 64 bits."""
    try:
        data = encode(command)
    except OverflowError as error:
        raise ValueError("a number in it is beyond 64 bits") from error
    if len(data) - _LENGTH.size > COMMAND_BYTES_MAX:
        raise ValueError(f"a command may be {COMMAND_BYTES_MAX} bytes, this one is {len(data)}")
    return data


def _body_length(header: bytes) -> int:
    (length,) = _LENGTH.unpack(header)
    if length > FRAME_BYTES_MAX:
        raise LinkError(f"the engine announced a frame of {length} bytes, the limit is {FRAME_BYTES_MAX}")
    return int(length)


def _decode(body: bytes) -> FromEngine:
    try:
        return _decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise LinkError(f"the engine sent what this version cannot read: {error}") from error


def _welcome(answer: FromEngine) -> Welcome:
    if isinstance(answer, Welcome):
        return answer
    if isinstance(answer, Refused):
        raise ConnectError(answer.reason, absent=False)
    raise ConnectError("the engine did not answer the greeting", absent=False)


def _failure(path: Path, error: OSError | LinkError | ConnectError, timeout_s: float) -> ConnectError:
    match error:
        case ConnectError():
            return error
        case TimeoutError():
            return ConnectError(f"the engine did not answer within {timeout_s:g} s", absent=False)
        case PermissionError():
            return ConnectError(f"{path} belongs to another user", absent=False)
        case OSError():
            return ConnectError(f"no engine answers at {path}", absent=True)
        case LinkError():
            return ConnectError(str(error), absent=False)


# --- asyncio ------------------------------------------------------------------------------------


class Connection:
    """An opened command or state connection. Iterating yields what the engine sends until it ends."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, welcome: Welcome | None = None
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._welcome = welcome

    @property
    def welcome(self) -> Welcome:
        """What the engine answered to the greeting."""
        assert self._welcome is not None
        return self._welcome

    def send(self, command: AnyCommand) -> None:
        """Hand one command to the socket at once; the reply arrives in the iteration."""
        self._writer.write(encode_command(command))

    async def receive(self) -> Reply | Frame | Bye | Refused:
        """The next message; raises ``LinkError`` at the end of the stream or on nonsense."""
        message = await self._read()
        if isinstance(message, Welcome):
            raise LinkError("the engine greeted twice")
        return message

    async def __aiter__(self) -> AsyncIterator[Reply | Frame | Bye | Refused]:
        while True:
            try:
                yield await self.receive()
            except LinkError:
                return

    async def close(self) -> None:
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            return  # the peer is gone already, which is what closing wants

    async def _read(self) -> FromEngine:
        import asyncio

        try:
            length = _body_length(await self._reader.readexactly(_LENGTH.size))
            return _decode(await self._reader.readexactly(length))
        except (asyncio.IncompleteReadError, OSError) as error:
            raise LinkError("the engine closed the connection") from error


async def connect(path: Path, hello: Hello, *, timeout_s: float = CONNECT_TIMEOUT_S) -> Connection:
    """Open the socket and greet; raises ``ConnectError`` with a sentence."""
    import asyncio

    connection: Connection | None = None
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_unix_connection(str(path), limit=FRAME_BYTES_MAX + 64)
            connection = Connection(reader, writer)
            writer.write(encode_command(hello))
            connection._welcome = _welcome(await connection._read())
    except (OSError, LinkError, ConnectError) as error:
        if connection is not None:
            await connection.close()
        raise _failure(path, error, timeout_s) from error
    except asyncio.CancelledError:
        if connection is not None:
            connection._writer.close()
        raise
    return connection


# --- blocking -----------------------------------------------------------------------------------


class Line:
    """A blocking command connection: one call, one reply. Made for CLI verbs and the stop key."""

    def __init__(self, path: Path, hello: Hello, *, timeout_s: float = CONNECT_TIMEOUT_S) -> None:
        """Connects and greets; raises ``ConnectError``."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self._socket.settimeout(timeout_s)
        try:
            self._socket.connect(str(path))
            self._socket.sendall(encode_command(hello))
            self.welcome = _welcome(self._receive())
        except (OSError, LinkError, ConnectError) as error:
            self._socket.close()
            raise _failure(path, error, timeout_s) from error

    def call(self, command: AnyCommand, *, timeout_s: float = REPLY_TIMEOUT_S) -> Reply:
        """Send one command and wait for its reply; raises ``LinkError``."""
        self._socket.settimeout(timeout_s)
        try:
            self._socket.sendall(encode_command(command))
            while True:
                answer = self._receive()
                if isinstance(answer, Reply) and answer.id == command.id:
                    return answer
                if isinstance(answer, Refused | Bye):
                    raise LinkError(answer.reason)
        except TimeoutError as error:
            raise LinkError(f"the engine did not answer within {timeout_s:g} s") from error
        except OSError as error:
            raise LinkError("the engine closed the connection") from error

    def detach(self) -> socket.socket:
        """Hand the greeted socket over to the caller."""
        return self._socket

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _receive(self) -> FromEngine:
        return _decode(self._exactly(_body_length(self._exactly(_LENGTH.size))))

    def _exactly(self, count: int) -> bytes:
        parts: list[bytes] = []
        while count:
            part = self._socket.recv(min(count, 65536))
            if not part:
                raise LinkError("the engine closed the connection")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)


class StopLine:
    """The stop key's own connection, opened while all is well and written from any thread.

    ``send_flatten`` is one system call that never waits: not for the console's event loop, not for
    a lock of ours, not for the engine.
    """

    def __init__(self, path: Path, hello: Hello) -> None:
        """Opens at once; raises ``ConnectError``."""
        self._path = path
        self._hello = hello
        self._socket = self._open(CONNECT_TIMEOUT_S)

    def send_flatten(self, command_id: str) -> bool:
        """Write the stop command; reconnects once if the line is dead. False when no engine takes it."""
        data = encode_command(Flatten(id=command_id, sent_ns=machine_ns()))
        return self._write(data) or (self.reopen() and self._write(data))

    def alive(self) -> bool:
        """Drop the replies that nobody reads and say whether the engine still holds the line."""
        try:
            while self._socket.recv(65536):
                pass
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def reopen(self) -> bool:
        """Open a new line after the engine restarted."""
        try:
            fresh = self._open(1.0)
        except ConnectError:
            return False
        self._socket.close()
        self._socket = fresh
        return True

    def close(self) -> None:
        self._socket.close()

    def _open(self, timeout_s: float) -> socket.socket:
        opened = Line(self._path, self._hello, timeout_s=timeout_s).detach()
        opened.setblocking(False)
        return opened

    def _write(self, data: bytes) -> bool:
        try:
            return self._socket.send(data) == len(data)
        except BlockingIOError:
            return True  # the line is full of stops which the engine has yet to read
        except OSError:
            return False
