"""Order groups over REST.

Kalshi API: order groups. A group is created with its shard in the body and found with its shard in
the query; both default to shard 0, so a group of another shard is not found without it.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from core.domain.units import Quantity, contracts, quantity_text
from core.sim import groups, shards
from core.sim.admission import COUNT_STEP
from core.sim.groups import Group
from core.sim.kalshi import bodies
from core.sim.kalshi.call import Answer, Call
from core.sim.kalshi.errors import invalid_parameter
from core.sim.kalshi.shapes import Wire
from core.sim.orders import Refused

WholeLimit = Annotated[int, msgspec.Meta(ge=1, le=10**12)]


class LimitBody(msgspec.Struct, frozen=True):
    contracts_limit: WholeLimit | None = None
    contracts_limit_fp: str | None = None


class CreateBody(LimitBody, frozen=True):
    subaccount: int | None = None
    exchange_index: int = 0


def create(call: Call) -> Answer:
    body = bodies.read(call.body, CreateBody)
    account = call.numbered(body.subaccount)
    if body.exchange_index not in call.exchange.shards:
        raise invalid_parameter("unknown exchange_index")
    _check_open(call, body.exchange_index)
    created = groups.create(call.exchange, account.name, _limit(body), body.exchange_index)
    if isinstance(created, Refused):
        raise call.refusal(created)
    shape = {
        "order_group_id": created.group_id,
        "subaccount": account.number,
        "exchange_index": created.exchange_index,
    }
    return Answer(shape, 201)


def list_groups(call: Call) -> Answer:
    rows = [{"id": group.group_id, **_state(group)} for of in call.accounts() for group in of.groups.values()]
    return Answer({"order_groups": rows})


def one_group(call: Call) -> Answer:
    """Found whatever its shard: this call takes none."""
    wanted = call.path["order_group_id"]
    group = next((of.groups[wanted] for of in call.accounts() if wanted in of.groups), None)
    if group is None:
        raise call.refusal(groups.UNKNOWN_GROUP)
    orders = [order.order_id for order in groups.members(call.exchange, group)]
    return Answer({**_state(group), "orders": orders})


def trigger(call: Call) -> Answer:
    groups.trigger(call.exchange, _find(call))
    return Answer({})


def reset(call: Call) -> Answer:
    groups.reset(call.exchange, _find(call))
    return Answer({})


def set_limit(call: Call) -> Answer:
    limit = _limit(bodies.read(call.body, LimitBody))
    groups.set_limit(call.exchange, _find(call), limit)
    return Answer({})


def delete(call: Call) -> Answer:
    groups.delete(call.exchange, _find(call))
    return Answer({})


def _find(call: Call) -> Group:
    shard = call.number("exchange_index") or 0
    found = groups.find(call.exchange, call.account.name, call.path["order_group_id"], shard)
    if isinstance(found, Refused):
        raise call.refusal(found)
    _check_open(call, found.exchange_index)
    return found


def _check_open(call: Call, exchange_index: int) -> None:
    """Refuse what would change a shard that changes nothing now."""
    closed = shards.refusal(call.exchange, exchange_index, trading=False)
    if closed is not None:
        raise call.refusal(closed)


def _limit(body: LimitBody) -> Quantity:
    """The limit in whichever form it came; both forms must agree."""
    whole = None if body.contracts_limit is None else contracts(body.contracts_limit)
    exact = None if body.contracts_limit_fp is None else bodies.count(body.contracts_limit_fp)
    if whole is not None and exact is not None and whole != exact:
        raise bodies.invalid("contracts_limit and contracts_limit_fp differ")
    limit = whole if exact is None else exact
    if limit is None:
        raise bodies.invalid("contracts_limit or contracts_limit_fp is required")
    if limit <= 0 or limit % COUNT_STEP:
        raise bodies.invalid("contracts_limit_fp must be a positive multiple of 0.01")
    return limit


def _state(group: Group) -> Wire:
    return {
        "contracts_limit_fp": quantity_text(group.limit),
        "is_auto_cancel_enabled": True,
        "exchange_index": group.exchange_index,
    }
