"""Fair values of an event's brackets, and each model's record on what has settled."""

from __future__ import annotations

import msgspec


class InputRow(msgspec.Struct, frozen=True, array_like=True):
    name: str
    event_world_ms: int
    stale_after_s: int


class BracketRow(msgspec.Struct, frozen=True, array_like=True):
    key: int
    label: str
    model: int
    """What the model says alone, in ten-thousandths."""
    book: int | None
    """Book mid in ten-thousandths."""
    fair: int | None
    """Model and market pooled; ``None`` while there is no price: ``model`` is what the newest one said."""
    edge: int | None
    sigma: int
    market: int | None = None
    """What the market says as a forecast: the others' mids, normalised; ``None`` where it is not pooled."""


class EventRow(msgspec.Struct, frozen=True, array_like=True):
    """One event's distribution against its brackets."""

    event: str
    label: str
    model: str
    version: str
    mean: float | None
    spread: float | None
    close_world_ms: int
    extreme: int | None
    """Running maximum observed, whole degrees."""
    inputs: tuple[InputRow, ...]
    brackets: tuple[BracketRow, ...]
    score: str
    refusal: str
    """Why there is no fair value, empty when there is one."""
    evidence: tuple[str, ...]
    weight: float = 1.0
    """Of the model in the pool."""
    record: str = ""
    """What the model's record is worth, one sentence."""
    unpooled: str = ""
    """Why the model stands alone in one of its markets and is not traded on there."""
    proven: bool = True
    """Whether automatic mode may open on it."""


class BinRow(msgspec.Struct, frozen=True, array_like=True):
    """Contracts of like probability: what was said, how many paid, and the 95 % interval of that share."""

    low: float
    high: float
    contracts: int
    said: float
    paid: float
    paid_low: float
    paid_high: float


class ScoreRow(msgspec.Struct, frozen=True, array_like=True):
    """A model's record on one series, asked for. Losses are in nats an event, each with one standard error
    clustered by day; what cannot be said is ``None``."""

    series: str
    model: str
    simulated: bool
    looks: int
    days: int
    crps: float | None
    crps_se: float | None
    log_loss: tuple[float, float, float]
    """Of the model alone, of the market, and of both pooled."""
    log_loss_se: tuple[float | None, float | None, float | None]
    brier: tuple[float, float, float]
    gain: float
    gain_se: float | None
    cover: tuple[float, ...]
    """Of the central 50, 80 and 90 %; empty where outcomes have no order."""
    pit: tuple[float, ...]
    pit_mean: float | None
    pit_far: float | None
    bins: tuple[BinRow, ...]
    beaten: float | None
    beaten_se: float | None
    verdict: str
    """``proven``, ``insufficient`` or ``worthless``."""
    weight: float
    why: str
    drift: float | None = None
    """Of the CUSUM of what the pool lost to the market, standard deviations of a day; ``None`` for too few
    days."""
    slipping: str = ""
    """Since which day it is beyond its limit; empty where it is not."""
