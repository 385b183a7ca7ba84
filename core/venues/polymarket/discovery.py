"""Finding events and markets with every filter the venue has.

Lists are read by cursor to their end: offset pages skip and repeat rows while the data moves. The desk
follows what it is told to through ``listing.py``; tools look around with these.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from core.venues.limiter import Priority
from core.venues.polymarket import endpoints as ep
from core.venues.polymarket.tokens import Version
from core.venues.reader import Parameters, Reader, Window
from core.venues.venue import Incomplete
from core.venues.wire import Odd

PAGE: Final = 100
VALUES_MAX: Final = 100
"""In one list filter."""
QUERY_CHARS_MAX: Final = 200


class FilterError(ValueError):
    """A filter the venue cannot answer; the text says which and why."""


class Match(enum.Enum):
    ANY = "any"
    ALL = "all"


class Resolution(enum.Enum):
    INACTIVE = "inactive"
    ACTIVE = "active"
    RESOLVED = "resolved"


class Uma(enum.Enum):
    PROPOSED = "proposed"
    DISPUTED = "disputed"
    REQUESTED = "requested"
    RESOLVED = "resolved"
    SETTLED = "settled"


class Sort(enum.Enum):
    """``volume`` and ``liquidity`` sort as text at the venue, so the numbers are named here."""

    VOLUME = "volumeNum"
    LIQUIDITY = "liquidityNum"
    START = "startDate"
    END = "endDate"


class Range(msgspec.Struct, frozen=True):
    """Dollars, both ends included; open where ``None``."""

    low: int | None = None
    high: int | None = None


ALL_TIME: Final = Window()
ANY: Final = Range()


class MarketFilter(msgspec.Struct, frozen=True):
    """Which markets. Nothing set: all of them."""

    closed: bool | None = None
    ids: tuple[str, ...] = ()
    slugs: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    positions: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    match: Match | None = None
    related_tags: bool | None = None
    with_tags: bool | None = None
    starts: Window = ALL_TIME
    ends: Window = ALL_TIME
    liquidity: Range = ANY
    volume: Range = ANY
    uma: Uma | None = None
    resolution: Resolution | None = None
    version: Version | None = None
    rfq: bool | None = None
    sports: tuple[str, ...] = ()
    game: str = ""
    order: tuple[Sort, ...] = ()
    ascending: bool | None = None

    def query(self) -> Parameters:
        """Raises ``FilterError``."""
        query: Parameters = {"limit": PAGE}
        _lists(
            query,
            {
                "id": self.ids,
                "slug": self.slugs,
                "condition_ids": self.conditions,
                "clob_token_ids": self.tokens,
                "position_ids": self.positions,
                "question_ids": self.questions,
                "tag_id": self.tags,
                "sports_market_types": self.sports,
            },
        )
        _flags(
            query,
            {
                "closed": self.closed,
                "related_tags": self.related_tags,
                "include_tag": self.with_tags,
                "rfq_enabled": self.rfq,
                "ascending": self.ascending,
            },
        )
        _words(
            query,
            {
                "tag_match": self.match,
                "uma_resolution_status": self.uma,
                "resolution_status": self.resolution,
                "version": self.version,
            },
        )
        _window(query, "start_date", self.starts)
        _window(query, "end_date", self.ends)
        _range(query, "liquidity_num", self.liquidity)
        _range(query, "volume_num", self.volume)
        if self.game:
            query["game_id"] = self.game
        if self.order:
            query["order"] = ",".join(sort.value for sort in self.order)
        return query


class EventFilter(msgspec.Struct, frozen=True):
    """Which events; their markets come with them."""

    closed: bool | None = None
    tag: str = ""
    """Its id."""
    tag_slug: str = ""
    without_tags: tuple[str, ...] = ()
    series: str = ""
    """Its id."""
    title: str = ""
    live: bool | None = None
    ended: bool | None = None
    featured: bool | None = None
    recurrence: str = ""
    liquidity: Range = ANY
    volume: Range = ANY

    def query(self) -> Parameters:
        """Raises ``FilterError``."""
        query: Parameters = {"limit": PAGE}
        _lists(query, {"exclude_tag_id": self.without_tags})
        _flags(
            query,
            {
                "closed": self.closed,
                "live": self.live,
                "ended": self.ended,
                "featured": self.featured,
            },
        )
        named = {
            "tag_id": self.tag,
            "tag_slug": self.tag_slug,
            "series_id": self.series,
            "title_search": self.title,
            "recurrence": self.recurrence,
        }
        for name, text in named.items():
            if len(text) > QUERY_CHARS_MAX:
                raise FilterError(f"{name} is longer than {QUERY_CHARS_MAX} characters")
            if text:
                query[name] = text
        _range(query, "liquidity", self.liquidity)
        _range(query, "volume", self.volume)
        return query


def _lists(query: Parameters, named: Mapping[str, Sequence[str]]) -> None:
    for name, values in named.items():
        if len(values) > VALUES_MAX:
            raise FilterError(f"{name} has {len(values)} values; the venue takes {VALUES_MAX} at once")
        if values:
            query[name] = tuple(values)


def _flags(query: Parameters, named: Mapping[str, bool | None]) -> None:
    query.update({name: "true" if value else "false" for name, value in named.items() if value is not None})


def _words(query: Parameters, named: Mapping[str, enum.Enum | None]) -> None:
    query.update({name: str(word.value) for name, word in named.items() if word is not None})


def _window(query: Parameters, name: str, window: Window) -> None:
    for end, at_ms in (("min", window.from_ms), ("max", window.until_ms)):
        if at_ms is not None:
            query[f"{name}_{end}"] = _moment(at_ms)


def _moment(at_ms: int) -> str:
    return (
        datetime.fromtimestamp(at_ms / 1_000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def _range(query: Parameters, name: str, bounds: Range) -> None:
    if bounds.low is not None and bounds.high is not None and bounds.low > bounds.high:
        raise FilterError(f"{name} from {bounds.low} to {bounds.high} holds nothing")
    for end, value in (("min", bounds.low), ("max", bounds.high)):
        if value is not None:
            query[f"{name}_{end}"] = value


_raw = msgspec.json.Decoder(msgspec.Raw)


def _as_read(row: msgspec.Raw, odd: Odd) -> msgspec.Raw:
    return row


async def read_markets(reader: Reader, chosen: MarketFilter) -> tuple[msgspec.Raw, ...] | Incomplete:
    """Every market that matches, each as it was sent: what one of them lacks is its own affair.

    Raises ``FilterError``.
    """
    return await reader.every(ep.MARKETS, "markets", Priority.BACKGROUND, chosen.query(), _raw, _as_read)


async def read_events(reader: Reader, chosen: EventFilter) -> tuple[msgspec.Raw, ...] | Incomplete:
    """Every event that matches with its markets. Raises ``FilterError``."""
    return await reader.every(ep.EVENTS, "events", Priority.BACKGROUND, chosen.query(), _raw, _as_read)


async def read_market(reader: Reader, slug: str, priority: Priority) -> msgspec.Raw | Incomplete:
    path = ep.MARKET_BY_SLUG.at(slug=slug)
    return await reader.value(ep.MARKET_BY_SLUG, f"market {slug}", priority, _raw, path=path)


async def read_event(reader: Reader, slug: str) -> msgspec.Raw | Incomplete:
    path = ep.EVENT_BY_SLUG.at(slug=slug)
    return await reader.value(ep.EVENT_BY_SLUG, f"event {slug}", Priority.BACKGROUND, _raw, path=path)
