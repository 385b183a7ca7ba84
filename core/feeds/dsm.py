"""Daily summary messages of each station, through IEM's text archive: minutes after midnight, before any
climate report. Their full-day value is near official and still not the settlement.
"""

from __future__ import annotations

from typing import Final

from core.feeds.declaration import Declaration, Family, Per, Quota
from core.feeds.dsm_text import DsmSummary, parse_dsm
from core.feeds.feed import Feed
from core.feeds.fetch import Body, Failed, Fetcher
from core.feeds.nbm import SPACING_S
from core.feeds.pace import Pace
from core.feeds.polling import Polled
from core.feeds.sanity import time_fault
from core.feeds.stations import DAY_MS, Station, climate_day_bounds
from core.feeds.values import DailySummary, Sink
from core.feeds.wiring import Transports, Wiring

LIMIT: Final = 6
"""Messages asked for: the day's, with corrections."""

SUMMARIES = Declaration(
    name="dsm",
    label="DSM",
    family=Family.WEATHER,
    gives="each station's own summary of its day, as soon as the day is over",
    urls={"api": "https://mesonet.agron.iastate.edu"},
    every_s=600.0,
    stale_after_s=26 * 3_600,
    quotas=(Quota(60, Per.MINUTE),),
    credit="Text archive of the Iowa Environmental Mesonet",
)


class SummarySource:
    """One station's messages."""

    stale_after_s = SUMMARIES.stale_after_s

    def __init__(self, station: Station, fetcher: Fetcher, pace: Pace, shared: Transports) -> None:
        self.key = station.icao
        self.newest_ms: int | None = None
        self._station, self._fetcher, self._pace = station, fetcher, pace
        self._clocks = shared.clocks
        self._sink: Sink = shared.sink
        self._handed: dict[DsmSummary, None] = {}

    async def poll(self) -> Polled | Failed:
        pil = f"DSM{self._station.cli.removeprefix('CLI')}"
        async with self._pace.turn(SPACING_S):
            answer = await self._fetcher.get(
                "/cgi-bin/afos/retrieve.py", {"pil": pil, "limit": str(LIMIT), "fmt": "text"}
            )
        if not isinstance(answer, Body):
            return answer if isinstance(answer, Failed) else Failed("not modified without a question", 304)
        world_ms = self._clocks.world_ms()
        text = answer.data.decode("ascii", "replace")
        # The archive gives the newest first: what corrects must come after what it corrects, and of two
        # corrections the newer one last.
        told = [one for one in parse_dsm(text, world_ms)[::-1] if one.station == self.key]
        if not told and " DS " in text:
            return Failed(f"{pil} holds no message of {self.key}", 200)
        changed = False
        for one in sorted(told, key=lambda one: (self._seen_ms(one), one.corrected)):
            if one not in self._handed and not time_fault(self._seen_ms(one), None, world_ms):
                self._hand(one, answer)
                changed = True
        return Polled(answer.received_ns, changed, latency_ms=answer.latency_ms)

    def _hand(self, one: DsmSummary, answer: Body) -> None:
        seen_ms = self._seen_ms(one)
        self._handed = dict.fromkeys([*self._handed, one][-LIMIT * 4 :])
        self.newest_ms = max(seen_ms, self.newest_ms or 0)
        final = one.until_minute is None
        stamp = answer.stamp(seen_ms)
        self._sink(DailySummary(self.key, one.day, final, one.corrected, one.max_f, one.min_f, stamp))

    def _seen_ms(self, one: DsmSummary) -> int:
        """Up to when the message has seen its day."""
        begins_ms, _ = climate_day_bounds(self._station, one.day)
        return begins_ms + (DAY_MS if one.until_minute is None else one.until_minute * 60_000)


def summary_feed(wiring: Wiring) -> Feed:
    return wiring.polled(
        [
            SummarySource(
                station,
                wiring.fetcher("api", "text/plain", ("text/plain",)),
                wiring.pace,
                wiring.shared,
            )
            for station in wiring.stations
        ]
    )
