"""The risk gate: one synchronous function in front of every order, a person's or the engine's.

``CHECKS`` is the whole rule book, in order, each row with its code, what clears it and whether it
binds exits. A check denies by returning what it observed and what it allows. A missing input denies,
and so does a check that raises; both are visible in the verdict. Risk-reducing orders skip every
check that must never block an exit (stale data, health, rates, exposure): for them only state,
schema, single use and the inventory they sell count.

The figures of the candidate (edge, fair, fee) are those of the moment the gate runs: whoever calls
it at release computes them again from the fresh book first.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from core.domain.faults import fault_words
from core.risk.checks import desk, market, money, order
from core.risk.checks.finding import Finding
from core.risk.facts import GateInputs
from core.risk.limits import Limits
from core.strategy.proposal import Candidate


class Denial(msgspec.Struct, frozen=True):
    """One failed check. ``clears`` says what makes it pass."""

    code: str
    name: str
    observed: str
    limit: str
    clears: str

    def __str__(self) -> str:
        return f"{self.code} {self.found}"

    @property
    def found(self) -> str:
        """What was found beside its limit, or beside the state it must be, which is no figure."""
        figure = any(map(str.isdigit, self.limit))
        return f"{self.observed}, limit {self.limit}" if figure else f"{self.observed}; needed: {self.limit}"


class Verdict(msgspec.Struct, frozen=True):
    """The gate's answer. ``faults`` are checks that raised; their denials stand and must be alarmed.
    ``warnings`` are what a model has against an order that a person asked for."""

    denials: tuple[Denial, ...] = ()
    faults: tuple[str, ...] = ()
    warnings: tuple[Denial, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.denials


Run = Callable[[Candidate, GateInputs, Limits], Finding | None]


class Check(msgspec.Struct, frozen=True):
    """One row of the gate. ``needs`` are inputs that must be known, ``exits`` whether it binds closes,
    ``belief`` whether it judges by what a model says: legs of a plan rest on none, and what a person asks
    for is warned of."""

    code: str
    name: str
    clears: str
    run: Run
    needs: tuple[str, ...] = ()
    exits: bool = False
    belief: bool = False


SCHEMA = Check("G02", "schema", "a corrected order", order.schema, ("market",), exits=True)

CHECKS: tuple[Check, ...] = (
    Check(
        "G01",
        "state",
        "arm, resume, unpause or a reconcile",
        desk.state,
        ("level", "orders"),
        exits=True,
    ),
    SCHEMA,
    Check("G03", "allow list", "the operator's list and rules check", order.allowed, ("market", "allowed")),
    Check("G04", "duplicate", "a new proposal", order.duplicate, ("proposal_used",), exits=True),
    Check("G05", "contracts", "a smaller order", order.contracts),
    Check("G06", "order cost", "a smaller order", order.order_cost),
    Check("G07", "relative size", "a smaller order or more depth", order.relative_size, ("book", "recent")),
    Check("G08", "book collar", "a price nearer the touch", order.collar_book, ("book",)),
    Check("G09", "model collar", "an edge within its bounds", order.collar_model, ("fair",), belief=True),
    Check("G10", "price sanity", "an uncrossed book and a sane price", order.cross, ("book",)),
    Check("G11", "stale book", "the next book message or heartbeat", market.stale_book, ("book",)),
    Check(
        "G12", "stale reference", "fresh data from that feed", market.stale_reference, ("feeds",), belief=True
    ),
    Check("G13", "model sanity", "the model's next sound value", market.model, ("fair",), belief=True),
    Check(
        "G14",
        "inventory",
        "a fill or a proven cancel",
        order.short,
        ("position", "orders", "outside"),
        exits=True,
    ),
    Check("G15", "cash", "orders ending or a smaller order", money.cash, ("cash", "reserved")),
    Check("G16", "market loss", "less at risk in this market", money.market_loss, ("worst",)),
    Check("G17", "event loss", "less at risk in this event", money.event_loss, ("worst",)),
    Check("G18", "venue and total loss", "less at risk altogether", money.desk_loss, ("worst",)),
    Check("G19", "correlated loss", "less at risk on this underlying", money.correlated, ("worst",)),
    Check("G20", "open orders", "orders ending", desk.open_orders, ("orders", "outside", "open_orders")),
    Check("G21", "order rate", "time", desk.rate, ("recent",)),
    Check("G22", "repeats", "'reenable' of that market", desk.repeat, ("repeats", "trips")),
    Check("G23", "fill velocity", "time", money.velocity, ("filled_15s", "filled_5min")),
    Check("G24", "loss today", "the next day or a better mark", money.day_loss, ("day_pnl",)),
    Check(
        "G25",
        "losing streak",
        "'reenable automatic'",
        money.streak,
        ("losses_in_row", "losses_1h", "trips"),
    ),
    Check("G26", "drawdown", "'reenable drawdown'", money.drawdown, ("equity", "equity_peak")),
    Check("G27", "refusals", "time and a resume", desk.refusals, ("rejects_1min", "unknowns_1min")),
    Check(
        "G28",
        "market hours",
        "the market's trading hours",
        market.time,
        ("market", "world_ms", "trading"),
    ),
    Check("G29", "self cross", "the cancel of our resting order", order.self_cross, ("orders", "outside")),
    Check("G30", "settlement", "nothing: this market is over", market.settling, ("market",)),
    Check("G31", "clock", "clocks in step and a reconcile", desk.clock, ("clock_offset_ms",)),
    Check(
        "G32",
        "health",
        "engine, journal, disk, memory and dead-man switch well again",
        desk.health,
        ("loop_lag_ms", "sync_p99_ms", "disk_free_mb", "memory_mb"),
    ),
    Check("G33", "supervision", "an attached console", desk.supervision, ("presence",)),
    Check("G34", "rate budget", "time", desk.budget, ("budget_ok",)),
    Check(
        "G35",
        "release",
        "the end of its window, its print or confirmation, or a fresh calendar",
        market.release,
        ("releases", "world_ms"),
    ),
    Check("G36", "plan profit", "a plan that brings what is asked and no more", order.plan_profit),
    Check("G37", "sure bets", "'reenable' of that series", market.series, ("trips",), belief=True),
)
"""Every check with its code, name, what clears it, the inputs it needs, and whether it binds exits."""

CLEARS = {check.code: check.clears for check in CHECKS}
"""What makes a check pass, by its code."""

_NEEDED: Final = frozenset(name for check in CHECKS for name in check.needs)


def gate(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Verdict:
    """Run every check that binds this order; all denials are reported, not only the first."""
    wild = None if candidate.reduces_risk else _not_finite(candidate, inputs)
    if wild is not None:
        # Nothing may be compared with a value that is not a number.
        return Verdict((_denial(SCHEMA, Finding(wild, "a finite number")),))
    denials: list[Denial] = []
    warnings: list[Denial] = []
    faults: list[str] = []
    exits = candidate.reduces_risk
    unknown = [name for name in _NEEDED if getattr(inputs, name) is None]
    for check in CHECKS:
        if (exits and not check.exits) or (candidate.plan and check.belief):
            continue
        found = warnings if candidate.by_hand and check.belief else denials
        missing = next((name for name in check.needs if name in unknown), None) if unknown else None
        if missing is not None:
            if found is warnings:
                continue  # no model has a word on it
            denials.append(_denial(check, Finding(f"{missing.replace('_', ' ')} not known", "known")))
            continue
        try:
            finding = check.run(candidate, inputs, limits)
        except Exception as error:  # noqa: BLE001 - a check that raises denies, and the verdict carries it
            faults.append(f"{check.code} {fault_words(error)}")
            finding = Finding("the check itself failed", "a working check")
        if finding is not None:
            found.append(_denial(check, finding))
    return Verdict(tuple(denials), tuple(faults), tuple(warnings))


def gate_plan(legs: Sequence[tuple[Candidate, GateInputs]], limits: Limits) -> Verdict:
    """One verdict on a plan: every leg passes, with the whole plan in its inputs, or none leaves.

    What denies every leg alike is said once, anything else with the market it was found in.
    """
    verdicts = [(leg, gate(leg, inputs, limits)) for leg, inputs in legs]
    said = Counter(denial for _, verdict in verdicts for denial in verdict.denials)
    common = [denial for denial, times in said.items() if times == len(legs)]
    alone = [
        msgspec.structs.replace(denial, observed=f"{leg.ticker}: {denial.observed}")
        for leg, verdict in verdicts
        for denial in verdict.denials
        if said[denial] < len(legs)
    ]
    return Verdict((*common, *alone), tuple(fault for _, verdict in verdicts for fault in verdict.faults))


def _denial(check: Check, finding: Finding) -> Denial:
    return Denial(check.code, check.name, finding.observed, finding.limit, check.clears)


def _not_finite(candidate: Candidate, inputs: GateInputs) -> str | None:
    fair = inputs.fair
    values = {
        "fair": candidate.fair,
        "sigma": candidate.sigma,
        "model": fair.model if fair is not None else 0.0,
        "pooled": fair.probability if fair is not None else 0.0,
        "previous model value": (fair.previous if fair is not None else None) or 0.0,
        "ladder sum": (fair.ladder_sum if fair is not None else None) or 0.0,
    }
    return next((f"{name} is {value}" for name, value in values.items() if not math.isfinite(value)), None)
