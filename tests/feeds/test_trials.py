"""A test of every source the simulator serves: one that works passes, whatever its provider's format is."""

from __future__ import annotations

import asyncio
from typing import Any

from core.feeds.feed import FeedState
from core.feeds.registry import declarations
from core.feeds.trial import price_of
from tests.feeds.simulated import World


def test_a_test_of_every_working_source_passes_and_a_declared_question_is_one_request(virtual: Any) -> None:
    world = World(virtual)
    of = {one.name: one for one in declarations()}
    refused: dict[str, str] = {}

    async def script() -> None:
        await asyncio.sleep(30)
        for feed in world.feeds:
            health = feed.health()
            if health.state is not FeedState.OK:
                continue
            tried = await feed.trial()
            assert price_of(of[health.source]).endswith(".")
            if not tried.passed:
                refused[health.source] = tried.text

    world.run(script)
    assert not refused
    probed = World(virtual, only=["nws-grid", "open-meteo", "open-meteo-ensemble", "odds-api"])

    async def ask_each() -> None:
        async with probed.client:
            for feed in probed.feeds:
                if feed.health().state is not FeedState.OFF:
                    tried = await feed.trial()
                    assert tried.passed and "bytes of application/" in tried.text, tried.text

    virtual.run(ask_each())
    asked = {provider: len(times) for provider, times in probed.asked.items()}
    assert sum(asked.values()) == 4, asked
