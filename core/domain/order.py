"""An order and its life: three orthogonal regions and their legal transitions, as data.

*Life* says where the order is between intent and its end, *quantity* is its size as the venue last said it
minus the sum of fills by trade id, *command* is at most one pending cancel, renewal or reduction. A request
never moves life, a status message never moves life backwards, and anything the tables do not hold is an
``Anomaly`` value, not an exception: facts (fills) are applied even then. ``lifecycle.py`` folds events by
the tables.

Prices and sides are in YES terms: a ``BID`` gains YES, an ``ASK`` gains NO. With the purpose that
names the four things a trader can do: open a bid = buy YES, open an ask = buy NO, close an ask =
sell held YES, close a bid = sell held NO.
"""

from __future__ import annotations

import enum

import msgspec

from core.domain.market import Venue
from core.domain.units import Money, Price, Quantity, complement

OURS = "pm-"
"""Every client order id of ours begins so, whatever run or command sent it."""


class BookSide(enum.Enum):
    BID = "bid"
    ASK = "ask"

    @property
    def sign(self) -> int:
        """+1 when a fill adds YES, -1 when it adds NO."""
        return 1 if self is BookSide.BID else -1

    @property
    def opposite(self) -> BookSide:
        return BookSide.ASK if self is BookSide.BID else BookSide.BID


class Purpose(enum.Enum):
    OPEN = "open"
    CLOSE = "close"


class Outcome(enum.Enum):
    YES = "yes"
    NO = "no"


class TimeInForce(enum.Enum):
    GTC = "good_till_canceled"
    IOC = "immediate_or_cancel"
    FOK = "fill_or_kill"


def outcome_of(side: BookSide, purpose: Purpose) -> Outcome:
    """The outcome an order buys (open) or sells (close)."""
    return Outcome.YES if (side is BookSide.BID) == (purpose is Purpose.OPEN) else Outcome.NO


def in_terms_of(outcome: Outcome, yes_price: Price) -> Price:
    """A YES price as the price of ``outcome``, and the other way round."""
    return yes_price if outcome is Outcome.YES else complement(yes_price)


class OrderIntent(msgspec.Struct, frozen=True):
    """The durable record that we are about to act. Nothing in it ever changes."""

    client_order_id: str
    venue: Venue
    ticker: str
    side: BookSide
    purpose: Purpose
    price: Price
    quantity: Quantity
    tif: TimeInForce
    post_only: bool
    reduce_only: bool
    expires_ms: int | None
    """Venue-enforced end of life, real wall time; ``None`` only for immediate orders."""
    created_ms: int
    """Real wall time."""
    reserved: Money
    """Worst-case cost, entry fee included, held until proof that it cannot happen."""
    strategy: str = ""
    proposal_id: str = ""
    fingerprint: str = ""
    group_id: str = ""
    """The venue's safety group it belongs to; empty where none is armed."""
    automatic: bool = False
    """Whether the engine released it without a person's word."""
    said: float | None = None
    """What the fair value it was decided on gave the outcome it opens; ``None`` where it rests on none."""

    @property
    def outcome(self) -> Outcome:
        """The outcome bought (open) or sold (close)."""
        return outcome_of(self.side, self.purpose)

    @property
    def outcome_price(self) -> Price:
        """The price in terms of ``outcome``."""
        return in_terms_of(self.outcome, self.price)


class Fill(msgspec.Struct, frozen=True, omit_defaults=True):
    """One execution, a fact keyed by the venue's trade id. ``fee`` is signed, positive = paid.

    Written without ``final`` where it is: rows and marks of journals from before stay what they were.
    """

    trade_id: str
    venue: Venue
    ticker: str
    order_id: str
    side: BookSide
    price: Price
    quantity: Quantity
    fee: Money
    is_taker: bool
    at_ms: int
    """Real wall time of the venue."""
    final: bool = True
    """Whether nothing can undo it; a provisional one is confirmed or reversed with its trade."""

    def same_execution(self, other: Fill) -> bool:
        """Whether both describe one trade. Channels differ in time stamps and may differ in fees."""
        return (self.trade_id, self.ticker, self.order_id, self.side, self.price, self.quantity) == (
            other.trade_id,
            other.ticker,
            other.order_id,
            other.side,
            other.price,
            other.quantity,
        )


class Life(enum.Enum):
    """What the gate denies has no life: it gets no id and reserves nothing, and stays a row of its card."""

    INTENT = "INTENT"
    SENDING = "SENDING"
    UNKNOWN = "UNKNOWN"
    WORKING = "WORKING"
    NEVER_SENT = "NEVER_SENT"
    REJECTED = "REJECTED"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    NEVER_ARRIVED = "NEVER_ARRIVED"


TERMINAL = frozenset(
    {
        Life.NEVER_SENT,
        Life.REJECTED,
        Life.FILLED,
        Life.CANCELLED,
        Life.EXPIRED,
        Life.NEVER_ARRIVED,
    }
)


class Event(enum.Enum):
    """What can happen to an order's life."""

    HANDED_OVER = "handed_over"
    """The intent is durable and the request goes to the transport."""
    NOT_SENT = "not_sent"
    """Proof that no request byte left."""
    ACCEPTED = "accepted"
    """Venue proof that the order exists: an answer, an order message or a list entry."""
    REFUSED = "refused"
    """Venue proof that the order was not accepted."""
    UNANSWERED = "unanswered"
    """Bytes may have left and no proof came back."""
    FILLED_IN_PART = "filled_in_part"
    FILLED_IN_FULL = "filled_in_full"
    CANCEL_PROVEN = "cancel_proven"
    EXPIRY_PROVEN = "expiry_proven"
    ABSENCE_PROVEN = "absence_proven"
    """The evidence rule for an order that never arrived is satisfied, or a person has decided it."""
    SEEN_OPEN = "seen_open"
    """Asked for the order itself, the venue shows it resting, whatever was believed."""


_LIVE_EVENTS: dict[Event, Life] = {
    Event.ACCEPTED: Life.WORKING,
    Event.FILLED_IN_PART: Life.WORKING,
    Event.FILLED_IN_FULL: Life.FILLED,
    Event.CANCEL_PROVEN: Life.CANCELLED,
    Event.EXPIRY_PROVEN: Life.EXPIRED,
}

LIFE: dict[tuple[Life, Event], Life] = {
    (Life.INTENT, Event.HANDED_OVER): Life.SENDING,
    (Life.INTENT, Event.NOT_SENT): Life.NEVER_SENT,
    (Life.INTENT, Event.UNANSWERED): Life.UNKNOWN,
    (Life.SENDING, Event.NOT_SENT): Life.NEVER_SENT,
    (Life.SENDING, Event.REFUSED): Life.REJECTED,
    (Life.SENDING, Event.UNANSWERED): Life.UNKNOWN,
    (Life.UNKNOWN, Event.REFUSED): Life.REJECTED,
    (Life.UNKNOWN, Event.ABSENCE_PROVEN): Life.NEVER_ARRIVED,
    # A fill or an order message that beats the answer is normal and proves acceptance.
    **{
        (life, event): after
        for life in (Life.SENDING, Life.UNKNOWN, Life.WORKING)
        for event, after in _LIVE_EVENTS.items()
    },
    # Status messages out of order never move a finished order back.
    **{(life, Event.ACCEPTED): life for life in (Life.FILLED, Life.CANCELLED, Life.EXPIRED)},
    (Life.FILLED, Event.CANCEL_PROVEN): Life.FILLED,
    (Life.EXPIRED, Event.CANCEL_PROVEN): Life.EXPIRED,
    (Life.CANCELLED, Event.EXPIRY_PROVEN): Life.CANCELLED,
    # The one way back: what rests there may fill, so it is counted again.
    **{
        (life, Event.SEEN_OPEN): Life.WORKING
        for life in (
            Life.NEVER_SENT,
            Life.REJECTED,
            Life.CANCELLED,
            Life.EXPIRED,
            Life.NEVER_ARRIVED,
        )
    },
}
"""Every legal move. Fills after an end are facts too and are listed in ``LATE``."""

LATE: dict[tuple[Life, Event], Life] = {
    (life, event): (Life.FILLED if event is Event.FILLED_IN_FULL else life)
    for life in (
        Life.CANCELLED,
        Life.EXPIRED,
        Life.REJECTED,
        Life.NEVER_ARRIVED,
        Life.NEVER_SENT,
        Life.FILLED,
    )
    for event in (Event.FILLED_IN_PART, Event.FILLED_IN_FULL)
}
"""Applied, because facts beat status, and reported as an anomaly that halts the market."""


class Command(enum.Enum):
    """The command region: at most one cancel, renewal of the expiry or reduction of the size is pending.
    ``NONE`` also after one that is done."""

    NONE = "NONE"
    CANCEL_SENDING = "CANCEL_SENDING"
    CANCEL_UNKNOWN = "CANCEL_UNKNOWN"
    CANCEL_REFUSED = "CANCEL_REFUSED"
    RENEW_SENDING = "RENEW_SENDING"
    RENEW_UNKNOWN = "RENEW_UNKNOWN"
    RENEW_REFUSED = "RENEW_REFUSED"
    REDUCE_SENDING = "REDUCE_SENDING"
    REDUCE_UNKNOWN = "REDUCE_UNKNOWN"


CANCELLING = frozenset({Command.CANCEL_SENDING, Command.CANCEL_UNKNOWN, Command.CANCEL_REFUSED})
"""The order is wanted gone."""


class CommandEvent(enum.Enum):
    CANCEL_REQUESTED = "cancel_requested"
    CANCEL_CONFIRMED = "cancel_confirmed"
    CANCEL_REFUSED = "cancel_refused"
    CANCEL_UNANSWERED = "cancel_unanswered"
    RENEW_REQUESTED = "renew_requested"
    RENEW_CONFIRMED = "renew_confirmed"
    RENEW_REFUSED = "renew_refused"
    RENEW_UNANSWERED = "renew_unanswered"
    REDUCE_REQUESTED = "reduce_requested"
    REDUCE_CONFIRMED = "reduce_confirmed"
    REDUCE_REFUSED = "reduce_refused"
    REDUCE_UNANSWERED = "reduce_unanswered"


COMMAND: dict[tuple[Command, CommandEvent], Command] = {
    # A cancel waits for nothing: it is repeated until proof and overtakes whatever is pending.
    **{
        (at, CommandEvent.CANCEL_REQUESTED): Command.CANCEL_SENDING
        for at in Command
        if at is not Command.CANCEL_SENDING
    },
    (Command.CANCEL_SENDING, CommandEvent.CANCEL_CONFIRMED): Command.NONE,
    (Command.CANCEL_SENDING, CommandEvent.CANCEL_REFUSED): Command.CANCEL_REFUSED,
    (Command.CANCEL_SENDING, CommandEvent.CANCEL_UNANSWERED): Command.CANCEL_UNKNOWN,
    (Command.CANCEL_UNKNOWN, CommandEvent.CANCEL_CONFIRMED): Command.NONE,
    (Command.CANCEL_UNKNOWN, CommandEvent.CANCEL_REFUSED): Command.CANCEL_REFUSED,
    # What is wanted gone is never renewed, and a renewal that failed is not followed by another.
    (Command.NONE, CommandEvent.RENEW_REQUESTED): Command.RENEW_SENDING,
    (Command.RENEW_SENDING, CommandEvent.RENEW_CONFIRMED): Command.NONE,
    (Command.RENEW_SENDING, CommandEvent.RENEW_REFUSED): Command.RENEW_REFUSED,
    (Command.RENEW_SENDING, CommandEvent.RENEW_UNANSWERED): Command.RENEW_UNKNOWN,
    (Command.RENEW_UNKNOWN, CommandEvent.RENEW_CONFIRMED): Command.NONE,
    # A reduction waits for what is pending; refused it leaves the order as it was, and it may be asked again.
    (Command.NONE, CommandEvent.REDUCE_REQUESTED): Command.REDUCE_SENDING,
    (Command.REDUCE_SENDING, CommandEvent.REDUCE_CONFIRMED): Command.NONE,
    (Command.REDUCE_SENDING, CommandEvent.REDUCE_REFUSED): Command.NONE,
    (Command.REDUCE_SENDING, CommandEvent.REDUCE_UNANSWERED): Command.REDUCE_UNKNOWN,
    (Command.REDUCE_UNKNOWN, CommandEvent.REDUCE_CONFIRMED): Command.NONE,
}


class Anomaly(msgspec.Struct, frozen=True):
    """Something the tables do not hold: journal it, show it, look the order up."""

    client_order_id: str
    kind: str
    detail: str


class Order(msgspec.Struct, frozen=True):
    """The projection of one order's events."""

    intent: OrderIntent
    life: Life = Life.INTENT
    command: Command = Command.NONE
    order_id: str = ""
    """The venue's id, empty until proven."""
    sealed_id: str = ""
    """The venue's id it must have if it arrived, where that is known beforehand."""
    fills: tuple[Fill, ...] = ()
    undone: tuple[Fill, ...] = ()
    """Fills whose trade failed to settle: the venue matched them, and they never were."""
    venue_filled: Quantity = Quantity(0)
    """Cumulative count the venue reported; may run ahead of ``fills`` until they arrive."""
    supposed: Quantity = Quantity(0)
    """Cumulative count that follows from a cancel's answer, if the size was what it is taken for; the
    venue's own count at the end of the order takes its place."""
    size: Quantity | None = None
    """Order quantity as the venue last said it, what has filled included; ``None``: as ordered."""
    sized_ms: int | None = None
    """The venue's time of the report that said so: what is older says nothing about the size."""
    renewed_size: Quantity = Quantity(0)
    """The size the last renewal was sent with: it sets it anew, whatever somebody made of it meanwhile."""
    reduced_to: Quantity | None = None
    """The size the last reduction of ours asked for."""
    ending: Life | None = None
    """The end the venue reported while fills are still missing here; see ``filled``."""
    reason: str = ""
    """Why it ended or what the venue said."""
    said: str = ""
    """The venue's own word for it until it tells more: delayed, or unmatched though it could have traded."""
    sent_ms: int | None = None
    """Real wall time at which it was handed to the transport."""
    accepted_ms: int | None = None
    renewed_ms: int | None = None
    """Latest venue-enforced end a renewal is proved to have set, real wall time."""
    asked_ms: int | None = None
    """Latest end a renewal asked for, answered or not."""

    @property
    def expires_ms(self) -> int | None:
        """The venue-enforced end of life as proved; ``None`` only for immediate orders."""
        return self.renewed_ms if self.renewed_ms is not None else self.intent.expires_ms

    @property
    def dead_by_ms(self) -> int | None:
        """The latest end it can have: an unanswered renewal may hold."""
        ends = self.expires_ms
        return ends if ends is None or self.asked_ms is None else max(ends, self.asked_ms)

    @property
    def quantity(self) -> Quantity:
        """Order quantity now: as ordered, until somebody changes it at the venue."""
        return self.intent.quantity if self.size is None else self.size

    @property
    def quantity_max(self) -> Quantity:
        """The largest size it can have: a renewal under way may bring back the one it was sent with."""
        if self.renewed_size <= self.quantity:
            return self.quantity
        under_way = self.command is not Command.RENEW_REFUSED and self.dead_by_ms != self.expires_ms
        return self.renewed_size if under_way else self.quantity

    @property
    def reducible(self) -> bool:
        """Whether it rests with nothing pending, so that it could be made smaller."""
        rests = self.life is Life.WORKING and self.intent.tif is TimeInForce.GTC and self.ending is None
        return rests and self.command is Command.NONE and bool(self.order_id)

    @property
    def known_id(self) -> str:
        """The venue's id, proven or known beforehand; empty while nobody can know it."""
        return self.order_id or self.sealed_id

    @property
    def filled(self) -> Quantity:
        return Quantity(sum(f.quantity for f in self.fills))

    @property
    def matched(self) -> Quantity:
        """What the venue counts as filled: also what was undone since."""
        return Quantity(sum(f.quantity for f in (*self.fills, *self.undone)))

    @property
    def counted(self) -> Quantity:
        """What has filled by the venue's word, or by what follows from it."""
        return max(self.venue_filled, self.supposed)

    @property
    def leaves(self) -> Quantity:
        """What may still fill: nothing once the end is proven."""
        if self.life in TERMINAL:
            return Quantity(0)
        return Quantity(max(0, self.quantity_max - self.filled))

    @property
    def live(self) -> bool:
        """Whether it may still change a position."""
        return self.life not in TERMINAL

    @property
    def display(self) -> str:
        """State word for a person."""
        if self.life is Life.WORKING and self.command in CANCELLING:
            return "CANCELLING"
        if self.life is Life.WORKING and 0 < self.filled < self.quantity:
            return "PARTIAL"
        return self.life.value
