"""The desk as plain values: what the strategy and the gate are told about one market at this moment."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from core.domain.fees import UnknownFeeError
from core.domain.market import Market, MarketStatus, Venue
from core.domain.order import BookSide, Order, Purpose, TimeInForce
from core.domain.position import Position
from core.domain.units import Money, Quantity, notional_up, parse_money
from core.engine import safety
from core.engine.account import WINDOW_5MIN_NS, WINDOW_15S_NS, opening
from core.engine.desk import Desk
from core.engine.seat import Seat
from core.engine.state import ALL_STRATEGIES, AlarmLevel, Mode
from core.execution.gateway import Denied, Wish
from core.models.fair_value import EventFair
from core.risk.buckets import source
from core.risk.exposure import (
    Worst,
    order_loss,
    reservation,
    reserved_cash,
    reserved_outside,
    still_reserved,
)
from core.risk.facts import (
    BookFacts,
    FairFacts,
    FeedAge,
    GateInputs,
    TradingFacts,
    book_facts,
    evidence,
    ladder_sum,
)
from core.risk.gate import Verdict, gate, gate_plan
from core.risk.halts import Level
from core.strategy.assess import edge_at
from core.strategy.convergence import sacrifice
from core.strategy.plan import ARBITRAGE, Plan
from core.strategy.proposal import Candidate
from core.strategy.rules import Headroom, MarketView
from core.venues.venue import VenueGateway, verified_ns

WIDE_TICKS = 8
"""From this spread on an open is confirmed twice."""


def stale(desk: Desk, ticker: str) -> str:
    """Why a market's book may not be acted on now; empty when it may."""
    market = desk.state.markets[ticker].market
    venue = desk.seats[market.venue].venue
    view = venue.books.get(ticker)
    if view is None or not view.intact:
        return "book out of sequence" if view is not None else "no book yet"
    age_ns = desk.clocks.mono_ns() - verified_ns(view, venue.link)
    limit = desk.state.limits.current.book_age_max_s
    if age_ns > limit * 1_000_000_000:
        return f"book {age_ns // 1_000_000_000} s old, limit {limit} s"
    return "" if market.event_ticker in desk.state.events else "no event"


def no_price(desk: Desk, ticker: str) -> str:
    """Why a market without a fair value has none."""
    event = desk.state.events.get(desk.state.markets[ticker].market.event_ticker)
    return (event.refusal if event is not None else "") or "no fair value"


def market_view(desk: Desk, ticker: str) -> MarketView | None:
    """A market as the strategy sees it; ``None`` before its book exists."""
    view = desk.seats.book(ticker)
    if view is None:
        return None
    live = desk.ledger.live_in(ticker)
    return MarketView(
        market=desk.state.markets[ticker].market.as_of(desk.clocks.world_ms()),
        book=view.book,
        position=desk.ledger.positions.get(ticker, Position()),
        opening_bid=Quantity(opening(live, ticker, bid=True)),
        opening_ask=Quantity(opening(live, ticker, bid=False)),
        opening_cost=Money(sum(still_reserved(o) for o in live if o.intent.purpose is Purpose.OPEN)),
        sellable=desk.ledger.closable(ticker),
        stale=stale(desk, ticker),
    )


def bankroll(desk: Desk) -> Money | None:
    """Cash and the cost of all positions; ``None`` while a venue's cash is not known."""
    everywhere = desk.seats.cash
    return None if everywhere is None else Money(everywhere + sum(p.cost for p in desk.ledger.held.values()))


def elsewhere(desk: Desk, ticker: str) -> Money:
    """Worst-case loss of all events but a market's own."""
    worst = desk.exposure.now(ticker)
    return Money(worst.total - worst.event)


def headroom(desk: Desk, tickers: list[str]) -> Headroom | None:
    """What the limits leave for an event's markets; ``None`` while its venue's cash is not known."""
    if not tickers:
        return None
    seat, limits = desk.seat(tickers[0]), desk.state.limits.current
    cash, equity = seat.reconciler.cash, bankroll(desk)
    if cash is None or equity is None:
        return None
    worst = {ticker: desk.exposure.now(ticker) for ticker in tickers}
    one = worst[tickers[0]]
    reserved = reserved_cash(seat.share.live.values()) + reserved_outside(seat.share.externals.values())
    free = Money(cash - limits.cash_reserve - reserved)
    filled = desk.account.filled_within(WINDOW_15S_NS)
    return Headroom(
        bankroll=equity,
        elsewhere=elsewhere(desk, tickers[0]),
        cash=free,
        order_quantity=limits.order_contracts_max,
        order_cost=Money(min(limits.order_cost_max, max(0, limits.velocity_15s_max - filled))),
        market={t: Money(limits.market_loss_max - w.market) for t, w in worst.items()},
        event=Money(limits.event_loss_max - one.event),
        source=source(desk.state.markets[tickers[0]].market),
        correlated=Money(limits.correlated_loss_max - one.correlated),
        venue=Money(limits.venue_loss_max - one.venue),
        total=Money(limits.total_loss_max - one.total),
        open_orders=limits.open_orders_total_max - len(desk.ledger.live) - len(desk.ledger.externals),
    )


def inputs(desk: Desk, candidate: Candidate, proposal_id: str, without: str) -> GateInputs:
    """Everything the gate judges ``candidate`` by, leaving out the order of client id ``without``."""
    state, ledger, ticker = desk.state, desk.ledger, candidate.ticker
    now = desk.clocks.mono_ns()
    known = state.markets.get(ticker)
    market = known.market if known is not None else None
    live = tuple(o for o in ledger.live.values() if o.intent.client_order_id != without)
    here = tuple(o for o in live if o.intent.ticker == ticker)
    shard, seat = _shard(desk, ticker), desk.seat(ticker)
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
        allowed=_allowed(desk, market) if market is not None else None,
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
        worst=_worst(desk, candidate, without) if market is not None else None,
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


def _shard(desk: Desk, ticker: str) -> int:
    known = desk.state.markets.get(ticker)
    return known.market.shard if known is not None else 0


def _here(seat: Seat, without: str) -> list[Order]:
    """The venue's orders that may still fill."""
    return [order for client, order in seat.share.live.items() if client != without]


def _reserved(desk: Desk, seat: Seat, without: str, shard: int) -> Money:
    """What open and unknown orders on a shard may still cost, those placed elsewhere included."""
    theirs = (r for r in seat.share.externals.values() if _shard(desk, r.ticker) == shard)
    ours = (o for o in _here(seat, without) if _shard(desk, o.intent.ticker) == shard)
    return Money(reserved_cash(ours) + reserved_outside(theirs))


def tradable(desk: Desk, market: Market) -> bool:
    """Whether orders may be opened in a market at all, whatever its prices are."""
    return market.status is MarketStatus.ACTIVE and _allowed(desk, market)


def _allowed(desk: Desk, market: Market) -> bool:
    """Of a series that is traded, with an outcome mapping that is understood, and not denied by name."""
    chosen = desk.settings.markets
    names = (market.ticker, market.event_ticker, market.series_ticker)
    series = desk.seats[market.venue].series
    understood = market.station is not None or market.underlying is not None
    listed = market.series_ticker in series and understood and not waits(desk, market)
    return listed and not any(name in chosen.deny for name in names)


def waits(desk: Desk, market: Market) -> str:
    """Why nothing is opened in a market whose settlement nobody has confirmed; empty where that is done."""
    if market.contest is not None:
        return desk.fixtures.waits(market)
    return desk.sources.waits(market)


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


def _worst(desk: Desk, candidate: Candidate, without: str) -> Worst:
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


def judge(desk: Desk, candidate: Candidate, proposal_id: str = "", without: str = "") -> Verdict:
    """The gate's verdict now."""
    return _judged(desk, candidate, inputs(desk, candidate, proposal_id, without))


def _judged(desk: Desk, candidate: Candidate, given: GateInputs) -> Verdict:
    """A check that failed to run denies, and calls somebody."""
    return _alarmed(desk, gate(candidate, given, desk.state.limits.current))


def _alarmed(desk: Desk, verdict: Verdict) -> Verdict:
    for fault in verdict.faults:
        code = fault.partition(" ")[0]
        what = f"a gate check failed: {fault}"
        desk.alarms.raise_(f"gate {code}", AlarmLevel.ACT, what, "it denies what it should judge", "a repair")
    return verdict


def judge_plan(desk: Desk, plan: Plan, proposal_id: str = "") -> Verdict:
    """The gate's one verdict on a plan now, on the worst that can come of it with any of its legs failing."""
    losses = {leg.ticker: order_loss(leg.side, leg.price, leg.quantity, leg.fee) for leg in plan.legs}
    costs = {leg.ticker: _cost(leg) for leg in plan.legs}
    judged = []
    for leg in plan.legs:
        given = inputs(desk, leg, proposal_id, "")
        others = {ticker: cost for ticker, cost in costs.items() if ticker != leg.ticker}
        mine = _account(desk, leg.ticker)
        beside = sum(cost for ticker, cost in others.items() if _account(desk, ticker) == mine)
        judged.append(
            (
                leg,
                msgspec.structs.replace(
                    given,
                    worst=desk.exposure.with_orders(leg.ticker, losses),
                    reserved=None if given.reserved is None else Money(given.reserved + beside),
                    filled_15s=_more(given.filled_15s, others),
                    filled_5min=_more(given.filled_5min, others),
                    more=len(others),
                ),
            )
        )
    return _alarmed(desk, gate_plan(judged, desk.state.limits.current))


def _cost(leg: Candidate) -> Money:
    return reservation(leg.side, leg.purpose, leg.price, leg.quantity, leg.fee)


def _account(desk: Desk, ticker: str) -> tuple[Venue, int]:
    """Whose cash an order in a market takes."""
    return desk.seat(ticker).name, _shard(desk, ticker)


def _more(filled: Money | None, others: Mapping[str, Money]) -> Money | None:
    return None if filled is None else Money(filled + sum(others.values()))


def large_plan(desk: Desk, plan: Plan) -> bool:
    """Whether a plan asks for a second key: any of its legs would, or all of them are much money."""
    dear = plan.cost > parse_money(str(desk.settings.engine.confirm_above))
    return dear or any(large(desk, leg) for leg in plan.legs)


def large(desk: Desk, candidate: Candidate) -> bool:
    """Whether an open asks for a second key: much money, a wide spread, or the last tenth of a limit."""
    view, limits = desk.seats.book(candidate.ticker), desk.state.limits.current
    if candidate.reduces_risk or view is None:
        return False
    bid, ask = view.book.best_bid, view.book.best_ask
    grid = desk.state.markets[candidate.ticker].market.grid
    wide = bid is None or ask is None or grid.ticks_between(bid, ask) >= WIDE_TICKS
    after = _worst(desk, candidate, "")
    used = (
        (after.market, limits.market_loss_max),
        (after.event, limits.event_loss_max),
        (after.correlated, limits.correlated_loss_max),
        (after.venue, limits.venue_loss_max),
        (after.total, limits.total_loss_max),
    )
    cost = notional_up(candidate.outcome_price, candidate.quantity)
    dear = cost > parse_money(str(desk.settings.engine.confirm_above))
    return dear or wide or any(worst * 10 > limit * 9 for worst, limit in used)


def moved(desk: Desk, candidate: Candidate) -> str | None:
    """Why the book no longer allows the price that was decided on, ``None`` while it does."""
    view = desk.seats.book(candidate.ticker)
    if view is None:
        return "no book"
    opposite = view.book.best_ask if candidate.side is BookSide.BID else view.book.best_bid
    reaches = opposite is not None and (candidate.price - opposite) * candidate.side.sign >= 0
    if candidate.post_only and reaches:
        return "the book moved: the order would take instead of rest"
    if candidate.tif is not TimeInForce.GTC and not reaches:
        return "the book moved: nobody is left at that price"
    return None


def refreshed(desk: Desk, candidate: Candidate) -> Candidate | str:
    """An opening candidate with edge, fee and fair value of this moment, or why it has none. A leg of a plan
    has no fair value: its price is what counts."""
    if candidate.reduces_risk or candidate.plan:
        return candidate
    view, known = market_view(desk, candidate.ticker), desk.state.markets[candidate.ticker]
    if view is None or known.fair is None:
        return "no book" if view is None else no_price(desk, candidate.ticker)
    try:
        at = edge_at(
            known.fair,
            view,
            candidate.side,
            candidate.price,
            candidate.quantity,
            candidate.fee_role,
            desk.rules,
        )
    except UnknownFeeError as error:
        return str(error)
    if at is None:
        return "the book moved: nothing is left to take"
    cost, edge = at
    return msgspec.structs.replace(
        candidate, fee=cost.fee, edge=edge, fair=known.fair.probability, sigma=known.fair.sigma
    )


def _alone(desk: Desk, candidate: Candidate) -> str:
    """Why an open would rest on a model alone, which nobody trades on; a leg of a plan rests on none."""
    known = desk.state.markets.get(candidate.ticker)
    fair = known.fair if known is not None and not candidate.plan else None
    return fair.unpooled if fair is not None else ""


def needs_person(desk: Desk, candidate: Candidate) -> str:
    """Why the engine may not send this by itself; empty where it may."""
    if candidate.reduces_risk:
        # What a plan left has no fair value that could bound what its sale gives up.
        plans = candidate.strategy == ARBITRAGE
        return "a person sells what a plan left" if plans else sacrifice(candidate, desk.rules)
    known = desk.state.markets.get(candidate.ticker)
    return known.fair.doubt if known is not None and known.fair is not None else ""


def gate_line(desk: Desk, wish: Wish, without: str) -> Denied | str:
    """The gateway's gate: a denial, or the verdict with every value it rests on, as JSON text."""
    candidate = wish.candidate
    if not candidate.reduces_risk:
        desk.pricing.expire()
        desk.pricing.follow((candidate.event_ticker,))
        if alone := _alone(desk, candidate):
            return Denied(alone)
    if wish.automatic and (why := needs_person(desk, candidate)):
        return Denied(why)
    if not wish.flatten:
        if desk.health.stepped(desk.seat(candidate.ticker).name):
            return Denied("the engine stood still or its clock was set: the account is read first")
        gone = moved(desk, candidate)
        fresh = refreshed(desk, candidate)
        if gone is not None or isinstance(fresh, str):
            return Denied(gone or str(fresh))
        candidate = fresh
    given = inputs(desk, candidate, wish.proposal_id, without)
    if wish.flatten and desk.state.halts.desk is Level.FLATTENING:
        # The stop outranks a venue locked for its key: whether the key works the venue's answer says.
        given = msgspec.structs.replace(given, level=Level.FLATTENING)
    verdict = _judged(desk, candidate, given)
    if not verdict.passed:
        codes = [denial.code for denial in verdict.denials]
        gate = msgspec.json.encode({"verdict": "denied", "codes": codes, **evidence(given)}).decode()
        return Denied("; ".join(str(denial) for denial in verdict.denials), gate)
    if without:
        return "passed"
    return msgspec.json.encode({"verdict": "passed", **evidence(given)}).decode()
