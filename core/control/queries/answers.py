"""The queries by name, what each reads, and its answer as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from core.control.queries.account import ACCOUNTS, DIFFERENCES, EVENTS_OF, LINES, RECONCILE
from core.control.queries.cards import BATCH, LEG, PLAN, PREVIEW, PROPOSALS
from core.control.queries.detail import EQUITY, HISTORY, LEVELS, MARKET, POINTS, QUARANTINE, RESULTS, TRADES
from core.control.queries.fields import Field, Now, as_object, nested
from core.control.queries.funnel import FUNNEL, STOPS
from core.control.queries.markets import LINKS, MARKETS, RULES, WAYS
from core.control.queries.models import BINS, BRACKETS, INPUTS, MODEL, SCORE
from core.control.queries.orders import ORDERS, POSITIONS
from core.control.queries.payoff import OUTCOMES, PAYOFF
from core.control.queries.safety import ALARMS, FLATTEN, FLATTEN_VENUES, LIMITS
from core.control.queries.since import DECIDED, ENDED, NEWS, PART, SINCE, Since
from core.control.queries.sources import BUDGET, FEEDS, GAMES, RELEASES, SOURCE, TOLD
from core.control.queries.status import BEAT, STATUS, VENUES
from core.control.queries.system import BUCKETS, DRILL, HEALTH, LAYERS, OUTSIDE, PROCESSES, SYSTEM
from core.control.queries.vetoes import VETOED, VETOES, WORTH
from core.control.tables.account import LineRow, ReadingRow
from core.control.tables.batch import BatchRow
from core.control.tables.cards import PreviewRow, ProposalRow
from core.control.tables.detail import DetailRow, EquityRow, HistoryRow
from core.control.tables.funnel import StageRow
from core.control.tables.markets import MarketRow, PairRow, RulesRow
from core.control.tables.models import ScoreRow
from core.control.tables.orders import OrderRow, PositionRow
from core.control.tables.payoff import PayoffRow
from core.control.tables.safety import AlarmRow, FlattenRow, LimitRow
from core.control.tables.sources import FeedRow, FixtureRow, ReleaseRow, SourceRow
from core.control.tables.status import StatusRow
from core.control.tables.system import SystemRow
from core.control.tables.vetoes import VetoesRow


class Rows(NamedTuple):
    """The rows of the desk a query may read: those of its own name; the status reads several."""

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
    reconcile: ReadingRow | None = None
    vetoes: VetoesRow | None = None
    batch: BatchRow | None = None
    payoff: PayoffRow | None = None
    preview: PreviewRow | None = None
    system: SystemRow | None = None
    account: Iterable[LineRow] = ()
    market: DetailRow | None = None
    history: HistoryRow | None = None
    equity: EquityRow | None = None


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
    "vetoes": VETOES,
    "batch": BATCH,
    "payoff": PAYOFF,
    "preview": PREVIEW,
    "system": SYSTEM,
    "account": LINES,
    "market": MARKET,
    "history": HISTORY,
    "equity": EQUITY,
}

TABLES = QUERIES | {"since": SINCE}
"""With what no engine is asked, as the profile's files tell it."""

OBJECTS = (
    *("status", "reconcile", "rules", "source", "vetoes", "batch", "payoff", "preview", "system"),
    *("market", "history", "equity", "since"),
)
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
    "batch": {"batch.outcomes": OUTCOMES},
    "payoff": {"payoff.held": OUTCOMES, "payoff.ordered": OUTCOMES},
    "market": {
        "market.levels": LEVELS,
        "market.trades": TRADES,
        "market.quarantine": QUARANTINE,
        "market.model": MODEL,
        "market.model.inputs": INPUTS,
        "market.model.brackets": BRACKETS,
        "markets": MARKETS,
        "orders": ORDERS,
        "positions": POSITIONS,
    },
    "history": {"history.points": POINTS, "history.fills": TRADES},
    "equity": {"equity.points": RESULTS},
    "links": {"links.ways": WAYS},
    "feeds": {"status.feeds.budget": BUDGET},
    "source": {"source.values": TOLD},
    "funnel": {"funnel.reasons": STOPS},
    "score": {"score.bins": BINS},
    "system": {
        "system.processes": PROCESSES,
        "system.health": HEALTH,
        "system.buckets": BUCKETS,
        "system.layers": LAYERS,
        "system.drill": DRILL,
        "system.outside": OUTSIDE,
    },
    "vetoes": {"vetoes.worth": WORTH, "vetoes.vetoes": VETOED},
    "since": {
        "since.orders": ENDED,
        "since.cards": DECIDED,
        "since.part": PART,
        "since.part.lines": NEWS,
    },
    "reconcile": {
        "reconcile.differences": DIFFERENCES,
        "reconcile.differences.events": EVENTS_OF,
        "reconcile.accounts": ACCOUNTS,
    },
}


def answer(what: str, rows: Rows, now: Now) -> bytes:
    """The JSON of one query: an object for those in ``OBJECTS``, else an array of objects."""
    return _encoded(what, rows if what == "status" else getattr(rows, what), now)


def answer_alone(what: str, found: Iterable[FeedRow | ScoreRow] | VetoesRow | Since) -> bytes:
    """The JSON of one of ``TABLES`` without a desk: of sources that nobody asks, of what a journal says."""
    return _encoded(what, found, Now(0, 0, 0, {}))


def _encoded(what: str, found: Any, now: Now) -> bytes:
    made = as_object if what in OBJECTS else nested
    return msgspec.json.encode(made(TABLES[what], found, now))


def documentation(what: str) -> str:
    """The fields of one of ``TABLES``, one line each, for ``--fields``."""
    tables = {what: TABLES[what], **PARTS.get(what, {})}
    width = max(len(field.name) for table in tables.values() for field in table)
    lines: list[str] = []
    for name, table in tables.items():
        lines += [f"{name}:"] + [f"  {field.name:<{width}}  {field.meaning}" for field in table]
    return "\n".join(lines)
