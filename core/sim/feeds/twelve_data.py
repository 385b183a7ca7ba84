"""Twelve Data: currency pairs on a WebSocket and by ``/quote``, as its smallest plan has them.

One connection a key, an older one is closed for it; times in whole seconds, so that several prices share
one; errors in bodies under 200; credits by the fixed minute and the day (UTC).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from core.sim.feeds.around import Around
from core.sim.feeds.pushing import HangUpError, converse

ADDRESSES = {"twelve-data": {"stream": "/twelve-data/v1/quotes/price", "api": "/twelve-data"}}
PAIRS = {
    "EUR/USD": ("Euro", "US Dollar"),
    "GBP/USD": ("British Pound", "US Dollar"),
    "USD/JPY": ("US Dollar", "Japanese Yen"),
}
SOURCE = "twelve-data"
CREDITS_MINUTE, CREDITS_DAY = 8, 800
SPREAD_MS = 400
"""Between two prices that come with the same second."""
MINUTE_MS, DAY_MS = 60_000, 86_400_000


class Symbol(msgspec.Struct, frozen=True):
    symbol: str


class Params(msgspec.Struct, frozen=True):
    symbols: str | tuple[Symbol, ...]
    """``EUR/USD,USD/JPY`` or a list of objects."""

    def names(self) -> list[str]:
        if isinstance(self.symbols, str):
            return [name.strip() for name in self.symbols.split(",") if name.strip()]
        return [one.symbol for one in self.symbols]


class Command(msgspec.Struct, frozen=True):
    action: str
    params: Params = Params("")


class TwelveData:
    """The provider, with what may be wrong with it."""

    def __init__(self, around: Around) -> None:
        self.around = around
        self.refused: set[str] = set()
        """Pairs whose subscription fails."""
        self.silent: set[str] = set()
        """Pairs whose subscription succeeds, and of which nothing is said."""
        self.frozen: set[str] = set()
        """Pairs of which the last price is said again and again, with its old time."""
        self.mute = False
        """Whether heartbeats are answered with nothing."""
        self.spent_credits: dict[int, int] = {}
        """Credits of today, by the minute (world)."""
        self._talks: list[_Talk] = []

    def routes(self) -> list[BaseRoute]:
        async def stream(socket: WebSocket) -> None:
            if not self._admits(socket.headers.get("x-td-apikey"), socket.query_params.get("apikey")):
                await socket.send_denial_response(_refusal(401, "apikey parameter is incorrect", 401))
                return
            talk = _Talk(self)
            for older in self._talks:
                older.replaced = True
            self._talks.append(talk)
            try:
                await converse(socket, talk)
            finally:
                self._talks.remove(talk)

        async def quote(request: Request) -> Response:
            return self.quote(request)

        paths = ADDRESSES["twelve-data"]
        return [WebSocketRoute(paths["stream"], stream), Route(f"{paths['api']}/quote", quote)]

    def quote(self, request: Request) -> Response:
        header = request.headers.get("authorization", "").removeprefix("apikey ")
        if not self._admits(header, request.query_params.get("apikey")):
            return _refusal(401, "apikey parameter is incorrect or not specified")
        spent = self._spend()
        if spent:
            return _refusal(429, f"You have run out of API credits for the current {spent}.")
        pair = request.query_params.get("symbol", "")
        if pair not in PAIRS:
            return _refusal(404, "symbol parameter is missing or invalid")
        prices, now_ms = self.around.prices, self.around.now_ms()
        last_ms = prices.last_ms(pair, now_ms)
        last, before = (prices.value(pair, at_ms, SOURCE) for at_ms in (last_ms, last_ms - DAY_MS))
        return JSONResponse({
            "symbol": pair,
            "name": " / ".join(PAIRS[pair]),
            "exchange": "Forex",
            "datetime": f"{datetime.fromtimestamp(last_ms / 1000, UTC):%Y-%m-%d}",
            "timestamp": last_ms // DAY_MS * DAY_MS // 1000,
            "last_quote_at": last_ms // 1000,
            "open": f"{before:.5f}",
            "high": f"{max(last, before):.5f}",
            "low": f"{min(last, before):.5f}",
            "close": f"{last:.5f}",
            "previous_close": f"{before:.5f}",
            "change": f"{last - before:.5f}",
            "percent_change": f"{(last / before - 1) * 100:.5f}",
            "is_market_open": prices.is_open(pair, now_ms),
        })  # fmt: skip

    def _admits(self, *given: str | None) -> bool:
        return self.around.key in given

    def _spend(self) -> str:
        """Take a credit; of which quota there is none left."""
        minute = self.around.now_ms() // MINUTE_MS
        today = DAY_MS // MINUTE_MS
        self.spent_credits = {at: n for at, n in self.spent_credits.items() if at // today == minute // today}
        if sum(self.spent_credits.values()) >= CREDITS_DAY:
            return "day"
        if self.spent_credits.get(minute, 0) >= CREDITS_MINUTE:
            return "minute"
        self.spent_credits[minute] = self.spent_credits.get(minute, 0) + 1
        return ""


def routes(around: Around) -> list[BaseRoute]:
    return TwelveData(around).routes()


class _Talk:
    """One connection."""

    def __init__(self, at: TwelveData) -> None:
        self.replaced = False
        self._at = at
        self._pairs: list[str] = []
        self._last: dict[str, bytes] = {}

    def hear(self, text: str) -> Iterator[bytes]:
        try:
            command = msgspec.json.decode(text, type=Command)
        except msgspec.DecodeError:
            yield msgspec.json.encode({"status": "error", "code": 400, "message": "the event does not parse"})
            return
        match command.action:
            case "heartbeat":
                if not self._at.mute:
                    yield msgspec.json.encode({"event": "heartbeat", "status": "ok"})
            case "reset":
                self._pairs.clear()
                yield msgspec.json.encode({"event": "reset-status", "status": "ok"})
            case "subscribe":
                yield self._subscribed(command.params.names())
            case "unsubscribe":
                dropped = command.params.names()
                self._pairs = [pair for pair in self._pairs if pair not in dropped]

    def tick(self) -> Iterator[bytes]:
        if self.replaced:
            raise HangUpError("a newer connection has taken the place of this one", 1008)
        prices, now_ms = self._at.around.prices, self._at.around.now_ms()
        for pair in self._pairs:
            if pair in self._at.silent or not prices.is_open(pair, now_ms):
                continue
            if pair not in self._at.frozen or pair not in self._last:
                seconds = now_ms // 1000
                yield self._price(pair, now_ms - SPREAD_MS, seconds)
                self._last[pair] = self._price(pair, now_ms, seconds)
            yield self._last[pair]

    def _subscribed(self, asked: list[str]) -> bytes:
        taken = [pair for pair in asked if pair in PAIRS and pair not in self._at.refused]
        self._pairs = list(dict.fromkeys([*self._pairs, *taken]))
        fails = [{"symbol": pair} for pair in asked if pair not in taken]
        described = {"exchange": "FOREX", "country": "", "type": "Physical Currency"}
        return msgspec.json.encode({
            "event": "subscribe-status",
            "status": "error" if fails else "ok",
            "success": [{"symbol": pair} | described for pair in taken],
            "fails": fails or None,
        })  # fmt: skip

    def _price(self, pair: str, at_ms: int, seconds: int) -> bytes:
        prices = self._at.around.prices
        bid, ask = prices.bid_ask(pair, at_ms, SOURCE)
        base, quote = PAIRS[pair]
        return msgspec.json.encode({
            "event": "price",
            "symbol": pair,
            "currency_base": base,
            "currency_quote": quote,
            "exchange": "FOREX",
            "type": "Physical Currency",
            "timestamp": seconds,
            "price": prices.value(pair, at_ms, SOURCE),
            "bid": bid,
            "ask": ask,
        })  # fmt: skip


def _refusal(code: int, message: str, status: int = 200) -> Response:
    """An error as a body of its own; on the API under 200."""
    return JSONResponse({"code": code, "message": message, "status": "error"}, status)
