"""The engine as a process: one lock, clocks, transports, journal, engine and control server, and no terminal.

Whatever makes a desk real is decided here and handed down; the rooms below cannot tell a live desk
from a simulated one.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib.util
import itertools
import logging
import os
import random
import secrets
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from core.config import paths
from core.config.drill import read_drill
from core.config.paths import Environment, Profile
from core.config.secrets import KeyFileError
from core.config.settings import Settings, SettingsError, load, place_of
from core.control import flag, log
from core.control.beside import Beside, settle_memory, tell_head, watch_config, watch_world
from core.control.budgets import Part, keep_budgets, read_kept
from core.control.building import Building
from core.control.coefficients import load as load_coefficients
from core.control.coefficients import watch_coefficients
from core.control.lock import LockFileError, LockHeldError, sole_holder
from core.control.notify import notifier
from core.control.outside.record import keep_record, read_record
from core.control.outside.telling import Channel, Outside
from core.control.outside.webhook import transport, webhook_or_why
from core.control.processes import noted_process, usage
from core.control.pulse import Pulse, Watching, prove_life
from core.control.ready import ReadyError
from core.control.recording import Faults, open_for
from core.control.remembering import keep_memory, read_memory
from core.control.rows.system import Machine
from core.control.sealed import seal
from core.control.served import Served
from core.control.server import Server
from core.control.signals import handled
from core.control.signing import trading_of
from core.control.site import Site, World, site_of, trades_kalshi
from core.control.sockets import SocketError, bind
from core.control.sources import followed
from core.control.tape import Tape, watch_tape
from core.domain.clock import Clocks, SystemClock
from core.engine.engine import Engine, UnseatedError
from core.engine.state import WatchdogSeen
from core.feeds.pools import connected
from core.feeds.recording import Recorder, unrecorded
from core.journal.files import JournalDamagedError, JournalError, JournalHeldError, read_history
from core.journal.store import Journal
from core.risk.limits import Limits
from core.risk.limits_file import LimitsError, unset
from core.risk.limits_file import parse as parse_limits
from core.venues.address import VenueAddressError
from core.venues.polymarket.venue import PolymarketConfig

FAILED, USAGE, LOCK_HELD = 1, 2, 75

_log = logging.getLogger(__name__)


class StartError(Exception):
    """The engine cannot start; the text is the sentence for the operator, ``code`` the exit code."""

    def __init__(self, text: str, code: int = USAGE) -> None:
        super().__init__(text)
        self.code = code


def run_engine(place: Profile) -> int:
    """Be the profile's engine process until it is stopped; returns 0. Raises ``StartError``."""
    seal()
    gc.disable()  # until memory has settled: most of what a start makes stays
    gc.freeze()  # and all that was imported
    serve(place)
    return 0


def serve(place: Profile) -> None:
    """Run the profile's engine until it is stopped; raises ``StartError``."""
    try:
        paths.prepare(place)
        settings = load(place.config)
        limits = parse_limits(settings.limits, lambda key: place_of(place.config, "limits", key))
        _refuse_defaults(place, settings)
        with sole_holder(place.lock):
            site = site_of(place) if trades_kalshi(place) else None
            wallet = trading_of(place, settings.polymarket)
            _log_to(place.engine_log)
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(_serve(place, settings, limits, site, wallet))
    except (LockHeldError, JournalHeldError) as error:
        raise StartError(str(error), LOCK_HELD) from error
    except _REFUSALS as error:
        raise StartError(str(error)) from error


def _refuse_defaults(place: Profile, settings: Settings) -> None:
    """With real money every money limit is the operator's own word; raises ``LimitsError``."""
    missing = unset(settings.limits) if place.environment is Environment.PRODUCTION else ()
    if missing:
        raise LimitsError(
            f"{place.config}: [limits] does not set {', '.join(missing)}: profile {place.name} trades real "
            "money and takes no money limit by default; write each one, in dollars."
        )


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
    UnseatedError,
)
"""What a file, a port or a person may have got wrong: one sentence each, no traceback."""


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop when it is installed: its loop wakes in half the time."""
    if importlib.util.find_spec("uvloop") is None:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = importlib.import_module("uvloop").new_event_loop
    return factory


# --- the running process ------------------------------------------------------------------------


async def _serve(
    place: Profile, settings: Settings, limits: Limits, site: Site | None, wallet: PolymarketConfig | None
) -> None:
    """Build everything, run it, and take it down in the reverse order. ``None``: no account there."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_log_loop_fault)
    world = site if site is not None else World(environment=place.environment)
    clocks = Clocks(SystemClock(), world.clock)
    run = secrets.token_hex(4)
    flagged = flag.lies_at(place.flatten_flag)
    async with contextlib.AsyncExitStack() as stack:
        faults = Faults()
        journal = open_for(place, world, clocks, run, faults)
        stack.push_async_callback(_close, journal)
        http = connected()
        stack.push_async_callback(http.aclose)
        history = read_history(journal.path)
        kept, quota_fault = read_kept(place.quotas, world.world_id)
        others = dict(read_kept(place.quotas, world.world_id, Part.BESIDE)[0])
        tape = Tape(place.recordings, settings.feeds.record_mb << 20) if settings.feeds.record else None
        record: Recorder = unrecorded
        if tape is not None:
            stack.push_async_callback(asyncio.to_thread, tape.close)
            record = tape.take
        memory, memory_fault = read_memory(place.memory, world.world_id)
        loaded, series = load_coefficients(place, world), followed(settings, world)
        desk = Building(
            place, settings, limits, world, site, wallet, clocks, http, kept, others, record, memory,
            loaded.learned,
        )  # fmt: skip
        try:
            engine = Engine(desk.ports(journal, history, run, flagged=flagged))
        except msgspec.MsgspecError as error:
            raise JournalDamagedError(
                f"The journal {journal.path} holds a row that cannot be read: {error}."
            ) from error
        faults.engine = engine
        machine = Machine(
            os.getpid(), lambda: noted_process(place.sim_pid), lambda: read_drill(place.drill), usage
        )
        outside = _outside(place, settings, engine, run)
        served = Served(engine, machine, outside)
        server = Server(served, clocks.mono_ns, profile=place.name, engine_id=run, pid=machine.pid)
        engine.desk.pricing.on_news = server.pace.hurry
        listening = stack.enter_context(_listen(place))
        stack.enter_context(handled(loop, engine))
        _log.info("engine %s starts at %s %s", run, world.environment.value, world.world_id)
        beside, tell = Beside(engine), notifier(os.environ)
        async with asyncio.TaskGroup() as tasks:
            beside_it = [
                ("control server", server.run(listening, lambda: "The engine has stopped.")),
                ("config watch", watch_config(place.config, engine)),
                ("coefficients", watch_coefficients(place, world, engine, loaded, series)),
                ("stop file", flag.watch(place.flatten_flag, engine, clocks.wall_ms, found=flagged)),
                ("journal head", tell_head(lambda: journal.head, clocks.wall_ms)),
                ("memory", settle_memory()),
                ("service manager", tell.keep_telling()),
                ("outside", outside.run()),
                (
                    "quotas",
                    keep_budgets(place.quotas, world.world_id, engine, kept, quota_fault, others),
                ),
            ]
            alarms = engine.desk.alarms
            notes = keep_memory(place.memory, world.world_id, memory, alarms, memory_fault)
            beside_it.append(("sources' notes", notes))
            if tape is not None:
                beside_it.append(("feed tape", watch_tape(tape, engine)))
            beside_it.append(("pulse", prove_life(paths.watchdog_socket(place), *pulses(engine, run))))
            if place.simulated:
                beside_it.append(("world watch", watch_world(place.sim_ready, world.world_id, engine)))
            running = [tasks.create_task(beside.run(name, work), name=name) for name, work in beside_it]
            tell.say("READY=1")
            await engine.run()
            tell.say("STOPPING=1")
            for task in running:
                task.cancel()
    _log.info("engine %s has stopped", run)
    if beside.fault:
        raise StartError(f"{beside.fault} failed and the engine stopped; see {place.engine_log}", FAILED)


def _outside(place: Profile, settings: Settings, engine: Engine, run: str) -> Outside:
    """Who tells what rings to those who look at no console."""
    webhook, why = webhook_or_why(place, settings.alarms)
    channel = None
    if webhook is not None:
        rng, path = random.Random(secrets.randbits(128)), place.outside
        channel = Channel(webhook, transport(), rng, read_record(path), partial(keep_record, path))
    return Outside(engine.desk, settings.alarms, run, channel, why)


async def _close(journal: Journal) -> None:
    if not await journal.close():
        _log.error("the disk does not answer: the journal %s ends without its last rows", journal.path)


def pulses(engine: Engine, run: str) -> tuple[Callable[[], Pulse | None], Callable[[Watching | None], None]]:
    """The engine's word to its watchdog, and the watchdog's to the engine."""
    counter = itertools.count(1)

    def pulse() -> Pulse | None:
        beat = engine.desk.watched.beat()
        if beat is None:
            return None
        return Pulse(
            run,
            os.getpid(),
            next(counter),
            beat.journal_seq,
            beat.live,
            beat.groups,
            kept=beat.kept,
            drill=beat.drill,
            venues=tuple(venue.short for venue in engine.desk.seats),
        )

    def heard(answer: Watching | None) -> None:
        if answer is not None:
            seen = WatchdogSeen(answer.pid, answer.unfit, answer.struck_ms, answer.receipt)
            engine.desk.watched.answered(seen)

    return pulse, heard


def _log_loop_fault(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    _log.error("event loop: %s", context["message"], exc_info=context.get("exception"))


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
