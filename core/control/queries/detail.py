"""One market from near, and the day's result."""

from __future__ import annotations

from core.control.queries.fields import (
    LABEL,
    TICKER,
    Field,
    as_object,
    at,
    message_age,
    money,
    nested,
    optional,
    price,
    quantity,
    venue_of,
)
from core.control.queries.markets import MARKETS
from core.control.queries.models import MODEL
from core.control.queries.orders import ORDERS, POSITIONS

LEVELS: tuple[Field, ...] = (
    Field("price", "of YES", lambda r, n: price(r.price)),
    Field("quantity", "contracts that rest there", lambda r, n: quantity(r.quantity)),
)

TRADES: tuple[Field, ...] = (
    Field("time", "world time", lambda r, n: at(r.at_world_ms)),
    *LEVELS[:1],
    Field("quantity", "contracts", lambda r, n: quantity(r.quantity)),
    Field("buys", "whether YES was bought, or NO sold", lambda r, n: r.buys),
)

QUARANTINE: tuple[Field, ...] = (
    Field("reason", "why it is presumed a data fault", lambda r, n: r.reason),
    Field("outcome", "YES or NO, bought", lambda r, n: r.outcome),
    Field("price", "of that outcome", lambda r, n: price(r.price)),
    Field("style", "post-only or ioc", lambda r, n: r.style),
    Field("edge", "net, a contract", lambda r, n: price(r.edge)),
    Field("evidence", "what the fair value rests on", lambda r, n: list(r.evidence)),
)

MARKET: tuple[Field, ...] = (
    TICKER,
    LABEL,
    Field("title", "the venue's question", lambda r, n: n.statics[r.key].title),
    Field("venue", "where it trades", lambda r, n: venue_of(r.key, n)),
    Field("bids", "levels of YES, best first, see market.levels", lambda r, n: nested(LEVELS, r.bids, n)),
    Field("asks", "levels of YES, best first, see market.levels", lambda r, n: nested(LEVELS, r.asks, n)),
    Field("book_age_s", "since the last message of this book", lambda r, n: message_age(r.message_ms, n)),
    Field("intact", "whether no message of this book is missing", lambda r, n: r.intact),
    Field(
        "trades",
        "public trades since the engine listens, newest first, see market.trades",
        lambda r, n: nested(TRADES, r.trades, n),
    ),
    Field("settles", "whose word settles it", lambda r, n: r.settles),
    Field("rules", "how the venue's text begins", lambda r, n: r.rules),
    Field(
        "quarantine",
        "the order that is too good to be proposed, see market.quarantine; null where there is none",
        lambda r, n: optional(QUARANTINE, r.quarantine, n),
    ),
    Field("closes", "when, in New York's time, by which both venues' rules go", lambda r, n: r.closes),
    Field("listed", "its row among all, see markets", lambda r, n: as_object(MARKETS, r.listed, n)),
    Field("stage", "how far it gets on its way to a proposal, see funnel", lambda r, n: r.stage),
    Field("why", "what keeps it there", lambda r, n: r.why),
    Field(
        "model",
        "what is said of its event, see market.model; null where nothing can be",
        lambda r, n: optional(MODEL, r.model, n),
    ),
    Field("orders", "those that work there, see orders", lambda r, n: nested(ORDERS, r.orders, n)),
    Field(
        "position",
        "what is held there, see positions; null for nothing",
        lambda r, n: optional(POSITIONS, r.position, n),
    ),
)

POINTS: tuple[Field, ...] = (
    Field("time", "world time from which on it held", lambda r, n: at(r.at_world_ms)),
    Field("bid", "best YES bid", lambda r, n: price(r.bid)),
    Field("ask", "best YES ask", lambda r, n: price(r.ask)),
    Field("fair", "fair value of YES", lambda r, n: price(r.fair)),
    Field("sigma", "one standard error of fair", lambda r, n: price(r.sigma)),
)

HISTORY: tuple[Field, ...] = (
    TICKER,
    Field(
        "points",
        "oldest first, the last is now, see history.points",
        lambda r, n: nested(POINTS, r.points, n),
    ),
    Field("fills", "ours, oldest first, see history.fills", lambda r, n: nested(TRADES, r.fills, n)),
)

RESULTS: tuple[Field, ...] = (
    Field("time", "world time from which on it held", lambda r, n: at(r.at_world_ms)),
    Field("made", "result of the day until then", lambda r, n: money(r.made)),
)

EQUITY: tuple[Field, ...] = (
    Field("day", "UTC date of world time", lambda r, n: r.day),
    Field(
        "points",
        "oldest first, the last is now, see equity.points",
        lambda r, n: nested(RESULTS, r.points, n),
    ),
)
