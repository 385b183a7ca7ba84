"""What the market channel's logic concludes from a message, for the venue to hand on."""

from __future__ import annotations

from typing import Final

import msgspec

from core.domain.units import Price
from core.venues.polymarket.line import GiveUp
from core.venues.venue import Print


class BookChanged(msgspec.Struct, frozen=True):
    """The book of this market changed, or whether it can be trusted did."""

    ticker: str


class TickChanged(msgspec.Struct, frozen=True):
    ticker: str
    tick: Price


class Resolved(msgspec.Struct, frozen=True):
    """The venue says how it ended; its own lists have the last word."""

    ticker: str


class Printed(msgspec.Struct, frozen=True):
    seen: Print


class Oddity(msgspec.Struct, frozen=True):
    """An anomaly: shown and journalled, nothing rests on it."""

    what: str
    detail: str


Fact = BookChanged | TickChanged | Resolved | Printed | Oddity | GiveUp

NOTHING: Final[tuple[Fact, ...]] = ()
