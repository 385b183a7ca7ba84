"""Why a card was vetoed, told by one key after the veto. Pure rules on monotonic nanoseconds.

The veto leaves at once, for saying no needs no dialog; the question for its reason stands for a few seconds.
Any other key closes it and does what it always does. A reason's key held down is that reason once.
"""

from __future__ import annotations

from core.control.tables.cards import ProposalRow
from tui.arming import HELD_NS

REASONS = {"p": "price", "d": "data", "n": "news", "s": "size", "o": "other"}
NO_REASON = "escape"
ASK_NS = 6_000_000_000


class VetoQuestion:
    """The last veto whose reason may still be told, and the key that told one."""

    def __init__(self) -> None:
        self._about: ProposalRow | None = None
        self._until_ns = 0
        self._told: tuple[str, int] = ("", 0)

    def ask(self, card: ProposalRow, now_ns: int) -> None:
        self._about, self._until_ns = card, now_ns + ASK_NS

    def about(self, now_ns: int) -> ProposalRow | None:
        """The vetoed card that is asked about; ``None`` without a question."""
        return self._about if now_ns < self._until_ns else None

    def close(self) -> None:
        self._about = None

    def takes(self, key: str, arrived_ns: int, now_ns: int) -> bool:
        """Whether a key belongs to the question, which it then ends; ``REASONS`` says what it means. The key
        that told a reason still does while it is held."""
        told, told_ns = self._told
        held = key == told and arrived_ns - told_ns < HELD_NS
        asked = self.about(now_ns) is not None
        self.close()
        if held or (asked and (key in REASONS or key == NO_REASON)):
            self._told = (key, arrived_ns)
            return True
        return False
