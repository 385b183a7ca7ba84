"""Levels rise by themselves, fall only on an operator's word, and come back after a restart."""

from __future__ import annotations

import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.risk.halts import CAUSE_MAX, GLOBAL, Halt, Halts, HaltScope, Level, Refusal, ResumeFacts, ScopeKind

MARKET = HaltScope(ScopeKind.MARKET, "T")
EVENT = HaltScope(ScopeKind.EVENT, "E")
VENUE = HaltScope(ScopeKind.VENUE, "kalshi")
CLEAN = ResumeFacts(clean_reconcile_age_s=3.0, unknown_orders=0, confirm="resume", reason="checked")


def risen(*halts: Halt) -> Halts:
    state = Halts()
    for halt in halts:
        state, _ = state.rise(halt)
    return state


def halt(scope: HaltScope = GLOBAL, level: Level = Level.HALTED, cause: str = "overfill") -> Halt:
    return Halt(scope, level, cause, 1_000, "engine")


def level(state: Halts, ticker: str = "T") -> Level:
    found = state.effective("kalshi", "E", ticker)
    return found.level if found is not None else Level.NORMAL


@pytest.mark.parametrize("scopes", list(itertools.permutations([MARKET, EVENT, VENUE, GLOBAL])))
def test_the_strictest_scope_wins_wherever_it_stands(scopes: tuple[HaltScope, ...]) -> None:
    state = risen(*(halt(scope, Level(n + 1)) for n, scope in enumerate(scopes)))
    assert level(state) is Level.LOCKED
    assert level(Halts()) is Level.NORMAL


def test_a_halt_holds_only_in_its_scope() -> None:
    assert level(risen(halt(MARKET)), "OTHER") is Level.NORMAL
    assert level(risen(halt(EVENT)), "OTHER") is Level.HALTED
    assert level(risen(halt(HaltScope(ScopeKind.VENUE, "elsewhere")))) is Level.NORMAL


@given(
    st.lists(
        st.tuples(st.sampled_from([MARKET, EVENT, GLOBAL]), st.sampled_from(list(Level)), st.text(max_size=9))
    )
)
def test_rising_never_lowers_and_the_journalled_payloads_rebuild_it(
    steps: list[tuple[HaltScope, Level, str]],
) -> None:
    state, saved = Halts(), dict[str, bytes]()
    for scope, wanted, cause in steps:
        before = {h.scope: h.level for h in state.standing}
        state, event = state.rise(halt(scope, wanted, cause))
        if event is not None:
            saved[str(scope)] = msgspec.json.encode(event)
        for known, was in before.items():
            now = state.at(known)
            assert now is not None and now.level >= was
    again = Halts.restored(msgspec.json.decode(raw, type=Halt) for raw in saved.values())
    expected = {h.scope: Level.LOCKED if h.level is Level.FLATTENING else h.level for h in state.standing}
    assert {h.scope: h.level for h in again.standing} == expected


def test_the_same_cause_again_is_not_news() -> None:
    state = risen(halt())
    same, event = state.rise(halt())
    assert same == state and event is None


def test_a_second_cause_is_joined_and_wants_acknowledging_anew() -> None:
    state, _ = risen(halt()).acknowledge(GLOBAL)
    state, event = state.rise(halt(cause="late fill", level=Level.REDUCE_ONLY))
    assert event is not None
    assert (event.cause, event.level, event.acknowledged) == ("overfill; late fill", Level.HALTED, False)


def test_causes_are_bounded() -> None:
    state = Halts()
    for n in range(200):
        state, _ = state.rise(halt(cause=f"anomaly number {n}"))
    found = state.at(GLOBAL)
    assert found is not None and len(found.cause) <= CAUSE_MAX and "number 199" in found.cause


def test_resuming_takes_everything_at_once() -> None:
    state, _ = risen(halt()).acknowledge(GLOBAL)
    lowered = state.lower(GLOBAL, Level.NORMAL, CLEAN, by="cli pid 1 (uid 2)", wall_ms=9)
    assert not isinstance(lowered, Refusal)
    after, event = lowered
    assert after == Halts() and (event.level, event.cause, event.by) == (
        Level.NORMAL,
        "checked",
        "cli pid 1 (uid 2)",
    )


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"clean_reconcile_age_s": None}, "No clean reconcile"),
        ({"clean_reconcile_age_s": 10.1}, "No clean reconcile"),
        ({"clean_reconcile_age_s": -1.0}, "No clean reconcile"),
        ({"clean_reconcile_age_s": float("nan")}, "No clean reconcile"),
        ({"unknown_orders": 1}, "1 orders are UNKNOWN"),
        ({"unknown_orders": None}, "Some orders are UNKNOWN"),
        ({"confirm": ""}, "typed word 'resume'"),
        ({"confirm": "yes"}, "typed word 'resume'"),
        ({"reason": " "}, "needs a reason"),
    ],
)
def test_each_missing_condition_refuses_by_name(facts: dict[str, object], says: str) -> None:
    state, _ = risen(halt()).acknowledge(GLOBAL)
    answer = state.lower(GLOBAL, Level.NORMAL, msgspec.structs.replace(CLEAN, **facts), by="x", wall_ms=9)
    assert isinstance(answer, Refusal) and says in answer.reason


def test_an_unseen_cause_or_a_running_flatten_cannot_be_lowered() -> None:
    answer = risen(halt()).lower(GLOBAL, Level.NORMAL, CLEAN, by="x", wall_ms=9)
    assert answer == Refusal("Acknowledge the cause first: overfill.")
    running, _ = risen(halt(level=Level.FLATTENING)).acknowledge(GLOBAL)
    assert running.lower(GLOBAL, Level.NORMAL, CLEAN, by="x", wall_ms=9) == Refusal(
        "A flatten is running; it ends first."
    )
    assert isinstance(Halts().lower(GLOBAL, Level.NORMAL, CLEAN, by="x", wall_ms=9), Refusal)


def test_a_market_needs_no_typed_word() -> None:
    state, _ = risen(halt(MARKET)).acknowledge(MARKET)
    facts = ResumeFacts(clean_reconcile_age_s=1.0, unknown_orders=0)
    lowered = state.lower(MARKET, Level.REDUCE_ONLY, facts, by="x", wall_ms=9)
    assert not isinstance(lowered, Refusal) and level(lowered[0]) is Level.REDUCE_ONLY


@pytest.mark.parametrize(("wanted", "after"), [(Level.LOCKED, Level.LOCKED), (Level.NORMAL, Level.HALTED)])
def test_a_flatten_ends_halted_or_locked_never_lower(wanted: Level, after: Level) -> None:
    state, event = risen(halt(level=Level.FLATTENING)).flatten_over(GLOBAL, wanted, by="engine", wall_ms=5)
    assert (event.level, state.desk) == (after, after)
