"""Which releases move which markets, and what they mean for entries from second to second."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.feeds.calendar.kinds import NAMES
from core.risk.releases import (
    CLEAR,
    ReleaseState,
    _by_words,
    affected_by,
    held_back,
    kinds_of,
    shipped,
    standing,
)
from tests.risk.desk import WORLD_MS, due, market

BLACKOUT, PENDING, UNKNOWN = ReleaseState.BLACKOUT, ReleaseState.PENDING, ReleaseState.UNKNOWN


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        (due(), ReleaseState.CLEAR),
        (due(next_s=61), ReleaseState.CLEAR),
        (due(next_s=60), BLACKOUT),
        (due(next_s=1), BLACKOUT),
        (due(last_s=0, came=False), BLACKOUT),
        (due(last_s=119), BLACKOUT),  # its print is out, the book has not settled
        (due(last_s=120), ReleaseState.CLEAR),
        (due(last_s=120, came=False), PENDING),
        (due(last_s=30 * 86_400, came=False, fault="old"), PENDING),
        (due(fault="old"), UNKNOWN),
        (due(next_s=None, fault="none"), UNKNOWN),
        (due(next_s=60, fault="old"), BLACKOUT),  # an old date is still kept clear of
        (due(last_s=500_000, next_s=30, came=False), BLACKOUT),
    ],
)
def test_what_a_kind_means_from_second_to_second(facts: object, state: ReleaseState) -> None:
    assert standing(facts, WORLD_MS).state is state  # type: ignore[arg-type]


@given(st.integers(-400, 400), st.integers(0, 200), st.integers(0, 200))
def test_no_instant_of_the_window_is_left_out(at_s: int, before_s: int, after_s: int) -> None:
    window = msgspec.structs.replace(due().window, before_s=before_s, after_s=after_s)
    facts = due(last_s=-at_s if at_s <= 0 else None, next_s=at_s if at_s > 0 else None)
    within = -after_s < at_s <= before_s if at_s else after_s > 0
    found = standing(msgspec.structs.replace(facts, window=window), WORLD_MS)
    assert (found.state is BLACKOUT) is within


def test_one_kind_that_stands_against_is_enough_and_none_is_clear() -> None:
    assert held_back((due(), due("FOMC", next_s=5)), WORLD_MS).why == "FOMC comes in 5 s"
    assert held_back((), WORLD_MS) is CLEAR


def test_the_narrowest_name_decides_what_moves_a_market() -> None:
    one = market("KXINX-1", "KXINX-A", series_ticker="KXINX")
    affected = affected_by(["KXINX: CPI", "KXINX-A: fomc  cpi fomc", "KXBTC:"])
    assert not isinstance(affected, str)
    assert kinds_of(one, affected) == ("FOMC", "CPI")
    assert kinds_of(msgspec.structs.replace(one, event_ticker="KXINX-B"), affected) == ("CPI",)
    assert affected["KXBTC"] == ()
    assert kinds_of(market(), affected) == ()


@pytest.mark.parametrize(
    ("title", "event", "kinds"),
    [
        (
            "Will the Fed decrease interest rates by 25 bps?",
            "fed-decision-in-december",
            ("CPI", "JOBS", "FOMC"),
        ),
        ("Bitcoin Up or Down - November 29, 3:00PM ET", "btc-updown-15m-1791241200", ("CPI", "JOBS", "FOMC")),
        ("Will annual inflation be 3.1%?", "november-inflation-us-annual", ("CPI",)),
        ("Will unemployment be 4.4%?", "november-unemployment-rate", ("JOBS",)),
        ("S&P 500 (SPX) closes above 6,800?", "spx-december", ("CPI", "JOBS", "GDP", "FOMC")),
        ("US GDP growth in Q3 2026?", "us-gdp-growth-q3", ("GDP",)),
        ("Will the highest temperature in NYC be 48?", "highest-temperature-in-nyc-on-november-29", ()),
        ("Most gold medals?", "most-gold-medals-2028", ()),
        ("Will Bethel win?", "bethel-vs-fedora", ()),
    ],
)
def test_where_no_name_is_known_the_words_of_the_question_tell(
    title: str, event: str, kinds: tuple[str, ...]
) -> None:
    one = market(event, event, series_ticker="finance", title=title)
    assert kinds_of(one, shipped()) == kinds
    affected = affected_by([f"{event}:"])
    assert not isinstance(affected, str) and kinds_of(one, affected) == (), "the operator knows better"


@pytest.mark.parametrize(
    ("entry", "remedy"),
    [("KXINX CPI", "write such as"), (": CPI", "write such as"), ("KXINX: RETAIL", "CPI, JOBS, GDP, FOMC")],
)
def test_a_wrong_entry_is_one_sentence_with_its_remedy(entry: str, remedy: str) -> None:
    said = affected_by([entry])
    assert isinstance(said, str)
    assert remedy in said


def test_what_ships_names_known_kinds_only() -> None:
    assert shipped()["KXCPI"] == ("CPI",)
    assert set().union(*(kinds for _, kinds in _by_words())) == set(NAMES)
    assert {"KXTNOTED", "KXGOLDD", "KXDJI", "KXRUT", "KXSOLD"} <= shipped().keys()
    assert {kind for kinds in shipped().values() for kind in kinds} == set(NAMES)
