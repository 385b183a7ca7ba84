"""Which game a market is about: suggested, confirmed by a person, kept, and let go with its text."""

from __future__ import annotations

import msgspec
import pytest

from core.control.protocol import ConfirmFixture, Query
from core.control.served import Served
from core.domain.market import Contest, Market
from core.engine import facts
from core.engine.fixtures import question_of
from core.engine.game_pricer import GamePricer
from core.engine.operator import VIEWER_REFUSED
from core.feeds.feed import Stamp
from core.feeds.sports import BookOdds, Game, Offer
from tests.execution.bench import CLI, TRADER, VIEWER, Bench, ladder, running
from tests.virtual import START_WALL_MS, VirtualLoop, run_virtual

TICKER = "KXNBAGAME-26NOV23NYKBOS-BOS"
HOME, AWAY = "Boston Celtics", "New York Knicks"
STARTS_MS = START_WALL_MS + 28 * 3_600_000
"""19:00 of 23 November in New York."""
BOOKS = (BookOdds("pinnacle", "h2h", (Offer(HOME, 1.6), Offer(AWAY, 2.4)), START_WALL_MS, START_WALL_MS),)
GAME = Game(
    "9f2c", "odds-api", "basketball_nba", HOME, AWAY, STARTS_MS, BOOKS, Stamp(START_WALL_MS, 0, 0), 180
)


def market(rules: str = "If Boston wins the game, the market resolves to Yes.", **changes: object) -> Market:
    made = msgspec.structs.replace(
        ladder()[0], ticker=TICKER, event_ticker=TICKER[:-4], station=None,
        climate_day=None, extreme=None, title="New York at Boston Winner?", rules=rules, rules_hash="r1",
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


async def listed(bench: Bench, one: Market) -> None:
    bench.venue.listed = (*ladder(), one)
    await bench.engine.catalogue.refresh(bench.seat)
    bench.feed.sink(GAME)


def games(bench: Bench) -> list[dict[str, object]]:
    reply = Served(bench.engine).command(Query("1", "games"), TRADER)
    return list(msgspec.json.decode(reply.data))


def confirm(bench: Bench, team: str = "") -> str:
    return bench.engine.confirm_fixture(TICKER, "9f2c", team, TRADER).text


def test_a_suggestion_counts_once_a_person_has_confirmed_it_and_outlives_the_engine() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await listed(bench, market())
            (row,) = games(bench)
            assert (row["game"], row["team"], row["confirmed"], row["confidence"]) == (
                "9f2c",
                HOME,
                False,
                0.63,
            )
            assert bench.engine.fixtures.of(market()) is None
            assert Served(bench.engine).command(ConfirmFixture("1", TICKER, "9f2c"), VIEWER).text == (
                VIEWER_REFUSED.text
            )
            said = bench.engine.confirm_fixture(TICKER, "9f2c", "", CLI)
            assert said.text == f"Confirmed: {TICKER} pays if {HOME} win {AWAY} at {HOME}."
            assert bench.engine.fixtures.of(market()) == (GAME, HOME)
            assert [row["confirmed"] for row in games(bench)] == [True]
            assert bench.engine.fixtures.of(market(rules_hash="r2")) is None, (
                "another text is another question"
            )
            rows, venue = list(bench.journal.rows), bench.venue
        async with running(loop, venue=venue, history=rows, run="r2") as again:
            assert again.engine.fixtures.of(market()) is None, "nothing is told of that game yet"
            again.feed.sink(GAME)
            assert again.engine.fixtures.of(market()) == (GAME, HOME)
            again.feed.sink(msgspec.structs.replace(GAME, books=()))
            assert again.engine.fixtures.of(market()) is None, "nobody offers it any more"

    run_virtual(main)


def test_what_does_not_fit_is_refused_with_a_sentence() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await listed(bench, market())
            assert "by its own words" in confirm(bench, AWAY)
            assert "Say whose win" in confirm(bench, "Chicago Bulls")
            other = bench.engine.confirm_fixture(TICKER, "nope", "", TRADER).text
            assert "does not name the teams of game 'nope'" in other
            assert "no market of this desk" in bench.engine.confirm_fixture("X", "9f2c", "", TRADER).text
            assert bench.engine.fixtures.of(market()) is None

    run_virtual(main)


def test_where_the_words_leave_it_open_the_person_says_whose_win_it_is() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            open_one = market(rules="Resolves by the result.")
            await listed(bench, open_one)
            assert "Say whose win" in confirm(bench)
            assert "pays if New York Knicks win" in confirm(bench, "new york knicks")
            assert bench.engine.fixtures.of(open_one) == (GAME, AWAY)

    run_virtual(main)


@pytest.mark.parametrize(
    ("ticker", "day"),
    [
        (TICKER[:-4], True),
        ("nba-nyk-bos-2026-11-23", True),
        ("KXNBAGAME-26NOV99", False),
        ("KXNBAFINALS", False),
    ],
)
def test_the_day_is_read_from_the_ticker_or_not_at_all(ticker: str, day: bool) -> None:
    about_ms = question_of(market(ticker=ticker, event_ticker=ticker)).about_ms
    assert about_ms == (STARTS_MS - 7 * 3_600_000 if day else None)


def test_a_game_moves_its_own_markets_and_no_others() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            one = market(**GAME_MARKET)
            pricer = GamePricer(bench.engine.fixtures)
            assert pricer.subject(one) == "basketball_nba", "which game it is about is not known yet"
            await listed(bench, one)
            assert pricer.subject(one) == pricer.absorb(GAME) == "9f2c"
            assert pricer.absorb(msgspec.structs.replace(GAME, id="other")) == "other"
            assert pricer.absorb(msgspec.structs.replace(GAME, sport="chess")) is None
            assert pricer.subject(ladder()[0]) is None

    run_virtual(main)


GAME_MARKET = {"contest": Contest("basketball_nba"), "exclusive": False}


def test_a_likely_game_prices_its_market_and_trading_waits_for_a_persons_word() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            one = market(**GAME_MARKET)
            await listed(bench, one)
            known = bench.engine.state.markets[TICKER]
            assert known.fair is not None and known.fair.model == "odds-consensus"
            assert known.fair.model_probability == pytest.approx(0.6062, abs=2e-4)  # k = 1.065
            assert known.fair.evidence[0].startswith("not confirmed: New York Knicks at Boston Celtics")
            waiting = facts.waits(bench.engine.desk, one)
            assert waiting.endswith(f"pmconsole feeds match {TICKER} 9f2c")
            assert confirm(bench).startswith("Confirmed")
            assert facts.waits(bench.engine.desk, one) == ""
            known = bench.engine.state.markets[TICKER]
            assert known.fair is not None and known.fair.evidence[0] == "the game is confirmed"
            assert facts.waits(bench.engine.desk, market(**GAME_MARKET, rules_hash="r2"))

    run_virtual(main)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"title": "Who wins?"}, "no game that bookmakers offer has its teams and its day"),
        ({"rules": "Resolves by the result."}, "do not say whose win it pays"),
        ({"title": "New York at Boston: game 1 of 2"}, "is too little like it for a price: 0.40 of 0.6"),
    ],
)
def test_without_a_likely_game_there_is_no_price(changes: dict[str, object], why: str) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await listed(bench, market(**GAME_MARKET, **changes))
            if "game 1" in str(changes):  # of a double header
                bench.feed.sink(msgspec.structs.replace(GAME, id="later", starts_ms=STARTS_MS + 3_600_000))
            bench.engine.desk.pricing.price_all()  # as every second
            assert bench.engine.state.markets[TICKER].fair is None
            assert why in bench.engine.state.events[TICKER[:-4]].refusal

    run_virtual(main)
