"""What must hold after every event of an order, checked in production and not only in tests.

Each check returns a sentence when it is broken. A broken invariant halts the order's market and
rings; it never ends the process, which must stay able to cancel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from core.domain.order import BookSide, Fill, Order, Purpose
from core.domain.position import Position, apply
from core.domain.units import Money, Quantity, quantity_text

if TYPE_CHECKING:
    from core.execution.ledger import Ledger


def position_is_sum_of_facts(ledger: Ledger, ticker: str) -> str | None:
    """P1: the net position is the signed sum of fills and adjustments, or nothing once settled."""
    net, expected = ledger.net(ticker), ledger.holdings.expected(ticker)
    return None if net == expected else f"P1 position {net} is not the sum of its facts {expected}"


def closes_are_covered(ledger: Ledger, ticker: str) -> str | None:
    """P3: what closes may still sell never exceeds what is held."""
    net = ledger.net(ticker)
    selling_yes, selling_no = ledger.closing(ticker, BookSide.ASK), ledger.closing(ticker, BookSide.BID)
    if selling_yes > max(0, net) or selling_no > max(0, -net):
        return f"P3 closes for {selling_yes} YES and {selling_no} NO against a position of {net}"
    return None


def trades_are_unique(ledger: Ledger, order: Order) -> str | None:
    """P2: each trade id is applied at most once."""
    ids = {fill.trade_id for fill in order.fills}
    return None if len(ids) == len(order.fills) else "P2 a trade id was applied twice"


def fills_within_order(ledger: Ledger, order: Order) -> str | None:
    """P4: no order fills beyond its size."""
    filled, whole = order.filled, order.quantity_max
    return None if filled <= whole else f"P4 filled {filled} of {whole}"


def live_orders_are_reserved(ledger: Ledger, order: Order) -> str | None:
    """P6: whatever may still fill is counted, whatever is counted may still fill."""
    counted = order.intent.client_order_id in ledger.live
    return None if counted == order.live else f"P6 {order.life.value} order counted as live: {counted}"


def order_has_its_row(ledger: Ledger, order: Order) -> str | None:
    """P11: no order without its intent in the journal."""
    return None if order.intent.client_order_id in ledger.rows else "P11 no intent row"


MARKET_CHECKS: tuple[Callable[[Ledger, str], str | None], ...] = (
    position_is_sum_of_facts,
    closes_are_covered,
)
ORDER_CHECKS: tuple[Callable[[Ledger, Order], str | None], ...] = (
    trades_are_unique,
    fills_within_order,
    live_orders_are_reserved,
    order_has_its_row,
)


def market_violations(ledger: Ledger, ticker: str) -> list[str]:
    """The sentences of every check that a market's last event broke."""
    return [text for check in MARKET_CHECKS if (text := check(ledger, ticker)) is not None]


def violations(ledger: Ledger, order: Order) -> list[str]:
    """The sentences of every check that ``order``'s last event broke, in itself or in its market."""
    own = [text for check in ORDER_CHECKS if (text := check(ledger, order)) is not None]
    return [*own, *market_violations(ledger, order.intent.ticker)]


def purpose_refusal(
    ledger: Ledger, ticker: str, side: BookSide, purpose: Purpose, quantity: Quantity, without: str = ""
) -> str | None:
    """Why an order would break P3 or let a position cross zero, ``None`` when it cannot.

    A close never exceeds what is held minus all closes that may still fill; an open of one side is
    refused while the other side is held, may still fill, or comes back if a close that is not settled fails.
    ``without`` names an order not to count.
    """
    net = ledger.net(ticker)
    if purpose is Purpose.CLOSE:
        holds = net > 0 if side is BookSide.ASK else net < 0
        closable = ledger.closable(ticker, without) if holds else Quantity(0)
        return None if quantity <= closable else f"only {quantity_text(closable)} contracts are free to close"
    if net * side.sign < 0:
        return "the other side of this market is held"
    if ledger.if_undone(ticker).net * side.sign < 0:
        return "what was closed of the other side is not settled yet"
    against = any(
        o.intent.side is side.opposite and o.intent.purpose is Purpose.OPEN for o in ledger.live_in(ticker)
    ) or any(r.side is side.opposite for r in ledger.externals_in(ticker))
    return "an order for the other side may still fill" if against else None


ROUNDING = 100
"""Micro-dollars by which a worst case may round differently from the fills it is compared with."""


def worst_case_covers(ledger: Ledger, ticker: str, worst: Money) -> str | None:
    """P8: whatever of the open orders fills (nothing, any one, all), no more than ``worst`` can be lost."""
    position = ledger.positions.get(ticker, Position())
    live = ledger.live_in(ticker)
    for filling in ([], *([order] for order in live), live):
        lost = _loss_after(position, filling)
        if lost > worst + ROUNDING:
            what = "nothing" if not filling else f"{len(filling)} of {len(live)} orders"
            return f"P8 {lost} may be lost if {what} fills, counted are {worst}"
    return None


def _loss_after(before: Position, orders: Sequence[Order]) -> int:
    """What can be lost from here on once these orders have filled at their limits, fees apart."""
    after = before
    for order in orders:
        intent = order.intent
        after = apply(
            after,
            Fill(
                "",
                intent.venue,
                intent.ticker,
                "",
                intent.side,
                intent.price,
                order.leaves,
                Money(0),
                False,
                0,
            ),
        )
    return int(after.cost) - int(after.realised - before.realised)
