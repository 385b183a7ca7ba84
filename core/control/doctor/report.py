"""An examination as lines for a person and as data for a program."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from textwrap import wrap

import msgspec

from core.control.doctor.findings import Report

_WHERE = {
    "sim": "the simulator",
    "demo": "Kalshi's demo exchange, play money",
    "production": "real exchanges, REAL MONEY",
}


def lines(report: Report, width: int | None = None) -> Iterator[str]:
    """A finding, its remedy below it, at the end what still blocks live; wrapped to a terminal's width."""
    for text, indent in _lines(report):
        if width is None or len(text) <= width:
            yield text
        else:
            # Paths and commands stay whole, to be copied.
            yield from wrap(
                text, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
            )


def _lines(report: Report) -> Iterator[tuple[str, int]]:
    """Each line, and how far its continuation is indented."""
    at = datetime.fromtimestamp(report.at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    where = _WHERE[report.environment]
    yield f"profile {report.profile} at {where}; pmconsole {report.code_version}; {at}", 0
    checks = max(len(f.name) for f in report.findings)
    said = len("BLOCK  ") + checks + 2
    for finding in report.findings:
        yield f"{finding.grade.value:<5}  {finding.name:<{checks}}  {finding.said}", said
        if finding.remedy:
            yield f"{'':<{said}}-> {finding.remedy}", said + len("-> ")
    yield "", 0
    if not report.live:
        yield "Nothing blocks live.", 0
        return
    yield "What still blocks live:", 0
    yield from ((f"  {sentence}", 4) for sentence in report.live)


def as_data(report: Report) -> dict[str, object]:
    """The report as JSON values; times RFC 3339."""
    at = datetime.fromtimestamp(report.at_ms / 1000, UTC).isoformat().replace("+00:00", "Z")
    return {
        "profile": report.profile,
        "exchange": report.environment,
        "version": report.code_version,
        "at": at,
        "findings": [
            {**msgspec.to_builtins(finding), "grade": finding.grade.name.lower()}
            for finding in report.findings
        ],
        "blocks": list(report.blocks),
        "blocks_live": list(report.live),
    }
