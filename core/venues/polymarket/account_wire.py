"""Orders, trades and balances as the venue writes them, by REST and on the user channel alike.

The two spell some things differently (prefixed states, seconds or milliseconds, numbers or texts, nulls, a
missing underscore); both spellings are read everywhere.
"""

from __future__ import annotations

from typing import Final

import msgspec

from core.domain.units import ONE_DOLLAR, Price, Quantity, UnitError, parse_quantity
from core.venues.wire import Name, Odd, WireError, rfc3339_ms

MAKERS_MAX: Final = 1_000
MS_DIGITS: Final = 13
"""An epoch of so many digits is in milliseconds, a shorter one in seconds."""


class OrderWire(msgspec.Struct, frozen=True, gc=False):
    id: Name
    status: str
    market: Name
    asset_id: Name
    side: str
    original_size: str
    price: str
    size_matched: object = None
    outcome: object = None
    order_type: object = None
    expiration: object = None
    created_at: object = None
    timestamp: object = None
    type: object = None
    """PLACEMENT, UPDATE or CANCELLATION; on the user channel only."""


class MakerWire(msgspec.Struct, frozen=True, gc=False):
    """One resting order a trade met. ``asset_id`` can be the other outcome's than the taker's."""

    order_id: Name
    matched_amount: str
    price: str
    asset_id: Name
    owner: object = None
    maker_address: object = None
    side: object = None
    outcome: object = None


class TradeWire(msgspec.Struct, frozen=True):
    id: Name
    status: str
    market: Name
    asset_id: Name
    side: str
    size: str
    price: str
    taker_order_id: Name
    outcome: object = None
    owner: object = None
    maker_address: object = None
    trader_side: object = None
    match_time: object = None
    matchtime: object = None
    last_update: object = None
    timestamp: object = None
    maker_orders: list[MakerWire] | None = None


class OrderEvent(OrderWire, frozen=True, tag_field="event_type", tag="order"):
    pass


class TradeEvent(TradeWire, frozen=True, tag_field="event_type", tag="trade"):
    pass


class BalanceWire(msgspec.Struct, frozen=True):
    balance: str
    allowances: dict[str, str] | None = None


class PositionWire(msgspec.Struct, frozen=True):
    """A row of the Data API, which runs late."""

    token_id: Name
    condition_id: Name
    current_size: object = None
    redeemable: object = None
    outcome: object = None
    status: object = None


def epoch_ms(value: object, field: str, odd: Odd) -> int | None:
    """Seconds or milliseconds, as a number or a text, or a date; ``None`` for nothing."""
    if value is None or value in ("", "0", 0):
        return None
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 15:
        return int(text) if len(text) >= MS_DIGITS else int(text) * 1_000
    try:
        return rfc3339_ms(text, field)
    except WireError as error:
        odd.notes.append(str(error))
        return None


DECIMALS_MAX = 18
"""Of an average: a ratio of two amounts, printed as a double (17) or with the chain's own precision."""


def outcome_price(text: str, field: str, *, up: bool = False) -> Price:
    """A price of an outcome, from 0 to 1 dollar, both excluded. Raises ``WireError``.

    An average of several prices can be finer than ours: it is rounded down, or up where it was paid. With
    more decimals than any service writes it is damaged, and what its first ones say is nobody's price.
    """
    whole, point, fraction = text.partition(".")
    finer = fraction[6:]
    if finer and not (finer.isascii() and finer.isdigit() and len(fraction) <= DECIMALS_MAX):
        raise WireError(f"{field}: {text[:40]!r} is not a number")
    try:
        # ``parse_quantity`` keeps two decimals more than a price has; a finer text is cut before it.
        millionths = parse_quantity(f"{whole or '0'}.{fraction[:6]}" if point else text)
    except UnitError as error:
        raise WireError(f"{field}: {error}") from None
    if not 0 < millionths < 1_000_000:
        raise WireError(f"{field}: {text[:40]!r} is not between 0 and 1 dollar")
    rounded = -(-(millionths + bool(finer.strip("0"))) // 100) if up else millionths // 100
    return Price(min(max(1, rounded), ONE_DOLLAR - 1))


def shares(value: object, field: str) -> Quantity:
    """Shares, never negative; nothing at all is none. Raises ``WireError``."""
    if value is None or value == "":
        return Quantity(0)
    if isinstance(value, float | int) and not isinstance(value, bool):
        value = str(value)
    try:
        found = parse_quantity(value if isinstance(value, str) else "")
    except UnitError as error:
        raise WireError(f"{field}: {error}") from None
    if found < 0:
        raise WireError(f"{field}: negative")
    return found


def micro_units(text: str, field: str) -> int:
    """An amount in millionths, the form of balances. Raises ``WireError``."""
    if text.isascii() and text.isdigit() and len(text) <= 24:
        return int(text)
    raise WireError(f"{field}: {text[:40]!r} is not a count of millionths")
