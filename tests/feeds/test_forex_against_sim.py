"""Twelve Data and Yahoo against their simulators, each with what its format can have wrong."""

from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import pytest
from starlette.applications import Starlette

from core.engine.told import Told
from core.feeds import twelve_data, yahoo
from core.feeds.feed import FeedState
from core.feeds.merge import MergeState
from core.feeds.quotes import Quote
from core.sim.feeds import twelve_data as sim_twelve_data
from core.sim.feeds import yahoo as sim_yahoo
from core.sim.feeds.around import SIMULATED_KEY, build_around
from core.sim.scenarios.loader import load_scenario
from core.sim.weather import Calendar, Weather
from core.venues.socket import SocketError
from tests.feeds.service import Service

TUESDAY_MS = int(datetime(2026, 11, 24, 15, tzinfo=UTC).timestamp()) * 1000
SATURDAY_MS = int(datetime(2026, 11, 28, 15, tzinfo=UTC).timestamp()) * 1000


class Played(Service):
    """A source's feed on its simulator; ``sim`` has the switches."""

    def __init__(self, virtual: Any, source: ModuleType, sim: type, now_ms: int = TUESDAY_MS, **wish: Any):
        clocks = virtual.clocks(1.0, now_ms)
        weather = Weather(load_scenario("demo"), Calendar(0), now_ms, seed=1)
        around = build_around(weather, clocks.real, clocks.world, seed=1)
        self.sim, self.prices = sim(around), around.prices
        module = sim_yahoo if source is yahoo else sim_twelve_data
        [paths] = module.ADDRESSES.values()
        urls = {role: f"http://sim{path}" for role, path in paths.items()}
        whole = {"key": SIMULATED_KEY, "app": Starlette(routes=self.sim.routes()), "urls": urls} | wish
        super().__init__(virtual, source.DECLARATION, source.feed, now_ms, **whole)

    def quotes(self, name: str) -> list[Quote]:
        return [quote for quote in self.told if quote.name == name]


def streamed(virtual: Any, now_ms: int = TUESDAY_MS, **wish: Any) -> Played:
    return Played(virtual, twelve_data, sim_twelve_data.TwelveData, now_ms, **wish)


def asked(virtual: Any, now_ms: int = TUESDAY_MS, **wish: Any) -> Played:
    return Played(virtual, yahoo, sim_yahoo.Yahoo, now_ms, **wish)


def test_twelve_data_streams_both_pairs_with_several_prices_a_second(virtual: Any) -> None:
    played = streamed(virtual)
    health = played.run(40).health()
    assert health.state is FeedState.OK
    assert played.requests == []
    for name in ("EUR/USD", "USD/JPY"):
        quotes = played.quotes(name)
        stamps = [quote.stamp.event_ms for quote in quotes]
        assert len(set(stamps)) < len(stamps)
        assert all(at % 1000 == 0 for at in stamps)
        last = quotes[-1]
        assert last.value == pytest.approx(played.prices.value(name, last.stamp.event_ms), rel=1e-4)
        assert last.bid is not None
        assert last.ask is not None
        assert last.bid < last.value < last.ask


def test_a_pair_the_plan_does_not_stream_comes_by_quote(virtual: Any) -> None:
    played = streamed(virtual)
    played.sim.refused = {"USD/JPY"}
    assert played.run(20).health().state is FeedState.OK
    assert [quote.bid is None for quote in played.quotes("USD/JPY")] == [True]


@pytest.mark.parametrize("fault", ["silent", "frozen"])
def test_a_pair_on_which_nothing_new_comes_is_asked_for(virtual: Any, fault: str) -> None:
    played = streamed(virtual)
    setattr(played.sim, fault, {"EUR/USD"})
    health = played.run(80).health()
    assert health.state is FeedState.OK
    assert "silent on EUR/USD" in health.detail
    assert played.quotes("EUR/USD")[-1].bid is None


def test_a_provider_that_answers_no_heartbeat_is_connected_to_anew(virtual: Any) -> None:
    played = streamed(virtual, SATURDAY_MS)
    played.sim.mute = True
    assert played.run(29).health().failures == 0
    assert played.run(35).health().failures == 1


def test_an_older_connection_is_closed_for_a_newer_one(virtual: Any) -> None:
    played = streamed(virtual)
    url, connect = played.wiring.urls["stream"], played.wiring.shared.sockets

    async def both() -> None:
        older, newer = [await connect(url, {"X-TD-APIKEY": SIMULATED_KEY}) for _ in range(2)]
        with pytest.raises(SocketError, match="a newer connection has taken the place of this one"):
            await older.recv()
        await newer.send(b'{"action": "heartbeat"}')
        assert await newer.recv() == b'{"event":"heartbeat","status":"ok"}'
        await newer.close()

    virtual.run(both())


def test_more_questions_than_credits_come_as_an_error_under_200(virtual: Any) -> None:
    played = streamed(virtual)
    played.sim.refused = {"EUR/USD"}
    played.sim.spent_credits = {TUESDAY_MS // 60_000: 8}
    health = played.run(15).health()
    assert health.state is FeedState.SPENT
    assert "run out of API credits for the current minute" in health.detail
    assert played.run(70).health().state is FeedState.OK


def test_a_key_the_provider_does_not_know_is_refused_on_both_ways(virtual: Any) -> None:
    played = streamed(virtual, key="another")
    assert played.run(100).health().state is FeedState.AUTH
    assert len(played.requests) == 2


def test_on_a_weekend_both_are_quiet(virtual: Any) -> None:
    played = streamed(virtual, SATURDAY_MS)
    assert played.run(200).health().state is FeedState.CLOSED, "nothing is due: it waits for no one"
    assert (played.told, played.requests) == ([], [])


def test_yahoo_tells_of_pairs_indices_and_volatility_in_spite_of_gaps(virtual: Any) -> None:
    played = asked(virtual)
    health = played.run(70).health()
    assert health.state is FeedState.OK
    assert {quote.name for quote in played.told} == set(yahoo.LISTINGS)
    for quote in played.told:
        assert quote.value == pytest.approx(played.prices.value(quote.name, quote.stamp.event_ms), rel=1e-3)


def test_a_frozen_yahoo_is_stale(virtual: Any) -> None:
    played = asked(virtual, follows=("EUR/USD", "SPX"))
    played.sim.frozen = {"^GSPC": TUESDAY_MS}
    health = played.run(190).health()
    assert health.state is FeedState.STALE
    assert health.detail == "SPX 3m old"
    assert len(played.quotes("SPX")) == 1
    assert len(played.quotes("EUR/USD")) == 4


def test_what_yahoo_says_instead_of_data(virtual: Any) -> None:
    played = asked(virtual, follows=("EUR/USD",))
    played.sim.empty = {"EURUSD=X"}
    assert "without a price" in played.run(1).health().detail
    played = asked(virtual, follows=("EUR/USD",))
    played.sim.consent = True
    assert "a page for people" in played.run(1).health().detail
    played = asked(virtual, follows=("EUR/USD",))
    played.sim.throttled = True
    assert "HTTP 429: it is not asked for ten minutes" in played.run(1).health().detail
    assert played.told == []


def test_both_come_to_one_quote_a_pair(virtual: Any) -> None:
    told = Told()
    for played in (streamed(virtual), asked(virtual)):
        played.run(20)
        for quote in played.told:
            told.absorb(quote)
    for pair in told.merged(TUESDAY_MS + 21_000):
        assert pair.state is MergeState.OK
        assert pair.quote is not None
        assert pair.quote.source == "twelve-data"
        assert pair.apart_bp is not None
        assert pair.apart_bp < 3
