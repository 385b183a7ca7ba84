"""Belief against truth on the second venue: the same promises, where fills can be undone and only what is
confirmed may be sold.

Points 1 to 11 are those of ``tests.simulation.oracle``; 12 is this venue's heartbeat.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from core.domain.market import Venue
from core.domain.order import Life, Order, OrderIntent, Outcome, Purpose, TimeInForce
from core.engine.engine import Engine
from core.execution.ledger import Ledger
from core.journal.events import Kind, Row
from core.sim.polymarket.events import Event
from core.sim.polymarket.orders import Cause, OrderStatus, Stage
from core.sim.polymarket.wallets import PUSD
from core.venues.polymarket.heartbeat import PATH
from tests.simulation.polymarket.truth import Part, Truth, rests, told
from tests.simulation.truth import OURS
from tests.simulation.violation import ViolationError

ENDED_AT_VENUE = {Life.FILLED, Life.CANCELLED, Life.EXPIRED}
NEVER_THERE = {Life.NEVER_SENT, Life.NEVER_ARRIVED, Life.REJECTED}
EARLY_S = 60
"""The venue stops an order so long before the end it names."""
FEE_STEP = 10
"""Fees round down to it, so that a part at a better price may cost so much more of them."""
UNFIT_NS = 5_000_000_000
"""A beat may have been on its way so long when the engine became unfit."""


class _Named(msgspec.Struct, frozen=True):
    trade_id: str


class _Filled(msgspec.Struct, frozen=True):
    fill: _Named


_filled = msgspec.json.Decoder(_Filled)


class Oracle:
    """One run's judge of this venue. ``judge`` runs a check and takes what it finds."""

    def __init__(
        self,
        truth: Truth,
        loop: asyncio.AbstractEventLoop,
        judge: Callable[[Callable[[], None]], None],
    ) -> None:
        self.truth, self._loop, self._judge = truth, loop, judge
        self._engine: Engine | None = None
        self._begun = False
        """Whether this life has said something: before its first row it believes nothing yet."""
        self.adjusted = False
        """Whether a person made the desk take in shares on the venue's word, at a price nobody paid."""
        self._dirty: dict[str, None] = {}
        self._due = False
        self._fees: dict[str, frozenset[int]] = {}
        """What the desk could know of a fill's fee when it had booked it, by fill id."""
        self._on_disk: dict[str, None] = {}
        """Fills whose row nothing can lose: they are booked once and for all."""
        truth.exchange.listeners.append(self._happened)

    # --- what it hears ------------------------------------------------------------------------

    def attach(self, engine: Engine) -> None:
        self._engine, self._begun = engine, False
        self._fees = {fill_id: known for fill_id, known in self._fees.items() if fill_id in self._on_disk}
        for client in self.truth.intents:
            self._mark(client)

    def detach(self) -> None:
        self._engine = None

    def durable(self, row: Row) -> None:
        self.truth.durable(row, lambda intent: intent.venue is Venue.POLYMARKET)
        if row.kind == Kind.FILL.value:
            self._on_disk[_filled.decode(row.payload).fill.trade_id] = None

    def on_row(self, row: Row) -> None:
        """A row was handed to the journal."""
        self._begun = True
        if row.order_id.startswith(OURS):
            self._mark(row.order_id)
        if row.kind == Kind.ADJUSTMENT.value and row.ticker in self.truth.slugs:
            self.adjusted = True
            self.truth.external_tickers[row.ticker] = None

    def bytes_out(self, method: str, path: str, body: bytes) -> None:
        client = self.truth.client_of(method, path, body)
        self.truth.note(f"out polymarket {method} {path} {client or body.decode()}")
        if path == PATH:
            self._judge(self._may_beat)
        if client is not None:
            self._judge(lambda: self._may_leave(client, body))

    def request_lost(self, method: str, path: str, body: bytes) -> None:
        client = self.truth.client_of(method, path, body)
        self.truth.note(f"lost polymarket {method} {path} {client or ''}")
        if client:
            self.truth.landed(client)
            self._mark(client)

    def arrived(self, method: str, path: str, body: bytes) -> None:
        client = self.truth.client_of(method, path, body)
        self.truth.note(f"in polymarket {method} {path} {client or ''}")
        if client:
            self._judge(lambda: self._may_sell(client))

    def carried_out(self, method: str, path: str, body: bytes) -> None:
        client = self.truth.client_of(method, path, body)
        if client:
            self.truth.landed(client)
            self._mark(client)

    def _happened(self, event: Event) -> None:
        for client in self.truth.happened(event):
            parts = [
                f"{part.fill_id[:8]} {part.trade.stage.value} {part.quantity}"
                for part in self.truth.parts.get(client, ())
            ]
            what = told(self.truth.orders.get(client))
            self.truth.note(f"polymarket {type(event).__name__} {client} {what} {', '.join(parts)}")
            self._mark(client)
        if self.truth.strange:
            self._judge(self._no_strangers)

    def _mark(self, client: str) -> None:
        self._dirty[client] = None
        if not self._due:
            self._due = True
            self._loop.call_soon(self._check)

    # --- what it judges -----------------------------------------------------------------------

    def _check(self) -> None:
        self._due = False
        dirty, self._dirty = self._dirty, {}
        if self._engine is None:
            return
        ledger = self._engine.desk.ledger
        for client in dirty:
            self._judge(lambda c=client: self._agree(c, ledger))  # type: ignore[misc]

    def _no_strangers(self) -> None:
        order = next(iter(self.truth.strange.values()))
        raise ViolationError(1, f"{order.order_id[:12]} belongs to no intent", "no row", told(order))

    def _may_leave(self, client: str, body: bytes) -> None:
        """1, 2 and 6: only once, only the bytes that are on disk, and no entry under a durable halt."""
        if not client:
            raise ViolationError(1, "an order left that is not on disk", "no row", body)
        self.truth.left(client)
        intent = self.truth.intents[client]
        if self.truth.bytes_out[client] > 1:
            raise ViolationError(2, f"{client} left twice", intent, body)
        wanted, sent = self._wanted(intent), msgspec.json.decode(body)
        order = sent["order"]
        found = (
            order["tokenId"], order["side"], int(order["makerAmount"]), int(order["takerAmount"]),
            sent["postOnly"],
        )  # fmt: skip
        if found != wanted:
            raise ViolationError(1, f"{client} is not what was decided", wanted, found)
        if intent.tif is TimeInForce.GTC and int(order["expiration"]) != _end_s(intent):
            raise ViolationError(1, f"{client} has another end than its intent", intent, sent)
        halt = self.truth.shared.halted(intent)
        if halt is not None:
            raise ViolationError(6, f"entry {client} left under a durable halt", intent, halt)

    def _wanted(self, intent: OrderIntent) -> tuple[str, str, int, int, bool]:
        """Opens buy and closes sell, the outcome's own token at its own price."""
        market = next(m for m in self.truth.exchange.markets.values() if m.spec.slug == intent.ticker)
        buys = intent.purpose is Purpose.OPEN
        outcome = Outcome.YES if (intent.side.sign > 0) is buys else Outcome.NO
        price = intent.price if outcome is Outcome.YES else 10_000 - intent.price
        money, shares = intent.quantity * price // 10_000, int(intent.quantity)
        amounts = (money, shares) if buys else (shares, money)
        token = market.spec.tokens[0 if outcome is Outcome.YES else 1]
        return token, "BUY" if buys else "SELL", *amounts, intent.post_only

    def _may_sell(self, client: str) -> None:
        """5: no sale beyond what is confirmed when it arrives."""
        intent = self.truth.intents[client]
        if intent.purpose is Purpose.OPEN or intent.ticker in self.truth.external_tickers:
            return
        token = self._wanted(intent)[0]
        confirmed = self.truth.confirmed(token)
        if intent.quantity > confirmed:
            raise ViolationError(5, f"{client} sells more than is confirmed", intent, confirmed)

    def _may_beat(self) -> None:
        """12: an engine that cannot read its account lets its orders end."""
        engine = self._engine
        if engine is None:
            return
        now = engine.desk.clocks.mono_ns()
        read_ns = engine.desk.seats[Venue.POLYMARKET].reconciler.read_ns
        limit_ns = engine.desk.state.limits.current.reconcile_age_max_s * 1_000_000_000 + UNFIT_NS
        if read_ns is None or now - read_ns > limit_ns:
            raise ViolationError(12, "an engine that does not read its account beats", read_ns, now)

    def _agree(self, client: str, ledger: Ledger) -> None:
        """3, 4 and 8 for one order: its end is true, and what can still happen to it is counted."""
        belief, there = ledger.orders.get(client), self.truth.orders.get(client)
        if belief is None:
            if client in self.truth.intents or there is not None:
                raise ViolationError(1, f"{client} is not known to the desk", None, told(there))
            return
        if belief.intent.venue is not Venue.POLYMARKET:
            return
        matched = self.truth.matched(client)
        truth = f"{told(there)} matched {matched}, {self.truth.on_the_way.get(client, 0)} on the way"
        self._fills_agree(client, belief, truth)
        if client in self.truth.lied_about:
            return  # the exchange took its word back: the desk hears of it in its own time
        if there is None:
            if not belief.live and client in self.truth.on_the_way:
                raise ViolationError(4, f"{client} may still arrive", belief, truth)
            if belief.life in ENDED_AT_VENUE and not self.truth.bytes_out.get(client):
                raise ViolationError(8, f"{client} ended at the venue without having left", belief, truth)
            return
        if belief.live:
            if client not in ledger.live:
                raise ViolationError(4, f"{client} is not counted as live", belief, truth)
            if matched - belief.matched > belief.leaves:
                raise ViolationError(3, f"{client} moved beyond the shown bound", belief, truth)
            return
        if rests(there):
            raise ViolationError(4, f"{client} still rests at the venue", belief, truth)
        if belief.matched != matched:
            raise ViolationError(3, f"{client} ended with other fills than the venue's", belief, truth)
        thrown_out = belief.life is Life.REJECTED and there.cause is Cause.INVALID and not matched
        if belief.life in NEVER_THERE and not thrown_out:
            raise ViolationError(8, f"{client} is {belief.life.value} but the venue had it", belief, truth)

    def _fills_agree(self, client: str, belief: Order, truth: str) -> None:
        """What is booked was matched; what counts as settled is, and what was undone has failed."""
        there = {part.fill_id: part for part in self.truth.parts.get(client, ())}
        for fill in (*belief.fills, *belief.undone):
            part = there.get(fill.trade_id)
            if part is None or (fill.price, fill.quantity) != (part.price, part.quantity):
                raise ViolationError(3, f"{client} has fills the venue does not have", belief, truth)
        for fill in belief.fills:
            known = self._fees.setdefault(fill.trade_id, self.truth.fees_of(there[fill.trade_id]))
            if fill.fee not in known:
                raise ViolationError(7, f"{client} has paid another fee", belief, known)
        if any(there[f.trade_id].trade.stage is not Stage.CONFIRMED for f in belief.fills if f.final):
            raise ViolationError(3, f"{client} counts as settled what is not", belief, _stages(there))
        if any(not there[f.trade_id].failed for f in belief.undone):
            raise ViolationError(3, f"{client} has undone what did not fail", belief, _stages(there))

    def second(self) -> None:
        """4: what the venue keeps aside for an order of ours is at most what the desk has set aside.

        A taker's fee that nobody was told of is no debt of the desk.
        """
        if self._begun:
            self._judge(self._reserved)

    def _reserved(self) -> None:
        engine = self._engine
        if engine is None:
            return
        live = engine.desk.ledger.live
        for client, order in self.truth.orders.items():
            if not rests(order) or not order.buys or client in self.truth.lied_about:
                continue
            counted = live[client].intent.reserved if client in live else 0
            if order.status is OrderStatus.DELAYED:
                if len(self.truth.fees[order.condition_id]) > 1:
                    continue
                counted += FEE_STEP
            if order.reserved > counted:
                what = f"the venue keeps more {PUSD} aside for {client} than the desk has"
                raise ViolationError(4, what, counted, order.reserved)


def _end_s(intent: OrderIntent) -> int:
    assert intent.expires_ms is not None
    return intent.expires_ms // 1000 + EARLY_S


def _stages(there: dict[str, Part]) -> dict[str, str]:
    return {fill_id: part.trade.stage.value for fill_id, part in there.items()}
