"""The network of ``pmconsole sim --faults``: faults of a seed, and a market that takes what is named."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from core.domain.clock import SystemClock
from core.domain.units import Quantity
from core.sim import process
from core.sim.fault_kinds import RULES, FaultKind, Matter, Point
from core.sim.faulty import NETWORK, faulty_network, network_faults, told
from core.sim.orders import BookSide
from core.sim.plan import steady, swarm
from core.sim.process import SimOptions, serve
from tests.sim.conftest import TICKERS, Floor


def test_a_seed_has_the_faults_of_the_campaign_without_acts_of_the_world() -> None:
    for seed in range(20):
        wanted = [h for h in swarm(seed).habits if h.kind in NETWORK]
        assert list(network_faults(seed).habits) == wanted
    assert FaultKind.X19 not in NETWORK and FaultKind.N12 in NETWORK
    assert told(network_faults(3)).startswith("network faults of seed 3: ")


@pytest.mark.parametrize("by", ["path", "body", "batch"])
def test_the_market_takes_exactly_the_order_a_request_is_about(floor: Floor, by: str) -> None:
    ours = floor.placed("ann", BookSide.BID, "0.40", 5, client_order_id="pm-1").order
    other = floor.placed("ann", BookSide.BID, "0.39", 7, client_order_id="pm-2").order
    proxy = faulty_network(network_faults(1), ("127.0.0.1", 1), floor.clock, floor.exchange, "ann", "bob")
    path, body = {
        "path": (f"/portfolio/events/orders/{ours.order_id}?market_ticker=x", b""),
        "body": ("/portfolio/events/orders", b'{"client_order_id":"pm-1","ticker":"K"}'),
        "batch": (
            "/portfolio/events/orders/batched",
            json.dumps({"orders": [{"order_id": ours.order_id}]}).encode(),
        ),
    }[by]
    proxy.trade(path, body)
    assert (ours.filled, other.filled) == (5_000_000, 0)
    assert floor.position("ann", TICKERS[0]) == Quantity(5_000_000)


def test_a_body_that_is_no_json_names_nothing(floor: Floor) -> None:
    ours = floor.placed("ann", BookSide.BID, "0.40", 5).order
    proxy = faulty_network(network_faults(1), ("127.0.0.1", 1), floor.clock, floor.exchange, "ann", "bob")
    proxy.trade("/portfolio/events/orders", b"\xff{")
    assert ours.filled == 0


async def test_sim_serves_behind_the_faults(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(process, "network_faults", lambda seed: steady(FaultKind.N12, rate=0.5, seed=seed))
    lines: asyncio.Queue[str] = asyncio.Queue()
    serving = asyncio.create_task(
        serve(SimOptions(scenario="quiet", speed=144.0, faults=4), SystemClock(), lines.put_nowait)
    )
    ready: dict[str, Any] = json.loads(await lines.get())
    async with httpx.AsyncClient() as client:
        url = f"{ready['kalshi']['rest']}/exchange/status"
        statuses = [(await client.get(url)).status_code for _ in range(12)]
        url = f"{ready['polymarket']['clob']}/version"
        others = [(await client.get(url)).status_code for _ in range(12)]
    serving.cancel()
    await asyncio.wait([serving])
    assert set(statuses) == set(others) == {200, 429}
    assert "network faults of seed 4: N12 429 on everything" in capfd.readouterr().err


def test_points_and_matters_have_each_their_rules() -> None:
    for rule in RULES:
        assert (rule.point is Point.WORLD) == (not rule.matters)
        assert rule.point is not Point.FRAME or Matter.CREATE not in rule.matters
