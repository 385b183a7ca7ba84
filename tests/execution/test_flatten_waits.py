"""The stop ladder where the venue takes no orders, nobody bids, or the operator steps in."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from core.domain.order import BookSide, Life, TimeInForce
from core.domain.units import Price
from core.execution.ladder import Ladder, Phase
from core.risk.halts import Level
from core.venues.exchange import ExchangeState, ShardState
from tests.execution.bench import HOT, TRADER, VIEWER, WARM, Bench, running
from tests.execution.fake_venue import strange
from tests.virtual import VirtualLoop, run_virtual


def ladder(bench: Bench) -> Ladder:
    found = bench.engine.desk.stop.ladder
    assert found is not None
    return found


async def over(bench: Bench, seconds: float = 60) -> Ladder:
    await bench.until(lambda: ladder(bench).over, "end of the ladder", seconds)
    return ladder(bench)


def empty(bench: Bench) -> None:
    """Nobody bids any more."""
    book = bench.venue.books[HOT].book
    for price, size in list(book.walk(BookSide.BID)):
        book.change(BookSide.BID, price, -size)
    bench.venue.touch(HOT)


def test_exits_wait_for_a_trading_pause_and_go_on_after_it() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            bench.venue.trading = False
            await asyncio.sleep(6)  # the engine has read it
            bench.engine.flatten(TRADER, now=True)
            await asyncio.sleep(600)
            now = ladder(bench)
            assert not bench.engine.desk.ledger.live, "cancels work in a trading pause"
            assert now.phase is Phase.EXITING and now.pause is not None and now.pause.what == "trading paused"
            assert not bench.venue.exits_seen and "trading paused" in now.residue[HOT]
            bench.venue.trading = True
            assert (await over(bench)).phase is Phase.FLAT
            assert ladder(bench).pause is None and bench.venue.net[HOT] == 0

    run_virtual(main)


def test_an_exchange_pause_names_the_time_and_calls_again_each_minute() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            until = bench.clock.wall_ms() + 900_000

            async def paused() -> ExchangeState:
                return ExchangeState(False, False, "2026-11-23T10:00:00Z", until)

            honest, bench.venue.exchange_state = bench.venue.exchange_state, paused  # type: ignore[method-assign]
            bench.venue.faults.refuse_groups, bench.venue.faults.refuse_cancels = True, 100_000
            await asyncio.sleep(6)
            bench.engine.flatten(TRADER, now=True)
            await asyncio.sleep(200)
            now = ladder(bench)
            assert now.pause is not None and (now.pause.what, now.pause.until_ms) == (
                "exchange paused",
                until,
            )
            calls = [row for row in bench.journal.rows if "exchange paused" in row.payload]
            assert 3 <= sum(row.kind == "ALARM" for row in calls) <= 5
            assert len(bench.venue.cancel_calls) > 60, "cancels are tried all the while"
            bench.venue.exchange_state = honest  # type: ignore[method-assign]
            bench.venue.faults.refuse_groups, bench.venue.faults.refuse_cancels = False, 0
            assert (await over(bench, 120)).phase is Phase.FLAT

    run_virtual(main)


def test_one_part_of_the_venue_that_pauses_rings_once_beside_one_that_trades() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            markets = bench.engine.state.markets
            bench.venue.quote(WARM, 30, 34)
            await bench.held(20)
            bench.venue.net[WARM] = 5_000_000
            bench.engine.reconcile(TRADER)
            await asyncio.sleep(40)
            assert bench.engine.accept(WARM, "accept", "bought by hand", TRADER).accepted
            markets[WARM].market = msgspec.structs.replace(markets[WARM].market, shard=1)
            bench.venue.listed = tuple(markets[m.ticker].market for m in bench.venue.listed)
            empty(bench)
            bench.venue.shards = (ShardState(0, True, True), ShardState(1, True, False))
            await asyncio.sleep(6)
            bench.engine.flatten(TRADER, now=True)
            await asyncio.sleep(50)
            now = ladder(bench)
            assert now.phase is Phase.EXITING and now.pause is not None
            assert "NO_BID" in now.residue[HOT] and "paused" in now.residue[WARM]
            rung = [
                row for row in bench.journal.rows if row.kind == "ALARM" and "the stop waits" in row.payload
            ]
            assert len(rung) == 1

    run_virtual(main)


def test_an_operator_may_keep_the_positions_while_the_venue_is_shut() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            bench.venue.trading = False
            await asyncio.sleep(6)
            bench.engine.flatten(TRADER, now=True)
            await asyncio.sleep(20)
            assert bench.engine.abort_flatten(TRADER).accepted
            bench.venue.trading = True
            await asyncio.sleep(60)
            assert ladder(bench).phase is Phase.ABORTED and not bench.venue.exits_seen

    run_virtual(main)


def test_a_confirmed_hurry_reaches_further_down_and_only_while_exits_run() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            assert not bench.engine.hurry_exits(TRADER).accepted
            bench.venue.quote(HOT, 38, 42, size=2, depth=1)
            bench.venue.books[HOT].book.set(BookSide.BID, Price(3_000), bench.venue.executed[0].quantity)
            bench.engine.flatten(TRADER, now=True)
            await bench.until(lambda: len(bench.venue.exits_seen) >= 1, "first exit", 20)
            assert bench.venue.exits_seen[0].price == 3_500, "three cents under the bid"
            assert not bench.engine.hurry_exits(VIEWER).accepted
            # A further press joins and changes nothing: only the confirmation does.
            bench.engine.flatten(TRADER)
            assert not ladder(bench).urgent
            assert bench.engine.hurry_exits(TRADER).accepted
            bench.venue.quote(HOT, 38, 42, size=20)
            await over(bench)
            assert bench.venue.exits_seen[-1].price == 2_800, "ten cents under the bid"
            assert not bench.engine.hurry_exits(TRADER).accepted

    run_virtual(main)


def test_an_exit_may_rest_where_nobody_bids_and_the_ladder_waits_for_it() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            empty(bench)
            bench.engine.flatten(TRADER, now=True)
            await bench.until(lambda: "NO_BID" in ladder(bench).residue.get(HOT, ""), "named", 20)
            assert "may be lost" in ladder(bench).residue[HOT]
            assert not bench.engine.rest_exit(HOT, Price(3_550), TRADER).accepted, "not on the grid"
            assert not bench.engine.rest_exit("KX-NONE", Price(3_500), TRADER).accepted
            assert not bench.engine.rest_exit(HOT, Price(3_500), VIEWER).accepted
            assert bench.engine.rest_exit(HOT, Price(3_500), TRADER).accepted
            assert not bench.engine.rest_exit(HOT, Price(3_600), TRADER).accepted, "all of it is spoken for"
            await asyncio.sleep(300)  # renewed meanwhile, halted or not
            (rests,) = [o for o in bench.venue.placed.values() if o.open]
            assert (rests.intent.tif, rests.intent.price) == (TimeInForce.GTC, 3_500)
            assert (
                ladder(bench).phase is Phase.EXITING and "an exit rests at 0.35" in ladder(bench).residue[HOT]
            )
            bench.venue.trade(rests.order_id, 20)
            assert (await over(bench)).phase is Phase.FLAT
            assert bench.venue.net[HOT] == 0 and not bench.venue.exits_seen

    run_virtual(main)


def test_a_rested_exit_that_is_cancelled_gives_the_market_back() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            empty(bench)
            bench.engine.flatten(TRADER, now=True)
            await bench.until(lambda: HOT in ladder(bench).residue, "named", 20)
            assert bench.engine.rest_exit(HOT, Price(3_500), TRADER).accepted
            await asyncio.sleep(5)
            bench.venue.quote(HOT, 33, 36)
            await asyncio.sleep(5)
            assert not bench.venue.exits_seen, "nothing is sold beside an exit that rests"
            bench.engine.cancel_market(HOT, TRADER)
            assert (await over(bench)).phase is Phase.FLAT
            assert bench.venue.net[HOT] == 0 and not bench.venue.crossed_zero

    run_virtual(main)


@pytest.mark.parametrize("asked", [False, True])
def test_orders_from_outside_are_cancelled_only_when_included(asked: bool) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            ours = await bench.sent()
            theirs = strange(bench.venue.placed[ours.order_id])
            theirs.order_id, theirs.open, theirs.filled = "X1", 5_000_000, 0
            bench.venue.placed["X1"] = theirs
            told = bench.engine.flatten(TRADER, now=True, include_external=asked).text
            assert ("every other order of the account" in told) is asked
            await over(bench, 120)
            assert theirs.open == (0 if asked else 5_000_000)
            assert [call for _, call in bench.venue.calls].count("cancel everything") == int(asked)

    run_virtual(main)


def test_a_viewer_stops_the_desk_and_not_the_account() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            assert bench.engine.flatten(VIEWER, include_external=True).accepted
            await asyncio.sleep(1)
            assert "cancel everything" not in [call for _, call in bench.venue.calls]

    run_virtual(main)


def test_nothing_rests_within_the_minute_of_an_account_wide_cancel() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            empty(bench)
            bench.engine.flatten(TRADER, now=True, include_external=True)
            await asyncio.sleep(10)
            early = bench.engine.rest_exit(HOT, Price(3_500), TRADER)
            assert not early.accepted and "try again in" in early.text
            await asyncio.sleep(55)
            assert bench.engine.rest_exit(HOT, Price(3_500), TRADER).accepted

    run_virtual(main)


def test_a_hanging_journal_does_not_keep_the_desk_in_its_positions() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            never: asyncio.Future[bool] = loop.create_future()
            bench.seat.gateway._durable = lambda _: never
            bench.engine.flatten(TRADER, now=True)
            assert (await over(bench)).phase is Phase.FLAT
            assert bench.venue.net[HOT] == 0
            assert all(o.intent.reduce_only for o in bench.venue.placed.values() if o.order_id != "O1")
            never.cancel()

    run_virtual(main)


def test_what_fills_after_the_ladder_could_not_be_flat_is_sold() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            bench.venue.faults.lose_answers, bench.venue.faults.list_lag_s = 1, 40.0
            bench.venue.faults.refuse_groups = True
            bench.approve(card)
            (client,) = bench.engine.desk.ledger.of_proposal[card.id]
            await bench.until(lambda: bench.order(client).life is Life.UNKNOWN, "unknown")
            bench.engine.flatten(TRADER, now=True)
            first = await over(bench)
            assert first.phase is Phase.UNFLATTENED and "UNKNOWN" in first.receipt
            assert "looked at again" in first.receipt and first.watches
            bench.venue.trade(bench.venue.only().order_id, 10)
            await bench.until(lambda: first.phase is Phase.FLAT, "flat after all", 90)
            assert bench.venue.net[HOT] == 0 and not bench.venue.crossed_zero
            assert not any(o.open for o in bench.venue.placed.values())
            assert bench.engine.state.halts.desk is Level.LOCKED

    run_virtual(main)


def test_an_unknown_order_is_asked_about_every_second_once_it_is_to_be_gone() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            bench.venue.faults.lose_answers, bench.venue.faults.list_lag_s = 1, 30.0
            bench.venue.faults.refuse_groups = True
            bench.approve(card)
            (client,) = bench.engine.desk.ledger.of_proposal[card.id]
            await bench.until(lambda: bench.order(client).life is Life.UNKNOWN, "unknown")
            await asyncio.sleep(16)  # the look-ups are far apart by now
            assert bench.venue.only().open
            bench.engine.flatten(TRADER, now=True)
            bench.venue.only().visible_at = loop.time() + 3
            await bench.until(lambda: not bench.venue.only().open, "cancelled", 5.5)

    run_virtual(main)


def test_a_bidder_who_comes_late_is_sold_to() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            empty(bench)
            bench.engine.flatten(TRADER, now=True)
            assert (await over(bench, 200)).phase is Phase.UNFLATTENED
            await asyncio.sleep(100)
            assert not bench.venue.exits_seen and ladder(bench).phase is Phase.UNFLATTENED
            assert ladder(bench).receipt.count("contracts held") == 1
            bench.venue.quote(HOT, 38, 42)
            await bench.until(lambda: ladder(bench).phase is Phase.FLAT, "flat", 60)
            assert bench.venue.net[HOT] == 0 and not bench.venue.crossed_zero
            alarms = [a for a in bench.engine.state.alarms.values() if a.what.startswith("NOT FLAT")]
            assert not any(a.active for a in alarms)

    run_virtual(main)


@pytest.mark.parametrize("how", ["abort", "press"])
def test_a_ladder_that_only_looks_can_be_stopped_and_begun_anew(how: str) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            empty(bench)
            bench.engine.flatten(TRADER, now=True)
            first = await over(bench, 200)
            if how == "abort":
                assert bench.engine.abort_flatten(TRADER).accepted
                assert bench.engine.state.halts.desk is Level.LOCKED
            else:
                assert bench.engine.flatten(TRADER).accepted
                assert ladder(bench) is not first and not first.watches
                assert bench.engine.abort_flatten(TRADER).accepted, "in its countdown"
            bench.venue.quote(HOT, 38, 42)
            await asyncio.sleep(60)
            assert ladder(bench).phase is Phase.ABORTED and not bench.venue.exits_seen

    run_virtual(main)


def test_a_resume_ends_the_ladder_that_only_looks() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            empty(bench)
            bench.engine.flatten(TRADER, now=True)
            await over(bench, 200)
            bench.engine.acknowledge_all(TRADER)
            bench.seat.reconciler.request("test")
            await asyncio.sleep(2)
            told = bench.engine.resume("resume", "seen", TRADER)
            assert told.accepted, told.text
            bench.quiet()
            await asyncio.sleep(60)
            assert not ladder(bench).watches and not bench.venue.exits_seen

    run_virtual(main)


def test_a_refused_exit_is_not_repeated_at_once() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            bench.venue.trading = False  # and the engine has not read it yet
            bench.engine.flatten(TRADER, now=True)
            await asyncio.sleep(4.5)
            refused = [o for o in bench.engine.desk.ledger.orders.values() if o.life is Life.REJECTED]
            assert 1 <= len(refused) <= 3

    run_virtual(main)
