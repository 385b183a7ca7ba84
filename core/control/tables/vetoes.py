"""What was vetoed and what that was worth, asked for."""

from __future__ import annotations

import msgspec


class WorthRow(msgspec.Struct, frozen=True, array_like=True):
    """Vetoes of one reason; the same trade vetoed again does not count again."""

    reason: str
    """``price``, ``data``, ``news``, ``size``, ``other``; empty: none was told."""
    vetoes: int
    settled: int
    right: int
    """Of the settled ones those that would have lost money."""
    made: int
    """What the settled ones would have made, filled whole."""
    expected: int
    """The same, each by the share of it that was expected to fill."""


class VetoRow(msgspec.Struct, frozen=True, array_like=True):
    """One veto."""

    id: str
    at_world_ms: int
    label: str
    closes: bool
    outcome: str
    """Of its first order, like ``price``."""
    price: int
    quantity: int
    orders: int
    """More than one: a plan."""
    edge: int
    fill: float
    reason: str
    said: str
    by: str
    ended: bool
    """Whether all of its markets have a result."""
    made: int | None
    """What it would have made; ``None`` until then, and where a result tells no figure."""
    again: bool
    """The trade had been vetoed before."""


class VetoesRow(msgspec.Struct, frozen=True, array_like=True):
    worth: tuple[WorthRow, ...]
    vetoes: tuple[VetoRow, ...]
    """The newest first."""
