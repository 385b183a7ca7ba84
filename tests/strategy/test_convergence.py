"""When and how a position is sold before settlement."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.order import BookSide, Outcome, Purpose, TimeInForce
from core.domain.units import DOLLAR, Money, Quantity, contracts
from core.strategy.assess import assess
from core.strategy.convergence import (
    CLOSING,
    DUST,
    EXIT,
    HOLD,
    NO_BID,
    NO_FAIR,
    STALE,
    STOP_MODEL,
    STOP_TIME,
    WIDE,
    ExitView,
    exit_of,
    sacrifice,
)
from core.strategy.rules import Believed, EntryRules

RULES = EntryRules()
ASK = BookSide.ASK
RICH = Money(10**15)
"""So much to play with that no position is a risk to it."""


def leaving(made: Any, fair: Any, view: Any, rules: EntryRules = RULES, playing: Money = RICH) -> Any:
    return exit_of(Believed(fair), view, rules, made.now_ms, playing)


def test_flat_has_no_exit(made: Any) -> None:
    assert leaving(made, made.fair(), made.view()) is None


def test_a_bid_above_fair_is_hit_with_a_reduce_only_order(made: Any) -> None:
    view = made.view(net=16, bids=((36, 40),), asks=((38, 40),))
    found = leaving(made, made.fair(probability=0.33), view)
    assert found is not None
    assert found.rule == EXIT
    order = found.candidate
    assert order is not None
    assert (order.purpose, order.side, order.outcome) == (Purpose.CLOSE, BookSide.ASK, Outcome.YES)
    assert (order.tif, order.reduce_only, order.post_only) == (TimeInForce.IOC, True, False)
    assert (order.price, order.quantity) == (3600, contracts(10))
    assert order.sizing.bound_by == "depth share (25% of 40)"
    assert 100 < order.edge < 300  # 36 less 1.6 fee against 33
    assert order.reduces_risk
    assert order.why.startswith("bid pays")


def test_a_held_no_is_sold_by_buying_yes_back(made: Any) -> None:
    view = made.view(net=-10, average=60, bids=((30, 99),), asks=((31, 99),))
    found = leaving(made, made.fair(probability=0.38), view, RULES)  # NO worth 62, brings 69 less fee
    assert found is not None
    assert found.candidate is not None
    assert (found.candidate.side, found.candidate.price) == (BookSide.BID, 3100)
    assert found.candidate.outcome is Outcome.NO
    assert found.candidate.quantity == contracts(10)
    assert found.candidate.sizing.bound_by == "position"


@pytest.mark.parametrize(
    ("fair", "view", "rule"),
    [
        (0.36, {}, HOLD),  # the bid does not pay fair plus premium plus fee
        (0.33, {"stale": "book is 9 s old"}, STALE),
        (0.33, {"bids": ()}, NO_BID),
        (0.33, {"sellable": Quantity(0)}, CLOSING),
        (None, {}, NO_FAIR),
    ],
)
def test_reasons_to_wait(made: Any, fair: float | None, view: dict[str, Any], rule: str) -> None:
    held = made.view(**({"net": 16, "bids": ((36, 40),), "asks": ((38, 40),)} | view))
    found = leaving(made, made.fair(probability=fair) if fair is not None else None, held)
    assert found is not None
    assert (found.rule, found.candidate) == (rule, None)


@pytest.mark.parametrize(
    ("probability", "bid", "sold"),
    [(0.985, 99, True), (0.983, 98, True), (0.985, 98, False), (0.97, 97, False)],
)
def test_near_certainty_the_last_cents_are_given_away(
    made: Any, probability: float, bid: int, sold: bool
) -> None:
    view = made.view(net=10, average=60, bids=((bid, 100),), asks=())
    found = leaving(made, made.fair(probability=probability), view)
    assert found is not None
    assert (found.rule == EXIT) is sold


@pytest.mark.parametrize(
    ("probability", "average", "bid", "sold"),
    [
        (0.26, 30, 26, True),  # four under cost, leaving costs 1.4
        (0.28, 30, 28, False),  # two under: still the plan
        (0.26, 30, 25, False),  # leaving would cost too much
    ],
)
def test_a_gone_edge_is_left_when_leaving_is_cheap(
    made: Any, probability: float, average: int, bid: int, sold: bool
) -> None:
    view = made.view(net=10, average=average, bids=((bid, 100),), asks=((bid + 2, 100),))
    found = leaving(made, made.fair(probability=probability), view)
    assert found is not None
    assert (found.rule == EXIT) is sold
    if found.candidate is not None:
        assert found.candidate.why.startswith("edge gone")
        assert found.candidate.edge < 0


@given(
    st.integers(1, 99), st.floats(0.002, 0.998), st.integers(-60, 60), st.integers(0, 60), st.integers(1, 300)
)
def test_never_more_than_may_be_sold_and_never_the_wrong_way(
    made: Any, cents: int, fair: float, net: int, sellable: int, depth: int
) -> None:
    bids, asks = (((cents, depth),), ()) if net > 0 else ((), ((cents, depth),))
    view = made.view(net=net, bids=bids, asks=asks, sellable=contracts(min(sellable, abs(net))))
    found = leaving(made, made.fair(probability=fair), view)
    if found is None or found.candidate is None:
        return
    order = found.candidate
    assert 0 < order.quantity <= view.sellable
    assert order.quantity <= max(contracts(depth) // 4, contracts(1))
    assert order.side.sign == (-1 if net > 0 else 1)


@given(st.integers(1, 99), st.floats(0.002, 0.998), st.sampled_from((-9, 9)))
def test_an_exit_is_never_shown_better_than_it_is(made: Any, cents: int, fair: float, net: int) -> None:
    bids, asks = (((cents, 90),), ()) if net > 0 else ((), ((cents, 90),))
    found = leaving(made, made.fair(probability=fair), made.view(net=net, bids=bids, asks=asks))
    if found.candidate is None:
        return
    order, worth = found.candidate, fair if net > 0 else 1 - fair
    brings = order.outcome_price - order.fee / order.quantity * 10_000
    assert order.edge <= brings - worth * 10_000 + 1e-6


def test_a_fraction_of_a_contract_can_be_sold(made: Any) -> None:
    view = made.view(net=1, bids=((60, 2),), asks=((62, 2),), sellable=Quantity(370_000))
    found = leaving(made, made.fair(probability=0.4), view)
    assert found is not None
    assert found.candidate is not None
    assert found.candidate.quantity == 370_000


@pytest.mark.parametrize(("probability", "sold"), [(0.338, True), (0.3395, False)])
def test_an_ordinary_exit_needs_a_premium_over_fair(made: Any, probability: float, sold: bool) -> None:
    # 36 less 1.63 fee is 34.37: above both fair values, but by half a cent above the first only.
    view = made.view(net=10, bids=((36, 40),), asks=((38, 40),))
    found = leaving(made, made.fair(probability=probability), view)
    assert found is not None
    assert (found.rule == EXIT) is sold


def test_half_an_exit_has_its_own_fee(made: Any) -> None:
    view = made.view(net=2, bids=((36, 40),), asks=((38, 40),))
    found = leaving(made, made.fair(probability=0.33), view)
    assert found is not None
    assert found.candidate is not None
    assert found.candidate.quantity == contracts(2)
    assert found.candidate.edge == 3_600 - 163 - 3_300
    assert found.candidate.edge_half == 3_600 - 164 - 3_300  # one contract's rounding is not shared


@pytest.mark.parametrize(
    ("held", "shown", "sold"),
    [
        (26, 40, 10),  # a quarter of what is shown
        (26, 12, 5),  # its quarter would be less than the venue takes
        (26, 4, None),
        (12, 40, 12),  # ten would leave two that nobody could sell
        (12, 11, 5),
        (5, 40, 5),
    ],
)
def test_an_exit_is_no_smaller_than_the_venue_takes_and_leaves_no_dust(
    made: Any, held: int, shown: int, sold: int | None
) -> None:
    view = made.view(net=held, average=30, bids=((36, shown),), asks=((38, 40),), minimum=contracts(5))
    found = leaving(made, made.fair(probability=0.33), view)
    assert found is not None
    if sold is None:
        assert (found.rule, found.candidate) == (HOLD, None)
    else:
        assert found.candidate is not None and found.candidate.quantity == contracts(sold)


def test_what_is_under_the_venues_minimum_is_held(made: Any) -> None:
    view = made.view(net=4, average=30, bids=((36, 40),), asks=((38, 40),), minimum=contracts(5))
    assert leaving(made, made.fair(probability=0.33), view) == ExitView(DUST)


@pytest.mark.parametrize(
    ("playing", "days", "sold"),
    [
        (10**6, 0, False),  # 35.3 net of fee against 35.7: waiting pays
        (1_000, 0, True),  # a hundred contracts at stake are worth a cent to be rid of
        (10**6, 365, True),  # and so is a year's interest
        (0, 0, False),  # not known what it is a risk to
    ],
)
def test_a_position_that_has_converged_is_sold_for_what_waiting_costs(
    made: Any, playing: int, days: int, sold: bool
) -> None:
    market = made.market("B", close_ms=made.now_ms + days * 86_400_000)
    view = made.view(net=100, bids=((37, 400),), asks=((38, 400),), market=market)
    found = leaving(made, made.fair(probability=0.357), view, playing=Money(playing * DOLLAR))
    assert found is not None
    assert (found.rule == EXIT) is sold
    if found.candidate is not None:
        assert found.candidate.why.startswith("converged: waiting gains 0.3c and costs")
        assert found.candidate.reduce_only and found.candidate.edge < 0


@given(st.integers(1, 500), st.integers(1, 10**6), st.integers(2, 98), st.floats(0.02, 0.97))
def test_no_more_is_given_up_for_calm_than_the_rules_allow(
    made: Any, held: int, playing: int, cents: int, fair: float
) -> None:
    market = made.market("B", close_ms=made.now_ms)
    view = made.view(net=held, average=1, bids=((cents, 900),), asks=((cents + 1, 900),), market=market)
    found = leaving(made, made.fair(probability=fair), view, playing=Money(playing * DOLLAR))
    assert found is not None
    if found.candidate is not None:
        assert found.candidate.edge >= RULES.exit_premium - RULES.risk_max - 1


def test_selling_a_part_makes_the_rest_worth_waiting_for(made: Any) -> None:
    def rule(net: int) -> str:
        view = made.view(net=net, bids=((37, 400),), asks=((38, 400),))
        found = leaving(made, made.fair(probability=0.355), view, playing=Money(500 * DOLLAR))
        return str(found.rule)

    assert [rule(net) for net in (100, 5)] == [EXIT, HOLD]


WAITED = "for 125 min no fair value: NWS is 9 h old"


@pytest.mark.parametrize(
    ("view", "rule"),
    [
        ({}, STOP_MODEL),
        ({"asks": ((42, 40),)}, WIDE),
        ({"asks": ()}, WIDE),
        ({"bids": ()}, NO_BID),
        ({"stale": "book is 9 s old"}, STALE),
        ({"sellable": Quantity(0)}, CLOSING),
    ],
)
def test_a_position_whose_model_has_failed_is_sold_into_a_book_that_names_a_price(
    made: Any, view: dict[str, Any], rule: str
) -> None:
    held = made.view(**({"net": 16, "bids": ((31, 40),), "asks": ((34, 40),)} | view))
    found = exit_of(Believed(None, made.fair(probability=0.38), WAITED), held, RULES, made.now_ms, RICH)
    assert found is not None and found.rule == rule
    assert (found.candidate is not None) is (rule == STOP_MODEL)
    if found.candidate is not None:
        order = found.candidate
        assert (order.side, order.price, order.reduce_only, order.purpose) == (ASK, 3100, True, Purpose.CLOSE)
        assert order.why == f"model invalid: {WAITED}"
        assert order.against == "gives up 8.5c against fair"


@pytest.mark.parametrize(
    ("fair", "bid", "person"),
    [
        (0.38, 31, False),  # 8.5 c given up
        (0.42, 31, True),  # 12.5 c: nobody's standing order
        (0.05, 1, True),  # little, but most of what is held
        (0.015, 1, False),
    ],
)
def test_an_exit_that_gives_up_too_much_is_a_persons(made: Any, fair: float, bid: int, person: bool) -> None:
    for net in (16, -16):
        book = {"bids": ((bid, 40),), "asks": ((bid + 3, 40),)}
        if net < 0:
            book = {"bids": ((97 - bid, 40),), "asks": ((100 - bid, 40),)}
        worth = made.fair(probability=fair if net > 0 else 1 - fair)
        view = made.view(net=net, **book)
        found = exit_of(Believed(None, worth, WAITED), view, RULES, made.now_ms, RICH)
        assert found is not None and found.candidate is not None
        assert sacrifice(found.candidate, RULES).startswith("it gives up") is person


def test_a_model_that_has_only_just_fallen_silent_sells_nothing(made: Any) -> None:
    view = made.view(net=16)
    assert exit_of(Believed(None, made.fair()), view, RULES, made.now_ms, RICH) == ExitView(NO_FAIR)


@pytest.mark.parametrize(("left_s", "sold"), [(1_799, True), (1_800, False)])
def test_a_plan_to_sell_before_settlement_ends_in_time(made: Any, left_s: int, sold: bool) -> None:
    rules = EntryRules(sell_before_settlement=True, leave_before_close_s=1_800)
    market = made.market("B", close_ms=made.now_ms + left_s * 1_000)
    found = leaving(made, made.fair(probability=0.45), made.view(net=16, market=market), rules)
    assert found is not None
    assert (found.rule == STOP_TIME) is sold
    if found.candidate is not None:
        assert found.candidate.why == "closes in 29 min: the plan was to sell before"
    # Without the plan it is held to settlement.
    assert leaving(made, made.fair(probability=0.45), made.view(net=16, market=market)) == ExitView(HOLD)
    idle = EntryRules(leave_before_close_s=1_800)
    assert leaving(made, made.fair(probability=0.45), made.view(net=16, market=market), idle) == ExitView(
        HOLD
    )
    # And nothing is opened that would have to be sold at once.
    blocked = assess(made.fair(), made.view(market=market), rules, made.now_ms).reason
    assert bool(blocked.startswith("closes in")) is sold
