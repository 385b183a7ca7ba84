"""What events are filed under, tags and series, and the venue's own search over all of it."""

from __future__ import annotations

from typing import Final

import msgspec

from core.domain.text import clean_text
from core.venues.limiter import Priority
from core.venues.polymarket import endpoints as ep
from core.venues.polymarket.discovery import PAGE, QUERY_CHARS_MAX, FilterError
from core.venues.polymarket.gamma_wire import SeriesRow, Slug, TagWire
from core.venues.reader import Reader
from core.venues.venue import Incomplete
from core.venues.wire import Odd

SERIES_PAGE: Final = 50


class Tag(msgspec.Struct, frozen=True):
    id: str
    slug: str
    label: str


class Series(msgspec.Struct, frozen=True):
    """A recurring family of events."""

    id: str
    slug: str
    title: str
    recurrence: str


class Found(msgspec.Struct, frozen=True):
    """An event a search turned up."""

    slug: str
    title: str


class _FoundWire(msgspec.Struct, frozen=True):
    slug: Slug
    title: object = None


class _SearchWire(msgspec.Struct, frozen=True):
    events: list[msgspec.Raw] | None = None


_tags = msgspec.json.Decoder(list[TagWire])
_series = msgspec.json.Decoder(list[SeriesRow])
_search = msgspec.json.Decoder(_SearchWire)
_found = msgspec.json.Decoder(_FoundWire)


async def read_tags(reader: Reader, offset: int = 0) -> tuple[Tag, ...] | Incomplete:
    """One page of up to a hundred: the venue has no cursor here."""
    return await reader.one(
        ep.TAGS,
        "tags",
        Priority.BACKGROUND,
        _tags,
        lambda rows, odd: tuple(
            Tag(odd.text(row.id, "id", 40), odd.text(row.slug, "slug", 128), odd.text(row.label, "label"))
            for row in rows
        ),
        query={"limit": PAGE, "offset": offset},
    )


async def read_series(reader: Reader, offset: int = 0) -> tuple[Series, ...] | Incomplete:
    """One page of up to fifty."""
    return await reader.one(
        ep.SERIES,
        "series",
        Priority.BACKGROUND,
        _series,
        lambda rows, odd: tuple(
            Series(
                odd.text(row.id, "id", 40),
                odd.text(row.slug, "slug", 128),
                odd.text(row.title, "title"),
                odd.text(row.recurrence, "recurrence", 40),
            )
            for row in rows
        ),
        query={"limit": SERIES_PAGE, "offset": offset},
    )


def _of_search(wire: _SearchWire, odd: Odd) -> tuple[Found, ...]:
    found: list[Found] = []
    for raw in (wire.events or ())[:PAGE]:
        try:
            row = _found.decode(raw)
        except msgspec.MsgspecError as error:
            odd.notes.append(f"events: {clean_text(str(error), 120)}")
            continue
        found.append(Found(row.slug, odd.text(row.title, "title")))
    return tuple(found)


async def search(reader: Reader, words: str, page: int = 1) -> tuple[Found, ...] | Incomplete:
    """Events by their words. Raises ``FilterError``."""
    if not words.strip() or len(words) > QUERY_CHARS_MAX:
        raise FilterError(f"a search needs 1 to {QUERY_CHARS_MAX} characters")
    return await reader.one(
        ep.SEARCH,
        "search",
        Priority.BACKGROUND,
        _search,
        _of_search,
        query={"q": words, "page": page},
    )
