"""A whole desk as real processes in a home of its own: simulator, engine, consoles and verbs."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

import httpx

from core.config.paths import Profile, socket_path
from core.control.client import ConnectError, Line
from core.control.protocol import (
    VERSION,
    AnyCommand,
    Hello,
    Query,
    Reply,
)
from core.control.ready import PolymarketReady, Ready, read_ready
from core.domain.market import Venue as KnownVenue
from core.journal.events import Row
from core.journal.files import read_rows
from core.venues.kalshi.sign import load_signer
from core.venues.polymarket.credentials import load
from core.venues.polymarket.l2 import RequestSigner
from tests.desk.terminal import DeskError, Terminal, wait_for

PYTHON = sys.executable
CHECKOUT = Path(__file__).resolve().parents[2]
STOP_KEY = b"\x18"
CARD_SIDE = re.compile(r"^DEMO .* BUY (?P<side>YES|NO) ", re.MULTILINE)
"""The side a card on 80 columns buys."""
KALSHI_CARD = re.compile(r"^DEMO KAL ", re.MULTILINE)
SLOW = 1.01
"""World speed: slow, but not 1, at which the world has today's hour instead of the scenario's."""


class Ended(NamedTuple):
    """What a verb left behind."""

    code: int
    out: str
    err: str


class Venue:
    """The venue's own records of our account, read over its REST interface with its own key."""

    def __init__(self, ready: Ready) -> None:
        where = ready.kalshi
        self._signer = load_signer(where.key_id, Path(where.private_key_path))
        self._base = httpx.URL(where.rest)
        self._http = httpx.Client(trust_env=False)

    def get(self, path: str, **query: str) -> dict[str, Any]:
        full = self._base.path.rstrip("/") + path
        headers = self._signer.headers("GET", full, time.time_ns() // 1_000_000)
        answer = self._http.get(self._base.copy_with(path=full), params=query, headers=headers)
        answer.raise_for_status()
        return dict(answer.json())

    def positions(self) -> dict[str, float]:
        """Contracts held by ticker, YES positive; markets with nothing left are left out."""
        rows = self.get("/portfolio/positions", count_filter="position", limit="1000")["market_positions"]
        return {row["ticker"]: float(row["position_fp"]) for row in rows if float(row["position_fp"])}

    def orders(self, **query: str) -> list[dict[str, Any]]:
        return list(self.get("/portfolio/orders", limit="1000", **query)["orders"])

    def fills(self) -> list[dict[str, Any]]:
        return list(self.get("/portfolio/fills", limit="1000")["fills"])

    def buy(self, contracts: int) -> str:
        """Take YES at the first market somebody sells at; its ticker."""
        for market in self.get("/markets", status="open", limit="1000")["markets"]:
            if float(market["yes_ask_size_fp"] or 0) >= contracts:
                break
        body = {
            "ticker": market["ticker"],
            "client_order_id": f"rig-{os.getpid()}-{time.time_ns()}",
            "side": "bid",
            "count": f"{contracts}.00",
            "price": market["yes_ask_dollars"],
            "time_in_force": "immediate_or_cancel",
            "self_trade_prevention_type": "taker_at_cross",
        }
        full = self._base.path.rstrip("/") + "/portfolio/events/orders"
        headers = self._signer.headers("POST", full, time.time_ns() // 1_000_000)
        answer = self._http.post(self._base.copy_with(path=full), json=body, headers=headers)
        answer.raise_for_status()
        return str(market["ticker"])

    def close(self) -> None:
        self._http.close()


class SecondVenue:
    """Polymarket's records of our account, read with its API key."""

    def __init__(self, ready: PolymarketReady) -> None:
        self.credentials = load(Path(ready.credentials_path), ready.address, "the demo's own key")
        self.wallet_key = Path(ready.private_key_path).read_text().strip()
        self._signer, self._clob = RequestSigner(self.credentials), ready.clob

    def rows(self, path: str) -> list[dict[str, Any]]:
        """``/data/orders`` holds the open ones, ``/data/trades`` every trade."""
        headers = self._signer.headers("GET", path, b"", int(time.time()))
        answer = httpx.get(self._clob + path, headers=headers, trust_env=False)
        answer.raise_for_status()
        return list(answer.json()["data"])


class Desk:
    """One home. ``sim`` and ``engine`` are set when this process started them itself."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.engine_module = "tui.cli"
        self.place = Profile("demo", home / "demo")
        self.env = environment(home)
        self.sim: subprocess.Popen[bytes]
        self.engine: subprocess.Popen[bytes]
        self.watchdog: subprocess.Popen[bytes]
        self._started: list[subprocess.Popen[bytes]] = []
        self._counter = 0
        self._line: Line | None = None
        self._venue: Venue | None = None
        self._rows: list[Row] = []

    # --- asking ---------------------------------------------------------------------------------

    def line(self) -> Line:
        if self._line is None:
            hello = Hello(VERSION, "command", "cli", os.getpid(), "rig")
            self._line = Line(socket_path(self.place), hello)
        return self._line

    def call(self, kind: type[Any], **fields: Any) -> Reply:
        self._counter += 1
        command: AnyCommand = kind(id=f"rig-{os.getpid()}-{self._counter}", **fields)
        return self.line().call(command)

    def ask(self, what: str) -> Any:
        reply = self.call(Query, what=what)
        if not reply.accepted:
            raise DeskError(f"{what}: {reply.text}")
        return json.loads(reply.data)

    def hang_up(self) -> None:
        """Forget the line to an engine that has gone."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def run(self, *arguments: str, seconds: float = 40.0) -> Ended:
        """A verb as a shell starts it."""
        done = subprocess.run(
            [PYTHON, "-m", "tui.cli", *arguments],
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
        return Ended(done.returncode, done.stdout, done.stderr)

    def told(self, what: str) -> Any:
        """``pmconsole WHAT --json``, decoded."""
        done = self.run(what, "--json")
        assert done.code == 0, done.err
        return json.loads(done.out)

    def resting(self) -> list[str]:
        """Our orders at either venue that may still fill, by our id."""
        return [o["id"] for o in self.ask("orders") if o["state"] in ("SENDING", "UNKNOWN", "WORKING")]

    def card(self, venue: KnownVenue = KnownVenue.KALSHI) -> str:
        """A card of a venue that can be approved, its id with the fingerprint; empty while there is none."""
        kalshi = venue is KnownVenue.KALSHI
        cards = (c for c in self.ask("proposals") if c["ticker"].startswith("KX") is kalshi)
        return next((c["id"] for c in cards if c["state"] == "OPEN" and not c["checks"]), "")

    def approve(self, venue: KnownVenue = KnownVenue.KALSHI, seconds: float = 15.0) -> Ended:
        """Approve a venue's first card as a person does: again while the engine says it is not well (G32),
        which it is after a standstill and on a busy machine."""

        def answered() -> Ended | None:
            card = wait_for(f"card of {venue.value}", seconds, lambda: self.card(venue), poll_s=0.1)
            done = self.run("approve", str(card))
            return None if "G32" in done.err else done

        return cast(Ended, wait_for("engine that is well", 30, answered, poll_s=0.25))

    # --- records --------------------------------------------------------------------------------

    @property
    def venue(self) -> Venue:
        if self._venue is None:
            self._venue = Venue(read_ready(self.place.sim_ready))
        return self._venue

    def journal(self) -> list[Row]:
        """Every row of the newest journal so far."""
        found = self.place.journals()
        if found:
            after = self._rows[-1].seq if self._rows else 0
            self._rows.extend(read_rows(found[0], after=after))
        return self._rows

    def happened(self, kind: str, *words: str) -> Row | None:
        """The first journal row of a kind whose actor and payload hold all the words between them."""
        rows = (row for row in self.journal() if row.kind == kind)
        return next((row for row in rows if all(w in row.actor + row.payload for w in words)), None)

    # --- processes ------------------------------------------------------------------------------

    def turn_to_kalshi(self, console: Terminal, seconds: float = 20.0) -> None:
        """Press ``]`` until a card of Kalshi is shown."""

        def shown() -> bool:
            if KALSHI_CARD.search(console.text()):
                return True
            console.press(b"]")
            return False

        wait_for("card of Kalshi", seconds, shown, poll_s=0.8)

    def approve_by_key(self, console: Terminal, seconds: float = 30.0) -> Row:
        """Press ``a`` as an operator does: on an armed card, its side's letter where a large one asks, and
        again on the next one where the press was refused, because the card moved under the finger or a busy
        machine brought the key late. The journal's row of it."""
        known = len(self._approved())

        def approval() -> Row | None:
            return next(iter(self._approved()[known:]), None)

        def asked() -> bool:
            return "CONFIRM  large" in console.text()

        def approved() -> Row | None:
            console.wait(r"ARMED|CONFIRM  large", seconds)
            if not asked():
                console.press(b"a")
            with contextlib.suppress(DeskError):
                wait_for("answer to a", 2, lambda: asked() or approval(), poll_s=0.1)
            side = CARD_SIDE.search(console.text()) if asked() else None
            if side is not None:
                console.press(side["side"][0].lower().encode())
            with contextlib.suppress(DeskError):
                return cast(Row, wait_for("approval", 2, approval, poll_s=0.1))
            return None

        return cast(Row, wait_for("approval in the journal", seconds, approved))

    def _approved(self) -> list[Row]:
        """What a console approved so far."""
        return [
            row for row in self.journal() if row.kind == "APPROVAL" and "console" in row.actor + row.payload
        ]

    def console(self, columns: int, rows: int, *options: str, nice: int = 0) -> Terminal:
        return self.terminal("attach", *options, columns=columns, rows=rows, nice=nice)

    def terminal(self, *arguments: str, columns: int = 80, rows: int = 24, nice: int = 0) -> Terminal:
        return Terminal([PYTHON, "-m", "tui.cli", *arguments], self.env, columns, rows, nice)

    def engine_pid(self) -> int:
        return int(self.place.lock.read_text())

    def sim_pid(self) -> int:
        return int(self.place.sim_pid.read_text().split()[0])

    def start_sim(
        self, scenario: str, *, speed: float = 144.0, seed: int = 1, module: str = "tui.cli", nice: int = 0
    ) -> None:
        options = ["--ready-file", str(self.place.sim_ready), "--keys-dir", str(self.place.keys)]
        options += ["--scenario", scenario, "--speed", f"{speed:g}", "--seed", str(seed)]
        self.place.sim_ready.unlink(missing_ok=True)
        self.sim = self._spawn("sim.log", nice, module, "sim", *options)
        self.place.sim_pid.write_text(f"{self.sim.pid} {_birth(self.sim.pid)}\n")
        wait_for("ready file", 20, self.place.sim_ready.exists)

    def start_engine(self, die_at: str = "") -> None:
        """Start the engine and wait until it has read the venue. ``die_at`` names a kill point."""
        self.hang_up()
        module = ["tests.desk.mortal", die_at] if die_at else [self.engine_module]
        self.engine = self._spawn("engine.log", 0, *module, "engine", "run")
        wait_for("engine", 20, self._read, poll_s=0.05)

    def start_watchdog(self) -> None:
        """Start the watchdog; it is up before an engine started after it has read the venue."""
        self.watchdog = self._spawn("watchdog.log", 0, "tui.cli", "watchdog", "run")
        self.place.watchdog_pid.write_text(f"{self.watchdog.pid} {_birth(self.watchdog.pid)}\n")

    def _read(self) -> bool:
        if self.engine.poll() is not None:
            raise DeskError(f"the engine ended: {(self.home / 'engine.log').read_text()[-2000:]}")
        try:
            starting = self.ask("status")["starting"]
        except ConnectError:
            return False
        return all(done for step, done in starting.items() if step not in ("feeds", "models"))

    def close(self) -> None:
        """End what runs in this home and remove it."""
        self.hang_up()
        if self._venue is not None:
            self._venue.close()
        files = (self.place.lock, self.place.watchdog_pid, self.place.sim_pid)
        pids = [pid for pid in map(_number, files) if pid]
        for pid in pids:
            if _runs_in(self.home, pid):
                end(pid)
        for process in self._started:
            if process.poll() is None:
                process.terminate()
            process.wait(30)
        shutil.rmtree(self.home, ignore_errors=True)

    def _spawn(self, log: str, nice: int, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.home / log).open("ab") as errors:
            process = subprocess.Popen(
                [PYTHON, "-m", module, *arguments],
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
                preexec_fn=lambda: os.nice(nice) and None,
            )
        self._started.append(process)
        return process


@contextlib.contextmanager
def home() -> Iterator[Desk]:
    """An empty home; whatever was started in it is ended with it."""
    made = Desk(Path(tempfile.mkdtemp(prefix="pmc-")))
    try:
        yield made
    finally:
        made.close()


@contextlib.contextmanager
def desk(
    scenario: str,
    *,
    speed: float = 144.0,
    seed: int = 1,
    config: str = "",
    sim_module: str = "tui.cli",
    sim_nice: int = 0,
    engine_module: str = "tui.cli",
    between: Callable[[Desk], None] = lambda _: None,
) -> Iterator[Desk]:
    """Simulator and engine, started here, without a console. ``between`` is called once the simulator is
    ready and before the engine starts."""
    with home() as made:
        made.place.directory.mkdir(mode=0o700)
        made.place.config.write_text(config)
        made.engine_module = engine_module
        made.start_sim(scenario, speed=speed, seed=seed, module=sim_module, nice=sim_nice)
        between(made)
        made.start_watchdog()
        made.start_engine()
        yield made


def environment(home: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL") if name in os.environ}
    return {**kept, "PMCONSOLE_HOME": str(home), "PYTHONPATH": str(CHECKOUT)}


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def alive(pid: int) -> bool:
    """Whether a process runs: not gone and not a zombie."""
    try:
        return _stat(pid)[0] != "Z"
    except OSError:
        return False


def end(pid: int, number: signal.Signals = signal.SIGTERM) -> None:
    """Signal one process and wait until it has gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
    wait_for(f"end of process {pid}", 30, lambda: not alive(pid))


def _birth(pid: int) -> str:
    return _stat(pid)[19]


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _number(file: Path) -> int:
    try:
        return int(file.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 0


def _runs_in(home: Path, pid: int) -> bool:
    """So that a pid noted in a file and used again by somebody else is left alone."""
    try:
        return str(home) in Path(f"/proc/{pid}/environ").read_text(errors="replace")
    except PermissionError:  # one that holds keys shows its environment to root alone
        return "pmconsole" in Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        return False
