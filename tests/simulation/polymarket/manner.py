"""How a world's markets treat takers: on the real venue sports markets delay them, crypto ones hold them."""

from __future__ import annotations

import random

import msgspec

from core.sim.polymarket.contracts import MarketSpec
from core.sim.polymarket.delays import Delays

DELAYING, HOLDING = 1 / 2, 1 / 3
"""Share of the worlds with markets that delay, and of those with markets that hold; some have both."""
DELAYS_S = (1, 3, 6)
INVALID_SHARES = (0.0, 0.1, 0.3)


class Manner(msgspec.Struct, frozen=True):
    """One world's: ``delay_s`` is that of one market in three, the others may hold takers."""

    delay_s: int = 0
    holds: bool = False
    delays: Delays = Delays()

    @staticmethod
    def drawn(rng: random.Random) -> Manner:
        delays, holds = rng.random() < DELAYING, rng.random() < HOLDING
        return Manner(
            rng.choice(DELAYS_S) if delays else 0,
            holds,
            Delays(unseen=rng.random() < 0.5, invalid_share=rng.choice(INVALID_SHARES)),
        )

    def of(self, spec: MarketSpec) -> MarketSpec:
        """A market as this world has it."""
        if spec.number % 2:
            return msgspec.structs.replace(spec, holds_takers=self.holds)
        return msgspec.structs.replace(spec, delay_s=self.delay_s)
