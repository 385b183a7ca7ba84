"""The demo's coach: one sentence for each idea the first time it is on the screen.

Beats come from the state of the desk, not from a script, so whatever happens is what is explained.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tui.tables import Now
from tui.view_model import ViewModel

SHOW_NS = 25_000_000_000
TEXT_MAX = 68
"""Cells of a sentence that fits 80 columns beside the way to hide it."""
PRACTICE_MS = (145_000, 165_000)
TOUR_OVER_MS = (180_000, 190_000)


class Beat(NamedTuple):
    name: str
    text: str
    """The actions it names in braces are told as their keys."""
    holds: Callable[[ViewModel, Now], bool]


def _elapsed_ms(view: ViewModel, now: Now) -> int:
    return now.wall_ms - view.status.real_origin_ms if view.status is not None else 0


def _normal(view: ViewModel) -> bool:
    return view.status is not None and view.status.level == "NORMAL"


def _ready(view: ViewModel, _: Now) -> bool:
    return view.status is not None and not view.starting and bool(view.markets)


def _card(view: ViewModel, _: Now) -> bool:
    return any(row.state == "OPEN" for row in view.proposals.values())


def _working(view: ViewModel, _: Now) -> bool:
    return any(row.ended_ns is None and row.state in ("WORKING", "PARTIAL") for row in view.orders.values())


def _moved(view: ViewModel, _: Now) -> bool:
    return any(row.state == "MOVED" for row in view.proposals.values())


def _stale(view: ViewModel, _: Now) -> bool:
    return any(check.code == "G11" for row in view.proposals.values() for check in row.checks if check.blocks)


def _feed_down(view: ViewModel, _: Now) -> bool:
    return view.status is not None and any(feed.state == "DOWN" for feed in view.status.feeds)


def _unknown(view: ViewModel, _: Now) -> bool:
    return view.status is not None and view.status.unknown > 0


def _exit(view: ViewModel, _: Now) -> bool:
    return any(row.closes and row.state == "OPEN" for row in view.proposals.values())


def _practice(view: ViewModel, now: Now) -> bool:
    return _normal(view) and PRACTICE_MS[0] <= _elapsed_ms(view, now) < PRACTICE_MS[1]


def _halted(view: ViewModel, _: Now) -> bool:
    return view.status is not None and view.status.level in ("HALTED", "LOCKED") and not view.stopping


def _over(view: ViewModel, now: Now) -> bool:
    return _normal(view) and TOUR_OVER_MS[0] <= _elapsed_ms(view, now) < TOUR_OVER_MS[1]


BEATS = (
    Beat("ready", "Simulated money, real wire protocol. Watch fair and edge.", _ready),
    Beat(
        "card",
        "A trade is proposed. Read it; {card.approve} approves, {card.veto} vetoes, "
        "{card.evidence} says why.",
        _card,
    ),
    Beat("working", "Your order is working. It was checked again when you pressed {card.approve}.", _working),
    Beat("moved", "The book moved. Nothing is sent at a price you did not see.", _moved),
    Beat("stale", "Stale data cannot be traded. It clears by itself.", _stale),
    Beat("feed", "A feed is down; the bar shows when it retries, {screen.feeds} says why.", _feed_down),
    Beat("unknown", "No answer is not a no. The venue is asked about this one order.", _unknown),
    Beat("exit", "Exits go on top. In automatic mode they leave by themselves.", _exit),
    Beat("practice", "Try the emergency stop now: Ctrl-X. This is the place to learn it.", _practice),
    Beat("halted", ":resume wants a word and a reason: starting again is the danger.", _halted),
    Beat("over", "This was the tour. Have a good day.", _over),
)


class Coach:
    """Shows each beat once, the newest on top; Esc hides it."""

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled
        self._seen: set[str] = set()
        self._line = ""
        self._until_ns = 0

    def update(self, view: ViewModel, now: Now) -> str:
        """The sentence to show now, or an empty one."""
        if not self._enabled or view.profile != "demo":
            return ""
        for beat in BEATS:
            if beat.name not in self._seen and beat.holds(view, now):
                self._seen.add(beat.name)
                self._line, self._until_ns = beat.text, now.mono_ns + SHOW_NS
        if now.mono_ns >= self._until_ns:
            self._line = ""
        return self._line

    def dismiss(self) -> bool:
        """Hide the line; says whether there was one."""
        had = bool(self._line)
        self._line = ""
        return had
