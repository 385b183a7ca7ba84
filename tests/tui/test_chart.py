"""Charts: every point in its cell, round ticks, and no high or low lost however many points there are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.chart import (
    Chart,
    Run,
    Scale,
    Series,
    Unit,
    draw,
    ends_of,
    extremes,
    label,
    legend,
    runs_of,
    tick_step,
    ticks,
    upright_of,
)
from tui.lines import plain, width_of

MINUTE_MS = 60_000
NOON_MS = 1_795_348_800_000

xs = st.lists(st.integers(0, 10_000), min_size=1, max_size=60, unique=True).map(sorted)
prices = st.integers(1, 9_999)


@st.composite
def runs(drawn: st.DrawFn) -> Run:
    times = drawn(xs)
    return Run(times, drawn(st.lists(prices, min_size=len(times), max_size=len(times))))


def points(*marks: tuple[int, int], upright: tuple[int, int] = (0, 10_000)) -> Chart:
    series = Series(
        "bought", "+", "strong", (Run([x for x, _ in marks], [y for _, y in marks]),), joined=False
    )
    return Chart((series,), Unit.TIME, Unit.CENTS, (0, 10_000), upright)


def line_of(run: Run, *, marker: str = "f", upright: tuple[int, int] = (0, 10_000)) -> Chart:
    return Chart((Series("fair", marker, "fair", (run,)),), Unit.TIME, Unit.CENTS, (0, 10_000), upright)


@given(st.integers(0, 10_000), prices, st.integers(24, 120), st.integers(5, 40), st.booleans())
def test_a_point_stands_in_the_cell_of_its_time_and_price(
    x: int, y: int, width: int, height: int, dots: bool
) -> None:
    rows = draw(points((x, y)), width, height, dots=dots)
    grid = [plain(row) for row in rows[:-2]]
    margin = max(row.find("┤") for row in grid) + 1
    found = [
        (at - margin, down) for down, row in enumerate(grid) for at, sign in enumerate(row) if sign == "+"
    ]
    wide, tall = width - margin, height - 2
    assert len(found) == 1
    (across, down) = found[0]
    assert across * 10_000 <= x * wide and (x * wide < (across + 1) * 10_000 or across == wide - 1)
    assert down * 10_000 <= (10_000 - y) * tall and (
        (10_000 - y) * tall < (down + 1) * 10_000 or down == tall - 1
    )


@given(runs(), st.integers(1, 200))
def test_no_high_and_no_low_is_lost_and_every_point_is_within_its_column(run: Run, columns: int) -> None:
    scale = Scale(0, 10_000, columns)
    found = extremes(run, scale)
    for x, y in zip(run.xs, run.ys, strict=True):
        ends = found[scale.across(x)]
        assert ends is not None and ends[0] <= y <= ends[1]
    seen = [ends for ends in found if ends is not None]
    assert max(high for _, high in seen) == max(run.ys) and min(low for low, _ in seen) == min(run.ys)


@given(runs(), st.integers(1, 200))
def test_a_value_holds_until_the_next_and_nothing_is_drawn_beside_the_run(run: Run, columns: int) -> None:
    scale = Scale(0, 10_000, columns)
    found = extremes(run, scale)
    first, last = scale.across(run.xs[0]), scale.across(run.xs[-1])
    assert [at for at, ends in enumerate(found) if ends is not None] == list(range(first, last + 1))
    for at, ends in enumerate(found[first : last + 1], first):
        inside = [y for x, y in zip(run.xs, run.ys, strict=True) if scale.across(x) == at]
        held = [y for x, y in zip(run.xs, run.ys, strict=True) if scale.across(x) < at][-1:]
        assert ends == (min(inside + held), max(inside + held))


@given(runs(), st.integers(24, 80), st.integers(5, 30), st.booleans())
def test_every_line_fills_its_cells_and_no_more(run: Run, width: int, height: int, dots: bool) -> None:
    rows = draw(line_of(run, upright=ends_of(run.ys, Unit.CENTS) or (0, 1)), width, height, dots=dots)
    assert len(rows) == height
    assert all(width_of(row) == width for row in rows[:-1])
    assert width_of(rows[-1]) <= width


@given(st.integers(-(10**12), 10**12), st.integers(1, 10**12), st.integers(3, 30), st.sampled_from(Unit))
def test_ticks_are_round_few_and_at_least_one(low: int, span: int, most: int, unit: Unit) -> None:
    ends = ends_of((low, low + span), unit)
    assert ends is not None
    step = tick_step(*ends, most, unit)
    found = list(ticks(*ends, step))
    assert 1 <= len(found) <= most
    assert all(ends[0] <= value <= ends[1] and value % step == 0 for value in found)
    if unit is not Unit.TIME:
        assert str(step).rstrip("0") in {"1", "2", "5"} and step >= unit.value


@pytest.mark.parametrize(
    ("value", "step", "unit", "text"),
    [
        (3_100, 100, Unit.CENTS, "31"),
        (3_150, 50, Unit.CENTS, "31.5"),
        (-3_100_000, 1_000_000, Unit.DOLLARS, "-3"),
        (-3_100_000, 100_000, Unit.DOLLARS, "-3.10"),
        (120_000_000, 10_000_000, Unit.CONTRACTS, "120"),
        (2_500, 500, Unit.PERCENT, "25%"),
        (NOON_MS, MINUTE_MS, Unit.TIME, "12:00"),
        (NOON_MS, 1_000, Unit.TIME, "12:00:00"),
        (NOON_MS, 86_400_000, Unit.TIME, "11-22"),
    ],
)
def test_a_tick_is_told_in_the_unit_of_its_axis(value: int, step: int, unit: Unit, text: str) -> None:
    assert label(value, step, unit) == text


def test_time_ticks_are_round_minutes_of_the_clock() -> None:
    step = tick_step(NOON_MS, NOON_MS + 47 * MINUTE_MS, 6, Unit.TIME)
    assert step == 10 * MINUTE_MS and all(
        at % step == 0 for at in ticks(NOON_MS, NOON_MS + 47 * MINUTE_MS, step)
    )


def test_where_a_value_was_lost_the_line_ends_and_begins_anew() -> None:
    found = runs_of([0, 10, 20, 30, 40], [5, 6, None, None, 7])
    assert found == (Run([0, 10, 20], [5, 6, 6]), Run([40], [7]))
    assert runs_of([0, 10], [None, None]) == ()


def test_lines_are_told_apart_by_their_letters_without_colour() -> None:
    times = [0, 10_000]
    series = tuple(
        Series(name, name[0], "text", (Run(times, [price, price]),))
        for name, price in (("bid", 3_000), ("ask", 6_000), ("fair", 4_500))
    )
    upright = upright_of(series, Unit.CENTS)
    assert upright == (3_000, 6_000)
    chart = Chart(series, Unit.TIME, Unit.CENTS, (0, 10_000), upright)
    for dots in (True, False):
        grid = [plain(row) for row in draw(chart, 60, 12, dots=dots)[:-2]]
        letters = [{sign for sign in row if sign in "baf"} for row in grid]
        assert [found for found in letters if found] == [{"a"}, {"f"}, {"b"}]
        assert all(row.rstrip()[-1] in "baf" for row, found in zip(grid, letters, strict=True) if found)
    assert plain(legend(chart, 40)) == "b bid  a ask  f fair"
    assert plain(legend(chart, 19)) == "b bid a ask f fair" and plain(legend(chart, 17)) == "bid ask fair"
    assert plain(legend(chart, 11)) == "b a f"


def test_too_small_a_place_has_no_chart() -> None:
    assert draw(points((1, 1)), 23, 20, dots=True) == draw(points((1, 1)), 80, 4, dots=True) == []


def test_ends_leave_room_for_a_tick_around_a_price_that_never_moved() -> None:
    assert ends_of([3_100, 3_100], Unit.CENTS) == (3_090, 3_110)
    assert ends_of([], Unit.CENTS) is None
