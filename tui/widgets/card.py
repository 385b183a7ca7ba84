"""The approval card: what would be traded, why, and what it does to the limits, in nine lines.

One-column layouts give each line one row; in a column of its own the groups of a line wrap.
"""

from __future__ import annotations

from core.control.tables.cards import PlanRow, ProposalRow
from tui.format import (
    age,
    cents,
    count,
    countdown,
    dollars,
    short_dollars,
    signed_tenths,
    tenths,
    until,
    venue_short,
)
from tui.lines import Line, Span, cut, ends, flow, line, width_of
from tui.scene import COMPACT_WIDTH, Scene, Typed, head, note
from tui.view_model import DECIDABLE
from tui.widgets import plan_card
from tui.widgets.line_pane import LinePane
from tui.widgets.text_pane import wrapped
from tui.words import card_market, card_role, profile_role, profile_word, side_word

_SIDE_WIDTH = 58
_KEYS = (("a", "approve"), ("x", "veto"), ("e", "edit"), ("d", "defer"), ("v", "why"))
_KEYS_OVER = (("]", "next card"),)


# --- the nine lines -------------------------------------------------------------------------------


def _first(scene: Scene, card: ProposalRow) -> list[Line]:
    static = scene.view.statics.get(card.key)
    venue = venue_short(static.venue) if static is not None else "?"
    if card.plan is not None:
        profile = (profile_word(scene.view.profile), profile_role(scene.view.profile))
        where = "+".join(plan_card.venues(scene, card.plan)) or "?"
        return [line(profile, " " + where), *plan_card.first(scene, card, card.plan)]
    return [
        line((profile_word(scene.view.profile), profile_role(scene.view.profile)), " " + venue),
        line((card_market(scene, card), "strong")),
        side_word(card.outcome, closes=card.closes),
        line(("REDUCES RISK", "good")) if card.closes else (),
    ]


def _settles(scene: Scene, card: ProposalRow) -> str:
    static = scene.view.statics.get(card.key)
    left = None if static is None else scene.view.close_in_s(static.close_world_ms, scene.now)
    return f"closes in {until(left)}"


def _order(scene: Scene, card: ProposalRow) -> list[Line]:
    step = scene.view.step(card.key)
    was: list[Span] = []
    if card.was_price is not None or card.was_quantity is not None:
        old_price = card.price if card.was_price is None else card.was_price
        old_size = card.quantity if card.was_quantity is None else card.was_quantity
        was = [Span(f" MOVED, was {count(old_size)} @ {cents(old_price, step)}c", "arming")]
    return [
        line((f"{count(card.quantity)} @ {cents(card.price, step)}c", "strong"), f" {card.style}", *was),
        line(("gets " if card.closes else "cost ", "text-muted"), dollars(card.cost)),
        line(("fee ", "text-muted"), f"{dollars(card.fee)} ({card.fee_role})"),
        line(("max loss ", "text-muted"), (dollars(card.max_loss), "strong")),
        line(("max gain ", "text-muted"), dollars(card.max_gain)),
    ]


def _value(scene: Scene, card: ProposalRow) -> list[Line]:
    step = scene.view.step(card.key)
    role = "edge-trade" if card.edge > 0 else "edge-none"
    return [
        line(("fair ", "text-muted"), (f"{tenths(card.fair)}c", "fair"), f" +/-{tenths(card.sigma)}"),
        line(("book ", "text-muted"), f"{cents(card.bid, step)}/{cents(card.ask, step)}c"),
        line(("net edge ", "text-muted"), (f"{signed_tenths(card.edge)}c", role)),
        _pool(card),
        line(("at half size ", "text-muted"), f"{signed_tenths(card.edge_half)}c"),
    ]


def _pool(card: ProposalRow) -> Line:
    """What the fair value is made of, and what the model counts in it."""
    if card.model is None:
        return ()
    market = "" if card.market is None else f" market {tenths(card.market)}c"
    return line(
        ("model ", "text-muted"), f"{tenths(card.model)}c", (f" x{card.weight:.2f}{market}", "text-muted")
    )


def _size(card: ProposalRow) -> list[Line]:
    bound = line(("bound by ", "text-muted"), card.bound_by or "the order")
    if card.closes:
        return [bound]
    return [
        line(("full kelly ", "text-muted"), f"{card.kelly_full:.1%}"),
        line(("used ", "text-muted"), f"{card.kelly_used:g} x {card.shrink:.2f}"),
        bound,
    ]


def _depth(scene: Scene, card: ProposalRow) -> list[Line]:
    price = cents(card.price, scene.view.step(card.key))
    rests = card.style == "post-only" and not card.closes
    return [
        line(("depth ", "text-muted"), f"{count(card.ahead)} ahead at {price}c"),
        line(("expected fill ", "text-muted"), f"{card.fill:.0%} in 1 h") if rests else (),
        line(("spread ", "text-muted"), f"{card.spread_ticks}t"),
        line(("takes ", "text-muted"), f"{card.share:.0%}"),
    ]


def _limits(card: ProposalRow) -> list[Line]:
    groups = [line(("pos ", "text-muted"), f"{count(card.position)} -> {count(card.position_after)}")]
    for used in card.used:
        after = used.used + used.adds
        full = after / used.limit if used.limit > 0 else 1.0
        role = "breach" if full > 1 else "near" if full >= 0.8 else "text"
        figure = dollars(after) if after < 100_000_000 and used.name != "total" else f"{after // 10**6}"
        groups.append(line((used.name + " ", "text-muted"), (f"{figure}/{short_dollars(used.limit)}", role)))
    return groups


def _data(scene: Scene, card: ProposalRow) -> list[Line]:
    oldest: Line = ()
    if card.oldest is not None:
        seconds = (scene.view.world_ms(scene.now) - card.oldest.event_world_ms) / 1000
        late = seconds > card.oldest.stale_after_s
        oldest = line(
            ("oldest ", "text-muted"),
            (f"{card.oldest.name} {age(seconds)}" + ("~" if late else ""), "near" if late else "text"),
            (f" (limit {age(card.oldest.stale_after_s)})", "text-muted"),
        )
    return [oldest, line(("settles ", "text-muted"), card.settles) if card.settles else ()]


def _reasons(card: ProposalRow) -> list[Line]:
    return [
        line(("why ", "text-muted"), card.why) if card.why else (),
        line(("against ", "text-muted"), card.against) if card.against else (),
    ]


def state_groups(scene: Scene, card: ProposalRow) -> list[Line]:
    """The card's state in a word, then what it means."""
    word = scene.card_word
    state = Span(f" {word} ", card_role(word))
    blocking = next((check for check in card.checks if check.blocks), None)
    warning = next(iter(card.checks), None)
    if word.startswith("BLOCKED") and blocking is not None:
        return [line(state, f" {blocking.text}"), line((clears_sentence(blocking.clears), "text-muted"))]
    if word == "CONFIRM":
        return [line(state, (" large: y for YES, n for NO sends it", "strong"))]
    if word == "LAG":
        return [line(state, " the picture is over 1 s old")]
    if word == "DOWN":
        return [line(state, " the engine is gone; nothing can be approved")]
    if word == "VIEWER":
        taken = scene.view.status is not None and scene.view.status.controller
        return [line(state, f" {'another console' if taken else 'no console'} has control; :take")]
    if warning is not None:
        return [line(state, (f" WARN {warning.code} {warning.text}", "near"))]
    return [line(state)]


def clears_sentence(text: str) -> str:
    """The engine names what clears a rule; a sentence says so."""
    return text if not text or text.lower().startswith("clears") else f"Clears with {text}."


def _keys(scene: Scene, card: ProposalRow, room: int) -> Line:
    """The keys that still do something with this card."""
    keys: tuple[tuple[str, str], ...] = _KEYS_OVER if len(scene.cards) > 1 else ()
    keys = _KEYS if card.state in DECIDABLE else keys
    if card.plan is not None:  # taken or left as it is
        keys = tuple(pair for pair in keys if pair[0] != "e")
    parts: list[Span] = []
    for key, word in keys:
        room -= len(key) + len(word) + 3
        if room >= 0:
            parts += [Span("  " if parts else " "), Span(key, "key"), Span(" " + word, "text-muted")]
    return line(*parts)


# --- layouts --------------------------------------------------------------------------------------


def _squeezed(groups: list[Line], width: int) -> Line:
    """Groups in one row: smaller gaps first, then the last groups give way; digits are never cut."""
    kept = [group for group in groups if group]
    while kept:
        for gap in (3, 2, 1):
            if sum(map(width_of, kept)) + gap * (len(kept) - 1) <= width:
                joined: list[Span | str] = list(kept[0])
                for group in kept[1:]:
                    joined += [" " * gap, *group]
                return line(*joined)
        if len(kept) == 1:
            return cut(kept[0], width)
        kept.pop()
    return ()


def _shared(groups: list[Line], width: int) -> Line:
    """Two sentences in one row, each cut to what the other leaves it."""
    kept = [group for group in groups if group]
    if len(kept) == 2:
        second = min(width_of(kept[1]), max(width - width_of(kept[0]) - 3, width * 2 // 5))
        return line(*cut(kept[0], width - second - 3), "   ", *cut(kept[1], second))
    return cut(kept[0], width) if kept else ()


def _size_row(card: ProposalRow, width: int) -> Line:
    """What binds is never left out: its name gets the room that the other groups leave."""
    *kelly, bound = _size(card)
    return _squeezed([*kelly, cut(bound, width - sum(width_of(group) + 1 for group in kelly))], width)


def compact_lines(scene: Scene, card: ProposalRow, width: int) -> list[Line]:
    """The card in nine rows of a one-column layout. What blocks it takes the place of the reasons."""
    first = _squeezed(_first(scene, card), width - 18)
    if card.plan is not None:
        return _plan_lines(scene, card, card.plan, first, width)
    blocked = [cut(group, width) for group in state_groups(scene, card)] if card.state == "BLOCKED" else []
    last = [_shared(_reasons(card), width), _with_next(scene, card, width)]
    return [
        ends(first, line((_settles(scene, card), "text-muted")), width),
        _squeezed(_order(scene, card), width),
        _squeezed(_value(scene, card), width),
        _size_row(card, width),
        _squeezed(_depth(scene, card), width),
        _squeezed(_limits(card), width),
        _shared(_data(scene, card), width),
        *(blocked if len(blocked) == len(last) else last),
    ]


def _plan_lines(scene: Scene, card: ProposalRow, plan: PlanRow, first: Line, width: int) -> list[Line]:
    """A plan in as many rows: its legs have those of one order's value, size and depth."""
    blocked = _state_rows(state_groups(scene, card), width)[:2] if card.state == "BLOCKED" else []
    last = blocked or [_with_next(scene, card, width)]
    room = 6 - len(last)
    legs = plan_card.legs(scene, plan, width, plan_card.LEG_ROWS)
    wrong = plan_card.wrong(plan, width, room - 1 - len(legs))
    return [
        ends(first, line((_settles(scene, card), "text-muted")), width),
        _squeezed(plan_card.money(card, plan), width),
        _squeezed(plan_card.worst(card, plan), width),
        *legs,
        _squeezed(_limits(card)[1:], width),
        *wrong,
        *[()] * (room - 1 - len(legs) - len(wrong)),
        *last,
    ]


def reduced_lines(scene: Scene, card: ProposalRow, width: int) -> list[Line]:
    """The card for terminals below the smallest size: without its depth and reasons."""
    rows = compact_lines(scene, card, width)
    return [*rows[:4], rows[5], rows[6], rows[8]]


def column_lines(scene: Scene, card: ProposalRow, width: int, height: int) -> list[Line]:
    """The card in a column of its own, wrapped, with the waiting cards below it."""
    inner = width - 1
    expiry = line(("exp ", "text-muted"), (countdown(scene.in_s(card.expires_ns)), "strong"))
    first, order = _first(scene, card), _order(scene, card)
    plan = card.plan
    if plan is not None:
        order = [*plan_card.money(card, plan), *plan_card.worst(card, plan)]
    elif inner < _SIDE_WIDTH:
        # The side never gives way: in a narrow column it leads the order's line.
        first, order = first[:2], [*first[2:], *order]
    rows = [ends(_squeezed(first, inner - 10), expiry, inner)]
    rows += flow([*order, line((_settles(scene, card), "text-muted"))], inner, 2)
    if plan is not None:
        rows += plan_card.legs(scene, plan, inner, len(plan.legs))
        rows += flow(_limits(card)[1:], inner, 2)
        rows += plan_card.wrong(plan, inner, len(plan.cautions) + 2)
    else:
        for groups in (_value(scene, card), _size(card), _depth(scene, card), _limits(card)):
            rows += flow(groups, inner, 2)
        rows.append(_shared(_data(scene, card), inner))
        rows += [cut(group, inner) for group in _reasons(card) if group]
    # The state decides what a key does: whatever has to give way, it does not.
    groups = state_groups(scene, card)
    if len(groups) == 1 and width_of(groups[0]) <= len(scene.card_word) + 2:
        groups = [line(*groups[0], *_keys(scene, card, inner - width_of(groups[0])))]
    state = _state_rows(groups, inner)
    others = [other for other in scene.cards if other.id != card.id]
    rows = [*rows[: max(0, height - len(state) - min(1, len(others)))], *state]
    room = height - len(rows)
    if room > len(others[:1]):
        rows.append(())
        room -= 1
    rows += [_waiting(scene, other, inner) for other in others[:room]]
    return [line(" ", *cut(row, inner)) for row in rows]


def _state_rows(groups: list[Line], width: int) -> list[Line]:
    """The state wrapped to the column, its first word kept in its own role."""
    if width_of(groups[0]) <= width:
        return flow(groups, width, 2)
    word, *rest = groups[0]
    head_width = len(word.text)
    text = wrapped("".join(span.text for span in rest), width - head_width, indent=1)
    first, more = text[0], text[1:]
    return [line(word, *first), *(line(" " * head_width, *row) for row in more), *flow(groups[1:], width, 2)]


def _waiting(scene: Scene, card: ProposalRow, width: int) -> Line:
    number = next(i for i, row in enumerate(scene.cards, 1) if row.id == card.id)
    left = line(
        (f"{number} ", "text-muted"),
        *_in_short(scene, card),
        ("  REDUCES RISK" if card.closes else "", "good"),
        (f"  {card.state}" if card.state not in ("OPEN", "MOVED") else "", card_role(card.state)),
    )
    return ends(left, line((f"exp {countdown(scene.in_s(card.expires_ns))}", "text-muted")), width)


def _in_short(scene: Scene, card: ProposalRow) -> Line:
    """A waiting card in a few words."""
    if card.plan is not None:
        return plan_card.short(card, card.plan)
    price = f"{cents(card.price, scene.view.step(card.key))}c"
    return line(
        scene.view.named(card.key) + "  ",
        *side_word(card.outcome, closes=card.closes),
        f" {count(card.quantity)} @ {price}  {signed_tenths(card.edge)}c",
    )


def _joined(groups: list[Line]) -> Line:
    parts: list[Span | str] = []
    for group in groups:
        parts += (["  "] if parts else []) + list(group)
    return line(*parts)


def _with_next(scene: Scene, card: ProposalRow, width: int) -> Line:
    state = cut(line(*_joined(state_groups(scene, card))), width)
    others = [other for other in scene.cards if other.id != card.id]
    if not others or width_of(state) > 22:
        if width_of(state) <= 22:
            state = line(*state, *_keys(scene, card, width - width_of(state)))
        return cut(state, width)
    nearest = others[0]
    expiry = line((f"exp {countdown(scene.in_s(nearest.expires_ns))}", "text-muted"))
    text = line(
        *state,
        ("  next ", "text-muted"),
        *_in_short(scene, nearest),
    )
    return ends(text, expiry, width)


# --- nothing to decide ----------------------------------------------------------------------------


def empty_lines(scene: Scene, typed: Typed, width: int) -> list[Line]:
    """Why there is no card: engine away, starting, blocked, waiting, or simply no edge."""
    view, status = scene.view, scene.view.status
    if status is None:
        if view.connected:
            return [note("Connected. Waiting for the first picture of the desk.")]
        reason = view.closed_reason or "no engine answers"
        return [
            line(" ", (f"ENGINE DOWN: {reason}.", "alarm")),
            line(" ", ("Start it with: ", "text-muted"), (typed("engine start"), "strong")),
        ]
    if scene.down:
        return [
            *wrapped("The engine is gone; this picture is old. Nothing can be approved.", width - 1, "alarm"),
            line(" ", ("Start it with: ", "text-muted"), (typed("engine start"), "strong")),
        ]
    if view.starting:
        ticks = [
            line((f"[{'x' if done else ' '}] ", "good" if done else "text-muted"), name)
            for name, done in status.starting
        ]
        return [line(" ", *row) for row in flow([line("Engine starting:"), *ticks], width - 1, 2, indent=0)]
    if status.level != "NORMAL":
        reason = f" ({status.level_reason})" if status.level_reason else ""
        remedy = "The stop is running." if view.stopping else ":resume lifts it, with a word and a reason."
        return [
            *wrapped(f"Entries blocked: {status.level}{reason}.", width - 1, "blocked"),
            *wrapped(remedy, width - 1, "text-muted"),
        ]
    if status.paused:
        names = "all strategies" if "*" in status.paused else ", ".join(status.paused)
        return [
            *wrapped(f"Entries paused: {names}.", width - 1, "arming"),
            note(":unpause asks for a word."),
        ]
    return wrapped(status.best or "No proposal.", width - 1, "text-muted")


class Card(LinePane):
    """The APPROVE pane."""

    def idle_rows(self, scene: Scene, typed: Typed) -> int:
        """Rows the pane needs while there is no card."""
        return len(empty_lines(scene, typed, self.body_size[0] or COMPACT_WIDTH))

    def show(self, scene: Scene, typed: Typed, *, compact: bool, reduced: bool = False) -> None:
        width, height = self.body_size
        card = scene.card
        if card is None:
            rows = empty_lines(scene, typed, width)
            mark = "" if compact else scene.watermark
            self.paint(rows, head("APPROVE"), dim=scene.dim and scene.view.status is None, mark=mark)
            return
        if reduced:
            rows = reduced_lines(scene, card, width)
        elif compact:
            rows = compact_lines(scene, card, width)
        else:
            rows = column_lines(scene, card, width, height)
        number = next((i for i, row in enumerate(scene.cards, 1) if row.id == card.id), 1)
        right: Line = ()
        if compact:
            right = line(("exp ", "text-muted"), (countdown(scene.in_s(card.expires_ns)), "strong"))
        title = head(f"APPROVE {number} of {len(scene.cards)}")
        self.paint(rows, title, right, dim=scene.dim)
