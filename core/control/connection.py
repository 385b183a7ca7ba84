"""One connection of the control socket, from greeting to end.

Its ``Hello`` makes it a command or a state connection. Commands are decoded and handed on inside the
read callback, so a stop has begun before the callback returns; nothing a client sends or fails to
read can make the engine wait. A state reader that falls behind misses frames and gets a new
snapshot, one that stops reading for six seconds is disconnected.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
import struct
import termios
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, cast

import msgspec

from core.control.client import encode
from core.control.protocol import (
    COMMAND_BYTES_MAX,
    FRAME_BYTES_MAX,
    VERSION,
    AnyCommand,
    Frame,
    Hello,
    Refused,
)
from core.control.sockets import peer_of
from core.engine.operator import Actor, ActorKind

if TYPE_CHECKING:
    from core.control.server import Server

KEEPALIVE_NS = 450_000_000
"""An empty frame at least this often lets the console tell a quiet desk from a lost one."""
STALLED_NS = 6_000_000_000
HELLO_TIMEOUT_S = 3.0
CONNECTIONS_MAX = 64
UNSENT_BYTES_MAX = 256 * 1024
"""Unsent bytes of one state connection above which frames are dropped."""
UNREAD_REPLIES_MAX = 64 * 1024
"""A stop line that never reads its replies keeps working; the replies are dropped."""
RATE_PER_S, RATE_BURST = 20, 60

_LENGTH = struct.Struct(">I")
_hello_decoder = msgspec.msgpack.Decoder(Hello)
_command_decoder: msgspec.msgpack.Decoder[AnyCommand] = msgspec.msgpack.Decoder(AnyCommand)


class FrameReader(Protocol):
    """What one state connection has seen of the desk, and what it has not."""

    def full(self) -> Sequence[Frame]:
        """Everything, in parts of at most 1 MiB."""
        ...

    def changes(self) -> Sequence[Frame]:
        """Rows changed since the last call: no frame, one, or everything in parts."""
        ...

    def empty(self) -> Frame:
        """A sign of life."""
        ...


class Connection(asyncio.Protocol):
    """One connection, from greeting to end."""

    def __init__(self, server: Server) -> None:
        self.hello = Hello(0, "", "", 0, "")
        self.uid = -1
        self.pid = 0
        self._server = server
        self._received = bytearray()
        self._reader: FrameReader | None = None
        self._behind = False
        self._sent_ns = 0
        self._unread = self._written = 0
        self._moved_ns = server.mono_ns()
        self._tokens, self._tokens_ns = float(RATE_BURST), self._moved_ns

    # --- asyncio -------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._socket: socket.socket = transport.get_extra_info("socket")
        self.pid, self.uid = peer_of(self._socket)
        self._deadline = asyncio.get_running_loop().call_later(HELLO_TIMEOUT_S, self._transport.abort)
        if self.uid != os.getuid():
            self._refuse(f"This engine belongs to uid {os.getuid()}.")
        elif len(self._server.clients) >= CONNECTIONS_MAX:
            self._refuse(f"{CONNECTIONS_MAX} connections are open; close a console first.")
        else:
            self._transport.set_write_buffer_limits(high=UNSENT_BYTES_MAX)
            self._server.clients.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._deadline.cancel()
        self._server.clients.discard(self)
        self._server.detached(self)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while len(self._received) >= _LENGTH.size and not self._transport.is_closing():
            (length,) = _LENGTH.unpack_from(self._received)
            if length > COMMAND_BYTES_MAX:
                self._refuse(f"A command may be {COMMAND_BYTES_MAX} bytes; this one announces {length}.")
                return
            end = _LENGTH.size + length
            if len(self._received) < end:
                return
            body = bytes(self._received[_LENGTH.size : end])
            del self._received[:end]
            self._message(body)

    def pause_writing(self) -> None:
        self._behind = True

    # --- messages ------------------------------------------------------------------------------

    def _message(self, body: bytes) -> None:
        if not self.hello.version:
            self._greet(body)
            return
        if self._reader is not None:
            self._refuse("A state connection only listens; send commands on a command connection.")
            return
        try:
            command = _command_decoder.decode(body)
        except msgspec.MsgspecError as error:
            self._refuse(f"This is no command of version {VERSION}: {error}")
            return
        if not 0 < len(command.id) <= 64:
            self._refuse("A command needs an id of 1 to 64 characters.")
            return
        self.say(self._server.answer(self, command))

    def _greet(self, body: bytes) -> None:
        try:
            hello = _hello_decoder.decode(body)
        except msgspec.MsgspecError:
            self._refuse(f"The greeting cannot be read; this engine speaks protocol version {VERSION}.")
            return
        if hello.version != VERSION:
            self._refuse(
                f"This engine speaks version {VERSION}, the client version {hello.version}: "
                "restart the engine (pmconsole engine stop, pmconsole) or use the matching client."
            )
            return
        if hello.role not in ("command", "state") or hello.client not in ("console", "cli"):
            self._refuse("The greeting names no known role or client.")
            return
        self.hello = hello
        self._deadline.cancel()
        if hello.role == "state":
            self._reader = self._server.desk.reader()
            self._behind = True
            self._server.attached(self)
        self.say(self._server.welcome(self))
        self.tick(self._server.mono_ns())

    def say(self, message: msgspec.Struct) -> None:
        """Write one message unless the connection is going or its reader has long stopped reading."""
        if self._transport.is_closing():
            return
        if self._reader is None and self._transport.get_write_buffer_size() > UNREAD_REPLIES_MAX:
            return
        data = encode(message)
        self._written += len(data)
        self._transport.write(data)

    def close(self) -> None:
        self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    def _refuse(self, reason: str) -> None:
        self.say(Refused(reason[:500]))
        self._transport.close()

    # --- state ---------------------------------------------------------------------------------

    @property
    def identity(self) -> tuple[str, int]:
        """Session and kernel-proven pid: joins the connections of one console."""
        return self.hello.session, self.pid

    @property
    def shows_state(self) -> bool:
        return self._reader is not None and self.hello.client == "console"

    @property
    def controls(self) -> bool:
        return self.hello.client == "console" and self._server.controller == self.identity

    def actor(self) -> Actor:
        return Actor(ActorKind(self.hello.client), self.pid, self.uid, self.hello.session, self.controls)

    def within_rate(self, now_ns: int) -> bool:
        self._tokens = min(RATE_BURST, self._tokens + (now_ns - self._tokens_ns) * RATE_PER_S / 1e9)
        self._tokens_ns = now_ns
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def tick(self, now_ns: int) -> None:
        """Send what changed, or a sign of life; give up on a reader that no longer reads."""
        if self._reader is None or self._transport.is_closing():
            return
        if not self._progressing(now_ns):
            self._transport.abort()
            return
        if self._behind:
            if self._transport.get_write_buffer_size():
                return
            self._behind = False
            self._send(self._reader.full(), now_ns)
            return
        frames = self._reader.changes()
        if frames:
            self._send(frames, now_ns)
        elif now_ns - self._sent_ns >= KEEPALIVE_NS:
            self._send((self._reader.empty(),), now_ns)

    def _send(self, frames: Sequence[Frame], now_ns: int) -> None:
        self._sent_ns = now_ns
        for frame in frames:
            data = encode(frame)
            if len(data) - _LENGTH.size > FRAME_BYTES_MAX and not frame.full:
                self._behind = True  # too much changed at once for one frame: send it in parts
                return
            self._written += len(data)
            self._transport.write(data)

    def _progressing(self, now_ns: int) -> bool:
        """Whether the reader took anything within the last six seconds, or had nothing to take.

        The kernel counts unread bytes with its own overhead, so a queue that grew by less than what
        was written proves that something was read.
        """
        unread = self._transport.get_write_buffer_size() + _kernel_unread(self._socket)
        if unread == 0 or unread < self._unread + self._written:
            self._moved_ns = now_ns
        self._unread, self._written = unread, 0
        return now_ns - self._moved_ns < STALLED_NS


def _kernel_unread(sock: socket.socket) -> int:
    """Bytes the peer has not read yet."""
    (count,) = struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0\0\0\0"))
    return int(count)
