"""Chainlink's aggregators by network, as data: proxies seen in public listings of 2026.

Heartbeats that are not published are taken short: at worst a value is called old too soon. Networks that
need a sequencer's word before a value may be used are not in it.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from core.feeds.hours import FX_WEEK, Hours
from core.feeds.sanity import Bounds

BOUNDS = {
    "BTC/USD": Bounds(1_000.0, 10_000_000.0, 0.5),
    "ETH/USD": Bounds(50.0, 1_000_000.0, 0.5),
    "SPY": Bounds(50.0, 5_000.0, 0.25),
}
"""What a price of each can be: an answer that is scaled otherwise than its contract says is none."""


class Aggregator(msgspec.Struct, frozen=True):
    """One price on one network."""

    proxy: str
    description: str
    """What the contract must say it is, spaces aside."""
    heartbeat_s: int
    """It is updated at least so often while ``hours`` last."""
    hours: Hours | None = None
    """None: always."""


class Chain(msgspec.Struct, frozen=True):
    """One network with what it has, by the desk's names."""

    name: str
    aggregators: Mapping[str, Aggregator]


CHAINS: Mapping[int, Chain] = {
    1: Chain(
        "Ethereum",
        {
            "BTC/USD": Aggregator("0xF4030086522a5bEEa4988F8cA5B36dbC97BeE88c", "BTC/USD", 3_600),
            "ETH/USD": Aggregator("0x5f4eC3Df9cbd43714FE2740f5E3616155c5b8419", "ETH/USD", 3_600),
            "SPY": Aggregator("0x25efbA0d9b115D233cfA849F16BA743E8FFba2a1", "SPY/USD", 3_600, FX_WEEK),
        },
    ),
    137: Chain(
        "Polygon",
        {
            "BTC/USD": Aggregator("0xc907E116054Ad103354f2D350FD2514433D57F6f", "BTC/USD", 60),
            "ETH/USD": Aggregator("0xF9680D99D6C9589e2a93a78A04A279e509205945", "ETH/USD", 60),
        },
    ),
}
"""By chain id. SPY's schedule, 24/5, begins an hour after foreign exchange's week: in that hour it has no
new value, so nothing of it is taken for fresh."""
