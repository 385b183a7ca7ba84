"""The REST side: one table of endpoints for the CLOB, Gamma, the Data API and the geoblock.

Knows nothing of servers: a request is its method, path, query, headers and body, and what comes back is
a status, headers and bytes. ``desk`` adds what takes time, ``app`` puts it behind a port.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import Enum
from urllib.parse import unquote

import msgspec

from core.sim.polymarket import (
    account_calls,
    book_calls,
    cancel_calls,
    data_calls,
    errors,
    gamma_calls,
    key_calls,
    market_calls,
    order_calls,
    reward_calls,
)
from core.sim.polymarket.call import Answer, Call, Venue
from core.sim.polymarket.errors import WireError
from core.sim.polymarket.keys import ApiKey
from core.sim.polymarket.limits import Group
from core.sim.requests import Query

BODY_BYTES_MAX = 1 << 20


class Auth(Enum):
    """What a request must prove. A login is verified by its handler: it names no key yet."""

    PUBLIC = "public"
    LOGIN = "wallet login"
    KEY = "signed with an API key"
    READ_KEY = "signed with an API key, a read-only one will do"


class Kind(Enum):
    """Which of a signer's buckets a request takes from, and what modes of the engine refuse it."""

    OTHER = "neither"
    ORDERS = "orders"
    CANCELS = "cancels"


def one(_: bytes) -> int:
    return 1


class Endpoint(msgspec.Struct, frozen=True):
    """``cost`` is how many tokens of its bucket a body takes."""

    method: str
    path: str
    handler: Callable[[Call], Answer]
    groups: tuple[Group, ...] = (Group.CLOB,)
    auth: Auth = Auth.PUBLIC
    kind: Kind = Kind.OTHER
    cost: Callable[[bytes], int] = one


def _get(path: str, handler: Callable[[Call], Answer], *groups: Group) -> Endpoint:
    return Endpoint("GET", path, handler, (Group.CLOB, *groups))


def _post(path: str, handler: Callable[[Call], Answer], *groups: Group) -> Endpoint:
    return Endpoint("POST", path, handler, (Group.CLOB, *groups))


def _mine(
    method: str, path: str, handler: Callable[[Call], Answer], *groups: Group, auth: Auth = Auth.KEY
) -> Endpoint:
    return Endpoint(method, path, handler, (Group.CLOB, *groups), auth)


def _order(
    method: str,
    path: str,
    handler: Callable[[Call], Answer],
    group: Group,
    kind: Kind,
    cost: Callable[[bytes], int] = one,
) -> Endpoint:
    return Endpoint(method, path, handler, (Group.CLOB, group), Auth.KEY, kind, cost)


def _gamma(path: str, handler: Callable[[Call], Answer], *groups: Group) -> Endpoint:
    return Endpoint("GET", "/gamma" + path, handler, (Group.GAMMA, *groups))


def _data(path: str, handler: Callable[[Call], Answer], *groups: Group) -> Endpoint:
    return Endpoint("GET", "/data-api/v2" + path, handler, (Group.DATA, *groups))


_EVENTS, _MARKETS = Group.GAMMA_EVENTS, Group.GAMMA_MARKETS

ENDPOINTS: tuple[Endpoint, ...] = (
    _get("/ok", market_calls.ok, Group.OK),
    _get("/", market_calls.ok),
    _get("/time", market_calls.time),
    _get("/version", market_calls.version),
    Endpoint("GET", "/api/geoblock", market_calls.geoblock, ()),
    _get("/markets", market_calls.many),
    _get("/simplified-markets", market_calls.simplified),
    _get("/sampling-markets", market_calls.sampling),
    _get("/sampling-simplified-markets", market_calls.sampling_simplified),
    _get("/markets/live-activity/{condition_id}", market_calls.activity),
    _get("/markets/{condition_id}", market_calls.one),
    _get("/markets-by-token/{token_id}", market_calls.by_token),
    _get("/clob-markets/{condition_id}", market_calls.compact),
    _get("/fees/builder-fees/{code}", market_calls.builder_fees),
    _get("/book", book_calls.book, Group.BOOK),
    _post("/books", book_calls.books, Group.BOOKS),
    _get("/price", book_calls.price, Group.PRICE),
    _post("/prices", book_calls.prices, Group.PRICES),
    _get("/midpoint", book_calls.midpoint, Group.MIDPOINT),
    _post("/midpoints", book_calls.midpoints, Group.MIDPOINTS),
    _get("/spread", book_calls.spread),
    _post("/spreads", book_calls.spreads),
    _get("/last-trade-price", book_calls.last_price),
    _post("/last-trades-prices", book_calls.last_prices),
    _get("/tick-size", book_calls.tick_size, Group.TICK),
    _get("/neg-risk", book_calls.neg_risk),
    _get("/fee-rate", book_calls.fee_rate),
    _get("/prices-history", book_calls.history, Group.HISTORY),
    _mine("POST", "/auth/api-key", key_calls.create, Group.KEYS, auth=Auth.LOGIN),
    _mine("GET", "/auth/derive-api-key", key_calls.derive, Group.KEYS, auth=Auth.LOGIN),
    _mine("GET", "/auth/api-keys", key_calls.list_keys, Group.KEYS),
    _mine("DELETE", "/auth/api-key", key_calls.delete, Group.KEYS),
    _mine("POST", "/auth/readonly-api-key", key_calls.create_read_only, Group.KEYS),
    _mine("GET", "/auth/readonly-api-keys", key_calls.list_read_only, Group.KEYS),
    _mine("DELETE", "/auth/readonly-api-key", key_calls.delete_read_only, Group.KEYS),
    _mine("GET", "/auth/ban-status/closed-only", key_calls.closed_only),
    _mine("GET", "/balance-allowance", account_calls.balance, Group.BALANCE),
    _mine("GET", "/balance-allowance/update", account_calls.refresh, Group.BALANCE_UPDATE),
    _order("POST", "/order", order_calls.create, Group.POST_ORDER, Kind.ORDERS),
    _order("POST", "/orders", order_calls.create_batch, Group.POST_ORDERS, Kind.ORDERS, order_calls.entries),
    _order("DELETE", "/order", cancel_calls.cancel, Group.DELETE_ORDER, Kind.CANCELS),
    _order(
        "DELETE", "/orders", cancel_calls.cancel_many, Group.DELETE_ORDERS, Kind.CANCELS, cancel_calls.entries
    ),
    _order("DELETE", "/cancel-market-orders", cancel_calls.cancel_market, Group.CANCEL_MARKET, Kind.CANCELS),
    _order("DELETE", "/cancel-all", cancel_calls.cancel_all, Group.CANCEL_ALL, Kind.CANCELS),
    _mine("GET", "/data/order/{order_id}", account_calls.one_order, Group.LEDGER),
    _mine("GET", "/data/orders", account_calls.list_orders, Group.LEDGER),
    _mine("GET", "/data/pre-migration-orders", reward_calls.page, Group.LEDGER),
    _mine("GET", "/data/trades", account_calls.list_trades, Group.LEDGER, auth=Auth.READ_KEY),
    _get("/rewards/markets/current", reward_calls.page),
    _get("/rewards/markets/{condition_id}", reward_calls.page),
    _mine("GET", "/rewards/user", reward_calls.page),
    _mine("GET", "/rewards/user/total", reward_calls.rows),
    _mine("GET", "/rewards/user/markets", reward_calls.page),
    _mine("GET", "/rewards/user/percentages", reward_calls.percentages),
    _mine("GET", "/rebates/current", reward_calls.rows),
    _mine("POST", "/v1/heartbeats", account_calls.heartbeat),
    _mine("POST", "/heartbeats", account_calls.plain_heartbeat),
    _mine("GET", "/notifications", account_calls.notices, Group.NOTICES),
    _mine("DELETE", "/notifications", account_calls.drop_notices, Group.NOTICES),
    _mine("GET", "/order-scoring", account_calls.scoring),
    _mine("POST", "/orders-scoring", account_calls.many_scoring),
    _gamma("/markets/keyset", gamma_calls.markets_keyset, _MARKETS),
    _gamma("/markets/slug/{slug}", gamma_calls.market_by_slug, _MARKETS),
    _gamma("/markets/{id}", gamma_calls.market_by_id, _MARKETS),
    _gamma("/markets", gamma_calls.markets, _MARKETS),
    _gamma("/events/keyset", gamma_calls.events_keyset, _EVENTS),
    _gamma("/events/slug/{slug}", gamma_calls.event_by_slug, _EVENTS),
    _gamma("/events/{id}", gamma_calls.event_by_id, _EVENTS),
    _gamma("/events", gamma_calls.events, _EVENTS),
    _gamma("/tags", gamma_calls.tags, Group.GAMMA_TAGS),
    _gamma("/series", gamma_calls.series),
    _gamma("/sports", gamma_calls.nothing),
    _gamma("/teams", gamma_calls.nothing),
    _gamma("/public-search", gamma_calls.search, Group.GAMMA_SEARCH),
    _data("/positions", data_calls.positions, Group.DATA_POSITIONS),
    _data("/trades", data_calls.trades, Group.DATA_TRADES),
    _data("/activity", data_calls.activity),
    _data("/value", data_calls.value),
    _data("/user-stats", data_calls.user_stats),
    _data("/user-pnl", data_calls.user_pnl),
    _data("/holders", data_calls.holders),
    _data("/oi", data_calls.open_interest),
    _data("/resolutions", data_calls.resolutions),
    _data("/approvals", data_calls.approvals),
    _data("/status", data_calls.status),
    _data("/prices-history", book_calls.history),
)


class RestAnswer(msgspec.Struct, frozen=True):
    """What goes back: ``body`` is JSON or, where it is empty, nothing."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}


class Request(msgspec.Struct, frozen=True):
    """One request as it arrived: its path undecoded and without its query, header names in lower case."""

    method: str
    raw_path: str
    query: str = ""
    headers: Mapping[str, str] = {}
    body: bytes = b""


class Rest:
    """Every endpoint of one venue."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self._fixed = {(e.method, e.path): e for e in ENDPOINTS if "{" not in e.path}
        self._named = [(_pattern(e.path), e) for e in ENDPOINTS if "{" in e.path]

    def endpoint(self, request: Request) -> tuple[Endpoint, dict[str, str]]:
        """The endpoint of a request and its named steps; fixed paths come before named ones."""
        path = unquote(request.raw_path)
        found = self._fixed.get((request.method, path))
        if found is not None:
            return found, {}
        for pattern, endpoint in self._named:
            match = pattern.fullmatch(path)
            if match and endpoint.method == request.method:
                return endpoint, match.groupdict()
        raise errors.not_found("not found")

    def handle(self, request: Request, *, held: bool = False) -> RestAnswer:
        """Carry out one request; ``held`` where its order has waited inside it."""
        headers: dict[str, str] = {}
        try:
            if len(request.body) > BODY_BYTES_MAX:
                raise WireError(413, "request body too large")
            endpoint, named = self.endpoint(request)
            self.venue.exchange.advance()
            call = self.call(endpoint, request, named, headers, held=held)
            done = endpoint.handler(call)
        except WireError as error:
            return refused(error, headers)
        body = msgspec.json.encode(done.body) if done.text is None else done.text.encode()
        return RestAnswer(done.status, body, {**headers, **done.headers})

    def hold_ms(self, request: Request) -> int:
        """How long the venue holds this request up by itself, its sender being who it should."""
        try:
            endpoint, named = self.endpoint(request)
            if endpoint.handler is not order_calls.create:
                return 0
            call = Call(
                self.venue, self._authorise(endpoint, request), named, Query(request.query), request.body
            )
        except WireError:
            return 0
        return order_calls.hold_ms(call)

    def call(
        self,
        endpoint: Endpoint,
        request: Request,
        named: dict[str, str],
        headers: dict[str, str],
        *,
        held: bool,
    ) -> Call:
        """What the handler gets, once mode, signature and bucket let it through; adds to ``headers``."""
        self._check_mode(endpoint, request)
        key = self._authorise(endpoint, request)
        if key is not None and endpoint.kind is not Kind.OTHER:
            cancels = endpoint.kind is Kind.CANCELS
            charge = self.venue.signers.charge(key.address, endpoint.cost(request.body), cancels=cancels)
            headers.update(charge.headers(enforced=self.venue.signers.enforced))
            if not charge.allowed and self.venue.signers.enforced:
                raise WireError(429, "rate limit exceeded", retry_after_s=charge.wait_s)
        query = Query(request.query)
        return Call(self.venue, key, named, query, request.body, request.headers, held)

    def _check_mode(self, endpoint: Endpoint, request: Request) -> None:
        if endpoint.kind is Kind.OTHER:
            return
        engine, now_ms = self.venue.exchange.engine, self.venue.clock.wall_ms()
        cancels = endpoint.kind is Kind.CANCELS
        why = engine.refusal(now_ms, cancels=cancels)
        if why is not None and why.code and order_calls.all_post_only(request.body):
            why = engine.refusal(now_ms, cancels=cancels, post_only=True)
        if why is not None:
            raise errors.closed(why)

    def _authorise(self, endpoint: Endpoint, request: Request) -> ApiKey | None:
        if endpoint.auth in (Auth.PUBLIC, Auth.LOGIN):
            return None
        key = self.venue.keys.verify(
            request.headers, request.method, request.raw_path, request.body, self.venue.faults.now_ms()
        )
        if key.read_only and endpoint.auth is not Auth.READ_KEY:
            raise errors.unauthorized()
        return key


def refused(error: WireError, headers: Mapping[str, str] | None = None) -> RestAnswer:
    return RestAnswer(error.http, msgspec.json.encode(error.body), {**(headers or {}), **error.headers})


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))
