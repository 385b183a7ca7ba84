"""iCalendar (RFC 5545) as far as release schedules use it: one entry an event, its title and its begin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime

import msgspec

from core.domain.text import clean_text
from core.feeds.calendar.eastern import eastern_ms

ENTRIES_MAX = 5_000
LINE_CHARS_MAX = 4_000
EASTERN = ("US-Eastern", "US/Eastern", "America/New_York", "Eastern Standard Time")
"""What publishers call New York's time in ``TZID``."""
_STAMP = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?", re.ASCII)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Entry(msgspec.Struct, frozen=True):
    """One event. ``begins`` is an instant in Unix milliseconds, the day of an entry without a time of day,
    or in words why it cannot be told."""

    title: str
    begins: int | date | str


class _Line(msgspec.Struct, frozen=True):
    name: str
    parameters: dict[str, str]
    value: str


def parse_ics(text: str) -> tuple[Entry, ...] | str:
    """Every event that is not cancelled, of a UID that comes twice its newest; or why it is no calendar."""
    found: dict[str, tuple[tuple[int, str], Entry]] = {}
    within: list[str] = []
    event: dict[str, _Line] = {}
    calendars = 0
    for line in _lines(text):
        if line.name == "BEGIN":
            within.append(line.value.strip().upper())
            if within[-1] == "VCALENDAR":
                calendars += 1
            elif within[-1] == "VEVENT":
                event = {}
        elif line.name == "END":
            if not within or within.pop() != line.value.strip().upper():
                return "its parts do not end where they should"
            if line.value.strip().upper() == "VEVENT":
                _keep(found, event)
                if len(found) > ENTRIES_MAX:
                    return f"it has more than {ENTRIES_MAX} entries"
        elif within[-1:] == ["VEVENT"]:
            event[line.name] = line
    if not calendars:
        return "it is no iCalendar text"
    if within:
        return "it ends in the middle"
    return tuple(entry for _, entry in found.values() if entry.title)


def _keep(found: dict[str, tuple[tuple[int, str], Entry]], event: dict[str, _Line]) -> None:
    """The newest of a UID counts, by its sequence and the stamp it was made at; of two alike the later."""

    def said(name: str) -> str:
        return event[name].value.strip() if name in event else ""

    uid = said("UID") or f"without one, {len(found)}"
    sequence = said("SEQUENCE")
    newness = (int(sequence) if re.fullmatch(r"\d{1,6}", sequence, re.ASCII) else 0, said("DTSTAMP"))
    if uid in found and found[uid][0] > newness:
        return
    title = "" if said("STATUS").upper() == "CANCELLED" else clean_text(_plain(said("SUMMARY")))
    found[uid] = newness, Entry(title, _begins(event))


def _begins(event: dict[str, _Line]) -> int | date | str:
    line = event.get("DTSTART")
    if line is None:
        return "it has no begin"
    if "RRULE" in event or "RDATE" in event:
        return "it repeats by a rule"
    stamp = _STAMP.fullmatch(line.value.strip())
    if stamp is None:
        return f"its begin {clean_text(line.value, 40)!r} is no date"
    day_text, clock_text, utc = stamp.groups()
    try:
        if clock_text is None:
            return datetime.strptime(day_text, "%Y%m%d").date()  # noqa: DTZ007 - a date has no zone
        at = datetime.strptime(day_text + clock_text, "%Y%m%d%H%M%S")  # noqa: DTZ007 - its zone comes next
    except ValueError:
        return f"its begin {line.value.strip()!r} is no date"
    if not 1971 <= at.year < 2200:
        return "its begin is not a date of our days"
    if utc:
        return int(at.replace(tzinfo=UTC).timestamp()) * 1000
    zone = line.parameters.get("TZID", EASTERN[0])  # without one: these publishers' own wall clock
    if zone not in EASTERN:
        return f"its time zone {clean_text(zone, 40)!r} is not known"
    return eastern_ms(at.date(), at.time())


def _lines(text: str) -> Iterator[_Line]:
    """Content lines, with what was folded put together. Lines of no known form are passed over."""
    held = ""
    for physical in [*text.lstrip("\ufeff").replace("\r\n", "\n").split("\n"), ""]:
        if physical[:1] in (" ", "\t"):
            held = (held + physical[1:])[:LINE_CHARS_MAX]
            continue
        line = _content(held)
        if line is not None:
            yield line
        held = physical[:LINE_CHARS_MAX]


def _content(text: str) -> _Line | None:
    """``NAME;PARAMETER=VALUE;...:VALUE``; a quoted parameter may hold colons and semicolons."""
    parts: list[str] = [""]
    quoted = False
    for at, char in enumerate(text):
        if char == '"':
            quoted = not quoted
        elif char == ";" and not quoted:
            parts.append("")
        elif char == ":" and not quoted:
            pairs = (part.partition("=") for part in parts[1:])
            parameters = {name.strip().upper(): value for name, _, value in pairs}
            return _Line(parts[0].strip().upper(), parameters, text[at + 1 :])
        else:
            parts[-1] += char
    return None


def _plain(text: str) -> str:
    """Commas, semicolons and line ends as they are meant."""
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], text)
