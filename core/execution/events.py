"""What can happen to orders, fills and positions, as journal rows.

Each struct is both the payload of a journal row (its tag is the row's kind) and the input of
``fold.py`` and the ledger; the live desk and a replay after a restart go through the same functions,
so they agree by construction. Times are real wall milliseconds.
"""

from __future__ import annotations

import msgspec

from core.domain.market import FIRST_VENUE, Venue
from core.domain.order import Fill, OrderIntent
from core.domain.units import Price, Quantity
from core.venues.venue import (
    UNSEALED,
    CancelOutcome,
    OrderReport,
    PlaceOutcome,
    ReduceOutcome,
    RenewOutcome,
    Sealed,
    SettlementReport,
    TradeReport,
)


class OrderIntended(msgspec.Struct, frozen=True, tag="ORDER_INTENT", omit_defaults=True):
    """Committed before the send: the order, every value the gate looked at and what will be sent."""

    intent: OrderIntent
    gate: str
    """The verdict with its inputs, one line for ``journal why``."""
    sealed: Sealed = UNSEALED
    """Left out of the row where the venue seals nothing."""


class OrderHandedOver(msgspec.Struct, frozen=True, tag="ORDER_SENDING"):
    at_ms: int


class OrderAnswered(msgspec.Struct, frozen=True, tag="SEND_OUTCOME"):
    """How the send ended; ``Unresolved`` makes the order UNKNOWN."""

    outcome: PlaceOutcome
    at_ms: int


class OrderReported(msgspec.Struct, frozen=True, tag="ORDER_REPORT"):
    """The venue's own description, from stream, list or look-up (``source``)."""

    report: OrderReport
    source: str


class OrderFilled(msgspec.Struct, frozen=True, tag="FILL"):
    fill: Fill
    source: str


class CancelSent(msgspec.Struct, frozen=True, tag="CANCEL_SENT"):
    reason: str


class CancelAnswered(msgspec.Struct, frozen=True, tag="CANCEL_OUTCOME"):
    outcome: CancelOutcome


class RenewalSent(msgspec.Struct, frozen=True, tag="RENEWAL_SENT"):
    """The venue is asked to let the order rest until ``expires_ms``, its place in the queue kept."""

    expires_ms: int


class RenewalAnswered(msgspec.Struct, frozen=True, tag="RENEWAL_OUTCOME"):
    outcome: RenewOutcome


class ReductionSent(msgspec.Struct, frozen=True, tag="REDUCTION_SENT"):
    """The venue is asked to make the order smaller, its place in the queue kept."""

    size: Quantity
    """What it is to be, contracts that have filled included."""
    by: str


class ReductionAnswered(msgspec.Struct, frozen=True, tag="REDUCTION_OUTCOME"):
    outcome: ReduceOutcome


class OrderNeverArrived(msgspec.Struct, frozen=True, tag="NEVER_ARRIVED"):
    """The evidence rule is satisfied: complete reads, none of which held the order."""

    reads: int
    waited_s: int


class OrderResurrected(msgspec.Struct, frozen=True, tag="RESURRECTED"):
    """Asked for an order that was over here, the venue shows it resting."""

    report: OrderReport


class OrderWrittenOff(msgspec.Struct, frozen=True, tag="WRITTEN_OFF"):
    """A person has decided that an order nobody can resolve never arrived."""

    reason: str
    by: str


class FeeCorrected(msgspec.Struct, frozen=True, tag="FEE"):
    """The venue's list charges a known fill another fee than the message that told of it."""

    fill: Fill
    """As it stands from now on."""


class TradeStaged(msgspec.Struct, frozen=True, tag="TRADE"):
    """A trade of ours is further on its way, confirmed, or failed to settle: then its fills never were."""

    report: TradeReport


class FillParked(msgspec.Struct, frozen=True, tag="FILL_PARKED"):
    """A fill whose order is not known yet."""

    fill: Fill
    client_order_id: str
    source: str


class FillDropped(msgspec.Struct, frozen=True, tag="FILL_DROPPED"):
    """A parked fill that no list of the venue has shown within its time."""

    trade_id: str
    reason: str


class ExternalFilled(msgspec.Struct, frozen=True, tag="EXTERNAL_FILL"):
    """A fill of an order that is not ours, proven by a look-up; the position moves all the same."""

    fill: Fill
    source: str


class PositionAdjusted(msgspec.Struct, frozen=True, tag="ADJUSTMENT"):
    """A person has accepted the venue's count of a position that no fill explains."""

    ticker: str
    net: Quantity
    """What is held from now on, signed."""
    was: Quantity
    price: Price
    """Of YES; what contracts that came are taken in at."""
    reason: str
    by: str
    venue: Venue = FIRST_VENUE


class MarketSettled(msgspec.Struct, frozen=True, tag="SETTLEMENT"):
    report: SettlementReport


class SettlementStated(msgspec.Struct, frozen=True, tag="STATEMENT"):
    """The venue's statement of a settlement booked before; the venue itself keeps none for ever."""

    report: SettlementReport


OrderEvent = (
    OrderIntended
    | OrderHandedOver
    | OrderAnswered
    | OrderReported
    | OrderFilled
    | CancelSent
    | CancelAnswered
    | RenewalSent
    | RenewalAnswered
    | ReductionSent
    | ReductionAnswered
    | OrderNeverArrived
    | OrderResurrected
    | OrderWrittenOff
    | FeeCorrected
    | TradeStaged
)
LedgerEvent = (
    OrderEvent
    | FillParked
    | FillDropped
    | ExternalFilled
    | PositionAdjusted
    | MarketSettled
    | SettlementStated
)
