"""All simulated sources as one application: each below its provider's prefix, one switchboard before them.

A new source is one module with ``ADDRESSES`` and ``routes`` and one line in ``PROVIDERS``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from core.sim.feeds import (
    binance,
    bls,
    chainlink,
    coinbase,
    deribit,
    fred,
    fred_dates,
    iem,
    kalshi_index,
    kraken,
    metar,
    nws_routes,
    odds_api,
    open_meteo,
    tomorrow_io,
    twelve_data,
    yahoo,
)
from core.sim.feeds.around import Around
from core.sim.feeds.switchboard import Switchboard, Switches

_STREAM_ROLES = ("ws", "stream")
"""Addresses of these roles, and of those that end so, are WebSockets."""


class Provider(msgspec.Struct, frozen=True):
    """One module of the simulator. Its ``name`` is the first part of every path it serves."""

    name: str
    routes: Callable[[Around], list[BaseRoute]]
    addresses: Mapping[str, Mapping[str, str]]
    """By the name and the roles a desk knows the source by: paths below the root."""
    outage: Callable[[Request], Response] | None = None
    """Its own words while it is down, where they are known."""


PROVIDERS = (
    Provider("nws", nws_routes.routes, nws_routes.ADDRESSES, nws_routes.outage),
    Provider("metar", metar.routes, metar.ADDRESSES),
    Provider("iem", iem.routes, iem.ADDRESSES),
    Provider("tomorrow-io", tomorrow_io.routes, tomorrow_io.ADDRESSES),
    Provider("kalshi-index", kalshi_index.routes, kalshi_index.ADDRESSES),
    Provider("open-meteo", open_meteo.routes, open_meteo.ADDRESSES, open_meteo.outage),
    Provider("twelve-data", twelve_data.routes, twelve_data.ADDRESSES),
    Provider("yahoo", yahoo.routes, yahoo.ADDRESSES),
    Provider("coinbase", coinbase.routes, coinbase.ADDRESSES),
    Provider("kraken", kraken.routes, kraken.ADDRESSES),
    Provider("binance", binance.routes, binance.ADDRESSES),
    Provider("deribit", deribit.routes, deribit.ADDRESSES),
    Provider("chainlink", chainlink.routes, chainlink.ADDRESSES),
    Provider("fred", fred.routes, fred.ADDRESSES),
    Provider("odds-api", odds_api.routes, odds_api.ADDRESSES),
    Provider("bls", bls.routes, bls.ADDRESSES),
    Provider("fred-releases", fred_dates.routes, fred_dates.ADDRESSES),
)


def provider_names() -> list[str]:
    """What a scenario may switch faults of."""
    return [provider.name for provider in PROVIDERS]


def addresses(root: str) -> dict[str, dict[str, str]]:
    """Where each source is served below ``root`` (``http://host:port``)."""
    streams = root.replace("http", "ws", 1)
    return {
        source: {
            role: (streams if role.endswith(_STREAM_ROLES) else root) + path for role, path in paths.items()
        }
        for provider in PROVIDERS
        for source, paths in provider.addresses.items()
    }


def build_feeds_app(around: Around, switches: Switches) -> Starlette:
    """Every provider on one port; ``switches`` says what is wrong with which of them for the moment."""
    outages = {provider.name: provider.outage for provider in PROVIDERS if provider.outage is not None}
    return Starlette(
        routes=[route for provider in PROVIDERS for route in provider.routes(around)],
        middleware=[Middleware(Switchboard, switches=switches, clock=around.clock, outages=outages)],
    )
