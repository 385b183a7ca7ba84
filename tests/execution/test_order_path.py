"""From card to order to fill to position, and every way it may end on the way."""

from __future__ import annotations

from core.domain.order import Life
from core.execution.proposals import ProposalState
from tests.execution.bench import HOT, Bench, running
from tests.virtual import VirtualLoop, run_virtual


def test_an_approved_card_becomes_an_order_a_fill_and_a_position() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            assert bench.approve(card).accepted
            await bench.until(lambda: bool(bench.venue.placed), "order at the venue")
            resting = bench.venue.only()
            assert resting.intent.post_only and resting.intent.expires_ms is not None
            await bench.until(lambda: bench.order(resting.intent.client_order_id).life is Life.WORKING, "ack")
            bench.venue.trade(resting.order_id, 5)
            await bench.until(lambda: bench.engine.desk.ledger.net(HOT) == 5_000_000, "position")
            order = bench.order(resting.intent.client_order_id)
            assert (order.filled, order.display) == (5_000_000, "PARTIAL")
            story = [r.kind for r in bench.journal.rows if r.order_id == resting.intent.client_order_id]
            assert story[:3] == ["ORDER_INTENT", "ORDER_SENDING", "SEND_OUTCOME"]
            assert "FILL" in story
            kinds = bench.kinds()
            assert kinds.index("PROPOSAL") < kinds.index("APPROVAL") < kinds.index("ORDER_INTENT")

    run_virtual(main)


def test_an_approval_is_good_once() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            assert bench.approve(card).accepted
            again = bench.approve(card)
            assert not again.accepted and "SENT" in again.text
            await bench.until(lambda: bool(bench.venue.placed), "order")
            assert len(bench.venue.placed) == 1

    run_virtual(main)


def test_a_changed_fingerprint_is_refused() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            bench.venue.quote(HOT, 39, 43)
            await bench.until(
                lambda: bench.engine.desk.approvals.proposals[card.id].fingerprint != card.fingerprint, "move"
            )
            moved = bench.engine.desk.approvals.proposals[card.id]
            assert moved.state is ProposalState.MOVED
            assert moved.was is not None and moved.was.price == card.candidate.outcome_price
            assert (moved.was.quantity, moved.was.cost) == (card.candidate.quantity, card.cost)
            refused = bench.approve(card)
            assert not refused.accepted and "changed" in refused.text
            assert not bench.venue.placed

    run_virtual(main)


def test_a_book_that_moved_at_the_press_returns_the_card() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            price = card.candidate.price // 100
            bench.venue.quote(HOT, price - 4, price)  # the order would take now
            outcome = bench.approve(card)
            assert not outcome.accepted and "moved" in outcome.text
            assert not bench.venue.placed
            assert bench.engine.desk.approvals.of(HOT) is None or (
                bench.engine.desk.approvals.of(HOT).fingerprint != card.fingerprint
            )

    run_virtual(main)


def test_a_lagging_screen_cannot_approve() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            from tests.execution.bench import TRADER

            card = await bench.card()
            late = bench.clock.mono_ns() - 1_100_000_000
            outcome = bench.engine.approve(card.id, card.fingerprint, late, TRADER)
            assert not outcome.accepted and "behind" in outcome.text

    run_virtual(main)


async def _nothing_sent(bench: Bench, client: str) -> None:
    await bench.until(lambda: not bench.order(client).live, "end")
    assert bench.order(client).life is Life.NEVER_SENT
    assert not bench.venue.placed
