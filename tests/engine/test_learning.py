"""Coefficients that come while the desk runs are priced with at once, and so is their going."""

from __future__ import annotations

from core.engine.pricers import WeatherPricer
from core.feeds.values import GridForecast
from core.models.fair_value import NoPrice
from core.models.prediction import Prediction
from core.models.weather.coefficients import Learned
from core.models.weather.price import Knowledge, ModelId
from tests.models.weather.test_learned import NOW_MS, brackets, file_of, inputs


def test_a_pricer_learns_and_forgets() -> None:
    pricer = WeatherPricer(ModelId.DEFAULT, Knowledge(history={}))
    held = inputs()
    assert held.model is not None
    for value in (held.model, *held.others.values(), *held.guidance.values()):
        assert pricer.absorb(value) == "KNYC"
    assert pricer.absorb(GridForecast("KXXX", {}, (), held.model.stamp)) is None

    def predicted() -> Prediction | NoPrice:
        return pricer.predict(brackets(), "KNYC", NOW_MS, None)

    before = predicted()
    assert isinstance(before, NoPrice) and before.reason.startswith("no coefficients are loaded: pmconsole")
    pricer.learn(Learned(file_of()))
    known = predicted()
    assert isinstance(known, Prediction) and file_of().seal[:12] in known.version
    pricer.learn(None)
    assert isinstance(predicted(), NoPrice)
