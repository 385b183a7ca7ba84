"""New orders, alone and in batches. HTTP 200 of a batch says nothing of its elements."""

from __future__ import annotations

import msgspec

from core.sim.polymarket import errors, intake
from core.sim.polymarket.call import Answer, Call
from core.sim.polymarket.errors import INVALID_PAYLOAD, WireError, bad
from core.sim.polymarket.intake import PostedOrder
from core.sim.polymarket.numbers import units_text
from core.sim.polymarket.orders import Refused
from core.sim.polymarket.shapes import Wire
from core.sim.polymarket.trading import Placed
from core.sim.requests import UnreadableError, decoded

BATCH_MAX = 15
TAKER_HOLD_MS = 250
"""How long a taker is held inside its request where a market holds takers; the docs say 150 or 250."""


def create(call: Call) -> Answer:
    return Answer(_answer(_place(call, _open(call, intake.posted(call.body)))))


def create_batch(call: Call) -> Answer:
    """An element that is refused says so in ``errorMsg``, and that it succeeded."""
    rows: list[Wire] = []
    for raw in _batch(call):
        try:
            rows.append(_answer(_place(call, _open(call, intake.posted(raw)))))
        except WireError as error:
            rows.append(_answer(None) | {"errorMsg": error.text})
    return Answer(rows)


def entries(body: bytes) -> int:
    """How many orders a body holds, for its price in tokens; one where it cannot be read."""
    try:
        return max(1, len(decoded(body, list[msgspec.Raw])))
    except UnreadableError:
        return 1


def all_post_only(body: bytes) -> bool:
    """Whether nothing in a body could take: what a venue fresh from a restart lets through."""
    try:
        raws = decoded(body, list[msgspec.Raw]) if body[:1] == b"[" else [msgspec.Raw(body)]
        return all(intake.posted(raw).post_only for raw in raws)
    except (UnreadableError, WireError):
        return False


def hold_ms(call: Call) -> int:
    """How long an order waits inside its request: marketable ones, where the market holds takers."""
    try:
        asked = intake.posted(call.body)
        market = call.exchange.tokens.get(asked.order.token_id)
        if market is None or not market.spec.holds_takers:
            return 0
        request = intake.admitted(call, _open(call, asked))
    except WireError:
        return 0
    return TAKER_HOLD_MS if call.exchange.crosses(request) else 0


def _batch(call: Call) -> list[msgspec.Raw]:
    raws = call.read(list[msgspec.Raw])
    if not raws:
        raise bad(INVALID_PAYLOAD)
    if len(raws) > BATCH_MAX:
        raise bad(f"Too many orders in payload: {len(raws)}, max allowed: {BATCH_MAX}")
    return raws


def _open(call: Call, asked: PostedOrder) -> PostedOrder:
    """The order, unless its sender may not trade from where it is."""
    if call.venue.geography.blocked:
        raise WireError(403, "Trading restricted in your region, please refer to available regions")
    return asked


def _place(call: Call, asked: PostedOrder) -> Placed:
    placed = call.exchange.place(intake.admitted(call, asked), was_held=call.held)
    if isinstance(placed, Refused):
        raise errors.refused(placed)
    return placed


def _answer(placed: Placed | None) -> Wire:
    """Amounts are dollars and shares as the order gives and takes them; hashes come with the trades."""
    made, taken, word, order_id = "", "", "", ""
    if placed is not None:
        word, order_id = placed.status, placed.order.order_id
        if word == "delayed":
            made = taken = "0"
        elif placed.shares:
            money, shares = units_text(placed.money), units_text(placed.shares)
            made, taken = (money, shares) if placed.order.buys else (shares, money)
    return {
        "success": True,
        "errorMsg": "",
        "orderID": order_id,
        "status": word,
        "makingAmount": made,
        "takingAmount": taken,
        "transactionsHashes": [],
        "tradeIDs": list(placed.trades) if placed is not None else [],
    }
