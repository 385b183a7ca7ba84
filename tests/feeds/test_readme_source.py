"""The README's example of a source of one's own runs as it stands, on its own simulator."""

import random
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from core.feeds.budget import Budget
from core.feeds.feed import FeedState
from core.feeds.pace import Pace
from core.feeds.quotes import Quote
from core.feeds.values import FeedValue
from core.feeds.wiring import Transports, Wiring
from tests.feeds.simulated import World
from tests.feeds.sockets import into

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture
def examples() -> tuple[dict[str, Any], dict[str, Any]]:
    """The names both modules define."""
    source, simulator = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    names: tuple[dict[str, Any], dict[str, Any]] = ({"__name__": "office"}, {"__name__": "sim_office"})
    exec(compile(source, "office.py", "exec"), names[0])
    exec(compile(simulator, "sim_office.py", "exec"), names[1])
    return names


def test_the_readmes_source_tells_of_the_simulated_world(
    virtual: Any, examples: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    source, simulator = examples
    world = World(virtual, only=("none",))
    around, clocks = world.around, world.clocks
    got: list[FeedValue] = []
    client = httpx.AsyncClient(transport=httpx.ASGITransport(Starlette(routes=simulator["routes"](around))))
    of = source["DECLARATION"]
    shared = Transports(client, into(Starlette()), clocks, random.Random(1), "pmconsole/test", got.append)
    urls = {role: f"http://sim{path}" for role, path in simulator["ADDRESSES"][of.name].items()}
    wiring = Wiring(of, urls, of.every_s, Budget(of.quotas, clocks), Pace(clocks), shared)
    made = source["feed"](wiring)
    virtual.run_for(5, made.run)
    assert made.health().state is FeedState.OK
    assert len(got) > 2 and all(isinstance(value, Quote) and value.name == "EUR/USD" for value in got)
    assert isinstance(got[-1], Quote)
    assert got[-1].value == around.prices.value("EUR/USD", got[-1].stamp.event_ms)
