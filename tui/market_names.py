"""Which markets a name means: any part of it will do, alike for the console's jump and in a shell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

_M = TypeVar("_M")
_TOLD_MAX = 12


def alike(name: str, markets: Iterable[tuple[_M, str, str]]) -> list[_M]:
    """Of markets with their label and ticker those of exactly that name, else all that have each of its words
    in one of the two."""
    words = name.casefold().split()
    exact, found = [], []
    for market, label, ticker in markets:
        names = (label.casefold(), ticker.casefold())
        if name.strip().casefold() in names:
            exact.append(market)
        elif words and all(any(word in known for known in names) for word in words):
            found.append(market)
    return exact or found


def not_one(name: str, found: Sequence[str]) -> str:
    """Why a name is not that of one market; ``found`` are the labels of those it could mean."""
    if not found:
        return f"no market has {name.strip()[:40]!r} in its name"
    return f"{len(found)} markets are like {name.strip()[:20]!r}: {'  '.join(found[:_TOLD_MAX])}"
