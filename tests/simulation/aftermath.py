"""What must hold once every fault has healed: belief is truth, cash is cash, and a stop leaves nothing."""

from __future__ import annotations

from core.domain.market import Venue
from core.engine.engine import Engine
from core.risk.halts import Level
from core.sim.orders import Fill, OrderStatus
from tests.simulation.site import ACCOUNT, CASH
from tests.simulation.truth import Truth
from tests.simulation.violation import ViolationError, venue_text


def out_of_order(
    engine: Engine | None, truth: Truth, healed_ns: int, *, strict: bool = False
) -> ViolationError | None:
    """11: what of belief still differs from truth, ``None`` when nothing does.

    A desk that has said it needs help may differ where it said so, unless nobody ever lied to it.
    """
    if engine is None or not engine.state.ready:
        return ViolationError(11, "the desk is not up", engine is not None, "healed")
    ledger, exchange = engine.desk.ledger, truth.exchange
    for client in truth.intents:
        order, there = ledger.orders[client], truth.orders.get(client)
        if client in truth.lied_about and order.intent.ticker in truth.halted_once:
            continue  # it said so, and a person went on
        rests = there is not None and there.status is OrderStatus.RESTING
        agrees = order.live is rests and order.filled == truth.filled(client)
        if agrees and there is not None and rests:
            agrees = order.quantity - order.filled == there.remaining
        if not agrees and (strict or not says_so(engine, order.intent.ticker)):
            return ViolationError(11, f"{client} is not as it is at the venue", order, venue_text(there))
    for ticker in sorted(exchange.markets):
        ours, theirs = ledger.net(ticker), exchange.position(ACCOUNT, ticker)
        if ours != theirs and (strict or not says_so(engine, ticker)):
            return ViolationError(11, f"the position in {ticker} is another one", ours, theirs)
    seat = engine.desk.seats[Venue.KALSHI]
    parked = [p.fill for p in seat.share.parked.values() if not says_so(engine, p.fill.ticker)]
    if parked:
        return ViolationError(11, "fills are still without an order", parked, "at the venue")
    missing = [f for f in unknown_fills(engine, truth) if strict or not says_so(engine, f.ticker)]
    if missing:
        return ViolationError(11, "fills of the account are not known to the desk", (), missing)
    if (seat.reconciler.last.whole_since_ns or 0) < healed_ns:
        return ViolationError(11, "the account was not read", seat.reconciler.last, healed_ns)
    clean_ns = seat.reconciler.clean_ns
    if (clean_ns is None or clean_ns < healed_ns) and not engine.state.halts.standing:
        return ViolationError(11, "the account was not read without a difference", clean_ns, healed_ns)
    return None


def says_so(engine: Engine, ticker: str) -> bool:
    """Whether the desk has halted a market, or more, and so called for help."""
    if engine.desk.seats.venue_of(ticker) is None:
        return False  # started again, it has not heard of the market yet
    market = engine.state.markets.get(ticker)
    halt = engine.desk.halting.level(market.market.event_ticker if market is not None else "", ticker)
    return halt is not None and halt.level >= Level.HALTED


def unknown_fills(engine: Engine, truth: Truth) -> list[Fill]:
    """Two of them can leave a position where it was, and cash elsewhere."""
    known = engine.desk.ledger.fills
    return [fill for fill in truth.exchange.account(ACCOUNT).fills if fill.trade_id not in known]


def cash_differs(engine: Engine, truth: Truth) -> ViolationError | None:
    """7: to the millionth of a dollar, in a desk that is in order and asks for help nowhere it differs.

    A fee corrected late is told by no message: it is known from the reading that being in order takes.
    """
    ledger, exchange = engine.desk.ledger, truth.exchange
    positions = engine.desk.seats[Venue.KALSHI].share.positions
    if unknown_fills(engine, truth) or any(
        ledger.net(t) != exchange.position(ACCOUNT, t) for t in exchange.markets
    ):
        return None
    flow = sum(p.realised - p.cost - p.fees for p in positions.values())
    expected, found = CASH + truth.deposited + flow, exchange.cash(ACCOUNT)
    return ViolationError(7, "cash is another one", expected, found) if found != expected else None


def left_by_stop(truth: Truth, *, ended: bool) -> ViolationError | None:
    """11: a stop ends the engine and leaves nothing of ours at the venue."""
    if not ended:
        return ViolationError(11, "the engine does not stop", "running", "told to stop")
    left = [
        client
        for client, order in truth.orders.items()
        if order.status is OrderStatus.RESTING and client not in truth.lied_about
    ]
    return ViolationError(11, "orders rest after an orderly stop", left, "healed") if left else None
