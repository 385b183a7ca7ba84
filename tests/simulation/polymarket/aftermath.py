"""What must hold on the second venue once every fault has healed and every trade has settled."""

from __future__ import annotations

from core.domain.market import Venue
from core.engine.engine import Engine
from tests.simulation.aftermath import says_so
from tests.simulation.polymarket.site import CASH
from tests.simulation.polymarket.truth import Part, Truth, rests, told
from tests.simulation.violation import ViolationError


def out_of_order(engine: Engine, truth: Truth, healed_ns: int, *, honest: bool) -> ViolationError | None:
    """11: what of belief still differs from truth, ``None`` when nothing does.

    A desk that has said it needs help may differ there where somebody else traded on the account, or where
    a message was ever false (not ``honest``).
    """
    if truth.under_way:
        return ViolationError(11, "the venue has not settled everything", "", "under way")

    def excused(ticker: str) -> bool:
        return says_so(engine, ticker) and (not honest or ticker in truth.external_tickers)

    ledger, seat = engine.desk.ledger, engine.desk.seats[Venue.POLYMARKET]
    for client in truth.intents:
        order, there = ledger.orders[client], truth.orders.get(client)
        if client in truth.lied_about and order.intent.ticker in truth.shared.halted_once:
            continue  # it said so, and a person went on
        lost = {part.fill_id for part in truth.parts.get(client, ()) if part.failed}
        agrees = (
            order.live is rests(there)
            and order.matched == truth.matched(client)
            and {fill.trade_id for fill in order.undone} == lost
        )
        if not agrees and not excused(order.intent.ticker):
            return ViolationError(11, f"{client} is not as it is at the venue", order, told(there))
    for condition, market in truth.exchange.markets.items():
        ticker = market.spec.slug
        ours, theirs = ledger.net(ticker), truth.net(condition)
        if ours != theirs and not excused(ticker):
            return ViolationError(11, f"the position in {ticker} is another one", ours, theirs)
    if seat.share.parked:
        return ViolationError(11, "fills are still without an order", seat.share.parked, "at the venue")
    if seat.share.unsettled_markets():
        return ViolationError(11, "trades count as not settled", ledger.settling.open, "all are settled")
    missing = [part for part in unknown_parts(engine, truth) if not excused(truth.slug(part))]
    if missing:
        return ViolationError(11, "trades of the account are not known to the desk", (), missing)
    if (seat.reconciler.last.whole_since_ns or 0) < healed_ns:
        return ViolationError(11, "the account was not read", seat.reconciler.last, healed_ns)
    clean_ns = seat.reconciler.clean_ns
    if (clean_ns is None or clean_ns < healed_ns) and not engine.state.halts.standing:
        return ViolationError(11, "the account was not read without a difference", clean_ns, healed_ns)
    return None


def unknown_parts(engine: Engine, truth: Truth) -> list[Part]:
    """Of trades that stand."""
    known = engine.desk.ledger.fills
    return [part for part in truth.ours.values() if not part.failed and part.fill_id not in known]


def cash_differs(engine: Engine, truth: Truth) -> ViolationError | None:
    """7: to the millionth of a dollar, in a desk that is in order and asks for help nowhere it differs.

    Where fees have changed, which no message tells, each fill is right but for its own fee.
    """
    ledger, seat = engine.desk.ledger, engine.desk.seats[Venue.POLYMARKET]
    if unknown_parts(engine, truth):
        return None
    if any(ledger.net(m.spec.slug) != truth.net(c) for c, m in truth.exchange.markets.items()):
        return None
    flow = sum(p.realised - p.cost - p.fees for p in seat.share.positions.values())
    untold = sum(
        ledger.fills[part.fill_id].fee - part.fee
        for part in truth.ours.values()
        if not part.failed and len(truth.fees[part.order.condition_id]) > 1
    )
    expected = CASH + flow + untold
    return (
        ViolationError(7, "polymarket: cash is another one", expected, truth.cash)
        if truth.cash != expected
        else None
    )


def left_by_stop(truth: Truth) -> ViolationError | None:
    """11: an orderly stop leaves nothing of ours at the venue."""
    left = [
        client for client, order in truth.orders.items() if rests(order) and client not in truth.lied_about
    ]
    return ViolationError(11, "orders rest after an orderly stop", left, "healed") if left else None
