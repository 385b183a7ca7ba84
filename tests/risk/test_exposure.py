"""Worst cases against enumeration of every outcome and every set of fills; sellable and reserved."""

from __future__ import annotations

import itertools
import time
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.market import Market, Venue
from core.domain.order import BookSide, Fill, Life, Order, Outcome, Purpose
from core.domain.position import Position, apply, settle
from core.domain.units import Money, Price, Quantity, contracts
from core.risk.exposure import (
    Exposure,
    opposing,
    order_loss,
    reservation,
    reserved_cash,
    sellable,
    still_reserved,
)
from core.venues.venue import OrderReport, ReportStatus
from tests.risk.desk import DOLLAR, market, order

BID, ASK = BookSide.BID, BookSide.ASK
OPEN, CLOSE = Purpose.OPEN, Purpose.CLOSE


def holding(net: int, price: int) -> Position:
    """``net`` contracts at a YES price."""
    side = BID if net > 0 else ASK
    fill = Fill("t", Venue.KALSHI, "T", "v", side, Price(price), contracts(abs(net)), Money(0), True, 0)
    return apply(Position(), fill) if net else Position()


def ledger(*markets: Market) -> Exposure:
    exposure = Exposure()
    for one in markets:
        exposure.add(one)
    return exposure


def from_elsewhere(ours: Order) -> OrderReport:
    """The same order as the venue lists it when somebody else placed it, seven contracts of it done."""
    intent = ours.intent
    return OrderReport(
        order_id="X1",
        client_order_id="",
        ticker=intent.ticker,
        side=intent.side,
        price=intent.price,
        quantity=Quantity(intent.quantity + contracts(7)),
        filled=contracts(7),
        remaining=intent.quantity,
        status=ReportStatus.RESTING,
    )


# --- brute force --------------------------------------------------------------------------------


def payoff(side: BookSide, price: int, quantity: int, pays_yes: bool) -> Fraction:
    value = 10_000 if pays_yes else 0
    return Fraction((value - price) * side.sign * quantity, 10_000)


def enumerated(
    tickers: list[str],
    exclusive: bool,
    positions: dict[str, Position],
    orders: list[Order],
) -> Fraction:
    """Worst loss over every joint outcome and every subset of orders that fill in full."""
    if exclusive:
        joint = [{t: t == winner for t in tickers} for winner in (*tickers, None)]
    else:
        joint = [
            dict(zip(tickers, bits, strict=True))
            for bits in itertools.product((True, False), repeat=len(tickers))
        ]
    worst = Fraction(0)
    for outcome in joint:
        settled = Fraction(0)
        for ticker, position in positions.items():
            pays = outcome[ticker] == (position.net > 0)
            settled += Fraction(abs(position.net) if pays else 0) - position.cost
        for count in range(len(orders) + 1):
            for filled in itertools.combinations(orders, count):
                gain = settled + sum(
                    payoff(o.intent.side, o.intent.price, o.intent.quantity, outcome[o.intent.ticker])
                    for o in filled
                )
                worst = max(worst, -gain)
    return worst


order_specs = st.tuples(
    st.sampled_from(["A", "B", "C"]), st.sampled_from([BID, ASK]), st.integers(1, 99), st.integers(1, 30)
)
positions_of = st.fixed_dictionaries(
    {ticker: st.tuples(st.integers(-30, 30), st.integers(1, 99)) for ticker in ("A", "B", "C")}
)


@settings(max_examples=150, deadline=None)
@given(positions_of, st.lists(order_specs, max_size=4), st.booleans())
def test_event_worst_case_is_exact(
    held: dict[str, tuple[int, int]], specs: list[tuple[str, BookSide, int, int]], exclusive: bool
) -> None:
    exposure = ledger(*(market(t, "E", exclusive=exclusive) for t in held))
    positions = {t: holding(net, 100 * price) for t, (net, price) in held.items()}
    orders = [order(side, OPEN, 100 * price, count, ticker=t) for t, side, price, count in specs]
    for ticker, position in positions.items():
        exposure.update(ticker, position, [o for o in orders if o.intent.ticker == ticker])
    assert exposure.event("E") == enumerated(list(held), exclusive, positions, orders)
    for ticker in held:
        alone = enumerated(
            [ticker], False, {ticker: positions[ticker]}, [o for o in orders if o.intent.ticker == ticker]
        )
        assert exposure.now(ticker).market == alone
    assert exposure.total == exposure.event("E") == exposure.venue(Venue.KALSHI)


@settings(max_examples=100, deadline=None)
@given(positions_of, st.lists(order_specs, max_size=4), order_specs)
def test_a_candidate_counts_as_the_order_it_would_be(
    held: dict[str, tuple[int, int]],
    specs: list[tuple[str, BookSide, int, int]],
    candidate: tuple[str, BookSide, int, int],
) -> None:
    def book(extra: list[Order]) -> Exposure:
        exposure = ledger(*(market(t, "E") for t in held), market("Z", "F", station="KMIA"))
        exposure.update("Z", holding(5, 5_000), [])
        orders = [order(side, OPEN, 100 * price, n, ticker=t) for t, side, price, n in specs]
        for ticker, (net, price) in held.items():
            mine = [o for o in orders + extra if o.intent.ticker == ticker]
            exposure.update(ticker, holding(net, 100 * price), mine)
        return exposure

    ticker, side, price, count = candidate
    before = book([])
    frozen = before.now(ticker)
    quoted = before.with_order(ticker, side, Price(100 * price), contracts(count), Money(7))
    assert before.now(ticker) == frozen, "asking changes nothing"
    after = book([order(side, OPEN, 100 * price, count, ticker=ticker, fee=7)])
    assert quoted == after.now(ticker)
    assert quoted.total == after.total


@settings(max_examples=100, deadline=None)
@given(
    positions_of,
    st.fixed_dictionaries({t: st.tuples(st.sampled_from([BID, ASK]), st.integers(1, 99)) for t in "ABZ"}),
    st.booleans(),
)
def test_a_plan_counts_as_all_its_legs_of_which_any_may_fail(
    held: dict[str, tuple[int, int]], legs: dict[str, tuple[BookSide, int]], exclusive: bool
) -> None:
    def book(extra: dict[str, Order]) -> Exposure:
        exposure = ledger(
            *(market(t, "E", exclusive=exclusive) for t in held), market("Z", "F", station="KMIA")
        )
        for ticker, (net, price) in {**held, "Z": (5, 50)}.items():
            mine = [extra[ticker]] if ticker in extra else []
            exposure.update(ticker, holding(net, 100 * price), mine)
        return exposure

    losses = {t: order_loss(side, Price(100 * p), contracts(10), Money(7)) for t, (side, p) in legs.items()}
    before = book({})
    after = book({t: order(side, OPEN, 100 * p, 10, ticker=t, fee=7) for t, (side, p) in legs.items()})
    for ticker in ("A", "C", "Z"):
        assert before.with_orders(ticker, losses) == after.now(ticker)


@settings(max_examples=60, deadline=None)
@given(positions_of, order_specs)
def test_an_order_placed_elsewhere_counts_like_one_of_ours(
    held: dict[str, tuple[int, int]], spec: tuple[str, BookSide, int, int]
) -> None:
    ticker, side, price, count = spec
    ours = order(side, OPEN, 100 * price, count, ticker=ticker)
    theirs = from_elsewhere(ours)
    placed_here, placed_elsewhere = (ledger(*(market(t, "E") for t in held)) for _ in range(2))
    for t, (net, paid) in held.items():
        here = t == ticker
        placed_here.update(t, holding(net, 100 * paid), [ours] if here else [])
        placed_elsewhere.update(t, holding(net, 100 * paid), [], [theirs] if here else [])
    assert placed_elsewhere.now(ticker) == placed_here.now(ticker)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ABCDEF"), st.integers(-20, 20), st.integers(1, 99)), max_size=20))
def test_updates_in_any_order_equal_a_fresh_count(steps: list[tuple[str, int, int]]) -> None:
    def markets() -> list[Market]:
        return [market(t, "E" if t < "C" else "F", exclusive=t != "F", station="K" + t) for t in "ABCDEF"]

    running, last = ledger(*markets()), dict[str, Position]()
    for ticker, net, price in steps:
        last[ticker] = holding(net, 100 * price)
        running.update(ticker, last[ticker], [])
    fresh = ledger(*reversed(markets()))
    for ticker, position in last.items():
        fresh.update(ticker, position, [])
    for ticker in "ABCDEF":
        assert running.now(ticker) == fresh.now(ticker)


some_orders = st.lists(
    st.tuples(
        st.sampled_from(["A", "B", "C"]),
        st.sampled_from([BID, ASK]),
        st.sampled_from([OPEN, CLOSE]),
        st.integers(1, 99),
        st.integers(1, 30),
        st.integers(0, 100_000),  # fee of a complete fill
        st.integers(0, 30),  # contracts of it that fill
        st.booleans(),  # placed elsewhere
    ),
    max_size=6,
)


@settings(max_examples=200, deadline=None)
@given(positions_of, some_orders, st.booleans())
def test_no_set_of_fills_whole_or_in_part_can_lose_more_than_the_worst_case(
    held: dict[str, tuple[int, int]],
    specs: list[tuple[str, BookSide, Purpose, int, int, int, int, bool]],
    exclusive: bool,
) -> None:
    """P8: over every outcome, with fees paid and whatever was closed on the way counted in full."""
    exposure = ledger(*(market(t, "E", exclusive=exclusive) for t in held))
    positions = {t: holding(net, 100 * price) for t, (net, price) in held.items()}
    orders = [
        order(side, purpose, 100 * price, count, ticker=t, fee=0 if theirs else fee)
        for t, side, purpose, price, count, fee, _, theirs in specs
    ]
    elsewhere = [spec[-1] for spec in specs]
    for ticker, position in positions.items():
        here = [(o, theirs) for o, theirs in zip(orders, elsewhere, strict=True) if o.intent.ticker == ticker]
        mine = [o for o, theirs in here if not theirs]
        others = [o for o, theirs in here if theirs]
        exposure.update(ticker, position, mine, [from_elsewhere(o) for o in others])
    worst = exposure.event("E")
    after = dict(positions)
    for n, (one, spec) in enumerate(zip(orders, specs, strict=True)):
        filled = min(spec[6], spec[4])
        if filled:
            intent, fee = one.intent, 0 if spec[7] else spec[5] * filled // spec[4]
            fill = Fill(
                f"t{n}",
                Venue.KALSHI,
                intent.ticker,
                "v",
                intent.side,
                intent.price,
                contracts(filled),
                Money(fee),
                True,
                0,
            )
            after[intent.ticker] = apply(after[intent.ticker], fill)
    tickers = list(held)
    joint = (
        [{t: t == winner for t in tickers} for winner in (*tickers, None)]
        if exclusive
        else [dict(zip(tickers, bits, strict=True)) for bits in itertools.product((True, False), repeat=3)]
    )
    for outcome in joint:
        ends = [settle(after[t], Price(10_000 if outcome[t] else 0)) for t in tickers]
        assert -sum(end.realised - end.fees for end in ends) <= worst


def test_the_figures_of_exclusive_brackets() -> None:
    exposure = ledger(market("A", "E"), market("B", "E"), market("C", "E"))
    exposure.update("A", holding(10, 3_000), [])
    exposure.update("B", holding(10, 4_000), [])
    assert exposure.event("E") == 7 * DOLLAR, "none of these pays"
    exposure.update("C", holding(-10, 2_000), [])
    # C no costs 8 and pays 10 unless C wins: worst is C winning, 3 + 4 + 8.
    assert exposure.event("E") == 15 * DOLLAR
    # None: -3 -4 +2; A: +7 -4 +2; B: -3 +6 +2; C: -3 -4 -8.
    assert exposure.now("C").market == 8 * DOLLAR
    assert exposure.now("A").correlated == 15 * DOLLAR, "gross, no hedge credit"


def test_a_locked_profit_is_no_credit_for_another_event() -> None:
    exposure = ledger(market("A", "E"), market("B", "E"), market("Z", "F", station="KMIA"))
    exposure.update("A", holding(-10, 6_000), [])
    exposure.update("B", holding(-10, 6_000), [])
    assert exposure.event("E") == 0, "one of two exclusive brackets must lose: 8 paid for at least 10"
    exposure.update("Z", holding(10, 5_000), [])
    assert exposure.total == 5 * DOLLAR


def test_one_market_that_is_not_exclusive_makes_the_event_inexact_and_safe() -> None:
    exposure = ledger(market("A", "E"), market("B", "E", exclusive=False))
    exposure.update("A", holding(-10, 6_000), [])
    exposure.update("B", holding(-10, 6_000), [])
    assert exposure.event("E") == 8 * DOLLAR


def test_orders_that_cannot_fill_any_more_count_nothing() -> None:
    exposure = ledger(market("A", "E"))
    for life in (Life.CANCELLED, Life.REJECTED, Life.NEVER_SENT, Life.NEVER_ARRIVED, Life.FILLED):
        exposure.update("A", Position(), [order(BID, OPEN, 3_000, 10, life, "A")])
        assert exposure.total == 0
    for life in (Life.INTENT, Life.SENDING, Life.UNKNOWN, Life.WORKING):
        exposure.update("A", Position(), [order(BID, OPEN, 3_000, 10, life, "A", fee=50_000)])
        assert exposure.total == 3_050_000


def test_a_close_that_may_fill_forgoes_its_payout() -> None:
    exposure = ledger(market("A", "E"))
    position = holding(10, 3_000)
    exposure.update("A", position, [order(ASK, CLOSE, 2_000, 10, ticker="A")])
    # If YES pays: sold at 2 what cost 3, a loss of 1, less than 3 if it is worthless and unsold.
    assert exposure.now("A").market == 3 * DOLLAR
    assert order_loss(ASK, Price(2_000), contracts(10), Money(0)).if_yes == 8 * DOLLAR


def test_an_unknown_market_is_an_error_not_a_zero() -> None:
    with pytest.raises(KeyError):
        Exposure().with_order("T", BID, Price(100), contracts(1), Money(0))


# --- what may be sold, what is reserved -----------------------------------------------------------


@pytest.mark.parametrize(
    ("net", "orders", "outcome", "free"),
    [
        (10, (), Outcome.YES, 10),
        (10, (), Outcome.NO, 0),
        (-10, (), Outcome.NO, 10),
        (10, (order(ASK, CLOSE, 4_000, 4),), Outcome.YES, 6),
        (10, (order(ASK, CLOSE, 4_000, 4, Life.UNKNOWN),), Outcome.YES, 6),
        (10, (order(ASK, CLOSE, 4_000, 4, Life.CANCELLED),), Outcome.YES, 10),
        (10, (order(BID, OPEN, 4_000, 4),), Outcome.YES, 10),
        (10, (order(ASK, CLOSE, 4_000, 40),), Outcome.YES, 0),
        (-10, (order(BID, CLOSE, 4_000, 3),), Outcome.NO, 7),
    ],
)
def test_sellable_is_held_minus_every_close_that_may_fill(
    net: int, orders: tuple[Order, ...], outcome: Outcome, free: int
) -> None:
    assert sellable(holding(net, 5_000), orders, outcome) == contracts(free)


def test_opposing_counts_held_and_ordered() -> None:
    against = opposing(
        holding(-2, 5_000), (order(ASK, OPEN, 6_000, 3), order(ASK, CLOSE, 6_000, 9)), Outcome.YES
    )
    assert against == contracts(5)


def test_reservations_shrink_with_what_can_still_fill_and_round_up() -> None:
    one = order(BID, OPEN, 3_333, 10, fee=7)
    assert one.intent.reserved == 3_333_007
    part = Fill(
        "t", Venue.KALSHI, one.intent.ticker, "v", BID, Price(3_333), contracts(3), Money(0), False, 0
    )
    assert still_reserved(msgspec.structs.replace(one, fills=(part,))) == 2_333_105
    assert (
        reserved_cash([one, order(ASK, OPEN, 9_000, 10), order(BID, OPEN, 1, 1, Life.REJECTED)]) == 4_333_007
    )
    assert reservation(ASK, CLOSE, Price(5_000), contracts(10), Money(9)) == 9


@pytest.mark.parametrize("life", [Life.INTENT, Life.SENDING, Life.UNKNOWN, Life.WORKING])
def test_an_order_that_may_still_fill_keeps_its_reservation(life: Life) -> None:
    one = order(BID, OPEN, 3_333, 10, life)
    assert still_reserved(one) == one.intent.reserved > 0


def test_five_hundred_markets_cost_microseconds_a_question() -> None:
    exposure = ledger(*(market(f"M{n}", f"E{n // 8}", station=f"S{n // 8}") for n in range(500)))
    for n in range(500):
        exposure.update(f"M{n}", holding(n % 30, 4_000), [order(BID, OPEN, 3_000, 5, ticker=f"M{n}")])
    best = min(_timed(exposure) for _ in range(30))
    assert best < 300_000, f"{best} ns"


def _timed(exposure: Exposure) -> int:
    start = time.perf_counter_ns()
    exposure.with_order("M77", BID, Price(3_000), Quantity(40_000_000), Money(9))
    return time.perf_counter_ns() - start


def test_a_market_that_left_counts_nothing_and_leaves_nothing_behind() -> None:
    both, one = ledger(market("A", "E"), market("B", "E")), ledger(market("B", "E"))
    for exposure in (both, one):
        exposure.update("B", holding(10, 4_000), [])
    both.update("A", holding(5, 3_000), [])
    both.update("A", Position(), [])
    both.forget("A")
    both.forget("A")
    assert both.now("B") == one.now("B") and both.total == one.total
    with pytest.raises(KeyError):
        both.now("A")
    both.update("B", Position(), [])
    both.forget("B")
    assert both.total == 0 and not both._events and not both._bucket_totals and not both._losses


def test_a_market_that_is_not_on_the_desk_counts_alone_until_it_is_described() -> None:
    exposure = ledger(market("A", "E"))
    exposure.update("A", holding(10, 3_000), [])
    exposure.admit("B", Venue.KALSHI)
    exposure.update("B", holding(-10, 6_000), [])
    assert exposure.now("B").event == exposure.now("B").correlated == 4 * DOLLAR
    assert exposure.total == exposure.venue(Venue.KALSHI) == 7 * DOLLAR, "no credit for an event unknown"
    exposure.add(market("B", "E"))
    described = ledger(market("A", "E"), market("B", "E"))
    described.update("A", holding(10, 3_000), [])
    described.update("B", holding(-10, 6_000), [])
    assert exposure.now("B") == described.now("B") and exposure.total == described.total
    exposure.admit("B", Venue.KALSHI)
    assert exposure.now("B") == described.now("B"), "what is known stays known"
