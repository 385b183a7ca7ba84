"""What an hourly station report (METAR) proves of temperature: its own text, read exactly.

Groups are in tenths of a degree Celsius made from whole Fahrenheit, which is recovered without a doubt;
a body in whole Celsius is a band of one or two whole Fahrenheit.
"""

from __future__ import annotations

import re

import msgspec

from core.feeds.sanity import plausible
from core.feeds.values import Groups

REPORT_CHARS_MAX = 1_000
_T_GROUP = re.compile(r"\bT([01])(\d{3})(?:[01]\d{3})?(?=[\s=]|$)", re.ASCII)
_BODY = re.compile(r"\s(M?)(\d{2})/(?:M?\d{2})?(?=[\s=]|$)", re.ASCII)
# In the remarks only, where they stand alone: elsewhere five digits are wind, pressure or a coordinate.
_SIX_HOURS = re.compile(r"(?<=\s)([12])([01])(\d{3})(?=[\s=]|$)", re.ASCII)
_DAY = re.compile(r"(?<=\s)4([01])(\d{3})([01])(\d{3})(?=[\s=]|$)", re.ASCII)
_CORRECTED = re.compile(r"^(?:METAR |SPECI )?COR |\s\d{6}Z (?:AUTO )?COR\b|\bCOR \d{6}Z\b", re.ASCII)


class Band(msgspec.Struct, frozen=True):
    """A temperature and the whole degrees Fahrenheit it can stand for, both ends included."""

    f: float
    lowest_f: int
    highest_f: int


def of_tenths(tenths_c: int) -> Band:
    """A temperature in tenths of a degree Celsius: it names one whole Fahrenheit."""
    whole = (tenths_c * 9 + 1_625) // 50
    return Band(tenths_c * 9 / 50 + 32, whole, whole)


def of_whole(celsius: int) -> Band:
    """A temperature rounded to whole Celsius: anything within half a degree of it."""
    return Band(celsius * 9 / 5 + 32, -(-(celsius * 18 + 311) // 10), (celsius * 18 + 329) // 10)


def temperature(report: str) -> Band | None:
    """By the T group, else by the body; ``None`` where the report has neither."""
    body, _, remarks = report[:REPORT_CHARS_MAX].partition(" RMK")
    if group := _T_GROUP.search(remarks):
        found = of_tenths(_tenths(group.group(1), group.group(2)))
    elif degrees := _BODY.search(body):
        found = of_whole(-int(degrees.group(2)) if degrees.group(1) else int(degrees.group(2)))
    else:
        return None
    return found if plausible(found.f) else None


def groups(report: str) -> Groups:
    """Extremes of the last 6 and 24 hours, whole degrees."""
    remarks = report[:REPORT_CHARS_MAX].partition(" RMK")[2]
    six = {kind: _whole(sign, digits) for kind, sign, digits in reversed(_SIX_HOURS.findall(remarks))}
    day = _DAY.search(remarks)
    return Groups(
        six_hour_max_f=six.get("1"),
        six_hour_min_f=six.get("2"),
        day_max_f=_whole(day.group(1), day.group(2)) if day else None,
        day_min_f=_whole(day.group(3), day.group(4)) if day else None,
    )


def corrected(report: str) -> bool:
    """Whether the report replaces one of the same time."""
    return _CORRECTED.search(report[:REPORT_CHARS_MAX]) is not None


def _tenths(sign: str, digits: str) -> int:
    return -int(digits) if sign == "1" else int(digits)


def _whole(sign: str, digits: str) -> int | None:
    band = of_tenths(_tenths(sign, digits))
    return band.lowest_f if plausible(band.f) else None
