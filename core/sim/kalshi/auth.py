"""Who signed a request, checked as Kalshi checks it.

Kalshi API: API keys. The signed text is ``timestamp_ms + METHOD + path`` with the path from the
API root and without its query; RSA keys sign with PSS, SHA-256 and a 32-byte salt, Ed25519 keys
sign the same bytes. Timestamps are compared with real time.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key

from core.sim.kalshi.errors import WireError

WINDOW_MS = 5_000
"""How far a request's timestamp may be from ours, either way."""

READ = "read"
WRITE = "write"
TRADE = "write::trade"
TRANSFER = "write::transfer"
READ_BALANCE = "read::portfolio_balance"

KEY_HEADER = "kalshi-access-key"
TIMESTAMP_HEADER = "kalshi-access-timestamp"
SIGNATURE_HEADER = "kalshi-access-signature"

_PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=hashes.SHA256.digest_size)


class ApiKey(msgspec.Struct, frozen=True):
    """A registered public key, whose account it is, and what it may do."""

    key_id: str
    account: str
    public: RSAPublicKey | Ed25519PublicKey
    scopes: tuple[str, ...]
    subaccount: int | None = None
    """The one subaccount it is locked to, if any."""
    name: str = ""

    def may(self, scope: str) -> bool:
        return scope in self.scopes or scope.partition("::")[0] in self.scopes


class KeyEntry(msgspec.Struct, frozen=True):
    """A generated key as the ready line names it. The private half is only in the file."""

    key_id: str
    private_key_path: str
    type: str
    scopes: tuple[str, ...]


class KeyRegistry:
    """Every key the exchange knows."""

    def __init__(self, window_ms: int = WINDOW_MS) -> None:
        self._window_ms = window_ms
        self._keys: dict[str, ApiKey] = {}
        self.regions: dict[str, int] = {}
        """Unix seconds until which an account's location is attested; absent where it never lapses."""

    def register(
        self,
        key_id: str,
        account: str,
        public: RSAPublicKey | Ed25519PublicKey,
        scopes: tuple[str, ...],
        *,
        subaccount: int | None = None,
    ) -> None:
        self._keys[key_id] = ApiKey(key_id, account, public, scopes, subaccount, f"key {len(self._keys) + 1}")

    def of(self, account: str) -> list[ApiKey]:
        """The account's keys, oldest first."""
        return [key for key in self._keys.values() if key.account == account]

    def generate(self, folder: Path, account: str, ids: Callable[[], str]) -> list[KeyEntry]:
        """New keys for an account as PEM files (mode 0600) in ``folder``.

        An Ed25519 and an RSA key that may read and trade, and an Ed25519 key that may only read.
        """
        rsa = generate_private_key(public_exponent=65_537, key_size=2048)
        trader, curve = (READ, TRADE), Ed25519PrivateKey
        return [
            self.issue(folder / "ed25519.pem", account, ids(), "ed25519", curve.generate(), trader),
            self.issue(folder / "rsa.pem", account, ids(), "rsa", rsa, trader),
            self.issue(folder / "read-only.pem", account, ids(), "ed25519", curve.generate(), (READ,)),
        ]  # fmt: skip

    def second(self, folder: Path, account: str, key_id: str) -> KeyEntry:
        """One more key that may read and trade, for a watchdog of the account."""
        private = Ed25519PrivateKey.generate()
        return self.issue(folder / "watchdog.pem", account, key_id, "ed25519", private, (READ, TRADE))

    def verify(self, headers: Mapping[str, str], method: str, path: str, now_ms: int) -> ApiKey:
        """The key that signed this request; ``WireError`` 401 for every other outcome."""
        stamp, signature = headers.get(TIMESTAMP_HEADER, ""), headers.get(SIGNATURE_HEADER, "")
        key = self._keys.get(headers.get(KEY_HEADER, ""))
        if key is None:
            raise _unauthenticated("API_KEY_NOT_FOUND")
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 16):
            raise _unauthenticated("INVALID_TIMESTAMP")
        if abs(now_ms - int(stamp)) > self._window_ms:
            raise WireError(401, "header_timestamp_expired", "header timestamp expired")
        try:
            raw = base64.b64decode(signature, validate=True)
            _check(key.public, raw, f"{stamp}{method}{path}".encode())
        except (binascii.Error, ValueError, InvalidSignature) as wrong:
            raise _unauthenticated("INCORRECT_API_KEY_SIGNATURE") from wrong
        return key

    def issue(
        self,
        path: Path,
        account: str,
        key_id: str,
        kind: str,
        private: RSAPrivateKey | Ed25519PrivateKey,
        scopes: tuple[str, ...],
        *,
        subaccount: int | None = None,
    ) -> KeyEntry:
        """Register a key and write its private half to ``path`` (mode 0600)."""
        # Kalshi hands out RSA keys as PKCS#1 and Ed25519 keys as PKCS#8.
        form = (
            serialization.PrivateFormat.TraditionalOpenSSL
            if kind == "rsa"
            else serialization.PrivateFormat.PKCS8
        )
        pem = private.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
        self.register(key_id, account, private.public_key(), scopes, subaccount=subaccount)
        return KeyEntry(key_id, str(path), kind, scopes)


def _check(public: RSAPublicKey | Ed25519PublicKey, signature: bytes, message: bytes) -> None:
    if isinstance(public, RSAPublicKey):
        public.verify(signature, message, _PSS, hashes.SHA256())
    else:
        public.verify(signature, message)


def _unauthenticated(details: str) -> WireError:
    return WireError(401, "authentication_error", "authentication error", details)
