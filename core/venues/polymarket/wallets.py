"""The wallet maze: which key signs, which contract holds the funds, and which signature type joins them.

A proxy, a Safe and a deposit wallet stand at addresses their factories derive from the owner's, so a wrong
pairing is found before anything is signed. Factories and creation codes: docs.polymarket.com/resources/
contracts and the codes deployed on Polygon.
"""

from __future__ import annotations

import enum
from typing import Final

import msgspec

from core.venues.polymarket.evm import checksummed, create2, keccak, parse_address, word


class WalletError(ValueError):
    """Key, signature type and funder do not belong together. One sentence with the remedy."""


class SignatureType(enum.IntEnum):
    """How the exchange is to check an order's signature."""

    EOA = 0
    """A plain key that holds its own funds."""
    PROXY = 1
    """The contract of an account opened with an e-mail address."""
    SAFE = 2
    """The contract of an account opened with a browser wallet."""
    DEPOSIT_WALLET = 3
    """The contract of every account since May 2026; it signs for itself (ERC-1271)."""

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS: Final = {
    SignatureType.EOA: "plain key",
    SignatureType.PROXY: "proxy",
    SignatureType.SAFE: "Safe",
    SignatureType.DEPOSIT_WALLET: "deposit wallet",
}


class Account(msgspec.Struct, frozen=True):
    """Whose orders these are, checked: addresses carry their checksums."""

    address: str
    """The key's own."""
    signature_type: SignatureType
    funder: str
    """Whose funds they move: an order's maker."""

    @property
    def signer(self) -> str:
        """An order's signer: the key, or the deposit wallet that signs for itself."""
        return self.funder if self.signature_type is SignatureType.DEPOSIT_WALLET else self.address


_PROXY_FACTORY: Final = parse_address("0xaB45c5A4B0c941a2F231C04C3f49182e1A254052")
_PROXY_CODE: Final = keccak(
    bytes.fromhex("3d3d606380380380913d393d73")
    + _PROXY_FACTORY
    + bytes.fromhex("5af4602a57600080fd5b602d8060366000396000f3363d3d373d3d3d363d73")
    + parse_address("0x44e999d5c2F66Ef0861317f9A4805AC2e90aEB4f")
    + bytes.fromhex("5af43d82803e903d91602b57fd5bf352e831dd")
    + word(32)
    + word(0)
)
_SAFE_FACTORY: Final = parse_address("0xaacFeEa03eb1561C4e67d661e40682Bd20E3541b")
_SAFE_CODE: Final = bytes.fromhex("2bce2127ff07fb632d16c8347c4ebf501f4841168bed00d9e6ef715ddb6fcecf")
_DEPOSIT_FACTORY: Final = parse_address("0x00000000000Fb5C9ADea0298D729A0CB3823Cc07")
_DEPOSIT_BEACON: Final = parse_address("0x7A18EDfe055488A3128f01F563e5B479D92ffc3a")
_DEPOSIT_IMPLEMENTATION: Final = parse_address("0x58CA52ebe0DadfdF531Cde7062e76746de4Db1eB")

# Minimal ERC-1967 proxies with their arguments appended; the first number holds the length of both.
_BEACON_HEAD: Final = 0x6100523D8160233D3973
_BEACON_TAIL: Final = bytes.fromhex(
    "60195155f3363d3d373d3d363d602036600436635c60da"
    "1b60e01b36527fa3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6c"
    "b3582b35133d50545afa5036515af43d6000803e604d573d6000fd5b3d6000f3"
)
_PLAIN_HEAD: Final = 0x61003D3D8160233D3973
_PLAIN_TAIL: Final = bytes.fromhex(
    "6009"
    "5155f3363d3d373d3d363d7f360894a13ba1a3210667c828492db98dca3e2076"
    "cc3735a920a3ca505d382bbc545af43d6000803e6038573d6000fd5b3d6000f3"
)


def proxy_of(owner: bytes) -> str:
    return checksummed(create2(_PROXY_FACTORY, keccak(owner), _PROXY_CODE))


def safe_of(owner: bytes) -> str:
    return checksummed(create2(_SAFE_FACTORY, keccak(owner.rjust(32, b"\0")), _SAFE_CODE))


def deposit_wallets_of(owner: bytes) -> tuple[str, str]:
    """Where today's factory puts the owner's deposit wallet, and where the earlier one did."""
    arguments = _DEPOSIT_FACTORY.rjust(32, b"\0") + owner.rjust(32, b"\0")
    return (
        _deposit_wallet(_BEACON_HEAD, _DEPOSIT_BEACON, _BEACON_TAIL, arguments),
        _deposit_wallet(_PLAIN_HEAD, _DEPOSIT_IMPLEMENTATION, _PLAIN_TAIL, arguments),
    )


def _deposit_wallet(head: int, target: bytes, tail: bytes, arguments: bytes) -> str:
    code = (head + (len(arguments) << 56)).to_bytes(10, "big") + target + tail + arguments
    return checksummed(create2(_DEPOSIT_FACTORY, keccak(arguments), keccak(code)))


def funders_of(address: str) -> dict[SignatureType, tuple[str, ...]]:
    """Every address that can hold the funds of this key, by the signature type that goes with it."""
    owner = parse_address(address)
    return {
        SignatureType.EOA: (checksummed(owner),),
        SignatureType.PROXY: (proxy_of(owner),),
        SignatureType.SAFE: (safe_of(owner),),
        SignatureType.DEPOSIT_WALLET: deposit_wallets_of(owner),
    }


def account(address: str, signature_type: SignatureType, funder: str) -> Account:
    """The account of a key; an empty ``funder`` is derived where there is only one.

    Raises ``WalletError``, and ``AddressError`` for a funder that is no address.
    """
    candidates = funders_of(address)
    ours = candidates[signature_type]
    own = candidates[SignatureType.EOA][0]
    if not funder:
        if len(ours) > 1:
            raise WalletError(
                f"signature type {signature_type.value} ({signature_type.label}) needs its funder: name "
                f"{' or '.join(ours)} for the key of {own}; the venue's profile page shows which"
            )
        return Account(own, signature_type, ours[0])
    named = checksummed(parse_address(funder))
    if named in ours:
        return Account(own, signature_type, named)
    for other, known in candidates.items():
        if named in known:
            raise WalletError(
                f"funder {named} is the {other.label} of this key: its signature type is {other.value}, "
                f"not {signature_type.value}"
            )
    raise WalletError(
        f"funder {named} does not belong to the key of {own}, whose {signature_type.label} is "
        f"{' or '.join(ours)}: correct the funder or use that wallet's key"
    )
