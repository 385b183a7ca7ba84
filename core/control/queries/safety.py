"""Limits, alarms and the stop ladder."""

from __future__ import annotations

from core.control.queries.fields import Field, age, at, money, nested, pause_left, price, quantity, wait
from core.control.tables.safety import LimitRow

LIMITS: tuple[Field, ...] = (
    Field("name", "for the limit command", lambda r, n: r.name),
    Field("label", "in words", lambda r, n: r.label),
    Field("scope", "market or event it is counted for, empty for the desk", lambda r, n: r.scope),
    Field("rule", "code of the check", lambda r, n: r.rule),
    Field("clears", "what makes room once it is full", lambda r, n: r.clears),
    Field("unit", "money, price, contracts, count, percent or of time or size", lambda r, n: r.unit),
    Field("used", "now", lambda r, n: _limit(r, r.used)),
    Field("limit", "in force", lambda r, n: _limit(r, r.limit)),
    Field("ceiling", "from the configuration file", lambda r, n: _limit(r, r.ceiling)),
)

ALARMS: tuple[Field, ...] = (
    Field("id", "number", lambda r, n: r.id),
    Field("level", "ACT, CHECK or NOTE", lambda r, n: r.level),
    Field("age_s", "since it was raised", lambda r, n: age(r.since_ns, n)),
    Field("what", "the condition", lambda r, n: r.what),
    Field("effect", "effect on trading", lambda r, n: r.effect),
    Field("clears", "what clears it", lambda r, n: r.clears),
    Field("acknowledged", "whether somebody saw it", lambda r, n: r.acknowledged),
    Field("active", "whether the cause still stands", lambda r, n: r.active),
    Field("scope", "what stands still for it, as resume names it", lambda r, n: r.scope),
    Field("kind", "alike for alarms of one sort", lambda r, n: r.kind),
    Field("times", "how often it came, going in between", lambda r, n: r.times),
    Field("shelved_by", "who put it aside, empty for nobody; it is listed alone", lambda r, n: r.shelved_by),
    Field("shelved_until", "real time; null: it is not shelved", lambda r, n: at(r.shelved_until_wall_ms)),
    Field("shelved_for", "the reason", lambda r, n: r.shelved_for),
)

FLATTEN_VENUES: tuple[Field, ...] = (
    Field("venue", "short name", lambda r, n: r.venue),
    Field("cancels_sent", "orders asked to cancel", lambda r, n: r.cancels_sent),
    Field("cancels_confirmed", "proved cancelled", lambda r, n: r.cancels_confirmed),
    Field("cancels_unknown", "not answered yet", lambda r, n: r.cancels_unknown),
    Field("exits_sent", "exit orders sent", lambda r, n: r.exits_sent),
    Field("exits_filled", "exit orders filled", lambda r, n: r.exits_filled),
    Field("left", "contracts still held", lambda r, n: quantity(r.left)),
    Field("groups", "safety groups of entries", lambda r, n: r.groups),
    Field("groups_triggered", "of these triggered", lambda r, n: r.groups_triggered),
    Field("exits_resting", "exits the operator lets rest", lambda r, n: r.exits_resting),
    Field("phase", "of this venue alone, see flatten.phase", lambda r, n: r.phase),
    Field("pause", "why it takes no exits now, else empty", lambda r, n: r.pause),
    Field("pause_left_s", "until it says it opens again", pause_left),
    Field("receipt", "its own closing line", lambda r, n: r.receipt),
)

FLATTEN: tuple[Field, ...] = (
    Field(
        "phase",
        "CANCELLING, COUNTDOWN, EXITING, VERIFYING, FLAT, ABORTED or UNFLATTENED",
        lambda r, n: r.phase,
    ),
    Field("running_s", "since it began", lambda r, n: age(r.started_ns, n)),
    Field("exits_in_s", "until the first exit", lambda r, n: wait(r.exits_at_ns, n)),
    Field("scope", "what it covers", lambda r, n: r.scope),
    Field("by", "who began it", lambda r, n: r.by),
    Field(
        "venues",
        "one object a venue, see flatten.venues",
        lambda r, n: nested(FLATTEN_VENUES, r.venues, n),
    ),
    Field("residue", "what is left and why", lambda r, n: list(r.residue)),
    Field("pause", "why the venue takes no exits now, else empty", lambda r, n: r.pause),
    Field("pause_left_s", "until it says it opens again", pause_left),
    Field("urgent", "whether exits reach down to the widest protection", lambda r, n: r.urgent),
    Field("sweep", "asked or done where every order of the account goes", lambda r, n: r.sweep),
    Field(
        "watches", "whether what was left is looked at again and sold when it can be", lambda r, n: r.watches
    ),
    Field("receipt", "the closing line with the cost against mid", lambda r, n: r.receipt),
)


def _limit(row: LimitRow, value: int | None) -> str | int | None:
    text = {"money": money, "contracts": quantity, "price": price}.get(row.unit)
    return text(value) if text else value
