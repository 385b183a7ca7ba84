"""A card's state in a word, what that means, and the keys that still do something with it."""

from __future__ import annotations

from core.control.tables.cards import ProposalRow
from tui.actions import for_viewers
from tui.arming import APPROVES
from tui.format import count, dollars, venue_short
from tui.lines import Line, Span, flow, line, width_of
from tui.scene import Scene
from tui.view_model import DECIDABLE
from tui.widgets.text_pane import wrapped
from tui.words import card_role, profile_role, profile_word

_KEYS = (
    ("card.approve", "approve"),
    ("card.veto", "veto"),
    ("card.edit", "edit"),
    ("card.defer", "defer"),
    ("card.evidence", "why"),
)
_KEYS_OVER = (("card.next", "next card"),)


def state_groups(scene: Scene, card: ProposalRow) -> list[Line]:
    """The card's state in a word, then what it means."""
    word = scene.card_word
    state = Span(f" {word} ", card_role(word))
    blocking = next((check for check in card.checks if check.blocks), None)
    warning = next(iter(card.checks), None)
    if word.startswith("BLOCKED") and blocking is not None:
        return [line(state, f" {blocking.text}"), line((clears_sentence(blocking.clears), "text-muted"))]
    if word == "CONFIRM":
        return [
            line(state, *_spent(scene, card), ":"),
            line((scene.keymap.spelt("{card.yes} for YES, {card.no} for NO sends it"), "strong")),
        ]
    if word == "LAG":
        return [line(state, " the picture is over 1 s old")]
    if word == "DOWN":
        return [line(state, " the engine is gone; nothing can be approved")]
    if word == "VIEWER":
        taken = scene.view.status is not None and scene.view.status.controller
        return [line(state, f" {'another console' if taken else 'no console'} has control")]
    if word == "SMALL":
        return [line(state, " make the terminal larger")]
    if warning is not None:
        return [line(state, (f" WARN {warning.code} {warning.text}", "near"))]
    if card.state == "DEFERRED":
        return [line(state, (" deferred", "text-muted"))]
    return [line(state)]


def _spent(scene: Scene, card: ProposalRow) -> Line:
    """Where a large card sends its money, whose it is, how many and how much."""
    profile = scene.view.profile
    keys = (card.key,) if card.plan is None else tuple(leg.key for leg in card.plan.legs)
    venues = dict.fromkeys(static.venue for key in keys if (static := scene.view.statics.get(key)))
    where = "+".join(f"{venue_short(venue)} {_account(scene, venue)}".rstrip() for venue in venues)
    sized = f"{count(card.quantity)} for {dollars(card.cost)}"
    return line(" ", (profile_word(profile), profile_role(profile)), f" {where or '?'}, {sized}")


def _account(scene: Scene, venue: str) -> str:
    link = scene.view.link(venue)
    return f"..{link.account}" if link is not None and link.account else ""


def clears_sentence(text: str) -> str:
    """The engine names what clears a rule; a sentence says so."""
    return text if not text or text.lower().startswith("clears") else f"Clears with {text}."


def state_rows(groups: list[Line], width: int) -> list[Line]:
    """The state wrapped to the column, its first word kept in its own role."""
    if width_of(groups[0]) <= width:
        return flow(groups, width, 2)
    word, *rest = groups[0]
    head_width = len(word.text)
    text = wrapped("".join(span.text for span in rest), width - head_width, indent=1)
    first, more = text[0], text[1:]
    return [line(word, *first), *(line(" " * head_width, *row) for row in more), *flow(groups[1:], width, 2)]


def keys_line(scene: Scene, card: ProposalRow, room: int) -> Line:
    """The keys that still do something with this card."""
    keys: tuple[tuple[str, str], ...] = _KEYS_OVER if len(scene.cards) > 1 else ()
    keys = _KEYS if card.state in DECIDABLE else keys
    # A plan is taken or left as it is; what is put off already cannot be put off again.
    useless = {"card.edit"} if card.plan is not None else set()
    useless |= {"card.defer"} if card.state == "DEFERRED" else set()
    useless |= {"card.approve"} if scene.card_word not in APPROVES else set()
    if not scene.controls:
        useless |= {action.id for action in scene.keymap.actions if not for_viewers(action)}
    keys = tuple(pair for pair in keys if pair[0] not in useless)
    if card.state in DECIDABLE and _of_one_event(scene, card) > 1:
        keys = (*keys, ("card.batch", "batch"))
    parts: list[Span] = []
    for action, word in keys:
        key = scene.keymap.name(action)
        room -= len(key) + len(word) + 3
        if room >= 0:
            parts += [Span("  " if parts else " "), Span(key, "key"), Span(" " + word, "text-muted")]
    return line(*parts)


def _of_one_event(scene: Scene, card: ProposalRow) -> int:
    """How many cards are up of this one's event."""
    statics = scene.view.statics
    events = [static.event for other in scene.cards if (static := statics.get(other.key)) is not None]
    own = statics.get(card.key)
    return events.count(own.event) if own is not None else 1
