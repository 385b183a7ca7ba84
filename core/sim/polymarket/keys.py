"""API keys and who may use them: wallet logins (L1), signed requests (L2).

Polymarket docs: authentication. L2 signs ``timestamp + METHOD + path + body`` with the path without its
query and the body as it was sent. A key belongs to the address that signs for it, never to a funder.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import uuid
from collections.abc import Mapping

import msgspec

from core.sim.polymarket import typed_data
from core.sim.polymarket.errors import UNAUTHORIZED, bad, unauthorized

WINDOW_S = 30
"""How far a request's timestamp may be from ours; the venue's own tolerance is unpublished."""

_INVALID_LOGIN = "Invalid L1 Request headers"


class ApiKey(msgspec.Struct, frozen=True):
    key: str
    secret: str
    passphrase: str
    address: str
    nonce: int
    read_only: bool = False


class Login(msgspec.Struct, frozen=True):
    """A proven wallet login."""

    address: str
    nonce: int


class KeyRegistry:
    """Every key the venue knows. ``seed`` makes them; the same address and nonce have the same one."""

    def __init__(self, seed: str) -> None:
        self._seed = seed.encode()
        self._keys: dict[str, ApiKey] = {}
        self._deleted: set[str] = set()

    def create(self, login: Login) -> ApiKey:
        """A new key; ``WireError`` where this nonce already has one."""
        made = self._made(login.address, login.nonce, read_only=False)
        if made.key in self._keys or made.key in self._deleted:
            raise bad("Could not create api key")
        self._keys[made.key] = made
        return made

    def derive(self, login: Login) -> ApiKey:
        """The key this nonce has; ``WireError`` where it has none."""
        made = self._made(login.address, login.nonce, read_only=False)
        if made.key not in self._keys:
            raise bad("Could not derive api key!")
        return made

    def create_read_only(self, address: str) -> ApiKey:
        count = sum(1 for key in self._keys.values() if key.address == address and key.read_only)
        made = self._made(address, count, read_only=True)
        self._keys[made.key] = made
        return made

    def of(self, address: str, *, read_only: bool = False) -> list[str]:
        """The names of an address's keys."""
        return [k.key for k in self._keys.values() if k.address == address and k.read_only == read_only]

    def delete(self, key: str) -> None:
        if self._keys.pop(key, None) is not None:
            self._deleted.add(key)

    def login(self, headers: Mapping[str, str], now_ms: int) -> Login:
        """The wallet that signed this request's login."""
        address, stamp = headers.get("poly_address", ""), headers.get("poly_timestamp", "")
        nonce = headers.get("poly_nonce", "0")
        if not (_is_number(stamp) and _is_number(nonce) and _in_time(stamp, now_ms)):
            raise unauthorized(_INVALID_LOGIN)
        signature = headers.get("poly_signature", "")
        signer = typed_data.login_signer(address, stamp, int(nonce), signature)
        if signer is None or signer.lower() != address.lower():
            raise unauthorized(_INVALID_LOGIN)
        return Login(signer, int(nonce))

    def verify(self, headers: Mapping[str, str], method: str, path: str, body: bytes, now_ms: int) -> ApiKey:
        """The key that signed this request; ``WireError`` 401 for every other outcome."""
        key = self._keys.get(headers.get("poly_api_key", ""))
        stamp = headers.get("poly_timestamp", "")
        if key is None or not _is_number(stamp) or not _in_time(stamp, now_ms):
            raise unauthorized(UNAUTHORIZED)
        expected = signature(key.secret, stamp, method, path, body)
        told = (
            hmac.compare_digest(expected.encode(), headers.get("poly_signature", "").encode())
            and hmac.compare_digest(key.passphrase.encode(), headers.get("poly_passphrase", "").encode())
            and headers.get("poly_address", "").lower() == key.address.lower()
        )
        if not told:
            raise unauthorized(UNAUTHORIZED)
        return key

    def named(self, key: str, secret: str, passphrase: str) -> ApiKey | None:
        """The key with exactly these words, as the user channel's first frame has them."""
        found = self._keys.get(key)
        if found is None or (found.secret, found.passphrase) != (secret, passphrase):
            return None
        return found

    def _made(self, address: str, nonce: int, *, read_only: bool) -> ApiKey:
        words = [
            hmac.new(
                self._seed, f"{what} {address.lower()} {nonce} {read_only}".encode(), hashlib.sha256
            ).digest()
            for what in ("key", "secret", "passphrase")
        ]
        name = str(uuid.UUID(bytes=words[0][:16], version=4))
        secret = base64.urlsafe_b64encode(words[1]).decode()
        return ApiKey(name, secret, words[2].hex(), address, nonce, read_only)


def signature(secret: str, timestamp: str, method: str, path: str, body: bytes) -> str:
    """What belongs into POLY_SIGNATURE."""
    try:
        key = base64.urlsafe_b64decode(secret)
    except (binascii.Error, ValueError) as wrong:
        raise ValueError("an API secret is base64url") from wrong
    digest = hmac.new(key, f"{timestamp}{method}{path}".encode() + body, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode()


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 20


def _in_time(stamp: str, now_ms: int) -> bool:
    return abs(now_ms / 1000 - int(stamp)) <= WINDOW_S
