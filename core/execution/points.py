"""The numbered points of an order's way at which a process may die: one table for every crash test.

Each await and each durable write between a decision and its proof has a name. ``reach`` is called
as the code comes by; on a real desk that does nothing, a crash test ends the process there. Points
on the wire and in the journal are passed by what carries the bytes and by what commits the rows:
the engine cannot know the moment.
"""

from __future__ import annotations

import enum
from collections.abc import Callable


class Point(enum.Enum):
    """In the order in which an order, a cancel, a halt, a flatten and a restart come by them."""

    SEND_BEFORE_COMMIT = "send.before_commit"
    """The intent is built and handed to the journal's writer; nothing is on disk yet."""
    SEND_AFTER_COMMIT = "send.after_commit"
    """The intent is on disk, the last check has not been asked."""
    SEND_HANDED_OVER = "send.handed_over"
    """The row that says so is with the writer; the transport has not begun."""
    SEND_BEFORE_BYTES = "send.before_bytes"
    """The last check has passed: the next step writes."""
    SEND_AFTER_BYTES = "send.after_bytes"
    """The request has left; the exchange may have it or not."""
    SEND_AFTER_ANSWER = "send.after_answer"
    """The answer is in hand, its row is not with the writer."""
    SEND_BOOKED = "send.booked"

    CANCEL_BEFORE_BYTES = "cancel.before_bytes"
    CANCEL_AFTER_BYTES = "cancel.after_bytes"
    CANCEL_AFTER_ANSWER = "cancel.after_answer"
    CANCEL_BOOKED = "cancel.booked"
    CANCEL_LOOKED_UP = "cancel.looked_up"
    """A cancel was answered "not there" and the exchange has said what became of the order."""

    RENEW_BEFORE_BYTES = "renew.before_bytes"
    """The row that asks for a longer life is on disk."""
    RENEW_AFTER_BYTES = "renew.after_bytes"
    RENEW_AFTER_ANSWER = "renew.after_answer"

    GROUP_BEFORE_BYTES = "group.before_bytes"
    """A safety group is about to be triggered or reset."""
    GROUP_AFTER_BYTES = "group.after_bytes"
    GROUP_AFTER_ANSWER = "group.after_answer"

    ROW_WRITTEN = "row.written"
    """Any row is with the writer and not on disk."""
    ROW_DURABLE = "row.durable"
    """Such a row is on disk and nobody has been told."""

    HALT_FLAGGED = "halt.flagged"
    """The flag that stops every send is set, nothing else is done."""
    HALT_CANCELLING = "halt.cancelling"
    """Cancels are on their way, the halt's row is not written."""
    HALT_WRITTEN = "halt.written"

    FLATTEN_BEGUN = "flatten.begun"
    FLATTEN_COUNTED_DOWN = "flatten.counted_down"
    FLATTEN_CONFIRMED = "flatten.confirmed"
    """The wait for cancels is over; positions have not been read."""
    FLATTEN_POSITIONS_READ = "flatten.positions_read"
    FLATTEN_EXIT_SENT = "flatten.exit_sent"
    FLATTEN_EXIT_ENDED = "flatten.exit_ended"
    FLATTEN_VERIFYING = "flatten.verifying"
    FLATTEN_OVER = "flatten.over"

    START_REPLAYED = "start.replayed"
    """Orders are rebuilt, what was on its way is not yet doubted."""
    START_DOUBTED = "start.doubted"
    START_RECONCILED = "start.reconciled"


ON_THE_WIRE = frozenset(
    {Point.SEND_AFTER_BYTES, Point.CANCEL_AFTER_BYTES, Point.RENEW_AFTER_BYTES, Point.GROUP_AFTER_BYTES}
)
"""Passed by the transport that carries the bytes."""
IN_THE_JOURNAL = frozenset({Point.ROW_WRITTEN, Point.ROW_DURABLE})
"""Passed by the journal that keeps the rows."""

Reach = Callable[[Point], None]


def pass_by(_: Point) -> None:
    """What a desk does at every point: nothing."""
