"""Orders, and the positions they have made."""

from __future__ import annotations

import msgspec


class OrderRow(msgspec.Struct, frozen=True, array_like=True):
    client_order_id: str
    order_id: str
    key: int
    closes: bool
    outcome: str
    price: int
    quantity: int
    filled: int
    leaves: int
    ahead: int | None
    state: str
    reason: str
    created_ns: int
    expires_wall_ms: int | None
    next_check_ns: int | None
    """UNKNOWN orders: when the venue is asked again."""
    bound: str
    """UNKNOWN orders: the worst it could still do."""
    external: bool
    ended_ns: int | None
    venue: str = ""
    unsettled: int = 0
    """Of what is filled: contracts whose trade may still fail."""
    failed: int = 0
    """Contracts the venue matched and that never were: their trade failed to settle."""
    said: str = ""
    """The venue's own word for a working order that does not simply rest, such as delayed."""
    ticker: str = ""
    """The venue's name of a market that is not on the desk any more, else empty."""
    ordered: int = 0
    """Contracts it was sent with, where its size was changed since; else 0."""
    average: int | None = None
    """Price its fills came to, in terms of ``outcome``; ``None`` while nothing is filled."""
    fee: int = 0
    """Of its fills."""
    reduces: bool = False
    """Whether it can be made smaller now without losing its place in the queue."""


class PositionRow(msgspec.Struct, frozen=True, array_like=True):
    key: int
    """Negative for a market that is not on the desk."""
    net: int
    average: int | None
    cost: int
    max_loss: int
    open_pnl: int | None
    exit_price: int | None
    fair: int | None
    today: int
    exit_rule: str
    venue_net: int | None
    """What the venue says when it differs from us, else ``None``."""
    ticker: str = ""
    """The venue's name of a market that is not on the desk, else empty."""
    unsettled: int = 0
    """Contracts of it whose trade may still fail: they cannot be sold yet."""
    failed: int = 0
    """Contracts of this market whose trade failed to settle, and that never were."""
    pairs: int = 0
    """YES and NO held together beside ``net``: worth a dollar a pair, to be merged on the venue's page."""
    redeemable: int = 0
    """Winning contracts that wait to be paid out by hand, on the venue's page."""
    page: str = ""
    """That page; empty where nothing is to be done there."""
    venue: str = ""
    sellable: int = 0
    """Contracts an exit may sell now: confirmed, and in no order that sells them already."""
    dust: bool = False
    """Whether all of it is less than the venue's smallest order: it stays until the market resolves."""
