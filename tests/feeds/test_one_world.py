"""Whoever shows a part of the simulated world shows the same world."""

import asyncio
import json
from importlib.resources import files
from typing import Any

import pytest

from core.domain.clock import WorldClock
from core.feeds.declaration import Family
from core.feeds.quotes import OptionMark, Quote, Volatility
from core.feeds.registry import declarations
from core.feeds.sports import Game
from core.sim.kalshi.indices import Beat, Indices, Tick, body
from core.sim.releases import FOMC_DAYS
from tests.feeds.simulated import World
from tests.sim.listening import Following

APART = 1e-3
"""Sources read a price a little their own way; some tell of it a while later."""
DOLLARS = {"BTC/USDT": "BTC/USD", "ETH/USDT": "ETH/USD"}


def test_every_source_tells_of_one_set_of_prices_and_games(virtual: Any) -> None:
    priced = (Family.FOREX, Family.MARKETS, Family.SPORTS)
    world = World(virtual, only=[of.name for of in declarations() if of.family in priced])
    prices, games = world.around.prices, world.around.games

    async def script() -> None:
        await asyncio.sleep(6)

    world.run(script)
    told: dict[str, set[str]] = {}
    for value in world.got:
        event_ms = value.stamp.event_ms
        match value:
            case Quote(name=name, source=source, value=quoted):
                of = DOLLARS.get(name, name)
                apart = 3 * APART if of != name else APART
                assert quoted == pytest.approx(prices.value(of, event_ms), rel=apart), (name, source)
                told.setdefault(of, set()).add(source)
            case Volatility(name=name, source=source, percent=percent):
                assert percent == pytest.approx(prices.value(name, event_ms), rel=APART), (name, source)
                told.setdefault(name, set()).add(source)
            case OptionMark(source=source, underlying=underlying, instrument=instrument):
                of = f"{instrument[:3]}/USD"
                assert underlying == pytest.approx(prices.value(of, event_ms), rel=APART), instrument
            case Game(home=home, away=away, starts_ms=starts_ms, books=books):
                (game,) = [
                    game
                    for game in games.between(starts_ms, starts_ms)
                    if (game.home, game.away) == (home, away)
                ]
                chance = games.chances(game, event_ms).home
                for book in books:
                    if book.market == "h2h":
                        inverse = {offer.outcome: 1 / offer.decimal for offer in book.offers}
                        assert inverse[home] / sum(inverse.values()) == pytest.approx(chance, abs=0.06), book
                told.setdefault("games", set()).add(value.source)
    assert len(told["BTC/USD"]) >= 4 and len(told["ETH/USD"]) >= 4
    assert {"DVOL BTC", "DVOL ETH", "SPY", "games"} <= told.keys()


def test_kalshis_index_is_what_the_exchanges_trade_at(virtual: Any) -> None:
    world = World(virtual, only=["coinbase", "kraken"])
    ticks: list[Tick] = []
    indices = Indices()
    indices.listeners.append(ticks.append)
    origin: WorldClock = world.clocks.world
    beat = Beat(indices, world.around.prices, origin, Following({"BRTI"}))

    async def script() -> None:
        for _ in range(10):
            await asyncio.sleep(1)
            beat.step(world.clocks.wall_ms())

    world.run(script)
    quoted = [value for value in world.got if isinstance(value, Quote) and value.name == "BTC/USD"]
    assert {value.source for value in quoted} == {"coinbase", "kraken"}
    for tick in ticks:
        said = json.loads(json.loads(body(tick, 0))["data"])
        near = min(quoted, key=lambda value: abs(value.stamp.event_ms - said["time"]))
        assert abs(near.stamp.event_ms - said["time"]) <= 1_000 * origin.speed
        assert float(said["value"]) == pytest.approx(near.value, rel=5 * APART), "two minutes apart at most"


def test_the_feds_days_of_the_simulated_world_are_shipped_ones() -> None:
    rows = files("core.feeds.data").joinpath("fomc.csv").read_text(encoding="utf-8").splitlines()
    shipped = {row.split(",")[1].split()[0] for row in rows if row.startswith("FOMC,")}
    assert {day.isoformat() for day in FOMC_DAYS} <= shipped
