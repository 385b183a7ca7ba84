"""The account line by line: each order, position and the cash as we have it and as the venue said it last."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping

import msgspec

from core.domain.order import Life
from core.domain.units import Money, Quantity, money_text, quantity_text
from core.execution.differences import About, Difference, Key
from core.execution.share import Share
from core.venues.venue import OrderReport


class CashSaid(msgspec.Struct, frozen=True):
    """What the venue should say, and what it said."""

    ours: Money
    theirs: Money
    same: bool
    """To within what rounding makes."""
    explained: bool
    """The same, or what is open accounts for the rest."""


class Said(msgspec.Struct, frozen=True):
    """What the venue said in its last complete lists."""

    orders: Mapping[str, OrderReport] = {}
    """Resting there, by its order id."""
    positions: Mapping[str, int] = {}
    """Net by ticker."""
    cash: CashSaid | None = None
    """``None`` before it was read, and while nothing is known to count from."""


class Agreement(enum.Enum):
    AGREES = "agrees"
    EXPLAINED = "explained"
    """Of the cash: not the same, and open orders, payouts to be fetched and unsettled trades are the rest."""
    DIFFERS = "differs"
    """It stands in the table of differences."""
    MOVED = "moved"
    """Something happened on either side since the list was read; the next one decides."""
    UNKNOWN = "unknown"
    """Of an order: it is being looked for."""
    EXTERNAL = "external"
    """Of an order: not placed here."""


class AccountLine(msgspec.Struct, frozen=True):
    """Both sides in words."""

    key: Key
    ours: str
    theirs: str
    agreement: Agreement


def account_lines(share: Share, said: Said, standing: Mapping[Key, Difference]) -> Iterator[AccountLine]:
    """Cash first, then positions and orders."""
    if (cash := said.cash) is not None:
        found = _line(
            Key(About.CASH), money_text(cash.ours), money_text(cash.theirs), cash.explained, standing
        )
        rest = found.agreement is Agreement.AGREES and not cash.same
        yield msgspec.structs.replace(found, agreement=Agreement.EXPLAINED) if rest else found
    held = {ticker: int(position.net) for ticker, position in share.held.items()}
    for ticker in sorted(held.keys() | {ticker for ticker, net in said.positions.items() if net}):
        ours, theirs = held.get(ticker, 0), said.positions.get(ticker, 0)
        yield _line(
            Key(About.POSITION, ticker), _contracts(ours), _contracts(theirs), ours == theirs, standing
        )
    yield from _orders(share, said.orders, standing)


def _orders(
    share: Share, resting: Mapping[str, OrderReport], standing: Mapping[Key, Difference]
) -> Iterator[AccountLine]:
    for client, order in share.live.items():
        key, report = Key(About.ORDER, order.intent.ticker, client), resting.get(order.order_id)
        ours = f"{order.life.value} {_contracts(order.leaves)}"
        theirs = "not listed" if report is None else f"resting {_contracts(report.remaining)}"
        if order.life is Life.UNKNOWN and key not in standing:
            yield AccountLine(key, ours, theirs, Agreement.UNKNOWN)
        else:
            same = report is not None and report.remaining == order.leaves
            yield _line(key, ours, theirs, same, standing)
    for order_id, report in resting.items():
        if order_id in share.externals:
            theirs = f"resting {_contracts(report.remaining)}"
            key = Key(About.ORDER, report.ticker, order_id)
            yield AccountLine(key, "not ours", theirs, Agreement.EXTERNAL)


def _line(key: Key, ours: str, theirs: str, same: bool, standing: Mapping[Key, Difference]) -> AccountLine:
    agreement = Agreement.AGREES if same else Agreement.MOVED
    return AccountLine(key, ours, theirs, Agreement.DIFFERS if key in standing else agreement)


def _contracts(count: int) -> str:
    return quantity_text(Quantity(count))
