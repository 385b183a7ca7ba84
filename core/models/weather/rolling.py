"""Rolling station model: the forecast corrected by its own recent bias, with its own recent spread.

For a station and lead, over the last 75 days whose outcome was known when the forecast was issued:
``b = mean(f - y)``, ``sigma^2 = var(f - y) (1 + 1/n)``, ``T ~ N(f - b, sigma^2)``. Sigma is fitted to
whole observed degrees, so it already holds the rounding variance.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

import msgspec

from core.feeds.stations import DAY_MS, HOUR_MS, Station, climate_day_bounds, shift_day
from core.models.weather.history import PastDay
from core.models.weather.predictors import FROZEN_DAYS
from core.models.weather.temperature import Temperature

NAME = "rolling"
VERSION = "1"

DAYS_USED = 75
DAYS_MIN = 60
HISTORY_GAP_DAYS_MAX = 14
"""The newest usable day may lie this far before the forecast: an older bias belongs to another season."""

OUTCOME_KNOWN_AFTER_MS = 12 * HOUR_MS
"""Climate reports are issued in the ten hours after the climate day ends."""

SIGMA_BOUNDS_F = (1.0, 7.0)
BIAS_MAX_F = 6.0
"""Outside these at lead 0 or 1 it is a data fault, not weather."""


class Fit(msgspec.Struct, frozen=True):
    """Bias and spread of one station and lead as known at one moment."""

    bias_f: float
    sigma_f: float
    days: int
    first: str
    last: str
    newest: tuple[float, ...] = ()
    """What was forecast of the last days."""

    def stands_still(self, forecast_f: float) -> bool:
        """Whether the forecast repeats what was said of every one of the last days."""
        return len(self.newest) == FROZEN_DAYS - 1 and set(self.newest) == {forecast_f}

    def predict(self, forecast_f: float) -> Temperature:
        return Temperature(
            mean=forecast_f - self.bias_f,
            sigma=self.sigma_f,
            mean_se=self.sigma_f / math.sqrt(self.days),
            sigma_se=self.sigma_f / math.sqrt(2 * self.days),
        )


def fit(
    past: Sequence[PastDay], station: Station, lead_days: int, issued_ms: int, offset_days: int = 0
) -> Fit | str:
    """Fit on those of the days that are known at ``issued_ms`` (world time), or say in one sentence why not.

    ``offset_days`` moves an original day to its world day when recorded days are replayed.
    """
    if not past:
        return f"no past forecasts for {station.icao} at lead {lead_days}"
    issued_original_ms = issued_ms - offset_days * DAY_MS
    known = [
        d
        for d in past
        if climate_day_bounds(station, d.day)[1] + OUTCOME_KNOWN_AFTER_MS <= issued_original_ms
    ][-DAYS_USED:]
    if len(known) < DAYS_MIN:
        return f"{len(known)} past days for {station.icao} at lead {lead_days}, {DAYS_MIN} needed"
    newest_end_ms = climate_day_bounds(station, shift_day(known[-1].day, HISTORY_GAP_DAYS_MAX))[1]
    if newest_end_ms < issued_original_ms:
        return f"history for {station.icao} ends {known[-1].day}, more than {HISTORY_GAP_DAYS_MAX} days ago"
    errors = [d.forecast_f - d.observed_f for d in known]
    bias = statistics.fmean(errors)
    sigma = math.sqrt(statistics.variance(errors, bias) * (1 + 1 / len(errors)))
    if not SIGMA_BOUNDS_F[0] <= sigma <= SIGMA_BOUNDS_F[1]:
        return (
            f"sigma {sigma:.1f}F for {station.icao} is outside {SIGMA_BOUNDS_F[0]:g}..{SIGMA_BOUNDS_F[1]:g}F"
        )
    if abs(bias) > BIAS_MAX_F:
        return f"bias {bias:+.1f}F for {station.icao} is larger than {BIAS_MAX_F:g}F"
    newest = tuple(d.forecast_f for d in known[1 - FROZEN_DAYS :])
    return Fit(bias, sigma, len(errors), known[0].day, known[-1].day, newest)
