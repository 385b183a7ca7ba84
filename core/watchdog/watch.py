"""When silence has lasted too long: the watchdog's whole judgement, without a socket or a venue."""

from __future__ import annotations

import enum

from core.control.pulse import Pulse


class Suspicion(enum.Enum):
    NONE = "none"
    LOOK = "look"
    """Nobody says that orders are live: the venue is asked, and whatever rests there of ours goes."""
    STRIKE = "strike"
    """Orders may be live: everything is cancelled without asking."""


class Watch:
    """Follows one engine after the other by their pulses. Times are monotonic nanoseconds."""

    def __init__(self, now_ns: int, silent_ns: int) -> None:
        """``silent_ns``: an engine that has not proved life for so long no longer looks after its orders."""
        self._silent_ns = silent_ns
        self.pulse: Pulse | None = None
        self._since_ns = now_ns
        self._settled = False

    def heard(self, pulse: Pulse, now_ns: int) -> None:
        """A pulse that does not move on from the one before proves nothing."""
        before = self.pulse
        if before is not None and before.run == pulse.run and pulse.counter <= before.counter:
            return
        self.pulse, self._since_ns, self._settled = pulse, now_ns, False

    def settled(self) -> None:
        """The venue was seen to: nothing more until an engine proves life again."""
        self._settled = True

    def silent_ns(self, now_ns: int) -> int:
        return now_ns - self._since_ns

    def suspicion(self, now_ns: int) -> Suspicion:
        if self._settled or self.silent_ns(now_ns) < self._silent_ns:
            return Suspicion.NONE
        pulse = self.pulse
        if pulse is not None and pulse.leaving and pulse.kept:
            return Suspicion.NONE
        if pulse is not None and (pulse.live or pulse.drill):
            return Suspicion.STRIKE
        if pulse is not None and pulse.leaving:
            return Suspicion.NONE
        # An order may have left after the last pulse, or before this watchdog was started.
        return Suspicion.LOOK
