"""The watchdog as a process: it listens for the engine's pulses and cancels everything when they end.

It has credentials and connections of its own, places nothing and could not. One a profile; it outlives
engines.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from core.config import paths
from core.config.paths import Profile
from core.config.secrets import WALLET_VARIABLE, write_private
from core.config.settings import Settings, load
from core.control import log
from core.control.accounts import UNUSABLE, Opened
from core.control.client import encode
from core.control.lock import LockFileError, LockHeldError, sole_holder
from core.control.notify import notifier
from core.control.outside.webhook import transport, webhook_or_why
from core.control.pulse import Pulse, PulseError, Watching, read_pulse, receive
from core.control.sealed import seal
from core.control.site import clock_of
from core.control.sockets import SocketError, bind, peer_of
from core.control.strikes import Record, read_record, record_bytes
from core.domain.clock import Clocks, SystemClock
from core.venues.strike import CancelOnly
from core.watchdog.accounts import guarded
from core.watchdog.guard import Guard
from core.watchdog.outside import Caller, Way

USAGE, LOCK_HELD = 2, 75

_log = logging.getLogger(__name__)


class StartError(Exception):
    """The watchdog cannot start; the text is the sentence for the operator, ``code`` the exit code."""

    def __init__(self, text: str, code: int = USAGE) -> None:
        super().__init__(text)
        self.code = code


_REFUSALS = (*UNUSABLE, paths.ProfileError, LockFileError, SocketError)


def run_watchdog(place: Profile) -> int:
    """Be the profile's watchdog until stopped; returns 0. Raises ``StartError``."""
    seal()
    os.environ.pop(WALLET_VARIABLE, None)  # whoever started it by hand: it must not be able to sign
    try:
        paths.prepare(place)
        with sole_holder(place.watchdog_lock):
            settings = load(place.config)
            clocks = Clocks(SystemClock(), clock_of(place))
            opened = guarded(place, settings.polymarket, clocks)
            log.to_file(place.watchdog_log)
            asyncio.run(_serve(place, settings, clocks, opened))
    except LockHeldError as error:
        raise StartError(f"a watchdog runs already for profile {place.name}", LOCK_HELD) from error
    except OSError as error:
        raise StartError(f"cannot write {place.watchdog_log}: {error.strerror}; move it away") from error
    except _REFUSALS as error:
        raise StartError(str(error)) from error
    return 0


async def _serve(place: Profile, settings: Settings, clocks: Clocks, opened: Opened[CancelOnly]) -> None:
    silent_s = settings.engine.watchdog_silent_s
    dog = Watchdog(opened.accounts, clocks, place.watchdog_record, silent_s, opened.missing)
    tell = notifier(os.environ)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    loop.add_signal_handler(signal.SIGHUP, lambda: _log.info("SIGHUP ignored"))
    _log.info("watchdog starts at %s: %s", place.environment.value, ", ".join(g.name for g in dog.guards))
    for venue, why in opened.missing.items():
        _log.error("%s is not guarded: %s", venue, why)
    try:
        with _listen(paths.watchdog_socket(place)) as listening:
            server = await asyncio.start_unix_server(dog.serve, sock=listening)
            async with server, asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(tell.keep_telling(), name="service manager")]
                tasks.create_task(dog.write(), name="record")
                way = _way_out(place, settings)
                if way is not None:
                    watch = dog.guards[0].watch_of
                    caller = Caller(way, clocks, watch, silent_s, place.name, lambda: dog.record)
                    running.append(tasks.create_task(caller.run(), name="outside"))
                for guard in dog.guards:
                    work = {"watch": guard.watch, "probe": guard.probe, "warm": guard.warm}
                    running += [tasks.create_task(w(), name=f"{guard.name} {n}") for n, w in work.items()]
                tell.say("READY=1")
                await stopped.wait()
                tell.say("STOPPING=1")
                for task in running:
                    task.cancel()
                dog.close()
    finally:
        await asyncio.gather(*(guard.close() for guard in dog.guards))
    _log.info("watchdog has stopped")


def _way_out(place: Profile, settings: Settings) -> Way | None:
    """Where it says that the engine is gone; it guards as well without."""
    webhook, why = webhook_or_why(place, settings.alarms)
    if why:
        _log.error("nobody outside is told: %s", why)
    return Way(webhook, transport(), settings.alarms.again_min) if webhook is not None else None


@contextlib.contextmanager
def _listen(path: Path) -> Iterator[socket.socket]:
    listening = bind(path)
    try:
        yield listening
    finally:
        listening.close()
        path.unlink(missing_ok=True)


class Watchdog:
    """The guards of all venues, what they have done, and what the engine is told of it."""

    def __init__(
        self,
        accounts: Sequence[CancelOnly],
        clocks: Clocks,
        record: Path,
        silent_s: int,
        missing: Mapping[str, str],
    ) -> None:
        """``missing``: why an account of the profile could not be opened, by venue."""
        self._clocks, self._path, self._missing = clocks, record, missing
        self.guards = tuple(Guard(account, clocks, silent_s, self) for account in accounts)
        self.record = read_record(record)
        self._struck_for: Pulse | None = None
        self._told: dict[str, str] = {}
        """What each guard did about that silence, by venue."""
        self._unwritten = asyncio.Event()
        self._closed = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of an engine. Another user's, or one that breaks the protocol, is closed."""
        try:
            _, uid = peer_of(writer.get_extra_info("socket"))
            while uid == os.getuid():
                message = read_pulse(await receive(reader))
                if isinstance(message, Pulse):
                    self.heard(message)
                writer.write(encode(self._answer()))
                await writer.drain()
        except (PulseError, ConnectionError):
            pass  # an engine that goes is what the watch is for
        finally:
            writer.close()

    def heard(self, pulse: Pulse) -> None:
        """The engine lives."""
        for guard in self.guards:
            guard.watch_of.heard(pulse, self._clocks.mono_ns())

    def _answer(self) -> Watching:
        watch = self.guards[0].watch_of
        pulse, silent_ms = watch.pulse, watch.silent_ns(self._clocks.mono_ns()) // 1_000_000
        return Watching(
            pid=os.getpid(),
            counter=pulse.counter if pulse is not None else 0,
            silent_ms=silent_ms if pulse is not None else None,
            unfit="; ".join(self._unfit(pulse)),
            struck_ms=self.record.struck_ms,
            receipt=self.record.receipt,
        )

    def _unfit(self, pulse: Pulse | None) -> Iterator[str]:
        """Where it could not cancel now, and why."""
        for guard in self.guards:
            if guard.unfit:
                yield self._named(guard.name, guard.unfit)
        for venue, why in self._missing.items():
            yield f"{venue} {why}"
        known = {guard.name for guard in self.guards} | self._missing.keys()
        for venue in pulse.venues if pulse is not None else ():
            if venue not in known:
                yield f"{venue} was added after it was started: start it again"

    def _named(self, venue: str, text: str) -> str:
        """With the venue before it where there are several."""
        return text if len(self.guards) == 1 else f"{venue} {text}"

    def keep(self, guard: Guard, pulse: Pulse | None, text: str) -> None:
        """What a guard does or has done about the silence after that pulse: one strike for all venues."""
        if self._struck_for is not pulse or not self._told:
            self._struck_for, self._told = pulse, {}
            struck_ms: int | None = self._clocks.wall_ms()
        else:
            struck_ms = self.record.struck_ms
        self._told[guard.name] = text
        self.record = Record(struck_ms, "; ".join(self._named(*told) for told in self._told.items()))
        self._unwritten.set()

    async def write(self) -> None:
        """Write the record down whenever it has changed, until closed; in a thread, as no strike may wait for
        a disk that an engine fell silent of."""
        written = self.record
        while not self._closed or written is not self.record:
            await self._unwritten.wait()
            self._unwritten.clear()
            if written is not self.record:
                written = self.record
                await asyncio.to_thread(self._write, written)

    def _write(self, record: Record) -> None:
        try:
            write_private(self._path, record_bytes(record))
        except OSError as error:
            _log.error("cannot write %s: %s", self._path, error.strerror)

    def close(self) -> None:
        """Nothing more comes: ``write`` ends with what there is."""
        self._closed = True
        self._unwritten.set()
