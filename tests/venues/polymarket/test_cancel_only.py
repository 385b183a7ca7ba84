"""Whoever stands in for the engine takes every order off with the API key alone, and proves it on SIM."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from core.config.paths import Environment
from core.domain.clock import Clocks
from core.domain.order import BookSide, Purpose
from core.sim.polymarket.modes import Mode
from core.venues.address import VenueAddressError
from core.venues.polymarket.cancel_only import PolymarketCancelOnly
from core.venues.polymarket.hosts import Addresses
from core.venues.strike import Receipt, strike
from core.venues.venue import Accepted, Incomplete
from tests.venues.polymarket.scripted import CREDENTIALS
from tests.venues.polymarket.sim_venue import TICKER, Pit, Transport

Run = Callable[[Any], Any]


class Noted(Transport):
    """SIM's REST that remembers what it was asked."""

    def __init__(self, pit: Pit) -> None:
        super().__init__(pit.desk)
        self.asked: list[tuple[str, str]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((request.method, request.url.path))
        return await super().handle_async_request(request)


def standing_in(pit: Pit, transport: Noted) -> PolymarketCancelOnly:
    return PolymarketCancelOnly(
        pit.config.addresses,
        Environment.SIM,
        pit.config.credentials,
        clocks=pit.clocks,
        rng=random.Random(2),
        on_anomaly=lambda what, detail: None,
        transports=lambda _: transport,
    )


async def rested(pit: Pit, count: int) -> None:
    for price in range(100, 100 + 100 * count, 100):
        outcome = await pit.place(BookSide.BID, Purpose.OPEN, price, 10)
        assert isinstance(outcome, Accepted), outcome


def struck(virtual: Run, clocks: Clocks, before: Callable[[Pit], None]) -> tuple[int, Noted, Receipt]:
    """How many orders rest after a strike, what was asked, and what it says."""

    async def main() -> tuple[int, Noted, Receipt]:
        pit = Pit(clocks)
        asked = Noted(pit)
        async with pit.running(TICKER):
            await rested(pit, 3)
            dog = standing_in(pit, asked)
            found = await dog.resting()
            assert not isinstance(found, Incomplete) and len(found) == 3
            before(pit)
            receipt = await strike(dog, {"a group of another venue": "0"}, clocks.mono_ns)
            await dog.close()
            return len(pit.exchange.open_orders(pit.key)), asked, receipt

    found: tuple[int, Noted, Receipt] = virtual(main())
    return found


def test_one_call_takes_everything_off(virtual: Run, virtual_clocks: Clocks) -> None:
    left, asked, receipt = struck(virtual, virtual_clocks, lambda pit: None)
    assert left == 0 and receipt.took_ms < 3_000
    assert str(receipt).startswith("0 groups triggered, everything cancelled, 0 cancelled by id")
    assert ("DELETE", "/cancel-all") in asked.asked
    assert {method for method, _ in asked.asked} == {"DELETE", "GET"}, "it can only read and cancel"
    assert not any("heartbeat" in path for _, path in asked.asked)


def test_it_goes_on_until_the_venue_has_done_it(virtual: Run, virtual_clocks: Clocks) -> None:
    """An engine that restarts refuses cancels too; what was cancelled must be proved afterwards."""

    def restart(pit: Pit) -> None:
        pit.exchange.engine.restart(pit.clocks.wall_ms(), 20_000)

    left, asked, receipt = struck(virtual, virtual_clocks, restart)
    assert left == 0 and receipt.unanswered == 0
    assert 20_000 <= receipt.took_ms < 40_000
    assert asked.asked.count(("DELETE", "/cancel-all")) > 5


def test_cancels_pass_while_orders_do_not(virtual: Run, virtual_clocks: Clocks) -> None:
    left, _, receipt = struck(
        virtual, virtual_clocks, lambda pit: pit.exchange.engine.enter(Mode.CANCEL_ONLY)
    )
    assert left == 0 and receipt.took_ms < 3_000


def test_it_is_reached_on_the_venues_hosts_only() -> None:
    with pytest.raises(VenueAddressError):
        PolymarketCancelOnly(
            Addresses(clob="https://clob.example.com"),
            Environment.PRODUCTION,
            CREDENTIALS,
            clocks=Any,  # type: ignore[arg-type]
            rng=random.Random(1),
            on_anomaly=lambda what, detail: None,
        )
