"""The JSON of orders and cancels, asked and answered. Keys are in the venue's own order.

Reference: docs.polymarket.com/trading/place-orders and /trading/manage-orders.
"""

from __future__ import annotations

import enum
from typing import Final

import msgspec

from core.venues.polymarket.sign import Order, Signed
from core.venues.polymarket.wallets import Account

_NO_TAG: Final = "0x" + "0" * 64


class OrderType(enum.Enum):
    GTC = "GTC"
    """Rests until it is cancelled."""
    GTD = "GTD"
    """Rests until its expiration."""
    FOK = "FOK"
    """All at once or nothing."""
    FAK = "FAK"
    """What is there, the rest is gone."""


class OrderBody(msgspec.Struct, frozen=True, rename="camel"):
    """A signed order. ``expiration`` is not part of what is signed; whole seconds, ``0`` for none."""

    salt: int
    maker: str
    signer: str
    token_id: str
    maker_amount: str
    taker_amount: str
    side: str
    expiration: str
    signature_type: int
    timestamp: str
    metadata: str
    builder: str
    signature: str


class PostOrder(msgspec.Struct, frozen=True, rename="camel"):
    """Body of create order. ``owner`` is the API key."""

    order: OrderBody
    owner: str
    order_type: OrderType
    defer_exec: bool
    post_only: bool


def order_body(order: Order, account: Account, signed: Signed, expiration_s: int) -> OrderBody:
    return OrderBody(
        salt=order.salt,
        maker=account.funder,
        signer=account.signer,
        token_id=order.token_id,
        maker_amount=str(order.maker_amount),
        taker_amount=str(order.taker_amount),
        side=order.side.name,
        expiration=str(expiration_s),
        signature_type=account.signature_type.value,
        timestamp=str(order.timestamp_ms),
        metadata=_NO_TAG,
        builder=_NO_TAG,
        signature=signed.signature,
    )
