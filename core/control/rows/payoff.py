"""What events and orders come to in each way an event may end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from core.control.tables.payoff import OutcomeRow, PayoffRow
from core.domain.market import Market
from core.domain.order import OrderIntent, Outcome, Purpose
from core.domain.position import Position, settle
from core.domain.units import ONE_DOLLAR, Price, Quantity, notional
from core.engine.desk import Desk
from core.strategy.proposal import Candidate


def endings(markets: Mapping[str, Market]) -> tuple[tuple[str, str], ...]:
    """Label and ticker of each market that may be the one that pays YES, and of none; nothing where several
    may."""
    if len(markets) == 1:
        return (("YES", next(iter(markets))), ("NO", ""))
    if not all(market.exclusive for market in markets.values()):
        return ()
    return (*((m.label.rpartition(" ")[2], ticker) for ticker, m in markets.items()), ("none", ""))


def gained(order: Candidate | OrderIntent, quantity: Quantity, winner: str) -> int:
    """What an order makes once so much of it is filled, before its fee; of a sale, against holding on."""
    won = (order.ticker == winner) is (order.outcome is Outcome.YES)
    paid = notional(Price(ONE_DOLLAR if won else 0), quantity)
    gain = paid - notional(order.outcome_price, quantity)
    return gain if order.purpose is Purpose.OPEN else -gain


def payoff_row(desk: Desk, ticker: str) -> PayoffRow:
    """Raises ``KeyError`` for a market that is not on the desk."""
    own = desk.state.markets[ticker].market
    event = desk.state.events[own.event_ticker]
    markets = {other: desk.state.markets[other].market for other in event.markets}
    label, ways = event.label, endings(markets)
    if not ways:
        label, markets = own.label, {ticker: own}
        ways = endings(markets)
    orders = [order for order in desk.ledger.live.values() if order.intent.ticker in markets and order.leaves]
    positions = [desk.ledger.positions[t] for t in markets if t in desk.ledger.positions]
    held = [OutcomeRow(name, _ends(desk, markets, winner)) for name, winner in ways]
    ordered = [
        OutcomeRow(row.label, row.made + sum(gained(o.intent, o.leaves, winner) for o in orders))
        for row, (_, winner) in zip(held, ways, strict=True)
    ]
    return PayoffRow(
        ticker=ticker,
        label=label,
        held=tuple(held),
        ordered=tuple(ordered) if orders else (),
        realised=sum(position.realised for position in positions),
        fees=sum(position.fees for position in positions),
    )


def _ends(desk: Desk, markets: Iterable[str], winner: str) -> int:
    made = 0
    for ticker in markets:
        end = settle(
            desk.ledger.positions.get(ticker, Position()), Price(ONE_DOLLAR if ticker == winner else 0)
        )
        made += end.realised - end.fees
    return made
