"""The guard behind every fill: what came back must fit what was sent, or its scope stops at once.

A fill that should not exist stops everything in its scope. Where only the risk or the price is out of
bounds entries stop and are cancelled, while exits stay possible: they are the way back.
"""

from __future__ import annotations

from collections import deque

from core.domain.fees import UnknownFeeError
from core.domain.market import Venue
from core.domain.order import Fill, Order, Purpose
from core.domain.units import Money, complement
from core.engine import incidents
from core.engine.desk import Desk
from core.engine.state import AlarmLevel
from core.risk.halts import GLOBAL, HaltScope, Level, ScopeKind
from core.risk.posttrade import (
    TOLERANCE,
    Beyond,
    Closed,
    Expected,
    Touch,
    expected,
    fee_off,
    jumped,
    surprise,
    worse,
    worst_cases,
)

FEES_OFF_MAX = 3
"""So many of the last fills with a wrong fee are no accident."""
FILLS_KEPT = 20
CLOSES_KEPT = 50
JUMP_WINDOW_NS = 5_000_000_000


class PostTrade:
    """``filled`` after every fill, ``closed`` after every position that went flat, ``tick`` every second."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._fees: dict[Venue, deque[str]] = {}
        self._used: dict[HaltScope, int] = {}
        """Worst cases as last seen; only one that grew is a breach, a limit that was lowered is not."""
        self._based = False
        self._expected: dict[str, Expected] = {}
        self._unsettled: dict[str, Expected] = {}
        """What of it came by fills that may still fail, by trade id."""
        self._closes: deque[Closed] = deque(maxlen=CLOSES_KEPT)
        self._touches: dict[str, deque[Touch]] = {}

    # --- each fill -----------------------------------------------------------------------------

    def filled(self, order: Order | None, fill: Fill) -> None:
        """A fill without an order is stopped where it is claimed; its risk is looked at every second."""
        if order is not None:
            self._stop(incidents.market(fill.ticker), Level.HALTED, worse(order.intent, fill))
            self._fee(fill)
            self._expect(order, fill)

    def _fee(self, fill: Fill) -> None:
        market = self._desk.state.markets.get(fill.ticker)
        if market is None:
            return
        try:
            off = fee_off(market.market, fill, self._desk.clocks.world.at(fill.at_ms))
        except UnknownFeeError:
            return  # nothing is expected, and nothing is traded there
        last = self._fees.setdefault(fill.venue, deque(maxlen=FILLS_KEPT))
        last.append(off)
        wrong = [text for text in last if text]
        if off:
            self._desk.alarms.raise_(f"fee {fill.trade_id}", AlarmLevel.NOTE, f"{fill.ticker}: {off}")
        if len(wrong) >= FEES_OFF_MAX:
            last.clear()
            self._stop(
                self._desk.seats[fill.venue].scope,
                Level.HALTED,
                f"fees are not as expected, lately {wrong[-1]}",
            )

    def _expect(self, order: Order, fill: Fill) -> None:
        state = self._desk.state
        known = state.markets.get(fill.ticker)
        event = state.events.get(known.market.event_ticker) if known is not None else None
        # What fills while its cancel is on the way was bought on the last price there was.
        fair = event.last(fill.ticker) if event is not None else None
        if order.intent.purpose is not Purpose.OPEN or fair is None:
            return
        yes = order.intent.side.sign > 0
        bought = fair.probability if yes else 1.0 - fair.probability
        paid = fill.price if yes else complement(fill.price)
        part = expected(fill, min(1.0, max(0.0, bought)), paid)
        self._expected[fill.ticker] = self._expected.get(fill.ticker, Expected()).plus(part)
        if not fill.final:
            self._unsettled[fill.trade_id] = part

    def undone(self, fill: Fill) -> None:
        """Its trade failed to settle: nothing is expected of it."""
        part = self._unsettled.pop(fill.trade_id, None)
        if not self._desk.ledger.net(fill.ticker):
            self._expected.pop(fill.ticker, None)
        elif part is not None and fill.ticker in self._expected:
            self._expected[fill.ticker] = self._expected[fill.ticker].less(part)

    def closed(self, ticker: str, result: Money) -> None:
        """A position went flat, by sale or settlement."""
        foreseen, market = self._expected.pop(ticker, None), self._desk.state.markets.get(ticker)
        if foreseen is None:
            return  # bought by somebody else, or before this run
        event = market.market.event_ticker if market is not None else ticker
        self._closes.append(Closed(event, result, foreseen))
        text = surprise(self._closes)
        if text:
            self._closes.clear()
            self._stop(GLOBAL, Level.HALTED, text)

    # --- each second ---------------------------------------------------------------------------

    def tick(self) -> None:
        desk = self._desk
        if not desk.state.ready:
            return
        for parked in desk.ledger.parked.values():
            if not desk.ledger.live_in(parked.fill.ticker):
                cause = f"trade {parked.fill.trade_id} in a market without an order of ours"
                self._stop(incidents.market(parked.fill.ticker), Level.HALTED, cause)
        for ticker in desk.ledger.held:
            self._beyond(ticker)
            if ticker in desk.state.markets:
                self._jump(ticker)
        waiting = {trade_id for fills in desk.ledger.settling.open.values() for trade_id in fills}
        self._unsettled = {i: part for i, part in self._unsettled.items() if i in waiting}
        self._touches = {t: seen for t, seen in self._touches.items() if t in desk.ledger.held}
        self._used = {scope: used for scope, used in self._used.items() if self._lasts(scope)}
        self._based = True

    def _beyond(self, ticker: str) -> None:
        desk = self._desk
        known = desk.state.markets.get(ticker)
        event = known.market.event_ticker if known is not None else ticker
        for case in worst_cases(desk.exposure.now(ticker), desk.state.limits.current):
            if case.kind is ScopeKind.EVENT and known is None:
                continue  # of a market that is not on the desk only the ticker is known
            scope = self._scope(case, ticker, event)
            before = self._used.get(scope, 0)
            self._used[scope] = case.used
            if self._based and case.used > before and case.used > case.limit + TOLERANCE:
                self._stop(scope, Level.REDUCE_ONLY, str(case))

    def _lasts(self, scope: HaltScope) -> bool:
        """Whether something is still held there: what was closed is seen anew when it is opened again."""
        return any(self._desk.halting.covers(scope, ticker) for ticker in self._desk.ledger.held)

    def _jump(self, ticker: str) -> None:
        desk, now = self._desk, self._desk.clocks.mono_ns()
        view, known = desk.seats.book(ticker), desk.state.markets[ticker]
        if view is None or not view.intact or view.book.best_bid is None or view.book.best_ask is None:
            return
        touch = Touch(now, view.book.best_bid, view.book.best_ask)
        seen = self._touches.setdefault(ticker, deque())
        seen.append(touch)
        while now - seen[0].at_ns > JUMP_WINDOW_NS:
            seen.popleft()
        # The model's own: what is pooled with the book follows it wherever it goes.
        fair = known.fair.model_probability if known.fair is not None else None
        text = jumped(seen[0], touch, fair)
        if text and not desk.pricing.news(known.market.event_ticker):
            self._stop(incidents.market(ticker), Level.REDUCE_ONLY, text)

    def _scope(self, case: Beyond, ticker: str, event: str) -> HaltScope:
        match case.kind:
            case ScopeKind.MARKET:
                return incidents.market(ticker)
            case ScopeKind.EVENT:
                return HaltScope(ScopeKind.EVENT, event)
            case ScopeKind.VENUE:
                return self._desk.seat(ticker).scope
            case _:
                return GLOBAL

    # --- what stops ----------------------------------------------------------------------------

    def _stop(self, scope: HaltScope, level: Level, cause: str) -> None:
        if not cause:
            return
        if level is Level.REDUCE_ONLY:
            incidents.end_entries(self._desk, scope, cause)
        else:
            incidents.stop(self._desk, scope, level, cause)
