"""What an HTTP answer to an order proves.

Its id is the hash we signed, so an answer about another order proves nothing of ours; and what does not
plainly say what happened leaves the order unresolved.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from core.domain.order import OrderIntent, Purpose, TimeInForce
from core.domain.text import clean_text
from core.domain.units import Quantity
from core.venues.http import Answer
from core.venues.polymarket.amounts import whole_lots
from core.venues.polymarket.errors import Meaning, Refusal, classify, refusal
from core.venues.retry import TABLE, Act, CallClass, Trouble
from core.venues.venue import Accepted, PlaceOutcome, Rejected, Sealed, Unresolved
from core.venues.wire import WireError, decode, quantity


class Expected(msgspec.Struct, frozen=True):
    """What an answer is read against."""

    order_id: str
    shares: Quantity
    buys: bool
    rests: bool
    """Whether what does not match at once stays on the book."""


class Read(msgspec.Struct, frozen=True):
    """An outcome, with the refusal behind it where there is one."""

    outcome: PlaceOutcome
    refusal: Refusal | None = None
    delayed: bool = False
    """The venue holds it and will match it later; until then it cannot be cancelled."""


class _Placed(msgspec.Struct, frozen=True):
    success: object = None
    errorMsg: object = None  # noqa: N815  # the venue's spelling, here and below
    error: object = None
    orderID: object = None  # noqa: N815
    status: object = None
    makingAmount: object = None  # noqa: N815
    takingAmount: object = None  # noqa: N815


_placed = msgspec.json.Decoder(_Placed)
_batch = msgspec.json.Decoder(list[msgspec.Raw])

_RESTING: Final = frozenset({"live", "unmatched", "delayed"})
_REFUSED: Final = 400
"""The status whose texts an element of a successful answer is read by."""


def expected(intent: OrderIntent, sealed: Sealed) -> Expected:
    buys = intent.purpose is Purpose.OPEN
    return Expected(
        order_id=sealed.order_id,
        shares=whole_lots(intent.quantity),
        buys=buys,
        rests=buys or intent.tif is TimeInForce.GTC,
    )


def placed(asked: Expected, answer: Answer, at_ms: int) -> Read:
    """The outcome of one order; ``at_ms`` is the venue's time as we know it, which it does not tell."""
    if not 200 <= answer.status < 300:
        return _refused(asked, refusal(answer.status, answer.body, answer.headers), answer.status, at_ms)
    return _element(asked, answer.body, answer.status, at_ms)


def placed_batch(asked: Sequence[Expected], answer: Answer, at_ms: int) -> tuple[Read, ...]:
    """One outcome an order. The answer names them in the order asked, and those it took by their ids."""
    if not 200 <= answer.status < 300:
        said = refusal(answer.status, answer.body, answer.headers)
        return tuple(_refused(one, said, answer.status, at_ms) for one in asked)
    try:
        rows = decode(answer.body, _batch, "batch answer")
    except WireError as error:
        return tuple(_unresolved(f"HTTP {answer.status}: {error}") for _ in asked)
    if len(rows) != len(asked):
        reason = f"{len(rows)} answers for {len(asked)} orders"
        return tuple(_unresolved(reason) for _ in asked)
    return tuple(_element(one, row, answer.status, at_ms) for one, row in zip(asked, rows, strict=True))


def _unresolved(reason: str) -> Read:
    return Read(Unresolved(reason))


def _element(asked: Expected, body: bytes | msgspec.Raw, status: int, at_ms: int) -> Read:
    try:
        made = decode(body, _placed, "order answer")
        text = _text(made.errorMsg) or _text(made.error)
        # Success and a text together are a rejection all the same.
        if text or made.success is False:
            return _refused(asked, classify(_REFUSED, text), status, at_ms)
        if made.orderID != asked.order_id:
            return _unresolved("the answer is about another order")
        return _matched(asked, made, at_ms)
    except WireError as error:
        return _unresolved(f"HTTP {status} without a readable order: {error}")


def _text(value: object) -> str:
    return clean_text(value) if isinstance(value, str) else ""


def _matched(asked: Expected, made: _Placed, at_ms: int) -> Read:
    """Raises ``WireError``."""
    state = made.status.lower() if isinstance(made.status, str) else ""
    if state not in _RESTING and state != "matched":
        return _unresolved(f"an order state nobody knows: {clean_text(state, 40) or 'none'}")
    text = made.takingAmount if asked.buys else made.makingAmount
    filled = quantity(text, "matched amount") if isinstance(text, str) and text else Quantity(0)
    if state == "matched" and not filled:
        return _unresolved("matched, but the answer does not say how much")
    rests = asked.rests or state == "delayed"
    remaining = Quantity(max(0, asked.shares - filled)) if rests else Quantity(0)
    said = state if state in ("delayed", "unmatched") else ""
    return Read(Accepted(asked.order_id, filled, remaining, at_ms, said), delayed=state == "delayed")


def _refused(asked: Expected, said: Refusal, status: int, at_ms: int) -> Read:
    if said.meaning is Meaning.KILLED:
        return Read(Accepted(asked.order_id, Quantity(0), Quantity(0), at_ms), said)
    if TABLE[CallClass.PLACE][said.trouble] is Act.REJECTED:
        return Read(Rejected(said.code, said.text), said)
    if said.trouble is Trouble.DUPLICATE:
        return Read(Unresolved("the venue knows this order already: look it up"), said)
    return Read(Unresolved(f"HTTP {status}: {said}"), said)
