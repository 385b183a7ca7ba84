"""A venue's JSON as typed structs, and its conversion to the house's values.

What a fact rests on is decoded strictly; everything optional is taken as it comes and converted on
its own, so that an odd optional field is an anomaly, not a lost order. Unknown fields are skipped.
Nothing here raises anything but ``WireError``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta

from core.domain.order import BookSide
from core.domain.text import clean_text
from core.domain.units import (
    ONE_DOLLAR,
    Money,
    Price,
    Quantity,
    UnitError,
    parse_money,
    parse_price,
    parse_quantity,
)

T = TypeVar("T")

Name = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"\A[!-~]+\Z")]
"""Tickers and ids: printable ASCII, bounded, because they end up in paths and on screens."""

Whole = Annotated[int, Meta(ge=0, lt=2**53)]
"""Numbers of messages, subscriptions and shards: bounded, because journal and frames hold 64 bits."""

SECOND_MS: Final = 1_000
_CALENDAR_MS: Final = range(-62_135_596_800_000, 253_402_300_800_000)
"""Unix milliseconds of the years 1 to 9999: what a date can be made of."""

_SIDES: Final = {"bid": BookSide.BID, "ask": BookSide.ASK}


class WireError(ValueError):
    """An answer or frame that cannot be read; the text names what and where."""


def decode(data: bytes | msgspec.Raw, decoder: msgspec.json.Decoder[T], what: str) -> T:
    """Decode JSON into the decoder's type. Raises ``WireError``."""
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise WireError(f"{what}: {clean_text(str(error))}") from None


# --- scalar conversions -------------------------------------------------------------------------


def price(text: str, field: str) -> Price:
    """A price strictly between 0 and 1 dollar."""
    try:
        value = parse_price(text)
    except UnitError as error:
        raise WireError(f"{field}: {error}") from None
    if not 0 < value < ONE_DOLLAR:
        raise WireError(f"{field}: {text[:40]!r} is not between 0 and 1 dollar")
    return value


def quantity(text: str, field: str) -> Quantity:
    """A count of contracts, never negative."""
    value = signed_quantity(text, field)
    if value < 0:
        raise WireError(f"{field}: {text[:40]!r} is negative")
    return value


def signed_quantity(text: str, field: str) -> Quantity:
    try:
        return parse_quantity(text)
    except UnitError as error:
        raise WireError(f"{field}: {error}") from None


def money(text: str, field: str) -> Money:
    try:
        return parse_money(text)
    except UnitError as error:
        raise WireError(f"{field}: {error}") from None


def book_side(text: str, field: str = "book_side") -> BookSide:
    side = _SIDES.get(text)
    if side is None:
        raise WireError(f"{field}: {text[:40]!r} is neither bid nor ask")
    return side


def _shown(value: object) -> str:
    """A hostile value in an error text: texts bounded, anything else by its type alone."""
    return repr(clean_text(value, 40)) if isinstance(value, str) else type(value).__name__


def rfc3339_ms(text: object, field: str) -> int:
    """RFC 3339 text to Unix milliseconds."""
    if isinstance(text, str):
        try:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is not None:
                delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
                ms = (delta.days * 86_400 + delta.seconds) * 1_000 + delta.microseconds // 1_000
                if ms in _CALENDAR_MS:
                    return ms
        except (ValueError, OverflowError):
            pass
    raise WireError(f"{field}: {_shown(text)} is not a time with a zone")


def unix_ms(value: object, field: str, unit_ms: int = 1) -> int:
    """A whole number of ``unit_ms`` since 1970 to Unix milliseconds."""
    ms = _whole(value, field) * unit_ms
    if ms not in _CALENDAR_MS:
        raise WireError(f"{field}: no date of the calendar")
    return ms


def _whole(value: object, field: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53:
        return value
    raise WireError(f"{field}: {_shown(value)} is not a whole number")


class Odd:
    """Collects optional fields that did not parse, as one text each."""

    __slots__ = ("notes",)

    def __init__(self) -> None:
        self.notes: list[str] = []

    def time(self, value: object, field: str) -> int | None:
        if value is None or value == "":
            return None
        try:
            return rfc3339_ms(value, field)
        except WireError as error:
            self.notes.append(str(error))
            return None

    def moment(self, value: object, field: str, unit_ms: int = 1) -> int | None:
        """A number of ``unit_ms`` since 1970 to Unix milliseconds."""
        if value is None:
            return None
        try:
            return unix_ms(value, field, unit_ms)
        except WireError as error:
            self.notes.append(str(error))
            return None

    def whole(self, value: object, field: str) -> int | None:
        if value is None:
            return None
        try:
            return _whole(value, field)
        except WireError as error:
            self.notes.append(str(error))
            return None

    def text(self, value: object, field: str, chars_max: int = 200) -> str:
        if value is None:
            return ""
        if isinstance(value, str):
            return clean_text(value, chars_max)
        self.notes.append(f"{field}: not a text")
        return ""

    def count(self, value: object, field: str) -> Quantity | None:
        """A signed count of contracts."""
        if value is None:
            return None
        try:
            return signed_quantity(value if isinstance(value, str) else "", field)
        except WireError as error:
            self.notes.append(str(error))
            return None

    def money(self, value: object, field: str) -> Money | None:
        if value is None:
            return None
        try:
            return money(value if isinstance(value, str) else "", field)
        except WireError as error:
            self.notes.append(str(error))
            return None

    def number(self, value: object, field: str) -> float | None:
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12:
            return value
        self.notes.append(f"{field}: not a number")
        return None
