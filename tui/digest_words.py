"""What happened since somebody last looked, in lines with their roles, for the console and the shell."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from tui.format import age, dollars, sanitise, signed_dollars, utc

if TYPE_CHECKING:
    from core.config.seen import Seen
    from core.journal.digest import Cards, Digest, Orders

Told = tuple[str, str]
"""A line and its role."""
TITLES = {
    "halts": "HALTS AND STOPS",
    "alarms": "ALARMS",
    "fills": "FILLS",
    "settled": "SETTLED",
    "changes": "CHANGES",
    "hands": "BY OTHERS",
}
_ROLES = {"halts": "near", "fills": "strong"}


class Figures(NamedTuple):
    """Money of the desk; ``None`` where it is not known."""

    cash: int | None
    today: int | None
    open: int | None


def away(since: Seen, wall_ms: int) -> str:
    """How long nobody looked, from when to when."""
    form = "%b %d %H:%MZ"
    seconds = (wall_ms - since.wall_ms) / 1000
    return f"You were away {age(seconds)}, from {utc(since.wall_ms, form)} to {utc(wall_ms, form)}."


def digest_lines(since: Seen, told: Digest, now: Figures, width: int) -> Iterator[Told]:
    """What it did to the money first, then what asks for a look, then the rest; empty parts are left out."""
    yield from _money(since, told, now)
    yield from _wrapped(f"orders  {_orders(told.orders)}", width, "text", "        ")
    if told.orders.unknown:
        yield f"        {told.orders.unknown} without proof of their fate", "alarm"
    yield from _wrapped(f"cards   {_cards(told.cards)}", width, "text", "        ")
    for name, part in told.parts.items():
        if not part.count:
            continue
        unseen = sum(not line.seen for line in part.lines)
        notes = [f"{unseen} unseen"] if unseen else []
        notes += [f"fees {dollars(told.fees)}"] if name == "fills" else []
        if name != "alarms" and len(part.lines) < part.count:
            notes.append(f"the newest {len(part.lines)}")
        yield "", "text"
        yield f"{TITLES[name]} {part.count}" + "".join(f", {note}" for note in notes), "title"
        for line in part.lines:
            role = "text" if line.seen else "alarm"
            text = f"{utc(line.at_ms)}  {'' if line.seen else '! '}{sanitise(line.text)}"
            yield from _wrapped(text, width, _ROLES.get(name, role), "          ")


def _money(since: Seen, told: Digest, now: Figures) -> Iterator[Told]:
    """Before and now."""
    before = (since.cash, since.today_pnl, since.open_pnl)
    for name, was, is_ in zip(("cash", "today", "open"), before, now, strict=True):
        shown = dollars if name == "cash" else signed_dollars
        if name == "today" and told.days:
            yield f"{name:<6}{shown(was):>10} |  {shown(is_):>10}   a new day has begun", "text"
            continue
        moved = None if was is None or is_ is None else is_ - was
        role = "text" if not moved else "gain" if moved > 0 else "loss"
        yield f"{name:<6}{shown(was):>10} -> {shown(is_):>10}   {signed_dollars(moved)}", role


def _orders(orders: Orders) -> str:
    """Those that came to something, by what."""
    alone = f" ({orders.alone} by the engine alone)" if orders.alone else ""
    ended = {
        "filled": orders.executed,
        "cancelled": orders.cancelled,
        "expired": orders.expired,
        "rejected": orders.rejected,
        "not sent": orders.not_sent,
    }
    return ", ".join([f"{orders.placed} placed{alone}", *(f"{n} {word}" for word, n in ended.items())])


def _cards(cards: Cards) -> str:
    decided = f"{cards.offered} offered, {cards.approved} approved, {cards.vetoed} vetoed"
    return f"{decided}, {cards.expired} expired, {cards.withdrawn} withdrawn"


def _wrapped(text: str, width: int, role: str, indent: str) -> Iterator[Told]:
    for row in textwrap.wrap(text, max(24, width), subsequent_indent=indent):
        yield row, role
