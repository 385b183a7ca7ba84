"""Which of Kalshi's series are about the winner of a game, and of which sport (``games.toml``)."""

from __future__ import annotations

import functools
import importlib.resources
import tomllib
from collections.abc import Mapping

import msgspec

from core.domain.market import Contest


class GameSeries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of ``games.toml``."""

    ticker: str
    sport: str


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    series: list[GameSeries]


@functools.cache
def _series() -> Mapping[str, Contest]:
    text = (importlib.resources.files("core.venues.kalshi") / "games.toml").read_text("utf-8")
    return {row.ticker: Contest(row.sport) for row in msgspec.convert(tomllib.loads(text), _Table).series}


def contest(series: str) -> Contest | None:
    """What a series is about; ``None`` for any but games."""
    return _series().get(series)
