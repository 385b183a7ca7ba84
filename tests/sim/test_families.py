"""Markets beside the daily highs: each settles on what the world's own feeds show, at its time."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from core.domain.clock import WorldClock
from core.sim.contracts import EventSpec, Market, MarketStatus
from core.sim.families.family import Family
from core.sim.families.floor import MAKER, FamilyFloor
from core.sim.families.inflation import KIND, Inflation
from core.sim.families.lows import Lows
from core.sim.families.ranges import SERIES, Ranges, bands, hunches, no_hunch
from core.sim.families.table import FAMILIES
from core.sim.families.winners import SPORT, Winners
from core.sim.games import Games
from core.sim.kalshi.pyth import TICK_MS, Pyth
from core.sim.prices import Prices
from core.sim.releases import Releases
from core.sim.scenarios.loader import load_scenario
from core.sim.weather import half_up
from tests.sim.conftest import START_MS, Floor

HOUR_MS = 3_600_000
INDEX, FOREX = SERIES
PRICES, GAMES, RELEASES = Prices(5), Games(5), Releases(5)
MakeDesk = Callable[..., Any]


def grown(family: Family, hours: int, step_ms: int = HOUR_MS // 4) -> Floor:
    """A floor on which a family alone has lived for so long, from a Monday on."""
    floor = Floor()
    floor.clock.ms = int(datetime(2026, 11, 23, 15, 5, tzinfo=UTC).timestamp()) * 1000
    floor.world = WorldClock(floor.clock.ms, floor.clock.ms, 1.0)
    made = FamilyFloor(floor.exchange, [family], floor.clock, floor.world)
    until = floor.clock.ms + hours * HOUR_MS
    while floor.clock.ms < until:
        floor.exchange.advance()
        made.step()
        for event in floor.exchange.events.values():
            _quoted(floor, event)
        floor.clock.ms += step_ms
    return floor


def _quoted(floor: Floor, event: EventSpec) -> None:
    for spec in event.markets:
        book = floor.exchange.book(spec.ticker)
        if book.best_bid is not None and book.best_ask is not None:
            assert 100 <= book.best_bid < book.best_ask <= 9_900


def ended(floor: Floor, family: Family) -> dict[str, list[Market]]:
    """Events that are over, each with all its markets paid."""
    found = {
        event.event_ticker: [floor.exchange.markets[spec.ticker] for spec in event.markets]
        for event in floor.exchange.events.values()
        if event.series_ticker == family.series.ticker
    }
    over = {
        event: markets
        for event, markets in found.items()
        if all(market.status is MarketStatus.FINALIZED for market in markets)
    }
    assert over, [(m.spec.ticker, m.status) for markets in found.values() for m in markets]
    return over


def paying(markets: list[Market]) -> Market:
    (found,) = [market for market in markets if market.result == "yes"]
    return found


@pytest.mark.parametrize("of", SERIES, ids=lambda of: of.ticker)
def test_the_bracket_that_holds_the_price_at_the_stated_time_pays(of: Any) -> None:
    family = Ranges(of, PRICES)
    for event, markets in ended(grown(family, 75), family).items():
        closes_ms = markets[0].spec.close_ms
        value = PRICES.value(of.thing, closes_ms, of.reading)
        assert float(markets[0].expiration_value) == value
        spec = paying(markets).spec
        assert spec.floor_strike is None or value >= spec.floor_strike
        assert spec.cap_strike is None or value <= spec.cap_strike
        assert event.startswith(f"{of.ticker}-26NOV2")
        assert sum(m.result == "no" for m in markets) == len(markets) - 1


def test_the_index_settles_at_the_close_that_the_feeds_show_all_evening() -> None:
    markets = next(iter(ended(grown(Ranges(INDEX, PRICES), 20), Ranges(INDEX, PRICES)).values()))
    evening_ms = markets[0].spec.close_ms + 3 * HOUR_MS
    assert f"{PRICES.value('SPX', evening_ms):.2f}" == markets[0].expiration_value
    assert datetime.fromtimestamp(markets[0].spec.close_ms / 1000, UTC).hour == 21, (
        "4 PM in New York's winter"
    )


def test_the_euro_settles_on_the_value_pyth_tells_at_ten() -> None:
    family = Ranges(FOREX, PRICES)
    markets = next(iter(ended(grown(family, 30), family).values()))
    close_ms, told = markets[0].spec.close_ms, []

    class Ears:
        def follows_underlying(self, ticker: str) -> bool:
            return ticker == "FX.EUR/USD"

        def tell_underlying(self, ticker: str, body: bytes) -> None:
            told.append(body.decode())

    world = WorldClock(close_ms, close_ms, 1.0)
    Pyth(PRICES, world, Ears(), lambda: close_ms).step(close_ms // TICK_MS * TICK_MS)
    assert f'"value_usd":"{float(markets[0].expiration_value):.8f}"' in told[0]


def test_over_a_weekend_mondays_market_is_listed_and_nothing_on_days_without_trading() -> None:
    saturday = int(datetime(2026, 11, 28, 12, tzinfo=UTC).timestamp()) * 1000
    for of in SERIES:
        (found,) = Ranges(of, PRICES).open(saturday, ())
        assert found.event_ticker == f"{of.ticker}-26NOV30{of.stamp}"
        assert found.ladder == bands(
            round(PRICES.value(of.thing, saturday) * 10**of.decimals), of.width, of.between
        ) or PRICES.is_open(of.thing, found.open_ms + HOUR_MS), "the price stands still since it opened"


@pytest.mark.parametrize("of", SERIES, ids=lambda of: of.ticker)
def test_brackets_leave_no_hole_and_the_crowds_chances_sum_to_one(of: Any) -> None:
    found = next(iter(Ranges(of, PRICES).open(START_MS, ())))
    specs, scale = found.spec.markets, 10**of.decimals
    for low, high in itertools.pairwise(specs):
        ends = round((low.cap_strike or 0) * scale) - (low.strike_type == "less")
        begins = round((high.floor_strike or 0) * scale) + (high.strike_type == "greater")
        assert begins == ends + 1
    assert [s.strike_type for s in specs] == ["less", *["between"] * of.between, "greater"]
    for at_ms in (START_MS, found.close_ms - HOUR_MS, found.close_ms):
        chances = found.chances(at_ms)
        assert sum(chances) == pytest.approx(1) and min(chances) >= 0


@pytest.mark.parametrize("of", SERIES, ids=lambda of: of.ticker)
def test_a_crowd_with_a_hunch_has_the_whole_ladder_that_much_higher_and_no_hole_in_it(of: Any) -> None:
    level, high = (
        next(iter(Ranges(of, PRICES, hunch).open(START_MS, ()))) for hunch in (no_hunch, lambda *_: 0.5)
    )
    at_ms = level.close_ms - HOUR_MS
    known, off = (list(itertools.accumulate(one.chances(at_ms))) for one in (level, high))
    assert off[-1] == pytest.approx(1)
    assert all(b < a for a, b in zip(known[:-1], off[:-1], strict=True) if 0.001 < a < 0.999)
    over = [one.chances(one.close_ms) for one in (level, high)]
    assert over[1] == pytest.approx(over[0]), "it ends with the event"


def test_hunches_are_an_events_own_and_right_no_oftener_than_wrong() -> None:
    of = hunches(5)
    drawn = [of(f"KXINX-{n}") for n in range(2_000)]
    assert statistics.fmean(drawn) == pytest.approx(0, abs=0.04)
    assert statistics.pstdev(drawn) == pytest.approx(0.5, abs=0.03)
    assert of("KXINX-1") == drawn[1] != hunches(6)("KXINX-1")


def test_the_demos_ranges_are_quoted_with_its_hunches(make_desk: MakeDesk) -> None:
    families = make_desk("demo", 5).sim.families._families
    ranges = [family for family in families if isinstance(family, Ranges)]
    assert len(ranges) == len(SERIES)
    assert {family._hunch("KXINX-1") for family in ranges} == {hunches(5)("KXINX-1")}


@pytest.mark.parametrize("of", SERIES, ids=lambda of: of.ticker)
def test_prices_move_as_far_as_the_crowd_expects_them_to(of: Any) -> None:
    moves = []
    for seed in range(250):
        prices = Prices(seed)
        found = next(iter(Ranges(of, prices).open(START_MS, ())))
        now_ms = found.close_ms - 5 * HOUR_MS
        ends, begins = prices.value(of.thing, found.close_ms), prices.value(of.thing, now_ms)
        moves.append(math.log(ends / begins) / prices.deviation(of.thing, now_ms, found.close_ms))
    assert statistics.pstdev(moves) == pytest.approx(1, abs=0.15)


def test_one_game_a_day_is_listed() -> None:
    days = [one.event_ticker[:17] for one in map(_spec, Winners(GAMES).open(START_MS, ()))]
    assert len(days) == len(set(days)) > 1


def _spec(of: Any) -> EventSpec:
    made: EventSpec = of.spec
    return made


def test_the_team_that_wins_pays() -> None:
    family = Winners(GAMES)
    floor = grown(family, 40)
    for markets in ended(floor, family).values():
        winner = paying(markets)
        closes_ms = winner.spec.close_ms
        (game,) = [
            g
            for g in GAMES.between(closes_ms - 4 * HOUR_MS, closes_ms)
            if g.league.sport == SPORT and g.ends_ms == closes_ms and g.home in winner.spec.title
        ]
        known = GAMES.chances(game, game.ends_ms)
        won = game.home if known.home == 1 else game.away
        assert {known.home, known.away} == {0, 1}
        assert winner.spec.yes_sub_title == winner.expiration_value == won
        assert {m.spec.yes_sub_title for m in markets} == {game.home, game.away}


def test_thresholds_below_the_released_figure_pay() -> None:
    family = Inflation(RELEASES)
    floor = Floor()
    release = RELEASES.between(START_MS, START_MS + 40 * 24 * HOUR_MS, KIND)[0]
    floor.clock.ms = release.due_ms - HOUR_MS
    floor.world = WorldClock(floor.clock.ms, floor.clock.ms, 1.0)
    made = FamilyFloor(floor.exchange, [family], floor.clock, floor.world)
    statuses = []
    for _ in range(60 * 3):
        floor.exchange.advance()
        made.step()
        markets = [m for m in floor.exchange.markets.values() if m.spec.series_ticker == "KXCPI"]
        statuses.append(markets[0].status)
        if release.due_ms <= floor.clock.ms < release.printed_ms:
            assert not markets[0].result, "nobody knows before it is out"
        floor.clock.ms += 60_000
    assert [s for n, s in enumerate(statuses) if s not in statuses[:n]] == [
        MarketStatus.ACTIVE, MarketStatus.CLOSED, MarketStatus.DETERMINED, MarketStatus.FINALIZED,
    ]  # fmt: skip
    assert statuses.count(MarketStatus.ACTIVE) in (55, 56), "trading ends five minutes before"
    for market in markets:
        assert (market.result == "yes") == (release.value > (market.spec.floor_strike or 0))
        assert float(market.expiration_value) == release.value


def test_of_two_releases_in_a_month_the_earlier_has_the_event() -> None:
    due = RELEASES.between(START_MS, START_MS + 60 * 24 * HOUR_MS, KIND)
    found = list(Inflation(RELEASES).open(due[0].due_ms - 24 * HOUR_MS, ()))
    assert [one.release for one in found] == [due[0]]
    assert not list(Inflation(RELEASES).open(due[0].due_ms - 24 * HOUR_MS, {found[0].spec.event_ticker}))


def test_the_low_that_stations_report_pays(make_desk: MakeDesk) -> None:
    weather = make_desk("quiet").sim.world.weather
    family = Lows(weather)
    floor = grown(family, 60)
    for event, markets in ended(floor, family).items():
        day = datetime.strptime(event.rsplit("-", 1)[1].title(), "%y%b%d").replace(tzinfo=UTC).date()
        low = half_up(min(o.temp_f for o in weather.observations("KNYC", day)))
        assert markets[0].expiration_value == f"{low}.00"
        spec = paying(markets).spec
        assert spec.strike_type != "between" or spec.floor_strike <= low <= spec.cap_strike
        assert "CLINYC" in spec.rules_primary and "The Weather Company" in spec.rules_primary


def _trades(market: Market) -> bool:
    return market.status is MarketStatus.ACTIVE and not market.spec.series_ticker.startswith("KXHIGH")


def test_the_demo_lists_settles_and_pays_every_family_on_any_day_of_the_week(make_desk: MakeDesk) -> None:
    for days_later in (0, 6):
        desk = make_desk("demo", days_later=days_later)
        exchange = desk.sim.exchange
        wanted = {family.series.ticker for family in desk.sim.families._families}
        assert len(wanted) == len(FAMILIES) == 6
        assert wanted - {
            m.spec.series_ticker for m in exchange.markets.values() if m.status is MarketStatus.ACTIVE
        } <= {"KXINX"}
    for _ in range(24 * 2):
        desk.clock.ms += 30_000
        exchange.advance()
        desk.sim.families.step()
    paid = {m.spec.series_ticker for m in exchange.markets.values() if m.status is MarketStatus.FINALIZED}
    assert wanted <= paid


@pytest.mark.parametrize("scenario", ["load", "quiet", "busy", "ghosts"])
def test_scenarios_for_measuring_have_none_of_it(scenario: str) -> None:
    assert load_scenario(scenario).script.families == ()


def test_the_maker_of_families_is_there_only_with_them(make_desk: MakeDesk) -> None:
    assert MAKER not in make_desk("quiet").sim.exchange.accounts


def test_every_level_pays_in_one_bracket() -> None:
    ladder = bands(1_234, 50, 8)
    assert {sum(band.pays(level) for band in ladder) for level in range(900, 1_600)} == {1}
