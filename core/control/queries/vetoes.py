"""What people said no to, and what it would have come to."""

from __future__ import annotations

from core.control.queries.fields import PRICE, SIDE, Field, at, money, nested, price, quantity

WORTH: tuple[Field, ...] = (
    Field("reason", "price, data, news, size or other; empty: none was told", lambda r, n: r.reason),
    Field("vetoes", "how many; a trade vetoed again counts once", lambda r, n: r.vetoes),
    Field("settled", "of these settled", lambda r, n: r.settled),
    Field("right", "of the settled ones those that would have lost money", lambda r, n: r.right),
    Field("made", "what those would have made, filled whole, fees paid", lambda r, n: money(r.made)),
    Field("expected", "each by the share of it expected to fill", lambda r, n: money(r.expected)),
)

VETOED: tuple[Field, ...] = (
    Field("id", "of the proposal", lambda r, n: r.id),
    Field("at", "world time", lambda r, n: at(r.at_world_ms)),
    Field("label", "short name of its market, or of its first", lambda r, n: r.label),
    SIDE,
    PRICE,
    Field("quantity", "contracts", lambda r, n: quantity(r.quantity)),
    Field("orders", "more than one: a plan, whose first order is told", lambda r, n: r.orders),
    Field("edge", "net edge a contract", lambda r, n: price(r.edge)),
    Field("fill", "share expected to fill within an hour", lambda r, n: round(r.fill, 2)),
    Field("reason", "why: price, data, news, size or other", lambda r, n: r.reason),
    Field("said", "in the operator's own words", lambda r, n: r.said),
    Field("by", "whose veto", lambda r, n: r.by),
    Field("ended", "whether its markets have a result", lambda r, n: r.ended),
    Field(
        "made",
        "what it would have made; of a sale, against holding on; null: not known",
        lambda r, n: money(r.made),
    ),
    Field("again", "the trade had been vetoed before", lambda r, n: r.again),
)

VETOES: tuple[Field, ...] = (
    Field("worth", "one object a reason, see vetoes.worth", lambda r, n: nested(WORTH, r.worth, n)),
    Field("vetoes", "the newest first, see vetoes.vetoes", lambda r, n: nested(VETOED, r.vetoes, n)),
)
