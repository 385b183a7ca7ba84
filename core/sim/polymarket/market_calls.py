"""Markets as the CLOB describes them, and the venue's clock, version and health."""

from __future__ import annotations

from core.sim.polymarket.call import Answer, Call
from core.sim.polymarket.contracts import Market, Version
from core.sim.polymarket.errors import not_found
from core.sim.polymarket.gamma_shapes import iso
from core.sim.polymarket.numbers import price_number, price_text, units_number, units_text
from core.sim.polymarket.shapes import Wire

_FEE_CAP = 1000
_REWARDS = {"mi": 50, "ma": 4.5, "moas": 30}
_ACTIVITY = 50


def ok(_: Call) -> Answer:
    return Answer("OK")


def version(_: Call) -> Answer:
    return Answer({"version": 2})


def time(call: Call) -> Answer:
    return Answer(call.venue.faults.now_ms() // 1000)


def geoblock(call: Call) -> Answer:
    place = call.venue.geography
    return Answer(
        {"blocked": place.blocked, "ip": place.ip, "country": place.country, "region": place.region}
    )


def one(call: Call) -> Answer:
    return Answer(_market(call, call.condition()))


def many(call: Call) -> Answer:
    return _page(call, list(call.exchange.markets.values()), full=True)


def simplified(call: Call) -> Answer:
    return _page(call, list(call.exchange.markets.values()), full=False)


def sampling(call: Call) -> Answer:
    return _page(call, _rewarded(call), full=True)


def sampling_simplified(call: Call) -> Answer:
    return _page(call, _rewarded(call), full=False)


def by_token(call: Call) -> Answer:
    market = call.exchange.tokens.get(call.path["token_id"])
    if market is None:
        raise not_found("market not found")
    first, second = market.spec.tokens
    return Answer(
        {"condition_id": market.condition_id, "primary_token_id": first, "secondary_token_id": second}
    )


def compact(call: Call) -> Answer:
    """All an order needs, in letters; what is false or free is left out."""
    market = call.condition()
    spec = market.spec
    found: Wire = {
        "r": _REWARDS,
        "t": [{"t": token, "o": word} for token, word in zip(spec.tokens, spec.outcomes, strict=True)],
        "c": market.condition_id,
        "mos": units_number(spec.min_size),
        "mts": price_number(market.tick),
        "mbf": _FEE_CAP if spec.fee.rate else 0,
        "tbf": _FEE_CAP if spec.fee.rate else 0,
        "ao": market.tradeable,
        "aot": iso(market.spec.opens_ms),
        "cbos": spec.clears_on_start,
        "itode": spec.holds_takers,
        "sd": spec.delay_s,
        "v": spec.version.value,
    }
    if spec.neg_risk:
        found["nr"] = True
    if spec.fee.rate:
        found["fd"] = {"r": spec.fee.rate / 10_000, "e": spec.fee.exponent, "to": True}
    return Answer(found)


def activity(call: Call) -> Answer:
    """A market's newest trades."""
    market = call.condition()
    trades = [t for t in reversed(call.exchange.trades.values()) if t.condition_id == market.condition_id]
    return Answer(
        [
            {
                "event_type": "trade",
                "market": {"condition_id": market.condition_id, "asset_id": t.taker.token_id},
                "side": t.taker.action.value,
                "size": units_text(t.shares),
                "price": price_text(t.price),
                "outcome": market.spec.outcomes[t.taker.outcome],
                "outcome_index": t.taker.outcome,
                "timestamp": str(t.matched_ms // 1000),
                "transaction_hash": t.hash,
            }
            for t in trades[:_ACTIVITY]
        ]
    )


def builder_fees(call: Call) -> Answer:
    return Answer({"builder_maker_fee_rate_bps": 0, "builder_taker_fee_rate_bps": 0})


def _rewarded(call: Call) -> list[Market]:
    return [market for market in call.exchange.markets.values() if market.tradeable]


def _page(call: Call, markets: list[Market], *, full: bool) -> Answer:
    shown, around = call.page(markets)
    rows = [_market(call, m) if full else _simplified(m) for m in shown]
    return Answer({"data": rows, **around})


def _tokens(market: Market) -> list[Wire]:
    found = []
    for index, (token, word) in enumerate(zip(market.spec.tokens, market.spec.outcomes, strict=True)):
        last = market.last_of(token)
        winner = market.payouts is not None and market.payouts[index] > market.payouts[1 - index]
        found.append(
            {
                "token_id": token,
                "outcome": word,
                "price": price_number(last[0]) if last else 0.5,
                "winner": winner,
            }
        )
    return found


def _simplified(market: Market) -> Wire:
    return {
        "condition_id": market.condition_id,
        "rewards": {"rates": None, "min_size": _REWARDS["mi"], "max_spread": _REWARDS["ma"]},
        "tokens": _tokens(market),
        "active": True,
        "closed": market.closed,
        "archived": False,
        "accepting_orders": market.tradeable,
    }


def _market(call: Call, market: Market) -> Wire:
    spec = market.spec
    return {
        "enable_order_book": True,
        "active": True,
        "closed": market.closed,
        "archived": False,
        "accepting_orders": market.tradeable,
        "accepting_order_timestamp": iso(market.spec.opens_ms),
        "minimum_order_size": units_number(spec.min_size),
        "minimum_tick_size": price_number(market.tick),
        "condition_id": market.condition_id,
        "question_id": spec.question_id,
        "question": spec.question,
        "description": spec.description,
        "market_slug": spec.slug,
        "end_date_iso": iso(spec.ends_ms),
        "game_start_time": None,
        "seconds_delay": spec.delay_s,
        "maker_base_fee": _FEE_CAP if spec.fee.rate else 0,
        "taker_base_fee": _FEE_CAP if spec.fee.rate else 0,
        "notifications_enabled": True,
        "neg_risk": spec.neg_risk,
        "neg_risk_market_id": market.event.neg_risk_market_id,
        "neg_risk_request_id": "",
        "is_50_50_outcome": False,
        "tokens": _tokens(market),
        "tags": [label for _, label, _ in market.event.tags],
        "rewards": {"rates": None, "min_size": _REWARDS["mi"], "max_spread": _REWARDS["ma"]},
        **({"version": "v2"} if spec.version is Version.V2 else {}),
    }
