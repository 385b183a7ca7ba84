"""Hostile text cannot reach a terminal as anything but one bounded line."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.text import TITLE_CHARS_MAX, clean_text, quoted, quoted_difference


@given(st.text(), st.integers(1, 50))
def test_result_is_bounded_printable_and_stable(text: str, limit: int) -> None:
    clean = clean_text(text, limit)
    assert len(clean) <= limit
    assert all(unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for c in clean)
    assert clean_text(clean, limit) == clean


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Highest temperature in NYC?", "Highest temperature in NYC?"),
        ("48\N{DEGREE SIGN} to 49\N{DEGREE SIGN}", "48° to 49°"),
        ("red \x1b[31malert\x1b[0m", "red [31malert[0m"),
        ("line\none\r\n\ttwo", "line one two"),
        ("c1 \x9b31m", "c1 31m"),
        ("admin\N{RIGHT-TO-LEFT OVERRIDE}txt\N{ZERO WIDTH SPACE}.exe", "admintxt.exe"),
        ("Sa\N{COMBINING TILDE}o Paulo", "São Paulo"),
        ("Z" + "\N{COMBINING ACUTE ACCENT}" * 30, "Ź"),
        ("\ud800 lone", "lone"),
        ("[b]markup[/b] stays text", "[b]markup[/b] stays text"),
    ],
)
def test_examples(text: str, clean: str) -> None:
    assert clean_text(text) == clean


def test_a_megabyte_is_cut_with_an_ellipsis() -> None:
    assert clean_text("x" * 1_000_000) == "x" * (TITLE_CHARS_MAX - 1) + "…"


RULES = "The high of New York counts. It is read at CLINYC. Ties pay YES."


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        ("The high", ': "The high of New York counts."'),
        ("CLINYC", ': "It is read at CLINYC."'),
        ("YES", ': "Ties pay YES."'),
    ],
)
def test_the_sentence_of_a_place_is_quoted(part: str, sentence: str) -> None:
    assert quoted(RULES, RULES.index(part)) == sentence


def test_what_differs_is_quoted_newest_first_and_what_is_gone_as_such() -> None:
    moved = RULES.replace("CLINYC", "CLIEWR")
    assert quoted_difference(RULES, moved) == ': "It is read at CLIEWR."'
    assert quoted_difference(RULES, RULES.replace(" Ties pay YES.", "")) == ' without: "Ties pay YES."'
    assert quoted_difference(RULES, RULES) == "" == quoted("", 0)


@given(st.text(), st.text(), st.integers(0, 50))
def test_quotes_are_bounded_and_clean(before: str, now: str, at: int) -> None:
    for found in (quoted(before, at), quoted_difference(before, now)):
        assert len(found) < 200 and "\n" not in found and "\x1b" not in found
