"""Taking orders off Polymarket: cancels on warm connections of their own.

Nothing here, nor anything this module imports, can create or sign an order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec

from core.domain.text import clean_text
from core.venues.endpoint import Endpoint
from core.venues.faults import WIRE_FAULTS, fault_text
from core.venues.http import READ_TIMEOUT, WRITE_TOTAL_S, Answer, Call
from core.venues.limiter import Kind, Priority
from core.venues.polymarket.endpoints import OK
from core.venues.polymarket.errors import Refusal, refusal
from core.venues.polymarket.http import ClobHttp
from core.venues.retry import TABLE, Act, CallClass
from core.venues.venue import (
    CancelOutcome,
    CancelUnresolved,
    Done,
    GroupOutcome,
    NotThere,
    Unresolved,
)
from core.venues.wire import WireError, decode

ONE: Final = Endpoint("DELETE", "/order", Kind.CANCEL, 1.0, CallClass.CANCEL, ours=True)
MANY: Final = Endpoint("DELETE", "/orders", Kind.CANCEL, 1.0, CallClass.CANCEL, ours=True)
"""The cost is for each order."""
MARKET: Final = Endpoint("DELETE", "/cancel-market-orders", Kind.CANCEL, 1.0, CallClass.CANCEL, ours=True)
"""This call and the next cost one more for each order they found, afterwards."""
ALL: Final = Endpoint("DELETE", "/cancel-all", Kind.CANCEL, 1.0, CallClass.CANCEL, ours=True)

MANY_MAX: Final = 1_000
CONNECTIONS: Final = 4
ACKNOWLEDGED: Final = "acknowledged"
"""The code of a cancel the venue took. It does not say how much was still open, and a fill may be on its
way: what became of the order must be read, as after every cancel here."""


class _One(msgspec.Struct, frozen=True):
    orderID: str  # noqa: N815  # the venue's spelling


class _Market(msgspec.Struct, frozen=True):
    market: str


class _Cancelled(msgspec.Struct, frozen=True):
    canceled: list[str] | None = None
    not_canceled: dict[str, object] | None = None


_cancelled = msgspec.json.Decoder(_Cancelled)


class Cancels:
    """The calls that only ever reduce what is open, ahead of everything else in the limiter."""

    def __init__(self, http: ClobHttp) -> None:
        self._http, self._pool = http, http.pool(CONNECTIONS)

    async def cancel(self, order_ids: Sequence[str]) -> tuple[CancelOutcome, ...]:
        """Cancel orders in as few calls as the bucket allows; one outcome an order, in order."""
        size = max(1, min(MANY_MAX, int(self._http.limiter.burst(Kind.CANCEL))))
        outcomes: list[CancelOutcome] = []
        for start in range(0, len(order_ids), size):
            outcomes.extend(await self._chunk(order_ids[start : start + size]))
        return tuple(outcomes)

    async def market(self, condition_id: str) -> GroupOutcome:
        """Cancel every order in both outcomes of a market."""
        return await self._whole(Call(MARKET, body=msgspec.json.encode(_Market(condition_id))))

    async def everything(self) -> GroupOutcome:
        """Cancel every order of the API key."""
        return await self._whole(Call(ALL))

    async def warm(self, calls: int) -> None:
        """Keep connections for so many calls at once open, by a small read on each."""
        await asyncio.gather(*(self._warm_one() for _ in range(min(calls, CONNECTIONS))))

    async def _warm_one(self) -> None:
        """A failure shows in the next cancel."""
        http = self._http
        if await http.limiter.admit(OK.kind, Priority.BACKGROUND, OK.cost) is not None:
            return
        try:
            await http.send(self._pool, Call(OK), READ_TIMEOUT, WRITE_TOTAL_S)
        except WIRE_FAULTS as error:
            http.on_anomaly("cancel connection", fault_text(error))

    async def _chunk(self, order_ids: Sequence[str]) -> list[CancelOutcome]:
        if len(order_ids) == 1:
            call = Call(ONE, body=msgspec.json.encode(_One(order_ids[0])))
        else:
            call = Call(MANY, body=msgspec.json.encode(order_ids))
        answer = await self._send(call, call.endpoint.cost * len(order_ids))
        if isinstance(answer, str):
            return [CancelUnresolved(order_id, answer) for order_id in order_ids]
        return cancel_outcomes(order_ids, answer)

    async def _whole(self, call: Call) -> GroupOutcome:
        answer = await self._send(call, call.endpoint.cost)
        if isinstance(answer, str):
            return Unresolved(answer)
        if not 200 <= answer.status < 300:  # whatever it says may pass: this is never given up
            return Unresolved(_reason(answer, _said(answer)))
        try:
            found = decode(answer.body, _cancelled, "cancel answer")
        except WireError as error:
            return Unresolved(str(error))
        self._http.limiter.charge(Kind.CANCEL, len(found.canceled or ()))
        return Done()

    async def _send(self, call: Call, cost: float) -> Answer | str:
        return await self._http.ask(self._pool, call, Priority.CANCEL, cost)


def cancel_outcomes(order_ids: Sequence[str], answer: Answer) -> list[CancelOutcome]:
    """One outcome an order: what the answer does not mention is unresolved, whatever its status."""
    if not 200 <= answer.status < 300:
        said = _said(answer)
        if TABLE[CallClass.CANCEL][said.trouble] is Act.LOOK_UP:
            return [NotThere(order_id, said.code) for order_id in order_ids]
        return [CancelUnresolved(order_id, _reason(answer, said)) for order_id in order_ids]
    try:
        found = decode(answer.body, _cancelled, "cancel answer")
    except WireError as error:
        return [CancelUnresolved(order_id, str(error)) for order_id in order_ids]
    gone, refused = frozenset(found.canceled or ()), found.not_canceled or {}
    return [_outcome(order_id, order_id in gone, refused.get(order_id)) for order_id in order_ids]


def _outcome(order_id: str, acknowledged: bool, refused: object) -> CancelOutcome:
    if refused is not None:
        return NotThere(order_id, clean_text(refused, 80) if isinstance(refused, str) else "not cancelled")
    if acknowledged:
        return NotThere(order_id, ACKNOWLEDGED)
    return CancelUnresolved(order_id, "not mentioned in the answer")


def _said(answer: Answer) -> Refusal:
    return refusal(answer.status, answer.body, answer.headers)


def _reason(answer: Answer, said: Refusal) -> str:
    return f"HTTP {answer.status}: {said}"
