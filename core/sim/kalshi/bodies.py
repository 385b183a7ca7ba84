"""Request bodies as typed values: prices and counts are strings, a number is refused."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from core.domain.units import Price, Quantity, UnitError, parse_price, parse_quantity
from core.sim.kalshi.errors import WireError
from core.sim.requests import UnreadableError, decoded

T = TypeVar("T")


def read(body: bytes | msgspec.Raw, kind: type[T]) -> T:
    """A body, or ``WireError`` 400 that says what is wrong with it."""
    try:
        return decoded(body, kind)
    except UnreadableError as wrong:
        raise invalid(str(wrong)) from wrong


def price(text: str) -> Price:
    try:
        return parse_price(text)
    except UnitError as wrong:
        raise WireError(400, "invalid_price", "invalid price", str(wrong)) from wrong


def count(text: str) -> Quantity:
    """At most two decimals, zeros included."""
    if len(text.partition(".")[2]) > 2:
        raise invalid(f"{text[:40]!r} has more than 2 decimals")
    try:
        return parse_quantity(text)
    except UnitError as wrong:
        raise invalid(str(wrong)) from wrong


def invalid(details: str) -> WireError:
    return WireError(400, "invalid_order", "invalid order", details)
