"""Our record of orders and fills, and where a venue's account differs from it."""

from __future__ import annotations

import msgspec


class JournalRow(msgspec.Struct, frozen=True, array_like=True):
    seq: int
    wall_ms: int
    kind: str
    text: str
    order_id: str
    ticker: str = ""


class DifferenceRow(msgspec.Struct, frozen=True, array_like=True):
    """Something our record and the venue's disagree on, both sides in words."""

    row: str
    """Its row of the table of differences, ``R1`` to ``R19``."""
    about: str
    """``order``, ``fill``, ``position`` or ``cash``."""
    key: int
    """Market; 0 for cash and markets that are not on the desk."""
    ticker: str
    subject: str
    """Order or trade id; empty for a position."""
    ours: str
    theirs: str
    since_ns: int
    reads: int
    """Complete readings that showed it."""
    acted: bool
    halts: str
    """What it stops once it is acted on, such as ``venue HALTED``; empty for nothing."""
    events: tuple[JournalRow, ...] = ()
    """Positions: what happened last to orders and fills of that market, oldest first."""
    venue: str = ""


class LineRow(msgspec.Struct, frozen=True, array_like=True):
    """One order, position or the cash of an account, ours beside what the venue said last; asked for."""

    venue: str
    about: str
    """``cash``, ``position`` or ``order``."""
    ticker: str
    subject: str
    """Our order id; of an order that is not ours the venue's."""
    ours: str
    theirs: str
    agreement: str
    """``agrees``, ``differs``, ``moved``, ``unknown`` or ``external``."""
    read_ns: int | None
    """When the account was last read completely."""


class AccountRow(msgspec.Struct, frozen=True, array_like=True):
    """The last reading of one venue's account."""

    venue: str
    number: int
    """0 before the first."""
    at_ns: int
    complete: bool
    reason: str
    clean_ns: int | None
    doubt: str
    differences: int
    cash: int | None


class ReadingRow(msgspec.Struct, frozen=True, array_like=True):
    """The last reading of every account, as one: as old as the oldest, complete where all are."""

    number: int
    at_ns: int
    complete: bool
    reason: str
    """What started it, or what could not be read."""
    clean_ns: int | None
    """End of the last one in which everything agreed."""
    doubt: str
    """Why no entries leave before a clean one; empty when they may."""
    differences: tuple[DifferenceRow, ...]
    accounts: tuple[AccountRow, ...] = ()
    """One a venue."""
