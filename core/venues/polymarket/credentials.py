"""API credentials in a file only their owner can read.

The venue derives them from the wallet's signature (``login.py``), so losing the file loses nothing. Who only
cancels reads this file and never the wallet's key.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from core.config.secrets import KeyFileError, read_key_file, write_private
from core.domain.text import clean_text
from core.venues.polymarket.l2 import Credentials, CredentialsError


class _Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    """In the venue's spelling."""

    apiKey: str  # noqa: N815
    secret: str
    passphrase: str
    address: str = ""
    """Whose they are; what the venue or another program wrote does not say."""


_kept: Final = msgspec.json.Decoder(_Kept)


def save(path: Path, credentials: Credentials) -> None:
    """Keep them, readable by their owner alone; raises ``OSError``."""
    own = credentials
    kept = _Kept(own.api_key, own.secret, own.passphrase, own.address)
    write_private(path, msgspec.json.format(msgspec.json.encode(kept)) + b"\n")


def load(path: Path, address: str, adds: str) -> Credentials:
    """Read those of the wallet at ``address`` back; raises ``KeyFileError``, which quotes nothing of them.

    ``adds``: what to type to have them found at the venue again.
    """
    if not path.exists():
        raise KeyFileError(f"the wallet's API key {path} does not exist: find it again with {adds}")
    try:
        kept = _kept.decode(read_key_file(path))
        found = Credentials(address, kept.apiKey, kept.secret, kept.passphrase)
    except (msgspec.MsgspecError, UnicodeDecodeError, CredentialsError):
        raise KeyFileError(f"{path} holds no API credentials: find them again with {adds}") from None
    if kept.address not in ("", address):
        raise KeyFileError(
            f"{path} is the API key of wallet {clean_text(kept.address, 42)}, and {address} is to trade: "
            f"find that one's again with {adds}"
        )
    return found
