"""Orders whose send was not answered: asked about until they are found or proved never to have arrived.

Absence is weak evidence. An order counts as never arrived only after several complete reads without
it, the last one begun long after the send and by the venue's own word as new as that, its own expiry
passed, and no fill or position that nobody explains. Until then it keeps its worst case. Waiting is
measured on the monotonic clock from the moment the order became UNKNOWN here, so that a clock that is
set, or a restart, shortens nothing.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

import msgspec

from core.domain.clock import Clocks
from core.domain.order import CANCELLING, Life, Order, Purpose
from core.execution.events import OrderNeverArrived
from core.execution.share import Share
from core.execution.tasks import Tasks
from core.venues.venue import Incomplete, PositionReport, VenueGateway

LOOKUPS_S = (0.3, 1.0, 2.0, 4.0, 8.0)
"""Pauses before the look-ups; the last one repeats."""
UNWANTED_S = 1.0
"""No longer pause than this while the order is to be gone: it is cancelled once it is found."""
TURN_S = 0.2
"""Every pause is at least so long for each order that is looked for: look-ups come before the account's own
reading, and many of them would leave it none of the venue's rate."""
READS_MIN = 3
HORIZON_NS = 60_000_000_000
"""Confirmations more than 40 s late are on record."""
EXPIRY_MARGIN_MS = 5_000
SKEW_MS = 10_000
"""Lists are read from this long before the send, for clocks that disagree."""
STUCK_AFTER_NS = 60_000_000_000
"""So long after the earliest moment of proof an operator has to look."""


class Search(msgspec.Struct):
    """What is known about one unanswered order."""

    since_ns: int
    """When it became UNKNOWN in this process."""
    provable_ns: int
    """Earliest begin of a read that can prove its absence."""
    next_check_ns: int
    reads: int = 0
    """Complete reads that did not hold it."""
    stuck: bool = False


class _Account(msgspec.Struct, frozen=True):
    """One reading of the account that proofs go by."""

    began_ns: int
    positions: tuple[PositionReport, ...]


class Unknowns:
    """One look-up task for each UNKNOWN order. ``searches`` is what the screen shows of them."""

    def __init__(
        self,
        *,
        share: Share,
        venue: VenueGateway,
        clocks: Clocks,
        tasks: Tasks,
        unwanted: Callable[[str], bool],
        on_stuck: Callable[[Order], None],
    ) -> None:
        """``unwanted``: whether the order of that client id is being cancelled."""
        self._share, self._ledger = share, share.ledger
        self._venue = venue
        self._clocks = clocks
        self._tasks = tasks
        self._unwanted = unwanted
        self._on_stuck = on_stuck
        self._reading = asyncio.Lock()
        self._account: _Account | None = None
        self.searches: dict[str, Search] = {}

    def watch(self, order: Order) -> None:
        """Start asking about an order that just became UNKNOWN, or came back so after a restart."""
        client = order.intent.client_order_id
        if client in self.searches:
            return
        now, ends = self._clocks.mono_ns(), order.dead_by_ms
        left_ms = max(0, ends + EXPIRY_MARGIN_MS - self._clocks.wall_ms()) if ends is not None else 0
        provable_ns = now + max(HORIZON_NS, left_ms * 1_000_000)
        self.searches[client] = Search(now, provable_ns, now)
        self._tasks.spawn(f"look up {client}", self._resolve(client))

    def tick(self) -> None:
        """Once a second: somebody has to look where no answer comes, also while a look-up still hangs."""
        now = self._clocks.mono_ns()
        for client, search in list(self.searches.items()):
            order = self._ledger.orders[client]
            late = now >= search.provable_ns + STUCK_AFTER_NS
            if late and not search.stuck and order.life is Life.UNKNOWN:
                search.stuck = True
                self._on_stuck(order)

    def against_writing_off(self, client: str) -> str:
        """Why not even a person may say that an order never arrived; empty when one may."""
        search, now = self.searches.get(client), self._clocks.mono_ns()
        if search is None:
            return "It is being looked up; try again in a moment."
        if now < search.provable_ns:
            wait_s = (search.provable_ns - now) // 1_000_000_000 + 1
            return f"It may still arrive or rest at the venue for {wait_s} s."
        if search.reads == 0:
            return "No complete list of the venue has been without it; what cannot be read is not absent."
        return ""

    async def _resolve(self, client: str) -> None:
        attempt = 0
        search = self.searches[client]
        try:
            while True:
                await self._pause(client, search, attempt)
                attempt += 1
                if self._ledger.orders[client].life is not Life.UNKNOWN:
                    return
                await self._look(client, search, self._clocks.mono_ns())
                if self._ledger.orders[client].life is not Life.UNKNOWN:
                    return
        finally:
            del self.searches[client]
            self._ledger.changed_orders.touch(client)

    async def _pause(self, client: str, search: Search, attempt: int) -> None:
        """Until the next look-up; sooner when the order is to be gone meanwhile."""
        began_ns = self._clocks.mono_ns()
        search.next_check_ns = began_ns + self._pause_ns(client, attempt)
        self._ledger.changed_orders.touch(client)
        left_ns = search.next_check_ns - began_ns
        while left_ns > 0:
            await asyncio.sleep(min(left_ns / 1e9, UNWANTED_S))
            left_ns = began_ns + self._pause_ns(client, attempt) - self._clocks.mono_ns()

    def _pause_ns(self, client: str, attempt: int) -> int:
        pause_s = LOOKUPS_S[min(attempt, len(LOOKUPS_S) - 1)]
        if self._unwanted(client):
            pause_s = min(pause_s, UNWANTED_S)
        return int(max(pause_s, TURN_S * len(self.searches)) * 1e9)

    async def _look(self, client: str, search: Search, began_ns: int) -> None:
        order = self._ledger.orders[client]
        sent_ms = _sent_ms(order)
        # Asked before the list: what is complete until then is so in everything read afterwards.
        late = search.reads + 1 >= READS_MIN and began_ns >= search.provable_ns
        proves = late and began_ns - await self._lag_ns() >= search.provable_ns
        listed = await self._venue.orders(ticker=order.intent.ticker, since_ms=sent_ms - SKEW_MS)
        if isinstance(listed, Incomplete):
            return
        mine = [report for report in listed if self._ledger.owner(report) == client]
        if not mine and order.sealed_id:
            found = await self._venue.order(order.sealed_id)
            if isinstance(found, Incomplete):
                return
            mine = [found] if found is not None else []
        for report in mine:
            self._share.offer_report(report, "look-up")
        if mine:
            return
        search.reads += 1
        if not proves:
            return
        if not await self._unexplained(order) and self._ledger.orders[client].life is Life.UNKNOWN:
            waited_s = (self._clocks.mono_ns() - search.since_ns) // 1_000_000_000
            self._ledger.apply(client, OrderNeverArrived(search.reads, waited_s))

    async def _lag_ns(self) -> float:
        """How far the venue's lists lag behind now, without end where that cannot be read."""
        began_ms = self._clocks.wall_ms()
        as_of_ms = await self._venue.lists_as_of_ms()
        if isinstance(as_of_ms, Incomplete):
            return math.inf
        return 0 if as_of_ms is None else max(0, began_ms - as_of_ms) * 1_000_000

    async def _unexplained(self, order: Order) -> bool:
        """Whether a fill or position could still be this order's, or could not be read."""
        ticker, asked_ns = order.intent.ticker, self._clocks.mono_ns()
        async with self._reading:
            # Orders that are to be proved at the same time share the reading that began after all had asked.
            if self._account is None or self._account.began_ns < asked_ns:
                self._account = await self._read_account()
            account = self._account
        if account is None:
            return True
        if any(parked.fill.ticker == ticker for parked in self._ledger.parked.values()):
            return True
        at_venue = sum(p.net for p in account.positions if p.ticker == ticker)
        return ticker not in self._ledger.settled and at_venue != self._ledger.net(ticker)

    async def _read_account(self) -> _Account | None:
        """Fills since the first of the searched orders left, and positions; ``None`` if not readable."""
        began_ns = self._clocks.mono_ns()
        searched = [self._ledger.orders[client] for client in self.searches]
        since_ms = min(_sent_ms(order) for order in searched) - SKEW_MS
        fills = await self._venue.fills(since_ms=since_ms)
        if isinstance(fills, Incomplete):
            return None
        for fill in fills:
            self._ledger.offer_fill(fill, "", "look-up", self._clocks.mono_ns())
        positions = await self._venue.positions()
        return None if isinstance(positions, Incomplete) else _Account(began_ns, positions)


def _sent_ms(order: Order) -> int:
    return order.sent_ms or order.intent.created_ms


def bound(order: Order) -> str:
    """The worst an UNKNOWN order could still do, for its row on screen."""
    intent = order.intent
    verb = "buy" if intent.purpose is Purpose.OPEN else "sell"
    outcome = intent.outcome.value.upper()
    gone = ", cancelled once found" if order.command in CANCELLING else ""
    left, cents = f"{order.leaves / 1_000_000:.2f}", f"{intent.outcome_price / 100:g}"
    return f"could {verb} {left.removesuffix('.00')} {outcome} @ {cents}c{gone}"
