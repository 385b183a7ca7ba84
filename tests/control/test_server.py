"""The socket: private, bounded, fair to the engine, and honest to whoever attaches."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import struct
from pathlib import Path

import msgspec
import pytest

from core.control import connection as connection_module
from core.control import pace as pace_module
from core.control import server as server_module
from core.control.client import ConnectError, LinkError, encode
from core.control.protocol import (
    VERSION,
    AnyCommand,
    Approve,
    Bye,
    Flatten,
    Frame,
    Halt,
    Hello,
    Pause,
    Query,
    Refused,
    Reply,
    TakeControl,
)
from core.control.sockets import SocketError, bind
from core.engine.operator import Actor

from .alongside import until
from .conftest import House, row


def test_the_socket_is_private_from_birth(tmp_path: Path) -> None:
    path = tmp_path / "run" / "control.sock"
    old = os.umask(0)
    try:
        sock = bind(path)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    sock.close()


def test_a_socket_left_by_a_dead_engine_is_replaced_and_a_file_is_not(tmp_path: Path) -> None:
    path = tmp_path / "run" / "control.sock"
    bind(path).close()
    bind(path).close()
    path.unlink()
    path.write_text("precious")
    with pytest.raises(SocketError, match="cannot listen"):
        bind(path)
    assert path.read_text() == "precious"


async def test_a_command_is_answered_and_carries_the_proven_peer(house: House) -> None:
    line = await house.open("command", client="cli")
    line.send(Approve("c1", "P1", "abc"))
    reply = await line.receive()
    assert reply == Reply("c1", accepted=True, text="done 1")
    command, actor = house.desk.commands[0]
    assert isinstance(command, Approve)
    assert (actor.pid, actor.uid) == (os.getpid(), os.getuid())  # not the 7 the greeting claimed
    assert actor.may_operate


@pytest.fixture
def hourly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace_module, "FRAME_INTERVAL_S", 3600.0)
    monkeypatch.setattr(pace_module, "AHEAD_S", 7200.0)


async def test_what_cannot_wait_goes_out_before_the_next_frame_is_due(hourly: None, house: House) -> None:
    line = await house.open("state")
    while not (isinstance(frame := await line.receive(), Frame) and frame.part + 1 == frame.parts):
        pass
    for bid in (4200, 4300):
        house.desk.changed.append(row(1, bid))
        house.server.pace.hurry()
        async with asyncio.timeout(5.0):
            frame = await line.receive()
        assert isinstance(frame, Frame) and frame.markets == (row(1, bid),)


async def test_a_repeated_id_is_carried_out_once(house: House) -> None:
    line = await house.open("command")
    for _ in range(3):
        line.send(Pause("same"))
    replies = [await line.receive() for _ in range(3)]
    assert len(house.desk.commands) == 1
    assert len(set(replies)) == 1
    again = await house.open("command")  # the same console after a reconnect
    again.send(Pause("same"))
    assert await again.receive() == replies[0]
    assert len(house.desk.commands) == 1


async def test_the_memory_of_answers_is_bounded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "ANSWERS_MAX", 10)
    line = await house.open("command")
    for number in range(30):
        line.send(Halt(str(number)))
        await line.receive()
    assert len(house.server._answers) == 10


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (struct.pack(">I", 65537), "may be 65536 bytes; this one announces 65537"),
        (struct.pack(">I", 3) + b"\xc1\xc1\xc1", f"This is no command of version {VERSION}"),
        (struct.pack(">I", 0), "This is no command"),
        (b"GET / HTTP/1.1\r\n\r\n", "announces"),
        (struct.pack(">I", 9) + msgspec.msgpack.encode({"type": 1}), "This is no command"),
        (encode(Pause("x" * 65)), "id of 1 to 64"),
        (encode(Pause("")), "id of 1 to 64"),
    ],
)
async def test_nonsense_gets_a_sentence_and_a_closed_connection(
    house: House, data: bytes, sentence: str
) -> None:
    line = await house.open("command")
    if data[:4] == struct.pack(">I", 9):
        body = data[4:]
        data = struct.pack(">I", len(body)) + body
    line._writer.write(data)
    async with asyncio.timeout(5):
        answer = await line.receive()
    assert isinstance(answer, Refused)
    assert sentence in answer.reason
    with pytest.raises(LinkError):
        await line.receive()
    assert house.desk.commands == []
    other = await house.open("command", session="s2")
    other.send(Pause("p"))
    assert isinstance(await other.receive(), Reply)


async def test_an_unknown_command_is_named(house: House) -> None:
    line = await house.open("command")
    body = msgspec.msgpack.encode({"type": "sell_everything", "id": "1"})
    line._writer.write(struct.pack(">I", len(body)) + body)
    answer = await line.receive()
    assert isinstance(answer, Refused)
    assert "sell_everything" in answer.reason


async def test_random_bytes_never_reach_the_desk(house: House) -> None:
    for seed in range(40):
        reader, writer = await asyncio.open_unix_connection(str(house.path))
        if seed % 2:
            writer.write(encode(Hello(VERSION, "command", "cli", 1, "fuzz")))
        blob = bytes((seed * 31 + i * i * 7) % 256 for i in range(200))
        writer.write(struct.pack(">I", len(blob)) + blob)
        writer.write_eof()
        await reader.read()
        writer.close()
        await writer.wait_closed()
    assert house.desk.commands == []
    await until(lambda: not house.server.clients)


async def test_another_version_is_refused_with_the_remedy(house: House) -> None:
    from core.control.client import connect

    with pytest.raises(
        ConnectError, match=rf"version {VERSION}, the client version 99: restart the engine"
    ) as caught:
        await connect(house.path, Hello(99, "command", "cli", 1, "s"))
    assert not caught.value.absent


async def test_a_connection_that_never_greets_is_closed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "HELLO_TIMEOUT_S", 0.05)
    reader, writer = await asyncio.open_unix_connection(str(house.path))
    async with asyncio.timeout(2):
        assert await reader.read() == b""
    writer.close()


async def test_nobody_listening_is_told_apart_from_a_refusal(tmp_path: Path) -> None:
    from core.control.client import Line

    with pytest.raises(ConnectError, match="no engine answers") as caught:
        Line(tmp_path / "control.sock", Hello(VERSION, "command", "cli", 1, "s"))
    assert caught.value.absent


async def test_commands_are_limited_but_never_the_stop(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    line = await house.open("command")
    for number in range(100):
        line.send(Pause(f"p{number}"))
    replies = [await line.receive() for _ in range(100)]
    assert sum(isinstance(r, Reply) and r.accepted for r in replies) == connection_module.RATE_BURST
    for number in range(100):
        line.send(Flatten(f"f{number}"))
        answer = await line.receive()
        assert isinstance(answer, Reply) and answer.accepted


async def test_the_stop_reaches_the_desk_inside_the_read_callback(house: House) -> None:
    client = connection_module.Connection(house.server)
    ours, theirs = socket.socketpair()
    transport, _ = await asyncio.get_running_loop().connect_accepted_socket(lambda: client, ours)
    # One call into the protocol, no turn of the loop: greeting and stop arrive together.
    client.data_received(
        encode(Hello(VERSION, "command", "console", 1, "s")) + encode(Flatten("f", sent_ns=5))
    )
    assert [type(command) for command, _ in house.desk.commands] == [Flatten]
    transport.close()
    theirs.close()
    await until(lambda: client not in house.server.clients)


async def test_the_first_console_controls_and_the_second_views(house: House) -> None:
    first = await house.open("state", "s1")
    second = await house.open("state", "s2")
    assert first.welcome.controls
    assert not second.welcome.controls
    assert house.desk.presence == ["s1"]
    assert house.desk.viewer_count == 1
    commands = await house.open("command", "s2")
    commands.send(Pause("1"))
    await commands.receive()
    assert not house.desk.commands[0][1].may_operate
    commands.send(TakeControl("2"))
    answer = await commands.receive()
    assert isinstance(answer, Reply) and answer.accepted
    commands.send(Pause("3"))
    await commands.receive()
    assert house.desk.commands[1][1].controls
    assert house.desk.presence == ["s1", "s2"]


async def test_control_ends_with_the_state_connection_and_is_not_inherited(house: House) -> None:
    first = await house.open("state", "s1")
    await house.open("command", "s1")
    await house.open("state", "s2")
    await first.close()
    await until(lambda: house.desk.presence == ["s1", "gone"])
    assert house.server.controller is None
    third = await house.open("state", "s3")
    assert third.welcome.controls


async def test_take_and_view_only(house: House) -> None:
    await house.open("state", "s1")
    taker = await house.open("state", "s2", take=True)
    assert taker.welcome.controls
    viewer = await house.open("state", "s3", view_only=True)
    assert not viewer.welcome.controls
    commands = await house.open("command", "s3", view_only=True)
    commands.send(TakeControl("t"))
    answer = await commands.receive()
    assert isinstance(answer, Reply) and not answer.accepted


async def test_a_state_connection_gets_everything_then_changes_then_signs_of_life(house: House) -> None:
    state = await house.open("state")
    parts = [await state.receive(), await state.receive()]
    assert [p.part for p in parts if isinstance(p, Frame) and p.full] == [0, 1]
    house.desk.changed.append(row(1, 4300))
    changed = await state.receive()
    assert isinstance(changed, Frame) and not changed.full
    assert [m.bid for m in changed.markets] == [4300]
    house.time.ns += 500_000_000
    quiet = await state.receive()
    assert isinstance(quiet, Frame)
    assert quiet.markets == () and len(encode(quiet)) < 64


async def test_frames_come_at_most_ten_times_a_second(house: House) -> None:
    state = await house.open("state")
    await state.receive()
    await state.receive()
    loop = asyncio.get_running_loop()
    started, frames = loop.time(), 0
    while loop.time() - started < 1.0:
        house.desk.changed.append(row(1))
        try:
            async with asyncio.timeout(0.02):
                await state.receive()
                frames += 1
        except TimeoutError:
            continue
    assert 3 <= frames <= 11


async def test_commands_on_a_state_connection_are_refused(house: House) -> None:
    state = await house.open("state")
    state.send(Pause("1"))
    async for message in state:
        if isinstance(message, Refused):
            break
    assert house.desk.commands == []


async def test_fifty_changed_rows_fit_three_kilobytes() -> None:
    frame = Frame(seq=123_456, made_ns=81_234_567_890_123, markets=tuple(row(key) for key in range(450, 500)))
    assert len(encode(frame)) < 3000


async def test_a_reader_that_stops_is_dropped_after_six_seconds_and_a_slow_one_catches_up(
    house: House,
) -> None:
    frozen = await house.open("state", "frozen")
    live = await house.open("state", "live")
    frozen._reader._transport.pause_reading()  # type: ignore[attr-defined]
    assert house.desk.presence == ["frozen"]

    seen: list[Frame] = []

    async def watch() -> None:
        async for message in live:
            assert isinstance(message, Frame)
            seen.append(message)

    watching = asyncio.create_task(watch())
    for _ in range(14):
        house.time.ns += 500_000_000
        before = len(seen)
        await until(lambda before=before: len(seen) > before)
    await until(lambda: house.desk.presence == ["frozen", "gone"])
    assert any(c.hello.session == "live" for c in house.server.clients)
    await live.close()
    await watching


async def test_a_full_buffer_drops_frames_and_ends_in_a_snapshot(house: House) -> None:
    state = await house.open("state")
    await state.receive()
    await state.receive()
    transport = state._reader._transport  # type: ignore[attr-defined]
    transport.pause_reading()
    client = next(iter(house.server.clients))
    big = [row(key) for key in range(4000)]
    for _ in range(40):
        house.desk.changed.extend(big)
        client.tick(house.time.ns)
        if client._behind:
            break
    assert client._behind
    reader = client._reader
    sent = reader.seq  # type: ignore[union-attr]
    for _ in range(20):
        house.desk.changed.extend(big)
        client.tick(house.time.ns)
    assert reader.seq == sent  # type: ignore[union-attr]  # dropped, not queued
    transport.resume_reading()
    async with asyncio.timeout(10):
        async for message in state:
            if isinstance(message, Frame) and message.full:
                break
    assert not client._behind


async def test_a_row_that_cannot_be_built_costs_the_connection_not_the_engine(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    state = await house.open("state", "s1")
    other = await house.open("command", "s2")
    broken = next(c for c in house.server.clients if c.shows_state)

    def changes() -> list[Frame]:
        raise KeyError("no such market")

    monkeypatch.setattr(broken._reader, "changes", changes)
    async for _ in state:
        continue
    assert "no frame for pid" in caplog.text
    other.send(Pause("p"))
    assert isinstance(await other.receive(), Reply)


async def test_a_command_the_engine_breaks_on_is_answered(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    line = await house.open("command")
    whole = house.desk.command

    def command(command: AnyCommand, actor: Actor) -> Reply:
        if command.id == "bad":
            raise KeyError("no such market")
        return whole(command, actor)

    monkeypatch.setattr(house.desk, "command", command)
    line.send(Pause("bad"))
    line.send(Pause("good"))
    answers = [await line.receive(), await line.receive()]
    assert [answer.accepted for answer in answers if isinstance(answer, Reply)] == [False, True]
    assert "failed on this command (KeyError)" in str(answers[0])
    assert "no such market" in caplog.text


async def test_long_answers_to_questions_are_not_kept(house: House) -> None:
    line = await house.open("command")
    for command_id in ("q1", "q1", "q2"):
        line.send(Query(command_id, "status"))
        assert isinstance(await line.receive(), Reply)
    assert len(house.desk.commands) == 3 and not house.server._answers


async def test_everyone_is_told_when_the_engine_stops(tmp_path: Path) -> None:
    house = House(tmp_path / "run" / "control.sock")
    task = asyncio.create_task(house.server.run(bind(house.path), lambda: "The engine stops: deploy."))
    await asyncio.sleep(0)
    line = await house.open("command")
    task.cancel()
    assert await line.receive() == Bye("The engine stops: deploy.")
    await line.close()
    with pytest.raises(asyncio.CancelledError):
        await task
