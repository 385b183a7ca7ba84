"""Words several panes share: venue names, sides, states with the role each is drawn in."""

from __future__ import annotations

import math

from core.control.tables.account import AccountRow
from core.control.tables.cards import ProposalRow
from core.control.tables.orders import OrderRow
from core.control.tables.status import LinkRow, StatusRow
from tui.lines import Line, Span, line
from tui.scene import Scene

_CARD_ROLES = {
    "ARMING": "arming",
    "ARMED": "armed",
    "MOVED": "arming",
    "BLOCKED": "blocked",
    "SENT": "strong",
    "EXPIRED": "text-muted",
    "DEFERRED": "text-muted",
    "CONFIRM": "arming",
    "LAG": "blocked",
    "DOWN": "blocked",
    "VIEWER": "text-muted",
    "SMALL": "blocked",
}
_ORDER_ROLES = {"UNKNOWN": "unknown", "PARTIAL": "strong", "REJECTED": "loss", "EXT": "alarm"}


def side_word(outcome: str, *, closes: bool) -> Line:
    """``BUY YES``: the outcome is strong, the verb plain."""
    return line("SELL " if closes else "BUY ", (outcome, "yes" if outcome == "YES" else "no"))


def card_role(word: str) -> str:
    return _CARD_ROLES.get(word.partition(" ")[0], "text")


def order_role(row: OrderRow) -> str:
    return _ORDER_ROLES.get(row.state, "text")


def profile_role(profile: str) -> str:
    return "profile-live" if profile == "live" else "profile-safe"


def profile_word(profile: str) -> str:
    return profile.upper() or "NO DESK"


def console_word(name: str) -> str:
    """``pid 4711`` of ``pid 4711 (uid 1000)``: whoever it is, in as few cells as tell them apart."""
    return name.partition(" (")[0]


def mode_word(status: StatusRow) -> Span:
    """Mode or, when trading is not normal, the level that overrules it."""
    if status.level != "NORMAL":
        return Span(f" {status.level.replace('REDUCE_ONLY', 'REDUCE')} ", "band")
    if not status.armed:
        return Span(" NOT ARMED ", "band")
    paused = " PAUSED" if status.paused else ""
    return Span(status.mode.upper() + paused, "arming" if paused else "strong")


def beat_word(scene: Scene, link: LinkRow) -> tuple[str, str] | None:
    """Countdown to the venue's own cancel of everything, with its role; ``None`` where there is none."""
    beat = link.beat
    if beat is None:
        return None
    if beat.ends_ns is None:
        return "NO BEAT YET", "alarm"
    left = f"{max(0, math.ceil(scene.in_s(beat.ends_ns)))}s"
    return (f"NO BEAT {left}", "alarm") if beat.why else (f"beat {left}", "text")


def account_word(account: AccountRow) -> tuple[str, str]:
    """How a venue's count and ours compare."""
    if not account.number:
        return "not read yet", "near"
    if not account.complete:
        return "INCOMPLETE", "near"
    differ = account.differences
    return (f"{differ} differ{'s' * (differ == 1)}", "near") if differ else ("agrees", "good")


def card_market(scene: Scene, card: ProposalRow) -> str:
    """Market in plain words: the event and the bracket, else the short label."""
    view = scene.view
    static, bracket = view.statics.get(card.key), view.bracket_of(card.key)
    if static is None or bracket is None:
        return view.label(card.key)
    return f"{static.event_label or static.event}  {bracket.label}"
