"""The desk's seats by venue, and what is asked of all of them or of the one a market belongs to."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from core.domain.market import Venue
from core.domain.units import Money
from core.engine.seat import Seat
from core.engine.state import DeskState
from core.execution.ledger import Ledger
from core.risk.halts import GLOBAL, HaltScope, ScopeKind
from core.venues.venue import BookView


class Seats(dict[Venue, Seat]):
    """Filled once at start-up."""

    def __init__(self, state: DeskState, ledger: Ledger) -> None:
        super().__init__()
        self._state = state
        self._ledger = ledger

    # --- of a market ---------------------------------------------------------------------------

    def venue_of(self, ticker: str) -> Venue | None:
        """``None``: no venue has been heard to have it."""
        known = self._state.markets.get(ticker)
        if known is not None:
            return known.market.venue
        told = (
            seat.name for seat in self.values() if ticker in seat.redeemable or ticker in seat.reconciler.told
        )
        return self._ledger.venues.get(ticker) or next(told, None)

    def of(self, ticker: str) -> Seat:
        """The seat of a market somebody has told of; raises ``KeyError`` for any other."""
        venue = self.venue_of(ticker)
        if venue is None:
            raise KeyError(ticker)
        return self[venue]

    def book(self, ticker: str) -> BookView | None:
        venue = self.venue_of(ticker)
        return self[venue].venue.books.get(ticker) if venue is not None else None

    # --- of all --------------------------------------------------------------------------------

    def named(self, seat: Seat, text: str) -> str:
        """``text`` with the venue before it where there are several."""
        return text if len(self) == 1 else f"{seat.name.short} {text}"

    def under(self, scope: HaltScope) -> list[Seat]:
        """The seats a halt of this scope touches."""
        if scope == GLOBAL:
            return list(self.values())
        if scope.kind is ScopeKind.VENUE:
            return [seat for seat in self.values() if seat.scope == scope]
        if scope.kind is ScopeKind.MARKET:
            tickers: Collection[str] = (scope.name,)
        else:
            event = self._state.events.get(scope.name)
            tickers = event.markets if event is not None else ()
        return [seat for seat in self.values() if any(self.venue_of(t) is seat.name for t in tickers)]

    def cancel(self, clients: Iterable[str], reason: str) -> int:
        """Cancel these orders, wherever they rest, until each is proved dead; how many may still live."""
        wanted = tuple(clients)
        return sum(seat.gateway.cancel(wanted, reason) for seat in self.values())

    def cancelling(self, client: str) -> bool:
        """Whether an order is being cancelled already."""
        return any(seat.gateway.cancelling(client) for seat in self.values())

    def read(self, reason: str, *, doubt: bool = False) -> None:
        """Read every account soon."""
        for seat in self.values():
            seat.reconciler.request(reason, doubt=doubt)

    @property
    def halted(self) -> bool:
        """The flag every send looks at last."""
        return any(seat.gateway.halted for seat in self.values())

    @halted.setter
    def halted(self, halted: bool) -> None:
        for seat in self.values():
            seat.gateway.halted = halted

    def close(self) -> None:
        """The engine ends: nothing is sent any more. Cancels and look-ups go on."""
        for seat in self.values():
            seat.gateway.closed = True

    @property
    def cash(self) -> Money | None:
        """The cash of every account that was read, together; ``None`` before the first."""
        return _sum(seat.reconciler.cash for seat in self.values())

    @property
    def cash_base(self) -> Money | None:
        """The same without anything this journal's positions did to it."""
        return _sum(seat.reconciler.cash_base for seat in self.values())

    @property
    def read_ns(self) -> int | None:
        """When the account read longest ago was; ``None`` while one never was."""
        read = [seat.reconciler.read_ns for seat in self.values()]
        known = [at for at in read if at is not None]
        return min(known) if len(known) == len(read) else None

    @property
    def venue_net(self) -> dict[str, int]:
        """Net positions the venues report where they differ from ours, by ticker."""
        return {t: net for seat in self.values() for t, net in seat.reconciler.venue_net.items()}


def _sum(parts: Iterable[Money | None]) -> Money | None:
    known = [part for part in parts if part is not None]
    return Money(sum(known)) if known else None
