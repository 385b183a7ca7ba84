"""The fault plan: what a seed decides, that it decides it twice alike, and every row's fate."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.sim.fates import (
    PLAIN,
    Answered,
    ConnectRefused,
    Cut,
    Delivered,
    Fate,
    Garbled,
    Held,
    Lost,
    Repeated,
)
from core.sim.fault_kinds import POLYMARKET, RULES, WITHOUT_RULE, FaultKind, Matter, Point, matter_of_call
from core.sim.garble import Garble
from core.sim.plan import RULED, RULED_POLYMARKET, Habit, Plan, Swarm, steady, swarm

ORDERS = "/trade-api/v2/portfolio/events/orders"
CREATE, CANCEL, CANCEL_MANY = ("POST", ORDERS), ("DELETE", f"{ORDERS}/abc"), ("DELETE", f"{ORDERS}/batched")
LIST, ONE = (
    ("GET", "/trade-api/v2/portfolio/orders?limit=200"),
    ("GET", "/trade-api/v2/portfolio/orders/abc"),
)
FILLS, POSITIONS = ("GET", "/trade-api/v2/portfolio/fills"), ("GET", "/trade-api/v2/portfolio/positions")
MARKETS, BALANCE = ("GET", "/trade-api/v2/markets"), ("GET", "/trade-api/v2/portfolio/balance")
CALLS = (CREATE, CANCEL, CANCEL_MANY, LIST, ONE, FILLS, POSITIONS, MARKETS, BALANCE)
FILL, OWN = b'{"type":"fill","sid":3,"msg":{}}', b'{"type":"user_order","sid":4,"msg":{}}'
BOOK, DELTA = b'{"type":"orderbook_snapshot","sid":1}', b'{"type":"orderbook_delta","sid":1,"seq":2}'
FRAMES = (FILL, OWN, BOOK, DELTA, b'{"id":1,"type":"subscribed"}')

Step = tuple[str, int, int]
"""Point, index of the message, milliseconds since the step before."""
steps = st.lists(
    st.tuples(
        st.sampled_from(["connect", "request", "answer", "frame"]), st.integers(0, 99), st.integers(0, 9_000)
    ),
    max_size=60,
)


def told(plan: Plan, taken: list[Step]) -> list[tuple[Fate, FaultKind | None]]:
    """The fate of each message and the kind that decided it."""
    now_ms, fates = 0, []
    for point, index, wait_ms in taken:
        now_ms += wait_ms
        before = plan.met.copy()
        fate = ask(plan, point, index, now_ms)
        struck = list(plan.met - before)
        fates.append((fate, struck[0] if struck else None))
    return fates


def ask(plan: Plan, point: str, index: int, now_ms: int) -> Fate:
    match point:
        case "connect":
            return plan.connect(now_ms)
        case "request":
            return plan.request(*CALLS[index % len(CALLS)], now_ms)
        case "answer":
            return plan.answer(*CALLS[index % len(CALLS)], now_ms)
        case _:
            return plan.frame(FRAMES[index % len(FRAMES)], now_ms)


def test_every_row_has_a_rule_or_a_named_reason_to_have_none() -> None:
    for kind in FaultKind:
        homes = (kind in RULED, kind in POLYMARKET, kind in WITHOUT_RULE)
        assert homes.count(True) == 1, f"{kind.name} stands in {homes.count(True)} places"
    assert POLYMARKET - set(RULED_POLYMARKET) == {FaultKind.X13}


@given(st.integers(0, 2**32), steps)
@settings(max_examples=60, deadline=None)
def test_one_seed_tells_one_story(seed: int, taken: list[Step]) -> None:
    assert told(Plan(swarm(seed)), taken) == told(Plan(swarm(seed)), taken)


@given(st.integers(0, 2**32), st.lists(st.sampled_from(RULED), unique=True, min_size=2, max_size=8))
@settings(max_examples=40, deadline=None)
def test_leaving_the_others_out_moves_nothing_in_a_kind(seed: int, kinds: list[FaultKind]) -> None:
    """What makes shrinking work: a kind strikes the same messages whatever else is on."""
    habits = tuple(Habit(kind, 0.5, 5_000.0, 1_000.0) for kind in kinds)
    taken = [("request", n, 97) for n in range(60)] + [("answer", n, 97) for n in range(60)]
    together = told(Plan(Swarm(seed, habits)), taken)
    for habit in habits:
        alone = told(Plan(Swarm(seed, (habit,))), taken)
        for (fate, kind), (fate_alone, _) in zip(together, alone, strict=True):
            if kind is habit.kind:
                assert fate_alone == fate


@given(st.integers(0, 2**32), st.sets(st.sampled_from(RULED)))
@settings(max_examples=60, deadline=None)
def test_a_kind_behaves_the_same_whichever_others_are_offered(seed: int, offered: set[FaultKind]) -> None:
    wide = {habit.kind: habit for habit in swarm(seed).habits}
    narrow = swarm(seed, among=[k for k in RULED if k in offered])
    assert list(narrow.habits) == [wide[k] for k in RULED if k in wide and k in offered]


@given(st.integers(0, 2**32), steps, st.integers(0, 60_000))
@settings(max_examples=60, deadline=None)
def test_after_healing_everything_arrives(seed: int, taken: list[Step], heal_ms: int) -> None:
    plan, now_ms = Plan(swarm(seed, heal_ms=heal_ms)), 0
    for point, index, wait_ms in taken:
        now_ms += wait_ms
        fate = ask(plan, point, index, now_ms)
        assert now_ms < heal_ms or fate == PLAIN
        for act in plan.acts(now_ms):
            assert act.at_ms + act.lasts_ms <= heal_ms


def test_swarms_differ_and_switch_kinds_off() -> None:
    drawn = [frozenset(h.kind for h in swarm(seed).habits) for seed in range(200)]
    assert len(set(drawn)) > 150
    for kind in RULED:
        on = sum(kind in kinds for kinds in drawn)
        assert 10 < on < 120, f"{kind.name} is on in {on} of 200 runs"


def test_a_storm_comes_in_bursts_and_pauses() -> None:
    plan = Plan(Swarm(5, (Habit(FaultKind.N12, 1.0, 5_000.0, 5_000.0),)))
    struck = [plan.request(*LIST, ms) != PLAIN for ms in range(0, 600_000, 100)]
    turns = sum(a != b for a, b in itertools.pairwise(struck))
    assert 0.2 < sum(struck) / len(struck) < 0.8
    assert 10 < turns < 200


def test_acts_are_told_once_with_begin_length_and_pick() -> None:
    plan = Plan(Swarm(9, (Habit(FaultKind.X19, 0.5, 4_000.0, 10_000.0),)))
    first = plan.acts(300_000)
    assert first and plan.acts(300_000) == []
    assert all(act.lasts_ms >= 0 and 0 <= act.pick < 1 for act in first)
    assert [a.at_ms for a in first] == sorted(a.at_ms for a in first)
    assert plan.met[FaultKind.X19] == len(first)


ROWS: tuple[tuple[FaultKind, str, object, object], ...] = (
    (FaultKind.N01, "request", CREATE, Lost()),
    (FaultKind.N02, "answer", CREATE, (Lost, Answered)),
    (FaultKind.N03, "answer", CREATE, Lost(trades=True)),
    (FaultKind.N04, "request", CREATE, Delivered),
    (FaultKind.N05, "connect", None, ConnectRefused()),
    (FaultKind.N06, "request", CREATE, Cut),
    (FaultKind.N06, "answer", BALANCE, Cut),
    (FaultKind.N07, "request", CREATE, Cut(0.0)),
    (FaultKind.N09, "answer", LIST, {Garble.EMPTY, Garble.TRUNCATED}),
    (FaultKind.N10, "answer", CREATE, {Garble.NO_ORDER}),
    (FaultKind.N11, "answer", CREATE, {Garble.RENAMED}),
    (FaultKind.N12, "request", CANCEL, 429),
    (FaultKind.N12, "request", BALANCE, 429),
    (FaultKind.N13, "request", CANCEL, {500, 502, 503, 504}),
    (FaultKind.N14, "answer", CANCEL_MANY, (Lost, Answered)),
    (FaultKind.N15, "frame", FILL, Lost()),
    (FaultKind.N15, "frame", BOOK, PLAIN),
    (FaultKind.N16, "request", POSITIONS, Lost()),
    (FaultKind.N16, "frame", FILL, PLAIN),
    (FaultKind.N17, "request", BALANCE, Held()),
    (FaultKind.N17, "frame", DELTA, Held()),
    (FaultKind.N18, "frame", FILL, Delivered(copies=2)),
    (FaultKind.N19, "frame", OWN, Delivered),
    (FaultKind.N20, "answer", CREATE, Delivered),
    (FaultKind.N21, "frame", DELTA, Lost()),
    (FaultKind.N21, "frame", FILL, PLAIN),
    (FaultKind.N22, "frame", FILL, Cut(0.0)),
    (FaultKind.N23, "connect", None, Lost()),
    (FaultKind.N24, "request", CREATE, Delivered(4_000)),
    (FaultKind.N24, "answer", CREATE, Delivered(4_000, trickles=True)),
    (FaultKind.N24, "frame", FILL, Delivered(8_000)),
    (FaultKind.X01, "request", CANCEL, Delivered(trades=True)),
    (FaultKind.X03, "request", CANCEL, 404),
    (FaultKind.X03, "request", CREATE, PLAIN),
    (FaultKind.X04, "answer", LIST, {Garble.ROW_OMITTED}),
    (FaultKind.X05, "answer", FILLS, (Repeated, Garbled)),
    (FaultKind.X06, "answer", POSITIONS, Repeated(20_000)),
    (FaultKind.X07, "answer", POSITIONS, {Garble.EMPTY_LIST}),
    (FaultKind.X08, "frame", FILL, {Garble.OTHER_COUNT}),
    (FaultKind.X16, "answer", CREATE, 400),
    (FaultKind.X15, "answer", CANCEL_MANY, {Garble.ROW_OMITTED}),
    (FaultKind.X20, "request", CREATE, 503),
    (FaultKind.D02, "frame", DELTA, {Garble.BAD_NUMBER}),
    (FaultKind.D02, "frame", FILL, {Garble.NOT_A_NUMBER}),
    (FaultKind.D03, "frame", BOOK, {Garble.CROSSED, Garble.ONE_SIDED}),
    (FaultKind.D06, "answer", MARKETS, {Garble.OTHER_RULES}),
    (FaultKind.D08, "answer", MARKETS, {Garble.HOSTILE_TEXT}),
    (FaultKind.D09, "frame", DELTA, {Garble.NESTED, Garble.OVERSIZED}),
    (FaultKind.D10, "answer", ONE, {Garble.UNKNOWN_WORD}),
    (FaultKind.D10, "frame", OWN, {Garble.UNKNOWN_WORD}),
)


@pytest.mark.parametrize(("kind", "point", "message", "wanted"), ROWS, ids=lambda v: getattr(v, "name", None))
def test_a_row_strikes_its_messages(kind: FaultKind, point: str, message: object, wanted: object) -> None:
    plan = Plan(steady(kind))
    match point:
        case "connect":
            fate: Fate = plan.connect(1)
        case "request":
            fate = plan.request(*message, 1)  # type: ignore[misc]
        case "answer":
            fate = plan.answer(*message, 1)  # type: ignore[misc]
        case _:
            fate = plan.frame(message, 1)  # type: ignore[arg-type]
    match wanted:
        case set():
            assert (fate.how if isinstance(fate, Garbled) else fate.status) in wanted  # type: ignore[union-attr]
        case int():
            assert isinstance(fate, Answered) and fate.status == wanted
        case type() | tuple():
            assert isinstance(fate, wanted) and fate != PLAIN
        case _:
            assert fate == wanted


def test_the_table_of_rows_names_every_kind_that_strikes_messages() -> None:
    spoken = {rule.kind for rule in RULES if rule.point is not Point.WORLD}
    assert spoken == {row[0] for row in ROWS}


def test_a_stream_is_cut_at_most_every_three_seconds() -> None:
    plan = Plan(steady(FaultKind.N22))
    cuts = [ms for ms in range(0, 10_000, 100) if plan.frame(DELTA, ms) != PLAIN]
    assert cuts == [0, 3_000, 6_000, 9_000]


@pytest.mark.parametrize(
    ("call", "matter"),
    [
        (CREATE, Matter.CREATE),
        (("POST", f"{ORDERS}/batched"), Matter.CREATE),
        (("POST", f"{ORDERS}/abc/amend"), Matter.AMEND),
        (("POST", "/trade-api/v2/portfolio/order_groups/create"), Matter.AMEND),
        (("PUT", "/trade-api/v2/portfolio/order_groups/g1/trigger"), Matter.CANCEL),
        (("DELETE", ORDERS), Matter.CANCEL),
        (("GET", "/portfolio/orders"), Matter.ORDERS),
        (("GET", "/portfolio/orders/queue_positions"), Matter.ORDER),
        (("GET", "/exchange/status"), Matter.READ),
    ],
)
def test_a_request_is_about(call: tuple[str, str], matter: Matter) -> None:
    assert matter_of_call(*call) is matter
