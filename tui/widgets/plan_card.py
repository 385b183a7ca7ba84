"""The card of a plan: what its sets cost and are sure to bring, what is lost if legs fail, each leg, and what
can go wrong. It takes the place of the lines of a card that are about one order."""

from __future__ import annotations

from core.control.tables.cards import LegRow, PlanRow, ProposalRow
from tui.format import cents, count, dollars, signed_tenths, venue_short
from tui.lines import Line, cut, flow, line
from tui.scene import Scene
from tui.widgets.text_pane import wrapped
from tui.words import profile_role, profile_word, side_word

LEG_ROWS = 3
"""Rows of legs on a card of one column; all of them are on the screen of its evidence."""


def first(scene: Scene, card: ProposalRow, plan: PlanRow) -> list[Line]:
    """What it is and where."""
    event, places = scene.view.event_of(card.key), venues(scene, plan)
    profile = (profile_word(scene.view.profile), profile_role(scene.view.profile))
    return [
        line(profile, f" {'+'.join(places) or '?'}"),
        line((plan.kind, "strong")),
        line(event.label if event is not None and len(places) == 1 else ""),
        line(f"{len(plan.legs)} legs, each takes"),
    ]


def essential(scene: Scene, card: ProposalRow, plan: PlanRow, width: int) -> list[Line]:
    """What a plan cannot be approved without: its kind, size, cost and worst case, and its legs."""
    sets, cost, *_ = money(card, plan)
    return [
        line((plan.kind, "strong")),
        sets,
        cost,
        worst(card, plan)[0],
        *legs(scene, plan, width, LEG_ROWS),
    ]


def venues(scene: Scene, plan: PlanRow) -> list[str]:
    """Short names of where its legs go."""
    statics = (scene.view.statics.get(leg.key) for leg in plan.legs)
    return list(dict.fromkeys(venue_short(static.venue) for static in statics if static is not None))


def money(card: ProposalRow, plan: PlanRow) -> list[Line]:
    return [
        line((f"{count(card.quantity)} sets", "strong")),
        line(("cost ", "text-muted"), dollars(card.cost)),
        line(("fee ", "text-muted"), dollars(card.fee)),
        line(("pays ", "text-muted"), dollars(plan.pays)),
        line(("profit ", "text-muted"), (dollars(plan.profit), "edge-trade")),
        line(("a set ", "text-muted"), _a_set(card)),
    ]


def _a_set(card: ProposalRow) -> str:
    """What a set brings at the limits of its legs, and with the better prices that are shown before them."""
    least, shown = (f"{signed_tenths(edge)}c" for edge in (card.edge, card.edge_half))
    return least if shown == least else f"{least}..{shown}"


def worst(card: ProposalRow, plan: PlanRow) -> list[Line]:
    return [
        line(("if legs fail max loss ", "text-muted"), (dollars(plan.worst), "strong")),
        line(("bound by ", "text-muted"), card.bound_by),
    ]


def leg(scene: Scene, row: LegRow, *, alone: bool) -> Line:
    """``YES 48-49 @ 12c``; ``alone`` in a list of its own, with market and size."""
    view = scene.view
    bracket = view.bracket_of(row.key)
    price = f"{cents(row.price, view.step(row.key))}c"
    if alone:
        side = side_word(row.outcome, closes=False)
        return line(*side, f" {count(row.quantity)} @ {price}  ", view.named(row.key))
    role = "yes" if row.outcome == "YES" else "no"
    return line(
        (row.outcome, role), f" {bracket.label if bracket is not None else view.named(row.key)} {price}"
    )


def legs(scene: Scene, plan: PlanRow, width: int, most: int) -> list[Line]:
    """The legs in the order in which they leave, side by side in at most ``most`` rows."""
    named, why = [leg(scene, row, alone=False) for row in plan.legs], scene.keymap.name("card.evidence")
    for kept in range(len(named), 0, -1):
        rest = [line((f"and {len(named) - kept} more: {why}", "text-muted"))] if kept < len(named) else []
        rows = flow([line(("legs", "text-muted")), *named[:kept], *rest], width, 2)
        if len(rows) <= most:
            return rows
    return [cut(row, width) for row in flow(named, width, 2)[:most]]


def wrong(scene: Scene, plan: PlanRow, width: int, most: int) -> list[Line]:
    """What can still go wrong besides a leg that fails, which has a line of its own: ``most`` rows."""
    text = f"can go wrong: {'; '.join(plan.cautions[1:]) or plan.cautions[0]}"
    rows = wrapped(text, width, "text-muted", indent=0)
    if len(rows) > most:
        why = scene.keymap.name("card.evidence")
        rows = [*rows[: most - 1], cut(line(*rows[most - 1], (f" and more: {why}", "text-muted")), width)]
    return rows


def short(row: ProposalRow, plan: PlanRow) -> Line:
    """A waiting plan in a few words."""
    return line(f"{plan.kind} {count(row.quantity)} sets  {signed_tenths(row.edge)}c a set")


def in_full(scene: Scene, plan: PlanRow, width: int) -> list[Line]:
    """Every leg in a row and everything that can go wrong."""
    said = [line((" legs, in the order in which they leave", "title"))]
    said += [line("  ", *leg(scene, row, alone=True)) for row in plan.legs]
    said.append(line((" what can go wrong", "title")))
    for caution in plan.cautions:
        said += wrapped(caution, width, indent=2)
    return said
