"""An order's life: three orthogonal regions, their legal transitions as data, and the fold over events.

*Life* says where the order is between intent and its end, *quantity* is ordered minus the sum of
fills by trade id, *command* is at most one pending cancel or renewal. A request never moves life, a
status message never moves life backwards, and anything the tables do not hold is an ``Anomaly``
value, not an exception: facts (fills) are applied even then.

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
    """The command region: at most one cancel or renewal of the expiry is pending. ``NONE`` also after one
    that is done."""

    NONE = "NONE"
    CANCEL_SENDING = "CANCEL_SENDING"
    CANCEL_UNKNOWN = "CANCEL_UNKNOWN"
    CANCEL_REFUSED = "CANCEL_REFUSED"
    RENEW_SENDING = "RENEW_SENDING"
    RENEW_UNKNOWN = "RENEW_UNKNOWN"
    RENEW_REFUSED = "RENEW_REFUSED"


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


COMMAND: dict[tuple[Command, CommandEvent], Command] = {
    # A cancel waits for nothing: it is repeated until proof and overtakes a renewal.
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
    fills: tuple[Fill, ...] = ()
    venue_filled: Quantity = Quantity(0)
    """Cumulative count the venue reported; may run ahead of ``fills`` until they arrive."""
    ending: Life | None = None
    """The end the venue reported while fills are still missing here; see ``filled``."""
    reason: str = ""
    """Why it ended or what the venue said."""
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
    def filled(self) -> Quantity:
        return Quantity(sum(f.quantity for f in self.fills))

    @property
    def leaves(self) -> Quantity:
        """What may still fill: nothing once the end is proven."""
        if self.life in TERMINAL:
            return Quantity(0)
        return Quantity(max(0, self.intent.quantity - self.filled))

    @property
    def live(self) -> bool:
        """Whether it may still change a position."""
        return self.life not in TERMINAL

    @property
    def display(self) -> str:
        """State word for a person."""
        if self.life is Life.WORKING and self.command in CANCELLING:
            return "CANCELLING"
        if self.life is Life.WORKING and 0 < self.filled < self.intent.quantity:
            return "PARTIAL"
        return self.life.value


def advance(order: Order, event: Event, *, reason: str = "") -> tuple[Order, Anomaly | None]:
    """Move the life region by the table. An illegal event leaves the order unchanged."""
    key = (order.life, event)
    if key in LIFE:
        return _moved(order, LIFE[key], reason), None
    late = LATE.get(key)
    anomaly = Anomaly(
        order.intent.client_order_id,
        "late fill" if late is not None else "illegal transition",
        f"{event.value} while {order.life.value}",
    )
    return (_moved(order, late, "") if late is not None else order), anomaly


def _moved(order: Order, life: Life, reason: str) -> Order:
    ending = None if life in TERMINAL else order.ending
    return msgspec.structs.replace(order, life=life, ending=ending, reason=reason or order.reason)


def apply_fill(order: Order, fill: Fill) -> tuple[Order, Anomaly | None]:
    """Apply one fill at most once, in any order, before or after acknowledgements and ends."""
    intent = order.intent
    if fill.quantity <= 0 or (fill.ticker, fill.side) != (intent.ticker, intent.side):
        return order, Anomaly(
            intent.client_order_id,
            "foreign fill",
            f"trade {fill.trade_id}: {fill.side.value} {fill.quantity} millionths of {fill.ticker}",
        )
    for known in order.fills:
        if known.trade_id == fill.trade_id:
            if known.same_execution(fill):
                return order, None
            return order, Anomaly(
                order.intent.client_order_id,
                "conflicting fill",
                f"trade {fill.trade_id} seen with two contents",
            )
    filled = order.filled + fill.quantity
    grown = msgspec.structs.replace(
        order,
        fills=(*order.fills, fill),
        order_id=order.order_id or fill.order_id,
        venue_filled=Quantity(max(order.venue_filled, filled)),
    )
    event = Event.FILLED_IN_FULL if filled >= order.intent.quantity else Event.FILLED_IN_PART
    moved, anomaly = advance(grown, event)
    if filled > order.intent.quantity:
        anomaly = Anomaly(
            order.intent.client_order_id, "overfill", f"filled {filled} of {order.intent.quantity} millionths"
        )
    return _settle_ending(moved), anomaly


def recharge(order: Order, fill: Fill) -> Order:
    """The same execution with the fee the venue has settled on."""
    fills = tuple(fill if known.trade_id == fill.trade_id else known for known in order.fills)
    return msgspec.structs.replace(order, fills=fills)


def report_end(
    order: Order, end: Life, venue_filled: Quantity, *, reason: str = ""
) -> tuple[Order, Anomaly | None]:
    """The venue says the order is over (``CANCELLED``, ``EXPIRED`` or ``FILLED``) with this cumulative count.

    The end is believed only once our fills add up to the venue's count; until then the order stays
    open with ``ending`` set and the missing fills must be fetched.
    """
    known = msgspec.structs.replace(
        order, venue_filled=Quantity(max(order.venue_filled, venue_filled)), reason=reason or order.reason
    )
    if order.filled < known.venue_filled and order.live:
        moved, anomaly = advance(known, Event.ACCEPTED)
        if anomaly is not None:
            return moved, anomaly
        return msgspec.structs.replace(moved, ending=end), None
    return _finish(known, end)


_END_EVENT = {
    Life.CANCELLED: Event.CANCEL_PROVEN,
    Life.EXPIRED: Event.EXPIRY_PROVEN,
    Life.FILLED: Event.FILLED_IN_FULL,
}


def _finish(order: Order, end: Life) -> tuple[Order, Anomaly | None]:
    if order.life is end:
        return order, None
    if end is Life.FILLED and not order.live:
        # ``LATE`` is for fills: the venue's word alone never turns another end into this one.
        return order, Anomaly(
            order.intent.client_order_id, "illegal transition", f"reported filled while {order.life.value}"
        )
    return advance(order, _END_EVENT[end])


def _settle_ending(order: Order) -> Order:
    if order.ending is None or order.filled < order.venue_filled:
        return order
    return _finish(order, order.ending)[0]


def command(order: Order, event: CommandEvent) -> tuple[Order, Anomaly | None]:
    """Move the command region by the table; life is not touched."""
    after = COMMAND.get((order.command, event))
    if after is None:
        return order, Anomaly(
            order.intent.client_order_id, "illegal command", f"{event.value} while {order.command.value}"
        )
    return msgspec.structs.replace(order, command=after), None


def ask_renewal(order: Order, expires_ms: int) -> tuple[Order, Anomaly | None]:
    """A renewal until ``expires_ms`` leaves; from now on the order may live so long."""
    moved, anomaly = command(order, CommandEvent.RENEW_REQUESTED)
    if anomaly is not None:
        return order, anomaly
    return msgspec.structs.replace(moved, asked_ms=max(expires_ms, order.asked_ms or 0)), None


def prove_expiry(order: Order, expires_ms: int) -> Order:
    """The venue says the order ends then. Ends only move outwards, so its words may come in any order."""
    known = order.expires_ms
    if known is None or expires_ms < known:
        return order
    later = order if expires_ms == known else msgspec.structs.replace(order, renewed_ms=expires_ms)
    if order.asked_ms is None or expires_ms < order.asked_ms:
        return later
    return answered(later, CommandEvent.RENEW_CONFIRMED)


def answered(order: Order, event: CommandEvent) -> Order:
    """An answer to a command; one that a later command overtook changes nothing more."""
    after = COMMAND.get((order.command, event))
    return order if after is None else msgspec.structs.replace(order, command=after)
