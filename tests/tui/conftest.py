"""A console on a fake engine, and waiting by condition instead of by time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import groupby
from pathlib import Path

import pytest
from textual.events import Key
from textual.pilot import Pilot

from core.config import paths
from tests.tui.fake_engine import FakeEngine, read_clocks
from tui.app import ConsoleOptions, PmConsole
from tui.keymap import USUAL, Keymap
from tui.returning import Record
from tui.tables import Now
from tui.theme_files import DEFAULT_THEME
from tui.widgets.line_pane import LinePane

TIMEOUT_S = 8.0
SPELT = {"space": " ", "minus": "-", "full_stop": "."}
"""Characters by the names of their keys."""


class Desk:
    """A running console with its engine and the hands on its keyboard."""

    def __init__(self, app: PmConsole, engine: FakeEngine, pilot: Pilot[int]) -> None:
        self.app = app
        self.engine = engine
        self.pilot = pilot

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                while not condition():
                    await self.pilot.pause(0.01)
        except TimeoutError:
            pytest.fail(f"never {what or 'true'}; the screen:\n{self.text}")

    async def shows(self, text: str) -> None:
        await self.until(lambda: text in self.text, f"showed {text!r}")

    async def press(self, *keys: str) -> None:
        """Keys one by one; what is typed into the command line or the filter comes as one stroke."""
        typing = False
        for text, run in groupby(keys, lambda key: key in SPELT or (len(key) == 1 and key.isalnum())):
            pressed = list(run)
            if text and typing:
                for key in pressed:
                    event = Key(key, SPELT.get(key, key))
                    event.set_sender(self.app)
                    self.app._driver.send_message(event)
                await self.pilot.pause()
            else:
                await self.pilot.press(*pressed)
            typing = pressed[-1] in ("colon", "slash")

    @property
    def text(self) -> str:
        panes = [pane for pane in self.app.screen.query(LinePane) if pane.region]
        panes.sort(key=lambda pane: (pane.region.y, pane.region.x))
        return "\n".join(pane.text for pane in panes)

    def stand(self) -> Now:
        """Stop the console's clock: no age, no arming depends on how long the test takes. Where it stands."""
        now = self.app.clock()
        self.app.clock = lambda: now
        return now

    def go_on(self) -> None:
        self.app.clock = read_clocks

    def sent(self, kind: type) -> list:
        return [command for command in self.engine.commands if isinstance(command, kind)]


@asynccontextmanager
async def running(
    directory: Path,
    *,
    size: tuple[int, int] = (120, 36),
    cards: bool = True,
    profile: str = "demo",
    coach: bool = False,
    both: bool = False,
    paints_per_s: int = 4,
    low_bandwidth: bool = False,
    theme: str = DEFAULT_THEME,
    themes: Path | None = None,
    screenshots: Path | None = None,
    config: Path | None = None,
    keymap: Keymap = USUAL,
    record: Record | None = None,
    watchlist: Path | None = None,
    clock: Callable[[], Now] = read_clocks,
    ready: str = "NYC hi Nov23 48-49",
) -> AsyncIterator[Desk]:
    engine = FakeEngine(directory / "e.sock", cards=cards, profile=profile, both=both, clock=clock)
    await engine.start()
    typed = paths.profile(profile).command
    options = ConsoleOptions(
        engine.path,
        typed,
        coach=coach,
        paints_per_s=paints_per_s,
        low_bandwidth=low_bandwidth,
        theme=theme,
        themes=themes,
        screenshots=screenshots,
        config=config or directory / "config.toml",
        keymap=keymap,
        record=record,
        watchlist=watchlist,
    )
    app = PmConsole(options, clock=clock)
    try:
        async with app.run_test(size=size) as pilot:
            desk = Desk(app, engine, pilot)
            await desk.shows(ready)
            yield desk
    finally:
        await engine.stop()


@pytest.fixture
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short directory: a socket's path may have some hundred characters."""
    return tmp_path_factory.mktemp("s")
