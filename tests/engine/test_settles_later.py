"""A venue that settles later, carries no ids of ours, renews nothing and holds orders by heartbeats."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from core.control.snapshot import Snapshot
from core.domain.market import MarketStatus
from core.domain.order import BookSide, Life, Outcome
from core.domain.units import DOLLAR, Money, contracts, price_text
from core.engine.catalogue import SHOWN_AFTER_END_NS
from core.engine.judging import judge
from core.engine.state import AlarmLevel
from core.execution.differences import About, Key
from core.execution.exits import next_slice
from core.execution.gateway import Denied, Wish
from core.execution.ladder import Phase
from core.journal.events import Row
from core.risk.halts import Level
from core.strategy.proposal import Candidate
from core.venues.kalshi.traits import TRAITS
from core.venues.traits import Beat, DeadMan
from core.venues.venue import Redeemable
from tests.execution.bench import EVENT, HOT, TRADER, WARM, Bench, ladder, running
from tests.execution.fake_venue import FakeVenue
from tests.virtual import VirtualClock, VirtualLoop, run_virtual

LATER = msgspec.structs.replace(
    TRAITS,
    renews=False,
    reduce_only=False,
    client_ids=False,
    settles_later=True,
    dead_man=DeadMan.HEARTBEAT,
    lifetime_min_s=180,
    pays_out=False,
)
HELD_NS = 3_600_000_000_000


@asynccontextmanager
async def desk(loop: VirtualLoop, **more: Any) -> AsyncIterator[Bench]:
    clock = VirtualClock(loop)
    nobody: Any = None
    venue = more.pop("venue", None) or FakeVenue(nobody, loop, clock, listed=ladder(), traits=LATER)
    venue.beat = Beat(0, clock.mono_ns() + HELD_NS)
    async with running(loop, venue=venue, **more) as bench:
        yield bench


def rows(bench: Bench, kind: str) -> list[Row]:
    return [row for row in bench.journal.rows if row.kind == kind]


async def bought(bench: Bench, count: int) -> str:
    await bench.held(count)
    return bench.venue.only().order_id


def test_a_failed_trade_is_undone_everywhere_and_calls_somebody() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with desk(loop) as bench:
            cash = bench.venue.cash_now
            await bought(bench, 4)
            ledger, state = bench.engine.desk.ledger, bench.engine.state
            (fill,) = bench.venue.executed
            assert Snapshot(bench.engine.desk).position(HOT).unsettled == contracts(4)
            bench.venue.fail(fill)
            await bench.until(lambda: ledger.net(HOT) == 0, "undone", 1)
            assert Snapshot(bench.engine.desk).position(HOT).failed == contracts(4)
            assert ledger.positions[HOT].fees == ledger.positions[HOT].realised == 0
            assert bench.venue.cash_now == cash
            halt = bench.engine.desk.halting.level(EVENT, HOT)
            assert halt is not None and halt.level is Level.REDUCE_ONLY and "failed to settle" in halt.cause
            label = state.markets[HOT].market.label
            (rang,) = [a.what for a in state.alarms.values() if a.level is AlarmLevel.ACT]
            paid = price_text(fill.price)
            assert rang.startswith(f"{label}: 4.00 YES bought at {paid} never were"), rang
            assert rang.endswith(f"reversed, 0.00 held now (trade {fill.trade_id})"), rang
            assert [row.data()["row"] for row in rows(bench, "DIFFERENCE")] == ["R12"]
            (order,) = ledger.orders.values()
            client = order.intent.client_order_id
            await bench.until(lambda: not bench.order(client).live, "the rest is gone", 5)
            assert bench.engine.desk.exposure.now(HOT).market == 0
            await bench.until(lambda: bench.seat.reconciler.last.clean, "agreement", 60)
            await asyncio.sleep(60.0)
            assert bench.seat.reconciler.last.clean and not bench.seat.reconciler.differences
            assert bench.engine.acknowledge_all(TRADER).accepted
            assert bench.engine.desk.halting.level(EVENT, HOT) is None, "seen is enough"

    run_virtual(main)


def test_nothing_is_expected_of_a_purchase_that_never_was() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with desk(loop) as bench:
            order_id, guard = await bought(bench, 4), bench.engine._ears.posttrade
            bench.venue.trade(order_id, 3)
            ledger = bench.engine.desk.ledger
            await bench.until(lambda: ledger.net(HOT) == contracts(7), "a second trade", 1)
            foreseen = guard._expected[HOT]
            bench.venue.confirm()
            bench.venue.trade(order_id, 2)
            await bench.until(lambda: ledger.net(HOT) == contracts(9), "a third trade", 1)
            assert guard._expected[HOT].mean > foreseen.mean
            bench.venue.fail(bench.venue.executed[-1])
            await bench.until(lambda: ledger.net(HOT) == contracts(7), "undone", 1)
            assert round(guard._expected[HOT].less(foreseen).mean) == 0
            await asyncio.sleep(2.0)
            assert not guard._unsettled, "what is settled is remembered no longer"

    run_virtual(main)


def test_a_failure_nobody_told_is_found_by_the_next_reading() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with desk(loop) as bench:
            await bought(bench, 4)
            bench.venue.fail(bench.venue.executed[0], silent=True)
            await bench.until(lambda: bench.engine.desk.ledger.net(HOT) == 0, "undone", 40)

    run_virtual(main)


def test_a_flatten_sells_what_is_confirmed_and_is_flat_once_that_is_settled_too() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with desk(loop) as bench:
            await bought(bench, 4)
            bench.engine.flatten(TRADER, now=True)
            await asyncio.sleep(20.0)
            stop = bench.engine.desk.stop
            assert stop.ladder is not None and stop.ladder.phase is Phase.EXITING
            assert "not settled" in stop.ladder.residue[HOT] and not bench.venue.exits_seen
            bench.venue.confirm()
            await bench.until(lambda: bench.engine.desk.ledger.net(HOT) == 0, "sold", 10)
            await asyncio.sleep(20.0)
            assert stop.ladder.phase is Phase.VERIFYING, "the sale may still fail"
            bench.venue.confirm()
            await bench.until(lambda: stop.ladder.phase is Phase.FLAT, "flat", 20)  # type: ignore[union-attr]

    run_virtual(main)


def test_a_flatten_asks_the_venue_for_its_count_once_it_counts_what_was_bought() -> None:
    """Nothing is given up for a list that lacks what is not settled, however long that takes."""

    async def main(loop: VirtualLoop) -> None:
        async with desk(loop) as bench:
            bench.venue.settled_only = True
            await bought(bench, 4)
            bench.engine.flatten(TRADER, now=True)
            await asyncio.sleep(60.0)
            stop = bench.engine.desk.stop
            assert stop.ladder is not None and stop.ladder.phase is Phase.EXITING
            bench.venue.confirm()
            await bench.until(lambda: bool(bench.venue.exits_seen), "an exit", 5)
            told = [row.data()["text"] for row in rows(bench, "FLATTEN_END")]
            assert not told, "nobody is called for a position that was merely not settled"

    run_virtual(main)


def test_a_stop_that_goes_on_waits_for_no_settlement_before_it_sells() -> None:
    """A trade that stays unsettled must not keep the same venue from what finds a bidder elsewhere."""

    async def main(loop: VirtualLoop) -> None:
        async with desk(loop) as bench:
            await bought(bench, 4)
            bench.venue.confirm()
            await asyncio.sleep(1.0)
            bench.venue.quote(HOT, 38, 42, size=2, depth=1)
            bench.engine.flatten(TRADER, now=True)
            await bench.until(lambda: bench.engine.desk.ledger.net(HOT) < contracts(4), "a part", 10)
            bench.venue.books[HOT].book.clear()
            bench.venue.touch(HOT)
            stop = bench.engine.desk.stop
            await bench.until(lambda: stop.ladder.phase is Phase.UNFLATTENED, "given up", 300)  # type: ignore[union-attr]
            await asyncio.sleep(30.0)
            bench.venue.quote(HOT, 38, 42)
            await bench.until(lambda: bench.engine.desk.ledger.net(HOT) == 0, "sold", 30)
            assert not any(fill.final for fill in bench.venue.executed if fill.side is BookSide.ASK)

    run_virtual(main)


def test_a_sale_that_fails_is_sold_again() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with desk(loop) as bench:
            await bought(bench, 4)
            bench.venue.confirm()
            await asyncio.sleep(1.0)
            bench.engine.flatten(TRADER, now=True)
            await bench.until(lambda: bench.engine.desk.ledger.net(HOT) == 0, "sold", 10)
            tallies, exposure = bench.engine.desk.trips.tallies, bench.engine.desk.exposure
            assert tallies.losses_in_row() == 1 and exposure.now(HOT).market > 0, "it may still be held"
            bench.venue.fail(next(f for f in bench.venue.executed if f.side is BookSide.ASK))
            await bench.until(lambda: bench.engine.desk.ledger.net(HOT) != 0, "back", 2)
            assert tallies.losses_in_row() == 0, "a close that never was is no loss"
            bench.venue.confirm()
            await bench.until(lambda: bench.venue.net[HOT] == 0, "sold again", 60)
            bench.venue.confirm()
            stop = bench.engine.desk.stop
            await bench.until(lambda: stop.ladder.phase is Phase.FLAT, "flat", 60)  # type: ignore[union-attr]

    run_virtual(main)


def test_nothing_is_sold_beyond_what_is_confirmed() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with desk(loop) as bench:
            order = await bench.sent()
            bench.venue.trade(order.order_id, 3)
            await asyncio.sleep(0.1)
            bench.venue.confirm()
            await asyncio.sleep(0.1)
            bench.venue.trade(order.order_id, 2)
            ledger = bench.engine.desk.ledger
            await bench.until(lambda: ledger.net(HOT) == contracts(5), "fills", 1)
            assert ledger.closable(HOT) == contracts(3)
            wanted = _exit(bench, 5)
            sent = bench.seat.gateway.send(Wish(wanted))
            assert isinstance(sent, Denied)
            verdict = judge(bench.engine.desk, wanted)
            (why,) = [denial.limit for denial in verdict.denials if denial.code == "G14"]
            assert why == "3.00 free, 2.00 not settled yet"

    run_virtual(main)


def _exit(bench: Bench, count: int) -> Candidate:
    market, view = bench.engine.state.markets[HOT].market, bench.venue.books[HOT]
    found = next_slice(market, view, contracts(count), contracts(count), 0)
    assert isinstance(found, Candidate) and found.quantity == contracts(count)
    return found


def test_a_lost_answer_is_found_by_the_id_known_beforehand() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with desk(loop) as bench:
            await bench.card()
            bench.venue.faults.lose_answers = 1
            bench.venue.faults.list_lag_s = 3_600.0
            order = await bench.sent()
            client = order.intent.client_order_id
            assert order.life is Life.UNKNOWN and order.sealed_id == bench.venue.only().order_id
            await bench.until(lambda: bench.order(client).life is Life.WORKING, "found", 5)
            assert not bench.engine.desk.ledger.externals

    run_virtual(main)


def test_an_unanswered_order_is_cancelled_by_the_id_known_beforehand() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with desk(loop) as bench:
            await bench.card()
            bench.venue.faults.lose_answers = 1
            bench.venue.faults.refuse_groups = True
            order = await bench.sent()
            bench.venue.faults.hanging_reads = True
            assert bench.order(order.intent.client_order_id).life is Life.UNKNOWN
            bench.engine.halt("", TRADER)
            await bench.until(lambda: not bench.venue.only().open, "gone", 1)
            await bench.until(lambda: not bench.order(order.intent.client_order_id).live, "proved", 1)

    run_virtual(main)


def test_money_of_a_purchase_is_spent_although_the_venues_figure_still_holds_it() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with desk(loop) as bench:
            bench.venue.settled_only = True
            await bought(bench, 4)
            account = bench.seat.reconciler
            bench.engine.pause("", TRADER)
            read = account.readings
            await bench.until(lambda: account.readings > read, "a reading without the purchase", 60)
            assert bench.venue.cash_now < account._cash_read.total  # type: ignore[union-attr]
            assert account.cash == account.cash_on(0) == bench.venue.cash_now
            bench.venue.confirm()
            await asyncio.sleep(60.0)
            assert account.cash == bench.venue.cash_now, "and only once"

    run_virtual(main)


def test_no_count_of_the_venues_is_accepted_while_a_trade_may_or_may_not_be_in_it() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with desk(loop) as bench:
            await bench.until(lambda: bench.seat.reconciler.cash_base is not None, "a base of the cash")
            await bought(bench, 4)
            engine = bench.engine
            bench.venue.cash_now = Money(bench.venue.cash_now - 30 * DOLLAR)
            bench.venue.net[HOT] = contracts(11)
            keys = (Key(About.POSITION, HOT), Key(About.CASH))
            await asyncio.sleep(60.0)
            assert not engine.desk.ledger.live
            assert all(bench.seat.reconciler.differences[key].reads > 1 for key in keys)
            net, base = engine.desk.ledger.net(HOT), bench.seat.reconciler.cash_base
            for what in (HOT, "cash"):
                refused = engine.accept(what, "accept", "as the page says", TRADER)
                assert not refused.accepted and "not settled" in refused.text
            assert (engine.desk.ledger.net(HOT), bench.seat.reconciler.cash_base) == (net, base)
            bench.venue.confirm()
            await bench.until(lambda: not engine.desk.ledger.unsettled(HOT), "settled", 1)
            assert "moved since" in engine.accept("cash", "accept", "at once", TRADER).text
            await asyncio.sleep(60.0)
            assert engine.accept(HOT, "accept", "as the page says", TRADER).accepted
            await asyncio.sleep(10.0)
            assert engine.accept("cash", "accept", "as the page says", TRADER).accepted
            await asyncio.sleep(10.0)
            assert not bench.seat.reconciler.differences

    run_virtual(main)


def test_orders_are_not_renewed_and_live_as_long_as_the_venue_asks_at_least() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with desk(loop) as bench:
            order = await bench.sent()
            assert order.intent.expires_ms is not None
            assert order.intent.expires_ms - order.intent.created_ms >= 180_000
            await asyncio.sleep(150.0)
            assert not [call for _, call in bench.venue.calls if call.startswith("renew")]

    run_virtual(main)


def test_missed_heartbeats_stop_entries_and_say_when_the_venue_cancels() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with desk(loop) as bench:
            card = await bench.card()
            now = bench.clock.mono_ns()

            def codes() -> set[str]:
                return {denial.code for denial in judge(bench.engine.desk, card.candidate, card.id).denials}

            assert codes() == set()
            for beat, denied in (
                (Beat(1, now + 9_000_000_000), set()),
                (Beat(2, now + 8_000_000_000), {"G32"}),
                (None, {"G32"}),
            ):
                bench.venue.beat = beat
                assert codes() == denied
            bench.venue.beat = Beat(2, now + 8_000_000_000)
            await asyncio.sleep(1.1)
            (told,) = [a.what for a in bench.engine.state.alarms.values() if "heartbeats" in a.what]
            assert "cancels every order of ours in" in told

    run_virtual(main)


def test_a_venue_that_does_not_count_what_is_not_settled_is_no_difference() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with desk(loop) as bench:
            cash = bench.venue.cash_now
            bench.venue.settled_only = True
            await bought(bench, 4)
            await asyncio.sleep(70.0)
            account = bench.seat.reconciler
            assert account.last.clean and not account.differences and account.venue_net == {}
            assert bench.venue.cash_now < cash, "the fake exchange itself has taken the money"
            bench.venue.settled_only = False
            bench.venue.confirm()
            await asyncio.sleep(70.0)
            assert account.last.clean and not account.differences

    run_virtual(main)


def test_a_dollar_that_lies_in_a_pair_is_not_missing() -> None:
    """YES and NO held together, as after a close that failed, pay one dollar whatever happens."""

    async def main(loop: VirtualLoop) -> None:
        async with desk(loop) as bench:
            account = bench.seat.reconciler
            await bench.until(lambda: account.cash_base is not None, "the first count", 60)
            bench.venue.paired[HOT] = contracts(2)
            bench.venue.cash_now = Money(bench.venue.cash_now - 2 * DOLLAR)
            await asyncio.sleep(70.0)
            assert account.last.clean and not account.differences

    run_virtual(main)


def test_a_payout_its_owner_has_to_ask_for_is_not_missing_cash_until_it_was_paid() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with desk(loop) as bench:
            venue, account = bench.venue, bench.seat.reconciler
            await bought(bench, 4)
            venue.confirm()
            live = bench.engine.desk.ledger.live
            # What is on order would explain a lack of cash as well.
            await bench.until(lambda: not live, "the end of the order", 300)
            venue.settle(HOT, 10_000)

            async def differs(dollars: int) -> bool:
                venue.cash_now = Money(venue.cash_now + dollars * DOLLAR)
                await asyncio.sleep(70.0)
                return bool(account.differences)

            assert not await differs(-4), "it waits on the venue's page"
            assert not await differs(4), "it was asked for"
            assert await differs(-4), "once paid it is cash like any other"

    run_virtual(main)


def test_what_waits_on_the_venues_page_is_shown_with_it_though_nothing_is_held() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with desk(loop) as bench:
            snapshot, page = Snapshot(bench.engine.desk), "https://venue.example/portfolio"
            assert snapshot.held() == []
            bench.venue.payouts.append(Redeemable(WARM, Outcome.YES, contracts(7), page))
            bench.venue.paired[HOT] = contracts(2)
            await bench.until(lambda: set(snapshot.held()) == {WARM, HOT}, "shown", 90)
            won, both = snapshot.position(WARM), snapshot.position(HOT)
            assert (won.net, won.redeemable, won.page) == (0, contracts(7), page)
            assert (both.net, both.pairs, both.venue_net) == (0, contracts(2), None)
            bench.venue.payouts.clear()
            await bench.until(lambda: snapshot.held() == [HOT], "paid", 90)

    run_virtual(main)


def test_a_restart_still_waits_for_what_was_not_settled() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with desk(loop) as bench:
            await bought(bench, 4)
        async with desk(loop, venue=bench.venue, history=tuple(bench.journal.rows), run="r2") as again:
            ledger = again.engine.desk.ledger
            assert ledger.net(HOT) == contracts(4) and ledger.closable(HOT) == 0
            again.venue.confirm()
            await again.until(lambda: ledger.closable(HOT) == contracts(4), "settled", 2)

    run_virtual(main)


def test_a_sale_that_may_still_fail_counts_in_every_limit_also_where_its_market_is_listed_no_more() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with desk(loop) as bench:
            await bought(bench, 4)
            bench.venue.confirm()
            await asyncio.sleep(1.0)
            bench.engine.flatten(TRADER, now=True)
            engine = bench.engine
            await bench.until(
                lambda: engine.desk.ledger.net(HOT) == 0 and not engine.desk.ledger.live, "sold", 10
            )
            venue, risked = bench.venue, engine.desk.exposure.now(HOT).market
            over = msgspec.structs.replace(engine.state.markets[HOT].market, status=MarketStatus.DETERMINED)
            venue.listed = tuple(over if m.ticker == HOT else m for m in venue.listed)
            assert risked > 0
            await asyncio.sleep(SHOWN_AFTER_END_NS / 1e9 + 60.0)
            assert HOT in engine.state.markets and engine.desk.exposure.now(HOT).market == risked
            rows = tuple(bench.journal.rows)
        venue.listed = tuple(m for m in venue.listed if m.ticker != HOT)
        async with desk(loop, venue=venue, history=rows, run="r2", ready=False) as again:
            await asyncio.sleep(5.0)
            assert HOT not in again.engine.state.markets
            assert again.engine.desk.exposure.now(HOT).market == risked

    run_virtual(main)
