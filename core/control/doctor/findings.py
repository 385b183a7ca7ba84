"""What an examination says: one finding a question, graded by what it means for real money."""

from __future__ import annotations

import enum
from collections.abc import Iterable

import msgspec


class Grade(enum.Enum):
    OK = "ok"
    WARN = "warn"
    """Works, and deserves a look."""
    BLOCK = "BLOCK"
    """Stands against real money until it is mended."""


class Finding(msgspec.Struct, frozen=True):
    """One answer. ``said`` is what was seen, ``remedy`` what mends it (empty when nothing has to)."""

    check: str
    grade: Grade
    said: str
    remedy: str = ""
    venue: str = ""
    """The venue it is about, where the profile has accounts at several."""

    @property
    def name(self) -> str:
        return f"{self.venue} {self.check}".lstrip()


class Report(msgspec.Struct, frozen=True):
    """One examination of one profile."""

    profile: str
    environment: str
    code_version: str
    at_ms: int
    """Real wall time."""
    findings: tuple[Finding, ...]
    live: tuple[str, ...]
    """What still blocks live, one sentence each: this profile's own blocks when it is the live one."""

    @property
    def blocks(self) -> tuple[str, ...]:
        return sentences(self.findings)


def ok(check: str, said: str) -> Finding:
    return Finding(check, Grade.OK, said)


def warn(check: str, said: str, remedy: str) -> Finding:
    return Finding(check, Grade.WARN, said, remedy)


def block(check: str, said: str, remedy: str) -> Finding:
    return Finding(check, Grade.BLOCK, said, remedy)


def at(venue: str, findings: Iterable[Finding]) -> list[Finding]:
    """The same findings with the venue they are about."""
    return [msgspec.structs.replace(finding, venue=venue) for finding in findings]


def sentences(findings: tuple[Finding, ...]) -> tuple[str, ...]:
    """The blocking ones in words."""
    return tuple(f"{f.name}: {f.said}; {f.remedy}" for f in findings if f.grade is Grade.BLOCK)
