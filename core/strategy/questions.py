"""Which markets ask about one and the same figure, and where on its line each of them pays.

A figure is a station's high or low of a day, a published price or a mean of an index: of one venue, from one
source, in steps of the precision it is published with. Markets on no such figure are a question together
where the venue calls their event exclusive; then each has a place of its own on a line without known ends.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Final

import msgspec

from core.domain.market import Market, Strike, StrikeKind


class Span(msgspec.Struct, frozen=True):
    """Where YES pays: the steps of the figure from ``low`` on and below ``high``; infinite at an open end."""

    low: float
    high: float

    @property
    def bracket(self) -> bool:
        """Whether it has two ends: a threshold's complement is one span too."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    def holds(self, step: float) -> bool:
        return self.low <= step < self.high


LINE: Final = Span(-math.inf, math.inf)


class Question(msgspec.Struct, frozen=True):
    """Two or more markets that ask about one thing."""

    name: str
    spans: Mapping[str, Span]
    """By ticker."""
    apart: bool = True
    """Whether no two of the spans overlap."""
    refusal: str = ""
    """Why nothing can be concluded from them, empty where it can."""


def questions(markets: Iterable[Market]) -> tuple[Question, ...]:
    """The questions these markets ask; a market whose strike cannot be read on its figure asks none."""
    figures: dict[str, list[tuple[Market, Span]]] = {}
    others: dict[str, list[Market]] = {}
    for market in markets:
        known = _figure(market)
        if known is not None:
            name, precision = known
            span = _span(market.strike, precision)
            if span is not None:
                figures.setdefault(name, []).append((market, span))
        elif market.exclusive and not market.doubt:
            others.setdefault(f"{market.venue.value} {market.event_ticker}", []).append(market)
    asked = [_question(name, spans) for name, spans in figures.items()]
    for name, event in others.items():
        places = {market.ticker: Span(float(i), float(i + 1)) for i, market in enumerate(event)}
        asked.append(Question(name, places))
    return tuple(question for question in asked if len(question.spans) > 1)


def _question(name: str, asked: list[tuple[Market, Span]]) -> Question:
    spans = {market.ticker: span for market, span in asked}
    ordered = sorted((span.low, span.high) for span in spans.values())
    apart = all(end <= start for (_, end), (start, _) in itertools.pairwise(ordered))
    return Question(name, spans, apart, "" if apart else _contradiction(asked))


def _contradiction(asked: list[tuple[Market, Span]]) -> str:
    """Two markets that the venue calls exclusive and whose strikes overlap; empty where there are none."""
    events: dict[str, list[tuple[float, float, str]]] = {}
    for market, span in asked:
        if market.exclusive:
            events.setdefault(market.event_ticker, []).append((span.low, span.high, market.ticker))
    for spans in events.values():
        for (_, end, first), (start, _, second) in itertools.pairwise(sorted(spans)):
            if start < end:
                return f"the strikes of {first} and {second} overlap and their venue calls them exclusive"
    return ""


def _figure(market: Market) -> tuple[str, Fraction] | None:
    """What a market settles on, by a name that is the same for every market that does, and its precision."""
    if market.doubt:
        return None
    venue = market.venue.value
    if market.station is not None and market.climate_day is not None and market.extreme is not None:
        record = market.source or market.authority or "CLI"
        name = f"{venue} {market.station} {market.extreme.value} {market.climate_day} {record}"
        return name, Fraction(1)
    if market.fixing is not None:
        fixing = market.fixing
        return f"{venue} {fixing.name} at {fixing.at_ms} to {fixing.precision:g}", _exact(fixing.precision)
    if market.reading is not None:
        reading = market.reading
        name = f"{venue} {reading.name} at {reading.at_ms} to {reading.precision:g}"
        return name, _exact(reading.precision)
    if market.mean is not None:
        mean = market.mean
        name = f"{venue} {mean.index} mean of {mean.seconds} s to {mean.ends_ms} to {mean.precision:g}"
        return name, _exact(mean.precision)
    return None


@functools.lru_cache(maxsize=20_000)
def _span(strike: Strike, precision: Fraction) -> Span | None:
    """A strike in steps of ``precision``; ``None`` where it is no range of them."""
    low, high = -math.inf, math.inf
    if strike.kind in (StrikeKind.GREATER, StrikeKind.GREATER_OR_EQUAL, StrikeKind.BETWEEN):
        if strike.floor is None:
            return None
        at = _exact(strike.floor) / precision
        low = math.floor(at) + 1 if strike.kind is StrikeKind.GREATER else math.ceil(at)
    if strike.kind in (StrikeKind.LESS, StrikeKind.LESS_OR_EQUAL, StrikeKind.BETWEEN):
        if strike.cap is None:
            return None
        at = _exact(strike.cap) / precision
        high = math.ceil(at) if strike.kind is StrikeKind.LESS else math.floor(at) + 1
    if (low, high) == (-math.inf, math.inf) or low >= high:
        return None
    return Span(float(low), float(high))


def _exact(value: float) -> Fraction:
    """The decimal that was meant: 0.01 is a hundredth."""
    return Fraction(str(value))
