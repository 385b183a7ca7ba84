"""A chart of a day's points against one of a few: drawing costs the columns of a chart, not its points."""

from __future__ import annotations

import random

from tests.bench.harness import Pair
from tui.chart import Chart, Run, Series, Unit, draw, ends_of

WIDTH, HEIGHT = 100, 20
MANY, FEW = 5_000, 200
DRAWN = 50


def _chart(points: int) -> Chart:
    rng = random.Random(points)
    price, prices = 5_000, []
    for _ in range(points):
        price = min(9_900, max(100, price + rng.choice((-100, 0, 0, 100))))
        prices.append(price)
    times = [second * 2_000 for second in range(points)]
    upright = ends_of(prices, Unit.CENTS) or (0, 1)
    series = Series("fair", "f", "fair", (Run(times, prices),))
    return Chart((series,), Unit.TIME, Unit.CENTS, (0, times[-1]), upright)


def pair() -> Pair:
    many, few = _chart(MANY), _chart(FEW)
    return Pair(
        f"chart of {MANY} points / of {FEW}",
        lambda: [draw(many, WIDTH, HEIGHT, dots=True) for _ in range(DRAWN)],
        lambda: [draw(few, WIDTH, HEIGHT, dots=True) for _ in range(DRAWN)],
        DRAWN,
        "under two: drawing costs its columns, not its points",
    )
