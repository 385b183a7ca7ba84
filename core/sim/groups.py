"""Order groups: the switch on the exchange's side that takes a family of orders off at once.

Kalshi API: order groups. A group lives on one shard and counts the contracts its orders match over
a rolling 15 seconds; at its limit it triggers by itself. A triggered group has no resting orders
and refuses new ones until it is reset.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import msgspec

from core.domain.units import Quantity
from core.sim.events import GroupChanged
from core.sim.orders import Order, OrderRequest, Reason, Refused

if TYPE_CHECKING:
    from core.sim.exchange import Exchange

WINDOW_MS = 15_000
GROUPS_MAX = 100_000
"""Groups one account may have."""

UNKNOWN_GROUP = Refused("not_found", "order group not found", http=404)
TOO_MANY = Refused("order_group_limit_exceeded", "too many order groups")


class Group(msgspec.Struct):
    """One group; ``limit`` is contracts per rolling window."""

    group_id: str
    account: str
    exchange_index: int
    limit: Quantity
    triggered: bool = False
    matches: deque[tuple[int, Quantity]] = msgspec.field(default_factory=deque)
    """When (real ms) how many contracts matched, oldest first."""
    matched: int = 0
    """Sum over ``matches``."""

    def count(self, now_ms: int, more: Quantity = Quantity(0)) -> int:
        """Contracts matched in the window that ends now, ``more`` included."""
        if more:
            self.matches.append((now_ms, more))
            self.matched += more
        while self.matches and self.matches[0][0] <= now_ms - WINDOW_MS:
            self.matched -= self.matches.popleft()[1]
        return self.matched


def create(exchange: Exchange, account: str, limit: Quantity, exchange_index: int) -> Group | Refused:
    """A new group of an account on one shard."""
    groups = exchange.account(account).groups
    if len(groups) >= GROUPS_MAX:
        return TOO_MANY
    group = Group(exchange.new_id(), account, exchange_index, limit)
    groups[group.group_id] = group
    _tell(exchange, group, "created", limit)
    return group


def find(exchange: Exchange, account: str, group_id: str, exchange_index: int) -> Group | Refused:
    """A group of the account on the named shard; 404 where it is not there."""
    group = exchange.account(account).groups.get(group_id)
    return group if group is not None and group.exchange_index == exchange_index else UNKNOWN_GROUP


def trigger(exchange: Exchange, group: Group) -> None:
    """Cancel the group's orders and refuse new ones until ``reset``. A second time changes nothing."""
    if not group.triggered:
        group.triggered = True
        _tell(exchange, group, "triggered")
        _clear(exchange, group)


def reset(exchange: Exchange, group: Group) -> None:
    """Set the counter to zero and accept orders again."""
    group.triggered, group.matched = False, 0
    group.matches.clear()
    _tell(exchange, group, "reset")


def set_limit(exchange: Exchange, group: Group, limit: Quantity) -> None:
    """Change the limit; one that the window has reached already triggers the group."""
    group.limit = limit
    _tell(exchange, group, "limit_updated", limit)
    if group.count(exchange.clock.wall_ms()) >= limit:
        trigger(exchange, group)


def delete(exchange: Exchange, group: Group) -> None:
    """Cancel the group's orders and remove it."""
    del exchange.account(group.account).groups[group.group_id]
    _clear(exchange, group)
    _tell(exchange, group, "deleted")


def refusal(exchange: Exchange, r: OrderRequest, exchange_index: int) -> Refused | None:
    """Why an order may not join the group it names, if so. ``exchange_index`` is its market's shard."""
    if not r.group_id:
        return None
    group = find(exchange, r.account, r.group_id, exchange_index)
    if isinstance(group, Refused):
        return group
    http, code = exchange.dialect.group_refusal.value
    return Refused(code, "order group is triggered", http=http) if group.triggered else None


def note_match(exchange: Exchange, order: Order, count: Quantity) -> None:
    """Count a fill of one of the group's orders; at the limit the group triggers."""
    group = exchange.account(order.account).groups.get(order.group_id)
    if group is not None and group.count(exchange.clock.wall_ms(), count) >= group.limit:
        trigger(exchange, group)


def is_triggered(exchange: Exchange, order: Order) -> bool:
    group = exchange.account(order.account).groups.get(order.group_id)
    return group is not None and group.triggered


def members(exchange: Exchange, group: Group) -> list[Order]:
    """The group's resting orders, oldest first."""
    working = exchange.account(group.account).working.values()
    return [order for order in working if order.group_id == group.group_id]


def _clear(exchange: Exchange, group: Group) -> None:
    for order in members(exchange, group):
        exchange.markets[order.ticker].clock += 1
        exchange.withdraw(order, Reason.GROUP)


def _tell(exchange: Exchange, group: Group, kind: str, limit: Quantity | None = None) -> None:
    exchange.emit(GroupChanged(group.account, group.group_id, kind, limit, exchange.clock.wall_ms()))
