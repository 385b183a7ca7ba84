"""An order can go to the exchange of its profile and nowhere else."""

from __future__ import annotations

import pytest

from core.config.paths import Environment
from core.venues.address import VenueAddressError
from core.venues.kalshi.hosts import KALSHI, Addresses, check_addresses

LOCAL = Addresses("http://127.0.0.1:9/trade-api/v2", "ws://127.0.0.1:9/trade-api/ws/v2")


def test_each_exchange_takes_its_own_addresses_only() -> None:
    everywhere = {Environment.SIM: LOCAL, **KALSHI}
    for environment in Environment:
        for owner, addresses in everywhere.items():
            if owner is environment:
                check_addresses(addresses, environment)
            else:
                with pytest.raises(VenueAddressError, match="venue address"):
                    check_addresses(addresses, environment)


def test_real_exchanges_are_reached_encrypted_and_by_their_own_domain() -> None:
    for environment, domain in ((Environment.DEMO, ".kalshi.co/"), (Environment.PRODUCTION, ".kalshi.com/")):
        addresses = KALSHI[environment]
        assert addresses.rest.startswith("https://") and addresses.ws.startswith("wss://")
        assert domain in addresses.rest and domain in addresses.ws


def test_half_a_match_is_none() -> None:
    mixed = Addresses(KALSHI[Environment.DEMO].rest, KALSHI[Environment.PRODUCTION].ws)
    with pytest.raises(VenueAddressError):
        check_addresses(mixed, Environment.DEMO)
