"""Station and source of Kalshi's daily temperature markets, read from their own rules."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.venues.kalshi.settles import Settles, expected, settles, sources

DAY = date(2026, 11, 23)
RULES = (
    "If the highest temperature recorded at New York City (CLINYC) for Nov 23, 2026, is between 48-49° "
    "according to The Weather Company, then the market resolves to Yes."
)
REPORT = "the National Weather Service's Climatological Report (Daily)"
RECORDED = Path(__file__).parents[3] / "shared/data/feeds/kalshi_weather_2025"


def read(primary: str, day: date | None = DAY, secondary: str = "", series: str = "KXHIGHNY") -> Settles:
    return settles(series, day, primary, secondary)


def test_todays_rules_name_the_station_by_its_report_and_the_company_as_source() -> None:
    assert read(RULES) == Settles("KNYC", "The Weather Company", "")


def test_other_series_settle_on_something_else_and_are_no_doubt() -> None:
    assert read(RULES, series="KXFED") == Settles()


@pytest.mark.parametrize(
    ("primary", "words"),
    [
        (RULES.replace("CLINYC", "CLILGA"), "rules name CLILGA, expected CLINYC"),
        (RULES.replace("CLINYC", "LaGuardia"), "rules name no station, expected CLINYC"),
        (RULES.replace("The Weather Company", "AccuWeather"), "another source than The Weather Company"),
        (
            RULES.replace("The Weather Company", REPORT),
            "another source than The Weather Company",
        ),
        (f"{RULES} Or according to the thermometer of the host.", "another source than The Weather Company"),
        (
            RULES.replace("according to The Weather Company", "as we see it"),
            "do not name The Weather",
        ),
    ],
)
def test_another_station_or_source_is_refused_with_its_sentence(primary: str, words: str) -> None:
    found = read(primary)
    assert (found.station, found.authority) == (None, "")
    assert words in found.doubt
    quoted = found.doubt.partition(': "')[2].rstrip('"…')
    assert quoted and quoted in primary


def test_the_sentence_quoted_is_the_one_that_differs() -> None:
    found = read(f"{RULES} Ties go by the record according to Somebody Else.")
    assert found.doubt.endswith(': "Ties go by the record according to Somebody Else."')


def test_the_source_that_counts_follows_the_target_date() -> None:
    assert [expected(date(2026, 8, day)).name for day in (13, 14)] == [
        "NWS daily climate report",
        "The Weather Company",
    ]
    assert "climatological report" in expected(date(2025, 3, 5)).words[0]
    assert "daily climate report" in expected(date(2025, 3, 4)).words[0]
    assert read(RULES, date(2026, 8, 13)).station is None
    old = RULES.replace("The Weather Company", REPORT)
    assert read(old, date(2026, 8, 13)) == Settles("KNYC", "", "")
    assert list(sources()) == sorted(sources(), key=lambda row: row.since)


def test_an_event_without_a_day_has_no_source() -> None:
    assert "not named by one day" in read(RULES, None).doubt


@given(st.text(max_size=400), st.text(max_size=100))
def test_no_text_makes_a_station_of_nothing(primary: str, secondary: str) -> None:
    found = read(primary, secondary=secondary)
    assert found.station is None and len(found.doubt) < 400


def test_recorded_rules_name_the_source_of_their_time() -> None:
    if not RECORDED.exists():
        pytest.skip("recorded Kalshi events of 2025 are not here")
    events = json.loads((RECORDED / "kxhighny_events_2025-05-08.json").read_text())
    texts = [m["rules_primary"] for m in _markets(events)]
    assert texts
    for text in texts:
        # These were written before the report's code stood in the text.
        labelled = text.replace("Central Park, New York", "Central Park (CLINYC)")
        assert labelled != text
        assert read(labelled, date(2025, 5, 8)) == Settles("KNYC", "", "")
        assert "another source" in read(labelled).doubt


def _markets(found: object) -> list[dict[str, str]]:
    if isinstance(found, dict):
        if "rules_primary" in found:
            return [found]
        return [market for value in found.values() for market in _markets(value)]
    return [market for value in found for market in _markets(value)] if isinstance(found, list) else []
