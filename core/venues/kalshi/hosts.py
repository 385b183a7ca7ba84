"""Where each of Kalshi's exchanges is reached, and the proof that an address belongs to it.

The table is the allow-list: no configuration can send an order anywhere else. ``.com`` is
production, ``.co`` is the demo exchange (docs.kalshi.com/getting_started/api_environments).
"""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from core.config.paths import Environment
from core.venues.address import VenueAddressError, check_loopback


class Addresses(msgspec.Struct, frozen=True):
    """API root and stream of one exchange."""

    rest: str
    ws: str


KALSHI: dict[Environment, Addresses] = {
    Environment.DEMO: Addresses(
        "https://external-api.demo.kalshi.co/trade-api/v2",
        "wss://external-api-ws.demo.kalshi.co/trade-api/ws/v2",
    ),
    Environment.PRODUCTION: Addresses(
        "https://external-api.kalshi.com/trade-api/v2",
        "wss://external-api-ws.kalshi.com/trade-api/ws/v2",
    ),
}
"""Kalshi's preferred hosts; the simulator has a port of its own each time."""

_HTTP = frozenset({"http", "https"})
_WS = frozenset({"ws", "wss"})


def check_addresses(addresses: Addresses, environment: Environment) -> None:
    """Raises ``VenueAddressError`` unless both addresses belong to this exchange."""
    if environment is Environment.SIM:
        check_loopback(addresses.rest, _HTTP)
        check_loopback(addresses.ws, _WS)
        return
    known = KALSHI[environment]
    for found, expected in ((addresses.rest, known.rest), (addresses.ws, known.ws)):
        if found != expected:
            host = urlsplit(expected).hostname
            raise VenueAddressError(
                f"venue address {found[:120]!r} is not Kalshi's {environment.value} exchange ({host})"
            )
