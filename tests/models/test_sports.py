"""A game's winner from bookmakers: who is listened to, what they say together, and how sure that is."""

from __future__ import annotations

import math

import msgspec
import pytest

from core.feeds.feed import Stamp
from core.feeds.sports import BookOdds, Game, Offer
from core.models.fair_value import NoPrice
from core.models.prediction import Chances, Prediction
from core.models.sports import Consensus, Pays, consensus, predict, weight_of

NOW = 1_800_000_000_000
HOME, AWAY = "Boston Celtics", "New York Knicks"


def book(name: str, home: float, away: float, age_s: int = 30) -> BookOdds:
    at = NOW - age_s * 1000
    return BookOdds(name, "h2h", (Offer(HOME, home), Offer(AWAY, away)), NOW, at)


def game(*books: BookOdds, starts_in_s: int = 7_200) -> Game:
    starts = NOW + starts_in_s * 1000
    return Game("9f2c", "odds-api", "basketball_nba", HOME, AWAY, starts, books, Stamp(NOW, 0, 0), 180)


def found(*books: BookOdds, starts_in_s: int = 7_200) -> Consensus:
    made = consensus(game(*books, starts_in_s=starts_in_s), NOW)
    assert isinstance(made, Consensus), made
    return made


def test_one_sharp_book_alone_is_its_prices_without_the_margin() -> None:
    one = found(book("pinnacle", 1.25, 1 / 0.6))  # powers of 2: .64 and .36
    assert one.chances[HOME] == pytest.approx(0.64) and one.chances[AWAY] == pytest.approx(0.36)
    # Additive and Shin say .6, the plain share 4/7; half of what they are apart, and the floor.
    spread = (0.64 - 4 / 7) / 2
    assert one.methods_apart == pytest.approx(2 * spread, abs=2e-3)
    assert one.errors[HOME] == pytest.approx(math.hypot(spread, 0.64 * 0.36 * 0.03), abs=2e-3)


def test_sharp_books_count_more_and_disagreement_widens_the_error() -> None:
    even = (book("pinnacle", 1.96, 1.96), book("draftkings", 1.7, 2.25))
    both = found(*even)
    soft = found(book("draftkings", 1.7, 2.25), book("fanduel", 1.7, 2.25))
    assert 0.5 < both.chances[HOME] < 0.5 + (soft.chances[HOME] - 0.5) / 3
    assert both.errors[HOME] > found(even[0]).errors[HOME] + 0.01
    assert weight_of("pinnacle") > weight_of("draftkings") > weight_of("somebody new")


def test_a_price_that_has_not_moved_counts_for_nothing_whenever_the_provider_looked() -> None:
    fresh, old = book("matchbook", 2.0, 1.99), book("pinnacle", 1.5, 2.7, age_s=601)
    assert found(fresh, old).left_out == ("pinnacle (unmoved for 601 s, limit 600 s)",)
    asleep = book("pinnacle", 1.5, 2.7, age_s=44_398)
    assert found(fresh, asleep).left_out == ("pinnacle (unmoved for 12 h 19 min, limit 600 s)",)
    assert [one.book for one in found(fresh, book("pinnacle", 1.99, 2.0, age_s=600)).books] == [
        "matchbook",
        "pinnacle",
    ]
    in_play = consensus(game(book("pinnacle", 1.5, 2.7, age_s=61), starts_in_s=-60), NOW)
    assert in_play == "none of 1 bookmakers can be listened to: pinnacle (unmoved for 61 s, limit 60 s)"


def test_a_book_far_from_the_others_is_left_out_and_soft_ones_alone_are_not_enough() -> None:
    near = (book("pinnacle", 1.96, 1.96), book("matchbook", 1.98, 1.98))
    odd = found(*near, book("smarkets", 1.3, 4.0))
    assert odd.left_out == ("smarkets (far from the others)",)
    assert odd.chances[HOME] == pytest.approx(0.5)
    assert "a weight of 0.25, needed 0.5" in str(consensus(game(book("fanduel", 1.9, 1.9)), NOW))
    assert consensus(game(), NOW) == "no bookmaker offers its winner"
    assert "less than 1" in str(consensus(game(book("pinnacle", 2.2, 2.2)), NOW))


def test_both_sides_of_a_game_sum_to_one_and_a_side_without_its_other_is_no_exclusive_event() -> None:
    both = [Pays("A", AWAY), Pays("H", HOME)]
    one = predict("E", both, game(book("pinnacle", 1.62, 2.44)), True, "the game is confirmed", NOW)
    assert isinstance(one, Prediction) and isinstance(one.says, Chances)
    assert math.fsum(one.says.probabilities) == pytest.approx(1.0, abs=1e-12)
    (age,) = one.inputs
    assert (age.event_ms, age.stale_after_s) == (NOW - 30_000, 600)
    drawn = msgspec.structs.replace(
        book("pinnacle", 2.5, 3.1), offers=(Offer(HOME, 2.5), Offer(AWAY, 3.1), Offer("Draw", 3.3))
    )
    three = predict("E", both, game(drawn), True, "", NOW)
    assert isinstance(three, NoPrice) and "not all of them" in three.reason
    other = predict("E", [Pays("X", "Chicago Bulls")], game(drawn), False, "", NOW)
    assert isinstance(other, NoPrice) and "no bookmaker offers 'Chicago Bulls'" in other.reason
