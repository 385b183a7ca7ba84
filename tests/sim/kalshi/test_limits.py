"""Token buckets: what a call costs, when it is refused, when it passes again."""

from __future__ import annotations

import pytest

from core.domain.units import parse_money
from core.sim.contracts import EventSpec, MarketSpec
from core.sim.kalshi.limits import Kind, Limiter, Tier


@pytest.mark.parametrize(
    ("tier", "read", "write"),
    [
        (Tier.BASIC, (200, 400), (100, 100)),
        (Tier.ADVANCED, (300, 600), (300, 600)),
        (Tier.EXPERT, (600, 600), (600, 1_200)),
        (Tier.PRESTIGE, (10_000, 10_000), (8_000, 16_000)),
    ],
)
def test_tiers_have_the_published_budgets(tier, read, write):
    assert (tier.read, tier.write) == (read, write)


def test_a_bucket_is_paid_whole_and_refills_with_real_time(floor):
    limiter = Limiter(floor.clock, Tier.BASIC)
    assert all(limiter.take("ann", Kind.WRITE, 10) for _ in range(10))
    assert not limiter.take("ann", Kind.WRITE, 2)
    assert limiter.take("bob", Kind.WRITE, 100)
    floor.clock.ms += 20
    assert limiter.take("ann", Kind.WRITE, 2)
    assert not limiter.take("ann", Kind.WRITE, 1)
    floor.clock.ms += 60_000
    assert not limiter.take("ann", Kind.WRITE, 101)
    assert limiter.take("ann", Kind.WRITE, 100)


async def test_an_empty_bucket_answers_429_without_advice(desk):
    desk.limiter.tiers["ann"] = Tier.BASIC
    for _ in range(10):
        assert (await desk.create()).status_code == 201
    answer = await desk.create()
    assert (answer.status_code, answer.content) == (429, b'{"error":"too many requests"}')
    assert not any("retry" in name or "ratelimit" in name for name in answer.headers)
    assert len(desk.exchange.account("ann").working) == 10
    desk.floor.clock.ms += 100
    assert (await desk.create()).status_code == 201


async def test_cancels_are_cheap_and_batches_pay_for_every_order_at_once(desk, body_of):
    desk.limiter.tiers["ann"] = Tier.BASIC
    batch = await desk.call("POST", "/portfolio/events/orders/batched", json={"orders": [body_of()] * 11})
    assert batch.status_code == 429
    batch = await desk.call("POST", "/portfolio/events/orders/batched", json={"orders": [body_of()] * 10})
    ids = [row["order_id"] for row in batch.json()["orders"]]
    desk.floor.clock.ms += 20
    assert (await desk.call("DELETE", f"/portfolio/events/orders/{ids[0]}")).status_code == 200
    assert (await desk.call("DELETE", f"/portfolio/events/orders/{ids[1]}")).status_code == 429
    desk.floor.clock.ms += 180
    entries = {"orders": [{"order_id": i} for i in ids[1:]]}
    assert (await desk.call("DELETE", "/portfolio/events/orders/batched", json=entries)).status_code == 200


async def test_balance_has_its_own_bucket(desk):
    desk.limiter.tiers["ann"] = Tier.ADVANCED
    assert (await desk.call("GET", "/portfolio/balance")).status_code == 200
    assert (await desk.call("GET", "/portfolio/balance")).status_code == 429
    assert (await desk.call("GET", "/portfolio/positions")).status_code == 200
    desk.floor.clock.ms += 1_000
    assert (await desk.call("GET", "/portfolio/balance")).status_code == 200


async def test_limits_and_costs_are_told(desk, rest_spec):
    desk.limiter.tiers["ann"] = Tier.ADVANCED
    limits = await desk.call("GET", "/account/limits")
    rest_spec.response("GET", "/account/limits", limits)
    assert limits.json()["write"] == {"refill_rate": 300, "bucket_capacity": 600}
    costs = await desk.http.get("/trade-api/v2/account/endpoint_costs")
    rest_spec.response("GET", "/account/endpoint_costs", costs)
    told = {(row["method"], row["path"]): row["cost"] for row in costs.json()["endpoint_costs"]}
    assert told == {
        ("GET", "/trade-api/v2/portfolio/orders/{order_id}"): 2,
        ("POST", "/trade-api/v2/account/api_usage_level/upgrade"): 30,
        ("DELETE", "/trade-api/v2/portfolio/events/orders"): 2,
        ("DELETE", "/trade-api/v2/portfolio/events/orders/{order_id}"): 2,
        ("DELETE", "/trade-api/v2/portfolio/events/orders/batched"): 2,
    }


def test_a_call_pays_in_all_its_lanes_or_in_none(floor):
    limiter = Limiter(floor.clock, Tier.BASIC)
    assert limiter.take("ann", Kind.WRITE, 100, (2,))
    assert not limiter.take("ann", Kind.WRITE, 10, (0, 1, 2, 3))
    assert limiter.take("ann", Kind.WRITE, 100, (0,))


async def test_orders_routed_by_ticker_are_billed_on_every_shard(desk, body_of):
    """Named shards pay for themselves, batches and shard 0 from the unscoped bucket."""
    desk.limiter.tiers["ann"] = Tier.BASIC
    desk.exchange.deposit("ann", parse_money("100"), 2)
    start = desk.floor.clock.ms
    spec = MarketSpec("C-1", "C", "KXHIGHNY", "t", "y", "less", start, start + 10**9, exchange_index=2)
    desk.exchange.list_event(EventSpec("C", "KXHIGHNY", "t", "s", (spec,), exchange_index=2))

    async def sent(times: int, **change) -> list[int]:
        return [(await desk.create(price="0.10", count="1.00", **change)).status_code for _ in range(times)]

    assert await sent(5, ticker="C-1", exchange_index=2) == [201] * 5
    assert await sent(6) == [201] * 5 + [429]
    assert await sent(6, exchange_index=0) == [201] * 5 + [429]
    assert await sent(1, ticker="C-1", exchange_index=2) == [429]
    desk.floor.clock.ms += 1_000
    order = next(iter(desk.exchange.account("ann").working))
    path = f"/portfolio/events/orders/{order}?market_ticker=C-1"
    assert (await desk.call("DELETE", path)).status_code == 200
    batch = {"orders": [body_of(ticker="C-1", exchange_index=2, price="0.10", count="1.00")] * 9}
    assert (await desk.call("POST", "/portfolio/events/orders/batched", json=batch)).status_code == 201
    assert await sent(10, ticker="C-1", exchange_index=2) == [201] * 9 + [429]
