"""Markets on who wins a game, priced by what bookmakers offer on the game they are about."""

from __future__ import annotations

from collections.abc import Sequence

from core.domain.market import Market
from core.engine.fixtures import Fixtures
from core.feeds.sports import Game
from core.feeds.values import FeedValue
from core.models import sports
from core.models.fair_value import EventFair, NoPrice
from core.models.families import ODDS_CONSENSUS, families
from core.models.prediction import Prediction
from core.models.rungs import exclusive


class GamePricer:
    """Fulfils ``Pricer``; its subjects are games, and the sport where it is not known which one."""

    pushed = False

    def __init__(self, fixtures: Fixtures) -> None:
        self._fixtures = fixtures
        self._sports = {row.index for row in families().values() if row.model == ODDS_CONSENSUS}

    def subject(self, market: Market) -> str | None:
        if market.contest is None or market.contest.sport not in self._sports:
            return None
        about = self._fixtures.about(market)
        return market.contest.sport if isinstance(about, str) else about.game.id

    def absorb(self, value: FeedValue) -> str | None:
        """The games as they are told are the fixtures'."""
        return value.id if isinstance(value, Game) and value.sport in self._sports else None

    def predict(
        self, markets: Sequence[Market], subject: str, now_ms: int, previous: EventFair | None
    ) -> Prediction | NoPrice:
        event = markets[0].event_ticker
        found = [(market, self._fixtures.about(market)) for market in markets]
        why = next((f"{market.label}: {about}" for market, about in found if isinstance(about, str)), "")
        if why:
            return NoPrice(event, why)
        abouts = [(market, about) for market, about in found if not isinstance(about, str)]
        first = abouts[0][1]
        if any(about.game.id != first.game.id for _, about in abouts):
            return NoPrice(event, "its markets seem to be about different games")
        pays = [sports.Pays(market.ticker, about.team) for market, about in abouts]
        if len({one.team for one in pays}) != len(pays):
            return NoPrice(event, f"two of its markets seem to pay {first.team!r}")
        least = next((about.why for _, about in abouts if about.why.startswith("not")), first.why)
        return sports.predict(event, pays, first.game, exclusive(markets), least, now_ms)
