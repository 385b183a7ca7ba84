"""Reads of an account that lag behind its writes: each account as it was some time ago.

Kalshi API: user data timestamp. Costs nothing where there is no lag.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import msgspec

from core.domain.units import Money
from core.sim.accounts import Account, Purse, requirement
from core.sim.events import ExchangeEvent, Filled, MarketChanged, OrderChanged

if TYPE_CHECKING:
    from core.sim.exchange import Exchange


class Lag:
    """How far reads lag, by the exchange's dialect. Changes by transfer show at once."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._ms = exchange.dialect.reads_lag_ms
        self._kept: dict[str, deque[tuple[int, Account]]] = {}
        if self._ms:
            exchange.listeners.append(self._on_event)
            for name in exchange.accounts:
                self._keep(name)

    def as_of_ms(self) -> int:
        """The moment reads are about."""
        return self._exchange.clock.wall_ms() - self._ms

    def seen(self, account: Account) -> Account:
        """The account as reads show it. Whoever holds it does not change it."""
        if not self._ms:
            return account
        if account.name not in self._kept:
            self._keep(account.name)
        kept, as_of_ms = self._kept[account.name], self.as_of_ms()
        while len(kept) > 1 and kept[1][0] <= as_of_ms:
            kept.popleft()
        # Nothing has happened since: the account itself is what is seen.
        return kept[0][1] if len(kept) > 1 else account

    def _on_event(self, event: ExchangeEvent) -> None:
        match event:
            case OrderChanged() | Filled():
                self._keep(event.account)
            case MarketChanged(kind="settled"):
                for name, account in self._exchange.accounts.items():
                    if event.ticker in account.holdings:
                        self._keep(name)

    def _keep(self, name: str) -> None:
        now_ms, kept = self._exchange.clock.wall_ms(), self._kept.setdefault(name, deque())
        if kept and kept[-1][0] == now_ms:
            kept.pop()
        kept.append((now_ms, self._copy(self._exchange.accounts[name])))

    def _copy(self, account: Account) -> Account:
        working = {order_id: msgspec.structs.replace(order) for order_id, order in account.working.items()}
        copy = msgspec.structs.replace(
            account,
            purses={index: Purse(purse.cash) for index, purse in account.purses.items()},
            reserved_by={},
            holdings={t: msgspec.structs.replace(held) for t, held in account.holdings.items()},
            open_orders={},
            working={},
            finished=dict(account.finished),
            fills=account.fills.copy(),
            settlements=account.settlements.copy(),
        )
        for order in working.values():
            copy.rest(order)
        # What is set aside follows from the orders; the account's own figure comes after the event.
        for ticker in copy.open_orders:
            needed = requirement(copy, ticker, self._exchange.fees_of(ticker))
            index = self._exchange.markets[ticker].spec.exchange_index
            copy.set_reserved(index, ticker, Money(needed))
        return copy
