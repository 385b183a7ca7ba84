"""One market from near, and the day's result: what the screens that draw them ask for."""

from __future__ import annotations

from typing import NamedTuple

from core.control.rows.cards import settles
from core.control.rows.models import EVIDENCE_MAX
from core.control.tables.detail import (
    DetailRow,
    EquityRow,
    HistoryRow,
    LevelRow,
    OwnFillRow,
    PointRow,
    QuarantineRow,
    ResultRow,
    TradeRow,
)
from core.control.tables.markets import MarketRow
from core.control.tables.models import EventRow
from core.control.tables.orders import OrderRow, PositionRow
from core.domain.order import BookSide, Purpose, in_terms_of, outcome_of
from core.engine.desk import Desk
from core.engine.funnel import place
from core.engine.state import MarketState
from core.feeds.calendar.eastern import eastern_words
from core.strategy.assess import QUARANTINED
from core.strategy.manual import Style
from core.strategy.proposal import FeeRole
from core.venues.venue import BookView

LEVELS_MAX = 120
"""Of each side; more than a grid of cents has."""
FILLS_MAX = 100
RULES_MAX = 600
"""Characters of the rules text; the query ``rules`` has all of it."""


class Listed(NamedTuple):
    """What other tables have of the market."""

    market: MarketRow
    event: EventRow | None
    orders: tuple[OrderRow, ...]
    position: PositionRow | None


def detail_row(desk: Desk, ticker: str, listed: Listed) -> DetailRow:
    """Raises ``KeyError`` for a market that is not on the desk."""
    state, view = desk.state.markets[ticker], desk.seats.book(ticker)
    world = desk.clocks.world
    stage, why = place(desk, state)
    return DetailRow(
        key=state.key,
        bids=_levels(view, BookSide.BID),
        asks=_levels(view, BookSide.ASK),
        message_ms=view.message_ns // 1_000_000 if view is not None else 0,
        intact=view is not None and view.intact,
        trades=tuple(
            TradeRow(world.at(seen.at_ms), seen.price, seen.quantity, seen.taker is BookSide.BID)
            for seen in reversed(state.tape)
        ),
        settles=settles(state.market),
        rules=state.market.rules[:RULES_MAX],
        listed=listed.market,
        stage=stage.value,
        why=why,
        model=listed.event,
        orders=listed.orders,
        position=listed.position,
        quarantine=_quarantine(state),
        closes=eastern_words(state.market.close_ms),
    )


def _quarantine(state: MarketState) -> QuarantineRow | None:
    found = state.assessed
    if found is None or found.word != QUARANTINED:
        return None
    outcome = outcome_of(found.side, Purpose.OPEN)
    return QuarantineRow(
        reason=found.reason,
        outcome=outcome.name,
        price=in_terms_of(outcome, found.price),
        style=(Style.POST_ONLY if found.role is FeeRole.MAKER else Style.IOC).value,
        edge=found.edge,
        evidence=state.fair.evidence[:EVIDENCE_MAX] if state.fair is not None else (),
    )


def _levels(view: BookView | None, side: BookSide) -> tuple[LevelRow, ...]:
    levels = view.book.levels(side, LEVELS_MAX) if view is not None else ()
    return tuple(LevelRow(price, quantity) for price, quantity in levels)


def history_row(desk: Desk, ticker: str) -> HistoryRow:
    """Raises ``KeyError`` for a market that is not on the desk."""
    state, world = desk.state.markets[ticker], desk.clocks.world
    points = [PointRow(at, *figures) for at, figures in state.track.points()]
    points.append(PointRow(desk.clocks.world_ms(), *desk.history.figures(ticker)))
    return HistoryRow(
        key=state.key,
        points=tuple(points),
        fills=tuple(
            OwnFillRow(world.at(fill.at_ms), fill.price, fill.quantity, fill.side is BookSide.BID)
            for fill in desk.ledger.fills_of.get(ticker, ())[-FILLS_MAX:]
        ),
    )


def equity_row(desk: Desk) -> EquityRow:
    points = [ResultRow(at, made) for at, (made,) in desk.history.result.points() if made is not None]
    if desk.state.today_pnl is not None:
        points.append(ResultRow(desk.clocks.world_ms(), desk.state.today_pnl))
    return EquityRow(desk.account.day, tuple(points))
