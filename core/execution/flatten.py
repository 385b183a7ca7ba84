"""The stop ladder: cancel everything, count down, sell what is held in slices, prove it is gone.

The caller has set the halt before this begins. Cancels go out in the same loop step; the countdown
is the operator's way out; an exit is a reduce-only, immediate limit order a bounded distance
under the bid, one at a time in a market, and an exit without an answer stops its market until the
answer is found. Nothing is sold that is not held by our own count and the venue's. Flat is said only
after two complete reads of the venue.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable
from dataclasses import dataclass, field

from core.domain.clock import Clocks
from core.domain.market import Market
from core.domain.order import Order
from core.domain.units import Money, Price, Quantity, money_text, notional
from core.execution.exits import NoExit, next_slice
from core.execution.gateway import Denied, Gateway, Wish
from core.execution.ledger import Ledger
from core.execution.points import Point, Reach
from core.execution.tasks import Tasks
from core.venues.venue import Incomplete, ReportStatus, VenueGateway

CONFIRM_S = 5.0
"""How long exits wait for cancels to be confirmed elsewhere before they begin without them."""
SLICES_MAX = 20
MARKET_BUDGET_S = 120.0
SLICE_PAUSE_S = 0.4
VERIFY_PAUSE_S = 3.0
LAGGING_READS = 7
"""Position lists lag by up to 20 s: so often a count that lacks what we know is read again."""
READ_TRIES = 4


class Phase(enum.Enum):
    CANCELLING = "CANCELLING"
    COUNTDOWN = "COUNTDOWN"
    EXITING = "EXITING"
    VERIFYING = "VERIFYING"
    FLAT = "FLAT"
    ABORTED = "ABORTED"
    UNFLATTENED = "UNFLATTENED"


OVER = frozenset({Phase.FLAT, Phase.ABORTED, Phase.UNFLATTENED})


@dataclass(slots=True)
class Ladder:
    """Progress of one stop, as the screen shows it."""

    started_ns: int
    exits_at_ns: int
    by: str
    scope: str
    phase: Phase = Phase.CANCELLING
    cancelling: tuple[str, ...] = ()
    """Client ids of the orders that were live at the press."""
    exits_sent: int = 0
    exits_filled: int = 0
    left: int = 0
    """Contracts still held over all markets, in millionths."""
    sold: int = 0
    cost: int = 0
    """What selling gave up against mid, fees included."""
    residue: dict[str, str] = field(default_factory=dict)
    """Why a market could not be flattened, by ticker."""
    receipt: str = ""
    pressed: int = 1
    ended_ns: int | None = None

    @property
    def over(self) -> bool:
        return self.phase in OVER


class Flattener:
    """Runs at most one ladder at a time; ``ladder`` is the running or the last one."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        venue: VenueGateway,
        gateway: Gateway,
        clocks: Clocks,
        tasks: Tasks,
        market_of: Callable[[str], Market | None],
        countdown_s: float,
        on_change: Callable[[Ladder], None],
        reach: Reach,
    ) -> None:
        self._ledger = ledger
        self._venue = venue
        self._gateway = gateway
        self._clocks = clocks
        self._tasks = tasks
        self._market_of = market_of
        self._countdown_s = countdown_s
        self._on_change = on_change
        self._reach = reach
        self._skipped = asyncio.Event()
        self._aborted = False
        self.ladder: Ladder | None = None

    @property
    def running(self) -> bool:
        return self.ladder is not None and not self.ladder.over

    # --- the operator's side -------------------------------------------------------------------

    def start(self, by: str, *, now: bool) -> Ladder:
        """Cancel everything in this step and begin the ladder, or join the one that runs."""
        if self.ladder is not None and not self.ladder.over:
            self.ladder.pressed += 1
            if now:
                self.skip()
            self._on_change(self.ladder)
            return self.ladder
        began = self._clocks.mono_ns()
        live = tuple(self._ledger.live)
        self._gateway.cancel(live, "flatten")
        ladder = Ladder(
            started_ns=began,
            exits_at_ns=began + (0 if now else int(self._countdown_s * 1e9)),
            by=by,
            scope=_scope(len(live), len(self._ledger.held)),
            cancelling=live,
            left=self._held(),
        )
        self.ladder, self._aborted = ladder, False
        self._skipped.clear()
        if now:
            self._skipped.set()
        self._tasks.spawn("flatten", self._run(ladder))
        self._on_change(ladder)
        self._reach(Point.FLATTEN_BEGUN)
        return ladder

    def abort(self) -> bool:
        """Stop before the first exit; halted and cancelled all the same. False once exits have begun."""
        if self.ladder is None or self.ladder.phase not in (Phase.CANCELLING, Phase.COUNTDOWN):
            return False
        self._aborted = True
        self._skipped.set()
        self._end(self.ladder, Phase.ABORTED, "stopped by the operator: orders cancelled, positions kept")
        return True

    def skip(self) -> bool:
        """End the countdown now. False once exits have begun."""
        if self.ladder is None or self.ladder.phase not in (Phase.CANCELLING, Phase.COUNTDOWN):
            return False
        self.ladder.exits_at_ns = self._clocks.mono_ns()
        self._skipped.set()
        return True

    def cancels(self, ladder: Ladder) -> tuple[int, int, int]:
        """Orders of the ladder: sent a cancel, proved dead, unknown."""
        orders = [self._ledger.orders[c] for c in ladder.cancelling]
        dead = sum(not order.live for order in orders)
        unknown = sum(order.life.value == "UNKNOWN" for order in orders)
        return len(orders), dead, unknown

    # --- the ladder ----------------------------------------------------------------------------

    async def _run(self, ladder: Ladder) -> None:
        try:
            await self._climb_down(ladder)
        except Exception as fault:
            # The ladder is over for the operator, who may begin another; the fault goes on to the engine.
            self._end(
                ladder, Phase.UNFLATTENED, f"NOT FLAT: the ladder broke ({type(fault).__name__}: {fault})"
            )
            raise

    async def _climb_down(self, ladder: Ladder) -> None:
        await self._count_down(ladder)
        if self._aborted:
            return
        self._reach(Point.FLATTEN_COUNTED_DOWN)
        await self._confirm_cancels(ladder)
        self._reach(Point.FLATTEN_CONFIRMED)
        self._enter(ladder, Phase.EXITING)
        venue_net = await self._read_positions()
        self._reach(Point.FLATTEN_POSITIONS_READ)
        held = sorted(self._ledger.held, key=lambda ticker: -self._ledger.held[ticker].cost)
        await asyncio.gather(*(self._exit(ladder, ticker, venue_net) for ticker in held))
        self._enter(ladder, Phase.VERIFYING)
        self._reach(Point.FLATTEN_VERIFYING)
        await self._verify(ladder)
        self._reach(Point.FLATTEN_OVER)

    async def _count_down(self, ladder: Ladder) -> None:
        self._enter(ladder, Phase.COUNTDOWN)
        wait_s = (ladder.exits_at_ns - self._clocks.mono_ns()) / 1e9
        if wait_s > 0:
            try:
                async with asyncio.timeout(wait_s):
                    await self._skipped.wait()
            except TimeoutError:
                return

    async def _confirm_cancels(self, ladder: Ladder) -> None:
        """Selling beside a sell that may still fill could reverse the position: wait for proof."""
        left_s = CONFIRM_S - (self._clocks.mono_ns() - ladder.started_ns) / 1e9
        live = self._ledger.live
        await self._ledger.movement.until(
            lambda: not any(client in live for client in ladder.cancelling), max(0.0, left_s)
        )

    async def _read_positions(self) -> dict[str, int] | None:
        """The venue's own count; ``None`` when it could not be read, then ours alone counts."""
        for _ in range(READ_TRIES):
            reports = await self._venue.positions()
            if not isinstance(reports, Incomplete):
                return {report.ticker: int(report.net) for report in reports}
            await asyncio.sleep(SLICE_PAUSE_S)
        return None

    async def _exit(self, ladder: Ladder, ticker: str, venue_net: dict[str, int] | None) -> None:
        """Sell one market in slices until it is flat, its budget is used up, or it cannot be sold."""
        deadline_ns = self._clocks.mono_ns() + int(MARKET_BUDGET_S * 1e9)
        slices, empty, last = 0, 0, ""
        # Where the two counts disagree the first slice is bounded by the smaller one.
        at_venue = None if venue_net is None else await self._shown(ticker, venue_net.get(ticker, 0))
        while self._ledger.net(ticker) and slices < SLICES_MAX and self._clocks.mono_ns() < deadline_ns:
            sent = await self._send_slice(ticker, at_venue, empty, deadline_ns)
            if isinstance(sent, NoExit):
                if ladder.residue.get(ticker) != sent.reason:
                    ladder.residue[ticker] = sent.reason
                    self._on_change(ladder)
                if sent.final:
                    return
                await asyncio.sleep(SLICE_PAUSE_S)
                continue
            order, mid = sent
            slices, at_venue = slices + 1, None
            ladder.exits_sent += 1
            self._on_change(ladder)
            self._reach(Point.FLATTEN_EXIT_SENT)
            done = await self._end_of(order, deadline_ns)
            self._reach(Point.FLATTEN_EXIT_ENDED)
            if done.live:
                ladder.residue[ticker] = f"an exit is {done.life.value} without proof of its end"
                return
            empty = empty + 1 if done.filled == 0 else 0
            last = f", the last one {done.life.value}: {done.reason}" if done.reason else ""
            self._book(ladder, done, mid)
            if self._ledger.net(ticker):
                await asyncio.sleep(SLICE_PAUSE_S)
        if self._ledger.net(ticker):
            ladder.residue.setdefault(ticker, f"not sold in {slices} exits{last}")
        else:
            ladder.residue.pop(ticker, None)

    async def _end_of(self, order: Order, deadline_ns: int) -> Order:
        """As long as the market has time: a slice beside an unanswered one could open the other side."""
        client, live = order.intent.client_order_id, self._ledger.live
        wait_s = (deadline_ns - self._clocks.mono_ns()) / 1e9
        await self._ledger.movement.until(lambda: client not in live, max(0.0, wait_s))
        return self._ledger.orders[client]

    async def _shown(self, ticker: str, there: int) -> int:
        """The venue's count, read again while it lacks what we hold: its list lags behind new fills."""
        for _ in range(LAGGING_READS):
            net = self._ledger.net(ticker)
            if not net or there * net > 0:
                break
            await asyncio.sleep(VERIFY_PAUSE_S)
            reports = await self._venue.positions()
            if not isinstance(reports, Incomplete):
                there = sum(int(report.net) for report in reports if report.ticker == ticker)
        return there

    async def _send_slice(
        self, ticker: str, at_venue: int | None, empty: int, deadline_ns: int
    ) -> tuple[Order, Price | None] | NoExit:
        """One exit on its way with the mid at that moment, once nothing else there can fill."""
        wait_s = (deadline_ns - self._clocks.mono_ns()) / 1e9
        if not await self._ledger.movement.until(lambda: not self._ledger.live_in(ticker), wait_s):
            return NoExit("an order there is not proved dead", final=True)
        net, free = self._ledger.net(ticker), self._ledger.closable(ticker)
        if at_venue is not None:
            free = Quantity(min(free, abs(at_venue)) if at_venue * net > 0 else 0)
            if not free:
                return NoExit("the venue does not show this position", final=True)
        wanted = next_slice(self._market_of(ticker), self._venue.books.get(ticker), net, free, empty)
        if isinstance(wanted, NoExit):
            return wanted
        mid = self._mid(ticker)
        sent = self._gateway.send(Wish(wanted, flatten=True))
        return NoExit(sent.reason) if isinstance(sent, Denied) else (sent, mid)

    def _mid(self, ticker: str) -> Price | None:
        view = self._venue.books.get(ticker)
        if view is None or view.book.best_bid is None or view.book.best_ask is None:
            return None
        return Price((view.book.best_bid + view.book.best_ask) // 2)

    def _book(self, ladder: Ladder, done: Order, mid: Price | None) -> None:
        if done.filled:
            ladder.exits_filled += 1
        for fill in done.fills:
            ladder.sold += fill.quantity
            given_up = notional(Price((fill.price - mid) * fill.side.sign), fill.quantity) if mid else 0
            ladder.cost += given_up + fill.fee
        ladder.left = self._held()
        self._on_change(ladder)

    # --- proof ---------------------------------------------------------------------------------

    async def _verify(self, ladder: Ladder) -> None:
        """Two complete reads in a row, three seconds apart, without a position or a resting order of ours.

        The venue's lists lag: what they still hold and our own count does not is read again.
        """
        first, second = None, await self._read_residue()
        for _ in range(LAGGING_READS):
            await asyncio.sleep(VERIFY_PAUSE_S)
            first, second = second, await self._read_residue()
            lagging = (first or second) and not (self._ledger.held or self._ledger.live)
            if first is None or second is None or not lagging:
                break
        ladder.left = self._held()
        ladder.residue = self._residue(ladder, first, second)
        cancelled, dead, _ = self.cancels(ladder)
        summary = (
            f"{dead} of {cancelled} orders ended, {_count(ladder.sold)} contracts sold in "
            f"{ladder.exits_filled} exits, cost {money_text(Money(ladder.cost))} against mid"
        )
        if ladder.residue:
            named = "; ".join(f"{ticker}: {why}" for ticker, why in sorted(ladder.residue.items()))
            self._end(ladder, Phase.UNFLATTENED, f"NOT FLAT, {named}. {summary}")
        else:
            self._end(ladder, Phase.FLAT, f"FLAT, confirmed twice by the venue. {summary}")

    def _residue(
        self, ladder: Ladder, first: dict[str, str] | None, second: dict[str, str] | None
    ) -> dict[str, str]:
        """What is left by either reading, with the reason why it could not be sold."""
        if first is None or second is None:
            return {**ladder.residue, "venue": "could not be read completely"}
        left = {**first, **second}
        for ticker, position in self._ledger.held.items():
            left.setdefault(ticker, f"{_count(abs(position.net))} contracts held by our own count")
        return {t: ", ".join(filter(None, (what, ladder.residue.get(t)))) for t, what in left.items()}

    async def _read_residue(self) -> dict[str, str] | None:
        """What the venue still has of ours; ``None`` when it cannot be read completely."""
        for _ in range(READ_TRIES):
            positions = await self._venue.positions()
            resting = await self._venue.orders(status=ReportStatus.RESTING)
            if not isinstance(positions, Incomplete) and not isinstance(resting, Incomplete):
                left = {p.ticker: f"{_count(abs(p.net))} contracts held" for p in positions if p.net}
                for report in resting:
                    whose = "an order" if report.order_id in self._ledger.by_order_id else "a foreign order"
                    left[report.ticker] = f"{whose} still rests"
                for order in self._ledger.unknown():
                    left[order.intent.ticker] = "an order is UNKNOWN"
                return left
            await asyncio.sleep(SLICE_PAUSE_S)
        return None

    # --- common --------------------------------------------------------------------------------

    def _held(self) -> int:
        return sum(abs(position.net) for position in self._ledger.held.values())

    def _enter(self, ladder: Ladder, phase: Phase) -> None:
        ladder.phase = phase
        self._on_change(ladder)

    def _end(self, ladder: Ladder, phase: Phase, receipt: str) -> None:
        ladder.receipt = receipt
        ladder.ended_ns = self._clocks.mono_ns()
        self._enter(ladder, phase)


def _scope(orders: int, positions: int) -> str:
    """What a ladder is going to do, said before it has happened."""
    return f"cancels {orders} order{'s' * (orders != 1)}, sells {positions} position{'s' * (positions != 1)}"


def _count(quantity: int) -> str:
    return f"{quantity / 1_000_000:.2f}".rstrip("0").rstrip(".")
