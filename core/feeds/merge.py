"""What several sources say of the same thing: one quote a currency pair, and how far apart they are.

Two honest sources differ by their basis and by what the pair moved between their two times; more than that
means that one of them is wrong, and nobody knows which: then there is no price. A pure function of what is
held and the time.
"""

from __future__ import annotations

import enum
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from core.feeds.hours import FX_WEEK
from core.feeds.pairs import PAIRS
from core.feeds.quotes import Quote
from core.feeds.sanity import FUTURE_MS_MAX

BASIS_BP = 5.0
"""Between any two sources at the same second: below one pip as a rule, up to five at a data release."""
DRIFT_BP = 5.0
"""More for a minute between their times, growing with its root: four standard deviations at the usual
volatility of 8 to 10 % a year."""


class MergeState(enum.Enum):
    """What is known of a pair."""

    OK = "ok"
    ALONE = "one source"
    """Usable, but nothing confirms it."""
    APART = "APART"
    """The sources disagree: no price."""
    STALE = "STALE"
    CLOSED = "closed"
    """Nothing trades: no price until it opens."""
    UNKNOWN = "unknown"
    """No source has told of it."""


class Merged(msgspec.Struct, frozen=True):
    """One pair. ``last`` is there to be shown; only ``quote`` may be used."""

    pair: str
    state: MergeState
    last: Quote | None
    """The freshest of the valid ones; without one the newest that is held."""
    apart_bp: float | None
    """The largest difference from it of any other valid one; None where nothing else is valid."""
    why: str
    """In words: which source it is, how it is confirmed, or why there is no price."""

    @property
    def quote(self) -> Quote | None:
        """What may be used."""
        return self.last if self.state in (MergeState.OK, MergeState.ALONE) else None


def merged(pair: str, quotes: Iterable[Quote], now_ms: int) -> Merged:
    """What all that is held of ``pair`` comes to at ``now_ms`` (world time). Other names are passed over."""
    held = sorted((q for q in quotes if q.name == pair and _sound(q, now_ms)), key=_freshness, reverse=True)
    if not held:
        return Merged(pair, MergeState.UNKNOWN, None, None, f"no source has told of {pair}")
    if not FX_WEEK.is_open(now_ms):
        why = f"foreign exchange is closed; {FX_WEEK.opens_words(now_ms)}"
        return Merged(pair, MergeState.CLOSED, held[0], None, why)
    valid = [quote for quote in held if _valid(quote, now_ms)]
    if not valid:
        ages = (f"{q.source} {_age_ms(q, now_ms) // 1000} s old, {q.stale_after_s} s allowed" for q in held)
        return Merged(pair, MergeState.STALE, held[0], None, "; ".join(ages))
    best, others = valid[0], valid[1:]
    if not others:
        return Merged(pair, MergeState.ALONE, best, None, f"{best.source} alone")
    apart = max(difference_bp(best, other) for other in others)
    wrong = [other for other in others if difference_bp(best, other) > allowed_bp(best, other)]
    if wrong:
        said = ", ".join(
            f"{q.source} {q.value:g} ({difference_bp(best, q):.1f} bp, {allowed_bp(best, q):.1f} allowed)"
            for q in wrong
        )
        return Merged(
            pair, MergeState.APART, best, apart, f"{best.source} says {best.value:g}, but {said}: no price"
        )
    names = ", ".join(other.source for other in others)
    return Merged(pair, MergeState.OK, best, apart, f"{best.source}, {names} within {apart:.1f} bp")


class Apart(msgspec.Struct, frozen=True):
    """How far a source's quotes are from the nearest that another source has of the same name, at worst; what
    is quoted in tethers, and by nobody else, from its price in dollars: their own distance is in it."""

    bp: float
    """In hundredths of a percent, to a tenth."""
    too_far: bool
    """More than what lies between the times explains, of a currency pair: one of the two is wrong."""


def distances(quotes: Iterable[Quote], now_ms: int) -> Mapping[str, Apart]:
    """By source; one whose valid quotes nobody else has at ``now_ms`` is left out."""
    by_name: defaultdict[str, list[Quote]] = defaultdict(list)
    for quote in quotes:
        if _sound(quote, now_ms) and _valid(quote, now_ms):
            by_name[quote.name].append(quote)
    found: dict[str, Apart] = {}
    for name, held in by_name.items():
        for quote in held:
            others = [other for other in held if other is not quote] or by_name.get(in_dollars(name), [])
            nearest = min(others, key=lambda other: difference_bp(quote, other), default=None)
            if nearest is None:
                continue
            bp, before = difference_bp(quote, nearest), found.get(quote.source, Apart(0.0, too_far=False))
            too_far = name in PAIRS and bp > allowed_bp(quote, nearest)
            found[quote.source] = Apart(max(before.bp, round(bp, 1)), too_far or before.too_far)
    return found


def in_dollars(name: str) -> str:
    """``BTC/USD`` for ``BTC/USDT``; empty for what is not quoted in tethers."""
    return name.removesuffix("T") if name.endswith("/USDT") else ""


def difference_bp(one: Quote, other: Quote) -> float:
    """Between the two values, in hundredths of a percent of the lower one."""
    return abs(one.value - other.value) / min(one.value, other.value) * 10_000


def allowed_bp(one: Quote, other: Quote) -> float:
    """How far apart the two may be for what lies between their times."""
    minutes = abs(one.stamp.event_ms - other.stamp.event_ms) / 60_000
    return BASIS_BP + DRIFT_BP * math.sqrt(minutes)


def _sound(quote: Quote, now_ms: int) -> bool:
    return math.isfinite(quote.value) and quote.value > 0 and _age_ms(quote, now_ms) >= -FUTURE_MS_MAX


def _valid(quote: Quote, now_ms: int) -> bool:
    return _age_ms(quote, now_ms) <= quote.stale_after_s * 1000


def _age_ms(quote: Quote, now_ms: int) -> int:
    return now_ms - quote.stamp.event_ms


def _freshness(quote: Quote) -> tuple[int, bool, str]:
    """Of two of the same second the one with both sides, else any one, but always the same."""
    return quote.stamp.event_ms, quote.bid is not None and quote.ask is not None, quote.source
