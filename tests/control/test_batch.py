"""The cards of one event told together, from a live desk."""

from __future__ import annotations

import msgspec

from core.control.protocol import Query
from core.control.rows.batch import batch_row, losses_of
from core.control.served import Served
from core.domain.order import Outcome
from core.execution.proposals import Proposal
from tests.execution.bench import CLI, EVENT, HOT, running
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
