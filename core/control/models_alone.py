"""Training beside the engine: the history of a profile's stations, brought up to date in its own process."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from core.config import paths
from core.config.paths import Environment, Profile
from core.config.secrets import KeyFileError, write_private
from core.config.settings import Settings, SettingsError, load
from core.control import coefficients
from core.control.budgets import Part, read_kept, write_kept
from core.control.ready import ReadyError
from core.control.site import Site, World, site_of
from core.control.sources import chosen, read_stations
from core.domain.clock import Clocks, SystemClock
from core.domain.market import Extreme
from core.feeds.budget import Budget, Elsewhere, Kept, kept_of
from core.feeds.declaration import Declaration, Per, Quota
from core.feeds.fetch import Fetcher
from core.feeds.pools import connected
from core.feeds.registry import Chosen, declarations
from core.feeds.stations import Station, stations
from core.journal.lock import HeldError, hold
from core.models.weather.coefficients import FORMAT, Coefficients, CoefficientsError, decode, encode, sealed
from core.training import fitting
from core.training.archive import Archive, ArchiveError, digest_of
from core.training.asks import Ask, Provider
from core.training.update import Outcome, Progress, Update, plan, quota_share
from core.venues.address import VenueAddressError
from core.venues.kalshi.hosts import KALSHI

DAYS, DAYS_SIMULATED = 800, 400
"""Of history: what the default model wants in full; a simulated world has no more than fourteen months."""
_SETTLEMENT_QUOTAS = (Quota(120, Per.MINUTE), Quota(2_000, Per.HOUR))
"""Of Kalshi's public lists: they are read without an account."""


class NotTrainedError(Exception):
    """A file, the configuration or another process stands in the way; the text is the sentence for the
    operator."""


_REFUSALS = (
    paths.ProfileError, SettingsError, ReadyError, KeyFileError, VenueAddressError, ArchiveError,
)  # fmt: skip


class Trained(msgspec.Struct, frozen=True):
    """What an update did, and what it stands at."""

    outcome: Outcome
    off: Mapping[str, str]
    """Providers that are not asked, with the reason."""
    spent: Mapping[str, int]
    """Calls by source."""
    stations: tuple[str, ...]


def update(place: Profile, days: int, named: Sequence[str], tell: Callable[[Progress], None]) -> Trained:
    """Build or extend the histories; raises ``NotTrainedError``."""
    try:
        paths.prepare(place)
        settings = load(place.config)
        world = _world(place)
        with _alone(place):
            return asyncio.run(_update(place, settings, world, days, named, tell))
    except _REFUSALS as error:
        raise NotTrainedError(str(error)) from error
    except OSError as error:
        raise NotTrainedError(f"{error.filename or place.directory}: {error.strerror}") from error


class Made(msgspec.Struct, frozen=True):
    """What a fit came to."""

    path: str
    content: Coefficients
    unfitted: tuple[str, ...]
    lacking: tuple[str, ...]
    """What was fitted without a source that its history has."""


def fit(place: Profile, tell: Callable[[str], None]) -> Made:
    """Fit all that there are histories of and write the file; raises ``NotTrainedError``."""
    try:
        world = _world(place)
        known = [of for icao, of in stations().items() if _held(place, world.world_id, icao)]
        if not known:
            raise NotTrainedError(
                f"there is no history in {place.training(world.world_id)}: build it with "
                f"{place.command('models update')}"
            )
        archives = histories(place, world.world_id, known)
        fitted = fitting.fit_all({icao: archive.figures for icao, archive in archives.items()}, tell)
        if not fitted.fits:
            why = "; ".join(fitting.reasons(fitted.unfitted)) or "no history holds a forecast"
            raise NotTrainedError(f"nothing could be fitted: {why}")
        offset = world.calendar_offset_days or 0
        now = datetime.fromtimestamp(SystemClock().wall_ms() / 1000, UTC)
        content = sealed(
            Coefficients(
                format=FORMAT,
                world=coefficients.kind_of(place),
                calendar_offset_days=offset,
                fitted_at=now.isoformat("T", "seconds"),
                data_sha256=digest_of(archives.values()),
                fits=fitted.fits,
            )
        )
        made = encode(content)
        decode(made, content.world)  # what no engine would take must not take the place of what one has
        write_private(place.coefficients, made)
    except CoefficientsError as error:
        raise NotTrainedError(
            f"what was fitted is of no use ({error}): {place.coefficients} is left as it was"
        ) from error
    except _REFUSALS as error:
        raise NotTrainedError(str(error)) from error
    except OSError as error:
        raise NotTrainedError(f"{error.filename or place.directory}: {error.strerror}") from error
    told = (tuple(fitting.reasons(those)) for those in (fitted.unfitted, fitted.lacking))
    return Made(str(place.coefficients), content, *told)


class History(msgspec.Struct, frozen=True):
    """What a station's table holds."""

    station: str
    days: int
    """With an outcome of the high."""
    first: str
    last: str
    gaps: int
    """Figures that were asked for and that no source has."""


class Shown(msgspec.Struct, frozen=True):
    """What the engine would load now, and the histories behind it."""

    path: str
    fault: str
    content: Coefficients | None
    histories: tuple[History, ...]


def show(place: Profile) -> Shown:
    """Raises ``NotTrainedError``."""
    try:
        world_id = site_of(place).world_id if place.simulated else ""
        found = coefficients.load(place, World(environment=place.environment))
        known = {icao: of for icao, of in stations().items() if _held(place, world_id, icao)}
        kept = histories(place, world_id, list(known.values()))
    except _REFUSALS as error:
        raise NotTrainedError(str(error)) from error
    content = found.learned.held if found.learned is not None else None
    return Shown(found.path, found.fault, content, tuple(map(_history, kept.values())))


def _history(archive: Archive) -> History:
    days = sorted(
        {
            key.day
            for key, value in archive.figures.items()
            if key.lead_days is None and key.extreme is Extreme.HIGH and value is not None
        }
    )
    gaps = sum(value is None for value in archive.figures.values())
    return History(archive.station, len(days), days[0] if days else "", days[-1] if days else "", gaps)


def _held(place: Profile, world_id: str, icao: str) -> bool:
    return (place.training(world_id) / f"{icao}.csv").exists()


def _world(place: Profile) -> World:
    return site_of(place) if place.simulated else World(environment=place.environment)


@contextlib.contextmanager
def _alone(place: Profile) -> Iterator[None]:
    """Two at once would ask everything twice."""
    try:
        descriptor = hold(place.training_lock)
    except HeldError as error:
        raise NotTrainedError(
            f"An update of the models runs already (pid {error.holder}): wait for it, or end it and go on "
            "from where it was."
        ) from None
    try:
        yield
    finally:
        os.close(descriptor)


def histories(place: Profile, world_id: str, of: Sequence[Station]) -> Mapping[str, Archive]:
    """Each station's history, empty where there is none; raises ``ArchiveError``."""
    directory = place.training(world_id)
    return {one.icao: Archive(directory / f"{one.icao}.csv", one.icao) for one in of}


def trained_stations(
    place: Profile, settings: Settings, world: World, named: Sequence[str]
) -> Sequence[Station]:
    """Those the desk follows, or those named; raises ``NotTrainedError``, ``SettingsError``."""
    known = stations()
    if unknown := [icao for icao in named if icao not in known]:
        raise NotTrainedError(
            f"no station is called {unknown[0][:12]!r}: known are {', '.join(sorted(known))}"
        )
    found = [known[icao] for icao in dict.fromkeys(named)] or read_stations(place, settings, world)
    if not found:
        raise NotTrainedError("no station is traded: name one with --station, or a series in markets.series")
    return found


async def _update(
    place: Profile,
    settings: Settings,
    world: World,
    days: int,
    named: Sequence[str],
    tell: Callable[[Progress], None],
) -> Trained:
    clocks = Clocks(SystemClock(), world.clock)
    of = trained_stations(place, settings, world, named)
    paths.make_private(place.training(world.world_id))
    archives = histories(place, world.world_id, of)
    asked = chosen(place, settings, world)
    off = {p.value: asked[p.value].why_off for p in _FED if not asked[p.value].on}
    asks: list[Ask] = []
    for station in of:
        asks += [
            ask
            for ask in plan(archives[station.icao], station, days, clocks.world_ms())
            if ask.provider.value not in off
        ]
    spending = Spending(place.quotas, world.world_id, clocks)
    async with connected() as http:
        fetchers = {
            provider: Fetcher(
                http, url, clocks, settings.feeds.user_agent, "application/json, text/csv",
                feed=provider.value, kinds=("json", "csv", "text/plain"), budget=spending.budgets[provider],
            )
            for provider, url in _addresses(world, asked).items()
        }  # fmt: skip
        outcome = await Update(archives, fetchers, asyncio.sleep, tell).run(asks)
    return Trained(outcome, off, spending.spent(), tuple(one.icao for one in of))


_FED = (Provider.OPEN_METEO, Provider.IEM)
"""Those a feed asks, too."""


def _addresses(world: World, asked: Mapping[str, Chosen]) -> Mapping[Provider, str]:
    """Settlements are public facts: every real profile reads those of the exchange where they are made."""
    of = {declared.name: declared for declared in declarations()}
    found = {
        provider: (dict(of[provider.value].urls) | dict(asked[provider.value].urls))["api"]
        for provider in _FED
    }
    kalshi = world.kalshi if isinstance(world, Site) else KALSHI[Environment.PRODUCTION]
    return {**found, Provider.KALSHI: kalshi.rest}


class Spending:
    """The update's own counts beside the engine's, in the file that both keep them in: written down before a
    call leaves, so that none is forgotten whatever becomes of this process."""

    def __init__(self, path: Path, world_id: str, clocks: Clocks) -> None:
        self._path, self._world_id = path, world_id
        self._before, _ = read_kept(path, world_id, Part.BESIDE)
        self._engine, _ = read_kept(path, world_id)
        known = {of.name: of for of in declarations()}
        self.budgets = {
            provider: _Counted(
                _share(known.get(provider.value)),
                clocks,
                self._before.get(provider.value, ()),
                self._of_engine(provider, known),
                self._keep,
            )
            for provider in Provider
        }

    def spent(self) -> Mapping[str, int]:
        """Calls by source in this run."""
        return {provider.value: budget.calls for provider, budget in self.budgets.items() if budget.calls}

    def _keep(self) -> None:
        """Write down what has been spent and hear of the engine's; raises ``OSError``."""
        spent = {
            provider.value: kept_of(budget.left(), budget.elsewhere())
            for provider, budget in self.budgets.items()
        }
        told = {source: kept for source, kept in spent.items() if kept}
        write_kept(self._path, self._world_id, {**self._before, **told}, Part.BESIDE)
        self._engine, _ = read_kept(self._path, self._world_id)

    def _of_engine(self, provider: Provider, known: Mapping[str, Declaration]) -> Elsewhere:
        """What the engine spent at the same provider: sources of one declare the same quotas."""
        of = known.get(provider.value)
        names = [one.name for one in known.values() if of is not None and one.quotas == of.quotas]
        return lambda: tuple(kept for name in names for kept in self._engine.get(name, ()))


def _share(of: Declaration | None) -> tuple[Quota, ...]:
    return quota_share(of.quotas if of is not None else _SETTLEMENT_QUOTAS)


class _Counted(Budget):
    """A budget that tells at once what is spent of it, and knows what was in this run."""

    def __init__(
        self,
        quotas: Sequence[Quota],
        clocks: Clocks,
        kept: Sequence[Kept],
        elsewhere: Elsewhere,
        keep: Callable[[], None],
    ) -> None:
        super().__init__(quotas, clocks, kept, elsewhere)
        self.elsewhere, self.calls, self._keep = elsewhere, 0, keep

    def spend(self, cost: int = 1) -> None:
        super().spend(cost)
        self.calls += cost
        self._keep()
