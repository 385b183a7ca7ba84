"""Money between shards and subaccounts. Kalshi API: exchange sharding, subaccounts.

Amounts: centi-cents ($0.0001) in a transfer between shards, cents between subaccounts, dollars in
what is read back.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from core.domain.units import Money
from core.sim.kalshi import bodies, shapes
from core.sim.kalshi.call import Answer, Call
from core.sim.kalshi.errors import forbidden, invalid_parameter, not_found
from core.sim.kalshi.shapes import Wire
from core.sim.orders import Refused
from core.sim.transfers import Allocation, Reservation, Transfer

CENTI_CENT = 100
"""In millionths of a dollar."""
CENT = 10_000

Amount = Annotated[int, msgspec.Meta(gt=0, le=10**15)]
Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]
Number = Annotated[int, msgspec.Meta(ge=0, le=63)]


class TransferBody(msgspec.Struct, frozen=True):
    source: Literal["event_contract"]
    destination: Literal["event_contract"]
    amount: Amount
    client_transfer_id: str = ""
    source_exchange_shard: int = 0
    destination_exchange_shard: int = 0
    source_subaccount: Number | None = None
    destination_subaccount: Number | None = None


class BetweenBody(msgspec.Struct, frozen=True):
    client_transfer_id: str
    from_subaccount: Number
    to_subaccount: Number
    amount_cents: Amount
    exchange_index: int = 0


class Share(msgspec.Struct, frozen=True):
    exchange_index: int
    percent: Percent


class AllocationBody(msgspec.Struct, frozen=True):
    allocations: list[Share]
    resting_margin_reservation: Reservation = Reservation.SUM


class SubaccountBody(msgspec.Struct, frozen=True):
    exchange_index: int = 0


def transfer(call: Call) -> Answer:
    """Between shards; a locked key moves money of its own subaccount alone."""
    body = bodies.read(call.body, TransferBody)
    lock = call.key.subaccount if call.key is not None else None
    if lock is not None and (body.source_subaccount, body.destination_subaccount) != (lock, lock):
        raise forbidden(f"this API key is restricted to subaccount {lock}")
    source, destination = call.numbered(body.source_subaccount), call.numbered(body.destination_subaccount)
    done = call.exchange.transfers.move(
        source, body.source_exchange_shard, destination, body.destination_exchange_shard,
        Money(body.amount * CENTI_CENT), body.client_transfer_id,
    )  # fmt: skip
    if isinstance(done, Refused):
        raise call.refusal(done)
    return Answer({"transfer_id": done.transfer_id})


def list_transfers(call: Call) -> Answer:
    rows = [of for of in reversed(_history(call)) if not _between_subaccounts(of)]
    shown, cursor = call.page(rows, lambda of: of.transfer_id, most=500, default=100)
    shape: Wire = {"transfers": [_transfer(of) for of in shown]}
    if cursor:
        shape["cursor"] = cursor
    return Answer(shape)


def one_transfer(call: Call) -> Answer:
    wanted = call.path["transfer_id"]
    found = next((of for of in _history(call) if of.transfer_id == wanted), None)
    if found is None or (found.arrived and call.exchange.dialect.finished_transfer_is_not_found):
        raise not_found("transfer")
    return Answer({"transfer": _transfer(found)})


def allocation(call: Call) -> Answer:
    found = call.exchange.transfers.allocations.get(call.member)
    shares = found.percents if found is not None else {}
    return Answer(
        {
            "allocations": [{"exchange_index": i, "percent": p} for i, p in shares.items()],
            "resting_margin_reservation": (found.reservation if found else Reservation.SUM).value,
        }
    )


def set_allocation(call: Call) -> Answer:
    """Replace the allocation; an empty one ends it."""
    body = bodies.read(call.body, AllocationBody)
    allocations = call.exchange.transfers.allocations
    if not body.allocations:
        allocations.pop(call.member, None)
        return allocation(call)
    percents = {share.exchange_index: share.percent for share in body.allocations}
    if len(percents) < len(body.allocations) or not percents.keys() <= call.exchange.shards.keys():
        raise invalid_parameter("allocations must name known exchange indexes, each once")
    if sum(percents.values()) != 100:
        raise invalid_parameter("percentages must total 100")
    allocations[call.member] = Allocation(percents, body.resting_margin_reservation)
    return allocation(call)


def open_subaccount(call: Call) -> Answer:
    bodies.read(call.body or b"{}", SubaccountBody)
    try:
        opened = call.exchange.open_subaccount(call.member)
    except ValueError as error:
        raise invalid_parameter(str(error)) from error
    return Answer({"subaccount_number": opened.number}, 201)


def between_subaccounts(call: Call) -> Answer:
    body = bodies.read(call.body, BetweenBody)
    source, destination = call.numbered(body.from_subaccount), call.numbered(body.to_subaccount)
    done = call.exchange.transfers.move(
        source, body.exchange_index, destination, body.exchange_index,
        Money(body.amount_cents * CENT), body.client_transfer_id,
    )  # fmt: skip
    if isinstance(done, Refused):
        raise call.refusal(done)
    return Answer({})


def list_between_subaccounts(call: Call) -> Answer:
    rows = [of for of in reversed(_history(call)) if _between_subaccounts(of)]
    shown, cursor = call.page(rows, lambda of: of.transfer_id, most=1000, default=100)
    return Answer({"transfers": [_between(of) for of in shown], "cursor": cursor})


def subaccount_balances(call: Call) -> Answer:
    """Of every subaccount and shard; a locked key sees its own."""
    now_s = call.venue.clock.wall_ms() // 1000
    rows = [
        {
            "subaccount_number": account.number,
            "exchange_index": index,
            "balance": shapes.dollars4(purse.available),
            "updated_ts": now_s,
        }
        for account in call.accounts()
        for index, purse in sorted(account.purses.items())
    ]
    return Answer({"subaccount_balances": rows})


def netting(call: Call) -> Answer:
    """Collateral return is off for everybody, as it is for a new account."""
    rows = [
        {"subaccount_number": account.number, "enabled": False, "exchange_index": index}
        for account in call.accounts()
        for index in sorted(account.purses)
    ]
    return Answer({"netting_configs": rows})


def _history(call: Call) -> list[Transfer]:
    return call.exchange.transfers.history.get(call.member, [])


def _between_subaccounts(of: Transfer) -> bool:
    return of.source_index == of.destination_index


def _transfer(of: Transfer) -> Wire:
    shape: Wire = {
        "transfer_id": of.transfer_id,
        "source": "event_contract",
        "destination": "event_contract",
        "source_exchange_shard": of.source_index,
        "destination_exchange_shard": of.destination_index,
        "amount": shapes.dollars4(of.amount),
        "status": "complete" if of.arrived else "pending",
        "created_ts": of.created_ms // 1000,
    }
    if of.client_transfer_id:
        shape["client_transfer_id"] = of.client_transfer_id
    return shape


def _between(of: Transfer) -> Wire:
    return {
        "transfer_id": of.transfer_id,
        "from_subaccount": of.source.number,
        "to_subaccount": of.destination.number,
        "amount_cents": of.amount // CENT,
        "created_ts": of.created_ms // 1000,
        "exchange_index": of.source_index,
    }
