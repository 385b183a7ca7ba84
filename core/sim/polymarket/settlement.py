"""From MATCHED to CONFIRMED, or to FAILED: what happens to a trade after the exchange has announced it.

Until it is mined both sides' assets are on their way and nobody has the other's; mined, they have changed
hands. A failed trade gives everything back: to whoever counted on it, a ghost fill.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from random import Random

import msgspec

from core.domain.clock import Clock
from core.sim.polymarket import chain
from core.sim.polymarket.orders import Stage, Trade


class Pace(msgspec.Struct):
    """How settlement goes. Times are milliseconds from one stage to the next, shares are 0 to 1."""

    mined_ms: int = 2_000
    confirmed_ms: int = 4_000
    retry_ms: int = 3_000
    fail_share: float = 0.0
    retry_share: float = 0.0
    """Trades that are retried on the way, whatever becomes of them."""
    reorg_share: float = 0.0
    """Mined trades that are thrown out of the chain once and retried."""
    stuck: bool = False
    """Nothing that is matched moves on."""


_ROUTES = {
    # fails, retried, reorganised
    (False, False, False): (Stage.MINED, Stage.CONFIRMED),
    (False, True, False): (Stage.RETRYING, Stage.MINED, Stage.CONFIRMED),
    (False, False, True): (Stage.MINED, Stage.RETRYING, Stage.MINED, Stage.CONFIRMED),
    (False, True, True): (Stage.RETRYING, Stage.MINED, Stage.RETRYING, Stage.MINED, Stage.CONFIRMED),
    (True, False, False): (Stage.FAILED,),
    (True, True, False): (Stage.RETRYING, Stage.FAILED),
    (True, False, True): (Stage.MINED, Stage.RETRYING, Stage.FAILED),
    (True, True, True): (Stage.RETRYING, Stage.MINED, Stage.RETRYING, Stage.FAILED),
}


class Settlement:
    """Trades on their way. ``settle`` and ``undo`` move a trade's assets; ``enter`` announces a stage."""

    def __init__(
        self,
        clock: Clock,
        rng: Random,
        *,
        settle: Callable[[Trade], None],
        undo: Callable[[Trade], bool],
        release: Callable[[Trade], None],
        enter: Callable[[Trade], None],
    ) -> None:
        self.pace = Pace()
        self._clock, self._rng = clock, rng
        self._settle, self._undo, self._release, self._enter = settle, undo, release, enter
        self._due: list[tuple[int, int, Trade, tuple[Stage, ...]]] = []
        self._count = 0

    def begin(self, trade: Trade) -> None:
        """A trade has matched: its way is drawn now."""
        pace = self.pace
        draws = [self._rng.random() for _ in range(3)]
        shares = (pace.fail_share, pace.retry_share, pace.reorg_share)
        route = _ROUTES[draws[0] < shares[0], draws[1] < shares[1], draws[2] < shares[2]]
        self._plan(trade, route, trade.matched_ms)

    def advance(self) -> None:
        """Bring every trade to where it should be by now."""
        while not self.pace.stuck and self._due and self._due[0][0] <= self._clock.wall_ms():
            due_ms, _, trade, route = heapq.heappop(self._due)
            self._step(trade, route, due_ms)

    def _step(self, trade: Trade, route: tuple[Stage, ...], due_ms: int) -> None:
        stage, rest = route[0], route[1:]
        match stage:
            case Stage.MINED:
                trade.hash = "0x" + chain.keccak(f"{trade.trade_id} {len(rest)}".encode()).hex()
                self._settle(trade)
            case Stage.RETRYING if trade.mined and not self._undo(trade):
                # What it paid out is spent already: such a trade stays mined.
                stage, rest = Stage.CONFIRMED, ()
            case Stage.FAILED:
                self._release(trade)
        trade.stage, trade.updated_ms = stage, self._clock.wall_ms()
        self._enter(trade)
        if rest:
            self._plan(trade, rest, due_ms)

    def _plan(self, trade: Trade, route: tuple[Stage, ...], since_ms: int) -> None:
        pace = self.pace
        wait = {Stage.MINED: pace.mined_ms, Stage.CONFIRMED: pace.confirmed_ms}.get(route[0], pace.retry_ms)
        self._count += 1
        heapq.heappush(self._due, (since_ms + wait, self._count, trade, route))
