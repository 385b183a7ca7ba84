"""Belief against truth after every event: the eleven points a desk must never break.

The oracle listens to the disk, the wire and the exchange and reads the engine's ledger; it judges
in the loop step after each event, when the engine has said all it has to say about it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from core.domain.order import Life, Order, Purpose
from core.engine.engine import Engine
from core.execution.ledger import Ledger
from core.journal.events import Kind, Row
from core.risk.halts import Level
from core.sim.events import ExchangeEvent, Filled
from core.sim.orders import Order as VenueOrder
from core.sim.orders import OrderStatus
from tests.simulation.belief import belief, replayed
from tests.simulation.site import ACCOUNT, CASH
from tests.simulation.truth import OURS, Truth

ENDED_AT_VENUE = {Life.FILLED, Life.CANCELLED, Life.EXPIRED}
UNKNOWN_SLACK_MS = 30_000
"""Beyond the moment an unknown order must be proved or shown as stuck: reads that were under way."""


class ViolationError(AssertionError):
    """The desk broke one of its promises."""

    def __init__(self, point: int, what: str, belief: object, truth: object) -> None:
        super().__init__(what)
        self.point, self.what, self.belief, self.truth = point, what, belief, truth


class Oracle:
    """One run's judge. ``attach`` gives it the engine that lives, ``detach`` takes it away."""

    def __init__(self, truth: Truth, loop: asyncio.AbstractEventLoop) -> None:
        self.truth = truth
        self._loop = loop
        self._engine: Engine | None = None
        self._attached_ms = 0
        self._dirty: dict[str, None] = {}
        self._due = False
        self._unknown_ms: dict[str, int] = {}
        """Since when the desk has been unsure of an order."""
        self.slowest_unknown_ms = 0
        self.adjusted = False
        """Whether a person has made the desk take the venue's count of a position."""
        self.differences: Counter[str] = Counter()
        """Rows of the table of differences the desk has told of."""
        self.violation: ViolationError | None = None
        self.on_violation: Callable[[ViolationError], None] = lambda _: None
        truth.exchange.listeners.append(self._happened)

    # --- what it hears ------------------------------------------------------------------------

    def attach(self, engine: Engine) -> None:
        self._engine = engine
        self._attached_ms = self.truth.exchange.clock.wall_ms()
        for client in self.truth.intents:
            self._mark(client)

    def detach(self) -> None:
        self._engine = None

    def on_row(self, row: Row) -> None:
        """A row was handed to the journal."""
        self.truth.note(f"row {row.seq} {row.kind} {row.order_id or row.ticker} {row.payload}")
        if row.order_id.startswith(OURS):
            self._mark(row.order_id)
        if row.kind == Kind.ADJUSTMENT.value:
            self.adjusted = True
            self.truth.external_tickers[row.ticker] = None
        if row.kind == Kind.DIFFERENCE.value:
            self.differences[str(row.data()["row"])] += 1

    def bytes_out(self, method: str, path: str, body: bytes) -> None:
        client = self.truth.client_of(method, path, body)
        self.truth.note(f"out {method} {path} {body.decode()}")
        if client:
            self.truth.left(client)
            self._judge(lambda: self._may_leave(client, body))

    def request_lost(self, method: str, path: str, body: bytes) -> None:
        client = self.truth.client_of(method, path, body)
        self.truth.note(f"lost {method} {path} {client}")
        if client:
            self.truth.landed(client)
            self._mark(client)

    def arrived(self, method: str, path: str, body: bytes) -> None:
        client = self.truth.client_of(method, path, body)
        self.truth.note(f"in {method} {path} {client}")
        if client:
            self.truth.landed(client)
            self._mark(client)

    def _happened(self, event: ExchangeEvent) -> None:
        client = self.truth.happened(event)
        if client:
            self.truth.note(
                f"venue {type(event).__name__} {client} {_venue_text(self.truth.orders.get(client))}"
            )
            self._mark(client)
        elif self.truth.tape is not None:
            self.truth.note(f"venue {event}")
        if isinstance(event, Filled) and event.account == ACCOUNT and client:
            self._judge(lambda: self._no_crossing(event))

    def _mark(self, client: str) -> None:
        self._dirty[client] = None
        if not self._due:
            self._due = True
            self._loop.call_soon(self._check)

    # --- what it judges -----------------------------------------------------------------------

    def _judge(self, check: Callable[[], None]) -> None:
        if self.violation is None:
            try:
                check()
            except ViolationError as found:
                self.violation = found
                self.on_violation(found)

    def _check(self) -> None:
        self._due = False
        dirty, self._dirty = self._dirty, {}
        engine = self._engine
        if engine is None or self.violation is not None:
            return
        ledger = engine.desk.ledger
        for client in dirty:
            self._judge(lambda c=client: self._agree(c, ledger))  # type: ignore[misc]

    def _may_leave(self, client: str, body: bytes) -> None:
        """1, 2 and 6: only once, only what is on disk, and no entry under a durable halt."""
        intent = self.truth.intents.get(client)
        sent = msgspec.json.decode(body)
        if intent is None:
            raise ViolationError(1, f"{client} left before its intent was durable", "no row", sent)
        if self.truth.bytes_out[client] > 1:
            raise ViolationError(2, f"{client} left twice", intent, sent)
        wanted = (intent.ticker, intent.side.value, intent.tif.value, intent.post_only, intent.reduce_only)
        told = tuple(sent.get(k, False) for k in _SENT_FIELDS)
        if (
            told != wanted
            or _scaled(sent["price"], 4) != intent.price
            or _scaled(sent["count"], 6) != intent.quantity
        ):
            raise ViolationError(1, f"{client} is not what was decided", intent, sent)
        if intent.expires_ms is not None and sent.get("expiration_time") != intent.expires_ms // 1000:
            raise ViolationError(1, f"{client} has another end than its intent", intent, sent)
        halt = self.truth.halted(intent)
        if halt is not None:
            raise ViolationError(6, f"entry {client} left under a durable halt", intent, halt)

    def _agree(self, client: str, ledger: Ledger) -> None:
        """3, 4 and 8 for one order: its end is true, and what can still happen to it is counted."""
        belief, there = ledger.orders.get(client), self.truth.orders.get(client)
        if belief is None:
            if client in self.truth.intents or there is not None:
                raise ViolationError(1, f"{client} is not known to the desk", None, _venue_text(there))
            return
        filled = self.truth.filled(client)
        truth = f"{_venue_text(there)} filled {filled}, {self.truth.on_the_way.get(client, 0)} on the way"
        if there is None:
            if belief.filled:
                raise ViolationError(3, f"{client} has fills the venue does not have", belief, truth)
            if not belief.live and client in self.truth.on_the_way:
                raise ViolationError(4, f"{client} may still arrive", belief, truth)
            if belief.life in ENDED_AT_VENUE and not self.truth.bytes_out.get(client):
                raise ViolationError(8, f"{client} ended at the venue without having left", belief, truth)
            return
        if belief.filled > filled or not {f.trade_id for f in belief.fills} <= {
            f.trade_id for f in self.truth.fills.get(client, ())
        }:
            raise ViolationError(3, f"{client} has fills the venue does not have", belief, truth)
        if belief.live and client not in self.truth.lied_about:
            self._bounded(client, belief, ledger, filled, truth)
            return
        if client in self.truth.lied_about:
            return  # the exchange took the end back: the desk hears of it in its own time
        if there.status is OrderStatus.RESTING:
            raise ViolationError(4, f"{client} still rests at the venue", belief, truth)
        if belief.filled != filled:
            raise ViolationError(3, f"{client} ended with other fills than the venue's", belief, truth)
        if belief.life is Life.NEVER_SENT or (
            belief.life in (Life.NEVER_ARRIVED, Life.REJECTED) and (filled or _rested(there))
        ):
            raise ViolationError(8, f"{client} is {belief.life.value} but the venue had it", belief, truth)

    def _bounded(self, client: str, belief: Order, ledger: Ledger, filled: int, truth: str) -> None:
        if client not in ledger.live:
            raise ViolationError(4, f"{client} is not counted as live", belief, truth)
        if filled > belief.intent.quantity:
            raise ViolationError(3, f"{client} filled beyond its size", belief, truth)
        if filled - belief.filled > belief.leaves:
            raise ViolationError(3, f"{client} moved beyond the shown bound", belief, truth)

    def _no_crossing(self, event: Filled) -> None:
        """5: a close never opens, an open never closes, nothing crosses zero."""
        fill, after = event.fill, event.post_position
        before = after - fill.side.sign * fill.count
        intent = self.truth.intents.get(fill.client_order_id)
        if intent is None or fill.ticker in self.truth.external_tickers:
            return
        if before * after < 0:
            raise ViolationError(5, f"{fill.client_order_id} crossed zero", before, after)
        grew = abs(after) > abs(before)
        if grew is not (intent.purpose is Purpose.OPEN):
            raise ViolationError(5, f"{fill.client_order_id} is no {intent.purpose.value}", before, after)

    def compare_replay(self, rows: Sequence[Row]) -> None:
        """9: a journal's rows make the belief they came from."""
        self._judge(lambda: self._same_after_replay(rows))

    def _same_after_replay(self, rows: Sequence[Row]) -> None:
        if self._engine is not None:
            living, again = belief(self._engine.desk.ledger), replayed(rows)
            if living != again:
                raise ViolationError(9, "the journal makes another belief", living, again)

    # --- as time passes -----------------------------------------------------------------------

    def second(self) -> None:
        """What time alone can break: 10, and the exposure of 4."""
        self._judge(self._unknowns_end)
        self._judge(self._reserved)

    def _unknowns_end(self) -> None:
        engine, now = self._engine, self.truth.exchange.clock.wall_ms()
        if engine is None:
            return
        unsure = {o.intent.client_order_id: o for o in engine.desk.ledger.unknown()}
        for client in [c for c in self._unknown_ms if c not in unsure]:
            self.slowest_unknown_ms = max(self.slowest_unknown_ms, now - self._unknown_ms.pop(client))
        for client, order in unsure.items():
            self._unknown_ms.setdefault(client, now)
            intent = order.intent
            # A new life counts its reads anew, from its own begin.
            since = max(order.sent_ms or intent.created_ms, self._attached_ms)
            provable = max(since + 60_000, (intent.expires_ms or 0) + 5_000)
            if now <= provable + 60_000 + UNKNOWN_SLACK_MS:
                continue
            state = engine.state
            market = state.markets.get(intent.ticker)
            event = market.market.event_ticker if market is not None else ""
            level = engine.desk.halting.level(event, intent.ticker)
            if level is None or level.level < Level.HALTED:
                raise ViolationError(
                    10,
                    f"{client} is unknown for too long and nothing is halted",
                    order,
                    _venue_text(self.truth.orders.get(client)),
                )

    # --- after everything has healed -----------------------------------------------------------

    def in_order(self, healed_ns: int) -> ViolationError | None:
        """7 and 11: what of belief still differs from truth, ``None`` when nothing does.

        A desk that has said it needs help may differ where it said so.
        """
        engine = self._engine
        if engine is None or not engine.state.ready:
            return ViolationError(11, "the desk is not up", engine is not None, "healed")
        desk, exchange = engine.desk, self.truth.exchange
        clean = desk.reconciler.clean_ns
        ledger = desk.ledger
        for client in self.truth.intents:
            order, there = ledger.orders[client], self.truth.orders.get(client)
            rests = there is not None and there.status is OrderStatus.RESTING
            agrees = order.live is rests and order.filled == self.truth.filled(client)
            if client in self.truth.lied_about and order.intent.ticker in self.truth.halted_once:
                continue  # it said so, and a person went on
            if not agrees and not self._says_so(engine, order.intent.ticker):
                return ViolationError(11, f"{client} is not as it is at the venue", order, _venue_text(there))
        for ticker in sorted(exchange.markets):
            here, there_ = ledger.net(ticker), exchange.position(ACCOUNT, ticker)
            if here != there_ and not self._says_so(engine, ticker):
                return ViolationError(11, f"the position in {ticker} is another one", here, there_)
        if (clean is None or clean < healed_ns) and not engine.state.halts.standing:
            return ViolationError(11, "the account was not read without a difference", clean, healed_ns)
        return None

    def _says_so(self, engine: Engine, ticker: str) -> bool:
        market = engine.state.markets.get(ticker)
        halt = engine.desk.halting.level(market.market.event_ticker if market is not None else "", ticker)
        return halt is not None and halt.level >= Level.HALTED

    def judge_end(self, healed_ns: int) -> None:
        """The desk has had its time: what is not in order now is a violation."""
        wrong = self.in_order(healed_ns)
        if wrong is not None:
            self._judge(lambda: _raise(wrong))
        else:
            self._judge(self._cash_agrees)

    def judge_stop(self, *, ended: bool) -> None:
        """11: a stop ends the engine and leaves nothing of ours at the venue."""
        self._judge(lambda: self._gone(ended=ended))

    def _gone(self, *, ended: bool) -> None:
        if not ended:
            raise ViolationError(11, "the engine does not stop", "running", "told to stop")
        left = [
            client
            for client, order in self.truth.orders.items()
            if order.status is OrderStatus.RESTING and client not in self.truth.lied_about
        ]
        if left:
            raise ViolationError(11, "orders rest after an orderly stop", left, "healed")

    def _cash_agrees(self) -> None:
        """To the millionth of a dollar, once every fill agrees."""
        engine, exchange = self._engine, self.truth.exchange
        assert engine is not None
        ledger = engine.desk.ledger
        if any(ledger.net(t) != exchange.position(ACCOUNT, t) for t in exchange.markets):
            return
        if self.adjusted:
            return  # contracts taken in on the venue's word have a price nobody paid
        flow = sum(p.realised - p.cost - p.fees for p in ledger.positions.values())
        expected = CASH + self.truth.deposited + flow
        if exchange.cash(ACCOUNT) != expected:
            raise ViolationError(7, "cash is another one", expected, exchange.cash(ACCOUNT))

    def _reserved(self) -> None:
        """What the venue holds back for our own orders is at most what the desk has set aside."""
        engine = self._engine
        if engine is None:
            return
        counted = sum(
            o.intent.reserved for o in engine.desk.ledger.live.values() if o.intent.purpose is Purpose.OPEN
        )
        account, ours = self.truth.exchange.account(ACCOUNT), engine.desk.ledger.live
        tainted = {o.ticker for o in account.working.values() if not self._plainly_ours(o.client_order_id)}
        held_back = sum(money for ticker, money in account.reserved_by.items() if ticker not in tainted)
        if held_back > counted + len(ours) * _ROUNDING:
            raise ViolationError(
                4, "the venue holds back more than the desk has set aside", counted, account.reserved_by
            )

    def _plainly_ours(self, client: str) -> bool:
        return client.startswith(OURS) and client not in self.truth.lied_about


_SENT_FIELDS = ("ticker", "side", "time_in_force", "post_only", "reduce_only")
_ROUNDING = 20_000
"""Fees on parts round up one by one."""


def _raise(found: ViolationError) -> None:
    raise found


def _scaled(text: str, places: int) -> int:
    whole, _, part = text.partition(".")
    return int(whole + part.ljust(places, "0")[:places])


def _rested(order: VenueOrder) -> bool:
    return order.reason is None or order.filled > 0


def _venue_text(order: VenueOrder | None) -> str:
    if order is None:
        return "not at the venue"
    reason = order.reason.value if order.reason is not None else ""
    return f"{order.status.value} {reason} {order.filled}/{order.initial} left {order.remaining}"
