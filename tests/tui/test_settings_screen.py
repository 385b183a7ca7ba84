"""The settings screen: what Enter changes, where it is written, and what is left alone."""

from __future__ import annotations

from pathlib import Path

from core.config.settings import ConsoleSettings, load
from tests.tui.conftest import running
from tui.screens.settings import SETTINGS
from tui.widgets.live_table import LiveTable


def test_every_setting_of_the_console_is_there() -> None:
    assert {setting.key for setting in SETTINGS} == {*ConsoleSettings.__struct_fields__}
    for setting in SETTINGS:
        for choice in setting.choices:
            ConsoleSettings(**{setting.key: choice})


async def test_enter_changes_one_value_and_writes_only_that(directory: Path) -> None:
    config = directory / ("in a folder whose name is long" * 2) / "config.toml"
    config.parent.mkdir()
    config.write_text("[engine] # slow\nflatten_countdown_s = 7\n")
    async with running(directory, size=(80, 24), paints_per_s=10, config=config) as desk:
        await desk.press("colon", *"settings", "enter")
        await desk.shows("SETTINGS Enter changes one   [console] of")
        assert "PgDn more" not in desk.text, "every setting is in sight"
        assert "Enter change" in desk.text and "Enter open" not in desk.text
        table = desk.app.screen.query_one("#settings", LiveTable)

        async def change(key: str, *typed: str, said: str) -> None:
            table.point_at(key)
            await desk.press("enter", *typed)
            await desk.shows(said)

        await change("bell", said="bell = card is written")
        assert config.read_text() == '[engine] # slow\nflatten_countdown_s = 7\n\n[console]\nbell = "card"\n'
        assert desk.app.painter.bell.policy == "card"
        await change("theme", *"mono", "enter", said="theme = mono is written")
        assert desk.app.theme == "mono" == load(config).console.theme
        written = config.read_text()
        await change("theme", *"nope", "enter", said="there is no theme 'nope'")
        await change("repaint_hz", *"fast", "enter", said="repaint_hz must be a whole number")
        await change("repaint_hz", *"50", "enter", said="not written: ")
        assert config.read_text() == written and desk.app.theme == "mono"
        await change("low_bandwidth", said="low_bandwidth = true is written")
        assert desk.app.painter.pace.low_bandwidth
        config.write_text("[consol]\n")
        await desk.press("escape", "colon", *"settings", "enter")
        await desk.shows("unknown key")
        assert "config.toml:1: unknown key 'consol': did you mean 'console'?" in " ".join(desk.text.split())
        await desk.press("enter")
        assert config.read_text() == "[consol]\n"
