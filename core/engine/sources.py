"""Whose word settles the markets of a series, as a person has read it and confirmed.

What is confirmed stands in the journal with a hash of the words it was read in, without what differs from one
market of a series to the next: days, times, strikes. A series whose rules read differently asks again.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Collection, Iterable

import msgspec

from core.domain.market import Market
from core.journal.events import Event, Kind
from core.journal.store import EventLog

MARK_LENGTH = 8
"""Characters of a text's hash that a person types."""
_DATES = re.compile(
    r"\b(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?|(?:mon|tues|wednes|thurs|fri|satur|sun)day|[ap]\.?m\.?|e[sd]?t)\b"
)
_NUMBERS = re.compile(r"[$-]?\d[\d,]*(?:\.\d+)?(?:%|st|nd|rd|th)?")
_TOGETHER = re.compile(r"#(?:[\s,:/.-]*#)+")
_STRIKES = re.compile(
    r"between # (?:and|to) #|# (?:and|to) #|# or (?:more|less|above|below|higher|lower|greater)"
    r"|(?:greater than|more than|less than|at least|at most|above|below|over|under|exactly)"
    r"(?: or equal to)? #"
)


class SourceConfirmed(msgspec.Struct, frozen=True):
    """Payload of a ``SOURCE`` row: markets of the series that read so are settled as their rules say."""

    series: str
    mark: str
    """Hash of the text that was read, see ``text_mark``."""
    text: str


class Sources:
    """What was confirmed, and what the profile's configuration takes on trust by series."""

    def __init__(self, log: EventLog, trusted: Collection[str], confirmed: Iterable[SourceConfirmed]) -> None:
        self._log, self._trusted = log, frozenset(trusted)
        self._confirmed = {(one.series, one.mark) for one in confirmed}

    def waits(self, market: Market) -> str:
        """Why nothing is opened in a market; empty where its source is known or confirmed."""
        series = market.series_ticker
        if not market.unconfirmed or series in self._trusted:
            return ""
        if (series, text_mark(market.rules)) in self._confirmed:
            return ""
        once = any(known == series for known, _ in self._confirmed)
        again = f"the rules of {series} do not read as you confirmed them, and it " if once else ""
        return (
            f"{again or 'trading '}waits for your confirmation of the settlement source: {market.unconfirmed}"
        )

    def confirm(self, series: str, mark: str, markets: Iterable[Market], by: str) -> SourceConfirmed | str:
        """A person has read the text of this mark. Returns why it does not count, in a sentence."""
        named = [market for market in markets if market.series_ticker == series]
        if not named:
            return f"{series[:40]!r} is no series of this desk; pmconsole markets lists what there is."
        waiting = [market for market in named if self.waits(market)]
        if not waiting:
            return f"{series} waits for no confirmation."
        read = next((one for one in waiting if _is(text_mark(one.rules), mark)), None)
        if read is None:
            return (
                f"{mark[:20]!r} is no text that waits in {series}: read it, with its mark, by "
                f"pmconsole rules {waiting[0].ticker}."
            )
        alike = sum(text_mark(one.rules) == text_mark(read.rules) for one in waiting)
        text = f"the settlement source of {series} is as its rules say ({alike} markets read so)"
        made = SourceConfirmed(series, text_mark(read.rules), text)
        self._confirmed.add((made.series, made.mark))
        self._log.append(Event(Kind.SOURCE, made, ticker=read.ticker, actor=by))
        return made


@functools.lru_cache(maxsize=10_000)
def text_mark(rules: str) -> str:
    """Hash of a rules text as markets of a series share it, without days, times and strikes."""
    text = _NUMBERS.sub("#", _DATES.sub("#", rules.lower()))
    text = _STRIKES.sub("#", _TOGETHER.sub("#", text))
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()


def _is(mark: str, typed: str) -> bool:
    return len(typed) >= MARK_LENGTH and mark.startswith(typed.lower())
