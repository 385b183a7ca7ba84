"""What other models make of a day than the recorded one: each has errors of its own.

The recorded model's error is that of its last forecast of a day, without its usual bias. Another one keeps a
part of it and adds its own, so that who weighs several knows more than who reads one, as the crowd does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec

from core.sim.chance import normal


class Opinion(msgspec.Struct, frozen=True):
    """A model against the recorded one. ``own`` counts in that one's usual spread."""

    off_f: float = 0.0
    """How far it lies off on average."""
    kept: float = 1.0
    """Of the recorded model's error what it has as well."""
    own: float = 0.0
    """Standard deviation of its own error a day ahead."""


RECORDED = Opinion()
BLEND = "nbm"
"""The weather service's: corrected already, it lies off by nothing."""
OPINIONS: Mapping[str, Opinion] = {
    "ecmwf_ifs025": Opinion(-1.4, 0.80, 0.50),
    "icon_seamless": Opinion(-1.0, 0.85, 0.55),
    "gem_seamless": Opinion(0.1, 0.85, 0.60),
    "ncep_hrrr_conus": Opinion(0.3, 0.85, 0.45),
    BLEND: Opinion(0.0, 0.80, 0.35),
}
SAME = {"gfs_hrrr": "ncep_hrrr_conus"}
"""Models that say what another one says, under a name of their own."""
_TODAY, _A_DAY, _MOST = 0.75, 0.25, 1.75
"""Of its own error what a model has on the day itself, what each day ahead adds, and where that ends."""
_STEADY = 0.9
"""Of its own error what it repeats from one day to the next."""


class Error(msgspec.Struct, frozen=True):
    """How far the recorded model's last forecast of a day was off, its usual bias apart, and how far such
    forecasts usually are."""

    f: float
    usual_f: float


def off_f(model: str) -> float:
    """How far a model lies off the recorded one where they know the same."""
    return OPINIONS.get(SAME.get(model, model), RECORDED).off_f


def shift_f(model: str, error: Error, label: str, lead_days: int) -> float:
    """How far a model's forecast of a day, so many days ahead, lies off the recorded one's. ``label`` names
    the world, the station and the day."""
    model = SAME.get(model, model)
    of = OPINIONS.get(model, RECORDED)
    if of is RECORDED:
        return 0.0
    grown = min(_MOST, _TODAY + _A_DAY * max(0, lead_days))
    steady, fresh = normal(f"{label}|{model}"), normal(f"{label}|{model}|{lead_days}")
    own = _STEADY * steady + math.sqrt(1 - _STEADY**2) * fresh
    return of.off_f - (1 - of.kept) * error.f + error.usual_f * of.own * grown * own
