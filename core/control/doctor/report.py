"""An examination as lines for a person and as data for a program."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from core.control.doctor.findings import Report

_WHERE = {
    "sim": "the simulator",
    "demo": "Kalshi's demo exchange, play money",
    "production": "Kalshi, REAL MONEY",
}


def lines(report: Report) -> Iterator[str]:
    """One line a finding, its remedy below it, and at the end what still blocks live."""
    at = datetime.fromtimestamp(report.at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    where = _WHERE[report.environment]
    yield f"profile {report.profile} at {where}; pmconsole {report.code_version}; {at}"
    width = max(len(f.check) for f in report.findings)
    for finding in report.findings:
        yield f"{finding.grade.value:<5}  {finding.check:<{width}}  {finding.said}"
        if finding.remedy:
            yield f"{'':<5}  {'':<{width}}  -> {finding.remedy}"
    yield ""
    if not report.live:
        yield "Nothing blocks live."
        return
    yield "What still blocks live:"
    yield from (f"  {sentence}" for sentence in report.live)


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
