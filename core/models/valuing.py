"""The pricing pass: the predictions of many events become fair values in one go over arrays.

What it costs hardly depends on how many laws there are: one call of each shape's distribution prices them
all. Nothing here knows a model or a market.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.models import grid
from core.models.fair_value import EventFair, FairValue
from core.models.laws import Array, Shape
from core.models.prediction import Chances, Laws, Part, Prediction


def value(predictions: Sequence[Prediction]) -> list[EventFair]:
    """Fair values of every event, in the order of ``predictions``."""
    chances, errors = chances_of([prediction.says for prediction in predictions])
    made, start = [], 0
    for prediction in predictions:
        end = start + len(prediction.tickers)
        made.append(_event(prediction, chances[start:end].tolist(), errors[start:end].tolist()))
        start = end
    return made


def chances_of(says: Sequence[Laws | Chances]) -> tuple[Array, Array]:
    """Probability and standard error of every outcome, one after the other."""
    sizes = [len(one.probabilities if isinstance(one, Chances) else one.parts[0].lower) for one in says]
    starts = np.cumsum([0, *sizes])
    masses, moves, turns, others = (np.zeros(starts[-1]) for _ in range(4))
    given = np.zeros(starts[-1])
    usual: list[tuple[int, Part]] = []
    unusual: list[tuple[int, Part]] = []
    doubted = np.zeros(starts[-1], dtype=bool)
    for start, size, one in zip(starts.tolist(), sizes, says, strict=False):
        if isinstance(one, Chances):
            masses[start : start + size], given[start : start + size] = one.probabilities, one.errors
            continue
        usual += [(start, part) for part in one.parts]
        unusual += [(start, part) for part in one.otherwise]
        doubted[start : start + size] = bool(one.otherwise)
    for shape, rows in _by_shape(usual).items():
        np.add.at(masses, rows.at, rows.weight * grid.probabilities(shape, *rows.laws))
        moved, turned = grid.slopes(shape, *rows.laws, rows.drift)
        np.add.at(moves, rows.at, rows.weight * moved * rows.location_error / rows.laws[2])
        np.add.at(turns, rows.at, rows.weight * turned * rows.scale_error)
    for shape, rows in _by_shape(unusual).items():
        np.add.at(others, rows.at, rows.weight * grid.probabilities(shape, *rows.laws))
    doubt = np.where(doubted, others - masses, 0.0)
    return masses, np.sqrt(given**2 + moves**2 + turns**2 + doubt**2)


class _Rows:
    """Parts of one shape side by side, an outcome a column; ``at`` is where each outcome stands."""

    def __init__(self, parts: Sequence[tuple[int, Part]]) -> None:
        sizes = [len(part.lower) for _, part in parts]
        self.at = np.concatenate([np.arange(start, start + len(part.lower)) for start, part in parts])
        ends = (np.concatenate([getattr(part, name) for _, part in parts]) for name in ("lower", "upper"))
        location, scale, self.weight, self.location_error, self.scale_error, self.drift = (
            np.repeat([getattr(part, name) for _, part in parts], sizes)
            for name in ("location", "scale", "weight", "location_error", "scale_error", "drift")
        )
        self.laws: tuple[Array, Array, Array] = np.stack(list(ends)), location, scale


def _by_shape(parts: Sequence[tuple[int, Part]]) -> dict[Shape, _Rows]:
    shapes: dict[Shape, list[tuple[int, Part]]] = {}
    for start, part in parts:
        shapes.setdefault(part.shape, []).append((start, part))
    return {shape: _Rows(found) for shape, found in shapes.items()}


def _event(prediction: Prediction, chances: list[float], errors: list[float]) -> EventFair:
    issued_ms = prediction.issued_ms
    values = tuple(
        FairValue(
            ticker=ticker,
            event_ticker=prediction.event_ticker,
            probability=chance,
            sigma=error,
            model=prediction.model,
            version=prediction.version,
            mean=prediction.mean,
            spread=prediction.spread,
            inputs=prediction.inputs,
            issued_ms=issued_ms,
            computed_ms=prediction.computed_ms,
            evidence=prediction.evidence,
            running_extreme=prediction.running_extreme,
            awaited_by_ms=prediction.awaited_by_ms,
        )
        for ticker, chance, error in zip(prediction.tickers, chances, errors, strict=True)
    )
    return EventFair(
        event_ticker=prediction.event_ticker,
        model=prediction.model,
        version=prediction.version,
        mean=prediction.mean,
        spread=prediction.spread,
        values=values,
        why=prediction.why,
        drivers=prediction.drivers,
        computed_ms=prediction.computed_ms,
    )
