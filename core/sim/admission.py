"""What makes an order malformed, whatever the book and the account look like."""

from __future__ import annotations

from core.domain.units import Price
from core.sim.contracts import on_grid
from core.sim.orders import OrderRequest, Refused, TimeInForce

COUNT_STEP = 10_000
"""Contracts trade in hundredths."""


def malformed(r: OrderRequest, ranges: tuple[tuple[Price, Price, Price], ...], now_ms: int) -> Refused | None:
    """The refusal a request earns by itself, or None. Kalshi API: create order."""
    if not on_grid(r.price, ranges):
        return Refused("invalid_price", "invalid price")
    for broken, details in (
        (r.count <= 0 or r.count % COUNT_STEP != 0, "count must be a positive multiple of 0.01"),
        (r.reduce_only and r.tif is not TimeInForce.IOC, "reduce_only requires immediate_or_cancel"),
        (r.post_only and r.tif is not TimeInForce.GTC, "post_only requires good_till_canceled"),
        (
            r.expiration_ms is not None and r.tif is not TimeInForce.GTC,
            "expiration_time requires good_till_canceled",
        ),
        (r.expiration_ms is not None and r.expiration_ms <= now_ms, "expiration_time is in the past"),
    ):
        if broken:
            return Refused("invalid_order", "invalid order", details)
    return None
