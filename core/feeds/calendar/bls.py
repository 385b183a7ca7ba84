"""The Bureau of Labor Statistics' own schedule: CPI and the Employment Situation, with their times.

It refuses simple agents: ``feeds.user_agent`` should name somebody to write to.
"""

from __future__ import annotations

from datetime import date

import msgspec

from core.feeds.calendar.eastern import eastern_ms
from core.feeds.calendar.ics import parse_ics
from core.feeds.calendar.kinds import kind_of
from core.feeds.calendar.published import STALE_AFTER_S, published
from core.feeds.declaration import Declaration, Family
from core.feeds.feed import Feed
from core.feeds.fetch import Body, Failed, Fetcher, NotModified
from core.feeds.releases import Certainty, Due
from core.feeds.wiring import Wiring

PATH = "/schedule/news_release/bls.ics"
DECLARATION = Declaration(
    name="bls",
    label="BLS",
    family=Family.CALENDAR,
    gives="when CPI and the jobs report come",
    urls={"site": "https://www.bls.gov"},
    every_s=86_400,
    stale_after_s=STALE_AFTER_S,
    credit="Bureau of Labor Statistics (public domain)",
)


def parse(text: str) -> tuple[Due, ...] | str:
    """The schedule's releases of a known kind, or why it is none."""
    entries = parse_ics(text)
    if isinstance(entries, str):
        return entries
    due: list[Due] = []
    for entry in entries:
        kind = kind_of(entry.title)
        if kind is None:
            continue
        if isinstance(entry.begins, str):
            return f"{entry.title}: {entry.begins}"
        if isinstance(entry.begins, date):
            due.append(
                Due(kind.name, eastern_ms(entry.begins, kind.usual), Certainty.USUAL, DECLARATION.name)
            )
        else:
            due.append(Due(kind.name, entry.begins, Certainty.STATED, DECLARATION.name))
    return tuple(due) if due else "it names no release of a known kind"


async def ask(fetcher: Fetcher) -> tuple[Body, tuple[Due, ...]] | Failed:
    """The file, read."""
    answer = await fetcher.get(PATH)
    if isinstance(answer, Failed):
        if answer.status == 403:
            why = "HTTP 403: it turns away who names nobody to write to: put an e-mail in feeds.user_agent"
            return msgspec.structs.replace(answer, reason=why)
        return answer
    if isinstance(answer, NotModified):
        return Failed("HTTP 304 to a question without conditions", 304)
    due = parse(answer.data.decode("utf-8", "replace"))
    return Failed(f"schedule refused: {due}", 200) if isinstance(due, str) else (answer, due)


def feed(wiring: Wiring) -> Feed:
    fetcher = wiring.fetcher("site", "text/calendar", kinds=("calendar", "plain", "octet-stream"))
    return published(wiring, lambda: ask(fetcher))
