"""The Odds API v4 over the games of this world: sports, events, odds, and credits by the month.

``last_update`` moves with every look of the provider though no price has moved; games leave the lists when
they are over.
"""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.sim.feeds.around import Around
from core.sim.games import LEAGUES, Fixture, Offered

PREFIX = "/odds-api"
ADDRESSES = {"odds-api": {"api": PREFIX}}
CREDITS, BOUGHT, CALLS_A_SECOND = 500, 20_000, 30
"""Credits a month: of the free plan, and of the next one, which the desks of simulated worlds have."""
MARKETS = ("h2h", "spreads", "totals")
_REGIONS = ("us", "us2", "uk", "eu", "au")


def routes(around: Around) -> list[BaseRoute]:
    return OddsApi(around, BOUGHT).routes()


class _RefusedError(Exception):
    """A refusal with its status and the provider's code."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class OddsApi:
    """The provider. ``used`` are the credits spent in the month ``month``; a test may set both."""

    def __init__(self, around: Around, plan: int = CREDITS) -> None:
        self._around, self._credits = around, plan
        self.used, self.month = 0, ""
        self._asked_ns: deque[int] = deque(maxlen=CALLS_A_SECOND)

    def routes(self) -> list[BaseRoute]:
        async def sports(request: Request) -> Response:
            return self._answer(
                request, lambda: ([_sport(league.sport, league.title) for league in LEAGUES], 0)
            )

        async def events(request: Request) -> Response:
            return self._answer(request, lambda: ([_event(game) for game in self._games(request)], 0))

        async def odds(request: Request) -> Response:
            return self._answer(request, lambda: self._odds(request))

        return [
            Route(f"{PREFIX}/v4/sports", sports),
            Route(f"{PREFIX}/v4/sports/{{sport}}/events", events),
            Route(f"{PREFIX}/v4/sports/{{sport}}/odds", odds),
        ]

    def _answer(self, request: Request, make: Any) -> Response:
        month = datetime.fromtimestamp(self._around.now_ms() / 1000, UTC).strftime("%Y-%m")
        if month != self.month:
            self.used, self.month = 0, month
        cost = 0
        try:
            self._admit(request)
            body, cost = make()
            if self.used + cost > self._credits:
                cost = 0
                raise _RefusedError(401, "OUT_OF_USAGE_CREDITS", "Usage quota has been reached.")
            self.used += cost
            status = 200
        except _RefusedError as refused:
            body, status = {"message": refused.message, "error_code": refused.code}, refused.status
        counted = {"remaining": self._credits - self.used, "used": self.used, "last": cost}
        headers = {f"x-requests-{name}": str(number) for name, number in counted.items()}
        return Response(msgspec.json.encode(body), status, headers, "application/json")

    def _admit(self, request: Request) -> None:
        key = request.query_params.get("apiKey", "")
        if key != self._around.key:
            code = "INVALID_KEY" if key else "MISSING_KEY"
            raise _RefusedError(401, code, "API key is missing or not valid.")
        now_ns = self._around.clock.mono_ns()
        full = len(self._asked_ns) == CALLS_A_SECOND
        if full and now_ns - self._asked_ns[0] < 1_000_000_000:
            raise _RefusedError(429, "EXCEEDED_FREQ_LIMIT", "Requests are too frequent.")
        self._asked_ns.append(now_ns)

    def _games(self, request: Request) -> list[Fixture]:
        sport = request.path_params["sport"]
        if sport not in {league.sport for league in LEAGUES}:
            raise _RefusedError(404, "UNKNOWN_SPORT", "Unknown sport.")
        return [
            game for game in self._around.games.offered(self._around.now_ms()) if game.league.sport == sport
        ]

    def _odds(self, request: Request) -> tuple[list[dict[str, Any]], int]:
        query, games = request.query_params, self._games(request)
        regions, markets = query.get("regions", "").split(","), query.get("markets", "h2h").split(",")
        if not set(regions) <= set(_REGIONS):
            raise _RefusedError(422, "INVALID_REGION", "Invalid regions parameter.")
        if not set(markets) <= set(MARKETS):
            raise _RefusedError(422, "INVALID_MARKET", "Invalid markets parameter.")
        decimal = query.get("oddsFormat", "decimal") == "decimal"
        now = self._around.now_ms()
        found = []
        for game in games:
            offers = [o for o in self._around.games.offers(game, now) if o.book.region in regions]
            books = [_book(offer, markets, decimal=decimal) for offer in offers]
            found.append(_event(game) | {"bookmakers": books})
        return found, len(regions) * len(markets) if found else 0


def _sport(key: str, title: str) -> dict[str, Any]:
    group = key.partition("_")[0].title()
    words = {"group": group, "title": title, "description": title}
    return {"key": key, **words, "active": True, "has_outrights": False}


def _event(game: Fixture) -> dict[str, Any]:
    return {
        "id": game.id,
        "sport_key": game.league.sport,
        "sport_title": game.league.title,
        "commence_time": _iso(game.starts_ms),
        "home_team": game.home,
        "away_team": game.away,
    }


def _book(offer: Offered, markets: list[str], *, decimal: bool) -> dict[str, Any]:
    looked = _iso(offer.looked_ms)
    listed = []
    for market in markets:
        outcomes = []
        for priced in offer.markets[market]:
            price = priced.decimal if decimal else _american(priced.decimal)
            point = {} if priced.point is None else {"point": priced.point}
            outcomes.append({"name": priced.outcome, "price": price, **point})
        listed.append({"key": market, "last_update": looked, "outcomes": outcomes})
    return {"key": offer.book.key, "title": offer.book.title, "last_update": looked, "markets": listed}


def _american(decimal: float) -> int:
    return round((decimal - 1) * 100) if decimal >= 2 else round(-100 / (decimal - 1))


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
