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
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
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
from core.domain.order import OURS
from core.domain.text import clean_text
from core.venues.address import VenueAddressError
from core.venues.kalshi.cancel_only import KalshiCancelOnly
from core.venues.strike import strike
from core.venues.venue import Incomplete
from core.watchdog.watch import Suspicion, Watch

USAGE, LOCK_HELD = 2, 75
TICK_S = 0.25
WARM_S = 10.0
PROBE_S = 30.0
"""How often its own key and connection are proved by reading the account."""
BROKEN_S = 0.5
"""Before a step that broke is tried again."""

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
    venue = KalshiCancelOnly(
        site.kalshi,
        site.environment,
        site.signer,
        clocks=clocks,
        rng=random.Random(secrets.randbits(128)),
        on_anomaly=lambda what, detail: _log.warning("%s: %s", what, clean_text(detail)),
        subaccount=site.subaccount,
    )
    dog = Watchdog(venue, clocks, place.watchdog_record, silent_s)
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
                running = [
                    tasks.create_task(work, name=name)
                    for name, work in (
                        ("watch", dog.watch()),
                        ("probe", dog.probe()),
                        ("warm", dog.warm()),
                        ("service manager", tell.keep_telling()),
                    )
                ]
                tell.say("READY=1")
                await stopped.wait()
                tell.say("STOPPING=1")
                for task in running:
                    task.cancel()
    finally:
        await venue.close()
    _log.info("watchdog has stopped")


@contextlib.contextmanager
def _listen(path: Path) -> Iterator[socket.socket]:
    listening = bind(path)
    try:
        yield listening
    finally:
        listening.close()
        path.unlink(missing_ok=True)


class Watchdog:
    """Everything one watchdog does; its tasks are run by the process."""

    def __init__(self, venue: KalshiCancelOnly, clocks: Clocks, record: Path, silent_s: int) -> None:
        self._venue, self._clocks, self._path = venue, clocks, record
        self._silent_s = silent_s
        self._watch = Watch(clocks.mono_ns(), silent_s * 1_000_000_000)
        self._record = read_record(record)
        self._unfit = "its key has not been tried yet"

    # --- the engine's side ---------------------------------------------------------------------

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection. Another user's, or one that breaks the protocol, is closed."""
        try:
            _, uid = peer_of(writer.get_extra_info("socket"))
            while uid == os.getuid():
                message = read_pulse(await receive(reader))
                if isinstance(message, Pulse):
                    self._watch.heard(message, self._clocks.mono_ns())
                writer.write(encode(self._answer()))
                await writer.drain()
        except (PulseError, ConnectionError):
            pass  # an engine that goes is what the watch is for
        finally:
            writer.close()

    def _answer(self) -> Watching:
        pulse = self._watch.pulse
        silent_ms = self._watch.silent_ns(self._clocks.mono_ns()) // 1_000_000
        return Watching(
            pid=os.getpid(),
            counter=pulse.counter if pulse is not None else 0,
            silent_ms=silent_ms if pulse is not None else None,
            unfit=self._unfit,
            struck_ms=self._record.struck_ms,
            receipt=self._record.receipt,
        )

    # --- the venue's side ----------------------------------------------------------------------

    async def watch(self) -> None:
        """Look at the silence four times a second; strike when it has lasted too long."""
        while True:
            await self._unfailing("watch", self._judge)
            await asyncio.sleep(TICK_S)

    async def _unfailing(self, name: str, step: Callable[[], Awaitable[None]]) -> None:
        """Nothing that breaks in one step ends the watch: it is told, and tried again."""
        try:
            await step()
        except Exception:  # noqa: BLE001 - logged, and the engine hears of it with the next pulse
            _log.exception("%s broke", name)
            self._unfit = f"its {name} broke and is tried again, see watchdog.log"
            await asyncio.sleep(BROKEN_S)

    async def _judge(self) -> None:
        match self._watch.suspicion(self._clocks.mono_ns()):
            case Suspicion.STRIKE:
                silent = f"the engine has not proved life for {self._silent_s} s"
                await self._strike(f"{silent} and orders may be live")
            case Suspicion.LOOK:
                await self._look()
            case Suspicion.NONE:
                pass

    async def _look(self) -> None:
        """No engine speaks of live orders: strike only if the venue shows some of ours."""
        resting = await self._venue.resting()
        if isinstance(resting, Incomplete):
            _log.warning("cannot look at the account: %s", resting.reason)
            await asyncio.sleep(1.0)  # an unread account is no quiet one: look again
        elif any(report.client_order_id.startswith(OURS) for report in resting):
            await self._strike("no engine proves life and orders of ours rest")
        else:
            self._watch.settled()

    async def _strike(self, why: str) -> None:
        pulse = self._watch.pulse
        _log.error("striking: %s", why)
        at_ms = self._clocks.wall_ms()
        self._keep(Record(at_ms, f"{why}; under way"))
        groups = dict(pulse.groups) if pulse is not None else {}
        receipt = await strike(self._venue, groups, self._clocks.mono_ns)
        _log.error("struck: %s", receipt)
        self._keep(Record(at_ms, f"{why}: {receipt}"))
        if self._watch.pulse is pulse:
            self._watch.settled()

    def _keep(self, record: Record) -> None:
        self._record = record
        try:
            write_private(self._path, record_bytes(record))
        except OSError as error:
            _log.error("cannot write %s: %s", self._path, error.strerror)

    async def probe(self) -> None:
        """Prove that the key and the connection work, before they are needed."""
        while True:
            await self._unfailing("probe", self._probe)
            await asyncio.sleep(PROBE_S if not self._unfit else 1.0)

    async def _probe(self) -> None:
        found = await self._venue.resting()
        unfit = f"the account cannot be read: {found.reason}" if isinstance(found, Incomplete) else ""
        if unfit != self._unfit:
            _log.info(unfit or "fit")
        self._unfit = unfit

    async def warm(self) -> None:
        """A strike begins with the trigger of each group and the cancel of everything, side by side."""
        while True:
            pulse = self._watch.pulse
            calls = 1 + (len(pulse.groups) if pulse is not None else 0)
            await self._unfailing("connection", partial(self._venue.warm, calls))
            await asyncio.sleep(WARM_S)
