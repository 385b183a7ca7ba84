"""A veto on a whole desk: taken down with what it rested on, followed to settlement, kept over a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.drawn import Drawn
from core.domain.market import Venue
from core.domain.units import Money, Price, contracts
from core.engine.restore import restore
from core.engine.vetoes import (
    VETOES_KEPT,
    VetoBook,
    Vetoed,
    VetoedLeg,
    VetoEnded,
    VetoReason,
    Worth,
    reason_of,
    worth,
)
from core.execution.proposals import ProposalState
from core.journal.events import Kind, Row
from tests.engine.test_forecasts import HOUR_MS, ended, tell
from tests.execution.bench import HOT, TRADER, VIEWER, Bench, ladder, running
from tests.virtual import START_WALL_MS, VirtualLoop, run_virtual

DOLLAR = 1_000_000


def payloads(rows: Sequence[Row], kind: Kind) -> list[dict]:
    return [msgspec.json.decode(row.payload) for row in rows if row.kind == kind.value]


async def vetoed(bench: Bench, said: str) -> Vetoed:
    card = await bench.card()
    now_ns = bench.clock.mono_ns()
    drawn = Drawn(3_700, 3_900, 4_200, 150, now_ns - 900_000_000, now_ns - 2_000_000)
    assert bench.engine.veto(card.id, card.fingerprint, said, TRADER, drawn).accepted
    return bench.engine.desk.vetoes.book.vetoes[card.id]


def test_a_veto_is_written_with_what_was_drawn_and_what_the_desk_knew() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            veto = await vetoed(bench, "price")
            (row,) = payloads(bench.journal.rows, Kind.VETO)
            assert (veto.reason, veto.legs[0].ticker, veto.closes) == (VetoReason.PRICE, HOT, False)
            assert row["reason"] == "price" and row["model"]
            assert row["inputs"] and all(age_s >= 0 for age_s in row["inputs"].values())
            view = bench.engine.desk.seats.book(HOT)
            assert view is not None and (row["bid"], row["ask"]) == (view.book.best_bid, view.book.best_ask)
            assert row["edge"] == card.candidate.edge and row["control"] == TRADER.name
            drawn = row["drawn"]
            assert (drawn["bid"], drawn["ask"], drawn["fair"], drawn["edge"]) == (3_700, 3_900, 4_200, 150)
            assert (drawn["looked_ms"], drawn["late_ms"]) == (898, 2)
            ended = bench.engine.desk.approvals.proposals[card.id]
            assert ended.state is ProposalState.VETOED

    run_virtual(main)


def test_an_approval_is_written_with_them_too() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card, now_ns = await bench.card(), bench.clock.mono_ns()
            drawn = Drawn(3_700, None, 4_200, 150, now_ns, now_ns)
            assert bench.engine.approve(card.id, card.fingerprint, now_ns, TRADER, drawn).accepted
            (row,) = payloads(bench.journal.rows, Kind.APPROVAL)
            assert row["drawn"]["bid"] == 3_700 and row["drawn"]["ask"] is None
            assert row["shown_ns"] == now_ns and row["waited_ms"] >= 0 and row["model"]

    run_virtual(main)


def test_the_reason_may_come_after_the_veto_but_not_from_a_viewer_nor_for_another_card() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            assert bench.engine.veto(card.id, card.fingerprint, "", TRADER).accepted
            (row,) = payloads(bench.journal.rows, Kind.VETO)
            assert row["drawn"] is None and row["reason"] == "", "by the shell"
            veto = bench.engine.desk.vetoes.book.vetoes[card.id]
            engine, mark = bench.engine, veto.fingerprint
            assert not engine.veto(veto.proposal_id, mark, "news", VIEWER).accepted
            assert not engine.veto(veto.proposal_id, "0" * 12, "news", TRADER).accepted
            await asyncio.sleep(60)
            assert engine.veto(veto.proposal_id, mark, "news", TRADER).accepted
            told = engine.desk.vetoes.book.vetoes[veto.proposal_id]
            assert told.reason is VetoReason.NEWS and told.legs == veto.legs
            assert len(payloads(bench.journal.rows, Kind.VETO)) == 2

    run_virtual(main)


def test_a_veto_ends_a_card_that_moved_under_the_key_and_its_reason_may_follow() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card, engine = await bench.card(), bench.engine
            held = card.candidate
            assert engine.edit(card.id, card.fingerprint, held.outcome_price, contracts(5), TRADER).accepted
            moved = engine.desk.approvals.proposals[card.id]
            assert moved.fingerprint != card.fingerprint and not bench.approve(card).accepted
            done = engine.veto(card.id, card.fingerprint, "", TRADER)
            assert done.accepted and done.text == f"{card.id} vetoed; it had become {moved.sentence}."
            assert engine.desk.approvals.proposals[card.id].state is ProposalState.VETOED
            assert engine.veto(card.id, card.fingerprint, "size", TRADER).accepted
            (veto,) = engine.desk.vetoes.book.vetoes.values()
            assert veto.reason is VetoReason.SIZE and veto.legs[0].quantity == contracts(5)

    run_virtual(main)


@pytest.mark.parametrize("winner", [HOT, "another"])
def test_a_veto_is_worth_what_the_trade_would_not_have_made(winner: str) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            veto = await vetoed(bench, "data")
            book = bench.engine.desk.vetoes.book
            assert book.would(veto) is None
            tell(bench, ended(winner))
            (leg,) = veto.legs
            paid = 10_000 if (winner == HOT) == leg.yes else 0
            made = (paid - leg.price) * leg.quantity // 10_000 - veto.fee
            assert book.would(veto) == made
            (row,) = payloads(bench.journal.rows, Kind.VETO_OUTCOME)
            assert row["paid"] == {HOT: 10_000 if winner == HOT else 0} and "would have made" in row["text"]
            tell(bench, ended(winner))
            assert len(payloads(bench.journal.rows, Kind.VETO_OUTCOME)) == 1, "written once"
            (line,) = worth(book)
            assert (line.reason, line.settled, line.made) == (VetoReason.DATA, 1, made)
            assert line.right == (made < 0) and line.expected == round(made * veto.fill)

    run_virtual(main)


def test_vetoes_and_what_they_came_to_survive_a_restart_and_what_ended_meanwhile_is_asked_for() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            veto = await vetoed(bench, "size")
            venue, rows = bench.venue, list(bench.journal.rows)
        assert restore(rows).vetoes.vetoes == {veto.proposal_id: veto}
        async with running(loop, venue=venue, history=rows, run="r2", ready=False) as again:
            vetoes, closes_ms = again.engine.desk.vetoes, veto.legs[0].closes_ms
            assert vetoes.book.vetoes == {veto.proposal_id: veto}
            assert vetoes.unsettled(Venue.KALSHI, (), closes_ms + HOUR_MS // 4) == ()
            assert vetoes.unsettled(Venue.KALSHI, (), closes_ms + 40 * 24 * HOUR_MS) == (), "given up"
            assert vetoes.unsettled(Venue.KALSHI, (HOT,), closes_ms + HOUR_MS) == ()
            assert vetoes.unsettled(Venue.POLYMARKET, (), closes_ms + HOUR_MS) == ()
            assert vetoes.unsettled(Venue.KALSHI, (), closes_ms + HOUR_MS) == (HOT,)
            assert vetoes.unsettled(Venue.KALSHI, (), closes_ms + HOUR_MS) == (), "asked a moment ago"
            for market in ended():
                vetoes.settled(market)
            assert vetoes.unsettled(Venue.KALSHI, (), closes_ms + 9 * HOUR_MS) == ()
            made = vetoes.book.would(veto)
            assert made is not None
            rows = [*rows, *again.journal.rows]
        assert restore(rows).vetoes.would(veto) == made

    run_virtual(main)


def test_a_market_that_ended_unseen_is_asked_for_by_the_desk_itself() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await vetoed(bench, "size")
            venue, rows = bench.venue, list(bench.journal.rows)
        venue.listed = tuple(msgspec.structs.replace(m, series_ticker="KXELSEWHERE") for m in ended())
        closes_ms, over_ms = ladder()[0].close_ms, START_WALL_MS - HOUR_MS
        closed = [
            msgspec.structs.replace(row, payload=row.payload.replace(str(closes_ms), str(over_ms)))
            for row in rows
            if row.kind != Kind.FORECAST.value
        ]
        async with running(loop, venue=venue, history=closed, run="r2", ready=False) as again:
            vetoes = again.engine.desk.vetoes
            await again.until(lambda: vetoes.book.ended, "its end")
            (veto,) = vetoes.book.vetoes.values()
            assert vetoes.book.would(veto) is not None and HOT not in again.engine.state.markets

    run_virtual(main)


# --- the figures alone --------------------------------------------------------------------------


def veto(
    number: int, *, yes: bool = True, closes: bool = False, price: int = 4_000, said: str = "price"
) -> Vetoed:
    return Vetoed(
        text="",
        proposal_id=f"P{number}",
        fingerprint="f",
        by="you",
        at_ms=0,
        label="NYC hi",
        closes=closes,
        legs=(VetoedLeg(Venue.KALSHI, "T", 1, yes, Price(price), contracts(10)),),
        fee=Money(70_000),
        fill=0.5,
        edge=Price(200),
        reason=reason_of(said),
        said=said,
    )


@pytest.mark.parametrize(
    ("yes", "closes", "paid", "made"),
    [
        (True, False, 10_000, 6 * DOLLAR - 70_000),
        (True, False, 0, -4 * DOLLAR - 70_000),
        (False, False, 0, 6 * DOLLAR - 70_000),
        (True, True, 10_000, -6 * DOLLAR - 70_000),
        (True, True, 0, 4 * DOLLAR - 70_000),
        (True, False, 5_000, DOLLAR - 70_000),
        (True, False, None, None),
    ],
)
def test_what_it_would_have_made(yes: bool, closes: bool, paid: int | None, made: int | None) -> None:
    book, one = VetoBook(), veto(1, yes=yes, closes=closes)
    book.put(one)
    book.end(VetoEnded("", "P1", {"T": paid}))
    assert book.would(one) == made


def test_the_same_trade_vetoed_again_does_not_count_again() -> None:
    book = VetoBook()
    for one in (veto(1), veto(2, price=4_500), veto(3, yes=False, said="news")):
        book.put(one)
        book.end(VetoEnded("", one.proposal_id, {"T": 0}))
    lost, won = -4 * DOLLAR - 70_000, 6 * DOLLAR - 70_000
    assert worth(book) == (
        Worth(VetoReason.PRICE, 1, 1, 1, Money(lost), Money(lost // 2)),
        Worth(VetoReason.NEWS, 1, 1, 0, Money(won), Money(won // 2)),
    )


@given(st.text(max_size=20))
def test_whatever_is_said_has_a_reason(said: str) -> None:
    found = reason_of(said)
    assert (found is VetoReason.NONE) is (not said.strip().rstrip(":,;."))


def test_the_oldest_vetoes_are_let_go_of() -> None:
    book = VetoBook()
    for number in range(VETOES_KEPT + 5):
        book.put(veto(number))
        book.end(VetoEnded("", f"P{number}", {"T": 0}))
    assert len(book.vetoes) == len(book.ended) == VETOES_KEPT and "P4" not in book.vetoes
