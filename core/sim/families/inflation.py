"""How far consumer prices rose in a month: a ladder of thresholds on the release that tells it.

An event is named by the month it is about, the one before its release. Of two releases in one month the
earlier that is still to come has the name; the other has no event.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from core.sim.chance import below
from core.sim.contracts import EventSpec, MarketSpec, SeriesSpec, Source
from core.sim.families.family import Outcome
from core.sim.new_york import DAY_MS, local_ms
from core.sim.releases import LATE_S_MAX, Release, Releases

SERIES, KIND = "KXCPI", "CPI"
SOURCE = Source("Bureau of Labor Statistics", "https://www.bls.gov/cpi/")
OPENS_MS = 7 * DAY_MS
CLOSES_BEFORE_MS = 5 * 60_000
"""Nobody trades when the figure comes."""
DETERMINED_AFTER_MS = LATE_S_MAX * 1000 + 60_000
"""After the time at which it is due, and later than it ever comes."""
SETTLEMENT_TIMER_S = 3600
THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5)


def about_month(release: Release) -> datetime:
    """A day of the month whose prices it tells of."""
    return _local(release).replace(day=1) - timedelta(days=1)


def event_ticker(release: Release) -> str:
    return f"{SERIES}-{about_month(release):%y%b}".upper()


def _local(release: Release) -> datetime:
    return datetime.fromtimestamp(local_ms(release.due_ms) / 1000, UTC)


class Threshold(msgspec.Struct, frozen=True):
    """One release's event."""

    release: Release

    @property
    def determined_ms(self) -> int:
        return self.release.due_ms + DETERMINED_AFTER_MS

    @property
    def spec(self) -> EventSpec:
        due, about, event = _local(self.release), about_month(self.release), event_ticker(self.release)
        month = f"{about:%B} {about.year}"
        close_ms = self.release.due_ms - CLOSES_BEFORE_MS
        markets = tuple(
            MarketSpec(
                ticker=f"{event}-T{bound}",
                event_ticker=event,
                series_ticker=SERIES,
                title=f"CPI up by more than {bound}% in {month}?",
                yes_sub_title=f"Above {bound}%",
                strike_type="greater",
                floor_strike=bound,
                open_ms=self.release.due_ms - OPENS_MS,
                close_ms=close_ms,
                settlement_timer_s=SETTLEMENT_TIMER_S,
                expected_expiration_ms=self.determined_ms,
                latest_expiration_ms=self.release.due_ms + 30 * DAY_MS,
                rules_primary=(
                    f"Yes if the seasonally adjusted Consumer Price Index for All Urban Consumers rose by "
                    f"more than {bound}% from the month before in {month}, according to the Bureau of Labor "
                    f"Statistics. The first figure released counts."
                ),
                rules_secondary="Simulated: settles on this world's own release.",
            )
            for bound in THRESHOLDS
        )
        return EventSpec(
            event_ticker=event,
            series_ticker=SERIES,
            title=f"CPI in {month}",
            sub_title=f"Released on {due:%b} {due.day}",
            markets=markets,
            strike_date_ms=self.release.due_ms,
            settlement_sources=(SOURCE,),
        )

    def chances(self, now_ms: int) -> tuple[float, ...]:
        """What such figures have been: nobody here knows more."""
        kind = self.release.kind
        return tuple(below((kind.level - bound - kind.step / 2) / kind.deviation) for bound in THRESHOLDS)

    def outcome(self) -> Outcome:
        value = self.release.value
        return Outcome(tuple(value > bound for bound in THRESHOLDS), f"{value:.1f}")


class Inflation:
    """Every release of the next week, of a month the earliest."""

    look_every_ms = 10_000
    series = SeriesSpec(
        SERIES,
        "CPI month on month",
        "Economics",
        frequency="monthly",
        fee_type="quadratic_with_maker_fees",
        settlement_sources=(SOURCE,),
    )

    def __init__(self, releases: Releases) -> None:
        self._releases = releases

    def open(self, now_ms: int, listed: Container[str]) -> Iterator[Threshold]:
        found: dict[str, Release] = {}
        for release in self._releases.between(now_ms + CLOSES_BEFORE_MS + 1, now_ms + OPENS_MS, KIND):
            found.setdefault(event_ticker(release), release)
        for event, release in found.items():
            if event not in listed:
                yield Threshold(release)
