"""What Ethereum writes bytes as: Keccak-256, 32-byte words and addresses with their checksum (EIP-55)."""

from __future__ import annotations

import re
from typing import Any

try:
    from sha3 import keccak_256 as _keccak
except ImportError:  # no wheel for this platform
    from Crypto.Hash import keccak as _slow

    def _keccak(data: bytes) -> Any:
        return _slow.new(digest_bits=256, data=data)


_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)


class AddressError(ValueError):
    """A text that is no address. One sentence: the text, what is wrong, the remedy."""


def keccak(data: bytes) -> bytes:
    """Keccak-256, which is not the later SHA3-256."""
    hashed: bytes = _keccak(data).digest()
    return hashed


def word(value: int) -> bytes:
    """An unsigned number as 32 bytes, most significant first; raises ``OverflowError`` outside of them."""
    return value.to_bytes(32, "big")


def checksummed(address: bytes) -> str:
    """Twenty bytes as text whose upper-case letters are its checksum."""
    text = address.hex()
    digits = keccak(text.encode()).hex()
    return "0x" + "".join(c.upper() if d >= "8" else c for c, d in zip(text, digits, strict=False))


def parse_address(text: str) -> bytes:
    """The twenty bytes of an address; raises ``AddressError``.

    A text in one case carries no checksum and is taken; one in both cases must carry the right one.
    """
    shown = f"{text[:12]}…"  # whole it may be a private key
    if not _ADDRESS.fullmatch(text):
        raise AddressError(f"address {shown!r} must be 0x and 40 hexadecimal digits: copy it whole")
    address = bytes.fromhex(text[2:])
    if text[2:] not in (text[2:].lower(), text[2:].upper(), checksummed(address)[2:]):
        raise AddressError(f"address {shown!r} fails its checksum, so a character is wrong: copy it again")
    return address


def create2(factory: bytes, salt: bytes, code_hash: bytes) -> bytes:
    """Where a factory puts the contract of this salt and creation code (EIP-1014)."""
    return keccak(b"\xff" + factory + salt + code_hash)[12:]
