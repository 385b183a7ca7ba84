"""The stop ladder: cancel everything, count down, sell what is held in slices, prove it is gone.

The caller has set the halt before this begins. Cancels go out in the same loop step; the countdown
is the operator's way out; an exit is a reduce-only, immediate limit order a bounded distance
under the bid, one at a time in a market, and an exit without an answer stops its market until the
answer is found. Nothing is sold that is not held by our own count and the venue's. Flat is said only
after two complete reads of the venue. A ladder that cannot say so ends UNFLATTENED and goes on looking:
what fills late, opens again or finds a bidder is sold, until it is flat, resumed or stopped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from core.domain.clock import Clocks
from core.domain.faults import fault_words
from core.domain.market import Market
from core.domain.order import Life
from core.execution.gateway import Gateway
from core.execution.ladder import Ladder, Pause, Phase
from core.execution.leaving import LAGGING_READS, VERIFY_PAUSE_S, Adopt, Leaving, OnDenied, held, worth
from core.execution.points import Point, Reach
from core.execution.proof import read_positions, read_residue, residue
from core.execution.share import Share
from core.execution.tasks import Tasks
from core.venues.venue import Rejected, Unresolved, VenueGateway

CONFIRM_S = 5.0
"""How long exits wait for cancels to be confirmed elsewhere before they begin without them."""
SWEEP_REPEAT_S = 1.0
SETTLE_S = 60.0
"""Trades get so long to settle, where they may still fail, before a stop says that it is not flat."""
WATCH_S = 10.0
"""How often a ladder that did not end flat looks again. What fills is seen at once."""


class Flattener:
    """Runs at most one ladder at a time; ``ladder`` is the running or the last one."""

    def __init__(
        self,
        *,
        share: Share,
        venue: VenueGateway,
        gateway: Gateway,
        clocks: Clocks,
        tasks: Tasks,
        market_of: Callable[[str], Market | None],
        adopt: Adopt,
        pause_of: Callable[[str], Pause | None],
        countdown_s: float,
        on_change: Callable[[Ladder], None],
        on_denied: OnDenied,
        reach: Reach,
    ) -> None:
        self._share, self._ledger = share, share.ledger
        self._venue = venue
        self._gateway = gateway
        self._clocks = clocks
        self._tasks = tasks
        self._leaving = Leaving(
            share=share,
            venue=venue,
            gateway=gateway,
            clocks=clocks,
            market_of=market_of,
            adopt=adopt,
            pause_of=pause_of,
            on_change=on_change,
            on_denied=on_denied,
            reach=reach,
        )
        self._countdown_s = countdown_s
        self._on_change = on_change
        self._reach = reach
        self._skipped = asyncio.Event()
        self.ladder: Ladder | None = None

    @property
    def running(self) -> bool:
        return self.ladder is not None and not self.ladder.over

    def something_left(self, *, sweep: bool) -> bool:
        """Whether a ladder would find anything to do; ``sweep``: also of what was placed elsewhere."""
        unswept = sweep and (self.ladder is None or self.ladder.swept_ns is None)
        return unswept or bool(self._share.live or self._share.held)

    # --- the operator's side -------------------------------------------------------------------

    def start(self, by: str, began_ns: int, *, now: bool, sweep: bool = False) -> None:
        """Cancel everything of ours in this step and begin the ladder, or join the one that runs.

        One that only looks at what it could not sell is over: the press begins anew, with every budget.
        ``sweep``: also cancel what was placed by hand or by another program on this account.
        """
        if self.ladder is not None and not self.ladder.over:
            self.ladder.pressed += 1
            if now:
                self.skip()
            self._sweep(self.ladder, wanted=sweep)
            self._on_change(self.ladder)
            return
        self.let_go()
        live = tuple(self._share.live)
        self._gateway.cancel(live, "flatten")
        ladder = Ladder(
            started_ns=began_ns,
            exits_at_ns=began_ns + (0 if now else int(self._countdown_s * 1e9)),
            by=by,
            cancelling=live,
            selling=len(self._share.held),
            worth=worth(self._share, self._venue),
            left=held(self._share),
        )
        self.ladder = ladder
        self._skipped.clear()
        if now:
            self._skipped.set()
        self._sweep(ladder, wanted=sweep)
        self._tasks.spawn(f"flatten {self._share.venue.short}", self._run(ladder))
        self._on_change(ladder)

    def abort(self) -> bool:
        """Keep what has not been sold; halted and cancelled all the same. False once something was sold."""
        if self.ladder is None or not self.ladder.can_be_stopped:
            return False
        self._skipped.set()
        self._end(self.ladder, Phase.ABORTED, "stopped by the operator: orders cancelled, positions kept")
        return True

    def let_go(self) -> None:
        """Look no more at what an ended ladder left: an operator has resumed, or pressed anew."""
        if self.ladder is not None and self.ladder.watches:
            self.ladder.watches = False
            self._on_change(self.ladder)

    def skip(self) -> bool:
        """End the countdown now. False once exits have begun."""
        if self.ladder is None or self.ladder.phase not in (Phase.CANCELLING, Phase.COUNTDOWN):
            return False
        self.ladder.exits_at_ns = self._clocks.mono_ns()
        self._skipped.set()
        return True

    def hurry(self) -> bool:
        """Sell down to the widest protection from the next slice on. False unless exits are under way."""
        if self.ladder is None or self.ladder.phase is not Phase.EXITING:
            return False
        self.ladder.urgent = True
        self._on_change(self.ladder)
        return True

    def _sweep(self, ladder: Ladder, *, wanted: bool) -> None:
        if wanted and not ladder.sweeps:
            ladder.sweeps = True
            self._tasks.spawn("cancel everything", self._cancel_everything(ladder))

    async def _cancel_everything(self, ladder: Ladder) -> None:
        """The venue may also cancel what is placed within the next minute: exits are immediate and never
        rest, so it finds none of them."""
        while not ladder.over:
            outcome = await self._venue.cancel_everything()
            if not isinstance(outcome, Rejected | Unresolved):
                ladder.swept_ns = self._clocks.mono_ns()
                self._on_change(ladder)
                return
            await asyncio.sleep(SWEEP_REPEAT_S)

    def swept_s_ago(self) -> float | None:
        """How long ago the venue cancelled every order of the account; ``None`` if it did not."""
        if self.ladder is None or self.ladder.swept_ns is None:
            return None
        return (self._clocks.mono_ns() - self.ladder.swept_ns) / 1e9

    def cancels(self, ladder: Ladder) -> tuple[int, int, int]:
        """Orders of the ladder: sent a cancel, proved dead, unknown."""
        orders = [self._ledger.orders[c] for c in ladder.cancelling]
        dead = sum(not order.live for order in orders)
        unknown = sum(order.life is Life.UNKNOWN for order in orders)
        return len(orders), dead, unknown

    # --- the ladder ----------------------------------------------------------------------------

    async def _run(self, ladder: Ladder) -> None:
        try:
            await self._climb_down(ladder)
        except Exception as fault:
            # The ladder is over for the operator, who may begin another; the fault goes on to the engine.
            self._end(ladder, Phase.UNFLATTENED, f"NOT FLAT: the ladder broke: {fault_words(fault)}")
            raise

    async def _climb_down(self, ladder: Ladder) -> None:
        await self._count_down(ladder)
        if _is_over(ladder):
            return
        self._reach(Point.FLATTEN_COUNTED_DOWN)
        await self._confirm_cancels(ladder)
        self._reach(Point.FLATTEN_CONFIRMED)
        await self._exit(ladder, list(self._share.held))
        while not _is_over(ladder):
            self._enter(ladder, Phase.VERIFYING)
            self._reach(Point.FLATTEN_VERIFYING)
            await self._settle(ladder)
            await self._verify(ladder)
            self._reach(Point.FLATTEN_OVER)
            due = await self._watch(ladder)
            if due:
                await self._exit(ladder, due)

    async def _exit(self, ladder: Ladder, due: list[str]) -> None:
        """Sell these markets side by side, the dearest first."""
        ladder.watches, ladder.receipt, ladder.ended_ns = False, "", None
        self._enter(ladder, Phase.EXITING)
        venue_net = await read_positions(self._venue)
        self._reach(Point.FLATTEN_POSITIONS_READ)
        held = self._share.held
        tickers = sorted((t for t in due if t in held), key=lambda ticker: -held[ticker].cost)
        await asyncio.gather(*(self._leaving.market(ladder, ticker, venue_net) for ticker in tickers))

    async def _count_down(self, ladder: Ladder) -> None:
        if ladder.over:  # stopped in the very step it began in
            return
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

    # --- proof ---------------------------------------------------------------------------------

    async def _settle(self, ladder: Ladder) -> None:
        """Until no trade can fail any more, or something can be sold at once."""
        await self._ledger.movement.until(
            lambda: not self._share.unsettled_markets() or bool(self._fresh(ladder)), SETTLE_S
        )

    async def _verify(self, ladder: Ladder) -> None:
        """Two complete reads in a row, three seconds apart, without a position or a resting order of ours.

        The venue's lists lag: what they still hold and our own count does not is read again.
        """
        first, second = None, await read_residue(self._venue, self._share)
        for _ in range(LAGGING_READS):
            await asyncio.sleep(VERIFY_PAUSE_S)
            first, second = second, await read_residue(self._venue, self._share)
            lagging = (first or second) and not (self._share.held or self._share.live)
            if first is None or second is None or not lagging:
                break
        if ladder.over and not ladder.watches:
            return
        ladder.left = held(self._share)
        ladder.residue = residue(self._share, ladder.tried, first, second)
        cancelled, dead, _ = self.cancels(ladder)
        ended = f"{dead} of {cancelled} orders ended"
        if ladder.residue:
            named = "; ".join(f"{ticker}: {why}" for ticker, why in sorted(ladder.residue.items()))
            goes_on = f"It is looked at again every {WATCH_S:.0f} s, and sold when it can be"
            said = f"{ladder.summed(Phase.UNFLATTENED)}. {named}. {ended}. {goes_on}"
            self._end(ladder, Phase.UNFLATTENED, said, watches=True)
        else:
            self._end(ladder, Phase.FLAT, f"{ladder.summed(Phase.FLAT)}. {ended}")

    # --- what is left --------------------------------------------------------------------------

    async def _watch(self, ladder: Ladder) -> list[str]:
        """The markets that can be sold after all, as soon as there are any; none when it is over."""
        while ladder.watches:
            due = self._fresh(ladder)
            if due:
                return due
            await self._ledger.movement.until(lambda: bool(self._fresh(ladder)), WATCH_S)
            if ladder.watches and not self._fresh(ladder):
                await self._verify(ladder)
                due = await self._saleable(ladder) if _watches(ladder) else []
                if due and _watches(ladder):
                    return due
        return []

    def _fresh(self, ladder: Ladder) -> list[str]:
        return [ticker for ticker in self._share.held if self._leaving.fresh(ladder, ticker)]

    async def _saleable(self, ladder: Ladder) -> list[str]:
        """Markets given up before in which an exit could leave now."""
        if not self._share.held:
            return []
        venue_net = await read_positions(self._venue)
        return [t for t in tuple(self._share.held) if await self._leaving.again(ladder, t, venue_net)]

    # --- common --------------------------------------------------------------------------------

    def _enter(self, ladder: Ladder, phase: Phase) -> None:
        ladder.phase = phase
        self._on_change(ladder)

    def _end(self, ladder: Ladder, phase: Phase, receipt: str, *, watches: bool = False) -> None:
        ladder.receipt = receipt
        ladder.watches = watches
        ladder.ended_ns = self._clocks.mono_ns()
        self._enter(ladder, phase)


def _is_over(ladder: Ladder) -> bool:
    """Asked anew after each wait: an abort may have come meanwhile."""
    return ladder.over


def _watches(ladder: Ladder) -> bool:
    """Asked anew after each wait: a resume, an abort or a new press may have come meanwhile."""
    return ladder.watches
