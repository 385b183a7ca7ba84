"""Each check of the gate passes, denies with what it saw, and never stands in the way of an exit."""

from __future__ import annotations

import time
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.market import CENT_GRID, MarketStatus
from core.domain.order import BookSide, Life, Purpose, TimeInForce
from core.domain.position import Position
from core.domain.units import Money, Price, Quantity, contracts
from core.risk.checks import desk, money
from core.risk.checks import market as market_checks
from core.risk.checks import order as order_checks
from core.risk.facts import BookFacts, FairFacts, FeedAge, GateInputs, Presence, Sent, TradingFacts, evidence
from core.risk.gate import CHECKS, Check, Denial, gate, gate_plan
from core.risk.halts import Level
from core.risk.limits import DEFAULTS, LIMITS
from core.risk.trips import Trip, TripKind
from core.strategy.proposal import Candidate
from tests.risk.desk import CLOSE, DOLLAR, HOLDING, OPEN, PASSING, WORLD_MS, due, market, order, outside, sent

Change = dict[str, Any]


def codes(candidate: Candidate, inputs: GateInputs) -> list[str]:
    return [denial.code for denial in gate(candidate, inputs, DEFAULTS).denials]


def spoil(base: Any, **changes: Any) -> Any:
    return msgspec.structs.replace(base, **changes)


def book(**changes: Any) -> Change:
    return {"book": spoil(PASSING.book, **changes)}


def fair(**changes: Any) -> Change:
    return {"fair": spoil(PASSING.fair, **changes)}


def worst(**changes: Any) -> Change:
    return {"worst": spoil(PASSING.worst, **changes)}


def feed(age_s: int | None) -> Change:
    return {"feeds": (FeedAge("NWS", age_s, 5_400),)}


def held(net: int) -> Change:
    return {"position": Position(net=contracts(net), cost=Money(DOLLAR))}


def many(count: int, age_s: float, size: int = 10) -> Change:
    return {
        "recent": tuple(
            sent(age_s + n, price=100 + 100 * (n % 90), quantity=contracts(size)) for n in range(count)
        )
    }


SERIES_OFF = Trip(TripKind.SURE, "too often", 1, "KXHIGHNY")


def trip(kind: TripKind) -> Trip:
    of_market = kind is TripKind.REPEAT
    return Trip(kind, "too often", 1, *(("KXHIGHNY-T48", "entries") if of_market else ("", "")))


@pytest.mark.parametrize(
    ("observed", "limit", "found"),
    [
        ("contracts an order 300.00", "250.00", "contracts an order 300.00, limit 250.00"),
        ("net edge 1.0c", "at least 2.0c", "net edge 1.0c, limit at least 2.0c"),
        ("entries are paused (all)", "not paused", "entries are paused (all); needed: not paused"),
    ],
)
def test_a_figure_has_a_limit_and_a_state_one_that_is_needed(observed: str, limit: str, found: str) -> None:
    assert str(Denial("G01", "state", observed, limit, "")) == f"G01 {found}"


NO, YES_ASK = {"side": BookSide.ASK}, {"side": BookSide.ASK, "price": Price(3100)}

DENIED: list[tuple[str, Change, Change, str]] = [
    # code, change of the candidate, change of the inputs, words of what was seen
    ("G01", {}, {"level": Level.REDUCE_ONLY, "level_reason": "late fill"}, "REDUCE_ONLY: late fill"),
    ("G01", {}, {"level": Level.HALTED}, "HALTED"),
    ("G01", {}, {"level": Level.FLATTENING}, "FLATTENING"),
    ("G01", {}, {"level": Level.LOCKED}, "LOCKED"),
    ("G01", {}, {"paused": "all"}, "entries are paused (all)"),
    ("G01", {}, {"orders": (order(life=Life.UNKNOWN),)}, "UNKNOWN"),
    ("G01", {}, {"reconcile_age_ms": None}, "not reconciled yet"),
    ("G01", {}, {"reconcile_age_ms": 60_001}, "since reconciled 61 s"),
    ("G02", {"price": Price(3250)}, {}, "off the market's grid"),
    ("G02", {"price": Price(0)}, {}, "off the market's grid"),
    ("G02", {"price": Price(10_000)}, {}, "off the market's grid"),
    ("G02", {"quantity": Quantity(0)}, {}, "quantity 0"),
    ("G02", {"quantity": Quantity(-1_000_000)}, {}, "quantity -1000000"),
    ("G02", {"quantity": Quantity(10_005)}, {}, "quantity 10005"),
    ("G02", {"fee": Money(-1)}, {}, "fee -1"),
    ("G02", {"ticker": "OTHER"}, {}, "market OTHER"),
    ("G02", {"reduce_only": True}, {}, "contradictory"),
    ("G02", {"tif": TimeInForce.IOC}, {}, "contradictory"),
    ("G02", {"lifetime_s": 0}, {}, "lifetime 0 s"),
    ("G02", {"lifetime_s": 121}, {}, "lifetime 121 s"),
    ("G02", {"fair": float("nan")}, {}, "fair is nan"),
    ("G02", {"sigma": float("inf")}, {}, "sigma is inf"),
    ("G02", {}, fair(probability=float("nan")), "pooled is nan"),
    ("G02", {}, fair(model=float("nan")), "model is nan"),
    ("G02", {}, fair(ladder_sum=float("inf")), "ladder sum is inf"),
    ("G03", {}, {"allowed": False}, "not on the list"),
    ("G03", {}, {"pinned_rules_hash": "r0"}, "rules text changed"),
    ("G04", {}, {"proposal_used": True}, "was sent before"),
    ("G04", {}, {"recent": (sent(4.9, 3200, contracts(40)),)}, "moments ago"),
    ("G05", {"quantity": contracts(251)}, {}, "251.00"),
    ("G06", {"quantity": contracts(156)}, {}, "50.07"),
    ("G07", {"quantity": contracts(41)}, {}, "26 % of the visible depth"),
    ("G07", {}, book(depth=Quantity(0)), "visible depth"),
    ("G07", {"quantity": contracts(40)}, many(20, 100.0, size=9), "4.4 times the median"),
    ("G08", {"price": Price(3700)}, {}, "3c beyond the touch"),
    ("G08", {"price": Price(1300)}, book(best_ask=Price(1100), best_bid=Price(1000)), "2c beyond"),
    ("G08", NO | {"price": Price(2800)}, {}, "3c beyond the touch"),
    ("G08", {}, book(best_ask=None), "nobody offers"),
    ("G09", {"price": Price(2700), "edge": Price(1080)}, {}, "11.2c away from fair"),
    ("G09", {"edge": Price(199)}, {}, "net edge 1.99c"),
    ("G09", {"edge": Price(1501)}, {}, "net edge 15.01c is too good"),
    ("G10", {}, book(best_bid=Price(3400)), "crossed or locked"),
    ("G10", {"price": Price(9800)}, {}, "buying at 98c"),
    ("G10", NO | {"price": Price(200)}, {}, "buying at 98c"),
    ("G11", {}, book(age_ms=3_001), "book age 4 s"),
    ("G11", {}, book(intact=False), "out of sequence"),
    ("G11", {}, book(age_ms=-1), "negative"),
    ("G12", {}, feed(5_401), "NWS 5401 s old"),
    ("G12", {}, feed(None), "NWS never received"),
    ("G12", {}, {"feeds": ()}, "no input"),
    ("G13", {}, fair(probability=1.01), "probability 1.01"),
    ("G13", {}, fair(probability=1e304), "probability 1e+304"),
    ("G13", {}, fair(version="v4"), "model version v4"),
    ("G13", {}, fair(previous=0.17), "jump of 0.21"),
    ("G13", {}, fair(ladder_sum=1.31), "sum to 1.310"),
    ("G13", {}, fair(ladder_sum=0.96), "sum to 0.960"),
    ("G14", {}, held(-1), "1.00 of the other outcome"),
    ("G14", {}, {"orders": (order(BookSide.ASK, price=4000, count=2),)}, "2.00 of the other outcome"),
    ("G14", NO, held(3), "3.00 of the other outcome"),
    ("G15", {}, {"cash": Money(52 * DOLLAR)}, "needs 32.95"),
    ("G15", {}, {"reserved": Money(430 * DOLLAR)}, "needs 442.95"),
    ("G16", {}, worst(market=Money(100 * DOLLAR + 1)), "market 100.000001"),
    ("G17", {}, worst(event=Money(201 * DOLLAR)), "event 201.00"),
    ("G18", {}, worst(venue=Money(501 * DOLLAR)), "venue 501.00"),
    ("G18", {}, worst(total=Money(801 * DOLLAR)), "total 801.00"),
    ("G19", {}, worst(correlated=Money(251 * DOLLAR)), "correlated markets 251.00"),
    (
        "G20",
        {},
        {"orders": tuple(order(price=100 * n, count=1) for n in range(1, 5))},
        "orders a market 5",
    ),
    ("G20", {}, {"outside": tuple(outside() for _ in range(4))}, "orders a market 5"),
    ("G20", {}, {"open_orders": 20}, "open orders 21"),
    ("G21", {}, {"recent": (sent(0.1), sent(0.9))}, "orders in 1 s 3"),
    ("G21", {}, {"recent": tuple(sent(2 + n * 2.9) for n in range(20))}, "orders in 1 min 21"),
    ("G21", {}, {"recent": tuple(sent(70 + n * 17.0) for n in range(200))}, "orders in 1 h 201"),
    ("G22", {}, {"automatic": True, "repeats": 10}, "auto entries, 1 h 10"),
    ("G22", {}, {"trips": (trip(TripKind.REPEAT),)}, "entries is off in this market: too often"),
    ("G23", {}, {"filled_15s": Money(88 * DOLLAR)}, "filled in 15 s 100.95"),
    ("G23", {}, {"filled_5min": Money(290 * DOLLAR)}, "filled in 5 min 302.95"),
    ("G24", {}, {"day_pnl": Money(-75 * DOLLAR)}, "lost 75.00 today"),
    ("G25", {}, {"automatic": True, "losses_in_row": 5}, "losses in a row 5"),
    ("G25", {}, {"automatic": True, "losses_1h": 8}, "losses in 1 h 8"),
    ("G25", {}, {"automatic": True, "trips": (trip(TripKind.STREAK),)}, "automatic mode is off: too often"),
    ("G37", {}, {"trips": (SERIES_OFF,)}, "KXHIGHNY is off: too often"),
    ("G26", {}, {"equity": Money(450 * DOLLAR)}, "10.0 % below the 7-day peak of 500.00"),
    ("G26", {}, {"equity": Money(-1), "equity_peak": Money(0)}, "below the 7-day peak of 0.00"),
    ("G27", {}, {"rejects_1min": 5}, "rejects in 1 min 5"),
    ("G27", {}, {"unknowns_1min": 3}, "unanswered, 1 min 3"),
    ("G28", {}, {"market": market(status=MarketStatus.CLOSED)}, "market is closed"),
    ("G28", {}, {"trading": TradingFacts(True, reopened_ms_ago=4_999)}, "4 s after the open"),
    ("G28", {}, {"trading": TradingFacts(True, pause_in_ms=59_999)}, "59 s before the venue's pause"),
    ("G28", {}, {"trading": TradingFacts(True, pause_in_ms=-1)}, "0 s before the venue's pause"),
    ("G28", {}, {"trading": TradingFacts(active=False)}, "not trading"),
    ("G28", {}, {"world_ms": WORLD_MS + 3_540_001}, "59 s before the close"),
    ("G28", {}, {"world_ms": WORLD_MS - 3_595_001}, "4 s after the open"),
    ("G29", {}, {"orders": (order(BookSide.ASK, Purpose.CLOSE, 3200, 1),)}, "own order at 32c"),
    ("G29", NO, {"orders": (order(BookSide.BID, Purpose.CLOSE, 3200, 1),)}, "own order at 32c"),
    ("G29", {}, {"outside": (outside(price=3_200),)}, "this account's order at 32c"),
    ("G30", {}, {"market": market(status=MarketStatus.DISPUTED)}, "the market is disputed"),
    ("G30", {}, {"market": market(status=MarketStatus.DETERMINED)}, "the market is determined"),
    ("G30", {}, {"market": market(status=MarketStatus.AMENDED)}, "the market is amended"),
    ("G30", {}, {"market": market(status=MarketStatus.FINALIZED)}, "the market is finalized"),
    ("G30", {}, {"market": market(result="yes")}, "resolved yes"),
    ("G30", {}, {"pinned_rules_hash": "r0"}, "rules text changed"),
    ("G31", {}, {"clock_offset_ms": -501}, "clock offset 501 ms"),
    ("G31", {}, {"clock_stepped": True}, "stepped"),
    ("G32", {}, {"loop_lag_ms": 101}, "engine lag 101 ms"),
    ("G32", {}, {"sync_p99_ms": 251}, "journal sync 251 ms"),
    ("G32", {}, {"disk_free_mb": 511}, "511 MB"),
    ("G32", {}, {"journal_ok": False}, "journal does not accept"),
    ("G32", {}, {"memory_mb": 1_025}, "engine memory 1025 MB"),
    ("G32", {}, {"dead_man": "2 heartbeats were missed"}, "2 heartbeats were missed"),
    ("G33", {}, {"presence": Presence.ABSENT}, "nobody supervises"),
    ("G34", {}, {"budget_ok": False}, "rate budget"),
    ("G35", {}, {"releases": (due(next_s=60),)}, "CPI comes in 60 s"),
    ("G35", {}, {"releases": (due(), due("FOMC", last_s=119))}, "FOMC was due 119 s ago"),
    ("G35", {}, {"releases": (due(last_s=86_400, came=False),)}, "CPI was due and has not come"),
    ("G35", {}, {"releases": (due(fault="no calendar knows the next CPI"),)}, "no calendar knows"),
    ("G36", {"plan": "x", "edge": Price(199)}, {}, "profit a set 1.99c"),
    ("G36", {"plan": "x", "edge_half": Price(1501)}, {}, "profit a set 15.01c is too good"),
]

PASSED: list[tuple[str, Change, Change]] = [
    # The same checks at the last value that still passes.
    ("G35", {}, {"releases": (due(next_s=61), due("FOMC", last_s=120))}),
    ("G36", {"plan": "x", "edge": Price(200)}, {}),
    ("G36", {"edge": Price(199)}, {}),
    ("G01", {}, {"reconcile_age_ms": 60_000}),
    ("G04", {}, {"recent": (sent(5.0, 3200, contracts(40)),)}),
    ("G07", {"quantity": contracts(40)}, many(20, 100.0, size=10)),
    ("G07", {"quantity": contracts(40)}, many(19, 100.0, size=1)),
    ("G08", {"price": Price(3600)}, {}),
    ("G08", NO | {"price": Price(2900)}, {}),
    ("G09", {"price": Price(2900)}, {}),
    ("G09", {"price": Price(2820)}, {}),
    ("G10", {"price": Price(9700)}, {}),
    ("G10", NO | {"price": Price(300)}, {}),
    ("G09", {"edge": Price(200)}, {}),
    ("G09", {"edge": Price(1500)}, {}),
    ("G11", {}, book(age_ms=3_000)),
    ("G12", {}, feed(5_400)),
    ("G13", {}, fair(previous=0.17, inputs_changed=True)),
    ("G13", {}, fair(previous=None)),
    ("G13", {}, fair(ladder_sum=None)),
    ("G14", {}, held(5)),
    ("G14", {}, {"orders": (order(BookSide.ASK, Purpose.OPEN, 4000, 2, Life.CANCELLED),)}),
    ("G15", {}, {"cash": Money(52_950_000)}),
    ("G16", {}, worst(market=Money(100 * DOLLAR))),
    ("G17", {}, worst(event=Money(200 * DOLLAR))),
    ("G18", {}, worst(venue=Money(500 * DOLLAR), total=Money(800 * DOLLAR))),
    ("G19", {}, worst(correlated=Money(250 * DOLLAR))),
    ("G20", {}, {"open_orders": 19}),
    ("G21", {}, {"recent": (sent(0.1), sent(1.0))}),
    ("G21", {}, {"recent": tuple(sent(2 + n * 2.9) for n in range(19))}),
    ("G23", {}, {"filled_15s": Money(87_050_000)}),
    ("G22", {}, {"automatic": True, "repeats": 9}),
    ("G22", {}, {"repeats": 10}),
    ("G37", {"plan": "x"}, {"trips": (SERIES_OFF,)}),
    ("G24", {}, {"day_pnl": Money(-75 * DOLLAR + 1)}),
    ("G25", {}, {"automatic": True, "losses_in_row": 4, "losses_1h": 7}),
    ("G25", {}, {"losses_in_row": 9, "losses_1h": 9, "trips": (trip(TripKind.STREAK),)}),
    ("G26", {}, {"equity": Money(450 * DOLLAR + 1)}),
    ("G26", {}, {"equity": Money(0), "equity_peak": Money(0)}),
    ("G27", {}, {"rejects_1min": 4, "unknowns_1min": 2}),
    ("G28", {}, {"trading": TradingFacts(True, reopened_ms_ago=5_000, pause_in_ms=60_000)}),
    ("G30", {}, {"market": market(status=MarketStatus.ACTIVE)}),
    ("G28", {}, {"world_ms": WORLD_MS + 3_540_000}),
    ("G28", {}, {"world_ms": WORLD_MS - 3_595_000}),
    ("G29", {}, {"orders": (order(BookSide.ASK, Purpose.CLOSE, 3300, 1),)}),
    ("G29", NO, {"orders": (order(BookSide.BID, Purpose.CLOSE, 3100, 1),)}),
    ("G31", {}, {"clock_offset_ms": 500}),
    ("G29", {}, {"outside": (outside(price=3_300), outside(BookSide.BID, 3_200))}),
    ("G32", {}, {"loop_lag_ms": 100, "sync_p99_ms": 250, "disk_free_mb": 512, "memory_mb": 1_024}),
    ("G33", {}, {"presence": Presence.UNATTENDED}),
]


def test_a_sound_order_passes_everything() -> None:
    assert gate(OPEN, PASSING, DEFAULTS).denials == ()
    assert gate(OPEN, PASSING, DEFAULTS).passed


@pytest.mark.parametrize(("code", "candidate", "inputs", "seen"), DENIED)
def test_denied_with_what_was_seen(code: str, candidate: Change, inputs: Change, seen: str) -> None:
    verdict = gate(spoil(OPEN, **candidate), spoil(PASSING, **inputs), DEFAULTS)
    assert not verdict.passed and not verdict.faults
    denial = next(d for d in verdict.denials if d.code == code)
    assert seen in denial.observed
    assert denial.limit and denial.clears


@pytest.mark.parametrize(("code", "candidate", "inputs"), PASSED)
def test_passed_at_the_last_value_allowed(code: str, candidate: Change, inputs: Change) -> None:
    assert code not in codes(spoil(OPEN, **candidate), spoil(PASSING, **inputs))


def test_every_check_has_a_case_that_denies_and_codes_are_unique() -> None:
    assert {case[0] for case in DENIED} == {check.code for check in CHECKS}
    assert len({check.code for check in CHECKS}) == len(CHECKS)
    assert [check.code for check in CHECKS] == [f"G{n:02}" for n in range(1, 38)]
    assert {spec.rule for spec in LIMITS} <= {check.code for check in CHECKS}


NEEDED = sorted({name for check in CHECKS for name in check.needs})


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_input_denies_an_entry_by_name(name: str) -> None:
    verdict = gate(OPEN, spoil(PASSING, **{name: None}), DEFAULTS)
    assert not verdict.passed and not verdict.faults
    needing = {check.code for check in CHECKS if name in check.needs}
    assert needing <= {d.code for d in verdict.denials if d.observed == f"{name.replace('_', ' ')} not known"}


def test_every_optional_input_is_needed_by_some_check() -> None:
    optional = {
        field.name
        for field in msgspec.structs.fields(GateInputs)
        if type(None) in getattr(field.type, "__args__", ())
    }
    assert optional == {*NEEDED, "reconcile_age_ms"}, "reconcile_age_ms is judged by G01 for entries only"


# --- exits ------------------------------------------------------------------------------------

WRECK = spoil(
    HOLDING,
    world_ms=None,
    reconcile_age_ms=None,
    allowed=None,
    trading=None,
    book=None,
    fair=None,
    feeds=None,
    open_orders=None,
    worst=None,
    cash=None,
    reserved=None,
    recent=None,
    filled_15s=None,
    filled_5min=None,
    repeats=None,
    trips=None,
    losses_in_row=None,
    losses_1h=None,
    equity=None,
    equity_peak=None,
    rejects_1min=None,
    unknowns_1min=None,
    memory_mb=None,
    day_pnl=None,
    clock_offset_ms=None,
    clock_stepped=True,
    loop_lag_ms=None,
    sync_p99_ms=None,
    journal_ok=False,
    disk_free_mb=None,
    presence=None,
    budget_ok=None,
    paused="all",
)


@pytest.mark.parametrize("level", [Level.NORMAL, Level.REDUCE_ONLY, Level.FLATTENING])
def test_nothing_unknown_or_unwell_stops_an_exit(level: Level) -> None:
    exit_order = spoil(CLOSE, fair=float("nan"), edge=Price(-9_000), price=Price(100))
    assert codes(exit_order, spoil(WRECK, level=level)) == []


@pytest.mark.parametrize("level", [Level.HALTED, Level.LOCKED])
def test_halted_and_locked_desks_only_cancel(level: Level) -> None:
    assert codes(CLOSE, spoil(HOLDING, level=level)) == ["G01"]


@pytest.mark.parametrize(
    ("candidate", "inputs", "code"),
    [
        ({"quantity": contracts(17)}, {}, "G14"),
        ({"quantity": contracts(7)}, {"orders": (order(BookSide.ASK, Purpose.CLOSE, 3500, 10),)}, "G14"),
        (
            {"quantity": contracts(7)},
            {"orders": (order(BookSide.ASK, Purpose.CLOSE, 3500, 10, Life.UNKNOWN),)},
            "G14",
        ),
        ({"quantity": contracts(7)}, {"outside": (outside(),)}, "G14"),
        ({}, {"outside": None}, "G14"),
        ({}, {"position": Position()}, "G14"),
        ({"side": BookSide.BID}, {}, "G14"),
        ({"reduce_only": False}, {}, "G02"),
        ({"tif": TimeInForce.GTC}, {}, "G02"),
        ({}, {"proposal_used": True}, "G04"),
        ({}, {"position": None}, "G14"),
    ],
)
def test_an_exit_sells_only_what_is_free_and_can_never_rest(
    candidate: Change, inputs: Change, code: str
) -> None:
    assert codes(spoil(CLOSE, **candidate), spoil(HOLDING, **inputs)) == [code]


def test_opens_waiting_to_fill_never_cover_a_sale() -> None:
    inputs = spoil(HOLDING, orders=(order(BookSide.BID, Purpose.OPEN, 3000, 100),))
    assert codes(spoil(CLOSE, quantity=contracts(16)), inputs) == []
    assert codes(spoil(CLOSE, quantity=contracts(17)), inputs) == ["G14"]


def test_the_same_exit_may_go_out_again_at_once() -> None:
    before = Sent(CLOSE.ticker, CLOSE.side, CLOSE.price, CLOSE.quantity, HOLDING.now_ns - 1_000_000)
    assert codes(CLOSE, spoil(HOLDING, recent=(before,))) == []


def test_a_held_no_is_closed_by_a_bid() -> None:
    short = spoil(HOLDING, position=Position(net=contracts(-16), cost=Money(4 * DOLLAR)))
    assert codes(spoil(CLOSE, side=BookSide.BID), short) == []
    assert codes(CLOSE, short) == ["G14"]


# --- the gate itself --------------------------------------------------------------------------


def test_a_leg_of_a_plan_rests_on_prices_and_on_nothing_else_less() -> None:
    leg = spoil(OPEN, plan="every YES bought, 3 legs", edge=Price(300), fair=0.0)
    without_model = spoil(PASSING, fair=None, feeds=None)
    assert gate(leg, without_model, DEFAULTS).passed
    assert set(codes(spoil(OPEN, plan=""), without_model)) >= {"G09", "G12", "G13"}
    stale = spoil(without_model, book=None, worst=None, cash=None)
    assert set(codes(leg, stale)) >= {"G07", "G08", "G10", "G11", "G15", "G16", "G17", "G18", "G19"}


def test_a_plan_is_one_verdict_and_one_leg_that_may_not_leave_stops_all() -> None:
    leg = spoil(OPEN, plan="x", edge=Price(300))
    poor = spoil(PASSING, cash=Money(0))
    assert gate_plan([(leg, PASSING), (leg, PASSING)], DEFAULTS).passed
    (denial,) = gate_plan([(leg, PASSING), (leg, poor)], DEFAULTS).denials
    assert denial.code == "G15" and denial.observed.startswith(f"{leg.ticker}: needs ")
    (said_once,) = gate_plan([(leg, poor), (leg, poor)], DEFAULTS).denials
    assert said_once.observed.startswith("needs ")


def test_a_check_that_raises_denies_and_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("no depth")

    spoiled = tuple(Check("G07", "x", "y", broken) if check.code == "G07" else check for check in CHECKS)
    monkeypatch.setattr("core.risk.gate.CHECKS", spoiled)
    verdict = gate(OPEN, PASSING, DEFAULTS)
    assert [d.code for d in verdict.denials] == ["G07"]
    assert verdict.faults == ("G07 a division by zero (no depth)",)


def test_all_denials_are_told_not_only_the_first() -> None:
    assert codes(OPEN, spoil(PASSING, presence=Presence.ABSENT, budget_ok=False, paused="all")) == [
        "G01",
        "G33",
        "G34",
    ]


numbers = st.one_of(st.integers(-(10**12), 10**12), st.sampled_from([0, 1, 9_999, 10_000, 10_001]))
floats = st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=200, deadline=None)
@given(numbers, numbers, numbers, floats, floats, floats, numbers)
def test_wild_numbers_never_pass_and_never_raise(
    price: int, quantity: int, edge: int, fair_value: float, probability: float, ladder: float, age: int
) -> None:
    candidate = spoil(
        OPEN, price=Price(price), quantity=Quantity(quantity), edge=Price(edge), fair=fair_value
    )
    inputs = spoil(
        PASSING,
        book=BookFacts(Price(3100), Price(3400), contracts(160), True, age),
        fair=FairFacts(probability, probability, "v3", None, False, ladder),
    )
    verdict = gate(candidate, inputs, DEFAULTS)
    assert verdict.faults == ()
    if verdict.passed:
        assert CENT_GRID.valid(Price(price)) and 0 < quantity <= contracts(40) and 0 <= age <= 3_000
        assert 0 <= probability <= 1 and 200 <= edge <= 1500


MAY_BE_NONE = {"reconcile_age_ms"}
optional_inputs = st.sets(st.sampled_from([*NEEDED, *sorted(MAY_BE_NONE)]), max_size=3)
not_finite = st.sampled_from([float("nan"), float("inf"), float("-inf")])
FLOATS = ("fair", "sigma"), ("probability", "model", "previous", "ladder_sum")
"""Of the candidate, and of the model's facts."""
floats_spoiled = st.dictionaries(st.sampled_from([*FLOATS[0], *FLOATS[1]]), not_finite, max_size=2)


@settings(max_examples=200, deadline=None)
@given(optional_inputs, floats_spoiled, st.sampled_from([*Level, None]))
def test_an_entry_never_passes_with_anything_missing_or_not_a_number(
    missing: set[str], wild: dict[str, float], level: Level | None
) -> None:
    candidate = spoil(OPEN, **{name: value for name, value in wild.items() if name in FLOATS[0]})
    facts = spoil(PASSING.fair, **{name: value for name, value in wild.items() if name in FLOATS[1]})
    inputs = spoil(spoil(PASSING, fair=facts, level=level), **dict.fromkeys(missing))
    verdict = gate(candidate, inputs, DEFAULTS)
    assert verdict.faults == ()
    sound = not missing and not wild and level is Level.NORMAL
    assert verdict.passed is sound


def test_evidence_names_every_input_and_is_json() -> None:
    inputs = spoil(PASSING, orders=(order(),), recent=(sent(1),))
    values = evidence(inputs)
    assert set(values) == {field.name for field in msgspec.structs.fields(GateInputs)}
    decoded = msgspec.json.decode(msgspec.json.encode(values))
    assert decoded["market"]["ticker"] == "KXHIGHNY-T48"
    assert decoded["orders"] == [
        {"id": "pm-bid-3000", "life": "WORKING", "leaves": 10_000_000, "price": 3000}
    ]
    assert decoded["level"] == 0 and decoded["presence"] == "present"


def test_the_gate_takes_well_under_a_millisecond() -> None:
    recent = tuple(sent(70 + n * 17.0) for n in range(200))
    inputs = spoil(PASSING, recent=recent, orders=tuple(order(price=100 * n, count=1) for n in range(1, 5)))
    best = min(_timed(inputs) for _ in range(30))
    assert best < 1_000_000, f"{best} ns"


def _timed(inputs: GateInputs) -> int:
    start = time.perf_counter_ns()
    gate(OPEN, inputs, DEFAULTS)
    return time.perf_counter_ns() - start


def test_the_check_functions_are_all_in_the_table() -> None:
    in_table = {check.run for check in CHECKS}
    public = {
        value
        for module in (desk, market_checks, money, order_checks)
        for name, value in vars(module).items()
        if getattr(value, "__module__", "") == module.__name__ and not name.startswith("_")
    }
    assert public == in_table
