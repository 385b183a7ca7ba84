"""The National Blend's guidance of past days, from IEM's archive of runs.

Of each day the run of 19 UTC so many days before: what stood there in the evening on which its markets
trade. Its maximum is the daytime's and its minimum the night's, not the climate day's: what differs a fit
finds out.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from core.domain.market import Extreme
from core.feeds.fetch import Body, Failed, Fetcher
from core.feeds.nbm_text import GuidanceRow, by_day, utc_ms
from core.feeds.stations import DAY_MS, Station, shift_day
from core.training.archive import Figures, Key
from core.training.asks import Ask, Days, Found, Provider, keys, spans

MODEL: Final = "NBS"
LEADS: Final = (1, 2)
RUN_HOUR: Final = 19
"""UTC. In every station's standard time it is within the date that UTC names."""
DAYS_AN_ASK: Final = 30
ROWS_MAX: Final = 20_000
_FIELDS: Final = ("station", "model", "runtime", "ftime", "txn")


def plan(station: Station, days: Sequence[str], held: Figures) -> list[Ask]:
    """The questions whose answers are not held for these days."""
    missing = [
        day
        for day in days
        if any(Key(day, extreme, lead, MODEL) not in held for extreme in Extreme for lead in LEADS)
    ]
    return [_ask(station, span, held) for span in spans(missing, DAYS_AN_ASK)]


def _ask(station: Station, days: Days, held: Figures) -> Ask:
    async def answer(fetcher: Fetcher) -> Found | Failed:
        first, last = days.first - timedelta(days=max(LEADS)), days.last
        said = await fetcher.get(
            "/cgi-bin/request/mos.py",
            {
                "station": station.icao,
                "model": MODEL,
                "sts": f"{first}T00:00Z",
                "ets": f"{last}T00:00Z",
                "format": "csv",
            },
        )
        if not isinstance(said, Body):
            return said if isinstance(said, Failed) else Failed("not modified without a question", 304)
        return read(said.data.decode("utf-8", "replace"), station, days)

    wanted = frozenset(key for key in keys(days, MODEL, LEADS) if key not in held)
    return Ask(Provider.IEM, station, MODEL, days, 1, answer, wanted)


def read(text: str, station: Station, days: Days) -> Found | Failed:
    """The guidance of each day at each lead, none where its run is not kept; or what is wrong with the
    answer."""
    rows = list(csv.DictReader(text.splitlines()[: ROWS_MAX + 1]))
    if not rows:
        return Failed(f"{station.icao}: no guidance at all", 200)
    if missing := [field for field in _FIELDS if field not in rows[0]]:
        return Failed(f"{station.icao}: answer has no column {missing[0]}", 200)
    runs: dict[int, dict[int, GuidanceRow]] = {}
    for row in rows:
        if (row["station"], row["model"]) != (station.icao, MODEL):
            return Failed(f"{station.icao}: answer is of another station or model", 200)
        run_ms, at_ms = utc_ms(row["runtime"]), utc_ms(row["ftime"])
        if run_ms is None or at_ms is None:
            return Failed(f"{station.icao}: a run's time cannot be read", 200)
        hours = runs.setdefault(run_ms, {})
        if at_ms in hours:
            return Failed(f"{station.icao}: answer tells an hour of a run twice", 200)
        hours[at_ms] = GuidanceRow(at_ms, row["txn"])
    found: dict[Key, float | None] = dict.fromkeys(keys(days, MODEL, LEADS))
    for day in days.all():
        for lead in LEADS:
            highs, lows = by_day(runs.get(_run_ms(shift_day(day, -lead)), {}).values(), station)
            for extreme, told in ((Extreme.HIGH, highs), (Extreme.LOW, lows)):
                if day in told:
                    found[Key(day, extreme, lead, MODEL)] = float(told[day].f)
    return found


def _run_ms(day: str) -> int:
    midnight = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
    return int(midnight.timestamp()) * 1000 + RUN_HOUR * DAY_MS // 24
