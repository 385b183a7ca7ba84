"""Compare two ways of doing the same work in one run and report their ratio.

Shared machines make absolute times worthless, so A and B alternate (A B, B A, ...), the garbage
collector rests while the clock runs, and the result is the median of the rounds' ratios.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Pair:
    """``ours`` against ``reference``; each runs ``count`` units of work per call on fresh input."""

    name: str
    ours: Callable[[], object]
    reference: Callable[[], object]
    count: int
    says: str
    """What the ratio means, one line."""


@dataclass(frozen=True)
class Result:
    pair: Pair
    ratio: float
    ours_us: float
    reference_us: float


def compare(pair: Pair, rounds: int = 7) -> Result:
    """CPU time of both, alternating; the first round warms up and is dropped."""
    ours: list[float] = []
    reference: list[float] = []
    for number in range(rounds + 1):
        order = (pair.ours, pair.reference) if number % 2 else (pair.reference, pair.ours)
        spent = {work: _cpu_seconds(work) for work in order}
        if number:
            ours.append(spent[pair.ours])
            reference.append(spent[pair.reference])
    per_unit = 1e6 / pair.count
    return Result(
        pair,
        statistics.median(a / b for a, b in zip(ours, reference, strict=True)),
        statistics.median(ours) * per_unit,
        statistics.median(reference) * per_unit,
    )


def _cpu_seconds(work: Callable[[], object]) -> float:
    gc.collect()
    gc.disable()
    try:
        begin = time.process_time()
        work()
        return max(time.process_time() - begin, 1e-9)
    finally:
        gc.enable()


def percentile(values: list[float], share: float) -> float:
    """The value below which ``share`` of the sorted values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
