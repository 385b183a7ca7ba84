"""A desk whose looks remember proposes what one proposes that forgets everything before each look."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.execution.bench import EVENT, HOT, TRADER, WARM, Bench, running
from tests.virtual import VirtualLoop, run_virtual

MARKETS = (HOT, WARM)
STEPS = st.one_of(
    st.tuples(st.just("quote"), st.tuples(st.sampled_from(MARKETS), st.integers(5, 60), st.integers(1, 300))),
    st.tuples(st.just("depth"), st.tuples(st.sampled_from(MARKETS), st.integers(1, 300))),
    st.tuples(st.just("forecast"), st.floats(46.0, 51.0)),
    st.tuples(st.just("fill"), st.integers(1, 20)),
    st.tuples(st.just("limit"), st.integers(5, 100)),
    st.tuples(st.just("wait"), st.sampled_from((0.3, 1.1, 5.0))),
)


def forget(bench: Bench) -> None:
    """Nothing is known of earlier looks."""
    trading = bench.engine.trading
    for ticker, known in bench.engine.state.markets.items():
        trading.forget(ticker)
        trading.learn(ticker, known.market.event_ticker)
    trading.mark_all()


async def step(bench: Bench, what: str, given_: Any) -> None:
    match what:
        case "quote":
            ticker, bid, size = given_
            bench.venue.quote(ticker, bid, bid + 3, size=size)
        case "depth":  # the mid says what it said before
            ticker, size = given_
            bid = bench.venue.books[ticker].book.best_bid
            if bid is not None:
                bench.venue.quote(ticker, bid // 100, bid // 100 + 3, size=size)
        case "forecast":
            bench.feed.forecast(given_)
        case "fill":
            card = bench.engine.desk.approvals.of(HOT)
            if card is not None and card.verdict.passed and bench.approve(card).accepted:
                await asyncio.sleep(0.5)
                clients = bench.engine.desk.ledger.of_proposal.get(card.id, ())
                orders = [bench.order(client) for client in clients]
                for order in orders:
                    if order.order_id in bench.venue.placed and bench.venue.placed[order.order_id].open:
                        bench.venue.trade(order.order_id, given_)
        case "limit":
            bench.engine.set_limit("event_loss_max", str(given_), "", "a test", TRADER)
        case _:
            await asyncio.sleep(given_)


def told(steps: list[tuple[str, Any]], *, forgets: bool) -> list[object]:
    """What the desk finds and offers after each step."""

    async def main(loop: VirtualLoop) -> list[object]:
        seen: list[object] = []
        async with running(loop) as bench:
            await bench.card()
            for what, given_ in steps:
                await step(bench, what, given_)
                if forgets:
                    forget(bench)
                await asyncio.sleep(0.3)  # a changed price is looked at in a step of its own
                state, desk = bench.engine.state, bench.engine.desk
                seen.append([(t, m.assessed, m.why_not, m.edge) for t, m in state.markets.items()])
                seen.append([(p.candidate, p.state, p.word) for p in desk.approvals.proposals.values()])
            assert EVENT in bench.engine.state.events
        return seen

    return run_virtual(main)


@settings(max_examples=8, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(st.lists(STEPS, min_size=3, max_size=8))
def test_a_desk_that_remembers_proposes_what_one_without_a_memory_does(steps: list[tuple[str, Any]]) -> None:
    assert told(steps, forgets=False) == told(steps, forgets=True)
