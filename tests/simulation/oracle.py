"""Belief against truth after every event: the eleven points a desk must never break.

The oracle listens to the disk, the wire and the exchange and reads the engine's ledger; it judges
in the loop step after each event, when the engine has said all it has to say about it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from core.domain.market import Venue
from core.domain.order import Life, Order, Purpose
from core.engine.engine import Engine
from core.execution.ledger import Ledger
from core.journal.events import Kind, Row
from core.sim.events import ExchangeEvent, Filled
from core.sim.orders import Order as VenueOrder
from core.sim.orders import OrderStatus
from tests.simulation.aftermath import cash_differs, left_by_stop, out_of_order, says_so
from tests.simulation.belief import belief, replayed
from tests.simulation.site import ACCOUNT
from tests.simulation.truth import OURS, Truth
from tests.simulation.violation import ViolationError, venue_text

ENDED_AT_VENUE = {Life.FILLED, Life.CANCELLED, Life.EXPIRED}
UNKNOWN_SLACK_MS = 30_000
"""Beyond the moment an unknown order must be proved or shown as stuck: reads that were under way."""


class Oracle:
    """One run's judge. ``attach`` gives it the engine that lives, ``detach`` takes it away."""

    def __init__(self, truth: Truth, loop: asyncio.AbstractEventLoop) -> None:
        self.truth = truth
        self._loop = loop
        self._engine: Engine | None = None
        self._attached_ms = 0
        self._begun = False
        """An engine knows nothing before it has read its journal, with its first row."""
        self._dirty: dict[str, None] = {}
        self._due = False
        self._unknown_ms: dict[str, int] = {}
        """Since when the desk has been unsure of an order."""
        self.strict = False
        """Nobody lies: then a desk that halts instead of agreeing is wrong too."""
        self.slowest_unknown_ms = 0
        self.adjusted = False
        """Whether a person made the desk take in contracts on the venue's word, at a price nobody paid."""
        self.differences: Counter[str] = Counter()
        """Rows of the table of differences the desk has told of."""
        self.violation: ViolationError | None = None
        self.on_violation: Callable[[ViolationError], None] = lambda _: None
        truth.exchange.listeners.append(self._happened)

    # --- what it hears ------------------------------------------------------------------------

    def attach(self, engine: Engine) -> None:
        self._engine = engine
        self._begun = False
        self._attached_ms = self.truth.exchange.clock.wall_ms()
        for client in self.truth.intents:
            self._mark(client)

    def detach(self) -> None:
        self._engine = None

    def on_row(self, row: Row) -> None:
        """A row was handed to the journal."""
        self._begun = True
        self.truth.note(f"row {row.seq} {row.kind} {row.order_id or row.ticker} {row.payload}")
        if row.order_id.startswith(OURS):
            self._mark(row.order_id)
        if row.kind == Kind.ADJUSTMENT.value and row.ticker in self.truth.exchange.markets:
            self.adjusted = True
            self.truth.external_tickers[row.ticker] = None
        if row.kind == Kind.DIFFERENCE.value:
            self.differences[str(row.data()["row"])] += 1

    def bytes_out(self, method: str, path: str, body: bytes) -> None:
        client = self.truth.client_of(method, path, body)
        self.truth.note(f"out {method} {path} {body.decode()}")
        if client:
            self.truth.left(client)
            self.judge(lambda: self._may_leave(client, body))
        elif path.endswith("/amend"):
            self.judge(lambda: self._same_size(path.split("/")[-2], body))

    def request_lost(self, method: str, path: str, body: bytes) -> None:
        client = self.truth.client_of(method, path, body)
        self.truth.note(f"lost {method} {path} {client}")
        if client:
            self.truth.landed(client)
            self._mark(client)

    def arrived(self, method: str, path: str, body: bytes) -> None:
        client = self.truth.client_of(method, path, body)
        self.truth.note(f"in {method} {path} {client}")

    def carried_out(self, method: str, path: str, body: bytes) -> None:
        client = self.truth.client_of(method, path, body)
        if client:
            self.truth.landed(client)
            self._mark(client)

    def _happened(self, event: ExchangeEvent) -> None:
        client = self.truth.happened(event)
        if client:
            self.truth.note(
                f"venue {type(event).__name__} {client} {venue_text(self.truth.orders.get(client))}"
            )
            self._mark(client)
        elif self.truth.tape is not None:
            self.truth.note(f"venue {event}")
        if isinstance(event, Filled) and event.account == ACCOUNT and client:
            self.judge(lambda: self._no_crossing(event))

    def _mark(self, client: str) -> None:
        self._dirty[client] = None
        if not self._due:
            self._due = True
            self._loop.call_soon(self._check)

    # --- what it judges -----------------------------------------------------------------------

    def judge(self, check: Callable[[], None]) -> None:
        """Run a check of this or another judge of the run."""
        if self.violation is None:
            try:
                check()
            except ViolationError as found:
                self.find(found)

    def find(self, found: ViolationError | None) -> None:
        """The first violation of a run is the one that counts."""
        if found is not None and self.violation is None:
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
            self.judge(lambda c=client: self._agree(c, ledger))  # type: ignore[misc]

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

    def _same_size(self, order_id: str, body: bytes) -> None:
        """1: a renewal carries the size that the desk knows the order to have, and no other."""
        if self._engine is None:
            return
        ledger, sent = self._engine.desk.ledger, msgspec.json.decode(body)
        order = ledger.orders[ledger.by_order_id[order_id]]
        if _scaled(sent["count"], 6) != order.quantity:
            client = order.intent.client_order_id
            raise ViolationError(1, f"a renewal changes the size of {client}", order, sent)

    def _agree(self, client: str, ledger: Ledger) -> None:
        """3, 4 and 8 for one order: its end is true, and what can still happen to it is counted."""
        belief, there = ledger.orders.get(client), self.truth.orders.get(client)
        if belief is None:
            if client in self.truth.intents or there is not None:
                raise ViolationError(1, f"{client} is not known to the desk", None, venue_text(there))
            return
        if belief.intent.venue is not Venue.KALSHI:
            return
        filled = self.truth.filled(client)
        truth = f"{venue_text(there)} filled {filled}, {self.truth.on_the_way.get(client, 0)} on the way"
        if there is None:
            if belief.filled:
                raise ViolationError(3, f"{client} has fills the venue does not have", belief, truth)
            if not belief.live and client in self.truth.on_the_way:
                raise ViolationError(4, f"{client} may still arrive", belief, truth)
            if belief.life in ENDED_AT_VENUE and not self.truth.bytes_out.get(client):
                raise ViolationError(8, f"{client} ended at the venue without having left", belief, truth)
            return
        there_too = {(f.trade_id, f.price, f.count) for f in self.truth.fills.get(client, ())}
        if any((f.trade_id, f.price, f.quantity) not in there_too for f in belief.fills):
            raise ViolationError(3, f"{client} has fills the venue does not have", belief, truth)
        if client in self.truth.lied_about:
            return  # the exchange took its word back: the desk hears of it in its own time
        if belief.live:
            self._bounded(client, belief, ledger, filled, truth)
            return
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
        self.judge(lambda: self._same_after_replay(rows))

    def _same_after_replay(self, rows: Sequence[Row]) -> None:
        if self._engine is not None:
            living, again = belief(self._engine.desk.ledger), replayed(rows)
            if living != again:
                raise ViolationError(9, "the journal makes another belief", living, again)

    # --- as time passes -----------------------------------------------------------------------

    def second(self) -> None:
        """What time alone can break: 10, and the exposure of 4."""
        if self._begun:
            self.judge(self._unknowns_end)
            self.judge(self._reserved)

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
            if not says_so(engine, intent.ticker):
                raise ViolationError(
                    10,
                    f"{client} is unknown for too long and nothing is halted",
                    order,
                    venue_text(self.truth.orders.get(client)),
                )

    def _reserved(self) -> None:
        """What the venue holds back for our own orders is at most what the desk has set aside."""
        engine = self._engine
        if engine is None:
            return
        counted: Counter[str] = Counter()
        for order in engine.desk.ledger.live.values():
            opens = order.intent.purpose is Purpose.OPEN
            counted[order.intent.ticker] += (order.intent.reserved if opens else 0) + _ROUNDING
        account = self.truth.exchange.account(ACCOUNT)
        tainted = {o.ticker for o in account.working.values() if not self._plainly(o)}
        for ticker, money in account.reserved_by.items():
            if ticker not in tainted and money > counted[ticker]:
                what = f"the venue holds back more in {ticker} than the desk has set aside"
                raise ViolationError(4, what, counted[ticker], money)

    def _plainly(self, order: VenueOrder) -> bool:
        """Whether what the venue holds back for an order is what the desk meant by it.

        A close that rests opens the other side once somebody else has sold what it was to close.
        """
        intent = self.truth.intents.get(order.client_order_id)
        if intent is None or order.client_order_id in self.truth.lied_about:
            return False
        return intent.purpose is Purpose.OPEN or order.ticker not in self.truth.external_tickers

    # --- after everything has healed -----------------------------------------------------------

    def in_order(self, healed_ns: int) -> ViolationError | None:
        """What of belief still differs from truth, ``None`` when nothing does."""
        return out_of_order(self._engine, self.truth, healed_ns, strict=self.strict)

    def judge_cash(self) -> None:
        """The desk has had its time: cash that is another one now is a violation."""
        if self._engine is not None and not self.adjusted:
            self.find(cash_differs(self._engine, self.truth))

    def judge_stop(self, *, ended: bool) -> None:
        """The engine was told to stop and has had its time."""
        self.find(left_by_stop(self.truth, ended=ended))


_SENT_FIELDS = ("ticker", "side", "time_in_force", "post_only", "reduce_only")
_ROUNDING = 20_000
"""Fees on parts round up one by one."""


def _scaled(text: str, places: int) -> int:
    whole, _, part = text.partition(".")
    return int(whole + part.ljust(places, "0")[:places])


def _rested(order: VenueOrder) -> bool:
    return order.reason is None or order.filled > 0
