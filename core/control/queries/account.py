"""Readings of the venues' accounts and what differs."""

from __future__ import annotations

from core.control.queries.fields import Field, age, at, money, nested

EVENTS_OF: tuple[Field, ...] = (
    Field("seq", "its number in the journal", lambda r, n: r.seq),
    Field("time", "real time", lambda r, n: at(r.wall_ms)),
    Field("kind", "what kind of event", lambda r, n: r.kind),
    Field("text", "what happened", lambda r, n: r.text),
    Field("order", "our order id, empty without one", lambda r, n: r.order_id),
)

DIFFERENCES: tuple[Field, ...] = (
    Field("row", "its row of the table of differences", lambda r, n: r.row),
    Field("venue", "whose account it is", lambda r, n: r.venue),
    Field("about", "order, fill, position or cash", lambda r, n: r.about),
    Field("ticker", "market, empty for cash", lambda r, n: r.ticker),
    Field("subject", "order or trade id, empty for a position", lambda r, n: r.subject),
    Field("ours", "what our record says", lambda r, n: r.ours),
    Field("theirs", "what the venue says", lambda r, n: r.theirs),
    Field("age_s", "since it was first seen", lambda r, n: age(r.since_ns, n)),
    Field("reads", "complete readings that showed it", lambda r, n: r.reads),
    Field("acted", "whether it has stopped what it stops", lambda r, n: r.acted),
    Field("halts", "what it stops, empty for nothing", lambda r, n: r.halts),
    Field(
        "events",
        "positions: the last ten of orders and fills of that market, see reconcile.differences.events",
        lambda r, n: nested(EVENTS_OF, r.events, n),
    ),
)

_READ: tuple[Field, ...] = (
    Field("age_s", "since it ended", lambda r, n: age(r.at_ns or None, n)),
    Field("complete", "whether everything could be read", lambda r, n: r.complete),
    Field("reason", "what started it, or what could not be read", lambda r, n: r.reason),
)
_AGREED: tuple[Field, ...] = (
    Field("clean_age_s", "since the last one that agreed", lambda r, n: age(r.clean_ns, n)),
    Field("doubt", "why no entries leave before one that agrees", lambda r, n: r.doubt),
)

LINES: tuple[Field, ...] = (
    Field("venue", "whose account", lambda r, n: r.venue),
    Field("about", "cash, position or order", lambda r, n: r.about),
    Field("ticker", "market, empty for cash", lambda r, n: r.ticker),
    Field("subject", "order id, empty for the others", lambda r, n: r.subject),
    Field("ours", "what our record says", lambda r, n: r.ours),
    Field("theirs", "what the venue said last", lambda r, n: r.theirs),
    Field(
        "agreement",
        "agrees, explained by what is open, differs, moved since, unknown or external",
        lambda r, n: r.agreement,
    ),
    Field("age_s", "since a complete read of the account", lambda r, n: age(r.read_ns, n)),
)

ACCOUNTS: tuple[Field, ...] = (
    Field("venue", "whose account", lambda r, n: r.venue),
    Field("reading", "number of its last reading, 0 before the first", lambda r, n: r.number),
    *_READ,
    Field("differences", "how many", lambda r, n: r.differences),
    *_AGREED,
    Field("cash", "free balance there", lambda r, n: money(r.cash)),
)

RECONCILE: tuple[Field, ...] = (
    Field("reading", "number of the last reading of the account", lambda r, n: r.number),
    *_READ,
    Field(
        "agrees",
        "whether it was complete and nothing differs",
        lambda r, n: r.complete and not r.differences,
    ),
    *_AGREED,
    Field(
        "differences",
        "one object a difference, see reconcile.differences",
        lambda r, n: nested(DIFFERENCES, r.differences, n),
    ),
    Field(
        "accounts",
        "one object a venue, see reconcile.accounts",
        lambda r, n: nested(ACCOUNTS, r.accounts, n),
    ),
)
