"""Orders a person asks for: a card as any other, at the person's price, never sent but by its approval."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from core.control.snapshot import Snapshot
from core.domain.order import Life, Order, Outcome
from core.domain.units import Price, Quantity, contracts
from core.engine.judging import judge
from core.engine.operator import Outcome as Told
from core.engine.state import ALL_STRATEGIES, Mode
from core.execution.gateway import Denied, Wish
from core.execution.proposals import Proposal, ProposalState
from core.strategy.proposal import MANUAL
from tests.execution.bench import HOT, TRADER, VIEWER, WARM, Bench, running
from tests.virtual import VirtualLoop, run_virtual


def ask(
    bench: Bench,
    side: str = "yes",
    cents: int = 38,
    count: int = 5,
    style: str = "post-only",
    ticker: str = HOT,
) -> Told:
    return bench.engine.propose(ticker, side, Price(cents * 100), contracts(count), style, TRADER)


def asked(bench: Bench, ticker: str = HOT) -> Proposal:
    card = bench.engine.desk.approvals.asked(ticker)
    assert card is not None
    return card


async def resting(bench: Bench, **ticket: object) -> Order:
    """An order that was asked for, approved, and rests."""
    assert ask(bench, **ticket).accepted  # type: ignore[arg-type]
    card = asked(bench)
    assert bench.approve(card).accepted
    (client,) = bench.engine.desk.ledger.of_proposal[card.id]
    await bench.until(lambda: bench.order(client).life is Life.WORKING, "rests")
    return bench.order(client)


async def without_model(bench: Bench) -> None:
    """Its forecasts grow too old: the event has no price any more."""
    bench.feed.forecast(48.0, limit_s=1)
    await bench.until(lambda: bench.engine.state.markets[HOT].fair is None, "no price")


def test_from_the_ticket_over_card_order_and_fill_to_the_close() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.quiet()
            await asyncio.sleep(1)
            assert ask(bench, cents=40).accepted
            card = asked(bench)
            assert bench.engine.desk.approvals.queue()[0] is card, "on top of all"
            await asyncio.sleep(1)
            assert not bench.venue.placed, "Enter spends nothing"
            assert bench.approve(asked(bench)).accepted
            await bench.until(lambda: bool(bench.venue.placed), "sent")
            order = bench.venue.only()
            assert (order.intent.strategy, order.intent.price, order.intent.post_only) == (MANUAL, 4000, True)
            bench.venue.trade(order.order_id, 5)
            await bench.until(lambda: bench.engine.desk.ledger.net(HOT) == contracts(5), "fill")
            assert ask(bench, "sell", 0, 0, "ioc").accepted
            sale = asked(bench)
            assert (sale.candidate.reduce_only, sale.candidate.quantity) == (True, contracts(5))
            bid = bench.venue.books[HOT].book.best_bid
            assert sale.candidate.price == bid
            assert bench.approve(sale).accepted
            await bench.until(lambda: bench.engine.desk.ledger.net(HOT) == 0, "flat")

    run_virtual(main)


def test_automatic_mode_never_sends_it() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.quiet()
            bench.engine.state.mode = Mode.AUTO
            assert ask(bench).accepted
            await asyncio.sleep(5)
            card = asked(bench)
            assert card.state is ProposalState.OPEN and not bench.venue.placed
            wish = Wish(card.candidate, card.id, card.fingerprint, automatic=True)
            denied = bench.seat.gateway.send(wish)
            assert isinstance(denied, Denied) and "a person asked" in denied.reason

    run_virtual(main)


def test_a_market_without_a_model_is_traded_by_hand_alone_and_says_so() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await without_model(bench)
            assert ask(bench).accepted
            card = asked(bench)
            assert card.verdict.passed and [w.code for w in card.verdict.warnings] == ["G12"]
            assert card.candidate.model == "" and "no model" in card.candidate.against
            assert Snapshot(bench.engine.desk).proposal(card.id).fair is None
            order = await resting(bench)
            await asyncio.sleep(150)
            after = bench.order(order.intent.client_order_id)
            assert after.life is Life.WORKING, "no model may end it"
            assert (after.renewed_ms or 0) > (order.intent.expires_ms or 0)

    run_virtual(main)


def test_what_blocks_a_card_says_once_of_what_it_speaks() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            assert ask(bench, count=300).accepted
            texts = {c.code: c.text for c in Snapshot(bench.engine.desk).proposal(asked(bench).id).checks}
            assert texts["G05"] == "contracts an order 300.00, limit 250.00"

    run_virtual(main)


def test_the_model_disagrees_in_words_and_does_not_forbid() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.venue.quote(HOT, 60, 70)
            await asyncio.sleep(1)
            assert ask(bench, cents=60).accepted
            card = asked(bench)
            assert card.verdict.passed
            row = Snapshot(bench.engine.desk).proposal(card.id)
            assert [(check.code, check.blocks) for check in row.checks] == [("G09", False)]
            (check,) = row.checks
            assert check.text.startswith("model collar: ") and check.text.count("limit") == 1
            assert row.by_hand and row.fair is not None and row.why == f"asked for by {TRADER.name}"
            assert bench.approve(card).accepted
            (line,) = [r.payload for r in bench.journal.rows if r.kind == "ORDER_INTENT"]
            assert "warnings" in line and "G09" in line, "what was overruled is on record"
            assert "disagrees" in card.candidate.against and card.candidate.edge < 0

    run_virtual(main)


def test_what_is_too_good_to_be_true_becomes_a_card_by_hand_alone_once_its_evidence_is_seen() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.quiet()
            await asyncio.sleep(10)
            desk, known = bench.engine.desk, bench.engine.state.markets[HOT]
            assert Snapshot(desk).query_rows("market", HOT).market.quarantine is None
            bench.engine.state.mode = Mode.AUTO
            bench.venue.quote(HOT, 8, 10)
            await bench.until(lambda: known.edge_word == "quar", "quarantined")
            await asyncio.sleep(5)
            assert desk.approvals.of(HOT) is None and not bench.venue.placed
            found = Snapshot(desk).query_rows("market", HOT).market.quarantine
            assert (found.outcome, found.style) == ("YES", "post-only") and "apart" in found.reason
            assert found.evidence and found.evidence == known.fair.evidence
            assert ask(bench, "yes", found.price // 100).accepted
            card = asked(bench)
            assert card.candidate.against == found.reason and card.candidate.edge == found.edge
            assert [warning.code for warning in card.verdict.warnings] == ["G09"]
            await asyncio.sleep(5)
            assert not bench.venue.placed
            assert bench.approve(asked(bench)).accepted
            await bench.until(lambda: bool(bench.venue.placed), "sent")

    run_virtual(main)


def test_a_model_that_stands_alone_holds_up_no_person() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.quiet()
            bench.venue.quote(WARM, 10, 60)
            await bench.until(lambda: bool(bench.engine.state.markets[HOT].fair.unpooled), "alone")
            order = await resting(bench)
            await asyncio.sleep(10)
            assert bench.order(order.intent.client_order_id).life is Life.WORKING

    run_virtual(main)


def test_what_the_desk_does_not_know_to_settle_is_a_persons_to_know_unless_it_is_denied_by_name() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.quiet()
            known = bench.engine.state.markets[HOT]
            known.market = msgspec.structs.replace(known.market, station=None)
            assert ask(bench).accepted
            card = asked(bench)
            assert card.verdict.passed and "G03" in [warning.code for warning in card.verdict.warnings]
            other = msgspec.structs.replace(card.candidate, strategy="weather")
            assert "G03" in {denial.code for denial in judge(bench.engine.desk, other).denials}
            await resting(bench, count=6)
            desk = bench.engine.desk
            chosen = msgspec.structs.replace(desk.settings.markets, deny=(HOT,))
            desk.settings = msgspec.structs.replace(desk.settings, markets=chosen)
            assert ask(bench, count=7).accepted
            assert [denial.code for denial in asked(bench).verdict.denials] == ["G03"]

    run_virtual(main)


def test_it_keeps_its_place_where_the_strategy_would_cancel_its_own() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.quiet()
            await asyncio.sleep(1)
            order = await resting(bench, cents=40)
            bench.feed.forecast(56.0)
            await asyncio.sleep(150)
            after = bench.order(order.intent.client_order_id)
            assert after.life is Life.WORKING
            assert (after.renewed_ms or 0) > (order.intent.expires_ms or 0), "and is renewed"

    run_virtual(main)


def test_a_post_only_price_that_would_take_blocks_until_the_book_is_back() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.quiet()
            bench.venue.quote(HOT, 38, 42)
            assert ask(bench, cents=41).accepted
            bench.venue.quote(HOT, 38, 40)
            told = bench.approve(asked(bench))
            assert not told.accepted and "would take" in told.text and not bench.venue.placed
            await bench.until(lambda: asked(bench).state is ProposalState.BLOCKED, "blocked")
            bench.venue.quote(HOT, 38, 42)
            await bench.until(lambda: asked(bench).verdict.passed, "free again")
            assert asked(bench).candidate.price == 4100, "the price is the person's own"

    run_virtual(main)


def test_a_sale_at_the_touch_follows_it_and_is_approved_anew() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(5)
            bench.venue.quote(HOT, 38, 42)
            await asyncio.sleep(1.5)
            assert ask(bench, "sell", 0, 0, "ioc").accepted
            before = asked(bench)
            await asyncio.sleep(1.5)
            bench.venue.quote(HOT, 36, 42)
            await bench.until(lambda: asked(bench).candidate.price == 3600, "follows")
            after = asked(bench)
            assert after.state is ProposalState.MOVED and after.fingerprint != before.fingerprint
            assert not bench.approve(before).accepted, "what was seen is not sent at another price"

    run_virtual(main)


def test_a_ticket_leaves_the_strategys_own_card_alone() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            assert ask(bench, cents=37).accepted and ask(bench, cents=36).accepted
            assert asked(bench).candidate.price == 3600, "asked anew in the place of the first"
            assert bench.engine.veto(asked(bench).id, asked(bench).fingerprint, "", TRADER).accepted
            own = bench.engine.desk.approvals.of(HOT)
            assert own is not None and own.id == card.id
            assert ask(bench, cents=37).accepted, "a veto of one's own wish silences nothing"
            assert not bench.engine.desk.vetoes.book.vetoes, "nor is it a judgement of a model"
            assert any(row.kind == "COMMAND" and "veto P" in row.payload for row in bench.journal.rows)

    run_virtual(main)


@pytest.mark.parametrize(
    ("side", "cents", "count", "style", "says"),
    [
        ("yes", 0, 5, "post-only", "needs a price"),
        ("yes", 38, 0, "post-only", "needs a size"),
        ("sell", 0, 0, "ioc", "nothing is held"),
        ("maybe", 38, 5, "post-only", "yes, no or sell"),
        ("yes", 38, 5, "market", "post-only, limit or ioc"),
    ],
)
def test_what_cannot_be_asked_is_said_in_a_sentence(
    side: str, cents: int, count: int, style: str, says: str
) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            told = ask(bench, side, cents, count, style)
            assert not told.accepted and says in told.text
            engine = bench.engine
            assert says in str(engine.draft(HOT, side, Price(cents * 100), contracts(count), style))
            off = engine.propose(HOT, "yes", Price(3850), contracts(5), "limit", TRADER)
            assert "38c and 39c" in off.text
            assert not engine.propose("NO-1", "yes", Price(3800), contracts(5), "limit", TRADER).accepted
            assert not engine.propose(HOT, "yes", Price(3800), contracts(5), "limit", VIEWER).accepted
            assert engine.desk.approvals.asked(HOT) is None

    run_virtual(main)


def test_the_gate_and_a_pause_bind_it_like_every_entry() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.quiet()
            assert ask(bench, count=4000).accepted
            assert {"G05", "G06"} <= {denial.code for denial in asked(bench).verdict.denials}
            assert not bench.approve(asked(bench)).accepted
            assert bench.engine.pause(MANUAL, TRADER).accepted
            told = ask(bench, ticker=WARM, cents=2)
            assert told.accepted and "blocked now: G01" in told.text
            assert ALL_STRATEGIES not in bench.engine.state.paused

    run_virtual(main)


def test_an_order_is_changed_by_a_card_of_what_is_left_once_it_is_gone() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.quiet()
            await asyncio.sleep(1)
            order = await resting(bench, cents=40, count=10)
            client = order.intent.client_order_id
            for price, count in ((4050, 8), (3900, 0.001), (4000, 10)):
                told = bench.engine.amend(client, Price(price), Quantity(int(count * 1_000_000)), TRADER)
                assert not told.accepted and not bench.seat.gateway.cancelling(client)
            bench.venue.faults.request_s = 1.0
            assert bench.engine.amend(client[-6:], Price(3900), contracts(8), TRADER).accepted
            bench.venue.trade(order.order_id, 3)
            await asyncio.sleep(0.9)
            assert client in bench.engine.desk.ledger.live
            assert bench.engine.desk.approvals.asked(HOT) is None, "never both alive"
            await bench.until(lambda: bench.engine.desk.approvals.asked(HOT) is not None, "card")
            assert client not in bench.engine.desk.ledger.live
            wanted = asked(bench).candidate
            assert (wanted.price, wanted.quantity, wanted.outcome) == (3900, contracts(5), Outcome.YES)

    run_virtual(main)


@pytest.mark.parametrize("whole_market", [False, True])
def test_an_order_cancelled_while_it_is_changed_has_no_successor(whole_market: bool) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.quiet()
            await asyncio.sleep(1)
            client = (await resting(bench, cents=40, count=10)).intent.client_order_id
            bench.venue.faults.request_s = 1.0
            assert bench.engine.amend(client, Price(3900), contracts(8), TRADER).accepted
            if whole_market:
                assert bench.engine.cancel_market(HOT, TRADER).accepted
            else:
                assert bench.engine.cancel_order(client, TRADER).accepted
            await asyncio.sleep(5)
            assert client not in bench.engine.desk.ledger.live
            assert bench.engine.desk.approvals.asked(HOT) is None

    run_virtual(main)


def test_an_order_that_filled_meanwhile_has_no_successor_and_says_so() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.quiet()
            await asyncio.sleep(1)
            order = await resting(bench, cents=40, count=10)
            client = order.intent.client_order_id
            assert bench.engine.amend(client, Price(3900), contracts(8), TRADER).accepted
            bench.venue.trade(order.order_id, 10)
            await bench.until(
                lambda: any("no successor" in a.what for a in bench.engine.state.alarms.values()), "note"
            )
            assert bench.engine.desk.approvals.asked(HOT) is None
            assert not bench.engine.amend("nothing", Price(0), contracts(1), TRADER).accepted

    run_virtual(main)
