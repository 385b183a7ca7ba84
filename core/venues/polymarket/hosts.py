"""Where Polymarket is reached, and the proof that an address belongs to it.

Each address can be configured, because the venue moves them; none can lead away from its domain, or from
this machine when the venue is simulated.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from core.config.paths import Environment
from core.config.settings import PolymarketSettings
from core.venues.address import VenueAddressError, check_loopback

DOMAIN = "polymarket.com"


class Addresses(msgspec.Struct, frozen=True):
    """Roots of the venue's servers, and its two sockets."""

    clob: str = "https://clob.polymarket.com"
    gamma: str = "https://gamma-api.polymarket.com"
    data: str = "https://data-api.polymarket.com"
    site: str = "https://polymarket.com"
    """Answers whether one may trade from here."""
    ws_market: str = "wss://ws-subscriptions-clob.polymarket.com/ws/market"
    ws_user: str = "wss://ws-subscriptions-clob.polymarket.com/ws/user"


def configured(settings: PolymarketSettings) -> Addresses:
    """The venue's own addresses, those that are configured replaced."""
    chosen = {name: getattr(settings, name) for name in Addresses.__struct_fields__}
    return msgspec.structs.replace(Addresses(), **{name: url for name, url in chosen.items() if url})


def check_addresses(addresses: Addresses, environment: Environment) -> None:
    """Raises ``VenueAddressError`` unless every address belongs to this environment's Polymarket."""
    if environment is Environment.DEMO:
        raise VenueAddressError("Polymarket has no exchange for play money: use the demo or live profile")
    for name in addresses.__struct_fields__:
        url, secure = getattr(addresses, name), ("wss" if name.startswith("ws_") else "https")
        if environment is Environment.SIM:
            check_loopback(url, frozenset({secure, secure.removesuffix("s")}))
        else:
            _check_domain(name, url, secure)


def _check_domain(name: str, url: str, scheme: str) -> None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise VenueAddressError(f"polymarket.{name} {url[:120]!r} is not a URL: {error}") from None
    ours = host == DOMAIN or host.endswith("." + DOMAIN)
    if parts.scheme != scheme or not ours or parts.username is not None or port not in (None, 443):
        raise VenueAddressError(
            f"polymarket.{name} {url[:120]!r} must be {scheme}:// and a host of {DOMAIN}, without credentials"
        )
