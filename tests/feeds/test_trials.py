"""A test of every source the simulator serves: one real request, whatever its provider's format is."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from core.feeds import kraken
from core.feeds.declaration import Probe
from core.feeds.feed import FeedState
from core.feeds.fetch import Body
from core.feeds.registry import declarations
from core.feeds.trial import answered, price_of
from core.sim.feeds.app import addresses
from tests.feeds.simulated import World

SERVED = {of.name: of for of in declarations() if of.name in addresses("http://sim")}


def test_a_test_of_every_source_that_works_passes(virtual: Any) -> None:
    world = World(virtual)
    refused: dict[str, str] = {}

    async def script() -> None:
        await asyncio.sleep(30)
        for feed in world.feeds:
            health = feed.health()
            if health.state is not FeedState.OK:
                continue
            tried = await feed.trial()
            if not tried.passed:
                refused[health.source] = tried.text

    world.run(script)
    assert not refused


@pytest.mark.parametrize("name", SERVED)
def test_a_test_is_exactly_one_request_and_its_price_is_told_first(virtual: Any, name: str) -> None:
    world = World(virtual, only=[name])
    assert price_of(SERVED[name]).startswith("One ")

    async def ask() -> None:
        async with world.client:
            [feed] = (feed for feed in world.feeds if feed.health().state is not FeedState.OFF)
            tried = await feed.trial()
            assert tried.passed, tried.text

    virtual.run(ask())
    assert sum(map(len, world.asked.values())) == 1


def test_what_is_a_file_costs_no_calls() -> None:
    of = {one.name: one for one in declarations()}
    for name in ("fomc", "own-calendar"):
        assert price_of(of[name]) == "Nobody is asked and nothing is spent: a file is read."
    assert price_of(of["kalshi-indices"]).endswith("without an engine a connection is opened for it.")


def test_an_error_under_200_is_told_in_the_providers_words() -> None:
    probe = kraken.DECLARATION.probe
    assert probe is not None
    found = answered(Body(b'{"error":["EGeneral:Temporary lockout"]}', 0, 0), probe)
    assert not found.passed
    assert "EGeneral:Temporary lockout" in found.text
    assert answered(Body(b"", 0, 0), Probe("x", "/x")).passed
