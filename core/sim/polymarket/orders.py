"""Orders, trades and the exchange's refusals. An order knows its price twice: its token's and YES's.

Both outcomes of a market meet in one book in YES terms: buying NO at q is an offer of YES at 1 - q. So
complementary orders match like any others, and a mint or a merge settles what neither side holds.
"""

from __future__ import annotations

from enum import Enum

import msgspec

from core.domain.units import Money, Price, Quantity
from core.sim.orders import BookSide


class Side(Enum):
    BUY = "BUY"
    SELL = "SELL"


class OrderType(Enum):
    GTC = "GTC"
    GTD = "GTD"
    FOK = "FOK"
    FAK = "FAK"

    @property
    def rests(self) -> bool:
        return self in (OrderType.GTC, OrderType.GTD)


class OrderStatus(Enum):
    """``/data/order``'s words."""

    LIVE = "LIVE"
    MATCHED = "MATCHED"
    DELAYED = "DELAYED"
    CANCELED = "CANCELED"
    CANCELED_MARKET_RESOLVED = "CANCELED_MARKET_RESOLVED"
    INVALID = "INVALID"


class Cause(Enum):
    """Why an order was taken off: the user channel's words."""

    ASKED = "CANCELED"
    RESOLVED = "CANCELED_MARKET_RESOLVED"
    BALANCE = "CANCELED_NOT_ENOUGH_BALANCE"
    EXPIRED = "CANCELED_EXPIRED_ORDER"
    INVALID = "INVALID"
    FOK = "CANCELED_order couldn't be fully filled. FOK orders are fully filled or killed."
    FAK = (
        "CANCELED_no orders found to match with FAK order. FAK orders are partially filled or killed if no "
        "match is found."
    )

    @property
    def status(self) -> OrderStatus:
        if self is Cause.RESOLVED:
            return OrderStatus.CANCELED_MARKET_RESOLVED
        return OrderStatus.INVALID if self is Cause.INVALID else OrderStatus.CANCELED


class Refused(msgspec.Struct, frozen=True):
    """The exchange's no: its text and HTTP status."""

    text: str
    http: int = 400


class OrderRequest(msgspec.Struct, frozen=True):
    """An order whose signature and amounts have been checked. ``price`` is its token's."""

    order_id: str
    owner: str
    wallet: str
    token_id: str
    action: Side
    type: OrderType
    price: Price
    shares: Quantity
    spend: Money | None = None
    """The whole of what a FOK or FAK BUY may cost without its fee; None for orders counted in shares."""
    post_only: bool = False
    expiration_s: int = 0


class Order(msgspec.Struct, eq=False):
    """An order in the exchange. Changed by the exchange only; listeners read it."""

    order_id: str
    owner: str
    """The API key it came with."""
    wallet: str
    condition_id: str
    token_id: str
    outcome: int
    action: Side
    type: OrderType
    side: BookSide
    price: Price
    """In YES terms, like ``side``: what the book sorts by."""
    shares: Quantity
    remaining: Quantity
    spend: Money | None
    created_ms: int
    expiration_s: int = 0
    status: OrderStatus = OrderStatus.LIVE
    cause: Cause | None = None
    matched: Quantity = Quantity(0)
    money: Money = Money(0)
    """What the matched shares cost or brought, without fees."""
    reserved: int = 0
    trades: list[str] = []

    @property
    def own_price(self) -> Price:
        return self.price if self.outcome == 0 else Price(10_000 - self.price)

    @property
    def buys(self) -> bool:
        return self.action is Side.BUY

    def in_own(self, yes_price: Price) -> Price:
        """A YES price as this order's token has it."""
        return yes_price if self.outcome == 0 else Price(10_000 - yes_price)


def book_side(action: Side, outcome: int) -> BookSide:
    return BookSide.BID if (action is Side.BUY) == (outcome == 0) else BookSide.ASK


class Stage(Enum):
    """Where a trade's settlement stands: the user channel's words."""

    MATCHED = "MATCHED"
    MINED = "MINED"
    CONFIRMED = "CONFIRMED"
    RETRYING = "RETRYING"
    FAILED = "FAILED"

    @property
    def final(self) -> bool:
        return self in (Stage.CONFIRMED, Stage.FAILED)


class MakerFill(msgspec.Struct, frozen=True):
    """One resting order's part in a trade; price and money are its own token's."""

    order: Order
    shares: Quantity
    price: Price
    money: Money


class Move(msgspec.Struct, frozen=True):
    """What a settled trade does to one wallet."""

    wallet: str
    asset: str
    amount: int


class Trade(msgspec.Struct, eq=False):
    """One taker order against resting ones at one price. ``price`` and ``money`` are the taker's."""

    trade_id: str
    condition_id: str
    taker: Order
    shares: Quantity
    price: Price
    money: Money
    fee: Money
    makers: tuple[MakerFill, ...]
    bucket: int
    matched_ms: int
    updated_ms: int
    moves: tuple[Move, ...] = ()
    vault: Money = Money(0)
    """What minting (or, below zero, merging) pairs moves into the market's vault."""
    stage: Stage = Stage.MATCHED
    hash: str = ""
    mined: bool = False
    """Whether its moves are done; they are undone where a mined trade is retried."""

    @property
    def self_trade(self) -> bool:
        """Whether a wallet met itself: nothing documented forbids that, so it is allowed and flagged."""
        return any(fill.order.wallet == self.taker.wallet for fill in self.makers)
