"""Where messages begin and end in bytes that pass by: HTTP/1.1 and the frames of a WebSocket.

Only boundaries are found; the bytes stay as they were written. ``None`` is the orderly end of a
connection between two messages; an end within one raises ``IncompleteReadError``.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus

import msgspec

BODY_BYTES_MAX = 64 << 20
_BODILESS = frozenset({b"204", b"304"})
_TEXT, _FINAL = 0x1, 0x80


class UnframedError(ConnectionError):
    """What passes is no HTTP/1.1; the connection is of no use."""


class Message(msgspec.Struct, frozen=True):
    """A request or an answer. ``head`` ends with its empty line."""

    head: bytes
    body: bytes

    @property
    def words(self) -> list[bytes]:
        """The three parts of the first line."""
        return self.head.partition(b"\r\n")[0].split(b" ", 2)

    @property
    def whole(self) -> bytes:
        return self.head + self.body

    def header(self, name: bytes) -> bytes:
        """A header's value, empty without it. ``name`` in small letters."""
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.strip().lower() == name:
                return value.strip()
        return b""

    def with_body(self, body: bytes) -> Message:
        """The same head over another body, whose length it states."""
        lines = self.head.split(b"\r\n")
        kept = [
            line for line in lines if not line.lower().startswith((b"content-length:", b"transfer-encoding:"))
        ]
        return Message(b"\r\n".join([*kept[:-2], b"content-length: %d" % len(body), *kept[-2:]]), body)


def answer(status: int, body: bytes) -> Message:
    """A JSON answer made here."""
    head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: application/json\r\n\r\n"
    return Message(head.encode(), b"").with_body(body)


async def read_message(reader: asyncio.StreamReader, *, answers: bool) -> Message | None:
    """The next request, or answer where ``answers``. Raises ``UnframedError``."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as end:
        if end.partial:
            raise
        return None
    except asyncio.LimitOverrunError as endless:
        raise UnframedError("a head without end") from endless
    message = Message(head, b"")
    if len(message.words) < 3:
        raise UnframedError(f"no first line in {head[:40]!r}")
    if message.header(b"transfer-encoding").lower() == b"chunked":
        return Message(head, await _chunks(reader))
    if length := message.header(b"content-length"):
        return Message(head, await reader.readexactly(_size(length, 10)))
    status = message.words[1]
    if not answers or status in _BODILESS or status.startswith(b"1"):
        return message
    return Message(head, await reader.read())


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while True:
        line = await reader.readuntil(b"\r\n")
        size = _size(line.partition(b";")[0], 16)
        body += line + await reader.readexactly(size + 2)
        if size == 0:
            return bytes(body)


def _size(text: bytes, base: int) -> int:
    try:
        size = int(text, base)
    except ValueError as wrong:
        raise UnframedError(f"no length: {text[:20]!r}") from wrong
    if not 0 <= size <= BODY_BYTES_MAX:
        raise UnframedError(f"a body of {size} bytes")
    return size


class Frame(msgspec.Struct, frozen=True):
    """One frame of a server, which masks nothing."""

    head: bytes
    payload: bytes

    @property
    def whole(self) -> bytes:
        return self.head + self.payload

    @property
    def is_text(self) -> bool:
        """Whether it is a whole message of text."""
        return self.head[0] == _FINAL | _TEXT


def text_frame(payload: bytes) -> Frame:
    size = len(payload)
    if size < 126:
        length = bytes([size])
    elif size < 1 << 16:
        length = b"\x7e" + size.to_bytes(2, "big")
    else:
        length = b"\x7f" + size.to_bytes(8, "big")
    return Frame(bytes([_FINAL | _TEXT]) + length, payload)


async def read_frame(reader: asyncio.StreamReader) -> Frame | None:
    """The next frame a server sent."""
    try:
        head = await reader.readexactly(2)
    except asyncio.IncompleteReadError as end:
        if end.partial:
            raise
        return None
    size = head[1]
    if size > 125:
        long = await reader.readexactly(2 if size == 126 else 8)
        head, size = head + long, int.from_bytes(long, "big")
    return Frame(head, await reader.readexactly(size))
