"""What an operator may do, in which words, and what happens when nobody is there."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal

import msgspec
import pytest

from core.config.settings import EngineSettings, Settings
from core.domain.order import Life, Purpose
from core.domain.units import Price, Quantity
from core.engine.state import Mode
from core.execution.proposals import ProposalState
from core.risk.halts import GLOBAL, Level
from core.venues.venue import LinkState
from tests.execution.bench import CLI, HOT, TRADER, VIEWER, running
from tests.virtual import VirtualLoop, run_virtual

AUTO = Settings(engine=EngineSettings(unattended_max_s=120))


def test_a_viewer_may_only_make_things_safer() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card, engine = await bench.card(), bench.engine
            now = bench.clock.mono_ns()
            for outcome in (
                engine.approve(card.id, card.fingerprint, now, VIEWER),
                engine.veto(card.id, card.fingerprint, "", VIEWER),
                engine.set_mode("auto", "automatic", "", VIEWER),
                engine.set_limit("day_loss_max", "10", "", "", VIEWER),
                engine.pause("", VIEWER),
                engine.stop("", VIEWER),
            ):
                assert not outcome.accepted and "views" in outcome.text
            assert engine.halt("", VIEWER).accepted
            assert not engine.resume("resume", "x", VIEWER).accepted

    run_virtual(main)


def test_a_veto_keeps_the_market_quiet_for_a_while() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            assert bench.engine.veto(card.id, card.fingerprint, "price", TRADER).accepted
            await asyncio.sleep(60)
            assert bench.engine.desk.approvals.of(HOT) is None
            assert bench.engine.desk.approvals.proposals.get(card.id) is None

    run_virtual(main)


def test_a_card_expires_after_a_minute_and_says_so_in_the_journal() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            await asyncio.sleep(60.5)
            ended = bench.engine.desk.approvals.proposals[card.id]
            assert ended.state is ProposalState.EXPIRED
            assert not bench.approve(card).accepted
            assert any("EXPIRED" in r.payload for r in bench.journal.rows if r.kind == "PROPOSAL_STATE")
            assert not bench.venue.placed

    run_virtual(main)


def test_a_card_does_not_outlive_its_data() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.quiet()
            await asyncio.sleep(5)
            bench.feed.forecast(48.0, limit_s=20)
            bench.venue.quote(HOT, 38, 42)
            card = await bench.card()
            assert card.expires_ms - bench.clock.wall_ms() <= 20_000

    run_virtual(main)


def test_an_edit_goes_one_way() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card, engine = await bench.card(), bench.engine
            c = card.candidate
            more = engine.edit(card.id, card.fingerprint, c.outcome_price, Quantity(c.quantity * 2), TRADER)
            worse = engine.edit(card.id, card.fingerprint, Price(c.outcome_price + 100), c.quantity, TRADER)
            assert not more.accepted and not worse.accepted
            less = engine.edit(
                card.id, card.fingerprint, Price(c.outcome_price - 100), Quantity(5_000_000), TRADER
            )
            assert less.accepted
            edited = engine.desk.approvals.proposals[card.id]
            assert edited.fingerprint != card.fingerprint and edited.was.quantity == c.quantity
            await asyncio.sleep(2)
            kept = engine.desk.approvals.proposals[card.id].candidate
            assert (kept.price, kept.quantity) == (c.price - 100, 5_000_000)
            assert kept.edge > c.edge + 50, "a cent better is told as such"
            assert bench.approve(engine.desk.approvals.proposals[card.id]).accepted

    run_virtual(main)


def test_pause_blocks_entries_and_unpausing_needs_its_word() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            assert bench.engine.pause("", TRADER).accepted
            await asyncio.sleep(0.5)
            blocked = bench.engine.desk.approvals.proposals[card.id]
            assert blocked.state is ProposalState.BLOCKED
            refused = bench.approve(blocked)
            assert not refused.accepted and "G01" in refused.text
            assert not bench.engine.unpause("", "yes", TRADER).accepted
            assert bench.engine.unpause("", "unpause", TRADER, " the wire is back ").accepted
            whys = [row.data()["why"] for row in bench.journal.rows if row.kind == "PAUSE"]
            assert whys[-2:] == ["", "the wire is back"]
            await bench.card()

    run_virtual(main)


def test_a_halt_cancels_drops_cards_and_needs_word_and_reason_to_lift() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            bench.engine.halt("test", VIEWER)
            client = order.intent.client_order_id
            await bench.until(lambda: bench.order(client).life is Life.CANCELLED, "cancel")
            assert not bench.engine.desk.approvals.queue()
            assert not bench.engine.resume("", "reason", TRADER).accepted
            assert not bench.engine.resume("resume", "  ", TRADER).accepted
            await asyncio.sleep(6)
            assert bench.engine.resume("resume", "looked", TRADER).accepted
            assert bench.engine.state.halts.desk is Level.NORMAL
            assert bench.engine.state.mode is Mode.SEMI and bench.engine.state.paused

    run_virtual(main)


def test_automatic_mode_sends_by_itself_and_needs_its_word() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.card()
            assert not bench.engine.set_mode("auto", "yes", "", TRADER).accepted
            assert bench.engine.set_mode("auto", "automatic", "", TRADER).accepted
            await bench.until(lambda: bool(bench.venue.placed), "order without a card pressed", 10)
            assert "APPROVAL" in bench.kinds()

    run_virtual(main)


def test_cards_that_wait_leave_when_automatic_mode_begins() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            bench.engine.set_mode("auto", "automatic", "", TRADER)
            await bench.until(lambda: card.id in bench.engine.desk.ledger.of_proposal, "release", 5)

    run_virtual(main)


def test_nobody_there_expires_cards_and_cancels_entries_after_the_grace() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            client = order.intent.client_order_id
            bench.engine.controller_gone()
            await asyncio.sleep(55)
            assert bench.order(client).live
            await bench.until(lambda: not bench.order(client).live, "cancel after the grace", 10)
            await asyncio.sleep(20)
            assert not [c for c in bench.engine.desk.approvals.queue() if c.verdict.passed]

    run_virtual(main)


def test_the_journal_tells_who_had_control_and_lost_it_and_from_whom_it_was_taken() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            her = msgspec.structs.replace(TRADER, pid=9, session="hers")
            bench.engine.controller_attached(TRADER)
            bench.engine.controller_attached(her)
            bench.engine.controller_gone()
            bench.engine.controller_gone()
            bench.engine.controller_attached(TRADER)
            said = [
                (row.actor, row.data()["text"])
                for row in bench.engine.desk.scribe.log.tail
                if row.kind == "COMMAND" and "control" in row.payload
            ]
            assert said[-3:] == [
                (her.name, f"takes control from {TRADER.name}"),
                (her.name, "is gone: no console has control"),
                (TRADER.name, "takes control"),
            ]

    run_virtual(main)


def test_a_command_from_the_command_line_is_presence() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.engine.controller_gone()
            await asyncio.sleep(62)
            bench.engine.pause("", CLI)
            assert bench.engine.unpause("", "unpause", CLI).accepted
            card = await bench.card()
            assert bench.engine.approve(card.id, card.fingerprint, 0, CLI).accepted
            await bench.until(lambda: bool(bench.venue.placed), "order")

    run_virtual(main)


def test_automatic_mode_alone_ends_in_reduce_only() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, settings=AUTO) as bench:
            bench.engine.set_mode("auto", "automatic", "", TRADER)
            bench.engine.controller_gone()
            state = bench.engine.state
            assert state.unattended_until_ns is not None
            await bench.until(lambda: bool(bench.venue.placed), "order while unattended", 60)
            await asyncio.sleep(130)
            entries = [o for o in bench.engine.desk.ledger.live.values() if o.intent.purpose is Purpose.OPEN]
            assert not entries
            assert bench.engine.state.halts.desk is Level.REDUCE_ONLY
            placed = len(bench.venue.placed)
            bench.engine.controller_attached(TRADER)
            await asyncio.sleep(20)
            assert len(bench.venue.placed) == placed, "a console that comes back arms nothing"
            bench.seat.reconciler.request("look")
            await asyncio.sleep(1)
            unseen = bench.engine.resume("resume", "back", TRADER)
            assert not unseen.accepted and "Acknowledge" in unseen.text
            assert bench.engine.acknowledge_all(TRADER).accepted
            assert bench.engine.resume("resume", "back", TRADER).accepted
            assert state.mode is Mode.SEMI and state.paused

    run_virtual(main)


def test_a_console_cannot_pass_for_the_command_line() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            refused = bench.engine.approve(card.id, card.fingerprint, 0, TRADER)
            assert not refused.accepted and "behind" in refused.text
            assert bench.engine.approve(card.id, card.fingerprint, 0, CLI).accepted

    run_virtual(main)


def test_letting_one_strategy_go_says_when_all_entries_stay_paused() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.engine.pause("weather", TRADER)
            bench.engine.pause("", TRADER)
            told = bench.engine.unpause("weather", "unpause", TRADER)
            assert told.accepted and "all entries still are" in told.text
            assert bench.engine.state.paused == {"*"}

    run_virtual(main)


def test_a_limit_is_lowered_at_once_and_raised_with_word_and_reason() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card, engine = await bench.card(), bench.engine
            assert engine.set_limit("order_contracts_max", "2", "", "", TRADER).accepted
            await bench.until(
                lambda: (
                    not engine.desk.approvals.proposals[card.id].verdict.passed
                    or engine.desk.approvals.proposals[card.id].fingerprint != card.fingerprint
                ),
                "the card follows",
                5,
            )
            assert not engine.set_limit("order_contracts_max", "100", "", "", TRADER).accepted
            assert engine.set_limit("order_contracts_max", "100", "raise", "done", TRADER).accepted
            assert not engine.set_limit("order_contracts_max", "100000", "raise", "more", TRADER).accepted
            assert not engine.set_limit("no_such", "1", "", "", TRADER).accepted

    run_virtual(main)


def test_a_denied_send_is_a_row_with_the_codes_and_every_value_behind_them() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card, engine = await bench.card(), bench.engine
            assert engine.set_limit("market_loss_max", "1", "", "", TRADER).accepted
            told = bench.approve(card)
            assert not told.accepted and "was not sent" in told.text
            (row,) = (row for row in bench.journal.rows if row.kind == "DENIED")
            gate = json.loads(str(row.data()["gate"]))
            assert gate["verdict"] == "denied" and gate["codes"] and gate["worst"] is not None
            assert (row.data()["proposal_id"], row.ticker) == (card.id, HOT)
            assert not engine.desk.ledger.orders, "what was denied never was an order"

    run_virtual(main)


def test_the_day_s_loss_limit_halts_the_desk() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            bench.engine.set_limit("day_loss_max", "3", "", "", TRADER)
            bench.venue.quote(HOT, 10, 60)
            await bench.until(lambda: bench.engine.state.halts.desk is Level.HALTED, "halt", 5)
            assert any("lost" in a.what for a in bench.engine.state.alarms.values())

    run_virtual(main)


@pytest.mark.parametrize("sells", [False, True])
def test_reaching_the_day_s_loss_sells_everything_only_where_so_configured(sells: bool) -> None:
    async def main(loop: VirtualLoop) -> None:
        chosen = Settings(engine=EngineSettings(confirm_above=Decimal(100), flatten_on_day_loss=sells))
        async with running(loop, settings=chosen) as bench:
            await bench.held(20)
            bench.engine.set_limit("day_loss_max", "3", "", "", TRADER)
            bench.engine.desk.halting.rise(GLOBAL, Level.REDUCE_ONLY, "unattended")
            bench.venue.quote(HOT, 10, 60)
            await bench.until(lambda: bench.engine.state.halts.desk >= Level.HALTED, "halt", 5)
            await asyncio.sleep(30)
            assert (bench.engine.desk.ledger.net(HOT) == 0) is sells
            assert bench.engine.state.halts.desk is (Level.LOCKED if sells else Level.HALTED)
            assert bench.kinds().count("FLATTEN_START") == int(sells)

    run_virtual(main)


def test_a_desk_that_is_halted_already_is_sold_at_the_day_s_loss_too_and_once() -> None:
    async def main(loop: VirtualLoop) -> None:
        chosen = Settings(engine=EngineSettings(confirm_above=Decimal(100), flatten_on_day_loss=True))
        async with running(loop, settings=chosen) as bench:
            await bench.held(20)
            bench.engine.set_limit("day_loss_max", "3", "", "", TRADER)
            bench.engine.halt("looks odd", TRADER)
            await asyncio.sleep(5)
            assert bench.kinds().count("FLATTEN_START") == 0
            bench.venue.quote(HOT, 10, 60)
            await bench.until(lambda: bench.engine.state.halts.desk is Level.FLATTENING, "flatten", 5)
            assert bench.engine.abort_flatten(TRADER).accepted
            for bid in (38, 10):
                bench.venue.quote(HOT, bid, 60)
                await asyncio.sleep(5)
            assert bench.kinds().count("FLATTEN_START") == 1, "an operator has decided to hold"
            rows, venue = list(bench.journal.rows), bench.venue
        async with running(loop, venue=venue, history=rows, settings=chosen, ready=False, run="r2") as again:
            await again.until(lambda: again.engine.state.ready, "ready")
            venue.quote(HOT, 10, 60)
            await asyncio.sleep(10)
            assert again.engine.state.today_pnl is not None
            assert any("lost" in a.what for a in again.engine.state.alarms.values())
            assert again.kinds().count("FLATTEN_START") == 0

    run_virtual(main)


def test_sixty_percent_of_the_day_s_loss_warns_and_stops_nothing() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            bench.venue.quote(HOT, 30, 60)
            await asyncio.sleep(1.5)
            lost = -(bench.engine.state.today_pnl or 0)
            assert lost > 0
            cents = lost * 100 // 60 // 10_000
            for limit, warned in ((cents + 1, False), (cents, True)):
                bench.engine.set_limit("day_loss_max", f"{limit / 100:.2f}", "", "", TRADER)
                await asyncio.sleep(1.5)
                found = [a for a in bench.engine.state.alarms.values() if a.active and "60 %" in a.what]
                assert bool(found) is warned
            assert bench.engine.state.halts.standing == ()

    run_virtual(main)


def test_a_stale_book_blocks_its_card_until_it_returns() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            bench.venue._set_link(LinkState.DOWN)
            await asyncio.sleep(4)
            blocked = bench.engine.desk.approvals.proposals[card.id]
            assert blocked.state is ProposalState.BLOCKED
            assert any(d.code == "G11" for d in blocked.verdict.denials)
            assert bench.engine.state.markets[HOT].edge_word == "stale"
            bench.venue.reconnect()
            bench.venue.touch(HOT)
            await bench.until(lambda: bench.engine.desk.approvals.proposals[card.id].verdict.passed, "clear")

    run_virtual(main)


def test_an_exit_card_stands_above_the_entries() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            bench.venue.quote(HOT, 60, 62)
            card = await bench.card(closes=True)
            assert bench.engine.desk.approvals.queue()[0].id == card.id
            assert bench.approve(card).accepted
            await bench.until(lambda: bench.engine.desk.ledger.net(HOT) < 20_000_000, "exit")
            assert bench.venue.exits_seen[0].reduce_only

    run_virtual(main)


def test_stop_cancels_what_rests_and_ends() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.sent()
            assert bench.engine.stop("done", TRADER).accepted
            await bench.until(lambda: not any(o.open for o in bench.venue.placed.values()), "cancel")
            await bench.until(lambda: "STOP" in bench.kinds(), "stop row")

    run_virtual(main)


@pytest.mark.parametrize("cost", [Decimal("1"), Decimal("1000")])
def test_a_large_spend_is_marked(cost: Decimal) -> None:
    async def main(loop: VirtualLoop) -> None:
        settings = Settings(engine=EngineSettings(confirm_above=cost))
        async with running(loop, settings=settings) as bench:
            card = await bench.card()
            assert card.large is (cost == 1)

    run_virtual(main)
