"""The wallet's key: added to a profile once, checked against what was written down at every use.

Its API key is found at the venue (or made there, once) when the wallet is added, so that the watchdog and
every later start need no login. Nothing here shows, logs or passes on a secret.
"""

from __future__ import annotations

import random
from pathlib import Path

import msgspec

from core.config.paths import Environment, Profile
from core.config.secrets import KeyFileError, read_key_file, write_private
from core.config.settings import PolymarketSettings
from core.control.wallet import (
    WalletSite,
    adds_wallet,
    pinned_account,
    refuse_foreign_wallet,
    wallet_of,
    write_wallet_pin,
)
from core.domain.clock import Clocks
from core.venues.address import VenueAddressError
from core.venues.http import TransportFactory, network_transport
from core.venues.limiter import Limiter
from core.venues.polymarket import credentials
from core.venues.polymarket.evm import AddressError
from core.venues.polymarket.hosts import check_addresses, configured
from core.venues.polymarket.l2 import Credentials
from core.venues.polymarket.limits import CAPACITIES
from core.venues.polymarket.login import LoginHttp, obtain
from core.venues.polymarket.opening import load_wallet, signer_of
from core.venues.polymarket.sign import KeyFormatError, OrderSigner, WalletKey, parse_key
from core.venues.polymarket.vendor import SdkMissingError
from core.venues.polymarket.venue import PolymarketConfig
from core.venues.polymarket.wallets import Account, SignatureType, WalletError, account
from core.venues.venue import Incomplete

ADDRESS_LETTERS = 42


class WalletState(msgspec.Struct, frozen=True):
    """A profile's wallet as ``key show`` and the doctor see it; ``problem`` is empty when it can be used."""

    account: Account | None = None
    api_key: str = ""
    """The venue's name of the API key, no secret."""
    problem: str = ""


def trading_of(place: Profile, settings: PolymarketSettings) -> PolymarketConfig | None:
    """All the engine needs to trade the profile's account; ``None`` where it has none.

    Raises as ``wallet_of`` and ``signer_at``.
    """
    site = wallet_of(place, settings)
    if site is None:
        return None
    return PolymarketConfig(
        site.addresses,
        site.environment,
        signer_at(site, settings, place),
        site.credentials,
        heartbeat_path=settings.heartbeat_path,
        assets_max=settings.assets_per_socket,
    )


def signer_at(site: WalletSite, settings: PolymarketSettings, place: Profile) -> OrderSigner:
    """Who signs the account's orders, its key proved to be that wallet's; raises ``KeyFileError``."""
    if site.environment is Environment.SIM:
        settings = PolymarketSettings(signer=settings.signer)  # the simulator's key is in its own file
    return _signer(site.account, settings, site.key_file, place)


def _signer(pinned: Account, settings: PolymarketSettings, path: Path, place: Profile) -> OrderSigner:
    key = load_wallet(settings, path, place.name)
    if key.address != pinned.address:
        raise KeyFileError(
            f"the wallet's key is that of {key.address} and wallet {pinned.address} was added here: "
            f"put its key back, or add the other wallet with {adds_wallet(place)}"
        )
    try:
        return signer_of(settings, key, pinned)
    except SdkMissingError as error:
        raise KeyFileError(str(error)) from error


def state(place: Profile, settings: PolymarketSettings) -> WalletState:
    """What can be said of a real profile's wallet without asking the venue."""
    if not place.wallet.exists():
        return WalletState(problem=f"no Polymarket wallet: add one with {adds_wallet(place)}")
    traded, api_key = None, ""
    try:
        traded = pinned_account(place)
        api_key = credentials.load(place.api_credentials, traded.address, adds_wallet(place)).api_key
        _signer(traded, settings, place.wallet_key, place)
    except KeyFileError as error:
        return WalletState(traded, api_key, str(error))
    return WalletState(traded, api_key)


async def add_wallet(
    place: Profile,
    settings: PolymarketSettings,
    file: Path | None,
    kind: int,
    funder: str,
    *,
    clocks: Clocks,
    rng: random.Random,
    transports: TransportFactory = network_transport,
) -> WalletState:
    """Check a wallet, find its API key at the venue and keep both; nothing is kept before all is proved.

    ``kind`` is its signature type. Without ``file`` the key stays where ``settings`` say it is. Raises
    ``KeyFileError``.
    """
    if place.simulated:
        raise KeyFileError(f"profile {place.name} makes its own wallet: name another with --profile")
    addresses = configured(settings)
    try:
        check_addresses(addresses, place.environment)
    except VenueAddressError as error:
        raise KeyFileError(str(error)) from error
    key, data = _read(place, settings, file)
    traded = _account(key, SignatureType(kind), funder)
    refuse_foreign_wallet(place, traded.address)
    if data is not None:
        _refuse_overwriting(place, key)
    http = LoginHttp(
        addresses.clob,
        key,
        clocks=clocks,
        limiter=Limiter(clocks, CAPACITIES),
        rng=rng,
        transports=transports,
        on_anomaly=lambda *_: None,  # the answer says itself what was wrong with it
    )
    try:
        found = await obtain(http)
    finally:
        await http.close()
    if isinstance(found, Incomplete):
        raise KeyFileError(
            f"the venue gave this wallet no API key ({found.reason}): nothing is kept, try again"
        )
    _keep(place, data, traded, found)
    return WalletState(traded, found.api_key)


def _read(place: Profile, settings: PolymarketSettings, file: Path | None) -> tuple[WalletKey, bytes | None]:
    """The key, and the bytes to keep in the profile where it comes from a file outside."""
    if file is None:
        return load_wallet(settings, place.wallet_key, place.name), None
    if settings.key != "file" or settings.key_file:
        where = f"key = {settings.key!r}" if settings.key != "file" else "key_file"
        raise KeyFileError(
            f"{place.config} says with polymarket.{where} where the wallet's key is: leave FILE out, or take "
            "that line out"
        )
    _refuse_typed(file)
    data = read_key_file(file)
    try:
        return parse_key(data.decode("ascii")), data
    except UnicodeDecodeError:
        problem = "is no text"
    except KeyFormatError as error:
        problem = str(error)
    raise KeyFileError(f"what {file} holds {problem}: export the wallet's private key once more")


def _refuse_typed(file: Path) -> None:
    """Raises ``KeyFileError``, which quotes nothing, where the key stands instead of a file that has it."""
    try:
        parse_key(file.name)
    except KeyFormatError:
        return
    if not file.exists():
        raise KeyFileError(
            "FILE names a file, and a private key was typed: put it into a file of mode 0600, name that, and "
            "take the key out of the shell's history"
        )


def _refuse_overwriting(place: Profile, key: WalletKey) -> None:
    """Raises ``KeyFileError`` where another wallet's key is kept: lost, its funds would be too."""
    if not place.wallet_key.exists():
        return
    try:
        if load_wallet(PolymarketSettings(), place.wallet_key, place.name).address == key.address:
            return
    except KeyFileError:
        pass  # what cannot be read may be a key all the same
    raise KeyFileError(
        f"{place.wallet_key} is another wallet's key and may be its only copy: move it away first"
    )


def _account(key: WalletKey, kind: SignatureType, funder: str) -> Account:
    if len(funder) > ADDRESS_LETTERS:  # a private key pasted into the wrong place is not quoted
        raise KeyFileError("the funder is no address: it is 0x and 40 hexadecimal digits")
    try:
        return account(key.address, kind, funder)
    except (WalletError, AddressError) as error:
        raise KeyFileError(str(error)) from error


def _keep(place: Profile, data: bytes | None, traded: Account, found: Credentials) -> None:
    """Key and credentials first: the pin makes the profile trade there. Raises ``KeyFileError``."""
    try:
        if data is not None:
            write_private(place.wallet_key, data)
        credentials.save(place.api_credentials, found)
        write_wallet_pin(place, traded)
    except OSError as error:
        raise KeyFileError(f"cannot write into {place.keys}: {error.strerror}") from error
