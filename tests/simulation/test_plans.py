"""Plans against the simulated exchange, over the real client: a set locked in, and one whose leg fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

import msgspec

from core.config.settings import StrategySettings
from core.domain.order import Purpose
from core.domain.units import Price, contracts
from core.execution.proposals import Proposal
from core.journal.projections import PlanNoted, PlanState
from core.sim.fates import Answered, Lost
from core.sim.fault_kinds import Matter, Point
from core.sim.orders import BookSide, OrderRequest
from core.strategy.arbitrage import PlanKind
from tests.simulation.chance import Chance
from tests.simulation.keys import TRADER
from tests.simulation.site import ACCOUNT, CROWD
from tests.simulation.test_machine import Dealt
from tests.simulation.world import SETTINGS, World
from tests.virtual import VirtualLoop, run_virtual

EVENT = "KXHIGHNY-26NOV23"
ASKS = {"T44": 8, "B44.5": 12, "B46.5": 16, "B48.5": 24, "B50.5": 18, "T51": 14}
"""Of one day's brackets: 92 cents together."""
SHOWN = contracts(80)


class Room:
    """A desk on a simulated exchange whose quotes stand still."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.faults = Dealt()
        self.world = World(loop, Chance(1), self.faults)
        strategy = StrategySettings(arbitrage=True, maker_entries=False)
        self.world.settings = msgspec.structs.replace(SETTINGS, strategy=strategy)
        self.exchange = self.world.site.exchange
        for ticker in self.exchange.markets:
            self.exchange.cancel_all(CROWD, ticker)
        for name, cents in ASKS.items():
            self.quote(f"{EVENT}-{name}", cents)

    def quote(self, ticker: str, cents: int) -> None:
        self.exchange.cancel_all(CROWD, ticker)
        for side, at in ((BookSide.ASK, cents), (BookSide.BID, cents - 4)):
            self.exchange.place(OrderRequest(CROWD, ticker, side, Price(at * 100), SHOWN))

    async def until(self, reached: Callable[[], bool], what: str, seconds: float = 60) -> None:
        for _ in range(int(seconds / 0.05)):
            if reached():
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"not within {seconds} s: {what}")

    @property
    def cards(self) -> list[Proposal]:
        assert self.world.desk is not None
        queue = self.world.desk.engine.desk.approvals.queue()
        return [card for card in queue if card.verdict.passed]

    @property
    def noted(self) -> list[PlanNoted]:
        assert self.world.desk is not None
        rows = [row for row in self.world.desk.log.rows if row.kind == "PLAN"]
        return [msgspec.json.decode(row.payload, type=PlanNoted) for row in rows]

    def approve(self, card: Proposal) -> None:
        assert self.world.desk is not None
        engine = self.world.desk.engine
        assert engine.approve(card.id, card.fingerprint, engine.desk.clocks.mono_ns(), TRADER).accepted

    def positions(self) -> dict[str, int]:
        held = self.exchange.account(ACCOUNT).holdings
        return {ticker: int(holding.position) for ticker, holding in held.items() if holding.position}

    async def plan(self) -> Proposal:
        await self.until(lambda: any(card.plan is not None for card in self.cards), "a plan's card")
        return next(card for card in self.cards if card.plan is not None)

    async def ended(self) -> PlanNoted:
        await self.until(lambda: bool(self.noted) and self.noted[-1].state is not PlanState.STARTED, "end")
        return self.noted[-1]


def in_a_room(check: Callable[[Room], Coroutine[None, None, None]]) -> None:
    async def main(loop: VirtualLoop) -> None:
        room = Room(loop)
        world = room.world
        desk = world.start()
        world.crowd._unrest = world.crowd._greed = 0.0
        driving = loop.create_task(world.drive())
        try:
            await room.until(lambda: desk.engine.state.ready, "ready")
            await check(room)
            assert world.oracle.violation is None, world.oracle.violation
        finally:
            driving.cancel()
            world.over = True
            await world.end()  # compares what the journal makes with what is believed
        assert world.oracle.violation is None, world.oracle.violation

    run_virtual(main)


def test_a_ladder_that_sums_below_one_is_bought_whole_and_pays_what_was_promised() -> None:
    async def check(room: Room) -> None:
        card = await room.plan()
        plan = card.plan
        assert plan is not None and plan.kind is PlanKind.SET and plan.sets == contracts(20)
        before = room.exchange.account(ACCOUNT).cash
        room.approve(card)
        assert (await room.ended()).state is PlanState.COMPLETE
        assert room.positions() == {f"{EVENT}-{name}": contracts(20) for name in ASKS}
        paid = before - room.exchange.account(ACCOUNT).cash
        assert plan.pays - paid >= plan.profit > 0

    in_a_room(check)


def test_a_leg_that_is_refused_leaves_a_rest_that_is_sold_on_a_card_of_its_own() -> None:
    async def check(room: Room) -> None:
        card = await room.plan()
        plan = card.plan
        assert plan is not None
        third = plan.legs[2].ticker
        room.approve(card)
        with room.world.site.silently():  # whoever showed it was faster than the word of it
            room.exchange.cancel_all(CROWD, third)
        broken = await room.ended()
        assert broken.state is PlanState.BROKEN and f"leg 3 {third} filled 0.00 of 20.00" in broken.why
        rest = {leg.ticker: contracts(20) for leg in plan.legs[:2]}
        assert room.positions() == rest
        for _ in rest:
            await room.until(lambda: any(c.candidate.reduces_risk for c in room.cards), "an exit's card")
            leaving = next(c for c in room.cards if c.candidate.reduces_risk)
            assert leaving.candidate.reduce_only and leaving.candidate.ticker in rest
            assert f"plan {card.id}" in leaving.candidate.why
            sold = leaving.candidate.ticker
            room.approve(leaving)
            await room.until(lambda: sold not in room.positions(), "sold")  # noqa: B023
        await room.until(lambda: room.noted[-1].state is PlanState.OVER, "over")
        assert all(o.intent.purpose is Purpose.CLOSE or o.intent.proposal_id == card.id for o in orders(room))

    in_a_room(check)


def orders(room: Room) -> list:
    assert room.world.desk is not None
    return list(room.world.desk.engine.desk.ledger.orders.values())


def test_an_answer_that_is_lost_ends_the_plan_and_no_leg_leaves_twice() -> None:
    async def check(room: Room) -> None:
        card = await room.plan()
        room.faults.deal(Point.ANSWER, Matter.CREATE, Answered(503, b"{}"))
        room.faults.deal(Point.FRAME, Matter.FILL, Lost())
        room.faults.deal(Point.FRAME, Matter.PRIVATE, Lost())
        room.approve(card)
        await room.ended()
        # The oracle sees to it that nothing leaves twice; what is left is known once the order is.
        await room.until(lambda: not orders(room)[0].live, "its end", 200)
        assert len({order.intent.ticker for order in orders(room)}) == len(orders(room))

    in_a_room(check)
