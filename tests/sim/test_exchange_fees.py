"""The exchange's fees against the worked examples of Kalshi's fee schedule and fee-rounding page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.fees import FeeAccumulator, fill_fee
from core.domain.market import FeeSchedule, FeeType
from core.domain.units import Money, Price, Quantity, parse_money, parse_price, parse_quantity
from core.sim.fees import MAKER_PPM, Charge, charge, schedule

MAKER = "quadratic_with_maker_fees"

# count, price, fee type, multiplier, taker, model fee, then net fee and balance change on each grid
SINGLE = [
    (1, "0.50", "quadratic", 1, True, "0.017500", "0.0175", "-0.5175", "0.02", "-0.52"),
    (10, "0.50", "quadratic", 1, True, "0.175000", "0.1750", "-5.1750", "0.18", "-5.18"),
    (100, "0.50", "quadratic", 1, True, "1.750000", "1.7500", "-51.7500", "1.75", "-51.75"),
    (100, "0.25", "quadratic", 1, True, "1.312500", "1.3125", "-26.3125", "1.32", "-26.32"),
    (100, "0.01", "quadratic", 1, True, "0.069300", "0.0693", "-1.0693", "0.07", "-1.07"),
    (1, "0.99", "quadratic", 1, True, "0.000693", "0.0007", "-0.9907", "0.01", "-1.00"),
    (10, "0.33", "quadratic", 1, True, "0.154770", "0.1548", "-3.4548", "0.16", "-3.46"),
    (7, "0.35", "quadratic", 1, True, "0.111475", "0.1115", "-2.5615", "0.12", "-2.57"),
    (10, "0.90", "quadratic", 1, True, "0.063000", "0.0630", "-9.0630", "0.07", "-9.07"),
    (1, "0.52", "quadratic", 1, True, "0.017472", "0.0175", "-0.5375", "0.02", "-0.54"),
    (100, "0.50", MAKER, 1, False, "0.437500", "0.4375", "-50.4375", "0.44", "-50.44"),
    (100, "0.50", "quadratic", 0.5, True, "0.875000", "0.8750", "-50.8750", "0.88", "-50.88"),
    (100, "0.50", MAKER, 0.5, False, "0.218750", "0.2188", "-50.2188", "0.22", "-50.22"),
    (100, "0.50", "quadratic", 1, False, "0", "0", "-50", "0", "-50"),
    (100, "0.50", "quadratic_with_combo_maker_fees", 1, False, "0.875", "0.875", "-50.875", "0.88", "-50.88"),
]
FINE, CENT = Money(100), Money(10_000)


def buy(price: str, count: str, grid: Money, accumulator: Money = Money(0)) -> Charge:
    """A taker's purchase on a plain series."""
    at, size = parse_price(price), parse_quantity(count)
    fee = schedule("quadratic", 1).trade_fee(at, size, taker=True)
    return charge(Money(-at * size // 10_000), fee, grid, accumulator)


@pytest.mark.parametrize(
    "row", SINGLE, ids=lambda r: f"{r[0]}@{r[1]}-{r[2]}-{r[3]}-{'taker' if r[4] else 'maker'}"
)
def test_single_fills_cost_what_the_schedule_says(row: tuple[object, ...]) -> None:
    count, price, fee_type, multiplier, taker, model, fine_fee, fine_change, cent_fee, cent_change = row
    at, size = parse_price(str(price)), Quantity(int(str(count)) * 1_000_000)
    fee = schedule(str(fee_type), float(str(multiplier))).trade_fee(at, size, taker=bool(taker))
    assert fee == parse_money(str(model))
    for grid, net, change in ((FINE, fine_fee, fine_change), (CENT, cent_fee, cent_change)):
        done = charge(Money(-at * size // 10_000), fee, grid, Money(0))
        assert (done.fee, done.balance_change) == (parse_money(str(net)), parse_money(str(change)))


def test_published_example_of_one_contract_at_five_and_a_half_cents() -> None:
    assert schedule("quadratic", 1).trade_fee(Price(550), Quantity(1_000_000), taker=True) == 3_639
    assert buy("0.055", "1", CENT) == Charge(Money(-60_000), Money(5_000), Money(1_361))


@pytest.mark.parametrize(
    ("price", "count", "grid", "nets", "left"),
    [
        ("0.055", "1", CENT, ["0.005", "0.005", "0.005"], "0.004083"),
        ("0.055", "1", FINE, ["0.0037", "0.0036", "0.0037"], None),
        ("0.50", "0.30", CENT, ["0.01", "0.01", "0"], None),
    ],
)
def test_an_order_gets_back_whole_steps_it_overpaid(
    price: str, count: str, grid: Money, nets: list[str], left: str | None
) -> None:
    accumulator, seen = Money(0), []
    for _ in nets:
        done = buy(price, count, grid, accumulator)
        seen.append(done.fee)
        accumulator = done.accumulator
    assert seen == [parse_money(net) for net in nets]
    assert left is None or accumulator == parse_money(left)


def test_three_part_fills_cost_what_one_fill_of_their_sum_costs() -> None:
    assert buy("0.50", "0.90", CENT).fee == parse_money("0.02")


def test_accumulator_carries_and_rebates_as_in_the_docs() -> None:
    accumulator, seen = Money(0), []
    for _ in range(3):
        # One dollar received and six tenths of a cent of fee leave four tenths of a cent of rounding.
        done = charge(Money(1_000_000), Money(6_000), CENT, accumulator)
        accumulator = done.accumulator
        seen.append((accumulator, done.fee))
    assert seen == [(4_000, 10_000), (8_000, 10_000), (2_000, 0)]


def test_an_unknown_fee_type_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="unknown fee type 'flat'"):
        schedule("flat", 1)


@given(
    st.lists(st.tuples(st.integers(1, 9_999), st.integers(1, 5_000)), min_size=1, max_size=20),
    st.sampled_from([FINE, CENT]),
    st.booleans(),
)
def test_nothing_is_lost_between_revenue_fee_and_balance(
    fills: list[tuple[int, int]], grid: Money, buying: bool
) -> None:
    plan, accumulator, balance, fees, revenues = schedule(MAKER, 1), Money(0), 0, 0, 0
    for price, hundredths in fills:
        at, size = Price(price), Quantity(hundredths * 10_000)
        revenue = Money((-1 if buying else 1) * at * size // 10_000)
        done = charge(revenue, plan.trade_fee(at, size, taker=True), grid, accumulator)
        assert done.fee >= 0
        assert done.balance_change % grid == 0
        accumulator, balance, fees = done.accumulator, balance + done.balance_change, fees + done.fee
        revenues += revenue
    assert balance == revenues - fees


@given(
    st.sampled_from(sorted(MAKER_PPM)),
    st.sampled_from([0.5, 1, 1.25]),
    st.sampled_from([FINE, CENT]),
    st.lists(
        st.tuples(st.integers(1, 9_999), st.integers(1, 50_000), st.booleans(), st.booleans()), max_size=12
    ),
)
def test_the_exchange_and_the_client_agree_on_random_orders(
    fee_type: str, multiplier: float, grid: Money, fills: list[tuple[int, int, bool, bool]]
) -> None:
    ours = FeeSchedule(FeeType(fee_type), round(multiplier * 1_000_000))
    theirs, ledger, accumulator = schedule(fee_type, multiplier), FeeAccumulator(), Money(0)
    for cents, hundredths, buying, taker in fills:
        at, size = Price(cents), Quantity(hundredths * 10_000)
        fee = theirs.trade_fee(at, size, taker=taker)
        assert fee == fill_fee(ours, at, size, taker)
        revenue = Money((-1 if buying else 1) * at * size // 10_000)
        there = charge(revenue, fee, grid, accumulator)
        ledger, here = ledger.apply(revenue, fee, grid)
        accumulator = there.accumulator
        assert (there.balance_change, there.fee) == (here.balance_change, here.fee)
        assert accumulator == ledger.carried


def test_a_rebate_may_need_more_than_the_grid():
    """Two fees of half a cent: together they are a step of the grid, by the newer text enough."""
    cent, revenue = Money(10_000), Money(-500_000)
    first = charge(revenue, Money(5_000), cent, Money(0))
    assert (first.fee, first.accumulator) == (10_000, 5_000)
    exact = charge(revenue, Money(5_000), cent, first.accumulator)
    above = charge(revenue, Money(5_000), cent, first.accumulator, rebate_at_exact_grid=False)
    assert (exact.fee, exact.accumulator) == (0, 0)
    assert (above.fee, above.accumulator) == (10_000, 10_000)
