"""The approval card: what would be traded, why, and what it does to the limits, in nine lines.

One-column layouts give each line one row; in a column of its own the groups of a line wrap.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.control.tables.cards import PlanRow, ProposalRow
from tui.format import cents, count, countdown, signed_tenths
from tui.lines import Line, Span, cut, ends, flow, line, width_of
from tui.scene import COMPACT_WIDTH, Scene, Typed, head
from tui.widgets import order_card, plan_card
from tui.widgets.card_state import keys_line, state_groups, state_rows
from tui.widgets.line_pane import LinePane
from tui.widgets.no_card import empty_lines
from tui.words import card_role, side_word

_SIDE_WIDTH = 58
_ROWS = 9
"""Rows that show a card whole where a row has room for a line of it."""
_TITLE_EDGES = 8
"""Cells of the rule around a title."""


def _first(scene: Scene, card: ProposalRow, width: int) -> list[Line]:
    if card.plan is not None:
        return plan_card.first(scene, card, card.plan)
    return order_card.first(scene, card, width, order_card.side(card))


def _joined(groups: list[Line], gap: int) -> Line:
    """Groups in one row, ``gap`` cells between them."""
    parts: list[Span | str] = []
    for group in groups:
        parts += ([" " * gap] if parts else []) + list(group)
    return line(*parts)


def _squeezed(groups: list[Line], width: int, needed: Sequence[Line] = ()) -> Line:
    """Groups in one row: smaller gaps first, then the last groups give way, those ``needed`` after all
    others; digits are never cut."""
    kept = [group for group in groups if group]
    while kept:
        for gap in (3, 2, 1):
            if sum(map(width_of, kept)) + gap * (len(kept) - 1) <= width:
                return _joined(kept, gap)
        if len(kept) == 1:
            return cut(kept[0], width)
        del kept[max(at for at, group in enumerate(kept) if group not in needed or len(kept) <= len(needed))]
    return ()


def _shared(groups: list[Line], width: int) -> Line:
    """Two sentences in one row, each cut to what the other leaves it."""
    kept = [group for group in groups if group]
    if len(kept) == 2:
        second = min(width_of(kept[1]), max(width - width_of(kept[0]) - 3, width * 2 // 5))
        return line(*cut(kept[0], width - second - 3), "   ", *cut(kept[1], second))
    return cut(kept[0], width) if kept else ()


def _size_row(scene: Scene, card: ProposalRow, width: int) -> Line:
    """What binds is never left out: its name gets the room that the other groups leave."""
    *kelly, bound = order_card.size(scene, card)
    return _squeezed([*kelly, cut(bound, width - sum(width_of(group) + 1 for group in kelly))], width)


def compact_lines(scene: Scene, card: ProposalRow, width: int) -> list[Line]:
    """The card in nine rows of a one-column layout. What blocks it takes the place of the reasons."""
    first = _squeezed(_first(scene, card, width - 18), width - 18)
    if card.plan is not None:
        return _plan_lines(scene, card, card.plan, first, width)
    blocked = [cut(group, width) for group in state_groups(scene, card)] if card.state == "BLOCKED" else []
    value = order_card.value(scene, card)
    last = [_shared(order_card.reasons(card), width), _with_next(scene, card, width)]
    return [
        ends(first, line((order_card.settles(scene, card), "text-muted")), width),
        _squeezed(order_card.order(scene, card), width, order_card.needed(scene, card)),
        _squeezed(value, width, order_card.valued(value)),
        _size_row(scene, card, width),
        _squeezed(order_card.depth(scene, card), width),
        _squeezed(order_card.limits(card), width),
        _shared(order_card.data(scene, card), width),
        *(blocked if len(blocked) == len(last) else last),
    ]


def _plan_lines(scene: Scene, card: ProposalRow, plan: PlanRow, first: Line, width: int) -> list[Line]:
    """A plan in as many rows: its legs have those of one order's value, size and depth."""
    blocked = state_rows(state_groups(scene, card), width)[:2] if card.state == "BLOCKED" else []
    last = blocked or [_with_next(scene, card, width)]
    room = 6 - len(last)
    legs = plan_card.legs(scene, plan, width, plan_card.LEG_ROWS)
    wrong = plan_card.wrong(scene, plan, width, room - 1 - len(legs))
    return [
        ends(first, line((order_card.settles(scene, card), "text-muted")), width),
        _squeezed(plan_card.money(card, plan), width),
        _squeezed(plan_card.worst(card, plan), width),
        *legs,
        _squeezed(order_card.limits(card)[1:], width),
        *wrong,
        *[()] * (room - 1 - len(legs) - len(wrong)),
        *last,
    ]


def reduced_lines(scene: Scene, card: ProposalRow, width: int, height: int) -> tuple[list[Line], bool]:
    """The card for terminals below the smallest size, most important first, and whether what it cannot be
    approved without is all there, with its state below it."""
    plan = card.plan
    if plan is None:
        groups, more = order_card.essential(scene, card, width), order_card.order(scene, card)
    else:
        groups, more = plan_card.essential(scene, card, plan, width), plan_card.money(card, plan)
    rows = flow(groups, width, 2, indent=0)
    state = state_rows(state_groups(scene, card), width)
    if len(rows) >= height or any(width_of(group) > width for group in groups):
        return [*state[:1], *rows], False
    if len(state) == 1:
        state = [line(*state[0], *keys_line(scene, card, width - width_of(state[0])))]
    rows += state[: height - len(rows)]
    settles = line((order_card.settles(scene, card), "text-muted"))
    rows += flow([group for group in more if group not in groups], width, 2, indent=0)
    rows += flow([order_card.place(scene, card), settles], width, 2, indent=0)
    if plan is None:
        rows += flow(order_card.value(scene, card), width, 2, indent=0)
    rows += flow(order_card.limits(card), width, 2, indent=0)
    return [*rows, _shared(order_card.data(scene, card), width)], True


def column_lines(scene: Scene, card: ProposalRow, width: int, height: int) -> list[Line]:
    """The card in a column of its own, wrapped, with the waiting cards below it. Where there are too few
    rows, lines are drawn together; the reasons, and the state that decides what a key does, stay."""
    inner = width - 1
    # The state first, for it takes its rows whatever else there is.
    groups = state_groups(scene, card)
    if len(groups) == 1 and width_of(groups[0]) <= len(scene.card_word) + 2:
        groups = [line(*groups[0], *keys_line(scene, card, inner - width_of(groups[0])))]
    state = state_rows(groups, inner)
    others = [other for other in scene.cards if other.id != card.id]
    room = max(0, height - len(state) - min(1, len(others)))
    rows = _said(scene, card, inner, room)[:room] + state
    room = height - len(rows)
    if room > len(others[:1]):
        rows.append(())
        room -= 1
    rows += [_waiting(scene, other, inner) for other in others[:room]]
    return [line(" ", *cut(row, inner)) for row in rows]


def _expiry(scene: Scene, card: ProposalRow) -> Line:
    """How long the card may wait; one that was sent waits no more, and its order has an end of its own."""
    if card.state == "SENT":
        return ()
    return line(("exp ", "text-muted"), (countdown(scene.in_s(card.expires_ns)), "strong"))


def _said(scene: Scene, card: ProposalRow, inner: int, room: int) -> list[Line]:
    """What the card says besides its state, in ``room`` rows where it can be."""
    expiry = _expiry(scene, card)
    first, order = _first(scene, card, inner - 10), order_card.order(scene, card)
    plan = card.plan
    if plan is not None:
        order = [*plan_card.money(card, plan), *plan_card.worst(card, plan)]
    elif inner < _SIDE_WIDTH:
        # The side never gives way: in a narrow column it leads the order's line.
        first, order = order_card.first(scene, card, inner - 10, []), [*order_card.side(card), *order]
    rows = [ends(_squeezed(first, inner - 10), expiry, inner)]
    rows += flow([*order, line((order_card.settles(scene, card), "text-muted"))], inner, 2)
    if plan is not None:
        rows += plan_card.legs(scene, plan, inner, len(plan.legs))
        rows += flow(order_card.limits(card)[1:], inner, 2)
        return rows + plan_card.wrong(scene, plan, inner, len(plan.cautions) + 2)
    value, depth, limits = (
        order_card.value(scene, card),
        order_card.depth(scene, card),
        order_card.limits(card),
    )
    sections = {
        "value": flow(value, inner, 2),
        "size": flow(order_card.size(scene, card), inner, 2),
        "depth": flow(depth, inner, 2),
        "limits": flow(limits, inner, 2),
        "data": [_shared(order_card.data(scene, card), inner)],
    }
    reasons = [cut(group, inner) for group in order_card.reasons(card) if group]
    in_one = {  # the first to give way first
        "depth": _squeezed(depth, inner),
        "size": _size_row(scene, card, inner),
        "value": _squeezed(value, inner, order_card.valued(value)),
        "limits": _squeezed(limits, inner),
    }

    def over() -> bool:
        return len(rows) + sum(map(len, sections.values())) + len(reasons) > room

    for name, row in in_one.items():
        if over():
            sections[name] = [row]
    if over():
        reasons = [_shared(order_card.reasons(card), inner)] if reasons else []
    for name in ("depth", "data", "size"):
        if over():
            del sections[name]
    rows += [row for section in sections.values() for row in section]
    return [*rows[: max(0, room - len(reasons))], *reasons]


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
        f" {count(card.quantity)} @ {price}  {order_card.in_cents(signed_tenths, card, card.edge)}",
    )


def _with_next(scene: Scene, card: ProposalRow, width: int) -> Line:
    state = cut(_joined(state_groups(scene, card), 2), width)
    others = [other for other in scene.cards if other.id != card.id]
    if not others or width_of(state) > 22:
        if width_of(state) <= 22:
            state = line(*state, *keys_line(scene, card, width - width_of(state)))
        return cut(state, width)
    nearest = others[0]
    expiry = line((f"exp {countdown(scene.in_s(nearest.expires_ns))}", "text-muted"))
    text = line(
        *state,
        ("  next ", "text-muted"),
        *_in_short(scene, nearest),
    )
    return ends(text, expiry, width)


def waiting_word(scene: Scene, room: int) -> str:
    """What finds no room in the queue, for its title: how many, why, and the best of them."""
    status = scene.view.status
    if status is None or not status.waiting:
        return ""
    why = f"+{status.waiting} wait for room: {status.waiting_best}"
    return why if len(why) <= room else f"+{status.waiting} wait: {status.waiting_best}"


class Card(LinePane):
    """The APPROVE pane."""

    whole = False
    """Whether it shows all that a card cannot be approved without."""

    def idle_rows(self, scene: Scene, typed: Typed) -> int:
        """Rows the pane needs while there is no card."""
        return len(empty_lines(scene, typed, self.body_size[0] or COMPACT_WIDTH))

    def show(self, scene: Scene, typed: Typed, *, compact: bool, reduced: bool = False) -> None:
        width, height = self.body_size
        card = scene.card
        self.whole = card is not None and height >= _ROWS
        if card is None:
            rows = empty_lines(scene, typed, width)
            mark = "" if compact else scene.watermark
            self.paint(rows, head("APPROVE"), dim=scene.dim and scene.view.status is None, mark=mark)
            return
        if reduced:
            rows, self.whole = reduced_lines(scene, card, width, height)
        elif compact:
            rows = compact_lines(scene, card, width)
        else:
            rows = column_lines(scene, card, width, height)
        number = next((i for i, row in enumerate(scene.cards, 1) if row.id == card.id), 1)
        right: Line = ()
        if compact:
            right = _expiry(scene, card)
        room = self.size.width - width_of(right) - _TITLE_EDGES
        queue = f"APPROVE {number} of {len(scene.cards)}"
        title = cut(head(queue, waiting_word(scene, room - len(queue) - 1)), room)
        self.paint(rows, title, right, dim=scene.dim)
