"""What a running stop shows: its phase, its counts, what waits and what is left."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

import msgspec

from core.domain.units import Money, dollars_text

UNREAD = "venue"
"""In a residue, instead of a ticker: the account itself could not be read."""


class Phase(enum.Enum):
    CANCELLING = "CANCELLING"
    COUNTDOWN = "COUNTDOWN"
    EXITING = "EXITING"
    VERIFYING = "VERIFYING"
    FLAT = "FLAT"
    ABORTED = "ABORTED"
    UNFLATTENED = "UNFLATTENED"


OVER = frozenset({Phase.FLAT, Phase.ABORTED, Phase.UNFLATTENED})
BEFORE_EXITS = frozenset({Phase.CANCELLING, Phase.COUNTDOWN})


class Pause(msgspec.Struct, frozen=True):
    """The venue takes no orders: why, and until when if it says so (real wall milliseconds)."""

    what: str
    until_ms: int | None = None
    cancels: bool = True
    """Whether cancels still work."""


class Tried(msgspec.Struct, frozen=True):
    """A market whose exits ended while something was held there."""

    net: int
    """What was held then, in millionths."""
    slices: int
    empty: int
    """How many of the last slices found nobody."""
    unproved: bool
    """Whether an order there was not proved dead."""
    why: str


@dataclass(slots=True)
class Ladder:
    """Progress of one stop, as the screen shows it."""

    started_ns: int
    exits_at_ns: int
    by: str
    cancelling: tuple[str, ...]
    """Client ids of the orders that were live at the press."""
    selling: int
    """How many positions were held then."""
    worth: Money | None = None
    """What they would have brought at the touch; ``None`` where a book was not known."""
    phase: Phase = Phase.CANCELLING
    sweeps: bool = False
    """Whether every order of the account is cancelled, hand-placed ones too."""
    swept_ns: int | None = None
    """When the venue said that it has done so."""
    urgent: bool = False
    """Exits reach down to the widest protection at once."""
    pauses: dict[str, Pause] = field(default_factory=dict)
    """Why exits wait, by ticker: parts of a venue pause on their own."""
    exits_sent: int = 0
    exits_filled: int = 0
    left: int = 0
    """Contracts still held over all markets, in millionths."""
    sold: int = 0
    cost: int = 0
    """What selling gave up against mid, fees included."""
    residue: dict[str, str] = field(default_factory=dict)
    """Why a market could not be flattened, by ticker."""
    tried: dict[str, Tried] = field(default_factory=dict)
    """Markets that were given up, by ticker."""
    watches: bool = False
    """It has ended with something left and goes on looking: what can be sold after all is sold."""
    receipt: str = ""
    pressed: int = 1
    ended_ns: int | None = None

    @property
    def over(self) -> bool:
        return self.phase in OVER

    @property
    def scope(self) -> str:
        """What it is going to do, said before it has happened."""
        orders, positions = len(self.cancelling), self.selling
        others = " and every other order of the account" if self.sweeps else ""
        worth = f" worth {dollars_text(self.worth)}" if positions and self.worth is not None else ""
        return (
            f"cancels {orders} order{'s' * (orders != 1)}{others}, "
            f"sells {positions} position{'s' * (positions != 1)}{worth}"
        )

    def summed(self, phase: Phase) -> str:
        """How a ladder that ran to this end comes out: flat or not, what that cost, what was sold."""
        exits = self.exits_filled
        cost = f"cost {dollars_text(Money(self.cost))} against mid"
        sold = f"{count_text(self.sold)} contracts sold in {exits} exit{'s' * (exits != 1)}"
        if phase is Phase.FLAT:
            return f"FLAT, confirmed twice, {cost}: {sold}"
        if any(key.rpartition(" ")[2] == UNREAD for key in self.residue):
            left = ", not all could be read"
        else:
            first, more = min(self.residue, default=""), len(self.residue) - 1
            left = f", {first}{f' and {more} more' * (more > 0)} left" if first else ""
        return f"NOT FLAT{left}, {cost}: {sold}"

    @property
    def pause(self) -> Pause | None:
        """The worst of what exits wait for."""
        return min(self.pauses.values(), key=lambda p: (p.cancels, -(p.until_ms or 0), p.what), default=None)

    @property
    def can_be_stopped(self) -> bool:
        """Nothing has been sold yet, in the countdown or while the venue takes no orders; or nothing is
        being sold, between two looks at what is left."""
        waits = self.phase is Phase.EXITING and self.pause is not None and not self.exits_sent
        return self.phase in BEFORE_EXITS or waits or self.watches


def count_text(contracts: int) -> str:
    """A number of contracts either way, in millionths, without needless decimals."""
    return f"{abs(contracts) / 1_000_000:.2f}".rstrip("0").rstrip(".")
