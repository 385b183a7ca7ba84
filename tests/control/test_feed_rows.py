"""What sources tell, in words: every kind of value, one source alone, names from outside made safe."""

from __future__ import annotations

import msgspec

from core.control.rows.sources import TOLD_MAX, feed_row, pair_rows, told_rows
from core.engine.told import Told
from core.feeds.budget import Left
from core.feeds.declaration import Per, Quota
from core.feeds.feed import FeedHealth, FeedState, Stamp
from core.feeds.merge import Apart
from core.feeds.quotes import Average, OptionMark, Quote, SeriesPoint, Volatility
from core.feeds.releases import Calendar, Certainty, Due
from core.feeds.sports import BookOdds, Game, Offer

AT_MS = 1_795_381_200_000
"""2026-11-22T21:00:00Z."""
STAMP = Stamp(AT_MS, AT_MS, 1)


def told(*values: object) -> Told:
    held = Told()
    for value in values:
        held.absorb(value)  # type: ignore[arg-type]  # one of each kind
    return held


def said(held: Told, source: str) -> dict[str, str]:
    return {row.about: row.said for row in told_rows(held, source, AT_MS - 1)}


def test_every_kind_of_value_is_one_line_of_its_source() -> None:
    held = told(
        Quote("EUR/USD", "twelve-data", 1.08412, 1.0841, 1.08414, STAMP, 60),
        Quote("SPX", "yahoo", 6812.4, None, None, STAMP, 60),
        Average("BRTI", "kalshi-cf", 98_123.419, 34, 60, AT_MS + 26_000, STAMP, 10),
        Volatility("DVOL BTC", "deribit", 58.2, 30, STAMP, 60),
        OptionMark("BTC-25DEC26-100000-C", "deribit", 98_000.0, 100_000.0, AT_MS, True, 61.37, STAMP, 60),
        SeriesPoint("DGS10", "fred", "2026-11-20", None, STAMP),
        Game(
            "g1", "odds", "nba", "Celtics", "Lakers", AT_MS,
            (BookOdds("dk", "spreads", (), 0, 0), BookOdds("dk", "h2h", (Offer("Lakers", 1.9),), 0, 0)),
            STAMP, 600,
        ),
        Calendar(
            "fomc", ("FOMC", "CPI"), (Due("FOMC", AT_MS, Certainty.TENTATIVE, "fomc"),), STAMP, 35 * 86_400
        ),
    )  # fmt: skip
    assert said(held, "twelve-data") == {"EUR/USD": "1.08412, bid 1.08410, ask 1.08414"}
    assert said(held, "yahoo") == {"SPX": "6,812.40"}
    assert said(held, "kalshi-cf") == {"BRTI mean": "98,123.42, mean of 34 of 60 s, ends 21:00:26Z"}
    assert said(held, "deribit") == {
        "DVOL BTC": "58.20 % a year, horizon 30 days",
        "BTC-25DEC26-100000-C": "61.37 % a year, call at 100,000.00, underlying 98,000.00, "
        "expires 2026-11-22 21:00Z",
    }
    assert said(held, "fred") == {"DGS10": "the source says that there is none, of 2026-11-20"}
    game = "nba, starts 2026-11-22 21:00Z, 1 bookmakers: dk Lakers 1.9"
    assert said(held, "odds") == {"Lakers at Celtics": game}
    assert said(held, "fomc") == {"FOMC": "2026-11-22 21:00Z, tentative", "CPI": "no date known"}


def test_a_pair_comes_with_what_all_sources_together_say_of_it() -> None:
    later_ms = AT_MS + 86_400_000  # Monday evening
    stamp = Stamp(later_ms, later_ms, 1)
    held = told(
        Quote("EUR/USD", "twelve-data", 1.08412, 1.0841, 1.08414, stamp, 60),
        Quote("EUR/USD", "yahoo", 1.08414, None, None, Stamp(later_ms - 30_000, later_ms, 1), 120),
        Quote("USD/JPY", "yahoo", 155.0, None, None, stamp, 120),
        Quote("USD/JPY", "twelve-data", 156.0, None, None, stamp, 120),
    )
    rows = {row.about: row.said for row in pair_rows(held, "yahoo", later_ms)}
    assert rows == {
        "EUR/USD of all": "1.08412 by twelve-data, yahoo within 0.2 bp",
        "USD/JPY of all": "APART: yahoo says 155, but twelve-data 156 (64.5 bp, 5.0 allowed): no price",
    }
    assert [*pair_rows(held, "fred", later_ms)] == []
    (closed, _) = pair_rows(held, "yahoo", later_ms + 5 * 86_400_000)
    assert closed.said.startswith("closed: foreign exchange is closed; it opens in")


def test_names_from_outside_are_made_safe_and_a_flood_is_cut() -> None:
    hostile = Quote("EUR\x1b[2J/USD", "twelve-data", 1.0, None, None, STAMP, 60)
    assert "\x1b" not in told_rows(told(hostile), "twelve-data", AT_MS)[0].about
    many = told(*(Quote(f"Q{n:04}", "flood", 1.0, None, None, STAMP, 60) for n in range(TOLD_MAX + 5)))
    assert len(told_rows(many, "flood", AT_MS)) == TOLD_MAX


def test_a_row_has_the_sources_quotas_and_how_often_it_said_nothing_new() -> None:
    left = Left(Quota(500, Per.MONTH, "credits"), 480, AT_MS)
    health = FeedHealth(
        "ODDS", FeedState.OK, AT_MS, 1, 600,
        unchanged_polls=2, source="odds", family="sports", latency_ms=90, budget=(left,),
    )  # fmt: skip
    row = feed_row(health, None)
    assert (row.source, row.family, row.latency_ms, row.unchanged) == ("odds", "sports", 90, 2)
    (budget,) = row.budget
    assert (budget.left, budget.most, budget.unit, budget.per, budget.whole_world_ms) == (
        480, 500, "credits", "month", AT_MS,
    )  # fmt: skip
    assert (row.apart_bp, row.too_far) == (None, False)


def test_a_row_says_how_far_its_source_is_from_the_others_and_of_a_closed_one_no_latency() -> None:
    health = FeedHealth("PYTH", FeedState.CLOSED, AT_MS, 1, 10, source="kalshi-pyth", latency_ms=86_400_000)
    row = feed_row(health, Apart(12.5, too_far=True))
    assert (row.apart_bp, row.too_far, row.latency_ms) == (12.5, True, None)


def test_an_expired_option_and_a_game_that_is_not_near_grow_no_older() -> None:
    mark = OptionMark(
        "BTC-22NOV26-85000-C", "deribit", 1.0, 85_000.0, AT_MS + 1, True, 40.0, Stamp(AT_MS, 1, 1), 10
    )
    books = (BookOdds("dk", "h2h", (Offer("A", 1.9),), 0, 0),)
    game = Game("g", "odds-api", "nba", "A", "B", AT_MS, books, Stamp(AT_MS, 1, 1), 180)
    held = told(mark, game)
    [before], [after] = (told_rows(held, "deribit", AT_MS + later) for later in (0, 1))
    assert (before.stale_after_s, after.stale_after_s) == (10, 0)
    assert "call at 85,000.00" in after.said and "expired" in after.said
    [near] = told_rows(held, "odds-api", AT_MS)
    [far] = told_rows(told(msgspec.structs.replace(game, near=False)), "odds-api", AT_MS)
    assert (near.stale_after_s, far.stale_after_s) == (180, 0)


def test_an_option_is_told_of_until_it_has_expired() -> None:
    day_ms = 86_400_000
    held = told(
        *(
            OptionMark(
                f"BTC-{day}", "deribit", 98_000.0, 100_000.0, AT_MS + (day + 1) * day_ms, True, 61.37,
                Stamp(AT_MS + day * day_ms, AT_MS, 1), 60,
            )
            for day in range(400)
        )
    )  # fmt: skip
    assert [name for name, _ in held.options] == ["BTC-399"]
