"""Every limit of the desk: one table, one struct of integers, and the rules for changing them.

The file sets the ceiling of each limit (``limits_file.py`` reads it). A limit is tightened at once
and loosened only up to that ceiling, with a typed word and a reason. A looser file alone loosens
nothing: after the restart the values in force before it stand until somebody raises them.
"""

from __future__ import annotations

import difflib
import enum
import hashlib
from collections.abc import Mapping
from decimal import Decimal

import msgspec

from core.domain.units import (
    Money,
    Price,
    Quantity,
    UnitError,
    money_text,
    parse_money,
    parse_price,
    parse_quantity,
    price_text,
    quantity_text,
)

RAISE_WORD = "raise"


class Unit(enum.Enum):
    MONEY = "money"
    PRICE = "price"
    CONTRACTS = "contracts"
    COUNT = "count"
    PERCENT = "percent"
    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    MEGABYTES = "megabytes"


class Scope(enum.Enum):
    """What a limit is counted over."""

    ORDER = "order"
    MARKET = "market"
    EVENT = "event"
    VENUE = "venue"
    TOTAL = "total"
    HEALTH = "health"


class LimitSpec(msgspec.Struct, frozen=True):
    """One row of ``LIMITS``. ``default`` is text in the unit a person writes."""

    name: str
    label: str
    rule: str
    """Code of the gate check that enforces it."""
    unit: Unit
    default: str
    scope: Scope
    floor: bool = False
    """Whether the limit is a minimum, so that a higher value is the tighter one."""

    @property
    def fills_up(self) -> bool:
        """Whether something is used up against it, rather than one order or one reading held to it."""
        held_to = self.floor or self.scope in (Scope.ORDER, Scope.HEALTH) or self.unit is Unit.SECONDS
        return not held_to

    def tighter_or_equal(self, value: int, than: int) -> bool:
        return value >= than if self.floor else value <= than


_M, _P, _C, _N = Unit.MONEY, Unit.PRICE, Unit.CONTRACTS, Unit.COUNT

LIMITS: tuple[LimitSpec, ...] = (
    LimitSpec("order_contracts_max", "contracts an order", "G05", _C, "250", Scope.ORDER),
    LimitSpec("order_cost_max", "cost an order", "G06", _M, "50", Scope.ORDER),
    LimitSpec("order_median_max", "times the median size", "G07", _N, "4", Scope.ORDER),
    LimitSpec("depth_share_max", "share of visible depth", "G07", Unit.PERCENT, "25", Scope.ORDER),
    LimitSpec("collar_book", "beyond the touch", "G08", _P, "0.02", Scope.ORDER),
    LimitSpec("collar_model", "away from fair", "G09", _P, "0.10", Scope.ORDER),
    LimitSpec("edge_min", "least net edge", "G09", _P, "0.02", Scope.ORDER, floor=True),
    LimitSpec("edge_max", "largest believable edge", "G09", _P, "0.15", Scope.ORDER),
    LimitSpec("book_age_max_s", "book age", "G11", Unit.SECONDS, "3", Scope.MARKET),
    LimitSpec("cash_reserve", "cash kept back", "G15", _M, "20", Scope.VENUE, floor=True),
    LimitSpec("market_loss_max", "market", "G16", _M, "100", Scope.MARKET),
    LimitSpec("event_loss_max", "event", "G17", _M, "200", Scope.EVENT),
    LimitSpec("venue_loss_max", "venue", "G18", _M, "500", Scope.VENUE),
    LimitSpec("total_loss_max", "total", "G18", _M, "800", Scope.TOTAL),
    LimitSpec("correlated_loss_max", "correlated markets", "G19", _M, "250", Scope.EVENT),
    LimitSpec("open_orders_market_max", "orders a market", "G20", _N, "4", Scope.MARKET),
    LimitSpec("open_orders_total_max", "open orders", "G20", _N, "20", Scope.TOTAL),
    LimitSpec("rate_second_max", "orders in 1 s", "G21", _N, "2", Scope.TOTAL),
    LimitSpec("rate_minute_max", "orders in 1 min", "G21", _N, "20", Scope.TOTAL),
    LimitSpec("rate_hour_max", "orders in 1 h", "G21", _N, "200", Scope.TOTAL),
    LimitSpec("velocity_15s_max", "filled in 15 s", "G23", _M, "100", Scope.TOTAL),
    LimitSpec("velocity_5min_max", "filled in 5 min", "G23", _M, "300", Scope.TOTAL),
    LimitSpec("repeat_hour_max", "auto entries, 1 h", "G22", _N, "10", Scope.MARKET),
    LimitSpec("day_loss_max", "loss today", "G24", _M, "75", Scope.TOTAL),
    LimitSpec("loss_row_max", "losses in a row", "G25", _N, "5", Scope.TOTAL),
    LimitSpec("loss_hour_max", "losses in 1 h", "G25", _N, "8", Scope.TOTAL),
    LimitSpec("drawdown_max", "below 7-day peak", "G26", Unit.PERCENT, "10", Scope.TOTAL),
    LimitSpec("rejects_max", "rejects in 1 min", "G27", _N, "5", Scope.VENUE),
    LimitSpec("unknowns_max", "unanswered, 1 min", "G27", _N, "3", Scope.VENUE),
    LimitSpec("open_margin_s", "after the open", "G28", Unit.SECONDS, "5", Scope.MARKET, floor=True),
    LimitSpec("close_margin_s", "before the close", "G28", Unit.SECONDS, "60", Scope.MARKET, floor=True),
    LimitSpec("reconcile_age_max_s", "since reconciled", "G01", Unit.SECONDS, "60", Scope.HEALTH),
    LimitSpec("clock_offset_ms_max", "clock offset", "G31", Unit.MILLISECONDS, "500", Scope.HEALTH),
    LimitSpec("loop_lag_ms_max", "engine lag", "G32", Unit.MILLISECONDS, "100", Scope.HEALTH),
    LimitSpec("sync_ms_max", "journal sync", "G32", Unit.MILLISECONDS, "250", Scope.HEALTH),
    LimitSpec("disk_free_mb_min", "disk free", "G32", Unit.MEGABYTES, "512", Scope.HEALTH, floor=True),
    LimitSpec("memory_mb_max", "engine memory", "G32", Unit.MEGABYTES, "1024", Scope.HEALTH),
)

COLLAR_SHARE_FROM, COLLAR_SHARE_TO = Price(1_000), Price(9_000)
"""Between them a collar of the book is never more than a tenth of the price."""
SPEC: dict[str, LimitSpec] = {spec.name: spec for spec in LIMITS}


class Limits(msgspec.Struct, frozen=True):
    """One value for each row of ``LIMITS``, in the integer units of ``core/domain/units.py``."""

    order_contracts_max: Quantity
    order_cost_max: Money
    order_median_max: int
    depth_share_max: int
    collar_book: Price
    collar_model: Price
    edge_min: Price
    edge_max: Price
    book_age_max_s: int
    cash_reserve: Money
    market_loss_max: Money
    event_loss_max: Money
    venue_loss_max: Money
    total_loss_max: Money
    correlated_loss_max: Money
    open_orders_market_max: int
    open_orders_total_max: int
    rate_second_max: int
    rate_minute_max: int
    rate_hour_max: int
    velocity_15s_max: Money
    velocity_5min_max: Money
    repeat_hour_max: int
    day_loss_max: Money
    loss_row_max: int
    loss_hour_max: int
    drawdown_max: int
    rejects_max: int
    unknowns_max: int
    open_margin_s: int
    close_margin_s: int
    reconcile_age_max_s: int
    clock_offset_ms_max: int
    loop_lag_ms_max: int
    sync_ms_max: int
    disk_free_mb_min: int
    memory_mb_max: int

    def collar(self, price: Price) -> Price:
        """How far beyond the touch an order at this price of its outcome may go."""
        shared = COLLAR_SHARE_FROM <= price <= COLLAR_SHARE_TO
        return Price(min(self.collar_book, price // 10) if shared else self.collar_book)

    def value(self, name: str) -> int:
        """The value of one limit; raises ``KeyError`` for a name that is not in ``LIMITS``."""
        return int(getattr(self, SPEC[name].name))

    def digest(self) -> str:
        """Short hash of all values, journalled at every start."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()[:16]


def limit_text(spec: LimitSpec, value: int) -> str:
    """A limit's value as a person writes it, without its unit."""
    match spec.unit:
        case Unit.MONEY:
            return money_text(Money(value))
        case Unit.PRICE:
            return price_text(Price(value))
        case Unit.CONTRACTS:
            return quantity_text(Quantity(value))
        case _:
            return str(value)


def number(spec: LimitSpec, raw: object) -> int:
    """A value as written to the limit's integer; raises ``UnitError``."""
    if isinstance(raw, float):
        raise UnitError(f'{raw!r} is a binary fraction; write it in quotes, like "{raw}"')
    if isinstance(raw, bool) or not isinstance(raw, str | int | Decimal):
        raise UnitError(f"{str(raw)[:40]!r} is not a number")
    text = format(raw, "f") if isinstance(raw, Decimal) else str(raw).strip()
    match spec.unit:
        case Unit.MONEY:
            return parse_money(text)
        case Unit.PRICE:
            return parse_price(text)
        case Unit.CONTRACTS:
            return parse_quantity(text)
        case _:
            if not (text.isascii() and text.removeprefix("-").isdigit()) or len(text) > 9:
                of = "" if spec.unit is Unit.COUNT else f" of {spec.unit.value}"
                raise UnitError(f"{text[:40]!r} is not a whole number{of}")
            return int(text)


DEFAULTS = msgspec.convert({spec.name: number(spec, spec.default) for spec in LIMITS}, Limits)


def nearest_name(name: str) -> str | None:
    """The limit a mistyped name probably means."""
    found = difflib.get_close_matches(name, SPEC, n=1, cutoff=0.5)
    return found[0] if found else None


class Refusal(msgspec.Struct, frozen=True):
    """Why a limit was not changed, one sentence."""

    reason: str


class LiveLimits(msgspec.Struct, frozen=True):
    """The limits in force and the ceilings they may be loosened to."""

    ceilings: Limits
    current: Limits

    @classmethod
    def at_ceilings(cls, ceilings: Limits) -> LiveLimits:
        return cls(ceilings, ceilings)

    @classmethod
    def restored(cls, ceilings: Limits, before: Mapping[str, int]) -> LiveLimits:
        """After a restart: the values ``before`` it, as journalled, or today's file where it is tighter."""
        kept = {
            name: value
            for name, value in before.items()
            if name in SPEC and SPEC[name].tighter_or_equal(value, ceilings.value(name))
        }
        return cls(ceilings, msgspec.structs.replace(ceilings, **kept))

    def held_back(self) -> tuple[LimitSpec, ...]:
        """Limits that are tighter than the file allows."""
        return tuple(s for s in LIMITS if self.current.value(s.name) != self.ceilings.value(s.name))

    def set_live(
        self, name: str, value_text: str, confirm: str = "", reason: str = ""
    ) -> LiveLimits | Refusal:
        """Tighten at once; loosen up to the ceiling with the word ``raise`` and a reason."""
        spec = SPEC.get(name)
        if spec is None:
            near = nearest_name(name)
            return Refusal(
                f"There is no limit {name[:60]!r}" + (f"; did you mean {near!r}?" if near else ".")
            )
        try:
            value = number(spec, value_text)
        except UnitError as error:
            return Refusal(f"{name}: {error}.")
        if value < 0:
            return Refusal(f"{name}: {limit_text(spec, value)} is below zero.")
        ceiling, now = self.ceilings.value(name), self.current.value(name)
        if not spec.tighter_or_equal(value, ceiling):
            return Refusal(
                f"{name} is configured at {limit_text(spec, ceiling)} and cannot be looser than that; "
                "edit the file and restart the engine."
            )
        if not spec.tighter_or_equal(value, now):
            if confirm != RAISE_WORD:
                return Refusal(
                    f"Loosening {name} from {limit_text(spec, now)} needs the typed word '{RAISE_WORD}'."
                )
            if not reason.strip():
                return Refusal(f"Loosening {name} from {limit_text(spec, now)} needs a reason.")
        return msgspec.structs.replace(self, current=msgspec.structs.replace(self.current, **{name: value}))
