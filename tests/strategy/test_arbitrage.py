"""Scans against brute force: what they find exists, what exists they find, and no profit is overstated."""

from __future__ import annotations

import itertools
import math

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.domain.fees import estimate
from core.domain.market import (
    CityReading,
    Extreme,
    FeeSchedule,
    FeeType,
    Fixing,
    Market,
    Strike,
    StrikeKind,
    Venue,
)
from core.domain.order import BookSide, Outcome, Purpose, TimeInForce
from core.domain.units import Price, Quantity, contracts, notional_up
from core.risk.limits import DEFAULTS
from core.strategy.arbitrage import (
    LEVELS_MAX,
    Depth,
    Locked,
    PlanKind,
    Taking,
    across,
    hopeless,
    scan,
    takings,
)
from core.strategy.plan import Kept, Plan, kept, plan_fingerprint, plan_of, rest_exit, unlike
from core.strategy.questions import Question, questions
from core.strategy.rules import EntryRules
from tests.strategy.conftest import Made, market_of, view_of

YES, NO = BookSide.BID, BookSide.ASK
RULES = EntryRules(depth_share=1.0)
KINDS = StrikeKind


def asking(ticker: str, strike: Strike, **changes: object) -> Market:
    """A market on New York's high of a day."""
    base = {"strike": strike, "station": "KNYC", "climate_day": "2026-11-23", "extreme": Extreme.HIGH}
    return msgspec.structs.replace(market_of(ticker), **({**base, "exclusive": False} | changes))


def offers(market: Market, bid: int, ask: int, *sizes: int) -> list[Taking]:
    """Both outcomes from the touch on, cents, a level a cent; none at zero or a dollar."""
    found = []
    for side, cents in ((YES, ask), (NO, bid)):
        depths, shown = [], 0
        for i, size in enumerate(sizes):
            at, shown = cents + i * side.sign, shown + size
            if 0 < at < 100:
                depths.append(Depth(Price(at * 100), contracts(shown), contracts(shown)))
        if depths:
            found.append(Taking(market, side, tuple(depths)))
    return found


@st.composite
def ladders(draw: st.DrawFn) -> tuple[list[Market], list[Taking]]:
    """Neighbouring brackets, some missing, and thresholds at their edges, with quotes near or under what
    chances would have it."""
    cuts = draw(st.integers(2, 4))
    strikes = [Strike(KINDS.LESS, cap=0.0)]
    strikes += [Strike(KINDS.BETWEEN, 2.0 * i, 2.0 * i + 1) for i in range(cuts - 1)]
    strikes += [Strike(KINDS.GREATER_OR_EQUAL, floor=2.0 * (cuts - 1))]
    markets = [asking(f"B{i}", s) for i, s in enumerate(strikes) if draw(st.integers(0, 4))]
    for i in range(draw(st.integers(0, 2))):
        at = 2.0 * draw(st.integers(0, cuts - 1))
        above = draw(st.booleans())
        strike = Strike(KINDS.GREATER_OR_EQUAL, floor=at) if above else Strike(KINDS.LESS, cap=at)
        markets.append(asking(f"T{i}", strike))
    shown: list[Taking] = []
    for market in markets:
        wide = market.strike.kind is not KINDS.BETWEEN
        ask = draw(st.integers(2, 75 if wide else 40))
        sizes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
        shown += offers(market, ask - draw(st.integers(1, 12)), ask, *sizes)
    return markets, shown


def states(question: Question) -> list[float]:
    ends = sorted({end for s in question.spans.values() for end in (s.low, s.high) if math.isfinite(end)})
    return [ends[0] - 1, *ends] if ends else [0.0]


def brute(question: Question, shown: list[Taking], quantity: int) -> int:
    """The most any choice of YES, NO or nothing in each market is sure to bring at one size."""
    enough = [taking for taking in shown if taking.most >= quantity]
    by_market = [[t for t in enough if t.market.ticker == ticker] for ticker in question.spans]
    best = 0
    for choice in itertools.product(*([None, *there] for there in by_market)):
        legs = [leg for leg in choice if leg is not None]
        if legs:
            best = max(
                best, least(question, legs, quantity) - sum(leg.cost(Quantity(quantity)) for leg in legs)
            )
    return best


def least(question: Question, legs: list[Taking], quantity: int) -> int:
    """What legs pay in the worst of all outcomes."""
    return min(
        sum(quantity for leg in legs if question.spans[leg.market.ticker].holds(at) is (leg.side is YES))
        for at in states(question)
    )


def sizes(shown: list[Taking]) -> set[int]:
    return {int(depth.most) for taking in shown for depth in taking.depths}


def one(markets: list[Market]) -> Question | None:
    found = questions(markets)
    return found[0] if found else None


@settings(max_examples=300, deadline=None)
@given(ladders())
def test_a_set_is_found_where_brute_force_finds_one_and_brings_what_it_says(
    ladder: tuple[list[Market], list[Taking]],
) -> None:
    markets, shown = ladder
    question = one(markets)
    if question is None:
        return
    found = scan(question, shown)
    best = max((brute(question, shown, size) for size in sizes(shown)), default=0)
    assert (found is not None) is (best > 0)
    if found is not None:
        legs = list(found.legs)
        cost = sum(leg.cost(found.quantity) for leg in legs)
        assert found.profit == least(question, legs, found.quantity) - cost <= best
        assert len({leg.market.ticker for leg in legs}) == len(legs) > 1
        assert all(leg.most >= found.quantity for leg in legs)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 40), st.integers(1, 12), st.integers(1, 3)), min_size=2, max_size=5))
@example([(30, 1, 1), (30, 1, 2), (30, 1, 3)])
def test_of_exclusive_markets_alone_exactly_the_best_set_is_found(quotes: list[tuple[int, int, int]]) -> None:
    """Nobody knows whether one of them pays: only selling is sure, and of which ones brute force says."""
    markets = [
        msgspec.structs.replace(market_of(f"X{i}"), strike=Strike(KINDS.OTHER)) for i in range(len(quotes))
    ]
    shown = [
        o
        for m, (bid, gap, size) in zip(markets, quotes, strict=True)
        for o in offers(m, bid, bid + gap, size)
    ]
    question = one(markets)
    assert question is not None
    found = scan(question, shown)
    best = max(brute(question, shown, size) for size in sizes(shown))
    assert (found.profit if found else 0) == best
    assert found is None or (found.kind is PlanKind.SOLD and {leg.side for leg in found.legs} == {NO})


@settings(max_examples=150, deadline=None)
@given(ladders())
def test_a_plan_never_overstates_its_profit_nor_understates_what_failing_legs_may_cost(
    ladder: tuple[list[Market], list[Taking]],
) -> None:
    question = one(ladder[0])
    found = scan(question, ladder[1]) if question is not None else None
    if question is None or found is None:
        return
    plan = plan_of(found.kind, found.legs, found.quantity, question, "depth")
    assert isinstance(plan, Plan)
    assert plan.profit == found.profit
    results = outcomes(question, plan)
    assert min(results[frozenset(plan.tickers)]) == plan.profit
    assert plan.worst == max(0, max(-result for case in results.values() for result in case))


def outcomes(question: Question, plan: Plan) -> dict[frozenset[str], list[int]]:
    """By the legs that fill, the result in each outcome; the others fail."""
    found = {}
    for size in range(len(plan.legs) + 1):
        for legs in itertools.combinations(plan.legs, size):
            cost = sum(notional_up(leg.outcome_price, leg.quantity) + leg.fee for leg in legs)
            found[frozenset(leg.ticker for leg in legs)] = [
                sum(leg.quantity for leg in legs if question.spans[leg.ticker].holds(at) is (leg.side is YES))
                - cost
                for at in states(question)
            ]
    return found


@settings(max_examples=60, deadline=None)
@given(ladders())
def test_no_order_of_the_legs_leaves_a_worse_rest_at_most_than_the_one_chosen_for_equal_sides(
    ladder: tuple[list[Market], list[Taking]],
) -> None:
    question = one(ladder[0])
    found = scan(question, ladder[1]) if question is not None else None
    if question is None or found is None or found.kind is PlanKind.DIFFERENCE or len(found.legs) > 5:
        return
    plan = plan_of(found.kind, found.legs, found.quantity, question, "depth")
    assert isinstance(plan, Plan)
    results = outcomes(question, plan)

    def rest(order: tuple[str, ...]) -> int:
        return max(-min(results[frozenset(order[:n])]) for n in range(1, len(order)))

    best = min(rest(order) for order in itertools.permutations(plan.tickers))
    assert rest(tuple(leg.ticker for leg in plan.legs)) == best


@given(st.integers(1, 98), st.integers(1, 98), st.integers(1, 5))
def test_one_book_seen_from_two_sides_is_no_arbitrage(bid: int, gap: int, size: int) -> None:
    ask = min(99, bid + gap)
    market = asking("T", Strike(KINDS.GREATER_OR_EQUAL, floor=4.0))
    far = asking("U", Strike(KINDS.BETWEEN, 90.0, 91.0))
    question = one([market, far])
    assert question is not None
    assert scan(question, offers(market, bid, ask, size)) is None


def test_a_crossed_or_stale_book_and_the_last_cents_offer_nothing() -> None:
    sound = view_of(bids=[(31, 120)], asks=[(34, 160)])
    assert [(t.side, t.limit(t.most), t.most) for t in takings(sound, EntryRules(), reach)] == [
        (YES, 3400, contracts(40)),
        (NO, 3100, contracts(30)),
    ]
    assert takings(msgspec.structs.replace(sound, stale="book 9 s old"), RULES, reach) == ()
    assert takings(view_of(bids=[(35, 120)], asks=[(34, 160)]), RULES, reach) == ()
    (yes,) = takings(view_of(bids=[(2, 120)], asks=[(4, 160)]), RULES, reach)
    assert yes.side is YES  # NO for 98 cents is above what we pay
    assert takings(view_of(minimum=contracts(500)), RULES, reach) == ()


def reach(price: Price) -> Price:
    """As far beyond the touch as orders may go by default."""
    return DEFAULTS.collar(price)


def test_a_book_is_read_as_deep_as_an_order_may_go_each_level_for_more() -> None:
    asks = [(34, 6), (35, 1), (36, 40), (37, 900)]
    yes, no = takings(view_of(bids=[(31, 120)], asks=asks), EntryRules(), reach)
    assert yes.depths == (
        Depth(Price(3400), contracts(6), contracts(1)),  # of seven no more than of six: no depth of its own
        Depth(Price(3600), contracts(47), contracts(11)),
    )  # 37 is three cents beyond the touch
    assert no.depths == (Depth(Price(3100), contracts(120), contracts(30)),)
    (whole, _) = takings(view_of(bids=[(31, 120)], asks=[(34, 4), (35, 4), (36, 40)]), RULES, reach)
    paid_at = [(4, Price(3400)), (4, Price(3500)), (10, Price(3600))]
    of_each = sum(estimate(whole.market.fees, at, contracts(n), is_taker=True) for n, at in paid_at)
    assert whole.cost_as_shown(contracts(18)) == sum(n * at * 100 for n, at in paid_at) + of_each
    # Eleven for 36 at most; as shown six of them for 34 and one for 35, and the fees are those of each.
    assert [yes.limit(contracts(n)) for n in (1, 2, 11)] == [3400, 3600, 3600]
    fee = yes.fee(contracts(11))
    assert yes.cost(contracts(11)) == 11 * 360_000 + fee
    cheaper = 6 * 340_000 + 5 * 360_000
    assert cheaper + fee - 10_000 < yes.cost_as_shown(contracts(11)) < cheaper + fee
    (cheap, _) = takings(view_of(bids=[(8, 400)], asks=[(12, 80), (13, 80), (14, 80)]), EntryRules(), reach)
    assert len(cheap.depths) == 2  # a tenth of the price is less than two cents
    far = takings(
        view_of(bids=[(31, 120)], asks=[(n, 40) for n in range(34, 90)]), RULES, lambda _: Price(9_999)
    )
    assert len(far[0].depths) == LEVELS_MAX


BOOKS = st.lists(
    st.tuples(st.integers(2, 45), st.integers(1, 8), st.lists(st.integers(1, 60), min_size=1, max_size=4)),
    min_size=4,
    max_size=4,
)


@settings(max_examples=200, deadline=None)
@given(BOOKS, st.integers(0, 400))
@example([(22, 4, [10, 30, 90])] * 4, 200)
def test_a_set_goes_as_deep_as_pays_and_every_set_of_it_brings_what_is_asked_at_its_limits(
    books: list[tuple[int, int, list[int]]], asked: int
) -> None:
    markets = [asking(f"M{i}", strike) for i, strike in enumerate(BRACKETS)]
    question = one(markets)
    assert question is not None
    shown = [
        o
        for m, (ask, gap, sizes) in zip(markets, books, strict=True)
        for o in offers(m, ask - gap, ask, *sizes)
    ]
    found = scan(question, shown, Price(asked))
    at_touch = scan(question, [msgspec.structs.replace(t, depths=t.depths[:1]) for t in shown], Price(asked))
    assert (found is None) is not any(
        (best := brute(question, shown, size)) > 0 and best * 10_000 >= asked * size for size in sizes(shown)
    )
    if found is None:
        return
    assert found.brings(Price(asked)) and found.profit_as_shown >= found.profit
    assert at_touch is None or found.profit_as_shown >= at_touch.profit_as_shown
    for leg in found.legs:
        assert found.profit_as_shown - found.profit >= leg.cost(found.quantity) - leg.cost_as_shown(
            found.quantity
        )
    plan = plan_of(found.kind, found.legs, found.quantity, question, found.bound_by)
    assert isinstance(plan, Plan) and plan.profit == found.profit
    limits = {leg.market.ticker: leg.limit(found.quantity) for leg in found.legs}
    assert {leg.ticker: leg.price for leg in plan.legs} == limits


def test_a_walk_ends_before_the_sets_that_bring_too_little() -> None:
    markets = [asking(f"M{i}", strike) for i, strike in enumerate(BRACKETS)]
    question = one(markets)
    assert question is not None
    # All YES cost 80, 84, 88, 92 and 96 cents level by level, fees aside, which are about five.
    shown = [o for m in markets for o in offers(m, 15, 20, 10, 30, 60, 200, 900)]
    found = scan(question, shown, Price(400))
    assert found is not None and found.quantity == contracts(100)
    assert {leg.limit(found.quantity) for leg in found.legs} == {2200}
    assert found.bound_by == "prices of the next sets"
    plan = plan_of(found.kind, found.legs, found.quantity, question, found.bound_by)
    assert isinstance(plan, Plan) and "as shown, at most" in plan.legs[0].why
    thin = [msgspec.structs.replace(t, depths=t.depths[:2]) for t in shown]
    shallow = scan(question, thin, Price(400))
    assert shallow is not None and (shallow.quantity, shallow.bound_by) == (contracts(40), "depth share")


BRACKETS = (
    Strike(KINDS.LESS, cap=48.0),
    Strike(KINDS.BETWEEN, 48.0, 49.0),
    Strike(KINDS.BETWEEN, 50.0, 51.0),
    Strike(KINDS.GREATER, floor=51.0),
)


def priced(
    strikes: tuple[Strike, ...], quotes: tuple[tuple[int, int], ...], **changes: object
) -> Locked | None:
    markets = [asking(f"M{i}", strike, **changes) for i, strike in enumerate(strikes)]
    question = one(markets)
    assert question is not None
    shown = [
        o for market, (bid, ask) in zip(markets, quotes, strict=True) for o in offers(market, bid, ask, 10)
    ]
    return scan(question, shown)


def test_the_kinds_by_example() -> None:
    bought = priced(BRACKETS, ((18, 20), (28, 30), (23, 25), (13, 15)))
    assert bought is not None and (bought.kind, len(bought.legs)) == (PlanKind.SET, 4)
    sold = priced(BRACKETS, ((28, 33), (38, 43), (33, 38), (20, 25)))
    assert sold is not None and (sold.kind, len(sold.legs)) == (PlanKind.SOLD, 4)
    above = tuple(Strike(KINDS.GREATER_OR_EQUAL, floor=f) for f in (70.0, 72.0))
    nested = priced(above, ((35, 40), (48, 52)))
    assert nested is not None and nested.kind is PlanKind.NESTED
    assert {(leg.market.ticker, leg.side) for leg in nested.legs} == {("M0", YES), ("M1", NO)}
    between_them = (*above, Strike(KINDS.BETWEEN, 70.0, 71.0))
    dear = priced(between_them, ((60, 62), (38, 40), (35, 38)))
    assert dear is not None and dear.kind is PlanKind.DIFFERENCE
    assert {(leg.market.ticker, leg.side) for leg in dear.legs} == {("M0", YES), ("M1", NO), ("M2", NO)}
    cheap = priced(between_them, ((60, 62), (38, 40), (8, 10)))
    assert cheap is not None and cheap.kind is PlanKind.DIFFERENCE
    assert {(leg.market.ticker, leg.side) for leg in cheap.legs} == {("M0", NO), ("M1", YES), ("M2", YES)}


def test_a_hole_in_the_strikes_is_no_complete_set() -> None:
    holed = (BRACKETS[0], BRACKETS[1], BRACKETS[3])
    assert priced(holed, ((18, 20), (28, 30), (13, 15))) is None


def test_thin_legs_are_left_out_where_the_others_bring_more_without_them() -> None:
    markets = [asking(f"M{i}", strike) for i, strike in enumerate(BRACKETS)]
    question = one(markets)
    assert question is not None
    quotes = ((45, 50, 90), (45, 50, 90), (30, 35, 90), (9, 12, 1))
    shown = [o for m, (b, a, s) in zip(markets, quotes, strict=True) for o in offers(m, b, a, s)]
    found = scan(question, shown)
    assert found is not None and found.quantity == contracts(90)
    assert {leg.market.ticker for leg in found.legs} == {"M0", "M1", "M2"}


def test_markets_ask_one_question_only_where_everything_they_settle_on_is_the_same() -> None:
    first, second = asking("A", BRACKETS[0]), asking("B", BRACKETS[1])
    assert len(questions([first, second])) == 1
    for other in (
        {"station": "KLGA"},
        {"climate_day": "2026-11-24"},
        {"extreme": Extreme.LOW},
        {"source": "another record"},
        {"venue": Venue.POLYMARKET},
        {"doubt": "not understood"},
        {"strike": Strike(KINDS.OTHER)},
    ):
        assert questions([first, msgspec.structs.replace(second, **other)]) == (), other


def test_brackets_of_a_price_meet_where_its_precision_says() -> None:
    at = Fixing("SPX", 1_800_000_000_000, 0.01)
    strikes = (
        Strike(KINDS.LESS, cap=5000.0),
        Strike(KINDS.BETWEEN, 5000.0, 5024.9999),
        Strike(KINDS.GREATER_OR_EQUAL, floor=5025.0),
    )
    same = {"station": None, "climate_day": None, "extreme": None, "fixing": at}
    question = one([asking(f"M{i}", strike, **same) for i, strike in enumerate(strikes)])
    assert question is not None
    spans = list(question.spans.values())
    assert [(s.low, s.high) for s in spans] == [(-math.inf, 500_000), (500_000, 502_500), (502_500, math.inf)]


def test_an_hours_strikes_in_hundredths_of_a_degree_meet_without_a_hole() -> None:
    same = {"station": None, "climate_day": None, "extreme": None}
    hour = CityReading("miami", 1_800_000_000_000, 0.01)
    under = asking("A", Strike(KINDS.LESS_OR_EQUAL, cap=81.99), **same, reading=hour)
    over = asking("B", Strike(KINDS.GREATER, floor=81.99), **same, reading=hour)
    (question,) = questions([under, over])
    assert question.apart and question.spans["A"].high == question.spans["B"].low == 8_200
    later = msgspec.structs.replace(over, reading=CityReading("miami", 1_800_003_600_000, 0.01))
    assert questions([under, later]) == ()


def test_strikes_that_overlap_where_the_venue_calls_them_exclusive_conclude_nothing() -> None:
    markets = [
        asking(f"M{i}", s, exclusive=True)
        for i, s in enumerate((BRACKETS[0], Strike(KINDS.BETWEEN, 47.0, 49.0)))
    ]
    question = one(markets)
    assert question is not None and "overlap" in question.refusal
    shown = [o for market in markets for o in offers(market, 80, 85, 5)]
    assert scan(question, shown) is None


def venues(asking_no: int, *sizes: int, asked: int = 0) -> Locked | None:
    """A bracket for 40 cents here, and against it for so many there."""
    curve = FeeSchedule(FeeType.TAKER_CURVE, multiplier_e6=50_000)
    there = asking("P", BRACKETS[1], venue=Venue.POLYMARKET, fees=curve)
    here = offers(asking("K", BRACKETS[1]), 38, 40, *(sizes or (10,)))
    return across(here, offers(there, 100 - asking_no, 97, *(sizes or (10,))), Price(asked), opposite=False)


def test_two_venues_are_charged_a_cent_and_may_lose_everything() -> None:
    found = venues(50)
    assert found is not None and [leg.side for leg in found.legs] == [YES, NO]
    plan = plan_of(found.kind, found.legs, contracts(10), None, "depth")
    assert isinstance(plan, Plan) and plan.profit == found.profit
    assert plan.profit == 10_000_000 - plan.cost - plan.fee - 100_000
    assert plan.worst == plan.cost + plan.fee
    assert "both may pay nothing" in plan.cautions[1]
    assert venues(57) is None  # three cents, most of which are fees: nothing is left after the charge


def test_two_venues_are_taken_from_as_deep_as_pays() -> None:
    # Together 90, 92, 94 and 96 cents; fees are about three, and one is charged.
    found = venues(50, 10, 20, 40, 80, asked=200)
    assert found is not None and found.quantity == contracts(70)
    assert [leg.limit(found.quantity) for leg in found.legs] == [4200, 4800]
    assert found.profit < found.profit_as_shown


def test_opposite_questions_are_held_by_the_same_outcome_on_both() -> None:
    here, there = asking("K", BRACKETS[1]), asking("P", BRACKETS[1], venue=Venue.POLYMARKET)
    yes = across(offers(here, 38, 40, 10), offers(there, 30, 35, 10), opposite=True)
    assert yes is not None and [leg.side for leg in yes.legs] == [YES, YES]
    no = across(offers(here, 60, 65, 10), offers(there, 60, 65, 10), opposite=True)
    assert no is not None and [leg.side for leg in no.legs] == [NO, NO]


@pytest.mark.parametrize(
    "changed", [{"station": "KLGA"}, {"station": None}, {"climate_day": "2026-11-24"}, {"extreme": None}]
)
def test_weather_on_another_station_or_day_is_never_arbitrage(changed: dict[str, object]) -> None:
    here, there = asking("K", BRACKETS[1]), asking("P", BRACKETS[1], venue=Venue.POLYMARKET)
    assert unlike(here, there) == ""
    assert "no arbitrage" in unlike(here, msgspec.structs.replace(there, **changed))


def whole_plan() -> Plan:
    found = priced(BRACKETS, ((18, 20), (28, 30), (23, 25), (13, 15)))
    question = one([asking(f"M{i}", strike) for i, strike in enumerate(BRACKETS)])
    assert found is not None
    plan = plan_of(found.kind, found.legs, found.quantity, question, "depth")
    assert isinstance(plan, Plan)
    return plan


def test_legs_are_immediate_and_the_fingerprint_holds_each_of_them() -> None:
    plan = whole_plan()
    assert all(leg.tif is TimeInForce.IOC and leg.purpose is Purpose.OPEN for leg in plan.legs)
    assert [leg.outcome_price for leg in plan.legs] == [1500, 2000, 2500, 3000]
    seen = {plan_fingerprint("P1", plan, 5)}
    for i, leg in enumerate(plan.legs):
        for change in (
            {"price": Price(leg.price + 100)},
            {"quantity": contracts(9)},
            {"ticker": "Z"},
            {"side": NO},
        ):
            legs = list(plan.legs)
            legs[i] = msgspec.structs.replace(leg, **change)
            seen.add(plan_fingerprint("P1", msgspec.structs.replace(plan, legs=tuple(legs)), 5))
    assert len(seen) == 17


def test_what_was_sold_came_from_the_rest_first() -> None:
    filled = {"A": contracts(10), "B": contracts(4)}
    assert kept(filled, {}, "A") == (contracts(4), contracts(6))
    assert kept(filled, {}, "B") == (contracts(4), 0)
    assert kept(filled, {"A": contracts(6)}, "A") == (contracts(4), 0)
    assert kept(filled, {"A": contracts(8)}, "A") == (contracts(2), 0)


def test_the_rest_is_sold_to_the_touch_and_never_more_than_is_there(made: Made) -> None:
    view = view_of(bids=[(31, 3)], asks=[(34, 160)], net=8)
    left = Kept(Outcome.YES, rest=contracts(5), name="P7 every YES bought")
    order = rest_exit(view, left)
    assert order is not None and order.reduce_only and order.purpose is Purpose.CLOSE
    assert (order.side, order.price, order.quantity) == (NO, 3100, contracts(3))
    assert "P7 every YES bought" in order.why
    no = rest_exit(view_of(net=-8), msgspec.structs.replace(left, outcome=Outcome.NO))
    assert no is not None and (no.side, no.price, no.quantity) == (YES, 3400, contracts(5))
    assert rest_exit(msgspec.structs.replace(view, stale="book 9 s old"), left) is None
    assert rest_exit(view_of(bids=[], net=8), left) is None


@settings(max_examples=200, deadline=None)
@given(ladders())
def test_what_a_glance_rules_out_a_scan_does_not_find(ladder: tuple[list[Market], list[Taking]]) -> None:
    question = one(ladder[0])
    if question is None:
        return
    sides = {(t.market.ticker, t.side): t.depths[0].limit for t in ladder[1]}
    if hopeless(question, [(sides.get((t, NO)), sides.get((t, YES))) for t in question.spans]):
        assert scan(question, ladder[1]) is None
