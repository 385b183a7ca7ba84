"""Temperature markets' ranges read from what they are called, and the short label of such a market."""

from __future__ import annotations

import re
from typing import Final

from core.domain.market import Strike, StrikeKind
from core.venues.polymarket.settles import named
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
_SHORT: Final = {
    "atlanta": "ATL",
    "austin": "AUS",
    "boston": "BOS",
    "chicago": "CHI",
    "dallas": "DAL",
    "denver": "DEN",
    "houston": "HOU",
    "los-angeles": "LAX",
    "miami": "MIA",
    "new-york": "NYC",
    "new-york-city": "NYC",
    "nyc": "NYC",
    "philadelphia": "PHL",
    "san-francisco": "SFO",
    "seattle": "SEA",
}
"""Cities by the letters traders know them by."""


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
    what, degrees = named(event), terms.whole_degrees()
    if what is None or degrees is None:
        return ticker
    low, high = degrees
    if low is None:
        span = f"<={high}"
    elif high is None:
        span = f">={low}"
    else:
        span = f"{low}-{high}" if low != high else str(low)
    city = _SHORT.get(what.city, what.city.replace("-", " ").title())
    return f"{city} {what.extreme.short} {what.short} {span}"
