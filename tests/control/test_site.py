"""A profile's name becomes addresses, key and clocks in one place, and a wrong key stops it there."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from core.config import paths
from core.config.paths import Environment, Profile
from core.config.secrets import KeyFileError, Pin, store_key
from core.control.ready import ReadyError
from core.control.site import site_of, site_of_watchdog
from core.domain.clock import REAL_WORLD, WorldClock
from core.venues.address import VenueAddressError
from core.venues.kalshi.hosts import KALSHI
from core.venues.kalshi.sign import fingerprint

KEY = Ed25519PrivateKey.generate()
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
CLOCK = WorldClock(1_000, 2_000, 144.0)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PMCONSOLE_HOME", str(tmp_path))
    return tmp_path


def made(name: str) -> Profile:
    place = paths.profile(name)
    paths.prepare(place)
    return place


def add(place: Profile, environment: Environment) -> None:
    store_key(place.trading_key, PEM, Pin(environment, "key-1", fingerprint(KEY)))


def simulated(place: Profile, host: str = "127.0.0.1:9") -> None:
    key = place.keys / "sim.pem"
    key.write_bytes(PEM)
    key.chmod(0o600)
    ready = {
        "kalshi": {
            "rest": f"http://{host}/trade-api/v2",
            "ws": f"ws://{host}/trade-api/ws/v2",
            "key_id": "sim-1",
            "private_key_path": str(key),
            "watchdog": {"key_id": "sim-2", "private_key_path": str(key)},
        },
        "feeds": {"sources": {"nws-grid": {"api": "http://127.0.0.1:8/nws"}}},
        "clock": CLOCK,
        "world": {"id": "w1"},
    }
    place.sim_ready.write_bytes(msgspec.json.encode(ready))


@pytest.mark.parametrize("name", ["kalshi-demo", "live"])
def test_a_real_profile_trades_at_its_exchange_in_real_time(home: Path, name: str) -> None:
    place = made(name)
    add(place, place.environment)
    site = site_of(place)
    assert site.kalshi == KALSHI[place.environment] and site.key_id == "key-1"
    assert (site.feeds, site.clock, site.world_id) == ({}, REAL_WORLD, "")


def test_a_key_speaks_for_the_subaccount_it_was_added_for(home: Path) -> None:
    place = made("live")
    for key, subaccount in ((place.trading_key, 7), (place.watchdog_key, 0)):
        store_key(key, PEM, Pin(Environment.PRODUCTION, "key-1", fingerprint(KEY), subaccount))
    assert (site_of(place).subaccount, site_of_watchdog(place).subaccount) == (7, 0)


@pytest.mark.parametrize(
    ("name", "environment"), [("kalshi-demo", Environment.PRODUCTION), ("live", Environment.DEMO)]
)
def test_the_other_exchanges_key_is_refused(home: Path, name: str, environment: Environment) -> None:
    place = made(name)
    add(place, environment)
    with pytest.raises(KeyFileError, match="add the right key"):
        site_of(place)


def test_a_live_key_carried_into_another_profile_is_recognised(home: Path) -> None:
    add(made("live"), Environment.PRODUCTION)
    sandbox = made("kalshi-demo")
    add(sandbox, Environment.DEMO)
    with pytest.raises(KeyFileError, match=r"production exchange; profile kalshi-demo"):
        site_of(sandbox)
    demo = made("demo")
    simulated(demo)
    with pytest.raises(KeyFileError, match=r"profile demo trades at sim"):
        site_of(demo)


def test_the_simulator_is_reached_on_this_machine_only(home: Path) -> None:
    place = made("demo")
    with pytest.raises(ReadyError):
        site_of(place)
    simulated(place)
    site = site_of(place)
    assert (site.environment, site.world_id, site.clock) == (Environment.SIM, "w1", CLOCK)
    simulated(place, host="external-api.kalshi.com")
    with pytest.raises(VenueAddressError):
        site_of(place)


def test_without_a_key_the_remedy_is_named(home: Path) -> None:
    with pytest.raises(KeyFileError, match="add it with pmconsole key add"):
        site_of(made("live"))
