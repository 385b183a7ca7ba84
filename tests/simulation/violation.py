"""A broken promise, and how the two sides of it are written."""

from __future__ import annotations

from core.sim.orders import Order


class ViolationError(AssertionError):
    """The desk broke one of its promises; ``point`` is its number in the oracle's list."""

    def __init__(self, point: int, what: str, belief: object, truth: object) -> None:
        super().__init__(what)
        self.point, self.what, self.belief, self.truth = point, what, belief, truth


def venue_text(order: Order | None) -> str:
    """An order as the venue has it."""
    if order is None:
        return "not at the venue"
    reason = order.reason.value if order.reason is not None else ""
    return f"{order.status.value} {reason} {order.filled}/{order.initial} left {order.remaining}"
