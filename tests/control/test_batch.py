"""The cards of one event told together, and an edited one beforehand, from a live desk."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from core.control.protocol import Query, Reply
from core.control.rows.batch import batch_row, losses_of
from core.control.served import Served
from core.domain.order import Outcome
from core.execution.proposals import Proposal
from tests.execution.bench import CLI, EVENT, HOT, TRADER, running
from tests.virtual import VirtualLoop, run_virtual

OTHER = f"{HOT[:-1]}2"


def test_all_cards_of_an_event_are_counted_together_by_what_may_come() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.card()
            bench.venue.quote(OTHER, 45, 47)
            await bench.card(OTHER)
            desk = bench.engine.desk
            first, second = desk.approvals.of(HOT), desk.approvals.of(OTHER)
            assert first is not None and second is not None
            alone = desk.exposure.with_orders(HOT, losses_of((first,)))
            row = batch_row(desk, EVENT)
            assert row is not None and row.cards == 2
            assert row.cost == first.cost + second.cost
            assert row.fee == first.candidate.fee + second.candidate.fee
            assert (row.event_now, row.event_limit) == (0, desk.state.limits.current.event_loss_max)
            assert alone.event < row.event_after <= first.max_loss + second.max_loss
            assert row.total_after == row.event_after
            made = {outcome.label: outcome.made for outcome in row.outcomes}
            assert len(made) == len(desk.state.events[EVENT].markets) + 1
            assert -min(made.values()) <= row.event_after

            def of(card: Proposal, *, wins: bool) -> int:
                yes = card.candidate.outcome is Outcome.YES
                return card.max_gain if wins is yes else -card.max_loss

            label = desk.state.markets[HOT].market.label.rpartition(" ")[2]
            assert made[label] == of(first, wins=True) + of(second, wins=False)
            assert made["none"] == of(first, wins=False) + of(second, wins=False)
            reply = Served(bench.engine).command(Query("1", "batch", EVENT), CLI)
            told = msgspec.json.decode(reply.data)
            assert (told["cards"], told["outcomes"][-1]["label"]) == (2, "none")
            for card in (first, second):
                desk.approvals.withdraw(desk.approvals.proposals[card.id], "enough")
            assert batch_row(desk, EVENT) is None

    run_virtual(main)


def test_a_preview_is_what_the_edit_then_makes_and_changes_nothing_itself() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card, served = await bench.card(), Served(bench.engine)
            price, quantity = (
                card.candidate.outcome_price - 100,
                card.candidate.quantity // 2 // 10**6 * 10**6,
            )

            def ask(mark: str, *figures: object) -> Reply:
                about = " ".join(map(str, (card.id, mark, *figures)))
                return served.command(Query("1", "preview", about), CLI)

            rows = len(bench.journal.rows)
            told = msgspec.json.decode(ask(card.fingerprint, price, quantity).data)
            approvals = bench.engine.desk.approvals
            assert approvals.proposals[card.id] == card and len(bench.journal.rows) == rows
            for wrong, says in (
                ((card.fingerprint, price + 200, quantity), "better for us"),
                ((card.fingerprint, price, card.candidate.quantity * 2), "smaller"),
                (("0" * 12, price, quantity), "not the card that was shown"),
                ((card.fingerprint, price, "-1"), "a size"),
                ((card.fingerprint, price), "a size"),
                ((card.fingerprint, "9" * 40, quantity), "a size"),
            ):
                refused = ask(*map(str, wrong))
                assert not refused.accepted and says in refused.text
            assert bench.engine.edit(card.id, card.fingerprint, price, quantity, TRADER).accepted
            edited = approvals.proposals[card.id]
            c = edited.candidate
            assert [Decimal(told[name]) for name in ("cost", "fee", "max_loss")] == [
                Decimal(money) / 10**6 for money in (edited.cost, c.fee, edited.max_loss)
            ]
            assert Decimal(told["edge"]) == Decimal(c.edge) / 10**4 and c.edge > card.candidate.edge
            assert told["blocked"] == ""

    run_virtual(main)
