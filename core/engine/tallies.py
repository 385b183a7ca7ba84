"""What happened lately that may switch something off: automatic entries, closes at a loss, refusals.

Counted in real time by when it happened, so that a restart counts the same from the journal. The
refusals of the last minute are not worth keeping over a restart, which comes up paused anyway.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable

from core.domain.clock import Clocks
from core.domain.market import Venue
from core.domain.order import Fill, Life, Order, Purpose
from core.domain.position import Position, apply, settle
from core.domain.units import Money
from core.execution.ledger import Ledger
from core.strategy.plan import ARBITRAGE

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
CLOSES_KEPT = 500


class Tallies:
    """Fed by the ledger's news; ``recount`` after a replay."""

    def __init__(self, ledger: Ledger, clocks: Clocks, on_close: Callable[[str, Money], None]) -> None:
        self._ledger = ledger
        self._clocks = clocks
        self._on_close = on_close
        self._entries: dict[tuple[str, str], deque[int]] = {}
        """Times of automatic entries that traded, by strategy and ticker."""
        self._closes: deque[tuple[int, int]] = deque(maxlen=CLOSES_KEPT)
        """Time and result, fees paid, of positions that went flat."""
        self._seen: dict[str, Position] = {}
        self._opened_at: dict[str, int] = {}
        """A market's result so far when its present position was opened."""
        self._of_plans: set[str] = set()
        """Markets whose position a plan's leg opened: of a complete set most parts close at a loss."""
        self._rejects: defaultdict[Venue, deque[int]] = defaultdict(deque)
        self._unknowns: defaultdict[Venue, deque[int]] = defaultdict(deque)
        self.entries_since: dict[str, int] = {}
        """Wall time from which a market's automatic entries count: its last re-enabling."""
        self.closes_since = 0

    # --- news ----------------------------------------------------------------------------------

    def order_changed(self, before: Order | None, after: Order) -> None:
        if before is None or before.life is after.life:
            return
        if after.life is Life.REJECTED:
            self._rejects[after.intent.venue].append(self._clocks.wall_ms())
        elif after.life is Life.UNKNOWN and before.life is Life.SENDING:
            self._unknowns[after.intent.venue].append(self._clocks.wall_ms())

    def filled(self, order: Order | None, fill: Fill) -> None:
        now_ms = self._clocks.wall_ms()
        if order is not None and len(order.fills) == 1:
            self._entered(order, now_ms)
            self._planned(order)
        self._tell(fill.ticker, now_ms)

    def settled(self, ticker: str) -> None:
        self._tell(ticker, self._clocks.wall_ms())

    def _tell(self, ticker: str, now_ms: int) -> None:
        result = self._moved(ticker, self._ledger.positions[ticker], now_ms)
        if result is not None:
            self._on_close(ticker, result)

    def _entered(self, order: Order, at_ms: int) -> None:
        intent = order.intent
        if intent.automatic and intent.purpose is Purpose.OPEN:
            self._entries.setdefault((intent.strategy, intent.ticker), deque()).append(at_ms)

    def _planned(self, order: Order) -> None:
        if order.intent.strategy == ARBITRAGE and order.intent.purpose is Purpose.OPEN:
            self._of_plans.add(order.intent.ticker)

    def _moved(self, ticker: str, after: Position, at_ms: int) -> Money | None:
        """A position that went flat, or through zero, is one close: its result since it was opened."""
        before = self._seen.get(ticker, Position())
        self._seen[ticker] = after
        if before.net and (after.net == 0 or before.net * after.net < 0):
            result = _result(after) - self._opened_at[ticker]
            if ticker not in self._of_plans:
                self._closes.append((at_ms, result))
            self._of_plans.discard(ticker)
            self._opened_at[ticker] = _result(after)
            return Money(result)
        if not before.net and after.net:
            self._opened_at[ticker] = _result(before)
        return None

    def rebuild(self) -> None:
        """A fill never was: everything is counted anew from the facts that are left."""
        self._entries.clear()
        self._of_plans.clear()
        self._closes.clear()
        self._seen.clear()
        self._opened_at.clear()
        self.recount()

    def recount(self) -> None:
        """After a replay: entries and closes as the journal knows them."""
        for order in self._ledger.orders.values():
            if order.fills:
                self._entered(order, order.fills[0].at_ms)
                self._planned(order)
        for entries in self._entries.values():
            ordered = sorted(entries)
            entries.clear()
            entries.extend(ordered)
        for ticker, fills in self._ledger.fills_of.items():
            position = Position()
            for fill in fills:
                position = apply(position, fill)
                self._moved(ticker, position, fill.at_ms)
            report = self._ledger.settled.get(ticker)
            if report is not None:
                paid_ms = self._clocks.world.real_at(report.at_ms)  # the venue says it in world time
                self._moved(ticker, settle(position, report.payout), paid_ms)
        self._closes = deque(sorted(self._closes), maxlen=CLOSES_KEPT)

    # --- counts --------------------------------------------------------------------------------

    def entries(self, strategy: str, ticker: str) -> int:
        """Automatic entries within the hour, since the market was last re-enabled."""
        after = max(self._clocks.wall_ms() - HOUR_MS, self.entries_since.get(ticker, 0))
        times = self._entries.get((strategy, ticker), deque())
        while times and times[0] <= after:
            times.popleft()
        return len(times)

    def entered(self) -> dict[tuple[str, str], int]:
        """Every strategy and ticker with automatic entries within the hour."""
        counts = {key: self.entries(*key) for key in self._entries}
        self._entries = {key: times for key, times in self._entries.items() if times}
        return counts

    def losses_in_row(self) -> int:
        """Closes at a loss since the last one without."""
        count = 0
        for at_ms, result in reversed(self._closes):
            if result >= 0 or at_ms <= self.closes_since:
                break
            count += 1
        return count

    def losses_1h(self) -> int:
        after = max(self._clocks.wall_ms() - HOUR_MS, self.closes_since)
        return sum(result < 0 for at_ms, result in self._closes if at_ms > after)

    def rejects_1min(self, venue: Venue) -> int:
        return self._within_minute(self._rejects[venue])

    def unknowns_1min(self, venue: Venue) -> int:
        return self._within_minute(self._unknowns[venue])

    def forget_refusals(self, venue: Venue) -> None:
        """They have halted the venue: what is counted from here on is new."""
        self._rejects[venue].clear()
        self._unknowns[venue].clear()

    def _within_minute(self, times: deque[int]) -> int:
        after = self._clocks.wall_ms() - MINUTE_MS
        while times and times[0] <= after:
            times.popleft()
        return len(times)


def _result(position: Position) -> int:
    return position.realised - position.fees
