"""The REST side: one table of endpoints, one guard in front of all of them.

Knows nothing of servers: a request is its method, path, query, headers and body, and what comes
back is a status and bytes. ``app`` puts it behind a port.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import unquote

import msgspec

from core.sim.kalshi import errors, group_calls, market_calls, order_calls, portfolio_calls
from core.sim.kalshi.auth import READ, TRADE, ApiKey
from core.sim.kalshi.call import Answer, Call, Query, Venue
from core.sim.kalshi.errors import WireError
from core.sim.kalshi.limits import DEFAULT_COST, Kind

API_ROOT = "/trade-api/v2"
BODY_BYTES_MAX = 1 << 20


class Endpoint(msgspec.Struct, frozen=True):
    """``scope`` None is public; ``per_entry`` multiplies the cost by the orders of a batch."""

    method: str
    path: str
    handler: Callable[[Call], Answer]
    scope: str | None = None
    kind: Kind = Kind.READ
    cost: int = DEFAULT_COST
    per_entry: bool = False


class Request(msgspec.Struct, frozen=True):
    """One request as it arrived."""

    method: str
    raw_path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


def _public(path: str, handler: Callable[[Call], Answer]) -> Endpoint:
    return Endpoint("GET", path, handler)


def _mine(
    path: str, handler: Callable[[Call], Answer], kind: Kind = Kind.READ, cost: int = DEFAULT_COST
) -> Endpoint:
    return Endpoint("GET", path, handler, READ, kind, cost)


def _write(
    method: str,
    path: str,
    handler: Callable[[Call], Answer],
    cost: int = DEFAULT_COST,
    *,
    per_entry: bool = False,
) -> Endpoint:
    return Endpoint(method, path, handler, TRADE, Kind.WRITE, cost, per_entry)


def endpoint_costs(call: Call) -> Answer:
    """What every endpoint costs that does not cost the default."""
    special = [e for e in ENDPOINTS if e.cost != DEFAULT_COST and e.kind is not Kind.BALANCE]
    rows = [{"method": e.method, "path": API_ROOT + e.path, "cost": e.cost} for e in special]
    return Answer({"default_cost": DEFAULT_COST, "endpoint_costs": rows})


_ORDERS = "/portfolio/events/orders"
_GROUPS = "/portfolio/order_groups"
_GROUP = f"{_GROUPS}/{{order_group_id}}"

ENDPOINTS: tuple[Endpoint, ...] = (
    _public("/exchange/status", market_calls.exchange_status),
    _public("/exchange/schedule", market_calls.exchange_schedule),
    _public("/exchange/user_data_timestamp", market_calls.user_data_timestamp),
    _public("/series/fee_changes", market_calls.series_fee_changes),
    _public("/series/{series_ticker}", market_calls.one_series),
    _public("/series", market_calls.list_series),
    _public("/events/fee_changes", market_calls.event_fee_changes),
    _public("/events/{event_ticker}", market_calls.one_event),
    _public("/events", market_calls.list_events),
    _public("/markets/trades", market_calls.list_trades),
    _public("/markets/orderbooks", market_calls.orderbooks),
    _public("/markets/{ticker}/orderbook", market_calls.orderbook),
    _public("/markets/{ticker}", market_calls.one_market),
    _public("/markets", market_calls.list_markets),
    _public("/account/endpoint_costs", endpoint_costs),
    _mine("/account/limits", market_calls.account_limits),
    _mine("/portfolio/balance", portfolio_calls.balance, Kind.BALANCE, 1),
    _mine("/portfolio/positions", portfolio_calls.positions),
    _mine("/portfolio/fills", portfolio_calls.list_fills),
    _mine("/portfolio/settlements", portfolio_calls.list_settlements),
    _mine("/portfolio/orders/queue_positions", portfolio_calls.queue_positions),
    _mine("/portfolio/orders/{order_id}/queue_position", portfolio_calls.queue_position),
    _mine("/portfolio/orders/{order_id}", portfolio_calls.one_order, cost=2),
    _mine("/portfolio/orders", portfolio_calls.list_orders),
    _write("POST", "/portfolio/orders", order_calls.legacy),
    _write("POST", "/portfolio/orders/batched", order_calls.legacy),
    _write("DELETE", "/portfolio/orders/batched", order_calls.legacy),
    _write("POST", "/portfolio/orders/{order_id}/amend", order_calls.legacy),
    _write("POST", "/portfolio/orders/{order_id}/decrease", order_calls.legacy),
    _write("DELETE", "/portfolio/orders/{order_id}", order_calls.legacy),
    _write("POST", f"{_ORDERS}/batched", order_calls.create_batch, per_entry=True),
    _write("DELETE", f"{_ORDERS}/batched", order_calls.cancel_batch, 2, per_entry=True),
    _write("POST", f"{_ORDERS}/{{order_id}}/amend", order_calls.amend),
    _write("POST", f"{_ORDERS}/{{order_id}}/decrease", order_calls.decrease),
    _write("DELETE", f"{_ORDERS}/{{order_id}}", order_calls.cancel, 2),
    _write("POST", _ORDERS, order_calls.create),
    _write("DELETE", _ORDERS, order_calls.cancel_all, 2),
    _mine(_GROUPS, group_calls.list_groups),
    _mine(_GROUP, group_calls.one_group),
    _write("POST", f"{_GROUPS}/create", group_calls.create),
    _write("PUT", f"{_GROUP}/trigger", group_calls.trigger),
    _write("PUT", f"{_GROUP}/reset", group_calls.reset),
    _write("PUT", f"{_GROUP}/limit", group_calls.set_limit),
    _write("DELETE", _GROUP, group_calls.delete),
)


class RestAnswer(msgspec.Struct, frozen=True):
    """What goes back: JSON, or nothing where ``body`` is empty. ``lost`` cuts the connection instead."""

    status: int
    body: bytes = b""
    lost: bool = False


class Rest:
    """Every endpoint of one venue."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._routes: dict[int, list[tuple[tuple[str, ...], Endpoint]]] = {}
        for endpoint in ENDPOINTS:
            steps = tuple((API_ROOT + endpoint.path).split("/"))
            self._routes.setdefault(len(steps), []).append((steps, endpoint))

    def delay_ms(self, raw_path: str) -> int:
        """How long a fault holds this request up before it is looked at."""
        return self._venue.faults.delay_ms(_below_root(raw_path))

    def handle(
        self, method: str, raw_path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> RestAnswer:
        """Carry out one request.

        ``raw_path`` is the path before any percent-decoding, as clients sign it, without its query;
        the names of ``headers`` are lower-case.
        """
        try:
            endpoint, named = self._match(method, raw_path)
            if refusal := self._venue.faults.refusal(_below_root(raw_path)):
                return RestAnswer(refusal.status, refusal.body)
            if len(body) > BODY_BYTES_MAX:
                raise too_large()
            done = self._perform(endpoint, Request(method, raw_path, query, headers, body), named)
        except WireError as error:
            return refused(error)
        if done.lost:
            return RestAnswer(done.status, lost=True)
        return RestAnswer(done.status, b"" if done.body is None else msgspec.json.encode(done.body))

    def _match(self, method: str, raw_path: str) -> tuple[Endpoint, dict[str, str]]:
        """The endpoint of a path and its named steps; more specific paths come first in the table."""
        steps = unquote(raw_path).split("/")
        known = False
        for wanted, endpoint in self._routes.get(len(steps), ()):
            named = _named(wanted, steps)
            if named is not None:
                known = True
                if endpoint.method == method:
                    return endpoint, named
        if known:
            raise WireError(405, "method_not_allowed", "method not allowed")
        raise WireError(404, "not_found", "not found")

    def _perform(self, endpoint: Endpoint, request: Request, named: dict[str, str]) -> Answer:
        key = self._authorise(endpoint.scope, request) if endpoint.scope is not None else None
        cost = endpoint.cost * (order_calls.entries(request.body) if endpoint.per_entry else 1)
        if not self._venue.limiter.take(key.account if key else None, endpoint.kind, cost):
            raise WireError(429, "too_many_requests", "too many requests")
        return endpoint.handler(Call(self._venue, key, named, Query(request.query), request.body))

    def _authorise(self, scope: str, request: Request) -> ApiKey:
        now_ms = self._venue.clock.wall_ms()
        key = self._venue.keys.verify(request.headers, request.method, request.raw_path, now_ms)
        if not key.may(scope):
            raise WireError(403, "forbidden", f"api key lacks the scope {scope}")
        return key


def refused(error: WireError) -> RestAnswer:
    """An error as it goes out."""
    return RestAnswer(error.http, errors.TOO_MANY_REQUESTS if error.http == 429 else errors.body(error))


def too_large() -> WireError:
    return WireError(413, "body_too_large", f"body over {BODY_BYTES_MAX} bytes")


def _below_root(raw_path: str) -> str:
    return unquote(raw_path).removeprefix(API_ROOT)


def _named(wanted: tuple[str, ...], steps: list[str]) -> dict[str, str] | None:
    """The steps a template gives names to; None where a path is another one."""
    named = {}
    for want, step in zip(wanted, steps, strict=True):
        if want.startswith("{"):
            if not step:
                return None
            named[want[1:-1]] = step
        elif want != step:
            return None
    return named
