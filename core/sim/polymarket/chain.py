"""Polygon as far as the simulated Polymarket has one: contracts, addresses, token ids, keccak.

Polymarket docs: contracts. Nothing is sent to a chain; balances live in ``wallets``.
"""

from __future__ import annotations

from Crypto.Hash import keccak as _keccak

CHAIN_ID = 137
ZERO_32 = "0x" + "00" * 32

EXCHANGE = "0xE111180000d2663C0091e4f400237545B87B996B"
NEG_RISK_EXCHANGE = "0xe2222d279d744050d28e00520010520000310F59"
EXCHANGE_V3 = "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa"
SPENDERS = (EXCHANGE, NEG_RISK_EXCHANGE, EXCHANGE_V3)
"""Who must be allowed to move a wallet's collateral and tokens."""

_PROXY_FACTORY = "0xaB45c5A4B0c941a2F231C04C3f49182e1A254052"
_PROXY_CODE = "0xd21df8dc65880a8606f09fe0ce3df9b8869287ab0b058be05aa9e8af6330a00b"
_SAFE_FACTORY = "0xaacFeEa03eb1561C4e67d661e40682Bd20E3541b"
_SAFE_CODE = "0x2bce2127ff07fb632d16c8347c4ebf501f4841168bed00d9e6ef715ddb6fcecf"
_DEPOSIT_FACTORY = "0x00000000000Fb5C9ADea0298D729A0CB3823Cc07"
_DEPOSIT_BEACON = "0x7A18EDfe055488A3128f01F563e5B479D92ffc3a"
_BEACON_PROXY = (
    "0x6100923d8160233d3973",
    "0x60195155f3363d3d373d3d363d602036600436635c60da1b60e01b36527fa3f0ad74e5423aebfd80d3ef4346578335a9a72a"
    "eaee59ff6cb3582b35133d50545afa5036515af43d6000803e604d573d6000fd5b3d6000f3",
)
"""Creation code of a proxy with 64 bytes of arguments, before and after the beacon it asks."""

_BINARY, _NEG_RISK = 1, 2
"""Module byte of a position id."""


def keccak(data: bytes) -> bytes:
    return _keccak.new(digest_bits=256, data=data).digest()


def raw(text: str) -> bytes:
    """``0x`` hex as bytes; ``ValueError`` for anything else."""
    if not text.startswith("0x"):
        raise ValueError(f"{text[:20]!r} does not begin with 0x")
    return bytes.fromhex(text[2:])


def checksum(address: bytes) -> str:
    """Twenty bytes as EIP-55 writes them."""
    plain = address.hex()
    digest = keccak(plain.encode()).hex()
    return "0x" + "".join(c.upper() if int(d, 16) >= 8 else c for c, d in zip(plain, digest, strict=False))


def proxy_of(owner: str) -> str:
    """The proxy wallet (signature type 1) of an owner."""
    return _created(_PROXY_FACTORY, keccak(raw(owner)), raw(_PROXY_CODE))


def safe_of(owner: str) -> str:
    """The Safe (signature type 2) of an owner."""
    return _created(_SAFE_FACTORY, keccak(bytes(12) + raw(owner)), raw(_SAFE_CODE))


def deposit_wallet_of(owner: str) -> str:
    """The deposit wallet (signature type 3) of an owner."""
    arguments = bytes(12) + raw(_DEPOSIT_FACTORY) + bytes(12) + raw(owner)
    before, after = _BEACON_PROXY
    code = raw(before) + raw(_DEPOSIT_BEACON) + raw(after) + arguments
    return _created(_DEPOSIT_FACTORY, keccak(arguments), keccak(code))


def _created(factory: str, salt: bytes, code_hash: bytes) -> str:
    return checksum(keccak(b"\xff" + raw(factory) + salt + code_hash)[12:])


def condition_v1(name: str) -> str:
    """A condition of the first generation; ``name`` is any unique text."""
    return "0x" + keccak(f"condition {name}".encode()).hex()


def tokens_v1(condition_id: str) -> tuple[str, str]:
    """Outcome tokens of a first-generation condition, YES first."""
    first, second = (int.from_bytes(keccak(raw(condition_id) + bytes([i])), "big") for i in (1, 2))
    return str(first), str(second)


def condition_v2(name: str, index: int, *, neg_risk: bool) -> str:
    """A condition of the second generation, padded to 32 bytes; ``index`` is its place in its event."""
    base = keccak(f"event {name}".encode())[:16]
    module = _NEG_RISK if neg_risk else _BINARY
    return "0x" + (bytes([module]) + base + bytes(12) + index.to_bytes(2, "big") + bytes(1)).hex()


def tokens_v2(condition_id: str) -> tuple[str, str]:
    """Position ids of a second-generation condition: its 31 bytes and the outcome."""
    first = int.from_bytes(raw(condition_id), "big")
    return str(first), str(first + 1)


def is_v2(token_id: str) -> bool:
    """Whether a token id has the layout of a position id: its reserved bytes are zero."""
    return int(token_id) & ((2**64 - 1) << 40) == 0
