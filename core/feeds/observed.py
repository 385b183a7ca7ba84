"""The running day of a station: what its final high cannot be below and its final low not above.

Evidence is kept as claims, each by what makes it and of when, so that a corrected report takes its
earlier self's place. What is not certain stays beside it: a 6-hour group whose window crosses midnight says
nothing of the new day, a 24-hour group is the day's value only with high probability.
"""

from __future__ import annotations

import enum

import msgspec

from core.feeds.stations import HOUR_MS, Station, climate_day, climate_day_bounds, lst
from core.feeds.values import ClimateReport, DailySummary, Observation

SIX_HOURS_MS = 6 * HOUR_MS
SYNOPTIC_MS = 6 * HOUR_MS
"""Six-hour groups close at 00, 06, 12 and 18 UTC."""
CLAIMS_MAX = 1_000


class Evidence(enum.Enum):
    """What a claim about a day rests on; the words are for people."""

    READING = "reading"
    WHOLE_CELSIUS = "whole-C reading"
    SIX_HOURS = "6-hour group"
    WHOLE_DAY = "24-hour group"
    REPORT = "report so far"
    FULL_REPORT = "full-day report"


REPORTS = frozenset({Evidence.REPORT, Evidence.FULL_REPORT})
FULL_DAY = frozenset({Evidence.WHOLE_DAY, Evidence.FULL_REPORT})


class Claim(msgspec.Struct, frozen=True):
    """The final high is at least ``max_f``, the final low at most ``min_f``, whole degrees Fahrenheit."""

    by: Evidence
    at_ms: int
    max_f: int | None
    min_f: int | None
    corrected: bool = False


class Bound(msgspec.Struct, frozen=True):
    """One side of a day and the first evidence of it."""

    f: int
    by: Evidence
    at_ms: int


class RunningDay(msgspec.Struct, frozen=True):
    """One climate day of a station so far."""

    day: str
    latest: Observation | None = None
    """The newest reading."""
    before: Observation | None = None
    """The one before it, for when that is taken back."""
    claims: tuple[Claim, ...] = ()
    unsure: tuple[str, ...] = ()
    """What was seen and is not counted, in words."""
    taken_back: frozenset[int] = frozenset()
    """Times of readings that failed quality control: whoever else tells of one is not believed, but for a
    correction."""

    @property
    def high(self) -> Bound | None:
        """The final high is not below this, quality control aside."""
        held = [Bound(c.max_f, c.by, c.at_ms) for c in self.claims if c.max_f is not None]
        return min(held, key=lambda b: (-b.f, b.at_ms), default=None)

    @property
    def low(self) -> Bound | None:
        """The final low is not above this, quality control aside."""
        held = [Bound(c.min_f, c.by, c.at_ms) for c in self.claims if c.min_f is not None]
        return min(held, key=lambda b: (b.f, b.at_ms), default=None)

    @property
    def likely_high_f(self) -> int | None:
        """The day's high with high probability: somebody has seen the whole day. Not the settlement."""
        return max((c.max_f for c in self.claims if c.by in FULL_DAY and c.max_f is not None), default=None)

    @property
    def likely_low_f(self) -> int | None:
        """The day's low with high probability, as ``likely_high_f``."""
        return min((c.min_f for c in self.claims if c.by in FULL_DAY and c.min_f is not None), default=None)


def observe(held: RunningDay | None, reading: Observation, station: Station) -> RunningDay:
    """Fold one reading. A new climate day starts afresh; a reading of an older day changes nothing."""
    at_ms = reading.stamp.event_ms
    day = climate_day(station, at_ms)
    if held is not None and day < held.day:
        return held
    if held is None or day > held.day:
        held = RunningDay(day)
    if at_ms in held.taken_back and not reading.corrected:
        return held
    of_then = [c for c in held.claims if c.at_ms == at_ms and c.by not in REPORTS]
    if any(c.corrected for c in of_then) and not reading.corrected:
        return held
    claims, unsure = _claims(reading, station, day)
    kept = [c for c in held.claims if not (reading.corrected and c in of_then)]
    latest, before = held.latest, held.before
    if latest is None or at_ms >= latest.stamp.event_ms:
        latest, before = reading, before if latest is None or at_ms == latest.stamp.event_ms else latest
    return RunningDay(
        day,
        latest,
        before,
        (*kept, *(c for c in claims if c not in kept))[-CLAIMS_MAX:],
        (*held.unsure, *(words for words in unsure if words not in held.unsure)),
        held.taken_back - {at_ms},
    )


def take_back(held: RunningDay | None, at_ms: int, station: Station) -> RunningDay | None:
    """A reading failed quality control: it bounds nothing any more, nor do the groups of its report."""
    day = climate_day(station, at_ms)
    if held is not None and day < held.day:
        return held
    if held is None or day > held.day:
        held = RunningDay(day)
    latest, before = held.latest, held.before
    if latest is not None and latest.stamp.event_ms == at_ms:
        latest, before = before, None
    elif before is not None and before.stamp.event_ms == at_ms:
        before = None
    words = f"reading of {lst(station, at_ms):%H:%M} standard time failed quality control: taken back"
    return RunningDay(
        day,
        latest,
        before,
        tuple(claim for claim in held.claims if claim.at_ms != at_ms or claim.by in REPORTS),
        held.unsure if words in held.unsure else (*held.unsure, words),
        held.taken_back | {at_ms},
    )


def report(
    held: RunningDay | None, told: ClimateReport | DailySummary, station: Station
) -> RunningDay | None:
    """Fold a report of the day: one that covers it in part is a bound, one that covers all of it likely.

    One of an older day changes nothing, nor does one of a day that had not begun when it was issued.
    """
    if told.day > climate_day(station, told.stamp.event_ms) or (held is not None and told.day < held.day):
        return held
    if held is None or told.day > held.day:
        held = RunningDay(told.day)
    by = Evidence.FULL_REPORT if told.final else Evidence.REPORT
    claim = Claim(by, told.stamp.event_ms, told.max_f, told.min_f, told.corrected)
    kept = held.claims
    if told.corrected:  # what a report is corrected to replaces what it said before
        kept = tuple(c for c in kept if c.by is not by)
    if claim in kept:
        return held
    return msgspec.structs.replace(held, claims=(*kept, claim)[-CLAIMS_MAX:])


def _claims(reading: Observation, station: Station, day: str) -> tuple[list[Claim], list[str]]:
    """What a reading proves of its climate day, and what it does not.

    A report is made minutes before the full hour that closes the windows of its groups, and these go from
    report to report: one that would begin at midnight begins those minutes before it.
    """
    at_ms, of = reading.stamp.event_ms, reading.groups
    exact = reading.at_least_f == reading.at_most_f
    by = Evidence.READING if exact else Evidence.WHOLE_CELSIUS
    claims = [Claim(by, at_ms, reading.at_least_f, reading.at_most_f, reading.corrected)]
    unsure: list[str] = []
    closes_ms = -(-at_ms // HOUR_MS) * HOUR_MS
    begins_ms, ends_ms = climate_day_bounds(station, day)
    if of.six_hour_max_f is not None or of.six_hour_min_f is not None:
        extremes = f"{_f(of.six_hour_max_f)} to {_f(of.six_hour_min_f)}"
        if closes_ms % SYNOPTIC_MS:
            unsure.append(f"6-hour group {extremes} at an hour that closes no window: not counted")
        elif at_ms - SIX_HOURS_MS < begins_ms:
            unsure.append(f"6-hour group {extremes} begins before midnight: not counted")
        else:
            claims.append(
                Claim(Evidence.SIX_HOURS, at_ms, of.six_hour_max_f, of.six_hour_min_f, reading.corrected)
            )
    if of.day_max_f is not None or of.day_min_f is not None:
        if closes_ms == ends_ms:
            claims.append(Claim(Evidence.WHOLE_DAY, at_ms, of.day_max_f, of.day_min_f, reading.corrected))
        else:
            unsure.append("24-hour group of another day than the climate day: not counted")
    return claims, unsure


def _f(degrees: int | None) -> str:
    return "--" if degrees is None else f"{degrees}F"
