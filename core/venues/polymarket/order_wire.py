"""The JSON of an order, its keys in the venue's own order: docs.polymarket.com/trading/place-orders.

Laid out once an account, it takes half as long as structs and an encoder. All that is filled in are numbers,
hexadecimal digits and names of ours; what the API key needs quoted is quoted.
"""

from __future__ import annotations

import enum
from typing import Final

import msgspec

from core.venues.polymarket.sign import Order, Signed
from core.venues.polymarket.wallets import Account

_NO_TAG: Final = "0x" + "0" * 64
_NO_TAGS: Final = f'"metadata":"{_NO_TAG}","builder":"{_NO_TAG}"'


class OrderType(enum.Enum):
    GTC = "GTC"
    """Rests until it is cancelled."""
    GTD = "GTD"
    """Rests until its expiration."""
    FOK = "FOK"
    """All at once or nothing."""
    FAK = "FAK"
    """What is there, the rest is gone."""


class OrderForm:
    """Writes the orders of one account and API key. What does not change between them is laid out once."""

    def __init__(self, account: Account, owner: str) -> None:
        self._parties = f'"maker":"{account.funder}","signer":"{account.signer}"'
        self._type = account.signature_type.value
        self._owner = msgspec.json.encode(owner).decode()

    def body(
        self, order: Order, signed: Signed, expiration_s: int, order_type: OrderType, post_only: bool
    ) -> bytes:
        """The body of create order. ``expiration_s`` is not part of what is signed; ``0`` for none."""
        return (
            f'{{"order":{{"salt":{order.salt},{self._parties},"tokenId":"{order.token_id}",'
            f'"makerAmount":"{order.maker_amount}","takerAmount":"{order.taker_amount}",'
            f'"side":"{order.side.name}","expiration":"{expiration_s}","signatureType":{self._type},'
            f'"timestamp":"{order.timestamp_ms}",{_NO_TAGS},"signature":"{signed.signature}"}},'
            f'"owner":{self._owner},"orderType":"{order_type.value}","deferExec":false,'
            f'"postOnly":{"true" if post_only else "false"}}}'
        ).encode()
