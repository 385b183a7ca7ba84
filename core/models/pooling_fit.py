"""Fitting the pool: what weight of the model and what sharpening of the market lose least on settled events,
and what the model adds to the sharpened market.

The loss is convex in the two exponents, so Newton's steps find its one minimum.
"""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from core.models import scores
from core.models.laws import Array
from core.models.pooling import Groups, Weights, pooled

_STEPS_MAX = 50
_SETTLED = 1e-10
_STIFF = 1e-9
MODEL_MAX = 0.9
"""No record of settled events takes the market's word away altogether."""
SHARPEN_MIN = 0.05

Winners = npt.NDArray[np.intp]


class Fitted(msgspec.Struct, frozen=True):
    """What settled events say of the weights, as ``pooling`` has them."""

    model: float
    sharpen: float
    sharpen_alone: float
    """Of the market where no model counts."""
    gain: float
    """Mean fall of an event's log loss (nats) from the market sharpened alone to the pool."""
    error: float
    """One standard error of it, clustered by day."""
    days: int

    def earned(self) -> Weights:
        """Less the part of the gain that may be chance: ``gain^2 / (gain^2 + error^2)`` of the way from the
        market sharpened alone to the pool."""
        if self.gain <= 0.0:
            return Weights(0.0, self.sharpen_alone)
        share = self.gain**2 / (self.gain**2 + self.error**2)
        model = share * self.model
        market = share * self.sharpen * (1.0 - self.model) + (1.0 - share) * self.sharpen_alone
        return Weights(model, market / (1.0 - model))


def fit(model: Array, market: Array, winner: Winners, days: npt.NDArray[np.int64]) -> Fitted:
    """On events (first axis) whose outcomes (second; NaN beyond an event's last) have probabilities by both.

    Needs events of at least two days. Probabilities are floored as they are for the score.
    """
    parts = np.stack([_logs(market), _logs(model)])
    alone = max(SHARPEN_MIN, float(_minimum(parts[:1], winner)[0]))
    market_power, model_power = (float(power) for power in _minimum(parts, winner))
    if model_power <= 0.0:
        return Fitted(0.0, alone, alone, 0.0, 0.0, int(np.unique(days).size))
    weight = min(model_power, MODEL_MAX)
    market_power = max(SHARPEN_MIN, market_power)
    lost = _losses(parts[:1], np.array([alone]), winner)
    gain = scores.by_day(lost - _losses(parts, np.array([market_power, weight]), winner), days)
    return Fitted(weight, market_power / (1.0 - weight), alone, gain.value, gain.se or 0.0, gain.days)


def pool(model: Array, market: Array, weights: Weights) -> Array:
    """Both forecasts of each event together, floored as in ``fit``; NaN beyond an event's last outcome."""
    there = ~np.isnan(market)
    sizes = there.sum(axis=1)
    of = np.repeat(np.arange(sizes.size), sizes)
    groups = Groups(np.cumsum(sizes) - sizes, of, np.array([], dtype=np.int64))
    together = np.full(market.shape, np.nan)
    together[there] = pooled(
        scores.floored(model)[there],
        scores.floored(market)[there],
        np.full(of.size, weights.model),
        np.full(of.size, weights.sharpen),
        groups,
    )
    return together


def _logs(probabilities: Array) -> Array:
    return np.asarray(np.log(scores.floored(probabilities)))


def _powers(parts: Array, exponents: Array) -> tuple[Array, Array]:
    """Pooled probabilities (zero beyond an event's last outcome) and the logarithms of their sums."""
    total = np.tensordot(exponents, parts, axes=1)
    total = np.where(np.isnan(total), -np.inf, total)
    highest = total.max(axis=1, keepdims=True)
    power = np.exp(total - highest)
    sums = power.sum(axis=1, keepdims=True)
    return power / sums, (np.log(sums) + highest)[:, 0]


def _losses(parts: Array, exponents: Array, winner: Winners) -> Array:
    _, log_sums = _powers(parts, exponents)
    won = np.take_along_axis(parts, winner[None, :, None], axis=2)[..., 0]
    return np.asarray(log_sums - exponents @ won)


def _minimum(parts: Array, winner: Winners) -> Array:
    """Exponents of least mean loss."""
    exponents = np.zeros(parts.shape[0])
    exponents[0] = 1.0
    filled = np.nan_to_num(parts, nan=0.0)
    won = np.take_along_axis(filled, winner[None, :, None], axis=2)[..., 0]
    for _ in range(_STEPS_MAX):
        chances, _ = _powers(parts, exponents)
        means = (filled * chances).sum(axis=2)
        slope = (means - won).mean(axis=1)
        apart = (filled - means[..., None]) * np.sqrt(chances)
        curvature = np.einsum("iek,jek->ij", apart, apart) / winner.size
        step = np.linalg.solve(curvature + _STIFF * np.eye(exponents.size), slope)
        length = min(1.0, 1.0 / max(float(np.abs(step).max()), 1e-12))
        exponents = exponents - length * step
        if float(np.abs(step).max()) < _SETTLED:
            break
    return exponents
