"""The front door with real processes: starts what is missing, leaves what others use, nothing twice."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from core.config import paths
from core.config.paths import Profile
from core.config.secrets import WALLET_VARIABLE
from core.control import processes
from core.control.client import Line
from core.control.processes import noted_process
from core.control.protocol import VERSION, Hello
from tui import app, front_door
from tui.front_door import Look, WorldOptions

QUIET = WorldOptions("quiet", 60.0, 7)
LOOK = Look("dark", 4, low_bandwidth=False, mouse=False, bell="act")
Q, HUNG_UP = 0, 129


class Console:
    """Stands where the console stands: does something, then ends with a code."""

    def __init__(self) -> None:
        self.code = Q
        self.do: Callable[[Profile], None] = lambda _: None

    def __call__(self, place: Profile, _: Look) -> int:
        assert front_door.engine_pid(place) is not None
        self.do(place)
        return self.code


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Console:
    made = Console()
    monkeypatch.setattr(front_door, "_console", made)
    monkeypatch.setattr(front_door, "_check_terminal", lambda: None)
    return made


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Profile]:
    monkeypatch.setenv("PMCONSOLE_HOME", str(tmp_path))
    made = paths.profile("demo")
    yield made
    if made.directory.exists():
        front_door.stop_all(made)
    assert front_door.engine_pid(made) is None
    assert not front_door.sim_alive(made)
    for pid in _children():
        os.waitpid(pid, 0)


def _children() -> list[int]:
    """What this process started and has not collected: ended processes of the front door."""
    listed = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split()
    return [int(pid) for pid in listed if not front_door._alive(int(pid))]


def open_desk(place: Profile, *, fresh: bool = False) -> int:
    return front_door.demo(place, QUIET, LOOK, fresh=fresh)


def test_two_front_doors_at_once_start_one_desk_which_a_third_joins_and_stops_not(
    place: Profile, console: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    console.code = HUNG_UP
    codes: list[int] = []
    both = [threading.Thread(target=lambda: codes.append(open_desk(place))) for _ in range(2)]
    pids: set[int | None] = set()
    console.do = lambda here: pids.add(front_door.engine_pid(here))
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert len(pids) == 1 and codes == [HUNG_UP, HUNG_UP]
    engine, world = front_door.engine_pid(place), front_door.sim_world(place)
    assert "The engine goes on" in capsys.readouterr().out
    console.code = Q
    assert open_desk(place) == Q
    said = capsys.readouterr().out
    assert f"Attaching to the desk that runs already (engine pid {engine})." in said
    assert "another one starts with: pmconsole demo --fresh" in said  # it was asked for a world
    assert front_door.engine_pid(place) == engine
    assert front_door.sim_world(place) == world


def test_a_desk_is_left_to_another_console_outlives_its_engine_and_is_begun_afresh_and_stopped(
    place: Profile, console: Console, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One desk's life, as each takes seconds to start."""
    other: list[Line] = []

    def attach(here: Profile) -> None:
        hello = Hello(VERSION, "state", "console", os.getpid(), "other")
        other.append(Line(paths.socket_path(here), hello))

    console.do = attach
    assert open_desk(place) == Q
    other[0].close()
    assert "Another console is attached" in capsys.readouterr().out
    engine, world = front_door.engine_pid(place), front_door.sim_world(place)
    assert engine is not None and front_door.sim_alive(place)

    # A killed engine comes back on its world. That it does not stop afterwards is one sentence.
    os.kill(engine, signal.SIGKILL)
    assert front_door._within(5, lambda: not front_door._alive(engine))
    real = front_door.stop_all

    def stuck(*_: object, **__: object) -> None:
        raise front_door.StartError("the engine (pid 1) does not stop: busy")

    console.do = lambda _: monkeypatch.setattr(front_door, "stop_all", stuck)
    assert open_desk(place) == 2
    monkeypatch.setattr(front_door, "stop_all", real)
    console.do = lambda _: None
    said = capsys.readouterr()
    assert "pmconsole: the engine (pid 1) does not stop: busy" in said.err
    assert "The simulator runs already; its world goes on." in said.out
    assert front_door.sim_world(place) == world
    assert len(place.journals()) == 1

    # A killed simulator needs a fresh desk; q stops what this front door has started.
    sim = noted_process(place.sim_pid)
    assert sim is not None
    os.kill(sim, signal.SIGKILL)
    assert front_door._within(5, lambda: not front_door._alive(sim))
    open_desk(place)
    assert "A fresh desk, with a new journal: pmconsole demo --fresh" in capsys.readouterr().out
    assert open_desk(place, fresh=True) == Q
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Engine stopped."  # the old one
    assert lines[1].startswith("Simulator: starting, ready (quiet-7-")
    assert lines[2].startswith("Engine: starting, answers (pid ")
    assert lines[3:] == ["Engine stopped.", "Simulator stopped."]
    assert front_door.engine_pid(place) is None
    assert front_door.sim_world(place) != world
    assert len(place.journals()) == 2  # the old one is kept


def test_a_desk_that_cannot_start_says_why_in_one_sentence(
    place: Profile, console: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    paths.prepare(place)
    place.config.write_text("[strategy]\nmin_egde = 1\n")
    assert open_desk(place) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert said == (
        f"pmconsole: the engine did not start: {place.config}:2: "
        "unknown key 'min_egde' in [strategy]: did you mean 'min_edge'?"
    )


def test_a_desk_whose_simulator_cannot_start_leaves_no_engine_that_waits_for_it(
    place: Profile, console: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    world = WorldOptions("no-such-days", None, None)
    assert front_door.demo(place, world, LOOK, fresh=False) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("pmconsole: the simulator did not start: ") and "no-such-days" in said
    started = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split()
    assert started
    assert front_door._within(5, lambda: not any(front_door._alive(int(pid)) for pid in started))


def test_the_console_types_commands_of_its_own_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[app.ConsoleOptions] = []
    monkeypatch.setattr(app, "run", lambda options, _log: opened.append(options) or Q)
    assert front_door._console(paths.profile("live"), LOOK) == Q
    assert opened[0].typed("engine start") == "pmconsole engine start --profile live"


def test_a_long_reason_keeps_its_remedy(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    log.write_text(f"pmconsole engine: {'limit_name, ' * 60}: write them into [limits]\n")
    said = front_door._last_line(log)
    assert said.startswith("limit_name, ") and said.endswith(": write them into [limits]")


@pytest.mark.parametrize("profile", ["demo", "live"])
def test_without_a_terminal_nothing_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], profile: str
) -> None:
    monkeypatch.setenv("PMCONSOLE_HOME", str(tmp_path))
    assert front_door.open_desk(paths.profile(profile), LOOK) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("pmconsole: the console needs a terminal")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "charset", "said"),
    [
        ("dumb", "utf-8", "TERM is dumb: set it to your terminal's kind"),
        ("", "utf-8", "TERM is not set: set it to your terminal's kind"),
        ("xterm-256color", "iso8859-1", "the locale here says iso8859-1: set one of UTF-8"),
        ("xterm-256color", "ansi_x3.4-1968", "the locale here says ansi_x3.4-1968: set one of UTF-8"),
        ("linux", "UTF8", ""),
    ],
)
def test_a_terminal_that_cannot_draw_the_desk_gets_a_sentence(
    monkeypatch: pytest.MonkeyPatch, kind: str, charset: str, said: str
) -> None:
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, SimpleNamespace(isatty=lambda: True, encoding=charset))
    monkeypatch.setenv("TERM", kind)
    if not said:
        front_door._check_terminal()
        return
    with pytest.raises(front_door.StartError, match=re.escape(said)):
        front_door._check_terminal()


def test_a_pid_that_belongs_to_somebody_else_today_is_not_ours(place: Profile) -> None:
    paths.prepare(place)
    place.sim_ready.write_text("{}")
    place.sim_pid.write_text(f"{os.getpid()} 1\n")
    assert not front_door.sim_alive(place)
    processes.note_process(place.sim_pid, os.getpid())
    assert front_door.sim_alive(place)
    place.sim_pid.unlink()


def test_without_proc_it_says_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PMCONSOLE_HOME", str(tmp_path))
    monkeypatch.setattr(processes, "PROC", tmp_path / "nothing")
    assert front_door.start_engine(paths.profile("demo")) == 2
    assert front_door.demo(paths.profile("demo"), QUIET, LOOK, fresh=False) == 2
    with pytest.raises(SystemExit) as ended:
        front_door.stop_engine(paths.profile("demo"), "")
    assert ended.value.code == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 3 and all("needs Linux with /proc mounted" in line for line in said)


@pytest.mark.parametrize("kept", [False, True])
def test_a_process_inherits_only_the_secrets_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    told, program = tmp_path / "told", tmp_path / "program"
    program.write_text(f"#!/bin/sh\nenv > {tmp_path}/part\nmv {tmp_path}/part {told}\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setenv(WALLET_VARIABLE, "11" * 32)
    pid = front_door._spawn(["watchdog", "run"], tmp_path / "log", without=() if kept else (WALLET_VARIABLE,))
    os.waitpid(pid, 0)
    assert (WALLET_VARIABLE in told.read_text()) is kept
