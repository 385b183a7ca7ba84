"""Wallets: what they hold on the chain, what is under way, what open orders keep aside.

Amounts are millionths: of a dollar for the collateral, of a share for outcome tokens. The venue reads
balances from a cache that may lag behind the chain; what it says and what it admits come from there.
"""

from __future__ import annotations

import msgspec

from core.sim.polymarket import chain
from core.sim.polymarket.orders import Order
from core.sim.polymarket.typed_data import SignatureType

PUSD = "pUSD"
UNLIMITED = 2**256 - 1


class Wallet(msgspec.Struct, eq=False):
    """``owner`` is the key's address that signs for it; ``address`` is the funder."""

    address: str
    owner: str
    signature_type: SignatureType
    held: dict[str, int] = {}
    """On the chain, by token id or ``PUSD``."""
    outgoing: dict[str, int] = {}
    """Given away by trades that are not mined yet."""
    reserved: dict[str, int] = {}
    allowances: dict[str, int] = msgspec.field(
        default_factory=lambda: dict.fromkeys(chain.SPENDERS, UNLIMITED)
    )
    open: dict[str, Order] = {}
    """Its resting and delayed orders by id, oldest first."""
    stale: dict[str, tuple[int, int]] = {}
    """What the venue's cache still says and until when, where it lags."""
    closed_only: bool = False
    banned: bool = False

    def balance(self, asset: str) -> int:
        return self.held.get(asset, 0)

    def seen(self, asset: str, now_ms: int) -> int:
        """The balance as the venue's cache has it."""
        told, until_ms = self.stale.get(asset, (0, 0))
        return told if now_ms < until_ms else self.balance(asset)

    def available(self, asset: str, now_ms: int) -> int:
        """What a new order may use: never more than the chain has, whatever the cache says."""
        balance = min(self.balance(asset), self.seen(asset, now_ms))
        return balance - self.outgoing.get(asset, 0) - self.reserved.get(asset, 0)

    def covered(self, asset: str) -> bool:
        """Whether the chain still has what open orders and trades under way will take."""
        return self.balance(asset) >= self.outgoing.get(asset, 0) + self.reserved.get(asset, 0)

    def move(self, asset: str, amount: int, now_ms: int, lag_ms: int) -> None:
        """Change a balance on the chain; the venue notices after ``lag_ms``."""
        if lag_ms:
            self.stale[asset] = (self.seen(asset, now_ms), now_ms + lag_ms)
        self.held[asset] = self.balance(asset) + amount

    def refresh(self, asset: str) -> None:
        """Make the venue read the chain again."""
        self.stale.pop(asset, None)

    def reserve(self, order: Order, amount: int) -> None:
        """Keep ``amount`` aside for an order instead of what it had."""
        asset = given(order)
        self.reserved[asset] = self.reserved.get(asset, 0) + amount - order.reserved
        order.reserved = amount

    def lock(self, asset: str, amount: int) -> None:
        """Count ``amount`` more (or, below zero, less) as on its way out."""
        self.outgoing[asset] = self.outgoing.get(asset, 0) + amount


def given(order: Order) -> str:
    """What an order gives: collateral for a BUY, its token for a SELL."""
    return PUSD if order.buys else order.token_id


def needed(order: Order) -> int:
    """What the rest of a resting order may still take. Makers pay no fee."""
    return -(-order.remaining * order.own_price // 10_000) if order.buys else order.remaining
