"""Markets, pairs linked across venues, and what settles a market."""

from __future__ import annotations

from core.control.queries.fields import (
    LABEL,
    TICKER,
    Field,
    at,
    message_age,
    money,
    nested,
    price,
    quantity,
    venue_of,
)
from core.control.tables.markets import WayRow

MARKETS: tuple[Field, ...] = (
    TICKER,
    LABEL,
    Field("event", "the venue's name of the event", lambda r, n: n.statics[r.key].event),
    Field("venue", "where it trades", lambda r, n: venue_of(r.key, n)),
    Field("bid", "best YES bid", lambda r, n: price(r.bid)),
    Field("ask", "best YES ask", lambda r, n: price(r.ask)),
    Field("bid_size", "contracts at the best bid", lambda r, n: quantity(r.bid_size)),
    Field("ask_size", "contracts at the best ask", lambda r, n: quantity(r.ask_size)),
    Field(
        "volume", "traded so far as the venue counts: contracts or dollars", lambda r, n: quantity(r.volume)
    ),
    Field("fair", "fair value of YES: model and market pooled", lambda r, n: price(r.fair)),
    Field("model", "what the model says alone", lambda r, n: price(r.model)),
    Field("market", "what the market says, normalised; null: not pooled", lambda r, n: price(r.market)),
    Field("weight", "of the model in the pool, 0 to 1", lambda r, n: r.weight),
    Field("sigma", "one standard error of fair", lambda r, n: price(r.sigma)),
    Field("edge", "best net edge a contract", lambda r, n: price(r.edge)),
    Field("edge_state", "stale, quar, conf or empty", lambda r, n: r.edge_word),
    Field("change", "change of fair within the world's last hour", lambda r, n: price(r.change)),
    Field("net", "contracts held, positive YES, negative NO", lambda r, n: quantity(r.net)),
    Field("mark", "our best working order, or card", lambda r, n: r.mark),
    Field("book_age_s", "since the last message of this book", lambda r, n: message_age(r.message_ms, n)),
    Field("intact", "whether no message of this book is missing", lambda r, n: r.intact),
    Field("status", "the venue's word unless active", lambda r, n: r.status or "active"),
    Field("closes", "close of trading, world time", lambda r, n: at(n.statics[r.key].close_world_ms)),
)

WAYS: tuple[Field, ...] = (
    Field("first", "outcome bought on the first market", lambda r, n: r.first),
    Field("second", "and on the second", lambda r, n: r.second),
    Field("quantity", "pairs both books have, at most what is compared", lambda r, n: quantity(r.quantity)),
    Field("cost", "of both, before fees", lambda r, n: _of_way(r, money(r.cost))),
    Field("fee", "the most that both venues' taker fees come to", lambda r, n: _of_way(r, money(r.fee))),
    Field(
        "difference",
        "one dollar less cost and fees, a contract; null where why says so",
        lambda r, n: price(r.difference),
    ),
    Field("why", "why they cannot be bought together now, else empty", lambda r, n: r.why),
)

LINKS: tuple[Field, ...] = (
    Field("first", "the venue's name of the first market", lambda r, n: r.first),
    Field("first_venue", "and its venue", lambda r, n: venue_of(r.first_key, n)),
    Field("second", "the venue's name of the second market", lambda r, n: r.second),
    Field("second_venue", "and its venue", lambda r, n: venue_of(r.second_key, n)),
    Field("opposite", "whether YES of one is NO of the other", lambda r, n: r.opposite),
    Field("state", "linked, or unpinned: a text reads differently, link again", lambda r, n: r.state),
    Field("why", "what unpinned it, else empty", lambda r, n: r.why),
    Field("quantity", "how many are compared", lambda r, n: quantity(r.quantity)),
    Field(
        "ways",
        "YES of the first market, then NO, see links.ways; empty while unpinned",
        lambda r, n: nested(WAYS, r.ways, n),
    ),
    Field("apart", "what is known to differ between the two", lambda r, n: list(r.apart)),
    Field("first_book_age_s", "since its last message", lambda r, n: message_age(r.first_ms, n)),
    Field(
        "second_book_age_s", "since the last message of its book", lambda r, n: message_age(r.second_ms, n)
    ),
    Field("caution", "why none of it is riskless", lambda r, n: r.caution),
    Field("by", "who linked them", lambda r, n: r.by),
    Field("linked", "and when, real time", lambda r, n: at(r.wall_ms)),
)

RULES: tuple[Field, ...] = (
    Field("ticker", "the venue's name of the market", lambda r, n: r.ticker),
    Field("venue", "and its venue", lambda r, n: r.venue),
    Field("hash", "of the venue's words as they read now", lambda r, n: r.hash),
    Field("pinned", "hash of the text that counts on this desk", lambda r, n: r.pinned),
    Field("series", "the series it is of", lambda r, n: r.series),
    Field("waits", "why nothing is opened before you confirm something", lambda r, n: r.waits),
    Field("mark", "of the text, for confirm source; empty unless it waits", lambda r, n: r.mark),
    Field("text", "the venue's words on one line, cut where they are very long", lambda r, n: r.text),
)


def _of_way(row: WayRow, value: str | None) -> str | None:
    return None if row.why else value
