"""A venue's link, and the dead-man switch that stands behind it."""

from __future__ import annotations

from core.control.tables.status import BeatRow, LinkRow
from core.engine.safety import dead_man
from core.engine.seat import Seat
from core.risk.halts import Halt
from core.venues.traits import DeadMan
from core.venues.venue import LinkState

ACCOUNT_CHARS = 4
"""As the phrase that arms real money names it."""


def link_row(seat: Seat, halt: Halt | None, world_ms: int, account: str) -> LinkRow:
    """A venue's stream, whether the exchange itself takes no orders, and what holds the venue alone back."""
    link, exchange = seat.venue.link, seat.exchange
    paused = exchange.words if exchange is not None else ""
    held = exchange.restriction(maintained=seat.maintained(world_ms) is not None) if exchange else None
    stands = held is not None and link.state is LinkState.OK
    return LinkRow(
        venue=seat.name.value,
        state="PAUSED" if stands else link.state.value,
        heartbeat_ns=link.heartbeat_ns,
        detail=paused or link.detail,
        retry_at_ns=link.retry_at_ns,
        sequence=link.sequence,
        lag_ms=link.lag_ms,
        opens_wall_ms=exchange.resumes_ms if exchange is not None and paused else None,
        beat=_beat_row(seat),
        settles_later=seat.traits.settles_later,
        halt=f"{halt.level.name}: {halt.cause}" if halt is not None else "",
        word=held.value if held is not None and stands else "",
        traded_ns=seat.traded_ns if stands else None,
        account=account[-ACCOUNT_CHARS:],
    )


def _beat_row(seat: Seat) -> BeatRow | None:
    if seat.traits.dead_man is not DeadMan.HEARTBEAT:
        return None
    beat, why = seat.venue.beat, dead_man(seat)
    return BeatRow(None, 0, why) if beat is None else BeatRow(beat.cancels_ns, beat.missed, why)
