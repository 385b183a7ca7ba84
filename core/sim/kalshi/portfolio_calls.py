"""Signed reads of a member: balance, positions, orders, fills, settlements.

While a lost order is hidden (see ``core.sim.faults``) these calls answer as if it did not exist,
positions and balance included. While reads lag they show each account as it was. What the archive
has taken over is left out.
"""

from __future__ import annotations

from core.domain.units import Money, Quantity, quantity_text
from core.sim.accounts import Account, Holding, requirement
from core.sim.kalshi import shapes
from core.sim.kalshi.call import Answer, Call
from core.sim.kalshi.errors import invalid_parameter, not_found
from core.sim.kalshi.shapes import Wire
from core.sim.orders import Fill, Order, OrderStatus

TICKERS_MAX = 100
"""Of a comma-separated filter."""


def balance(call: Call) -> Answer:
    """Cash by shard. What resting orders may still cost is already taken off, where that is the custom."""
    account, exchange, only = call.seen(), call.exchange, call.number("exchange_index")
    by_shard = {
        index: _seen_cash(call, account, index)
        for index in sorted(account.purses)
        if only is None or index == only
    }
    available = Money(sum(by_shard.values()))
    value = shapes.portfolio_value(exchange, account, only)
    shape: Wire = {
        "balance": available // 10_000,
        "balance_dollars": shapes.dollars4(available),
        "portfolio_value": value // 10_000,
        "updated_ts": call.venue.lag.as_of_ms() // 1000,
    }
    if call.key is not None and call.key.subaccount is None:
        rows = [{"exchange_index": i, "balance": shapes.dollars4(cash)} for i, cash in by_shard.items()]
        shape["balance_breakdown"] = rows
    return Answer(shape)


def positions(call: Call) -> Answer:
    """Of one account; settled ones move to the archive."""
    account, status = (
        call.seen(),
        call.choice("settlement_status", ("unsettled", "settled", "all"), "unsettled"),
    )
    cutoff_ms = call.venue.archive.positions_updated_ms
    rows = [
        (ticker, holding)
        for ticker, holding in chosen_positions(call, account)
        if (status == "all" or holding.settled == (status == "settled"))
        and not (holding.settled and holding.updated_ms < cutoff_ms)
    ]
    return Answer(position_page(call, account, rows))


def chosen_positions(call: Call, account: Account) -> list[tuple[str, Holding]]:
    """The account's positions that were ever traded, by the filters every list of them has."""
    event, ticker, shard = call.text("event_ticker"), call.text("ticker"), call.number("exchange_index")
    rows = []
    for name, holding in account.holdings.items():
        spec = call.exchange.markets[name].spec
        if (
            holding.volume
            and (not event or spec.event_ticker == event)
            and (not ticker or name == ticker)
            and (shard is None or spec.exchange_index == shard)
        ):
            rows.append((name, holding))
    return rows


def position_page(call: Call, account: Account, of: list[tuple[str, Holding]]) -> Wire:
    """One page of positions and the events they belong to."""
    rows = [(ticker, holding, _seen_position(call, account, ticker)) for ticker, holding in of]
    counted = call.words("count_filter")
    if "position" in counted:
        rows = [row for row in rows if row[2]]
    if "total_traded" in counted:
        rows = [row for row in rows if row[1].traded]
    shown, cursor = call.page(rows, lambda row: row[0], most=1000, default=100)
    by_event: dict[str, list[Holding]] = {}
    for ticker, holding, _ in shown:
        by_event.setdefault(call.exchange.markets[ticker].spec.event_ticker, []).append(holding)
    return {
        "market_positions": [shapes.position(t, h, p, shard_of(call, t)) for t, h, p in shown],
        "event_positions": [shapes.event_position(e, held) for e, held in by_event.items()],
        "cursor": cursor,
    }


def list_orders(call: Call) -> Answer:
    status = call.choice("status", [s.value for s in OrderStatus])
    cutoff_ms = call.venue.archive.orders_updated_ms
    rows = [
        (account, order)
        for account, order in chosen_orders(call, working_only=status == OrderStatus.RESTING.value)
        if (not status or order.status.value == status)
        and (order.status is OrderStatus.RESTING or order.updated_ms >= cutoff_ms)
    ]
    return Answer(order_page(call, rows))


def chosen_orders(call: Call, *, working_only: bool = False) -> list[tuple[Account, Order]]:
    """Orders by the filters every list of them has, newest first."""
    events = set(call.words("event_ticker", most=TICKERS_MAX))
    ticker, shard = call.text("ticker"), call.number("exchange_index")
    rows = [
        (account, order)
        for account in call.accounts()
        for order in (*account.working.values(), *(() if working_only else account.finished.values()))
        if not _hidden(call, account, order)
        and (not ticker or order.ticker == ticker)
        and (not events or call.exchange.markets[order.ticker].spec.event_ticker in events)
        and (shard is None or shard_of(call, order.ticker) == shard)
        and call.within("min_ts", "max_ts", order.created_ms)
    ]
    rows.sort(key=lambda row: row[1].number, reverse=True)
    return rows


def order_page(call: Call, rows: list[tuple[Account, Order]]) -> Wire:
    shown, cursor = call.page(rows, lambda row: row[1].order_id, most=1000, default=100)
    orders = [shapes.order(call.exchange, account, order) for account, order in shown]
    return {"orders": orders, "cursor": cursor}


def one_order(call: Call) -> Answer:
    account, order = _find(call)
    return Answer({"order": shapes.order(call.exchange, account, order)})


def queue_position(call: Call) -> Answer:
    _, order = _find(call)
    live = call.exchange.accounts[order.account].working.get(order.order_id)
    if live is None:
        raise not_found("resting order")
    return Answer({"queue_position_fp": quantity_text(call.exchange.book(order.ticker).ahead_of(live))})


def queue_positions(call: Call) -> Answer:
    tickers, event = set(call.words("market_tickers")), call.text("event_ticker")
    if not tickers and not event:
        raise invalid_parameter("market_tickers or event_ticker is required")
    markets, account = call.exchange.markets, call.account
    rows: list[Wire] = [
        {
            "order_id": order.order_id,
            "market_ticker": order.ticker,
            "queue_position_fp": quantity_text(call.exchange.book(order.ticker).ahead_of(order)),
        }
        for order in account.working.values()
        if not _hidden(call, account, order)
        and (order.ticker in tickers or (event and markets[order.ticker].spec.event_ticker == event))
    ]
    return Answer({"queue_positions": rows})


def list_fills(call: Call) -> Answer:
    cutoff_ms = call.venue.archive.trades_created_ms
    return Answer(fill_page(call, [row for row in chosen_fills(call) if row[1].ts_ms >= cutoff_ms]))


def chosen_fills(call: Call) -> list[tuple[Account, Fill]]:
    """Fills by the filters every list of them has, newest first."""
    wanted, order_id = set(call.words("ticker", most=TICKERS_MAX)), call.text("order_id")
    shard, accounts = call.number("exchange_index"), call.accounts()
    rows = [
        (account, fill)
        for account in accounts
        for fill in reversed(account.fills)
        if not _hidden(call, account, fill)
        and (not wanted or fill.ticker in wanted)
        and (not order_id or fill.order_id == order_id)
        and (shard is None or shard_of(call, fill.ticker) == shard)
        and call.within("min_ts", "max_ts", fill.ts_ms)
    ]
    if len(accounts) > 1:
        rows.sort(key=lambda row: row[1].ts_ms, reverse=True)
    return rows


def fill_page(call: Call, rows: list[tuple[Account, Fill]]) -> Wire:
    shown, cursor = call.page(rows, lambda row: row[1].trade_id, most=1000, default=100)
    return {"fills": [shapes.fill(call.exchange, account, of) for account, of in shown], "cursor": cursor}


def list_settlements(call: Call) -> Answer:
    ticker, event = call.text("ticker"), call.text("event_ticker")
    rows = [
        (account, paid)
        for account in call.accounts()
        for paid in reversed(account.settlements)
        if (not ticker or paid.ticker == ticker)
        and (not event or paid.event_ticker == event)
        and call.within("min_ts", "max_ts", paid.settled_world_ms)
    ]
    shown, cursor = call.page(rows, lambda row: f"{row[0].name} {row[1].ticker}", most=1000, default=100)
    settled = [shapes.settlement(paid, shard_of(call, paid.ticker)) for _, paid in shown]
    return Answer({"settlements": settled, "cursor": cursor})


def shard_of(call: Call, ticker: str) -> int:
    return call.exchange.markets[ticker].spec.exchange_index


def _hidden(call: Call, account: Account, of: Order | Fill) -> bool:
    return call.venue.faults.hides(account.name, of.client_order_id)


def _seen_cash(call: Call, account: Account, index: int) -> Money:
    """A purse without what hidden orders did to it."""
    purse = account.purses[index]
    moved = sum(
        f.balance_change
        for f in account.fills
        if _hidden(call, account, f) and shard_of(call, f.ticker) == index
    )
    if not call.exchange.dialect.balance_has_resting_deducted:
        return Money(purse.cash - moved)
    return Money(purse.available - moved + _hidden_reserve(call, account, index))


def _seen_position(call: Call, account: Account, ticker: str) -> Quantity:
    unseen = sum(
        f.side.sign * f.count for f in account.fills if f.ticker == ticker and _hidden(call, account, f)
    )
    return Quantity(account.position(ticker) - unseen)


def _hidden_reserve(call: Call, account: Account, index: int) -> int:
    """What is set aside on a shard for resting orders that are hidden."""
    hidden = [
        order
        for order in account.working.values()
        if _hidden(call, account, order) and shard_of(call, order.ticker) == index
    ]
    return sum(
        account.reserved_by.get(ticker, 0)
        - requirement(account, ticker, call.exchange.fees_of(ticker), without=hidden)
        for ticker in {order.ticker for order in hidden}
    )


def _find(call: Call) -> tuple[Account, Order]:
    """The order of the path in whichever of the member's accounts the key may see."""
    order_id = call.path["order_id"]
    for account in call.accounts():
        order = account.working.get(order_id) or account.finished.get(order_id)
        if order is not None and not _hidden(call, account, order):
            return account, order
    raise not_found("order")
