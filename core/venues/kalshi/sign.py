"""Request signatures: RSA-PSS or Ed25519, told apart by the key file itself.

Kalshi signs ``timestamp_ms + METHOD + path`` without the query (docs.kalshi.com/getting_started/api_keys);
RSA keys use PSS with SHA-256 and a salt as long as the digest.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from core.config.secrets import KeyFileError, read_key_file

RSA_BITS_MIN = 2048

_PSS = PSS(mgf=MGF1(hashes.SHA256()), salt_length=hashes.SHA256.digest_size)


PrivateKey = RSAPrivateKey | Ed25519PrivateKey


class Signer(Protocol):
    """What the client needs of a key; the deterministic simulation passes one that returns fixed text."""

    def headers(self, method: str, path: str, wall_ms: int) -> dict[str, str]:
        """The three authentication headers of one request. ``path`` may carry a query: it is cut off."""
        ...


class KeySigner:
    """A loaded private key. Nothing of it shows in ``repr``."""

    __slots__ = ("_key", "key_id")

    def __init__(self, key_id: str, key: PrivateKey) -> None:
        self.key_id, self._key = key_id, key

    def __repr__(self) -> str:
        kind = "ed25519" if isinstance(self._key, Ed25519PrivateKey) else "rsa"
        return f"KeySigner({kind})"

    @property
    def fingerprint(self) -> str:
        return fingerprint(self._key)

    def headers(self, method: str, path: str, wall_ms: int) -> dict[str, str]:
        message = f"{wall_ms}{method.upper()}{path.partition('?')[0]}".encode()
        if isinstance(self._key, Ed25519PrivateKey):
            signature = self._key.sign(message)
        else:
            signature = self._key.sign(message, _PSS, hashes.SHA256())
        return {
            "KALSHI-ACCESS-KEY": self.key_id,
            "KALSHI-ACCESS-TIMESTAMP": str(wall_ms),
            "KALSHI-ACCESS-SIGNATURE": base64.b64encode(signature).decode(),
        }


def fingerprint(key: PrivateKey) -> str:
    """SHA-256 of the public half, hex: tells keys apart without showing one."""
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(public).hexdigest()


def load_signer(key_id: str, path: Path) -> KeySigner:
    """Read the key file once. Raises ``KeyFileError``; the file must be readable by its owner alone."""
    return KeySigner(key_id, parse_key(read_key_file(path), path))


def parse_key(data: bytes, path: Path) -> PrivateKey:
    """The key in a PEM file's bytes; raises ``KeyFileError`` naming ``path``."""
    # Messages of the library may quote the content, so none of them is passed on.
    try:
        key = load_pem_private_key(data, password=None)
    except TypeError:
        raise KeyFileError(
            f"private key file {path} is protected by a passphrase: store it without one, mode 600"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise KeyFileError(
            f"private key file {path} holds no PEM private key: download the key again from the venue"
        ) from None
    if isinstance(key, Ed25519PrivateKey):
        return key
    if not isinstance(key, RSAPrivateKey):
        raise KeyFileError(f"private key file {path} is neither RSA nor Ed25519: generate one of these")
    if key.key_size < RSA_BITS_MIN:
        raise KeyFileError(
            f"private key file {path} has {key.key_size} bits, fewer than {RSA_BITS_MIN}: generate a new key"
        )
    return key
