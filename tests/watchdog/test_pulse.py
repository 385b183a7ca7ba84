"""Engine and watchdog over a real socket: pulses, answers, and either end gone."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from core.control.client import encode
from core.control.pulse import Ask, Line, Pulse, PulseError, Watching, prove_life, read_pulse, receive


class Dog:
    """A watchdog's socket side."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[Pulse] = asyncio.Queue()
        self.count = 0
        self.mute = False
        self.served: list[tuple[asyncio.Task[None], asyncio.StreamWriter]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.served.append((task, writer))
        try:
            while True:
                message = read_pulse(await receive(reader))
                if isinstance(message, Pulse):
                    self.count += 1
                    self.heard.put_nowait(message)
                if not self.mute:
                    writer.write(encode(Watching(7, self.count, 0)))
        except PulseError:
            writer.close()

    async def close(self, server: asyncio.Server) -> None:
        server.close()
        for task, writer in self.served:
            writer.close()
            await task


T = TypeVar("T")


async def next_of(queue: asyncio.Queue[T], wanted: Callable[[T], bool] = lambda _: True) -> T:
    """The next entry that is as wanted; what comes before it is dropped."""
    async with asyncio.timeout(3):
        while not wanted(found := await queue.get()):
            pass
        return found


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.control.pulse.EVERY_S", 0.02)
    monkeypatch.setattr("core.control.pulse.ANSWER_S", 0.1)


async def test_pulses_are_answered_and_the_last_one_says_goodbye(tmp_path: Path, fast: None) -> None:
    dog, path, counter = Dog(), tmp_path / "w.sock", itertools.count(1)
    answers: asyncio.Queue[Watching | None] = asyncio.Queue()

    def pulse() -> Pulse:
        return Pulse("r1", 1, next(counter), 10, 2, (("G1", "0"),))

    proving = asyncio.create_task(prove_life(path, pulse, answers.put_nowait))
    assert await next_of(answers) is None, "nobody there yet"
    server = await asyncio.start_unix_server(dog.serve, path=str(path))
    first, second = await next_of(dog.heard), await next_of(dog.heard)
    assert first.groups == (("G1", "0"),) and second.counter > first.counter
    assert await next_of(answers, lambda answer: answer is not None)
    dog.mute = True
    assert await next_of(answers, lambda answer: answer is None) is None
    dog.mute = False
    assert await next_of(answers, lambda answer: answer is not None)
    proving.cancel()
    await asyncio.gather(proving, return_exceptions=True)
    await next_of(dog.heard, lambda heard: heard.leaving)
    await dog.close(server)


async def test_silence_on_purpose_sends_nothing(tmp_path: Path, fast: None) -> None:
    dog = Dog()
    path = tmp_path / "w.sock"
    server = await asyncio.start_unix_server(dog.serve, path=str(path))
    proving = asyncio.create_task(prove_life(path, lambda: None, lambda _: None))
    await asyncio.sleep(0.1)
    assert dog.count == 0
    proving.cancel()
    await asyncio.gather(proving, return_exceptions=True)
    await dog.close(server)


async def test_what_breaks_the_protocol_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PulseError):
        await Line.open(tmp_path / "nobody.sock")
    for bad in (b"\xff\xff\xff\xff", b"\x00\x00\x00\x02{}"):
        reader = asyncio.StreamReader()
        reader.feed_data(bad)
        reader.feed_eof()
        with pytest.raises(PulseError):
            read_pulse(await receive(reader))
    assert read_pulse(encode(Ask())[4:]) == Ask()
