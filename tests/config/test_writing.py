"""One value of the file is changed and nothing else is."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.config.settings import SettingsError, load
from core.config.writing import with_value, write_value

FILE = """# mine
[engine]
flatten_countdown_s = 7  # slow hands

[console]
  theme = "light" # it's by day
bell = 'off'
"""


def test_the_rest_of_the_file_stays_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(FILE)
    path.chmod(0o644)
    assert write_value(path, "console", "theme", "mono")
    assert path.read_text() == FILE.replace('"light"', '"mono"')
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and [*tmp_path.iterdir()] == [path]
    assert write_value(path, "console", "repaint_hz", 2)
    assert "[console]\nrepaint_hz = 2\n" in path.read_text()
    assert load(path).console.theme == "mono" and load(path).engine.flatten_countdown_s == 7
    before = path.stat().st_ino
    assert not write_value(path, "console", "repaint_hz", 2)
    assert path.stat().st_ino == before, "what stands there already is not written"


def test_without_a_file_or_a_section_one_begins(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    assert write_value(path, "console", "mouse", True)
    assert path.read_text() == "[console]\nmouse = true\n"
    path.write_text("[engine]\r\nflatten_countdown_s = 7")
    assert write_value(path, "console", "mouse", True)
    assert path.read_bytes() == b"[engine]\r\nflatten_countdown_s = 7\r\n\r\n[console]\r\nmouse = true\r\n"


@pytest.mark.parametrize(
    ("text", "value", "said"),
    [
        ("[console]\nthemes = 1\n", "mono", "unknown key 'themes'"),
        ('console = { theme = "dark" }\n', "mono", "cannot be changed where it stands"),
        ('[console]\ntheme = """dark\n"""\n', "mono", "cannot be changed where it stands"),
        ("[console]\n", 7, "console.theme must be a text"),
    ],
)
def test_a_file_that_cannot_be_changed_so_is_left_alone(
    tmp_path: Path, text: str, value: str, said: str
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=said):
        write_value(path, "console", "theme", value)
    assert path.read_text() == text


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    kept, path = tmp_path / "dotfiles.toml", tmp_path / "config.toml"
    kept.write_text(FILE)
    path.symlink_to(kept)
    write_value(path, "console", "theme", "mono")
    assert path.is_symlink() and 'theme = "mono"' in kept.read_text()


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=40))
def test_any_text_is_written_so_that_it_is_read_again(value: str) -> None:
    for text in ("", FILE, '[console]\ntheme = "a#b"  # c'):
        changed = tomllib.loads(with_value(text, "console", "theme", value))
        assert changed["console"]["theme"] == value
        assert changed.get("engine") == tomllib.loads(text).get("engine")
