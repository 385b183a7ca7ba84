"""What the demo's models of everything but temperatures said of its past events, and what its crowd quoted.

Each event is looked at once, by the desk's own code: its markets as they are read from the simulated venue,
the feeds' values as they would have been held then, the pricing pass against the quotes of the families'
maker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple

import msgspec

from core.control.simulated_past import PastLook, PastLooks
from core.domain.clock import WorldClock
from core.domain.market import Market
from core.domain.units import Price
from core.engine.pricers import FixingPricer, Pricer, RangePricer
from core.engine.release_pricer import ReleasePricer
from core.feeds import deribit, fred, odds_api, yahoo
from core.feeds.calendar.views import read_view
from core.feeds.feed import Stamp
from core.feeds.quotes import Quote, SeriesPast, Volatility
from core.feeds.releases import Calendar, Certainty, Due, View, Views
from core.feeds.sports import BookOdds, Game, Offer
from core.feeds.values import FeedValue
from core.models import sports
from core.models.calibration import Standing, Verdict
from core.models.fair_value import EventFair, NoPrice
from core.models.families import families
from core.models.foreseen import Moment, day_of, due, kind_of
from core.models.pooling import Quoted, usual
from core.models.prediction import Prediction
from core.models.valuing import Judged, value
from core.sim.contracts import EventSpec
from core.sim.families.bitcoin import INDEX, Bitcoin
from core.sim.families.family import Family, Offering
from core.sim.families.floor import quotes_around
from core.sim.families.inflation import Inflation
from core.sim.families.ranges import SERIES, Ranges, hunches
from core.sim.families.winners import Winner, Winners
from core.sim.feeds import fred_figures
from core.sim.feeds.around import build_around
from core.sim.games import Fixture
from core.sim.kalshi import shapes
from core.sim.new_york import DAY_MS, at
from core.sim.orders import BookSide
from core.sim.releases import Releases, surveys
from core.sim.weather import Weather
from core.venues.kalshi.catalog import Catalog
from core.venues.kalshi.markets import EventWire, MarketWire, SeriesWire
from tests.sim.conftest import Floor

DEMO_SPEED = 144.0
"""World time a real second: what it makes of the quarters that are listed."""
MINUTE_MS = 60_000
FRESH_S = 600
"""Every value is of the moment of the look."""
SEEN_MS, SEEN_EVERY_MS = DAY_MS, 10 * MINUTE_MS
"""How long the euro was followed before a look, and how often it told of itself."""
UNMOVED_LOOKS = 12
"""Minutes back in which a bookmaker's last move is looked for."""
OPENED = 9, 31
"""New York's exchanges have just opened."""


class Kind(NamedTuple):
    """A family, how far back its events are looked at, and what its model is told of one."""

    family: Family
    days: int
    """So many that what a model adds is no matter of the day on which this is built."""
    every_days: int
    told: Callable[[Offering, int], Iterator[FeedValue]]
    """What the feeds have told by an instant."""
    pricer: Callable[[], Pricer] | None = None
    """``None`` for games: the one that is told is the one its market is about."""
    first_at: tuple[int, int] | None = None
    """New York's hour and minute of the day from which there is a price, where it is not all day."""


class Past:
    """One world's families, looked back at from an instant."""

    def __init__(self, weather: Weather, seed: int, wall_ms: int) -> None:
        self._wall_ms, self._floor = wall_ms, Floor()
        made = build_around(weather, self._floor.clock, WorldClock(0, 0, 1.0), seed)
        self._around = msgspec.structs.replace(made, releases=Releases(seed))
        """Without the release that the scenario stages on its own days."""
        self._prices, self._games, self._hunch = made.prices, made.games, hunches(seed)

    def kinds(self) -> tuple[Kind, ...]:
        index, forex = (Ranges(of, self._prices, self._hunch) for of in SERIES)
        coin, inflation = Bitcoin(self._prices, DEMO_SPEED), Inflation(self._around.releases)
        return (
            Kind(index, 400, 1, self._index, FixingPricer, OPENED),
            Kind(forex, 400, 1, self._euro, FixingPricer),
            Kind(coin, 120, 1, self._coin, RangePricer),
            Kind(Winners(self._games), 120, 1, self._odds),
            Kind(inflation, 12 * 365, 5, self._views, ReleasePricer),
        )

    def looks(self, kind: Kind) -> PastLooks:
        """One event a day at most, the first that trades at noon UTC; those without a price are left out."""
        seen: set[str] = set()
        said: list[Prediction] = []
        looks: list[PastLook] = []
        for back in range(kind.days, 0, -kind.every_days):
            noon_ms = self._wall_ms // DAY_MS * DAY_MS - back * DAY_MS + DAY_MS // 2
            of = next(iter(kind.family.open(noon_ms, seen)), None)
            if of is None or of.determined_ms >= self._wall_ms:
                continue
            seen.add(of.spec.event_ticker)
            markets = self._read(kind.family, of.spec)
            moment, at_ms, day = _when(markets[0], kind.first_at)
            found = _said(kind, of, markets, at_ms)
            if isinstance(found, Prediction):
                said.append(found)
                looks.append(_look(of, found, at_ms, day))
        weights = usual(said[0].sources, said[0].lead)
        return PastLooks(
            (kind_of(markets[0]),), said[0].model, weights.model, weights.sharpen, tuple(looks),
            moment=moment, exclusive=said[0].exclusive,
        )  # fmt: skip

    def _read(self, family: Family, spec: EventSpec) -> list[Market]:
        """The event's markets as the desk reads them."""
        exchange, catalog = self._floor.exchange, Catalog(_refuse)
        exchange.list_series(family.series)
        exchange.list_event(spec)
        series = shapes.series(exchange, family.series, volume=False)
        catalog.series[family.series.ticker] = msgspec.convert(series, SeriesWire)
        event = shapes.event(exchange, spec, nested=False)
        catalog.events[spec.event_ticker] = msgspec.convert(event, EventWire)
        for one in spec.markets:
            wire = shapes.market(exchange, exchange.markets[one.ticker])
            catalog.learn(msgspec.convert(wire, MarketWire))
        return list(catalog.markets.values())

    # --- what the feeds had told ---------------------------------------------------------------

    def _index(self, of: Offering, at_ms: int) -> Iterator[FeedValue]:
        for name in ("SPX", "VIX"):
            yield self._quote(name, yahoo.DECLARATION.name, at_ms)

    def _euro(self, of: Offering, at_ms: int) -> Iterator[FeedValue]:
        dues = tuple(
            Due(one.kind.name, one.due_ms, Certainty.STATED, "bls")
            for one in self._around.releases.between(at_ms - DAY_MS, at_ms + 2 * DAY_MS)
        )
        yield Calendar("bls", (), dues, _stamp(at_ms), FRESH_S)
        for seen_ms in range(at_ms - SEEN_MS, at_ms + 1, SEEN_EVERY_MS):
            if self._prices.is_open("EUR/USD", seen_ms):
                yield self._quote("EUR/USD", "kalshi-pyth", seen_ms)

    def _coin(self, of: Offering, at_ms: int) -> Iterator[FeedValue]:
        yield self._quote(INDEX, families()["BRTI"].source, at_ms)
        percent = self._prices.value("DVOL BTC", at_ms)
        yield Volatility(
            "DVOL BTC", deribit.DECLARATION.name, percent, deribit.DVOL_DAYS, _stamp(at_ms), FRESH_S
        )

    def _odds(self, of: Offering, at_ms: int) -> Iterator[FeedValue]:
        assert isinstance(of, Winner)
        game = of.game
        yield Game(
            game.id, odds_api.DECLARATION.name, game.league.sport, game.home, game.away, game.starts_ms,
            tuple(self._books(game, at_ms)), _stamp(at_ms), FRESH_S,
        )  # fmt: skip

    def _books(self, game: Fixture, at_ms: int) -> Iterator[BookOdds]:
        back = [at_ms - n * MINUTE_MS for n in range(UNMOVED_LOOKS)]
        looks = [
            {one.book.key: one.markets[sports.WINNER] for one in self._games.offers(game, ms)} for ms in back
        ]
        for book, offers in looks[0].items():
            moved = next((n for n, look in enumerate(looks) if look[book] != offers), UNMOVED_LOOKS)
            yield BookOdds(
                book, sports.WINNER, tuple(Offer(one.outcome, one.decimal) for one in offers),
                at_ms, back[moved - 1] if moved else at_ms,
            )  # fmt: skip

    def _views(self, of: Offering, at_ms: int) -> Iterator[FeedValue]:
        day = datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()
        rows = [read_view(fields, day) for fields in surveys(self._around.releases, at_ms)]
        yield Views("views", tuple(row for row in rows if isinstance(row, View)), _stamp(at_ms))
        then = msgspec.structs.replace(self._around, now_ms=lambda: at_ms)
        points = fred_figures.observations("CPIAUCSL", then)
        told = tuple((day.isoformat(), float(text)) for day, text in points)
        yield SeriesPast("CPIAUCSL", fred.DECLARATION.name, told, _stamp(at_ms))

    def _quote(self, name: str, source: str, at_ms: int) -> Quote:
        return Quote(name, source, self._prices.value(name, at_ms), None, None, _stamp(at_ms), FRESH_S)


def _when(market: Market, first_at: tuple[int, int] | None) -> tuple[Moment, int, str]:
    """At which of the moments at which the desk looks, and the event's day."""
    day = day_of(market.close_ms, market.climate_day)
    if first_at is not None:
        return Moment.FIRST, at(date.fromisoformat(day), *first_at), day
    moments = due(market.open_ms, market.close_ms, day)
    moment = Moment.HALF if Moment.HALF in moments else Moment.EVENING
    return moment, moments[moment], day


def _said(kind: Kind, of: Offering, markets: Sequence[Market], at_ms: int) -> Prediction | NoPrice:
    if kind.pricer is None:
        (game,) = kind.told(of, at_ms)
        assert isinstance(game, Game)
        pays = [sports.Pays(spec.ticker, spec.yes_sub_title) for spec in of.spec.markets]
        return sports.predict(markets[0].event_ticker, pays, game, True, "the same game", at_ms)
    pricer = kind.pricer()
    for told in kind.told(of, at_ms):
        pricer.absorb(told)
    subject = pricer.subject(markets[0])
    assert subject is not None, markets[0].ticker
    return pricer.predict(markets, subject, at_ms, None)


def _look(of: Offering, said: Prediction, at_ms: int, day: str) -> PastLook:
    """As it would have been written down, and what came."""
    chances = dict(zip((one.ticker for one in of.spec.markets), of.chances(at_ms), strict=True))

    def quote(ticker: str) -> Quoted:
        around = quotes_around(chances[ticker])
        return Quoted(Price(around[BookSide.BID] * 100), Price(around[BookSide.ASK] * 100))

    weights = usual(said.sources, said.lead)
    standing = Standing(Verdict.INSUFFICIENT, weights.model, "")
    (fair,) = value([Judged(said, standing, weights.sharpen)], quote)
    paid = dict(zip(chances, of.outcome().yes, strict=True))
    won = tuple(n for n, one in enumerate(fair.values) if paid[one.ticker])
    alone = rounded([one.model_probability for one in fair.values])
    pooled = rounded([one.probability for one in fair.values]) if weights.model else ()
    return PastLook(day, alone, rounded(_market(fair)), won, pooled)


def _market(fair: EventFair) -> list[float]:
    said = [one.market_probability for one in fair.values]
    return [q for q in said if q is not None]


def rounded(chances: Iterable[float]) -> tuple[float, ...]:
    return tuple(round(float(chance), 4) for chance in chances)


def _stamp(at_ms: int) -> Stamp:
    return Stamp(at_ms, at_ms, 0)


def _refuse(ticker: str, why: str) -> None:
    raise ValueError(f"{ticker}: {why}")
