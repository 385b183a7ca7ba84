"""What a model hands to the pricing pass: the laws an event settles by, and where its markets lie on them.

No model computes a probability by itself: the pass (``valuing.py``) takes the predictions of all events that
are due and prices them together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from core.models.fair_value import Driver, InputAge
from core.models.laws import Shape
from core.models.pooling import Lead

Ends = tuple[tuple[float | None, float | None], ...]
"""Lower and upper edge of each market's outcome, in the law's unit; ``None`` where that end is open."""


class Part(msgspec.Struct, frozen=True):
    """One law, with the edges of every market on it; a mixture has several.

    An edge that is decided already is infinite: all of the law lies on one side of it.
    """

    shape: Shape
    location: float
    scale: float
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    weight: float = 1.0
    location_error: float = 0.0
    """One standard error of ``location``, in the law's unit."""
    scale_error: float = 0.0
    """One standard error of ``scale`` as a share of it."""
    drift: float = 0.0
    """How far ``location`` moves with the logarithm of ``scale``: a lognormal's mean stays where it is."""


class Laws(msgspec.Struct, frozen=True):
    """A law, or a mixture of weights that sum to one."""

    parts: tuple[Part, ...]
    otherwise: tuple[Part, ...] = ()
    """What may hold in their place: the whole difference it makes counts as error."""


class Chances(msgspec.Struct, frozen=True):
    """Probabilities that come from no law, such as a bookmaker's: one a market, with its standard error."""

    probabilities: tuple[float, ...]
    errors: tuple[float, ...]


class Prediction(msgspec.Struct, frozen=True):
    """One event as a model sees it at one moment. Times are world time; see ``FairValue`` for the rest."""

    event_ticker: str
    tickers: tuple[str, ...]
    """Its markets, in the order of their edges."""
    exclusive: bool
    """Whether exactly one of them pays: then their probabilities sum to one."""
    says: Laws | Chances
    model: str
    version: str
    mean: float
    spread: float
    inputs: tuple[InputAge, ...]
    computed_ms: int
    evidence: tuple[str, ...] = ()
    running_extreme: int | None = None
    awaited_by_ms: int | None = None
    why: str = ""
    drivers: tuple[Driver, ...] = ()
    sources: int = 1
    """Independent ones that the law rests on."""
    lead: Lead = Lead.OTHER

    @property
    def issued_ms(self) -> int:
        """Of the oldest input."""
        return min((age.event_ms for age in self.inputs), default=self.computed_ms)


def edges(ends: Sequence[tuple[float | None, float | None]]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Lower and upper edges of a ``Part``, open ends infinite."""
    return (
        tuple(-math.inf if low is None else low for low, _ in ends),
        tuple(math.inf if high is None else high for _, high in ends),
    )
