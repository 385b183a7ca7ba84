"""A pricing pass over 10,000 brackets, from arrays to whole prices, against the bare normal on the edges."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from core.models import grid, pooling
from core.models.laws import Array, Shape
from core.models.pooling import Groups
from tests.bench.harness import Pair

EVENTS, BRACKETS = 2_000, 5
OUTCOMES = EVENTS * BRACKETS
PASSES = 20
"""In each sample: one lasts less than a clock's tick is worth."""


class Universe:
    """Ladders of five brackets, the outer two open, each event with a law, mids and weights of its own."""

    def __init__(self) -> None:
        rng = np.random.default_rng(1)

        def each(values: Array) -> Array:
            return np.repeat(values, BRACKETS)

        self.location, self.scale = each(rng.normal(60, 12, EVENTS)), each(rng.uniform(1.0, 5.0, EVENTS))
        inner = np.round(self.location[::BRACKETS] + rng.normal(0, 2, EVENTS))[:, None] + np.array(
            [-3, -1, 1, 3]
        )
        ends = np.full((EVENTS, 1), np.inf)
        self.edges = np.stack([np.hstack([-ends, inner]).ravel(), np.hstack([inner, ends]).ravel()])
        self.mids = rng.uniform(0.0, 0.9, OUTCOMES)
        self.weight, self.sharpen = each(rng.uniform(0.0, 1.0, EVENTS)), each(rng.uniform(1.0, 1.15, EVENTS))
        starts = np.arange(0, OUTCOMES, BRACKETS)
        self.groups = Groups(starts, np.repeat(np.arange(EVENTS), BRACKETS), np.array([], dtype=np.int64))

    def priced(self, shape: Shape) -> npt.NDArray[np.int64]:
        chances = grid.probabilities(shape, self.edges, self.location, self.scale)
        mids = pooling.inside(self.mids)
        return grid.prices(pooling.pooled(chances, mids, self.weight, self.sharpen, self.groups))


def pairs() -> list[Pair]:
    universe = Universe()
    bare = (universe.edges - universe.location) / universe.scale
    for shape in (Shape.NORMAL, Shape.T6):
        sums = np.add.reduceat(universe.priced(shape), universe.groups.starts)
        if np.abs(sums - 10_000).max() > BRACKETS:
            raise AssertionError("the brackets of an event do not sum to a dollar")

    def passing(shape: Shape) -> Pair:
        return Pair(
            f"pricing pass, {shape.value} / bare ndtr",
            lambda: [universe.priced(shape) for _ in range(PASSES)],
            lambda: [ndtr(bare) for _ in range(PASSES)],
            PASSES * OUTCOMES,
            f"priced, pooled and whole, {OUTCOMES:,} brackets a pass; at most 2.5",
        )

    return [passing(Shape.NORMAL), passing(Shape.T6)]
