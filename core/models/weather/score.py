"""How good probabilities were, once the outcome is known: the logarithmic score (Gneiting and Raftery 2007),
lower is better."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

LOG_FLOOR = 0.002
"""A fifth of a tick: keeps one surprise from deciding a record. For the score only."""


def log_score(winner_probability: float) -> float:
    """Minus the log of the probability given to the bracket that won."""
    return -math.log(max(LOG_FLOOR, winner_probability))


class Record(msgspec.Struct, frozen=True):
    """Log scores of model and book over settled events, kept as sums."""

    events: int = 0
    model_sum: float = 0.0
    book_sum: float = 0.0

    def sentence(self) -> str:
        if self.events == 0:
            return "no record yet"
        model, book = self.model_sum / self.events, self.book_sum / self.events
        return f"model {model:.2f} book {book:.2f}"


def settled(record: Record, model: Sequence[float], book_mids: Sequence[float], winner: int) -> Record:
    """``record`` with one more settled event, both forecasts taken at the same moment before it.

    Mids of an event do not sum to one; they are normalised first.
    """
    total = sum(book_mids)
    if len(model) != len(book_mids) or not 0 <= winner < len(model) or total <= 0.0:
        raise ValueError("a settled event needs one model and one book probability for each bracket")
    return Record(
        record.events + 1,
        record.model_sum + log_score(model[winner]),
        record.book_sum + log_score(book_mids[winner] / total),
    )
