"""All weather feeds of a desk, built from one table of what is polled how often."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import httpx

from core.domain.clock import Clocks
from core.feeds import nws, open_meteo
from core.feeds.fetch import Fetcher
from core.feeds.polling import PolledFeed
from core.feeds.stations import Station
from core.feeds.values import Sink

if TYPE_CHECKING:
    import random

NWS_ACCEPT = "application/geo+json, application/ld+json, application/json"
OPEN_METEO_ACCEPT = "application/json"


def weather_feeds(
    stations: Sequence[Station],
    client: httpx.AsyncClient,
    *,
    nws_url: str,
    open_meteo_url: str,
    ensemble_url: str,
    user_agent: str,
    clocks: Clocks,
    rng: random.Random,
    sink: Sink,
) -> tuple[PolledFeed, ...]:
    """One feed a product: ``NWS`` grid, ``OBS``, ``CLI``, ``METEO`` and ``ENS``. URLs are without path.

    Nothing runs until each feed's ``run`` does. The caller owns ``client`` and closes it.
    """
    pace = nws.Pace(clocks)

    def link(station: Station) -> nws.StationLink:
        fetcher = Fetcher(client, nws_url, clocks, user_agent, NWS_ACCEPT)
        return nws.StationLink(station, fetcher, pace, clocks, sink)

    def model(of: open_meteo.Model, url: str) -> open_meteo.ModelSource:
        fetcher = Fetcher(client, url, clocks, user_agent, OPEN_METEO_ACCEPT)
        return open_meteo.ModelSource(of, stations, fetcher, clocks, sink)

    by_station = (
        ("NWS", nws.GridSource, nws.GRID_EVERY_S),
        ("OBS", nws.ObservationSource, nws.OBSERVATIONS_EVERY_S),
        ("CLI", nws.ReportSource, nws.REPORTS_EVERY_S),
    )
    models = (("METEO", open_meteo.GFS, open_meteo_url), ("ENS", open_meteo.GEFS, ensemble_url))
    return (
        *(
            PolledFeed(name, [of(link(s)) for s in stations], every, clocks, rng)
            for name, of, every in by_station
        ),
        *(
            PolledFeed(name, [model(of, url)], open_meteo.RUN_CHECK_EVERY_S, clocks, rng)
            for name, of, url in models
        ),
    )
