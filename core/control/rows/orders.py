"""Orders, and what is held."""

from __future__ import annotations

import msgspec

from core.control.rows.values import in_outcome, probability
from core.control.tables.orders import OrderRow, PositionRow
from core.domain.market import Market
from core.domain.order import BookSide, Life, Order, Outcome, Purpose
from core.domain.position import Position, marked
from core.engine.seat import Seat
from core.execution.unknowns import Search, bound
from core.models.fair_value import FairValue
from core.venues.venue import BookView, OrderReport


def order_row(
    order: Order,
    key: int,
    *,
    ahead: int | None,
    offset_ns: int,
    ended_ns: int | None,
    search: Search | None,
    reduces: bool,
) -> OrderRow:
    """``offset_ns`` turns real wall time into the monotonic clock; ``ended_ns`` is when its end was seen;
    ``reduces``: whether its venue makes orders smaller."""
    intent = order.intent
    return OrderRow(
        client_order_id=intent.client_order_id,
        order_id=order.order_id,
        key=key,
        closes=intent.purpose is Purpose.CLOSE,
        outcome=intent.outcome.name,
        price=intent.outcome_price,
        quantity=order.quantity,
        filled=order.filled,
        leaves=order.leaves,
        ahead=ahead if order.life is Life.WORKING else None,
        state=order.display,
        reason=order.reason,
        created_ns=intent.created_ms * 1_000_000 + offset_ns,
        expires_wall_ms=order.expires_ms,
        next_check_ns=search.next_check_ns if search is not None else None,
        bound=bound(order) if search is not None else "",
        external=False,
        ended_ns=ended_ns,
        venue=intent.venue.value,
        unsettled=sum(fill.quantity for fill in order.fills if not fill.final),
        failed=sum(fill.quantity for fill in order.undone),
        said=order.said if order.life is Life.WORKING else "",
        ticker="" if key else intent.ticker,
        ordered=intent.quantity if order.quantity != intent.quantity else 0,
        average=in_outcome(_average(order), intent.outcome),
        fee=sum(fill.fee for fill in order.fills),
        reduces=reduces and order.reducible,
    )


def _average(order: Order) -> int | None:
    """Price of YES that its fills came to, to the nearest unit."""
    filled = order.filled
    worth = sum(fill.price * fill.quantity for fill in order.fills)
    return (2 * worth + filled) // (2 * filled) if filled else None


def external_row(report: OrderReport, key: int, now_ns: int, venue: str) -> OrderRow:
    """A resting order of the account that this desk did not place; its purpose is not known."""
    outcome = Outcome.YES if report.side is BookSide.BID else Outcome.NO
    return OrderRow(
        client_order_id=report.client_order_id or report.order_id,
        order_id=report.order_id,
        key=key,
        closes=False,
        outcome=outcome.name,
        price=in_outcome(report.price, outcome) or 0,
        quantity=report.quantity,
        filled=report.filled,
        leaves=report.remaining,
        ahead=None,
        state="EXT",
        reason=report.reason,
        created_ns=now_ns,
        expires_wall_ms=report.expires_ms,
        next_check_ns=None,
        bound="",
        external=True,
        ended_ns=None,
        venue=venue,
        ticker="" if key else report.ticker,
    )


class Beside(msgspec.Struct, frozen=True):
    """What a market holds that its net does not say; quantities in millionths."""

    venue: str
    sellable: int = 0
    unsettled: int = 0
    failed: int = 0
    pairs: int = 0
    redeemable: int = 0
    page: str = ""


def beside(seat: Seat, ticker: str) -> Beside:
    ledger = seat.share.ledger
    waits, paired = seat.redeemable.get(ticker), seat.reconciler.pairs.get(ticker)
    page = waits.url if waits is not None else paired.page if paired is not None else ""
    return Beside(
        venue=seat.name.value,
        sellable=ledger.closable(ticker),
        unsettled=ledger.unsettled(ticker),
        failed=sum(fill.quantity for fill in ledger.settling.failed.values() if fill.ticker == ticker),
        pairs=paired.pairs if paired is not None else 0,
        redeemable=waits.quantity if waits is not None else 0,
        page=page,
    )


def position_row(
    key: int,
    position: Position,
    view: BookView | None,
    fair: FairValue | None,
    *,
    max_loss: int,
    today: int,
    exit_rule: str,
    venue_net: int | None,
    market: Market | None,
    ticker: str,
    beside: Beside,
) -> PositionRow:
    """``market``: ``None`` for one that is not on the desk."""
    outcome = Outcome.YES if position.net >= 0 else Outcome.NO
    bid = view.book.best_bid if view is not None else None
    ask = view.book.best_ask if view is not None else None
    return PositionRow(
        key=key,
        net=position.net,
        average=position.average,
        cost=position.cost,
        max_loss=max_loss,
        open_pnl=marked(position, bid, ask),
        exit_price=bid if outcome is Outcome.YES else in_outcome(ask, Outcome.NO),
        fair=in_outcome(probability(fair.probability), outcome) if fair is not None else None,
        today=today,
        exit_rule=exit_rule,
        venue_net=venue_net,
        ticker=ticker if market is None else "",
        venue=beside.venue,
        sellable=beside.sellable,
        dust=market is not None and 0 < abs(position.net) < market.minimum,
        unsettled=beside.unsettled,
        failed=beside.failed,
        pairs=beside.pairs,
        redeemable=beside.redeemable,
        page=beside.page,
    )
