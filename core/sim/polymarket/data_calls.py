"""The Data API: what the chain showed some time ago, by funder address."""

from __future__ import annotations

from core.sim.polymarket import chain
from core.sim.polymarket.call import Answer, Call
from core.sim.polymarket.contracts import Market, Resolution
from core.sim.polymarket.errors import bad
from core.sim.polymarket.gamma_shapes import iso
from core.sim.polymarket.indexer import Activity, Position
from core.sim.polymarket.numbers import price_number, units_number
from core.sim.polymarket.shapes import Wire

PAGE = 100
CONDITIONS_MAX = 20
DUST = 100_000
"""Positions below a tenth of a share are hidden unless they are asked for."""
_STATES = ("OPEN", "REDEEMABLE", "REDEEMABLE_LOST", "MERGEABLE", "CLOSED")


def positions(call: Call) -> Answer:
    user, wanted = _user(call), call.text("status")
    if wanted and wanted not in _STATES:
        raise bad("invalid status")
    conditions = [value.lower() for value in call.query.getlist("condition")]
    if len(conditions) > CONDITIONS_MAX:
        raise bad(f"condition takes at most {CONDITIONS_MAX} values")
    rows = []
    pairs = _pairs(call, call.venue.indexer.positions(user))
    for position in call.venue.indexer.positions(user):
        if position.size < _least(call) and wanted != "CLOSED":
            continue
        row = _position(call, user, position, pairs)
        if (not conditions or row["condition_id"] in conditions) and _shows(row, wanted):
            rows.append(row)
    return _page(call, rows)


def trades(call: Call) -> Answer:
    return _page(call, [_trade(call, a) for a in _activity(call)])


def activity(call: Call) -> Answer:
    return _page(call, [_trade(call, a) | {"type": "TRADE"} for a in _activity(call)])


def value(call: Call) -> Answer:
    user, held = _user(call), call.venue.indexer.positions(_user(call))
    pairs = _pairs(call, held)
    total = sum(_position(call, user, p, pairs)["current_value"] for p in held)
    return Answer({"data": [{"user": user, "value": round(total, 6)}]})


def user_stats(call: Call) -> Answer:
    mine = _activity(call)
    markets = {a.order.condition_id for a in mine}
    volume = units_number(sum(a.money for a in mine))
    stats = {"user": _user(call), "trades": len(mine), "volume": volume, "markets": len(markets)}
    return Answer({"data": stats})


def user_pnl(call: Call) -> Answer:
    user, held = _user(call), call.venue.indexer.positions(_user(call))
    pairs = _pairs(call, held)
    rows = [_position(call, user, p, pairs) for p in held]
    names = ("realized_pnl", "unrealized_pnl", "total_pnl")
    return Answer({"data": {name: round(sum(row[name] for row in rows), 6) for name in names}})


def holders(call: Call) -> Answer:
    market = _named_market(call)
    rows = [
        {"token": token, "proxy_wallet": wallet.address, "amount": units_number(wallet.balance(token))}
        for token in market.spec.tokens
        for wallet in call.exchange.wallets.values()
        if wallet.balance(token)
    ]
    return _page(call, rows)


def open_interest(call: Call) -> Answer:
    market = _named_market(call)
    return Answer({"data": [{"condition_id": market.condition_id, "value": units_number(market.vault)}]})


def resolutions(call: Call) -> Answer:
    chosen = [value.lower() for value in call.query.getlist("condition")]
    found = [m for m in call.exchange.markets.values() if not chosen or m.condition_id in chosen]
    rows = [
        {
            "condition_id": m.condition_id,
            "question_id": m.spec.question_id,
            "status": m.resolution.value,
            "reporter": "UMA_OO",
            "payouts": list(m.payouts) if m.payouts is not None else None,
            "proposed_outcome": m.proposed,
            "resolved_at": iso(m.resolved_ms) if m.resolved_ms is not None else None,
        }
        for m in found
        if chosen or m.resolution is not Resolution.INITIALIZED
    ]
    return _page(call, rows)


def approvals(call: Call) -> Answer:
    wallet = call.exchange.wallets.get(_wallet_name(call))
    spenders = chain.SPENDERS if wallet is None else wallet.allowances
    rows = [
        {"spender": spender, "approved": wallet is not None and bool(wallet.allowances[spender])}
        for spender in spenders
    ]
    return Answer({"data": rows})


def status(call: Call) -> Answer:
    lag_ms = call.venue.indexer.lag_ms
    synced_ms = call.venue.faults.now_ms() - lag_ms
    return Answer({"data": {"status": "ok", "synced_at": iso(synced_ms), "lag_seconds": lag_ms / 1000}})


def _user(call: Call) -> str:
    user = call.text("user")
    if len(user) != 42 or not user.startswith("0x"):
        raise bad("invalid user")
    return user.lower()


def _wallet_name(call: Call) -> str:
    user = _user(call)
    return next((known for known in call.exchange.wallets if known.lower() == user), user)


def _named_market(call: Call) -> Market:
    market = call.exchange.markets.get(call.text("condition").lower())
    if market is None:
        raise bad("invalid condition")
    return market


def _activity(call: Call) -> list[Activity]:
    """Newest first."""
    user = _user(call)
    return [a for a in reversed(call.venue.indexer.activity()) if a.order.wallet.lower() == user]


def _shows(row: Wire, wanted: str) -> bool:
    """Whether a position is in the state that is asked for; without one, whether it is still held."""
    if wanted == "MERGEABLE":
        return bool(row["mergeable"])
    return bool(row["status"] == wanted or (not wanted and row["status"] != "CLOSED"))


def _least(call: Call) -> int:
    return call.number("filter_amount", 0) if call.text("filter_type") else DUST


def _pairs(call: Call, held: list[Position]) -> dict[str, int]:
    """Shares held of both outcomes, by condition."""
    sizes: dict[str, list[int]] = {}
    for position in held:
        if position.size > 0:
            sizes.setdefault(call.exchange.tokens[position.token_id].condition_id, []).append(position.size)
    return {condition: min(both) for condition, both in sizes.items() if len(both) == 2}


def _position(call: Call, user: str, position: Position, pairs: dict[str, int]) -> Wire:
    market = call.exchange.tokens[position.token_id]
    outcome = market.outcome_of(position.token_id)
    last = market.last_of(position.token_id)
    paid = market.payouts[outcome] // 100 if market.payouts is not None else None
    price = paid if paid is not None else last[0] if last else 0
    worth = position.size * price // 10_000
    held = position.size > 0
    state = "OPEN" if held else "CLOSED"
    if held and paid is not None:
        state = "REDEEMABLE" if paid else "REDEEMABLE_LOST"
    return {
        "proxy_wallet": user,
        "token_id": position.token_id,
        "condition_id": market.condition_id,
        "current_size": units_number(position.size),
        "avg_price": price_number(position.average),
        "entry_cost_usdc": units_number(position.cost),
        "entry_fees_usdc": units_number(position.fees),
        "total_cost_usdc": units_number(position.cost + position.fees),
        "current_price": price_number(price),
        "current_value": units_number(worth),
        "realized_pnl": units_number(position.realized),
        "unrealized_pnl": units_number(worth - position.cost),
        "total_pnl": units_number(position.realized + worth - position.cost - position.fees),
        "status": state,
        "redeemable": held and paid is not None,
        "mergeable": market.condition_id in pairs and paid is None,
        "negative_risk": market.spec.neg_risk,
        "outcome": market.spec.outcomes[outcome],
        "outcome_index": outcome,
        "opposite_token_id": market.spec.tokens[1 - outcome],
        "end_date": iso(market.spec.ends_ms),
    }


def _trade(call: Call, a: Activity) -> Wire:
    market = call.exchange.markets[a.order.condition_id]
    return {
        "proxy_wallet": a.order.wallet,
        "side": a.order.action.value,
        "token_id": a.order.token_id,
        "condition_id": market.condition_id,
        "size": units_number(a.shares),
        "price": price_number(a.price),
        "usdc_size": units_number(a.money),
        "fees_usdc": units_number(a.fee),
        "timestamp": a.at_ms // 1000,
        "title": market.spec.question,
        "slug": market.spec.slug,
        "event_slug": market.event.slug,
        "outcome": market.spec.outcomes[a.order.outcome],
        "outcome_index": a.order.outcome,
        "transaction_hash": a.trade.hash,
    }


def _page(call: Call, rows: list[Wire]) -> Answer:
    limit, start = call.number("limit", PAGE, most=500), call.number("cursor", call.number("offset", 0))
    more = start + limit < len(rows)
    around: Wire = {"limit": limit, "offset": start, "has_more": more}
    if more:
        around["next_cursor"] = str(start + limit)
    return Answer({"data": rows[start : start + limit], "pagination": around})
