"""Which game a market is about: names, days, double headers, and how sure that is."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.feeds.feed import Stamp
from core.feeds.sports import Game
from core.feeds.teams import DOUBLE, NICKNAME, PLACE, SHARED_PLACE, WITHIN_MS, Likeness, Question, likenesses

HOUR_MS = 3_600_000


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def game(home: str, away: str, starts: str = "2026-11-24 00:10", sport: str = "basketball_nba") -> Game:
    return Game(f"{away}@{home} {starts}", "odds-api", sport, home, away, ms(starts), (), Stamp(0, 0, 0), 180)


CELTICS = game("Boston Celtics", "New York Knicks")
BULLS = game("Chicago Bulls", "Miami Heat")
NOON = ms("2026-11-23 17:00")
"""Of that day in New York."""


def best(
    words: str, *games: Game, pays: str = "", about_ms: int = NOON, exact: bool = False
) -> Likeness | None:
    found = likenesses(Question("T", words, pays, about_ms, exact), games or (CELTICS, BULLS))
    return found[0] if found else None


@pytest.mark.parametrize(
    ("words", "confidence"),
    [
        ("New York Knicks at Boston Celtics Winner?", 0.9),
        ("Knicks vs. Celtics", round(NICKNAME * 0.9, 2)),
        ("New York at Boston Winner?", round(PLACE * 0.9, 2)),
        ("BOSTON celtics - nèw yórk", round(PLACE * 0.9, 2)),
    ],
)
def test_names_are_found_by_what_they_are_called(words: str, confidence: float) -> None:
    found = best(words)
    assert found is not None
    assert found.game is CELTICS
    assert found.confidence == confidence


@pytest.mark.parametrize(
    "words", ["", "Boston at Chicago", "Celtics to win the title", "Bostonian at New Yorker"]
)
def test_both_teams_of_one_game_must_be_named(words: str) -> None:
    assert best(words) is None


@pytest.mark.parametrize(
    ("pays", "team"),
    [
        ("Boston", "Boston Celtics"),
        ("If the Knicks win, the market pays", "New York Knicks"),
        ("Boston or New York", ""),
        ("", ""),
        ("the home team", ""),
    ],
)
def test_whose_win_it_pays_is_told_or_left_open_never_guessed(pays: str, team: str) -> None:
    found = best("New York at Boston", pays=pays)
    assert found is not None
    assert found.team == team


def test_a_place_two_teams_share_counts_little() -> None:
    mets = game("Chicago Cubs", "New York Mets", sport="baseball_mlb")
    yankees = game("Boston Red Sox", "New York Yankees", sport="baseball_mlb")
    found = best("New York at Chicago", mets, yankees)
    assert found is not None
    assert found.game is mets
    assert found.confidence == round(SHARED_PLACE * 0.9, 2)
    sox = best("Yankees at Red Sox", mets, yankees)
    assert sox is not None
    assert sox.confidence == round(NICKNAME * 0.9, 2)


def test_clubs_of_one_town_are_not_taken_for_each_other() -> None:
    united = game("Manchester United", "Arsenal", sport="soccer_epl")
    city = game("Manchester City", "Chelsea", sport="soccer_epl")
    found = likenesses(Question("T", "Arsenal v Manchester City", "", NOON), (united, city))
    assert all(one.confidence <= SHARED_PLACE for one in found)


@pytest.mark.parametrize(("off_ms", "there"), [(WITHIN_MS, True), (-WITHIN_MS, True), (WITHIN_MS + 1, False)])
def test_a_game_starts_within_twelve_hours_of_the_markets_time(off_ms: int, there: bool) -> None:
    about_ms = CELTICS.starts_ms - off_ms
    assert (best("Knicks at Celtics", about_ms=about_ms, exact=True) is not None) is there


def test_an_exact_start_is_surer_than_a_day() -> None:
    exact = best("Knicks at Celtics", about_ms=CELTICS.starts_ms + HOUR_MS, exact=True)
    far = best("Knicks at Celtics", about_ms=CELTICS.starts_ms + 3 * HOUR_MS, exact=True)
    assert exact is not None
    assert far is not None
    assert exact.confidence == NICKNAME > far.confidence


def test_of_a_double_header_the_time_decides_or_nobody() -> None:
    first = game("Boston Red Sox", "New York Yankees", "2026-08-11 17:05", "baseball_mlb")
    second = game("Boston Red Sox", "New York Yankees", "2026-08-11 23:10", "baseball_mlb")
    day = likenesses(Question("T", "Yankees at Red Sox", "", ms("2026-08-11 16:00")), (first, second))
    assert [one.confidence for one in day] == [DOUBLE, DOUBLE]
    assert all("meet 2 times" in one.why for one in day)
    evening = Question("T", "Yankees at Red Sox", "", second.starts_ms, exact=True)
    found = likenesses(evening, (first, second))
    assert [(one.game, one.confidence) for one in found] == [(second, NICKNAME), (first, DOUBLE)]


@given(st.text(max_size=60), st.text(max_size=20), st.text(max_size=20), st.text(max_size=40))
def test_no_words_break_it_and_no_likeness_is_more_than_sure(
    words: str, home: str, away: str, pays: str
) -> None:
    question = Question("T", f"{words} {home} {away}", pays, CELTICS.starts_ms, exact=True)
    for one in likenesses(question, (game(home, away), CELTICS)):
        assert 0 < one.confidence <= 1
        assert one.team in ("", one.game.home, one.game.away)
