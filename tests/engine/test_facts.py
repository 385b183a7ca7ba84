"""What the engine tells the gate: which clock, which orders, which money."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from core.control.snapshot import Snapshot
from core.domain.clock import Clocks, WorldClock
from core.domain.market import FeeChange, FeeSchedule, FeeType
from core.domain.order import BookSide, TimeInForce
from core.domain.units import Money, Price, contracts
from core.engine import facts, judging
from core.engine.gate_inputs import inputs
from core.execution.gateway import Denied, Wish
from core.risk.exposure import still_reserved
from core.venues.exchange import Maintenance, ShardState
from core.venues.venue import PositionReport
from tests.execution.bench import EVENT, HOT, TRADER, WARM, only, running
from tests.execution.fake_venue import strange
from tests.virtual import START_WALL_MS, VirtualLoop, run_virtual

HOUR_MS = 3_600_000


def test_feeds_and_market_hours_are_judged_by_world_time_all_else_by_real_time() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card, desk = await bench.card(), bench.engine.desk
            before = inputs(desk, card.candidate, "", "")
            # The world is three hours ahead from here on; hands and machines are where they were.
            desk.clocks = Clocks(bench.clock, WorldClock(START_WALL_MS, START_WALL_MS + 3 * HOUR_MS))
            after = inputs(desk, card.candidate, "", "")
            assert before.world_ms is not None and before.feeds and after.feeds
            assert after.world_ms == before.world_ms + 3 * HOUR_MS
            ages = [(f.name, f.age_s + 3 * 3600) for f in before.feeds if f.age_s is not None]
            assert [(f.name, f.age_s) for f in after.feeds] == ages
            same = ("now_ns", "book", "reconcile_age_ms", "recent", "filled_15s")
            assert [getattr(after, n) for n in same] == [getattr(before, n) for n in same]
            late = msgspec.structs.replace(
                desk.state.markets[HOT].market, close_ms=before.world_ms + 2 * HOUR_MS
            )
            desk.state.markets[HOT].market = late
            denied = {d.code for d in judging.judge(desk, card.candidate).denials}
            assert "G28" in denied

    run_virtual(main)


def test_an_input_is_too_old_from_the_first_millisecond_beyond_its_limit() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card, desk = await bench.card(), bench.engine.desk
            fair, now_ms = desk.state.markets[HOT].fair, bench.clock.wall_ms()
            assert fair is not None
            for beyond_ms in (0, 1):
                ahead = WorldClock(now_ms, fair.fresh_until_ms + beyond_ms)
                desk.clocks = Clocks(bench.clock, ahead)
                denied = {d.code for d in judging.judge(desk, card.candidate).denials}
                assert ("G12" in denied) is (beyond_ms > 0)

    run_virtual(main)


def test_chances_that_do_not_add_up_are_found_whatever_the_model_says_of_them() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card, event = await bench.card(), bench.engine.state.events[EVENT]
            assert judging.judge(bench.engine.desk, card.candidate).passed
            assert event.fair is not None
            first, *rest = event.fair.values
            more = msgspec.structs.replace(first, model_probability=first.model_probability + 0.1)
            event.fair = msgspec.structs.replace(event.fair, values=(more, *rest))
            (denial,) = judging.judge(bench.engine.desk, card.candidate).denials
            assert str(denial) == "G13 brackets sum to 1.100, limit 0.97 to 1.03"

    run_virtual(main)


def test_an_order_counts_once_whether_it_is_asked_for_or_on_its_way() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card, desk = await bench.card(), bench.engine.desk
            wanted = card.candidate
            asked = inputs(desk, wanted, card.id, "")
            assert asked.worst is not None and asked.worst.market > 0
            assert asked.worst != desk.exposure.now(HOT), "the candidate's own worst case is in it"
            assert (asked.open_orders, asked.reserved, asked.proposal_used) == (0, 0, False)
            assert bench.approve(card).accepted
            (client,) = desk.ledger.of_proposal[card.id]
            sent = desk.ledger.orders[client].intent
            again = msgspec.structs.replace(wanted, price=sent.price, quantity=sent.quantity, fee=wanted.fee)
            released = inputs(desk, again, card.id, client)
            assert released.worst == desk.exposure.now(HOT) == asked.worst
            assert (released.open_orders, released.reserved, released.proposal_used) == (0, 0, False)
            assert released.recent == asked.recent and released.orders == ()
            second = inputs(desk, again, card.id, "")
            assert second.proposal_used is True
            assert (second.open_orders, len(second.orders or ())) == (1, 1)
            assert second.reserved == still_reserved(desk.ledger.orders[client]) > 0
            assert len(second.recent or ()) == len(asked.recent or ()) + 1

    run_virtual(main)


def test_orders_placed_elsewhere_bind_what_may_be_sold_and_ordered() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card, desk = await bench.card(), bench.engine.desk
            await bench.held(8)
            theirs = strange(bench.venue.only())
            theirs.order_id, theirs.filled, theirs.open = "X1", 0, 3_000_000
            theirs.intent = msgspec.structs.replace(theirs.intent, side=BookSide.ASK, price=Price(9_000))
            bench.venue.placed["X1"] = theirs
            only(desk).reconciler.request("test")
            await bench.until(lambda: "X1" in desk.ledger.externals, "seen", 5)
            told = [(row.order_id, row.external) for row in Snapshot(desk).detail(HOT).orders]
            assert told.count(("X1", True)) == 1 and len(told) == 1 + len(desk.ledger.live)
            candidate = msgspec.structs.replace(card.candidate, side=BookSide.ASK)
            given = inputs(desk, candidate, "", "")
            assert [(r.order_id, r.remaining) for r in given.outside or ()] == [("X1", contracts(3))]
            ours = sum(still_reserved(order) for order in desk.ledger.live.values())
            assert given.reserved == ours + contracts(3) // 10, "each taken for an open of NO at 10 cents"
            assert given.open_orders == len(desk.ledger.live) + 1
            room = facts.headroom(desk, [HOT])
            assert room is not None
            assert room.open_orders == desk.state.limits.current.open_orders_total_max - given.open_orders
            assert desk.ledger.closable(HOT) == contracts(5)
            elsewhere = msgspec.structs.replace(candidate, ticker=WARM)
            assert inputs(desk, elsewhere, "", "").outside == ()

    run_virtual(main)


@pytest.mark.parametrize("scope", ["market", "event", "correlated", "venue", "total"])
def test_the_last_tenth_of_any_limit_on_losses_asks_for_a_second_key(scope: str) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card, desk = await bench.card(), bench.engine.desk
            c = card.candidate
            assert not judging.large(desk, c)
            after = desk.exposure.with_order(c.ticker, c.side, c.price, c.quantity, c.fee)
            nearly = {f"{scope}_loss_max": Money(int(getattr(after, scope)) * 10 // 9)}
            live = msgspec.structs.replace(desk.state.limits.current, **nearly)
            desk.state.limits = msgspec.structs.replace(desk.state.limits, current=live)
            assert judging.large(desk, c)

    run_virtual(main)


def test_money_that_changed_hands_counts_for_its_window() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card, desk = await bench.card(), bench.engine.desk
            await bench.held(8)
            await asyncio.sleep(1)
            price = bench.venue.executed[0].price
            given = inputs(desk, card.candidate, "", "")
            assert given.filled_15s == given.filled_5min == 8 * price * 100
            await asyncio.sleep(16)
            later = inputs(desk, card.candidate, "", "")
            assert (later.filled_15s, later.filled_5min) == (0, 8 * price * 100)
            await asyncio.sleep(290)
            assert inputs(desk, card.candidate, "", "").filled_5min == 0

    run_virtual(main)


def test_the_gate_at_release_sees_the_edge_of_that_moment() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card, desk = await bench.card(), bench.engine.desk
            assert not isinstance(judging.gate_line(desk, Wish(card.candidate, card.id), ""), Denied)
            praised = msgspec.structs.replace(card.candidate, edge=Price(9_000))
            assert not isinstance(judging.gate_line(desk, Wish(praised, card.id), ""), Denied), (
                "what the card said of its edge does not matter any more"
            )
            bench.engine.set_limit("edge_min", "0.14", "", "", TRADER)
            denied = judging.gate_line(desk, Wish(praised, card.id), "")
            assert isinstance(denied, Denied) and "G09" in denied.reason

    run_virtual(main)


def test_a_book_that_moved_stops_both_kinds_of_order() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card, desk = await bench.card(), bench.engine.desk
            resting = card.candidate
            taking = msgspec.structs.replace(
                resting, tif=TimeInForce.IOC, post_only=False, price=Price(4_200)
            )
            assert judging.moved(desk, resting) is None and judging.moved(desk, taking) is None
            bench.venue.quote(HOT, 43, 46)
            assert "nobody is left" in (judging.moved(desk, taking) or "")
            bench.venue.quote(HOT, 20, resting.price // 100)
            assert "take instead of rest" in (judging.moved(desk, resting) or "")

    run_virtual(main)


def test_a_fee_that_became_unknown_after_the_card_was_drawn_stops_it_with_a_sentence() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card, desk = await bench.card(), bench.engine.desk
            known = desk.state.markets[HOT]
            unknown = msgspec.structs.replace(known.market.fees, type=FeeType.UNKNOWN)
            known.market = msgspec.structs.replace(known.market, fees=unknown)
            assert judging.refreshed(desk, card.candidate) == (
                "the market's fee type is unknown: its fees cannot be computed"
            )
            outcome = bench.approve(card)
            assert not outcome.accepted and "Traceback" not in outcome.text

    run_virtual(main)


def test_a_market_is_judged_by_its_own_shards_state_and_cash() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card, desk = await bench.card(), bench.engine.desk
            bench.venue.shards = (ShardState(0, True, True), ShardState(2, True, False))
            bench.venue.cash_parts = {0: Money(bench.venue.cash_now - 7_000_000), 2: Money(7_000_000)}
            await bench.until(
                lambda: (
                    bool(only(desk).exchange and only(desk).exchange.shards)
                    and only(desk).reconciler.cash_on(2) == 7_000_000
                ),
                "shards",
            )
            here = inputs(desk, card.candidate, "", "")
            assert (here.trading and here.trading.active, here.cash) == (
                True,
                bench.venue.cash_now - 7_000_000,
            )
            crypto = msgspec.structs.replace(desk.state.markets[HOT].market, shard=2)
            desk.state.markets[HOT].market = crypto
            there = inputs(desk, card.candidate, "", "")
            assert (there.trading and there.trading.active, there.cash) == (False, 7_000_000)
            denied = {d.code for d in judging.judge(desk, card.candidate).denials}
            assert {"G15", "G28"} <= denied

    run_virtual(main)


def test_pauses_behind_and_ahead_and_denied_names_reach_the_gate() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card, desk = await bench.card(), bench.engine.desk

            def codes() -> set[str]:
                return {denial.code for denial in judging.judge(desk, card.candidate).denials}

            assert codes() == set()
            world = desk.clocks.world_ms()
            over, ahead = Maintenance(world - 9_000, world - 1), Maintenance(world + 59_000, world + 90_000)
            only(desk).maintenance = (over,)
            assert codes() == set()
            only(desk).maintenance = (over, ahead)
            assert codes() == {"G28"}
            only(desk).maintenance = None
            assert codes() == {"G28"}, "not known yet"
            only(desk).maintenance = ()
            bench.venue.trading = False
            await bench.until(lambda: codes() == {"G28"}, "pause", 10)
            bench.venue.trading = True
            seat = only(desk)
            await bench.until(lambda: bool(seat.exchange and seat.exchange.trading_active), "open", 10)
            assert codes() == {"G28"}, "the first five seconds"
            await asyncio.sleep(5)
            bench.venue.touch(HOT)
            assert codes() == set()
            for name in (HOT, EVENT, "KXHIGHNY"):
                chosen = msgspec.structs.replace(desk.settings.markets, deny=(name,))
                desk.settings = msgspec.structs.replace(desk.settings, markets=chosen)
                assert codes() == {"G03"}

    run_virtual(main)


def test_a_count_of_the_venue_that_differs_asks_for_a_whole_reading() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(5)
            bench.quiet()
            ears, before = bench.venue.listener, len(bench.kinds())
            ears.on_position(PositionReport(HOT, contracts(5)), "t-1")
            assert bench.kinds()[before:] == []
            ears.on_position(PositionReport(HOT, contracts(9)), "t-2")
            assert bench.kinds()[before:] == ["ANOMALY"]
            reads = bench.seat.reconciler.read_ns
            await bench.until(lambda: bench.seat.reconciler.read_ns != reads, "a reading", 3.0)
            # A count that names no trade may only be ahead of its fill, unless nothing can fill.
            asked: list[str] = []
            bench.seat.reconciler.request = asked.append  # type: ignore[method-assign]
            assert bench.engine.desk.ledger.live_in(HOT)
            ears.on_position(PositionReport(HOT, contracts(9)), "")
            assert asked == []
            ears.on_position(PositionReport(WARM, contracts(9)), "")
            assert asked == ["position"]

    run_virtual(main)


def test_a_market_is_priced_with_the_fees_announced_for_now() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.card()
            desk = bench.engine.desk
            dear = FeeSchedule(FeeType.QUADRATIC, 2_000_000)
            at_ms = desk.clocks.world_ms() + 60_000
            known = desk.state.markets[HOT]
            known.market = msgspec.structs.replace(known.market, fee_changes=(FeeChange(at_ms, dear),))
            view = facts.market_view(desk, HOT)
            assert view is not None and view.market.fees != dear
            await asyncio.sleep(60)
            known.market = msgspec.structs.replace(known.market, fee_changes=(FeeChange(at_ms, dear),))
            view = facts.market_view(desk, HOT)
            assert view is not None and view.market.fees == dear

    run_virtual(main)


def test_a_sent_cards_own_order_is_not_ahead_of_itself() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card, desk = await bench.card(), bench.engine.desk
            side, price = card.candidate.side, card.candidate.price
            before = Snapshot(desk).proposal(card.id)
            order = await bench.sent()
            book = bench.venue.books[HOT].book
            book.set(side, price, book.size(side, price) + order.leaves)  # which shows it too from now on
            bench.venue.touch(HOT)
            after = Snapshot(desk).proposal(card.id)
            assert after.state == "SENT" and (after.ahead, after.share) == (before.ahead, before.share)

    run_virtual(main)
