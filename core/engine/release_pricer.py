"""Markets on figures of economic releases, priced by what is expected of them."""

from __future__ import annotations

from collections.abc import Sequence

from core.domain.market import Market
from core.feeds.quotes import SeriesPast
from core.feeds.releases import Views
from core.feeds.values import FeedValue
from core.models import releases
from core.models.fair_value import EventFair, NoPrice
from core.models.families import RELEASE_MIXTURE, RELEASE_STEPS, families
from core.models.prediction import Prediction
from core.models.releases import FigureInputs

SUBJECT = "releases"
"""One for all figures: a file of views tells of them together, and seldom."""


class ReleasePricer:
    """Fulfils ``Pricer``."""

    pushed = False

    def __init__(self) -> None:
        self._inputs = {
            name: FigureInputs(row)
            for name, row in families().items()
            if row.model in (RELEASE_MIXTURE, RELEASE_STEPS)
        }

    def subject(self, market: Market) -> str | None:
        return SUBJECT if market.figure is not None and market.figure.name in self._inputs else None

    def absorb(self, value: FeedValue) -> str | None:
        if not isinstance(value, Views | SeriesPast):
            return None
        before = dict(self._inputs)
        self._inputs = {name: releases.absorb(held, value) for name, held in before.items()}
        return SUBJECT if self._inputs != before else None

    def predict(
        self, markets: Sequence[Market], subject: str, now_ms: int, previous: EventFair | None
    ) -> Prediction | NoPrice:
        figure = markets[0].figure
        held = self._inputs.get(figure.name) if figure is not None else None
        if figure is None or held is None:
            return NoPrice(markets[0].event_ticker, "its markets settle on different figures")
        return releases.predict(markets, figure, held, now_ms)
