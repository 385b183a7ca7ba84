"""The console whose engine is gone: what it says, and which keys it gives back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from core.control.protocol import Pause
from core.control.tables.safety import FlattenVenueRow
from tests.tui import rows
from tests.tui.conftest import running
from tests.tui.fake_engine import FakeEngine, read_clocks
from tui.link import Identity, Link, Listener

SIZES = [(80, 24), (160, 45)]


@pytest.mark.parametrize("size", SIZES)
async def test_an_engine_that_dies_in_the_middle_of_a_stop_is_named_with_the_way_to_finish_it(
    directory: Path, size: tuple[int, int]
) -> None:
    async with running(directory, size=size) as desk:
        venues = (FlattenVenueRow("kalshi", 2, 2, 0, 4, 3, 8 * rows.C),)
        desk.engine.send(
            flatten=rows.flatten(read_clocks(), phase="EXITING", exits_at_ns=None, venues=venues)
        )
        await desk.shows("STOPPING   EXITING")
        await desk.engine.stop()
        await desk.until(lambda: "ENGINE DOWN" in desk.text.splitlines()[0])
        await desk.shows("Stop unfinished. Run: pmconsole flatten --direct   2 orders, 4 positions left.")
        await desk.shows("EXITING   when the engine was lost")
        assert "STOPPING" not in desk.text and "ladder takes every key" not in desk.text
        await desk.press("q")
        await desk.until(lambda: desk.app.return_code is not None)


async def test_a_stop_that_finds_no_engine_names_the_command_that_does_without(directory: Path) -> None:
    async with running(directory, profile="live") as desk:
        await desk.engine.stop()
        await desk.shows("Run: pmconsole engine start --profile live")
        await desk.press("ctrl+x")
        await desk.shows("flatten not sent. Run: pmconsole flatten --direct --profile live")


async def test_a_lost_command_connection_is_opened_again(directory: Path) -> None:
    """Frames alone would show a desk that looks alive and takes no key."""
    engine = FakeEngine(directory / "e.sock")
    await engine.start()
    downs: list[str] = []
    ups: asyncio.Queue[object] = asyncio.Queue()
    link = Link(
        engine.path,
        Identity(1, "s1"),
        Listener(ups.put_nowait, downs.append, lambda _: None, lambda _: None),
    )
    running_link = asyncio.create_task(link.run())
    try:
        async with asyncio.timeout(8):
            await ups.get()
            engine.hang_up("command", "Too much at once.")
            await ups.get()
            assert downs == ["Too much at once."]
            assert link.send(Pause("p-1"))
            await engine.expect(Pause)
            assert engine.commands == [Pause("p-1")]
    finally:
        running_link.cancel()
        await asyncio.gather(running_link, return_exceptions=True)
        await link.close()
        await engine.stop()
