"""A flatten without an engine: cancels the account, sells what the venue holds, never turns a position."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.book import Book
from core.domain.clock import REAL_WORLD, Clocks
from core.domain.market import Market, Venue
from core.domain.order import BookSide, OrderIntent, Purpose, TimeInForce
from core.domain.units import Money, Price, Quantity
from core.execution.direct import Direct, Ended
from core.venues.exchange import ExchangeState
from core.venues.venue import (
    UNSEALED,
    CancelOutcome,
    GroupOutcome,
    Incomplete,
    LastCheck,
    OrderReport,
    PlaceOutcome,
    PositionReport,
    Rejected,
    ReportStatus,
    Sealed,
)
from tests.execution.bench import HOT, WARM, ladder
from tests.execution.fake_venue import FakeVenue
from tests.virtual import VirtualClock, VirtualLoop, run_virtual


class Deaf:
    """A listener nobody needs: there is no stream."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: None


class Plain:
    """The fake exchange over plain requests."""

    def __init__(self, venue: FakeVenue) -> None:
        self.venue, self.traits = venue, venue.traits
        self.unable = ""
        self.moving: frozenset[str] = frozenset()

    async def settling(self) -> frozenset[str] | Incomplete:
        return self.moving

    async def groups(self) -> dict[str, str] | Incomplete:
        return {group.group_id: group.part for group in self.venue.groups.values()}

    async def resting(self) -> tuple[OrderReport, ...] | Incomplete:
        return await self.venue.orders(status=ReportStatus.RESTING)

    async def trigger(self, group_id: str, part: str) -> GroupOutcome:
        return await self.venue.trigger_group(self.venue.groups[group_id])

    async def cancel_everything(self) -> GroupOutcome:
        return await self.venue.cancel_everything()

    async def cancel(self, orders: Sequence[OrderReport]) -> tuple[CancelOutcome, ...]:
        return await self.venue.cancel([(o.order_id, o.ticker) for o in orders])

    async def positions(self) -> tuple[PositionReport, ...] | Incomplete:
        return await self.venue.positions()

    async def orders(self, ticker: str, since_ms: int) -> tuple[OrderReport, ...] | Incomplete:
        return await self.venue.orders(ticker=ticker, since_ms=since_ms)

    async def exchange_state(self) -> ExchangeState | Incomplete:
        return await self.venue.exchange_state()

    async def market(self, ticker: str) -> Market | Incomplete:
        found = next((m for m in self.venue.listed if m.ticker == ticker), None)
        return found if found is not None else Incomplete(f"market {ticker}", "not_found")

    async def book(self, known: Market) -> Book | Incomplete:
        await asyncio.sleep(0.01)
        return self.venue.books[known.ticker].book

    async def last_price(self, ticker: str) -> Price | Incomplete | None:
        return await self.venue.last_price(ticker)

    async def order(self, order_id: str) -> OrderReport | Incomplete | None:
        return await self.venue.order(order_id)

    def seal(self, intent: OrderIntent) -> Sealed | Rejected:
        return self.venue.seal(intent)

    async def place(
        self, intent: OrderIntent, sealed: Sealed, shard: int, last_check: LastCheck
    ) -> PlaceOutcome:
        return await self.venue.place(intent, sealed, last_check)


class Scene:
    def __init__(self, loop: VirtualLoop) -> None:
        clock = VirtualClock(loop)
        listener: Any = Deaf()
        self.venue = FakeVenue(listener, loop, clock, listed=ladder())
        self.said: list[str] = []
        self.clocks = Clocks(clock, REAL_WORLD)
        self.plain = Plain(self.venue)
        self.direct = Direct(self.plain, self.clocks, random.Random(1), "d1", self.said.append)

    async def open(self) -> None:
        await self.venue.subscribe([market.ticker for market in self.venue.listed])
        for market in self.venue.listed:
            self.venue.quote(market.ticker, 38, 42)

    async def rest(self, contracts: int, ticker: str = HOT) -> str:
        """An order of somebody, resting."""
        intent = OrderIntent(
            f"pm-x-{len(self.venue.placed)}", Venue.KALSHI, ticker, BookSide.BID, Purpose.OPEN,
            Price(3_000), Quantity(contracts * 1_000_000), TimeInForce.GTC, True, False, None, 0, Money(0),
        )  # fmt: skip
        await self.venue.place(intent, UNSEALED, lambda: None)
        return list(self.venue.placed)[-1]

    async def run(self) -> Ended:
        ended = await self.direct.flatten()
        assert not self.venue.crossed_zero
        assert not any(order.open for order in self.venue.placed.values())
        return ended


def flat(venue: FakeVenue) -> bool:
    return not any(venue.net.values())


def test_everything_is_cancelled_before_anything_is_sold() -> None:
    async def main(loop: VirtualLoop) -> None:
        scene = Scene(loop)
        await scene.open()
        await scene.venue.arm_groups({Purpose.OPEN: 10, Purpose.CLOSE: 10}, ())
        for _ in range(3):
            await scene.rest(5)
        scene.venue.net = {HOT: 20_000_000, WARM: -7_000_000}
        ended = await scene.run()
        assert not ended.residue and flat(scene.venue)
        assert (ended.sold, str(ended).startswith("FLAT, confirmed twice")) == (27_000_000, True)
        assert scene.venue.triggered == {"G1", "G2"}
        exits = [o.intent for o in scene.venue.placed.values() if o.intent.reduce_only]
        assert {intent.tif for intent in exits} == {TimeInForce.IOC}
        first_exit = next(i for i, line in enumerate(scene.said) if "sold" in line)
        assert any("nothing rests" in line for line in scene.said[:first_exit])

    run_virtual(main)


def test_an_unanswered_exit_is_looked_up_before_the_next() -> None:
    async def main(loop: VirtualLoop) -> None:
        scene = Scene(loop)
        await scene.open()
        scene.venue.net = {HOT: 300_000_000}
        scene.venue.faults.lose_answers = 1
        ended = await scene.run()
        assert not ended.residue and flat(scene.venue) and ended.sold == 300_000_000

    run_virtual(main)


def test_an_exit_nobody_can_find_is_settled_by_the_venues_own_count() -> None:
    async def main(loop: VirtualLoop) -> None:
        scene = Scene(loop)
        await scene.open()
        scene.venue.net = {HOT: 30_000_000}
        scene.venue.faults.lose_answers, scene.venue.faults.list_lag_s = 1, 60.0
        assert not (await scene.run()).residue and flat(scene.venue)

    run_virtual(main)


def test_what_cannot_be_sold_is_named() -> None:
    async def main(loop: VirtualLoop) -> None:
        scene = Scene(loop)
        await scene.open()
        scene.venue.net = {HOT: 5_000_000, "KX-GONE": 3_000_000}
        book = scene.venue.books[HOT].book
        for price, size in list(book.walk(BookSide.BID)):
            book.change(BookSide.BID, price, -size)
        ended = await scene.run()
        assert set(ended.residue) == {HOT, "KX-GONE"}
        assert "NO_BID" in ended.residue[HOT] and "cannot be read" in ended.residue["KX-GONE"]
        assert str(ended).startswith("NOT FLAT")
        assert not [o for o in scene.venue.placed.values() if o.intent.reduce_only]

    run_virtual(main)


def test_without_any_book_it_goes_by_the_last_trade_in_quarters() -> None:
    async def main(loop: VirtualLoop) -> None:
        scene = Scene(loop)
        await scene.open()
        scene.venue.net = {HOT: -20_000_000}

        async def unread(known: Market) -> Incomplete:
            return Incomplete(f"book of {known.ticker}", "HTTP 503")

        async def paid(ticker: str) -> Price:
            return Price(4_000)

        scene.plain.book, scene.plain.last_price = unread, paid  # type: ignore[method-assign]
        assert not (await scene.run()).residue and flat(scene.venue)
        exits = [o.intent for o in scene.venue.placed.values() if o.intent.reduce_only]
        assert {intent.price for intent in exits} == {5_000} and exits[0].quantity == 5_000_000

    run_virtual(main)


def test_a_shut_venue_is_waited_for() -> None:
    async def main(loop: VirtualLoop) -> None:
        scene = Scene(loop)
        await scene.open()
        scene.venue.net = {HOT: 5_000_000}
        scene.venue.trading = False
        loop.call_later(900, lambda: setattr(scene.venue, "trading", True))
        assert not (await scene.run()).residue and flat(scene.venue)
        assert any("takes no orders" in line for line in scene.said)

    run_virtual(main)


def test_an_account_that_cannot_be_read_is_never_called_flat() -> None:
    async def main(loop: VirtualLoop) -> None:
        scene = Scene(loop)
        await scene.open()
        scene.venue.net = {HOT: 5_000_000}
        scene.venue.faults.broken_reads = True
        running = loop.create_task(scene.direct.flatten())
        await asyncio.sleep(120)
        assert not running.done()
        scene.venue.faults.broken_reads = False
        assert not (await running).residue and flat(scene.venue)

    run_virtual(main)


@pytest.mark.parametrize("seed", range(3))
def test_cancel_alone_sells_nothing(seed: int) -> None:
    async def main(loop: VirtualLoop) -> None:
        scene = Scene(loop)
        await scene.open()
        scene.venue.net = {HOT: (seed - 1) * 5_000_000}
        await scene.rest(seed + 1)
        await scene.direct.cancel()
        assert not any(o.open for o in scene.venue.placed.values())
        assert not [o for o in scene.venue.placed.values() if o.intent.reduce_only]

    run_virtual(main)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.integers(-400, 400),
    st.integers(1, 60),
    st.integers(0, 2),
    st.integers(0, 2),
    st.floats(0, 4),
    st.integers(0, 5),
)
def test_no_fault_turns_a_position(
    net: int, depth: int, lost_answers: int, lost_requests: int, lag_s: float, rest: int
) -> None:
    """Whatever is lost on the way, the exchange's own ledger ends at zero or names what is left."""

    async def main(loop: VirtualLoop) -> None:
        scene = Scene(loop)
        await scene.open()
        faults = scene.venue.faults
        for _ in range(rest):
            await scene.rest(2)
        scene.venue.net = {HOT: net * 1_000_000}
        faults.lose_answers, faults.lose_requests, faults.list_lag_s = lost_answers, lost_requests, lag_s

        async def refill() -> None:
            while True:
                await asyncio.sleep(0.2)
                scene.venue.quote(HOT, 38, 42, size=depth)

        refilling = loop.create_task(refill())
        ended = await scene.run()
        refilling.cancel()
        assert bool(ended.residue) is not flat(scene.venue)
        assert ended.sold + abs(scene.venue.net[HOT]) == abs(net) * 1_000_000 or lost_answers

    run_virtual(main)


def test_a_trade_that_never_settles_is_not_called_flat() -> None:
    async def main(loop: VirtualLoop) -> None:
        scene = Scene(loop)
        await scene.open()
        scene.plain.moving = frozenset({WARM})
        ended = await scene.direct.flatten()
        assert ended.residue == {WARM: "a trade is not settled yet"} and str(ended).startswith("NOT FLAT")

    run_virtual(main)
