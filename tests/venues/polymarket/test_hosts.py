"""No address leads away from the venue, or from this machine when the venue is simulated."""

from __future__ import annotations

import msgspec
import pytest

from core.config.paths import Environment
from core.venues.address import VenueAddressError
from core.venues.polymarket.hosts import Addresses, check_addresses

LOCAL = Addresses(*(["http://127.0.0.1:9"] * 4), *(["ws://127.0.0.1:9/ws"] * 2))


def test_the_venue_s_own_and_this_machine() -> None:
    check_addresses(Addresses(), Environment.PRODUCTION)
    check_addresses(LOCAL, Environment.SIM)


@pytest.mark.parametrize("name", Addresses.__struct_fields__)
@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://evil.example",
        "https://polymarket.com.evil.example",
        "https://evilpolymarket.com",
        "https://clob.polymarket.com@evil.example",
        "https://user:pass@clob.polymarket.com",
        "https://clob.polymarket.com:8443",
        "http://clob.polymarket.com",
        "ftp://clob.polymarket.com",
        "http://127.0.0.1:9",
        "https://[",
    ],
)
def test_nothing_else_in_production(name: str, url: str) -> None:
    with pytest.raises(VenueAddressError):
        check_addresses(msgspec.structs.replace(Addresses(), **{name: url}), Environment.PRODUCTION)


@pytest.mark.parametrize("name", Addresses.__struct_fields__)
def test_a_simulated_venue_is_on_this_machine(name: str) -> None:
    away = msgspec.structs.replace(LOCAL, **{name: getattr(Addresses(), name)})
    with pytest.raises(VenueAddressError, match="not on this machine"):
        check_addresses(away, Environment.SIM)


def test_there_is_no_play_money() -> None:
    with pytest.raises(VenueAddressError, match="no exchange for play money"):
        check_addresses(Addresses(), Environment.DEMO)
