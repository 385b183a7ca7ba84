"""Money between shards and subaccounts of one member: transfers, and a standing allocation.

Kalshi API: exchange sharding, intra-exchange transfers, target balance allocation. A transfer leaves
at once and arrives later; between two subaccounts of one shard it arrives at once.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import msgspec

from core.domain.units import Money
from core.sim.accounts import Account, Purse
from core.sim.admission import INSUFFICIENT
from core.sim.orders import Reason, Refused

if TYPE_CHECKING:
    from core.sim.exchange import Exchange

ARRIVES_AFTER_MS = 800
REBALANCE_MS = 10_000

DUPLICATE = Refused("transfer_already_exists", "client_transfer_id was used before", http=409)
UNKNOWN = Refused("invalid_parameter", "invalid parameter", "unknown exchange shard or subaccount")
PAUSED = Refused("transfers_paused", "intra-exchange transfers are not active")


class Reservation(enum.Enum):
    """What a rebalance leaves behind for resting orders."""

    NONE = "none"
    MAX = "max"
    SUM = "sum"


class Allocation(msgspec.Struct, frozen=True):
    """Percent of the cash by shard, 100 in sum."""

    percents: dict[int, int]
    reservation: Reservation


class Transfer(msgspec.Struct):
    transfer_id: str
    client_transfer_id: str
    source: Account
    source_index: int
    destination: Account
    destination_index: int
    amount: Money
    created_ms: int
    arrived: bool = False


class Transfers:
    """Every member's transfers, oldest first, and allocations."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.history: dict[str, list[Transfer]] = {}
        self.allocations: dict[str, Allocation] = {}
        self._under_way: list[Transfer] = []
        self._rebalance_ms = 0

    @property
    def in_flight(self) -> Money:
        """What has left and not arrived."""
        return Money(sum(transfer.amount for transfer in self._under_way))

    def move(
        self,
        source: Account,
        source_index: int,
        destination: Account,
        destination_index: int,
        amount: Money,
        client_transfer_id: str = "",
    ) -> Transfer | Refused:
        """Take the money off its purse; refused where it is not there, or moved before under this id."""
        exchange, done = self._exchange, self.history.setdefault(source.member, [])
        if not {source_index, destination_index} <= exchange.shards.keys():
            return UNKNOWN
        if not all(exchange.shards[i].transfers_active for i in (source_index, destination_index)):
            return PAUSED
        if client_transfer_id and any(t.client_transfer_id == client_transfer_id for t in done):
            return DUPLICATE
        purse = source.purses.get(source_index, Purse())
        if purse.available < amount:
            return INSUFFICIENT
        transfer = Transfer(
            exchange.new_id(), client_transfer_id, source, source_index, destination, destination_index,
            amount, exchange.clock.wall_ms(),
        )  # fmt: skip
        purse.cash = Money(purse.cash - amount)
        done.append(transfer)
        self._under_way.append(transfer)
        if source_index == destination_index:
            self._arrive(transfer)
        return transfer

    def run(self, now_ms: int) -> None:
        """Bring in what is due; every ten seconds bring allocations about."""
        for transfer in [t for t in self._under_way if t.created_ms + ARRIVES_AFTER_MS <= now_ms]:
            self._arrive(transfer)
        if now_ms >= self._rebalance_ms:
            self._rebalance_ms = now_ms + REBALANCE_MS
            for member, allocation in self.allocations.items():
                self._rebalance(self._exchange.accounts[member], allocation)

    def _arrive(self, transfer: Transfer) -> None:
        self._under_way.remove(transfer)
        purse = transfer.destination.purse(transfer.destination_index)
        purse.cash, transfer.arrived = Money(purse.cash + transfer.amount), True

    def _rebalance(self, account: Account, allocation: Allocation) -> None:
        """Share out what may be swept; resting orders that lose their cover are cancelled."""
        kept = {index: self._kept(account, index, allocation.reservation) for index in self._exchange.shards}
        swept = sum(max(0, purse.cash - kept[index]) for index, purse in account.purses.items())
        left = swept
        for index, percent in sorted(allocation.percents.items(), key=lambda row: row[1]):
            share = swept * percent // 100 // account.grid * account.grid
            purse = account.purse(index)
            purse.cash = Money(min(purse.cash, kept[index]) + share)
            left -= share
        for index, purse in account.purses.items():
            if index not in allocation.percents:
                purse.cash = Money(min(purse.cash, kept[index]))
        # What the grid leaves over goes where most of it belongs.
        largest = account.purse(max(allocation.percents, key=lambda i: allocation.percents[i]))
        largest.cash = Money(largest.cash + left)
        self._cancel_uncovered(account)

    def _kept(self, account: Account, index: int, reservation: Reservation) -> int:
        markets = self._exchange.markets
        needed = [c for t, c in account.reserved_by.items() if markets[t].spec.exchange_index == index]
        match reservation:
            case Reservation.NONE:
                return 0
            case Reservation.MAX:
                return max(needed, default=0)
            case Reservation.SUM:
                return sum(needed)

    def _cancel_uncovered(self, account: Account) -> None:
        markets = self._exchange.markets
        for order in reversed(list(account.working.values())):
            index = markets[order.ticker].spec.exchange_index
            if account.purse(index).available < 0:
                markets[order.ticker].clock += 1
                self._exchange.withdraw(order, Reason.MARGIN)
