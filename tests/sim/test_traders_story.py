"""The staged three minutes: the same beats for every seed, none of them waiting for anyone."""

from collections.abc import Callable
from typing import Any

import pytest

from core.domain.units import Price, contracts
from core.sim.exchange import BookSide, OrderRequest, Placed
from core.sim.feeds.switchboard import Fault
from core.sim.process import CUSTOMER

MakeDesk = Callable[..., Any]
CENT = 100


def edges_cents(sim: Any, listed: Any) -> dict[str, float]:
    """Best edge of a resting order at the touch, either side, against the newest forecast."""
    beliefs = sim.traders.beliefs
    lag, edges = beliefs.lag(listed.event_ticker), {}
    beliefs.set_lag(listed, 0.0)
    fair = beliefs.fair(listed)
    beliefs.set_lag(listed, lag)
    for ticker in listed.tickers:
        book = sim.exchange.book(ticker)
        value = fair[ticker] * 100
        edges[ticker] = max(value - book.best_bid / CENT, book.best_ask / CENT - value)
    return edges


def read_everything(sim: Any) -> None:
    sim.traders.hear(read=True)
    for station in sim.world.weather.stations:
        sim.traders.look(station, read=True)


@pytest.mark.parametrize("seed", [1, 4, 8, 13, 21])
def test_edges_appear_with_the_forecast_and_go_with_the_overshoot(make_desk: MakeDesk, seed: int) -> None:
    desk = make_desk(seed=seed, families=False)
    sim = desk.sim
    sim.story.begin()
    listed = sim.world.event("KNYC", 1)
    first_high = sim.world.weather.forecast_high_f("KNYC", listed.day, sim.world.now_ms())
    for _ in range(2):
        desk.run(1)
        read_everything(sim)
        assert max(e for x in sim.world.open_listings() for e in edges_cents(sim, x).values()) <= 2.0
    desk.run(4)
    read_everything(sim)
    high = sim.world.weather.forecast_high_f("KNYC", listed.day, sim.world.now_ms())
    assert high == pytest.approx(first_high + 1.5)
    for _ in range(35):
        desk.run(1)
        read_everything(sim)
        ranked = sorted(edges_cents(sim, listed).values(), reverse=True)
        assert all(6.0 <= edge <= 11.0 for edge in ranked[:2]), ranked
        assert ranked[2] <= 2.5, ranked
    desk.run(132 - 41)
    read_everything(sim)
    riser = max(
        listed.tickers, key=lambda t: edges_cents(sim, listed)[t] if sim.exchange.book(t).best_bid else 0
    )
    fair = sim.traders.beliefs.fair(listed)
    lagged = {t for t in listed.tickers if edges_cents(sim, listed)[t] > 4}
    assert riser in lagged and len(lagged) == 2
    overpriced = max(lagged, key=lambda t: fair[t])
    unlagged = fair[overpriced] - 0.08
    # What is held from the first beats now sells above what it is worth, fee included.
    assert sim.exchange.book(overpriced).best_bid / 10_000 > unlagged + 0.07 * 0.25
    desk.run(45)
    read_everything(sim)
    assert sim.traders.beliefs.lag(listed.event_ticker) == 0


def test_faults_come_at_their_time_and_end_by_themselves(make_desk: MakeDesk) -> None:
    desk = make_desk(families=False)
    sim = desk.sim
    sim.story.begin()
    austin = {t for x in sim.world.open_listings() if x.station == "KAUS" for t in x.tickers}
    frozen: list[int] = []
    down: list[int] = []
    for second in range(1, 121):
        desk.run(1)
        if sim.faults.frozen:
            assert sim.faults.frozen == austin
            frozen.append(second)
        if sim.switches.has("open-meteo", Fault.DOWN):
            down.append(second)
        if second == 109:
            assert not sim.faults.hide_if_lost(CUSTOMER, "early")
    assert (frozen[0], frozen[-1]) == (70, 89)
    assert (down[0], down[-1]) == (85, 104)
    assert sim.faults.hide_if_lost(CUSTOMER, "late")


def test_someone_trades_with_our_order_in_part_and_then_with_the_rest(make_desk: MakeDesk) -> None:
    desk = make_desk(seed=5, families=False)
    sim = desk.sim
    sim.story.begin()
    desk.run(20)
    listed = sim.world.event("KMIA", 1)
    ticker = listed.tickers[-1]
    # Two ticks behind the touch, where nobody but the story comes.
    price = Price(sim.exchange.book(ticker).best_bid - 2 * CENT)
    placed = sim.exchange.place(
        OrderRequest(CUSTOMER, ticker, BookSide.BID, price, contracts(20), post_only=True)
    )
    assert isinstance(placed, Placed)
    desk.run(4.8)
    assert placed.order.filled == 0
    desk.run(0.4)
    assert placed.order.filled == contracts(8)
    desk.run(10)
    assert placed.order.remaining == 0
    assert sim.exchange.position(CUSTOMER, ticker) == contracts(20)


def test_the_story_is_told_once(make_desk: MakeDesk) -> None:
    desk = make_desk(families=False)
    desk.sim.story.begin()
    desk.run(30)
    began = desk.sim.story.began_ms
    desk.sim.story.begin()
    assert desk.sim.story.began_ms == began


def test_a_lag_without_a_forecast_takes_the_likeliest_brackets(make_desk: MakeDesk) -> None:
    desk = make_desk("quiet")
    sim = desk.sim
    listed = sim.world.event("KNYC", 1)
    fair = sorted(sim.traders.beliefs.fair(listed).items(), key=lambda item: -item[1])
    sim.traders.lag(listed, 6.0)
    edges = edges_cents(sim, listed)
    lagged = {ticker for ticker, edge in edges.items() if edge > 4}
    assert lagged == {fair[0][0], fair[1][0]}


@pytest.mark.parametrize("seed", [1, 4, 8])
def test_an_undersold_ladder_costs_less_than_a_dollar_for_a_while(make_desk: MakeDesk, seed: int) -> None:
    desk = make_desk("undersold", seed=seed, families=False)
    sim = desk.sim
    sim.story.begin()
    listed, other = (sim.world.event(station, 1) for station in ("KMDW", "KNYC"))

    def together(event: Any) -> int:
        return sum(sim.exchange.book(ticker).best_ask // CENT for ticker in event.tickers)

    desk.run(4)
    assert together(listed) > 100
    desk.run(6)
    for _ in range(22):
        desk.run(5)
        assert together(listed) <= 93, "with five of fees two less than it pays"
        assert together(other) > 100
    desk.run(10)
    assert together(listed) > 100
