"""A profile's account at Polymarket as far as it goes without the wallet's key: enough to read and cancel.

Which wallet trades, of which type and with whose funds, is the operator's statement, checked against the key
and written down once (``pmconsole key add-wallet``). The watchdog imports this and nothing that signs.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from core.config.paths import Environment, Profile
from core.config.secrets import KeyFileError, write_private
from core.config.settings import PolymarketSettings
from core.control.ready import read_ready
from core.venues.address import VenueAddressError
from core.venues.polymarket.contracts import POLYGON
from core.venues.polymarket.credentials import load
from core.venues.polymarket.evm import AddressError
from core.venues.polymarket.hosts import Addresses, check_addresses, configured
from core.venues.polymarket.l2 import Credentials
from core.venues.polymarket.wallets import Account, SignatureType, WalletError, account

_BYTES_MAX = 4 * 1024


class WalletPin(msgspec.Struct, frozen=True):
    """What was said of the wallet when it was added."""

    environment: Environment
    address: str
    signature_type: int
    funder: str


class WalletSite(msgspec.Struct, frozen=True):
    """Where this account is reached, whose it is, and what proves requests about it."""

    environment: Environment
    addresses: Addresses
    account: Account
    credentials: Credentials
    key_file: Path
    """Where the wallet's key is, if a file has it."""


def wallet_of(place: Profile, settings: PolymarketSettings) -> WalletSite | None:
    """The profile's account; ``None`` where it has none.

    Raises ``KeyFileError``, ``VenueAddressError``, and ``ReadyError`` without a simulator.
    """
    if place.simulated:
        return _simulated(place)
    if not place.wallet.exists():
        return None
    pinned = pinned_account(place)
    addresses = configured(settings)
    check_addresses(addresses, place.environment)
    return WalletSite(
        place.environment,
        addresses,
        pinned,
        load(place.api_credentials, pinned.address, adds_wallet(place)),
        place.wallet_key,
    )


def _simulated(place: Profile) -> WalletSite | None:
    ready = read_ready(place.sim_ready).polymarket
    if ready is None:
        return None
    if ready.chain_id != POLYGON:
        raise VenueAddressError(
            f"the simulator plays chain {ready.chain_id}: orders are only signed for Polygon, {POLYGON}"
        )
    addresses = Addresses(
        ready.clob,
        ready.gamma,
        ready.data,
        ready.geoblock.removesuffix("/api/geoblock"),
        ready.ws_market,
        ready.ws_user,
    )
    check_addresses(addresses, Environment.SIM)
    kind = SignatureType.DEPOSIT_WALLET  # what a new account is
    try:
        traded = account(ready.address, kind, ready.wallets.get(str(kind.value), ""))
    except (WalletError, AddressError) as error:
        raise KeyFileError(f"the simulator's wallet cannot be used: {error}") from error
    refuse_foreign_wallet(place, traded.address)
    return WalletSite(
        Environment.SIM,
        addresses,
        traded,
        load(Path(ready.credentials_path), traded.address, place.command("demo --fresh")),
        Path(ready.private_key_path),
    )


def pinned_account(place: Profile) -> Account:
    """Whose orders are signed here, as it was written down; raises ``KeyFileError``."""
    pin, adds = read_wallet_pin(place.wallet), adds_wallet(place)
    unreadable = KeyFileError(f"{place.wallet} cannot be read: add the wallet again with {adds}")
    if pin is None:
        raise unreadable
    if pin.environment is not place.environment:
        raise KeyFileError(
            f"{place.wallet} is of a {pin.environment.value} profile and {place.name} trades at "
            f"{place.environment.value}: add the right wallet with {adds}"
        )
    try:
        return account(pin.address, SignatureType(pin.signature_type), pin.funder)
    except (ValueError, WalletError, AddressError):
        raise unreadable from None


def read_wallet_pin(path: Path) -> WalletPin | None:
    """What was written down when the wallet was added; ``None``: it cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes()[:_BYTES_MAX], type=WalletPin)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def refuse_foreign_wallet(place: Profile, address: str) -> None:
    """Raises ``KeyFileError`` for a wallet that another profile knows as another environment's: what it
    signs is good for real money wherever it was signed."""
    for path in sorted(place.directory.parent.glob(f"*/{place.keys.name}/{place.wallet.name}")):
        pin = read_wallet_pin(path)  # an unreadable record proves nothing about this wallet
        if pin is not None and pin.address == address and pin.environment is not place.environment:
            known = f"the {pin.environment.value} wallet of {path}"
            raise KeyFileError(f"wallet {address} is {known}: use another in profile {place.name}")


def write_wallet_pin(place: Profile, traded: Account) -> None:
    """Raises ``OSError``."""
    pin = WalletPin(place.environment, traded.address, traded.signature_type.value, traded.funder)
    write_private(place.wallet, msgspec.json.format(msgspec.json.encode(pin)) + b"\n")


def adds_wallet(place: Profile) -> str:
    """What to type for a profile that has no wallet."""
    return place.command("key add-wallet FILE --signature-type TYPE --funder ADDRESS")
