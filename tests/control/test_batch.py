"""The cards of one event told together, and an edited one beforehand, from a live desk."""

from __future__ import annotations

from decimal import Decimal

import msgspec
from msgspec.structs import replace

from core.control.protocol import Query, Reply
from core.control.rows.batch import batch_row, losses_of
from core.control.rows.payoff import payoff_row
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


def test_what_an_event_comes_to_counts_all_that_is_held_closed_charged_and_on_order() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            desk = bench.engine.desk
            row = payoff_row(desk, HOT)
            assert {end.made for end in row.held} == {0} and row.ordered == ()
            await bench.held(5)
            held, (order,) = desk.ledger.positions[HOT], desk.ledger.live.values()
            row = payoff_row(desk, OTHER)
            assert (row.ticker, row.label) == (OTHER, desk.state.events[EVENT].label)
            made = {end.label: end.made for end in row.held}
            hot, other = (desk.state.markets[t].market.label.rpartition(" ")[2] for t in (HOT, OTHER))
            assert held.net == 5_000_000 and order.leaves > 0
            assert made[hot] == 5_000_000 - held.cost
            assert made[other] == made["none"] == -held.cost
            after = {end.label: end.made for end in row.ordered}
            rests = order.intent.outcome_price * order.leaves // 10_000
            assert after[hot] == made[hot] + order.leaves - rests
            assert after[other] == made[other] - rests
            desk.ledger.positions[HOT] = replace(held, realised=700_000, fees=80_000)
            assert {a.made - b.made for a, b in zip(payoff_row(desk, HOT).held, row.held, strict=True)} == {
                620_000
            }
            told = msgspec.json.decode(Served(bench.engine).command(Query("1", "payoff", HOT), CLI).data)
            assert (told["ticker"], told["held"][-1]["label"]) == (HOT, "none")
            assert (told["realised"], told["fees"]) == ("0.70", "0.08")

    run_virtual(main)


def test_where_several_markets_may_pay_each_stands_alone_and_a_single_one_ends_with_yes_or_no() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(5)
            markets = bench.engine.state.markets
            for ticker, known in markets.items():
                known.market = replace(known.market, exclusive=ticker != OTHER)
            row = payoff_row(bench.engine.desk, HOT)
            assert row.label == markets[HOT].market.label
            assert [end.label for end in row.held] == ["YES", "NO"]
            assert row.held[0].made - row.held[1].made == 5_000_000

    run_virtual(main)
