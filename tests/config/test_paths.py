"""A profile's places: private, short enough for a socket, refused by name when unknown."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from core.config import paths


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PMCONSOLE_HOME", str(tmp_path))
    return tmp_path


def test_home_follows_the_variable(home: Path) -> None:
    assert paths.profile("demo").directory == home / "demo"


def test_a_command_names_the_profile_it_is_for(home: Path) -> None:
    assert paths.profile("demo").command() == "pmconsole"
    assert paths.profile("demo").command("engine start") == "pmconsole engine start"
    assert paths.profile("live").command() == "pmconsole --profile live"
    assert paths.profile("live").command("engine start") == "pmconsole engine start --profile live"


@pytest.mark.parametrize("name", ["Live", "paper", "", "../demo", "x" * 500])
def test_unknown_profile_is_refused_and_not_created(home: Path, name: str) -> None:
    with pytest.raises(paths.ProfileError, match="use one of demo, kalshi-demo, live"):
        paths.profile(name)
    assert list(home.iterdir()) == []


def test_prepared_directories_are_private_even_under_an_open_umask(home: Path) -> None:
    place = paths.profile("demo")
    old = os.umask(0)
    try:
        paths.prepare(place)
    finally:
        os.umask(old)
    for directory in (place.directory, place.keys):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_an_open_directory_is_closed(home: Path) -> None:
    place = paths.profile("demo")
    place.directory.mkdir(mode=0o755)
    place.directory.chmod(0o755)
    paths.prepare(place)
    assert stat.S_IMODE(place.directory.stat().st_mode) == 0o700


def test_a_file_in_the_way_is_named(home: Path) -> None:
    (home / "demo").write_text("")
    with pytest.raises(paths.ProfileError, match=str(home / "demo")):
        paths.prepare(paths.profile("demo"))


def test_a_link_in_the_place_of_the_directory_is_not_followed(home: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (home / "demo").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(paths.ProfileError):
        paths.prepare(paths.profile("demo"))


def test_short_home_keeps_its_socket_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PMCONSOLE_HOME", "/tmp/pm")
    assert paths.chosen_socket(paths.profile("demo")) == Path("/tmp/pm/demo/control.sock")


def test_long_home_gets_a_short_socket_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1000")
    chosen = set()
    for tail in ("a", "b"):
        monkeypatch.setenv("PMCONSOLE_HOME", f"/tmp/{'long' * 40}/{tail}")
        chosen.add(paths.chosen_socket(paths.profile("demo")))
    assert len(chosen) == 2
    assert all(path.parent == Path("/run/user/1000/pmconsole") for path in chosen)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/" + "r" * 90)
    assert len(os.fsencode(paths.chosen_socket(paths.profile("demo")))) <= 100


def test_the_noted_socket_wins_over_the_computed_one(home: Path) -> None:
    place = paths.profile("demo")
    paths.prepare(place)
    place.socket_note.write_text("/run/user/7/pmconsole/abc.sock\n")
    assert paths.socket_path(place) == Path("/run/user/7/pmconsole/abc.sock")


def test_each_world_has_its_own_journal_and_cannot_leave_the_directory(home: Path) -> None:
    place = paths.profile("demo")
    assert place.journal("w1") != place.journal("w2")
    assert place.journal("../../etc/passwd").parent == place.directory


def test_a_home_of_nobody_and_an_unreadable_note_are_no_tracebacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PMCONSOLE_HOME", "~no-such-user-here/desk")
    with pytest.raises(paths.ProfileError, match="names no home: write the full path"):
        paths.home()
    monkeypatch.setenv("PMCONSOLE_HOME", str(tmp_path))
    place = paths.profile("demo")
    paths.prepare(place)
    place.socket_note.write_bytes(b"\xff\xfe")
    assert paths.socket_path(place) == paths.chosen_socket(place)
