"""What a model hands to the strategy: a probability with everything needed to trust or refuse it."""

from __future__ import annotations

import math

import msgspec

from core.models.foreseen import Said

SUM_APART_MAX = 1e-9
"""From one, of the probabilities of outcomes of which exactly one comes."""


class InputAge(msgspec.Struct, frozen=True):
    """One input a value rests on. Times are world time, Unix milliseconds."""

    name: str
    event_ms: int
    stale_after_s: int

    @property
    def fresh_until_ms(self) -> int:
        return self.event_ms + self.stale_after_s * 1000

    def fresh(self, now_ms: int) -> bool:
        return now_ms <= self.fresh_until_ms


class Driver(msgspec.Struct, frozen=True):
    """One forecast a ladder rests on, and its last change. Times are world time."""

    name: str
    value: float
    since_ms: int
    """When this value was first priced."""
    before: float | None = None
    """The value it replaced."""


class FairValue(msgspec.Struct, frozen=True):
    """Probability that one market settles YES: the model's and the market's, pooled.

    ``sigma`` is one standard error of ``probability`` (both in [0, 1]); ``mean`` and ``spread`` are
    the model's distribution of the underlying (degrees Fahrenheit for temperature).
    """

    ticker: str
    event_ticker: str
    probability: float
    sigma: float
    model: str
    version: str
    mean: float
    spread: float
    inputs: tuple[InputAge, ...]
    issued_ms: int
    """World time of the oldest forecast used."""
    computed_ms: int
    """World time."""
    evidence: tuple[str, ...] = ()
    """Short sentences a person can check: forecast, bias, days used, original date in a replay."""
    running_extreme: int | None = None
    awaited_by_ms: int | None = None
    """World time by which an input that there is none of yet must have come."""
    model_probability: float = 0.0
    model_sigma: float = 0.0
    market_probability: float | None = None
    """Mid of the others' book, normalised over the event and not sharpened; ``None`` where ``unpooled``."""
    weight: float = 1.0
    """Of the model in the pool; nothing where it adds nothing to the market."""
    unpooled: str = ""
    """Why the model stands alone, and may not be traded on; empty where it is pooled."""
    doubt: str = ""
    """Why automatic mode opens nothing on it; empty where its record is good enough."""

    @property
    def fresh_until_ms(self) -> int:
        """World time up to which every input is within its limit and none is overdue."""
        ends = [age.fresh_until_ms for age in self.inputs]
        if self.awaited_by_ms is not None:
            ends.append(self.awaited_by_ms)
        return min(ends, default=self.computed_ms)


class EventFair(msgspec.Struct, frozen=True):
    """Fair values of one event's whole ladder."""

    event_ticker: str
    model: str
    version: str
    mean: float
    spread: float
    values: tuple[FairValue, ...]
    why: str = ""
    """What moved last, one sentence."""
    drivers: tuple[Driver, ...] = ()
    computed_ms: int = 0
    """World time."""
    exclusive: bool = True
    """Whether exactly one of its markets pays."""
    weight: float = 1.0
    """Of the model in the pool."""
    sharpen: float = 1.0
    """Exponent of the market's probabilities there."""
    record: str = ""
    """What the model's record says of its worth, one sentence."""
    laws: tuple[Said, ...] = ()
    """What it was priced by, in the model's own unit; empty where by no law."""

    @property
    def unsound(self) -> str:
        """Why its values are no probabilities of one event, a clause; empty where they are."""
        said = [value.model_probability for value in self.values]
        errors = [value.model_sigma for value in self.values]
        if not (all(0.0 <= p <= 1.0 for p in said) and all(0.0 <= error < math.inf for error in errors)):
            return "what its model says is no probability"
        whole = math.fsum(said)
        if self.exclusive and abs(whole - 1.0) > SUM_APART_MAX:
            return f"what its model says adds up to {whole:.6f}"
        return ""

    def sharpened(self, ticker: str) -> float | None:
        """What the market says of one of them as it counts in the pool, which lies between that and the model
        but for its sum; ``None`` where there is no pool."""
        said = {value.ticker: value.market_probability for value in self.values}
        own = said.get(ticker)
        if own is None or self.sharpen == 1.0:
            return own
        others = [q for q in said.values() if q is not None] if self.exclusive else (own, 1.0 - own)
        return math.pow(own, self.sharpen) / sum(math.pow(q, self.sharpen) for q in others)


class NoPrice(msgspec.Struct, frozen=True):
    """Why a model gives no value: one sentence a person can act on, never a guess in its place."""

    event_ticker: str
    reason: str
