"""Reads the daily climate report (CLI): a fixed-width text for people whose columns drift by office."""

from __future__ import annotations

import re
from datetime import date

import msgspec

TEXT_CHARS_MAX = 60_000

_MONTH_NAMES = (
    "JANUARY",
    "FEBRUARY",
    "MARCH",
    "APRIL",
    "MAY",
    "JUNE",
    "JULY",
    "AUGUST",
    "SEPTEMBER",
    "OCTOBER",
    "NOVEMBER",
    "DECEMBER",
)
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
# Every gap is bounded or stays on its line: a product of nothing but blanks must not take seconds to refuse.
_HEADLINE = re.compile(
    r"\bTHE\s{1,4}(\S.{1,80}?)\s{1,4}CLIMATE\s{1,4}SUMMARY\s{1,4}FOR\s{1,4}"
    r"([A-Z]{3,9})\s{1,4}(\d{1,2}),?\s{1,4}(\d{4})"
)
_PRELIMINARY = re.compile(r"\bVALID\s{1,4}(?:TODAY\s{1,4})?AS\s{1,4}OF\b")
_TEMPERATURE = re.compile(r"^[ \t]*TEMPERATURE[ \t]*\(F\)", re.MULTILINE)
_SUBHEADING = re.compile(r"^[ \t]*(YESTERDAY|TODAY)\b", re.MULTILINE)
_CORRECTED = re.compile(r"\bCORRECT(?:ED|ION)\b")
_WMO_CORRECTED = re.compile(r"^[A-Z]{4}\d{2} [A-Z]{4} \d{6} CC[A-Z]\s*$", re.MULTILINE)


class CliSummary(msgspec.Struct, frozen=True):
    """One place's summary. ``day`` is the climate day reported on, ``YYYY-MM-DD``."""

    place: str
    day: str
    final: bool
    corrected: bool
    max_f: int | None
    min_f: int | None


def parse_cli(text: str) -> tuple[CliSummary, ...]:
    """Every summary in one product, in its order; empty when none can be read.

    The day comes from the headline, never from the issue line: finals are issued the day after. A
    report valid "as of" an hour, or about ``TODAY``, is preliminary and never final.
    """
    clean = re.sub(r"[\x00-\x08\x0b-\x1f]", "", text[:TEXT_CHARS_MAX].replace("\r", ""))
    headlines = [(m, _headline_day(m)) for m in _HEADLINE.finditer(clean)]
    corrected = bool(_CORRECTED.search(clean) or _WMO_CORRECTED.search(clean))
    found = []
    for index, (match, day) in enumerate(headlines):
        end = headlines[index + 1][0].start() if index + 1 < len(headlines) else len(clean)
        section = clean[match.end() : end]
        if day is None:
            continue
        heading = _TEMPERATURE.search(section)
        table = section[heading.end() :].partition("PRECIPITATION")[0] if heading else ""
        sub = _SUBHEADING.search(table)
        final = sub is not None and sub.group(1) == "YESTERDAY" and not _PRELIMINARY.search(section)
        found.append(
            CliSummary(
                place=" ".join(match.group(1).split()),
                day=day,
                final=final,
                corrected=corrected,
                max_f=_value(table, "MAXIMUM"),
                min_f=_value(table, "MINIMUM"),
            )
        )
    return tuple(found)


def _headline_day(match: re.Match[str]) -> str | None:
    month = _MONTHS.get(match.group(2))
    if month is None:
        return None
    try:
        return date(int(match.group(4)), month, int(match.group(3))).isoformat()
    except ValueError:
        return None


def _value(table: str, item: str) -> int | None:
    """The first number after ``item``: ``54``, ``-3``, ``77R`` for a record; ``MM`` is missing."""
    match = re.search(rf"^[ \t]*{item}[ \t]+(-?\d{{1,3}})R?\b", table, re.MULTILINE)
    return int(match.group(1)) if match else None
