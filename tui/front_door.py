"""The front door: start what is not running, attach, and on ``q`` stop the demo it started.

Simulator and engine get sessions of their own, so no hangup, crash or kill of this process or of
the console reaches them. Whatever way the console ends but ``q``, they go on, and the next
``pmconsole`` finds them.
"""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import gc
import json
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click

from core.config import paths
from core.config.paths import Profile, socket_path, watchdog_socket
from core.config.secrets import WALLET_VARIABLE, WEBHOOK_VARIABLE
from core.control.client import ConnectError, Line
from core.control.processes import birth, note_process, noted_process
from core.control.protocol import VERSION, Hello, StopEngine
from tui import textual_environment, verbs
from tui.keymap import USUAL, Keymap

SIM_READY_S = 30.0
ENGINE_READY_S = 20.0
STOP_S = 30.0
"""An engine takes up to 20 s to prove its cancels."""
DEMO_SPEED = 144.0
POLL_S = 0.02
LAST_LINE_MAX = 1000
"""Characters of a failed process's last word: its remedy stands at the end."""
_OWN_NAME = re.compile(r"^pmconsole \w+: ")


class Look(NamedTuple):
    """How a console is opened."""

    theme: str
    paints_per_s: int
    low_bandwidth: bool
    mouse: bool
    bell: str = "act"
    swap_up_down: bool = False
    view_only: bool = False
    take: bool = False
    coach: bool = False
    keymap: Keymap = USUAL


class WorldOptions(NamedTuple):
    """Which world the simulator plays; ``None`` = not given."""

    scenario: str | None
    speed: float | None
    seed: int | None
    faults: int | None = None
    """Seed of the network faults between engine and simulator."""

    @property
    def given(self) -> bool:
        return any(value is not None for value in self)


class StartError(Exception):
    """Something did not come up; the text is the sentence for the operator."""


# --- verbs --------------------------------------------------------------------------------------


def demo(place: Profile, world: WorldOptions, look: Look, *, fresh: bool) -> int:
    """Find or start the desk, open the console, and after ``q`` stop what was started here."""
    try:
        if not place.simulated:
            raise StartError(f"profile {place.name} has no simulator: open it with {place.command()}")
        _check_system()
        _check_terminal()
        paths.prepare(place)
        with _one_starter(place):
            if fresh:
                stop_all(place)
            started = _open_desk(place, world)
        return _leave(place, started, _console(place, look))
    except (StartError, paths.ProfileError) as error:
        click.echo(f"pmconsole: {error}", err=True)
        return verbs.USAGE


def open_desk(place: Profile, look: Look) -> int:
    """Find or start a real profile's engine and open the console; ``q`` leaves the engine running."""
    if place.simulated:
        return demo(place, WorldOptions(None, None, None), look, fresh=False)
    try:
        _check_system()
        _check_terminal()
        paths.prepare(place)
        with _one_starter(place):
            if engine_pid(place) is None:
                _start_desk(place)
        code = _console(place, look)
    except (StartError, paths.ProfileError) as error:
        click.echo(f"pmconsole: {error}", err=True)
        return verbs.USAGE
    _say_what_runs(place)
    return code


def attach(place: Profile, look: Look) -> int:
    """Open a console on a running engine; never stops anything."""
    verbs.open_line(place).close()
    try:
        _check_terminal()
    except StartError as error:
        verbs.leave(verbs.USAGE, f"pmconsole: {error}")
    code = _console(place, look)
    _say_what_runs(place)
    return code


def start_engine(place: Profile) -> int:
    try:
        _check_system()
        paths.prepare(place)
        with _one_starter(place):
            pid = engine_pid(place)
            if pid is not None:
                click.echo(f"The engine runs already (pid {pid}).")
                return verbs.LOCK_HELD
            if place.simulated and not sim_alive(place):
                raise StartError(NO_SIM)
            _start_desk(place)
    except (StartError, paths.ProfileError) as error:
        click.echo(f"pmconsole: {error}", err=True)
        return verbs.USAGE
    return verbs.DONE


def start_simulated(place: Profile) -> None:
    """Start simulator and engine of a simulated desk without a console; raises ``StartError``."""
    _check_system()
    with _one_starter(place):
        _open_desk(place, WorldOptions(None, None, None))


def stop_engine(place: Profile, reason: str, how: str = "cancel") -> int:
    """Ask the engine to stop, and wait until it has; with ``flatten`` follow it until it is flat."""
    try:
        _check_system()
    except StartError as error:
        verbs.leave(verbs.USAGE, f"pmconsole: {error}")
    with verbs.open_line(place) as line:
        pid = line.welcome.pid
        reply = verbs.call(line, StopEngine(verbs.new_id(), reason, how))
        if not reply.accepted:
            verbs.leave(verbs.REFUSED, reply.text)
        click.echo(reply.text)
        if how == "flatten":
            verbs.follow_flatten(place, line)
    if not _within(STOP_S, lambda: not _alive(pid)):
        verbs.leave(verbs.REFUSED, f"The engine (pid {pid}) has not ended within {STOP_S:.0f} s.")
    click.echo("The engine has stopped.")
    return verbs.DONE


# --- opening ------------------------------------------------------------------------------------

AFTER_SIM = "--after-sim"
NO_SIM = "no simulator runs for this desk; start both with: pmconsole demo --fresh"


def _open_desk(place: Profile, world: WorldOptions) -> list[str]:
    """Start what is missing; the names of what was started here."""
    pid = engine_pid(place)
    sim = sim_alive(place)
    if pid is not None:
        click.echo(f"Attaching to the desk that runs already (engine pid {pid}).")
        if world.given:
            click.echo("Its world stays as it is; another one starts with: pmconsole demo --fresh")
        if not sim:
            click.echo("Its simulator has gone. A fresh desk, with a new journal: pmconsole demo --fresh")
        return []
    if sim:
        click.echo("The simulator runs already; its world goes on.")
        _start_desk(place)
        return ["engine"]
    _stop_watchdog(place)  # its exchange went with an earlier world
    place.sim_ready.unlink(missing_ok=True)
    waiting = _spawn_engine(place, AFTER_SIM)  # what it has to read before it runs takes as long as a world
    try:
        _start_sim(place, world)
    except StartError:
        with contextlib.suppress(ProcessLookupError):
            os.kill(waiting, signal.SIGTERM)
        raise
    _start_desk(place, waiting)
    return ["sim", "engine"]


def _start_sim(place: Profile, world: WorldOptions) -> None:
    click.echo("Simulator: starting", nl=False)
    arguments = ["sim", "--ready-file", str(place.sim_ready), "--keys-dir", str(place.keys)]
    arguments += ["--speed", f"{world.speed or DEMO_SPEED:g}", "--scenario", world.scenario or "demo"]
    arguments += ["--seed", str(1 if world.seed is None else world.seed)]
    if world.faults is not None:
        arguments += ["--faults", str(world.faults)]
    pid = _spawn(arguments, place.sim_log, without=(WALLET_VARIABLE, WEBHOOK_VARIABLE))
    note_process(place.sim_pid, pid)
    if not _within(SIM_READY_S, lambda: place.sim_ready.exists() or not _alive(pid)):
        raise StartError(f"the simulator was not ready within {SIM_READY_S:.0f} s; see {place.sim_log}")
    if not place.sim_ready.exists():
        click.echo()
        raise StartError(f"the simulator did not start: {_last_line(place.sim_log)}")
    click.echo(f", ready ({sim_world(place)})")


def _start_desk(place: Profile, engine: int | None = None) -> None:
    """Watchdog and engine, side by side: an engine that finds no watchdog tells its operator.

    A watchdog that answers is kept, and so is an ``engine`` that has been started already.
    """
    dog = None if _answers(place) else _spawn_watchdog(place)
    click.echo("Engine: starting", nl=False)
    _await_engine(place, _spawn_engine(place) if engine is None else engine)
    if dog is not None and not _within(ENGINE_READY_S, lambda: _answers(place) or not _alive(dog)):
        raise StartError(f"the watchdog does not answer; see {place.watchdog_log}")
    if dog is not None and not _alive(dog):
        click.echo(f"Watchdog: not started: {_last_line(place.watchdog_log)}", err=True)


def _spawn_watchdog(place: Profile) -> int:
    pid = _spawn(["watchdog", "run", "--profile", place.name], place.watchdog_log, without=(WALLET_VARIABLE,))
    note_process(place.watchdog_pid, pid)
    return pid


def _answers(place: Profile) -> bool:
    """Whether a watchdog listens."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(str(watchdog_socket(place))) == 0


def _stop_watchdog(place: Profile) -> None:
    pid = noted_process(place.watchdog_pid)
    if pid is None:
        return
    with contextlib.suppress(ProcessLookupError):  # it ended by itself in this moment
        os.kill(pid, signal.SIGTERM)
    if not _within(STOP_S, lambda: not _alive(pid)):
        raise StartError(f"the watchdog (pid {pid}) does not stop")


def _spawn_engine(place: Profile, *options: str) -> int:
    return _spawn(["engine", "run", "--profile", place.name, *options], place.engine_log)


def await_sim(place: Profile) -> None:
    """What an engine does that was started together with its simulator; it says itself what it lacks if that
    is not ready in time."""
    _within(SIM_READY_S, place.sim_ready.exists)


def _await_engine(place: Profile, pid: int) -> None:
    if not _within(ENGINE_READY_S, lambda: engine_pid(place) is not None or not _alive(pid)):
        raise StartError(f"the engine did not answer within {ENGINE_READY_S:.0f} s; see {place.engine_log}")
    if not _alive(pid):
        click.echo()
        raise StartError(f"the engine did not start: {_last_line(place.engine_log)}")
    click.echo(f", answers (pid {pid})")


def _console(place: Profile, look: Look) -> int:
    textual_environment.decide()
    gc.disable()  # until what the start makes has settled: collecting is a tenth of its time
    from tui import app
    from tui.returning import Record

    return app.run(
        app.ConsoleOptions(
            socket=socket_path(place),
            typed=place.command,
            theme=look.theme,
            coach=look.coach,
            view_only=look.view_only,
            take=look.take,
            paints_per_s=look.paints_per_s,
            low_bandwidth=look.low_bandwidth,
            mouse=look.mouse,
            bell=look.bell,
            themes=place.themes,
            screenshots=place.screenshots,
            config=place.config,
            swap_up_down=look.swap_up_down,
            keymap=look.keymap,
            watchlist=place.watchlist,
            record=Record(place.seen, place.journal),
        ),
        place.console_log,
    )


# --- leaving ------------------------------------------------------------------------------------


def _leave(place: Profile, started: list[str], code: int) -> int:
    """After ``q`` stop what this front door started, unless another console is attached."""
    if code != verbs.DONE or not started:
        _say_what_runs(place)
        return code
    if _others_attached(place):
        click.echo("Another console is attached: the desk goes on. Come back with: pmconsole")
        return code
    stop_all(place, engine="engine" in started, sim="sim" in started)
    return code


def _say_what_runs(place: Profile) -> None:
    try:
        pid = engine_pid(place)
        text = f"No engine runs. Start the desk with: {place.command()}"
        if pid is not None:
            text = (
                f"The engine goes on (pid {pid}). Come back with: {place.command()}   "
                f"Stop it with: {place.command('engine stop')}"
            )
    except StartError as error:
        text = str(error)
    with contextlib.suppress(OSError):  # after a hangup there is no terminal to tell
        click.echo(text)


def _others_attached(place: Profile) -> bool:
    try:
        with _quiet_line(place) as line:
            status = verbs.query(line, "status")
    except ConnectError:
        return False
    return bool(status["controller"] or status["viewers"])


def stop_all(place: Profile, *, engine: bool = True, sim: bool = True) -> None:
    """Stop what runs of a simulated desk; raises ``StartError`` for what does not end."""
    pid = engine_pid(place) if engine else None
    if pid is not None:
        try:
            with _quiet_line(place) as line:
                reply = verbs.call(line, StopEngine(verbs.new_id(), "the console was closed"))
        except ConnectError as error:
            raise StartError(f"the engine (pid {pid}) cannot be asked to stop: {error}") from error
        if not reply.accepted or not _within(STOP_S, lambda: not _alive(pid)):
            raise StartError(f"the engine (pid {pid}) does not stop: {reply.text}")
        click.echo("Engine stopped.")
    if engine:
        _stop_watchdog(place)
    sim_pid = noted_process(place.sim_pid) if sim and place.sim_ready.exists() else None
    if sim_pid is not None:
        with contextlib.suppress(ProcessLookupError):  # it ended by itself in this moment
            os.kill(sim_pid, signal.SIGTERM)
        if not _within(STOP_S, lambda: not _alive(sim_pid)):
            raise StartError(f"the simulator (pid {sim_pid}) does not stop")
        click.echo("Simulator stopped.")


# --- what runs ----------------------------------------------------------------------------------


def engine_pid(place: Profile) -> int | None:
    """The pid of the engine that answers at the profile's socket."""
    try:
        with _quiet_line(place) as line:
            return line.welcome.pid
    except ConnectError as error:
        if error.absent:
            return None
        raise StartError(str(error)) from error


def sim_alive(place: Profile) -> bool:
    """Whether the simulator whose ready line lies in the profile still runs."""
    return place.sim_ready.exists() and noted_process(place.sim_pid) is not None


def sim_world(place: Profile) -> str:
    try:
        ready: dict[str, Any] = json.loads(place.sim_ready.read_text())
        return str(ready["world"]["id"])
    except (OSError, ValueError, KeyError, TypeError):
        return "unknown world"


def _quiet_line(place: Profile) -> Line:
    return Line(socket_path(place), Hello(VERSION, "command", "cli", os.getpid(), "front-door"))


def _spawn(arguments: list[str], log: Path, *, without: Collection[str] = ()) -> int:
    """Start one of our own processes without a terminal, in a session of its own; returns its pid.

    ``without``: variables it does not inherit, for a key or an address in them. ``-P`` keeps whatever lies in
    the current directory out of its imports.
    """
    command = [sys.executable, "-P", "-m", "tui.cli", *arguments]
    return os.posix_spawn(
        sys.executable,
        command,
        {name: value for name, value in os.environ.items() if name not in without},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
        ],
        setsid=True,
    )


def _within(seconds: float, happened: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def _last_line(log: Path) -> str:
    """What a process that ended said last, without the name it gave itself."""
    lines = [text for text in log.read_text(errors="replace")[-4096:].splitlines() if text.strip()]
    return _OWN_NAME.sub("", lines[-1])[:LAST_LINE_MAX] if lines else f"see {log}"


def _check_system() -> None:
    """Raises ``StartError`` where processes cannot be told apart by their start time."""
    if not birth(os.getpid()):
        raise StartError(
            "starting and stopping a desk needs Linux with /proc mounted; run this command on such a machine"
        )


def _check_terminal() -> None:
    """Raises ``StartError`` where there is nothing to draw on, nothing to draw with or no key to press."""
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise StartError(
            "the console needs a terminal for its screen and keys, and input or output is redirected here: "
            "run it in a terminal, or ask without it, such as pmconsole status"
        )
    kind = os.environ.get("TERM", "")
    if kind in ("", "dumb", "unknown"):
        raise StartError(
            f"the console needs a terminal that moves its cursor, and TERM is {kind or 'not set'}: set it to "
            "your terminal's kind, such as TERM=xterm-256color, or ask without it, such as pmconsole status"
        )
    charset = sys.stderr.encoding
    if codecs.lookup(charset).name != "utf-8":
        raise StartError(
            f"the console draws in UTF-8, and the locale here says {charset}: set one of UTF-8, such as "
            "LC_ALL=C.UTF-8, or ask without it, such as pmconsole status"
        )


def _alive(pid: int) -> bool:
    return birth(pid) != ""


@contextlib.contextmanager
def _one_starter(place: Profile) -> Iterator[None]:
    """Two front doors at once must not start two simulators."""
    path = place.directory / "start.lock"
    try:
        lock = path.open("w")
    except OSError as error:
        raise StartError(f"cannot write {path}: {error.strerror}; move it away") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
