"""The card of one order: what it says of the order, its value, size, depth, limits and data, in groups."""

from __future__ import annotations

from collections.abc import Callable

from core.control.tables.cards import BeforeRow, ProposalRow
from tui.format import (
    UNKNOWN,
    age,
    cents,
    count,
    dollars,
    dollars_up,
    fit_name,
    short_dollars,
    signed_tenths,
    tenths,
    until,
    venue_short,
)
from tui.lines import Line, line, width_of
from tui.scene import Scene
from tui.words import card_market, profile_role, profile_word, side_word

MOVED_SHOWN_S = 15.0
"""How long a card says what it was before it moved."""
_NAME_LEAST = 20
"""Cells of a market's name that tell it from its neighbours: its strike, and whose it is."""


def essential(scene: Scene, card: ProposalRow, width: int) -> list[Line]:
    """What a card cannot be approved without: market, side, size and price, and what can be lost."""
    sized, max_loss = order(scene, card)[0], _max_loss(card)
    return [_name(scene, card, width), *side(card), sized, max_loss]


def needed(scene: Scene, card: ProposalRow) -> list[Line]:
    """The groups of the order's line that never give way."""
    return [order(scene, card)[0], _max_loss(card)]


def first(scene: Scene, card: ProposalRow, width: int, sides: list[Line]) -> list[Line]:
    """Profile, venue, market, then the ``sides`` that share the row; the market's name gives way to them."""
    where = place(scene, card)
    taken = sum(width_of(group) + 1 for group in (where, *sides) if group)
    return [where, _name(scene, card, width - taken), *sides]


def place(scene: Scene, card: ProposalRow) -> Line:
    static = scene.view.statics.get(card.key)
    venue = venue_short(static.venue) if static is not None else "?"
    return line((profile_word(scene.view.profile), profile_role(scene.view.profile)), " " + venue)


def side(card: ProposalRow) -> list[Line]:
    closes = line(("REDUCES RISK", "good")) if card.closes else ()
    return [side_word(card.outcome, closes=card.closes), closes]


def _name(scene: Scene, card: ProposalRow, room: int) -> Line:
    text = card_market(scene, card)
    return line((fit_name(text, min(len(text), max(room, _NAME_LEAST))).rstrip(), "strong"))


def _max_loss(card: ProposalRow) -> Line:
    return line(("max loss ", "text-muted"), (dollars(card.max_loss), "strong"))


def settles(scene: Scene, card: ProposalRow) -> str:
    static = scene.view.statics.get(card.key)
    left = None if static is None else scene.view.close_in_s(static.close_world_ms, scene.now)
    return f"closes in {until(left)}"


def order(scene: Scene, card: ProposalRow) -> list[Line]:
    step = scene.view.step(card.key)
    was, moved = moved_from(scene, card), ""
    if was is not None and (was.quantity, was.price) != (card.quantity, card.price):
        moved = f" MOVED, was {count(was.quantity)} @ {cents(was.price, step)}c"
    cost = _was(dollars(was.cost), dollars(card.cost)) if was is not None else ()
    return [
        line(
            (f"{count(card.quantity)} @ {cents(card.price, step)}c", "strong"),
            f" {card.style}",
            (moved, "arming"),
        ),
        line(
            ("gets " if card.closes else "cost ", "text-muted"),
            dollars(card.cost),
            " " if cost else "",
            *cost,
        ),
        line(("fee ", "text-muted"), f"{dollars(card.fee)} ({card.fee_role})"),
        _max_loss(card),
        line(("max gain ", "text-muted"), dollars(card.max_gain)),
    ]


def moved_from(scene: Scene, card: ProposalRow) -> BeforeRow | None:
    """What the card said before it moved, for as long as that is news."""
    return card.was if scene.ago_s(card.changed_ns) < MOVED_SHOWN_S else None


def _was(old: str, new: str) -> Line:
    """What a figure was, where it reads differently."""
    return line((f"was {old}", "arming")) if old != new else ()


def value(scene: Scene, card: ProposalRow) -> list[Line]:
    step, was = scene.view.step(card.key), moved_from(scene, card)
    role = "edge-trade" if card.edge > 0 else "edge-none"
    fair, edge = in_cents(tenths, card, card.fair), in_cents(signed_tenths, card, card.edge)
    known = was is not None and was.fair is not None and card.fair is not None
    old_fair = _was(f"{tenths(was.fair)}c", fair) if was is not None and known else ()
    old_edge = _was(f"{signed_tenths(was.edge)}c", edge) if was is not None and known else ()
    sigma = "" if card.fair is None else f" +/-{tenths(card.sigma)}"
    return [
        line(("fair ", "text-muted"), (fair, "fair"), sigma),
        old_fair,
        line(("book ", "text-muted"), f"{cents(card.bid, step)}/{cents(card.ask, step)}c"),
        line(("net edge ", "text-muted"), (edge, role), " " if old_edge else "", *old_edge),
        _pool(card),
        _sharpened(card),
        line(("at half size ", "text-muted"), in_cents(signed_tenths, card, card.edge_half)),
    ]


def in_cents(words: Callable[[int | None], str], card: ProposalRow, figure: int | None) -> str:
    """A figure of what a model says of the card; where none does there is no figure."""
    return UNKNOWN if card.fair is None else f"{words(figure)}c"


def valued(groups: list[Line]) -> list[Line]:
    """Those of ``value`` that never give way: fair value and net edge."""
    return [groups[0], groups[3]]


def _pool(card: ProposalRow) -> Line:
    """What the fair value is made of, and what the model counts in it."""
    if card.model is None:
        return ()
    market = "" if card.market is None else f" market {tenths(card.market)}c"
    return line(
        ("model ", "text-muted"), f"{tenths(card.model)}c", (f" x{card.weight:.2f}{market}", "text-muted")
    )


def _sharpened(card: ProposalRow) -> Line:
    """The market as it counts in the fair value, where that reads otherwise."""
    if card.market is None or tenths(card.sharpened) == tenths(card.market):
        return ()
    return line((f"sharpened {tenths(card.sharpened)}c", "text-muted"))


def size(scene: Scene, card: ProposalRow) -> list[Line]:
    """What bound the size; of a sale also how much may be sold at all: confirmed, and in no other sale."""
    bound = line(("bound by ", "text-muted"), card.bound_by or "the order")
    if card.closes:
        held = scene.view.positions.get(card.key)
        return [line(("sellable ", "text-muted"), UNKNOWN if held is None else count(held.sellable)), bound]
    return [
        line(("full kelly ", "text-muted"), UNKNOWN if card.by_hand else f"{card.kelly_full:.1%}"),
        () if card.by_hand else line(("used ", "text-muted"), f"{card.kelly_used:.3g} x {card.shrink:.2f}"),
        bound,
    ]


def depth(scene: Scene, card: ProposalRow) -> list[Line]:
    price = cents(card.price, scene.view.step(card.key))
    rests = card.style == "post-only" and not card.closes
    return [
        line(("depth ", "text-muted"), f"{count(card.ahead)} ahead at {price}c"),
        _expected(scene, card) if rests else (),
        line(("spread ", "text-muted"), f"{card.spread_ticks}t"),
        line(("takes ", "text-muted"), f"{card.share:.0%}"),
    ]


def _expected(scene: Scene, card: ProposalRow) -> Line:
    """What is thought to fill within the hour. The figure counts who comes for the best price: of an order
    that waits behind it no more is known than how far that is away."""
    title = ("expected fill ", "text-muted")
    if card.bid is not None and card.price < card.bid:
        return line(title, f"{UNKNOWN} {cents(card.bid - card.price, scene.view.step(card.key))}c behind")
    return line(title, f"{card.fill:.0%} in 1 h")


def limits(card: ProposalRow) -> list[Line]:
    groups = [line(("pos ", "text-muted"), f"{count(card.position)} -> {count(card.position_after)}")]
    for used in card.used:
        after = used.used + used.adds
        full = after / used.limit if used.limit > 0 else 1.0
        role = "breach" if full > 1 else "near" if full >= 0.8 else "text"
        figure = dollars(after) if after < 100_000_000 and used.name != "total" else dollars_up(after)
        groups.append(line((used.name + " ", "text-muted"), (f"{figure}/{short_dollars(used.limit)}", role)))
    return groups


def data(scene: Scene, card: ProposalRow) -> list[Line]:
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


def reasons(card: ProposalRow) -> list[Line]:
    return [
        line(("why ", "text-muted"), card.why) if card.why else (),
        line(("against ", "text-muted"), card.against) if card.against else (),
    ]
