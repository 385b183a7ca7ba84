"""The calls this client makes, with the bucket each draws from and its token cost; those that create
orders are in ``orders.py`` alone.

Costs: docs.kalshi.com/getting_started/rate_limits.
"""

from __future__ import annotations

import re
from typing import Final

from core.venues.endpoint import Endpoint
from core.venues.kalshi.limits import CostsWire
from core.venues.limiter import Kind
from core.venues.retry import CallClass

DEFAULT_COST: Final = 10.0


def _metadata(path: str) -> Endpoint:
    return Endpoint("GET", path, Kind.READ, DEFAULT_COST, CallClass.METADATA)


def _write(
    method: str, path: str, calls: CallClass, cost: float = DEFAULT_COST, *, ours: bool = True
) -> Endpoint:
    return Endpoint(method, path, Kind.WRITE, cost, calls, ours)


def _portfolio(path: str, kind: Kind = Kind.READ, cost: float = DEFAULT_COST) -> Endpoint:
    return Endpoint("GET", path, kind, cost, ours=True)


_ORDERS, _GROUPS = "/portfolio/events/orders", "/portfolio/order_groups"

CANCEL = _write("DELETE", f"{_ORDERS}/{{order_id}}", CallClass.CANCEL, 2.0)
BATCH_CANCEL = _write("DELETE", f"{_ORDERS}/batched", CallClass.CANCEL, 2.0, ours=False)
"""The cost is for each order in the batch, whose entry names the subaccount."""
CANCEL_ALL = _write("DELETE", _ORDERS, CallClass.CANCEL, 2.0)
GROUP_TRIGGER = _write("PUT", f"{_GROUPS}/{{order_group_id}}/trigger", CallClass.CANCEL)
GROUP_RESET = _write("PUT", f"{_GROUPS}/{{order_group_id}}/reset", CallClass.AMEND)
GROUP_LIMIT = _write("PUT", f"{_GROUPS}/{{order_group_id}}/limit", CallClass.AMEND)
GROUP_CREATE = _write("POST", f"{_GROUPS}/create", CallClass.AMEND, ours=False)

GROUPS = _portfolio("/portfolio/order_groups")
ORDER = Endpoint("GET", "/portfolio/orders/{order_id}", Kind.READ, 2.0)
ORDERS = _portfolio("/portfolio/orders")
QUEUE = _portfolio("/portfolio/orders/queue_positions")
FILLS = _portfolio("/portfolio/fills")
POSITIONS = _portfolio("/portfolio/positions")
SETTLEMENTS = _portfolio("/portfolio/settlements")
OLD_ORDERS = _portfolio("/historical/orders")
OLD_FILLS = _portfolio("/historical/fills")
OLD_POSITIONS = _portfolio("/historical/positions")
QUEUE_OF_ONE = Endpoint("GET", "/portfolio/orders/{order_id}/queue_position", Kind.READ, DEFAULT_COST)
BALANCE = _portfolio("/portfolio/balance", Kind.BALANCE, 1.0)
STATUS = _metadata("/exchange/status")
SCHEDULE = _metadata("/exchange/schedule")
DATA_AS_OF = _metadata("/exchange/user_data_timestamp")
LIMITS = _metadata("/account/limits")
COSTS = _metadata("/account/endpoint_costs")
SERIES = _metadata("/series/{series_ticker}")
EVENTS = _metadata("/events")
EVENT = _metadata("/events/{event_ticker}")
SERIES_LIST = _metadata("/series")
EVENT_METADATA = _metadata("/events/{event_ticker}/metadata")
CUTOFF = _metadata("/historical/cutoff")
OLD_MARKETS = _metadata("/historical/markets")
OLD_MARKET = _metadata("/historical/markets/{ticker}")
CANDLES = _metadata("/series/{series_ticker}/markets/{ticker}/candlesticks")
OLD_CANDLES = _metadata("/historical/markets/{ticker}/candlesticks")
MANY_CANDLES = _metadata("/markets/candlesticks")
EVENT_CANDLES = _metadata("/series/{series_ticker}/events/{ticker}/candlesticks")
BOOK = _metadata("/markets/{ticker}/orderbook")
BOOKS = _metadata("/markets/orderbooks")
SERIES_FEES = _metadata("/series/fee_changes")
EVENT_FEES = _metadata("/events/fee_changes")
TRADES = _metadata("/markets/trades")
OLD_TRADES = _metadata("/historical/trades")
MARKETS = _metadata("/markets")
MARKET = _metadata("/markets/{ticker}")

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
