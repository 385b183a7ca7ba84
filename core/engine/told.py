"""The newest value of everything the feeds tell of besides the weather: what the screens and models read."""

from __future__ import annotations

from core.feeds.merge import Merged, merged
from core.feeds.pairs import PAIRS
from core.feeds.quotes import Average, OptionMark, Quote, SeriesPoint, Volatility
from core.feeds.releases import Calendar, Views
from core.feeds.sports import Game
from core.feeds.values import FeedValue, WeatherIndex

Key = tuple[str, str]
"""What it is about, and which source says so."""


class Told:
    """Tables by what a value is about and its source. One value replaces the one before it."""

    def __init__(self) -> None:
        self.quotes: dict[Key, Quote] = {}
        self.averages: dict[Key, Average] = {}
        self.volatilities: dict[Key, Volatility] = {}
        self.options: dict[Key, OptionMark] = {}
        self.series: dict[Key, SeriesPoint] = {}
        self.games: dict[Key, Game] = {}
        self.calendars: dict[str, Calendar] = {}
        self.views: dict[str, Views] = {}
        self.indices: dict[str, WeatherIndex] = {}
        """The newest minute with a value of each city's temperature index."""
        self.official: dict[str, WeatherIndex] = {}
        """The newest official minute of each, with or without a value."""

    def absorb(self, value: FeedValue) -> None:
        """Take one value; weather is not held here."""
        match value:
            case Quote():
                self.quotes[value.name, value.source] = value
            case Average():
                self.averages[value.name, value.source] = value
            case Volatility():
                self.volatilities[value.name, value.source] = value
            case OptionMark():
                if (value.instrument, value.source) not in self.options:
                    now_ms = value.stamp.event_ms
                    self.options = {of: mark for of, mark in self.options.items() if mark.expires_ms > now_ms}
                self.options[value.instrument, value.source] = value
            case SeriesPoint():
                self.series[value.series, value.source] = value
            case Game() if value.books:
                self.games[value.id, value.source] = value
            case Game():  # offered by nobody any more
                self.games.pop((value.id, value.source), None)
            case Calendar():
                self.calendars[value.source] = value
            case Views():
                self.views[value.source] = value
            case WeatherIndex():
                if value.hundredths_f is not None:
                    _newer(self.indices, value)
                if value.settled:
                    _newer(self.official, value)

    def merged(self, now_ms: int) -> tuple[Merged, ...]:
        """Each currency pair as all sources together tell it at ``now_ms``, world time."""
        return tuple(merged(pair, self.quotes.values(), now_ms) for pair in PAIRS)


def _newer(held: dict[str, WeatherIndex], value: WeatherIndex) -> None:
    """Minutes are told again as they change: an older one takes no newer one's place."""
    before = held.get(value.city)
    if before is None or value.stamp.event_ms >= before.stamp.event_ms:
        held[value.city] = value
