"""Putting orders on Kalshi: the only module that can. Each is sent once, and never repeated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from core.domain.order import OrderIntent, TimeInForce
from core.domain.units import Quantity, price_text, quantity_text
from core.venues.checked import send_checked
from core.venues.endpoint import Endpoint
from core.venues.http import WRITE_TIMEOUT, WRITE_TOTAL_S, Answer, Call
from core.venues.kalshi.answers import (
    batch_place_outcomes,
    place_outcome,
    reduce_outcome,
    renew_outcome,
)
from core.venues.kalshi.endpoints import DEFAULT_COST
from core.venues.kalshi.http import KalshiHttp
from core.venues.limiter import Kind, Priority
from core.venues.retry import CallClass
from core.venues.venue import (
    LastCheck,
    NeverSent,
    NotReduced,
    NotRenewed,
    PlaceOutcome,
    ReduceOutcome,
    ReduceUnresolved,
    RenewOutcome,
    RenewUnresolved,
    Unresolved,
)

CREATE: Final = Endpoint("POST", "/portfolio/events/orders", Kind.WRITE, DEFAULT_COST, CallClass.PLACE)
REDUCE: Final = msgspec.structs.replace(CREATE, calls=CallClass.REDUCE)
"""The same call for an order that can only close: it has a row of its own in the retry table."""
BATCH_CREATE: Final = Endpoint(
    "POST", "/portfolio/events/orders/batched", Kind.WRITE, DEFAULT_COST, CallClass.PLACE
)
"""The cost is for each order in the batch; all of them are on the first shard's bill."""
AMEND: Final = Endpoint(
    "POST", "/portfolio/events/orders/{order_id}/amend", Kind.WRITE, DEFAULT_COST, CallClass.AMEND, ours=True
)
DECREASE: Final = Endpoint(
    "POST",
    "/portfolio/events/orders/{order_id}/decrease",
    Kind.WRITE,
    DEFAULT_COST,
    CallClass.AMEND,
    ours=True,
)


class CreateOrder(msgspec.Struct, frozen=True, omit_defaults=True):
    """Body of create order; prices and counts are texts, the expiry is in whole seconds."""

    ticker: str
    client_order_id: str
    side: str
    count: str
    price: str
    time_in_force: str
    self_trade_prevention_type: str
    post_only: bool = False
    reduce_only: bool = False
    cancel_order_on_pause: bool = False
    expiration_time: int | None = None
    exchange_index: int | None = None
    order_group_id: str = ""
    subaccount: int = 0
    """Filled in when it is sent."""


class Amend(msgspec.Struct, frozen=True, omit_defaults=True):
    """Body of amend order. ``count`` is everything the order may fill in all, what has filled included;
    with price and count as they are, only the expiry moves and the place in the queue is kept."""

    ticker: str
    side: str
    price: str
    count: str
    expiration_time: int
    exchange_index: int | None = None


def renewal(intent: OrderIntent, quantity: Quantity, expires_ms: int, shard: int | None) -> Amend:
    """The request that moves nothing but the end of life of an order that now is of this size."""
    return Amend(
        ticker=intent.ticker,
        side=intent.side.value,
        price=price_text(intent.price),
        count=quantity_text(quantity),
        expiration_time=expires_ms // 1_000,
        exchange_index=shard,
    )


def create_order(intent: OrderIntent, shard: int | None) -> CreateOrder:
    """The request of an intent. Resting orders also die when trading pauses."""
    resting = intent.tif is TimeInForce.GTC
    return CreateOrder(
        ticker=intent.ticker,
        client_order_id=intent.client_order_id,
        side=intent.side.value,
        count=quantity_text(intent.quantity),
        price=price_text(intent.price),
        time_in_force=intent.tif.value,
        # Our taker stops at our own resting order; cancelling that one instead would hide it from us.
        self_trade_prevention_type="taker_at_cross",
        post_only=intent.post_only,
        reduce_only=intent.reduce_only,
        cancel_order_on_pause=resting,
        expiration_time=intent.expires_ms // 1_000 if resting and intent.expires_ms is not None else None,
        exchange_index=shard,
        order_group_id=intent.group_id,
    )


class CreateBatch(msgspec.Struct, frozen=True):
    orders: Sequence[CreateOrder]


class Decrease(msgspec.Struct, frozen=True, omit_defaults=True):
    """Body of decrease order: by how many open contracts. The place in the queue is kept."""

    reduce_by: str
    market_ticker: str
    exchange_index: int | None = None


class Orders:
    """The calls that can add to what is open."""

    def __init__(self, http: KalshiHttp) -> None:
        self._http = http

    @property
    def cost(self) -> float:
        """Tokens one order takes."""
        return self._http.cost(CREATE)

    def _ours(self, order: CreateOrder) -> CreateOrder:
        return msgspec.structs.replace(order, subaccount=self._http.subaccount)

    async def place(
        self, order: CreateOrder, last_check: LastCheck, priority: Priority, cancels_cost: float
    ) -> PlaceOutcome:
        """Send one order. ``NeverSent`` only with proof that no byte left, ``Unresolved`` on any doubt."""
        endpoint = REDUCE if order.reduce_only else CREATE
        call = Call(endpoint, body=msgspec.json.encode(self._ours(order)), shard=order.exchange_index)
        answer = await self._once(call, self.cost, last_check, priority, cancels_cost)
        if isinstance(answer, Answer):
            return place_outcome(order.client_order_id, answer.status, answer.body, endpoint.calls)
        return answer

    async def place_batch(
        self, orders: Sequence[CreateOrder], last_check: LastCheck, priority: Priority, cancels_cost: float
    ) -> tuple[PlaceOutcome, ...]:
        """Send several orders in one call, all or none of them past the rate limit; an outcome for each."""
        call = Call(BATCH_CREATE, body=msgspec.json.encode(CreateBatch([self._ours(o) for o in orders])))
        cost = self._http.cost(BATCH_CREATE) * len(orders)
        answer = await self._once(call, cost, last_check, priority, cancels_cost)
        if isinstance(answer, Answer):
            return batch_place_outcomes([o.client_order_id for o in orders], answer.status, answer.body)
        return tuple(answer for _ in orders)

    async def reduce(self, order_id: str, change: Decrease, last_check: LastCheck) -> ReduceOutcome:
        """Take contracts off a resting order, once. It goes with what leaves positions, ahead of entries."""
        path = DECREASE.at(order_id=order_id)
        call = Call(DECREASE, path, body=msgspec.json.encode(change), shard=change.exchange_index)
        cost = self._http.cost(DECREASE)
        answer = await self._once(call, cost, last_check, Priority.EXIT, 0.0)
        if isinstance(answer, Answer):
            return reduce_outcome(order_id, answer.status, answer.body)
        if isinstance(answer, NeverSent):
            return NotReduced(order_id, f"not sent: {answer.reason}")
        return ReduceUnresolved(order_id, answer.reason)

    async def renew(
        self, order_id: str, change: Amend, last_check: LastCheck, cancels_cost: float
    ) -> RenewOutcome:
        """Move an order's expiry once. It waits behind everything that reduces risk."""
        path = AMEND.at(order_id=order_id)
        call = Call(AMEND, path, body=msgspec.json.encode(change), shard=change.exchange_index)
        cost = self._http.cost(AMEND)
        answer = await self._once(call, cost, last_check, Priority.ENTRY, cancels_cost)
        if isinstance(answer, Answer):
            return renew_outcome(order_id, change.expiration_time * 1_000, answer.status, answer.body)
        if isinstance(answer, NeverSent):
            return NotRenewed(order_id, f"not sent: {answer.reason}")
        return RenewUnresolved(order_id, answer.reason)

    async def _once(
        self, call: Call, cost: float, last_check: LastCheck, priority: Priority, cancels_cost: float
    ) -> Answer | NeverSent | Unresolved:
        http = self._http
        refused = await http.limiter.admit(
            call.endpoint.kind, priority, cost, cancels_cost=cancels_cost, shard=call.shard
        )
        if refused is not None:
            return NeverSent(refused.reason)
        return await send_checked(http, call, last_check, WRITE_TIMEOUT, WRITE_TOTAL_S)
