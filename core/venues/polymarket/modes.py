"""What the matching engine lets through just now, as far as its refusals say.

Nothing can be asked for this: a restart shows as 425 on orders, then about two minutes of post-only, and
there is no schedule to rely on (Polymarket reference, section 6.3). A mode holds until an order is taken or
its time is over; then the next order finds out.
"""

from __future__ import annotations

from typing import Final

import msgspec

from core.domain.clock import Clocks
from core.venues.exchange import ExchangeState, Restriction
from core.venues.polymarket.errors import Meaning, Refusal


class _Mode(msgspec.Struct, frozen=True):
    said: Restriction
    words: str
    cancels: bool
    """Whether cancels go through."""
    lasts_s: int
    """How long to believe it where the venue names no time."""


_MODES: Final = {
    Meaning.RESTARTING: _Mode(Restriction.RESTART, "the matching engine restarts", False, 30),
    Meaning.POST_ONLY: _Mode(Restriction.POST_ONLY, "post-only after a restart", True, 120),
    Meaning.CANCEL_ONLY: _Mode(Restriction.CANCEL_ONLY, "cancels only", True, 60),
    Meaning.DISABLED: _Mode(Restriction.PAUSED, "trading is disabled", False, 60),
}
NORMAL: Final = ExchangeState(exchange_active=True, trading_active=True)


class Modes:
    """The mode heard of last."""

    def __init__(self, clocks: Clocks) -> None:
        self._clocks = clocks
        self._state, self._until_ns = NORMAL, 0
        self._only_rests = False
        """Whether the mode takes orders that can only rest, and no others."""

    def refused(self, said: Refusal) -> bool:
        """Take note of a refusal; true when it was about the engine and not about the order."""
        mode = _MODES.get(said.meaning)
        if mode is None:
            return False
        self._only_rests = said.meaning is Meaning.POST_ONLY
        lasts_s = said.retry_after_s or mode.lasts_s
        self._until_ns = self._clocks.mono_ns() + lasts_s * 1_000_000_000
        self._state = ExchangeState(
            exchange_active=mode.cancels,
            trading_active=False,
            resumes_ms=self._clocks.wall_ms() + lasts_s * 1_000,
            mode=mode.words,
            said=mode.said,
        )
        return True

    def accepted(self, *, post_only: bool) -> None:
        """An order was taken. One that could only rest says nothing of the others where only it may pass."""
        if not (post_only and self._only_rests):
            self._state = NORMAL

    def state(self) -> ExchangeState:
        if self._clocks.mono_ns() >= self._until_ns:
            self._state = NORMAL
        return self._state
