"""FRED's release dates: every kind, dates only. The usual time of day is added, and said to be that.

Dates of the future come only with ``include_release_dates_with_no_data``. What has a series of every day
is listed day by day, whenever its news come: seen of ``FOMC Press Release`` (the target range), which then
names no meeting. A key FRED does not know is answered with 400, so what it says of one is read from the body.
"""

from __future__ import annotations

from collections.abc import Container
from datetime import date, timedelta

import msgspec

from core.domain.clock import Clocks
from core.domain.text import clean_text
from core.feeds.calendar.eastern import eastern_day, eastern_ms
from core.feeds.calendar.kinds import KINDS, kind_of
from core.feeds.calendar.published import STALE_AFTER_S, published
from core.feeds.declaration import Declaration, Family, KeyNeed, Per, Probe, Quota, Rides
from core.feeds.feed import Feed
from core.feeds.fetch import Body, Failed, Fetcher, NotModified, decode
from core.feeds.releases import Certainty, Due
from core.feeds.stations import DAY_MS
from core.feeds.wiring import Wiring

BACK_DAYS = 60
"""What was due so long ago is asked for too: it may still be awaited; the FOMC meets every eight weeks."""
PAGE, PAGES_MAX = 1_000, 10
RUN_DATES, RUN_MS = 3, 7 * DAY_MS
"""So many dates of one kind within a week are those of a daily series, not releases."""
DECLARATION = Declaration(
    name="fred-releases",
    label="FREDCAL",
    family=Family.CALENDAR,
    gives="dates of CPI, jobs and GDP",
    urls={"api": "https://api.stlouisfed.org"},
    every_s=3_600,
    stale_after_s=STALE_AFTER_S,
    quotas=(Quota(120, Per.MINUTE),),
    key=KeyNeed(
        Rides.QUERY,
        "api_key",
        "A free key comes with an account at fredaccount.stlouisfed.org; [feeds.fred] takes the same one.",
    ),
    off="It needs a key of its own.",
    credit="Federal Reserve Bank of St. Louis, FRED",
    probe=Probe("one date of a release", "/fred/releases/dates", params={"file_type": "json", "limit": "1"}),
)


class ReleaseDate(msgspec.Struct, frozen=True):
    release_name: str
    date: str


class Page(msgspec.Struct, frozen=True):
    count: int
    release_dates: tuple[ReleaseDate, ...]


class Refusal(msgspec.Struct, frozen=True):
    error_code: int
    error_message: str


def parse(dates: tuple[ReleaseDate, ...], out: Container[ReleaseDate] = frozenset()) -> tuple[Due, ...] | str:
    """The dates of a known kind with their usual times, or what is wrong with one of them. ``out`` are those
    that have brought figures. A kind that is listed day by day is left out."""
    due: dict[tuple[str, int], Due] = {}
    for one in dates:
        kind = kind_of(one.release_name)
        if kind is None:
            continue
        try:
            day = date.fromisoformat(one.date)
        except ValueError:
            return f"{kind.name} comes on {clean_text(one.date, 40)!r}, which is no date"
        if not 1971 <= day.year < 2200:
            return f"{kind.name} comes on {day.isoformat()}, which is not of our days"
        at_ms = eastern_ms(day, kind.usual)
        due[kind.name, at_ms] = Due(kind.name, at_ms, Certainty.USUAL, DECLARATION.name, one in out)
    instants = sorted(due)
    daily = {kind.name for kind in KINDS if _daily([at_ms for name, at_ms in instants if name == kind.name])}
    kept = tuple(one for one in due.values() if one.kind not in daily)
    return kept or "it names no release of a known kind"


def _daily(instants: list[int]) -> bool:
    return any(
        last - first < RUN_MS for first, last in zip(instants, instants[RUN_DATES - 1 :], strict=False)
    )


async def ask(fetcher: Fetcher, clocks: Clocks) -> tuple[Body, tuple[Due, ...]] | Failed:
    """All dates, and which of them have brought figures already."""
    today = eastern_day(clocks.world_ms())
    since = today - timedelta(days=BACK_DAYS)
    found = await _listed(fetcher, since, coming=True)
    if isinstance(found, Failed):
        return found
    out = await _listed(fetcher, since, coming=False)
    if isinstance(out, Failed):
        return out
    answer, dates = found
    due = parse(dates, frozenset(one for one in out[1] if one.date <= today.isoformat()))
    return Failed(f"dates refused: {due}", 200) if isinstance(due, str) else (answer, due)


async def _listed(
    fetcher: Fetcher, since: date, *, coming: bool
) -> tuple[Body, tuple[ReleaseDate, ...]] | Failed:
    """Every page; ``coming``: also dates that have brought no figures yet."""
    dates: list[ReleaseDate] = []
    for page in range(PAGES_MAX):
        answer = await _page(fetcher, since, page * PAGE, coming=coming)
        if isinstance(answer, Failed):
            return answer
        found = decode(answer, Page)
        if isinstance(found, Failed):
            return found
        dates += found.release_dates
        if not found.release_dates or len(dates) >= found.count:
            return answer, tuple(dates)
    return Failed(f"it has more than {PAGE * PAGES_MAX} dates", 200)


async def _page(fetcher: Fetcher, since: date, offset: int, *, coming: bool) -> Body | Failed:
    answer = await fetcher.get(
        "/fred/releases/dates",
        {
            "file_type": "json",
            "include_release_dates_with_no_data": "true" if coming else "false",
            "realtime_start": since.isoformat(),
            "realtime_end": "9999-12-31",
            "sort_order": "asc",
            "limit": str(PAGE),
            "offset": str(offset),
        },
    )
    if isinstance(answer, NotModified):
        return Failed("HTTP 304 to a question without conditions", 304)
    return refused(answer) if isinstance(answer, Failed) else answer


def refused(answer: Failed) -> Failed:
    """With FRED's own words where there are any; a key it does not know is its 400 that names the key."""
    try:
        said = msgspec.json.decode(answer.body, type=Refusal)
    except (msgspec.DecodeError, RecursionError):
        return answer
    of_key = answer.status == 400 and "api_key" in said.error_message
    reason = f"HTTP {answer.status}: {clean_text(said.error_message, 120)}"
    return msgspec.structs.replace(answer, reason=reason, key_refused=answer.key_refused or of_key)


def feed(wiring: Wiring) -> Feed:
    fetcher = wiring.fetcher("api", "application/json")
    return published(wiring, lambda: ask(fetcher, wiring.shared.clocks))
