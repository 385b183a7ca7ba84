"""Belief against truth: when the venue is asked, what it says of orders, fills, positions and cash.

Only complete reads count. Facts are applied first (fills by trade id, then order states, see
``reading.py``), then positions and cash are compared, leaving out markets that moved while the reads
were under way. What differs goes to ``differences.py``, which says when it is acted on.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection
from typing import Protocol

import msgspec

from core.domain.clock import Clocks
from core.domain.order import BookSide
from core.domain.position import Position
from core.domain.units import Money, Price, Quantity, money_text, quantity_text
from core.execution.differences import About, Difference, Differences, Key, Row
from core.execution.gateway import Gateway
from core.execution.lines import AccountLine, CashSaid, Said, account_lines
from core.execution.reading import Facts
from core.execution.share import Share
from core.risk.exposure import reserved_cash
from core.venues.exchange import Cash
from core.venues.venue import Incomplete, PositionReport, VenueGateway

PERIOD_S = 30.0
"""Positions, balance, fills, orders."""
ORDERS_PERIOD_S = 10.0
"""Orders alone, while any may still fill."""
AUDIT_PERIOD_S = 900.0
"""Everything the venue has ever said of this account."""
HALTED_PERIOD_S = 5.0
"""While halted a clean read is kept at hand for the resume command."""
SOON_S, STEP_S = 0.2, 2.0
AGAIN_S = 3.0
RACING_S, RACING_TRIES = 2.0, 3
RETRY_S = (1.0, 2.0, 4.0, 8.0)
"""Pauses after readings that were incomplete; the last one repeats."""
INCOMPLETE_MAX = 3
"""So many incomplete readings in a row, and the account takes no entries."""
SETTLED_NS = 20_000_000_000
"""Position lists lag: a market that moved within this time is shown but not acted on."""
CASH_TOLERANCE = Money(50_000)
EVERYTHING = frozenset(About)


class Reading(msgspec.Struct, frozen=True):
    """How one reconciliation went."""

    at_ns: int
    complete: bool
    reason: str
    """What started it, or what was incomplete."""
    differences: tuple[Difference, ...] = ()
    whole_since_ns: int | None = None
    """Beginning of a complete reading of everything; ``None`` for the orders alone."""

    @property
    def clean(self) -> bool:
        return self.complete and not any(difference.blocks for difference in self.differences)


class ReconcileListener(Protocol):
    def on_reading(self, reading: Reading) -> None:
        """After each reconciliation, complete or not."""
        ...

    def on_difference(self, difference: Difference) -> None:
        """A difference that must be acted on: seen twice, or at start-up."""
        ...

    def on_fact(self, row: Row, ticker: str, text: str) -> None:
        """The venue was right and its word has been taken: told once."""
        ...

    def on_cash_base(self, base: Money) -> None:
        """The account's cash without what this journal's positions did to it, read or accepted."""
        ...


class Reconciler:
    """Runs by its periods and whenever asked. ``venue_net`` holds positions that differ, by ticker."""

    def __init__(
        self,
        *,
        share: Share,
        venue: VenueGateway,
        gateway: Gateway,
        clocks: Clocks,
        listener: ReconcileListener,
        awaiting_settlement: Callable[[str], bool],
    ) -> None:
        self._share, self._ledger = share, share.ledger
        self._venue = venue
        self._gateway = gateway
        self._clocks = clocks
        self._listener = listener
        self._awaiting_settlement = awaiting_settlement
        self._found = Differences()
        self._facts = Facts(share, venue, gateway, clocks, self._found, listener.on_fact, self._rested)
        self._wanted = asyncio.Event()
        self._reason = "start"
        self._epochs: deque[tuple[int, int]] = deque(maxlen=64)
        self._listed_any = False
        """Whether the last list of positions held any."""
        self._positions_epoch = 0
        """What the ledger had booked when the venue's positions were last read."""
        self._races = 0
        self._audited_ns: int | None = None
        self._last_whole_ns = self._last_orders_ns = 0
        self._doubted_ns = 0
        self.cash_base: Money | None = None
        """The account's cash without anything this journal's positions did to it."""
        self._collected: set[str] = set()
        """Markets that were settled when the cash agreed in full: nothing of them waits to be paid out."""
        self.venue_net: dict[str, int] = {}
        self.pairs: dict[str, PositionReport] = {}
        """YES and NO held together by the venue's count, by ticker."""
        self.doubt = ""
        """Why something may have been missed: no entries until a clean reading has taken it away."""
        self.readings = 0
        """Whole readings so far, complete or not."""
        self.last = Reading(0, False, "not read yet")
        self._cash_read: Cash | None = None
        self._flow_read = 0
        self._counted: dict[str, int] = {}
        """Positions the venue listed last, net by ticker."""
        self.clean_ns: int | None = None
        """Beginning of the last clean, complete reading: what it read may be as old as that."""
        self.read_ns: int | None = None
        """End of the last complete reading."""
        self.incomplete_since_ns: int | None = None
        self.incomplete_count = 0

    @property
    def told(self) -> Collection[str]:
        """Markets in which only the venue's count shows something."""
        return self.venue_net.keys() | self.pairs.keys()

    @property
    def differences(self) -> dict[Key, Difference]:
        return self._found.standing

    @property
    def cash(self) -> Money | None:
        """The account's cash as last read, less what was spent since.

        What came in since counts only once the venue says so. What was spent by trades that were not settled
        then counts as spent since: the venue's figure may still hold it.
        """
        return self._since(self._cash_read.total) if self._cash_read is not None else None

    def lines(self) -> tuple[AccountLine, ...]:
        """Every order, position and the cash, ours beside what the venue said last."""
        cash = None
        if self._cash_read is not None and self.cash_base is not None:
            ours, theirs = Money(self.cash_base + self._flow()), self._worth(self._cash_read.total)
            same = abs(theirs - ours) <= CASH_TOLERANCE
            cash = CashSaid(ours, theirs, same, self._explained(theirs, ours))
        said = Said(self._facts.resting, self._counted, cash)
        return tuple(account_lines(self._share, said, self.differences))

    def cash_on(self, shard: int) -> Money | None:
        """``cash`` that orders of one shard can use. What was spent since the reading counts on each."""
        return self._since(self._cash_read.on(shard)) if self._cash_read is not None else None

    def _since(self, read: Money) -> Money:
        return Money(read + min(0, self._flow() - self._flow_read))

    def restraint(self, ticker: str) -> str:
        """Why a market takes no entries until the account agrees again; empty when it may."""
        if self.doubt:
            return f"not read since {self.doubt}"
        if self.incomplete_count >= INCOMPLETE_MAX:
            return f"the account could not be read {self.incomplete_count} times"
        difference = self._found.in_market(ticker)
        return str(difference) if difference is not None else ""

    # --- when ----------------------------------------------------------------------------------

    def request(self, reason: str, *, doubt: bool = False) -> None:
        """Read soon: after a missing fill, an unanswered order, an operator's wish.

        ``doubt``: something may have been missed (a reconnect, a clock that was set), so nothing is
        risked before a clean reading.
        """
        self._reason = reason
        if doubt:
            self.doubt = reason
            self._doubted_ns = self._clocks.mono_ns()
        self._wanted.set()

    async def run(self) -> None:
        """Reconcile for ever; the first reading is the start-up's own (``once``)."""
        while True:
            whole_ns, orders_ns = self._due()
            wait_s = (min(whole_ns, orders_ns) - self._clocks.mono_ns()) / 1e9
            try:
                # In steps: an order that has become live meanwhile makes its list due earlier.
                async with asyncio.timeout(min(STEP_S, max(0.0, wait_s))):
                    await self._wanted.wait()
                await asyncio.sleep(SOON_S)
            except TimeoutError:
                self._reason = "periodic"
            now = self._clocks.mono_ns()
            if self._wanted.is_set() or now >= whole_ns:
                self._wanted.clear()
                await self.once()
            elif now >= orders_ns:
                await self._orders_only()

    def _due(self) -> tuple[int, int]:
        """When everything and when the orders are to be read again, as things stand now."""
        period = HALTED_PERIOD_S if self._gateway.halted else PERIOD_S
        if self.incomplete_count:
            period = RETRY_S[min(self.incomplete_count, len(RETRY_S)) - 1]
        elif 0 < self._races < RACING_TRIES:
            period = RACING_S
        elif self.differences:
            period = AGAIN_S
        orders = ORDERS_PERIOD_S if self._share.live else PERIOD_S
        return (
            self._last_whole_ns + int(period * 1e9),
            max(self._last_whole_ns, self._last_orders_ns) + int(orders * 1e9),
        )

    async def _orders_only(self) -> None:
        """The open orders between two whole readings."""
        self._last_orders_ns = self._clocks.mono_ns()
        self._found.begin((About.ORDER,))
        if await self._facts.orders() is None:
            self._act(startup=False)
            self._listener.on_reading(Reading(self._clocks.mono_ns(), True, "orders", self._standing()))

    async def once(self, *, startup: bool = False) -> Reading:
        """One reconciliation of everything."""
        reason, epoch, began = self._reason, self._share.epoch, self._clocks.mono_ns()
        self._found.begin(EVERYTHING)
        self._epochs.append((began, epoch))
        audit = self._audited_ns is None or began - self._audited_ns >= AUDIT_PERIOD_S * 1e9
        trouble = await self._facts.read(whole=audit)
        if trouble is None:
            trouble = await self._compare(epoch, startup)
        now = self._last_whole_ns = self._clocks.mono_ns()
        self.readings += 1
        if trouble is not None:
            self.incomplete_count += 1
            self.incomplete_since_ns = self.incomplete_since_ns or now
            reading = Reading(now, False, f"{trouble.what}: {trouble.reason}")
        else:
            self.incomplete_count, self.incomplete_since_ns = 0, None
            self.read_ns = now
            self._audited_ns = began if audit else self._audited_ns
            reading = Reading(now, True, reason, self._standing(), began)
            if reading.clean:
                self.clean_ns = began
                if began >= self._doubted_ns:
                    self.doubt = ""
        self.last = reading
        self._listener.on_reading(reading)
        return reading

    def _standing(self) -> tuple[Difference, ...]:
        return tuple(self._found.standing.values())

    # --- comparison ----------------------------------------------------------------------------

    async def _compare(self, epoch: int, startup: bool) -> Incomplete | None:
        epoch_read = self._share.epoch
        positions = await self._venue.positions()
        if isinstance(positions, Incomplete):
            return positions
        cash = await self._venue.cash()
        if isinstance(cash, Incomplete):
            return cash
        self._cash_read, self._flow_read = cash, self._flow_settled()
        vanished = not positions and self._listed_any
        self._listed_any = bool(positions)
        self._positions(positions, epoch_read)
        self._positions_epoch = epoch_read
        if self._share.epoch == epoch and not self._share.parked:
            self._cash(self._worth(cash.total))
        else:
            self._found.skip(About.CASH)
        self._races = self._races + 1 if self._found.racing else 0
        self._act(startup=startup, vanished=vanished)
        return None

    def _positions(self, reports: tuple[PositionReport, ...], epoch: int) -> None:
        theirs = self._counted = {report.ticker: int(report.net) for report in reports}
        pairs = {report.ticker: report for report in reports if report.pairs}
        for ticker, _ in self.pairs.items() ^ pairs.items():
            self._ledger.changed_positions.touch(ticker)
        self.pairs = pairs
        ours = {ticker: int(p.net) for ticker, p in self._share.held.items()}
        for ticker in sorted(theirs.keys() | ours.keys() | self.venue_net.keys()):
            here, there = ours.get(ticker, 0), theirs.get(ticker, 0)
            if here == there or self._waits(ticker, here, there):
                if self.venue_net.pop(ticker, None) is not None:
                    self._ledger.changed_positions.touch(ticker)
                continue
            if self._ledger.moved_at.get(ticker, 0) > epoch:
                self._found.skip(About.POSITION, ticker)
                continue
            row = Row.OTHER_SIDE if here * there < 0 else Row.POSITION
            if ticker in self._ledger.settled or (there == 0 and self._awaiting_settlement(ticker)):
                row = Row.UNSETTLED
            elif self.venue_net.get(ticker) != there:
                self.venue_net[ticker] = there
                self._ledger.changed_positions.touch(ticker)
            if self._may_be_unknown(ticker, there - here):
                self._found.skip(About.POSITION, ticker)
                continue
            self._found.saw(row, Key(About.POSITION, ticker), _contracts(here), _contracts(there))

    def _waits(self, ticker: str, here: int, there: int) -> bool:
        """Whether trades that are not settled explain the difference: the venue may count them or not yet."""
        waiting = self._ledger.settling
        bought, sold = waiting.gaining(ticker, BookSide.BID), waiting.gaining(ticker, BookSide.ASK)
        return here - bought <= there <= here + sold

    def _may_be_unknown(self, ticker: str, more: int) -> bool:
        """Whether an UNKNOWN order may have traded the difference: its own look-up decides then."""
        return any(
            order.intent.ticker == ticker and 0 < more * order.intent.side.sign <= order.leaves
            for order in self._share.unknown()
        )

    def _cash(self, cash: Money) -> None:
        """Our cash is a base plus everything positions cost, brought in and were charged.

        Whether the venue's figure has open orders taken out already is not certain: either is right.
        """
        flow = self._flow()
        if self.cash_base is None:
            if self._share.live or self._share.unsettled():
                self._found.skip(About.CASH)
                return
            self._rebase(Money(cash - flow))
        assert self.cash_base is not None
        expected = self.cash_base + flow
        if abs(cash - expected) <= CASH_TOLERANCE:
            self._collected |= self._share.positions.keys() & self._ledger.settled.keys()
        if not self._explained(cash, expected):
            self._found.saw(Row.CASH, Key(About.CASH), money_text(Money(expected)), money_text(cash))

    def _explained(self, cash: int, expected: int) -> bool:
        """Whether open orders, payouts still to be fetched and trades that may fail account for the rest."""
        on_order = reserved_cash(self._share.live.values())
        slack = CASH_TOLERANCE + self._share.unsettled()
        settled = self._share.positions.keys() & self._ledger.settled.keys()
        return expected - on_order - self._uncollected(settled) - slack <= cash <= expected + slack

    def _uncollected(self, settled: Collection[str]) -> int:
        """The most that may wait on the venue's page, of what was settled since the cash agreed in full."""
        if self._venue.traits.pays_out:
            return 0
        ledger = self._ledger
        return sum(ledger.holdings.paid(ledger.settled[t]) for t in settled if t not in self._collected)

    def _worth(self, cash: Money) -> Money:
        """Cash with the pairs held: YES and NO together are a dollar, and by our count already paid out."""
        return Money(cash + sum(report.pairs for report in self.pairs.values()))

    def _flow(self) -> int:
        """What positions brought in less what they cost and were charged."""
        return sum(_brought(position) for position in self._share.positions.values())

    def _flow_settled(self) -> int:
        """The same by what no trade can undo any more."""
        holdings, flow = self._ledger.holdings, self._flow()
        for ticker in self._share.unsettled_markets():
            open_ids = {fill.trade_id for fill in self._ledger.settling.of(ticker)}
            flow += _brought(holdings.without(ticker, open_ids)) - _brought(holdings.positions[ticker])
        return flow

    def _rebase(self, base: Money) -> None:
        self.cash_base = base
        self._listener.on_cash_base(base)

    def _act(self, *, startup: bool, vanished: bool = False) -> None:
        def settled(ticker: str) -> bool:
            # An empty list right after a full one is one source: it takes its time to be believed.
            return not vanished and self._rested(ticker)

        now = self._clocks.mono_ns()
        for difference in self._found.conclude(now, startup=startup, settled=settled):
            if difference.row is Row.EXTERNAL_FILL:
                self._facts.claim(difference.key.subject)
            self._listener.on_difference(difference)

    def _rested(self, ticker: str) -> bool:
        """Whether the market (for cash: any) has not moved for a while and lagging lists have caught up."""
        now = self._clocks.mono_ns()
        moved = self._ledger.moved_at.get(ticker, 0) if ticker else self._share.epoch
        before = [epoch for at, epoch in self._epochs if now - at >= SETTLED_NS]
        return moved <= (before[-1] if before else 0)

    # --- an operator accepts the venue's word --------------------------------------------------

    def accept_position(self, ticker: str, price: Price, reason: str, by: str) -> str:
        """Take the venue's count of a position that no fill explains; the sentence why not, or empty."""
        difference = self.differences.get(Key(About.POSITION, ticker))
        if difference is None or difference.row is Row.UNSETTLED:
            return f"Nothing differs there: {ticker} has no position the venue counts otherwise."
        if difference.reads < 2:
            return "It has been seen once; the next reading in a few seconds decides."
        if self._ledger.live_in(ticker) or any(p.fill.ticker == ticker for p in self._ledger.parked.values()):
            return "Not while an order or a fill of that market may still explain it."
        if self._ledger.settling.of(ticker):
            return "Not while a trade of that market is not settled: the venue may count it or not."
        if self._ledger.moved_at.get(ticker, 0) > self._positions_epoch:
            return "It has moved since the venue's was read; the next reading in a few seconds decides."
        there = Quantity(self.venue_net.pop(ticker))
        self._found.drop(difference.key)
        self._ledger.adjust(ticker, there, price, reason, by, venue=self._share.venue)
        self.request("an accepted position")
        return ""

    def against_cash(self) -> str:
        """Why the venue's cash cannot be taken for the truth now; empty when it can."""
        difference = self.differences.get(Key(About.CASH))
        if difference is None or self._cash_read is None:
            return "The cash agrees."
        if difference.reads < 2 or self._share.live:
            return "Not while orders are open; the next reading without any decides."
        if self._share.unsettled():
            return "Not while a trade is not settled: the venue may count what it cost or not."
        if self._share.epoch > self._positions_epoch:
            return "It has moved since the venue's was read; the next reading in a few seconds decides."
        return ""

    def accept_cash(self) -> None:
        """Count on from the venue's cash, where nothing is ``against_cash``."""
        assert self._cash_read is not None
        self._found.drop(Key(About.CASH))
        self._rebase(Money(self._worth(self._cash_read.total) - self._flow_read))
        self.request("accepted cash")


def _brought(position: Position) -> int:
    """What a position brought in less what it cost and was charged."""
    return position.realised - position.cost - position.fees


def _contracts(net: int) -> str:
    return quantity_text(Quantity(net))
