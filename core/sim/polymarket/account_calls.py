"""A key's own orders, trades, balances, notices and heartbeats."""

from __future__ import annotations

import msgspec

from core.sim.polymarket import shapes
from core.sim.polymarket.call import Answer, Call
from core.sim.polymarket.contracts import Version
from core.sim.polymarket.errors import bad, not_found
from core.sim.polymarket.orders import Trade
from core.sim.polymarket.typed_data import SignatureType
from core.sim.polymarket.wallets import PUSD, Wallet


class _Beat(msgspec.Struct, frozen=True):
    heartbeat_id: str = ""


def one_order(call: Call) -> Answer:
    """In any state, as long as it is remembered."""
    order = call.exchange.orders.get(call.path["order_id"])
    if order is None or order.owner != call.member.key or call.exchange.delays.hides(order):
        raise not_found("order not found")
    return Answer(shapes.order(call.exchange, order))


def list_orders(call: Call) -> Answer:
    """Open ones only."""
    wanted = {name: call.text(name) for name in ("id", "market", "asset_id") if call.text(name)}
    hides = call.exchange.delays.hides
    shown = [order for order in call.exchange.open_orders(call.member.key) if not hides(order)]
    rows = [shapes.order(call.exchange, order) for order in shown]
    page, around = call.page([r for r in rows if all(r[name] == v for name, v in wanted.items())])
    return Answer({"data": page, **around})


def list_trades(call: Call) -> Answer:
    """Newest first. ``market`` and ``asset_id`` test the taker's side, as on the real venue."""
    wanted = {name: call.text(name) for name in ("id", "market", "asset_id") if call.text(name)}
    before, after = call.number("before", 0), call.number("after", 0)
    maker = call.text("maker_address").lower()
    rows = []
    for trade in reversed(call.exchange.trades.values()):
        if _between(trade, before, after):
            rows += [
                shapes.trade(call.exchange, trade, call.member.key, role)
                for role in shapes.roles(trade, call.member.key)
            ]
    kept = [r for r in rows if all(r[name] == v for name, v in wanted.items())]
    if maker:
        kept = [r for r in kept if r["maker_address"].lower() == maker]
    shown, around = call.page(kept)
    return Answer({"data": shown, **around})


def _between(trade: Trade, before: int, after: int) -> bool:
    at = trade.matched_ms // 1000
    return (not before or at <= before) and (not after or at >= after)


def balance(call: Call) -> Answer:
    """What the venue's cache has, with the wallet's allowances."""
    wallet, asset = _asset(call)
    allowances = {spender: str(amount) for spender, amount in wallet.allowances.items()}
    now_ms = call.exchange.clock.wall_ms()
    return Answer({"balance": str(wallet.seen(asset, now_ms)), "allowances": allowances})


def refresh(call: Call) -> Answer:
    """Make the venue read the chain again; the answer is empty."""
    wallet, asset = _asset(call)
    wallet.refresh(asset)
    return Answer(text="")


def _asset(call: Call) -> tuple[Wallet, str]:
    kind = call.text("asset_type")
    if kind not in ("COLLATERAL", "CONDITIONAL", "CONDITIONAL-V2"):
        raise bad("Invalid asset type")
    wallet = _wallet(call)
    if kind == "COLLATERAL":
        return wallet, PUSD
    market, token = call.token()
    if (kind == "CONDITIONAL-V2") != (market.spec.version is Version.V2):
        raise bad("Invalid asset type")
    return wallet, token


def _wallet(call: Call) -> Wallet:
    """The key's wallet of the signature type that is asked for; one that holds nothing where it has none."""
    try:
        signature_type = SignatureType(int(call.text("signature_type", "0")))
    except ValueError as wrong:
        raise bad("Invalid signature_type") from wrong
    address = call.member.address
    owned = [w for w in call.exchange.wallets.values() if w.owner.lower() == address.lower()]
    found = [w for w in owned if w.signature_type is signature_type]
    return found[0] if found else Wallet("", address, signature_type)


def heartbeat(call: Call) -> Answer:
    beats = call.exchange.heartbeats
    if call.venue.faults.beats_to_reject:
        call.venue.faults.beats_to_reject -= 1
        beats.break_chain(call.member.key)
    taken, following = beats.beat(call.member.key, call.read(_Beat).heartbeat_id)
    if taken:
        return Answer({"heartbeat_id": following})
    return Answer({"error_msg": "Invalid Heartbeat ID", "heartbeat_id": following}, 400)


def plain_heartbeat(_: Call) -> Answer:
    """Documented apart from the chain, with no timing: it says yes and arms nothing."""
    return Answer({"status": "ok"})


def notices(call: Call) -> Answer:
    return Answer(call.venue.notices.of(call.member.key))


def drop_notices(call: Call) -> Answer:
    ids = {int(word) for word in call.text("ids").split(",") if word.isascii() and word.isdigit()}
    call.venue.notices.drop(call.member.key, ids)
    return Answer("OK")


def scoring(call: Call) -> Answer:
    return Answer({"scoring": _scores(call, call.text("order_id"))})


def many_scoring(call: Call) -> Answer:
    return Answer({order_id: _scores(call, order_id) for order_id in call.read(list[str])})


def _scores(call: Call, order_id: str) -> bool:
    """Resting orders of some size count for rewards."""
    order = call.exchange.orders.get(order_id)
    return order is not None and order.order_id in call.exchange.wallets[order.wallet].open
