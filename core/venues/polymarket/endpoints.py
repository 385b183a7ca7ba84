"""The reads of this venue, with the bucket each draws from and its cost there.

Four roots: Gamma lists, the CLOB has books and the account, the Data API is a late witness, and the web site
says whether we may trade from here. What creates orders is in ``orders.py``, what cancels in ``cancels.py``.
"""

from __future__ import annotations

from typing import Final

from core.venues.endpoint import Endpoint
from core.venues.limiter import Kind
from core.venues.polymarket.limits import share
from core.venues.retry import CallClass


def _lists(path: str, calls: float) -> Endpoint:
    return Endpoint("GET", path, Kind.LISTS, share(300, calls), CallClass.METADATA)


def _books(path: str, calls: float, method: str = "GET") -> Endpoint:
    return Endpoint(method, path, Kind.BOOKS, share(500, calls), CallClass.METADATA)


def _ours(path: str, kind: Kind = Kind.READ, cost: float = 1.0) -> Endpoint:
    return Endpoint("GET", path, kind, cost, ours=True)


# Gamma
EVENTS: Final = _lists("/events/keyset", 500)
MARKETS: Final = _lists("/markets/keyset", 300)
MARKET_BY_SLUG: Final = _lists("/markets/slug/{slug}", 300)
EVENT_BY_SLUG: Final = _lists("/events/slug/{slug}", 500)
TAGS: Final = _lists("/tags", 200)
SERIES: Final = _lists("/series", 200)
SEARCH: Final = _lists("/public-search", 350)

# CLOB, public
BOOK: Final = _books("/book", 1_500)
BOOKS: Final = _books("/books", 500, "POST")
PRICE: Final = _books("/price", 1_500)
PRICES: Final = _books("/prices", 500, "POST")
MIDPOINT: Final = _books("/midpoint", 1_500)
MIDPOINTS: Final = _books("/midpoints", 500, "POST")
SPREAD: Final = _books("/spread", 500)
SPREADS: Final = _books("/spreads", 500, "POST")
LAST_PRICE: Final = _books("/last-trade-price", 500)
TICK_SIZE: Final = _books("/tick-size", 200)
NEG_RISK: Final = _books("/neg-risk", 200)
HISTORY: Final = _books("/prices-history", 1_000)
CLOB_MARKET: Final = _books("/clob-markets/{condition_id}", 500)
TIME: Final = _books("/time", 500)
VERSION: Final = _books("/version", 500)
OK: Final = _books("/ok", 100)

# CLOB, the account
ORDER: Final = _ours("/data/order/{order_id}")
ORDERS: Final = _ours("/data/orders")
TRADES: Final = _ours("/data/trades")
BALANCE: Final = _ours("/balance-allowance", Kind.BALANCE)
REFRESH_BALANCE: Final = _ours("/balance-allowance/update", Kind.BALANCE, share(200, 50))
CLOSED_ONLY: Final = _ours("/auth/ban-status/closed-only")

# Data API
POSITIONS: Final = Endpoint("GET", "/v2/positions", Kind.HISTORY, 1.0, CallClass.METADATA)

# The web site
GEOBLOCK: Final = Endpoint("GET", "/api/geoblock", Kind.LISTS, 1.0, CallClass.METADATA)
