"""The account beyond the venue's cutoff: orders, fills and settled positions that left the live lists."""

from __future__ import annotations

from typing import Final

import msgspec

from core.domain.order import Fill
from core.venues.kalshi import endpoints as ep
from core.venues.kalshi import reports
from core.venues.limiter import Priority
from core.venues.reader import Parameters, Reader, Window, windowed
from core.venues.venue import Incomplete, OrderReport, PositionReport

PAGE: Final = 1_000

_orders = msgspec.json.Decoder(reports.OrderWire)
_fills = msgspec.json.Decoder(reports.FillWire)
_positions = msgspec.json.Decoder(reports.PositionWire)


def _asked(ticker: str, window: Window = Window()) -> Parameters:
    query = windowed({"limit": PAGE}, window)
    if ticker:
        query["ticker"] = ticker
    return query


async def read_old_orders(
    reader: Reader, window: Window = Window(), ticker: str = ""
) -> tuple[OrderReport, ...] | Incomplete:
    return await reader.every(
        ep.OLD_ORDERS, "orders", Priority.BACKGROUND, _asked(ticker, window), _orders, reports.order_report
    )


async def read_old_fills(
    reader: Reader, window: Window = Window(), ticker: str = ""
) -> tuple[Fill, ...] | Incomplete:
    return await reader.every(
        ep.OLD_FILLS,
        "fills",
        Priority.BACKGROUND,
        _asked(ticker, window),
        _fills,
        lambda row, odd: reports.fill(row, odd)[0],
    )


async def read_old_positions(reader: Reader, ticker: str = "") -> tuple[PositionReport, ...] | Incomplete:
    return await reader.every(
        ep.OLD_POSITIONS,
        "market_positions",
        Priority.BACKGROUND,
        _asked(ticker),
        _positions,
        reports.position_report,
    )
