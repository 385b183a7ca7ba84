"""Checks of the market: its book, the data and model behind its price, its hours and its settlement."""

from __future__ import annotations

from core.domain.market import MarketStatus
from core.risk.checks.finding import Finding, over
from core.risk.facts import GateInputs
from core.risk.limits import Limits
from core.risk.releases import ReleaseState, held_back
from core.risk.trips import TripKind
from core.strategy.proposal import Candidate

JUMP_MAX = 0.20
LADDER_SUM = (0.97, 1.03)
SETTLING = frozenset(
    {MarketStatus.DISPUTED, MarketStatus.DETERMINED, MarketStatus.AMENDED, MarketStatus.FINALIZED}
)


def stale_book(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.book is not None
    if not inputs.book.intact:
        return Finding("the book is out of sequence", "an unbroken sequence")
    if inputs.book.age_ms < 0:
        return Finding("the book's age is negative", "a clock that runs forward")
    return over("book_age_max_s", -(-inputs.book.age_ms // 1000), limits)


def series(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.trips is not None
    off = next((t for t in inputs.trips if t.kind is TripKind.SURE), None)
    return Finding(f"{off.ticker} is off: {off.cause}", off.clears) if off is not None else None


def stale_reference(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    if not inputs.feeds:
        return Finding("no input of the model is known", "every input fresh")
    for feed in inputs.feeds:
        if feed.age_s is None or feed.age_s > feed.stale_after_s:
            age = "never received" if feed.age_s is None else f"{feed.age_s} s old"
            return Finding(f"{feed.name} {age}", f"{feed.stale_after_s} s")
    return None


def model(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    fair = inputs.fair
    assert fair is not None
    for probability in (fair.probability, fair.model):
        if not 0.0 <= probability <= 1.0:
            return Finding(f"probability {probability}", "between 0 and 1")
    if not candidate.by_hand and fair.version != candidate.model_version:
        return Finding(f"model version {fair.version}", candidate.model_version)
    if fair.previous is not None and not fair.inputs_changed:
        jump = abs(fair.model - fair.previous)
        if jump > JUMP_MAX:
            return Finding(f"jump of {jump:.2f} without new input", f"{JUMP_MAX:.2f}")
    if fair.ladder_sum is not None and not LADDER_SUM[0] <= fair.ladder_sum <= LADDER_SUM[1]:
        return Finding(f"brackets sum to {fair.ladder_sum:.3f}", f"{LADDER_SUM[0]} to {LADDER_SUM[1]}")
    return None


def time(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    market, trading = inputs.market, inputs.trading
    assert market is not None and trading is not None and inputs.world_ms is not None
    if market.status is not MarketStatus.ACTIVE:
        return Finding(f"market is {market.status.value}", "active")
    if not trading.active:
        return Finding("the venue is not trading", "trading")
    since, left = inputs.world_ms - market.open_ms, market.close_ms - inputs.world_ms
    if trading.reopened_ms_ago is not None:
        since = min(since, trading.reopened_ms_ago)
    if since < limits.open_margin_s * 1000:
        return Finding(f"{since // 1000} s after the open", f"{limits.open_margin_s} s")
    if left < limits.close_margin_s * 1000:
        return Finding(f"{max(0, left // 1000)} s before the close", f"{limits.close_margin_s} s")
    pause = trading.pause_in_ms
    if pause is not None and pause < limits.close_margin_s * 1000:
        return Finding(f"{max(0, pause // 1000)} s before the venue's pause", f"{limits.close_margin_s} s")
    return None


def release(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    assert inputs.releases is not None and inputs.world_ms is not None
    found = held_back(inputs.releases, inputs.world_ms)
    return None if found.state is ReleaseState.CLEAR else Finding(found.why, found.limit)


def settling(candidate: Candidate, inputs: GateInputs, limits: Limits) -> Finding | None:
    market = inputs.market
    assert market is not None
    if market.status in SETTLING or market.result:
        word = market.status.value if market.status in SETTLING else f"resolved {market.result}"
        return Finding(f"the market is {word}", "open and undisputed")
    if market.rules_hash != inputs.pinned_rules_hash:
        return Finding("the rules text changed", "the rules as first read")
    return None
