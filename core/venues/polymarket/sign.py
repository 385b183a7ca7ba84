"""A wallet's signatures: orders for the exchange contracts, and the login that makes API keys.

An order's hash is its id at the venue, known before anything is sent. What does not change between the
orders of an account is laid out once; the rest is two hashes and one signature.
"""

from __future__ import annotations

import enum
from typing import Final, Protocol

import coincurve
import msgspec

from core.venues.polymarket.contracts import POLYGON, Exchange
from core.venues.polymarket.eip712 import digest, domain_separator, text_hash, type_hash
from core.venues.polymarket.evm import checksummed, keccak, parse_address, word
from core.venues.polymarket.wallets import Account, SignatureType

ORDER_TYPE: Final = (
    "Order(uint256 salt,address maker,address signer,uint256 tokenId,uint256 makerAmount,uint256 takerAmount,"
    "uint8 side,uint8 signatureType,uint256 timestamp,bytes32 metadata,bytes32 builder)"
)
SALT_BITS: Final = 53
"""A salt travels as a JSON number, which others read as a double."""

_ORDER_HASH: Final = type_hash(ORDER_TYPE)
_WRAPPED_HASH: Final = type_hash(
    "TypedDataSign(Order contents,string name,string version,uint256 chainId,address verifyingContract,"
    "bytes32 salt)" + ORDER_TYPE
)
_WALLET_DOMAIN: Final = text_hash("DepositWallet") + text_hash("1") + word(POLYGON)
_ORDER_TYPE_TAIL: Final = ORDER_TYPE.encode() + len(ORDER_TYPE).to_bytes(2, "big")
_NO_TAGS: Final = bytes(64)
"""Metadata and builder: we set neither."""

_LOGIN_HASH: Final = type_hash("ClobAuth(address address,string timestamp,uint256 nonce,string message)")
_LOGIN_DOMAIN: Final = domain_separator("ClobAuthDomain", "1", POLYGON)
_LOGIN_MESSAGE: Final = text_hash("This message attests that I control the given wallet")


class KeyFormatError(ValueError):
    """Bytes that are no private key. The text quotes nothing of them."""


class WalletKey:
    """A private key. Nothing of it shows in ``repr``."""

    __slots__ = ("_key", "address")

    def __init__(self, secret: bytes) -> None:
        """Raises ``KeyFormatError`` for 32 bytes that are no key."""
        try:
            self._key = coincurve.PrivateKey(secret)
        except ValueError:
            raise KeyFormatError("is out of a private key's range") from None
        public = self._key.public_key.format(compressed=False)
        self.address = checksummed(keccak(public[1:])[12:])

    def __repr__(self) -> str:
        return f"WalletKey({self.address})"

    def secret(self) -> bytes:
        """The key itself, for a signer that is not ours."""
        return self._key.secret

    def sign(self, hashed: bytes) -> bytes:
        """Sixty-five bytes: r, s and the recovery number Ethereum counts from 27."""
        signature = self._key.sign_recoverable(hashed, hasher=None)
        return signature[:64] + bytes((signature[64] + 27,))


def parse_key(text: str) -> WalletKey:
    """A key from 64 hexadecimal digits, ``0x`` before them or not; raises ``KeyFormatError``."""
    digits = text.strip().removeprefix("0x")
    try:
        secret = bytes.fromhex(digits)
    except ValueError:
        secret = b""
    if len(digits) != 64 or len(secret) != 32:
        raise KeyFormatError("is not 64 hexadecimal digits")
    return WalletKey(secret)


class Side(enum.IntEnum):
    BUY = 0
    SELL = 1


class Order(msgspec.Struct, frozen=True):
    """What an order says besides whose it is."""

    salt: int
    token_id: str
    maker_amount: int
    """What we give, millionths: pUSD when we buy, shares when we sell."""
    taker_amount: int
    """What we get."""
    side: Side
    timestamp_ms: int


class Signed(msgspec.Struct, frozen=True):
    """Both as lower-case hex with ``0x``."""

    order_hash: str
    signature: str


class OrderSigner(Protocol):
    """Signs the orders of one account."""

    account: Account

    def sign(self, order: Order, exchange: Exchange) -> Signed:
        """Raises ``OverflowError`` for a number its field cannot hold."""
        ...


class OwnSigner:
    """Signs by itself."""

    def __init__(self, key: WalletKey, account: Account) -> None:
        self.account, self._key = account, key
        maker, signer = (parse_address(text).rjust(32, b"\0") for text in (account.funder, account.signer))
        self._parties = maker + signer
        self._type = word(account.signature_type)
        self._wraps = account.signature_type is SignatureType.DEPOSIT_WALLET
        self._wallet_domain = _WALLET_DOMAIN + signer + word(0)

    def sign(self, order: Order, exchange: Exchange) -> Signed:
        contents = keccak(
            b"".join(
                (
                    _ORDER_HASH,
                    word(order.salt),
                    self._parties,
                    word(int(order.token_id)),
                    word(order.maker_amount),
                    word(order.taker_amount),
                    word(order.side),
                    self._type,
                    word(order.timestamp_ms),
                    _NO_TAGS,
                )
            )
        )
        hashed = digest(exchange.separator, contents)
        signature = self._wrapped(contents, exchange) if self._wraps else self._key.sign(hashed)
        return Signed("0x" + hashed.hex(), "0x" + signature.hex())

    def _wrapped(self, contents: bytes, exchange: Exchange) -> bytes:
        """The signature a deposit wallet checks itself (ERC-7739): it names the order, not just its hash."""
        asked = digest(exchange.separator, keccak(_WRAPPED_HASH + contents + self._wallet_domain))
        return self._key.sign(asked) + exchange.separator + contents + _ORDER_TYPE_TAIL


def login_signature(key: WalletKey, timestamp_s: int, nonce: int = 0) -> str:
    """Proof that we hold the wallet, for making and finding API keys."""
    owner = parse_address(key.address).rjust(32, b"\0")
    claim = _LOGIN_HASH + owner + text_hash(str(timestamp_s)) + word(nonce) + _LOGIN_MESSAGE
    return "0x" + key.sign(digest(_LOGIN_DOMAIN, keccak(claim))).hex()
