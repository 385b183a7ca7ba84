"""What the venue's answers and reports do to one order, event by event."""

from __future__ import annotations

import msgspec
import pytest

from core.domain.market import Venue
from core.domain.order import (
    BookSide,
    Command,
    Fill,
    Life,
    Order,
    OrderIntent,
    Purpose,
    TimeInForce,
)
from core.domain.units import Money, Price, Quantity, contracts
from core.execution.events import (
    CancelAnswered,
    CancelSent,
    OrderAnswered,
    OrderEvent,
    OrderFilled,
    OrderHandedOver,
    OrderNeverArrived,
    OrderReported,
    OrderResurrected,
    ReductionAnswered,
    ReductionSent,
    RenewalAnswered,
    RenewalSent,
)
from core.execution.fold import fold
from core.venues.venue import (
    Accepted,
    Cancelled,
    CancelUnresolved,
    NeverSent,
    NotReduced,
    NotRenewed,
    NotThere,
    OrderReport,
    Reduced,
    ReduceUnresolved,
    Rejected,
    Renewed,
    RenewUnresolved,
    ReportStatus,
    Unresolved,
)

ENDS_MS = 120_000
INTENT = OrderIntent(
    client_order_id="pm-r1-0001",
    venue=Venue.KALSHI,
    ticker="T",
    side=BookSide.BID,
    purpose=Purpose.OPEN,
    price=Price(4_000),
    quantity=contracts(10),
    tif=TimeInForce.GTC,
    post_only=True,
    reduce_only=False,
    expires_ms=ENDS_MS,
    created_ms=0,
    reserved=Money(4_000_000),
)


def report(
    status: ReportStatus,
    filled: int = 0,
    reason: str = "",
    updated_ms: int | None = None,
    expires_ms: int | None = None,
    remaining: int = 0,
) -> OrderReported:
    return OrderReported(
        OrderReport(
            order_id="V1",
            client_order_id=INTENT.client_order_id,
            ticker="T",
            side=BookSide.BID,
            price=INTENT.price,
            quantity=INTENT.quantity,
            filled=contracts(filled),
            remaining=contracts(remaining),
            status=status,
            reason=reason,
            updated_ms=updated_ms,
            expires_ms=expires_ms,
        ),
        "stream",
    )


def fill(count: int, trade: str = "t1") -> OrderFilled:
    return OrderFilled(
        Fill(
            trade, Venue.KALSHI, "T", "V1", BookSide.BID, INTENT.price, contracts(count), Money(0), False, 5
        ),
        "stream",
    )


def accepted(filled: int = 0, remaining: int = 10) -> OrderAnswered:
    return OrderAnswered(Accepted("V1", contracts(filled), contracts(remaining), 3), 3)


def told(*events: OrderEvent) -> Order:
    """An order after its hand-over and these events, none of which is an anomaly."""
    order = Order(INTENT)
    for event in (OrderHandedOver(1), *events):
        order, anomaly = fold(order, event)
        assert anomaly is None, anomaly
    return order


LOST = OrderAnswered(Unresolved("timeout"), 9)
RESTING, CANCELED, EXECUTED = ReportStatus.RESTING, ReportStatus.CANCELED, ReportStatus.EXECUTED


@pytest.mark.parametrize(
    ("events", "life", "leaves"),
    [
        # An answer says whether anything is left to wait for.
        ((accepted(),), Life.WORKING, 10),
        ((accepted(0, 0),), Life.CANCELLED, 0),
        ((accepted(4, 0), fill(4)), Life.CANCELLED, 0),
        ((accepted(10, 0), fill(10)), Life.FILLED, 0),
        ((fill(10), accepted(10, 0)), Life.FILLED, 0),
        ((OrderAnswered(Rejected("no", ""), 3),), Life.REJECTED, 0),
        ((OrderAnswered(NeverSent("halted"), 3),), Life.NEVER_SENT, 0),
        # No answer proves nothing, and doubts nothing that is proved.
        ((LOST,), Life.UNKNOWN, 10),
        ((fill(3), LOST), Life.WORKING, 7),
        ((fill(10), LOST), Life.FILLED, 0),
        ((report(RESTING), LOST), Life.WORKING, 10),
        ((LOST, report(RESTING)), Life.WORKING, 10),
        ((LOST, OrderNeverArrived(3, 130)), Life.NEVER_ARRIVED, 0),
        # An end counts once its fills are here; until then everything that may fill is counted.
        ((accepted(10, 0),), Life.WORKING, 10),
        ((accepted(4, 0),), Life.WORKING, 10),
        ((accepted(), report(CANCELED, 4)), Life.WORKING, 10),
        ((accepted(), report(CANCELED, 4), fill(4)), Life.CANCELLED, 0),
        ((accepted(), report(EXECUTED, 10), fill(10)), Life.FILLED, 0),
        # How it ended.
        ((accepted(), report(CANCELED, reason="ExpiryCancel")), Life.EXPIRED, 0),
        ((accepted(), report(CANCELED, updated_ms=ENDS_MS)), Life.EXPIRED, 0),
        ((accepted(), report(CANCELED, updated_ms=ENDS_MS - 1)), Life.CANCELLED, 0),
        ((accepted(), report(CANCELED, reason="Decrease", updated_ms=ENDS_MS)), Life.CANCELLED, 0),
        ((accepted(), report(CANCELED, reason="ExpiryCancel"), report(CANCELED)), Life.EXPIRED, 0),
        # A cancel moves life by proof alone.
        ((accepted(), CancelSent("halt")), Life.WORKING, 10),
        ((accepted(), CancelSent("halt"), CancelAnswered(NotThere("V1", "x"))), Life.WORKING, 10),
        ((accepted(), CancelSent("halt"), CancelAnswered(CancelUnresolved("V1", "x"))), Life.WORKING, 10),
        ((accepted(), CancelSent("h"), CancelAnswered(Cancelled("V1", contracts(10)))), Life.CANCELLED, 0),
        ((accepted(), CancelSent("h"), CancelAnswered(Cancelled("V1", contracts(6)))), Life.WORKING, 10),
        (
            (accepted(), CancelSent("h"), CancelAnswered(Cancelled("V1", contracts(6))), fill(4)),
            Life.CANCELLED,
            0,
        ),
        (
            (accepted(), CancelSent("h"), fill(10), CancelAnswered(Cancelled("V1", Quantity(0)))),
            Life.FILLED,
            0,
        ),
        # What followed from the answer gives way to the venue's own count: the size may have been another.
        (
            (accepted(), CancelSent("h"), CancelAnswered(Cancelled("V1", contracts(6))), report(CANCELED)),
            Life.CANCELLED,
            0,
        ),
        (
            (accepted(), CancelSent("h"), CancelAnswered(Cancelled("V1", contracts(6))), report(CANCELED, 2)),
            Life.WORKING,
            10,
        ),
        # More was open than there should have been: nobody knows how much of it has filled.
        ((accepted(), CancelSent("h"), CancelAnswered(Cancelled("V1", contracts(12)))), Life.WORKING, 10),
    ],
)
def test_where_an_order_stands(events: tuple[OrderEvent, ...], life: Life, leaves: int) -> None:
    order = told(*events)
    assert (order.life, order.leaves) == (life, contracts(leaves))


def test_the_venues_count_is_a_total_and_never_falls() -> None:
    order = told(accepted(2, 8), report(RESTING, 3), report(RESTING, 6), report(RESTING, 4))
    assert order.venue_filled == contracts(6)
    assert told(accepted(2, 8), fill(2), fill(3, "t2"), report(RESTING, 5)).venue_filled == contracts(5)
    assert order.filled == 0, "no fill is made of a count"


@pytest.mark.parametrize(
    ("answer", "command"),
    [
        (NotThere("V1", "x"), Command.CANCEL_REFUSED),
        (CancelUnresolved("V1", "x"), Command.CANCEL_UNKNOWN),
        (Cancelled("V1", contracts(10)), Command.NONE),
    ],
)
def test_what_an_answer_leaves_of_the_cancel(answer: object, command: Command) -> None:
    assert told(accepted(), CancelSent("halt"), CancelAnswered(answer)).command is command  # type: ignore[arg-type]


def test_an_answer_to_an_overtaken_cancel_changes_nothing() -> None:
    refused = told(accepted(), CancelSent("a"), CancelAnswered(NotThere("V1", "x")))
    assert fold(refused, CancelAnswered(CancelUnresolved("V1", "late"))) == (refused, None)


def test_times_and_reasons_are_kept() -> None:
    order = told(accepted(), report(CANCELED, reason="ExpiryCancel"))
    assert (order.sent_ms, order.accepted_ms, order.reason) == (1, 3, "ExpiryCancel")
    assert told(OrderAnswered(Rejected("no", "why"), 3)).reason == "no: why"


# --- renewals: either end may hold until one is proved ------------------------------------------

LATER_MS = ENDS_MS + 60_000
ASKED = RenewalSent(LATER_MS)
GRANTED = RenewalAnswered(Renewed("V1", LATER_MS))
SILENT = RenewalAnswered(RenewUnresolved("V1", "timeout"))
REFUSED = RenewalAnswered(NotRenewed("V1", "invalid_order"))


@pytest.mark.parametrize(
    ("events", "ends_ms", "dead_by_ms", "pending"),
    [
        ((ASKED,), ENDS_MS, LATER_MS, Command.RENEW_SENDING),
        ((ASKED, GRANTED), LATER_MS, LATER_MS, Command.NONE),
        ((ASKED, REFUSED), ENDS_MS, LATER_MS, Command.RENEW_REFUSED),
        ((ASKED, SILENT), ENDS_MS, LATER_MS, Command.RENEW_UNKNOWN),
        # A report that shows the new end is as good as the answer; an older one proves nothing.
        ((ASKED, SILENT, report(RESTING, expires_ms=LATER_MS)), LATER_MS, LATER_MS, Command.NONE),
        ((ASKED, report(RESTING, expires_ms=LATER_MS), SILENT), LATER_MS, LATER_MS, Command.NONE),
        ((ASKED, SILENT, report(RESTING, expires_ms=ENDS_MS)), ENDS_MS, LATER_MS, Command.RENEW_UNKNOWN),
        ((ASKED, GRANTED, report(RESTING, expires_ms=ENDS_MS)), LATER_MS, LATER_MS, Command.NONE),
        # What is wanted gone is cancelled, whatever becomes of the renewal under way.
        ((ASKED, CancelSent("halt"), GRANTED), LATER_MS, LATER_MS, Command.CANCEL_SENDING),
        ((ASKED, CancelSent("halt"), SILENT), ENDS_MS, LATER_MS, Command.CANCEL_SENDING),
        ((ASKED, RenewalAnswered(Renewed("V1", ENDS_MS + 9))), ENDS_MS + 9, LATER_MS, Command.NONE),
    ],
)
def test_when_an_order_ends(
    events: tuple[OrderEvent, ...], ends_ms: int, dead_by_ms: int, pending: Command
) -> None:
    order = told(accepted(), *events)
    assert (order.expires_ms, order.dead_by_ms, order.command) == (ends_ms, dead_by_ms, pending)
    assert (order.life, order.leaves) == (Life.WORKING, contracts(10))


def test_one_renewal_at_a_time_none_after_one_that_failed_and_none_for_what_is_wanted_gone() -> None:
    for events in ((ASKED,), (ASKED, SILENT), (ASKED, REFUSED), (CancelSent("halt"),)):
        before = told(accepted(), *events)
        after, anomaly = fold(before, RenewalSent(LATER_MS + 1))
        assert after == before and anomaly is not None and anomaly.kind == "illegal command"


def test_a_renewed_order_expires_at_its_new_end() -> None:
    early = told(accepted(), ASKED, GRANTED, report(CANCELED, updated_ms=ENDS_MS))
    late = told(accepted(), ASKED, GRANTED, report(CANCELED, updated_ms=LATER_MS))
    assert (early.life, late.life) == (Life.CANCELLED, Life.EXPIRED)


@pytest.mark.parametrize(
    "other",
    [
        OrderAnswered(Accepted("V2", contracts(10), contracts(0), 3), 3),
        OrderReported(
            msgspec.structs.replace(report(ReportStatus.CANCELED, 4).report, order_id="V2"), "look-up"
        ),
        OrderResurrected(msgspec.structs.replace(report(ReportStatus.RESTING).report, order_id="V2")),
    ],
)
def test_word_of_a_second_order_under_our_id_is_an_anomaly_and_changes_nothing(other: OrderEvent) -> None:
    known = told(report(ReportStatus.RESTING))
    after, anomaly = fold(known, other)
    assert after == known
    assert anomaly is not None and anomaly.kind == "second order" and "V1 and V2" in anomaly.detail


def test_the_venues_own_word_holds_until_it_tells_more() -> None:
    delayed = OrderAnswered(Accepted("V1", contracts(0), contracts(10), 5, "delayed"), 5)
    assert told(delayed).said == "delayed"
    assert told(delayed, report(RESTING)).said == ""
    assert told(delayed, fill(2)).said == ""
    assert told(fill(2), delayed).said == "", "the fill was quicker than the answer"


# --- size: as ordered until the venue says another ----------------------------------------------


CUT = ReductionSent(contracts(6), "you")
REST = ReductionAnswered(Reduced("V1", contracts(6), 100))
KEPT = ReductionAnswered(NotReduced("V1", "invalid_order"))
MUTE = ReductionAnswered(ReduceUnresolved("V1", "timeout"))


def sized(filled: int, remaining: int, at_ms: int | None = 100) -> OrderReported:
    return report(RESTING, filled, "Decrease", updated_ms=at_ms, remaining=remaining)


@pytest.mark.parametrize(
    ("events", "size", "leaves"),
    [
        ((sized(0, 6),), 6, 6),
        ((sized(0, 15),), 15, 15),
        ((sized(2, 4), fill(2)), 6, 4),
        ((fill(2), sized(2, 4)), 6, 4),
        # Filling changes no size, and what ends the order ends it at the size it has.
        ((sized(4, 6), fill(4)), 10, 6),
        ((sized(0, 6), fill(6)), 6, 0),
        ((sized(0, 6), CancelSent("h"), CancelAnswered(Cancelled("V1", contracts(6)))), 6, 0),
        # Lists lag: what is older than the size, or than our fills, says nothing about it.
        ((sized(0, 6, 100), sized(0, 10, 90)), 6, 6),
        ((sized(0, 6, 100), sized(0, 10, None)), 6, 6),
        ((sized(0, 6, 100), sized(0, 12, 110), sized(0, 6, 100)), 12, 12),
        ((fill(3), sized(2, 4)), 10, 7),
        # A renewal on its way may bring back the size it was sent with.
        ((ASKED, sized(0, 6)), 6, 10),
        ((ASKED, sized(0, 6), GRANTED), 10, 10),
        ((ASKED, sized(0, 6), REFUSED), 6, 6),
        ((ASKED, sized(0, 6), SILENT), 6, 10),
        ((ASKED, sized(0, 6), SILENT, CancelSent("h")), 6, 10),
        ((ASKED, GRANTED, sized(0, 6)), 6, 6),
        ((sized(0, 6), ASKED, GRANTED), 6, 6),
        # A reduction of ours counts with its proof, in whatever order that comes.
        ((CUT,), 10, 10),
        ((CUT, REST), 6, 6),
        ((CUT, sized(0, 6), REST), 6, 6),
        ((CUT, REST, sized(0, 10, 90)), 6, 6),
        ((CUT, KEPT), 10, 10),
        ((CUT, MUTE), 10, 10),
        ((CUT, MUTE, sized(0, 6)), 6, 6),
        ((CUT, ReductionAnswered(Reduced("V1", contracts(4), 100)), fill(2)), 6, 4),
        ((CUT, ReductionAnswered(Reduced("V1", contracts(9), 100))), 9, 9),
        ((sized(0, 5, 90), ReductionSent(contracts(2), "you"), REST), 6, 6),
    ],
)
def test_how_large_an_order_is(events: tuple[OrderEvent, ...], size: int, leaves: int) -> None:
    order = told(accepted(), *events)
    assert (order.quantity, order.leaves) == (contracts(size), contracts(leaves))
    assert order.intent.quantity == contracts(10), "what was decided never changes"


@pytest.mark.parametrize(
    ("events", "pending"),
    [
        ((CUT,), Command.REDUCE_SENDING),
        ((CUT, REST), Command.NONE),
        ((CUT, KEPT), Command.NONE),
        ((CUT, MUTE), Command.REDUCE_UNKNOWN),
        ((CUT, MUTE, sized(0, 8)), Command.REDUCE_UNKNOWN),
        ((CUT, MUTE, sized(0, 6)), Command.NONE),
        ((CUT, CancelSent("halt"), REST), Command.CANCEL_SENDING),
    ],
)
def test_what_is_pending_of_a_reduction(events: tuple[OrderEvent, ...], pending: Command) -> None:
    order = told(accepted(), *events)
    assert order.command is pending and order.reducible is (pending is Command.NONE)


def test_a_reduction_that_left_nothing_ends_the_order_once_its_fills_are_here() -> None:
    """The contracts that were to stay filled on its way: what it cut off was all that was left."""
    nothing = ReductionAnswered(Reduced("V1", contracts(0), 100))
    done = told(accepted(), CUT, fill(6), nothing)
    assert (done.life, done.filled, done.leaves) == (Life.CANCELLED, contracts(6), 0)
    waits = told(accepted(), CUT, fill(4), nothing)
    assert (waits.life, waits.ending, waits.leaves) == (Life.WORKING, Life.CANCELLED, contracts(2))
    assert not told(accepted(), CUT, fill(4), nothing, fill(2, "t2")).live
    assert told(accepted(), CUT, fill(4), nothing, report(CANCELED, 4)).life is Life.CANCELLED


def test_a_reduction_waits_for_what_is_pending_and_a_renewal_for_it() -> None:
    for first, second in ((CUT, ASKED), (ASKED, CUT), (CUT, CUT), (CancelSent("halt"), CUT)):
        before = told(accepted(), first)
        after, anomaly = fold(before, second)
        assert after == before and anomaly is not None and anomaly.kind == "illegal command"


def test_an_order_that_trades_at_once_has_the_size_it_was_sent_with() -> None:
    taking = Order(msgspec.structs.replace(INTENT, tif=TimeInForce.IOC))
    for event in (OrderHandedOver(1), sized(0, 6)):
        taking, _ = fold(taking, event)
    assert taking.quantity == contracts(10)
