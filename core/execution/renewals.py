"""Keeps resting orders alive at the venue, a short while at a time, only as long as this engine is well.

Every resting order has an end the venue itself enforces. It is moved by an amendment of the expiry
alone, which keeps the place in the queue. A wedged, halted or unsupervised engine stops moving it
and so loses its orders; an order whose renewal failed is left to die.
"""

from __future__ import annotations

from core.domain.clock import Clocks
from core.domain.order import Command, Life, Order, TimeInForce
from core.execution.gateway import Gateway, Unfit
from core.execution.share import Share

LIFE_MS = 120_000
"""How long an order outlives the last renewal."""
LEFT_MS = 60_000
"""Asked for with so much life left that an unanswered renewal can still be looked up before the end."""
TICK_MAX = 3
"""Renewals a second: a burst of them must not stand in the way of anything else."""


class Renewals:
    """``tick`` once a second. ``stopped`` says why an order due for it was left alone, for the screen."""

    def __init__(self, *, share: Share, gateway: Gateway, clocks: Clocks, unfit: Unfit) -> None:
        self._share = share
        self._gateway = gateway
        self._clocks = clocks
        self._unfit = unfit
        self.stopped = ""

    def tick(self) -> None:
        """Renew what is due; a reason against one order does not hold up the others."""
        now, self.stopped, sent = self._clocks.wall_ms(), "", 0
        due = [order for order in self._share.live.values() if self._due(order, now)]
        for order in sorted(due, key=lambda order: order.expires_ms or 0):
            why = self._unfit(order)
            if why:
                self.stopped = why
            elif sent < TICK_MAX:
                sent += 1
                # The wire carries whole seconds: rounded up, what the venue enforces is in our row.
                ends = -(-(now + LIFE_MS) // 1000) * 1000
                self._gateway.renew(order.intent.client_order_id, ends, self._unfit)

    def _due(self, order: Order, now: int) -> bool:
        """A pending command, a refused or an unanswered renewal is not followed by another one."""
        ends = order.expires_ms
        return (
            order.life is Life.WORKING
            and order.intent.tif is TimeInForce.GTC
            and order.command is Command.NONE
            and order.ending is None
            and bool(order.order_id)
            and ends is not None
            and 0 < ends - now <= LEFT_MS
            and not self._gateway.cancelling(order.intent.client_order_id)
        )
