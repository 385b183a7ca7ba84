"""The watchdog as a process: it listens for the engine's pulses and cancels everything when they end.

It has a key and connections of its own, places nothing and could not. One a profile; it outlives engines.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import secrets
import signal
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.config import paths
from core.config.paths import Profile
from core.config.secrets import KeyFileError, write_private
from core.config.settings import SettingsError, load
from core.control import log
from core.control.client import encode
from core.control.lock import LockFileError, LockHeldError, sole_holder
from core.control.notify import notifier
from core.control.pulse import Pulse, PulseError, Watching, read_pulse, receive
from core.control.ready import ReadyError
from core.control.sealed import seal
from core.control.site import Site, site_of_watchdog
from core.control.sockets import SocketError, bind, peer_of
from core.control.strikes import Record, read_record, record_bytes
from core.domain.clock import Clocks, SystemClock
from core.domain.text import clean_text
from core.venues.address import VenueAddressError
from core.venues.kalshi.cancel_only import KalshiCancelOnly
from core.venues.strike import CancelOnly
from core.watchdog.guard import Guard

USAGE, LOCK_HELD = 2, 75

_log = logging.getLogger(__name__)


class StartError(Exception):
    """The watchdog cannot start; the text is the sentence for the operator, ``code`` the exit code."""

    def __init__(self, text: str, code: int = USAGE) -> None:
        super().__init__(text)
        self.code = code


_REFUSALS = (
    SettingsError,
    paths.ProfileError,
    LockFileError,
    ReadyError,
    SocketError,
    KeyFileError,
    VenueAddressError,
)


def run_watchdog(place: Profile) -> int:
    """Be the profile's watchdog until stopped; returns 0. Raises ``StartError``."""
    seal()
    try:
        paths.prepare(place)
        with sole_holder(place.watchdog_lock):
            site = site_of_watchdog(place)
            silent_s = load(place.config).engine.watchdog_silent_s
            log.to_file(place.watchdog_log)
            asyncio.run(_serve(place, site, silent_s))
    except LockHeldError as error:
        raise StartError(f"a watchdog runs already for profile {place.name}", LOCK_HELD) from error
    except OSError as error:
        raise StartError(f"cannot write {place.watchdog_log}: {error.strerror}; move it away") from error
    except _REFUSALS as error:
        raise StartError(str(error)) from error
    return 0


async def _serve(place: Profile, site: Site, silent_s: int) -> None:
    clocks = Clocks(SystemClock(), site.clock)
    dog = Watchdog(_accounts(site, clocks), clocks, place.watchdog_record, silent_s)
    tell = notifier(os.environ)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    loop.add_signal_handler(signal.SIGHUP, lambda: _log.info("SIGHUP ignored"))
    _log.info("watchdog starts at %s %s", site.environment.value, site.world_id)
    try:
        with _listen(paths.watchdog_socket(place)) as listening:
            server = await asyncio.start_unix_server(dog.serve, sock=listening)
            async with server, asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(tell.keep_telling(), name="service manager")]
                for guard in dog.guards:
                    work = {"watch": guard.watch, "probe": guard.probe, "warm": guard.warm}
                    running += [tasks.create_task(w(), name=f"{guard.name} {n}") for n, w in work.items()]
                tell.say("READY=1")
                await stopped.wait()
                tell.say("STOPPING=1")
                for task in running:
                    task.cancel()
    finally:
        await asyncio.gather(*(guard.close() for guard in dog.guards))
    _log.info("watchdog has stopped")


def _accounts(site: Site, clocks: Clocks) -> list[CancelOnly]:
    """Every account of the profile, each with the watchdog's own credential."""
    return [
        KalshiCancelOnly(
            site.kalshi,
            site.environment,
            site.signer,
            clocks=clocks,
            rng=random.Random(secrets.randbits(128)),
            on_anomaly=lambda what, detail: _log.warning("%s: %s", what, clean_text(detail)),
            subaccount=site.subaccount,
        )
    ]


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

    def __init__(self, accounts: Sequence[CancelOnly], clocks: Clocks, record: Path, silent_s: int) -> None:
        self._clocks, self._path = clocks, record
        self.guards = tuple(Guard(account, clocks, silent_s, self) for account in accounts)
        self.record = read_record(record)
        self._struck_for: Pulse | None = None
        self._told: dict[str, str] = {}
        """What each guard did about that silence, by venue."""

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
            unfit="; ".join(self._named(guard.name, guard.unfit) for guard in self.guards if guard.unfit),
            struck_ms=self.record.struck_ms,
            receipt=self.record.receipt,
        )

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
        try:
            write_private(self._path, record_bytes(self.record))
        except OSError as error:
            _log.error("cannot write %s: %s", self._path, error.strerror)
