"""The engine as a process: what it refuses to start with, and what it survives. Real processes, real SIM."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from core.config import paths
from core.config.paths import Profile
from core.control.client import Line, StopLine, connect, encode
from core.control.process import StartError, serve
from core.control.protocol import (
    VERSION,
    Frame,
    Hello,
    Query,
)
from core.control.wallet import write_wallet_pin
from core.journal.files import read_history
from core.journal.lock import hold
from core.journal.spill import read_spill, spill_path
from core.risk.limits_file import unset
from core.venues.polymarket import credentials
from core.venues.polymarket.wallets import SignatureType, account
from tests.venues.polymarket.golden import ADDRESS
from tests.venues.polymarket.scripted import CREDENTIALS
from tui import front_door

HERE = Path(__file__).resolve().parents[2]


def spawn(home: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tui.cli", *arguments],
        env={**os.environ, "PMCONSOLE_HOME": str(home)},
        cwd=HERE,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def within(seconds: float, happened: Any) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One simulator for the whole module; its ready file and keys lie in a home of its own."""
    home = tmp_path_factory.mktemp("world")
    sim = spawn(
        home, "sim", "--scenario", "quiet", "--speed", "60",
        "--ready-file", str(home / "sim.json"), "--keys-dir", str(home / "keys"),
    )  # fmt: skip
    assert sim.stdout is not None
    line = sim.stdout.readline()
    assert json.loads(line)["world"]["id"]
    yield home
    sim.terminate()
    rest, errors = sim.communicate(timeout=10)
    assert rest == ""  # one line and nothing else
    assert sim.returncode == 0, errors


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Profile]:
    monkeypatch.setenv("PMCONSOLE_HOME", str(tmp_path))
    made = paths.profile("demo")
    paths.prepare(made)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield made
    for handler in root.handlers:
        if handler not in handlers and isinstance(handler, logging.StreamHandler):
            handler.stream.close()
    root.handlers[:] = handlers
    root.setLevel(level)


def refusal(place: Profile) -> str:
    with pytest.raises(StartError) as caught:
        serve(place)
    assert caught.value.code == 2
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def ready_with(place: Profile, world: Path, **kalshi: str) -> None:
    ready = json.loads((world / "sim.json").read_text())
    ready["kalshi"] |= kalshi
    place.sim_ready.write_text(json.dumps(ready))


# --- refusals -----------------------------------------------------------------------------------


def test_without_a_simulator_it_says_how_to_start_one(place: Profile) -> None:
    assert "no simulator has been started" in refusal(place)


def test_a_wallet_alone_needs_no_key_of_the_other_venue(
    monkeypatch: pytest.MonkeyPatch, place: Profile
) -> None:
    live = paths.profile("live")
    paths.prepare(live)
    live.config.write_text("[limits]\n" + "".join(f"{name} = 1\n" for name in unset({})))
    assert "has no trading key" in refusal(live)
    write_wallet_pin(live, account(ADDRESS, SignatureType.EOA, ""))
    credentials.save(live.api_credentials, CREDENTIALS)
    assert f"{live.wallet_key} does not exist" in refusal(live)


def test_half_a_ready_line_is_refused(place: Profile) -> None:
    place.sim_ready.write_text('{"kalshi":{')
    assert "is no ready line" in refusal(place)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[strategy]\nmin_egde = 1\n", "config.toml:2: unknown key 'min_egde' in [strategy]"),
        ("[limits]\ntotal_los_max = 1\n", "config.toml:2: [limits] does not know 'total_los_max'; did"),
        (
            "[limits]\n\ntotal_loss_max = 'many'\n",
            "config.toml:3: [limits] total_loss_max = 'many' is no",
        ),
        ("[limits]\nday_loss_max = 0\n", "config.toml:2: [limits] day_loss_max = 0.00 is not above zero"),
        ("[limits]\nday_loss_max = 7500\n", "config.toml:2: [limits] day_loss_max = 7500.00 is far from"),
        ("[limits]\nday_loss_max = 5\nday_loss_max = 6\n", "(at line 3, column"),
    ],
)
def test_a_mistyped_configuration_stops_the_start(place: Profile, text: str, sentence: str) -> None:
    place.config.write_text(text)
    assert sentence in refusal(place)


def test_a_key_others_can_read_is_refused_and_named(place: Profile, world: Path) -> None:
    key = place.keys / "open.pem"
    key.write_bytes((world / "keys" / "rsa.pem").read_bytes())
    key.chmod(0o644)
    ready_with(place, world, private_key_path=str(key))
    assert f"run chmod 600 {key}" in refusal(place)


def test_a_file_that_is_no_key_is_refused_without_its_content(place: Profile, world: Path) -> None:
    key = place.keys / "wrong.pem"
    key.write_text("-----BEGIN PRIVATE KEY-----\nCANARYCANARYCANARY\n-----END PRIVATE KEY-----\n")
    key.chmod(0o600)
    ready_with(place, world, private_key_path=str(key))
    sentence = refusal(place)
    assert "holds no PEM private key" in sentence
    logged = place.engine_log.read_text() if place.engine_log.exists() else ""
    assert "CANARY" not in sentence + logged


@pytest.mark.parametrize("name", ["rest", "ws"])
def test_no_order_can_reach_a_host_that_is_not_loopback(place: Profile, world: Path, name: str) -> None:
    scheme = "http" if name == "rest" else "ws"
    ready_with(place, world, **{name: f"{scheme}://api.elections.kalshi.com/trade-api/v2"})
    assert "is not on this machine" in refusal(place)


def test_a_journal_from_a_newer_program_is_kept_and_refused(place: Profile, world: Path) -> None:
    ready_with(place, world)
    journal = place.journal(json.loads(place.sim_ready.read_text())["world"]["id"])
    with contextlib.closing(sqlite3.connect(journal)) as connection, connection:
        connection.execute("CREATE TABLE schema_version (version INTEGER, applied_ms INTEGER)")
        connection.execute("INSERT INTO schema_version VALUES (99, 0)")
    journal.chmod(0o600)
    before = journal.stat().st_size
    assert "written by a newer pmconsole (format 99" in refusal(place)
    assert journal.stat().st_size == before


def test_a_journal_that_somebody_writes_is_not_shared(place: Profile, world: Path) -> None:
    ready_with(place, world)
    journal = place.journal(json.loads(place.sim_ready.read_text())["world"]["id"])
    with contextlib.ExitStack() as held:
        held.callback(os.close, hold(journal.with_suffix(".lock")))
        with pytest.raises(StartError, match=rf"being written by process {os.getpid()}") as caught:
            serve(place)
    assert caught.value.code == 75


# --- a running engine ---------------------------------------------------------------------------


class Running:
    """An engine process on the module's world."""

    def __init__(self, home: Path, world: Path) -> None:
        self.home = home
        self.place = Profile("demo", home / "demo")
        paths.prepare(self.place)
        ready_with(self.place, world)
        self.process = spawn(home, "engine", "run")
        within(20, lambda: front_door.engine_pid(self.place) is not None or self.process.poll() is not None)
        assert self.process.poll() is None, self.process.communicate()[1]

    def status(self) -> dict[str, Any]:
        path = paths.socket_path(self.place)
        with Line(path, Hello(VERSION, "command", "cli", os.getpid(), f"t{time.monotonic_ns()}")) as line:
            return dict(json.loads(line.call(Query("1", "status")).data))

    def reconciled(self) -> bool:
        """Start-up is through with the venue; models may still wait for their data."""
        starting = self.status()["starting"]
        return all(done for step, done in starting.items() if step not in ("feeds", "models"))

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=30)
        assert "Traceback" not in errors
        return self.process.returncode


@pytest.fixture
def stack() -> Iterator[contextlib.ExitStack]:
    with contextlib.ExitStack() as held:
        yield held


@pytest.fixture
def running(tmp_path: Path, world: Path) -> Iterator[Running]:
    engine = Running(tmp_path, world)
    yield engine
    if engine.process.poll() is None:
        engine.end(signal.SIGKILL)


SLOW_S = 0.25
"""A step of the engine's loop this long is a fault even on a machine that is busy otherwise."""


def test_it_starts_in_a_long_home_ignores_a_hangup_refuses_a_twin_and_stops_in_order(
    tmp_path: Path, world: Path, monkeypatch: pytest.MonkeyPatch, stack: contextlib.ExitStack
) -> None:
    monkeypatch.setenv("PYTHONASYNCIODEBUG", "1")  # the loop watches itself
    # The test's own directory may be too long for a socket path itself.
    runtime = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pm", dir="/tmp")))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    running = Running(tmp_path / ("long" * 30), world)
    stack.callback(running.process.kill)
    assert running.status()["profile"] == "demo"
    noted = Path(running.place.socket_note.read_text().strip())
    assert noted.parent == runtime / "pmconsole"
    assert noted.stat().st_mode & 0o777 == 0o600
    assert noted.parent.stat().st_mode & 0o777 == 0o700
    # A later login has another runtime directory and finds the engine all the same.
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/nonexistent")
    within(20, running.reconciled)
    twin = spawn(running.home, "engine", "run")
    _, said = twin.communicate(timeout=20)
    assert twin.returncode == 75
    assert f"an engine runs already (pid {running.process.pid}" in said
    running.process.send_signal(signal.SIGHUP)
    within(5, lambda: "SIGHUP ignored" in running.place.engine_log.read_text())
    assert running.status()["level"] == "NORMAL"
    assert running.end(signal.SIGTERM) == 0
    assert not paths.socket_path(running.place).exists()
    said = running.place.engine_log.read_text()
    assert "has stopped" in said
    assert not re.findall(r"never retrieved|never awaited|was destroyed|unclosed", said)
    steps = re.findall(r"Executing <(.*?) took (\d+\.\d+) seconds", said)
    slow = [what for what, took in steps if float(took) > SLOW_S and "coro=<_serve()" not in what]
    assert not slow, "only putting the desk together may take long"


def test_killed_it_restarts_on_the_same_journal_unarmed(running: Running, world: Path) -> None:
    within(20, running.reconciled)
    assert running.status()["paused"] == []
    if sys.platform == "linux":
        limits = Path(f"/proc/{running.process.pid}/limits").read_text()
        assert re.search(r"Max core file size +0 +0", limits), "it holds keys"
    running.place.flatten_flag.touch()
    within(5, lambda: not running.place.flatten_flag.exists())
    running.end(signal.SIGKILL)
    again = Running(running.home, world)  # stale lock, stale socket, journal of a dead run
    try:
        within(20, again.reconciled)
        status = again.status()
        assert status["paused"] == ["*"]
        assert status["level"] != "NORMAL"
        assert len(again.place.journals()) == 1
    finally:
        again.end(signal.SIGTERM)
    starts = [row.data() for row in read_history(again.place.journals()[0]) if row.kind == "START"]
    first, second = ({name: start[name] for name in ("version", "code", "config")} for start in starts)
    assert first == second and first["version"] == version("pmconsole")
    assert {len(str(first["code"])), len(str(first["config"]))} == {64}


async def test_another_world_in_the_ready_line_halts_and_a_console_sees_everything_and_stops(
    running: Running,
) -> None:
    within(20, running.reconciled)
    ready = json.loads(running.place.sim_ready.read_text())
    mine, ready["world"]["id"] = ready["world"]["id"], "elsewhere"
    running.place.sim_ready.write_text(json.dumps(ready))
    within(5, lambda: running.status()["level"] == "HALTED")
    reason = running.status()["level_reason"]
    assert "world elsewhere" in reason and mine in reason and "pmconsole demo --fresh" in reason

    path = paths.socket_path(running.place)
    hello = Hello(VERSION, "state", "console", os.getpid(), "console-1")
    state = await connect(path, hello)
    first = await state.receive()
    assert isinstance(first, Frame) and first.full and first.status is not None
    assert state.welcome.controls
    stop = StopLine(path, Hello(VERSION, "command", "console", os.getpid(), "console-1"))
    assert stop.send_flatten("console-1-stop-1")
    ladder = None
    async for message in state:
        assert isinstance(message, Frame)
        assert len(encode(message)) < 1024 * 1024
        ladder = message.flatten or ladder
        if ladder is not None:
            break
    assert ladder is not None and "console" in ladder.by
    assert stop.alive()
    stop.close()
    await state.close()


def test_a_journal_that_fails_halts_the_engine_and_the_stop_goes_into_the_spill_log(
    running: Running,
) -> None:
    within(20, lambda: running.status()["ready"])
    (journal,) = running.place.journals()
    with contextlib.closing(sqlite3.connect(journal, timeout=5)) as other, other:
        # Somebody else's row takes the number of the writer's next one.
        other.execute(
            "INSERT INTO event SELECT seq + 1, ts_wall_ms, ts_mono_ns, boot_id, run_id, 'thief', kind,"
            " order_id, ticker, cause_seq, payload, hash, 'x' FROM event ORDER BY seq DESC LIMIT 1"
        )
    within(5, lambda: running.status()["problem"] == "NO JOURNAL")
    status = running.status()
    assert status["level"] == "HALTED" and "NO JOURNAL" in status["level_reason"]
    running.place.flatten_flag.touch()
    within(5, lambda: running.status()["flatten"] is not None)
    assert "NO JOURNAL" in running.status()["level_reason"]
    within(5, lambda: not running.place.flatten_flag.exists())  # its halt is where a restart finds it
    halts = [row for row in read_spill(spill_path(journal)).rows if row.kind == "HALT"]
    assert "NO JOURNAL" in halts[0].payload and "flatten by file" in halts[-1].payload
    assert running.end(signal.SIGTERM) == 0
    assert "cannot be written" in running.place.engine_log.read_text()
