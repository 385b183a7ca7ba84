"""What the model of a price at a stated time knows: who says what of it, how much it moves, what is due."""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec

from core.feeds.quotes import Quote
from core.feeds.releases import Calendar, Due
from core.feeds.stations import DAY_MS
from core.models.families import Family
from core.models.ranges.hours import just_opened, variance_days
from core.models.ranges.inputs import BELIEVED_MS
from core.models.ranges.volatility import GAP_MS, Realised, sampled

JUMP_MAX = 0.03
"""The largest believable move between two values of one source a few minutes apart."""
PriceValue = Quote | Calendar


class PriceInputs(msgspec.Struct, frozen=True):
    family: Family
    quotes: Mapping[str, Quote] = {}
    """The newest by source."""
    implied: Quote | None = None
    realised: Realised = Realised()
    """In days of average variance, of the returns of one source: two differ by more than a minute moves."""
    sampled_of: str = ""
    calendars: Mapping[str, Calendar] = {}
    doubted: Quote | None = None
    """The first value of a level too far from the last believed one."""

    @property
    def due(self) -> tuple[Due, ...]:
        """Releases that any source tells of; the operator's own calendar is right where it has a kind."""
        ranked = sorted(self.calendars.values(), key=lambda calendar: not calendar.outranks)
        found: list[Due] = []
        settled: set[str] = set()
        for calendar in ranked:
            found += [due for due in calendar.due if due.kind not in settled]
            settled |= set(calendar.kinds) if calendar.outranks else set()
        return tuple(found)


def concerns(family: Family, value: PriceValue) -> bool:
    """Whether a value is one of a family's inputs."""
    if isinstance(value, Calendar):
        return True
    return value.name in (family.index, family.implied) and family.source in ("", value.source)


def absorb(held: PriceInputs, value: PriceValue) -> PriceInputs:
    """``held`` with one more of its values (``concerns``); what is no price or older is left out."""
    replace = msgspec.structs.replace
    if isinstance(value, Calendar):
        return replace(held, calendars={**held.calendars, value.source: value})
    if not (math.isfinite(value.value) and value.value > 0):
        return held
    if value.name == held.family.implied:
        return replace(held, implied=value) if _newer(held.implied, value) else held
    before = held.quotes.get(value.source)
    if not _newer(before, value):
        return held
    told = replace(held, quotes={**held.quotes, value.source: value})
    return _sampled(told, value)


def _newer(before: Quote | None, value: Quote) -> bool:
    return before is None or value.stamp.event_ms >= before.stamp.event_ms


def _sampled(held: PriceInputs, value: Quote) -> PriceInputs:
    """Its return counts where it is of the source whose returns are counted; that one is given up once it has
    been silent. A jump is not believed before it has stood for a while, and is then no return."""
    replace, last, at_ms = msgspec.structs.replace, held.realised, value.stamp.event_ms
    if held.sampled_of not in ("", value.source):
        if at_ms - last.last_ms <= GAP_MS:
            return held
        return _restarted(held, value)
    if last.last_ms and at_ms - last.last_ms > GAP_MS:
        return _restarted(held, value)
    if last.last_ms and abs(math.log(value.value / last.last)) > JUMP_MAX:
        doubted = held.doubted
        if doubted is None or abs(math.log(value.value / doubted.value)) > JUMP_MAX:
            return replace(held, doubted=value)
        return held if at_ms - doubted.stamp.event_ms < BELIEVED_MS else _restarted(held, value)
    if last.last_ms and just_opened(held.family, at_ms):
        return _restarted(held, value)
    try:
        moves_s = (
            variance_days(held.family, last.last_ms, at_ms, held.due) * DAY_MS / 1000 if last.last_ms else 0.0
        )
    except ValueError:  # nobody knows when it trades: how much it moves is not told either
        return replace(held, doubted=None)
    made = sampled(last, value.value, at_ms, moves_s)
    return replace(held, realised=made, sampled_of=value.source, doubted=None)


def _restarted(held: PriceInputs, value: Quote) -> PriceInputs:
    """From this value on, without a return to it."""
    realised = msgspec.structs.replace(held.realised, last_ms=value.stamp.event_ms, last=value.value, same=0)
    return msgspec.structs.replace(held, realised=realised, sampled_of=value.source, doubted=None)
