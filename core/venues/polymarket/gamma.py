"""Gamma's markets as ``Market`` and ``Terms``: what could be traded here, or the reason why not.

A market's two outcome tokens are one market in terms of its first outcome. Prices, sizes and states that
Gamma caches (best bid, last trade) are not read: the CLOB has them.
"""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec

from core.domain.market import (
    FeeSchedule,
    FeeType,
    Market,
    MarketStatus,
    PriceBand,
    TickGrid,
    Venue,
)
from core.domain.text import clean_text
from core.domain.units import ONE_DOLLAR, Price, UnitError, parse_money
from core.venues.polymarket import brackets, tokens
from core.venues.polymarket.gamma_wire import (
    EventHead,
    FeeWire,
    MarketHead,
    MarketWire,
    flag,
    price,
    shares,
    texts,
    written,
)
from core.venues.polymarket.settles import settles
from core.venues.polymarket.terms import TICKS, Terms
from core.venues.polymarket.tokens import Version
from core.venues.venue import SettlementReport
from core.venues.wire import Odd, WireError, rfc3339_ms

RULES_CHARS_MAX: Final = 8_000
RATE_E6_MAX: Final = 1_000_000
EXPONENT_MAX: Final = 4
EVENT_URL: Final = "https://polymarket.com/event/"

_PAYOUTS: Final = {ONE_DOLLAR: "yes", Price(0): "no", Price(5_000): "split"}
_UMA: Final = frozenset({"", "proposed", "disputed", "requested", "resolved", "settled"})
_RESOLUTION: Final = frozenset({"", "inactive", "active", "resolved"})


class HydratingError(WireError):
    """Listed, and its order book is not there yet: ask again later."""


class Listed(msgspec.Struct, frozen=True):
    """A market that can be traded on these terms."""

    market: Market
    terms: Terms


class Quarantined(msgspec.Struct, frozen=True):
    """A market this client does not touch, and why."""

    name: str
    """Its slug, or what there is of one, safe to show."""
    title: str
    reason: str
    hydrating: bool = False
    """Whether it is only too new."""


def named(head: MarketHead) -> tuple[str, str]:
    """What to call a market that cannot be read, and its title; both safe to show."""
    name = head.slug if isinstance(head.slug, str) and head.slug else head.id
    said = clean_text(name, 80) if isinstance(name, str) else ""
    return said or "a market without a name", (
        clean_text(head.question) if isinstance(head.question, str) else ""
    )


def listed(wire: MarketWire, event: EventHead, series: str, odd: Odd) -> Listed:
    """One market of ``event``, filed under ``series``. Raises ``WireError`` when it must not be traded."""
    version = tokens.version(wire.version)
    condition = tokens.condition_id(wire.condition_id)
    pair = _tokens(wire, version, condition)
    tick = tick_size(wire.order_price_min_tick_size, "orderPriceMinTickSize")
    minimum = shares(wire.order_min_size, "orderMinSize")
    neg_risk = flag(wire.neg_risk, "negRisk")
    end = wire.end_date or event.end_date
    if not end:
        raise WireError("endDate: missing")
    strike = brackets.strike(wire.question, odd.text(wire.group_item_title, "groupItemTitle"), odd)
    description = wire.description if isinstance(wire.description, str) else ""
    source = wire.resolution_source if isinstance(wire.resolution_source, str) else ""
    close_ms = rfc3339_ms(_zoned(end), "endDate")
    about = settles(event.slug, wire.question, description, source, close_ms)
    payout = _payout(wire, odd)
    market = Market(
        venue=Venue.POLYMARKET,
        ticker=wire.slug,
        event_ticker=event.slug,
        series_ticker=series,
        label=brackets.label(event.slug, wire.slug, strike),
        title=clean_text(wire.question),
        strike=strike,
        grid=tick_grid(tick),
        fees=fee_schedule(wire.fees_enabled, wire.fee_schedule, odd),
        open_ms=_opened_ms(wire, odd),
        close_ms=close_ms,
        status=_status(wire, payout),
        result=_PAYOUTS[payout] if payout is not None else "",
        exclusive=neg_risk and event.neg_risk is True,
        rules=clean_text(f"{description} {source}", RULES_CHARS_MAX),
        rules_hash=hashlib.sha256(f"{description}\0{source}".encode("utf-8", "surrogatepass")).hexdigest(),
        station=about.station,
        climate_day=about.day,
        extreme=about.extreme,
        source=about.source,
        doubt=about.doubt,
        minimum=minimum,
    )
    terms = Terms(
        ticker=wire.slug,
        condition_id=condition,
        version=version,
        tokens=pair,
        neg_risk=neg_risk,
        tick=tick,
        minimum=minimum,
        url=EVENT_URL + event.slug,
    )
    return Listed(market, terms)


def settlement(wire: MarketWire, odd: Odd) -> SettlementReport | None:
    """The payout of a resolved market; ``None`` before that or while its final prices are missing."""
    payout = _payout(wire, odd)
    if payout is None:
        return None
    at_ms = _time(wire.closed_time, "closedTime", odd) or _time(wire.end_date, "endDate", odd)
    return SettlementReport(wire.slug, payout, _PAYOUTS[payout], at_ms or 0)


def tick_size(value: object, field: str) -> Price:
    """Raises ``WireError`` for a grid this client cannot make amounts for."""
    tick = price(value, field)
    if tick not in TICKS:
        raise WireError(f"{field}: {written(value, field)[:20]} is not a tick size of this venue")
    return tick


def tick_grid(tick: Price) -> TickGrid:
    """From one tick to one tick below a dollar."""
    return TickGrid((PriceBand(tick, Price(ONE_DOLLAR - tick), tick),))


def fee_schedule(enabled: object, wire: FeeWire | None, odd: Odd) -> FeeSchedule:
    """The fees of takers. What cannot be computed is ``UNKNOWN``, never a guess.

    ``makerBaseFee`` and ``takerBaseFee`` are caps from the past and say nothing.
    """
    if enabled is None or enabled is False:
        return FeeSchedule(FeeType.TAKER_CURVE, 0)
    if enabled is not True or wire is None:
        odd.notes.append("fees: charged by a schedule that is not published")
        return FeeSchedule(FeeType.UNKNOWN)
    return curve(wire.rate, wire.exponent, wire.taker_only, odd)


def curve(rate: object, exponent: object, taker_only: object, odd: Odd) -> FeeSchedule:
    """A published schedule: rate in dollars, whole exponent, takers only."""
    try:
        rate_e6 = parse_money(written(rate, "rate"))
        # Texts and floats alike: "1", 1 and 1.0 are the same exponent.
        power = parse_money(written(exponent, "exponent"))
    except (UnitError, WireError) as error:
        odd.notes.append(f"fees: {error}")
        return FeeSchedule(FeeType.UNKNOWN)
    whole, part = divmod(power, 1_000_000)
    if not 0 <= rate_e6 <= RATE_E6_MAX or part or not 1 <= whole <= EXPONENT_MAX or taker_only is not True:
        odd.notes.append(f"fees: rate {rate_e6} e-6 to the power of {power} e-6 cannot be computed")
        return FeeSchedule(FeeType.UNKNOWN)
    return FeeSchedule(FeeType.TAKER_CURVE, rate_e6, exponent=whole)


def _tokens(wire: MarketWire, version: Version, condition: str) -> tokens.Tokens:
    if version is Version.V1:
        ids, field = texts(wire.clob_token_ids, "clobTokenIds"), "clobTokenIds"
    else:
        ids, field = texts(wire.position_ids, "positionIds"), "positionIds"
    if not ids:
        raise HydratingError(f"{field}: the venue has not given it tokens yet")
    pair, names = tokens.tokens(version, ids, condition), texts(wire.outcomes, "outcomes")
    if len(names) != 2:
        raise WireError(f"outcomes: {len(names)} instead of 2")
    return tokens.Tokens(pair.no, pair.yes) if _reversed(names) else pair


def _reversed(names: list[str]) -> bool:
    """Whether the list begins with what everybody calls NO."""
    return [name.strip().lower() for name in names] == ["no", "yes"]


def _payout(wire: MarketWire, odd: Odd) -> Price | None:
    """What one YES share pays once the market is resolved. Raises ``WireError`` for an impossible one."""
    uma, resolution = _state(wire.uma_resolution_status, _UMA), _state(wire.resolution_status, _RESOLUTION)
    if not flag(wire.closed, "closed") or ("resolved" not in (uma, resolution) and uma != "settled"):
        return None
    prices = [price(text, "outcomePrices") for text in texts(wire.outcome_prices, "outcomePrices")]
    if len(prices) != 2:
        odd.notes.append("outcomePrices: resolved without a payout")
        return None
    if sum(prices) != ONE_DOLLAR or prices[0] not in _PAYOUTS:
        odd.notes.append("outcomePrices: not a payout yet")
        return None
    return prices[1] if _reversed(texts(wire.outcomes, "outcomes")) else prices[0]


def _state(value: object, known: frozenset[str]) -> str:
    """A resolution word. Raises ``WireError`` for one nobody has told us of."""
    word = "" if value is None else value
    if not isinstance(word, str) or word not in known:
        raise WireError(f"resolution: {str(word)[:40]!r} is not a known state")
    return word


def _status(wire: MarketWire, payout: Price | None) -> MarketStatus:
    uma = _state(wire.uma_resolution_status, _UMA)
    if payout is not None:
        return MarketStatus.FINALIZED
    if uma == "disputed":
        return MarketStatus.DISPUTED
    if uma in ("proposed", "resolved", "settled"):
        return MarketStatus.DETERMINED
    if flag(wire.closed, "closed"):
        return MarketStatus.CLOSED
    if not flag(wire.active, "active"):
        return MarketStatus.INITIALIZED
    trades = flag(wire.accepting_orders, "acceptingOrders") and flag(
        wire.enable_order_book, "enableOrderBook"
    )
    return MarketStatus.ACTIVE if trades and not flag(wire.archived, "archived") else MarketStatus.INACTIVE


def _opened_ms(wire: MarketWire, odd: Odd) -> int:
    accepted = _time(wire.accepting_orders_timestamp, "acceptingOrdersTimestamp", odd)
    return accepted or _time(wire.start_date, "startDate", odd) or 0


def _zoned(value: object) -> object:
    """``2026-11-23 18:00:00+00``, the form of game starts, as RFC 3339."""
    if isinstance(value, str) and value.endswith("+00"):
        return f"{value.replace(' ', 'T', 1)}:00"
    return value


def _time(value: object, field: str, odd: Odd) -> int | None:
    return odd.time(_zoned(value), field)
