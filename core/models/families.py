"""The table of families: which model prices markets on which index, and from what."""

from __future__ import annotations

import functools
import importlib.resources
import tomllib
from collections.abc import Mapping

import msgspec

from core.models.laws import T_SHAPES

RANGE_AVERAGE = "range-average"


class Family(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of ``families.toml``."""

    index: str
    model: str
    source: str
    """Name of the feed whose word on the index counts."""
    implied: str
    """Volatility index, used alone where it is fresh; empty where there is none."""
    check: str
    """What exchanges' books must confirm where they are fresh."""
    degrees: int

    def __post_init__(self) -> None:
        if self.model != RANGE_AVERAGE:
            raise ValueError(f"{self.index}: no model is called {self.model!r}")
        if self.degrees not in T_SHAPES:
            raise ValueError(f"{self.index}: degrees must be one of {', '.join(map(str, T_SHAPES))}")


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    family: list[Family]


@functools.cache
def families() -> Mapping[str, Family]:
    """By index."""
    text = (importlib.resources.files("core.models") / "families.toml").read_text("utf-8")
    return {row.index: row for row in msgspec.convert(tomllib.loads(text), _Table).family}
