"""Events and markets as Gamma writes them: lists inside JSON strings, numbers as floats and as text."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from core.sim.polymarket.contracts import EventSpec, Market, Resolution, Version
from core.sim.polymarket.exchange import Exchange
from core.sim.polymarket.numbers import price_number, price_text, units_number, units_text
from core.sim.polymarket.shapes import Wire

_UMA_WORDS = {Resolution.INITIALIZED: None, Resolution.PROPOSED: "proposed", Resolution.RESOLVED: "resolved"}


def iso(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def market(exchange: Exchange, m: Market, *, with_event: bool = True) -> Wire:
    """One market; ``with_event`` adds its event, as a market by itself has it."""
    spec, fee = m.spec, m.spec.fee
    found: Wire = {
        "id": str(spec.number),
        "question": spec.question,
        "conditionId": m.condition_id,
        "slug": spec.slug,
        "resolutionSource": spec.resolution_source,
        "endDate": iso(spec.ends_ms),
        "startDate": iso(spec.opens_ms),
        "description": spec.description,
        "outcomes": _inside(list(spec.outcomes)),
        "outcomePrices": _inside(_prices(exchange, m)),
        "active": True,
        "closed": m.closed,
        "archived": False,
        "new": False,
        "restricted": True,
        "groupItemTitle": spec.group_title,
        "questionID": spec.question_id,
        "enableOrderBook": True,
        "orderPriceMinTickSize": price_number(m.tick),
        "orderMinSize": units_number(spec.min_size),
        "volume": units_text(m.volume),
        "volumeNum": units_number(m.volume),
        "liquidity": units_text(_liquidity(exchange, m)),
        "liquidityNum": units_number(_liquidity(exchange, m)),
        "endDateIso": iso(spec.ends_ms)[:10],
        "startDateIso": iso(spec.opens_ms)[:10],
        "makerBaseFee": 1000 if fee.rate else 0,
        "takerBaseFee": 1000 if fee.rate else 0,
        "acceptingOrders": m.tradeable,
        "acceptingOrdersTimestamp": iso(spec.opens_ms),
        "createdAt": iso(m.created_ms),
        "updatedAt": iso(exchange.clock.wall_ms()),
        "negRisk": spec.neg_risk,
        "negRiskOther": False,
        "secondsDelay": spec.delay_s,
        "clearBookOnStart": spec.clears_on_start,
        "umaResolutionStatuses": _inside(_uma(m)),
        "resolutionStatus": "resolved" if m.payouts is not None else "active",
        "rewardsMinSize": 50,
        "rewardsMaxSpread": 4.5,
        "feesEnabled": bool(fee.rate),
        "version": spec.version.value,
        **_quotes(exchange, m),
    }
    # Position ids are a real array; token ids of the first generation a string.
    if spec.version is Version.V2:
        found["positionIds"] = list(spec.tokens)
    else:
        found["clobTokenIds"] = _inside(list(spec.tokens))
    if fee.rate:
        found["feeType"] = f"{fee.category}_fees_v2"
        found["feeSchedule"] = {
            "exponent": fee.exponent,
            "rate": fee.rate / 10_000,
            "takerOnly": True,
            "rebateRate": fee.rebate_percent / 100,
        }
    if spec.neg_risk:
        found["negRiskMarketID"] = m.event.neg_risk_market_id
    if (word := _UMA_WORDS[m.resolution]) is not None:
        found["umaResolutionStatus"] = word
    if with_event:
        found["events"] = [event(exchange, m.event, with_markets=False)]
    return found


def event(exchange: Exchange, spec: EventSpec, *, with_markets: bool = True) -> Wire:
    markets = [exchange.markets[m.condition_id] for m in spec.markets]
    volume = sum(m.volume for m in markets)
    liquidity = sum(_liquidity(exchange, m) for m in markets)
    found: Wire = {
        "id": str(spec.number),
        "ticker": spec.slug,
        "slug": spec.slug,
        "title": spec.title,
        "description": spec.description,
        "resolutionSource": spec.resolution_source,
        "startDate": iso(min(m.spec.opens_ms for m in markets)),
        "endDate": iso(max(m.spec.ends_ms for m in markets)),
        "active": True,
        "closed": all(m.closed for m in markets),
        "archived": False,
        "new": False,
        "featured": False,
        "restricted": True,
        "liquidity": units_number(liquidity),
        "volume": units_number(volume),
        "enableOrderBook": True,
        "negRisk": spec.neg_risk,
        "tags": [{"id": str(number), "label": label, "slug": slug} for number, label, slug in spec.tags],
        "seriesSlug": spec.series_slug,
        "createdAt": iso(min(m.created_ms for m in markets)),
        "updatedAt": iso(exchange.clock.wall_ms()),
    }
    if spec.neg_risk:
        found["negRiskMarketID"] = spec.neg_risk_market_id
    if with_markets:
        found["markets"] = [market(exchange, m, with_event=False) for m in markets]
    return found


def _inside(values: list[str]) -> str:
    return json.dumps(values)


def _prices(exchange: Exchange, m: Market) -> list[str]:
    """Midpoints, the last price where a side is missing, what it paid once it has."""
    if m.payouts is not None:
        return [units_text(m.payouts[0]), units_text(m.payouts[1])]
    bids, asks = exchange.levels(m, 0)
    if bids and asks:
        middle = (bids[0][0] + asks[0][0]) / 2
    else:
        last = m.last_of(m.spec.tokens[0])
        middle = last[0] if last else 5_000
    return [f"{middle / 10_000:g}", f"{(10_000 - middle) / 10_000:g}"]


def _quotes(exchange: Exchange, m: Market) -> Wire:
    bids, asks = exchange.levels(m, 0)
    last = m.last_of(m.spec.tokens[0])
    bid, ask = (bids[0][0] if bids else 0), (asks[0][0] if asks else 10_000)
    found: Wire = {
        "bestBid": price_number(bid),
        "bestAsk": price_number(ask),
        "spread": float(price_text(ask - bid)),
    }
    if last:
        found["lastTradePrice"] = price_number(last[0])
    return found


def _liquidity(exchange: Exchange, m: Market) -> int:
    """What rests on both sides, in dollars."""
    bids, asks = exchange.levels(m, 0)
    return sum(p * n // 10_000 for p, n in bids) + sum((10_000 - p) * n // 10_000 for p, n in asks)


def _uma(m: Market) -> list[str]:
    word = _UMA_WORDS[m.resolution]
    return ["proposed", "resolved"] if word == "resolved" else [word] if word else []
