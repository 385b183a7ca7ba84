"""The simulator's Polymarket wallet as a profile finds it, and a flatten that opens what can be opened."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.config import paths
from core.config.paths import Environment, Profile
from core.config.secrets import KeyFileError, write_private
from core.config.settings import PolymarketSettings
from core.control import direct
from core.control.accounts import Opened
from core.control.signing import signer_at
from core.control.wallet import WalletPin, wallet_of, write_wallet_pin
from core.domain.clock import REAL_WORLD, Clocks, SystemClock
from core.execution.direct import Direct
from core.venues.address import VenueAddressError
from core.venues.kalshi.traits import TRAITS as KALSHI
from core.venues.polymarket import credentials
from core.venues.polymarket.traits import TRAITS as POLYMARKET
from core.venues.polymarket.wallets import SignatureType, account
from core.venues.traits import Traits
from tests.control.test_site import simulated
from tests.venues.polymarket.golden import ADDRESS, DEPOSIT_WALLET, SAFE
from tests.venues.polymarket.scripted import CREDENTIALS
from tests.watchdog.test_accounts import add_kalshi

OWN = PolymarketSettings()
CLOCKS = Clocks(SystemClock(), REAL_WORLD)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PMCONSOLE_HOME", str(tmp_path))
    return tmp_path


def made(name: str) -> Profile:
    place = paths.profile(name)
    paths.prepare(place)
    return place


def with_polymarket(**change: Any) -> Profile:
    place = made("demo")
    simulated(place)
    key, triple = place.keys / "sim.key", place.keys / "sim.json"
    write_private(key, b"0x" + b"11" * 32)
    write_private(triple, b'{"apiKey":"k","secret":"c2VjcmV0","passphrase":"p"}')
    ready = json.loads(place.sim_ready.read_text())
    http, ws = "http://127.0.0.1:9", "ws://127.0.0.1:9"
    ready["polymarket"] = {
        "clob": http, "gamma": f"{http}/gamma", "data": f"{http}/data-api",
        "ws_market": f"{ws}/ws/market", "ws_user": f"{ws}/ws/user", "geoblock": f"{http}/api/geoblock",
        "chain_id": 137, "address": ADDRESS, "private_key_path": str(key), "credentials_path": str(triple),
        "wallets": {"2": SAFE, "3": DEPOSIT_WALLET}, **change,
    }  # fmt: skip
    place.sim_ready.write_text(json.dumps(ready))
    return place


def test_the_simulators_wallet_is_a_new_accounts() -> None:
    place = with_polymarket()
    site = wallet_of(place, OWN)
    assert site is not None and site.account == account(ADDRESS, SignatureType.DEPOSIT_WALLET, DEPOSIT_WALLET)
    assert (site.addresses.site, site.credentials.api_key) == ("http://127.0.0.1:9", "k")
    outside = msgspec.structs.replace(OWN, key="env")
    assert signer_at(site, outside, place).account == site.account, "its key is always in its file"


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"chain_id": 80002}, VenueAddressError, "only signed for Polygon, 137"),
        ({"clob": "https://clob.polymarket.com"}, VenueAddressError, "https://clob.polymarket.com"),
        ({"wallets": {"3": SAFE}}, KeyFileError, "its signature type is 2, not 3"),
        ({"wallets": {}}, KeyFileError, "needs its funder"),
    ],
)
def test_a_simulator_that_says_something_else_is_refused(
    change: dict[str, Any], error: type[Exception], says: str
) -> None:
    place = with_polymarket(**change)
    with pytest.raises(error, match=says):
        wallet_of(place, OWN)


def test_a_simulator_without_polymarket_has_no_wallet() -> None:
    place = made("demo")
    simulated(place)
    assert wallet_of(place, OWN) is None


def test_a_wallet_of_real_money_signs_nothing_for_the_simulator() -> None:
    """Chain and contracts are the same: what it signed here would be good there."""
    write_wallet_pin(made("live"), account(ADDRESS, SignatureType.EOA, ""))
    with pytest.raises(KeyFileError, match="is the production wallet of"):
        wallet_of(with_polymarket(), OWN)


async def opened(place: Profile) -> tuple[dict[str, str], dict[str, str]]:
    """Which venues a flatten opens, each with why it cannot sell, and why others are not opened."""
    found = direct._open(place, CLOCKS, lambda _: None)
    accounts = [make() for make in found.accounts]
    for one in accounts:
        await one.close()
    return {one.traits.venue.short: one.unable for one in accounts}, found.missing


async def test_a_flatten_opens_each_venue_on_its_own() -> None:
    place = made("live")
    add_kalshi(place)
    assert await opened(place) == ({"KAL": ""}, {})
    write_wallet_pin(place, account(ADDRESS, SignatureType.EOA, ""))
    guards, missing = await opened(place)
    assert guards == {"KAL": ""} and "polymarket.json does not exist" in missing["POLY"]
    credentials.save(place.api_credentials, CREDENTIALS)
    guards, missing = await opened(place)
    assert "wallet.key does not exist" in guards["POLY"] and not missing, "it can cancel"
    write_private(place.wallet_key, b"11" * 32)
    assert await opened(place) == ({"KAL": "", "POLY": ""}, {})
    place.config.write_text("[polymarket]\nchain_id = 1\n")
    guards, missing = await opened(place)
    assert guards == {"KAL": ""} and "config.toml:2" in missing["POLY"]
    place.config.unlink()
    place.trading_key.chmod(0o644)
    guards, missing = await opened(place)
    assert guards == {"POLY": ""} and "chmod 600" in missing["KAL"]


def test_the_record_of_a_wallet_is_no_secret() -> None:
    place = made("live")
    write_wallet_pin(place, account(ADDRESS, SignatureType.SAFE, ""))
    read = json.loads(place.wallet.read_text())
    assert read == msgspec.to_builtins(WalletPin(Environment.PRODUCTION, ADDRESS, 2, SAFE))


class Lame:
    """An account whose connections do not even close, or one that takes a while and is flat."""

    unable = ""

    def __init__(self, traits: Traits, *, breaks: bool) -> None:
        self.traits = traits
        self.breaks = breaks

    async def close(self) -> None:
        if self.breaks:
            raise OSError("the socket is gone")


def test_what_breaks_on_one_venue_even_at_its_end_keeps_nobody_from_the_other() -> None:
    said: list[str] = []

    async def work(_: Direct, venue: Any, tell: Callable[[str], None]) -> bool:
        for _step in range(0 if venue.breaks else 5):
            await asyncio.sleep(0)
        tell("FLAT")
        return True

    venues: list[Any] = [Lame(POLYMARKET, breaks=True), Lame(KALSHI, breaks=False)]
    opened: direct.Accounts = Opened([lambda v=v: v for v in venues], {})
    assert asyncio.run(direct._everywhere(opened, CLOCKS, said.append, work)) == [False, True]
    assert said == [
        "POLY FLAT",
        "POLY NOT FLAT, this venue's part broke: the system refused (the socket is gone)",
        "KAL FLAT",
    ]
