"""What is proposed, at which price and size, and what keeps it from being proposed."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.market import FeeSchedule, FeeType, MarketStatus, PriceBand, TickGrid
from core.domain.order import BookSide, Outcome, Purpose, TimeInForce
from core.domain.units import DOLLAR, Money, Price, contracts
from core.models.fair_value import Driver
from core.strategy.assess import NOTHING, QUARANTINED, STALE, assess, needed_edge, share_filled
from core.strategy.edge import Cost
from core.strategy.entries import displaced, entries, lapsed, reason, worst_cost
from core.strategy.proposal import Candidate, FeeRole
from core.strategy.rules import EntryRules

RULES = EntryRules()
TAKER = EntryRules(maker=False, taker=True)


def propose(made: Any, views: list[Any], fairs: list[Any], rules: EntryRules = RULES, **room: Any) -> Any:
    by_ticker = {v.market.ticker: v for v in views}
    assessed = {
        f.ticker: assess(f, by_ticker[f.ticker], rules, made.now_ms) for f in fairs if f.ticker in by_ticker
    }
    return entries(made.event(*fairs), by_ticker, assessed, made.room(**room), rules, made.now_ms)


def only(found: tuple[Candidate, ...]) -> Candidate:
    (candidate,) = found
    return candidate


def test_a_wide_spread_is_improved_by_one_tick_and_never_crossed(made: Any) -> None:
    found = only(propose(made, [made.view()], [made.fair()]))
    assert (found.side, found.price, found.outcome) == (BookSide.BID, 3200, Outcome.YES)
    assert found.quantity == contracts(40)
    assert found.sizing.bound_by == "depth share (25% of 160)"
    assert (found.tif, found.post_only, found.reduce_only) == (TimeInForce.GTC, True, False)
    assert found.fee_role is FeeRole.MAKER
    assert (found.edge, found.edge_half) == (570, 570)  # 6.2 c less what a fill tells
    assert found.why == "Open-Meteo +1.5F at 14:02Z"
    assert found.against
    assert found.lifetime_s == 120


@pytest.mark.parametrize(
    ("asks", "fair", "price"),
    [
        (((32, 160),), 0.382, 3100),  # one tick apart: join
        (((33, 160),), 0.382, 3100),  # two ticks: join
        (((34, 160),), 0.382, 3200),  # three: one ahead
        (((34, 160),), 0.342, 3100),  # ahead would not pay: join
    ],
)
def test_where_a_resting_order_goes(made: Any, asks: Any, fair: float, price: int) -> None:
    assert only(propose(made, [made.view(asks=asks)], [made.fair(probability=fair)])).price == price


@pytest.mark.parametrize(
    ("before", "price", "fill"),
    [
        (120, 3200, 0.886),  # 6.7 c for half of it against 5.7 c for nine tenths
        (20, 3100, 0.792),  # so short a queue is worth more than a tick
    ],
)
def test_a_tick_is_weighed_against_the_queue(made: Any, before: int, price: int, fill: float) -> None:
    found = only(propose(made, [made.view(bids=((31, before),))], [made.fair()]))
    assert (found.price, found.fill) == (price, pytest.approx(fill, abs=0.001))


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_the_more_there_is_ahead_the_later_the_turn(first: int, more: int) -> None:
    near, far = (share_filled(contracts(n), contracts(40), RULES) for n in (first, first + more))
    assert 1 > near > far > 0
    # The mean of the chances of the order's first contract and its last, about.
    assert 150 / (190 + first) < near < 150 / (150 + first)


def test_a_model_that_adds_nothing_is_quoted_around_and_never_taken_on(made: Any) -> None:
    view, fair = made.view(asks=((34, 160),)), made.fair(probability=0.42)
    nothing = msgspec.structs.replace(fair, weight=0.0)
    assert only(propose(made, [view], [fair], TAKER)).fee_role is FeeRole.TAKER
    assert propose(made, [view], [nothing], TAKER) == ()
    assert only(propose(made, [view], [nothing], EntryRules(taker=True))).fee_role is FeeRole.MAKER


@pytest.mark.parametrize(("model", "doubt"), [(0.57, ""), (0.59, "model and market are 26c apart")])
def test_the_model_has_to_agree_with_the_market_and_not_what_both_say_together(
    made: Any, model: float, doubt: str
) -> None:
    fair = msgspec.structs.replace(made.fair(), model_probability=model)
    found = assess(fair, made.view(), RULES, made.now_ms)
    assert (found.word, found.reason) == (QUARANTINED if doubt else "", doubt)
    order = only(propose(made, [made.view()], [made.fair()]))
    assert lapsed(fair, made.view(), order, RULES, made.now_ms) == doubt


def test_a_model_that_counts_nothing_need_not_agree_with_the_market_that_is_quoted_around(made: Any) -> None:
    fair = msgspec.structs.replace(made.fair(), model_probability=0.95, weight=0.0)
    order = only(propose(made, [made.view()], [fair]))
    assert order.fee_role is FeeRole.MAKER
    assert lapsed(fair, made.view(), order, RULES, made.now_ms) == ""
    counted = msgspec.structs.replace(fair, weight=0.01)
    assert propose(made, [made.view()], [counted]) == ()
    assert "apart" in lapsed(counted, made.view(), order, RULES, made.now_ms)


def test_taking_is_dropped_where_waiting_brings_more(made: Any) -> None:
    """The spread and the fee are paid for certainty: that is worth it only where waiting is long."""
    both = EntryRules(taker=True)
    near, far = (
        only(propose(made, [made.view(bids=((34, n),), asks=((35, 160),))], [made.fair("B", 0.44)], both))
        for n in (10, 900)
    )
    assert (near.fee_role, far.fee_role) == (FeeRole.MAKER, FeeRole.TAKER)


@pytest.mark.parametrize(
    ("bids", "before", "said"),
    [
        (((31, 40),), 0, ""),  # first in its queue
        (((31, 80),), 40, ""),  # a tick ahead is worth a little more, but less than half a cent
        (((31, 60),), 20, ""),  # behind twenty: so good a place is not given up for a tick
        (((31, 440),), 400, "a place at 32c is worth 3.3c more"),
        (((31, 40), (33, 90)), 90, ""),  # outbid by a few: going ahead of them costs three ticks
        (((31, 40), (33, 300)), 300, "a place at 34c is worth 1.1c more"),
        (((31, 40), (32, 900)), 900, "a place at 33c is worth 3.2c more"),
    ],
)
def test_a_place_in_the_queue_is_given_up_for_a_better_one_alone(
    made: Any, bids: Any, before: int, said: str
) -> None:
    order = only(propose(made, [made.view(bids=((31, 20),), asks=((36, 160),))], [made.fair()]))
    assert order.price == 3100
    view = made.view(bids=bids, asks=((36, 160),))
    move = displaced(made.fair(), view, order, contracts(before), RULES)
    assert (move.why if move is not None else "") == said


def test_a_place_is_not_given_up_for_one_where_less_could_wait(made: Any) -> None:
    order = only(propose(made, [made.view(bids=((31, 20),), asks=((36, 160),))], [made.fair()]))
    assert order.quantity == contracts(40)
    for shown, moves in ((160, True), (1_600, True), (8, False)):
        view = made.view(bids=((31, 440),), asks=((36, shown),))
        move = displaced(made.fair(), view, order, contracts(400), RULES)
        assert (move is not None) is moves
        if move is not None:
            assert (move.order.price, move.order.quantity) == (3200, contracts(40))


def test_an_over_priced_market_is_bought_as_no(made: Any) -> None:
    found = only(propose(made, [made.view()], [made.fair(probability=0.26)]))
    assert (found.side, found.outcome, found.price) == (BookSide.ASK, Outcome.NO, 3300)
    assert found.outcome_price == 6700
    assert found.edge == 650
    assert found.sizing.bound_by == "depth share (25% of 120)"


def test_taking_is_off_and_nets_fee_and_slippage_when_on(made: Any) -> None:
    view, fair = made.view(asks=((34, 40), (35, 40), (60, 40))), made.fair(probability=0.42)
    assert only(propose(made, [view], [fair])).fee_role is FeeRole.MAKER
    taken = only(propose(made, [view], [fair], TAKER))
    assert (taken.tif, taken.post_only, taken.fee_role) == (TimeInForce.IOC, False, FeeRole.TAKER)
    assert taken.price == 3500  # the deepest level worth taking
    assert taken.quantity == contracts(20)  # a quarter of the 80 shown up to there
    assert 600 < taken.edge < 800 - 150


def test_a_plan_to_sell_nets_the_second_fee(made: Any) -> None:
    selling = EntryRules(sell_before_settlement=True)
    held, sold = (only(propose(made, [made.view()], [made.fair()], r)) for r in (RULES, selling))
    assert held.edge - sold.edge == 166  # a taker's fee at 38.2 c
    assert propose(made, [made.view()], [made.fair(probability=0.345)], selling) == ()


@pytest.mark.parametrize(
    ("change", "word", "reason"),
    [
        ({"stale": "book is 14 s old"}, STALE, "14 s"),
        ({"asks": ()}, NOTHING, "one side"),
        ({"bids": ((40, 10),), "asks": ((35, 10),)}, NOTHING, "crossed"),
    ],
)
def test_books_that_may_not_be_read(made: Any, change: dict[str, Any], word: str, reason: str) -> None:
    found = assess(made.fair(), made.view(**change), RULES, made.now_ms)
    assert (found.word, found.tradable) == (word, False)
    assert reason in found.reason
    assert propose(made, [made.view(**change)], [made.fair()]) == ()


@pytest.mark.parametrize(
    ("probability", "rules", "reason"),
    [
        (0.62, RULES, "model and market are 30c apart"),
        (0.50, RULES, "too good"),
        (0.44, RULES, "12c from fair"),
    ],
)
def test_too_good_is_quarantined(made: Any, probability: float, rules: EntryRules, reason: str) -> None:
    fair = made.fair(probability=probability)
    found = assess(fair, made.view(), rules, made.now_ms)
    assert found.word == QUARANTINED
    assert reason in found.reason
    assert propose(made, [made.view()], [fair]) == ()


def test_nothing_is_bought_above_97_cents(made: Any) -> None:
    dear = made.view(bids=((98, 100),), asks=((99, 100),))
    assert assess(made.fair(probability=0.997), dear, RULES, made.now_ms).side is BookSide.ASK
    cheap = made.view(bids=((1, 100),), asks=((2, 100),))
    assert assess(made.fair(probability=0.003), cheap, RULES, made.now_ms).side is BookSide.BID


def test_an_unknown_fee_is_never_estimated(made: Any) -> None:
    view = made.view(market=made.market("B", FeeType.UNKNOWN))
    assert assess(made.fair(), view, RULES, made.now_ms).word == NOTHING
    assert propose(made, [view], [made.fair()]) == ()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"net": -5}, "other side"),
        ({"opening_ask": contracts(5)}, "other side"),
        ({"opening_bid": contracts(5)}, "working"),
    ],
)
def test_never_against_what_is_held_nor_twice(made: Any, change: dict[str, Any], reason: str) -> None:
    view = made.view(**change)
    assert reason in assess(made.fair(), view, RULES, made.now_ms).reason
    assert propose(made, [view], [made.fair()]) == ()


def test_no_entry_shortly_before_close_or_in_a_paused_market(made: Any) -> None:
    market = made.market("B", close_ms=made.now_ms + 599_000)
    assert propose(made, [made.view(market=market)], [made.fair()]) == ()
    market = msgspec.structs.replace(made.market("B"), status=MarketStatus.INACTIVE)
    assert propose(made, [made.view(market=market)], [made.fair()]) == ()


@pytest.mark.parametrize(
    ("probability", "sigma", "proposed"),
    [
        (0.336, 0.01, True),  # 2.6 c at 31, 2.1 after what a fill tells: joining still pays
        (0.334, 0.01, False),  # 1.9 c
        (0.350, 0.10, False),  # 4 c, but half of a ten-cent error is five
    ],
)
def test_the_threshold(made: Any, probability: float, sigma: float, proposed: bool) -> None:
    assert bool(propose(made, [made.view()], [made.fair("B", probability, sigma)])) is proposed


@pytest.mark.parametrize(
    ("room", "bound", "quantity"),
    [
        ({"order_quantity": contracts(7)}, "order size", 7),
        ({"order_cost": Money(3 * DOLLAR)}, "order cost", 9),
        ({"market": {"B": Money(2 * DOLLAR)}}, "market limit", 6),
        ({"event": Money(DOLLAR)}, "event limit", 3),
        ({"correlated": Money(7 * DOLLAR)}, "correlated limit (mid-Atlantic)", 21),
        ({"venue": Money(4 * DOLLAR)}, "venue limit", 12),
        ({"total": Money(5 * DOLLAR)}, "total limit", 15),
        ({"cash": Money(6 * DOLLAR)}, "cash", 18),
        # .25 x .057/.675 x .057^2/(.057^2 + .04^2) x 100 / .325
        ({"bankroll": Money(100 * DOLLAR)}, "kelly", 4),
    ],
)
def test_the_cap_that_binds_is_remembered(made: Any, room: dict[str, Any], bound: str, quantity: int) -> None:
    found = only(propose(made, [made.view()], [made.fair()], **room))
    assert (found.sizing.bound_by, found.quantity) == (bound, contracts(quantity))
    assert found.sizing.kelly_used == 0.25
    assert 0 < found.sizing.kelly_full < 1


def test_kelly_aims_at_a_position_not_at_an_order(made: Any) -> None:
    flat = only(propose(made, [made.view()], [made.fair()], bankroll=Money(300 * DOLLAR)))
    held = only(propose(made, [made.view(net=5)], [made.fair()], bankroll=Money(300 * DOLLAR)))
    assert (flat.sizing.bound_by, held.sizing.bound_by) == ("kelly", "kelly beside what is held")
    assert flat.quantity - held.quantity == contracts(5)
    assert propose(made, [made.view(net=40)], [made.fair()], bankroll=Money(300 * DOLLAR)) == ()


def test_the_part_of_the_bankroll_it_is_played_with_is_less_beside_other_risk(made: Any) -> None:
    room = {"bankroll": Money(100 * DOLLAR), "elsewhere": Money(25 * DOLLAR)}
    found = only(propose(made, [made.view()], [made.fair()], **room))
    assert found.sizing.kelly_used == 0.125 and found.sizing.bound_by == "kelly"
    told = found.sizing.kelly_full * found.sizing.kelly_used * found.sizing.shrink * 100 / 0.325
    assert found.quantity == contracts(int(told))


def test_an_entry_that_works_on_another_outcome_is_part_of_the_bet(made: Any) -> None:
    fairs, poor = [made.fair("A", 0.34), made.fair("B", 0.40)], Money(300 * DOLLAR)
    calm = made.view("A", bids=((33, 120),), asks=((35, 120),))
    working = made.view(
        "A",
        bids=((33, 120),),
        asks=((35, 120),),
        opening_ask=contracts(60),
        opening_cost=Money(40 * DOLLAR),
    )
    free, doubled = (propose(made, [a, made.view()], fairs, bankroll=poor) for a in (calm, working))
    # NO on A wins with YES on B.
    assert sum(c.quantity for c in doubled) < only(free).quantity


LIMITS = st.integers(-50, 50).map(lambda dollars: Money(dollars * DOLLAR))


@given(
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("event", "correlated", "venue", "total", "cash", "order_cost"), LIMITS)
    ),
    LIMITS,
    st.integers(0, 3),
    st.sampled_from([RULES, TAKER]),
)
def test_no_candidate_beyond_its_headroom(
    made: Any, room: dict[str, Any], one: Money, orders: int, rules: EntryRules
) -> None:
    views = [made.view(t, asks=((34, 60), (35, 60), (36, 60))) for t in "ABC"]
    fairs = [made.fair(t, 0.40) for t in "AB"]
    found = propose(made, views, fairs, rules, **room, market=dict.fromkeys("ABC", one), open_orders=orders)
    limits = made.room(**room, market=dict.fromkeys("ABC", one))
    assert len(found) <= orders
    for candidate in found:
        assert worst_cost(candidate) <= min(one, limits.order_cost)
    total = sum(worst_cost(c) for c in found)
    if found:
        assert total <= min(limits.event, limits.correlated, limits.venue, limits.total, limits.cash)


def test_best_first_and_one_a_market(made: Any) -> None:
    views = [made.view("A"), made.view("B"), made.view("C", bids=((23, 120),), asks=((25, 160),))]
    fairs = [made.fair("A", 0.36), made.fair("B", 0.40), made.fair("C", 0.24)]
    found = propose(made, views, fairs)
    assert [c.ticker for c in found] == ["B", "A"]
    assert all(c.purpose is Purpose.OPEN and not c.reduces_risk for c in found)


def test_an_event_whose_markets_contradict_each_other_is_not_sized(made: Any) -> None:
    views = [made.view("A"), made.view("B")]
    assert propose(made, views, [made.fair("A", 0.36), made.fair("B", 0.40)])
    same = msgspec.structs.replace(made.market("A"), strike=made.market("B").strike)
    assert (
        propose(made, [made.view("A", market=same), views[1]], [made.fair("A", 0.36), made.fair("B", 0.4)])
        == ()
    )


def test_markets_without_a_view_or_a_price_are_left_out(made: Any) -> None:
    assert propose(made, [], [made.fair()]) == ()
    assert propose(made, [made.view()], [made.fair("B", 0.999)]) == ()


@pytest.mark.parametrize(
    ("probability", "view", "reason"),
    [
        (0.382, {}, ""),
        (0.340, {}, ""),  # 1.5 c: below a new entry's need, above half of it
        (0.330, {}, "edge is down to +0.5c"),
        (0.382, {"stale": "book is 14 s old"}, "14 s old"),
    ],
)
def test_a_working_entry_lapses_only_when_its_edge_is_gone(
    made: Any, probability: float, view: dict[str, Any], reason: str
) -> None:
    candidate = only(propose(made, [made.view()], [made.fair()]))
    found = lapsed(made.fair("B", probability), made.view(**view), candidate, RULES, made.now_ms)
    assert reason in found
    assert bool(found) is bool(reason)


@pytest.mark.parametrize(
    ("view", "fair", "said"),
    [
        ({"bids": ((20, 100),), "asks": ((31, 100),)}, {"probability": 0.27}, "spread 11 ticks"),
        ({"bids": ((31, 9),), "asks": ((33, 9),)}, {"probability": 0.345}, "thin: 9"),
        ({"bids": ((31, 500),), "asks": ((32, 500),)}, {"probability": 0.36, "sigma": 0.07}, "+/-7.0c"),
        ({"bids": ((31, 500),), "asks": ((32, 500),)}, {"probability": 0.40}, "disagrees"),
    ],
)
def test_the_strongest_reason_against_is_said(
    made: Any, view: dict[str, Any], fair: dict[str, Any], said: str
) -> None:
    rules = EntryRules(min_edge=Price(100))
    assert said in only(propose(made, [made.view(**view)], [made.fair(**fair)], rules)).against


@pytest.mark.parametrize(
    ("probability", "market", "reason"),
    [
        (0.60, {}, "too good"),
        (0.43, {}, "11c from fair"),
        (0.382, {"status": MarketStatus.INACTIVE}, "inactive"),
        (0.382, {"fees": FeeSchedule(FeeType.UNKNOWN)}, "fee type is unknown"),
    ],
)
def test_a_working_entry_is_withdrawn_where_none_would_be_proposed(
    made: Any, probability: float, market: dict[str, Any], reason: str
) -> None:
    candidate = only(propose(made, [made.view()], [made.fair()]))
    view = made.view(market=msgspec.structs.replace(made.market("B"), **market))
    rules = msgspec.structs.replace(RULES, disagreement=0.5)
    assert reason in lapsed(made.fair("B", probability), view, candidate, rules, made.now_ms)


def test_a_resting_order_alone_on_its_side_is_still_judged(made: Any) -> None:
    candidate = only(propose(made, [made.view()], [made.fair()]))
    one_side = made.view(asks=())
    assert lapsed(made.fair(), one_side, candidate, RULES, made.now_ms) == ""
    assert "edge is down" in lapsed(made.fair("B", 0.325), one_side, candidate, RULES, made.now_ms)


def test_a_plan_to_sell_is_sized_by_its_whole_cost(made: Any) -> None:
    poor = Money(100 * DOLLAR)
    held, sold = (
        only(propose(made, [made.view()], [made.fair()], r, bankroll=poor))
        for r in (RULES, EntryRules(sell_before_settlement=True))
    )
    # (p - c) / (1 - c), shrunk: at 32 c and what a fill tells, and with the 1.66 c of the sale.
    for found, cost, edge in ((held, 0.325, 0.057), (sold, 0.3416, 0.0404)):
        factor = edge**2 / (edge**2 + 0.04**2)
        assert found.sizing.kelly_full == pytest.approx((0.382 - cost) / (1 - cost), rel=1e-3)
        assert found.sizing.shrink == pytest.approx(factor, rel=1e-3)


TAPERED = TickGrid(
    (
        PriceBand(Price(0), Price(1_000), Price(10)),
        PriceBand(Price(1_000), Price(9_000), Price(100)),
        PriceBand(Price(9_000), Price(10_000), Price(10)),
    )
)


@pytest.mark.parametrize(
    ("side", "price", "needed"),
    [
        (BookSide.BID, 1_000, 101),  # paying more at ten cents is a whole cent more
        (BookSide.ASK, 1_000, 11),
        (BookSide.BID, 9_000, 11),
        (BookSide.ASK, 9_000, 101),
    ],
)
def test_an_edge_survives_the_tick_that_hurts(made: Any, side: BookSide, price: int, needed: int) -> None:
    market = msgspec.structs.replace(made.market("B"), grid=TAPERED)
    rules = EntryRules(min_edge=Price(0), edge_sigmas=0.0, min_return=0.0)
    cost = Cost(contracts(1), Price(price), Money(0))
    assert needed_edge(made.fair(), made.view(market=market), side, Price(price), cost, rules) == needed


@given(st.floats(0.0, 0.2), st.integers(1, 9_700))
def test_no_less_is_needed_than_the_shares_of_error_and_cost(made: Any, sigma: float, paid: int) -> None:
    rules, cost = EntryRules(min_edge=Price(0)), Cost(contracts(1), Price(paid), Money(0))
    needed = needed_edge(made.fair(sigma=sigma), made.view(), BookSide.BID, Price(3200), cost, rules)
    assert needed >= max(rules.edge_sigmas * sigma * 10_000, rules.min_return * paid)


def test_half_the_size_is_priced_by_its_own_walk(made: Any) -> None:
    view, fair = made.view(asks=((34, 8), (35, 72))), made.fair(probability=0.42)
    taken = only(propose(made, [view], [fair], TAKER))
    assert taken.quantity == contracts(20)
    # 8 at 34 and 12 at 35 against 8 at 34 and 2 at 35: 0.4 c less slippage.
    assert 30 <= taken.edge_half - taken.edge <= 45


@pytest.mark.parametrize(("shown", "bought"), [(40, 10), (20, 5), (16, None)])
def test_an_entry_is_no_smaller_than_the_venue_takes(made: Any, shown: int, bought: int | None) -> None:
    found = propose(made, [made.view(asks=((34, shown),), minimum=contracts(5))], [made.fair()])
    assert [(c.quantity, c.edge_half == c.edge) for c in found] == (
        [(contracts(bought), True)] if bought else []
    )


@pytest.mark.parametrize(
    ("hours", "why"),
    [
        (1.9, "NWS +1.0F at 15:30Z"),
        (2.0, "no forecast moved for 2h; last NWS +1.0F at 15:30Z"),
        (7.5, "no forecast moved for 7h; last NWS +1.0F at 15:30Z"),
    ],
)
def test_a_reason_that_is_hours_old_says_so_first(made: Any, hours: float, why: str) -> None:
    moved_ms = made.now_ms - int(hours * 3_600_000)
    drivers = (Driver("NWS", 48.0, moved_ms, 47.0), Driver("Open-Meteo", 48.6, moved_ms - 7_200_000))
    event = msgspec.structs.replace(made.event(made.fair()), why="NWS +1.0F at 15:30Z", drivers=drivers)
    assert reason(event, made.now_ms) == why
    first = msgspec.structs.replace(event, why="first forecast: NWS 48.0F", drivers=drivers[1:])
    assert reason(first, made.now_ms) == "first forecast: NWS 48.0F"
