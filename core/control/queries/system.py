"""How the machinery is."""

from __future__ import annotations

from core.control.queries.fields import Field, at, nested, optional
from core.control.queries.status import VENUES

PROCESSES: tuple[Field, ...] = (
    Field("name", "engine, watchdog, simulator or console", lambda r, n: r.name),
    Field("pid", "of the process", lambda r, n: r.pid),
    Field("what", "in control or views; why a watchdog could not cancel", lambda r, n: r.what),
    Field("age_s", "since it started; null: the system does not tell", lambda r, n: _seconds(r.age_s)),
    Field("cpu_s", "processor time since then, all threads", lambda r, n: _seconds(r.cpu_s)),
    Field("memory_mb", "resident", lambda r, n: r.memory_mb),
)

HEALTH: tuple[Field, ...] = (
    Field("name", "what is measured, of waiting times the 99th percentile", lambda r, n: r.name),
    Field("value", "now; null before the first reading", lambda r, n: r.value),
    Field("limit", "beyond it nothing is opened", lambda r, n: r.limit),
    Field("unit", "milliseconds or megabytes", lambda r, n: r.unit),
    Field("floor", "whether the limit is a minimum", lambda r, n: r.floor),
)

BUCKETS: tuple[Field, ...] = (
    Field("venue", "short name", lambda r, n: r.venue),
    Field("kind", "which calls draw on it", lambda r, n: r.kind),
    Field("shard", "of the exchange, 0 the first", lambda r, n: r.shard),
    Field("left", "tokens cancels could draw now; negative: owed", lambda r, n: r.left / 100),
    Field("burst", "the most it holds", lambda r, n: r.burst / 100),
    Field("rate", "tokens it gains a second", lambda r, n: r.rate / 100),
    Field("pace", "percent of the rate for everybody but cancels", lambda r, n: r.pace),
    Field("waiting", "requests in its queue", lambda r, n: r.waiting),
)

LAYERS: tuple[Field, ...] = (
    Field("name", "expiry, groups, heartbeat, watchdog, absence, stop file or journal", lambda r, n: r.name),
    Field("venue", "short name, empty for the desk", lambda r, n: r.venue),
    Field("state", "armed, triggered or not armed", lambda r, n: r.state),
    Field("detail", "what it does, or why it is not armed", lambda r, n: r.detail),
)

DRILL: tuple[Field, ...] = (
    Field("at", "real time", lambda r, n: at(r.at_wall_ms)),
    Field("passed", "whether the ladder did all it should", lambda r, n: r.passed),
    Field("said", "what was seen, or what failed", lambda r, n: r.said),
)

OUTSIDE: tuple[Field, ...] = (
    Field("state", "off, unusable, untried, works or fails", lambda r, n: r.state),
    Field("detail", "why it cannot be used, or why the newest message did not arrive", lambda r, n: r.detail),
    Field("worked_at", "when a receiver last took a message, real time", lambda r, n: at(r.worked_wall_ms)),
    Field("tests", "of alarms test, that have ended", lambda r, n: r.tests),
    Field("tested", "what came of the last one", lambda r, n: r.tested),
)

SYSTEM: tuple[Field, ...] = (
    Field(
        "processes",
        "one object a process, see system.processes",
        lambda r, n: nested(PROCESSES, r.processes, n),
    ),
    Field("health", "the engine itself, see system.health", lambda r, n: nested(HEALTH, r.health, n)),
    Field("venues", "their links, as in status", lambda r, n: nested(VENUES, r.links, n)),
    Field("clock_offsets_ms", "of each venue's clock to this machine's", lambda r, n: list(r.offsets)),
    Field("buckets", "rate limits, see system.buckets", lambda r, n: nested(BUCKETS, r.buckets, n)),
    Field(
        "layers", "what holds without the engine, see system.layers", lambda r, n: nested(LAYERS, r.layers, n)
    ),
    Field(
        "drill",
        "the last one, see system.drill; null: none is known",
        lambda r, n: optional(DRILL, r.drill, n),
    ),
    Field("alarms", "that stand and ask for a look", lambda r, n: r.alarms),
    Field("unseen", "that nobody has acknowledged", lambda r, n: r.unseen),
    Field("shelved", "that are put aside and counted in neither", lambda r, n: r.shelved),
    Field("journal", "number of the newest row", lambda r, n: r.journal),
    Field(
        "outside", "who is told elsewhere, see system.outside", lambda r, n: optional(OUTSIDE, r.outside, n)
    ),
)


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
