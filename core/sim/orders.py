"""Orders, fills and the exchange's answers, in YES terms throughout.

A bid buys YES (or sells held NO), an ask sells held YES (or buys NO at the complement).
"""

from __future__ import annotations

from enum import Enum

import msgspec

from core.domain.units import Money, Price, Quantity


class BookSide(Enum):
    """Side of the one YES book of a market."""

    BID = "bid"
    ASK = "ask"

    @property
    def opposite(self) -> BookSide:
        return BookSide.ASK if self is BookSide.BID else BookSide.BID

    @property
    def sign(self) -> int:
        """+1 where a fill adds to the signed YES position, -1 where it takes from it."""
        return 1 if self is BookSide.BID else -1


class TimeInForce(Enum):
    """Kalshi's wire words."""

    GTC = "good_till_canceled"
    IOC = "immediate_or_cancel"
    FOK = "fill_or_kill"


class SelfTrade(Enum):
    """What happens when an order meets one of its own account (Kalshi API: self-trade prevention)."""

    TAKER_AT_CROSS = "taker_at_cross"
    MAKER = "maker"


class OrderStatus(Enum):
    RESTING = "resting"
    CANCELED = "canceled"
    EXECUTED = "executed"


class Reason(Enum):
    """Kalshi's ``last_update_reason`` words that this exchange uses."""

    DECREASE = "Decrease"
    AMEND = "Amend"
    MARGIN = "MarginCancel"
    SELF_TRADE = "SelfTradeCancel"
    EXPIRY = "ExpiryCancel"
    CLOSE = "CloseCancel"
    HALT = "HaltCancel"
    TRADE = "Trade"
    POST_ONLY = "PostOnlyCrossCancel"
    REDUCE_ONLY = "ReduceOnlyCancel"
    GROUP = ""
    """Its order group was triggered or deleted; Kalshi's list has no word for that."""


class OrderRequest(msgspec.Struct, frozen=True):
    """What an account asks for. ``expiration_ms`` is real wall time; counts are steps of 0.01."""

    account: str
    ticker: str
    side: BookSide
    price: Price
    count: Quantity
    tif: TimeInForce = TimeInForce.GTC
    client_order_id: str = ""
    """Unique per account for ever; empty opts out, for the simulator's own traders."""
    post_only: bool = False
    reduce_only: bool = False
    expiration_ms: int | None = None
    stp: SelfTrade = SelfTrade.TAKER_AT_CROSS
    cancel_on_pause: bool = False
    group_id: str = ""
    """The order group it belongs to, if any."""


class Order(msgspec.Struct, eq=False):
    """An order in the exchange. Changed by the exchange only; listeners read it."""

    number: int
    """Rises with every order of the exchange, so lists have one order even within a millisecond."""
    order_id: str
    account: str
    member: str
    """Whose account it is; self-trade prevention spans all of a member's."""
    ticker: str
    side: BookSide
    price: Price
    initial: Quantity
    remaining: Quantity
    tif: TimeInForce
    client_order_id: str
    stp: SelfTrade
    created_ms: int
    updated_ms: int
    expiration_ms: int | None = None
    cancel_on_pause: bool = False
    group_id: str = ""
    status: OrderStatus = OrderStatus.RESTING
    filled: Quantity = Quantity(0)
    taker_cost: Money = Money(0)
    maker_cost: Money = Money(0)
    taker_fees: Money = Money(0)
    maker_fees: Money = Money(0)
    accumulator: Money = Money(0)
    """Rounding fees not yet rebated, carried from fill to fill of this order."""
    reason: Reason | None = None

    def account_for(self, cost: Money, fee: Money, *, taker: bool) -> None:
        """Add one fill's cost and fee to the order's totals."""
        if taker:
            self.taker_cost, self.taker_fees = Money(self.taker_cost + cost), Money(self.taker_fees + fee)
        else:
            self.maker_cost, self.maker_fees = Money(self.maker_cost + cost), Money(self.maker_fees + fee)

    @property
    def progress(self) -> Progress:
        """What the order has traded up to now."""
        return Progress(
            self.filled, Money(self.taker_cost + self.maker_cost), Money(self.taker_fees + self.maker_fees)
        )


class Progress(msgspec.Struct, frozen=True):
    """Contracts filled, their cost (at the NO price for asks) and fees."""

    filled: Quantity = Quantity(0)
    cost: Money = Money(0)
    fees: Money = Money(0)


class Fill(msgspec.Struct, frozen=True):
    """One account's half of a trade. ``price`` is the YES price for both halves."""

    trade_id: str
    order_id: str
    client_order_id: str
    ticker: str
    side: BookSide
    price: Price
    count: Quantity
    is_taker: bool
    fee: Money
    ts_ms: int
    post_position: Quantity
    balance_change: Money


class Placed(msgspec.Struct, frozen=True):
    """The order was accepted (or amended); fills and averages are of this request alone.

    IOC remainders are already gone from ``remaining``.
    """

    order: Order
    fill_count: Quantity
    remaining: Quantity
    average_fill_price: Money | None
    average_fee: Money | None
    ts_ms: int

    @property
    def order_id(self) -> str:
        return self.order.order_id


class Cancelled(msgspec.Struct, frozen=True):
    order_id: str
    client_order_id: str
    reduced_by: Quantity
    ts_ms: int


class Refused(msgspec.Struct, frozen=True):
    """The exchange's definite no: error code, sentence, detail and HTTP status of the wire."""

    code: str
    message: str
    details: str = ""
    http: int = 400
