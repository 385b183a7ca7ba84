"""Putting orders on Polymarket: the only module that can. Each is sent once, and never repeated.

What is sent are the bytes that were sealed and written down beforehand.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Final

import httpx

from core.domain.order import OrderIntent, TimeInForce
from core.venues.checked import send_checked
from core.venues.endpoint import Endpoint
from core.venues.http import Answer, Call
from core.venues.limiter import Kind, Priority
from core.venues.polymarket.answers import Expected, Read, expected, placed, placed_batch
from core.venues.polymarket.cancels import ACKNOWLEDGED, Cancels
from core.venues.polymarket.errors import Refusal
from core.venues.polymarket.http import ClobHttp
from core.venues.polymarket.traits import LIFETIME_MIN_S
from core.venues.retry import SECOND_NS, CallClass
from core.venues.venue import (
    Accepted,
    LastCheck,
    NeverSent,
    NotThere,
    PlaceOutcome,
    Sealed,
    Unresolved,
)

CREATE: Final = Endpoint("POST", "/order", Kind.WRITE, 1.0, CallClass.PLACE, ours=True)
CREATE_MANY: Final = Endpoint("POST", "/orders", Kind.WRITE, 1.0, CallClass.PLACE, ours=True)
"""The cost is for each order; all of them or none are counted."""

BATCH_MAX: Final = 15
TIMEOUT: Final = httpx.Timeout(connect=2.0, write=2.0, read=15.0, pool=2.0)
"""The venue holds takers in some markets inside the request, and slow acceptances are real."""
TOTAL_S: Final = 18.0
SWEEP_AGAIN_S: Final = (0.25, 0.5, 1.0, 2.0, 5.0)
"""Pauses between cancels of what is to be gone at once."""


class Orders:
    """The calls that can add to what is open.

    ``on_refusal`` hears the ticker and the meaning of every refusal: the venue may have changed its mode,
    a market its tick, the account its standing.
    """

    def __init__(self, http: ClobHttp, cancels: Cancels, on_refusal: Callable[[str, Refusal], None]) -> None:
        self._http, self._cancels, self._on_refusal = http, cancels, on_refusal
        self._unwanted = asyncio.Event()
        self.leftovers: dict[str, int] = {}
        """Immediate orders whose rest ``run`` is to cancel, and until when (monotonic ns) an answer that they
        are not there is not believed: what the venue delays, and what was not answered, may rest later. Each
        ends by itself when its short life is over."""

    async def place(
        self, intent: OrderIntent, sealed: Sealed, last_check: LastCheck, priority: Priority
    ) -> PlaceOutcome:
        """Send one order. ``NeverSent`` only with proof that no byte left, ``Unresolved`` on any doubt."""
        asked = expected(intent, sealed)
        answer = await self._once(Call(CREATE, body=sealed.body), CREATE.cost, last_check, priority)
        if not isinstance(answer, Answer):
            return self._settled(intent, asked, Read(answer))
        return self._settled(intent, asked, placed(asked, answer, self._http.venue_ms()))

    async def place_batch(
        self, orders: Sequence[tuple[OrderIntent, Sealed]], last_check: LastCheck, priority: Priority
    ) -> tuple[PlaceOutcome, ...]:
        """Send up to fifteen orders in one call; an outcome for each. Raises ``ValueError`` for more."""
        if not 0 < len(orders) <= BATCH_MAX:
            raise ValueError(f"{len(orders)} orders in one call: the venue takes 1 to {BATCH_MAX}")
        body = b"[" + b",".join(sealed.body for _, sealed in orders) + b"]"
        cost = CREATE_MANY.cost * len(orders)
        asked = [expected(intent, sealed) for intent, sealed in orders]
        answer = await self._once(Call(CREATE_MANY, body=body), cost, last_check, priority)
        if isinstance(answer, Answer):
            reads = placed_batch(asked, answer, self._http.venue_ms())
        else:
            reads = tuple(Read(answer) for _ in asked)
        told = zip(orders, asked, reads, strict=True)
        return tuple(self._settled(intent, one, read) for (intent, _), one, read in told)

    async def run(self) -> None:
        """Cancel what is to be gone at once, until it is; runs as long as the venue does."""
        attempt = 0
        while True:
            pause_s = SWEEP_AGAIN_S[min(attempt, len(SWEEP_AGAIN_S) - 1)] if self.leftovers else None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._unwanted.wait()
            attempt = 0 if self._unwanted.is_set() else attempt + 1
            self._unwanted.clear()
            await self._sweep()

    async def _sweep(self) -> None:
        now_ns = self._http.clocks.mono_ns()
        for outcome in await self._cancels.cancel(sorted(self.leftovers)):
            if isinstance(outcome, NotThere):
                believed = outcome.code == ACKNOWLEDGED or now_ns >= self.leftovers.get(outcome.order_id, 0)
                if believed:
                    self.leftovers.pop(outcome.order_id, None)

    def _settled(self, intent: OrderIntent, asked: Expected, read: Read) -> PlaceOutcome:
        """The outcome, after its refusal was told and the rest of an immediate order given to ``run``."""
        if read.refusal is not None:
            self._on_refusal(intent.ticker, read.refusal)
        unwanted = asked.rests and intent.tif is not TimeInForce.GTC
        unanswered = isinstance(read.outcome, Unresolved)
        left = unanswered or (isinstance(read.outcome, Accepted) and read.outcome.remaining > 0)
        if unwanted and left:
            wait_ns = LIFETIME_MIN_S * SECOND_NS if read.delayed or unanswered else 0
            self.leftovers[asked.order_id] = self._http.clocks.mono_ns() + wait_ns
            self._unwanted.set()
        return read.outcome

    async def _once(
        self, call: Call, cost: float, last_check: LastCheck, priority: Priority
    ) -> Answer | NeverSent | Unresolved:
        # Cancels have a bucket of their own: an order leaves nothing for them in its bucket.
        refused = await self._http.limiter.admit(call.endpoint.kind, priority, cost)
        if refused is not None:
            return NeverSent(refused.reason)
        return await send_checked(self._http, call, last_check, TIMEOUT, TOTAL_S)
