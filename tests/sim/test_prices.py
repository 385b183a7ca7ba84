"""Prices by seed and instant: one path for all, as volatile as the table says, still while closed."""

import itertools
import math
import statistics

import pytest

from core.sim.new_york import DAY_MS, instant_ms
from core.sim.prices import THINGS, Prices, Thing

NOON_MS = 1_796_130_000_000
"""Tuesday 2026-12-01 13:00Z: currencies trade, stocks do not yet."""


def test_an_instant_has_one_price_whatever_was_asked_before() -> None:
    one, other = Prices(7), Prices(7)
    instants = [NOON_MS + n * 977 for n in range(50)]
    forward = [one.value("BTC/USD", at) for at in instants]
    assert forward == [other.value("BTC/USD", at) for at in reversed(instants)][::-1]
    assert forward != [Prices(8).value("BTC/USD", at) for at in instants]


@pytest.mark.parametrize("thing", THINGS, ids=lambda thing: thing.name)
def test_prices_stay_around_their_level_with_bid_under_ask(thing: Thing) -> None:
    prices = Prices(3)
    name = thing.name
    for day in range(0, 1000, 50):
        at = NOON_MS + day * DAY_MS
        value, (bid, ask) = prices.value(name, at), prices.bid_ask(name, at)
        assert bid <= value <= ask
        assert bid < ask
        assert 0.2 < value / prices.things[name].start < 5


def test_bitcoin_moves_as_its_volatility_says_over_seconds_and_hours() -> None:
    prices = Prices(1)
    told = math.hypot(*prices.things["BTC/USD"].loads.values())
    for step_s, seconds_a_year in ((1, 365.25 * 86_400), (3_600, 365.25 * 86_400)):
        path = [prices.value("BTC/USD", NOON_MS + n * step_s * 1000) for n in range(700)]
        moves = [math.log(b / a) for a, b in itertools.pairwise(path)]
        assert statistics.pstdev(moves) * math.sqrt(seconds_a_year / step_s) == pytest.approx(told, rel=0.1)


def test_a_price_goes_on_where_one_span_of_its_factors_ends() -> None:
    prices, week_ms = Prices(1), 7 * DAY_MS
    ends = 12 * week_ms * (NOON_MS // (12 * week_ms)) + 4 * DAY_MS  # weeks are counted from a Monday
    for span in range(6):
        at = instant_ms(ends + span * 12 * week_ms)
        before, after = (prices.value("BTC/USD", at + ms) for ms in (-1_000, 1_000))
        assert after == pytest.approx(before, rel=1e-3)


def test_an_index_is_the_price_and_a_fund_is_the_index_scaled() -> None:
    prices = Prices(5)
    for day in range(10):
        at = NOON_MS + day * DAY_MS
        assert prices.value("BRTI", at) == prices.value("BTC/USD", at)
        assert prices.value("ETHUSD_RTI", at) == prices.value("ETH/USD", at)
        basis = prices.value("SPY", at) / prices.value("SPX", at)
        assert basis == pytest.approx(749.10 / 7512.0, rel=2e-5)


def test_a_closed_market_keeps_its_last_price() -> None:
    prices = Prices(5)
    saturday = 1_795_867_200_000
    friday = prices.last_ms("EUR/USD", saturday)
    assert not prices.is_open("EUR/USD", saturday)
    assert saturday - friday == 14 * 3_600_000
    assert prices.value("EUR/USD", saturday) == prices.value("EUR/USD", friday)
    assert prices.value("EUR/USD", friday - 60_000) != prices.value("EUR/USD", friday)


def test_sources_read_a_price_a_little_their_own_way() -> None:
    prices = Prices(5)
    apart = [
        math.log(prices.value("BTC/USD", at, "kraken") / prices.value("BTC/USD", at, "coinbase"))
        for at in range(NOON_MS, NOON_MS + 3_000_000, 15_000)
    ]
    assert 0.5e-4 < statistics.pstdev(apart) < 2.5e-4
