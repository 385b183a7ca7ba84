"""Kalshi's JSON as typed structs, and their conversion to the house's values.

What a fact rests on is decoded strictly; everything optional is taken as it comes and converted on
its own, so that an odd optional field is an anomaly, not a lost order. Unknown fields are skipped.
Nothing here raises anything but ``WireError``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta

from core.domain.market import Venue
from core.domain.order import BookSide, Fill
from core.domain.text import clean_text
from core.domain.units import (
    ONE_DOLLAR,
    Money,
    Price,
    Quantity,
    UnitError,
    parse_money,
    parse_price,
    parse_quantity,
)
from core.venues.exchange import Cash
from core.venues.venue import (
    OrderReport,
    PositionReport,
    ReportStatus,
    SettlementReport,
)

T = TypeVar("T")

Name = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"\A[!-~]+\Z")]
"""Tickers and ids: printable ASCII, bounded, because they end up in paths and on screens."""

CLIENT_ORDER_ID_CHARS_MAX = 64

_SIDES: Final = {"bid": BookSide.BID, "ask": BookSide.ASK}
_STATUSES: Final = {status.value: status for status in ReportStatus}


class WireError(ValueError):
    """An answer or frame that cannot be read; the text names what and where."""


def decode(data: bytes | msgspec.Raw, decoder: msgspec.json.Decoder[T], what: str) -> T:
    """Decode JSON into the decoder's type. Raises ``WireError``."""
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise WireError(f"{what}: {clean_text(str(error))}") from None


# --- scalar conversions -------------------------------------------------------------------------


def price(text: str, field: str) -> Price:
    """A price strictly between 0 and 1 dollar."""
    try:
        value = parse_price(text)
    except UnitError as error:
        raise WireError(f"{field}: {error}") from None
    if not 0 < value < ONE_DOLLAR:
        raise WireError(f"{field}: {text[:40]!r} is not between 0 and 1 dollar")
    return value


def quantity(text: str, field: str) -> Quantity:
    """A count of contracts, never negative."""
    value = signed_quantity(text, field)
    if value < 0:
        raise WireError(f"{field}: {text[:40]!r} is negative")
    return value


def signed_quantity(text: str, field: str) -> Quantity:
    try:
        return parse_quantity(text)
    except UnitError as error:
        raise WireError(f"{field}: {error}") from None


def money(text: str, field: str) -> Money:
    try:
        return parse_money(text)
    except UnitError as error:
        raise WireError(f"{field}: {error}") from None


def book_side(text: str, field: str = "book_side") -> BookSide:
    side = _SIDES.get(text)
    if side is None:
        raise WireError(f"{field}: {text[:40]!r} is neither bid nor ask")
    return side


def _shown(value: object) -> str:
    """A hostile value in an error text: texts bounded, anything else by its type alone."""
    return repr(clean_text(value, 40)) if isinstance(value, str) else type(value).__name__


def rfc3339_ms(text: object, field: str) -> int:
    """RFC 3339 text to Unix milliseconds."""
    if isinstance(text, str):
        try:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is not None:
                delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
                return (delta.days * 86_400 + delta.seconds) * 1_000 + delta.microseconds // 1_000
        except (ValueError, OverflowError):
            pass
    raise WireError(f"{field}: {_shown(text)} is not a time with a zone")


def _whole(value: object, field: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53:
        return value
    raise WireError(f"{field}: {_shown(value)} is not a whole number")


class Odd:
    """Collects optional fields that did not parse, as one text each."""

    __slots__ = ("notes",)

    def __init__(self) -> None:
        self.notes: list[str] = []

    def time(self, value: object, field: str) -> int | None:
        if value is None or value == "":
            return None
        try:
            return rfc3339_ms(value, field)
        except WireError as error:
            self.notes.append(str(error))
            return None

    def whole(self, value: object, field: str) -> int | None:
        if value is None:
            return None
        try:
            return _whole(value, field)
        except WireError as error:
            self.notes.append(str(error))
            return None

    def text(self, value: object, field: str, chars_max: int = 200) -> str:
        if value is None:
            return ""
        if isinstance(value, str):
            return clean_text(value, chars_max)
        self.notes.append(f"{field}: not a text")
        return ""

    def count(self, value: object, field: str) -> Quantity | None:
        """A signed count of contracts."""
        if value is None:
            return None
        try:
            return signed_quantity(value if isinstance(value, str) else "", field)
        except WireError as error:
            self.notes.append(str(error))
            return None

    def number(self, value: object, field: str) -> float | None:
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12:
            return value
        self.notes.append(f"{field}: not a number")
        return None


# --- orders, fills, positions, cash --------------------------------------------------------------


class OrderWire(msgspec.Struct, frozen=True, gc=False):
    """An order in a list, a look-up or a ``user_order`` message (whose times end in ``_ts_ms``)."""

    order_id: Name
    ticker: Name
    book_side: str
    status: str
    yes_price_dollars: str
    initial_count_fp: str
    fill_count_fp: str
    remaining_count_fp: str
    client_order_id: object = None
    expiration_time: object = None
    expiration_ts_ms: object = None
    last_update_time: object = None
    last_updated_ts_ms: object = None
    last_update_reason: object = None
    subaccount_number: object = None
    exchange_index: object = None


def order_report(wire: OrderWire, odd: Odd) -> OrderReport:
    """Raises ``WireError`` when a field the order's truth rests on is wrong."""
    expires_ms = odd.whole(wire.expiration_ts_ms, "expiration_ts_ms")
    updated_ms = odd.whole(wire.last_updated_ts_ms, "last_updated_ts_ms")
    return OrderReport(
        order_id=wire.order_id,
        client_order_id=odd.text(wire.client_order_id, "client_order_id", CLIENT_ORDER_ID_CHARS_MAX),
        ticker=wire.ticker,
        side=book_side(wire.book_side),
        price=price(wire.yes_price_dollars, "yes_price_dollars"),
        quantity=quantity(wire.initial_count_fp, "initial_count_fp"),
        filled=quantity(wire.fill_count_fp, "fill_count_fp"),
        remaining=quantity(wire.remaining_count_fp, "remaining_count_fp"),
        status=_STATUSES.get(wire.status, ReportStatus.UNKNOWN),
        reason=odd.text(wire.last_update_reason, "last_update_reason", 40),
        expires_ms=odd.time(wire.expiration_time, "expiration_time") if expires_ms is None else expires_ms,
        updated_ms=odd.time(wire.last_update_time, "last_update_time") if updated_ms is None else updated_ms,
        shard=odd.whole(wire.exchange_index, "exchange_index"),
    )


class FillWire(msgspec.Struct, frozen=True, gc=False):
    """A fill in a list (``ticker``, ``created_time``) or a message (``market_ticker``, ``ts_ms``)."""

    trade_id: Name
    order_id: Name
    book_side: str
    yes_price_dollars: str
    count_fp: str
    fee_cost: str
    is_taker: bool
    market_ticker: Name | None = None
    ticker: Name | None = None
    client_order_id: object = None
    created_time: object = None
    ts_ms: object = None
    post_position_fp: object = None
    subaccount: object = None


def fill(wire: FillWire, odd: Odd) -> tuple[Fill, str, Quantity | None]:
    """The fill, and what only messages carry: its client order id and the net position after it.

    Raises ``WireError``.
    """
    ticker = wire.market_ticker or wire.ticker
    if ticker is None:
        raise WireError("fill: no market ticker")
    count = quantity(wire.count_fp, "count_fp")
    if count == 0:
        raise WireError("fill: count_fp is zero")
    at_ms = odd.whole(wire.ts_ms, "ts_ms")
    made = Fill(
        trade_id=wire.trade_id,
        venue=Venue.KALSHI,
        ticker=ticker,
        order_id=wire.order_id,
        side=book_side(wire.book_side),
        price=price(wire.yes_price_dollars, "yes_price_dollars"),
        quantity=count,
        fee=money(wire.fee_cost, "fee_cost"),
        is_taker=wire.is_taker,
        at_ms=rfc3339_ms(wire.created_time, "created_time") if at_ms is None else at_ms,
    )
    client_order_id = odd.text(wire.client_order_id, "client_order_id", CLIENT_ORDER_ID_CHARS_MAX)
    return made, client_order_id, odd.count(wire.post_position_fp, "post_position_fp")


class PositionWire(msgspec.Struct, frozen=True, gc=False):
    ticker: Name
    position_fp: str


def position_report(wire: PositionWire, odd: Odd) -> PositionReport:
    return PositionReport(wire.ticker, signed_quantity(wire.position_fp, "position_fp"))


class SettlementWire(msgspec.Struct, frozen=True, gc=False):
    ticker: Name
    market_result: str
    settled_time: str
    value: object = None
    """Cents per YES contract; absent on some yes/no results."""


def settlement_report(wire: SettlementWire, odd: Odd) -> SettlementReport:
    cents = odd.whole(wire.value, "value")
    payout = _PAYOUTS.get(wire.market_result)
    if payout is None:
        if cents is None or not 0 <= cents <= 100:
            raise WireError(f"settlement of {wire.ticker}: no payout for {wire.market_result[:40]!r}")
        payout = Price(cents * 100)
    return SettlementReport(
        wire.ticker,
        payout,
        clean_text(wire.market_result, 20),
        rfc3339_ms(wire.settled_time, "settled_time"),
    )


_PAYOUTS: Final = {"yes": ONE_DOLLAR, "no": Price(0)}


class QueueWire(msgspec.Struct, frozen=True, gc=False):
    order_id: Name
    queue_position_fp: str


class QueuePage(msgspec.Struct, frozen=True):
    queue_positions: list[QueueWire] | None = None


class ShardBalanceWire(msgspec.Struct, frozen=True, gc=False):
    exchange_index: int
    balance: str


class BalanceWire(msgspec.Struct, frozen=True, gc=False):
    balance_dollars: str
    balance_breakdown: list[ShardBalanceWire] | None = None


def cash(wire: BalanceWire, odd: Odd) -> Cash:
    shards = {
        row.exchange_index: money(row.balance, "balance_breakdown") for row in wire.balance_breakdown or ()
    }
    return Cash(money(wire.balance_dollars, "balance_dollars"), shards)


# --- limits ---------------------------------------------------------------------------------------


class BucketWire(msgspec.Struct, frozen=True, gc=False):
    refill_rate: Annotated[float, Meta(gt=0, le=1e6)]
    bucket_capacity: Annotated[float, Meta(gt=0, le=1e6)]


class LimitsWire(msgspec.Struct, frozen=True, gc=False):
    read: BucketWire
    write: BucketWire


class CostWire(msgspec.Struct, frozen=True, gc=False):
    method: str
    path: str
    cost: Annotated[float, Meta(ge=0, le=1e6)]


class CostsWire(msgspec.Struct, frozen=True, gc=False):
    default_cost: Annotated[float, Meta(ge=0, le=1e6)]
    endpoint_costs: list[CostWire] | None = None
