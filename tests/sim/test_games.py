"""Games by seed: probabilities without drift that end at the result, bookmakers around them."""

import statistics

import pytest

from core.sim.games import BOOKMAKERS, Fixture, Games
from core.sim.new_york import DAY_MS

NOW_MS = 1_795_964_700_000


def played(games: Games, days: int) -> list[Fixture]:
    return list(games.between(NOW_MS, NOW_MS + days * DAY_MS))


def test_a_seed_has_one_calendar_and_no_team_plays_twice_a_day() -> None:
    games = Games(1)
    found = games.offered(NOW_MS)
    assert found == Games(1).offered(NOW_MS)
    assert [game.starts_ms for game in found] == sorted(game.starts_ms for game in found)
    assert all(game.ends_ms > NOW_MS for game in found)
    assert len({game.id for game in played(games, 60)}) == len(played(games, 60)) == 420
    by_day: dict[tuple[str, int], list[str]] = {}
    for game in played(games, 60):
        by_day.setdefault((game.league.sport, (game.starts_ms - 6 * 3_600_000) // DAY_MS), []).extend(
            (game.home, game.away)
        )
    assert all(len(teams) == len(set(teams)) for teams in by_day.values())


def test_probabilities_have_no_drift_and_end_at_the_result() -> None:
    games, moved = Games(1), []
    for game in played(games, 40):
        before, end = games.chances(game, game.starts_ms), games.chances(game, game.ends_ms)
        assert before.home + before.away + before.draw == pytest.approx(1)
        assert sorted((end.home, end.away, end.draw)) == [0, 0, 1]
        moved.append(end.home - before.home)
    assert abs(statistics.fmean(moved)) < 0.07
    assert statistics.pstdev(moved) > 0.3


def test_bookmakers_keep_their_margin_and_vanish_when_the_game_is_over() -> None:
    games = Games(1)
    game = games.offered(NOW_MS)[0]
    offered = games.offers(game, game.starts_ms - 3_600_000)
    assert [offer.book for offer in offered] == list(BOOKMAKERS)
    for offer in offered:
        for prices in offer.markets.values():
            overround = sum(1 / price.decimal for price in prices) - 1
            assert overround == pytest.approx(offer.book.margin, abs=0.015)
    assert games.offers(game, game.ends_ms) == ()


def test_stamps_move_though_prices_stand() -> None:
    games = Games(1)
    game = games.offered(NOW_MS)[-1]
    looks = [games.offers(game, NOW_MS + n * 60_000)[-1] for n in range(15)]
    assert len({look.looked_ms for look in looks}) == 15
    assert len({str(look.markets) for look in looks}) <= 3, "BetMGM looks at what is known every 15 minutes"
