"""Processes of this machine by pid, as Linux tells of them; elsewhere nothing is known.

A pid alone may be another process's tomorrow: its start time tells them apart.
"""

from __future__ import annotations

import os
import resource
from pathlib import Path

import msgspec

PROC = Path("/proc")
_STATE, _USER, _SYSTEM, _BIRTH, _PAGES = 0, 11, 12, 19, 21
"""Places in ``/proc/PID/stat`` behind the name, see proc(5)."""


class Usage(msgspec.Struct, frozen=True):
    """What a process has taken."""

    age_s: float
    cpu_s: float
    """Of all its threads since it started."""
    memory_mb: int
    """Resident."""


def birth(pid: int) -> str:
    """Start time of a live process in clock ticks since boot; empty for none and for a zombie."""
    fields = _fields(pid)
    return fields[_BIRTH] if fields else ""


def note_process(path: Path, pid: int) -> None:
    """Write down which process this is; raises ``OSError``."""
    path.write_text(f"{pid} {birth(pid)}\n")


def noted_process(path: Path) -> int | None:
    """The pid of the process that was written down, while that one lives."""
    try:
        pid, born = path.read_text().split()
    except (OSError, ValueError):
        return None
    return int(pid) if pid.isdigit() and birth(int(pid)) == born else None


def usage(pid: int) -> Usage | None:
    """``None`` for a process that is gone, and where the system tells nothing."""
    fields = _fields(pid)
    try:
        up_s = float((PROC / "uptime").read_text().split()[0])
    except OSError:
        return None
    if not fields:
        return None
    ticks = os.sysconf("SC_CLK_TCK")
    return Usage(
        max(0.0, up_s - int(fields[_BIRTH]) / ticks),
        (int(fields[_USER]) + int(fields[_SYSTEM])) / ticks,
        int(fields[_PAGES]) * resource.getpagesize() >> 20,
    )


def _fields(pid: int) -> list[str]:
    """None for a process that is not there or has ended."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
    return [] if fields[_STATE] == "Z" else fields
