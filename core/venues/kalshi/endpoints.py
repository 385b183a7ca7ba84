"""The calls this client makes, with the bucket each draws from and its token cost; those that create
orders are in ``orders.py`` alone.

Costs: docs.kalshi.com/getting_started/rate_limits.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from core.venues.kalshi.wire import CostsWire
from core.venues.limiter import Kind

DEFAULT_COST: Final = 10.0


class Endpoint(msgspec.Struct, frozen=True):
    """``path`` is below the API root; ``cost`` holds until the account's own table is loaded."""

    method: str
    path: str
    kind: Kind = Kind.READ
    cost: float = DEFAULT_COST


CANCEL = Endpoint("DELETE", "/portfolio/events/orders/{order_id}", Kind.WRITE, 2.0)
BATCH_CANCEL = Endpoint("DELETE", "/portfolio/events/orders/batched", Kind.WRITE, 2.0)
"""The cost is for each order in the batch."""
CANCEL_ALL = Endpoint("DELETE", "/portfolio/events/orders", Kind.WRITE, 2.0)
GROUP_TRIGGER = Endpoint("PUT", "/portfolio/order_groups/{order_group_id}/trigger", Kind.WRITE)
GROUP_RESET = Endpoint("PUT", "/portfolio/order_groups/{order_group_id}/reset", Kind.WRITE)
GROUP_LIMIT = Endpoint("PUT", "/portfolio/order_groups/{order_group_id}/limit", Kind.WRITE)
GROUP_CREATE = Endpoint("POST", "/portfolio/order_groups/create", Kind.WRITE)

GROUPS = Endpoint("GET", "/portfolio/order_groups")
ORDER = Endpoint("GET", "/portfolio/orders/{order_id}", Kind.READ, 2.0)
ORDERS = Endpoint("GET", "/portfolio/orders")
QUEUE = Endpoint("GET", "/portfolio/orders/queue_positions")
FILLS = Endpoint("GET", "/portfolio/fills")
POSITIONS = Endpoint("GET", "/portfolio/positions")
SETTLEMENTS = Endpoint("GET", "/portfolio/settlements")
BALANCE = Endpoint("GET", "/portfolio/balance", Kind.BALANCE, 1.0)
STATUS = Endpoint("GET", "/exchange/status")
SCHEDULE = Endpoint("GET", "/exchange/schedule")
DATA_AS_OF = Endpoint("GET", "/exchange/user_data_timestamp")
LIMITS = Endpoint("GET", "/account/limits")
COSTS = Endpoint("GET", "/account/endpoint_costs")
SERIES = Endpoint("GET", "/series/{series_ticker}")
EVENTS = Endpoint("GET", "/events")
EVENT = Endpoint("GET", "/events/{event_ticker}")
MARKETS = Endpoint("GET", "/markets")
MARKET = Endpoint("GET", "/markets/{ticker}")

_PARAMETER = re.compile(r"\{[^}]*\}")


def _key(method: str, path: str) -> tuple[str, str]:
    return method.upper(), _PARAMETER.sub("{}", path.removeprefix("/trade-api/v2").rstrip("/"))


class Costs:
    """Token cost of each endpoint: what the venue's table says, else what is known of it."""

    def __init__(self) -> None:
        self._listed: dict[tuple[str, str], float] = {}
        self._default: float | None = None

    def load(self, table: CostsWire) -> None:
        """Take over ``GET /account/endpoint_costs``."""
        self._default = table.default_cost
        self._listed = {_key(row.method, row.path): row.cost for row in table.endpoint_costs or ()}

    def of(self, endpoint: Endpoint) -> float:
        if endpoint.kind is Kind.BALANCE:
            return endpoint.cost
        listed = self._listed.get(_key(endpoint.method, endpoint.path))
        if listed is not None:
            return listed
        return endpoint.cost if self._default is None else self._default
