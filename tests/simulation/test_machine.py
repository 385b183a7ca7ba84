"""Anything may happen to an order in any sequence: hypothesis plays operator, network, venue and grim reaper.

The world is the campaign's: the unmodified engine, the real Kalshi client, the simulated exchange, the
oracle. After every step stand P2-P4, P6, P7, P10 (below) and P1, P8, P11, P12 with the oracle's points; P9 is
asked at the end, when everything works again; P5 has a test of its own (``tests/execution/test_ledger``).

``PMCONSOLE_DEEP=1`` plays 5,000 games of 80 steps instead of the suite's few.
"""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict, deque
from collections.abc import Callable
from random import Random
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from core.domain.order import BookSide
from core.domain.units import Price, Quantity
from core.engine.engine import Engine
from core.execution.ledger import Ledger
from core.sim import amending
from core.sim.contracts import MarketStatus
from core.sim.fates import PLAIN, Answered, Cut, Delivered, Fate, Garbled, Lost
from core.sim.fault_kinds import Matter, Point
from core.sim.garble import Garble
from core.sim.orders import BookSide as VenueSide
from core.sim.orders import OrderRequest
from core.sim.plan import Plan, Swarm
from tests.simulation.chance import Chance
from tests.simulation.hands import TRADER, WEIGHTS, Habits, Hands
from tests.simulation.site import ACCOUNT
from tests.simulation.truth import OURS
from tests.simulation.world import Desk, World
from tests.virtual import VirtualLoop

DEEP = os.environ.get("PMCONSOLE_DEEP") == "1"
WARM_S = 2.0
"""What the gate asks for (loop lag, profit and loss, rate budget) is known after the first seconds."""
SETTLE_S = 200
"""Longer than the longest look-up of an unanswered order."""

REQUESTS: tuple[Fate, ...] = (Lost(), Cut(0.5), Delivered(2_000), Answered(503, b"{}"), Answered(429, b"{}"))
ANSWERS: tuple[Fate, ...] = (
    Lost(),
    Lost(trades=True),
    Cut(0.5),
    Delivered(3_000),
    Garbled(Garble.EMPTY, 0.0),
    Garbled(Garble.NO_ORDER, 0.0),
    Garbled(Garble.RENAMED, 0.0),
)
CANCELS: tuple[Fate, ...] = (
    Lost(),
    Delivered(trades=True),
    Answered(404, b'{"error":{"code":"not_found"}}'),
)
FRAMES: tuple[Fate, ...] = (
    Lost(),
    Delivered(copies=2),
    Delivered(4_000, overtakes=True),
    Cut(0.0),
    Garbled(Garble.OTHER_COUNT, 0.0, beside=True),
)
LISTS = (Garble.EMPTY_LIST, Garble.EMPTY_PAGE, Garble.ROW_OMITTED, Garble.TRUNCATED, Garble.NOT_A_NUMBER)
LOT = 10_000
PLACE_TRIES = 6


class Dealt(Plan):
    """Fates that were dealt for the next message of a kind; everything else arrives."""

    def __init__(self) -> None:
        super().__init__(Swarm(0, ()))
        self.hands: dict[tuple[Point, Matter], deque[Fate]] = defaultdict(deque)

    def deal(self, point: Point, matter: Matter, fate: Fate) -> None:
        self.hands[point, matter].append(fate)

    def _fate(self, point: Point, matter: Matter, now_ms: int) -> Fate:
        dealt = self.hands[point, matter]
        return dealt.popleft() if dealt else PLAIN


class OrderPath(RuleBasedStateMachine):
    """One desk, three markets, and everything that can go wrong between them."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = VirtualLoop()
        self.faults: list[dict[str, Any]] = []
        self.loop.set_exception_handler(lambda _, context: self.faults.append(context))
        self.plan = Dealt()
        self.world = World(self.loop, Chance(1), self.plan)
        self.hands = Hands(Random(0), Habits(1.0, WEIGHTS))
        self._do(self.world.start)
        self.driving = self.loop.create_task(self._pulse(), name="venue")
        self._until_ready()

    # --- time ---------------------------------------------------------------------------------

    async def _pulse(self) -> None:
        while True:
            await asyncio.sleep(0.25)
            self.world.site.pulse()
            self.world.oracle.second()

    def _do(self, act: Callable[[], object], seconds: float = 0.05) -> None:
        """One act inside the loop, and a moment for it to have effects."""

        async def step() -> None:
            act()
            await asyncio.sleep(seconds)

        self.loop.run_until_complete(step())

    def _pass(self, seconds: float) -> None:
        self.loop.run_until_complete(asyncio.sleep(seconds))

    def _until_ready(self) -> None:
        for _ in range(600):
            if self.engine.state.ready:
                break
            self._pass(0.1)
        assert self.engine.state.ready, "the desk does not come up"
        self._pass(WARM_S)
        self._do(lambda: self.hands.help(self.engine))

    @property
    def desk(self) -> Desk:
        assert self.world.desk is not None
        return self.world.desk

    @property
    def engine(self) -> Engine:
        return self.desk.engine

    @property
    def ledger(self) -> Ledger:
        return self.engine.desk.ledger

    def _open_markets(self) -> list[str]:
        markets = self.world.site.exchange.markets.items()
        return sorted(t for t, m in markets if m.status is MarketStatus.ACTIVE)[:3]

    # --- what may happen ----------------------------------------------------------------------

    @rule(what=st.sampled_from(["rest", "rest", "cross", "take"]), seed=st.integers(0, 999))
    def place(self, what: str, seed: int) -> None:
        """An order the gate lets through, if one of a few does."""
        hands, known = Hands(Random(seed), self.hands.habits), len(self.ledger.orders)
        for _ in range(PLACE_TRIES):
            self._do(lambda: hands.do(what, self.engine))
            if len(self.ledger.orders) > known:
                return

    @rule(seed=st.integers(0, 999))
    def place_many(self, seed: int) -> None:
        for number in range(4):
            self.place("rest" if number % 2 else "take", seed + number)

    @rule(seed=st.integers(0, 999))
    def close(self, seed: int) -> None:
        self._do(lambda: Hands(Random(seed), self.hands.habits).do("close", self.engine))

    @rule(
        what=st.sampled_from(["cancel", "cancel market", "halt", "halt market", "flatten", "reconcile"]),
        seed=st.integers(0, 999),
    )
    def command(self, what: str, seed: int) -> None:
        self._do(lambda: Hands(Random(seed), self.hands.habits).do(what, self.engine))

    @rule()
    def resume(self) -> None:
        self._do(lambda: self.hands.help(self.engine))

    @rule(fate=st.sampled_from(REQUESTS))
    def lose_an_order(self, fate: Fate) -> None:
        self.plan.deal(Point.REQUEST, Matter.CREATE, fate)

    @rule(fate=st.sampled_from(ANSWERS))
    def lose_an_answer(self, fate: Fate) -> None:
        self.plan.deal(Point.ANSWER, Matter.CREATE, fate)

    @rule(fate=st.sampled_from(CANCELS), answer=st.booleans())
    def lose_a_cancel(self, fate: Fate, answer: bool) -> None:
        if answer:
            self.plan.deal(Point.ANSWER, Matter.CANCEL, Lost())
        else:
            self.plan.deal(Point.REQUEST, Matter.CANCEL, fate)

    @rule(fate=st.sampled_from(FRAMES), matter=st.sampled_from([Matter.FILL, Matter.PRIVATE]))
    def garble_a_message(self, fate: Fate, matter: Matter) -> None:
        self.plan.deal(Point.FRAME, matter, fate)

    @rule(matter=st.sampled_from([Matter.ORDERS, Matter.FILLS, Matter.POSITIONS]), how=st.sampled_from(LISTS))
    def garble_a_list(self, matter: Matter, how: Garble) -> None:
        self.plan.deal(Point.ANSWER, matter, Garbled(how, 0.0))

    @rule(pick=st.floats(0, 0.99), share=st.sampled_from([0.2, 0.5, 1.0]))
    def trade(self, pick: float, share: float) -> None:
        """The market takes part of a resting order of ours."""
        working = list(self.world.site.exchange.account(ACCOUNT).working.values())
        if working:
            order = working[int(len(working) * pick)]
            count = max(LOT, int(order.remaining * share) // LOT * LOT)
            self._do(lambda: self.world.site.hit(order, count))

    @rule(pick=st.floats(0, 0.99), share=st.sampled_from([0.2, 0.5]))
    def somebody_makes_smaller(self, pick: float, share: float) -> None:
        """On the venue's page, one of our resting orders."""
        exchange = self.world.site.exchange
        working = [
            o for o in exchange.account(ACCOUNT).working.values() if o.client_order_id.startswith(OURS)
        ]
        if working:
            order = working[int(len(working) * pick)]
            left = max(LOT, int(order.remaining * share) // LOT * LOT)
            if left < order.remaining:
                self._do(lambda: amending.decrease(exchange, ACCOUNT, order.order_id, Quantity(left)))

    @rule(pick=st.floats(0, 0.99), share=st.sampled_from([0.2, 0.5]), heard=st.booleans())
    def make_smaller(self, pick: float, share: float, heard: bool) -> None:
        """From here; its answer may be lost."""
        if working := [order for order in self.ledger.live.values() if order.reducible]:
            order = working[int(len(working) * pick)]
            left = max(LOT, int(order.leaves * share) // LOT * LOT)
            if not heard:
                self.plan.deal(Point.ANSWER, Matter.AMEND, Lost())
            self._do(
                lambda: self.engine.amend(order.intent.client_order_id, Price(0), Quantity(left), TRADER)
            )

    @rule(pick=st.floats(0, 0.99), side=st.sampled_from(VenueSide))
    def somebody_places_by_hand(self, pick: float, side: VenueSide) -> None:
        """An order on the account that no desk knows, away from the touch."""
        if markets := self._open_markets():
            ticker = markets[int(len(markets) * pick)]
            price = Price(200 if side is VenueSide.BID else 9_800)
            wanted = OrderRequest(ACCOUNT, ticker, side, price, Quantity(3_000_000))
            self._do(lambda: self.world.site.exchange.place(wanted))

    @rule(yes=st.booleans())
    def settle(self, yes: bool) -> None:
        exchange = self.world.site.exchange
        if len(markets := self._open_markets()) > 1:

            def end() -> None:
                exchange.move_close(markets[0], self.world.clock.wall_ms())
                exchange.advance()
                exchange.determine(markets[0], "yes" if yes else "no")

            self._do(end)

    @rule(seconds=st.sampled_from([0.02, 0.3, 2.0, 6.0]))
    def time_passes(self, seconds: float) -> None:
        """With enough of it somebody looks after the desk."""
        self._pass(seconds)
        if seconds > 1.0:
            self.resume()

    @rule()
    def die(self) -> None:
        self.loop.run_until_complete(self.world.end())
        self._pass(0.5)
        self._do(self.world.start)
        self._until_ready()

    # --- what must hold -----------------------------------------------------------------------

    @invariant()
    def no_promise_is_broken(self) -> None:
        """P1, P8, P11, P12 with the oracle's points; the journal alone tells the same story."""
        self.world.oracle.compare_replay(self.desk.log.rows)
        found = self.world.oracle.violation
        assert found is None, f"point {found.point}: {found.what}: {found.belief} / {found.truth}"
        assert not self.faults, self.faults

    @invariant()
    def every_trade_counts_once(self) -> None:
        """P2, P4, P10."""
        seen: set[str] = set()
        for order in self.ledger.orders.values():
            ids = {fill.trade_id for fill in order.fills}
            assert len(ids) == len(order.fills) and not ids & seen
            seen |= ids
            assert order.filled <= order.intent.quantity
            assert order.filled <= order.venue_filled

    @invariant()
    def what_may_fill_is_covered(self) -> None:
        """P3, P6, P7: closes never promise more than is held; only an end frees what an order holds."""
        ledger = self.ledger
        for client, order in ledger.orders.items():
            assert (client in ledger.live) == order.live
            assert not order.live or order.leaves == order.quantity_max - order.filled
        for ticker in ledger.positions:
            net = ledger.net(ticker)
            assert ledger.closing(ticker, BookSide.ASK) <= max(0, net)
            assert ledger.closing(ticker, BookSide.BID) <= max(0, -net)

    def teardown(self) -> None:
        """Everything works again: P9, and belief and truth are one."""
        try:
            self.plan.hands.clear()
            self._do(self._take_away_what_hands_placed)
            healed_ns = self.world.clock.mono_ns()
            for _ in range(SETTLE_S):
                self._do(lambda: self.hands.calm(self.engine), 1.0)
                if self.world.in_order(healed_ns) is None:
                    break
            self.world.judge_end(healed_ns)
            self.no_promise_is_broken()
        finally:
            self._end()

    def _take_away_what_hands_placed(self) -> None:
        exchange = self.world.site.exchange
        for order in list(exchange.account(ACCOUNT).working.values()):
            if not order.client_order_id.startswith(OURS):
                exchange.cancel(ACCOUNT, order.order_id)

    def _end(self) -> None:
        self.driving.cancel()
        self.world.over = True
        self.loop.run_until_complete(self.world.end())
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        if left:
            self.loop.run_until_complete(asyncio.wait(left))
        self.loop.close()


TestOrderPath = OrderPath.TestCase
TestOrderPath.settings = settings(
    max_examples=5_000 if DEEP else 8,
    stateful_step_count=80 if DEEP else 20,
    derandomize=not DEEP,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
