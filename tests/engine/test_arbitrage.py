"""Plans end to end on virtual time: one card, one approval, legs in turn, and what a broken one leaves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine

import msgspec
import pytest

from core.config.settings import EngineSettings, Settings, StrategySettings
from core.control.queries.answers import answer
from core.control.snapshot import Snapshot
from core.domain.fees import estimate
from core.domain.market import FeeChange, Market
from core.domain.order import BookSide, Order, Purpose
from core.domain.units import Price, contracts, money_text, notional_up
from core.engine.funnel import funnel
from core.engine.judging import needs_person
from core.engine.plans import kept_in
from core.engine.sources import text_mark
from core.engine.state import Mode
from core.execution.proposals import Proposal, ProposalState
from core.journal.projections import PlanNoted, PlanState
from core.journal.wording import text_of
from core.strategy.arbitrage import PlanKind
from tests.engine.test_pairs import SLUG, link, other, two_venues
from tests.execution.bench import EVENT, HOT, TRADER, Bench, running
from tests.execution.test_invariants import intent
from tests.virtual import VirtualLoop, run_virtual

SETTINGS = Settings(
    engine=EngineSettings(confirm_above=1000),
    strategy=StrategySettings(arbitrage=True, maker_entries=False),
)
ASKS = (8, 12, 16, 24, 18, 14)
"""Of the six brackets: 92 cents together, about three of them fees."""
TICKERS = tuple(f"{EVENT}-{i}" for i in range(6))


def quote(bench: Bench, asks: tuple[int, ...] = ASKS, sizes: tuple[int, ...] = (80,) * 6) -> None:
    for ticker, ask, size in zip(TICKERS, asks, sizes, strict=True):
        bench.venue.quote(ticker, ask - 4, ask, size=size)


def cards(bench: Bench) -> list[Proposal]:
    return [card for card in bench.engine.desk.approvals.queue() if card.plan is not None]


async def plan_card(bench: Bench) -> Proposal:
    await bench.until(lambda: any(card.verdict.passed for card in cards(bench)), "a plan's card", 5)
    (card,) = cards(bench)
    return card


def noted(bench: Bench) -> list[PlanNoted]:
    rows = [row for row in bench.journal.rows if row.kind == "PLAN"]
    return [msgspec.json.decode(row.payload, type=PlanNoted) for row in rows]


def on_a_desk(check: Callable[[Bench], Coroutine[None, None, None]], settings: Settings = SETTINGS) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, settings=settings) as bench:
            quote(bench)
            await check(bench)

    run_virtual(main)


async def ended(bench: Bench, state: PlanState) -> PlanNoted:
    await bench.until(lambda: noted(bench)[-1].state is not PlanState.STARTED, "the plan's end", 20)
    last = noted(bench)[-1]
    assert last.state is state, last.why
    return last


def test_a_ladder_whose_asks_sum_below_one_is_one_card_one_approval_and_a_locked_profit() -> None:
    async def check(bench: Bench) -> None:
        card = await plan_card(bench)
        plan = card.plan
        assert plan is not None and plan.kind is PlanKind.SET and len(plan.legs) == 6
        assert plan.sets == contracts(20)  # a quarter of what is shown
        assert [leg.outcome_price for leg in plan.legs] == [800, 1200, 1400, 1600, 1800, 2400]
        assert plan.profit == 20_000_000 - plan.cost - plan.fee > 0
        cash = bench.venue.cash_now
        assert bench.approve(card).accepted
        again = bench.approve(card)
        assert not again.accepted and "is SENT" in again.text
        await ended(bench, PlanState.COMPLETE)
        placed = [order.intent for order in bench.venue.placed.values()]
        assert [intent.ticker for intent in placed] == [leg.ticker for leg in plan.legs]
        assert {(i.proposal_id, i.fingerprint, i.strategy) for i in placed} == {
            (card.id, card.fingerprint, "arbitrage")
        }
        assert cash - bench.venue.cash_now <= plan.cost + plan.fee
        for i, ticker in enumerate(TICKERS):
            bench.venue.settle(ticker, 10_000 if i == 3 else 0)
        await bench.until(lambda: noted(bench)[-1].state is PlanState.OVER, "over", 10)
        assert bench.venue.cash_now - cash >= plan.profit
        assert not bench.engine.state.plans
        # Five legs of six settle at nothing: a set is no row of lost bets.
        assert bench.engine.desk.trips.tallies.losses_1h() == 0

    on_a_desk(check)


def test_a_plan_goes_a_level_deeper_where_that_pays_and_costs_no_more_than_its_limits_say() -> None:
    async def check(bench: Bench) -> None:
        asks = (8, 11, 15, 20, 17, 13)  # 84 cents together, 90 a level deeper, and no order may go deeper yet
        quote(bench, (10, 11, 15, 20, 18, 14))  # a level deeper it would bring less than is asked of a set
        shallow = await plan_card(bench)
        assert shallow.plan is not None and shallow.plan.sets == contracts(20)
        quote(bench, asks)

        def sizes() -> list[int]:
            return [card.plan.sets for card in cards(bench) if card.plan is not None]

        await bench.until(lambda: sizes() == [contracts(40)], "deeper", 10)
        card = await plan_card(bench)
        plan = card.plan
        assert plan is not None
        assert {leg.ticker: leg.price for leg in plan.legs} == {
            ticker: (ask + 1) * 100 for ticker, ask in zip(TICKERS, asks, strict=True)
        }
        assert plan.profit == 40_000_000 - plan.cost - plan.fee > 0
        assert "as shown, at most" in card.candidate.why
        assert card.candidate.edge_half - card.candidate.edge > 500, "six cents cheaper as shown"
        cash = bench.venue.cash_now
        assert bench.approve(card).accepted
        for ticker, ask in zip(TICKERS, asks, strict=True):
            bench.venue.books[ticker].book.set(BookSide.ASK, Price(ask * 100), contracts(10))
        await ended(bench, PlanState.COMPLETE)
        assert all(bench.engine.desk.ledger.net(ticker) == contracts(40) for ticker in TICKERS)
        spent = cash - bench.venue.cash_now
        assert plan.cost - 40 * 60_000 < spent < plan.cost + plan.fee - 10 * 50_000

    on_a_desk(check)


def test_no_leg_goes_further_beyond_its_touch_than_the_gate_lets_an_order() -> None:
    async def check(bench: Bench) -> None:
        quote(bench, (8, 11, 15, 20, 17, 13), sizes=(80, 20, 80, 80, 80, 80))
        card = await plan_card(bench)
        assert card.plan is not None and card.plan.sets == contracts(10)  # 15 for 13 cents would pay too
        assert next(leg.price for leg in card.plan.legs if leg.ticker == TICKERS[1]) == 1200

    on_a_desk(check)


def test_a_plan_is_no_larger_than_the_last_orders_let_any_order_be() -> None:
    async def check(bench: Bench) -> None:
        for n in range(20):
            before = Order(intent(f"small-{n}", BookSide.BID, Purpose.OPEN, 3))
            bench.engine.desk.account.order_changed(None, before)
        await asyncio.sleep(61)  # longer than a minute's orders are counted
        quote(bench)
        card = await plan_card(bench)
        assert card.plan is not None and card.plan.sets == contracts(12)
        assert card.candidate.sizing.bound_by == "size of the last orders"

    on_a_desk(check)


def test_the_command_line_and_the_console_see_the_plan_and_the_funnel_names_it() -> None:
    async def check(bench: Bench) -> None:
        card = await plan_card(bench)
        snapshot = Snapshot(bench.engine.desk)
        (told,) = json.loads(answer("proposals", snapshot.query_rows("proposals"), snapshot.now()))
        assert card.plan is not None
        assert told["id"] == f"{card.id}-{card.fingerprint}" and told["fee"] == money_text(card.plan.fee)
        plan = told["plan"]
        assert (plan["kind"], plan["profit"]) == ("every YES bought", money_text(card.plan.profit))
        assert [leg["ticker"] for leg in plan["legs"]] == [leg.ticker for leg in card.plan.legs]
        assert all(leg["outcome"] == "YES" and leg["quantity"] == "20.00" for leg in plan["legs"])
        assert len(plan["cautions"]) > 1
        assert told["fair"] is None and told["sigma"] is None, "a plan rests on prices alone"
        used = {row.name: row for row in snapshot.proposal(card.id).used}
        costs = [notional_up(leg.price, leg.quantity) + leg.fee for leg in card.plan.legs]
        assert used["mkt"].used + used["mkt"].adds == max(costs), "the fullest market, not the first"
        assert used["event"].adds > used["mkt"].adds
        proposed = funnel(bench.engine.desk)[-1]
        assert proposed.reached == 6
        assert proposed.reasons[0].why == "a plan waits for a person: every YES bought, 6 legs"
        assert bench.approve(card).accepted
        await ended(bench, PlanState.COMPLETE)
        told = json.loads(answer("positions", snapshot.query_rows("positions"), snapshot.now()))
        rule = f"part of plan {card.id}, every YES bought, 6 legs: held to settlement"
        assert [position["exit_rule"] for position in told] == [rule] * 6
        row = next(row for row in bench.journal.rows if row.kind == "PLAN")
        profit, worst = money_text(card.plan.profit), money_text(card.plan.worst)
        told = f"plan {card.id} started, every YES bought, 6 legs, profit {profit}, at worst -{worst}"
        assert text_of(row) == told
        kinds = bench.kinds()
        assert kinds.index("PLAN") < kinds.index("ORDER_INTENT")

    on_a_desk(check)


def test_a_complete_set_is_held_whatever_a_model_says_of_its_parts() -> None:
    async def check(bench: Bench) -> None:
        card = await plan_card(bench)
        assert bench.approve(card).accepted
        await ended(bench, PlanState.COMPLETE)
        bench.venue.quote(HOT, 90, 92)  # far above what the model gives it: alone it would be sold
        await asyncio.sleep(3)
        assert bench.engine.desk.approvals.of(HOT) is None
        assert bench.engine.state.exit_rules[HOT].endswith("held to settlement")
        assert card.id in bench.engine.state.exit_rules[HOT]

    on_a_desk(check)


def test_a_leg_that_finds_nobody_breaks_the_plan_and_the_rest_gets_a_card_that_sells_it() -> None:
    async def check(bench: Bench) -> None:
        card = await plan_card(bench)
        plan = card.plan
        assert plan is not None
        third = plan.legs[2].ticker
        bench.venue.faults.nobody = third
        assert bench.approve(card).accepted
        broken = await ended(bench, PlanState.BROKEN)
        assert f"leg 3 {third} filled 0.00 of 20.00" in broken.why
        first, second = plan.legs[0].ticker, plan.legs[1].ticker
        assert f"left over: 20.00 YES {first}, 20.00 YES {second}" in broken.why
        assert (
            len(bench.venue.placed) == 3
        )  # nothing of it left after the one that failed, and none left twice
        assert any(
            f"plan {card.id}, " in alarm.what and "broke" in alarm.what
            for alarm in bench.engine.state.alarms.values()
        )
        quote(bench, (90,) * 6)
        for ticker in (first, second):
            left = await bench.card(ticker, closes=True)
            order = left.candidate
            assert order.reduce_only and order.purpose is Purpose.CLOSE and order.strategy == "arbitrage"
            assert order.quantity == contracts(20) and f"rest of broken plan {card.id}" in order.why
            assert bench.engine.state.exit_rules[ticker].startswith(f"rest of plan {card.id}")
            assert needs_person(bench.engine.desk, order), "no price bounds what its sale gives up"
            assert bench.approve(left).accepted
        await bench.until(lambda: not bench.engine.desk.ledger.held, "flat")
        await bench.until(lambda: noted(bench)[-1].state is PlanState.OVER, "over", 5)
        assert not bench.venue.crossed_zero

    on_a_desk(check)


def test_later_legs_ask_for_no_more_than_earlier_ones_got() -> None:
    async def check(bench: Bench) -> None:
        card = await plan_card(bench)
        plan = card.plan
        assert plan is not None
        book = bench.venue.books[plan.legs[0].ticker].book
        assert bench.approve(card).accepted
        book.set(BookSide.ASK, plan.legs[0].price, contracts(7))  # somebody was faster
        done = await ended(bench, PlanState.COMPLETE)
        assert "leg 1" in done.why and "filled 7.00 of 20.00" in done.why
        intents = [order.intent for order in bench.venue.placed.values()]
        assert [wish.quantity for wish in intents] == [contracts(20), *[contracts(7)] * 5]
        for wish, leg in zip(intents, plan.legs, strict=True):  # and reserve no more than those come to
            fees = bench.engine.state.markets[leg.ticker].market.fees
            fee = estimate(fees, leg.price, wish.quantity, is_taker=True)
            assert wish.reserved == notional_up(leg.outcome_price, wish.quantity) + fee
        assert not any((found := kept_in(bench.engine.desk, t)) is None or found.rest for t in TICKERS)

    on_a_desk(check)


def test_a_market_in_which_something_is_held_is_left_out_of_every_set() -> None:
    async def check(bench: Bench) -> None:
        bench.quiet()
        bench.venue.quote(HOT, 38, 42)
        await bench.held(8)
        quote(bench, (29, 28, 27, 34, 26, 25))  # every YES sold brings 1.45, without that market 1.15
        card = await plan_card(bench)
        assert card.plan is not None and card.plan.kind is PlanKind.SOLD
        assert card.plan.tickers == set(TICKERS) - {HOT}
        quote(bench)  # every YES bought would bring something: what is held of one has an exit of its own
        await bench.until(lambda: not cards(bench), "gone", 3)
        await asyncio.sleep(2)
        assert not cards(bench)

    on_a_desk(check, Settings(engine=SETTINGS.engine, strategy=StrategySettings(arbitrage=True)))


def test_the_strategy_opens_nothing_of_its_own_where_a_plan_has_a_leg() -> None:
    async def check(bench: Bench) -> None:
        bench.quiet()
        bench.venue.quote(HOT, 38, 42)
        await bench.card(HOT)
        quote(bench)
        card = await plan_card(bench)
        assert bench.approve(card).accepted
        await bench.until(lambda: bench.engine.desk.approvals.of(HOT) is None, "withdrawn", 2)
        await ended(bench, PlanState.COMPLETE)
        bench.venue.quote(HOT, 38, 42)
        await asyncio.sleep(6)  # longer than what was withdrawn stays away
        assert bench.engine.desk.approvals.of(HOT) is None
        assert bench.engine.state.markets[HOT].why_not == f"it is part of plan {card.id}"

    on_a_desk(check, Settings(engine=SETTINGS.engine, strategy=StrategySettings(arbitrage=True)))


def test_an_entry_sent_after_a_plan_was_proposed_keeps_the_plan_back() -> None:
    async def check(bench: Bench) -> None:
        bench.quiet()
        bench.venue.quote(HOT, 38, 42)
        await bench.card(HOT)
        quote(bench, (8, 6, 12, 42, 12, 12))
        card, entry = await plan_card(bench), await bench.card(HOT)
        assert bench.approve(entry).accepted
        answer = bench.approve(card)  # before anybody has looked again
        assert not answer.accepted and f"{HOT}: something is held or on order there" in answer.text
        assert not noted(bench) and not bench.engine.desk.approvals.proposals[card.id].standing

    on_a_desk(check, Settings(engine=SETTINGS.engine, strategy=StrategySettings(arbitrage=True)))


def dearer(market: Market, at_ms: int) -> Market:
    """Three times the fees from a moment on: 9 of the 8 cents that all YES cost less than a dollar."""
    fees = msgspec.structs.replace(market.fees, multiplier_e6=market.fees.multiplier_e6 * 3)
    return msgspec.structs.replace(market, fee_changes=(FeeChange(at_ms, fees),))


def test_fees_that_change_between_two_books_take_a_plan_away() -> None:
    async def check(bench: Bench) -> None:
        desk = bench.engine.desk
        at_ms = desk.clocks.world_ms() + 10_000
        for ticker in TICKERS:
            known = desk.state.markets[ticker]
            known.market = dearer(known.market, at_ms)
        card = await plan_card(bench)
        for known in desk.state.markets.values():
            known.market = dearer(known.market, desk.clocks.world_ms())
        answer = bench.approve(card)  # before anybody has looked again
        assert not answer.accepted and "G36 " in answer.text and not bench.venue.placed
        for known in desk.state.markets.values():
            known.market = dearer(known.market, at_ms)
        card = await plan_card(bench)
        await asyncio.sleep(max(0, at_ms - desk.clocks.world_ms()) / 1000 + 0.6)
        assert not cards(bench) and "its prices are gone" in desk.approvals.proposals[card.id].word

    on_a_desk(check)


def test_a_market_joins_the_sets_once_a_person_has_confirmed_what_settles_it() -> None:
    async def check(bench: Bench) -> None:
        known = bench.engine.state.markets[HOT]
        known.market = msgspec.structs.replace(known.market, unconfirmed="whose value settles it", rules="R")
        await asyncio.sleep(3)
        assert not cards(bench)  # the rest of the brackets make no set
        series = known.market.series_ticker
        assert bench.engine.confirm_source(series, text_mark("R"), TRADER).accepted
        await plan_card(bench)

    on_a_desk(check)


@pytest.mark.parametrize("stop", ["halt", "flatten", "pause"])
def test_a_stop_during_a_plan_keeps_the_remaining_legs_back(stop: str) -> None:
    async def check(bench: Bench) -> None:
        card = await plan_card(bench)
        assert bench.approve(card).accepted
        await bench.until(lambda: len(bench.venue.placed) == 2, "the second leg", 5)
        if stop == "halt":
            bench.engine.halt("enough", TRADER)
        elif stop == "flatten":
            bench.engine.flatten(TRADER)
        else:
            bench.engine.pause("arbitrage", TRADER)
        broken = await ended(bench, PlanState.BROKEN)
        assert "leg 3" in broken.why and "was not sent" in broken.why
        opens = [o for o in bench.venue.placed.values() if o.intent.purpose is Purpose.OPEN]
        assert len(opens) == 2

    on_a_desk(check)


def test_an_unanswered_leg_ends_the_plan_and_is_never_sent_again() -> None:
    async def check(bench: Bench) -> None:
        card = await plan_card(bench)
        assert bench.approve(card).accepted
        await bench.until(lambda: len(bench.venue.placed) == 1, "the first leg", 5)
        bench.venue.faults.lose_answers = 1
        bench.venue.faults.silent_fills = True
        broken = await ended(bench, PlanState.BROKEN)
        assert "has no proved end" in broken.why and "not known yet" in broken.why
        ledger = bench.engine.desk.ledger
        assert not any(kept.rest for t in TICKERS if (kept := kept_in(bench.engine.desk, t)) is not None)
        bench.venue.faults.silent_fills = False
        await bench.until(lambda: not ledger.live, "its end", 90)
        assert len([o for o in bench.venue.placed.values() if o.intent.purpose is Purpose.OPEN]) == 2
        # It had filled: both legs are left, and now each is known to be.
        rests = [kept.rest for t in TICKERS if (kept := kept_in(bench.engine.desk, t)) is not None]
        assert rests == [contracts(20)] * 2

    on_a_desk(check)


def test_a_plan_is_judged_once_on_the_worst_of_all_its_legs_when_proposed_and_when_sent() -> None:
    async def check(bench: Bench) -> None:
        card = await plan_card(bench)
        engine = bench.engine
        # Each leg alone costs under five dollars.
        assert engine.set_limit("event_loss_max", "15", "", "", TRADER).accepted
        answer = bench.approve(card)
        assert not answer.accepted and "G17" in answer.text and not bench.venue.placed
        assert engine.desk.approvals.proposals[card.id].state is ProposalState.BLOCKED
        # What fits is proposed instead, in its own time.
        await bench.until(lambda: any(c.verdict.passed for c in cards(bench)), "fewer sets", 20)
        (fewer,) = cards(bench)
        assert fewer.plan is not None and contracts(10) < fewer.plan.sets < contracts(20)
        assert fewer.plan.legs[0].sizing.bound_by == "event limit"
        assert fewer.plan.worst <= 15_000_000

    on_a_desk(check)


def test_nobody_but_a_person_releases_a_plan_and_nothing_is_scanned_unless_asked_for() -> None:
    async def automatic(bench: Bench) -> None:
        bench.engine.state.mode = Mode.AUTO
        await plan_card(bench)
        await asyncio.sleep(5)
        assert not bench.venue.placed

    async def off(bench: Bench) -> None:
        await asyncio.sleep(3)
        assert not cards(bench) and not bench.engine.state.plan_word

    on_a_desk(automatic)
    on_a_desk(off, Settings(strategy=StrategySettings(maker_entries=False)))


def test_a_card_goes_with_its_prices_and_cannot_be_edited() -> None:
    async def check(bench: Bench) -> None:
        card = await plan_card(bench)
        edited = bench.engine.edit(card.id, card.fingerprint, Price(700), contracts(5), TRADER)
        assert not edited.accepted and "taken or left" in edited.text
        quote(bench, (20,) * 6)
        await bench.until(lambda: not cards(bench), "withdrawn", 3)
        assert "its prices are gone" in bench.engine.desk.approvals.proposals[card.id].word

    on_a_desk(check)


def test_other_prices_change_the_fingerprint_that_is_approved() -> None:
    async def check(bench: Bench) -> None:
        card = await plan_card(bench)
        await asyncio.sleep(1.2)
        quote(bench, (7, *ASKS[1:]))
        await bench.until(lambda: cards(bench)[0].fingerprint != card.fingerprint, "moved", 5)
        stale = bench.approve(card)
        assert not stale.accepted and "has changed" in stale.text and not bench.venue.placed

    on_a_desk(check)


def test_after_a_restart_sets_are_still_held_together_and_a_cut_plan_is_broken() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, settings=SETTINGS) as bench:
            quote(bench)
            assert bench.approve(await plan_card(bench)).accepted
            await bench.until(lambda: len(bench.engine.desk.ledger.held) == 2, "two legs", 5)
            venue, rows = bench.venue, tuple(bench.journal.rows)
        async with running(loop, venue=venue, history=rows, run="r2", settings=SETTINGS) as again:
            await again.until(lambda: bool(noted(again)), "its end", 120)
            (broken,) = noted(again)
            assert broken.state is PlanState.BROKEN and "the engine ended before" in broken.why
            for ticker in again.engine.desk.ledger.held:
                kept = kept_in(again.engine.desk, ticker)
                assert kept is not None and kept.rest == contracts(20)
            venue, rows = again.venue, (*rows, *again.journal.rows)
        async with running(loop, venue=venue, history=rows, run="r3", settings=SETTINGS) as third:
            # Nobody has sold it: who looks at this run is called as who looked at the last one was.
            alarms = third.engine.state.alarms
            await third.until(lambda: any("broke" in a.what and a.active for a in alarms.values()), "alarm")
            assert not noted(third)

    run_virtual(main)


def test_linked_markets_are_a_plan_and_those_of_another_station_are_none() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with two_venues(loop, settings=SETTINGS) as bench:
            bench.quiet()
            bench.venue.quote(HOT, 38, 40)
            other(bench).quote(SLUG, 52, 54)
            await asyncio.sleep(3)
            assert not cards(bench)  # nobody has said that they ask the same
            assert link(bench).accepted
            card = await plan_card(bench)
            assert card.plan is not None and card.plan.kind is PlanKind.VENUES
            assert card.plan.sets == contracts(10) and card.plan.worst == card.plan.cost + card.plan.fee
            assert bench.approve(card).accepted
            await ended(bench, PlanState.COMPLETE)
            assert bench.engine.desk.ledger.net(HOT) == contracts(10)
            assert bench.engine.desk.ledger.net(SLUG) == -contracts(10)

    async def apart(loop: VirtualLoop) -> None:
        async with two_venues(loop, settings=SETTINGS, station="KLGA") as bench:
            bench.quiet()
            bench.venue.quote(HOT, 38, 40)
            other(bench).quote(SLUG, 52, 54)
            assert link(bench).accepted
            await asyncio.sleep(3)
            assert not cards(bench)

    run_virtual(main)
    run_virtual(apart)


def test_a_book_that_stays_crossed_is_named_and_taken_nothing_from() -> None:
    async def check(bench: Bench) -> None:
        await plan_card(bench)
        bench.venue.quote(HOT, 30, 25)

        def rung() -> bool:
            return any(
                HOT in a.what and "old prices" in a.what and a.active
                for a in bench.engine.state.alarms.values()
            )

        await asyncio.sleep(4)
        assert not rung() and not cards(bench)
        await bench.until(rung, "the alarm", 3)
        bench.venue.quote(HOT, 20, 24)
        await bench.until(lambda: not rung(), "cleared", 3)

    on_a_desk(check)
