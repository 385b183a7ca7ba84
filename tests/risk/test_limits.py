"""The limits file: what is refused and how it is said; what an operator may change while it runs."""

from __future__ import annotations

import tomllib
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.units import Money
from core.risk.limits import DEFAULTS, LIMITS, Limits, LiveLimits, Refusal, Unit, limit_text
from core.risk.limits_file import LimitsError, unset
from core.risk.limits_file import parse as parse_at

FILE = "/home/me/demo/config.toml"


def parse(raw: dict[str, object], source: str) -> Limits:
    return parse_at(raw, lambda key: f"{source}:7")


def test_the_table_and_the_struct_name_the_same_limits_in_the_same_order() -> None:
    assert tuple(spec.name for spec in LIMITS) == Limits.__struct_fields__
    assert len({spec.label for spec in LIMITS}) == len(LIMITS)


def test_an_empty_table_gives_the_defaults_in_integer_units() -> None:
    assert parse({}, FILE) == DEFAULTS
    assert (DEFAULTS.order_cost_max, DEFAULTS.collar_book, DEFAULTS.order_contracts_max) == (
        50_000_000,
        200,
        250_000_000,
    )
    assert all(type(DEFAULTS.value(spec.name)) is int for spec in LIMITS)


@pytest.mark.parametrize("written", ["40", "40.00", 40, Decimal("40"), Decimal("4E+1")])
def test_dollars_may_be_written_as_text_whole_number_or_decimal(written: object) -> None:
    assert parse({"market_loss_max": written, "order_cost_max": "25.5"}, FILE).market_loss_max == 40_000_000


@pytest.mark.parametrize(
    ("name", "written", "says"),
    [
        ("order_cost_max", 0, "0.00 is not above zero"),
        ("order_cost_max", "-5", "-5.00 is not above zero"),
        ("order_cost_max", 50.5, 'write it in quotes, like "50.5"'),
        ("order_cost_max", True, "'True' is not a number"),
        ("order_cost_max", "fifty", "'fifty' is no money: write a decimal"),
        ("order_cost_max", "5e1", "'5e1' is no money: write a decimal"),
        ("order_cost_max", "nan", "'nan' is no money: write a decimal"),
        ("order_cost_max", ["50"], "is not a number"),
        ("order_cost_max", None, "is not a number"),
        ("order_cost_max", "50.1234567", "more than 6 decimals"),
        ("order_cost_max", 5000, "5000.00 is far from the usual 50.00: check the unit (dollars)"),
        ("order_cost_max", 150, "is above market_loss_max = 100.00"),
        ("market_loss_max", "250", "is above event_loss_max = 200.00"),
        ("collar_book", "2", "check the unit (dollars, below 1)"),
        ("edge_min", "2", "check the unit"),
        ("depth_share_max", 101, "check the unit (percent)"),
        ("open_orders_total_max", "2.5", "not a whole number"),
        ("book_age_max_s", 3000, "check the unit (seconds)"),
        ("clock_offset_ms_max", 10**12, "not a whole number"),
        ("disk_free_mb_min", 1, "check the unit (megabytes)"),
        ("edge_max", "0.01", "edge_min is not below edge_max"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused_with_file_name_and_reason(
    name: str, written: object, says: str
) -> None:
    with pytest.raises(LimitsError) as caught:
        parse({name: written}, FILE)
    text = str(caught.value)
    assert text.startswith(f"{FILE}:7: [limits] ") and says in text and "\n" not in text
    assert name in text or "edge_min" in text


def test_a_mistyped_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(LimitsError, match=r"does not know 'order_cots_max'; did you mean 'order_cost_max'\?"):
        parse({"order_cots_max": 50}, FILE)
    with pytest.raises(LimitsError, match=r"does not know 'xyzzy'; remove it\."):
        parse({"xyzzy": 50}, FILE)
    with pytest.raises(LimitsError) as caught:
        parse({"k" * 10_000: 1}, FILE)
    assert len(str(caught.value)) < 200


def test_a_key_written_twice_is_stopped_by_the_file_format() -> None:
    with pytest.raises(tomllib.TOMLDecodeError):
        tomllib.loads("[limits]\norder_cost_max = 5\norder_cost_max = 50\n")


@given(
    st.dictionaries(
        st.sampled_from([spec.name for spec in LIMITS] + ["nonsense"]),
        st.one_of(st.integers(), st.floats(), st.text(max_size=30), st.none(), st.booleans(), st.decimals()),
        max_size=3,
    )
)
def test_whatever_is_written_gives_limits_above_zero_or_one_sentence(raw: dict[str, object]) -> None:
    try:
        limits = parse(raw, FILE)
    except LimitsError as error:
        assert str(error).startswith(FILE) and len(str(error)) < 300
    else:
        assert all(limits.value(spec.name) > 0 for spec in LIMITS)


def test_money_nobody_set_is_named_and_nothing_else() -> None:
    money = {spec.name for spec in LIMITS if spec.unit is Unit.MONEY}
    assert set(unset({})) == money >= {"order_cost_max", "cash_reserve", "day_loss_max", "velocity_15s_max"}
    assert unset(dict.fromkeys(money - {"day_loss_max"}, "1")) == ("day_loss_max",)
    assert unset(dict.fromkeys(money, "1")) == ()


# --- live -------------------------------------------------------------------------------------

LIVE = LiveLimits.at_ceilings(DEFAULTS)


def changed(live: LiveLimits, *args: str) -> LiveLimits:
    result = live.set_live(*args)
    assert isinstance(result, LiveLimits), result
    return result


def refused(live: LiveLimits, *args: str) -> str:
    result = live.set_live(*args)
    assert isinstance(result, Refusal), result
    return result.reason


def test_lowering_is_done_at_once_and_a_limit_may_be_closed_entirely() -> None:
    lowered = changed(LIVE, "market_loss_max", "40")
    assert lowered.current.market_loss_max == 40_000_000
    assert lowered.ceilings == DEFAULTS
    assert changed(LIVE, "open_orders_total_max", "0").current.open_orders_total_max == 0


def test_going_back_up_takes_the_word_and_a_reason_and_ends_at_the_ceiling() -> None:
    lowered = changed(LIVE, "market_loss_max", "40")
    assert "typed word 'raise'" in refused(lowered, "market_loss_max", "80")
    assert "typed word 'raise'" in refused(lowered, "market_loss_max", "80", "yes", "why not")
    assert "needs a reason" in refused(lowered, "market_loss_max", "80", "raise", "  ")
    assert changed(lowered, "market_loss_max", "80", "raise", "calm").current.market_loss_max == 80_000_000
    assert "cannot be looser" in refused(lowered, "market_loss_max", "100.01", "raise", "more")
    assert changed(lowered, "market_loss_max", "100", "raise", "all of it") == LIVE


def test_for_a_minimum_higher_is_tighter() -> None:
    tight = changed(LIVE, "edge_min", "0.05")
    assert "typed word" in refused(tight, "edge_min", "0.03")
    assert "cannot be looser" in refused(tight, "edge_min", "0.01", "raise", "x")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("market_los_max", "4", "did you mean 'market_loss_max'?"),
        ("", "4", "There is no limit ''."),
        ("market_loss_max", "", "is no money: write a decimal"),
        ("market_loss_max", "-1", "below zero"),
        ("market_loss_max", "1e3", "is no money: write a decimal"),
    ],
)
def test_bad_commands_are_refused_in_a_sentence(name: str, value: str, says: str) -> None:
    assert says in refused(LIVE, name, value)


def test_a_restart_keeps_what_was_tightened_but_never_beats_the_file() -> None:
    lowered = changed(changed(LIVE, "market_loss_max", "40"), "edge_min", "0.05")
    saved = {"market_loss_max": 40_000_000, "edge_min": 500}
    assert LiveLimits.restored(DEFAULTS, saved) == lowered
    stricter = msgspec.structs.replace(DEFAULTS, market_loss_max=Money(30_000_000))
    again = LiveLimits.restored(stricter, saved | {"gone": 1})
    assert again.current.market_loss_max == 30_000_000 and again.current.edge_min == 500


def test_texts_carry_the_unit_and_the_digest_follows_the_values() -> None:
    by_unit = {spec.unit: limit_text(spec, DEFAULTS.value(spec.name)) for spec in reversed(LIMITS)}
    assert (by_unit[Unit.MONEY], by_unit[Unit.CONTRACTS], by_unit[Unit.SECONDS]) == ("50.00", "250.00", "3")
    assert DEFAULTS.digest() != changed(LIVE, "market_loss_max", "40").current.digest()
