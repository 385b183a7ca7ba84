"""From configuration to a signer: the wallet's key, and who signs its account's orders."""

from __future__ import annotations

from pathlib import Path

from core.config.secrets import WALLET_VARIABLE, KeyFileError, read_wallet_key
from core.config.settings import PolymarketSettings
from core.venues.polymarket.sign import KeyFormatError, OrderSigner, OwnSigner, WalletKey, parse_key
from core.venues.polymarket.vendor import VendorSigner
from core.venues.polymarket.wallets import Account


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


def signer_of(settings: PolymarketSettings, key: WalletKey, account: Account) -> OrderSigner:
    """Who signs the orders of an account of this key. Raises ``SdkMissingError`` without the vendor's
    package."""
    return VendorSigner(key, account) if settings.signer == "sdk" else OwnSigner(key, account)
