"""One desk's facts as protocol rows: pure functions, integers in, integers out.

Prices of cards and positions are turned into terms of their outcome here, so that nobody who draws
has to. Anything not known stays ``None``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from core.control.tables.account import AccountRow, DifferenceRow, JournalRow
from core.control.tables.funnel import StageRow, StopRow
from core.control.tables.markets import MarketRow, MarketStatic, PairRow, WayRow
from core.control.tables.models import BinRow, BracketRow, EventRow, InputRow, ScoreRow
from core.control.tables.orders import OrderRow, PositionRow
from core.control.tables.safety import AlarmRow, FlattenRow, FlattenVenueRow, LimitRow
from core.control.tables.status import BeatRow, LinkRow
from core.domain.market import Market, MarketStatus
from core.domain.order import BookSide, Life, Order, Outcome, Purpose, TimeInForce
from core.domain.position import Position, marked
from core.domain.units import ONE_CONTRACT, ONE_DOLLAR, Price, complement
from core.engine.funnel import Level
from core.engine.incidents import name_of
from core.engine.pairs import Compared
from core.engine.safety import dead_man
from core.engine.seat import Seat
from core.engine.state import Alarm, EventState, MarketState
from core.execution.differences import POLICY, About, Difference
from core.execution.groups import GroupState
from core.execution.ladder import BEFORE_EXITS, Ladder
from core.execution.unknowns import Search, bound
from core.journal.events import Row
from core.journal.projections import Pair
from core.journal.wording import text_of
from core.models.fair_value import FairValue, InputAge
from core.models.record import Track
from core.risk.halts import Halt
from core.risk.limits import LIMITS, SPEC, LiveLimits, Scope
from core.strategy.linked import CAUTION, NoWay, Way
from core.venues.traits import DeadMan
from core.venues.venue import BookView, LinkState, OrderReport

EVIDENCE_MAX = 20
EXAMPLES_MAX = 50
"""Markets named under one reason of the funnel."""


def probability(value: float) -> int:
    """A probability as ten-thousandths."""
    return round(value * ONE_DOLLAR)


def _probability(value: float | None) -> int | None:
    return None if value is None else probability(value)


def in_outcome(price: int | None, outcome: Outcome) -> int | None:
    """A YES price in terms of the outcome."""
    return price if price is None or outcome is Outcome.YES else int(complement(Price(price)))


# --- status -------------------------------------------------------------------------------------


def link_row(seat: Seat, halt: Halt | None) -> LinkRow:
    """A venue's stream, whether the exchange itself takes no orders, and what holds the venue alone back."""
    link, exchange = seat.venue.link, seat.exchange
    paused = exchange.words if exchange is not None else ""
    return LinkRow(
        venue=seat.name.value,
        state="PAUSED" if paused and link.state is LinkState.OK else link.state.value,
        heartbeat_ns=link.heartbeat_ns,
        detail=paused or link.detail,
        retry_at_ns=link.retry_at_ns,
        sequence=link.sequence,
        lag_ms=link.lag_ms,
        opens_wall_ms=exchange.resumes_ms if exchange is not None and paused else None,
        beat=_beat_row(seat),
        settles_later=seat.traits.settles_later,
        halt=f"{halt.level.name}: {halt.cause}" if halt is not None else "",
    )


def _beat_row(seat: Seat) -> BeatRow | None:
    if seat.traits.dead_man is not DeadMan.HEARTBEAT:
        return None
    beat, why = seat.venue.beat, dead_man(seat)
    return BeatRow(None, 0, why) if beat is None else BeatRow(beat.cancels_ns, beat.missed, why)


# --- markets ------------------------------------------------------------------------------------


def static_row(state: MarketState, event_label: str) -> MarketStatic:
    market = state.market
    return MarketStatic(
        key=state.key,
        venue=market.venue.value,
        ticker=market.ticker,
        event=market.event_ticker,
        label=market.label,
        event_label=event_label,
        title=market.title,
        close_world_ms=market.close_ms,
        bands=tuple((int(b.start), int(b.end), int(b.step)) for b in market.grid.bands),
        station=market.station or "",
    )


class Touch(msgspec.Struct):
    """Best prices a reader saw last, and the sign of their last change."""

    bid: int | None = None
    ask: int | None = None
    bid_sign: int = 0
    ask_sign: int = 0

    def move(self, bid: int | None, ask: int | None) -> int:
        """Take over the newest prices; the packed signs of ``MarketRow.moved``."""
        self.bid_sign = _sign(self.bid, bid, self.bid_sign)
        self.ask_sign = _sign(self.ask, ask, self.ask_sign)
        self.bid, self.ask = bid, ask
        return (self.bid_sign + 1) + 3 * (self.ask_sign + 1)


def _sign(before: int | None, after: int | None, last: int) -> int:
    if before is None or after is None or before == after:
        return last
    return 1 if after > before else -1


def market_row(state: MarketState, view: BookView | None, net: int, mark: str, touch: Touch) -> MarketRow:
    fair, status = state.fair, state.market.status
    bid = ask = None
    bid_size = ask_size = 0
    if view is not None:
        bid, ask = view.book.best_bid, view.book.best_ask
        bid_size = view.book.size(BookSide.BID, bid) if bid is not None else 0
        ask_size = view.book.size(BookSide.ASK, ask) if ask is not None else 0
    return MarketRow(
        key=state.key,
        bid=bid,
        ask=ask,
        bid_size=bid_size,
        ask_size=ask_size,
        moved=touch.move(bid, ask),
        message_ms=view.message_ns // 1_000_000 if view is not None else 0,
        intact=view is not None and view.intact,
        fair=probability(fair.probability) if fair is not None else None,
        sigma=probability(fair.sigma) if fair is not None else None,
        edge=state.edge,
        edge_word=state.edge_word,
        change=state.change(),
        net=net,
        mark=mark,
        status="" if status is MarketStatus.ACTIVE else status.value,
        model=probability(fair.model_probability) if fair is not None else None,
        market=_probability(fair.market_probability) if fair is not None else None,
        weight=fair.weight if fair is not None else None,
    )


def mark_of(orders: Iterable[Order], *, card: bool) -> str:
    """``card`` while a proposal waits, else our largest working order as ``15b44``."""
    if card:
        return "card"
    working = [o for o in orders if o.leaves]
    if not working:
        return ""
    order = max(working, key=lambda o: o.leaves)
    intent = order.intent
    letter = "s" if intent.purpose is Purpose.CLOSE else "b" if intent.outcome is Outcome.YES else "n"
    return f"{-(-order.leaves // ONE_CONTRACT)}{letter}{intent.outcome_price // 100}"


def score_row(track: Track) -> ScoreRow:
    worth, told = track.worth, track.calibration
    crps, beaten, lost = told.crps, worth.beaten, (worth.alone, worth.market, worth.pooled)
    return ScoreRow(
        series=track.series,
        model=track.model,
        simulated=track.simulated,
        looks=worth.looks,
        days=worth.gain.days,
        crps=crps.value if crps is not None else None,
        crps_se=crps.se if crps is not None else None,
        log_loss=(lost[0].value, lost[1].value, lost[2].value),
        log_loss_se=(lost[0].se, lost[1].se, lost[2].se),
        brier=told.brier,
        gain=worth.gain.value,
        gain_se=worth.gain.se,
        cover=told.cover,
        pit=told.pit,
        pit_mean=worth.pit_mean,
        pit_far=told.pit_far,
        bins=tuple(
            BinRow(b.low, b.high, b.count, b.said, b.happened, b.happened_low, b.happened_high)
            for b in told.bins
        ),
        beaten=beaten.value if beaten is not None else None,
        beaten_se=beaten.se if beaten is not None else None,
        verdict=track.standing.verdict.value,
        weight=track.standing.weight,
        why=track.standing.sentence,
    )


def stage_row(level: Level) -> StageRow:
    reasons = (StopRow(one.why, len(one.tickers), one.tickers[:EXAMPLES_MAX]) for one in level.reasons)
    return StageRow(level.stage.value, level.reached, level.here, tuple(reasons))


def input_row(age: InputAge) -> InputRow:
    return InputRow(age.name, age.event_ms, age.stale_after_s)


def event_row(
    state: EventState, markets: dict[str, MarketState], books: Mapping[str, tuple[int | None, int | None]]
) -> EventRow:
    """``books``: best YES bid and ask by ticker."""
    fair = state.fair
    values: dict[str, FairValue] = {v.ticker: v for v in fair.values} if fair is not None else {}
    known = [markets[t] for t in state.markets if t in markets]
    newest = next(iter(values.values()), None)
    return EventRow(
        event=state.ticker,
        label=state.label,
        model=fair.model if fair is not None else "",
        version=fair.version if fair is not None else "",
        mean=fair.mean if fair is not None else None,
        spread=fair.spread if fair is not None else None,
        close_world_ms=min((m.market.close_ms for m in known), default=0),
        extreme=newest.running_extreme if newest is not None else None,
        inputs=tuple(input_row(age) for age in newest.inputs) if newest is not None else (),
        brackets=tuple(
            BracketRow(
                key=market.key,
                label=market.market.label.rpartition(" ")[2],
                model=probability(values[ticker].model_probability),
                book=_mid(books.get(ticker)),
                fair=probability(values[ticker].probability) if not state.refusal else None,
                edge=market.edge,
                sigma=probability(values[ticker].sigma),
                market=_probability(values[ticker].market_probability),
            )
            for market in known
            for ticker in (market.market.ticker,)
            if ticker in values
        ),
        score=state.score,
        refusal=state.refusal,
        evidence=newest.evidence[:EVIDENCE_MAX] if newest is not None else (),
        weight=fair.weight if fair is not None else 1.0,
        record=fair.record if fair is not None else "",
        unpooled=next((v.unpooled for v in values.values() if v.unpooled), ""),
        proven=newest is not None and not newest.doubt,
    )


def _mid(touch: tuple[int | None, int | None] | None) -> int | None:
    if touch is None or touch[0] is None or touch[1] is None:
        return None
    return (touch[0] + touch[1]) // 2


# --- orders and positions -----------------------------------------------------------------------


def order_row(
    order: Order, key: int, *, ahead: int | None, offset_ns: int, ended_ns: int | None, search: Search | None
) -> OrderRow:
    """``offset_ns`` turns real wall time into the monotonic clock; ``ended_ns`` is when its end was seen."""
    intent = order.intent
    return OrderRow(
        client_order_id=intent.client_order_id,
        order_id=order.order_id,
        key=key,
        closes=intent.purpose is Purpose.CLOSE,
        outcome=intent.outcome.name,
        price=intent.outcome_price,
        quantity=intent.quantity,
        filled=order.filled,
        leaves=order.leaves,
        ahead=ahead if order.life is Life.WORKING else None,
        state=order.display,
        reason=order.reason,
        created_ns=intent.created_ms * 1_000_000 + offset_ns,
        expires_wall_ms=order.expires_ms,
        next_check_ns=search.next_check_ns if search is not None else None,
        bound=bound(order) if search is not None else "",
        external=False,
        ended_ns=ended_ns,
        venue=intent.venue.value,
        unsettled=sum(fill.quantity for fill in order.fills if not fill.final),
        failed=sum(fill.quantity for fill in order.undone),
        said=order.said if order.life is Life.WORKING else "",
    )


def external_row(report: OrderReport, key: int, now_ns: int, venue: str) -> OrderRow:
    """A resting order of the account that this desk did not place; its purpose is not known."""
    outcome = Outcome.YES if report.side is BookSide.BID else Outcome.NO
    return OrderRow(
        client_order_id=report.client_order_id or report.order_id,
        order_id=report.order_id,
        key=key,
        closes=False,
        outcome=outcome.name,
        price=in_outcome(report.price, outcome) or 0,
        quantity=report.quantity,
        filled=report.filled,
        leaves=report.remaining,
        ahead=None,
        state="EXT",
        reason=report.reason,
        created_ns=now_ns,
        expires_wall_ms=report.expires_ms,
        next_check_ns=None,
        bound="",
        external=True,
        ended_ns=None,
        venue=venue,
    )


def journal_row(row: Row) -> JournalRow:
    return JournalRow(row.seq, row.ts_wall_ms, row.kind, text_of(row), row.order_id)


def account_row(seat: Seat) -> AccountRow:
    """How the last reading of a venue's account went."""
    account = seat.reconciler
    return AccountRow(
        venue=seat.name.value,
        number=account.readings,
        at_ns=account.last.at_ns,
        complete=account.last.complete,
        reason=account.last.reason,
        clean_ns=account.clean_ns,
        doubt=account.doubt,
        differences=len(account.differences),
        cash=account.cash,
    )


def difference_row(difference: Difference, seat: Seat, key: int, events: Iterable[Row]) -> DifferenceRow:
    about, ticker, subject = difference.key
    policy = POLICY[difference.row]
    halts = f"{policy.scope.value} {policy.halts.name}" if policy.halts is not None else ""
    return DifferenceRow(
        row=difference.row.value,
        about=about.value,
        key=key,
        ticker=ticker,
        subject=subject,
        ours=difference.ours,
        theirs=difference.theirs,
        since_ns=difference.first_ns,
        reads=difference.reads,
        acted=difference.acted,
        halts=halts,
        events=tuple(journal_row(row) for row in events) if difference.key.about is About.POSITION else (),
        venue=seat.name.value,
    )


class Beside(msgspec.Struct, frozen=True):
    """What a market holds that its net does not say; quantities in millionths."""

    venue: str
    sellable: int = 0
    unsettled: int = 0
    failed: int = 0
    pairs: int = 0
    redeemable: int = 0
    page: str = ""


def beside(seat: Seat, ticker: str) -> Beside:
    ledger = seat.share.ledger
    waits, paired = seat.redeemable.get(ticker), seat.reconciler.pairs.get(ticker)
    page = waits.url if waits is not None else paired.page if paired is not None else ""
    return Beside(
        venue=seat.name.value,
        sellable=ledger.closable(ticker),
        unsettled=ledger.unsettled(ticker),
        failed=sum(fill.quantity for fill in ledger.settling.failed.values() if fill.ticker == ticker),
        pairs=paired.pairs if paired is not None else 0,
        redeemable=waits.quantity if waits is not None else 0,
        page=page,
    )


def position_row(
    key: int,
    position: Position,
    view: BookView | None,
    fair: FairValue | None,
    *,
    max_loss: int,
    today: int,
    exit_rule: str,
    venue_net: int | None,
    market: Market | None,
    ticker: str,
    beside: Beside,
) -> PositionRow:
    """``market``: ``None`` for one that is not on the desk."""
    outcome = Outcome.YES if position.net >= 0 else Outcome.NO
    bid = view.book.best_bid if view is not None else None
    ask = view.book.best_ask if view is not None else None
    return PositionRow(
        key=key,
        net=position.net,
        average=position.average,
        cost=position.cost,
        max_loss=max_loss,
        open_pnl=marked(position, bid, ask),
        exit_price=bid if outcome is Outcome.YES else in_outcome(ask, Outcome.NO),
        fair=in_outcome(probability(fair.probability), outcome) if fair is not None else None,
        today=today,
        exit_rule=exit_rule,
        venue_net=venue_net,
        ticker=ticker if market is None else "",
        venue=beside.venue,
        sellable=beside.sellable,
        dust=market is not None and 0 < abs(position.net) < market.minimum,
        unsettled=beside.unsettled,
        failed=beside.failed,
        pairs=beside.pairs,
        redeemable=beside.redeemable,
        page=beside.page,
    )


def pair_row(pair: Pair, compared: Compared, keys: tuple[int, int], books_ms: tuple[int, int]) -> PairRow:
    """``keys`` and ``books_ms``, the last message of each book, in the order of the pair."""
    return PairRow(
        first=pair.first,
        second=pair.second,
        first_key=keys[0],
        second_key=keys[1],
        opposite=pair.opposite,
        state=pair.state.value,
        why=pair.why,
        quantity=pair.quantity,
        ways=tuple(map(_way_row, compared.ways)),
        apart=compared.apart,
        by=pair.by,
        wall_ms=pair.at_ms,
        first_ms=books_ms[0],
        second_ms=books_ms[1],
        caution=CAUTION,
    )


def _way_row(way: Way | NoWay) -> WayRow:
    first, second = (outcome.name for outcome in way.outcomes)
    if isinstance(way, NoWay):
        return WayRow(first, second, 0, 0, 0, None, way.why)
    return WayRow(first, second, way.quantity, way.cost, way.fee, way.difference, "")


# --- limits, alarms, the stop -------------------------------------------------------------------


class Use(msgspec.Struct, frozen=True):
    """How much of the limits is used: desk-wide by name, and by market and event."""

    desk: dict[str, int]
    markets: dict[str, int]
    events: dict[str, int]


def limit_rows(limits: LiveLimits, use: Use) -> list[LimitRow]:
    """Every limit once for the desk, and the loss limits once more for each market and event in use."""
    rows = [
        _limit(limits, spec.name, use.desk.get(spec.name), "")
        for spec in LIMITS
        if spec.name not in ("market_loss_max", "event_loss_max")
        or not (use.markets if spec.scope is Scope.MARKET else use.events)
    ]
    rows += [_limit(limits, "market_loss_max", used, ticker) for ticker, used in use.markets.items()]
    rows += [_limit(limits, "event_loss_max", used, event) for event, used in use.events.items()]
    return rows


def _limit(limits: LiveLimits, name: str, used: int | None, scope: str) -> LimitRow:
    spec = SPEC[name]
    return LimitRow(
        name=name,
        label=spec.label,
        rule=spec.rule,
        unit=spec.unit.value,
        used=used,
        limit=limits.current.value(name),
        ceiling=limits.ceilings.value(name),
        scope=scope,
        fills_up=spec.fills_up,
        floor=spec.floor,
    )


def alarm_row(alarm: Alarm) -> AlarmRow:
    return AlarmRow(
        alarm.id,
        alarm.level.value,
        alarm.since_world_ms,
        alarm.since_ns,
        alarm.what,
        alarm.effect,
        alarm.clears,
        alarm.acknowledged,
        alarm.active,
        name_of(alarm.scope) if alarm.scope is not None else "",
    )


def flatten_venue_row(seat: Seat, ladder: Ladder) -> FlattenVenueRow:
    """How far the stop is on one venue."""
    entries = [at for at in seat.groups.standing.values() if at.group.purpose is Purpose.OPEN]
    return FlattenVenueRow(
        seat.name.value,
        *seat.flattener.cancels(ladder),
        ladder.exits_sent,
        ladder.exits_filled,
        ladder.left,
        len(entries),
        sum(at.state is GroupState.TRIGGERED for at in entries),
        sum(
            order.intent.purpose is Purpose.CLOSE and order.intent.tif is TimeInForce.GTC
            for order in seat.share.live.values()
        ),
        ladder.phase.value,
        ladder.pause.what if ladder.pause is not None else "",
        ladder.pause.until_ms if ladder.pause is not None else None,
        ladder.receipt,
    )


def flatten_row(ladder: Ladder, venues: Iterable[FlattenVenueRow], *, can_abort: bool) -> FlattenRow:
    """The joint ladder, with a row for each venue."""
    counting = ladder.phase in BEFORE_EXITS
    return FlattenRow(
        phase=ladder.phase.value,
        started_ns=ladder.started_ns,
        exits_at_ns=ladder.exits_at_ns if counting else None,
        scope=ladder.scope,
        by=ladder.by,
        venues=tuple(venues),
        residue=tuple(f"{ticker}: {why}" for ticker, why in sorted(ladder.residue.items())),
        receipt=ladder.receipt,
        pressed=ladder.pressed,
        pause=ladder.pause.what if ladder.pause is not None else "",
        pause_until_wall_ms=ladder.pause.until_ms if ladder.pause is not None else None,
        urgent=ladder.urgent,
        sweep="done" if ladder.swept_ns is not None else "asked" if ladder.sweeps else "",
        can_abort=can_abort,
        watches=ladder.watches,
    )
