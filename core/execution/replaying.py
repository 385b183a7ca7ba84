"""The ledger as the journal's rows make it: the same steps as live, without telling anybody."""

from __future__ import annotations

from collections.abc import Iterable

from core.domain.order import Order
from core.execution.events import (
    ExternalFilled,
    FeeCorrected,
    FillDropped,
    FillParked,
    LedgerEvent,
    MarketSettled,
    OrderFilled,
    OrderIntended,
    PositionAdjusted,
    SettlementStated,
    TradeStaged,
)
from core.execution.fold import fold
from core.execution.ledger import Ledger, Parked


def replay(ledger: Ledger, rows: Iterable[tuple[int, str, LedgerEvent]], now_ns: int) -> list[str]:
    """Rebuild from journal rows ``(row number, client order id, event)`` of an earlier run.

    What was on its way when that run ended is left as it was; ``Ledger.doubt`` makes it UNKNOWN. Returns
    a sentence for each row that does not fit the rows before it; such a row changes nothing.
    """
    wrong = []
    for seq, client, event in rows:
        fault = _replayed(ledger, seq, client, event, now_ns)
        if fault is not None:
            wrong.append(f"row {seq}: {fault}")
    for client in ledger.orders:
        ledger.changed_orders.touch(client)
    return wrong


def _replayed(ledger: Ledger, seq: int, client: str, event: LedgerEvent, now_ns: int) -> str | None:
    match event:
        case OrderIntended(intent=intent, sealed=sealed):
            if client in ledger.orders:
                return f"a second intent of order {client}"
            order = Order(intent, sealed_id=sealed.order_id)
            ledger.index(order, seq)
            _restore(ledger, client, order)
        case MarketSettled(report=report):
            ledger.holdings.settle(report)
        case SettlementStated(report=report):
            ledger.settled[report.ticker] = report
        case PositionAdjusted(ticker=ticker, venue=venue):
            ledger.venues[ticker] = venue
            ledger.holdings.adjust(event)
        case FillParked(fill=fill, client_order_id=named, source=source):
            ledger.venues[fill.ticker] = fill.venue
            ledger.parked[fill.trade_id] = Parked(fill, named, now_ns, source)
        case FillDropped(trade_id=trade_id):
            ledger.parked.pop(trade_id, None)
        case ExternalFilled(fill=fill):
            ledger.parked.pop(fill.trade_id, None)
            ledger.external_fills[fill.trade_id] = fill
            ledger.booked(fill)
        case FeeCorrected(fill=fill):
            if fill.trade_id not in ledger.fills:
                return f"a fee of trade {fill.trade_id}, which is not known"
            ledger.charge(event, client)
        case TradeStaged():
            ledger.staged(event)
        case _:
            if client not in ledger.orders:
                return f"order {client} has no intent"
            _restore(ledger, client, fold(ledger.orders[client], event).order)
            if isinstance(event, OrderFilled) and event.fill.trade_id not in ledger.fills:
                ledger.parked.pop(event.fill.trade_id, None)
                ledger.booked(event.fill)
    return None


def _restore(ledger: Ledger, client: str, order: Order) -> None:
    ledger.put(order)
    if order.order_id:
        ledger.by_order_id.setdefault(order.order_id, client)
