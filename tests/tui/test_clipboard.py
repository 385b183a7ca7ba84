"""What is copied under the cursor, and pictures of the console."""

from __future__ import annotations

import stat
from base64 import b64decode
from pathlib import Path

import pytest

from tests.tui.conftest import running
from tui.clipboard import COPY_MAX, osc52


def test_a_text_goes_to_the_terminal_in_one_sequence_and_not_beyond_its_limit() -> None:
    sequence = osc52("KXHIGHNYC-26NOV23-B48-49")
    assert sequence.startswith("\x1b]52;c;") and sequence.endswith("\x07")
    assert b64decode(sequence[7:-1]) == b"KXHIGHNYC-26NOV23-B48-49"
    assert osc52("x" * COPY_MAX)
    with pytest.raises(ValueError, match="2002 bytes are too much for the clipboard"):
        osc52("é" * (COPY_MAX // 2 + 1))


async def test_what_is_under_the_cursor_is_copied_and_named(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(directory, size=(160, 45), cards=False, paints_per_s=10) as desk:
        written: list[str] = []
        monkeypatch.setattr(desk.app, "write_terminal", written.append)

        async def copied(said: str, text: str, *keys: str) -> None:
            await desk.press(*keys)
            await desk.press("ctrl+c")
            await desk.shows(f"{said} to the clipboard   q leaves the console, ^X stops the desk")
            assert osc52(text) in written

        ticker = "KXHIGHNYC-26NOV23-B48-49"
        await copied(f"ticker {ticker}", ticker, "g", *"48-49", "enter")
        await copied("order pm-91c7", "pm-91c7", "3", "home")
        seq = str(desk.app.view.journal[-1].seq)
        await copied(f"journal entry {seq}", seq, "8")
        await desk.press("question_mark", "ctrl+c")
        await desk.shows("nothing to copy here   q leaves the console")


async def test_a_picture_of_the_screen_is_kept_for_its_owner_alone(directory: Path) -> None:
    folder = directory / "screenshots"
    async with running(directory, screenshots=folder) as desk:
        await desk.press("colon", *"screenshot", "enter")
        await desk.shows("picture: ")
        [picture] = folder.iterdir()
        assert picture.name.startswith("desk-") and picture.suffix == ".svg"
        assert stat.S_IMODE(picture.stat().st_mode) == 0o600 and stat.S_IMODE(folder.stat().st_mode) == 0o700
        drawn = picture.read_text("utf-8")
        assert "<svg" in drawn and "MARKETS" in drawn
