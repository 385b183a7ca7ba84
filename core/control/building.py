"""What the ports of one desk are made from: a real desk and a simulated one differ here and nowhere below."""

from __future__ import annotations

import functools
import random
import resource
import secrets
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import httpx
import msgspec

from core.config.paths import Environment, Profile
from core.config.settings import Settings, SettingsError, place_of
from core.control.examination import read_examination
from core.control.identity import accounts_of, release_of
from core.control.simulated_past import simulated_past
from core.control.site import Site, World
from core.control.sources import chosen, followed, read_stations
from core.control.strikes import read_record
from core.domain.clock import Clocks
from core.domain.market import Venue
from core.engine.arming import Arming, phrase_of
from core.engine.engine import Ports
from core.engine.state import WatchdogSeen
from core.feeds.budget import Kept
from core.feeds.calendar.own_file import read_bytes
from core.feeds.calendar.view_file import append
from core.feeds.calendar.views import FILE as VIEWS
from core.feeds.calendar.views import read_view
from core.feeds.feed import Feed
from core.feeds.fetch import Failed
from core.feeds.memory import Memory
from core.feeds.published import FOLLOWED
from core.feeds.recording import Recorder, unrecorded
from core.feeds.registry import Chosen, build_feeds
from core.feeds.values import Sink
from core.feeds.wiring import Transports
from core.journal.device import free_mb
from core.journal.events import Row
from core.journal.store import Journal
from core.models.weather.coefficients import Learned
from core.risk.limits import Limits
from core.risk.releases import Affected, affected_by
from core.venues.kalshi import venue as kalshi
from core.venues.polymarket import venue as polymarket
from core.venues.polymarket.venue import PolymarketConfig
from core.venues.socket import open_socket
from core.venues.venue import VenueGateway, VenueListener

SIM_LISTS = "tag:weather"
"""Finds every event of the simulated Polymarket."""


class Building(NamedTuple):
    """What the ports of one desk are made from."""

    place: Profile
    settings: Settings
    limits: Limits
    world: World
    site: Site | None
    wallet: PolymarketConfig | None
    """The accounts, one of them at least."""
    clocks: Clocks
    http: httpx.AsyncClient
    kept: Mapping[str, tuple[Kept, ...]] = {}
    """What is spent of quotas already, by source."""
    beside: Mapping[str, tuple[Kept, ...]] = {}
    """What commands spend of them while it runs."""
    record: Recorder = unrecorded
    memory: Memory | None = None
    """Of its sources, from before this run."""
    learned: Learned | None = None
    """What the weather models start with."""

    def ports(self, journal: Journal, history: Iterable[Row], run: str, *, flagged: bool) -> Ports:
        asked = self._asked()
        self._survey()
        return Ports(
            clocks=self.clocks,
            rng=_rng(),
            log=journal,
            history=history,
            run=run,
            venues=self._venues(asked),
            series={Venue.KALSHI: followed(self.settings, self.world), Venue.POLYMARKET: self._followed()},
            feeds=self._feeds(asked),
            settings=self.settings,
            past=simulated_past(self.place),
            simulated=self.place.simulated,
            affected=self._affected(),
            view=functools.partial(append, self.place.directory / VIEWS),
            ceilings=self.limits,
            profile=self.place.name,
            accounts=self._account_names(),
            world_id=self.world.world_id,
            release=release_of(self.settings),
            replay=self.world.replay,
            replay_offset_days=self.world.calendar_offset_days,
            learned=self.learned,
            disk_free_mb=lambda: free_mb(self.place.directory),
            memory_mb=_memory_mb,
            arms_itself=self.place.simulated,
            watched=True,
            struck=self._struck(),
            arming=self._arming(),
            start_halted="the file FLATTEN was there at start: flatten or resume" if flagged else "",
        )

    def _survey(self) -> None:
        """Write a simulator's expectations into its desk's file, beside what the operator entered."""
        path = self.place.directory / VIEWS
        for fields in self.world.views:
            view = read_view(fields, fields[-1])
            known = read_bytes(path)
            if isinstance(view, str) or isinstance(known, Failed):
                continue  # the source itself says what is wrong with its file
            if f"{view.kind},{view.released},{view.centre.value},".encode() not in known:
                append(path, view)

    def _asked(self) -> Mapping[str, Chosen]:
        """Every source by name; to be called once: a key in the environment is taken out of it."""
        return {
            name: msgspec.structs.replace(
                choice, kept=self.kept.get(name, ()), elsewhere=lambda name=name: self.beside.get(name, ())
            )
            for name, choice in chosen(self.place, self.settings, self.world).items()
        }

    def _venues(self, asked: Mapping[str, Chosen]) -> Mapping[Venue, Callable[[VenueListener], VenueGateway]]:
        """The accounts; nothing is sent before the engine runs."""
        at, wallet = self.site, self.wallet
        found: dict[Venue, Callable[[VenueListener], VenueGateway]] = {}
        if at is not None:
            wanted = {of: asked[of].follows or names for of, names in FOLLOWED.items() if asked[of].on}
            account = kalshi.KalshiConfig(at.kalshi, at.environment, at.signer, at.subaccount, wanted)
            found[Venue.KALSHI] = lambda hears: kalshi.connect(
                account, clocks=self.clocks, rng=_rng(), listener=hears
            )
        if wallet is not None:
            found[Venue.POLYMARKET] = lambda hears: polymarket.connect(
                wallet, clocks=self.clocks, rng=_rng(), listener=hears
            )
        return found

    def _followed(self) -> Sequence[str]:
        """What of Polymarket is on the desk."""
        words = self.settings.markets.polymarket
        return words or ((SIM_LISTS,) if self.place.simulated else ())

    def _affected(self) -> Affected:
        """What releases move which markets; raises ``SettingsError``."""
        found = affected_by(self.settings.releases.affects)
        if isinstance(found, str):
            raise SettingsError(
                f"{place_of(self.place.config, 'releases', 'affects')}: releases.affects: {found}"
            )
        return found

    def _feeds(self, asked: Mapping[str, Chosen]) -> Callable[[Sink], Sequence[Feed]]:
        read, agent = read_stations(self.place, self.settings, self.world), self.settings.feeds.user_agent
        own, record, memory = self.place.directory, self.record, self.memory or Memory()
        return lambda sink: build_feeds(
            asked, read,
            Transports(
                self.http, open_socket, self.clocks, _rng(), agent, sink, record, directory=own, memory=memory
            ),
        )  # fmt: skip

    def _struck(self) -> WatchdogSeen | None:
        """What the watchdog did before this run."""
        record = read_record(self.place.watchdog_record)
        return WatchdogSeen(0, "", record.struck_ms, record.receipt) if record.struck_ms else None

    def _account_names(self) -> Mapping[Venue, str]:
        names: dict[Venue, str] = {}
        if self.site is not None:
            names[Venue.KALSHI] = self.site.signer.key_id
        if self.wallet is not None:
            names[Venue.POLYMARKET] = self.wallet.signer.account.address
        return names

    def _arming(self) -> Arming | None:
        """Only real money has to be armed."""
        if self.world.environment is not Environment.PRODUCTION:
            return None
        traded = accounts_of(
            self.site.signer if self.site is not None else None,
            self.wallet.signer.account if self.wallet is not None else None,
        )
        return Arming(
            phrase_of(self.place.name, traded.names),
            version("pmconsole"),
            traded.mark,
            lambda: read_examination(self.place.doctor),
            self.place.command("doctor"),
        )


def _memory_mb() -> int | None:
    """Resident memory of this process; its highest so far where the system does not tell the present one."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except OSError:
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return used >> (20 if sys.platform == "darwin" else 10)
    return pages * resource.getpagesize() >> 20


def _rng() -> random.Random:
    """An own stream for each part: a draw more in one must not move another."""
    return random.Random(secrets.randbits(128))
