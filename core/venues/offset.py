"""How far a venue's clock is from ours, from the ``Date`` of its answers."""

from __future__ import annotations

from collections import deque
from email.utils import parsedate_to_datetime
from typing import Final

SLACK_MS: Final = 50
"""More than rounding and drift make answers contradict each other by."""
SAMPLES: Final = 16


def date_ms(header: str) -> int | None:
    """A ``Date`` header in Unix milliseconds, whole seconds."""
    try:
        return int(parsedate_to_datetime(header).timestamp() * 1_000)
    except (ValueError, OverflowError):
        return None


class ClockOffset:
    """Venue clock minus ours: the smallest difference that all of the last answers allow.

    A ``Date`` is cut to whole seconds, so one answer allows a second; several narrow it down. What
    they only leave possible is no fault of the clock: it is called off when that is proved.
    """

    def __init__(self) -> None:
        self._samples: deque[tuple[int, int]] = deque(maxlen=SAMPLES)

    def observe(self, venue_ms: int, sent_ms: int, round_trip_ms: int) -> None:
        """An answer whose clock said ``venue_ms``, cut to a whole second; we asked at ``sent_ms``."""
        self._samples.append((venue_ms - sent_ms - round_trip_ms, venue_ms + 1_000 - sent_ms))

    def ms(self) -> int | None:
        """``None`` before the first answer."""
        if not self._samples:
            return None
        low, high = max(low for low, _ in self._samples), min(high for _, high in self._samples)
        # Many answers narrow it down until they contradict each other by rounding and drift alone.
        if low - high > SLACK_MS:  # a clock was set meanwhile: only the newest answer knows
            low, high = self._samples[-1]
        low, high = min(low, high), max(low, high)
        return low if low > 0 else min(high, 0)
