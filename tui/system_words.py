"""The machinery in words and columns, for the shell and the console: what holds when the engine does not, its
processes, delays and rate limits. ASCII alone."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from core.control.tables.system import HealthRow, LayerRow, ProcessRow
from tui.format import age, fine_age, venue_short


class Process(ProcessRow, frozen=True, array_like=False):
    """See ``PROCESSES`` in ``core/control/queries/system.py``."""


class Health(HealthRow, frozen=True, array_like=False):
    """See ``HEALTH`` there."""


class Venue(msgspec.Struct, frozen=True):
    """See ``VENUES`` in ``core/control/queries/status.py``."""

    venue: str
    state: str
    heartbeat_age_s: float | None
    lag_ms: int | None
    detail: str


class Bucket(msgspec.Struct, frozen=True):
    """See ``BUCKETS`` in ``core/control/queries/system.py``."""

    venue: str
    kind: str
    shard: int
    left: float
    burst: float
    rate: float
    pace: int
    waiting: int


class Layer(LayerRow, frozen=True, array_like=False):
    """See ``LAYERS`` there."""


class Drill(msgspec.Struct, frozen=True):
    """See ``DRILL`` there."""

    at: str
    passed: bool
    said: str


class Outside(msgspec.Struct, frozen=True):
    """See ``OUTSIDE`` there."""

    state: str
    detail: str
    worked_at: str | None
    tests: int
    tested: str


class System(msgspec.Struct, frozen=True):
    """See ``SYSTEM`` there."""

    processes: tuple[Process, ...]
    health: tuple[Health, ...]
    venues: tuple[Venue, ...]
    clock_offsets_ms: tuple[int | None, ...]
    buckets: tuple[Bucket, ...]
    layers: tuple[Layer, ...]
    drill: Drill | None
    alarms: int
    unseen: int
    shelved: int
    journal: int
    outside: Outside


class Row(NamedTuple):
    """Cells of a table; the last one is free text."""

    cells: tuple[str, ...]
    role: str = "text"


class Section(NamedTuple):
    title: str
    head: tuple[str, ...]
    rows: tuple[Row, ...]


UNITS = {"milliseconds": "ms", "megabytes": "MB"}
_LEFT = ("layer", "venue", "state", "reading", "limit", "process", "calls")
_NEAR = 0.25
"""Share of a bucket below which it is worth a look."""
_TEXT_LEAST = 8


def sections(system: System, before: System | None = None) -> tuple[Section, ...]:
    """What holds first, then what is slow, then what is used.

    ``before``: an earlier answer, from which the processors' recent use is told; without one it is that of a
    process's whole life.
    """
    return (
        Section("DEAD MAN", ("layer", "venue", "state", ""), tuple(map(_layer, system.layers))),
        Section("ENGINE", ("reading", "now", "limit", ""), tuple(map(_health, system.health))),
        Section("LINKS", ("venue", "state", "heard", "book lag", "clock", ""), tuple(_links(system))),
        Section(
            "PROCESSES",
            ("process", "pid", "up", "cpu", "memory", ""),
            tuple(_processes(system, before)),
        ),
        Section(
            "RATE LIMITS",
            ("venue", "calls", "left", "of", "per s", "pace", "waiting", ""),
            tuple(map(_bucket, system.buckets)),
        ),
    )


def remarks(system: System) -> tuple[tuple[str, str], ...]:
    """The last drill, what rang and who hears it elsewhere, each a sentence with its role."""
    drill = system.drill
    if drill is None:
        drilled = ("Never drilled on this machine: pmconsole drill plays the stop in the simulator.", "near")
    else:
        how = "passed" if drill.passed else "FAILED"
        when = drill.at[:16].replace("T", " ")
        drilled = (f"Last drill {when} {how}: {drill.said}", _good(drill.passed))
    aside = f", {system.shelved} shelved" if system.shelved else ""
    rang = f"Alarms: {system.alarms} stand, {system.unseen} unseen{aside}. Journal: {system.journal} rows."
    return drilled, (rang, "near" if system.unseen else "text-muted"), _outside(system.outside)


def _outside(told: Outside) -> tuple[str, str]:
    last = f"the last message arrived {told.worked_at[:16].replace('T', ' ')}Z" if told.worked_at else ""
    said, role = {
        "off": ("nobody is told, alarms.webhook is off.", "text-muted"),
        "unusable": (f"NOBODY IS TOLD: {told.detail}.", "alarm"),
        "untried": ("never tried: alarms test sends a message.", "near"),
        "works": (f"{last}.", "text"),
        "fails": (f"{_worded(told.detail, last)}.", "alarm"),
    }.get(told.state, (told.state, "near"))
    tested = f" The test {told.tested}." if told.tested else ""
    return f"Outside: {said}{tested}", role


def _worded(fault: str, last: str) -> str:
    return f"NOBODY IS TOLD: {fault}; {last or 'no message ever arrived'}"


def section_lines(section: Section, width: int) -> Iterator[tuple[str, str]]:
    """Title, head and rows with their roles; free text goes on below its own column."""
    table = [Row(section.head, "text-muted"), *section.rows]
    sizes = [max(len(row.cells[at]) for row in table) for at in range(len(section.head) - 1)]
    yield section.title, "title"
    for row in table:
        fixed = "  ".join(
            cell.ljust(size) if name in _LEFT else cell.rjust(size)
            for cell, size, name in zip(row.cells[:-1], sizes, section.head[:-1], strict=True)
        )
        text = textwrap.wrap(row.cells[-1], max(_TEXT_LEAST, width - len(fixed) - 3)) or [""]
        yield f" {fixed}  {text[0]}".rstrip(), row.role
        for more in text[1:]:
            yield " " * (len(fixed) + 3) + more, row.role


def system_lines(system: System, width: int = 100) -> list[str]:
    """All of it for a terminal."""
    said = [text for text, _ in remarks(system)]
    for section in sections(system):
        said += ["", *(text for text, _ in section_lines(section, width))]
    return said


def _good(good: bool) -> str:
    return "good" if good else "alarm"


def _layer(layer: Layer) -> Row:
    venue = venue_short(layer.venue) if layer.venue else "desk"
    return Row((layer.name, venue, layer.state, layer.detail), _good(layer.state == "armed"))


def _health(health: Health) -> Row:
    unit, value = UNITS[health.unit], health.value
    over = value is not None and (value < health.limit if health.floor else value > health.limit)
    bound = f"{'at least' if health.floor else 'up to'} {health.limit} {unit}"
    shown = "?" if value is None else f"{value} {unit}"
    return Row((health.name, shown, bound, "nothing is opened" if over else ""), "alarm" if over else "text")


def _links(system: System) -> Iterator[Row]:
    for venue, offset in zip(system.venues, system.clock_offsets_ms, strict=True):
        cells = (
            venue_short(venue.venue),
            venue.state,
            fine_age(venue.heartbeat_age_s),
            "quiet" if venue.lag_ms is None else f"{venue.lag_ms} ms",
            "?" if offset is None else f"{offset:+d} ms",
            venue.detail,
        )
        yield Row(cells, "text" if venue.state == "ok" else "alarm")


def _processes(system: System, before: System | None) -> Iterator[Row]:
    earlier = {one.pid: one for one in before.processes} if before is not None else {}
    for one in system.processes:
        memory = "?" if one.memory_mb is None else f"{one.memory_mb} MB"
        cells = (one.name, str(one.pid), age(one.age_s), _share(one, earlier), memory, one.what)
        yield Row(cells, "alarm" if one.name == "watchdog" and one.what else "text")


def _share(one: Process, earlier: Mapping[int, Process]) -> str:
    """Of one core, since the earlier answer."""
    if one.cpu_s is None or one.age_s is None:
        return "?"
    known = earlier.get(one.pid)
    then_s, used_s = (known.age_s or 0.0, known.cpu_s or 0.0) if known is not None else (0.0, 0.0)
    passed_s = one.age_s - then_s
    return f"{100 * (one.cpu_s - used_s) / passed_s:.0f}%" if passed_s > 0 else "?"


def _bucket(bucket: Bucket) -> Row:
    used_up = bucket.left < _NEAR * bucket.burst
    cells = (
        venue_short(bucket.venue),
        f"{bucket.kind} {bucket.shard}" if bucket.shard else bucket.kind,
        f"{bucket.left:.0f}",
        f"{bucket.burst:g}",
        f"{bucket.rate:g}",
        f"{bucket.pace}%",
        str(bucket.waiting),
        "used up" if used_up else "",
    )
    return Row(cells, "near" if used_up or bucket.waiting else "text")
