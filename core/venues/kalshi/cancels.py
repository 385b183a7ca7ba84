"""Taking orders off Kalshi: cancels on warm connections of their own.

Nothing here, nor anything this module imports, can create an order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec

from core.venues.faults import WIRE_FAULTS, fault_text
from core.venues.http import READ_TIMEOUT, WRITE_TOTAL_S, Answer, Call
from core.venues.kalshi.answers import batch_cancel_outcomes, cancel_outcome, group_outcome
from core.venues.kalshi.endpoints import BATCH_CANCEL, CANCEL, CANCEL_ALL, GROUP_TRIGGER, STATUS
from core.venues.kalshi.http import KalshiHttp
from core.venues.limiter import Priority
from core.venues.venue import CancelOutcome, CancelUnresolved, GroupOutcome, Unresolved

CONNECTIONS: Final = 8
"""A stop sends group triggers on each shard, batches and single cancels side by side: none may queue behind
one that gets no answer."""


class CancelEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One order to cancel. Without its market and shard the venue looks for it on shard 0 only."""

    order_id: str
    market_ticker: str
    exchange_index: int | None = None
    subaccount: int = 0
    """Filled in when it is sent."""


class CancelBatch(msgspec.Struct, frozen=True):
    orders: list[CancelEntry]


class Cancels:
    """The calls that only ever reduce what is open, ahead of everything else in the limiter."""

    def __init__(self, http: KalshiHttp) -> None:
        self._http, self._pool = http, http.pool(CONNECTIONS)
        self._other_way = False
        """Whether single cancels and batches change places: the usual way proved nothing last time."""

    async def cancel(self, orders: Sequence[CancelEntry]) -> tuple[CancelOutcome, ...]:
        """Cancel orders in as few calls as the bucket allows; one outcome an order, in order.

        When no answer proves anything, the next cancels go by the other endpoint.
        """
        one_by_one = (len(orders) == 1) is not self._other_way
        outcomes = await (self._one_by_one(orders) if one_by_one else self._in_batches(orders))
        if outcomes and all(isinstance(outcome, CancelUnresolved) for outcome in outcomes):
            self._other_way = not self._other_way
        return outcomes

    async def _one_by_one(self, orders: Sequence[CancelEntry]) -> tuple[CancelOutcome, ...]:
        return tuple(await asyncio.gather(*(self._cancel_one(order) for order in orders)))

    async def _in_batches(self, orders: Sequence[CancelEntry]) -> tuple[CancelOutcome, ...]:
        cost = max(self._http.cost(BATCH_CANCEL), 1e-9)
        size = max(1, int(self._http.limiter.burst(BATCH_CANCEL.kind) // cost))
        outcomes: list[CancelOutcome] = []
        for start in range(0, len(orders), size):
            outcomes.extend(await self._cancel_batch(orders[start : start + size]))
        return tuple(outcomes)

    async def trigger(self, group_id: str, shard: int) -> GroupOutcome:
        """Cancel every order of a group at once."""
        path = GROUP_TRIGGER.at(order_group_id=group_id)
        return await self._whole(Call(GROUP_TRIGGER, path, {"exchange_index": shard}))

    async def everything(self) -> GroupOutcome:
        """Cancel every order of the account on all shards. The venue may do the same to what is placed
        within the next minute."""
        return await self._whole(Call(CANCEL_ALL))

    async def _whole(self, call: Call) -> GroupOutcome:
        answer = await self._send(call, self._http.cost(call.endpoint))
        return Unresolved(answer) if isinstance(answer, str) else group_outcome(answer.status, answer.body)

    async def warm(self, calls: int) -> None:
        """Keep connections for so many calls at once open, by a small read on each."""
        await asyncio.gather(*(self._warm_one() for _ in range(min(calls, CONNECTIONS))))

    async def _warm_one(self) -> None:
        """A failure shows in the next cancel."""
        http = self._http
        if await http.limiter.admit(STATUS.kind, Priority.BACKGROUND, http.cost(STATUS)) is not None:
            return
        try:
            await http.send(self._pool, Call(STATUS), READ_TIMEOUT, WRITE_TOTAL_S)
        except WIRE_FAULTS as error:
            http.on_anomaly("cancel connection", fault_text(error))

    async def _cancel_one(self, order: CancelEntry) -> CancelOutcome:
        query: dict[str, str | int] = {"market_ticker": order.market_ticker}
        if order.exchange_index is not None:
            query["exchange_index"] = order.exchange_index
        path = CANCEL.at(order_id=order.order_id)
        call = Call(CANCEL, path, query, shard=order.exchange_index)
        answer = await self._send(call, self._http.cost(CANCEL))
        if isinstance(answer, str):
            return CancelUnresolved(order.order_id, answer)
        return cancel_outcome(order.order_id, answer.status, answer.body)

    async def _cancel_batch(self, orders: Sequence[CancelEntry]) -> tuple[CancelOutcome, ...]:
        ids = [order.order_id for order in orders]
        ours = [msgspec.structs.replace(order, subaccount=self._http.subaccount) for order in orders]
        body = msgspec.json.encode(CancelBatch(ours))
        cost = self._http.cost(BATCH_CANCEL) * len(orders)
        answer = await self._send(Call(BATCH_CANCEL, body=body), cost)
        if isinstance(answer, str):
            return tuple(CancelUnresolved(order_id, answer) for order_id in ids)
        return batch_cancel_outcomes(ids, answer.status, answer.body)

    async def _send(self, call: Call, cost: float) -> Answer | str:
        return await self._http.ask(self._pool, call, Priority.CANCEL, cost)
