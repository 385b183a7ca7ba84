"""The REST side: one table of endpoints, one guard in front of all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.sim.kalshi import errors, market_calls, order_calls, portfolio_calls
from core.sim.kalshi.auth import READ, TRADE, ApiKey
from core.sim.kalshi.call import Answer, Call, Venue
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
)


def routes(venue: Venue) -> list[Route]:
    """Every endpoint as a route; more specific paths come first in the table."""
    return [Route(API_ROOT + e.path, _guard(venue, e), methods=[e.method]) for e in ENDPOINTS]


def _guard(venue: Venue, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        path = request.url.path.removeprefix(API_ROOT)
        if delay_ms := venue.faults.delay_ms(path):
            await asyncio.sleep(delay_ms / 1000)
        if refusal := venue.faults.refusal(path):
            return json_response(refusal.body, refusal.status)
        try:
            body = await _read(request)
            done = _perform(venue, endpoint, request, body)
        except WireError as error:
            plain = error.http == 429
            return json_response(errors.TOO_MANY_REQUESTS if plain else errors.body(error), error.http)
        if done.lost:
            return _lose(request)
        return json_response(b"" if done.body is None else msgspec.json.encode(done.body), done.status)

    return answer


async def _read(request: Request) -> bytes:
    """The body, announced or in chunks; ``WireError`` 413 as soon as it is too large."""
    body = bytearray()
    announced = int(request.headers.get("content-length", "0"))
    if announced <= BODY_BYTES_MAX:
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_BYTES_MAX:
                break
    if max(announced, len(body)) > BODY_BYTES_MAX:
        raise WireError(413, "body_too_large", f"body over {BODY_BYTES_MAX} bytes")
    return bytes(body)


def _perform(venue: Venue, endpoint: Endpoint, request: Request, body: bytes) -> Answer:
    key = _authorise(venue, endpoint, request) if endpoint.scope is not None else None
    cost = endpoint.cost * (order_calls.entries(body) if endpoint.per_entry else 1)
    if not venue.limiter.take(key.account if key else None, endpoint.kind, cost):
        raise WireError(429, "too_many_requests", "too many requests")
    return endpoint.handler(Call(venue, key, request.path_params, request.query_params, body))


def _authorise(venue: Venue, endpoint: Endpoint, request: Request) -> ApiKey:
    assert endpoint.scope is not None
    # Clients sign what they send: the path before any percent-decoding.
    path = request.scope["raw_path"].decode("latin-1")
    key = venue.keys.verify(request.headers, request.method, path, venue.clock.wall_ms())
    if not key.may(endpoint.scope):
        raise WireError(403, "forbidden", f"api key lacks the scope {endpoint.scope}")
    return key


def _lose(request: Request) -> Response:
    """Cut the connection where the server offers it (see ``core.sim.kalshi.server``)."""
    abort = request.scope.get("state", {}).get("abort")
    if abort is None:
        raise ConnectionAbortedError("answer lost on purpose")
    abort()
    return Response()


def json_response(body: bytes, status: int) -> Response:
    return Response(body, status, media_type="application/json" if body else None)
