"""What one paint is made of: the view model, one reading of the clocks, and what the operator selected.

Every pane builds its lines from a ``Scene`` and nothing else, so the same scene always draws the same.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from core.control.tables.cards import ProposalRow
from core.control.tables.markets import MarketRow
from core.control.tables.safety import AlarmRow
from tui.keymap import USUAL, Keymap
from tui.lines import Line, line
from tui.tables import Now
from tui.view_model import ViewModel

Typed = Callable[[str], str]
"""What a person types in a shell for a verb, the profile named where it must be."""
COMPACT_WIDTH = 100
WIDE_WIDTH = 120


class Message(msgspec.Struct, frozen=True):
    """The last thing the console has to say about a command, and until when."""

    text: str
    role: str
    until_ns: int
    without_engine: str = ""
    """Verb of the shell that does what could not be sent."""


class Scene(msgspec.Struct, frozen=True):
    view: ViewModel
    now: Now
    width: int
    cards: tuple[ProposalRow, ...] = ()
    card: ProposalRow | None = None
    card_word: str = ""
    """State of the selected card in a word, see ``tui.arming``."""
    current: int | None = None
    """Key of the current market."""
    market_keys: tuple[int, ...] = ()
    """Markets in display order."""
    cursor: int | None = None
    """Market the operator moved the cursor to; without one it rests on the current market."""
    order_id: str = ""
    """Client order id under the cursor."""
    sort: str = "edge"
    filter: str = ""
    watchlist: str = ""
    """Name of the list that the operator marks markets in."""
    watched: frozenset[tuple[str, str]] = frozenset()
    """Venue and ticker of the markets in it."""
    message: Message | None = None
    coach: str = ""
    ladder_ask: bool = False
    """One Esc was pressed while stopping."""
    ladder_hurry: bool = False
    """Ctrl-X was pressed again while exits are under way."""
    stop_sent: bool = False
    """Ctrl-X was pressed and the engine has not answered yet."""
    controls: bool = False
    view_only: bool = False
    """Started to look only: the engine gives it no control."""
    quiet_ns: int = 0
    """How long no key was pressed while stopping."""
    asks_reason: str = ""
    """Id of the vetoed card whose reason may be told by a key."""
    pace: str = ""
    """Why the console draws seldom, in a word or two."""
    takeover: AlarmRow | None = None
    """The alarm that has the whole screen."""
    keymap: Keymap = USUAL
    ages_s: dict[int, float] = {}
    """Ages of books that were asked for, by market: several cells of a row do."""

    @property
    def down(self) -> bool:
        return self.view.engine_down(self.now)

    @property
    def dim(self) -> bool:
        """Whether the picture is too old to be drawn bright."""
        return self.down or self.view.lags(self.now)

    @property
    def in_ladder(self) -> bool:
        """Whether a stop has the status line, the message line and the keys; not one whose engine is gone."""
        return self.stop_sent or (self.view.stopping and not self.down)

    @property
    def wide(self) -> bool:
        return self.width >= WIDE_WIDTH

    @property
    def watermark(self) -> str:
        """In empty space: that it is not real money, and whether the days were played before."""
        replays = self.view.status is not None and bool(self.view.status.replay)
        return " ".join(("SIMULATED" * self.view.simulated, "REPLAY" * replays)).strip()

    def book_age_s(self, row: MarketRow) -> float:
        """Age of a book, counted once a paint."""
        known = self.ages_s.get(row.key)
        if known is None:
            known = self.ages_s[row.key] = self.view.book_age_s(row, self.now)
        return known

    def book_stale(self, row: MarketRow) -> bool:
        """Whether a book is older than the desk allows."""
        return self.book_age_s(row) > self.view.book_limit_s()

    def ago_s(self, then_ns: int) -> float:
        return (self.now.mono_ns - then_ns) / 1e9

    def in_s(self, then_ns: int) -> float:
        return (then_ns - self.now.mono_ns) / 1e9


def note(text: str, role: str = "text-muted") -> Line:
    """A sentence in place of rows."""
    return line(" ", (text, role))


def head(title: str, detail: str = "") -> Line:
    """A pane's title with its detail."""
    return line((title, "title"), ((" " + detail) if detail else "", "text-muted"))
