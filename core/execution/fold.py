"""One event of one order applied: the tables of ``core/domain/order.py`` read by what the venue said."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from core.domain.lifecycle import (
    advance,
    answered,
    apply_fill,
    ask_reduction,
    ask_renewal,
    command,
    confirm,
    prove_expiry,
    recharge,
    report_end,
    resize,
    undo,
)
from core.domain.order import Anomaly, CommandEvent, Event, Life, Order, TimeInForce
from core.domain.trade import TradeStage
from core.domain.units import Quantity
from core.execution.events import (
    CancelAnswered,
    CancelSent,
    FeeCorrected,
    OrderAnswered,
    OrderEvent,
    OrderFilled,
    OrderHandedOver,
    OrderIntended,
    OrderNeverArrived,
    OrderReported,
    OrderResurrected,
    OrderWrittenOff,
    ReductionAnswered,
    ReductionSent,
    RenewalAnswered,
    RenewalSent,
    TradeStaged,
)
from core.venues.venue import (
    EXPIRY_REASON,
    Accepted,
    Cancelled,
    CancelOutcome,
    CancelUnresolved,
    NeverSent,
    NotReduced,
    NotRenewed,
    NotThere,
    OrderReport,
    PlaceOutcome,
    Reduced,
    ReduceOutcome,
    ReduceUnresolved,
    Rejected,
    Renewed,
    RenewOutcome,
    RenewUnresolved,
    ReportStatus,
    TradeReport,
    Unresolved,
)


class Folded(NamedTuple):
    order: Order
    anomaly: Anomaly | None


def fold(order: Order, event: OrderEvent) -> Folded:
    """Apply one event after the intent. An illegal move leaves the order as it was and says so."""
    match event:
        case OrderIntended():
            return Folded(order, Anomaly(order.intent.client_order_id, "illegal transition", "second intent"))
        case OrderHandedOver(at_ms=at_ms):
            moved, anomaly = advance(order, Event.HANDED_OVER)
            return Folded(msgspec.structs.replace(moved, sent_ms=at_ms), anomaly)
        case OrderAnswered(outcome=outcome, at_ms=at_ms):
            return _answered(order, outcome, at_ms)
        case OrderReported(report=report):
            return _reported(order, report)
        case OrderFilled(fill=fill):
            return Folded(*apply_fill(order, fill))
        case CancelSent():
            return Folded(*command(order, CommandEvent.CANCEL_REQUESTED))
        case CancelAnswered(outcome=outcome):
            return _cancel_answered(order, outcome)
        case RenewalSent(expires_ms=expires_ms):
            return Folded(*ask_renewal(order, expires_ms))
        case RenewalAnswered(outcome=outcome):
            return Folded(_renewal_answered(order, outcome), None)
        case ReductionSent(size=size):
            return Folded(*ask_reduction(order, size))
        case ReductionAnswered(outcome=outcome):
            return _reduction_answered(order, outcome)
        case OrderNeverArrived(reads=reads, waited_s=waited_s):
            reason = f"not found in {reads} complete reads over {waited_s} s"
            return Folded(*advance(order, Event.ABSENCE_PROVEN, reason=reason))
        case OrderWrittenOff(reason=reason, by=by):
            return Folded(*advance(order, Event.ABSENCE_PROVEN, reason=f"written off by {by}: {reason}"))
        case OrderResurrected(report=report):
            return _resurrected(order, report)
        case FeeCorrected(fill=fill):
            return Folded(recharge(order, fill), None)
        case TradeStaged(report=report):
            return Folded(_settled(order, report), None)


def _settled(order: Order, report: TradeReport) -> Order:
    match report.stage:
        case TradeStage.CONFIRMED:
            return confirm(order, report.trade_id)
        case TradeStage.FAILED:
            return undo(order, report.trade_id)
        case _:
            return order


def _answered(order: Order, outcome: PlaceOutcome, at_ms: int) -> Folded:
    match outcome:
        case Accepted(order_id=order_id) if order.order_id not in ("", order_id):
            return Folded(order, _second(order, order_id))
        case Accepted(order_id=order_id, filled=filled, remaining=remaining, said=said):
            moved, anomaly = advance(order, Event.ACCEPTED)
            known = msgspec.structs.replace(
                moved,
                order_id=moved.order_id or order_id,
                said="" if order.matched else said,
                accepted_ms=moved.accepted_ms or at_ms,
                venue_filled=Quantity(max(moved.venue_filled, filled)),
            )
            if remaining > 0 or anomaly is not None:
                return Folded(known, anomaly)
            end = Life.FILLED if filled >= order.quantity else Life.CANCELLED
            return Folded(*report_end(known, end, filled, reason="" if end is Life.FILLED else "not filled"))
        case Rejected(code=code, text=text):
            return Folded(*advance(order, Event.REFUSED, reason=f"{code}: {text}" if text else code))
        case NeverSent(reason=reason):
            return Folded(*advance(order, Event.NOT_SENT, reason=reason))
        case Unresolved(reason=reason):
            # A fill or report on another channel may have beaten the failed answer: nothing to doubt then.
            if order.life not in (Life.INTENT, Life.SENDING):
                return Folded(order, None)
            return Folded(*advance(order, Event.UNANSWERED, reason=reason))


def _reported(order: Order, report: OrderReport) -> Folded:
    if (foreign := _foreign(order, report)) is not None:
        return Folded(order, foreign)
    moved, anomaly = order, None
    if not order.order_id:
        moved = msgspec.structs.replace(order, order_id=report.order_id)
    match report.status:
        case ReportStatus.RESTING:
            moved, anomaly = advance(moved, Event.ACCEPTED)
            if report.expires_ms is not None:
                moved = prove_expiry(moved, report.expires_ms)
            moved = _sized(msgspec.structs.replace(moved, said=""), report)
            return Folded(_with_cumulative(moved, report.filled), anomaly)
        case ReportStatus.CANCELED:
            end = Life.EXPIRED if _expired(order, report) else Life.CANCELLED
            return Folded(*_ended(moved, end, report))
        case ReportStatus.INVALID if _untouched(moved, report):
            return Folded(*advance(moved, Event.REFUSED, reason=report.reason))
        case ReportStatus.INVALID:
            return Folded(*_ended(moved, Life.CANCELLED, report))
        case ReportStatus.EXECUTED:
            return Folded(*_ended(moved, Life.FILLED, report))
        case ReportStatus.UNKNOWN:
            return Folded(_with_cumulative(moved, report.filled), None)


def _untouched(order: Order, report: OrderReport) -> bool:
    """Whether nobody has said that the order was taken, nor that anything of it has filled."""
    return order.life in (Life.SENDING, Life.UNKNOWN) and not (order.matched or report.filled)


def _foreign(order: Order, report: OrderReport) -> Anomaly | None:
    """A description that cannot be of this order changes nothing."""
    intent = order.intent
    if order.order_id not in ("", report.order_id):
        return _second(order, report.order_id)
    if (report.ticker, report.side) == (intent.ticker, intent.side):
        return None
    what = f"{report.order_id}: {report.side.value} in {report.ticker}"
    return Anomaly(intent.client_order_id, "foreign report", what)


def _second(order: Order, order_id: str) -> Anomaly:
    """The venue has two orders under one client id: the first keeps it, the other is looked for."""
    what = f"{order.order_id} and {order_id} carry one client id"
    return Anomaly(order.intent.client_order_id, "second order", what)


def _resurrected(order: Order, report: OrderReport) -> Folded:
    if (foreign := _foreign(order, report)) is not None:
        return Folded(order, foreign)
    moved, anomaly = advance(order, Event.SEEN_OPEN)
    if anomaly is not None:
        return Folded(order, anomaly)
    known = msgspec.structs.replace(moved, order_id=moved.order_id or report.order_id)
    return Folded(_with_cumulative(_sized(known, report), report.filled), None)


def _sized(order: Order, report: OrderReport) -> Order:
    """Only what rests can be changed, and a report that lacks a fill of ours is older than that."""
    rests = order.live and order.intent.tif is TimeInForce.GTC and report.remaining > 0
    if not rests or report.filled < order.matched:
        return order
    return resize(order, Quantity(report.filled + report.remaining), report.updated_ms)


def _with_cumulative(order: Order, filled: Quantity) -> Order:
    if filled <= order.venue_filled:
        return order
    return msgspec.structs.replace(order, venue_filled=filled)


def _ended(order: Order, end: Life, report: OrderReport) -> tuple[Order, Anomaly | None]:
    if not order.live and order.matched >= report.filled:
        # The end is known already; which word the venue uses for it the second time does not matter.
        return order, None
    told = msgspec.structs.replace(order, supposed=Quantity(0))
    return report_end(told, end, report.filled, reason=report.reason)


def _expired(order: Order, report: OrderReport) -> bool:
    if report.reason:
        return report.reason == EXPIRY_REASON
    expires = order.expires_ms
    return expires is not None and report.updated_ms is not None and report.updated_ms >= expires


def _cancel_answered(order: Order, outcome: CancelOutcome) -> Folded:
    match outcome:
        case Cancelled(order_id=order_id, reduced_by=reduced_by):
            done = answered(order, CommandEvent.CANCEL_CONFIRMED)
            done = msgspec.structs.replace(done, order_id=done.order_id or order_id)
            if not done.live:
                return Folded(done, None)
            filled = Quantity(done.quantity_max - reduced_by)
            if filled < done.matched:
                # More was open than is counted here: it was made larger. Only the order itself can tell.
                return Folded(done, None)
            done = msgspec.structs.replace(done, supposed=filled)
            known, reason = done.venue_filled, done.reason or "cancelled"
            return Folded(*report_end(done, Life.CANCELLED, known, reason=reason))
        case NotThere():
            return Folded(answered(order, CommandEvent.CANCEL_REFUSED), None)
        case CancelUnresolved():
            return Folded(answered(order, CommandEvent.CANCEL_UNANSWERED), None)


def _renewal_answered(order: Order, outcome: RenewOutcome) -> Order:
    match outcome:
        case Renewed(expires_ms=expires_ms):
            # It was carried out with the size it was sent with; a change since is told by a later report.
            renewed = resize(order, order.quantity_max, order.sized_ms)
            return answered(prove_expiry(renewed, expires_ms), CommandEvent.RENEW_CONFIRMED)
        case NotRenewed():
            return answered(order, CommandEvent.RENEW_REFUSED)
        case RenewUnresolved():
            return answered(order, CommandEvent.RENEW_UNANSWERED)


def _reduction_answered(order: Order, outcome: ReduceOutcome) -> Folded:
    match outcome:
        case Reduced(remaining=remaining, at_ms=at_ms):
            done = answered(order, CommandEvent.REDUCE_CONFIRMED)
            if not done.live or done.reduced_to is None:
                return Folded(done, None)
            # What was cut off is known, and so is what was left: somebody else may have changed it too.
            size = max(min(done.quantity, done.reduced_to), Quantity(done.matched + remaining))
            done = resize(done, size, at_ms)
            if remaining:
                return Folded(done, None)
            over = msgspec.structs.replace(done, supposed=size)
            return Folded(
                *report_end(over, Life.CANCELLED, over.venue_filled, reason="nothing was left of it")
            )
        case NotReduced():
            refused = msgspec.structs.replace(order, reduced_to=None)
            return Folded(answered(refused, CommandEvent.REDUCE_REFUSED), None)
        case ReduceUnresolved():
            return Folded(answered(order, CommandEvent.REDUCE_UNANSWERED), None)
