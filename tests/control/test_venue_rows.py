"""What a desk is shown of each venue's own ways: dead man, modes, sellable rule, accounts and ladders."""

from __future__ import annotations

import msgspec
import pytest

from core.control.snapshot import Snapshot
from core.control.tables.status import BeatRow, LinkRow
from core.domain.market import Venue
from core.domain.units import contracts
from core.engine.incidents import end_entries
from core.venues.exchange import ExchangeState, Maintenance, Restriction
from core.venues.traits import Beat
from core.venues.venue import LinkState
from tests.engine.test_settles_later import bought, desk
from tests.engine.test_two_seats import SLUG, Second, both, held_on_both, seat
from tests.execution.bench import HOT, TRADER, Bench, running
from tests.virtual import VirtualLoop, run_virtual


def link(bench: Bench, venue: Venue = Venue.KALSHI) -> LinkRow:
    (row,) = (row for row in Snapshot(bench.engine.desk).status().links if row.venue == venue.value)
    return row


def test_a_venue_with_heartbeats_tells_its_countdown_and_in_words_what_two_missed_ones_stop() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with desk(loop) as bench:
            bench.venue.beat = Beat(1, 77)
            assert link(bench).beat == BeatRow(77, 1, "")
            bench.venue.beat = Beat(2, 77)
            assert link(bench).beat == BeatRow(77, 2, "2 heartbeats were missed")
            bench.venue.beat = None
            assert link(bench).beat == BeatRow(None, 0, "the venue's dead-man switch is not armed")
            assert link(bench).settles_later
        async with running(loop) as bench:
            assert link(bench).beat is None and not link(bench).settles_later

    run_virtual(main)


def test_a_venue_that_takes_no_orders_says_why_in_its_own_words_and_until_when() -> None:
    async def main(loop: VirtualLoop) -> None:
        second = Second(loop)
        async with running(loop, beside=second) as bench:
            await both(bench, second)
            there = seat(bench)
            there.exchange = ExchangeState(True, False, resumes_ms=99, mode="post-only after a restart")
            row = link(bench, Venue.POLYMARKET)
            assert (row.state, row.detail, row.opens_wall_ms) == ("PAUSED", "post-only after a restart", 99)
            there.exchange = ExchangeState(False, False, "10:00Z", 99)
            assert link(bench, Venue.POLYMARKET).detail == "exchange paused until 10:00Z"
            there.exchange = ExchangeState(True, True, resumes_ms=99)
            row = link(bench, Venue.POLYMARKET)
            assert (row.state, row.detail, row.opens_wall_ms) == (LinkState.OK.value, "", None)

    run_virtual(main)


@pytest.mark.parametrize(
    ("state", "window", "word"),
    [
        (ExchangeState(True, False), False, "CXL-ONLY"),
        (ExchangeState(False, False), False, "PAUSED"),
        (ExchangeState(False, False), True, "MAINT"),
        (ExchangeState(True, False), True, "MAINT"),
        (ExchangeState(False, False, mode="restarts", said=Restriction.RESTART), True, "RESTART"),
        (ExchangeState(True, False, mode="post-only", said=Restriction.POST_ONLY), False, "POST-ONLY"),
    ],
)
def test_a_venue_that_takes_no_orders_has_a_word_for_it_and_when_it_last_did(
    state: ExchangeState, window: bool, word: str
) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            here = bench.engine.desk.seats[Venue.KALSHI]
            await bench.until(lambda: here.traded_ns is not None, "read", 30)
            traded_ns = here.traded_ns
            assert (link(bench).word, link(bench).traded_ns) == ("", None)
            now = bench.engine.desk.clocks.world_ms()
            here.maintenance = (Maintenance(now - 1, now + 60_000),) if window else ()
            here.exchange = state
            assert (link(bench).word, link(bench).traded_ns) == (word, traded_ns)

    run_virtual(main)


def test_what_holds_one_venue_back_stands_at_that_venue_alone() -> None:
    async def main(loop: VirtualLoop) -> None:
        second = Second(loop)
        async with running(loop, beside=second) as bench:
            await both(bench, second)
            end_entries(bench.engine.desk, seat(bench).scope, "closed-only")
            assert link(bench, Venue.POLYMARKET).halt == "REDUCE_ONLY: closed-only"
            assert link(bench).halt == ""

    run_virtual(main)


def test_a_position_says_how_much_of_it_can_be_sold_and_when_it_never_can() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with desk(loop) as bench:
            await bought(bench, 4)
            snapshot, state = Snapshot(bench.engine.desk), bench.engine.state.markets[HOT]
            row = snapshot.position(HOT)
            assert (row.net, row.unsettled, row.sellable, row.dust) == (contracts(4), contracts(4), 0, False)
            (order,) = snapshot.orders()
            assert (order.venue, order.unsettled, order.failed) == ("kalshi", contracts(4), 0)
            bench.venue.confirm()
            await bench.until(lambda: snapshot.position(HOT).sellable == contracts(4), "confirmed", 5)
            assert next(snapshot.orders()).unsettled == 0
            state.market = msgspec.structs.replace(state.market, minimum=contracts(4))
            assert not snapshot.position(HOT).dust
            state.market = msgspec.structs.replace(state.market, minimum=contracts(5))
            assert snapshot.position(HOT).dust

    run_virtual(main)


def test_an_order_whose_trade_failed_says_so() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with desk(loop) as bench:
            await bought(bench, 4)
            bench.venue.fail(bench.venue.executed[0])
            await bench.until(lambda: bench.engine.desk.ledger.net(HOT) == 0, "undone", 1)
            assert Snapshot(bench.engine.desk).held() == [HOT], "nobody has to look for it in the alarms"
            (order,) = Snapshot(bench.engine.desk).orders()
            assert (order.filled, order.unsettled, order.failed) == (0, 0, contracts(4))

    run_virtual(main)


def test_pairs_to_be_merged_come_with_the_page_where_that_is_done() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with desk(loop) as bench:
            bench.venue.paired[HOT] = contracts(2)
            snapshot = Snapshot(bench.engine.desk)
            await bench.until(lambda: HOT in snapshot.held(), "shown", 90)
            assert (snapshot.position(HOT).pairs, snapshot.position(HOT).page) == (
                contracts(2),
                bench.venue.page,
            )

    run_virtual(main)


def test_each_account_has_its_own_reading_beside_the_one_of_all() -> None:
    async def main(loop: VirtualLoop) -> None:
        second = Second(loop)
        async with running(loop, beside=second) as bench:
            await held_on_both(bench, second)
            second.venue.net[SLUG] = contracts(5)
            here = bench.engine.desk.seats[Venue.KALSHI].reconciler
            seat(bench).reconciler.request("test")
            await bench.until(lambda: bool(seat(bench).reconciler.differences), "seen", 30)
            reading = Snapshot(bench.engine.desk).reading()
            kal, poly = reading.accounts
            assert (kal.venue, kal.differences, kal.complete) == ("kalshi", 0, True)
            assert (poly.venue, poly.differences) == ("polymarket", len(seat(bench).reconciler.differences))
            assert (kal.number, kal.cash) == (here.readings, here.cash)
            assert {row.venue for row in reading.differences} == {"polymarket"}

    run_virtual(main)


def test_each_venue_has_its_own_phase_and_end_in_a_stop() -> None:
    async def main(loop: VirtualLoop) -> None:
        second = Second(loop)
        async with running(loop, beside=second) as bench:
            await held_on_both(bench, second)
            second.venue.trading, second.venue.mode = False, "cancels only"
            await bench.until(lambda: link(bench, Venue.POLYMARKET).state == "PAUSED", "paused", 30)
            assert bench.engine.flatten(TRADER).accepted
            snapshot = Snapshot(bench.engine.desk)

            def phases() -> list[str]:
                row = snapshot.flatten()
                return [venue.phase for venue in row.venues] if row is not None else []

            await bench.until(lambda: phases() == ["FLAT", "EXITING"], "one waits", 60)
            row = snapshot.flatten()
            assert row is not None and (row.phase, row.receipt) == ("EXITING", "")
            kal, poly = row.venues
            assert kal.receipt.startswith("FLAT, ") and (kal.pause, poly.receipt) == ("", "")
            assert poly.pause == "cancels only"

    run_virtual(main)
