"""The REST side: one table of endpoints, one guard in front of all of them.

Knows nothing of servers: a request is its method, path, query, headers and body, and what comes
back is a status and bytes. ``app`` puts it behind a port.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from urllib.parse import unquote

import msgspec

from core.sim.kalshi import (
    account_calls,
    cancel_calls,
    candle_calls,
    change_calls,
    discovery_calls,
    errors,
    exchange_calls,
    group_calls,
    historical_calls,
    order_calls,
    portfolio_calls,
    sprinkle,
    trade_calls,
    transfer_calls,
)
from core.sim.kalshi.auth import READ, READ_BALANCE, TRADE, TRANSFER, ApiKey
from core.sim.kalshi.call import Answer, Call, Venue
from core.sim.kalshi.errors import WireError, forbidden
from core.sim.kalshi.limits import DEFAULT_COST, UNSCOPED, Kind
from core.sim.kalshi.routing import lanes_of_body, lanes_of_query
from core.sim.requests import Query

API_ROOT = "/trade-api/v2"
BODY_BYTES_MAX = 1 << 20


Lanes = Callable[[Call], Collection[int]]


def unscoped(_: Call) -> Collection[int]:
    return UNSCOPED


class Endpoint(msgspec.Struct, frozen=True):
    """``scope`` None is public; ``per_entry`` multiplies the cost by the orders of a batch.

    ``lanes`` says whose write tokens it takes. ``whole_member`` is refused to keys locked to one
    subaccount.
    """

    method: str
    path: str
    handler: Callable[[Call], Answer]
    scope: str | None = None
    kind: Kind = Kind.READ
    cost: int = DEFAULT_COST
    per_entry: bool = False
    lanes: Lanes = unscoped
    whole_member: bool = False


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
    path: str,
    handler: Callable[[Call], Answer],
    *,
    scope: str = READ,
    kind: Kind = Kind.READ,
    cost: int = DEFAULT_COST,
    whole: bool = False,
) -> Endpoint:
    return Endpoint("GET", path, handler, scope, kind, cost, whole_member=whole)


def _write(
    method: str,
    path: str,
    handler: Callable[[Call], Answer],
    cost: int = DEFAULT_COST,
    *,
    lanes: Lanes = unscoped,
    per_entry: bool = False,
) -> Endpoint:
    return Endpoint(method, path, handler, TRADE, Kind.WRITE, cost, per_entry, lanes)


def _money(method: str, path: str, handler: Callable[[Call], Answer], *, whole: bool = True) -> Endpoint:
    return Endpoint(method, path, handler, TRANSFER, Kind.WRITE, whole_member=whole)


def endpoint_costs(call: Call) -> Answer:
    """What every endpoint costs that does not cost the default."""
    special = [e for e in ENDPOINTS if e.cost != DEFAULT_COST and e.kind is not Kind.BALANCE]
    rows = [{"method": e.method, "path": API_ROOT + e.path, "cost": e.cost} for e in special]
    return Answer({"default_cost": DEFAULT_COST, "endpoint_costs": rows})


_ORDERS = "/portfolio/events/orders"
_GROUPS = "/portfolio/order_groups"
_GROUP = f"{_GROUPS}/{{order_group_id}}"
_MOVES = "/portfolio/intra_exchange_instance_transfer"
_TARGETS = "/portfolio/target_balance_allocation"
_SUBS = "/portfolio/subaccounts"

ENDPOINTS: tuple[Endpoint, ...] = (
    _public("/exchange/status", exchange_calls.status),
    _public("/exchange/schedule", exchange_calls.schedule),
    _public("/exchange/user_data_timestamp", exchange_calls.user_data_timestamp),
    _public("/series/fee_changes", discovery_calls.series_fee_changes),
    _public("/series/{series_ticker}/markets/{ticker}/candlesticks", candle_calls.one_market),
    _public("/series/{series_ticker}/events/{ticker}/candlesticks", candle_calls.one_event),
    _public("/series/{series_ticker}", discovery_calls.one_series),
    _public("/series", discovery_calls.list_series),
    _public("/events/fee_changes", discovery_calls.event_fee_changes),
    _public("/events/{event_ticker}/metadata", discovery_calls.event_metadata),
    _public("/events/{event_ticker}", discovery_calls.one_event),
    _public("/events", discovery_calls.list_events),
    _public("/markets/trades", trade_calls.list_trades),
    _public("/markets/orderbooks", discovery_calls.orderbooks),
    _public("/markets/candlesticks", candle_calls.many_markets),
    _public("/markets/{ticker}/orderbook", discovery_calls.orderbook),
    _public("/markets/{ticker}", discovery_calls.one_market),
    _public("/markets", discovery_calls.list_markets),
    _public("/historical/cutoff", historical_calls.cutoff),
    _public("/historical/markets/{ticker}/candlesticks", historical_calls.candlesticks),
    _public("/historical/markets/{ticker}", historical_calls.one_market),
    _public("/historical/markets", historical_calls.list_markets),
    _public("/historical/trades", historical_calls.list_trades),
    _mine("/historical/fills", historical_calls.list_fills),
    _mine("/historical/orders", historical_calls.list_orders),
    _mine("/historical/positions", historical_calls.list_positions),
    _public("/account/endpoint_costs", endpoint_costs),
    _mine("/account/limits", account_calls.limits),
    _write("POST", "/account/api_usage_level/upgrade", account_calls.upgrade, 30),
    _mine("/api_keys", account_calls.list_keys, whole=True),
    _mine("/portfolio/balance", portfolio_calls.balance, scope=READ_BALANCE, kind=Kind.BALANCE, cost=1),
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
    _write("DELETE", f"{_ORDERS}/batched", cancel_calls.cancel_batch, 2, per_entry=True),
    _write("POST", f"{_ORDERS}/{{order_id}}/amend", change_calls.amend, lanes=lanes_of_body),
    _write("POST", f"{_ORDERS}/{{order_id}}/decrease", change_calls.decrease, lanes=lanes_of_body),
    _write("DELETE", f"{_ORDERS}/{{order_id}}", cancel_calls.cancel, 2, lanes=lanes_of_query),
    _write("POST", _ORDERS, order_calls.create, lanes=lanes_of_body),
    _write("DELETE", _ORDERS, cancel_calls.cancel_all, 2),
    _mine(_GROUPS, group_calls.list_groups),
    _mine(_GROUP, group_calls.one_group),
    _write("POST", f"{_GROUPS}/create", group_calls.create),
    _write("PUT", f"{_GROUP}/trigger", group_calls.trigger),
    _write("PUT", f"{_GROUP}/reset", group_calls.reset),
    _write("PUT", f"{_GROUP}/limit", group_calls.set_limit),
    _write("DELETE", _GROUP, group_calls.delete),
    _money("POST", _MOVES, transfer_calls.transfer, whole=False),
    _mine(f"{_MOVES}s", transfer_calls.list_transfers, whole=True),
    _mine(f"{_MOVES}s/{{transfer_id}}", transfer_calls.one_transfer, whole=True),
    _mine(_TARGETS, transfer_calls.allocation, whole=True),
    _money("POST", _TARGETS, transfer_calls.set_allocation),
    _money("POST", f"{_SUBS}/transfer", transfer_calls.between_subaccounts),
    _mine(f"{_SUBS}/transfers", transfer_calls.list_between_subaccounts, whole=True),
    _mine(f"{_SUBS}/balances", transfer_calls.subaccount_balances),
    _mine(f"{_SUBS}/netting", transfer_calls.netting, whole=True),
    _money("POST", _SUBS, transfer_calls.open_subaccount),
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
        self._routes: dict[tuple[int, str], list[tuple[tuple[str, ...], Endpoint]]] = {}
        for endpoint in ENDPOINTS:
            steps = tuple((API_ROOT + endpoint.path).split("/"))
            self._routes.setdefault(_kin(steps), []).append((steps, endpoint))

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
            return refused(error, nested=self._venue.exchange.dialect.too_many_requests_is_nested)
        if done.lost:
            return RestAnswer(done.status, lost=True)
        if done.body is None:
            return RestAnswer(done.status)
        strewn = self._venue.exchange.dialect.unknown_is_sprinkled
        return RestAnswer(done.status, msgspec.json.encode(sprinkle.over(done.body) if strewn else done.body))

    def _match(self, method: str, raw_path: str) -> tuple[Endpoint, dict[str, str]]:
        """The endpoint of a path and its named steps; more specific paths come first in the table."""
        steps = unquote(raw_path).split("/")
        known = False
        for wanted, endpoint in self._routes.get(_kin(steps), ()):
            named = _named(wanted, steps)
            if named is not None:
                known = True
                if endpoint.method == method:
                    return endpoint, named
        if known:
            raise WireError(405, "method_not_allowed", "method not allowed")
        raise WireError(404, "not_found", "not found")

    def _perform(self, endpoint: Endpoint, request: Request, named: dict[str, str]) -> Answer:
        key = self._authorise(endpoint, request) if endpoint.scope is not None else None
        call = Call(self._venue, key, named, Query(request.query), request.body)
        cost = endpoint.cost * (order_calls.entries(request.body) if endpoint.per_entry else 1)
        account, lanes = key.account if key else None, endpoint.lanes(call)
        if not self._venue.limiter.take(account, endpoint.kind, cost, lanes):
            raise WireError(429, "too_many_requests", "too many requests")
        return endpoint.handler(call)

    def _authorise(self, endpoint: Endpoint, request: Request) -> ApiKey:
        now_ms = self._venue.clock.wall_ms()
        key = self._venue.keys.verify(request.headers, request.method, request.raw_path, now_ms)
        if endpoint.scope is not None and not key.may(endpoint.scope):
            raise forbidden(f"this API key lacks the scope {endpoint.scope}")
        if endpoint.whole_member and key.subaccount is not None:
            raise forbidden(f"this API key is restricted to subaccount {key.subaccount}")
        return key


def refused(error: WireError, *, nested: bool = False) -> RestAnswer:
    """An error as it goes out; a 429 has a form of its own unless it is nested like the others."""
    plain = error.http == 429 and not nested
    return RestAnswer(error.http, errors.TOO_MANY_REQUESTS if plain else errors.body(error))


def too_large() -> WireError:
    return WireError(413, "body_too_large", f"body over {BODY_BYTES_MAX} bytes")


def _below_root(raw_path: str) -> str:
    return unquote(raw_path).removeprefix(API_ROOT)


def _kin(steps: Sequence[str]) -> tuple[int, str]:
    """Paths that may be mistaken for each other: as many steps, and the same first one below the root."""
    return len(steps), steps[3] if len(steps) > 3 else ""


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
