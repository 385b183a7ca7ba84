"""The crowd takes what is left of a day as the desk's model does."""

from __future__ import annotations

import random

import pytest

from core.domain.market import Extreme as ModelsExtreme
from core.feeds.stations import HOUR_MS
from core.models.laws import Shape
from core.models.weather.hours_left import Growth
from core.models.weather.running_extreme import remaining as by_model
from core.models.weather.temperature import Temperature
from core.sim.laws import Law, remaining, whole_day
from core.sim.scenarios.loader import Extreme
from core.sim.spread import Spread
from core.sim.weather import Observation


@pytest.mark.parametrize("extreme", list(Extreme))
@pytest.mark.parametrize("weighs", [True, False])
def test_crowd_and_model_agree_on_the_rest_of_a_day(extreme: Extreme, weighs: bool) -> None:
    draws, shape = random.Random(7), Shape.T6 if weighs else Shape.NORMAL
    evenings = 0
    for _ in range(40):
        dawn_f, noon_f, end_f = (draws.uniform(*ends) for ends in ((36, 44), (40, 60), (34, 46)))
        hours = tuple(
            (h * HOUR_MS, noon_f + (dawn_f - noon_f) * abs(h - 14) / 14) for h in range(14)
        ) + tuple((h * HOUR_MS, noon_f + (end_f - noon_f) * (h - 14) / 9) for h in range(14, 24))
        hour, minute, mean = draws.randrange(23), draws.randrange(60), draws.uniform(37, 43)
        seen = Observation(hour * HOUR_MS + minute * 60_000, hours[hour][1] + draws.gauss(0, 2))
        run = (draws.randrange(-8, 8) * HOUR_MS, 2.0, 3.0)
        whole = whole_day(mean, Spread(*run), hours, extreme) if weighs else Law(mean, 2.5, extreme)
        crowd = remaining(whole, hours, [seen])
        law = by_model(
            Temperature(mean, whole.sigma, 0.3, 0.2, shape), hours, 24 * HOUR_MS, (seen.at_ms, seen.temp_f),
            ModelsExtreme(extreme.value), Growth(*run) if weighs else None,
        )  # fmt: skip
        assert law is not None
        evenings += crowd.evening is not None
        for degrees in range(30, 66):
            passed = degrees < (crowd.reached or 0)
            if passed == (extreme is Extreme.LOW):
                assert crowd.upto(degrees) == pytest.approx(float(law.below(degrees + 0.5)), abs=1e-9)
            else:
                assert crowd.upto(degrees) == (0.0 if extreme is Extreme.HIGH else 1.0)
    assert (evenings > 10) == (extreme is Extreme.LOW)


def test_an_hour_since_the_newest_report_is_open_until_the_next() -> None:
    """At a full hour nobody has read the thermometer since eight minutes before it."""
    hours = tuple((n * HOUR_MS, 60.0 - abs(n - 14)) for n in range(24))
    report = Observation(13 * HOUR_MS + 52 * 60_000, 59.8)
    rest = remaining(Law(60.0, 2.5), hours, [report])
    assert rest.mean == pytest.approx(60.0, abs=0.1)
    assert remaining(Law(60.0, 2.5), hours, []) == Law(60.0, 2.5)
