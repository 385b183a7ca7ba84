"""The benchmark's pump on this venue: one price change an act, every frame counted."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from core.sim.polymarket.stream import Channel, Connection


def test_every_act_is_one_price_change_and_every_frame_is_counted(make_desk: Callable[..., Any]) -> None:
    sim, clock = (desk := make_desk("load")).sim, desk.clock
    stream, pump = sim.polymarket.stream, sim.pumps["polymarket-pump.json"]
    markets = list(sim.polymarket.exchange.markets.values())
    assert len(markets) == 500
    clock.ms += 60_000
    assert pump.step() is False and pump.report()["sent"] == 0, "nobody follows the books yet"
    connection = Connection(Channel.MARKET, lambda: None, lambda: None)
    stream.join(connection)
    asked = {"assets_ids": [market.spec.tokens[0] for market in markets], "custom_feature_enabled": True}
    stream.handle(connection, json.dumps({"type": "market", **asked}))
    assert len(connection.queue) == stream.sent == 1, "the opening books are one frame"
    connection.queue.clear()
    clock.ms += 6_000
    for _ in range(4):
        clock.ms += 500
        pump.step()
    kinds = Counter[str]()
    for frame in connection.queue:
        found = json.loads(frame)
        kinds.update(body["event_type"] for body in (found if isinstance(found, list) else [found]))
    assert pump.report()["sent"] == kinds["price_change"] == 6_000
    assert kinds["book"] > 50 and kinds["best_bid_ask"] > 50
    assert pump.report()["frames"] == 1 + len(connection.queue)
