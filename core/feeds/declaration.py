"""What a source says of itself, apart from its parser: addresses, cadence, when it is stale, quota, key.

A source is one module with a ``DECLARATION`` and a builder; ``registry.py`` lists them. Everything an
operator can set of it stands in one section ``[feeds.NAME]`` of ``config.toml``.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

import msgspec


class Family(enum.Enum):
    """What a source tells of."""

    WEATHER = "weather"
    FOREX = "forex"
    MARKETS = "markets"
    """Indices, volatility and crypto."""
    SPORTS = "sports"
    CALENDAR = "calendar"


class Rides(enum.Enum):
    """Where a provider wants its key."""

    HEADER = "header"
    QUERY = "query"
    """In the address: it is taken out of everything that is written or shown."""
    FRAME = "frame"
    """In the first message of a stream."""
    ADDRESS = "address"
    """Within the address that the operator sets."""


class Key:
    """A provider's key. Its text never shows by accident: not in a log, an error or a test's output.

    ``pieces`` of it are hidden where they stand alone, too.
    """

    __slots__ = ("_forms", "text")

    def __init__(self, text: str, pieces: Iterable[str] = ()) -> None:
        self.text = text
        self._forms = _forms((text, *pieces))

    def __repr__(self) -> str:
        return "Key(...)"

    def hidden(self, sentence: str) -> str:
        """The sentence without the key, wherever it stands in it."""
        for form in self._forms:
            sentence = sentence.replace(form, "(key)")
        return sentence

    def hidden_in(self, body: bytes) -> bytes:
        """What a provider sent without the key: some repeat it in their answers. Before anything reads it:
        a parser that cuts a long text would leave half of the key. What is too short to be one stays, it
        may be a figure."""
        for form in self._forms:
            if len(form) >= KEY_CHARACTERS_MIN:
                body = body.replace(form.encode(), b"(key)")
        return body


KEY_CHARACTERS_MIN = 8
"""No provider's key is shorter."""


def _forms(texts: Iterable[str]) -> tuple[str, ...]:
    """As they may be written, the longest first: the whole goes before its pieces."""
    forms = {
        form
        for text in texts
        for form in (text, quote(text, safe=""), quote_plus(text), text.replace("/", "\\/"))
    }
    return tuple(sorted(forms - {""}, key=lambda form: (-len(form), form)))


class KeyNeed(msgspec.Struct, frozen=True):
    """A key the source needs. ``name`` is its header, its query parameter or its field in the frame."""

    rides: Rides
    name: str
    how: str
    """How to get one: a whole sentence for somebody who has none."""
    prefix: str = ""
    """Before the key in a header: ``apikey `` or ``Bearer ``."""


class Per(enum.Enum):
    """The stretch a quota counts in. Short ones roll; a day and a month begin at 00:00 UTC."""

    SECOND = 1
    MINUTE = 60
    HOUR = 3_600
    DAY = 86_400
    MONTH = 2_592_000


class Quota(msgspec.Struct, frozen=True):
    """How much a provider grants; what a call costs its client knows."""

    most: int
    per: Per
    unit: str = "calls"
    """``calls`` or ``credits``."""


class Probe(msgspec.Struct, frozen=True):
    """The one question a test of a source asks, where that is another than its ordinary ones: a provider's
    free call, or one of several that a turn takes."""

    asks: str
    """In a few words: ``the list of sports, which is free``."""
    path: str
    cost: int = 1
    """In the unit of its quotas."""
    role: str = "api"
    """Below which of the declared addresses."""
    params: Mapping[str, str] = {}
    body: bytes = b""
    """Of a POST; empty: a GET."""
    accept: str = "application/json"
    kinds: tuple[str, ...] = ("json",)
    holds: bytes = b""
    """What an answer to it has: some errors come under HTTP 200."""
    private: bool = False
    """Whether nothing but the host of its address may be shown."""


class Declaration(msgspec.Struct, frozen=True):
    """One source. All times in seconds of world time."""

    name: str
    """Of its section, its recording and its command line: ``open-meteo``."""
    label: str
    """Of its row on the screen, at most eight characters: ``METEO``."""
    family: Family
    gives: str
    """What is known by it, in a few words."""
    urls: Mapping[str, str]
    """Address of each of its services by role; each may be set in the configuration."""
    every_s: float
    """How often it is asked; 0 where it tells by itself."""
    stale_after_s: int
    """After the data's own time; then nothing rests on it any more."""
    closes: bool = False
    """Whether what it tells of does not always trade: off its hours no new value is due."""
    quotas: tuple[Quota, ...] = ()
    key: KeyNeed | None = None
    off: str = ""
    """Why it is off until somebody turns it on: a whole sentence. Empty: it is on where it can be."""
    offers: tuple[str, ...] = ()
    """What it can be told to follow, by the desk's names; empty: it is no such source, or follows any."""
    refusals: Mapping[int, str] = {}
    """What an HTTP status means that no other try can help: a whole sentence with the remedy."""
    credit: str = ""
    """Who made the data, as its licence asks."""
    probe: Probe | None = None
    """What a test asks; without one an ordinary turn of its first place is asked."""

    @property
    def section(self) -> str:
        return f"feeds.{self.name}"
