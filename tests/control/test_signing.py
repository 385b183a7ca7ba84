"""A wallet gets into a profile once: checked against its key, with the venue's API key, showing no secret."""

from __future__ import annotations

import asyncio
import random
import stat
from pathlib import Path

import pytest

from core.config import paths
from core.config.paths import Environment, Profile
from core.config.secrets import WALLET_VARIABLE, KeyFileError
from core.config.settings import PolymarketSettings
from core.control.signing import WalletState, add_wallet, signer_at, state, trading_of
from core.control.wallet import WalletPin, WalletSite, adds_wallet, read_wallet_pin, wallet_of
from core.domain.clock import REAL_WORLD, Clocks, SystemClock
from core.sim.polymarket.keys import Login
from core.venues.polymarket.contracts import STANDARD
from core.venues.polymarket.sign import Order, Side
from tests.venues.polymarket.golden import ADDRESS, DEPOSIT_WALLET, EARLY_DEPOSIT_WALLET, PROXY, SAFE
from tests.venues.polymarket.sim_venue import Transport, empty_venue

SECRET = "11" * 32
OWN = PolymarketSettings()
CLOCKS = Clocks(SystemClock(), REAL_WORLD)


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Profile:
    monkeypatch.setenv("PMCONSOLE_HOME", str(tmp_path / "home"))
    place = paths.profile("live")
    paths.prepare(place)
    return place


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return private(tmp_path / "exported.txt", f"0x{SECRET}\n")


def private(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


def add(
    place: Profile,
    file: Path | None,
    kind: int = 3,
    funder: str = DEPOSIT_WALLET,
    settings: PolymarketSettings = OWN,
    transport: Transport | None = None,
) -> WalletState:
    at = transport or empty_venue(CLOCKS)
    return asyncio.run(
        add_wallet(
            place, settings, file, kind, funder, clocks=CLOCKS, rng=random.Random(1), transports=lambda _: at
        )
    )


def kept(place: Profile) -> list[str]:
    return sorted(path.name for path in place.keys.iterdir())


def site(place: Profile, settings: PolymarketSettings = OWN) -> WalletSite:
    found = wallet_of(place, settings)
    assert found is not None
    return found


def test_a_wallet_is_added_once_and_can_sign_and_be_watched(live: Profile, file: Path) -> None:
    assert wallet_of(live, OWN) is None and trading_of(live, OWN) is None
    assert "key add-wallet FILE" in state(live, OWN).problem
    added = add(live, file)
    assert added == state(live, OWN) and added.account is not None
    assert added.account.funder == DEPOSIT_WALLET and added.api_key
    assert kept(live) == ["polymarket.json", "wallet.json", "wallet.key"]
    assert all(stat.S_IMODE((live.keys / name).stat().st_mode) == 0o600 for name in kept(live))
    found = site(live)
    assert (found.account, found.credentials.api_key) == (added.account, added.api_key)
    signer = signer_at(found, OWN, live)
    trading = trading_of(live, PolymarketSettings(assets_per_socket=50))
    assert trading is not None and (trading.assets_max, trading.environment) == (50, live.environment)
    assert trading.signer.account == found.account and trading.heartbeat
    assert SECRET not in repr(trading) and found.credentials.secret not in repr(trading)
    assert signer.sign(Order(1, "1", 1, 1, Side.BUY, 1), STANDARD).order_hash.startswith("0x")
    assert SECRET not in repr(found) + repr(signer) + repr(added)
    assert found.credentials.secret not in repr(found)


def test_the_api_key_is_made_once_and_found_again(live: Profile, file: Path) -> None:
    rest = empty_venue(CLOCKS)
    first = add(live, file, transport=rest)
    assert add(live, file, transport=rest).api_key == first.api_key
    assert rest.venue.keys.derive(Login(ADDRESS, 0)).key == first.api_key


@pytest.mark.parametrize(
    ("kind", "funder", "says"),
    [
        (3, "", f"needs its funder: name {DEPOSIT_WALLET} or {EARLY_DEPOSIT_WALLET}"),
        (0, SAFE, "is the Safe of this key: its signature type is 2, not 0"),
        (2, PROXY, "its signature type is 1, not 2"),
        (3, "0x" + "0" * 39 + "1", "does not belong to the key of"),
        (1, "0x12", "40 hexadecimal digits"),
        (1, "0x" + SECRET, "40 hexadecimal digits"),
    ],
)
def test_a_funder_not_of_this_key_and_type_is_refused_before_the_venue_is_asked(
    live: Profile, file: Path, kind: int, funder: str, says: str
) -> None:
    nobody = empty_venue(CLOCKS)
    nobody.down = True
    with pytest.raises(KeyFileError, match=says) as refused:
        add(live, file, kind, funder, transport=nobody)
    assert SECRET not in str(refused.value) and kept(live) == []


@pytest.mark.parametrize(
    "content", ["", "garbage", "-----BEGIN PRIVATE KEY-----", SECRET + SECRET, "00" * 32]
)
def test_a_garbage_file_is_refused_unquoted(live: Profile, tmp_path: Path, content: str) -> None:
    bad = private(tmp_path / "bad", content)
    with pytest.raises(KeyFileError, match=r"bad holds is .*: export the wallet's") as refused:
        add(live, bad)
    assert SECRET not in str(refused.value) and kept(live) == []


@pytest.mark.parametrize("typed", [SECRET, f"0x{SECRET}"])
def test_a_key_typed_instead_of_its_file_is_not_shown_again(live: Profile, typed: str) -> None:
    with pytest.raises(KeyFileError, match="take the key out of the shell's history") as refused:
        add(live, Path(typed))
    assert SECRET not in str(refused.value) and kept(live) == []


def test_a_file_others_can_read_is_refused(live: Profile, file: Path) -> None:
    file.chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        add(live, file)


def test_a_venue_that_does_not_answer_leaves_nothing_behind(
    live: Profile, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.venues.http.READ_TRIES", 1)
    silent = empty_venue(CLOCKS)
    silent.down = True
    with pytest.raises(KeyFileError, match="nothing is kept, try again"):
        add(live, file, transport=silent)
    assert kept(live) == []


@pytest.mark.parametrize(
    ("profile", "says"), [("demo", "makes its own wallet"), ("kalshi-demo", "no exchange for play money")]
)
def test_a_wallet_trades_real_money_only(live: Profile, file: Path, profile: str, says: str) -> None:
    place = paths.profile(profile)
    paths.prepare(place)
    with pytest.raises(KeyFileError, match=says):
        add(place, file)


def test_a_key_in_the_environment_stays_there(
    live: Profile, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = PolymarketSettings(key="env")
    with pytest.raises(KeyFileError, match="leave FILE out"):
        add(live, file, settings=outside)
    monkeypatch.setenv(WALLET_VARIABLE, SECRET)
    added = add(live, None, settings=outside)
    assert added.api_key and kept(live) == ["polymarket.json", "wallet.json"]
    assert WALLET_VARIABLE in state(live, outside).problem, "it is read once and taken out"


@pytest.mark.parametrize("kept_before", ["22" * 32, "not a key"])
def test_another_wallets_key_is_never_overwritten(live: Profile, file: Path, kept_before: str) -> None:
    """It may be the only copy of what holds somebody's funds."""
    private(live.wallet_key, kept_before)
    with pytest.raises(KeyFileError, match="may be its only copy"):
        add(live, file)
    assert live.wallet_key.read_text() == kept_before


def test_another_key_in_its_place_signs_nothing(live: Profile, file: Path) -> None:
    add(live, file)
    private(live.wallet_key, "22" * 32)
    with pytest.raises(KeyFileError, match=f"and wallet {ADDRESS} was added here"):
        signer_at(site(live), OWN, live)
    problem = state(live, OWN).problem
    assert "put its key back" in problem and problem.endswith(adds_wallet(live))
    live.api_credentials.unlink()
    assert (
        f"polymarket.json does not exist: find it again with {adds_wallet(live)}" in state(live, OWN).problem
    )


@pytest.mark.parametrize(
    "content", ["", "{}", '{"environment":"production","address":"x","signature_type":9}']
)
def test_a_spoilt_record_of_the_wallet_says_what_to_do(live: Profile, file: Path, content: str) -> None:
    add(live, file)
    live.wallet.write_text(content)
    with pytest.raises(KeyFileError, match="add the wallet again") as refused:
        wallet_of(live, OWN)
    assert str(refused.value).endswith("--profile live")


def test_a_record_carried_in_from_another_environment_is_refused(live: Profile, file: Path) -> None:
    add(live, file)
    pin = read_wallet_pin(live.wallet)
    assert pin == WalletPin(Environment.PRODUCTION, ADDRESS, 3, DEPOSIT_WALLET)
    sandbox = paths.profile("kalshi-demo")
    paths.prepare(sandbox)
    sandbox.wallet.write_bytes(live.wallet.read_bytes())
    with pytest.raises(KeyFileError, match="is of a production profile"):
        wallet_of(sandbox, OWN)
