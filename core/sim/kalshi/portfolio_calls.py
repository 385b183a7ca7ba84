"""Signed reads of one account: balance, positions, orders, fills, settlements.

While a lost order is hidden (see ``core.sim.faults``) these calls answer as if it did not exist,
positions and balance included.
"""

from __future__ import annotations

from core.domain.units import Money, Quantity, quantity_text
from core.sim.accounts import Account, Holding, requirement
from core.sim.kalshi import shapes
from core.sim.kalshi.call import Answer, Call
from core.sim.kalshi.errors import invalid_parameter, not_found
from core.sim.kalshi.shapes import Wire
from core.sim.orders import Fill, Order, OrderStatus


def balance(call: Call) -> Answer:
    """Available cash: what resting orders may still cost is already taken off."""
    call.check_primary(call.number("subaccount"))
    account, exchange = call.account, call.exchange
    moved = sum(f.balance_change for f in account.fills if not _visible(call, f))
    available = Money(account.available - moved + _hidden_reserve(call, account))
    return Answer(
        {
            "balance": available // 10_000,
            "balance_dollars": shapes.dollars4(available),
            "portfolio_value": shapes.portfolio_value(exchange, account) // 10_000,
            "updated_ts": call.venue.clock.wall_ms() // 1000,
            "balance_breakdown": [{"exchange_index": 0, "balance": shapes.dollars4(available)}],
        }
    )


def positions(call: Call) -> Answer:
    call.check_primary(call.number("subaccount"))
    exchange, account = call.exchange, call.account
    status = call.choice("settlement_status", ("unsettled", "settled", "all"), "unsettled")
    event, wanted = call.text("event_ticker"), set(call.words("ticker"))
    rows: list[tuple[str, Holding, Quantity]] = []
    for ticker, holding in account.holdings.items():
        spec = exchange.markets[ticker].spec
        if (
            (status == "all" or holding.settled == (status == "settled"))
            and (not event or spec.event_ticker == event)
            and (not wanted or ticker in wanted)
            and holding.volume
        ):
            rows.append((ticker, holding, _seen_position(call, account, ticker)))
    if "position" in call.words("count_filter"):
        rows = [row for row in rows if row[2]]
    shown, cursor = call.page(rows, lambda row: row[0], most=1000, default=100)
    by_event: dict[str, list[Holding]] = {}
    for ticker, holding, _ in shown:
        by_event.setdefault(exchange.markets[ticker].spec.event_ticker, []).append(holding)
    return Answer(
        {
            "market_positions": [shapes.position(t, h, p, _shard(call, t)) for t, h, p in shown],
            "event_positions": [shapes.event_position(e, held) for e, held in by_event.items()],
            "cursor": cursor,
        }
    )


def list_orders(call: Call) -> Answer:
    call.check_primary(call.number("subaccount"))
    account, events = call.account, set(call.words("event_ticker"))
    status, ticker = call.choice("status", [s.value for s in OrderStatus]), call.text("ticker")
    rows = [
        order
        for order in _orders(account)
        if _visible(call, order)
        and (not status or order.status.value == status)
        and (not ticker or order.ticker == ticker)
        and (not events or call.exchange.markets[order.ticker].spec.event_ticker in events)
        and call.within("min_ts", "max_ts", order.created_ms)
    ]
    rows.sort(key=lambda order: order.number, reverse=True)
    shown, cursor = call.page(rows, lambda order: order.order_id, most=1000, default=100)
    return Answer({"orders": [_order(call, order) for order in shown], "cursor": cursor})


def one_order(call: Call) -> Answer:
    return Answer({"order": _order(call, _find(call))})


def queue_position(call: Call) -> Answer:
    order = _find(call)
    if order.status is not OrderStatus.RESTING:
        raise not_found("resting order")
    ahead = call.exchange.book(order.ticker).ahead_of(order)
    return Answer({"queue_position_fp": quantity_text(ahead)})


def queue_positions(call: Call) -> Answer:
    tickers, event = set(call.words("market_tickers")), call.text("event_ticker")
    if not tickers and not event:
        raise invalid_parameter("market_tickers or event_ticker is required")
    markets = call.exchange.markets
    rows: list[Wire] = [
        {
            "order_id": order.order_id,
            "market_ticker": order.ticker,
            "queue_position_fp": quantity_text(call.exchange.book(order.ticker).ahead_of(order)),
        }
        for order in call.account.working.values()
        if _visible(call, order)
        and (order.ticker in tickers or (event and markets[order.ticker].spec.event_ticker == event))
    ]
    return Answer({"queue_positions": rows})


def list_fills(call: Call) -> Answer:
    call.check_primary(call.number("subaccount"))
    wanted, order_id = set(call.words("ticker")), call.text("order_id")
    rows = [
        fill
        for fill in reversed(call.account.fills)
        if _visible(call, fill)
        and (not wanted or fill.ticker in wanted)
        and (not order_id or fill.order_id == order_id)
        and call.within("min_ts", "max_ts", fill.ts_ms)
    ]
    shown, cursor = call.page(rows, lambda fill: fill.trade_id, most=1000, default=100)
    return Answer({"fills": [shapes.fill(f, _shard(call, f.ticker)) for f in shown], "cursor": cursor})


def list_settlements(call: Call) -> Answer:
    call.check_primary(call.number("subaccount"))
    ticker, event = call.text("ticker"), call.text("event_ticker")
    rows = [
        paid
        for paid in reversed(call.account.settlements)
        if (not ticker or paid.ticker == ticker)
        and (not event or paid.event_ticker == event)
        and call.within("min_ts", "max_ts", paid.settled_world_ms)
    ]
    shown, cursor = call.page(rows, lambda paid: paid.ticker, most=1000, default=100)
    settled = [shapes.settlement(paid, _shard(call, paid.ticker)) for paid in shown]
    return Answer({"settlements": settled, "cursor": cursor})


def _orders(account: Account) -> list[Order]:
    return [*account.working.values(), *account.finished.values()]


def _visible(call: Call, of: Order | Fill) -> bool:
    return not call.venue.faults.hides(call.account.name, of.client_order_id)


def _seen_position(call: Call, account: Account, ticker: str) -> Quantity:
    unseen = sum(f.side.sign * f.count for f in account.fills if f.ticker == ticker and not _visible(call, f))
    return Quantity(account.position(ticker) - unseen)


def _hidden_reserve(call: Call, account: Account) -> int:
    """What is set aside for resting orders that are hidden."""
    hidden = [order for order in account.working.values() if not _visible(call, order)]
    return sum(
        account.reserved_by.get(ticker, 0)
        - requirement(account, ticker, call.exchange.fees_of(ticker), without=hidden)
        for ticker in {order.ticker for order in hidden}
    )


def _find(call: Call) -> Order:
    order = call.exchange.order(call.account.name, call.path["order_id"])
    if order is None or not _visible(call, order):
        raise not_found("order")
    return order


def _order(call: Call, order: Order) -> Wire:
    return shapes.order(call.account, order, _shard(call, order.ticker))


def _shard(call: Call, ticker: str) -> int:
    return call.exchange.markets[ticker].spec.exchange_index
