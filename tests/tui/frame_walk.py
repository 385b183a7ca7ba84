"""Walks a console past everything in ``frame_scenes`` and takes down what stands on its screen."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import pytest

from core.config.seen import Seen, write_seen
from tests.tui import rows
from tests.tui.conftest import Desk, running
from tests.tui.frame_desk import NEWEST, START, Journalling, Stage, Still, answers, desk_rows, journalled
from tests.tui.frame_scenes import PAINTED_IN, PICTURES, Picture, Shape
from tests.tui.test_returning import journal_of, past
from tui import recall
from tui.actions import ACTIONS, DECIDES
from tui.arming import Arming
from tui.dispatch import perform
from tui.ladder import Ladder
from tui.screens.desk import DeskScreen
from tui.takeover import Takeover

_ACTIONS = {action.id: action for action in ACTIONS}
CONFIG = Path("/home/trader/.config/pmconsole/demo/config.toml")
"""No such file: every setting is as it comes."""
SETTLES_S = 60.0
_LOOK_S = 0.002


class Brush:
    """Paints a console when it is told to, and not whenever the console would: nothing is drawn twice."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._app = desk, desk.app
        self._paint = desk.app.repaint
        self._asked = True
        self._app.repaint = self._ask  # type: ignore[method-assign]

    def _ask(self) -> None:
        self._asked = True

    async def finish(self) -> None:
        """Paint until every answer is there and drawn, and nobody asks for another paint."""
        self._asked = True
        try:
            async with asyncio.timeout(SETTLES_S):
                while self._asked or self._waits():
                    await self._desk.pilot.pause(0)
                    if self._waits():
                        await asyncio.sleep(_LOOK_S)
                    elif self._asked:
                        self._asked = False
                        self._paint()
                        await self._desk.pilot.pause(0)
        except TimeoutError:
            pytest.fail(f"goes on changing although nothing happens:\n{self._desk.text}")

    def _waits(self) -> bool:
        """Whether something is on its way: an answer of the engine, a page of the journal, a screen."""
        app, screen = self._app, self._app.screen
        reads = any(worker.group != "link" and not worker.is_finished for worker in app.workers)
        moves = screen._layout_required or screen._callbacks or not screen.is_mounted
        return bool(app.operator._asked or reads or moves)


@asynccontextmanager
async def still_console(directory: Path, shape: Shape, theme: str) -> AsyncIterator[Stage]:
    """A console on a clock that stands still, with a journal behind it that has something to tell."""
    clock = Still()
    path = directory / "journal.db"
    await journal_of(path, *journalled(), clock=Journalling())
    newest = recall.page(path, NEWEST, lambda _: True).rows[-3:]
    world = rows.status(START, session="").world_id
    write_seen(
        directory / "seen.json", Seen(world, 1, START.wall_ms - 7_200_000, "", 460_000_000, -1_000_000)
    )
    with mock.patch.dict(os.environ, TERM="xterm-256color"):  # a font that has what charts are drawn with
        async with running(
            directory, size=shape, clock=clock, config=CONFIG, record=past(directory), ready="looked at it"
        ) as desk:
            desk.engine.silence()
            desk.engine.answers |= answers()
            assert desk.app.looks.change(theme)
            yield Stage(desk, clock, newest)


class Taken(NamedTuple):
    """One picture of one shape."""

    picture: Picture
    lines: list[str]
    svgs: dict[str, str]
    """By theme, of what is kept so too."""


async def walk(directory: Path, shape: Shape, theme: str) -> AsyncIterator[Taken]:
    """Everything there is to look at in that shape."""
    async with still_console(directory, shape, theme) as stage:
        brush = Brush(stage.desk)
        for picture in PICTURES:
            if shape in picture.shapes:
                await _go(stage, brush, picture)
                lines = shown(stage.desk, picture)
                painted = shape in picture.painted
                yield Taken(picture, lines, await _in_themes(stage, brush, picture, theme) if painted else {})


async def _go(stage: Stage, brush: Brush, picture: Picture) -> None:
    _begin(stage, picture)
    picture.stage(stage)
    if picture.screen in DECIDES:
        await brush.finish()  # from now on the card stands there
    stage.clock.passes(picture.wait_s)
    for step in picture.steps:
        _take(stage, step)
        await brush.finish()
    picture.last(stage)
    await brush.finish()
    name = stage.desk.app.screen_name
    assert name == picture.screen, f"{picture.name} stands on {name}"


async def _in_themes(stage: Stage, brush: Brush, picture: Picture, theme: str) -> dict[str, str]:
    """The picture painted in other themes: its text is the same in all. SVGs of those that are kept."""
    app, lines, found = stage.desk.app, shown(stage.desk, picture), {}
    for name in (*picture.themes, theme):
        assert app.looks.change(name)
        await brush.finish()
        assert shown(stage.desk, picture) == lines, f"{picture.name} has another text in {name}"
        if name in PAINTED_IN:
            found[name] = app.export_screenshot(title="pmconsole", simplify=True)
    return found


def _begin(stage: Stage, picture: Picture) -> None:
    """The usual desk, and nothing left of what was done to the one before."""
    app, operator = stage.desk.app, stage.desk.app.operator
    stage.clock.now = START
    app.conversation.close()
    operator.question.close()
    operator.arming, operator.ladder, operator.takeover = Arming(), Ladder(), Takeover()
    operator.escape()
    app.view.connected, app.view.closed_reason = True, ""
    desk_rows(stage)
    if picture is not PICTURES[0]:
        app.returning.read(START)
        app.show_mode(app.DEFAULT_MODE)
        assert isinstance(app.screen, DeskScreen)
        app.screen._planned_ns = 0  # its panes get room for what they have now


def _take(stage: Stage, step: str) -> None:
    app, now = stage.desk.app, stage.clock()
    if step.startswith(":"):
        app.conversation.run_line(step[1:])
    else:
        action = _ACTIONS[step]
        perform(app, action, action.keys[0], now.mono_ns, now)


def shown(desk: Desk, picture: Picture) -> list[str]:
    """What of the screen belongs to the picture, without the blanks at the ends of lines."""
    width, height = desk.app.size
    lines = [strip.text for strip in desk.app.screen._compositor.render_strips()]
    torn = len(lines) != height or any(len(text) != width for text in lines)
    assert not torn, f"{picture.name} is torn at {width}x{height}:\n" + "\n".join(lines)
    if picture.pane:
        region = desk.app.screen.query_one(f"#{picture.pane}").region
        lines = [text[region.x : region.right] for text in lines[region.y : region.bottom]] + lines[-1:]
    return [text.rstrip() for text in lines]
