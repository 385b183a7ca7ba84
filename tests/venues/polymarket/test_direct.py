"""A flatten without an engine on SIM's Polymarket: everything held is sold, and never more than that."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from core.config.paths import Environment
from core.domain.clock import Clocks
from core.domain.order import BookSide, Purpose, TimeInForce
from core.domain.units import Quantity, contracts
from core.execution.direct import Direct, Ended
from core.sim.polymarket.settlement import Pace
from core.venues.polymarket.direct import PolymarketDirect
from core.venues.venue import Accepted, Incomplete, Rejected
from tests.venues.polymarket.sim_venue import RAIN, TICKER, V2, Pit

Run = Callable[[Any], Any]


def standing_in(pit: Pit, *, signs: bool = True) -> PolymarketDirect:
    return PolymarketDirect(
        pit.config.addresses,
        Environment.SIM,
        pit.config.credentials,
        pit.config.signer.account,
        pit.config.signer if signs else None,
        "" if signs else "its key is gone",
        clocks=pit.clocks,
        rng=random.Random(2),
        on_anomaly=lambda what, detail: None,
        transports=lambda _: pit.transport,
    )


class Floor:
    """A pit in which our client has bought, with somebody there to sell to."""

    def __init__(self, clocks: Clocks) -> None:
        self.pit = Pit(clocks)
        self.said: list[str] = []
        self.outcomes: list[Any] = []
        """What the venue said to each sale."""

    async def bought(self, ticker: str, side: BookSide, count: int) -> None:
        """A position from a trade: YES for a bid, NO for an ask."""
        pit = self.pit
        outcome, price = (0, 4_200) if side is BookSide.BID else (1, 6_200)
        pit.others("SELL", price, count, ticker=ticker, outcome=outcome)
        yes = price if outcome == 0 else 10_000 - price
        found = await pit.place(side, Purpose.OPEN, yes, count, ticker=ticker)
        assert isinstance(found, Accepted) and found.filled == contracts(count)

    def bids(self, ticker: str, count: int) -> None:
        """People who buy either outcome."""
        self.pit.others("BUY", 3_800, count, ticker=ticker, outcome=0)
        self.pit.others("BUY", 5_800, count, ticker=ticker, outcome=1)

    async def flatten(self, venue: PolymarketDirect) -> Ended:
        placed = venue.place

        async def noted(*told: Any) -> Any:
            self.outcomes.append(await placed(*told))
            return self.outcomes[-1]

        venue.place = noted  # type: ignore[method-assign]
        run = Direct(venue, self.pit.clocks, random.Random(1), "d1", self.said.append)
        ended = await run.flatten()
        await venue.close()
        return ended

    def sold(self) -> int:
        """Shares, and every sale within what was held: the venue refused none."""
        assert all(isinstance(outcome, Accepted) for outcome in self.outcomes), self.outcomes
        ours = [o for o in self.pit.exchange.orders.values() if o.owner == self.pit.key and not o.buys]
        return sum(order.matched for order in ours)


def run(virtual: Run, clocks: Clocks, scene: Callable[[Floor], Any]) -> None:
    async def main() -> None:
        floor = Floor(clocks)
        async with floor.pit.running(TICKER, RAIN, V2):
            await scene(floor)

    virtual(main())


def test_everything_held_is_sold_on_every_exchange(virtual: Run, virtual_clocks: Clocks) -> None:
    async def scene(floor: Floor) -> None:
        for ticker in (TICKER, RAIN, V2):
            floor.bids(ticker, 200)
        await floor.bought(TICKER, BookSide.BID, 20)
        await floor.bought(RAIN, BookSide.ASK, 15)
        await floor.bought(V2, BookSide.BID, 10)
        rests = await floor.pit.place(BookSide.BID, Purpose.OPEN, 1_000, 10)
        assert isinstance(rests, Accepted)
        ended = await floor.flatten(standing_in(floor.pit))
        assert ended.residue == {} and ended.sold == contracts(45), (ended, floor.said)
        for ticker, outcome in ((TICKER, 0), (RAIN, 1), (V2, 0)):
            assert floor.pit.held(outcome, ticker) == 0
        assert not floor.pit.exchange.open_orders(floor.pit.key)
        assert floor.sold() == contracts(45)

    run(virtual, virtual_clocks, scene)


def test_what_is_still_settling_is_waited_for_and_not_sold_twice(
    virtual: Run, virtual_clocks: Clocks
) -> None:
    async def scene(floor: Floor) -> None:
        floor.pit.exchange.settlement.pace = Pace(mined_ms=8_000, confirmed_ms=9_000)
        floor.bids(TICKER, 200)
        await floor.bought(TICKER, BookSide.BID, 20)
        assert floor.pit.held() == 0, "on its way"
        ended = await floor.flatten(standing_in(floor.pit))
        assert ended.residue == {} and floor.pit.held() == 0, (ended, floor.said)
        assert floor.sold() == contracts(20)
        assert "waiting until what was traded is settled" in floor.said

    run(virtual, virtual_clocks, scene)


def test_a_sale_that_fails_on_the_chain_is_made_again(virtual: Run, virtual_clocks: Clocks) -> None:
    async def scene(floor: Floor) -> None:
        await floor.bought(TICKER, BookSide.BID, 20)
        await floor.pit.until(lambda: floor.pit.held() == contracts(20))
        floor.bids(TICKER, 200)
        settlement = floor.pit.exchange.settlement
        settlement.pace = Pace(fail_share=1.0)
        venue = standing_in(floor.pit)
        placed = venue.place

        async def healed(*told: Any) -> Any:
            outcome = await placed(*told)
            settlement.pace = Pace()
            return outcome

        venue.place = healed  # type: ignore[method-assign]
        ended = await floor.flatten(venue)
        assert ended.residue == {} and floor.pit.held() == 0, (ended, floor.said)
        assert ended.exits >= 2

    run(virtual, virtual_clocks, scene)


def test_nobody_to_sell_to_is_told_as_what_is_held(virtual: Run, virtual_clocks: Clocks) -> None:
    async def scene(floor: Floor) -> None:
        await floor.bought(TICKER, BookSide.BID, 20)
        ended = await floor.flatten(standing_in(floor.pit))
        assert ended.residue.keys() == {TICKER} and "20.00 contracts held" in ended.residue[TICKER]
        assert "nobody bids" in str(ended) and not floor.sold()

    run(virtual, virtual_clocks, scene)


def test_without_a_key_it_cancels_and_signs_nothing(virtual: Run, virtual_clocks: Clocks) -> None:
    async def scene(floor: Floor) -> None:
        pit = floor.pit
        assert isinstance(await pit.place(BookSide.BID, Purpose.OPEN, 1_000, 10), Accepted)
        venue = standing_in(pit, signs=False)
        assert not isinstance(await venue.market(TICKER), Rejected)
        sealed = venue.seal(pit.intent(BookSide.ASK, Purpose.CLOSE, 3_000, 5))
        assert sealed == Rejected("no_sale", "its key is gone")
        await Direct(venue, pit.clocks, random.Random(1), "d1", floor.said.append).cancel()
        await venue.close()
        assert not pit.exchange.open_orders(pit.key)

    run(virtual, virtual_clocks, scene)


def test_it_opens_nothing(virtual: Run, virtual_clocks: Clocks) -> None:
    async def scene(floor: Floor) -> None:
        venue = standing_in(floor.pit)
        await venue.market(TICKER)
        for purpose, kind in ((Purpose.OPEN, Rejected), (Purpose.CLOSE, object)):
            assert isinstance(venue.seal(floor.pit.intent(BookSide.ASK, purpose, 3_000, 5)), kind)
        await venue.close()
        assert Quantity(0) == floor.pit.held()

    run(virtual, virtual_clocks, scene)


def test_what_a_sale_under_way_takes_is_not_there_to_be_sold(virtual: Run, virtual_clocks: Clocks) -> None:
    async def scene(floor: Floor) -> None:
        pit = floor.pit
        floor.bids(TICKER, 12)
        await floor.bought(TICKER, BookSide.BID, 20)
        await pit.until(lambda: pit.held() == contracts(20))
        pit.exchange.settlement.pace = Pace(mined_ms=60_000)
        venue = standing_in(pit)
        sale = await pit.place(
            BookSide.ASK, Purpose.CLOSE, 3_800, 12, tif=TimeInForce.IOC, reduce_only=True, expires_ms=None
        )
        assert isinstance(sale, Accepted) and sale.filled == contracts(12)
        await floor.bought(TICKER, BookSide.BID, 10)
        held = await venue.positions()
        assert pit.held() == contracts(20), "the chain knows nothing of either yet"
        assert not isinstance(held, Incomplete) and [(p.ticker, p.net) for p in held] == [
            (TICKER, contracts(8))
        ]
        assert await venue.settling() == {TICKER}
        await venue.close()

    run(virtual, virtual_clocks, scene)


def test_what_is_held_of_a_market_that_is_refused_is_not_called_flat(
    virtual: Run, virtual_clocks: Clocks
) -> None:
    async def scene(floor: Floor) -> None:
        floor.bids(TICKER, 200)
        await floor.bought(TICKER, BookSide.BID, 20)
        await floor.pit.until(lambda: floor.pit.held() == contracts(20))
        venue = standing_in(floor.pit)
        assert [one.ticker for one in await venue.positions()] == [TICKER]
        venue._listing.refuse(TICKER, "the order book names other tokens")
        ended = await floor.flatten(venue)
        assert [name[:6] for name in ended.residue] == ["token "] and not floor.sold()
        assert str(ended).startswith("NOT FLAT")

    run(virtual, virtual_clocks, scene)


def test_what_no_list_of_markets_explains_is_not_called_flat(virtual: Run, virtual_clocks: Clocks) -> None:
    """As while the venue's lists are down: the account still says that something is held."""

    async def scene(floor: Floor) -> None:
        floor.bids(TICKER, 200)
        await floor.bought(TICKER, BookSide.BID, 20)
        await floor.bought(V2, BookSide.ASK, 10)
        await floor.pit.until(lambda: floor.pit.held() == contracts(20))
        venue = standing_in(floor.pit)

        async def nothing(*_: Any) -> Incomplete:
            return Incomplete("markets of tokens", "HTTP 503")

        venue._listing.learn = nothing
        ended = await floor.flatten(venue)
        told = sorted(ended.residue.items())
        assert [name[:6] for name, _ in told] == ["token ", "token "] and not floor.sold()
        assert {what.partition(",")[0] for _, what in told} == {
            "20.00 contracts held", "10.00 contracts held",
        }  # fmt: skip
        assert str(ended).startswith("NOT FLAT")

    run(virtual, virtual_clocks, scene)
