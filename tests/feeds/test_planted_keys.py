"""A key planted in every source that takes one is in nothing that is written or shown, whatever happens."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import msgspec
import pytest

from core.control.log import to_file
from core.control.rows.sources import feed_row
from core.control.tape import Tape
from core.engine import source_watch
from core.feeds import chainlink
from core.feeds.feed import FeedHealth, FeedState
from core.feeds.recording import Recorded
from core.feeds.registry import declarations
from core.sim.feeds.app import addresses, provider_names
from core.sim.feeds.switchboard import Fault
from tests.execution.bench import running
from tests.feeds.simulated import World
from tests.virtual import VirtualLoop

PLANTED = "pk+Live/7Qz=x%Aa9&w"
"""Every character that an address, a form or a header may write differently."""
IN_ADDRESS = "pk-Live-7QzAa9w8x"
"""Of a node that the operator names: it is a part of the address and nothing else."""
FORMS = {PLANTED, quote(PLANTED, safe=""), quote_plus(PLANTED), IN_ADDRESS}
KEYED = [of for of in declarations() if of.key is not None and of.name in addresses("http://sim")]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    root, chatty = logging.getLogger(), ("httpx", "httpcore", "websockets", "asyncio")
    held, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in chatty}
    to_file(tmp_path / "engine.log")
    (own,) = root.handlers
    assert isinstance(own, logging.StreamHandler)
    logging.getLogger("httpx").info("HTTP Request: GET http://x/?apikey=%s", PLANTED)
    yield tmp_path / "engine.log"
    own.stream.close()
    root.handlers[:] = held
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)


def key_of(scope: Any) -> str:
    """The one that rode in a question."""
    return IN_ADDRESS if IN_ADDRESS in scope["path"] else PLANTED


class Parrot:
    """An edge that repeats in its answers everything it was asked with; ``status`` 0 lets through."""

    status = 0

    def before(self, app: Any) -> Any:
        async def edge(scope: Any, receive: Any, send: Any) -> None:
            if not self.status:
                await app({**scope, "path": scope["path"].replace(f"/{IN_ADDRESS}", "")}, receive, send)
            elif scope["type"] == "http":
                await self._answer(scope, await receive(), send)
            else:
                await self._stream(scope, receive, send)

        return edge

    def _said(self, scope: Any, more: bytes) -> dict[str, Any]:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        query = scope["query_string"].decode()
        key = key_of(scope)
        words = {"reason": f"{key} {query}", "message": f"project {key}", "body": more.decode()}
        if key is IN_ADDRESS:
            return {"error": {"code": -32_000, **words}}
        return {"error": True, **words, **headers}

    async def _answer(self, scope: Any, asked: Any, send: Any) -> None:
        said = self._said(scope, asked.get("body", b""))
        headers = [
            (b"content-type", b"application/json"),
            (b"location", b"http://sim/?" + scope["query_string"]),
            (b"x-asked", key_of(scope).encode()),
        ]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": msgspec.json.encode(said)})

    async def _stream(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        first = await receive()
        said = self._said(scope, (first.get("text") or "").encode())
        for words in ({"event": "error", **said}, said):
            await send({"type": "websocket.send", "text": msgspec.json.encode(words).decode()})
        await send({"type": "websocket.close", "code": 1008, "reason": f"bad key {key_of(scope)}"})


def test_a_planted_key_is_in_nothing_that_is_written_or_shown(
    virtual: Any, log: Path, tmp_path: Path
) -> None:
    recorded: list[Recorded] = []
    tape = Tape(tmp_path / "recordings", 64 << 20)

    def record(one: Recorded) -> None:
        recorded.append(one)
        tape.take(one)

    parrot = Parrot()
    sources = [*KEYED, chainlink.DECLARATION]
    nodes = {role: f"{url}/{IN_ADDRESS}" for role, url in addresses("http://sim")["chainlink"].items()}
    world = World(
        virtual,
        only=[of.name for of in sources],
        key=PLANTED,
        record=record,
        urls={"chainlink": nodes},
        edge=parrot.before,
    )
    labels = {of.label for of in sources}
    healths: list[FeedHealth] = []
    tried: list[str] = []

    async def look(seconds: int) -> None:
        for _ in range(seconds):
            await asyncio.sleep(1)
            healths.extend(feed.health() for feed in world.feeds if feed.name in labels)

    async def script() -> None:
        await look(5)
        assert {world.states()[label] for label in labels} == {FeedState.OK}, "the key was right"
        for fault in (Fault.PAGE, Fault.BUSY, Fault.DOWN):
            for provider in provider_names():
                world.switches.flip(provider, fault)
            await look(15)
            world.switches.on.clear()
        for status in (200, 302, 400, 422, 429, 500, 403, 401):
            parrot.status = status
            await look(10)
            for feed in world.feeds:
                trial = getattr(feed, "trial", None)
                if feed.name in labels and trial is not None:
                    async with asyncio.timeout(60):
                        tried.append((await trial()).text)

    world.run(script)
    tape.close()
    written = [msgspec.json.encode(one) + one.body for one in recorded]
    written += [msgspec.json.encode(feed_row(health, None)) for health in healths]
    written += [msgspec.json.encode(value) for value in world.got]
    written += [text.encode() for text in tried]
    written += [log.read_bytes(), *journalled(healths)]
    kept = [path.read_bytes() for path in sorted((tmp_path / "recordings").iterdir())]
    assert sum(text.count(b"\n") for text in kept) == len(recorded)
    written += kept
    assert {one.feed for one in recorded} == {of.name for of in sources}
    for text in written:
        for form in FORMS:
            assert form.encode() not in text
            assert msgspec.json.encode(form).strip(b'"') not in text


def journalled(healths: list[FeedHealth]) -> list[bytes]:
    """What an engine writes and alarms of as it sees these healths one after the other."""
    loop = VirtualLoop()

    class Played:
        name = "played"
        at = healths[0]

        async def run(self) -> None:
            await asyncio.Event().wait()

        def health(self) -> FeedHealth:
            return self.at

    async def play() -> list[bytes]:
        async with running(loop, ready=False) as bench:
            played = Played()
            guard = bench.engine.guard
            guard.feeds = (*guard.feeds, played)
            said = []
            for health in dict.fromkeys(healths):
                played.at = health
                await asyncio.sleep(1.1)
                said += [repr(alarm).encode() for alarm in bench.engine.state.alarms.values()]
            rows = [msgspec.json.encode(row) for row in bench.journal.rows]
            assert any(health.detail and health.detail.encode() in row for row in rows for health in healths)
            return rows + said

    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(source_watch, "GRACE_NS", 0)
            return loop.run_until_complete(play())
    finally:
        loop.close()
