"""Every source there is, in the order of its family, and the feeds a desk runs of them.

A new source is a module with a declaration and a builder, and one line here.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence

import msgspec

from core.domain.clock import WorldClock
from core.feeds import (
    binance,
    chainlink,
    coinbase,
    deribit,
    dsm,
    fred,
    kalshi_index,
    kraken,
    metar,
    nbm,
    nws,
    odds_api,
    open_meteo,
    open_meteo_past,
    published,
    tomorrow_io,
    twelve_data,
    yahoo,
)
from core.feeds.budget import Budget, Elsewhere, Kept
from core.feeds.calendar import bls, files, fred_dates, view_file
from core.feeds.declaration import Declaration, Key
from core.feeds.feed import Feed, FeedHealth, FeedState, Tried
from core.feeds.pace import Pace
from core.feeds.stations import Station
from core.feeds.values import FeedValue, Sink, Sourced
from core.feeds.wiring import Transports, Wiring

REAL_AGE_S = 3.0
"""No limit of age is shorter in real time: a fast world's source is asked every two seconds, and is late."""
NO_STATION = "No station is traded: name a weather series in markets.series, or a station in feeds.stations."


class SourceModule(msgspec.Struct, frozen=True):
    """One source as it is built where a desk has use for it."""

    of: Declaration
    build: Callable[[Wiring], Feed]
    of_stations: bool = False
    """Whether it tells of settlement stations: without one there is nothing to ask."""


class Chosen(msgspec.Struct, frozen=True):
    """What the profile and the operator decided about one source."""

    on: bool
    why_off: str = ""
    """A whole sentence with the line that turns it on."""
    urls: Mapping[str, str] = {}
    """Where they differ from the declaration's."""
    every_s: float = 0.0
    """0: as declared."""
    key: Key | None = None
    follows: tuple[str, ...] = ()
    kept: tuple[Kept, ...] = ()
    elsewhere: Elsewhere = tuple[Kept, ...]


SOURCES = (
    SourceModule(nws.GRID, nws.grid_feed, of_stations=True),
    SourceModule(nws.OBSERVATIONS, nws.observation_feed, of_stations=True),
    SourceModule(nws.REPORTS, nws.report_feed, of_stations=True),
    SourceModule(metar.REPORTS, metar.report_feed, of_stations=True),
    SourceModule(dsm.SUMMARIES, dsm.summary_feed, of_stations=True),
    SourceModule(nbm.GUIDANCE, nbm.guidance_feed, of_stations=True),
    SourceModule(open_meteo.FORECAST, open_meteo.forecast_feed, of_stations=True),
    SourceModule(open_meteo.ENSEMBLE, open_meteo.ensemble_feed, of_stations=True),
    SourceModule(open_meteo_past.PAST, open_meteo_past.past_feed, of_stations=True),
    SourceModule(tomorrow_io.FORECAST, tomorrow_io.forecast_feed, of_stations=True),
    SourceModule(kalshi_index.INDEX, kalshi_index.index_feed),
    SourceModule(twelve_data.DECLARATION, twelve_data.feed),
    SourceModule(yahoo.DECLARATION, yahoo.feed),
    SourceModule(coinbase.DECLARATION, coinbase.feed),
    SourceModule(kraken.DECLARATION, kraken.feed),
    SourceModule(binance.DECLARATION, binance.feed),
    SourceModule(deribit.DECLARATION, deribit.feed),
    SourceModule(chainlink.DECLARATION, chainlink.feed),
    SourceModule(fred.DECLARATION, fred.feed),
    SourceModule(published.INDICES, published.feed),
    SourceModule(published.PYTH, published.feed),
    SourceModule(odds_api.DECLARATION, odds_api.feed),
    SourceModule(files.FOMC, files.fomc_feed),
    SourceModule(files.OWN, files.own_feed),
    SourceModule(view_file.OWN, view_file.view_feed),
    SourceModule(bls.DECLARATION, bls.feed),
    SourceModule(fred_dates.DECLARATION, fred_dates.feed),
)
"""All of them, in the order of the screen."""


def declarations() -> tuple[Declaration, ...]:
    """What there is to choose from."""
    return tuple(source.of for source in SOURCES)


def build_feeds(
    chosen: Mapping[str, Chosen], stations: Sequence[Station], shared: Transports
) -> tuple[Feed, ...]:
    """One feed a source, by its name in ``chosen``; one that is off says so in its row."""
    feeds: list[Feed] = []
    paces: dict[frozenset[str], Pace] = {}
    for module in SOURCES:
        of, choice = at_speed(module.of, shared.clocks.world), chosen[module.of.name]
        if not choice.on:
            feeds.append(OffFeed(of, choice.why_off))
        elif module.of_stations and not stations:
            feeds.append(OffFeed(of, NO_STATION))
        else:
            urls = dict(of.urls) | dict(choice.urls)
            its = msgspec.structs.replace(shared, sink=signed(of.name, shared.sink))
            budget = Budget(of.quotas, shared.clocks, choice.kept, choice.elsewhere)
            wiring = Wiring(
                of, urls, choice.every_s or of.every_s, budget,
                paces.setdefault(frozenset(urls.values()), Pace(shared.clocks)), its,
                choice.key, stations, choice.follows,
            )  # fmt: skip
            feeds.append(module.build(wiring))
    return tuple(feeds)


def signed(name: str, sink: Sink) -> Sink:
    """The sink, with the declaration's name on every value that names its source: values of one source are
    held, aged and confirmed by that."""

    def tell(value: FeedValue) -> None:
        if isinstance(value, Sourced) and value.source != name:
            value = msgspec.structs.replace(value, source=name)
        sink(value)

    return tell


def at_speed(of: Declaration, world: WorldClock) -> Declaration:
    """In a simulated world that runs fast the limit of age is at least what passes in ``REAL_AGE_S``."""
    least_s = math.ceil(world.speed * REAL_AGE_S)
    return msgspec.structs.replace(of, stale_after_s=max(of.stale_after_s, least_s))


class OffFeed:
    """A source that is not asked: its row says why and how to turn it on."""

    def __init__(self, of: Declaration, why: str) -> None:
        self.name = of.label
        self._of, self._why = of, why

    async def run(self) -> None:
        """Nothing to do."""
        await asyncio.Event().wait()

    async def trial(self) -> Tried:
        return Tried(False, f"Nothing was asked. {self._why}")

    def health(self) -> FeedHealth:
        return FeedHealth(
            self.name, FeedState.OFF, None, None, self._of.stale_after_s,
            detail=self._why, source=self._of.name, family=self._of.family.value,
        )  # fmt: skip
