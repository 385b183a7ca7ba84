"""Published fee figures, fees charged on chain, and the client against the simulated exchange."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.fees import (
    CLEARED_GRID,
    DIRECT_GRID,
    FeeAccumulator,
    UnknownFeeError,
    estimate,
    fill_fee,
)
from core.domain.market import FeeSchedule, FeeType
from core.domain.units import Money, Price, Quantity, contracts, parse_money, parse_price, parse_quantity
from core.sim import fees as sim_fees

PLAIN = FeeSchedule(FeeType.QUADRATIC)
MAKER = FeeSchedule(FeeType.QUADRATIC_WITH_MAKER_FEES)
COMBO = FeeSchedule(FeeType.QUADRATIC_WITH_COMBO_MAKER_FEES)
HALF = FeeSchedule(FeeType.QUADRATIC, 500_000)
HALF_MAKER = FeeSchedule(FeeType.QUADRATIC_WITH_MAKER_FEES, 500_000)


def bought(price: Price, quantity: Quantity) -> Money:
    return Money(-price * quantity // 10_000)


@pytest.mark.parametrize(
    ("schedule", "taker", "count", "price", "model", "direct", "change", "cleared", "cleared_change"),
    [
        (PLAIN, True, "1", "0.50", "0.017500", "0.0175", "-0.5175", "0.02", "-0.52"),
        (PLAIN, True, "10", "0.50", "0.175000", "0.1750", "-5.1750", "0.18", "-5.18"),
        (PLAIN, True, "100", "0.50", "1.750000", "1.7500", "-51.7500", "1.75", "-51.75"),
        (PLAIN, True, "100", "0.25", "1.312500", "1.3125", "-26.3125", "1.32", "-26.32"),
        (PLAIN, True, "100", "0.01", "0.069300", "0.0693", "-1.0693", "0.07", "-1.07"),
        (PLAIN, True, "1", "0.99", "0.000693", "0.0007", "-0.9907", "0.01", "-1.00"),
        (PLAIN, True, "10", "0.33", "0.154770", "0.1548", "-3.4548", "0.16", "-3.46"),
        (PLAIN, True, "7", "0.35", "0.111475", "0.1115", "-2.5615", "0.12", "-2.57"),
        (PLAIN, True, "10", "0.90", "0.063000", "0.0630", "-9.0630", "0.07", "-9.07"),
        (PLAIN, True, "1", "0.52", "0.017472", "0.0175", "-0.5375", "0.02", "-0.54"),
        (MAKER, False, "100", "0.50", "0.437500", "0.4375", "-50.4375", "0.44", "-50.44"),
        (HALF, True, "100", "0.50", "0.875000", "0.8750", "-50.8750", "0.88", "-50.88"),
        (HALF_MAKER, False, "100", "0.50", "0.218750", "0.2188", "-50.2188", "0.22", "-50.22"),
        (PLAIN, False, "100", "0.50", "0", "0", "-50", "0", "-50"),
        (PLAIN, False, "1", "0.055", "0", "0", "-0.055", "0.005", "-0.06"),
    ],
)
def test_single_fills(
    schedule: FeeSchedule,
    taker: bool,
    count: str,
    price: str,
    model: str,
    direct: str,
    change: str,
    cleared: str,
    cleared_change: str,
) -> None:
    quantity, at = parse_quantity(count), parse_price(price)
    fee = fill_fee(schedule, at, quantity, taker)
    assert fee == parse_money(model)
    for grid, net, balance in ((DIRECT_GRID, direct, change), (CLEARED_GRID, cleared, cleared_change)):
        _, charge = FeeAccumulator().apply(bought(at, quantity), fee, grid)
        assert (charge.fee, charge.balance_change) == (parse_money(net), parse_money(balance))


@pytest.mark.parametrize(
    ("count", "price", "grid", "nets", "carried"),
    [
        ("1", "0.055", CLEARED_GRID, ["0.005", "0.005", "0.005"], "0.004083"),
        ("1", "0.055", DIRECT_GRID, ["0.0037", "0.0036", "0.0037"], "0.000083"),
        ("0.30", "0.50", CLEARED_GRID, ["0.01", "0.01", "0"], "0.00425"),
    ],
)
def test_an_order_gets_whole_steps_of_its_rounding_back(
    count: str, price: str, grid: Money, nets: list[str], carried: str
) -> None:
    quantity, at = parse_quantity(count), parse_price(price)
    fee = fill_fee(PLAIN, at, quantity, True)
    held, seen = FeeAccumulator(), []
    for _ in nets:
        held, charge = held.apply(bought(at, quantity), fee, grid)
        seen.append(charge.fee)
    assert seen == [parse_money(net) for net in nets]
    assert held.carried == parse_money(carried)


def test_carried_rounding_of_the_documented_table() -> None:
    held, rebates = FeeAccumulator(), []
    for _ in range(3):
        held, charge = held.apply(Money(-16_000), Money(0), CLEARED_GRID)
        rebates.append((held.carried, charge.rebate))
    # Each fill overpays 0.004; gross fees below a grid step cannot be rebated, so they are carried on.
    assert rebates == [(4_000, 0), (8_000, 0), (12_000, 0)]
    held, charge = FeeAccumulator(Money(8_000)).apply(Money(-10_000), Money(6_000), CLEARED_GRID)
    assert (held.carried, charge.rebate) == (2_000, 10_000)


schedules = st.builds(
    FeeSchedule,
    st.sampled_from([t for t in FeeType if t.value.startswith("quadratic")]),
    st.sampled_from([0, 500_000, 1_000_000, 1_250_000]),
)
prices = st.integers(1, 9_999).map(Price)
lots = st.integers(1, 50_000).map(lambda n: Quantity(n * 10_000))
grids = st.sampled_from([DIRECT_GRID, CLEARED_GRID])


@given(schedules, grids, st.lists(st.tuples(prices, lots, st.booleans(), st.booleans()), max_size=8))
def test_the_exchange_computes_the_same_orders(schedule: FeeSchedule, grid: Money, fills: list) -> None:
    theirs = sim_fees.schedule(schedule.type.value, schedule.multiplier_e6 / 1_000_000)
    held, their_held = FeeAccumulator(), Money(0)
    for price, quantity, taker, buys in fills:
        fee = fill_fee(schedule, price, quantity, taker)
        assert fee == theirs.trade_fee(price, quantity, taker=taker)
        revenue = Money((-1 if buys else 1) * price * quantity // 10_000)
        held, ours = held.apply(revenue, fee, grid)
        other = sim_fees.charge(revenue, fee, grid, their_held)
        their_held = other.accumulator
        assert (ours.fee, ours.balance_change, held.carried) == (other.fee, other.balance_change, their_held)


@settings(max_examples=200)
@given(
    schedules,
    st.integers(1, 99).map(lambda cents: Price(cents * 100)),
    st.booleans(),
    st.lists(st.integers(1, 400).map(lambda n: Quantity(n * 10_000)), min_size=1, max_size=12),
)
def test_the_estimate_is_never_below_what_an_order_pays(
    schedule: FeeSchedule, price: Price, taker: bool, parts: list[Quantity]
) -> None:
    held, paid = FeeAccumulator(), 0
    for part in parts:
        held, charge = held.apply(bought(price, part), fill_fee(schedule, price, part, taker))
        paid += charge.fee
        assert charge.fee >= 0
    bound = estimate(schedule, price, Quantity(sum(parts)), taker)
    assert paid <= bound
    assert bound - paid <= DIRECT_GRID * 2 + sum(parts) // 10_000


def test_a_free_fill_is_estimated_as_free() -> None:
    assert estimate(PLAIN, Price(5_000), contracts(10), False) == 0
    # Ten thousandths of a cent cannot be charged exactly, so rounding is possible.
    assert estimate(PLAIN, Price(5_001), contracts(10), False) == DIRECT_GRID


def test_unknown_fee_types_are_refused() -> None:
    unknown = FeeSchedule(FeeType.UNKNOWN)
    for compute in (
        lambda: fill_fee(unknown, Price(5_000), contracts(1), True),
        lambda: estimate(unknown, Price(5_000), contracts(1), False),
    ):
        with pytest.raises(UnknownFeeError):
            compute()


def test_a_waiver_holds_until_its_time_and_is_ignored_without_one() -> None:
    waived = FeeSchedule(FeeType.QUADRATIC, waived_until_ms=1_000)
    assert fill_fee(waived, Price(5_000), contracts(1), True, 999) == 0
    assert fill_fee(waived, Price(5_000), contracts(1), True, 1_000) == 17_500
    assert fill_fee(waived, Price(5_000), contracts(1), True) == 17_500


def test_combo_makers_pay_half() -> None:
    assert fill_fee(COMBO, Price(5_000), contracts(100), False) == 875_000


CURVE = FeeSchedule(FeeType.TAKER_CURVE, 50_000)


@pytest.mark.parametrize(
    ("shares", "price", "rate_e6", "fee"),
    [
        ("7.042251", "0.71", 50_000, "0.07249"),
        ("2.083334", "0.48", 70_000, "0.03640"),
        ("5", "0.31", 50_000, "0.05347"),
        ("21.13", "0.70", 50_000, "0.22186"),
        ("5.14", "0.965", 70_000, "0.01215"),
        ("5.14931", "0.971", 70_000, "0.01014"),
        ("100", "0.52", 50_000, "1.24800"),
        ("10", "0.985", 70_000, "0.01034"),
        ("1", "0.0001", 50_000, "0"),
        ("100", "0.52", 0, "0"),
    ],
)
def test_the_taker_curve_is_rounded_down_to_five_decimals(
    shares: str, price: str, rate_e6: int, fee: str
) -> None:
    schedule = FeeSchedule(FeeType.TAKER_CURVE, rate_e6)
    at, count = parse_price(price), parse_quantity(shares)
    assert fill_fee(schedule, at, count, is_taker=True) == parse_money(fee)
    assert fill_fee(schedule, at, count, is_taker=False) == 0


def test_taker_fees_charged_on_chain(shared: Path) -> None:
    """Every leg recorded; rounding half up would not fit them."""
    legs = json.loads((shared / "data/polymarket/onchain_taker_fees_2026-09.json").read_text())
    for leg in legs:
        shares = leg["taker_amount_filled" if leg["side"] == "BUY" else "maker_amount_filled"]
        schedule = FeeSchedule(FeeType.TAKER_CURVE, parse_money(leg["fee_rate"]))
        charged = fill_fee(schedule, parse_price(leg["price"]), Quantity(int(shares)), is_taker=True)
        assert charged == int(leg["fee"]), leg


@given(
    price=st.integers(1, 9_999).map(Price),
    parts=st.lists(st.integers(1, 10**9).map(Quantity), min_size=1, max_size=5),
    exponent=st.integers(1, 3),
)
def test_no_split_on_the_curve_costs_more_than_the_estimate(
    price: Price, parts: list[Quantity], exponent: int
) -> None:
    schedule = msgspec.structs.replace(CURVE, exponent=exponent)
    most = estimate(schedule, price, Quantity(sum(parts)), is_taker=True)
    assert sum(fill_fee(schedule, price, part, is_taker=True) for part in parts) <= most
    exact = 50_000 * sum(parts) * (price * (10_000 - price)) ** exponent / (10**6 * 10 ** (8 * exponent))
    assert most <= exact < most + 10.001
