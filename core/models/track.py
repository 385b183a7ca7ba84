"""A model's track record: its looks at the events of one series against what came, as scores and as evidence.

A model and the market are compared by what they give together: the pool of model weight ``w`` against the
market sharpened alone. Weight and sharpening of a day are those that lost least on the days before it, taken
anew every ``REFIT_DAYS``; until ``DAYS_MIN`` days are known they are what a model without a record gets. So
nothing is judged by figures that were fitted on it. Markets of an event that is not exclusive are contests of
their own between YES and NO.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from core.models import scores
from core.models.calibration import DAYS_MIN, MIDDLE, Evidence
from core.models.foreseen import Came, Foreseen, Said
from core.models.laws import Array, Law, Mixture, Shape
from core.models.scores import Bin, Drift, Mean

Days = npt.NDArray[np.int64]

LEVELS = (0.5, 0.8, 0.9)
PIT_BINS = 10
WEIGHTS = tuple(round(0.1 * n, 1) for n in range(10))
"""Of the model in a pool: no record takes the market's word away altogether."""
SHARPENED = (0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.35, 1.5)
TRIAL = 0.2
"""Weight a model is tried with that gets none before it has a record."""
REFIT_DAYS = 30
OPEN_DAYS = 1
"""A day's looks come before the outcomes of this many days before it."""


class Scored(msgspec.Struct, frozen=True):
    """One look, or one market of an event that is not exclusive, against what came."""

    day: int
    """Ordinal."""
    said: tuple[float, ...]
    """Pooled probabilities."""
    winner: int
    lost: tuple[float, float, float]
    """Log loss of the model alone, of the market as it was, and of the pool as it was."""
    brier: tuple[float, float, float]
    by_weight: tuple[float, ...]
    """Log loss of a pool by ``WEIGHTS``, the market sharpened as usual."""
    by_sharpness: tuple[float, ...]
    """Of the market alone, by ``SHARPENED``."""
    tried: int
    """Place of the weight it is tried with before there is a record."""
    usual: int
    """Place of the sharpening that is usual."""
    below: float = math.nan
    """Probability the model gave to less than what came; not a number where there is no order."""
    upto: float = math.nan
    crps: float = math.nan


class Worth(msgspec.Struct, frozen=True):
    """What a record says of the right to trade: means with their errors, clustered by day. They are log
    losses, where lower is better, but for the gain."""

    looks: int
    alone: Mean
    """Of the model alone, of the market as it was, and of the pool as it was."""
    market: Mean
    pooled: Mean
    gain: Mean
    """Fall from the market sharpened alone to the pool, out of sample."""
    weight: float
    """That would have lost least."""
    pit_mean: float | None
    """``None`` where outcomes have no order, as ``covered``."""
    covered: float | None
    """Share of the outcomes in the central ``MIDDLE`` of the model's laws."""
    drift: Drift | None
    """Of what the pool lost to the market sharpened alone, out of sample; ``None`` for too few days."""
    beaten: Mean | None
    """Closing-line value of what was bought, one value an event; above nothing where it was cheap."""

    @property
    def slipping(self) -> str:
        """Since which day the pool has lost to the market beyond what chance does; empty where it has not."""
        since = self.drift.since if self.drift is not None else None
        return date.fromordinal(since).isoformat() if since is not None else ""

    def evidence(self, series: str, model: str, *, simulated: bool) -> Evidence:
        beaten = self.beaten
        return Evidence(
            series=series,
            model=model,
            days=self.gain.days,
            gain=self.gain.value,
            error=self.gain.se or 0.0,
            weight=self.weight,
            simulated=simulated,
            pit_mean=self.pit_mean,
            covered=self.covered,
            slipping=self.slipping,
            beaten=beaten.value if beaten is not None else None,
            beaten_error=beaten.se if beaten is not None else None,
            beaten_days=beaten.days if beaten is not None else 0,
        )


class Calibration(msgspec.Struct, frozen=True):
    """How far what was said was so, for whoever looks."""

    brier: tuple[float, float, float]
    """Of model, market and pool."""
    crps: Mean | None
    cover: tuple[float, ...]
    """By ``LEVELS``; empty where outcomes have no order."""
    pit: tuple[float, ...]
    """Share of outcomes in each tenth of the model's law."""
    pit_far: float | None
    """Kolmogorov's distance from the uniform."""
    bins: tuple[Bin, ...]
    """Of the pool."""


# --- looks ----------------------------------------------------------------------------------------


class _Contest(NamedTuple):
    """Outcomes of which one came true, and where it lies in the model's law if they have an order."""

    look: Foreseen
    told: tuple[Sequence[float], Sequence[float], Sequence[float]]
    winner: int
    below: float = math.nan
    upto: float = math.nan


def scored(pairs: Sequence[tuple[Foreseen, Came]]) -> list[tuple[Scored, ...]]:
    """Each look's score, all in one go over arrays. Empty for an event of which not all markets paid a side
    in full, or not one of exclusive ones."""
    contests = [_contests(look, came) for look, came in pairs]
    every = iter(_scores([one for each in contests for one in each]))
    found = [tuple(itertools.islice(every, len(each))) for each in contests]
    return _ranked(pairs, found)


def _contests(look: Foreseen, came: Came) -> list[_Contest]:
    if any(ticker not in came.paid for ticker in look.tickers):
        return []
    paid = [came.paid[ticker] for ticker in look.tickers]
    if not look.exclusive:
        each = zip(look.alone, look.market, look.pooled, paid, strict=True)
        return [
            _Contest(look, ((p, 1.0 - p), (q, 1.0 - q), (both, 1.0 - both)), 0 if yes else 1)
            for p, q, both, yes in each
        ]
    if paid.count(True) != 1:
        return []
    winner = paid.index(True)
    below = math.fsum(look.alone[:winner])
    told = look.alone, look.market, look.pooled
    return [_Contest(look, told, winner, below, below + look.alone[winner])]


def _scores(contests: Sequence[_Contest]) -> list[Scored]:
    if not contests:
        return []
    size, most = len(contests), max(len(one.told[0]) for one in contests)
    told = np.full((3, size, most), np.nan)
    for at, one in enumerate(contests):
        told[:, at, : len(one.told[0])] = one.told
    winner = np.array([one.winner for one in contests])
    sharpen = np.array([one.look.sharpen for one in contests])
    won = np.broadcast_to(winner, (3, size))
    lost, brier = scores.log_loss(told, won), scores.brier_event(told, won)
    model, market = np.log(scores.floored(told[:2]))
    weights = np.array(WEIGHTS)[:, None, None]
    pools = _losses(weights * model + sharpen[:, None] * (1.0 - weights) * market, winner)
    markets = _losses(np.array(SHARPENED)[:, None, None] * market, winner)
    return [
        Scored(
            day=date.fromisoformat(one.look.day).toordinal(),
            said=tuple(one.told[2]),
            winner=one.winner,
            lost=_three(lost[:, at].tolist()),
            brier=_three(brier[:, at].tolist()),
            by_weight=tuple(pools[:, at].tolist()),
            by_sharpness=tuple(markets[:, at].tolist()),
            tried=_nearest(WEIGHTS, one.look.weight or TRIAL),
            usual=_nearest(SHARPENED, one.look.sharpen),
            below=one.below,
            upto=one.upto,
        )
        for at, one in enumerate(contests)
    ]


def _losses(logs: Array, winner: npt.NDArray[np.intp]) -> Array:
    """Of contests (second axis) whose outcomes (third) are as likely as these exponentials to each other."""
    won = logs[:, np.arange(winner.size), winner]
    return np.asarray(np.log(np.nansum(np.exp(logs), axis=2)) - won)


def _three(values: Sequence[float]) -> tuple[float, float, float]:
    return values[0], values[1], values[2]


def _nearest(grid: Sequence[float], value: float) -> int:
    return min(range(len(grid)), key=lambda at: abs(grid[at] - value))


def _ranked(
    pairs: Sequence[tuple[Foreseen, Came]], found: list[tuple[Scored, ...]]
) -> list[tuple[Scored, ...]]:
    """With the place of the outcome in the model's own law and its CRPS, where law and value are known: finer
    than by its brackets."""
    known: dict[tuple[Shape, ...], list[tuple[int, Foreseen, float]]] = {}
    for at, (look, came) in enumerate(pairs):
        if look.laws and came.value is not None and len(found[at]) == 1 and look.exclusive:
            shapes = tuple(one.shape for one in look.laws)
            known.setdefault(shapes, []).append((at, look, came.value))
    for shapes, rows in known.items():
        values = np.array([value for _, _, value in rows])
        law = _law(shapes, [look.laws for _, look, _ in rows])
        low, high = scores.stretch(law, values)
        ranked = scores.crps(law, values)
        placed = zip(rows, low.tolist(), high.tolist(), ranked.tolist(), strict=True)
        for (at, _, _), below, upto, crps in placed:
            found[at] = (msgspec.structs.replace(found[at][0], below=below, upto=upto, crps=crps),)
    return found


def _law(shapes: Sequence[Shape], said: Sequence[Sequence[Said]]) -> Law | Mixture:
    """Those of many looks, each a mixture of the same shapes."""
    parts = tuple(
        Law(shape, np.array([one[at].location for one in said]), np.array([one[at].scale for one in said]))
        for at, shape in enumerate(shapes)
    )
    weights = tuple(np.array([one[at].weight for one in said]) for at in range(len(shapes)))
    return parts[0] if len(parts) == 1 else Mixture(weights, parts)


# --- all of them ----------------------------------------------------------------------------------


def worth(looks: Sequence[Scored], beaten: Sequence[tuple[int, float]] = ()) -> Worth | None:
    """``None`` before anything has settled. ``beaten`` are closing-line values by days, one an event."""
    if not looks:
        return None
    looks = sorted(looks, key=lambda one: one.day)
    days = np.array([one.day for one in looks])
    lost = np.array([one.lost for one in looks])
    gains, weight = _gains(looks, days)
    alone, market, pooled = (scores.by_day(lost[:, n], days) for n in range(3))
    low, high = _placed(looks)
    return Worth(
        looks=len(looks),
        alone=alone,
        market=market,
        pooled=pooled,
        gain=scores.by_day(gains, days),
        weight=weight,
        pit_mean=float(scores.pit_mean(low, high).mean()) if low.size else None,
        covered=float(scores.covered(low, high, MIDDLE).mean()) if low.size else None,
        drift=scores.drift(-gains, days),
        beaten=_mean([(value, day) for day, value in beaten]),
    )


def calibration(looks: Sequence[Scored]) -> Calibration:
    """Needs one look."""
    low, high = _placed(looks)
    said = np.array([p for one in looks for p in one.said])
    paid = np.array([at == one.winner for one in looks for at in range(len(one.said))])
    brier = np.array([one.brier for one in looks]).mean(axis=0).tolist()
    return Calibration(
        brier=_three(brier),
        crps=_mean([(one.crps, one.day) for one in looks if math.isfinite(one.crps)]),
        cover=tuple(float(scores.covered(low, high, level).mean()) for level in LEVELS) if low.size else (),
        pit=tuple(_histogram(low, high)) if low.size else (),
        pit_far=scores.kolmogorov(low, high) if low.size else None,
        bins=scores.reliability(said, paid),
    )


def _placed(looks: Sequence[Scored]) -> tuple[Array, Array]:
    """Where outcomes lie in the model's laws, of those that have an order."""
    placed = np.array([(one.below, one.upto) for one in looks if math.isfinite(one.below)]).reshape(-1, 2)
    return placed[:, 0], placed[:, 1]


def _mean(values: Sequence[tuple[float, int]]) -> Mean | None:
    if not values:
        return None
    return scores.by_day(np.array([value for value, _ in values]), np.array([day for _, day in values]))


def _gains(looks: Sequence[Scored], days: Days) -> tuple[Array, float]:
    """What each look's pool gained on the sharpened market, and the weight that would have lost least."""
    pools = np.array([one.by_weight for one in looks])
    markets = np.array([one.by_sharpness for one in looks])
    at = np.arange(len(looks))
    gains = markets[at, [one.usual for one in looks]] - pools[at, [one.tried for one in looks]]
    for known, start, end in _blocks(days):
        best, alone = pools[:known].sum(axis=0).argmin(), markets[:known].sum(axis=0).argmin()
        gains[start:end] = markets[start:end, alone] - pools[start:end, best]
    return gains, WEIGHTS[int(pools.sum(axis=0).argmin())]


def _blocks(days: Days) -> Iterator[tuple[int, int, int]]:
    """Stretches of looks, after the first ``DAYS_MIN`` days, of ``REFIT_DAYS`` days each: how many looks had
    come out by then, where it begins and where it ends."""
    every = np.unique(days)
    for first in range(DAYS_MIN, every.size, REFIT_DAYS):
        ends = every[first + REFIT_DAYS] if first + REFIT_DAYS < every.size else every[-1] + 1
        known, start, end = np.searchsorted(days, (every[first] - OPEN_DAYS, every[first], ends))
        yield int(known), int(start), int(end)


def _histogram(low: Array, high: Array) -> Iterator[float]:
    """Each outcome's stretch shared out over the bins it lies in."""
    width = np.maximum(high - low, 1e-12)
    for n in range(PIT_BINS):
        left, right = n / PIT_BINS, (n + 1) / PIT_BINS
        inside = np.clip((np.minimum(high, right) - np.maximum(low, left)) / width, 0.0, 1.0)
        yield float(inside.mean())
