"""The queries by name, what each reads, and its answer as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from core.control.queries.account import ACCOUNTS, DIFFERENCES, EVENTS_OF, RECONCILE
from core.control.queries.cards import LEG, PLAN, PROPOSALS
from core.control.queries.fields import Field, Now, as_object, nested
from core.control.queries.funnel import FUNNEL, STOPS
from core.control.queries.markets import LINKS, MARKETS, RULES, WAYS
from core.control.queries.models import BINS, SCORE
from core.control.queries.orders import ORDERS, POSITIONS
from core.control.queries.safety import ALARMS, FLATTEN, FLATTEN_VENUES, LIMITS
from core.control.queries.sources import BUDGET, FEEDS, GAMES, RELEASES, SOURCE, TOLD
from core.control.queries.status import BEAT, STATUS, VENUES
from core.control.tables.account import ReadingRow
from core.control.tables.cards import ProposalRow
from core.control.tables.funnel import StageRow
from core.control.tables.markets import MarketRow, PairRow, RulesRow
from core.control.tables.models import ScoreRow
from core.control.tables.orders import OrderRow, PositionRow
from core.control.tables.safety import AlarmRow, FlattenRow, LimitRow
from core.control.tables.sources import FeedRow, FixtureRow, ReleaseRow, SourceRow
from core.control.tables.status import StatusRow


class Rows(NamedTuple):
    """The rows of the desk a query may read."""

    status: StatusRow
    markets: Iterable[MarketRow] = ()
    proposals: Iterable[ProposalRow] = ()
    orders: Iterable[OrderRow] = ()
    positions: Iterable[PositionRow] = ()
    limits: Iterable[LimitRow] = ()
    links: Iterable[PairRow] = ()
    rules: RulesRow | None = None
    feeds: Iterable[FeedRow] = ()
    source: SourceRow | None = None
    games: Iterable[FixtureRow] = ()
    funnel: Iterable[StageRow] = ()
    score: Iterable[ScoreRow] = ()
    releases: Iterable[ReleaseRow] = ()
    alarms: Iterable[AlarmRow] = ()
    flatten: FlattenRow | None = None
    reading: ReadingRow | None = None


QUERIES: dict[str, tuple[Field, ...]] = {
    "status": STATUS,
    "markets": MARKETS,
    "proposals": PROPOSALS,
    "orders": ORDERS,
    "positions": POSITIONS,
    "limits": LIMITS,
    "reconcile": RECONCILE,
    "alarms": ALARMS,
    "links": LINKS,
    "rules": RULES,
    "feeds": FEEDS,
    "source": SOURCE,
    "games": GAMES,
    "releases": RELEASES,
    "funnel": FUNNEL,
    "score": SCORE,
}

OBJECTS = ("status", "reconcile", "rules", "source")
"""Answered with one object; the others with an array of them."""

PARTS: dict[str, dict[str, tuple[Field, ...]]] = {
    "status": {
        "status.venues": VENUES,
        "status.venues.beat": BEAT,
        "status.feeds": FEEDS,
        "status.feeds.budget": BUDGET,
        "status.releases": RELEASES,
        "status.alarms": ALARMS,
        "flatten": FLATTEN,
        "flatten.venues": FLATTEN_VENUES,
    },
    "proposals": {"proposals.plan": PLAN, "proposals.plan.legs": LEG},
    "links": {"links.ways": WAYS},
    "feeds": {"status.feeds.budget": BUDGET},
    "source": {"source.values": TOLD},
    "funnel": {"funnel.reasons": STOPS},
    "score": {"score.bins": BINS},
    "reconcile": {
        "reconcile.differences": DIFFERENCES,
        "reconcile.differences.events": EVENTS_OF,
        "reconcile.accounts": ACCOUNTS,
    },
}


def answer(what: str, rows: Rows, now: Now) -> bytes:
    """The JSON of one query: an object for those in ``OBJECTS``, else an array of objects."""
    table = QUERIES[what]
    if what in OBJECTS:
        return msgspec.json.encode(as_object(table, rows, now))
    return msgspec.json.encode(nested(table, getattr(rows, what), now))


def feeds_answer(feeds: Iterable[FeedRow]) -> bytes:
    """The JSON of the query ``feeds`` without a desk: of sources nobody asks."""
    return msgspec.json.encode(nested(FEEDS, feeds, Now(0, 0, 0, {})))


def score_answer(scores: Iterable[ScoreRow]) -> bytes:
    """The JSON of the query ``score`` without a desk: of a journal."""
    return msgspec.json.encode(nested(SCORE, scores, Now(0, 0, 0, {})))


def documentation(what: str) -> str:
    """The fields of one query, one line each, for ``--help`` and the README."""
    tables = {what: QUERIES[what], **PARTS.get(what, {})}
    width = max(len(field.name) for table in tables.values() for field in table)
    lines: list[str] = []
    for name, table in tables.items():
        lines += [f"{name}:"] + [f"  {field.name:<{width}}  {field.meaning}" for field in table]
    return "\n".join(lines)
