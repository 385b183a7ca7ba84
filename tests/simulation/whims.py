"""What nobody orders and no message carries: money moved by hand, corrections, and the venue's forgetfulness.

These bring about the rows of the table of differences that faults of the wire alone seldom reach.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import msgspec

from core.domain.units import Money, Price, Quantity
from core.sim import amending
from core.sim.contracts import MarketStatus
from core.sim.events import ExchangeEvent, MarketChanged
from core.sim.orders import BookSide, OrderRequest, TimeInForce
from tests.simulation.site import ACCOUNT, Site
from tests.simulation.truth import OURS, Truth

EVERY_S = (10.0, 60.0, 100_000.0, 100_000.0)
"""Mean pause between whims; a run draws one of them."""
RECORD_LATE_S = 20.0
LOT = 10_000


class Whims:
    """Strikes now and then until ``over``."""

    def __init__(self, site: Site, truth: Truth, rng: random.Random, loop: asyncio.AbstractEventLoop) -> None:
        self._site, self._truth, self._rng, self._loop = site, truth, rng, loop
        self._every_s = rng.choice(EVERY_S)
        self._forgot = False
        self.over = False
        self._kinds: tuple[Callable[[], None], ...] = (
            self._deposit,
            self._correct_fee,
            self._forget,
            self._oversell,
            self._decrease,
        )
        if rng.random() < 0.3:
            site.keep_quiet_about("settled")
            site.exchange.listeners.append(self._paid)

    def second(self) -> None:
        if not self.over and self._rng.random() < 1 / self._every_s:
            self._rng.choice(self._kinds)()

    def _deposit(self) -> None:
        """Money comes in that no trade explains."""
        amount = Money(self._rng.choice((1_000_000, 250_000_000)))
        self._truth.note(f"whim: deposit of {amount}")
        self._truth.deposited += amount
        self._site.exchange.deposit(ACCOUNT, amount)

    def _correct_fee(self) -> None:
        """The venue settles on another fee for a trade it has told of."""
        account = self._site.exchange.account(ACCOUNT)
        if not account.fills or not account.fills[-1].client_order_id.startswith(OURS):
            return
        fill, more = account.fills[-1], 10_000
        self._truth.note(f"whim: trade {fill.trade_id} costs {more} more")
        account.fills[-1] = msgspec.structs.replace(
            fill, fee=Money(fill.fee + more), balance_change=Money(fill.balance_change - more)
        )
        purse = account.purse(0)
        purse.cash = Money(purse.cash - more)

    def _forget(self) -> None:
        """An order is gone and the venue has never heard of it; once a run, for its market then waits."""
        exchange, account = self._site.exchange, self._site.exchange.account(ACCOUNT)
        ours = [o for o in account.working.values() if o.client_order_id.startswith(OURS) and not o.filled]
        if not ours or self._forgot:
            return
        self._forgot, order = True, self._rng.choice(ours)
        self._truth.note(f"whim: {order.client_order_id} is forgotten")
        self._truth.lie(order.client_order_id, order.ticker)
        with self._site.silently():
            exchange.cancel(ACCOUNT, order.order_id)
        account.finished.pop(order.order_id, None)

    def _decrease(self) -> None:
        """A hand on the web page makes one of the desk's orders smaller."""
        exchange = self._site.exchange
        ours = [
            order
            for order in exchange.account(ACCOUNT).working.values()
            if order.client_order_id.startswith(OURS) and order.remaining > LOT
        ]
        if ours:
            order = self._rng.choice(ours)
            self._truth.note(f"whim: {order.client_order_id} is made smaller by hand")
            amending.decrease(exchange, ACCOUNT, order.order_id, Quantity(order.remaining // 2 // LOT * LOT))

    def _oversell(self) -> None:
        """A hand on the web page sells more than is held and opens the other side."""
        exchange = self._site.exchange
        held = [
            (ticker, holding.position)
            for ticker, holding in exchange.account(ACCOUNT).holdings.items()
            if holding.position and exchange.markets[ticker].status is MarketStatus.ACTIVE
        ]
        if not held:
            return
        ticker, position = self._rng.choice(held)
        self._truth.note(f"whim: {position} of {ticker} are oversold by hand")
        side, price = (BookSide.ASK, Price(100)) if position > 0 else (BookSide.BID, Price(9_900))
        exchange.place(
            OrderRequest(
                ACCOUNT, ticker, side, price, Quantity(abs(position) + 2_000_000), TimeInForce.IOC,
                client_order_id=f"web-{self._rng.getrandbits(48)}",
            )
        )  # fmt: skip

    def _paid(self, event: ExchangeEvent) -> None:
        """A payout's record comes a while after the payout, and no message says that there was one."""
        if isinstance(event, MarketChanged) and event.kind == "settled":
            account = self._site.exchange.account(ACCOUNT)
            late = [record for record in account.settlements if record.ticker == event.ticker]
            for record in late:
                account.settlements.remove(record)
                self._loop.call_later(RECORD_LATE_S, account.settlements.append, record)
