"""Skew from options: the digital of a known smile, other horizons, and what is no smile."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.feeds.quotes import OptionMark
from core.models.fair_value import NoPrice
from core.models.laws import Shape
from core.models.prediction import Laws, Prediction
from core.models.ranges.inputs import absorb
from core.models.ranges.price import predict
from core.models.ranges.smile import REACH, Smile, smile_of
from core.models.ranges.volatility import Realised
from tests.models.alone import alone
from tests.models.ranges.conftest import ENDS_MS, SPOT, dvol, inputs, ladder, quote, settling, stamp

HOUR_MS = 3_600_000
NOW = ENDS_MS - 4 * HOUR_MS
EXPIRES = ENDS_MS + 4 * HOUR_MS
YEARS = (EXPIRES - NOW) / (365 * 86_400_000)


def percent_at(strike: float, slope: float, curve: float, level: float = 50.0) -> float:
    u = math.log(strike / SPOT) / (level / 100 * math.sqrt(YEARS))
    w = REACH * math.tanh(u / REACH)
    return level * (1 + slope * w + curve * w * w)


def marks(
    slope: float = -0.1, curve: float = 0.02, strikes: int = 9, step: float = 500.0
) -> list[OptionMark]:
    middle = round(SPOT / step) * step
    return [
        OptionMark(
            f"BTC-1-{n}-C",
            "deribit",
            SPOT,
            strike,
            EXPIRES,
            True,
            percent_at(strike, slope, curve),
            stamp(NOW),
            10,
        )
        for n in range(strikes)
        if (strike := middle + (n - strikes // 2) * step)
    ]


def test_options_that_have_expired_are_held_no_longer() -> None:
    held = inputs(NOW)
    for mark in marks():
        held = absorb(held, mark)
    later = msgspec.structs.replace(
        marks()[0], instrument="BTC-2-0-C", expires_ms=EXPIRES + HOUR_MS, stamp=stamp(EXPIRES)
    )
    assert len(held.options) == 9 and list(absorb(held, later).options) == ["BTC-2-0-C"]


def found(options: list[OptionMark], now_ms: int = NOW, ends_ms: int = ENDS_MS) -> Smile:
    smile = smile_of(options, now_ms, ends_ms)
    assert isinstance(smile, Smile), smile
    return smile


def call(strike: float, deviation: float) -> float:
    """Undiscounted, of forward one."""
    d1 = (-math.log(strike) + deviation**2 / 2) / deviation
    normal = lambda z: 0.5 * math.erfc(-z / math.sqrt(2))  # noqa: E731
    return normal(d1) - strike * normal(d1 - deviation)


def test_marks_on_a_smile_give_it_back() -> None:
    smile = found(marks())
    assert smile.slope == pytest.approx(-0.1, abs=1e-3)
    assert smile.percent == pytest.approx(50.0, rel=1e-3)
    assert smile.strikes == 9 and smile.age.event_ms == NOW


@pytest.mark.parametrize("x", [-0.03, -0.01, 0.0, 0.004, 0.02])
def test_a_digital_is_the_slope_of_its_calls(x: float) -> None:
    """``-dC/dK`` of calls at the smile's own volatilities, by a small difference."""
    smile, deviation, step = found(marks()), 0.02, 1e-5

    def at(strike: float) -> float:
        w = REACH * math.tanh(math.log(strike) / deviation / REACH)
        return call(strike, deviation * (1 + smile.slope * w + smile.curve * w * w))

    strike = math.exp(x)
    above = (at(strike - step) - at(strike + step)) / (2 * step)
    assert 1 - smile.below(np.array([x]), deviation)[0] == pytest.approx(above, abs=1e-6)


def test_a_skew_as_of_shares_lifts_the_digital_at_the_money() -> None:
    flat, skewed = found(marks(0.0, 0.0)), found(marks(-0.1, 0.0))
    at = np.array([0.0])
    assert flat.below(at, 0.02)[0] - skewed.below(at, 0.02)[0] == pytest.approx(0.1 * 0.3989, rel=0.05)


@given(st.floats(-0.15, 0.15), st.floats(0.0, 0.05), st.floats(0.001, 0.2))
def test_probabilities_rise_and_reach_both_ends(slope: float, curve: float, deviation: float) -> None:
    smile = smile_of(marks(slope, curve), NOW, ENDS_MS)
    if isinstance(smile, str):
        return
    x = np.concatenate([[-np.inf], np.linspace(-9, 9, 400) * deviation, [np.inf]])
    below = smile.below(x, deviation)
    assert below[0] == 0.0 and below[-1] == 1.0
    assert float(np.diff(below).min()) >= -1e-12


@pytest.mark.parametrize(
    ("options", "ends_ms", "why"),
    [
        (marks(strikes=4), ENDS_MS, "4 strikes near the forward are too few or all on one side"),
        (marks(strikes=12)[7:], ENDS_MS, "5 strikes near the forward are too few or all on one side"),
        (marks(), EXPIRES + 1, "no fresh mark of a later expiry"),
        (marks(), NOW + HOUR_MS // 2, "the next options live 8 h, too long for it"),
        (marks(-0.6, 0.0), ENDS_MS, "its probabilities would fall with the strike"),
        (
            [msgspec.structs.replace(m, mark_percent=50.0 + 15 * (n % 2)) for n, m in enumerate(marks())],
            ENDS_MS, "its marks lie on no smile",
        ),
    ],
)  # fmt: skip
def test_what_is_no_smile_says_why(options: list[OptionMark], ends_ms: int, why: str) -> None:
    assert smile_of(options, NOW, ends_ms) == why


def test_old_marks_are_none() -> None:
    assert smile_of(marks(), NOW + 10_001, ENDS_MS) == "no fresh mark of a later expiry"


def test_an_event_is_priced_by_the_smile_sums_to_one_and_falls_back() -> None:
    held = inputs(NOW)
    plain = predict(ladder(), held, NOW)
    for mark in marks():
        held = absorb(held, mark)
    skewed = predict(ladder(), held, NOW)
    assert isinstance(plain, Prediction) and isinstance(skewed, Prediction)
    assert "and skew -0.1" in skewed.evidence[2] and "by the smile" in skewed.evidence[3]
    assert isinstance(skewed.says, Laws) and skewed.says.parts[0].shape is Shape.NORMAL
    assert "smile (deribit)" in {age.name for age in skewed.inputs}
    [event] = alone(skewed)
    assert abs(math.fsum(v.probability for v in event.values) - 1.0) <= 1e-12
    later = NOW + 5_000
    aged = absorb(absorb(held, msgspec.structs.replace(marks()[0], stamp=stamp(later))), marks()[0])
    for name in ("index", "implied"):
        fresh = msgspec.structs.replace(getattr(aged, name), stamp=stamp(NOW + 11_000))
        aged = msgspec.structs.replace(aged, **{name: fresh})
    again = predict(ladder(), aged, NOW + 11_000)
    assert (
        not isinstance(again, NoPrice)
        and "no smile: " in again.evidence[2]
        and "t, 4 degrees" in again.evidence[3]
    )


def test_volatilities_of_another_market_are_refused() -> None:
    held = inputs(NOW)
    for mark in marks():
        held = absorb(held, mark)
    calm = Realised(NOW, SPOT, 1e-9 * 100, 60.0 * 100, 100.0, 100.0)
    found = predict(ladder(), msgspec.structs.replace(held, realised=calm), NOW)
    assert isinstance(found, NoPrice) and found.reason.startswith(
        "the smile of its options gives a volatility of 50%, BRTI's returns 2%"
    )


def test_in_the_closing_window_the_average_is_all_that_counts() -> None:
    """Of options that expire with it, too."""
    now_ms = ENDS_MS - 30_000
    options = [msgspec.structs.replace(m, expires_ms=ENDS_MS, stamp=stamp(now_ms)) for m in marks(step=10.0)]
    held = absorb(absorb(inputs(now_ms), settling(SPOT, 30, now_ms)), quote(SPOT, now_ms))
    for mark in options:
        held = absorb(held, mark)
    found = predict(ladder(), absorb(held, dvol(45.0, now_ms)), now_ms)
    assert isinstance(found, Prediction) and "t, 4 degrees" in found.evidence[-1]
