"""The models the desk prices with, behind the same few calls each: what it predicts, from what it holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from core.domain.market import Market
from core.feeds.quotes import OptionMark, Quote
from core.feeds.releases import Calendar
from core.feeds.stations import stations
from core.feeds.values import FeedValue, WeatherValue
from core.models.fair_value import EventFair, NoPrice
from core.models.families import RANGE_AVERAGE, RANGE_PRICE, families
from core.models.prediction import Prediction
from core.models.ranges import inputs as index_inputs
from core.models.ranges import price_inputs
from core.models.ranges.fixing import predict as predict_fixing
from core.models.ranges.inputs import IndexInputs, RangeValue
from core.models.ranges.price import predict as predict_range
from core.models.ranges.price_inputs import PriceInputs
from core.models.weather import inputs as station_inputs
from core.models.weather.coefficients import Learned
from core.models.weather.inputs import StationInputs
from core.models.weather.price import Knowledge, ModelId
from core.models.weather.price import predict as predict_weather


class Pricer(Protocol):
    """One model with its inputs. A subject is what these are of: a station, an index."""

    pushed: bool
    """Whether its inputs come by themselves, several a second: then they are priced together."""

    def subject(self, market: Market) -> str | None:
        """What a market's price rests on; ``None`` for a market of another family."""
        ...

    def absorb(self, value: FeedValue) -> str | None:
        """Take one value; the subject whose prices it moves, if any."""
        ...

    def predict(
        self, markets: Sequence[Market], subject: str, now_ms: int, previous: EventFair | None
    ) -> Prediction | NoPrice:
        """The laws all markets of one event settle by, as seen at ``now_ms``, world time; the pricing pass
        makes probabilities of them (``core/models/valuing.py``)."""
        ...


class WeatherPricer:
    """Temperature markets, by their station."""

    pushed = False

    def __init__(self, model: ModelId, knowledge: Knowledge) -> None:
        self._model, self._knowledge = model, knowledge
        self._inputs = {icao: StationInputs(station) for icao, station in stations().items()}

    def subject(self, market: Market) -> str | None:
        return market.station

    def absorb(self, value: FeedValue) -> str | None:
        if not isinstance(value, WeatherValue) or value.station not in self._inputs:
            return None
        self._inputs[value.station] = station_inputs.absorb(self._inputs[value.station], value)
        return value.station

    def predict(
        self, markets: Sequence[Market], subject: str, now_ms: int, previous: EventFair | None
    ) -> Prediction | NoPrice:
        held = self._inputs.get(subject)
        return predict_weather(markets, held, self._model, now_ms, previous, self._knowledge)

    def learn(self, learned: Learned | None) -> None:
        """Price from now on with other coefficients, or without any."""
        self._knowledge = msgspec.structs.replace(self._knowledge, learned=learned)


class FixingPricer:
    """Markets on a published price at a stated time, by what it is the price of."""

    pushed = True

    def __init__(self) -> None:
        self._inputs = {
            name: PriceInputs(family) for name, family in families().items() if family.model == RANGE_PRICE
        }

    def subject(self, market: Market) -> str | None:
        return market.fixing.name if market.fixing is not None else None

    def absorb(self, value: FeedValue) -> str | None:
        if not isinstance(value, Quote | Calendar):
            return None
        moved = None
        for name, held in self._inputs.items():
            if price_inputs.concerns(held.family, value):
                self._inputs[name] = price_inputs.absorb(held, value)
                # A calendar moves no price by itself: the next look of each second sees it.
                moved = name if isinstance(value, Quote) else moved
        return moved

    def predict(
        self, markets: Sequence[Market], subject: str, now_ms: int, previous: EventFair | None
    ) -> Prediction | NoPrice:
        return predict_fixing(markets, self._inputs.get(subject), now_ms)


class RangePricer:
    """Markets on the mean of an index, by that index."""

    pushed = True

    def __init__(self) -> None:
        known = {index: row for index, row in families().items() if row.model == RANGE_AVERAGE}
        self._inputs = {index: IndexInputs(family) for index, family in known.items()}
        self._read: dict[str, list[str]] = {}
        """Indices by the names of what moves their markets' prices or checks them."""
        for index, family in known.items():
            for name in (family.index, family.implied, family.check, family.check.partition("/")[0]):
                self._read.setdefault(name, []).append(index)

    def subject(self, market: Market) -> str | None:
        return market.mean.index if market.mean is not None else None

    def absorb(self, value: FeedValue) -> str | None:
        if not isinstance(value, RangeValue):
            return None
        moved, name = None, index_inputs.coin(value) if isinstance(value, OptionMark) else value.name
        for index in self._read.get(name, ()):
            held = self._inputs[index]
            if not index_inputs.concerns(held.family, value):
                continue
            self._inputs[index] = index_inputs.absorb(held, value)
            # A check confirms or refuses at the next price, and one strike is not all of a smile: an index
            # has its next value soon enough.
            moved = index if name in (held.family.index, held.family.implied) else moved
        return moved

    def predict(
        self, markets: Sequence[Market], subject: str, now_ms: int, previous: EventFair | None
    ) -> Prediction | NoPrice:
        return predict_range(markets, self._inputs.get(subject), now_ms)
