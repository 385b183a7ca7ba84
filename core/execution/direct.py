"""A flatten without an engine or a journal: cancel the account, then sell what the venue says is held.

For the hour in which the engine is gone or does not answer. It knows nothing but the venue's own
lists: everything of the account is cancelled first and proved gone, then each position is sold in
reduce-only, immediate slices, which the venue itself never lets sell more than is held. An answer that
does not come is looked up before the next slice leaves. Flat is said after two complete readings.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Protocol

import msgspec

from core.domain.book import Book
from core.domain.clock import Clocks
from core.domain.market import Market
from core.domain.order import OURS, OrderIntent
from core.domain.units import Money, Price, Quantity, quantity_text
from core.execution.exits import BLIND_READS, NoExit, blind_slice, next_slice
from core.execution.gateway import Rng
from core.execution.leaving import MARKET_BUDGET_S, REFUSED_PAUSE_S, SLICE_PAUSE_S, SLICES_MAX, VERIFY_PAUSE_S
from core.strategy.proposal import Candidate
from core.venues.exchange import ExchangeState
from core.venues.strike import CancelOnly, strike
from core.venues.venue import (
    Accepted,
    BookView,
    Incomplete,
    LastCheck,
    OrderReport,
    PlaceOutcome,
    PositionReport,
    Rejected,
    Sealed,
    Unresolved,
)

ROUNDS = 3
"""So often what is still held after the exits is sold again: lists lag behind fills."""
READ_AGAIN_S = 1.0
PAUSED_S = 5.0
LOOKUPS_S = (0.3, 0.7, 1.0, 1.0)
"""Pauses before the look-ups of an unanswered exit; then the position itself says what it did."""
SKEW_MS = 10_000
SETTLE_S = 30.0
"""So long is waited after the exits, where trades settle later, before what is left is counted."""


class DirectVenue(CancelOnly, Protocol):
    """The account over plain requests, without a stream."""

    unable: str
    """Why everything can be cancelled there but nothing sold; empty when it can."""

    async def positions(self) -> tuple[PositionReport, ...] | Incomplete:
        """What is held and can be sold now."""
        ...

    async def settling(self) -> frozenset[str] | Incomplete:
        """Markets in which a trade of ours has not reached the account yet."""
        ...

    async def orders(self, ticker: str, since_ms: int) -> tuple[OrderReport, ...] | Incomplete: ...

    async def exchange_state(self) -> ExchangeState | Incomplete: ...

    async def market(self, ticker: str) -> Market | Incomplete: ...

    async def book(self, known: Market) -> Book | Incomplete: ...

    async def last_price(self, ticker: str) -> Price | Incomplete | None: ...

    async def order(self, order_id: str) -> OrderReport | Incomplete | None: ...

    def seal(self, intent: OrderIntent) -> Sealed | Rejected: ...

    async def place(
        self, intent: OrderIntent, sealed: Sealed, shard: int, last_check: LastCheck
    ) -> PlaceOutcome: ...


class Ended(msgspec.Struct, frozen=True):
    """How it ended; ``residue`` names each market that is not flat."""

    sold: Quantity
    exits: int
    residue: dict[str, str]

    def __str__(self) -> str:
        summary = f"{quantity_text(self.sold)} contracts sold in {self.exits} exits"
        if self.residue:
            named = "; ".join(f"{ticker}: {why}" for ticker, why in sorted(self.residue.items()))
            return f"NOT FLAT, {named}. {summary}"
        return f"FLAT, confirmed twice by the venue. {summary}"


class Direct:
    """One run. ``tell`` prints a line for the operator."""

    def __init__(
        self,
        venue: DirectVenue,
        clocks: Clocks,
        rng: Rng,
        run: str,
        tell: Callable[[str], None],
        *,
        urgent: bool = False,
    ) -> None:
        self._venue = venue
        self._clocks = clocks
        self._rng = rng
        self._run = run
        self._tell = tell
        self._urgent = urgent
        self._sent = 0
        self._sold = 0
        self._exits = 0
        self._rest: int | None = -1
        self._why: dict[str, str] = {}
        self._unread: Counter[str] = Counter()
        """Readings of a book in a row that failed, by ticker."""

    async def cancel(self) -> None:
        """Cancel everything of the account; returns once the venue shows nothing."""
        self._tell("cancelling every order of the account")
        self._tell(str(await strike(self._venue, {}, self._clocks.mono_ns, self._resting)))

    async def flatten(self) -> Ended:
        """Cancel everything, sell everything, prove it."""
        await self.cancel()
        residue: dict[str, str] = {}
        for _ in range(ROUNDS):
            held = await self._held()
            await asyncio.gather(*(self._leave(ticker, net) for ticker, net in held.items()))
            await self._settle()
            residue = await self._verify()
            if not residue or residue.keys() <= self._why.keys():
                break
        named = {t: ", ".join(filter(None, (what, self._why.get(t)))) for t, what in residue.items()}
        return Ended(Quantity(self._sold), self._exits, named)

    def _resting(self, count: int | None) -> None:
        if count != self._rest:
            self._rest = count
            self._tell("the account cannot be read yet" if count is None else f"{count} orders rest")

    # --- selling -------------------------------------------------------------------------------

    async def _leave(self, ticker: str, net: int) -> None:
        """Sell one market until nothing is left, it cannot be sold, or its time is up."""
        known = await self._venue.market(ticker)
        if isinstance(known, Incomplete):
            self._say(ticker, f"{known.what} cannot be read: {known.reason}")
            return
        deadline_ns = self._clocks.mono_ns() + int(MARKET_BUDGET_S * 1e9)
        slices = empty = 0
        while net and slices < SLICES_MAX and self._clocks.mono_ns() < deadline_ns:
            waited_ns = await self._wait_open(ticker, known.shard)
            if waited_ns:
                deadline_ns += waited_ns
                continue
            wanted = await self._slice(known, Quantity(net), empty)
            if isinstance(wanted, NoExit):
                self._say(ticker, wanted.reason)
                if wanted.final:
                    return
                await asyncio.sleep(READ_AGAIN_S)
                continue
            slices += 1
            filled = await self._send(wanted, known.shard)
            if filled is None:  # only the venue's own count knows what it did
                net = (await self._held()).get(ticker, 0)
                continue
            empty = 0 if filled else empty + 1
            net -= filled if net > 0 else -filled
            await asyncio.sleep(SLICE_PAUSE_S)
        if net:
            self._why.setdefault(ticker, f"not sold in {slices} exits")
        else:
            self._why.pop(ticker, None)

    async def _slice(self, known: Market, net: Quantity, empty: int) -> Candidate | NoExit:
        book = await self._venue.book(known)
        if isinstance(book, Incomplete):
            unread = f"{book.what} cannot be read: {book.reason}"
            self._unread[known.ticker] += 1
            if self._unread[known.ticker] < BLIND_READS:
                return NoExit(unread)
            last = await self._venue.last_price(known.ticker)
            if last is None or isinstance(last, Incomplete):
                return NoExit(unread)
            return blind_slice(known, last, net, Quantity(abs(net)))
        del self._unread[known.ticker]
        view = BookView(book, intact=True)
        return next_slice(known, view, net, Quantity(abs(net)), empty, urgent=self._urgent)

    async def _wait_open(self, ticker: str, shard: int) -> int:
        """How long was waited because the venue takes no orders, in nanoseconds."""
        state = await self._venue.exchange_state()
        if isinstance(state, Incomplete) or state.trades(shard) is not False:
            return 0
        self._say(ticker, f"the venue takes no orders: {state.words}")
        began = self._clocks.mono_ns()
        await asyncio.sleep(PAUSED_S)
        return self._clocks.mono_ns() - began

    async def _send(self, wanted: Candidate, shard: int) -> Quantity | None:
        """What one exit sold; ``None`` when nobody can say."""
        intent = self._intent(wanted)
        sealed = self._venue.seal(intent)
        if isinstance(sealed, Rejected):
            self._say(wanted.ticker, f"an exit cannot be built: {sealed.text or sealed.code}")
            await asyncio.sleep(REFUSED_PAUSE_S)
            return Quantity(0)
        outcome = await self._venue.place(intent, sealed, shard, lambda: None)
        self._exits += 1
        match outcome:
            case Accepted(filled=filled):
                sold: Quantity | None = filled
            case Unresolved():
                sold = await self._look_up(intent, sealed)
            case Rejected(code=code):
                self._say(wanted.ticker, f"an exit was refused: {code}")
                await asyncio.sleep(REFUSED_PAUSE_S)
                # Where trades settle later a refusal may be about what is still on its way.
                return None if self._venue.traits.settles_later else Quantity(0)
            case _:
                return Quantity(0)
        if sold:
            self._sold += sold
            self._tell(f"{wanted.ticker}: sold {quantity_text(sold)} of {quantity_text(wanted.quantity)}")
        return sold

    async def _look_up(self, intent: OrderIntent, sealed: Sealed) -> Quantity | None:
        for pause in LOOKUPS_S:
            await asyncio.sleep(pause)
            if sealed.order_id:
                found = await self._venue.order(sealed.order_id)
                if isinstance(found, OrderReport):
                    return found.filled
                continue
            listed = await self._venue.orders(intent.ticker, intent.created_ms - SKEW_MS)
            if isinstance(listed, Incomplete):
                continue
            for report in listed:
                if report.client_order_id == intent.client_order_id:
                    return report.filled
        return None

    def _intent(self, wanted: Candidate) -> OrderIntent:
        self._sent += 1
        return OrderIntent(
            client_order_id=f"{OURS}{self._run}-{self._sent:04d}-{self._rng.getrandbits(48):012x}",
            venue=self._venue.traits.venue,
            ticker=wanted.ticker,
            side=wanted.side,
            purpose=wanted.purpose,
            price=wanted.price,
            quantity=wanted.quantity,
            tif=wanted.tif,
            post_only=False,
            reduce_only=True,
            expires_ms=None,
            created_ms=self._clocks.wall_ms(),
            reserved=Money(0),
            strategy="flatten",
        )

    # --- reading -------------------------------------------------------------------------------

    async def _held(self) -> dict[str, int]:
        """What the venue says is held; asked until it answers in full."""
        while True:
            found = await self._venue.positions()
            if not isinstance(found, Incomplete):
                return {report.ticker: int(report.net) for report in found if report.net}
            self._tell(f"{found.what} cannot be read yet: {found.reason}")
            await asyncio.sleep(READ_AGAIN_S)

    async def _settle(self) -> None:
        """Wait until every trade has reached the account, or for as long as that is worth."""
        deadline_ns = self._clocks.mono_ns() + int(SETTLE_S * 1e9)
        told = False
        while self._clocks.mono_ns() < deadline_ns:
            moving = await self._venue.settling()
            if not moving:
                return
            if not told:
                told = True
                self._tell("waiting until what was traded is settled")
            await asyncio.sleep(READ_AGAIN_S)

    async def _verify(self) -> dict[str, str]:
        """What either of two complete readings still shows."""
        left: dict[str, str] = {}
        for _ in range(2):
            await asyncio.sleep(VERIFY_PAUSE_S)
            held = await self._held()
            left |= {t: f"{quantity_text(Quantity(abs(n)))} contracts held" for t, n in held.items()}
            resting, moving = await self._venue.resting(), await self._venue.settling()
            if isinstance(resting, Incomplete) or isinstance(moving, Incomplete):
                left["venue"] = "could not be read completely"
            else:
                left |= {report.ticker: "an order rests" for report in resting}
                left |= dict.fromkeys(moving, "a trade is not settled yet")
        return left

    def _say(self, ticker: str, why: str) -> None:
        if self._why.get(ticker) != why:
            self._why[ticker] = why
            self._tell(f"{ticker}: {why}")
