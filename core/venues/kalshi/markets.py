"""Kalshi's series, event and market objects as ``Market`` values, and what life-cycle messages change."""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec

from core.domain.market import (
    Market,
    MarketStatus,
    PriceBand,
    Strike,
    StrikeKind,
    TickGrid,
    Venue,
)
from core.domain.text import clean_text
from core.domain.units import ONE_DOLLAR, Price, UnitError, parse_price
from core.venues.kalshi import figures, fixings, games, hourly, index_means, totals
from core.venues.kalshi import series as names
from core.venues.kalshi.fees import Changes, Override, SeriesTerms, concerning, fee_changes, fee_schedule
from core.venues.kalshi.labels import label
from core.venues.kalshi.settles import settles
from core.venues.venue import SettlementReport
from core.venues.wire import SECOND_MS, Name, Odd, WireError, rfc3339_ms

RULES_CHARS_MAX = 8_000
BANDS_MAX = 32

_KINDS: Final = {kind.value: kind for kind in StrikeKind}
NO_CHANGES: Final = Changes()
_STATUSES: Final = {status.value: status for status in MarketStatus}


class SeriesWire(msgspec.Struct, frozen=True):
    ticker: Name
    fee_type: object = None
    fee_multiplier: object = None

    @property
    def terms(self) -> SeriesTerms:
        return SeriesTerms(self.fee_type, self.fee_multiplier)


class SeriesPage(msgspec.Struct, frozen=True):
    series: SeriesWire


class EventWire(msgspec.Struct, frozen=True):
    event_ticker: Name
    series_ticker: Name
    mutually_exclusive: bool = False
    fee_type_override: object = None
    fee_multiplier_override: object = None

    @property
    def override(self) -> Override:
        return Override(self.fee_type_override, self.fee_multiplier_override)


class EventPage(msgspec.Struct, frozen=True):
    event: EventWire


class BandWire(msgspec.Struct, frozen=True):
    start: str
    end: str
    step: str


class MarketWire(msgspec.Struct, frozen=True):
    ticker: Name
    event_ticker: Name
    status: str
    open_time: str
    close_time: str
    price_ranges: list[BandWire]
    market_type: object = "binary"
    title: object = None
    yes_sub_title: object = None
    strike_type: object = None
    floor_strike: object = None
    cap_strike: object = None
    result: object = None
    expiration_value: object = None
    settlement_timer_seconds: object = None
    settlement_value_dollars: object = None
    settlement_ts: object = None
    fee_waiver_expiration_time: object = None
    rules_primary: object = None
    rules_secondary: object = None
    exchange_index: object = None
    volume_fp: object = None


class MarketPage(msgspec.Struct, frozen=True):
    market: msgspec.Raw


def tick_grid(bands: list[BandWire]) -> TickGrid:
    """Raises ``WireError`` for a grid no order could be priced on."""
    if not 0 < len(bands) <= BANDS_MAX:
        raise WireError(f"price_ranges: {len(bands)} bands")
    try:
        parsed = tuple(
            PriceBand(parse_price(band.start), parse_price(band.end), parse_price(band.step))
            for band in bands
        )
    except UnitError as error:
        raise WireError(f"price_ranges: {error}") from None
    for band in parsed:
        if not (0 <= band.start < band.end <= ONE_DOLLAR and 0 < band.step <= ONE_DOLLAR):
            raise WireError("price_ranges: a band is empty, outside 0 to 1 dollar or without a step")
    return TickGrid(parsed)


def strike(kind: object, floor: object, cap: object, odd: Odd) -> Strike:
    known = _KINDS.get(kind, StrikeKind.OTHER) if isinstance(kind, str) else StrikeKind.OTHER
    return Strike(known, odd.number(floor, "floor_strike"), odd.number(cap, "cap_strike"))


def market_status(text: str) -> MarketStatus:
    return _STATUSES.get(text, MarketStatus.UNKNOWN)


def _rules(wire: MarketWire) -> tuple[str, str]:
    primary = wire.rules_primary if isinstance(wire.rules_primary, str) else ""
    secondary = wire.rules_secondary if isinstance(wire.rules_secondary, str) else ""
    return primary, secondary


def market(
    wire: MarketWire, event: EventWire, series: SeriesWire, odd: Odd, changes: Changes = NO_CHANGES
) -> Market:
    """One market. Raises ``WireError`` when it could not be traded on these terms."""
    if wire.market_type != "binary":
        raise WireError("market_type: only yes/no markets are traded here")
    ticker, series_ticker = wire.ticker, event.series_ticker
    primary, secondary = _rules(wire)
    terms = strike(wire.strike_type, wire.floor_strike, wire.cap_strike, odd)
    day = names.event_day(wire.event_ticker, series_ticker)
    about = settles(series_ticker, day, primary, secondary)
    close_ms = rfc3339_ms(wire.close_time, "close_time")
    index = index_means.settles(series_ticker, wire.event_ticker, close_ms, primary, secondary)
    price = fixings.settles(series_ticker, wire.event_ticker, close_ms, primary, secondary)
    figure = figures.settles(series_ticker, close_ms, primary, secondary)
    hour = hourly.settles(series_ticker, wire.event_ticker, close_ms, primary, secondary)
    total = totals.settles(series_ticker, wire.event_ticker, primary, secondary)
    doubt = about.doubt or index.doubt or price.doubt or figure.doubt or hour.doubt
    if doubt:
        odd.notes.append(doubt)
    waived_until_ms = odd.time(wire.fee_waiver_expiration_time, "fee_waiver_expiration_time")
    return Market(
        venue=Venue.KALSHI,
        ticker=ticker,
        event_ticker=wire.event_ticker,
        series_ticker=series_ticker,
        label=label(series_ticker, wire.event_ticker, ticker, terms),
        title=odd.text(wire.title, "title") or odd.text(wire.yes_sub_title, "yes_sub_title"),
        strike=terms,
        grid=tick_grid(wire.price_ranges),
        fees=fee_schedule(series.terms, event.override, waived_until_ms, odd),
        fee_changes=fee_changes(
            series.terms,
            event.override,
            concerning(changes, series_ticker, wire.event_ticker),
            waived_until_ms,
            odd,
        ),
        open_ms=rfc3339_ms(wire.open_time, "open_time"),
        close_ms=close_ms,
        status=market_status(wire.status),
        result=odd.text(wire.result, "result", 20),
        expiration_value=odd.text(wire.expiration_value, "expiration_value", 40),
        settlement_timer_s=odd.whole(wire.settlement_timer_seconds, "settlement_timer_seconds") or 0,
        exclusive=event.mutually_exclusive,
        rules=clean_text(f"{primary} {secondary}", RULES_CHARS_MAX),
        rules_hash=hashlib.sha256(f"{primary}\0{secondary}".encode("utf-8", "surrogatepass")).hexdigest(),
        station=about.station,
        climate_day=day.isoformat() if about.station is not None and day is not None else None,
        extreme=names.extreme(series_ticker),
        authority=about.authority,
        doubt=doubt,
        mean=index.mean,
        fixing=price.fixing,
        reading=hour.reading,
        contest=games.contest(series_ticker),
        figure=figure.figure,
        unpriced=total.unpriced,
        unconfirmed=next(
            (one.unconfirmed for one in (index, price, figure, hour, total) if one.unconfirmed), ""
        ),
        shard=odd.whole(wire.exchange_index, "exchange_index") or 0,
    )


def settlement(wire: MarketWire, odd: Odd) -> SettlementReport | None:
    """The payout of a finalized market; ``None`` before that or while its value is missing."""
    if wire.status != MarketStatus.FINALIZED.value or not isinstance(wire.settlement_value_dollars, str):
        return None
    try:
        payout = parse_price(wire.settlement_value_dollars)
    except UnitError as error:
        raise WireError(f"settlement_value_dollars: {error}") from None
    if not 0 <= payout <= ONE_DOLLAR:
        raise WireError("settlement_value_dollars: outside 0 to 1 dollar")
    at_ms = odd.time(wire.settlement_ts, "settlement_ts")
    return SettlementReport(wire.ticker, Price(payout), odd.text(wire.result, "result", 20), at_ms or 0)


class LifecycleWire(msgspec.Struct, frozen=True):
    """Body of ``market_lifecycle_v2``; which fields are set depends on ``event_type``."""

    event_type: str
    market_ticker: Name
    close_ts: object = None
    result: object = None
    price_ranges: object = None


def apply_lifecycle(known: Market, wire: LifecycleWire, odd: Odd) -> Market:
    """The market after a message; unchanged for events that say nothing we hold."""
    replace = msgspec.structs.replace
    match wire.event_type:
        case "activated":
            return replace(known, status=MarketStatus.ACTIVE)
        case "deactivated":
            return replace(known, status=MarketStatus.INACTIVE)
        case "close_date_updated":
            close_ms = odd.moment(wire.close_ts, "close_ts", SECOND_MS)
            return known if close_ms is None else replace(known, close_ms=close_ms)
        case "determined":
            return replace(known, status=MarketStatus.DETERMINED, result=odd.text(wire.result, "result", 20))
        case "price_level_structure_updated":
            try:
                return replace(known, grid=tick_grid(msgspec.convert(wire.price_ranges, list[BandWire])))
            except (msgspec.ValidationError, WireError) as error:
                odd.notes.append(f"price_ranges: {clean_text(str(error))}")
                return replace(known, status=MarketStatus.UNKNOWN)
        case _:
            return known


class EventFeeWire(msgspec.Struct, frozen=True):
    """Body of ``event_fee_update``; nulls clear an override."""

    event_ticker: Name
    fee_type_override: object = None
    fee_multiplier_override: object = None
