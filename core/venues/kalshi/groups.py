"""Kalshi's order groups: open, list, reset, set the limit. Triggering them is in ``cancels.py``.

A group lives on one shard and is found only with its shard in the query (Kalshi API: order groups).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from core.domain.order import Purpose
from core.venues.endpoint import Endpoint
from core.venues.http import Answer, Call
from core.venues.kalshi.answers import group_outcome, refusal
from core.venues.kalshi.endpoints import (
    GROUP_CREATE,
    GROUP_LIMIT,
    GROUP_RESET,
    GROUPS,
)
from core.venues.kalshi.http import KalshiHttp
from core.venues.limiter import Priority
from core.venues.venue import GroupOutcome, Incomplete, SafetyGroup, Unresolved
from core.venues.wire import Name, WireError, decode

REFUSED_BY_GROUP: Final = frozenset({"exceeded_order_group_risk_limit", "order_group_triggered"})
"""Codes, in lower case, of an order refused because its group is triggered. The first is the venue's
FIX text; what REST sends is not confirmed."""


class _Limit(msgspec.Struct, frozen=True):
    contracts_limit: int


class _Create(msgspec.Struct, frozen=True, omit_defaults=True):
    contracts_limit: int
    exchange_index: int
    subaccount: int = 0


class _Created(msgspec.Struct, frozen=True):
    order_group_id: Name


class _Listed(msgspec.Struct, frozen=True):
    id: Name
    exchange_index: int = 0


class _List(msgspec.Struct, frozen=True):
    order_groups: list[_Listed] | None = None


_created = msgspec.json.Decoder(_Created)
_list = msgspec.json.Decoder(_List)


class OrderGroups:
    """The calls around groups. ``known`` holds those this client opened or took over, by id."""

    def __init__(self, http: KalshiHttp) -> None:
        self._http = http
        self.known: dict[str, SafetyGroup] = {}

    async def listed(self) -> dict[str, int] | Incomplete:
        """Shard of every group of the account, by id."""
        answer = await self._http.read(GROUPS, "order groups", Priority.RECONCILE)
        if isinstance(answer, Incomplete):
            return answer
        try:
            groups = decode(answer.body, _list, "order groups").order_groups or ()
        except WireError as error:
            return Incomplete("order groups", str(error))
        return {group.id: group.exchange_index for group in groups}

    async def arm(
        self, shards: Iterable[int], contracts: Mapping[Purpose, int], known: Iterable[SafetyGroup]
    ) -> tuple[SafetyGroup, ...] | Incomplete:
        """A group for each purpose on each of the shards: those known that still exist, else a new one."""
        there = await self.listed()
        if isinstance(there, Incomplete):
            return there
        candidates = {group.group_id: group for group in known} | self.known
        self.known = {group_id: group for group_id, group in candidates.items() if group_id in there}
        for shard in sorted(shards):
            for purpose in Purpose:
                if not any(g.part == str(shard) and g.purpose is purpose for g in self.known.values()):
                    made = await self._create(shard, contracts[purpose])
                    if isinstance(made, Incomplete):
                        return made
                    self.known[made] = SafetyGroup(made, purpose, str(shard), contracts[purpose])
        return tuple(self.known.values())

    async def _create(self, shard: int, contracts: int) -> str | Incomplete:
        """The new group's id. A lost answer leaves an empty group behind, which harms nobody."""
        body = msgspec.json.encode(_Create(contracts, shard, self._http.subaccount))
        answer = await self._send(GROUP_CREATE, Call(GROUP_CREATE, body=body))
        if isinstance(answer, str):
            return Incomplete("order group", answer)
        if answer.status not in (200, 201):
            said = refusal(answer.body)
            return Incomplete("order group", f"HTTP {answer.status}: {said.code or said.text}")
        try:
            return decode(answer.body, _created, "order group").order_group_id
        except WireError as error:
            return Incomplete("order group", str(error))

    async def reset(self, group: SafetyGroup) -> GroupOutcome:
        return await self._put(GROUP_RESET, group)

    async def limit(self, group: SafetyGroup, contracts: int) -> GroupOutcome:
        return await self._put(GROUP_LIMIT, group, msgspec.json.encode(_Limit(contracts)))

    async def _put(self, endpoint: Endpoint, group: SafetyGroup, body: bytes = b"") -> GroupOutcome:
        path = endpoint.at(order_group_id=group.group_id)
        call = Call(endpoint, path, {"exchange_index": int(group.part)}, body)
        answer = await self._send(endpoint, call)
        return Unresolved(answer) if isinstance(answer, str) else group_outcome(answer.status, answer.body)

    async def _send(self, endpoint: Endpoint, call: Call) -> Answer | str:
        http = self._http
        return await http.ask(http.general, call, Priority.RECONCILE, http.cost(endpoint))
