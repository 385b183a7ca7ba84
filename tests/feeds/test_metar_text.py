"""What a station report proves, to the whole degree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.feeds.metar_text import corrected, groups, of_tenths, of_whole, temperature
from core.feeds.values import Groups

RECORDED = Path(__file__).parents[3] / "shared/data/feeds/nws_text/METAR"
REPORT = "METAR KNYC 230451Z AUTO 31008KT 12/04 A3009 RMK AO2 T01220044 10172 20117 402280117 58001"


def test_groups_of_six_and_twenty_four_hours() -> None:
    assert groups(REPORT) == Groups(63, 53, 73, 53)
    assert temperature(REPORT) == of_tenths(122)
    assert groups("KBUF 312354Z 21014KT M02/M07 A2973 RMK T10221067 11028 21067") == Groups(27, 20)
    assert groups("KNYC 230451Z 10172 20117 12/04 A3009") == Groups(), "groups stand in the remarks alone"


@given(st.integers(-60, 140))
def test_every_whole_degree_has_a_tenth_of_its_own(f: int) -> None:
    tenths = round((f - 32) * 50 / 9)
    assert (of_tenths(tenths).lowest_f, of_tenths(tenths).highest_f) == (f, f)
    sign = "1" if tenths < 0 else "0"
    text = f"KNYC 221151Z AUTO RMK AO2 1{sign}{abs(tenths):03d} 2{sign}{abs(tenths):03d}"
    assert groups(text) == Groups(f, f)


@given(st.integers(-50, 55), st.floats(-0.4999, 0.4999))
def test_a_whole_celsius_holds_every_temperature_that_rounds_to_it(celsius: int, off: float) -> None:
    band = of_whole(celsius)
    exact = (celsius + off) * 9 / 5 + 32
    assert band.lowest_f - 1 < exact < band.highest_f + 1
    assert 0 <= band.highest_f - band.lowest_f <= 1


@pytest.mark.parametrize(
    ("celsius", "pair"),
    [(18, (64, 65)), (19, (66, 67)), (20, (68, 68)), (21, (69, 70)), (22, (71, 72)), (23, (73, 74)),
     (24, (75, 76)), (25, (77, 77)), (26, (78, 79)), (27, (80, 81)), (28, (82, 83)), (30, (86, 86)),
     (-5, (23, 23)), (0, (32, 32))],
)  # fmt: skip
def test_pairs_of_whole_celsius(celsius: int, pair: tuple[int, int]) -> None:
    assert (of_whole(celsius).lowest_f, of_whole(celsius).highest_f) == pair
    sign = "M" if celsius < 0 else ""
    assert temperature(f"KNYC 221151Z AUTO 10SM {sign}{abs(celsius):02d}/M02 A3009") == of_whole(celsius)


@pytest.mark.parametrize(
    ("text", "is_corrected"),
    [
        ("METAR COR KNYC 221151Z 10SM", True),
        ("KNYC 221151Z COR 10SM", True),
        ("COR KNYC 221151Z", True),
        ("KNYC 221151Z AUTO 10SM RMK DECOR", False),
        (REPORT, False),
    ],
)
def test_corrected_reports(text: str, *, is_corrected: bool) -> None:
    assert corrected(text) is is_corrected


@given(st.text(max_size=200))
def test_any_text_gives_plausible_degrees_or_none(noise: str) -> None:
    for text in (noise, f" RMK {noise}", noise * 40):
        found = temperature(text)
        assert found is None or (-60 <= found.f <= 140 and found.lowest_f <= found.highest_f)
        of = groups(text)
        for f in (of.six_hour_max_f, of.six_hour_min_f, of.day_max_f, of.day_min_f):
            assert f is None or -61 < f < 141


def test_recorded_collectives_read_like_their_remarks() -> None:
    if not RECORDED.exists():
        pytest.skip("recorded METAR collectives are not here")
    text = " ".join((RECORDED / "collective2.txt").read_text(errors="replace").split())
    reports = [r for r in re.split(r"=\s*", text) if " RMK" in r]
    found = {r.split(" 3123")[0].rsplit(" ", 1)[-1]: groups(r) for r in reports}
    assert found["KACY"] == Groups(34, 29) and found["KAVP"] == Groups(29, 23)
    assert found["KCAR"] == Groups(17, 7) and found["KCRW"] == Groups(52, 48)
    assert sum(g.six_hour_max_f is not None for g in found.values()) > 10
    for report in reports:
        band = temperature(report)
        assert band is not None and band.lowest_f == band.highest_f
