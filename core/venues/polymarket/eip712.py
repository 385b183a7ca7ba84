"""Hashes of typed data (EIP-712), as far as orders and logins need them."""

from __future__ import annotations

from core.venues.polymarket.evm import keccak, word

_DOMAIN = "EIP712Domain(string name,string version,uint256 chainId"


def type_hash(declaration: str) -> bytes:
    """The hash of a struct's declaration, such as ``Mail(address to,string contents)``."""
    return keccak(declaration.encode())


def text_hash(text: str) -> bytes:
    """A ``string`` member as its struct's hash takes it."""
    return keccak(text.encode())


def domain_separator(name: str, version: str, chain_id: int, contract: bytes | None = None) -> bytes:
    """The hash that ties a signature to one application, chain and contract; a login has no contract."""
    declaration = _DOMAIN + (",address verifyingContract)" if contract is not None else ")")
    head = type_hash(declaration) + text_hash(name) + text_hash(version) + word(chain_id)
    return keccak(head + (contract.rjust(32, b"\0") if contract is not None else b""))


def digest(separator: bytes, struct_hash: bytes) -> bytes:
    """What is signed."""
    return keccak(b"\x19\x01" + separator + struct_hash)
