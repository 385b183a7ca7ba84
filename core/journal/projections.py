"""What the desk must still know after a restart, rebuilt from the journal's rows.

Orders, fills and positions are rebuilt by the ledger of ``core/execution`` from the rows whose kind
is in ``ORDER_KINDS``, the day's accounts by the engine; this module rebuilds halts, trips, limits, mode,
pauses and linked pairs.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Any

import msgspec

from core.domain.units import Money, Quantity
from core.journal.events import Kind, Row

ORDER_KINDS = frozenset(
    kind.value
    for kind in (
        Kind.ORDER_INTENT,
        Kind.ORDER_SENDING,
        Kind.SEND_OUTCOME,
        Kind.ORDER_REPORT,
        Kind.FILL,
        Kind.EXTERNAL_FILL,
        Kind.CANCEL_SENT,
        Kind.CANCEL_OUTCOME,
        Kind.RENEWAL_SENT,
        Kind.RENEWAL_OUTCOME,
        Kind.REDUCTION_SENT,
        Kind.REDUCTION_OUTCOME,
        Kind.NEVER_ARRIVED,
        Kind.WRITTEN_OFF,
        Kind.RESURRECTED,
        Kind.FEE,
        Kind.TRADE,
        Kind.FILL_PARKED,
        Kind.FILL_DROPPED,
        Kind.ADJUSTMENT,
        Kind.SETTLEMENT,
        Kind.STATEMENT,
    )
)

PASSED_OVER = frozenset(
    kind.value
    for kind in (
        Kind.FAIR,
        Kind.FEED,
        Kind.LINK,
        Kind.RECONCILE,
        Kind.PROPOSAL_STATE,
        Kind.DENIED,
        Kind.LIMITER,
    )
)
"""Kinds that are most of a journal and that no restart needs, but for the rows of ``NEWEST``."""

NEWEST = {Kind.RECONCILE: "$.cash_base"}
"""Kinds of which a restart needs the newest row that has this field."""

ALL = "*"
"""In ``PauseChanged.strategy``: every entry."""


class ModeChanged(msgspec.Struct, frozen=True):
    """Payload of ``MODE``."""

    mode: str
    reason: str = ""


class PauseChanged(msgspec.Struct, frozen=True):
    """Payload of ``PAUSE``."""

    strategy: str
    paused: bool
    why: str = ""
    """What for; empty for a person's key."""


class Paused(msgspec.Struct, frozen=True):
    """The newest pause: who, when, what for."""

    by: str
    since_wall_ms: int
    why: str


class LimitChanged(msgspec.Struct, frozen=True):
    """Payload of ``LIMIT``: integers in the limit's unit."""

    name: str
    before: int
    after: int
    ceiling: int
    reason: str = ""


class Started(msgspec.Struct, frozen=True):
    """Payload of ``START``. ``limits`` is the digest of the limits in force, ``ceilings`` of the file's;
    ``code`` and ``config`` are hashes of all code and of the whole configuration."""

    text: str
    world_id: str = ""
    run: str = ""
    limits: str = ""
    ceilings: str = ""
    in_force: dict[str, int] = {}
    version: str = ""
    code: str = ""
    config: str = ""


PairKey = tuple[str, str]
"""Tickers of the first and the second market, as they were linked."""


class PairState(enum.Enum):
    LINKED = "linked"
    UNPINNED = "unpinned"
    """A text reads differently: not the same question until a person says so again."""
    REMOVED = "removed"
    ENDED = "ended"


class Pair(msgspec.Struct, frozen=True):
    """Two markets linked as the same question, and the payload of ``PAIR``: the newest of a pair counts."""

    first: str
    second: str
    opposite: bool
    """YES of one is NO of the other."""
    quantity: Quantity
    """How many are compared."""
    first_rules: str
    """Hash of the rules text the link rests on."""
    second_rules: str
    by: str
    """Who linked them."""
    at_ms: int
    """And when, real wall time."""
    state: PairState = PairState.LINKED
    why: str = ""

    @property
    def key(self) -> PairKey:
        return self.first, self.second


def keep(pairs: dict[PairKey, Pair], pair: Pair) -> None:
    """Let what became of a pair count."""
    if pair.state in (PairState.LINKED, PairState.UNPINNED):
        pairs[pair.key] = pair
    else:
        pairs.pop(pair.key, None)


class PlanState(enum.Enum):
    STARTED = "started"
    COMPLETE = "complete"
    BROKEN = "broken"
    """Some of what was bought belongs to no complete set."""
    MISSED = "missed"
    """Nothing was bought."""
    OVER = "over"
    """Nothing of it is held any more."""


class PlanLeg(msgspec.Struct, frozen=True):
    ticker: str
    yes: bool
    """Which outcome was bought."""
    quantity: Quantity
    """Contracts decided on."""


class PlanNoted(msgspec.Struct, frozen=True):
    """What became of a plan, and the payload of ``PLAN``: the newest of a plan counts. What its legs filled
    their orders say."""

    plan: str
    """Id of its card."""
    name: str
    legs: tuple[PlanLeg, ...]
    profit: Money
    """What all of it was sure to bring, as decided on."""
    worst: Money
    """What could be lost with any of its legs failing."""
    at_ms: int
    """When it was released, real wall time."""
    state: PlanState = PlanState.STARTED
    why: str = ""


def keep_plan(plans: dict[str, PlanNoted], noted: PlanNoted) -> None:
    """Let what became of a plan count."""
    if noted.state in (PlanState.MISSED, PlanState.OVER):
        plans.pop(noted.plan, None)
    else:
        plans[noted.plan] = noted


class Desk(msgspec.Struct):
    """The desk as the journal left it."""

    halts: dict[str, dict[str, Any]] = {}
    """Newest payload by scope of ``HALT`` and ``RESUME``; ``core.risk.halts.Halts.restored`` reads them."""
    trips: dict[str, dict[str, Any]] = {}
    """What is off, newest ``TRIP`` payload by key; ``core.risk.trips.Trip`` reads them."""
    enabled: dict[str, dict[str, Any]] = {}
    """What was switched on again, newest ``ENABLE`` payload by key."""
    limits: dict[str, int] = {}
    """Limits in force at the end, for ``core.risk.limits.LiveLimits.restored``."""
    mode: str = "semi"
    paused: set[str] = set()
    last_pause: Paused | None = None
    proposals: int = 0
    """Cards made so far, which numbers the next one."""
    pairs: dict[PairKey, Pair] = {}
    plans: dict[str, PlanNoted] = {}
    """Of which something may be held, by the id of their card."""
    flattening: bool = False
    """Whether a flatten was running when the journal ended."""
    runs: int = 0
    """Engines that have started on this journal."""


def project(rows: Iterable[Row]) -> Desk:
    """Fold rows in their order. Raises ``msgspec.ValidationError`` for a payload of another shape."""
    desk = Desk()
    for row in rows:
        take(desk, row)
    return desk


def take(desk: Desk, row: Row) -> None:
    """Fold one more row; raises as ``project``."""
    match row.kind:
        case "HALT" | "RESUME":
            payload = msgspec.json.decode(row.payload, type=dict[str, Any])
            scope = payload.get("scope", {})
            desk.halts[f"{scope.get('kind')} {scope.get('name')}"] = payload
        case "LIMIT":
            changed = msgspec.json.decode(row.payload, type=LimitChanged)
            desk.limits[changed.name] = changed.after
        case "START":
            desk.runs += 1
            start = msgspec.json.decode(row.payload, type=Started)
            desk.limits = start.in_force or desk.limits
        case "TRIP":
            payload = msgspec.json.decode(row.payload, type=dict[str, Any])
            desk.trips[_trip_key(payload)] = payload
        case "ENABLE":
            payload = msgspec.json.decode(row.payload, type=dict[str, Any])
            desk.trips.pop(_trip_key(payload), None)
            desk.enabled[_trip_key(payload)] = payload
        case "MODE":
            desk.mode = msgspec.json.decode(row.payload, type=ModeChanged).mode
        case "PAUSE":
            pause = msgspec.json.decode(row.payload, type=PauseChanged)
            if pause.paused:
                desk.paused.add(pause.strategy)
                desk.last_pause = Paused(row.actor, row.ts_wall_ms, pause.why)
            elif pause.strategy == ALL:
                desk.paused.clear()
            else:
                desk.paused.discard(pause.strategy)
        case "PROPOSAL":
            desk.proposals += 1
        case "PAIR":
            keep(desk.pairs, msgspec.json.decode(row.payload, type=Pair))
        case "PLAN":
            keep_plan(desk.plans, msgspec.json.decode(row.payload, type=PlanNoted))
        case "FLATTEN_START":
            desk.flattening = True
        case "FLATTEN_END":
            desk.flattening = False
        case _:
            pass


def _trip_key(payload: dict[str, Any]) -> str:
    return f"{payload.get('kind')} {payload.get('strategy')} {payload.get('ticker')}"
