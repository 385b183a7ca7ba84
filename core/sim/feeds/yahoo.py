"""Yahoo's chart endpoint: the last price with its time, and minute bars with gaps in them.

Its edge holds an answer for ten seconds, and refuses agents that name nothing but their HTTP library.
"""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from core.sim.feeds.around import Around

ADDRESSES = {"yahoo": {"api": "/yahoo"}}
EDGE_MS = 10_000
BARS = 5
MINUTE_MS, DAY_MS = 60_000, 86_400_000
_LIBRARIES = ("python-", "curl/", "httpx", "aiohttp")


class Listing(msgspec.Struct, frozen=True):
    """One symbol: whose price of this world it shows, and what it is."""

    name: str
    currency: str
    exchange: str
    kind: str


LISTINGS = {
    "EURUSD=X": Listing("EUR/USD", "USD", "CCY", "CURRENCY"),
    "JPY=X": Listing("USD/JPY", "JPY", "CCY", "CURRENCY"),
    "^GSPC": Listing("SPX", "USD", "SNP", "INDEX"),
    "^NDX": Listing("NDX", "USD", "NIM", "INDEX"),
    "^VIX": Listing("VIX", "USD", "CXI", "INDEX"),
    "SPY": Listing("SPY", "USD", "PCX", "ETF"),
}


class Yahoo:
    """The provider, with what may be wrong with it."""

    def __init__(self, around: Around) -> None:
        self.around = around
        self.throttled = False
        """Whether everything is answered with 429 and a line of text."""
        self.consent = False
        """Whether everything is answered with a page that wants a click."""
        self.frozen: dict[str, int] = {}
        """Symbols whose price and time stand still, with that time (Unix ms)."""
        self.empty: set[str] = set()
        """Symbols that come without a price."""

    def routes(self) -> list[BaseRoute]:
        async def chart(request: Request) -> Response:
            return self.chart(request)

        return [Route(f"{ADDRESSES['yahoo']['api']}/v8/finance/chart/{{symbol}}", chart)]

    def chart(self, request: Request) -> Response:
        agent = request.headers.get("user-agent", "").lower()
        if self.throttled or not agent or agent.startswith(_LIBRARIES):
            return PlainTextResponse("Edge: Too Many Requests", 429)
        if self.consent:
            return HTMLResponse("<!DOCTYPE html><title>Before you continue</title>")
        symbol = request.path_params["symbol"]
        if symbol not in LISTINGS:
            missing = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
            return JSONResponse({"chart": {"result": None, "error": missing}}, 404)
        body = {"chart": {"result": [self._result(symbol)], "error": None}}
        return JSONResponse(body, headers={"Cache-Control": "public, max-age=10, stale-while-revalidate=20"})

    def _result(self, symbol: str) -> dict[str, Any]:
        listing, prices = LISTINGS[symbol], self.around.prices
        now_ms = self.frozen.get(symbol, self.around.now_ms() // EDGE_MS * EDGE_MS)
        last_ms = prices.last_ms(listing.name, now_ms)
        ends = [last_ms - back * MINUTE_MS for back in range(BARS, -1, -1)]
        values = [prices.value(listing.name, at_ms, "yahoo") for at_ms in ends]
        meta = {
            "currency": listing.currency,
            "symbol": symbol,
            "exchangeName": listing.exchange,
            "instrumentType": listing.kind,
            "regularMarketTime": last_ms // 1000,
            "gmtoffset": 0,
            "timezone": "UTC",
            "exchangeTimezoneName": "UTC",
            "regularMarketPrice": None if symbol in self.empty else values[-1],
            "chartPreviousClose": prices.value(listing.name, last_ms - DAY_MS, "yahoo"),
            "priceHint": 4 if listing.kind == "CURRENCY" else 2,
            "dataGranularity": "1m",
            "range": "1d",
        }
        bars = [_bar(one, other) for one, other in itertools.pairwise(values)]
        bars[1] = dict.fromkeys(bars[1])
        columns = {name: [bar[name] for bar in bars] for name in bars[0]}
        times = [at_ms // 1000 for at_ms in ends[:-1]]
        return {"meta": meta, "timestamp": times, "indicators": {"quote": [columns]}}


def routes(around: Around) -> list[BaseRoute]:
    return Yahoo(around).routes()


def _bar(first: float, last: float) -> dict[str, float | None]:
    return {"open": first, "high": max(first, last), "low": min(first, last), "close": last, "volume": 0}
