"""Markets on a city's temperature index in one minute, by that index."""

from __future__ import annotations

from collections.abc import Sequence

from core.domain.market import Market, city_index
from core.feeds.stations import stations
from core.feeds.values import FeedValue
from core.models import hourly
from core.models.fair_value import EventFair, NoPrice
from core.models.families import HOURLY_TEMPERATURE, families
from core.models.hourly import HourlyInputs
from core.models.prediction import Prediction


class HourlyPricer:
    """Fulfils ``Pricer``."""

    pushed = False

    def __init__(self) -> None:
        self._inputs = {
            family.index: HourlyInputs(family, station.index_city, station.icao)
            for station in stations().values()
            if (family := families().get(city_index(station.index_city))) is not None
            if family.model == HOURLY_TEMPERATURE
        }

    def subject(self, market: Market) -> str | None:
        name = market.reading.name if market.reading is not None else ""
        return name if name in self._inputs else None

    def absorb(self, value: FeedValue) -> str | None:
        """A value is of one city, or of the one station that is read for it."""
        for name, held in self._inputs.items():
            now = hourly.absorb(held, value)
            if now is not held:
                self._inputs[name] = now
                return name
        return None

    def predict(
        self, markets: Sequence[Market], subject: str, now_ms: int, previous: EventFair | None
    ) -> Prediction | NoPrice:
        return hourly.predict(markets, self._inputs[subject], now_ms)
