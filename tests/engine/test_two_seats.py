"""A desk of two venues: one record, one risk view, one stop, and none that waits for the other."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from core.control.snapshot import Snapshot
from core.domain.market import Market, Venue
from core.domain.order import Anomaly, Life
from core.domain.units import Money, contracts, dollars_text
from core.engine.engine import UnseatedError
from core.engine.incidents import end_entries, name_of
from core.engine.seat import Seat
from core.execution.differences import About, Key
from core.execution.gateway import Wish
from core.execution.ladder import Phase, count_text
from core.risk.halts import GLOBAL, Level
from core.venues.kalshi.traits import TRAITS
from core.venues.venue import Link, LinkState, Sealed, VenueGateway, VenueListener
from tests.execution.bench import HOT, TRADER, WARM, Bench, ladder, running
from tests.execution.fake_venue import FakeVenue
from tests.virtual import VirtualClock, VirtualLoop, run_virtual

POLY = msgspec.structs.replace(TRAITS, venue=Venue.POLYMARKET)
SLUG = "nyc-high-3"


def there() -> tuple[Market, ...]:
    """The same six brackets on the other venue."""
    return tuple(
        msgspec.structs.replace(
            market,
            venue=Venue.POLYMARKET,
            ticker=f"nyc-high-{number}",
            event_ticker="nyc-high",
            label=f"NYC hi Nov23 p{number}",
        )
        for number, market in enumerate(ladder())
    )


class Second:
    """Makes the second exchange and holds it."""

    venue: FakeVenue

    def __init__(self, loop: VirtualLoop, earlier: FakeVenue | None = None) -> None:
        self._loop = loop
        self._earlier = earlier

    def __call__(self, listener: VenueListener, clock: VirtualClock) -> VenueGateway:
        made = self._earlier or FakeVenue(
            listener, self._loop, clock, listed=there(), traits=POLY, prefix="p"
        )
        made.listener = listener
        self.venue = made
        return made

    def quote(self) -> None:
        for ticker in self.venue.books:
            self.venue.quote(ticker, 46, 54)
        self.venue.quote(SLUG, 38, 42)


class Silent:
    """A venue that answers nothing, for ever, and says so to nobody."""

    def __init__(self) -> None:
        self.traits, self.books, self.link, self.beat = POLY, {}, Link(LinkState.CONNECTING, 0), None
        self.asked: list[str] = []

    def seal(self, _: Any) -> Sealed:
        return Sealed("", b"")

    def part_of(self, _: str) -> str:
        return "0"

    def clock_offset_ms(self) -> None:
        return None

    def entry_budget(self, cancels: int, shard: int) -> bool:
        return True

    def levels(self) -> tuple[()]:
        return ()

    async def close(self) -> None:
        pass

    def __getattr__(self, name: str) -> Callable[..., Any]:
        async def never(*_: Any, **__: Any) -> None:
            self.asked.append(name)
            await asyncio.get_running_loop().create_future()

        return never


def seat(bench: Bench) -> Seat:
    return bench.engine.desk.seats[Venue.POLYMARKET]


async def both(bench: Bench, second: Second) -> None:
    await bench.until(lambda: seat(bench).ready, "the second seat")
    second.quote()
    await asyncio.sleep(1.2)


async def held_on_both(bench: Bench, second: Second) -> None:
    await both(bench, second)
    await bench.held(4)
    order = await bench.sent(SLUG)
    second.venue.trade(order.order_id, 3)
    await bench.until(lambda: bench.engine.desk.ledger.net(SLUG) == contracts(3), "fill")


def test_each_venue_gets_its_own_orders_and_one_ledger_counts_them_all() -> None:
    async def main(loop: VirtualLoop) -> None:
        second = Second(loop)
        async with running(loop, beside=second) as bench:
            await held_on_both(bench, second)
            desk = bench.engine.desk
            assert {o.intent.ticker for o in bench.venue.placed.values()} == {HOT}
            assert {o.intent.ticker for o in second.venue.placed.values()} == {SLUG}
            venues = {o.intent.ticker: o.intent.venue for o in desk.ledger.orders.values()}
            assert venues == {HOT: Venue.KALSHI, SLUG: Venue.POLYMARKET}
            total = desk.exposure.total
            parts = [desk.exposure.venue(venue) for venue in Venue]
            assert total == sum(parts) and all(parts)
            assert desk.exposure.now(SLUG).correlated == desk.exposure.now(HOT).correlated == total
            assert desk.seats.cash == bench.venue.cash_now + second.venue.cash_now
            await bench.until(
                lambda: all(
                    s.reconciler.last.clean and s.reconciler.readings > 1 for s in desk.seats.values()
                ),
                "both agree",
                60,
            )
            assert not any(s.reconciler.differences for s in desk.seats.values())

    run_virtual(main)


def test_what_is_odd_about_a_market_nobody_knows_has_both_accounts_read_and_stops_no_seat() -> None:
    async def main(loop: VirtualLoop) -> None:
        second = Second(loop)
        async with running(loop, beside=second) as bench:
            await both(bench, second)
            seats = bench.engine.desk.seats
            read = {venue: seat.reconciler.readings for venue, seat in seats.items()}
            bench.engine._ears.on_anomaly("0xc0ffee", Anomaly("", "stray trade", "of no market"))
            await asyncio.sleep(2)
            assert all(seats[venue].reconciler.readings > read[venue] for venue in seats)

    run_virtual(main)


def test_one_stop_flattens_both_under_one_countdown() -> None:
    async def main(loop: VirtualLoop) -> None:
        second = Second(loop)
        async with running(loop, beside=second) as bench:
            await held_on_both(bench, second)
            desk = bench.engine.desk
            assert bench.engine.flatten(TRADER).accepted
            kal, poly = (desk.stop.ladders[venue] for venue in (Venue.KALSHI, Venue.POLYMARKET))
            assert (kal.started_ns, kal.exits_at_ns) == (poly.started_ns, poly.exits_at_ns)
            await bench.until(lambda: desk.stop.ladder.over, "over", 60)  # type: ignore[union-attr]
            assert bench.venue.net[HOT] == second.venue.net[SLUG] == 0
            row = Snapshot(desk).flatten()
            assert row is not None and row.phase == Phase.FLAT.value
            assert [(v.venue, v.cancels_sent, v.exits_filled) for v in row.venues] == [
                ("kalshi", 1, 1),
                ("polymarket", 1, 1),
            ]
            cost, sold = (sum(getattr(ladder, name) for ladder in (kal, poly)) for name in ("cost", "sold"))
            total = f"cost {dollars_text(Money(cost))} against mid: {count_text(sold)} contracts sold in 2"
            assert row.receipt.startswith(f"FLAT, confirmed twice, {total} exits. KAL FLAT, ")
            assert "POLY FLAT, " in row.receipt
            assert re.search(r"cancels 2 orders, sells 2 positions worth \d+\.\d\d", row.scope)
            (start,) = [row.data()["text"] for row in bench.journal.rows if row.kind == "FLATTEN_START"]
            assert str(start).endswith(row.scope) and bench.kinds().count("FLATTEN_END") == 1

    run_virtual(main)


def test_foreign_orders_asked_for_late_are_cancelled_also_where_the_stop_is_over() -> None:
    async def main(loop: VirtualLoop) -> None:
        second = Second(loop)
        async with running(loop, beside=second) as bench:
            await held_on_both(bench, second)
            second.venue.books[SLUG].book.clear()
            second.venue.touch(SLUG)
            bench.engine.flatten(TRADER, now=True)
            ladders = bench.engine.desk.stop.ladders
            await bench.until(lambda: ladders[Venue.KALSHI].phase is Phase.FLAT, "flat there", 60)
            assert bench.engine.desk.stop.running, "nobody bids on the other"
            for _ in range(2):
                assert bench.engine.flatten(TRADER, include_external=True).accepted
                await asyncio.sleep(5.0)
            for venue in (bench.venue, second.venue):
                assert [what for _, what in venue.calls].count("cancel everything") == 1

    run_virtual(main)


def test_an_abort_in_the_countdown_keeps_both_positions() -> None:
    async def main(loop: VirtualLoop) -> None:
        second = Second(loop)
        async with running(loop, beside=second) as bench:
            await held_on_both(bench, second)
            bench.engine.flatten(TRADER)
            await asyncio.sleep(1.0)
            assert bench.engine.abort_flatten(TRADER).accepted
            await asyncio.sleep(10.0)
            assert bench.venue.net[HOT] and second.venue.net[SLUG]
            assert {ladder.phase for ladder in bench.engine.desk.stop.ladders.values()} == {Phase.ABORTED}
            assert bench.kinds().count("FLATTEN_END") == 1

    run_virtual(main)


def test_a_venue_that_answers_nothing_holds_up_nothing_of_the_other() -> None:
    async def main(loop: VirtualLoop) -> None:
        silent: Any = Silent()
        async with running(loop, beside=lambda *_: silent) as bench:
            desk = bench.engine.desk
            assert bench.seat.ready and not seat(bench).ready and "markets" in silent.asked
            await bench.held(4)
            await bench.until(
                lambda: bench.seat.reconciler.readings > 2 and bench.seat.reconciler.last.clean, "read", 90
            )
            assert bench.engine.halt("", TRADER).accepted
            await bench.until(lambda: not desk.ledger.live, "cancelled", 10)
            bench.engine.acknowledge_all(TRADER)
            await asyncio.sleep(6.0)
            assert bench.engine.resume("resume", "only one of them is down", TRADER).accepted
            began = loop.time()
            bench.engine.flatten(TRADER, now=True)
            await bench.until(lambda: desk.stop.ladders[Venue.KALSHI].phase is Phase.FLAT, "flat", 30)
            assert bench.venue.net[HOT] == 0 and loop.time() - began < 12.0
            row = Snapshot(desk).flatten()
            assert row is not None and [v.venue for v in row.venues] == ["kalshi", "polymarket"]
            assert dict(desk.state.starting).get("POLY venue") in (False, None)

    run_virtual(main)


def test_a_venue_that_falls_silent_later_stops_alone() -> None:
    async def main(loop: VirtualLoop) -> None:
        second = Second(loop)
        async with running(loop, beside=second) as bench:
            await held_on_both(bench, second)
            second.venue.faults.broken_reads = True
            second.venue.disconnect()
            await asyncio.sleep(110.0)
            halts = bench.engine.state.halts
            assert halts.at(seat(bench).scope) is not None and halts.at(bench.seat.scope) is None
            assert halts.at(GLOBAL) is None and name_of(seat(bench).scope) == "POLY"
            level = bench.engine.desk.halting.level
            assert (
                level("nyc-high", SLUG) is not None
                and level(bench.engine.state.markets[HOT].market.event_ticker, HOT) is None
            )
            bench.quiet()
            fair = bench.engine.state.markets[WARM].fair
            assert fair is not None
            cents = round(fair.probability * 100)
            bench.venue.quote(WARM, cents - 8, cents - 4)
            assert (await bench.sent(WARM)).life is Life.WORKING

    run_virtual(main)


def test_what_ends_entries_of_one_venue_cancels_nothing_on_the_other() -> None:
    async def main(loop: VirtualLoop) -> None:
        second = Second(loop)
        async with running(loop, beside=second) as bench:
            await both(bench, second)
            mine, theirs = await bench.sent(HOT), await bench.sent(SLUG)
            end_entries(bench.engine.desk, seat(bench).scope, "a test")
            client = theirs.intent.client_order_id
            await bench.until(lambda: not bench.order(client).live, "cancelled", 10)
            assert bench.order(mine.intent.client_order_id).life is Life.WORKING
            assert not bench.venue.cancel_calls
            assert bench.engine.desk.halting.level("", SLUG).level is Level.REDUCE_ONLY  # type: ignore[union-attr]

    run_virtual(main)


def test_a_restart_finds_each_order_at_its_own_venue() -> None:
    async def main(loop: VirtualLoop) -> None:
        second = Second(loop)
        async with running(loop, beside=second) as bench:
            await held_on_both(bench, second)
            bases = {v: s.reconciler.cash_base for v, s in bench.engine.desk.seats.items()}
        rows = tuple(bench.journal.rows)
        async with running(
            loop, venue=bench.venue, history=rows, run="r2", beside=Second(loop, second.venue)
        ) as again:
            await again.until(lambda: seat(again).ready, "the second seat")
            seats = again.engine.desk.seats
            assert {v: s.reconciler.cash_base for v, s in seats.items()} == bases
            assert set(again.seat.share.held) == {HOT} and set(seat(again).share.held) == {SLUG}
            assert not any(s.reconciler.differences for s in seats.values())

        with pytest.raises(UnseatedError, match="polymarket"):
            async with running(loop, venue=bench.venue, history=rows, run="r3"):
                pass

    run_virtual(main)


def test_rejections_of_one_venue_halt_it_alone() -> None:
    async def main(loop: VirtualLoop) -> None:
        second = Second(loop)
        async with running(loop, beside=second) as bench:
            await both(bench, second)
            card = await bench.card(SLUG)
            second.venue.trading = False
            seat(bench).gateway._gate = lambda wish, without: "judged elsewhere"
            for _ in range(bench.engine.state.limits.current.rejects_max):
                seat(bench).gateway.send(Wish(card.candidate))
                await asyncio.sleep(6.0)
            halts = bench.engine.state.halts
            assert halts.at(seat(bench).scope) is not None and halts.at(bench.seat.scope) is None

    run_virtual(main)


def test_the_cash_of_two_accounts_is_accepted_together_or_not_at_all() -> None:
    async def main(loop: VirtualLoop) -> None:
        second = Second(loop)
        async with running(loop, beside=second) as bench:
            await both(bench, second)
            bench.engine.pause("", TRADER)
            await asyncio.sleep(60.0)
            first = bench.engine.desk.seats[Venue.KALSHI].reconciler
            other, cash = seat(bench).reconciler, Key(About.CASH)
            bench.venue.cash_now = Money(bench.venue.cash_now - 30_000_000)
            await bench.until(
                lambda: cash in first.differences and first.differences[cash].reads > 1, "one", 90
            )
            second.venue.cash_now = Money(second.venue.cash_now - 30_000_000)
            await bench.until(lambda: cash in other.differences, "the other", 60)
            bases = first.cash_base, other.cash_base
            assert not bench.engine.accept("cash", "accept", "withdrew it", TRADER).accepted
            assert (first.cash_base, other.cash_base) == bases, "refused is refused"
            await bench.until(lambda: other.differences[cash].reads > 1, "read again", 10)
            assert bench.engine.accept("cash", "accept", "withdrew it", TRADER).accepted
            await asyncio.sleep(10.0)
            assert not first.differences and not other.differences

    run_virtual(main)
