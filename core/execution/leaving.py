"""Sells one market of a stop in slices, one at a time, and stops where going on could do harm.

An exit is a reduce-only, immediate limit order. The next one leaves only once the end of the one
before is proved and nothing else in that market can fill; an exit without an answer stops its market.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

from core.domain.clock import Clocks
from core.domain.market import Market
from core.domain.order import Life, Order, Purpose, TimeInForce
from core.domain.units import (
    Money,
    Price,
    Quantity,
    complement,
    dollars_text,
    notional,
    price_text,
    quantity_text,
)
from core.execution.exits import BLIND_READS, NoExit, blind_slice, next_slice
from core.execution.gateway import Denied, Gateway, Wish
from core.execution.ladder import Ladder, Pause, Phase, Tried
from core.execution.points import Point, Reach
from core.execution.share import Share
from core.strategy.proposal import Candidate
from core.venues.venue import BookView, Incomplete, VenueGateway, verified_ns

SLICES_MAX = 20
MARKET_BUDGET_S = 120.0
"""The time one market gets. It stands still while the venue takes no orders or an exit of the operator's
own rests there."""
SLICE_PAUSE_S = 0.4
REFUSED_PAUSE_S = 2.0
WAIT_S = 1.0
BOOK_NS_MAX = 3_000_000_000
"""A book of the stream older than this is read again before it prices an exit."""
VERIFY_PAUSE_S = 3.0
LAGGING_READS = 7
"""Position lists lag by up to 20 s: so often a count that lacks what we know is read again."""

Adopt = Callable[[str], Awaitable[Market | Incomplete]]
"""Makes a market known that the desk does not list, because something is held there."""

OnDenied = Callable[[Candidate, Denied], object]
"""Hears of an exit the gate let nobody send; repeated for one market only when the reason changes."""


class Leaving:
    """The way out of every market. ``market`` is run once for each, and again when there is cause."""

    def __init__(
        self,
        *,
        share: Share,
        venue: VenueGateway,
        gateway: Gateway,
        clocks: Clocks,
        market_of: Callable[[str], Market | None],
        adopt: Adopt,
        pause_of: Callable[[str], Pause | None],
        on_change: Callable[[Ladder], None],
        on_denied: OnDenied,
        reach: Reach,
    ) -> None:
        self._share, self._ledger = share, share.ledger
        self._venue = venue
        self._gateway = gateway
        self._clocks = clocks
        self._market_of = market_of
        self._adopt = adopt
        self._pause_of = pause_of
        self._on_change = on_change
        self._on_denied = on_denied
        self._reach = reach
        self._unread: Counter[str] = Counter()
        """Readings of a book in a row that failed, by ticker."""

    def fresh(self, ladder: Ladder, ticker: str) -> bool:
        """Whether what is held there now has not been tried yet, and nothing there can still fill."""
        net, before = self._ledger.net(ticker), ladder.tried.get(ticker)
        if not net or self._ledger.live_in(ticker):
            return False
        return before is None or before.unproved or before.net != net

    async def again(self, ladder: Ladder, ticker: str, venue_net: dict[str, int] | None) -> bool:
        """Whether a market that was given up with slices to spare could be sold now after all."""
        before, net = ladder.tried.get(ticker), self._ledger.net(ticker)
        spare = before is not None and before.slices < SLICES_MAX
        if not spare or self._ledger.live_in(ticker) or self._pause_of(ticker) is not None:
            return False
        if venue_net is not None and venue_net.get(ticker, 0) * net <= 0:
            return False
        market = await self._known(ticker)
        if isinstance(market, Incomplete):
            return False
        book, free = await self._sound_book(ticker), self._ledger.closable(ticker)
        return not isinstance(next_slice(market, book, net, free, 0), NoExit)

    async def market(self, ladder: Ladder, ticker: str, venue_net: dict[str, int] | None) -> None:
        """Sell one market until it is flat, its budget is used up, or it cannot be sold."""
        before = None if self.fresh(ladder, ticker) else ladder.tried.get(ticker)
        ladder.residue.pop(ticker, None)
        slices, empty = await self._sell(ladder, ticker, venue_net, before)
        self._pause(ladder, ticker, None)
        net, unproved = self._ledger.net(ticker), bool(self._ledger.live_in(ticker))
        ladder.tried[ticker] = Tried(net, slices, empty, unproved, ladder.residue.get(ticker, ""))

    async def _sell(
        self, ladder: Ladder, ticker: str, venue_net: dict[str, int] | None, before: Tried | None
    ) -> tuple[int, int]:
        """Slices sent, and how many of the last ones found nobody.

        A market given up ``before`` gets no second budget: its slices go on counting, and the first one
        that cannot be sent counts and is the last.
        """
        deadline_ns = self._clocks.mono_ns() + int(MARKET_BUDGET_S * 1e9)
        slices, empty = (before.slices, before.empty) if before is not None else (0, 0)
        last = ""
        await self._freed(ladder, ticker, deadline_ns)
        # Where the two counts disagree the first slice is bounded by the smaller one.
        at_venue = None if venue_net is None else await self._shown(ticker, venue_net.get(ticker, 0))
        while self._ledger.net(ticker) and slices < SLICES_MAX and self._clocks.mono_ns() < deadline_ns:
            if ladder.phase is not Phase.EXITING:
                return slices, empty
            waited_ns = await self._wait_open(ladder, ticker)
            deadline_ns += waited_ns
            if waited_ns:
                continue
            sent = await self._send_slice(ladder, ticker, at_venue, empty, deadline_ns)
            if isinstance(sent, NoExit):
                self._say(ladder, ticker, sent.reason + (self._at_risk(ticker) if sent.no_bid else ""))
                if sent.final or before is not None:
                    return slices + 1, empty
                await asyncio.sleep(SLICE_PAUSE_S)
                continue
            order, mid = sent
            slices, at_venue = slices + 1, None
            ladder.exits_sent += 1
            self._on_change(ladder)
            self._reach(Point.FLATTEN_EXIT_SENT)
            done = await self._end_of(order, deadline_ns)
            self._reach(Point.FLATTEN_EXIT_ENDED)
            if done.live:
                self._say(ladder, ticker, f"an exit is {done.life.value} without proof of its end")
                return slices, empty
            empty = empty + 1 if done.filled == 0 else 0
            last = f", the last one {done.life.value}: {done.reason}" if done.reason else ""
            self._book(ladder, done, mid)
            if self._ledger.net(ticker):
                await asyncio.sleep(REFUSED_PAUSE_S if done.life is Life.REJECTED else SLICE_PAUSE_S)
        if self._ledger.net(ticker):
            ladder.residue.setdefault(ticker, f"not sold in {slices} exits{last}")
        else:
            ladder.residue.pop(ticker, None)
        return slices, empty

    async def _wait_open(self, ladder: Ladder, ticker: str) -> int:
        """How long was waited, in nanoseconds, because nothing may or can be sold here now."""
        pause, rests = self._pause_of(ticker), self._resting_exit(ticker)
        if pause is None and rests is None:
            self._pause(ladder, ticker, None)
            return 0
        self._pause(ladder, ticker, pause)
        what = pause.what if pause is not None else f"an exit rests at {price_text(_shown_price(rests))}"
        self._say(ladder, ticker, what)
        began = self._clocks.mono_ns()
        await asyncio.sleep(WAIT_S)
        return max(1, self._clocks.mono_ns() - began)

    def _pause(self, ladder: Ladder, ticker: str, pause: Pause | None) -> None:
        if ladder.pauses.get(ticker) == pause:
            return
        if pause is None:
            del ladder.pauses[ticker]
        else:
            ladder.pauses[ticker] = pause
        self._on_change(ladder)

    def _resting_exit(self, ticker: str) -> Order | None:
        """An exit the operator lets rest: the market is theirs until it has filled or ended."""
        return next(
            (
                order
                for order in self._ledger.live_in(ticker)
                if order.intent.purpose is Purpose.CLOSE
                and order.intent.tif is TimeInForce.GTC
                and not self._gateway.cancelling(order.intent.client_order_id)
            ),
            None,
        )

    def _at_risk(self, ticker: str) -> str:
        held = self._ledger.held.get(ticker)
        return f", {dollars_text(held.cost)} may be lost" if held is not None else ""

    def _say(self, ladder: Ladder, ticker: str, why: str) -> None:
        if ladder.residue.get(ticker) != why:
            ladder.residue[ticker] = why
            self._on_change(ladder)

    async def _end_of(self, order: Order, deadline_ns: int) -> Order:
        """As long as the market has time: a slice beside an unanswered one could open the other side."""
        client, live = order.intent.client_order_id, self._ledger.live
        wait_s = (deadline_ns - self._clocks.mono_ns()) / 1e9
        await self._ledger.movement.until(lambda: client not in live, max(0.0, wait_s))
        return self._ledger.orders[client]

    async def _freed(self, ladder: Ladder, ticker: str, deadline_ns: int) -> None:
        """While nothing held there is settled, the venue's own count says nothing either: wait for it."""

        def free() -> bool:
            return bool(self._ledger.closable(ticker)) or not self._ledger.unsettled(ticker)

        if not free():
            self._say(ladder, ticker, self._not_settled(ticker))
            wait_s = (deadline_ns - self._clocks.mono_ns()) / 1e9
            await self._ledger.movement.until(free, wait_s)

    def _not_settled(self, ticker: str) -> str:
        return f"{quantity_text(self._ledger.unsettled(ticker))} contracts are not settled yet"

    async def _shown(self, ticker: str, there: int) -> int:
        """The venue's count, read again while it lacks what we hold: its list lags behind new fills."""
        for _ in range(LAGGING_READS):
            net = self._ledger.net(ticker)
            if not net or there * net > 0:
                break
            await asyncio.sleep(VERIFY_PAUSE_S)
            reports = await self._venue.positions()
            if not isinstance(reports, Incomplete):
                there = sum(int(report.net) for report in reports if report.ticker == ticker)
        return there

    async def _send_slice(
        self, ladder: Ladder, ticker: str, at_venue: int | None, empty: int, deadline_ns: int
    ) -> tuple[Order, Price | None] | NoExit:
        """One exit on its way with the mid at that moment, once nothing else there can fill."""
        wait_s = (deadline_ns - self._clocks.mono_ns()) / 1e9
        if not await self._ledger.movement.until(lambda: not self._ledger.live_in(ticker), wait_s):
            return NoExit("an order there is not proved dead", final=True)
        market = await self._known(ticker)
        if isinstance(market, Incomplete):
            return NoExit(f"{market.what} cannot be read: {market.reason}")
        book = await self._sound_book(ticker)
        net, free = self._ledger.net(ticker), self._ledger.closable(ticker)
        if not free and self._ledger.unsettled(ticker):
            return NoExit(self._not_settled(ticker))
        if net and not free:
            return NoExit("an order from outside sells all of it already", final=True)
        if at_venue is not None:
            free = Quantity(min(free, abs(at_venue)) if at_venue * net > 0 else 0)
            if not free:
                return NoExit("the venue does not show this position", final=True)
        wanted = next_slice(market, book, net, free, empty, urgent=ladder.urgent)
        if self._unread[ticker] >= BLIND_READS:
            last = await self._venue.last_price(ticker)
            if last is not None and not isinstance(last, Incomplete):
                wanted = blind_slice(market, last, net, free)
        if isinstance(wanted, NoExit):
            return wanted
        mid = _mid(book)
        sent = self._gateway.send(Wish(wanted, flatten=True))
        if isinstance(sent, Denied):
            if ladder.residue.get(ticker) != sent.reason:
                self._on_denied(wanted, sent)
            return NoExit(sent.reason)
        return sent, mid

    async def _known(self, ticker: str) -> Market | Incomplete:
        known = self._market_of(ticker)
        return known if known is not None else await self._adopt(ticker)

    async def _sound_book(self, ticker: str) -> BookView | None:
        """The stream's book while it is known to be right, else the one the venue answers with now."""
        view = self._venue.books.get(ticker)
        if view is not None and view.intact:
            age_ns = self._clocks.mono_ns() - verified_ns(view, self._venue.link)
            if age_ns <= BOOK_NS_MAX:
                del self._unread[ticker]
                return view
        fresh = await self._venue.book_now(ticker)
        if isinstance(fresh, Incomplete):
            self._unread[ticker] += 1
            return None
        del self._unread[ticker]
        return BookView(fresh, intact=True)

    def _book(self, ladder: Ladder, done: Order, mid: Price | None) -> None:
        if done.filled:
            ladder.exits_filled += 1
        for fill in done.fills:
            ladder.sold += fill.quantity
            given_up = notional(Price((fill.price - mid) * fill.side.sign), fill.quantity) if mid else 0
            ladder.cost += given_up + fill.fee
        ladder.left = held(self._share)
        self._on_change(ladder)


def _mid(view: BookView | None) -> Price | None:
    if view is None or view.book.best_bid is None or view.book.best_ask is None:
        return None
    return Price((view.book.best_bid + view.book.best_ask) // 2)


def _shown_price(order: Order | None) -> Price:
    return order.intent.outcome_price if order is not None else Price(0)


def held(share: Share) -> int:
    """Contracts held over all markets of a venue, in millionths."""
    return sum(abs(position.net) for position in share.held.values())


def worth(share: Share, venue: VenueGateway) -> Money | None:
    """What everything held would bring at the touch, fees apart; ``None`` where a book is not known."""
    total = 0
    for ticker, position in share.held.items():
        view = venue.books.get(ticker)
        if view is None:
            return None
        bid, ask = view.book.best_bid, view.book.best_ask
        price = bid if position.net > 0 else complement(ask) if ask is not None else None
        total += notional(price, Quantity(abs(position.net))) if price is not None else 0
    return Money(total)
