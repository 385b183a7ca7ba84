"""Amounts against the official vectors, the venue's rules as properties, and every refusal by name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.units import (
    ONE_DOLLAR,
    Money,
    Price,
    Quantity,
    UnitError,
    parse_money,
    parse_price,
    parse_quantity,
)
from core.venues.polymarket.amounts import (
    AmountError,
    Amounts,
    check_price,
    check_size,
    limit_amounts,
    purchase_amounts,
    sale_amounts,
    whole_lots,
)
from core.venues.polymarket.sign import Side
from core.venues.polymarket.terms import TICKS


@pytest.mark.parametrize(
    ("side", "size", "price", "tick", "maker", "taker"),
    [
        (Side.BUY, "21.04", "0.53", "0.01", 11_151_200, 21_040_000),
        (Side.BUY, "100", "0.057", "0.001", 5_700_000, 100_000_000),
        (Side.SELL, "33.337", "0.0725", "0.0025", 33_330_000, 2_416_425),
        (Side.BUY, "1.119", "0.7", "0.1", 777_000, 1_110_000),
        (Side.BUY, "7.77", "0.1234", "0.0001", 958_818, 7_770_000),
        (Side.BUY, "5", "0.58", "0.01", 2_900_000, 5_000_000),
        (Side.SELL, "12.5", "0.995", "0.005", 12_500_000, 12_437_500),
        (Side.BUY, "2.03", "0.29", "0.01", 588_700, 2_030_000),
    ],
)
def test_limit_orders(side: Side, size: str, price: str, tick: str, maker: int, taker: int) -> None:
    check_price(parse_price(price), parse_price(tick))
    found = limit_amounts(side, parse_price(price), whole_lots(parse_quantity(size)))
    assert found == Amounts(maker, taker)


@pytest.mark.parametrize(
    ("budget", "price", "maker", "taker"),
    [
        ("10", "0.52", 10_000_000, 19_230_700),
        ("2.03", "0.58", 2_030_000, 3_500_000),
        ("1", "0.07", 1_000_000, 14_285_700),
        # On a tick of 0.001 the vendor's code sends 10131970, five decimals, which the venue refuses.
        ("9.98", "0.985", 9_980_000, 10_131_900),
    ],
)
def test_immediate_purchases(budget: str, price: str, maker: int, taker: int) -> None:
    assert purchase_amounts(parse_price(price), parse_money(budget)) == Amounts(maker, taker)


@pytest.mark.parametrize(
    ("size", "price", "maker", "taker"),
    [("19.69", "0.22", 19_690_000, 4_331_800), ("5.1975", "0.43", 5_190_000, 2_231_700)],
)
def test_immediate_sales(size: str, price: str, maker: int, taker: int) -> None:
    assert sale_amounts(parse_price(price), whole_lots(parse_quantity(size))) == Amounts(maker, taker)


TICK = st.sampled_from(sorted(TICKS))
ON_GRID = TICK.flatmap(
    lambda tick: st.tuples(
        st.just(tick),
        st.integers(min_value=1, max_value=ONE_DOLLAR // tick - 1).map(lambda n: Price(n * tick)),
    )
)
SIZE = st.integers(min_value=1, max_value=10**14).map(Quantity)


@given(ON_GRID, SIZE, st.sampled_from(Side))
def test_a_limit_order_is_exact(grid: tuple[Price, Price], size: Quantity, side: Side) -> None:
    tick, price = grid
    check_price(price, tick)
    lots = whole_lots(size)
    made = limit_amounts(side, price, lots)
    usd, shares = (made.maker, made.taker) if side is Side.BUY else (made.taker, made.maker)
    assert usd * ONE_DOLLAR == shares * price and 0 <= size - shares < 10_000 and shares % 10_000 == 0


@given(ON_GRID, st.integers(min_value=1_000_000, max_value=10**13))
def test_a_purchase_pays_at_most_a_hair_above_its_limit(grid: tuple[Price, Price], budget: int) -> None:
    _, price = grid
    made = purchase_amounts(price, Money(budget))
    assert made.maker % 10_000 == 0 and 0 <= budget - made.maker < 10_000 and made.taker % 100 == 0
    assert made.maker * ONE_DOLLAR >= made.taker * price, "the limit lies below the level it must reach"
    assert made.maker * ONE_DOLLAR < (made.taker + 100) * price, "more than a ten-thousandth conceded"


@given(ON_GRID, SIZE)
def test_a_sale_asks_at_most_its_limit(grid: tuple[Price, Price], size: Quantity) -> None:
    _, price = grid
    lots = whole_lots(size)
    try:
        made = sale_amounts(price, lots)
    except AmountError as refused:
        assert refused.code == "worth_nothing" and lots * price < 100 * ONE_DOLLAR
        return
    assert made.maker == lots and made.taker % 100 == 0
    assert made.taker * ONE_DOLLAR <= lots * price < (made.taker + 100) * ONE_DOLLAR


@pytest.mark.parametrize(
    ("price", "tick", "code"),
    [
        (0, 100, "price_range"),
        (-100, 100, "price_range"),
        (50, 100, "price_range"),
        (10_000, 100, "price_range"),
        (9_950, 100, "price_range"),
        (5_250, 100, "off_tick"),
        (5_260, 25, "off_tick"),
        (5_200, 0, "unknown_tick"),
        (5_200, -100, "unknown_tick"),
        (5_200, 20, "unknown_tick"),
    ],
)
def test_a_price_off_the_grid_is_refused(price: int, tick: int, code: str) -> None:
    with pytest.raises(AmountError) as refused:
        check_price(Price(price), Price(tick))
    assert refused.value.code == code


@pytest.mark.parametrize(("size", "code"), [(0, "no_size"), (-1, "no_size"), (4_990_000, "below_minimum")])
def test_a_size_the_market_does_not_take_is_refused(size: int, code: str) -> None:
    with pytest.raises(AmountError) as refused:
        check_size(Quantity(size), parse_quantity("5"))
    assert refused.value.code == code
    check_size(parse_quantity("5"), parse_quantity("5"))


def test_an_immediate_purchase_below_a_dollar_is_refused() -> None:
    with pytest.raises(AmountError, match=r"for 0\.99 is below the dollar"):
        purchase_amounts(Price(5_200), parse_money("0.9982"))


@pytest.mark.parametrize("text", ["1e2", "0.1e1", "inf", "nan", "1_0", ".5", "0x10", " 1", "1.", "٣"])
def test_no_amount_is_read_from_what_looks_like_a_float(text: str) -> None:
    for parse in (parse_price, parse_quantity, parse_money):
        with pytest.raises(UnitError):
            parse(text)
