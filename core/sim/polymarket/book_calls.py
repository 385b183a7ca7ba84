"""Books and prices of tokens. ``BUY`` asks for the best bid, ``SELL`` for the best ask."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from core.domain.units import Price
from core.sim.polymarket import shapes
from core.sim.polymarket.call import Answer, Call
from core.sim.polymarket.contracts import Market
from core.sim.polymarket.errors import bad, no_book
from core.sim.polymarket.numbers import decimal, price_number, price_text
from core.sim.polymarket.shapes import Wire

TOKENS_MAX = 500
_FEE_CAP = 1000
"""The legacy cap that ``/fee-rate`` still says; nobody pays it."""
_SPANS_S = {
    "1h": 3_600, "6h": 21_600, "1d": 86_400, "1w": 604_800, "1m": 2_592_000, "max": 10**12, "all": 10**12,
}  # fmt: skip


class _Wanted(msgspec.Struct, frozen=True):
    token_id: str
    side: str = ""


def book(call: Call) -> Answer:
    market, token = call.token()
    return Answer(_book(call, market, token))


def books(call: Call) -> Answer:
    """Tokens nobody knows are left out."""
    known = [(call.exchange.tokens.get(w.token_id), w.token_id) for w in _wanted(call)]
    return Answer([_book(call, market, token) for market, token in known if market is not None])


def _book(call: Call, market: Market, token: str) -> Wire:
    """The book, unless a fault has another one told."""
    venue, now_ms = call.venue, call.venue.faults.now_ms()
    if venue.faults.bogus_books:
        return shapes.hashed(market, token, now_ms, [_level("0.01")], [_level("0.99")])
    if not venue.faults.stale_books:
        venue.stale_books.pop(token, None)
        return shapes.book(call.exchange, market, token, now_ms)
    if token not in venue.stale_books:
        venue.stale_books[token] = msgspec.json.encode(shapes.book(call.exchange, market, token, now_ms))
    found: Wire = msgspec.json.decode(venue.stale_books[token])
    return found


def _level(price: str) -> Wire:
    return {"price": price, "size": "100"}


def price(call: Call) -> Answer:
    market, token = call.token()
    side = call.text("side").upper()
    if side not in ("BUY", "SELL"):
        raise bad("Invalid side")
    best = _best(call, market, token)[side == "SELL"]
    if best is None:
        raise no_book()
    return Answer({"price": price_text(best)})


def prices(call: Call) -> Answer:
    found: dict[str, dict[str, str]] = {}
    for wanted in _wanted(call):
        market = call.exchange.tokens.get(wanted.token_id)
        if market is not None:
            best = _best(call, market, wanted.token_id)[wanted.side.upper() == "SELL"]
            if best is not None:
                found.setdefault(wanted.token_id, {})[wanted.side] = price_text(best)
    return Answer(found)


def midpoint(call: Call) -> Answer:
    middle = _middle(call, *call.token())
    if middle is None:
        raise no_book()
    return Answer({"mid": middle})


def midpoints(call: Call) -> Answer:
    return Answer(_each(call, _middle))


def spread(call: Call) -> Answer:
    wide = _spread(call, *call.token())
    if wide is None:
        raise no_book()
    return Answer({"spread": wide})


def spreads(call: Call) -> Answer:
    return Answer(_each(call, _spread))


def last_price(call: Call) -> Answer:
    market, token = call.token()
    return Answer(_last(market, token))


def last_prices(call: Call) -> Answer:
    rows = []
    for wanted in _wanted(call):
        market = call.exchange.tokens.get(wanted.token_id)
        if market is not None:
            rows.append({"token_id": wanted.token_id, **_last(market, wanted.token_id)})
    return Answer(rows)


def tick_size(call: Call) -> Answer:
    return Answer({"minimum_tick_size": price_number(call.token()[0].tick)})


def neg_risk(call: Call) -> Answer:
    return Answer({"neg_risk": call.token()[0].spec.neg_risk})


def fee_rate(call: Call) -> Answer:
    return Answer({"base_fee": _FEE_CAP if call.token()[0].spec.fee.rate else 0})


def history(call: Call) -> Answer:
    """Last prices, one a ``fidelity`` of minutes, of the token ``market`` names."""
    market, token = call.market_of(call.text("market"))
    now_s = call.venue.faults.now_ms() // 1000
    span = call.text("interval")
    if span and span not in _SPANS_S:
        raise bad("invalid interval")
    since_s = call.number("startTs", now_s - _SPANS_S[span or "1d"])
    until_s = call.number("endTs", now_s)
    step_s = max(1, call.number("fidelity", 1)) * 60
    outcome = market.outcome_of(token)
    last: dict[int, tuple[int, int]] = {}
    for at_ms, yes_price in market.history:
        if since_s <= at_ms // 1000 <= until_s:
            last[at_ms // 1000 // step_s] = (at_ms // 1000, yes_price if outcome == 0 else 10_000 - yes_price)
    return Answer({"history": [{"t": at, "p": price_number(p)} for at, p in last.values()]})


def _best(call: Call, market: Market, token: str) -> tuple[Price | None, Price | None]:
    bids, asks = call.exchange.levels(market, market.outcome_of(token))
    return (bids[0][0] if bids else None), (asks[0][0] if asks else None)


def _middle(call: Call, market: Market, token: str) -> str | None:
    bid, ask = _best(call, market, token)
    return None if bid is None or ask is None else decimal((bid + ask) * 5, 5)


def _spread(call: Call, market: Market, token: str) -> str | None:
    bid, ask = _best(call, market, token)
    return None if bid is None or ask is None else price_text(ask - bid)


def _each(call: Call, of: Callable[[Call, Market, str], str | None]) -> dict[str, str]:
    found = {}
    for wanted in _wanted(call):
        market = call.exchange.tokens.get(wanted.token_id)
        value = of(call, market, wanted.token_id) if market is not None else None
        if value is not None:
            found[wanted.token_id] = value
    return found


def _last(market: Market, token: str) -> Wire:
    last = market.last_of(token)
    if last is None:
        return {"price": "0.5", "side": ""}
    return {"price": price_text(last[0]), "side": "BUY" if last[1] else "SELL"}


def _wanted(call: Call) -> list[_Wanted]:
    wanted = call.read(list[_Wanted], "Invalid payload")
    if len(wanted) > TOKENS_MAX:
        raise bad("Payload exceeds the limit")
    return wanted
