"""The only place an order leaves from, and the place that keeps cancelling until it is proved.

``send`` is one synchronous step: gate, reservation, intent, row to the journal's writer. The wire
call runs in a task of the gateway's own, after the row is durable, and asks everything again in the
step before the first byte. Nothing is ever sent twice; an unanswered send becomes UNKNOWN. Cancels
wait for nothing, least of all for the journal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from core.domain.clock import Clocks
from core.domain.faults import fault_words
from core.domain.order import OURS, Command, Life, Order, OrderIntent, Purpose, TimeInForce
from core.domain.units import Money, Quantity
from core.execution.events import (
    CancelAnswered,
    CancelSent,
    OrderAnswered,
    OrderHandedOver,
    OrderIntended,
    ReductionAnswered,
    ReductionSent,
    RenewalAnswered,
    RenewalSent,
)
from core.execution.groups import Groups
from core.execution.invariants import purpose_refusal
from core.execution.points import Point, Reach
from core.execution.share import Share
from core.execution.tasks import Tasks
from core.risk.exposure import reservation
from core.strategy.proposal import Candidate
from core.venues.venue import (
    Cancelled,
    CancelUnresolved,
    Incomplete,
    NeverSent,
    NotReduced,
    NotRenewed,
    NotThere,
    OrderReport,
    PlaceOutcome,
    Reduced,
    ReduceOutcome,
    Rejected,
    Renewed,
    RenewOutcome,
    Sealed,
    Unresolved,
    VenueGateway,
)

CANCEL_REPEAT_S = (0.25, 0.5, 1.0)
"""Pauses between attempts; the last one repeats while the order may live."""

RECORD_S = 1.2
"""An exit of a flatten waits no longer for its row; within ``QUEUED_MAX_NS``."""

QUEUED_MAX_NS = 2_000_000_000
"""What could not leave within this time of its gate is dropped: stale intent is worse than none."""


class Rng(Protocol):
    """The part of ``random.Random`` that makes client order ids."""

    def getrandbits(self, k: int, /) -> int: ...


class Wish(msgspec.Struct, frozen=True):
    """An order somebody decided on."""

    candidate: Candidate
    proposal_id: str = ""
    fingerprint: str = ""
    valid_until_ms: int | None = None
    """Real wall time after which the decision no longer holds, even on its way to the wire."""
    automatic: bool = False
    """Released by the engine without a person's word."""
    flatten: bool = False
    """An exit of the running flatten: leaves although the desk is halted."""


class Denied(msgspec.Struct, frozen=True):
    """Nothing was sent; ``reason`` is a sentence."""

    reason: str
    gate: str = ""
    """Codes of the checks that denied it and every value they rest on, as JSON text; empty where
    something before the gate refused."""


Gate = Callable[[Wish, str], Denied | str]
"""Every check for a wish now, leaving out the order of that client id.

A denial, or the verdict's line for the journal.
"""

Unfit = Callable[[Order], str]
"""Why this engine must not keep an order alive now; empty when it may."""

Durable = Callable[[int], "asyncio.Future[bool]"]
"""Resolves once the row is on disk; false when the journal, or its spill log, failed."""


class Gateway:
    """Sends and cancels. ``halted`` is the one flag the send path looks at last."""

    def __init__(
        self,
        *,
        share: Share,
        venue: VenueGateway,
        clocks: Clocks,
        rng: Rng,
        run: str,
        durable: Durable,
        spilled: Durable,
        gate: Gate,
        groups: Groups,
        tasks: Tasks,
        reach: Reach,
    ) -> None:
        self._share, self._ledger = share, share.ledger
        self._venue = venue
        self._clocks = clocks
        self._rng = rng
        self._run = run
        self._durable = durable
        self._spilled = spilled
        self._gate = gate
        self._groups = groups
        self._tasks = tasks
        self._reach = reach
        self._unwanted: dict[str, int] = {}
        """Orders to be gone, by client id, with the number of the cancel task that looks after them."""
        self._cancels = 0
        self._asked: set[str] = set()
        """Venue ids the venue is being asked about after a cancel that did not find them."""
        self._strangers: set[str] = set()
        """Venue ids of orders without a live one here that are being cancelled."""
        self.halted = False
        self.closed = False
        """The engine ends: nothing leaves any more, not even an exit. What could not be proved before the
        end would rest there with nobody to look after it."""

    # --- sending -------------------------------------------------------------------------------

    def send(self, wish: Wish) -> Order | Denied:
        """Gate, reserve, build and hand over in one step. The order's end is read from the ledger."""
        verdict = self._refused(wish, "")
        if isinstance(verdict, Denied):
            return verdict
        intent = self._intent(wish)
        sealed = self._venue.seal(intent)
        if isinstance(sealed, Rejected):
            return Denied(f"the order cannot be built: {sealed.text or sealed.code}")
        row = self._ledger.intend(OrderIntended(intent, verdict, sealed))
        self._reach(Point.SEND_BEFORE_COMMIT)
        deadline_ns = self._clocks.mono_ns() + QUEUED_MAX_NS
        self._tasks.spawn(
            f"send {intent.client_order_id}", self._deliver(wish, intent, sealed, row, deadline_ns)
        )
        return self._ledger.orders[intent.client_order_id]

    def _refused(self, wish: Wish, without: str) -> Denied | str:
        if self.closed:
            return Denied("the engine stops")
        if self.halted and not wish.flatten:
            return Denied("the desk is halted")
        wanted = wish.candidate
        refusal = purpose_refusal(
            self._ledger, wanted.ticker, wanted.side, wanted.purpose, wanted.quantity, without
        ) or self._groups.refusal(wanted.ticker, wanted.purpose)
        judged = Denied(refusal) if refusal else self._gate(wish, without)
        over = wish.valid_until_ms is not None and self._clocks.wall_ms() >= wish.valid_until_ms
        # Decisions end with the data under them: the gate says which of it, so it is heard first.
        return Denied("the decision has expired") if over and not isinstance(judged, Denied) else judged

    def _intent(self, wish: Wish) -> OrderIntent:
        wanted, now = wish.candidate, self._clocks.wall_ms()
        number = len(self._ledger.orders) + 1
        resting = wanted.tif is TimeInForce.GTC
        lifetime_ms = max(wanted.lifetime_s, self._venue.traits.lifetime_min_s) * 1000
        return OrderIntent(
            client_order_id=f"{OURS}{self._run}-{number:04d}-{self._rng.getrandbits(48):012x}",
            venue=self._share.venue,
            ticker=wanted.ticker,
            side=wanted.side,
            purpose=wanted.purpose,
            price=wanted.price,
            quantity=wanted.quantity,
            tif=wanted.tif,
            post_only=wanted.post_only,
            reduce_only=wanted.reduce_only,
            # The wire carries whole seconds: rounding up here keeps what the venue enforces in our row.
            expires_ms=-(-(now + lifetime_ms) // 1000) * 1000 if resting else None,
            created_ms=now,
            reserved=reservation(
                wanted.side, wanted.purpose, wanted.price, wanted.quantity, Money(max(0, wanted.fee))
            ),
            strategy=wanted.strategy,
            proposal_id=wish.proposal_id,
            fingerprint=wish.fingerprint,
            group_id=self._groups.of(wanted.ticker, wanted.purpose),
            automatic=wish.automatic,
            said=wanted.said,
        )

    async def _deliver(
        self, wish: Wish, intent: OrderIntent, sealed: Sealed, row: int, deadline_ns: int
    ) -> None:
        client = intent.client_order_id
        recorded = await self._recorded(wish, intent, row)
        self._reach(Point.SEND_AFTER_COMMIT)

        def last_check() -> str | None:
            if client in self._unwanted:
                return "cancelled before it was sent"
            if self._clocks.mono_ns() > deadline_ns:
                return "could not be sent in time"
            verdict = self._refused(wish, client)
            return verdict.reason if isinstance(verdict, Denied) else None

        try:
            stopped = last_check() if recorded else "the journal did not confirm the intent"
        except Exception as fault:
            # No byte has left: without this answer the order would stand as one that may still fill.
            self._answer(client, NeverSent(f"the last check broke: {fault_words(fault)}"))
            raise
        if stopped is not None:
            self._answer(client, NeverSent(stopped))
            return
        self._ledger.apply(client, OrderHandedOver(self._clocks.wall_ms()))
        self._reach(Point.SEND_HANDED_OVER)

        def before_bytes() -> str | None:
            refused = last_check()
            if refused is None:
                self._reach(Point.SEND_BEFORE_BYTES)
            return refused

        try:
            outcome = await self._venue.place(intent, sealed, before_bytes)
        except Exception as fault:
            # A fault of the venue's client proves nothing about the order.
            self._answer(client, Unresolved(f"the venue client broke: {fault_words(fault)}"))
            raise
        self._reach(Point.SEND_AFTER_ANSWER)
        self._answer(client, outcome)
        self._reach(Point.SEND_BOOKED)
        if client in self._unwanted:
            self.cancel((client,), "wanted gone while it was sent")

    async def _recorded(self, wish: Wish, intent: OrderIntent, row: int) -> bool:
        """Whether the order may leave: its row is on disk.

        An exit of a flatten may also leave with its row in the spill log, and one that the venue itself
        keeps from selling more than is held leaves even without: a dead or hanging journal must not keep
        the desk in its positions.
        """
        if not wish.flatten:
            return await self._durable(row)
        bounded = intent.reduce_only and intent.tif is TimeInForce.IOC and self._venue.traits.reduce_only
        try:
            async with asyncio.timeout(RECORD_S):
                return await self._durable(row) or await self._spilled(row) or bounded
        except TimeoutError:
            return bounded

    def _answer(self, client: str, outcome: PlaceOutcome) -> None:
        self._ledger.apply(client, OrderAnswered(outcome, self._clocks.wall_ms()))

    # --- renewing ------------------------------------------------------------------------------

    def renew(self, client: str, expires_ms: int, unfit: Unfit) -> None:
        """Ask the venue once to let a resting order live until then. Whatever is not a clear yes lets it
        die at one of its two ends, and it is looked up which."""
        order = self._ledger.apply(client, RenewalSent(expires_ms))
        deadline_ns = self._clocks.mono_ns() + QUEUED_MAX_NS
        row = self._ledger.last_row
        self._tasks.spawn(f"renew {client}", self._renew(order, expires_ms, row, unfit, deadline_ns))

    async def _renew(self, order: Order, expires_ms: int, row: int, unfit: Unfit, deadline_ns: int) -> None:
        client, order_id, size = order.intent.client_order_id, order.order_id, order.quantity

        def last_check() -> str | None:
            if client in self._unwanted:
                return "it is being cancelled"
            if self.halted and order.intent.purpose is Purpose.OPEN:
                return "the desk is halted"
            if self._clocks.mono_ns() > deadline_ns:
                return "could not be sent in time"
            known = self._ledger.orders[client]
            if known.quantity != size:
                return "its size was changed meanwhile"
            return unfit(known) or None

        if not await self._durable(row):
            outcome: RenewOutcome = NotRenewed(order_id, "the journal did not confirm it")
        else:
            self._reach(Point.RENEW_BEFORE_BYTES)
            outcome = await self._venue.renew(order_id, order.intent, size, expires_ms, last_check)
            self._reach(Point.RENEW_AFTER_ANSWER)
        self._ledger.apply(client, RenewalAnswered(outcome))
        if not isinstance(outcome, Renewed):
            await self._look_up(order_id)

    # --- reducing ------------------------------------------------------------------------------

    def reduce(self, client: str, left: Quantity, by: str) -> None:
        """Ask the venue once to leave so many contracts of a resting order open, less what fills on the way.

        It can only take risk away, so no halt stops it; whatever is not a clear yes is looked up.
        """
        order = self._ledger.orders[client]
        off = Quantity(order.leaves - left)
        order = self._ledger.apply(client, ReductionSent(Quantity(order.quantity - off), by))
        deadline_ns = self._clocks.mono_ns() + QUEUED_MAX_NS
        row = self._ledger.last_row
        self._tasks.spawn(f"reduce {client}", self._reduce(order, off, row, deadline_ns))

    async def _reduce(self, order: Order, off: Quantity, row: int, deadline_ns: int) -> None:
        client, order_id = order.intent.client_order_id, order.order_id

        def last_check() -> str | None:
            known = self._ledger.orders[client]
            if client in self._unwanted or self.closed:
                return "it is being cancelled"
            if self._clocks.mono_ns() > deadline_ns:
                return "could not be sent in time"
            if known.quantity != order.quantity:
                return "its size was changed meanwhile"
            return "too much of it has filled meanwhile" if known.leaves <= off else None

        if not await self._durable(row):
            outcome: ReduceOutcome = NotReduced(order_id, "the journal did not confirm it")
        else:
            outcome = await self._venue.reduce(order_id, order.intent.ticker, off, last_check)
        self._ledger.apply(client, ReductionAnswered(outcome))
        if not isinstance(outcome, Reduced) or not outcome.remaining:
            await self._look_up(order_id)

    # --- cancelling ----------------------------------------------------------------------------

    def cancel(self, clients: Iterable[str], reason: str) -> int:
        """Cancel those of these orders that rest here until each is proved dead; how many may still live.

        Orders that have no venue id yet are stopped before they are sent or cancelled once found.
        """
        live = self._share.live
        wanted = [c for c in clients if c in live]
        if not wanted:
            return 0
        self._cancels += 1
        for client in wanted:
            self._unwanted[client] = self._cancels
        self._mark((order for c in wanted if (order := self._ledger.live[c]).ending is None), reason)
        self._tasks.spawn(f"cancel {self._cancels}", self._cancel_until_dead(wanted, self._cancels, reason))
        return len(wanted)

    def cancelling(self, client: str) -> bool:
        """Whether an order is being cancelled already."""
        return client in self._unwanted

    def cancel_stranger(self, report: OrderReport, tell: Callable[[str], None]) -> None:
        """Cancel a resting order that is not in the ledger as live, until the venue has answered.

        ``tell`` hears of the cancel and of its outcome: no row of an order's own can hold them.
        """
        if report.order_id not in self._strangers:
            self._strangers.add(report.order_id)
            tell("cancel sent")
            self._tasks.spawn(f"cancel stranger {report.order_id}", self._cancel_stranger(report, tell))

    async def _cancel_stranger(self, report: OrderReport, tell: Callable[[str], None]) -> None:
        attempt = 0
        try:
            while True:
                (outcome,) = await self._venue.cancel(((report.order_id, report.ticker),))
                if not isinstance(outcome, CancelUnresolved):
                    break
                await asyncio.sleep(CANCEL_REPEAT_S[min(attempt, len(CANCEL_REPEAT_S) - 1)])
                attempt += 1
        finally:
            self._strangers.discard(report.order_id)
        # "Not there" proves nothing: the next reading that still finds it cancels it again.
        tell("cancelled" if isinstance(outcome, Cancelled) else f"not there to be cancelled: {outcome.code}")

    def _cancellable(self, clients: Iterable[str], mine: int) -> list[Order]:
        live = self._ledger.live
        return [
            order
            for client in clients
            if self._unwanted.get(client) == mine
            and (order := live.get(client)) is not None
            and order.life is not Life.INTENT
            and order.known_id
            and order.ending is None
        ]

    def _mark(self, orders: Iterable[Order], reason: str) -> None:
        for order in orders:
            if order.command is not Command.CANCEL_SENDING:
                # Also without an id: that it is to be gone must outlive this run.
                sent = CancelSent(reason if order.known_id else f"{reason}, as soon as it is found")
                self._ledger.apply(order.intent.client_order_id, sent)

    async def _cancel_until_dead(self, clients: list[str], mine: int, reason: str) -> None:
        attempt = 0
        while any(c in self._ledger.live and self._unwanted.get(c) == mine for c in clients):
            batch = self._cancellable(clients, mine)
            self._mark(batch, reason)
            if batch:
                self._reach(Point.CANCEL_BEFORE_BYTES)
                outcomes = await self._venue.cancel([(o.known_id, o.intent.ticker) for o in batch])
                self._reach(Point.CANCEL_AFTER_ANSWER)
                for order, outcome in zip(batch, outcomes, strict=True):
                    self._ledger.apply(order.intent.client_order_id, CancelAnswered(outcome))
                self._reach(Point.CANCEL_BOOKED)
                for order, outcome in zip(batch, outcomes, strict=True):
                    # An unanswered order is being looked for already, at a pace that leaves others room.
                    searched = self._ledger.orders[order.intent.client_order_id].life is Life.UNKNOWN
                    if isinstance(outcome, NotThere) and not searched and outcome.order_id not in self._asked:
                        self._asked.add(outcome.order_id)
                        self._tasks.spawn(f"ask for {outcome.order_id}", self._ask(outcome.order_id))
            await asyncio.sleep(CANCEL_REPEAT_S[min(attempt, len(CANCEL_REPEAT_S) - 1)])
            attempt += 1
        for client in clients:
            if self._unwanted.get(client) == mine:
                del self._unwanted[client]

    async def _ask(self, order_id: str) -> None:
        """Beside the cancels: an answer that is long in coming must not hold up their repetition."""
        try:
            await self._look_up(order_id)
        finally:
            self._asked.discard(order_id)

    async def _look_up(self, order_id: str) -> None:
        """ "Not there" is no proof of anything: the venue is asked what became of the order."""
        report = await self._venue.order(order_id)
        self._reach(Point.CANCEL_LOOKED_UP)
        if report is not None and not isinstance(report, Incomplete):
            self._share.offer_report(report, "look-up")
