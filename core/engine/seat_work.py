"""What runs for one seat: reading its markets and account at the start, then its watches, for ever.

Every seat goes this way on its own; a venue that does not answer stays where it is, and the others trade.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from core.domain.order import Life
from core.domain.units import Quantity
from core.engine.catalogue import Catalogue
from core.engine.desk import Desk
from core.engine.seat import Seat
from core.engine.seating import Listeners
from core.engine.workers import Work, Workers
from core.venues.venue import Incomplete, LinkState

CATALOGUE_S = 15.0
EXCHANGE_S = 5.0
MAINTENANCE_S = 600.0
QUEUE_S = 2.0
PAYOUTS_S = 60.0
RETRY_S = 1.0


class SeatWork:
    """``connect`` starts the streams, ``take`` goes on until the account has been read."""

    def __init__(
        self, desk: Desk, seat: Seat, hears: Listeners, catalogue: Catalogue, workers: Workers
    ) -> None:
        self._desk = desk
        self._seat = seat
        self._hears = hears
        self._catalogue = catalogue
        self._workers = workers

    def connect(self) -> None:
        self._keep("venue", self._seat.venue.run)
        self._keep("exchange state", self._watch_exchange)
        self._keep("maintenance", self._watch_maintenance)

    async def markets(self) -> None:
        """Until the venue's markets are on the desk and its stream is up."""
        await _until(self._markets_read, RETRY_S)
        await self._desk.pricing.reprice()
        await _until(self._connected, RETRY_S / 10)

    async def account(self) -> None:
        """Until the account has been read; from then on orders may leave."""
        await self._hears.safety.arm()
        await _until(self._account_read, RETRY_S)
        self._hears.venue.release()
        self._seat.ready = True

    def go_on(self) -> None:
        """What keeps a seat that is ready up to date."""
        seat = self._seat
        self._keep("reconcile", seat.reconciler.run)
        self._keep("catalogue", self._refresh_catalogue)
        self._keep("queue", self._watch_queue)
        self._keep("payouts", self._watch_payouts)
        self._keep("safety groups", self._hears.safety.keep_armed)
        if seat.traits.renews:
            self._workers.every(self._desk.seats.named(seat, "renewals"), 1.0, seat.renewals.tick)

    def _keep(self, name: str, work: Work) -> None:
        self._workers.keep(self._desk.seats.named(self._seat, name), work)

    async def _markets_read(self) -> bool:
        return not isinstance(await self._catalogue.refresh(self._seat), Incomplete)

    async def _connected(self) -> bool:
        return self._seat.link.state is LinkState.OK

    async def _account_read(self) -> bool:
        return (await self._seat.reconciler.once(startup=True)).complete

    async def _refresh_catalogue(self) -> None:
        while True:
            await asyncio.sleep(CATALOGUE_S)
            await self._catalogue.refresh(self._seat)

    async def _watch_exchange(self) -> None:
        seat = self._seat
        while True:
            found = await seat.venue.exchange_state()
            if not isinstance(found, Incomplete) and found.trading:
                seat.traded_ns = self._desk.clocks.mono_ns()
            if not isinstance(found, Incomplete) and found != seat.exchange:
                before, seat.exchange = seat.exchange, found
                if found.trading_active and before is not None and not before.trading_active:
                    seat.reopened_ns = self._desk.clocks.mono_ns()
                self._desk.state.touch_status()
            await asyncio.sleep(EXCHANGE_S)

    async def _watch_maintenance(self) -> None:
        while True:
            found = await self._seat.venue.maintenance()
            if not isinstance(found, Incomplete):
                self._seat.maintenance = found
            await asyncio.sleep(MAINTENANCE_S)

    async def _watch_payouts(self) -> None:
        """What waits to be paid out by hand."""
        seat = self._seat
        while True:
            found = await seat.venue.redeemable()
            if not isinstance(found, Incomplete):
                before, seat.redeemable = seat.redeemable, {waits.ticker: waits for waits in found}
                for ticker, _ in before.items() ^ seat.redeemable.items():
                    self._desk.ledger.changed_positions.touch(ticker)
            await asyncio.sleep(PAYOUTS_S)

    async def _watch_queue(self) -> None:
        """How many contracts stand before our resting orders."""
        seat, changed = self._seat, self._desk.ledger.changed_orders
        while True:
            await asyncio.sleep(QUEUE_S)
            resting = [o for o in seat.share.live.values() if o.life is Life.WORKING and o.order_id]
            tickers = sorted({o.intent.ticker for o in resting})
            found = await seat.venue.queue_ahead(tickers) if tickers else {}
            if isinstance(found, Incomplete):
                continue
            for order in resting:
                if found.get(order.order_id) != seat.queue_ahead.get(order.order_id):
                    changed.touch(order.intent.client_order_id)
            seat.queue_ahead = {order_id: Quantity(ahead) for order_id, ahead in found.items()}


async def _until(reached: Callable[[], Awaitable[bool]], pause_s: float) -> None:
    """Try until it works."""
    while True:
        if await reached():
            return
        await asyncio.sleep(pause_s)
