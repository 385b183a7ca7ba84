"""The engine as a process: one lock, clocks, transports, journal, engine and control server, and no terminal.

Whatever makes a desk real is decided here and handed down; the rooms below cannot tell a live desk
from a simulated one.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib.util
import logging
import os
import random
import resource
import secrets
import shutil
import signal
import socket
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from core.config import paths
from core.config.paths import Profile
from core.config.settings import Settings, SettingsError, load
from core.control import flag, log
from core.control.commands import carry_out
from core.control.frames import Reader
from core.control.lock import LockFileError, LockHeldError, sole_holder
from core.control.protocol import AnyCommand, Query, Reply
from core.control.queries import QUERIES, answer
from core.control.ready import Ready, ReadyError, read_ready
from core.control.server import Server, SocketError, bind
from core.control.snapshot import Snapshot
from core.domain.clock import Clocks, SystemClock
from core.engine.engine import Engine, Ports
from core.engine.operator import ENGINE, Actor
from core.feeds.feed import Feed
from core.feeds.stations import station_of_series
from core.feeds.values import Sink
from core.feeds.weather import weather_feeds
from core.journal.events import Row
from core.journal.files import Identity, JournalError, read_rows
from core.journal.store import Durability, Journal, JournalFault, open_journal
from core.risk.limits import Limits, LimitsError
from core.risk.limits import parse as parse_limits
from core.venues.address import VenueAddressError, check_loopback
from core.venues.kalshi.sign import KeyFileError, load_signer
from core.venues.kalshi.venue import KalshiConfig, connect
from core.venues.venue import VenueGateway, VenueListener

FAILED, USAGE, LOCK_HELD = 1, 2, 75
WORLD_CHECK_S = 1.0
"""How often the ready line is compared with the world this desk belongs to."""
SETTLED_S = 20.0

_log = logging.getLogger(__name__)


class StartError(Exception):
    """The engine cannot start; the text is the sentence for the operator, ``code`` the exit code."""

    def __init__(self, text: str, code: int = USAGE) -> None:
        super().__init__(text)
        self.code = code


def run_engine(place: Profile) -> int:
    """Be the profile's engine process until it is stopped; returns 0. Raises ``StartError``."""
    os.umask(0o077)
    # A core dump would hold the keys.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    serve(place)
    return 0


def serve(place: Profile) -> None:
    """Run the profile's engine until it is stopped; raises ``StartError``."""
    try:
        paths.prepare(place)
        settings = load(place.config)
        limits = parse_limits(settings.limits, str(place.config))
        with sole_holder(place.lock):
            ready = read_ready(place.sim_ready)
            _log_to(place.engine_log)
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(_serve(place, settings, limits, ready))
    except LockHeldError as error:
        raise StartError(str(error), LOCK_HELD) from error
    except _REFUSALS as error:
        raise StartError(str(error)) from error


def _log_to(path: Path) -> None:
    try:
        log.to_file(path)
    except OSError as error:
        raise StartError(f"cannot write {path}: {error.strerror}; move it away") from error


_REFUSALS = (
    paths.ProfileError,
    SettingsError,
    LimitsError,
    LockFileError,
    ReadyError,
    SocketError,
    JournalError,
    KeyFileError,
    VenueAddressError,
)
"""What a file, a port or a person may have got wrong: one sentence each, no traceback."""


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop when it is installed: its loop wakes in half the time."""
    if importlib.util.find_spec("uvloop") is None:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module("uvloop").new_event_loop
    return factory


# --- the running process ------------------------------------------------------------------------


async def _serve(place: Profile, settings: Settings, limits: Limits, ready: Ready) -> None:
    """Build everything, run it, and take it down in the reverse order."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_log_loop_fault)
    clocks = Clocks(SystemClock(), ready.clock)
    run = secrets.token_hex(4)
    flagged = flag.lies_at(place.flatten_flag)
    async with contextlib.AsyncExitStack() as stack:
        faults = _Faults()
        journal = _open_journal(place, ready, clocks, run, faults)
        stack.push_async_callback(journal.close)
        http = httpx.AsyncClient(trust_env=False, follow_redirects=False)
        stack.push_async_callback(http.aclose)
        history = read_rows(journal.path)
        desk = _Building(place, settings, limits, ready, clocks, http)
        engine = Engine(desk.ports(journal, history, run, flagged=flagged))
        faults.engine = engine
        server = Server(_Desk(engine), clocks.mono_ns, profile=place.name, engine_id=run, pid=os.getpid())
        listening = stack.enter_context(_listen(place))
        stack.enter_context(_signals(loop, engine))
        _log.info("engine %s starts on world %s", run, ready.world.id)
        beside = _Beside(engine)
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(beside.run(name, work), name=name)
                for name, work in (
                    ("control server", server.run(listening, lambda: "The engine has stopped.")),
                    ("stop file", flag.watch(place.flatten_flag, engine, clocks.wall_ms, found=flagged)),
                    ("world watch", _watch_world(place.sim_ready, ready.world.id, engine)),
                    ("memory", _settle_memory()),
                )
            ]
            await engine.run()
            for task in running:
                task.cancel()
    _log.info("engine %s has stopped", run)
    if beside.fault:
        raise StartError(f"{beside.fault} failed and the engine stopped; see {place.engine_log}", FAILED)


class _Beside:
    """Runs what stands beside the engine. A fault there ends the engine in order, its orders cancelled."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.fault = ""

    async def run(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:  # noqa: BLE001 - logged, and the whole process ends in order
            _log.exception("%s failed", name)
            self.fault = name
            self._engine.stop(f"{name} failed", ENGINE)


async def _settle_memory() -> None:
    """What start-up made stays: without it, full collections of it would stall the loop."""
    await asyncio.sleep(SETTLED_S)
    gc.collect()
    gc.freeze()


async def _watch_world(path: Path, world: str, engine: Engine) -> None:
    """Halt when another world's simulator takes the place of the one this desk belongs to."""
    seen = ""
    while True:
        await asyncio.sleep(WORLD_CHECK_S)
        try:
            now = read_ready(path).world.id
        except ReadyError:
            continue  # a simulator that is gone shows as a dead link
        if now not in (world, seen):
            seen = now
            engine.halt(
                f"the simulator now plays world {now}, this desk belongs to {world}: "
                "start a fresh desk with pmconsole demo --fresh",
                ENGINE,
            )


def _log_loop_fault(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    _log.error("event loop: %s", context["message"], exc_info=context.get("exception"))


# --- building -----------------------------------------------------------------------------------


class _Faults:
    """Hands a journal's fault to the engine, which is built after the journal."""

    engine: Engine | None = None

    def __call__(self, fault: JournalFault) -> None:
        _log.error("%s", fault.reason)
        if self.engine is not None:
            self.engine.journal_failed(fault)


def _open_journal(
    place: Profile, ready: Ready, clocks: Clocks, run: str, on_fault: Callable[[JournalFault], None]
) -> Journal:
    return open_journal(
        place.journal(ready.world.id),
        Identity(ready.world.id, place.name, version("pmconsole"), _boot_id(), run),
        clocks.real,
        durability=Durability.NORMAL,  # the demo's money is simulated; other profiles sync every commit
        on_fault=on_fault,
    )


class _Building(NamedTuple):
    """What the ports of one desk are made from."""

    place: Profile
    settings: Settings
    limits: Limits
    ready: Ready
    clocks: Clocks
    http: httpx.AsyncClient

    def ports(self, journal: Journal, history: Iterable[Row], run: str, *, flagged: bool) -> Ports:
        return Ports(
            clocks=self.clocks,
            rng=_rng(),
            log=journal,
            history=history,
            run=run,
            venue=self._venue(),
            feeds=self._feeds(),
            series=self.settings.markets.series,
            settings=self.settings,
            ceilings=self.limits,
            profile=self.place.name,
            world_id=self.ready.world.id,
            replay=self.ready.world.replay,
            replay_offset_days=self.ready.world.calendar_offset_days,
            disk_free_mb=self._disk_free_mb,
            arms_itself=self.place.name == "demo",
            start_halted="the file FLATTEN was there at start: flatten or resume" if flagged else "",
        )

    def _venue(self) -> Callable[[VenueListener], VenueGateway]:
        """The account at the simulator; raises where its key or its address cannot be used."""
        where = self.ready.kalshi
        signer = load_signer(where.key_id, Path(where.private_key_path))
        config = KalshiConfig(where.rest, where.ws, signer)
        return lambda listener: connect(config, clocks=self.clocks, rng=_rng(), listener=listener)

    def _feeds(self) -> Callable[[Sink], Sequence[Feed]]:
        where = self.ready.feeds
        for url in (where.nws, where.open_meteo):
            check_loopback(url, frozenset({"http"}))
        found = (station_of_series(series) for series in self.settings.markets.series)
        stations = [station for station in found if station is not None]
        if not stations:
            return lambda _: ()
        return lambda sink: weather_feeds(
            stations,
            self.http,
            nws_url=where.nws,
            open_meteo_url=where.open_meteo,
            ensemble_url=where.open_meteo,
            user_agent=self.settings.feeds.user_agent,
            clocks=self.clocks,
            rng=_rng(),
            sink=sink,
        )

    def _disk_free_mb(self) -> int | None:
        try:
            return shutil.disk_usage(self.place.directory).free >> 20
        except OSError:
            return None


def _rng() -> random.Random:
    """An own stream for each part: a draw more in one must not move another."""
    return random.Random(secrets.randbits(128))


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


@contextlib.contextmanager
def _listen(place: Profile) -> Iterator[socket.socket]:
    """The control socket, with its place written down when it is not inside the profile's directory."""
    path = paths.chosen_socket(place)
    listening = bind(path)
    if path.parent == place.directory:
        place.socket_note.unlink(missing_ok=True)
    else:
        place.socket_note.write_text(f"{path}\n")
    try:
        yield listening
    finally:
        listening.close()
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _signals(loop: asyncio.AbstractEventLoop, engine: Engine) -> Iterator[None]:
    """Stop on SIGTERM and SIGINT, halt on SIGUSR1, and note a hangup: there is no terminal to lose."""
    handlers: dict[signal.Signals, Callable[[], object]] = {
        signal.SIGTERM: lambda: engine.stop("SIGTERM", ENGINE),
        signal.SIGINT: lambda: engine.stop("SIGINT", ENGINE),
        signal.SIGUSR1: lambda: engine.halt("SIGUSR1", ENGINE),
        signal.SIGHUP: lambda: _log.info("SIGHUP ignored"),
    }
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)


class _Desk:
    """The engine as the control server sees it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._snapshot = Snapshot(engine.desk)

    def command(self, command: AnyCommand, actor: Actor) -> Reply:
        if isinstance(command, Query):
            return self._query(command)
        outcome = carry_out(self._engine, command, actor)
        return Reply(command.id, outcome.accepted, outcome.text)

    def _query(self, command: Query) -> Reply:
        if command.what not in QUERIES:
            return Reply(command.id, accepted=False, text=f"Ask for one of {', '.join(QUERIES)}.")
        data = answer(command.what, self._snapshot.query_rows(command.what), self._snapshot.now())
        return Reply(command.id, accepted=True, text="", data=data)

    def reader(self) -> Reader:
        return Reader(self._snapshot)

    def controller_attached(self, actor: Actor) -> None:
        self._engine.controller_attached(actor)

    def controller_gone(self) -> None:
        self._engine.controller_gone()

    def viewers(self, count: int) -> None:
        self._engine.viewers(count)
