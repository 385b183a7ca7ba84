"""The arithmetic of a pricing pass on whole arrays: laws and edges to probabilities, their errors, prices.

A law's probability of an outcome is the difference of its distribution at the outcome's two edges, so those
of contiguous outcomes telescope and sum to one. Arrays of edges are of shape ``(2, n)``: lower, then upper.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.domain.units import ONE_DOLLAR
from core.models.laws import Array, Shape, below, density


def probabilities(shape: Shape, edges: Array, location: Array, scale: Array) -> Array:
    """The mass of each law between its two edges."""
    lower, upper = edges
    mass = _below(shape, upper, location, scale)
    mass -= _below(shape, lower, location, scale)
    return np.asarray(np.maximum(mass, 0.0, out=mass))


def _below(shape: Shape, edge: Array, location: Array, scale: Array) -> Array:
    z = edge - location
    z /= scale
    return below(shape, z)


def slopes(shape: Shape, edges: Array, location: Array, scale: Array, drift: Array) -> tuple[Array, Array]:
    """How ``probabilities`` change with the location, in scales, and with the logarithm of the scale.

    ``drift`` is how far the location moves with the latter, in the law's unit.
    """
    z = (edges - location) / scale
    height = density(shape, z)
    with np.errstate(invalid="ignore"):
        turned = np.where(np.isfinite(z), -height * (z + drift / scale), 0.0)
    return height[0] - height[1], turned[1] - turned[0]


def prices(chances: Array) -> npt.NDArray[np.int64]:
    """Probabilities as whole ten-thousandths of a dollar, the nearest."""
    return np.rint(chances * ONE_DOLLAR).astype(np.int64)
