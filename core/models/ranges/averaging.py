"""The law of an average that is still running: what is in it is known, the rest walks on from the spot.

A contract settles on the mean of ``of`` values of a second each, the last of them at its end. Seen at the
time of the newest value, ``counted`` of them are known with their mean, ``left`` are to come. The mean of
those ``left`` values of a random walk, the first of them ``wait`` seconds ahead, has the variance

    v^2 (wait + (left - 1)(2 left - 1) / (6 left)),    v^2 the variance of one second.

For ``wait`` = 1 that is v^2 (m + 1)(2m + 1) / 6m, and long before the window it is the variance up to the
end less two thirds of the window, as for a continuous average.
"""

from __future__ import annotations

import math

import msgspec

from core.models.laws import T_SHAPES
from core.models.prediction import Ends, Part, edges

SECOND_MS = 1_000


class Known(msgspec.Struct, frozen=True):
    """The values of an average that are in it: how many, their mean, and the time of the last of them."""

    counted: int
    mean: float
    at_ms: int


class Running(msgspec.Struct, frozen=True):
    """How far an average has come, as of its index's newest value."""

    spot: float
    counted: int
    """Values that are in it."""
    mean: float
    """Of those; 0 where there are none."""
    left: int
    """Values to come."""
    wait_s: float
    """Until the first of them."""

    @property
    def variance_s(self) -> float:
        """Variance of the mean of what is to come, in seconds of the walk's own variance."""
        if not self.left:
            return 0.0
        return self.wait_s + (self.left - 1) * (2 * self.left - 1) / (6 * self.left)

    @property
    def expected(self) -> float:
        """The average's expectation."""
        return (self.counted * self.mean + self.left * self.spot) / (self.counted + self.left)


def running(spot: float, at_ms: int, ends_ms: int, of: int, known: Known | None) -> Running:
    """As of a value of time ``at_ms`` not after ``ends_ms``, hardly newer than the last that is in it.

    What was left out of it before that does not come again: the average is of fewer values then.
    """
    known = known or Known(0, 0.0, at_ms)
    left = min(of, max(0, -(-(ends_ms - known.at_ms) // SECOND_MS)))
    first_ms = ends_ms - (left - 1) * SECOND_MS
    wait_s = max(0, first_ms - at_ms) / SECOND_MS if left else 0.0
    return Running(spot, known.counted, known.mean, left, wait_s)


class Law(msgspec.Struct, frozen=True):
    """Distribution of the settled average. ``deviation`` is relative to the spot: one standard deviation of
    the mean of what is to come; ``degrees`` of the Student's t it follows (in logarithms)."""

    state: Running
    deviation: float
    degrees: int

    @property
    def spread(self) -> float:
        """One standard deviation of the settled average, dollars."""
        share = self.state.left / (self.state.counted + self.state.left)
        return share * self.state.spot * self.deviation

    def part(self, ends: Ends, relative: float) -> Part:
        """Where outcomes lie on it, their ``ends`` in dollars; ``relative`` is the error of ``deviation``."""
        lower, upper = edges([(self.at(low), self.at(high)) for low, high in ends])
        shape, scale = T_SHAPES[self.degrees], self.deviation
        # The law's own unit is logarithms; its mean in dollars is the spot whatever the deviation.
        return Part(
            shape,
            -0.5 * scale**2,
            scale / shape.deviation if scale else 1.0,
            lower,
            upper,
            scale_error=relative,
            drift=-(scale**2),
        )

    def at(self, edge: float | None) -> float | None:
        """``edge`` as a logarithm of what is still to come against the spot; infinite where it is decided."""
        at = self.state
        if edge is None:
            return None
        if not at.left or not self.deviation:
            return math.inf if at.expected <= edge else -math.inf
        wanted = (edge * (at.counted + at.left) - at.counted * at.mean) / at.left
        return math.log(wanted / at.spot) if wanted > 0 else -math.inf


def law(state: Running, variance_per_s: float, degrees: int) -> Law:
    """``variance_per_s`` is the relative variance of one second of the walk."""
    return Law(state, math.sqrt(variance_per_s * state.variance_s), degrees)
