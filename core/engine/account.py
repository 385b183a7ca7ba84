"""What the desk has done and what it is worth: recent orders, filled money, P&L of the world's day."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

import msgspec

from core.domain.clock import Clocks
from core.domain.order import Fill, Life, Order, Purpose
from core.domain.position import Position, marked
from core.domain.units import Money, complement, notional_up
from core.engine.state import DayCounts, DeskState
from core.execution.ledger import Ledger
from core.risk.facts import Sent
from core.venues.venue import BookView

DAY_MS = 86_400_000
HOUR_NS = 3_600_000_000_000
RECENT_MIN = 20
WINDOW_15S_NS = 15_000_000_000
WINDOW_5MIN_NS = 300_000_000_000


class DayBase(msgspec.Struct, frozen=True):
    """Payload of a ``DAY`` row: what the day's result is counted from, for the desk and by ticker.

    Settled markets are left out: nothing happens to them any more.
    """

    day: str
    base: int
    tickers: dict[str, int] = {}


class _Lately:
    """Money that changed hands within the last ``span_ns``. Added oldest first."""

    def __init__(self, span_ns: int) -> None:
        self._span_ns = span_ns
        self._added: deque[tuple[int, Money]] = deque()
        self._sum = 0

    def add(self, at_ns: int, money: Money) -> None:
        self._added.append((at_ns, money))
        self._sum += money
        self._forget(at_ns)

    def total(self, now_ns: int) -> Money:
        self._forget(now_ns)
        return Money(self._sum)

    def _forget(self, now_ns: int) -> None:
        while self._added and now_ns - self._added[0][0] > self._span_ns:
            self._sum -= self._added.popleft()[1]


def world_day(world_ms: int) -> str:
    """The P&L day: a UTC date of world time."""
    return datetime.fromtimestamp(world_ms / 1000, UTC).date().isoformat()


class Account:
    """Folds orders and fills into the gate's rates and the day's result."""

    def __init__(
        self,
        state: DeskState,
        ledger: Ledger,
        books: Callable[[str], BookView | None],
        readable: Callable[[str], bool],
        clocks: Clocks,
    ) -> None:
        """``readable``: whether the venue of a market has answered in this run."""
        self._state = state
        self._ledger = ledger
        self._books = books
        self._readable = readable
        self._clocks = clocks
        self._sent: OrderedDict[str, Sent] = OrderedDict()
        """The last hour's by client id, and never fewer than ``RECENT_MIN``."""
        self._filled = {span: _Lately(span) for span in (WINDOW_15S_NS, WINDOW_5MIN_NS)}
        self._base: dict[str, int] = {}
        """By every ticker that may have a result today: those of the day's base, and what moved since."""
        self._worth: dict[str, int] = {}
        """What each of them was worth when last marked."""
        self.day = ""

    # --- rates ---------------------------------------------------------------------------------

    def recount(self) -> None:
        """After a replay: a restart forgets neither today's orders nor what was sent and filled lately."""
        now_ns, now_ms = self._clocks.mono_ns(), self._clocks.wall_ms()

        def ns_of(wall_ms: int) -> int:
            return now_ns - max(0, now_ms - wall_ms) * 1_000_000

        day_began_ms = self._clocks.world.real_at(self._clocks.world_ms() // DAY_MS * DAY_MS)
        filled: list[tuple[int, Money]] = []
        for client, order in self._ledger.orders.items():
            intent = order.intent
            sent = Sent(intent.ticker, intent.side, intent.price, intent.quantity, ns_of(intent.created_ms))
            self._remember(client, sent)
            if intent.created_ms >= day_began_ms:
                self._state.counts.placed += 1
                self._count_end(order)
            filled += ((ns_of(fill.at_ms), _paid(order, fill)) for fill in order.fills)
        for at_ns, money in sorted(filled):
            self._count_filled(at_ns, money)

    def _remember(self, client: str, sent: Sent) -> None:
        self._sent[client] = sent
        while len(self._sent) > RECENT_MIN and sent.at_ns - next(iter(self._sent.values())).at_ns > HOUR_NS:
            self._sent.popitem(last=False)

    def _count_filled(self, at_ns: int, money: Money) -> None:
        for lately in self._filled.values():
            lately.add(at_ns, money)

    def _count_end(self, order: Order) -> None:
        counts = self._state.counts
        if order.life is Life.FILLED:
            counts.filled += 1
        elif order.life in (Life.CANCELLED, Life.EXPIRED):
            counts.cancelled += 1
        elif order.life is Life.REJECTED:
            counts.rejected += 1

    def order_changed(self, before: Order | None, after: Order) -> None:
        intent = after.intent
        if before is None:
            now = self._clocks.mono_ns()
            sent = Sent(intent.ticker, intent.side, intent.price, intent.quantity, now)
            self._remember(intent.client_order_id, sent)
            self._state.counts.placed += 1
            self._state.touch_status()
        elif before.life is not after.life:
            self._count_end(after)
            self._state.touch_status()

    def filled(self, order: Order | None, fill: Fill) -> None:
        """Money that changed hands for this fill, counted by when we learned of it."""
        self._count_filled(self._clocks.mono_ns(), _paid(order, fill))
        self.moved(fill.ticker)

    def moved(self, ticker: str) -> None:
        """A fill or a settlement: this market has a result today."""
        self._base.setdefault(ticker, 0)
        self.mark()

    def recent(self, without: str) -> tuple[Sent, ...]:
        """Orders sent, oldest first, the order of that client id left out."""
        if without not in self._sent:
            return tuple(self._sent.values())
        return tuple(sent for client, sent in self._sent.items() if client != without)

    def filled_within(self, window_ns: int) -> Money:
        """What changed hands within one of the two windows of the velocity limits."""
        return self._filled[window_ns].total(self._clocks.mono_ns())

    # --- result --------------------------------------------------------------------------------

    def restore(self, base: DayBase | None, moved: Iterable[str]) -> None:
        """The day as the journal left it: its base, and the tickers that moved after it."""
        self._base = dict.fromkeys(moved, 0)
        if base is not None:
            self.day = base.day
            self._base |= base.tickers

    def roll(self) -> DayBase | None:
        """Begin a new world day when it is one; the base to journal. A clock set back reopens none.

        A base must not rest on a book that has not come yet: the day begins once all are there.
        """
        today = world_day(self._clocks.world_ms())
        if today <= self.day:
            return None
        base: dict[str, int] = {}
        if self.day:  # a journal that begins in the middle of a day has made nothing yet
            for ticker, position in self._ledger.positions.items():
                if ticker not in self._ledger.settled:
                    worth = self._known(ticker, position)
                    if worth is None:
                        return None
                    base[ticker] = worth
            self._base = base
        self.day = today
        self._state.counts = DayCounts()
        return DayBase(today, sum(base.values()), dict(base))

    def result(self) -> Money | None:
        """Everything closed and open since the journal began; ``None`` while a book has not come yet."""
        total = 0
        for ticker, position in self._ledger.positions.items():
            worth = self._known(ticker, position) if position.net else position.realised - position.fees
            if worth is None:
                return None
            total += worth
        return Money(total)

    def worth(self, ticker: str, position: Position) -> int:
        """Result of a market since the journal began: closed and open, fees paid."""
        view = self._books(ticker)
        bid, ask = (view.book.best_bid, view.book.best_ask) if view is not None else (None, None)
        open_pnl = marked(position, bid, ask)
        # Nobody bidding marks at zero.
        return position.realised - position.fees + (open_pnl if open_pnl is not None else -position.cost)

    def _known(self, ticker: str, position: Position) -> int | None:
        """``worth``; while the book is being repaired the last one, ``None`` before there was one. A market
        that is over has no book any more: until it pays it is worth what it was."""
        at_cost = position.realised - position.fees
        if position.net and self._state.ready and not self._readable(ticker):
            return at_cost  # a venue nobody can read is no loss
        if position.net and self._over(ticker):
            return self._worth.get(ticker, at_cost)
        view = self._books(ticker)
        if position.net and ticker in self._state.markets and (view is None or not view.intact):
            return self._worth.get(ticker)
        return self.worth(ticker, position)

    def _over(self, ticker: str) -> bool:
        known = self._state.markets.get(ticker)
        return known is not None and known.market.close_ms <= self._clocks.world_ms()

    def mark(self) -> None:
        """Value everything that may have a result today at what it could be sold for now."""
        state = self._state
        if not state.ready:
            return
        open_pnl, today, known = 0, dict[str, Money](), dict[str, int]()
        blind = False
        for ticker, base in self._base.items():
            position = self._ledger.positions.get(ticker, Position())
            worth = self._known(ticker, position)
            if worth is None:
                blind = True
                continue
            known[ticker] = worth
            today[ticker] = Money(worth - base)
            if position.net:
                open_pnl += worth - position.realised + position.fees
            if state.today.get(ticker) != today[ticker]:
                self._ledger.changed_positions.touch(ticker)
        state.today, self._worth = today, known
        figures = (None, None) if blind else (Money(open_pnl), Money(sum(today.values())))
        if (state.open_pnl, state.today_pnl) != figures:
            state.open_pnl, state.today_pnl = figures
            state.touch_status()


def _paid(order: Order | None, fill: Fill) -> Money:
    """What a fill's contracts cost at its price, in terms of the outcome traded."""
    yes = order is None or order.intent.outcome_price == order.intent.price
    return notional_up(fill.price if yes else complement(fill.price), fill.quantity)


def opening(orders: Mapping[str, Order] | list[Order], ticker: str, bid: bool) -> int:
    """Contracts that unfinished opens on one side of a market may still trade."""
    found = orders if isinstance(orders, list) else orders.values()
    return sum(
        o.leaves
        for o in found
        if o.intent.ticker == ticker and o.intent.purpose is Purpose.OPEN and (o.intent.side.sign > 0) is bid
    )
