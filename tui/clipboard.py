"""What can be copied: the name of what is under the cursor, for a shell or a search field.

It goes to the terminal's own clipboard by OSC 52, which crosses SSH; a terminal may be set to refuse it, and
does not say so.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tui.app import PmConsole

COPY_MAX = 2_000
"""Bytes: names are shorter, and some terminals drop what is longer than they like."""


class Copied(NamedTuple):
    """A text and what it is."""

    what: str
    text: str


def osc52(text: str) -> str:
    """The escape sequence that puts a text into the clipboard; raises ``ValueError`` when it is too long."""
    raw = text.encode()
    if len(raw) > COPY_MAX:
        raise ValueError(f"{len(raw)} bytes are too much for the clipboard (limit {COPY_MAX})")
    return f"\x1b]52;c;{b64encode(raw).decode()}\x07"


def under_cursor(app: PmConsole) -> Copied | None:
    """What is looked at, by the name that a command takes for it."""
    from tui.screens.market import MarketScreen

    screen, view = app.console_screen, app.view
    if isinstance(screen, MarketScreen):
        static = view.statics.get(screen.key)
        return Copied("ticker", static.ticker) if static is not None else None
    table = screen.table() if screen is not None else None
    if table is None:
        return None
    match table.id, table.cursor_key:
        case "markets" | "positions", int(key) if key in view.statics:
            return Copied("ticker", view.statics[key].ticker)
        case "orders" | "done", str(order):
            return Copied("order", order)
        case "journal", int(seq):
            return Copied("journal entry", str(seq))
        case "alarms", int(alarm):
            return Copied("alarm", str(alarm))
        case "links", (str(first), str(second)):
            return Copied("pair", f"{first} {second}")
        case "events", str(event):
            return Copied("event", event)
        case "batch" | "vetoes", str(card):
            return Copied("card", card)
        case "feeds", str(source):
            return Copied("source", source)
    return None
