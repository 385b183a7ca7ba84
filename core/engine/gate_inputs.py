"""What the gate is told of one order at this moment."""

from __future__ import annotations

from core.domain.market import Market
from core.domain.order import Order
from core.domain.position import Position
from core.domain.units import Money
from core.engine import safety
from core.engine.account import WINDOW_5MIN_NS, WINDOW_15S_NS
from core.engine.desk import Desk
from core.engine.facts import allowed
from core.engine.seat import Seat
from core.engine.state import ALL_STRATEGIES, Mode
from core.models.fair_value import EventFair
from core.risk.exposure import Worst, reserved_cash, reserved_outside
from core.risk.facts import (
    BookFacts,
    FairFacts,
    FeedAge,
    GateInputs,
    TradingFacts,
    book_facts,
    ladder_sum,
)
from core.risk.halts import Level
from core.strategy.proposal import Candidate
from core.venues.venue import VenueGateway


def inputs(desk: Desk, candidate: Candidate, proposal_id: str, without: str) -> GateInputs:
    """Everything the gate judges ``candidate`` by, leaving out the order of client id ``without``."""
    state, ledger, ticker = desk.state, desk.ledger, candidate.ticker
    now = desk.clocks.mono_ns()
    known = state.markets.get(ticker)
    market = known.market if known is not None else None
    live = tuple(o for o in ledger.live.values() if o.intent.client_order_id != without)
    here = tuple(o for o in live if o.intent.ticker == ticker)
    shard, seat = shard_of(desk, ticker), desk.seat(ticker)
    halt = desk.halting.level(candidate.event_ticker, ticker)
    clean = seat.reconciler.clean_ns
    paused = ALL_STRATEGIES in state.paused or candidate.strategy in state.paused
    log, tallies = desk.scribe.log, desk.trips.tallies
    return GateInputs(
        now_ns=now,
        world_ms=desk.clocks.world_ms(),
        level=halt.level if halt is not None else Level.NORMAL,
        level_reason=halt.cause if halt is not None else "",
        armed=state.armed,
        paused=("all" if ALL_STRATEGIES in state.paused else candidate.strategy) if paused else "",
        automatic=state.mode is Mode.AUTO,
        trips=desk.trips.covering(candidate.strategy, ticker),
        reconcile_age_ms=(now - clean) // 1_000_000 if clean is not None else None,
        market=market,
        allowed=allowed(desk, market, by_hand=candidate.by_hand) if market is not None else None,
        pinned_rules_hash=desk.pinned_rules.get(ticker, ""),
        trading=_trading(desk, seat, shard, now),
        book=_book(desk, candidate, seat.venue, now),
        fair=_fair(desk, candidate),
        feeds=_feeds(desk, ticker),
        releases=desk.releases.facts(market) if market is not None else None,
        position=ledger.positions.get(ticker, Position()),
        unsettled=ledger.unsettled(ticker),
        orders=here,
        outside=tuple(ledger.externals_in(ticker)),
        open_orders=len(live) + len(ledger.externals),
        worst=worst_with(desk, candidate, without) if market is not None else None,
        cash=seat.reconciler.cash_on(shard),
        reserved=_reserved(desk, seat, without, shard),
        recent=desk.account.recent(without),
        repeats=tallies.entries(candidate.strategy, ticker),
        proposal_used=bool(proposal_id) and _used(desk, candidate, proposal_id, without),
        filled_15s=desk.account.filled_within(WINDOW_15S_NS),
        filled_5min=desk.account.filled_within(WINDOW_5MIN_NS),
        day_pnl=state.today_pnl,
        losses_in_row=tallies.losses_in_row(),
        losses_1h=tallies.losses_1h(),
        equity=desk.trips.equity.now,
        equity_peak=desk.trips.equity.peak,
        rejects_1min=tallies.rejects_1min(seat.name),
        unknowns_1min=tallies.unknowns_1min(seat.name),
        clock_offset_ms=seat.venue.clock_offset_ms(),
        clock_stepped=desk.health.stepped(seat.name),
        loop_lag_ms=desk.health.lag_p99_ms(),
        sync_p99_ms=log.sync_p99_ms(),
        journal_ok=log.fault is None,
        disk_free_mb=desk.health.disk_mb,
        memory_mb=desk.health.memory_mb,
        presence=desk.supervision.now(),
        dead_man=safety.dead_man(seat),
        budget_ok=seat.venue.entry_budget(len(_here(seat, without)), shard),
    )


def shard_of(desk: Desk, ticker: str) -> int:
    known = desk.state.markets.get(ticker)
    return known.market.shard if known is not None else 0


def _here(seat: Seat, without: str) -> list[Order]:
    """The venue's orders that may still fill."""
    return [order for client, order in seat.share.live.items() if client != without]


def _reserved(desk: Desk, seat: Seat, without: str, shard: int) -> Money:
    """What open and unknown orders on a shard may still cost, those placed elsewhere included."""
    theirs = (r for r in seat.share.externals.values() if shard_of(desk, r.ticker) == shard)
    ours = (o for o in _here(seat, without) if shard_of(desk, o.intent.ticker) == shard)
    return Money(reserved_cash(ours) + reserved_outside(theirs))


def _trading(desk: Desk, seat: Seat, shard: int, now: int) -> TradingFacts | None:
    exchange, windows, reopened = seat.exchange, seat.maintenance, seat.reopened_ns
    active = exchange.trades(shard) if exchange is not None else None
    if active is None or windows is None:
        return None
    world = desk.clocks.world_ms()
    return TradingFacts(
        active,
        reopened_ms_ago=(now - reopened) // 1_000_000 if reopened is not None else None,
        pause_in_ms=min((w.start_ms - world for w in windows if w.end_ms > world), default=None),
    )


def _book(desk: Desk, candidate: Candidate, venue: VenueGateway, now: int) -> BookFacts | None:
    view = venue.books.get(candidate.ticker)
    if view is None:
        return None
    collar = desk.state.limits.current.collar_book
    return book_facts(view, venue.link, candidate.side, collar, now)


def _fair(desk: Desk, candidate: Candidate) -> FairFacts | None:
    known, event = desk.state.markets.get(candidate.ticker), desk.state.events.get(candidate.event_ticker)
    if known is None or known.fair is None or event is None or event.fair is None:
        return None
    return FairFacts(
        probability=known.fair.probability,
        model=known.fair.model_probability,
        version=known.fair.version,
        previous=desk.pricing.before(candidate.ticker),
        inputs_changed=desk.pricing.explained(candidate.event_ticker),
        ladder_sum=ladder_sum(_chances(desk, event.fair)),
    )


def _chances(desk: Desk, fair: EventFair) -> list[tuple[Market, float]]:
    """What the model gives the event's markets that are on the desk."""
    markets = desk.state.markets
    return [(markets[v.ticker].market, v.model_probability) for v in fair.values if v.ticker in markets]


def _feeds(desk: Desk, ticker: str) -> tuple[FeedAge, ...] | None:
    """The inputs of the newest price there was, so that a denial names what is too old."""
    known = desk.state.markets.get(ticker)
    event = desk.state.events.get(known.market.event_ticker) if known is not None else None
    if event is None or event.fair is None or not event.fair.values:
        return None
    world, inputs = desk.clocks.world_ms(), event.fair.values[0].inputs
    return tuple(FeedAge(i.name, -(-(world - i.event_ms) // 1000), i.stale_after_s) for i in inputs)


def worst_with(desk: Desk, candidate: Candidate, without: str) -> Worst:
    if without:  # the order itself is counted already
        return desk.exposure.now(candidate.ticker)
    return desk.exposure.with_order(
        candidate.ticker, candidate.side, candidate.price, candidate.quantity, candidate.fee
    )


def _used(desk: Desk, candidate: Candidate, proposal_id: str, without: str) -> bool:
    """Whether a card led to an order before; of a plan, to one in this market."""
    orders = (desk.ledger.orders[client] for client in desk.ledger.of_proposal.get(proposal_id, ()))
    return any(
        order.intent.client_order_id != without
        and (not candidate.plan or order.intent.ticker == candidate.ticker)
        for order in orders
    )
