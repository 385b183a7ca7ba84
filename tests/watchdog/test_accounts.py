"""Which accounts a watchdog guards: each venue on its own, and none for a fault at another."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from core.config import paths
from core.config.paths import Environment, Profile
from core.config.secrets import KeyFileError
from core.config.settings import PolymarketSettings
from core.control.keys import Role, add
from core.control.pulse import Pulse
from core.control.wallet import write_wallet_pin
from core.domain.clock import REAL_WORLD, Clocks, SystemClock
from core.venues.polymarket import credentials
from core.venues.polymarket.wallets import SignatureType, account
from core.watchdog.accounts import guarded
from core.watchdog.process import Watchdog
from tests.venues.polymarket.golden import ADDRESS
from tests.venues.polymarket.scripted import CREDENTIALS

CLOCKS = Clocks(SystemClock(), REAL_WORLD)


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Profile:
    monkeypatch.setenv("PMCONSOLE_HOME", str(tmp_path))
    place = paths.profile("live")
    paths.prepare(place)
    return place


def add_kalshi(place: Profile) -> None:
    for role in Role:
        pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        add(place, role, pem, Path("made"), f"{role.value}-key", Environment.PRODUCTION)


def add_wallet(place: Profile) -> None:
    """What the watchdog needs of it: no key is anywhere."""
    write_wallet_pin(place, account(ADDRESS, SignatureType.EOA, ""))
    credentials.save(place.api_credentials, CREDENTIALS)


def names(place: Profile) -> tuple[list[str], dict[str, str]]:
    opened = guarded(place, PolymarketSettings(), CLOCKS)
    return [one.traits.venue.short for one in opened.accounts], opened.missing


def test_each_account_is_guarded_without_the_wallets_key(live: Profile) -> None:
    add_kalshi(live)
    assert names(live) == (["KAL"], {})
    add_wallet(live)
    assert names(live) == (["KAL", "POLY"], {}) and not live.wallet_key.exists()


def test_a_wallet_alone_is_guarded_alone(live: Profile) -> None:
    add_wallet(live)
    assert names(live) == (["POLY"], {})


def test_one_that_cannot_be_opened_keeps_it_from_no_other(live: Profile) -> None:
    add_kalshi(live)
    add_wallet(live)
    live.api_credentials.chmod(0o644)
    guards, missing = names(live)
    assert guards == ["KAL"] and "chmod 600" in missing["POLY"]
    live.api_credentials.chmod(0o600)
    live.watchdog_key.unlink()
    guards, missing = names(live)
    assert guards == ["POLY"] and "has no watchdog key" in missing["KAL"]


def test_with_no_account_there_is_nothing_to_guard(live: Profile) -> None:
    with pytest.raises(KeyFileError, match="has no watchdog key"):
        names(live)


def test_the_engine_hears_of_a_venue_nobody_guards(live: Profile) -> None:
    add_kalshi(live)
    add_wallet(live)
    live.api_credentials.unlink()
    opened = guarded(live, PolymarketSettings(), CLOCKS)
    dog = Watchdog(opened.accounts, CLOCKS, live.watchdog_record, 10, opened.missing)
    dog.guards[0].unread = ""
    dog.heard(Pulse("r1", 1, 1, 1, live=0, venues=("KAL", "POLY")))
    assert dog._answer().unfit.startswith("POLY the wallet's API key")
    blind = Watchdog(opened.accounts, CLOCKS, live.watchdog_record, 10, {})
    blind.guards[0].unread = ""
    blind.heard(Pulse("r1", 1, 1, 1, live=0, venues=("KAL",)))
    assert blind._answer().unfit == ""
    blind.heard(Pulse("r1", 1, 2, 1, live=0, venues=("KAL", "POLY")))
    assert blind._answer().unfit == "POLY was added after it was started: start it again"
