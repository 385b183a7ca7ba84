"""The attaching side: sentences for every way a connection can fail, and a stop line that stays ready."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from pathlib import Path

import msgspec
import pytest

from core.control.client import ConnectError, Line, LinkError, StopLine, connect, encode, encode_command
from core.control.protocol import (
    VERSION,
    Acknowledge,
    Flatten,
    Halt,
    Hello,
    Pause,
    Veto,
    Welcome,
)

from .alongside import until
from .conftest import House

HELLO = Hello(VERSION, "command", "console", 1, "s")


async def test_a_stop_line_writes_at_once_and_survives_unread_replies(house: House) -> None:
    stop = await asyncio.to_thread(StopLine, house.path, HELLO)
    for number in range(500):  # a key held for long; nobody reads the replies
        assert await asyncio.to_thread(stop.send_flatten, f"f{number}")
    await until(lambda: len(house.desk.commands) == 500)
    began = time.monotonic()
    assert await asyncio.to_thread(stop.alive)
    assert time.monotonic() - began < 0.5  # looking must never wait
    assert all(isinstance(command, Flatten) and command.sent_ns for command, _ in house.desk.commands)
    stop.close()


async def test_a_stop_line_never_waits_for_an_engine_that_hangs(house: House) -> None:
    stop = await asyncio.to_thread(StopLine, house.path, HELLO)
    began = time.monotonic()
    for number in range(500):  # this loop is the engine's: it reads nothing meanwhile
        assert stop.send_flatten(f"f{number}")
    assert time.monotonic() - began < 0.5
    await until(lambda: house.desk.commands)
    stop.close()


async def test_a_stop_line_opens_itself_again_when_the_engine_was_replaced(house: House) -> None:
    stop = await asyncio.to_thread(StopLine, house.path, HELLO)
    for client in tuple(house.server.clients):
        client._transport.abort()
    await until(lambda: not house.server.clients)
    assert not await asyncio.to_thread(stop.alive)
    # The first write after the end may still be taken by the kernel; the check above found out.
    assert await asyncio.to_thread(stop.reopen)
    assert await asyncio.to_thread(stop.send_flatten, "f")
    await until(lambda: house.desk.commands)
    stop.close()


def test_a_stop_without_an_engine_says_no(tmp_path: Path) -> None:
    with pytest.raises(ConnectError):
        StopLine(tmp_path / "control.sock", HELLO)


def test_a_command_too_large_is_not_sent() -> None:
    with pytest.raises(ValueError, match="may be 65536 bytes"):
        encode_command(Veto("1", "P1", "f", "x" * 70_000))
    with pytest.raises(ValueError, match="beyond 64 bits"):
        encode_command(Acknowledge("1", 1 << 64))


class Silent:
    """A listener that takes connections and answers with the given bytes, or not at all."""

    def __init__(self, path: Path, answer: bytes) -> None:
        self.path = path
        self._answer = answer
        self._kept: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Silent:
        self._server = await asyncio.start_unix_server(self._serve, str(self.path))
        return self

    async def __aexit__(self, *_: object) -> None:
        for writer in self._kept:
            writer.close()
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._kept.append(writer)
        await reader.read(4)
        writer.write(self._answer)
        await writer.drain()


WELCOME = encode(Welcome(VERSION, "e", "demo", controls=False, pid=1))


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b"", r"did not answer within 0\.2 s"),
        (struct.pack(">I", 1 << 30), "announced a frame of 1073741824 bytes"),
        (struct.pack(">I", 2) + b"\xc1\xc1", "cannot read"),
        (encode(msgspec.structs.replace(HELLO)), "cannot read"),
    ],
)
async def test_a_listener_that_is_no_engine_is_told_apart(
    tmp_path: Path, answer: bytes, sentence: str
) -> None:
    async with Silent(tmp_path / "s", answer) as silent:
        with pytest.raises(ConnectError, match=sentence) as caught:
            await connect(silent.path, HELLO, timeout_s=0.2)
        assert not caught.value.absent
        with pytest.raises(ConnectError, match=sentence):
            await asyncio.to_thread(Line, silent.path, HELLO, timeout_s=0.2)


async def test_a_reply_that_never_comes_ends_in_a_sentence(tmp_path: Path) -> None:
    async with Silent(tmp_path / "s", WELCOME) as silent:
        line = await asyncio.to_thread(Line, silent.path, HELLO)
        with line, pytest.raises(LinkError, match=r"did not answer within 0\.1 s"):
            await asyncio.to_thread(line.call, Halt("1"), timeout_s=0.1)


async def test_the_end_of_the_engine_ends_the_iteration(house: House) -> None:
    connection = await house.open("command")
    connection.send(Pause("1"))
    seen = 0
    async for _ in connection:
        seen += 1
        for client in tuple(house.server.clients):
            client._transport.abort()
    assert seen == 1


def test_a_blocking_line_reads_a_frame_that_comes_in_pieces() -> None:
    ours, theirs = socket.socketpair()
    line = Line.__new__(Line)
    line._socket = ours
    for byte in WELCOME:
        theirs.send(bytes([byte]))
    assert line._receive() == Welcome(VERSION, "e", "demo", controls=False, pid=1)
    ours.close()
    theirs.close()
