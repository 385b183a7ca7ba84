"""From configuration to a signer: the wallet's key, the account it trades, and who signs its orders."""

from __future__ import annotations

from pathlib import Path

from core.config.secrets import WALLET_VARIABLE, KeyFileError, read_wallet_key
from core.config.settings import PolymarketSettings
from core.venues.polymarket.sign import KeyFormatError, OrderSigner, OwnSigner, WalletKey, parse_key
from core.venues.polymarket.vendor import VendorSigner
from core.venues.polymarket.wallets import SignatureType, account


def load_wallet(settings: PolymarketSettings, path: Path, entry: str) -> WalletKey:
    """The private key; ``path`` is the profile's own file for it, ``entry`` its name in a keyring.

    Raises ``KeyFileError``.
    """
    file = Path(settings.key_file).expanduser() if settings.key_file else path
    text = read_wallet_key(settings.key, file, entry)
    try:
        return parse_key(text)
    except KeyFormatError as error:
        where = {"env": WALLET_VARIABLE, "keyring": "the keyring"}.get(
            settings.key, f"private key file {file}"
        )
        raise KeyFileError(f"what {where} holds {error}: export the wallet's private key once more") from None


def signer_of(settings: PolymarketSettings, key: WalletKey) -> OrderSigner:
    """Who signs. Raises ``WalletError`` for a funder or type that is not this key's, ``AddressError`` for a
    funder that is no address, ``SdkMissingError`` without the vendor's package."""
    of = account(key.address, SignatureType(settings.signature_type), settings.funder)
    return VendorSigner(key, of) if settings.signer == "sdk" else OwnSigner(key, of)
