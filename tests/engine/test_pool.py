"""A desk whose fair values are part model and part market."""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any

import msgspec
import pytest

from core.control.queries.answers import answer
from core.control.snapshot import Snapshot
from core.domain.market import MarketStatus
from core.domain.order import BookSide, Life, Order
from core.domain.units import Price, Quantity, contracts
from core.engine import pricers
from core.engine.others import others, own, without
from core.execution.gateway import Denied, Wish
from core.models.calibration import Judge, Standing, Verdict
from core.models.fair_value import FairValue, NoPrice
from core.models.pooling import Quoted, Weights
from core.models.prediction import Chances, Prediction
from core.strategy.convergence import NO_FAIR
from tests.execution.bench import HOT, TRADER, Bench, only, running
from tests.execution.fake_venue import strange
from tests.virtual import VirtualLoop, run_virtual

NEIGHBOUR = HOT[:-1] + "4"


def counting(verdict: Verdict, weight: float) -> Judge:
    def found(series: str, model: str, usual: Weights) -> Standing:
        return Standing(verdict, weight, "as a test says")

    return found


HALF = counting(Verdict.PROVEN, 0.5)


def fair(bench: Bench, ticker: str = HOT) -> FairValue:
    found = bench.engine.state.markets[ticker].fair
    assert found is not None
    return found


def test_what_a_model_says_that_is_no_probability_is_no_price_and_the_reason_shows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sound = pricers.predict_weather

    def broken(*asked: Any) -> Prediction | NoPrice:
        found = sound(*asked)
        assert isinstance(found, Prediction)
        nothing = (math.nan,) * len(found.tickers)
        return msgspec.structs.replace(found, says=Chances(nothing, nothing))

    async def main(loop: VirtualLoop) -> None:
        async with running(loop, judge=HALF) as bench:
            await bench.card()
            monkeypatch.setattr(pricers, "predict_weather", broken)
            bench.feed.forecast(49.0)
            await bench.until(lambda: bench.engine.state.markets[HOT].fair is None, "no price")
            known = bench.engine.state.markets[HOT]
            reason = bench.engine.state.events[known.market.event_ticker].refusal
            assert reason == "what its model says is no probability"

    run_virtual(main)


def test_a_fair_value_follows_the_book_at_the_next_look_and_the_model_is_not_asked_again() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, judge=HALF) as bench:
            await asyncio.sleep(1.1)
            before, beside = fair(bench), fair(bench, NEIGHBOUR)
            bench.venue.quote(HOT, 30, 34)
            await asyncio.sleep(0.3)
            after = fair(bench)
            assert after.probability < before.probability - 0.02
            assert fair(bench, NEIGHBOUR).probability > beside.probability
            assert after.model_probability == before.model_probability
            event = bench.engine.state.events[after.event_ticker]
            assert event.fair is not None and after in event.fair.values

    run_virtual(main)


def test_what_a_fair_value_is_made_of_is_told_with_it_and_with_its_card() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, judge=counting(Verdict.INSUFFICIENT, 0.5)) as bench:
            await bench.card()
            snapshot = Snapshot(bench.engine.desk)

            def told(what: str) -> dict[str, Any]:
                answers = json.loads(answer(what, snapshot.query_rows(what), snapshot.now()))
                return next(one for one in answers if one["ticker"] == HOT)

            market, card = told("markets"), told("proposals")
            assert float(market["market"]) < float(market["fair"]) < float(market["model"])
            assert [market[name] for name in ("fair", "model", "market", "weight")] == [
                card[name] for name in ("fair", "model", "market", "weight")
            ]
            assert card["checks"] == ["AUTO not sent by automatic mode: as a test says"]

    run_virtual(main)


def test_our_own_orders_are_no_opinion_of_the_market() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, judge=HALF) as bench:
            order = await bench.sent()
            await asyncio.sleep(0.3)
            before = fair(bench)
            # The venue shows our bid as it shows any other, one tick ahead of them.
            book = bench.venue.books[HOT].book
            price = order.intent.price
            assert price > Price(3_800)
            book.set(BookSide.BID, price, order.leaves)
            bench.venue.touch(HOT)
            await asyncio.sleep(0.3)
            assert fair(bench).probability == before.probability
            assert own(bench.engine.desk, HOT) == {(BookSide.BID, price): order.leaves}
            # A stranger who joins us there is one.
            book.set(BookSide.BID, price, Quantity(order.leaves + contracts(1)))
            bench.venue.touch(HOT)
            await asyncio.sleep(0.3)
            assert fair(bench).probability > before.probability
            assert without(book, {}) == Quoted(price, Price(4_200))

    run_virtual(main)


def test_a_book_that_may_not_be_acted_on_and_a_persons_order_elsewhere_say_nothing() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, judge=HALF) as bench:
            desk, book = bench.engine.desk, bench.venue.books[HOT]
            await asyncio.sleep(1.0)
            read = others(desk, HOT)
            assert isinstance(read, Quoted) and read.bid is not None
            label = desk.state.markets[HOT].market.label
            order = await bench.sent()
            mine = strange(bench.venue.only())
            mine.order_id, mine.open = "X1", contracts(3)
            bench.venue.placed["X1"] = mine
            only(desk).reconciler.request("test")
            await bench.until(lambda: "X1" in desk.ledger.externals, "seen", 5)
            book.book.set(BookSide.BID, mine.intent.price, Quantity(mine.open + order.leaves))
            assert others(desk, HOT) == read
            loop.now += desk.state.limits.current.book_age_max_s + 1
            assert others(desk, HOT) == f"{label}: its book is stale"
            bench.venue.touch(HOT)
            bench.venue.books[HOT].intact = False
            assert others(desk, HOT) == f"{label}: its book is out of sequence"

    run_virtual(main)


def test_a_book_that_says_nothing_takes_cards_and_resting_entries_of_its_event() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, judge=HALF) as bench:
            order = await bench.sent()
            bench.venue.quote(NEIGHBOUR, 10, 60)
            await asyncio.sleep(4.0)
            why = fair(bench).unpooled
            assert "its spread is 50c" in why
            assert fair(bench).probability == fair(bench).model_probability
            ended = bench.order(order.intent.client_order_id)
            assert not ended.live
            assert bench.engine.desk.approvals.of(HOT) is None
            assert bench.engine.state.markets[HOT].why_not == why

    run_virtual(main)


def test_a_book_that_flickers_takes_nothing_of_its_event_and_lets_nothing_be_opened() -> None:
    async def flicker(bench: Bench) -> None:
        """Long enough for every look to see it, not long enough to count."""
        bench.venue.quote(NEIGHBOUR, 10, 60)
        await asyncio.sleep(1.2)
        assert fair(bench).unpooled

    async def main(loop: VirtualLoop) -> None:
        async with running(loop, judge=HALF) as bench:
            card = await bench.card()
            book = bench.venue.books[NEIGHBOUR].book
            bid, ask = (price // 100 for price in (book.best_bid or 0, book.best_ask or 0))
            for _ in range(3):
                await flicker(bench)
                held = bench.engine.desk.approvals.proposals[card.id]
                assert held.standing and held.candidate.edge == card.candidate.edge
                refused = bench.approve(held)
                assert not refused.accepted and "its spread is 50c" in refused.text
                bench.venue.quote(NEIGHBOUR, bid, ask)
                await asyncio.sleep(1.2)
                assert not fair(bench).unpooled
            held = bench.engine.desk.approvals.proposals[card.id]
            assert held.standing and bench.approve(held).accepted
            (client,) = bench.engine.desk.ledger.of_proposal[card.id]
            await bench.until(lambda: bench.order(client).life is Life.WORKING, "working")
            for _ in range(3):
                await flicker(bench)
                bench.venue.quote(NEIGHBOUR, bid, ask)
                await asyncio.sleep(1.2)
            assert bench.order(client).life is Life.WORKING

    run_virtual(main)


def test_nobody_opens_on_a_model_that_has_just_come_to_stand_alone() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, judge=HALF) as bench:
            card = await bench.card()
            bench.venue.quote(NEIGHBOUR, 10, 60)
            refused = bench.approve(card)  # before the next look
            assert not refused.accepted and "its spread is 50c" in refused.text
            assert not bench.engine.desk.ledger.orders

    run_virtual(main)


def test_the_gate_lets_nothing_unproven_through_that_no_person_released() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, judge=counting(Verdict.INSUFFICIENT, 0.5)) as bench:
            card = await bench.card()
            wish = Wish(card.candidate, card.id, automatic=True)
            assert bench.seat.gateway.send(wish) == Denied("as a test says")
            wish = msgspec.structs.replace(wish, automatic=False)
            assert isinstance(bench.seat.gateway.send(wish), Order)

    run_virtual(main)


def test_automatic_mode_opens_nothing_on_a_model_without_a_record_and_shows_the_card() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, judge=counting(Verdict.INSUFFICIENT, 0.5)) as bench:
            engine = bench.engine
            card = await bench.card()
            assert engine.set_mode("auto", "automatic", "test", TRADER).accepted
            await asyncio.sleep(2.0)
            assert not bench.venue.placed
            held = engine.desk.approvals.of(HOT)
            assert held is not None and held.id == card.id
            assert fair(bench).doubt == "as a test says"
            # A person may.
            assert bench.approve(held).accepted

    run_virtual(main)


def test_automatic_mode_opens_on_a_proven_one() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, judge=HALF) as bench:
            await bench.card()
            assert bench.engine.set_mode("auto", "automatic", "test", TRADER).accepted
            await bench.until(lambda: bool(bench.venue.placed), "an order")

    run_virtual(main)


def test_a_model_that_stands_alone_is_no_reason_to_sell() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, judge=HALF) as bench:
            await bench.held(8)
            rules = bench.engine.state.exit_rules
            bench.venue.quote(NEIGHBOUR, 10, 60)
            # Far more than the model gives it.
            bench.venue.quote(HOT, 58, 62)
            await asyncio.sleep(1.0)
            assert fair(bench).unpooled and fair(bench).model_probability < 0.55
            assert rules[HOT] == NO_FAIR
            assert bench.engine.desk.approvals.of(HOT) is None

    run_virtual(main)


def test_a_market_that_left_the_desk_takes_what_was_said_of_its_event_along() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            state, pricing = bench.engine.state, bench.engine.desk.pricing
            await bench.until(lambda: state.markets[HOT].fair is not None, "fair value")
            event = state.events[state.markets[HOT].market.event_ticker]
            gone = next(t for t in event.markets if t != HOT)
            over = msgspec.structs.replace(state.markets[gone].market, status=MarketStatus.DETERMINED)
            bench.venue.listed = tuple(over if m.ticker == gone else m for m in bench.venue.listed)
            await bench.until(lambda: gone not in state.markets, "market that left", 200)
            assert event.fair is None or gone not in {fair.ticker for fair in event.fair.values}
            pricing.follow((event.ticker,))  # the gate asks for it in the step before a send

    run_virtual(main)
