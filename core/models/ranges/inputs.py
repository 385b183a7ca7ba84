"""What the range models know about one index: its newest value, the mean it settles on, how much it moves."""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec

from core.feeds.quotes import Average, OptionMark, Quote, Volatility
from core.models.families import Family
from core.models.ranges.volatility import JUMP_MAX, Realised, sampled

RangeValue = Quote | Average | Volatility | OptionMark
BELIEVED_MS = 120_000
"""How long a new level has to stand."""


class IndexInputs(msgspec.Struct, frozen=True):
    family: Family
    index: Quote | None = None
    settling: Average | None = None
    """The mean of a closing window as far as it has come, as the venue publishes it."""
    implied: Volatility | None = None
    realised: Realised = Realised()
    books: Mapping[tuple[str, str], Quote] = {}
    """Of exchanges, by name and source."""
    options: Mapping[str, OptionMark] = {}
    """Marks by instrument: the smile."""
    doubted: Quote | None = None
    """The first value of a level too far from the last believed one; one back there clears it at once."""


def concerns(family: Family, value: RangeValue) -> bool:
    """Whether a value is one of a family's inputs."""
    match value:
        case Quote():
            return value.name == family.check or (value.name, value.source) == (family.index, family.source)
        case Average():
            return (value.name, value.source) == (family.index, family.source)
        case Volatility():
            return value.name == family.implied
        case OptionMark():
            return coin(value) == family.check.partition("/")[0]


def coin(mark: OptionMark) -> str:
    """``BTC`` of ``BTC-27NOV26-85000-C``."""
    return mark.instrument.partition("-")[0]


def absorb(held: IndexInputs, value: RangeValue) -> IndexInputs:
    """``held`` with one more of its values (``concerns``); what is no price or no volatility is left out."""
    replace = msgspec.structs.replace
    match value:
        case Quote() if not (math.isfinite(value.value) and value.value > 0):
            return held
        case Quote() if value.name != held.family.index:
            return replace(held, books={**held.books, (value.name, value.source): value})
        case Quote():
            return _index(held, value)
        case Average() if not (math.isfinite(value.value) and value.value > 0 and value.seconds >= 0):
            return held
        case Average():
            return replace(held, settling=value)
        case Volatility() if math.isfinite(value.percent) and value.percent > 0:
            return replace(held, implied=value)
        case Volatility():
            return held
        case OptionMark():
            now_ms = value.stamp.event_ms
            alive = {name: mark for name, mark in held.options.items() if mark.expires_ms > now_ms}
            return replace(held, options={**alive, value.instrument: value})


def _index(held: IndexInputs, value: Quote) -> IndexInputs:
    """A jump is not believed before it has stood for a while, and is then no return of a quiet walk."""
    replace, last, doubted = msgspec.structs.replace, held.realised, held.doubted
    at_ms = value.stamp.event_ms
    if held.index is not None and at_ms < held.index.stamp.event_ms:
        return held
    if not last.last_ms or _near(value.value, last.last):
        return replace(held, index=value, realised=sampled(last, value.value, at_ms), doubted=None)
    if doubted is None or not _near(value.value, doubted.value):
        return replace(held, index=value, doubted=value)
    if at_ms - doubted.stamp.event_ms < BELIEVED_MS:
        return replace(held, index=value)
    return replace(
        held, index=value, realised=replace(last, last_ms=at_ms, last=value.value, same=0), doubted=None
    )


def _near(value: float, level: float) -> bool:
    # Not the ratio's: that of a price next to nothing is nothing, and has no logarithm.
    return abs(math.log(value) - math.log(level)) <= JUMP_MAX
