"""What happened on a desk since somebody last looked: its files tell, and its engine the money of now."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from core.control.queries.fields import Field, Now, as_object, at, money, nested

if TYPE_CHECKING:
    from core.config.seen import Seen
    from core.journal.digest import Digest


class Since(NamedTuple):
    """Money is ``None`` where no engine runs."""

    seen: Seen
    told: Digest
    wall_ms: int
    cash: int | None
    today_pnl: int | None
    open_pnl: int | None


NEWS: tuple[Field, ...] = (
    Field("time", "real time", lambda r, n: at(r.at_ms)),
    Field("text", "what happened, in words", lambda r, n: r.text),
    Field("seen", "whether somebody acknowledged it; only alarms can be unseen", lambda r, n: r.seen),
)

PART: tuple[Field, ...] = (
    Field("count", "all of them", lambda r, n: r.count),
    Field("lines", "the newest, oldest first, see since.part.lines", lambda r, n: nested(NEWS, r.lines, n)),
)

ENDED: tuple[Field, ...] = (
    Field("placed", "since then", lambda r, n: r.placed),
    Field("alone", "of these by the engine without a person's word", lambda r, n: r.alone),
    Field("filled", "came to be filled whole, also of those placed before", lambda r, n: r.executed),
    Field("cancelled", "after a partial fill too", lambda r, n: r.cancelled),
    Field("expired", "by their own end", lambda r, n: r.expired),
    Field("rejected", "by the venue", lambda r, n: r.rejected),
    Field("not_sent", "never left, or never arrived", lambda r, n: r.not_sent),
    Field("unknown", "still without proof of their fate", lambda r, n: r.unknown),
)

DECIDED: tuple[Field, ...] = (
    Field("offered", "cards made", lambda r, n: r.offered),
    Field("approved", "by a person or by automatic mode", lambda r, n: r.approved),
    Field("vetoed", "by a person", lambda r, n: r.vetoed),
    Field("expired", "by their own end", lambda r, n: r.expired),
    Field("withdrawn", "by the strategy", lambda r, n: r.withdrawn),
)

_HELD = {
    "halts": "halts, stops and what ended them",
    "alarms": "what rang, a note left out; the same again stands once",
    "fills": "ours, and those of orders that are not ours",
    "settled": "markets with a result, and what the venue paid",
    "changes": "modes, pauses, limits, starts and stops",
    "hands": "commands and vetoes of others than who looked",
}
"""The parts of a digest."""


def _part(name: str) -> Callable[[Any, Now], Any]:
    return lambda r, n: as_object(PART, r.told.parts[name], n)


SINCE: tuple[Field, ...] = (
    Field(
        "from", "when a console in control last showed the desk, real time", lambda r, n: at(r.seen.wall_ms)
    ),
    Field("until", "real time of this answer", lambda r, n: at(r.wall_ms)),
    Field("by", "which console that was, as the journal names it", lambda r, n: r.seen.who or None),
    Field("row", "number of the newest journal row it had shown", lambda r, n: r.seen.seq),
    Field("newest", "number of the newest row that was looked at", lambda r, n: r.told.upto),
    Field("cash_then", "free balance; null: not known", lambda r, n: money(r.seen.cash)),
    Field("cash", "now; null without an engine", lambda r, n: money(r.cash)),
    Field("today_pnl_then", "of that moment's day of the world", lambda r, n: money(r.seen.today_pnl)),
    Field("today_pnl", "of the day of now; null without an engine", lambda r, n: money(r.today_pnl)),
    Field("open_pnl_then", "at prices we could have sold at", lambda r, n: money(r.seen.open_pnl)),
    Field("open_pnl", "now; null without an engine", lambda r, n: money(r.open_pnl)),
    Field("days", "days of the world that began, each with a result of its own", lambda r, n: r.told.days),
    Field("fees", "of all fills", lambda r, n: money(r.told.fees)),
    Field("orders", "what they came to, see since.orders", lambda r, n: as_object(ENDED, r.told.orders, n)),
    Field("cards", "what was decided, see since.cards", lambda r, n: as_object(DECIDED, r.told.cards, n)),
    *(Field(name, f"{what}, see since.part", _part(name)) for name, what in _HELD.items()),
)
