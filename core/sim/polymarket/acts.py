"""What the venue's world does by itself in a fault plan: settlements that fail, restarts, broken heartbeats.

Each act of the plan is one method; what it began it ends after the act's time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.domain.units import Quantity
from core.sim.fault_kinds import FaultKind
from core.sim.plan import Act
from core.sim.polymarket.crowd import Crowd
from core.sim.polymarket.exchange import Exchange
from core.sim.polymarket.orders import OrderStatus

DUST = Quantity(10_000)
"""What is left of an order that is almost filled: a hundredth of a share."""


class Acts:
    """Carries acts out against the customer whose API key is ``owner``."""

    def __init__(self, exchange: Exchange, crowd: Crowd, owner: str) -> None:
        self._exchange, self._crowd, self._owner = exchange, crowd, owner
        self._ends: list[tuple[int, Callable[[], None]]] = []
        self._hands: dict[FaultKind, Callable[[Act], Callable[[], None] | None]] = {
            FaultKind.X10: self._ghosts,
            FaultKind.X11: self._stick,
            FaultKind.X12: self._flap,
            FaultKind.X14: self._leave_dust,
            FaultKind.X18: self._restart,
            FaultKind.X22: self._lapse,
            FaultKind.X23: self._break_chain,
        }

    def carry_out(self, acts: Sequence[Act]) -> None:
        """Begin what is to begin, end what has lasted long enough."""
        now_ms = self._exchange.clock.wall_ms()
        for due in [entry for entry in self._ends if entry[0] <= now_ms]:
            self._ends.remove(due)
            due[1]()
        for act in acts:
            if (ending := self._hands[act.kind](act)) is not None:
                self._ends.append((now_ms + act.lasts_ms, ending))

    def _ghosts(self, act: Act) -> Callable[[], None]:
        return self._pace("fail_share", 0.5 + act.pick / 2, 0.0)

    def _stick(self, _: Act) -> Callable[[], None]:
        return self._pace("stuck", True, False)

    def _flap(self, act: Act) -> Callable[[], None]:
        return self._pace("retry_share" if act.pick < 0.5 else "reorg_share", 1.0, 0.0)

    def _pace(self, name: str, during: float | bool, after: float | bool) -> Callable[[], None]:
        pace = self._exchange.settlement.pace
        setattr(pace, name, during)
        return lambda: setattr(pace, name, after)

    def _leave_dust(self, act: Act) -> None:
        """Somebody takes all of an order but a hundredth of a share."""
        resting = [o for o in self._exchange.open_orders(self._owner) if o.status is OrderStatus.LIVE]
        if resting:
            order = resting[int(act.pick * len(resting))]
            ahead = self._exchange.books[order.condition_id].ahead_of(order)
            shares = Quantity(ahead + max(0, order.remaining - DUST))
            self._crowd.take(order.condition_id, order.side.opposite, order.price, shares)

    def _restart(self, act: Act) -> None:
        self._exchange.engine.restart(self._exchange.clock.wall_ms(), act.lasts_ms)

    def _lapse(self, _: Act) -> None:
        self._exchange.heartbeats.lapse(self._owner)

    def _break_chain(self, _: Act) -> None:
        self._exchange.heartbeats.break_chain(self._owner)
