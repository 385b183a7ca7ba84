"""Temperature markets' ranges read from what they are called, and the short label of such a market.

The station is not read: these markets settle on other reports than the daily climate reports our model
knows, so the rules text keeps it for a person and there is no fair value (reference: feeds, 2.13).
"""

from __future__ import annotations

import re
from typing import Final

from core.domain.market import Strike, StrikeKind
from core.venues.wire import Odd

OTHER: Final = Strike(StrikeKind.OTHER)
CHARS_MAX: Final = 300

_TOPIC: Final = re.compile(r"\b(?:highest|lowest|high|low|maximum|minimum) temperature\b", re.IGNORECASE)
_DEGREES: Final = r"(?P<{0}>[-−]?\d{{1,3}})"
_UNIT: Final = r"\s*°?\s*[FC]?\b"
_SPAN: Final = re.compile(
    _DEGREES.format("low") + _UNIT + r"\s*(?:-|–|—|to|and)\s*" + _DEGREES.format("high") + r"\s*°?\s*[FC]\b"
)
_ONE: Final = re.compile(
    r"(?P<sign>[<>≤≥]=?|under|below|over|above)?\s*"
    + _DEGREES.format("degrees")
    + r"\s*°?\s*[FC]\b(?:\s*or\s*(?P<rest>below|lower|less|higher|above|more)\b)?",
    re.IGNORECASE,
)
_EVENT: Final = re.compile(
    r"(?P<extreme>highest|lowest)-temperature-in-(?P<city>[a-z-]{1,40})-on-(?P<month>[a-z]{3,9})-(?P<day>\d{1,2})"
    r"(?:-\d{4})?",
    re.ASCII,
)
_REST: Final = {
    "below": StrikeKind.LESS_OR_EQUAL,
    "lower": StrikeKind.LESS_OR_EQUAL,
    "less": StrikeKind.LESS_OR_EQUAL,
    "higher": StrikeKind.GREATER_OR_EQUAL,
    "above": StrikeKind.GREATER_OR_EQUAL,
    "more": StrikeKind.GREATER_OR_EQUAL,
}
_SIGN: Final = {
    "<": StrikeKind.LESS,
    "under": StrikeKind.LESS,
    "below": StrikeKind.LESS,
    "≤": StrikeKind.LESS_OR_EQUAL,
    "<=": StrikeKind.LESS_OR_EQUAL,
    ">": StrikeKind.GREATER,
    "over": StrikeKind.GREATER,
    "above": StrikeKind.GREATER,
    "≥": StrikeKind.GREATER_OR_EQUAL,
    ">=": StrikeKind.GREATER_OR_EQUAL,
}
_SHORT: Final = {"new-york-city": "NYC", "new-york": "NYC", "nyc": "NYC", "los-angeles": "LA"}


def strike(question: str, group_title: str, odd: Odd) -> Strike:
    """The range of whole degrees that pays YES; another kind of market, or two texts that differ: OTHER."""
    if _TOPIC.search(question[:CHARS_MAX]) is None:
        return OTHER
    asked, named = _range(question), _range(group_title)
    if asked is not None and named is not None and asked != named:
        odd.notes.append("strike: the question and its short title name different degrees")
        return OTHER
    return asked or named or OTHER


def _range(text: str) -> Strike | None:
    line = text[:CHARS_MAX]
    span = _SPAN.search(line)
    if span is not None:
        low, high = _whole(span["low"]), _whole(span["high"])
        return Strike(StrikeKind.BETWEEN, low, high) if low <= high else None
    found = list(_ONE.finditer(line))
    if len(found) != 1:
        return None
    one = found[0]
    degrees = _whole(one["degrees"])
    kind = _REST.get((one["rest"] or "").lower()) or _SIGN.get((one["sign"] or "").lower())
    if kind is None:
        return Strike(StrikeKind.BETWEEN, degrees, degrees)
    if kind in (StrikeKind.LESS, StrikeKind.LESS_OR_EQUAL):
        return Strike(kind, cap=degrees)
    return Strike(kind, floor=degrees)


def _whole(text: str) -> float:
    return float(int(text.replace("−", "-")))


def label(event: str, ticker: str, terms: Strike) -> str:
    """``NYC hi Nov23 48-49``; the ticker itself where the parts are not known."""
    named, degrees = _EVENT.fullmatch(event), terms.whole_degrees()
    if named is None or degrees is None:
        return ticker
    low, high = degrees
    if low is None:
        span = f"<={high}"
    elif high is None:
        span = f">={low}"
    else:
        span = f"{low}-{high}" if low != high else str(low)
    city = _SHORT.get(named["city"], named["city"].replace("-", " ").title())
    extreme = "hi" if named["extreme"] == "highest" else "lo"
    return f"{city} {extreme} {named['month'][:3].capitalize()}{int(named['day']):02d} {span}"
