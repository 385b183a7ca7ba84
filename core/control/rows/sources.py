"""Sources and what they tell as protocol rows. What a value says is put into words here, once for all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar

import msgspec

from core.config.settings import ReleaseSettings
from core.control.tables.sources import BudgetRow, FeedRow, FixtureRow, ReleaseRow, SourceRow, ToldRow
from core.domain.text import clean_text
from core.engine.engine import Engine
from core.engine.releases import Known
from core.engine.told import Told
from core.feeds.budget import Left
from core.feeds.feed import FeedHealth, FeedState
from core.feeds.merge import Apart
from core.feeds.quotes import Average, OptionMark, Quote, SeriesPoint, Volatility
from core.feeds.registry import declarations
from core.feeds.releases import Calendar, Views
from core.feeds.sports import BookOdds, Game
from core.feeds.trial import price_of

TOLD_MAX = 400
"""Values of one source that are shown."""
ABOUT_MAX, SAID_MAX, FOUND_MAX = 60, 160, 600


def feed_row(health: FeedHealth, apart: Apart | None) -> FeedRow:
    # Of what is closed the last value comes again with a new connection: its age is no latency.
    latency_ms = health.latency_ms if health.state is not FeedState.CLOSED else None
    return FeedRow(
        health.name,
        health.state.value,
        health.newest_event_ms,
        health.received_ns,
        health.stale_after_s,
        health.retry_at_ns,
        health.detail,
        health.source,
        health.family,
        latency_ms,
        tuple(map(_budget_row, health.budget)),
        health.unchanged_polls,
        apart.bp if apart is not None else None,
        apart is not None and apart.too_far,
    )


def _budget_row(left: Left) -> BudgetRow:
    quota = left.quota
    # A bought plan grants more than the free one that is declared.
    return BudgetRow(left.left, max(left.left, quota.most), quota.unit, quota.per.name.lower(), left.whole_ms)


def release_row(known: Known, settings: ReleaseSettings) -> ReleaseRow:
    coming = known.next
    return ReleaseRow(
        kind=known.kind,
        state=known.standing.state.value,
        last_world_ms=known.last.at_ms if known.last is not None else None,
        next_world_ms=coming.at_ms if coming is not None else None,
        certainty=coming.certainty.value if coming is not None else "",
        source=coming.source if coming is not None else "",
        made_world_ms=known.made_ms,
        detail=known.fault,
        before_s=settings.before_s,
        after_s=settings.after_s,
        markets=known.markets,
    )


def fixture_rows(engine: Engine) -> list[FixtureRow]:
    """Markets whose game is confirmed, then the likeliest game of each that waits for a person's word."""
    markets = [known.market for known in engine.state.markets.values()]
    confirmed = [(market.ticker, *found) for market in markets if (found := engine.fixtures.of(market))]
    rows = [_fixture(ticker, game, team, confirmed=True) for ticker, game, team in confirmed]
    rows += [
        _fixture(one.ticker, one.game, one.team, confidence=one.confidence, why=one.why)
        for one in engine.fixtures.open(markets)
    ]
    return rows


def _fixture(
    ticker: str, game: Game, team: str, *, confirmed: bool = False, confidence: float = 1.0, why: str = ""
) -> FixtureRow:
    return FixtureRow(
        ticker, game.source, game.id, game.home, game.away, game.starts_ms, team, confirmed, confidence, why
    )


def source_row(engine: Engine, source: str) -> SourceRow | None:
    """A source in full; ``None`` where there is none of that name."""
    of = next((of for of in declarations() if of.name == source), None)
    if of is None:
        return None
    last, now_ms = engine.trials.last.get(source), engine.desk.clocks.world_ms()
    return SourceRow(
        source,
        of.gives,
        of.credit,
        price_of(of),
        last.number if last is not None else 0,
        last is not None and last.found.passed,
        clean_text(last.found.text, FOUND_MAX) if last is not None else "",
        (*pair_rows(engine.told, source, now_ms), *told_rows(engine.told, source, now_ms)),
    )


def pair_rows(told: Told, source: str, now_ms: int) -> Iterator[ToldRow]:
    """What all sources together say of each currency pair that this one tells of."""
    for pair in told.merged(now_ms):
        if (pair.pair, source) in told.quotes and pair.last is not None:
            price = f"{figure(pair.quote.value)} by " if pair.quote is not None else f"{pair.state.value}: "
            yield _row(pair.last, f"{pair.pair} of all", price + pair.why, pair.last.stale_after_s)


def told_rows(told: Told, source: str, now_ms: int) -> list[ToldRow]:
    """The newest values of one source at a moment of world time, by kind and name."""
    found = (row for row in _all(told, now_ms) if row.source == source)
    return [
        msgspec.structs.replace(
            row, about=clean_text(row.about, ABOUT_MAX), said=clean_text(row.said, SAID_MAX)
        )
        for row in islice(found, TOLD_MAX)
    ]


def _all(told: Told, now_ms: int) -> Iterator[ToldRow]:
    yield from map(_quote, _sorted(told.quotes.values()))
    yield from map(_average, _sorted(told.averages.values()))
    yield from map(_volatility, _sorted(told.volatilities.values()))
    yield from map(_point, sorted(told.series.values(), key=lambda point: point.series))
    yield from map(_game, sorted(told.games.values(), key=lambda game: (game.starts_ms, game.id)))
    for calendar in told.calendars.values():
        yield from _releases(calendar)
    for views in told.views.values():
        yield from _views(views)
    for mark in sorted(told.options.values(), key=lambda mark: mark.instrument):
        yield _option(mark, now_ms)


_Named = TypeVar("_Named", Quote, Average, Volatility)


def _sorted(values: Iterable[_Named]) -> list[_Named]:
    return sorted(values, key=lambda value: value.name)


def _quote(quote: Quote) -> ToldRow:
    said = figure(quote.value)
    if quote.bid is not None and quote.ask is not None:
        said += f", bid {figure(quote.bid)}, ask {figure(quote.ask)}"
    return _row(quote, quote.name, said, quote.stale_after_s)


def _average(average: Average) -> ToldRow:
    said = (
        f"{figure(average.value)}, mean of {average.seconds} of {average.of} s, "
        f"ends {_clock(average.ends_ms)}"
    )
    return _row(average, f"{average.name} mean", said, average.stale_after_s)


def _volatility(volatility: Volatility) -> ToldRow:
    said = f"{volatility.percent:.2f} % a year, horizon {volatility.days} days"
    return _row(volatility, volatility.name, said, volatility.stale_after_s)


def _option(mark: OptionMark, now_ms: int) -> ToldRow:
    kind, over = "call" if mark.call else "put", now_ms >= mark.expires_ms
    said = (
        f"{mark.mark_percent:.2f} % a year, {kind} at {figure(mark.strike)}, underlying "
        f"{figure(mark.underlying)}, {'expired' if over else 'expires'} {_moment(mark.expires_ms)}"
    )
    return _row(mark, mark.instrument, said, 0 if over else mark.stale_after_s)


def _point(point: SeriesPoint) -> ToldRow:
    said = "the source says that there is none" if point.value is None else figure(point.value)
    return _row(point, point.series, f"{said}, of {point.day}", 0)


def _game(game: Game) -> ToldRow:
    best = next((offers for book in game.books if (offers := _offers(book))), "no prices")
    books = f"{len({book.book for book in game.books})} bookmakers"
    said = f"{game.sport}, starts {_moment(game.starts_ms)}, {books}: {best}"
    limit_s = game.stale_after_s if game.near else 0
    return _row(game, f"{game.away} at {game.home}", said, limit_s)


def _offers(book: BookOdds) -> str:
    """A bookmaker's prices of who wins."""
    if book.market != "h2h":
        return ""
    return f"{book.book} " + " / ".join(f"{offer.outcome} {offer.decimal:g}" for offer in book.offers)


def _releases(calendar: Calendar) -> Iterator[ToldRow]:
    for due in sorted(calendar.due, key=lambda one: one.at_ms):
        said = f"{_moment(due.at_ms)}, {due.certainty.value}"
        yield _row(calendar, due.kind, said, calendar.stale_after_s)
    for kind in calendar.kinds:
        if all(due.kind != kind for due in calendar.due):
            yield _row(calendar, kind, "no date known", calendar.stale_after_s)


def _views(views: Views) -> Iterator[ToldRow]:
    """The latest releases first."""
    for view in sorted(views.views, key=lambda one: (one.released, one.entered), reverse=True):
        spread = f" +- {figure(view.sd)}" if view.sd is not None else ""
        said = f"{figure(view.value)}{spread}, {view.source}, entered {view.entered}"
        yield _row(views, f"{view.kind} {view.released} {view.centre.value}", said, 0)


def _row(
    value: Quote | Average | Volatility | OptionMark | SeriesPoint | Game | Calendar | Views,
    about: str,
    said: str,
    stale_after_s: int,
) -> ToldRow:
    return ToldRow(value.source, about, said, value.stamp.event_ms, stale_after_s)


def figure(value: float) -> str:
    """A price with the decimals its size deserves: ``98,123.42``, ``1.08412``."""
    decimals = 2 if abs(value) >= 1_000 else 3 if abs(value) >= 100 else 5
    return f"{value:,.{decimals}f}"


def _clock(at_ms: int) -> str:
    return f"{_utc(at_ms):%H:%M:%S}Z"


def _moment(at_ms: int) -> str:
    return f"{_utc(at_ms):%Y-%m-%d %H:%M}Z"


def _utc(at_ms: int) -> datetime:
    """Instants outside our days are refused before they are told of."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)
