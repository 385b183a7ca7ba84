from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.units import (
    Money,
    Price,
    Quantity,
    UnitError,
    complement,
    dollars_text,
    money_text,
    notional,
    notional_up,
    parse_cents,
    parse_money,
    parse_price,
    parse_quantity,
    price_floor,
    price_text,
    quantity_text,
)

prices = st.integers(0, 10_000).map(Price)
quantities = st.integers(0, 10**13).map(Quantity)


def test_wire_words_become_integers() -> None:
    assert parse_price("0.4200") == 4200
    assert parse_price("0.42") == parse_price("0.420000") == 4200
    assert parse_cents("42") == parse_cents("42.00") == 4200 and parse_cents("31.25") == 3125
    assert parse_quantity("10.00") == 10_000_000
    assert parse_money("-3.100001") == -3_100_001


@pytest.mark.parametrize(
    "text",
    ["", " 1", "1 ", "+1", "1e3", ".5", "5.", "1,5", "nan", "inf", "--1", "0x1", "٣", "1.2.3", "9" * 11],
)
def test_what_is_not_a_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(UnitError):
        parse_money(text)


def test_the_largest_amounts_fit_the_journals_integers_many_times() -> None:
    assert 900 * parse_quantity("9" * 10 + ".999999") < 2**63


def test_more_decimals_than_the_unit_holds_are_refused_not_rounded() -> None:
    with pytest.raises(UnitError, match="more than 4 decimals"):
        parse_price("0.42001")
    with pytest.raises(UnitError, match="more than 2 decimals of price in cents"):
        parse_cents("31.255")
    with pytest.raises(UnitError, match="more than 6 decimals"):
        parse_quantity("1.0000001")


def test_an_error_never_repeats_a_long_hostile_text() -> None:
    with pytest.raises(UnitError) as caught:
        parse_price("x" * 1_000_000)
    assert len(str(caught.value)) < 100


@given(st.integers(-(10**15), 10**15))
def test_text_and_integer_agree_both_ways(value: int) -> None:
    assert parse_money(money_text(Money(value))) == value
    assert Decimal(money_text(Money(value))) * 10**6 == value


@given(st.integers(-(10**15), 10**15))
def test_what_is_only_read_is_told_to_the_nearest_cent(value: int) -> None:
    text = dollars_text(Money(value))
    assert len(text.partition(".")[2]) == 2 and abs(parse_money(text) - value) <= 5_000


@given(prices)
def test_price_text_has_four_decimals(price: Price) -> None:
    text = price_text(price)
    assert len(text.split(".")[1]) == 4
    assert parse_price(text) == price


@given(quantities)
def test_quantity_text_has_at_least_two_decimals(quantity: Quantity) -> None:
    text = quantity_text(quantity)
    assert len(text.split(".")[1]) >= 2
    assert parse_quantity(text) == quantity


@given(prices, quantities)
def test_notional_names_its_direction(price: Price, quantity: Quantity) -> None:
    exact = Decimal(price) * Decimal(quantity) / 10_000
    assert notional(price, quantity) == exact.to_integral_value(ROUND_FLOOR)
    assert notional_up(price, quantity) == exact.to_integral_value(ROUND_CEILING)


@given(prices)
def test_yes_and_no_make_a_dollar(price: Price) -> None:
    assert price + complement(price) == 10_000


@given(st.floats(0, 1))
def test_a_price_for_a_probability_is_never_above_it(probability: float) -> None:
    low = price_floor(probability)
    assert 0 <= low <= 10_000
    assert low <= probability * 10_000 < low + 1
