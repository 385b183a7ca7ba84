"""What of a source is fitted to the desk it runs on."""

import random
from typing import Any, cast

import httpx
import pytest

from core.feeds import kraken, registry
from core.feeds.budget import Budget
from core.feeds.declaration import Declaration, Family
from core.feeds.feed import Feed, Stamp
from core.feeds.pace import Pace
from core.feeds.quotes import Quote
from core.feeds.registry import Chosen, OffFeed, SourceModule, build_feeds, declarations
from core.feeds.wiring import Transports, Wiring


@pytest.mark.parametrize(("speed", "least_s"), [(1.0, 3), (144.0, 432), (3_600.0, 10_800)])
def test_in_a_fast_world_no_limit_of_age_is_under_three_real_seconds(
    virtual: Any, speed: float, least_s: int
) -> None:
    shared = Transports(
        cast(httpx.AsyncClient, None), cast(Any, None), virtual.clocks(speed), random.Random(1), "test",
        lambda _: None,
    )  # fmt: skip
    off = {of.name: Chosen(False, "It is off.") for of in declarations()}
    limits = [feed.health().stale_after_s for feed in build_feeds(off, (), shared)]
    assert limits == [max(of.stale_after_s, least_s) for of in declarations()]


def test_whatever_a_source_calls_itself_its_values_bear_its_declarations_name(
    virtual: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []
    shared = Transports(
        cast(httpx.AsyncClient, None),
        cast(Any, None),
        virtual.clocks(),
        random.Random(1),
        "test",
        told.append,
    )

    def misspelt(wiring: Wiring) -> Feed:
        wiring.shared.sink(Quote("BTC/USD", "krakken", 1.0, None, None, Stamp(1, 1, 1), 3))
        return OffFeed(wiring.of, "")

    monkeypatch.setattr(registry, "SOURCES", (SourceModule(kraken.DECLARATION, misspelt),))
    build_feeds({"kraken": Chosen(True)}, (), shared)
    assert [(value.source, value.value) for value in told] == [("kraken", 1.0)]


@pytest.mark.parametrize("of", declarations(), ids=lambda of: of.name)
def test_only_the_weather_may_be_slow_to_answer(virtual: Any, of: Declaration) -> None:
    waits: list[float] = []

    def handler(request: httpx.Request) -> httpx.Response:
        waits.append(request.extensions["timeout"]["read"])
        return httpx.Response(404)

    async def ask() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as client:
            clocks = virtual.clocks()
            shared = Transports(client, cast(Any, None), clocks, random.Random(1), "test", lambda _: None)
            wiring = Wiring(of, {"api": "http://x"}, 1.0, Budget(of.quotas, clocks), Pace(clocks), shared)
            await wiring.fetcher("api", "application/json").get("/")

    virtual.run(ask())
    assert waits == [20.0 if of.family is Family.WEATHER else 10.0]
