"""Economic releases of this world: when each is due, when it really comes and what it says.

The Federal Reserve's decision days are the published ones (2027 tentative). The others come on days by
rule, near the real ones; a scenario may stage more. What they say is made from the seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta

import msgspec

from core.sim.chance import normal, uniform
from core.sim.new_york import DAY_MS, at, local_ms

LATE_S_MAX = 20
"""A release is out up to so many world seconds after its time."""
_LONGEST_WAIT_MS = 100 * DAY_MS
"""Between two releases of a kind it is never longer."""

FOMC_DAYS = tuple(
    date.fromisoformat(day)
    for day in (
        "2026-01-28", "2026-03-18", "2026-04-29", "2026-06-17", "2026-07-29", "2026-09-16", "2026-10-28",
        "2026-12-09", "2027-01-27", "2027-03-17", "2027-04-28", "2027-06-09", "2027-07-28", "2027-09-15",
        "2027-10-27", "2027-12-08",
    )
)  # fmt: skip


class Kind(msgspec.Struct, frozen=True):
    """One series of releases as data."""

    name: str
    title: str
    unit: str
    hour: int
    minute: int
    days: Callable[[int, int], list[date]]
    """Its days in a year's month."""
    level: float
    deviation: float
    step: float
    """What its figures are multiples of."""


class Release(msgspec.Struct, frozen=True):
    """One release. ``printed_ms`` is when it is out; before that nobody knows ``value``."""

    kind: Kind
    due_ms: int
    printed_ms: int
    value: float
    previous: float


def _jobs(year: int, month: int) -> list[date]:
    """The first Friday."""
    first = date(year, month, 1)
    return [first + timedelta(days=(4 - first.weekday()) % 7)]


def _cpi(year: int, month: int) -> list[date]:
    """The first working day from the tenth on."""
    day = date(year, month, 10)
    return [day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)]


def _gdp(year: int, month: int) -> list[date]:
    """The last Thursday."""
    day = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    return [day - timedelta(days=(day.weekday() - 3) % 7)]


def _fomc(year: int, month: int) -> list[date]:
    return [day for day in FOMC_DAYS if (day.year, day.month) == (year, month)]


KINDS = (
    Kind("CPI", "Consumer Price Index", "% month on month", 8, 30, _cpi, 0.3, 0.12, 0.1),
    Kind("JOBS", "Employment Situation", "thousand jobs", 8, 30, _jobs, 110, 70, 1),
    Kind("GDP", "Gross Domestic Product", "% annual rate", 8, 30, _gdp, 2.2, 0.9, 0.1),
    Kind("FOMC", "Federal funds target, upper end", "%", 14, 0, _fomc, 3.75, 0.15, 0.25),
)
_BY_NAME = {kind.name: kind for kind in KINDS}


class Staged(msgspec.Struct, frozen=True):
    """A release that a scenario adds to those by rule."""

    kind: str
    due_ms: int


_SURVEYED = "CPI"
"""The kind that this world has markets on."""
_SURVEYS_MS = 40 * DAY_MS


def surveys(releases: Releases, now_ms: int) -> list[tuple[str, ...]]:
    """What this world expects of its coming figures, as lines of a file of views: what such figures
    have been, and how far apart, which is all that anybody knows here."""
    today = datetime.fromtimestamp(local_ms(now_ms) / 1000, UTC).date().isoformat()
    return [
        (
            _SURVEYED, datetime.fromtimestamp(local_ms(one.due_ms) / 1000, UTC).date().isoformat(),
            "consensus", f"{one.kind.level:g}", f"{one.kind.deviation:g}", "SIM survey", today,
        )
        for one in releases.between(now_ms, now_ms + _SURVEYS_MS, _SURVEYED)
    ]  # fmt: skip


class Releases:
    """All releases of one world, from its seed."""

    def __init__(self, seed: int, staged: Iterable[Staged] = ()) -> None:
        self._seed, self._staged = seed, tuple(staged)

    def between(self, from_ms: int, to_ms: int, kind: str = "") -> tuple[Release, ...]:
        """Due from one instant to another, oldest first; of one kind where it is named."""
        return tuple(
            release
            for release in self._with_previous(from_ms, to_ms)
            if from_ms <= release.due_ms <= to_ms and kind in ("", release.kind.name)
        )

    def _with_previous(self, from_ms: int, to_ms: int) -> Iterator[Release]:
        """Earlier ones too: each release repeats what the one before it said."""
        said: dict[str, float] = {}
        for due_ms, name in self._due(from_ms - _LONGEST_WAIT_MS, to_ms):
            kind, label = _BY_NAME[name], f"{self._seed}|{name}|{due_ms}"
            drawn = kind.level + kind.deviation * normal(label)
            value = round(round(drawn / kind.step) * kind.step, 4)
            late_ms = int(1000 * LATE_S_MAX * uniform(f"{label}|late"))
            yield Release(kind, due_ms, due_ms + late_ms, value, said.get(name, value))
            said[name] = value

    def _due(self, from_ms: int, to_ms: int) -> list[tuple[int, str]]:
        first, last = (datetime.fromtimestamp(local_ms(ms) / 1000, UTC).date() for ms in (from_ms, to_ms))
        due = {(one.due_ms, one.kind) for one in self._staged}
        year, month = first.year, first.month
        while (year, month) <= (last.year, last.month):
            due |= {(at(day, k.hour, k.minute), k.name) for k in KINDS for day in k.days(year, month)}
            year, month = year + month // 12, month % 12 + 1
        return sorted(one for one in due if from_ms <= one[0] <= to_ms)
