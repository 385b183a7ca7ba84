"""Numbers and outside text: fixed widths, honest unknowns, nothing hostile left."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from tui import format as fmt
from tui.lines import Span, changed_cells, cut, ends, flow, line, pad, plain, width_of

HOSTILE = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("\x1b\x07\x9b\x18\r\n\t\u200b\u200d\u202e\u2066\ufeff[]/🙂🇺🇸👩‍👩‍👧日本é́̂\ud7fb\u1161"),
    ),
    max_size=200,
)


@settings(max_examples=200, deadline=None)
@given(HOSTILE)
def test_sanitised_text_is_plain_and_one_cell_a_character(text: str) -> None:
    safe = fmt.sanitise(text)
    assert all(unicodedata.category(char) not in ("Cc", "Cf", "Mn", "Me", "Mc", "Zl", "Zp") for char in safe)
    assert cell_len(safe) == len(safe) <= fmt.TEXT_MAX
    assert "  " not in safe and safe == safe.strip()
    assert fmt.sanitise(safe) == safe


def test_sanitise_is_bounded_by_its_limit_not_by_its_input() -> None:
    assert len(fmt.sanitise("x" * 1_000_000, 40)) == 40
    assert fmt.sanitise("\x1b[2J\x1b]0;owned\x07Rain?") == "[2J]0;ownedRain?"


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), max_size=60), st.integers(3, 40))
def test_fit_is_exact_and_never_cuts_the_strike(name: str, width: int) -> None:
    assert len(fmt.fit(name, width)) == width
    assert len(fmt.fit_name(f"{name} 48-49", 18)) == 18
    assert fmt.fit_name(f"{name} 48-49", 18).rstrip().endswith("48-49")


@pytest.mark.parametrize(
    ("price", "step", "text"),
    [(3100, 100, "31"), (3150, 50, "31.5"), (3125, 25, "31.25"), (3100, 10, "31.0"), (None, 100, "--")],
)
def test_prices_print_with_their_tick(price: int | None, step: int, text: str) -> None:
    assert fmt.cents(price, step) == text


@pytest.mark.parametrize(
    ("value", "text"), [(580, "+5.8"), (-90, "-0.9"), (0, "0.0"), (-4, "0.0"), (None, "--")]
)
def test_edges_carry_their_sign(value: int | None, text: str) -> None:
    assert fmt.signed_tenths(value) == text


@pytest.mark.parametrize(
    ("money", "text"), [(340_000, "+0.34"), (-3_100_000, "-3.10"), (0, "0.00"), (None, "--")]
)
def test_results_carry_their_sign(money: int | None, text: str) -> None:
    assert fmt.signed_dollars(money) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(3, "3s"), (99, "99s"), (240, "4m"), (5940, "99m"), (7200, "2h"), (-5, "0s"), (None, "--")],
)
def test_ages(seconds: float | None, text: str) -> None:
    assert fmt.age(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(41, "0:41"), (40.1, "0:41"), (72, "1:12"), (0, "0:00"), (-3, "0:00")]
)
def test_countdowns_end_at_zero(seconds: float, text: str) -> None:
    assert fmt.countdown(seconds) == text


def test_time_to_close_fits_five_cells() -> None:
    shown = [fmt.until(s) for s in (0, 30, 720, 53_820, 47 * 3600, 400 * 3600, 90 * 86400)]
    assert shown == ["shut", "<1m", "12m", "14h57", "47h00", "16d16", "90d00"]


def test_bars_show_what_a_card_adds() -> None:
    assert fmt.bar(0.2, 0.2) == "[##++------]"
    assert fmt.bar(0.0, 0.01) == "[+---------]"
    assert fmt.bar(1.4, 0.5) == "[##########]"
    assert [fmt.limit_word(share) for share in (0.79, 0.8, 1.0)] == ["", "NEAR", "CAP"]


def test_sizes_stay_in_four_cells() -> None:
    assert [fmt.size(c * 10**6) for c in (0, 120, 9999, 12_000, 3_000_000)] == [
        "0",
        "120",
        "9999",
        "12k",
        "3M",
    ]
    assert fmt.size(500_000) == "<1"


@given(
    st.lists(st.tuples(st.text("ab ", max_size=8), st.sampled_from(["text", "fair", "band"])), max_size=8),
    st.integers(1, 40),
)
def test_lines_have_exactly_the_width_asked_for(parts: list[tuple[str, str]], width: int) -> None:
    spans = line(*parts)
    assert plain(spans) == "".join(text for text, _ in parts)
    assert width_of(pad(spans, width)) == width
    assert width_of(cut(spans, width)) <= width
    assert width_of(ends(spans, line("x"), width)) == width


def test_groups_wrap_between_groups() -> None:
    rows = flow([line("aaaa"), line("bbbb"), line("cccc")], 12, gap=2)
    assert [plain(row) for row in rows] == ["aaaa  bbbb", "  cccc"]


def test_changed_cells_are_the_smallest_run() -> None:
    old, new = line("price ", ("31", "fair"), " x"), line("price ", ("32", "fair"), " x")
    assert changed_cells(old, new) == (7, 8)
    assert changed_cells(old, old) == (0, 0)


_CELLS = st.lists(st.tuples(st.sampled_from("ab "), st.sampled_from(["text", "fair", "stop"])), min_size=12)


@given(_CELLS, _CELLS, st.integers(0, 12), st.integers(0, 12))
def test_cells_outside_that_run_are_the_same_and_its_ends_are_not(
    old_cells: list[tuple[str, str]], other: list[tuple[str, str]], begin: int, end: int
) -> None:
    new_cells = [*old_cells]
    new_cells[begin:end] = other[begin:end]
    old, new = line(*old_cells), line(*new_cells[: len(old_cells)], *old_cells[len(new_cells) :])
    drawn, wanted = ([(char, role) for text, role in spans for char in text] for spans in (old, new))
    different = [at for at, pair in enumerate(zip(drawn, wanted, strict=True)) if pair[0] != pair[1]]
    assert changed_cells(old, new) == ((different[0], different[-1] + 1) if different else (0, 0))


def test_blank_text_takes_the_role_before_it_and_never_gives_its_own() -> None:
    assert line(("│", "rule"), " ", "text") == (Span("│ ", "rule"), Span("text", "text"))
    assert line(("x", "band"), " ") == (Span("x", "band"), Span(" ", "text")), "a band must not spread"


def test_a_trace_of_prices_shows_moves_in_proportion_to_three_cents() -> None:
    assert fmt.spark(()) == ""
    assert fmt.spark((4700, 4700)) == "__"
    assert fmt.spark((4700, 4800, 4900, 5000)) == "_.-'"
    assert fmt.spark((1000, 7000, 4000)) == "_'."
