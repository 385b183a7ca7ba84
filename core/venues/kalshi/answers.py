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
from core.venues.kalshi.wire import Name, WireError, decode, quantity
from core.venues.venue import (
    Accepted,
    Cancelled,
    CancelOutcome,
    CancelUnresolved,
    Done,
    GroupOutcome,
    NotRenewed,
    NotThere,
    PlaceOutcome,
    Rejected,
    Renewed,
    RenewOutcome,
    RenewUnresolved,
    Unresolved,
)

DUPLICATE: Final = "order_already_exists"


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


class _Amended(msgspec.Struct, frozen=True):
    order_id: Name


class _CancelledBody(msgspec.Struct, frozen=True):
    order_id: Name
    reduced_by: str
    error: object = None


class _BatchBody(msgspec.Struct, frozen=True):
    orders: list[msgspec.Raw]


_errors = msgspec.json.Decoder(_ErrorBody)
_created = msgspec.json.Decoder(_Created)
_amended = msgspec.json.Decoder(_Amended)
_cancelled = msgspec.json.Decoder(_CancelledBody)
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


def place_outcome(status: int, body: bytes) -> PlaceOutcome:
    """What the answer to a create proves about the order."""
    if 200 <= status < 300:
        try:
            made = decode(body, _created, "create answer")
            return Accepted(
                made.order_id,
                quantity(made.fill_count, "fill_count"),
                quantity(made.remaining_count, "remaining_count"),
                made.ts_ms,
            )
        except WireError as error:
            return Unresolved(f"HTTP {status} without a readable order: {error}")
    said = refusal(body)
    if status == 409 and said.code == DUPLICATE:
        return Unresolved("duplicate id: look it up")
    if status == 409 and not said.code:
        return Unresolved("a conflict without a code may mean that the order exists: look it up")
    if 400 <= status < 500 and status != 408:
        return Rejected(said.code or f"http_{status}", said.text)
    return Unresolved(f"HTTP {status}: {said.code or said.text}")


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
    """One outcome an order, matched by id: an order the answer does not mention is unresolved."""
    if not 200 <= status < 300:
        said = refusal(body)
        reason = f"HTTP {status}: {said.code or said.text}"
        return tuple(CancelUnresolved(order_id, reason) for order_id in order_ids)
    found: dict[str, CancelOutcome] = {}
    try:
        for raw in decode(body, _batch, "batch cancel answer").orders:
            try:
                entry = decode(raw, _cancelled, "batch cancel entry")
                found[entry.order_id] = _cancelled_entry(entry.order_id, entry)
            except WireError:
                continue
    except WireError as error:
        return tuple(CancelUnresolved(order_id, f"HTTP {status}: {error}") for order_id in order_ids)
    return tuple(
        found.get(order_id, CancelUnresolved(order_id, "not mentioned in the answer"))
        for order_id in order_ids
    )
