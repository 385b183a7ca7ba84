"""What a model's record of settled events is worth: its weight in the pool, and whether it trades alone."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable

import msgspec

from core.models.pooling import Weights

DAYS_MIN = 60
"""Settled days on paper before a record says anything."""
ERRORS_MIN = 2.0
"""A gain of fewer standard errors may be chance."""
ERRORS_MAX = 3.0
"""The mean PIT of a calibrated law is 1/2, within so many standard errors of a uniform's mean; the share of
outcomes in its middle is what it should be, within those of a share."""
BOUGHT_DAYS_MIN = 20
"""Days with something bought from which on its closing-line value has to be above nothing."""
MIDDLE = 0.8
"""Of a law, whose coverage is watched."""
COVERED_DAYS_MIN = 20
"""Of fewer days a share is too far from a normal's."""


class Evidence(msgspec.Struct, frozen=True):
    """How a model did on the settled events of one series, scored out of sample.

    ``gain`` is the mean fall of the log loss of an event (nats) from the sharpened market to the pool in
    which the model counted ``weight``; ``error`` is its standard error, clustered by day.
    """

    series: str
    model: str
    days: int
    gain: float
    error: float
    weight: float
    simulated: bool = False
    """Measured in a simulated world: it says nothing of a real one."""
    pit_mean: float | None = None
    """Where the outcomes lay in the model's laws, on average; ``None`` where they have no order."""
    covered: float | None = None
    """Share of the outcomes in the central ``MIDDLE`` of the model's laws."""
    slipping: str = ""
    """Since which day the pool has lost to the market beyond what chance does, ``YYYY-MM-DD``; empty where it
    has not."""
    beaten: float | None = None
    """Mean closing-line value of what was bought on it; ``None`` before anything was."""
    beaten_error: float | None = None
    beaten_days: int = 0
    """Days it is of."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.gain) and 0.0 <= self.error < math.inf and 0.0 <= self.weight <= 1.0):
            raise ValueError(f"{self.series} {self.model}: a gain, its error and a weight must be numbers")


class Verdict(enum.Enum):
    PROVEN = "proven"
    INSUFFICIENT = "insufficient"
    WORTHLESS = "worthless"


class Standing(msgspec.Struct, frozen=True):
    """What a record allows. ``sentence`` says why, for the card."""

    verdict: Verdict
    weight: float
    """Of the model in the pool."""
    sentence: str

    @property
    def doubt(self) -> str:
        """Why automatic mode opens nothing on this model; empty where it may."""
        return "" if self.verdict is Verdict.PROVEN else self.sentence


Judge = Callable[[str, str, Weights], Standing]
"""The standing of a series and a model; the weights are what a model without a record gets."""


def standing(known: Evidence | None, usual: Weights) -> Standing:
    """A record of too few days leaves the usual weight, a gain of none takes it. A measured gain earns the
    weight it was measured with, less the part of it that may be chance: ``gain^2 / (gain^2 + error^2)``."""
    if known is None:
        return Standing(Verdict.INSUFFICIENT, usual.model, "evidence insufficient: no settled days scored")
    mark = "SIM: " if known.simulated else ""
    if why := _uncalibrated(known):
        return Standing(Verdict.WORTHLESS, 0.0, f"{mark}{why}")
    if known.days < DAYS_MIN:
        days = f"{known.days} of {DAYS_MIN} settled days scored"
        return Standing(Verdict.INSUFFICIENT, usual.model, f"{mark}evidence insufficient: {days}")
    found = f"{known.gain:+.3f} +- {known.error:.3f} nats an event against the market over {known.days} days"
    if known.gain <= 0.0:
        return Standing(Verdict.WORTHLESS, 0.0, f"{mark}the model adds nothing: {found}")
    if why := _against(known):
        return Standing(Verdict.WORTHLESS, 0.0, f"{mark}{why}")
    weight = known.weight * known.gain**2 / (known.gain**2 + known.error**2)
    if known.gain < ERRORS_MIN * known.error:
        return Standing(Verdict.INSUFFICIENT, weight, f"{mark}evidence insufficient: {found} may be chance")
    if known.beaten is not None and known.beaten_days >= BOUGHT_DAYS_MIN and not known.beaten > 0.0:
        why = f"what was bought on it over {known.beaten_days} days was not cheap at the close"
        line = f"closing-line value {known.beaten:+.3f}"
        return Standing(Verdict.INSUFFICIENT, weight, f"{mark}evidence insufficient: {why}, {line}")
    return Standing(Verdict.PROVEN, weight, f"{mark}the model adds {found}")


def _uncalibrated(known: Evidence) -> str:
    """Why a model may not be traded on until what it says is so again, however few days tell of it: their
    number is in the bounds. It is scored on, on paper."""
    if known.pit_mean is not None:
        allowed = ERRORS_MAX / math.sqrt(12.0 * known.days)
        if not abs(known.pit_mean - 0.5) <= allowed:  # what is no number is not within it either
            side = "too low" if known.pit_mean > 0.5 else "too high"
            found = f"mean PIT {known.pit_mean:.2f}, not 0.5 +- {allowed:.2f}"
            return f"the model is biased, it lies {side}: {found}"
    if known.covered is not None and known.days >= COVERED_DAYS_MIN:
        allowed = ERRORS_MAX * math.sqrt(MIDDLE * (1.0 - MIDDLE) / known.days)
        if not abs(known.covered - MIDDLE) <= allowed:
            side = "too narrow" if known.covered < MIDDLE else "too wide"
            found = f"{known.covered:.2f} of the outcomes in its middle {MIDDLE:.2f}, not +- {allowed:.2f}"
            return f"the model is {side}: {found}"
    if known.slipping:
        return f"the model loses to the market since {known.slipping}, beyond what chance does"
    return ""


def _against(known: Evidence) -> str:
    """What speaks against a model whatever it gained."""
    beaten, error = known.beaten, known.beaten_error
    if beaten is not None and error is not None and not beaten + ERRORS_MIN * error >= 0.0:
        lost = f"closing-line value {beaten:+.3f} +- {error:.3f}"
        return f"the market moved against what was bought on the model: {lost}"
    return ""
