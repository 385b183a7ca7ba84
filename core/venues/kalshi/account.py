"""What the account holds and did, read over REST."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from core.domain.order import Fill
from core.domain.units import Quantity
from core.venues.exchange import Cash
from core.venues.kalshi import endpoints as ep
from core.venues.kalshi import reports
from core.venues.limiter import Priority
from core.venues.reader import Reader
from core.venues.venue import (
    Incomplete,
    OrderReport,
    PositionReport,
    ReportStatus,
    SettlementReport,
)
from core.venues.wire import Odd, WireError, quantity

PAGE: Final = 200
QUEUE_TICKERS_MAX: Final = 100


class _OrderPage(msgspec.Struct, frozen=True):
    order: reports.OrderWire | None = None
    error: object = None
    code: object = None


_order_page = msgspec.json.Decoder(_OrderPage)
_orders = msgspec.json.Decoder(reports.OrderWire)
_fills = msgspec.json.Decoder(reports.FillWire)
_positions = msgspec.json.Decoder(reports.PositionWire)
_settlements = msgspec.json.Decoder(reports.SettlementWire)
_queue = msgspec.json.Decoder(reports.QueuePage)
_place = msgspec.json.Decoder(reports.PlaceWire)
_balance = msgspec.json.Decoder(reports.BalanceWire)


def _since(since_ms: int | None) -> dict[str, str | int]:
    query: dict[str, str | int] = {"limit": PAGE}
    if since_ms is not None:
        query["min_ts"] = since_ms // 1_000
    return query


def _order(page: _OrderPage, odd: Odd) -> OrderReport | None:
    """An accepted 404 has no order but an error; any other body without one proves nothing."""
    if page.order is not None:
        return reports.order_report(page.order, odd)
    if page.error is None and page.code is None:
        raise WireError("neither an order nor an error")
    return None


def _ahead(page: reports.QueuePage, odd: Odd) -> dict[str, Quantity]:
    rows = page.queue_positions or ()
    return {row.order_id: quantity(row.queue_position_fp, "queue_position_fp") for row in rows}


class Account:
    """The reads of ``VenueGateway`` that concern one account."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def order(self, order_id: str) -> OrderReport | Incomplete | None:
        """``None`` only for the venue's own 404."""
        path = ep.ORDER.at(order_id=order_id)
        return await self._reader.one(
            ep.ORDER,
            f"order {order_id}",
            Priority.FLATTEN,
            _order_page,
            _order,
            path=path,
            accept=frozenset({404}),
        )

    async def orders(
        self, ticker: str | None, status: ReportStatus | None, since_ms: int | None
    ) -> tuple[OrderReport, ...] | Incomplete:
        query = _since(since_ms)
        if ticker is not None:
            query["ticker"] = ticker
        if status is not None:
            query["status"] = status.value
        # One market's orders are read to find one whose fate is unknown.
        priority = Priority.RECONCILE if ticker is None else Priority.FLATTEN
        return await self._reader.every(ep.ORDERS, "orders", priority, query, _orders, reports.order_report)

    async def queue_ahead(self, tickers: Sequence[str]) -> Mapping[str, Quantity] | Incomplete:
        ahead: dict[str, Quantity] = {}
        for start in range(0, len(tickers), QUEUE_TICKERS_MAX):
            asked = {"market_tickers": ",".join(tickers[start : start + QUEUE_TICKERS_MAX])}
            part = await self._reader.one(
                ep.QUEUE, "queue positions", Priority.BACKGROUND, _queue, _ahead, query=asked
            )
            if isinstance(part, Incomplete):
                return part
            ahead.update(part)
        return ahead

    async def queue_ahead_of(self, order_id: str) -> Quantity | Incomplete:
        """Contracts before one order."""
        path = ep.QUEUE_OF_ONE.at(order_id=order_id)
        return await self._reader.one(
            ep.QUEUE_OF_ONE,
            f"queue position of {order_id}",
            Priority.BACKGROUND,
            _place,
            lambda row, odd: quantity(row.queue_position_fp, "queue_position_fp"),
            path=path,
        )

    async def fills(self, since_ms: int | None) -> tuple[Fill, ...] | Incomplete:
        return await self._reader.every(
            ep.FILLS,
            "fills",
            Priority.RECONCILE,
            _since(since_ms),
            _fills,
            lambda row, odd: reports.fill(row, odd)[0],
        )

    async def positions(self) -> tuple[PositionReport, ...] | Incomplete:
        return await self._reader.every(
            ep.POSITIONS,
            "market_positions",
            Priority.RECONCILE,
            _since(None),
            _positions,
            reports.position_report,
        )

    async def settlements(self, since_ms: int | None) -> tuple[SettlementReport, ...] | Incomplete:
        return await self._reader.every(
            ep.SETTLEMENTS,
            "settlements",
            Priority.RECONCILE,
            _since(since_ms),
            _settlements,
            reports.settlement_report,
        )

    async def cash(self) -> Cash | Incomplete:
        return await self._reader.one(ep.BALANCE, "balance", Priority.RECONCILE, _balance, reports.cash)
