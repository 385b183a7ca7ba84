"""What an HTTP answer to an order or a cancel proves.

Four outcomes and no fifth: an answer that does not plainly say what happened to the order leaves
it unresolved. Error bodies come in three JSON shapes and as HTML from the edge
(docs.kalshi.com API reference, errors).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from core.domain.text import clean_text
from core.venues.retry import TABLE, Act, CallClass, Trouble
from core.venues.venue import (
    Accepted,
    Cancelled,
    CancelOutcome,
    CancelUnresolved,
    Done,
    GroupOutcome,
    NotReduced,
    NotRenewed,
    NotThere,
    PlaceOutcome,
    Reduced,
    ReduceOutcome,
    ReduceUnresolved,
    Rejected,
    Renewed,
    RenewOutcome,
    RenewUnresolved,
    Unresolved,
)
from core.venues.wire import Name, WireError, decode, quantity, unix_ms

DUPLICATE: Final = "order_already_exists"
CLOCKS_DIFFER: Final = "header_timestamp_expired"


class Refusal(msgspec.Struct, frozen=True):
    """An error body reduced to its code and one line of text."""

    code: str
    text: str


class _ErrorBody(msgspec.Struct, frozen=True):
    error: object = None
    code: object = None
    message: object = None
    details: object = None


class _Created(msgspec.Struct, frozen=True):
    order_id: Name
    fill_count: str
    remaining_count: str
    ts_ms: int
    client_order_id: object = None


class _Amended(msgspec.Struct, frozen=True):
    order_id: Name


class _CancelledBody(msgspec.Struct, frozen=True):
    order_id: Name
    reduced_by: str
    error: object = None


class _BatchBody(msgspec.Struct, frozen=True):
    orders: list[msgspec.Raw]


class _Leg(msgspec.Struct, frozen=True):
    client_order_id: Name
    error: object = None


class _Decreased(msgspec.Struct, frozen=True):
    order_id: Name
    remaining_count: str
    ts_ms: int


_errors = msgspec.json.Decoder(_ErrorBody)
_created = msgspec.json.Decoder(_Created)
_amended = msgspec.json.Decoder(_Amended)
_cancelled = msgspec.json.Decoder(_CancelledBody)
_leg = msgspec.json.Decoder(_Leg)
_decreased = msgspec.json.Decoder(_Decreased)
_batch = msgspec.json.Decoder(_BatchBody)


def refusal(body: bytes) -> Refusal:
    """Code and text of an error body of any shape; an empty code when it names none."""
    try:
        flat = decode(body, _errors, "error body")
    except WireError:
        return Refusal("", clean_text(body[:800].decode("utf-8", "replace")) or "empty body")
    if isinstance(flat.error, str):
        return Refusal("", clean_text(flat.error))
    return (
        _nested(flat.error) if isinstance(flat.error, dict) else _parts(flat.code, flat.message, flat.details)
    )


def _nested(error: dict[str, object]) -> Refusal:
    return _parts(error.get("code"), error.get("message"), error.get("details"))


def _parts(code: object, message: object, details: object) -> Refusal:
    said = [clean_text(part, 120) for part in (message, details) if isinstance(part, str) and part]
    return Refusal(clean_text(code, 60) if isinstance(code, str) else "", ": ".join(said) or "no text")


def trouble_of(status: int, said: Refusal) -> Trouble:
    """Which column of the retry table an answer that is no success belongs to."""
    if status == 429:
        return Trouble.THROTTLED
    if status == 409 and said.code in ("", DUPLICATE):
        return Trouble.DUPLICATE
    if said.code == CLOCKS_DIFFER:
        return Trouble.CLOCK
    if status == 401 or (status == 403 and said.code):
        return Trouble.CREDENTIAL
    return Trouble.REFUSED if 400 <= status < 500 and status != 408 else Trouble.UNANSWERED


def place_outcome(
    client_order_id: str, status: int, body: bytes, calls: CallClass = CallClass.PLACE
) -> PlaceOutcome:
    """What the answer to a create proves about the order. One that names another order proves nothing:
    the venue has mixed them up before."""
    if 200 <= status < 300:
        try:
            return _accepted(body, client_order_id)
        except WireError as error:
            return Unresolved(f"HTTP {status} without a readable order: {error}")
    return _refused(status, refusal(body), calls)


def _accepted(body: bytes | msgspec.Raw, client_order_id: str) -> Accepted:
    """Raises ``WireError``."""
    made = decode(body, _created, "create answer")
    if made.client_order_id not in (None, "", client_order_id):
        raise WireError("create answer: it names another order")
    return Accepted(
        made.order_id,
        quantity(made.fill_count, "fill_count"),
        quantity(made.remaining_count, "remaining_count"),
        unix_ms(made.ts_ms, "ts_ms"),
    )


def _refused(status: int, said: Refusal, calls: CallClass) -> Rejected | Unresolved:
    trouble = trouble_of(status, said)
    if TABLE[calls][trouble] is Act.REJECTED:
        return Rejected(said.code or f"http_{status}", said.text)
    if trouble is Trouble.DUPLICATE:
        known = "duplicate id" if said.code else "a conflict without a code may mean that the order exists"
        return Unresolved(f"{known}: look it up")
    return Unresolved(f"HTTP {status}: {said.code or said.text}")


def batch_place_outcomes(
    client_order_ids: Sequence[str], status: int, body: bytes
) -> tuple[PlaceOutcome, ...]:
    """One outcome an order, matched by client order id: a leg that is not there, is there twice or cannot
    be read proves nothing."""
    if not 200 <= status < 300:
        said = _refused(status, refusal(body), CallClass.PLACE)
        return tuple(said for _ in client_order_ids)
    found: dict[str, PlaceOutcome] = {}
    try:
        rows = decode(body, _batch, "batch answer").orders
    except WireError as error:
        return tuple(Unresolved(f"HTTP {status}: {error}") for _ in client_order_ids)
    for raw in rows:
        try:
            leg = decode(raw, _leg, "batch leg")
        except WireError:
            continue
        again = leg.client_order_id in found
        found[leg.client_order_id] = (
            Unresolved("named twice in the answer") if again else _leg_outcome(leg, raw)
        )
    missing = Unresolved("not mentioned in the answer")
    return tuple(found.get(client_order_id, missing) for client_order_id in client_order_ids)


def _leg_outcome(leg: _Leg, raw: msgspec.Raw) -> PlaceOutcome:
    if isinstance(leg.error, dict):
        said = _nested(leg.error)
        if not said.code:
            return Unresolved("an error without a code")
        return _refused(409 if said.code == DUPLICATE else 400, said, CallClass.PLACE)
    if leg.error is not None:
        return Unresolved("unreadable error entry")
    try:
        return _accepted(raw, leg.client_order_id)
    except WireError as error:
        return Unresolved(str(error))


def reduce_outcome(order_id: str, status: int, body: bytes) -> ReduceOutcome:
    """What the answer to a decrease proves."""
    if 200 <= status < 300:
        try:
            made = decode(body, _decreased, "decrease answer")
            if made.order_id != order_id:
                return ReduceUnresolved(order_id, "the answer names another order")
            remaining = quantity(made.remaining_count, "remaining_count")
            return Reduced(order_id, remaining, unix_ms(made.ts_ms, "ts_ms"))
        except WireError as error:
            return ReduceUnresolved(order_id, f"HTTP {status}: {error}")
    said = _refused(status, refusal(body), CallClass.AMEND)
    if isinstance(said, Rejected):
        return NotReduced(order_id, said.code)
    return ReduceUnresolved(order_id, said.reason)


def renew_outcome(order_id: str, expires_ms: int, status: int, body: bytes) -> RenewOutcome:
    """What the answer to an amendment that moves the expiry to ``expires_ms`` proves."""
    if 200 <= status < 300:
        try:
            named = decode(body, _amended, "amend answer").order_id
        except WireError as error:
            return RenewUnresolved(order_id, f"HTTP {status}: {error}")
        if named != order_id:
            return RenewUnresolved(order_id, "the answer names another order")
        return Renewed(order_id, expires_ms)
    said = refusal(body)
    if 400 <= status < 500 and status not in (408, 409):
        return NotRenewed(order_id, said.code or f"http_{status}")
    return RenewUnresolved(order_id, f"HTTP {status}: {said.code or said.text}")


def group_outcome(status: int, body: bytes) -> GroupOutcome:
    """What the answer to a call about a group, or to cancel-all, proves. Only a group that is not there
    ends the attempts: anything else may pass."""
    if 200 <= status < 300:
        return Done()
    said = refusal(body)
    if status == 404:
        return Rejected(said.code or "not_found", said.text)
    return Unresolved(f"HTTP {status}: {said.code or said.text}")


def cancel_outcome(order_id: str, status: int, body: bytes) -> CancelOutcome:
    """What the answer to a single cancel proves."""
    if 200 <= status < 300:
        try:
            return _cancelled_entry(order_id, decode(body, _cancelled, "cancel answer"))
        except WireError as error:
            return CancelUnresolved(order_id, f"HTTP {status}: {error}")
    said = refusal(body)
    if status == 404:
        return NotThere(order_id, said.code or "not_found")
    return CancelUnresolved(order_id, f"HTTP {status}: {said.code or said.text}")


def _cancelled_entry(order_id: str, entry: _CancelledBody) -> CancelOutcome:
    if isinstance(entry.error, dict):
        said = _nested(entry.error)
        if "not_found" in said.code:
            return NotThere(order_id, said.code)
        return CancelUnresolved(order_id, said.code or said.text)
    if entry.error is not None:
        return CancelUnresolved(order_id, "unreadable error entry")
    if entry.order_id != order_id:
        return CancelUnresolved(order_id, "the answer names another order")
    return Cancelled(order_id, quantity(entry.reduced_by, "reduced_by"))


def batch_cancel_outcomes(order_ids: Sequence[str], status: int, body: bytes) -> tuple[CancelOutcome, ...]:
    """One outcome an order, matched by id: one not mentioned, or mentioned twice, is unresolved."""
    if not 200 <= status < 300:
        said = refusal(body)
        reason = f"HTTP {status}: {said.code or said.text}"
        return tuple(CancelUnresolved(order_id, reason) for order_id in order_ids)
    found: dict[str, CancelOutcome] = {}
    try:
        for raw in decode(body, _batch, "batch cancel answer").orders:
            try:
                entry = decode(raw, _cancelled, "batch cancel entry")
                said_of = entry.order_id
                again = CancelUnresolved(said_of, "named twice in the answer")
                found[said_of] = again if said_of in found else _cancelled_entry(said_of, entry)
            except WireError:
                continue
    except WireError as error:
        return tuple(CancelUnresolved(order_id, f"HTTP {status}: {error}") for order_id in order_ids)
    return tuple(
        found.get(order_id, CancelUnresolved(order_id, "not mentioned in the answer"))
        for order_id in order_ids
    )
