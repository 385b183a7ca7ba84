"""What the ports of one desk are made from: a real desk and a simulated one differ here and nowhere below."""

from __future__ import annotations

import random
import resource
import secrets
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import httpx

from core.config.paths import Environment, Profile
from core.config.settings import Settings
from core.control.examination import read_examination
from core.control.identity import accounts_of, release_of
from core.control.site import Site
from core.control.strikes import read_record
from core.control.wallet import pinned_account
from core.domain.clock import Clocks
from core.domain.market import Venue
from core.engine.arming import Arming, phrase_of
from core.engine.engine import Ports
from core.engine.state import WatchdogSeen
from core.feeds.feed import Feed
from core.feeds.stations import station_of_series
from core.feeds.values import Sink
from core.feeds.weather import weather_feeds
from core.journal.device import free_mb
from core.journal.events import Row
from core.journal.store import Journal
from core.risk.limits import Limits
from core.venues.kalshi.venue import KalshiConfig, connect
from core.venues.venue import VenueGateway, VenueListener


class Building(NamedTuple):
    """What the ports of one desk are made from."""

    place: Profile
    settings: Settings
    limits: Limits
    site: Site
    clocks: Clocks
    http: httpx.AsyncClient

    def ports(self, journal: Journal, history: Iterable[Row], run: str, *, flagged: bool) -> Ports:
        return Ports(
            clocks=self.clocks,
            rng=_rng(),
            log=journal,
            history=history,
            run=run,
            venues=self._venues(),
            series={Venue.KALSHI: self.settings.markets.series},
            feeds=self._feeds(),
            settings=self.settings,
            ceilings=self.limits,
            profile=self.place.name,
            world_id=self.site.world_id,
            release=release_of(self.settings),
            replay=self.site.replay,
            replay_offset_days=self.site.calendar_offset_days,
            disk_free_mb=lambda: free_mb(self.place.directory),
            memory_mb=_memory_mb,
            arms_itself=self.place.simulated,
            watched=True,
            struck=self._struck(),
            arming=self._arming(),
            start_halted="the file FLATTEN was there at start: flatten or resume" if flagged else "",
        )

    def _venues(self) -> Mapping[Venue, Callable[[VenueListener], VenueGateway]]:
        """The accounts; nothing is sent before the engine runs."""
        at = self.site
        kalshi = KalshiConfig(at.kalshi, at.environment, at.signer, at.subaccount)
        return {
            Venue.KALSHI: lambda listener: connect(kalshi, clocks=self.clocks, rng=_rng(), listener=listener)
        }

    def _feeds(self) -> Callable[[Sink], Sequence[Feed]]:
        at = self.site.feeds
        found = (station_of_series(series) for series in self.settings.markets.series)
        stations = [station for station in found if station is not None]
        if not stations:
            return lambda _: ()
        return lambda sink: weather_feeds(
            stations,
            self.http,
            nws_url=at.nws,
            open_meteo_url=at.open_meteo,
            ensemble_url=at.ensemble,
            user_agent=self.settings.feeds.user_agent,
            clocks=self.clocks,
            rng=_rng(),
            sink=sink,
        )

    def _struck(self) -> WatchdogSeen | None:
        """What the watchdog did before this run."""
        record = read_record(self.place.watchdog_record)
        return WatchdogSeen(0, "", record.struck_ms, record.receipt) if record.struck_ms else None

    def _arming(self) -> Arming | None:
        """Only real money has to be armed."""
        at = self.site
        if at.environment is not Environment.PRODUCTION:
            return None
        wallet = pinned_account(self.place) if self.place.wallet.exists() else None
        traded = accounts_of(at.signer, wallet)
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
