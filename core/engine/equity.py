"""What the account is worth, and the highest it was within seven world days.

The peak is kept as the desk's own result, without the cash that was brought in: a deposit or a
withdrawal is neither a gain nor a drawdown. One row a day and one for each step up, so that a restart
knows the peak to within a thousandth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta

import msgspec

from core.domain.units import Money

PEAK_DAYS = 7
STEP_DIVISOR = 1_000
"""A higher peak is journalled once it rose by this part of the equity."""


class PeakReached(msgspec.Struct, frozen=True):
    """Payload of an ``EQUITY`` row: the day's highest result since the journal began."""

    day: str
    result: int
    anew: bool = False
    """Whether earlier peaks no longer count: the operator has re-enabled after a drawdown."""


class Equity:
    """``peaks`` are the journal's; ``note`` writes a new one."""

    def __init__(self, peaks: Mapping[str, int], note: Callable[[PeakReached], None]) -> None:
        self._peaks = dict(peaks)
        self._noted = dict(peaks)
        self._note = note
        self.now: Money | None = None
        self.peak: Money | None = None

    def mark(self, day: str, base: Money | None, result: Money | None, *, whole: bool = True) -> None:
        """Once a second: ``base`` is the cash without anything the desk did to it, ``result`` what it did.

        Either is ``None`` while it is not known. A result that is not ``whole``, a venue's part being
        taken at cost, is never a peak.
        """
        if base is None or result is None or not day:
            self.now = self.peak = None
            return
        if whole or not self._peaks:
            self._peaks[day] = max(self._peaks.get(day, result), result)
        first = (date.fromisoformat(day) - timedelta(days=PEAK_DAYS - 1)).isoformat()
        self._peaks = {known: peak for known, peak in self._peaks.items() if known >= first}
        step = max(1, abs(base + result) // STEP_DIVISOR)
        if day in self._peaks and (day not in self._noted or self._peaks[day] - self._noted[day] >= step):
            self._write(PeakReached(day, self._peaks[day]))
        self.now, self.peak = Money(base + result), Money(base + max(self._peaks.values(), default=result))

    def begin_anew(self, day: str, base: Money, result: Money) -> None:
        """The operator goes on from here: what was before is no peak any more."""
        self._peaks, self._noted = {day: result}, {}
        self._write(PeakReached(day, result, anew=True))
        self.mark(day, base, result)

    def _write(self, peak: PeakReached) -> None:
        self._noted[peak.day] = peak.result
        self._note(peak)


def take(peaks: dict[str, int], row: PeakReached) -> None:
    """Fold one ``EQUITY`` row of the journal."""
    if row.anew:
        peaks.clear()
    peaks[row.day] = row.result
