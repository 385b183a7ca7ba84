"""The pricing pass: the predictions of many events become fair values in one go over arrays.

What it costs hardly depends on how many laws there are: one call of each shape's distribution prices them
all, one pool joins them with what the market says. Between two passes the pool alone follows the books
(``follow``): no law is priced again because somebody moved a quote. Nothing here knows a model or a market.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from core.domain.units import ONE_DOLLAR
from core.models import grid, pooling
from core.models.calibration import Standing
from core.models.fair_value import EventFair, FairValue
from core.models.foreseen import Said
from core.models.laws import Array, Shape
from core.models.pooling import Groups, Quoted, Weights
from core.models.prediction import Chances, Laws, Part, Prediction

POOL = "pool-1"
"""Version of what makes fair values of predictions."""
UNSEEN = 1e-7
"""A change too small to be told: a thousandth of a price unit."""
Quote = Callable[[str], Quoted | str]
"""What others quote in a market, or why there is nothing to go by, one clause."""


class Judged(NamedTuple):
    """A prediction and what its model counts beside the market."""

    prediction: Prediction
    standing: Standing
    sharpen: float


def value(judged: Sequence[Judged], quote: Quote) -> list[EventFair]:
    """Fair values of every event, in the order given."""
    chances, errors = chances_of([one.prediction.says for one in judged])
    books = [_book(one.prediction.tickers, one.prediction.exclusive, quote) for one in judged]
    pool = _pool(
        chances,
        errors,
        books,
        [one.prediction.exclusive for one in judged],
        [Weights(one.standing.weight, one.sharpen) for one in judged],
    )
    made, start = [], 0
    for one in judged:
        end = start + len(one.prediction.tickers)
        made.append(_event(one, chances[start:end].tolist(), errors[start:end].tolist(), pool[start:end]))
        start = end
    return made


def follow(events: Sequence[EventFair], quote: Quote) -> list[EventFair]:
    """The same events with the market as it is now; an event whose pool says the same is the same object."""
    values = [fair for event in events for fair in event.values]
    if not values:
        return list(events)
    pool = _pool(
        np.array([fair.model_probability for fair in values]),
        np.array([fair.model_sigma for fair in values]),
        [_book([fair.ticker for fair in event.values], event.exclusive, quote) for event in events],
        [event.exclusive for event in events],
        [Weights(event.weight, event.sharpen) for event in events],
    )
    followed, start = [], 0
    for event in events:
        end = start + len(event.values)
        known = event.values
        moved = tuple(_moved(fair, now) for fair, now in zip(known, pool[start:end], strict=True))
        same = all(a is b for a, b in zip(known, moved, strict=True))
        followed.append(event if same else msgspec.structs.replace(event, values=moved))
        start = end
    return followed


# --- the market -----------------------------------------------------------------------------------


class _Read(NamedTuple):
    """What a market's book says: its mid and how wide it is, or why it says nothing that can be used."""

    mid: float
    width: float
    why: str = ""


def _book(tickers: Sequence[str], exclusive: bool, quote: Quote) -> list[_Read]:
    """Of an exclusive event all or nothing."""
    read = [_read(quote(ticker)) for ticker in tickers]
    why = next((one.why for one in read if one.why), "") if exclusive else ""
    return [_Read(0.5, 0.0, why)] * len(read) if why else read


def _read(quoted: Quoted | str) -> _Read:
    if isinstance(quoted, str):
        return _Read(0.5, 0.0, quoted)
    bid = quoted.bid if quoted.bid is not None else 0
    ask = quoted.ask if quoted.ask is not None else ONE_DOLLAR
    return _Read((bid + ask) / (2 * ONE_DOLLAR), (ask - bid) / ONE_DOLLAR)


class _Pooled(NamedTuple):
    """One outcome after the pool."""

    probability: float
    sigma: float
    market: float | None
    weight: float
    why: str


def _pool(
    chances: Array,
    errors: Array,
    books: Sequence[Sequence[_Read]],
    exclusive: Sequence[bool],
    weights: Sequence[Weights],
) -> list[_Pooled]:
    read = [one for book in books for one in book]
    groups = _groups([len(book) for book in books], exclusive)
    sizes = [len(book) for book in books]
    nothing = np.array([bool(one.why) for one in read])
    weight = np.where(nothing, 1.0, np.repeat([w.model for w in weights], sizes))
    sharpen = np.repeat([w.sharpen for w in weights], sizes)
    mids = pooling.inside(np.array([one.mid for one in read]))
    market = pooling.normalised(mids, groups)
    together = pooling.pooled(chances, mids, weight, sharpen, groups)
    mid_errors = pooling.mid_errors(np.array([one.width for one in read]))
    sigma = pooling.errors(together, (chances, errors), (market, mid_errors), weight, sharpen)
    # With the whole weight the model is left as it is, to the last digit.
    together, sigma = np.where(weight == 1.0, chances, together), np.where(weight == 1.0, errors, sigma)
    return [
        _Pooled(p, s, None if one.why else q, w, one.why)
        for p, s, q, w, one in zip(
            together.tolist(), sigma.tolist(), market.tolist(), weight.tolist(), read, strict=True
        )
    ]


def _groups(sizes: Sequence[int], exclusive: Sequence[bool]) -> Groups:
    """An exclusive event is a group, every market of another one is a group of its own."""
    lengths: list[int] = []
    alone: list[int] = []
    at = 0
    for size, one in zip(sizes, exclusive, strict=True):
        lengths += [size] if one else [1] * size
        alone += [] if one else range(at, at + size)
        at += size
    starts = np.cumsum([0, *lengths[:-1]])
    return Groups(starts, np.repeat(np.arange(len(lengths)), lengths), np.array(alone, dtype=np.int64))


def _moved(fair: FairValue, now: _Pooled) -> FairValue:
    if (fair.unpooled, fair.weight) == (now.why, now.weight) and not (
        abs(fair.probability - now.probability) > UNSEEN
        or abs(fair.sigma - now.sigma) > UNSEEN
        or abs((fair.market_probability or 0.0) - (now.market or 0.0)) > UNSEEN
    ):
        return fair
    return msgspec.structs.replace(
        fair,
        probability=now.probability,
        sigma=now.sigma,
        market_probability=now.market,
        weight=now.weight,
        unpooled=now.why,
    )


# --- laws -----------------------------------------------------------------------------------------


def chances_of(says: Sequence[Laws | Chances]) -> tuple[Array, Array]:
    """Probability and standard error of every outcome, one after the other."""
    sizes = [len(one.probabilities if isinstance(one, Chances) else one.parts[0].lower) for one in says]
    starts = np.cumsum([0, *sizes])
    masses, given, moves, turns, others = (np.zeros(starts[-1]) for _ in range(5))
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
        ends = np.stack([np.concatenate([getattr(p, end) for _, p in parts]) for end in ("lower", "upper")])
        figures = np.array(
            [(p.location, p.scale, p.weight, p.location_error, p.scale_error, p.drift) for _, p in parts]
        )
        spread = figures.T.repeat(sizes, axis=1)
        location, scale, self.weight, self.location_error, self.scale_error, self.drift = spread
        self.laws: tuple[Array, Array, Array] = ends, location, scale


def _by_shape(parts: Sequence[tuple[int, Part]]) -> dict[Shape, _Rows]:
    shapes: dict[Shape, list[tuple[int, Part]]] = {}
    for start, part in parts:
        shapes.setdefault(part.shape, []).append((start, part))
    return {shape: _Rows(found) for shape, found in shapes.items()}


# --- fair values ----------------------------------------------------------------------------------


@functools.lru_cache(maxsize=1_000)
def version(model: str, weight: float, sharpen: float) -> str:
    """The model's own version and a hash of all that makes its fair values."""
    text = f"{model}|{POOL}|{weight:.3f}|{sharpen:.3f}"
    return f"{model}.{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _event(
    judged: Judged, chances: Iterable[float], errors: Iterable[float], pool: Iterable[_Pooled]
) -> EventFair:
    prediction, standing = judged.prediction, judged.standing
    issued_ms = prediction.issued_ms
    made = version(prediction.version, standing.weight, judged.sharpen)
    values = tuple(
        FairValue(
            ticker=ticker,
            event_ticker=prediction.event_ticker,
            probability=now.probability,
            sigma=now.sigma,
            model=prediction.model,
            version=made,
            mean=prediction.mean,
            spread=prediction.spread,
            inputs=prediction.inputs,
            issued_ms=issued_ms,
            computed_ms=prediction.computed_ms,
            evidence=prediction.evidence,
            running_extreme=prediction.running_extreme,
            awaited_by_ms=prediction.awaited_by_ms,
            model_probability=chance,
            model_sigma=error,
            market_probability=now.market,
            weight=now.weight,
            unpooled=now.why,
            doubt=standing.doubt,
        )
        for ticker, chance, error, now in zip(prediction.tickers, chances, errors, pool, strict=True)
    )
    return EventFair(
        event_ticker=prediction.event_ticker,
        model=prediction.model,
        version=made,
        mean=prediction.mean,
        spread=prediction.spread,
        values=values,
        why=prediction.why,
        drivers=prediction.drivers,
        computed_ms=prediction.computed_ms,
        exclusive=prediction.exclusive,
        weight=standing.weight,
        sharpen=judged.sharpen,
        record=standing.sentence,
        laws=_said(prediction),
    )


def _said(prediction: Prediction) -> tuple[Said, ...]:
    if isinstance(prediction.says, Chances):
        return ()
    return tuple(Said(one.weight, one.shape, one.location, one.scale) for one in prediction.says.parts)
