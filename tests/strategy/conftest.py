"""One event of three brackets with books, fair values and room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from core.domain.book import Book, new_book
from core.domain.market import CENT_GRID, FeeSchedule, FeeType, Market, Strike, StrikeKind, TickGrid, Venue
from core.domain.order import BookSide
from core.domain.position import Position
from core.domain.units import DOLLAR, Money, Price, Quantity, contracts
from core.models.fair_value import EventFair, FairValue, InputAge
from core.strategy.rules import Headroom, MarketView

NOW_MS = 1_795_400_000_000
EVENT = "KXHIGHNY-26NOV23"
STRIKES = {
    "A": Strike(StrikeKind.LESS, cap=48),
    "B": Strike(StrikeKind.BETWEEN, 48, 49),
    "C": Strike(StrikeKind.GREATER, floor=49),
}
Levels = Sequence[tuple[int, int]]


def book_of(bids: Levels, asks: Levels, grid: TickGrid = CENT_GRID) -> Book:
    """Levels as (cents, contracts)."""
    book = new_book(grid)
    for side, levels in ((BookSide.BID, bids), (BookSide.ASK, asks)):
        for cents, count in levels:
            assert book.set(side, Price(cents * 100), contracts(count))
    return book


def market_of(ticker: str, fees: FeeType = FeeType.QUADRATIC, close_ms: int = NOW_MS + 10**8) -> Market:
    return Market(
        venue=Venue.KALSHI,
        ticker=ticker,
        event_ticker=EVENT,
        series_ticker="KXHIGHNY",
        label=ticker,
        title="",
        strike=STRIKES.get(ticker, STRIKES["B"]),
        grid=CENT_GRID,
        fees=FeeSchedule(fees),
        open_ms=0,
        close_ms=close_ms,
        exclusive=True,
    )


def view_of(
    ticker: str = "B",
    bids: Levels = ((31, 120),),
    asks: Levels = ((34, 160),),
    net: int = 0,
    average: int = 30,
    **more: Any,
) -> MarketView:
    market = more.pop("market", None) or market_of(ticker)
    market = msgspec.structs.replace(market, minimum=more.pop("minimum", market.minimum))
    held = Position(contracts(net), Money(abs(net) * average * 10_000)) if net else Position()
    more.setdefault("sellable", Quantity(abs(held.net)))
    return MarketView(market, book_of(bids, asks), held, **more)


def fair_of(ticker: str = "B", probability: float = 0.382, sigma: float = 0.029) -> FairValue:
    return FairValue(
        ticker=ticker,
        event_ticker=EVENT,
        probability=probability,
        sigma=sigma,
        model="rolling",
        version="1",
        mean=48.6,
        spread=2.0,
        inputs=(InputAge("NWS", NOW_MS - 600_000, 21_600),),
        issued_ms=NOW_MS - 600_000,
        computed_ms=NOW_MS,
        model_probability=probability,
        model_sigma=sigma,
        market_probability=0.325,
    )


def event_of(*values: FairValue) -> EventFair:
    return EventFair(EVENT, "rolling", "1", 48.6, 2.0, values, why="Open-Meteo +1.5F at 14:02Z")


def room_of(**more: Any) -> Headroom:
    wide: dict[str, Any] = {
        "bankroll": Money(1_000 * DOLLAR),
        "cash": Money(900 * DOLLAR),
        "order_quantity": contracts(250),
        "order_cost": Money(50 * DOLLAR),
        "market": {t: Money(100 * DOLLAR) for t in "ABC"},
        "elsewhere": Money(0),
        "event": Money(200 * DOLLAR),
        "source": "mid-Atlantic",
        "correlated": Money(250 * DOLLAR),
        "venue": Money(500 * DOLLAR),
        "total": Money(800 * DOLLAR),
        "open_orders": 20,
    }
    return Headroom(**(wide | more))


class Made:
    """The builders, for tests."""

    now_ms = NOW_MS
    book = staticmethod(book_of)
    market = staticmethod(market_of)
    view = staticmethod(view_of)
    fair = staticmethod(fair_of)
    event = staticmethod(event_of)
    room = staticmethod(room_of)


@pytest.fixture(scope="session")
def made() -> Made:
    return Made()
