"""How far markets get on their way to a proposal."""

from __future__ import annotations

import msgspec


class StopRow(msgspec.Struct, frozen=True, array_like=True):
    """Why markets went no further than a stage of the funnel."""

    why: str
    markets: int
    examples: tuple[str, ...]
    """Tickers of the first of them."""


class StageRow(msgspec.Struct, frozen=True, array_like=True):
    """One stage of the funnel, asked for: it is made when somebody looks."""

    stage: str
    """``seen``, ``mapped``, ``modelled``, ``fresh``, ``edge``, ``gated`` or ``proposed``."""
    reached: int
    """Markets that came at least so far."""
    here: int
    """And no further."""
    reasons: tuple[StopRow, ...]
    """Those that came no further are each under one of them."""
