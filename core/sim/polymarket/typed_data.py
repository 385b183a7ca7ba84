"""Who signed: EIP-712 hashes of orders and logins, and the address a signature comes from.

Signatures of types 0 to 2 are plain ECDSA over the order's hash. Type 3 wraps it: the wallet's own
typed data carry the order, and the wrapping says which exchange and which contents were meant.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

import msgspec
from coincurve import PublicKey

from core.sim.polymarket import chain
from core.sim.polymarket.chain import keccak

LOGIN_TEXT = "This message attests that I control the given wallet"

ORDER_TYPE = (
    "Order(uint256 salt,address maker,address signer,uint256 tokenId,uint256 makerAmount,"
    "uint256 takerAmount,uint8 side,uint8 signatureType,uint256 timestamp,bytes32 metadata,bytes32 builder)"
)
_WRAPPED_TYPE = (
    "TypedDataSign(Order contents,string name,string version,uint256 chainId,address verifyingContract,"
    f"bytes32 salt){ORDER_TYPE}"
)
_LOGIN_TYPE = "ClobAuth(address address,string timestamp,uint256 nonce,string message)"
_DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
_PLAIN_DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId)"

_ECDSA_BYTES = 65


class SignatureType(enum.IntEnum):
    EOA = 0
    POLY_PROXY = 1
    POLY_GNOSIS_SAFE = 2
    POLY_1271 = 3


class SignedFields(msgspec.Struct, frozen=True):
    """What an order's signature covers; ``buys`` is side 0 on the chain."""

    salt: int
    maker: str
    signer: str
    token_id: int
    maker_amount: int
    taker_amount: int
    buys: bool
    signature_type: SignatureType
    timestamp_ms: int
    metadata: str
    builder: str


class OrderDomain(msgspec.Struct, frozen=True):
    """The exchange contract an order is for."""

    version: str
    contract: str

    @property
    def separator(self) -> bytes:
        return _hashed(
            keccak(_DOMAIN_TYPE.encode()),
            keccak(b"Polymarket CTF Exchange"),
            keccak(self.version.encode()),
            _number(chain.CHAIN_ID),
            _address(self.contract),
        )


STANDARD = OrderDomain("2", chain.EXCHANGE)
NEG_RISK = OrderDomain("2", chain.NEG_RISK_EXCHANGE)
V3 = OrderDomain("3", chain.EXCHANGE_V3)


def order_id(order: SignedFields, domain: OrderDomain) -> str:
    """The hash that is both what is signed and the order's name. ``ValueError`` where a field cannot be."""
    return "0x" + _digest(domain.separator, _contents(order)).hex()


def order_signer(order: SignedFields, domain: OrderDomain, signature: str) -> str | None:
    """The address whose key signed this order for this exchange; None where nobody's did."""
    try:
        given = chain.raw(signature)
    except ValueError:
        return None
    contents = _contents(order)
    if order.signature_type is not SignatureType.POLY_1271:
        return recovered(_digest(domain.separator, contents), given)
    separator, kind = domain.separator, ORDER_TYPE.encode()
    if given[_ECDSA_BYTES:] != separator + contents + kind + len(kind).to_bytes(2, "big"):
        return None
    wrapped = _hashed(
        keccak(_WRAPPED_TYPE.encode()),
        contents,
        keccak(b"DepositWallet"),
        keccak(b"1"),
        _number(chain.CHAIN_ID),
        _address(order.signer),
        bytes(32),
    )
    return recovered(_digest(separator, wrapped), given[:_ECDSA_BYTES])


def login_signer(address: str, timestamp: str, nonce: int, signature: str) -> str | None:
    """The address whose key signed a login; None where nobody's did or the fields cannot be."""
    try:
        domain = _hashed(
            keccak(_PLAIN_DOMAIN_TYPE.encode()),
            keccak(b"ClobAuthDomain"),
            keccak(b"1"),
            _number(chain.CHAIN_ID),
        )
        login = _hashed(
            keccak(_LOGIN_TYPE.encode()),
            _address(address),
            keccak(timestamp.encode()),
            _number(nonce),
            keccak(LOGIN_TEXT.encode()),
        )
        return recovered(_digest(domain, login), chain.raw(signature))
    except ValueError:
        return None


def recovered(digest: bytes, signature: bytes) -> str | None:
    """The address behind 65 bytes r, s, v with v 27 or 28, as the contracts demand."""
    if len(signature) != _ECDSA_BYTES or signature[64] not in (27, 28):
        return None
    try:
        key = PublicKey.from_signature_and_message(
            signature[:64] + bytes([signature[64] - 27]), digest, hasher=None
        )
    except ValueError:
        return None
    return address_of(key)


def address_of(key: PublicKey) -> str:
    return chain.checksum(keccak(key.format(compressed=False)[1:])[12:])


def _contents(order: SignedFields) -> bytes:
    return _hashed(
        keccak(ORDER_TYPE.encode()),
        _number(order.salt),
        _address(order.maker),
        _address(order.signer),
        _number(order.token_id),
        _number(order.maker_amount),
        _number(order.taker_amount),
        _number(0 if order.buys else 1),
        _number(order.signature_type),
        _number(order.timestamp_ms),
        _word(order.metadata),
        _word(order.builder),
    )


def _digest(separator: bytes, struct_hash: bytes) -> bytes:
    return keccak(b"\x19\x01" + separator + struct_hash)


def _hashed(*words: bytes) -> bytes:
    return keccak(b"".join(_checked(words)))


def _checked(words: Iterable[bytes]) -> Iterable[bytes]:
    for word in words:
        if len(word) != 32:
            raise ValueError("not a word of 32 bytes")
        yield word


def _number(value: int) -> bytes:
    try:
        return value.to_bytes(32, "big")
    except OverflowError as wrong:
        raise ValueError(f"{value} does not fit into 256 bits") from wrong


def _address(text: str) -> bytes:
    return bytes(12) + chain.raw(text)


def _word(text: str) -> bytes:
    return chain.raw(text)
